"""Chapter 04, exercise 04.roof: what goes wrong with intensity, least time and bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lightcourse.checks.chapters._ch04_roof import NAMES, Answer, Layer, by_the_roof
from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Mistake, Outcome


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
            for name, one, other in zip(NAMES, mine, right, strict=True)
            if Compare()(one, other) is not None
        }
        return wrong == set(names)

    return matches


def _first_only(outcome: Outcome) -> bool:
    """Whether the answer is the first layer's; without a layer there is none to return."""
    if not outcome.want:
        return isinstance(outcome.error, IndexError) or outcome.got is None
    return any(
        Compare()(outcome.got, right) is None for right in (outcome.want[0], outcome.want[:1])
    )


def _total_only(outcome: Outcome) -> bool:
    """Whether the answer is one for all layers together; without a layer it has no intensity."""
    layers, peak, bandwidth = outcome.case.args
    if not layers:
        return isinstance(outcome.error, ZeroDivisionError) or isinstance(outcome.got, tuple)
    macs, moved = (sum(column) for column in zip(*layers, strict=True))
    together = by_the_roof([(macs, moved)], peak, bandwidth)
    return any(Compare()(outcome.got, right) is None for right in (together[0], together))


def _other_words(outcome: Outcome) -> bool:
    words = {row[2] for row in outcome.got}
    return bool(words) and not words <= {"compute", "memory"}


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
        "first-layer-only",
        "You return one layer's answer. Wanted is a list with one (intensity, seconds, bound) for"
        " each layer; for no layer it is empty. Is the `return` inside the loop?",
        matches=_first_only,
        hint=1,
    ),
    Mistake(
        "total-only",
        "You return one answer for all layers together. Wanted is a list with one (intensity,"
        " seconds, bound) for each layer; for no layer it is empty.",
        matches=_total_only,
        hint=1,
    ),
    *(
        Mistake(
            "peak-and-bandwidth-swapped",
            "Peak and bandwidth are swapped. MACs are divided by the peak, in MAC/s, and bytes by"
            " the bandwidth, in byte/s.",
            mimic=rule,
            hint=2,
        )
        for rule in (
            _wrong(
                seconds=lambda m, b, p, w: max(m / w, b / p),
                bound=lambda m, b, p, w: m / w >= b / p,
            ),
            _wrong(seconds=lambda m, b, p, w: max(m / w, b / p)),
        )
    ),
    *(
        Mistake(
            "intensity-made-whole",
            "You make the intensity a whole number, by // or by rounding. It is a real number:"
            " 2 · macs / bytes, with /.",
            mimic=_wrong(intensity=rule),
            hint=3,
        )
        for rule in (
            lambda m, b, p, w: 2 * m // b,
            lambda m, b, p, w: round(2 * m / b),
            lambda m, b, p, w: 2 * (m // b),
        )
    ),
    Mistake(
        "intensity-made-whole",
        "You make the intensity a whole number, by // or by rounding. It is a real number:"
        " 2 · macs / bytes, with /.",
        mimic=_wrong(
            intensity=lambda m, b, p, w: 2 * m // b,
            bound=lambda m, b, p, w: 2 * m // b >= 2 * p / w,
        ),
        hint=3,
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
