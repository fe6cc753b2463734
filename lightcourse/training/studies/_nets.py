"""The small networks of the studies: tables of rows, and the one function that builds them."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.nn import ConvNormAct, InvertedResidual, channel_shuffle

KINDS = ("conv", "point", "separable", "inverted", "grouped", "shuffled")


class Row(NamedTuple):
    """One block of a network."""

    kind: str  # one of KINDS
    c: int  # output channels
    s: int = 1  # stride
    d: int = 1  # dilation of the k × k layer
    k: int = 3  # kernel size
    g: int = 1  # groups of the 1×1 convolutions, in "grouped" and "shuffled"
    t: float = 4  # expansion, in "inverted"


def net(rows: Sequence[Row], *, norm: bool = True, classes: int = 10) -> nn.Sequential:
    """Build the blocks of the rows on pictures with three channels, and a linear head.

    (N, 3, H, W) -> (N, classes). Raises `UserError` for a kind that does not exist.

    >>> net([Row("conv", 8, 2), Row("separable", 16)])(torch.zeros(2, 3, 16, 16)).shape
    torch.Size([2, 10])
    """
    channels, blocks = 3, []
    for row in rows:
        blocks.append(_block(channels, row))
        channels = row.c
    body = nn.Sequential(*blocks)
    if not norm:
        _take_norms_out(body)
    return nn.Sequential(*body, _Head(channels, classes))


def scaled(rows: Sequence[Row], width: float, multiple: int = 4) -> tuple[Row, ...]:
    """Return the rows with all channels times `width`, in multiples, at least one of them.

    >>> [row.c for row in scaled([Row("conv", 16), Row("separable", 30)], 0.5)]
    [8, 16]
    """
    return tuple(row._replace(c=max(multiple, _nearest(row.c * width, multiple))) for row in rows)


def _nearest(value: float, multiple: int) -> int:
    return int(value / multiple + 0.5) * multiple


class OneColourEach(nn.Module):
    """Give every group one colour only: group i gets plane i mod 3, so that colours stay apart.

    (N, 3, H, W) -> (N, groups, H, W).

    >>> OneColourEach(4)(torch.arange(3.0).view(1, 3, 1, 1)).flatten().tolist()
    [0.0, 1.0, 2.0, 0.0]
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        planes = [i % 3 for i in range(self.groups)]
        return x[:, planes]


class GroupedBlock(nn.Module):
    """ShuffleNet's unit: grouped 1×1, shuffle or not, depthwise k × k, grouped 1×1, shortcut.

    ShuffleNet, arXiv 1707.01083, figure 2b. (N, C, H, W) -> (N, c, H / s, W / s).
    """

    def __init__(self, channels: int, row: Row) -> None:
        super().__init__()
        relu = nn.ReLU
        self.groups = row.g if row.kind == "shuffled" else 1
        self.squeeze = ConvNormAct(channels, row.c, 1, groups=row.g, activation=relu)
        self.spatial = ConvNormAct(row.c, row.c, row.k, row.s, row.c, row.d, activation=None)
        self.expand = ConvNormAct(row.c, row.c, 1, groups=row.g, activation=None)
        self.shortcut = row.s == 1 and channels == row.c

    def forward(self, x: Tensor) -> Tensor:
        y = self.squeeze(x)
        if self.groups > 1:
            y = channel_shuffle(y, self.groups)
        y = self.expand(self.spatial(y))
        return torch.relu(x + y if self.shortcut else y)


def _separable(channels: int, row: Row) -> nn.Module:
    depthwise = ConvNormAct(channels, channels, row.k, row.s, channels, row.d, activation=nn.ReLU)
    return nn.Sequential(depthwise, ConvNormAct(channels, row.c, 1, activation=nn.ReLU))


def _block(channels: int, row: Row) -> nn.Module:
    relu = nn.ReLU
    makers = {
        "conv": lambda: ConvNormAct(channels, row.c, row.k, row.s, 1, row.d, activation=relu),
        "point": lambda: ConvNormAct(channels, row.c, 1, activation=relu),
        "separable": lambda: _separable(channels, row),
        "inverted": lambda: InvertedResidual(channels, row.c, row.s, row.t),
        "grouped": lambda: GroupedBlock(channels, row),
        "shuffled": lambda: GroupedBlock(channels, row),
    }
    if row.kind not in makers:
        raise UserError(f"There is no block {row.kind!r}; choose one of {', '.join(KINDS)}.")
    return makers[row.kind]()


class _Head(nn.Sequential):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def grouped_net(rows: Sequence[Row], stem: int, groups: int, *, apart: bool) -> nn.Sequential:
    """A net whose stem keeps the colours apart, a group each, or mixes them all (`apart=False`).

    >>> grouped_net([Row("shuffled", 16, g=4)], 8, 4, apart=True)(torch.zeros(1, 3, 8, 8)).shape
    torch.Size([1, 10])
    """
    planes = groups if apart else 3
    first = ConvNormAct(planes, stem, 3, 2, groups if apart else 1, activation=nn.ReLU)
    blocks: list[nn.Module] = [OneColourEach(groups), first] if apart else [first]
    channels = stem
    for row in rows:
        blocks.append(_block(channels, row))
        channels = row.c
    return nn.Sequential(*blocks, _Head(channels, 10))


def _take_norms_out(body: nn.Module) -> None:
    """Replace batch norms by the bias that they would have; weights start as He et al. say."""
    for module in body.modules():
        if isinstance(module, ConvNormAct):
            conv, norm = module[0], module[1]
            assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            conv.bias = nn.Parameter(torch.zeros(conv.out_channels))
            module[1] = nn.Identity()
