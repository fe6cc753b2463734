"""Exercise 07.stack: small kernels on top of each other, and the large one with the same field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import torch
from torch import nn

from lightcourse.analysis import analyze
from lightcourse.checks.exercise import Case, Hint, Mistake


def cases(rng: Random) -> Iterator[Case]:
    yield Case((1, 4), {}, "one layer")
    yield Case((2, 1), {}, "two layers, one channel")
    yield Case((2, 64), {}, "two 3×3 for one 5×5")
    yield Case((3, 10), {}, "three 3×3 for one 7×7")
    for _ in range(3):
        yield Case((rng.randint(4, 9), rng.randint(11, 300)))


def oracle(n: int, channels: int) -> tuple[int, int, int]:
    """Make the layers without memory; the field is what the analysis finds."""
    with torch.device("meta"):
        small = nn.Sequential(
            *(nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(n))
        )
        field = analyze(small, (1, channels, 32, 32)).receptive_field
        side = 1 if field is None else int(field.size[0])
        large = nn.Conv2d(channels, channels, side, bias=False)
    weights = [sum(p.numel() for p in net.parameters()) for net in (small, large)]
    return side, weights[0], weights[1]


def show(case: Case) -> str:
    n, channels = case.args
    return f"stack(n={n}, channels={channels})"


def _with(
    side: Callable[[int], int] = lambda n: 2 * n + 1,
    small: Callable[[int, int], int] = lambda n, c: 9 * n * c * c,
    large: Callable[[int, int], int] = lambda side, c: side * side * c * c,
) -> Callable[[int, int], tuple[int, int, int]]:
    """The three numbers, one of the rules changed; the large kernel follows the learner's field."""
    return lambda n, c: (side(n), small(n, c), large(side(n), c))


MISTAKES = (
    Mistake(
        "field-added-whole",
        "You add 3 pixels for each layer. The first 3×3 sees 3; each further one adds only a ring,"
        " one pixel on each side.",
        mimic=_with(side=lambda n: 3 * n),
        hint=2,
    ),
    Mistake(
        "field-doubled",
        "Your field is even. It grows by 2 for each layer, but it begins with the pixel itself: 1.",
        mimic=_with(side=lambda n: 2 * n),
        hint=2,
    ),
    Mistake(
        "field-one-layer-too-far",
        "Your field is that of one layer more. A single 3×3 sees 3×3 pixels.",
        mimic=_with(side=lambda n: 2 * n + 3),
        hint=2,
    ),
    Mistake(
        "field-multiplied",
        "You multiply: 3 · 3 · 3 … Fields multiply with strides, and there are none here. Each"
        " layer"
        " adds a ring of one pixel.",
        mimic=_with(side=lambda n: 3**n),
        hint=2,
    ),
    Mistake(
        "field-without-the-first",
        "Your field is that of one layer less: 2n − 1. A single 3×3 sees 3×3 pixels already.",
        mimic=_with(side=lambda n: 2 * n - 1),
        hint=2,
    ),
    Mistake(
        "field-as-area",
        "Your field is an area, side · side. The first number is the side alone: 5 for two layers.",
        mimic=lambda n, c: ((2 * n + 1) ** 2, 9 * n * c * c, (2 * n + 1) ** 2 * c * c),
        hint=2,
    ),
    Mistake(
        "large-not-squared",
        "Your large kernel has `side` weights for each pair of channels. A kernel is a square:"
        " side · side.",
        mimic=_with(large=lambda side, c: side * c * c),
        hint=3,
    ),
    Mistake(
        "one-pair-of-channels",
        "The channels come in once only. Each of the channels that go out has a kernel for *every*"
        " channel that comes in: channels · channels.",
        mimic=_with(small=lambda n, c: 9 * n * c, large=lambda side, c: side * side * c),
        hint=3,
    ),
    Mistake(
        "channels-forgotten",
        "You count one kernel per layer. There is one for each pair of a channel that comes in and"
        " one that goes out.",
        mimic=_with(small=lambda n, c: 9 * n, large=lambda side, c: side * side),
        hint=3,
    ),
    Mistake(
        "one-layer-only",
        "You count the weights of a single 3×3. There are n of them on top of each other.",
        mimic=_with(small=lambda n, c: 9 * c * c),
        hint=3,
    ),
    Mistake(
        "kernel-once",
        "A 3×3 kernel has 9 weights, not 3; a k×k kernel k · k.",
        mimic=_with(small=lambda n, c: 3 * n * c * c, large=lambda side, c: side * c * c),
        hint=3,
    ),
    Mistake(
        "biases-counted",
        "You count biases too. The layers here have none.",
        mimic=_with(
            small=lambda n, c: n * (9 * c * c + c), large=lambda side, c: side * side * c * c + c
        ),
        hint=3,
    ),
    Mistake(
        "large-fixed",
        "Your large kernel is always 5×5. It must see as much as the n small ones: its side is the"
        " field.",
        mimic=_with(large=lambda side, c: 25 * c * c),
        hint=2,
    ),
    Mistake(
        "stack-and-large-swapped",
        "The two counts have changed places: the stack comes before the large kernel.",
        mimic=lambda n, c: (2 * n + 1, (2 * n + 1) ** 2 * c * c, 9 * n * c * c),
        hint=1,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Three numbers: the side of the field; the weights of n layers of 3×3; the weights of one"
        " layer whose kernel is as wide as the field. Return them in this order.",
    ),
    Hint(
        "My field, or the large kernel, is wrong",
        "One 3×3 sees 3×3 pixels. Put another on top: it sees 3×3 of those, so one pixel more on"
        " each side: 5×5. Each further layer adds 2.",
    ),
    Hint(
        "My weights are wrong",
        "A layer from a to b channels with k×k kernels has k · k · a · b weights. Here a and b are"
        " both `channels`. For n = 2 and one channel: 18 against 25.",
    ),
)
