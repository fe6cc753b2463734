"""From a network's raw maps, or from pictures, to the boxes that it stands by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.detection.coding import YOLOV2, YOLOV3, YOLOV4_TINY, Coding, ScaleLike, decode
from lightcourse.detection.results import Detections
from lightcourse.detection.suppression import nms
from lightcourse.errors import UserError

# class of a network -> what the numbers of its maps mean
CODINGS = {"YOLOv2": YOLOV2, "YOLOv2Tiny": YOLOV2, "YOLOv4Tiny": YOLOV4_TINY}
AT_ONCE = 50  # pictures that run through the network together


def read_maps(
    maps: Sequence[Tensor],
    scales: Sequence[ScaleLike],
    coding: Coding = YOLOV3,
    *,
    threshold: float = 0.25,
    iou_threshold: float = 0.45,
    most: int = 300,
) -> list[Detections]:
    """Decode the raw maps of a batch, drop weak boxes and doubles: one `Detections` a picture.

    A box's score is its objectness times its best class, and that class is its label.
    threshold: the least score. iou_threshold: for `nms`, class by class. most: boxes a picture.

    >>> from lightcourse.detection.coding import Level
    >>> raw = torch.zeros(1, 7, 2, 2)
    >>> raw[0, 4:, 1, 0] = 9.0
    >>> read_maps([raw], [Level(8, ((8, 8),))], threshold=0.5)[0].boxes.tolist()
    [[0.0, 8.0, 8.0, 16.0]]
    """
    for what, value in (("threshold", threshold), ("iou_threshold", iou_threshold)):
        if not isinstance(value, int | float) or not 0 <= value <= 1:
            raise UserError(f"{what}={value!r} does not work; choose 0 to 1.")
    with torch.no_grad():
        found = decode(maps, scales, coding)
        classes = found.classes.softmax(-1) if coding.exclusive else found.classes.sigmoid()
        best, labels = classes.max(-1)
        scores = best * found.objectness.sigmoid()
    results = []
    for boxes, score, label in zip(found.boxes, scores, labels, strict=True):
        strong = torch.nonzero(score >= threshold)[:, 0]
        kept = strong[nms(boxes[strong], score[strong], iou_threshold, label[strong])][:most]
        results.append(Detections(boxes[kept], score[kept], label[kept]))
    return results


def detect(
    model: nn.Module,
    images: Tensor,
    *,
    coding: Coding | None = None,
    threshold: float = 0.25,
    iou_threshold: float = 0.45,
) -> list[Detections]:
    """Run a detector on pictures (N, 3, H, W): one `Detections` a picture, boxes in its pixels.

    model: one whose `forward` gives raw maps and whose `scales` tell them apart: `TinyDetector`,
    `create_model("yolov4_tiny")` and the other YOLOs. images: uint8, which `prepare` turns into
    numbers, or floats as the model wants them. coding: what the maps mean; known for our own.
    The model keeps its mode and its device; batch norm uses what it learnt.

    >>> from lightcourse.detection.tiny import TinyDetector
    >>> len(detect(TinyDetector(), torch.zeros(2, 3, 96, 96, dtype=torch.uint8)))
    2
    """
    scales = scales_of(model)
    meant = coding_of(model) if coding is None else coding
    if not isinstance(images, Tensor) or images.dim() != 4:
        raise UserError("detect takes pictures (N, 3, H, W); one picture is image[None].")
    first = next(chain(model.parameters(), model.buffers()), torch.zeros(()))
    training, found = model.training, []
    model.eval()
    try:
        for some in images.split(AT_ONCE):
            with torch.no_grad():
                maps = model(prepare(some.to(first.device)))
            found += read_maps(
                maps, scales, meant, threshold=threshold, iou_threshold=iou_threshold
            )
    finally:
        model.train(training)
    return found


def prepare(images: Tensor) -> Tensor:
    """Turn bytes into floats from -2 to 2, side by side per place; floats pass.

    >>> prepare(torch.tensor([[[[0]], [[255]]]], dtype=torch.uint8)).flatten().tolist()
    [-2.0, 2.0]
    """
    if images.dtype != torch.uint8:
        return images
    floats = images.to(torch.float32, memory_format=torch.channels_last)
    return floats.mul_(4 / 255).sub_(2)


def scales_of(model: Any) -> Sequence[ScaleLike]:
    """Return a detector's scales; refuse what is none."""
    scales = getattr(model, "scales", None)
    fits = scales and all(hasattr(s, "stride") and hasattr(s, "anchors") for s in scales)
    if not isinstance(model, nn.Module) or not fits:
        raise UserError(
            "a detector is a module with `scales`, the stride and the anchors of each of its maps, "
            f"such as TinyDetector(); this is {type(model).__name__}."
        )
    return scales  # pyright: ignore[reportReturnType]


def coding_of(model: nn.Module) -> Coding:
    """Return what a detector's maps mean: its own `coding`, or that of its version of YOLO."""
    if type(model).__name__ == "YOLOv4":
        raise UserError(
            "the three heads of YOLOv4 reach differently far out of their cells (1.2, 1.1, 1.05); "
            "decode them one by one, each with its own Coding(reach=...)."
        )
    return getattr(model, "coding", None) or CODINGS.get(type(model).__name__, YOLOV3)
