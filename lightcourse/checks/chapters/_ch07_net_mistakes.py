"""Exercise 07.net: known mistakes."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from lightcourse.checks.chapters import _ch07_net_reference as make
from lightcourse.checks.chapters._ch07_net import variant
from lightcourse.checks.chapters._ch07_parts import attribute_missing
from lightcourse.checks.exercise import Mistake, Outcome


def _stem(*, bias: bool = False, norm: bool = True, relu: bool = True, **conv: int) -> make.Any:
    def build() -> list[nn.Module]:
        settings: dict[str, Any] = {"kernel_size": 3, "padding": 1, **conv}
        layers: list[nn.Module] = [nn.Conv2d(3, 16, **settings, bias=bias)]
        layers += [nn.BatchNorm2d(16)] * norm + [nn.ReLU()] * relu
        return layers

    return variant(stem=build)


def _pair_in_forward(outcome: Outcome) -> bool:
    return isinstance(outcome.got.output, (tuple, list))


def _map_returned(outcome: Outcome) -> bool:
    return isinstance(outcome.got.output, Tensor) and outcome.got.output.dim() == 4


def _softmaxed(outcome: Outcome) -> bool:
    got, want = outcome.got.output, outcome.want.output.softmax(1)
    return got.shape == want.shape and bool((got - want).abs().max() < 1e-5)


def _features(outcome: Outcome) -> bool:
    return outcome.got.extra.startswith("features")


def _heads(outcome: Outcome) -> bool:
    return outcome.got.extra.startswith("heads")


def _other_heads(outcome: Outcome) -> bool:
    """All blocks and the classifier are as they must be, a head is not."""
    difference = outcome.difference
    return difference is not None and difference.text.startswith("heads[")


def _default_only(outcome: Outcome) -> bool:
    """The loss is right where the weight is given."""
    return outcome.difference is not None and "with the default weight" in outcome.difference.text


MISTAKES = (
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
        mimic=variant(strides=lambda stage, i: 1 if i else 2),
        hint=2,
    ),
    Mistake(
        "every-block-halved",
        "Every block of your later stages halves the map. Only the first of a stage does.",
        mimic=variant(strides=lambda stage, i: 2 if stage else 1),
        hint=2,
    ),
    Mistake(
        "never-halved",
        "Your blocks never halve the map. The first block of the second and of the third stage has"
        " stride 2.",
        mimic=variant(strides=lambda stage, i: 1),
        hint=2,
    ),
    Mistake(
        "last-block-halves",
        "The stride is on the last block of a stage. It is on the first block of the second and of"
        " the third stage.",
        mimic=variant(strides=lambda stage, i: 2 if stage and i else 1),
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
        "maximum-at-the-end",
        "All blocks are right, but you take the maximum of each map. It is the mean.",
        mimic=variant(reduce=lambda y: y.amax((2, 3))),
        hint=3,
    ),
    Mistake(
        "sum-at-the-end",
        "All blocks are right, but you take the sum over each map. It is the mean.",
        mimic=variant(reduce=lambda y: y.sum((2, 3))),
        hint=3,
    ),
    Mistake(
        "softmax-at-the-end",
        "You end with a softmax. The loss does that; the network gives out the scores themselves.",
        matches=_softmaxed,
        hint=3,
    ),
    Mistake(
        "map-returned",
        "The scores still have height and width. Take the mean over axes 2 and 3 before the"
        " classifier.",
        matches=_map_returned,
        hint=3,
    ),
    Mistake(
        "heads-in-forward",
        "forward gives out what the heads say, too. It returns the classifier's scores alone, one"
        " tensor; the heads speak in `loss` only.",
        matches=_pair_in_forward,
        hint=3,
    ),
    Mistake(
        "heads-too-wide",
        "Your heads do not read 16 and 32 channels. The first reads the output of stage 1, the"
        " second"
        " that of stage 2.",
        matches=_other_heads,
        hint=3,
    ),
    Mistake(
        "loss-stops",
        "The scores are right, but `loss` stops with an error; it is the last line below. It is"
        " given"
        " pictures, labels and weight, and goes through self.features by itself.",
        matches=lambda outcome: bool(outcome.got.fault),
        hint=4,
    ),
    Mistake(
        "heads-unheard",
        "The loss is the classifier's alone. Add weight times the loss of each head.",
        mimic=variant(loss=make.main_only),
        hint=4,
    ),
    Mistake(
        "weight-unused",
        "The heads' losses are added in full. Each is multiplied by `weight` first.",
        mimic=variant(loss=make.unweighted),
        hint=4,
    ),
    Mistake(
        "weight-on-all",
        "You multiply the classifier's own loss by the weight too. Only the heads' are.",
        mimic=variant(loss=make.all_weighted),
        hint=4,
    ),
    Mistake(
        "blended",
        "You take 1 − weight of the classifier's loss. It counts in full; the heads come on top.",
        mimic=variant(loss=make.blended),
        hint=4,
    ),
    Mistake(
        "heads-averaged",
        "You take the mean of the heads' losses. They are added up, each times weight.",
        mimic=variant(loss=make.head_mean),
        hint=4,
    ),
    Mistake(
        "scores-added",
        "You add the scores and take one loss. Each head has a loss of its own.",
        mimic=variant(loss=make.scores_blended),
        hint=4,
    ),
    Mistake(
        "softmax-in-the-loss",
        "F.cross_entropy takes scores, and does the softmax itself. You give it shares.",
        mimic=variant(loss=make.softmax_first),
        hint=4,
    ),
    Mistake(
        "loss-summed",
        "Your loss is the sum over the batch. It is the mean, as F.cross_entropy gives it.",
        mimic=variant(loss=make.summed),
        hint=4,
    ),
    Mistake(
        "one-head-only",
        "The second head is not heard: the loss has only the first one's.",
        mimic=variant(loss=make.first_head_only),
        hint=4,
    ),
    Mistake(
        "other-head-only",
        "The first head is not heard: the loss has only the second one's.",
        mimic=variant(loss=make.last_head_only),
        hint=4,
    ),
    Mistake(
        "head-before-the-stage",
        "Your heads read the map after the *first* block of their stage. Each must read the map"
        " at the"
        " *end* of its stage, the first head after stage 1, the second after stage 2.",
        mimic=variant(places=lambda n: (1, n + 1)),
        hint=4,
    ),
    Mistake(
        "default-weight",
        "With the weight given your loss is right; without it, it is not. The default is 0.3.",
        matches=_default_only,
        hint=4,
    ),
)
