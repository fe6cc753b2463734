"""The Pareto picture as marks: points over a cost, the budget line, and the chosen network."""

from typing import Any

from ..marks import Mark, card, mark, text
from ..scene import J, L
from ._par_nets import Cost
from ._par_scale import BOTTOM, CELL, FIRST, LEFT, RIGHT, TICKS, TOP, up
from ._par_view import View, short
from ._par_words import counted

TEXT, HEAD = 19, 23  # px: readable also on a telephone
PANEL, ROWS, PITCH = 402, 511, 27  # y of the line above the panel, of its first row, and between
COUNTS, TIMES, CELLS = 8, 372, 506  # x of the counts, of the runtimes' names, of the times
MIDDLE = 356  # x where the counts end


def marks_of(view: View) -> list[Mark]:
    """Return all marks, from back to front."""
    return [
        *_frame(view),
        *_budget(),
        *(_point(view, i) for i in view.order),
        *_own(view),
        *_named(),
        *_panel(view),
    ]


def _frame(view: View) -> list[Mark]:
    marks = [
        mark("rect", "beyond", x=L("bud_x", "x", "budget"), y=TOP, height=BOTTOM - TOP,
             width=L("beyond_w", "x", "budget"), fill="panel", pe=0),
        text("y_title", 8, 22, "top-1 on ImageNet, %", TEXT, fill="muted", pe=0),
        text("x_title", (LEFT + RIGHT) / 2, BOTTOM + 50, L("title", "x"), TEXT, anchor="middle",
             bold=True, pe=0),
    ]  # fmt: skip
    for k, level in enumerate(view.levels):
        y = up(level, view.levels)
        marks += [
            mark("line", f"level{k}", x1=LEFT, x2=RIGHT, y1=y, y2=y, stroke="grid",
                 stroke_width=1, pe=0),
            text(f"level{k}_s", LEFT - 8, y + 6, str(level), TEXT, anchor="end", fill="muted",
                 pe=0),
        ]  # fmt: skip
    for k in range(TICKS):
        x, there = L("tick_x", "x", k), L("tick", "x", k)
        marks += [
            mark("line", f"tick{k}", x1=x, x2=x, y1=TOP, y2=BOTTOM, stroke="grid",
                 stroke_width=1, opacity=there, pe=0),
            text(f"tick{k}_s", x, BOTTOM + 27, L("tick_s", "x", k), TEXT, anchor="middle",
                 fill="muted", opacity=there, pe=0),
        ]  # fmt: skip
    stairs = mark("path", "front", d=L("front", "x"), fill="none", stroke="c1", stroke_width=2,
                  pe=0)  # fmt: skip
    return [*marks, *_legend(), stairs]


def _legend() -> list[Mark]:
    marks, words = [], (
        (1, 318, "on the front"), (2, 476, "on the front in MACs"), (0, 718, "beaten"),
    )  # fmt: skip
    fills, edges = ("c8", "c1", "bg"), ("none", "none", "c6")
    for kind, x, s in words:
        marks += [
            mark("circle", f"key{kind}", cx=x, cy=16, r=(5, 7, 6)[kind], fill=fills[kind],
                 stroke=edges[kind], stroke_width=3, pe=0),
            text(f"key{kind}_s", x + 13, 22, s, TEXT, fill="muted", pe=0),
        ]  # fmt: skip
    return marks


def _budget() -> list[Mark]:
    """The line that is dragged; its handle is drawn over the points, see `_named`."""
    x = L("bud_x", "x", "budget")
    return [
        mark("line", "budget", x1=x, x2=x, y1=TOP - 12, y2=BOTTOM, stroke="hi", stroke_width=3,
             pe=0),
        mark("rect", "grab", x=L("grab_x", "x", "budget"), y=TOP - 12, width=26,
             height=BOTTOM - TOP + 26, fill="hi", opacity=0.08, set={"pick": 0},
             label=J("Budget: ", L("bud", "x", "budget"), L("of", "x")),
             drag={"x": "budget", "x0": round(FIRST - CELL / 2, 2), "cell": round(CELL, 4)}),
        text("budget_s", L("bud_label_x", "x", "budget"), TOP - 10,
             J("≤ ", L("bud", "x", "budget")), TEXT, bold=True, fill="hi",
             text_anchor=L("bud_anchor", "x", "budget"), pe=0),
    ]  # fmt: skip


def _point(view: View, i: int) -> Mark:
    """One network; a click chooses it, and its family lights up under the pointer."""
    row, kind = view.study.rows[i - 1], f"kind{i}"
    families = list(dict.fromkeys(r.family for r in view.study.rows))
    said = J(f"{row.variant}: {row.top1:g} % for ", L("value", "x", i), L("of", "x"))
    return mark(
        "circle", f"net{i}", cx=L("px", "x", i), cy=view.heights[i - 1], r=L("radius", kind),
        fill=L("fill", kind), stroke=L("edge", kind), stroke_width=3,
        opacity=L("shade", kind, f"in{i}"), set={"pick": i}, tip=said,
        label=J(L("name", i), ", ", L("value", "x", i)),
        link=families.index(row.family),
    )  # fmt: skip


