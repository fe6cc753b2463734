"""The data room: the built-in pictures to the byte, their laws, data sets, batches, one way in."""

import hashlib
import itertools
import math
import os
import subprocess
import sys
import time
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import lightcourse.training
from lightcourse.errors import UserError
from lightcourse.training.data import (
    NAMES,
    Augment,
    Batches,
    Dataset,
    Splits,
    _cache,
    _draws,
    _pairs,
    builtin,
    contact_sheet,
    load,
)
from lightcourse.training.data._pairs import CHUNK, CLASSES, Recipe, pictures

RECIPE = Recipe(32, 15.5, 5.75, 3.9, 1.0, True, 3, seed=0)
# other bytes here mean other pictures for everybody: then count _pairs.RECIPE up
SHA256 = {
    (): "df4dcff055c43ae0d99286480015762a939f53007fe63da5cc2cd78fc75aa25e",
    (("size", 16),): "8c886273b43e0694e10d4c838a651ec9a6b6f547d1655b7702f9860004da402a",
    (("size", 64),): "5985b722eb156eb5899414dcae3e2184a312fc9426f178c0d4225fc335e2d9da",
    (("seed", 7), ("distance", 20), ("chroma", False), ("difficulty", 0.5), ("clutter", 1)): (
        "6712028bde17548afc2783e47e22cc4c5f25d3c70c17046738ceb81ec32d104b"
    ),
}


def digest(*tensors):
    whole = hashlib.sha256()
    for tensor in tensors:
        whole.update(tensor.contiguous().numpy().tobytes())
    return whole.hexdigest()


def small(n=40, classes=4, channels=3, side=8, seed=0):
    g = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (n, channels, side, side), generator=g, dtype=torch.uint8)
    names = tuple(f"class {i}" for i in range(classes))
    return Dataset(images, torch.arange(n) % classes, names, "small")


# the built-in pictures


@pytest.mark.parametrize("settings", SHA256)
def test_the_bytes_are_these_on_every_machine(settings):
    made = builtin(300, 50, cache=False, **dict(settings))
    parts = (made.train.images, made.train.labels, made.test.images, made.test.labels)
    assert digest(*parts) == SHA256[settings]
    assert made.train.images.dtype == torch.uint8 and made.train.labels.dtype == torch.int64


def test_the_bytes_do_not_depend_on_what_the_processor_can_do():
    core = np._core if hasattr(np, "_core") else np.core
    umath = core._multiarray_umath
    there = [f for f in umath.__cpu_dispatch__ if umath.__cpu_features__[f]]
    if not there:
        pytest.skip("numpy has no faster code for this processor that could be switched off")
    code = (
        "import hashlib; from lightcourse.training.data import builtin;"
        "d = builtin(300, 10, cache=False).train;"
        "print(hashlib.sha256(d.images.numpy().tobytes()).hexdigest())"
    )
    plain = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(there)}
    without = subprocess.check_output([sys.executable, "-c", code], text=True, env=plain)
    assert without.strip() == digest(builtin(300, 10, cache=False).train.images)


def test_no_entry_of_a_table_is_in_doubt():
    # an entry half way between two whole numbers could be rounded to either, machine by machine
    import math

    exact = [4096 * math.tanh(1.5 * math.sin(2 * math.pi * i / 1024)) for i in range(1024)]
    exact += [4096 * NormalDist().inv_cdf((i + 0.5) / 256) for i in range(256)]
    exact += [4096 * math.cos(2 * math.pi * i / 64) for i in range(64)]
    assert min(abs(value % 1 - 0.5) for value in exact) > 1e-5
    assert max(abs(value) for value in exact) < 2**24  # exact as float32
    assert [round(v) for v in exact[:1024]] == list(_draws.WAVE)


def test_ten_thousand_pictures_cost_little():
    start = time.process_time()
    sum(len(labels) for _, labels in pictures(RECIPE, 0, 2_000))
    assert time.process_time() - start < 3, "the budget for 10,000 is 5 CPU-s; this is a fifth"


