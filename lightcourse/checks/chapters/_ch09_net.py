"""Chapter 09: MobileNet as torch builds it from table 1, and as arithmetic, right or wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch09_parts import Part, record

Rows = Sequence[tuple[int, int, int]]

# MobileNets, arXiv 1704.04861, table 1: output channels, blocks, stride of the first of them
ROWS = ((64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2))
NAMES = ("the stem", *(f"block {i}" for i in range(1, 14)), "the classifier")


class Reference(nn.Module):
    """The network, layer by layer, of torch's own modules."""

    def __init__(self, width: float, classes: int) -> None:
        super().__init__()
        c = round(32 * width)
        layers: list[nn.Module] = [nn.Conv2d(3, c, 3, 2, 1, bias=False), *_act(c)]
        for outputs, repeats, first in ROWS:
            for stride in (first, *[1] * (repeats - 1)):
                n = round(outputs * width)
                layers += [nn.Conv2d(c, c, 3, stride, 1, groups=c, bias=False), *_act(c)]
                layers += [nn.Conv2d(c, n, 1, bias=False), *_act(n)]
                c = n
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(c, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).mean((2, 3)))


def _act(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), nn.ReLU()


def counted(width: float, side: int) -> list[int]:
    """The MACs of stem, blocks and classifier of the network that torch builds."""
    return list(_counted(width, side))


@cache
def _counted(width: float, side: int) -> tuple[int, ...]:
    with torch.device("meta"):
        net = Reference(width, 1000).eval()
        _, parts, _ = record(net, torch.empty(1, 3, side, side))
    macs = [part.macs for part in parts if part.kind != "norm"]
    pairs = [sum(macs[i : i + 2]) for i in range(1, len(macs) - 1, 2)]
    return (macs[0], *pairs, macs[-1])


Step = Callable[[int, int], int]


def half_up(side: int, stride: int) -> int:
    """The side of a map after a 3×3 layer with padding 1."""
    return (side - 1) // stride + 1


def strides(rows: Rows, inside: Callable[[int, int], int] | None = None) -> list[tuple[int, int]]:
    """(channels, stride) of each block; inside(s, i) is the stride of a row's block i."""
    pick = inside or (lambda s, i: s if i == 0 else 1)
    return [(c, pick(s, i)) for c, n, s in rows for i in range(n)]


def last_by_two(rows: Rows) -> list[tuple[int, int]]:
    """The blocks with the stride that table 1 prints for the last depthwise layer."""
    return [*strides(rows)[:-1], (rows[-1][0], 2)]


def parts_of(
    width: float,
    classes: int,
    size: tuple[int, int],
    blocks: Sequence[tuple[int, int]] | None = None,
    stem: tuple[int, int] = (32, 2),
    out: Step = half_up,
) -> list[Part]:
    """The layers of the network by arithmetic; `blocks` are (channels, stride), `stem` too."""
    c = int(stem[0] * width)
    maps = (out(size[0], stem[1]), out(size[1], stem[1]))
    parts = [Part("conv", 3, c, (3, 3), (stem[1], stem[1]), 1, maps), Part("norm", c, c)]
    for outputs, stride in strides(ROWS) if blocks is None else blocks:
        n = int(outputs * width)
        maps = (out(maps[0], stride), out(maps[1], stride))
        parts += [
            Part("conv", c, c, (3, 3), (stride, stride), c, maps),
            Part("norm", c, c),
            Part("conv", c, n, (1, 1), (1, 1), 1, maps),
            Part("norm", n, n),
        ]
        c = n
    return [*parts, Part("linear", c, classes, bias=True)]


def place(index: int) -> str:
    """Where the layer with this number stands in the network: "block 3, pointwise norm"."""
    if index < 2:
        return ("the stem", "the norm of the stem")[index]
    block, inside = divmod(index - 2, 4)
    if block >= 13:
        return "the classifier"
    kinds = ("depthwise", "norm after the depthwise layer", "pointwise")
    return f"block {block + 1}, {(*kinds, 'norm after the pointwise layer')[inside]}"
