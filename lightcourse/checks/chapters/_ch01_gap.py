"""Chapter 01, exercise 01.gap: does the output move when the picture moves?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import torch
from torch import Tensor, nn

from lightcourse.checks.exercise import Case, Hint, Law

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


def turn(x: Tensor, by: int) -> Tensor:
    """Move the columns to the right; what falls off comes back on the left."""
    by %= x.shape[3]
    return torch.cat([x[..., x.shape[3] - by :], x[..., : x.shape[3] - by]], 3)


def by_cutting(layer: Layer, x: Tensor, shift: int, moved: int) -> Tensor:
    """The largest difference in each column, column by column."""
    one, other = layer(turn(x, shift)), turn(layer(x), moved)
    return torch.stack([(a - b).abs().max() for a, b in zip(one.unbind(3), other.unbind(3),
                                                           strict=True)])  # fmt: skip


def show(case: Case) -> str:
    """The call with the layer by name and the pictures by shape."""
    layer, x, shift, moved = case.args
    return f"gap({layer}, x {tuple(x.shape)}, shift={shift}, moved={moved})"


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
