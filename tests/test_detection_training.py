"""Losses by hand and against torchvision, the tiny detector, and its training: bits, stops, mAP."""

import copy
import dataclasses
import math
import pickle
import signal

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse import analyze, create_model
from lightcourse._torchvision import import_torchvision
from lightcourse.detection import (
    YOLOV2,
    YOLOV3,
    Decoded,
    DetectorEpoch,
    DetectorHistory,
    Level,
    Scenes,
    SceneSplits,
    TinyDetector,
    Truth,
    assign,
    decode,
    detect,
    draw_boxes,
    encode,
    evaluate_detector,
    fit_detector,
    focal_loss,
    iou_of_pairs,
    pad_truth,
    prepare,
    scenes,
    yolo_loss,
)
from lightcourse.detection.fit import DetectorSettings, _Run
from lightcourse.detection.losses import BOX_LOSSES
from lightcourse.errors import UserError
from lightcourse.training import CheckpointError, Diverged, Interrupted
from lightcourse.training._world import World

LEVELS = [Level(16, ((24, 24), (32, 16))), Level(8, ((8, 8),))]
SHAPES = [(2, 2), (4, 4)]  # pictures of 32 × 32 px
FLAT = 2 * 2 * 2  # places of the coarse map; those of the fine one follow


def objects(*rows: tuple[float, float, float, float, int]) -> tuple[Tensor, Tensor]:
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 5)
    return table[:, :4], table[:, 4].long()


# which place answers


def test_each_object_goes_to_its_cell_and_to_the_anchor_most_like_it() -> None:
    truth = pad_truth([objects((2, 2, 10, 10, 0)), objects((4, 16, 28, 30, 1), (20, 3, 29, 11, 2))])
    found = assign(truth, LEVELS, SHAPES)
    rows = set(zip(*(part.tolist() for part in found), strict=True))
    # picture 0: middle (6, 6), fine cell (0, 0). picture 1: middle (16, 23), coarse cell row 1,
    # column 1, its second anchor; and middle (24.5, 7), fine cell row 0, column 3
    assert rows == {(0, FLAT, 0), (1, (1 * 2 + 1) * 2 + 1, 0), (1, FLAT + 3, 1)}


def test_the_smaller_object_wins_a_place() -> None:
    both = objects((1, 1, 9, 9, 0), (2, 2, 8, 8, 1))
    for order in ([0, 1], [1, 0]):
        truth = pad_truth([(both[0][order], both[1][order])])
        found = assign(truth, LEVELS, SHAPES)
        assert truth.labels[0, found.object].tolist() == [1] and found.place.tolist() == [FLAT]


def test_also_adds_anchors_of_a_like_shape() -> None:
    truth = pad_truth([objects((4, 4, 28, 26, 0))])  # 24 × 22: IoU 0.92, 0.60 and 0.12
    for also, count in ((1.0, 1), (0.7, 1), (0.5, 2), (0.1, 3)):
        assert len(assign(truth, LEVELS, SHAPES, also).place) == count


def test_a_middle_on_the_border_stays_in_the_grid() -> None:
    found = assign(pad_truth([objects((28, 28, 36, 36, 0))]), LEVELS, SHAPES)
    assert found.place.tolist() == [FLAT + 15]
    assert len(assign(pad_truth([objects()]), LEVELS, SHAPES).place) == 0


# losses


def perfect(truth: Truth, classes: int, sure: float = 20.0) -> tuple[Tensor, ...]:
    """Maps that say what is there, and nothing else."""
    found = assign(truth, LEVELS, SHAPES)
    blank = decode([torch.zeros(len(truth.labels), len(s.anchors) * (5 + classes), *shape)
                    for s, shape in zip(LEVELS, SHAPES, strict=True)], LEVELS)  # fmt: skip
    boxes, sureness = blank.boxes.clone(), torch.full_like(blank.objectness, -sure)
    kinds = torch.full_like(blank.classes, -sure)
    boxes[found.picture, found.place] = truth.boxes[found.picture, found.object]
    sureness[found.picture, found.place] = sure
    kinds[found.picture, found.place, truth.labels[found.picture, found.object]] = sure
    return encode(Decoded(boxes, sureness, kinds), LEVELS, SHAPES)


