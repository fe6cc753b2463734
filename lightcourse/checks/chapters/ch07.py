"""Chapter 07: the exercises on the classic networks, and four predictions."""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import pairwise
from math import inf

import torch
from torch import nn

from lightcourse.analysis import analyze
from lightcourse.checks.chapters import _ch07_dense as dense
from lightcourse.checks.chapters import _ch07_dense_mistakes as dense_mistakes
from lightcourse.checks.chapters import _ch07_laws as laws
from lightcourse.checks.chapters import _ch07_net as net
from lightcourse.checks.chapters import _ch07_net_hints as net_hints
from lightcourse.checks.chapters import _ch07_net_laws as net_laws
from lightcourse.checks.chapters import _ch07_net_mistakes as net_mistakes
from lightcourse.checks.chapters import _ch07_parts as parts
from lightcourse.checks.chapters import _ch07_reduce as reduce
from lightcourse.checks.chapters import _ch07_reduce_mistakes as reduce_mistakes
from lightcourse.checks.chapters import _ch07_residual as residual
from lightcourse.checks.chapters import _ch07_residual_mistakes as residual_mistakes
from lightcourse.checks.chapters import _ch07_stack as stack
from lightcourse.checks.exercise import Exercise, Prediction
from lightcourse.nn import BasicBlock, DenseBlock, Transition

TITLE = "The classics"

EXERCISES = [
    Exercise(
        id="07.stack",
        title="Small kernels on top of each other",
        name="stack",
        cases=stack.cases,
        oracle=stack.oracle,
        show=stack.show,
        mistakes=stack.MISTAKES,
        hints=stack.HINTS,
    ),
    Exercise(
        id="07.reduce",
        title="Pool and convolve side by side",
        name="Reduction",
        kind="class",
        cases=reduce.cases,
        oracle=reduce.oracle,
        call=reduce.call,
        compare=parts.compare,
        show=reduce.show,
        laws=laws.laws(reduce.trials),
        mistakes=reduce_mistakes.MISTAKES,
        hints=reduce_mistakes.HINTS,
    ),
    Exercise(
        id="07.residual",
        title="Add what came in",
        name="Residual",
        kind="class",
        cases=residual.cases,
        oracle=residual.oracle,
        call=residual.call,
        compare=parts.compare,
        show=residual.show,
        laws=laws.laws(residual.trials),
        mistakes=residual_mistakes.MISTAKES,
        hints=residual_mistakes.HINTS,
    ),
    Exercise(
        id="07.dense",
        title="Keep what came in",
        name="Dense",
        kind="class",
        cases=dense.cases,
        oracle=dense.oracle,
        call=dense.call,
        compare=parts.compare,
        show=dense.show,
        laws=laws.laws(dense.trials),
        mistakes=dense_mistakes.MISTAKES,
        hints=dense_mistakes.HINTS,
    ),
    Exercise(
        id="07.net",
        title="ResNet-20 with side heads",
        name="ResNet",
        kind="class",
        cases=net.cases,
        oracle=net.oracle,
        call=net.call,
        compare=net.compare,
        show=net.show,
        laws=net_laws.LAWS,
        mistakes=net_mistakes.MISTAKES,
        hints=net_hints.HINTS,
    ),
]


def _linear_share() -> float:
    """Per cent of VGG-16's parameters in its linear layers."""
    channels = (3, 64, 64, 128, 128, 256, 256, 256, *[512] * 6)
    sizes = (512 * 7 * 7, 4096, 4096, 1000)
    with torch.device("meta"):
        convs = [nn.Conv2d(*pair, 3) for pair in pairwise(channels)]
        linear = [nn.Linear(*pair) for pair in pairwise(sizes)]
    first, last = (sum(p.numel() for m in ms for p in m.parameters()) for ms in (convs, linear))
    return round(100 * last / (first + last), 1)


def _stack_share() -> float:
    """Per cent of a 7×7's weights that three 3×3 take."""
    _, small, large = stack.oracle(3, 64)
    return round(100 * small / large, 1)


def _best_plain() -> str:
    """The depth at which the logged plain network is best."""
    log = files("lightcourse.training").joinpath("studies/logs/depth.json")
    rows = [row for row in json.loads(log.read_text("utf-8"))["rows"] if row["line"] == "plain"]
    return f"{max(rows, key=lambda row: row['mean'])['x']} layers"


