"""FBNet: a network searched by gradient descent over block choices (arXiv 1812.03443)."""

from collections.abc import Sequence
from functools import partial

from lightcourse.models._mbconv_net import MBConvNet, Row, mbconv
from lightcourse.models._network import Paper
from lightcourse.models._variants import check_choice

PAPER = Paper(
    "FBNet: Hardware-Aware Efficient ConvNet Design via Differentiable Neural Architecture Search",
    2018,
    "arXiv 1812.03443",
    "The paper's table 1 ends in 1984 channels, and so do we; the authors' later code has 1504 for "
    "A. With that, head=1504, A has the paper's 4.3 M parameters (4,264,792; 4,914,712 with 1984) "
    "and C its 375 M multiply-adds (376 M; 385 M with 1984), but 4.9 M parameters, not 5.5 M. "
    "The printed 4.5 M of B comes out with neither.",
)

HEADS = (1984, 1504)  # width of the last 1×1: the paper's, and the authors' later code's for A

# Figure 4 of the paper: a row is a block of the search space's 22 places, in names such as k5_e6
# (table 2); skip is left out, and g2 means grouped 1×1 with a channel shuffle
A = (
    # t, k, c, n, s, se, g
    Row(3, 3, 24, 1, 2),
    Row(1, 3, 24, 1, 1),
    Row(6, 5, 32, 1, 2),
    Row(3, 3, 32, 1, 1),
    Row(1, 5, 32, 1, 1),
    Row(3, 3, 32, 1, 1),
    Row(6, 5, 64, 1, 2),
    Row(3, 5, 64, 1, 1),
    Row(1, 5, 64, 1, 1, g=2),
    Row(6, 5, 64, 1, 1),
    Row(6, 3, 112, 1, 1),
    Row(1, 5, 112, 1, 1, g=2),
    Row(1, 5, 112, 1, 1),
    Row(1, 3, 112, 1, 1, g=2),
    Row(6, 5, 184, 1, 2),
    Row(6, 5, 184, 1, 1),
    Row(3, 5, 184, 1, 1),
    Row(6, 5, 184, 1, 1),
    Row(6, 5, 352, 1, 1),
)
B = (
    # t, k, c, n, s
    Row(1, 3, 16, 1, 1),
    Row(6, 3, 24, 1, 2),
    Row(1, 5, 24, 1, 1),
    Row(1, 3, 24, 2, 1),
    Row(6, 5, 32, 1, 2),
    Row(3, 5, 32, 1, 1),
    Row(6, 3, 32, 1, 1),
    Row(6, 5, 32, 1, 1),
    Row(6, 5, 64, 1, 2),
    Row(1, 5, 64, 1, 1),
    Row(3, 5, 64, 1, 1),
    Row(6, 5, 112, 1, 1),
    Row(1, 3, 112, 1, 1),
    Row(1, 5, 112, 1, 1),
    Row(3, 5, 112, 1, 1),
    Row(6, 5, 184, 1, 2),
    Row(1, 5, 184, 1, 1),
    Row(6, 5, 184, 2, 1),
    Row(6, 3, 352, 1, 1),
)
C = (
    # t, k, c, n, s
    Row(1, 3, 16, 1, 1),
    Row(6, 3, 24, 1, 2),
    Row(1, 3, 24, 2, 1),
    Row(6, 5, 32, 1, 2),
    Row(3, 5, 32, 1, 1),
    Row(6, 5, 32, 1, 1),
    Row(6, 3, 32, 1, 1),
    Row(6, 5, 64, 1, 2),
    Row(3, 5, 64, 1, 1),
    Row(6, 5, 64, 2, 1),
    Row(6, 5, 112, 3, 1),
    Row(3, 5, 112, 1, 1),
    Row(6, 5, 184, 4, 2),
    Row(6, 3, 352, 1, 1),
)


class FBNet(MBConvNet):
    """One of the tables above, with ReLU."""


def fbnet_a(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    small_input: bool = False,
    head: int = 1984,
) -> FBNet:
    """Build FBNet-A, arXiv 1812.03443, figure 4: (N, in_channels, H, W) -> (N, num_classes).

    `small_input` keeps the first two strides at 1; `head` is the width of the last 1×1, 1984
    or 1504. Raises `UserError` for settings that make no network.

    >>> sum(p.numel() for p in fbnet_a().parameters())
    4914712
    """
    return _fbnet(A, num_classes, in_channels, dropout, small_input, head)


def fbnet_b(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    small_input: bool = False,
    head: int = 1984,
) -> FBNet:
    """Build FBNet-B, the middle one; else as `fbnet_a`.

    >>> sum(p.numel() for p in fbnet_b().parameters())
    4813048
    """
    return _fbnet(B, num_classes, in_channels, dropout, small_input, head)


def fbnet_c(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    small_input: bool = False,
    head: int = 1984,
) -> FBNet:
    """Build FBNet-C, the most accurate one; else as `fbnet_a`.

    >>> sum(p.numel() for p in fbnet_c().parameters())
    5572200
    """
    return _fbnet(C, num_classes, in_channels, dropout, small_input, head)


def _fbnet(
    rows: Sequence[Row],
    num_classes: int,
    in_channels: int,
    dropout: float,
    small_input: bool,
    head: int,
) -> FBNet:
    check_choice("head", head, HEADS)
    return FBNet(
        rows,
        16,
        head,
        num_classes,
        in_channels,
        dropout,
        small_input,
        make_block=partial(mbconv, always_expand=True),
    )
