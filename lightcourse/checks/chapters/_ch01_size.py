"""Chapter 01, exercise 01.size: how many places a window finds along one axis."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import torch
from torch.nn import functional as F

from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome


def cases(rng: Random) -> Iterator[Case]:
    yield _case(5, 3, label="a row of 5, window 3")
    yield _case(5, 3, padding=1, label="one zero on each side")
    yield _case(7, 3, stride=2, label="every second place")
    yield _case(8, 3, stride=2, label="the last pixel is left over")
    yield _case(9, 3, dilation=2, label="taps two apart")
    yield _case(5, 1, label="a window of one pixel")
    yield _case(224, 7, stride=2, padding=3, label="the first layer of ResNet")
    yield _case(224, 3, stride=2, padding=1, label="the first layer of MobileNetV2")
    yield _case(32, 3, padding=2, dilation=2, label="dilation and padding")
    yield _case(10, 3, padding="same", label="same")
    yield _case(10, 3, padding="same", dilation=3, label="same, with dilation")
    yield _case(9, 4, padding="same", label="same, even window")
    for _ in range(10):
        kernel, dilation, padding = rng.randint(1, 7), rng.randint(1, 3), rng.randint(0, 4)
        size = max(1, (kernel - 1) * dilation + 1 - 2 * padding) + rng.randint(0, 40)
        yield _case(size, kernel, rng.randint(1, 4), padding, dilation)


def _case(
    size: int,
    kernel: int,
    stride: int = 1,
    padding: int | str = 0,
    dilation: int = 1,
    label: str = "",
) -> Case:
    named = {"stride": stride, "padding": padding, "dilation": dilation}
    usual = {"stride": 1, "padding": 0, "dilation": 1}
    return Case((size, kernel), {k: v for k, v in named.items() if v != usual[k]}, label)


def by_torch(size: int, kernel: int, stride: int = 1, padding: Any = 0, dilation: int = 1) -> int:
    """Convolve a row of zeros and look how long the answer is; no formula in here."""
    row, weight = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an even kernel with "same" is slow, says torch
        return F.conv1d(row, weight, None, stride, padding, dilation).shape[-1]


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


def right(n: int, k: int, s: int, p: int, d: int) -> int:
    """The formula."""
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def _same_padding(half: Callable[[int, int], int]) -> Callable[[int, int, int], int]:
    return lambda n, k, d: right(n, k, 1, half(k, d), d)


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


def _smaller_picture_never_more(output_size: Callable[..., int], rng: Random) -> str | None:
    kernel, stride, padding = rng.randint(2, 5), rng.randint(1, 3), rng.randint(0, 2)
    sizes = [output_size(n, kernel, stride=stride, padding=padding) for n in range(8, 24)]
    if sizes != sorted(sizes):
        return f"A longer row can never have fewer places, but for 8 to 23 pixels you say {sizes}."
    return None


LAWS = (Law("a longer row never has fewer places", _smaller_picture_never_more, hint=3),)

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
            "same-by-halves",
            'For "same" you pad by half the kernel on each side. That keeps the size only for an'
            " odd kernel and dilation 1. The word already says what comes out.",
            mimic=_wrong(right, _same_padding(half)),
            hint=5,
        )
        for half in (
            lambda k, d: k // 2,
            lambda k, d: (k - 1) // 2,
            lambda k, d: d * (k // 2),
            lambda k, d: d * (k - 1) // 2,
        )
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Lay the window on the row so that it begins at pixel 0. How far can it be pushed until its"
        " last tap stands on the last pixel? In a row of 5 a window of 3 can go 2 pixels. So there"
        " are 3 places.",
    ),
    Hint(
        "My values are wrong even without a stride",
        "Three numbers. The row is size + 2 · padding long. The window spans some pixels. The way"
        " that it can go is the row minus the span. Print all three for a row of 5, window 3,"
        " padding 1: 7, 3 and 4.",
    ),
    Hint(
        "I am right without strides, wrong with them",
        "The window can go some way, here 5 pixels, in steps of 2. It takes 2 whole steps; the rest"
        " of the way is lost. `5 // 2` is 2. And before the first step it already stood at one"
        " place.",
    ),
    Hint(
        "I am right until a dilation shows up",
        "Write down the taps of a window of 3 with dilation 2: 0, 2, 4. It spans 5 pixels. And with"
        " kernel 4 and dilation 3: 0, 3, 6, 9. It spans 10.",
    ),
    Hint(
        'What do I do with "same"?',
        'padding="same" promises that the output is as long as the input. PyTorch then chooses the'
        " padding itself, if need be one more on the right. There is nothing to compute.",
    ),
)
