"""The receptive-field scene as tables: what the networks say, in px of the frame."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..pool import Pool
from ._rf_nets import Net, Stage
from ._rf_words import SHARES, by, code, effective_caption, short, squares, theory_caption, times
from .photo import photograph

WIDTH, HEIGHT = 1020, 536
EDGE, SIDE = 42, 480  # px: left and top of the picture with its padding, and its side
NUMBER, NAME, BAR_END, SEES, JUMP, MAP = 566, 576, 818, 886, 936, 1008  # px: columns at the right
BARS_HEIGHT = 462
TABLE_BYTES, POOL_BYTES = (
    46_000,
    60_000,
)  # what dragging and the pictures may take, if there is room
MOST_POSITIONS = 64


class View:
    """Tables of one scene, and the geometry that they share with its marks.

    `room` (0 to 1) makes the tables smaller: fewer places to drag to, coarser heat maps.
    """

    def __init__(self, nets: list[Net], size: int, room: float = 1.0):
        self.nets, self.size, self.room = nets, size, room
        self.depth = max(len(net.stages) for net in nets)
        self.margin = max(1, round(size / 8))  # input pixels of padding that are shown
        self.cell = SIDE / (size + 2 * self.margin)
        self.zero = self.margin * self.cell  # px of padding on each side
        self.inner = size * self.cell
        self.row = min(50.0, BARS_HEIGHT / self.depth)
        stages = [stage for net in nets for stage in net.stages]
        square = all(
            (s.low[0] == s.low[1]).all() and (s.high[0] == s.high[1]).all() for s in stages
        )
        self.axes = (0,) if square else (0, 1)  # one table serves both axes where it can
        each = 16 * len(stages) * len(self.axes)  # bytes that a position takes in the tables
        self.positions = min(size, MOST_POSITIONS, int(TABLE_BYTES * room) // each)
        self.pixels = ((np.arange(self.positions) + 0.5) * size / self.positions).astype(int)
        longest = max(len(short(s.name, 18)) for s in stages)
        self.bar = NAME + min(160.0, max(62.0, 8.8 * longest)) + 12
        self.bar_width = BAR_END - self.bar
        self.padded = any(s.low.min() < 0 or s.high.max() >= size for s in stages)
        self.shares = [[squares(stage) for stage in net.stages] for net in nets]
        self.pool = Pool()
        self.photo = photograph(self.pool)
        self.heats = self._heats()

    # -- px of the frame -----------------------------------------------------------------

    def place(self, pixels: Any) -> np.ndarray:
        """Where input pixels begin, cut where the padding that is shown ends."""
        inside = np.clip(pixels, -self.margin, self.size + self.margin)
        return np.round(EDGE + (inside + self.margin) * self.cell, 1)

    def span(self, low: Any, high: Any) -> np.ndarray:
        """Length of the input pixels from `low` to `high`, both included."""
        return np.round(self.place(np.asarray(high) + 1) - self.place(low), 1)

    def length(self, pixels: float) -> float:
        """Length of a bar, to scale: the longest is the largest field or the picture."""
        longest = max(max(stage.size) for net in self.nets for stage in net.stages)
        return self.bar_width * pixels / max(longest, self.size)

    # -- tables --------------------------------------------------------------------------

    def tables(self) -> dict[str, Any]:
        """Return all tables; the keys are [net][layer], with the view first where it matters."""
        layers = range(self.depth)
        shares = len(SHARES)
        return {
            "depth": [len(net.stages) for net in self.nets],
            "label": [[_label(net, i) for i in range(len(net.stages))] for net in self.nets],
            "note": [net.note for net in self.nets],
            **self._dragged(), **self._middle(), **self._bars(),
            "heat": self.heats,
            "shade": [0, *[0.62] * shares],
            "theory": [1, *[0] * shares], "effective": [0, *[1] * shares],
            "nested": [
                [[0.75 * (i < now and view == 0) for i in layers] for now in layers]
                for view in range(1 + shares)
            ],
            "now": [
                [["hi" if i == now and view == 0 else "c1" for i in layers] for now in layers]
                for view in range(1 + shares)
            ],
            "weight": [["700" if i == now else "400" for i in layers] for now in layers],
            "lit": [["panel" if i == now else "bg" for i in layers] for now in layers],
            "reached": [
                [[int(i <= now and i < len(net.stages)) for i in layers] for now in layers]
                for net in self.nets
            ],
            "same": list(layers), "over": [0.22, *[0] * shares],
            "say": [self._heading(view) for view in range(1 + shares)],
            "caption": self._captions(),
            "code": [[code(net, i) for i in range(len(net.stages))] for net in self.nets],
        }  # fmt: skip

    def _heading(self, view: int) -> str:
        if view == 0:
            return f"{self.size}×{self.size} picture · drag the unit"
        own = {net.measured for net in self.nets}
        weights = "its own" if own == {True} else "random" if own == {False} else "random or own"
        return f"Influence on the middle unit, with {weights} weights"

    def _each(self, value: Callable[[Stage], Any]) -> list:
        return [[value(stage) for stage in net.stages] for net in self.nets]

    def _pad(self, value: Callable[[Stage], Any], fill: Any) -> list:
        """Like `_each`, with `fill` for the layers that a shorter network lacks."""
        return [row + [fill] * (self.depth - len(row)) for row in self._each(value)]

    def _captions(self) -> list:
        """Captions by view: the theory, then each share."""

        def effective(k: int, net: Net, shares: list) -> list:
            return [effective_caption(net, i, k, stage[k][1]) for i, stage in enumerate(shares)]

        theory = [[theory_caption(net, i) for i in range(len(net.stages))] for net in self.nets]
        pairs = list(zip(self.nets, self.shares, strict=True))
        return [theory, *([effective(k, *pair) for pair in pairs] for k in range(len(SHARES)))]

    def _dragged(self) -> dict[str, list]:
        """The unit above each position: its square, and what of it lies outside the picture."""

        def both(value: Callable[[Stage, int], np.ndarray]) -> list:
            return self._each(lambda s: [value(s, axis).tolist() for axis in self.axes])

        def filled(rows: list) -> list:  # the squares of layers that are not there need a place
            return [row + [row[-1]] * (self.depth - len(row)) for row in rows]

        at = self.pixels
        return {
            "low": filled(both(lambda s, a: self.place(s.low[a][at]))),
            "length": filled(both(lambda s, a: self.span(s.low[a][at], s.high[a][at]))),
            "before": both(lambda s, a: _count(-s.low[a][at])),
            "after": both(lambda s, a: _count(s.high[a][at] - self.size + 1)),
        }

    def _middle(self) -> dict[str, list]:
        """The middle unit's square in theory, and the square of each share; [axis] last."""

        def box(first: Any, last: Any) -> list:
            return [
                [self.place(first[a]).item(), self.span(first[a], last[a]).item()] for a in (0, 1)
            ]

        theory = self._each(lambda s: box(s.middle[:, 0], s.middle[:, 1]))
        ladder: list = [theory] + [
            [[box(f, f + n - 1) for f, n in (stage[k] for stage in net)] for net in self.shares]
            for k in range(len(SHARES))
        ]
        dots = self._each(lambda s: [self.dot(s.middle[a].sum() / 2) for a in (0, 1)])
        return {
            "theory_box": theory, "share_box": ladder, "middle_dot": dots,
            "dot": [self.dot(p) for p in self.pixels.tolist()],
        }  # fmt: skip

    def dot(self, pixel: float) -> float:
        """The middle of a pixel."""
        return float(self.place(pixel)) + self.cell / 2

    def _bars(self) -> dict[str, list]:
        views = range(1 + len(SHARES))

        def sides(k: int, value: Callable, fill: Any) -> list:
            rows = [[value(stage[k - 1][1]) for stage in net] for net in self.shares]
            return [row + [fill] * (self.depth - len(row)) for row in rows]

        none = [[0] * self.depth for _ in self.nets]
        whole = self._pad(lambda s: times(s.size) + (" px" if s.size[0] == s.size[1] else ""), "")

        return {
            "bar": self._pad(lambda s: self.length(max(s.size)), 0),
            "part": [sides(k, self.length, 0) if k else none for k in views],
            "sees": [sides(k, lambda n: f"{n} px", "") if k else whole for k in views],
            "there": self._pad(lambda s: 1, 0),
            "number": self._pad(lambda s: str(s.number or ""), ""),
            "name": self._pad(lambda s: short(s.name, 18), ""),
            "jump": self._pad(lambda s: times(s.jump), ""),
            "map": self._pad(lambda s: by(s.map), ""),
            "tip": self._pad(_tip, "no such layer"),
            "head": ["sees", *(f"{s:.0%}" for s in SHARES)],
        }

    def _heats(self) -> list:
        """Heat maps in the pool, as fine as the budget allows."""
        for side in (64, 48, 40, 32, 24, 16):
            pool = Pool(self.pool)
            heats = self._each(lambda s, pool=pool, side=side: pool.heat(
                np.sqrt(shrink(s.heat, side)), alpha=True))  # fmt: skip
            if sum(map(len, pool)) <= POOL_BYTES * self.room:
                break
        self.pool = pool
        return heats


def _count(over: np.ndarray) -> np.ndarray:
    """Pixels outside as text, empty where there are none."""
    return np.array([f"+{n}" if n > 0 else "" for n in over.tolist()])


def _label(net: Net, index: int) -> str:
    return f"{net.stages[index].number} of {net.layers}" if index else "input"


def _tip(stage: Stage) -> str:
    return f"Layer {stage.number}, {stage.name}" if stage.number else "Input"


def shrink(heat: np.ndarray, most: int) -> np.ndarray:
    """Average a square map over blocks, down to at most `most` pixels a side.

    >>> shrink(np.ones((6, 6)), 4).shape
    (3, 3)
    """
    size = heat.shape[0]
    even = [n for n in range(most // 2 + 1, most + 1) if size % n == 0]
    side = max(even, default=min(most, size))
    edges = np.round(np.linspace(0, size, side + 1)).astype(int)
    lengths = np.diff(edges)
    sums = np.add.reduceat(np.add.reduceat(heat, edges[:-1], 0), edges[:-1], 1)
    return sums / np.outer(lengths, lengths)
