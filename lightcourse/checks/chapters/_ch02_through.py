"""Chapter 02, exercise 02.through: which inputs do the outputs of one layer need?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil, floor
from random import Random

import torch
from torch.nn import functional as F

from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome

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
    stride = rng.choice((2, 2, 3, 4))
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


def _conv_only(change: Callable[..., Span]) -> Callable[[Layer, int, int], Span]:
    """Wrong for convolutions as `change` says, right for transposed ones."""

    def wrong(layer: Layer, lo: int, hi: int) -> Span:
        return change(lo, hi, *layer[1:]) if layer[0] == "conv" else right(layer, lo, hi)

    return wrong


def _transposed_only(change: Callable[..., Span]) -> Callable[[Layer, int, int], Span]:
    def wrong(layer: Layer, lo: int, hi: int) -> Span:
        return change(lo, hi, *layer[1:4]) if layer[0] != "conv" else right(layer, lo, hi)

    return wrong


def _neighbour_moves_by_the_stride(look_back: Callable, rng: Random) -> str | None:
    layer = random_conv(rng)
    one, two = look_back(layer, 4, 4), look_back(layer, 5, 5)
    if (two[0] - one[0], two[1] - one[1]) != (layer[2], layer[2]):
        return f"The next output of {layer} must look {layer[2]} inputs further: {one}, then {two}."
    return None


LAWS = (Law("the next output looks one stride further", _neighbour_moves_by_the_stride),)


def _not_whole(outcome: Outcome) -> bool:
    """Only the transposed kind fails, with floats that become right when rounded inwards."""
    lo, hi = outcome.got
    return isinstance(lo, float) and (ceil(lo), floor(hi)) == outcome.want


MISTAKES = (
    Mistake(
        "not-whole",
        "You divide and keep the fraction. There is no half input: round the first number up and"
        " the last one down, and keep ints.",
        matches=_not_whole,
        hint=4,
    ),
    Mistake(
        "window-forgotten",
        "You map both ends by `number · stride - padding`. That is where the window of an output"
        " begins; the window of the last output reaches (kernel - 1) · dilation further.",
        mimic=_conv_only(lambda lo, hi, k, s, p, d: (lo * s - p, hi * s - p)),
        hint=2,
    ),
    Mistake(
        "whole-kernel",
        "Your last input is one step too far: a window of 3 that begins at 4 ends at 6, not at 7.",
        mimic=_conv_only(lambda lo, hi, k, s, p, d: (lo * s - p, hi * s - p + k * d)),
        hint=2,
    ),
    Mistake(
        "dilation-forgotten",
        "You leave out the dilation: the places of the window stand `dilation` inputs apart.",
        mimic=_conv_only(lambda lo, hi, k, s, p, d: (lo * s - p, hi * s - p + k - 1)),
        hint=2,
    ),
    Mistake(
        "padding-added",
        "You add the padding. Padding puts extra places before input 0, so the windows begin"
        " earlier: subtract it.",
        mimic=_conv_only(lambda lo, hi, k, s, p, d: (lo * s + p, hi * s + p + (k - 1) * d)),
        hint=2,
    ),
    Mistake(
        "only-the-first",
        "You look from the first output only. With several outputs the last one decides where the"
        " interval ends.",
        mimic=_conv_only(lambda lo, hi, k, s, p, d: (lo * s - p, lo * s - p + (k - 1) * d)),
        hint=2,
    ),
    Mistake(
        "clipped",
        "You cut at 0. Keep negative numbers: they lie in the padding, and the next layer back"
        " needs to know how far the window reaches.",
        mimic=lambda layer, lo, hi: (max(0, right(layer, lo, hi)[0]), right(layer, lo, hi)[1]),
        hint=5,
    ),
    Mistake(
        "end-excluded",
        "Your second number is one too large: the last input is included, as `lo` and `hi` are.",
        mimic=lambda layer, lo, hi: (right(layer, lo, hi)[0], right(layer, lo, hi)[1] + 1),
        hint=5,
    ),
    Mistake(
        "the-wrong-way",
        "You divide by the stride for a convolution. That goes forward, from inputs to outputs."
        " Going back, output 5 of a layer with stride 2 stands over input 10.",
        mimic=_conv_only(lambda lo, hi, k, s, p, d: ((lo + p - (k - 1) * d) // s, (hi + p) // s)),
        hint=2,
    ),
    Mistake(
        "transposed-like-conv",
        "You treat both kinds alike. A transposed convolution makes the map larger, so going back"
        " you divide by the stride.",
        mimic=lambda layer, lo, hi: right(("conv", *layer[1:]), lo, hi),
        hint=3,
    ),
    Mistake(
        "rounded-down",
        "Both ends are rounded down for the transposed kind. The first input must be rounded up:"
        " the one before it ends its copy of the kernel too early.",
        mimic=_transposed_only(lambda lo, hi, k, s, p: ((lo + p - k + 1) // s, (hi + p) // s)),
        hint=4,
    ),
    Mistake(
        "kernel-forgotten",
        "For the transposed kind you divide both ends and leave out the kernel. An input that"
        " stands before output `lo` still reaches it when the kernel is long enough.",
        mimic=_transposed_only(lambda lo, hi, k, s, p: ((lo + p) // s, (hi + p) // s)),
        hint=3,
    ),
    Mistake(
        "transposed-padding-forgotten",
        "The padding is missing for the transposed kind. There it cuts the border of the output"
        " off, so output 0 is really number `padding`: add it before you divide.",
        mimic=_transposed_only(lambda lo, hi, k, s, p: (ceil((lo - k + 1) / s), hi // s)),
        hint=4,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Write down for one output which inputs it reads, on paper. Kernel 3, stride 2, padding 1,"
        " output 5: the window begins at 5 · 2 - 1 = 9 and touches 9, 10, 11. Now say it for any"
        " numbers.",
    ),
    Hint(
        "my convolution is wrong",
        "Two questions. Where does the window of output `lo` begin? Where does the window of output"
        " `hi` end? A window begins at output · stride - padding, and it is"
        " (kernel - 1) · dilation long.",
    ),
    Hint(
        "my convolution is right, the transposed one is not",
        "A transposed convolution works the other way: input i writes a copy of the kernel to the"
        " outputs i · stride - padding and the kernel - 1 after it. Which i write to output `hi` at"
        " the latest, and to output `lo` at the earliest?",
    ),
    Hint(
        "the transposed one is off by one",
        "The last i has i · stride - padding ≤ hi: round down. The first i has"
        " i · stride - padding + kernel - 1 ≥ lo: round up. In Python `-(-a // b)` rounds up, and"
        " so does `math.ceil(a / b)`.",
    ),
    Hint(
        "I get a wrong number at the border",
        "Nothing is cut here. Output 0 of a layer with padding 1 begins at input -1. Both ends are"
        " included.",
    ),
)
