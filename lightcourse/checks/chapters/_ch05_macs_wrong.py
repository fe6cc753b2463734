"""Exercise 05.macs: wrong counts, and tests of what an answer has wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lightcourse.checks.chapters._ch05_macs import NAMES, Costs, oracle
from lightcourse.checks.exercise import Outcome


def changed(change: Callable[..., Costs]) -> Callable[..., Costs]:
    """The right costs with some entries replaced."""

    def wrong(c: int, n: int, k: int, h: int, w: int, g: int) -> Costs:
        right = oracle(c, n, k, h, w, g)
        return {**right, **change(right, c, n, k, h * w, g)}

    return wrong


def places(places: Callable[[int, int], int]) -> Callable[..., Costs]:
    """The number of places computed in another way."""

    def wrong(c: int, n: int, k: int, h: int, w: int, g: int) -> Costs:
        return {name: v * places(h, w) for name, v in oracle(c, n, k, 1, 1, g).items()}

    return wrong


def only(*names: str) -> Callable[[Outcome], bool]:
    """All other entries are right."""

    def matches(outcome: Outcome) -> bool:
        got, want = outcome.got, outcome.want
        if outcome.difference is None or outcome.difference.kind != "value":
            return False
        return all(got[name] == want[name] for name in want if name not in names)

    return matches


def lost(outcome: Outcome) -> tuple[list[str], list[str]]:
    """The names that the answer lacks, and those that it has in their place."""
    got, want = outcome.got, outcome.want
    assert isinstance(got, Mapping)
    return [name for name in want if name not in got], [name for name in got if name not in want]


def lacks(name: str) -> Callable[[Outcome], bool]:
    return lambda outcome: lost(outcome)[0] == [name]


def each(values: Callable[..., dict[str, tuple[int, ...]]]) -> Callable[[Outcome], bool]:
    """Every wrong entry is one of these values; the others are right."""

    def matches(outcome: Outcome) -> bool:
        c, n, k, h, w, g = outcome.case.args
        found = values(c, n, k, h * w, g)
        wrong = [name for name in NAMES if outcome.got[name] != outcome.want[name]]
        return bool(wrong) and all(outcome.got[name] in found.get(name, ()) for name in wrong)

    return matches


def kernel_once(c: int, n: int, k: int, hw: int, g: int) -> dict[str, tuple[int, ...]]:
    return {
        "standard": (k * c * n * hw,),
        "grouped": (k * c * n * hw // g,),
        "depthwise": (k * c * hw,),
        "separable": ((k * c + c * n) * hw,),
        "deformable": (
            (k * c * n + 2 * k * k * k * c) * hw,
            (k * c * n + 2 * k**4 * c) * hw,
            (k * k * c * n + 2 * k * k * k * c) * hw,
        ),
    }


def kernel_missing(c: int, n: int, k: int, hw: int, g: int) -> dict[str, tuple[int, ...]]:
    return {
        "standard": (c * n * hw,),
        "grouped": (c * n * hw // g,),
        "depthwise": (c * hw,),
        "separable": ((c + c * n) * hw,),
        "deformable": ((c * n + 2 * k * k * k * k * c) * hw, (c * n + 2 * k * k * c) * hw),
    }


def biased(c: int, n: int, k: int, hw: int, g: int) -> dict[str, tuple[int, ...]]:
    right, taps = oracle(c, n, k, 1, 1, g), 2 * k * k
    extra = {
        "standard": (n,), "grouped": (n,), "depthwise": (c,), "pointwise": (n,),
        "separable": (c + n, c, n), "factorised": (2 * n, n), "deformable": (n + taps, n, taps),
    }  # fmt: skip
    return {name: tuple((right[name] + e) * hw for e in more) for name, more in extra.items()}