TRUTH = pad_truth(
    [objects((2, 2, 10, 11, 0), (5, 14, 29, 28, 2)), objects((18, 3, 27, 11, 1)), objects()]
)


@pytest.mark.parametrize("box", BOX_LOSSES)
@pytest.mark.parametrize("coding", [YOLOV2, YOLOV3])
def test_maps_that_are_right_cost_nothing(box: str, coding) -> None:
    loss = yolo_loss(perfect(TRUTH, 3), TRUTH, LEVELS, coding, box=box)
    assert loss.total.item() == pytest.approx(0, abs=1e-4)
    assert loss.total.item() == pytest.approx(sum(part.item() for part in loss[1:]), abs=1e-6)


def test_each_part_by_hand() -> None:
    truth = pad_truth([objects((1, 1, 9, 9, 1))])
    level = [Level(8, ((8, 8),))]
    raw = torch.zeros(1, 7, 2, 2)  # every box is an anchor around its cell's middle
    loss = yolo_loss([raw], truth, level, box="iou", ignore=1.0, weights=(1, 1, 1))
    inter = 7 * 7
    assert loss.box.item() == pytest.approx(1 - inter / (128 - inter))
    assert loss.objectness.item() == pytest.approx(4 * math.log(2))
    assert loss.classes.item() == pytest.approx(math.log(2))
    coded = yolo_loss([raw], truth, level, box="coded", weights=(1, 0, 0))
    # σ(0) against 5/8 in x and y, sizes right; the box is as large as the largest anchor
    assert coded.total.item() == pytest.approx(2 * (1 / 8) ** 2, rel=1e-4)
    heavy = yolo_loss([raw], truth, level, box="iou", ignore=1.0, weights=(3, 0, 2))
    assert heavy.total.item() == pytest.approx(3 * loss.box.item() + 2 * math.log(2))


def test_a_box_that_lies_well_is_not_told_to_be_empty() -> None:
    truth = pad_truth([objects((3, 1, 11, 9, 0))])  # its middle (7, 5) is in the first cell
    raw = torch.zeros(1, 6, 2, 2)
    raw[0, 0, 0, 1] = -10.0  # the second cell's box is moved to its left edge: IoU ½ or more
    full = yolo_loss([raw], truth, [Level(8, ((8, 8),))], ignore=1.0).objectness
    spared = yolo_loss([raw], truth, [Level(8, ((8, 8),))], ignore=0.5).objectness
    assert full.item() == pytest.approx(4 * math.log(2))
    assert spared.item() == pytest.approx(3 * math.log(2))


def test_padding_changes_nothing_and_pictures_without_objects_count() -> None:
    torch.manual_seed(0)
    maps = [torch.randn(3, 2 * 8, 2, 2), torch.randn(3, 8, 4, 4)]
    loss = yolo_loss(maps, TRUTH, LEVELS, also=0.5)
    padded = Truth(F.pad(TRUTH.boxes, (0, 0, 2, 3)), F.pad(TRUTH.labels, (2, 3), value=-1))
    torch.testing.assert_close(yolo_loss(maps, padded, LEVELS, also=0.5), loss)
    empty = yolo_loss(maps, pad_truth([objects()] * 3), LEVELS)
    assert empty.box == 0 and empty.classes == 0 and empty.objectness > 0


