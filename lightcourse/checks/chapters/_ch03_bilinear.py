"""Exercise 03.bilinear: resize a map by bilinear interpolation."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Difference
from lightcourse.checks.located import located

# coordinates in float32 are right as well
_close, _close_in_float32 = located(Compare(rtol=1e-5, atol=1e-6)), located(Compare())


def compare(got: Any, want: Tensor) -> Difference | None:
    """Close in value, in the dtype of x; in single precision as close as that allows."""
    return (_close_in_float32 if want.dtype == torch.float32 else _close)(got, want)


def cases(rng: Random) -> Iterator[Case]:
    row = torch.tensor([[[[0.0, 10.0, 40.0, 20.0]]]], dtype=torch.float64)
    yield Case((row, (1, 8), False), label="a row of 4 becomes 8")
    yield Case((row, (1, 7), True), label="a row of 4 becomes 7, corners aligned")
    yield Case((row.transpose(2, 3), (8, 1), False), label="a column of 4 becomes 8")
    for align in (False, True):
        yield Case((draw(rng, 1, 1, 3, 4), (6, 8), align), label="twice the size")
        yield Case((draw(rng, 1, 1, 3, 3), (5, 7), align), label="3 × 3 becomes 5 × 7")
        yield Case((draw(rng, 2, 3, 2, 5), (7, 3), align), label="two pictures, three channels")
        yield Case((draw(rng, 1, 1, 8, 6), (3, 4), align), label="smaller")
        yield Case((draw(rng, 1, 2, 4, 5), (1, 3), align), label="only one row is wanted")
        yield Case((draw(rng, 1, 1, 1, 3), (4, 6), align), label="only one row is there")
    for _ in range(4):
        shape = rng.randint(1, 2), rng.randint(1, 3), rng.randint(2, 6), rng.randint(2, 6)
        size = rng.randint(2, 9), rng.randint(2, 9)
        yield Case((draw(rng, *shape), size, rng.random() < 0.5))
    yield Case((draw(rng, 1, 2, 3, 4).float(), (6, 5), False), label="float32")


def draw(rng: Random, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(rng.getrandbits(32))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def by_torch(x: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    return F.interpolate(x, size, mode="bilinear", align_corners=align_corners)


def show(case: Case) -> str:
    """The call by shapes, and by its values where they fit into one line."""
    x, size, align = case.args
    values = f" {x.flatten().tolist()}" if x.numel() <= 4 else ""
    return f"bilinear(x {tuple(x.shape)}{values}, {size}, align_corners={align})"
