"""A kernel (卷积核) slides over a picture: the products, their sum, and the map that comes out.

Padding, stride and dilation decide how many places it has: ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..marks import timeline_tables
from ..scene import L, Scene, dumps, plain
from ..validate import MAX_BYTES
from . import _sk_words as words
from ._sk_marks import SET, marks_of
from ._sk_numbers import (
    DILATIONS,
    HINTS,
    PADDINGS,
    STRIDES,
    Kernel,
    Setting,
    Start,
    kernels_of,
    pixels_of,
)
from ._sk_view import HEIGHT, STEPS, WIDTH, View


def sliding_kernel(image: Any = None, kernel: Any = None) -> Scene:
    """Build the scene; see `lightcourse.viz.sliding_kernel`.

    Raises:
        UserError: the picture or the kernel cannot be drawn.

    >>> scene = sliding_kernel().at(step=3, padding="0", stride="2")
    >>> scene.caption()[:40]
    'The window has 11 × 11 places, 2 pixels '
    """
    pixels = pixels_of(image)
    kernels, start = kernels_of(kernel)
    for most in range(len(kernels), 0, -1):  # large pictures leave room for few kernels
        spec = _spec(View(pixels, kernels[:most]), start, _left_out(kernel, kernels, most))
        if len(dumps(plain(spec)).encode()) <= MAX_BYTES:
            break
    return Scene.of(spec)


def _spec(view: View, start: Start, note: str) -> dict[str, Any]:
    return {
        "v": 1,
        "id": "sliding-kernel",
        "title": "A kernel slides over a picture",
        "subtitle": f"multiply, add up, go to the next place{note}",
        "alt": "A picture of large pixels with a window on it, the numbers under the window,"
        " their products with the weights, and the output map",
        "size": [WIDTH, HEIGHT],
        "dur": 300,
        "params": _params(view, start),
        "derive": view.derive(),
        "tables": view.tables() | _by_step(view) | timeline_tables(len(STEPS)),
        "pool": view.pool,
        "marks": marks_of(view),
        "caption": L("caption", "step", *SET),
        "code": L("code", *SET),
        "warn": L("warn", *SET),
        "ask": {**words.question(view.settings[0][0][0]), "answer": L("answer", *SET)},
    }


def _left_out(given: Any, kernels: list[Kernel], shown: int) -> str:
    """Say how many kernels are shown, where not all are."""
    total = max(len(kernels), getattr(given, "out_channels", 0))
    return f"; {shown} of {total} kernels shown" if shown < total else ""


def _by_step(view: View) -> dict[str, Any]:
    """What is visible at each step: tables of numbers, the sum, the map and its size."""
    steps = range(len(STEPS))
    valid = view.each(lambda s: int(not s.why_not(view.shape)))
    nothing = view.each(lambda s: 0)

    def size(setting: Setting) -> str:
        if setting.why_not(view.shape):
            return "no output"
        rows, columns = (setting.places(n) for n in view.shape)
        return f"output, {rows}×{columns}"

    hidden = view.each(lambda s: "output")
    return {
        "formula_at": [int(i >= 3) for i in steps],
        "seen": [[1, int(i > 0), int(i > 0)] for i in steps],
        "summed": [valid if i >= 2 else nothing for i in steps],
        "shown": [valid if i >= 3 else nothing for i in steps],
        "out_size": [view.each(size) if i >= 3 else hidden for i in steps],
    }


def _params(view: View, start: Start) -> list[dict[str, Any]]:
    first = view.settings[PADDINGS.index(start.padding)][STRIDES.index(start.stride)][
        DILATIONS.index(start.dilation)
    ]
    place, names = _striking(view, first), [k.name for k in view.kernels]
    apart = [f"taps {d} apart: the window spans {(view.taps - 1) * d + 1}" for d in DILATIONS]
    return [
        {"name": "kernel", "label": "Kernel", "kind": "select",
         "options": names, "hints": [HINTS.get(name, "") for name in names]},
        {"name": "step", "label": "Step", "kind": "step", "n": len(STEPS), "value": 1,
         "labels": L("step", "step"), "play": 1900},
        {"name": "padding", "label": "Padding", "kind": "select",
         "value": PADDINGS.index(start.padding), "options": [str(p) for p in PADDINGS],
         "hints": [*(f"{p} rows of zeros on each side" for p in PADDINGS[:-1]),
                   "as much as keeps the size"]},
        {"name": "stride", "label": "Stride", "kind": "select",
         "value": STRIDES.index(start.stride), "options": [str(s) for s in STRIDES],
         "hints": [f"steps of {s}" for s in STRIDES]},
        {"name": "dilation", "label": "Dilation", "kind": "select",
         "value": DILATIONS.index(start.dilation), "options": [str(d) for d in DILATIONS],
         "hints": apart},
        {"name": "py", "label": "row", "kind": "xy", "n": L("places", *SET, 0),
         "value": place[0]},
        {"name": "px", "label": "column", "kind": "xy", "n": L("places", *SET, 1),
         "value": place[1]},
    ]  # fmt: skip


def _striking(view: View, setting: Setting) -> tuple[int, int]:
    """The place in the middle half of the map where the first kernel answers loudest."""
    values = np.abs(view.values(0, setting))
    (top, bottom), (left, right) = ((n // 4, max(n // 4 + 1, 3 * n // 4)) for n in values.shape)
    part = values[top:bottom, left:right]
    row, column = np.unravel_index(int(part.argmax()), part.shape)
    return int(row) + top, int(column) + left
