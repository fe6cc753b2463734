"""Darknet-19, Darknet-53 and the Darknet reference network: the backbones of YOLO."""

from collections.abc import Callable

from torch import Tensor, nn

from lightcourse.models._network import Network, Paper, check_settings
from lightcourse.models._variants import check_choice
from lightcourse.nn import ConvNormAct, DarknetUnit
from lightcourse.nn.csp import LEAKY

PAPERS = {
    "darknet19": Paper(
        "YOLO9000: Better, Faster, Stronger",
        2016,
        "arXiv 1612.08242",
        "Table 6 and darknet19.cfg agree. Darknet's 5.58 BFLOPs count a multiplication and an "
        "addition each: 2,790,989,824 MACs at 224.",
    ),
    "darknet53": Paper(
        "YOLOv3: An Incremental Improvement",
        2018,
        "arXiv 1804.02767",
        "Table 1 and darknet53.cfg agree. 18.57 BFLOPs at 256 are 9,285,115,904 MACs; the cfg's "
        "last 1×1 convolution on the averaged map is our linear layer.",
    ),
    "darknet_ref": Paper(
        "Darknet: Open Source Neural Networks in C",
        2013,
        "pjreddie.com/darknet/tiny-darknet",
        "Not a small Darknet-19: seven 3×3 layers, no 1×1 between. As in darknet.cfg the last pool "
        "rounds up, 7×7 to 4×4 at 224: 402,571,264 MACs, the author's 0.81 Bn. "
        "variant='pytorchcv' rounds down, 362,373,120. CSPNet's 0.96 BFLOPs come out with neither: "
        "at 256 both need 0.995.",
    ),
}

# 3×3 and 1×1 convolutions; a max pool that halves the map follows each row but the last
DARKNET19_ROWS = (
    # (kernel, channels) …
    ((3, 32),),
    ((3, 64),),
    ((3, 128), (1, 64), (3, 128)),
    ((3, 256), (1, 128), (3, 256)),
    ((3, 512), (1, 256), (3, 512), (1, 256), (3, 512)),
    ((3, 1024), (1, 512), (3, 1024), (1, 512), (3, 1024)),
)
REFERENCE_ROWS = tuple(((3, 16 * 2**row),) for row in range(7))  # 16, 32, … 1024 channels

# Stages of Darknet-53, and of CSPDarknet-53; each starts with a 3×3 convolution of stride 2
DARKNET53_ROWS = (
    # c channels, n residual units
    (64, 1),
    (128, 2),
    (256, 8),
    (512, 8),
    (1024, 4),
)


def init_darknet(module: nn.Module) -> None:
    """He's normal start by fan-in, as in Darknet's C code; use with `apply`."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def conv_rows(in_channels: int, rows: tuple) -> list[nn.Module]:
    """Return rows of (kernel, channels) convolutions with a max pool between rows."""
    layers: list[nn.Module] = []
    for row in rows:
        if layers:
            layers.append(nn.MaxPool2d(2))
        for kernel, channels in row:
            layers.append(ConvNormAct(in_channels, channels, kernel, activation=LEAKY))
            in_channels = channels
    return layers


class PlainDarknet(Network):
    """Rows of convolutions and pools, a 1×1 convolution per class, and its average."""

    def __init__(self, rows: tuple, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.features = nn.Sequential(*conv_rows(in_channels, rows))
        self.classes = nn.Sequential(nn.Conv2d(rows[-1][-1][1], num_classes, 1))
        self.apply(init_darknet)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classes(self.features(x)).mean((2, 3))


def residual_stage(in_channels: int, channels: int, units: int) -> nn.Sequential:
    """Halve the map, then add `units` residual units: a stage of Darknet-53."""
    down = ConvNormAct(in_channels, channels, stride=2, activation=LEAKY)
    return nn.Sequential(down, *[DarknetUnit(channels, channels // 2) for _ in range(units)])


class DarknetBody(nn.Module):
    """A 3×3 convolution and five stages: (N, C, H, W) -> the maps at strides 8, 16 and 32."""

    def __init__(
        self,
        in_channels: int,
        stage: Callable[[int, int, int], nn.Module] = residual_stage,
        activation: Callable[..., nn.Module] = LEAKY,
    ) -> None:
        super().__init__()
        self.stem = ConvNormAct(in_channels, 32, activation=activation)
        widths = [32, *(c for c, _ in DARKNET53_ROWS)]
        self.stages = nn.ModuleList(
            stage(before, c, n) for before, (c, n) in zip(widths, DARKNET53_ROWS, strict=False)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the last three stages' maps, finest first."""
        x = self.stem(x)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps[2:]


class Darknet53(Network):
    """A Darknet body of five stages, its last map averaged and classified."""

    def __init__(self, body: DarknetBody, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.body = body
        self.classifier = nn.Linear(DARKNET53_ROWS[-1][0], num_classes)
        self.apply(init_darknet)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.body(x)[-1].mean((2, 3)))


def darknet19(num_classes: int = 1000, in_channels: int = 3) -> PlainDarknet:
    """Build Darknet-19, arXiv 1612.08242, table 6: (N, in_channels, H, W) -> (N, num_classes).

    Raises `UserError` for sizes that make no network.

    >>> sum(p.numel() for p in darknet19().parameters())
    20842376
    """
    check_settings(num_classes, in_channels)
    return PlainDarknet(DARKNET19_ROWS, num_classes, in_channels)


def darknet53(num_classes: int = 1000, in_channels: int = 3) -> Darknet53:
    """Build Darknet-53, arXiv 1804.02767, table 1: (N, in_channels, H, W) -> (N, num_classes).

    Raises `UserError` for sizes that make no network.

    >>> sum(p.numel() for p in darknet53().parameters())
    41609928
    """
    check_settings(num_classes, in_channels)
    return Darknet53(DarknetBody(in_channels), num_classes, in_channels)


def darknet_ref(
    num_classes: int = 1000, in_channels: int = 3, variant: str = "darknet"
) -> PlainDarknet:
    """Build Darknet's reference network, darknet.cfg: (N, in_channels, H, W) -> (N, num_classes).

    The class maps pass a LeakyReLU before they are averaged, as in the cfg. The last of the pools
    rounds up as the cfg's does, or down with variant="pytorchcv". Raises `UserError` for sizes that
    make no network.

    >>> sum(p.numel() for p in darknet_ref().parameters())
    7319416
    """
    check_settings(num_classes, in_channels)
    check_choice("variant", variant, ("darknet", "pytorchcv"))
    model = PlainDarknet(REFERENCE_ROWS, num_classes, in_channels)
    pools = [layer for layer in model.features if isinstance(layer, nn.MaxPool2d)]
    pools[-1].ceil_mode = variant == "darknet"
    model.classes.append(LEAKY())
    return model
