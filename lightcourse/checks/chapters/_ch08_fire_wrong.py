"""Exercise 08.fire: wrong modules, and tests of what an answer has wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch08_fire import PARTS, Answer, run, sizes, wrap
from lightcourse.checks.exercise import Outcome


def variant(**changes: Any) -> Callable[..., Answer]:
    """A Fire module with one step changed."""

    def wrong(state: dict[str, Tensor], x: Tensor) -> Answer:
        return wrap(state, run(state, x, **changes))

    return wrong


def as_it_is(x: Tensor) -> Tensor:
    return x


def input_added(state: dict[str, Tensor], x: Tensor) -> Answer:
    """A bypass wherever the shapes allow one."""
    y = run(state, x)
    return wrap(state, y + x if y.shape == x.shape else y)


def relu_first(state: dict[str, Tensor], x: Tensor) -> Answer:
    return wrap(state, run(state, torch.relu(x)))


def weight(outcome: Outcome, part: str) -> tuple[int, ...]:
    return outcome.got.shapes[f"{part}.weight"]


def expand_reads_input(outcome: Outcome) -> bool:
    c, s, e1, e3 = sizes(outcome.case)
    wide = weight(outcome, "expand1x1") == (e1, c, 1, 1)
    return c != s and (wide or weight(outcome, "expand3x3") == (e3, c, 3, 3))


def in_a_row(outcome: Outcome) -> bool:
    _, s, e1, e3 = sizes(outcome.case)
    return e1 != s and weight(outcome, "expand3x3") == (e3, e1, 3, 3)


def fed(channels: Callable[[int, int, int, int], int]) -> Callable[[Outcome], bool]:
    """An expansion, made for the squeezed channels, gets others."""

    def matches(outcome: Outcome) -> bool:
        c, s, e1, e3 = sizes(outcome.case)
        got = channels(c, s, e1, e3)
        return f"to have {s} channels, but got {got} channels" in str(outcome.error)

    return matches


def kernels_swapped(outcome: Outcome) -> bool:
    return weight(outcome, "expand1x1")[2:] == (3, 3) and weight(outcome, "expand3x3")[2:] == (1, 1)


def squeeze_large(outcome: Outcome) -> bool:
    return weight(outcome, "squeeze")[2:] == (3, 3)


def widths_swapped(outcome: Outcome) -> bool:
    _, s, e1, e3 = sizes(outcome.case)
    mine = weight(outcome, "expand1x1"), weight(outcome, "expand3x3")
    return mine == ((e3, s, 1, 1), (e1, s, 3, 3)) and e1 != e3


def full_width_each(outcome: Outcome) -> bool:
    _, _, e1, e3 = sizes(outcome.case)
    return len_of(outcome, "expand1x1") == e1 + e3 == len_of(outcome, "expand3x3")


def len_of(outcome: Outcome, part: str) -> int:
    return weight(outcome, part)[0]


def bias_missing(outcome: Outcome) -> bool:
    shapes = outcome.got.shapes
    return any(shapes[f"{part}.weight"] and not shapes[f"{part}.bias"] for part in PARTS)


def sides_differ(outcome: Outcome) -> bool:
    """The maps of the two expansions have different sizes: 3×3 without padding, or 1×1 with."""
    said = str(outcome.error)
    return "must match except in dimension 1" in said or "at non-singleton dimension 3" in said


def added(outcome: Outcome) -> bool:
    """The expansions are added: an error, or with e1 = e3 half the channels."""
    _, _, e1, e3 = sizes(outcome.case)
    if outcome.error is not None:
        return "at non-singleton dimension 1" in str(outcome.error)
    _, x = outcome.case.args
    return e1 == e3 and outcome.got.output.shape == (len(x), e1, *x.shape[2:])


def other_axis(outcome: Outcome) -> bool:
    """The expansions are concatenated, but not along the channels."""
    if outcome.error is not None:
        said = str(outcome.error)
        return "must match except in dimension" in said and "dimension 1" not in said
    (_, x), (_, _, e1, e3) = outcome.case.args, sizes(outcome.case)
    joined = outcome.want.output.numel() == outcome.got.output.numel()
    return e1 == e3 and joined and outcome.got.output.shape[1] == e1 and len(x) > 0


def pair_returned(outcome: Outcome) -> bool:
    return isinstance(outcome.got.output, (tuple, list))


def layer_fed(outcome: Outcome) -> bool:
    """nn.ReLU(x) made a layer, which was handed on as if it were a tensor."""
    if outcome.error is not None:
        return isinstance(outcome.error, TypeError) and "ReLU" in str(outcome.error)
    return isinstance(outcome.got.output, nn.Module)


def name_missing(outcome: Outcome) -> bool:
    said = str(outcome.error)
    return isinstance(outcome.error, AttributeError) and any(
        f"has no attribute '{name}'" in said for name in PARTS
    )


def too_many(outcome: Outcome) -> bool:
    """Everything is right, but there are more parameters than three convolutions have."""
    only_there = outcome.difference is not None and outcome.difference.text.startswith("it has")
    return only_there and outcome.got.parameters > outcome.want.parameters


def half(active: str) -> Callable[..., Answer]:
    """One expansion of two with its ReLU."""

    def wrong(state: dict[str, Tensor], x: Tensor) -> Answer:
        y, e1 = run(state, x, expanded=as_it_is), len(state["expand1x1.bias"])
        first, second = y[:, :e1], y[:, e1:]
        parts = (first.relu(), second) if active == "expand1x1" else (first, second.relu())
        return wrap(state, torch.cat(parts, 1))

    return wrong
