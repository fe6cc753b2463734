"""The networks of ShuffleNet V2's four micro-benchmarks, as rows beside the paper's speeds."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from torch import Tensor, nn

BLOCKS = 10  # every network stacks ten of its blocks

# (channels on GPU, channels on ARM), pictures a second in the paper: GPU batches/s, ARM images/s
G1_ROWS = (
    # c1 : c2, GPU c1 c2, ARM c1 c2, GPU, ARM                                       (table 1)
    ("1 : 1", (128, 128), (32, 32), 1480, 76.2),
    ("1 : 2", (90, 180), (22, 44), 1296, 72.9),
    ("1 : 6", (52, 312), (13, 78), 876, 69.1),
    ("1 : 12", (36, 432), (9, 108), 748, 57.6),
)
G2_ROWS = (
    # g, GPU c, CPU c, GPU, CPU                                                     (table 2)
    (1, 128, 64, 2451, 40.0),
    (2, 180, 90, 1725, 35.0),
    (4, 256, 128, 1026, 32.9),
    (8, 360, 184, 634, 27.8),  # the paper prints 180 for the CPU, which 8 does not divide
)
G3_ROWS = (
    # structure, fragments, in series, GPU c = 128, CPU c = 64                      (table 3)
    ("1 fragment", 1, True, 2446, 40.2),
    ("2 in series", 2, True, 1790, 38.6),
    ("4 in series", 4, True, 752, 38.4),
    ("2 in parallel", 2, False, 1537, 33.4),
    ("4 in parallel", 4, False, 691, 35.0),
)
G4_ROWS = (
    # ReLU, shortcut, GPU c = 32, CPU c = 32                                        (table 4)
    (True, True, 2427, 56.7),
    (True, False, 2647, 61.9),
    (False, True, 2672, 57.3),
    (False, False, 2842, 66.3),
)


class Case(NamedTuple):
    """One row of a table: a network, its input's channels and the paper's two speeds."""

    name: str
    channels: str
    network: nn.Module
    in_channels: int
    paper_gpu: float
    paper_arm: float


def _pointwise(in_channels: int, out_channels: int, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 1, groups=groups, bias=False)


class Parallel(nn.Module):
    """Branches that see the same input and are added: (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of all branches."""
        first, *others = self.branches
        out = first(x)
        for branch in others:
            out = out + branch(x)
        return out


class Bottleneck(nn.Module):
    """1×1 to a quarter, 3×3, 1×1 back; ReLU and shortcut can be left out."""

    def __init__(self, channels: int, relu: bool, shortcut: bool) -> None:
        super().__init__()
        inner = channels // 4
        convs = (
            _pointwise(channels, inner),
            nn.Conv2d(inner, inner, 3, padding=1, bias=False),
            _pointwise(inner, channels),
        )
        layers = [layer for c in convs for layer in ([c, nn.ReLU()] if relu else [c])]
        self.body = nn.Sequential(*layers)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, (N, C, H, W) -> (N, C, H, W)."""
        return x + self.body(x) if self.shortcut else self.body(x)


def _stack(block: Callable[[], nn.Module]) -> nn.Sequential:
    return nn.Sequential(*(block() for _ in range(BLOCKS)))


def g1_cases(gpu: bool) -> Iterator[Case]:
    """Two 1×1 convolutions a block: c1 → c2 → c1."""
    for name, on_gpu, on_arm, fps_gpu, fps_arm in G1_ROWS:
        c1, c2 = on_gpu if gpu else on_arm
        net = _stack(lambda a=c1, b=c2: nn.Sequential(_pointwise(a, b), _pointwise(b, a)))
        yield Case(f"c1 : c2 = {name}", f"{c1}, {c2}", net, c1, fps_gpu, fps_arm)


def g2_cases(gpu: bool) -> Iterator[Case]:
    """One 1×1 convolution of g groups a block."""
    for g, on_gpu, on_arm, fps_gpu, fps_arm in G2_ROWS:
        c = on_gpu if gpu else on_arm
        net = _stack(lambda c=c, g=g: _pointwise(c, c, g))
        yield Case(f"g = {g}", str(c), net, c, fps_gpu, fps_arm)


def g3_cases(gpu: bool) -> Iterator[Case]:
    """One to four 1×1 convolutions a block; channels are cut so that the FLOPs stay."""
    for name, fragments, series, fps_gpu, fps_arm in G3_ROWS:
        c = round((128 if gpu else 64) / fragments**0.5)
        join = nn.Sequential if series else Parallel
        net = _stack(lambda c=c, n=fragments, j=join: j(*(_pointwise(c, c) for _ in range(n))))
        yield Case(name, str(c), net, c, fps_gpu, fps_arm)


def g4_cases(gpu: bool) -> Iterator[Case]:
    """A bottleneck with and without ReLU and shortcut."""
    for relu, shortcut, fps_gpu, fps_arm in G4_ROWS:
        words = [w for w, there in (("ReLU", relu), ("shortcut", shortcut)) if there]
        net = _stack(lambda r=relu, s=shortcut: Bottleneck(32, r, s))
        yield Case(" + ".join(words) or "neither", "32", net, 32, fps_gpu, fps_arm)
