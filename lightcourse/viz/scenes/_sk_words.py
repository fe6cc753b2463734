"""What the sliding-kernel scene says: captions, the size formula, code and replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._sk_numbers import Kernel, Setting

ANSWERS = ("larger", "as large as the picture", "a little smaller", "about half", "about a third")


def number(value: float, tight: bool = False) -> str:
    """A number with at most two places and a real minus; `tight` leaves the 0 before the point out.

    >>> number(-3), number(1 / 9), number(0.5)
    ('−3', '0.11', '0.5')
    >>> number(-0.125, tight=True)
    '−.12'
    """
    if abs(value) >= 10_000:
        return f"{value:.0e}".replace("-", "−")
    text = f"{value:.0f}" if abs(value - round(value)) < 1e-9 else f"{value:.2f}".rstrip("0")
    text = text.rstrip(".")
    if tight and abs(value) < 1 and "." in text:
        text = text.replace("0.", ".", 1)
    return "0" if text in ("-0", "-0.00", "0.0", "-0.") else text.replace("-", "−")


def caption(setting: Setting, shape: tuple[int, ...], step: int) -> str:
    """Return the caption of one step."""
    k, taps = setting.taps, setting.taps**2
    rows, columns = (setting.places(n) for n in shape)
    if setting.why_not((shape[0], shape[1])):
        return "This layer cannot be built, so nothing comes out."
    pixels = f"{taps} pixel{'s' * (taps > 1)}"
    apart = f", {setting.dilation} apart: it spans **{setting.span}×{setting.span}**"
    inside = pixels + (apart if setting.dilation > 1 and k > 1 else "")
    rim = f" The dashed rim is padding: **{setting.rim}** on each side, all 0." * bool(setting.rim)
    if setting.padding == "same" and setting.rim:
        rim = " The dashed rim is padding, all 0: as much as keeps the size."
    return (
        f"The window covers {inside}. Drag it.{rim}",
        f"Each of the {taps} pixels is multiplied by its weight. The **{taps} weights are the same"
        " at every place**: that is weight sharing."
        if taps > 1
        else "The pixel is multiplied by the weight. The **one weight is the same at every place**:"
        " that is weight sharing.",
        f"The {taps} products add up to **one** number: one pixel of the output."
        if taps > 1
        else "There is one product, and it is **one** pixel of the output.",
        f"The window has {rows} × {columns} places"
        + (f", {setting.stride} pixels apart" if setting.stride > 1 else "")
        + f", so the output has **{rows}×{columns}** pixels. All are made by the same **{taps}**"
        f" weight{'s' * (taps > 1)}.",
    )[step]


def formula(setting: Setting, shape: tuple[int, ...]) -> str:
    """Return the size formula of the rows with its numbers."""
    if setting.padding == "same":
        return (
            f'"same": {setting.span - 1} zeros in all, so that the {shape[0]} rows stay {shape[0]}'
            if setting.stride == 1
            else '"same" with a stride: not possible'
        )
    n, k, s, p, d = shape[0], setting.taps, setting.stride, setting.rim, setting.dilation
    found = setting.places(n)
    tail = str(found) if found > 0 else "no place"
    return f"rows: ⌊({n} + 2·{p} − {d}·({k} − 1) − 1) / {s}⌋ + 1 = {tail}"


def total(kernel: Kernel) -> str:
    """Return what is written before the sum."""
    return "sum" if not kernel.bias else f"sum, bias {number(kernel.bias)} included"


def code(setting: Setting, shape: tuple[int, ...], kernels: Sequence[Kernel]) -> str:
    """Return the PyTorch lines of this state."""
    given = [
        f", {name}={value!r}".replace("'", '"')
        for name, value, usual in (
            ("stride", setting.stride, 1),
            ("padding", setting.padding, 0),
            ("dilation", setting.dilation, 1),
        )
        if value != usual
    ]
    bias = ", bias" if any(k.bias for k in kernels) else ""
    k = setting.taps
    if setting.why_not((shape[0], shape[1])):
        after = "error"
    else:
        after = f"(1, 1, {setting.places(shape[0])}, {setting.places(shape[1])})"
    return (
        f"# x is (1, 1, {shape[0]}, {shape[1]}), weight is (1, 1, {k}, {k})\n"
        f"y = F.conv2d(x, weight{bias}{''.join(given)})   # {after}"
    )


def answer(setting: Setting, shape: tuple[int, ...]) -> int:
    """The number of the right answer to the question: the size of the output, as a share."""
    share = setting.places(shape[0]) / shape[0]
    limits = (1.0, 0.999, 0.7, 0.4)  # above the first, above the second, and so on
    if share > limits[0]:
        return 0
    return 1 + sum(share < limit for limit in limits[1:])


def question(setting: Setting) -> dict[str, Any]:
    """Return the prediction about the size of the output."""
    k = setting.taps
    return {
        "q": "The window goes to every place that it has. How large is the output then?",
        "options": list(ANSWERS),
        "replies": [
            "It grows where the padding on both sides together is more than the window's span less"
            f" one: more than {k - 1} with dilation 1.",
            "It keeps its size at stride 1 where the padding on both sides together is exactly the"
            " window's span less one.",
            "Without enough padding the window cannot stand on the outermost pixels, so the output"
            " loses a rim.",
            "At stride 2 every second place counts, along both axes.",
            "At stride 3 every third place counts, along both axes.",
        ],
        "param": "step",
        "from": 3,
    }
