"""The manifold scene as marks: the spiral, what came back, the curves against n, three facts."""

from typing import Any

import numpy as np

from ..marks import Mark, mark, text
from ..scene import J, L
from ._man_numbers import EVERY, POINTS, spiral
from ._man_view import (
    BACK,
    LEFT,
    MARKED,
    MEASURES,
    PLOT,
    PLOT_WIDE,
    SIDE,
    TOP,
    View,
    colours,
    draws_said,
    ghost,
    height,
    place,
)

SMALL = 19  # px: readable also on a telephone
LOW = TOP + SIDE
CARDS = (LEFT, BACK, 562)  # px: where the facts begin
CARD_TOP, CARD_TALL, CARD_WIDE = LOW + 38, 94, 272
PAINTS = ("c1", "c3", "bad")  # of the errors by T⁺ and by the best linear map, and of what is lost
MAPS = ("T⁺", "the best linear map")
DASHES = ("none", "9 5", "3 4")


def marks_of(view: View) -> list[Mark]:
    """Return all marks, from back to front."""
    return [*_panels(), *_points(), *_plot(view), *_facts(view)]


def _panels() -> list[Mark]:
    frame = {"y": TOP, "width": SIDE, "height": SIDE, "fill": "panel", "pe": 0}
    path = {"stroke": "none", "fill": "bad", "pe": 0}
    return [
        text("in_t", LEFT, 24, "the spiral x", SMALL, bold=True, pe=0),
        text("back_t", BACK, 24, L("title", "read", "act"), SMALL, bold=True, pe=0),
        mark("rect", "in_panel", x=LEFT, **frame),
        mark("rect", "back_panel", x=BACK, **frame),
        mark("path", "zone0", d=L("zone", 0, "a"), opacity=0.4, **path),
        mark("path", "zone1", d=L("zone", 1, "a"), opacity=0.18, **path),
        mark("path", "ghost", d=ghost(), fill="none", stroke="line", stroke_width=1.5, pe=0,
             opacity=0.7),
        text("beyond", BACK + SIDE - 6, TOP + 22, L("beyond", "z"), SMALL - 2, anchor="end",
             fill="muted", pe=0),
    ]  # fmt: skip


def _points() -> list[Mark]:
    """The points before and after, linked, and letters on some of them."""
    marks, x, y = [], *place(spiral()[::EVERY], LEFT)
    for i, colour in enumerate(colours()):
        dot: dict[str, Any] = {"r": 4, "fill": colour, "link": i,
                               "tip": J(L("tip_n", "a", i), L("tip_s", "a"))}  # fmt: skip
        marks += [
            mark("circle", f"in{i}", cx=int(x[i]), cy=int(y[i]), **dot),
            mark("circle", f"back{i}", cx=L("x", "z", i), cy=L("y", "z", i), **dot),
        ]
    for k, i in enumerate(MARKED):
        ring = {"r": 11, "fill": "bg", "stroke": colours()[i], "stroke_width": 2.5, "link": i}
        word: dict[str, Any] = {"s": "ABCDEF"[k], "size": 16, "anchor": "middle", "bold": True}
        there = L("x", "z", i), L("y", "z", i)
        marks += [
            mark("circle", f"ring{k}", cx=int(x[i]), cy=int(y[i]), **ring),
            text(f"letter{k}", int(x[i]), int(y[i]) + 6, **word, pe=0, link=i),
            mark("circle", f"ring_back{k}", cx=there[0], cy=there[1], **ring),
            text(f"letter_back{k}", there[0], L("mark_y", "z", k), **word, pe=0, link=i),
        ]
    return marks


