"""Chapter 04: answers of several numbers: which of them is wrong, and in what order they stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Difference, Outcome

PRICES = ("params", "macs", "memory_access")


def named(got: Any, want: Sequence[Any]) -> Difference | None:
    """As usual, but the first number that is wrong is named.

    >>> named((1, 2, 3), (1, 2, 4)).text
    'memory_access is 3, wanted 4'
    """
    found = Compare()(got, want)
    if found is None or found.kind != "value":
        return found
    return Difference("value", _first(got, want))


def named_rows(got: Any, want: Sequence[Sequence[Any]]) -> Difference | None:
    """The same for a list with one such answer a row."""
    found = Compare()(got, want)
    if found is None or found.kind != "value":
        return found
    for number, (one, other) in enumerate(zip(got, want, strict=True), 1):
        if Compare()(one, other) is not None:
            return Difference("value", f"row {number}: {_first(one, other)}")
    return found


def _first(got: Sequence[Any], want: Sequence[Any]) -> str:
    for name, one, other in zip(PRICES, got, want, strict=True):
        if one != other:
            return f"{name} is {one:,}, wanted {other:,}"
    return "the numbers differ"


def only(*names: str) -> Callable[[Outcome], bool]:
    """Whether exactly these of the three numbers are wrong."""

    def matches(outcome: Outcome) -> bool:
        pairs = zip(PRICES, outcome.got, outcome.want, strict=True)
        return {name for name, one, other in pairs if one != other} == set(names)

    return matches
