"""Chapter 01, exercise 01.gap: what goes wrong when two ways are compared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from lightcourse.checks.chapters._ch01_gap import Layer, turn
from lightcourse.checks.exercise import Mistake, Outcome


def _both(x: Tensor) -> Tensor:
    return x.abs().amax((0, 1, 2))


def _wrong(
    reduce: Callable[[Tensor], Tensor] = _both,
    roll_in: Callable[[Tensor, int], Tensor] = turn,
    roll_out: Callable[[Tensor, int], Tensor] = turn,
    sign: int = 1,
) -> Callable[[Layer, Tensor, int, int], Tensor]:
    def mimic(layer: Layer, x: Tensor, shift: int, moved: int) -> Tensor:
        return reduce(layer(roll_in(x, sign * shift)) - roll_out(layer(x), sign * moved))

    return mimic


def _down(x: Tensor, by: int) -> Tensor:
    return x.roll(by, 2)


def _flat(x: Tensor, by: int) -> Tensor:
    return x.roll(by)


def _channels(x: Tensor, by: int) -> Tensor:
    return x.roll(by, 1)


def _stay(x: Tensor, by: int) -> Tensor:
    return x


def _cut(x: Tensor, by: int) -> Tensor:
    """Move, and fill with zeros instead of coming back on the other side."""
    out = torch.zeros_like(x)
    width = x.shape[3]
    if by >= 0:
        out[..., by:] = x[..., : width - by]
    else:
        out[..., :by] = x[..., -by:]
    return out


def _exchanged(layer: Layer, x: Tensor, shift: int, moved: int) -> Tensor:
    return _both(layer(turn(x, moved)) - turn(layer(x), shift))


def _largest_first(layer: Layer, x: Tensor, shift: int, moved: int, size: bool) -> Tensor:
    """The maximum of each map, and only then the difference."""
    one, other = layer(turn(x, shift)), turn(layer(x), moved)
    one, other = (t.abs() if size else t for t in (one, other))
    return (one.amax((0, 1, 2)) - other.amax((0, 1, 2))).abs()


def _moved_by_shift(layer: Layer, x: Tensor, shift: int, moved: int) -> Tensor:
    return _both(layer(turn(x, shift)) - turn(layer(x), shift))


def _moved_back(layer: Layer, x: Tensor, shift: int, moved: int) -> Tensor:
    """Undo the move of the first answer instead: the same numbers in other columns."""
    return _both(turn(layer(turn(x, shift)), -moved) - layer(x))


def _one_number(outcome: Outcome) -> bool:
    got = outcome.got
    return isinstance(got, (int, float)) or (isinstance(got, Tensor) and got.dim() == 0)


def _other_axes(outcome: Outcome) -> bool:
    return isinstance(outcome.got, Tensor) and outcome.got.dim() > 1


MISTAKES = (
    Mistake(
        "one-number",
        "You answer with one number. Wanted is one for each output column, so that one can see"
        " where the gap is.",
        matches=_one_number,
        hint=4,
    ),
    Mistake(
        "max-gives-a-pair",
        "`max(dim=…)` gives a pair: the values, and where they stood. `amax` gives the values"
        " alone, and it takes several axes at once.",
        matches=lambda outcome: isinstance(outcome.got, tuple),
        hint=4,
    ),
    Mistake(
        "axes-left",
        "Your answer still has more than one axis. Take the maximum over the pictures, the channels"
        " and the rows: axes 0, 1 and 2.",
        matches=_other_axes,
        hint=4,
    ),
    Mistake(
        "rows",
        "Your answer has one number for each row. Wanted is one for each column.",
        mimic=_wrong(lambda diff: diff.abs().amax((0, 1, 3))),
        hint=4,
    ),
    Mistake(
        "all-axes-rolled",
        "`torch.roll` without `dims` turns all numbers in one long line, and rows and pictures run"
        " into each other. Name the axis of the columns: `dims=3`.",
        mimic=_wrong(roll_in=_flat, roll_out=_flat),
        hint=3,
    ),
    Mistake(
        "moved-down",
        "You move the picture down. To the right is along the last axis, `dims=3`.",
        mimic=_wrong(roll_in=_down, roll_out=_down),
        hint=3,
    ),
    *(
        Mistake(
            "moved-down",
            "You move the picture down. To the right is along the last axis, `dims=3`.",
            mimic=_wrong(roll_in=one, roll_out=other),
            hint=3,
        )
        for one, other in ((_down, turn), (turn, _down))
    ),
    Mistake(
        "channels-rolled",
        "You roll the channels. To the right is along the last axis, `dims=3`.",
        mimic=_wrong(roll_in=_channels, roll_out=_channels),
        hint=3,
    ),
    Mistake(
        "moved-left",
        "You move to the left. A positive number in `torch.roll` moves to the right.",
        mimic=_wrong(sign=-1),
        hint=3,
    ),
    Mistake(
        "map-not-moved",
        "You compare with the map as it is. Only a layer that ignores places would pass: move the"
        " map by `moved` columns first.",
        mimic=_wrong(roll_out=_stay),
        hint=2,
    ),
    Mistake(
        "moved-by-shift",
        "You move the map by as many columns as the picture. After a stride of 2 the map has half"
        " the columns; how far it should move comes in as `moved`.",
        mimic=_moved_by_shift,
        hint=2,
    ),
    Mistake(
        "numbers-exchanged",
        "You have `shift` and `moved` exchanged: the picture moves by `shift`, the map by `moved`.",
        mimic=_exchanged,
        hint=2,
    ),
    *(
        Mistake(
            "largest-before-the-difference",
            "You take the largest value of each map and then the difference. Two maps can have the"
            " same largest values and differ everywhere: difference first, then the largest.",
            mimic=partial(_largest_first, size=size),
            hint=4,
        )
        for size in (False, True)
    ),
    Mistake(
        "squared",
        "You square the differences. Wanted is their absolute value: `abs()`.",
        mimic=_wrong(lambda diff: diff.square().amax((0, 1, 2))),
        hint=4,
    ),
    Mistake(
        "moved-back",
        "You move the first map back instead of moving the second one on. The gaps are right, but"
        " each stands `moved` columns too far to the left.",
        mimic=_moved_back,
        hint=2,
    ),
    Mistake(
        "filled-with-zeros",
        "You fill the empty columns with zeros. Here what falls off on the right comes back on the"
        " left: that is what `torch.roll` does.",
        mimic=_wrong(roll_in=_cut, roll_out=_cut),
        hint=3,
    ),
    Mistake(
        "signed",
        "You take the maximum without `abs()`. A difference of -5 is as large as one of 5.",
        mimic=_wrong(lambda diff: diff.amax((0, 1, 2))),
        hint=4,
    ),
    Mistake(
        "averaged",
        "You take the mean. Wanted is the largest difference in each column.",
        mimic=_wrong(lambda diff: diff.abs().mean((0, 1, 2))),
        hint=4,
    ),
    Mistake(
        "added-up",
        "You add the differences up. Wanted is the largest one in each column.",
        mimic=_wrong(lambda diff: diff.abs().sum((0, 1, 2))),
        hint=4,
    ),
)
