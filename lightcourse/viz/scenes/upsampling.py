"""Four ways to make a map larger (上采样), side by side, and where checkerboards come from.

A transposed convolution adds up copies of its kernel: plain maps stay plain where k mod s = 0.
"""

from typing import Any

import numpy as np

from lightcourse.errors import UserError

from ..marks import Mark, mark, text, timeline
from ..scene import J, L, Scene
from . import _up_words as words
from ._up_maps import RING, SIDE, kernels_of, middle_values
from ._up_view import BARS, CELL, CORNERS, HEIGHT, PANEL, SMALL, WIDTH, View

TITLES = ("nearest", "bilinear", "transposed convolution", "max unpooling")
LARGEST = {"kernel": 8, "stride": 4}
KERNEL, CUT = ("k", "s", "w"), ("k", "s", "p", "o")
SHADE = "bg"


def upsampling(module: Any = None, values: Any = None) -> Scene:
    """Build the scene; see `lightcourse.viz.upsampling`.

    Raises:
        UserError: the layer or the values cannot be drawn.

    >>> upsampling().at(step=2).caption()[:63]
    'From a map of ones the transposed convolution makes 3 different'
    """
    own, sizes, strides, first = _layer(module)
    kernels = kernels_of(sizes, strides, own)
    paddings = sorted({0, 1, 2, first["p"]})
    view = View(sizes, strides, kernels, paddings, _values(values))
    ask = words.question(kernels, strides, middle_values)
    tables = {**view.tables(), "answers": ask.pop("answers")}
    spec = {
        "v": 1,
        "id": "upsampling",
        "title": "Four ways up",
        "subtitle": "nearest, bilinear, transposed convolution, max unpooling",
        "alt": f"A map of {SIDE} by {SIDE} at the left, and four larger maps made of it",
        "size": [WIDTH, HEIGHT],
        "dur": 700,
        "params": _params(view, first),
        "tables": tables,
        "marks": _marks(view),
        "pool": view.pool,
        "caption": J(L("before", "step", "s"), L("even", "step", *KERNEL), L("cut", "step", *CUT)),
        # one part at a time has words; a little more, since wide letters may wrap a shorter one
        "room": max(_leaves([tables[n] for n in ("before", "even", "cut")]), key=len) + " wide",
        "code": J(L("t_code", *CUT), "\n", L("code", "s", "align")),
        "warn": L("warn", "s", "o"),
        "ask": {**ask, "answer": L("answers", *KERNEL)},
    }
    return Scene.of(spec)


def _leaves(table: Any) -> list[str]:
    return [s for t in table for s in _leaves(t)] if isinstance(table, list) else [table]


def _layer(module: Any) -> tuple[np.ndarray | None, list[int], list[int], dict[str, int]]:
    """The kernel of the learner's layer, the sizes and strides to choose from, where to begin."""
    if module is None:
        return None, [2, 3, 4, 5], [2, 3], {"k": 1, "s": 0, "w": 0, "p": 0, "o": 0}
    names = ("kernel_size", "stride", "padding", "output_padding", "dilation")
    pairs: list[Any] = [getattr(module, name, ()) for name in names]
    if not getattr(module, "transposed", False) or len(pairs[0]) != 2:
        raise UserError("upsampling takes an nn.ConvTranspose2d, or nothing.")
    if any(a != b for a, b in pairs) or pairs[-1] != (1, 1):
        raise UserError("the layer should be square, without dilation: one number for both axes.")
    kernel, stride, padding, more, _ = (pair[0] for pair in pairs)
    fits = kernel <= min(LARGEST["kernel"], (SIDE - 2) * stride + 2) and padding < kernel
    if stride > LARGEST["stride"] or more > 2 or not fits:
        raise UserError(
            f"a layer with kernel {kernel}, stride {stride} and padding {padding} is too large to"
            f" draw: kernels to {LARGEST['kernel']} and strides to {LARGEST['stride']} fit, and a"
            " padding below the kernel."
        )
    weight = module.weight[0, 0].detach().double().cpu().numpy()
    first = {"k": 0, "s": 0, "w": 2, "p": padding, "o": more}
    return weight, [kernel], [stride], first


def _values(values: Any) -> np.ndarray:
    """The learner's own small map, scaled to 0 … 1; the ring where there is none."""
    if values is None:
        return RING
    try:
        given = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise UserError(f"values should be {SIDE} rows of {SIDE} numbers.") from error
    if given.shape != (SIDE, SIDE) or not np.isfinite(given).all() or given.min() < 0:
        raise UserError(
            f"values should be {SIDE} rows of {SIDE} numbers, none below 0; got {given.shape}."
        )
    return given / (given.max() or 1.0)


