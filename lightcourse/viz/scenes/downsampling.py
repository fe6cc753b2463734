"""Fast against slow downsampling (快速下采样): two ladders of maps on one axis, strides dragged.

FD-MobileNet halves its maps in half as many layers as MobileNet (arXiv 1802.03750, section 2).
"""

from typing import Any

from ..scene import J, L, Scene
from . import _dwn_words as words
from ._dwn_cases import Case, of_papers, of_rows, of_study
from ._dwn_marks import marks_of
from ._dwn_side import HEIGHT, WIDTH
from ._dwn_view import View


def downsampling(nets: Any = None) -> Scene:
    """Build the scene; see `lightcourse.viz.downsampling`.

    Raises:
        UserError: the rows are no two networks that fit side by side.

    >>> downsampling().at(pair="same").caption()[:60]
    'By layer 13 MobileNet ×1 is at 14×14, FD-MobileNet ×1 at 7×7'
    """
    cases = of_papers() if nets is None else of_study() if nets == "study" else of_rows(nets)
    view = View(cases)
    last = words.last_map(view.sides[0].shape)
    spec = {
        "v": 1,
        "id": "downsampling",
        "title": "Shrink fast, or slowly?",
        "subtitle": ("the course's own trained networks, at 32 px: " if nets == "study" else "")
        + "drag any ÷2 to another layer; squares are maps to scale, bars are MACs",
        "alt": "Two ladders of feature maps on one axis of layers, with the MACs of each layer"
        " between them and rulers that compare their totals",
        "size": [WIDTH, HEIGHT],
        "dur": 350,
        "params": _params(cases, view),
        "derive": view.derived(),
        "tables": view.tables(),
        "marks": marks_of(view),
        "caption": J(*_caption(last)),
        "code": J(words.CODE.format(classes=view.sides[0].shape.classes), *_rows(view, 0, "one"),
                  *_rows(view, 1, "two"), words.run(view.sides[0].shape)),
        "warn": J(*_warning(view)),
        "room": _room(view),
    }  # fmt: skip
    return Scene.of({**spec, "ask": words.question()} if nets is None else spec)


def _params(cases: list[Case], view: View) -> list[dict[str, Any]]:
    every = [{"name": "pair", "label": "Compare", "kind": "select",
              "options": [case.label for case in cases],
              "hints": [case.hint for case in cases]},
             {"name": "depth", "label": "Depth", "kind": "step", "n": view.units,
              "value": view.sides[1].shape.published[-1],
              "labels": L("layers", "depth"), "play": 900}]  # fmt: skip
    for side in view.sides:
        start = side.moves(side.shape.published)
        for n, key in reversed(list(enumerate(side.keys))):
            later = side.keys[n + 1 :]
            every.append({
                "name": key, "label": f"{side.shape.name}, halving {n + 1 + view.fixed}",
                "kind": "xy", "value": start[key],
                "n": L("upto", later[0]) if later else side.shape.free,
            })  # fmt: skip
    return every


def _caption(last: str) -> list[Any]:
    """How far each is at the chosen depth, what it spends and sees, and what they are together."""
    (one, other), (here, there), (its, others), (sees, seen) = (
        [L(table.format(x), *(key.format(x) for key in keys)) for x in "ab"]
        for table, keys in (
            ("name_{}", ("w_{}",)), ("sides", ("now_{}",)), ("share_{}", ("w_{}", "i_{}")),
            ("field_s", ("v_{}", "end_{}")),
        )
    )  # fmt: skip
    return [
        "By ", L("after", "depth"), one, " is at **", here, "**, ", other, " at **", there,
        "**: they spend **", its, L("percent", "v_a"), "** and **", others, L("percent", "v_b"),
        f"** of their MACs on maps larger than {last}, and in the end see **", sees, "** and **",
        seen, "**. ", L("verdict", "pair", "told"),
    ]  # fmt: skip


def _warning(view: View) -> list[Any]:
    """Why a ladder is none; nothing where it is one."""
    parts: list[Any] = []
    for side in view.sides:
        x = side.letter
        parts += [L(f"twice_of_{x}", f"v_{x}"), L(f"twice_{x}", f"k_{x}"), L("twice", f"v_{x}")]
    return parts


def _rows(view: View, number: int, name: str) -> list[Any]:
    """The lines of code that build one ladder as it stands."""
    side = view.sides[number]
    parts: list[Any] = [f"{name} = ladder("]
    before: str | int = 0
    for unit in range(side.shape.units):
        stage = side.stage(unit)
        stride = 2 if unit < view.fixed else L("stride", before, stage)
        gap = "" if unit == 0 else ",\n             " if unit % 7 == 0 else ", "
        channels = L(side.name("channels"), side.name("w"), unit)
        parts += [f"{gap}(", channels, ", ", stride, ")"]
        before = stage
    return [*parts, ")\n"]


def _room(view: View) -> str:
    """A text as long as the longest caption."""
    parts = (words.compared(case).replace("**", "") for case in view.cases)
    names = [max((w.name for w in side.widths), key=len) for side in view.sides]
    return (
        f"By layer 27 {names[0]} is at 112×112, {names[1]} at 112×112: they spend 99 % and 99 % of"
        f" their MACs on maps larger than 7×7, and in the end see 9999 px and 9999 px."
        f" {max(parts, key=len)}"
    )
