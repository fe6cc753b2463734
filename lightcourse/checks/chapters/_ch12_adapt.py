"""Exercise 12.adapt: one step of NetAdapt in the form of MobileNetV3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from lightcourse.checks.exercise import Case, Hint

Widths = Sequence[int]


def cost_of(places: Sequence[int]) -> Callable[[Widths], int]:
    """The MACs of a chain of 3×3 layers behind 3 colours; layer i writes places[i] places."""

    def cost(widths: Widths) -> int:
        pairs = zip((3, *widths[:-1]), widths, places, strict=True)
        return sum(9 * c * n * p for c, n, p in pairs)

    return cost


def score_of(full: Sequence[int], worth: Sequence[float], best: float) -> Callable[..., float]:
    """A stand-in for accuracy: each layer loses its worth as its channels go, faster and faster."""

    def score(widths: Widths) -> float:
        lost = (w * (1 - n / f) ** 1.5 for n, f, w in zip(widths, full, worth, strict=True))
        return best - sum(lost)

    return score


def cases(rng: Random) -> Iterator[Case]:
    yield _by_hand()
    yield _better_twice()
    yield _two_gains()
    yield _case((10, 6), (4, 50), (9.0, 1.0), 4, 11_000, "at least a step remains")
    yield _case((8, 8, 8), (1, 30, 60), (5.0, 9.0, 1.0), 4, 15_000, "layer 1 saves too little")
    yield _case((16, 16), (64, 16), (10.0, 3.0), 4, 20_000, "steps of 4, two layers")
    yield _case((16, 10, 8), (9, 9, 4), (5.0, 2.0, 4.0), 4, 3_000, "a layer of 10 channels")
    yield _case((12, 8), (16, 4), (4.0, -3.0), 4, 2_000, "a layer that it is better without")
    yield _case((8, 8, 4), (9, 9, 9), (4.0, 6.0, 1.0), 4, 50_000, "no layer can save so much")
    # exactly as much as layer 2 saves by one step: "at least" is enough
    exact = cost_of((16, 16))((8, 8)) - cost_of((16, 16))((8, 6))
    yield _case((8, 8), (16, 16), (9.0, 2.0), 2, exact, "exactly so much")
    for _ in range(9):
        layers, step = rng.randint(3, 5), rng.choice((2, 4, 8))
        widths = tuple(rng.randint(2 * step, 8 * step) for _ in range(layers))
        places = tuple(sorted((rng.randint(4, 200) for _ in range(layers)), reverse=True))
        worth = tuple(round(rng.uniform(-2, 20), 2) for _ in range(layers))
        saving = int(cost_of(places)(widths) * rng.uniform(0.03, 0.3))
        yield _case(widths, places, worth, step, saving, "random")


def _by_hand() -> Case:
    """Layer 1 loses less accuracy, layer 2 less for each MAC."""
    more = (lambda w: 10 * w[0] + 40 * w[1] - 100), (lambda w: 38.0 + w[0] + 2 * w[1])
    return Case(([4, 4], 10, *more, 1), {}, "by hand")


def _better_twice() -> Case:
    """Layer 2 loses less, and saves more; divided by what is left it would not win."""
    more = (lambda w: 10 * w[0] + 50 * w[1] - 140), (lambda w: 41.2 + 1.2 * w[0] + w[1])
    return Case(([4, 4], 10, *more, 1), {}, "layer 2 saves more and loses less")


def _two_gains() -> Case:
    """Both candidates are better than before: by 1 point and by 5, for 10 MACs each."""
    more = (lambda w: 10 * w[0] + 10 * w[1] + 20), (lambda w: 74.0 - w[0] - 5 * w[1])
    return Case(([4, 4], 10, *more, 1), {}, "two gains")


def _case(
    widths: Widths, places: Widths, worth: Sequence[float], step: int, saving: int, label: str
) -> Case:
    score = score_of(widths, worth, 90.0)
    return Case((list(widths), saving, cost_of(places), score, step), {}, label)


def show(case: Case) -> str:
    widths, saving, _, _, step = case.args
    if case.label == "by hand":
        said = "cost: 100, layer 1 narrower 90, layer 2 narrower 60. score: 50, 49, 48"
        return f"netadapt_step([4, 4], 10, cost, score, step=1)  with {said}"
    if case.label == "two gains":
        said = "cost: 100, either layer narrower 90. score: 50, layer 1 narrower 51, layer 2 55"
        return f"netadapt_step([4, 4], 10, cost, score, step=1)  with {said}"
    return f"netadapt_step({widths}, {saving}, cost, score, step={step})"


def narrowed(widths: Widths, i: int, n: int) -> list[int]:
    return [n if j == i else width for j, width in enumerate(widths)]


def candidates(
    widths: Widths, saving: int, cost: Any, step: int, least: int | None = None
) -> Iterator[list[int]]:
    """Each layer with as many channels as still save enough, where there are such."""
    least = step if least is None else least
    for i, width in enumerate(widths):
        for n in range(width - step, least - 1, -step):
            if cost(widths) - cost(narrowed(widths, i, n)) >= saving:
                yield narrowed(widths, i, n)
                break


def oracle(widths: Widths, saving: int, cost: Any, score: Any, step: int) -> list[int] | None:
    """Of all candidates the one that loses least accuracy for each MAC saved."""
    before, base = cost(widths), score(widths)
    rates = [
        ((base - score(new)) / (before - cost(new)), new)
        for new in candidates(widths, saving, cost, step)
    ]
    return min(rates)[1] if rates else None


def few_calls(f: Any, rng: Random) -> str | None:
    """`score` stands for a training: once for each candidate, and once for the net as it is."""
    for case in cases(rng):
        asked: list[tuple[int, ...]] = []
        widths, saving, cost, score, step = case.args

        def counted(new: Widths, score: Any = score, asked: list[Any] = asked) -> float:
            asked.append(tuple(new))
            return score(new)

        f(list(widths), saving, cost, counted, step)
        allowed = len(widths) + 1
        if len(asked) > allowed:
            return (
                f"`score` is called {len(asked)} times for {len(widths)} layers. Each call trains a"
                f" network: once for the widths as they are and once a candidate, {allowed} at"
                " most. Find out with `cost` alone how far a layer must shrink."
            )
    return None


def real_widths(f: Any, rng: Random) -> str | None:
    """`cost` is asked for networks that can be built."""
    for case in cases(rng):
        widths, saving, cost, score, step = case.args
        asked: list[int] = []

        def noted(new: Widths, cost: Any = cost, asked: list[int] = asked) -> float:
            asked.append(min(new))
            return cost(new)

        f(list(widths), saving, noted, score, step)
        if min(asked, default=1) < 1:
            return (
                f"`cost` is asked for a layer of {min(asked)} channels. There is no such network,"
                " and the search below would stop there with an error. First ask whether at least"
                " `step` channels remain, then narrow."
            )
    return None


HINTS = (
    Hint(
        "I do not know where to begin",
        "A loop over the layers. For each: a copy of the widths, in which this layer becomes"
        " narrower step by step; then what it saves and what it loses. Keep the best one so far, or"
        " None, and return it after the loop.",
    ),
    Hint(
        "Another candidate is wanted",
        "Two numbers for each: saved = cost(widths) - cost(new), lost = score(widths) - score(new)."
        " The smallest lost / saved wins. It may be negative: a net can get better.",
    ),
    Hint(
        "My layer has the wrong number of channels",
        "`while` the candidate saves less than `saving`, and at least `step` channels would remain:"
        " take `step` away. After the loop ask again whether it saves enough; if not, go on with"
        " the next layer.",
    ),
)