def test_the_first_pictures_are_the_same_whatever_the_number():
    few, many = builtin(120, 30, cache=False), builtin(600, 300, cache=False)
    for a, b in zip(few, many, strict=True):
        assert torch.equal(a.images, b.images[: len(a)])
        assert torch.equal(a.labels, b.labels[: len(a)])


def test_train_test_and_seeds_share_no_picture():
    parts = [*builtin(300, 300, cache=False), *builtin(300, 300, seed=1, cache=False)]
    seen = [{image.numpy().tobytes() for image in part.images} for part in parts]
    assert all(len(s) == 300 for s in seen) and len(set.union(*seen)) == 1200


@pytest.mark.parametrize("count", [10, 250, 500, 1010])
def test_every_class_has_as_many_pictures(count):
    train, test = builtin(count, count, size=16, cache=False)
    assert set(train.counts) == set(test.counts) == {count // 10}


def test_making_pictures_leaves_the_random_states_alone():
    np.random.seed(0)
    before, tensor = np.random.get_state()[1].tolist(), torch.get_rng_state()
    list(Batches(builtin(50, 10, size=16, cache=False).train, 8, Augment(2, True, 4, 1, 1, 0.2, 9)))
    assert np.random.get_state()[1].tolist() == before
    assert torch.equal(torch.get_rng_state(), tensor)


def test_what_one_must_see_to_know_the_class():
    """Best accuracy of one who knows so much: nothing 10 %, one texture 25 %, both 50 %, all."""
    classes = [tuple(name.split(" over ")) for name in CLASSES]

    def best(see):
        groups = {}
        for top, bottom in classes:
            for seen in see(top, bottom):
                groups.setdefault(seen, []).append((top, bottom))
        return {1 / len(group) for group in groups.values()}

    assert len(set(classes)) == 10
    assert best(lambda top, bottom: [None]) == {0.1}
    assert best(lambda top, bottom: [top, bottom]) == {0.25}
    assert best(lambda top, bottom: [frozenset((top, bottom))]) == {0.5}
    assert best(lambda top, bottom: [(top, bottom)]) == {1.0}


def drawn(labels, recipe=RECIPE, seed=5):
    return _pairs._draw(recipe, np.asarray(labels), _draws.Draws(seed)).astype(int)


def test_the_class_changes_what_is_inside_the_objects_and_nothing_else():
    quiet = replace(RECIPE, difficulty=0.0, distance=20.0)
    first = drawn(np.zeros(CHUNK, int), quiet)
    changed = np.zeros((CHUNK, 32, 32), bool)
    for label in range(1, 10):
        changed |= (drawn(np.full(CHUNK, label), quiet) != first).any(1)
    # two objects of 5 to 6.5 px radius, whatever the class, and nothing between and around them
    assert 100 < changed.sum((1, 2)).mean() < 2 * np.pi * 6.5**2
    assert changed.any(1).sum(1).max() <= 22  # columns
    runs = [[k for k, _ in itertools.groupby(rows)].count(True) for rows in changed.any(2)]
    assert set(runs) == {2}


def test_the_texture_named_first_lies_on_top():
    # two classes that differ in the first texture only
    quiet = replace(RECIPE, difficulty=0.0, clutter=0)
    stripes, slanted = (drawn(np.full(CHUNK, CLASSES.index(c)), quiet)
                    for c in ("horizontal over vertical", "diagonal over vertical"))  # fmt: skip
    rows = (stripes != slanted).any((0, 1, 3))
    assert rows[:10].all() and not rows[-8:].any()


def f_statistic(feature, labels):
    """Between against within classes; about 1 where the feature knows nothing of the class."""
    groups = [feature[labels == c] for c in range(10)]
    between = sum(len(g) * (g.mean() - feature.mean()) ** 2 for g in groups) / 9
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (len(feature) - 10)
    return between / within


@pytest.mark.parametrize("chroma", [True, False])
def test_no_simple_number_tells_the_class(chroma):
    train = builtin(2_000, 10, chroma=chroma, cache=False).train
    x, labels = train.images.double().numpy(), train.labels.numpy()
    halves = {"all": x, "top": x[:, :, :16], "bottom": x[:, :, 16:]}
    features = {}
    for part, pixels in halves.items():
        for c, colour in enumerate("rgb"):
            features[f"mean of {colour}, {part}"] = pixels[:, c].mean((1, 2))
        features[f"deviation, {part}"] = pixels.std((2, 3)).mean(1)
        features[f"brightest, {part}"] = np.quantile(pixels.reshape(len(x), -1), 0.99, axis=1)
        features[f"darkest, {part}"] = np.quantile(pixels.reshape(len(x), -1), 0.01, axis=1)
    found = {name: f_statistic(feature, labels) for name, feature in features.items()}
    # F(9, 1990) is above 3.5 once in 4,000 draws; these are 18 features of one fixed seed
    assert max(found.values()) < 3.5, found


def linear_probe(train, test):
    """Ridge regression on all pixels, the best of three strengths: accuracy on test."""

    def rows(data):
        x = (data.images.double() / 255).reshape(len(data), -1) - 0.5
        return torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)

    x, y = rows(train), torch.nn.functional.one_hot(train.labels, 10).double()
    gram = x @ x.T
    found = []
    for strength in (10.0, 100.0, 1000.0):
        dual = torch.linalg.solve(gram + strength * torch.eye(len(x), dtype=x.dtype), y)
        guess = (rows(test) @ (x.T @ dual)).argmax(1)
        found.append(float((guess == test.labels).double().mean()))
    return max(found)


