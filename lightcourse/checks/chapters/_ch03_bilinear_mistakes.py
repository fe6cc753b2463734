"""Exercise 03.bilinear: what goes wrong, and the hints."""

from __future__ import annotations

import torch
from torch import Tensor

from lightcourse.checks.chapters import _ch03_bilinear_variants as wrong
from lightcourse.checks.chapters._ch03_bilinear import by_torch
from lightcourse.checks.exercise import Hint, Mistake, Outcome


def _size_swapped(x: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    return by_torch(x, (size[1], size[0]), align_corners)


def _copied(outcome: Outcome) -> bool:
    """Whether every value is one of the input's, so that none is mixed from two."""
    x, size, _ = outcome.case.args
    got = outcome.got
    return got.shape == (*x.shape[:2], *size) and bool(torch.isin(got, x).all())


def _zero_division(outcome: Outcome) -> bool:
    """ZeroDivisionError of Python; of torch NaN, which is no index either."""
    _, size, align = outcome.case.args
    if outcome.error is not None:
        stopped = isinstance(outcome.error, (ZeroDivisionError, IndexError))
    else:
        stopped = outcome.difference is not None and outcome.difference.kind == "nan"
    return stopped and align and 1 in size


def _dtypes_differ(outcome: Outcome) -> bool:
    said = str(outcome.error)  # torch has three wordings for it
    return any(words in said for words in ("scalar type", "dtype", "should be the same"))


MISTAKES = (
    Mistake(
        "division-by-zero",
        "You divide by m - 1, and only one row is wanted, so that is 0. One output stands at 0.",
        matches=_zero_division,
        hint=5,
    ),
    Mistake(
        "dtypes-differ",
        "torch says that the dtypes differ: your table has one, x another. x comes in float64 and"
        " in float32. Make your tensors with `dtype=x.dtype`, or convert with `.to(x.dtype)`.",
        matches=_dtypes_differ,
    ),
    Mistake(
        "half-not-taken-off",
        "Without aligned corners you go to (i + ½)·n/m and stay there. That is measured from the"
        " edge of the map; the middle of input 0 is at ½, so take ½ off again.",
        mimic=wrong.variant(wrong.without_going_back),
        hint=3,
    ),
    Mistake(
        "aligned-by-the-sizes",
        "With aligned corners you step by n/m. From the first pixel to the last there are n - 1"
        " steps in the input and m - 1 in the output: (n - 1)/(m - 1).",
        mimic=wrong.variant(wrong.aligned_by_sizes),
        hint=3,
    ),
    Mistake(
        "half-forgotten",
        "Without aligned corners you map i to i·n/m. But i stands for the *middle* of its pixel, at"
        " i + ½. Go there, scale, and come back: (i + ½)·n/m - ½.",
        mimic=wrong.variant(wrong.without_half),
        hint=3,
    ),
    Mistake(
        "never-aligned",
        "Right for align_corners=False, and the flag changes nothing in yours.",
        mimic=wrong.variant(lambda n, m, align: wrong.usual(n, m, False)),
        hint=3,
    ),
    Mistake(
        "always-aligned",
        "Right for align_corners=True, and the flag changes nothing in yours.",
        mimic=wrong.variant(lambda n, m, align: wrong.usual(n, m, True)),
        hint=3,
    ),
    Mistake(
        "flag-the-other-way",
        "The two rules have changed places: with align_corners=True the first and last pixels of"
        " both maps stand on each other.",
        mimic=wrong.variant(lambda n, m, align: wrong.usual(n, m, not align)),
        hint=3,
    ),
    *(
        Mistake(
            "beyond-the-edge",
            "At the edge the line goes on outside the map. There is nothing: the edge pixel counts"
            " instead. Put places below 0 at 0 and those beyond n - 1 at n - 1.",
            mimic=wrong.variant(wrong.not_clamped, weigh),
            hint=4,
        )
        for weigh in (wrong.extrapolated, wrong.not_put_back)
    ),
    *(
        Mistake(
            "second-share-replaces-the-first",
            "At the last pixel both neighbours are the same one, and there your second share"
            " replaces the first. Add it: `+=`.",
            mimic=wrong.variant(where, wrong.overwritten),
            hint=4,
        )
        for where in (wrong.usual, wrong.inside)
    ),
    Mistake(
        "round-the-corner",
        "The first output takes something of the *last* input: index -1 means that in Python."
        " Put places below 0 at 0 first.",
        mimic=wrong.variant(wrong.not_clamped, wrong.wrapped),
        hint=4,
    ),
    Mistake(
        "rounded-down",
        "You take the pixel on the left (or above) and forget the other neighbour.",
        mimic=wrong.variant(weigh=wrong.floored),
        hint=2,
    ),
    Mistake(
        "nearest",
        "You take the nearest pixel. Bilinear means: both neighbours, the nearer one with more"
        " weight.",
        matches=_copied,
        hint=2,
    ),
    Mistake(
        "weights-swapped",
        "The weights have changed places: at 0.25 the neighbour at 0 is nearer, so it gets 0.75.",
        mimic=wrong.variant(weigh=wrong.swapped_exactly),
        hint=2,
    ),
    Mistake(
        "weights-equal",
        "You take the mean of both neighbours. The nearer one should count more.",
        mimic=wrong.variant(weigh=wrong.averaged),
        hint=2,
    ),
    Mistake(
        "ratio-upside-down",
        "Your ratio is upside down. Go from an output to the input: from m places to n, n/m.",
        mimic=wrong.variant(wrong.inverse_scale),
        hint=3,
    ),
    Mistake(
        "size-swapped",
        "Height and width of the result have changed places: size is (height, width).",
        mimic=_size_swapped,
        hint=1,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Do one axis. Make a table with a row for each output and a column for each input that says"
        " how much the output takes of the input. Both axes then are two matrix products, one from"
        " the left and one from the right. Loops over all outputs are right, too.",
    ),
    Hint(
        "My values are wrong between the pixels",
        "An output at place 2.25 lies between inputs 2 and 3. It takes 0.75 of input 2 and 0.25 of"
        " input 3. `floor` gives the 2, and the rest is the part of the other.",
    ),
    Hint(
        "One value of align_corners is right, the other is wrong",
        "Write both on paper for 4 → 8. Aligned: output 0 at 0, output 7 at 3, even steps between."
        " Not aligned: pixels have a width. Output 0 covers 0 to ½ of the input's ruler; its middle"
        " is ¼, and the middle of input 0 is at ½. So it stands at ¼ - ½ = -¼.",
    ),
    Hint(
        "I am right in the middle, wrong at the edges",
        "A place of -¼ is outside. Nothing is there, so the edge pixel counts alone: `clamp` the"
        " places to 0 … n - 1. For the second neighbour, use `clamp` as well.",
    ),
    Hint(
        "I get ZeroDivisionError, or nan",
        "With aligned corners the steps are (n - 1) / (m - 1). A single output has no steps: it"
        " stands at place 0. (Python stops at 0 / 0, torch makes nan of it.)",
    ),
)
