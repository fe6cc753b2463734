"""The downsampling scene as marks: two ladders on one axis, and rulers that compare them."""

from typing import Any

from ..marks import Mark, mark, text
from ..scene import J, L
from ._dwn_net import KINDS
from ._dwn_side import FOOT, GROUND_A, GROUND_B, LEFT, RIGHT, RULER, TOP, WIDTH, Side
from ._dwn_view import View
from ._dwn_words import layers, plain

SMALL, TEXT = 20, 21  # px: readable also on a telephone
AXIS = 232  # px: baseline of the layers' numbers
TRACK = {"a": 126, "b": 326}  # px: y of the handles
SUMS = {"a": 158, "b": 309}  # px: baselines of the MACs by map size
NAME = {"a": 22, "b": 444}  # px: baselines of the names
COLUMN = {"a": (30, 194), "b": (224, 200)}  # px: top and height of a unit's column
ROW, PITCH = 481, 25  # px: baseline of the first ruler, and their distance


def marks_of(view: View) -> list[Mark]:
    """Return all marks, from back to front."""
    found = [m for side in view.sides for m in _columns(view, side)] + _axis(view)
    for side in view.sides:
        found += [
            *_head(view, side),
            *_plates(view, side),
            *_bars(view, side),
            *_handles(view, side),
        ]
    return [*found, *_rulers(view)]


def at(side: Side, what: str, *keys: str | int) -> dict[str, Any]:
    """Look up a table of this side; a key ending in _ is the side's own."""
    own = [f"{k}{side.letter}" if isinstance(k, str) and k.endswith("_") else k for k in keys]
    return L(side.name(what), *own)


def shape(side: Side, unit: int | str, stage: int | str) -> list[Any]:
    """The parts of a map's height, width and channels."""
    return [L("sides", stage), "×", at(side, "channels", "w_", unit)]


def _columns(view: View, side: Side) -> list[Mark]:
    """One column for each unit: it lights up with the other ladder's, and a click goes there."""
    top, high = COLUMN[side.letter]
    marks = []
    for unit in range(side.shape.units):
        stage = side.stage(unit)
        said = J(*shape(side, unit, stage), ": ", at(side, "cost", "w_", unit, stage), " MACs")
        name = plain(side.shape)
        marks.append(
            mark("rect", f"col_{side.letter}{unit}", x=view.column(unit - 0.5), y=top,
                 width=view.pitch, height=high, fill=L("lit", "depth", unit), tip=said,
                 link=unit, set={"depth": unit},
                 label=f"{name}, {layers(unit)}")
        )  # fmt: skip
    return marks


def _axis(view: View) -> list[Mark]:
    return [text("axis", LEFT, AXIS, "layer", SMALL, fill="muted", pe=0)] + [
        text(f"layer{i}", view.column(i), AXIS, str(2 * i + 1), SMALL, anchor="middle",
             pe=0)
        for i in range(view.units)
    ]  # fmt: skip


def _head(view: View, side: Side) -> list[Mark]:
    """The ladder's sign and name, what its map at the chosen depth is, and three buttons."""
    y, x = NAME[side.letter], LEFT + 8
    dot = mark("circle", "sign_a", cx=x, cy=y - 7, r=6, fill="ink", pe=0)
    signs = [dot] if side.letter == "a" else _square("sign_b", x, y - 7)
    now = J(L("after", f"d_{side.letter}"), "is ", *_now(side))
    marks = [
        *signs,
        text(f"name_{side.letter}", LEFT + 24, y, at(side, "name", "w_"), TEXT, bold=True, pe=0),
        text(f"now_{side.letter}", 250, y, now, SMALL, pe=0),
    ]
    return marks + _buttons(view, side, y)


def _now(side: Side) -> list[Any]:
    letter = side.letter
    return [
        *shape(side, f"d_{letter}", f"now_{letter}"),
        ", sees ",
        L("field_s", f"v_{letter}", f"there_{letter}"),
    ]


def _buttons(view: View, side: Side, y: float) -> list[Mark]:
    wide, kind, marks = 66, f"k_{side.letter}", []
    for n, (word, places) in enumerate(side.presets.items()):
        word = view.given if n == 0 else word
        x = WIDTH - 8 - (len(KINDS) - n) * (wide + 4)
        halves = ", ".join(str(max(1, 2 * p)) for p in places)
        marks += [
            mark("rect", f"pill_{side.letter}{n}", x=x, y=y - 19, width=wide, height=26, rx=13,
                 stroke="line", stroke_width=1.5, fill=L("pill", kind, n), set=side.moves(places),
                 label=f"{side.shape.name.partition(' ×')[0]}, {word}: halve in layers {halves}"),
            text(f"pill_{side.letter}{n}_s", x + wide / 2, y, word, 18, anchor="middle",
                 fill=L("pill_ink", kind, n), pe=0),
        ]  # fmt: skip
    return marks


