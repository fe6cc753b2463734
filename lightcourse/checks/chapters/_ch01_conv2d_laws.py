"""Chapter 01, exercise 01.conv2d: what holds for every right answer."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import torch
from torch import Tensor

from lightcourse.checks.banned import uses
from lightcourse.checks.chapters._ch01_conv2d import by_torch
from lightcourse.checks.exercise import Law

Layer = Callable[..., Tensor]


def _random(rng: Random, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(rng.getrandbits(32))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _own(conv2d: Layer, rng: Random) -> str | None:
    x, weight = _random(rng, 2, 2, 5, 6), _random(rng, 3, 2, 3, 3)
    if uses(lambda: conv2d(x, weight, padding=1), lambda name, _: "conv" in name):
        return (
            "Your numbers are right, but it is torch's own convolution that makes them (`F.conv2d`,"
            " `nn.Conv2d` and the like). Here you write it yourself: with loops, or with `F.unfold`"
            " and a matrix product. In all other cells `F.conv2d` is welcome."
        )
    return None


def _linear(conv2d: Layer, rng: Random) -> str | None:
    x, y = _random(rng, 1, 2, 5, 6), _random(rng, 1, 2, 5, 6)
    weight = _random(rng, 3, 2, 3, 3)
    both, parts = conv2d(2 * x + y, weight), 2 * conv2d(x, weight) + conv2d(y, weight)
    if both.shape != parts.shape or not torch.allclose(both, parts):
        return "conv(2 · x + y) must be 2 · conv(x) + conv(y), and for your function it is not."
    return None


def _slopes(layer: Layer, given: tuple[Tensor, ...]) -> list[Tensor | None]:
    """The gradient of the sum of squares for each input; None for one that gets none."""
    own = [t.clone().requires_grad_() for t in given]
    out = layer(*own, stride=2, padding=1)
    if not out.requires_grad:
        return [None] * len(own)
    return list(torch.autograd.grad(out.square().sum(), own, allow_unused=True))


def _differentiable(conv2d: Layer, rng: Random) -> str | None:
    given = _random(rng, 2, 2, 5, 6), _random(rng, 3, 2, 3, 3)
    found = dict(zip(("x", "weight"), _slopes(conv2d, given), strict=True))
    lost = [f"`{name}`" for name, slope in found.items() if slope is None]
    if lost:
        why = {
            "`x`": "the layers before this one could not learn",
            "`weight`": "this layer could not learn",
        }[lost[-1]]
        return (
            f"No gradient comes back to {' and '.join(lost)}, so {why}. Stay with tensor operations"
            " on what you were given: no `.item()`, `.detach()`, `.data`, NumPy, `torch.tensor(…)`"
            " or `nn.Parameter(…)` on the way."
        )
    for name, want in zip(found, _slopes(by_torch, given), strict=True):
        slope = found[name]
        assert slope is not None and want is not None
        if not torch.allclose(slope, want):
            return f"The values are right, the gradient for `{name}` is not."
    return None


LAWS = (
    Law("torch's own convolution is not called", _own, hint=1),
    Law("the layer is linear", _linear, hint=3),
    Law("x and weight get a gradient", _differentiable, hint=7),
)
