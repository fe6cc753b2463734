"""Chapter 04, exercise 04.net: what goes wrong with the rows of a net."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lightcourse.checks.chapters._ch04_columns import PRICES
from lightcourse.checks.chapters._ch04_conv import Prices, Shape
from lightcourse.checks.chapters._ch04_net import Net
from lightcourse.checks.chapters._ch04_net_rows import ROWS
from lightcourse.checks.chapters._ch04_net_wrong import biller, linear_row, right
from lightcourse.checks.exercise import Mistake, Outcome


def _running(net: Net, shape: Shape, given: Any = None) -> list[Prices]:
    rows, sums = [], [0, 0, 0]
    for row in right(net, shape):
        sums = [a + b for a, b in zip(sums, row, strict=True)]
        rows.append((sums[0], sums[1], sums[2]))
    return rows


def _same(old: Shape, new: Shape) -> Shape:
    return old


def _linear_on_the_map(c: int, h: int, w: int, n: int) -> Prices:
    return linear_row(c * h * w, 1, 1, n)


def _wrong_cells(outcome: Outcome) -> list[tuple[str, str, int, int]]:
    """(kind, price, got, wanted) of every number that is wrong."""
    return [
        (kind, price, one, other)
        for (kind, _), mine, right in zip(
            outcome.case.args[0], outcome.got, outcome.want, strict=True
        )
        for price, one, other in zip(PRICES, mine, right, strict=True)
        if one != other
    ]


def _a_quarter_of_the_bytes(outcome: Outcome) -> bool:
    cells = _wrong_cells(outcome)
    return bool(cells) and all(
        price == "memory_access" and 4 * one == other for _, price, one, other in cells
    )


def _only(kind: str) -> Callable[[Outcome], bool]:
    """Whether all that is wrong stands in rows of this kind."""
    return lambda outcome: {cell[0] for cell in _wrong_cells(outcome)} == {kind}


def _backwards(outcome: Outcome) -> bool:
    return [tuple(row) for row in outcome.got[::-1]] == [tuple(row) for row in outcome.want]


def _is_total(outcome: Outcome) -> bool:
    total = [sum(column) for column in zip(*outcome.want, strict=True)] or [0, 0, 0]
    return list(outcome.got) == total


def _first_row_only(outcome: Outcome) -> bool:
    return len(outcome.want) > 1 and list(outcome.got) == list(outcome.want[:1])


def _conv_called_wrongly(outcome: Outcome) -> bool:
    """Whether `conv` refused its arguments; nets of convolutions alone may have gone on."""
    if outcome.error is None:
        return all(kind == "conv" for kind, _ in outcome.case.args[0])
    return isinstance(outcome.error, TypeError) and "conv() " in str(outcome.error)


def _option_missing(outcome: Outcome) -> bool:
    return isinstance(outcome.error, KeyError) and outcome.error.args[0] in (
        "stride",
        "padding",
        "dilation",
        "groups",
        "bias",
    )


MISTAKES = (
    Mistake(
        "conv-called-wrongly",
        "`conv` is for rows of the kind conv only, and it wants the options one by one, not as a"
        " dictionary: `conv(shape, **options)`.",
        matches=_conv_called_wrongly,
        hint=1,
    ),
    Mistake(
        "option-not-given",
        "A row lists only the options that differ from the usual ones, so a stride may be missing."
        " `conv_output(shape, **options)` knows what is usual.",
        matches=_option_missing,
        hint=2,
    ),
    *(
        Mistake(
            "shape-never-changes",
            "Rows behind a convolution of yours work on the shape that came before it. A row works"
            " on what the row before has made: other channels, another height and width.",
            mimic=biller(_same, after=after),
            hint=2,
        )
        for after in (("conv", "pool", "linear"), ("conv",), ("conv", "pool"), ("conv", "linear"))
    ),
    *(
        Mistake(
            "channels-not-handed-on",
            "Height and width are handed on, the channels are not: the next row has as many input"
            " channels as this row has made.",
            mimic=biller(lambda old, new: (old[0], *new[1:]), after=after),
            hint=2,
        )
        for after in (("conv", "pool", "linear"), ("conv",))
    ),
    *(
        Mistake(
            "size-not-handed-on",
            "The channels are handed on, height and width are not. A stride makes the map smaller"
            " for all rows that follow.",
            mimic=biller(lambda old, new: (new[0], *old[1:]), after=after),
            hint=2,
        )
        for after in (("conv", "pool", "linear"), ("conv",))
    ),
    *(
        Mistake(
            "pooled-shape",
            "After a pooling the next row of yours still sees the whole map. Global pooling leaves"
            " (C, 1, 1).",
            mimic=rule,
            hint=2,
        )
        for rule in (
            biller(_same, after=("pool",)),
            biller(_same, after=("pool",), linear=_linear_on_the_map),
        )
    ),
    Mistake(
        "linear-shape",
        "After a linear layer the next row of yours still has the old number of channels. A linear"
        " layer leaves (out_features, 1, 1).",
        mimic=biller(_same, after=("linear",)),
        hint=2,
    ),
    Mistake(
        "pooled-and-linear-shape",
        "After a pooling and after a linear layer the shape of yours stays as it was. Pooling"
        " leaves (C, 1, 1), a linear layer (out_features, 1, 1).",
        mimic=biller(_same, after=("pool", "linear")),
        hint=2,
    ),
    *(
        Mistake(
            "option-lost-in-the-shape",
            "Your shape after a convolution leaves out one of its options: stride, padding and"
            " dilation all change the size. `conv_output(shape, **options)` takes them as they"
            " come.",
            mimic=biller(drops=drops),
            hint=2,
        )
        for drops in (
            ("dilation",),
            ("padding",),
            ("stride",),
            ("stride", "padding"),
            ("stride", "padding", "dilation"),
            ("padding", "dilation"),
        )
    ),
    Mistake(
        "numbers-not-bytes",
        "Where you are wrong, your bytes are a quarter of what is wanted: you count numbers. A"
        " number has 4 bytes. (`conv` gives bytes already.)",
        matches=_a_quarter_of_the_bytes,
        hint=5,
    ),
    Mistake(
        "backwards",
        "Your rows are right and stand backwards: wanted is the row next to the picture first.",
        matches=_backwards,
        hint=1,
    ),
    *ROWS,
    Mistake(
        "running-totals",
        "Each of your rows holds the sum up to there. Wanted is what the row itself costs.",
        mimic=_running,
        hint=1,
    ),
    Mistake(
        "totals-only",
        "You return three totals. Wanted is a list with one (params, macs, bytes) for each row.",
        matches=_is_total,
        hint=1,
    ),
    Mistake(
        "first-row-only",
        "You return after the first row: is the `return` inside the loop?",
        matches=_first_row_only,
        hint=1,
    ),
    Mistake(
        "conv-rows-are-wrong",
        "Only rows of convolutions are wrong. Ask the function that is handed in:"
        " `conv(shape, **options)` gives the whole row, right as it is.",
        matches=_only("conv"),
        hint=1,
    ),
    Mistake(
        "norm-rows-are-wrong",
        "Only your batch norm is wrong. Look at its line of the table, column by column.",
        matches=_only("norm"),
        hint=3,
    ),
    *(
        Mistake(
            f"{kind}-rows-are-wrong",
            f"Only rows of the kind {kind} are wrong. Look at that line of the table, column by"
            " column.",
            matches=_only(kind),
            hint=4,
        )
        for kind in ("relu", "pool", "linear")
    ),
)
