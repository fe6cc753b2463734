"""Chapter 02: small drawings that put the wanted footprint beside the learner's."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import product

from lightcourse.checks.exercise import Case

Span = tuple[float, float]
Box = tuple[tuple[int, int], tuple[int, int]]

_WANT, _GOT = "#0072b2", "#d55e00"
_CELL = 16  # screen pixels for one pixel of the input
_WIDE = 640  # screen pixels at most
_LABEL = 76


@dataclass(frozen=True)
class Drawing:
    """A piece of SVG with the sentence that says what it shows."""

    svg: str
    words: str

    def _repr_html_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return self.words


def strips(want: Span, got: Span, what: str = "") -> Drawing:
    """Two bars over a row of pixels: first and last pixel, both included; halves are allowed."""
    low = min(want[0], got[0], 0) - 1
    high = max(want[1], got[1]) + 1
    cell = min(_CELL, (_WIDE - _LABEL) / (high - low + 1))
    words = f"{what}target {_span(want)}, yours {_span(got)}"
    parts = []
    pixel = int(low)
    while pixel <= high and cell >= 4:
        x = _LABEL + (pixel - low) * cell
        # pixels before the first one lie in the padding
        dash = ' stroke-dasharray="2 2"' if pixel < 0 else ""
        parts.append(
            f'<rect x="{x:.1f}" y="4" width="{cell - 1:.1f}" height="12" fill="none"'
            f' stroke="currentColor" stroke-opacity=".45"{dash}/>'
        )
        pixel += 1
    parts.append(_text(_LABEL - 6, 14, "pixels", end=True))
    parts.append(_text(_LABEL - low * cell + cell / 2, 28, "0", middle=True))
    for y, name, colour, (lo, hi) in ((34, "target", _WANT, want), (58, "yours", _GOT, got)):
        x = _LABEL + (lo - low) * cell
        width = max((hi - lo + 1) * cell - 1, 2)
        parts.append(_text(_LABEL - 6, y + 13, name, end=True))
        parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="18" rx="3" fill="{colour}"/>'
        )
        parts.append(_text(x + width + 6, y + 13, _span((lo, hi))))
    width = _LABEL + (high - low + 1) * cell + 120
    return Drawing(_svg(width, 84, words, parts), words)


def boxes(want: Box, got: Box, height: int, width: int) -> Drawing:
    """Two pictures of height × width pixels: the target's box, and the learner's beside it."""
    cell = min(_CELL, 260 / max(height, width))
    column_width = max(width * cell + 30, 190)
    parts = []
    for i, (name, colour, ((top, bottom), (left, right))) in enumerate(
        (("target", _WANT, want), ("yours", _GOT, got))
    ):
        x0, y0 = 4 + i * column_width, 38
        parts.append(_text(x0, 14, name))
        parts.append(_text(x0, 30, f"rows {top} to {bottom}, columns {left} to {right}"))
        for row, column in product(range(height), range(width)):
            inside = top <= row <= bottom and left <= column <= right
            parts.append(
                f'<rect x="{x0 + column * cell:.1f}" y="{y0 + row * cell:.1f}"'
                f' width="{cell - 1:.1f}" height="{cell - 1:.1f}"'
                + (f' fill="{colour}"/>' if inside else ' fill="currentColor" opacity=".12"/>')
            )
    words = f"target {want}, yours {got}"
    return Drawing(_svg(8 + 2 * column_width, 46 + height * cell, words, parts), words)


def chain_picture(case: Case, got: list, want: list) -> Drawing | None:
    """The field of unit 0 in the first layer that differs; None where none can be drawn."""
    for number, (mine, right) in enumerate(zip(got, want, strict=False), 1):
        if tuple(mine) != tuple(right):
            if mine[0] == right[0] and mine[2] == right[2]:
                # only the jump differs: draw the step from unit 0 to unit 1
                return strips((0, right[1]), (0, mine[1]), f"jump of layer {number}, ")
            return strips(_field(right), _field(mine), f"unit 0 of layer {number}, ")
    return None


def span_picture(case: Case, got: Span, want: Span) -> Drawing | None:
    return strips(want, (got[0], got[1])) if got[0] <= got[1] else None


def probe_picture(case: Case, got: Box, want: Box) -> Drawing:
    _, height, width = case.args[1]
    return boxes(want, got, height, width)


def _field(answer: tuple) -> Span:
    size, _, start = answer
    return start - (size - 1) / 2, start + (size - 1) / 2


def _span(span: Span) -> str:
    return f"{span[0]:g} to {span[1]:g}, {span[1] - span[0] + 1:g} px"


def _text(x: float, y: float, words: str, *, end: bool = False, middle: bool = False) -> str:
    anchor = "end" if end else "middle" if middle else "start"
    return (
        f'<text x="{x:.1f}" y="{y}" font-size="12" fill="currentColor" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def _svg(width: float, height: float, words: str, parts: list[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(words)}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
        f' style="max-width:100%;font-family:sans-serif">{"".join(parts)}</svg>'
    )
