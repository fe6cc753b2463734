"""Chapter 06: the exercises on everything that is not a convolution, and three predictions."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from lightcourse.checks.chapters import _ch06_fold as fold
from lightcourse.checks.chapters import _ch06_fold_mistakes as fold_mistakes
from lightcourse.checks.chapters import _ch06_gate as gate
from lightcourse.checks.chapters import _ch06_norm as norm
from lightcourse.checks.chapters import _ch06_norm_hints as norm_hints
from lightcourse.checks.chapters import _ch06_norm_mistakes as norm_mistakes
from lightcourse.checks.chapters import _ch06_shuffle as shuffle
from lightcourse.checks.chapters import _ch06_shuffle_mistakes as shuffle_mistakes
from lightcourse.checks.chapters import _ch06_shuffle_picture as shuffle_picture
from lightcourse.checks.chapters import _ch06_swish as swish
from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Exercise, Law, Prediction
from lightcourse.checks.located import located

TITLE = "Everything that is not a convolution"

EXERCISES = [
    Exercise(
        id="06.shuffle",
        title="Channel shuffle, and back",
        name="channel_shuffle",
        cases=shuffle.cases,
        oracle=shuffle.oracle,
        compare=located(Compare()),
        laws=(Law("shuffle, then undo, changes nothing", shuffle.round_trip, hint=4),),
        mistakes=shuffle_mistakes.MISTAKES,
        hints=shuffle_mistakes.HINTS,
        show=shuffle.show,
        picture=shuffle_picture.picture,
    ),
    Exercise(
        id="06.hswish",
        title="A gate of straight lines",
        name="hard_swish",
        cases=swish.cases,
        oracle=swish.oracle,
        laws=(Law("the gradient is right", swish.gradient, hint=1),),
        compare=located(Compare(rtol=1e-5, atol=1e-6)),
        mistakes=swish.MISTAKES,
        hints=swish.HINTS,
    ),
    Exercise(
        id="06.batchnorm",
        title="Batch norm, in both its modes",
        name="BatchNorm",
        kind="class",
        cases=norm.cases,
        oracle=norm.oracle,
        compare=norm.compare,
        call=norm.call,
        show=norm.show,
        picture=norm.picture,
        laws=(
            Law("the gradient is right", norm.differentiable, hint=4),
            Law("running statistics carry no gradient history", norm.no_history, hint=4),
            Law("running statistics are saved with the model", norm.saved),
        ),
        mistakes=norm_mistakes.MISTAKES,
        hints=norm_hints.HINTS,
    ),
    Exercise(
        id="06.fold",
        title="Fold batch norm into the convolution",
        name="fold",
        cases=fold.cases,
        oracle=fold.oracle,
        call=fold.call,
        compare=located(fold.close),
        mistakes=fold_mistakes.MISTAKES,
        hints=fold_mistakes.HINTS,
        show=fold.show,
    ),
    Exercise(
        id="06.squeeze",
        title="A gate for each channel",
        name="squeeze_excite",
        cases=gate.cases,
        oracle=gate.oracle,
        compare=located(Compare()),
        mistakes=gate.MISTAKES,
        hints=gate.HINTS,
        show=gate.show,
    ),
]


def _groups_seen(channels: int = 12, groups: int = 6) -> int:
    """Count by gradient: which input groups reach one output of conv, shuffle, conv?"""
    weight = torch.ones(channels, channels // groups, 1, 1)
    x = torch.ones(1, channels, 1, 1, requires_grad=True)
    middle = torch.channel_shuffle(F.conv2d(x, weight, groups=groups), groups)
    first = F.conv2d(middle, weight, groups=groups)[0, 0]
    (grad,) = torch.autograd.grad(first.sum(), x)
    return int((grad.view(groups, -1) != 0).any(1).sum())


_PAIRS = {
    (3, 7): "3 and 7",
    (-2, 2): "-2 and +2",
    (-1, 1): "-1 and +1",
    (0.3, 0.7): "0.3 and 0.7",
}


def _two_values() -> str:
    """Batch norm in train mode over a batch of two images of one pixel, with the values 3 and 7."""
    x = torch.tensor([3.0, 7.0], dtype=torch.float64).view(2, 1, 1, 1)
    low, high = F.batch_norm(x, None, None, training=True).flatten().tolist()
    found = [
        name for pair, name in _PAIRS.items() if abs(pair[0] - low) + abs(pair[1] - high) < 0.01
    ]
    return found[0]


def _largest_gap() -> float:
    """The largest distance between h-swish and swish, on a fine grid."""
    x = torch.linspace(-8, 8, 160_001, dtype=torch.float64)
    return (F.hardswish(x) - F.silu(x)).abs().max().item()


PREDICTIONS = [
    Prediction(
        id="06.p1",
        question="12 channels, 6 groups, one shuffle: how many groups does an output know?",
        truth=_groups_seen,
        replies={
            "two": "Right, and a number is easier to compare: 2.",
            6: (
                "That would be full mixing. But a group holds only 12 / 6 = 2 channels, so a group"
                " of the second convolution receives 2 channels, from 2 groups at most. One"
                " shuffle mixes fully only if there are no more groups than channels in a group."
            ),
            12: "There are only 6 groups to know. And a new group has room for 2 channels.",
            1: (
                "That is what happens **without** a shuffle: every group stays on its own, and the"
                " network is really six networks."
            ),
            3: "Close. Count the channels in one new group: 12 / 6. Each can bring one old group.",
            4: "Two shuffles would bring 4. One brings as many as a group has room for.",
            (1.000001, 1.999999): "An output knows a group or does not: a whole number.",
            (2.000001, 2.999999): "An output knows a group or does not: a whole number.",
        },
        right="Right: a new group has room for 2 channels, and each brings one old group.",
        other="Count the channels of one new group: 12 / 6 = 2. Each brings one old group along.",
    ),
    Prediction(
        id="06.p2",
        question="The two values 3 and 7 of a channel go through batch norm in training",
        options=tuple(_PAIRS.values()),
        truth=_two_values,
        replies={
            "3 and 7": (
                "That is the layer in evaluation mode, before it has learnt anything. In training"
                " it subtracts the mean of the batch, 5, and divides by the spread, 2."
            ),
            "-2 and +2": (
                "The mean 5 is gone, good. But batch norm also divides by the spread of the batch,"
                " and that is 2."
            ),
            "0.3 and 0.7": (
                "A share of the sum is a different layer. Batch norm subtracts the mean, 5, and"
                " divides by the spread, 2."
            ),
        },
        right=(
            "And now the point: 30 and 70 would have given the same, and so would 3 and 3.5. With"
            " two values only, which one is larger is all that is left."
        ),
    ),
    Prediction(
        id="06.p3",
        question="The largest distance between h-swish and swish",
        truth=_largest_gap,
        tolerance=0.1,
        replies={
            (0.0, 0.05): (
                "The two curves look alike in a plot, so one guesses small. Look near x = ±3: there"
                " the hard gate has just reached its end, and the smooth one still has 5 % to go,"
                " times 3."
            ),
            (
                0.05,
                0.128,
            ): "A little more: near x = ±3 the gates differ by 5 %, and that counts 3 times.",
            (0.157, 0.2): "A little less. The worst places are x = ±3.",
            (0.2, 0.5): "Half of that or less. The worst places are x = ±3.",
            (0.5, 1e9): (
                "Far less: the gates never differ by more than 0.07, and where x is large both"
                " have reached 0 or 1."
            ),
        },
        right="Right. The worst places are x = ±3, where the hard gate has its corners.",
        other="It is a distance, so the answer is a number from 0 up.",
    ),
]
