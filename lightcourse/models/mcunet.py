"""MCUNet's baseline for a microcontroller: MobileNetV2 cut to 320 kB (arXiv 2007.10319)."""

from torch import nn

from lightcourse.models._mbconv_net import MBConvNet, Row, scale
from lightcourse.models._network import Paper
from lightcourse.models.mobilenet_v2 import ROWS
from lightcourse.nn import make_divisible

PAPER = Paper(
    "MCUNet: Tiny Deep Learning on IoT Devices",
    2020,
    "arXiv 2007.10319",
    "The last 1×1 shrinks with the width, to 448 channels, unlike MobileNetV2's own: only so do "
    "the authors' 0.75 M parameters and 23.5 M multiply-adds at 144×144 come out. The paper's "
    "searched networks are files that its repository downloads, so they are not here.",
)
WIDTH = 0.35


class MCUNet(MBConvNet):
    """A network of the MCUNet paper, small enough for a microcontroller."""


def mcunet_mbv2_320kb(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.0,
    small_input: bool = False,
) -> MCUNet:
    """Build mbv2-320kB of MCUNet's model list: MobileNetV2 × 0.35, for 144×144 pictures.

    (N, in_channels, H, W) -> (N, num_classes); `small_input` keeps the first two strides at 1.
    Raises `UserError` for settings that make no network.

    >>> sum(p.numel() for p in mcunet_mbv2_320kb().parameters())
    750280
    """
    return MCUNet(
        scale([Row(t, 3, c, n, s) for t, c, n, s in ROWS], WIDTH),
        stem=make_divisible(32 * WIDTH),
        head=make_divisible(1280 * WIDTH),
        num_classes=num_classes,
        in_channels=in_channels,
        dropout=dropout,
        small_input=small_input,
        activation=nn.ReLU6,
    )
