"""The sliding-kernel scene as marks: the picture, the numbers under the window, and the output."""

from __future__ import annotations

from itertools import product
from typing import Any

from ..marks import Mark, mark, text, timeline
from ..scene import J, L
from ._sk_view import BOX, FRAME, HEIGHT, HIGH, LEFT, MIDDLE, RIGHT, STEPS, TOP, WIDTH, View

SET = ("padding", "stride", "dilation")
GAP = 138  # px from one table of numbers to the next


def marks_of(view: View) -> list[Mark]:
    """Return all marks, from back to front."""
    return [
        *timeline(list(STEPS), "step", LEFT, 6, WIDTH - 2 * LEFT),
        *_picture(view),
        *_window(view),
        *_tables(view),
        *_output(view),
        text("formula", RIGHT + FRAME / 2, HEIGHT - 22, L("formula", *SET), 15, anchor="middle",
             opacity=L("formula_at", "step"), pe=0),
    ]  # fmt: skip


def _picture(view: View) -> list[Mark]:
    rows, columns = view.shape
    drag = {"x": "px", "y": "py", "x0": L("hand", *SET, 1), "y0": L("hand", *SET, 0),
            "cell": L("pace", "stride")}  # fmt: skip
    x, y, width, height = (L("rim", *SET, i) for i in range(4))
    return [
        text("in_s", LEFT, TOP - 14, f"picture, {rows}×{columns}", 16, bold=True, pe=0),
        text("levels", LEFT + FRAME, TOP - 14, "black is 0, white is 9", anchor="end",
             fill="muted", pe=0),
        mark("rect", "rim", x=x, y=y, width=width, height=height, fill="panel", stroke="line",
             stroke_width=1.5, stroke_dasharray="4 4", pe=0),
        mark("image", "photo", x=view.px(view.rim, 1), y=view.px(view.rim, 0),
             width=columns * view.cell, height=rows * view.cell, href=view.photo, drag=drag,
             label="The window on the picture"),
    ]  # fmt: skip


def _window(view: View) -> list[Mark]:
    """The frame of the window, and a square on each of its taps."""
    side = L("window", *SET)
    x, y = L("window_at", *SET, 1, "px"), L("window_at", *SET, 0, "py")
    taps = [
        mark("rect", f"tap{i}{j}", x=L("at", 1, f"tap1{j}"), y=L("at", 0, f"tap0{i}"),
             width=view.cell, height=view.cell, fill="none", stroke="hi", stroke_width=2,
             link=f"{i}{j}", pe=0)
        for i, j in product(range(view.taps), repeat=2)
    ]  # fmt: skip
    return [
        *taps,
        mark("rect", "window", x=x, y=y, width=side, height=side, rx=2, fill="none", stroke="hi",
             stroke_width=3, pe=0),
    ]  # fmt: skip


def _tables(view: View) -> list[Mark]:
    """Three tables under each other: the pixels, the weights, the products; then the sum."""
    size = 16 if view.taps <= 3 else 13
    marks: list[Mark] = []
    for row, (name, title, sign) in enumerate(
        (("pixel", "pixels", ""), ("weight", "weights", "×"), ("product", "products", "="))
    ):
        y = TOP + row * GAP
        seen = L("seen", "step", row)
        marks.append(
            text(f"{name}_s", MIDDLE, y - 8, f"{sign} {title}".strip(), anchor="middle",
                 fill="muted", opacity=seen, pe=0)
        )  # fmt: skip
        for i, j in product(range(view.taps), repeat=2):
            marks += _cell(view, name, (i, j), y, size, seen)
    return [*marks, *_sum()]


def _cell(
    view: View, name: str, tap: tuple[int, int], y: float, size: int, seen: Any
) -> list[Mark]:
    (i, j), wide, high = tap, BOX / view.taps, HIGH / view.taps
    t, x, pixel = i * view.taps + j, MIDDLE - BOX / 2 + j * wide, f"v{i}{j}"
    weight, made = L("weight", "kernel", t), L("product", "kernel", t, pixel)
    fill, ink, word = {
        "pixel": (L("shade", pixel), L("on_shade", pixel), L("digit", pixel)),
        "weight": ("bg", "ink", weight),
        "product": ("panel", "ink", made),
    }[name]
    tip = {"tip": J(L("digit", pixel), " × ", weight, " = ", made)} if name == "product" else {}
    return [
        mark("rect", f"{name}{i}{j}", x=x, y=y + i * high, width=wide, height=high, fill=fill,
             stroke="line", stroke_width=1, opacity=seen, link=f"{i}{j}", **tip),
        text(f"{name}{i}{j}_s", x + wide / 2, y + (i + 0.5) * high + 0.36 * size, word, size,
             anchor="middle", fill=ink, opacity=seen, pe=0),
    ]  # fmt: skip


def _sum() -> list[Mark]:
    seen = L("summed", "step", *SET)
    return [
        text("total_s", MIDDLE, HEIGHT - 38, L("total", "kernel"), anchor="middle", fill="muted",
             opacity=seen, pe=0),
        text("sum", MIDDLE, HEIGHT - 12, L("sum_s", "total"), 24,
             anchor="middle", bold=True, fill="hi", opacity=seen, pe=0),
    ]  # fmt: skip


def _output(view: View) -> list[Mark]:
    place = {
        "x": L("out", *SET, 1, 0), "y": L("out", *SET, 0, 0),
        "width": L("out", *SET, 1, 1), "height": L("out", *SET, 0, 1),
    }  # fmt: skip
    drag = {"x": "px", "y": "py", "x0": place["x"], "y0": place["y"], "cell": view.cell}
    shown = L("shown", "step", *SET)
    return [
        text("out_s", RIGHT, TOP - 14, L("out_size", "step", *SET), 16, bold=True, pe=0),
        text("range", RIGHT + FRAME, TOP - 14, L("range", "kernel", *SET), anchor="end",
             fill="muted", opacity=shown, pe=0),
        mark("rect", "ground", x=RIGHT, y=TOP, width=FRAME, height=FRAME, rx=4, fill="panel",
             drag=drag, label="The output cell"),
        mark("image", "map", **place, href=L("map", "kernel", *SET), opacity=shown, pe=0),
        mark("rect", "edge", **place, fill="none", stroke="line", opacity=shown, pe=0),
        mark("rect", "here", x=L("out_at", *SET, 1, "px"), y=L("out_at", *SET, 0, "py"),
             width=view.cell, height=view.cell, fill="none", stroke="hi", stroke_width=3,
             opacity=L("summed", "step", *SET), pe=0),
    ]  # fmt: skip
