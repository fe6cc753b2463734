"""The two kinds whose taps move: a deformable kernel's nine points, a shift's six arrows."""

from itertools import product
from typing import Any

from ..marks import Mark, mark, text
from ..scene import J, L
from ._cv_images import tap_colour
from ._cv_layers import CHANNELS, SIZE
from ._cv_view import (
    GAP,
    LEFT,
    ONE,
    PITCH,
    SIDE,
    SLICE,
    SLICE_LEFT,
    SLICE_TOP,
    THIRD_ROW,
    TOP,
    View,
    slice_of,
)  # fmt: skip

PLACES, STEP, REACH = 13, 0.25, 1.5  # of a point on an axis; cells from one to the next, at most
ARROWS, FAR = 5, 2  # places of an arrow on an axis, one cell apart; at most
TAPS = [(i, j) for i in range(3) for j in range(3)]
PANE, BIG = 7, 26  # cells a side of the enlarged map, px of one
PANE_X, PANE_Y = SLICE_LEFT, SLICE_TOP
START = ((3, 4), (5, 7), (2, 8), (6, 3), (6, 6), (8, 9), (9, 2), (10, 6), (8, 11))  # y, x
FIRST_ARROWS = ((2, 2), (0, 2), (4, 2), (2, 0), (2, 4), (1, 3))  # y, x; (2, 2) stays


def offset(index: int) -> float:
    """Return how far a point has moved on one axis, in cells."""
    return index * STEP - REACH


