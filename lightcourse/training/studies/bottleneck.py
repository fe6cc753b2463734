"""Study: ReLU in the narrow ends of a block, and where its shortcut goes (chapter 11)."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.nn.functional import relu6

from lightcourse.errors import UserError
from lightcourse.nn import ConvNormAct
from lightcourse.training._exp_variants import Variant
from lightcourse.training.experiment import Comparison
from lightcourse.training.studies._frame import compare, pictures, sized

SHORTCUTS = ("narrow", "wide", "none")
STEM, LAST = 16, 128  # channels of the first and of the last convolution


class Stage(NamedTuple):
    """Blocks of one size: what MobileNetV2 calls a row, with the inner width spelled out."""

    m: int  # channels within a block
    c: int  # channels at its ends
    n: int  # blocks
    s: int  # stride of the first


# the width within stays; the ends have an eighth of it, or as many
ENDS = {
    "narrow": (Stage(32, 4, 2, 1), Stage(64, 8, 2, 2), Stage(96, 12, 2, 2)),
    "wide": (Stage(32, 32, 2, 1), Stage(64, 64, 2, 2), Stage(96, 96, 2, 2)),
}
DEEP = (Stage(32, 6, 3, 1), Stage(64, 12, 3, 2), Stage(96, 24, 3, 2))
# small steps and many, since the chains are deep for their width
OWN = {"train": 1500, "test": 1000, "difficulty": 0.6, "batch_size": 32, "seeds": tuple(range(8))}

SETTINGS = {
    "narrow ends": ("narrow", "none"),
    "wide ends": ("wide", "none"),
    "narrow ends and shortcuts": ("narrow", "narrow"),
}


class Block(nn.Module):
    """MobileNetV2's block (arXiv 1801.04381), with two things to change.

    `relu_ends` puts a ReLU6 behind the projection. The shortcut joins the "narrow" ends, or the
    "wide" maps of this block and the one before, as ResNet's does: sum, then activation.
    (N, c, H, W), wide map before -> (N, c', H / s, W / s), wide map (N, m, H / s, W / s).
    """

    def __init__(self, channels: int, row: Stage, *, first: bool, relu_ends: bool, shortcut: str):
        super().__init__()
        self.shortcut = "none" if first else shortcut
        self.expand = ConvNormAct(channels, row.m, 1)
        stride = row.s if first else 1
        self.spatial = ConvNormAct(row.m, row.m, 3, stride, row.m, activation=None)
        self.project = ConvNormAct(row.m, row.c, 1, activation=nn.ReLU6 if relu_ends else None)

    def forward(self, x: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        wide = self.spatial(self.expand(x))
        if self.shortcut == "wide" and before is not None:
            wide = wide + before
        wide = relu6(wide)
        narrow = self.project(wide)
        return (x + narrow if self.shortcut == "narrow" else narrow), wide


class Chain(nn.Module):
    """A stem with stride 2, the blocks of the stages, a last 1×1 convolution, a linear head.

    (N, 3, H, W) -> (N, classes).

    >>> import torch
    >>> Chain(ENDS["narrow"])(torch.zeros(1, 3, 16, 16)).shape
    torch.Size([1, 10])
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        *,
        relu_ends: bool = False,
        shortcut: str = "narrow",
        classes: int = 10,
    ) -> None:
        super().__init__()
        if shortcut not in SHORTCUTS:
            raise UserError(f"There is no shortcut {shortcut!r}; choose {', '.join(SHORTCUTS)}.")
        self.stem = ConvNormAct(3, STEM, 3, 2)
        channels, self.blocks = STEM, nn.ModuleList()
        for row in stages:
            for i in range(row.n):
                self.blocks.append(
                    Block(channels, row, first=i == 0, relu_ends=relu_ends, shortcut=shortcut)
                )
                channels = row.c
        self.last = ConvNormAct(channels, LAST, 1)
        self.classifier = nn.Linear(LAST, classes)

    def forward(self, x: Tensor) -> Tensor:
        x, wide = self.stem(x), None
        for block in self.blocks:
            x, wide = block(x, wide)
        return self.classifier(self.last(x).mean((2, 3)))


def _ends(chosen: Sequence[str]) -> tuple[dict[str, Variant], list[tuple[str, str]]]:
    """ReLU or nothing behind the projection; wide ends are the control."""
    table, pairs = {}, []
    for setting in chosen:
        if setting not in SETTINGS:
            raise UserError(f"There is no setting {setting!r}; choose of {', '.join(SETTINGS)}.")
        ends, shortcut = SETTINGS[setting]
        for word in ("linear", "ReLU"):
            build = partial(Chain, ENDS[ends], relu_ends=word == "ReLU", shortcut=shortcut)
            table[f"{word}, {setting}"] = Variant(build)
        pairs.append((f"linear, {setting}", f"ReLU, {setting}"))
    return table, pairs


def _shortcuts() -> tuple[dict[str, Variant], list[tuple[str, str]]]:
    table = {name: Variant(partial(Chain, DEEP, shortcut=name)) for name in SHORTCUTS}
    return table, [("narrow", "none"), ("narrow", "wide")]


def bottleneck(
    *,
    about: str = "relu",
    quick: bool = False,
    ends: Sequence[str] | None = None,
    **settings: Any,
) -> Comparison:
    """Compare blocks with a linear and a ReLU projection, or with shortcuts at different places.

    MobileNetV2, arXiv 1801.04381, figure 6. About "relu", claims: linear beats ReLU with ends of an
    eighth of the inner width, with ends as wide as the inside, and with narrow ends and shortcuts
    (`ends` names some of the three; quick: the last). About "shortcut", nine blocks: narrow ends
    joined beat no shortcut, and beat wide maps joined. Both sides of a claim have the same MACs.
    Raises `UserError` for another topic or setting.
    """
    if about not in ("relu", "shortcut"):
        raise UserError(f'about is "relu" or "shortcut", not {about!r}.')
    chosen = sized(quick, {**({} if quick else OWN), **settings})
    names = list(ends or SETTINGS)[-1 if quick and not ends else 0 :]
    table, pairs = _ends(names) if about == "relu" else _shortcuts()
    question = {
        "relu": "does a ReLU in the narrow ends of a block cost accuracy?",
        "shortcut": "where does a block's shortcut belong: narrow ends, wide maps, nowhere?",
    }
    return compare(
        "bottleneck", table, pictures(chosen), chosen, claims=pairs,
        own={"about": about, "ends": names},
        question=question[about],
    )  # fmt: skip
