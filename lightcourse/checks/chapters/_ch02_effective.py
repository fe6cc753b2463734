"""Chapter 02, exercise 02.effective: how strongly each pixel moves a unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch02_probe import _conv, _ready
from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome

# finite differences are exact to about eight digits
COMPARE = Compare(rtol=1e-4, atol=1e-7)


def cases(rng: Random) -> Iterator[Case]:
    yield _case(_ready(_conv(1, 3, 1)), (1, 1, 5, 6), (2, 3), "one 3×3 layer, one picture")
    yield _case(_ready(_conv(1, 3, 1)), (1, 1, 5, 6), (1, 4), "another unit")
    net = _ready(_conv(1, 3, 1), nn.Tanh(), _conv(1, 3, 1))
    yield _case(net, (3, 1, 6, 7), (2, 4), "three pictures")
    net = _ready(nn.Conv2d(2, 1, 3), nn.Tanh(), nn.Conv2d(1, 3, 3, padding=1))
    yield _case(net, (2, 2, 7, 6), (3, 1), "two colours in, three channels out")
    for _ in range(4):
        net = _ready(
            nn.Conv2d(2, 4, (3, rng.choice((1, 3))), padding=1),
            rng.choice((nn.Tanh(), nn.Sigmoid(), nn.Softplus())),
            nn.Conv2d(4, 2, 3, stride=rng.choice((1, 2)), dilation=rng.choice((1, 2))),
        )
        yield _case(net, (rng.randint(2, 4), 2, 9, 8), (1, rng.choice((0, 1))))


def _case(net: nn.Module, shape: tuple[int, ...], unit: tuple[int, int], label: str = "") -> Case:
    return Case((net, torch.randn(shape, dtype=torch.float64), unit), label=label)


def by_small_changes(net: nn.Module, images: Tensor, unit: tuple[int, int]) -> Tensor:
    """Change one pixel at a time, up and down, and see how far the unit moves; no autograd."""
    step, shape = 1e-5, images.shape[1:]
    count = images[0].numel()
    change = step * torch.eye(count, dtype=images.dtype).view(count, *shape)
    energy = torch.zeros(shape, dtype=images.dtype)
    with torch.no_grad():
        for image in images:
            up, down = (net(image + sign * change)[:, :, unit[0], unit[1]] for sign in (1, -1))
            slope = (up - down).sum(1) / (2 * step)
            energy += slope.view(*shape) ** 2
    heat = energy.sum(0)
    return heat / heat.sum()


def _wrong(
    heat: Callable[[Tensor], Tensor] = lambda g: g.square().sum(1).mean(0),
    scale: Callable[[Tensor], Tensor] = lambda h: h / h.sum(),
    read: Callable[[Tensor, tuple], Tensor] = lambda out, unit: out[:, :, unit[0], unit[1]].sum(),
) -> Callable[[nn.Module, Tensor, tuple], Tensor]:
    """An `influence` with three places to go wrong."""

    def influence(net: nn.Module, images: Tensor, unit: tuple) -> Tensor:
        images = images.detach().clone().requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(read(net(images), unit), images)
        return scale(heat(gradient))

    return influence


def _each_scaled(gradient: Tensor) -> Tensor:
    energy = gradient.square().sum(1)
    return (energy / energy.sum((1, 2), keepdim=True)).mean(0)


def _no_gradient(outcome: Outcome) -> bool:
    said = str(outcome.error)
    return ("NoneType" in said) or ("require" in said and "grad" in said)


def _order_does_not_matter(influence: Callable, rng: Random) -> str | None:
    net = _ready(_conv(1, 3, 1), nn.Tanh(), _conv(1, 3, 1))
    images = torch.randn(3, 1, 6, 6, dtype=torch.float64)
    one, two = influence(net, images, (2, 3)), influence(net, images.flip(0), (2, 3))
    if not torch.allclose(one, two):
        return "The same pictures in another order gave another map: is each of them counted?"
    return None


def _sums_to_one(influence: Callable, rng: Random) -> str | None:
    net = _ready(_conv(1, 5, 2), nn.Tanh(), _conv(1, 3, 1))
    total = float(influence(net, torch.randn(2, 1, 8, 8, dtype=torch.float64), (4, 4)).sum())
    return (
        None if abs(total - 1) < 1e-6 else f"The shares of all pixels add up to {total:g}, not 1."
    )


LAWS = (
    Law("the order of the pictures does not matter", _order_does_not_matter, hint=3),
    Law("the shares add up to one", _sums_to_one, hint=4),
)

MISTAKES = (
    Mistake(
        "no-gradient-asked",
        "There is no gradient: autograd follows only the tensors that you tell it to, and `.grad`"
        " stays None for all others. Work on a copy of the pictures, made with requires_grad_().",
        matches=_no_gradient,
        hint=1,
    ),
    Mistake(
        "gradients-on-the-callers-pictures",
        "Your map is right, but you switched on gradients on the caller's own pictures, and they"
        " stay on. Work on a copy.",
        matches=lambda outcome: "gradients" in outcome.mutated,
        hint=1,
    ),
    Mistake(
        "all-before-square",
        "You add colours and pictures first, and square the sum. Gradients of opposite sign cancel;"
        " square first, then add.",
        mimic=_wrong(heat=lambda g: g.sum(1).mean(0).square()),
        hint=3,
    ),
    Mistake(
        "each-picture-scaled",
        "You divide the map of each picture by its own sum, so that all pictures weigh the same."
        " Average the squares first, and divide once at the end.",
        mimic=_wrong(heat=_each_scaled),
        hint=4,
    ),
    Mistake(
        "mean-before-square",
        "You average the gradients over the pictures and square the average. Gradients of opposite"
        " sign cancel; square first, then average.",
        mimic=_wrong(heat=lambda g: g.mean(0).square().sum(0)),
        hint=3,
    ),
    Mistake(
        "channels-before-square",
        "You add the colour channels and square the sum. They can cancel; square first, then add.",
        mimic=_wrong(heat=lambda g: g.sum(1).square().mean(0)),
        hint=3,
    ),
    Mistake(
        "not-squared",
        "You take the size of the gradient, not its square. The share of a pixel is a share of the"
        " squared gradient.",
        mimic=_wrong(heat=lambda g: g.abs().sum(1).mean(0)),
        hint=3,
    ),
    Mistake(
        "signed",
        "Some of your shares are negative: the gradient itself is in them, without the square.",
        mimic=_wrong(heat=lambda g: g.sum(1).mean(0)),
        hint=3,
    ),
    Mistake(
        "not-scaled",
        "The pattern is right, the scale is not: divide by the sum over all pixels.",
        mimic=_wrong(scale=lambda h: h),
        hint=4,
    ),
    Mistake(
        "scaled-by-the-largest",
        "You divide by the largest value. Divide by the sum, so that the map holds shares of 1.",
        mimic=_wrong(scale=lambda h: h / h.max()),
        hint=4,
    ),
    Mistake(
        "whole-map",
        "You differentiate the sum of the whole output. Take one unit, out[:, :, row, column].",
        mimic=_wrong(read=lambda out, unit: out.sum()),
        hint=2,
    ),
    Mistake(
        "unit-swapped",
        "You read the unit as (column, row). A tensor is indexed [picture, channel, row, column].",
        mimic=_wrong(read=lambda out, unit: out[:, :, unit[1], unit[0]].sum()),
        hint=2,
    ),
    Mistake(
        "one-channel-read",
        "You read channel 0 of the unit. Add up all its channels.",
        mimic=_wrong(read=lambda out, unit: out[:, 0, unit[0], unit[1]].sum()),
        hint=2,
    ),
    Mistake(
        "first-picture",
        "You count the first picture only. Average over all of them.",
        mimic=_wrong(read=lambda out, unit: out[0, :, unit[0], unit[1]].sum()),
        hint=2,
    ),
)

HINTS = (
    Hint(
        "RuntimeError: … does not require grad, or my gradient is None",
        "Autograd follows only what it is told to. Work on a copy that you own:"
        " `x = images.clone().requires_grad_()`, and run the net on x.",
    ),
    Hint(
        "I do not know what to differentiate",
        "One number: the unit's channels in all pictures, added up. Pictures in a batch do not see"
        " each other, so one call of `torch.autograd.grad(number, x)` gives the gradient of every"
        " picture at once, with the shape of x.",
    ),
    Hint(
        "My shape is right, my values are wrong",
        "The gradient has shape (N, C, H, W). Square it while it still has all four sizes. Then sum"
        " over the colours, dimension 1, and average over the pictures, dimension 0.",
    ),
    Hint(
        "My map has the right pattern and the wrong scale",
        "The answer holds shares. After everything else divide by the sum over all pixels.",
    ),
)


def show(case: Case) -> str:
    net, images, unit = case.args
    layers = ", ".join(type(layer).__name__ for layer in net)
    return f"influence(net with {layers}, images of shape {tuple(images.shape)}, {unit})"
