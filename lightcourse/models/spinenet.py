"""SpineNet-49: a backbone whose scales go up and down as a search found best (arXiv 1912.05027)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.models._network import Network, Paper, check_settings
from lightcourse.nn import ConvNormAct
from lightcourse.nn.residual import BasicBlock, Bottleneck

PAPER = Paper(
    "SpineNet: Learning Scale-Permuted Backbone for Recognition and Localization",
    2019,
    "arXiv 1912.05027",
    "The published 22.1 M parameters and 3.5 G multiply-adds at 224 are the backbone with its five "
    "1×1 endpoints (21,831,488 and 3,477,684,224) and a linear layer (257,000 more). The authors' "
    "code lists one more block, of level 2, that no endpoint reads: we leave it out. Its maps grow "
    "by a whole factor; ours to the size of their level, so any picture fits.",
)

# level -> width of its blocks; a map of level l has stride 2^l
FILTERS = {2: 64, 3: 128, 4: 256, 5: 256, 6: 256, 7: 256}
BOTTLENECK, RESIDUAL = "bottleneck", "residual"

# Figure 5(b): blocks in their order; maps 0 and 1 come from the stem, so these make maps 2, 3, …
ROWS = (
    # level, block, the two parents, and a map of this level that nobody else reads
    (2, BOTTLENECK, (0, 1), None),
    (4, RESIDUAL, (0, 1), None),
    (3, BOTTLENECK, (2, 3), None),
    (4, BOTTLENECK, (2, 4), None),
    (6, RESIDUAL, (3, 5), None),
    (4, BOTTLENECK, (3, 5), None),
    (5, RESIDUAL, (6, 7), None),
    (7, RESIDUAL, (6, 8), None),
    (5, BOTTLENECK, (8, 9), None),
    (5, BOTTLENECK, (8, 10), None),
    (4, BOTTLENECK, (5, 10), None),
    (3, BOTTLENECK, (4, 10), None),
    (5, BOTTLENECK, (7, 12), 11),
    (7, BOTTLENECK, (5, 14), None),
    (6, BOTTLENECK, (12, 14), None),
)
OUTPUTS = {3: 13, 4: 12, 5: 14, 6: 16, 7: 15}  # level -> which map
END_CHANNELS = 256
ALPHA = 0.5  # a connection's inner width, as a share of its parent's


def _channels(level: int, block: str) -> int:
    return FILTERS[level] * (4 if block == BOTTLENECK else 1)


class Resample(nn.Module):
    """Bring a parent's map to a block's size and channels: section 3.2 and figure 4 of the paper.

    1×1 to half the parent's width; down by a strided 3×3 and max pools, or up by the nearest
    pixel; 1×1 without activation. (N, C, H, W) and the wanted size -> (N, out_channels, *size).
    """

    def __init__(self, parent: tuple[int, str], child: tuple[int, str]) -> None:
        super().__init__()
        levels = child[0] - parent[0]
        width = int(FILTERS[parent[0]] * ALPHA)
        layers = [ConvNormAct(_channels(*parent), width, 1, activation=nn.ReLU)]
        if levels > 0:
            layers.append(ConvNormAct(width, width, 3, stride=2, activation=nn.ReLU))
        pools = [nn.MaxPool2d(3, stride=2, padding=1) for _ in range(levels - 1)]
        self.resize = nn.Sequential(*layers, *pools)
        self.up = levels < 0
        self.widen = ConvNormAct(width, _channels(*child), 1, activation=None)

    def forward(self, x: Tensor, size: list[int]) -> Tensor:
        """Return the parent's map as the child wants it."""
        x = self.resize(x)
        return self.widen(F.interpolate(x, size=size, mode="nearest") if self.up else x)


class SpineNet(Network):
    """The blocks of `ROWS`, and a 1×1 endpoint for each of levels 3 to 7."""

    def __init__(self, num_classes: int | None, in_channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.stem = nn.Sequential(
            ConvNormAct(in_channels, 64, 7, stride=2, activation=nn.ReLU),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.first, self.second = Bottleneck(64, 64, 256), Bottleneck(256, 64, 256)
        made = [(2, BOTTLENECK), (2, BOTTLENECK)]
        self.lefts, self.rights, self.blocks = (nn.ModuleList() for _ in range(3))
        for level, block, (a, b), _ in ROWS:
            child, c = (level, block), _channels(level, block)
            self.lefts.append(Resample(made[a], child))
            self.rights.append(Resample(made[b], child))
            self.blocks.append(
                Bottleneck(c, FILTERS[level], c) if block == BOTTLENECK else BasicBlock(c, c)
            )
            made.append(child)
        self.ends = nn.ModuleList(
            ConvNormAct(_channels(*made[m]), END_CHANNELS, 1, activation=nn.ReLU)
            for m in OUTPUTS.values()
        )
        self.classifier = None if num_classes is None else nn.Linear(END_CHANNELS, num_classes)
        self.apply(init_spinenet)

    def endpoints(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the maps at strides 8, 16, 32, 64 and 128, each of 256 channels."""
        sides = x.shape[2:]
        maps = [self.first(self.stem(x))]
        maps.append(self.second(maps[0]))
        rows = zip(ROWS, self.lefts, self.rights, self.blocks, strict=True)
        for (level, _, (a, b), extra), left, right, block in rows:
            size = [(side + 2**level - 1) // 2**level for side in sides]  # strided layers round up
            x = left(maps[a], size) + right(maps[b], size)
            if extra is not None:
                x = x + maps[extra]
            maps.append(block(F.relu(x)))
        return tuple(end(maps[m]) for end, m in zip(self.ends, OUTPUTS.values(), strict=True))

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """(N, in_channels, H, W) -> (N, num_classes), or the five endpoints without a classifier.

        The classifier sees the mean of the five maps' means, which is the authors' average of all
        five, brought to stride 8, wherever each is half as large as the one before.
        """
        ends = self.endpoints(x)
        if self.classifier is None:
            return ends
        return self.classifier(torch.stack([end.mean((2, 3)) for end in ends]).mean(0))


def init_spinenet(module: nn.Module) -> None:
    """Normal start with variance 1 / fan-in, as in the authors' code; use with `apply`."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def spinenet49(num_classes: int | None = 1000, in_channels: int = 3) -> SpineNet:
    """Build SpineNet-49, arXiv 1912.05027: (N, in_channels, H, W) -> (N, num_classes).

    `num_classes=None` makes the detector's backbone: five maps of 256 channels at strides 8 to 128.
    Raises `UserError` for sizes that make no network.

    >>> sum(p.numel() for p in spinenet49(num_classes=None).parameters())
    21831488
    """
    check_settings(1 if num_classes is None else num_classes, in_channels)
    return SpineNet(num_classes, in_channels)
