"""The roof of the cost microscope: peak and bandwidth to choose from, and where they stand.

Roofline (Williams, Waterman and Patterson 2009): a row reaches min(peak, intensity · bandwidth).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import Any

PER_DECADE = 4  # steps of peak and of bandwidth
PEAKS, BANDS = 17, 13  # how many there are, from the largest down
LOW, HIGH = 0.1, 1000.0  # FLOPs per byte on the axis
TOP_PEAK, TOP_BAND = 1e14, 1e13  # FLOP/s, byte/s: the largest, before they are moved to a machine

MINE = "this machine"
# Orders of magnitude, fp32 FLOP/s and byte/s; drawn at the nearest step.
TYPICAL = {"phone core": (3e10, 1e10), "CPU core": (1e11, 2e10), "large GPU": (6e13, 3e12)}


@dataclass(frozen=True)
class Roofs:
    """All roofs that can be chosen: peak `i` and bandwidth `j` count from the largest down."""

    peaks: tuple[float, ...]  # FLOP/s
    bands: tuple[float, ...]  # byte/s
    presets: dict[str, tuple[int, int]]  # name -> (peak, band)
    beyond: tuple[float, float] | None = None  # this machine's own speeds, where they do not fit

    @property
    def ridges(self) -> tuple[float, ...]:
        """Every ridge, in FLOPs per byte, from the smallest up; see `ridge_of`."""
        first = self.peaks[-1] / self.bands[0]
        count = PEAKS + BANDS - 1
        return tuple(first * 10 ** (k / PER_DECADE) for k in range(count))

    def ridge_of(self, peak: int, band: int) -> int:
        """Return the place in `ridges` of peak / bandwidth.

        >>> roofs = roofs_of(None)
        >>> k = roofs.ridge_of(3, 5)
        >>> abs(roofs.ridges[k] / (roofs.peaks[3] / roofs.bands[5]) - 1) < 1e-9
        True
        """
        return len(self.peaks) - 1 - peak + band

    def bin_of(self, intensity: float) -> int:
        """Return how many ridges lie at or below an intensity: with more, memory is the limit."""
        return sum(ridge <= intensity for ridge in self.ridges)


def attainable(intensity: float, peak: float, bandwidth: float) -> float:
    """Return the FLOP/s that a row can reach under a roof.

    >>> attainable(2.0, 100.0, 10.0), attainable(50.0, 100.0, 10.0)
    (20.0, 100.0)
    """
    return min(peak, intensity * bandwidth)


def least_time(costs: Sequence[Any], schedule: int, ridge: float) -> float:
    """Return the least time under a roof, rows one after another, in FLOPs at the peak.

    Each row takes the longer of its FLOPs / peak and its bytes / bandwidth.
    """
    return sum(max(2 * c.macs, c.moved[schedule] * ridge) for c in costs)


def share_of_peak(costs: Sequence[Any], schedule: int, ridge: float) -> float:
    """Return the share of the peak that rows can reach one after another; 1 for no rows."""
    time = least_time(costs, schedule, ridge)
    return sum(2 * c.macs for c in costs) / time if time else 1.0


def roofs_of(machine: Any) -> Roofs:
    """Return the roofs to choose from, moved so that this machine's own stands exactly on a step.

    `machine` has `peak_macs` and `bandwidth`, or is None. A speed off the scale is drawn at its
    end, and `beyond` keeps what it is.
    """
    named, shift, beyond = dict(TYPICAL), (0.0, 0.0), None
    if machine is not None:
        mine = (2 * machine.peak_macs, machine.bandwidth)
        drawn = (_fitted(mine[0], TOP_PEAK, PEAKS), _fitted(mine[1], TOP_BAND, BANDS))
        named = {MINE: drawn, **TYPICAL}
        shift = (log10(drawn[0]) * PER_DECADE % 1, log10(drawn[1]) * PER_DECADE % 1)
        beyond = mine if drawn != mine else None
    peaks = _steps(TOP_PEAK, PEAKS, shift[0])
    bands = _steps(TOP_BAND, BANDS, shift[1])
    presets = {n: (_nearest(peaks, p), _nearest(bands, b)) for n, (p, b) in named.items()}
    return Roofs(peaks, bands, presets, beyond)


def _fitted(value: float, top: float, count: int) -> float:
    """The speed itself, or the end of the scale that it lies beyond."""
    return min(max(value, top * 10 ** (-(count - 1) / PER_DECADE)), top)


def _steps(top: float, count: int, shift: float) -> tuple[float, ...]:
    """Steps down from the top, all moved down by less than one so that `shift` is met."""
    down = (1 - shift) % 1
    return tuple(top * 10 ** (-(i + down) / PER_DECADE) for i in range(count))


def _nearest(values: Sequence[float], wanted: float) -> int:
    return min(range(len(values)), key=lambda i: abs(log10(values[i] / wanted)))
