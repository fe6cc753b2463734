"""Chapter 06's experiment: a small colour puzzle, the tiny nets that try it, and a seeded loop.

Data card
    What: images of three colour planes. Each plane shows a wave pattern in one of four
        directions (``TEXTURES``). Two planes share the direction, the third has another one.
    Labels: ``odd`` is the plane that differs (3 classes, guessing gives 33 %); ``shared`` is the
        direction that two planes share (4 classes, guessing gives 25 %).
    What one must see: all the planes. One plane alone says nothing about ``odd`` (33 %); two planes
        allow 67 %. Wave length, phase and strength are drawn anew for each plane, so no plain
        difference of two planes gives the answer away.
    Distractors: a fifth wave, the same in all three planes; noise; a random offset per plane.
    Made from: random numbers with a seed. No photographs, no people, nothing downloaded.
    Not for: any claim about real pictures. It was built to ask one question: do colours meet?
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

COLOURS = ("red", "green", "blue")
TEXTURES = ("horizontal", "rising", "vertical", "falling")
SEEDS = (0, 1, 2)
# a gap of two means counts as clear above this many standard errors (t quantile for 3 + 3 runs)
CLEAR = 4.0


@dataclass(frozen=True)
class ColourPuzzle:
    """Images and everything known about them.

    Attributes:
        images: (N, 3, size, size) float32, about zero mean.
        textures: (N, 3) the texture of each plane, an index into ``TEXTURES``.
        odd: (N,) the plane that differs, an index into ``COLOURS``.
        shared: (N,) the texture of the two other planes.
    """

    images: Tensor
    textures: Tensor
    odd: Tensor
    shared: Tensor


def colour_puzzle(count: int, seed: int, *, size: int = 16, noise: float = 0.3) -> ColourPuzzle:
    """Draw ``count`` images; equal arguments give equal bits.

    >>> puzzle = colour_puzzle(6, seed=1)
    >>> puzzle.images.shape, sorted(puzzle.odd.tolist())
    (torch.Size([6, 3, 16, 16]), [0, 0, 1, 1, 2, 2])
    """
    rng = torch.Generator().manual_seed(seed)
    order = torch.randperm(count, generator=rng)
    combination = (torch.arange(count) % 12)[order]
    odd, shared = combination % 3, combination // 3
    other = (shared + torch.randint(1, 4, (count,), generator=rng)) % 4
    textures = shared[:, None].repeat(1, 3)
    textures[torch.arange(count), odd] = other

    images = _waves(textures, size, rng) * _uniform(0.4, 1.0, (count, 3, 1, 1), rng)
    distractor = _waves(torch.randint(0, 4, (count, 1), generator=rng), size, rng)
    images = images + 0.6 * distractor * _uniform(0.0, 1.0, (count, 1, 1, 1), rng)
    images = images + noise * torch.randn(images.shape, generator=rng)
    images = images + _uniform(-0.5, 0.5, (count, 3, 1, 1), rng)
    return ColourPuzzle(images, textures, odd, shared)


def _waves(textures: Tensor, size: int, rng: torch.Generator) -> Tensor:
    """(N, K) texture numbers -> (N, K, size, size) waves of random length and phase."""
    shape = (*textures.shape, 1, 1)
    angle = textures[..., None, None] * (math.pi / 4) + _uniform(-0.15, 0.15, shape, rng)
    length, phase = _uniform(3.0, 4.5, shape, rng), _uniform(0.0, 2 * math.pi, shape, rng)
    axis = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    down, across = torch.meshgrid(axis, axis, indexing="ij")
    distance = torch.cos(angle) * down + torch.sin(angle) * across
    return torch.sin(2 * math.pi / length * distance + phase)


def _uniform(low: float, high: float, shape: Sequence[int], rng: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(tuple(shape), generator=rng)


def batch_norm_relu(channels: int) -> nn.Module:
    """The usual pair after a convolution."""
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())


class Shuffle(nn.Module):
    """Call ``shuffle(x, groups)`` as a layer: any function of that form, a learner's too."""

    def __init__(self, shuffle: Callable[[Tensor, int], Tensor], groups: int):
        super().__init__()
        self.shuffle = shuffle
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return self.shuffle(x, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"


def colour_net(
    classes: int,
    *,
    width: int = 24,
    stem_groups: int = 1,
    groups: int = 1,
    shuffle: Callable[[Tensor, int], Tensor] | None = None,
    strides: Sequence[int] = (1, 1),
    norm_act: Callable[[int], nn.Module] = batch_norm_relu,
) -> nn.Sequential:
    """A small net of 1×1 and depthwise convolutions, (N, 3, H, W) -> (N, classes).

    With ``stem_groups=3, groups=3`` and no shuffle every layer keeps the three colours apart.
    Each entry of ``strides`` is one block: 1×1 convolution, shuffle, depthwise 3×3.

    >>> colour_net(3, groups=3, stem_groups=3)(torch.zeros(2, 3, 16, 16)).shape
    torch.Size([2, 3])
    """
    stem = nn.Conv2d(3, width, 5, stride=2, padding=2, groups=stem_groups, bias=False)
    layers: list[nn.Module] = [stem, norm_act(width)]
    for stride in strides:
        layers += [nn.Conv2d(width, width, 1, groups=groups, bias=False), norm_act(width)]
        if shuffle is not None:
            layers.append(Shuffle(shuffle, groups))
        depthwise = nn.Conv2d(width, width, 3, stride, 1, groups=width, bias=False)
        layers += [depthwise, norm_act(width)]
    layers += [nn.Conv2d(width, width, 1, groups=groups, bias=False), norm_act(width)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)]
    return nn.Sequential(*layers, *head)


