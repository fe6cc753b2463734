"""Boxes of one picture: those a detector found, and those that are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lightcourse.detection.boxes import check_boxes
from lightcourse.errors import UserError


@dataclass(frozen=True, eq=False)
class Detections:
    """What a detector found in one picture: boxes (N, 4) xyxy, scores (N,), labels (N,).

    >>> found = Detections(torch.tensor([[0.0, 0, 4, 2]]), torch.tensor([0.9]), torch.tensor([1]))
    >>> len(found), len(found.above(0.95))
    (1, 0)
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        _fill(self, boxes=check_boxes(self.boxes, dim=2))
        _same_length(self, "scores", "labels")
        if self.scores.isnan().any():
            raise UserError("a score is nan, so the boxes have no order.")

    def __len__(self) -> int:
        return len(self.boxes)

    def above(self, threshold: float) -> Detections:
        """Return those with at least this score."""
        keep = self.scores >= threshold
        return Detections(self.boxes[keep], self.scores[keep], self.labels[keep])

    def _repr_html_(self) -> str:
        from lightcourse.detection._figures import detections_page

        return detections_page(self)


@dataclass(frozen=True, eq=False)
class Objects:
    """What is in one picture: boxes (N, 4) xyxy and labels (N,).

    difficult: (N,) true for objects that nobody must find (VOC): a box on one counts neither
    way. crowd: (N,) true for a box around many (COCO): any number of boxes inside count neither
    way, and what counts as overlap is the share of the found box.

    >>> len(Objects(torch.tensor([[0.0, 0, 4, 2]]), torch.tensor([1])))
    1
    """

    boxes: Tensor
    labels: Tensor
    difficult: Tensor | None = None
    crowd: Tensor | None = None

    def __post_init__(self) -> None:
        none = torch.zeros(len(self.labels), dtype=torch.bool)
        _fill(self, boxes=check_boxes(self.boxes, dim=2))
        _fill(self, difficult=none if self.difficult is None else self.difficult.bool())
        _fill(self, crowd=none if self.crowd is None else self.crowd.bool())
        _same_length(self, "labels", "difficult", "crowd")

    def __len__(self) -> int:
        return len(self.boxes)


def _fill(thing: Any, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(thing, name, value)


def _same_length(thing: Any, *names: str) -> None:
    for name in names:
        value = getattr(thing, name)
        if not isinstance(value, Tensor) or value.shape != (len(thing.boxes),):
            shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise UserError(
                f"{name} is a tensor with one entry a box, ({len(thing.boxes)},), not {shape}."
            )