def _params(view: View, first: dict[str, int]) -> list[dict[str, Any]]:
    def select(name: str, label: str, options: list, value: int, hints: list[str]) -> dict:
        return {"name": name, "label": label, "kind": "select", "value": value,
                "options": [str(o) for o in options], "hints": hints}  # fmt: skip

    told = {
        "ones": "every weight of the kernel is 1: the map counts copies",
        "tent": "weights that fall from the middle to 0 a stride away",
        "yours": "the layer's own weights, first input to first output",
    }
    return [
        select("map", "Map", list(words.MAPS), 0, ["a plain map", "the dragged cell", "a ring"]),
        select("k", "Kernel", view.sizes, first["k"], [f"kernel {k}×{k}" for k in view.sizes]),
        select("s", "Stride", view.strides, first["s"],
               [f"{s} times as large" for s in view.strides]),
        select("w", "Weights", view.weights, first["w"], [told[name] for name in view.weights]),
        select("p", "Padding", view.paddings, view.paddings.index(first["p"]),
               [f"{p} cut off every side" for p in view.paddings]),
        select("o", "Output padding", [0, 1, 2], first["o"],
               [f"{o} more at the end" for o in range(3)]),
        select("align", "Align corners", ["no", "yes"], 0,
               ["outer edges meet", "middles of the corner pixels meet"]),
        {"name": "step", "label": "Step", "kind": "step", "n": len(words.STEPS), "value": 0,
         "labels": L("step", "step"), "play": 1800},
        {"name": "py", "label": "row", "kind": "xy", "n": SIDE, "value": 2},
        {"name": "px", "label": "column", "kind": "xy", "n": SIDE, "value": 1},
    ]  # fmt: skip


def _marks(view: View) -> list[Mark]:
    return [
        *timeline(list(words.STEPS), "step", 26, 8, WIDTH - 52),
        *_small(),
        *(m for i in range(4) for m in _panel(i)),
        *_pictures(),
        *_bars(view),
        *_reach(),
        *_kept(),
        *(m for i in range(SIDE * SIDE) for m in _dots(i)),
        *_facts(),
    ]


def _small() -> list[Mark]:
    x, y = SMALL
    side = CELL * SIDE
    drag = {"x": "px", "y": "py", "x0": x, "y0": y, "cell": CELL}
    cell = {"x": L("small_x", "px"), "y": L("small_y", "py"), "width": CELL, "height": CELL}
    return [
        text("small_s", x, y - 14, "the small map", 18, bold=True, pe=0),
        mark("image", "small", x=x, y=y, width=side, height=side, href=L("small", "map"),
             drag=drag, label="The chosen cell of the small map"),
        mark("rect", "one", **cell, fill="#eaf4fc", opacity=L("single", "map"), pe=0),
        mark("rect", "chosen", **cell, fill="none", stroke="hi", stroke_width=4, pe=0),
        text("drag_s", x, y + side + 24, f"{SIDE} × {SIDE}: drag the cell", fill="muted", pe=0),
    ]  # fmt: skip


def _panel(index: int) -> list[Mark]:
    x, y = CORNERS[index]
    above = 57 if index == 2 else 13
    return [
        text(f"title{index}", x, y - above, TITLES[index], 18, bold=True, pe=0),
        mark("rect", f"panel{index}", x=x, y=y, width=PANEL, height=PANEL, fill="panel",
             stroke="grid", pe=0),
    ]  # fmt: skip


def _pictures() -> list[Mark]:
    """The four large maps, and what the chosen cell alone makes of them."""
    whole = [{"x": x, "y": y, "width": PANEL, "height": PANEL, "pe": 0} for x, y in CORNERS]
    full = {**whole[2], "width": L("t_full", "k", "s"), "height": L("t_full", "k", "s")}
    stamp = {"x": L("t_x", "k", "s", "px"), "y": L("t_y", "k", "s", "py"),
             "width": L("t_size", "k", "s"), "height": L("t_size", "k", "s")}  # fmt: skip
    filled, alone = L("filled", "step"), L("alone", "step", "map")
    side = {"width": PANEL / SIDE, "height": PANEL / SIDE}
    place = {"x": L("u_x", "s", "py", "px"), "y": L("u_y", "s", "py", "px")}
    return [
        mark("image", "nearest", **whole[0], href=L("n_image", "map", "s"), opacity=filled),
        mark("rect", "nearest_one", x=L("n_x", "s", "px"), y=L("n_y", "s", "py"), **side,
             fill="#eaf4fc", opacity=alone, pe=0),
        mark("image", "bilinear", **whole[1], href=L("b_image", "map", "s", "align"),
             opacity=filled),
        mark("image", "bilinear_one", **whole[1], href=L("b_one", "s", "align", "py", "px"),
             opacity=alone),
        mark("image", "transposed", **full, href=L("t_image", "map", *KERNEL), opacity=filled),
        mark("image", "transposed_one", **stamp, href=L("t_stamp", *KERNEL), opacity=alone, pe=0),
        mark("image", "unpooled", **whole[3], href=L("u_image", "map", "s"), opacity=filled),
        mark("rect", "unpooled_one", **place, width=L("unit", "s"), height=L("unit", "s"),
             fill="#eaf4fc", opacity=alone, pe=0),
    ]  # fmt: skip


