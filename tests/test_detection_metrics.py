"""Mean average precision: equal to pycocotools, to a slow VOC oracle, and by hand at the edges."""

import contextlib
import io
import math
from functools import cache

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from lightcourse.detection import (
    COCO_THRESHOLDS,
    Detections,
    MeanAveragePrecision,
    Objects,
    average_precision,
    judge,
    mean_average_precision,
)
from lightcourse.detection.metrics import SIZES
from lightcourse.errors import UserError

Case = tuple[list[Detections], list[Objects], int]


@cache
def case_of(seed: int) -> Case:
    """Pictures with objects, boxes near them and elsewhere, ties, crowds, and empty ones."""
    g = np.random.default_rng(seed)
    classes = int(g.integers(1, 4))
    found, truth = [], []
    for _ in range(int(g.integers(1, 7))):
        n = int(g.integers(0, 6))
        # quarter pixels: exact in every format, and equal overlaps happen
        corner, size = g.integers(0, 400, (n, 2)) / 4, g.integers(8, 480, (n, 2)) / 4
        boxes = np.concatenate([corner, corner + size], 1)
        labels = g.integers(0, classes, n)
        crowd = g.random(n) < 0.2
        near = boxes[g.integers(0, n, int(g.integers(0, 12)))] if n else np.empty((0, 4))
        near = near + g.integers(-20, 21, near.shape) / 4
        far = g.integers(0, 200, (int(g.integers(0, 4)), 4)) / 4
        some = np.concatenate([near, far])
        some[:, 2:] = np.maximum(some[:, 2:], some[:, :2] + 1)
        scores = g.integers(0, 12, len(some)) / 12 if seed % 2 else g.random(len(some))
        own = g.integers(0, classes, len(some))
        found.append(Detections(*(torch.tensor(t) for t in (some, scores, own))))
        truth.append(Objects(torch.tensor(boxes), torch.tensor(labels), crowd=torch.tensor(crowd)))
    return found, truth, classes


def coco_says(
    case: Case, thresholds: tuple[float, ...], size: str | None = None, most: int = 100
) -> np.ndarray:
    """AP (thresholds, classes) of pycocotools; -1 where there is nothing to find."""
    found, truth, classes = case
    annotations, results = [], []
    for image, (ours, there) in enumerate(zip(found, truth, strict=True)):
        for box, label, crowd in zip(there.boxes, there.labels, there.crowd, strict=True):
            x, y, w, h = (*box[:2].tolist(), *(box[2:] - box[:2]).tolist())
            annotations.append(
                {"id": len(annotations) + 1, "image_id": image, "category_id": int(label),
                 "bbox": [x, y, w, h], "area": w * h, "iscrowd": int(crowd)}
            )  # fmt: skip
        for box, score, label in zip(ours.boxes, ours.scores, ours.labels, strict=True):
            x, y, w, h = (*box[:2].tolist(), *(box[2:] - box[:2]).tolist())
            results.append(
                {"image_id": image, "category_id": int(label), "bbox": [x, y, w, h],
                 "area": w * h, "id": len(results) + 1, "iscrowd": 0, "score": float(score)}
            )  # fmt: skip
    images, kinds = [{"id": i} for i in range(len(truth))], [{"id": i} for i in range(classes)]
    with contextlib.redirect_stdout(io.StringIO()):
        judge = COCOeval(_index(images, kinds, annotations), None, "bbox")
        judge.cocoDt = _index(
            [{"id": i} for i in range(len(truth))], list(judge.cocoGt.cats.values()), results
        )
        judge.params.imgIds, judge.params.catIds = list(range(len(truth))), list(range(classes))
        judge.params.iouThrs = np.array(thresholds)
        judge.params.maxDets = [most]
        judge.params.areaRng = [[0, 1e10] if size is None else list(SIZES[size])]
        judge.params.areaRngLbl = ["all"]
        judge.evaluate()
        judge.accumulate()
    return judge.eval["precision"][:, :, :, 0, 0].mean(1)  # (thresholds, classes)


def _index(images: list, categories: list, annotations: list) -> COCO:
    made = COCO()
    made.dataset = {"images": images, "categories": categories, "annotations": annotations}
    made.createIndex()
    return made