def _plot(view: View) -> list[Mark]:
    """Medians and middle halves of all draws up to the present n, the present draw as dots."""
    right = PLOT + PLOT_WIDE
    marks = [
        text("plot_t", right, 24, draws_said(), SMALL, anchor="end", bold=True, pe=0),
        mark(
            "rect",
            "plot",
            x=PLOT,
            y=TOP,
            width=PLOT_WIDE,
            height=SIDE,
            fill="panel",
            tip="Lines: medians over the draws of T. Bands: the middle half. Dots: this draw.",
        ),
    ]
    for share in (0, 0.5, 1):
        y = float(height(np.array(share)))
        marks += [
            mark("line", f"rule{share:g}", x1=PLOT, x2=right, y1=y, y2=y, stroke="line",
                 stroke_width=1, pe=0),
            text(f"rule{share:g}_s", PLOT - 6, y + 6, f"{share:.0%}", SMALL, anchor="end",
                 fill="muted", pe=0),
        ]  # fmt: skip
    for i, n in enumerate(view.ns):
        marks.append(text(f"n{i}", view.across(i), LOW + 25, str(n), SMALL, anchor="middle",
                          fill="muted", pe=0))  # fmt: skip
    marks.append(text("n_t", PLOT - 34, LOW + 25, "n", SMALL, anchor="end", fill="muted", pe=0))
    for m in reversed(range(MEASURES)):
        marks += [
            mark("path", f"band{m}", d=L("band", m, "act", "step"), fill=PAINTS[m], opacity=0.2,
                 pe=0),
            mark("path", f"line{m}", d=L("line", m, "act", "step"), fill="none",
                 stroke=PAINTS[m], stroke_width=3, stroke_dasharray=DASHES[m], pe=0),
        ]  # fmt: skip
    for m in reversed(range(MEASURES)):
        marks.append(mark("circle", f"dot{m}", cx=L("dot_x", "step"), cy=L("dot_y", "a", m), r=6,
                          fill=PAINTS[m], stroke="bg", stroke_width=2, pe=0))  # fmt: skip
    return marks


def _facts(view: View) -> list[Mark]:
    """What is lost, and the error of each read-out; a click on an error chooses its read-out."""
    heads = ("points lost", "error, read by T⁺", "error, best linear")
    values = (L("lost_s", "a"), L("error_s", "a", 0), L("error_s", "a", 1))
    marks = []
    for k, (x, head, value) in enumerate(zip(CARDS, heads, values, strict=True)):
        m = (2, 0, 1)[k]
        more: dict[str, Any] = {"stroke": "none", "stroke_width": 0, "pe": 0}
        if k:
            more = {"stroke": L("chosen", "read", k - 1), "stroke_width": 3,
                    "set": {"read": k - 1}, "label": f"Back by {MAPS[k - 1]}"}  # fmt: skip
        marks += [
            mark("rect", f"fact{k}", x=x, y=CARD_TOP, width=CARD_WIDE, height=CARD_TALL, rx=8,
                 fill="panel", **more),
            mark("line", f"fact{k}_key", x1=x + 12, x2=x + 44, y1=CARD_TOP + 22, y2=CARD_TOP + 22,
                 stroke=PAINTS[m], stroke_width=4, stroke_dasharray=DASHES[m], pe=0),
            text(f"fact{k}_t", x + 54, CARD_TOP + 28, head, SMALL, pe=0),
            text(f"fact{k}_s", x + 12, CARD_TOP + 72, value, 29, bold=True, pe=0),
        ]  # fmt: skip
    return [*marks, *_notes()]


def _notes() -> list[Mark]:
    """Small words in the facts."""
    marks = []
    for rank, opacity in ((0, 0.4), (1, 0.18)):
        y = CARD_TOP + 56 + 24 * rank
        said = J(L("rank_s", "a", rank), (" keep none", " keep one")[rank])
        marks += [
            mark("rect", f"key{rank}", x=CARDS[0] + 100, y=y - 13, width=14, height=14, fill="bad",
                 opacity=opacity, pe=0),
            text(f"key{rank}_s", CARDS[0] + 120, y, said, SMALL - 1, fill="muted", pe=0),
        ]  # fmt: skip
    notes = (("the way back", "of figure 1"), ("fitted to these", f"{POINTS} points"))
    for k, lines in enumerate(notes):
        for j, line in enumerate(lines):
            marks.append(text(f"note{k}{j}", CARDS[k + 1] + 116, CARD_TOP + 56 + 24 * j, line,
                              SMALL - 1, fill="muted", pe=0))  # fmt: skip
    return marks
