"""The timeline as tables: places in px, who is on the front of which year, who leads it.

Keys are [year] (a place in `years`), [cost], and [net]: networks count from 1, and 0 is none.
"""

from functools import cached_property
from itertools import pairwise
from math import ceil, floor, log10
from typing import Any

from ..scene import L
from ._par_scale import round_amount
from ._tim_nets import COSTS, Net, front, nets, years

WIDTH, HEIGHT = 840, 676
LEFT, RIGHT, TOP, BOTTOM = 66, 832, 46, 276  # the frame of the years
IN_LEFT, IN_RIGHT, IN_TOP, IN_BOTTOM = 66, 408, 388, 612  # the frame of the front
NARROW = 58  # px of a year at least
ABSENT, BEATEN, ON, UNKNOWN = range(4)  # not yet there; on no front; on it; without an accuracy
LEAST = (80, 75, 70, 65, 60)  # per cent: the places of the line that is dragged
LOW, HIGH = 55, 85  # per cent, the ends of the axis of accuracies
LETTER = 10.5  # px of a letter, at most


class View:
    """Tables of all places and fronts."""

    def __init__(self) -> None:
        self.nets = nets()
        self.years = years()
        self.since = [self.years.index(net.paper.year) for net in self.nets]

    @cached_property
    def bands(self) -> list[tuple[float, float]]:
        """Left and right end of each year, as wide as it has networks."""
        counts = [self.since.count(y) for y in range(len(self.years))]
        few = 3
        slot = (RIGHT - LEFT - NARROW * sum(c < few for c in counts)) / sum(
            c for c in counts if c >= few
        )
        ends = [float(LEFT)]
        for count in counts:
            ends.append(ends[-1] + (NARROW if count < few else count * slot))
        return [(round(a, 1), round(b, 1)) for a, b in pairwise(ends)]

    @cached_property
    def across(self) -> list[float]:
        """The middle of each network's column."""
        places = []
        for i, year in enumerate(self.since):
            left, right = self.bands[year]
            first, count = self.since.index(year), self.since.count(year)
            places.append(round(left + (right - left) * (i - first + 0.5) / count, 1))
        return places

    def among(self, year: int) -> list[Net]:
        """The networks published up to a year."""
        return [net for net, since in zip(self.nets, self.since, strict=True) if since <= year]

    @cached_property
    def fronts(self) -> list[list[list[Net]]]:
        """[cost][year] the front, cheapest first."""
        return [[front(self.among(y), key) for y in range(len(self.years))] for key in COSTS]

    @cached_property
    def spans(self) -> list[tuple[float, float]]:
        """[cost] the ends of its axis, as powers of ten with room on both sides."""
        found = []
        for key in COSTS:
            logs = [log10(net.cost(key)) for net in self.nets]
            found.append((floor(min(logs) * 4) / 4 - 0.1, ceil(max(logs) * 4) / 4 + 0.1))
        return found

    @cached_property
    def inset_spans(self) -> list[tuple[float, float]]:
        """[cost] the ends of the axis of the front: only networks with an accuracy."""
        found = []
        for key in COSTS:
            logs = [log10(net.cost(key)) for net in self.nets if net.top1]
            found.append((min(logs) - 0.12, max(logs) + 0.12))
        return found

    def number(self, net: Net | None) -> int:
        """The place of a network from 1; 0 for none."""
        return 0 if net is None else 1 + self.nets.index(net)

    def top(self, year: int) -> Net | None:
        """The most accurate network up to a year, the cheapest of equals."""
        known = [net for net in self.among(year) if net.top1]
        return max(known, key=lambda n: (n.top1, -n.cost("macs")), default=None)

    def cheap(self, cost: int, year: int, least: int) -> Net | None:
        """The cheapest network up to a year with at least this accuracy."""
        good = (net for net in self.fronts[cost][year] if net.top1 >= least)
        return next(good, None)

    def newest(self, year: int) -> Net:
        """The most accurate of the networks of one year."""
        here = [net for net, since in zip(self.nets, self.since, strict=True) if since == year]
        return max(here, key=lambda n: n.top1)

    def kind(self, cost: int, year: int, i: int) -> int:
        """How a network stands in a year."""
        if self.since[i] > year:
            return ABSENT
        if not self.nets[i].top1:
            return UNKNOWN
        return ON if self.nets[i] in self.fronts[cost][year] else BEATEN

    def height(self, y: int, i: int) -> float:
        """y of a network in the upper picture: accuracy, or a cost on a log axis."""
        net = self.nets[i]
        if y == 0:
            return up(net.top1, TOP, BOTTOM) if net.top1 else BOTTOM - 9
        low, high = self.spans[self.cost_of(y)]
        part = (log10(net.cost(COSTS[self.cost_of(y)])) - low) / (high - low)
        return round(BOTTOM - (BOTTOM - TOP) * part, 1)

    @staticmethod
    def cost_of(y: int) -> int:
        """Which cost the upper picture shows; y = 1 is the parameters, 2 the MACs."""
        return COSTS.index(("params", "macs")[y - 1])

    def inset_x(self, cost: int, value: float) -> float:
        """x of a cost in the picture of the front."""
        low, high = self.inset_spans[cost]
        return round(IN_LEFT + (IN_RIGHT - IN_LEFT) * (log10(value) - low) / (high - low), 1)

    def stairs(self, cost: int, year: int) -> str:
        """The best accuracy for each cost, as a path."""
        line = self.fronts[cost][year]
        if not line:
            return f"M{IN_LEFT} {IN_BOTTOM}"
        points = [(self.inset_x(cost, n.cost(COSTS[cost])), inset_y(n.top1)) for n in line]
        path = f"M{points[0][0]} {IN_BOTTOM}L{points[0][0]} {points[0][1]}"
        for (_, y), (x, after) in pairwise(points):
            path += f"L{x} {y}L{x} {after}"
        return f"{path}L{IN_RIGHT} {points[-1][1]}"

    def derive(self) -> dict[str, Any]:
        """Return the keys that marks look up with, beside the parameters."""
        keys = {
            "now": L("now_of", "pick", "year"),
            "now_kind": L("kind", "cost", "year", "now"),
            "before": L("before_of", "year"),
        }
        for i in range(1, len(self.nets) + 1):
            keys[f"kind{i}"] = L("kind", "cost", "year", i)
        return keys

    def tables(self) -> dict[str, Any]:
        """Return all tables but those of words."""
        costs, every = range(len(COSTS)), range(len(self.nets))
        steps = range(len(self.years))
        follow = [self.number(self.newest(y)) for y in steps]
        axes = [self._ticks(y) for y in range(3)]
        inset = [self._inset_ticks(c) for c in costs]
        shape = {"kind": [[[0, *(self.kind(c, y, i) for i in every)] for y in steps]
                          for c in costs]}  # fmt: skip
        sides = [x > (LEFT + RIGHT) / 2 for x in self.across]
        return shape | {
            "now_of": [follow, *([i + 1 if self.since[i] <= y else follow[y] for y in steps]
                                 for i in every)],
            "before_of": [max(0, y - 1) for y in steps],
            "px": [LEFT, *self.across],
            "py": [[BOTTOM, *(self.height(y, i) for i in every)] for y in range(3)],
            "ix": [[IN_LEFT, *(self.inset_x(c, n.cost(COSTS[c])) if n.top1 else IN_LEFT
                               for n in self.nets)] for c in costs],
            "iy": [IN_BOTTOM, *(inset_y(n.top1) if n.top1 else IN_BOTTOM for n in self.nets)],
            "shade": [0, 1, 1, 1],
            "inset_shade": [0, 1, 1, 0],
            "fill_0": ["bg", "bg", "c1", "bg"],
            "fill_1": ["bg", "bg", "c6", "bg"],
            "label_x": [0, *(round(x + (-14 if s else 14), 1)
                             for x, s in zip(self.across, sides, strict=True))],
            "anchor": ["", *("end" if s else "" for s in sides)],
            "label_y": [[TOP, *(self._label_y(y, i) for i in every)] for y in range(3)],
            "front": [[self.stairs(c, y) for y in steps] for c in costs],
            "lit": [["panel" if b == y else "bg" for b in steps] for y in steps],
            "tick_y": [[t[0] for t in axis] for axis in axes],
            "tick_s": [[t[1] for t in axis] for axis in axes],
            "tick_on": [[t[2] for t in axis] for axis in axes],
            "in_x": [[t[0] for t in axis] for axis in inset],
            "in_s": [[t[1] for t in axis] for axis in inset],
            "in_on": [[t[2] for t in axis] for axis in inset],
            "least_y": [inset_y(v) for v in LEAST],
            "least_s": [f"≥ {v} %" for v in LEAST],
        }  # fmt: skip

    def _label_y(self, y: int, i: int) -> float:
        """Where a network's name stands: above its point, or below where fewer others are."""
        x, here, wide = self.across[i], self.height(y, i), LETTER * len(self.nets[i].entry.name)
        left = x - 14 - wide if x > (LEFT + RIGHT) / 2 else x + 14

        def covered(line: float) -> int:
            return sum(
                left - 8 < self.across[k] < left + wide + 8 and -23 < self.height(y, k) - line < 9
                for k in range(len(self.nets)) if k != i
            )  # fmt: skip

        above, below = max(TOP + 10, here - 13), min(BOTTOM - 4, here + 27)
        return above if covered(above) <= covered(below) else below

    def _ticks(self, y: int) -> list[tuple[float, str, int]]:
        """Place, text and 1 of each tick of the upper axis; 0 where there is none."""
        if y == 0:
            found = [(up(v, TOP, BOTTOM), str(v), 1) for v in range(60, HIGH + 1, 5)]
        else:
            low, high = self.spans[self.cost_of(y)]
            found = [
                (round(BOTTOM - (BOTTOM - TOP) * (d - low) / (high - low), 1),
                 round_amount(10.0**d, ""), 1)
                for d in range(ceil(low), floor(high) + 1)
            ]  # fmt: skip
        return found + [(float(BOTTOM), "", 0)] * (6 - len(found))

    def _inset_ticks(self, cost: int) -> list[tuple[float, str, int]]:
        low, high = self.inset_spans[cost]
        decades = range(ceil(low), floor(high) + 1)
        found = [(self.inset_x(cost, 10.0**d), round_amount(10.0**d, ""), 1) for d in decades]
        return found + [(float(IN_LEFT), "", 0)] * (4 - len(found))


def up(accuracy: float, top: float, bottom: float) -> float:
    """y of an accuracy between two ends."""
    return round(bottom - (bottom - top) * (accuracy - LOW) / (HIGH - LOW), 1)


def inset_y(accuracy: float) -> float:
    """y of an accuracy in the picture of the front.

    >>> inset_y(85) == IN_TOP
    True
    """
    return up(accuracy, IN_TOP, IN_BOTTOM)