def test_a_linear_classifier_stays_near_chance():
    assert linear_probe(*builtin(1_500, 1_000, cache=False)) < 0.17


def test_one_channel_alone_is_ambiguous_where_textures_are_in_colour():
    # the mean of the three channels shows nothing of the textures, only the misleading one
    quiet = replace(RECIPE, difficulty=0.0)
    a, b = drawn(np.zeros(CHUNK, int), quiet), drawn(np.full(CHUNK, 3), quiet)
    inside = (a != b).any(1)
    clipped = ((np.minimum(a, b) == 0) | (np.maximum(a, b) == 255)).any(1)
    sure = inside & ~clipped
    assert np.abs(a.sum(1) - b.sum(1))[sure].max() <= 3  # three roundings
    grey = replace(quiet, chroma=False)
    a, b = drawn(np.zeros(CHUNK, int), grey), drawn(np.full(CHUNK, 3), grey)
    assert np.abs(a.sum(1) - b.sum(1)).max() > 100


def test_the_knobs_do_what_they_say():
    def spread(**knobs):
        recipe = replace(RECIPE, difficulty=0.0, clutter=0, **knobs)
        one, other = drawn(np.zeros(CHUNK, int), recipe), drawn(np.full(CHUNK, 6), recipe)
        return (one != other).any(1)

    near, far = spread(distance=10.0), spread(distance=19.0)
    empty = [(~m.any(2)).sum(1).mean() for m in (near, far)]  # rows without an object
    assert 0 < empty[1] < empty[0]
    ends = [(m.any(2).argmax(1) + m.any(2)[:, ::-1].argmax(1)).mean() for m in (near, far)]
    assert 8 < ends[0] - ends[1] < 10  # rows above and below the two: 9 fewer
    assert spread(radius=7.0).mean() > 1.3 * spread().mean()
    fine, coarse = (
        np.abs(np.diff(drawn(np.zeros(CHUNK, int), replace(RECIPE, difficulty=0.0, clutter=0,
                                                           period=p)))).mean()
        for p in (3.9, 7.8)
    )  # fmt: skip
    assert fine > 1.3 * coarse
    still, grain = (
        drawn(np.zeros(CHUNK, int), replace(RECIPE, difficulty=d)).astype(float) for d in (0.0, 0.5)
    )
    inner = (still > 60) & (still < 195)
    assert (grain - still)[inner].std() == pytest.approx(0.5 * 0.12 * 255, rel=0.03)
    assert (drawn(np.zeros(CHUNK, int), replace(RECIPE, clutter=0)) != drawn(
        np.zeros(CHUNK, int), replace(RECIPE, clutter=5))).mean() > 0.5  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": 28}, "16, 32, 64"),
        ({"size": "32"}, "size '32'"),
        ({"distance": 30}, "distance=30 does"),
        ({"distance": 3}, "choose 7.5 to 22"),
        ({"distance": float("nan")}, "distance=nan"),
        ({"radius": 20}, "radius=20 does not work; choose 2 to 8"),
        ({"period": 1}, "period=1 does"),
        ({"difficulty": -1}, "difficulty=-1"),
        ({"difficulty": "hard"}, "difficulty='hard'"),
        ({"train": 0}, "train=0"),
        ({"test": 2.5}, "test=2.5"),
        ({"seed": -1}, "seed=-1"),
        ({"clutter": -2}, "clutter=-2"),
        ({"size": 16.0}, "size 16.0 is not one of 16, 32, 64"),
        ({"chroma": "no"}, "chroma='no' does not work; give True or False"),
        ({"cache": "x"}, "cache='x'"),
        ({"train": 999_999_999_999}, "999,999,999,999 images of 32 × 32 px need 3,072,000.0 GB"),
        ({"test": 2**80}, "more than there is; ask for fewer"),
    ],
)
def test_an_impossible_setting_is_named(settings, words):
    with pytest.raises(UserError) as error:
        builtin(**{"train": 10, "test": 10, "cache": False, **settings})
    assert words in str(error.value)


