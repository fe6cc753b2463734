"""Comparisons that also say where the first wrong value stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Difference


def located(base: Compare) -> Callable[[Any, Any], Difference | None]:
    """The same comparison, with the index and the two values of the first difference.

    >>> located(Compare())(torch.tensor([1.0, 5.0]), torch.tensor([1.0, 2.0])).text
    '1 of 2 values differ; first at [1]: wanted 2, got 5'
    """

    def compare(got: Any, want: Any) -> Difference | None:
        found = base(got, want)
        if found is None or found.kind not in ("value", "nan"):
            return found
        return replace(found, text=found.text + _first(base, got, want))

    return compare


def _first(base: Compare, got: Any, want: Any) -> str:
    """'; first at [0, 2]: wanted 1, got 3', of the first entry that differs; '' without tensors."""
    if isinstance(want, Mapping):
        wrong = (key for key in want if base(got[key], want[key]) is not None)
        key = next(wrong)
        return _first(base, got[key], want[key])
    if not (isinstance(got, Tensor) and isinstance(want, Tensor) and want.dim()):
        return ""
    for index in torch.ones(want.shape).nonzero().tolist():
        one, other = got[tuple(index)].detach(), want[tuple(index)].detach()
        if base(one, other) is not None:
            wanted, came = _apart(other.item(), one.item())
            return f"; first at {index}: wanted {wanted}, got {came}"
    return ""


def _apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart, six at least."""
    for digits in (6, 9, 12):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return repr(one), repr(other)
