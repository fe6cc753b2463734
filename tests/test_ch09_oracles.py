"""Chapter 09's oracles against other roads to the same numbers, and the numbers of its prose."""

import ast
import re
from pathlib import Path
from random import Random

import pytest
import torch

from lightcourse import analyze, create_model
from lightcourse import nn as blocks
from lightcourse.checks import run_check
from lightcourse.checks.chapters import (
    _ch09_block,
    _ch09_choose,
    _ch09_cost,
    _ch09_macs,
    _ch09_macs_wrong,
    _ch09_net,
    _ch09_network,
    _ch09_parts,
    ch09,
)
from lightcourse.models import published
from lightcourse.training import studies

SEEDS = range(3)
SOURCE = Path(__file__).parents[1] / "solutions" / "09_mobilenet_v1.py"


def meta(model, side=224):
    with torch.device("meta"):
        return analyze(model, (1, 3, side, side))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_block_is_the_one_of_the_package(seed):
    for case in _ch09_block.cases(Random(seed)):
        c, n, stride, fill, x = case.args
        block = blocks.DepthwiseSeparableConv(c, n, 3, stride).double().eval()
        layers, parts, _ = _ch09_parts.record(block, x)
        assert tuple(parts) == _ch09_block.wanted(c, n, stride, x)
        _ch09_parts.fill(layers, fill)
        want = _ch09_block.oracle(*case.args)
        torch.testing.assert_close(block(x), want.output)
        assert want.parameters == sum(p.numel() for p in block.parameters())


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cost_of_a_block_is_what_the_analysis_counts(seed):
    for case in _ch09_cost.cases(Random(seed)):
        c, n, side, stride, width = case.args
        with torch.device("meta"):
            block = blocks.DepthwiseSeparableConv(int(c * width), int(n * width), 3, stride)
            report = analyze(block, (1, int(c * width), side, side))
        assert sum(_ch09_cost.oracle(*case.args)) == report.macs
        assert _ch09_cost.by_formula()(*case.args) == _ch09_cost.oracle(*case.args)


@pytest.mark.parametrize(
    ("width", "side", "macs"),
    [
        (1.0, 224, 568_740_352),
        (0.75, 224, 325_400_448),  # check C117
        (0.5, 224, 149_497_088),
        (0.25, 224, 41_030_272),
        (0.5, 160, 76_524_800),  # check C118
        (0.25, 100, None),
    ],
)
def test_the_bill_is_what_the_analysis_counts(width, side, macs):
    model = create_model("mobilenet_v1", width_mult=width).to("meta")
    counted = _ch09_net.counted(width, side)
    assert sum(counted) == meta(model, side).macs == (macs or sum(counted))
    assert counted == _ch09_macs_wrong.by_parts()(width, side)
    assert len(counted) == len(_ch09_net.NAMES) == 15


@pytest.mark.parametrize("seed", SEEDS)
def test_the_reference_is_the_published_network(seed):
    """Layer by layer, and with the same weights the same scores."""
    for case in _ch09_network.cases(Random(seed)):
        width, classes, *_ = case.args
        want = _ch09_network.oracle(*case.args)
        got = _ch09_network.answer(
            lambda: create_model("mobilenet_v1", width_mult=width, num_classes=classes),  # noqa: B023
            case.args,
        )
        assert got.parts == want.parts and got.parameters == want.parameters
        assert got.output.shape == want.output.shape
        if not want.output.is_meta:
            torch.testing.assert_close(got.output, want.output)
            assert want.output.std() > 1e-3  # the weights keep the signal alive
        shape = case.args[2]
        assert list(got.parts) == _ch09_net.parts_of(width, classes, shape[2:])


def test_the_first_wrong_block_is_named():
    right = _ch09_network.oracle(1.0, 1000, (1, 3, 224, 224), 0)
    parts = list(right.parts)
    parts[2 + 4 * 6] = _ch09_parts.Part("conv", 256, 256, (3, 3), (1, 1), 256, (28, 28))
    found = _ch09_network.compare(_ch09_parts.Answer(tuple(parts), right.parameters), right)
    assert found.text.startswith("block 7, depthwise is a 3×3 depthwise convolution, 256 → 256")
    assert "wanted a 3×3 depthwise convolution, 512 → 512, map 14×14" in found.text
    bill = _ch09_net.counted(1.0, 224)
    text = _ch09_macs.compare([*bill[:3], bill[3] - 1, *bill[4:]], bill).text
    assert text == f"block 3: wanted {bill[3]:,}, got {bill[3] - 1:,}"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_choice_is_the_best_of_all_that_fit(seed):
    for case in _ch09_choose.cases(Random(seed)):
        points, budget, cost = case.args
        found = _ch09_choose.by_sorting(points, budget, cost)
        fits = [point for point in points if cost(*point[:2]) <= budget]
        assert (found is None) == (not fits)
        if found:
            best = max(point[2] for point in fits)
            prices = [cost(*point[:2]) for point in fits if point[2] == best]
            assert cost(*found) == min(prices)
            assert any(point[:2] == found and point[2] == best for point in fits)


