"""Which found boxes are right: the rules of PASCAL VOC and of COCO, for one picture and class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
RIGHT, WRONG, UNCOUNTED = 1, 0, -1


@dataclass(frozen=True)
class Group:
    """One picture's boxes of one class; found boxes come best first."""

    found: Floats  # (D, 4)
    scores: Floats  # (D,)
    objects: Floats  # (G, 4)
    ignored: Flags  # (G,) objects that nobody must find
    crowd: Flags  # (G,) of these, the ones that any number of boxes may lie in
    outside: Flags  # (D,) found boxes of a size that is not asked for


def shares(group: Group) -> Floats:
    """IoU (D, G); of a crowd the share of the found box that lies in it."""
    a, b = group.found[:, None], group.objects[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    inter = np.maximum(sides, 0).prod(-1)
    own, theirs = (np.maximum(box[..., 2:] - box[..., :2], 0).prod(-1) for box in (a, b))
    whole = np.where(group.crowd, own + 0 * theirs, own + theirs - inter)
    return np.divide(inter, whole, out=np.zeros_like(inter), where=whole > 0)


Match = tuple[int, int]  # verdict of a found box, and the object that it speaks of or -1


def match_coco(group: Group, shared: Floats, threshold: float) -> list[Match]:
    """Each box takes the free object that it overlaps most; a counted one before an ignored one.

    Of equal overlaps the later object is taken, as in pycocotools.
    """
    limit = min(threshold, 1 - 1e-10)
    free = np.ones(len(group.objects), bool)
    found = []
    for row, outside in zip(shared, group.outside, strict=True):
        fits = free & (row >= limit)
        chosen = _best(row, fits & ~group.ignored)
        if chosen is None:
            chosen = _best(row, fits & group.ignored)
            hit = UNCOUNTED if chosen is not None or outside else WRONG
        else:
            hit = RIGHT
        if chosen is not None and not group.crowd[chosen]:
            free[chosen] = False
        found.append((hit, -1 if chosen is None else chosen))
    return found


def _best(row: Floats, fits: Flags) -> int | None:
    where = np.flatnonzero(fits)
    return int(where[::-1][row[where[::-1]].argmax()]) if len(where) else None


def match_voc(group: Group, shared: Floats, threshold: float) -> list[Match]:
    """Each box speaks of the object that it overlaps most, taken or not; the first one is right.

    VOC devkit: an ignored object counts neither way, a second box on an object is wrong. Of equal
    overlaps the earlier object is meant.
    """
    free = np.ones(len(group.objects), bool)
    found = []
    for row, outside in zip(shared, group.outside, strict=True):
        meant = int(row.argmax()) if len(row) else -1
        if meant < 0 or row[meant] < threshold:
            found.append((UNCOUNTED if outside else WRONG, -1))
        elif group.ignored[meant]:
            found.append((UNCOUNTED, meant))
        else:
            found.append((RIGHT if free[meant] else WRONG, meant))
            free[meant] = False
    return found


MATCHINGS = {"coco": match_coco, "voc": match_voc}
