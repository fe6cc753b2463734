"""Timeline (时间线): the networks of the course by year, and the Pareto front of each year."""

from typing import Any

from ..marks import timeline_tables
from ..scene import L, Scene
from ._tim_marks import marks_of
from ._tim_nets import COSTS
from ._tim_view import HEIGHT, LEAST, WIDTH, View
from ._tim_words import OF, caption, code, info, question, word_tables


def timeline(y: str = "accuracy", cost: str = "MACs") -> Scene:
    """Build the scene; see `lightcourse.viz.timeline`.

    Raises:
        UserError: no such y or cost.

    >>> timeline().at(year=0).caption()[:30]
    '1998 brings 1 network, LeNet-5'
    """
    view = View()
    spec = {
        "v": 1,
        "id": "timeline",
        "title": "What did each one add?",
        "subtitle": "networks in the order of their papers: step through the years, click one",
        "alt": "Networks as points over the years of their papers, and below them the front of the"
        " chosen year: those that no other beats in accuracy and cost",
        "size": [WIDTH, HEIGHT],
        "dur": 600,
        "params": _params(view),
        "derive": view.derive(),
        "tables": _tables(view),
        "marks": marks_of(view),
        "caption": caption(),
        "code": code(),
        "ask": question(view),
    }
    return Scene.of(spec).at(y=y, cost=cost)


def _params(view: View) -> list[dict[str, Any]]:
    last = len(view.years) - 1
    return [
        {"name": "y", "label": "Height", "kind": "select",
         "options": ["accuracy", "parameters", "MACs"],
         "hints": ["Printed top-1 accuracy on ImageNet", "Counted here", "Counted here"]},
        {"name": "cost", "label": "Front in", "kind": "select",
         "options": [OF[key] for key in COSTS],
         "hints": ["Accuracy against multiply-accumulates", "Accuracy against parameters"]},
        {"name": "year", "label": "Up to", "kind": "step", "n": len(view.years), "value": last,
         "labels": L("year_s", "year"), "play": 3000},
        {"name": "pick", "label": "Network", "kind": "xy", "n": len(view.nets) + 1, "value": 0},
        {"name": "least", "label": "At least", "kind": "xy", "n": len(LEAST),
         "value": LEAST.index(70)},
    ]  # fmt: skip


def _tables(view: View) -> dict[str, Any]:
    """All tables, and those of corners, which are places less half a square."""
    found = {**view.tables(), **word_tables(view), **timeline_tables(len(view.years))}
    found["info"] = ["", *(info(net) for net in view.nets)]
    for name, half in (("px", 6.5), ("ix", 5.5), ("py", 6.5), ("iy", 5.5)):
        found[f"{name}_corner"] = _less(found[name], half)
    found["tick_text_y"] = _less(found["tick_y"], -6)
    found["grab_y"] = _less(found["least_y"], 12)
    return found


def _less(table: Any, half: float) -> Any:
    return [_less(v, half) for v in table] if isinstance(table, list) else round(table - half, 1)
