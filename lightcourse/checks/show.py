"""Print values and calls small: what a learner reads beside 'wanted' and 'got'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from lightcourse.checks.exercise import Case, Exercise

_FEW = 36  # values of a tensor that are printed; a larger one shows its shape
_LONG = 300  # characters of any printed value


def short(value: Any, dtype: bool = False) -> str:
    """A value in few characters: small tensors by their numbers, large ones by their shape.

    dtype: name a dtype that torch would not choose for such numbers, as torch's own print does.

    >>> short(torch.arange(3))
    'tensor([0, 1, 2])'
    >>> short(torch.zeros(2, 3, 8, 8))
    'tensor of shape (2, 3, 8, 8), torch.float32'
    >>> short(torch.arange(3).byte(), dtype=True)
    'tensor([0, 1, 2], dtype=torch.uint8)'
    """
    if isinstance(value, torch.Tensor):
        return _tensor(value.detach(), "tensor", str(value.dtype), dtype)
    if isinstance(value, np.ndarray):
        return _array(value, "array", str(value.dtype), dtype)
    if isinstance(value, torch.Size):
        return str(tuple(value))
    if isinstance(value, torch.nn.Module):
        return _cut(" ".join(_repr(value).split()))
    if isinstance(value, float):
        return f"{value:.6g}" if value != int_or_none(value) else repr(value)
    if type(value) in (list, tuple):
        inner = ", ".join(short(v, dtype) for v in value)
        comma = "," if len(value) == 1 and isinstance(value, tuple) else ""
        return _cut(f"[{inner}]" if isinstance(value, list) else f"({inner}{comma})")
    if isinstance(value, Mapping):
        return _cut("{" + ", ".join(f"{k!r}: {short(v, dtype)}" for k, v in value.items()) + "}")
    if isinstance(value, type) or callable(value):
        return getattr(value, "__name__", None) or _cut(_repr(value))
    return _cut(_repr(value))


def int_or_none(value: float) -> int | None:
    """The whole number that a float stands for, if it does."""
    return int(value) if abs(value) < 1e15 and value == int(value) else None


def call_text(exercise: Exercise, case: Case) -> str:
    """The call of a case as the learner would write it: `area(3, width=2)`."""
    if exercise.show is not None:
        return exercise.show(case)
    if exercise.kind == "value":
        return exercise.target
    inside = [short(a, dtype=True) for a in case.args]
    inside += [f"{k}={short(v, dtype=True)}" for k, v in case.kwargs.items()]
    return f"{exercise.target}({', '.join(inside)})"


# what torch and NumPy make of plain numbers, so that nobody has to be told
_USUAL = ("torch.float32", "torch.int64", "torch.bool", "float64", "int64", "bool")


def _tensor(value: torch.Tensor, word: str, dtype: str, named: bool) -> str:
    if value.is_nested:
        return f"nested {word}, {dtype}"  # it has no shape to speak of
    if value.layout != torch.strided or value.is_quantized:
        form = "quantized" if value.is_quantized else "sparse"
        return f"{form} {word} of shape {tuple(value.shape)}, {dtype}"
    if value.is_meta:
        return f"{word} of shape {tuple(value.shape)}, {dtype}"
    if value.dtype == torch.bfloat16:  # NumPy has no such numbers
        value = value.float()
    return _array(value.resolve_conj().resolve_neg().cpu().numpy(), word, dtype, named)


def _array(value: np.ndarray, word: str, dtype: str, named: bool) -> str:
    if value.size > _FEW:
        return f"{word} of shape {tuple(value.shape)}, {dtype}"
    tail = f", dtype={dtype}" if named and dtype not in _USUAL else ""
    if value.ndim == 0:
        return f"{word}({short(value.item())}{tail})"
    if value.ndim > 2 and value.squeeze().ndim == 1:
        # a column of brackets says less than one line of numbers
        line = np.array2string(value.flatten(), precision=4, max_line_width=200)
        return f"{word} of shape {tuple(value.shape)}: {line}" + tail
    text = str(np.array2string(value, precision=4, separator=", "))
    return f"{word}({text.replace(chr(10), chr(10) + ' ' * (len(word) + 1))}{tail})"


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # a learner's object, such as nn.ReLU(x), may not even print
        return f"a {type(value).__name__} that cannot be printed"


def _cut(text: str) -> str:
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"
