"""VGG: nothing but 3×3 convolutions, five times halved (arXiv 1409.1556)."""

from functools import partial

from torch import Tensor, nn

from lightcourse.models._network import Network, Paper, check_settings, init_weights
from lightcourse.models._variants import check_choice

PAPER = Paper(
    "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    2014,
    "arXiv 1409.1556",
    "The paper started its deep nets from a trained shallow one; we start with He's normal "
    "weights, as torchvision does. The paper's nets have no batch norm, which came a year later.",
)

# Table 1 of the paper: the channels of the five stages, and for each depth how many 3×3
# convolutions stand in each (columns A, B, D and E)
CHANNELS = (64, 128, 256, 512, 512)
REPEATS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


class VGG(Network):
    """The network of table 1; torchvision's weights fit by name."""

    def __init__(
        self,
        depth: int,
        num_classes: int = 1000,
        in_channels: int = 3,
        dropout: float = 0.5,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels = channels = in_channels
        layers: list[nn.Module] = []
        for out, repeats in zip(CHANNELS, REPEATS[depth], strict=True):
            for _ in range(repeats):
                layers.append(nn.Conv2d(channels, out, 3, padding=1))
                if batch_norm:
                    layers.append(nn.BatchNorm2d(out))
                layers.append(nn.ReLU(inplace=True))
                channels = out
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(7)  # changes nothing at 224×224
        self.classifier = nn.Sequential(
            nn.Linear(channels * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def vgg(
    depth: int,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    batch_norm: bool = False,
) -> VGG:
    """Build a VGG, arXiv 1409.1556, table 1: (N, in_channels, H, W) -> (N, num_classes).

    `depth` is 11, 13, 16 or 19, as in the names `vgg11` … `vgg19`. The paper's size is 224×224;
    at others the last maps are averaged to 7×7. Raises `UserError` for other depths and for
    settings that make no network.

    >>> import torch
    >>> with torch.device("meta"):
    ...     sum(p.numel() for p in vgg16().parameters())
    138357544
    """
    check_settings(num_classes, in_channels, dropout=dropout, batch_norm=batch_norm)
    check_choice("depth", depth, tuple(REPEATS))
    return VGG(depth, num_classes, in_channels, dropout, batch_norm)


vgg11 = partial(vgg, 11)
vgg13 = partial(vgg, 13)
vgg16 = partial(vgg, 16)
vgg19 = partial(vgg, 19)
