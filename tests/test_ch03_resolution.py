"""Chapter 03: its oracles by a second road, its facts, its predictions, and its eye chart."""

import json
import re
from pathlib import Path
from random import Random

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lightcourse import analyze, create_model
from lightcourse.checks import run_check
from lightcourse.checks.chapters import (
    _ch03_bilinear,
    _ch03_bilinear_variants,
    _ch03_choose,
    _ch03_ladder,
    _ch03_pool,
    _ch03_transposed,
    ch03,
)
from lightcourse.errors import UserError
from lightcourse.training.eye_chart import (
    DOWN,
    GAPS,
    SIDE,
    EyeChart,
    Runs,
    ring_net,
    score_rings,
    train_rings,
    verdict,
)

ROOT = Path(__file__).parents[1]
SEEDS = range(6)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# -- the oracles ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_ladders_are_those_of_whole_networks(seed):
    for case in _ch03_ladder.cases(Random(seed)):
        r, layers = case.args
        net = nn.Sequential(*[nn.MaxPool2d(k, s, p) for k, s, p in layers])
        sizes, total = _ch03_ladder.by_torch(r, layers)
        x = torch.zeros(1, 1, r, r, requires_grad=True)
        assert net(x).shape[-1] == sizes[-1]
        assert len(sizes) == len(layers) + 1
        report = analyze(net, (1, 1, r, r)) if layers else None
        if report is not None and report.receptive_field is not None:
            assert report.receptive_field.stride[0] == total


@pytest.mark.parametrize("seed", SEEDS)
def test_the_pictures_that_end_in_k_are_all_of_them(seed):
    for case in _ch03_choose.cases(Random(seed)):
        k, layers = case.args
        low, high = _ch03_choose.by_trying(k, layers)

        def last(r, layers=layers):
            for kernel, stride, padding in layers:
                r = (r + 2 * padding - kernel) // stride + 1 if r + 2 * padding >= kernel else -99
            return r

        assert [r for r in range(1, high + 40) if last(r) == k] == list(range(low, high + 1))


def test_facts_of_the_rule_r_equals_k_times_two_to_the_n():
    halving = _ch03_ladder.HALVING
    assert _ch03_choose.by_trying(7, halving) == (193, 224)
    assert _ch03_choose.by_trying(13, halving)[1] == 13 * 2**5 == 416  # facts C008
    assert _ch03_choose.by_trying(9, halving) == (257, 288)  # 280 is one of them, no multiple of 32
    assert _ch03_ladder.by_torch(280, halving)[0][-1] == 9


@pytest.mark.parametrize("seed", SEEDS)
def test_transposed_by_zero_insertion_and_by_the_gradient(seed):
    for case in _ch03_transposed.cases(Random(seed)):
        x, weight, stride, padding, more = case.args
        want = _ch03_transposed.by_torch(*case.args)
        assert _ch03_transposed.compare(_ch03_transposed.variant()(*case.args), want) is None
        like = torch.zeros_like(want, requires_grad=True)
        down = F.conv2d(like, weight, stride=stride, padding=padding)
        (gradient,) = torch.autograd.grad(down, like, x)
        assert _ch03_transposed.compare(gradient, want) is None
        sizes = zip(x.shape[2:], weight.shape[2:], want.shape[2:], strict=True)
        assert all((i - 1) * stride - 2 * padding + k + more == o for i, k, o in sizes)


def test_fourteen_becomes_twenty_eight():
    x, weight = torch.zeros(1, 1, 14, 14), torch.zeros(1, 1, 3, 3)
    assert _ch03_transposed.by_torch(x, weight, 2, 1, 1).shape[-1] == 28  # facts C005


@pytest.mark.parametrize("seed", SEEDS)
def test_bilinear_by_shares_and_by_a_grid(seed):
    for case in _ch03_bilinear.cases(Random(seed)):
        x, size, align = case.args
        want = _ch03_bilinear.by_torch(x, size, align)
        assert _ch03_bilinear.compare(_ch03_bilinear_variants.variant()(*case.args), want) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_pooling_cases_have_no_ties_and_places_point_at_the_values(seed):
    for case in _ch03_pool.cases(Random(seed)):
        x, window = case.args
        values, places, back = _ch03_pool.by_torch(x, window)
        found = x.flatten(2).gather(2, places.flatten(2)).view_as(values)
        assert torch.equal(found, values)
        assert int((back != 0).sum()) == values.numel()
        tiles = _ch03_pool.windows_of(x, window)
        assert (tiles == values[..., None]).sum() == values.numel()


@pytest.mark.parametrize("asked", ch03.PREDICTIONS, ids=lambda p: p.id)
def test_each_wrong_guess_has_its_reply_and_the_right_one_has_none(asked):
    truth = asked.truth()
    assert truth == {"03.p1": 32, "03.p2": "4 times", "03.p3": 3}[asked.id]
    assert truth not in asked.replies
    assert len(set(asked.replies.values())) == len(asked.replies) >= 2
    if asked.options:
        assert {*asked.replies, truth} == set(asked.options)


def test_a_hard_coded_answer_fails():
    assert not run_check("03.choose", lambda k, layers: ((k - 1) * 32 + 1, k * 32)).passed
    assert not run_check("03.pool", lambda x, w: F.max_pool2d(x, w, return_indices=True)).passed


# -- what the chapter says about real networks ---------------------------------------------------


def test_a_classifier_with_global_pooling_takes_any_size():
    net = create_model("mobilenet_v2", width_mult=0.25).eval()
    for side in (128, 160, 224, 321):  # facts C169
        with torch.no_grad():
            assert net(torch.zeros(1, 3, side, side)).shape == (1, 1000)


