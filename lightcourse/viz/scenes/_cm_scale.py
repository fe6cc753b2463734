"""Where everything in the cost microscope stands, in px, and how numbers are written there."""

from math import log10

from ._cm_roof import HIGH, LOW

WIDTH = 1000  # px, as all that follows
NAME = 18
COLUMNS = (172, 302, 432, 562)  # where each measure's column begins
NUMBER, BAR, ROOM = 48, 54, 66  # inside a column: right end of the number, the bar and its length
NUMBERED = ("params", "macs", "moved")  # measures whose bars have numbers beside them
LENGTH = 120  # px of a bar that has none, and of the largest total
ROOF_LEFT, ROOF_RIGHT, ROOF_TOP, ROOF_BOTTOM = 736, 978, 40, 170
GUTTER = 714  # the dots of rows without a single FLOP
TOP, TALL, PITCH = 216, 366, 24  # first row, room for all rows, most for one
PEAK_LOW, PEAK_HIGH = 1e9, 1e14  # FLOP/s on the roof's axis


def number(value: float) -> str:
    """Return a count in at most five characters.

    >>> [number(n) for n in (0, 928, 14848, 300_774_272, 1.7e9)]
    ['0', '928', '14.8k', '301M', '1.70G']
    """
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= 0.9995 * size:
            scaled = value / size
            return f"{scaled:.{max(0, 2 - int(log10(scaled) + 2e-4))}f}{unit}"
    return f"{value:.0f}" if value >= 99.95 or value == int(value) else f"{value:.2g}"


def spaced(value: float, unit: str) -> str:
    """Return a count with its unit.

    >>> spaced(173_065_024, "B"), spaced(928, "")
    ('173 MB', '928')
    """
    text = number(value)
    scale = text[-1] if text[-1].isalpha() else ""
    return f"{text.removesuffix(scale)} {scale}{unit}".strip()


def share(part: float) -> int:
    """Return the place of a share among `SHARES`: whole percent, 0 and 100 only where exact."""
    if part <= 0 or part >= 1 - 1e-12:
        return 0 if part <= 0 else 101
    return 1 if part < 0.005 else 1 + min(99, max(1, round(100 * part)))


SHARES = ["0 %", "<1 %", *(f"{n} %" for n in range(1, 100)), "100 %"]


def across(intensity: float) -> float:
    """x of FLOPs per byte; the axis ends where it ends."""
    inside = min(max(intensity, LOW), HIGH)
    return ROOF_LEFT + (ROOF_RIGHT - ROOF_LEFT) * log10(inside / LOW) / log10(HIGH / LOW)


def up(flops: float) -> float:
    """y of FLOP/s."""
    part = log10(flops / PEAK_LOW) / log10(PEAK_HIGH / PEAK_LOW)
    return ROOF_BOTTOM - (ROOF_BOTTOM - ROOF_TOP) * part


def words_below(peak: float) -> float:
    """Base line of the first of two lines of words under a roof of this peak; over a low roof."""
    under = ROOF_BOTTOM - 24
    return under if up(peak) < under - 20 else ROOF_TOP + 14


def ratio(value: float) -> str:
    """Return FLOPs per byte in at most four characters.

    >>> ratio(0), ratio(0.4987), ratio(14.93), ratio(132.2)
    ('0', '0.50', '14.9', '132')
    """
    if value == 0:
        return "0"
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"
