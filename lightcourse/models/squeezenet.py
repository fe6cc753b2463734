"""SqueezeNet 1.0 and 1.1: AlexNet's accuracy with fifty times fewer weights (arXiv 1602.07360)."""

from torch import Tensor, nn

from lightcourse.models._network import Network, Paper, check_settings
from lightcourse.nn import Fire

PAPER = Paper(
    "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
    2016,
    "arXiv 1602.07360",
    "Table 1 names an input of 224, but its maps of 111, 55, 27 and 13 are those of 227, which the "
    "authors' Caffe files take; pooling rounds up, as Caffe's and torchvision's do, and "
    "torchvision counts 1,248,424 parameters as the paper does. The Caffe file pads its last 1×1 "
    "to 15, table 1 and torchvision do not. Weights start by He's rule, as in torchvision. The "
    "Caffe files' Xavier start shrinks the signal from layer to layer, and works only because "
    "Caffe feeds raw pixels less their mean, up to about 151; our pictures are normalised and "
    "reach 2 or 3.",
)

# Table 1 of the paper: the stem's out, k, and a row per layer from maxpool1 to fire9
STEM_1_0 = (96, 7)
ROWS_1_0 = (
    "pool",
    # s1x1, e1x1, e3x3
    (16, 64, 64),
    (16, 64, 64),
    (32, 128, 128),
    "pool",
    (32, 128, 128),
    (48, 192, 192),
    (48, 192, 192),
    (64, 256, 256),
    "pool",
    (64, 256, 256),
)

# The authors' SqueezeNet_v1.1: a smaller stem, and the two later pools moved forward
STEM_1_1 = (64, 3)
ROWS_1_1 = (
    "pool",
    # s1x1, e1x1, e3x3
    (16, 64, 64),
    (16, 64, 64),
    "pool",
    (32, 128, 128),
    (32, 128, 128),
    "pool",
    (48, 192, 192),
    (48, 192, 192),
    (64, 256, 256),
    (64, 256, 256),
)


def _init_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class SqueezeNet(Network):
    """Table 1 of the paper, laid out so that torchvision's weights fit name by name."""

    def __init__(
        self,
        stem: tuple[int, int],
        rows: tuple[str | tuple[int, int, int], ...],
        num_classes: int = 1000,
        in_channels: int = 3,
        dropout: float = 0.5,
        small_input: bool = False,
        bypass: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        channels, k = stem
        stride, padding = (1, k // 2) if small_input else (2, 0)
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, channels, k, stride, padding),
            nn.ReLU(inplace=True),
        ]
        for row in rows[1:] if small_input else rows:
            if isinstance(row, str):
                layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
                continue
            squeeze, expand1x1, expand3x3 = row
            around = bypass and channels == expand1x1 + expand3x3  # fire 3, 5, 7 and 9
            layers.append(Fire(channels, squeeze, expand1x1, expand3x3, around))
            channels = expand1x1 + expand3x3
        self.features = nn.Sequential(*layers)
        last = nn.Conv2d(channels, num_classes, 1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), last, nn.ReLU(inplace=True))
        self.apply(_init_weights)
        nn.init.normal_(last.weight, 0, 0.01)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.features(x)).mean((2, 3))


def squeezenet1_0(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    small_input: bool = False,
    bypass: bool = False,
) -> SqueezeNet:
    """Build SqueezeNet, arXiv 1602.07360, table 1: (N, in_channels, H, W) -> (N, num_classes).

    `small_input` keeps the stem's stride at 1 and leaves out the first pool, so that 32×32 pictures
    end at 8×8: late downsampling is the paper's strategy 3. `bypass` adds the simple bypass of
    section 6 around fire 3, 5, 7 and 9, at no parameter. Raises `UserError` for sizes that make no
    network.

    >>> sum(p.numel() for p in squeezenet1_0().parameters())
    1248424
    """
    check_settings(
        num_classes, in_channels, dropout=dropout, small_input=small_input, bypass=bypass
    )
    return SqueezeNet(STEM_1_0, ROWS_1_0, num_classes, in_channels, dropout, small_input, bypass)


def squeezenet1_1(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    small_input: bool = False,
    bypass: bool = False,
) -> SqueezeNet:
    """Build the authors' SqueezeNet 1.1: 2.3 times fewer multiplications than 1.0, as accurate.

    Not in the paper but in its repository: the stem is smaller and the pools come earlier.
    Settings and errors as for `squeezenet1_0`. (N, in_channels, H, W) -> (N, num_classes).

    >>> sum(p.numel() for p in squeezenet1_1().parameters())
    1235496
    """
    check_settings(
        num_classes, in_channels, dropout=dropout, small_input=small_input, bypass=bypass
    )
    return SqueezeNet(STEM_1_1, ROWS_1_1, num_classes, in_channels, dropout, small_input, bypass)
