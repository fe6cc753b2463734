"""Exercise 12.last: known mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import nn

from lightcourse.checks.chapters._ch09_parts import Part, without_bias
from lightcourse.checks.chapters._ch12_last import variant, wanted
from lightcourse.checks.chapters._ch12_parts import general, same
from lightcourse.checks.exercise import Mistake, Outcome


def _on_the_map(outcome: Outcome) -> bool:
    """The head is computed at every place: it stands before the pool."""
    got, (wide, *_) = without_bias(outcome.got.parts), outcome.want.parts
    heads = [part for part in got[1:] if part.kind == "conv"]
    return got[:1] == [wide] and bool(heads) and heads[0].size == wide.size


def _pooled_first(outcome: Outcome) -> bool:
    first, want = outcome.got.parts[0], outcome.want.parts[0]
    return (first.inputs, first.outputs) == (want.inputs, want.outputs) and first.size == (1, 1)


def _norm_after_the_pool(outcome: Outcome) -> bool:
    got, want = without_bias(outcome.got.parts), outcome.want.parts
    return got[:2] == list(want[:2]) and any(part.kind == "norm" for part in got[2:])


def _no_head(outcome: Outcome) -> bool:
    sizes, shape, _ = outcome.case.args
    _, wide, _, classes = sizes
    right = wanted(sizes, shape)
    return same(outcome.got.parts, (*right[:2], Part("linear", wide, classes, bias=True)))


def _no_norm(outcome: Outcome) -> bool:
    return same(outcome.got.parts, [p for p in outcome.want.parts if p.kind != "norm"])


def _no_bias(outcome: Outcome) -> bool:
    got, want = outcome.got.parts, outcome.want.parts
    sizes = [(p.inputs, p.outputs) for p in got] == [(p.inputs, p.outputs) for p in want]
    return sizes and not all(part.bias for part in got[2:])


def _not_pooled(outcome: Outcome) -> bool:
    said = str(outcome.error)
    return "mat1 and mat2" in said or "shapes cannot be multiplied" in said


def _random(outcome: Outcome) -> bool:
    return not outcome.got.steady


def _other_bend(id: str, says: str, layer: Callable[[], nn.Module]) -> tuple[Mistake, ...]:
    """Another function in the place of h-swish: in both places, or in one of them."""
    both, one = {"first": layer, "second": layer()}, {"second": layer()}
    steps: tuple[dict[str, Any], ...] = (both, one, {"first": layer})
    return tuple(Mistake(id, says, mimic=variant(**step), hint=3) for step in steps)


MISTAKES = (
    Mistake(
        "head-on-the-map",
        "Your head runs on the whole map, before the mean. Then it costs as many times more as the"
        " map has places. The mean comes between the convolution and the head.",
        matches=_on_the_map,
        hint=2,
    ),
    Mistake(
        "pooled-first",
        "You take the mean before the first convolution. This one still sees the map: convolution,"
        " norm, h-swish, and then the mean.",
        matches=_pooled_first,
        hint=2,
    ),
    Mistake(
        "norm-after-the-mean",
        "A norm follows a layer behind the mean. There are none there: both layers have biases.",
        matches=_norm_after_the_pool,
        hint=1,
    ),
    Mistake(
        "head-missing",
        "Your classifier reads the mean at once. Between them stands a layer from `wide` to `head`"
        " with an h-swish.",
        matches=_no_head,
        hint=1,
    ),
    Mistake(
        "norm-missing",
        "No norm runs. The convolution before the mean has one.",
        matches=_no_norm,
        hint=1,
    ),
    Mistake(
        "biases-missing",
        "A layer behind the mean has no bias. No norm follows there, so both keep theirs.",
        matches=_no_bias,
        hint=1,
    ),
    *general(hint=1, without="used-twice"),
    Mistake(
        "random-at-work",
        "In eval mode your stage gives other scores at each call: dropout is still on. `F.dropout`"
        " needs `self.training` as its third argument; `nn.Dropout(0.2)` looks after that itself.",
        matches=_random,
        hint=4,
    ),
    Mistake(
        "mean-before-h-swish",
        "You take the mean before the first h-swish. It bends each place of the map by itself; the"
        " mean follows.",
        mimic=variant(first=nn.Identity, pool=lambda x: F.hardswish(x.mean((2, 3)))),
        hint=3,
    ),
    *_other_bend(
        "h-sigmoid-not-h-swish",
        "You use h-sigmoid, the gate, where h-swish belongs: h-swish is x · h-sigmoid(x).",
        nn.Hardsigmoid,
    ),
    *_other_bend(
        "swish-not-h-swish",
        "You use swish, `SiLU`. MobileNetV3 has its form without an exponential, h-swish:"
        " `nn.Hardswish()`.",
        nn.SiLU,
    ),
    Mistake(
        "softmax-at-the-end",
        "Your stage ends in a softmax. The scores come out as they are: the loss has the softmax.",
        mimic=variant(end=lambda y: y.softmax(1)),
        hint=3,
    ),
    Mistake(
        "activation-at-the-end",
        "An h-swish stands behind the classifier. A score may be negative.",
        mimic=variant(end=F.hardswish),
        hint=3,
    ),
    Mistake(
        "second-activation-missing",
        "Between your two linear layers stands no activation, so that the two are one.",
        mimic=variant(second=lambda y: y),
        hint=3,
    ),
    Mistake(
        "first-activation-missing",
        "No activation stands behind the norm.",
        mimic=variant(first=nn.Identity),
        hint=3,
    ),
    Mistake(
        "relu-not-h-swish",
        "Your activations are ReLU. In the last stage both are h-swish.",
        mimic=variant(first=nn.ReLU, second=F.relu),
        hint=3,
    ),
    Mistake(
        "one-relu",
        "One of your two activations is a ReLU. In the last stage both are h-swish.",
        mimic=variant(first=nn.ReLU),
        hint=3,
    ),
    Mistake(
        "one-relu",
        "One of your two activations is a ReLU. In the last stage both are h-swish.",
        mimic=variant(second=F.relu),
        hint=3,
    ),
    Mistake(
        "max-pooled",
        "You take the largest value of each map. It is the mean.",
        mimic=variant(pool=lambda x: x.amax((2, 3))),
        hint=3,
    ),
    Mistake(
        "not-pooled",
        "Your linear layer cannot read what arrives: before it, the mean over height and width"
        " leaves (N, wide).",
        matches=_not_pooled,
        hint=2,
    ),
)
