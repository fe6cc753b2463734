"""Exercise 03.pool: what goes wrong, and the hints."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from lightcourse.checks.chapters._ch03_pool import Answer, by_torch, windows_of
from lightcourse.checks.exercise import Hint, Mistake, Outcome


def _spread(x: Tensor, y: Tensor, window: int, places: Tensor | None = None) -> Tensor:
    """Each value of y to its place in a map of zeros like x; by default to its window's corner."""
    height, width = x.shape[-2:]
    if places is None:
        rows = torch.arange(y.shape[2])[:, None] * window * width
        places = (rows + torch.arange(y.shape[3]) * window).expand(y.shape)
    flat = torch.zeros(*x.shape[:2], height * width, dtype=x.dtype)
    return flat.scatter(2, places.flatten(2), y.flatten(2)).view_as(x)


def _local(x: Tensor, window: int) -> Answer:
    values, _, back = by_torch(x, window)
    return values, windows_of(x, window).argmax(-1), back


def _wrong_row_length(x: Tensor, window: int) -> Answer:
    values, places, back = by_torch(x, window)
    height, width = x.shape[-2:]
    return values, places // width * height + places % width, back


def _row_length_of_the_small(x: Tensor, window: int) -> Answer:
    values, places, back = by_torch(x, window)
    width, small = x.shape[-1], values.shape[-1]
    return values, places // width * small + places % width, back


def _over_all_channels(x: Tensor, window: int) -> Answer:
    values, places, back = by_torch(x, window)
    channel = torch.arange(x.shape[1]).view(1, -1, 1, 1) * x.shape[2] * x.shape[3]
    return values, places + channel, back


def _window_number(x: Tensor, window: int) -> Answer:
    values, places, back = by_torch(x, window)
    number = torch.arange(values.shape[2] * values.shape[3]).view(values.shape[2:])
    return values, number.expand_as(places), back


def _filled(x: Tensor, window: int) -> Answer:
    values, places, _ = by_torch(x, window)
    back = torch.zeros_like(x)
    large = values.repeat_interleave(window, 2).repeat_interleave(window, 3)
    back[:, :, : large.shape[2], : large.shape[3]] = large
    return values, places, back


def _corner(x: Tensor, window: int) -> Answer:
    values, places, _ = by_torch(x, window)
    return values, places, _spread(x, values, window)


def _nothing_lost(x: Tensor, window: int) -> Answer:
    values, places, _ = by_torch(x, window)
    return values, places, x.clone()


def _cut(x: Tensor, window: int) -> Answer:
    values, places, back = by_torch(x, window)
    return values, places, back[:, :, : values.shape[2] * window, : values.shape[3] * window]


def _rest_pooled(x: Tensor, window: int) -> Answer:
    values, places = F.max_pool2d(x, window, ceil_mode=True, return_indices=True)
    return values, places, _spread(x, values, window, places)


def _mean(x: Tensor, window: int) -> Answer:
    values, places, _ = by_torch(x, window)
    values = F.avg_pool2d(x, window)
    return values, places, _spread(x, values, window, places)


def _from_zero(outcome: Outcome) -> bool:
    """0 as the best so far, and nothing in the window is larger."""
    want, got = outcome.want[0], outcome.got[0]
    return bool((want < 0).any()) and torch.equal(got, want.clamp(min=0))


def _by_size(x: Tensor, window: int) -> Answer:
    _, places, _ = by_torch(x.abs(), window)
    values = x.flatten(2).gather(2, places.flatten(2)).view(places.shape)
    return values, places, _spread(x, values, window, places)


def _always_two(x: Tensor, window: int) -> Answer:
    return by_torch(x, 2)


def _steps_of_one(x: Tensor, window: int) -> Answer:
    values, places = F.max_pool2d(x, window, 1, return_indices=True)
    back = torch.zeros_like(x).flatten(2).scatter(2, places.flatten(2), values.flatten(2))
    return values, places, back.view_as(x)


