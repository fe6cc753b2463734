"""Chapter 01: the exercises on the convolution, and three predictions."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from lightcourse.checks.chapters import (
    _ch01_conv2d,
    _ch01_conv2d_laws,
    _ch01_conv2d_mistakes,
    _ch01_count,
    _ch01_gap,
    _ch01_gap_mistakes,
    _ch01_matrix,
    _ch01_size,
    _ch01_size_mistakes,
    _ch01_size_picture,
)
from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Exercise, Prediction
from lightcourse.checks.located import located

TITLE = "The convolution"

EXERCISES = [
    Exercise(
        id="01.size",
        title="How large is the output?",
        name="output_size",
        cases=_ch01_size.cases,
        oracle=_ch01_size.by_torch,
        laws=_ch01_size.LAWS,
        mistakes=_ch01_size_mistakes.MISTAKES,
        hints=_ch01_size.HINTS,
        picture=_ch01_size_picture.picture,
    ),
    Exercise(
        id="01.count",
        title="Full, local, shared",
        name="three_counts",
        cases=_ch01_count.cases,
        oracle=_ch01_count.by_torch,
        compare=_ch01_count.compare,
        laws=_ch01_count.LAWS,
        mistakes=_ch01_count.MISTAKES,
        hints=_ch01_count.HINTS,
    ),
    Exercise(
        id="01.matrix",
        title="A convolution is a matrix",
        name="as_matrix",
        cases=_ch01_matrix.cases,
        oracle=_ch01_matrix.by_torch,
        compare=located(Compare()),
        laws=_ch01_matrix.LAWS,
        mistakes=_ch01_matrix.MISTAKES,
        hints=_ch01_matrix.HINTS,
    ),
    Exercise(
        id="01.conv2d",
        title="The layer itself",
        name="conv2d",
        cases=_ch01_conv2d.cases,
        oracle=_ch01_conv2d.by_torch,
        compare=located(Compare()),
        laws=_ch01_conv2d_laws.LAWS,
        mistakes=_ch01_conv2d_mistakes.MISTAKES,
        hints=_ch01_conv2d.HINTS,
        show=_ch01_conv2d.show,
    ),
    Exercise(
        id="01.gap",
        title="Shift first, or convolve first?",
        name="gap",
        cases=_ch01_gap.cases,
        oracle=_ch01_gap.by_cutting,
        compare=located(Compare()),
        laws=_ch01_gap.LAWS,
        mistakes=_ch01_gap_mistakes.MISTAKES,
        hints=_ch01_gap.HINTS,
        show=_ch01_gap.show,
    ),
]

_SIZES = {
    "2 thousand": 2e3,
    "5 million": 5e6,
    "500 million": 5e8,
    "500 billion": 5e11,
}


def _full_layer() -> str:
    """Parameters of a fully connected layer in the place of VGG-16's first convolution."""
    layer = nn.Linear(3 * 224 * 224, 64 * 224 * 224, device="meta")
    count = sum(p.numel() for p in layer.parameters())
    return min(_SIZES, key=lambda name: abs(_SIZES[name] - count) / _SIZES[name])


_MOVES = ("it moves by 2", "it moves by 1", "it stays as it is", "it becomes another map")


def _after_one_pixel() -> str:
    """Move a picture one pixel to the right; does its map after stride 2 move by 0, 1 or 2?"""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 1, 1, 32, generator=generator, dtype=torch.float64)
    weight = torch.randn(1, 1, 1, 3, generator=generator, dtype=torch.float64)
    before, after = (F.conv2d(p, weight, stride=2)[0, 0, 0] for p in (x, x.roll(1, 3)))
    for moved, name in ((2, _MOVES[0]), (1, _MOVES[1]), (0, _MOVES[2])):
        if torch.allclose(after[2:], before.roll(moved)[2:]):
            return name
    return _MOVES[3]


_PLACES = ("as good as on the left", "worse, but useful", "no better than guessing")


