"""ShiftNet-A and ShiftResNet: 1×1 convolutions with shifts in between (arXiv 1711.08141)."""

from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.errors import UserError
from lightcourse.models._network import Network, Paper, check_settings, init_weights
from lightcourse.nn import ConvNormAct, Shift, ShiftBlock

PAPER = Paper(
    "Shift: A Zero FLOP, Zero Parameter Alternative to Spatial Convolutions",
    2017,
    "arXiv 1711.08141",
    "ShiftNet-A is published with 4.1 M parameters and 1.4 G multiply-adds; we count 4,188,680 and "
    "1,424,306,176. Of ShiftNet-B and C no layer table is at hand. ShiftResNet follows the "
    "authors' code; its count.py prints 16,581,248 multiply-adds for 20 layers and e=3 because it "
    "counts the stem as 9·64 for each pixel instead of 9·48: 16,433,792.",
)

STEM = 32
# The paper's table of ShiftNet-A, one row a group; its first block halves the picture
ROWS = (
    # channels, repeats, kernel, E of the first block, E of the others
    (64, 5, 5, 4, 4),
    (128, 6, 5, 4, 3),
    (256, 7, 3, 3, 2),
    (512, 3, 3, 2, 1),
)


class ShiftNetA(Network):
    """A 7×7 stem, then nothing spatial but shifts and averages."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        now = STEM
        layers: list[nn.Module] = [nn.Conv2d(in_channels, now, 7, 2, padding=3, bias=False)]
        for channels, repeats, kernel, first, others in ROWS:
            layers.append(ShiftBlock(now, channels, 2, first, kernel))
            layers += [
                ShiftBlock(channels, channels, 1, others, kernel) for _ in range(repeats - 1)
            ]
            now = channels
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(now), nn.ReLU(inplace=True))
        self.classifier = nn.Linear(now, num_classes)
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def shiftnet_a(num_classes: int = 1000, in_channels: int = 3) -> ShiftNetA:
    """Build ShiftNet-A, arXiv 1711.08141, section 4: (N, in_channels, H, W) -> (N, num_classes).

    >>> sum(p.numel() for p in shiftnet_a().parameters())
    4188680
    """
    check_settings(num_classes, in_channels)
    return ShiftNetA(num_classes, in_channels)


class ShiftResidual(nn.Module):
    """ResNet's block with conv-shift-conv in place of its 3×3, as in the authors' code."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: float) -> None:
        super().__init__()
        middle = int(out_channels * expansion)
        self.work = nn.Sequential(
            ConvNormAct(in_channels, middle, 1, activation=nn.ReLU),
            Shift(middle),
            *ConvNormAct(middle, out_channels, 1, stride, activation=None),
        )
        self.shortcut = nn.Sequential()
        if stride == 2 or in_channels != out_channels:
            self.shortcut = ConvNormAct(in_channels, out_channels, 1, stride, activation=None)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, out_channels, H / stride, W / stride)."""
        return F.relu(self.work(x) + self.shortcut(x))


class ShiftResNet(Network):
    """ResNet for CIFAR of 6n + 2 layers: three stages of n blocks with 16, 32, 64 channels."""

    def __init__(self, n: int, expansion: float, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        now = 16
        layers: list[nn.Module] = [ConvNormAct(in_channels, now, activation=nn.ReLU)]
        for out in (16, 32, 64):
            for repeat in range(n):
                stride = 2 if repeat == 0 and out > 16 else 1
                layers.append(ShiftResidual(now, out, stride, expansion))
                now = out
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(now, num_classes)
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def _shiftresnet(n: int, num_classes: int, in_channels: int, expansion: float) -> ShiftResNet:
    check_settings(num_classes, in_channels)
    if isinstance(expansion, bool) or not isinstance(expansion, int | float) or expansion < 1:
        raise UserError(
            f"expansion is {expansion!r}; it widens the blocks, so it is 1 or more (1 to 9 in the "
            "paper)."
        )
    return ShiftResNet(n, expansion, num_classes, in_channels)


def shiftresnet20(num_classes: int = 10, in_channels: int = 3, expansion: float = 3) -> ShiftResNet:
    """Build ShiftResNet-20, arXiv 1711.08141: (N, in_channels, 32, 32) -> (N, num_classes).

    `expansion` is the paper's ε, from 1 to 9. Raises `UserError` for less than 1.

    >>> sum(p.numel() for p in shiftresnet20().parameters())
    95642
    """
    return _shiftresnet(3, num_classes, in_channels, expansion)


def shiftresnet56(num_classes: int = 10, in_channels: int = 3, expansion: float = 3) -> ShiftResNet:
    """Build ShiftResNet-56, arXiv 1711.08141: (N, in_channels, 32, 32) -> (N, num_classes).

    >>> sum(p.numel() for p in shiftresnet56(expansion=1).parameters())
    102106
    """
    return _shiftresnet(9, num_classes, in_channels, expansion)


def shiftresnet110(
    num_classes: int = 10, in_channels: int = 3, expansion: float = 3
) -> ShiftResNet:
    """Build ShiftResNet-110, arXiv 1711.08141: (N, in_channels, 32, 32) -> (N, num_classes).

    >>> sum(p.numel() for p in shiftresnet110(expansion=1).parameters())
    202906
    """
    return _shiftresnet(18, num_classes, in_channels, expansion)
