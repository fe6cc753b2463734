"""Exercise 05.deform: convolve at places that move, by grid_sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lightcourse._torchvision import import_torchvision
from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case
from lightcourse.checks.located import located

close = located(Compare(rtol=1e-6, atol=1e-8))


def cases(rng: Random) -> Iterator[Case]:
    x = torch.arange(1.0, 13, dtype=torch.float64).view(1, 1, 3, 4)
    one = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    yield _moved(x, one, 0, 0, "a 1×1 kernel, nothing moves")
    yield _moved(x, one, 0, 1, "a 1×1 kernel that looks one pixel to the right")
    yield _moved(x, one, 1, 0, "a 1×1 kernel that looks one pixel down")
    yield _moved(x, one, 0, 0.5, "a 1×1 kernel that looks half a pixel to the right")
    yield _case(rng, (1, 1, 4, 6), (1, 3), 1, 1, 0.0, "3×3, nothing moves: an ordinary convolution")
    yield _case(rng, (1, 2, 5, 7), (3, 3), 1, 1, 1.0, "3×3, 2 channels to 3")
    yield _case(rng, (2, 2, 5, 4), (2, 3), 1, 0, 2.0, "a batch of 2, no padding")
    yield _case(rng, (2, 3, 7, 6), (4, 3), 2, 1, 1.0, "stride 2")
    for _ in range(3):
        shape = rng.randint(1, 3), rng.randint(1, 3), rng.randint(5, 8), rng.randint(5, 8)
        kernel, stride, padding = rng.choice((2, 3, 5)), rng.randint(1, 2), rng.randint(0, 2)
        yield _case(rng, shape, (rng.randint(1, 3), kernel), stride, padding, 1.5, "random sizes")


def _moved(x: Tensor, weight: Tensor, down: float, across: float, label: str) -> Case:
    offset = torch.empty(1, 2, 3, 4, dtype=torch.float64)
    offset[:, 0], offset[:, 1] = down, across
    return Case((x, offset, weight, 1, 0), {}, label)


def _case(
    rng: Random,
    shape: tuple[int, int, int, int],
    kernel: tuple[int, int],
    stride: int,
    padding: int,
    reach: float,
    label: str,
) -> Case:
    generator = torch.Generator().manual_seed(rng.getrandbits(32))

    def draw(*size: int) -> Tensor:
        return torch.randn(size, generator=generator, dtype=torch.float64)

    out, k = kernel
    x, weight = draw(*shape), draw(out, shape[1], k, k)
    size = F.conv2d(x, weight, None, stride, padding).shape[2:]
    return Case((x, reach * draw(shape[0], 2 * k * k, *size), weight, stride, padding), {}, label)


def oracle(x: Tensor, offset: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """torchvision's operator; where its library does not load, our gather in its place."""
    ops = import_torchvision().ops
    return ops.deform_conv2d(x, offset, weight, stride=stride, padding=padding)


def show(case: Case) -> str:
    x, offset, weight, stride, padding = case.args
    shapes = f"x {tuple(x.shape)}, offset {tuple(offset.shape)}, weight {tuple(weight.shape)}"
    return f"deform_conv(x, offset, weight, {stride}, {padding})  with {shapes}"


def split(offset: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 2·k·k, H', W') -> how far each tap moves down, and across: (N, k·k, H', W') twice."""
    return offset[:, 0::2], offset[:, 1::2]


def stretch(place: Tensor, size: int) -> Tensor:
    """Pixels to grid_sample's -1 … 1 between the outer edges of the picture."""
    return (2 * place + 1) / size - 1


def variant(
    moves: Callable[[Tensor], tuple[Tensor, Tensor]] = split,
    add: Callable[[Tensor, Tensor], Tensor] = lambda place, move: place + move,
    scale: Callable[[Tensor, int], Tensor] = stretch,
    order: Callable[[Tensor, Tensor], tuple[Tensor, ...]] = lambda y, across: (across, y),
    sizes: Callable[..., tuple[int, int]] = lambda h, w, tall, wide: (h, w),
    flat: Callable[[Tensor], Tensor] = lambda weight: weight.flatten(1),
    late: bool = False,
    start: Callable[..., tuple[Tensor, Tensor]] | None = None,
    each: int | None = None,
    **sample: Any,
) -> Callable[..., Tensor]:
    """A deformable convolution with one step changed."""

    def wrong(x: Tensor, offset: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        n, c, h, w = x.shape
        k, (tall, wide) = weight.shape[-1], offset.shape[2:]
        base_y, base_x = (start or places)(k, tall, wide, stride, padding)
        down, across = moves(offset)
        high, broad = sizes(h, w, tall, wide)
        if late:
            y, z = add(scale(base_y, high), down), add(scale(base_x, broad), across)
        else:
            y, z = scale(add(base_y, down), high), scale(add(base_x, across), broad)
        grid = torch.stack(order(y, z), -1).flatten(1, 2)
        grid = grid if each is None else grid[:each].expand(n, -1, -1, -1)
        read = F.grid_sample(x, grid.expand(n, -1, -1, -1), **{"align_corners": False, **sample})
        columns = read.reshape(n, c * k * k, tall, wide)
        return F.conv2d(columns, flat(weight)[:, :, None, None])

    return wrong


def places(k: int, tall: int, wide: int, stride: int, padding: int) -> tuple[Tensor, Tensor]:
    """Row and column that each tap of each output reads before it moves: (k·k, H', W') twice."""
    rows = torch.arange(k)[:, None] + torch.arange(tall) * stride - padding
    columns = torch.arange(k)[:, None] + torch.arange(wide) * stride - padding
    shape = (k, k, tall, wide)
    y, across = rows[:, None, :, None].expand(shape), columns[None, :, None, :].expand(shape)
    return y.reshape(k * k, tall, wide), across.reshape(k * k, tall, wide)


def gradient(deform_conv: Any, rng: Random) -> str | None:
    """The offsets are learnt, so the gradient must come back through them."""
    generator = torch.Generator().manual_seed(rng.getrandbits(32))
    grads = []
    for function in (deform_conv, oracle):
        generator.manual_seed(5)
        x, offset, weight = (
            torch.randn(size, generator=generator, dtype=torch.float64).requires_grad_()
            for size in ((1, 2, 5, 6), (1, 18, 5, 6), (2, 2, 3, 3))
        )
        y = function(x, offset, weight, 1, 1)
        if not y.requires_grad:
            return (
                "The output is right, but no gradient comes back, so the offsets could not be"
                " learnt. Stay with tensor operations on x, offset and weight: NumPy, `.item()`,"
                " `detach` and `no_grad` cut the gradient off."
            )
        found = torch.autograd.grad(y.square().sum(), (x, offset, weight), allow_unused=True)
        if any(g is None for g in found):
            name = ("x", "offset", "weight")[[g is None for g in found].index(True)]
            return f"No gradient reaches {name}: keep it out of `detach`, `.data` and `no_grad`."
        grads.append(found)
    for name, one, other in zip(("x", "offset", "weight"), *grads, strict=True):
        if not torch.allclose(one, other, rtol=1e-6, atol=1e-8):
            return f"The output is right, the gradient with respect to {name} is not."
    return None
