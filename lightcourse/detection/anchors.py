"""Anchors from data: k-means over widths and heights, with 1 - IoU as the distance."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from lightcourse.detection.losses import shape_iou
from lightcourse.errors import UserError


class Anchors(NamedTuple):
    """Shapes from small to large, and the mean IoU of a box with the one most like it."""

    shapes: tuple[tuple[float, float], ...]  # width, height
    mean_iou: float


def kmeans_anchors(sizes: Tensor, count: int, *, seed: int = 0, rounds: int = 100) -> Anchors:
    """Find `count` shapes that fit boxes of these widths and heights (N, 2) best.

    YOLO9000, arXiv 1612.08242, section 2: squared differences would favour large boxes, so the
    distance is 1 - IoU of two boxes on one corner. It starts from boxes drawn far apart (as
    k-means++) and ends when no box changes its shape; the best round is returned, as the mean
    width and height of a group need not raise the IoU.

    Raises `UserError` for other shapes, sizes not above 0, and more anchors than different boxes.

    >>> sizes = torch.tensor([[10.0, 10.0], [11.0, 10.0], [30.0, 60.0], [32.0, 60.0]])
    >>> kmeans_anchors(sizes, 2).shapes
    ((10.0, 10.0), (30.0, 60.0))
    """
    if sizes.dim() != 2 or sizes.shape[1] != 2 or not (sizes > 0).all():
        raise UserError("sizes are widths and heights above 0, (N, 2).")
    different = len(sizes.unique(dim=0))
    if type(count) is not int or not 1 <= count <= different:
        raise UserError(
            f"{count!r} anchors cannot be found in {different} different boxes; choose 1 to "
            f"{different}."
        )
    sizes = sizes.detach().double()
    shapes = _far_apart(sizes, count, torch.Generator().manual_seed(seed))
    best, chosen, before = shapes, -1.0, None
    for _ in range(rounds):
        alike, group = shape_iou(sizes, shapes).max(1)
        if alike.mean() > chosen:
            best, chosen = shapes, float(alike.mean())
        if before is not None and torch.equal(group, before):
            break
        before = group
        shapes = torch.stack(
            [sizes[group == g].mean(0) if (group == g).any() else shapes[g] for g in range(count)]
        )
    order = best.prod(1).argsort(stable=True)
    return Anchors(tuple((w, h) for w, h in best[order].tolist()), chosen)


def _far_apart(sizes: Tensor, count: int, generator: torch.Generator) -> Tensor:
    first = int(torch.randint(len(sizes), (1,), generator=generator))
    shapes = sizes[first][None]
    while len(shapes) < count:
        distance = 1 - shape_iou(sizes, shapes).amax(1)
        new = int(torch.multinomial(distance.clamp(min=0).square(), 1, generator=generator))
        shapes = torch.cat([shapes, sizes[new][None]])
    return shapes
