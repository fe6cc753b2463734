"""Exercise 11.cost: the MACs of the three layers of an inverted residual."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import torch
from torch import nn

from lightcourse.checks.exercise import Case, Hint, Mistake, Outcome

Triple = tuple[int, int, int]


def cases(rng: Random) -> Iterator[Case]:
    yield Case((4, 8, 10, 1, 6), {}, "stride 1")
    yield Case((4, 8, 10, 2, 6), {}, "stride 2")
    yield Case((8, 4, 7, 2, 3), {}, "an odd side, stride 2")
    yield Case((4, 6, 5, 2, 2), {}, "another odd side")
    yield Case((32, 16, 112, 1, 1), {}, "the first block: nothing to expand")
    yield Case((24, 32, 56, 2, 6), {}, "block 4 of MobileNetV2")
    for _ in range(5):
        channels = rng.randint(2, 90), rng.randint(2, 90)
        yield Case((*channels, rng.randint(3, 60), rng.randint(1, 2), rng.randint(1, 8)))


def oracle(c: int, n: int, side: int, stride: int, t: int) -> Triple:
    """Make the layers without memory: each weight is used once at each place of its map."""
    x = torch.empty(1, c, side, side, device="meta")
    layers = [nn.Conv2d(c, t * c, 1), nn.Conv2d(t * c, t * c, 3, stride, 1, groups=t * c)]
    layers.append(nn.Conv2d(t * c, n, 1))
    macs = []
    for layer in (layer.to("meta") for layer in layers[t == 1 :]):
        x = layer(x)
        macs.append(layer.weight.numel() * x[0, 0].numel())
    return (0, *macs) if t == 1 else tuple(macs)  # pyright: ignore[reportReturnType]


def half_up(side: int, stride: int) -> int:
    return (side - 1) // stride + 1


def by_formula(
    hidden: Callable[[int, int, int], int] = lambda c, n, t: c * t,
    spots: Callable[[int, int], Triple] | None = None,
    each: Callable[[int, int, int], Triple] = lambda c, m, n: (c * m, 9 * m, m * n),
    one: bool = False,
    out: Callable[[int, int], int] = half_up,
    factor: int = 1,
) -> Callable[..., Triple]:
    """A count with a step of its own; `spots` are the places of the three layers."""

    def count(c: int, n: int, side: int, stride: int, t: int) -> Triple:
        before, after = side * side, out(side, stride) ** 2
        places = spots(before, after) if spots else (before, after, after)
        first, second, third = (
            factor * macs * at for macs, at in zip(each(c, hidden(c, n, t), n), places, strict=True)
        )
        return (0 if t == 1 and not one else first), second, third

    return count


def _sides_not_squared(c: int, n: int, side: int, stride: int, t: int) -> Triple:
    m, after = c * t, half_up(side, stride)
    return (c * m * side if t > 1 else 0), 9 * m * after, m * n * after


def _projection_from_outputs(c: int, n: int, side: int, stride: int, t: int) -> Triple:
    first, second, _ = by_formula()(c, n, side, stride, t)
    return first, second, n * t * n * half_up(side, stride) ** 2


def _half_the_places(o: Outcome) -> bool:
    """Height · width / stride, halves rounded down or up."""
    _, _, side, stride, _ = o.case.args
    first, second, third = by_formula(spots=lambda before, after: (before, 1, 1))(*o.case.args)
    halves = {side * side // stride, -(-side * side // stride)}
    return any(tuple(o.got) == (first, second * at, third * at) for at in halves)


def _total(o: Outcome) -> bool:
    return type(o.got) is int and o.got == sum(o.want)


def _two_without_expansion(o: Outcome) -> bool:
    return o.case.args[4] == 1 and tuple(o.got) == o.want[1:]


MISTAKES = (
    Mistake(
        "sum-not-triple",
        "That is the sum of the three layers, and the sum is right. The exercise asks for all"
        " three: (expansion, depthwise, projection).",
        matches=_total,
        hint=1,
    ),
    Mistake(
        "two-not-three",
        "With expansion 1 you give two numbers. Give three always; the layer that is not there"
        " costs 0.",
        matches=_two_without_expansion,
        hint=1,
    ),
    Mistake(
        "order",
        "The three numbers are right, in another order: expansion, depthwise, projection.",
        matches=lambda o: tuple(o.got) != o.want and sorted(o.got) == sorted(o.want),
        hint=1,
    ),
    Mistake(
        "expands-by-one",
        "With expansion 1 there is no first layer, so it costs 0.",
        mimic=by_formula(one=True),
        hint=1,
    ),
    Mistake(
        "expansion-after-the-stride",
        "Your expansion has the places of the map that goes out. It runs before the stride, on the"
        " map that comes in.",
        mimic=by_formula(spots=lambda before, after: (after, after, after)),
        hint=2,
    ),
    Mistake(
        "depthwise-before-the-stride",
        "Your depthwise layer has the places of the map that comes in. The stride is in this layer:"
        " it computes every second place only.",
        mimic=by_formula(spots=lambda before, after: (before, before, after)),
        hint=2,
    ),
    Mistake(
        "stride-forgotten",
        "All three layers have the places of the map that comes in. Behind the stride the map is"
        " smaller.",
        mimic=by_formula(spots=lambda before, after: (before, before, before)),
        hint=2,
    ),
    Mistake(
        "hidden-from-outputs",
        "The wide map has expansion · out_channels channels in your count. It has expansion times"
        " what comes *in*.",
        mimic=by_formula(hidden=lambda c, n, t: n * t),
        hint=1,
    ),
    Mistake(
        "expansion-forgotten",
        "The expansion is not used: the layers within have as many channels as come in.",
        mimic=by_formula(hidden=lambda c, n, t: c),
        hint=1,
    ),
    Mistake(
        "depthwise-reads-all",
        "Your depthwise layer reads all channels for each output. It reads one.",
        mimic=by_formula(each=lambda c, m, n: (c * m, 9 * m * m, m * n)),
        hint=1,
    ),
    Mistake(
        "depthwise-on-the-narrow-map",
        "Your depthwise layer filters the narrow map. It works on the wide one, with expansion ·"
        " in_channels channels.",
        mimic=by_formula(each=lambda c, m, n: (c * m, 9 * c, m * n)),
        hint=1,
    ),
    Mistake(
        "kernel-forgotten",
        "A depthwise output reads 3 · 3 numbers, and you count one.",
        mimic=by_formula(each=lambda c, m, n: (c * m, m, m * n)),
        hint=1,
    ),
    Mistake(
        "projection-from-the-narrow-map",
        "Your projection reads in_channels. It reads the wide map.",
        mimic=by_formula(each=lambda c, m, n: (c * m, 9 * m, c * n)),
        hint=1,
    ),
    Mistake(
        "rounded-down",
        "On an odd side you round down. With padding 1, a 3×3 layer of stride 2 makes 4 places of"
        " 7: halves are rounded up.",
        mimic=by_formula(out=lambda side, stride: side // stride),
        hint=2,
    ),
    Mistake(
        "rounded-to-even",
        "`round` sends a half to the even number: 3.5 becomes 4, but 2.5 becomes 2. Here halves are"
        " always rounded up: a side of 5 becomes 3.",
        mimic=by_formula(out=lambda side, stride: round(side / stride)),
        hint=2,
    ),
    Mistake(
        "half-the-places",
        "With stride 2 you keep half of the places. Height and width are both halved, so it is a"
        " quarter: 10 · 10 becomes 5 · 5.",
        matches=_half_the_places,
        hint=2,
    ),
    Mistake(
        "projection-before-the-stride",
        "Your projection has the places of the map that comes in. It runs behind the stride, on the"
        " map that goes out.",
        mimic=by_formula(spots=lambda before, after: (before, after, before)),
        hint=2,
    ),
    Mistake(
        "projection-from-the-outputs",
        "Your projection reads expansion · out_channels. The wide map has expansion times what"
        " comes *in*.",
        mimic=_projection_from_outputs,
        hint=1,
    ),
    Mistake(
        "hidden-from-outputs-if-wide",
        "Where it expands, the wide map has expansion · out_channels channels in your count. It has"
        " expansion times what comes *in*.",
        mimic=by_formula(hidden=lambda c, n, t: n * t if t > 1 else c),
        hint=1,
    ),
    Mistake(
        "side-not-squared",
        "You take the side once. A map of side 10 has 10 · 10 places.",
        mimic=_sides_not_squared,
        hint=2,
    ),
    Mistake(
        "weights-not-macs",
        "These are the weights. Each of them is used once at each place of its layer's map.",
        mimic=by_formula(spots=lambda before, after: (1, 1, 1)),
        hint=2,
    ),
    Mistake(
        "flops-not-macs",
        "Twice too many: a multiplication and its addition count as one MAC.",
        mimic=by_formula(factor=2),
        hint=1,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "First the wide number: m = expansion · in_channels. Then for each place of the map that a"
        " layer writes: the expansion has in_channels · m weights, the depthwise layer 9 · m, the"
        " projection m · out_channels.",
    ),
    Hint(
        "My numbers are wrong with stride 2",
        "Side 10, stride 2. The expansion still works on 10 · 10 places. The depthwise layer writes"
        " 5 · 5, and the projection works on those. Side 7 becomes 4.",
    ),
)