@pytest.mark.parametrize("box", BOX_LOSSES)
def test_going_down_the_gradient_leads_to_the_objects(box: str) -> None:
    torch.manual_seed(0)
    maps = [torch.randn(3, 16, 2, 2).requires_grad_(), torch.randn(3, 8, 4, 4).requires_grad_()]
    optimizer = torch.optim.Adam(maps, lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        yolo_loss(maps, TRUTH, LEVELS, box=box).total.backward()
        optimizer.step()
    found = assign(TRUTH, LEVELS, SHAPES)
    boxes = decode(maps, LEVELS).boxes[found.picture, found.place]
    assert iou_of_pairs(boxes, TRUTH.boxes[found.picture, found.object]).min() > 0.9


@pytest.mark.parametrize(("gamma", "alpha"), [(2.0, 0.25), (0.0, None), (1.5, 0.6)])
def test_focal_loss_equals_torchvision(gamma: float, alpha: float | None) -> None:
    theirs = import_torchvision().ops.sigmoid_focal_loss
    g = torch.Generator().manual_seed(0)
    logits = (4 * torch.randn(5, 7, generator=g)).requires_grad_()
    target = (torch.rand(5, 7, generator=g) < 0.3).float()
    ours = focal_loss(logits, target, gamma, alpha)
    other = theirs(logits, target, -1 if alpha is None else alpha, gamma)
    torch.testing.assert_close(ours, other)
    mine, his = (torch.autograd.grad(t.sum(), logits)[0] for t in (ours, other))
    torch.testing.assert_close(mine, his, atol=1e-6, rtol=1e-4)


# the network


def test_the_tiny_detector_is_tiny_and_takes_other_settings() -> None:
    model = TinyDetector()
    assert sum(p.numel() for p in model.parameters()) == 193_316
    assert analyze(model, (1, 3, 96, 96)).macs == 20_471_616
    with torch.device("meta"):
        assert TinyDetector()(torch.empty(2, 3, 64, 128))[0].shape == (2, 18, 4, 8)
    assert pickle.loads(pickle.dumps(model)).scales == model.scales
    other = TinyDetector(2, in_channels=1, levels=[Level(16, ((9, 9),)), Level(8, ((5, 5),))])
    assert [m.shape[1] for m in copy.deepcopy(other)(torch.zeros(1, 1, 32, 32))] == [7, 7]
    torch.export.export(model.eval(), (torch.zeros(1, 3, 96, 96),))
    starts = detect(model, torch.zeros(1, 3, 96, 96, dtype=torch.uint8), threshold=0.1)
    assert len(starts[0]) == 0  # it begins by finding nothing


def test_detect_leaves_the_model_and_batches_alone() -> None:
    torch.manual_seed(0)
    model = TinyDetector().train()
    for layer in (model.coarse, model.fine):
        nn.init.normal_(layer.weight, std=5.0)
        nn.init.normal_(layer.bias)
    images = torch.randint(0, 256, (53, 3, 32, 32), dtype=torch.uint8)
    state = bits(model)
    together = detect(model, images, threshold=0.3)
    assert model.training and sum(map(len, together)) > 20
    assert bits(model) == state
    alone = detect(model, images[52:], threshold=0.3)[0]
    torch.testing.assert_close(alone.boxes, together[52].boxes, atol=1e-3, rtol=1e-4)
    floats = detect(model, prepare(images[52:]), threshold=0.3)[0]
    assert torch.equal(floats.boxes, alone.boxes)


# training


@pytest.fixture(scope="module")
def splits() -> SceneSplits:
    return scenes(24, 6, size=64, lengths=(14, 32), cache=False)


def model(seed: int = 0) -> TinyDetector:
    torch.manual_seed(seed)
    return TinyDetector()


def quick(net: nn.Module, splits: SceneSplits, **choices) -> DetectorHistory:
    return fit_detector(net, splits, **{"epochs": 2, "batch_size": 8, "progress": False, **choices})


def bits(net: nn.Module) -> list[bytes]:
    return [t.contiguous().numpy().tobytes() for t in net.state_dict().values()]


def numbers(history: DetectorHistory) -> list[DetectorEpoch]:
    return [dataclasses.replace(row, seconds=0.0) for row in history.epochs]


def test_a_short_training_finds_most_objects() -> None:
    made = scenes(1600, 100, size=64, lengths=(14, 32), clutter=2, cache=False)
    net = model()
    before = evaluate_detector(net, made.test).map
    history = fit_detector(net, made, epochs=5, batch_size=16, lr=6e-3, progress=False)
    assert before < 0.02 and history.map > 0.4
    assert history.map == pytest.approx(evaluate_detector(net, made.test).map, abs=1e-6)
    found = detect(net, made.test.images[:2])
    truth = [made.test.objects(index) for index in range(2)]
    figure = draw_boxes(made.test.images[:2], found, truth, made.test.classes)
    assert [len(a.patches) for a in figure.axes] == [
        len(f) + len(t) for f, t in zip(found, truth, strict=True)
    ]


def test_equal_arguments_give_equal_bits(splits: SceneSplits) -> None:
    one, other, third = model(), model(), model()
    first, second = quick(one, splits), quick(other, splits)
    assert numbers(first) == numbers(second) and bits(one) == bits(other)
    assert numbers(quick(third, splits, seed=1)) != numbers(first)
    assert not one.training


def test_a_stopped_run_ends_as_if_it_had_not_stopped(splits: SceneSplits, tmp_path, capsys) -> None:
    whole, stopped = model(), model()
    through = quick(whole, splits, epochs=3)

    def stop(row: DetectorEpoch) -> None:
        if row.epoch == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted, match="The state after epoch 2 is saved in") as caught:
        quick(stopped, splits, epochs=3, out=tmp_path / "run", progress=stop)
    assert caught.value.done == 2
    fresh = model()
    rest = quick(fresh, splits, epochs=3, out=tmp_path / "run")
    assert "Going on after epoch 2 of 3" in capsys.readouterr().err
    assert numbers(rest) == numbers(through) and bits(fresh) == bits(whole)
    again = quick(model(), splits, epochs=3, out=tmp_path / "run")
    assert "nothing is trained again" in capsys.readouterr().err
    assert numbers(again) == numbers(through)
    assert (tmp_path / "run" / "history.csv").read_text() == again.to_csv()
    with pytest.raises(UserError, match="holds another run, made with box"):
        quick(model(), splits, epochs=3, out=tmp_path / "run", box="giou")
    (tmp_path / "run" / "checkpoint.pt").write_bytes(b"half")
    with pytest.raises(CheckpointError, match="damaged"):
        quick(model(), splits, epochs=3, out=tmp_path / "run")