def _own(view: View) -> list[Mark]:
    """A ring and the name of each network of the reader's."""
    marks, count = [], len(view.names)
    for i in range(count - view.study.own + 1, count + 1):
        there = L("there", f"from{i}")
        name = view.names[i - 1]
        marks += [
            mark("circle", f"mine{i}", cx=L("px", "x", i), cy=L("py", i), r=12, fill="none",
                 stroke="c4", stroke_width=3, opacity=there, pe=0),
            text(f"mine{i}_s", L("label_x", "x", i), L("label_y", i), short(name), TEXT, bold=True,
                 opacity=there, text_anchor=L("anchor", "x", i), pe=0),
        ]  # fmt: skip
    return marks


def _named() -> list[Mark]:
    """Ring and name of the network that is shown, and the handle of the budget."""
    there = L("there", "now_from")
    return [
        mark("circle", "ring", cx=L("px", "x", "now"), cy=L("py", "now"), r=14, fill="none",
             stroke="ink", stroke_width=2.5, opacity=there, pe=0),
        text("ring_s", L("label_x", "x", "now"), L("label_y", "now"), L("short", "now"), TEXT,
             bold=True, opacity=there, text_anchor=L("anchor", "x", "now"), pe=0),
        mark("circle", "handle", cx=L("bud_x", "x", "budget"), cy=BOTTOM, r=10, fill="hi",
             stroke="bg", stroke_width=2, pe=0),
    ]  # fmt: skip


def _panel(view: View) -> list[Mark]:
    marks = [
        mark("line", "rule", x1=8, x2=RIGHT, y1=PANEL, y2=PANEL, stroke="line", stroke_width=1,
             pe=0),
        text("name", COUNTS, PANEL + 29, L("name", "now"), HEAD, bold=True, pe=0),
        *card("follow", RIGHT - 164, PANEL + 9, 164, 31, L("pill", "follows"), "best in budget",
              L("pill_ink", "follows"), middle=(RIGHT - 82, PANEL + 31), size=TEXT,
              set={"pick": 0}, label="Show the best within the budget", stroke="line",
              stroke_width=1.5),
        text("accuracy", COUNTS, PANEL + 55, J(L("top1_s", "now"), L("source", "how")), TEXT,
             pe=0),
        mark("circle", "key_dot", cx=COUNTS + 10, cy=ROWS - 34, r=6, fill="c1", pe=0),
        text("key_dot_s", COUNTS + 24, ROWS - 28, "= on the front of this cost", TEXT,
             fill="muted", pe=0),
        text("note", COUNTS, ROWS + 4 * PITCH + 4, counted(view.study), TEXT, fill="muted", pe=0),
        text("note2", COUNTS, ROWS + 4 * PITCH + 29, L("note", "x"), TEXT, fill="muted", pe=0),
    ]  # fmt: skip
    costs = view.study.costs
    times = [c for c in costs if c.unit == "s"]
    runtimes = list(dict.fromkeys(c.runtime for c in times))
    threads = sorted({c.threads for c in times})
    wide = (RIGHT - CELLS) / max(1, len(threads))
    for k, count in enumerate(threads):
        s = f"{count} thread{'s' if count > 1 else ''}"
        marks.append(text(f"threads{k}", CELLS + (k + 1) * wide - 8, ROWS - 28, s, TEXT,
                          anchor="end", fill="muted", pe=0))  # fmt: skip
    if view.study.left_out:
        s = f"no room for {view.study.left_out} more times"
        marks.append(text("no_room", TIMES, ROWS + 3 * PITCH, s, TEXT, fill="muted", pe=0))
    for k, runtime in enumerate(runtimes):
        marks.append(text(f"runtime{k}", TIMES, ROWS + k * PITCH, runtime, TEXT, pe=0))
    for j, cost in enumerate(costs):
        if cost.unit == "s":
            x, row = CELLS + threads.index(cost.threads) * wide, runtimes.index(cost.runtime)
            marks += _cell(j, cost, x, wide, row, "")
        else:
            marks += _cell(j, cost, COUNTS - 4, MIDDLE - COUNTS, j, cost.label)
    return marks


def _cell(j: int, cost: Cost, x: float, wide: float, row: int, label: str) -> list[Mark]:
    """What the shown network costs, with a dot where it is on that front; a click goes there."""
    y = ROWS + row * PITCH
    dot_x = x + (14 if label else max(12, wide - 106))
    marks: list[Any] = [
        mark("rect", f"cell{j}", x=x, y=y - 20, width=wide, height=PITCH - 1, rx=5,
             fill=L("cell", "x", j), set={"x": j},
             label=J(f"Cost: {cost.label}, ", L("value", j, "now"))),
        mark("circle", f"cell{j}_dot", cx=dot_x, cy=y - 6, r=6, fill=L("dot", f"cell{j}"),
             stroke=L("dot_edge", f"cell{j}"), stroke_width=1.5, pe=0),
        text(f"cell{j}_s", x + wide - 8, y, L("value", j, "now"), TEXT, anchor="end", pe=0),
    ]  # fmt: skip
    if label:
        marks.append(text(f"cell{j}_name", x + 28, y, label, TEXT, pe=0))
    return marks
