"""Chapter 01, exercise 01.gap: does the output move when the picture moves?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import torch
from torch import Tensor, nn

from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome

Layer = Callable[[Tensor], Tensor]


def cases(rng: Random) -> Iterator[Case]:
    ramp = torch.arange(12.0, dtype=torch.float64).view(1, 1, 2, 6)
    yield Case((nn.Identity(), ramp, 1, 1), label="a layer that does nothing")
    yield Case((nn.Identity(), ramp, 1, 0), label="the same, compared with a map that stays")
    yield Case((nn.MaxPool2d(2), ramp, 2, 1), label="2×2 pooling, two pixels to the right")
    yield _case(rng, (3, 1, 0, 1), (1, 1, 5, 7), 1, 1, "a window of 3 without padding")
    yield _case(rng, (3, 1, 1, 1), (1, 1, 5, 7), 1, 1, "a window of 3 with padding")
    yield _case(rng, (3, 2, 1, 1), (1, 1, 6, 8), 2, 1, "stride 2, two pixels to the right")
    yield _case(rng, (3, 2, 1, 1), (1, 1, 6, 8), 1, 0, "stride 2, one pixel to the right")
    yield _case(rng, (3, 1, 1, 1), (2, 3, 4, 9), 2, 2, "two pictures, three channels")
    yield _case(rng, (3, 1, 1, 1), (2, 3, 7, 5), -2, -2, "to the left")
    for _ in range(5):
        stride = rng.randint(1, 2)
        steps = rng.choice((-1, 1, 2))
        side = stride * rng.randint(4, 6), stride * rng.randint(4, 6)
        shape = rng.randint(1, 3), rng.randint(1, 3), *side
        yield _case(rng, (rng.choice((1, 3, 5)), stride, rng.randint(0, 2), 1), shape,
                    stride * steps, steps)  # fmt: skip


def _case(
    rng: Random,
    layer: tuple[int, int, int, int],
    shape: tuple[int, ...],
    shift: int,
    moved: int,
    label: str = "",
) -> Case:
    kernel, stride, padding, dilation = layer
    generator = torch.Generator().manual_seed(rng.getrandbits(32))
    conv = nn.Conv2d(
        shape[1], 2, kernel, stride, padding, dilation, bias=False, dtype=torch.float64
    )
    with torch.no_grad():
        conv.weight.copy_(torch.randn(conv.weight.shape, generator=generator, dtype=torch.float64))
    conv.requires_grad_(False)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    return Case((conv, x, shift, moved), label=label)


def _turn(x: Tensor, by: int) -> Tensor:
    """Move the columns to the right; what falls off comes back on the left."""
    by %= x.shape[3]
    return torch.cat([x[..., x.shape[3] - by :], x[..., : x.shape[3] - by]], 3)


def by_cutting(layer: Layer, x: Tensor, shift: int, moved: int) -> Tensor:
    """The largest difference in each column, column by column."""
    one, other = layer(_turn(x, shift)), _turn(layer(x), moved)
    return torch.stack([(a - b).abs().max() for a, b in zip(one.unbind(3), other.unbind(3),
                                                           strict=True)])  # fmt: skip


def show(case: Case) -> str:
    """The call with the layer by name and the pictures by shape."""
    layer, x, shift, moved = case.args
    return f"gap({layer}, x {tuple(x.shape)}, shift={shift}, moved={moved})"


def _both(x: Tensor) -> Tensor:
    return x.abs().amax((0, 1, 2))


def _wrong(
    reduce: Callable[[Tensor], Tensor] = _both,
    roll_in: Callable[[Tensor, int], Tensor] = _turn,
    roll_out: Callable[[Tensor, int], Tensor] = _turn,
    sign: int = 1,
) -> Callable[[Layer, Tensor, int, int], Tensor]:
    def mimic(layer: Layer, x: Tensor, shift: int, moved: int) -> Tensor:
        return reduce(layer(roll_in(x, sign * shift)) - roll_out(layer(x), sign * moved))

    return mimic


def _down(x: Tensor, by: int) -> Tensor:
    return x.roll(by, 2)


def _flat(x: Tensor, by: int) -> Tensor:
    return x.roll(by)


def _channels(x: Tensor, by: int) -> Tensor:
    return x.roll(by, 1)


def _stay(x: Tensor, by: int) -> Tensor:
    return x


def _cut(x: Tensor, by: int) -> Tensor:
    """Move, and fill with zeros instead of coming back on the other side."""
    out = torch.zeros_like(x)
    width = x.shape[3]
    if by >= 0:
        out[..., by:] = x[..., : width - by]
    else:
        out[..., :by] = x[..., -by:]
    return out


def _moved_by_shift(layer: Layer, x: Tensor, shift: int, moved: int) -> Tensor:
    return _both(layer(_turn(x, shift)) - _turn(layer(x), shift))


def _moved_back(layer: Layer, x: Tensor, shift: int, moved: int) -> Tensor:
    """Undo the move of the first answer instead: the same numbers in other columns."""
    return _both(_turn(layer(_turn(x, shift)), -moved) - layer(x))


def _wraparound_is_exact(gap: Callable[..., Tensor], rng: Random) -> str | None:
    layer = nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular", dtype=torch.float64)
    layer.requires_grad_(False)
    x = torch.arange(60.0, dtype=torch.float64).sin().view(1, 1, 6, 10)
    found = gap(layer, x, 3, 3)
    if not isinstance(found, Tensor) or found.shape != (10,) or found.abs().max() > 1e-12:
        return (
            "For a convolution whose picture wraps around, the gap is 0 in every column, and for"
            f" your function it is {found}."
        )
    return None


LAWS = (Law("no border, no gap", _wraparound_is_exact, hint=2),)


def _one_number(outcome: Outcome) -> bool:
    got = outcome.got
    return isinstance(got, (int, float)) or (isinstance(got, Tensor) and got.dim() == 0)


def _other_axes(outcome: Outcome) -> bool:
    return isinstance(outcome.got, Tensor) and outcome.got.dim() > 1


MISTAKES = (
    Mistake(
        "one-number",
        "You answer with one number. Wanted is one for each output column, so that one can see"
        " where the gap is.",
        matches=_one_number,
        hint=4,
    ),
    Mistake(
        "max-gives-a-pair",
        "`max(dim=…)` gives a pair: the values, and where they stood. `amax` gives the values"
        " alone, and it takes several axes at once.",
        matches=lambda outcome: isinstance(outcome.got, tuple),
        hint=4,
    ),
    Mistake(
        "axes-left",
        "Your answer still has more than one axis. Take the maximum over the pictures, the channels"
        " and the rows: axes 0, 1 and 2.",
        matches=_other_axes,
        hint=4,
    ),
    Mistake(
        "rows",
        "Your answer has one number for each row. Wanted is one for each column.",
        mimic=_wrong(lambda diff: diff.abs().amax((0, 1, 3))),
        hint=4,
    ),
    Mistake(
        "all-axes-rolled",
        "`torch.roll` without `dims` turns all numbers in one long line, and rows and pictures run"
        " into each other. Name the axis of the columns: `dims=3`.",
        mimic=_wrong(roll_in=_flat, roll_out=_flat),
        hint=3,
    ),
    Mistake(
        "moved-down",
        "You move the picture down. To the right is along the last axis, `dims=3`.",
        mimic=_wrong(roll_in=_down, roll_out=_down),
        hint=3,
    ),
    *(
        Mistake(
            "moved-down",
            "You move the picture down. To the right is along the last axis, `dims=3`.",
            mimic=_wrong(roll_in=one, roll_out=other),
            hint=3,
        )
        for one, other in ((_down, _turn), (_turn, _down))
    ),
    Mistake(
        "channels-rolled",
        "You roll the channels. To the right is along the last axis, `dims=3`.",
        mimic=_wrong(roll_in=_channels, roll_out=_channels),
        hint=3,
    ),
    Mistake(
        "moved-left",
        "You move to the left. A positive number in `torch.roll` moves to the right.",
        mimic=_wrong(sign=-1),
        hint=3,
    ),
    Mistake(
        "map-not-moved",
        "You compare with the map as it is. Only a layer that ignores places would pass: move the"
        " map by `moved` columns first.",
        mimic=_wrong(roll_out=_stay),
        hint=2,
    ),
    Mistake(
        "moved-by-shift",
        "You move the map by as many columns as the picture. After a stride of 2 the map has half"
        " the columns; how far it should move comes in as `moved`.",
        mimic=_moved_by_shift,
        hint=2,
    ),
    Mistake(
        "moved-back",
        "You move the first map back instead of moving the second one on. The gaps are right, but"
        " each stands `moved` columns too far to the left.",
        mimic=_moved_back,
        hint=2,
    ),
    Mistake(
        "filled-with-zeros",
        "You fill the empty columns with zeros. Here what falls off on the right comes back on the"
        " left: that is what `torch.roll` does.",
        mimic=_wrong(roll_in=_cut, roll_out=_cut),
        hint=3,
    ),
    Mistake(
        "signed",
        "You take the maximum without `abs()`. A difference of -5 is as large as one of 5.",
        mimic=_wrong(lambda diff: diff.amax((0, 1, 2))),
        hint=4,
    ),
    Mistake(
        "averaged",
        "You take the mean. Wanted is the largest difference in each column.",
        mimic=_wrong(lambda diff: diff.abs().mean((0, 1, 2))),
        hint=4,
    ),
    Mistake(
        "added-up",
        "You add the differences up. Wanted is the largest one in each column.",
        mimic=_wrong(lambda diff: diff.abs().sum((0, 1, 2))),
        hint=4,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Two ways lead to a map. First way: move the picture, then apply the layer. Second way:"
        " apply the layer, then move the map. Compute both, and compare them.",
    ),
    Hint(
        "My values are wrong",
        "The picture moves by `shift` columns, the map by `moved` columns. For the layer that does"
        " nothing and shift = moved = 1 both ways give the same map, so every gap is 0.",
    ),
    Hint(
        "How do I move a picture to the right?",
        "`torch.roll(x, 1, dims=3)`: every column goes one place to the right, and the last one"
        " comes back on the left. Axis 3 counts the columns of (N, C, H, W).",
    ),
    Hint(
        "My shape is wrong",
        "`(one - other).abs()` has the shape (N, C', H', W'). `.amax((0, 1, 2))` takes the largest"
        " value over pictures, channels and rows, and leaves (W',).",
    ),
)