def _bars(view: View) -> list[Mark]:
    """One bar above each column of the transposed map: how much a plain map puts there."""
    marks = []
    for i in range(view.longest):
        key = (*KERNEL, i)
        marks.append(
            mark("rect", f"bar{i}", x=L("bar_x", "k", "s", i), width=L("bar_w", "k", "s", i),
                 y=L("bar_y", *key), height=L("bar_h", *key), fill="c2",
                 opacity=L("filled", "step"), tip=L("bar_tip", *key))
        )  # fmt: skip
    x, _ = CORNERS[2]
    return [
        *marks,
        text("bars_s", x + PANEL + 10, BARS - 16, "kernel copies", 15, fill="muted", pe=0,
             opacity=L("filled", "step")),
        text("bars_t", x + PANEL + 10, BARS, "by column", 15, fill="muted", pe=0,
             opacity=L("filled", "step")),
    ]  # fmt: skip


def _reach() -> list[Mark]:
    """A frame round what the chosen cell reaches, in each large map."""
    line = {"fill": "none", "stroke": "hi", "stroke_width": 3, "opacity": L("filled", "step"),
            "pe": 0}  # fmt: skip
    side = {"width": PANEL / SIDE, "height": PANEL / SIDE}
    touched = {"x": L("b_x", "s", "align", "px"), "y": L("b_y", "s", "align", "py"),
               "width": L("b_w", "s", "align", "px"),
               "height": L("b_w", "s", "align", "py")}  # fmt: skip
    return [
        mark("rect", "reach0", x=L("n_x", "s", "px"), y=L("n_y", "s", "py"), **side, **line),
        mark("rect", "reach1", **touched, **line),
        mark("rect", "reach2", x=L("t_x", "k", "s", "px"), y=L("t_y", "k", "s", "py"),
             width=L("t_size", "k", "s"), height=L("t_size", "k", "s"), **line),
        mark("rect", "reach3", x=L("u_x", "s", "py", "px"), y=L("u_y", "s", "py", "px"),
             width=L("unit", "s"), height=L("unit", "s"), **line),
    ]  # fmt: skip


def _kept() -> list[Mark]:
    """What padding cuts off is shaded, what is kept is framed."""
    x, y = CORNERS[2]
    whole, rest, first = L("cut_whole", *CUT), L("cut_rest", *CUT), L("cut_from", *CUT)
    shade = {"fill": SHADE, "opacity": L("shade", "step"), "pe": 0}
    return [
        mark("rect", "cut_top", x=x, y=y, width=whole, height=first, **shade),
        mark("rect", "cut_bottom", x=x, y=L("cut_end_y", *CUT), width=whole, height=rest, **shade),
        mark("rect", "cut_left", x=x, y=L("cut_y", *CUT), width=first, height=L("cut_w", *CUT),
             **shade),
        mark("rect", "cut_right", x=L("cut_end_x", *CUT), y=L("cut_y", *CUT), width=rest,
             height=L("cut_w", *CUT), **shade),
        mark("rect", "kept", x=L("cut_x", *CUT), y=L("cut_y", *CUT), width=L("cut_w", *CUT),
             height=L("cut_w", *CUT), fill="none", stroke="ink", stroke_width=2.5,
             stroke_dasharray="7 4", opacity=L("last", "step"), pe=0),
    ]  # fmt: skip


def _dots(index: int) -> list[Mark]:
    """One value of the small map on its way into the four large ones."""
    row, column = divmod(index, SIDE)
    look = {"r": 5.5, "fill": L("dot_fill", "map", index), "stroke": "line", "stroke_width": 1.5,
            "pe": 0, "delay": 12 * index}  # fmt: skip
    ways = {
        "n": (L("n_to_x", "step", "s", column), L("n_to_y", "step", "s", row)),
        "b": (
            L("b_to_x", "step", "align", "s", column), L("b_to_y", "step", "align", "s", row),
        ),
        "t": (
            L("t_to_x", "step", "k", "s", column), L("t_to_y", "step", "k", "s", row),
        ),
        "u": (
            L("u_to_x", "step", "s", row, column), L("u_to_y", "step", "s", row, column),
        ),
    }  # fmt: skip
    return [
        mark("circle", f"{name}{index}", cx=x, cy=y, opacity=L("dots", "step"), **look)
        for name, (x, y) in ways.items()
    ]


def _facts() -> list[Mark]:
    """Beside each large map: its size, and what one cell reaches."""
    lines = [
        [L("twice", "s"), L("n_reach", "s")],
        [L("twice", "s"), L("b_reach", "s", "align", "py", "px")],
        [L("size", *CUT), L("t_reach", "k"), L("t_full_size", "k", "s")],
        [L("twice", "s"), "one cell: 1 place", "the rest: 0"],
    ]
    marks = []
    for i, ((x, y), said) in enumerate(zip(CORNERS, lines, strict=True)):
        for j, line in enumerate(said):
            marks.append(
                text(f"fact{i}_{j}", x + PANEL + 10, y + 24 + 25 * j, line, 19 if j == 0 else 16,
                     bold=j == 0, fill="ink" if j == 0 else "muted", pe=0)
            )  # fmt: skip
    return marks
