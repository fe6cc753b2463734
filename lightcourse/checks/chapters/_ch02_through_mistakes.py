"""Chapter 02, exercise 02.through: what goes wrong on the way back, and the hints."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor

from lightcourse.checks.chapters._ch02_through import Layer, Span, right
from lightcourse.checks.exercise import Hint, Mistake, Outcome


def _conv_only(change: Callable[..., Span]) -> Callable[[Layer, int, int], Span]:
    """Wrong for convolutions as `change` says, right for transposed ones."""

    def wrong(layer: Layer, lo: int, hi: int) -> Span:
        return change(lo, hi, *layer[1:]) if layer[0] == "conv" else right(layer, lo, hi)

    return wrong


def _transposed_only(change: Callable[..., Span]) -> Callable[[Layer, int, int], Span]:
    def wrong(layer: Layer, lo: int, hi: int) -> Span:
        return change(lo, hi, *layer[1:4]) if layer[0] != "conv" else right(layer, lo, hi)

    return wrong


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
        "whole-kernel",
        "Your last input is one step too far: a window of 3 that begins at 4 ends at 6, not at 7.",
        mimic=_conv_only(lambda lo, hi, k, s, p, d: (lo * s - p, hi * s - p + k)),
        hint=2,
    ),
    Mistake(
        "padding-for-the-window",
        "You add the padding at the end. That is right only where the padding is half the window;"
        " the window of `hi` begins at hi · stride - padding and is (kernel - 1) · dilation long.",
        mimic=_conv_only(lambda lo, hi, k, s, p, d: (lo * s - p, hi * s + p)),
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
        "only-the-first",
        "You look from the first output only. With several outputs the last one decides where the"
        " interval ends.",
        mimic=_transposed_only(lambda lo, hi, k, s, p: (ceil((lo + p - k + 1) / s), (lo + p) // s)),
        hint=4,
    ),
    Mistake(
        "only-the-first",
        "You look from the first output only. With several outputs the last one decides where the"
        " interval ends.",
        mimic=lambda layer, lo, hi: right(layer, lo, lo),
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
        "one-too-early",
        "Your first input is too early for the transposed kind. A copy of the kernel covers its"
        " first output and kernel - 1 more: with kernel 3, output 5 hears from 3, 4 and 5, not"
        " from 2. A + 1 is missing.",
        mimic=_transposed_only(lambda lo, hi, k, s, p: (ceil((lo + p - k) / s), (hi + p) // s)),
        hint=4,
    ),
    *(
        Mistake(
            "towards-zero",
            "`int(…)` cuts towards zero: int(-1.5) is -1. Below zero that rounds up. Use `//` or"
            " `math.floor` for the last input and `math.ceil` for the first.",
            mimic=_transposed_only(change),
            hint=4,
        )
        for change in (
            lambda lo, hi, k, s, p: (ceil((lo + p - k + 1) / s), int((hi + p) / s)),
            lambda lo, hi, k, s, p: (int((lo + p - k + 1) / s), int((hi + p) / s)),
            lambda lo, hi, k, s, p: (int((lo + p - k + 1) / s), (hi + p) // s),
        )
    ),
    *(
        Mistake(
            "rounded-to-nearest",
            "`round` goes to the nearest number, up or down. The first input is always rounded up"
            " and the last one always down.",
            mimic=_transposed_only(change),
            hint=4,
        )
        for change in (
            lambda lo, hi, k, s, p: (round((lo + p - k + 1) / s), round((hi + p) / s)),
            lambda lo, hi, k, s, p: (ceil((lo + p - k + 1) / s), round((hi + p) / s)),
            lambda lo, hi, k, s, p: (round((lo + p - k + 1) / s), (hi + p) // s),
        )
    ),
    *(
        Mistake(
            "transposed-padding-subtracted",
            "You subtract the padding for the transposed kind. There it cuts the first outputs off,"
            " so output 0 is really number `padding`: add it before you divide.",
            mimic=_transposed_only(change),
            hint=4,
        )
        for change in (
            lambda lo, hi, k, s, p: (ceil((lo - p - k + 1) / s), (hi - p) // s),
            lambda lo, hi, k, s, p: ((lo - p - k + 1) // s, (hi - p) // s),
            lambda lo, hi, k, s, p: ((lo - p) // s, (hi - p) // s),
        )
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
        "My convolution is wrong",
        "Two questions. Where does the window of output `lo` begin? Where does the window of output"
        " `hi` end? A window begins at output · stride - padding, and it is"
        " (kernel - 1) · dilation long.",
    ),
    Hint(
        "My convolution is right, the transposed one is not",
        "A transposed convolution works the other way: input i writes a copy of the kernel to the"
        " outputs i · stride - padding and the kernel - 1 after it. Which i write to output `hi` at"
        " the latest, and to output `lo` at the earliest?",
    ),
    Hint(
        "The transposed one is off by one",
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
