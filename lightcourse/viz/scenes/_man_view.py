"""The manifold scene as tables, keyed by `a` (activation, n, draw) and `z` (a and the read-out)."""

from collections.abc import Sequence
from colorsys import hls_to_rgb
from functools import cache
from typing import Any

import numpy as np

from ..theme import luminance
from . import _man_words as words
from ._man_numbers import (
    ACTIVATIONS,
    DRAWS,
    EVERY,
    NS,
    POINTS,
    SEEDS,
    Piece,
    Trip,
    curves,
    draw,
    matrix_of,
    spiral,
    trips,
    zones,
)

WIDTH, HEIGHT = 840, 430  # px
TOP, SIDE = 36, 256  # px: the panels
LEFT, BACK = 6, 284  # px: the spiral's panel, and what came back
PLOT, PLOT_WIDE = 620, 212  # px: the curves against n
UNIT = 29  # px
HALF = SIDE / 2 / UNIT  # units from the middle of a panel to its edge
BRIGHT = 0.2  # luminance of the points
MOST = 1.1  # the highest error on the plot
EDGE = 4  # px that a band goes beyond its ends
READS = ("T⁺", "fitted")
MEASURES = 3  # error by T⁺, error by the best linear map, lost
NONE = len(ACTIVATIONS) - 1
DRAWN = POINTS // EVERY
MARKED = (0, 16, 32, 48, 63, DRAWN - 1)  # the points with a letter


class View:
    """All numbers of one scene, and its tables."""

    def __init__(self, own: Any = None):
        if own is None:
            self.names, self.ns = [str(seed) for seed in SEEDS], NS
            self.matrices = [draw(seed) for seed in SEEDS]
        else:
            matrix = matrix_of(own)
            self.names, self.matrices = ["yours"], [matrix]
            self.ns = tuple(sorted({n for n in NS if n < len(matrix)} | {len(matrix)}))
        self.own = own is not None
        self.keys, self.trips = self._trips()
        self.quartiles = curves(self.ns)

    def _trips(self) -> tuple[list[tuple[int, int, int]], list[Trip]]:
        """The keys (activation, n, draw) and their trips; without an activation all are alike."""
        keys, found = [(NONE, 0, 0)], trips(self.matrices[0][None, : self.ns[0]], ACTIVATIONS[NONE])
        for a, act in enumerate(ACTIVATIONS[:NONE]):
            for i, n in enumerate(self.ns):
                keys += [(a, i, d) for d in range(len(self.matrices))]
                found += trips(np.stack([m[:n] for m in self.matrices]), act)
        return keys, found

    def row(self, act: int, step: int, seed: int) -> int:
        """Return the row of a state in the tables."""
        return 0 if act == NONE else self.keys.index((act, step, seed))

    def _states(self) -> list:
        """A table [act][step][seed] of rows."""
        each = range(len(ACTIVATIONS)), range(len(self.ns)), range(len(self.matrices))
        return [[[self.row(a, i, d) for d in each[2]] for i in each[1]] for a in each[0]]

    def tables(self) -> dict[str, Any]:
        """Return all tables."""
        z_of = [[2 * row - 1 + read if row else 0 for read in (0, 1)]
                for row in range(len(self.keys))]  # fmt: skip
        return {
            "row": self._states(),
            "z_of": z_of,
            **self._points(),
            **self._zones(),
            **self._curves(),
            **words.tables(self),
        }

    def _points(self) -> dict[str, Any]:
        """Where the points come back to, px [z][point]; those beyond the panel stop at its edge."""
        drawn = [self.trips[0].back[0]] + [z for trip in self.trips[1:] for z in trip.back]
        x, y = zip(*(place(z, BACK) for z in drawn), strict=True)
        return {
            "x": [row.tolist() for row in x],
            "y": [row.tolist() for row in y],
            "mark_y": [[v + 6 for v in row[list(MARKED)].tolist()] for row in y],
            "beyond": [words.beyond(int((np.abs(z) > HALF).any(1).sum())) for z in drawn],
            "tip_n": [[""] * DRAWN, *(trip.alive.tolist() for trip in self.trips[1:])],
        }

    def _zones(self) -> dict[str, Any]:
        """The parts of the plane that are lost, as paths [rank][a]."""
        paths: list[list[str]] = [["M0 0Z"], ["M0 0Z"]]
        for a, i, d in self.keys[1:]:
            found = zones(self.matrices[d][: self.ns[i]], ACTIVATIONS[a], HALF)
            for rank in (0, 1):
                paths[rank].append("".join(_polygon(p) for p in found[rank]) or "M0 0Z")
        return {"zone": paths}

    def _curves(self) -> dict[str, Any]:
        """Medians and middle halves up to the present n, and the dots of the present draw."""
        acts, steps = range(len(ACTIVATIONS)), range(len(self.ns))
        xs = [self.across(i) for i in steps]
        line, band = [], []
        for m in range(MEASURES):
            low, middle, high = (self.quartiles[:, m, :, q] for q in range(3))
            line.append([[_line(xs[: i + 1], height(middle[a, : i + 1])) for i in steps]
                         for a in acts])  # fmt: skip
            band.append([[_band(xs[: i + 1], height(low[a, : i + 1]), height(high[a, : i + 1]))
                          for i in steps] for a in acts])  # fmt: skip
        dots = [height(np.array([*trip.errors, trip.lost])).tolist() for trip in self.trips]
        return {"line": line, "band": band, "dot_x": xs, "dot_y": dots}

    def across(self, step: int) -> float:
        """Return where an n stands on the plot."""
        return round(PLOT + PLOT_WIDE * (step + 0.5) / len(self.ns), 1)


