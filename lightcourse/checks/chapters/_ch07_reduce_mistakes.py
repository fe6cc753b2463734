"""Exercise 07.reduce: known mistakes and hints."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lightcourse.checks.chapters import _ch07_parts as look
from lightcourse.checks.chapters._ch07_reduce import PARTS, branches, variant
from lightcourse.checks.exercise import Hint, Mistake, Outcome


def _order(*places: int) -> Any:
    def run(m: Any, x: Tensor) -> Tensor:
        found = branches(m, x)
        return torch.cat([found[i] for i in places], 1)

    return variant(run)


def _average(m: Any, x: Tensor) -> Tensor:
    return torch.cat([*branches(m, x)[:2], F.avg_pool2d(x, 3, 2)], 1)


def _relu_pool(m: Any, x: Tensor) -> Tensor:
    first, second, pooled = branches(m, x)
    return torch.cat([first, second, pooled.relu()], 1)


def _small_pool(m: Any, x: Tensor) -> Tensor:
    return torch.cat([*branches(m, x)[:2], F.max_pool2d(x, 2, 2)], 1)


def _one(outcome: Outcome, name: str, **what: Any) -> bool:
    return look.has(outcome, name, kind="conv", **what)


def _padded(outcome: Outcome) -> bool:
    return any(_one(outcome, name, stride=2, padding=1) for name in ("direct", "halve"))


def _not_halved(outcome: Outcome) -> bool:
    return any(_one(outcome, name, kernel=3, stride=1) for name in ("direct", "halve"))


def _early(outcome: Outcome) -> bool:
    return _one(outcome, "wide", stride=2) or _one(outcome, "narrow", stride=2)


def _unpadded(outcome: Outcome) -> bool:
    return _one(outcome, "wide", kernel=3, padding=0)


def _from_input(outcome: Outcome) -> bool:
    c, _, narrow, *_ = outcome.case.args
    return c != narrow and _one(outcome, "wide", into=c)


def _narrow_large(outcome: Outcome) -> bool:
    return _one(outcome, "narrow", kernel=3)


def _halve_narrow(outcome: Outcome) -> bool:
    _, _, narrow, wide, *_ = outcome.case.args
    part = outcome.got.parts["halve"][0]
    return narrow != wide and (part.into == narrow or part.out == narrow)


def _bare(outcome: Outcome) -> bool:
    """A part is a convolution alone."""
    return any(all(one.kind == "conv" for one in outcome.got.parts[name]) for name in PARTS)


def _series(outcome: Outcome) -> bool:
    """A part that is made for other channels gets those of another branch."""
    said = str(outcome.error)
    return isinstance(outcome.error, RuntimeError) and "channels, but got" in said


def _pool_misfit(outcome: Outcome) -> bool:
    """Maps of different sizes meet: parts are as wanted, so it is the pool."""
    return "must match except in dimension 1" in str(outcome.error)


MISTAKES = (
    Mistake(
        "name-missing",
        "The check looks for self.direct, self.narrow, self.wide and self.halve. One of them is"
        " missing, or has another name.",
        matches=look.attribute_missing(*PARTS),
        hint=1,
    ),
    Mistake(
        "ready-made",
        "There is a ready-made block of a library inside. Only InceptionConv is allowed here.",
        matches=lambda outcome: bool(outcome.got.extra),
        hint=1,
    ),
    Mistake(
        "norm-missing",
        "A part is a convolution alone. In this network a batch norm and a ReLU follow each one:"
        " InceptionConv has all three.",
        matches=_bare,
        hint=2,
    ),
    Mistake(
        "padded",
        "A 3×3 of stride 2 has padding. The two that halve the map have none, so 35 becomes 17."
        " InceptionConv takes half the kernel unless the padding is given.",
        matches=_padded,
        hint=2,
    ),
    Mistake(
        "not-halved",
        "self.direct or self.halve has stride 1. Each of the two ends its branch, and halves the"
        " map.",
        matches=_not_halved,
        hint=2,
    ),
    Mistake(
        "halved-early",
        "The deep branch halves the map before its last layer. self.halve does that; the two before"
        " it keep the size.",
        matches=_early,
        hint=2,
    ),
    Mistake(
        "wide-unpadded",
        "self.wide has no padding, so the map loses its border there. It keeps the size.",
        matches=_unpadded,
        hint=2,
    ),
    Mistake(
        "wide-reads-input",
        "self.wide is made for in_channels. It reads what self.narrow gives out: that is what makes"
        " the branch cheap.",
        matches=_from_input,
        hint=2,
    ),
    Mistake(
        "narrow-large",
        "self.narrow has 3×3 kernels. It only makes the channels fewer: 1×1.",
        matches=_narrow_large,
        hint=2,
    ),
    Mistake(
        "halve-narrow",
        "self.halve goes from `wide` channels to `wide` channels.",
        matches=_halve_narrow,
        hint=2,
    ),
    Mistake(
        "cat-axis",
        "You do not put the branches together along the channels. The channels are axis 1:"
        " torch.cat([…], 1). Without a number, torch takes axis 0, the pictures.",
        matches=look.cat_axis,
        hint=3,
    ),
    Mistake(
        "pool-small",
        "Your pool has a window of 2×2. Here it is 3×3 with stride 2, so that it gives a map of the"
        " same size as the convolutions do, on even maps too.",
        mimic=variant(_small_pool),
        hint=3,
    ),
    Mistake(
        "fed-wrongly",
        "A layer gets channels that it is not made for. self.direct and self.narrow read x;"
        " self.wide"
        " reads what narrow gives, self.halve what wide gives.",
        matches=_series,
        hint=3,
    ),
    Mistake(
        "pool-does-not-fit",
        "Your branches end in maps of different sizes. The pool has a window of 3×3, stride 2, no"
        " padding, and rounds down.",
        matches=_pool_misfit,
        hint=3,
    ),
    Mistake(
        "pool-forgotten",
        "The pooled input is missing. It is a third branch: no weights, and as many channels as"
        " came"
        " in.",
        mimic=_order(0, 1),
        hint=3,
    ),
    Mistake(
        "pool-first",
        "The right branches in the wrong order: first direct, then the deep one, last the pool.",
        mimic=_order(2, 0, 1),
        hint=3,
    ),
    Mistake(
        "deep-first",
        "The right branches in the wrong order: direct comes before the deep one.",
        mimic=_order(1, 0, 2),
        hint=3,
    ),
    Mistake(
        "pool-second",
        "The right branches in the wrong order: the pool comes last.",
        mimic=_order(0, 2, 1),
        hint=3,
    ),
    Mistake(
        "pool-average",
        "Your pool takes the mean. This one takes the maximum.",
        mimic=variant(_average),
        hint=3,
    ),
    Mistake(
        "pool-activated",
        "The pooled input goes through a ReLU. It is passed on as it is.",
        mimic=variant(_relu_pool),
        hint=3,
    ),
    Mistake(
        "parts-too-many",
        "The output is right, but the block has more parameters than its four layers need.",
        matches=look.too_many,
        hint=2,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Four InceptionConv in `__init__`. In `forward` three results, each made from x or from"
        " what"
        " was made of it, then torch.cat([…], 1).",
    ),
    Hint(
        "A part is not the one wanted",
        "direct: InceptionConv(in_channels, direct, 3, 2, 0). narrow: InceptionConv(in_channels,"
        " narrow, 1). wide: InceptionConv(narrow, wide, 3). halve: InceptionConv(wide, wide, 3, 2,"
        " 0).",
    ),
    Hint(
        "My shapes are wrong, my values are wrong, or I get RuntimeError",
        "The branches in this order: self.direct(x); self.halve(self.wide(self.narrow(x)));"
        " F.max_pool2d(x, 3, 2), which is torch.nn.functional's. A map of 35 gives 17 in all"
        " three.",
    ),
)
