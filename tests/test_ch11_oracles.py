"""Chapter 11's oracles against other roads to the same numbers, and the numbers of its prose."""

import ast
import math
import re
from pathlib import Path
from random import Random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lightcourse import analyze, create_model
from lightcourse import nn as blocks
from lightcourse._torchvision import import_torchvision
from lightcourse.checks.chapters import (
    _ch09_parts,
    _ch11_block,
    _ch11_cost,
    _ch11_manifold,
    _ch11_net,
    _ch11_network,
    _ch11_slices,
    ch11,
)
from lightcourse.models import published
from lightcourse.training import statistics, studies

SEEDS = range(2)
SOURCE = Path(__file__).parents[1] / "solutions" / "11_mobilenet_v2.py"


def meta(model, side=224):
    with torch.device("meta"):
        return analyze(model, (1, 3, side, side))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_way_back_is_the_pseudo_inverse(seed):
    for case in _ch11_manifold.cases(Random(seed)):
        points, matrix = case.args
        back = F.relu(points @ matrix.T) @ torch.linalg.pinv(matrix).T
        torch.testing.assert_close(_ch11_manifold.oracle(points, matrix), back)
        assert back.dtype == points.dtype
    assert _ch11_manifold.oracle(
        torch.tensor([[1.0, 2.0]]), torch.tensor([[2.0, 1.0], [0.0, 1.0]])
    ).tolist() == [[pytest.approx(1), pytest.approx(2)]]  # the docstring's example


@pytest.mark.parametrize("seed", SEEDS)
def test_the_block_is_the_one_of_the_package(seed):
    joined = 0
    for case in _ch11_block.cases(Random(seed)):
        c, n, stride, t, shape, fill = case.args
        block = blocks.InvertedResidual(c, n, stride, t).double().eval()
        x = _ch11_block.picture(shape, fill)
        layers, parts, _ = _ch09_parts.record(block, x)
        want = _ch11_block.oracle(*case.args)
        assert tuple(parts) == want.parts == _ch11_block.parts_of(case.args, _ch11_net.RIGHT)
        _ch09_parts.fill(layers, fill)
        torch.testing.assert_close(block(x), want.output)
        assert want.parameters == sum(p.numel() for p in block.parameters())
        joined += block.use_shortcut
    assert joined >= 2


def test_every_quirk_of_values_shows_in_the_block():
    """A mistake that no case can tell from the right answer would be a wrong acceptance."""
    for case in list(_ch11_block.cases(Random(0)))[:2]:
        right = _ch11_block.oracle(*case.args)
        for acts in ((nn.ReLU,) * 2 + (nn.Identity,), (nn.ReLU6,) * 3):
            quirk = _ch11_net.BlockQuirk(acts=acts)
            other = _ch11_block.by_torch(quirk)(*case.args)
            assert _ch11_block.compare(other, right) is not None


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cost_of_a_block_is_what_the_analysis_counts(seed):
    for case in _ch11_cost.cases(Random(seed)):
        c, n, side, stride, t = case.args
        with torch.device("meta"):
            report = analyze(blocks.InvertedResidual(c, n, stride, t), (1, c, side, side))
        assert sum(_ch11_cost.oracle(*case.args)) == report.macs
        assert _ch11_cost.by_formula()(*case.args) == _ch11_cost.oracle(*case.args)
    assert _ch11_cost.oracle(4, 8, 10, 2, 6) == (9600, 5400, 4800)  # in the prose


def test_the_reference_is_the_published_network():
    """Layer by layer, parameter by parameter, and with the same weights the same scores."""
    for case in _ch11_network.cases(Random(0)):
        width, classes, *_ = case.args
        want = _ch11_network.oracle(*case.args)
        got = _ch11_network.examined(
            lambda: create_model("mobilenet_v2", width_mult=width, num_classes=classes),  # noqa: B023
            case.args,
            True,
        )
        assert got.parts == want.parts and got.parameters == want.parameters
        assert got.output.shape == want.output.shape
        if not want.output.is_meta:
            torch.testing.assert_close(got.output, want.output)
            assert want.output.std() > 1e-3  # the weights keep the signal alive
    net = _ch11_net.Reference(1.0, 1000)
    assert sum(p.numel() for p in net.parameters()) == 3_504_872
    assert meta(net.to("meta").eval()).macs == 300_774_272


def test_the_reference_is_torchvisions_network():
    theirs = import_torchvision().models.mobilenet_v2(width_mult=0.35).eval()
    ours, x = _ch11_net.Reference(0.35, 1000).eval(), torch.randn(1, 3, 64, 96)
    for net in (theirs, ours):
        _ch09_parts.fill(_ch09_parts.record(net, x)[0], 3)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("width", [1.4, 1.0, 0.75, 0.5])
def test_the_published_counts_come_out(width):
    row = next(r for r in published() if r.variant == f"MobileNetV2 {width} @224")
    report = meta(_ch11_net.Reference(width, 1000).to("meta").eval())
    assert (report.params, report.macs) == (row.params, row.macs)