def corners(place: float) -> list[tuple[int, float]]:
    """Return the two cells next to a place on one axis, with their bilinear weights.

    >>> corners(2.25)
    [(2, 0.75), (3, 0.25)]
    """
    low = int(place // 1)
    return [(low, 1 - (place - low)), (low + 1, place - low)]


def inside(place: float) -> int:
    """Return how many cells of the map, on one axis, a place between cells is mixed from."""
    return sum(weight > 0 and 0 <= cell < SIZE for cell, weight in corners(place))


def params() -> list[dict[str, Any]]:
    """Return the dragged parameters: a row and a column for each point and each arrow."""
    points = [
        {"name": f"{axis}{t}", "label": f"point {t}, {word}", "kind": "xy", "n": PLACES,
         "value": START[t][a]}
        for t in range(9)
        for a, (axis, word) in enumerate((("oy", "row"), ("ox", "column")))
    ]  # fmt: skip
    arrows = [
        {"name": f"{axis}{c}", "label": f"arrow {c}, {word}", "kind": "xy", "n": ARROWS,
         "value": FIRST_ARROWS[c][a]}
        for c in range(CHANNELS)
        for a, (axis, word) in enumerate((("sy", "row"), ("sx", "column")))
    ]  # fmt: skip
    return points + arrows


def derive() -> dict[str, Any]:
    """Return the keys from which the cells that points and arrows read are counted exactly."""
    keys = {"by": L("base", "kind", "py"), "bx": L("base", "kind", "px")}
    for t, (i, j) in enumerate(TAPS):
        keys[f"rows{t}"] = L("mixed", i, "by", f"oy{t}")
        keys[f"cols{t}"] = L("mixed", j, "bx", f"ox{t}")
        keys[f"cells{t}"] = L("product", f"rows{t}", f"cols{t}")
        keys[f"sum{t}"] = L("sum", f"sum{t - 1}" if t else 0, f"cells{t}")
    for c in range(CHANNELS):
        keys[f"down{c}"] = L("hit", "by", f"sy{c}")
        keys[f"hit{c}"] = L("both", f"down{c}", "bx", f"sx{c}")
    return keys


def tables(view: View) -> dict[str, Any]:
    """Return what the moved points and arrows look up."""
    offsets = [offset(o) for o in range(PLACES)]
    arrows = [a - FAR for a in range(ARROWS)]
    names = [kind.name for kind in view.choice.kinds]
    moved, shifted = ([int(name == kind) for name in names] for kind in ("deformable", "shift"))
    follows = [m or s for m, s in zip(moved, shifted, strict=True)]
    return {
        **_counts(offsets, arrows), **_on_the_map(view, offsets, arrows), **_pane(offsets, moved),
        "base": [[p * (f and p < SIZE) for p in range(view.outs)] for f in follows],
        "moved": moved, "shifted": shifted,
        "counted": [1 - f for f in follows],
        "unshifted": [1 - s for s in shifted],
        "arrow": [
            [[int(bool(s) and c == o) for c in range(CHANNELS)] for o in range(CHANNELS)]
            for s in shifted
        ],
        "tip_x": [[_slice_px(c, 0, a) for a in arrows] for c in (0, 1)],
        "tip_y": [[_slice_px(2 * r, 1, a) for a in arrows] for r in range(3)],
        "arrow_s": [f"{a:+d}" for a in arrows], "point_s": [f"{a:+g}" for a in offsets],
    }  # fmt: skip


def _counts(offsets: list[float], arrows: list[int]) -> dict[str, Any]:
    cells = range(SIZE)
    hit = [[int(0 <= c + a < SIZE) for a in arrows] for c in cells]
    return {
        "mixed": [[[inside(b - 1 + j + o) for o in offsets] for b in cells] for j in range(3)],
        "cells_s": [str(n) for n in range(5)],
        "product": [[r * c for c in range(3)] for r in range(3)],
        "sum": [[before + c for c in range(5)] for before in range(4 * 9 + 1)],
        "hit": hit,
        "both": [[[0] * ARROWS] * SIZE, hit],
        "point_reads": [str(CHANNELS * n) for n in range(4 * 9 + 1)],
        "arrow_reads": [
            [[str(hit) if c == now else "" for hit in (0, 1)] for c in range(CHANNELS)]
            for now in range(CHANNELS)
        ],
    }  # fmt: skip


def _on_the_map(view: View, offsets: list[float], arrows: list[int]) -> dict[str, Any]:
    """Px of points and arrows on the drawn inputs, by the output cell that they belong to."""
    layer = next(layer for layer in view.layers if layer.kind == "deformable")
    margin, cell = view.frames[layer]

    def line(start: float, cells: list[float]) -> list[float]:
        return [round(start + (at + margin) * cell, 1) for at in cells]

    lefts = [LEFT + c * (SIDE + GAP) for c in (0, 1)]
    tops = [TOP + r * PITCH for r in range(3)]

    def points(starts: list[int]) -> list:
        return [
            [[line(start, [b - 0.5 + j + o])[0] for o in offsets] for j in range(3)]
            for start in starts for b in range(SIZE)
        ]  # fmt: skip

    def split(rows: list) -> list:
        return [rows[i : i + SIZE] for i in range(0, len(rows), SIZE)]

    return {
        "dot_x": split(points(lefts)), "dot_y": split(points(tops)),
        "hop_x": [[line(s, [b + a for a in arrows]) for b in range(SIZE)] for s in lefts],
        "hop_y": [[line(s, [b + a for a in arrows]) for b in range(SIZE)] for s in tops],
        "hop_w": [0 if name != "shift" else cell for name in _names(view)],
    }  # fmt: skip


def _names(view: View) -> list[str]:
    return [kind.name for kind in view.choice.kinds]


def _pane(offsets: list[float], moved: list[int]) -> dict[str, Any]:
    """The enlarged map: its middle cell lies under the output."""

    def near(start: float, j: int, o: float) -> list[float]:
        return [start + cell * BIG for cell, _ in corners(PANE // 2 + j - 1 + o)]

    def middle(start: float, j: int, o: float) -> float:
        return round(start + (PANE // 2 + j - 0.5 + o) * BIG, 1)

    def strength(a: float, b: float) -> list:
        return [[round(0.75 * u * v, 2) for _, v in corners(b)] for _, u in corners(a)]

    taps = range(3)
    return {
        "near_x": [[near(PANE_X, j, o) for o in offsets] for j in taps],
        "near_y": [[near(PANE_Y, i, o) for o in offsets] for i in taps],
        "near_w": [BIG * m for m in moved],
        "strength": [[strength(a, b) for b in offsets] for a in offsets],
        "pt_x": [[middle(PANE_X, j, o) for o in offsets] for j in taps],
        "pt_s": [[middle(PANE_Y, i, o) + 4.5 for o in offsets] for i in taps],
        "pt_y": [[middle(PANE_Y, i, o) for o in offsets] for i in taps],
    }


def _slice_px(channel: int, axis: int, arrow: int) -> float:
    return slice_of(channel)[axis] + (FAR + arrow + 0.5) * SLICE / ARROWS


def marks_of(view: View) -> list[Mark]:
    """Return the marks of both kinds."""
    return [*_points(), *_dots(), *_arrows(), *_reads()]


def _points() -> list[Mark]:
    """The enlarged map with the nine points to drag, and the cells that each is mixed from."""
    side, on = PANE * BIG, L("moved", "kind")
    lines = "".join(
        f"M{PANE_X + i * BIG} {PANE_Y}L{PANE_X + i * BIG} {PANE_Y + side}"
        f"M{PANE_X} {PANE_Y + i * BIG}L{PANE_X + side} {PANE_Y + i * BIG}"
        for i in range(PANE + 1)
    )
    marks = [
        mark("rect", "pane", x=PANE_X, y=PANE_Y, width=side, height=side, fill="panel", opacity=on,
             pe=0),
        mark("path", "pane_grid", d=lines, fill="none", stroke="grid", opacity=on, pe=0),
    ]  # fmt: skip
    for (t, (i, j)), r, q in product(enumerate(TAPS), (0, 1), (0, 1)):
        marks.append(
            mark("rect", f"near{t}_{r}{q}", x=L("near_x", j, f"ox{t}", q),
                 y=L("near_y", i, f"oy{t}", r), width=L("near_w", "kind"), height=BIG,
                 fill=tap_colour(i, j, (3, 3)), opacity=L("strength", f"oy{t}", f"ox{t}", r, q),
                 pe=0)
        )  # fmt: skip
    for t, (i, j) in enumerate(TAPS):
        marks += _handle(t, i, j, on)
    return marks


def _handle(t: int, i: int, j: int, on: Any) -> list[Mark]:
    home = [start + (PANE // 2 + at - 0.5) * BIG for start, at in ((PANE_X, j), (PANE_Y, i))]
    x, y, colour = L("pt_x", j, f"ox{t}"), L("pt_y", i, f"oy{t}"), tap_colour(i, j, (3, 3))
    first = [at - (REACH + STEP / 2) * BIG for at in home]
    drag = {"x": f"ox{t}", "y": f"oy{t}", "x0": first[0], "y0": first[1], "cell": STEP * BIG}
    label = _said(f"Sampling point {t}", "point_s", f"oy{t}", f"ox{t}")
    return [
        mark("line", f"way{t}", x1=home[0], y1=home[1], x2=x, y2=y, stroke=colour, stroke_width=2,
             opacity=on, pe=0),
        mark("circle", f"point{t}", cx=x, cy=y, r=9, fill="bg", stroke=colour, stroke_width=3,
             opacity=on, drag=drag, label=label, tip=label),
        text(f"point{t}_s", x, L("pt_s", i, f"oy{t}"), L("cells_s", f"cells{t}"), 13,
             anchor="middle", bold=True, opacity=on, pe=0),
    ]  # fmt: skip


def _said(what: str, table: str, down: str, right: str) -> dict[str, Any]:
    return J(f"{what}: ", L(table, down), " down, ", L(table, right), " right")


def _dots() -> list[Mark]:
    """The nine points on every input channel, where they really lie."""
    return [
        mark("circle", f"dot{c}_{t}", cx=L("dot_x", c % 2, "bx", j, f"ox{t}"),
             cy=L("dot_y", c // 2, "by", i, f"oy{t}"), r=4, fill=tap_colour(i, j, (3, 3)),
             opacity=L("moved", "kind"))
        for c in range(CHANNELS) for t, (i, j) in enumerate(TAPS)
    ]  # fmt: skip


def _arrows() -> list[Mark]:
    """One arrow a channel, to drag; and the cell that it leads to."""
    marks = []
    for c in range(CHANNELS):
        x, y = slice_of(c)
        to_x, to_y = L("tip_x", c % 2, f"sx{c}"), L("tip_y", c // 2, f"sy{c}")
        on, colour = L("shifted", "kind"), "c6"
        drag = {"x": f"sx{c}", "y": f"sy{c}", "x0": x, "y0": y, "cell": SLICE / ARROWS}
        label = _said(f"Arrow of channel {c}", "arrow_s", f"sy{c}", f"sx{c}")
        marks += [
            mark("rect", f"hop{c}", x=L("hop_x", c % 2, "bx", f"sx{c}"),
                 y=L("hop_y", c // 2, "by", f"sy{c}"), width=L("hop_w", "kind"),
                 height=L("hop_w", "kind"), fill=colour, opacity=L("arrow", "kind", "oc", c),
                 pe=0),
            mark("circle", f"stay{c}", cx=x + SLICE / 2, cy=y + SLICE / 2, r=3, fill="muted",
                 opacity=on, pe=0),
            mark("line", f"arrow{c}", x1=x + SLICE / 2, y1=y + SLICE / 2, x2=to_x, y2=to_y,
                 stroke=colour, stroke_width=3, opacity=on, pe=0),
            mark("circle", f"tip{c}", cx=to_x, cy=to_y, r=6.5, fill=colour, stroke="bg",
                 stroke_width=2, opacity=on, drag=drag, label=label, tip=label),
        ]  # fmt: skip
    return marks


def _reads() -> list[Mark]:
    """The third counter, for the kinds whose inputs depend on what was dragged."""
    place = {"anchor": "end", "bold": True, "fill": "hi"}
    hits = J(*(L("arrow_reads", "oc", c, f"hit{c}") for c in range(CHANNELS)))
    return [
        text("one2_points", ONE, THIRD_ROW, L("point_reads", "sum8"), 19,
             opacity=L("moved", "kind"), **place),
        text("one2_arrows", ONE, THIRD_ROW, hits, 19, opacity=L("shifted", "kind"), **place),
    ]  # fmt: skip
