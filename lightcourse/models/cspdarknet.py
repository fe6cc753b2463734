"""CSPDarknet-53 and CSPResNeXt-50: half of each stage's channels pass by (arXiv 1911.11929)."""

from collections.abc import Callable

from torch import Tensor, nn

from lightcourse.models._network import Network, Paper, check_settings
from lightcourse.models.darknet import Darknet53, DarknetBody, init_darknet
from lightcourse.nn import ConvNormAct, CSPBlock, DarknetUnit
from lightcourse.nn.csp import LEAKY

PAPER = Paper(
    "CSPNet: A New Backbone that can Enhance Learning Capability of CNN",
    2019,
    "arXiv 1911.11929",
    "CSPDarknet-53 is the authors' csdarknet53.cfg: 27,642,184 parameters, 13.07 BFLOPs = "
    "6,533,652,480 MACs at 256. CSPResNeXt-50 is timm's: both ways of its first stage are 128 wide "
    "and every split is linear (20,569,896 parameters, 4,014,948,352 MACs). The authors' "
    "csresnext50.cfg sends only 64 channels into stage 1's blocks: 12,416 parameters fewer, and "
    "the published 7.93 BFLOPs. LeakyReLU has Darknet's slope 0.1; timm's has 0.01.",
)

# Stages of CSPResNeXt-50; all but the first start with a grouped 3×3 convolution of stride 2
CSPRESNEXT50_ROWS = (
    # c channels, n blocks
    (256, 3),
    (512, 3),
    (1024, 5),
    (2048, 2),
)
GROUPS = 32


def csp_stage(activation: Callable[..., nn.Module]) -> Callable[[int, int, int], nn.Module]:
    """Return a function that builds CSPDarknet-53's stages with this activation."""

    def stage(in_channels: int, channels: int, units: int) -> nn.Module:
        # the first stage does not halve: both ways keep all of its 64 channels
        width = channels if channels == 64 else channels // 2
        mid = channels // 2
        body = nn.Sequential(*[DarknetUnit(width, mid, activation) for _ in range(units)])
        return nn.Sequential(
            ConvNormAct(in_channels, channels, stride=2, activation=activation),
            CSPBlock(channels, channels, body, width, activation, activation),
        )

    return stage


class ResNeXtUnit(nn.Module):
    """1×1, grouped 3×3, 1×1, all of one width, plus the input: (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            ConvNormAct(channels, channels, 1, activation=LEAKY),
            ConvNormAct(channels, channels, 3, groups=GROUPS, activation=LEAKY),
            ConvNormAct(channels, channels, 1, activation=None),
        )
        self.activation = LEAKY(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of the sum."""
        return self.activation(x + self.conv(x))


class CSPResNeXt50(Network):
    """A 7×7 stem with a max pool, four CSP stages, an average and a linear layer."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        layers: list[nn.Module] = [
            ConvNormAct(in_channels, 64, 7, stride=2, activation=LEAKY),
            nn.MaxPool2d(3, stride=2, padding=1),
        ]
        channels = 64
        for row, (c, n) in enumerate(CSPRESNEXT50_ROWS):
            if row:
                layers.append(
                    ConvNormAct(channels, channels, stride=2, groups=GROUPS, activation=LEAKY)
                )
            body = nn.Sequential(*[ResNeXtUnit(c // 2) for _ in range(n)])
            layers.append(CSPBlock(channels, c, body, split_activation=None))
            channels = c
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, num_classes)
        self.apply(init_darknet)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def cspdarknet53(num_classes: int = 1000, in_channels: int = 3) -> Darknet53:
    """Build CSPDarknet-53, arXiv 1911.11929: (N, in_channels, H, W) -> (N, num_classes).

    Raises `UserError` for sizes that make no network.

    >>> sum(p.numel() for p in cspdarknet53().parameters())
    27642184
    """
    check_settings(num_classes, in_channels)
    body = DarknetBody(in_channels, csp_stage(LEAKY))
    return Darknet53(body, num_classes, in_channels)


def cspresnext50(num_classes: int = 1000, in_channels: int = 3) -> CSPResNeXt50:
    """Build CSPResNeXt-50, arXiv 1911.11929: (N, in_channels, H, W) -> (N, num_classes).

    Raises `UserError` for sizes that make no network.

    >>> sum(p.numel() for p in cspresnext50().parameters())
    20569896
    """
    check_settings(num_classes, in_channels)
    return CSPResNeXt50(num_classes, in_channels)
