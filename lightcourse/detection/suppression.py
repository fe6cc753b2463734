"""Of boxes that overlap keep the best: non-maximum suppression, hard and soft."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lightcourse._torchvision import import_torchvision, status
from lightcourse.detection.boxes import check_boxes, overlap
from lightcourse.errors import UserError

OPERATORS = ("auto", "ours", "torchvision")


def nms(
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float = 0.5,
    classes: Tensor | None = None,
    operator: str = "auto",
) -> Tensor:
    """Keep the best box, drop those that overlap it too much, go on with the rest.

    Args:
        boxes, scores: (N, 4) xyxy and (N,). Of equal scores the earlier box comes first.
        iou_threshold: a box goes when its IoU with a kept one is above; at it, it stays.
        classes: (N,) whole numbers; a box can only drop one of its own class.
        operator: "ours" is the loop below; "torchvision" its compiled operator; "auto" takes
            that where torchvision has it whole. Both keep the same boxes in the same order.

    Returns: (K,) which boxes stay, the best first.
    Raises `UserError` for shapes that do not fit and thresholds outside 0 to 1.

    >>> boxes = torch.tensor([[0.0, 0, 10, 10], [1.0, 0, 11, 10], [20.0, 0, 30, 10]])
    >>> nms(boxes, torch.tensor([0.8, 0.9, 0.7])).tolist()
    [1, 2]
    """
    boxes, scores = _check(boxes, scores, iou_threshold, classes)
    if operator not in OPERATORS:
        raise UserError(f"there is no operator {operator!r}; choose one of {', '.join(OPERATORS)}.")
    ready = operator == "torchvision" or (operator == "auto" and status() == "native")
    one = _torchvision_nms if ready else _greedy
    if classes is None:
        return one(boxes, scores, iou_threshold)
    kept = [
        where[one(boxes[where], scores[where], iou_threshold)]
        for where in (torch.nonzero(classes == c)[:, 0] for c in classes.unique())
    ]
    found = torch.cat(kept).sort().values if kept else classes.new_empty(0, dtype=torch.long)
    return found[scores[found].argsort(descending=True, stable=True)]


def _greedy(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    where, boxes = boxes.device, boxes.cpu()  # many small steps: no work for a GPU
    waiting = scores.cpu().argsort(descending=True, stable=True)
    kept = []
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        # doubles: 1/3 as float32 is above 1/3, and torchvision's CPU operator compares so as well
        waiting = waiting[overlap(boxes[best], boxes[waiting]).double() <= iou_threshold]
    return (torch.stack(kept) if kept else waiting).to(where)


def _torchvision_nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    import_torchvision()
    return torch.ops.torchvision.nms(boxes, scores, iou_threshold)


def soft_nms(
    boxes: Tensor,
    scores: Tensor,
    *,
    sigma: float = 0.5,
    iou_threshold: float | None = None,
    least: float = 0.001,
) -> tuple[Tensor, Tensor]:
    """Lower the scores of boxes that overlap a better one, in place of dropping them.

    Soft-NMS, arXiv 1704.04503, section 3: score · e^(-IoU² / sigma); with an `iou_threshold`
    its other form, score · (1 - IoU) for an IoU at or above it. Boxes below `least` go.

    Returns: (K,) which boxes stay and (K,) their new scores, the best first.

    >>> boxes = torch.tensor([[0.0, 0, 10, 10], [1.0, 0, 11, 10], [20.0, 0, 30, 10]])
    >>> kept, scores = soft_nms(boxes, torch.tensor([0.8, 0.9, 0.7]))
    >>> kept.tolist(), [round(s, 3) for s in scores.tolist()]
    ([1, 2, 0], [0.9, 0.7, 0.21])
    """
    boxes, scores = _check(boxes, scores, 0.0 if iou_threshold is None else iou_threshold, None)
    if not sigma > 0:
        raise UserError(f"sigma={sigma!r} does not work; give a number above 0, such as 0.5.")
    now, waiting = scores.clone(), torch.arange(len(scores), device=scores.device)
    kept, values = [waiting[:0]], [scores[:0]]
    while len(waiting):
        first = now[waiting].argmax()  # of equal ones the earliest
        best = waiting[first]
        kept.append(best[None])
        values.append(now[best][None])
        waiting = torch.cat([waiting[:first], waiting[first + 1 :]])
        shared = overlap(boxes[best], boxes[waiting])
        if iou_threshold is None:
            factor = (-shared.square() / sigma).exp()
        else:
            factor = torch.where(shared >= iou_threshold, 1 - shared, 1.0)
        now[waiting] = now[waiting] * factor
        waiting = waiting[now[waiting] >= least]
    return torch.cat(kept), torch.cat(values)


def _check(
    boxes: Tensor, scores: Tensor, iou_threshold: float, classes: Tensor | None
) -> tuple[Tensor, Tensor]:
    boxes = check_boxes(boxes, dim=2)
    for name, given in (("scores", scores), ("classes", classes)):
        if given is not None and given.shape != boxes.shape[:1]:
            raise UserError(
                f"{name} are one number a box, ({len(boxes)},), not {tuple(given.shape)}."
            )
    if not scores.is_floating_point() or scores.isnan().any():
        raise UserError("scores are numbers with a fraction, and none of them is nan.")
    number = isinstance(iou_threshold, int | float) and math.isfinite(iou_threshold)
    if not number or not 0 <= iou_threshold <= 1:
        raise UserError(f"iou_threshold={iou_threshold!r} does not work; choose 0 to 1.")
    return boxes.detach(), scores.detach()
