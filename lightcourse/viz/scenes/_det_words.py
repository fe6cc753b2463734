"""What the detection scene says: captions, counts, code and question, from the current numbers."""

import math
from typing import TYPE_CHECKING, Any

from ..scene import J, L
from ._det_view import IOUS, SCORES

if TYPE_CHECKING:
    from ._det_view import View

TIGHT = IOUS.index(0.8)  # the question's threshold
START = IOUS.index(0.5)
ANSWERS = (
    "about the same, within 0.05",
    "falls, and keeps at least half",
    "falls to less than half",
)


def tables(view: "View") -> dict[str, Any]:
    """Return the tables of all words."""
    kinds = range(len(view.log.classes))
    counts = view.counts
    return {
        "name": list(view.log.classes),
        "score_s": [f"{score:.2f}" for score in SCORES],
        "iou_s": [f"{iou:g}" for iou in IOUS],
        "total": [str(view.total(c)) for c in kinds],
        "right": counts[..., 0].astype(str).tolist(),
        "wrong": counts[..., 1].astype(str).tolist(),
        "missed": [(view.total(c) - counts[c, ..., 0]).astype(str).tolist() for c in kinds],
        "precision": [[[ratio(r, r + w) for r, w in row] for row in table] for table in counts],
        "recall": [[[ratio(r, view.total(c)) for r, _ in row] for row in counts[c]] for c in kinds],
        "ap": [[number(curve.ap) for curve in row] for row in view.curves],
        "map": [number(mean(view, iou)) for iou in range(len(IOUS))],
    }


def mean(view: "View", iou: int) -> float:
    """Mean AP over the classes that have objects."""
    values = [row[iou].ap for row in view.curves if row[iou].objects]
    return sum(values) / len(values) if values else math.nan


def ratio(part: int, whole: int) -> str:
    """Return a share in two digits, a dash where there is nothing to share.

    >>> ratio(3, 4), ratio(0, 0)
    ('0.75', '–')
    """
    return f"{part / whole:.2f}" if whole else "–"


def number(value: float) -> str:
    """Return an AP.

    >>> number(0.25), number(math.nan)
    ('0.250', '–')
    """
    return "–" if math.isnan(value) else f"{value:.3f}"


def caption(view: "View") -> dict[str, Any]:
    """Return the caption: counts at both thresholds, precision and recall, AP."""
    keys = ("cls", "iou", "score")
    return J(
        "Score at least ", L("score_s", "score"), ", IoU at least ", L("iou_s", "iou"),
        f": in {len(view.log.truth)} pictures **", L("right", *keys), " of ", L("total", "cls"),
        "** objects of class ", L("name", "cls"), " are found, ", L("missed", *keys),
        " missed, and ", L("wrong", *keys), " boxes are wrong: precision **",
        L("precision", *keys), "**, recall **", L("recall", *keys),
        "**. The score moves the dot along the curve; the IoU changes the curve: AP ",
        L("ap", "cls", "iou"), ".",
    )  # fmt: skip


def code() -> dict[str, Any]:
    """Return the lines that count this state."""
    return J(
        "from lightcourse.detection import detect, evaluate_detector, judge, scenes\n\n"
        "part = scenes().test  # model is a trained TinyDetector\n"
        "found = detect(model, part.images, threshold=", L("score_s", "score"), ")\n"
        "verdict = judge(found[0], part.objects(0), threshold=", L("iou_s", "iou"), ")\n"
        "print(verdict.right)  # 1 right, 0 wrong\n"
        "print(evaluate_detector(model, part, thresholds=", L("iou_s", "iou"), "))  # AP and mAP",
    )  # fmt: skip


def question(view: "View") -> dict[str, Any]:
    """Return the prediction: what stricter boxes do to the mAP."""
    loose, tight = mean(view, START), mean(view, TIGHT)
    answer = 0 if loose - tight <= 0.05 else 1 if tight >= loose / 2 else 2
    told = f"From IoU 0.5 to 0.8 the mAP goes from {loose:.3f} to {tight:.3f}."
    why = "The same boxes with the same scores: only what counts as right has changed."
    return {
        "q": "The boxes stay, but a right one must overlap its object by 0.8 in place of 0.5. What"
        " becomes of the mAP?",
        "options": list(ANSWERS),
        "answer": answer,
        "replies": [f"{told} {why}"] * 3,
        "param": "iou",
        "from": START + 1,
    }
