"""The cost microscope as marks: totals, a row for each part of the network, and the roof."""

from math import log10
from typing import Any

from ..marks import Mark, mark, text
from ..scene import J, L
from ._cm_costs import MEASURES
from ._cm_roof import MINE, PER_DECADE, Roofs
from ._cm_scale import (
    BAR,
    COLUMNS,
    GUTTER,
    LENGTH,
    NAME,
    NUMBER,
    NUMBERED,
    PEAK_HIGH,
    PEAK_LOW,
    ROOF_BOTTOM,
    ROOF_LEFT,
    ROOF_RIGHT,
    ROOF_TOP,
    TOP,
    across,
    spaced,
    up,
)
from ._cm_view import View
from ._cm_words import TITLES

COLOURS = {"params": "c4", "macs": "c1", "moved": "c6", "alive": "c3"}
CHIPS = {MINE: "mine", "phone core": "phone", "CPU core": "CPU", "large GPU": "GPU"}
TICKS = (0.1, 1, 10, 100, 1000)  # FLOPs per byte


def marks_of(view: View) -> list[Mark]:
    """Return all marks, from back to front."""
    rows = range(view.most)
    return [
        *(_slot(view, j) for j in rows),
        *_taken(view),
        *_totals(view),
        *_lanes(view),
        *_axes(view),
        *_guide(),
        *(m for i in rows for m in _row(view, i)),
        *_roof(view),
        *_presets(view),
        _brush(view),
    ]


def _slot(view: View, j: int) -> Mark:
    """The band behind one place in the list; a click goes there."""
    at, v = f"at{j}", view.variant
    tip = J(L("name", "rows", view.named, at), ": ", L("ai", "rows", "case", at), " FLOPs per byte")
    return mark(
        "rect", f"slot{j}", x=NAME - 6, y=view.y(j), width=ROOF_RIGHT + 14 - NAME + 6,
        height=view.pitch, fill="bg", opacity=L("there", "rows", v, j),
        set={"row": j + 1}, label=L("name", "rows", view.named, at), tip=tip,
        link=L("order", "perm", j + 1),
    )  # fmt: skip


def _taken(view: View) -> list[Mark]:
    """The rows that are taken together, and the last of them."""
    across_all = {"x": NAME - 6, "width": ROOF_RIGHT + 14 - NAME + 6, "pe": 0}
    return [
        mark("rect", "taken", **across_all, y=TOP, height=L("taken_h", "row"), fill="panel"),
        mark("rect", "last", **across_all, y=L("last_y", "row"), height=view.pitch, fill="grid",
             opacity=L("any", "row")),
    ]  # fmt: skip


def _guide() -> list[Mark]:
    """From the dot of the chosen row up to the roof, with a gap for the words between."""
    x, ends = (
        L("dot_x", "rows", "case", "now"),
        ((ROOF_TOP, ROOF_BOTTOM), (TOP, L("last_y", "row"))),
    )
    return [
        mark("line", f"guide{k}", x1=x, x2=x, y1=top, y2=bottom, stroke="ink", stroke_width=1.5,
             opacity=L("guide", "now_side"), pe=0)
        for k, (top, bottom) in enumerate(ends)
    ]  # fmt: skip


def _row(view: View, i: int) -> list[Mark]:
    """One row: its name, number and bar of each measure, and its dot in the lanes."""
    to = f"to{i}"
    y, base = L("row_y", to), L("text_y", to)
    marks = [text(f"name{i}", NAME, base, L("name", "rows", view.named, i), 13, link=i, pe=0)]
    for measure, x in zip(MEASURES, COLUMNS, strict=True):
        key = view.key_of(measure)
        if measure in NUMBERED:
            shown = L(f"{measure}_s", "rows", key, i)
            marks.append(text(f"{measure}{i}", x + NUMBER, base, shown, 13, anchor="end", link=i,
                              pe=0))  # fmt: skip
        start = x + BAR if measure in NUMBERED else x
        marks.append(
            mark("rect", f"{measure}_bar{i}", x=start, y=y, height=round(0.7 * view.pitch, 1),
                 width=L(f"{measure}_w", "rows", key, i), fill=COLOURS[measure], link=i, pe=0)
        )  # fmt: skip
    marks.append(
        mark("circle", f"dot{i}", cx=L("dot_x", "rows", "case", i), cy=L("dot_y", to),
             r=L("dot_r", "rows", "place", i), fill=L("dot", f"side{i}"), link=i,
             pe=0)
    )  # fmt: skip
    return marks


