"""GoogLeNet: four kernels side by side, the wide ones behind narrow 1×1s (arXiv 1409.4842)."""

from functools import partial

from torch import nn

from lightcourse.models._inception import InceptionNetwork
from lightcourse.models._network import Paper, check_settings
from lightcourse.models._variants import check_choice
from lightcourse.nn.inception import Chain, InceptionConv, Row

PAPER = Paper(
    "Going Deeper with Convolutions",
    2014,
    "arXiv 1409.4842",
    "Table 1 as printed, without batch norm: 6,998,552 parameters, 13,378,280 with both side "
    "heads, where the paper's table adds up to 6.8 M. torchvision's net has batch norm, and 3×3 "
    "in place of every 5×5 by an old mistake, 6,624,904: variant='torchvision'. Response "
    "normalisation has the constants of Caffe's copy, as the paper names none. dropout is the "
    "paper's 0.4 in both variants; torchvision's own has 0.2.",
)

MAX = partial(nn.MaxPool2d, ceil_mode=True)  # 112 -> 56 -> 28 without a frame of padding
LRN = nn.LocalResponseNorm

# Table 1 of the paper: one row for each module; a pool stands before 4a and before 5a
MODULES = {
    #  #1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def module(name: str, five: int = 5) -> Row:
    """Figure 2(b) of the paper with the numbers of one row; `five` is the widest kernel."""
    one, three_reduce, three, five_reduce, widest, proj = MODULES[name]
    return [
        [(one, 1)],
        [(three_reduce, 1), (three, 3)],
        [(five_reduce, 1), (widest, five)],
        [(MAX, 3, 1, 1), (proj, 1)],
    ]


class SideHead(nn.Sequential):
    """A small classifier on a map in the middle, for training only; section 5 of the paper.

    The paper's pooling, 5×5 at stride 3, gives the 4×4 places that the linear layer reads only
    from a map of 14 to 16, so from pictures of about 224; torchvision's gives them from any map.
    """

    def __init__(
        self, in_channels: int, num_classes: int, pool: nn.Module, conv: type | partial
    ) -> None:
        super().__init__(
            pool,
            conv(in_channels, 128, 1),
            nn.Flatten(),
            nn.Linear(128 * 4 * 4, 1024),
            nn.ReLU(inplace=True),
            nn.Dropout(0.7),
            nn.Linear(1024, num_classes),
        )


class GoogLeNet(InceptionNetwork):
    """The network of table 1, in three parts: the side heads listen between them."""

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        dropout: float = 0.4,
        aux_classifiers: bool = False,
        variant: str = "paper",
    ) -> None:
        paper = variant == "paper"
        norm = None if paper else partial(nn.BatchNorm2d, eps=1e-3)
        conv = partial(InceptionConv, norm=norm, bias=paper)
        block = partial(module, five=5 if paper else 3)
        lrn = [(LRN, 5)] if paper else []
        stem = [(64, 7, 2), (MAX, 3, 2), *lrn, (64, 1), (192, 3), *lrn, (MAX, 3, 2)]
        rows = (
            [*stem, block("3a"), block("3b"), (MAX, 3, 2), block("4a")],
            [block("4b"), block("4c"), block("4d")],
            [block("4e"), (MAX, 3 if paper else 2, 2), block("5a"), block("5b")],
        )
        parts, channels = [], in_channels
        for part in rows:
            parts.append(Chain(channels, part, conv))
            channels = parts[-1].out_channels
        heads = []
        if aux_classifiers:
            for part in parts[:2]:
                pool = nn.AvgPool2d(5, 3) if paper else nn.AdaptiveAvgPool2d(4)
                heads.append(SideHead(part.out_channels, num_classes, pool, conv))
        super().__init__(parts, channels, num_classes, in_channels, dropout, heads)


def googlenet(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.4,
    aux_classifiers: bool = False,
    variant: str = "paper",
) -> GoogLeNet:
    """Build GoogLeNet, arXiv 1409.4842, table 1: (N, in_channels, 224, 224) -> (N, num_classes).

    With `aux_classifiers`, training mode returns (output, head after 4a, head after 4d); the
    paper adds their losses times 0.3. `dropout` is the paper's 0.4 in both variants; torchvision's
    own has 0.2. Raises `UserError` for settings that make no network.

    >>> sum(p.numel() for p in googlenet().parameters())
    6998552
    """
    check_settings(num_classes, in_channels, dropout=dropout, aux_classifiers=aux_classifiers)
    check_choice("variant", variant, ("paper", "torchvision"))
    return GoogLeNet(num_classes, in_channels, dropout, aux_classifiers, variant)
