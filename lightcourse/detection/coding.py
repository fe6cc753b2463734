"""How a YOLO map says where a box is: grid cells, anchors, and the way there and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from lightcourse.detection.boxes import check_boxes, convert
from lightcourse.errors import UserError


class ScaleLike(Protocol):
    """One map of predictions: its stride in pixels, and the shapes its boxes start from."""

    @property
    def stride(self) -> int: ...

    @property
    def anchors(self) -> tuple[tuple[float, float], ...]: ...


@dataclass(frozen=True)
class Level:
    """A scale of a detector: the side of its cells and the (width, height) of its anchors, px."""

    stride: int
    anchors: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Coding:
    """What the numbers of a map mean, in the versions of YOLO.

    `exclusive`: classes share one softmax (v2), or each has its own sigmoid (v3, v4).
    `reach`: how far a middle can leave its cell, as Darknet's scale_x_y: 1 not at all.
    """

    exclusive: bool = False
    reach: float = 1.0


YOLOV2 = Coding(exclusive=True)  # arXiv 1612.08242, section 2
YOLOV3 = Coding()  # arXiv 1804.02767, sections 2.1 and 2.2
YOLOV4_TINY = Coding(reach=1.05)  # scale_x_y of both heads in yolov4-tiny.cfg


class Places(NamedTuple):
    """All places that predict a box, (M,) each: cells row by row, a cell's anchors in order.

    The maps follow one another; lengths are pixels, cells count from the left and from the top.
    """

    column: Tensor
    row: Tensor
    stride: Tensor
    anchor: Tensor  # (M, 2): width, height


class Decoded(NamedTuple):
    """What maps say, place by place: boxes xyxy in pixels, and what is believed of them."""

    boxes: Tensor  # (N, M, 4)
    objectness: Tensor  # (N, M), before the sigmoid
    classes: Tensor  # (N, M, K), before sigmoid or softmax


def places_of(
    scales: Sequence[ScaleLike], shapes: Sequence[tuple[int, int]], like: Tensor | None = None
) -> Places:
    """Return the places of maps with these (height, width) in cells; dtype and device of `like`.

    >>> len(places_of([Level(8, ((10, 10), (20, 20)))], [(3, 4)]).row)
    24
    """
    like = torch.empty(0) if like is None else like
    parts: list[tuple[Tensor, ...]] = []
    for scale, (height, width) in zip(scales, shapes, strict=True):
        anchors = torch.as_tensor(scale.anchors, dtype=like.dtype, device=like.device)
        count = len(anchors)
        y, x = torch.meshgrid(
            torch.arange(height, dtype=like.dtype, device=like.device),
            torch.arange(width, dtype=like.dtype, device=like.device),
            indexing="ij",
        )
        column, row = (t.reshape(-1).repeat_interleave(count) for t in (x, y))
        stride = torch.full_like(column, scale.stride)
        parts.append((column, row, stride, anchors.repeat(height * width, 1)))
    return Places(*(torch.cat(part) for part in zip(*parts, strict=True)))


def boxes_of(codes: Tensor, places: Places, coding: Coding = YOLOV3) -> Tensor:
    """Turn codes (..., M, 4) into boxes xyxy, in pixels: YOLO9000, arXiv 1612.08242, figure 3.

    Middle: (σ(t_x) + column) · stride, stretched by `coding.reach` around the cell's middle; size:
    anchor · e^t.

    >>> places = places_of([Level(8, ((10, 20),))], [(1, 2)])
    >>> boxes_of(torch.zeros(2, 4), places)[1].tolist()
    [7.0, -6.0, 17.0, 14.0]
    """
    inside = (codes[..., :2].sigmoid() - 0.5) * coding.reach + 0.5
    corner = torch.stack([places.column, places.row], dim=-1)
    middle = (inside + corner) * places.stride[:, None]
    half = places.anchor * codes[..., 2:].exp() / 2
    return torch.cat([middle - half, middle + half], dim=-1)


def codes_of(boxes: Tensor, places: Places, coding: Coding = YOLOV3) -> Tensor:
    """Return the codes (..., M, 4) that `boxes_of` turns into these boxes: one box a place.

    Raises `UserError` where a middle lies out of its place's reach, or a box has no area.

    >>> places = places_of([Level(8, ((10, 20),))], [(1, 2)])
    >>> boxes = torch.tensor([[1.0, -6.0, 7.0, 14.0], [7.0, -6.0, 17.0, 14.0]])
    >>> codes_of(boxes, places)[1].tolist()
    [0.0, 0.0, 0.0, 0.0]
    """
    boxes = convert(check_boxes(boxes), "xyxy", "cxcywh")
    corner = torch.stack([places.column, places.row], dim=-1)
    share = (boxes[..., :2] / places.stride[:, None] - corner - 0.5) / coding.reach + 0.5
    if not ((share > 0) & (share < 1)).all():
        raise UserError(
            "a box's middle lies outside the cell it is given to, where no code reaches; give it "
            "to the cell that holds its middle."
        )
    if not (boxes[..., 2:] > 0).all():
        raise UserError("a box without width or height has no code; leave it out.")
    return torch.cat([share.logit(), (boxes[..., 2:] / places.anchor).log()], dim=-1)


def flatten_maps(maps: Sequence[Tensor], scales: Sequence[ScaleLike]) -> Tensor:
    """Lay raw maps (N, A · (5 + K), H, W) out place by place: (N, M, 5 + K).

    Raises `UserError` where channels and anchors do not fit together.

    >>> flatten_maps([torch.zeros(2, 18, 3, 4)], [Level(8, ((1, 1), (2, 2)))]).shape
    torch.Size([2, 24, 9])
    """
    if isinstance(maps, Tensor) or len(maps) != len(scales):
        raise UserError(
            f"a detector with {len(scales)} scales gives a tuple of as many maps (N, C, H, W)."
        )
    flat = []
    for index, (raw, scale) in enumerate(zip(maps, scales, strict=True)):
        n, channels, height, width = raw.shape
        count = len(scale.anchors)
        if channels % count or channels // count < 6:
            raise UserError(
                f"map {index} has {channels} channels; {count} anchors need {count} · (5 + "
                "classes), with at least one class."
            )
        split = raw.reshape(n, count, channels // count, height, width)
        flat.append(split.permute(0, 3, 4, 1, 2).reshape(n, height * width * count, -1))
    if len({part.shape[2] for part in flat}) > 1:
        raise UserError("the maps do not speak of the same number of classes.")
    return torch.cat(flat, dim=1)


def decode(maps: Sequence[Tensor], scales: Sequence[ScaleLike], coding: Coding = YOLOV3) -> Decoded:
    """Read the raw maps of a YOLO network, such as `create_model("yolov3_tiny")`'s.

    maps: (N, A · (5 + K), H, W) for every one of `scales` (the network's own attribute), channels
    per anchor: x, y, w, h, objectness, classes. Raises `UserError` where they do not fit.

    >>> level = Level(16, ((20, 20), (40, 40)))
    >>> found = decode([torch.zeros(1, 16, 6, 6)], [level])
    >>> found.boxes.shape, found.classes.shape
    (torch.Size([1, 72, 4]), torch.Size([1, 72, 3]))
    """
    flat = flatten_maps(maps, scales)
    shapes = [(raw.shape[2], raw.shape[3]) for raw in maps]
    places = places_of(scales, shapes, flat)
    return Decoded(boxes_of(flat[..., :4], places, coding), flat[..., 4], flat[..., 5:])


def encode(
    found: Decoded,
    scales: Sequence[ScaleLike],
    shapes: Sequence[tuple[int, int]],
    coding: Coding = YOLOV3,
) -> tuple[Tensor, ...]:
    """Write the raw maps that `decode` reads as this: its inverse.

    >>> level = Level(16, ((20, 20), (40, 40)))
    >>> raw = torch.randn(1, 16, 6, 6)
    >>> back = encode(decode([raw], [level]), [level], [(6, 6)])[0]
    >>> bool((back - raw).abs().max() < 1e-3)
    True
    """
    places = places_of(scales, shapes, found.boxes)
    codes = codes_of(found.boxes, places, coding)
    flat = torch.cat([codes, found.objectness[..., None], found.classes], dim=-1)
    maps, start = [], 0
    for scale, (height, width) in zip(scales, shapes, strict=True):
        count = len(scale.anchors)
        part = flat[:, start : start + height * width * count]
        split = part.reshape(len(flat), height, width, count, -1).permute(0, 3, 4, 1, 2)
        maps.append(split.reshape(len(flat), -1, height, width))
        start += height * width * count
    return tuple(maps)