def _plates(view: View, side: Side) -> list[Mark]:
    """The maps, to scale."""
    ground = GROUND_A if side.letter == "a" else GROUND_B
    marks = [
        mark("line", f"ground_{side.letter}", x1=view.column(-0.5), y1=ground, y2=ground,
             x2=view.column(side.shape.units - 0.5), stroke="line", stroke_width=1.5, pe=0),
        text(f"maps_{side.letter}", LEFT, ground + (-4 if side.letter == "a" else 16), "map",
             SMALL, fill="muted", pe=0),
    ]  # fmt: skip
    for unit in range(side.shape.units):
        stage, x = side.stage(unit), view.column(unit)
        marks.append(
            mark("line", f"plate_{side.letter}{unit}", x1=x, x2=x, y1=ground,
                 y2=at(side, "end", stage), stroke=L("paint", stage),
                 stroke_width=L("box", stage), link=unit, pe=0)
        )  # fmt: skip
    return marks + _sizes(view, side)


def _sizes(view: View, side: Side) -> list[Mark]:
    """Where a new map size begins: its side, and the MACs of all units with such maps."""
    marks = []
    for stage in range(view.movable + 1):
        x = L("group", f"at_{side.keys[stage - 1]}") if stage else view.column(0)
        far = view.box(stage) + 5
        y = GROUND_A - far if side.letter == "a" else GROUND_B + far + 13
        size = str(side.shape.side(stage)) if stage else L("first", f"at_{side.keys[0]}")
        ends = [side.keys[k] for k in (stage, stage - 1) if 0 <= k < view.movable]
        marks += [
            text(f"side_{side.letter}{stage}", x, y, size, SMALL,
                 anchor="middle", opacity=f"v_{side.letter}", pe=0),
            text(f"sum_{side.letter}{stage}", x, SUMS[side.letter],
                 at(side, f"sum{stage}", "w_", *ends), SMALL, anchor="middle",
                 opacity=f"v_{side.letter}", pe=0),
        ]  # fmt: skip
    for m in marks:
        m["opacity"] = L("shown", m["opacity"])
    return marks


def _bars(view: View, side: Side) -> list[Mark]:
    """MACs of each unit, from the axis up and down, to one scale."""
    up, unit_of = side.letter == "a", view.unit
    y = FOOT - 14 if up else TOP + 26
    marks = [
        text(f"macs_{side.letter}", LEFT, SUMS[side.letter], f"{unit_of} MACs", SMALL,
             fill="muted", pe=0),
        text(f"scale_{side.letter}", LEFT, y, L("scale", "zoom"), SMALL, fill="muted", pe=0),
    ]  # fmt: skip
    wide = min(40, 0.74 * view.pitch)
    for unit in range(side.shape.units):
        marks.append(
            mark("line", f"bar_{side.letter}{unit}", x1=view.column(unit), x2=view.column(unit),
                 y1=FOOT if up else TOP, y2=at(side, "bar", "pair", unit, f"u{unit}_"),
                 stroke=L("paint", side.stage(unit)), stroke_width=wide, link=unit, pe=0,
                 opacity=L("shown", f"v_{side.letter}"))
        )  # fmt: skip
    return marks


def _handles(view: View, side: Side) -> list[Mark]:
    """The halvings: each is dragged to the layer that shall have stride 2."""
    y, letter = TRACK[side.letter], side.letter
    marks = [text(f"halve_{letter}", LEFT, y + 6, "stride 2", SMALL, fill="hi", pe=0)]
    if view.fixed:
        marks += [
            mark("circle", f"handle_{letter}0", cx=view.column(0), cy=y, r=15, fill="c8",
                 stroke="bg", stroke_width=2, pe=0),
            text(f"handle_{letter}0_s", view.column(0), y + 6, "÷2", 15, anchor="middle",
                 bold=True, fill="bg", pe=0),
        ]  # fmt: skip
    name = plain(side.shape)
    for n, key in enumerate(side.keys, 1 + view.fixed):
        x = L("group", f"at_{key}")
        marks += [
            mark("circle", f"handle_{key}", cx=x, cy=y, r=15, stroke="bg", stroke_width=2,
                 fill=L("knob", f"v_{letter}"),
                 label=J(f"{name}, halving {n} of {view.movable + view.fixed}, in layer ",
                         L("halves", f"at_{key}")),
                 drag={"x": key, "x0": view.column(view.fixed - 0.5), "cell": view.pitch}),
            text(f"handle_{key}_s", x, y + 6, "÷2", 15, anchor="middle", bold=True, fill="bg",
                 pe=0),
        ]  # fmt: skip
    return marks


