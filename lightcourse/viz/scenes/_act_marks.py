"""The activation scene as marks: curve, slope and inputs at the left, outputs, the list of all."""

from typing import Any

from ..marks import Mark, mark, text
from ..scene import J, L
from ._act_view import (
    BARS,
    BELL_FOOT,
    BELL_TALL,
    HIST,
    LEFT,
    LENS,
    LENS_TALL,
    LIST,
    LIST_WIDE,
    PITCH,
    PLACES,
    RAYS,
    REACH,
    SLOPE_TALL,
    SLOPE_TOP,
    TALL,
    TOP,
    UNIT,
    View,
    across,
)
from ._act_words import STATE

SMALL = 16  # px: the smallest words
RIGHT = across(REACH)
FACTS = ((HIST, 352), (HIST + 114, 352), (HIST, 436), (HIST + 114, 436))  # corners of the facts
LENS_LEFT, LENS_TOP, LENS_WIDE = 676, 336, 74


def marks_of(view: View) -> list[Mark]:
    """Return all marks, from back to front."""
    return [
        *_frames(), *_zones(), *_axes(), *_inputs(), *_outputs(view), *_curves(),
        *(m for k in range(len(RAYS)) for m in _ray(k)),
        *_titles(), *_handles(), *_list(view), *_facts(), *_lens(),
    ]  # fmt: skip


def _frames() -> list[Mark]:
    """The three plots above one x axis."""
    wide = RIGHT - LEFT
    return [
        text("formula", LEFT, 26, L("formula", "f"), 18, bold=True, pe=0),
        mark("rect", "plot", x=LEFT, y=TOP, width=wide, height=TALL, fill="panel", pe=0),
        mark("rect", "slopes", x=LEFT, y=SLOPE_TOP, width=wide, height=SLOPE_TALL, fill="panel",
             pe=0),
        mark("rect", "inputs", x=LEFT, y=BELL_FOOT - BELL_TALL - 6, width=wide,
             height=BELL_TALL + 6, fill="panel", label="Mean of the inputs",
             drag={"x": "mu", "x0": across(-3.25), "cell": UNIT / 2}),
    ]  # fmt: skip


def _titles() -> list[Mark]:
    """Words between the plots, on a ground of their own: rays pass below them."""
    inputs = J("inputs: µ = ", L("mu_s", "mu"), ", σ = ", L("sigma_s", "sigma"))
    low = BELL_FOOT - BELL_TALL - 15
    back = {"fill": "bg", "pe": 0}
    return [
        mark("rect", "slope_back", x=LEFT, y=SLOPE_TOP - 24, width=88, height=20, **back),
        mark("rect", "inputs_back", x=LEFT, y=low - 15, width=188, height=20, **back),
        mark("rect", "drag_back", x=RIGHT - 108, y=low - 15, width=108, height=20, **back),
        text("slope_t", LEFT, SLOPE_TOP - 9, "slope f′(x)", SMALL, fill="muted", pe=0),
        text("inputs_t", LEFT, low, inputs, SMALL, fill="muted", pe=0),
        text("drag_t", RIGHT, low, "drag the dots", SMALL, anchor="end", fill="muted", pe=0),
    ]


def _zones() -> list[Mark]:
    """Shade where the slope is exactly 0, from the slope down to the inputs."""
    marks = []
    for k in (0, 1):
        where = {"x": L("zone_x", "f", k), "width": L("zone_w", "f", k), "fill": "bad", "pe": 0}
        marks += [
            mark("rect", f"zone{k}", y=SLOPE_TOP, height=SLOPE_TALL, opacity=0.12, **where),
            mark("rect", f"zone{k}_in", y=BELL_FOOT - BELL_TALL - 6, height=BELL_TALL + 6,
                 opacity=0.12, **where),
            text(f"zone{k}_s", L("zone_mid", "f", k), L("dead_y", "f"), "dead", SMALL,
                 anchor="middle", fill="bad", opacity=L("zone_named", "f", k), pe=0),
        ]  # fmt: skip
    return marks


