"""Inception-v3: large kernels factorised into small and thin ones (arXiv 1512.00567)."""

from functools import partial

from torch import nn

from lightcourse.models._inception import InceptionNetwork
from lightcourse.models._network import Paper, check_settings
from lightcourse.nn.inception import Chain, InceptionConv, Row

PAPER = Paper(
    "Rethinking the Inception Architecture for Computer Vision",
    2015,
    "arXiv 1512.00567",
    "The paper's table 1 leaves the widths inside the modules open; they are those of the "
    "authors' released model, as in torchvision: 23,834,568 parameters, 27,161,264 with the side "
    "head. Means at the border count the padding, as torchvision's do and TensorFlow's do not.",
)

MAX, AVG = nn.MaxPool2d, nn.AvgPool2d
V = 0  # no padding ("valid"); elsewhere half the kernel, so that the size stays

# rows: output channels, kernel, stride, padding; a list of branches is a module
STEM = [
    (32, 3, 2, V), (32, 3, 1, V), (64, 3), (MAX, 3, 2),
    (80, 1), (192, 3, 1, V), (MAX, 3, 2),
]  # fmt: skip


def module_a(proj: int) -> Row:
    """Figure 5 of the paper: two 3×3 in place of one of the 5×5s."""
    return [
        [(64, 1)],
        [(48, 1), (64, 5)],
        [(64, 1), (96, 3), (96, 3)],
        [(AVG, 3, 1, 1), (proj, 1)],
    ]


def module_b(c: int) -> Row:
    """Figure 6: 7×7 as 1×7 and 7×1, once and twice."""
    return [
        [(192, 1)],
        [(c, 1), (c, (1, 7)), (192, (7, 1))],
        [(c, 1), (c, (7, 1)), (c, (1, 7)), (c, (7, 1)), (192, (1, 7))],
        [(AVG, 3, 1, 1), (192, 1)],
    ]


# Figure 7: the last kernels side by side, for more maps at 8×8
FORK = [[(384, (1, 3))], [(384, (3, 1))]]
MODULE_C = [
    [(320, 1)],
    [(384, 1), FORK],
    [(448, 1), (384, 3), FORK],
    [(AVG, 3, 1, 1), (192, 1)],
]
# Figure 10: halve the picture by convolving and pooling side by side
REDUCE_35 = [
    [(384, 3, 2, V)],
    [(64, 1), (96, 3), (96, 3, 2, V)],
    [(MAX, 3, 2)],
]
REDUCE_17 = [
    [(192, 1), (320, 3, 2, V)],
    [(192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2, V)],
    [(MAX, 3, 2)],
]
TO_17 = [
    *STEM, module_a(32), module_a(64), module_a(64), REDUCE_35,
    module_b(128), module_b(160), module_b(160), module_b(192),
]  # fmt: skip
TO_8 = [REDUCE_17, MODULE_C, MODULE_C]
SIDE_HEAD = [(AVG, 5, 3), (128, 1), (768, 5, 1, V), (nn.AdaptiveAvgPool2d, 1), (nn.Flatten,)]


class InceptionV3(InceptionNetwork):
    """The network of table 1, in two parts: the side head listens between them."""

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        dropout: float = 0.5,
        aux_classifiers: bool = False,
    ) -> None:
        conv = partial(InceptionConv, norm=partial(nn.BatchNorm2d, eps=1e-3))
        first = Chain(in_channels, TO_17, conv)
        second = Chain(first.out_channels, TO_8, conv)
        heads = []
        if aux_classifiers:
            side = Chain(first.out_channels, SIDE_HEAD, conv)
            heads.append(nn.Sequential(*side, nn.Linear(side.out_channels, num_classes)))
        channels = second.out_channels
        super().__init__([first, second], channels, num_classes, in_channels, dropout, heads)


def inception_v3(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    aux_classifiers: bool = False,
) -> InceptionV3:
    """Build Inception-v3, arXiv 1512.00567, table 1: (N, in_channels, 299, 299) -> (N, classes).

    With `aux_classifiers`, training mode returns (output, head on the last 17×17 map). Raises
    `UserError` for settings that make no network.

    >>> sum(p.numel() for p in inception_v3().parameters())
    23834568
    """
    check_settings(num_classes, in_channels, dropout=dropout, aux_classifiers=aux_classifiers)
    return InceptionV3(num_classes, in_channels, dropout, aux_classifiers)
