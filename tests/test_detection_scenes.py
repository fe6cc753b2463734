"""The built-in scenes: the bytes, the boxes against shapes drawn another way, laws, the card."""

import hashlib
import itertools
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
import torch

from lightcourse.detection import Scenes, draw_boxes, iou, scenes
from lightcourse.detection._scene_pixels import CLASSES, SceneRecipe, _cover, paint_scenes
from lightcourse.detection._scenes import HIDDEN, SIDES
from lightcourse.errors import UserError
from lightcourse.training.data import _cache

# other bytes here mean other scenes for everybody: then count _scene_pixels.RECIPE up
PLAIN = {"size": 64, "seed": 7, "objects": (1, 3), "occlusion": 0.0, "clutter": 0, "difficulty": 0}
FULL = {
    "size": 128, "objects": (3, 8), "lengths": (10, 60), "occlusion": 0.9, "clutter": 9,
    "difficulty": 2,
}  # fmt: skip
SHA256 = {
    "as tried": ({}, "c23b9be3b3df2106a940ce8cc318a61d48246024ab0440f5619eae3edbebd775"),
    "plain": (PLAIN, "fcfd6d0d1fd73e423e0313fb0097a516dc39e7f37a16704beac71112d6e217fc"),
    "full": (FULL, "e67debc8b6d8169dba9c47b26879567992223bb1ad9c3787664d315794ca445f"),
}


def digest(*parts: Scenes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        for tensor in (part.images, part.boxes, part.labels, part.seen):
            whole.update(tensor.contiguous().numpy().tobytes())
    return whole.hexdigest()


def make(train: int = 100, test: int = 1, **knobs: Any) -> Scenes:
    return scenes(train, test, cache=False, **knobs).train


@pytest.mark.parametrize("name", SHA256)
def test_the_bytes_are_these_on_every_machine(name: str) -> None:
    knobs, expected = SHA256[name]
    assert digest(*scenes(130, 20, cache=False, **knobs)) == expected


def test_the_bytes_do_not_depend_on_what_the_processor_can_do() -> None:
    umath = np._core._multiarray_umath  # pyright: ignore
    there = [f for f in umath.__cpu_dispatch__ if umath.__cpu_features__[f]]
    if not there:
        pytest.skip("numpy has no faster code for this processor that could be switched off")
    code = (
        "import numpy as np, hashlib; from lightcourse.detection._scene_pixels import *;"
        "r = SceneRecipe(96, 2, 5, 14.0, 40.0, 0.3, 4, 1.0, 0);"
        "parts = next(iter(paint_scenes(r, 0, 100)));"
        "print(hashlib.sha256(b''.join(p.tobytes() for p in parts)).hexdigest())"
    )
    plain = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(there)}
    without = subprocess.check_output([sys.executable, "-c", code], text=True, env=plain)
    recipe = SceneRecipe(96, 2, 5, 14.0, 40.0, 0.3, 4, 1.0, 0)
    parts = next(iter(paint_scenes(recipe, 0, 100)))
    assert without.strip() == hashlib.sha256(b"".join(p.tobytes() for p in parts)).hexdigest()


def test_a_thousand_scenes_cost_little() -> None:
    recipe = SceneRecipe(96, 2, 5, 14.0, 40.0, 0.3, 4, 1.0, seed=3)
    start = time.process_time()
    assert sum(len(rows) for _, rows in paint_scenes(recipe, 0, 300)) == 300
    assert time.process_time() - start < 2, "the budget for 1,000 is 5 CPU-s; this is a third"


def test_the_first_scenes_are_the_same_whatever_the_number() -> None:
    few, many = scenes(30, 10, cache=False), scenes(130, 110, cache=False)
    assert digest(few.train) == digest(many.train.subset(30))
    assert digest(few.test) == digest(many.test.subset(10))


def test_train_test_and_seeds_share_no_scene() -> None:
    parts = [*scenes(60, 60, cache=False), *scenes(60, 60, seed=1, cache=False)]
    seen = [{image.numpy().tobytes() for image in part.images} for part in parts]
    assert len(set.union(*seen)) == 240


# what a box promises


def drawn(shape: str, box: list[float], size: int, fine: int = 8) -> np.ndarray:
    """Share of each pixel in the shape, by points inside it; written apart from the painter's."""
    at = (np.arange(size * fine) + 0.5) / fine
    x1, y1, x2, y2 = box
    x = (2 * at - x1 - x2)[None, :] / (x2 - x1)
    y = (2 * at - y1 - y2)[:, None] / (y2 - y1)
    inside = (np.abs(x) <= 1) & (np.abs(y) <= 1)
    if shape == "disc":
        inside &= x**2 + y**2 <= 1
    elif shape == "triangle":  # the tip is on top
        inside &= 2 * np.abs(x) <= y + 1
    elif shape == "cross":
        inside &= np.minimum(np.abs(x), np.abs(y)) <= 0.34
    return inside.reshape(size, fine, size, fine).mean((1, 3))


