"""Chapter 02: the exercises on the receptive field and the predictions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters import (
    _ch02_branch,
    _ch02_chain,
    _ch02_chain_mistakes,
    _ch02_effective,
    _ch02_pictures,
    _ch02_probe,
    _ch02_probe_mistakes,
    _ch02_through,
    _ch02_through_mistakes,
)
from lightcourse.checks.exercise import Exercise, Prediction

TITLE = "The receptive field"

EXERCISES = [
    Exercise(
        id="02.chain",
        title="Follow the chain",
        name="chain",
        cases=_ch02_chain.cases,
        oracle=_ch02_chain.by_gradient,
        compare=_ch02_chain.compare,
        laws=_ch02_chain.LAWS,
        mistakes=_ch02_chain_mistakes.MISTAKES,
        hints=_ch02_chain.HINTS,
        picture=_ch02_pictures.chain_picture,
    ),
    Exercise(
        id="02.through",
        title="Look back through one layer",
        name="look_back",
        cases=_ch02_through.cases,
        oracle=_ch02_through.by_torch,
        laws=_ch02_through.LAWS,
        mistakes=_ch02_through_mistakes.MISTAKES,
        hints=_ch02_through_mistakes.HINTS,
        picture=_ch02_pictures.span_picture,
    ),
    Exercise(
        id="02.branch",
        title="Walk through branches",
        name="extent",
        cases=_ch02_branch.cases,
        oracle=_ch02_branch.by_counting,
        laws=_ch02_branch.LAWS,
        mistakes=_ch02_branch.MISTAKES,
        hints=_ch02_branch.HINTS,
        show=_ch02_branch.show_net,
        picture=_ch02_pictures.span_picture,
    ),
    Exercise(
        id="02.probe",
        title="Ask the network itself",
        name="probe",
        cases=_ch02_probe.cases,
        oracle=_ch02_probe.by_gradient_of_a_twin,
        laws=_ch02_probe.LAWS,
        mistakes=_ch02_probe_mistakes.MISTAKES,
        hints=_ch02_probe_mistakes.HINTS,
        show=_ch02_probe.show,
        picture=_ch02_pictures.probe_picture,
    ),
    Exercise(
        id="02.effective",
        title="How much does each pixel count?",
        name="influence",
        cases=_ch02_effective.cases,
        oracle=_ch02_effective.by_small_changes,
        compare=_ch02_effective.COMPARE,
        laws=_ch02_effective.LAWS,
        mistakes=_ch02_effective.MISTAKES,
        hints=_ch02_effective.HINTS,
        show=_ch02_effective.show,
    ),
]


def _seen(strides: tuple[int, ...]) -> int:
    """Pixels that one unit sees after 3×3 layers with these strides, counted by autograd."""
    row = torch.ones(1, 1, 256, dtype=torch.float64, requires_grad=True)
    signal, weight = row, torch.ones(1, 1, 3, dtype=torch.float64)
    for stride in strides:
        signal = nn.functional.conv1d(signal, weight, stride=stride)
    (gradient,) = torch.autograd.grad(signal[0, 0, signal.shape[-1] // 2], row)
    return int(gradient.count_nonzero())


def _early_or_late() -> str:
    early, late = _seen((2, 1, 1, 1, 1)), _seen((1, 1, 1, 1, 2))
    return "the early one" if early > late else "the late one" if late > early else "both the same"


def _best_with_a_window_of_11() -> str:
    """Score both orders of one pair with ten random networks of field 11 that sum over places."""
    pair = torch.zeros(2, 1, 32, 32, dtype=torch.float64)
    stripes = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
    for image, left in zip(pair[:, 0], (True, False), strict=True):
        for column, horizontal in ((7, left), (21, not left)):
            patch = stripes[:, None] if horizontal else stripes[None, :]
            image[14:18, column : column + 4] += patch
    return "50 %" if all(_same_score(pair) for _ in range(10)) else "100 %"


def _same_score(pair: Tensor) -> bool:
    def layer(i: int, o: int, stride: int) -> nn.Conv2d:
        return nn.Conv2d(i, o, 3, stride, 1, padding_mode="circular", dtype=torch.float64)

    net = nn.Sequential(layer(1, 8, 2), nn.ReLU(), layer(8, 8, 1), nn.ReLU(), layer(8, 8, 1))
    with torch.no_grad():
        first, second = net(pair).relu().sum((2, 3))
    return torch.allclose(first, second, rtol=1e-9)


PREDICTIONS = [
    Prediction(
        id="02.p1",
        question="How many pixels wide is the field of one unit after five 3×3 layers?",
        truth=lambda: _seen((1, 1, 1, 1, 1)),
        unit="pixels",
        replies={
            3: "That is one layer. The second layer looks at three of those, side by side.",
            5: "That is two layers. There are five.",
            10: "Nearly: each layer adds two pixels. But one pixel was there before the first.",
            15: "Five times three would be right if the windows stood side by side. They overlap:"
            " each layer adds only two new pixels, one on either side.",
            121: "You have counted the area. The width is the root of it.",
            243: "Three to the fifth would need windows that never overlap, at every layer. With"
            " stride 1 they overlap almost completely.",
            25: "That is the area for two layers. The question is the width for five.",
        },
        right="One pixel to begin with, and two more for each layer.",
        other="Start with one pixel. Each layer adds one pixel on the left and one on the right.",
    ),
    Prediction(
        id="02.p2",
        question="Five 3×3 layers, one of them with stride 2: first or last, which sees more?",
        options=("the early one", "the late one", "both the same"),
        truth=_early_or_late,
        replies={
            "the late one": "A stride widens the steps of the layers after it. After the last"
            " layer there are none, so that stride adds nothing.",
            "both the same": "The layers are the same, and so are their weights. But a stride"
            " widens only the steps of the layers after it: four of them here, none there.",
        },
        right="A stride widens the steps of all layers after it, and of no other.",
    ),
    Prediction(
        id="02.p3",
        question="Field 11, patches 14 apart: the best accuracy that any training can reach?",
        options=("50 %", "75 %", "90 %", "100 %"),
        truth=_best_with_a_window_of_11,
        replies={
            "75 %": "It feels as if one patch should help a little. But each picture holds one"
            " patch of each kind, so a glimpse of one says nothing about the order.",
            "90 %": "More data or longer training would help if there were something to find. No"
            " window holds both patches, so the two orders give the same scores.",
            "100 %": "A deeper head cannot help either: by then the windows are summed, and the two"
            " orders give the same sum, whatever the weights.",
        },
        right="No window holds both patches, so both orders give the same sum of windows. Training"
        " cannot find what does not arrive.",
    ),
]
