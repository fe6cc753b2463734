"""Inception-ResNet-v2: Inception modules that add to their input (arXiv 1602.07261)."""

from functools import partial

from torch import nn

from lightcourse.models._inception import InceptionNetwork
from lightcourse.models._network import Paper, check_settings
from lightcourse.nn.inception import Chain, InceptionConv, InceptionResidual

PAPER = Paper(
    "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    2016,
    "arXiv 1602.07261",
    "The released model, not the figures: the stem of Inception-v3 with one more module in place "
    "of figure 3, and 320, 1088 and 2080 channels where the figures print 384, 1154 and 2048; "
    "10, 20 and 10 blocks where figure 15 prints 5, 10 and 5. 55,843,464 parameters, as in timm.",
)

MAX = partial(nn.MaxPool2d, kernel_size=3, stride=2)
AVG = partial(nn.AvgPool2d, kernel_size=3, stride=1, padding=1, count_include_pad=False)
V = 0  # no padding ("valid"); elsewhere half the kernel, so that the size stays

# rows: output channels, kernel, stride, padding; a list of branches is a module
# 299 -> 35
STEM = [
    (32, 3, 2, V), (32, 3, 1, V), (64, 3), (MAX,), (80, 1), (192, 3, 1, V), (MAX,),
    [
        [(96, 1)],
        [(48, 1), (64, 5)],
        [(64, 1), (96, 3), (96, 3)],
        [(AVG,), (64, 1)],
    ],
]  # fmt: skip
# Figure 16: what the blocks at 35 add
A = [
    [(32, 1)],
    [(32, 1), (32, 3)],
    [(32, 1), (48, 3), (64, 3)],
]
# Figure 7 with table 1: 35 -> 17
REDUCE_A = [
    [(384, 3, 2, V)],
    [(256, 1), (256, 3), (384, 3, 2, V)],
    [(MAX,)],
]
# Figure 17: at 17
B = [
    [(192, 1)],
    [(128, 1), (160, (1, 7)), (192, (7, 1))],
]
# Figure 18: 17 -> 8
REDUCE_B = [
    [(256, 1), (384, 3, 2, V)],
    [(256, 1), (288, 3, 2, V)],
    [(256, 1), (288, 3), (320, 3, 2, V)],
    [(MAX,)],
]
# Figure 19: at 8
C = [
    [(192, 1)],
    [(192, 1), (224, (1, 3)), (256, (3, 1))],
]
# the way to each size, the blocks there, how often, and the share of them that is added
STAGES = (
    (STEM, A, 10, 0.17),
    ([REDUCE_A], B, 20, 0.1),
    ([REDUCE_B], C, 9, 0.2),
)


class InceptionResNetV2(InceptionNetwork):
    """The three stages, one more block, and a 1×1 to 1536 channels."""

    def __init__(self, num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.2) -> None:
        conv = partial(InceptionConv, norm=partial(nn.BatchNorm2d, eps=1e-3))
        parts: list[nn.Module] = []
        channels = in_channels
        for way, block, repeats, scale in STAGES:
            step = Chain(channels, way, conv)
            channels = step.out_channels
            parts.append(step)
            parts += [InceptionResidual(channels, block, conv, scale) for _ in range(repeats)]
        # the tenth block at 8 adds all it has, and no ReLU follows
        parts.append(InceptionResidual(channels, C, conv, activation=False))
        parts.append(conv(channels, 1536, 1))
        super().__init__(parts, 1536, num_classes, in_channels, dropout)


def inception_resnet_v2(
    num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.2
) -> InceptionResNetV2:
    """Build Inception-ResNet-v2, arXiv 1602.07261: (N, in_channels, 299, 299) -> (N, num_classes).

    Raises `UserError` for settings that make no network.

    >>> import torch
    >>> with torch.device("meta"):
    ...     sum(p.numel() for p in inception_resnet_v2().parameters())
    55843464
    """
    check_settings(num_classes, in_channels, dropout=dropout)
    return InceptionResNetV2(num_classes, in_channels, dropout)
