"""FD-MobileNet: MobileNet's layers, moved to where the maps are already small (1802.03750)."""

from lightcourse.models._network import Paper, check_settings
from lightcourse.models.mobilenet_v1 import STEM, MobileNetV1

PAPER = Paper(
    "FD-MobileNet: Improved MobileNet with a Fast Downsampling Strategy",
    2018,
    "arXiv 1802.03750",
    "Rows as in the authors' code. The paper trains 90 epochs; its accuracies are those that the "
    "authors' README gives for 120.",
)

# The authors' table: 32 times smaller after 12 of 24 layers; MobileNet takes 24 of 28
ROWS = (
    # c, n, s
    (64, 1, 2),
    (128, 2, 2),
    (256, 2, 2),
    (512, 5, 2),
    (1024, 1, 1),
)


class FDMobileNet(MobileNetV1):
    """MobileNet's stem, separable convolutions and classifier over the rows of this paper."""


def fd_mobilenet(
    num_classes: int = 1000,
    width_mult: float = 1.0,
    in_channels: int = 3,
    dropout: float = 0.0,
    small_input: bool = False,
) -> FDMobileNet:
    """Build FD-MobileNet, arXiv 1802.03750, table 1: (N, in_channels, H, W) -> (N, num_classes).

    `small_input` keeps the first two strides at 1, as for every network here: 32×32 pictures end at
    4×4. What makes the network itself stays: it reaches that last size after 12 of its 24 layers,
    where MobileNet's form reaches it after 24 of 28, so the saved work pays for wider maps.
    Raises `UserError` for sizes that make no network.

    >>> sum(p.numel() for p in fd_mobilenet().parameters())
    2901288
    """
    check_settings(num_classes, in_channels, width_mult, dropout, STEM, small_input=small_input)
    return FDMobileNet(ROWS, num_classes, width_mult, in_channels, dropout, small_input)
