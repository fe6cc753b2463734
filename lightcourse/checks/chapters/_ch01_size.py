"""Chapter 01, exercise 01.size: how many places a window finds along one axis."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import torch
from torch.nn import functional as F

from lightcourse.checks.exercise import Case, Hint, Law


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
    yield _case(11, 4, padding="same", dilation=2, label="same, even window, dilation")
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


def right(n: int, k: int, s: int, p: int, d: int) -> int:
    """The formula."""
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def _smaller_picture_never_more(output_size: Callable[..., int], rng: Random) -> str | None:
    kernel, stride, padding = rng.randint(2, 5), rng.randint(1, 3), rng.randint(0, 2)
    sizes = [output_size(n, kernel, stride=stride, padding=padding) for n in range(8, 24)]
    if sizes != sorted(sizes):
        return f"A longer row can never have fewer places, but for 8 to 23 pixels you say {sizes}."
    return None


LAWS = (Law("a longer row never has fewer places", _smaller_picture_never_more, hint=3),)

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