def _axes() -> list[Mark]:
    rule = {"stroke": "grid", "stroke_width": 1.5, "pe": 0}
    across_all = {"x1": LEFT, "x2": RIGHT}
    middle = across(0)
    marks = [
        mark("line", "x0_a", x1=middle, x2=middle, y1=TOP, y2=TOP + TALL, **rule),
        mark("line", "x0_b", x1=middle, x2=middle, y1=SLOPE_TOP, y2=SLOPE_TOP + SLOPE_TALL, **rule),
    ]
    for k in range(6):
        y, on = L("tick_y", "scale", k), L("tick_on", "scale", k)
        marks += [
            mark("line", f"tick{k}", **across_all, y1=y, y2=y, opacity=on, **rule),
            text(f"tick{k}_s", LEFT - 7, L("tick_low", "scale", k), L("tick_s", "scale", k), SMALL,
                 anchor="end", fill="muted", opacity=on, pe=0),
        ]  # fmt: skip
    for k in (0, 1):
        y = L(f"slope_{k}", "f")
        marks += [
            mark("line", f"slope_line{k}", **across_all, y1=y, y2=y, **rule),
            text(f"slope_line{k}_s", LEFT - 7, L(f"slope_{k}_low", "f"), str(k), SMALL,
                 anchor="end", fill="muted", pe=0),
        ]  # fmt: skip
    for x in range(-REACH, REACH + 1, 4):
        said = f"−{-x}" if x < 0 else str(x)
        marks.append(text(f"x{x}", across(x), BELL_FOOT + 21, said, SMALL, anchor="middle",
                          fill="muted", pe=0))  # fmt: skip
    return marks


def _inputs() -> list[Mark]:
    return [
        mark("line", f"in{i}", x1=x, x2=x, y1=BELL_FOOT, y2=L("bell_y", *STATE, i),
             stroke=L("bell_fill", "f", i), stroke_width=UNIT / 2 - 1, pe=0)
        for i, x in enumerate(LEFT + (n + 0.5) * UNIT / 2 for n in range(BARS))
    ]  # fmt: skip


def _outputs(view: View) -> list[Mark]:
    """Bars on the y axis of the plot; the outputs of dead inputs over them, in red."""
    on = L("on", "step")
    pitch = TALL / (PLACES - 1)
    marks = [
        text("out_t", HIST, 26, "outputs", SMALL, fill="muted", pe=0),
        mark("line", "out_axis", x1=HIST, x2=HIST, y1=TOP, y2=TOP + TALL, stroke="line",
             stroke_width=1.5, pe=0),
        text("far", HIST, TOP + TALL + 22, L("far", "late", "f"), SMALL, fill="muted", pe=0),
    ]  # fmt: skip
    foot = TOP + TALL
    for i in range(PLACES):
        y = foot - i * pitch - pitch / 2 + 0.5
        marks.append(mark("rect", f"out{i}", x=HIST, y=y, height=pitch - 1, fill="c1",
                          width=L("out_w", "f", *STATE, i), opacity=on))  # fmt: skip
    for k in (0, 1):
        marks.append(mark("rect", f"idle{k}", x=HIST, y=L("idle_y", "f", k), height=8, fill="bad",
                          width=L("idle_w", f"idle{k}", *STATE), opacity=on))  # fmt: skip
    return marks


def _curves() -> list[Mark]:
    other = {
        "fill": "none",
        "stroke": "c6",
        "stroke_width": 2.5,
        "stroke_dasharray": "7 5",
        "pe": 0,
    }
    curve = {"fill": "none", "stroke": "ink", "stroke_width": 3, "pe": 0}
    return [
        mark("path", "beside", d=L("beside", "scale", "g"), **other),
        mark(
            "path", "beside_slope", d=L("beside_slope", "g"), opacity=L("same_axis", "f"), **other
        ),
        mark("path", "curve", d=L("curve", "f"), **curve),
        mark("path", "slope", d=L("slope", "f"), **curve),
    ]


def _ray(k: int) -> list[Mark]:
    """One input on its way: up to its slope, to the curve, and across to the outputs."""
    spot = f"spot{k}"
    x, y, on = L("ray_x", spot), L("ray_y", "f", spot), L("ray_on", "flight", spot)
    paint = L("ray_fill", "f", spot)
    line = {"stroke": paint, "stroke_width": 1.5, "stroke_dasharray": "3 3", "opacity": on, "pe": 0}
    dot = {"r": 5, "fill": paint, "stroke": "bg", "stroke_width": 1.5, "opacity": on, "pe": 0}
    return [
        mark("line", f"up{k}", x1=x, x2=x, y1=BELL_FOOT, y2=L("ray_y", "flight", spot), **line),
        mark(
            "line", f"over{k}", x1=x, x2=L("ray_end", "step", spot), y1=y, y2=y, delay=350, **line
        ),
        mark("circle", f"at_slope{k}", cx=x, cy=L("ray_slope", "f", spot), **dot),
        mark("circle", f"at_curve{k}", cx=x, cy=y, **dot),
    ]


