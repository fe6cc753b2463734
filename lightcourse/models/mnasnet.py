"""MnasNet: a network searched for accuracy and measured phone latency (arXiv 1807.11626)."""

from collections.abc import Sequence

from lightcourse.models._mbconv_net import MBConvNet, Row, scale
from lightcourse.models._network import Paper, check_settings
from lightcourse.nn import make_divisible

PAPER = Paper(
    "MnasNet: Platform-Aware Neural Architecture Search for Mobile",
    2018,
    "arXiv 1807.11626",
    "Squeeze-and-excitation squeezes to a quarter of the block's input, as in the authors' code, "
    "and widths leave the last 1×1 at 1280, as in torchvision. Batch norms are torch's own "
    "(momentum 0.1, eps 0.00001): the paper's 0.99 would be 0.01 here, torchvision has 0.0003, "
    "whose statistics need tens of thousands of steps, and the authors' eps is 0.001.",
)

# Figure 7 of the paper
A1 = (
    # t, k, c, n, s, se
    Row(1, 3, 16, 1, 1),
    Row(6, 3, 24, 2, 2),
    Row(3, 5, 40, 3, 2, 0.25),
    Row(6, 3, 80, 4, 2),
    Row(6, 3, 112, 2, 1, 0.25),
    Row(6, 5, 160, 3, 2, 0.25),
    Row(6, 3, 320, 1, 1),
)

# The authors' mnasnet_models.py: found without squeeze-and-excitation in the search space
B1 = (
    # t, k, c, n, s
    Row(1, 3, 16, 1, 1),
    Row(3, 3, 24, 3, 2),
    Row(3, 5, 40, 3, 2),
    Row(6, 5, 80, 3, 2),
    Row(6, 3, 96, 2, 1),
    Row(6, 5, 192, 4, 2),
    Row(6, 3, 320, 1, 1),
)
SMALL = (
    # t, k, c, n, s, se
    Row(1, 3, 8, 1, 1),
    Row(3, 3, 16, 1, 2),
    Row(6, 3, 16, 2, 2),
    Row(6, 5, 32, 4, 2, 0.25),
    Row(6, 3, 32, 3, 1, 0.25),
    Row(6, 5, 88, 3, 2, 0.25),
    Row(6, 3, 144, 1, 1),
)


class MnasNet(MBConvNet):
    """One of the tables above, with ReLU."""


def mnasnet_a1(
    num_classes: int = 1000,
    width_mult: float = 1.0,
    in_channels: int = 3,
    dropout: float = 0.2,
    small_input: bool = False,
) -> MnasNet:
    """Build MnasNet-A1, arXiv 1807.11626, figure 7: (N, in_channels, H, W) -> (N, num_classes).

    `width_mult` scales all but the last 1×1; `small_input` keeps the first two strides at 1.
    Raises `UserError` for settings that make no network.

    >>> sum(p.numel() for p in mnasnet_a1().parameters())
    3887038
    """
    return _mnasnet(A1, 32, num_classes, width_mult, in_channels, dropout, small_input)


def mnasnet_b1(
    num_classes: int = 1000,
    width_mult: float = 1.0,
    in_channels: int = 3,
    dropout: float = 0.2,
    small_input: bool = False,
) -> MnasNet:
    """Build MnasNet-B1, without attention, torchvision's `mnasnet1_0`; else as `mnasnet_a1`.

    >>> sum(p.numel() for p in mnasnet_b1(width_mult=0.5).parameters())
    2218512
    """
    return _mnasnet(B1, 32, num_classes, width_mult, in_channels, dropout, small_input)


def mnasnet_small(
    num_classes: int = 1000,
    width_mult: float = 1.0,
    in_channels: int = 3,
    dropout: float = 0.2,
    small_input: bool = False,
) -> MnasNet:
    """Build MnasNet-small, searched for a 15 ms phone; else as `mnasnet_a1`.

    >>> sum(p.numel() for p in mnasnet_small().parameters())
    2030264
    """
    return _mnasnet(SMALL, 8, num_classes, width_mult, in_channels, dropout, small_input)


def _mnasnet(
    rows: Sequence[Row],
    stem: int,
    num_classes: int,
    width_mult: float,
    in_channels: int,
    dropout: float,
    small_input: bool,
) -> MnasNet:
    check_settings(width_mult=width_mult, narrowest=min(stem, rows[0].c))
    return MnasNet(
        scale(rows, width_mult),
        stem=make_divisible(stem * width_mult),
        head=1280,
        num_classes=num_classes,
        in_channels=in_channels,
        dropout=dropout,
        small_input=small_input,
    )
