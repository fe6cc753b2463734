"""Chapter 01, exercise 01.size: what goes wrong when places are counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from lightcourse.checks.chapters._ch01_size import right
from lightcourse.checks.exercise import Mistake, Outcome


def _wrong(
    formula: Callable[[int, int, int, int, int], Any], same: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """An answer that is wrong as `formula(n, k, s, p, d)` says; `same` may be wrong as well."""

    def mimic(size: int, kernel: int, stride: int = 1, padding: Any = 0, dilation: int = 1) -> Any:
        if padding != "same":
            return formula(size, kernel, stride, padding, dilation)
        return size if same is None else same(size, kernel, dilation)

    return mimic


def _no_word(n: int, k: int, d: int) -> int:
    raise TypeError("a word in a sum")


def _slips(name: str, says: str, hint: int, *formulas: Callable[..., Any]) -> list[Mistake]:
    """One wrong formula, with every way in which "same" may be treated beside it."""

    def halved(formula: Callable[..., Any], half: Callable[[int], int]) -> Callable[..., Any]:
        return lambda n, k, d: formula(n, k, 1, half(k), d)

    return [
        Mistake(name, says, mimic=_wrong(formula, same), hint=hint)
        for formula in formulas
        for same in (
            None,
            _no_word,
            halved(formula, lambda k: (k - 1) // 2),
            halved(formula, lambda k: k // 2),
        )
    ]


def _same_padding(half: Callable[[int, int], int]) -> Callable[[int, int, int], int]:
    return lambda n, k, d: right(n, k, 1, half(k, d), d)


# what learners put in place of "same", and where that keeps the size
_HALVES = (
    ("same-by-halves", "by half the kernel", "for an odd kernel with dilation 1",
     lambda k, d: k // 2),
    ("same-by-halves", "by half the kernel", "for an odd kernel with dilation 1",
     lambda k, d: (k - 1) // 2),
    ("same-needs-an-odd-kernel", "by half the kernel times the dilation", "for an odd kernel",
     lambda k, d: d * (k // 2)),
    ("same-needs-an-odd-kernel", "by half the kernel times the dilation", "for an odd kernel",
     lambda k, d: d * ((k - 1) // 2)),
    ("same-needs-an-even-sum", "by half of dilation · (kernel - 1)",
     "where dilation · (kernel - 1) is even", lambda k, d: d * (k - 1) // 2),
    ("same-needs-an-even-sum", "by half of dilation · (kernel - 1)",
     "where dilation · (kernel - 1) is even", lambda k, d: -(-d * (k - 1) // 2)),
)  # fmt: skip


def _fraction(outcome: Outcome) -> bool:
    got = outcome.got
    return (
        isinstance(got, float)
        and not isinstance(outcome.want, float)
        and (math.floor(got) == outcome.want)
    )


def _word_in_a_sum(outcome: Outcome) -> bool:
    return outcome.case.kwargs.get("padding") == "same" and isinstance(
        outcome.error, (TypeError, ValueError)
    )


MISTAKES = (
    Mistake(
        "not-whole",
        "You keep the fraction. A window that does not fit any more is not placed: `//` rounds"
        " down, and the answer is an int.",
        matches=_fraction,
        hint=3,
    ),
    Mistake(
        "same-is-a-word",
        'Your formula computes with the word "same". Ask first: `if padding == "same"`.',
        matches=_word_in_a_sum,
        hint=5,
    ),
    *_slips(
        "dilation-forgotten",
        "You leave out the dilation, as the formula of many textbooks does. With dilation 2 a"
        " window of 3 reaches from place 0 to place 4: it spans 5 pixels.",
        4,
        lambda n, k, s, p, d: (n + 2 * p - k) // s + 1,
    ),
    *_slips(
        "dilation-times-kernel",
        "You take kernel · dilation for the span. Between k taps there are k - 1 steps, so the span"
        " is (k - 1) · dilation + 1: for 3 taps two apart it is 5, not 6.",
        4,
        lambda n, k, s, p, d: (n + 2 * p - k * d) // s + 1,
    ),
    *_slips(
        "dilation-added",
        "You add the dilation to the kernel. It is the step from tap to tap: k taps have k - 1"
        " steps, so the span is (k - 1) · dilation + 1. For 4 taps three apart it is 10, not 6.",
        4,
        lambda n, k, s, p, d: (n + 2 * p - (k + d - 1)) // s + 1,
        lambda n, k, s, p, d: (n + 2 * p - (k + d)) // s + 1,
    ),
    *_slips(
        "brackets-missing",
        "Brackets are missing: `a - b // s` divides only b. The whole way that the window can go is"
        " divided by the stride: `(a - b) // s`.",
        3,
        lambda n, k, s, p, d: n + 2 * p - k // s + 1,
        lambda n, k, s, p, d: n + 2 * p - d * (k - 1) - 1 // s + 1,
        lambda n, k, s, p, d: n + 2 * p - (d * (k - 1) + 1) // s + 1,
        lambda n, k, s, p, d: n + 2 * p - d * (k - 1) // s,
        lambda n, k, s, p, d: n + 2 * p - d * (k - 1) // s + 1,
    ),
    *_slips(
        "padding-once",
        "You count the padding once. It is added on both sides.",
        2,
        lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1,
    ),
    *_slips(
        "padding-subtracted",
        "You subtract the padding. It makes the row longer.",
        2,
        lambda n, k, s, p, d: (n - 2 * p - d * (k - 1) - 1) // s + 1,
    ),
    *_slips(
        "padding-forgotten",
        "The padding does not count in your answer. It makes the row longer on both sides.",
        2,
        lambda n, k, s, p, d: (n - d * (k - 1) - 1) // s + 1,
    ),
    *_slips(
        "rounded-up",
        "You round up. A window that would hang over the end is not placed: round down.",
        3,
        lambda n, k, s, p, d: -(-(n + 2 * p - d * (k - 1) - 1) // s) + 1,
    ),
    *_slips(
        "first-place-forgotten",
        "You count the steps, not the places. Before the first step the window already stands at"
        " one place: a + 1 is missing.",
        3,
        lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s,
    ),
    *_slips(
        "first-place-divided",
        "You add the 1 before you divide by the stride. Divide the way that the window can go, then"
        " add the place where it begins.",
        3,
        lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s,
    ),
    *_slips(
        "one-too-far",
        "Your window can go one pixel too far. In a row of 5 a window of 3 takes two steps, from"
        " pixel 0 to pixel 2: that is 5 - 3.",
        2,
        lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s + 1,
    ),
    *_slips(
        "stride-forgotten",
        "The stride does not count in your answer. With stride 2 the window takes steps of 2.",
        3,
        lambda n, k, s, p, d: n + 2 * p - d * (k - 1),
    ),
    *_slips(
        "only-divided",
        "You divide the size by the stride and stop. That is right only for a fitting padding: the"
        " window needs room of its own.",
        2,
        lambda n, k, s, p, d: n // s,
    ),
    *_slips(
        "rounded-to-nearest",
        "`round` goes up or down. A window that would hang over the end is not placed: always round"
        " down.",
        3,
        lambda n, k, s, p, d: round((n + 2 * p - d * (k - 1) - 1) / s) + 1,
        lambda n, k, s, p, d: round((n + 2 * p - d * (k - 1) - 1) / s + 1),
    ),
    Mistake(
        "same-is-zero",
        '"same" is not "no padding". It pads by as much as it takes to keep the size.',
        mimic=_wrong(right, lambda n, k, d: right(n, k, 1, 0, d)),
        hint=5,
    ),
    *(
        Mistake(
            name,
            f'For "same" you pad {how} on each side. That keeps the size only {when}. The'
            " word already says what comes out.",
            mimic=_wrong(right, _same_padding(half)),
            hint=5,
        )
        for name, how, when, half in _HALVES
    ),
)
