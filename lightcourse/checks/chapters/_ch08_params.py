"""Exercise 08.params: how many parameters a Fire module has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import torch

from lightcourse.checks.exercise import Case, Hint, Mistake
from lightcourse.nn import Fire


def cases(rng: Random) -> Iterator[Case]:
    yield Case((1, 1, 1, 1), {}, "one channel everywhere")
    yield Case((4, 1, 2, 3), {}, "4 channels to 1, then to 2 + 3")
    yield Case((96, 16, 64, 64), {}, "fire2 of SqueezeNet")
    yield Case((512, 64, 256, 256), {}, "fire9 of SqueezeNet")
    yield Case((7, 5, 11, 2), {}, "few 3×3 kernels")
    for _ in range(4):
        widths = (
            rng.randint(2, 300),
            rng.randint(2, 40),
            rng.randint(41, 90),
            rng.randint(91, 200),
        )
        yield Case(widths)


def oracle(in_channels: int, squeeze: int, expand1x1: int, expand3x3: int) -> int:
    """Make the module without memory, and count."""
    with torch.device("meta"):
        module = Fire(in_channels, squeeze, expand1x1, expand3x3)
    return sum(p.numel() for p in module.parameters())


def show(case: Case) -> str:
    c, s, e1, e3 = case.args
    return f"fire_params(in_channels={c}, squeeze={s}, expand1x1={e1}, expand3x3={e3})"


def _off(by: Callable[[int, int, int, int], int]) -> Callable[[int, int, int, int], int]:
    """The right number and an error of so much, from c, s, e1, e3."""
    return lambda c, s, e1, e3: oracle(c, s, e1, e3) + by(c, s, e1, e3)


MISTAKES = (
    Mistake(
        "biases-forgotten",
        "The biases are missing. Each convolution has one number more for each channel that it"
        " gives out.",
        mimic=_off(lambda c, s, e1, e3: -s - e1 - e3),
        hint=2,
    ),
    Mistake(
        "squeeze-bias-forgotten",
        "One bias is missing: the squeeze layer's, one number for each squeezed channel.",
        mimic=_off(lambda c, s, e1, e3: -s),
        hint=2,
    ),
    Mistake(
        "expand-biases-forgotten",
        "The biases of the two expansions are missing: one number for each channel they give out.",
        mimic=_off(lambda c, s, e1, e3: -e1 - e3),
        hint=2,
    ),
    Mistake(
        "one-bias-per-layer",
        "You count one bias for each layer. It is one for each channel that a layer gives out.",
        mimic=_off(lambda c, s, e1, e3: 3 - s - e1 - e3),
        hint=2,
    ),
    Mistake(
        "kernel-once",
        "A 3×3 kernel has 9 weights, not 3.",
        mimic=_off(lambda c, s, e1, e3: -6 * s * e3),
        hint=3,
    ),
    Mistake(
        "all-one-by-one",
        "You count the 3×3 expansion as if it were a 1×1: its kernels have 9 weights each.",
        mimic=_off(lambda c, s, e1, e3: -8 * s * e3),
        hint=3,
    ),
    Mistake(
        "all-three-by-three",
        "You count both expansions with 3×3 kernels. The first has 1×1 kernels: one weight each.",
        mimic=_off(lambda c, s, e1, e3: 8 * s * e1),
        hint=3,
    ),
    Mistake(
        "bias-in-the-kernel",
        "You multiply the biases of the 3×3 expansion by 9 too. A bias is one number, whatever the"
        " kernel.",
        mimic=_off(lambda c, s, e1, e3: 8 * e3),
        hint=2,
    ),
    Mistake(
        "expand-reads-input",
        "Your expansions read the in_channels. They read what the squeeze layer gives out: that is"
        " the second strategy, and it is most of the saving.",
        mimic=_off(lambda c, s, e1, e3: (c - s) * (e1 + 9 * e3)),
        hint=3,
    ),
    Mistake(
        "in-a-row",
        "Your 3×3 expansion reads the channels of the 1×1 expansion. The two stand side by side,"
        " and both read the squeezed channels.",
        mimic=_off(lambda c, s, e1, e3: 9 * (e1 - s) * e3),
        hint=3,
    ),
    Mistake(
        "squeeze-forgotten",
        "The squeeze layer is missing: it has weights of its own, one for each pair of a channel in"
        " and a squeezed channel.",
        mimic=_off(lambda c, s, e1, e3: -c * s - s),
        hint=1,
    ),
    Mistake(
        "widths-swapped",
        "You have swapped the two expansions: expand3x3 of the channels come from 3×3 kernels.",
        mimic=lambda c, s, e1, e3: oracle(c, s, e3, e1),
        hint=3,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Three layers, one after the other on paper. A convolution from a to b channels with k×k"
        " kernels has k · k · a · b weights and b biases.",
    ),
    Hint(
        "My number is a little too small or too large",
        "Check with one channel everywhere: squeeze 1 + 1, expand1x1 1 + 1, expand3x3 9 + 1. That"
        " is 14. The numbers behind the + are the biases.",
    ),
    Hint(
        "My number is far off",
        "What comes into each layer? Squeeze: in_channels. Both expansions: the squeezed channels."
        " fire2 has 96·16 + 16, and 16·64 + 64, and 9·16·64 + 64.",
    ),
)
