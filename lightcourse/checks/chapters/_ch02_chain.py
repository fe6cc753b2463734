"""Chapter 02, exercise 02.chain: size, jump and start through a chain of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

import torch
from torch import Tensor
from torch.nn import functional as F

from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome

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


def _size(r: int, j: int, k: int, s: int, p: int, d: int) -> int:
    return r + (k - 1) * d * j


def _jump(j: int, s: int) -> int:
    return j * s


def _start(c: float, j: int, k: int, s: int, p: int, d: int) -> float:
    return c + ((k - 1) * d / 2 - p) * j


def _wrong(size: Callable = _size, jump: Callable = _jump, start: Callable = _start) -> Callable:
    """A chain in which one or two of the three updates are not the right ones."""

    def walk(layers: Sequence[Layer]) -> list:
        r, j, c = 1, 1, 0.0
        found = []
        for k, s, p, d in layers:
            r, j, c = size(r, j, k, s, p, d), jump(j, s), start(c, j, k, s, p, d)
            found.append((r, j, c))
        return found

    return walk


def _size_late(r: int, j: int, k: int, s: int, p: int, d: int) -> int:
    return _size(r, j * s, k, s, p, d)


def _start_late(c: float, j: int, k: int, s: int, p: int, d: int) -> float:
    return _start(c, j * s, k, s, p, d)


def _only_last(outcome: Outcome) -> bool:
    return isinstance(outcome.got, tuple) and len(outcome.got) == 3 and outcome.want != []


def _half_pixel(outcome: Outcome) -> bool:
    return all(
        (r, j, c) == (size, jump, start + 0.5)
        for (r, j, c), (size, jump, start) in zip(outcome.got, outcome.want, strict=True)
    )


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

MISTAKES = (
    Mistake(
        "stride-too-early",
        "You multiply the jump by this layer's stride before you use it. A layer steps between the"
        " units of the layer below, so its own stride counts for the layers after it only.",
        mimic=_wrong(size=_size_late, start=_start_late),
        hint=3,
    ),
    Mistake(
        "stride-too-early-in-size",
        "The size grows with the jump of the layer below; you use the jump after this layer's"
        " stride. (Your start uses the right one.)",
        mimic=_wrong(size=_size_late),
        hint=3,
    ),
    Mistake(
        "start-too-late",
        "Size and jump are right. The start moves by the jump of the layer below, and you have"
        " already multiplied it by this layer's stride.",
        mimic=_wrong(start=_start_late),
        hint=5,
    ),
    Mistake(
        "jump-added",
        "You add the strides. Two layers with stride 2 leave every fourth pixel: strides multiply.",
        mimic=_wrong(jump=lambda j, s: j + s - 1),
        hint=3,
    ),
    Mistake(
        "jump-forgotten",
        "Each layer adds (kernel - 1) · dilation pixels in your answer, however far apart the units"
        " below stand. After a stride of 2 every step is two pixels long.",
        mimic=_wrong(
            size=lambda r, j, k, s, p, d: r + (k - 1) * d,
            start=lambda c, j, k, s, p, d: c + (k - 1) * d / 2 - p,
        ),
        hint=3,
    ),
    Mistake(
        "jump-forgotten-in-size",
        "Each layer adds (kernel - 1) · dilation pixels in your answer. After a stride of 2 every"
        " step is two pixels long. (Your start knows that already.)",
        mimic=_wrong(size=lambda r, j, k, s, p, d: r + (k - 1) * d),
        hint=3,
    ),
    Mistake(
        "whole-kernel",
        "You add the whole kernel. One of its places is the unit that you already had: a kernel of"
        " 3 adds 2.",
        mimic=_wrong(size=lambda r, j, k, s, p, d: r + k * d * j),
        hint=2,
    ),
    Mistake(
        "dilation-forgotten",
        "You leave out the dilation. It pulls the places of a kernel apart: 3 places with dilation"
        " 2 span 5 units.",
        mimic=_wrong(
            size=lambda r, j, k, s, p, d: r + (k - 1) * j,
            start=lambda c, j, k, s, p, d: c + ((k - 1) / 2 - p) * j,
        ),
        hint=4,
    ),
    Mistake(
        "kernel-times-dilation",
        "You take a dilated kernel to be kernel · dilation wide. The gaps lie between the places,"
        " and there is one gap fewer than places: 3 places with dilation 2 span 5, not 6.",
        mimic=_wrong(
            size=lambda r, j, k, s, p, d: r + (k * d - 1) * j,
            start=lambda c, j, k, s, p, d: c + ((k * d - 1) / 2 - p) * j,
        ),
        hint=4,
    ),
    Mistake(
        "padding-in-size",
        "Padding is in your size. It moves the field; it does not make it wider or narrower.",
        mimic=_wrong(size=lambda r, j, k, s, p, d: r + ((k - 1) * d - 2 * p) * j),
        hint=5,
    ),
    Mistake(
        "padding-forgotten",
        "Size and jump are right. The start leaves out the padding, which moves the field of unit 0"
        " back towards the left.",
        mimic=_wrong(start=lambda c, j, k, s, p, d: c + (k - 1) * d / 2 * j),
        hint=5,
    ),
    Mistake(
        "start-without-jump",
        "Size and jump are right. The shift of the start is counted in units of the layer below;"
        " each of them is `jump` pixels long.",
        mimic=_wrong(start=lambda c, j, k, s, p, d: c + (k - 1) * d / 2 - p),
        hint=5,
    ),
    Mistake(
        "from-the-top",
        "You go through the layers from the last to the first. The layer next to the picture comes"
        " first in the list.",
        mimic=lambda layers: _wrong()(list(layers)[::-1]),
        hint=1,
    ),
    Mistake(
        "only-the-last",
        "You return the answer for the last layer. The exercise wants one for every layer, in a"
        " list.",
        matches=_only_last,
        hint=1,
    ),
    Mistake(
        "half-a-pixel",
        "Your starts are half a pixel too far right. In this course pixel 0 sits at 0, not at 0.5"
        " as in some tutorials.",
        matches=_half_pixel,
        hint=5,
    ),
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
        "size and jump are right, start is wrong",
        "Where is the middle of the kernel when it stands on the first place? It is half of its"
        " span to the right of its first place, and its first place is `padding` units left of"
        " unit 0. Units of the layer below are `jump` pixels apart.",
    ),
)
