"""Chapter 05's oracles against other roads to the same numbers, and the numbers of its prose."""

from random import Random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lightcourse import analyze
from lightcourse import nn as blocks
from lightcourse.checks import run_check
from lightcourse.checks.chapters import (
    _ch05_deform,
    _ch05_dense,
    _ch05_lowrank,
    _ch05_macs,
    _ch05_separable,
    ch05,
)

SEEDS = range(3)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_dense_weight_does_what_the_grouped_dilated_layer_does(seed):
    for case in _ch05_dense.cases(Random(seed)):
        weight, groups, dilation = (case.args[0].double(), *case.args[1:])
        dense = _ch05_dense.oracle(weight, groups, dilation)
        x = torch.randn(2, weight.shape[1] * groups, 9, 10, dtype=torch.float64)
        other = F.conv2d(x, weight, dilation=dilation, groups=groups)
        torch.testing.assert_close(F.conv2d(x, dense), other)
        # every weight is there once, and nothing else
        assert int((dense != 0).sum()) == int((weight != 0).sum())


@pytest.mark.parametrize("seed", SEEDS)
def test_separable_equals_the_block_of_the_package(seed):
    for case in _ch05_separable.cases(Random(seed)):
        state, stride, x = case.args
        c, n, k, _ = _ch05_separable.sizes(case)
        block = blocks.DepthwiseSeparableConv(c, n, k, stride).double().eval()
        names = {"depthwise": "0", "norm1": "1", "pointwise": "3", "norm2": "4"}
        own = {f"{names[key.split('.')[0]]}.{key.split('.')[1]}": v for key, v in state.items()}
        block.load_state_dict({**block.state_dict(), **own})
        want = _ch05_separable.oracle(state, stride, x)
        torch.testing.assert_close(block(x), want.output)
        assert want.parameters == sum(p.numel() for p in block.parameters())


