"""Compare an answer with the right one: exact for counts, close for real numbers, shape first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch

from lightcourse.checks.exercise import Difference

# tolerances by precision: (relative, absolute)
_TOLERANCE = {
    torch.float64: (1e-7, 1e-9),
    torch.float32: (1e-4, 1e-5),
    torch.float16: (1e-2, 1e-3),
    torch.bfloat16: (2e-2, 1e-2),
}


@dataclass(frozen=True)
class Compare:
    """Compare by the type of the right answer; returns None when equal, else the Difference.

    rtol, atol: tolerances for real numbers (by default those of the precision).
    dtype: whether tensors must have the same dtype.

    >>> Compare()(7, 8).kind
    'value'
    >>> Compare()((1, 2), [1, 2]) is None
    True
    """

    rtol: float | None = None
    atol: float | None = None
    dtype: bool = True

    def __call__(self, got: Any, want: Any) -> Difference | None:
        if isinstance(want, torch.Tensor):
            return self._tensor(got, want)
        if isinstance(want, np.ndarray):
            return self._array(got, want)
        if isinstance(want, (bool, np.bool_, str, type(None))):
            return self._plain(got, want)
        if isinstance(want, Integral):
            return self._integer(got, want)
        if isinstance(want, Real):
            return self._real(got, want)
        if isinstance(want, Mapping):
            return self._mapping(got, want)
        if isinstance(want, Sequence):
            return self._sequence(got, want)
        return self._plain(got, want)

    def _plain(self, got: Any, want: Any) -> Difference | None:
        same_kind = isinstance(got, type(want)) or (
            isinstance(want, (bool, np.bool_)) and isinstance(got, (bool, np.bool_))
        )
        if not same_kind:
            return _wrong_type(got, want)
        return None if got == want else Difference("value", "the values differ")

    def _integer(self, got: Any, want: Any) -> Difference | None:
        if isinstance(got, (bool, np.bool_)) or not isinstance(got, Integral):
            if isinstance(got, float) and got == want:
                text = (
                    f"the value is right but it is a float, {got!r}: use // to keep whole numbers"
                )
                return Difference("type", text)
            # a float that is also wrong in value is a wrong value first
            if isinstance(got, (float, np.floating)):
                return _nan(float(got)) or Difference("value", "the numbers differ")
            return _wrong_type(got, want)
        return None if int(got) == int(want) else Difference("value", "the numbers differ")

    def _real(self, got: Any, want: Any) -> Difference | None:
        if isinstance(got, (bool, np.bool_)) or not isinstance(got, Real):
            return _wrong_type(got, want)
        got, want = float(got), float(want)
        if math.isnan(got) and not math.isnan(want):
            return _nan(got)
        rtol = 1e-6 if self.rtol is None else self.rtol
        atol = 1e-9 if self.atol is None else self.atol
        same = got == want or (math.isnan(got) and math.isnan(want))
        if same or math.isclose(got, want, rel_tol=rtol, abs_tol=atol):
            return None
        return Difference("value", "the numbers differ")

    def _mapping(self, got: Any, want: Mapping) -> Difference | None:
        if not isinstance(got, Mapping):
            return _wrong_type(got, want)
        if set(got) != set(want):
            return Difference("shape", f"the keys are {_names(got)}, wanted {_names(want)}")
        for key, value in want.items():
            if found := self(got[key], value):
                place = f"the entry {key!r}"
                return Difference(found.kind, _placed(place, got[key], value, found))
        return None

    def _sequence(self, got: Any, want: Sequence) -> Difference | None:
        if isinstance(got, (str, bytes)) or not isinstance(got, Sequence):
            return _wrong_type(got, want)
        if len(got) != len(want):
            return Difference("shape", _count(len(got), len(want)))
        for i, (one, other) in enumerate(zip(got, want, strict=True)):
            if found := self(one, other):
                return Difference(found.kind, _placed(f"the {ordinal(i)} item", one, other, found))
        return None

    def _array(self, got: Any, want: np.ndarray) -> Difference | None:
        if isinstance(got, torch.Tensor) or not isinstance(got, (np.ndarray, np.generic)):
            return _wrong_type(got, want)
        return self._tensor(torch.as_tensor(np.array(got)), torch.as_tensor(np.array(want)))

    def _tensor(self, got: Any, want: torch.Tensor) -> Difference | None:
        if not isinstance(got, torch.Tensor):
            return _wrong_type(got, want)
        if unfit := without_numbers(got):
            return Difference("type", unfit)
        if got.shape != want.shape:
            return Difference(
                "shape", f"the shape is {tuple(got.shape)}, wanted {tuple(want.shape)}"
            )
        if self.dtype and got.dtype != want.dtype:
            return Difference("dtype", f"the dtype is {got.dtype}, wanted {want.dtype}")
        got, want = got.detach(), want.detach()
        rtol, atol = _TOLERANCE.get(want.dtype, (0.0, 0.0))
        rtol = rtol if self.rtol is None else self.rtol
        atol = atol if self.atol is None else self.atol
        wide = torch.complex128 if got.is_complex() or want.is_complex() else torch.float64
        one, other = got.to(wide), want.to(wide)
        if torch.allclose(one, other, rtol=rtol, atol=atol, equal_nan=True):
            return None
        if bool((one.isnan() & ~other.isnan()).any()):
            return Difference("nan", f"{int(one.isnan().sum())} of {got.numel()} values are NaN")
        wrong = int((~torch.isclose(one, other, rtol=rtol, atol=atol, equal_nan=True)).sum())
        return Difference("value", f"{wrong} of {got.numel()} values differ")


def close(rtol: float = 1e-6, atol: float = 1e-9, *, dtype: bool = True) -> Compare:
    """A Compare with these tolerances for real numbers.

    >>> close(rtol=0.01)(100.4, 100.0) is None
    True
    """
    return Compare(rtol, atol, dtype)


exact = Compare(rtol=0.0, atol=0.0)


def kind_of(value: Any) -> str:
    """The kind of a value in a learner's words, with its article.

    >>> kind_of((1, 2)), kind_of(3)
    ('a tuple', 'a whole number (int)')
    """
    if value is None:
        return "None"
    if isinstance(value, (bool, np.bool_)):
        return "True or False (bool)"
    if isinstance(value, torch.Tensor):
        return "a tensor"
    if isinstance(value, np.ndarray):
        return "a NumPy array"
    if isinstance(value, Integral):
        return "a whole number (int)"
    if isinstance(value, Real):
        return "a number (float)"
    name = type(value).__name__
    return f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} {name}"


def ordinal(index: int) -> str:
    """The word for a place, counted from 0.

    >>> ordinal(0), ordinal(20)
    ('first', '21st')
    """
    words = ("first", "second", "third", "fourth", "fifth", "sixth")
    if index < len(words):
        return words[index]
    number = index + 1
    tail = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number // 10 % 10 != 1 else "th"
    return f"{number}{tail}"


def _count(got: int, want: int) -> str:
    return f"there {'is 1 item' if got == 1 else f'are {got} items'}, wanted {want}"


def _placed(place: str, got: Any, want: Any, found: Difference) -> str:
    """Say where inside a list or a table the answers differ, with the two values when short."""
    if found.text in ("the numbers differ", "the values differ"):
        return f"{place} is {_brief(got)}, wanted {_brief(want)}"
    return f"in {place}, {found.text}"


def _brief(value: Any) -> str:
    if isinstance(value, Real) and not isinstance(value, (bool, np.bool_, Integral)):
        return f"{float(value):.6g}"
    text = str(value) if isinstance(value, Integral) else repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _wrong_type(got: Any, want: Any) -> Difference:
    text = f"it is {kind_of(got)}, wanted {kind_of(want)}"
    if isinstance(got, torch.Tensor) and isinstance(want, Real) and got.numel() == 1:
        text += ": .item() takes the number out of a tensor"
    return Difference("type", text)


def without_numbers(got: torch.Tensor) -> str:
    """What is wrong with a tensor that does not hold its numbers one by one; '' for any other."""
    if got.is_nested:
        return "it is a nested tensor, wanted a plain one: to_padded_tensor() makes one of it"
    if got.layout != torch.strided:
        return "it is a sparse tensor, wanted a dense one: .to_dense() makes one of it"
    if got.is_meta:
        return "it is a tensor on the meta device, which has a shape and no numbers"
    if got.is_quantized:
        return "it is a quantized tensor, wanted plain numbers: .dequantize() gives them"
    return ""


def _nan(value: float) -> Difference | None:
    return Difference("nan", "the value is NaN, not a number") if math.isnan(value) else None


def _names(keys: Mapping) -> str:
    return ", ".join(sorted(map(repr, keys))) or "none"
