"""Eye chart: one ring with a gap, drawn once, looked at with few or many pixels.

Data card
    Picture: one white ring on a dark ground with a little noise, drawn at 64 × 64. The ring is a
        Landolt ring, as on an eye chart: its stroke and its gap are a fifth of its diameter.
    Class: where the gap is, ``GAPS`` (4 classes, guessing gives 25 %).
    What one must see: the gap. The ring is 13 to 26 of 64 pixels wide and stands anywhere, so the
        gap is 2.6 to 5.1 px wide at 64, and 0.3 to 0.6 px at 8. ``EyeChart.at`` gives the *same*
        pictures with fewer pixels, each the weighted mean of those it stands for.
    Made from: random numbers with a seed. No photographs, no people, nothing downloaded.
    Not for: any claim about real pictures, where colour and texture help when shapes are gone.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.rehearsal import rehearsed

GAPS = ("right", "top", "left", "bottom")
SIDE = 64  # pixels a side of the picture as drawn
SEEDS = (0, 1, 2)
# a gap of two means counts as clear above this many standard errors (t quantile for 3 + 3 runs)
CLEAR = 4.0
DOWN = ("strided", "max first", "average first", "max after")


class EyeChart:
    """The same pictures at every size, and their classes.

    Attributes:
        images: (N, 1, 64, 64) float32, as drawn.
        gaps: (N,) int64, an index into ``GAPS``.
    """

    def __init__(self, count: int, seed: int, *, noise: float = 0.1):
        rng = torch.Generator().manual_seed(seed)
        self.gaps = (torch.arange(count) % len(GAPS))[torch.randperm(count, generator=rng)]
        grain = noise * torch.randn((count, SIDE, SIDE), generator=rng)
        # always the same contrast: with a random one the seeds differ more than the networks do
        self.images = (_rings(self.gaps, rng) + grain)[:, None]
        self._made = {SIDE: self.images}

    def at(self, size: int) -> Tensor:
        """The pictures with ``size`` pixels a side: (N, 1, size, size).

        Raises:
            UserError: the size is not a whole number from 4 to 64.

        >>> EyeChart(8, seed=0).at(16).shape
        torch.Size([8, 1, 16, 16])
        """
        if not isinstance(size, int) or not 4 <= size <= SIDE:
            raise UserError(f"the pictures were drawn at {SIDE} px; {size!r} is not 4 to {SIDE}.")
        if size not in self._made:
            # antialias: a small pixel is a mean over all that it covers, as in a camera
            self._made[size] = F.interpolate(
                self.images, (size, size), mode="bilinear", align_corners=False, antialias=True
            )
        return self._made[size]


def _rings(gaps: Tensor, rng: torch.Generator) -> Tensor:
    """(N,) gaps -> (N, 64, 64), 1 on the ring and 0 elsewhere, with soft edges."""
    count = len(gaps)
    radius = SIDE * (0.1 + 0.1 * torch.rand((count, 1, 1), generator=rng))
    free = SIDE - 2 * radius
    down, across = (radius + free * torch.rand((count, 1, 1), generator=rng) for _ in range(2))
    pixel = torch.arange(SIDE) + 0.5
    dy, dx = pixel[:, None] - down, pixel - across
    distance = (dy**2 + dx**2).sqrt()
    angle = (math.pi / 2) * gaps[:, None, None]
    along = torch.cos(angle) * dx - torch.sin(angle) * dy
    aside = torch.sin(angle) * dx + torch.cos(angle) * dy
    ring = _soft(radius - distance) * _soft(distance - 0.6 * radius)
    return ring * (1 - _soft(0.2 * radius - aside.abs()) * (along > 0))


def _soft(inside: Tensor) -> Tensor:
    """1 inside, 0 outside, and a slope one pixel wide between."""
    return (inside + 0.5).clamp(0, 1)


def ring_net(
    strides: Sequence[int] = (2, 2, 2, 1),
    *,
    widths: Sequence[int] = (8, 16, 24, 24),
    down: str = "strided",
) -> nn.Sequential:
    """Four 3×3 convolutions and a mean over all places: (N, 1, r, r) -> (N, 4), any r.

    The weights are the same for all strides and for all kinds of ``down``, the way in which a layer
    with stride 2 halves: "strided" moves the window by 2; "max first" and "average first" pool 2×2
    before a convolution of stride 1 (the same MACs); "max after" pools after it (4 times the
    MACs for that layer).

    >>> ring_net((2, 1, 1, 1))(torch.zeros(5, 1, 16, 16)).shape
    torch.Size([5, 4])
    """
    if down not in DOWN:
        raise UserError(f"down={down!r} is not possible; choose one of {', '.join(DOWN)}.")
    layers: list[nn.Module] = []
    channels = 1
    for stride, width in zip(strides, widths, strict=True):
        halve = stride == 2 and down != "strided"
        if halve and down != "max after":
            layers.append(nn.MaxPool2d(2) if down == "max first" else nn.AvgPool2d(2))
        step = 1 if halve else stride
        layers += [nn.Conv2d(channels, width, 3, step, 1, bias=False)]
        layers += [nn.BatchNorm2d(width), nn.ReLU()]
        if halve and down == "max after":
            layers.append(nn.MaxPool2d(2))
        channels = width
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, len(GAPS))]
    return nn.Sequential(*layers, *head)


def train_rings(
    make: Callable[[], nn.Module],
    chart: EyeChart,
    sizes: Sequence[int],
    *,
    seeds: Sequence[int] = SEEDS,
    epochs: int = 5,
    batch: int = 50,
) -> list[nn.Module]:
    """Train one fresh net per seed; with several sizes each batch takes the next one in turn.

    The number of steps depends on the pictures and the epochs only, never on the sizes.

    >>> len(train_rings(ring_net, EyeChart(100, seed=0), (16, 24), seeds=(0, 1), epochs=1))
    2
    """
    nets = []
    for seed in seeds:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            net = make()
        _fit(net, [chart.at(size) for size in sizes], chart.gaps, epochs, batch, seed)
        nets.append(net)
    return nets


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


def verdict(one: Runs, other: Runs) -> str:
    """Say in plain words whether two sets of runs differ.

    >>> verdict(Runs("a", (90.0, 91.0, 92.0)), Runs("b", (34.0, 33.0, 35.0)))
    'gap 57.0 ± 0.8 points: clear'
    """
    gap = one.mean - other.mean
    error = math.sqrt(sum(runs.sd**2 / len(runs.accuracies) for runs in (one, other)))
    words = "clear" if abs(gap) > CLEAR * error else "no difference that these seeds can show"
    return f"gap {gap:.1f} ± {error:.1f} points: {words}"


def score_rings(nets: Sequence[nn.Module], chart: EyeChart, size: int, name: str = "") -> Runs:
    """The test accuracies (per cent) of several nets at one size."""
    return Runs(name, tuple(accuracy(net, chart.at(size), chart.gaps) for net in nets))


def _fit(
    net: nn.Module, views: list[Tensor], gaps: Tensor, epochs: int, batch: int, seed: int
) -> None:
    """AdamW; the learning rate climbs for a fifth of the steps, then falls to zero."""
    peak, per_epoch = 0.01, len(gaps) // batch
    rng = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(net.parameters(), peak, weight_decay=0.02, fused=True)
    net.train()
    order = torch.arange(len(gaps))
    for step in range(total := rehearsed(epochs * per_epoch, 2)):
        if step % per_epoch == 0:
            order = torch.randperm(len(gaps), generator=rng)
        chosen = order[step % per_epoch * batch :][:batch]
        done = step / total
        optimizer.param_groups[0]["lr"] = peak * min(done / 0.2 + 0.02, (1 - done) / 0.8)
        loss = F.cross_entropy(net(views[step % len(views)][chosen]), gaps[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
