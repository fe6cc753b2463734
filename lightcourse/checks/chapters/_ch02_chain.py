"""Chapter 02, exercise 02.chain: size, jump and start through a chain of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Difference, Hint, Law

Layer = tuple[int, int, int, int]  # kernel, stride, padding, dilation
State = tuple[int, int, float]  # size, jump, start


def cases(rng: Random) -> Iterator[Case]:
    yield Case(([(3, 1, 1, 1)],), label="one 3×3 layer")
    yield Case(([(3, 1, 0, 1)],), label="the same without padding: the centre moves")
    yield Case(([(3, 1, 1, 1), (3, 1, 1, 1)],), label="two 3×3 layers")
    yield Case(([(3, 2, 1, 1)],), label="stride 2")
    yield Case(([(3, 1, 2, 2)],), label="dilation 2")
    yield Case(([(3, 2, 1, 1), (3, 1, 1, 1)],), label="stride 2 first")
    yield Case(([(3, 1, 1, 1), (3, 2, 1, 1)],), label="stride 2 last")
    yield Case(([(3, 2, 1, 1), (3, 2, 1, 1)],), label="two strides of 2")
    yield Case(([(3, 2, 1, 1), (3, 1, 0, 1)],), label="stride 2, then no padding")
    yield Case(([(2, 2, 0, 1)],), label="2×2 pooling: the centre lies between two pixels")
    yield Case(([],), label="no layer at all")
    for _ in range(8):
        yield Case(([_layer(rng) for _ in range(rng.randint(2, 5))],))


def _layer(rng: Random) -> Layer:
    kernel, dilation = rng.choice((1, 2, 3, 3, 3, 5, 7)), rng.choice((1, 1, 1, 2, 3))
    return kernel, rng.choice((1, 1, 2, 2, 3)), rng.randint(0, 3), dilation


def by_gradient(layers: Sequence[Layer]) -> list[State]:
    """Measure size, jump and start on a long row of pixels with autograd; no recurrence in here."""
    length, found = 64, None
    while True:
        length *= 2
        before, found = found, _measure(layers, length)
        # the border may have cut a field on a short row; twice the length then says otherwise
        if found is not None and found == before:
            return found


def _measure(layers: Sequence[Layer], length: int) -> list[State] | None:
    row = torch.ones(1, 1, length, dtype=torch.float64, requires_grad=True)
    signal, found = row, []
    for kernel, stride, padding, dilation in layers:
        if signal.shape[-1] <= (kernel - 1) * dilation:
            return None
        weight = torch.ones(1, 1, kernel, dtype=torch.float64)
        signal = F.conv1d(signal, weight, None, stride, padding, dilation)
        unit = signal.shape[-1] // 2
        if unit + 1 >= signal.shape[-1]:
            return None
        fields = [_field(signal, row, u) for u in (unit, unit + 1)]
        if not all(fields):
            return None
        (lo, hi), (lo_next, hi_next) = fields
        center, jump = (lo + hi) / 2, (lo_next + hi_next - lo - hi) // 2
        found.append((hi - lo + 1, jump, center - unit * jump))
    return found


def _field(signal: Tensor, row: Tensor, unit: int) -> tuple[int, ...]:
    """First and last pixel that moves the unit; () for a unit that sees nothing but padding."""
    (gradient,) = torch.autograd.grad(signal[0, 0, unit], row, retain_graph=True)
    touched = gradient[0, 0].nonzero().flatten()
    return (int(touched[0]), int(touched[-1])) if len(touched) else ()


def compare(got: Any, want: list[State]) -> Difference | None:
    """As usual, but a wrong number is named: which layer, and size, jump or start."""
    found = Compare()(got, want)
    if found is None or found.kind != "value":
        return found
    for number, (mine, right) in enumerate(zip(got, want, strict=True), 1):
        for name, one, other in zip(("size", "jump", "start"), mine, right, strict=True):
            if one != other:
                return Difference("value", f"layer {number}: {name} is {one:g}, wanted {other:g}")
    return found


def _deeper_is_never_smaller(chain: Callable, rng: Random) -> str | None:
    layers = [_layer(rng) for _ in range(6)]
    sizes = [size for size, _, _ in chain(layers)]
    if sizes != sorted(sizes):
        return f"A layer can never shrink the field, but the sizes of {layers} are {sizes}."
    return None


def _one_by_one_keeps_the_size(chain: Callable, rng: Random) -> str | None:
    layers = [_layer(rng) for _ in range(3)]
    before, after = chain(layers)[-1], chain([*layers, (1, 1, 0, 1)])[-1]
    if tuple(before) != tuple(after):
        return f"A 1×1 layer looks at one place, so nothing may change: {before} became {after}."
    return None


LAWS = (
    Law("deeper is never smaller", _deeper_is_never_smaller, hint=2),
    Law("a 1×1 layer changes nothing", _one_by_one_keeps_the_size, hint=2),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Begin with a single pixel that sees itself: size 1, jump 1, start 0. Go through the layers"
        " in order and update all three. After each layer, put a copy of the three in a list.",
    ),
    Hint(
        "I get 6 or 9 where 5 is wanted for two 3×3 layers",
        "Draw three neighbours. The one in the middle is the unit you had. How many are new? For a"
        " kernel of 3 there are 2, for a kernel of 7 there are 6.",
    ),
    Hint(
        "I am right without strides, wrong with them",
        "A layer with stride 2 hands every second place on. The layer itself still slides over"
        " close neighbours; the layer after it finds them twice as far apart. So use the jump"
        " first, and multiply it afterwards. Two such layers: 2 · 2 = 4.",
    ),
    Hint(
        "I am right until a dilation shows up",
        "Write down the places that a kernel of 3 touches with dilation 2: 0, 2, 4. From the first"
        " to the last it is 4 steps, so this kernel adds 4 units.",
    ),
    Hint(
        "Size and jump are right, start is wrong",
        "Where is the middle of the kernel when it stands on the first place? It is half of its"
        " span to the right of its first place, and its first place is `padding` units left of"
        " unit 0. Units of the layer below are `jump` pixels apart.",
    ),
)
