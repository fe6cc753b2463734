"""Exercise 05.lowrank: the closest sum of a few column-times-row kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor

from lightcourse.checks.compare import Compare, kind_of
from lightcourse.checks.exercise import Case, Difference, Hint, Mistake, Outcome
from lightcourse.checks.located import located
from lightcourse.checks.pictures import beside

_close = located(Compare(rtol=1e-6, atol=1e-8))


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
    columns, rows = (_tensor(part).detach() for part in found)
    return _answer(columns, rows, kernel, rank)


def _tensor(part: Any) -> Tensor:
    """A list of vectors is as good as a tensor of rows."""
    if isinstance(part, (list, tuple)) and part and isinstance(part[0], Tensor):
        return torch.stack(tuple(part))
    return torch.as_tensor(part)


def _answer(columns: Tensor, rows: Tensor, kernel: Tensor, rank: int) -> Answer:
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
        return Difference("type", f"it is {kind_of(got)}, wanted a pair (columns, rows)")
    for name in ("columns", "rows"):
        one, other = getattr(got, name), getattr(want, name)
        if one != other:
            return Difference("shape", f"{name} has the shape {one}, wanted {other}")
    return _close(got.kernel, want.kernel)


def show(case: Case) -> str:
    kernel, rank = case.args
    short = [[round(v, 3) + 0.0 for v in row] for row in kernel.tolist()]
    return f"low_rank(kernel, {rank})  with kernel = {short}"


def picture(case: Case, got: Any, want: Any) -> str:
    return beside(got.kernel, want.kernel)


def _variant(make: Callable[[Tensor, Tensor, Tensor, int], tuple[Tensor, Tensor]]) -> Any:
    """columns and rows made from U, the singular values and Vᵀ in a wrong way."""

    def wrong(kernel: Tensor, rank: int) -> Answer:
        left, values, right = torch.linalg.svd(kernel, full_matrices=False)
        return _answer(*make(left, values, right, rank), kernel, rank)

    return wrong


def _marginals(kernel: Tensor, rank: int) -> Answer:
    column, row = kernel.sum(1), kernel.sum(0)
    return _answer(
        (column / kernel.sum()).repeat(rank, 1) / rank, row.repeat(rank, 1), kernel, rank
    )


def _turned(outcome: Outcome) -> bool:
    """One of the two has an axis per vector where it should have a row; square ones look alike."""
    kernel, rank = outcome.case.args
    got = outcome.got
    return isinstance(got, Answer) and (
        got.columns == (kernel.shape[0], rank) or got.rows == (kernel.shape[1], rank)
    )


def _too_many(outcome: Outcome) -> bool:
    kernel, rank = outcome.case.args
    got = outcome.got
    return isinstance(got, Answer) and got.columns[0] == min(kernel.shape) != rank


MISTAKES = (
    Mistake(
        "singular-values-forgotten",
        "The singular values are missing. Each pair of vectors has length 1; its singular value"
        " says how strong it is. Multiply it into one of the two.",
        mimic=_variant(lambda u, s, v, r: (u.T[:r], v[:r])),
        hint=3,
    ),
    Mistake(
        "singular-values-twice",
        "The singular values count twice: you multiply them into the columns and into the rows. Put"
        " them into one, or the square root of each into both.",
        mimic=_variant(lambda u, s, v, r: ((u * s).T[:r], s[:r, None] * v[:r])),
        hint=3,
    ),
    Mistake(
        "smallest-kept",
        "You keep the smallest singular values. torch sorts them from large to small: the first"
        " ones carry most of the kernel.",
        mimic=_variant(lambda u, s, v, r: ((u * s).T[-r:], v[-r:])),
        hint=3,
    ),
    Mistake(
        "rows-from-columns-of-v",
        "Your rows are cut across the vectors instead of along them. `torch.linalg.svd` hands out"
        " Vᵀ, already turned: its *rows* are the vectors. (The older `torch.svd` hands out V, with"
        " the vectors in its columns.)",
        mimic=_variant(lambda u, s, v, r: ((u * s).T[:r], v.T[:r])),
        hint=2,
    ),
    Mistake(
        "columns-from-rows-of-u",
        "Your columns are the rows of U. The vectors stand in the columns of U: turn it first.",
        mimic=_variant(lambda u, s, v, r: (s[:r, None] * u[:r], v[:r])),
        hint=2,
    ),
    Mistake(
        "columns-from-rows-of-u",
        "Your columns are the rows of U. The vectors stand in the columns of U: turn it first.",
        mimic=_variant(lambda u, s, v, r: ((u * s)[:r], v[:r])),
        hint=2,
    ),
    Mistake(
        "one-pair-only",
        "You return the strongest pair for every rank. Rank r is a sum of r pairs.",
        mimic=_variant(
            lambda u, s, v, r: (
                torch.cat([(u * s).T[:1], 0 * u.T[1:r]]),
                v[:r],
            )
        ),
        hint=3,
    ),
    Mistake(
        "marginals",
        "You multiply the row sums with the column sums. That is right when the kernel has rank 1;"
        " else there is a closer product, and the SVD finds it.",
        mimic=_marginals,
        hint=1,
    ),
    Mistake(
        "turned",
        "Your vectors stand the other way round: one vector in each *row*, so columns is (rank, k)"
        " and rows is (rank, m).",
        matches=_turned,
        hint=2,
    ),
    Mistake(
        "all-pairs",
        "You return all pairs. Keep the first `rank` of them.",
        matches=_too_many,
        hint=3,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "`left, values, right = torch.linalg.svd(kernel, full_matrices=False)` takes the kernel"
        " apart. Print the three shapes for a kernel of 3×7, and the values.",
    ),
    Hint(
        "I get a RuntimeError or wrong shapes, or it works for square kernels only",
        "The first vectors are the *columns* of `left` and the *rows* of `right`. You are to return"
        " both as rows. So one of the two has to be turned with `.T`. With `full_matrices=False`"
        " all three have as many vectors as there are singular values.",
    ),
    Hint(
        "My shapes are right, my values are wrong",
        "Try the diagonal kernel with 3, 2, 1. Rank 1 must give back the 3 and nothing else. Rank 2"
        " the 3 and the 2. Do you get 1, or 9? Then look where the singular values go.",
    ),
)
