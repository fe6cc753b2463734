"""Exercise 08.design: the eight Fire modules of the paper's family that a budget allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from lightcourse.checks.compare import Compare, kind_of
from lightcourse.checks.exercise import Case, Difference, Outcome

Row = tuple[int, int, int]
EIGHTHS = [i / 8 for i in range(1, 9)]


def count(in_channels: int, squeeze: int, expand1x1: int, expand3x3: int) -> int:
    """Parameters of a Fire module; a formula, so that widths that are floats get through.

    >>> count(96, 16, 64, 64)
    11920
    """
    expanded = expand1x1 + expand3x3
    return (in_channels + 1) * squeeze + squeeze * (expand1x1 + 9 * expand3x3) + expanded


def cases(rng: Random) -> Iterator[Case]:
    yield _case(10**9, 0.5, [0.125], "any budget, SqueezeNet's own ratio and share")
    yield _case(_size(0.125, 0.5), 0.5, [0.125, 0.25], "a budget that fits to the last weight")
    yield _case(_size(0.125, 0.5) - 1, 0.5, [0.125, 0.25], "one weight less: nothing fits")
    yield _case(2_000_000, 0.25, EIGHTHS, "a quarter of 3×3 kernels")
    yield _case(2_000_000, 0.75, EIGHTHS, "three quarters of 3×3 kernels")
    yield _case(5_000_000, 0.5, EIGHTHS[::-1], "the largest ratio first")
    yield _case(4_000_000, 0.5, [0.25, 0.75, 0.125, 0.5], "ratios in no order")
    for _ in range(3):
        ratios = rng.sample(EIGHTHS, 5)
        ratios = ratios if ratios[-1] != min(ratios) else ratios[::-1]
        share = rng.choice((0.125, 0.375, 0.625, 0.875))
        yield _case(_size(rng.choice(ratios), share) + rng.randint(0, 5000), share, ratios, "")


def _case(budget: int, share: float, ratios: list[float], label: str) -> Case:
    return Case((budget, share, ratios, count), {}, label)


def family(
    ratio: float,
    share: float,
    *,
    widths: Callable[[int], int] = lambda i: 128 + 128 * (i // 2),
    squeeze: Callable[..., float] = lambda ratio, e, e3, c: ratio * e,
    ones: Callable[[int, int], int] = lambda e, e3: e - e3,
) -> list[Row]:
    """The eight modules of section 5.1: base_e = incr_e = 128, freq = 2."""
    rows, channels = [], 96
    for i in range(8):
        e = widths(i)
        e3 = int(share * e)
        rows.append((int(squeeze(ratio, e, e3, channels)), ones(e, e3), e3))
        channels = sum(rows[-1][1:])
    return rows


def total(rows: list[Row], channels: int = 96) -> int:
    """Parameters of modules in a row, the first of which gets so many channels."""
    spent = 0
    for row in rows:
        spent += count(channels, *row)
        channels = row[1] + row[2]
    return spent


def _size(ratio: float, share: float) -> int:
    return total(family(ratio, share))


def variant(
    rows: Callable[[float, float], list[Row]] = family,
    spent: Callable[[list[Row]], int] = total,
    choose: Callable[[list[float]], float] = max,
    fits: Callable[[int, int], bool] = lambda size, budget: size <= budget,
    none: Callable[[list[float]], Any] = lambda ratios: None,
) -> Callable[..., list[Row]]:
    """The right answer with one step changed; `none` is the ratio when nothing fits."""

    def answer(
        budget: int, share: float, ratios: list[float], params: Callable[..., int]
    ) -> list[Row]:
        fitting = [ratio for ratio in ratios if fits(spent(rows(ratio, share)), budget)]
        ratio = choose(fitting) if fitting else none(ratios)
        return [] if ratio is None else rows(ratio, share)

    return answer


oracle = variant()


def compare(got: Any, want: list[Row]) -> Difference | None:
    """Row by row, with the name of the module that is wrong first."""
    if not isinstance(got, (list, tuple)):
        return Difference("type", f"it is {kind_of(got)}, wanted a list")
    if len(got) != len(want):
        return Difference("shape", f"{len(got)} modules, wanted {len(want)}")
    for number, (mine, row) in enumerate(zip(got, want, strict=True), 2):
        if found := Compare()(mine, row):
            text = f"fire{number} is {mine}, wanted {row}"
            return Difference(
                found.kind, text if found.kind == "value" else f"{text}: {found.text}"
            )
    return None


def show(case: Case) -> str:
    budget, share, ratios, _ = case.args
    return f"design(budget={budget:_}, share={share}, ratios={ratios}, params=fire_params)"


def no_whole_numbers(outcome: Outcome) -> bool:
    """All widths are right but they are floats."""
    numbers = [n for row in outcome.got for n in row]
    floats = any(isinstance(n, float) for n in numbers)
    return floats and [tuple(map(float, row)) for row in outcome.got] == [
        tuple(map(float, row)) for row in outcome.want
    ]


def none_for_empty(outcome: Outcome) -> bool:
    """None where no ratio fits."""
    return outcome.error is None and outcome.got is None and outcome.want == []


def ratio_returned(outcome: Outcome) -> bool:
    """The ratio, or None where none fits."""
    return isinstance(outcome.got, float) or none_for_empty(outcome)
