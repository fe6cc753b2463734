"""The detection scene as tables: places of boxes, verdicts, curves, counts.

Keys are [pic], [cls], [iou], [score] and the number of a box or an object in its picture.
"""

from functools import cached_property
from typing import Any

import numpy as np

from lightcourse.detection import Curve, Detections, judge, mean_average_precision

from ..pool import Pool
from ._det_log import Log

WIDTH, HEIGHT = 840, 560
LEFT, TOP, SIDE = 12, 40, 380  # the picture, px
PLOT, WIDE, TALL = 462, 362, 316  # the plot's left side, its width and height, px
IOUS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SCORES = tuple(round(0.05 * i, 2) for i in range(1, 20))
SHOWN = 4  # pictures to choose from
CHOSEN = (5, 10, 13, 14)  # of the course's own log: with right, wrong and missed ones
LETTERS = 9  # of a class's name that its label has room for
LETTER, LINE = 8.8, 17  # px: a letter of a label, and its height
FINEST = 128  # px a side that a stored picture has at most
MISSED = "#ffd500"  # told from every other paint, on pictures, with a black edge
PAINTS = {1: "c1", 0: "bad", -1: "muted"}  # right, wrong, counted neither way


class View:
    """Tables of one log."""

    def __init__(self, log: Log, own: bool) -> None:
        self.log, self.own = log, own
        chosen = range(min(SHOWN, len(log.truth))) if own else CHOSEN
        self.shown = list(chosen)
        self.boxes = max(1, *(len(log.found[i]) for i in self.shown))
        self.objects = max(1, *(len(log.truth[i]) for i in self.shown))
        tall, wide = log.images.shape[2:]
        self.scale = SIDE / max(tall, wide)
        self.side = (round(wide * self.scale), round(tall * self.scale))
        self.pool = Pool()

    @cached_property
    def verdicts(self) -> list[list[Any]]:
        """[iou][picture] of what becomes of each box."""
        pairs = list(zip(self.log.found, self.log.truth, strict=True))
        return [[judge(found, truth, iou) for found, truth in pairs] for iou in IOUS]

    @cached_property
    def curves(self) -> list[list[Curve]]:
        """[cls][iou] of precision against recall."""
        log = self.log
        every = mean_average_precision(log.found, log.truth, log.classes, thresholds=IOUS).curves
        kinds = range(len(log.classes))
        return [[every[len(log.classes) * i + c] for i in range(len(IOUS))] for c in kinds]

    @cached_property
    def counts(self) -> np.ndarray:
        """[cls][iou][score] (right, wrong) of the boxes with at least this score."""
        found = np.zeros((len(self.log.classes), len(IOUS), len(SCORES), 2), int)
        for i, row in enumerate(self.verdicts):
            for boxes, verdict in zip(self.log.found, row, strict=True):
                for label, score, right in zip(
                    boxes.labels.tolist(),
                    boxes.scores.tolist(),
                    verdict.right.tolist(),
                    strict=True,
                ):
                    if right >= 0:
                        found[label, i, : self.passed(score), 1 - right] += 1
        return found

    def passed(self, score: float) -> int:
        """How many of the thresholds a box of this score passes."""
        return sum(score >= threshold for threshold in SCORES)

    def total(self, label: int) -> int:
        """How many objects of a class there are to find."""
        return self.curves[label][0].objects

    def tables(self) -> dict[str, Any]:
        """Return all tables but those of words."""
        first = {"pic": [self._picture(i) for i in self.shown]}
        return {**first, **self._found(), **self._truth(), **self._plots()}

    def _picture(self, index: int) -> int:
        from PIL import Image

        image = self.log.images[index].permute(1, 2, 0).numpy()
        whole = Image.fromarray(np.repeat(image, 4 - image.shape[2], 2)[..., :3])
        whole.thumbnail((FINEST, FINEST))
        return self.pool.add(np.asarray(whole), colours=48)

    def _place(self, box: Any) -> tuple[float, float, float, float]:
        """Return x, y, width and height in px, inside the picture."""
        wide, tall = self.side
        x1, x2 = (min(max(float(v) * self.scale, 0), wide) for v in (box[0], box[2]))
        y1, y2 = (min(max(float(v) * self.scale, 0), tall) for v in (box[1], box[3]))
        return round(LEFT + x1), round(TOP + y1), round(x2 - x1), round(y2 - y1)

    def _found(self) -> dict[str, Any]:
        """Found boxes: place, whether they are shown, how they are painted."""
        own = [self.log.found[i] for i in self.shown]
        names = "xywh"
        rows = [[self._place(b) for b in one.boxes] for one in own]
        tables: dict[str, Any] = {
            f"b{name}": [_fill([p[k] for p in row], self.boxes) for row in rows]
            for k, name in enumerate(names)
        }
        tables["b_on"] = [
            [_fill([int(s >= t) for s in one.scores.tolist()], self.boxes) for t in SCORES]
            for one in own
        ]
        verdicts = [[row[i].right.tolist() for row in self.verdicts] for i in self.shown]
        tables["b_paint"] = [
            [_fill([PAINTS[v] for v in right], self.boxes, "muted") for right in by_iou]
            for by_iou in verdicts
        ]
        tables["b_dash"] = [
            [_fill(["none" if v == 1 else "5 3" for v in right], self.boxes, "none")
             for right in by_iou]
            for by_iou in verdicts
        ]  # fmt: skip
        tables["b_s"] = [_fill([self._label(one, k) for k in range(len(one))], self.boxes, "")
                         for one in own]  # fmt: skip
        spots = [self._spots(i, row) for i, row in zip(self.shown, rows, strict=True)]
        for k, name in enumerate(("l_x", "l_y", "l_w")):
            tables[name] = [_fill([s[k] for s in row], self.boxes, TOP) for row in spots]
        tables["l_base"] = [[y + LINE - 4 for y in row] for row in tables["l_y"]]
        return tables

    def _spots(self, index: int, places: list) -> list[tuple[int, int, int]]:
        """Left, top and width of each box's label: above or below it, where no other one is."""
        taken: list[tuple[int, int, int]] = []
        for k, (x, y, own, tall) in enumerate(places):
            wide = round(LETTER * len(self._label(self.log.found[index], k)) + 4)
            most = LEFT + self.side[0] - wide
            sides = [max(LEFT, min(left, most)) for left in (x, x + own - wide)]
            rows = [y - LINE - 2, y + tall + 2, y + 3, y + tall - LINE - 3]
            rows = [row for row in rows if TOP <= row <= TOP + self.side[1] - LINE] or [TOP]
            tries = [(left, row, wide) for row in rows for left in sides]
            free = [spot for spot in tries if not any(_meet(spot, other) for other in taken)]
            taken.append((free or tries)[0])
        return taken

    def _label(self, one: Detections, k: int) -> str:
        name = self.log.classes[int(one.labels[k])][:LETTERS]
        return f"{name} {float(one.scores[k]):.2f}"

    def _truth(self) -> dict[str, Any]:
        """Objects: place, and whether a box that is shown has found them."""
        own = [self.log.truth[i] for i in self.shown]
        rows = [[self._place(b) for b in one.boxes] for one in own]
        tables: dict[str, Any] = {
            f"t{name}": [_fill([p[k] for p in row], self.objects) for row in rows]
            for k, name in enumerate("xywh")
        }
        tables["t_on"] = [_fill([1] * len(row), self.objects) for row in rows]
        tables["t_paint"] = [
            [[_fill(self._missed(i, iou, t), self.objects, "muted") for t in SCORES]
             for iou in range(len(IOUS))]
            for i in self.shown
        ]  # fmt: skip
        return tables

    def _missed(self, index: int, iou: int, threshold: float) -> list[str]:
        """The paint of each object of a picture: highlighted where no shown box has found it."""
        found, verdict = self.log.found[index], self.verdicts[iou][index]
        strong = (found.scores >= threshold) & (verdict.right != 0)
        seen = set(verdict.object[strong].tolist())
        return ["#ffffff" if n in seen else MISSED for n in range(len(self.log.truth[index]))]

    def _plots(self) -> dict[str, Any]:
        """Curves in px, and the point of the present thresholds."""
        kinds, ious = range(len(self.log.classes)), range(len(IOUS))
        dots = [[[self._dot(c, i, s) for s in range(len(SCORES))] for i in ious] for c in kinds]
        return {
            "curve": [[_path(curve) for curve in row] for row in self.curves],
            "under": [[_under(curve) for curve in row] for row in self.curves],
            "dot_x": [[[dot[0] for dot in row] for row in by_iou] for by_iou in dots],
            "dot_y": [[[dot[1] for dot in row] for row in by_iou] for by_iou in dots],
            "score_x": [round(handle(s, len(SCORES), LEFT, SIDE)) for s in range(len(SCORES))],
            "iou_x": [round(handle(i, len(IOUS), PLOT, WIDE)) for i in range(len(IOUS))],
        }

    def _dot(self, label: int, iou: int, score: int) -> tuple[int, int]:
        right, wrong = self.counts[label, iou, score]
        precision = right / (right + wrong) if right + wrong else 1.0
        return across(right / max(1, self.total(label))), down(precision)


