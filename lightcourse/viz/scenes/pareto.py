"""Pareto picture (帕累托前沿): published accuracy against any cost, and a budget to drag.

Points that another network beats in cost and accuracy fade; the rest is the front.
"""

from typing import Any

from lightcourse.errors import UserError

from ..scene import L, Scene, dumps, plain
from ..validate import MAX_BYTES
from ._par_marks import marks_of
from ._par_nets import Study, study_of
from ._par_scale import BUDGETS, HEIGHT, WIDTH
from ._par_view import View
from ._par_words import caption, code, question, word_tables


def pareto(portrait: Any = None, own: Any = None) -> Scene:
    """Build the scene; see `lightcourse.viz.pareto`.

    Raises:
        UserError: no portrait, no accuracy in it, or an own network that cannot be counted.

    >>> pareto().at(budget=35).caption()[:6]
    'Within'
    """
    from lightcourse.design.portrait import Portrait, load_portrait

    from ._par_own import own_rows

    if portrait is not None and not isinstance(portrait, Portrait):
        raise UserError(
            f"cannot draw {type(portrait).__name__}; give a Portrait, as"
            " lightcourse.design.portrait measures it and load_portrait(path) reads it."
        )
    known = load_portrait() if portrait is None else portrait
    mine = [] if own is None else own_rows(own, known.columns, known.machine)
    study: Study | None = study_of(known, mine)
    while study:
        spec = _spec(View(study))
        if len(dumps(plain(spec)).encode()) <= MAX_BYTES:
            return Scene.of(spec)
        study = study.smaller()
    raise UserError("these networks are too many for one picture; give a portrait of fewer.")


def _spec(view: View) -> dict[str, Any]:
    spec = {
        "v": 1,
        "id": "pareto",
        "title": "What does accuracy cost?",
        "subtitle": "published accuracy of light networks: change the cost, drag the budget line,"
        " click a network",
        "alt": "Networks as points, accuracy over a cost; those that no other beats are joined by"
        " a staircase, and a vertical line is the budget",
        "size": [WIDTH, HEIGHT],
        "dur": 700,
        "params": _params(view),
        "derive": view.derive(),
        "tables": {**view.tables(), **word_tables(view)},
        "marks": marks_of(view),
        "caption": caption(),
        "code": code(),
    }
    ask = question(view.study)
    return {**spec, "ask": ask} if ask else spec


def _params(view: View) -> list[dict[str, Any]]:
    x, budget = view.start
    return [
        {"name": "x", "label": "Cost", "kind": "step", "n": len(view.study.costs), "value": x,
         "labels": L("label", "x"), "play": 2600},
        {"name": "budget", "label": "Budget", "kind": "range", "n": BUDGETS, "value": budget,
         "labels": L("bud", "x", "budget")},
        {"name": "pick", "label": "Network", "kind": "xy", "n": len(view.names) + 1, "value": 0},
    ]  # fmt: skip
