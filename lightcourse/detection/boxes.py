"""Boxes: three ways to write them, and how much two of them overlap: IoU, GIoU, DIoU, CIoU."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lightcourse.errors import UserError

FORMATS = ("xyxy", "xywh", "cxcywh")
KINDS = ("iou", "giou", "diou", "ciou")
_TINY = 1e-9  # keeps 0 / 0 of empty boxes at 0; far below any box of a picture


def convert(boxes: Tensor, source: str, target: str) -> Tensor:
    """Write boxes (..., 4) another way; gradients pass through.

    "xyxy": left, top, right, bottom. "xywh": left, top, width, height (COCO's files). "cxcywh":
    middle, width, height (YOLO). Whole numbers become float32, as a middle may lie between them.
    Raises `UserError` for other formats and shapes.

    >>> convert(torch.tensor([10.0, 20.0, 30.0, 60.0]), "xyxy", "cxcywh").tolist()
    [20.0, 40.0, 20.0, 40.0]
    """
    boxes = check_boxes(boxes, ordered=False)
    for name in (source, target):
        if name not in FORMATS:
            raise UserError(f"there is no box format {name!r}; choose one of {', '.join(FORMATS)}.")
    first, second = boxes[..., :2], boxes[..., 2:]
    if source == target:
        return boxes
    if source == "xyxy":
        first, second = first, second - first
    elif source == "cxcywh":
        first = first - second / 2
    # now: left, top, width, height
    if target == "xyxy":
        second = first + second
    elif target == "cxcywh":
        first = first + second / 2
    return torch.cat([first, second], dim=-1)


def to_shares(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Divide pixels by the picture's (height, width): numbers from 0 to 1, in any of the formats.

    >>> to_shares(torch.tensor([10.0, 20.0, 30.0, 60.0]), (100, 200))
    tensor([0.0500, 0.2000, 0.1500, 0.6000])
    """
    return check_boxes(boxes, ordered=False) / _sides(boxes, size)


def to_pixels(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Multiply shares by the picture's (height, width); the inverse of `to_shares`.

    >>> to_pixels(torch.tensor([0.5, 0.5, 1.0, 0.25]), (100, 200)).tolist()
    [100.0, 50.0, 200.0, 25.0]
    """
    return check_boxes(boxes, ordered=False) * _sides(boxes, size)


def area(boxes: Tensor) -> Tensor:
    """Return width × height of boxes (..., 4) xyxy -> (...), in square pixels.

    >>> area(torch.tensor([[0.0, 0.0, 4.0, 2.0]])).tolist()
    [8.0]
    """
    boxes = check_boxes(boxes)
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def iou(a: Tensor, b: Tensor, kind: str = "iou") -> Tensor:
    """Compare every box of a (N, 4) with every box of b (M, 4), both xyxy: (N, M).

    "iou": shared area over joint area, 0 to 1. "giou": less the share of the smallest box around
    both that neither fills (arXiv 1902.09630, eq. 1), -1 to 1. "diou": IoU less the squared
    distance of the middles over that box's squared diagonal. "ciou": DIoU less α·v, where v
    compares width to height (both arXiv 1911.08287, eqs. 7, 10 and 11); α is a constant for the
    gradient. Two boxes without area have IoU 0.
    Raises `UserError` for other kinds, shapes, and boxes whose right is left of their left.

    >>> a, b = torch.tensor([[0.0, 0, 4, 2]]), torch.tensor([[1.0, 1, 3, 5]])
    >>> [round(iou(a, b, kind).item(), 4) for kind in KINDS]
    [0.1429, -0.1571, 0.0453, 0.0178]
    """
    a, b = check_boxes(a, dim=2), check_boxes(b, dim=2)
    return overlap(a[:, None], b[None], _known(kind))


def iou_of_pairs(a: Tensor, b: Tensor, kind: str = "iou") -> Tensor:
    """Compare each box of a (..., 4) with the one at its own place in b: (...). See `iou`.

    >>> iou_of_pairs(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[1.0, 0, 3, 2]]))
    tensor([0.3333])
    """
    a, b = check_boxes(a), check_boxes(b)
    if a.shape != b.shape:
        raise UserError(
            f"pairs need as many boxes on both sides, not shapes {tuple(a.shape)} and "
            f"{tuple(b.shape)}; iou(a, b) compares each with each."
        )
    return overlap(a, b, _known(kind))


def overlap(a: Tensor, b: Tensor, kind: str = "iou") -> Tensor:
    """Do the arithmetic of `iou` on shapes that broadcast, without a look at the values."""
    shared = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(
        min=0
    )
    inter = shared[..., 0] * shared[..., 1]
    size_a, size_b = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]
    joint = size_a[..., 0] * size_a[..., 1] + size_b[..., 0] * size_b[..., 1] - inter
    value = inter / joint.clamp(min=_TINY)
    if kind == "iou":
        return value
    around = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    if kind == "giou":
        hull = around[..., 0] * around[..., 1]
        return value - (hull - joint) / hull.clamp(min=_TINY)
    apart = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2
    value = value - apart.square().sum(-1) / around.square().sum(-1).clamp(min=_TINY)
    return value if kind == "diou" else value - _shape_term(size_a, size_b, inter, joint)


def _shape_term(size_a: Tensor, size_b: Tensor, inter: Tensor, joint: Tensor) -> Tensor:
    """Return α·v of CIoU: how much the angles of the diagonals differ, once the boxes overlap."""
    angle_a, angle_b = (
        torch.atan2(size[..., 0], size[..., 1].clamp(min=_TINY)) for size in (size_a, size_b)
    )
    v = 4 / math.pi**2 * (angle_a - angle_b).square()
    with torch.no_grad():
        alpha = v / (1 - inter / joint.clamp(min=_TINY) + v).clamp(min=_TINY)
    return alpha * v


def check_boxes(boxes: Tensor, dim: int | None = None, ordered: bool = True) -> Tensor:
    """Return boxes (..., 4) as floats; refuse other shapes and, where asked, sides that swapped."""
    if not isinstance(boxes, Tensor) or boxes.dim() < 1 or boxes.shape[-1] != 4:
        shape = tuple(boxes.shape) if isinstance(boxes, Tensor) else type(boxes).__name__
        raise UserError(f"boxes are a tensor (..., 4), four numbers a box, not {shape}.")
    if dim is not None and boxes.dim() != dim:
        raise UserError(
            f"boxes are a tensor (N, 4) here, not {tuple(boxes.shape)}; one box is boxes[None]."
        )
    if not boxes.is_floating_point():
        boxes = boxes.float()
    if ordered and not (boxes[..., 2:] >= boxes[..., :2]).all():
        raise UserError(
            "boxes are left, top, right, bottom here, and one of these has its right left of its "
            'left, its bottom above its top, or nan; convert(boxes, "xywh", "xyxy") turns widths '
            "into sides."
        )
    return boxes


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise UserError(f"there is no overlap {kind!r}; choose one of {', '.join(KINDS)}.")
    return kind


def _sides(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    height, width = size
    if not (height > 0 and width > 0):
        raise UserError(f"a picture has a height and a width above 0, not {size!r}.")
    return boxes.new_tensor([width, height, width, height], dtype=torch.float32)
