"""One ladder of the downsampling scene: its derived keys, and tables of what each placing costs.

A key's letter says whose it is: "a" stands above the layers' axis, "b" hangs below it. Derived
keys: w (its width), i (its placing), k (what it is called), v (valid), s0, s1, … (movable halvings
behind each unit), u0, … (the same, and the zoom of the bars), now and there (at the chosen depth).
"""

from collections.abc import Callable, Sequence
from math import ceil, log
from typing import TYPE_CHECKING, Any

from ..scene import L
from . import _dwn_words as words
from ._dwn_net import BAD, KINDS, Ladder, by_moves, clash
from ._lad_words import short

if TYPE_CHECKING:
    from ._dwn_view import View

WIDTH, HEIGHT = 840, 590  # px
LEFT, FIRST, RIGHT = 8, 98, 834  # px: x of the words, of the first unit, of the end
BOX, BAR = 48, 50  # px: the largest map's side, the longest bar
GROUND_A, GROUND_B = 106, 346  # px: y where the maps of the upper ladder stand, the lower hang
FOOT, TOP = 213, 239  # px: y where the upper bars stand and the lower ones hang; the axis between
RULER = (312, 650)  # px: where the rulers of the comparison begin and end


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
            **{f"at_{key}": L("same", key) for key in self.keys},  # so that few states depend on it
            name("w"): L(name("width"), "pair"),
            name("i"): L(name("index"), *reversed(self.keys)),
            name("k"): L(name("kind"), name("i")),
            name("v"): L("valid", name("k")),
            name("z"): L(name("zoom"), name("i")),
            name("p"): L(name("peak"), name("w"), name("i")),
            name("d"): L(name("clip"), "depth"),
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
            spot = f"at_{key}"
            found[now] = L("past", spot, unit) if count is None else L("count", count, spot, unit)
            count = now
        return found

    def _steps(self, what: str, unit: str | int) -> dict[str, Any]:
        """Sum the steps of the receptive field: each halving doubles those after it."""
        found: dict[str, Any] = {}
        total: Any = None
        for key in reversed(self.keys):
            last = key == self.keys[0]
            here = L("ahead_too" if last else "ahead", f"at_{key}", unit)
            if total is not None:
                found[f"{what}{key}"] = here
                here = L("fold", total, f"{what}{key}")
            total = self.name(what if last else f"{what}{key}_sum")
            found[total] = here
        return found

    # -- tables ---------------------------------------------------------------------------------

    def tables(self, view: "View") -> dict[str, Any]:
        found = {**self._states(), **self._costs(), **self._texts(), **self._places(view)}
        return {self.name(key): table for key, table in found.items()}

    def _states(self) -> dict[str, Any]:
        number = {places: n for n, places in enumerate(self.placings)}

        def index(places: tuple[int, ...]) -> int:
            twice = clash(places)
            return number[places] if twice is None else len(number) + twice

        return {
            "width": [self.widths.index(ladder) for ladder in self.every],
            "index": by_moves(self.shape, index),
            "kind": [*map(self.kind, self.placings), *(BAD + i for i in range(self.shape.units))],
            "zoom": self._each(self.zoom, 0),
        }

    def _each(self, value: Callable[[tuple[int, ...]], Any], invalid: Any) -> list:
        """A table by placing; after these, one entry for each unit that would halve twice."""
        return [value(p) for p in self.placings] + [invalid] * self.shape.units

    def kind(self, places: tuple[int, ...]) -> int:
        """Return which button stands for a placing; the number of buttons where none does."""
        known = {p: n for n, p in reversed(list(enumerate(self.presets.values())))}
        return known.get(places, len(KINDS))

    def zoom(self, places: tuple[int, ...]) -> int:
        """How many times the bars shrink by 4, so that the longest still has room."""
        more = max(longest(w, places) / longest(w, w.published) for w in self.widths)
        return max(0, ceil(log(more, 4) - 1e-9))

    def _costs(self) -> dict[str, Any]:
        units, stages = range(self.shape.units), range(self.shape.movable + 1)
        return {
            "macs": [self._each(lambda p, w=w: words.scaled(w.macs(p), w), "—")
                     for w in self.widths],
            "share": [self._each(lambda p, w=w: min(99, round(100 * w.early(p) / w.macs(p))), "—")
                      for w in self.widths],
            "cost": [[[short(w.cost(i, t)) for t in stages] for i in units] for w in self.widths],
            "channels": [w.channels for w in self.widths],
            **{f"sum{t}": [self._sums(w, t) for w in self.widths] for t in stages},
        }  # fmt: skip

    def _sums(self, at: Ladder, stage: int) -> list:
        """MACs on maps of one size, by the places of the halvings around it, [next][this]."""
        start, stop = at.fixed, at.units

        def total(low: int, high: int) -> float | str:
            return words.scaled(sum(at.cost(i, stage) for i in range(low, high)), at) or ""

        if stage == 0:
            return [total(0, high) for high in range(start, stop)]
        if stage == at.movable:
            return [total(low, stop) for low in range(start, stop)]
        return [[total(low, high) for low in range(start, high + 1)] for high in range(start, stop)]

    def _texts(self) -> dict[str, Any]:
        shape = self.shape
        return {
            "name": [w.name for w in self.widths],
            "params": [short(w.params) for w in self.widths],
            "twice_of": [f"{words.plain(shape)}: layer ", ""],
            "twice": [""] * BAD + [words.halving_layer(unit) for unit in range(shape.units)],
        }

    def _places(self, view: "View") -> dict[str, Any]:
        """Places in px: plates stand on the ground or hang from it, and so do the bars."""
        up, ground = (-1, GROUND_A) if self.letter == "a" else (1, GROUND_B)
        units, stages = range(self.shape.units), range(self.shape.movable + 1)
        foot = FOOT if self.letter == "a" else TOP
        bars = [
            [[foot + up * view.bar(case, at, i, u) for u in range(view.most + 1)] for i in units]
            for case, at in zip(view.cases, self.every, strict=True)
        ]
        return {
            "end": [ground + up * view.box(t) for t in stages],
            "bar": bars,
            "macs_x": [self._each(lambda p, w=w: view.place("macs", w.macs(p)), RULER[0])
                       for w in self.widths],
            "params_x": [view.place("params", w.params) for w in self.widths],
            "peak": [self._each(lambda p, w=w: view.peaks.index(w.peak(p)), len(view.peaks))
                     for w in self.widths],
        }  # fmt: skip


def longest(at: Ladder, places: Sequence[int]) -> int:
    """MACs of the unit that costs most."""
    return max(at.costs[i][t] for i, t in enumerate(at.stages(places)))
