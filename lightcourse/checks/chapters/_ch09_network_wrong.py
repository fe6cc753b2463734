"""Exercise 09.network: wrong networks, and tests of what an answer has wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from lightcourse.checks.chapters._ch09_net import ROWS, Reference, parts_of, strides
from lightcourse.checks.chapters._ch09_network import answer
from lightcourse.checks.chapters._ch09_parts import Answer, Part, without_bias
from lightcourse.checks.exercise import Outcome

Parts = Sequence[Part]


def layers(**quirks: Any) -> Callable[[Outcome], bool]:
    """The layers are exactly those of a network with this quirk."""

    def matches(outcome: Outcome) -> bool:
        width, classes, shape, _ = outcome.case.args
        return same(outcome.got.parts, parts_of(width, classes, shape[2:], **quirks))

    return matches


def changed(change: Callable[[list[Part]], list[Part]], **quirks: Any) -> Callable[..., bool]:
    """The layers are the right ones but for a change."""

    def matches(outcome: Outcome) -> bool:
        width, classes, shape, _ = outcome.case.args
        return same(outcome.got.parts, change(parts_of(width, classes, shape[2:], **quirks)))

    return matches


def same(got: Parts, want: Parts) -> bool:
    return without_bias(got) == list(want)


def other_width(factor: Callable[[float], float]) -> Callable[[Outcome], bool]:
    def matches(outcome: Outcome) -> bool:
        width, classes, shape, _ = outcome.case.args
        return same(outcome.got.parts, parts_of(factor(width), classes, shape[2:]))

    return matches


def fixed_classes(outcome: Outcome) -> bool:
    width, classes, shape, _ = outcome.case.args
    return classes != 1000 and same(outcome.got.parts, parts_of(width, 1000, shape[2:]))


def said(*words: str) -> Callable[[Outcome], bool]:
    return lambda outcome: all(word in str(outcome.error) for word in words)


def wide_stem(outcome: Outcome) -> bool:
    """The stem makes 32 channels at every width; the blocks may read 32 or stumble."""
    width = outcome.case.args[0]
    if outcome.error is not None:
        said = str(outcome.error)
        return f"to have {int(32 * width)} channels, but got 32 channels" in said
    return width != 1 and outcome.got.parts[0].outputs == 32


def wide_classifier(outcome: Outcome) -> bool:
    said = str(outcome.error)
    width = outcome.case.args[0]
    return f"x{int(1024 * width)} and 1024x" in said


def channels_not_carried(outcome: Outcome) -> bool:
    said = str(outcome.error)
    return "to have" in said and "channels, but got" in said


def in_a_list(outcome: Outcome) -> bool:
    """Hardly a layer is known to the module, so `.double()` does not reach them either."""
    if outcome.error is not None:
        said = str(outcome.error).lower()
        return "double" in said and "float" in said
    parts = outcome.got.parts
    if len(parts) <= 1:
        return True
    # a layer that reads what no known layer made: something between them ran unseen
    convs = [part for part in parts if part.kind != "linear"]
    jumps = any(one.outputs != other.inputs for one, other in pairwise(convs))
    last = int(1024 * outcome.case.args[0])
    return jumps or (parts[-1].kind == "linear" and parts[-1].inputs == last != convs[-1].outputs)


def without_bias_at_the_end(outcome: Outcome) -> bool:
    *got, last = outcome.got.parts
    *want, head = outcome.want.parts
    same_sizes = (last.inputs, last.outputs) == (head.inputs, head.outputs)
    return same(got, want) and same_sizes and not last.bias


def norm_settings(outcome: Outcome) -> bool:
    got = without_bias(outcome.got.parts)
    full = [replace(part, lacks="") for part in got]
    return full != got and full == list(outcome.want.parts)


def pointwise_first(outcome: Outcome) -> bool:
    convs = [part for part in outcome.got.parts if part.kind == "conv"]
    return convs[1].kernel == (1, 1) and convs[2].kernel == (3, 3)


def no_norms(outcome: Outcome) -> bool:
    return not any(part.kind == "norm" for part in outcome.got.parts)


def dense(outcome: Outcome) -> bool:
    """The blocks are ordinary convolutions, or hold one."""
    parts = [part for part in outcome.got.parts[2:] if part.kind == "conv"]
    return bool(parts) and all(part.groups == 1 for part in parts)


def biased(outcome: Outcome) -> bool:
    got, want = outcome.got, outcome.want
    extra = sum(part.outputs for part in got.parts if part.kind == "conv" and part.bias)
    found = outcome.difference
    return (
        found is not None
        and "parameters" in found.text
        and (got.parameters - want.parameters == extra > 0)
    )


def too_many(outcome: Outcome) -> bool:
    found = outcome.difference
    return (
        found is not None
        and found.text.startswith("it has")
        and (outcome.got.parameters > outcome.want.parameters)
    )


def blocks(parts: Parts) -> int:
    """How many blocks ran: as many as depthwise layers."""
    return sum(part.depthwise for part in parts)


def missing(index: int) -> Callable[[Outcome], bool]:
    """All but one block, which is left out of the table."""
    blocks = strides(ROWS)
    return layers(blocks=[*blocks[:index], *blocks[index + 1 :]])


class _Other(Reference):
    """The network with another end, or without the stem's ReLU."""

    def __init__(self, width: float, classes: int, end: Callable, stem_relu: bool = True) -> None:
        super().__init__(width, classes)
        self.end = end
        if not stem_relu:
            self.body[2] = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.body(x), self.head)


def ending(end: Callable[[Tensor, nn.Module], Tensor], **quirks: Any) -> Callable[..., Answer]:
    def wrong(width: float, classes: int, shape: Any, seed: int) -> Answer:
        args = width, classes, shape, seed
        return answer(lambda: _Other(width, classes, end, **quirks), args)

    return wrong


def mean(y: Tensor, head: nn.Module) -> Tensor:
    return head(y.mean((2, 3)))
