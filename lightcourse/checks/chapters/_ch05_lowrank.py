"""Exercise 05.lowrank: the closest sum of a few column-times-row kernels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor

from lightcourse.checks.compare import Compare, kind_of
from lightcourse.checks.exercise import Case, Difference
from lightcourse.checks.located import located
from lightcourse.checks.pictures import beside

# room for an answer in float32: what it rounds away is no mistake
close = located(Compare(rtol=1e-4, atol=1e-5))


def cases(rng: Random) -> Iterator[Case]:
    blur = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)
    yield Case((torch.outer(blur, blur), 1), {}, "a blur: rank 1 is exact")
    yield Case((torch.diag(torch.tensor([3.0, 2.0, 1.0]).double()), 1), {}, "a diagonal, rank 1")
    yield Case((torch.diag(torch.tensor([3.0, 2.0, 1.0]).double()), 2), {}, "a diagonal, rank 2")
    for shape, rank in (((5, 5), 2), ((3, 7), 2), ((7, 3), 3), ((4, 4), 4), ((5, 5), 1)):
        generator = torch.Generator().manual_seed(rng.getrandbits(32))
        kernel = torch.randn(shape, generator=generator, dtype=torch.float64)
        yield Case((kernel, rank), {}, f"a random {shape[0]}×{shape[1]} kernel, rank {rank}")


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Answer:
    """The shapes of both lists of vectors, and the kernel that they add up to."""

    columns: tuple[int, ...]
    rows: tuple[int, ...]
    kernel: Tensor | None

    def __repr__(self) -> str:
        shapes = f"columns {self.columns}, rows {self.rows}"
        if self.kernel is None:
            return shapes
        values = "\n".join(" ".join(f"{v:8.4f}" for v in row) for row in self.kernel.tolist())
        return f"{shapes}; their sum of products:\n{values}"


def call(low_rank: Any, case: Case) -> Any:
    """The learner's two lists, multiplied out, since many pairs are equally right."""
    kernel, rank = case.args
    found = low_rank(kernel, rank)
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        return found
    columns, rows = (_tensor(part) for part in found)
    if columns is None or rows is None:
        return found
    return answer(columns.detach(), rows.detach(), kernel, rank)


def _tensor(part: Any) -> Tensor | None:
    """A list of vectors is as good as a tensor of rows; None for what is neither."""
    try:
        if isinstance(part, (list, tuple)) and part and isinstance(part[0], Tensor):
            return torch.stack(tuple(part))
        return torch.as_tensor(part)
    except (RuntimeError, TypeError, ValueError):  # lengths differ, or no numbers at all
        return None


def answer(columns: Tensor, rows: Tensor, kernel: Tensor, rank: int) -> Answer:
    """The sum of the products, where the shapes allow one."""
    shapes = tuple(columns.shape), tuple(rows.shape)
    if shapes != ((rank, kernel.shape[0]), (rank, kernel.shape[1])):
        return Answer(*shapes, None)
    return Answer(*shapes, columns.to(kernel).T @ rows.to(kernel))


def oracle(kernel: Tensor, rank: int) -> Answer:
    """By the eigenvectors of kernel · kernelᵀ: what lies in the space of the strongest ones."""
    _, vectors = torch.linalg.eigh(kernel @ kernel.T)
    strongest = vectors[:, -rank:]
    best = strongest @ (strongest.T @ kernel)
    return Answer((rank, kernel.shape[0]), (rank, kernel.shape[1]), best)


def compare(got: Any, want: Answer) -> Difference | None:
    if not isinstance(got, Answer):
        text = f"it is {kind_of(got)}, wanted a pair (columns, rows)"
        if isinstance(got, (list, tuple)) and len(got) == 2:
            text = "columns and rows are to be tensors, one vector in each row"
        return Difference("type", text)
    for name in ("columns", "rows"):
        one, other = getattr(got, name), getattr(want, name)
        if one != other:
            return Difference("shape", f"{name} has the shape {one}, wanted {other}")
    return close(got.kernel, want.kernel)


def show(case: Case) -> str:
    kernel, rank = case.args
    short = [[round(v, 3) + 0.0 for v in row] for row in kernel.tolist()]
    return f"low_rank(kernel, {rank})  with kernel = {short}"


def picture(case: Case, got: Any, want: Any) -> str:
    return beside(got.kernel, want.kernel)
