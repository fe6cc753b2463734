"""MobileNetV3, large and small: searched rows, squeeze-and-excite, h-swish (arXiv 1905.02244)."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from lightcourse.models._network import Network, Paper, check_settings, init_weights
from lightcourse.models._variants import check_choice
from lightcourse.nn import Bneck, ConvNormAct, make_divisible

PAPER = Paper(
    "Searching for MobileNetV3",
    2019,
    "arXiv 1905.02244",
    "Small is published as 66 M and 2.9 M, and as 56 M and 2.5 M. The first is table 2's head of "
    "1280 (56.9 M; 66 does not come out), the second the 1024 of the authors' code, which we "
    "follow: 2,542,856. Table 2 also ticks SE on the last 1×1, which the code does not have. At "
    "other widths the authors' code and timm scale each expansion with its rounded input and keep "
    "the head (large 0.75: 3,993,528, published 4.0 M); torchvision, our variant='torchvision', "
    "rounds each expansion by itself and shrinks the head (3,377,576).",
)


class Row(NamedTuple):
    """One line of tables 1 and 2."""

    k: int  # kernel of the depthwise convolution
    exp: int  # channels after the expansion
    out: int
    se: bool
    nl: Callable[..., nn.Module]  # non-linearity
    s: int  # stride


RE, HS = nn.ReLU, nn.Hardswish
STEM = 16

# Table 1 of the paper
LARGE = (
    # k, exp, out, SE, NL, s
    Row(3, 16, 16, False, RE, 1),
    Row(3, 64, 24, False, RE, 2),
    Row(3, 72, 24, False, RE, 1),
    Row(5, 72, 40, True, RE, 2),
    Row(5, 120, 40, True, RE, 1),
    Row(5, 120, 40, True, RE, 1),
    Row(3, 240, 80, False, HS, 2),
    Row(3, 200, 80, False, HS, 1),
    Row(3, 184, 80, False, HS, 1),
    Row(3, 184, 80, False, HS, 1),
    Row(3, 480, 112, True, HS, 1),
    Row(3, 672, 112, True, HS, 1),
    Row(5, 672, 160, True, HS, 2),
    Row(5, 960, 160, True, HS, 1),
    Row(5, 960, 160, True, HS, 1),
)

# Table 2 of the paper
SMALL = (
    # k, exp, out, SE, NL, s
    Row(3, 16, 16, True, RE, 2),
    Row(3, 72, 24, False, RE, 2),
    Row(3, 88, 24, False, RE, 1),
    Row(5, 96, 40, True, HS, 2),
    Row(5, 240, 40, True, HS, 1),
    Row(5, 240, 40, True, HS, 1),
    Row(5, 120, 48, True, HS, 1),
    Row(5, 144, 48, True, HS, 1),
    Row(5, 288, 96, True, HS, 2),
    Row(5, 576, 96, True, HS, 1),
    Row(5, 576, 96, True, HS, 1),
)


class MobileNetV3(Network):
    """The network of tables 1 and 2, laid out so that torchvision's weights fit name by name."""

    def __init__(
        self,
        rows: tuple[Row, ...],
        head: int,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        in_channels: int = 3,
        dropout: float = 0.2,
        small_input: bool = False,
        minimalistic: bool = False,
        variant: str = "paper",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        # the paper averages over 100 batches; a short training on small pictures has too few
        norm = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.1 if small_input else 0.01)
        hs = RE if minimalistic else HS
        full = STEM  # input channels of the row at width 1
        channels = make_divisible(full * width_mult)
        stem = ConvNormAct(in_channels, channels, 3, 1 if small_input else 2, 1, 1, hs, norm)
        layers: list[nn.Module] = [stem]
        keep_size = small_input  # the stem's stride is gone; the next one goes too
        for k, exp, out, se, nl, s in _minimalistic(rows) if minimalistic else rows:
            stride, keep_size = (1, False) if keep_size and s == 2 else (s, keep_size)
            scale = width_mult if variant == "torchvision" else channels / full
            wide, narrow = make_divisible(exp * scale), make_divisible(out * width_mult)
            layers.append(Bneck(channels, wide, narrow, k, stride, se, nl, norm))
            full, channels = out, narrow
        wide = make_divisible(6 * full * width_mult)  # tables 1 and 2: 960 and 576
        if variant == "torchvision":
            wide, head = 6 * channels, make_divisible(head * width_mult)
        layers.append(ConvNormAct(channels, wide, 1, activation=hs, norm=norm))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(wide, head), hs(), nn.Dropout(dropout), nn.Linear(head, num_classes)
        )
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def _minimalistic(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """The authors' form for hardware that likes plain layers: 3×3, ReLU and no SE."""
    return tuple(row._replace(k=3, se=False, nl=RE) for row in rows)


def mobilenet_v3_large(
    num_classes: int = 1000,
    width_mult: float = 1.0,
    in_channels: int = 3,
    dropout: float = 0.2,
    small_input: bool = False,
    minimalistic: bool = False,
    variant: str = "paper",
) -> MobileNetV3:
    """Build MobileNetV3-Large, arXiv 1905.02244, table 1: (N, in_channels, H, W) -> (N, classes).

    `width_mult` scales all but the 1280 of the head; `variant="torchvision"` scales that too.
    `minimalistic` has no squeeze-and-excite, no h-swish and no 5×5. `small_input` keeps the first
    two strides at 1: 32×32 pictures end at 4×4. Raises `UserError` for sizes that make no network
    and for an unknown variant.

    >>> sum(p.numel() for p in mobilenet_v3_large().parameters())
    5483032
    """
    switches = {"small_input": small_input, "minimalistic": minimalistic}
    check_settings(num_classes, in_channels, width_mult, dropout, STEM, **switches)
    check_choice("variant", variant, ("paper", "torchvision"))
    return MobileNetV3(
        LARGE,
        1280,
        num_classes,
        width_mult,
        in_channels,
        dropout,
        small_input,
        minimalistic,
        variant,
    )


def mobilenet_v3_small(
    num_classes: int = 1000,
    width_mult: float = 1.0,
    in_channels: int = 3,
    dropout: float = 0.2,
    small_input: bool = False,
    minimalistic: bool = False,
    variant: str = "paper",
) -> MobileNetV3:
    """Build MobileNetV3-Small, arXiv 1905.02244, table 2; settings and errors as for large.

    (N, in_channels, H, W) -> (N, num_classes).

    >>> sum(p.numel() for p in mobilenet_v3_small().parameters())
    2542856
    """
    switches = {"small_input": small_input, "minimalistic": minimalistic}
    check_settings(num_classes, in_channels, width_mult, dropout, STEM, **switches)
    check_choice("variant", variant, ("paper", "torchvision"))
    return MobileNetV3(
        SMALL,
        1024,
        num_classes,
        width_mult,
        in_channels,
        dropout,
        small_input,
        minimalistic,
        variant,
    )
