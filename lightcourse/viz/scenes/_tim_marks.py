"""The timeline as marks: networks over the years, the front of the chosen year, one network."""

from typing import Any

from ..marks import Mark, card, mark, text
from ..scene import J, L
from ._tim_nets import CLASSIC
from ._tim_view import (
    BOTTOM,
    IN_BOTTOM,
    IN_LEFT,
    IN_RIGHT,
    IN_TOP,
    LEAST,
    LEFT,
    RIGHT,
    TOP,
    View,
    inset_y,
)
from ._tim_words import tip

TEXT, HEAD = 19, 23  # px: readable also on a telephone
PANEL, PRINTED, COUNTED = 428, 644, 826  # x of the panel, and of the right ends of its columns
ROWS, PITCH = 522, 29  # y of the first row of numbers, and between rows


def marks_of(view: View) -> list[Mark]:
    """Return all marks, from back to front."""
    return [*_years(view), *_points(view), *_front(), *_above(view), *_panel()]


def _years(view: View) -> list[Mark]:
    marks = []
    for k, (left, right) in enumerate(view.bands):
        marks.append(mark("rect", f"band{k}", x=left, y=TOP - 6, width=right - left,
                          height=BOTTOM - TOP + 6, fill=L("lit", "year", k), pe=0))  # fmt: skip
    for k in range(6):
        y, there = L("tick_y", "y", k), L("tick_on", "y", k)
        marks += [
            mark("line", f"tick{k}", x1=LEFT, x2=RIGHT, y1=y, y2=y, stroke="grid", stroke_width=1,
                 opacity=there, pe=0),
            text(f"tick{k}_s", LEFT - 8, L("tick_text_y", "y", k), L("tick_s", "y", k), TEXT,
                 anchor="end", fill="muted", opacity=there, pe=0),
        ]  # fmt: skip
    for k, (left, right) in enumerate(view.bands):
        year = view.years[k]
        marks += card(f"year{k}", left + 2, BOTTOM + 8, right - left - 4, 31,
                      L("step_fill", "year", k), str(year), L("step_ink", "year", k),
                      middle=((left + right) / 2, BOTTOM + 30), size=TEXT, set={"year": k},
                      label=f"Up to {year}", stroke=L("step_edge", "year", k),
                      stroke_width=1.5)  # fmt: skip
    return [*marks, text("y_title", 8, 22, L("y_title", "y"), TEXT, fill="muted", pe=0), *_key()]


def _key() -> list[Mark]:
    """What shapes and fills mean."""
    marks = [
        mark("circle", "key0", cx=374, cy=16, r=7, fill="bg", stroke="c1", stroke_width=3, pe=0),
        text("key0_s", 388, 22, "classic", TEXT, fill="muted", pe=0),
        mark("rect", "key1", x=466, y=10, width=13, height=13, rx=2, fill="bg", stroke="c6",
             stroke_width=3, pe=0),
        text("key1_s", 486, 22, "made to be light", TEXT, fill="muted", pe=0),
        mark("circle", "key2", cx=694, cy=16, r=7, fill="c1", stroke="c1", stroke_width=3, pe=0),
        text("key2_s", 708, 22, "on the front", TEXT, fill="muted", pe=0),
    ]  # fmt: skip
    return marks


def _points(view: View) -> list[Mark]:
    marks = []
    for i in range(1, len(view.nets) + 1):
        marks.append(_point(view, f"net{i}", i, L("px", i), L("py", "y", i), "shade", 7))
    there = L("shade", "now_kind")
    return [
        *marks,
        mark("circle", "ring", cx=L("px", "now"), cy=L("py", "y", "now"), r=14, fill="none",
             stroke="ink", stroke_width=2.5, opacity=there, pe=0),
        text("ring_s", L("label_x", "now"), L("label_y", "y", "now"), L("name", "now"), TEXT,
             bold=True, text_anchor=L("anchor", "now"), opacity=there, pe=0),
    ]  # fmt: skip


def _point(view: View, name: str, i: int, x: Any, y: Any, shade: str, r: float) -> Mark:
    """One network as a circle, or as a square where it was made to be light."""
    net = view.nets[i - 1]
    kind = net.entry.kind
    more = {
        "fill": L(f"fill_{kind}", f"kind{i}"), "stroke": ("c1", "c6")[kind], "stroke_width": 3,
        "opacity": L(shade, f"kind{i}"), "set": {"pick": i}, "tip": tip(net), "link": i,
        "label": tip(net),
    }  # fmt: skip
    if not net.top1:
        more["stroke_dasharray"] = "4 3"
    if kind == CLASSIC:
        return mark("circle", name, cx=x, cy=y, r=r, **more)
    corner = {axis: {**place, "t": f"{place['t']}_corner"} for axis, place in (("x", x), ("y", y))}
    return mark("rect", name, **corner, width=2 * r - 1, height=2 * r - 1, rx=2, **more)


