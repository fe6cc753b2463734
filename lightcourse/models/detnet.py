"""DetNet-59: a ResNet that keeps stride 16 to the end, with dilation instead (arXiv 1804.06215)."""

from torch import Tensor, nn

from lightcourse.models._network import Network, Paper, check_settings, init_weights
from lightcourse.nn import ConvNormAct
from lightcourse.nn.residual import Bottleneck

PAPER = Paper(
    "DetNet: A Backbone network for Object Detection",
    2018,
    "arXiv 1804.06215",
    "Table 1 gives 4.8 G FLOPs, which are multiply-adds: we count 4,846,018,560 and 18,372,648 "
    "parameters. Stages 5 and 6 are 1024 wide and start with the projecting block B of figure 2 "
    "(B, A, A); strides stand on the first 1×1, as in the first ResNet.",
)

# Figure 2(d): ResNet-50's stages 2 to 4, then two that dilate instead of shrinking
ROWS = (
    # c width, out channels, n blocks, s stride of the first, d dilation
    (64, 256, 3, 1, 1),
    (128, 512, 4, 2, 1),
    (256, 1024, 6, 2, 1),
    (256, 1024, 3, 1, 2),
    (256, 1024, 3, 1, 2),
)


class DilatedBottleneck(Bottleneck):
    """A bottleneck whose 3×3 is dilated: block A of figure 2, or B with a projection.

    (N, C, H, W) -> (N, C, H, W).

    >>> DilatedBottleneck(1024, 256, project=True).downsample[0].kernel_size
    (1, 1)
    """

    def __init__(self, channels: int, width: int, dilation: int = 2, project: bool = False) -> None:
        super().__init__(channels, width, channels)
        self.conv2 = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        if project:
            self.downsample = ConvNormAct(channels, channels, 1, activation=None)


class DetNet(Network):
    """The network of figure 2(d), its last map averaged and classified."""

    def __init__(self, num_classes: int = 1000, in_channels: int = 3) -> None:
        super().__init__()
        self.in_channels = in_channels
        layers: list[nn.Module] = [
            ConvNormAct(in_channels, 64, 7, stride=2, activation=nn.ReLU),
            nn.MaxPool2d(3, stride=2, padding=1),
        ]
        channels = 64
        for c, out, n, s, d in ROWS:
            for repeat in range(n):
                first = repeat == 0
                if d > 1:
                    layers.append(DilatedBottleneck(out, c, d, project=first))
                else:
                    layers.append(Bottleneck(channels, c, out, stride=s if first else 1))
                channels = out
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, num_classes)
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def detnet59(num_classes: int = 1000, in_channels: int = 3) -> DetNet:
    """Build DetNet-59, arXiv 1804.06215, figure 2: (N, in_channels, H, W) -> (N, num_classes).

    Raises `UserError` for sizes that make no network.

    >>> sum(p.numel() for p in detnet59().parameters())
    18372648
    """
    check_settings(num_classes, in_channels)
    return DetNet(num_classes, in_channels)