def table(score: MeanAveragePrecision) -> np.ndarray:
    values = [-1.0 if math.isnan(curve.ap) else curve.ap for curve in score.curves]
    return np.array(values).reshape(len(score.thresholds), len(score.classes))


@pytest.mark.parametrize("block", range(4))
def test_two_hundred_random_cases_equal_pycocotools(block: int) -> None:
    spread = 0
    for seed in range(50 * block, 50 * block + 50):
        found, truth, classes = case = case_of(seed)
        limits = (0.5, 0.75) if seed % 5 else COCO_THRESHOLDS
        ours = mean_average_precision(found, truth, classes, thresholds=limits)
        theirs = coco_says(case, limits)
        np.testing.assert_allclose(table(ours), theirs, atol=1e-6, rtol=0, err_msg=f"case {seed}")
        valid = theirs[theirs > -1]
        if len(valid):
            assert ours.map == pytest.approx(valid.mean(), abs=1e-6)
        spread += bool(((theirs > 0.05) & (theirs < 0.95)).any())
    assert spread > 15  # the cases are not all trivial


@pytest.mark.parametrize("size", SIZES)
def test_sizes_and_a_limit_of_boxes_equal_pycocotools(size: str) -> None:
    seen = 0
    for seed in range(200, 230):
        found, truth, classes = case = case_of(seed)
        ours = mean_average_precision(found, truth, classes, size=size, most=3)
        theirs = coco_says(case, (0.5,), size, most=3)
        np.testing.assert_allclose(table(ours), theirs, atol=1e-6, rtol=0, err_msg=f"case {seed}")
        seen += bool((theirs > 0).any())
    assert seen > 5


def voc_slowly(case: Case, label: int, threshold: float, points: int | None) -> float:
    """The VOC devkit's rule in plain Python, written apart from ours."""
    found, truth, _ = case
    boxes = [
        (float(d.scores[i]), picture, [float(v) for v in d.boxes[i]])
        for picture, d in enumerate(found)
        for i in range(len(d))
        if int(d.labels[i]) == label
    ]
    boxes.sort(key=lambda row: -row[0])  # Python's sort is stable
    taken, right, wrong, curve = set(), 0, 0, []
    total = sum(
        int(t.labels[i]) == label and not bool(t.crowd[i]) for t in truth for i in range(len(t))
    )
    for _, picture, (x1, y1, x2, y2) in boxes:
        best, which = 0.0, None
        there = truth[picture]
        for i in range(len(there)):
            if int(there.labels[i]) != label:
                continue
            u1, v1, u2, v2 = (float(v) for v in there.boxes[i])
            w, h = min(x2, u2) - max(x1, u1), min(y2, v2) - max(y1, v1)
            inter = w * h if w > 0 and h > 0 else 0.0
            value = inter / ((x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - inter)
            if value > best:
                best, which = value, i
        if which is not None and best >= threshold:
            if bool(there.crowd[which]):
                continue
            new = (picture, which) not in taken
            taken.add((picture, which))
            right, wrong = right + new, wrong + (not new)
        else:
            wrong += 1
        curve.append((right / total if total else 0.0, right / (right + wrong)))
    if not total:
        return -1.0
    if points is not None:
        levels = [i / (points - 1) for i in range(points)]
        return sum(max((p for r, p in curve if r >= t), default=0.0) for t in levels) / points
    area, before = 0.0, 0.0
    for r, _ in curve:
        area += (r - before) * max((p for q, p in curve if q >= r), default=0.0)
        before = r
    return area


@pytest.mark.parametrize(("method", "points"), [("voc07", 11), ("voc", None)])
def test_voc_equals_the_devkits_rule(method: str, points: int | None) -> None:
    some = 0
    for seed in range(100):
        found, crowded, classes = case_of(seed)
        # VOC knows no crowds; these objects are difficult
        truth = [Objects(t.boxes, t.labels, difficult=t.crowd) for t in crowded]
        ours = mean_average_precision(found, truth, classes, method=method, thresholds=0.5)
        slow = [voc_slowly((found, crowded, classes), c, 0.5, points) for c in range(classes)]
        np.testing.assert_allclose(table(ours)[0], slow, atol=1e-9, err_msg=f"case {seed}")
        some += any(0 < value < 1 for value in slow)
    assert some > 40


# by hand


def one(*boxes: tuple[float, float, float, float, float]) -> Detections:
    """Boxes of class 0: x1, y1, x2, y2, score."""
    rows = torch.tensor(boxes, dtype=torch.float64).reshape(-1, 5)
    return Detections(rows[:, :4], rows[:, 4], torch.zeros(len(rows), dtype=torch.long))


def there(*boxes: tuple[float, float, float, float], **marks: torch.Tensor) -> Objects:
    rows = torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4)
    return Objects(rows, torch.zeros(len(rows), dtype=torch.long), **marks)


