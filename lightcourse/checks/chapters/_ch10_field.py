"""Exercise 10.field: the receptive field of a network given as a list of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from lightcourse.checks.chapters._ch10_layers import SLOW, Layer, layers_of, random_layers
from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome


def cases(rng: Random) -> Iterator[Case]:
    yield _case([("conv", 8, 1)], "one 3×3 layer")
    yield _case([("conv", 8, 1), ("depthwise", 8, 1)], "two 3×3 layers")
    yield _case([("conv", 8, 2), ("depthwise", 8, 1)], "a stride, then a 3×3 layer")
    yield _case([("conv", 8, 1), ("pointwise", 8, 1), ("pointwise", 4, 1)], "1×1 layers behind")
    yield _case([("pointwise", 8, 2), ("depthwise", 8, 1)], "a 1×1 layer with a stride")
    yield _case([("conv", 8, 2), ("depthwise", 8, 2), ("linear", 10, 1)], "a classifier")
    yield _case([("conv", 8, 3), ("depthwise", 8, 2), ("depthwise", 8, 1)], "a stride of 3")
    yield _case([], "no layer at all: one pixel")
    yield _case(layers_of(SLOW), "MobileNet, all 28 layers")
    for _ in range(4):
        yield _case(random_layers(rng))


def _case(layers: Sequence[Layer], label: str = "") -> Case:
    return Case(([*layers],), label=label)


def by_looking_back(layers: Sequence[Layer]) -> int:
    """Stand at one unit and look back: every window widens what is needed of the map before."""
    needed = 1
    for kind, _, stride in reversed(layers):
        if kind != "linear":
            needed = (needed - 1) * stride + (1 if kind == "pointwise" else 3)
    return needed


def walk(
    kernel: Callable[[str], int] = lambda kind: 1 if kind in ("pointwise", "linear") else 3,
    begin: int = 1,
    own_stride: bool = False,
    jumps: bool = True,
    ignored: Sequence[str] = (),
    join: Callable[[int, int], int] = lambda jump, stride: jump * stride,
) -> Callable[[Sequence[Layer]], int]:
    """A field with rules of its own; layers of the kinds in `ignored` do not widen the steps."""

    def field(layers: Sequence[Layer]) -> int:
        size, jump = begin, 1
        for kind, _, stride in layers:
            after = jump if kind in ignored else join(jump, stride)
            size += (kernel(kind) - 1) * ((after if own_stride else jump) if jumps else 1)
            jump = after
        return size

    return field


def _all_sizes(outcome: Outcome) -> bool:
    got = outcome.got
    return isinstance(got, list) and (not got or got[-1] in (outcome.want, (outcome.want,)))


def _area(outcome: Outcome) -> bool:
    return outcome.got == outcome.want**2


def _back_by_two(layers: Sequence[Layer]) -> int:
    needed = 1
    for kind, _, stride in reversed(layers):
        needed = needed * stride + (2 if kind in ("conv", "depthwise") else 0)
    return needed


MISTAKES = (
    Mistake(
        "own-stride-first",
        "You let a layer's stride widen its own steps. Its window still steps over the map that it"
        " reads; only the layers behind it take longer steps.",
        mimic=walk(own_stride=True),
        hint=2,
    ),
    Mistake(
        "steps-never-longer",
        "Every 3×3 layer of yours adds 2 pixels. Behind a stride of 2 each of its two steps is 2"
        " pixels long, so it adds 4.",
        mimic=walk(jumps=False),
        hint=2,
    ),
    Mistake(
        "pointwise-as-three",
        "Your pointwise layers look around. A 1×1 window has no step to take: it adds nothing.",
        mimic=walk(lambda kind: 1 if kind == "linear" else 3),
        hint=1,
    ),
    Mistake(
        "every-layer-as-three",
        "All layers of yours have a 3×3 window. Pointwise and linear layers add nothing.",
        mimic=walk(lambda kind: 3),
        hint=1,
    ),
    Mistake(
        "classifier-as-three",
        "Your classifier adds to the field. It comes after the mean over the whole map; the field"
        " is asked for before that.",
        mimic=walk(lambda kind: 1 if kind == "pointwise" else 3),
        hint=1,
    ),
    Mistake(
        "depthwise-left-out",
        "Your depthwise layers add nothing. Each of their channels looks at 3×3 places: they widen"
        " the field as a conv layer does.",
        mimic=walk(lambda kind: 3 if kind == "conv" else 1),
        hint=1,
    ),
    Mistake(
        "pointwise-stride-lost",
        "You skip pointwise layers altogether. A stride in one adds nothing at once, but it makes"
        " all later steps longer.",
        mimic=walk(ignored=("pointwise",)),
        hint=2,
    ),
    Mistake(
        "begins-at-zero",
        "You are one pixel short: before the first layer a unit is a pixel, so begin with 1.",
        mimic=walk(begin=0),
        hint=1,
    ),
    Mistake(
        "three-a-layer",
        "You add 3 for each 3×3 layer. Its window takes two steps, from the first place to the"
        " last: it adds 2 steps.",
        mimic=walk(lambda kind: 1 if kind in ("pointwise", "linear") else 4),
        hint=2,
    ),
    Mistake(
        "strides-added",
        "You add up the strides. Two strides of 2 make steps of 4, and a third makes them 8:"
        " multiply.",
        mimic=walk(join=lambda jump, stride: jump + stride - 1),
        hint=2,
    ),
    Mistake(
        "back-by-whole-strides",
        "You look back from the output, which is a good way. But n units stand n − 1 strides apart:"
        " (n − 1) · stride, and then the window.",
        mimic=_back_by_two,
        hint=2,
    ),
    Mistake(
        "a-list-of-sizes",
        "You return the size after every layer. Wanted is one number, that of the last layer.",
        matches=_all_sizes,
        hint=1,
    ),
    Mistake(
        "area-not-width",
        "You return the area. Wanted is the width, in pixels.",
        matches=_area,
        hint=1,
    ),
)


def _pointwise_adds_nothing(field: Callable[..., Any], rng: Random) -> str | None:
    layers = random_layers(rng)
    if field([*layers, ("pointwise", 8, 1)]) != field(list(layers)):
        return "A further pointwise layer at the end must not change the field, and it does."
    return None


LAWS = (Law("a 1×1 layer sees no more", _pointwise_adds_nothing, hint=1),)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Two numbers, as in chapter 02: the size of the field, 1 at first, and the step between two"
        " neighbouring units, 1 at first. conv and depthwise layers have a kernel of 3 and add two"
        " steps to the size; pointwise and linear layers add none.",
    ),
    Hint(
        "One layer is right, several are wrong",
        "By hand: conv with stride 2, then depthwise. The conv adds 2 steps of 1 pixel: size 3."
        " Only then its stride counts: the step is 2 now. The depthwise layer adds 2 steps of 2"
        " pixels: size 7.",
    ),
)


def show(case: Case) -> str:
    layers = case.args[0]
    return f"field(…)  with {case.label}" if len(layers) > 20 else f"field({layers})"
