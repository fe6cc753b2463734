"""Exercise 09.macs: wrong counts, and tests of what an answer has wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lightcourse.checks.chapters._ch09_net import ROWS, counted, half_up, parts_of, strides
from lightcourse.checks.exercise import Outcome

Count = Callable[[float, int], list[int]]


def by_parts(
    blocks: Sequence[tuple[int, int]] | None = None,
    stem: tuple[int, int] = (32, 2),
    out: Callable[[int, int], int] = half_up,
    change: Callable[[list[int], float, int], list[int]] = lambda macs, width, side: macs,
) -> Count:
    """A count with a step of its own."""

    def count(width: float, side: int) -> list[int]:
        parts = parts_of(width, 1000, (side, side), blocks, stem, out)
        macs = [part.macs for part in parts if part.kind != "norm"]
        pairs = [sum(macs[i : i + 2]) for i in range(1, len(macs) - 1, 2)]
        return change([macs[0], *pairs, macs[-1]], width, side)

    return count


def by_law(width: float, side: int) -> list[int]:
    """The whole times α² and ρ², as the paper's rule of thumb has it."""
    whole = counted(1.0, 224)
    return [round(number * width**2 * (side / 224) ** 2) for number in whole]


def law_with_fixed_classifier(width: float, side: int) -> list[int]:
    return [*by_law(width, side)[:-1], counted(width, side)[-1]]


def near(law: Count) -> Callable[[Outcome], bool]:
    """The numbers of a rule, however they were rounded."""

    def matches(outcome: Outcome) -> bool:
        want = law(*outcome.case.args)
        pairs = zip(outcome.got, want, strict=True)
        return all(abs(a - b) <= 1 for a, b in pairs)

    return matches


def by_square_of_the_side(width: float, side: int) -> list[int]:
    """The width exactly, the side by the rule: all but the classifier times ρ²."""
    *macs, head = counted(width, 224)
    return [*(round(number * (side / 224) ** 2) for number in macs), head]


def totals(outcome: Outcome) -> bool:
    return type(outcome.got) is int and outcome.got == sum(outcome.want)


def halves(outcome: Outcome) -> bool:
    """One number for each of the 28 layers, not for each block."""
    got, want = outcome.got, outcome.want
    return len(got) == 28 and got[0] == want[0] and sum(got) == sum(want)


def depthwise_early(width: float, side: int) -> list[int]:
    """The depthwise layers counted on the maps that come in."""
    parts = [p for p in parts_of(width, 1000, (side, side)) if p.kind != "norm"]
    macs = [parts[0].macs]
    for i in range(1, len(parts) - 1, 2):
        before, after = parts[i - 1].size[0] ** 2, parts[i + 1].macs
        macs.append(9 * parts[i].inputs * before + after)
    return [*macs, parts[-1].macs]


def pooled_late(macs: list[int], width: float, side: int) -> list[int]:
    last = side
    for stride in (2, *(s for _, s in strides(ROWS))):
        last = half_up(last, stride)
    return [*macs[:-1], macs[-1] * last * last]


def narrow_classes(macs: list[int], width: float, side: int) -> list[int]:
    return [*macs[:-1], round(macs[-1] * width)]


def fixed_classifier(macs: list[int], width: float, side: int) -> list[int]:
    return [*macs[:-1], 1024 * 1000]


def wide_stem(width: float, side: int) -> list[int]:
    parts = [p for p in parts_of(width, 1000, (side, side)) if p.kind != "norm"]
    places = parts[0].size[0] ** 2
    macs = counted(width, side)
    first = (9 * 32 + 32 * parts[2].outputs) * places
    return [27 * 32 * places, first, *macs[2:]]


def wide_stem_only(macs: list[int], width: float, side: int) -> list[int]:
    return [round(macs[0] / width), *macs[1:]]


def at(macs: list[int], index: int, value: int) -> list[int]:
    return [*macs[:index], value, *macs[index + 1 :]]


def full_stem(macs: list[int], width: float, side: int) -> list[int]:
    return at(macs, 0, macs[0] // half_up(side, 2) ** 2 * side**2)


def only(index: int) -> Callable[[Outcome], bool]:
    """One number is wrong, all others are right."""

    def matches(outcome: Outcome) -> bool:
        pairs = enumerate(zip(outcome.got, outcome.want, strict=True))
        return [i for i, (one, other) in pairs if one != other] == [index]

    return matches


def four_times_from_somewhere(outcome: Outcome) -> bool:
    """Right up to a block, and from there to block 13 about four times too large."""
    ratios = [one / other for one, other in zip(outcome.got, outcome.want, strict=True)][:-1]
    first = next((i for i, ratio in enumerate(ratios) if ratio != 1), 0)
    # where sides are odd, halving later is not exactly a quarter
    return first > 1 and all(2.2 < ratio < 4.1 for ratio in ratios[first:])
