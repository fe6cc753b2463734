"""Chapter 06's colour puzzle: same bits every time, balanced, no plane decides; nets; verdicts."""

import pytest
import torch
from torch import nn

from lightcourse.training.colours import (
    COLOURS,
    TEXTURES,
    Runs,
    accuracy,
    colour_net,
    colour_puzzle,
    fit,
    repeat,
    verdict,
)


@pytest.fixture(scope="module")
def puzzle():
    return colour_puzzle(1200, seed=5)


def test_same_seed_same_bits_other_seed_others():
    one, two, other = (colour_puzzle(24, seed) for seed in (1, 1, 2))
    assert torch.equal(one.images, two.images)
    assert torch.equal(one.odd, two.odd)
    assert not torch.equal(one.images, other.images)


def test_classes_are_balanced(puzzle):
    assert puzzle.odd.bincount(minlength=3).tolist() == [400] * 3
    assert puzzle.shared.bincount(minlength=4).tolist() == [300] * 4
    assert puzzle.images.shape == (1200, 3, 16, 16)


def test_exactly_one_plane_differs(puzzle):
    for textures, odd, shared in zip(puzzle.textures, puzzle.odd, puzzle.shared, strict=True):
        same = [i for i in range(len(COLOURS)) if textures[i] == shared]
        assert same == [i for i in range(3) if i != odd]


def test_one_plane_says_nothing_about_the_odd_one(puzzle):
    """The best guess from the true texture of one plane is hardly better than blind."""
    for plane in range(3):
        table = torch.zeros(len(TEXTURES), 3)
        for texture, odd in zip(puzzle.textures[:, plane], puzzle.odd, strict=True):
            table[texture, odd] += 1
        best = table.max(1).values.sum() / len(puzzle.odd)
        assert best < 1 / 3 + 0.06  # four maxima of noisy counts, so a little above one third


def test_two_planes_allow_two_thirds(puzzle):
    """With the true textures of two planes: equal names the third, different leaves two."""
    equal = puzzle.textures[:, 0] == puzzle.textures[:, 1]
    right = torch.where(equal, puzzle.odd == 2, puzzle.odd == 0)
    assert right.double().mean().item() == pytest.approx(2 / 3, abs=0.01)


def test_no_shortcut_in_mean_or_strength(puzzle):
    """A linear look at the mean and the spread of each plane stays near guessing."""
    flat = puzzle.images.flatten(2)
    features = torch.cat([flat.mean(2), flat.std(2), torch.ones(1200, 1)], 1)
    target = nn.functional.one_hot(puzzle.odd, 3).float()
    weights = torch.linalg.lstsq(features[:600], target[:600]).solution
    right = (features[600:] @ weights).argmax(1) == puzzle.odd[600:]
    assert right.double().mean() < 0.42


def apart_and_shuffled(shuffle):
    return colour_net(3, stem_groups=3, groups=3, shuffle=shuffle).eval().double()


def test_colours_meet_only_through_the_shuffle():
    """Without it, changing red and changing blue add up exactly: two separate networks."""
    torch.manual_seed(0)
    x = torch.randn(1, 3, 16, 16, dtype=torch.float64)
    red, blue, both = x.clone(), x.clone(), x.clone()
    red[:, 0] += 1
    blue[:, 2] -= 1
    both[:, 0] += 1
    both[:, 2] -= 1
    apart, mixed = apart_and_shuffled(None), apart_and_shuffled(torch.channel_shuffle)
    with torch.no_grad():
        gaps = [net(both) - net(red) - net(blue) + net(x) for net in (apart, mixed)]
    assert gaps[0].abs().max() < 1e-15
    assert gaps[1].abs().max() > 1e-7


def test_shuffle_costs_no_parameter():
    sizes = [sum(p.numel() for p in apart_and_shuffled(s).parameters()) for s in (None, torch.relu)]
    assert sizes[0] == sizes[1]


def test_strides_and_norm_act_are_used():
    net = colour_net(4, strides=(2, 2), norm_act=lambda c: nn.GroupNorm(4, c))
    assert net[:-3](torch.zeros(1, 3, 16, 16)).shape == (1, 24, 2, 2)
    assert not [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]


def test_training_is_repeatable_and_learns(puzzle):
    data = puzzle.images[:400], puzzle.textures[:400, 1]

    def run():
        return repeat("one plane", lambda: colour_net(4), data, data, seeds=(0,), epochs=3)

    first = run()
    assert first.accuracies == run().accuracies
    assert first.accuracies[0] > 60  # guessing gives 25


def test_fit_leaves_a_model_that_accuracy_puts_into_eval_mode(puzzle):
    net = colour_net(3)
    fit(net, puzzle.images[:64], puzzle.odd[:64], epochs=1, batch=32)
    assert 0 <= accuracy(net, puzzle.images[:64], puzzle.odd[:64]) <= 100
    assert not net.training


def test_mean_deviation_and_verdict():
    low, high = Runs("low", (30.0, 32.0, 34.0)), Runs("high", (90.0, 92.0, 94.0))
    assert (low.mean, low.sd) == (32.0, 2.0)
    assert str(high).endswith("92.0 ±  2.0 %")
    assert verdict(high, low) == "gap 60.0 ± 1.6 points: clear"
    near = Runs("near", (33.0, 35.0, 31.0))
    assert verdict(near, low).endswith("no difference that these seeds can show")
