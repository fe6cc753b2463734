"""ReLU on a flat manifold (流形): a spiral up into n dimensions, through ReLU, and back.

MobileNetV2 (arXiv 1801.04381), section 3.2 and figure 1.
"""

from typing import Any

from ..scene import L, Scene
from . import _man_words as words
from ._man_marks import marks_of
from ._man_numbers import ACTIVATIONS
from ._man_view import HEIGHT, READS, WIDTH, View


def manifold(matrix: Any = None) -> Scene:
    """Build the scene; see `lightcourse.viz.manifold`.

    Raises:
        UserError: `matrix` has not two columns and 2 to 30 rows that reach both dimensions.

    >>> manifold().at(step=5).caption()[:15]
    'Nothing is lost'
    """
    view = View(matrix)
    spec = {
        "v": 1,
        "id": "manifold",
        "title": "What ReLU leaves of a spiral",
        "subtitle": "up into n dimensions by T, through the activation, and back by a linear map",
        "alt": "A spiral at the left, what came back of it in the middle, and at the right the"
        " share of lost points and two errors against the number of dimensions n, as medians and"
        " middle halves over many draws",
        "size": [WIDTH, HEIGHT],
        "dur": 600,
        "params": _params(view),
        "derive": {"a": L("row", "act", "step", "seed"), "z": L("z_of", "a", "read")},
        "tables": {**view.tables(), "chosen": [["c1", "none"], ["none", "c3"]]},
        "marks": marks_of(view),
        "caption": words.caption(),
        "code": words.code(view.own),
    }
    if not view.own:
        spec["ask"] = words.question()
    return Scene.of(spec)


def _params(view: View) -> list[dict[str, Any]]:
    reads = ["T⁺ undoes T, as in MobileNetV2's figure 1",
             "the linear map with the least error on these points"]  # fmt: skip
    draws = [f"T as torch.manual_seed({name}) draws it" for name in view.names]
    return [
        {"name": "act", "label": "Activation", "kind": "select", "value": 0,
         "options": [act.name for act in ACTIVATIONS]},
        {"name": "read", "label": "Back by", "kind": "select", "value": 0,
         "options": list(READS), "hints": reads},
        {"name": "seed", "label": "T, seed", "kind": "select", "value": 0,
         "options": list(view.names), "hints": ["your T"] if view.own else draws},
        {"name": "step", "label": "n", "kind": "step", "n": len(view.ns), "value": 0,
         "labels": L("n", "step"), "play": 1800},
    ]  # fmt: skip
