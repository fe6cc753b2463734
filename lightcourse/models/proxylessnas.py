"""ProxylessNAS: searched block by block on the target hardware itself (arXiv 1812.00332)."""

from collections.abc import Sequence
from functools import partial

from torch import nn

from lightcourse.models._mbconv_net import MBConvNet, Row
from lightcourse.models._network import Paper

PAPER = Paper(
    "ProxylessNAS: Direct Neural Architecture Search on Target Task and Hardware",
    2018,
    "arXiv 1812.00332",
    "The rows are the configurations that the authors released (mit-han-lab/proxylessnas); the "
    "paper's figure 4 draws the same networks. Blocks that the search replaced by nothing are left "
    "out. Batch norms have the authors' eps 0.001. mobile14 is not mobile times 1.4: its second "
    "stage has 40 channels, not 48, and its sixth 256, not 272.",
)

MOBILE = (
    # t, k, c, n, s
    Row(1, 3, 16, 1, 1),
    Row(3, 5, 32, 1, 2),
    Row(3, 3, 32, 1, 1),
    Row(3, 7, 40, 1, 2),
    Row(3, 3, 40, 1, 1),
    Row(3, 5, 40, 2, 1),
    Row(6, 7, 80, 1, 2),
    Row(3, 5, 80, 3, 1),
    Row(6, 5, 96, 1, 1),
    Row(3, 5, 96, 3, 1),
    Row(6, 7, 192, 1, 2),
    Row(6, 7, 192, 1, 1),
    Row(3, 7, 192, 2, 1),
    Row(6, 7, 320, 1, 1),
)
GPU = (
    # t, k, c, n, s: shallow and wide, with large kernels
    Row(1, 3, 24, 1, 1),
    Row(3, 5, 32, 1, 2),
    Row(3, 7, 56, 1, 2),
    Row(3, 3, 56, 1, 1),
    Row(6, 7, 112, 1, 2),
    Row(3, 5, 112, 1, 1),
    Row(6, 5, 128, 1, 1),
    Row(3, 3, 128, 1, 1),
    Row(3, 5, 128, 1, 1),
    Row(6, 7, 256, 1, 2),
    Row(6, 7, 256, 2, 1),
    Row(6, 5, 256, 1, 1),
    Row(6, 7, 432, 1, 1),
)
CPU = (
    # t, k, c, n, s: deep, with small kernels
    Row(1, 3, 24, 1, 1),
    Row(6, 3, 32, 1, 2),
    Row(3, 3, 32, 3, 1),
    Row(6, 3, 48, 1, 2),
    Row(3, 3, 48, 2, 1),
    Row(3, 5, 48, 1, 1),
    Row(6, 3, 88, 1, 2),
    Row(3, 3, 88, 1, 1),
    Row(6, 5, 104, 1, 1),
    Row(3, 3, 104, 3, 1),
    Row(6, 5, 216, 1, 2),
    Row(3, 5, 216, 2, 1),
    Row(3, 3, 216, 1, 1),
    Row(6, 5, 360, 1, 1),
)
# mobile's channels -> mobile14's
WIDER = {16: 24, 32: 40, 40: 56, 80: 112, 96: 136, 192: 256, 320: 448}


class ProxylessNAS(MBConvNet):
    """One of the tables above, with ReLU6."""


def proxylessnas_mobile(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.0,
    small_input: bool = False,
) -> ProxylessNAS:
    """Build ProxylessNAS-mobile, arXiv 1812.00332, figure 4, searched on a Pixel phone.

    (N, in_channels, H, W) -> (N, num_classes). `small_input` keeps the first two strides at 1.
    Raises `UserError` for settings that make no network.

    >>> sum(p.numel() for p in proxylessnas_mobile().parameters())
    4080512
    """
    return _proxyless(MOBILE, 32, 1280, num_classes, in_channels, dropout, small_input)


def proxylessnas_gpu(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.0,
    small_input: bool = False,
) -> ProxylessNAS:
    """Build ProxylessNAS-GPU, searched on a V100; else as `proxylessnas_mobile`.

    >>> sum(p.numel() for p in proxylessnas_gpu().parameters())
    7119848
    """
    return _proxyless(GPU, 40, 1728, num_classes, in_channels, dropout, small_input)


def proxylessnas_cpu(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.0,
    small_input: bool = False,
) -> ProxylessNAS:
    """Build ProxylessNAS-CPU, searched on a Xeon; else as `proxylessnas_mobile`.

    >>> sum(p.numel() for p in proxylessnas_cpu().parameters())
    4361648
    """
    return _proxyless(CPU, 40, 1432, num_classes, in_channels, dropout, small_input)


def proxylessnas_mobile14(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.0,
    small_input: bool = False,
) -> ProxylessNAS:
    """Build ProxylessNAS-mobile-14, the wider mobile network; else as `proxylessnas_mobile`.

    >>> sum(p.numel() for p in proxylessnas_mobile14().parameters())
    6857568
    """
    rows = [row._replace(c=WIDER[row.c]) for row in MOBILE]
    return _proxyless(rows, 48, 1792, num_classes, in_channels, dropout, small_input)


def _proxyless(
    rows: Sequence[Row],
    stem: int,
    head: int,
    num_classes: int,
    in_channels: int,
    dropout: float,
    small_input: bool,
) -> ProxylessNAS:
    return ProxylessNAS(
        rows,
        stem,
        head,
        num_classes,
        in_channels,
        dropout,
        small_input,
        activation=nn.ReLU6,
        norm=partial(nn.BatchNorm2d, eps=1e-3),
    )
