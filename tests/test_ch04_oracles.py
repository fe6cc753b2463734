"""Chapter 04: the oracles agree with hand numbers, with published ones, and with each other."""

import random

import pytest
from torch import nn

from lightcourse import analyze, create_model
from lightcourse.analysis import Machine, roofline
from lightcourse.checks import run_check
from lightcourse.checks.chapters import (
    _ch04_alive,
    _ch04_conv,
    _ch04_conv_wrong,
    _ch04_divisible,
    _ch04_net,
    _ch04_net_wrong,
    _ch04_roof,
    ch04,
)
from lightcourse.nn import make_divisible


@pytest.mark.parametrize(
    ("args", "options", "params", "macs", "elements"),
    [
        # hand numbers; the last column is the memory access of ShuffleNetV2, section 2, in numbers
        (((64, 56, 56), 64, 1), {}, 4_096, 12_845_056, 405_504),
        (((64, 56, 56), 64, 3), {"padding": 1, "groups": 64}, 576, 1_806_336, 401_984),
        (((64, 56, 56), 64, 3), {"padding": 1}, 36_864, 115_605_504, 438_272),
        # facts C031, C033: rule G1 of ShuffleNetV2 at 56×56; C037, C038: rule G2
        (((128, 56, 56), 128, 1), {}, 16_384, 51_380_224, 819_200),
        (((52, 56, 56), 312, 1), {}, 16_224, 50_878_464, 1_157_728),
        (((256, 56, 56), 256, 1), {"groups": 4}, 16_384, 51_380_224, 1_622_016),
        (((360, 56, 56), 360, 1), {"groups": 8}, 16_200, 50_803_200, 2_274_120),
    ],
)
def test_a_convolution_costs_what_the_papers_say(args, options, params, macs, elements):
    assert _ch04_conv.by_torch(*args, **options, bias=False) == (params, macs, 4 * elements)


def test_the_rules_behind_the_mistakes_are_right_where_nothing_is_wrong():
    rng = random.Random(4)
    right = _ch04_conv_wrong.wrong()
    for _ in range(30):
        case = _ch04_conv.random_case(rng)
        want = _ch04_conv.by_torch(*case.args, **case.kwargs)
        assert right(*case.args, **case.kwargs) == want
        net = _ch04_net.random_net(rng)
        assert _ch04_net_wrong.right(net, (4, 9, 11)) == _ch04_net.by_analysis(net, (4, 9, 11))


def test_a_net_of_one_convolution_is_a_convolution():
    for case in _ch04_conv.cases(random.Random(0)):
        shape, out_channels, kernel = case.args
        options = {"out_channels": out_channels, "kernel": kernel, **case.kwargs}
        [row] = _ch04_net.by_analysis([("conv", options)], shape)
        assert row == _ch04_conv.by_torch(*case.args, **case.kwargs)


def test_mobilenet_v1_of_the_prediction_is_the_published_one():
    # facts C117, C119
    found = {alpha: ch04._mobilenet_v1_macs(alpha) for alpha in (1, 0.75, 0.5, 0.25, 0.125)}
    assert found == {
        1: 568_740_352,
        0.75: 325_400_448,
        0.5: 149_497_088,
        0.25: 41_030_272,
        0.125: 12_085_568,
    }


def test_mobilenet_v2_of_the_prediction_is_the_library_s():
    ours, theirs = (analyze(net) for net in (ch04._mobilenet_v2(), create_model("mobilenet_v2")))
    assert (ours.params, ours.macs, ours.memory_access) == (
        theirs.params,
        theirs.macs,
        theirs.memory_access,
    )


class Shortcut(nn.Module):
    """Three convolutions and a sum with the first."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 12, 1)
        self.c, self.d = nn.Conv2d(12, 12, 1), nn.Conv2d(12, 4, 1)

    def forward(self, image):
        a = self.a(image)
        return a + self.d(self.c(self.b(a)))


def test_what_is_alive_agrees_with_the_recorder():
    place = 5 * 7 * 4
    steps = [
        ("a", ["image"], 4 * place),
        ("b", ["a"], 12 * place),
        ("c", ["b"], 12 * place),
        ("d", ["c"], 4 * place),
        ("sum", ["a", "d"], 4 * place),
    ]
    live = analyze(Shortcut(), (1, 3, 5, 7)).timeline().live
    assert _ch04_alive.by_running(steps) == list(live)


def test_the_roof_agrees_with_the_library():
    toy = Machine("toy", peak_macs=3e9, bandwidth=2e9)
    report = analyze(
        nn.Sequential(nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Conv2d(8, 64, 1)), (1, 8, 9, 9)
    )
    rows = roofline(report, toy).rows
    work = [(row.macs, row.memory_access) for row in rows]
    want = [(row.intensity, row.seconds, row.bound) for row in rows]
    for mine, theirs in zip(_ch04_roof.by_the_roof(work, 3e9, 2e9), want, strict=True):
        assert mine[:2] == pytest.approx(theirs[:2])
        assert mine[2] == theirs[2]


@pytest.mark.parametrize("divisor", [4, 8, 16])
def test_divisible_agrees_with_the_library(divisor):
    for channels in range(1, 700):
        assert _ch04_divisible.by_search(channels, divisor) == make_divisible(channels, divisor)


def test_divisible_agrees_with_torchvision():
    from lightcourse._torchvision import import_torchvision

    theirs = import_torchvision().models._utils._make_divisible
    for alpha in (0.35, 0.5, 0.75, 1.4):
        for channels in (16, 24, 32, 64, 96, 160, 320, 1280):
            assert _ch04_divisible.by_search(channels * alpha) == theirs(channels * alpha, 8)


def test_no_case_stands_exactly_where_two_answers_are_right():
    for seed in range(20):
        rng = random.Random(seed)
        for case in _ch04_roof.cases(rng):
            layers, peak, bandwidth = case.args
            assert all(macs * bandwidth != moved * peak for macs, moved in layers)


@pytest.mark.parametrize("prediction", ch04.PREDICTIONS, ids=lambda p: p.id)
def test_every_wrong_choice_has_a_reply_of_its_own(prediction):
    truth = prediction.truth()
    assert truth in prediction.options
    assert set(prediction.replies) == set(prediction.options) - {truth}
    assert len(set(prediction.replies.values())) == len(prediction.replies)


def test_the_three_predictions():
    assert [p.truth() for p in ch04.PREDICTIONS] == [
        "about 27 times as many",
        "a little more than 1/4",
        "about 36 %",
    ]


def test_the_input_of_a_learner_survives_a_wrong_answer():
    result = run_check("04.alive", lambda steps: steps.clear())
    assert not result.passed
    assert result.mistake == "returns-none"
