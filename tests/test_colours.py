"""The colour puzzle: same bits every time, balanced, no plane decides; and its little net."""

import pytest
import torch
from torch import nn

from lightcourse.errors import UserError
from lightcourse.training import fit
from lightcourse.training.colours import COLOURS, TEXTURES, colour_net, colour_puzzle, layout


@pytest.fixture(scope="module")
def planes():
    return layout(1200, torch.Generator().manual_seed(5))


def test_same_arguments_same_bits_other_seed_others():
    one, two, other = (colour_puzzle(24, 12, seed) for seed in (1, 1, 2))
    assert one.fingerprint == two.fingerprint
    assert not torch.equal(one.train.images, other.train.images)
    assert not torch.equal(one.train.images[:12], one.test.images)


@pytest.mark.parametrize(("ask", "classes"), [("odd", COLOURS), ("shared", TEXTURES)])
def test_a_question_changes_the_labels_alone(ask, classes):
    puzzle = colour_puzzle(1200, 24, ask=ask)
    assert puzzle.classes == classes
    assert puzzle.train.counts == (1200 // len(classes),) * len(classes)
    assert puzzle.shape == (3, 16, 16)
    assert torch.equal(puzzle.train.images, colour_puzzle(1200, 24).train.images)


def test_an_unknown_question_is_refused():
    with pytest.raises(UserError, match="'even'; choose one of: odd, shared"):
        colour_puzzle(12, 12, ask="even")


def test_exactly_one_plane_differs(planes):
    for textures, odd, shared in zip(*planes, strict=True):
        same = [i for i in range(len(COLOURS)) if textures[i] == shared]
        assert same == [i for i in range(3) if i != odd]


def test_few_pixels_are_cut_at_black_and_white():
    images = colour_puzzle(600, 12).train.images
    assert ((images == 0) | (images == 255)).double().mean() < 0.01


def test_the_waves_of_a_plane_run_in_its_direction():
    """Without noise the picture changes most across the waves: look at both diagonals."""
    puzzle = colour_puzzle(600, 12, ask="shared", noise=0.0)
    x = puzzle.train.images.double()
    down, right = ((x - x.roll(1, axis))[:, :, 1:, 1:] for axis in (2, 3))
    slant = (down * right).mean((1, 2, 3))  # signed: rising waves and falling ones differ
    steep = (down.square() - right.square()).mean((1, 2, 3))
    mean = {name: (float(slant[puzzle.train.labels == i].mean()),
                   float(steep[puzzle.train.labels == i].mean()))
            for i, name in enumerate(TEXTURES)}  # fmt: skip
    assert mean["horizontal"][1] > 0 > mean["vertical"][1]
    assert mean["rising"][0] * mean["falling"][0] < 0


def test_one_plane_says_nothing_about_the_odd_one(planes):
    """The best guess from the true texture of one plane is hardly better than blind."""
    textures, odd, _ = planes
    for plane in range(3):
        table = torch.zeros(len(TEXTURES), 3)
        for texture, answer in zip(textures[:, plane], odd, strict=True):
            table[texture, answer] += 1
        best = table.max(1).values.sum() / len(odd)
        assert best < 1 / 3 + 0.06  # four maxima of noisy counts, so a little above one third


def test_two_planes_allow_two_thirds(planes):
    """With the true textures of two planes: equal names the third, different leaves two."""
    textures, odd, _ = planes
    equal = textures[:, 0] == textures[:, 1]
    right = torch.where(equal, odd == 2, odd == 0)
    assert right.double().mean().item() == pytest.approx(2 / 3, abs=0.01)


def test_no_shortcut_in_mean_or_strength():
    """A linear look at the mean and the spread of each plane stays near guessing."""
    data = colour_puzzle(1200, 12).train
    flat = data.images.double().flatten(2)
    features = torch.cat([flat.mean(2), flat.std(2), torch.ones(1200, 1)], 1)
    target = nn.functional.one_hot(data.labels, 3).double()
    weights = torch.linalg.lstsq(features[:600], target[:600]).solution
    right = (features[600:] @ weights).argmax(1) == data.labels[600:]
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


def test_the_easier_question_is_learnt_and_training_repeats():
    data = colour_puzzle(600, 200, ask="shared", noise=0.1)

    def run():
        torch.manual_seed(0)
        return fit(colour_net(4), data, epochs=4, batch_size=16, augment=None, progress=False)

    first = run()
    assert first.epochs[-1].test_loss == run().epochs[-1].test_loss
    assert first.test_accuracy > 0.5  # guessing gives 0.25