def place(points: np.ndarray, left: float) -> tuple[np.ndarray, np.ndarray]:
    """Return whole px (x, y) of points in the panel that begins at `left`; beyond it, its edge."""
    near = np.clip(points, -HALF, HALF) * UNIT
    x, y = left + SIDE / 2 + near[:, 0], TOP + SIDE / 2 - near[:, 1]
    return np.rint(x).astype(int), np.rint(y).astype(int)


def height(share: np.ndarray) -> np.ndarray:
    """Return px of shares on the plot."""
    return (TOP + SIDE * (1 - np.minimum(share, MOST) / MOST)).round(1)


@cache
def colours() -> list[str]:
    """Return the colours along the spiral, from blue to red, all of one luminance.

    They keep 3:1 on a light and on a dark ground.
    """
    return [_colour(hue / 360 % 1) for hue in np.linspace(245, -25, DRAWN)]


def _colour(hue: float) -> str:
    """Return the colour of a hue, as bright as all others: halve the range of its lightness."""
    low, high = 0.1, 0.9
    for _ in range(12):
        middle = (low + high) / 2
        colour = "#" + "".join(f"{round(255 * c):02x}" for c in hls_to_rgb(hue, middle, 0.85))
        low, high = (middle, high) if luminance(colour) < BRIGHT else (low, middle)
    return colour


def ghost() -> str:
    """Return the spiral as a line in the panel of what came back."""
    x, y = place(spiral()[::EVERY], BACK)
    return _line(x.tolist(), y)


def _polygon(piece: Piece) -> str:
    points = np.array(piece)
    x, y = LEFT + SIDE / 2 + UNIT * points[:, 0], TOP + SIDE / 2 - UNIT * points[:, 1]
    return _line(x.round(1).tolist(), y.round(1)) + "Z"


def _line(xs: Sequence[float], ys: np.ndarray) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in zip(xs, ys, strict=True))


def _band(xs: Sequence[float], low: np.ndarray, high: np.ndarray) -> str:
    """A closed shape between two lines; it goes a little beyond both ends."""
    wide = [xs[0] - EDGE, *xs, xs[-1] + EDGE]
    ends = np.concatenate([high[:1], high, high[-1:]]), np.concatenate([low[:1], low, low[-1:]])
    return _line([*wide, *reversed(wide)], np.concatenate([ends[0], ends[1][::-1]])) + "Z"


def draws_said() -> str:
    """Return what the curves are of."""
    return f"medians, {DRAWS} draws"
