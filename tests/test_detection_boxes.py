"""Boxes, their overlaps and codes, anchors, and non-maximum suppression: numbers, oracles, laws."""

import math
import random

import pytest
import torch
from torch import Tensor

from lightcourse import create_model
from lightcourse._torchvision import import_torchvision
from lightcourse.detection import (
    YOLOV2,
    YOLOV3,
    YOLOV4_TINY,
    Coding,
    Level,
    area,
    boxes_of,
    codes_of,
    convert,
    decode,
    encode,
    iou,
    iou_of_pairs,
    kmeans_anchors,
    nms,
    places_of,
    read_maps,
    scenes,
    shape_iou,
    soft_nms,
    to_pixels,
    to_shares,
)
from lightcourse.detection.boxes import FORMATS, KINDS
from lightcourse.detection.predict import coding_of
from lightcourse.detection.tiny import LEVELS
from lightcourse.errors import UserError


def some_boxes(n: int, seed: int = 0, whole: bool = False, side: float = 40.0) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    corner, size = torch.rand(n, 2, generator=g) * side, torch.rand(n, 2, generator=g) * 20 + 1
    boxes = torch.cat([corner, corner + size], 1)
    return boxes.round() if whole else boxes


# formats


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_formats_agree_with_torchvision(source: str, target: str) -> None:
    ops = import_torchvision().ops
    boxes = ops.box_convert(some_boxes(50), "xyxy", source)
    theirs = ops.box_convert(boxes, source, target)
    torch.testing.assert_close(convert(boxes, source, target), theirs)
    torch.testing.assert_close(convert(convert(boxes, source, target), target, source), boxes)


def test_shares_of_the_picture_go_by_side() -> None:
    boxes = torch.tensor([[10.0, 20.0, 30.0, 60.0]])
    shares = to_shares(boxes, (100, 50))
    torch.testing.assert_close(shares, torch.tensor([[0.2, 0.2, 0.6, 0.6]]))
    torch.testing.assert_close(to_pixels(shares, (100, 50)), boxes)


def test_whole_numbers_get_a_middle() -> None:
    assert convert(torch.tensor([0, 0, 3, 5]), "xyxy", "cxcywh").tolist() == [1.5, 2.5, 3.0, 5.0]
    assert area(torch.tensor([[1, 2, 4, 4]])).tolist() == [6.0]


# overlap