def test_an_average_of_the_weights_is_what_is_tested(splits: SceneSplits) -> None:
    net = model()
    history = quick(net, splits, ema=0.5)
    assert history.map == pytest.approx(evaluate_detector(net, splits.test).map)


def test_a_mirrored_batch_shows_the_same_objects(splits: SceneSplits) -> None:
    run = _Run(model(), splits, settings(batch_size=8), World(torch.device("cpu")))
    chosen = torch.arange(16)
    images, truth = run.batch(chosen)
    plain, boxes = prepare(splits.train.images[chosen]), splits.train.boxes[chosen]
    turned = [i for i in range(16) if not torch.equal(images[i], plain[i])]
    assert 3 <= len(turned) <= 13
    for i in range(16):
        assert torch.equal(images[i], plain[i].flip(-1) if i in turned else plain[i])
        for k in range(boxes.shape[1]):
            if truth.labels[i, k] >= 0:
                x1, y1, x2, y2 = boxes[i, k].tolist()
                wanted = [64 - x2, y1, 64 - x1, y2] if i in turned else [x1, y1, x2, y2]
                assert truth.boxes[i, k].tolist() == pytest.approx(wanted, abs=1e-4)


def settings(**choices) -> DetectorSettings:
    base = {
        "epochs": 1, "batch_size": 8, "optimizer": "adamw", "lr": 1e-3, "momentum": 0.9,
        "schedule": "onecycle", "warmup": 0.1, "weight_decay": 0.05, "label_smoothing": 0.0,
        "ema": None, "amp": False, "channels_last": True, "clip": None, "patience": None,
        "seed": 0, "deterministic": False, "augment": None, "device": "cpu", "threads": 1,
        "flip": True, "box": "ciou", "also": 0.5, "ignore": 0.5, "weights": (2.0, 1.0, 1.0),
    }  # fmt: skip
    return DetectorSettings(**{**base, **choices})


@pytest.mark.parametrize("name", ["yolov2_tiny", "yolov4_tiny"])
def test_a_published_network_trains_too(name: str, splits: SceneSplits) -> None:
    torch.manual_seed(0)
    net = create_model(name, num_classes=4)
    history = quick(
        net,
        SceneSplits(splits.train.subset(4), splits.test.subset(2)),
        epochs=1,
        batch_size=4,
        lr=1e-4,
    )
    assert math.isfinite(history.last.loss) and history.config["model"] == type(net).__name__


