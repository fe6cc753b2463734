"""Exercise 08.net: known mistakes and hints."""

from __future__ import annotations

from torch import Tensor, nn

from lightcourse.checks.chapters._ch08_net import variant
from lightcourse.checks.exercise import Hint, Mistake, Outcome


def _missing(outcome: Outcome) -> bool:
    said = str(outcome.error)
    return isinstance(outcome.error, AttributeError) and (
        "no attribute 'features'" in said or "no attribute 'classifier'" in said
    )


def _map_returned(outcome: Outcome) -> bool:
    output = outcome.got.output
    return isinstance(output, Tensor) and output.dim() == 4


MISTAKES = (
    Mistake(
        "part-missing",
        "The check looks for self.features and self.classifier. One of them is missing, or has"
        " another name.",
        matches=_missing,
        hint=1,
    ),
    Mistake(
        "one-item-per-row",
        "self.features must be an nn.Sequential with one item for each row of the table, so that"
        " the check can name the row that is wrong. A convolution and its ReLU are one item:"
        " nn.Sequential(conv, nn.ReLU()).",
        matches=lambda outcome: bool(outcome.got.extra),
        hint=1,
    ),
    Mistake(
        "pools-round-down",
        "Your pools round down. SqueezeNet's round up, as the authors' library does: a last"
        " window may hang over the edge. `ceil_mode=True`.",
        mimic=variant(pool=lambda: nn.MaxPool2d(3, 2)),
        hint=3,
    ),
    Mistake(
        "pool-of-two",
        "Your pools have windows of 2×2. SqueezeNet's are 3×3 with stride 2, as AlexNet's: they"
        " overlap.",
        mimic=variant(pool=lambda: nn.MaxPool2d(2, 2)),
        hint=3,
    ),
    Mistake(
        "pool-of-two-up",
        "Your pools round up, but have windows of 2×2. SqueezeNet's are 3×3 with stride 2.",
        mimic=variant(pool=lambda: nn.MaxPool2d(2, 2, ceil_mode=True)),
        hint=3,
    ),
    Mistake(
        "pool-padded",
        "Your pools have padding. SqueezeNet's have none; they round up instead: `ceil_mode=True`.",
        mimic=variant(pool=lambda: nn.MaxPool2d(3, 2, padding=1)),
        hint=3,
    ),
    Mistake(
        "pools-average",
        "Your pools take the mean. They take the maximum; only the very end takes a mean.",
        mimic=variant(pool=lambda: nn.AvgPool2d(3, 2, ceil_mode=True)),
        hint=3,
    ),
    Mistake(
        "stem-stride-forgotten",
        "Your first convolution has stride 1. It has stride 2, and halves the picture at once.",
        mimic=variant(stem=lambda k: {}),
        hint=3,
    ),
    Mistake(
        "stem-padded",
        "Your first convolution has padding 1. It has none.",
        mimic=variant(stem=lambda k: {"stride": 2, "padding": 1}),
        hint=3,
    ),
    Mistake(
        "stem-padded-fully",
        "Your first convolution has padding, half a kernel. It has none.",
        mimic=variant(stem=lambda k: {"stride": 2, "padding": k // 2}),
        hint=3,
    ),
    Mistake(
        "stem-relu-forgotten",
        "There is no ReLU after the first convolution. A Fire module has its own, a bare"
        " convolution has not.",
        mimic=variant(stem_relu=False),
        hint=3,
    ),
    Mistake(
        "channels-of-the-1x1",
        "After a Fire module you go on with expand1x1 channels. It gives out both halves side by"
        " side: expand1x1 + expand3x3.",
        mimic=variant(after=lambda c, s, e1, e3: e1),
        hint=2,
    ),
    Mistake(
        "channels-of-the-3x3",
        "After a Fire module you go on with expand3x3 channels. It gives out both halves side by"
        " side: expand1x1 + expand3x3.",
        mimic=variant(after=lambda c, s, e1, e3: e3),
        hint=2,
    ),
    Mistake(
        "channels-never-updated",
        "All your Fire modules take as many channels as the first one. Keep a number `channels`,"
        " and set it anew after each row.",
        mimic=variant(after=lambda c, s, e1, e3: c),
        hint=2,
    ),
    Mistake(
        "channels-of-the-squeeze",
        "After a Fire module you go on with `squeeze` channels. These are inside the module; it"
        " gives out expand1x1 + expand3x3.",
        mimic=variant(after=lambda c, s, e1, e3: s),
        hint=2,
    ),
    Mistake(
        "classes-fixed",
        "You make 1000 outputs whatever num_classes says.",
        mimic=variant(classes=1000),
        hint=4,
    ),
    Mistake(
        "head-relu-forgotten",
        "All blocks are right, but there is no ReLU after the last convolution. SqueezeNet has one,"
        " before the mean.",
        mimic=variant(head_relu=False),
        hint=4,
    ),
    Mistake(
        "mean-first",
        "You take the mean before the last ReLU, perhaps even before the last convolution (the"
        " numbers are the same). SqueezeNet makes a map for each class, then ReLU, and takes the"
        " mean of each map last.",
        mimic=variant(mean_first=True),
        hint=4,
    ),
    Mistake(
        "maximum-at-the-end",
        "You take the maximum of each class map. SqueezeNet takes the mean.",
        mimic=variant(reduce=lambda y: y.amax((2, 3))),
        hint=4,
    ),
    Mistake(
        "sum-at-the-end",
        "You take the sum over each class map. SqueezeNet takes the mean.",
        mimic=variant(reduce=lambda y: y.sum((2, 3))),
        hint=4,
    ),
    Mistake(
        "softmax-at-the-end",
        "You end with a softmax. The loss function does that in training; the network gives out the"
        " scores themselves.",
        mimic=variant(reduce=lambda y: y.mean((2, 3)).softmax(1)),
        hint=4,
    ),
    Mistake(
        "map-returned",
        "The output still has height and width. Wanted is one number for each class: (N,"
        " num_classes).",
        matches=_map_returned,
        hint=4,
    ),
    Mistake(
        "dropout-in-use",
        "Two runs over the same picture differ in eval mode: something is still dropped."
        " `F.dropout(x)` always drops, unless it is told `training=self.training`; the layer"
        " `nn.Dropout` knows by itself.",
        matches=lambda outcome: outcome.got.random,
        hint=4,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Keep a list of modules and a number of channels, 3 at first. Take the rows one by one."
        " Append one module for each, and keep `channels` up to date. At the end"
        " `self.features = nn.Sequential(*blocks)`.",
    ),
    Hint(
        "A Fire module has the wrong number of parameters, or cannot take what comes before it",
        "fire(channels, squeeze, expand1x1, expand3x3), where channels is what the row before gives"
        " out. After a conv row that is its out; after a fire row expand1x1 + expand3x3; a pool"
        " changes nothing.",
    ),
    Hint(
        "The shape is wrong after a row",
        "conv: k×k, stride 2, no padding, then ReLU. pool: maximum, 3×3, stride 2,"
        " ceil_mode=True. From 224: 1.0 has 109, 54, 27, 13 and 1.1 has 111, 55, 27, 13.",
    ),
    Hint(
        "All blocks are right, the output is not",
        "self.classifier holds dropout 0.5, a 1×1 convolution from channels to num_classes, a ReLU,"
        " in this order. forward: features, classifier, then the mean over axes 2 and 3.",
    ),
)
