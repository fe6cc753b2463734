"""DenseNet: every layer reads all that came before it in its block (arXiv 1608.06993)."""

from collections import OrderedDict
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.errors import UserError
from lightcourse.models._network import Network, Paper, check_settings, init_weights
from lightcourse.models._variants import check_choice
from lightcourse.nn.dense import DenseBlock, Transition

PAPER = Paper(
    "Densely Connected Convolutional Networks",
    2016,
    "arXiv 1608.06993",
    "densenet_cifar without bottlenecks is the paper's: 16 maps first, transitions that keep all "
    "maps, 1,019,722 parameters at 40 layers and growth 12. pytorchcv starts with twice the "
    "growth and halves there too, 599,050: variant='pytorchcv'. With bottlenecks (DenseNet-BC) "
    "both do that.",
)

# Table 1 of the paper, 161 from its first version
# depth: growth k, first maps, layers of the four blocks
SIZES = {
    121: (32, 64, (6, 12, 24, 16)),
    169: (32, 64, (6, 12, 32, 32)),
    201: (32, 64, (6, 12, 48, 32)),
    161: (48, 96, (6, 12, 36, 24)),
}


class DenseNet(Network):
    """Dense blocks with transitions between; torchvision's weights fit by name.

    `small_input` is the stem for CIFAR: one 3×3 at stride 1, and no pool.
    """

    def __init__(
        self,
        growth: int,
        first: int,
        blocks: tuple[int, ...],
        num_classes: int = 1000,
        in_channels: int = 3,
        dropout: float = 0.0,
        bottleneck: bool = True,
        compression: float = 0.5,
        small_input: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        kernel, stride = (3, 1) if small_input else (7, 2)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        layers["conv0"] = nn.Conv2d(in_channels, first, kernel, stride, kernel // 2, bias=False)
        if not small_input:
            layers["norm0"] = nn.BatchNorm2d(first)
            layers["relu0"] = nn.ReLU(inplace=True)
            layers["pool0"] = nn.MaxPool2d(3, 2, padding=1)
        channels = first
        for number, repeats in enumerate(blocks, 1):
            if number > 1:
                kept = int(channels * compression)
                layers[f"transition{number - 1}"] = Transition(channels, kept, dropout)
                channels = kept
            block = DenseBlock(channels, repeats, growth, bottleneck, dropout)
            layers[f"denseblock{number}"] = block
            channels = block.out_channels
        layers["norm5"] = nn.BatchNorm2d(channels)
        self.features = nn.Sequential(layers)
        self.classifier = nn.Linear(channels, num_classes)
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(F.relu(self.features(x), inplace=True).mean((2, 3)))


def densenet(
    depth: int, num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.0
) -> DenseNet:
    """Build a DenseNet, arXiv 1608.06993, table 1: (N, in_channels, H, W) -> (N, num_classes).

    `depth` is 121, 169, 201 or 161, as in the names `densenet121` … `densenet161`. `dropout`
    follows every convolution of a block. Raises `UserError` for other depths, and for settings
    that make no network.

    >>> sum(p.numel() for p in densenet121().parameters())
    7978856
    """
    check_settings(num_classes, in_channels, dropout=dropout)
    check_choice("depth", depth, SIZES)
    return DenseNet(*SIZES[depth], num_classes, in_channels, dropout)


densenet121 = partial(densenet, 121)
densenet169 = partial(densenet, 169)
densenet201 = partial(densenet, 201)
densenet161 = partial(densenet, 161)


def densenet_cifar(
    depth: int = 40,
    growth: int = 12,
    bottleneck: bool = False,
    num_classes: int = 10,
    in_channels: int = 3,
    dropout: float = 0.0,
    variant: str = "paper",
) -> DenseNet:
    """Build a DenseNet for 32×32 pictures: (N, in_channels, H, W) -> (N, num_classes).

    arXiv 1608.06993, section 3 and table 2: three blocks of (depth - 4) / 3 convolutions; with
    `bottleneck` DenseNet-BC, two convolutions a layer. The paper drops out 0.2 where pictures are
    not augmented. Raises `UserError` for other depths, and for settings that make no network.

    >>> sum(p.numel() for p in densenet_cifar().parameters())
    1019722
    """
    check_settings(num_classes, in_channels, dropout=dropout, bottleneck=bottleneck)
    check_choice("variant", variant, ("paper", "pytorchcv"))
    step = 6 if bottleneck else 3
    if depth < 4 + step or (depth - 4) % step:
        raise UserError(f"A depth of {depth} is not {step}n + 4, such as 40 or 100.")
    if growth < 1 or growth != int(growth):
        raise UserError(f"growth is {growth}; each layer adds 1, 2, 3, … maps.")
    compact = bottleneck or variant == "pytorchcv"
    first, compression = (2 * growth, 0.5) if compact else (16, 1.0)
    blocks = ((depth - 4) // step,) * 3
    return DenseNet(
        growth, first, blocks, num_classes, in_channels, dropout, bottleneck, compression, True
    )