def test_the_card_says_what_it_is_and_what_not():
    card = builtin(20, 10, distance=12, cache=False).card()
    assert "20 images of 32 × 32 px" in card and "10 other images to test on" in card
    assert "What it is not: natural pictures" in card and "distance 12" in card
    assert "above a misleading texture in grey" in card and "near the upper" not in card
    assert "near the upper and lower border" in builtin(20, 10, distance=20, cache=False).card()
    assert "misleading texture in grey" not in builtin(20, 10, chroma=False, cache=False).card()
    assert max(map(len, builtin(20, 10, cache=False).train.about.splitlines())) <= 110


# the cache


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path))
    return tmp_path


def test_what_was_made_once_is_read_the_next_time(home, monkeypatch):
    first = builtin(30, 10)
    assert len(list((home / "data").iterdir())) == 2
    monkeypatch.setattr("lightcourse.training.data._builtin.pictures", None)
    again = builtin(30, 10)
    assert again.fingerprint == first.fingerprint
    with pytest.raises(TypeError):  # other settings would have to be made
        builtin(30, 10, distance=12)


@pytest.mark.parametrize(
    "harm",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: b"",
        lambda whole: b"not at all" * 100,
        lambda whole: whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:],
    ],
)
def test_a_broken_file_is_made_again(home, harm):
    whole = builtin(30, 10).fingerprint
    files = {file: file.read_bytes() for file in (home / "data").iterdir()}
    for file, content in files.items():
        file.write_bytes(harm(content))
    assert builtin(30, 10).fingerprint == whole
    assert all(_cache.read(file) is not None for file in files)


def test_a_file_of_another_shape_or_with_pickles_is_made_again(home):
    whole = builtin(30, 10)
    file = max((home / "data").iterdir(), key=lambda f: f.stat().st_size)
    np.savez(file, images=whole.train.images.numpy()[:5], labels=np.zeros(5, np.int64))
    assert builtin(30, 10).fingerprint == whole.fingerprint
    labels = np.full(30, 99)
    np.savez(file, images=whole.train.images.numpy(), labels=labels)
    assert builtin(30, 10).fingerprint == whole.fingerprint
    np.savez(file, images=np.array([{}], object), labels=labels)
    assert builtin(30, 10).fingerprint == whole.fingerprint


