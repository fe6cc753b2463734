"""Chapter 02, exercise 02.through: which inputs do the outputs of one layer need?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil
from random import Random

import torch
from torch.nn import functional as F

from lightcourse.checks.exercise import Case, Law

Layer = tuple[str, int, int, int, int]  # kind, kernel, stride, padding, dilation
Span = tuple[int, int]


def cases(rng: Random) -> Iterator[Case]:
    yield Case((("conv", 3, 1, 1, 1), 5, 5), label="one output of a 3×3 layer")
    yield Case((("conv", 3, 1, 1, 1), 5, 8), label="four outputs of a 3×3 layer")
    yield Case((("conv", 3, 2, 1, 1), 5, 5), label="stride 2")
    yield Case((("conv", 3, 1, 2, 2), 5, 5), label="dilation 2")
    yield Case((("conv", 3, 1, 1, 1), 0, 0), label="the corner: padding has negative numbers")
    yield Case((("transposed", 2, 2, 0, 1), 5, 5), label="2× upsampling, kernel 2")
    yield Case((("transposed", 4, 2, 1, 1), 5, 5), label="2× upsampling, kernel 4")
    yield Case((("transposed", 4, 2, 1, 1), 0, 6), label="2× upsampling, seven outputs")
    yield Case((("transposed", 3, 1, 1, 1), 5, 5), label="transposed with stride 1")
    yield Case((("transposed", 5, 3, 1, 1), 4, 6), label="3× upsampling, kernel 5")
    yield Case((("transposed", 3, 2, 0, 1), -3, -3), label="an output left of 0: -3 / 2 is -1.5")
    for i in range(10):
        lo = rng.randint(0, 12)
        layer = random_conv(rng) if i % 2 else random_transposed(rng)
        yield Case((layer, lo, lo + rng.choice((0, 1, 3, 6))))


def random_conv(rng: Random) -> Layer:
    return (
        "conv",
        rng.choice((1, 2, 3, 5, 7)),
        rng.choice((1, 2, 2, 3)),
        rng.randint(0, 3),
        rng.choice((1, 1, 2, 3)),
    )


def random_transposed(rng: Random) -> Layer:
    stride = rng.choice((1, 2, 2, 3, 4))
    # a kernel smaller than the stride would leave outputs that need no input at all
    return "transposed", stride + rng.randint(0, 3), stride, rng.randint(0, 2), 1


def by_torch(layer: Layer, lo: int, hi: int) -> Span:
    """Ask autograd on a long row which inputs the outputs lo to hi move with."""
    kind, kernel, stride, padding, dilation = layer
    shift = 64  # outputs far from the border, moved back at the end
    row = torch.ones(1, 1, 512, dtype=torch.float64, requires_grad=True)
    weight = torch.ones(1, 1, kernel, dtype=torch.float64)
    if kind == "conv":
        out = F.conv1d(row, weight, None, stride, padding, dilation)
        moved = (shift, shift * stride)
    else:
        out = F.conv_transpose1d(row, weight, None, stride, padding)
        moved = (shift * stride, shift)
    wanted = out[0, 0, lo + moved[0] : hi + moved[0] + 1]
    (gradient,) = torch.autograd.grad(wanted.sum(), row)
    touched = gradient[0, 0].nonzero().flatten()
    return int(touched[0]) - moved[1], int(touched[-1]) - moved[1]


def right(layer: Layer, lo: int, hi: int) -> Span:
    """The two formulas; handed to the learner's `extent` as `back`."""
    kind, kernel, stride, padding, dilation = layer
    if kind == "conv":
        return lo * stride - padding, hi * stride - padding + (kernel - 1) * dilation
    return ceil((lo + padding - kernel + 1) / stride), (hi + padding) // stride


def _neighbour_moves_by_the_stride(look_back: Callable, rng: Random) -> str | None:
    layer = random_conv(rng)
    one, two = look_back(layer, 4, 4), look_back(layer, 5, 5)
    if (two[0] - one[0], two[1] - one[1]) != (layer[2], layer[2]):
        return f"The next output of {layer} must look {layer[2]} inputs further: {one}, then {two}."
    return None


LAWS = (Law("the next output looks one stride further", _neighbour_moves_by_the_stride),)
