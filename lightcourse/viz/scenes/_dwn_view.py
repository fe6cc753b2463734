"""The downsampling scene as tables that both ladders share: places in px, sums, texts."""

from collections.abc import Iterable, Sequence
from math import log2
from typing import Any

from ..scene import L
from . import _dwn_words as words
from ._dwn_cases import Case
from ._dwn_net import BAD, KINDS, Ladder
from ._dwn_side import BAR, BOX, FIRST, RIGHT, RULER, Side, longest
from ._lad_view import PAINT
from ._lad_words import short


class View:
    """Tables of both sides, and what they share."""

    def __init__(self, cases: Sequence[Case]):
        self.cases = cases
        self.sides = [Side(x, [case.pair[n] for case in cases]) for n, x in enumerate("ab")]
        shapes = [side.shape for side in self.sides]
        self.units = max(shape.units for shape in shapes)
        self.movable, self.fixed = shapes[0].movable, shapes[0].fixed
        self.pitch = min(104, (RIGHT - FIRST) / self.units)
        zooms = [side.zoom(p) for side in self.sides for p in side.placings]
        self.most = self.movable + max(zooms)  # times that a bar may shrink by 4
        every = [(w, p) for side in self.sides for w in side.widths for p in side.placings]
        self.peaks = sorted({w.peak(p) for w, p in every})
        self.fields = [shapes[0].field(n) for n in range(self.steps + 1)]
        self.range = {
            "macs": span(w.macs(p) for w, p in every),
            "params": span(w.params for w, _ in every),
            "peak": span(self.peaks),
            "field": span(w.field(w.steps(p, w.units - 1)) for w, p in every),
        }
        widest = max(high - low for low, high in self.range.values())
        self.double = round((RULER[1] - RULER[0] - 24) / max(1.0, widest), 2)  # px a doubling

    @property
    def steps(self) -> int:
        """The largest number that the table of receptive fields is asked for."""
        return 2 * self._folded + self._last

    @property
    def _last(self) -> int:
        """The largest `ahead_too`."""
        return 2 * (self.units - 1) - self.fixed

    @property
    def _folded(self) -> int:
        """The largest sum of the halvings after the first, twice for each further one."""
        return (self.units - 1 - self.fixed) * (2 ** (self.movable - 1) - 1)

    @property
    def given(self) -> str:
        """The word on the buttons that put the halvings back."""
        return {"ImageNet, published": "paper", "": "yours"}.get(self.cases[0].source, "ours")

    @property
    def unit(self) -> str:
        """The unit in which MACs by map size are given: "k" or "M"."""
        return words.unit_of(self.sides[0].every[0])

    def column(self, unit: float) -> float:
        """The middle of a unit's column."""
        return round(FIRST + (unit + 0.5) * self.pitch, 2)

    def box(self, halvings: int) -> float:
        """Side of a map in px of the frame; a line at least."""
        return max(1.5, BOX / 2**halvings)

    def bar(self, case: Case, at: Ladder, unit: int, shrunk: int) -> float:
        """Length of a unit's bar, to one scale for both ladders."""
        most = max(longest(w, w.published) for w in case.pair)
        return min(BAR, max(1, round(BAR * at.cost(unit, 0) / most / 4**shrunk, 1)))

    def place(self, row: str, value: float) -> int:
        """Where a value stands on its ruler: a doubling is as long on all of them."""
        low, high = self.range[row]
        middle = (RULER[0] + RULER[1]) / 2
        there = middle + self.double * (log2(value) - (low + high) / 2)
        return round(min(RULER[1], max(RULER[0], there)))

    def derived(self) -> dict[str, Any]:
        keys: dict[str, Any] = {}
        for side in self.sides:
            keys |= side.derived()
        keys["zoom"] = L("larger", "z_a", "z_b")
        for side in self.sides:
            keys |= side.zoomed()
        return {**keys, "told": L("told", "k_a", "k_b")}

    def tables(self) -> dict[str, Any]:
        found = {**self._arithmetic(), **self._shared(), **self._texts()}
        for side in self.sides:
            found |= side.tables(self)
        return found

    def _arithmetic(self) -> dict[str, Any]:
        """What the derived keys add and double; a move v puts a halving in unit `fixed` + v."""
        units, free = range(self.units), range(self.units - self.fixed)
        kinds = range(BAD + self.units)
        counts, zooms = range(self.movable + 1), range(self.most - self.movable + 1)
        ahead = [[max(0, d - v - self.fixed) for d in units] for v in free]
        past = [[int(v + self.fixed <= i) for i in units] for v in free]
        return {
            "past": past,
            "count": [[[c + one for one in row] for row in past] for c in counts],
            "ahead": ahead,
            "ahead_too": [[d + more for d, more in enumerate(row)] for row in ahead],
            "fold": [[2 * x + y for y in range(self._last + 1)]
                     for x in range(self._folded + 1)],
            "both": [[t + z for z in zooms] for t in counts],
            "larger": [[max(a, b) for b in zooms] for a in zooms],
            "shown": [0, 1],
            "both_valid": [0, 1, 1],
            "valid": [int(k < BAD) for k in kinds],
            "told": [[0 if max(a, b) >= BAD else 1 + (a == b == 0) for b in kinds] for a in kinds],
            "same": list(free),
            "upto": [v + 1 for v in free],
            "clip_a": [min(d, self.sides[0].shape.units - 1) for d in units],
            "clip_b": [min(d, self.sides[1].shape.units - 1) for d in units],
        }  # fmt: skip

    def _shared(self) -> dict[str, Any]:
        stages, units, kinds = range(self.movable + 1), range(self.units), range(BAD + self.units)
        return {
            "box": [self.box(t) for t in stages],
            "paint": [PAINT[1 + t] for t in stages],
            "group": [self.column(v + self.fixed) for v in range(self.units - self.fixed)],
            "lit": [["grid" if i == d else "bg" for i in units] for d in units],
            "knob": ["bad", "hi"],
            "peak_x": [*(self.place("peak", p) for p in self.peaks), RULER[0]],
            "field_x": [self.place("field", f) for f in self.fields],
            "pill": [["c1" if k == n else "panel" for n in range(len(KINDS))] for k in kinds],
            "pill_ink": [["bg" if k == n else "ink" for n in range(len(KINDS))] for k in kinds],
        }  # fmt: skip

    def _texts(self) -> dict[str, Any]:
        shape = self.sides[0].shape
        stages = range(self.movable + 1)
        return {
            "peak_s": [*(short(p, "B") for p in self.peaks), "—"],
            "field_s": [["—"] * len(self.fields), [f"{f} px" for f in self.fields]],
            "sides": [f"{shape.side(t)}×{shape.side(t)}" for t in stages],
            "stride": [[2 ** max(0, t - b) for t in stages] for b in stages],
            "after": [f"layer {2 * i + 1} " for i in range(self.units)],
            "first": ["" if v + self.fixed == 0 else str(shape.side(0))
                      for v in range(self.units - self.fixed)],
            "percent": ["", " %"],
            "layers": [words.layers(i) for i in range(self.units)],
            "halves": [words.halving_layer(v + self.fixed)
                       for v in range(self.units - self.fixed)],
            "accuracy_a": [words.accuracy(case, 0) for case in self.cases],
            "accuracy_b": [words.accuracy(case, 1) for case in self.cases],
            "source": [case.source for case in self.cases],
            "twice": words.TWICE,
            "verdict": [words.verdicts(case) for case in self.cases],
            "scale": ["", *(f"bars ÷{4**z}" for z in range(1, self.most - self.movable + 1))],
        }  # fmt: skip


def span(values: Iterable[float]) -> tuple[float, float]:
    """Return log2 of the least and the largest."""
    logs = [log2(v) for v in values]
    return min(logs), max(logs)
