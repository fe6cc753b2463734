"""The resolution-ladder scene as marks: a staircase of boxes with handles, and three charts."""

from collections.abc import Sequence
from typing import Any

from ..marks import Mark, mark, text
from ..scene import L
from ._lad_net import HALVINGS, LAYERS
from ._lad_view import (
    BAR,
    CHARTS,
    FIRST,
    GROUND,
    LEFT,
    NUMBERS,
    PAINT,
    PITCH,
    PRESETS,
    RULER,
    SHADE,
    SLOTS,
    STAGES,
    TICK,
    TRACK,
    WIDTH,
    View,
    column,
)  # fmt: skip

SCHEDULE = ("h5", "h4", "h3", "h2")
SMALL, TEXT = 19, 21  # px: readable also on a telephone
NOTES = 376  # px: where the lines about rounding begin


def marks_of(view: View) -> list[Mark]:
    """Return all marks, from back to front."""
    return [
        *ruler(view.sizes),
        *_presets(),
        *_input(),
        *_notes(),
        *_slots(),
        *_charts(),
        *_handles(),
    ]


def ruler(sizes: Sequence[int]) -> list[Mark]:
    """Return the ruler on which the input size is dragged; its tables are `ruler_tables`."""
    y, last = 20, RULER + (len(sizes) - 1) * TICK
    marks = [
        text("ruler_s", LEFT, y + 6, "Input size, px", TEXT, pe=0),
        mark("line", "ruler", x1=RULER, x2=last, y1=y, y2=y, stroke="line", stroke_width=3, pe=0),
        mark("rect", "ruler_touch", x=RULER - TICK / 2, y=2, width=last - RULER + TICK, height=50,
             fill="bg", opacity=0.01, label=L("knob_label", "size"),
             drag={"x": "size", "x0": RULER - TICK / 2, "cell": TICK}),
        mark("circle", "knob", cx=L("knob", "size"), cy=y, r=9, fill="hi", stroke="bg",
             stroke_width=2, pe=0),
    ]  # fmt: skip
    return marks + [
        text(f"tick{i}", RULER + i * TICK, y + 28, str(size), SMALL, anchor="middle",
             fill=L("tick", "size", i), font_weight=L("bold", "size", i), pe=0)
        for i, size in enumerate(sizes)
    ]  # fmt: skip


def ruler_tables(sizes: Sequence[int]) -> dict[str, Any]:
    """Return the tables of the ruler."""
    every = range(len(sizes))
    return {
        "size": [f"{r} px" for r in sizes],
        "knob": [RULER + i * TICK for i in every],
        "bold": [["700" if i == now else "400" for i in every] for now in every],
        "tick": [["ink" if i == now else "muted" for i in every] for now in every],
        "knob_label": [f"Input of {r} px" for r in sizes],
    }


def _presets() -> list[Mark]:
    marks, wide = [], 62
    for i, (name, halved) in enumerate(PRESETS.items()):
        x = WIDTH - 10 - (len(PRESETS) - i) * (wide + 4)
        moves = {f"h{n}": place - n for n, place in enumerate(halved, 1) if n > 1}
        marks += [
            mark("rect", f"preset{i}", x=x, y=4, width=wide, height=30, rx=15, stroke="line",
                 fill=L("preset", *SCHEDULE, i), set=moves, stroke_width=1.5,
                 label=f"{name.capitalize()}: halve in layers {', '.join(map(str, halved))}"),
            text(f"preset{i}_s", x + wide / 2, 26, name, TEXT, anchor="middle",
                 fill=L("preset_ink", *SCHEDULE, i), pe=0),
        ]  # fmt: skip
    return marks


def _input() -> list[Mark]:
    return [
        mark("line", "ground", x1=LEFT - 4, x2=WIDTH - 8, y1=GROUND, y2=GROUND, stroke="line",
             stroke_width=1.5, pe=0),
        mark("rect", "input", x=LEFT, y=L("top", "size", 0), width=L("side", "size", 0),
             height=L("side", "size", 0), fill="c8", tip=L("tip", "size", "mode", 0)),
        mark("rect", "lost_rows", x=LEFT, y=L("lost_y", "size"), width=L("side", "size", 0),
             height=L("lost", "size"), fill="hi", opacity=0.75, pe=0),
        text("input_s", LEFT, NUMBERS, "input", SMALL, fill="muted", pe=0),
    ]  # fmt: skip


def _notes() -> list[Mark]:
    lines = (("convolved", "ink", ("size",)), ("pooled", "muted", ("size",)),
             ("rounding", "hi", ("size",)), ("weights", "ink", ("mode", *SCHEDULE)))  # fmt: skip
    return [
        text(name, NOTES, 78 + 25 * i, L(name, *keys), SMALL, fill=fill, pe=0)
        for i, (name, fill, keys) in enumerate(lines)
    ]


