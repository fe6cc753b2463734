"""Exercise 12.adapt: known mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lightcourse.checks.chapters._ch12_adapt import Widths, candidates, narrowed
from lightcourse.checks.exercise import Mistake, Outcome


def _rule(best: Callable[..., Any], **how: Any) -> Callable[..., Any]:
    """A step that ranks its candidates by another rule: the largest wins, the first of equals."""

    def wrong(widths: Widths, saving: int, cost: Any, score: Any, step: int) -> Any:
        found = list(how.get("among", candidates)(widths, saving, cost, step))
        now = cost(widths), score(widths)
        rank = [best(now, (cost(new), score(new))) for new in found]
        return found[rank.index(max(rank))] if found else how.get("none", lambda w: None)(widths)

    return wrong


def _per_mac(now: tuple[int, float], new: tuple[int, float]) -> float:
    return (new[1] - now[1]) / max(now[0] - new[0], 1e-9)


def _once(widths: Widths, saving: int, cost: Any, step: int) -> Iterator[list[int]]:
    for i, width in enumerate(widths):
        new = narrowed(widths, i, width - step)
        if width - step >= step and cost(widths) - cost(new) >= saving:
            yield new


def _once_unasked(widths: Widths, saving: int, cost: Any, step: int) -> Iterator[list[int]]:
    for i, width in enumerate(widths):
        if width - step >= step:
            yield narrowed(widths, i, width - step)


def _strictly(widths: Widths, saving: int, cost: Any, step: int) -> Iterator[list[int]]:
    yield from candidates(widths, saving + 1, cost, step)


def _to_the_least(widths: Widths, saving: int, cost: Any, step: int) -> Iterator[list[int]]:
    """A layer that cannot save enough is taken all the same, as narrow as it gets."""
    for i, width in enumerate(widths):
        new = list(widths)
        for n in range(width - step, step - 1, -step):
            new = narrowed(widths, i, n)
            if cost(widths) - cost(new) >= saving:
                break
        if new != list(widths):
            yield new


def _below(widths: Widths, saving: int, cost: Any, step: int) -> Iterator[list[int]]:
    yield from candidates(widths, saving, cost, step, 1)


def _down_to_nothing(widths: Widths, saving: int, cost: Any, step: int) -> Iterator[list[int]]:
    yield from candidates(widths, saving, cost, step, 0)


def _on_top(widths: Widths, saving: int, cost: Any, step: int) -> Iterator[list[int]]:
    """One list is narrowed layer after layer: what was cut for one candidate stays cut."""
    new = list(widths)
    for i in range(len(widths)):
        while cost(widths) - cost(new) < saving and new[i] - step >= step:
            new[i] -= step
        if cost(widths) - cost(new) >= saving:
            yield list(new)


def _all_but_last(widths: Widths, *rest: Any) -> Iterator[list[int]]:
    yield from (new for new in candidates(widths, *rest) if new[-1] == widths[-1])


def _all_but_first(widths: Widths, *rest: Any) -> Iterator[list[int]]:
    yield from (new for new in candidates(widths, *rest) if new[0] == widths[0])


def _for_each_point(now: tuple[int, float], new: tuple[int, float]) -> float:
    lost = now[1] - new[1]
    return (now[0] - new[0]) / lost if lost else 0.0


def _no_list(outcome: Outcome) -> bool:
    return isinstance(outcome.got, (int, float)) and not isinstance(outcome.got, bool)


MISTAKES = (
    Mistake(
        "widths-changed",
        "You change the list of widths that you were given. The caller needs it as it was: make a"
        " copy of it for each candidate, list(widths).",
        matches=lambda o: bool(o.mutated),
        hint=1,
    ),
    Mistake(
        "one-list-for-all",
        "Your candidates share a list: what was cut for one layer is still cut for the next. Begin"
        " each with a copy, list(widths).",
        mimic=_rule(_per_mac, among=_on_top),
        hint=1,
    ),
    Mistake(
        "accuracy-alone",
        "You take the candidate with the highest accuracy. That was NetAdapt's own rule in 2018."
        " MobileNetV3 divides: accuracy lost for each MAC that is saved.",
        mimic=_rule(lambda now, new: new[1]),
        hint=2,
    ),
    Mistake(
        "turned-over",
        "You divide the MACs saved by the loss, and take the largest. With losses alone that is the"
        " same, but a net may get *better*: then the sign turns, and the best becomes the worst."
        " Take the smallest loss / saved.",
        mimic=_rule(_for_each_point),
        hint=2,
    ),
    Mistake(
        "sign-lost",
        "You drop the sign of the change, so that five points *more* count like five points less."
        " A loss may be negative, and then it is the best that can happen. No `abs`.",
        mimic=_rule(lambda now, new: -abs(_per_mac(now, new))),
        hint=2,
    ),
    Mistake(
        "rate-cut-off",
        "`//` cuts the rate down to a whole number, and then nearly all rates are equal. Divide"
        " with `/`.",
        mimic=_rule(lambda now, new: -((now[1] - new[1]) // (now[0] - new[0]))),
        hint=2,
    ),
    Mistake(
        "last-layer-left-out",
        "The last layer is never tried. All are: `range(len(widths))`.",
        mimic=_rule(_per_mac, among=_all_but_last),
        hint=1,
    ),
    Mistake(
        "first-layer-left-out",
        "The first layer is never tried. All are: `range(len(widths))` begins at 0.",
        mimic=_rule(_per_mac, among=_all_but_first),
        hint=1,
    ),
    Mistake(
        "cheapest-taken",
        "You take the candidate that saves most, whatever it loses.",
        mimic=_rule(lambda now, new: -new[0]),
        hint=2,
    ),
    Mistake(
        "first-taken",
        "You take the first layer that can save enough. All layers are tried.",
        mimic=_rule(lambda now, new: 0),
        hint=2,
    ),
    Mistake(
        "worst-taken",
        "You take the candidate that loses *most* for each MAC. Look at the sign, or at min and"
        " max.",
        mimic=_rule(lambda now, new: -_per_mac(now, new)),
        hint=2,
    ),
    Mistake(
        "divided-by-cost",
        "You divide the loss by the MACs that are left. Divide by those that are *saved*.",
        mimic=_rule(lambda now, new: (new[1] - now[1]) / new[0]),
        hint=2,
    ),
    Mistake(
        "accuracy-not-loss",
        "You divide the accuracy by the MACs saved. It is the *change* of accuracy: score(new)"
        " minus score(widths).",
        mimic=_rule(lambda now, new: new[1] / max(now[0] - new[0], 1e-9)),
        hint=2,
    ),
    Mistake(
        "one-step-tried",
        "You try one step a layer, and drop a layer for which that is too little. Go on until it"
        " saves enough.",
        mimic=_rule(_per_mac, among=_once),
        hint=3,
    ),
    Mistake(
        "saving-not-asked",
        "You take one step a layer, whether it saves enough or not. Go on until it saves at least"
        " `saving`.",
        mimic=_rule(_per_mac, among=_once_unasked),
        hint=3,
    ),
    Mistake(
        "more-than-the-saving",
        "A candidate that saves exactly `saving` is enough: at least, not more than.",
        mimic=_rule(_per_mac, among=_strictly),
        hint=3,
    ),
    Mistake(
        "too-little-saved",
        "One of your candidates saves too little: a layer that is as narrow as it may be, and still"
        " does not save enough, is no candidate.",
        mimic=_rule(_per_mac, among=_to_the_least),
        hint=3,
    ),
    Mistake(
        "narrower-than-a-step",
        "You narrow a layer below `step` channels. At least `step` remain in each.",
        mimic=_rule(_per_mac, among=_below),
        hint=3,
    ),
    Mistake(
        "narrower-than-a-step",
        "You narrow a layer below `step` channels. At least `step` remain in each.",
        mimic=_rule(_per_mac, among=_down_to_nothing),
        hint=3,
    ),
    Mistake(
        "widths-not-none",
        "Where no layer can save so much, the answer is None, and yours is the old widths.",
        mimic=_rule(_per_mac, none=list),
        hint=1,
    ),
    Mistake(
        "number-returned",
        "You return a number. Wanted is the list of all widths, with one layer narrower.",
        matches=_no_list,
        hint=1,
    ),
    Mistake(
        "none-given",
        'You return None for "no candidate was found", and there is one: a layer that can save'
        " `saving`, and keeps at least `step` channels. (Or does a path end without `return`?)",
        matches=lambda o: o.error is None and o.got is None and o.want is not None,
        hint=1,
    ),
)