@pytest.mark.parametrize("shape", CLASSES)
def test_shapes_fill_their_boxes_to_a_fraction_of_a_pixel(shape: str) -> None:
    g = np.random.default_rng(0)
    for _ in range(12):
        corner, side = g.uniform(2, 20, 2), g.uniform(14, 40, 2)
        box = [*corner, *(corner + side)]
        window, cover = _cover(np.array(box, np.float32), shape, 64)
        ours = np.zeros((64, 64))
        ours[window] = cover
        wanted = drawn(shape, box, 64)
        assert np.abs(ours - wanted).sum() < 0.05 * wanted.sum() + 4  # soft edges, a little wide
        rows, columns = np.nonzero(ours >= 0.5)
        reach = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        slack = [1.1, 3, 1.1, 1.1] if shape == "triangle" else [1.6, 1.6, 1.6, 1.6]  # a tip is thin
        assert (np.abs(np.array(reach) - box) <= slack).all(), (reach, box)


def test_boxes_keep_what_the_knobs_say() -> None:
    part = make(200, objects=(2, 6), lengths=(12, 36), occlusion=0.25)
    there = part.labels >= 0
    boxes = part.boxes[there]
    sides = boxes[:, 2:] - boxes[:, :2]
    assert (boxes >= 0).all() and (boxes <= 96).all()
    longer, shorter = sides.amax(1), sides.amin(1)
    assert 12 <= longer.min() < 13 and 34 < longer.max() <= 36 + 1e-4
    assert (shorter / longer).min() > 0.74 and (shorter / longer).max() <= 1
    numbers = there.sum(1)
    assert numbers.max() == 6 and numbers.min() >= 1 and len(numbers.unique()) >= 5
    for own, labels in zip(part.boxes, part.labels, strict=True):
        for a, b in itertools.combinations(own[labels >= 0], 2):
            w, h = (torch.minimum(a[2:], b[2:]) - torch.maximum(a[:2], b[:2])).clamp(min=0)
            smaller = min(float((x[2:] - x[:2]).prod()) for x in (a, b))
            assert float(w * h) <= 0.25 * smaller + 1e-3


def test_without_occlusion_every_object_is_whole_and_with_it_some_hide() -> None:
    apart = make(100, occlusion=0.0)
    there = apart.labels >= 0
    assert (apart.seen[there] > 0.9).all()  # soft edges of neighbours touch a pixel or two
    piled = make(100, objects=(6, 8), lengths=(20, 40), occlusion=1.0)
    seen = piled.seen[piled.labels >= 0]
    assert (seen < HIDDEN).any() and seen.min() >= 0 and seen.max() == 1
    hidden = sum(int(piled.objects(i).difficult.sum()) for i in range(len(piled)))
    assert hidden == int((seen < HIDDEN).sum())
    assert (piled.truth.labels[(piled.labels >= 0) & (piled.seen < HIDDEN)] == -1).all()


def test_seen_is_what_later_shapes_leave() -> None:
    part = make(40, objects=(5, 7), lengths=(20, 40), occlusion=0.8)
    for boxes, labels, seen in zip(part.boxes, part.labels, part.seen, strict=True):
        masks = [
            drawn(CLASSES[int(c)], box.tolist(), 96, 4) >= 0.5
            for box, c in zip(boxes, labels, strict=True) if c >= 0
        ]  # fmt: skip
        for k, mask in enumerate(masks):
            above = np.logical_or.reduce([np.zeros_like(mask), *masks[k + 1 :]])
            assert (mask & ~above).sum() / mask.sum() == pytest.approx(float(seen[k]), abs=0.08)


def test_no_knob_tells_the_class() -> None:
    part = make(600)
    there = part.labels >= 0
    labels, boxes = part.labels[there], part.boxes[there]
    assert max(part.counts) < 1.2 * min(part.counts)
    size = (boxes[:, 2:] - boxes[:, :2]).amax(1)
    for value in (size, *((boxes[:, i] + boxes[:, i + 2]) / 2 for i in (0, 1))):
        means = torch.stack([value[labels == c].mean() for c in range(4)])
        assert (means - value.mean()).abs().max() < 4 * value.std() / (len(labels) / 4) ** 0.5


def test_an_object_differs_from_what_lies_around_it() -> None:
    part = make(60, occlusion=0.0, clutter=0, difficulty=0.0)
    contrast = []
    for image, boxes, labels in zip(part.images.float(), part.boxes, part.labels, strict=True):
        for box, label in zip(boxes, labels, strict=True):
            if label >= 0:
                wider = (box + torch.tensor([-3.0, -3, 3, 3])).tolist()
                mask = torch.from_numpy(drawn(CLASSES[int(label)], box.tolist(), 96, 4))
                around = torch.from_numpy(drawn("square", wider, 96, 4)) > 0.5
                inner, outer = image[:, mask > 0.99], image[:, around & (mask == 0)]
                contrast.append(float((inner.mean(1) - outer.mean(1)).abs().max()))
    assert np.median(contrast) > 40 and np.quantile(contrast, 0.02) > 12  # of 255