def test_a_full_disk_costs_the_cache_and_nothing_else(home, monkeypatch, capsys):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    made = builtin(20, 10)
    assert len(made.train) == 20 and not list((home / "data").iterdir())
    said = capsys.readouterr().err
    assert "No space left on device" in said and "goes on without" in said


def test_a_home_that_cannot_be_written_costs_the_cache_only(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "file"))
    assert len(builtin(20, 10).train) == 20
    assert "could not be kept" in capsys.readouterr().err


def test_the_cache_forgets_what_was_not_used_for_longest(home, monkeypatch):
    builtin(30, 10, size=16)
    old = set((home / "data").iterdir())
    for file in old:
        os.utime(file, (1, 1))
    monkeypatch.setattr(_cache, "LIMIT", 150_000)
    builtin(40, 10, size=32)
    left = set((home / "data").iterdir())
    assert not old & left and left
    assert not list((home / "data").glob("*.half"))
    assert sum(file.stat().st_size for file in left) <= 150_000


# data sets


def test_statistics_are_those_of_the_pixels():
    data = small()
    x = data.images.double() / 255
    torch.testing.assert_close(
        torch.tensor(data.mean).double(), x.mean((0, 2, 3)), rtol=1e-6, atol=0
    )
    std = x.std((0, 2, 3), correction=0)
    torch.testing.assert_close(torch.tensor(data.std).double(), std, rtol=1e-6, atol=0)


def test_a_channel_of_one_value_divides_nothing_by_zero():
    data = Dataset(torch.full((4, 1, 2, 2), 7, dtype=torch.uint8), torch.arange(4) % 2, ("a", "b"))
    images, _ = next(iter(Batches(data, 4)))
    torch.testing.assert_close(images, torch.zeros(4, 1, 2, 2))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": torch.tensor([0, 1, 4, 0])}, "label 4 is out of range: 4 classes have"),
        ({"labels": torch.tensor([0, 1, -1, 0])}, "label -1 is out of range"),
        ({"labels": torch.tensor([0, 1])}, "4 images but 2 labels"),
        ({"labels": torch.tensor([0.0, 1, 2, 3])}, "int64 tensor (N,)"),
        ({"labels": [0, 1, 2, 3]}, "int64 tensor (N,)"),
        ({"images": torch.zeros(4, 3, 8, 8)}, "uint8 tensor (N, C, H, W)"),
        ({"images": torch.zeros(4, 8, 8).byte()}, "uint8 tensor (N, C, H, W)"),
        ({"images": np.zeros((4, 3, 8, 8), np.uint8)}, "uint8 tensor (N, C, H, W)"),
        ({"classes": ("one",), "labels": torch.zeros(4).long()}, "one class only (one)"),
        ({"images": torch.zeros(0, 3, 8, 8).byte(), "labels": torch.zeros(0).long()}, "no images"),
        ({"classes": ("a", "b", "b", "c")}, "two classes of the name 'b'"),
        ({"mean": (0.5,), "std": (1.0,)}, "each of the 3 channels, or leave both out; got 1 and 1"),
        ({"mean": (0.5,) * 3, "std": ()}, "leave both out; got 3 and 0"),
        ({"std": (0.2, 0.0, 0.2)}, "std above 0"),
        ({"mean": (0.5, math.nan, 0.5)}, "mean must be finite"),
    ],
)
def test_wrong_data_is_named(change, words):
    with pytest.raises(UserError) as error:
        replace(small(4), **change)
    assert words in str(error.value)


