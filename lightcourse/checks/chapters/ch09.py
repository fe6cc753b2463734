"""Chapter 09: the exercises on MobileNet and its two multipliers, and three predictions."""

from __future__ import annotations

from lightcourse.checks.chapters import _ch09_block as block
from lightcourse.checks.chapters import _ch09_block_mistakes as block_mistakes
from lightcourse.checks.chapters import _ch09_choose as choose
from lightcourse.checks.chapters import _ch09_cost as cost
from lightcourse.checks.chapters import _ch09_macs as macs
from lightcourse.checks.chapters import _ch09_macs_mistakes as macs_mistakes
from lightcourse.checks.chapters import _ch09_net as net
from lightcourse.checks.chapters import _ch09_network as network
from lightcourse.checks.chapters import _ch09_network_mistakes as network_mistakes
from lightcourse.checks.exercise import Exercise, Law, Prediction

TITLE = "MobileNet and its two dials"

EXERCISES = [
    Exercise(
        id="09.block",
        title="MobileNet's block",
        name="Block",
        kind="class",
        cases=block.cases,
        oracle=block.oracle,
        call=block.call,
        compare=block.compare,
        show=block.show,
        laws=(Law("every parameter learns", block.learns, hint=1),),
        mistakes=block_mistakes.MISTAKES,
        hints=block.HINTS,
    ),
    Exercise(
        id="09.cost",
        title="What a narrow block costs",
        name="block_macs",
        cases=cost.cases,
        oracle=cost.oracle,
        mistakes=cost.MISTAKES,
        hints=cost.HINTS,
    ),
    Exercise(
        id="09.macs",
        title="The whole bill",
        name="network_macs",
        cases=macs.cases,
        oracle=macs.oracle,
        compare=macs.compare,
        mistakes=macs_mistakes.MISTAKES,
        hints=macs.HINTS,
    ),
    Exercise(
        id="09.network",
        title="MobileNet",
        name="MobileNet",
        kind="class",
        cases=network.cases,
        oracle=network.oracle,
        call=network.call,
        compare=network.compare,
        show=network.show,
        laws=(Law("every parameter learns", network.learns, hint=4),),
        mistakes=network_mistakes.MISTAKES,
        hints=network.HINTS,
    ),
    Exercise(
        id="09.choose",
        title="The best network for a budget",
        name="choose",
        cases=choose.cases,
        oracle=choose.by_sorting,
        laws=choose.LAWS,
        mistakes=choose.MISTAKES,
        hints=choose.HINTS,
        show=choose.show,
    ),
]

# MobileNets, arXiv 1704.04861, table 4: ImageNet top-1 in per cent, standard and separable
STANDARD_TOP1, SEPARABLE_TOP1 = 71.7, 70.6


def _half_width() -> float:
    """MACs of the whole network over those at half the width, at 224×224."""
    return round(sum(net.counted(1.0, 224)) / sum(net.counted(0.5, 224)), 2)


def _millions_of_parameters() -> float:
    """Parameters of the network; the side of the picture does not occur in them."""
    parameters = sum(p.numel() for p in net.Reference(1.0, 1000).parameters())
    return round(parameters / 1e6, 2)


PREDICTIONS = [
    Prediction(
        id="09.p1",
        question="How many times fewer MACs has MobileNet at half the width",
        truth=_half_width,
        tolerance=0.015,
        unit="times",
        replies={
            (1.9, 2.1): (
                "2 is what a layer saves that loses half of its *outputs*. But the next layer reads"
                " these outputs, so it has half as much to read as well: nearly 4 together."
            ),
            (3.9, 4.1): (
                "4 is the rule of thumb, α², and right for the 1×1 layers, which have most of the"
                " MACs. Stem, depthwise layers and classifier only halve."
            ),
            (7.9, 8.1): (
                "8 would need a third thing to shrink. Input and output channels halve, which makes"
                " nearly 4; the maps stay as large as they were."
            ),
            (8.2, 9): "8 to 9 is what separable layers save against ordinary ones; another matter.",
            (15.5, 16.5): "16 would be half the width *and* half the side of the picture.",
            (0, 0.9999): "A number below 1 is a share. Times fewer is its inverse, above 1.",
            (1, 1.8999): "More: a layer has half as many outputs, and each reads half as much.",
            (2.1001, 3.74): "More: nearly all the work is in layers that shrink four times.",
            (4.1001, 1e9): "Less: only two things halve, the channels in and the channels out.",
        },
        right="Right: nearly 4. Not all layers shrink on both sides.",
        other="A 1×1 layer shrinks four times, stem, depthwise layers and classifier by half.",
    ),
    Prediction(
        id="09.p2",
        question="How many million parameters has MobileNet for pictures of half the side",
        truth=_millions_of_parameters,
        tolerance=0.015,
        unit="million",
        replies={
            (2.0, 2.2): (
                "No parameter belongs to a pixel. A filter slides over the map, and on a smaller"
                " map the same filter takes fewer steps."
            ),
            (1.0, 1.1): (
                "A quarter is what is left of the *MACs*: the same weights are used at a quarter of"
                " the places. None of them disappears."
            ),
            (3.1, 3.3): (
                "The classifier, a million of the weights, does not shrink either: it reads 1,024"
                " means, whatever the size of the maps that they are means of."
            ),
            (1e6, 1e9): "The answer is in millions: 4,231,976 is 4.2.",
            (4.3001, 999_999): "Not more either: the same weights, at fewer places.",
            (0, 4.1): "The same weights slide over smaller maps. None of them disappears.",
        },
        right="Right: all of them. The resolution multiplier saves MACs and memory, no weights.",
        other="A convolution has weights for its kernel, none for the size of the map.",
    ),
    Prediction(
        id="09.p3",
        question="The accuracy of MobileNet on ImageNet",
        truth=lambda: SEPARABLE_TOP1,
        tolerance=0.006,
        unit="%",
        replies={
            (71.1, 71.8): (
                "A little is lost. But you are close: one point for 8.6 times fewer MACs."
            ),
            (68, 70.1): "Close, and still too low: the loss is one point.",
            (60, 67.9999): (
                "Too low. At half the *width* as well it would be 63.7 %. The separable layers"
                " alone cost one point."
            ),
            (1, 59.9999): (
                "Far better. The links that a separable layer leaves out were hardly needed."
            ),
            (71.8001, 100): (
                "More accurate it did not become. It stayed within about a point, and that was the"
                " surprise."
            ),
            (0, 0.9999): "The answer is in per cent: 0.7 is 70.",
        },
        right="Right: 71.7 against 70.6 %, one point for 8.6 times fewer MACs.",
        other="Per cent, from 0 to 100.",
    ),
]
