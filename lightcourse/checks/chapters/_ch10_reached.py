"""Exercise 10.reached: at which layer a network has halved the picture how often."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import Any

import torch
from torch import nn

from lightcourse.checks.chapters._ch10_layers import FAST, SLOW, Layer, layers_of, random_layers
from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome


def cases(rng: Random) -> Iterator[Case]:
    yield _case([("conv", 8, 2), ("depthwise", 8, 1), ("depthwise", 8, 2)], "two halvings")
    yield _case([("conv", 8, 1), ("pointwise", 16, 1)], "no stride at all")
    yield _case([("conv", 8, 2)] * 3, "three at once: a factor of 8")
    yield _case([("conv", 8, 1), ("conv", 8, 4), ("depthwise", 8, 2)], "a stride of 4")
    yield _case([("conv", 8, 3), ("depthwise", 8, 1), ("pointwise", 8, 2)], "a stride of 3")
    yield _case([("conv", 8, 2)] * 6, "six at once: a factor of 64")
    yield _case(layers_of(SLOW), "MobileNet, all 28 layers")
    yield _case([], "no layer at all")
    for _ in range(4):
        yield _case(random_layers(rng))


def _case(layers: Sequence[Layer], label: str = "") -> Case:
    return Case(([*layers],), label=label)


def by_shapes(layers: Sequence[Layer]) -> dict[int, int]:
    """Send a long row of pixels through real layers, and read the length of what they write."""
    length = 2 * 2 * 3 * 4**6
    signal = torch.empty(1, 1, length, device="meta")
    found: dict[int, int] = {}
    for number, (kind, _, stride) in enumerate(layers, 1):
        if kind != "linear":
            size = 1 if kind == "pointwise" else 3
            signal = nn.Conv1d(1, 1, size, stride, size // 2, device="meta")(signal)
        if (factor := length // signal.shape[-1]) > 1:
            found.setdefault(factor, number)
    return found


def walk(
    count: Callable[[int, Sequence[Layer]], int] = lambda number, layers: number,
    join: Callable[[int, int], int] = lambda factor, stride: factor * stride,
    keep_last: bool = False,
    from_one: bool = False,
    late: bool = False,
) -> Callable[..., dict[int, int]]:
    """A walk with rules of its own: what is counted, how strides join, which layer is kept."""

    def reached(layers: Sequence[Layer]) -> dict[int, int]:
        factor, found = 1, {}
        for number, (_, _, stride) in enumerate(layers, 1):
            before = factor
            factor = join(factor, stride)
            at = before if late else factor
            if at > 1 or from_one:
                if keep_last:
                    found[at] = count(number, layers)
                else:
                    found.setdefault(at, count(number, layers))
        return found

    return reached


def _blocks(number: int, layers: Sequence[Layer]) -> int:
    """Blocks up to a layer: a depthwise layer and the pointwise one behind it are one block."""
    kinds = [kind for kind, _, _ in layers[:number]]
    return len(kinds) - sum(a == "depthwise" and b == "pointwise" for a, b in pairwise(kinds))


def _strided(number: int, layers: Sequence[Layer]) -> int:
    return sum(stride > 1 for _, _, stride in layers[:number])


def _only_own(layers: Sequence[Layer]) -> dict[int, int]:
    found: dict[int, int] = {}
    for number, (_, _, stride) in enumerate(layers, 1):
        if stride > 1:
            found.setdefault(stride, number)
    return found


def _from_sides(shrink: Callable[[int, int], int]) -> Callable[..., dict[int, int]]:
    """The factor from the side of the map, which is whole only while 224 can be divided."""

    def reached(layers: Sequence[Layer]) -> dict[int, int]:
        side, found = 224, {}
        for number, (_, _, stride) in enumerate(layers, 1):
            side = max(1, shrink(side, stride))
            if 224 // side > 1:
                found.setdefault(224 // side, number)
        return found

    return reached


def _turned(outcome: Outcome) -> bool:
    return outcome.got == {number: factor for factor, number in outcome.want.items()}


def _with_start(outcome: Outcome) -> bool:
    got = dict(outcome.got)
    return got.pop(1, None) is not None and got == outcome.want


def _names_as_text(outcome: Outcome) -> bool:
    if not any(isinstance(key, str) for key in outcome.got):
        return False
    return {str(key) for key in outcome.want} == {str(key).rstrip("x×") for key in outcome.got}


MISTAKES = (
    Mistake(
        "counted-from-zero",
        "Your layers are counted from 0. Here the first layer is number 1, as people count.",
        mimic=walk(lambda number, layers: number - 1),
        hint=2,
    ),
    Mistake(
        "last-not-first",
        "You keep the last layer at which a factor holds. Later layers overwrite the entry: write"
        " it only where it is new.",
        mimic=walk(keep_last=True),
        hint=2,
    ),
    Mistake(
        "strides-added",
        "You add up the strides. Halving twice leaves a quarter: factors are multiplied. (2 + 2 and"
        " 2 · 2 are the same, 2 + 2 + 2 and 2 · 2 · 2 are not.)",
        mimic=walk(join=lambda factor, stride: factor + (stride if stride > 1 else 0)),
        hint=1,
    ),
    Mistake(
        "strides-added",
        "You add up the strides. Halving twice leaves a quarter: factors are multiplied. (2 + 2 and"
        " 2 · 2 are the same, 2 + 2 + 2 and 2 · 2 · 2 are not.)",
        mimic=walk(
            join=lambda factor, stride: (
                (0 if factor == 1 else factor) + stride if stride > 1 else factor
            )
        ),
        hint=1,
    ),
    Mistake(
        "only-strided-counted",
        "You count the layers with a stride only. The claim is about all layers: how many the"
        " picture has gone through by then.",
        mimic=walk(_strided),
        hint=2,
    ),
    Mistake(
        "blocks-counted",
        "You count a depthwise layer and its pointwise layer as one. They are two layers; that is"
        " how FD-MobileNet comes to 24.",
        mimic=walk(_blocks),
        hint=2,
    ),
    Mistake(
        "one-layer-late",
        "You write the entry before the layer's stride is taken in, so each factor comes one layer"
        " late. The layer with the stride itself writes the smaller map.",
        mimic=walk(late=True),
        hint=2,
    ),
    Mistake(
        "own-stride-only",
        "Your factors are the strides of single layers. The factor is that of all layers so far.",
        mimic=_only_own,
        hint=1,
    ),
    *(
        Mistake(
            "factors-from-sides",
            "You divide 224 by the side of the map. Behind a side of 7 the sides are rounded, and"
            " the quotient is not the factor any more. Multiply the strides.",
            mimic=_from_sides(shrink),
            hint=1,
        )
        for shrink in (lambda side, stride: side // stride, lambda side, stride: -(-side // stride))
    ),
    Mistake(
        "factor-one-listed",
        "Your entries are right, but the factor 1 does not belong: that is the picture itself.",
        matches=_with_start,
        hint=2,
    ),
    Mistake(
        "turned-round",
        "Your dictionary is the wrong way round: wanted is factor: layer.",
        matches=_turned,
        hint=1,
    ),
    Mistake(
        "factors-as-text",
        "Your factors are text. The keys are whole numbers: 2, not '2' or '2×'.",
        matches=lambda outcome: (
            bool(outcome.want) and outcome.got != outcome.want and _names_as_text(outcome)
        ),
        hint=1,
    ),
)


def _stride_one_changes_nothing(reached: Callable[..., Any], rng: Random) -> str | None:
    layers = random_layers(rng)
    before = reached(list(layers))
    if reached([*layers, ("pointwise", 8, 1)]) != before:
        return "A further layer of stride 1 at the end must change nothing, and it does."
    return None


LAWS = (Law("a layer of stride 1 reaches nothing", _stride_one_changes_nothing, hint=2),)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Keep one number, the factor so far. It begins at 1. Each layer multiplies it by its"
        " stride. When that makes a factor that you have not seen, note the layer's number.",
    ),
    Hint(
        "My factors are right, my layers are wrong",
        "By hand: strides 2, 1, 2. Layer 1 makes the factor 2: note 2 → 1. Layer 2 leaves it at 2:"
        " that is in the dictionary already. Layer 3 makes it 4: note 4 → 3. The answer is"
        " {2: 1, 4: 3}.",
    ),
    Hint(
        "How do I count from 1?",
        "`enumerate(layers, 1)` gives the number beside each layer, and begins at 1.",
    ),
)


def show(case: Case) -> str:
    layers = case.args[0]
    if layers == layers_of(SLOW) or layers == layers_of(FAST):
        return f"reached(…)  with {case.label}"
    return f"reached({layers})"
