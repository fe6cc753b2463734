"""YOLOv2, YOLOv3 and YOLOv4 in full, as in their papers and Darknet cfg files."""

import torch
from torch import Tensor, nn

from lightcourse.models._network import Paper
from lightcourse.models._yolo import COCO_CLASSES, YOLO, choose_anchors
from lightcourse.models.cspdarknet import csp_stage
from lightcourse.models.darknet import DARKNET19_ROWS, DarknetBody, conv_rows
from lightcourse.models.yolo_tiny import YOLOV2_SCALES
from lightcourse.nn import SPP, ConvNormAct
from lightcourse.nn.csp import LEAKY

PAPERS = {
    "yolov2": Paper(
        "YOLO9000: Better, Faster, Stronger",
        2016,
        "arXiv 1612.08242",
        "We follow yolov2.cfg for COCO, with the 64-channel 1×1 before the passthrough that the "
        "paper does not mention (50,962,889 parameters; 14,732,084,224 MACs = 29.46 BFLOPs at "
        "416). The passthrough stacks each 2×2 square as the paper says; Darknet's reorg scatters "
        "the pixels otherwise, at the same cost.",
    ),
    "yolov3": Paper(
        "YOLOv3: An Incremental Improvement",
        2018,
        "arXiv 1804.02767",
        "We follow yolov3.cfg: 61,949,149 parameters; 32,932,037,632 MACs = 65.86 BFLOPs at 416.",
    ),
    "yolov4": Paper(
        "YOLOv4: Optimal Speed and Accuracy of Object Detection",
        2020,
        "arXiv 2004.10934",
        "We follow yolov4.cfg: CSPDarknet-53 with Mish, then SPP and PAN with LeakyReLU, maps "
        "joined by concatenation: 64,363,101 parameters; 64,194,741,248 MACs = 128.4 BFLOPs at "
        "608. Heads come at strides 8, 16, 32, the other way round than in YOLOv3.",
    ),
}

# Anchors, width × height in pixels, and which of them each head predicts: stride -> mask
YOLOV3_ANCHORS = (
    (10, 13),
    (16, 30),
    (33, 23),
    (30, 61),
    (62, 45),
    (59, 119),
    (116, 90),
    (156, 198),
    (373, 326),
)
YOLOV4_ANCHORS = (
    (12, 16),
    (19, 36),
    (40, 28),
    (36, 75),
    (76, 55),
    (72, 146),
    (142, 110),
    (192, 243),
    (459, 401),
)
YOLOV3_SCALES = choose_anchors(YOLOV3_ANCHORS, {32: (6, 7, 8), 16: (3, 4, 5), 8: (0, 1, 2)})
YOLOV4_SCALES = choose_anchors(YOLOV4_ANCHORS, {8: (0, 1, 2), 16: (3, 4, 5), 32: (6, 7, 8)})

BODY_CHANNELS = {8: 256, 16: 512, 32: 1024}  # stride -> channels of the body's map


