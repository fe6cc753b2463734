"""EfficientNet: one searched network, scaled in width, depth and resolution (arXiv 1905.11946)."""

import math
from functools import partial
from typing import NamedTuple

from torch import nn

from lightcourse.errors import UserError
from lightcourse.models._mbconv_net import MBConvNet, Row, scale
from lightcourse.models._network import Paper, check_settings
from lightcourse.models._variants import check_choice
from lightcourse.nn import make_divisible
from lightcourse.nn.mbconv import MBConv

PAPER = Paper(
    "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    2019,
    "arXiv 1905.11946",
    "Squeeze-and-excitation squeezes to a quarter of the block's input, as in the authors' code. "
    "Batch norms are those that torchvision's weights were trained with: torch's own for B0 to B4, "
    "the authors' eps 0.001 and momentum 0.01 for B5 to B7. Strided convolutions pad evenly, where "
    "TensorFlow's SAME pads more at the right and bottom.",
)

PAPERS = {
    "efficientnet_lite0": Paper(
        "EfficientNet-Lite (the authors' repository; it has no paper)",
        2020,
        "github.com/tensorflow/tpu, efficientnet/lite",
        "B0 without squeeze-and-excitation and with ReLU6 for SiLU; the stem of 32 and the head of "
        "1280 channels stay as they are at every Lite size. Batch norms are torch's own. The "
        "README's 407 M multiply-adds (recalled) do not come out: the layers need 385.2 M, and it "
        "does not say what else it counts.",
    )
}

# Table 1: stages 2 to 8
ROWS = (
    # t, k, c, n, s, se
    Row(1, 3, 16, 1, 1, 0.25),
    Row(6, 3, 24, 2, 2, 0.25),
    Row(6, 5, 40, 2, 2, 0.25),
    Row(6, 3, 80, 3, 2, 0.25),
    Row(6, 5, 112, 3, 1, 0.25),
    Row(6, 5, 192, 4, 2, 0.25),
    Row(6, 3, 320, 1, 1, 0.25),
)


class Size(NamedTuple):
    """A line of the compound scaling: all three grow together."""

    width: float
    depth: float
    resolution: int
    dropout: float


# The authors' efficientnet_builder.py; φ = 0 … 7 of section 3.3 with α = 1.2, β = 1.1, γ = 1.15,
# rounded by hand
SIZES = {
    "b0": Size(1.0, 1.0, 224, 0.2),
    "b1": Size(1.0, 1.1, 240, 0.2),
    "b2": Size(1.1, 1.2, 260, 0.3),
    "b3": Size(1.2, 1.4, 300, 0.3),
    "b4": Size(1.4, 1.8, 380, 0.4),
    "b5": Size(1.6, 2.2, 456, 0.4),
    "b6": Size(1.8, 2.6, 528, 0.5),
    "b7": Size(2.0, 3.1, 600, 0.5),
}
DROP_PATH = 0.2  # of the last block; earlier ones in proportion (stochastic depth)


class EfficientNet(MBConvNet):
    """Table 1 at one size; torchvision's weights fit name by name."""

    def __init__(
        self,
        size: str = "b0",
        num_classes: int = 1000,
        in_channels: int = 3,
        dropout: float | None = None,
        small_input: bool = False,
        width_mult: float | None = None,
        depth_mult: float | None = None,
    ) -> None:
        width, depth, resolution, drop = SIZES[size]
        width = width if width_mult is None else width_mult
        norm = nn.BatchNorm2d
        if size in ("b5", "b6", "b7"):
            norm = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)
        super().__init__(
            scale(ROWS, width, depth if depth_mult is None else depth_mult),
            stem=make_divisible(32 * width),
            head=4 * make_divisible(320 * width),
            num_classes=num_classes,
            in_channels=in_channels,
            dropout=drop if dropout is None else dropout,
            small_input=small_input,
            activation=nn.SiLU,
            norm=norm,
        )
        self.resolution = resolution  # what the size was made for; it runs at any other
        blocks = [module for module in self.modules() if isinstance(module, MBConv)]
        for index, block in enumerate(blocks):
            block.drop_path = DROP_PATH * index / len(blocks)
        # the authors' dense_kernel_initializer
        limit = num_classes**-0.5
        nn.init.uniform_(self.classifier.get_parameter("1.weight"), -limit, limit)


def efficientnet(
    size: str = "b0",
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float | None = None,
    small_input: bool = False,
    width_mult: float | None = None,
    depth_mult: float | None = None,
) -> EfficientNet:
    """Build EfficientNet, arXiv 1905.11946, table 1: (N, in_channels, H, W) -> (N, num_classes).

    `size`, b0 to b7, sets width, depth, dropout and the `resolution` it was trained for; give one
    of them to scale that dimension alone (figure 3). `small_input` keeps the first two strides at
    1. Raises `UserError` for an unknown size and for settings that make no network.

    >>> sum(p.numel() for p in efficientnet("b0").parameters())
    5288548
    """
    check_choice("size", size, SIZES)
    check_settings(width_mult=1.0 if width_mult is None else width_mult, narrowest=ROWS[0].c)
    known = isinstance(depth_mult, int | float) and 0 < depth_mult < math.inf
    if depth_mult is not None and not known:
        raise UserError(f"depth_mult is {depth_mult!r}; it scales the repeats, so it is above 0.")
    return EfficientNet(
        size, num_classes, in_channels, dropout, small_input, width_mult, depth_mult
    )


EFFICIENTNETS = {f"efficientnet_{size}": partial(efficientnet, size) for size in SIZES}


class EfficientNetLite(MBConvNet):
    """Table 1 with nothing that is hard to compute in integers."""


def efficientnet_lite0(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    small_input: bool = False,
) -> EfficientNetLite:
    """Build EfficientNet-Lite0: B0 without squeeze-and-excitation and with ReLU6, for integers.

    From the authors' repository (tensorflow/tpu, efficientnet/lite); no paper of its own.
    (N, in_channels, H, W) -> (N, num_classes). Raises `UserError` as `efficientnet` does.

    >>> sum(p.numel() for p in efficientnet_lite0().parameters())
    4652008
    """
    return EfficientNetLite(
        [row._replace(se=0) for row in ROWS],
        stem=32,
        head=1280,
        num_classes=num_classes,
        in_channels=in_channels,
        dropout=dropout,
        small_input=small_input,
        activation=nn.ReLU6,
    )