@pytest.mark.parametrize("seed", [None, 3])
def test_a_subset_keeps_the_shares_of_the_classes(seed):
    labels = torch.tensor([0] * 60 + [1] * 30 + [2] * 10)
    data = Dataset(small(100).images, labels, ("a", "b", "c"))
    for n in (10, 50, 100):
        part = data.subset(n, seed)
        assert part.counts == (6 * n // 10, 3 * n // 10, n // 10)
        assert (part.mean, part.std) == (data.mean, data.std)
    own = {
        image.numpy().tobytes(): int(label)
        for image, label in zip(data.images, labels, strict=True)
    }
    part = data.subset(50, seed)
    assert all(own[i.numpy().tobytes()] == y for i, y in zip(part.images, part.labels, strict=True))
    assert digest(data.subset(50, 1).images) != digest(data.subset(50, 2).images)
    assert digest(data.subset(50, 1).images) == digest(data.subset(50, 1).images)


@pytest.mark.parametrize("n", [0, 41, 2.5, True])
def test_an_impossible_subset_is_named(n):
    with pytest.raises(UserError, match="small has 40 images"):
        small().subset(n)


def test_split_shares_nothing_and_leaves_nothing_out():
    data = small(80)
    train, test = data.split(0.75, seed=1)
    assert train.counts == (15,) * 4 and test.counts == (5,) * 4
    both = sorted(i.numpy().tobytes() for part in (train, test) for i in part.images)
    assert both == sorted(i.numpy().tobytes() for i in data.images)
    # normalised with what is known from train alone
    alone = Dataset(train.images, train.labels, train.classes)
    assert test.mean == train.mean == alone.mean and test.std == train.std == alone.std
    for share in (0.999, 0.001):
        with pytest.raises(UserError, match="one of the two parts empty"):
            data.split(share)


def test_ctrl_c_while_keeping_leaves_no_half_file(home, monkeypatch):
    def stopped(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", stopped)
    with pytest.raises(KeyboardInterrupt):
        builtin(20, 10)
    assert not list((home / "data").iterdir())


def test_a_notebook_shows_the_card():
    data = replace(small(), name="a <b>")
    assert "a &lt;b&gt;: 40 images" in data._repr_html_()
    assert "40 other images" in Splits(data, data)._repr_html_()


def test_splits_must_fit_together():
    with pytest.raises(UserError, match="do not fit together"):
        Splits(small(), small(classes=5))
    with pytest.raises(UserError, match="do not fit together"):
        Splits(small(), small(side=6))
    with pytest.raises(UserError, match="test must be a Dataset; this is int"):
        Splits(small(), 2)


@pytest.mark.parametrize("share", ["a", math.nan, 0, 1, -1, True])
def test_an_impossible_share_is_named(share):
    with pytest.raises(UserError, match="no number between 0 and 1, as in split"):
        small().split(share)
    with pytest.raises(UserError, match="leaves one of the two parts empty"):
        small().split(0.001)


@pytest.mark.parametrize("per_class", ["a", 0, 2.0, True])
def test_an_impossible_contact_sheet_is_named(per_class):
    with pytest.raises(UserError, match="per_class="):
        small().figure(per_class)


def test_fingerprints_know_every_byte():
    data = small()
    assert small().fingerprint == data.fingerprint
    other = data.images.clone()
    other[7, 1, 2, 3] ^= 1
    assert replace(data, images=other).fingerprint != data.fingerprint
    assert replace(data, labels=data.labels.flip(0)).fingerprint != data.fingerprint
    assert Splits(data, small(seed=1)).fingerprint != Splits(data, data).fingerprint


def test_data_survives_another_process():
    import pickle

    data = pickle.loads(pickle.dumps(small()))
    assert data.fingerprint == small().fingerprint and data.mean == small().mean


@pytest.mark.parametrize(("channels", "classes"), [(1, 3), (3, 30)])
def test_a_contact_sheet_shows_each_class(channels, classes):
    data = small(90, classes=classes, channels=channels)
    figure = contact_sheet(data, per_class=2)
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == list(data.classes[:20])
    shown = np.asarray(axes.images[0].get_array())
    gap = 1
    second = shown[8 + gap : 16 + gap, :8]
    wanted = data.images[data.labels == 1][0].permute(1, 2, 0).squeeze(-1).numpy()
    assert np.array_equal(second, wanted)
    assert ("more classes are not shown" in axes.get_title()) == (classes == 30)


# one way in


def test_load_by_name_is_the_function_of_that_name(tmp_path):
    for name, size in (("builtin", 32), ("builtin16", 16), ("builtin64", 64)):
        made = load(name, train=20, test=10, seed=3, cache=False)
        assert made.fingerprint == builtin(20, 10, size, 3, cache=False).fingerprint
    assert load("builtin", train=20, test=10, distance=12, cache=False).train.about.count(
        "distance 12"
    )
    assert set(NAMES) >= {"builtin", "cifar10", "cifar100", "fashion_mnist"}
    assert lightcourse.training.load is load


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cifar-10", "did you mean 'cifar10'"),
        ("CIFAR10", "did you mean 'cifar10'"),
        ("FashionMNIST", "did you mean 'fashion_mnist'"),
        ("bultin", "did you mean 'builtin'"),
        ("no/such/folder", "the path of a folder"),
    ],
)
def test_an_unknown_name_gets_the_list(name, words):
    with pytest.raises(UserError) as error:
        load(name)
    assert words in str(error.value) and '"builtin" needs no download' in str(error.value)


