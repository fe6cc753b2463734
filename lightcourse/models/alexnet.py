"""AlexNet: the network that won ImageNet in 2012, on two GPUs (Krizhevsky et al., NIPS 2012)."""

from typing import NamedTuple

from torch import Tensor, nn

from lightcourse.models._network import Network, Paper, check_settings
from lightcourse.models._variants import check_choice

PAPER = Paper(
    "ImageNet Classification with Deep Convolutional Neural Networks",
    2012,
    "NIPS 25",
    "The 2012 net has 60,965,224 parameters: groups of two where the GPUs did not talk, response "
    "normalisation, and pictures of 227×227 (the paper prints 224, which does not give its 55×55 "
    "maps). torchvision builds a later one-GPU net with 64 and 192 filters, 61,100,840 "
    "parameters: variant='torchvision'.",
)


class Row(NamedTuple):
    """One convolution and what follows it."""

    c: int  # output channels
    k: int  # kernel
    s: int = 1  # stride
    p: int = 1  # padding
    g: int = 1  # groups
    lrn: bool = False  # response normalisation after the ReLU
    pool: bool = False  # largest of 3×3 at stride 2 after that


# Section 3.5 and figure 2 of the paper; the other net is that of arXiv 1404.5997
ROWS = {
    "paper": (
        Row(96, 11, s=4, p=0, lrn=True, pool=True),
        Row(256, 5, p=2, g=2, lrn=True, pool=True),
        Row(384, 3),
        Row(384, 3, g=2),
        Row(256, 3, g=2, pool=True),
    ),
    "torchvision": (
        Row(64, 11, s=4, p=2, pool=True),
        Row(192, 5, p=2, pool=True),
        Row(384, 3),
        Row(256, 3),
        Row(256, 3, pool=True),
    ),
}


class AlexNet(Network):
    """Five convolutions, three linear layers; torchvision's weights fit its variant by name."""

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        dropout: float = 0.5,
        variant: str = "paper",
    ) -> None:
        super().__init__()
        self.in_channels = channels = in_channels
        layers: list[nn.Module] = []
        for row in ROWS[variant]:
            conv = nn.Conv2d(channels, row.c, row.k, row.s, row.p, groups=row.g)
            layers += [conv, nn.ReLU(inplace=True)]
            if row.lrn:  # section 3.3: n = 5, α = 1e-4, β = 0.75, k = 2; torch divides α by n
                layers.append(nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
            if row.pool:
                layers.append(nn.MaxPool2d(3, 2))
            channels = row.c
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(6)  # changes nothing at the published size
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(channels * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )
        self._init_weights()

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))

    def _init_weights(self) -> None:
        """Section 5: normal, 0.01; biases 1 where that feeds the ReLUs early, otherwise 0."""
        layers = [m for m in self.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        for number, layer in enumerate(layers, 1):
            nn.init.normal_(layer.weight, 0, 0.01)
            assert layer.bias is not None
            nn.init.constant_(layer.bias, 1.0 if number in (2, 4, 5, 6, 7) else 0.0)


def alexnet(
    num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5, variant: str = "paper"
) -> AlexNet:
    """Build AlexNet, NIPS 2012, section 3.5: (N, in_channels, 227, 227) -> (N, num_classes).

    `variant="torchvision"` is the later net without groups, for 224×224. Other sizes run too: the
    last maps are averaged to 6×6. Raises `UserError` for settings that make no network.

    >>> import torch
    >>> with torch.device("meta"):
    ...     sum(p.numel() for p in alexnet().parameters())
    60965224
    """
    check_settings(num_classes, in_channels, dropout=dropout)
    check_choice("variant", variant, tuple(ROWS))
    return AlexNet(num_classes, in_channels, dropout, variant)
