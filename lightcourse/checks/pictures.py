"""Draw the target beside the learner's answer: two small grids, differing cells framed."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import torch

from lightcourse.checks.compare import without_numbers

_SIDE = 16  # rows and columns of the largest grid that is drawn
_NUMBERS = 8  # columns up to which each cell also shows its number


def beside(got: Any, want: Any) -> str:
    """HTML with "target" and "yours" side by side; '' unless both are small 1-D to 4-D tensors.

    Of a tensor with more than two dimensions the first slice that differs is drawn.
    """
    if not (_drawable(got) and _drawable(want)):
        return ""
    one, other = _array(want), _array(got)
    note = ""
    if one.ndim > 2:
        if one.shape != other.shape:
            return ""
        one, other, note = _first_difference(one, other)
    one, other = np.atleast_2d(one), np.atleast_2d(other)
    if max(*one.shape, *other.shape) > _SIDE:
        return ""
    wrong = ~np.isclose(one, other, rtol=1e-4, atol=1e-5) if one.shape == other.shape else None
    low, high = float(np.nanmin(one)), float(np.nanmax(one))
    grids = [
        _grid("target" + note, one, wrong, low, high),
        _grid("yours" + note, other, wrong, low, high),
    ]
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:1.5em;margin:.5em 0">{"".join(grids)}</div>'
    )


def _drawable(value: Any) -> bool:
    if isinstance(value, torch.Tensor) and (value.is_complex() or without_numbers(value)):
        return False
    return (
        isinstance(value, (torch.Tensor, np.ndarray))
        and 1 <= value.ndim <= 4
        and 1 < int(np.prod(tuple(value.shape))) <= 4096
    )


def _array(value: Any) -> np.ndarray:
    value = (
        value.detach().cpu().to(torch.float64).numpy() if isinstance(value, torch.Tensor) else value
    )
    return np.asarray(value, dtype=np.float64)


def _first_difference(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    for index in np.ndindex(one.shape[:-2]):
        if not np.allclose(one[index], other[index], rtol=1e-4, atol=1e-5):
            break
    return one[index], other[index], f" [{', '.join(map(str, index))}]"


def _grid(title: str, values: np.ndarray, wrong: np.ndarray | None, low: float, high: float) -> str:
    rows = []
    for i, row in enumerate(values):
        cells = []
        for j, value in enumerate(row):
            bad = wrong is not None and bool(wrong[i, j])
            cells.append(_cell(float(value), bad, low, high, row.size <= _NUMBERS))
        rows.append(f'<tr style="background:none">{"".join(cells)}</tr>')
    count = "" if wrong is None or not wrong.any() else f", {int(wrong.sum())} cells differ"
    spoken = f"{escape(title)}: {values.shape[0]} × {values.shape[1]}{count}"
    return (
        f'<figure style="margin:0"><figcaption>{escape(title)}</figcaption>'
        f'<table role="img" aria-label="{spoken}"'
        f' style="border-collapse:collapse;border:none;margin:.2em 0">'
        f"<tbody>{''.join(rows)}</tbody></table></figure>"
    )


def _cell(value: float, bad: bool, low: float, high: float, number: bool) -> str:
    share = 0.0 if not np.isfinite(value) or high <= low else (value - low) / (high - low)
    share = min(1.0, max(0.0, share))
    # one hue from pale to deep; the ink flips where the cell gets dark
    shade = f"hsl(208 55% {92 - 60 * share:.0f}%)"
    ink = "#fff" if share > 0.55 else "#111"
    frame = "2px solid #c4402f" if bad else "1px solid rgba(128,128,128,.35)"
    text = escape(f"{value:.3g}") + ("&nbsp;✗" if bad else "") if number else ("✗" if bad else "")
    return (
        f'<td style="background:{shade};color:{ink};border:{frame};min-width:1.3em;height:1.5em;'
        f'padding:.1em .4em;text-align:center;font-size:.85em">{text}</td>'
    )
