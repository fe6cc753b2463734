"""Chapter 04: the exercises on what a layer costs and the predictions."""

from __future__ import annotations

import torch
from torch import nn

from lightcourse.analysis import analyze
from lightcourse.checks.chapters import (
    _ch04_alive,
    _ch04_alive_mistakes,
    _ch04_columns,
    _ch04_conv,
    _ch04_conv_mistakes,
    _ch04_divisible,
    _ch04_divisible_mistakes,
    _ch04_net,
    _ch04_net_mistakes,
    _ch04_roof,
    _ch04_roof_mistakes,
)
from lightcourse.checks.exercise import Exercise, Prediction
from lightcourse.nn import ConvNormAct, InvertedResidual

TITLE = "What a layer costs"

EXERCISES = [
    Exercise(
        id="04.conv",
        title="Three prices of a convolution",
        name="conv_cost",
        cases=_ch04_conv.cases,
        oracle=_ch04_conv.by_torch,
        compare=_ch04_columns.named,
        laws=_ch04_conv.LAWS,
        mistakes=_ch04_conv_mistakes.MISTAKES,
        hints=_ch04_conv.HINTS,
    ),
    Exercise(
        id="04.net",
        title="The bill of a net",
        name="net_cost",
        cases=_ch04_net.cases,
        oracle=_ch04_net.by_analysis,
        compare=_ch04_columns.named_rows,
        laws=_ch04_net.LAWS,
        mistakes=_ch04_net_mistakes.MISTAKES,
        hints=_ch04_net.HINTS,
        show=_ch04_net.show,
    ),
    Exercise(
        id="04.alive",
        title="What must be in memory",
        name="alive",
        cases=_ch04_alive.cases,
        oracle=_ch04_alive.by_running,
        compare=_ch04_alive.compare,
        laws=_ch04_alive.LAWS,
        mistakes=_ch04_alive_mistakes.MISTAKES,
        hints=_ch04_alive.HINTS,
    ),
    Exercise(
        id="04.roof",
        title="Under the roof",
        name="under_the_roof",
        cases=_ch04_roof.cases,
        oracle=_ch04_roof.by_the_roof,
        compare=_ch04_roof.compare,
        laws=_ch04_roof.LAWS,
        mistakes=_ch04_roof_mistakes.MISTAKES,
        hints=_ch04_roof.HINTS,
    ),
    Exercise(
        id="04.divisible",
        title="A multiple of 8",
        name="make_divisible",
        cases=_ch04_divisible.cases,
        oracle=_ch04_divisible.by_search,
        laws=_ch04_divisible.LAWS,
        mistakes=_ch04_divisible_mistakes.MISTAKES,
        hints=_ch04_divisible.HINTS,
    ),
]

_FACTORS = {"the same": 1, "about 5 times as many": 5, "about 27 times as many": 27}
_SHARES = {"about 95 %": 0.95, "about 70 %": 0.7, "about 36 %": 0.36, "about 10 %": 0.1}
_HALVED = ("1/2", "exactly 1/4", "a little more than 1/4", "1/8")


def _more_bytes() -> str:
    """Bytes of a depthwise layer over those of a dense one with the same MACs."""
    dense = _ch04_conv.by_torch((32, 28, 28), 32, 3, padding=1, bias=False)
    thin = _ch04_conv.by_torch((256, 56, 56), 256, 3, padding=1, groups=256, bias=False)
    if dense[1] != thin[1]:
        raise AssertionError("the two layers of 04.p1 must have equal MACs")
    factor = thin[2] / dense[2]
    return min(_FACTORS, key=lambda name: abs(_FACTORS[name] / factor - 1))


def _half_as_wide() -> str:
    """MACs of MobileNetV1 at half the width over those at full width."""
    full, half = (_mobilenet_v1_macs(alpha) for alpha in (1.0, 0.5))
    ratio = half / full
    if ratio == 0.25:
        return _HALVED[1]
    near = {"1/2": 0.5, "a little more than 1/4": 0.26, "1/8": 0.125}
    return min(near, key=lambda name: abs(near[name] - ratio))


