"""Where everything in the Pareto picture stands, in px, and how numbers are written there."""

from collections.abc import Sequence
from math import ceil, floor, log10

from ._cm_scale import spaced

WIDTH, HEIGHT = 840, 655
LEFT, RIGHT, TOP, BOTTOM = 52, 830, 58, 344  # the frame of the points
FIRST, LAST = 76, 806  # the smallest and the largest budget
BUDGETS = 36  # places of the budget line
CELL = (LAST - FIRST) / (BUDGETS - 1)
TICKS = 9  # most on the axis of costs


def axis_of(values: Sequence[float]) -> tuple[float, float]:
    """Return the smallest and the largest budget: the first fits one network, the last all.

    >>> axis_of([11.2e6, 35e6, 1.42e9])
    (12000000.0, 1500000000.0)
    """
    low, high = (_rounded_up(v) for v in (min(values), max(values)))
    return low, max(high, 4 * low)


def _rounded_up(value: float) -> float:
    """The next number with two digits."""
    unit = 10.0 ** (floor(log10(value)) - 1)
    return float(f"{ceil(value / unit - 1e-9) * unit:.6g}")


def budgets_of(low: float, high: float) -> list[float]:
    """Return the budgets: rising, in nearly equal ratios, as round as they can be.

    >>> budgets_of(10.0, 1000.0)[:4], budgets_of(10.0, 1000.0)[-1]
    ([10.0, 11.0, 13.0, 15.0], 1000.0)
    """
    step = (high / low) ** (1 / (BUDGETS - 1))
    digits = 2 if step >= 1.1 else 3
    inner = [float(f"{low * step**i:.{digits}g}") for i in range(1, BUDGETS - 1)]
    return [low, *inner, high]


def across(value: float, axis: tuple[float, float]) -> float:
    """x of a cost, on a logarithmic axis."""
    low, high = axis
    return round(FIRST + (LAST - FIRST) * log10(value / low) / log10(high / low), 1)


def ticks_of(axis: tuple[float, float]) -> list[float]:
    """Return round costs along the axis, at most `TICKS`.

    >>> ticks_of((12.0, 150.0))
    [20.0, 50.0, 100.0]
    """
    decades = range(floor(log10(axis[0])), ceil(log10(axis[1])) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        every = [s * 10.0**d for d in decades for s in steps]
        shown = [v for v in every if LEFT + 8 <= across(v, axis) <= RIGHT - 8]
        if len(shown) <= TICKS:
            return shown
    return shown[:: -(-len(shown) // TICKS)]


def levels_of(accuracies: Sequence[float]) -> tuple[float, ...]:
    """Return round accuracies from below the lowest to above the highest, in per cent.

    >>> levels_of([42.9, 79.1])
    (40, 50, 60, 70, 80)
    """
    for step in (1, 2, 5, 10, 20):
        low, high = floor(min(accuracies) / step) * step, ceil(max(accuracies) / step) * step
        if high == low:
            high = low + step
        if (high - low) / step <= 5:
            break
    return tuple(range(low, high + step, step))


def up(accuracy: float, levels: Sequence[float]) -> float:
    """y of an accuracy."""
    part = (accuracy - levels[0]) / (levels[-1] - levels[0])
    return round(BOTTOM - (BOTTOM - TOP) * part, 1)


def amount(value: float, unit: str) -> str:
    """Return a cost with its unit, three digits.

    >>> amount(300_774_272, ""), amount(10_437_376, "B"), amount(0.0982, "s"), amount(2.5, "s")
    ('301 M', '10.4 MB', '98.2 ms', '2500 ms')
    """
    return f"{milliseconds(value)} ms" if unit == "s" else spaced(value, unit)


def milliseconds(value: float) -> str:
    """Return seconds as milliseconds, three digits."""
    found = 1000 * value
    return f"{found:.0f}" if found >= 99.95 else f"{found:#.3g}"


def round_amount(value: float, unit: str) -> str:
    """Return a round cost with its unit, without needless digits.

    >>> round_amount(3e8, ""), round_amount(2.5e6, "B"), round_amount(0.05, "s")
    ('300 M', '2.5 MB', '50 ms')
    """
    if unit == "s":
        return f"{1000 * value:.4g} ms"
    for scale, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.4g} {scale}{unit}"
    return f"{value:.4g} {unit}".strip()
