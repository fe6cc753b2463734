"""Exercise 11.manifold: points into n dimensions, through a ReLU, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import torch
from torch import Tensor

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Hint, Mistake, Outcome
from lightcourse.checks.located import located

compare = located(Compare(rtol=1e-5, atol=1e-6))


def cases(rng: Random) -> Iterator[Case]:
    flip = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    points = torch.tensor([[1.0, 2.0], [3.0, -1.0], [-2.0, -2.0]], dtype=torch.float64)
    stretch = torch.tensor([[2.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    yield Case((points, flip), {}, "2 dimensions, the axes swapped")
    yield Case((points, stretch), {}, "2 dimensions, stretched")
    for p, d, n in ((4, 2, 3), (5, 2, 5), (3, 3, 7), (6, 2, rng.randint(8, 15))):
        yield Case((_draw(rng, p, d), _draw(rng, n, d)), {}, f"{d} dimensions into {n} and back")
    yield Case((_draw(rng, 5, 2).float(), _draw(rng, 4, 2).float()), {}, "float32")


def _draw(rng: Random, *shape: int) -> Tensor:
    """Large enough that some numbers pass 6: a ReLU6 shows."""
    generator = torch.Generator().manual_seed(rng.getrandbits(32))
    return 4 * torch.randn(shape, generator=generator, dtype=torch.float64)


def oracle(points: Tensor, matrix: Tensor) -> Tensor:
    """Each point by itself; the way back by least squares."""
    wide = [torch.clamp(matrix @ point, min=0) for point in points]
    found = torch.linalg.lstsq(matrix.double(), torch.stack(wide, 1).double()).solution
    found = torch.where(found.abs() < 1e-12, 0.0, found)  # rounding alone: no −0
    return found.T.to(points.dtype)


def _by(
    act: Callable[[Tensor], Tensor] = torch.relu,
    back: Callable[[Tensor], Tensor] = lambda matrix: torch.linalg.pinv(matrix).T,
    end: Callable[[Tensor], Tensor] = lambda y: y,
    there: Callable[[Tensor], Tensor] = lambda matrix: matrix.T,
) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda points, matrix: end(act(points @ there(matrix)) @ back(matrix))


def _transposed(o: Outcome) -> bool:
    return o.error is None and o.got.shape == o.want.T.shape and compare(o.got.T, o.want) is None


def _not_transposed(o: Outcome) -> bool:
    """The shapes do not fit; where all are square, it runs and is another map."""
    points, matrix = o.case.args
    if o.error is not None:
        words = str(o.error)
        return "shapes cannot be multiplied" in words or "size mismatch" in words
    there, back = (matrix, matrix.T), torch.linalg.pinv(matrix)
    answers = [torch.relu(points @ one) @ two for one in there for two in (back, back.T)]
    return any(compare(o.got, answer) is None for answer in answers)


def _rectified_undone(o: Outcome) -> bool:
    """pinv of the rectified matrix, with the right way there or by that matrix as well."""
    points, matrix = o.case.args
    positive = torch.relu(matrix)
    back = torch.linalg.pinv(positive).T
    wide = (torch.relu(points @ matrix.T), points @ positive.T, torch.relu(points @ positive.T))
    return any(compare(o.got, one @ back) is None for one in wide)


MISTAKES = (
    Mistake(
        "relu-missing",
        "Your points come back as they were. Between the two matrices stands the ReLU.",
        mimic=_by(act=lambda y: y),
        hint=1,
    ),
    Mistake(
        "relu-at-the-end",
        "A ReLU stands behind the way back. Only the numbers in the n dimensions go through it.",
        mimic=_by(end=torch.relu),
        hint=1,
    ),
    Mistake(
        "relu-late",
        "Your ReLU works on the points themselves, before the way there or after the way back. It"
        " belongs between the two matrices, on the n sums.",
        mimic=_by(act=lambda y: y, end=torch.relu),
        hint=1,
    ),
    Mistake(
        "relu-of-the-matrix",
        "Your ReLU takes the negative weights out of the matrix. It works on the sums: first"
        " multiply, then ReLU.",
        mimic=_by(act=lambda y: y, there=lambda matrix: torch.relu(matrix.T)),
        hint=1,
    ),
    Mistake(
        "rectified-matrix-undone",
        "You come back by the pseudo-inverse of a matrix without its negative weights. It is the"
        " pseudo-inverse of the matrix as it is: `torch.linalg.pinv(matrix)`.",
        matches=_rectified_undone,
        hint=2,
    ),
    Mistake(
        "not-brought-back",
        "These are the points in n dimensions. Bring them back with the pseudo-inverse.",
        matches=lambda o: compare(o.got, torch.relu(o.case.args[0] @ o.case.args[1].T)) is None,
        hint=2,
    ),
    Mistake(
        "transposed-not-inverted",
        "You come back by the transposed matrix. That is the way back for rotations only; in"
        " general it is the pseudo-inverse, `torch.linalg.pinv(matrix)`.",
        mimic=_by(back=lambda matrix: matrix),
        hint=2,
    ),
    Mistake(
        "not-square",
        "You invert the matrix, which only a square one has. It is n×d: `torch.linalg.pinv` takes"
        " any shape.",
        matches=lambda o: "square" in str(o.error),
        hint=2,
    ),
    Mistake(
        "wrong-way-round",
        "The numbers are right, but the answer is transposed: one row for each point is wanted.",
        matches=_transposed,
        hint=1,
    ),
    Mistake(
        "not-transposed",
        "A matrix is multiplied with its wrong side. points has the shape (P, d) and matrix (n,"
        " d), so the way there is `points @ matrix.T`, of shape (P, n); the pseudo-inverse has the"
        " shape (d, n), so the way back is times its transpose.",
        matches=_not_transposed,
        hint=1,
    ),
    Mistake(
        "absolute-value",
        "You take the absolute value. A ReLU makes negative numbers zero.",
        mimic=_by(act=torch.abs),
        hint=1,
    ),
    Mistake(
        "relu6-not-relu",
        "This experiment is about ReLU; yours cuts at 6 as well.",
        mimic=_by(act=torch.nn.functional.relu6),
        hint=1,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin, or my shapes are wrong",
        "Three steps. `points @ matrix.T` has one row for each point and n columns. ReLU. Then"
        " times a matrix with n rows and d columns.",
    ),
    Hint(
        "How do I come back?",
        "`torch.linalg.pinv(matrix)` is the pseudo-inverse, of shape (d, n). For a square matrix"
        " it is the inverse. Your wide points are rows of length n: multiply them with its"
        " transpose.",
    ),
)