def _handles() -> list[Mark]:
    """The dots on the bell: its top moves it, its shoulder widens it."""
    shoulder = BELL_FOOT - 0.607 * BELL_TALL
    look = {"r": 10, "fill": "hi", "stroke": "bg", "stroke_width": 2}
    letter = {"size": 15, "anchor": "middle", "bold": True, "fill": "bg", "pe": 0}
    mu_x, sigma_x, top = L("mu_x", "mu"), L("sigma_x", "mu", "sigma"), BELL_FOOT - BELL_TALL
    return [
        mark("circle", "mu_dot", cx=mu_x, cy=top, **look,
             label=J("Mean of the inputs, ", L("mu_s", "mu")), tip="µ: move the inputs",
             drag={"x": "mu", "x0": across(-3.25), "cell": UNIT / 2}),
        text("mu_letter", mu_x, top + 4, "µ", **letter),
        mark("circle", "sigma_dot", cx=sigma_x, cy=shoulder, **look,
             label=J("Deviation of the inputs, ", L("sigma_s", "sigma")),
             tip="σ: make the inputs wider",
             drag={"x": "sigma", "x0": L("sigma_0", "mu"), "cell": UNIT / 2}),
        text("sigma_letter", sigma_x, shoulder + 4, "σ", **letter),
    ]  # fmt: skip


def _list(view: View) -> list[Mark]:
    """All functions side by side: cost, share without slope, or step of int8; a click chooses."""
    marks = [text("list_t", LIST + LIST_WIDE - 6, 26, L("list_t", "step"), SMALL, anchor="end",
                  fill="muted", pe=0)]  # fmt: skip
    for i, f in enumerate(view.functions):
        y, row = TOP + PITCH * i, view.dead_row[i]
        box = {"x": LIST, "y": y, "height": PITCH - 3}
        said = J(L("cost_in", "at0", i), L("dead_s", row, "mu1", "sigma"),
                 L("step_s", i, "mu2", "sigma"))  # fmt: skip
        marks += [
            mark("rect", f"row{i}", **box, width=LIST_WIDE, fill="panel", set={"f": i},
                 label=f"{f.name}: choose it"),
            mark("rect", f"dead{i}", **box, width=L("dead_w", row, "mu1", "sigma"), fill="bad",
                 opacity=0.3, pe=0),
            mark("rect", f"step{i}", **box, width=L("step_w", i, "mu2", "sigma"), fill="c2",
                 opacity=0.4, pe=0),
            text(f"name{i}", LIST + 6, y + 16, f.name, SMALL, pe=0),
            text(f"value{i}", LIST + LIST_WIDE - 6, y + 16, said, SMALL, anchor="end", pe=0),
        ]  # fmt: skip
    edge = {"x": LIST, "y": L("row_y", "f"), "width": LIST_WIDE, "height": PITCH - 3}
    return [*marks, mark("rect", "edge", **edge, fill="none", stroke="ink", stroke_width=2, pe=0)]


def _facts() -> list[Mark]:
    """Four numbers of the present step."""
    one, two = ("mu1", "sigma"), ("mu2", "sigma")
    values = [
        (L("cost_s", "zero"), L("dead_s", "dead", *one), L("high_s", "f", *two)),
        (L("least_s", "zero"), L("slope_s", "f", *one), L("step_s", "f", *two)),
        (L("most_s", "zero"), L("mean_s", "f", *one), L("error_s", "f", *two)),
        (L("gap_s", "zero", "g"), L("dev_s", "f", *one)),
    ]
    marks = []
    for k, ((x, y), parts) in enumerate(zip(FACTS, values, strict=True)):
        marks += [
            text(f"fact{k}", x, y, L("fact", "step", k), SMALL, fill="muted", pe=0),
            text(f"fact{k}_s", x, y + 26, J(*parts), 22, bold=True, pe=0),
        ]
    return marks


def _lens() -> list[Mark]:
    """A short piece of the output axis, magnified: each band is one step of int8."""
    on: Any = L("at2_on", "step")
    middle, foot = LENS_LEFT + LENS_WIDE / 2, LENS_TOP + LENS_TALL
    return [
        mark("rect", "lens", x=LENS_LEFT, y=LENS_TOP, width=LENS_WIDE, height=LENS_TALL,
             fill="panel", stroke="line", stroke_width=1.5, opacity=on, pe=0),
        mark("line", "bands", x1=middle, x2=middle, y1=foot, y2=LENS_TOP, stroke="c2",
             stroke_width=LENS_WIDE - 2, stroke_dasharray=L("bands", "f", *STATE), opacity=on,
             pe=0),
        text("lens_t", LENS_LEFT + LENS_WIDE, foot + 21, f"{LENS} of the output, in steps", SMALL,
             anchor="end", fill="muted", opacity=on, pe=0),
    ]  # fmt: skip
