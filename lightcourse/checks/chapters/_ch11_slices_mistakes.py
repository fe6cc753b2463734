"""Exercise 11.slices: known mistakes."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

from lightcourse.checks.chapters._ch11_slices import by_sum, cut, even
from lightcourse.checks.exercise import Mistake, Outcome


def _said(*words: str) -> Callable[[Outcome], bool]:
    return lambda o: o.error is not None and all(word in str(o.error) for word in words)


def _concatenated(o: Outcome) -> bool:
    """The slices stand side by side as channels: as many times too many."""
    n = o.want.shape[1]
    return o.got.shape[1] > n and o.got.shape[1] % n == 0


def _wide(o: Outcome) -> int:
    return o.case.args[1].out_channels


def _project_wants_all(o: Outcome) -> bool:
    """The last layer's weights read all wide channels, and a slice arrives."""
    return _said("groups=1,", f", {_wide(o)}, 1, 1]", f"to have {_wide(o)} channels")(o)


def _groups(o: Outcome) -> bool:
    """The 3×3 layer, by its weights; the 1×1 layers have groups of their own to complain about."""
    return _said("groups", ", 3, 3]")(o) or _said("groups", "divisible")(o)


MISTAKES = (
    Mistake(
        "bias-in-every-slice",
        "The bias of the projection is added once for each slice. It is added once.",
        mimic=by_sum(biases=lambda count: count),
        hint=3,
    ),
    Mistake(
        "bias-forgotten",
        "The bias of the projection is missing.",
        mimic=by_sum(biases=lambda count: 0),
        hint=3,
    ),
    Mistake(
        "expansion-bias-forgotten",
        "The bias of the expansion is missing: `expand.bias[i]`, for the channels of the slice.",
        mimic=by_sum(inner=(False, True)),
        hint=1,
    ),
    Mistake(
        "depthwise-bias-forgotten",
        "The bias of the depthwise layer is missing: `depthwise.bias[i]`, for the channels of the"
        " slice.",
        mimic=by_sum(inner=(True, False)),
        hint=1,
    ),
    Mistake(
        "inner-biases-forgotten",
        "The biases of the expansion and of the depthwise layer are missing.",
        mimic=by_sum(inner=(False, False)),
        hint=1,
    ),
    Mistake(
        "shortcut-added",
        "You add the input where it fits. Here only the three layers are wanted; the shortcut is"
        " added outside.",
        mimic=by_sum(shortcut=True),
        hint=3,
    ),
    Mistake(
        "activation-at-the-end",
        "A ReLU6 stands behind the sum. The projection is linear.",
        mimic=by_sum(end=F.relu6),
        hint=3,
    ),
    Mistake(
        "activation-in-every-part",
        "A ReLU6 stands behind the projection of each slice. The projection is linear; and a ReLU6"
        " of parts is not the ReLU6 of their sum.",
        mimic=by_sum(part=F.relu6),
        hint=3,
    ),
    Mistake(
        "relu-not-relu6",
        "You use ReLU. It is ReLU6, which cuts at 6 as well.",
        mimic=by_sum(acts=(torch.relu, torch.relu)),
        hint=3,
    ),
    Mistake(
        "second-activation-forgotten",
        "The ReLU6 behind the depthwise layer is missing.",
        mimic=by_sum(acts=(F.relu6, lambda y: y)),
        hint=3,
    ),
    Mistake(
        "first-activation-forgotten",
        "The ReLU6 behind the expansion is missing.",
        mimic=by_sum(acts=(lambda y: y, F.relu6)),
        hint=3,
    ),
    Mistake(
        "activations-forgotten",
        "No ReLU6 runs: two are wanted, behind the expansion and behind the depthwise layer.",
        mimic=by_sum(acts=(lambda y: y, lambda y: y)),
        hint=3,
    ),
    Mistake(
        "rest-forgotten",
        "Where the number of slices does not divide the channels, the rest is left out: 14 channels"
        " in 4 slices of 3 leave 2.",
        mimic=by_sum(slices=cut),
        hint=5,
    ),
    Mistake(
        "last-slice-only",
        "Only the last slice is in your output. Add the slices up.",
        mimic=by_sum(slices=lambda m, count: even(m, count)[-1:]),
        hint=3,
    ),
    Mistake(
        "stride-forgotten",
        "With stride 2 your map stays as large as it was: give F.conv2d the stride"
        " `depthwise.stride`.",
        mimic=by_sum(strides=False),
        hint=2,
    ),
    Mistake(
        "padding-forgotten",
        "Your map shrinks at its rim: give F.conv2d the padding `depthwise.padding`.",
        matches=lambda o: o.got.shape[2] < o.want.shape[2] and o.got.shape[:2] == o.want.shape[:2],
        hint=2,
    ),
    Mistake(
        "slices-side-by-side",
        "Your output has too many channels: the slices stand side by side. Every slice reaches all"
        " output channels; add them.",
        matches=_concatenated,
        hint=3,
    ),
    Mistake(
        "projection-of-all-channels",
        "The projection's weights read all wide channels, and only a slice of them arrives. Of its"
        " weights the slice needs the *columns*, `project.weight[:, i]`. `project.weight[i]` would"
        " be rows, and those belong to channels that go out.",
        matches=_project_wants_all,
        hint=1,
    ),
    Mistake(
        "groups-wrong",
        "The groups of the depthwise layer do not fit the slice. A slice of k channels has k"
        " groups.",
        matches=_groups,
        hint=2,
    ),
)
