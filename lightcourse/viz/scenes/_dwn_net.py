"""The ladders of the downsampling scene: a stem, separable blocks, halvings at any of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from typing import Any

BYTES = 4  # of a float32
KINDS = ("paper", "early", "late")  # of placings that have a button
BAD = len(KINDS) + 1  # kinds from here on are invalid: unit 0 halves twice, unit 1, …
SAVED = 2 * BYTES  # batch norm keeps a mean and a deviation for each channel


@dataclass(frozen=True)
class Ladder:
    """A network of one family: a 3×3 stem (unit 0), then separable blocks (units 1, 2, …)."""

    name: str
    channels: tuple[int, ...]  # after the stem and after each block
    halved: tuple[int, ...]  # the units that halve, as published
    fixed: int  # so many of them, the first, cannot be moved: 1 where the stem halves, else 0
    size: int = 224  # px, a multiple of 2 to the number of halvings
    classes: int = 1000

    @property
    def units(self) -> int:
        return len(self.channels)

    @property
    def layers(self) -> int:
        """Layers with weights: the stem, two for each block, the classifier."""
        return 2 * self.units

    @property
    def movable(self) -> int:
        """How many halvings can be moved."""
        return len(self.halved) - self.fixed

    @property
    def free(self) -> int:
        """To how many units a halving can be moved."""
        return self.units - self.fixed

    @property
    def params(self) -> int:
        """Weights, batch norm's scale and shift, the classifier; halvings do not count."""
        pairs = pairwise(self.channels)
        blocks = sum(9 * a + 2 * a + a * b + 2 * b for a, b in pairs)
        head = self.classes * (self.channels[-1] + 1)
        return 29 * self.channels[0] + blocks + head

    @property
    def published(self) -> tuple[int, ...]:
        """The halvings that can be moved, where they stand as published."""
        return self.halved[self.fixed :]

    @cached_property
    def placings(self) -> tuple[tuple[int, ...], ...]:
        """All ways to place the halvings that can be moved, one in a layer."""
        return tuple(combinations(range(self.fixed, self.units), self.movable))

    def side(self, halvings: int) -> int:
        """Height and width of a map after so many movable halvings."""
        return self.size >> (self.fixed + halvings)

    @cached_property
    def costs(self) -> list[list[int]]:
        """`cost` of each unit, at each number of halvings."""
        return [[self.cost(i, t) for t in range(self.movable + 1)] for i in range(self.units)]

    def cost(self, unit: int, halvings: int) -> int:
        """MACs of a unit whose output has so many movable halvings behind it.

        >>> Ladder("", (32, 64), (0,), 1).cost(1, 0) == 112 * 112 * (9 * 32 + 32 * 64)
        True
        """
        after, area = self.channels[unit], self.side(halvings) ** 2
        if unit == 0:
            return 9 * 3 * after * area
        before = self.channels[unit - 1]
        return (9 * before + before * after) * area

    def stages(self, places: Sequence[int]) -> list[int]:
        """How many movable halvings each unit's output has behind it."""
        found, begin = [], 0
        for halvings, end in enumerate((*places, self.units)):
            found += [halvings] * (end - begin)
            begin = end
        return found

    def macs(self, places: Sequence[int]) -> int:
        """MACs of the whole network, classifier included."""
        head = self.channels[-1] * self.classes
        return head + sum(self.costs[i][t] for i, t in enumerate(self.stages(places)))

    def early(self, places: Sequence[int]) -> int:
        """MACs on all maps larger than the last."""
        last = len(places)
        return sum(self.costs[i][t] for i, t in enumerate(self.stages(places)) if t < last)

    def peak(self, places: Sequence[int]) -> int:
        """The most bytes alive at once, as PyTorch runs the layers; the input is not counted.

        A block keeps its input to the end; batch norm and ReLU each write a new map.
        """
        stages = self.stages(places)
        alive, before = [2 * self._map(0, stages[0]) + SAVED * self.channels[0]], 0
        for i in range(1, self.units):
            before = self._map(i - 1, stages[i - 1])
            deep, out = self._map(i - 1, stages[i]), self._map(i, stages[i])
            alive += [
                before + 2 * deep + SAVED * self.channels[i - 1],
                before + deep + out,
                before + 2 * out + SAVED * self.channels[i],
            ]
        return max(alive)

    def _map(self, unit: int, halvings: int) -> int:
        return BYTES * self.channels[unit] * self.side(halvings) ** 2

    def steps(self, places: Sequence[int], upto: int) -> int:
        """The steps behind a receptive field: Σ 2^(halvings before it) over units 1 … `upto`.

        Each halving doubles what comes after it, so the sum is one term for each halving.
        """
        return upto + sum(2**k * max(0, upto - p) for k, p in enumerate(places))

    def field(self, steps: int) -> int:
        """Receptive field in px: the stem's 3, and 2 px for each step, at the stem's stride."""
        return 3 + 2 * 2**self.fixed * steps


def by_moves(ladder: Ladder, value: Callable[[tuple[int, ...]], Any]) -> list:
    """Return a table [last halving]…[first] of `value(units that halve)`; two may share a unit."""

    def rows(later: tuple[int, ...]) -> list:
        stop = later[0] if later else ladder.units - 1
        every = [(unit, *later) for unit in range(ladder.fixed, stop + 1)]
        return [value(p) if len(p) == ladder.movable else rows(p) for p in every]

    return rows(())


def clash(places: Sequence[int]) -> int | None:
    """Return the first unit that would halve twice; None where none does.

    >>> clash((2, 4, 4)), clash((2, 4, 5))
    (4, None)
    """
    return next((a for a, b in pairwise(places) if a == b), None)
