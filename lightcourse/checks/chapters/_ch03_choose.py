"""Exercise 03.choose: which pictures end in a last map of k."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from lightcourse.checks.chapters._ch03_ladder import HALVING, Layer, by_torch
from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome

VALID = [(3, 2, 0), (3, 1, 0), (3, 1, 1), (3, 2, 0), (3, 1, 0), (3, 2, 0)]


def cases(rng: Random) -> Iterator[Case]:
    yield Case((4, [(2, 2, 0)]), label="one 2×2 pooling")
    yield Case((4, [(3, 2, 1)]), label="one halving")
    yield Case((6, [(3, 1, 0)]), label="stride 1: only one size fits")
    yield Case((7, HALVING), label="five halvings")
    yield Case((1, HALVING), label="five halvings down to 1")
    yield Case((5, VALID), label="3×3 layers, most of them without padding")
    yield Case((6, [(11, 4, 2), (3, 2, 0), (3, 2, 0), (3, 2, 0)]), label="the strides of AlexNet")
    yield Case((9, []), label="no layer at all")
    yield Case((13, [(3, 1, 1), (2, 2, 0)] * 5), label="five poolings, as in YOLOv2")
    yield Case((29, [(3, 2, 1)] * 6), label="a large picture")
    for _ in range(8):
        layers = [_layer(rng) for _ in range(rng.randint(2, 5))]
        yield Case((rng.randint(1, 13), layers))


def _layer(rng: Random) -> Layer:
    kernel = rng.choice((1, 2, 3, 3, 5, 7))
    return kernel, rng.choice((1, 2, 2, 3)), rng.randint(0, (kernel - 1) // 2)


def by_trying(k: int, layers: Sequence[Layer]) -> tuple[int, int]:
    """Try every size from 1 on until the last map is larger than k; torch makes the maps."""
    low, high = 1, 1
    while _last(high, layers) <= k:
        high *= 2
    # the last map never shrinks when the picture grows, so halving finds both ends
    return _first(k, layers, low, high), _first(k + 1, layers, low, high) - 1


def _first(k: int, layers: Sequence[Layer], low: int, high: int) -> int:
    """The smallest picture whose last map has at least k."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _last(middle, layers) >= k else (middle + 1, high)
    return low


def _last(r: int, layers: Sequence[Layer]) -> int:
    try:
        return by_torch(r, layers)[0][-1]
    except RuntimeError:  # a window does not fit into its map
        return 0


def _back(k: int, s: int, kernel: int, p: int) -> int:
    return (k - 1) * s + kernel - 2 * p


def _wrong(
    back: Callable = _back,
    slack: Callable[[int], int] = lambda s: s - 1,
    order: Callable = reversed,
) -> Callable[..., Any]:
    """A walk back in which a step, what rounding allows, or the direction is not right."""

    def walk(k: int, layers: Sequence[Layer]) -> tuple[int, int]:
        low = high = k
        for kernel, stride, padding in order(layers):
            low = back(low, stride, kernel, padding)
            high = back(high, stride, kernel, padding) + slack(stride)
        return low, high

    return walk


def _power(k: int, layers: Sequence[Layer]) -> tuple[int, int]:
    for _, stride, _ in layers:
        k *= stride
    return k, k


def _power_range(k: int, layers: Sequence[Layer]) -> tuple[int, int]:
    total = _power(1, layers)[0]
    return (k - 1) * total + 1, k * total


def _slack_at_the_end(k: int, layers: Sequence[Layer]) -> tuple[int, int]:
    low, _ = _wrong()(k, layers)
    return low, low + (layers[0][1] - 1 if layers else 0)


def _slack_of_the_last(k: int, layers: Sequence[Layer]) -> tuple[int, int]:
    low, _ = _wrong()(k, layers)
    return low, low + (layers[-1][1] - 1 if layers else 0)


def _slack_in_a_sum(k: int, layers: Sequence[Layer]) -> tuple[int, int]:
    """What each layer allows, added up as if it were all in pixels of the picture."""
    low, _ = _wrong()(k, layers)
    return low, low + sum(stride - 1 for _, stride, _ in layers)


def _found_nothing(outcome: Outcome) -> bool:
    return isinstance(outcome.error, ValueError) and "empty" in str(outcome.error)


def _slack_to_total(k: int, layers: Sequence[Layer]) -> tuple[int, int]:
    """One picture too many: the first one whose last map is larger."""
    low, high = _wrong()(k, layers)
    return low, high + 1


