"""Exercise 07.net: known mistakes in the parts, the plan, and the sizes of the layers."""

from __future__ import annotations

from typing import Any

from torch import nn

from lightcourse.checks.chapters._ch07_net import variant
from lightcourse.checks.chapters._ch07_parts import attribute_missing
from lightcourse.checks.exercise import Mistake, Outcome


def _stem(*, bias: bool = False, norm: bool = True, relu: bool = True, **conv: int) -> Any:
    def build() -> list[nn.Module]:
        settings: dict[str, Any] = {"kernel_size": 3, "padding": 1, **conv}
        layers: list[nn.Module] = [nn.Conv2d(3, 16, **settings, bias=bias)]
        layers += [nn.BatchNorm2d(16)] * norm + [nn.ReLU()] * relu
        return layers

    return variant(stem=build)


def _features(outcome: Outcome) -> bool:
    return outcome.got.extra.startswith("features")


def _heads(outcome: Outcome) -> bool:
    return outcome.got.extra.startswith("heads")


def _other_classes(outcome: Outcome) -> bool:
    """The classifier or a head does not give out a number for each class."""
    got = outcome.got
    return got.params == outcome.want.params and any(
        out != outcome.case.args[1] for _, out in got.ends
    )


def _other_heads(outcome: Outcome) -> bool:
    """All blocks and the classifier are as they must be, what a head reads is not."""
    difference = outcome.difference
    return difference is not None and difference.text.startswith("heads[")


def _other_parts(outcome: Outcome) -> bool:
    """A block of the learner's has other parameters."""
    return not outcome.got.extra and outcome.got.params != outcome.want.params


PLAN = (
    Mistake(
        "part-missing",
        "The check looks for self.features, self.classifier and self.heads, and for a method loss."
        " One of them is missing, or has another name.",
        matches=attribute_missing("features", "classifier", "heads", "loss"),
        hint=1,
    ),
    Mistake(
        "one-item-per-block",
        "self.features must be an nn.Sequential of the stem, as one item, and then each block: 1 +"
        " 3n items. So the check can name the block that is wrong.",
        matches=_features,
        hint=1,
    ),
    Mistake(
        "heads-unfit",
        "self.heads must be an nn.ModuleList with two linear layers, 16 → num_classes and 32 →"
        " num_classes. A plain Python list is not seen by torch, and not trained.",
        matches=_heads,
        hint=3,
    ),
    Mistake(
        "first-stage-halved",
        "Your first stage halves the map too. It keeps the size of the picture: the second and the"
        " third stage begin with stride 2.",
        mimic=variant(strides=lambda stage, i, n: 1 if i else 2),
        hint=2,
    ),
    Mistake(
        "every-block-halved",
        "Every block of your later stages halves the map. Only the first of a stage does.",
        mimic=variant(strides=lambda stage, i, n: 2 if stage else 1),
        hint=2,
    ),
    Mistake(
        "never-halved",
        "Your blocks never halve the map. The first block of the second and of the third stage has"
        " stride 2.",
        mimic=variant(strides=lambda stage, i, n: 1),
        hint=2,
    ),
    Mistake(
        "last-block-halves",
        "The stride is on the last block of a stage. It is on the first block of the second and of"
        " the third stage.",
        mimic=variant(strides=lambda stage, i, n: 2 if stage and i == n - 1 else 1),
        hint=2,
    ),
    Mistake(
        "all-but-the-first-halve",
        "All blocks of a later stage have stride 2, but the first. It is the other way round: only"
        " the first block of the second and of the third stage has it.",
        mimic=variant(strides=lambda stage, i, n: 2 if stage and i else 1),
        hint=2,
    ),
    Mistake(
        "channels-not-updated",
        "All your blocks are made for the 16 channels of the stem. A block reads what the one"
        " before it gives out: after each block, channels = width.",
        mimic=variant(track=lambda i, n: False),
        hint=2,
    ),
    Mistake(
        "channels-updated-late",
        "Your channels change at the end of a stage only. The *first* block of a stage has changed"
        " them already: its second block reads the new width.",
        mimic=variant(track=lambda i, n: i == n - 1),
        hint=2,
    ),
    Mistake(
        "stem-halves",
        "Your stem has stride 2. On 32×32 pictures it keeps the size.",
        mimic=_stem(stride=2),
        hint=2,
    ),
    Mistake(
        "stem-without-norm",
        "Your stem is not the one wanted: 3×3 convolution without bias, then batch norm, then"
        " ReLU.",
        mimic=_stem(norm=False),
        hint=2,
    ),
    Mistake(
        "stem-with-bias",
        "The convolution of your stem has a bias. A batch norm follows: `bias=False`.",
        mimic=_stem(bias=True),
        hint=2,
    ),
    Mistake(
        "stem-relu-forgotten",
        "There is no ReLU at the end of your stem.",
        mimic=_stem(relu=False),
        hint=2,
    ),
    Mistake(
        "stem-large",
        "Your stem has a 7×7 kernel: that is the ResNet for photographs. Here it is 3×3.",
        mimic=_stem(kernel_size=7, padding=3),
        hint=2,
    ),
    Mistake(
        "stem-large-and-halving",
        "Your stem is a 7×7 with stride 2: that is the ResNet for photographs. Here it is a 3×3"
        " with stride 1.",
        mimic=_stem(kernel_size=7, padding=3, stride=2),
        hint=2,
    ),
    Mistake(
        "stem-unpadded",
        "Your stem has no padding, so the map loses its border. padding=1.",
        mimic=_stem(padding=0),
        hint=2,
    ),
    Mistake(
        "same-width",
        "All your stages have 16 channels. They have 16, 32 and 64.",
        mimic=variant(widths=(16, 16, 16)),
        hint=2,
    ),
    Mistake(
        "widths-too-large",
        "Your stages begin with 32 channels. They have 16, 32 and 64.",
        mimic=variant(widths=(32, 64, 128), ends=(32, 64)),
        hint=2,
    ),
    Mistake(
        "classes-fixed",
        "The classifier or a head does not give out `num_classes` numbers. Use the argument, not a"
        " number of your own.",
        matches=_other_classes,
        hint=3,
    ),
    Mistake(
        "heads-too-wide",
        "Your heads do not read 16 and 32 channels. Head 0 reads the output of stage 1, head 1"
        " that of stage 2.",
        matches=_other_heads,
        hint=3,
    ),
    Mistake(
        "parameters-differ",
        "A part has another number of parameters than in the plan; the comparison names it. Look"
        " at its kernel, at the channels in and out, and for a bias.",
        matches=_other_parts,
        hint=2,
    ),
)
