"""Helpers that write a scene's marks: one call a mark, SVG's attribute names with underscores."""

from typing import Any

from .scene import L

Mark = dict[str, Any]


def mark(kind: str, name: str, **attributes: Any) -> Mark:
    """Return one mark; an underscore in an attribute's name stands for SVG's dash.

    >>> mark("line", "rule", x1=0, y1=5, x2=9, y2=5, stroke="line", stroke_width=2)["stroke-width"]
    2
    """
    return {"id": name, "t": kind, **{k.replace("_", "-"): v for k, v in attributes.items()}}


def text(
    name: str,
    x: Any,
    y: Any,
    s: Any,
    size: float = 15,
    *,
    anchor: str = "",
    bold: bool = False,
    **more: Any,
) -> Mark:
    """Return a text mark, in ink unless `fill` is given; `anchor` is "", "middle" or "end"."""
    if anchor:
        more["text_anchor"] = anchor
    if bold:
        more["font_weight"] = "700"
    return mark("text", name, **{"x": x, "y": y, "s": s, "font_size": size, "fill": "ink", **more})


def card(
    name: str,
    x: Any,
    y: Any,
    width: Any,
    height: Any,
    fill: Any,
    word: Any,
    word_fill: Any,
    *,
    middle: tuple[Any, Any],
    size: float = 15,
    **more: Any,
) -> list[Mark]:
    """Return a rounded card with a word in it, as two marks; `middle` is where the word stands."""
    frame = {"x": x, "y": y, "width": width, "height": height, "rx": 7}
    both = {key: more[key] for key in ("opacity", "delay") if key in more}
    x_word, y_word = middle
    return [
        mark("rect", name, **{**frame, "fill": fill, **more}),
        text(
            f"{name}_s",
            x_word,
            y_word,
            word,
            size,
            anchor="middle",
            bold=True,
            fill=word_fill,
            pe=0,
            **both,
        ),
    ]


def timeline(
    labels: list[str], param: str, x: float, y: float, width: float, height: float = 30
) -> list[Mark]:
    """Return one pill for each step, the current one filled; a click goes there.

    The scene needs the tables of `timeline_tables`.
    """
    gap = 10
    each = (width - gap * (len(labels) - 1)) / len(labels)
    marks = []
    for i, label in enumerate(labels):
        left = x + i * (each + gap)
        marks += [
            mark(
                "rect",
                f"step{i}",
                x=left,
                y=y,
                width=each,
                height=height,
                rx=height / 2,
                fill=L("step_fill", param, i),
                stroke=L("step_edge", param, i),
                stroke_width=1.5,
                set={param: i},
                label=f"Step {i + 1}: {label}",
            ),
            text(
                f"step{i}_s",
                left + each / 2,
                y + height / 2 + 5,
                label,
                anchor="middle",
                fill=L("step_ink", param, i),
                pe=0,
            ),
        ]
    return marks


def timeline_tables(count: int) -> dict[str, list]:
    """Return the tables that `timeline` looks up: fill, edge and ink of each pill, by step."""
    steps = range(count)

    def by(now: str, before: str, after: str) -> list:
        return [[now if i == s else before if i < s else after for i in steps] for s in steps]

    return {
        "step_fill": by("c1", "panel", "bg"),
        "step_edge": by("c1", "line", "grid"),
        "step_ink": by("bg", "ink", "muted"),
    }
