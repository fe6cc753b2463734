"""Exercise 11.block: wrong blocks, and tests of what an answer has wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import nn

from lightcourse.checks.chapters._ch09_parts import without_bias
from lightcourse.checks.chapters._ch11_block import by_torch, parts_of
from lightcourse.checks.chapters._ch11_net import RIGHT, BlockQuirk
from lightcourse.checks.exercise import Outcome

ACT, NONE = nn.ReLU6, nn.Identity


def quirk(**changes: Any) -> BlockQuirk:
    return replace(RIGHT, **changes)


def layers(changed: BlockQuirk) -> Callable[[Outcome], bool]:
    """The layers are exactly those of a block with this quirk, and not the right ones."""

    def matches(o: Outcome) -> bool:
        wrong = parts_of(o.case.args, changed)
        return without_bias(o.got.parts) == list(wrong) != list(o.want.parts)

    return matches


def values(**changes: Any) -> Callable[..., Any]:
    return by_torch(quirk(**changes))


def said(*words: str) -> Callable[[Outcome], bool]:
    return lambda o: o.error is not None and all(w in str(o.error).lower() for w in words)


def shortcut_of_another_shape(stride_1: bool) -> Callable[[Outcome], bool]:
    """Adding failed where the shapes differ, and only there."""

    def matches(o: Outcome) -> bool:
        c, n, stride, *_ = o.case.args
        tried = stride == 1 and c != n if stride_1 else stride == 2 and c == n
        return tried and said("must match the size of tensor")(o)

    return matches


def added_everywhere(o: Outcome) -> bool:
    c, n, stride, *_ = o.case.args
    return (stride == 2 or c != n) and said("must match the size of tensor")(o)


def no_padding(o: Outcome) -> bool:
    """The map shrinks, or the shortcut stumbles over it."""
    c, n, stride, *_ = o.case.args
    if o.error is not None:
        return stride == 1 and c == n and said("must match the size of tensor")(o)
    return layers(quirk(padding=0))(o)


def depthwise_first(o: Outcome) -> bool:
    first = o.got.parts[0]
    return first.kernel == (3, 3) and (o.case.args[3] > 1 or len(o.got.parts) > 4)


def shortcut_with_weights(o: Outcome) -> bool:
    """One more convolution from c to n channels runs, beside a right branch."""
    c, n, *_ = o.case.args
    convs = [part for part in o.got.parts if part.kind == "conv"]
    wanted = [part for part in o.want.parts if part.kind == "conv"]
    extra = [part for part in convs if (part.inputs, part.outputs) == (c, n) and not part.depthwise]
    return len(convs) == len(wanted) + 1 and any(part.kernel == (1, 1) for part in extra)


def unregistered(o: Outcome) -> bool:
    return said("double", "float")(o) or (o.error is None and not o.got.parts)


def norm_sizes(o: Outcome) -> bool:
    return any(said(word)(o) for word in ("running_mean", "running_var", "weight should contain"))


def norm_settings(o: Outcome) -> bool:
    got = without_bias(o.got.parts)
    full = [replace(part, lacks="") for part in got]
    return full != got and full == list(o.want.parts)


def only_parameters(o: Outcome) -> int:
    """By how many parameters alone the block differs; 0 if something else differs."""
    found = o.difference
    only = found is not None and found.text.startswith("it has")
    return o.got.parameters - o.want.parameters if only else 0


def biased(o: Outcome) -> bool:
    extra = sum(part.outputs for part in o.got.parts if part.kind == "conv" and part.bias)
    return only_parameters(o) == extra > 0


def finished(o: Outcome) -> bool:
    return o.difference is not None and "is a finished block" in o.difference.text
