"""Exercise 07.residual: known mistakes and hints."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lightcourse.checks.chapters import _ch07_parts as look
from lightcourse.checks.chapters._ch07_residual import PARTS, body, right, variant
from lightcourse.checks.exercise import Hint, Mistake, Outcome


def _no_first_relu(m: Any, x: Tensor) -> Tensor:
    return torch.relu(m.bn2(m.conv2(m.bn1(m.conv1(x)))) + m.shortcut(x))


def _norm_twice(m: Any, x: Tensor) -> Tensor:
    return torch.relu(m.bn1(m.conv2(torch.relu(m.bn1(m.conv1(x))))) + m.shortcut(x))


def _norms_unused(m: Any, x: Tensor) -> Tensor:
    return torch.relu(m.conv2(torch.relu(m.conv1(x))) + m.shortcut(x))


def _before(m: Any, x: Tensor) -> Tensor:
    """Norm and ReLU before each convolution (arXiv 1603.05027)."""
    return m.conv2(torch.relu(m.bn2(m.conv1(torch.relu(m.bn1(x)))))) + m.shortcut(x)


def _before_and_after(m: Any, x: Tensor) -> Tensor:
    return torch.relu(_before(m, x))


_BEFORE = tuple(variant(run) for run in (_before, _before_and_after))


def _pre_activated(outcome: Outcome) -> bool:
    """A norm meets channels that it is not made for, or the values are those of norms in front."""
    if outcome.error is not None:
        return "running_mean should contain" in str(outcome.error)
    wrong = (mimic(*outcome.case.args) for mimic in _BEFORE)
    return any(look.compare(outcome.got, answer) is None for answer in wrong)


def _needs(outcome: Outcome) -> bool:
    """Whether the case needs a projection."""
    return bool(outcome.want.parts["shortcut"])


def _always(outcome: Outcome) -> bool:
    return not _needs(outcome) and bool(outcome.got.parts["shortcut"])


def _never(outcome: Outcome) -> bool:
    return _needs(outcome) and not outcome.got.parts["shortcut"]


def _no_norm(outcome: Outcome) -> bool:
    mine = outcome.got.parts["shortcut"]
    return _needs(outcome) and len(mine) == 1 and mine[0].kind == "conv"


def _misfit(outcome: Outcome) -> bool:
    """The projection has the wrong stride or padding, or another kernel."""
    mine, want = outcome.got.parts["shortcut"], outcome.want.parts["shortcut"]
    return _needs(outcome) and len(mine) == 2 and mine[0].kind == "conv" and mine[0] != want[0]


def _bias(outcome: Outcome) -> bool:
    return any(look.has(outcome, name, kind="conv", bias=True) for name in PARTS)


def _second_strided(outcome: Outcome) -> bool:
    first, second = (outcome.got.parts[name][0].stride for name in ("conv1", "conv2"))
    return second == outcome.case.args[2] != 1 and first == 1


def _both_strided(outcome: Outcome) -> bool:
    first, second = (outcome.got.parts[name][0].stride for name in ("conv1", "conv2"))
    return second == first == outcome.case.args[2] != 1


def _stride_unused(outcome: Outcome) -> bool:
    first, second = (outcome.got.parts[name][0].stride for name in ("conv1", "conv2"))
    return outcome.case.args[2] != 1 == first == second


def _no_padding(outcome: Outcome) -> bool:
    return any(look.has(outcome, name, kernel=3, padding=0) for name in PARTS[:4])


MISTAKES = (
    Mistake(
        "name-missing",
        "The check looks for self.conv1, self.bn1, self.conv2 and self.bn2. One of them is missing,"
        " or has another name.",
        matches=look.attribute_missing(*PARTS),
        hint=1,
    ),
    Mistake(
        "ready-made",
        "There is a ready-made block of a library inside. Build it from nn.Conv2d and"
        " nn.BatchNorm2d: that is what this exercise is for.",
        matches=lambda outcome: bool(outcome.got.extra),
        hint=1,
    ),
    Mistake(
        "bias-too-many",
        "A convolution has a bias. A batch norm follows, which takes the mean away and adds a shift"
        " of its own: `bias=False` for all of them.",
        matches=_bias,
        hint=2,
    ),
    Mistake(
        "padding-forgotten",
        "A 3×3 has no padding, so its map becomes smaller, and cannot be added to what came in."
        " padding=1 keeps the size.",
        matches=_no_padding,
        hint=2,
    ),
    Mistake(
        "stride-on-the-second",
        "The stride is on your second convolution. It is on the first: then the second works on the"
        " small map.",
        matches=_second_strided,
        hint=2,
    ),
    Mistake(
        "stride-on-both",
        "Both of your convolutions have the stride, so the map shrinks twice. Only the first has"
        " it.",
        matches=_both_strided,
        hint=2,
    ),
    Mistake(
        "stride-unused",
        "None of your two convolutions uses the stride. The first has it.",
        matches=_stride_unused,
        hint=2,
    ),
    Mistake(
        "always-projected",
        "Your shortcut has weights although the shapes agree. There the input itself is added:"
        " nn.Identity().",
        matches=_always,
        hint=3,
    ),
    Mistake(
        "projection-missing",
        "Where the stride is not 1 or the channels change, the input does not fit the output, and"
        " your shortcut has no layer that makes it fit. Mind both: a stride alone is enough, and"
        " fewer channels are another number too.",
        matches=_never,
        hint=3,
    ),
    Mistake(
        "projection-without-norm",
        "Your projection is the 1×1 convolution alone. A batch norm follows it, as everywhere in"
        " this network.",
        matches=_no_norm,
        hint=3,
    ),
    Mistake(
        "projection-misfit",
        "The convolution of your shortcut is not the one wanted: a 1×1 with the stride of the"
        " block, no padding, no bias.",
        matches=_misfit,
        hint=3,
    ),
    Mistake(
        "norm-in-front",
        "A batch norm works on what comes *into* a convolution. That is the order of a later paper"
        " (*pre-activation*). In this block each norm stands behind its convolution, and has"
        " out_channels.",
        matches=_pre_activated,
        hint=4,
    ),
    *(
        Mistake(
            "norm-in-front-made-for-it",
            "bn1 is made for in_channels, and works on the input of conv1. That is the order of a"
            " later paper (*pre-activation*). In this block each norm stands behind its"
            " convolution, and has out_channels.",
            mimic=variant(run, early=True),
            hint=4,
        )
        for run in (_before, _before_and_after)
    ),
    Mistake(
        "first-norm-too-narrow",
        "bn1 is made for in_channels. It stands behind conv1, which gives out out_channels.",
        mimic=variant(right, early=True),
        hint=2,
    ),
    Mistake(
        "shortcut-not-added",
        "Nothing comes through the shortcut: the output is that of the two convolutions alone. This"
        " is the *plain* net, which the paper compares with.",
        mimic=variant(lambda m, x: torch.relu(body(m, x))),
        hint=4,
    ),
    Mistake(
        "relu-before-the-sum",
        "The last ReLU comes before the sum. Then a block can only ever *add* to a channel. It"
        " stands after the sum.",
        mimic=variant(lambda m, x: torch.relu(body(m, x)) + m.shortcut(x)),
        hint=4,
    ),
    Mistake(
        "relu-before-and-after",
        "There is a ReLU before the sum and one after it. Only the one after it belongs there.",
        mimic=variant(lambda m, x: torch.relu(torch.relu(body(m, x)) + m.shortcut(x))),
        hint=4,
    ),
    Mistake(
        "last-relu-forgotten",
        "There is no ReLU after the sum. (In a later paper it is gone; not in this one.)",
        mimic=variant(lambda m, x: body(m, x) + m.shortcut(x)),
        hint=4,
    ),
    Mistake(
        "first-relu-forgotten",
        "There is no ReLU between the two convolutions. Without it they are one linear layer.",
        mimic=variant(_no_first_relu),
        hint=4,
    ),
    Mistake(
        "relu-on-the-shortcut",
        "The shortcut goes through a ReLU of its own. It should carry its input as it is.",
        mimic=variant(lambda m, x: torch.relu(body(m, x) + torch.relu(m.shortcut(x)))),
        hint=4,
    ),
    Mistake(
        "relu-on-the-input",
        "x goes through a ReLU before anything else (`relu_` and `inplace=True` change x itself),"
        " so"
        " the shortcut has lost what was negative.",
        mimic=variant(lambda m, x: torch.relu(body(m, x.relu()) + m.shortcut(x.relu()))),
        hint=4,
    ),
    Mistake(
        "norm-used-twice",
        "The second convolution is followed by bn1 once more. Each has a batch norm of its own.",
        mimic=variant(_norm_twice),
        hint=4,
    ),
    Mistake(
        "norms-unused",
        "The two batch norms are made, but forward does not use them.",
        mimic=variant(_norms_unused),
        hint=4,
    ),
    Mistake(
        "side-by-side",
        "You put the two side by side, and have twice the channels. A residual block *adds*;"
        " DenseNet"
        " concatenates.",
        mimic=variant(lambda m, x: torch.relu(torch.cat([body(m, x), m.shortcut(x)], 1))),
        hint=4,
    ),
    Mistake(
        "parts-too-many",
        "The output is right, but the block has more parameters than its layers need. Is there a"
        " further layer in `__init__` that nobody asked for?",
        matches=look.too_many,
        hint=2,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "`__init__`: self.conv1, self.bn1, self.conv2, self.bn2 and self.shortcut. `forward`: first"
        " the way through the convolutions, then what comes in goes through self.shortcut, then"
        " the sum.",
    ),
    Hint(
        "A convolution or a norm is not the one wanted",
        "conv1: 3×3, in_channels → out_channels, with the stride. conv2: 3×3, out_channels →"
        " out_channels, stride 1. Both padding 1 and bias=False. Each norm has out_channels.",
    ),
    Hint(
        "My shortcut is wrong, or I get RuntimeError: The size of tensor a … must match the size of"
        " tensor b",
        "If stride is 1 and in_channels equals out_channels: nn.Identity(). In all other cases"
        " nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),"
        " nn.BatchNorm2d(out_channels)).",
    ),
    Hint(
        "My shapes are right, my values are wrong",
        "conv1, bn1, ReLU, conv2, bn2; then add what the shortcut gives; then ReLU. Two ReLUs in"
        " all.",
    ),
)
