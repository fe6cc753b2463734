"""Exercise 03.ladder: the sizes from the picture to the last map, and the total stride."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import torch
from torch.nn import functional as F

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Difference, Hint, Law, Mistake, Outcome

Layer = tuple[int, int, int]  # kernel, stride, padding

HALVING = [(3, 2, 1)] * 5


def cases(rng: Random) -> Iterator[Case]:
    yield Case((224, [(3, 2, 1)]), label="one halving")
    yield Case((8, [(3, 1, 1)]), label="stride 1 and padding: nothing changes")
    yield Case((8, [(3, 1, 0)]), label="no padding")
    yield Case((7, [(2, 2, 0)]), label="2×2 pooling of an odd size")
    yield Case((224, HALVING), label="five halvings")
    yield Case((100, HALVING), label="five halvings of 100: not all are exact")
    yield Case((227, [(11, 4, 0), (3, 2, 0), (5, 1, 2), (3, 2, 0)]), label="the first of AlexNet")
    yield Case((10, []), label="no layer at all")
    for _ in range(8):
        r = rng.randint(60, 300)
        yield Case((r, _chain(rng, r)))


def _chain(rng: Random, size: int) -> list[Layer]:
    """Two to five layers, as far as something is left for the next window."""
    layers = []
    for _ in range(rng.randint(2, 5)):
        kernel = rng.choice((1, 2, 3, 3, 5, 7))
        stride, padding = rng.choice((1, 2, 2, 3)), rng.randint(0, kernel // 2)
        if size + 2 * padding < kernel:
            break
        layers.append((kernel, stride, padding))
        size = _size(size, kernel, stride, padding)
    return layers


def by_torch(r: int, layers: Sequence[Layer]) -> tuple[list[int], int]:
    """Let torch build the maps, without any numbers in them."""
    x = torch.empty(1, 1, r, device="meta")
    sizes = [r]
    for kernel, stride, padding in layers:
        weight = torch.empty(1, 1, kernel, device="meta")
        x = F.conv1d(x, weight, None, stride, padding)
        sizes.append(x.shape[-1])
    return sizes, math.prod(stride for _, stride, _ in layers)


def compare(got: Any, want: tuple[list[int], int]) -> Difference | None:
    """As usual, but a wrong number is named: which layer, or the total stride."""
    if _float_product(got, want):
        return Difference("type", "the total stride is a float: `np.prod` of no strides is 1.0")
    found = Compare()(got, want)
    if found is None or found.kind != "value":
        return found
    for number, (mine, right) in enumerate(zip(got[0], want[0], strict=True)):
        if mine != right:
            place = f"after layer {number} the size" if number else "the picture's size"
            return Difference("value", f"{place} is {mine}, wanted {right}")
    return Difference("value", f"the total stride is {got[1]}, wanted {want[1]}")


def _float_product(got: Any, want: tuple[list[int], int]) -> bool:
    """Whether the only fault is a total of 1.0 where there is no layer, as np.prod([]) gives."""
    if not isinstance(got, (tuple, list)) or len(got) != 2:
        return False
    sizes, total = got
    return (
        len(want[0]) == 1
        and isinstance(total, float)
        and total == 1
        and Compare()(sizes, want[0]) is None
    )


def _empty_product(outcome: Outcome) -> bool:
    return outcome.error is None and _float_product(outcome.got, outcome.want)


def _size(i: int, k: int, s: int, p: int) -> int:
    return (i + 2 * p - k) // s + 1


def _wrong(
    size: Callable = _size, total: Callable = math.prod, sizes: Callable = list
) -> Callable[..., Any]:
    """A ladder in which the rule, the total stride or the list is not the right one."""

    def walk(r: int, layers: Sequence[Layer]) -> tuple:
        found = [r]
        for layer in layers:
            found.append(size(found[-1], *layer))
        return sizes(found), total([stride for _, stride, _ in layers])

    return walk


def _from_the_picture(r: int, layers: Sequence[Layer]) -> tuple:
    return [r, *(_size(r, *layer) for layer in layers)], math.prod(s for _, s, _ in layers)


def _read_stride_first(r: int, layers: Sequence[Layer]) -> tuple:
    return _wrong()(r, [(stride, kernel, padding) for kernel, stride, padding in layers])


def _only_last(outcome: Outcome) -> bool:
    got, want = outcome.got, outcome.want
    return bool(got[0] == want[0][-1])


def _only_the_total_is_wrong(outcome: Outcome) -> bool:
    sizes, total = outcome.got
    return list(sizes) == outcome.want[0] and bool(total != outcome.want[1])


def _only_sizes(outcome: Outcome) -> bool:
    return isinstance(outcome.got, list) and outcome.got == outcome.want[0]


MISTAKES = (
    Mistake(
        "rounded-up",
        "You round up. A window that does not fit whole is left out: it is the number of"
        " *steps* that is rounded **down**.",
        mimic=_wrong(lambda i, k, s, p: -((i + 2 * p - k) // -s) + 1),
        hint=3,
    ),
    Mistake(
        "rounded-to-nearest",
        "You round to the nearest whole number. A window that fits by half does not fit: the"
        " steps are rounded **down**. Python's `//` does that.",
        mimic=_wrong(lambda i, k, s, p: round((i + 2 * p - k) / s) + 1),
        hint=3,
    ),
    Mistake(
        "one-missing",
        "You count the steps of the window. There is one place more than there are steps: the one"
        " where the window begins.",
        mimic=_wrong(lambda i, k, s, p: (i + 2 * p - k) // s),
        hint=2,
    ),
    Mistake(
        "padding-once",
        "You count the padding on one side. There is as much on the other side.",
        mimic=_wrong(lambda i, k, s, p: (i + p - k) // s + 1),
        hint=2,
    ),
    Mistake(
        "padding-forgotten",
        "The padding is missing: the window slides over the padded map.",
        mimic=_wrong(lambda i, k, s, p: (i - k) // s + 1),
        hint=2,
    ),
    *(
        Mistake(
            "only-divided",
            "You divide by the strides and leave it there. Kernel and padding have a say too: a 3×3"
            " layer without padding turns 8 into 6, although its stride is 1.",
            mimic=_wrong(divided),
            hint=2,
        )
        for divided in (lambda i, k, s, p: i // s, lambda i, k, s, p: -(-i // s))
    ),
    Mistake(
        "always-the-picture",
        "Each layer of yours starts again from the picture. Layer 2 gets the map of layer 1.",
        mimic=_from_the_picture,
        hint=1,
    ),
    Mistake(
        "picture-left-out",
        "Your list begins after the first layer. It should begin with the picture itself.",
        mimic=_wrong(sizes=lambda found: found[1:]),
        hint=1,
    ),
    Mistake(
        "strides-added",
        "You add the strides. Two layers that halve make a quarter of it: strides multiply.",
        mimic=_wrong(total=sum),
        hint=4,
    ),
    Mistake(
        "strides-counted",
        "You count layers where the total stride is asked for. It is the product of the strides.",
        mimic=_wrong(total=lambda strides: sum(s > 1 for s in strides)),
        hint=4,
    ),
    Mistake(
        "order-of-the-three",
        "You read stride, kernel, padding. A layer is written as (kernel, stride, padding).",
        mimic=_wrong(lambda i, k, s, p: _size(i, s, k, p)),
        hint=1,
    ),
    Mistake(
        "order-of-the-three",
        "You read stride, kernel, padding. A layer is written as (kernel, stride, padding).",
        mimic=_read_stride_first,
        hint=1,
    ),
    Mistake(
        "only-the-last",
        "You return the last size only. All of them are wanted, in a list.",
        matches=_only_last,
        hint=1,
    ),
    Mistake(
        "product-of-nothing",
        "Without any layer your total stride is 1.0, a float: that is what `np.prod` makes of an"
        " empty list. `math.prod` makes 1 of it, or wrap yours in `int(…)`.",
        matches=_empty_product,
        hint=4,
    ),
    Mistake(
        "total-left-out",
        "The sizes are right. The total stride is still missing: return both.",
        matches=_only_sizes,
        hint=4,
    ),
    Mistake(
        "total-wrong",
        "The sizes are right. The second number is not: it is the product of all strides, and the"
        " sizes do not tell it, since they are rounded.",
        matches=_only_the_total_is_wrong,
        hint=4,
    ),
)


def _stride_one_with_padding_keeps_the_size(ladder: Callable, rng: Random) -> str | None:
    r = rng.randint(9, 400)
    layers = [(k, 1, k // 2) for k in (3, 5, 1, 7)]
    sizes, total = ladder(r, layers)
    if list(sizes) != [r] * 5 or total != 1:
        return f"Odd kernels with stride 1 and padding (k - 1) / 2 keep {r}; yours gives {sizes}."
    return None


LAWS = (Law("same padding keeps the size", _stride_one_with_padding_keeps_the_size, hint=2),)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Keep the current size in one variable; it begins as r. A list begins with r too. Go"
        " through the layers, work out the next size from the current one, and append it.",
    ),
    Hint(
        "My values are wrong",
        "Take a map of 8 with padding 1 on both sides: 10 places. A window of 3 begins at place 0"
        " and can move on by 10 - 3 = 7 places. With stride 2 that is 3 whole steps (and one place"
        " left over), so it stands at 4 places.",
    ),
    Hint(
        "I am right for even sizes, wrong for odd ones, or I get a float",
        "Only whole steps count. `7 // 2` is 3 in Python, and `round(3.5)` is 4.",
    ),
    Hint(
        "The sizes are right, the total stride is wrong",
        "One step on the last map is how many pixels of the picture? Every layer multiplies it by"
        " its stride. `math.prod` multiplies a list; of an empty list it gives 1.",
    ),
)
