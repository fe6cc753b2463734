"""The detection scene as marks: a picture with boxes, the curve, two rulers, the counts."""

from typing import Any

from ..marks import Mark, mark, text
from ..scene import J, L
from ._det_view import (
    IOUS,
    LEFT,
    LINE,
    MISSED,
    PLOT,
    SCORES,
    SIDE,
    TALL,
    TOP,
    WIDE,
    View,
    across,
    down,
)

SMALL = 18  # px: readable also on a telephone
RULER = TOP + SIDE + 50  # y of the score's ruler
SECOND = TOP + TALL + 114  # y of the IoU's
CARDS = RULER + 40  # y of the counts


def marks_of(view: View) -> list[Mark]:
    """Return all marks, from back to front."""
    return [*_picture(view), *_plot(view), *_rulers(), *_counts(view)]


def _picture(view: View) -> list[Mark]:
    wide, tall = view.side
    marks = [
        text("pic_t", LEFT, 26, "found boxes; in dashes what is there", SMALL, bold=True, pe=0),
        mark("image", "photo", x=LEFT, y=TOP, width=wide, height=tall, href=L("pic", "pic"), pe=0),
    ]
    for k in range(view.objects):
        place = {name: L(f"t{name[0]}", "pic", k) for name in ("x", "y", "width", "height")}
        shown = L("t_on", "pic", k)
        marks += [
            mark("rect", f"true{k}_edge", **place, fill="none", stroke="#000000", stroke_width=4,
                 opacity=shown, pe=0),
            mark("rect", f"true{k}", **place, fill="none", stroke_width=2.5,
                 stroke=L("t_paint", "pic", "iou", "score", k), stroke_dasharray="7 5",
                 opacity=shown, pe=0),
        ]  # fmt: skip
    for k in range(view.boxes):
        place = {name: L(f"b{name[0]}", "pic", k) for name in ("x", "y", "width", "height")}
        shown, paint = L("b_on", "pic", "score", k), L("b_paint", "pic", "iou", k)
        marks += [
            mark("rect", f"box{k}_edge", **place, fill="none", stroke="bg", stroke_width=6,
                 opacity=shown, pe=0),
            mark("rect", f"box{k}", **place, fill="none", stroke=paint, stroke_width=3,
                 stroke_dasharray=L("b_dash", "pic", "iou", k), opacity=shown, pe=0),
        ]  # fmt: skip
    for k in range(view.boxes):
        shown = L("b_on", "pic", "score", k)
        marks += [
            mark("rect", f"plate{k}", x=L("l_x", "pic", k), y=L("l_y", "pic", k),
                 width=L("l_w", "pic", k), height=LINE, fill="bg", opacity=shown, pe=0),
            text(f"name{k}", L("l_x", "pic", k), L("l_base", "pic", k), L("b_s", "pic", k), 15,
                 bold=True, fill=L("b_paint", "pic", "iou", k), opacity=shown, pe=0),
        ]  # fmt: skip
    return marks


def _plot(view: View) -> list[Mark]:
    marks = [
        text("plot_t", PLOT, 26, J("precision of ", L("name", "cls")), SMALL, bold=True, pe=0),
        mark("rect", "plot", x=PLOT, y=TOP, width=WIDE, height=TALL, fill="panel", pe=0),
    ]
    for share in (0, 0.5, 1):
        x, y = across(share), down(share)
        marks += [
            mark("line", f"row{share:g}", x1=PLOT, x2=PLOT + WIDE, y1=y, y2=y, stroke="line",
                 stroke_width=1, pe=0),
            text(f"row{share:g}_s", PLOT - 7, y + 6, f"{share:g}", SMALL, anchor="end",
                 fill="muted", pe=0),
            text(f"column{share:g}_s", min(x, PLOT + WIDE - 5), TOP + TALL + 22, f"{share:g}",
                 SMALL, anchor="middle", fill="muted", pe=0),
        ]  # fmt: skip
    keys = ("cls", "iou")
    return [
        *marks,
        text("recall", across(0.75), TOP + TALL + 22, "recall", SMALL, anchor="middle",
             fill="muted", pe=0),
        mark("path", "under", d=L("under", *keys), fill="c1", opacity=0.18, stroke="none", pe=0),
        mark("path", "curve", d=L("curve", *keys), fill="none", stroke="c1", stroke_width=2.5,
             pe=0),
        mark("circle", "dot", cx=L("dot_x", *keys, "score"), cy=L("dot_y", *keys, "score"), r=8,
             fill="hi", stroke="bg", stroke_width=2, pe=0),
        text("ap", PLOT + 12, TOP + TALL - 14, J("AP ", L("ap", *keys)), 24, bold=True, pe=0),
    ]  # fmt: skip


def _rulers() -> list[Mark]:
    return [
        *_ruler("score", LEFT, RULER, SIDE, len(SCORES), "score at least "),
        *_ruler("iou", PLOT, SECOND, WIDE, len(IOUS), "right from IoU "),
    ]


def _ruler(name: str, left: float, y: float, wide: float, count: int, word: str) -> list[Mark]:
    drag: dict[str, Any] = {"x": name, "x0": left, "cell": wide / count}
    said = J(word, L(f"{name}_s", name))
    return [
        text(f"{name}_t", left, y - 18, said, SMALL, bold=True, pe=0),
        text(f"{name}_h", left + wide, y - 18, "drag", SMALL, anchor="end", fill="muted", pe=0),
        mark("rect", f"{name}_way", x=left, y=y - 13, width=wide, height=26, rx=13, fill="panel",
             drag=drag, label=said),
        mark("line", f"{name}_rail", x1=left + 10, x2=left + wide - 10, y1=y, y2=y, stroke="line",
             stroke_width=3, pe=0),
        mark("circle", f"{name}_knob", cx=L(f"{name}_x", name), cy=y, r=12, fill="hi",
             stroke="bg", stroke_width=2, drag=drag, label=said),
    ]  # fmt: skip


def _counts(view: View) -> list[Mark]:
    """How many boxes are right and wrong and how many objects are missed, of the chosen class."""
    keys = ("cls", "iou", "score")
    marks: list[Mark] = []
    for k, (name, paint, dash) in enumerate(
        (("right", "c1", "none"), ("wrong", "bad", "5 3"), ("missed", MISSED, "7 5"))
    ):
        x, key = LEFT + 100 + 132 * k, {"y": CARDS, "width": 24, "height": 24, "fill": "none"}
        edge = "#000000" if paint == MISSED else "bg"
        marks += [
            mark("rect", f"{name}_edge", x=x, **key, stroke=edge, stroke_width=5, pe=0),
            mark("rect", f"{name}_key", x=x, **key, stroke=paint, stroke_width=3,
                 stroke_dasharray=dash, pe=0),
            text(f"{name}_s", x + 33, CARDS + 19, J(L(name, *keys), f" {name}"), SMALL, pe=0),
        ]  # fmt: skip
    return [
        text("of", LEFT, CARDS + 19, J(L("name", "cls"), ":"), SMALL, bold=True, pe=0),
        *marks,
        text("map", PLOT + WIDE, CARDS + 19, J("mAP of all classes ", L("map", "iou")), SMALL,
             anchor="end", bold=True, pe=0),
    ]  # fmt: skip
