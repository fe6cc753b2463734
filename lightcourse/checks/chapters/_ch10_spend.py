"""Exercise 10.spend: how many MACs a network spends on maps of each size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Integral
from random import Random
from typing import Any

import torch
from torch import nn

from lightcourse.checks.chapters._ch10_layers import FAST, SLOW, Layer, layers_of, random_layers
from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Difference, Hint, Law


def cases(rng: Random) -> Iterator[Case]:
    yield _case([("conv", 4, 1)], 6, "one convolution")
    yield _case([("conv", 4, 2)], 6, "stride 2: the map that is written has a side of 3")
    yield _case([("conv", 4, 1), ("conv", 6, 1)], 6, "two convolutions")
    yield _case([("conv", 4, 2), ("depthwise", 4, 1)], 8, "a depthwise layer")
    yield _case([("conv", 4, 2), ("pointwise", 6, 1)], 8, "a pointwise layer")
    yield _case([("conv", 4, 2), ("depthwise", 4, 2), ("pointwise", 6, 1)], 8, "a separable block")
    yield _case([("conv", 4, 2), ("linear", 5, 1)], 8, "a classifier")
    yield _case([("conv", 4, 2), ("depthwise", 4, 2), ("pointwise", 6, 2)], 15, "odd sides")
    yield _case([("conv", 4, 2), ("depthwise", 4, 2)], 17, "odd sides again: 17, 9, 5")
    small: list[Layer] = [("conv", 4, 2), ("conv", 6, 2), ("linear", 5, 1)]
    yield _case(small, 4, "a classifier, and a map of one place before it")
    yield _case(layers_of(FAST, 0.25), 224, "FD-MobileNet 0.25")
    for _ in range(4):
        yield _case(random_layers(rng), rng.choice((17, 24, 31)))


def _case(layers: Sequence[Layer], side: int, label: str = "") -> Case:
    return Case(([*layers], side), label=label)


def compare(got: Any, want: Mapping[int, int]) -> Difference | None:
    """As usual, but a side must be a whole number: 3.0 would pass for 3 as a key."""
    if isinstance(got, Mapping) and not all(isinstance(key, Integral) for key in got):
        return Difference("type", f"its keys are {', '.join(map(repr, got))}, wanted whole numbers")
    return Compare()(got, want)


def by_analysis(layers: Sequence[Layer], side: int) -> dict[int, int]:
    """Build the layers in PyTorch, let `analyze` count them, and sort by the map they write."""
    from lightcourse.analysis import analyze

    with torch.device("meta"):
        rows = analyze(_module(layers), (1, 3, side, side)).layers
    found: Counter[int] = Counter()
    for row in rows:
        if row.macs:
            found[row.output_shape[-1] if len(row.output_shape) == 4 else 1] += row.macs
    return dict(found)


def _module(layers: Sequence[Layer]) -> nn.Sequential:
    channels, modules = 3, []
    for kind, out, stride in layers:
        if kind == "linear":
            modules += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, out)]
        else:
            k = 1 if kind == "pointwise" else 3
            groups = channels if kind == "depthwise" else 1
            modules.append(nn.Conv2d(channels, out, k, stride, k // 2, groups=groups, bias=False))
        channels = out
    return nn.Sequential(*modules)


def counter(
    each: Callable[[str, int, int], int] | None = None,
    shrink: Callable[[int, int], int] = lambda side, stride: -(-side // stride),
    area: Callable[[int, int], int] = lambda before, after: after * after,
    key: Callable[[int, int], int] = lambda before, after: after,
    colours: int = 3,
    hand_on: bool = True,
    add: bool = True,
    linear: Callable[[int], int | None] = lambda side: 1,
    times: int = 1,
) -> Callable[..., dict[int, int]]:
    """A macs_by_side with rules of its own.

    `linear(side)` is the side at which the classifier works; None leaves it out.
    """

    def macs_by_side(layers: Sequence[Layer], side: int) -> dict[int, int]:
        channels, found = colours, {}
        for kind, out, stride in layers:
            after = linear(side) if kind == "linear" else shrink(side, stride)
            if after is None:
                continue
            before = after if kind == "linear" else side
            one = (each or per_place)(kind, channels, out) * area(before, after) * times
            place = key(before, after)
            found[place] = one + (found.get(place, 0) if add else 0)
            side, channels = after, out if hand_on else channels
        return found

    return macs_by_side


def per_place(kind: str, into: int, out: int) -> int:
    """MACs for one place of the output map, all its channels."""
    return {"conv": 9 * into * out, "depthwise": 9 * out}.get(kind, into * out)


def _one_layer_more(macs_by_side: Callable[..., Any], rng: Random) -> str | None:
    layers, side = random_layers(rng)[:3], 8 * rng.randint(2, 5)
    before = dict(macs_by_side(list(layers), side))
    after = dict(macs_by_side([*layers, ("pointwise", 8, 1)], side))
    grown = [place for place in after if after[place] != before.get(place, 0)]
    if len(grown) != 1 or grown[0] != min(after):
        return "A further layer of stride 1 adds MACs at the smallest map only; yours does not."
    return None


LAWS = (Law("a layer adds where it writes", _one_layer_more, hint=2),)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Go through the layers with two numbers in hand: the channels that arrive (3 at first) and"
        " the side of the map. For each layer work out the side that it writes, then its MACs, and"
        " add them to the entry of that side.",
    ),
    Hint(
        "My sides are right, my MACs are wrong",
        "For each place of the map that is *written*, and each channel written there: conv 9 MACs"
        " for every channel that arrives, depthwise 9, pointwise and linear 1 for every channel"
        " that arrives. By hand: conv to 4 channels with stride 2 on 6×6 writes 3×3 places, so"
        " 3 · 3 · 4 · 9 · 3 = 972.",
    ),
    Hint(
        "My sides are wrong",
        "A side of 15 with stride 2: the windows stand at 0, 2, …, 14, and these are 8. So half,"
        " rounded up: `-(-side // stride)`, or `math.ceil(side / stride)`.",
    ),
    Hint(
        "My classifier is wrong",
        "Before the linear layer the mean is taken over the whole map. So it works on one place:"
        " its entry is that of side 1.",
    ),
)


def show(case: Case) -> str:
    layers, side = case.args
    if layers in (layers_of(SLOW), layers_of(FAST, 0.25)):
        return f"macs_by_side(…, {side})  with {case.label}"
    return f"macs_by_side({layers}, {side})"
