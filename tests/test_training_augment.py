"""Changes to whole batches: each by its law, and against torchvision where that has a twin."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lightcourse._torchvision import import_torchvision
from lightcourse.errors import UserError
from lightcourse.training.data import Augment
from lightcourse.training.data._augment import (
    blend,
    brightness,
    contrast,
    cut_box,
    cut_squares,
    paste,
    rotate,
    saturation,
    shift_and_flip,
)


@pytest.fixture(scope="module")
def v2():
    import_torchvision()
    from torchvision.transforms import v2

    return v2


def batch(n=12, channels=3, height=10, width=14, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, channels, height, width), generator=g, dtype=torch.uint8)


def rng(seed=0):
    return np.random.default_rng(seed)


def shares_of(n, classes=5):
    return F.one_hot(torch.arange(n) % classes, classes).float()


# crop and flip


def test_crop_and_flip_are_torchvisions_for_every_shift(v2):
    f = v2.functional
    shifts = [(y, x, m) for y in range(-3, 4) for x in range(-3, 4) for m in (False, True)]
    images = batch(len(shifts))
    down, across, flips = (torch.tensor(v) for v in zip(*shifts, strict=True))
    got = shift_and_flip(images, down, across, flips)
    for image, mine, (y, x, mirrored) in zip(images, got, shifts, strict=True):
        padded = f.pad(image, [3, 3, 3, 3], padding_mode="reflect")
        wanted = f.crop(padded, 3 + y, 3 + x, 10, 14)
        assert torch.equal(mine, f.horizontal_flip(wanted) if mirrored else wanted)


def test_crop_keeps_the_pixels_of_the_image():
    images = batch(40)
    moved = Augment(crop=3).move(images, rng())
    assert moved.dtype == torch.uint8 and moved.shape == images.shape
    for image, after in zip(images, moved, strict=True):
        own = {tuple(p) for p in image.flatten(1).T.tolist()}
        assert {tuple(p) for p in after.flatten(1).T.tolist()} <= own


def test_without_a_shift_only_the_flip_is_left():
    images = batch(200)
    moved = Augment(crop=0).move(images, rng())
    same = (moved == images).flatten(1).all(1)
    mirrored = (moved == images.flip(-1)).flatten(1).all(1)
    assert bool((same ^ mirrored).all()) and 70 < int(mirrored.sum()) < 130
    assert torch.equal(Augment(crop=0, flip=False).move(images, rng()), images)


def test_every_shift_comes_and_none_larger():
    # a picture whose pixels say where they were
    place = torch.arange(49, dtype=torch.uint8).reshape(1, 1, 7, 7).expand(3000, 1, 7, 7)
    moved = Augment(crop=2, flip=False).move(place, rng())
    middle = moved[:, 0, 3, 3].long()
    counts = torch.bincount(middle, minlength=49).reshape(7, 7)
    assert int(counts[1:6, 1:6].sum()) == 3000
    assert int(counts[1:6, 1:6].min()) > 80 and int(counts.max()) < 165  # 120 wanted


def test_a_crop_larger_than_the_image_is_refused():
    with pytest.raises(UserError, match="crop=10 is too large for images of 10 × 14 px"):
        Augment(crop=10).move(batch(), rng())


# colour


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
@pytest.mark.parametrize("channels", [1, 3])
def test_colour_is_torchvisions(v2, name, channels):
    images = batch(6, channels).float() / 255
    factors = torch.tensor([0.0, 0.3, 0.9, 1.0, 1.2, 2.0])[:, None, None, None]
    ours = {"brightness": brightness, "contrast": contrast, "saturation": saturation}[name]
    theirs = getattr(v2.functional, f"adjust_{name}")
    wanted = torch.stack([theirs(i, float(k)) for i, k in zip(images, factors, strict=True)])
    # torchvision's 0.2989 + 0.587 + 0.114 is 0.9999 too
    torch.testing.assert_close(ours(images, factors), wanted, atol=1e-6, rtol=1e-5)


def test_recolour_stays_in_range_and_differs_image_by_image():
    image = batch(1).expand(30, -1, -1, -1).float() / 255
    changed = Augment(color=0.5).recolour(image, rng())
    assert float(changed.min()) >= 0 and float(changed.max()) <= 1
    assert len({round(float(c.mean()), 6) for c in changed}) == 30
    assert torch.equal(Augment().recolour(image, rng()), image)


# rotation


def test_rotation_is_torchvisions_where_nothing_turns_in_from_outside(v2):
    images = F.avg_pool2d(batch(6, 3, 24, 32).float(), 3, 1, 1) / 255
    degrees = torch.tensor([-30.0, -8.0, 0.0, 5.0, 15.0, 30.0])
    got = rotate(images, degrees)
    for image, mine, angle in zip(images, got, degrees.tolist(), strict=True):
        wanted = v2.functional.rotate(image, angle, v2.InterpolationMode.BILINEAR)
        torch.testing.assert_close(mine[:, 8:16, 10:22], wanted[:, 8:16, 10:22], atol=1e-4, rtol=0)


def test_a_quarter_turn_of_a_square_is_rot90():
    images = batch(4, 3, 9, 9).float()
    turned = rotate(images, torch.tensor([90.0, 180.0, -90.0, 0.0]))
    for image, mine, quarters in zip(images, turned, (1, 2, -1, 0), strict=True):
        torch.testing.assert_close(mine, torch.rot90(image, quarters, (1, 2)), atol=1e-3, rtol=0)


def test_no_rotation_beyond_the_limit():
    # a bar through the centre: its far end moves by the tangent of the angle
    image = torch.zeros(200, 1, 41, 41)
    image[:, :, 20] = 1
    turned = Augment(rotation=20).bend(image, rng())
    ends = turned[:, 0, :, 37].argmax(1) - 20
    most = 17 * math.tan(math.radians(20))
    assert int(ends.abs().max()) <= most + 1 and int(ends.max()) >= 4 and int(ends.min()) <= -4


# cutout


def test_cutout_is_torchvisions_erase(v2):
    images = batch(6).float()
    down, across = torch.tensor([0, 4, 5, 9, 2, 7]), torch.tensor([0, 7, 13, 6, 1, 12])
    got = cut_squares(images, down, across, 4)
    for image, mine, y, x in zip(images, got, down.tolist(), across.tolist(), strict=True):
        top, left = max(y - 2, 0), max(x - 2, 0)
        h, w = min(y + 2, 10) - top, min(x + 2, 14) - left
        wanted = v2.functional.erase(image, top, left, h, w, torch.zeros(1, 1, 1))
        assert torch.equal(mine, wanted)


@pytest.mark.parametrize("side", [1, 3, 4, 8, 50])
def test_cutout_sets_one_square_at_most_of_that_side(side):
    images = torch.ones(300, 2, 12, 12)
    cut = Augment(cutout=side).bend(images, rng())
    holes = cut[:, 0] == 0
    assert torch.equal(holes, cut[:, 1] == 0) and set(cut.unique().tolist()) <= {0.0, 1.0}
    rows, columns = holes.any(2).sum(1), holes.any(1).sum(1)
    assert torch.equal(holes.sum((1, 2)), rows * columns)  # a rectangle, without gaps
    assert int(rows.max()) == int(columns.max()) == min(side, 12)
    assert int(rows.min()) >= 1


# mixing


@pytest.mark.parametrize("keep", [0.0, 0.25, 0.8, 1.0])
def test_mixup_is_torchvisions(v2, keep):
    images, labels = batch(10).float(), torch.arange(10) % 5
    mixed, shares = blend(images, shares_of(10), keep)
    twin = v2.MixUp(num_classes=5)
    params = {"labels": labels, "batch_size": 10, "lam": keep}
    torch.testing.assert_close(mixed, twin.transform(images, params))
    torch.testing.assert_close(shares, twin.transform(labels, params))


def test_cutmix_is_torchvisions(v2):
    images, labels = batch(10).float(), torch.arange(10) % 5
    twin = v2.CutMix(num_classes=5)
    for seed in range(30):
        torch.manual_seed(seed)
        params = {"labels": labels, "batch_size": 10, **twin.make_params([images])}
        left, top, right, bottom = params["box"]
        mixed, shares = paste(images, shares_of(10), (top, left, bottom, right))
        assert torch.equal(mixed, twin.transform(images, params))
        torch.testing.assert_close(shares, twin.transform(labels, params))


def test_the_box_is_torchvisions(v2, monkeypatch):
    twin = v2.CutMix(num_classes=5)
    images = batch(4, 3, 17, 30)
    for area in (0.0, 0.1, 0.5, 0.99):
        for y, x in ((0, 0), (8, 15), (16, 29), (3, 20)):
            places = iter((x, y))
            monkeypatch.setattr(torch, "randint", lambda *_a, p=places, **_k: torch.tensor(next(p)))
            monkeypatch.setattr(twin._dist, "sample", lambda *_a, a=area: torch.tensor(1 - a))
            left, top, right, bottom = twin.make_params([images])["box"]
            assert cut_box(17, 30, area, (y, x)) == (top, left, bottom, right)


@pytest.mark.parametrize(
    "augment", [Augment(mixup=0.3), Augment(cutmix=1.0), Augment(mixup=1, cutmix=1)]
)
def test_shares_are_those_of_the_pixels_and_sum_to_one(augment):
    # each image is filled with its own number, so that pixels can be counted
    n = 16
    images = torch.arange(n).float()[:, None, None, None].expand(n, 2, 9, 11).clone()
    seen = set()
    for seed in range(40):
        mixed, shares = augment.mix(images, torch.eye(n), rng(seed))
        torch.testing.assert_close(shares.sum(1), torch.ones(n))
        # mean of an image = sum over images of share × number, for mixup and for cutmix alike
        torch.testing.assert_close(mixed.mean((1, 2, 3)), shares @ torch.arange(n).float())
        others = shares.clone().fill_diagonal_(0)
        assert torch.equal(others > 0, torch.eye(n).roll(1, 0).bool() & (others > 0))
        kinds = (mixed[1] != mixed[1, 0, 0, 0]).any() | (shares[1, 1] in (0.0, 1.0))
        seen.add("cutmix" if bool(kinds) else "mixup")
    assert seen >= {k for k in ("mixup", "cutmix") if getattr(augment, k)}
    torch.testing.assert_close(images[:, 0, 0, 0], torch.arange(n).float())


def test_the_label_follows_the_area_of_the_box():
    images = torch.zeros(2, 1, 10, 10)
    images[1] = 1
    mixed, shares = paste(images, torch.eye(2), (2, 3, 7, 10))
    assert int(mixed[0].sum()) == 35 and int(mixed[1].sum()) == 65
    torch.testing.assert_close(shares, torch.tensor([[0.65, 0.35], [0.35, 0.65]]))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_mixup_draws_from_beta(alpha):
    images, augment, random = (
        torch.tensor([1.0, 0.0]).reshape(2, 1, 1, 1),
        Augment(mixup=alpha),
        rng(),
    )
    keeps = [float(augment.mix(images, torch.eye(2), random)[0][0]) for _ in range(2000)]
    variance = 1 / (4 * (2 * alpha + 1))  # of Beta(alpha, alpha)
    assert np.mean(keeps) == pytest.approx(0.5, abs=0.04)
    assert np.var(keeps) == pytest.approx(variance, rel=0.15)


def test_nothing_wanted_changes_nothing():
    none, images = Augment(crop=0, flip=False), batch()
    assert none.move(images, rng()) is images and not none.soft
    floats = images.float()
    assert none.bend(floats, rng()) is floats and none.recolour(floats, rng()) is floats
    assert none.mix(floats, shares_of(12), rng())[0] is floats


def test_the_same_draws_make_the_same_changes_and_others_make_others():
    augment = Augment(crop=2, flip=True, cutout=3, color=0.3, rotation=15)

    def changed(seed):
        random = rng(seed)
        images = augment.move(batch(), random).float() / 255
        return augment.bend(augment.recolour(images, random), random)

    assert torch.equal(changed(1), changed(1)) and not torch.equal(changed(1), changed(2))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"crop": -1}, "crop=-1"),
        ({"crop": 2.5}, "give a whole number from 0 on"),
        ({"cutout": "8"}, "cutout='8'"),
        ({"mixup": -0.1}, "mixup=-0.1"),
        ({"cutmix": math.inf}, "cutmix=inf"),
        ({"color": 1.5}, "give a number from 0 to 1"),
        ({"rotation": 200}, "give a number from 0 to 180"),
        ({"rotation": math.nan}, "rotation=nan"),
        ({"flip": "yes"}, "flip='yes'"),
    ],
)
def test_an_impossible_change_is_named(settings, words):
    with pytest.raises(UserError) as error:
        Augment(**settings)
    assert words in str(error.value)