def test_the_history_tells_shows_and_draws(splits: SceneSplits, tmp_path, capsys) -> None:
    seen: list[DetectorEpoch] = []
    history = quick(model(), splits, progress=seen.append)
    assert seen == list(history.epochs) and history.map == history.last.map
    assert "mAP at IoU 0.5" in str(history) and history._repr_html_().count("<tr>") == 3
    assert len(history.plot().axes) == 2 and history.to_dict()["config"]["box"] == "ciou"
    quick(model(), splits, epochs=1, progress=True)
    assert "mAP" in capsys.readouterr().err
    with pytest.raises(UserError, match="cannot write"):
        history.to_csv(tmp_path / "none" / "x.csv")
    best = DetectorHistory(
        tuple(DetectorEpoch(i, 1, 1, 1, m, 0.1, 1) for i, m in enumerate((0.2, math.nan, 0.4, 0.4)))
    )
    assert best.best.epoch == 2 and best.seconds == 4
    with pytest.raises(UserError, match="no epoch is finished"):
        _ = DetectorHistory(()).last


def test_a_loss_that_is_no_number_stops_at_once(splits: SceneSplits) -> None:
    with pytest.raises(Diverged, match=r"epoch 1, step \d of 3.*lower learning rate"):
        quick(model(), splits, lr=1e6, optimizer="sgd", clip=None, warmup=0.0, momentum=0.0)


class Narrow(nn.Module):
    """Maps with too few channels for its anchors."""

    num_classes = 4
    scales = (Level(16, ((9, 9), (5, 5))),)

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 7, 16, stride=16)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.conv(x),)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: quick(nn.Linear(2, 2), s), "a detector is a module with `scales`"),
        (lambda s: quick(TinyDetector(2), s), "tells 2 classes apart .* num_classes=4"),
        (lambda s: quick(Narrow(), s), "7 channels"),
        (lambda s: quick(TinyDetector(in_channels=1), s), "does not take pictures of shape"),
        (lambda s: quick(TinyDetector(), s.train), "needs splits"),
        (lambda s: quick(TinyDetector(), s, batch_size=25), "at most 24"),
        (lambda s: quick(TinyDetector(), s, box="l7"), "choose one of iou, giou"),
        (lambda s: quick(TinyDetector(), s, also=2), "an IoU from 0 to 1"),
        (lambda s: quick(TinyDetector(), s, weights=(1, -1, 1)), "three numbers"),
        (lambda s: quick(TinyDetector(), s, lr=0), "lr is a number above 0"),
        (lambda s: quick(TinyDetector, s), "the class TinyDetector"),
        (lambda s: TinyDetector(0), "from 1 on"),
        (lambda s: TinyDetector(levels=[Level(8, ((1, 1),))]), "strides 16 and 8"),
        (lambda s: TinyDetector()(torch.zeros(1, 3, 40, 32)), "multiples of 16"),
        (lambda s: detect(TinyDetector(), s.train.images[0]), r"image\[None\]"),
        (lambda s: detect(TinyDetector(), s.train.images, threshold=2), "choose 0 to 1"),
        (lambda s: evaluate_detector(TinyDetector(), s), "this needs Scenes"),
        (lambda s: yolo_loss([torch.zeros(1, 6, 1, 1)], TRUTH, LEVELS[1:], box="x"), "no box loss"),
        (lambda s: focal_loss(torch.zeros(2), torch.zeros(3)), "one shape"),
        (lambda s: focal_loss(torch.zeros(2), torch.zeros(2), gamma=-1), "0 or more"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_said_in_one_sentence(call, words: str, splits: SceneSplits) -> None:
    with pytest.raises(UserError, match=words) as caught:
        call(splits)
    assert "\n" not in str(caught.value)


def test_scenes_of_ones_own_train_as_well() -> None:
    images = torch.randint(0, 256, (8, 3, 32, 32), dtype=torch.uint8)
    part = Scenes.of(images, [objects((4, 4, 20, 20, i % 2)) for i in range(8)], ["a", "b"])
    history = quick(TinyDetector(2), SceneSplits(part, part), epochs=1)
    assert 0 <= history.map <= 1
