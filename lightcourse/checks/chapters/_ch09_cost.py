"""Exercise 09.cost: the MACs of one block under the width multiplier."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import torch
from torch import nn

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Difference, Hint, Mistake, Outcome

WIDTHS = (0.25, 0.5, 0.75, 1.0)


def cases(rng: Random) -> Iterator[Case]:
    yield Case((4, 8, 10, 1, 1.0), {}, "stride 1, full width")
    yield Case((4, 8, 10, 2, 1.0), {}, "stride 2")
    yield Case((4, 8, 10, 1, 0.5), {}, "half the width")
    yield Case((8, 4, 7, 2, 0.75), {}, "an odd side, stride 2")
    yield Case((4, 8, 5, 2, 1.0), {}, "another odd side")
    yield Case((10, 10, 4, 1, 0.75), {}, "a width that leaves no whole number: int(7.5) is 7")
    yield Case((512, 512, 14, 1, 1.0), {}, "a layer of MobileNet")
    for _ in range(5):
        channels = 4 * rng.randint(1, 40), 4 * rng.randint(1, 40)
        yield Case((*channels, rng.randint(3, 60), rng.randint(1, 2), rng.choice(WIDTHS)))


def oracle(c: int, n: int, side: int, stride: int, width: float) -> tuple[int, int]:
    """Make the two layers without memory: each weight is used once at each place of the map."""
    c, n = int(c * width), int(n * width)
    with torch.device("meta"):
        layers = nn.Conv2d(c, c, 3, stride, 1, groups=c), nn.Conv2d(c, n, 1)
        x = torch.empty(1, c, side, side)
        places = layers[0](x)[0, 0].numel()
    first, second = (layer.weight.numel() * places for layer in layers)
    return first, second


Count = Callable[..., tuple[int, int]]


def by_formula(
    wide: Callable[[float, int, int], tuple[float, float]] = lambda a, c, n: (a * c, a * n),
    places: Callable[[int, int], tuple[int, int]] | None = None,
    first: Callable[[int, int], int] = lambda c, n: 9 * c,
    second: Callable[[int, int], int] = lambda c, n: c * n,
    out: Callable[[int, int], int] = lambda side, stride: (side - 1) // stride + 1,
) -> Count:
    """A count with a step of its own; `places` are those of the two layers."""

    def count(c: int, n: int, side: int, stride: int, width: float) -> tuple[int, int]:
        thin, after = (int(number) for number in wide(width, c, n))
        one = out(side, stride)
        spots = places(side, stride) if places else (one * one, one * one)
        return first(thin, after) * spots[0], second(thin, after) * spots[1]

    return count


def _scaled(c: int, n: int, side: int, stride: int, width: float) -> tuple[int, int]:
    whole = oracle(c, n, side, stride, 1.0)
    return round(whole[0] * width**2), round(whole[1] * width**2)


def _linear(c: int, n: int, side: int, stride: int, width: float) -> tuple[int, int]:
    whole = oracle(c, n, side, stride, 1.0)
    return round(whole[0] * width), round(whole[1] * width)


def _factors(c: int, n: int, side: int, stride: int, width: float) -> tuple[int, int]:
    """The full cost times width and width²: right only where whole channels are left."""
    whole = oracle(c, n, side, stride, 1.0)
    return int(width * whole[0]), int(width**2 * whole[1])


def _swapped(*args: Any) -> tuple[int, int]:
    first, second = oracle(*args)
    return second, first


def _each(factor: int) -> Count:
    def count(*args: Any) -> tuple[int, int]:
        first, second = oracle(*args)
        return factor * first, factor * second

    return count


def _side_after(side: int, stride: int) -> int:
    return (side - 1) // stride + 1


compare = Compare()


def same_form(got: Any, want: Any) -> Difference | None:
    """Two whole numbers; a sum is named as such by a mistake."""
    return compare(got, want)


def _total(outcome: Outcome) -> bool:
    return type(outcome.got) is int and outcome.got == sum(outcome.want)


MISTAKES = (
    Mistake(
        "sum-not-pair",
        "That is the sum of the two halves. The exercise asks for both: (depthwise, pointwise).",
        matches=_total,
        hint=1,
    ),
    Mistake(
        "halves-swapped",
        "The two numbers are right, in the wrong order: depthwise first, then pointwise.",
        mimic=_swapped,
        hint=1,
    ),
    Mistake(
        "width-forgotten",
        "The width is not used: both channel counts are taken times width.",
        mimic=by_formula(wide=lambda a, c, n: (c, n)),
        hint=3,
    ),
    Mistake(
        "width-squared-everywhere",
        "You take the whole cost times width². That is right for the pointwise half, where both"
        " channel counts shrink. The depthwise half has only one of them.",
        mimic=_scaled,
        hint=3,
    ),
    Mistake(
        "width-once",
        "The width is used once, as a factor of the whole cost. In the pointwise half the channels"
        " that come in shrink, and those that go out shrink too.",
        mimic=_linear,
        hint=3,
    ),
    Mistake(
        "width-once",
        "Your width shrinks only the channels that come in. Those that go out shrink too.",
        mimic=by_formula(wide=lambda a, c, n: (a * c, n)),
        hint=3,
    ),
    Mistake(
        "outputs-narrow-only",
        "Your width shrinks the output channels only. What comes in was made by a block that is"
        " narrower too.",
        mimic=by_formula(wide=lambda a, c, n: (c, a * n)),
        hint=3,
    ),
    Mistake(
        "stride-forgotten",
        "You count places of the map that comes in. With stride 2 the depthwise layer makes a map"
        " of half the side, and both layers have only its places.",
        mimic=by_formula(places=lambda side, stride: (side * side, side * side)),
        hint=2,
    ),
    Mistake(
        "depthwise-before-the-stride",
        "Your depthwise half has the places of the map that comes in. The stride is in the"
        " depthwise layer itself: it computes its outputs only at every second place.",
        mimic=by_formula(places=lambda side, s: (side * side, _side_after(side, s) ** 2)),
        hint=2,
    ),
    Mistake(
        "pointwise-before-the-stride",
        "Your pointwise half has the places of the map that comes in. It runs after the depthwise"
        " layer, on the smaller map.",
        mimic=by_formula(places=lambda side, s: (_side_after(side, s) ** 2, side * side)),
        hint=2,
    ),
    Mistake(
        "channels-rounded",
        "You round the number of channels up, or to the nearest. `int(width * in_channels)` cuts"
        " the fraction off: 7.5 leaves 7 channels.",
        mimic=by_formula(wide=lambda a, c, n: (math.ceil(a * c), math.ceil(a * n))),
        hint=3,
    ),
    Mistake(
        "full-cost-times-width",
        "You take the cost of the full block times width and width². There is no half channel:"
        " first cut both channel counts down to whole numbers, then count.",
        mimic=_factors,
        hint=3,
    ),
    Mistake(
        "rounded-to-even",
        "`round` takes a half to the even neighbour: round(2.5) is 2, and 5 places become 3. Halves"
        " are rounded up here, always.",
        mimic=by_formula(out=lambda side, stride: round(side / stride)),
        hint=2,
    ),
    Mistake(
        "rounded-down",
        "On an odd side you round down. With padding 1, a 3×3 layer of stride 2 makes 4 places of"
        " 7: halves are rounded up.",
        mimic=by_formula(out=lambda side, stride: side // stride),
        hint=2,
    ),
    Mistake(
        "padding-forgotten",
        "You count the places of a layer without padding. The block has padding 1: at stride 1 the"
        " map keeps its size.",
        mimic=by_formula(out=lambda side, stride: (side - 3) // stride + 1),
        hint=2,
    ),
    Mistake(
        "side-not-squared",
        "You take the side once. A map of side 10 has 10 · 10 places.",
        mimic=by_formula(places=lambda side, s: (_side_after(side, s), _side_after(side, s))),
        hint=2,
    ),
    Mistake(
        "weights-not-macs",
        "These are the weights. Each of them is used once at each place of the output map.",
        mimic=by_formula(places=lambda side, stride: (1, 1)),
        hint=2,
    ),
    Mistake(
        "flops-not-macs",
        "Twice too many: a multiplication and its addition count as one MAC.",
        mimic=_each(2),
        hint=1,
    ),
    Mistake(
        "depthwise-reads-all",
        "Your depthwise half reads all channels for each output. A depthwise filter reads one.",
        mimic=by_formula(first=lambda c, n: 9 * c * c),
        hint=1,
    ),
    Mistake(
        "depthwise-is-standard",
        "Your first half is an ordinary 3×3 convolution from c to n channels. A depthwise filter"
        " reads one channel, and there are as many filters as channels.",
        mimic=by_formula(first=lambda c, n: 9 * c * n),
        hint=1,
    ),
    Mistake(
        "depthwise-has-c-outputs",
        "Your depthwise half makes n maps. It makes one map from each channel that comes in.",
        mimic=by_formula(first=lambda c, n: 9 * n),
        hint=1,
    ),
    Mistake(
        "kernel-forgotten",
        "A depthwise output reads 3 · 3 numbers, and you count one.",
        mimic=by_formula(first=lambda c, n: c),
        hint=1,
    ),
    Mistake(
        "pointwise-with-nine",
        "Your pointwise half has 3×3 kernels. Pointwise means 1×1.",
        mimic=by_formula(second=lambda c, n: 9 * c * n),
        hint=1,
    ),
    Mistake(
        "biases-counted",
        "You count biases or norms. Adding one number to each output is no multiplication.",
        mimic=by_formula(first=lambda c, n: 10 * c, second=lambda c, n: (c + 1) * n),
        hint=1,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "One output at a time. A depthwise output reads 3 · 3 numbers of one channel. A pointwise"
        " output reads one number in each channel. How many outputs has each of the two layers?",
    ),
    Hint(
        "My numbers are wrong with stride 2",
        "Side 10, stride 2: the depthwise layer makes a map of side 5, and the pointwise layer"
        " works on that map. Side 7: the windows stand at places 0, 2, 4 and 6, so the new side is"
        " 4.",
    ),
    Hint(
        "My numbers are wrong with a width below 1",
        "First shrink both channel counts, 4 and 8 to 2 and 4 at half the width. Then count as"
        " before.",
    ),
)