def _more_to_move() -> float:
    """Bytes that DenseNet-121 moves for one picture, over those of ResNet-18."""
    with torch.device("meta"):
        nets = [_ended(_dense_blocks(), 1024).eval(), _ended(_residual_blocks(), 512).eval()]
    moved = [analyze(model, (1, 3, 224, 224)).memory_access for model in nets]
    return round(moved[0] / moved[1], 1)


def _dense_blocks() -> list[nn.Module]:
    """DenseNet-121 between its stem and its end."""
    found: list[nn.Module] = []
    channels = 64
    for repeats in (6, 12, 24, 16):
        if found:
            found.append(Transition(channels, channels // 2))
            channels //= 2
        found.append(DenseBlock(channels, repeats, 32))
        channels += 32 * repeats
    return [*found, nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


def _residual_blocks() -> list[nn.Module]:
    """ResNet-18 between its stem and its end."""
    widths = (64, 64, 64, 128, 128, 256, 256, 512, 512)
    return [BasicBlock(a, b, 1 if a == b else 2) for a, b in pairwise(widths)]


def _ended(body: list[nn.Module], channels: int) -> nn.Module:
    """The stem for photographs, the blocks, and a classifier."""
    conv = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
    stem = [conv, nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000)]
    return nn.Sequential(*stem, *body, *end)


PREDICTIONS = [
    Prediction(
        id="07.p1",
        question="How many per cent of VGG-16's parameters are in its linear layers",
        truth=_linear_share,
        tolerance=0.04,
        unit="%",
        replies={
            (0, 0.99999): "A number below 1 is a share. Write it in per cent.",
            (1, 40): (
                "Far more. Most of VGG's *work* is in its convolutions, but the first linear layer"
                " alone reads 25,088 numbers and writes 4,096: 103 million weights."
            ),
            (40.0001, 85.8): (
                "More still: the first linear layer alone reads 25,088 numbers and writes 4,096."
            ),
            (93, 100): (
                "A little less: thirteen convolutions with up to 512 channels are not nothing."
            ),
            (100.0001, inf): "All of them together are 100 %; a part cannot be more.",
            (-inf, -0.00001): "A share cannot be negative: none is 0 %, all are 100 %.",
        },
        right="Right: nearly nine tenths, and 103 million of them in a single layer.",
        other="It is 89.4 %.",
    ),
    Prediction(
        id="07.p2",
        question="Three 3×3 layers in place of one 7×7: how many per cent of the weights",
        truth=_stack_share,
        tolerance=0.02,
        unit="%",
        replies={
            (0, 0.99999): "A number below 1 is a share. Write it in per cent.",
            (42, 44): "That is 3 · 3 over 3 · 7. A kernel is a square: 9 weights and 49.",
            (17, 19): "That is a single 3×3. There are three of them.",
            (71, 73): "72 % are *two* 3×3 against one 5×5.",
            (100, inf): "They see the same, and weigh less: 27 against 49.",
            (-inf, -0.00001): "A share cannot be negative: none is 0 %, all are 100 %.",
        },
        right="Right: 27 against 49 for each pair of channels.",
        other="For each pair of channels, three times 9 weights against 49: 55.1 %.",
    ),
    Prediction(
        id="07.p3",
        question="Which plain network, without shortcuts, does best on new pictures?",
        options=("8 layers", "20 layers", "32 layers", "all the same"),
        truth=_best_plain,
        replies={
            "32 layers": (
                "That was everybody's hope. It can compute all that the others can, and more. To"
                " *find* the weights is another matter: look at the table."
            ),
            "20 layers": "A good guess for the middle. Look at the table: it is not the middle.",
            "all the same": "They are far from it: look at the table.",
        },
        right=(
            "Right: the shallowest. More layers could compute more, but the training does not find"
            " the weights."
        ),
    ),
    Prediction(
        id="07.p4",
        question="How many times as many bytes does DenseNet-121 move as ResNet-18",
        truth=_more_to_move,
        tolerance=0.15,
        unit="times",
        replies={
            (0, 1): (
                "It has fewer *parameters*. But each of its layers reads all maps of its block"
                " again,"
                " and whatever is read is moved."
            ),
            (1.00001, 3.5): "More: each of its 58 dense layers reads all maps before it again.",
            (4.6, inf): (
                "Fewer. Each layer reads all maps before it again, but the transitions drop half of"
                " them three times, and the maps get small."
            ),
            (-inf, -0.00001): "Bytes cannot be negative. Below 1 means: it moves fewer.",
        },
        right="Right. Parameters and bytes moved are two different things.",
        other="Each dense layer reads all maps before it in its block again, so this grows fast.",
    ),
]
