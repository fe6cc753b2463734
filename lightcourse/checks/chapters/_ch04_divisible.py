"""Chapter 04, exercise 04.divisible: a channel count that the hardware likes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from random import Random

from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome


def cases(rng: Random) -> Iterator[Case]:
    yield Case((32,), label="a multiple already")
    yield Case((35,), label="35 lies nearest to 32")
    yield Case((38,), label="38 lies nearest to 40")
    yield Case((52,), label="halfway between 48 and 56: up")
    yield Case((11,), label="8 would be more than 10 % too few")
    yield Case((3,), label="never 0 channels")
    yield Case((12,), label="halfway between 8 and 16: up")
    yield Case((11.2,), label="32 channels at a width of 0.35")
    yield Case((67.2,), label="96 channels at a width of 0.7")
    yield Case((33, 4), label="multiples of 4")
    yield Case((44, 16), label="multiples of 16")
    yield Case((20, 16), label="16 would be more than 10 % too few")
    for _ in range(8):
        # halves and thirds keep clear of the exact limits, where rounding of floats decides
        yield Case((rng.randint(1, 600) + rng.choice((0, 1 / 3)), rng.choice((4, 8, 8, 16))))


def by_search(channels: float, divisor: int = 8) -> int:
    """Look through all multiples: none more than 10 % too small, then the nearest, the larger."""
    multiples = range(divisor, 2 * math.ceil(channels) + 2 * divisor, divisor)
    nearest = min(multiples, key=lambda m: (abs(m - channels), -m))
    enough = [m for m in multiples if m >= nearest and 10 * m >= 9 * channels]
    return enough[0]


def _wrong(rule: Callable[[float, int], int]) -> Callable[..., int]:
    def make_divisible(channels: float, divisor: int = 8) -> int:
        return rule(channels, divisor)

    return make_divisible


def _guarded(first: Callable[[float, int], int]) -> Callable[..., int]:
    """Round in another way, then the usual guard against more than 10 % too few."""

    def make_divisible(channels: float, divisor: int = 8) -> int:
        new = max(divisor, first(channels, divisor))
        return new + divisor if new < 0.9 * channels else new

    return make_divisible


def _nearest(channels: float, divisor: int) -> int:
    return int(channels + divisor / 2) // divisor * divisor


def _both_ways(channels: float, divisor: int) -> int:
    new = max(divisor, _nearest(channels, divisor))
    if new < 0.9 * channels:
        return new + divisor
    return new - divisor if new > 1.1 * channels and new > divisor else new


def _times(outcome: Outcome) -> bool:
    """Whether the answer counts multiples instead of channels."""
    divisor = outcome.case.args[1] if len(outcome.case.args) > 1 else 8
    return outcome.got * divisor == outcome.want


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

MISTAKES = (
    Mistake(
        "no-guard",
        "You take the nearest multiple and stop there. If that loses more than 10 % of the"
        " channels, take the next one: 11 becomes 16, not 8.",
        mimic=_wrong(lambda c, d: max(d, _nearest(c, d))),
        hint=3,
    ),
    Mistake(
        "zero-channels",
        "Small numbers give 0 channels. A layer without channels is none: the least is one"
        " multiple.",
        mimic=_wrong(_nearest),
        hint=3,
    ),
    *(
        Mistake(
            "round-and-stop",
            "You round with Python's round() and stop there. Two things are missing: a half goes up"
            " (52 becomes 56), and no more than 10 % may be lost (11 becomes 16).",
            mimic=_wrong(rule),
            hint=3,
        )
        for rule in (
            lambda c, d: round(c / d) * d,
            lambda c, d: max(d, round(c / d) * d),
        )
    ),
    Mistake(
        "always-down",
        "You always round down. Wanted is the nearest multiple.",
        mimic=_wrong(lambda c, d: int(c // d) * d),
        hint=2,
    ),
    Mistake(
        "down-and-guard",
        "You round down and then look at the 10 %. Wanted is the nearest multiple first: 38 lies"
        " nearest to 40.",
        mimic=_guarded(lambda c, d: int(c // d) * d),
        hint=2,
    ),
    Mistake(
        "always-up",
        "You always round up. 35 lies nearest to 32, and 32 loses less than 10 %.",
        mimic=_wrong(lambda c, d: math.ceil(c / d) * d),
        hint=2,
    ),
    Mistake(
        "half-to-even",
        "Python's round() takes halves to the even side: round(6.5) is 6. Here a half goes up: 52"
        " becomes 56. `int(x + 0.5)` rounds that way.",
        mimic=_guarded(lambda c, d: round(c / d) * d),
        hint=2,
    ),
    Mistake(
        "divisor-ignored",
        "You always make multiples of 8. The second argument says of what.",
        mimic=_wrong(lambda c, d: by_search(c, 8)),
        hint=1,
    ),
    Mistake(
        "guard-above",
        "You also go down where the nearest multiple is more than 10 % too many. Only channels that"
        " are lost are guarded against: 12 becomes 16.",
        mimic=_wrong(_both_ways),
        hint=3,
    ),
    Mistake(
        "how-many-multiples",
        "You return how many multiples, not how many channels: times the divisor, please.",
        matches=_times,
        hint=1,
    ),
)

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
        "Two guards. The answer is at least one divisor. And if it is below 0.9 · channels, add one"
        " divisor: 11 rounds to 8, that is 27 % too few, so 16.",
    ),
)
