"""Chapter 04, exercise 04.roof: intensity, the least time, and what sets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from random import Random
from typing import Any

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Difference, Hint, Law, Mistake, Outcome

Layer = tuple[int, int]  # MACs, bytes
Answer = tuple[float, float, str]  # FLOP per byte, seconds, bound

_NAMES = ("intensity", "seconds", "bound")


def cases(rng: Random) -> Iterator[Case]:
    yield _case([(5000, 100)], 100, 10, "100 MAC/s and 10 byte/s")
    yield _case([(100, 100)], 100, 10, "few MACs")
    yield _case([(800, 100)], 100, 10, "just below the ridge")
    yield _case([(0, 100)], 100, 10, "no MACs at all: a ReLU")
    yield _case([(5000, 100), (100, 100), (0, 50)], 100, 10, "three layers")
    yield _case([], 100, 10, "no layer")
    layers = [(12_845_056, 1_622_016), (1_806_336, 1_607_936), (115_605_504, 1_753_088)]
    yield _case(layers, 1e11, 2e10, "pointwise, depthwise and 3×3 of 64 channels at 56×56")
    for _ in range(5):
        peak, bandwidth = rng.randint(1, 200) * 10**9, rng.randint(1, 60) * 10**9
        layers = [(rng.randint(1, 10**8), rng.randint(10**4, 10**7)) for _ in range(4)]
        yield _case([*layers, (0, rng.randint(1, 10**6))], peak, bandwidth)


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
        for name, one, other in zip(_NAMES, mine, right, strict=True):
            if Compare()(one, other) is not None:
                return Difference("value", f"layer {number}: {name} is {one}, wanted {other}")
    return found


def _wrong(
    intensity: Callable[..., float] = lambda m, b, p, w: 2 * m / b,
    seconds: Callable[..., float] = lambda m, b, p, w: max(m / p, b / w),
    bound: Callable[..., bool] = lambda m, b, p, w: m / p >= b / w,
) -> Callable[[Sequence[Layer], float, float], list[Answer]]:
    """Answers in which one of the three rules is wrong; each gets macs, bytes, peak, bandwidth."""

    def rows(layers: Sequence[Layer], peak: float, bandwidth: float) -> list[Answer]:
        return [
            (
                intensity(m, b, peak, bandwidth),
                seconds(m, b, peak, bandwidth),
                "compute" if bound(m, b, peak, bandwidth) else "memory",
            )
            for m, b in layers
        ]

    return rows


def _columns(*names: str) -> Callable[[Outcome], bool]:
    """Whether exactly these of the three columns are wrong anywhere."""

    def matches(outcome: Outcome) -> bool:
        wrong = {
            name
            for mine, right in zip(outcome.got, outcome.want, strict=True)
            for name, one, other in zip(_NAMES, mine, right, strict=True)
            if Compare()(one, other) is not None
        }
        return wrong == set(names)

    return matches


def _other_words(outcome: Outcome) -> bool:
    words = {row[2] for row in outcome.got}
    return bool(words) and not words <= {"compute", "memory"}


def _a_faster_memory_never_hurts(rows: Callable, rng: Random) -> str | None:
    layers = [(rng.randint(1, 10**6), rng.randint(1, 10**6)) for _ in range(5)]
    slow, fast = rows(layers, 1e9, 1e8), rows(layers, 1e9, 2e8)
    if any(b[1] > a[1] for a, b in zip(slow, fast, strict=True)):
        return "With twice the bandwidth no layer may take longer, but one of yours does."
    return None


LAWS = (Law("a faster memory never hurts", _a_faster_memory_never_hurts, hint=2),)

MISTAKES = (
    Mistake(
        "sum-not-max",
        "You add the two times. The machine computes while the next numbers arrive, so at best the"
        " longer of the two is all it takes.",
        mimic=_wrong(seconds=lambda m, b, p, w: m / p + b / w),
        hint=2,
    ),
    Mistake(
        "min-not-max",
        "You take the shorter of the two times. Both must be over before the layer is done.",
        mimic=_wrong(seconds=lambda m, b, p, w: min(m / p, b / w)),
        hint=2,
    ),
    Mistake(
        "compute-only",
        "Your time is MACs over peak. A layer that waits for memory takes longer than that.",
        mimic=_wrong(seconds=lambda m, b, p, w: m / p),
        hint=2,
    ),
    Mistake(
        "macs-per-byte",
        "Your intensity counts MACs per byte. It is in FLOPs per byte, and a MAC is two FLOPs.",
        mimic=_wrong(intensity=lambda m, b, p, w: m / b),
        hint=3,
    ),
    Mistake(
        "bytes-per-flop",
        "Your intensity is upside down: FLOPs over bytes, not bytes over FLOPs.",
        mimic=_wrong(intensity=lambda m, b, p, w: b / (2 * m) if m else 0.0),
        hint=3,
    ),
    Mistake(
        "flops-over-macs",
        "Your time divides FLOPs by a peak in MAC/s. The peak is given in MACs per second, so"
        " divide MACs by it.",
        mimic=_wrong(
            seconds=lambda m, b, p, w: max(2 * m / p, b / w),
            bound=lambda m, b, p, w: 2 * m / p >= b / w,
        ),
        hint=2,
    ),
    Mistake(
        "ridge-in-macs",
        "Time and intensity are right. You compare the intensity with peak / bandwidth. The"
        " intensity is in FLOPs per byte and the peak in MACs: the ridge is 2 · peak / bandwidth.",
        mimic=_wrong(bound=lambda m, b, p, w: 2 * m / b >= p / w),
        hint=4,
    ),
    Mistake(
        "bound-swapped",
        "The two words are swapped. A layer is compute-bound when its arithmetic takes the longer"
        " time.",
        mimic=_wrong(bound=lambda m, b, p, w: m / p < b / w),
        hint=4,
    ),
    Mistake(
        "other-words",
        'The third entry is one of the two words "compute" and "memory", written like that.',
        matches=_other_words,
        hint=4,
    ),
    Mistake(
        "nothing-to-divide",
        "A layer without MACs, such as a ReLU, has an intensity of 0, and you divide by a number"
        " that is 0 there. Take the two times, and the larger of them.",
        matches=lambda outcome: isinstance(outcome.error, ZeroDivisionError),
        hint=2,
    ),
    Mistake(
        "whole-division",
        "You use // and lose the fractions: times and intensities are real numbers, so use /.",
        mimic=_wrong(
            intensity=lambda m, b, p, w: 2 * m // b,
            seconds=lambda m, b, p, w: max(m // p, b // w),
        ),
        hint=2,
    ),
    Mistake(
        "seconds-are-wrong",
        "Intensity and bound are right, the seconds are not.",
        matches=_columns("seconds"),
        hint=2,
    ),
    Mistake(
        "intensity-is-wrong",
        "Seconds and bound are right, the intensity is not.",
        matches=_columns("intensity"),
        hint=3,
    ),
    Mistake(
        "bound-is-wrong",
        "Intensity and seconds are right, the bound is not. Which of the two times is the longer?",
        matches=_columns("bound"),
        hint=4,
    ),
)

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