def test_an_unknown_setting_gets_the_list():
    with pytest.raises(
        UserError, match=r"cifar10 has no setting 'distance'; it has root, download"
    ):
        load("cifar10", distance=3)
    with pytest.raises(UserError, match="builtin has no setting 'colour'"):
        load("builtin", colour=True)


# batches


def test_one_pass_gives_every_image_once():
    data = small(50)
    images, labels = (torch.cat(parts) for parts in zip(*Batches(data, 16), strict=True))
    mean, std = (torch.tensor(v)[:, None, None] for v in (data.mean, data.std))
    back = ((images * std + mean) * 255).round().byte()
    got = sorted((i.numpy().tobytes(), int(y)) for i, y in zip(back, labels, strict=True))
    wanted = sorted(
        (i.numpy().tobytes(), int(y)) for i, y in zip(data.images, data.labels, strict=True)
    )
    assert got == wanted
    torch.testing.assert_close(images.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(images.std((0, 2, 3), correction=0), torch.ones(3))


def test_without_shuffle_the_order_is_that_of_the_data():
    data = small(10)
    labels = torch.cat([labels for _, labels in Batches(data, 4, shuffle=False)])
    assert torch.equal(labels, data.labels)


@pytest.mark.parametrize(("drop_last", "sizes"), [(False, [16, 16, 16, 2]), (True, [16, 16, 16])])
def test_the_last_batch(drop_last, sizes):
    batches = Batches(small(50), 16, drop_last=drop_last)
    assert [len(labels) for _, labels in batches] == sizes and len(batches) == len(sizes)


ALL = Augment(crop=2, flip=True, cutout=3, mixup=0.4, cutmix=1.0, color=0.3, rotation=15)


def test_an_epoch_of_a_seed_is_always_the_same():
    data = small(48)

    def digests(batches, epochs):
        return [digest(*itertools.chain(*batches)) for _ in range(epochs)]

    three = digests(Batches(data, 16, ALL, seed=1), 3)
    assert three == digests(Batches(data, 16, ALL, seed=1), 3) and len(set(three)) == 3
    assert three[0] != digests(Batches(data, 16, ALL, seed=2), 1)[0]
    resumed = Batches(data, 16, ALL, seed=1)
    resumed.epoch = 2
    assert digests(resumed, 1) == three[2:] and resumed.epoch == 3


def test_parts_are_together_what_one_process_sees():
    data = small(56)
    whole = list(Batches(data, 16, ALL, seed=4))
    parts = [list(Batches(data, 16, ALL, seed=4, part=(i, 4))) for i in range(4)]
    for step, (images, labels) in enumerate(whole):
        for i in range(4):
            assert torch.equal(parts[i][step][0], images[i::4])
            assert torch.equal(parts[i][step][1], labels[i::4])


def test_memory_format_and_types():
    images, labels = next(iter(Batches(small(), 8)))
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert (images.dtype, labels.dtype) == (torch.float32, torch.int64)
    images, labels = next(iter(Batches(small(), 8, Augment(mixup=1.0), channels_last=False)))
    assert images.is_contiguous() and labels.dtype == torch.float32 and labels.shape == (8, 4)


def test_the_data_is_left_as_it_was():
    data = small(48)
    before = digest(data.images, data.labels)
    for _ in Batches(data, 16, ALL):
        pass
    assert digest(data.images, data.labels) == before


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"batch_size": 64, "drop_last": True}, "a batch of 64 is larger than the set of 40"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"batch_size": 8.0}, "batch_size=8.0"),
        ({"batch_size": 9, "part": (0, 2)}, "multiple of the number of parts"),
        ({"batch_size": 8, "part": (2, 2)}, "part 2 of 2"),
        ({"device": "nowhere"}, "on the device nowhere"),
        ({"seed": -1}, "seed=-1 does not work; give a whole number from 0 on"),
        ({"seed": "a"}, "seed='a'"),
        ({"augment": "x"}, "augment='x' does not work; give Augment(...) or None"),
        ({"augment": Augment(cutout=9)}, "cutout=9 is too large for images of 8 × 8 px"),
        (
            {"augment": Augment(crop=8)},
            "crop=8 is too large for images of 8 × 8 px; choose at most 7",
        ),
    ],
)
def test_an_impossible_batch_is_named(settings, words):
    with pytest.raises(UserError) as error:
        Batches(small(), **settings)
    assert words in str(error.value)


