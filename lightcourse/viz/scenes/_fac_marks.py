"""The factorisation scene as marks: the standard block, its parts beside it, a bar of the ratio."""

from typing import Any

from ..marks import Mark, mark, text
from ..scene import J, L
from ._fac_view import BAR, LEFT, PARTS, RIGHT, SIDE, TOP, TRACK, View

STATE = ("step", "k", "cin", "cout")
TEXT, SMALL = 21, 19  # px: readable also on a telephone
RULER, TICK = 560, 54  # px: where the ruler of map sizes begins, and its step


def marks_of(view: View) -> list[Mark]:
    """Return all marks, from back to front."""
    return [*_block(view), *_parts(), *_handles(view), *_ratio(view), *_ruler(view)]


def _block(view: View) -> list[Mark]:
    """The outline of the standard convolution, and its k×k panels."""
    wide, high = L("wide", "cin"), L("high", "cout")
    legend = f"{view.unit:,} weight{'s' * (view.unit > 1)} =" if view.unit else ""
    marks = [
        text("block_s", LEFT, TOP - 34, "standard", TEXT,
             bold=True, pe=0),
        text("parts_s", RIGHT, TOP - 34, L("step", "step"), TEXT, bold=True, pe=0,
             opacity=L("split", "step")),
        mark("rect", "outline", x=LEFT, y=TOP, width=wide, height=high, fill="panel",
             stroke="line", stroke_width=1.5, stroke_dasharray="5 4", pe=0),
        mark("rect", "kept", x=LEFT, y=TOP, width=L("panel_w", "k", "cin"),
             height=L("panel_h", "k", "cout"), fill="c1", opacity=L("kept", "step"), link=1),
        mark("rect", "legend", x=RIGHT + 340, y=TRACK - 86, width=L("legend", "k"),
             height=L("legend", "k"), fill="c8", pe=0),
        text("legend_s", RIGHT + 330, TRACK - 71, legend, SMALL, anchor="end",
             fill="muted", pe=0),
    ]  # fmt: skip
    return marks


def _parts() -> list[Mark]:
    marks = []
    for i in reversed(range(PARTS)):
        key, there = STATE if i else ("step",), L("there", "step", "k", i)
        x, y = L(f"x{i}", *key), L(f"y{i}", *STATE) if i else TOP
        marks += [
            mark("rect", f"part{i}", x=x, y=y, width=L(f"w{i}", *STATE), height=L(f"h{i}", *STATE),
                 fill=L("paint", "step", i), opacity=there, link=i),
            text(f"name{i}", x, L(f"over{i}", *STATE) if i else TOP - 7, L(f"name{i}", "step", "k"),
                 SMALL, opacity=there, pe=0),
        ]  # fmt: skip
    return marks


def _handles(view: View) -> list[Mark]:
    """Lines between panels; the corner drags both numbers of channels."""
    right, bottom = L("edge_x", "cin"), L("edge_y", "cout")
    line = {"stroke": L("ruled", "step"), "stroke_width": 1.2, "pe": 0}
    marks = []
    for i in range(1, max(view.kernels)):
        x, y, there = L("grid_x", "k", "cin", i), L("grid_y", "k", "cout", i), L("grid", "k", i)
        marks += [
            mark("line", f"down{i}", x1=x, x2=x, y1=TOP, y2=bottom, opacity=there, **line),
            mark("line", f"across{i}", x1=LEFT, x2=right, y1=y, y2=y, opacity=there, **line),
        ]
    cell = SIDE / 4
    drag = {}
    if len(view.before) > 1:
        drag = {"drag": {"x": "cin", "y": "cout", "x0": LEFT + cell / 2, "y0": TOP - cell / 2,
                         "cell": cell}, "label": L("corner", "cin", "cout")}  # fmt: skip
    return [
        *marks,
        mark("circle", "corner", cx=right, cy=bottom, r=11, fill="hi", stroke="bg",
             stroke_width=2, **drag),
        text("cin_s", LEFT, TOP - 10, L("cin_s", "cin"), SMALL, fill="hi", pe=0),
        text("cout_s", L("cout_x", "cin"), L("cout_y", "cout"), L("cout_s", "cout"), SMALL,
             fill="hi", pe=0),
    ]  # fmt: skip