def handle(place: int, count: int, left: float, wide: float) -> float:
    """Return where the handle of a ruler stands, px."""
    return left + (place + 0.5) * wide / count


def across(recall: float) -> int:
    """Return the x of a recall, px."""
    return round(PLOT + WIDE * recall)


def down(precision: float) -> int:
    """Return the y of a precision, px."""
    return round(TOP + TALL * (1 - precision))


def _meet(a: tuple[int, int, int], b: tuple[int, int, int]) -> bool:
    return abs(a[1] - b[1]) < LINE and a[0] < b[0] + b[2] and b[0] < a[0] + a[2]


def _fill(values: list, count: int, blank: Any = 0) -> list:
    return [*values, *[blank] * (count - len(values))]


def _path(curve: Curve) -> str:
    """The curve as it is: a line from point to point, only where the recall changes."""
    points, before = [], -1.0
    for k, recall in enumerate(curve.recall):
        last = k + 1 == len(curve.recall) or curve.recall[k + 1] != recall
        if recall != before or last:
            points.append(f"{across(recall)} {down(curve.precision[k])}")
        before = recall
    return "M" + "L".join(points) if points else ""


def _under(curve: Curve) -> str:
    """The area that AP counts: precision made to fall as recall grows."""
    if not len(curve.recall) or not curve.objects:
        return ""
    best = np.maximum.accumulate(curve.precision[::-1])[::-1]
    path, reached = f"M{across(0)} {down(0)}", across(0)
    levels = [down(precision) for precision in best]
    for k, level in enumerate(levels):
        if k == 0 or level != levels[k - 1]:
            path += f"L{reached} {level}"
        reached = across(float(curve.recall[k]))
        if k + 1 == len(levels) or level != levels[k + 1]:
            path += f"L{reached} {level}"
    return f"{path}L{reached} {down(0)}Z"