def test_a_batch_larger_than_the_set_is_the_whole_set():
    assert [len(labels) for _, labels in Batches(small(40), 64)] == [40]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_every_device_gets_the_same_batches():
    here, there = (list(Batches(small(48), 16, ALL, device=d)) for d in ("cpu", "cuda"))
    for (a, b), (c, d) in zip(here, there, strict=True):
        torch.testing.assert_close(a, c.cpu(), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(b, d.cpu())


# does it need what it says?


def depthwise_net():
    """20 thousand parameters, receptive field 27: a stem and four depthwise separable blocks."""

    def conv(i, o, k, stride=1, groups=1):
        return [nn.Conv2d(i, o, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o),
                nn.ReLU(inplace=True)]  # fmt: skip

    layers, channels = conv(3, 16, 3, 2), 16
    for out, stride in ((32, 1), (64, 2), (64, 1), (128, 2)):
        layers += conv(channels, channels, 3, stride, channels) + conv(channels, out, 1)
        channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


@pytest.mark.slow
def test_a_small_net_learns_it_and_a_linear_one_does_not():
    train, test = builtin(4_000, 1_000, cache=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = depthwise_net().to(memory_format=torch.channels_last)
    batches, epochs, peak = Batches(train, 64, Augment(), drop_last=True), 5, 1.2e-2
    optimizer = torch.optim.AdamW(net.parameters(), peak, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, epochs * len(batches))
    for _ in range(epochs):
        for images, labels in batches:
            optimizer.zero_grad()
            F.cross_entropy(net(images), labels, label_smoothing=0.05).backward()
            optimizer.step()
            schedule.step()
    net.eval()
    with torch.no_grad():
        right = sum(int((net(x).argmax(1) == y).sum()) for x, y in Batches(test, 250))
    # it reaches 91 %; one texture would give 25 %, both without their order 50 %
    assert right / len(test) > 0.8, right / len(test)
    assert linear_probe(train.subset(2_000), test) < 0.2
