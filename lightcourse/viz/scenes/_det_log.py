"""What a half-trained detector found in the first test scenes, and what is really there."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lightcourse.detection import (
    Detections,
    Objects,
    Scenes,
    TinyDetector,
    detect,
    fit_detector,
    scenes,
)
from lightcourse.errors import UserError

FILE = Path(__file__).with_name("_det_found.json")
PICTURES = 60  # that precision and recall are counted over
EPOCHS = 4  # of the log's training: enough to find most, few enough to err
LEAST = 0.05  # score of the weakest box that is kept
CLASSES = 8  # that there is room for
MOST = 12  # boxes a picture that are kept, the best


@dataclass(frozen=True)
class Log:
    """Pictures, the objects in them, and the boxes that a detector found."""

    images: Tensor  # (N, 3, H, W) uint8
    truth: list[Objects]
    found: list[Detections]
    classes: tuple[str, ...]


@cache
def shipped() -> Log:
    """Return the course's own detections, from the file beside this one.

    >>> len(shipped().found) == len(shipped().truth)
    True
    """
    part = scenes(1, PICTURES, cache=False).test
    data = json.loads(FILE.read_text(encoding="utf-8"))
    found = [_unpack(rows) for rows in data]
    return Log(part.images, _objects(part), found, part.classes)


def own(model: Any, part: Any) -> Log:
    """Return what a reader's own detector finds in scenes.

    Raises:
        UserError: they are no detector and no scenes.
    """
    if part is None:
        part = scenes(1, PICTURES, cache=False).test
    if not isinstance(part, Scenes):
        raise UserError(
            f"the second argument is Scenes, such as scenes().test, not {type(part).__name__}."
        )
    if len(part.classes) > CLASSES:
        raise UserError(
            f"the picture has room for {CLASSES} classes, and these scenes have "
            f"{len(part.classes)}."
        )
    part = part.subset(min(len(part), PICTURES))
    found = [_strongest(one) for one in detect(model, part.images, threshold=LEAST)]
    return Log(part.images, _objects(part), found, part.classes)


def _objects(part: Scenes) -> list[Objects]:
    return [part.objects(index) for index in range(len(part))]


def _strongest(found: Detections) -> Detections:
    best = found.scores.argsort(descending=True, stable=True)[:MOST].cpu()
    boxes, scores, labels = found.boxes.cpu(), found.scores.cpu(), found.labels.cpu()
    return Detections(boxes[best], scores[best], labels[best])


def _unpack(rows: Sequence[Sequence[float]]) -> Detections:
    table = torch.tensor(rows, dtype=torch.float64).reshape(-1, 6)
    return Detections(table[:, :4].float(), table[:, 4].float(), table[:, 5].long())


def remeasure(train: int = 2_000, epochs: int = EPOCHS) -> list[list[list[float]]]:
    """Train the detector of the log anew; return its boxes as `pack` does.

    About 20 CPU-seconds.
    """
    torch.manual_seed(0)
    model = TinyDetector()
    fit_detector(model, scenes(train, 300), epochs=epochs, seed=0)
    return pack(own(model, None).found)


def pack(found: Sequence[Detections]) -> list[list[list[float]]]:
    """Return [picture][box] left, top, right, bottom, score, class: tenths of px, three digits."""
    return [
        [
            [*(round(v, 1) for v in box.tolist()), round(float(score), 3), int(label)]
            for box, score, label in zip(one.boxes, one.scores, one.labels, strict=True)
        ]
        for one in found
    ]


def save() -> None:
    """Train and write what `shipped` reads."""
    FILE.write_text(json.dumps(remeasure(), separators=(",", ":")) + "\n", encoding="utf-8")