def _totals(view: View) -> list[Mark]:
    """Head of each column: the whole network, to one scale for all that can be chosen."""
    muted = {"fill": "muted", "pe": 0}
    marks = [
        text("head_case", NAME, 46, L("title", "place"), 15, bold=True, pe=0),
        text("head_total", NAME, 78, "whole network", 13, **muted),
        text("head_law", NAME, 132, L("law_head", "place"), 13, **muted),
        text("head_share", NAME, 176, L("down_head", "any"), 13, **muted),
        text("count", NAME, TOP - 9, L("count", "rows", view.variant), 13, **muted),
    ]
    for measure, x in zip(MEASURES, COLUMNS, strict=True):
        marks += [
            text(f"{measure}_title", x, 22, TITLES[measure], 15, bold=True, pe=0),
            text(f"{measure}_total", x, 80, L(f"{measure}_total", "case"), 22, bold=True, pe=0),
            mark("rect", f"{measure}_room", x=x, y=88, width=LENGTH, height=10, fill="panel",
                 pe=0),
            mark("rect", f"{measure}_whole", x=x, y=88, height=10,
                 width=L(f"{measure}_part", "case"), fill=COLOURS[measure], pe=0),
            text(f"{measure}_times", x, 115, L(f"{measure}_times", "case"), 13, pe=0),
            text(f"{measure}_law", x, 132, L(f"{measure}_law", "case"), 13, pe=0),
        ]  # fmt: skip
        if measure != "alive":
            shown = L("pct", "any", f"share_{measure}")
            marks.append(text(f"{measure}_share", x, 176, shown, 18, bold=True, pe=0))
    return marks


def _lanes(view: View) -> list[Mark]:
    """Behind the dots: the axis, where memory is the limit, the ridge, the gutter of zero FLOPs."""
    ends = (("", ROOF_TOP, ROOF_BOTTOM), ("_lanes", TOP, view.y(view.most)))
    ridge, marks = L("ridge_x", "ridge"), []
    for name, top, bottom in ends:
        marks.append(mark("rect", f"memory{name}", x=ROOF_LEFT, y=top, height=bottom - top,
                          width=L("memory_w", "ridge"), fill="c6", opacity=0.13, pe=0))  # fmt: skip
        marks += [_upright(f"ai{k}{name}", across(ai), top, bottom) for k, ai in enumerate(TICKS)]
        marks.append({**_upright(f"ridge{name}", ridge, top, bottom), "stroke": "hi",
                      "stroke-width": 1.5, "stroke-dasharray": "5 4"})  # fmt: skip
    return [*marks, _upright("gutter", GUTTER, TOP, view.y(view.most))]


def _upright(name: str, x: Any, top: float, bottom: float) -> Mark:
    return mark("line", name, x1=x, x2=x, y1=top, y2=bottom, stroke="grid", pe=0)


def _axes(view: View) -> list[Mark]:
    """Rules for FLOP/s, and the words at both axes."""
    muted = {"fill": "muted", "pe": 0}
    marks = []
    for k, flops in enumerate((1e9, 1e10, 1e11, 1e12, 1e13, 1e14)):
        y = up(flops)
        marks.append(mark("line", f"flops{k}", x1=ROOF_LEFT, x2=ROOF_RIGHT, y1=y, y2=y,
                          stroke="grid", pe=0))  # fmt: skip
    for k, (x, word) in enumerate([(GUTTER, "0"), *((across(t), f"{t:g}") for t in TICKS)]):
        marks.append(text(f"tick{k}", x, ROOF_BOTTOM + 16, word, 13, anchor="middle", **muted))
    name = text("ai_name", ROOF_RIGHT, view.y(view.most) + 18, "FLOPs per byte", 13, anchor="end",
                **muted)  # fmt: skip
    return [*marks, name]


