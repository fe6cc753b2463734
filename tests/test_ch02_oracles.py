"""Chapter 02's oracles against the analysis room: two roads that share no code must meet."""

from random import Random

import pytest

from lightcourse.analysis import chain_receptive_field, trace, unit_interval
from lightcourse.checks.chapters import (
    _ch02_branch,
    _ch02_chain,
    _ch02_effective,
    _ch02_probe,
    _ch02_through,
    ch02,
)

SEEDS = range(3)


@pytest.mark.parametrize("seed", SEEDS)
def test_chains_measured_by_gradient_equal_the_recurrence(seed):
    for case in _ch02_chain.cases(Random(seed)):
        assert _ch02_chain.by_gradient(*case.args) == chain_receptive_field(*case.args)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_layer_by_torch_by_formula_and_by_counting(seed):
    for case in _ch02_through.cases(Random(seed)):
        layer, lo, hi = case.args
        want = _ch02_through.by_torch(layer, lo, hi)
        assert _ch02_through.right(layer, lo, hi) == want
        assert _ch02_branch.by_counting([layer], lo, hi) == want


@pytest.mark.parametrize("seed", SEEDS)
def test_the_linear_twin_equals_the_walk_over_the_recorded_network(seed):
    for case in _ch02_probe.cases(Random(seed)):
        net, shape, unit = case.args
        walk = unit_interval(trace(net.float(), (1, *shape)), -1, unit)
        found = _ch02_probe.by_gradient_of_a_twin(net.double(), shape, unit)
        for (first, last), (lo, hi), pixels in zip(found, walk, shape[1:], strict=True):
            assert first == max(lo, 0)
            if hi < pixels:
                assert last == hi
            else:
                # padding between two layers may stand over pixels that nothing reads
                assert last < pixels


def test_influence_lies_inside_the_field():
    for case in _ch02_effective.cases(Random(0)):
        net, images, unit = case.args
        heat = _ch02_effective.by_small_changes(net, images, unit)
        assert float(heat.sum()) == pytest.approx(1)
        recorded = trace(net.float(), tuple(images[:1].shape))
        (top, bottom), (left, right) = unit_interval(recorded, -1, unit, clip=True)
        heat[top : bottom + 1, left : right + 1] = 0
        assert float(heat.abs().max()) < 1e-12


@pytest.mark.parametrize("asked", ch02.PREDICTIONS, ids=lambda p: p.id)
def test_each_wrong_guess_has_its_reply_and_the_right_one_has_none(asked):
    truth = asked.truth()
    assert truth not in asked.replies
    assert len(set(asked.replies.values())) == len(asked.replies) >= 2
    if asked.options:
        assert {*asked.replies, truth} == set(asked.options)
    assert truth == {"02.p1": 11, "02.p2": "the early one", "02.p3": "50 %"}[asked.id]