MISTAKES = (
    Mistake(
        "only-the-power",
        "You multiply k by the strides. That is the rule r = k·2ⁿ. It names one picture, and only"
        " where every layer divides exactly; others end in the same k.",
        mimic=_power,
        hint=1,
    ),
    Mistake(
        "only-the-smallest",
        "Both your numbers are the smallest picture. A layer with stride 2 takes whole steps"
        " only, so a size and the next one can give the same result: the range grows with every"
        " such layer.",
        mimic=_wrong(slack=lambda s: 0),
        hint=3,
    ),
    Mistake(
        "one-too-far",
        "Your smallest is right, your largest is one too far: it is the first picture with a larger"
        " last map.",
        mimic=_slack_to_total,
        hint=3,
    ),
    Mistake(
        "slack-too-large",
        "You allow `stride` more at each layer. Of `stride` sizes in a row that give the same"
        " result, the largest is `stride - 1` above the smallest.",
        mimic=_wrong(slack=lambda s: s),
        hint=3,
    ),
    Mistake(
        "slack-of-one-layer",
        "You add what rounding allows for one layer only. Each layer has its own, and the layers"
        " before it make it longer. Carry the largest size through all layers, as the smallest.",
        mimic=_slack_at_the_end,
        hint=3,
    ),
    Mistake(
        "slack-of-the-last-layer",
        "You add what rounding allows for the last layer only, after the walk. Carry both ends"
        " through every layer.",
        mimic=_slack_of_the_last,
        hint=3,
    ),
    *(
        Mistake(
            "one-place-per-layer",
            "You allow one place more at each layer, whatever its stride. As many may be left over"
            " as do not make a step: none with stride 1, one with stride 2, two with stride 3.",
            mimic=_wrong(slack=slack),
            hint=3,
        )
        for slack in (lambda s: 1, lambda s: min(s - 1, 1))
    ),
    Mistake(
        "slack-added-up",
        "You add up what each layer allows. But a place left over at a late layer is many pixels of"
        " the picture. Carry the largest size through all layers, as the smallest.",
        mimic=_slack_in_a_sum,
        hint=3,
    ),
    Mistake(
        "search-too-short",
        "Your search ends before the pictures that fit begin. Large maps after many layers need"
        " thousands of pixels. Go on until the last map is larger than k, or calculate.",
        matches=_found_nothing,
        hint=1,
    ),
    Mistake(
        "halving-assumed",
        "That is right for layers with kernel 3, stride 2 and padding 1. Others, such as 2×2"
        " pooling, begin elsewhere: kernel and padding count, and you use the strides alone.",
        mimic=_power_range,
        hint=2,
    ),
    Mistake(
        "forwards",
        "You go from the first layer to the last. k belongs to the last map: begin at the end.",
        mimic=_wrong(order=list),
        hint=1,
    ),
    Mistake(
        "steps-not-places",
        "k places lie k - 1 steps apart: count the steps, then add one window.",
        mimic=_wrong(back=lambda k, s, kernel, p: k * s + kernel - 2 * p),
        hint=2,
    ),
    Mistake(
        "window-forgotten",
        "The steps alone are not enough: the last window still covers `kernel` places.",
        mimic=_wrong(back=lambda k, s, kernel, p: (k - 1) * s + 1 - 2 * p),
        hint=2,
    ),
    Mistake(
        "padding-added",
        "The padding is not part of the picture. The windows need (k - 1)·stride + kernel places,"
        " and the padding provides some of them: take it off, on both sides.",
        mimic=_wrong(back=lambda k, s, kernel, p: (k - 1) * s + kernel + 2 * p),
        hint=2,
    ),
    Mistake(
        "padding-once-back",
        "You take the padding off on one side. There is as much on the other side.",
        mimic=_wrong(back=lambda k, s, kernel, p: (k - 1) * s + kernel - p),
        hint=2,
    ),
    Mistake(
        "largest-first",
        "The two numbers are right, in the wrong order: the smallest comes first.",
        mimic=lambda k, layers: _wrong()(k, layers)[::-1],
        hint=1,
    ),
)


def _the_next_picture_is_larger(choose: Callable, rng: Random) -> str | None:
    k, layers = rng.randint(2, 9), [_layer(rng) for _ in range(3)]
    first, second = choose(k, layers), choose(k + 1, layers)
    if second[0] != first[1] + 1:
        return (
            f"For {layers} your pictures for k = {k} end at {first[1]}, and those for {k + 1} begin"
            f" at {second[0]}. Every size belongs to exactly one k."
        )
    return None


LAWS = (Law("every size belongs to one k", _the_next_picture_is_larger, hint=3),)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Stand at the last map, where both the smallest and the largest size are k. Go back layer"
        " by layer, last layer first: which sizes of its input give these sizes?",
    ),
    Hint(
        "My smallest is wrong, or both values are wrong",
        "A layer that stands at 7 places takes 6 steps. With stride 2 and kernel 3 the windows"
        " cover 6·2 + 3 = 15 places. With padding 1 two of these are padding, so the input has 13.",
    ),
    Hint(
        "My smallest is right, my largest is wrong",
        "With stride 2, 13 and 14 both give 7: one place may be left over. With stride 3 two may"
        " be. So the largest input is the one you find for the largest output, and then as many"
        " more as may be left over.",
    ),
)
