"""Exercise 10.widest: how wide a network may be before it costs more than a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, cast

from lightcourse.checks.chapters._ch10_layers import (
    FAST,
    SLOW,
    Layer,
    layers_of,
    macs_of,
    random_layers,
    total,
)
from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome

Total = Callable[[Sequence[Layer]], int]


def at_32(layers: Sequence[Layer]) -> int:
    """MACs on 32 pixels: what the learner gets as `total` in the small cases."""
    return total(layers, 32)


def at_224(layers: Sequence[Layer]) -> int:
    """MACs on 224 pixels."""
    return total(layers, 224)


def cases(rng: Random) -> Iterator[Case]:
    tiny: list[Layer] = [("conv", 32, 2), ("pointwise", 64, 1), ("linear", 10, 1)]
    for n, label in ((16, "exactly half as wide"), (32, "exactly as wide as it is")):
        yield Case((tiny, at_32(scaled(tiny, n)), at_32), {}, label)
    yield Case((tiny, at_32(scaled(tiny, 16)) - 1, at_32), {}, "one MAC too few for half")
    yield Case((tiny, at_32(scaled(tiny, 70)) + 5, at_32), {}, "more than twice as wide")
    yield Case((tiny, at_32(scaled(tiny, 500)), at_32), {}, "many times as wide")
    yield Case((tiny, 10, at_32), {}, "a budget that nothing fits into")
    narrow: list[Layer] = [("conv", 8, 2), ("depthwise", 8, 1), ("pointwise", 40, 1)]
    narrow += [("linear", 10, 1)]
    yield Case((narrow, at_32(scaled(narrow, 1)) - 1, at_32), {}, "one MAC too few for 1 channel")
    yield Case(
        (narrow, at_32(scaled(narrow, 3)), at_32), {}, "so narrow that 1 channel is the least"
    )
    yield Case(
        (narrow, at_32(scaled(narrow, 27)), at_32), {}, "channels that do not come out whole"
    )
    yield Case((layers_of(FAST), total(layers_of(SLOW, 0.5)), at_224), {}, "FD-MobileNet")
    for _ in range(4):
        layers = [*random_layers(rng, least=10)]
        if layers[-1][0] != "linear":
            layers.append(("linear", 10, 1))
        budget = at_32(scaled(layers, rng.randint(3, 60))) + rng.randint(0, 3)
        yield Case((layers, budget, at_32), {}, "")


def scaled(layers: Sequence[Layer], n: int) -> list[Layer]:
    """All channels times n / 32, cut to whole ones, at least one; the classes stay.

    >>> scaled([("conv", 40, 2), ("linear", 10, 1)], 1)
    [('conv', 1, 2), ('linear', 10, 1)]
    """
    return [
        (kind, c if kind == "linear" else max(1, c * n // 32), stride) for kind, c, stride in layers
    ]


def by_bisection(layers: Sequence[Layer], budget: int, given: Total) -> int:
    """Bisect, counting each layer of the check's own cases by itself, without their `total`.

    This also stands in for the learner's function in the notebook, with a `total` from there; that
    one is asked.

    >>> by_bisection([("conv", 32, 2), ("linear", 10, 1)], 3540, lambda layers: 113 * layers[0][1])
    31
    """
    sides: dict[Total, int] = {at_32: 32, at_224: 224}

    def cost(n: int) -> int:
        if given not in sides:
            return given(scaled(layers, n))
        macs, into, now = 0, 3, sides[given]
        for kind, out, stride in scaled(layers, n):
            now = 1 if kind == "linear" else -(-now // stride)
            macs += macs_of(kind, into, out, now)
            into = out
        return macs

    low, high = 0, 1
    while cost(high) <= budget:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if cost(middle) <= budget else (low, middle)
    return low


def climber(
    scale: Callable[[Layer, int], int] = lambda layer, n: max(1, layer[1] * n // 32),
    fits: Callable[[int, int], bool] = lambda macs, budget: macs <= budget,
    kinds: Sequence[str] = ("conv", "depthwise", "pointwise"),
    top: int = 20_000,
    extra: int = 0,
) -> Callable[..., int]:
    """A widest with rules of its own: it climbs while the network fits."""

    def widest(layers: Sequence[Layer], budget: int, given: Total) -> int:
        n = 0
        while n < top:
            rows = [
                (kind, scale((kind, c, s), n + 1) if kind in kinds else c, s)
                for kind, c, s in layers
            ]
            if not fits(given(rows), budget):
                break
            n += 1
        return n + extra

    return widest


def _by_law(power: float) -> Callable[..., int]:
    return lambda layers, budget, given: int(32 * (budget / given(layers)) ** power)


def _is_a_width(outcome: Outcome) -> bool:
    return isinstance(outcome.got, float) and abs(32 * outcome.got - outcome.want) < 1e-9


def _is_macs(outcome: Outcome) -> bool:
    layers, _, given = outcome.case.args
    return outcome.got == (given(scaled(layers, outcome.want)) if outcome.want else 0)


def _ends_early(outcome: Outcome) -> bool:
    return isinstance(outcome.got, int) and 32 < outcome.got < outcome.want - 1


ALL = ("conv", "depthwise", "pointwise", "linear")
MISTAKES = (
    Mistake(
        "one-too-far",
        "Your network is one step too wide: it costs more than the budget. Return the last one that"
        " still fits.",
        mimic=climber(extra=1),
        hint=3,
    ),
    Mistake(
        "one-too-early",
        "Your network is one step too narrow: there is a wider one that fits.",
        mimic=lambda layers, budget, given: max(0, climber()(layers, budget, given) - 1),
        hint=3,
    ),
    Mistake(
        "just-fitting-refused",
        "A network that costs exactly the budget is allowed: `<=`, not `<`.",
        mimic=climber(fits=lambda macs, budget: macs < budget),
        hint=3,
    ),
    Mistake(
        "never-wider",
        "You stop at 32, the width of the table itself. If the budget allows, go on: the question"
        " is how much *wider* it may be.",
        mimic=climber(top=32),
        hint=3,
    ),
    Mistake(
        "classes-scaled",
        "You scale the classifier's outputs too. There are as many classes as there are: the"
        " number of the `linear` layer stays.",
        mimic=climber(kinds=ALL),
        hint=2,
    ),
    Mistake(
        "no-channel-left",
        "Very narrow networks of yours lose all channels of a layer. Each layer keeps at least"
        " one.",
        mimic=climber(lambda layer, n: layer[1] * n // 32),
        hint=2,
    ),
    Mistake(
        "rounded-to-the-nearest",
        "You round the channels to the nearest number. Here they are cut: 40 · 3 / 32 = 3.75"
        " gives 3.",
        mimic=climber(lambda layer, n: max(1, round(layer[1] * n / 32))),
        hint=2,
    ),
    Mistake(
        "rounded-up",
        "You round the channels up. Here they are cut: 40 · 3 / 32 = 3.75 gives 3.",
        mimic=climber(lambda layer, n: max(1, -(-layer[1] * n // 32))),
        hint=2,
    ),
    *(
        Mistake(
            "channels-not-whole",
            "Your channels have a fraction. Half a channel cannot be built: cut it,"
            " `c * n // 32`. (The classes stay, and every layer keeps at least one channel.)",
            mimic=climber(cast("Any", lambda layer, n: layer[1] * n / 32), kinds=kinds),
            hint=2,
        )
        for kinds in (("conv", "depthwise", "pointwise"), ALL)
    ),
    Mistake(
        "some-layers-not-scaled",
        "You scale the pointwise layers only. The stem and the depthwise layers get narrower too;"
        " a depthwise layer has as many channels as arrive.",
        mimic=climber(kinds=("pointwise",)),
        hint=2,
    ),
    Mistake(
        "some-layers-not-scaled",
        "You leave the stem as it is. All layers but the classifier are scaled.",
        mimic=climber(kinds=("depthwise", "pointwise")),
        hint=2,
    ),
    Mistake(
        "by-the-square-law",
        "You use the law “MACs go with the width squared”. It is near, but not exact: stem,"
        " depthwise layers and classifier go with the width itself. Try the widths instead.",
        mimic=_by_law(0.5),
        hint=1,
    ),
    Mistake(
        "by-proportion",
        "You take width and MACs to be proportional. Twice as wide is about *four* times the MACs."
        " Try the widths instead.",
        mimic=_by_law(1.0),
        hint=1,
    ),
    Mistake(
        "a-width-not-a-count",
        "Your width is right, and wanted is the number of 32nds, a whole number: for width 0.5"
        " that is 16.",
        matches=_is_a_width,
        hint=1,
    ),
    Mistake(
        "macs-returned",
        "You return the MACs of the network that fits. Wanted is n, the number of 32nds.",
        matches=_is_macs,
        hint=1,
    ),
    Mistake(
        "search-ends-early",
        "Your search ends before the network stops fitting: is there a largest n in your code? A"
        " large budget allows any number. Go on until n + 1 no longer fits.",
        matches=_ends_early,
        hint=3,
    ),
)


def _own_cost_fits(widest: Callable[..., int], rng: Random) -> str | None:
    n = rng.randint(5, 50)
    layers = [("conv", 64, 2), ("depthwise", 64, 1), ("pointwise", 128, 1), ("linear", 10, 1)]
    if widest(list(layers), at_32(scaled(layers, n)), at_32) != n:
        return f"The network of {n} 32nds must fit into its own MACs, and just so; yours does not."
    return None


LAWS = (Law("a network fits into its own MACs", _own_cost_fits, hint=3),)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Try n = 1, 2, 3, … one after the other. For each n make the scaled list of layers, ask"
        " `total` what it costs, and stop at the first that costs more than the budget.",
    ),
    Hint(
        "My channels are wrong",
        "Each layer but the linear one gets `c * n // 32` channels, and at least 1. Kind and stride"
        " stay. By hand: 40 channels at n = 3 are 3, at n = 16 they are 20.",
    ),
    Hint(
        "I am one step off",
        "n fits and n + 1 does not: then n is the answer. If not even n = 1 fits, the answer is 0."
        " There is no upper end: a large budget may allow more than 32.",
    ),
    Hint(
        "My loop does not end",
        "What if nothing fits? A search that goes down must stop at n = 0, because every layer"
        " keeps a channel: the cost falls no further. A search that goes up must stop at the first"
        " n that costs too much.",
    ),
)


def show(case: Case) -> str:
    layers, budget, given = case.args
    what = "…" if len(layers) > 12 else layers
    return f"widest({what}, {budget}, total)  with total on {224 if given is at_224 else 32} pixels"