def _front() -> list[Mark]:
    """The frame of the front: title, levels of accuracy, ticks of the cost."""
    marks = [
        mark("line", "rule", x1=8, x2=RIGHT, y1=332, y2=332, stroke="line", stroke_width=1, pe=0),
        text("front_title", 8, 364, J("Front ", L("year_s", "year"), ": top-1 % over ",
                                      L("cost_s", "cost")), TEXT, bold=True, pe=0),
    ]  # fmt: skip
    for v in range(60, 86, 5):
        y = inset_y(v)
        marks += [
            mark("line", f"level{v}", x1=IN_LEFT, x2=IN_RIGHT, y1=y, y2=y, stroke="grid",
                 stroke_width=1, pe=0),
            text(f"level{v}_s", IN_LEFT - 8, y + 6, str(v), TEXT, anchor="end", fill="muted",
                 pe=0),
        ]  # fmt: skip
    for k in range(4):
        x, there = L("in_x", "cost", k), L("in_on", "cost", k)
        marks += [
            mark("line", f"in{k}", x1=x, x2=x, y1=IN_TOP, y2=IN_BOTTOM, stroke="grid",
                 stroke_width=1, opacity=there, pe=0),
            text(f"in{k}_s", x, IN_BOTTOM + 25, L("in_s", "cost", k), TEXT, anchor="middle",
                 fill="muted", opacity=there, pe=0),
        ]  # fmt: skip
    return marks


def _above(view: View) -> list[Mark]:
    """Two fronts, the line that is dragged, and the networks."""
    y = L("least_y", "least")
    marks = [
        mark("path", "front_before", d=L("front", "cost", "before"), fill="none", stroke="c8",
             stroke_width=2, stroke_dasharray="5 5", pe=0),
        mark("path", "front", d=L("front", "cost", "year"), fill="none", stroke="ink",
             stroke_width=2, pe=0),
        mark("line", "least", x1=IN_LEFT, x2=IN_RIGHT, y1=y, y2=y, stroke="hi", stroke_width=3,
             pe=0),
        mark("rect", "grab", x=IN_LEFT, y=L("grab_y", "least"), width=IN_RIGHT - IN_LEFT + 14,
             height=24, fill="hi", opacity=0.08, label=J("At least: ", L("least_s", "least")),
             drag={"y": "least", "y0": inset_y(LEAST[0]) - _cell() / 2, "cell": _cell()}),
    ]  # fmt: skip
    for i in range(1, len(view.nets) + 1):
        if view.nets[i - 1].top1:
            marks.append(
                _point(view, f"in_net{i}", i, L("ix", "cost", i), L("iy", i), "inset_shade", 6)
            )
    return [
        *marks,
        mark("circle", "in_ring", cx=L("ix", "cost", "now"), cy=L("iy", "now"), r=12, fill="none",
             stroke="ink", stroke_width=2.5, opacity=L("inset_shade", "now_kind"), pe=0),
        mark("circle", "handle", cx=IN_RIGHT, cy=y, r=10, fill="hi", stroke="bg", stroke_width=2,
             pe=0),
    ]  # fmt: skip


def _cell() -> float:
    return inset_y(LEAST[1]) - inset_y(LEAST[0])


def _panel() -> list[Mark]:
    """The network that is shown: what it added, its numbers as printed and as counted here."""
    marks = [
        text("name", PANEL, 366, L("name", "now"), HEAD, bold=True, pe=0),
        text("where", PANEL, 393, L("where", "now"), TEXT, fill="muted", pe=0),
        *(text(f"added{k}", PANEL, 424 + 25 * k, L("added", "now", k), TEXT, pe=0)
          for k in range(2)),
        text("verdict", PANEL, 478, L("verdict", "cost", "year", "now"), TEXT, bold=True,
             pe=0),
        text("head1", PRINTED, ROWS - 14, "printed", TEXT, anchor="end", fill="muted", pe=0),
        text("head2", COUNTED, ROWS - 14, "counted here", TEXT, anchor="end", fill="muted", pe=0),
    ]  # fmt: skip
    for k, (key, label) in enumerate(
        (("params", "parameters"), ("macs", "MACs"), ("input", "input"), ("top1", "top-1"))
    ):
        y = ROWS + 14 + k * PITCH
        marks.append(text(f"{key}_k", PANEL, y, label, TEXT, fill="muted", pe=0))
        if key != "input":
            marks.append(text(f"{key}_p", PRINTED, y, L(f"{key}_p", "now"), TEXT, anchor="end",
                              pe=0))  # fmt: skip
        marks.append(text(f"{key}_c", COUNTED, y, L(f"{key}_c", "now"), TEXT, anchor="end",
                          fill="muted" if key == "top1" else "ink", pe=0))  # fmt: skip
    return [
        *marks,
        *card("follow", PANEL, 640, 190, 31, L("pill", "pick"), "best of the year",
              L("pill_ink", "pick"), middle=(PANEL + 95, 662), size=TEXT, set={"pick": 0},
              label="Show the best network of the year", stroke="line", stroke_width=1.5),
    ]  # fmt: skip