def _unseen_places() -> str:
    """The weights of a full layer at pixels that are always 0: does training reach them?"""
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(8, 1, 6, 6, generator=generator)
    pictures[..., 3:] = 0
    with torch.random.fork_rng(devices=[]):
        first = nn.Linear(36, 5)
        net = nn.Sequential(nn.Flatten(), first, nn.ReLU(), nn.Linear(5, 3))
    (slope,) = torch.autograd.grad(net(pictures).square().sum(), [first.weight])
    right = slope.view(5, 6, 6)[..., 3:]
    return _PLACES[2] if not right.any() else _PLACES[1]


def _shared_but_read_by_place() -> str:
    """After a shared kernel, does a layer that reads the map see any difference on the right?"""
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(8, 1, 6, 12, generator=generator)
    pictures[..., 6:] = 0
    maps = F.conv2d(pictures, torch.randn(2, 1, 3, 3, generator=generator), padding=1).relu()
    return _PLACES[1] if maps[..., 7:].std(0).any() else _PLACES[2]


PREDICTIONS = [
    Prediction(
        id="01.p1",
        question="A fully connected layer in the place of VGG-16's first convolution: how many"
        " parameters?",
        options=tuple(_SIZES),
        truth=_full_layer,
        replies={
            "2 thousand": (
                "That is the convolution: 64 kernels of 3·3·3 weights, and 64 biases. The full"
                " layer has a weight for each pair of input and output."
            ),
            "5 million": (
                "About the number of inputs plus the number of outputs, and more. But every output"
                " is connected with every input: the two multiply."
            ),
            "500 million": (
                "About 150,000 inputs and 3,200,000 outputs. Multiply: a thousand times more than"
                " you said."
            ),
        },
        right=(
            "150,528 inputs times 3,211,264 outputs. In 4-byte numbers that is 2 terabytes, for one"
            " layer."
        ),
    ),
    Prediction(
        id="01.p2",
        question="The picture moves one pixel to the right; what does the map after stride 2 do?",
        options=_MOVES,
        truth=_after_one_pixel,
        replies={
            "it moves by 2": (
                "A stride makes the map smaller, so if anything it would move by less than the"
                " picture: by half a place. There is no half place."
            ),
            "it moves by 1": (
                "Two pixels of the picture are one place of the map. So it moves by 1 when the"
                " picture moves by 2; for one pixel it would have to move by half a place."
            ),
            "it stays as it is": (
                "That would be so if the layer did not look at places at all. Every window now"
                " stands over other pixels."
            ),
        },
        right=(
            "It would have to move by half a place, and there is none. Its windows now stand on the"
            " pixels that were skipped before."
        ),
    ),
    Prediction(
        id="01.p3",
        question="A fully connected net has seen letters on the left half only: how good is it on"
        " the right?",
        options=_PLACES,
        truth=_unseen_places,
        replies={
            "as good as on the left": (
                "It would be, if what it learned on the left were used on the right. But each pixel"
                " has weights of its own, and those on the right have never got a gradient."
            ),
            "worse, but useful": (
                "One expects a little to carry over. But nothing is shared: the weights of the"
                " pixels on the right are as random as on the first day."
            ),
        },
        right=(
            "The pixels on the right were always 0, so their weights got no gradient. They are as"
            " random as on the first day."
        ),
    ),
    Prediction(
        id="01.p4",
        question="A convolution learns on the left, and a fully connected layer reads its map place"
        " by place: how good is it on the right?",
        options=_PLACES,
        truth=_shared_but_read_by_place,
        replies={
            "as good as on the left": (
                "The kernels do find the strokes on the right. But the layer that reads the map has"
                " weights of its own for each place, and those for the right half have never seen a"
                " stroke. Shared weights alone are not enough."
            ),
            "worse, but useful": (
                "The first layer carries everything over, the second one nothing: its weights for"
                " the right half of the map have never seen a stroke."
            ),
        },
        right=(
            "The map moves along with the letter, but the layer that reads it has weights of its"
            " own for each place. Those on the right have never seen a stroke."
        ),
    ),
]