def _slots() -> list[Mark]:
    return [m for stage in STAGES for j in SLOTS for m in _slot(stage, j)]


def _slot(stage: int, j: int) -> list[Mark]:
    """One layer of a stage, if the stage has so many: its box and its bars."""
    here = f"h{stage}" if stage > 1 else 0
    after = f"h{stage + 1}" if stage < HALVINGS else SLOTS[-1]
    x, there = L("column", stage - 1, here, j), L("there", here, after, j)
    state = ("size", "mode", stage)
    paint = {"fill": PAINT[stage], "opacity": there, "link": stage}
    centre, behind = (L(*key, stage - 1, here, j) for key in (("centre",), ("behind", "mode")))
    shade = {"stroke": SHADE[stage], "opacity": there, "link": stage, "pe": 0}
    side, top = L("side", "size", stage), L("top", "size", stage)
    macs = "more" if j else "macs"
    at = f"{stage}_{j}"
    marks = [
        mark("line", f"back{at}", x1=behind, x2=behind, y1=L("foot", "mode", stage),
             y2=L("over", *state), stroke_width=side, **shade),
        mark("line", f"band{at}", x1=centre, x2=behind, y1=L("heart", "size", stage),
             y2=L("heart_behind", *state), stroke_width=L("band", "size", stage), **shade),
        mark("line", f"box{at}", x1=centre, x2=centre, y1=GROUND, y2=top, stroke_width=side,
             **{**shade, "stroke": PAINT[stage], "pe": 1}, tip=L("tip", *state)),
        mark("rect", f"act{at}", x=x, y=L("act_y", *state), width=BAR, height=L("act", *state),
             **paint, pe=0),
        mark("rect", f"macs{at}", x=x, y=L(f"{macs}_y", *state), width=BAR,
             height=L(macs, *state), **paint, pe=0),
    ]  # fmt: skip
    if j < 2:
        marks.append(_number(macs, at, x, state, there))
    if j == 0:
        marks.append(_number("act", at, x, state, there))
    return marks


def _number(bar: str, at: str, x: Any, state: tuple, there: Any) -> Mark:
    """The value of a bar, standing on it."""
    y, s = L(f"{bar}_over", *state), L(f"{bar}_s", *state)
    return text(f"{bar}_s{at}", x, y, s, SMALL, opacity=there, pe=0)


def _charts() -> list[Mark]:
    heads = {"act": L("act_head", "size", "mode", "h2"), "macs": L("macs_head", "size", "mode"),
             "field": L("field_head", *SCHEDULE)}  # fmt: skip
    marks = []
    for name, foot in CHARTS.items():
        marks += [
            text(f"{name}_head", LEFT, foot - 66, heads[name], TEXT, bold=True, pe=0),
            mark("line", f"{name}_foot", x1=LEFT - 4, x2=WIDTH - 8, y1=foot, y2=foot,
                 stroke="line", stroke_width=1, pe=0),
        ]  # fmt: skip
    for layer in range(1, LAYERS + 1):
        x = column(layer)
        marks += [
            mark("rect", f"field{layer}", x=x, y=L("field_y", *SCHEDULE, layer), width=BAR,
                 height=L("field", *SCHEDULE, layer), fill=L("paint", *SCHEDULE, layer), pe=0),
            text(f"field_s{layer}", x, L("field_over", *SCHEDULE, layer),
                 L("seen", *SCHEDULE, layer), SMALL, pe=0),
            text(f"layer{layer}", x + BAR / 2, NUMBERS, str(layer), SMALL, anchor="middle",
                 fill="muted", pe=0),
        ]  # fmt: skip
    return marks


def _handles() -> list[Mark]:
    marks = [text("handles_s", LEFT, TRACK + 6, "halve here:", SMALL, fill="hi", pe=0)]
    for stage in reversed(STAGES):
        fixed = stage == 1
        here = 0 if fixed else f"h{stage}"
        x = FIRST + (stage - 1) * PITCH - (PITCH - BAR) / 2
        moves = {} if fixed else {
            "drag": {"x": f"h{stage}", "x0": x, "cell": PITCH},
            "label": L("halving", stage - 1, here),
        }  # fmt: skip
        marks += [
            mark("circle", f"handle{stage}", cx=L("handle", stage - 1, here), cy=TRACK, r=15,
                 fill="c8" if fixed else "hi", stroke="bg", stroke_width=2, **moves,
                 **({"pe": 0} if fixed else {})),
            text(f"handle{stage}_s", L("handle", stage - 1, here), TRACK + 6, "÷2", 17,
                 anchor="middle", bold=True, fill="bg", pe=0),
        ]  # fmt: skip
    return marks