def test_mobilenet_v1_is_counted_as_published():
    """The chapter's own function against the exact counts of the facts (conv and linear)."""
    source = (ROOT / "solutions" / "03_resolution.py").read_text(encoding="utf-8")
    blocks = re.search(r"^BLOCKS = .*?(?=^PAPER)", source, re.M | re.S)
    assert blocks
    names = {"follow": _ch03_ladder.by_torch}
    exec(blocks.group().replace("\n# %%", "\n#"), names)
    macs = names["mobilenet_v1_macs"]
    exact = {(224, 1.0): 568740352, (192, 1.0): 418121728, (160, 1.0): 290675200,
             (128, 1.0): 186400768, (224, 0.75): 325400448, (224, 0.5): 149497088,
             (224, 0.25): 41030272}  # fmt: skip
    assert {at: macs(*at) for at in exact} == exact


def test_every_id_of_the_curriculum_has_its_chinese_name_in_the_chapter():
    source = (ROOT / "solutions" / "03_resolution.py").read_text(encoding="utf-8")
    names = "输入分辨率 下采样 上采样 多尺度训练 转置卷积 步长2卷积 最大池化 平均池化 最大反池化"
    for name in f"{names} 双线性插值 全局平均池化 分辨率因子".split():
        assert f"({name})" in source, name


def test_the_notebook_in_course_has_no_outputs():
    path = ROOT / "course" / "03_resolution" / "03_resolution.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") for cell in cells)


# -- the eye chart -------------------------------------------------------------------------------


def test_the_chart_is_the_same_for_the_same_seed_and_balanced():
    one, same, other = EyeChart(40, seed=1), EyeChart(40, seed=1), EyeChart(40, seed=2)
    assert torch.equal(one.images, same.images) and torch.equal(one.gaps, same.gaps)
    assert not torch.equal(one.images, other.images)
    assert one.gaps.bincount().tolist() == [10] * 4
    assert one.images.shape == (40, 1, SIDE, SIDE) and one.images.dtype == torch.float32


def test_the_gap_is_where_the_class_says():
    chart = EyeChart(40, seed=0, noise=0.0)
    for image, gap in zip(chart.images[:, 0], chart.gaps.tolist(), strict=True):
        rows, columns = (image > 0.5).nonzero().T
        box = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        middle = box.shape[0] // 2, box.shape[1] // 2
        ends = {
            "right": box[middle[0], middle[1] :],
            "top": box[: middle[0], middle[1]],
            "left": box[middle[0], : middle[1]],
            "bottom": box[middle[0] :, middle[1]],
        }
        darkest = min(ends, key=lambda side: float(ends[side].max()))
        assert darkest == GAPS[gap]


def test_ring_and_gap_have_the_sizes_of_the_data_card():
    chart = EyeChart(400, seed=0, noise=0.0)
    wide = [int((image > 0.5).any(0).sum()) for image in chart.images[:, 0]]
    assert 12 <= min(wide) <= 14 and 24 <= max(wide) <= 27


def test_smaller_pictures_are_means_of_the_large_one():
    chart = EyeChart(8, seed=0)
    for size in (8, 16, 32):
        small = chart.at(size)
        assert small.shape == (8, 1, size, size)
        assert torch.allclose(small.mean((1, 2, 3)), chart.images.mean((1, 2, 3)), atol=0.02)
        assert small.std() < chart.images.std()
    assert chart.at(16) is chart.at(16), "made once"
    for wrong in (3, 65, 8.0, "8"):
        with pytest.raises(UserError, match="4 to 64"):
            chart.at(wrong)


def test_ring_nets_have_the_same_weights_whatever_halves():
    counts = {sum(p.numel() for p in ring_net(s, down=d).parameters())
              for d in DOWN for s in ((1, 1, 1, 1), (2, 2, 1, 1), (1, 1, 2, 2))}  # fmt: skip
    assert len(counts) == 1
    macs = {d: analyze(ring_net((2, 2, 1, 1), down=d), (1, 1, 16, 16)).macs for d in DOWN}
    assert macs["strided"] == macs["max first"] == macs["average first"] < macs["max after"]
    for down in DOWN:
        body = ring_net((2, 2, 2, 1), down=down)[:-3]
        assert body(torch.zeros(1, 1, 32, 32)).shape[-1] == 4
    with pytest.raises(UserError, match="down"):
        ring_net(down="mean")


def test_halving_late_sees_what_halving_early_loses():
    train, test = EyeChart(1200, seed=1), EyeChart(400, seed=2)
    scores = {}
    for name, strides in (("early", (2, 2, 1, 1)), ("late", (1, 1, 2, 2))):
        nets = train_rings(lambda s=strides: ring_net(s), train, (8,), seeds=(0, 1), epochs=5)
        scores[name] = score_rings(nets, test, 8)
    assert scores["late"].mean > scores["early"].mean + 15


def test_training_gives_the_same_net_again_and_leaves_the_random_state_alone():
    chart = EyeChart(100, seed=0)
    state = torch.get_rng_state()
    first, second = (
        train_rings(ring_net, chart, (16, 24), seeds=(3,), epochs=1)[0] for _ in range(2)
    )
    assert torch.equal(torch.get_rng_state(), state)
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_mean_deviation_and_verdict():
    low, high = Runs("low", (30.0, 32.0, 34.0)), Runs("high", (90.0, 92.0, 94.0))
    assert (low.mean, low.sd) == (32.0, 2.0)
    assert str(high).endswith("92.0 ±  2.0 %")
    assert verdict(high, low) == "gap 60.0 ± 1.6 points: clear"
    near = Runs("near", (33.0, 35.0, 31.0))
    assert verdict(near, low).endswith("no difference that these seeds can show")
