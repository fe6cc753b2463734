"""Exercise 07.net: known mistakes."""

from __future__ import annotations

from torch import Tensor

from lightcourse.checks.chapters import _ch07_net_reference as make
from lightcourse.checks.chapters._ch07_net import variant
from lightcourse.checks.chapters._ch07_net_plan_mistakes import PLAN
from lightcourse.checks.exercise import Mistake, Outcome


def _pair_in_forward(outcome: Outcome) -> bool:
    return isinstance(outcome.got.output, (tuple, list))


def _map_returned(outcome: Outcome) -> bool:
    return isinstance(outcome.got.output, Tensor) and outcome.got.output.dim() == 4


def _softmaxed(outcome: Outcome) -> bool:
    got, want = outcome.got.output, outcome.want.output.softmax(1)
    return got.shape == want.shape and bool((got - want).abs().max() < 1e-5)


def _default_only(outcome: Outcome) -> bool:
    """The loss is right where the weight is given."""
    return outcome.difference is not None and "with the default weight" in outcome.difference.text


MISTAKES = (
    *PLAN,
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
        "head-before-its-block",
        "Your heads read one block too early. features[0] is the stem, so stage 1 ends with"
        " features[n], and stage 2 with features[2 * n].",
        mimic=variant(places=lambda n: (n - 1, 2 * n - 1)),
        hint=4,
    ),
    Mistake(
        "head-misfit",
        "In `loss` a linear layer gets a map with other channels than it is made for. Head 0 reads"
        " what features[n] gives (16 channels), head 1 what features[2 * n] gives (32), the"
        " classifier the last one (64).",
        matches=lambda outcome: "mat1 and mat2 shapes" in outcome.got.fault,
        hint=4,
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
        "weight-fixed",
        "Your loss takes 0.3 whatever weight it is given. 0.3 is the default only; use `weight`.",
        mimic=variant(loss=make.weight_fixed),
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
        " *end* of its stage, head 0 after stage 1, head 1 after stage 2.",
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
