"""Chapter 11: the exercises on MobileNetV2, its narrow ends and its memory; four predictions."""

from __future__ import annotations

import json
from importlib.resources import files

import torch
from torch import nn

from lightcourse.analysis import analyze
from lightcourse.checks.chapters import _ch11_block as block
from lightcourse.checks.chapters import _ch11_block_mistakes as block_mistakes
from lightcourse.checks.chapters import _ch11_cost as cost
from lightcourse.checks.chapters import _ch11_manifold as manifold
from lightcourse.checks.chapters import _ch11_network as network
from lightcourse.checks.chapters import _ch11_network_mistakes as network_mistakes
from lightcourse.checks.chapters import _ch11_slices as slices
from lightcourse.checks.chapters import _ch11_slices_mistakes as slices_mistakes
from lightcourse.checks.chapters._ch11_net import Reference
from lightcourse.checks.exercise import Exercise, Law, Prediction
from lightcourse.nn import ConvNormAct, DepthwiseSeparableConv

TITLE = "MobileNetV2: narrow ends, wide inside"

EXERCISES = [
    Exercise(
        id="11.manifold",
        title="Through a ReLU and back",
        name="there_and_back",
        cases=manifold.cases,
        oracle=manifold.oracle,
        compare=manifold.compare,
        mistakes=manifold.MISTAKES,
        hints=manifold.HINTS,
    ),
    Exercise(
        id="11.block",
        title="The inverted residual",
        name="Block",
        kind="class",
        cases=block.cases,
        oracle=block.oracle,
        call=block.call,
        compare=block.compare,
        show=block.show,
        laws=(
            Law("the input stays as it was", block.leaves_input, hint=4),
            Law("every parameter learns", block.learns, hint=1),
            Law("the shortcut carries the gradient", block.shortcut_learns, hint=4),
        ),
        mistakes=block_mistakes.MISTAKES,
        hints=block.HINTS,
    ),
    Exercise(
        id="11.cost",
        title="What a block costs",
        name="block_macs",
        cases=cost.cases,
        oracle=cost.oracle,
        mistakes=cost.MISTAKES,
        hints=cost.HINTS,
    ),
    Exercise(
        id="11.network",
        title="MobileNetV2",
        name="MobileNetV2",
        kind="class",
        cases=network.cases,
        oracle=network.oracle,
        call=network.call,
        compare=network.compare,
        show=network.show,
        laws=(
            Law("the defaults are the published network", network.defaults, hint=1),
            Law("a fifth is dropped", network.drops, hint=4),
            Law("every parameter learns", network.learns, hint=4),
        ),
        mistakes=network_mistakes.MISTAKES,
        hints=network.HINTS,
    ),
    Exercise(
        id="11.slices",
        title="A block in slices",
        name="in_slices",
        cases=slices.cases,
        oracle=slices.oracle,
        compare=slices.compare,
        show=slices.show,
        laws=(
            Law("the wide map is never whole", slices.never_whole, hint=4),
            Law("no slice is too large", slices.small_slices, hint=4),
            Law("nothing is collected", slices.no_pile, hint=4),
        ),
        mistakes=slices_mistakes.MISTAKES,
        hints=slices.HINTS,
    ),
]


def _lost_in_three() -> float:
    """Per cent of the points that fewer than two of three numbers are left of: (3 + 1) / 2³."""
    return 100 * (3 + 1) / 2**3


def _peak_ratio() -> float:
    """Peak activation memory of MobileNetV2 over that of MobileNet, layer by layer, 224×224.

    Of both networks the beginning is enough: there the maps are largest.
    """
    with torch.device("meta"):
        first = nn.Sequential(
            ConvNormAct(3, 32, 3, 2, activation=nn.ReLU),
            DepthwiseSeparableConv(32, 64),
            DepthwiseSeparableConv(64, 128, stride=2),
        )
        second = Reference(1.0, 1000)
        peaks = [analyze(net.eval(), (1, 3, 224, 224)).peak_activation for net in (second, first)]
    return round(peaks[0] / peaks[1], 2)


