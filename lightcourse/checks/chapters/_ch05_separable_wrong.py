"""Exercise 05.separable: wrong layers, and tests of what an answer has wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lightcourse.checks.chapters._ch05_separable import Answer, close, run, sizes, wrap
from lightcourse.checks.exercise import Outcome


def steps(*order: str) -> Callable[..., Answer]:
    def wrong(state: dict[str, Tensor], stride: int, x: Tensor) -> Answer:
        return wrap(state, stride, run(state, stride, x, steps=order))

    return wrong


def padded(pad: Any) -> Callable[..., Answer]:
    def wrong(state: dict[str, Tensor], stride: int, x: Tensor) -> Answer:
        return wrap(state, stride, run(state, stride, x, pad=pad))

    return wrong


OTHER_ORDER = ("pointwise", "norm1", "relu", "depthwise", "norm2", "relu")


def input_added(before_relu: bool) -> Callable[..., Answer]:
    """A residual connection wherever the shapes allow one, after the last ReLU or before it."""

    def wrong(state: dict[str, Tensor], stride: int, x: Tensor) -> Answer:
        steps = ("depthwise", "norm1", "relu", "pointwise", "norm2")
        y = run(state, stride, x, steps=steps)
        if before_relu:
            y = torch.relu(y + x if y.shape == x.shape else y)
        else:
            y = torch.relu(y) + x if y.shape == x.shape else torch.relu(y)
        return wrap(state, stride, y)

    return wrong


def one_stride(state: dict[str, Tensor], stride: int, x: Tensor) -> Answer:
    return wrap(state, 1, run(state, 1, x))


def stride_twice(state: dict[str, Tensor], stride: int, x: Tensor) -> Answer:
    return wrap(state, stride, run(state, stride, x)[:, :, ::stride, ::stride])


def stride_in_pointwise(state: dict[str, Tensor], stride: int, x: Tensor) -> Answer:
    return wrap(state, 1, run(state, 1, x)[:, :, ::stride, ::stride])


def part(outcome: Outcome, name: str) -> tuple[int, ...] | None:
    return outcome.got.shapes[f"{name}.weight"] if isinstance(outcome.got, Answer) else None


def dense_depthwise(outcome: Outcome) -> bool:
    c, _, k, _ = sizes(outcome.case)
    return part(outcome, "depthwise") == (c, c, k, k) and c > 1


def depthwise_to_n(outcome: Outcome) -> bool:
    """The depthwise layer makes out_channels maps, or cannot be built to make them."""
    c, n, k, _ = sizes(outcome.case)
    if outcome.error is not None:
        return "out_channels must be divisible by groups" in str(outcome.error)
    return part(outcome, "depthwise") in ((n, 1, k, k), (n, c, k, k)) and n != c


def pointwise_first(outcome: Outcome) -> bool:
    """By the shapes; where as many channels come out as go in, by the values."""
    c, n, k, stride = sizes(outcome.case)
    if n == c:
        state, _, x = outcome.case.args
        return close(outcome.got.output, run(state, stride, x, steps=OTHER_ORDER)) is None
    swapped = part(outcome, "depthwise") == (n, 1, k, k) and part(outcome, "norm1") == (n,)
    return swapped and part(outcome, "pointwise") == (n, c, 1, 1)


def pointwise_large(outcome: Outcome) -> bool:
    c, n, k, _ = sizes(outcome.case)
    return part(outcome, "pointwise") == (n, c, k, k) and k > 1


def pointwise_grouped(outcome: Outcome) -> bool:
    c, n, _, _ = sizes(outcome.case)
    alone = part(outcome, "pointwise") == (n, 1, 1, 1) and c > 1
    return alone or "divisible by groups" in str(outcome.error)


def norms_swapped(outcome: Outcome) -> bool:
    """By the shapes; where as many channels come out as go in, by the values."""
    c, n, _, stride = sizes(outcome.case)
    if n != c:
        return part(outcome, "norm1") == (n,) and part(outcome, "norm2") == (c,)
    state, _, x = outcome.case.args
    steps = ("depthwise", "norm2", "relu", "pointwise", "norm1", "relu")
    return close(outcome.got.output, run(state, stride, x, steps=steps)) is None


def norm_size(outcome: Outcome) -> bool:
    c, n, _, _ = sizes(outcome.case)
    return n != c and (part(outcome, "norm1") == (n,) or part(outcome, "norm2") == (c,))


def too_many(outcome: Outcome) -> int:
    """Parameters that a layer with the right output should not have; 0 for any other layer."""
    got = outcome.got
    if not isinstance(got, Answer) or got.output is None or outcome.difference is None:
        return 0
    only_there = outcome.difference.text.startswith("it has")
    return max(0, got.parameters - outcome.want.parameters) * only_there


def with_bias(outcome: Outcome) -> bool:
    return too_many(outcome) == outcome.got.biases > 0


def layer_fed(outcome: Outcome) -> bool:
    """A layer was handed to the next convolution as if it were a tensor."""
    return isinstance(outcome.error, TypeError) and "ReLU" in str(outcome.error)


def name_missing(outcome: Outcome) -> bool:
    names = ("depthwise", "norm1", "pointwise", "norm2")
    said = str(outcome.error)
    return isinstance(outcome.error, AttributeError) and any(
        f"has no attribute '{name}'" in said for name in names
    )
