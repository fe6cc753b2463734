"""The letters data and its two networks: repeatable, balanced, and black where they must be."""

import numpy as np
import pytest
import torch

from lightcourse.errors import UserError
from lightcourse.training.letters import (
    LETTER,
    NAMES,
    PLACES,
    SIDE,
    conv_net,
    full_net,
    letters,
    place_net,
    train_letters,
)


def columns(images):
    """First and last column with ink in each picture."""
    inked = images[:, 0].abs().sum(1) > 0
    return [(int(row.nonzero()[0]), int(row.nonzero()[-1])) for row in inked]


@pytest.mark.parametrize("place", PLACES)
def test_letters_stand_in_their_part_and_nowhere_else(place):
    images, classes = letters(400, place, seed=1)
    assert images.shape == (400, 1, SIDE, SIDE) and images.dtype == torch.float32
    low, high = {"left": (0, 7), "right": (8, 15), "all": (0, 15)}[place]
    found = columns(images)
    assert min(first for first, _ in found) == low and max(last for _, last in found) == high
    assert classes.bincount().tolist() == [100] * len(NAMES)


def test_every_letter_is_a_different_whole_shape():
    images, classes = letters(200, "all", seed=2)
    shapes = set()
    for image, label in zip(images[:, 0].numpy(), classes.tolist(), strict=True):
        rows, cols = np.nonzero(image)
        assert np.ptp(rows) == np.ptp(cols) == LETTER - 1
        ink = image[rows.min() :, cols.min() :][:LETTER, :LETTER]
        assert len(set(ink[ink > 0].tolist())) == 1, "one strength in one letter"
        assert 0.6 <= ink.max() <= 1.4
        shapes.add((label, (ink > 0).tobytes()))
    assert len(shapes) == len(NAMES)


def test_the_same_seed_gives_the_same_pictures_and_another_seed_or_place_others():
    one, same, other = (letters(50, "left", seed) for seed in (3, 3, 4))
    assert torch.equal(one[0], same[0]) and torch.equal(one[1], same[1])
    assert not torch.equal(one[0], other[0])
    assert not torch.equal(one[0], letters(50, "all", 3)[0])


def test_the_two_small_networks_have_similar_numbers_of_parameters():
    sizes = [sum(p.numel() for p in net.parameters()) for net in (full_net(5), conv_net(40))]
    assert sizes == [1309, 1204]
    assert sum(p.numel() for p in full_net(64).parameters()) > 12 * sizes[1]


def test_weights_of_the_black_half_stay_as_they_were():
    net, (images, classes) = full_net(5), letters(100, "left")
    loss = torch.nn.functional.cross_entropy(net(images), classes)
    (slope,) = torch.autograd.grad(loss, [net[1].weight])
    by_pixel = slope.view(5, SIDE, SIDE)
    assert by_pixel[..., :8].any() and not by_pixel[..., 8:].any()


def test_training_repeats_and_leaves_the_random_state_and_the_threads():
    torch.manual_seed(0)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    first = train_letters("full", 5, "left", seed=1, n=100, steps=20)
    assert first == train_letters("full", 5, "left", seed=1, n=100, steps=20)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_what_does_not_exist_is_refused():
    with pytest.raises(UserError, match="choose one of: left, right, all"):
        letters(4, "middle")
    with pytest.raises(UserError, match="choose one of: full, conv, place"):
        train_letters("pool", 4, "left", seed=0)


def test_what_is_read_place_by_place_says_nothing_on_the_black_half():
    """Why sharing alone is not enough: the weights there see the same numbers for every letter."""
    net, (images, _) = place_net(8), letters(100, "left")
    maps = net[1](net[0](images))
    reach = SIDE // 2 + LETTER // 2
    assert maps[..., :reach].std(0).any()
    assert torch.equal(maps[..., reach:], maps[:1, ..., reach:].expand_as(maps[..., reach:]))


@pytest.mark.slow
def test_a_convolution_that_keeps_the_places_reads_no_letter_at_a_new_place():
    found = [train_letters("place", 8, "left", seed) for seed in (0, 1, 2)]
    assert min(left for left, _ in found) > 0.98
    assert np.mean([right for _, right in found]) < 0.35
    assert min(train_letters("place", 8, "all", seed=0)) > 0.98


@pytest.mark.slow
def test_only_the_convolution_reads_where_it_has_not_learned():
    full = [train_letters("full", 64, "left", seed) for seed in (0, 1)]
    conv = train_letters("conv", 40, "left", seed=0)
    assert min(left for left, _ in full) > 0.95
    assert np.mean([right for _, right in full]) < 0.35
    assert min(conv) > 0.98
