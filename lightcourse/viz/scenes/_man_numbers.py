"""The manifold scene's numbers: a spiral through T, an activation, and two linear read-outs.

A number of a point comes through unchanged where the activation has slope 1: above 0, and for
ReLU6 below 6. Where the rows of T that do so span less than two dimensions, a whole stretch of the
plane gives the same n numbers: the point is lost, whatever comes after. Elsewhere it is the only
point of the plane with its numbers.
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from lightcourse.errors import UserError

NS = (2, 3, 5, 10, 15, 30)  # of MobileNetV2's figure 1, and 10
SEEDS = (0, 1, 2, 3)  # the draws of T to look at
DRAWS = 100  # draws of T under the curves
POINTS, RADIUS, ANGLE = 400, 4, 15  # of the spiral; its end in units and in radians
EVERY = 5  # one point in so many is drawn
LEAST = 1e-9  # of a Gram matrix: below this share its rows are parallel
TINY = 1e-6  # an area that is only rounding

Piece = list[tuple[float, float]]  # corners of a convex part of the plane


@dataclass(frozen=True)
class Activation:
    """An activation whose slope is 1 between two ends and 0 outside."""

    name: str
    low: float
    high: float
    code: str
    alive: str  # the code that finds what comes through

    def __call__(self, u: np.ndarray) -> np.ndarray:
        return np.clip(u, self.low, self.high)

    def through(self, u: np.ndarray) -> np.ndarray:
        return (u > self.low) & (u < self.high)


ACTIVATIONS = (
    Activation("ReLU", 0, math.inf, "F.relu(u)", "u > 0"),
    Activation("ReLU6", 0, 6, "F.relu6(u)", "(u > 0) & (u < 6)"),
    Activation("none", -math.inf, math.inf, "u", "u == u"),
)


@dataclass(frozen=True)
class Trip:
    """The spiral there and back through one T; an error is a root mean square in spiral sizes."""

    back: tuple[np.ndarray, np.ndarray]  # (drawn, 2) by T⁺ and by the best linear map
    errors: tuple[float, float]
    rank: np.ndarray  # (points,) dimensions that come through, 0 to 2
    alive: np.ndarray  # (drawn,) numbers that come through

    @property
    def lost(self) -> float:
        return float((self.rank < 2).mean())


def spiral() -> np.ndarray:
    """Return the points (POINTS, 2), nearly evenly spaced along the spiral."""
    t = np.sqrt(np.linspace(0.05, 1, POINTS))
    return RADIUS * t[:, None] * np.stack([np.cos(ANGLE * t), np.sin(ANGLE * t)], 1)


@cache
def draw(seed: int) -> np.ndarray:
    """Return T (30, 2) as `torch.manual_seed(seed)` draws it."""
    import torch

    made = torch.randn(max(NS), 2, generator=torch.Generator().manual_seed(seed))
    return made.double().numpy()


def trips(matrices: np.ndarray, act: Activation) -> list[Trip]:
    """Send the spiral through every T of (draws, n, 2)."""
    x = spiral()
    u = x @ matrices.transpose(0, 2, 1)
    y, alive = act(u), act.through(u)
    yt = y.transpose(0, 2, 1)
    fitted = np.linalg.pinv(yt @ y, rcond=1e-11, hermitian=True) @ (yt @ x)
    back = [y @ np.linalg.pinv(matrices).transpose(0, 2, 1), y @ fitted]
    errors = [(np.linalg.norm(z - x, axis=(1, 2)) / np.linalg.norm(x)).tolist() for z in back]
    rank = ranks(alive, matrices)
    return [
        Trip((back[0][i, ::EVERY], back[1][i, ::EVERY]), (errors[0][i], errors[1][i]), rank[i],
             alive[i, ::EVERY].sum(1))
        for i in range(len(matrices))
    ]  # fmt: skip


def ranks(alive: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Return the rank of the rows of each T that come through, (draws, points)."""
    a, b = matrices[:, None, :, 0] * alive, matrices[:, None, :, 1] * alive
    aa, bb, ab = (a * a).sum(2), (b * b).sum(2), (a * b).sum(2)
    whole = aa + bb
    return (whole > 0).astype(int) + (aa * bb - ab**2 > LEAST * whole**2)