def test_the_predictions_come_out():
    truths = {p.id: p.truth() for p in ch09.PREDICTIONS}
    assert truths == {"09.p1": 3.8, "09.p2": 4.23, "09.p3": 70.6}
    rows = {row.variant: row for row in published()}
    assert rows["Conv MobileNet (full conv)"].top1 == ch09.STANDARD_TOP1
    assert rows["MobileNetV1 1.0 @224"].top1 == ch09.SEPARABLE_TOP1
    assert rows["MobileNetV1 0.5 @224"].top1 == 63.7  # in a reply


def test_a_rule_of_thumb_is_no_answer():
    assert run_check("09.macs", _ch09_macs_wrong.by_law).mistake == "square-law"


def sixteen():
    """The table of the chapter, read from its source."""
    text = SOURCE.read_text(encoding="utf-8")
    return ast.literal_eval(re.search(r"SIXTEEN = (\[.*?\n\])", text, re.S)[1])


def test_the_sixteen_accuracies_are_those_of_the_authors_readme():
    """As the notes of published.json have them; two of the sixteen are not among these."""
    table = {(width, side): top1 for width, side, top1 in sixteen()}
    assert len(table) == 16
    noted = {}
    for row in published():
        if row.model == "mobilenet_v1" and "width_mult" in row.settings:
            said = re.search(r"top-1 ([\d.]+)", row.note)
            noted[row.settings["width_mult"], row.input] = float(said[1])
    assert len(noted) == 14 and noted.items() <= table.items()


def test_what_the_prose_says_about_the_front():
    points = sixteen()
    price = {(w, s): sum(_ch09_net.counted(w, s)) for w, s, _ in points}
    top1 = {(w, s): accuracy for w, s, accuracy in points}
    dominated = {
        one: other
        for one in top1
        for other in top1
        if price[other] <= price[one] and top1[other] > top1[one]
    }
    assert set(dominated) == {(1.0, 128), (0.5, 192)}
    assert dominated[1.0, 128] == (0.75, 160)  # narrower, more pixels
    assert dominated[0.5, 192] == (0.75, 128)  # wider, fewer pixels
    assert top1[0.5, 128] - top1[0.25, 224] > 5
    assert abs(top1[0.75, 128] - top1[0.5, 192]) <= 0.5 >= abs(top1[1.0, 128] - top1[0.75, 160])
    assert round(top1[0.75, 160] - top1[1.0, 128], 1) == 0.1  # "one of them is 0.1 point"
    assert round(price[0.5, 128] / price[0.25, 224], 1) == 1.2  # "20 per cent apart"
    assert round(price[1.0, 128] / price[0.75, 160], 2) == 1.12
    corners = [price[1.0, 128], price[0.75, 160], price[0.5, 224]]
    assert [round(macs / 1e6) for macs in corners] == [186, 166, 149]


def test_a_number_of_channels_is_cut_off_not_rounded():
    assert _ch09_cost.oracle(10, 10, 4, 1, 0.75) == (1008, 784)
    assert _ch09_cost.oracle(4, 8, 5, 2, 1.0) == (324, 288)


def test_the_cost_of_the_choice_tells_its_arguments_apart():
    for case in _ch09_choose.cases(Random(0)):
        for width, side, _ in case.args[0]:
            assert 2 * _ch09_choose.cost(width, side) < _ch09_choose.cost(side, width)


def test_what_the_prose_says_about_the_two_dials():
    full, quarter = _ch09_net.counted(1.0, 224), _ch09_net.counted(0.25, 224)
    assert 1.14 < sum(quarter) / (sum(full) / 16) < 1.16  # "about 15 per cent"
    for side in (192, 160, 128):
        assert 1 < sum(_ch09_net.counted(1.0, side)) / (sum(full) * (side / 224) ** 2) < 1.005
    half = _ch09_net.counted(1.0, 112)  # "block 13 stands out"
    assert max(half) == half[13] and half[13] > 1.2 * half[11]


def test_what_the_prose_says_about_the_logs():
    log = studies.logged("multipliers")
    assert [f.word for f in log.findings] == ["no difference seen", "confirmed"]
    assert all(f.difference > 0 for f in log.findings)
    kinds = studies.logged("block_kinds_layout")
    standard, separable = kinds["standard"], kinds["depthwise separable"]
    assert kinds.findings[0].word == "no difference seen"
    assert 0 < standard.mean - separable.mean < 3
    assert kinds.findings[0].low < 0 and kinds.findings[0].high > 3 * 1.1
    assert standard.macs / separable.macs > 2 * standard.seconds / separable.seconds


def test_the_misprint_of_table_2():
    model = create_model("mobilenet_v1").to("meta")
    report = meta(model)
    stem = next(layer for layer in report.layers if layer.macs)
    assert round(100 * stem.macs / report.macs, 2) == 1.91
    rest = 94.86 + 3.06 + 0.18  # as printed, with 1.19 for the stem: 99.29
    assert abs(rest + 1.91 - 100) < 0.02