def _roof(view: View) -> list[Mark]:
    """The roof, what it allows, and the two handles that move it."""
    cell = (ROOF_BOTTOM - ROOF_TOP) / log10(PEAK_HIGH / PEAK_LOW) / PER_DECADE
    x, y = L("ridge_x", "ridge"), L("corner_y", "peak", "band")
    line = {"stroke": "hi", "stroke_width": 3, "pe": 0}
    handle = {"r": 9, "fill": "hi", "stroke": "bg", "stroke_width": 2}
    said = {"anchor": "end", "pe": 0}
    pull = {"peak": view.first_peak_y, "band": view.first_band_y}
    drag = {k: {"y": k, "y0": round(top - cell / 2, 2), "cell": cell} for k, top in pull.items()}
    return [
        mark("line", "slant", x1=ROOF_LEFT, y1=L("left_y", "peak", "band"), x2=x, y2=y, **line),
        mark("line", "flat", x1=x, y1=y, x2=ROOF_RIGHT, y2=L("right_y", "peak", "band"), **line),
        text("peak_s", ROOF_RIGHT - 14, L("peak_label_y", "peak"), L("peak_s", "peak"), 13, **said),
        text("band_s", ROOF_LEFT + 14, L("band_label_y", "band"), L("band_s", "band"), 13, pe=0),
        text("ridge_s", GUTTER - 6, ROOF_BOTTOM + 36, J("ridge ", L("ridge_s", "ridge"),
             " FLOPs per byte"), 13, bold=True, fill="hi", pe=0),
        text("reach", ROOF_RIGHT - 4, L("reach_y", "peak"), J("at best ", L("pct", 1, "reach"),
             " of peak"), 13, **said),
        text("time", ROOF_RIGHT - 4, L("time_y", "peak"),
             J("least time ×", L("time", "case", "ridge")), 13, **said),
        mark("circle", "peak", cx=ROOF_RIGHT, cy=L("peak_y", "peak"), **handle,
             drag=drag["peak"], label=J("Peak ", L("peak_s", "peak"))),
        mark("circle", "band", cx=ROOF_LEFT, cy=L("band_y", "band"), **handle,
             drag=drag["band"], label=J("Bandwidth ", L("band_s", "band"))),
    ]  # fmt: skip


def _presets(view: View) -> list[Mark]:
    """Machines to choose: each sets both handles, and says what it sets them to."""
    roofs, marks = view.roofs, []
    width = (ROOF_RIGHT + 14 - GUTTER + 6) / len(roofs.presets)
    for k, (name, (peak, band)) in enumerate(roofs.presets.items()):
        x = GUTTER - 6 + k * width
        speeds = f"{spaced(roofs.peaks[peak], 'FLOP/s')}, {spaced(roofs.bands[band], 'B/s')}"
        what = _machine_words(roofs) if name == MINE else f"a {name}, in order of magnitude"
        marks += [
            mark("rect", f"machine{k}", x=x, y=6, width=width - 6, height=22, rx=11,
                 fill=L("chip", "machine", k), stroke="line", set={"peak": peak, "band": band},
                 label=f"Roof of {what}: {speeds}", tip=f"{what}: {speeds}"),
            text(f"machine{k}_s", x + width / 2 - 3, 21.5, CHIPS[name], 13, anchor="middle",
                 fill=L("chip_ink", "machine", k), pe=0),
        ]  # fmt: skip
    return marks


def _machine_words(roofs: Roofs) -> str:
    """What stands before the speeds of this machine's roof: its true ones where they do not fit."""
    if not roofs.beyond:
        return f"{MINE}, as probed"
    peak, band = roofs.beyond
    probed = f"{spaced(peak, 'FLOP/s')}, {spaced(band, 'B/s')}"
    return f"{MINE}, probed {probed}; off the scale, so drawn at the nearest that fits"


def _brush(view: View) -> Mark:
    """The handle at the left that is dragged down the rows."""
    drag = {"y": "row", "y0": TOP - view.pitch / 2, "cell": view.pitch}
    return mark("circle", "brush", cx=NAME - 10, cy=L("edge_y", "row"), r=7, fill="hi", stroke="bg",
                stroke_width=2, drag=drag, label="Rows taken together")  # fmt: skip
