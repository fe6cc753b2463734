"""BN-Inception: GoogLeNet with batch norm, and two 3×3 for each 5×5 (arXiv 1502.03167)."""

from functools import partial

from torch import nn

from lightcourse.models._inception import InceptionNetwork
from lightcourse.models._network import Paper, check_settings
from lightcourse.nn.inception import Chain, InceptionConv, Row

PAPER = Paper(
    "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
    2015,
    "arXiv 1502.03167",
    "Convolutions keep a bias before their norm, which changes nothing but the count: 11,295,240 "
    "parameters, as in the published weights and pytorchcv. The Inception-v3 paper calls another "
    "net Inception-v2; this is the one of the batch norm paper.",
)

MAX = partial(nn.MaxPool2d, ceil_mode=True)
AVG = partial(nn.AvgPool2d, kernel_size=3, stride=1, padding=1)
SAME_MAX = partial(nn.MaxPool2d, kernel_size=3, stride=1, padding=1)

# Figure 5 of the paper; in 3c and 4e the 3×3s and the pool have stride 2, and there is no 1×1
MODULES = (
    # 1×1, 3×3 reduce, 3×3, double 3×3 reduce, double 3×3, pool, proj
    (64, 64, 64, 64, 96, AVG, 32),  # 3a
    (64, 64, 96, 64, 96, AVG, 64),
    (0, 128, 160, 64, 96, MAX, 0),
    (224, 64, 96, 96, 128, AVG, 128),  # 4a
    (192, 96, 128, 96, 128, AVG, 128),
    (160, 128, 160, 128, 160, AVG, 128),
    (96, 128, 192, 160, 192, AVG, 128),
    (0, 128, 192, 192, 256, MAX, 0),
    (352, 192, 320, 160, 224, AVG, 128),  # 5a
    (352, 192, 320, 192, 224, SAME_MAX, 128),
)


def module(
    one: int,
    three_reduce: int,
    three: int,
    double_reduce: int,
    double: int,
    pool: partial,
    proj: int,
) -> Row:
    """One row of the table as branches."""
    stride = 1 if one else 2
    wide = [
        [(three_reduce, 1), (three, 3, stride)],
        [(double_reduce, 1), (double, 3), (double, 3, stride)],
    ]
    if one:
        return [[(one, 1)], *wide, [(pool,), (proj, 1)]]
    return [*wide, [(pool, 3, 2)]]


class BNInception(InceptionNetwork):
    """The network of figure 5: GoogLeNet's stem, and a module for each row."""

    def __init__(self, num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.0) -> None:
        stem = [(64, 7, 2), (MAX, 3, 2), (64, 1), (192, 3), (MAX, 3, 2)]
        rows = [*stem, *(module(*row) for row in MODULES)]
        body = Chain(in_channels, rows, partial(InceptionConv, bias=True))
        super().__init__([body], body.out_channels, num_classes, in_channels, dropout)


def bn_inception(
    num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.0
) -> BNInception:
    """Build BN-Inception, arXiv 1502.03167, figure 5: (N, in_channels, H, W) -> (N, num_classes).

    Raises `UserError` for settings that make no network.

    >>> sum(p.numel() for p in bn_inception().parameters())
    11295240
    """
    check_settings(num_classes, in_channels, dropout=dropout)
    return BNInception(num_classes, in_channels, dropout)
