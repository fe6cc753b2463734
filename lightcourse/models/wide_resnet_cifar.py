"""Wide ResNet for CIFAR: rather wider than deeper (arXiv 1605.07146)."""

from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.models._network import Network, Paper, check_settings, init_weights
from lightcourse.nn.residual import PreActivationBlock

PAPER = Paper(
    "Wide Residual Networks",
    2016,
    "arXiv 1605.07146",
    "Where the shapes differ, the 1×1 of the shortcut reads what norm and ReLU made of the input, "
    "as in the authors' code; the paper's figures leave it open.",
)

# Table 1 of the paper: channels of the three stages, times the widening factor k, each of
# (depth - 4) / 6 blocks
CHANNELS = (16, 32, 64)


class WideResNetCifar(Network):
    """A 3×3 convolution, three stages of blocks with norms in front, norm, mean, linear."""

    def __init__(
        self,
        depth: int = 28,
        widen: int = 10,
        num_classes: int = 10,
        in_channels: int = 3,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        channels = CHANNELS[0]
        layers: list[nn.Module] = [nn.Conv2d(in_channels, channels, 3, padding=1, bias=False)]
        for stage, c in enumerate(CHANNELS):
            for repeat in range((depth - 4) // 6):
                stride = 2 if stage > 0 and repeat == 0 else 1
                layers.append(PreActivationBlock(channels, c * widen, stride, dropout))
                channels = c * widen
        layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, num_classes)
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def wide_resnet_cifar(
    depth: int = 28,
    widen: int = 10,
    num_classes: int = 10,
    in_channels: int = 3,
    dropout: float = 0.0,
) -> WideResNetCifar:
    """Build WRN-depth-widen for 32×32 pictures: (N, in_channels, H, W) -> (N, num_classes).

    arXiv 1605.07146, table 1; depths are 6n + 4, such as 16, 28 and 40. `dropout` stands between
    the two convolutions of a block (the paper's 0.3). Raises `UserError` for other depths, and
    for settings that make no network.

    >>> sum(p.numel() for p in wide_resnet_cifar(16, widen=1).parameters())
    175066
    """
    check_settings(num_classes, in_channels, dropout=dropout)
    if depth < 10 or depth % 6 != 4:
        raise UserError(f"A depth of {depth} is not 6n + 4, such as 16, 22, 28 or 40.")
    if widen < 1 or widen != int(widen):
        raise UserError(f"widen is {widen}; it multiplies the channels by 1, 2, 3, …")
    return WideResNetCifar(depth, widen, num_classes, in_channels, dropout)