@cache
def curves(ns: tuple[int, ...]) -> np.ndarray:
    """Return quartiles over the draws: (activation, measure, n, 3); measures are T⁺, fit, lost."""
    every = np.stack([draw(seed) for seed in range(DRAWS)])

    def measures(act: Activation, n: int) -> np.ndarray:
        found = trips(every[:, :n], act)
        values = [[*trip.errors, trip.lost] for trip in found]
        return np.quantile(values, (0.25, 0.5, 0.75), axis=0).T

    table = [[measures(act, n) for n in ns] for act in ACTIVATIONS[:-1]]
    table.append([np.zeros((3, 3)) for _ in ns])  # without an activation nothing is lost
    return np.array(table).transpose(0, 2, 1, 3)


def matrix_of(given: Any) -> np.ndarray:
    """Return a reader's own T (n, 2) as numbers.

    Raises:
        UserError: it has another shape, or does not reach both dimensions.
    """
    try:
        matrix = np.array(given.tolist() if hasattr(given, "tolist") else given, dtype=float)
    except (TypeError, ValueError):
        raise UserError(
            f"T is a matrix of n rows and 2 columns, not {type(given).__name__}; of a layer, give"
            " its weight."
        ) from None
    if matrix.ndim != 2 or matrix.shape[1] != 2 or not 2 <= len(matrix) <= max(NS):
        raise UserError(
            f"T has 2 to {max(NS)} rows and 2 columns, since the spiral is flat; this has the shape"
            f" {matrix.shape}."
        )
    if not np.isfinite(matrix).all() or np.linalg.matrix_rank(matrix) < 2:
        raise UserError(
            "this T loses points before any activation: its rows lie on one line, or are not"
            " finite; give others."
        )
    return matrix


def zones(matrix: np.ndarray, act: Activation, half: float) -> tuple[list[Piece], list[Piece]]:
    """Return where no dimension comes through, and where one does: convex pieces of the square."""
    square: Piece = [(-half, -half), (half, -half), (half, half), (-half, half)]
    pieces: list[tuple[Piece, list[int]]] = [(square, [])]  # with the rows that come through
    for i, row in enumerate(matrix.tolist()):
        cut = []
        for piece, alive in pieces:
            middle = _part(_part(piece, row, act.low), row, act.high, -1)
            outer = [_part(piece, row, act.low, -1), _part(piece, row, act.high)]
            cut += [(p, alive) for p in outer] + [(middle, [*alive, i])]
        pieces = [(p, alive) for p, alive in cut if _area(p) > TINY and _rank(matrix[alive]) < 2]
    by_rank: tuple[list[Piece], list[Piece]] = ([], [])
    for piece, alive in pieces:
        by_rank[_rank(matrix[alive])].append(piece)
    return by_rank


def _rank(rows: np.ndarray) -> int:
    return int(ranks(np.ones((1, 1, len(rows)), bool), rows[None])[0, 0])


def _part(piece: Piece, row: list[float], end: float, sign: int = 1) -> Piece:
    """Return the part of a convex piece on which sign · (row · point − end) is not below 0."""
    heights = [sign * (row[0] * x + row[1] * y - end) for x, y in piece]
    if not piece or min(heights) >= 0 or max(heights) <= 0:
        return piece if piece and min(heights) >= 0 else []
    kept = []
    for here, up in enumerate(heights):
        (x, y), (u, v), next_up = piece[here - 1], piece[here], heights[here - 1]
        if up * next_up < 0:
            part = next_up / (next_up - up)
            kept.append((x + part * (u - x), y + part * (v - y)))
        if up >= 0:
            kept.append((u, v))
    return kept


def _area(piece: Piece) -> float:
    return abs(sum(x * v - u * y for (x, y), (u, v) in pairwise([*piece, *piece[:1]]))) / 2