def _conv(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> ConvNormAct:
    return ConvNormAct(in_channels, out_channels, kernel, stride, activation=LEAKY)


def _alternate(in_channels: int, channels: int, count: int) -> nn.Sequential:
    """`count` convolutions, in turn 1×1 to `channels` and 3×3 to twice as many."""
    layers: list[nn.Module] = []
    for index in range(count):
        out = channels * (1 + index % 2)
        layers.append(_conv(in_channels, out, 3 if index % 2 else 1))
        in_channels = out
    return nn.Sequential(*layers)


class YOLOv2(YOLO):
    """Darknet-19 without its classifier, two 3×3, a passthrough from stride 16, one head."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__(YOLOV2_SCALES, num_classes, in_channels)
        self.shallow = nn.Sequential(*conv_rows(in_channels, DARKNET19_ROWS[:5]))
        self.deep = nn.Sequential(
            nn.MaxPool2d(2),
            *conv_rows(512, DARKNET19_ROWS[5:]),
            _conv(1024, 1024),
            _conv(1024, 1024),
        )
        self.passthrough = nn.Sequential(_conv(512, 64, 1), nn.PixelUnshuffle(2))
        self.head = nn.Sequential(_conv(256 + 1024, 1024), self.prediction(0, 1024))
        self.start()

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """(N, in_channels, H, W) -> one map (N, A · (5 + classes), H / 32, W / 32)."""
        skip = self.shallow(x)
        deep = self.deep(skip)
        return (self.head(torch.cat([self.passthrough(skip), deep], dim=1)),)


class YOLOv3(YOLO):
    """Darknet-53 and three heads; each coarser one passes its map down to the next finer one."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__(YOLOV3_SCALES, num_classes, in_channels)
        self.body = DarknetBody(in_channels)
        self.laterals, self.necks, self.heads = (nn.ModuleList() for _ in range(3))
        above = 0
        for index, scale in enumerate(self.scales):
            skip = BODY_CHANNELS[scale.stride]
            c = skip // 2
            if above:
                self.laterals.append(nn.Sequential(_conv(above, c, 1), nn.Upsample(scale_factor=2)))
            self.necks.append(_alternate(skip + (c if above else 0), c, 5))
            self.heads.append(nn.Sequential(_conv(c, 2 * c), self.prediction(index, 2 * c)))
            above = c
        self.start()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(N, in_channels, H, W) -> raw maps at strides 32, 16, 8, (N, A · (5 + classes), …)."""
        *skips, x = self.body(x)
        x = self.necks[0](x)
        maps = [self.heads[0](x)]
        rest = zip(skips[::-1], self.laterals, self.necks[1:], self.heads[1:], strict=True)
        for skip, lateral, neck, head in rest:
            x = neck(torch.cat([lateral(x), skip], dim=1))
            maps.append(head(x))
        return tuple(maps)


class YOLOv4(YOLO):
    """CSPDarknet-53, a pyramid pool, a way down to stride 8 and a way up again, three heads."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__(YOLOV4_SCALES, num_classes, in_channels)
        self.body = DarknetBody(in_channels, csp_stage(nn.Mish), nn.Mish)
        self.pyramid = nn.Sequential(
            *_alternate(1024, 512, 3), SPP((5, 9, 13)), *_alternate(4 * 512, 512, 3)
        )
        self.laterals, self.skips, self.necks = (nn.ModuleList() for _ in range(3))
        for c in (256, 128):  # down to strides 16 and 8
            self.laterals.append(nn.Sequential(_conv(2 * c, c, 1), nn.Upsample(scale_factor=2)))
            self.skips.append(_conv(2 * c, c, 1))
            self.necks.append(_alternate(2 * c, c, 5))
        self.downs, self.joins, self.heads = (nn.ModuleList() for _ in range(3))
        for index, c in enumerate((128, 256, 512)):  # heads at strides 8, 16 and 32
            if index:
                self.downs.append(_conv(c // 2, c, stride=2))
                self.joins.append(_alternate(2 * c, c, 5))
            self.heads.append(nn.Sequential(_conv(c, 2 * c), self.prediction(index, 2 * c)))
        self.start()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(N, in_channels, H, W) -> raw maps at strides 8, 16, 32, (N, A · (5 + classes), …)."""
        *skips, x = self.body(x)
        levels = [self.pyramid(x)]
        for c, lateral, skip, neck in zip(
            skips[::-1], self.laterals, self.skips, self.necks, strict=True
        ):
            down = lateral(levels[0])
            levels.insert(0, neck(torch.cat([skip(c), down], dim=1)))
        return self._heads(levels)

    def _heads(self, levels: list[Tensor]) -> tuple[Tensor, ...]:
        x = levels[0]
        maps = [self.heads[0](x)]
        rest = zip(levels[1:], self.downs, self.joins, self.heads[1:], strict=True)
        for level, down, join, head in rest:
            x = join(torch.cat([down(x), level], dim=1))
            maps.append(head(x))
        return tuple(maps)


def yolov2(num_classes: int = COCO_CLASSES, in_channels: int = 3) -> YOLOv2:
    """Build YOLOv2, arXiv 1612.08242: one raw map, (N, 5 · (5 + classes), H / 32, W / 32).

    Raises `UserError` for sizes that make no network.

    >>> sum(p.numel() for p in yolov2().parameters())
    50962889
    """
    return YOLOv2(num_classes, in_channels)


def yolov3(num_classes: int = COCO_CLASSES, in_channels: int = 3) -> YOLOv3:
    """Build YOLOv3, arXiv 1804.02767: raw maps at strides 32, 16 and 8, 3 anchors each.

    Raises `UserError` for sizes that make no network.

    >>> sum(p.numel() for p in yolov3().parameters())
    61949149
    """
    return YOLOv3(num_classes, in_channels)


def yolov4(num_classes: int = COCO_CLASSES, in_channels: int = 3) -> YOLOv4:
    """Build YOLOv4, arXiv 2004.10934: raw maps at strides 8, 16 and 32, 3 anchors each.

    Raises `UserError` for sizes that make no network.

    >>> sum(p.numel() for p in yolov4().parameters())
    64363101
    """
    return YOLOv4(num_classes, in_channels)