def test_the_three_ways_to_read_one_curve() -> None:
    # right, wrong, right; three objects
    recall, precision = np.array([1, 1, 2]) / 3, np.array([1, 1 / 2, 2 / 3])
    assert average_precision(recall, precision, "all") == pytest.approx(1 / 3 + 2 / 9)
    assert average_precision(recall, precision, 11) == pytest.approx((4 * 1 + 3 * 2 / 3) / 11)
    assert average_precision(recall, precision, 101) == pytest.approx((34 + 33 * 2 / 3) / 101)
    assert average_precision(np.array([]), np.array([])) == 0


def test_a_class_without_objects_is_left_out_and_one_without_boxes_has_none() -> None:
    truth = [there((0, 0, 4, 4))]
    score = mean_average_precision([one((0, 0, 4, 4, 0.9))], truth, ["seen", "unseen"])
    assert score.map == 1 and math.isnan(score.per_class()["unseen"])
    assert score.to_dict()["ap"] == {"seen": 1.0, "unseen": None}
    assert mean_average_precision([one()], truth, 1).map == 0
    nothing = mean_average_precision([one((0, 0, 4, 4, 0.9))], [there()], 1)
    assert math.isnan(nothing.map) and "mAP –" in str(nothing)


def test_a_second_box_on_an_object_is_wrong() -> None:
    found = [one((0, 0, 4, 4, 0.9), (0, 0, 4, 4, 0.8), (9, 9, 13, 13, 0.7))]
    truth = [there((0, 0, 4, 4), (9, 9, 13, 13))]
    curve = mean_average_precision(found, truth, 1).curves[0]
    assert curve.precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3])


def test_the_two_rules_differ_where_a_box_lies_between_two_objects() -> None:
    truth = [there((0, 0, 10, 10), (0, 2, 10, 12))]
    found = [one((0, 0, 10, 10, 0.9), (0, 0.5, 10, 10.5, 0.8))]  # both nearest to the first
    assert mean_average_precision(found, truth, 1, matching="coco").map == pytest.approx(1.0)
    assert mean_average_precision(found, truth, 1, matching="voc").map == pytest.approx(51 / 101)


def test_difficult_objects_and_crowds_count_neither_way() -> None:
    yes = torch.tensor([False, True])
    boxes = ((0, 0, 4, 4), (10, 0, 20, 10))
    found = [one((10, 0, 20, 10, 0.9), (10, 0, 20, 10, 0.85), (0, 0, 4, 4, 0.8))]
    for method in ("coco", "voc"):
        marked = mean_average_precision(found, [there(*boxes, difficult=yes)], 1, method=method)
        # COCO: a difficult object excuses one box, VOC any number
        assert marked.map == pytest.approx({"coco": 0.5, "voc": 1.0}[method])
    crowded = [there(*boxes, crowd=yes)]
    assert mean_average_precision(found, crowded, 1).map == 1
    inside = [one((11, 1, 13, 3, 0.9), (0, 0, 4, 4, 0.8))]  # a small part of the crowd
    assert mean_average_precision(inside, crowded, 1).map == 1
    assert mean_average_precision(inside, [there(*boxes, difficult=yes)], 1).map < 1


def test_equal_scores_count_in_the_order_given() -> None:
    right, wrong = (0, 0, 4, 4, 0.5), (9, 9, 13, 13, 0.5)
    truth = [there((0, 0, 4, 4))]
    assert mean_average_precision([one(right, wrong)], truth, 1).map == 1
    assert mean_average_precision([one(wrong, right)], truth, 1).map == pytest.approx(0.5)
    pictures = [one(wrong), one(right)]
    assert mean_average_precision(pictures, [there(), *truth], 1).map == pytest.approx(0.5)


