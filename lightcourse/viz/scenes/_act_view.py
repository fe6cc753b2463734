"""The activation scene as tables: curves, bars, rays in px; by [function][µ][σ] if not said."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from . import _act_words as words
from ._act_functions import FUNCTIONS, GRAIN, REFERENCES, Function
from ._act_numbers import MEANS, SPREADS, Pushed, apart, histogram, push, share

WIDTH, HEIGHT = 760, 536  # px
LEFT, UNIT, REACH = 44, 25, 8  # px: left end of the x axis, one unit of it; it shows ±REACH
TOP, TALL = 42, 250  # px: the plot of f
SLOPE_TOP, SLOPE_TALL = 326, 62  # px: the plot of the slope
BELL_FOOT, BELL_TALL = 502, 76  # px: where the inputs stand, and their greatest height
HIST, HIST_WIDE = 460, 99  # px: where the outputs stand, and their greatest width
LIST, LIST_WIDE, PITCH = 582, 168, 23  # px: the list of functions, and one row of it
PLACES = 19  # bars of the outputs
BARS = 2 * 2 * REACH  # of the inputs: half a unit each
RAYS = (-2, -1, 0, 1, 2)  # inputs at µ + zσ that are drawn on their way
SPOTS = 33  # where a ray can start: -8 to 8 by halves
LENS, LENS_TALL = 0.2, 150  # how much of the output the lens shows, and its height in px
BROAD_STEP = 0.062  # a step of int8 as wide as the list
LONGEST = 1500  # letters of a curve
SLOPES = (-0.65, 1.9)  # ends of the slope's axis


@dataclass(frozen=True)
class Scale:
    """A y axis with a place for each bar of the outputs; 0 is the middle of one."""

    first: float
    width: float

    @property
    def last(self) -> float:
        return self.first + (PLACES - 1) * self.width

    def y(self, value: Any) -> Any:
        """Px of a value."""
        return TOP + TALL * (self.last - value) / (self.last - self.first)

    def ticks(self) -> list[float]:
        """Round values on the axis, at most six."""
        span = self.last - self.first
        size = 10.0 ** math.floor(math.log10(span / 2))
        by = next(size * n for n in (0.5, 1, 2, 5, 10) if span / (size * n) < 5.9)
        count = range(math.ceil(self.first / by - 1e-9), math.floor(self.last / by + 1e-9) + 1)
        return [round(n * by, 9) for n in count]


WIDE, NARROW = Scale(-2.0, 0.5), Scale(-0.0625, 0.0625)


def scale_of(function: Function) -> Scale:
    """Return the y axis on which a function can be seen."""
    y = function.f(np.linspace(-REACH, REACH, 1601))
    low, high = float(y.min()), float(y.max())
    for scale, slack in ((NARROW, 0.0), (WIDE, 1.5)):
        if scale.first <= low and high <= scale.last + slack:
            return scale
    width = float(f"{max((high - low) / (PLACES - 3), 0.01):.2g}")
    return Scale(round((math.floor(low / width)) * width, 9), width)


def across(x: Any) -> Any:
    """Px of an input."""
    return LEFT + UNIT * (x + REACH)


def path(x: np.ndarray, y: np.ndarray, top: float, bottom: float) -> str:
    """The curve through points in px, open where it jumps or leaves the frame."""
    for slack in (0.12, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0):
        drawn = _path(x, y, top, bottom, slack)
        if len(drawn) <= LONGEST:
            break
    return drawn


def _path(x: np.ndarray, y: np.ndarray, top: float, bottom: float, slack: float) -> str:
    inside = (y >= top - 0.01) & (y <= bottom + 0.01)
    delta = np.abs(np.diff(y))
    usual = np.maximum(np.concatenate([[0], delta[:-1]]), np.concatenate([delta[1:], [0]]))
    jump = np.concatenate([[True], (delta > 1.5) & (delta > 5 * usual)])
    parts = []
    for part in np.split(np.arange(len(x)), np.flatnonzero(jump | ~inside)):
        kept = part[inside[part]]
        if len(kept) > 1:
            points = [f"{x[i]:.1f} {y[i]:.1f}" for i in _corners(x, y, kept, slack)]
            parts.append("M" + "L".join(points))
    return "".join(parts)


def _corners(x: np.ndarray, y: np.ndarray, part: np.ndarray, slack: float) -> list[int]:
    """The fewest points whose lines stay within `slack` px of the curve (Douglas and Peucker)."""
    first, last = int(part[0]), int(part[-1])
    if len(part) < 3:
        return [first, last]
    line = y[first] + (y[last] - y[first]) * (x[part] - x[first]) / (x[last] - x[first])
    worst = int(np.abs(y[part] - line).argmax())
    if abs(y[part[worst]] - line[worst]) <= slack:
        return [first, last]
    left = _corners(x, y, part[: worst + 1], slack)
    return left[:-1] + _corners(x, y, part[worst:], slack)


class View:
    """Tables of one scene."""

    def __init__(self, functions: Sequence[Function]):
        self.functions = functions
        self.pushed: list[Pushed] = [push(f) for f in functions]
        without = next((i for i, f in enumerate(functions) if not f.zones), 0)
        first = [i if f.zones else without for i, f in enumerate(functions)]
        self.dead_first = sorted(set(first))
        self.dead_row = [self.dead_first.index(i) for i in first]
        self.scales = list(dict.fromkeys(map(scale_of, functions)))
        self.scale_of = [self.scales.index(scale_of(f)) for f in functions]
        self.beside = [next(f for f in FUNCTIONS if f.name == name) for name in REFERENCES]
        middles = (np.arange(-REACH * 50, REACH * 50) + 0.5) / 50
        self.x = np.concatenate([[-REACH], middles, [REACH]])
        lows, highs = zip(*((f.slope(self.x).min(), f.slope(self.x).max()) for f in functions),
                          strict=True)  # fmt: skip
        own_low, own_high = float(lows[-1]), float(highs[-1])
        fits = SLOPES[0] <= own_low <= own_high <= SLOPES[1]
        self.slope_ends = [SLOPES] * len(functions)
        if not fits:
            self.slope_ends[-1] = (min(-0.25, 1.1 * own_low), max(1.25, 1.1 * own_high))

    def scale(self, i: int) -> Scale:
        return self.scales[self.scale_of[i]]

    def slope_y(self, i: int, value: Any) -> Any:
        """Px of a slope."""
        low, high = self.slope_ends[i]
        return SLOPE_TOP + SLOPE_TALL * (high - value) / (high - low)

    def each(self, value: Callable[[int, int, int], Any], blank: Any = None) -> list:
        """A table [function][µ][σ]; with `blank` it has one µ more."""
        return self._padded([
            [[value(f, m, s) for s in range(len(SPREADS))] for m in range(len(MEANS))]
            for f in range(len(self.functions))
        ], blank)  # fmt: skip

    def tables(self) -> dict[str, Any]:
        """Return all tables but those of the words."""
        return {**self._curves(), **self._axes(), **self._bell(), **self._out(), **self._rays(),
                **self._list(), **words.tables(self)}  # fmt: skip

    def _curves(self) -> dict[str, Any]:
        x, foot = across(self.x), TOP + TALL

        def curve(f: Function, scale: Scale) -> str:
            return path(x, scale.y(f.f(self.x)), TOP, foot)

        def slope(f: Function, i: int) -> str:
            return path(x, self.slope_y(i, f.slope(self.x)), SLOPE_TOP, SLOPE_TOP + SLOPE_TALL)

        return {
            "curve": [curve(f, self.scale(i)) for i, f in enumerate(self.functions)],
            "slope": [slope(f, i) for i, f in enumerate(self.functions)],
            "beside": [["", *(curve(f, scale) for f in self.beside)] for scale in self.scales],
            "beside_slope": ["", *(slope(f, 0) for f in self.beside)],
        }

    def _axes(self) -> dict[str, Any]:
        """Ticks of each y axis, and the zones without slope; at most two of them are shaded."""
        most = 6
        ticks = [scale.ticks() for scale in self.scales]

        def filled(values: list, rest: Any) -> list:
            return values + [rest] * (most - len(values))

        def zone(f: Function, k: int) -> tuple[float, float]:
            zones = [z for z in f.zones if z[0] < REACH and z[1] > -REACH]
            if k >= len(zones):
                return 0.0, 0.0
            low, high = max(zones[k][0], -REACH), min(zones[k][1], REACH)
            return across(low), UNIT * (high - low)

        zones = [[zone(f, k) for k in (0, 1)] for f in self.functions]
        return {
            "scale_of": self.scale_of,
            "tick_s": [filled([words.tick(t) for t in row], "") for row in ticks],
            "tick_y": [filled([scale.y(t) for t in row], TOP)
                       for scale, row in zip(self.scales, ticks, strict=True)],
            "tick_on": [filled([1] * len(row), 0) for row in ticks],
            "slope_0": [self.slope_y(i, 0.0) for i in range(len(self.functions))],
            "slope_1": [self.slope_y(i, 1.0) for i in range(len(self.functions))],
            "zone_x": [[z[0] or LEFT for z in row] for row in zones],
            "zone_w": [[z[1] for z in row] for row in zones],
            "zone_mid": [[(z[0] or LEFT) + z[1] / 2 for z in row] for row in zones],
            "zone_named": [[int(z[1] >= 3 * UNIT) for z in row] for row in zones],
        }  # fmt: skip

    def _bell(self) -> dict[str, Any]:
        """The inputs as bars of half a unit, the tallest of them always as tall."""
        ends = [-REACH + i / 2 for i in range(BARS + 1)]

        def heights(mu: float, sigma: float) -> list[float]:
            parts = [share(a, b, mu, sigma) for a, b in pairwise(ends)]
            return [BELL_TALL * part / max(parts) for part in parts]

        tall = [[heights(mu, sigma) for sigma in SPREADS] for mu in MEANS]

        def dead(f: Function, i: int) -> bool:
            middle = ends[i] + 0.25
            return any(low <= middle < high for low, high in f.zones)

        return {
            "bell_y": [[[round(BELL_FOOT - h) for h in row] for row in at] for at in tall],
            "bell_fill": [["bad" if dead(f, i) else "c1" for i in range(BARS)]
                          for f in self.functions],
            "mu_x": [across(mu) for mu in MEANS],
            "sigma_x": [[across(mu + sigma) for sigma in SPREADS] for mu in MEANS],
            "sigma_0": [across(mu) + UNIT / 4 for mu in MEANS],
        }  # fmt: skip

    def _out(self) -> dict[str, Any]:
        """The outputs as bars, the longest of them always as long; `idle`: those without slope."""
        wide, unbound = [], []
        idle, rows = [[[0] * len(SPREADS)] * len(MEANS)], []
        for i, f in enumerate(self.functions):
            scale = self.scale(i)
            found = histogram(f, scale.first, scale.width, PLACES)
            unit = HIST_WIDE / found.max(-1, keepdims=True)
            wide.append(np.rint(found * unit).astype(int).tolist())
            rows.append([0, 0])
            for k, level in enumerate(self._levels(i)):
                if level is not None:
                    part = np.minimum(self.pushed[i].zones[k] * unit[..., 0], HIST_WIDE)
                    rows[-1][k] = len(idle)
                    idle.append(np.rint(part).astype(int).tolist())
            unbound.append(int(f.f(np.array([9.0]))[0] > scale.last))
        return {
            "out_w": wide, "idle_w": idle, "idle_row": rows, "unbound": unbound,
            "idle_y": [[self.scale(i).y(y or 0.0) - 4 for y in self._levels(i)]
                       for i in range(len(self.functions))],
        }  # fmt: skip

    def _levels(self, i: int) -> list[float | None]:
        """The outputs of the first two zones without slope; None where they are not one value."""
        f, scale = self.functions[i], self.scale(i)
        found: list[float | None] = [None, None]
        for k, (low, high) in enumerate(f.zones[:2]):
            ends = f.f(np.array([max(low, -REACH) + 0.01, min(high, REACH) - 0.01]))
            if scale.first <= ends[0] <= scale.last and ends[0] == ends[1]:
                found[k] = float(ends[0])
        return found

    def _rays(self) -> dict[str, Any]:
        """Five inputs on their way: up to the curve, then to the outputs."""
        x = np.array([(spot - SPOTS // 2) / 2 for spot in range(SPOTS)])
        y, on, paint, slope = [], [], [], []
        for i, f in enumerate(self.functions):
            scale, there = self.scale(i), f.f(x)
            tilt = f.slope(x)
            shown = (np.abs(x) < REACH) & (scale.first <= there) & (there <= scale.last)
            y.append(np.where(shown, scale.y(there), BELL_FOOT).round(1).tolist())
            on.append(shown.astype(int).tolist())
            paint.append(["bad" if t == 0 else "c1" for t in tilt])
            low, high = self.slope_ends[i]
            slope.append(self.slope_y(i, np.clip(tilt, low, high)).round(1).tolist())
        home = [BELL_FOOT] * SPOTS
        spots = [[[round(2 * (mu + z * sigma)) + SPOTS // 2 for z in RAYS]
                  for sigma in SPREADS] for mu in MEANS]  # fmt: skip
        return {
            "spot": np.clip(spots, 0, SPOTS - 1).tolist(),
            "ray_x": across(x).tolist(),
            "ray_y": [*y, home], "ray_slope": slope, "ray_fill": paint,
            "ray_end": [across(x).tolist(), [HIST] * SPOTS, [HIST] * SPOTS],
            "ray_on": [*on, [0] * SPOTS],
        }  # fmt: skip

    def _list(self) -> dict[str, Any]:
        """Bars in the list: the share without slope, the step of int8; and the lens."""
        pushed, per_unit = self.pushed, LENS_TALL / LENS

        def bar(f: int, m: int, s: int) -> int:
            return min(LIST_WIDE, round(LIST_WIDE * pushed[f].step[m, s] / BROAD_STEP))

        return {
            "dead_w": self.dead_rows(lambda part: round(LIST_WIDE * part), 0),
            "step_w": self.each(bar, 0),
            "bands": self.each(lambda f, m, s: round(max(pushed[f].step[m, s] * per_unit, 0.5), 1)),
            "row_y": [TOP + PITCH * i for i in range(len(self.functions))],
        }

    def dead_rows(self, value: Callable[[float], Any], blank: Any = None) -> list:
        """A table of the shares without slope; functions that have none share a row."""
        table = [[[value(p) for p in row] for row in self.pushed[f].dead] for f in self.dead_first]
        return self._padded(table, blank)

    def _padded(self, table: list, blank: Any) -> list:
        """One more µ for the steps in which nothing is to be seen, unless `blank` is None."""
        return [[*at, *([[blank] * len(SPREADS)] if blank is not None else [])] for at in table]

    def extremes(self, i: int) -> tuple[float, float]:
        """The least output and the greatest slope on the axis, on both sides of every kink."""
        edges = np.arange(-REACH, REACH + GRAIN / 2, GRAIN)
        f = self.functions[i]
        slopes = f.slope(np.concatenate([edges[1:] - 1e-9, edges[:-1] + 1e-9]))
        return float(f.f(edges).min()), float(slopes.max())

    def gap(self, i: int, g: int) -> tuple[float, Sequence[float]]:
        """How far function i and reference g are apart on the axis, at most, and where."""
        return apart(self.functions[i], self.beside[g], REACH)