def test_the_first_wrong_block_is_named():
    right = _ch11_network.oracle(1.0, 1000, (1, 3, 224, 224), 0)
    names = [_ch11_net.place(i) for i in range(len(right.parts))]
    assert names[:4] == ["the stem", "the norm of the stem", "block 1, depthwise", names[3]]
    assert names[-3:] == [
        "the last convolution", "the norm of the last convolution", "the classifier"
    ]  # fmt: skip
    assert names[6] == "block 2, expansion" and names[-4] == "block 17, norm of the projection"
    parts = list(right.parts)
    at = names.index("block 12, depthwise")
    parts[at] = _ch09_parts.Part("conv", 384, 384, (3, 3), (2, 2), 384, (7, 7))
    wrong = _ch11_net.Made(tuple(parts), right.parameters)
    found = _ch11_network.compare(wrong, right)
    assert found.text.startswith("block 12, depthwise is a 3×3 depthwise convolution, 384 → 384")


@pytest.mark.parametrize("seed", SEEDS)
def test_slices_add_up_to_the_whole(seed):
    for case in _ch11_slices.cases(Random(seed)):
        x, *layers, slices = case.args
        with torch.no_grad():
            whole = _ch11_slices.whole(x, *layers)
            torch.testing.assert_close(_ch11_slices.oracle(*case.args), whole)
        groups = _ch11_slices.even(layers[0].out_channels, slices)
        assert [list(g) for g in groups] == [
            i.tolist() for i in torch.arange(layers[0].out_channels).chunk(slices)
        ]


@pytest.mark.parametrize("law", ["never_whole", "small_slices", "no_pile"])
def test_the_sliced_sum_keeps_its_laws(law):
    assert getattr(_ch11_slices, law)(_ch11_slices.oracle, Random(0)) is None


def test_back_from_a_matrix_and_from_its_negative_is_the_point_itself():
    """In the prose: T⁺ returns half of each point in the mean."""
    generator = torch.Generator().manual_seed(0)
    points, matrix = (torch.randn(n, 2, generator=generator).double() for n in (9, 15))
    both = [_ch11_manifold.oracle(points, one) for one in (matrix, -matrix)]
    torch.testing.assert_close(sum(both), points)


def test_what_is_alive_is_counted_by_hand():
    """One 1×1 convolution of 2 → 6 channels on 4×4: its output, and a ReLU's beside it."""
    x, layer = torch.zeros(1, 2, 4, 4), nn.Conv2d(2, 6, 1)
    given = [x, *layer.parameters()]
    with torch.no_grad(), _ch11_slices.Alive(given) as watch:
        F.relu(layer(x))
    assert watch.peak == 2 * 6 * 16
    with torch.no_grad(), _ch11_slices.Alive(given) as watch:
        F.relu_(layer(x)).view(-1)
        layer(x[:, :]).sum()
    assert watch.peak == 6 * 16 + 1


def test_the_predictions_come_out():
    truths = {p.id: p.truth() for p in ch11.PREDICTIONS}
    assert truths["11.p1"] == 50 and truths["11.p2"] == 1.3
    for id in ("11.p3", "11.p4"):
        asked = next(p for p in ch11.PREDICTIONS if p.id == id)
        assert truths[id] in asked.options


def test_the_law_of_the_lost_points():
    generator = torch.Generator().manual_seed(0)
    for n in (2, 3, 5):
        points = torch.randn(20_000, 2, generator=generator)
        matrices = torch.randn(20_000, n, 2, generator=generator)
        kept = (torch.einsum("pnd,pd->pn", matrices, points) > 0).sum(1)
        assert abs(float((kept < 2).float().mean()) - (n + 1) / 2**n) < 0.02
    lost = sum(math.comb(144, k) for k in range(24)) / 2**144
    assert lost < 1e-9  # "next to nothing" at d = 24, t = 6


def test_what_the_prose_says_about_memory():
    peaks = {
        name: meta(create_model(name).to("meta").eval())
        for name in ("mobilenet_v2", "mobilenet_v1", "resnet18")
    }
    two, one, resnet = (report.peak_activation for report in peaks.values())
    assert two == 10_437_376 and two > one > resnet
    assert peaks["mobilenet_v2"].memory_access > peaks["mobilenet_v1"].memory_access
    assert (64 * 112**2 * 2, 16 * 112**2 * 2) == (1_605_632, 401_408)


def test_the_table_of_the_chapter_is_table_2():
    text = SOURCE.read_text(encoding="utf-8")
    table = ast.literal_eval(re.search(r"TABLE = (\[.*?\n\])", text, re.S)[1])
    assert tuple(table) == _ch11_net.ROWS and sum(n for _, _, n, _ in table) == _ch11_net.BLOCKS


def test_what_the_prose_says_about_the_logs():
    log = studies.logged("bottleneck")
    assert [f.word for f in log.findings] == ["confirmed"] * 3
    bare, wide, joined = log.findings
    assert bare.difference > joined.difference > wide.difference > 10
    runs = {row.name: row.scores for row in log.rows}
    gaps = [
        [a - b for a, b in zip(runs[f"linear, {ends}"], runs[f"ReLU, {ends}"], strict=True)]
        for ends in ("narrow ends", "wide ends")
    ]
    more = statistics.welch(*gaps)
    assert more.difference > 0 and more.p > 0.05  # "cannot tell it from chance"
    stuck = [sum(score < 15 for score in row.scores) for row in log.rows]
    assert stuck == [0, 4, 0, 0, 0, 0] and {len(row.scores) for row in log.rows} == {8}
    wires = studies.logged("bottleneck_shortcut")
    assert {row.name for row in wires.rows} == {"narrow", "wide", "none"}
    assert [f.word for f in wires.findings] == ["confirmed"] * 2
    assert len({(row.params, row.macs) for row in wires.rows}) == 1
