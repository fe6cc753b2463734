"""Chapter 05: the exercises on the variants of convolution, and three predictions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from lightcourse.checks.chapters import _ch05_deform as deform
from lightcourse.checks.chapters import _ch05_deform_mistakes as deform_mistakes
from lightcourse.checks.chapters import _ch05_dense as dense
from lightcourse.checks.chapters import _ch05_lowrank as lowrank
from lightcourse.checks.chapters import _ch05_lowrank_mistakes as lowrank_mistakes
from lightcourse.checks.chapters import _ch05_macs as macs
from lightcourse.checks.chapters import _ch05_macs_hints as macs_hints
from lightcourse.checks.chapters import _ch05_macs_mistakes as macs_mistakes
from lightcourse.checks.chapters import _ch05_separable as separable
from lightcourse.checks.chapters import _ch05_separable_hints as separable_hints
from lightcourse.checks.chapters import _ch05_separable_mistakes as separable_mistakes
from lightcourse.checks.exercise import Exercise, Law, Prediction

TITLE = "Eight ways to convolve"

EXERCISES = [
    Exercise(
        id="05.dense",
        title="Groups and gaps as a dense weight",
        name="dense_weight",
        cases=dense.cases,
        oracle=dense.answer,
        call=dense.call,
        compare=dense.compare,
        mistakes=dense.MISTAKES,
        hints=dense.HINTS,
        show=dense.show,
        picture=dense.picture,
    ),
    Exercise(
        id="05.separable",
        title="Filter, then mix",
        name="DepthwiseSeparable",
        kind="class",
        cases=separable.cases,
        oracle=separable.oracle,
        call=separable.call,
        compare=separable.compare,
        show=separable.show,
        picture=separable.picture,
        laws=(Law("every parameter learns", separable.learns, hint=3),),
        mistakes=separable_mistakes.MISTAKES,
        hints=separable_hints.HINTS,
    ),
    Exercise(
        id="05.macs",
        title="What each variant costs",
        name="macs",
        cases=macs.cases,
        oracle=macs.oracle,
        compare=macs.compare,
        mistakes=macs_mistakes.MISTAKES,
        hints=macs_hints.HINTS,
        show=macs.show,
    ),
    Exercise(
        id="05.lowrank",
        title="The closest cheaper kernel",
        name="low_rank",
        cases=lowrank.cases,
        oracle=lowrank.oracle,
        call=lowrank.call,
        compare=lowrank.compare,
        show=lowrank.show,
        picture=lowrank.picture,
        mistakes=lowrank_mistakes.MISTAKES,
        hints=lowrank_mistakes.HINTS,
    ),
    Exercise(
        id="05.deform",
        title="A kernel whose places move",
        name="deform_conv",
        cases=deform.cases,
        oracle=deform.oracle,
        compare=deform.close,
        laws=(Law("the gradient is right", deform.gradient, hint=2),),
        mistakes=deform_mistakes.MISTAKES,
        hints=deform_mistakes.HINTS,
        show=deform.show,
    ),
]


def _times_fewer() -> float:
    """MACs of a 3×3 layer with 256 channels over those of its separable form, from the weights."""
    with torch.device("meta"):
        plain = nn.Conv2d(256, 256, 3, bias=False)
        parts = nn.Conv2d(256, 256, 3, groups=256, bias=False), nn.Conv2d(256, 256, 1, bias=False)
    return round(plain.weight.numel() / sum(part.weight.numel() for part in parts), 2)


def _pixels_seen() -> int:
    """Pixels that reach one unit through three 3×3 layers of dilation 2, by gradient."""
    x = torch.ones(1, 1, 13, 13, requires_grad=True)
    y = x
    for _ in range(3):
        y = F.conv2d(y, torch.ones(1, 1, 3, 3), dilation=2)
    (grad,) = torch.autograd.grad(y.sum(), x)
    return int((grad != 0).sum())


def _share_of_pointwise() -> float:
    """Per cent of a separable layer's MACs in its 1×1 half: 512 channels, 3×3."""
    with torch.device("meta"):
        depthwise, pointwise = nn.Conv2d(512, 512, 3, groups=512), nn.Conv2d(512, 512, 1)
    counts = depthwise.weight.numel(), pointwise.weight.numel()
    return round(100 * counts[1] / sum(counts), 1)


