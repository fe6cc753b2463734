"""LeNet-5: the first convolutional network in daily use (Proceedings of the IEEE 86, 1998)."""

import torch
from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.models._network import Network, Paper, check_settings
from lightcourse.models._variants import check_choice

PAPER = Paper(
    "Gradient-Based Learning Applied to Document Recognition",
    1998,
    "Proc. IEEE 86(11), 2278-2324",
    "The paper's net has 60,000 trainable parameters: sub-sampling with a coefficient and a bias "
    "per map, C3 joined to only some maps (table I), and outputs that are distances to drawn "
    "digits. Tutorials show variant='modern' with 61,706. We return the distances with a minus, "
    "so that the largest output is the answer; the drawings are read off figure 3 by others.",
)

# Table I of the paper: the maps of S2 that each of the 16 maps of C3 reads
C3 = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip

# Figure 3 of the paper: what the 84 units of F6 should look like for each digit, 12 rows of 7
CODES = """
    .#####. ...##.. .#####. ####### .#####. .#####. ..####. ####### .#####. .#####.
    ....... ..###.. ....... .....## ....... ....... .##.... .....## ##...## ##..###
    ..###.. .####.. .#####. ....##. ....... ####### ##..... .....## ##...## ##...##
    .##.##. ...##.. ##...## ...##.. .##..## ##..... ##..... ....##. ##...## ##...##
    ##...## ...##.. #....## ..####. .##..## ##..... ######. ...##.. .#####. ##..###
    ##...## ...##.. ....##. .....## ###..## .####.. ###..## ...##.. ##...## .######
    ##...## ...##.. ..###.. .....## ##...## ..####. ##...## ..##... ##...## .....##
    ##...## ...##.. .##.... .....## ##...## .....## ##...## ..##... ##...## .....##
    .##.##. ...##.. ##..... ##...## ##..### ##...## ###..## ..##... ##...## ....##.
    ..###.. .###### ####### .#####. .###### .#####. .#####. ..##... .#####. .####..
    ....... ....... ....... ....... .....## ....... ....... ....... ....... .......
    ....... ....... ....... ....... .....## ....... ....... ....... ....... .......
"""


class ScaledTanh(nn.Module):
    """1.7159 · tanh(2x / 3), which passes through ±1 at ±1; the paper's appendix A."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the squashed x, of the same shape."""
        return 1.7159 * torch.tanh(x * (2 / 3))


class SubSampling(nn.Module):
    """Sum of 2×2, times a trained coefficient, plus a trained bias: (N, C, H, W) -> halved.

    >>> sum(p.numel() for p in SubSampling(6).parameters())
    12
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels, 1, 1), 0.25))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the scaled and shifted sums."""
        return self.weight * 4 * nn.functional.avg_pool2d(x, 2) + self.bias


class PartialConv(nn.Module):
    """One small convolution for each output map, over the input maps that its row names.

    >>> sum(p.numel() for p in PartialConv(C3, 5).parameters())
    1516
    """

    def __init__(self, table: tuple[tuple[int, ...], ...], kernel_size: int) -> None:
        super().__init__()
        self.table = table
        self.maps = nn.ModuleList(nn.Conv2d(len(row), 1, kernel_size) for row in table)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, rows of the table, H', W')."""
        read = (torch.cat([x[:, i : i + 1] for i in row], 1) for row in self.table)
        return torch.cat([conv(seen) for conv, seen in zip(self.maps, read, strict=True)], 1)


class Distances(nn.Module):
    """Minus the squared distance to each class's drawing: (N, 84) -> (N, num_classes).

    The paper's radial basis functions, equation 7; the drawings are buffers, as they never train.
    """

    codes: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        lines = [line.split() for line in CODES.split("\n") if line]
        drawn = ["".join(digit) for digit in zip(*lines, strict=True)][:num_classes]
        codes = [[1.0 if dot == "#" else -1.0 for dot in digit] for digit in drawn]
        self.register_buffer("codes", torch.tensor(codes))

    def forward(self, x: Tensor) -> Tensor:
        """Return minus the squared distances; the nearest drawing gives the largest."""
        return -(x[:, None] - self.codes).pow(2).sum(2)


class LeNet5(Network):
    """Figure 2 of the paper: C1, S2, C3, S4, C5, F6 and the output."""

    def __init__(self, num_classes: int = 10, in_channels: int = 1, variant: str = "paper") -> None:
        super().__init__()
        self.in_channels = in_channels
        paper = variant == "paper"
        squash = ScaledTanh if paper else nn.Tanh
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 6, 5),  # C1
            squash(),
            *((SubSampling(6), squash()) if paper else (nn.AvgPool2d(2),)),  # S2
            PartialConv(C3, 5) if paper else nn.Conv2d(6, 16, 5),  # C3
            squash(),
            *((SubSampling(16), squash()) if paper else (nn.AvgPool2d(2),)),  # S4
            nn.Conv2d(16, 120, 5),  # C5: a convolution, so that larger pictures give a map
            squash(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(120, 84),  # F6
            squash(),
            Distances(num_classes) if paper else nn.Linear(84, num_classes),
        )
        if paper:
            self.apply(_init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes); 32×32 leaves one place, more are averaged."""
        return self.classifier(self.features(x).mean((2, 3)))


def _init_weights(module: nn.Module) -> None:
    """Uniform within 2.4 / fan-in, as the paper's appendix A says."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        reach = 2.4 / module.weight[0].numel()
        nn.init.uniform_(module.weight, -reach, reach)
        assert module.bias is not None
        nn.init.zeros_(module.bias)


def lenet5(num_classes: int = 10, in_channels: int = 1, variant: str = "paper") -> LeNet5:
    """Build LeNet-5, Proc. IEEE 1998, figure 2: (N, in_channels, 32, 32) -> (N, num_classes).

    "paper" has ten drawn digits, so at most ten classes; "modern" is the tutorials' net: plain
    averages, C3 joined to every map, a linear output. Raises `UserError` for other settings.

    >>> sum(p.numel() for p in lenet5().parameters())
    60000
    >>> sum(p.numel() for p in lenet5(variant="modern").parameters())
    61706
    """
    check_settings(num_classes, in_channels)
    check_choice("variant", variant, ("paper", "modern"))
    if variant == "paper" and num_classes > 10:
        raise UserError(
            f"The paper drew codes for ten digits, not {num_classes} classes; take "
            "variant='modern', whose output is trained."
        )
    return LeNet5(num_classes, in_channels, variant)
