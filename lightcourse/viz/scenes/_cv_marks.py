"""The conv-variants scene as marks: inputs at the left, kernels in the middle, outputs right."""

from typing import Any

from ..marks import Mark, mark, text
from ..scene import J, L
from ._cv_view import (
    ALL,
    FIRST_ROW,
    HEIGHT,
    MATRIX,
    MATRIX_X,
    MATRIX_Y,
    ONE,
    RIGHT,
    ROW,
    SIDE,
    SLICE,
    SLICE_LEFT,
    View,
    place_of,
    slice_of,
)  # fmt: skip


def marks_of(view: View) -> list[Mark]:
    """Return all marks, from back to front."""
    parts = [_inputs, _kernels, _matrix, _outputs, _counters]
    return [m for part in parts for m in part(view)]


def _inputs(view: View) -> list[Mark]:
    marks = [text("in_s", 12, 20, J("Input · ", L("size_in", *view.keys(""))), 18, bold=True)]
    size: dict[str, Any] = {"width": SIDE, "height": SIDE}
    for c in range(view.inputs):
        x, y = place_of(c)
        reads = view.keys("g", "oc", c)
        row = L("win_low", *view.keys("kspd", "py")) if c > 3 else L("win_y", "cut_py", c // 2)
        marks += [
            text(f"in{c}_s", x, y - 5, f"channel {c}", 15, fill="muted",
                 opacity=L("faint", *reads)),
            mark("rect", f"in{c}", x=x, y=y, **size, rx=3, fill="panel", link=c),
            mark("image", f"win{c}", x=L("win_x", "cut_px", c % 2), y=row,
                 width=L("win_w", *view.keys("ksd")), height=L("win_h", *view.keys("ksd")),
                 href=L("window", *view.keys("kd")), opacity=L("read", *reads), smooth=1, link=c),
            mark("image", f"map{c}", x=x, y=y, **size, smooth=1, href=L("map", *view.keys("sp")),
                 opacity=L("faint", *reads), link=c),
        ]  # fmt: skip
    return marks


def _kernels(view: View) -> list[Mark]:
    slots = L("slots", "kind")
    marks = [
        mark("image", f"ker{c}", x=L("ker_x", *view.keys("k", c % 2)),
             y=L("ker_y", *view.keys("k", c // 2)), width=L("ker_w", *view.keys("k")),
             height=L("ker_h", *view.keys("k")), href=L("weights", *view.keys("k")),
             opacity=L("read", *view.keys("g", "oc", c)), smooth=1, link=c)
        for c in range(view.inputs)
    ]  # fmt: skip
    marks += _idle(view) if view.scatters else []
    for c in range(view.inputs):  # over the bars of idle weights
        x, y = slice_of(c)
        marks += [
            text(f"ker{c}_s", x, y - 5, f"for {c}", 14, fill="muted", opacity=slots),
            mark("rect", f"slot{c}", x=x, y=y, width=SLICE, height=SLICE, rx=3, fill="none",
                 stroke="line", stroke_dasharray="3 4", opacity=slots, pe=0),
        ]  # fmt: skip
    head = J("Kernel of output ", L("label", "oc"))
    return [*marks, text("ker_s", slice_of(0)[0], 20, head, 18, bold=True)]


def _idle(view: View) -> list[Mark]:
    """Bars that grey out the weights with which a transposed layer does not make this output."""
    left, top = slice_of(0)
    right, bottom = (end + SLICE for end in slice_of(view.inputs - 1 | 1))
    marks = []
    for i in range(
        max(layer.kernel[a] for layer in view.layers if layer.transposed for a in (0, 1))
    ):
        look = {"fill": "bg", "pe": 0}
        marks += [
            mark("rect", f"idle_r{r}_{i}", x=left, y=L("idle_y", *view.keys("k", r, i)),
                 width=right - left, height=view.tap, opacity=L("idle", "cut_py", i), **look)
            for r in range((view.inputs + 1) // 2)
        ]  # fmt: skip
        marks += [
            mark("rect", f"idle_c{c}_{i}", x=L("idle_x", *view.keys("k", c, i)), y=top,
                 width=view.tap, height=bottom - top, opacity=L("idle", "cut_px", i), **look)
            for c in range(min(2, view.inputs))
        ]  # fmt: skip
    return marks


def _matrix(view: View) -> list[Mark]:
    rows, columns = view.outputs * MATRIX, view.inputs * MATRIX
    marks = [
        text("who", MATRIX_X - 14, 50, "output ← input", 14, fill="muted"),
        mark("rect", "matrix", x=MATRIX_X - 2, y=MATRIX_Y - 2, width=columns + 2,
             height=rows + 2, fill="panel", stroke="grid", pe=0),
        mark("path", "blocks", d=L("blocks", *view.keys("g")), fill="c1", stroke="none", pe=0),
        mark("path", "lost", d=L("lost", *view.keys("g")), fill="bad", stroke="none", pe=0),
        mark("rect", "row", x=MATRIX_X - 2, y=L("row_y", "oc"), width=columns + 2,
             height=MATRIX + 2, fill="none", stroke="hi", stroke_width=2.5, pe=0),
    ]  # fmt: skip
    for c in range(view.inputs):
        x = MATRIX_X + (c + 0.5) * MATRIX - 1
        marks.append(text(f"col{c}", x, MATRIX_Y - 7, str(c), 13, anchor="middle", fill="muted"))
    for o in range(view.outputs):
        y = MATRIX_Y + (o + 1) * MATRIX - 3
        marks.append(text(f"row{o}", MATRIX_X - 6, y, str(o), 13, anchor="end", fill="muted"))
    return marks


def _outputs(view: View) -> list[Mark]:
    rows, columns = (L(f"n_{n}", *view.keys("kspd")) for n in ("py", "px"))
    there = L("there", *view.keys("kpdg"))
    marks = [
        text("out_s", RIGHT, 20, L("head", *view.keys("kpdg")), 18, bold=True),
        text("size", RIGHT + 78, 20, J("· ", rows, "×", columns), 18, bold=True, opacity=there),
    ]
    marks.append(
        text("none", RIGHT, 244, "there is no such layer", 18, bold=True, fill="bad",
             opacity=L("missing", *view.keys("kpdg")), pe=0)
    )  # fmt: skip
    for o in range(view.outputs):
        x, y = place_of(o, RIGHT)
        drag = {"x": "px", "y": "py", "x0": x, "y0": y, "cell": view.cell}
        box = {"width": L("out_w", *view.keys("kspd")), "height": L("out_h", *view.keys("kspd"))}
        cell = L("cell_w", *view.keys("kpdg"))
        marks += [
            text(f"out{o}_s", x, y - 5, f"output {o}", 15, fill="muted"),
            mark("image", f"out{o}", x=x, y=y, **box, href=L("out", *view.keys("kspd")), smooth=1,
                 opacity=there, drag=drag, set={"oc": o},
                 label=f"Output {o}, the cell above its kernel"),
            mark("rect", f"edge{o}", x=x, y=y, **box, fill="none", stroke=L("edge", "oc", o),
                 stroke_width=L("bold", "oc", o), opacity=there, pe=0),
            mark("rect", f"cell{o}", x=L("cell_x", "px", o % 2), y=L("cell_y", "py", o // 2),
                 width=cell, height=cell, fill="hi", stroke="bg", opacity=L("chosen", "oc", o),
                 pe=0),
        ]  # fmt: skip
    return marks


def _counters(view: View) -> list[Mark]:
    touched = L("times", "ch", "use_py", "use_px")
    read = J(L("times", "ch", "in_py", "in_px"))
    rows = (
        ("weights", touched, L("all_weights", *view.keys("kg"))),
        ("MACs", touched, L("all_macs", *view.keys("kspdg"))),
        ("inputs read", read, ""),
    )
    marks = [
        text("legend", SLICE_LEFT, HEIGHT - 30, L("legend", *view.keys("")), 16, fill="muted"),
        text("one_s", ONE, FIRST_ROW - ROW, "this output", 15, anchor="end", fill="muted"),
        text("all_s", ALL, FIRST_ROW - ROW, "the layer", 15, anchor="end", fill="muted"),
    ]
    for i, (name, one, all_) in enumerate(rows):
        y = FIRST_ROW + i * ROW
        marks += [
            text(f"name{i}", 276, y, name, 18),
            text(f"one{i}", ONE, y, one, 19, anchor="end", bold=True, fill="hi",
                 opacity=L("counted", "kind") if i == 2 else 1),
            text(f"all{i}", ALL, y, all_, 17, anchor="end"),
        ]  # fmt: skip
    return marks
