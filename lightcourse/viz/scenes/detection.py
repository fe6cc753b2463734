"""Boxes and their judge (目标检测): two thresholds, right and wrong boxes, precision and recall."""

from typing import Any

from ..scene import L, Scene
from . import _det_words as words
from ._det_log import own, shipped
from ._det_marks import marks_of
from ._det_view import HEIGHT, IOUS, SCORES, WIDTH, View


def detection(model: Any = None, part: Any = None) -> Scene:
    """Build the scene; see `lightcourse.viz.detection`.

    Raises:
        UserError: they are no detector and no scenes.

    >>> detection().at(score=9, iou=2).caption()[:38]
    'Score at least 0.50, IoU at least 0.5:'
    """
    view = View(shipped() if model is None else own(model, part), own=model is not None)
    tables = {**view.tables(), **words.tables(view)}
    spec = {
        "v": 1,
        "id": "detection",
        "title": "When is a box right?",
        "subtitle": "drag the score that a box needs, and the IoU that makes it right",
        "alt": "A picture with found boxes, right and wrong ones, and the objects in dashed frames;"
        " beside it precision against recall of the chosen class with a dot at the present score",
        "size": [WIDTH, HEIGHT],
        "dur": 200,
        "params": _params(view),
        "tables": tables,
        "pool": list(view.pool),
        "marks": marks_of(view),
        "caption": words.caption(view),
        "code": words.code(),
    }
    return Scene.of(spec if view.own else {**spec, "ask": words.question(view)})


def _params(view: View) -> list[dict[str, Any]]:
    pictures = [str(number + 1) for number in range(len(view.shown))]
    return [
        {"name": "pic", "label": "Picture", "kind": "select", "value": 0, "options": pictures,
         "hints": [f"Picture {index} of the {len(view.log.truth)}" for index in view.shown]},
        {"name": "cls", "label": "Curve of", "kind": "select", "value": 0,
         "options": list(view.log.classes)},
        {"name": "iou", "label": "IoU", "kind": "range", "n": len(IOUS), "value": words.START,
         "labels": L("iou_s", "iou")},
        {"name": "score", "label": "Score", "kind": "step", "n": len(SCORES),
         "value": SCORES.index(0.3), "labels": L("score_s", "score"), "play": 600},
    ]  # fmt: skip
