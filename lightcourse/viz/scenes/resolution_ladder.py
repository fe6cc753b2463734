"""Resolution ladder (分辨率阶梯): what each halving of the map does to memory, MACs and field.

An input of k·2ⁿ pixels leaves k pixels after n halvings; where they stand decides the cost.
"""

from collections.abc import Sequence
from typing import Any

from lightcourse.errors import UserError

from ..scene import J, L, Scene
from . import _lad_words as words
from ._lad_marks import SCHEDULE, marks_of, ruler_tables
from ._lad_net import EVEN, FREE, MODES
from ._lad_view import HEIGHT, WIDTH, View

SIZES = (16, 32, 128, 223, 224, 225, 230, 256)
OWN_SIZES = (32, 96, 128, 160, 192, 224, 225, 256)  # of a network of the learner's
LIMITS, MOST = (8, 1024), 8


def resolution_ladder(model: Any = None, sizes: Sequence[int] | None = None) -> Scene:
    """Build the scene; see `lightcourse.viz.resolution_ladder`.

    Raises:
        UserError: the sizes cannot be drawn, or the model runs at none of them.

    >>> resolution_ladder().at(size=5).caption()[-27:]
    '225 = 7.03·2⁵ px leave 8×8.'
    """
    usual = SIZES if model is None else OWN_SIZES
    chosen = _checked(usual if sizes is None else sizes)
    if model is not None:
        from ._lad_module import scene_of_module

        return scene_of_module(model, chosen)
    view = View(chosen)
    spec = {
        "v": 1,
        "id": "resolution-ladder",
        "title": "Where should the picture shrink?",
        "subtitle": "eight 3×3 layers, five of them halve: drag the handles, drag the input size",
        "alt": "A staircase of feature maps to scale, with bars for activation memory, MACs and"
        " receptive field of each layer",
        "size": [WIDTH, HEIGHT],
        "dur": 300,
        "params": _params(chosen),
        "tables": {**ruler_tables(chosen), **view.tables()},
        "marks": marks_of(view),
        "caption": J(L("who", *SCHEDULE), " ladder: ", L("claim", "size", "mode", *SCHEDULE), ". ",
                     L("leaves", "size")),
        "code": J("net, c = nn.Sequential(), 3\nfor stride in ", L("strides", *SCHEDULE), ":\n",
                  L("code", "mode"), L("run", "size")),
        "warn": L("warn", "size"),
    }  # fmt: skip
    ask = words.question(chosen)
    return Scene.of({**spec, "ask": ask} if ask else spec)


def _checked(sizes: Any) -> list[int]:
    """Return the sizes in rising order, each once."""
    given = sizes if isinstance(sizes, (list, tuple, range)) else []
    low, high = LIMITS
    good = all(isinstance(r, int) and not isinstance(r, bool) and low <= r <= high for r in given)
    if not good or not 1 <= len(set(given)) <= MOST:
        raise UserError(
            f"cannot draw the sizes {sizes!r}; give 1 to {MOST} whole numbers from {low} to {high}."
        )
    return sorted(set(given))


def _params(sizes: list[int]) -> list[dict[str, Any]]:
    start = sizes.index(224) if 224 in sizes else len(sizes) - 1
    moves = [place - n for n, place in enumerate(EVEN, 1)]
    handles = [
        {"name": f"h{n}", "label": f"Halving {n}", "kind": "xy", "value": moves[n - 1],
         "n": FREE + 1 if n == len(EVEN) else L("upto", f"h{n + 1}")}
        for n in range(len(EVEN), 1, -1)
    ]  # fmt: skip
    return [
        {"name": "size", "label": "Input", "kind": "step", "n": len(sizes), "value": start,
         "labels": L("size", "size"), "play": 1600},
        {"name": "mode", "label": "Channels", "kind": "select", "options": list(MODES),
         "hints": ["32, 64, 128, 256, 512: twice as many after each halving", "32 in every layer"]},
        *handles,
    ]  # fmt: skip