def fit(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epochs: int = 6,
    batch: int = 32,
    lr: float = 0.01,
    seed: int = 0,
) -> None:
    """Train in place: AdamW, rate up for a fifth of the steps and then down to zero."""
    rng = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr, weight_decay=0.02, fused=True)
    per_epoch = len(labels) // batch
    total = epochs * per_epoch
    model.train()
    for step in range(total):
        if step % per_epoch == 0:
            order = torch.randperm(len(labels), generator=rng)
        start = step % per_epoch * batch
        index = order[start : start + batch]
        done = step / total
        optimizer.param_groups[0]["lr"] = lr * min(done / 0.2, (1 - done) / 0.8)
        loss = F.cross_entropy(model(images[index]), labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of right answers in per cent, in evaluation mode."""
    model.eval()
    return 100.0 * (model(images).argmax(1) == labels).double().mean().item()


@dataclass(frozen=True)
class Runs:
    """Test accuracies (per cent) of the same experiment with different seeds."""

    name: str
    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.mean(self.accuracies)

    @property
    def sd(self) -> float:
        """Sample standard deviation, with n - 1."""
        return statistics.stdev(self.accuracies)

    def __str__(self) -> str:
        return f"{self.name:<34} {self.mean:5.1f} ± {self.sd:4.1f} %"


def repeat(
    name: str,
    make: Callable[[], nn.Module],
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    *,
    seeds: Sequence[int] = SEEDS,
    epochs: int = 6,
    batch: int = 32,
    lr: float = 0.01,
) -> Runs:
    """Train one fresh net per seed (weights and order of images) and test each once."""
    scores = []
    for seed in seeds:
        torch.manual_seed(seed)
        model = make()
        fit(model, *train, epochs=epochs, batch=batch, lr=lr, seed=seed)
        scores.append(accuracy(model, *test))
    return Runs(name, tuple(scores))


def verdict(one: Runs, other: Runs) -> str:
    """Say in plain words whether two sets of runs differ.

    >>> verdict(Runs("a", (90.0, 91.0, 92.0)), Runs("b", (34.0, 33.0, 35.0)))
    'gap 57.0 ± 0.8 points: clear'
    """
    gap = one.mean - other.mean
    error = math.sqrt(sum(runs.sd**2 / len(runs.accuracies) for runs in (one, other)))
    words = "clear" if abs(gap) > CLEAR * error else "no difference that these seeds can show"
    return f"gap {gap:.1f} ± {error:.1f} points: {words}"
