"""Chapter 10's oracles against other roads to the same numbers, and the numbers of its claims."""

from random import Random

import pytest
import torch

from lightcourse import analyze, create_model
from lightcourse.analysis import chain_receptive_field
from lightcourse.checks.chapters import (
    _ch10_build,
    _ch10_field,
    _ch10_layers,
    _ch10_reached,
    _ch10_spend,
    _ch10_wider,
    ch10,
)
from lightcourse.checks.chapters._ch10_layers import FAST, SLOW, layers_of
from lightcourse.errors import UserError
from lightcourse.models import model_info
from lightcourse.training import studies
from lightcourse.training.studies import crossing
from lightcourse.training.studies._nets import net

SEEDS = range(3)


def plain(name: str, width: float):
    with torch.device("meta"):
        return analyze(create_model(name, width_mult=width))


@pytest.mark.parametrize("seed", SEEDS)
def test_strides_multiply_as_the_lengths_of_real_layers_do(seed):
    for case in _ch10_reached.cases(Random(seed)):
        assert _ch10_reached.by_shapes(*case.args) == _ch10_reached.walk()(*case.args)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bill_by_analysis_is_the_bill_by_hand(seed):
    for case in _ch10_spend.cases(Random(seed)):
        want = _ch10_spend.by_analysis(*case.args)
        assert want == _ch10_spend.counter()(*case.args)
        assert sum(want.values()) == _ch10_layers.total(*case.args)


@pytest.mark.parametrize("seed", SEEDS)
def test_bisection_and_climbing_meet(seed):
    for case in _ch10_wider.cases(Random(seed)):
        assert _ch10_wider.by_bisection(*case.args) == _ch10_wider.climber()(*case.args)


def test_the_stand_in_asks_the_total_that_it_is_given():
    stem, classes = ("conv", 32, 2), ("linear", 10, 1)
    assert _ch10_wider.by_bisection([stem, classes], 3540, lambda rows: 113 * rows[0][1]) == 31

    def total(rows):  # as the notebook writes it: not one that the check knows
        return sum(_ch10_spend.counter()(rows, 224).values())

    for width, want in ((0.5, 32), (0.25, 16), (0.125, 8)):
        budget = _ch10_layers.total(layers_of(SLOW, width))
        assert _ch10_wider.by_bisection(layers_of(FAST), budget, total) == want
        assert _ch10_wider.by_bisection(layers_of(SLOW), budget, total) == 32 * width


@pytest.mark.parametrize("seed", SEEDS)
def test_looking_back_is_the_chain_of_the_package(seed):
    for case in _ch10_field.cases(Random(seed)):
        [layers] = case.args
        kernels = {"conv": 3, "depthwise": 3, "pointwise": 1}
        chain = [(kernels[kind], s, 0, 1) for kind, _, s in layers if kind in kernels]
        want = chain_receptive_field(chain)[-1][0] if chain else 1
        assert _ch10_field.by_looking_back(layers) == want


@pytest.mark.parametrize("width", [1.0, 0.5, 0.25])
def test_the_twin_of_the_check_is_the_published_network(width):
    x = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    model = create_model("fd_mobilenet", width_mult=width)
    theirs, ours = _ch10_build.examine(model, x), _ch10_build.oracle(width, 1000, x)
    assert theirs.ready_made and not ours.ready_made
    assert theirs.layers == ours.layers and theirs.params == ours.params
    torch.testing.assert_close(theirs.scores, ours.scores)
    assert ours.params == model_info("fd_mobilenet", width_mult=width).params


@pytest.mark.parametrize(
    ("name", "blocks", "width"),
    [("mobilenet_v1", SLOW, 1.0), ("mobilenet_v1", SLOW, 0.125), ("fd_mobilenet", FAST, 0.25)],
)
def test_the_lists_of_layers_are_the_published_networks(name, blocks, width):
    report = plain(name, width)
    layers = layers_of(blocks, width)
    counted = [row for row in report.layers if row.macs]
    assert [row.output_shape[1] for row in counted] == [c for _, c, _ in layers]
    assert _ch10_layers.total(layers) == report.macs
    assert _ch10_field.by_looking_back(layers) == report.receptive_field.size[0]


def test_the_numbers_of_the_paper():
    slow, fast = (_ch10_reached.by_shapes(layers_of(blocks)) for blocks in (SLOW, FAST))
    assert (len(layers_of(SLOW)), len(layers_of(FAST))) == (28, 24)
    assert (slow[4], slow[32], fast[4], fast[32]) == (4, 24, 2, 12)
    spent = [
        sum(macs for side, macs in _ch10_spend.counter()(layers, 224).items() if side >= 14)
        for layers in (layers_of(SLOW, 0.5), layers_of(FAST))
    ]
    assert [round(macs / 1e6) for macs in spent] == [129, 59]
    assert [round(_ch10_layers.total(layers_of(FAST, w)) / 1e6) for w in (1, 0.5, 0.25)] == [
        144,
        40,
        12,
    ]
    assert (layers_of(SLOW, 0.125)[-2][1], layers_of(FAST, 0.25)[-2][1]) == (128, 256)
    fields = [_ch10_field.by_looking_back(layers_of(blocks)) for blocks in (SLOW, FAST)]
    assert fields == [315, 431]


def test_the_predictions_have_these_truths():
    truths = [prediction.truth() for prediction in ch10.PREDICTIONS]
    assert round(truths[0], 1) == 86.5
    assert truths[1:] == ["about twice", "FD-MobileNet", 0]


def test_a_difference_is_placed_at_its_block():
    x = torch.zeros(1, 3, 64, 64)
    late = (*FAST[:5], (512, 1), *FAST[6:])
    made = _ch10_build.examine(_ch10_build.reference(0.25, 10, late), x)
    found = _ch10_build.compare(made, _ch10_build.oracle(0.25, 10, x))
    assert found is not None
    assert found.text == "layer 12, the depthwise half of block 6: its stride is 1, wanted 2"


def test_a_budget_that_is_not_the_papers_is_refused():
    with pytest.raises(UserError, match="no budget 13; choose of 12, 40, 140"):
        studies.fd_mobilenet(budgets=[13])


@pytest.mark.parametrize("budget", crossing.WIDTHS)
def test_the_study_trains_the_published_networks(budget):
    for schedule, name in (("slow", "mobilenet_v1"), ("fast", "fd_mobilenet")):
        width = crossing.WIDTHS[budget][schedule]
        with torch.device("meta"):
            ours = analyze(net(crossing.table_rows(schedule, width)), (1, 3, 64, 64))
            theirs = create_model(name, width_mult=width, num_classes=10)
        other = analyze(theirs, (1, 3, 64, 64))
        assert (ours.params, ours.macs) == (other.params, other.macs)


def test_the_log_that_ships_is_of_this_study():
    log = studies.logged("fd_mobilenet")
    assert log.study is not None and log.study["name"] == "fd_mobilenet"
    assert len(log.seeds) >= 4 and not any(row.diverged for row in log.rows)
    for row in log.rows:
        schedule, budget = row.name.split(", ")
        width = crossing.WIDTHS[int(budget)][schedule]
        with torch.device("meta"):
            found = analyze(net(crossing.table_rows(schedule, width)), (1, 3, 64, 64))
        assert (row.params, row.macs) == (found.params, found.macs)
