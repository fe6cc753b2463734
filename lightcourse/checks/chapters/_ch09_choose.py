"""Exercise 09.choose: the most accurate network that a budget allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome

Point = tuple[float, int, float]  # width, side of the picture, top-1 accuracy
Cost = Callable[[float, int], int]


def cost(width: float, side: int) -> int:
    """What the learner gets as `cost`: whole numbers that grow with both, but not alike."""
    return round(100 * width) ** 2 * side  # with the arguments swapped it is another number


def cases(rng: Random) -> Iterator[Case]:
    two = [(1.0, 100, 70.0), (0.5, 100, 60.0)]
    yield _case(two, cost(1.0, 100), "both fit; the budget is just enough")
    yield _case(two, cost(1.0, 100) - 1, "one MAC too few for the larger")
    yield _case(two, cost(0.5, 100) - 1, "nothing fits")
    yield _case([], 1_000, "no network at all")
    mixed = [(0.5, 200, 64.0), (0.75, 88, 63.0), (0.5, 160, 64.5), (0.25, 100, 41.0)]
    yield _case(mixed, cost(0.5, 200) + 5, "the dearest is not the best")
    near = [(0.5, 100, 40.0), (0.5, 104, 60.0), (1.0, 100, 61.0)]
    yield _case(near, 10**12, "a large budget")
    even = [(0.5, 240, 61.0), (0.5, 200, 61.0), (0.75, 100, 60.0)]
    yield _case(even, 10**12, "two are equally good: the cheaper one")
    yield _case(even[1::-1], 10**12, "two are equally good, the other way round")
    narrow = [(1.0, 128, 63.0), (0.5, 224, 63.0)]
    yield _case(narrow, 10**12, "equally good, and the cheaper one has more pixels")
    wide = [(0.5, 256, 62.0), (0.75, 96, 62.0)]
    yield _case(wide, 10**12, "equally good, and the cheaper one is wider")
    for _ in range(5):
        points = [
            (rng.choice((0.25, 0.5, 0.75, 1.0)), rng.randint(96, 256), rng.randint(400, 710) / 10)
            for _ in range(rng.randint(3, 9))
        ]
        costs = sorted(cost(width, side) for width, side, _ in points)
        yield _case(points, rng.choice(costs) + rng.randint(-1, 1), "")


def _case(points: Sequence[Point], budget: int, label: str) -> Case:
    return Case((list(points), budget, cost), {}, label)


def by_sorting(points: Sequence[Point], budget: float, cost: Cost) -> tuple[float, int] | None:
    """Sort by accuracy, then by cheapness, and take the first that fits."""
    order = sorted(points, key=lambda p: (-p[2], cost(p[0], p[1])))
    for width, side, _ in order:
        if cost(width, side) <= budget:
            return width, side
    return None


def show(case: Case) -> str:
    points, budget, _ = case.args
    return f"choose({points}, {budget}, cost)"


Wrong = Callable[..., Any]


def _pick(key: Callable[..., Any], fits: Any = None, give: Any = None, empty: Any = None) -> Wrong:
    """The largest by a key among those that fit."""

    def choose(points: Sequence[Point], budget: int, cost: Cost) -> Any:
        test = fits or (lambda price, budget: price <= budget)
        inside = [p for p in points if test(cost(p[0], p[1]), budget)]
        if not inside:
            return empty
        best = max(inside, key=lambda p: key(p, cost(p[0], p[1])))
        return give(best, cost) if give else best[:2]

    return choose


def _good(point: Point, price: int) -> tuple[float, int]:
    return point[2], -price


def _first_that_fits(points: Sequence[Point], budget: int, cost: Cost) -> Any:
    return next((p[:2] for p in points if cost(p[0], p[1]) <= budget), None)


def _best_or_nothing(points: Sequence[Point], budget: int, cost: Cost) -> Any:
    """The best of all, if it fits."""
    best = max(points, key=lambda p: (p[2], -cost(p[0], p[1])), default=None)
    return best[:2] if best and cost(best[0], best[1]) <= budget else None


def _swapped(points: Sequence[Point], budget: int, cost: Cost) -> Any:
    turned: Callable[..., int] = cost
    return by_sorting(points, budget, lambda width, side: turned(side, width))


def _last_of_equals(points: Sequence[Point], budget: int, cost: Cost) -> Any:
    """The loop with >= in it."""
    inside = [p for p in points if cost(p[0], p[1]) <= budget]
    return max(reversed(inside), key=lambda p: p[2])[:2] if inside else None


def _input_changed(outcome: Outcome) -> bool:
    return bool(outcome.mutated) and outcome.error is None and outcome.difference is None


def _empty_error(outcome: Outcome) -> bool:
    said = str(outcome.error)
    return isinstance(outcome.error, (ValueError, IndexError)) and (
        "empty" in said or "out of range" in said
    )


def _three(outcome: Outcome) -> bool:
    """The point itself, or None where nothing fits."""
    return (
        outcome.want is not None
        and tuple(outcome.got[:2]) == outcome.want
        and (len(outcome.got) == 3)
    )


MISTAKES = (
    Mistake(
        "list-changed",
        "Your choice is right, but your code changes the list `points`, which belongs to the"
        " caller. `points.sort()` works in place; `sorted(points)` makes a new list.",
        matches=_input_changed,
        hint=1,
    ),
    Mistake(
        "arguments-swapped",
        "You call cost(side, width). The width comes first: cost(width, side).",
        mimic=_swapped,
        hint=1,
    ),
    Mistake(
        "nothing-fits",
        "Your code stops where nothing fits the budget. Return None there.",
        matches=_empty_error,
        hint=2,
    ),
    Mistake(
        "whole-point",
        "You return the whole entry, accuracy and all. The answer is (width, side).",
        matches=_three,
        hint=1,
    ),
    Mistake(
        "accuracy-returned",
        "You return the accuracy. The answer is the network that has it: (width, side).",
        mimic=_pick(_good, give=lambda p, cost: p[2]),
        hint=1,
    ),
    Mistake(
        "budget-forgotten",
        "The budget is not used: this is the best of all, however much it costs.",
        mimic=_pick(_good, fits=lambda price, budget: True),
        hint=1,
    ),
    Mistake(
        "best-of-all-or-none",
        "You take the best of all and give up when it is too dear. The next best may fit.",
        mimic=_best_or_nothing,
        hint=1,
    ),
    Mistake(
        "dearest-not-best",
        "You take the network that spends most of the budget. More MACs are not always more"
        " accuracy: compare the accuracies.",
        mimic=_pick(lambda p, price: (price, p[2])),
        hint=1,
    ),
    Mistake(
        "cheapest-not-best",
        "You take the cheapest network. Among those that fit, the most accurate is wanted.",
        mimic=_pick(lambda p, price: (-price, p[2])),
        hint=1,
    ),
    Mistake(
        "bang-for-the-buck",
        "You compare accuracy per MAC. Within the budget MACs are free: only the accuracy counts.",
        mimic=_pick(lambda p, price: p[2] / price),
        hint=1,
    ),
    Mistake(
        "width-first",
        "You take the widest network that fits. Compare the accuracies instead.",
        mimic=_pick(lambda p, price: (p[0], p[1])),
        hint=1,
    ),
    Mistake(
        "first-that-fits",
        "You take the first network in the list that fits. Look at all that fit, then take the most"
        " accurate.",
        mimic=_first_that_fits,
        hint=1,
    ),
    Mistake(
        "budget-left-out",
        "A network that costs exactly the budget fits: at most, not less than.",
        mimic=_pick(_good, fits=lambda price, budget: price < budget),
        hint=2,
    ),
    Mistake(
        "tie-to-the-dearer",
        "Two networks are equally accurate, and you take the dearer one.",
        mimic=_pick(lambda p, price: (p[2], price)),
        hint=3,
    ),
    Mistake(
        "tie-to-the-first",
        "Two networks are equally accurate, and you take the one that stands first in the list. The"
        " cheaper one is wanted.",
        mimic=_pick(lambda p, price: p[2]),
        hint=3,
    ),
    Mistake(
        "tie-to-the-last",
        "Two networks are equally accurate, and you take the one that stands last in the list. The"
        " cheaper one is wanted.",
        mimic=_last_of_equals,
        hint=3,
    ),
    Mistake(
        "tie-by-one-dial",
        "Two networks are equally accurate, and you take the one with fewer pixels. It need not be"
        " the cheaper one: compare what they cost.",
        mimic=_pick(lambda p, price: (p[2], -p[1])),
        hint=3,
    ),
    Mistake(
        "tie-by-one-dial",
        "Two networks are equally accurate, and you take the narrower one. It need not be the"
        " cheaper one: compare what they cost.",
        mimic=_pick(lambda p, price: (p[2], -p[0])),
        hint=3,
    ),
    Mistake(
        "tie-by-one-dial",
        "Two networks are equally accurate, and you take the wider one, or the one with more"
        " pixels. The cheaper one is wanted.",
        mimic=_pick(lambda p, price: (p[2], p[0], p[1])),
        hint=3,
    ),
)


def _more_budget_never_hurts(choose: Any, rng: Random) -> str | None:
    points = [
        (rng.choice((0.25, 0.5, 1.0)), 32 * i, rng.randint(40, 70) + i / 8) for i in range(3, 9)
    ]
    known = {point[:2]: point[2] for point in points}
    last = 0.0
    for budget in sorted(cost(width, side) for width, side, _ in points):
        found = choose(list(points), budget, cost)
        now = known.get(tuple(found), 0.0) if found else 0.0
        if now < last:
            return f"With a larger budget, {budget:,}, your choice is less accurate than before."
        last = now
    return None


LAWS = (Law("a larger budget never hurts", _more_budget_never_hurts, hint=1),)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Two steps. First keep the points whose cost is at most the budget. Then take the one with"
        " the largest third entry.",
    ),
    Hint(
        "ValueError: max() … empty, or the edge of the budget is wrong",
        "Three questions at the edges. What if the list is empty after the first step? What if a"
        " network costs exactly the budget? (It fits.) What is returned if nothing fits? (None.)",
    ),
    Hint(
        "My choice is wrong when two are equally accurate",
        "`max` and `sorted` compare tuples entry by entry. As a key, a tuple of the accuracy and"
        " the negative cost puts the cheaper one first among equals.",
    ),
)
