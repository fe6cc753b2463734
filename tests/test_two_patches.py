"""The two-patches data and its network: same again from a seed, balanced, honest about reach."""

import numpy as np
import pytest
import torch

from lightcourse.analysis import analyze, chain_receptive_field
from lightcourse.errors import UserError
from lightcourse.training.two_patches import (
    PATCH,
    SIDE,
    ReachNet,
    accuracy,
    distances,
    swapped_pair,
    train_once,
    two_patches,
)


def test_the_same_seed_gives_the_same_pictures_and_another_seed_others():
    one, same, other = (two_patches(50, 14, seed) for seed in (3, 3, 4))
    assert torch.equal(one[0], same[0]) and torch.equal(one[1], same[1])
    assert not torch.equal(one[0], other[0])
    assert not torch.equal(one[0], two_patches(50, 10, 3)[0])


def test_making_pictures_leaves_the_global_random_states_alone():
    np.random.seed(0)
    torch.manual_seed(0)
    numpy, tensor = np.random.get_state()[1].tolist(), torch.get_rng_state()
    train_once(1, 14, seed=0, n=60, epochs=1)
    assert np.random.get_state()[1].tolist() == numpy
    assert torch.equal(torch.get_rng_state(), tensor)


@pytest.mark.parametrize("n", [2, 10, 1000])
def test_half_of_each_class(n):
    images, classes = two_patches(n)
    assert images.shape == (n, 1, SIDE, SIDE) and images.dtype == torch.float32
    assert classes.dtype == torch.int64 and int(classes.sum()) == n // 2


def patches_of(image):
    """The kind of stripes in each patch of a picture without noise: {column: "h" or "v"}."""
    rows, columns = np.nonzero(image)
    top = next(int(r) for r in rows if (r - 1) % SIDE not in rows)
    starts = [int(c) for c in sorted(set(columns)) if (c - 1) % SIDE not in columns]
    kinds = {}
    for start in starts:
        patch = np.take(np.take(image, range(top, top + PATCH), 0, mode="wrap"),
                        range(start, start + PATCH), 1, mode="wrap")  # fmt: skip
        alike_along_rows = np.ptp(patch, axis=1).max() == 0
        alike_along_columns = np.ptp(patch, axis=0).max() == 0
        assert alike_along_rows != alike_along_columns
        kinds[start] = "h" if alike_along_rows else "v"
    return kinds


@pytest.mark.parametrize("distance", [6, 10, 12, 14])
def test_each_picture_holds_one_patch_of_each_kind_at_the_distance(distance):
    images, classes = two_patches(60, distance, noise=0.0)
    for image, label in zip(images[:, 0].numpy(), classes.tolist(), strict=True):
        assert np.count_nonzero(image) == 2 * PATCH * PATCH
        place = {kind: start for start, kind in patches_of(image).items()}
        assert set(place) == {"h", "v"}, "neither patch alone tells the class"
        first, second = ("h", "v") if label == 0 else ("v", "h")
        assert (place[second] - place[first]) % SIDE == distance


def test_contrast_and_place_do_not_tell_the_class():
    images, classes = two_patches(4000, 14, noise=0.0)
    strength = images.abs().amax((1, 2, 3))
    column = images[:, 0].abs().sum(1).argmax(1).float()
    for clue, scale in ((strength, 0.02), (column, 1.2)):
        # about four standard errors of the difference
        assert abs(float(clue[classes == 0].mean() - clue[classes == 1].mean())) < 2 * scale


@pytest.mark.parametrize("distance", [4, 5, 13, 16, 18, 28, 40])
def test_a_distance_that_cannot_work_is_refused_with_the_ones_that_can(distance):
    with pytest.raises(UserError, match=r"choose one of \[6, 8, 10"):
        two_patches(2, distance)
    with pytest.raises(UserError):
        swapped_pair(distance)


def test_distances_are_refused_before_any_training():
    assert distances(10, 14) == (10, 14) and distances(12) == (12,)
    with pytest.raises(UserError, match="18 apart is 14 apart the other way round"):
        distances(10, 18)
    with pytest.raises(UserError, match="at least one"):
        distances()
    with pytest.raises(UserError, match="choose one of"):
        distances((10, 14))  # pyright: ignore[reportArgumentType]


def test_dilation_changes_the_reach_and_nothing_else():
    seen = {d: analyze(ReachNet(d), (1, 1, SIDE, SIDE)) for d in (1, 2, 3, 5, 8)}
    assert len({(r.params, r.macs) for r in seen.values()}) == 1
    for dilation in seen:
        assert chain_receptive_field(ReachNet(dilation).layers)[-1][0] == 7 + 4 * dilation


@pytest.mark.parametrize("seed", range(5))
def test_too_short_a_reach_scores_both_orders_alike_whatever_the_weights(seed):
    pair = swapped_pair(14)
    torch.manual_seed(seed)
    with torch.no_grad():
        near, far = (
            ReachNet(dilation).double().eval()(pair).diff(dim=0).abs().max() for dilation in (1, 3)
        )
    assert near < 1e-12 < 1e-6 < far


def test_training_repeats_to_the_last_digit():
    first, net = train_once(3, 14, seed=1, n=120, epochs=1)
    again, same = train_once(3, 14, seed=1, n=120, epochs=1)
    assert first == again
    assert first == accuracy(net, *two_patches(1000, 14, seed=3))
    for one, two in zip(net.parameters(), same.parameters(), strict=True):
        assert torch.equal(one, two)


def test_threads_are_given_back():
    before = torch.get_num_threads()
    train_once(1, 14, seed=0, n=60, epochs=1)
    assert torch.get_num_threads() == before


@pytest.mark.slow
def test_accuracy_steps_up_when_the_field_reaches_across():
    blind, _ = train_once(1, 14, seed=0)
    reaching, _ = train_once(3, 14, seed=0)
    assert blind < 0.55
    assert reaching > 0.95
