"""Chapter 12's oracles against other roads to the same answers, and the numbers of its prose."""

import ast
import re
from pathlib import Path
from random import Random

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from twin import assert_same_outputs

from lightcourse import analyze
from lightcourse import nn as blocks
from lightcourse._torchvision import import_torchvision
from lightcourse.checks.chapters import (
    _ch09_parts,
    _ch12_adapt,
    _ch12_bneck,
    _ch12_excite,
    _ch12_last,
    _ch12_network,
    _ch12_parts,
    _ch12_table,
    ch12,
)
from lightcourse.errors import UserError
from lightcourse.models import published
from lightcourse.models.mobilenet_v3 import LARGE, SMALL, MobileNetV3, Row
from lightcourse.training import narrowing, studies
from lightcourse.training.studies import gates

SEEDS = range(3)
SOURCE = (Path(__file__).parents[1] / "solutions" / "12_mobilenet_v3.py").read_text("utf-8")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gate_is_the_one_of_the_package(seed):
    for case in _ch12_excite.cases(Random(seed)):
        c, shape, fill = case.args
        gate = blocks.SqueezeExcite(c, blocks.make_divisible(c / 4), gate=nn.Hardsigmoid)
        got = _ch12_parts.answer(gate, _ch12_excite.given(shape, fill), fill)
        want = _ch12_excite.oracle(*case.args)
        assert _ch12_excite.compare(got, want) is None and got.parts == want.parts
        x = _ch12_excite.given(shape, fill)
        ratio = (want.output / x).mean((2, 3))  # the gate again
        assert ratio.min() >= 0 and ratio.max() <= 1 and ratio.std() > 0.1
        torch.testing.assert_close(x * ratio[:, :, None, None], want.output)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_block_is_the_one_of_the_package(seed):
    for case in _ch12_bneck.cases(Random(seed)):
        (c, exp, n, k, s, se, nl), shape, fill = case.args
        block = blocks.Bneck(
            c, exp, n, k, s, se, nl, lambda m: nn.BatchNorm2d(m, eps=0.001, momentum=0.01)
        )
        got = _ch12_parts.answer(block, _ch12_parts.tensor(fill, *shape), fill)
        want = _ch12_bneck.oracle(*case.args)
        assert _ch12_bneck.compare(got, want) is None and got.parts == want.parts
        assert want.output.std() > 0.05  # the weights keep the signal alive


def test_the_block_of_the_facts():
    """Check C060: 24 → 40, 5×5, expansion 72, SE of 24."""
    block = _ch12_bneck.Reference((24, 72, 40, 5, 2, True, nn.ReLU))
    assert sum(p.numel() for p in block.parameters()) == 10_328


@pytest.mark.parametrize(
    ("name", "rows", "head"),
    [("mobilenet_v3_large", LARGE, 1280), ("mobilenet_v3_small", SMALL, 1024)],
)
def test_the_reference_is_torchvisions_network(name, rows, head):
    theirs = getattr(import_torchvision().models, name)(weights=None)
    table = {"large": _ch12_table.LARGE, "small": _ch12_table.SMALL}[name.split("_")[-1]]
    assert [tuple(row) for row in table] == [tuple(row) for row in rows]
    assert_same_outputs(theirs, _ch12_table.Network(table, head), torch.randn(1, 3, 64, 96))
    with torch.device("meta"):
        theirs = getattr(import_torchvision().models, name)(weights=None).eval()
        layers, parts, _ = _ch12_parts.record(theirs, torch.empty(1, 3, 224, 224))
    assert not any(part.lacks for part in parts) and len(layers) == len(parts)
    assert tuple(parts) == _ch12_network.oracle(rows, head, 1000, (1, 3, 224, 224), 0).parts


