"""Networks as rows of MBConv: one table format and one loop for the searched families."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from lightcourse.models._network import Network, check_settings, init_weights
from lightcourse.nn import ConvNormAct, make_divisible
from lightcourse.nn.attention import SqueezeExcite
from lightcourse.nn.mbconv import MBConv


class Row(NamedTuple):
    """A line of an architecture's table: n blocks alike, only the first with stride s."""

    t: float  # expansion
    k: int  # kernel
    c: int  # output channels
    n: int  # repeats
    s: int  # stride of the first repeat
    se: float = 0  # squeeze: this share of the block's input channels; 0 for no attention
    g: int = 1  # groups of the 1×1 convolutions
    nl: Callable[..., nn.Module] | None = None  # activation, where not the network's


def scale(rows: Sequence[Row], width: float = 1.0, depth: float = 1.0) -> list[Row]:
    """Widen by `width`, to multiples of eight, and repeat `depth` times as often, rounded up.

    >>> scale([Row(6, 3, 24, 2, 2)], width=1.4, depth=1.1)
    [Row(t=6, k=3, c=32, n=3, s=2, se=0, g=1, nl=None)]
    """
    return [
        row._replace(c=make_divisible(row.c * width), n=math.ceil(row.n * depth)) for row in rows
    ]


class MBConvNet(Network):
    """Stem 3×3, stages of blocks, a 1×1 to `head` channels, mean, classifier.

    `make_block(in_channels, row, stride)` builds one block; without it, `MBConv` by the row.
    `small_input` keeps the stem's stride and the first stage's of stride 2 at 1: 32×32 pictures
    end at 4×4 instead of 1×1. Names are those of torchvision's EfficientNet.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        stem: int,
        head: int,
        num_classes: int = 1000,
        in_channels: int = 3,
        dropout: float = 0.2,
        small_input: bool = False,
        activation: Callable[..., nn.Module] = nn.ReLU,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
        make_block: Callable[[int, Row, int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_settings(num_classes, in_channels, dropout=dropout, small_input=small_input)
        self.in_channels = in_channels
        make_block = make_block or partial(mbconv, activation=activation, norm=norm)
        unit = partial(ConvNormAct, activation=activation, norm=norm)
        layers: list[nn.Module] = [unit(in_channels, stem, stride=1 if small_input else 2)]
        channels, gentle = stem, small_input
        for row in rows:
            first = 1 if gentle else row.s
            gentle = gentle and row.s == 1
            stage = []
            for repeat in range(row.n):
                stage.append(make_block(channels, row, first if repeat == 0 else 1))
                channels = row.c
            layers.append(nn.Sequential(*stage))
        self.features = nn.Sequential(*layers, unit(channels, head, 1))
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(head, num_classes))
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def mbconv(
    in_channels: int,
    row: Row,
    stride: int,
    activation: Callable[..., nn.Module] = nn.ReLU,
    norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    always_expand: bool = False,
) -> MBConv:
    """Build the block that a row describes, with one activation everywhere."""
    squeeze = max(1, int(in_channels * row.se))
    attention = partial(SqueezeExcite, squeeze_channels=squeeze, activation=activation)
    return MBConv(
        in_channels,
        row.c,
        row.k,
        stride,
        row.t,
        attention if row.se else None,
        activation,
        norm,
        row.g,
        always_expand,
    )
