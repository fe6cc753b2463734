"""Inception-v4: the pure Inception network, all of it in one table (arXiv 1602.07261)."""

from functools import partial

from torch import nn

from lightcourse.models._inception import InceptionNetwork
from lightcourse.models._network import Paper, check_settings
from lightcourse.nn.inception import Chain, InceptionConv

PAPER = Paper(
    "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    2016,
    "arXiv 1602.07261",
    "Batch norm has the authors' eps 0.001, and means at the border leave the padding out, as "
    "TensorFlow's do: 42,679,816 parameters, as in timm.",
)

MAX = partial(nn.MaxPool2d, kernel_size=3, stride=2)
AVG = partial(nn.AvgPool2d, kernel_size=3, stride=1, padding=1, count_include_pad=False)
V = 0  # the figures' mark: no padding; elsewhere half the kernel, so that the size stays

# rows: output channels, kernel, stride, padding; a list of branches is a module
# Figure 3: 299 -> 35
STEM = [
    (32, 3, 2, V), (32, 3, 1, V), (64, 3),
    [[(MAX,)], [(96, 3, 2, V)]],
    [
        [(64, 1), (96, 3, 1, V)],
        [(64, 1), (64, (1, 7)), (64, (7, 1)), (96, 3, 1, V)],
    ],
    [[(192, 3, 2, V)], [(MAX,)]],
]  # fmt: skip
# Figure 4: the module at 35
A = [
    [(96, 1)],
    [(64, 1), (96, 3)],
    [(64, 1), (96, 3), (96, 3)],
    [(AVG,), (96, 1)],
]
# Figure 7 with table 1: 35 -> 17
REDUCE_A = [
    [(384, 3, 2, V)],
    [(192, 1), (224, 3), (256, 3, 2, V)],
    [(MAX,)],
]
# Figure 5: the module at 17
B = [
    [(384, 1)],
    [(192, 1), (224, (1, 7)), (256, (7, 1))],
    [(192, 1), (192, (7, 1)), (224, (1, 7)), (224, (7, 1)), (256, (1, 7))],
    [(AVG,), (128, 1)],
]
# Figure 8: 17 -> 8
REDUCE_B = [
    [(192, 1), (192, 3, 2, V)],
    [(256, 1), (256, (1, 7)), (320, (7, 1)), (320, 3, 2, V)],
    [(MAX,)],
]
# Figure 6: the module at 8, whose last kernels stand side by side
FORK = [[(256, (1, 3))], [(256, (3, 1))]]
C = [
    [(256, 1)],
    [(384, 1), FORK],
    [(384, 1), (448, (3, 1)), (512, (1, 3)), FORK],
    [(AVG,), (256, 1)],
]
# Figure 9: the whole network
ROWS = [*STEM, *[A] * 4, REDUCE_A, *[B] * 7, REDUCE_B, *[C] * 3]


class InceptionV4(InceptionNetwork):
    """The network of figure 9: one chain of rows."""

    def __init__(self, num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.2) -> None:
        conv = partial(InceptionConv, norm=partial(nn.BatchNorm2d, eps=1e-3))
        body = Chain(in_channels, ROWS, conv)
        super().__init__([body], body.out_channels, num_classes, in_channels, dropout)


def inception_v4(
    num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.2
) -> InceptionV4:
    """Build Inception-v4, arXiv 1602.07261, figure 9: (N, in_channels, 299, 299) -> (N, classes).

    Raises `UserError` for settings that make no network.

    >>> import torch
    >>> with torch.device("meta"):
    ...     sum(p.numel() for p in inception_v4().parameters())
    42679816
    """
    check_settings(num_classes, in_channels, dropout=dropout)
    return InceptionV4(num_classes, in_channels, dropout)
