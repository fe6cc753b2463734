"""The gradient's way as tables: places in px of every bar, how far it has come, what it says.

Keys are [of] (outputs, weights), [start], [depth], [back] (the steps travelled), and layers, which
count from 0, the last, backwards.
"""

from collections.abc import Callable, Sequence
from math import ceil, log10
from typing import Any

from ..scene import L
from ._grf_nets import OUTPUT, WEIGHT, Flow

WIDTH = 840
LEFT, RIGHT, LOSS = 74, 762, 772  # the frame of the bars, and the card of the loss
ARROW = 46  # y of the gradient's arrow
FIRST, TALL, PITCH = 86, 186, 246  # y of the first panel, its height, and between panels
LOW, HIGH = -8, 4  # powers of ten: the ends of the axis
TICKS = ((-6, "10⁻⁶"), (-3, "0.001"), (0, "1"), (3, "1000"))
STOPS = 19  # most steps of the way back


class View:
    """Tables of one or two networks for each start and depth."""

    def __init__(self, names: Sequence[str], flows: Sequence[Sequence[Sequence[Flow]]], own: bool):
        self.names, self.flows, self.own = names, flows, own
        self.most = max(flow.layers for row in flows for nets in row for flow in nets)

    @property
    def height(self) -> int:
        """The height of the picture."""
        return self.bottom + (44 if self.own else 102)

    @property
    def bottom(self) -> int:
        """The foot of the last panel."""
        return FIRST + PITCH * (len(self.names) - 1) + TALL

    @property
    def case(self) -> tuple[int | str, int | str]:
        """The keys of a start and a depth, of which a reader's own networks have one each."""
        return (0, 0) if self.own else ("start", "depth")

    def place(self, table: str, *more: str | int) -> dict[str, Any]:
        """Look up a table [depth]..., of what does not depend on the start."""
        return L(table, 0 if self.own else "depth", *more)

    def every(self, value: Any) -> list:
        """A table [start][depth] of value(nets)."""
        return [[value(nets) for nets in row] for row in self.flows]

    def each(self, value: Any) -> list:
        """A table [depth] of value(nets), of what does not depend on the start."""
        return [value(nets) for nets in self.flows[0]]

    def both(self, p: int, value: Callable[[Flow, int], Any]) -> list:
        """A table [of][start][depth] of value(flow, of) of one panel's network."""
        return [
            [[value(nets[p], of) for nets in row] for row in self.flows]
            for of in (OUTPUT, WEIGHT)
        ]  # fmt: skip

    def longest(self, nets: Sequence[Flow]) -> int:
        """Most layers of the networks side by side."""
        return max(flow.layers for flow in nets)

    def step(self, nets: Sequence[Flow]) -> int:
        """How many layers the gradient travels at once."""
        return ceil((self.longest(nets) - 1) / STOPS)

    def stops(self, nets: Sequence[Flow]) -> int:
        """How many steps there are, the start included."""
        return 1 + ceil((self.longest(nets) - 1) / self.step(nets))

    def reached(self, nets: Sequence[Flow], back: int) -> int:
        """The layer that the gradient has reached."""
        return min(self.longest(nets) - 1, back * self.step(nets))

    def x(self, nets: Sequence[Flow], layer: int) -> float:
        """The middle of a layer's bar."""
        count = self.longest(nets)
        inside = min(layer, count - 1)
        return round(RIGHT - (RIGHT - LEFT) * (inside + 0.5) / count, 1)

    def derive(self) -> dict[str, Any]:
        """Return the keys that marks look up with, beside the parameters."""
        keys = {"far": self.place("far_of", "back"), "done": self.place("done_of", "back")}
        for p in range(len(self.names)):
            keys[f"far{p}"] = self.place(f"far_of_{p}", "back")
            keys[f"foot{p}"] = L(f"foot_of_{p}", "of", *self.case)
        return keys

    def tables(self) -> dict[str, Any]:
        """Return all tables but those of words."""
        layers, backs = range(self.most), range(max(self.each(self.stops)))
        found: dict[str, Any] = {
            "stops": self.each(self.stops),
            "far_of": self.each(lambda nets: [self.reached(nets, b) for b in backs]),
            "done_of": self.each(lambda nets: [int(b >= self.stops(nets) - 1) for b in backs]),
            "on": [[[int(j <= far and j < count) for j in range(self.most + 1)] for far in layers]
                   for count in self._counts],
            "x": self.each(lambda nets: [self.x(nets, j) for j in layers]),
            "wide": self.each(lambda nets: round(0.78 * (RIGHT - LEFT) / self.longest(nets), 2)),
            "edge": self.each(lambda nets: [self._edge(nets, self.reached(nets, b))
                                            for b in backs]),
            "arrow": self.each(lambda nets: [self._arrow(nets, self.reached(nets, b))
                                             for b in backs]),
        }  # fmt: skip
        if not self.own:
            found |= self._stages()
        for p in range(len(self.names)):
            found |= self._panel(p)
        return found

    def _panel(self, p: int) -> dict[str, Any]:
        """The tables of one network's bars."""
        backs = range(max(self.each(self.stops)))
        return {
            f"y{p}": self.both(
                p, lambda flow, of: [self._y(flow, of, j, p) for j in range(self.most)]
            ),
            f"foot_of_{p}": self.both(p, self._foot),
            f"far_of_{p}": self.each(
                lambda nets: [min(nets[p].layers - 1, self.reached(nets, b)) for b in backs]
            ),
        }

    @property
    def _counts(self) -> list[int]:
        """The numbers of layers that need to be told apart: those of the reader's networks."""
        return [flow.layers for flow in self.flows[0][0]] if self.own else [self.most]

    def on(self, p: int, layer: int | str) -> dict[str, Any]:
        """Look up whether the gradient has come to a layer of a panel's network."""
        return L("on", p if self.own else 0, "far", layer)

    def _stages(self) -> dict[str, Any]:
        """Where the maps halve, the middle of each stage, and the shortcuts as a path."""
        sides = sorted(set(self.flows[0][0][0].sides), reverse=True)  # of the first layers first
        return {
            "halve": self.each(lambda nets: [
                self._edge(nets, max(j for j, other in enumerate(nets[0].sides) if other == side))
                for side in sides[1:]
            ]),
            "stage": self.each(lambda nets: [self._middle(nets, side) for side in sides]),
            "stage_s": [f"{side}×{side} px" for side in sides],
            "arcs": self.each(self._arcs),
        }  # fmt: skip

    def _column(self, nets: Sequence[Flow]) -> float:
        return (RIGHT - LEFT) / self.longest(nets)

    def _middle(self, nets: Sequence[Flow], side: int) -> float:
        here = [j for j, other in enumerate(nets[0].sides) if other == side]
        return round((self.x(nets, here[0]) + self.x(nets, here[-1])) / 2, 1)

    def _arcs(self, nets: Sequence[Flow]) -> str:
        """The shortcut of each block of two layers, below the bars."""
        y, path = self.bottom + 3, ""
        for j in range(0, self.longest(nets) - 1, 2):
            left = self._edge(nets, j + 1)
            right = left + 2 * self._column(nets)
            ends = f"{right - 2:.0f} {y + 13} {left + 2:.0f} {y + 13} {left + 1:.0f} {y}"
            path += f"M{right - 1:.0f} {y}C{ends}"
        return path

    def _y(self, flow: Flow, of: int, layer: int, p: int) -> float:
        """The end of a bar; a layer that is none has none, and below the axis is a stub."""
        base = FIRST + PITCH * p + TALL
        if layer >= flow.layers:
            return base
        return round(min(base - 3, base - TALL * part(flow.norm(of, layer))), 1)

    def _foot(self, flow: Flow, of: int) -> int:
        """The first layer whose bar is below the axis; one more than there are where none is."""
        below = (j for j in range(flow.layers) if part(flow.norm(of, j)) == 0)
        return next(below, self.most)

    def _edge(self, nets: Sequence[Flow], layer: int) -> float:
        """The left edge of a layer's column."""
        return round(self.x(nets, layer) - self._column(nets) / 2, 1)

    def _arrow(self, nets: Sequence[Flow], layer: int) -> str:
        """The head of the arrow that has come to a layer."""
        x, y = self._edge(nets, layer), ARROW
        return f"M{x} {y}L{x + 13:.1f} {y - 8}L{x + 13:.1f} {y + 8}Z"


def part(norm: float) -> float:
    """Return where a norm is on the axis, 0 its foot and 1 its top.

    >>> part(1e4), part(1e-8), part(0)
    (1.0, 0.0, 0.0)
    """
    return min(1.0, max(0.0, (log10(norm) - LOW) / (HIGH - LOW))) if norm > 0 else 0.0