def test_making_scenes_leaves_the_random_states_alone() -> None:
    np.random.seed(0)
    before, tensor = np.random.get_state()[1].tolist(), torch.get_rng_state()
    make(10)
    assert np.random.get_state()[1].tolist() == before
    assert torch.equal(torch.get_rng_state(), tensor)


# cache, card, own data


def test_the_cache_gives_the_same_and_mends_itself(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path))
    first = scenes(12, 5, size=64)
    files = sorted((tmp_path / "data").iterdir())
    assert len(files) == 2
    monkeypatch.setattr("lightcourse.detection._scenes.paint_scenes", None)  # would fail
    assert digest(*scenes(12, 5, size=64)) == digest(*first)
    monkeypatch.undo()
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path))
    files[0].write_bytes(files[0].read_bytes()[:500])
    assert digest(*scenes(12, 5, size=64)) == digest(*first)
    images, rows = _cache.read(files[1]) or (None, None)
    assert images is not None and rows is not None
    rows[0, 0, 4] = 9  # a class that does not exist
    _cache.write(files[1], (images, rows))
    assert digest(*scenes(12, 5, size=64)) == digest(*first)


def test_the_card_says_what_is_counted() -> None:
    part = make(40)
    card = part.card()
    for words in ("40 scenes of 96 × 96 px", f"{int((part.labels >= 0).sum())} objects",
                  part.fingerprint, "What it is not", "occlusion 0.3"):  # fmt: skip
        assert words in card
    for name, count in zip(part.classes, part.counts, strict=True):
        assert f"{name} {count}" in card
    assert "What it is not" in part._repr_html_() and "\n" not in repr(part)
    assert part.fingerprint != make(40, seed=1).fingerprint


def test_own_pictures_become_scenes() -> None:
    images = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    boxes = torch.tensor([[1.0, 1, 9, 9], [10.0, 1, 19, 9]])
    part = Scenes.of(images, [(boxes, torch.tensor([1, 0])), (boxes[:0], torch.tensor([]))], "ab")
    assert part.classes == ("a", "b") and part.counts == (1, 1)
    assert len(part.objects(0)) == 2 and len(part.objects(1)) == 0
    assert torch.equal(part.truth.labels, torch.tensor([[1, 0], [-1, -1]]))


def test_figures_show_every_box() -> None:
    part = make(5)
    figure = part.figure(5)
    assert len(figure.axes) == 5
    for index, axes in enumerate(figure.axes):
        assert len(axes.patches) == len(part.objects(index))
        for patch, box in zip(axes.patches, part.objects(index).boxes, strict=True):
            x, y, w, h = *patch.get_xy(), patch.get_width(), patch.get_height()
            assert [x, y, x + w, y + h] == pytest.approx(box.tolist(), abs=1e-4)
        assert axes.images[0].get_extent() == [0, 96, 96, 0]
    assert figure._repr_png_()[:4] == b"\x89PNG"
    assert iou(part.objects(0).boxes, part.objects(0).boxes).diagonal().min() > 0.999


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"size": 100}, r"64, 96, 128"),
        ({"train": 0}, "train=0 does not work"),
        ({"seed": -1}, "seed=-1"),
        ({"objects": (0, 3)}, "from 1 to 12"),
        ({"objects": (4, 3)}, "least and most"),
        ({"objects": (2.0, 3)}, "objects="),
        ({"lengths": (2, 30)}, "from 6 to 48"),
        ({"lengths": 20}, "two numbers"),
        ({"occlusion": 1.5}, "choose 0 to 1"),
        ({"difficulty": float("nan")}, "difficulty=nan"),
        ({"clutter": -1}, "clutter=-1"),
        ({"cache": 1}, "give True or False"),
        ({"train": 10**9}, "do not fit into memory"),
    ],
)
def test_knobs_that_cannot_work(knobs: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        scenes(**{"train": 5, "test": 5, "cache": False, **knobs})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p: p.subset(0), "a subset of 0"),
        (lambda p: Scenes(p.images.float(), p.boxes, p.labels, p.seen, p.classes), "one uint8"),
        (lambda p: Scenes(p.images, p.boxes[:, :1], p.labels, p.seen, p.classes), "fit together"),
        (lambda p: Scenes(p.images[:1], p.boxes, p.labels, p.seen, p.classes), "1 images and"),
        (lambda p: Scenes(p.images, p.boxes, p.labels, p.seen, ("one",)), "count the 1 classes"),
        (lambda p: draw_boxes(p.images, [], None, p.classes), "5 pictures and found"),
        (lambda p: draw_boxes(p.images[0], None, None, p.classes), "at least one picture"),
    ],
)
def test_parts_that_do_not_fit(call, words: str) -> None:
    with pytest.raises(UserError, match=words):
        call(make(5, size=min(SIDES)))
