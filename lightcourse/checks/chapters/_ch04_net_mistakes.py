"""Chapter 04, exercise 04.net: what goes wrong with the rows of a net."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lightcourse.checks.chapters._ch04_conv import Prices, Shape
from lightcourse.checks.chapters._ch04_net import Net, conv
from lightcourse.checks.exercise import Mistake, Outcome

Step = Callable[..., Prices]  # (c, h, w, out_features) -> parameters, MACs, bytes


def _norm(c: int, h: int, w: int, n: int) -> Prices:
    return 2 * c, 0, 4 * (2 * c * h * w + 4 * c)


def _relu(c: int, h: int, w: int, n: int) -> Prices:
    return 0, 0, 8 * c * h * w


def _pool(c: int, h: int, w: int, n: int) -> Prices:
    return 0, 0, 4 * (c * h * w + c)


def _linear(c: int, h: int, w: int, n: int) -> Prices:
    return c * n + n, c * n, 4 * (c + c * n + n + n)


def _after_conv(shape: Shape, options: dict[str, Any]) -> Shape:
    def side(size: int) -> int:
        pad, stride = options.get("padding", 0), options.get("stride", 1)
        span = options.get("dilation", 1) * (options["kernel"] - 1)
        return (size + 2 * pad - span - 1) // stride + 1

    return options["out_channels"], side(shape[1]), side(shape[2])


def biller(
    norm: Step = _norm,
    relu: Step = _relu,
    pool: Step = _pool,
    linear: Step = _linear,
    move: Callable[[Shape, Shape], Shape] = lambda old, new: new,
) -> Callable[..., list[Prices]]:
    """A net_cost with some rules of its own; move(old, new) is the shape for the next row."""
    steps = {"norm": norm, "relu": relu, "pool": pool, "linear": linear}

    def net_cost(net: Net, shape: Shape, given: Any = None) -> list[Prices]:
        rows = []
        for kind, options in net:
            if kind == "conv":
                rows.append(conv(shape, **options))
                shape = move(shape, _after_conv(shape, options))
                continue
            n = options.get("out_features", 0)
            rows.append(steps[kind](*shape, n))
            after = {"pool": (shape[0], 1, 1), "linear": (n, 1, 1)}.get(kind, shape)
            shape = move(shape, after)
        return rows

    return net_cost


right = biller()


def _running(net: Net, shape: Shape, given: Any = None) -> list[Prices]:
    rows, sums = [], [0, 0, 0]
    for row in right(net, shape):
        sums = [a + b for a, b in zip(sums, row, strict=True)]
        rows.append((sums[0], sums[1], sums[2]))
    return rows


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
    Mistake(
        "shape-never-changes",
        "Every row of yours works on the shape of the picture. A row works on what the row before"
        " has made: other channels, another height and width.",
        mimic=biller(move=lambda old, new: old),
        hint=2,
    ),
    Mistake(
        "channels-not-handed-on",
        "Height and width are handed on, the channels are not: the next row has as many input"
        " channels as this row has made.",
        mimic=biller(move=lambda old, new: (old[0], *new[1:])),
        hint=2,
    ),
    Mistake(
        "size-not-handed-on",
        "The channels are handed on, height and width are not. A stride makes the map smaller for"
        " all rows that follow.",
        mimic=biller(move=lambda old, new: (new[0], *old[1:])),
        hint=2,
    ),
    Mistake(
        "statistics-as-params",
        "You count 4 · C parameters for a batch norm. Mean and variance are kept, not learnt: they"
        " are read, so they are bytes, but they are no parameters.",
        mimic=biller(norm=lambda c, h, w, n: (4 * c, 0, 4 * (2 * c * h * w + 4 * c))),
        hint=3,
    ),
    Mistake(
        "statistics-not-read",
        "A batch norm reads four vectors: scale and shift, and also mean and variance.",
        mimic=biller(norm=lambda c, h, w, n: (2 * c, 0, 4 * (2 * c * h * w + 2 * c))),
        hint=3,
    ),
    Mistake(
        "norm-vectors-not-read",
        "Your batch norm moves its input and its output. It also reads four numbers for each"
        " channel.",
        mimic=biller(norm=lambda c, h, w, n: (2 * c, 0, 8 * c * h * w)),
        hint=3,
    ),
    Mistake(
        "norm-has-macs",
        "You count MACs for the batch norm. Some profilers do too, and so they all disagree. Here,"
        " as in PyTorch's counter, only convolutions and linear layers have MACs.",
        mimic=biller(norm=lambda c, h, w, n: (2 * c, 2 * c * h * w, 4 * (2 * c * h * w + 4 * c))),
        hint=3,
    ),
    Mistake(
        "norm-has-macs",
        "You count MACs for the batch norm. Some profilers do too, and so they all disagree. Here,"
        " as in PyTorch's counter, only convolutions and linear layers have MACs.",
        mimic=biller(norm=lambda c, h, w, n: (2 * c, c * h * w, 4 * (2 * c * h * w + 4 * c))),
        hint=3,
    ),
    Mistake(
        "relu-is-free",
        "Your ReLU moves nothing. It has no MACs, but run by itself it reads the whole map and"
        " writes the whole map.",
        mimic=biller(relu=lambda c, h, w, n: (0, 0, 0)),
        hint=4,
    ),
    Mistake(
        "relu-one-way",
        "Your ReLU moves the map once. It is read and written: twice.",
        mimic=biller(relu=lambda c, h, w, n: (0, 0, 4 * c * h * w)),
        hint=4,
    ),
    Mistake(
        "pool-writes-a-map",
        "Your pooling writes a whole map. Global pooling leaves one number for each channel.",
        mimic=biller(pool=_relu),
        hint=4,
    ),
    Mistake(
        "linear-without-bias",
        "Your linear layer has no bias. It has one number more for each output, and reads it.",
        mimic=biller(linear=lambda c, h, w, n: (c * n, c * n, 4 * (c + c * n + n))),
        hint=4,
    ),
    Mistake(
        "bias-as-mac",
        "You count the bias of the linear layer among the MACs. It multiplies nothing.",
        mimic=biller(linear=lambda c, h, w, n: (c * n + n, c * n + n, 4 * (c + c * n + 2 * n))),
        hint=4,
    ),
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
)
