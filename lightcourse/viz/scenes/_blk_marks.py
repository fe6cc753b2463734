"""The block scenes as marks: rows of boxes joined by ribbons, and bars of four measures."""

from typing import Any

from ..marks import Mark, mark, text
from ..scene import J, L
from . import _blk_words as words
from ._blk_layout import HIGH, RIGHT, WIDTH
from ._blk_view import BAR, View

SMALL = 19  # px: readable also on a telephone
NAMES = 8  # px: where the rows' names begin
COLUMNS = [RIGHT + 16 + 92 * i for i in range(len(words.MEASURES))]  # px: where the bars begin


def marks_of(view: View) -> list[Mark]:
    """Return all marks, from back to front."""
    marks = [*_heads(), *_ribbons(view), *_refused(view)]
    for row in view.rows:
        marks += _row(view, row)
    return [*marks, *_pulse(view), *_handle(view)]


def _heads() -> list[Mark]:
    """Names and totals of the measures."""
    marks: list[Mark] = []
    for m, (measure, meaning) in enumerate(zip(words.MEASURES, words.HEADS, strict=True)):
        marks += [
            text(f"head{m}", COLUMNS[m], 26, measure, SMALL, fill="muted", tip=meaning,
                 label=f"{measure}: {meaning}"),
            text(f"total{m}", COLUMNS[m], 52, L("total", "c", m), SMALL - 1, bold=True, pe=0),
        ]  # fmt: skip
    return [
        *marks,
        mark("line", "rule", x1=COLUMNS[0], x2=WIDTH - 6, y1=66, y2=66, stroke="line",
             stroke_width=1, pe=0),
    ]  # fmt: skip


def _ribbons(view: View) -> list[Mark]:
    marks = []
    for j, (start, _) in enumerate(view.ends):
        key = ("topo", j, "step")
        marks.append(
            mark("path", f"ribbon{j}", d=L("path", f"edge{j}"), fill=L("ribbon", *key),
                 opacity=L("flow", *key), link=start,
                 tip=J(L("shape", "c", start), ", ", L("size", "c", start)))
        )  # fmt: skip
    key = ("topo", len(view.ends), "step")
    return [
        *marks,
        mark("path", "arrow", d=L("path", "head"), fill=L("ribbon", *key),
             opacity=L("flow", *key), pe=0),
    ]  # fmt: skip


def _refused(view: View) -> list[Mark]:
    """A shortcut that cannot be: dashed, in the colour of mistakes."""
    if not view.refuses:
        return []
    return [
        mark("path", "refused", d=L("refused_d"), fill="none", stroke="bad", stroke_width=2,
             stroke_dasharray="7 5", opacity=L("refused", "c"), pe=0)
    ]  # fmt: skip


def _row(view: View, row: int) -> list[Mark]:
    """One stage: its name, its map, its box, its bars."""
    y, key, there = view.layout.y(row), ("topo", row), L("there", "topo", row)
    under = J(L("shape", "c", row), L("reason", *key))
    tip = J(L("name", *key), ": ", L("layers", *key))
    if row:
        shares = [J(L("pct", "c", row, m), f" of {w}") for m, w in enumerate(words.MEASURES[:3])]
        tip = J(tip, ". ", shares[0], ", ", shares[1], ", ", shares[2])
    marks = [
        text(f"name{row}", NAMES, y + 3, L("name", *key), SMALL + 1, fill=L("ink", *key), link=row,
             font_weight=L("bold", *key)),
        text(f"shape{row}", NAMES, y + 25, under, SMALL, fill="muted", link=row),
        text(f"size{row}", NAMES, y + 46, L("size", "c", row), SMALL, fill="muted", link=row),
        mark("path", f"box{row}", d=L("path", f"box{row}"), fill=L("fill", *key, "step"),
             stroke=L("stroke", *key, "step"), stroke_width=1.5, opacity=there, link=row, tip=tip),
    ]  # fmt: skip
    if row and set(view.kind.slots[row - 1].letters) & set("+x"):
        marks.append(
            text(f"sign{row}", L("sign_x", "c", row), y + 7, L("sign", *key), 22, anchor="middle",
                 bold=True, fill=L("sign_ink", "topo", row, "step"), pe=0)
        )  # fmt: skip
    return marks + ([m for n in range(len(words.MEASURES)) for m in _bar(row, n, y)] if row else [])


def _bar(row: int, measure: int, y: float) -> list[Mark]:
    shown, x = L("shown", "topo", row, "step"), COLUMNS[measure]
    name = f"{row}_{measure}"
    return [
        text(f"num{name}", x, y - 3, L("num", "c", row, measure), SMALL, opacity=shown, link=row),
        mark("rect", f"track{name}", x=x, y=y + 5, width=BAR, height=13, rx=3, fill="panel",
             opacity=shown, pe=0),
        mark("rect", f"bar{name}", x=x, y=y + 5, width=L("bar", "c", row, measure), height=13,
             rx=3, fill=L("fill", "topo", row, "step"), opacity=shown, link=row),
    ]  # fmt: skip


def _pulse(view: View) -> list[Mark]:
    """A frame round the box that runs now."""
    return [
        mark("rect", "pulse", x=L("pulse_x", "c", "step"), y=L("pulse_y", "step"),
             width=L("pulse_w", "c", "step"), height=HIGH + 14, rx=9, fill="none", stroke="hi",
             stroke_width=3, opacity=L("pulse", "step"), pe=0)
    ]  # fmt: skip


def _handle(view: View) -> list[Mark]:
    """The corner that drags the kind's main slider."""
    name, row = view.kind.handle
    knobs = [knob.name for knob in view.kind.knobs]
    if len(view.every) == 1:
        return []
    labels = len(view.kind.knobs[knobs.index(name)].labels)
    first, last = _ends(view, labels)
    cell = (last - first) / (labels - 1)
    drag: dict[str, Any] = {"x": name, "x0": first - cell / 2, "cell": cell}
    return [
        mark("circle", "handle", cx=L("handle_x", "c"), cy=view.layout.y(row) + HIGH / 2, r=8,
             fill="hi", stroke="bg", stroke_width=2, drag=drag, label=L("handle", name))
    ]  # fmt: skip


def _ends(view: View, count: int) -> tuple[float, float]:
    """Return where the handle stands at the slider's first and last value."""
    places = {view.corner(case) for case in view.every}
    assert len(places) == count, "the handle moves with its own slider only"
    return min(places), max(places)
