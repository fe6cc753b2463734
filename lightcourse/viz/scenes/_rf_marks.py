"""The receptive-field scene as marks: the picture with its squares, and one bar for each layer."""

from typing import Any

from ..marks import Mark, mark, text
from ..scene import L
from ._rf_view import BAR_END, EDGE, HEIGHT, JUMP, MAP, NAME, NUMBER, SEES, SIDE, WIDTH, View

AMBER, SKY, SHADE = "#ffb52e", "#8fd0f5", "#10161d"  # on the darkened photograph in both themes
THEORY, EFFECTIVE = L("theory", "view"), L("effective", "view")


def marks_of(view: View) -> list[Mark]:
    """Return all marks, from back to front."""
    return [*_picture(view), *_squares(view), *_outside(view), *_table(view)]


def _picture(view: View) -> list[Mark]:
    left = EDGE + view.zero
    whole = {"x": left, "y": left, "width": view.inner, "height": view.inner, "pe": 0}
    drag = {"x": "px", "y": "py", "x0": left, "y0": left, "cell": view.inner / view.positions}
    field = _dragged(view, "layer")
    return [
        mark("rect", "padding", x=EDGE, y=EDGE, width=SIDE, height=SIDE, rx=6, fill="panel",
             stroke="line", stroke_dasharray="2 5", pe=0),
        mark("rect", "over", **field, fill="hi", opacity=L("over", "view"), pe=0),
        mark("image", "photo", **{**whole, "pe": 1}, href=view.photo, smooth=1, drag=drag,
             label="The unit above this pixel"),
        mark("rect", "shade", **whole, fill=SHADE, opacity=L("shade", "view")),
        mark("image", "heat", **whole, href=L("heat", "net", "layer"), opacity=EFFECTIVE),
        text("say", EDGE, EDGE - 14, L("say", "view"), fill="muted", pe=0),
    ]  # fmt: skip


def _dragged(view: View, layer: str | int) -> dict[str, Any]:
    """Place of the dragged unit's square at one layer: each axis follows its own parameter."""

    def look(table: str, axis: int) -> dict[str, Any]:
        return L(table, "net", layer, axis % len(view.axes), ("py", "px")[axis])

    return {"x": look("low", 1), "y": look("low", 0),
            "width": look("length", 1), "height": look("length", 0)}  # fmt: skip


def _middle(table: str, *keys: str) -> dict[str, Any]:
    names = {"x": (1, 0), "y": (0, 0), "width": (1, 1), "height": (0, 1)}
    return {name: L(table, *keys, "net", "layer", *place) for name, place in names.items()}


def _squares(view: View) -> list[Mark]:
    nested = [
        mark("rect", f"nest{i}", **_dragged(view, i), fill="none", stroke=SKY, stroke_width=2,
             opacity=L("nested", "view", "layer", i), link=i, pe=0)
        for i in range(view.depth)
    ]  # fmt: skip
    line = {"fill": "none", "pe": 0, "link": L("same", "layer")}
    dot = {"r": 6.5, "fill": "hi", "stroke": "#ffffff", "stroke_width": 2, "pe": 0}
    across, down = L("middle_dot", "net", "layer", 1), L("middle_dot", "net", "layer", 0)
    return [
        *nested,
        mark("rect", "field", **_dragged(view, "layer"), **line, stroke="hi", stroke_width=4,
             opacity=THEORY),
        mark("rect", "field_middle", **_middle("theory_box"), **line, stroke=SKY, stroke_width=2.5,
             stroke_dasharray="8 5", opacity=EFFECTIVE),
        mark("rect", "share", **_middle("share_box", "view"), **line, stroke=AMBER,
             stroke_width=4, opacity=EFFECTIVE),
        mark("circle", "unit", cx=L("dot", "px"), cy=L("dot", "py"), **dot, opacity=THEORY),
        mark("circle", "unit_middle", cx=across, cy=down, **dot, opacity=EFFECTIVE),
    ]  # fmt: skip


