"""Exercise 11.network: wrong networks, and tests of what an answer has wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from torch import nn

from lightcourse.checks.chapters._ch09_parts import Part, without_bias
from lightcourse.checks.chapters._ch11_block_wrong import said
from lightcourse.checks.chapters._ch11_net import ROWS, divisible
from lightcourse.checks.chapters._ch11_network import RIGHT, by_torch, parts_of
from lightcourse.checks.exercise import Outcome

NONE = nn.Identity


def same(got: Sequence[Part], want: Sequence[Part]) -> bool:
    return without_bias(got) == list(want)


def layers(**changes: Any) -> Callable[[Outcome], bool]:
    """The layers are exactly those of a network with this quirk, and not the right ones."""
    changed = replace(RIGHT, **changes)

    def matches(o: Outcome) -> bool:
        wrong = parts_of(o.case.args, changed)
        return wrong != o.want.parts and same(o.got.parts, wrong)

    return matches


def values(**changes: Any) -> Callable[..., Any]:
    return by_torch(replace(RIGHT, **changes))


def rows(row: int, **changes: int) -> tuple[tuple[int, int, int, int], ...]:
    """Table 2 with other numbers in one row."""
    names = "tcns"
    new = tuple(changes.get(name, old) for name, old in zip(names, ROWS[row], strict=True))
    return (*ROWS[:row], new, *ROWS[row + 1 :])  # pyright: ignore[reportReturnType]


def hidden_from_outputs(o: Outcome) -> bool:
    """The first block, with t = 1, cannot run: it filters as many channels as it makes."""
    made, given = (divisible(c * o.case.args[0]) for c in (16, 32))
    return said(f"to have {made} channels, but got {given} channels")(o)


def in_a_list(o: Outcome) -> bool:
    """Some layers are unknown to the module, so `.double()` does not reach them either."""
    if o.error is not None:
        return said("double", "float")(o)
    convs = [part for part in o.got.parts if part.kind != "linear"]
    unseen = any(one.outputs != other.inputs for one, other in pairwise(convs))
    return len(convs) < 2 or (unseen and len(o.got.parts) < len(o.want.parts))


def without_bias_at_the_end(o: Outcome) -> bool:
    *got, last = o.got.parts
    *want, head = o.want.parts
    return same(got, want) and replace(last, bias=True) == head and not last.bias


def norm_settings(o: Outcome) -> bool:
    got = without_bias(o.got.parts)
    full = [replace(part, lacks="") for part in got]
    return full != got and full == list(o.want.parts)


def more_parameters(o: Outcome) -> int:
    found = o.difference
    only = found is not None and found.text.startswith("it has")
    return o.got.parameters - o.want.parameters if only else 0


def biased(o: Outcome) -> bool:
    extra = sum(part.outputs for part in o.got.parts if part.kind == "conv" and part.bias)
    return more_parameters(o) == extra > 0
