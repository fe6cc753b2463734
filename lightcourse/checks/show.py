"""Print values and calls small: what a learner reads beside 'wanted' and 'got'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from lightcourse.checks.exercise import Case, Exercise

_FEW = 36  # values of a tensor that are printed; a larger one shows its shape
_LONG = 300  # characters of any printed value


def short(value: Any) -> str:
    """A value in few characters: small tensors by their numbers, large ones by their shape.

    >>> short(torch.arange(3))
    'tensor([0, 1, 2])'
    >>> short(torch.zeros(2, 3, 8, 8))
    'tensor of shape (2, 3, 8, 8), torch.float32'
    """
    if isinstance(value, torch.Tensor):
        return _tensor(value.detach(), "tensor", str(value.dtype))
    if isinstance(value, np.ndarray):
        return _tensor(torch.as_tensor(value), "array", str(value.dtype))
    if isinstance(value, torch.Size):
        return str(tuple(value))
    if isinstance(value, torch.nn.Module):
        return _cut(" ".join(_repr(value).split()))
    if isinstance(value, float):
        return f"{value:.6g}" if value != int_or_none(value) else repr(value)
    if type(value) in (list, tuple):
        inner = ", ".join(map(short, value))
        comma = "," if len(value) == 1 and isinstance(value, tuple) else ""
        return _cut(f"[{inner}]" if isinstance(value, list) else f"({inner}{comma})")
    if isinstance(value, Mapping):
        return _cut("{" + ", ".join(f"{k!r}: {short(v)}" for k, v in value.items()) + "}")
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
    inside = [short(a) for a in case.args]
    inside += [f"{k}={short(v)}" for k, v in case.kwargs.items()]
    return f"{exercise.target}({', '.join(inside)})"


def _tensor(value: torch.Tensor, word: str, dtype: str) -> str:
    if value.numel() > _FEW or value.is_meta:
        return f"{word} of shape {tuple(value.shape)}, {dtype}"
    if value.dim() == 0:
        return f"{word}({short(value.item())})"
    if value.dim() > 2 and value.squeeze().dim() == 1:
        # a column of brackets says less than one line of numbers
        line = np.array2string(value.flatten().cpu().numpy(), precision=4, max_line_width=200)
        return f"{word} of shape {tuple(value.shape)}: {line}"
    text = str(np.array2string(value.cpu().numpy(), precision=4, separator=", "))
    return f"{word}({text.replace(chr(10), chr(10) + ' ' * (len(word) + 1))})"


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # a learner's object, such as nn.ReLU(x), may not even print
        return f"a {type(value).__name__} that cannot be printed"


def _cut(text: str) -> str:
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"