def _outside(view: View) -> list[Mark]:
    """How many pixels of padding the square takes in, written on each side of the picture."""
    if not view.padded:
        return []
    near, far = EDGE + view.zero / 2, EDGE + SIDE - view.zero / 2
    if view.zero < 30:  # a thin margin: write over the edge of the picture instead
        near, far = EDGE + 22, EDGE + SIDE - 22
    common = {"anchor": "middle", "bold": True, "opacity": THEORY, "pe": 0}

    def count(name: str, table: str, axis: int, x: Any, y: Any) -> Mark:
        shown = L(table, "net", "layer", axis % len(view.axes), ("py", "px")[axis])
        return text(name, x, y, shown, 15, **common)

    return [
        count("over_left", "before", 1, near, L("dot", "py")),
        count("over_right", "after", 1, far, L("dot", "py")),
        count("over_top", "before", 0, L("dot", "px"), near + 5),
        count("over_bottom", "after", 0, L("dot", "px"), far + 5),
        text("padding_s", EDGE + SIDE, EDGE - 14, "around it: padding", 15, anchor="end",
             fill="muted", opacity=THEORY, pe=0),
    ]  # fmt: skip


def _table(view: View) -> list[Mark]:
    """Heading, the picture's own width as a rule, and the rows."""
    head, bottom = EDGE - 14, EDGE + 4 + view.row * view.depth
    rule = view.bar + view.length(view.size)
    muted = {"fill": "muted", "pe": 0}
    marks = [
        text("head_layer", NUMBER - 14, head, "layer", **muted),
        text("head_sees", SEES, head, L("head", "view"), anchor="end", **muted),
        text("head_jump", JUMP, head, "jump", anchor="end", **muted),
        text("head_map", MAP, head, "map", anchor="end", **muted),
        text("rule_s", rule, bottom + 16, f"{view.size} px: the picture", 13,
             anchor="end" if rule > BAR_END - 60 else "middle", **muted),
        text("note", WIDTH - 12, HEIGHT - 8, L("note", "net"), 13, anchor="end", **muted),
    ]  # fmt: skip
    for i in range(view.depth):
        marks += _row(view, i, EDGE + 4 + i * view.row)
    marks.append(
        mark("line", "rule", x1=rule, x2=rule, y1=EDGE - 4, y2=bottom, stroke="line",
             stroke_width=1.5, stroke_dasharray="4 4", pe=0)
    )  # fmt: skip
    return marks


def _row(view: View, i: int, y: float) -> list[Mark]:
    height, base = 0.66 * view.row, y + 0.33 * view.row + 5
    size = 16 if view.row > 30 else 13
    there, tip = L("there", "net", i), L("tip", "net", i)
    reached = L("reached", "net", "layer", i)  # later layers keep their secret: predict first
    words: dict[str, Any] = {"opacity": there, "pe": 0}
    numbers: dict[str, Any] = {"opacity": reached, "pe": 0}
    weight: dict[str, Any] = {"font_weight": L("weight", "layer", i)}
    return [
        mark("rect", f"row{i}", x=NUMBER - 20, y=y - 0.12 * view.row, width=MAP + 8 - NUMBER + 20,
             height=0.9 * view.row, rx=6, fill=L("lit", "layer", i), opacity=there,
             set={"layer": i}, label=tip, link=i),
        mark("rect", f"bar{i}", x=view.bar, y=y, width=L("bar", "net", i), height=height, rx=4,
             fill=L("now", "view", "layer", i), opacity=reached, link=i, pe=0),
        mark("rect", f"part{i}", x=view.bar, y=y + 0.58 * height, height=0.42 * height, rx=3,
             width=L("part", "view", "net", i), fill=AMBER, opacity=reached, pe=0),
        text(f"number{i}", NUMBER, base, L("number", "net", i), size, anchor="end", fill="muted",
             **words),
        text(f"name{i}", NAME, base, L("name", "net", i), size, **words, **weight),
        text(f"sees{i}", SEES, base, L("sees", "view", "net", i), size, anchor="end",
             **numbers, **weight),
        text(f"jump{i}", JUMP, base, L("jump", "net", i), size, anchor="end", **numbers),
        text(f"map{i}", MAP, base, L("map", "net", i), size, anchor="end", fill="muted",
             **numbers),
    ]  # fmt: skip
