"""Exercise 05.lowrank: known mistakes and hints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from lightcourse.checks.chapters._ch05_dense import only_changed
from lightcourse.checks.chapters._ch05_lowrank import Answer, answer, close
from lightcourse.checks.exercise import Hint, Mistake, Outcome


def _variant(make: Callable[[Tensor, Tensor, Tensor, int], tuple[Tensor, Tensor]]) -> Any:
    """columns and rows made from U, the singular values and Vᵀ in a wrong way."""

    def wrong(kernel: Tensor, rank: int) -> Answer:
        left, values, right = torch.linalg.svd(kernel, full_matrices=False)
        return answer(*make(left, values, right, rank), kernel, rank)

    return wrong


def _marginals(kernel: Tensor, rank: int) -> Answer:
    column, row = kernel.sum(1), kernel.sum(0)
    return answer((column / kernel.sum()).repeat(rank, 1) / rank, row.repeat(rank, 1), kernel, rank)


def _turned(outcome: Outcome) -> bool:
    """One of the two has a vector in each column; where that is a square, its product tells."""
    (kernel, rank), got = outcome.case.args, outcome.got
    if not isinstance(got, Answer):
        return False
    if got.kernel is not None:
        return any(close(got.kernel, other) is None for other in _turned_products(kernel, rank))
    found = (got.columns, outcome.want.columns), (got.rows, outcome.want.rows)
    return any(one != want and one == want[::-1] for one, want in found)


def _turned_products(kernel: Tensor, rank: int) -> Iterator[Tensor]:
    """What the pairs add up to when columns, rows or both are turned and nobody sees it."""
    left, values, right = torch.linalg.svd(kernel, full_matrices=False)
    for power in (1.0, 0.5, 0.0):  # of the singular values in the columns; the rest in the rows
        columns = (left * values**power).T[:rank]
        rows = (values ** (1 - power))[:rank, None] * right[:rank]
        for one, other in ((columns.T, rows), (columns, rows.T), (columns.T, rows.T)):
            if (one.shape, other.shape) == (columns.shape, rows.shape):
                yield one.T @ other


def _too_many(outcome: Outcome) -> bool:
    (kernel, rank), got = outcome.case.args, outcome.got
    pairs = min(kernel.shape)
    every = (pairs, kernel.shape[0]), (pairs, kernel.shape[1])
    return isinstance(got, Answer) and (got.columns, got.rows) == every and pairs != rank


def _bare_vector(outcome: Outcome) -> bool:
    """A vector where a list of vectors should be."""
    kernel, _ = outcome.case.args
    got = outcome.got
    found = ((got.columns, kernel.shape[0]), (got.rows, kernel.shape[1]))
    return any(shape == (length,) for shape, length in found)


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
        "You multiply the row sums by the column sums. That is right when the kernel has rank 1;"
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
    Mistake(
        "bare-vector",
        "A single vector stands where a list of vectors is wanted. One pair is a list of one: its"
        " columns have the shape (1, k), its rows (1, m). A slice `[:rank]` keeps this axis;"
        " `squeeze` and an index such as `[0]` take it away.",
        matches=_bare_vector,
        hint=2,
    ),
    Mistake(
        "kernel-overwritten",
        "The answer is right, but your code writes into `kernel`, and the caller still needs it as"
        " it was. Work on a copy: `kernel.clone()`.",
        matches=only_changed,
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