def _mobilenet_v1_macs(alpha: float) -> int:
    """Count MobileNetV1 at 224×224 with torch's layers: blocks as in arXiv 1704.04861, table 1."""
    plan = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5]
    channels, side = int(32 * alpha), 112
    macs = _ch04_conv.by_torch((3, 224, 224), channels, 3, stride=2, padding=1)[1]
    for wide, stride in [*plan, (1024, 2), (1024, 1)]:
        out = int(wide * alpha)
        shape = (channels, side, side)
        options = {"stride": stride, "padding": 1, "groups": channels}
        macs += _ch04_conv.by_torch(shape, channels, 3, **options)[1]
        side //= stride
        macs += _ch04_conv.by_torch((channels, side, side), out, 1)[1]
        channels = out
    return macs + nn.Linear(channels, 1000, device="meta").weight.numel()


def _mobilenet_v2() -> nn.Module:
    """MobileNetV2 from its table 2 (arXiv 1801.04381): expansion, channels, repeats, stride."""
    channels = 32
    layers: list[nn.Module] = [ConvNormAct(3, 32, stride=2)]
    for t, c, n, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                       (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):  # fmt: skip
        for repeat in range(n):
            layers.append(InvertedResidual(channels, c, 1 if repeat else s, expansion=t))
            channels = c
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(*layers, ConvNormAct(320, 1280, 1), pool, nn.Linear(1280, 1000))


def _share_of_convolutions() -> str:
    """The part of the bytes moved by MobileNetV2, operator by operator, that convolutions move."""
    with torch.device("meta"):
        net = _mobilenet_v2()
    report = analyze(net, (1, 3, 224, 224))
    moved = sum(layer.memory_access for layer in report.layers if layer.kind == "Conv2d")
    share = moved / report.memory_access
    return min(_SHARES, key=lambda name: abs(_SHARES[name] - share))


PREDICTIONS = [
    Prediction(
        id="04.p1",
        question="Two layers with the same MACs, dense and depthwise: how many times as many bytes"
        " does the depthwise one move?",
        options=tuple(_FACTORS),
        truth=_more_bytes,
        replies={
            "the same": (
                "The same number of multiplications does not mean the same number of numbers. The"
                " dense layer uses each number of its input 288 times, the depthwise one 9 times."
            ),
            "about 5 times as many": (
                "The direction is right. But compare the maps: 32 · 28 · 28 numbers against"
                " 256 · 56 · 56. That is 32 times as many; the dense layer's weights soften it."
            ),
        },
        right=("Its maps are 32 times as large, and each number in them is used 9 times, not 288."),
    ),
    Prediction(
        id="04.p2",
        question="MobileNetV1 at half the width: what becomes of the MACs?",
        options=_HALVED,
        truth=_half_as_wide,
        replies={
            "1/2": (
                "That would be right if only the outputs were halved. Most layers have half the"
                " inputs as well, and the two multiply."
            ),
            "exactly 1/4": (
                "The law says α², and for the 1×1 layers it is exact. Some layers have only one end"
                " that shrinks: the first one still reads 3 colours, depthwise layers have one"
                " channel in, and the last one keeps its 1000 classes."
            ),
            "1/8": (
                "α² is 1/4, for a half at both ends of a layer. A half as wide *and* a picture of"
                " half the side would give 1/16. Here the picture stays as it is."
            ),
        },
        right=(
            "α² for the 1×1 layers, which have most of the MACs, and α for the first, the depthwise"
            " and the last layers."
        ),
    ),
    Prediction(
        id="04.p3",
        question="Of all bytes that MobileNetV2 moves, run operator by operator, what share do its"
        " convolutions move?",
        options=tuple(_SHARES),
        truth=_share_of_convolutions,
        replies={
            "about 95 %": (
                "That is nearer to their share of the MACs. But behind nearly every convolution"
                " come a batch norm and an activation, and each moves the whole map again, twice."
            ),
            "about 70 %": (
                "Convolutions move a map in and a map out. So do the batch norm and the activation"
                " behind each of them. Three operators share the traffic."
            ),
            "about 10 %": (
                "Too low: a convolution moves about as much as the batch norm or the activation"
                " behind it, so it has about a third."
            ),
        },
        right=(
            "Convolution, batch norm and activation each read a map and write a map: about a third"
            " each."
        ),
    ),
]
