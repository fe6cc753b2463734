"""Exercise 01.size: the places of the window under the row of pixels, one line for each."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from lightcourse.checks.exercise import Case

_LONGEST, _MOST = 48, 8  # characters of a row, and lines that are drawn


@dataclass(frozen=True)
class Lines:
    """A drawing made of characters, for a terminal and for a notebook."""

    text: str

    def _repr_html_(self) -> str:
        return f'<pre style="line-height:1.25;margin:.5em 0">{escape(self.text)}</pre>'

    def __repr__(self) -> str:
        return self.text


def picture(case: Case, got: Any, want: int) -> Lines | None:
    """Every place that the window has, and where the learner's count stops; None where too long."""
    size, kernel = case.args
    named = {"stride": 1, "padding": 0, "dilation": 1, **case.kwargs}
    stride, padding, dilation = named["stride"], named["padding"], named["dilation"]
    if padding == "same" or size + 2 * padding > _LONGEST or max(want, 1) > _MOST:
        return None
    window = ("-" * (dilation - 1)).join("#" * kernel)
    zeros = "0" * padding
    lines = [f"{zeros}{'·' * size}{zeros}   the row" + (", 0 is padding" if padding else "")]
    for place in range(want):
        lines.append(f"{' ' * (place * stride)}{window}   place {place + 1}")
    lines[-1] += f"; there are {want}, and you count {got}"
    return Lines("\n".join(lines))