def test_the_hand_computed_overlaps() -> None:
    a, b = torch.tensor([[0.0, 0, 4, 2]]), torch.tensor([[1.0, 1, 3, 5]])
    values = [iou(a, b, kind).item() for kind in KINDS]
    expected = [0.1428571429, -0.1571428571, 0.0452961675, 0.0178167803]
    assert values == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_overlaps_equal_torchvision(kind: str) -> None:
    ops = import_torchvision().ops
    names = {"iou": "box_iou", "giou": "generalized_box_iou", "diou": "distance_box_iou"}
    a, b = some_boxes(30, 1), some_boxes(20, 2)
    theirs = getattr(ops, names.get(kind, "complete_box_iou"))(a, b)
    torch.testing.assert_close(iou(a, b, kind), theirs, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        iou_of_pairs(a[:20], b, kind), theirs[:20].diagonal(), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("kind", ["giou", "diou", "ciou"])
def test_gradients_equal_torchvision(kind: str) -> None:
    names = {"giou": "generalized", "diou": "distance", "ciou": "complete"}
    theirs = getattr(import_torchvision().ops, f"{names[kind]}_box_iou_loss")
    a, b = some_boxes(40, 3).requires_grad_(), some_boxes(40, 4)
    ours = torch.autograd.grad((1 - iou_of_pairs(a, b, kind)).sum(), a)[0]
    other = torch.autograd.grad(theirs(a, b, reduction="sum"), a)[0]
    torch.testing.assert_close(ours, other, atol=1e-5, rtol=1e-4)


def test_only_the_plain_iou_is_blind_to_boxes_far_apart() -> None:
    a, b = torch.tensor([[0.0, 0, 4, 4]], requires_grad=True), torch.tensor([[9.0, 0, 13, 4]])
    steepest = {
        k: torch.autograd.grad(iou_of_pairs(a, b, k).sum(), a)[0].abs().max() for k in KINDS
    }
    assert steepest["iou"] == 0 and min(steepest[k] for k in KINDS[1:]) > 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_laws_of_overlap(kind: str) -> None:
    a, b = some_boxes(25, 5), some_boxes(25, 6)
    value = iou(a, b, kind)
    low, high = (0.0, 1.0) if kind == "iou" else (-2.0 if kind == "ciou" else -1.0, 1.0)
    assert low <= value.min() and value.max() <= high + 1e-6
    torch.testing.assert_close(iou(a, a, kind).diagonal(), torch.ones(25))
    torch.testing.assert_close(iou(3 * a + 7, 3 * b + 7, kind), value, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(iou(b, a, kind), value.T, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_without_area_give_numbers_and_gradients(kind: str) -> None:
    point = torch.tensor([[2.0, 2, 2, 2]], requires_grad=True)
    value = iou(point, torch.tensor([[2.0, 2, 2, 2], [0.0, 0, 4, 4]]), kind)
    value.sum().backward()
    assert value.isfinite().all() and point.grad is not None and point.grad.isfinite().all()
    assert iou(torch.empty(0, 4), some_boxes(3), kind).shape == (0, 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: iou(torch.zeros(3), torch.zeros(1, 4)), r"four numbers a box, not \(3,\)"),
        (lambda: iou(torch.zeros(4), torch.zeros(1, 4)), r"one box is boxes\[None\]"),
        (lambda: iou([[0, 0, 1, 1]], torch.zeros(1, 4)), "not list"),
        (lambda: iou(torch.tensor([[5.0, 0, 1, 1]]), torch.zeros(1, 4)), "right left of its left"),
        (lambda: iou(torch.full((1, 4), math.nan), torch.zeros(1, 4)), "or nan"),
        (lambda: iou(torch.zeros(1, 4), torch.zeros(1, 4), "eiou"), "choose one of iou, giou"),
        (lambda: iou_of_pairs(torch.zeros(2, 4), torch.zeros(1, 4)), "as many boxes on both"),
        (lambda: convert(torch.zeros(4), "xyxy", "yxyx"), "there is no box format 'yxyx'"),
        (lambda: to_shares(torch.zeros(4), (0, 4)), "height and a width above 0"),
        (lambda: nms(torch.zeros(2, 4), torch.zeros(3)), r"scores are one number a box, \(2,\)"),
        (lambda: nms(torch.zeros(1, 4), torch.zeros(1), 1.5), "choose 0 to 1"),
        (lambda: nms(torch.zeros(1, 4), torch.zeros(1), operator="x"), "there is no operator"),
        (lambda: nms(torch.zeros(1, 4), torch.tensor([math.nan])), "none of them is nan"),
        (lambda: soft_nms(torch.zeros(1, 4), torch.zeros(1), sigma=0), "above 0"),
        (lambda: kmeans_anchors(torch.ones(3, 2), 2), "1 to 1"),
        (lambda: kmeans_anchors(torch.zeros(3, 2), 1), "above 0"),
        (lambda: decode([torch.zeros(1, 7, 2, 2)], LEVELS), "2 scales"),
        (lambda: decode(torch.zeros(1, 7, 2, 2), [Level(8, ((1, 1),))]), "a tuple"),
        (lambda: decode([torch.zeros(1, 7, 2, 2)], [Level(8, ((1, 1), (2, 2)))]), "7 channels"),
        (lambda: coding_of(create_model("yolov4", num_classes=1)), "three heads"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_said_in_one_sentence(call, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


# codes


def test_a_code_by_hand() -> None:
    places = places_of([Level(16, ((20, 30), (8, 8)))], [(2, 3)])
    codes = torch.zeros(12, 4)
    codes[9] = torch.tensor([1.0, -1.0, math.log(2), 0.0])  # cell 4: column 1, row 1; anchor 1
    found = boxes_of(codes, places)[9]
    x, y = 16 * (1 + 1 / (1 + math.exp(-1))), 16 * (1 + 1 / (1 + math.e))
    torch.testing.assert_close(found, torch.tensor([x - 8, y - 4, x + 8, y + 4]))
    stretched = boxes_of(codes, places, Coding(reach=1.2))[9]
    shift = 0.2 * 16 * (1 / (1 + math.exp(-1)) - 0.5)
    torch.testing.assert_close(stretched[0] - found[0], torch.tensor(shift))


@pytest.mark.parametrize("coding", [YOLOV2, YOLOV3, YOLOV4_TINY])
def test_decode_and_encode_are_inverse(coding: Coding) -> None:
    g = torch.Generator().manual_seed(0)
    shapes = [(3, 5), (6, 10)]
    maps = [torch.randn(2, 2 * 8, *shape, generator=g, dtype=torch.float64) for shape in shapes]
    found = decode(maps, LEVELS, coding)
    assert found.boxes.shape == (2, 2 * (15 + 60), 4) and found.classes.shape[2] == 3
    for ours, raw in zip(encode(found, LEVELS, shapes, coding), maps, strict=True):
        torch.testing.assert_close(ours, raw, atol=1e-10, rtol=0)


@pytest.mark.parametrize("name", ["yolov2_tiny", "yolov3_tiny", "yolov4_tiny"])
def test_the_yolo_networks_maps_become_boxes(name: str) -> None:
    torch.manual_seed(0)
    model = create_model(name, num_classes=3).eval()
    with torch.no_grad():
        maps = [raw.double() for raw in model(torch.randn(1, 3, 64, 96))]
    coding = coding_of(model)
    assert coding == {"yolov2": YOLOV2, "yolov3": YOLOV3, "yolov4": YOLOV4_TINY}[name[:6]]
    cells = [(64 // s.stride, 96 // s.stride) for s in model.scales]
    found = decode(maps, model.scales, coding)
    places = sum(h * w * len(s.anchors) for (h, w), s in zip(cells, model.scales, strict=True))
    assert found.boxes.shape == (1, places, 4) and found.classes.shape == (1, places, 3)
    for ours, raw in zip(encode(found, model.scales, cells, coding), maps, strict=True):
        torch.testing.assert_close(ours, raw, atol=1e-9, rtol=0)
    kept = read_maps(maps, model.scales, coding, threshold=0.1)[0]
    assert len(kept) and (kept.scores[1:] <= kept.scores[:-1]).all()


def test_classes_share_a_softmax_in_version_two_only() -> None:
    raw = torch.zeros(1, 7, 1, 1)
    raw[0, 4:, 0, 0] = torch.tensor([50.0, 1.0, 0.0])
    level = [Level(8, ((8, 8),))]
    for coding, score in (
        (YOLOV2, torch.tensor([1.0, 0.0]).softmax(0)[0]),
        (YOLOV3, torch.sigmoid(torch.tensor(1.0))),
    ):
        assert read_maps([raw], level, coding)[0].scores.item() == pytest.approx(score.item())


def test_no_code_reaches_another_cell() -> None:
    places = places_of([Level(8, ((10, 10),))], [(1, 2)])
    one = torch.tensor([[1.0, 1, 5, 5], [1.0, 1, 5, 5]])  # the second belongs to the first cell
    with pytest.raises(UserError, match="outside the cell"):
        codes_of(one, places)
    with pytest.raises(UserError, match="without width or height"):
        codes_of(torch.tensor([[4.0, 4, 4, 4], [12.0, 4, 12, 4]]), places)


# anchors


def test_kmeans_finds_the_groups_that_are_there() -> None:
    g = torch.Generator().manual_seed(1)
    centres = torch.tensor([[12.0, 20.0], [30.0, 30.0], [70.0, 25.0]])
    sizes = (centres[:, None] * (0.95 + 0.1 * torch.rand(3, 40, 2, generator=g))).reshape(-1, 2)
    found = kmeans_anchors(sizes, 3)
    torch.testing.assert_close(torch.tensor(found.shapes), centres, rtol=0.05, atol=0)
    assert found.mean_iou > 0.93
    assert kmeans_anchors(sizes, 3) == found


def test_more_anchors_fit_better_and_ours_are_kmeans() -> None:
    part = scenes(400, 1).train
    sizes = (part.boxes[..., 2:] - part.boxes[..., :2])[part.labels >= 0]
    fits = [kmeans_anchors(sizes, count) for count in (1, 2, 4)]
    assert fits[0].mean_iou < fits[1].mean_iou < fits[2].mean_iou
    ours = torch.tensor([a for level in LEVELS for a in level.anchors])
    kept = shape_iou(sizes, ours).amax(1).mean()
    assert kept > fits[2].mean_iou - 0.01  # the rounded ones of tiny.py


# non-maximum suppression


def slow_nms(boxes: list, scores: list, threshold: float) -> list[int]:
    """The rule in plain Python, in single precision as torch computes."""
    values = torch.tensor(boxes).reshape(-1, 4)
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    kept: list[int] = []
    for i in order:
        (ax, ay, bx, by), good = values[i], True
        for j in kept:
            cx, cy, dx, dy = values[j]
            w, h = torch.min(bx, dx) - torch.max(ax, cx), torch.min(by, dy) - torch.max(ay, cy)
            inter = max(float(w), 0.0) * max(float(h), 0.0)
            whole = float((bx - ax) * (by - ay) + (dx - cx) * (dy - cy)) - inter
            good &= not (whole > 0 and inter / whole > threshold)
        if good:
            kept.append(i)
    return kept


def test_nms_equals_torchvision_on_a_thousand_sets() -> None:
    draw = random.Random(0)
    kinds = {"empty": 0, "ties": 0, "dropped": 0}
    for case in range(1000):
        n = 0 if case % 50 == 0 else draw.randint(1, 24)
        boxes = some_boxes(n, case, whole=case % 2 == 0, side=8.0)
        scores = torch.rand(n, generator=torch.Generator().manual_seed(case))
        if case % 3 == 0:
            scores = (scores * 4).round() / 4  # many equal ones
        threshold = draw.choice([0.0, 0.25, 0.5, 1 / 3, 0.7, 1.0])
        ours = nms(boxes, scores, threshold, operator="ours")
        theirs = nms(boxes, scores, threshold, operator="torchvision")
        assert ours.tolist() == theirs.tolist(), f"case {case}"
        assert ours.dtype == torch.long
        kinds["empty"] += n == 0
        kinds["ties"] += len(scores.unique()) < n
        kinds["dropped"] += len(ours) < n
    assert kinds["empty"] == 20 and min(kinds.values()) >= 20 and kinds["dropped"] > 500


def test_nms_equals_the_rule_in_plain_python() -> None:
    for case in range(40):  # quarters: their areas and IoUs are exact enough to compare with 0.5
        boxes = (some_boxes(12, case, side=16.0) * 4).round() / 4
        scores = (torch.rand(12, generator=torch.Generator().manual_seed(case)) * 6).round() / 6
        for threshold in (0.3, 0.5):
            assert nms(boxes, scores, threshold, operator="ours").tolist() == slow_nms(
                boxes.tolist(), scores.tolist(), threshold
            )


def test_at_the_threshold_a_box_stays() -> None:
    boxes = torch.tensor([[0.0, 0, 4, 4], [0.0, 0, 4, 2]])  # IoU exactly ½
    scores = torch.tensor([0.9, 0.8])
    assert nms(boxes, scores, 0.5).tolist() == [0, 1]
    assert nms(boxes, scores, 0.49).tolist() == [0]


def test_a_third_is_compared_as_the_compiled_operator_does() -> None:
    boxes = torch.tensor([[0.0, 0, 2, 1], [1.0, 0, 3, 1]])  # IoU 1/3, as float32 a little more
    scores = torch.tensor([0.9, 0.8])
    for operator in ("ours", "torchvision"):
        assert nms(boxes, scores, 1 / 3, operator=operator).tolist() == [0]
        assert nms(boxes, scores, 0.34, operator=operator).tolist() == [0, 1]


def test_a_class_drops_only_its_own() -> None:
    ops = import_torchvision().ops
    for case in range(60):
        boxes = some_boxes(20, case, whole=True, side=16.0)
        g = torch.Generator().manual_seed(case)
        scores, classes = torch.rand(20, generator=g), torch.randint(0, 3, (20,), generator=g)
        theirs = ops.batched_nms(boxes, scores, classes, 0.4)
        assert nms(boxes, scores, 0.4, classes, operator="ours").tolist() == theirs.tolist()
    assert nms(torch.empty(0, 4), torch.empty(0), 0.4, torch.empty(0)).shape == (0,)


def test_soft_nms_by_hand_and_at_its_ends() -> None:
    boxes = torch.tensor([[0.0, 0, 4, 4], [0.0, 0, 4, 2], [10.0, 0, 14, 4]])
    scores = torch.tensor([0.9, 0.8, 0.5])
    kept, values = soft_nms(boxes, scores, sigma=0.5)
    assert kept.tolist() == [0, 2, 1]
    assert values.tolist() == pytest.approx([0.9, 0.5, 0.8 * math.exp(-0.25 / 0.5)])
    kept, values = soft_nms(boxes, scores, iou_threshold=0.5)
    assert kept.tolist() == [0, 2, 1] and values[2].item() == pytest.approx(0.4)
    kept, values = soft_nms(boxes, scores, iou_threshold=0.6)
    assert kept.tolist() == [0, 1, 2]
    assert soft_nms(boxes, scores, sigma=0.01)[0].tolist() == [0, 2]  # so sharp that it drops
    assert len(soft_nms(torch.empty(0, 4), torch.empty(0))[0]) == 0
