"""Chapter 04, exercise 04.roof: intensity, the least time, and what sets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from random import Random
from typing import Any

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Difference, Hint, Law

Layer = tuple[int, int]  # MACs, bytes
Answer = tuple[float, float, str]  # FLOP per byte, seconds, bound

NAMES = ("intensity", "seconds", "bound")


def cases(rng: Random) -> Iterator[Case]:
    yield _case([(5000, 100)], 100, 10, "100 MAC/s and 10 byte/s")
    yield _case([(100, 100)], 100, 10, "few MACs")
    yield _case([(800, 100)], 100, 10, "just below the ridge")
    yield _case([(0, 100)], 100, 10, "no MACs at all: a ReLU")
    yield _case([(5000, 100), (100, 100), (0, 50)], 100, 10, "three layers")
    layers = [(12_845_056, 1_622_016), (1_806_336, 1_607_936), (115_605_504, 1_753_088)]
    yield _case(layers, 1e11, 2e10, "pointwise, depthwise and 3×3 of 64 channels at 56×56")
    for _ in range(5):
        peak, bandwidth = rng.randint(1, 200) * 10**9, rng.randint(1, 60) * 10**9
        layers = [(rng.randint(1, 10**8), rng.randint(10**4, 10**7)) for _ in range(4)]
        yield _case([*layers, (0, rng.randint(1, 10**6))], peak, bandwidth)
    yield _case([], 100, 10, "no layer")


def _case(layers: Sequence[Layer], peak: float, bandwidth: float, label: str = "") -> Case:
    return Case(([*layers], peak, bandwidth), label=label)


def by_the_roof(layers: Sequence[Layer], peak: float, bandwidth: float) -> list[Answer]:
    """Read the attainable speed off the roof, in exact fractions, and divide the work by it."""
    rows = []
    for macs, moved in layers:
        intensity = Fraction(2 * macs, moved)
        slope = Fraction(bandwidth) / 2 * intensity  # MAC/s on the slanted part of the roof
        attainable = min(Fraction(peak), slope)
        seconds = macs / attainable if macs else moved / Fraction(bandwidth)
        bound = "memory" if slope < Fraction(peak) else "compute"
        rows.append((float(intensity), float(seconds), bound))
    return rows


def compare(got: Any, want: list[Answer]) -> Difference | None:
    """As usual, but the first wrong entry is named."""
    found = Compare()(got, want)
    if found is None or found.kind == "shape":
        return found
    for number, (mine, right) in enumerate(zip(got, want, strict=True), 1):
        inside = Compare()(mine, right)
        if inside is None:
            continue
        if inside.kind != "value":
            return Difference(inside.kind, f"layer {number}: {inside.text}")
        for name, one, other in zip(NAMES, mine, right, strict=True):
            if Compare()(one, other) is not None:
                return Difference("value", f"layer {number}: {name} is {one}, wanted {other}")
    return found


def _a_faster_memory_never_hurts(rows: Callable, rng: Random) -> str | None:
    layers = [(rng.randint(1, 10**6), rng.randint(1, 10**6)) for _ in range(5)]
    slow, fast = rows(layers, 1e9, 1e8), rows(layers, 1e9, 2e8)
    if any(b[1] > a[1] for a, b in zip(slow, fast, strict=True)):
        return "With twice the bandwidth no layer may take longer, but one of yours does."
    return None


LAWS = (Law("a faster memory never hurts", _a_faster_memory_never_hurts, hint=2),)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Take one layer of 5,000 MACs and 100 bytes on a machine with 100 MAC/s and 10 byte/s. The"
        " arithmetic takes 50 seconds, the bytes take 10 seconds. So it takes 50, and the"
        ' arithmetic sets it: "compute". Intensity: 10,000 FLOPs over 100 bytes, 100.',
    ),
    Hint(
        "My seconds are wrong",
        "Two times: macs / peak, and bytes / bandwidth. They run side by side, so the layer takes"
        " the longer one. This also works for a layer without any MACs.",
    ),
    Hint(
        "My intensity is wrong",
        "FLOPs for each byte moved: 2 · macs / bytes.",
    ),
    Hint(
        "My bound is wrong",
        '"compute" where macs / peak is the longer of the two times, "memory" where bytes /'
        " bandwidth is. The same, read off the picture: an intensity above the ridge"
        " 2 · peak / bandwidth is compute-bound.",
    ),
)
