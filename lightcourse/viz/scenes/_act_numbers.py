"""The numbers of the activation scene: normal inputs through a function, integrated cell by cell.

The inputs are normal with mean µ and deviation σ. int8 here is affine, per tensor, in 255 steps
from the lowest to the highest output of inputs within µ ± 4σ, with 0 among its values.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from ._act_functions import GRAIN, REACH, Function, cells

MEANS = tuple(-3 + 0.5 * i for i in range(13))  # µ to choose from
SPREADS = tuple(0.5 * (i + 1) for i in range(5))  # σ
LEVELS = 255  # steps of int8
SIGMAS = 4.0  # int8 covers the inputs within so many σ
FINE = 4000  # places at which the rounding error is taken


def below(z: np.ndarray) -> np.ndarray:
    """Share of a standard normal distribution below z, a sorted array."""
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in np.ravel(z)]).reshape(np.shape(z))


def share(low: float, high: float, mu: float, sigma: float) -> float:
    """Share of the inputs between two places.

    >>> share(-math.inf, 0, 0, 1)
    0.5
    """
    first, last = below(np.array([(low - mu) / sigma, (high - mu) / sigma]))
    return float(last - first)


@cache
def weights() -> np.ndarray:
    """(means, spreads, cells): the share of the inputs in every cell, in total 1."""
    edges = np.arange(-round(REACH / GRAIN), round(REACH / GRAIN) + 1) * GRAIN
    grid = np.linspace(-60, 60, 120_001)  # z by thousandths, between which Φ is all but straight
    table = below(grid)
    found = []
    for mu in MEANS:
        for sigma in SPREADS:
            part = np.diff(np.interp((edges - mu) / sigma, grid, table))
            found.append(part / part.sum())
    return np.array(found).reshape(len(MEANS), len(SPREADS), -1)


@dataclass(frozen=True)
class Pushed:
    """What becomes of the inputs, each (means, spreads); the range of int8 has two of these."""

    dead: np.ndarray  # share of the inputs that meets a slope of exactly 0
    zones: np.ndarray  # the same, zone by zone: (zones, means, spreads)
    slope: np.ndarray  # mean of |f'|
    mean: np.ndarray
    deviation: np.ndarray
    low: np.ndarray  # lowest value of int8
    high: np.ndarray
    step: np.ndarray
    error: np.ndarray  # mean of |rounded - exact|


@lru_cache(maxsize=16)  # the ten functions are the same in every scene
def push(function: Function) -> Pushed:
    """Integrate everything that the scene shows of one function."""
    x = cells()
    y, slope = np.nan_to_num(function.f(x)), np.nan_to_num(function.slope(x))
    w = weights()
    mean = w @ y
    zones = np.array([
        [[share(*zone, mu, sigma) for sigma in SPREADS] for mu in MEANS] for zone in function.zones
    ]).reshape(len(function.zones), len(MEANS), len(SPREADS))  # fmt: skip
    low, high = ranges(function)
    step = (high - low) / LEVELS
    return Pushed(
        zones.sum(0), zones, w @ np.abs(slope), mean,
        np.sqrt(np.maximum(w @ y**2 - mean**2, 0)), low, high, step,
        rounding_error(function, low, step),
    )  # fmt: skip


def ranges(function: Function) -> tuple[np.ndarray, np.ndarray]:
    """(means, spreads) twice: lowest and highest output within µ ± 4σ, 0 always between them."""
    count = round(REACH / GRAIN)
    y = function.f(np.arange(-count, count + 1) * GRAIN)
    ends = np.zeros((2, len(MEANS), len(SPREADS)))
    for i, mu in enumerate(MEANS):
        for j, sigma in enumerate(SPREADS):
            first, last = (round((mu + way * SIGMAS * sigma) / GRAIN) + count for way in (-1, 1))
            part = y[first : last + 1]
            ends[:, i, j] = min(0.0, part.min()), max(0.0, part.max())
    return ends[0], ends[1]


def rounded(y: np.ndarray, low: float, step: float) -> np.ndarray:
    """Outputs as int8 gives them back: on the nearest of 256 values, one of which is 0."""
    if step == 0:
        return np.zeros_like(y)
    zero = np.rint(-low / step)
    return (np.clip(np.rint(y / step) + zero, 0, LEVELS) - zero) * step


def rounding_error(function: Function, low: np.ndarray, step: np.ndarray) -> np.ndarray:
    """(means, spreads): how far int8 moves an output, on average."""
    edges = np.linspace(-6, 6, FINE + 1)
    z, part = (edges[1:] + edges[:-1]) / 2, np.diff(below(edges))
    places = np.array(MEANS)[:, None, None] + np.array(SPREADS)[:, None] * z
    y = function.f(places.reshape(-1)).reshape(places.shape)
    error = np.zeros(step.shape)
    for i, j in np.ndindex(*step.shape):
        error[i, j] = np.abs(rounded(y[i, j], float(low[i, j]), float(step[i, j])) - y[i, j]) @ part
    return error


@lru_cache(maxsize=16)
def histogram(function: Function, first: float, width: float, count: int) -> np.ndarray:
    """(means, spreads, count): share of the outputs nearest to each of `count` places.

    The first place also takes all that lies below it, the last all above.
    """
    x = cells()
    parts = np.zeros((len(x), count))  # of each cell, in five pieces
    for piece in range(-2, 3):
        y = np.nan_to_num(function.f(x + piece * GRAIN / 5))
        which = np.clip(np.floor((y - first) / width + 0.5), 0, count - 1).astype(int)
        parts[np.arange(len(x)), which] += 0.2
    return weights() @ parts


def apart(one: Function, other: Function, reach: float) -> tuple[float, Sequence[float]]:
    """Return the largest difference of two functions from -reach to reach, and where it is.

    >>> from ._act_functions import FUNCTIONS
    >>> gap, places = apart(FUNCTIONS[5], FUNCTIONS[6], 8.0)
    >>> round(gap, 4), [round(x, 2) for x in places]
    (0.1423, [-3.0, 3.0])
    """
    count = round(reach / GRAIN)
    x = np.arange(-count, count + 1) * GRAIN
    gap = np.abs(one.f(x) - other.f(x))
    return float(gap.max()), [float(v) for v in x[gap >= gap.max() - 1e-9]]
