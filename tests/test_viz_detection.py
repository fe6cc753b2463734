"""The detection scene: every count, curve and colour against the metric, recomputed apart."""

import itertools
from typing import Any

import pytest
import torch

from lightcourse import viz
from lightcourse.detection import (
    Detections,
    Scenes,
    TinyDetector,
    iou,
    mean_average_precision,
    scenes,
)
from lightcourse.errors import UserError
from lightcourse.viz.scene import Scene, dumps
from lightcourse.viz.scenes._det_log import CLASSES, PICTURES, own, pack, remeasure, shipped
from lightcourse.viz.scenes._det_view import (
    CHOSEN,
    IOUS,
    LEFT,
    MISSED,
    PLOT,
    SCORES,
    SIDE,
    TALL,
    TOP,
    WIDE,
)
from lightcourse.viz.scenes._det_words import ANSWERS

STATES = list(itertools.product(range(4), range(len(IOUS)), (0, 5, 9, 14, 18)))


@pytest.fixture(scope="module")
def scene() -> Scene:
    return viz.detection()


def marks(scene: Scene, **state: int) -> dict[str, dict[str, Any]]:
    full = {"pic": 0, "cls": 0, "score": 5, "iou": 2, **state}
    return {mark["id"]: mark for mark in Scene(scene.spec, full).frame()}


def greedy(label: int, threshold: float, score: float) -> tuple[int, int, int]:
    """Right, wrong and missed of a class in all pictures, written apart from the metric."""
    log, right, wrong, objects = shipped(), 0, 0, 0
    for found, truth in zip(log.found, log.truth, strict=True):
        there = truth.boxes[truth.labels == label]
        rows = [i for i in range(len(found)) if found.labels[i] == label]
        taken: set[int] = set()
        objects += len(there)
        for i in sorted(rows, key=lambda i: -float(found.scores[i])):
            if float(found.scores[i]) < score:
                break
            shared = [
                (float(v), k) for k, v in enumerate(iou(found.boxes[i : i + 1], there)[0].tolist())
                if k not in taken and v >= threshold
            ]  # fmt: skip
            if shared:
                taken.add(max(shared)[1])
            right, wrong = right + bool(shared), wrong + (not shared)
    return right, wrong, objects - right


@pytest.mark.parametrize(("cls", "i", "s"), STATES[::3])
def test_counts_precision_and_recall(scene: Scene, cls: int, i: int, s: int) -> None:
    right, wrong, missed = greedy(cls, IOUS[i], SCORES[s])
    shown = marks(scene, cls=cls, iou=i, score=s)
    assert shown["right_s"]["s"] == f"{right} right"
    assert shown["wrong_s"]["s"] == f"{wrong} wrong"
    assert shown["missed_s"]["s"] == f"{missed} missed"
    precision = right / (right + wrong) if right + wrong else 1.0
    recall = right / (right + missed)
    assert shown["dot"]["cx"] == round(PLOT + WIDE * recall)
    assert shown["dot"]["cy"] == round(TOP + TALL * (1 - precision))
    said = Scene(scene.spec, {"pic": 0, "cls": cls, "iou": i, "score": s}).caption()
    assert f"{right} of {right + missed} objects of class" in said
    assert f"recall {recall:.2f}." in said
    assert f"precision {precision:.2f}" in said if right + wrong else "precision –" in said


@pytest.mark.parametrize("i", range(len(IOUS)))
def test_ap_curve_and_map(scene: Scene, i: int) -> None:
    log = shipped()
    score = mean_average_precision(log.found, log.truth, log.classes, thresholds=IOUS[i])
    for cls, name in enumerate(log.classes):
        shown = marks(scene, cls=cls, iou=i)
        assert shown["ap"]["s"] == f"AP {score.per_class()[name]:.3f}"
        assert shown["map"]["s"] == f"mAP of all classes {score.map:.3f}"
        assert shown["plot_t"]["s"] == f"precision of {name}"
        curve = score.curves[cls]
        points = [tuple(map(int, p.split())) for p in shown["curve"]["d"][1:].split("L")]
        x, y = PLOT + WIDE * curve.recall, TOP + TALL * (1 - curve.precision)
        assert points[0] == pytest.approx((x[0], y[0]), abs=0.51)
        assert points[-1] == pytest.approx((x[-1], y[-1]), abs=0.51)
        # the shaded area is what "AP" of every point would be; COCO's reading is close to it
        assert polygon(shown["under"]["d"]) / (WIDE * TALL) == pytest.approx(curve.ap, abs=0.02)


def polygon(path: str) -> float:
    """Area of a closed path of lines, by the shoelace rule."""
    points = [tuple(map(float, p.split())) for p in path[1:].rstrip("Z").split("L")]
    pairs = zip(points, points[1:] + points[:1], strict=True)
    return abs(sum(x * v - u * y for (x, y), (u, v) in pairs)) / 2


