"""YOLOv2-tiny, YOLOv3-tiny and YOLOv4-tiny, as in their Darknet cfg files."""

import torch
from torch import Tensor, nn

from lightcourse.models._network import Paper
from lightcourse.models._yolo import COCO_CLASSES, YOLO, choose_anchors
from lightcourse.models.darknet import conv_rows
from lightcourse.nn import ConvNormAct
from lightcourse.nn.csp import LEAKY

PAPERS = {
    "yolov2_tiny": Paper(
        "YOLO9000: Better, Faster, Stronger",
        2016,
        "arXiv 1612.08242",
        "The paper has no tiny network; we follow yolov2-tiny.cfg for COCO. Its 5.41 BFLOPs at "
        "416 count a multiplication and an addition each: 2,703,221,248 MACs.",
    ),
    "yolov3_tiny": Paper(
        "YOLOv3: An Incremental Improvement",
        2018,
        "arXiv 1804.02767",
        "The paper has no tiny network; we follow yolov3-tiny.cfg. Its second head uses anchors "
        "1, 2, 3 and leaves anchor 0 unused. 5.56 BFLOPs at 416 are 2,782,480,896 MACs.",
    ),
    "yolov4_tiny": Paper(
        "Scaled-YOLOv4: Scaling Cross Stage Partial Network",
        2020,
        "arXiv 2011.08036",
        "We follow yolov4-tiny.cfg: the second head uses anchors 1, 2, 3 (not 0, 1, 2) and reads "
        "the last 1×1 of the third block, not its output; the route with group_id=1 takes the "
        "second half of the channels. 6.9 BFLOPs at 416 are 3,453,938,176 MACs.",
    ),
}

# Anchors, width × height in pixels; v2's cfg gives them in cells of 32 pixels
YOLOV2_ANCHORS = tuple(
    (32 * w, 32 * h)
    for w, h in (
        (0.57273, 0.677385),
        (1.87446, 2.06253),
        (3.33843, 5.47434),
        (7.88282, 3.52778),
        (9.77052, 9.16828),
    )
)
TINY_ANCHORS = ((10, 14), (23, 27), (37, 58), (81, 82), (135, 169), (344, 319))

# Which anchors each head predicts: stride -> mask, in the cfg's order of heads
YOLOV2_SCALES = choose_anchors(YOLOV2_ANCHORS, {32: (0, 1, 2, 3, 4)})
TINY_SCALES = choose_anchors(TINY_ANCHORS, {32: (3, 4, 5), 16: (1, 2, 3)})

ROWS = tuple(((3, 16 * 2**row),) for row in range(6))  # 16, 32, … 512 channels, pools between


class SteadyMaxPool(nn.Sequential):
    """2×2 max pool of stride 1 that keeps the size: (N, C, H, W) -> (N, C, H, W).

    Darknet lets the last window hang over the edge; repeating the edge gives the same maxima.
    """

    def __init__(self) -> None:
        super().__init__(nn.ReplicationPad2d((0, 1, 0, 1)), nn.MaxPool2d(2, stride=1))