def _finding(log: str, number: int) -> tuple[float, str]:
    """The difference in points and the word of a finding in a shipped log."""
    path = files("lightcourse").joinpath(f"training/studies/logs/{log}.json")
    found = json.loads(path.read_text("utf-8"))["findings"][number]
    return found["difference"], found["word"]


def _relu_costs() -> str:
    """What a ReLU in the narrow ends costs in the shipped log, in words."""
    difference, word = _finding("bottleneck", 2)  # narrow ends and shortcuts
    if word != "confirmed":
        return "not to be told from noise"
    return "more than ten points" if difference >= 10 else "a few points"


def _best_shortcut() -> str:
    """Which of the two places wins in the shipped log."""
    _, word = _finding("bottleneck_shortcut", 1)
    words = {"confirmed": "narrow ends", "refuted": "wide maps"}
    return words.get(word, "not to be told from noise")


PREDICTIONS = [
    Prediction(
        id="11.p1",
        question="Per cent of the points that a ReLU in three dimensions loses",
        truth=_lost_in_three,
        tolerance=0.03,
        unit="%",
        replies={
            (12, 13): (
                "12.5 % are the points of which all three numbers are negative. But one number left"
                " is not enough either: two are needed to say where a point of a plane lies."
            ),
            (37, 38): (
                "37.5 % are the points that keep exactly one number. Those that keep none are lost"
                " as well."
            ),
            (87, 88): (
                "87.5 % are the points that lose at least one number. A point with two numbers left"
                " can still be found: two equations, two unknowns."
            ),
            (99, 100): "Not all: one point in two keeps two numbers or three, and two are enough.",
            (0, 0.9999): "A share? Per cent are wanted: 0.5 is 50.",
            (1, 11.9999): "More: each number is negative in one case of two, and two must be left.",
            (13.0001, 48): "More: count the points that keep one number, and those that keep none.",
            (52, 98.9999): "Fewer: two numbers left are enough to find a point of a plane.",
        },
        right="Right: of the eight patterns of signs, four leave fewer than two numbers.",
        other="Per cent of the points: a number from 0 to 100 is wanted.",
    ),
    Prediction(
        id="11.p2",
        question="Peak memory of MobileNetV2, in multiples of MobileNet's",
        truth=_peak_ratio,
        tolerance=0.06,
        unit="times",
        replies={
            (0.2, 0.3): (
                "A quarter is what the paper's table counts: maps between the blocks only. The wide"
                " maps within a block must be somewhere, too."
            ),
            (0.45, 0.6): (
                "Half is the ratio of the MACs. Memory at the worst moment follows from the two or"
                " three largest maps, and nothing else."
            ),
            (0.95, 1.1): "Not the same: the largest map of MobileNetV2 has 96 channels at 112×112.",
            (0.0001, 0.9499): (
                "It is more, not less! The narrow ends are small, but within a block stands a map"
                " with 96 channels at 112×112, larger than any in MobileNet."
            ),
            (1.3781, 14.9999): "That much it is not: the widest map has 96 channels against 64.",
            (15, 1000): "How many *times*, not per cent: 1 is the same, 2 is twice as much.",
            (-1000, 0): "A number of times is wanted: 1 is the same, 0.5 is half of it.",
            (1.1001, 1.2219): "More, and even a little more than that.",
        },
        right="Right: more, though it has half the MACs. The wide map within a block is to blame.",
        other="It is more: within a block stands a map larger than any in MobileNet.",
    ),
    Prediction(
        id="11.p3",
        question="What a ReLU in the narrow ends costs in our experiment",
        truth=_relu_costs,
        options=("not to be told from noise", "a few points", "more than ten points"),
        right="Right. Look at the runs above, before you say why.",
        other="It is more than that, in this experiment; in the paper's it was about a point.",
    ),
    Prediction(
        id="11.p4",
        question="Which shortcut is the better one in our experiment",
        truth=_best_shortcut,
        options=("narrow ends", "wide maps", "not to be told from noise"),
        right="Right, in this experiment.",
        other="Look at the dots and at the interval of the difference.",
    ),
]
