"""The published Darknet cfg files in short, row for row, and the networks they describe.

Rows carry the cfg's own indices: negative ones count back, others from the start. One thing is
written otherwise: where a cfg lets two 1×1 convolutions read one map, a row here makes both and
"half" takes a part, so that weights can be copied layer by layer.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

COCO = 85  # 4 for the box, 1 for the object, 80 classes


def conv(*channels: int, size: int = 3, stride: int = 1, act: str = "leaky") -> list[tuple]:
    """Convolutions with batch norm, one after the other."""
    return [("conv", c, size, stride, act) for c in channels]


def head(channels: int) -> list[tuple]:
    return [("head", channels), ("yolo",)]


def plain(*channels: int) -> list[tuple]:
    """3×3 convolutions with 2×2 pools of stride 2 between."""
    rows = []
    for c in channels:
        rows += [("max", 2, 2)] * bool(rows) + conv(c)
    return rows


def alternate(channels: int, count: int) -> list[tuple]:
    pair = conv(channels, size=1) + conv(2 * channels)
    return (pair * count)[:count]


def residual(channels: int, mid: int, count: int, act: str = "leaky") -> list[tuple]:
    return count * [("conv", mid, 1, 1, act), ("conv", channels, 3, 1, act), ("add", -3)]


def osa(channels: int) -> list[tuple]:
    """The partial block of yolov4-tiny, with its pool."""
    rows = [*conv(channels), ("half", -1, 1), *conv(channels // 2, channels // 2)]
    rows += [("route", -1, -2), *conv(channels, size=1), ("route", -6, -1)]
    return [*rows, ("max", 2, 2)]


def csp(channels: int, width: int, count: int) -> list[tuple]:
    rows = conv(channels, stride=2, act="mish") + conv(2 * width, size=1, act="mish")
    rows += [("half", -1, 1), *residual(width, channels // 2, count, "mish")]
    rows += [*conv(width, size=1, act="mish"), ("half", -(3 * count + 3), 0), ("route", -2, -1)]
    return rows + conv(channels, size=1, act="mish")


DARKNET19 = [
    *plain(32, 64, 128),
    *conv(64, size=1),
    *conv(128),
    ("max", 2, 2),
    *(conv(256) + conv(128, size=1) + conv(256)),
    ("max", 2, 2),
    *((conv(512) + conv(256, size=1)) * 2 + conv(512)),
    ("max", 2, 2),
    *((conv(1024) + conv(512, size=1)) * 2 + conv(1024)),
]
TINY = [*plain(16, 32, 64, 128, 256, 512), ("max", 2, 1), *conv(1024)]
CFG = {
    "yolov2_tiny": [*TINY, *conv(512), *head(5 * COCO)],
    "yolov3_tiny": [
        *(TINY + conv(256, size=1) + conv(512) + head(3 * COCO)),
        ("route", -4),
        *conv(128, size=1),
        ("up",),
        ("route", -1, 8),
        *(conv(256) + head(3 * COCO)),
    ],
    "yolov4_tiny": [
        *(conv(32, 64, stride=2) + osa(64) + osa(128) + osa(256)),
        *(conv(512) + conv(256, size=1) + conv(512) + head(3 * COCO)),
        ("route", -4),
        *conv(128, size=1),
        ("up",),
        ("route", -1, 23),
        *(conv(256) + head(3 * COCO)),
    ],
    "yolov2": [
        *(DARKNET19 + conv(1024, 1024)),
        ("route", -9),
        *conv(64, size=1),
        ("reorg",),
        ("route", -1, -4),
        *(conv(1024) + head(5 * COCO)),
    ],
    "yolov3": [
        *(conv(32) + conv(64, stride=2) + residual(64, 32, 1)),
        *(conv(128, stride=2) + residual(128, 64, 2)),
        *(conv(256, stride=2) + residual(256, 128, 8)),
        *(conv(512, stride=2) + residual(512, 256, 8)),
        *(conv(1024, stride=2) + residual(1024, 512, 4)),
        *(alternate(512, 6) + head(3 * COCO)),
        ("route", -4),
        *conv(256, size=1),
        ("up",),
        ("route", -1, 61),
        *(alternate(256, 6) + head(3 * COCO)),
        ("route", -4),
        *conv(128, size=1),
        ("up",),
        ("route", -1, 36),
        *(alternate(128, 6) + head(3 * COCO)),
    ],
    "yolov4": [
        *(conv(32, act="mish") + csp(64, 64, 1) + csp(128, 64, 2)),
        *(csp(256, 128, 8) + csp(512, 256, 8) + csp(1024, 512, 4)),
        *alternate(512, 3),
        *[("max", 5, 1), ("route", -2), ("max", 9, 1), ("route", -4), ("max", 13, 1)],
        ("route", -1, -3, -5, -6),
        *alternate(512, 3),
        *[*conv(256, size=1), ("up",), ("route", 85), *conv(256, size=1), ("route", -1, -3)],
        *alternate(256, 5),
        *[*conv(128, size=1), ("up",), ("route", 54), *conv(128, size=1), ("route", -1, -3)],
        *(alternate(128, 6) + head(3 * COCO)),
        *[("route", -4), *conv(256, stride=2), ("route", -1, -16)],
        *(alternate(256, 6) + head(3 * COCO)),
        *[("route", -4), *conv(512, stride=2), ("route", -1, -37)],
        *(alternate(512, 6) + head(3 * COCO)),
    ],
}


class CfgNet(nn.Module):
    """Runs the rows as Darknet does, and returns what its heads put out."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.rows = CFG[name]
        self.layers = nn.ModuleList()
        channels: list[int] = []
        for index, (kind, *args) in enumerate(self.rows):
            before = channels[-1] if channels else 3
            layer: nn.Module = nn.Identity()
            if kind == "conv":
                before, layer = args[0], _conv(before, *args)
            elif kind == "head":
                before, layer = args[0], nn.Conv2d(before, args[0], 1)
            elif kind == "route":
                before = sum(channels[self.at(index, i)] for i in args)
            elif kind in ("half", "reorg"):
                before = channels[self.at(index, args[0])] // 2 if args else before * 4
            channels.append(before)
            self.layers.append(layer)

    @staticmethod
    def at(index: int, to: int) -> int:
        return index + to if to < 0 else to

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        maps: list[Tensor] = []
        for index, ((kind, *args), layer) in enumerate(zip(self.rows, self.layers, strict=True)):
            maps.append(self.step(maps, index, kind, args, layer, x))
            x = maps[-1]
        heads = zip(self.rows, maps, strict=True)
        return tuple(map_ for (kind, *_), map_ in heads if kind == "head")

    def step(self, maps: list, index: int, kind: str, args: list, layer: nn.Module, x: Tensor):
        if kind == "route":
            return torch.cat([maps[self.at(index, i)] for i in args], dim=1)
        if kind == "half":
            return maps[index + args[0]].chunk(2, dim=1)[args[1]]
        if kind == "add":
            return x + maps[index + args[0]]
        if kind == "max":
            return _darknet_pool(x, *args)
        if kind == "up":
            return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        if kind == "reorg":
            return _stack_squares(x)
        return layer(x)


def _conv(in_channels: int, out_channels: int, size: int, stride: int, act: str) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.Mish() if act == "mish" else nn.LeakyReLU(0.1),
    )


def _darknet_pool(x: Tensor, size: int, stride: int) -> Tensor:
    """Windows may hang over the edge by size - 1 in all, the half of it before the first pixel."""
    if stride == 1:
        before = (size - 1) // 2
        after = size - 1 - before
        x = F.pad(x, (before, after, before, after), value=float("-inf"))
    return F.max_pool2d(x, size, stride)


def _stack_squares(x: Tensor) -> Tensor:
    """The passthrough of YOLO9000, section 2: adjacent features become channels."""
    squares = [x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    return torch.stack(squares, dim=2).flatten(1, 2)