def test_a_verdict_names_the_object_and_adds_up_to_the_curve() -> None:
    found = one((9, 9, 13, 13, 0.7), (0, 0, 4, 4, 0.9), (0, 0, 4, 4, 0.8), (20, 0, 24, 4, 0.1))
    objects = there((9, 9, 13, 13), (0, 0, 4, 4))
    verdicts = judge(found, objects)
    assert verdicts.right.tolist() == [1, 1, 0, 0] and verdicts.object.tolist() == [0, 1, -1, -1]
    assert judge(found, objects, matching="voc").object.tolist() == [0, 1, 1, -1]
    for seed in range(20):
        found, truth, classes = case_of(seed)
        score = mean_average_precision(found, truth, classes, thresholds=0.6)
        right = [judge(f, t, 0.6) for f, t in zip(found, truth, strict=True)]
        hits = sum(int((v.right == 1).sum()) for v in right)
        curves = [c for c in score.curves if len(c.recall)]
        assert hits == sum(round(c.recall[-1] * c.objects) for c in curves)
        for verdict, f, t in zip(right, found, truth, strict=True):
            for place in torch.nonzero(verdict.object >= 0)[:, 0].tolist():
                assert f.labels[place] == t.labels[verdict.object[place]]


def test_laws() -> None:
    found, truth, classes = case_of(7)
    base = mean_average_precision(found, truth, classes).map
    order = [2, 0, 1][: len(found)] if len(found) == 3 else list(range(len(found)))[::-1]
    distinct = [Detections(d.boxes, d.scores + torch.arange(len(d)) * 1e-7 + i * 1e-9, d.labels)
                for i, d in enumerate(found)]  # fmt: skip
    a = mean_average_precision(distinct, truth, classes).map
    b = mean_average_precision([distinct[i] for i in order], [truth[i] for i in order], classes).map
    assert a == pytest.approx(b)  # without ties the order of the pictures does not matter
    halved = [Detections(d.boxes, d.scores / 2, d.labels) for d in found]
    assert mean_average_precision(halved, truth, classes).map == pytest.approx(base)
    perfect = [Detections(t.boxes, torch.ones(len(t)), t.labels) for t in truth]
    plain = [Objects(t.boxes, t.labels) for t in truth]
    score = mean_average_precision(perfect, plain, classes, thresholds=COCO_THRESHOLDS)
    assert score.map == 1 and score.at(0.95) == 1


def test_shows_itself() -> None:
    found, truth, classes = case_of(11)
    score = mean_average_precision(found, truth, classes)
    page = score._repr_html_()
    assert page.count("<tr>") == classes + 1 and f"{score.map:.3f}" in page
    axes = score.figure().axes[0]
    assert len(axes.lines) == sum(curve.objects > 0 for curve in score.curves)
    assert found[0]._repr_html_().count("<tr>") == len(found[0]) + 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mean_average_precision([one()], [], 1), "not 1 and 0"),
        (lambda: mean_average_precision([], [], 1), "at least one"),
        (lambda: mean_average_precision([there()], [there()], 1), r"Detections\(\.\.\.\)"),
        (lambda: mean_average_precision([one((0, 0, 1, 1, 1))], [there()], 0), "count the 0"),
        (lambda: mean_average_precision([one()], [there()], 1, method="x"), "coco, voc07, voc"),
        (lambda: mean_average_precision([one()], [there()], 1, matching="x"), "coco or voc"),
        (lambda: mean_average_precision([one()], [there()], 1, size="tiny"), "small, medium"),
        (lambda: mean_average_precision([one()], [there()], 1, thresholds=0), "above 0"),
        (lambda: mean_average_precision([one()], [there()], 1).at(0.75), "was not asked for"),
        (lambda: average_precision(np.ones(1), np.ones(1), 1), "11, 101"),
        (lambda: one((4, 0, 1, 1, 1)), "right left of its left"),
        (lambda: Detections(torch.zeros(2, 4), torch.zeros(1), torch.zeros(2)), r"\(2,\), not"),
        (lambda: one((0, 0, 1, 1, math.nan)), "a score is nan"),
    ],
)
def test_what_cannot_work_is_said_in_one_sentence(call, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
