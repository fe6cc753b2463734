"""The Pareto picture as tables: places in px, which networks fade, who is best, what beats whom.

Keys are [x] (the cost), [budget], and [net]: networks count from 1, and 0 is none.
"""

from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from typing import Any

from ..scene import L
from ._par_nets import Study
from ._par_scale import (
    BUDGETS,
    FIRST,
    LEFT,
    RIGHT,
    TICKS,
    TOP,
    across,
    amount,
    axis_of,
    budgets_of,
    levels_of,
    round_amount,
    ticks_of,
    up,
)

BEATEN, NEW, LOST, KEPT = range(4)  # not on this front; only on this one; only on MACs'; on both
ABSENT, BEYOND, WITHIN = range(3)
LETTER = 11.6  # px of a letter, at most, of a name in the picture


class View:
    """Tables of a study's places and fronts."""

    def __init__(self, study: Study):
        self.study = study
        self.names = [row.variant for row in study.rows]
        self.axes = [axis_of([v for v in study.values(c) if v]) for c in study.costs]
        self.budgets = [budgets_of(*axis) for axis in self.axes]
        self.levels = levels_of([row.top1 or 0.0 for row in study.rows])
        self.heights = [up(row.top1 or 0.0, self.levels) for row in study.rows]

    @property
    def start(self) -> tuple[int, int]:
        """The first state: MACs, and a budget in the middle."""
        return 1, BUDGETS // 2 + 2

    def nets(self, value: Callable[[int, int], Any], none: Any) -> list:
        """A table [x][net] of value(x, network)."""
        every, costs = range(len(self.names)), range(len(self.study.costs))
        return [[none, *(value(x, i) for i in every)] for x in costs]

    def places(self, value: Callable[[int, float], Any]) -> list:
        """A table [x][budget] of value(x, budget)."""
        return [[value(x, b) for b in row] for x, row in enumerate(self.budgets)]

    @cached_property
    def held(self) -> list[list[float]]:
        """[x][network] costs, 0 where there is none."""
        return [self.study.values(cost) for cost in self.study.costs]

    @cached_property
    def at(self) -> list[list[float]]:
        """[x][network] px from the left."""
        return [
            [across(v, axis) if v else FIRST for v in row]
            for row, axis in zip(self.held, self.axes, strict=True)
        ]

    @cached_property
    def kinds(self) -> list[list[int]]:
        """[x][network] how it stands to this front and to that of the MACs."""
        found = []
        for cost in self.study.costs:
            macs, here = self.study.fronts(cost)
            found.append([(i in here) + 2 * (i in macs) for i in range(len(self.names))])
        return found

    @cached_property
    def best(self) -> list[int]:
        """The networks that are best within some budget of some cost."""
        places = zip(self.study.costs, self.budgets, strict=True)
        return sorted({self.study.best(cost, b) for cost, row in places for b in row})

    @property
    def order(self) -> list[int]:
        """Networks from 1, those on the fewest fronts first: the others are drawn over them."""
        fronts = [sum(row[i] % 2 for row in self.kinds) for i in range(len(self.names))]
        return [1 + i for i in sorted(range(len(self.names)), key=lambda i: fronts[i])]

    def derive(self) -> dict[str, Any]:
        """Return the keys that marks look up with, beside the parameters."""
        keys = {
            "rank": L("rank_of", "x", "budget"),
            "best": L("best_of", "rank"),
            "now": L("now_of", "pick", "rank"),
            "now_from": L("from", "x", "now"),
            "how": L("how_of", "now"),
            "verdict": L("verdict_of", "x", "pick"),
            "beater": L("beater_of", "x", "pick"),
            "follows": L("follows_of", "pick"),
        }
        for i in range(1, len(self.names) + 1):
            keys[f"from{i}"] = L("from", "x", i)
            keys[f"in{i}"] = L("in", f"from{i}", "budget")
            keys[f"kind{i}"] = L("kind", "x", i)
        for j in range(len(self.study.costs)):
            keys[f"cell{j}"] = L("kind", j, "now")
        return keys

    def tables(self) -> dict[str, list]:
        """Return all tables but those of words."""
        return {**self._points(), **self._line(), **self._chosen(), **self._axis()}

    def _points(self) -> dict[str, list]:
        steps = range(BUDGETS)
        return {
            "px": self.nets(lambda x, i: self.at[x][i], FIRST),
            "py": [self.heights[0], *self.heights],
            "kind": self.nets(lambda x, i: self.kinds[x][i], 0),
            "from": self.nets(self._from, BUDGETS),
            "in": [[WITHIN if f <= b else BEYOND for b in steps] for f in steps]
            + [[ABSENT] * BUDGETS],
            "there": [1] * BUDGETS + [0],
            "shade": [[0, 0.16, 0.55], [0, 0.28, 1], [0, 0.28, 1], [0, 0.28, 1]],
            "fill": ["c8", "c1", "bg", "c1"],
            "edge": ["none", "none", "c6", "c6"],
            "radius": [5, 8, 7, 8],
            "front": [self._stairs(x) for x in range(len(self.axes))],
            "value": self.nets(lambda x, i: self._amount(x, self.held[x][i]) or "—", ""),
        }

    def _from(self, x: int, i: int) -> int:
        """The first budget that the network is within; `BUDGETS` where it has no such cost."""
        value = self.held[x][i]
        return next((b for b, most in enumerate(self.budgets[x]) if 0 < value <= most), BUDGETS)

    def _amount(self, x: int, value: float) -> str:
        return amount(value, self.study.costs[x].unit) if value else ""

    def _stairs(self, x: int) -> str:
        """The best accuracy within each budget, as a path."""
        line = self.study.front(self.study.costs[x])
        path = f"M{self.at[x][line[0]]} {self.heights[line[0]]}"
        for before, after in pairwise(line):
            place = self.at[x][after]
            path += f"L{place} {self.heights[before]}L{place} {self.heights[after]}"
        return f"{path}L{RIGHT} {self.heights[line[-1]]}"

    def _line(self) -> dict[str, list]:
        costs = self.study.costs
        x_of = self.places(lambda x, b: across(b, self.axes[x]))
        left = [[px < 600 for px in row] for row in x_of]
        fit = self.places(lambda x, b: sum(0 < v <= b for v in self.held[x]))
        return {
            "bud_x": x_of,
            "grab_x": [[px - 13 for px in row] for row in x_of],
            "beyond_w": [[RIGHT - px for px in row] for row in x_of],
            "bud": self.places(lambda x, b: round_amount(b, costs[x].unit)),
            "bud_label_x": [[px + 8 if start else px - 8 for px, start in zip(a, b, strict=True)]
                            for a, b in zip(x_of, left, strict=True)],
            "bud_anchor": [["" if start else "end" for start in row] for row in left],
            "rank_of": self.places(lambda x, b: self.best.index(self.study.best(costs[x], b))),
            "best_of": [1 + i for i in self.best],
            "fit": fit,
        }  # fmt: skip

    def _chosen(self) -> dict[str, list]:
        count = len(self.names) + 1
        beaten = [self.study.beaten_by(cost) for cost in self.study.costs]

        def verdict(x: int, i: int) -> int:
            if not self.held[x][i]:
                return 3
            return 1 if beaten[x][i] is None else 2

        def beater(x: int, i: int) -> int:
            other = beaten[x][i]
            return 0 if other is None else 1 + other

        def side(x: int, i: int) -> int:
            return int(self.at[x][i] - 20 - LETTER * len(short(self.names[i])) >= 0)

        sides = self.nets(side, 0)
        return {
            "now_of": [[1 + i for i in self.best],
                       *([p] * len(self.best) for p in range(1, count))],
            "verdict_of": self.nets(verdict, 0),
            "beater_of": self.nets(beater, 0),
            "follows_of": [1, *[0] * (count - 1)],
            "anchor": [["end" if s else "" for s in row] for row in sides],
            "label_x": [[px + (-18 if s else 18) for px, s in zip([FIRST, *a], b, strict=True)]
                        for a, b in zip(self.at, sides, strict=True)],
            "label_y": [max(TOP + 8, y - 13) for y in (self.heights[0], *self.heights)],
            "short": ["", *(short(name) for name in self.names[: count - 1 - self.study.own]),
                      *[""] * self.study.own],
            "pill": ["panel", "c1"],
            "pill_ink": ["ink", "bg"],
            "dot": ["none", "c1", "none", "c1"],
            "dot_edge": ["line", "c1", "line", "c1"],
        }  # fmt: skip

    def _axis(self) -> dict[str, list]:
        """Ticks, as many as there can be; those that are not needed are hidden."""
        places, words, there = [], [], []
        for cost, axis in zip(self.study.costs, self.axes, strict=True):
            shown = ticks_of(axis)
            rest = TICKS - len(shown)
            places.append([across(v, axis) for v in shown] + [LEFT] * rest)
            words.append([round_amount(v, cost.unit) for v in shown] + [""] * rest)
            there.append([1] * len(shown) + [0] * rest)
        costs = range(len(self.axes))
        return {
            "tick_x": places,
            "tick_s": words,
            "tick": there,
            "cell": [["grid" if x == j else "bg" for j in costs] for x in costs],
        }


def short(name: str) -> str:
    """Return a name without what is said in brackets, at most 30 letters.

    >>> short("ShuffleNetV1 1.0x g=3 (Megvii repo)")
    'ShuffleNetV1 1.0x g=3'
    """
    plain = name.split(" (")[0]
    return plain if len(plain) <= 30 else f"{plain[:29]}…"
