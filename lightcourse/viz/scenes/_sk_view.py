"""The sliding-kernel scene as tables: where the window stands, what it covers, what comes out."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from ..pool import Pool
from ..scene import L
from . import _sk_words as words
from ._sk_numbers import DILATIONS, LEVELS, PADDINGS, STRIDES, Kernel, Setting, sums

WIDTH, HEIGHT = 1020, 540
TOP, FRAME = 92, 392  # px: upper edge and side of both maps
LEFT, RIGHT = 14, 614  # px: left edges of the photograph and of the output
MIDDLE, BOX, HIGH = 510, 188, 104  # px: middle, width and height of a table of numbers
STEPS = ("place", "multiply", "add", "everywhere")
MOST_RIM = 2
GREYS = 16  # of an output map: half a byte a pixel
OUTSIDE = LEVELS  # the level of a pixel of the padding


class View:
    """Tables of one scene, and the geometry that they share with its marks.

    All places are counted on the picture with the widest padding around it; `rim` is that padding.
    """

    def __init__(self, pixels: np.ndarray, kernels: list[Kernel]):
        self.pixels, self.kernels, self.taps = pixels, kernels, kernels[0].taps
        self.shape = pixels.shape
        spans = [(self.taps - 1) * d for d in DILATIONS]
        self.rim = max(MOST_RIM, *((span + 1) // 2 for span in spans))
        self.cell = FRAME / (max(self.shape) + 2 * self.rim)
        self.whole = [n + 2 * self.rim for n in self.shape]
        self.settings = [
            [[Setting(self.taps, p, s, d) for d in DILATIONS] for s in STRIDES] for p in PADDINGS
        ]
        self.pool = Pool()
        self.photo = self.pool.add(_grey(pixels * 255 / (LEVELS - 1)))
        self.results = [[sums(pixels, k, d, self.rim) for d in DILATIONS] for k in kernels]

    # -- places --------------------------------------------------------------------------------

    def count(self, setting: Setting, axis: int) -> int:
        """Places along one axis; 1 where the window does not fit: it must stand somewhere."""
        return max(1, setting.places(self.shape[axis]))

    def first(self, setting: Setting, place: int) -> int:
        """The first tap of the window at one place."""
        return self.rim - setting.rim + place * setting.stride

    def px(self, index: float, axis: int) -> float:
        """Where a pixel begins: x of the photograph for axis 1, y for axis 0."""
        spare = (FRAME - self.whole[axis] * self.cell) / 2
        return (TOP, LEFT)[axis] + spare + index * self.cell

    def output(self, setting: Setting, axis: int) -> tuple[float, float]:
        """Where the output map begins, and how long it is: as large a cell as in the photograph."""
        length = self.count(setting, axis) * self.cell
        return (TOP, RIGHT)[axis] + (FRAME - length) / 2, length

    def drag(self, setting: Setting, axis: int) -> float:
        """Where place 0 begins for a hand that holds the window in its middle."""
        middle = self.first(setting, 0) + setting.span / 2
        return self.px(middle - setting.stride / 2, axis)

    # -- tables --------------------------------------------------------------------------------

    def derive(self) -> dict[str, Any]:
        """Keys computed from the parameters: the window's first taps, all taps, all pixels."""
        keys: dict[str, Any] = {}
        for axis, name in ((0, "py"), (1, "px")):
            keys[f"first{axis}"] = L("first", "padding", "stride", "dilation", axis, name)
            for t in range(self.taps):
                keys[f"tap{axis}{t}"] = L("tap", "dilation", axis, t, f"first{axis}")
        for i, j in product(range(self.taps), repeat=2):
            keys[f"v{i}{j}"] = L("pixel", f"tap0{i}", f"tap1{j}")
        return keys | {"total": L("sum", "kernel", "dilation", "first0", "first1")}

    def each(self, value: Any) -> list:
        """A table by padding, stride and dilation."""
        return [[[value(s) for s in part] for part in row] for row in self.settings]

    def tables(self) -> dict[str, Any]:
        """Return all tables."""
        both = (0, 1)
        grid = np.pad(self.pixels, self.rim, constant_values=OUTSIDE)
        levels, tight = [*range(LEVELS), 0], self.taps > 3
        return {
            "places": self.each(lambda s: [self.count(s, a) for a in both]),
            "first": self.each(
                lambda s: [[self._inside(self.first(s, n), a) for n in range(self.count(s, a))]
                           for a in both]),
            "tap": [[[[self._inside(n + t * d, a) for n in range(self.whole[a])]
                      for t in range(self.taps)] for a in both] for d in DILATIONS],
            "pixel": grid.tolist(),
            "at": [[self.px(n, a) for n in range(self.whole[a])] for a in both],
            "digit": [str(n) for n in levels],
            "shade": [*(_shade(n) for n in range(LEVELS)), "bg"],
            "on_shade": [*("#ffffff" if n < 5 else "#10161d" for n in range(LEVELS)), "muted"],
            "weight": [[words.number(w, tight) for w in k.weights.ravel()] for k in self.kernels],
            "product": [[[words.number(w * n, tight) for n in levels] for w in k.weights.ravel()]
                        for k in self.kernels],
            **self._sums(),
            "window": self.each(lambda s: s.span * self.cell),
            "window_at": self.each(
                lambda s: [[self._window(s, n, a) for n in range(self.count(s, a))]
                           for a in both]),
            "rim": self.each(self._rim),
            "out": self.each(lambda s: [self.output(s, a) for a in both]),
            "out_at": self.each(
                lambda s: [[self.output(s, a)[0] + n * self.cell for n in range(self.count(s, a))]
                           for a in both]),
            "hand": self.each(lambda s: [self.drag(s, a) for a in both]),
            "pace": [s * self.cell for s in STRIDES],
            "map": [self.each(lambda s, i=i: self._map(i, s)) for i in range(len(self.kernels))],
            "range": [self.each(lambda s, i=i: self._range(i, s))
                      for i in range(len(self.kernels))],
            **self._words(),
        }  # fmt: skip

    def _sums(self) -> dict[str, Any]:
        """The sum under each first tap, as the number of its text: a text occurs many times."""
        texts: dict[str, int] = {"": 0}
        table = [
            [
                [
                    [
                        texts.setdefault(words.number(r[i, j]), len(texts))
                        if i < r.shape[0] and j < r.shape[1]
                        else 0
                        for j in range(self.whole[1])
                    ]
                    for i in range(self.whole[0])
                ]
                for r in row
            ]
            for row in self.results
        ]
        return {"sum": table, "sum_s": list(texts)}

    def _words(self) -> dict[str, Any]:
        steps = range(len(STEPS))
        return {
            "step": list(STEPS),
            "caption": [self.each(lambda s, i=i: words.caption(s, self.shape, i)) for i in steps],
            "formula": self.each(lambda s: words.formula(s, self.shape)),
            "warn": self.each(lambda s: s.why_not(self.shape)),
            "code": self.each(lambda s: words.code(s, self.shape, self.kernels)),
            "answer": self.each(lambda s: words.answer(s, self.shape)),
            "total": [words.total(k) for k in self.kernels],
        }

    def _window(self, setting: Setting, place: int, axis: int) -> float:
        """Where the window begins; one that does not fit hangs over both ends."""
        most = self.whole[axis] - setting.span
        return self.px(min(self.first(setting, place), most), axis)

    def _inside(self, index: int, axis: int) -> int:
        return min(max(index, 0), self.whole[axis] - 1)

    def _rim(self, setting: Setting) -> list[float]:
        """x, y, width, height of the padded picture."""
        behind = setting.span - 1 - setting.rim if setting.padding == "same" else setting.rim
        first = self.rim - setting.rim
        lengths = [(n + setting.rim + behind) * self.cell for n in self.shape]
        return [self.px(first, 1), self.px(first, 0), lengths[1], lengths[0]]

    def values(self, kernel: int, setting: Setting) -> np.ndarray:
        """The output map; (1, 1) of 0 where there is none."""
        if setting.why_not(self.shape):
            return np.zeros((1, 1))
        whole = self.results[kernel][DILATIONS.index(setting.dilation)]
        start, step = self.first(setting, 0), setting.stride
        rows, columns = (self.count(setting, axis) for axis in (0, 1))
        return whole[start::step, start::step][:rows, :columns]

    def _map(self, kernel: int, setting: Setting) -> int:
        values = self.values(kernel, setting)
        low, high = values.min(), values.max()
        level = np.rint((GREYS - 1) * (values - low) / ((high - low) or 1))
        return self.pool.add(_grey(level * 255 / (GREYS - 1)), GREYS)

    def _range(self, kernel: int, setting: Setting) -> str:
        if setting.why_not(self.shape):
            return "no output"
        values = self.values(kernel, setting)
        return f"black is {words.number(values.min())}, white is {words.number(values.max())}"


def _grey(values: np.ndarray) -> np.ndarray:
    return np.rint(np.repeat(np.asarray(values, float)[..., None], 3, 2)).clip(0, 255)


def _shade(level: int) -> str:
    return "#" + 3 * f"{round(level * 255 / (LEVELS - 1)):02x}"
