"""What a detector is trained on: which place answers for which object, and how wrong it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from lightcourse.detection.boxes import KINDS, area, convert, overlap
from lightcourse.detection.coding import (
    YOLOV3,
    Coding,
    Places,
    ScaleLike,
    boxes_of,
    codes_of,
    flatten_maps,
    places_of,
)
from lightcourse.errors import UserError

BOX_LOSSES = (*KINDS, "coded")


class Truth(NamedTuple):
    """The objects of N pictures, padded to equal number: a class of -1 is no object."""

    boxes: Tensor  # (N, K, 4) xyxy, pixels
    labels: Tensor  # (N, K) whole numbers


class DetectionLoss(NamedTuple):
    """A loss and its three parts, each already weighted; `total` is their sum."""

    total: Tensor
    box: Tensor
    objectness: Tensor
    classes: Tensor


class Assignment(NamedTuple):
    """Which places answer for an object, (P,) each: picture, place, and the object's number."""

    picture: Tensor
    place: Tensor
    object: Tensor


def pad_truth(objects: Sequence[tuple[Tensor, Tensor]]) -> Truth:
    """Stack the (boxes (k, 4), labels (k,)) of several pictures, padded with class -1.

    >>> one, none = torch.ones(1, 4), torch.empty(0, 4)
    >>> pad_truth([(one, torch.tensor([2])), (none, torch.tensor([]))]).labels.tolist()
    [[2], [-1]]
    """
    most = max((len(labels) for _, labels in objects), default=0)
    boxes, labels = torch.zeros(len(objects), most, 4), torch.full((len(objects), most), -1)
    for index, (own, classes) in enumerate(objects):
        boxes[index, : len(own)], labels[index, : len(own)] = own, classes.long()
    return Truth(boxes, labels)


def shape_iou(sizes: Tensor, anchors: Tensor) -> Tensor:
    """IoU of (N, 2) and (M, 2) widths and heights laid on one corner: (N, M).

    >>> shape_iou(torch.tensor([[2.0, 2.0]]), torch.tensor([[2.0, 2.0], [4.0, 4.0]])).tolist()
    [[1.0, 0.25]]
    """
    return overlap(F.pad(sizes, (2, 0))[:, None], F.pad(anchors, (2, 0))[None])


def assign(
    truth: Truth,
    scales: Sequence[ScaleLike],
    shapes: Sequence[tuple[int, int]],
    also: float = 1.0,
) -> Assignment:
    """Give each object to the cell that holds its middle, and there to the anchor most like it.

    YOLOv3, arXiv 1804.02767, section 2.1: one anchor an object, over all scales. `also` adds
    every anchor whose shape has at least this IoU (YOLOv4 does so). Where two objects want one
    place, the smaller gets it.

    >>> from lightcourse.detection.coding import Level
    >>> truth = pad_truth([(torch.tensor([[2.0, 2, 12, 12]]), torch.tensor([0]))])
    >>> assign(truth, [Level(8, ((10, 10), (30, 30)))], [(4, 4)]).place.tolist()
    [0]
    """
    picture, number = torch.nonzero(truth.labels >= 0, as_tuple=True)
    boxes = truth.boxes[picture, number]
    order = area(boxes).argsort(descending=True, stable=True)  # later ones win
    picture, number, boxes = picture[order], number[order], boxes[order]
    middle = convert(boxes, "xyxy", "cxcywh")
    anchors = boxes.new_tensor([a for scale in scales for a in scale.anchors])
    alike = shape_iou(middle[:, 2:], anchors)
    chosen = alike >= also
    if len(boxes):
        chosen[torch.arange(len(boxes)), alike.argmax(1)] = True
    one, which = torch.nonzero(chosen, as_tuple=True)
    place, total = _place_of(middle[one, :2], which, scales, shapes)
    owner = torch.full((len(truth.labels) * total,), -1, device=boxes.device)
    owner.scatter_reduce_(0, picture[one] * total + place, one, "amax")
    taken = torch.nonzero(owner >= 0)[:, 0]
    return Assignment(picture[owner[taken]], taken % total, number[owner[taken]])


def _place_of(
    middle: Tensor,
    which: Tensor,
    scales: Sequence[ScaleLike],
    shapes: Sequence[tuple[int, int]],
) -> tuple[Tensor, int]:
    """Return the place of each (middle, anchor) and how many places there are."""
    rows, start = [], 0
    for scale, (height, width) in zip(scales, shapes, strict=True):
        count = len(scale.anchors)
        rows += [(scale.stride, height, width, count, start + a) for a in range(count)]
        start += height * width * count
    stride, height, width, count, first = which.new_tensor(rows)[which].unbind(1)
    column, row = (middle / stride[:, None]).long().unbind(1)
    column = torch.minimum(column.clamp(min=0), width - 1)
    row = torch.minimum(row.clamp(min=0), height - 1)
    return first + (row * width + column) * count, start


