"""Mean average precision: how good a detector's boxes are, by the rules of VOC and of COCO."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lightcourse.detection._matching import MATCHINGS, RIGHT, UNCOUNTED, WRONG, Group, shares
from lightcourse.detection.results import Detections, Objects
from lightcourse.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
# name -> points at which the curve is read ("all": every one it has), rule for right boxes
METHODS = {"coco": (101, "coco"), "voc07": (11, "voc"), "voc": ("all", "voc")}
COCO_THRESHOLDS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))
SIZES = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}


@dataclass(frozen=True, eq=False)
class Curve:
    """Precision against recall of one class at one IoU threshold, from the best score down."""

    label: int
    threshold: float
    objects: int  # that can be found
    scores: Floats
    recall: Floats
    precision: Floats
    ap: float  # nan where there is nothing to find


@dataclass(frozen=True, eq=False)
class MeanAveragePrecision:
    """The result of `mean_average_precision`: prints, draws, and shows itself in a notebook."""

    classes: tuple[str, ...]
    thresholds: tuple[float, ...]
    method: str
    curves: tuple[Curve, ...]  # threshold by threshold, class by class

    @property
    def map(self) -> float:
        """Mean over thresholds and over classes with objects; nan where no class has one."""
        return _mean([curve.ap for curve in self.curves])

    def at(self, threshold: float) -> float:
        """Mean over the classes at one of the IoU thresholds."""
        if threshold not in self.thresholds:
            raise UserError(f"IoU {threshold!r} was not asked for, only {self.thresholds}.")
        return _mean([curve.ap for curve in self.curves if curve.threshold == threshold])

    def per_class(self) -> dict[str, float]:
        """Return each class's mean over the thresholds; nan for one without objects."""
        return {
            name: _mean([curve.ap for curve in self.curves if curve.label == label])
            for label, name in enumerate(self.classes)
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain data; None where there is nothing to find."""
        plain = {name: None if math.isnan(ap) else ap for name, ap in self.per_class().items()}
        whole = None if math.isnan(self.map) else self.map
        return {"map": whole, "method": self.method, "thresholds": self.thresholds, "ap": plain}

    def __str__(self) -> str:
        spread = f"{self.thresholds[0]:g}"
        if len(self.thresholds) > 1:
            spread += f" to {self.thresholds[-1]:g}"
        own = ", ".join(f"{name} {_shown(ap)}" for name, ap in self.per_class().items())
        return f"mAP {_shown(self.map)} at IoU {spread} ({self.method}): {own}"

    __repr__ = __str__

    def figure(self) -> Figure:
        """Draw precision against recall, a line per class, at the first threshold."""
        from lightcourse.detection._figures import draw_curves

        return draw_curves(self)

    def _repr_html_(self) -> str:
        from lightcourse.detection._figures import score_page

        return score_page(self)


def mean_average_precision(
    found: Sequence[Detections],
    truth: Sequence[Objects],
    classes: Sequence[str] | int,
    *,
    thresholds: Sequence[float] | float = 0.5,
    method: str = "coco",
    matching: str | None = None,
    size: str | tuple[float, float] | None = None,
    most: int = 100,
) -> MeanAveragePrecision:
    """Compare found boxes with the objects of the same pictures.

    Args:
        found, truth: one entry a picture, in the same order.
        classes: their names, or how many.
        thresholds: the IoU from which a box is right; `COCO_THRESHOLDS` for COCO's ten.
        method: "coco" reads the curve at 101 recalls, "voc07" at 11, "voc" takes its whole area.
        matching: "coco": a box takes the best object that is still free. "voc": a box speaks of
            the object it overlaps most, and is wrong when that is taken. As the method by default.
        size: only objects of this area in square pixels, (least, most) or "small" (to 32²),
            "medium", "large" (from 96²); others are treated as difficult.
        most: boxes a picture and class that are looked at, the best first.

    What is defined where nothing is: a class without objects has nan and does not enter the mean;
    a class with objects and without boxes has 0; boxes of equal score count in the order of the
    pictures, and in a picture in the order given.

    Raises `UserError` where the two lists do not fit, or labels have no class.

    >>> boxes, label = torch.tensor([[0.0, 0, 4, 2]]), torch.tensor([0])
    >>> score = mean_average_precision(
    ...     [Detections(boxes, torch.tensor([0.9]), label)], [Objects(boxes, label)], ["disc"])
    >>> score
    mAP 1.000 at IoU 0.5 (coco): disc 1.000
    """
    names = tuple(map(str, range(classes))) if isinstance(classes, int) else tuple(classes)
    limits = (thresholds,) if isinstance(thresholds, int | float) else tuple(thresholds)
    if method not in METHODS:
        raise UserError(f"there is no method {method!r}; choose one of {', '.join(METHODS)}.")
    points, rule = METHODS[method]
    if (matching or rule) not in MATCHINGS:
        raise UserError(f"there is no matching {matching!r}; choose coco or voc.")
    _check(found, truth, names, limits)
    span = SIZES[size] if isinstance(size, str) and size in SIZES else size
    if isinstance(span, str):
        raise UserError(f"there is no size {size!r}; choose one of {', '.join(SIZES)}.")
    curves: dict[tuple[int, int], Curve] = {}
    for label in range(len(names)):
        groups = [_group(f, t, label, span, most) for f, t in zip(found, truth, strict=True)]
        shared = [shares(group) for group in groups]
        for place, limit in enumerate(limits):
            match = MATCHINGS[matching or rule]
            pairs = zip(groups, shared, strict=True)
            hits = [[hit for hit, _ in match(group, own, limit)] for group, own in pairs]
            curves[place, label] = _curve(label, limit, groups, hits, points)
    return MeanAveragePrecision(names, limits, method, tuple(curves[k] for k in sorted(curves)))


class Verdicts(NamedTuple):
    """What becomes of each found box of one picture, and of each object."""

    right: Tensor  # (N,) 1 right, 0 wrong, -1 counted neither way
    object: Tensor  # (N,) the object that the box speaks of, -1 where there is none


def judge(
    found: Detections, truth: Objects, threshold: float = 0.5, matching: str = "coco"
) -> Verdicts:
    """Say of every found box of one picture whether it is right at this IoU; see `matching` above.

    A verdict does not depend on boxes with lower scores, so it holds for every score threshold.

    >>> boxes, label = torch.tensor([[0.0, 0, 4, 2]]), torch.tensor([0])
    >>> judge(Detections(boxes, torch.tensor([0.9]), label), Objects(boxes, label)).right.tolist()
    [1]
    """
    if matching not in MATCHINGS or not 0 < threshold <= 1:
        raise UserError("matching is coco or voc, and the threshold an IoU above 0 and up to 1.")
    right, meant = (torch.full((len(found),), -1) for _ in range(2))
    for label in found.labels.unique().tolist():
        own, there = torch.nonzero(found.labels == label)[:, 0], truth.labels == label
        group = _group(found, truth, label, None, len(found))
        places = own[found.scores[own].argsort(descending=True, stable=True)]
        numbers = torch.nonzero(there)[:, 0].tolist()
        for place, (hit, which) in zip(
            places.tolist(), MATCHINGS[matching](group, shares(group), threshold), strict=True
        ):
            right[place], meant[place] = hit, numbers[which] if which >= 0 else -1
    return Verdicts(right, meant)


def average_precision(recall: Floats, precision: Floats, points: int | str = 101) -> float:
    """Area under a precision–recall curve, with precision made to fall as recall grows.

    recall: growing, from the best score down. points: 11 (VOC 2007) and 101 (COCO) read the curve
    at so many recalls from 0 to 1; "all" (VOC 2010) takes every step of it.

    >>> round(average_precision(np.array([0.5, 0.5, 1.0]), np.array([1.0, 0.5, 2 / 3]), "all"), 4)
    0.8333
    """
    if points != "all" and (type(points) is not int or points < 2):
        raise UserError(f"points is 11, 101, another whole number, or 'all', not {points!r}.")
    best = np.maximum.accumulate(np.append(precision, 0.0)[::-1])[::-1]  # at this recall or above
    if points == "all":
        return float((np.diff(recall, prepend=0.0) * best[:-1]).sum())
    levels = np.arange(int(points)) / (int(points) - 1)
    if (
        points == 101
    ):  # with the roundings of pycocotools, where level 35 lies a hair above 35 / 100
        levels = np.linspace(0, 1, 101)
    where = np.searchsorted(recall, levels, side="left")
    return float(best[where].mean())


def _curve(
    label: int, limit: float, groups: list[Group], hits: list[list[int]], points: int | str
) -> Curve:
    scores = np.concatenate([group.scores for group in groups])
    hit = np.concatenate([np.asarray(own, int) for own in hits])
    order = np.argsort(-scores, kind="stable")
    order = order[hit[order] != UNCOUNTED]
    right, wrong = np.cumsum(hit[order] == RIGHT), np.cumsum(hit[order] == WRONG)
    objects = int(sum((~group.ignored).sum() for group in groups))
    recall = right / max(objects, 1)
    precision = right / np.maximum(right + wrong, 1)
    ap = average_precision(recall, precision, points) if objects else math.nan
    return Curve(label, limit, objects, scores[order], recall, precision, ap)


def _group(
    found: Detections, truth: Objects, label: int, span: tuple[float, float] | None, most: int
) -> Group:
    mine = (found.labels == label).cpu().numpy()
    boxes = found.boxes.detach().cpu().double().numpy()[mine]
    scores = found.scores.detach().cpu().double().numpy()[mine]
    order = np.argsort(-scores, kind="stable")[:most]
    there = (truth.labels == label).cpu().numpy()
    objects = truth.boxes.detach().cpu().double().numpy()[there]
    assert truth.crowd is not None and truth.difficult is not None
    crowd = truth.crowd.cpu().numpy()[there]
    ignored = truth.difficult.cpu().numpy()[there] | crowd | _outside(objects, span)
    return Group(boxes[order], scores[order], objects, ignored, crowd, _outside(boxes[order], span))


def _outside(boxes: Floats, span: tuple[float, float] | None) -> NDArray[np.bool_]:
    if span is None:
        return np.zeros(len(boxes), bool)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return (area < span[0]) | (area > span[1])


def _check(
    found: Sequence[Detections],
    truth: Sequence[Objects],
    names: tuple[str, ...],
    limits: tuple[float, ...],
) -> None:
    if len(found) != len(truth) or not len(truth):
        raise UserError(
            f"found and truth are of the same pictures, at least one, not {len(found)} and "
            f"{len(truth)}."
        )
    for part, kind in ((found, Detections), (truth, Objects)):
        for one in part:
            if not isinstance(one, kind):
                raise UserError(f"a picture's boxes are {kind.__name__}(...), not {one!r}.")
            if len(one) and not 0 <= int(one.labels.min()) <= int(one.labels.max()) < len(names):
                raise UserError(
                    f"labels count the {len(names)} classes from 0; one is "
                    f"{int(one.labels.min())} or {int(one.labels.max())}."
                )
    if not limits or not all(0 < limit <= 1 for limit in limits):
        raise UserError(f"thresholds are IoUs above 0 and up to 1, not {limits!r}.")


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _shown(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"
