"""Chapter 02, exercise 02.probe: what goes wrong with a probe, and the hints."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch02_probe import NAN, TRAP, Box, ends
from lightcourse.checks.exercise import Hint, Mistake, Outcome


def _poison(
    net: nn.Module,
    shape: tuple,
    unit: tuple,
    channels: slice = slice(None),
    read: Callable[[Tensor, tuple], Tensor] = lambda out, unit: out[:, :, unit[0], unit[1]],
    poison: float = NAN,
    arrived: Callable[[Tensor], Tensor] = lambda out: out.isnan().any(1),
    kept: bool = False,
) -> Box:
    """A NaN probe with places to go wrong: what is poisoned and with what, what is read and how.

    kept: the poison of one row stays in the picture when the next row gets its own.
    """
    found = []
    for axis, length in ((2, shape[1]), (3, shape[2])):
        images = torch.zeros(length, *shape, dtype=torch.float64)
        for i in range(length):
            first, count = (0, i + 1) if kept else (i, 1)
            images[i, channels].narrow(axis - 1, first, count).fill_(poison)
        with torch.no_grad():
            seen = arrived(read(net(images), unit).flatten(1))
        found.append(ends(seen))
    return found[0], found[1]


def _the_reverse(net: nn.Module, shape: tuple, unit: tuple) -> Box:
    """Poison one pixel and look where it shows: the question the other way round."""
    image = torch.zeros(1, *shape, dtype=torch.float64)
    image[0, :, unit[0], unit[1]] = NAN
    with torch.no_grad():
        touched = net(image)[0].isnan().any(0)
    return ends(touched.any(1)), ends(touched.any(0))


def _fooled_by_values(outcome: Outcome) -> bool:
    """Only the traps fail, with too small a box or with no pixel at all."""
    if not outcome.case.label.startswith(TRAP):
        return False
    if outcome.error is not None or outcome.got is None:
        return True
    pairs = zip(outcome.want, outcome.got, strict=True)
    # an empty box says that no pixel was found
    return all(c > d or (a <= c and d <= b) for (a, b), (c, d) in pairs)


def _sizes(outcome: Outcome) -> bool:
    (top, bottom), (left, right) = outcome.want
    return tuple(outcome.got) == (bottom - top + 1, right - left + 1)


def _end_excluded(outcome: Outcome) -> bool:
    (top, bottom), (left, right) = outcome.want
    return tuple(map(tuple, outcome.got)) == ((top, bottom + 1), (left, right + 1))


def _mask(outcome: Outcome) -> bool:
    return isinstance(outcome.got, Tensor)


def _nothing_found(outcome: Outcome) -> bool:
    said = str(outcome.error)
    return isinstance(outcome.error, (IndexError, ValueError)) and (
        "size 0" in said or "list index out of range" in said or "empty" in said
    )


def _single_precision(outcome: Outcome) -> bool:
    said = str(outcome.error).lower()
    return isinstance(outcome.error, RuntimeError) and "float" in said and "double" in said


MISTAKES = (
    *(
        Mistake(
            "infinity-not-nan",
            "Infinity is not NaN: a weight of -1 makes -inf of it, and the ReLU after that makes 0."
            " Only NaN gets through everything. Poison with NaN, and ask with `.isnan()`.",
            mimic=lambda net, shape, unit, arrived=arrived: _poison(
                net, shape, unit, poison=float("inf"), arrived=arrived
            ),
            hint=2,
        )
        for arrived in (
            lambda out: (~out.isfinite()).any(1),
            lambda out: out.isinf().any(1),
            lambda out: out.isnan().any(1),
        )
    ),
    Mistake(
        "all-channels",
        "You ask whether all channels of the unit are NaN. One is enough: `.any(1)`.",
        mimic=lambda net, shape, unit: _poison(
            net, shape, unit, arrived=lambda out: out.isnan().all(1)
        ),
        hint=4,
    ),
    Mistake(
        "fooled-by-values",
        "Your probe asks whether the unit changes now, with these weights and this picture. A dead"
        " ReLU, the loser of a max pool or a weight of zero hides a pixel from it, though other"
        " weights or another picture would let it through. NaN passes all three.",
        matches=_fooled_by_values,
        hint=2,
    ),
    Mistake(
        "rows-and-columns-swapped",
        "Rows and columns have changed places in your answer: ((top, bottom), (left, right)).",
        mimic=lambda net, shape, unit: _poison(net, shape, unit)[::-1],
        hint=3,
    ),
    Mistake(
        "unit-swapped",
        "You read the unit as (column, row). A tensor is indexed [image, channel, row, column].",
        mimic=lambda net, shape, unit: _poison(net, shape, unit[::-1]),
        hint=3,
    ),
    Mistake(
        "one-channel-poisoned",
        "You poison channel 0 only. A pixel has a value in every channel, and some of them may go"
        " another way.",
        mimic=lambda net, shape, unit: _poison(net, shape, unit, slice(0, 1)),
        hint=4,
    ),
    Mistake(
        "one-channel-read",
        "You read channel 0 of the output only. A unit is one place with all its channels.",
        mimic=lambda net, shape, unit: _poison(
            net, shape, unit, read=lambda out, unit: out[:, :1, unit[0], unit[1]]
        ),
        hint=4,
    ),
    Mistake(
        "anywhere-in-the-map",
        "You look for a NaN anywhere in the output. Look at the unit alone.",
        mimic=lambda net, shape, unit: _poison(net, shape, unit, read=lambda out, unit: out),
        hint=1,
    ),
    Mistake(
        "the-other-question",
        "You poison one pixel and report which units it reaches. The question is the other way"
        " round: which pixels reach this unit?",
        mimic=_the_reverse,
        hint=1,
    ),
    Mistake(
        "size-not-place",
        "You return how large the field is. Return where it is: first and last row, first and last"
        " column.",
        matches=_sizes,
        hint=3,
    ),
    Mistake(
        "end-excluded",
        "Your last row and column are one too large. They are included in the answer, unlike in a"
        " slice.",
        matches=_end_excluded,
        hint=3,
    ),
    Mistake(
        "mask-not-box",
        "You return a tensor of places. Take the first and the last of them, as plain ints.",
        matches=_mask,
        hint=3,
    ),
    *(
        Mistake(
            "never-cleaned",
            "The poison of one row is still in the picture when you try the next. Begin each row"
            " with a clean picture, or clean the row afterwards.",
            mimic=change,
            hint=5,
        )
        for change in (
            lambda net, shape, unit: _poison(net, shape, unit, kept=True),
            lambda net, shape, unit: (
                _poison(net, shape, unit, kept=True)[0],
                (0, shape[2] - 1),
            ),
        )
    ),
    Mistake(
        "single-precision",
        "The net computes in float64, and your picture is float32. Make the picture with"
        " `dtype=torch.float64`.",
        matches=_single_precision,
        hint=1,
    ),
    Mistake(
        "no-row-found",
        "Your probe finds no row at all. NaN equals nothing, not even itself, so"
        ' `x == float("nan")` is never true: ask with `.isnan()`. If you do, look at the poison:'
        " one whole row of the picture, `images[:, :, i, :]`, then the next.",
        matches=_nothing_found,
        hint=1,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "One row at a time. Make a picture of zeros, put NaN into one row, run the net, and look at"
        " the unit. Is it NaN? Then this row is in its receptive field. Now do all rows, then all"
        " columns.",
    ),
    Hint(
        "I use gradients, and some cases fail",
        "A gradient is zero behind a dead ReLU, at the losers of a max pool, and behind a weight of"
        " zero. The pixel could still matter. NaN times zero is NaN, max(NaN, 5) is NaN and"
        " relu(NaN) is NaN, so a NaN cannot get lost.",
    ),
    Hint(
        "My numbers are right but the answer is refused",
        "The answer is two pairs of ints: rows first, then columns, first and last place each."
        " `seen.nonzero()` gives the places where `seen` is true; `int(...)` takes a number out of"
        " a tensor.",
    ),
    Hint(
        "I get too small a box when there are two channels",
        "Poison the row in all channels: `images[i, :, i, :]`. Read all channels of the unit:"
        " `out[:, :, row, column]`, and ask with `.isnan().any(1)` whether any of them is NaN.",
    ),
    Hint(
        "It works, but it is slow",
        "A batch is a stack of pictures. Make one batch with as many pictures as there are rows,"
        " and poison row i in picture i. Then the net runs once for all rows.",
    ),
)
