"""Chapter 04, exercise 04.divisible: what goes wrong with the rounding and with its guard."""

from __future__ import annotations

import math
from collections.abc import Callable

from lightcourse.checks.chapters._ch04_divisible import by_search
from lightcourse.checks.exercise import Mistake, Outcome


def _wrong(rule: Callable[[float, int], int]) -> Callable[..., int]:
    def make_divisible(channels: float, divisor: int = 8) -> int:
        return rule(channels, divisor)

    return make_divisible


def _nearest(channels: float, divisor: int) -> int:
    return int(channels + divisor / 2) // divisor * divisor


def _guarded(
    first: Callable[[float, int], int] = _nearest,
    few: Callable[[int, float, int], bool] = lambda n, c, d: n < 0.9 * c,
    least: Callable[[int], int] = lambda d: d,
) -> Callable[..., int]:
    """Round in some way, at least to `least`, and go up once where that is too `few`."""

    def make_divisible(channels: float, divisor: int = 8) -> int:
        new = max(least(divisor), first(channels, divisor))
        return new + divisor if few(new, channels, divisor) else new

    return make_divisible


def _both_ways(channels: float, divisor: int) -> int:
    new = max(divisor, _nearest(channels, divisor))
    if new < 0.9 * channels:
        return new + divisor
    return new - divisor if new > 1.1 * channels and new > divisor else new


def _times(outcome: Outcome) -> bool:
    """Whether the answer counts multiples instead of channels."""
    divisor = outcome.case.args[1] if len(outcome.case.args) > 1 else 8
    return outcome.got * divisor == outcome.want


def _off_by(step: int) -> Callable[[Outcome], bool]:
    """Whether the answer is so many multiples off."""

    def matches(outcome: Outcome) -> bool:
        divisor = outcome.case.args[1] if len(outcome.case.args) > 1 else 8
        return outcome.got == outcome.want + step * divisor

    return matches


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
        "You round down and then look at the 10 %. Wanted is the nearest multiple first: 53 lies"
        " nearest to 56.",
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
        "half-goes-down",
        "Right but where the channels lie exactly halfway: 52 is as far from 48 as from 56, and"
        " halfway goes up, to 56.",
        mimic=_guarded(lambda c, d: math.ceil((c - d / 2) / d) * d),
        hint=2,
    ),
    *(
        Mistake(
            "fraction-lost",
            "Right for whole numbers. Somewhere you make the channels, or the 10 %, whole, and then"
            " the guard sees another number: 0.9 · 35.7 is more than 32, 0.9 · 35 is less.",
            mimic=rule,
            hint=4,
        )
        for rule in (
            _guarded(few=lambda n, c, d: n < 0.9 * int(c)),  # int(c) first does the same
            _guarded(few=lambda n, c, d: n < 0.9 * round(c)),
            _guarded(few=lambda n, c, d: c - n > c // 10),
            lambda channels, divisor=8: by_search(round(channels), divisor),
            lambda channels, divisor=8: by_search(math.ceil(channels), divisor),
        )
    ),
    *(
        Mistake(
            "another-limit",
            "Your rounding is right, the limit of your guard is not. Up goes what has lost more"
            " than a tenth of the *channels*: where the result is below 0.9 · channels.",
            mimic=_guarded(few=few),
            hint=3,
        )
        for few in (
            lambda n, c, d: n < 0.95 * c,
            lambda n, c, d: n < 0.85 * c,
            lambda n, c, d: n < 0.8 * c,
            lambda n, c, d: n < c - 0.1 * d,
            lambda n, c, d: n < 0.99 * c,
            lambda n, c, d: n < c,
            lambda n, c, d: 1.1 * n < c,
        )
    ),
    Mistake(
        "least-is-eight",
        "Your least number of channels is 8, whatever the divisor is. The least is one divisor:"
        " with a divisor of 4, 3 becomes 4.",
        mimic=_guarded(least=lambda d: 8),
        hint=3,
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
    Mistake(
        "too-high",
        "Where you are wrong, you are one multiple too high. The nearest multiple is enough there:"
        " it is not below 90 % of the channels.",
        matches=_off_by(1),
        hint=2,
    ),
    Mistake(
        "too-low",
        "Where you are wrong, you are one multiple too low. Either the rounding goes down where up"
        " is nearer (or as near), or the guard misses a result below 90 % of the channels.",
        matches=_off_by(-1),
        hint=3,
    ),
)