def yolo_loss(
    maps: Sequence[Tensor],
    truth: Truth,
    scales: Sequence[ScaleLike],
    coding: Coding = YOLOV3,
    *,
    box: str = "ciou",
    also: float = 1.0,
    ignore: float = 0.5,
    weights: tuple[float, float, float] = (2.0, 1.0, 1.0),
) -> DetectionLoss:
    """Say how wrong raw maps are: boxes, objectness, classes, each per object.

    Args:
        maps, scales, coding: as for `decode`. truth: the pictures' objects, see `pad_truth`.
        box: "coded" compares codes as YOLOv2 and v3 do, small boxes weighted up to twice; the
            others are 1 - IoU of that kind.
        also: see `assign`. ignore: a place without an object whose box overlaps one more than
            this is not told to be empty (v3, section 2.1).
        weights: of boxes, objectness and classes.

    Raises `UserError` for another box loss.

    >>> from lightcourse.detection.coding import Level
    >>> truth = pad_truth([(torch.tensor([[2.0, 2, 12, 12]]), torch.tensor([0]))])
    >>> loss = yolo_loss([torch.zeros(1, 7, 4, 4)], truth, [Level(8, ((10, 10),))])
    >>> round(loss.classes.item(), 4), loss.total == loss.box + loss.objectness + loss.classes
    (0.6931, tensor(True))
    """
    if box not in BOX_LOSSES:
        raise UserError(f"there is no box loss {box!r}; choose one of {', '.join(BOX_LOSSES)}.")
    flat = flatten_maps(maps, scales)
    shapes = [(raw.shape[2], raw.shape[3]) for raw in maps]
    places = places_of(scales, shapes, flat)
    found = assign(truth, scales, shapes, also)
    boxes = boxes_of(flat[..., :4], places, coding)
    count = max(1, len(found.place))
    own, wanted = flat[found.picture, found.place], truth.boxes[found.picture, found.object]
    if box == "coded":
        at = Places(*(part[found.place] for part in places))
        wrong = _coded(own[:, :4], wanted, at, coding).sum() / count
    else:
        wrong = (1 - overlap(boxes[found.picture, found.place], wanted, box)).sum() / count
    empty = _objectness(flat[..., 4], boxes.detach(), truth, found, ignore) / count
    labels = truth.labels[found.picture, found.object]
    kind = _classes(own[:, 5:], labels, coding) / count
    parts = [weight * part for weight, part in zip(weights, (wrong, empty, kind), strict=True)]
    return DetectionLoss(parts[0] + parts[1] + parts[2], *parts)


def _coded(codes: Tensor, wanted: Tensor, places: Places, coding: Coding) -> Tensor:
    """Squared differences of codes, (P, 4): σ(t) for middles, t for sizes."""
    target = codes_of(wanted, places, coding)
    size = wanted[:, 2:] - wanted[:, :2]
    # a pixel matters more in a small box; the largest anchor's area counts as the whole picture
    small = 2 - (size.prod(1) / places.anchor.prod(1).max()).clamp(max=1)
    middle = codes[:, :2].sigmoid() - target[:, :2].sigmoid()
    return small[:, None] * torch.cat([middle, codes[:, 2:] - target[:, 2:]], 1).square()


def _objectness(
    logits: Tensor, boxes: Tensor, truth: Truth, found: Assignment, ignore: float
) -> Tensor:
    target = torch.zeros_like(logits)
    target[found.picture, found.place] = 1
    near = overlap(boxes[:, :, None], truth.boxes[:, None])
    near = torch.where(truth.labels[:, None] >= 0, near, 0.0)
    spared = F.pad(near, (0, 1)).amax(-1) > ignore
    counted = (target > 0) | ~spared
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (loss * counted).sum()


def _classes(logits: Tensor, labels: Tensor, coding: Coding) -> Tensor:
    if coding.exclusive:
        return F.cross_entropy(logits, labels, reduction="sum")
    target = F.one_hot(labels, logits.shape[1]).to(logits)
    return F.binary_cross_entropy_with_logits(logits, target, reduction="sum") / logits.shape[1]


def focal_loss(
    logits: Tensor, target: Tensor, gamma: float = 2.0, alpha: float | None = 0.25
) -> Tensor:
    """Binary cross-entropy that counts easy answers little, element by element, not summed.

    Focal loss, arXiv 1708.02002, eq. 5: -α_t · (1 - p_t)^γ · log p_t. gamma=0 and alpha=None are
    plain cross-entropy. logits and target: any one shape; target from 0 to 1.
    Raises `UserError` for shapes that differ and a gamma below 0.

    >>> loss = focal_loss(torch.tensor([0.0]), torch.tensor([1.0]), alpha=None)
    >>> round(loss.item() / 0.5**2, 4)
    0.6931
    """
    if logits.shape != target.shape:
        raise UserError(
            f"logits {tuple(logits.shape)} and target {tuple(target.shape)} are of one shape."
        )
    if gamma < 0 or (alpha is not None and not 0 <= alpha <= 1):
        raise UserError(f"gamma is 0 or more, alpha from 0 to 1: not {gamma!r} and {alpha!r}.")
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    p = logits.sigmoid()
    wrong = p * (1 - target) + (1 - p) * target
    if alpha is not None:
        loss = loss * (alpha * target + (1 - alpha) * (1 - target))
    return loss * wrong**gamma