@pytest.mark.parametrize("seed", SEEDS)
def test_costs_equal_the_analysis_of_real_layers(seed):
    bare = {"norm": False, "activation": None}
    for case in list(_ch05_macs.cases(Random(seed)))[:8]:
        c, n, k, h, w, g = case.args
        if k % 2 == 0:
            continue
        real = {
            "standard": nn.Conv2d(c, n, k, padding=k // 2),
            "grouped": nn.Conv2d(c, n, k, padding=k // 2, groups=g),
            "depthwise": blocks.DepthwiseConv2d(c, k),
            "pointwise": blocks.PointwiseConv2d(c, n),
            "separable": blocks.DepthwiseSeparableConv(c, n, k),
            "factorised": blocks.SpatialFactorisedConv(c, n, k, **bare),
            "deformable": blocks.DeformConv2d(c, n, k),
        }
        counted = {name: analyze(layer, (1, c, h, w)).macs for name, layer in real.items()}
        assert counted == _ch05_macs.oracle(*case.args)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_closest_kernel_loses_the_tail_of_the_singular_values(seed):
    for case in _ch05_lowrank.cases(Random(seed)):
        kernel, rank = case.args
        best = _ch05_lowrank.oracle(kernel, rank).kernel
        values = torch.linalg.svdvals(kernel)
        torch.testing.assert_close((kernel - best).norm(), values[rank:].norm(), atol=1e-9, rtol=0)
        assert torch.linalg.matrix_rank(best) <= rank


@pytest.mark.parametrize("seed", SEEDS)
def test_deform_oracle_equals_the_function_of_the_package(seed):
    for case in _ch05_deform.cases(Random(seed)):
        x, offset, weight, stride, padding = case.args
        other = blocks.deform_conv2d(x, offset, weight, None, stride, padding)
        torch.testing.assert_close(_ch05_deform.oracle(*case.args), other)
        torch.testing.assert_close(_ch05_deform.variant()(*case.args), other)


# facts/checks.json
def test_the_numbers_of_the_chapter():
    wide = F.conv2d(torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 3, 3), padding=2, dilation=2)
    assert wide.shape[-1] == 32  # C003
    layer = _ch05_macs.oracle(512, 512, 3, 14, 14, 1)
    ratio = layer["separable"] / layer["standard"]
    assert ratio == pytest.approx(0.1130642361111111, rel=1e-12)  # C010
    assert _ch05_macs.oracle(384, 384, 3, 14, 14, 1)["separable"] == 29_578_752  # C013
    assert _ch05_macs.oracle(384, 384, 3, 10, 10, 1)["separable"] == 15_091_200  # C014
    one = {k: _ch05_macs.oracle(64, 64, k, 1, 1, 1) for k in (3, 5, 7)}
    assert 2 * one[3]["standard"] / one[5]["standard"] == 0.72  # C017
    assert 3 * one[3]["standard"] / one[7]["standard"] == pytest.approx(27 / 49)  # C018
    assert one[7]["factorised"] / one[7]["standard"] == pytest.approx(14 / 49)  # C019
    offsets = blocks.DeformConv2d(4, 4).offset.out_channels
    masks = blocks.DeformConv2d(4, 4, modulated=True).offset.out_channels - offsets
    assert (offsets, masks) == (18, 9)  # C021


@pytest.mark.parametrize(
    "dilations, whole",
    [
        ((1, 2, 3), True), ((1, 2, 5), True), ((1, 3, 9), True), ((1, 2, 3, 5, 6, 7), True),
        ((2, 3, 5), False), ((2, 3, 4), False), ((1, 2, 9), False), ((4,) * 6, False),
    ],
)  # fmt: skip
def test_which_dilations_leave_holes(dilations, whole):
    """The chapter's rule: begin with 1, no step wider than what the smaller ones see together."""
    side = 1 + 2 * sum(dilations)
    x = torch.zeros(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    y = x
    for d in dilations:
        y = F.conv2d(y, torch.ones(1, 1, 3, 3, dtype=torch.float64), dilation=d)
    (paths,) = torch.autograd.grad(y.sum(), x)
    steps = sorted(dilations)
    rule = all(d <= 1 + 2 * sum(steps[:i]) for i, d in enumerate(steps))
    assert bool((paths > 0).all()) == whole == rule


def test_a_kernel_split_in_two_with_enough_maps_is_whole_again():
    """k×1 to n maps, then 1×k: any kernels where n >= k·C, only sums of n products where not."""
    torch.manual_seed(0)
    wanted = torch.randn(7, 7, 7, dtype=torch.float64)  # seven kernels, from one channel
    columns = torch.eye(7, dtype=torch.float64)[:, None, :, None]  # (7, 1, 7, 1)
    rows = wanted[:, :, None, :]  # row i of each kernel reads map i
    x = torch.randn(2, 1, 12, 13, dtype=torch.float64)
    both = F.conv2d(F.conv2d(x, columns), rows)
    torch.testing.assert_close(both, F.conv2d(x, wanted[:, None]))


def test_a_share_gets_its_own_reply():
    asked = {p.id: p.replies for p in ch05.PREDICTIONS}

    def reply(id, guess):
        return next(
            text for key, text in asked[id].items()
            if (key[0] <= guess <= key[1] if isinstance(key, tuple) else key == guess)
        )  # fmt: skip

    assert "per cent" in reply("05.p3", 0.98) and "The other way round" in reply("05.p3", 2)
    assert "share that is left" in reply("05.p1", 0.115) and "below 1" in reply("05.p1", 0.5)


def test_mobilenets_claim():
    """The rows of the chapter give the network of the paper, and its factor of 8.55 and 6.9."""
    rows = [(32, 64, 112), (64, 128, 56), (128, 128, 56), (128, 256, 28), (256, 256, 28),
            (256, 512, 14), *[(512, 512, 14)] * 5, (512, 1024, 7), (1024, 1024, 7)]  # fmt: skip
    light = sum((9 * c + c * n) * s * s for c, n, s in rows)
    plain = sum(9 * c * n * s * s for c, n, s in rows)
    stem, head = 27 * 32 * 112**2, 1024 * 1000
    assert light + stem + head == 568_740_352  # facts/layer_tables.json
    assert (plain + stem + head) / (light + stem + head) == pytest.approx(8.55, abs=0.01)
    assert round((plain + stem) / 1e6) == 4866  # the paper's figure, without the classifier


@pytest.mark.parametrize("asked", ch05.PREDICTIONS, ids=lambda p: p.id)
def test_each_wrong_guess_has_its_reply_and_the_right_one_has_none(asked):
    truth = asked.truth()
    assert truth == {"05.p1": 8.69, "05.p2": 49, "05.p3": 98.3}[asked.id]
    assert not any(
        key[0] <= truth <= key[1] if isinstance(key, tuple) else key == truth
        for key in asked.replies
    )
    assert len(set(asked.replies.values())) == len(asked.replies) >= 3


def test_a_layer_of_another_width_does_not_slip_through():
    """A learner who writes 3 channels into the layer is refused, whatever the seed."""

    class Fixed(nn.Module):
        def __init__(self, in_channels, out_channels, kernel_size=3, stride=1):
            super().__init__()
            self.depthwise = nn.Conv2d(2, 2, 3, padding=1, groups=2, bias=False)
            self.norm1, self.norm2 = nn.BatchNorm2d(2), nn.BatchNorm2d(3)
            self.pointwise = nn.Conv2d(2, 3, 1, bias=False)

        def forward(self, x):
            return self.norm2(self.pointwise(self.norm1(self.depthwise(x)).relu())).relu()

    assert not any(run_check("05.separable", Fixed, seed=seed).passed for seed in SEEDS)