def _rulers(view: View) -> list[Mark]:
    """One ruler for each total, on which a doubling is equally long, and the accuracies."""
    rows = {
        f"MACs, {view.unit}": ("macs_x", ("w_", "i_"), "macs", ("w_", "i_")),
        "Parameters": ("params_x", ("w_",), "params", ("w_",)),
        "Peak memory": ("peak_x", ("p_",), "peak_s", ("p_",)),
        "Last unit sees": ("field_x", ("end_",), "field_s", ("v_", "end_")),
    }
    bottom = ROW + (len(rows) - 1) * PITCH + 4
    marks = []
    x, n = float(RULER[0]), 0
    while x <= RULER[1]:
        marks.append(mark("line", f"double{n}", x1=round(x), x2=round(x), y1=ROW - 18, y2=bottom,
                          stroke="grid", stroke_width=1, pe=0))  # fmt: skip
        x, n = x + view.double, n + 1
    marks.append(text("doubles", RIGHT, ROW, "grid: ×2", SMALL, anchor="end", fill="muted", pe=0))
    for n, (name, (where, where_keys, said, said_keys)) in enumerate(rows.items()):
        marks += _ruler(view, n, name, where, where_keys, said, said_keys)
    y = ROW + len(rows) * PITCH
    if view.cases[0].source:
        marks += [
            text("accuracy", LEFT, y, "Accuracy", SMALL, bold=True, pe=0),
            text("accuracy_a", RULER[0] - 20, y, L("accuracy_a", "pair", "k_a"), SMALL,
                 anchor="end", pe=0),
            text("source", sum(RULER) / 2, y, L("source", "pair"), SMALL, anchor="middle",
                 fill="muted", pe=0),
            text("accuracy_b", RULER[1] + 20, y, L("accuracy_b", "pair", "k_b"), SMALL, pe=0),
        ]  # fmt: skip
    return marks


def _ruler(
    view: View, n: int, name: str, where: str, where_keys: tuple, said: str, said_keys: tuple
) -> list[Mark]:
    """One total of both ladders: as words at the ends, as signs on the ruler between them."""
    y, id_ = ROW + n * PITCH, f"row{n}"
    shared = where in ("peak_x", "field_x")
    spots, words = {}, {}
    for side in view.sides:
        letter = side.letter
        keys = [f"{k}{letter}" for k in where_keys]
        spots[letter] = L(where if shared else f"{where}_{letter}", *keys)
        keys = [f"{k}{letter}" for k in said_keys]
        words[letter] = L(said if shared else f"{said}_{letter}", *keys)
    valid = [L("shown", f"v_{letter}") for letter in "ab"]
    return [
        text(f"{id_}_name", LEFT, y, name, SMALL, bold=True, pe=0),
        text(f"{id_}_a", RULER[0] - 20, y, words["a"], SMALL, anchor="end", pe=0),
        mark("line", f"{id_}_line", x1=RULER[0], x2=RULER[1], y1=y - 6, y2=y - 6, stroke="grid",
             stroke_width=1.5, pe=0),
        mark("line", f"{id_}_gap", x1=spots["a"], x2=spots["b"], y1=y - 6, y2=y - 6,
             stroke="c8", stroke_width=4, opacity=L("both_valid", "told"), pe=0),
        *_square(f"{id_}_sign_b", spots["b"], y - 6, opacity=valid[1]),
        mark("circle", f"{id_}_sign_a", cx=spots["a"], cy=y - 6, r=5, fill="ink",
             opacity=valid[0], pe=0),
        text(f"{id_}_b", RULER[1] + 20, y, words["b"], SMALL, pe=0),
    ]  # fmt: skip


def _square(name: str, x: Any, y: float, **more: Any) -> list[Mark]:
    """An open square, as two short thick lines: a line's middle can be looked up."""
    return [
        mark("line", name, x1=x, x2=x, y1=y - 8, y2=y + 8, stroke="ink", stroke_width=16, pe=0,
             **more),
        mark("line", f"{name}_in", x1=x, x2=x, y1=y - 6, y2=y + 6, stroke="bg", stroke_width=12,
             pe=0, **more),
    ]  # fmt: skip
