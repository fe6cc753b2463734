"""Exercise 03.transposed: transposed convolution by zero insertion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from lightcourse.checks.banned import uses
from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Difference, Law
from lightcourse.checks.located import located

_close, _close_in_float32 = located(Compare(rtol=1e-6, atol=1e-8)), located(Compare())


def compare(got: Any, want: Tensor) -> Difference | None:
    """Close in value, in the dtype of x; in single precision as close as that allows."""
    return (_close_in_float32 if want.dtype == torch.float32 else _close)(got, want)


def cases(rng: Random) -> Iterator[Case]:
    one = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    ramp = torch.arange(1.0, 10.0, dtype=torch.float64).view(1, 1, 3, 3)
    yield Case((one, ramp, 1, 0, 0), label="one pixel: the kernel itself comes out")
    row = torch.tensor([[[[1.0, 10.0]]]], dtype=torch.float64)
    yield Case((row, ramp[..., :1, :3], 2, 0, 0), label="two pixels in a row, stride 2")
    yield Case((_draw(rng, 1, 1, 3, 3), ramp, 1, 1, 0), label="stride 1, padding 1")
    yield Case((_draw(rng, 1, 1, 3, 4), _draw(rng, 1, 1, 3, 3), 2, 1, 0), label="stride 2")
    yield Case((_draw(rng, 1, 1, 3, 3), ramp, 2, 1, 1), label="output_padding 1")
    yield Case((_draw(rng, 1, 2, 3, 3), _draw(rng, 2, 2, 2, 2), 2, 0, 0), label="2 channels to 2")
    yield Case((_draw(rng, 2, 2, 3, 4), _draw(rng, 2, 5, 3, 3), 2, 1, 1), label="2 channels to 5")
    yield Case((_draw(rng, 1, 1, 4, 3), _draw(rng, 1, 1, 4, 2), 3, 1, 2), label="kernel 4 × 2")
    for _ in range(4):
        yield _random_case(rng)
    single = _draw(rng, 1, 2, 3, 3).float(), _draw(rng, 2, 1, 3, 3).float()
    yield Case((*single, 2, 1, 0), label="float32")


def _random_case(rng: Random) -> Case:
    kernel = rng.randint(2, 5), rng.randint(2, 5)
    stride = rng.randint(1, 3)
    x = _draw(rng, rng.randint(1, 2), rng.randint(1, 3), rng.randint(2, 4), rng.randint(2, 4))
    weight = _draw(rng, x.shape[1], rng.randint(1, 3), *kernel)
    # at most half of the kernel, so that something is left of the smallest map
    return Case((x, weight, stride, rng.randint(0, min(kernel) // 2), rng.randrange(stride)))


def _draw(rng: Random, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(rng.getrandbits(32))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def by_torch(x: Tensor, weight: Tensor, stride: int, padding: int, output_padding: int) -> Tensor:
    return F.conv_transpose2d(x, weight, None, stride, padding, output_padding)


def show(case: Case) -> str:
    """The call by shapes and numbers."""
    x, weight, *rest = case.args
    names = ("stride", "padding", "output_padding")
    more = ", ".join(f"{name}={value}" for name, value in zip(names, rest, strict=True))
    return f"transposed(x {tuple(x.shape)}, weight {tuple(weight.shape)}, {more})"


def _one_pixel_gives_the_kernel(transposed: Callable, rng: Random) -> str | None:
    weight = _draw(rng, 2, 3, 3, 4)
    x = torch.zeros(1, 2, 1, 1, dtype=torch.float64)
    x[0, 1] = 2.0
    got = transposed(x, weight, rng.randint(1, 3), 0, 0)
    if got.shape != (1, 3, 3, 4) or not torch.allclose(got, 2 * weight[1:]):
        return "A single pixel with the value 2 should write twice its kernel, and nothing else."
    return None


def _gradient_of_the_convolution(transposed: Callable, rng: Random) -> str | None:
    """<conv(a), b> = <a, transposed(b)>: that is what "transposed" means."""
    weight, a = _draw(rng, 2, 3, 3, 3), _draw(rng, 1, 3, 7, 9)
    b = _draw(rng, 1, 2, 4, 5)
    left = (F.conv2d(a, weight, stride=2, padding=1) * b).sum()
    right = (a * transposed(b, weight, 2, 1, 0)).sum()
    if not torch.allclose(left, right):
        return "It should be the transpose of F.conv2d: (conv(a)·b).sum() = (a·yours(b)).sum()."
    return None


def _own(transposed: Callable, rng: Random) -> str | None:
    x, weight = _draw(rng, 1, 2, 3, 4), _draw(rng, 2, 3, 3, 3)
    if uses(lambda: transposed(x, weight, 2, 1, 1), _is_transposed):
        return (
            "Your numbers are right, but torch's own layer makes them (`F.conv_transpose2d`,"
            " `nn.ConvTranspose2d` and the like). Here you write it yourself: with zeros, `F.pad`"
            " and `F.conv2d`, or by adding up copies of the kernel."
        )
    return None


def _is_transposed(name: str, given: Mapping[str, Any]) -> bool:
    turned = "transpose" in name or bool(given.get("transposed"))
    return "conv" in name and turned


LAWS = (
    Law("torch's own transposed convolution is not called", _own, hint=1),
    Law("one pixel gives the kernel", _one_pixel_gives_the_kernel, hint=2),
    Law("it is the convolution's transpose", _gradient_of_the_convolution, hint=2),
)


def spread(x: Tensor, stride: int, after: int = 0) -> Tensor:
    """x with stride - 1 zeros between neighbours, and more after the last one."""
    n, c, h, w = x.shape
    size = ((h - 1) * stride + 1 + after, (w - 1) * stride + 1 + after)
    out = x.new_zeros(n, c, *size)
    out[:, :, : size[0] - after : stride, : size[1] - after : stride] = x
    return out


def variant(
    gap: Callable[[Tensor, int], Tensor] = spread,
    turn: Callable[[Tensor], Tensor] = lambda w: w.flip(2, 3).transpose(0, 1),
    edge: Callable[[int, int], int] = lambda k, p: k - 1 - p,
    more: Callable[[int], tuple[int, int]] = lambda op: (0, op),
    step: Callable[[int], int] = lambda s: 1,
) -> Callable[..., Tensor]:
    """Zero insertion in which one part is not the right one."""

    def made(x: Tensor, weight: Tensor, stride: int, padding: int, output_padding: int) -> Tensor:
        kh, kw = weight.shape[2:]
        first, last = more(output_padding)
        rows, columns = edge(kh, padding), edge(kw, padding)
        room = (columns + first, columns + last, rows + first, rows + last)
        return F.conv2d(F.pad(gap(x, stride), room), turn(weight), stride=step(stride))

    return made