def test_every_layer_has_its_place():
    for rows, head in ((LARGE, 1280), (SMALL, 1024)):
        want = _ch12_network.oracle(rows, head, 1000, (1, 3, 224, 224), 0)
        names = [_ch12_network.place(i, want) for i in range(len(want.parts))]
        assert len(set(names)) == len(names) == len(want.parts)
        assert f"block {len(rows)}, the norm of the projection" in names
        gated = [i for i, row in enumerate(rows, 1) if row.se]
        assert [i for i in range(1, 16) if f"block {i}, the SE's first layer" in names] == gated
        kernels = [part.kernel[0] for part in want.parts if part.depthwise]
        assert kernels == [row.k for row in rows]
    right = _ch12_network.oracle(SMALL, 1024, 1000, (1, 3, 224, 224), 0)
    other = tuple(row._replace(k=3) if i == 3 else row for i, row in enumerate(SMALL))
    wrong = _ch12_parts.on_meta(lambda: MobileNetV3(other, 1024), (1, 3, 224, 224))
    text = _ch12_network.compare(wrong, right).text
    assert text.startswith("block 4, the depthwise layer is a 3×3 depthwise convolution, 96 → 96")


def test_the_last_stage_is_that_of_the_network():
    sizes, shape = (16, 96, 40, 7), (2, 16, 5, 4)
    whole = MobileNetV3((Row(3, 16, 16, False, nn.ReLU, 1),), 40, 7).double().eval()

    class Stage(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.head = whole.features[-1], whole.classifier

        def forward(self, x):
            return self.head(self.last(x).mean((2, 3)))

    got = _ch12_parts.answer(Stage(), _ch12_parts.tensor(3, *shape), 3)
    want = _ch12_last.oracle(sizes, shape, 3)
    assert _ch12_last.compare(got, want) is None
    assert want.parts == _ch12_last.wanted(sizes, shape)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_step_is_the_best_of_all_that_save_enough(seed):
    """By trying all narrower widths of all layers, not only the first that save enough."""
    for case in _ch12_adapt.cases(Random(seed)):
        widths, saving, cost, score, step = case.args
        found = _ch12_adapt.oracle(*case.args)
        rates = {}
        for i, width in enumerate(widths):
            fits = [n for n in range(step, width) if (width - n) % step == 0]
            fits = [
                n for n in fits if cost(widths) - cost(_ch12_adapt.narrowed(widths, i, n)) >= saving
            ]
            if fits:
                new = _ch12_adapt.narrowed(widths, i, max(fits))
                rates[tuple(new)] = (score(widths) - score(new)) / (cost(widths) - cost(new))
        assert (found is None) == (not rates)
        if found:
            assert rates[tuple(found)] == min(rates.values())
            assert sum(a != b for a, b in zip(found, widths, strict=True)) == 1
            assert list(rates.values()).count(min(rates.values())) == 1  # no ties


def test_the_cost_of_the_cases_is_that_of_convolutions():
    convs = [nn.Conv2d(3, 5, 3, 2, 1, bias=False), nn.Conv2d(5, 4, 3, 2, 1, bias=False)]
    report = analyze(nn.Sequential(*convs), (1, 3, 12, 12))
    assert _ch12_adapt.cost_of((36, 9))((5, 4)) == report.macs


def test_the_predictions_come_out():
    truths = {p.id: p.truth() for p in ch12.PREDICTIONS}
    assert (truths["12.p1"], truths["12.p2"]) == (28, 34.3)
    assert truths["12.p3"] in ch12.ANSWERS
    original, efficient = ch12.last_stages()
    counts = [analyze(net, (1, 160, 7, 7)) for net in (original, efficient)]
    assert [report.macs for report in counts] == [44_352_960, 10_035_200]
    assert counts[1].params > counts[0].params  # "the stage has more parameters than before"


def test_what_the_prose_says_about_se():
    with torch.device("meta"):
        with_se = analyze(MobileNetV3(LARGE, 1280).eval(), (1, 3, 224, 224))
        rows = tuple(row._replace(se=False) for row in LARGE)
        without = analyze(MobileNetV3(rows, 1280).eval(), (1, 3, 224, 224))
    assert round(100 * (1 - without.macs / with_se.macs), 1) == 0.7
    assert with_se.params - without.params > with_se.params / 4
    assert sum(row.se for row in LARGE) == 8 and sum(row.se for row in SMALL) == 9


def test_the_tables_of_the_notebook_are_the_papers():
    for name, want in (("LARGE", LARGE), ("SMALL", SMALL)):
        text = re.search(rf"^{name} = (\[.*?^\])", SOURCE, re.M | re.S)[1]
        rows = ast.literal_eval(re.sub(r"\b(RE|HS)\b", r'"\1"', text))
        acts = {"RE": nn.ReLU, "HS": nn.Hardswish}
        assert [Row(*row[:4], acts[row[4]], row[5]) for row in rows] == list(want)


def test_the_published_numbers_of_the_prose():
    rows = {row.variant: row for row in published()}
    assert rows["MobileNetV3-Large 1.0"].params == 5_483_032
    assert rows["MobileNetV3-Small 1.0"].macs == 56_510_400
    assert sum(p.numel() for p in MobileNetV3(SMALL, 1280).parameters()) == 2_946_568


def test_the_controls_of_the_logs_are_fair():
    log = studies.logged("squeeze_excite")
    assert len(log.seeds) >= 3
    se, wider = log["SE"], log["wider, no gate"]
    assert abs(se.params / wider.params - 1) < 0.03 and wider.macs > 1.5 * se.macs
    blind = log["gate that cannot see"]
    assert se.macs < 1.02 * blind.macs and blind.macs == log["no gate"].macs
    assert not any(f.word == "confirmed" for f in log.findings)  # the prose: not ahead of any
    activations = studies.logged("hard_swish")
    assert len({row.macs for row in activations.rows}) == 1 and len(activations.seeds) >= 3


def test_a_blind_gate_ignores_the_picture():
    net = gates.bneck_net("fixed").eval()
    found = [m for m in net.modules() if isinstance(m, gates.FixedGate)]
    assert len(found) == len(gates.ROWS)
    assert not any(isinstance(m, blocks.SqueezeExcite) for m in net.modules())
    x = torch.randn(2, found[0].weight.shape[1], 4, 4)
    with torch.no_grad():
        found[0].weight.uniform_(-3, 3)
        ratio = found[0](x) / x
    torch.testing.assert_close(ratio[0], ratio[1])


def test_eight_bits_as_the_chapter_says():
    codes = torch.arange(-128, 128, dtype=torch.float64)
    gate = (codes + 48).clamp(0, 96) / 96  # exact in whole numbers
    torch.testing.assert_close(codes / 16 * gate, F.hardswish(codes / 16))


# ---- the net that NetAdapt narrows ----------------------------------------------------------


def test_a_narrower_net_is_the_strongest_part_of_the_old_one():
    torch.manual_seed(0)
    net = narrowing.Chain([6, 8, 8, 10]).eval()
    same = narrowing.narrower(net, [6, 8, 8, 10]).eval()
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(same(x), net(x))
    with torch.no_grad():  # weak filters whose outputs nobody reads
        net.convs[1].weight[[1, 5]] = 0
        net.norms[1].bias[[1, 5]] = 0
    small = narrowing.narrower(net, [6, 6, 8, 10]).eval()
    torch.testing.assert_close(small(x), net(x))
    assert analyze(small, (1, 3, 32, 32)).macs == narrowing.chain_macs([6, 6, 8, 10])
    with pytest.raises(UserError, match="10 are more"):
        narrowing.narrower(net, [6, 10, 8, 10])
    with pytest.raises(UserError, match="has 4 widths"):
        narrowing.Chain([4, 4])


def test_learning_changes_the_net_and_repeats_itself():
    parts = narrowing.pictures(80, 20, 20)
    assert not (parts.train[0][:, None] == parts.judge[0][None, :]).flatten(2).all(2).any()
    scores = []
    for _ in range(2):
        torch.manual_seed(0)
        net = narrowing.learn(narrowing.Chain([4, 4, 4, 4]), parts.train, 3, 0.01, 0)
        scores.append(net(parts.test[0]))
    assert torch.equal(*scores) and 0 <= narrowing.accuracy(net, parts.judge) <= 100


def test_the_parts_of_a_module_say_what_is_unusual():
    net = nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4))
    _, parts, _ = _ch12_parts.record(net, torch.zeros(1, 3, 4, 4))
    assert parts[1].lacks == "eps=1e-05" and isinstance(parts[0], _ch09_parts.Part)