def _output_size_missing(outcome: Outcome) -> bool:
    if outcome.error is not None:
        return "invalid max index" in str(outcome.error)
    x, window = outcome.case.args
    cut = tuple(side // window * window for side in x.shape[2:])
    return tuple(outcome.got[2].shape[2:]) == cut != tuple(x.shape[2:])


def _dtypes_differ(outcome: Outcome) -> bool:
    return isinstance(outcome.error, RuntimeError) and "dtype" in str(outcome.error)


def _wrong_from(*names: str) -> Callable[[Outcome], bool]:
    """Whether the first of the three that is wrong is one of these, and only by its values."""

    def matches(outcome: Outcome) -> bool:
        found = outcome.difference
        return found is not None and found.kind == "value" and found.text.startswith(names)

    return matches


MISTAKES = (
    Mistake(
        "place-within-the-window",
        "Your places count inside each window, from 0 to window² - 1. Wanted is the place in the"
        " whole map: row · W + column.",
        mimic=_local,
        hint=3,
    ),
    Mistake(
        "row-times-height",
        "Your places are row · H + column. A row is W long, so that is how far the next row is"
        " away. On a square map the two agree.",
        mimic=_wrong_row_length,
        hint=3,
    ),
    Mistake(
        "row-of-the-small-map",
        "Your places count with the row length of the pooled map. The places are in the large one:"
        " its rows are W long.",
        mimic=_row_length_of_the_small,
        hint=3,
    ),
    Mistake(
        "over-all-channels",
        "Your places go on counting from channel to channel. Each channel of each picture counts"
        " from 0.",
        mimic=_over_all_channels,
        hint=3,
    ),
    Mistake(
        "number-of-the-window",
        "Your places say which window. Wanted is where in the large map the largest value stood.",
        mimic=_window_number,
        hint=3,
    ),
    Mistake(
        "window-filled",
        "You write the value to every place of its window. That is nearest-neighbour upsampling."
        " Unpooling writes it where it was, and zeros elsewhere.",
        mimic=_filled,
        hint=4,
    ),
    Mistake(
        "corner-of-the-window",
        "You write each value to the first place of its window. The places say where it was.",
        mimic=_corner,
        hint=4,
    ),
    Mistake(
        "nothing-lost",
        "You return the input itself. What pooling dropped cannot come back: there are zeros.",
        mimic=_nothing_lost,
        hint=4,
    ),
    Mistake(
        "rest-cut-off",
        "The map that comes back has lost the rows and columns that fill no window. It should be as"
        " large as x, with zeros there.",
        mimic=_cut,
        hint=4,
    ),
    Mistake(
        "rest-pooled-too",
        "You pool the rows and columns that are left over as well. They fill no window, so they are"
        " left out of `values` and `places`.",
        mimic=_rest_pooled,
        hint=2,
    ),
    Mistake(
        "output-size-missing",
        "`F.max_unpool2d` does not know how large x was: it takes the windows for the whole. In"
        " this exercise leave it aside, and write the way back yourself, into zeros like x.",
        matches=_output_size_missing,
        hint=4,
    ),
    Mistake(
        "zeros-in-float32",
        "torch says that the dtypes differ. `torch.zeros` makes float32, and x may be float64:"
        " `x.new_zeros(…)` takes the dtype of x.",
        matches=_dtypes_differ,
        hint=4,
    ),
    Mistake(
        "mean-not-maximum",
        "Your values are means. This is max pooling: the largest value of each window.",
        mimic=_mean,
        hint=2,
    ),
    Mistake(
        "begins-at-zero",
        "You begin with 0 as the largest so far. In a window with negative values only, 0 was never"
        " there. Begin with the window's first value.",
        matches=_from_zero,
        hint=2,
    ),
    Mistake(
        "largest-without-sign",
        "You take the value that is farthest from zero. -9 is smaller than 1.",
        mimic=_by_size,
        hint=2,
    ),
    Mistake(
        "window-of-two",
        "Your windows are always 2 wide. The size comes in as `window`.",
        mimic=_always_two,
        hint=2,
    ),
    Mistake(
        "windows-overlap",
        "Your window moves by one place. Here the windows stand side by side: it moves by"
        " `window`.",
        mimic=_steps_of_one,
        hint=2,
    ),
    # the last two fit whatever is left, so that the hint for that part opens
    Mistake(
        "only-back-wrong",
        "Your values and your places are right. What comes back is not: follow one value of the"
        " case below to its place.",
        matches=_wrong_from("back:"),
        hint=4,
    ),
    Mistake(
        "only-places-wrong",
        "Your values are right. Your places are not: find the largest value of one window in x, and"
        " count from the top left, row by row, from 0.",
        matches=_wrong_from("places:", "back:"),
        hint=3,
    ),
)


HINTS = (
    Hint(
        "I do not know where to begin",
        "Two ways lead there. A loop over pictures, channels and windows, which finds the largest"
        " value and where it stands. Or `unfold` (see the next hint), which cuts all windows at"
        " once.",
    ),
    Hint(
        "My values are wrong",
        "`x.unfold(2, w, w)` cuts axis 2 into pieces of length w, w places apart, and puts what is"
        " in them on a new last axis. Once more on axis 3, and each window is a small w × w table"
        " at the end. `.flatten(-2)` makes it a list, `.max(-1)` gives the value and its number.",
    ),
    Hint(
        "My values are right, my places are wrong",
        "Number 3 in a window of 2 × 2 is its row 1, column 1. The window in row i, column j of the"
        " small map begins at row 2·i, column 2·j of the large one. Then count as you read: every"
        " full row above is W places.",
    ),
    Hint(
        "What comes back is wrong",
        "Begin with zeros in the shape of x, as one long row for each channel: (N, C, H·W). The"
        " places are numbers in that row. `scatter(2, places, values)` writes each value to its"
        " place, once both are flat, too.",
    ),
)