def _conv(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> ConvNormAct:
    return ConvNormAct(in_channels, out_channels, kernel, stride, activation=LEAKY)


class YOLOv2Tiny(YOLO):
    """Seven 3×3 convolutions with pools, one more, and one head."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__(YOLOV2_SCALES, num_classes, in_channels)
        self.features = nn.Sequential(
            *conv_rows(in_channels, ROWS), SteadyMaxPool(), _conv(512, 1024), _conv(1024, 512)
        )
        self.head = self.prediction(0, 512)
        self.start()

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """(N, in_channels, H, W) -> one map (N, A · (5 + classes), H / 32, W / 32)."""
        return (self.head(self.features(x)),)


class TwoHeads(YOLO):
    """What v3-tiny and v4-tiny share: a head at stride 32, and one at 16 that hears from it."""

    def __init__(self, num_classes: int, in_channels: int, deep: int, skip: int) -> None:
        super().__init__(TINY_SCALES, num_classes, in_channels)
        self.squeeze = _conv(deep, 256, 1)
        self.coarse = nn.Sequential(_conv(256, 512), self.prediction(0, 512))
        self.lateral = nn.Sequential(_conv(256, 128, 1), nn.Upsample(scale_factor=2))
        self.fine = nn.Sequential(_conv(128 + skip, 256), self.prediction(1, 256))

    def heads(self, skip: Tensor, deep: Tensor) -> tuple[Tensor, Tensor]:
        """Return the maps of both heads, the coarse one first."""
        x = self.squeeze(deep)
        return self.coarse(x), self.fine(torch.cat([self.lateral(x), skip], dim=1))


class YOLOv3Tiny(TwoHeads):
    """YOLOv2-tiny's convolutions, and a second head on those at stride 16."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__(num_classes, in_channels, deep=1024, skip=256)
        self.shallow = nn.Sequential(*conv_rows(in_channels, ROWS[:5]))
        self.deep = nn.Sequential(
            nn.MaxPool2d(2), _conv(256, 512), SteadyMaxPool(), _conv(512, 1024)
        )
        self.start()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, in_channels, H, W) -> raw maps at strides 32 and 16, (N, A · (5 + classes), …)."""
        skip = self.shallow(x)
        return self.heads(skip, self.deep(skip))


class TinyCSPBlock(nn.Module):
    """Half of the channels pass two 3×3 convolutions whose outputs are both kept, and a 1×1.

    (N, C, H, W) -> the 1×1's map (N, C, H, W), and it beside the input, (N, 2·C, H, W).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv = _conv(channels, channels)
        self.first, self.second = _conv(half, half), _conv(half, half)
        self.merge = _conv(channels, channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the inner map and the block's output."""
        x = self.conv(x)
        a = self.first(x.chunk(2, dim=1)[1])
        inner = self.merge(torch.cat([self.second(a), a], dim=1))
        return inner, torch.cat([x, inner], dim=1)


class YOLOv4Tiny(TwoHeads):
    """Two strided convolutions, three CSP blocks with pools after them, one more 3×3, two heads."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__(num_classes, in_channels, deep=512, skip=256)
        self.stem = nn.Sequential(_conv(in_channels, 32, stride=2), _conv(32, 64, stride=2))
        self.blocks = nn.ModuleList(TinyCSPBlock(c) for c in (64, 128, 256))
        self.pool = nn.MaxPool2d(2)
        self.last = _conv(512, 512)
        self.start()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, in_channels, H, W) -> raw maps at strides 32 and 16, (N, A · (5 + classes), …)."""
        skip, x = x, self.stem(x)
        for block in self.blocks:
            skip, x = block(x)
            x = self.pool(x)
        return self.heads(skip, self.last(x))


def yolov2_tiny(num_classes: int = COCO_CLASSES, in_channels: int = 3) -> YOLOv2Tiny:
    """Build YOLOv2-tiny, yolov2-tiny.cfg: one raw map, (N, 5 · (5 + classes), H / 32, W / 32).

    Raises `UserError` for sizes that make no network.

    >>> sum(p.numel() for p in yolov2_tiny().parameters())
    11232057
    """
    return YOLOv2Tiny(num_classes, in_channels)


def yolov3_tiny(num_classes: int = COCO_CLASSES, in_channels: int = 3) -> YOLOv3Tiny:
    """Build YOLOv3-tiny, yolov3-tiny.cfg: raw maps at strides 32 and 16, 3 anchors each.

    Raises `UserError` for sizes that make no network.

    >>> sum(p.numel() for p in yolov3_tiny().parameters())
    8852366
    """
    return YOLOv3Tiny(num_classes, in_channels)


def yolov4_tiny(num_classes: int = COCO_CLASSES, in_channels: int = 3) -> YOLOv4Tiny:
    """Build YOLOv4-tiny, yolov4-tiny.cfg: raw maps at strides 32 and 16, 3 anchors each.

    Raises `UserError` for sizes that make no network.

    >>> [tuple(map.shape) for map in yolov4_tiny()(torch.zeros(1, 3, 64, 96))]
    [(1, 255, 2, 3), (1, 255, 4, 6)]
    """
    return YOLOv4Tiny(num_classes, in_channels)
