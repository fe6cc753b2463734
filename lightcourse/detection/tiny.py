"""A detector small enough to train while one waits: a light backbone and two grids."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lightcourse.detection.coding import YOLOV3, Level
from lightcourse.errors import UserError
from lightcourse.nn import ConvNormAct

# (stride, anchors: width × height in pixels), as kmeans_anchors finds them on the built-in scenes
LEVELS = (Level(16, ((25, 25), (33, 33))), Level(8, ((14, 14), (19, 19))))

# channels, stride: up to the map at stride 8, then on to 16
SHALLOW_ROWS = ((16, 2), (32, 2), (64, 2), (64, 1))
DEEP_ROWS = ((72, 2), (72, 1))
SURE_OF_NOTHING = -4.0  # objectness before training: most places are empty (arXiv 1708.02002, 4.1)


class TinyDetector(nn.Module):
    """A YOLO in small: six 3×3 convolutions, maps at strides 16 and 8, the finer hears the coarser.

    (N, in_channels, H, W) -> two raw maps (N, A · (5 + classes), H / stride, W / stride), in the
    order of `scales`; H and W are multiples of 16. `coding` is YOLOv3's.
    Raises `UserError` for counts below 1, levels that are not at strides 16 and 8, other sizes.

    >>> model = TinyDetector(num_classes=4)
    >>> [tuple(raw.shape) for raw in model(torch.zeros(1, 3, 96, 96))]
    [(1, 18, 6, 6), (1, 18, 12, 12)]
    >>> sum(p.numel() for p in model.parameters()) < 200_000
    True
    """

    coding = YOLOV3

    def __init__(
        self, num_classes: int = 4, in_channels: int = 3, levels: Sequence[Level] = LEVELS
    ) -> None:
        super().__init__()
        for name, value in (("num_classes", num_classes), ("in_channels", in_channels)):
            if type(value) is not int or value < 1:
                raise UserError(f"{name} is a whole number from 1 on, not {value!r}.")
        if [level.stride for level in levels] != [16, 8]:
            raise UserError("levels are two, of strides 16 and 8, such as Level(16, ((30, 30),)).")
        self.num_classes, self.scales = num_classes, tuple(levels)
        self.shallow, fine = _rows(in_channels, SHALLOW_ROWS)
        self.deep, coarse = _rows(fine, DEEP_ROWS)
        self.lateral = nn.Sequential(
            ConvNormAct(coarse, fine, 1, activation=nn.ReLU), nn.Upsample(scale_factor=2)
        )
        self.joint = ConvNormAct(fine, fine, activation=nn.ReLU)
        self.coarse = _prediction(coarse, levels[0], num_classes)
        self.fine = _prediction(fine, levels[1], num_classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the raw maps, the coarse one first."""
        if x.dim() != 4 or x.shape[2] % 16 or x.shape[3] % 16 or not x.numel():
            raise UserError(
                f"TinyDetector takes pictures (N, C, H, W) whose sides are multiples of 16, not "
                f"{tuple(x.shape)}."
            )
        skip = self.shallow(x)
        deep = self.deep(skip)
        return self.coarse(deep), self.fine(self.joint(skip + self.lateral(deep)))


def _rows(channels: int, rows: tuple[tuple[int, int], ...]) -> tuple[nn.Sequential, int]:
    layers = []
    for out, stride in rows:
        layers.append(ConvNormAct(channels, out, stride=stride, activation=nn.ReLU))
        channels = out
    return nn.Sequential(*layers), channels


def _prediction(channels: int, level: Level, num_classes: int) -> nn.Conv2d:
    """Return the last 1×1 convolution, which begins by finding nothing."""
    layer = nn.Conv2d(channels, len(level.anchors) * (5 + num_classes), 1)
    nn.init.normal_(layer.weight, std=0.01)
    start = torch.zeros(5 + num_classes)
    start[4] = SURE_OF_NOTHING
    layer.bias = nn.Parameter(start.repeat(len(level.anchors)))
    return layer
