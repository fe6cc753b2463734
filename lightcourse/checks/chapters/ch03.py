"""Chapter 03: the exercises on resolution and resampling, and the predictions."""

from __future__ import annotations

import torch
from torch import nn

from lightcourse.checks.chapters import (
    _ch03_bilinear,
    _ch03_bilinear_laws,
    _ch03_bilinear_mistakes,
    _ch03_choose,
    _ch03_ladder,
    _ch03_pool,
    _ch03_pool_mistakes,
    _ch03_transposed,
    _ch03_transposed_mistakes,
)
from lightcourse.checks.exercise import Exercise, Prediction

TITLE = "Resolution"

EXERCISES = [
    Exercise(
        id="03.ladder",
        title="Down the ladder",
        name="ladder",
        cases=_ch03_ladder.cases,
        oracle=_ch03_ladder.by_torch,
        compare=_ch03_ladder.compare,
        laws=_ch03_ladder.LAWS,
        mistakes=_ch03_ladder.MISTAKES,
        hints=_ch03_ladder.HINTS,
    ),
    Exercise(
        id="03.choose",
        title="Which pictures end in k?",
        name="choose",
        cases=_ch03_choose.cases,
        oracle=_ch03_choose.by_trying,
        laws=_ch03_choose.LAWS,
        mistakes=_ch03_choose.MISTAKES,
        hints=_ch03_choose.HINTS,
    ),
    Exercise(
        id="03.pool",
        title="Pool, remember where, and go back",
        name="pool_and_back",
        cases=_ch03_pool.cases,
        oracle=_ch03_pool.by_torch,
        compare=_ch03_pool.compare,
        laws=_ch03_pool.LAWS,
        mistakes=_ch03_pool_mistakes.MISTAKES,
        hints=_ch03_pool_mistakes.HINTS,
        picture=_ch03_pool.picture,
    ),
    Exercise(
        id="03.transposed",
        title="Transposed convolution by inserting zeros",
        name="transposed",
        cases=_ch03_transposed.cases,
        oracle=_ch03_transposed.by_torch,
        compare=_ch03_transposed.compare,
        laws=_ch03_transposed.LAWS,
        mistakes=_ch03_transposed_mistakes.MISTAKES,
        hints=_ch03_transposed_mistakes.HINTS,
        show=_ch03_transposed.show,
    ),
    Exercise(
        id="03.bilinear",
        title="Bilinear interpolation",
        name="bilinear",
        cases=_ch03_bilinear.cases,
        oracle=_ch03_bilinear.by_torch,
        compare=_ch03_bilinear.compare,
        laws=_ch03_bilinear_laws.LAWS,
        mistakes=_ch03_bilinear_mistakes.MISTAKES,
        hints=_ch03_bilinear_mistakes.HINTS,
        show=_ch03_bilinear.show,
    ),
]


def _pictures_that_end_in_seven() -> int:
    """Count the pictures that five 3×3 layers with stride 2 and padding 1 turn into 7."""
    low, high = _ch03_choose.by_trying(7, _ch03_ladder.HALVING)
    return high - low + 1


def _macs_at(side: int) -> int:
    """Multiplications of three 3×3 layers, counted from the maps that torch makes."""
    x, total = torch.empty(1, 3, side, side, device="meta"), 0
    for channels, stride in ((8, 2), (16, 2), (16, 1)):
        weight = torch.empty(channels, x.shape[1], 3, 3, device="meta")
        x = nn.functional.conv2d(x, weight, stride=stride, padding=1)
        total += weight.numel() * x.shape[2] * x.shape[3]
    return total


def _growth() -> str:
    return f"{_macs_at(224) / _macs_at(112):.0f} times"


def _values_in_the_middle() -> int:
    """Different values inside a transposed convolution of ones, kernel 3, stride 2."""
    ones = torch.ones(1, 1, 9, 9)
    out = nn.functional.conv_transpose2d(ones, torch.ones(1, 1, 3, 3), stride=2)
    return len(out[0, 0, 3:-3, 3:-3].unique())


PREDICTIONS = [
    Prediction(
        id="03.p1",
        question="How many picture sizes do five halving layers turn into a map of 7?",
        truth=_pictures_that_end_in_seven,
        unit="in all",
        replies={
            1: "224 = 7·2⁵ is one of them. But 223 gives 112 as well, since a window moves by whole"
            " steps.",
            2: "One rounding gives two sizes for one result. There are five layers, one after the"
            " other.",
            5: "Five layers round, and each doubles the choice of the one before.",
            6: "Five layers round, and each doubles the choice: it is more than one size a layer.",
            10: "Each layer doubles the choice. Doubling five times is not five times two.",
            16: "Nearly: that would be four layers.",
            31: "Nearly: both ends count.",
            64: "That would be six layers.",
            224: "So many sizes give a map of at most 7. How many give exactly 7?",
        },
        right="Each layer doubles the choice: 2⁵ sizes, from 193 to 224.",
        other="Each of the five layers doubles the choice: two sizes give the same half.",
    ),
    Prediction(
        id="03.p2",
        question="Picture sides twice as long: the multiplications of the convolutions become …",
        options=("the same", "2 times", "4 times", "8 times"),
        truth=_growth,
        replies={
            "the same": "The weights stay the same. But each is used at every place of the map, and"
            " there are more places.",
            "2 times": "Twice as many rows, and each of them is twice as long.",
            "8 times": "That would be a cube. Height and width double; the channels stay.",
        },
        right="Twice the rows, twice the columns: four times the places, each with the same work.",
    ),
    Prediction(
        id="03.p3",
        question="Ones in, kernel of ones, 3×3 with stride 2: how many different values inside?",
        truth=_values_in_the_middle,
        unit="in all",
        replies={
            1: "It looks as if everything were the same everywhere. But with stride 2 the copies of"
            " a 3×3 kernel overlap on every second row only.",
            2: "Along one axis there are two: one copy or two copies. On a map, count both axes.",
            4: "1, 2 and 4 copies, and 2 comes in two ways. Different values: one fewer than that.",
            9: "A kernel has nine places. But at most four copies meet at one place.",
        },
        right="1, 2 and 4: one or two copies along each axis. That is the checkerboard.",
        other="Count the copies of the kernel that reach a place: 1 or 2 along each axis.",
    ),
]
