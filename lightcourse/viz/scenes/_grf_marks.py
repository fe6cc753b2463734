"""The gradient's way as marks: a bar for each layer, from the loss at the right to the left."""

from ..marks import Mark, mark, text
from ..scene import J, L
from ._grf_view import (
    ARROW,
    FIRST,
    HIGH,
    LEFT,
    LOSS,
    LOW,
    PITCH,
    RIGHT,
    TALL,
    TICKS,
    View,
)

TEXT = 19  # px: readable also on a telephone
_SMALL = str(LOW).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
PAINT = ("c6", "c1")  # of the bars of each panel


def marks_of(view: View) -> list[Mark]:
    """Return all marks, from back to front."""
    panels = range(len(view.names))
    bottom = view.bottom
    return [
        text("y_title", 8, 22, L("title", "of"), TEXT, fill="muted", pe=0),
        *(m for p in panels for m in _frame(view, p)),
        *([] if view.own else _stages(view)),
        *(m for p in panels for m in _bars(view, p)),
        mark("rect", "loss", x=LOSS, y=ARROW - 16, width=62, height=32, rx=7, fill="hi", pe=0),
        text("loss_s", LOSS + 31, ARROW + 6, "loss", TEXT, anchor="middle", bold=True, fill="bg",
             pe=0),
        mark("line", "way", x1=view.place("edge", "back"), x2=LOSS, y1=ARROW, y2=ARROW,
             stroke="hi", stroke_width=3, pe=0),
        mark("path", "arrow", d=view.place("arrow", "back"), fill="hi", pe=0),
        text("first", LEFT, bottom + 34, "first", TEXT, fill="muted", pe=0),
        text("last", RIGHT, bottom + 34, "last", TEXT, anchor="end", fill="muted", pe=0),
    ]  # fmt: skip


def _frame(view: View, p: int) -> list[Mark]:
    top = FIRST + PITCH * p
    base = top + TALL
    marks = [
        mark("rect", f"panel{p}", x=LEFT, y=top, width=RIGHT - LEFT, height=TALL, fill="panel",
             pe=0),
        text(f"name{p}", LEFT, top - 9, view.names[p], TEXT, bold=True, fill="ink", pe=0),
        text(f"change{p}", RIGHT, top - 9, L(f"change{p}", "of", *view.case, "done"), TEXT,
             anchor="end", bold=True, pe=0),
    ]  # fmt: skip
    for power, word in TICKS:
        y = base - TALL * (power - LOW) / (HIGH - LOW)
        marks += [
            mark("line", f"tick{p}_{power}", x1=LEFT, x2=RIGHT, y1=y, y2=y, stroke="grid",
                 stroke_width=1, pe=0),
            text(f"tick{p}_{power}_s", LEFT - 8, y + 6, word, TEXT, anchor="end", fill="muted",
                 pe=0),
        ]  # fmt: skip
    return marks


def _stages(view: View) -> list[Mark]:
    """Where the maps halve, how large they are, the shortcuts, and a note."""
    marks = []
    for k in range(2):
        x = view.place("halve", k)
        marks += [
            mark("line", f"halve{k}_{p}", x1=x, x2=x, y1=FIRST + PITCH * p,
                 y2=FIRST + PITCH * p + TALL, stroke="line", stroke_width=1.5,
                 stroke_dasharray="4 4", pe=0)
            for p in range(2)
        ]  # fmt: skip
    marks += [
        text(f"stage{k}", view.place("stage", k), view.bottom + 34, L("stage_s", k), TEXT,
             anchor="middle", fill="muted", pe=0)
        for k in range(3)
    ]  # fmt: skip
    return [
        *marks,
        mark("path", "arcs", d=view.place("arcs"), fill="none", stroke="c1", stroke_width=2, pe=0),
        text("note0", 8, view.bottom + 68, L("note", "start", "done", 0), TEXT, fill="muted", pe=0),
        text("note1", 8, view.bottom + 93, L("note", "start", "done", 1), TEXT, fill="muted", pe=0),
    ]


def _bars(view: View, p: int) -> list[Mark]:
    base = FIRST + PITCH * p + TALL
    marks = []
    for j in range(view.most):
        x, norm = view.place("x", j), L(f"norm{p}", "of", *view.case, j)
        marks.append(mark(
            "line", f"bar{p}_{j}", x1=x, x2=x, y1=base, y2=L(f"y{p}", "of", *view.case, j),
            stroke=PAINT[p], stroke_width=view.place("wide"), opacity=view.on(p, j),
            link=j, tip=J(f"{view.names[p]}, {_place(j)}: ", norm),
        ))  # fmt: skip
    return [
        *marks,
        text(f"below{p}", LEFT + 8, base - 12, f"below 10{_SMALL}", TEXT, fill="ink",
             opacity=view.on(p, f"foot{p}"), pe=0),
    ]  # fmt: skip


def _place(layer: int) -> str:
    return "last layer" if layer == 0 else f"{layer} before the last"
