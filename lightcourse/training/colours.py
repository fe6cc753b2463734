"""The colour puzzle of chapters 05 and 06: pictures whose colours must meet, and a tiny net.

Data card
    What: images of three colour planes. Each plane shows a wave pattern in one of four
        directions (``TEXTURES``). Two planes share the direction, the third has another one.
    Labels: ``ask="odd"`` is the plane that differs (3 classes, guessing gives 33 %);
        ``ask="shared"`` the direction that two planes share (4 classes, guessing gives 25 %).
    What one must see: all the planes. One plane alone says nothing about "odd" (33 %); two planes
        allow 67 %. Wave length, phase and strength are drawn anew for each plane, so no plain
        difference of two planes gives the answer away.
    Distractors: a fifth wave, the same in all three planes; noise; a random offset per plane.
    Made from: random numbers with a seed. No photographs, no people, nothing downloaded.
    A mirror image has other directions: train with ``augment=None``.
    Not for: any claim about real pictures. It was built to ask one question: do colours meet?
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.training.data import Dataset, Splits

COLOURS = ("red", "green", "blue")
TEXTURES = ("horizontal", "rising", "vertical", "falling")
QUESTIONS = {"odd": COLOURS, "shared": TEXTURES}


def colour_puzzle(
    train: int = 3000,
    test: int = 1200,
    seed: int = 1,
    *,
    ask: str = "odd",
    size: int = 16,
    noise: float = 0.3,
) -> Splits:
    """Draw the puzzle, equal for equal arguments: images (train, 3, size, size), (test, 3, …).

    Raises:
        UserError: there is no such question.

    >>> puzzle = colour_puzzle(6, 12)
    >>> puzzle.train.images.shape, puzzle.train.counts, puzzle.classes
    (torch.Size([6, 3, 16, 16]), (2, 2, 2), ('red', 'green', 'blue'))
    """
    if ask not in QUESTIONS:
        raise UserError(f"there is no question {ask!r}; choose one of: {', '.join(QUESTIONS)}.")
    parts = []
    for part, count in enumerate((train, test)):
        rng = torch.Generator().manual_seed(2 * seed + part)
        textures, odd, shared = layout(count, rng)
        images = _pictures(textures, size, noise, rng)
        labels = odd if ask == "odd" else shared
        parts.append(Dataset(images, labels, QUESTIONS[ask], "colour puzzle", __doc__ or ""))
    return Splits(*parts)


def layout(count: int, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw what each plane shows: textures (N, 3), the odd plane (N,), the shared texture (N,).

    >>> textures, odd, shared = layout(12, torch.Generator().manual_seed(0))
    >>> sorted(odd.tolist()), bool((textures == shared[:, None]).sum(1).eq(2).all())
    ([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], True)
    """
    order = torch.randperm(count, generator=rng)
    combination = (torch.arange(count) % 12)[order]
    odd, shared = combination % 3, combination // 3
    other = (shared + torch.randint(1, 4, (count,), generator=rng)) % 4
    textures = shared[:, None].repeat(1, 3)
    textures[torch.arange(count), odd] = other
    return textures, odd, shared


def _pictures(textures: Tensor, size: int, noise: float, rng: torch.Generator) -> Tensor:
    """(N, 3) texture numbers -> (N, 3, size, size) uint8."""
    count = len(textures)
    images = _waves(textures, size, rng) * _uniform(0.4, 1.0, (count, 3, 1, 1), rng)
    distractor = _waves(torch.randint(0, 4, (count, 1), generator=rng), size, rng)
    images = images + 0.6 * distractor * _uniform(0.0, 1.0, (count, 1, 1, 1), rng)
    # float64: machines differ in the last digit of a sine, which must not move a grey level
    images = images + noise * torch.randn(images.shape, generator=rng, dtype=torch.float64)
    images = images + _uniform(-0.5, 0.5, (count, 3, 1, 1), rng)
    return (40 * images + 128).round().clamp(0, 255).to(torch.uint8)


def _waves(textures: Tensor, size: int, rng: torch.Generator) -> Tensor:
    """(N, K) texture numbers -> (N, K, size, size) waves of random length and phase."""
    shape = (*textures.shape, 1, 1)
    angle = textures[..., None, None] * (math.pi / 4) + _uniform(-0.15, 0.15, shape, rng)
    length, phase = _uniform(3.0, 4.5, shape, rng), _uniform(0.0, 2 * math.pi, shape, rng)
    axis = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    down, across = torch.meshgrid(axis, axis, indexing="ij")
    distance = torch.cos(angle) * down + torch.sin(angle) * across
    return torch.sin(2 * math.pi / length * distance + phase)


def _uniform(low: float, high: float, shape: Sequence[int], rng: torch.Generator) -> Tensor:
    drawn = torch.rand(tuple(shape), generator=rng, dtype=torch.float64)
    return low + (high - low) * drawn


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
