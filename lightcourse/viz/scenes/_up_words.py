"""What the upsampling scene says: captions, facts, code, warnings and replies, with the numbers."""

from collections.abc import Sequence
from typing import Any

from ._up_maps import SIDE, size_after

STEPS = ("the small map", "where it goes", "fill in", "cut to size")
MAPS = ("all ones", "one cell", "ring")
FIRST_HIDDEN = 2  # the step from which the picture shows the answer


def number(value: float) -> str:
    """A value in few characters.

    >>> number(2.0), number(0.6666)
    ('2', '0.67')
    """
    return f"{value:.0f}" if value == round(value) else f"{value:.2f}"


def listed(values: Sequence[float], most: int = 4) -> str:
    """Values in a row, the rest left out."""
    shown = ", ".join(number(v) for v in values[:most])
    return shown + (", …" if len(values) > most else "")


def before(step: int, scale: int) -> str:
    """The caption of the first two steps."""
    return (
        f"A map of **{SIDE}×{SIDE}**. Four layers will make it about **{scale} times** as large"
        " on each side.",
        "Each value has its place in the larger map. What stands **between** is the question:"
        " repeat, mix, add up copies of a kernel, or leave zeros.",
    )[step]


def evenness(values: Sequence[float], kernel: int, stride: int, weights: str) -> str:
    """What a plain map becomes: one value or several in the middle, and why."""
    count = len(values)
    start = f"From a map of ones the transposed convolution makes **{count}** different"
    if count == 1:
        even = f"{kernel} is a multiple of {stride}" if kernel % stride == 0 else "the weights fit"
        return f"{start} value inside ({listed(values)}): even, since {even}."
    holes = " Some places hear **nothing**." if values[0] == 0 else ""
    if weights == "ones":
        why = f"{kernel} is no multiple of {stride}, so copies overlap unevenly"
    elif kernel % stride == 0:
        why = f"although {kernel} is a multiple of {stride}, the weights are uneven"
    else:
        why = f"{kernel} is no multiple of {stride}, and the weights do not make up for it"
    said = f"{start} values inside ({listed(values)}): a **checkerboard**."
    return f"{said} {why[0].upper()}{why[1:]}.{holes}"


def cut(stride: int, kernel: int, padding: int, more: int) -> str:
    """How the output gets its size."""
    if more >= stride:
        return f"Output padding {more} is not possible with stride {stride}."
    sides = f"Padding {padding} cuts {padding} off every side" if padding else "Nothing is cut off"
    end = f", output padding {more} adds {more} at the bottom and on the right" if more else ""
    total = size_after(stride, kernel, padding, more)
    return f"{sides}{end}: ({SIDE} − 1)·{stride} − 2·{padding} + {kernel} + {more} = **{total}**."


def shape(stride: int, kernel: int, padding: int, more: int) -> str:
    """The size of the transposed convolution's output, or that there is none."""
    if more >= stride:
        return "not possible"
    total = size_after(stride, kernel, padding, more)
    return f"{total} × {total}"


def transposed_code(stride: int, kernel: int, padding: int, more: int) -> str:
    """The PyTorch line of the transposed convolution."""
    given = [f"kernel_size={kernel}", f"stride={stride}"]
    given += [f"padding={padding}"] if padding else []
    given += [f"output_padding={more}"] if more else []
    line = f"y = nn.ConvTranspose2d(1, 1, {', '.join(given)}, bias=False)(x)"
    return line + (f"   # {refusal(stride, more)}" if more >= stride else "")


def refusal(stride: int, more: int) -> str:
    """What torch says to an output padding that is too large."""
    return (
        "RuntimeError: output padding must be smaller than either stride or dilation, but got"
        f" output_padding_height: {more} output_padding_width: {more} stride_height: {stride}"
        f" stride_width: {stride} dilation_height: 1 dilation_width: 1"
    )


def other_code(scale: int, align: bool) -> str:
    """The PyTorch lines of the other three layers."""
    return (
        f'y = F.interpolate(x, scale_factor={scale}, mode="nearest")\n'
        f'y = F.interpolate(x, scale_factor={scale}, mode="bilinear", align_corners={align})\n'
        f"y = F.max_unpool2d(x, places, {scale})   # places: from F.max_pool2d(…,"
        " return_indices=True)"
    )


def warning(stride: int, more: int) -> str:
    """Why this output padding is impossible; empty where it is not."""
    if more < stride:
        return ""
    return (
        f"Output padding {more} must be smaller than stride {stride}: rounding down loses at most"
        f" {stride - 1}."
    )


def question(
    kernels: list[list[dict[str, Any]]], strides: Sequence[int], values: Any
) -> dict[str, Any]:
    """The prediction: how many different values stand in the middle; answers [k][s][weights]."""
    counts = [
        [[len(values(w, s)) for w in at.values()] for s, at in zip(strides, row, strict=True)]
        for row in kernels
    ]
    truths = {c for row in counts for cell in row for c in cell}
    options = sorted({1, 2, 3, 4, *truths})
    ask = {
        "q": "Every value of the small map is 1. How many different values stand in the middle of"
        " the transposed convolution's map, with this kernel and stride?",
        "options": [str(n) for n in options],
        "replies": [_reply(n) for n in options],
        "param": "step",
        "from": FIRST_HIDDEN,
        "answers": [[[options.index(c) for c in cell] for cell in row] for row in counts],
    }
    return ask


def _reply(count: int) -> str:
    return {
        1: "One value means that the copies of the kernel overlap equally everywhere.",
        2: "Two: some places hear from something, the others from nothing or less.",
        3: "Three, as 1, 2 and 4 copies: one or two along each axis, and the products of both.",
        4: "Four would need every place of a stride's square to hear something else.",
    }.get(count, f"{count}: every place of a stride's square hears something of its own.")
