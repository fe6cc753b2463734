"""SNet: ThunderNet's backbones, ShuffleNet V2 with 5×5 kernels (arXiv 1903.11752)."""

from lightcourse.models._network import Paper, check_settings
from lightcourse.models.shufflenet_v2 import ShuffleNetV2

PAPER = Paper(
    "ThunderNet: Towards Real-time Generic Object Detection",
    2019,
    "arXiv 1903.11752",
    "The names are the published multiply-adds in millions. With the authors' released channels "
    "and (4, 8, 4) blocks SNet535 has 535.4 M, but SNet49 51.2 M and SNet146 161.1 M; we keep the "
    "channels. The blocks split evenly, as in torchvision's ShuffleNet V2.",
)

# Table 1 of the paper: output channels of the stem, of stages 2, 3, 4 and of conv5 (0: none)
SNET49 = (24, 60, 120, 240, 512)
SNET146 = (24, 132, 264, 528, 0)
SNET535 = (48, 248, 496, 992, 0)


def _snet(
    channels: tuple[int, int, int, int, int], num_classes: int, in_channels: int
) -> ShuffleNetV2:
    check_settings(num_classes, in_channels)
    return ShuffleNetV2(channels, num_classes, in_channels, even=True, kernel_size=5)


def snet49(num_classes: int = 1000, in_channels: int = 3) -> ShuffleNetV2:
    """Build SNet49, arXiv 1903.11752, table 1: (N, in_channels, H, W) -> (N, num_classes).

    >>> sum(p.numel() for p in snet49().parameters())
    875548
    """
    return _snet(SNET49, num_classes, in_channels)


def snet146(num_classes: int = 1000, in_channels: int = 3) -> ShuffleNetV2:
    """Build SNet146, arXiv 1903.11752, table 1: (N, in_channels, H, W) -> (N, num_classes).

    >>> sum(p.numel() for p in snet146().parameters())
    1572748
    """
    return _snet(SNET146, num_classes, in_channels)


def snet535(num_classes: int = 1000, in_channels: int = 3) -> ShuffleNetV2:
    """Build SNet535, arXiv 1903.11752, table 1: (N, in_channels, H, W) -> (N, num_classes).

    >>> sum(p.numel() for p in snet535().parameters())
    4535144
    """
    return _snet(SNET535, num_classes, in_channels)
