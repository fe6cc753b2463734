"""The ResNets for CIFAR, thin and up to 110 layers deep (arXiv 1512.03385, section 4.2)."""

from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.models._network import Network, Paper, check_settings, init_weights
from lightcourse.nn.residual import BasicBlock

PAPER = Paper(
    "Deep Residual Learning for Image Recognition",
    2015,
    "arXiv 1512.03385",
    "The paper's shortcuts have no parameters where the channels double (zeros are padded, its "
    "option A): shortcut='padding', 269,722 parameters at 20 layers. The usual counts, 272,474, "
    "come from libraries with a 1×1 projection there (option B), the default here. "
    "shortcut='none' is the paper's plain net, with as many parameters as option A.",
)

# Section 4.2: three stages at 32×32, 16×16 and 8×8, each of (depth - 2) / 6 blocks
CHANNELS = (16, 32, 64)


class ResNetCifar(Network):
    """A 3×3 convolution, three stages of basic blocks, a mean, a linear layer."""

    def __init__(
        self,
        depth: int = 20,
        num_classes: int = 10,
        in_channels: int = 3,
        shortcut: str = "projection",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        channels = CHANNELS[0]
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        ]
        for stage, out in enumerate(CHANNELS):
            for repeat in range((depth - 2) // 6):
                stride = 2 if stage > 0 and repeat == 0 else 1
                layers.append(BasicBlock(channels, out, stride, shortcut))
                channels = out
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, num_classes)
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def resnet_cifar(
    depth: int = 20,
    num_classes: int = 10,
    in_channels: int = 3,
    shortcut: str = "projection",
) -> ResNetCifar:
    """Build a ResNet for 32×32 pictures: (N, in_channels, H, W) -> (N, num_classes).

    arXiv 1512.03385, section 4.2; its depths are 20, 32, 44, 56 and 110, and any 6n + 2 works.
    `shortcut` is "projection", "padding" (the paper's) or "none" (its plain net). Raises
    `UserError` for other depths and shortcuts, and for settings that make no network.

    >>> [sum(p.numel() for p in resnet_cifar(20, shortcut=s).parameters())
    ...  for s in ("projection", "padding", "none")]
    [272474, 269722, 269722]
    """
    check_settings(num_classes, in_channels)
    if depth < 8 or depth % 6 != 2:
        raise UserError(f"A depth of {depth} is not 6n + 2, such as 20, 32, 44, 56 or 110.")
    return ResNetCifar(depth, num_classes, in_channels, shortcut)