PREDICTIONS = [
    Prediction(
        id="05.p1",
        question="How many times fewer MACs has the separable layer",
        truth=_times_fewer,
        tolerance=0.02,
        unit="times",
        replies={
            (8.9, 9.1): (
                "Very close: 9 would be right if only the 1×1 half counted. The depthwise half adds"
                " a little. Together it is 1/256 + 1/9 of the cost."
            ),
            (2.9, 3.1): (
                "3 is what you save when a 3×3 kernel becomes three weights instead of nine. But"
                " the 1×1 half has only one weight where the 3×3 had nine."
            ),
            (0.11, 0.12): (
                "That is the share that is left, 1/256 + 1/9 = 0.115, and right as such. Times"
                " *fewer* is its inverse: 1 / 0.115."
            ),
            (0, 0.9999): (
                "A number below 1 is a share. Times fewer is above 1: a half is 2 times fewer."
            ),
            (255, 257): (
                "256 is what the depthwise half alone saves. The pointwise half is still to come,"
                " and it is the expensive one."
            ),
            (2303, 2305): "That would be one multiplication left of all. Count both halves again.",
            (
                1,
                2.8999,
            ): "More. The expensive half, the 1×1 layer, has one weight where there were nine.",
            (
                3.1001,
                8.51,
            ): "More. The 1×1 half alone is a ninth, the depthwise half is small.",
            (9.1001, 254.9): (
                "Less. The 1×1 half alone costs a ninth of the whole: no 3×3 layer can be more than"
                " 9 times cheaper this way."
            ),
        },
        right="Right: 1/256 + 1/9 of the cost. For 3×3 kernels it can never be more than 9 times.",
        other="It is 1 / (1/256 + 1/9). For 3×3 kernels it can never be more than 9 times.",
    ),
    Prediction(
        id="05.p2",
        question="How many of the 169 pixels can change the unit",
        truth=_pixels_seen,
        unit="pixels",
        replies={
            169: (
                "The field is 13 wide, but that is the distance between its ends. All three layers"
                " step by 2, so every second row and column is never touched: 7 × 7."
            ),
            27: (
                "Three layers of nine weights, yes. But the paths branch: each of the nine places"
                " reads nine others. They land on a grid of 7 × 7."
            ),
            9: "That is the first layer. The next ones reach further, on the same grid: 7 × 7.",
            25: "That is two layers, 5 × 5. The third makes it 7 × 7.",
            81: "The paths are more than that, but many meet: they land on a grid of 7 × 7.",
            729: "So many *paths* there are. Many of them end in the same pixel: there are 7 × 7.",
            85: "Half is a chessboard. Here every second row *and* column is left: 7 × 7.",
            84: "Half is a chessboard. Here every second row *and* column is left, so a quarter.",
        },
        right="Right: every second row and every second column, 7 × 7.",
        other="Each layer steps by 2. So only every second row and column is touched: 7 × 7.",
    ),
    Prediction(
        id="05.p3",
        question="The share of the MACs in the 1×1 half",
        truth=_share_of_pointwise,
        tolerance=0.008,
        unit="%",
        replies={
            50: (
                "One of two layers, but not half of the work. At each pixel a depthwise output"
                " reads 9 numbers and a pointwise output 512."
            ),
            90: "Even more: 512 out of 512 + 9.",
            (0, 1): (
                "The answer is in per cent: a share of 0.98 is 98. Here it is 512 out of 512 + 9."
            ),
            (1.0001, 49.99): (
                "The other way round. A kernel of 1×1 looks small, but it reads all 512 channels;"
                " the depthwise one reads 9 numbers of one channel."
            ),
            (50.01, 89.99): "More: at each pixel 512 numbers against 9.",
            (90.01, 97.4): "A little more: 512 out of 512 + 9.",
            (99.1, 100): "Nearly, but the depthwise half is not nothing: 9 out of 512 + 9.",
        },
        right="Right: 512 out of 512 + 9. In light networks the 1×1 layers are the work.",
        other="It is a share, so a number from 0 to 100.",
    ),
]
