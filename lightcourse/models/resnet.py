"""ResNet: blocks that add to what they were given (arXiv 1512.03385); ResNeXt and Wide ResNet."""

from functools import partial

from torch import Tensor, nn

from lightcourse.models._network import Network, Paper, check_settings, init_weights
from lightcourse.models._variants import check_choice
from lightcourse.nn.residual import BasicBlock, Bottleneck

PAPER = Paper(
    "Deep Residual Learning for Image Recognition",
    2015,
    "arXiv 1512.03385",
    "Bottlenecks halve the picture in their first 1×1, as in the paper and its authors' code: "
    "ResNet-50 has 3.86 G multiply-adds (the paper prints 3.8). torchvision halves in the 3×3, "
    "'v1.5', 4.09 G: variant='torchvision'. ResNet-18 and 34 are the same in both.",
)
# the relatives' authors put the stride on the 3×3, so these have no two variants
PAPERS = {
    "resnext50_32x4d": Paper(
        "Aggregated Residual Transformations for Deep Neural Networks",
        2016,
        "arXiv 1611.05431",
        "The stride stands on the grouped 3×3, as in the authors' code and torchvision; our "
        "resnet50 has it on the first 1×1. 25,028,904 parameters and 4.23 G multiply-adds.",
    ),
    "wide_resnet50_2": Paper(
        "Wide Residual Networks",
        2016,
        "arXiv 1605.07146",
        "Only the inner channels of each bottleneck are doubled, and the stride stands on the 3×3, "
        "as in the authors' code and torchvision; our resnet50 has it on the first 1×1. 68,883,240 "
        "parameters and 11.4 G multiply-adds.",
    ),
}

# Table 1 of the paper: channels of the 3×3 convolutions in conv2_x … conv5_x, and for each depth
# how many blocks; from 50 layers on they are bottlenecks, whose outputs are four times as wide
CHANNELS = (64, 128, 256, 512)
BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


class ResNet(Network):
    """The network of table 1; torchvision's weights fit by name.

    `groups` and `wider` act within bottlenecks: ResNeXt-50 32×4d has 32 groups and is 2 times
    wider there, Wide ResNet-50-2 one group and 2 times.
    """

    def __init__(
        self,
        depth: int,
        num_classes: int = 1000,
        in_channels: int = 3,
        groups: int = 1,
        wider: int = 1,
        stride_on_3x3: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.conv1 = nn.Conv2d(in_channels, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        channels = 64
        stages = []
        for stage, (c, repeats) in enumerate(zip(CHANNELS, BLOCKS[depth], strict=True)):
            blocks: list[nn.Module] = []
            for repeat in range(repeats):
                stride = 2 if stage > 0 and repeat == 0 else 1
                if depth < 50:
                    blocks.append(BasicBlock(channels, c, stride))
                    channels = c
                else:
                    width = c * wider
                    blocks.append(Bottleneck(channels, width, 4 * c, stride, groups, stride_on_3x3))
                    channels = 4 * c
            stages.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.fc = nn.Linear(channels, num_classes)
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def resnet(
    depth: int, num_classes: int = 1000, in_channels: int = 3, variant: str = "paper"
) -> ResNet:
    """Build a ResNet, arXiv 1512.03385, table 1: (N, in_channels, H, W) -> (N, num_classes).

    `depth` is 18, 34, 50, 101 or 152, as in the names `resnet18` … `resnet152`. Raises `UserError`
    for other depths and variants, and for settings that make no network.

    >>> sum(p.numel() for p in resnet18().parameters())
    11689512
    """
    check_settings(num_classes, in_channels)
    check_choice("depth", depth, BLOCKS)
    check_choice("variant", variant, ("paper", "torchvision"))
    return ResNet(depth, num_classes, in_channels, stride_on_3x3=variant == "torchvision")


resnet18 = partial(resnet, 18)
resnet34 = partial(resnet, 34)
resnet50 = partial(resnet, 50)
resnet101 = partial(resnet, 101)
resnet152 = partial(resnet, 152)


def resnext50_32x4d(num_classes: int = 1000, in_channels: int = 3) -> ResNet:
    """Build ResNeXt-50 32×4d, arXiv 1611.05431, table 1: (N, in_channels, H, W) -> (N, classes).

    32 groups of 4 channels where ResNet-50 has 64 channels in one. Raises `UserError` for settings
    that make no network.
    """
    check_settings(num_classes, in_channels)
    return ResNet(50, num_classes, in_channels, groups=32, wider=2, stride_on_3x3=True)


def wide_resnet50_2(num_classes: int = 1000, in_channels: int = 3) -> ResNet:
    """Build WRN-50-2, arXiv 1605.07146, table 8: (N, in_channels, H, W) -> (N, num_classes).

    ResNet-50 whose bottlenecks are twice as wide. Raises `UserError` for settings that make no
    network.
    """
    check_settings(num_classes, in_channels)
    return ResNet(50, num_classes, in_channels, wider=2, stride_on_3x3=True)