def _ratio(view: View) -> list[Mark]:
    marks = [
        text("ratio_s", LEFT, TRACK - 10, "of the standard layer's weights and MACs", TEXT,
             bold=True, pe=0),
        text("ratio", LEFT + BAR, TRACK - 10, J(L("ratio", *STATE), "×"), 24, anchor="end",
             bold=True, fill="hi", opacity=L("there", "step", "k", 0), pe=0),
        mark("rect", "track", x=LEFT, y=TRACK, width=view.bar, height=20, fill="panel",
             stroke="line", stroke_width=1, pe=0),
        text("weights_s", LEFT, TRACK + 46, "weights", SMALL, fill="muted", pe=0),
        text("weights", LEFT + 84, TRACK + 46, L("weights", *STATE), TEXT, bold=True, pe=0),
        text("map_s", LEFT + 176, TRACK + 46, L("map_s", "h"), SMALL, fill="muted", pe=0),
        text("macs", LEFT + 384, TRACK + 46, L("macs", *STATE, "h"), TEXT, bold=True, pe=0),
        text("instead_s", LEFT + 510, TRACK + 46, "standard", SMALL, fill="muted", pe=0),
        text("instead", LEFT + 604, TRACK + 46, L("macs", 0, "k", "cin", "cout", "h"), TEXT, pe=0),
    ]  # fmt: skip
    return marks + [
        mark("rect", f"bar{i}", x=L(f"bar_x{i}", *STATE), y=TRACK, width=L(f"bar_w{i}", *STATE),
             height=20, fill=L("paint", "step", i), link=i)
        for i in range(PARTS)
    ]  # fmt: skip


def _ruler(view: View) -> list[Mark]:
    """The map's side, dragged on a ruler."""
    y, last = 16, RULER + (len(view.maps) - 1) * TICK
    marks: list[Mark] = [
        text("map_ruler_s", RULER - 24, y + 6, "map", TEXT, anchor="end", pe=0),
        mark("line", "map_ruler", x1=RULER, x2=last, y1=y, y2=y, stroke="line", stroke_width=3,
             pe=0),
    ]  # fmt: skip
    if len(view.maps) > 1:
        marks.append(
            mark("rect", "map_touch", x=RULER - TICK / 2, y=0, width=last - RULER + TICK,
                 height=50, fill="bg", opacity=0.01, label=L("map_label", "h"),
                 drag={"x": "h", "x0": RULER - TICK / 2, "cell": TICK})
        )  # fmt: skip
    marks.append(mark("circle", "map_knob", cx=L("map_knob", "h"), cy=y, r=9, fill="hi",
                      stroke="bg", stroke_width=2, pe=0))  # fmt: skip
    return marks + [
        text(f"map{i}", RULER + i * TICK, y + 28, str(side), SMALL, anchor="middle",
             fill=L("map_ink", "h", i), font_weight=L("map_bold", "h", i), pe=0)
        for i, side in enumerate(view.maps)
    ]  # fmt: skip


def mark_tables(view: View) -> dict[str, Any]:
    """Return the tables that only marks need."""
    every = range(len(view.maps))
    return {
        "split": [0, 1, 1, 1, 1, 1],
        "kept": [0, 0.35, 0, 0, 0, 0],
        "ruled": ["bg", *["line"] * 5],
        "cout_x": [LEFT + a * view.fit * SIDE / view.most + 16 for a in view.before],
        "cout_y": [TOP + b * view.fit * SIDE / view.most - 2 for b in view.after],
        "map_knob": [RULER + i * TICK for i in every],
        "map_bold": [["700" if i == now else "400" for i in every] for now in every],
        "map_ink": [["ink" if i == now else "muted" for i in every] for now in every],
    }
