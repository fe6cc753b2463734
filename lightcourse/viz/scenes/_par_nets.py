"""The networks of the Pareto picture: which are shown, what beats them, and which front they keep.

One network beats another when it is no worse in cost and in accuracy, and better in one of them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from lightcourse.design.portrait import COSTS, RUNTIMES, Portrait, PortraitRow
from lightcourse.errors import UserError

MOST_OWN, MOST_THREADS, MOST_RUNTIMES = 6, 4, 3
MACS = COSTS.index("macs")
WORDS = {  # label, unit, title of the axis
    "params": ("params", "", "parameters"),
    "macs": ("MACs", "", "multiply-accumulates (MACs) of one picture"),
    "memory_access": ("memory access", "B", "bytes read and written for one picture"),
    "peak_activation": ("peak activation", "B", "bytes of activations alive at once"),
}


@dataclass(frozen=True)
class Cost:
    """What can stand on the x axis."""

    key: str  # its column in the portrait
    label: str
    unit: str  # "", "B" or "s"
    title: str
    runtime: str = ""  # of a time
    threads: int = 0


def cost_of(key: str) -> Cost:
    """Return a portrait's column as a cost.

    >>> cost_of("eager, 2 threads").threads, cost_of("macs").label
    (2, 'MACs')
    """
    if key in WORDS:
        return Cost(key, *WORDS[key])
    runtime, threads = key, 1
    if found := re.fullmatch(r"(.+), (\d+) threads?", key):
        runtime, threads = found[1], int(found[2])
    return Cost(key, key, "s", f"milliseconds for one picture, {key}", runtime, threads)


def _place(cost: Cost) -> tuple:
    """Where a time stands among the times: by runtime, then threads."""
    known = RUNTIMES.index(cost.runtime) if cost.runtime in RUNTIMES else len(RUNTIMES)
    return known, cost.runtime, cost.threads


@dataclass(frozen=True)
class Study:
    """All networks with a published accuracy, those of the reader last, and their costs."""

    rows: tuple[PortraitRow, ...]
    own: int  # how many of them, at the end, are the reader's
    without: int  # rows of the portrait that have no published accuracy
    machine: str
    most_threads: int = MOST_THREADS

    @cached_property
    def costs(self) -> tuple[Cost, ...]:
        """The counts, then the times that have room: few and most threads first."""
        every = [cost_of(key) for key in Portrait(self.rows, self.machine).columns]
        counts = [c for c in every if c.unit != "s"]
        times = sorted((c for c in every if c.unit == "s"), key=_place)
        threads = sorted({c.threads for c in times})
        threads = [*threads[: self.most_threads - 1], *threads[-1:]]
        runtimes = list(dict.fromkeys(c.runtime for c in times))[:MOST_RUNTIMES]
        shown = (c for c in times if c.threads in threads and c.runtime in runtimes)
        return (*counts, *shown)

    @property
    def left_out(self) -> int:
        """How many of the portrait's times have no room."""
        return len(Portrait(self.rows, self.machine).columns) - len(self.costs)

    def values(self, cost: Cost) -> list[float]:
        """Return each network's cost; 0 where it was not counted or measured."""
        return [row.cost(cost.key) or 0.0 for row in self.rows]

    def front(self, cost: Cost, among: Sequence[int] | None = None) -> tuple[int, ...]:
        """Return the networks that none beats, cheapest first; twins are both on it."""
        held = self.values(cost)
        shown = [i for i in (range(len(held)) if among is None else among) if held[i]]
        best = Portrait(tuple(self.rows[i] for i in shown), self.machine).front(cost.key)
        points = {(row.cost(cost.key), row.top1) for row in best}
        on = [i for i in shown if (held[i], self.rows[i].top1) in points]
        return tuple(sorted(on, key=lambda i: held[i]))

    def both(self, one: Cost, other: Cost) -> list[int]:
        """Return the networks that have both costs."""
        pairs = zip(self.values(one), self.values(other), strict=True)
        return [i for i, (a, b) in enumerate(pairs) if a and b]

    def fronts(self, cost: Cost) -> tuple[frozenset[int], frozenset[int]]:
        """Return the fronts in MACs and in this cost, among the networks that have both."""
        macs = self.costs[MACS]
        shown = self.both(macs, cost)
        return frozenset(self.front(macs, shown)), frozenset(self.front(cost, shown))

    def beaten_by(self, cost: Cost) -> list[int | None]:
        """Return for each network the cheapest one at least as accurate that beats it, or None."""
        held, line = self.values(cost), self.front(cost)
        return [
            None if i in line or not held[i] else
            next(j for j in line if (self.rows[j].top1 or 0) >= (self.rows[i].top1 or 0))
            for i in range(len(self.rows))
        ]  # fmt: skip

    def smaller(self) -> "Study | None":
        """Return the same with one number of threads less; None where there is one only."""
        if len({c.threads for c in self.costs if c.unit == "s"}) < 2:
            return None
        return replace(self, most_threads=self.most_threads - 1)

    def excess(self, cost: Cost, network: int) -> float:
        """Return by what share a network costs more than the cheapest one as accurate."""
        held, top1 = self.values(cost), self.rows[network].top1 or 0.0
        rivals = [
            v for v, row in zip(held, self.rows, strict=True) if v and (row.top1 or 0) >= top1
        ]
        return held[network] / min(rivals) - 1

    def best(self, cost: Cost, budget: float) -> int:
        """Return the most accurate network within a budget, the cheapest of equals."""
        held = self.values(cost)
        within = [i for i, value in enumerate(held) if 0 < value <= budget]
        return max(within, key=lambda i: (self.rows[i].top1, -held[i]))


def study_of(portrait: Portrait, own: Sequence[PortraitRow] = ()) -> Study:
    """Return what is shown of a portrait and of the reader's own networks.

    Raises `UserError` where no network has an accuracy, or counts are missing.
    """
    known = [row for row in portrait.rows if row.top1 is not None]
    rows = (*known, *own)
    if not known or not all(row.cost(key) for row in known for key in COSTS):
        raise UserError(
            "this portrait lacks counts or published accuracies; portrait() measures one, and"
            " load_portrait() gives the one of the course."
        )
    return Study(rows, len(own), len(portrait.rows) - len(known), portrait.machine)
