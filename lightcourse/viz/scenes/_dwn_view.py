"""The downsampling scene as tables: places in px, bars to scale, what each placing costs.

A key's letter says whose it is: "a" stands above the layers' axis, "b" hangs below it. Derived
keys: w (its width), i (its placing), k (what it is called), v (valid), s0, s1, … (movable halvings
behind each unit), u0, … (the same, and the zoom of the bars), now and there (at the chosen depth).
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import ceil, log, log2
from typing import Any

from ..scene import L
from . import _dwn_words as words
from ._dwn_cases import Case
from ._dwn_net import Ladder, by_moves, clash

WIDTH, HEIGHT = 840, 590  # px
LEFT, FIRST, RIGHT = 12, 78, 834  # px: x of the words, of the first unit, of the end
BOX, BAR, DEEP = 44, 50, 1.2  # px: the largest map's side, the longest bar, depth of log2(channels)
RULER = (318, 640)  # px: where the rulers of the comparison begin and end
KINDS = ("paper", "early", "late")  # of placings that have a button


class Side:
    """One ladder at all its widths: tables and derived keys, named after its letter."""

    def __init__(self, letter: str, every: Sequence[Ladder]):
        self.letter, self.every = letter, every
        self.widths = list(dict.fromkeys(every))
        self.shape = every[0]  # all widths halve alike
        first = self.shape.fixed + 1
        self.keys = [f"{letter}{first + k}" for k in range(self.shape.movable)]
        self.placings = self.shape.placings

    @property
    def presets(self) -> dict[str, tuple[int, ...]]:
        """Placings with a button: as published, as early and as late as can be."""
        return dict(
            zip(KINDS, (self.shape.published, self.placings[0], self.placings[-1]), strict=True)
        )

    def name(self, what: Any) -> str:
        """Return a table's or key's name on this side."""
        return f"{what}_{self.letter}"

    def stage(self, unit: int) -> str | int:
        """The key of a unit's halvings; the stem has none where it cannot move."""
        return 0 if unit < self.shape.fixed else self.name(f"s{unit}")

    def moves(self, places: Sequence[int]) -> dict[str, int]:
        """Parameters that place the halvings there."""
        return {key: p - self.shape.fixed for key, p in zip(self.keys, places, strict=True)}

    # -- derived keys ---------------------------------------------------------------------------

    def derived(self) -> dict[str, Any]:
        name, last = self.name, self.shape.units - 1
        keys: dict[str, Any] = {
            name("w"): L(name("width"), "pair"),
            name("i"): L(name("index"), *reversed(self.keys)),
            name("k"): L(name("kind"), name("i")),
            name("v"): L("valid", name("k")),
            name("d"): L(name("depth"), "depth"),
        }
        for unit in range(self.shape.fixed, self.shape.units):
            keys |= self._behind(f"s{unit}", unit)
        keys |= self._behind("now", name("d"))
        return keys | self._steps("end", last) | self._steps("there", name("d"))

    def zoomed(self) -> dict[str, Any]:
        """The keys of the bars, which come after the zoom of both sides is known."""
        units = range(self.shape.units)
        return {self.name(f"u{i}"): L("both", self.stage(i), "zoom") for i in units}

    def _behind(self, what: str, unit: str | int) -> dict[str, Any]:
        """Count the halvings that a unit's output has behind it."""
        found: dict[str, Any] = {}
        count: Any = None
        for key in self.keys:
            last = key == self.keys[-1]
            now = self.name(what if last else f"{what}{key}")
            found[now] = L("past", key, unit) if count is None else L("count", count, key, unit)
            count = now
        return found

    def _steps(self, what: str, unit: str | int) -> dict[str, Any]:
        """Sum the steps of the receptive field: each halving doubles those after it."""
        found: dict[str, Any] = {}
        total: Any = None
        for key in reversed(self.keys):
            name = self.name(f"{what}{key}")
            found[name] = L("ahead" if key != self.keys[0] else "ahead_too", key, unit)
            if total is not None:
                found[f"{name}_sum"] = L("fold", total, name)
                name = f"{name}_sum"
            total = name
        return {**found, self.name(what): L("same", total)}

    # -- tables ---------------------------------------------------------------------------------

    def tables(self) -> dict[str, Any]:
        found = {**self._states(), **self._costs(), **self._texts()}
        return {self.name(key): table for key, table in found.items()}

    def _states(self) -> dict[str, Any]:
        number = {places: n for n, places in enumerate(self.placings)}

        def index(places: tuple[int, ...]) -> int:
            twice = clash(places)
            return number[places] if twice is None else len(number) + twice

        return {
            "width": [self.widths.index(ladder) for ladder in self.every],
            "index": by_moves(self.shape, index),
            "kind": self._each(self.kind, 0),
            "depth": [min(d, self.shape.units - 1) for d in range(99)],
            "zoom": self._each(self.zoom, 0),
        }

    def _each(self, value: Callable[[tuple[int, ...]], Any], invalid: Any) -> list:
        """A table by placing; after these, one entry for each unit that would halve twice."""
        return [value(p) for p in self.placings] + [invalid] * self.shape.units

    def kind(self, places: tuple[int, ...]) -> int:
        """0 is invalid, 1 any placing, 2 as published, then the other buttons."""
        known = {p: n for n, p in reversed(list(enumerate(self.presets.values(), 2)))}
        return known.get(places, 1)

    def longest(self, at: Ladder, places: Sequence[int]) -> int:
        """MACs of the unit that costs most."""
        return max(at.cost(i, t) for i, t in enumerate(at.stages(places)))

    def zoom(self, places: tuple[int, ...]) -> int:
        """How many times the bars shrink by 4, so that the longest still has room."""
        usual = self.longest(self.widths[0], self.shape.published)
        return max(0, ceil(log(self.longest(self.widths[0], places) / usual, 4) - 1e-9))

    def _costs(self) -> dict[str, Any]:
        units = range(self.shape.units)
        stages = range(self.shape.movable + 1)
        return {
            "macs": [self._each(lambda p, w=w: words.short(w.macs(p)), "—") for w in self.widths],
            "share": [
                self._each(lambda p, w=w: f"{100 * w.early(p) / w.macs(p):.0f} %", "")
                for w in self.widths
            ],
            "cost": [
                [[words.short(w.cost(i, t)) for t in stages] for i in units] for w in self.widths
            ],
            "channels": [w.channels for w in self.widths],
            "shape": [
                [[words.shape(w, i, t) for t in stages] for i in units] for w in self.widths
            ],
            **{f"sum{t}": [self._sums(w, t) for w in self.widths] for t in stages},
        }

    def _sums(self, at: Ladder, stage: int) -> list:
        """MACs on maps of one size, by the places of the halvings around it, [next][this]."""
        start, stop = at.fixed, at.units

        def total(low: int, high: int) -> str:
            return words.millions(sum(at.cost(i, stage) for i in range(low, high)), at)

        if stage == 0:
            return [total(0, high) for high in range(start, stop)]
        if stage == at.movable:
            return [total(low, stop) for low in range(start, stop)]
        return [[total(low, high) for low in range(start, high + 1)] for high in range(start, stop)]

    def _texts(self) -> dict[str, Any]:
        none = [""] * len(self.placings)
        shape = self.shape
        twice = [words.twice(shape, unit) for unit in range(shape.units)]
        return {
            "name": [w.name for w in self.widths],
            "twice": none + twice,
            "params": [words.short(w.params) for w in self.widths],
            "ends": ["" if d < shape.units else f" (it ends here, {shape.units - 1 - d} back)"
                     for d in range(0)],
        }  # fmt: skip


class View:
    """Tables of both sides, and what they share."""

    def __init__(self, cases: Sequence[Case]):
        self.cases = cases
        self.sides = [Side(x, [case.pair[n] for case in cases]) for n, x in enumerate("ab")]
        self.units = max(side.shape.units for side in self.sides)
        self.pitch = min(104, (RIGHT - FIRST) / self.units)
        self.movable, self.fixed = self.sides[0].shape.movable, self.sides[0].shape.fixed
        self.peaks = sorted({w.peak(p) for s in self.sides for w in s.widths for p in s.placings})

    def column(self, unit: float) -> float:
        """The middle of a unit's column."""
        return round(FIRST + (unit + 0.5) * self.pitch, 2)

    def box(self, halvings: int) -> float:
        """Side of a map in px of the frame; a line at least."""
        return max(1.5, BOX / 2**halvings)
