"""Chapter 04, exercise 04.divisible: a channel count that the hardware likes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from random import Random

from lightcourse.checks.exercise import Case, Hint, Law


def cases(rng: Random) -> Iterator[Case]:
    yield Case((32,), label="a multiple already")
    yield Case((35,), label="35 lies nearest to 32")
    yield Case((38,), label="38 lies nearest to 40")
    yield Case((53,), label="53 lies nearest to 56")
    yield Case((52,), label="halfway between 48 and 56: up")
    yield Case((60,), label="halfway between 56 and 64: up")
    yield Case((11,), label="8 would be more than 10 % too few")
    yield Case((18,), label="16 would be more than 10 % too few")
    yield Case((3,), label="never 0 channels")
    yield Case((3, 4), label="the least is one divisor, 4")
    yield Case((5, 16), label="the least is one divisor, 16")
    yield Case((12,), label="halfway between 8 and 16: up")
    yield Case((11.2,), label="32 channels at a width of 0.35")
    yield Case((67.2,), label="96 channels at a width of 0.7")
    yield Case((8.4,), label="24 channels at a width of 0.35: 8 is enough")
    yield Case((8.9,), label="8 is a little less than 90 % of 8.9")
    yield Case((17.8,), label="16 is a little less than 90 % of 17.8")
    yield Case((35.7,), label="51 channels at a width of 0.7: 32 is too few")
    yield Case((26.6,), label="38 channels at a width of 0.7: 24 is enough")
    yield Case((43.6,), label="43.6 lies nearest to 40")
    yield Case((33, 4), label="multiples of 4")
    yield Case((44, 16), label="multiples of 16")
    yield Case((20, 16), label="16 would be more than 10 % too few")
    yield Case((rng.randint(1, 3), 4))
    yield Case((rng.randint(1, 7) + 0.65, rng.choice((16, 32))))
    for _ in range(8):
        # these fractions keep clear of the exact limits, where rounding of floats decides
        part = rng.choice((0, 0.35, 0.65))
        yield Case((rng.randint(1, 600) + part, rng.choice((4, 8, 8, 16))))


def by_search(channels: float, divisor: int = 8) -> int:
    """Look through all multiples: none more than 10 % too small, then the nearest, the larger."""
    multiples = range(divisor, 2 * math.ceil(channels) + 2 * divisor, divisor)
    nearest = min(multiples, key=lambda m: (abs(m - channels), -m))
    enough = [m for m in multiples if m >= nearest and 10 * m >= 9 * channels]
    return enough[0]


def _never_more_than_a_tenth_lost(make_divisible: Callable[..., int], rng: Random) -> str | None:
    for _ in range(40):
        channels, divisor = rng.randint(1, 2000), rng.choice((4, 8, 16, 32))
        found = make_divisible(channels, divisor)
        if found % divisor or 10 * found < 9 * channels:
            return (
                f"make_divisible({channels}, {divisor}) is {found}: it must be a multiple of"
                f" {divisor}, and at least 90 % of {channels}."
            )
    return None


LAWS = (Law("a multiple, and never below 90 %", _never_more_than_a_tenth_lost, hint=3),)

HINTS = (
    Hint(
        "I do not know where to begin",
        "How many times does the divisor fit into the channels? 38 / 8 = 4.75. Round that to 5, and"
        " multiply: 40.",
    ),
    Hint(
        "My rounding is wrong",
        "To round to the nearest, halves up, add a half and cut: `int(x + 0.5)`. In whole numbers:"
        " add half a divisor, then // and *.",
    ),
    Hint(
        "Most are right, small numbers are wrong",
        "If the nearest multiple is below 0.9 · channels, add one divisor: 11 rounds to 8, that is"
        " 27 % too few, so 16. And 3 rounds to 0, which is below 90 % of anything, so one divisor."
        " The third rule takes care of the second.",
    ),
    Hint(
        "Whole numbers are right, fractions are wrong",
        "Leave the channels as they come, with their fraction, in both places: in the rounding and"
        " in `result < 0.9 * channels`. Only the number of multiples is made whole.",
    ),
)