@pytest.mark.parametrize("pic", range(len(CHOSEN)))
def test_boxes_and_objects_of_a_picture(scene: Scene, pic: int) -> None:
    log, index = shipped(), CHOSEN[pic]
    found, truth = log.found[index], log.truth[index]
    for i, s in ((0, 0), (2, 5), (5, 9), (6, 18)):
        shown = marks(scene, pic=pic, iou=i, score=s)
        for k in range(len(found)):
            box = shown[f"box{k}"]
            assert box["opacity"] == int(found.scores[k] >= SCORES[s])
            x, y, *_ = (SIDE / 96 * v for v in found.boxes[k].clamp(0, 96).tolist())
            assert (box["x"], box["y"]) == pytest.approx((LEFT + x, TOP + y), abs=0.51)
            same = truth.boxes[truth.labels == found.labels[k]]
            near = len(same) and float(iou(found.boxes[k : k + 1], same).max()) >= IOUS[i]
            if box["stroke"] == "c1":  # right ones overlap; a wrong one may be a second one
                assert near and box["stroke-dasharray"] == "none"
            if not near:
                assert box["stroke"] == "bad"
            assert shown[f"name{k}"]["s"].endswith(f"{float(found.scores[k]):.2f}")
        strong = [k for k in range(len(found)) if shown[f"box{k}"]["opacity"]]
        right = sum(shown[f"box{k}"]["stroke"] == "c1" for k in strong)
        missed = [shown[f"true{k}"]["stroke"] == MISSED for k in range(len(truth))]
        assert len(truth) - sum(missed) == right
    spare = [m for m in shown if m.startswith("box") and not m.endswith("_edge")][len(found) :]
    assert all(shown[name]["opacity"] == 0 for name in spare)


def test_labels_lie_apart_where_there_is_room(scene: Scene) -> None:
    meetings = 0
    for pic in range(len(CHOSEN)):
        shown = marks(scene, pic=pic, score=5)
        plates = [m for n, m in shown.items() if n.startswith("plate") and m["opacity"]]
        for a, b in itertools.combinations(plates, 2):
            across = a["x"] < b["x"] + b["width"] and b["x"] < a["x"] + a["width"]
            meetings += across and abs(a["y"] - b["y"]) < a["height"]
    assert meetings <= 1


def test_the_question_is_answered_by_the_numbers(scene: Scene) -> None:
    log = shipped()
    loose, tight = (
        mean_average_precision(log.found, log.truth, log.classes, thresholds=t).map
        for t in (0.5, 0.8)
    )
    ask = scene.spec["ask"]
    assert tight < loose / 2 and ask["options"][ask["answer"]] == ANSWERS[2]
    assert f"from {loose:.3f} to {tight:.3f}" in ask["replies"][0]
    assert IOUS[ask["from"]] > 0.5


def test_a_readers_own_detector(scene: Scene) -> None:
    torch.manual_seed(0)
    part = scenes(1, 3, size=64, cache=False).test
    model = TinyDetector()
    with torch.no_grad():
        model.fine.bias.zero_()  # it finds something everywhere
    mine = viz.detection(model, part)
    assert "ask" not in mine.spec and "in 3 pictures" in mine.caption()
    assert len(mine.spec["params"][0]["options"]) == 3
    nothing = viz.detection(TinyDetector(), part)
    assert "and 0 boxes are wrong: precision –" in nothing.at(score=18).caption()
    one = [(torch.tensor([[9.0, 9, 99, 99]]), torch.tensor([0]))] * 2
    grey = Scenes.of(torch.zeros(2, 3, 160, 320, dtype=torch.uint8), one, ["one"])
    assert viz.detection(TinyDetector(1), grey).spec["params"][1]["options"] == ["one"]
    for wrong, words in (((model, 3), "Scenes"), ((3, part), "a detector is")):
        with pytest.raises(UserError, match=words):
            viz.detection(*wrong)
    many = Scenes.of(grey.images, [(torch.zeros(0, 4), torch.zeros(0))] * 2, "abcdefghi")
    with pytest.raises(UserError, match=f"room for {CLASSES} classes"):
        viz.detection(model, many)


def test_the_log_is_what_its_code_writes(monkeypatch) -> None:
    log = shipped()
    assert len(log.found) == PICTURES and log.truth[0].boxes.shape[1] == 4
    rows = pack(log.found)
    again = [Detections(f.boxes, f.scores, f.labels) for f in log.found]
    assert pack(again) == rows and max(map(len, rows)) <= 12
    assert all(row[4] >= 0.05 for one in rows for row in one)
    quick = remeasure(train=64, epochs=1)  # the same way, much shorter
    assert len(quick) == PICTURES
    part = scenes(1, PICTURES, cache=False).test
    assert len(own(TinyDetector(), part).found) == PICTURES


def test_size(scene: Scene) -> None:
    assert len(scene.spec["marks"]) < 150 and len(dumps(scene.spec).encode()) < 140_000
