"""Chapter 01, exercise 01.matrix: a convolution of one row, written as a matrix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import torch
from torch import Tensor
from torch.nn import functional as F

from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome


def cases(rng: Random) -> Iterator[Case]:
    yield _case([1, 2, 3], 5, label="a row of 5, window 3")
    yield _case([1, 2, 3], 5, padding=1, label="a zero on each side")
    yield _case([1, 2, 3], 7, stride=2, label="every second place")
    yield _case([1, 2, 3], 6, stride=2, padding=1, label="stride 2, padding 1")
    yield _case([4, 5], 4, label="a window of 2")
    yield _case([7], 3, label="a window of 1")
    yield _case([1, 2, 3, 4, 5], 6, padding=2, label="a window of 5, padding 2")
    for _ in range(5):
        kernel = [rng.randint(1, 9) for _ in range(rng.randint(1, 5))]
        size = len(kernel) + rng.randint(1, 5)
        yield _case(kernel, size, rng.randint(1, 3), rng.randint(0, 2))


def _case(kernel: list, size: int, stride: int = 1, padding: int = 0, label: str = "") -> Case:
    named = {name: v for name, v, usual in (("stride", stride, 1), ("padding", padding, 0))
             if v != usual}  # fmt: skip
    return Case((torch.tensor(kernel, dtype=torch.float64), size), named, label)


def by_torch(kernel: Tensor, size: int, stride: int = 1, padding: int = 0) -> Tensor:
    """Convolve each unit row: the answers are the columns of the matrix."""
    units = torch.eye(size, dtype=kernel.dtype)[:, None]
    return F.conv1d(units, kernel[None, None], None, stride, padding)[:, 0].T.contiguous()


def _wrong(change: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """An answer that is wrong as `change(kernel, size, stride, padding)` says."""

    def mimic(kernel: Tensor, size: int, stride: int = 1, padding: int = 0) -> Tensor:
        return change(kernel, size, stride, padding)

    return mimic


def _around(kernel: Tensor, size: int, stride: int, padding: int) -> Tensor:
    """What a negative index does: it counts from the end."""
    rows = (size + 2 * padding - len(kernel)) // stride + 1
    matrix = kernel.new_zeros(rows, size)
    for i in range(rows):
        for t, weight in enumerate(kernel):
            column = i * stride - padding + t
            if -size <= column < size:
                matrix[i, column] = weight
    return matrix


def _modulo(kernel: Tensor, size: int, stride: int, padding: int) -> Tensor:
    rows = (size + 2 * padding - len(kernel)) // stride + 1
    matrix = kernel.new_zeros(rows, size)
    for i in range(rows):
        for t, weight in enumerate(kernel):
            matrix[i, (i * stride - padding + t) % size] += weight
    return matrix


def _spread(kernel: Tensor, size: int, stride: int, padding: int) -> Tensor:
    rows = (size + 2 * padding - len(kernel)) // stride + 1
    matrix = kernel.new_zeros(rows, size)
    for i in range(rows):
        for t, weight in enumerate(kernel):
            column = (i + t - padding) * stride
            if 0 <= column < size:
                matrix[i, column] = weight
    return matrix


def _stride_in_the_rows_only(kernel: Tensor, size: int, stride: int, padding: int) -> Tensor:
    """As many rows as the stride leaves, but each window one pixel after the one before."""
    rows = (size + 2 * padding - len(kernel)) // stride + 1
    return by_torch(kernel, size, 1, padding)[:rows]


def _padded_columns(kernel: Tensor, size: int, stride: int, padding: int) -> Tensor:
    return by_torch(kernel, size + 2 * padding, stride, 0)


def _not_moved(kernel: Tensor, size: int, stride: int, padding: int) -> Tensor:
    """The right number of rows, but the first window begins at pixel 0."""
    whole = by_torch(kernel, size + 2 * padding, stride, 0)
    return whole[:, :size].contiguous()


def _outside(outcome: Outcome) -> bool:
    """An index behind the end fails; one below 0 alone comes back on the right."""
    if outcome.error is None:
        around = _wrong(_around)(*outcome.case.args, **outcome.case.kwargs)
        if torch.equal(outcome.got, around):
            return True
        # only the dtype is wrong; at stride 1 every padded window hangs over the end
        named = outcome.case.kwargs
        overhang = "padding" in named and "stride" not in named
        return not overhang and torch.equal(outcome.got.double(), outcome.want)
    return isinstance(outcome.error, IndexError) and bool(outcome.case.kwargs.get("padding"))


def _does_not_fit(outcome: Outcome) -> bool:
    """A slice that hangs over an edge is cut (or empty), and then the kernel is too long for it."""
    if outcome.error is None:  # one weight fits into an empty slice: it is written nowhere
        return len(outcome.case.args[0]) == 1
    said = str(outcome.error)
    kind = isinstance(outcome.error, (RuntimeError, ValueError))
    return kind and ("expanded size" in said or "shape mismatch" in said or "broadcast" in said)


def _times_a_row(as_matrix: Callable[..., Tensor], rng: Random) -> str | None:
    generator = torch.Generator().manual_seed(rng.getrandbits(32))
    kernel = torch.randn(3, generator=generator, dtype=torch.float64)
    row = torch.randn(9, generator=generator, dtype=torch.float64)
    got = as_matrix(kernel, 9, stride=2, padding=1) @ row
    want = F.conv1d(row[None, None], kernel[None, None], None, 2, 1)[0, 0]
    if got.shape != want.shape or not torch.allclose(got, want):
        return "The matrix times a row of pixels is not the convolution of that row."
    return None


LAWS = (Law("the matrix does what the convolution does", _times_a_row, hint=2),)


def _shape(outcome: Outcome) -> tuple[int, ...]:
    return tuple(outcome.got.shape) if isinstance(outcome.got, Tensor) else ()


MISTAKES = (
    Mistake(
        "turned-round",
        "Your kernel runs backwards. In signal processing a convolution does turn it round; in"
        " neural networks, and in PyTorch, it does not.",
        mimic=_wrong(lambda k, n, s, p: by_torch(k.flip(0), n, s, p)),
        hint=2,
    ),
    Mistake(
        "transposed",
        "Your matrix lies on its side: rows and columns are exchanged. One row for each output, one"
        " column for each pixel. (Turned like this it is a transposed convolution: chapter 05.)",
        mimic=_wrong(lambda k, n, s, p: by_torch(k, n, s, p).T.contiguous()),
        hint=1,
    ),
    Mistake(
        "padding-has-columns",
        "Your matrix has a column for every padded pixel. Zeros add nothing to a sum, so those"
        " columns are left out: cut `padding` columns off on each side.",
        mimic=_wrong(_padded_columns),
        hint=4,
    ),
    Mistake(
        "wraps-around",
        "A weight that falls off on the left comes back on the right. In Python a negative index"
        " counts from the end. Skip the taps that lie in the padding.",
        mimic=_wrong(_around),
        hint=4,
    ),
    Mistake(
        "wraps-around",
        "A weight that falls off on the left comes back on the right. In Python a negative index"
        " counts from the end. Skip the taps that lie in the padding.",
        mimic=_wrong(_modulo),
        hint=4,
    ),
    Mistake(
        "first-window-at-zero",
        "You have the right number of rows, but your first window begins at pixel 0. With padding"
        " it begins `padding` pixels earlier.",
        mimic=_wrong(_not_moved),
        hint=4,
    ),
    Mistake(
        "padding-ignored",
        "The padding changes nothing in your matrix. It adds rows, and the first window begins"
        " `padding` pixels earlier.",
        mimic=_wrong(lambda k, n, s, p: by_torch(k, n, s, 0)),
        hint=4,
    ),
    Mistake(
        "stride-ignored",
        "The stride changes nothing in your matrix. With stride 2 the next window begins 2 pixels"
        " further, and there are fewer rows.",
        mimic=_wrong(lambda k, n, s, p: by_torch(k, n, 1, p)),
        hint=3,
    ),
    Mistake(
        "stride-in-the-rows-only",
        "You have the right number of rows, but each window begins one pixel after the one before."
        " It begins `stride` pixels after it.",
        mimic=_wrong(_stride_in_the_rows_only),
        hint=2,
    ),
    Mistake(
        "stride-spreads-the-taps",
        "Your stride pulls the taps apart. It moves the whole window: output i begins at pixel"
        " i · stride - padding, and its taps stand side by side.",
        mimic=_wrong(_spread),
        hint=2,
    ),
    Mistake(
        "row-reversed",
        "You fill the rows from the bottom up: the first output must look at the left end.",
        mimic=_wrong(lambda k, n, s, p: by_torch(k, n, s, p).flip(0)),
        hint=2,
    ),
    Mistake(
        "three-weights-only",
        "All kernels of three weights come out right, and each one that fails has more or fewer."
        " Does a 3 stand in your code where `len(kernel)` belongs?",
        matches=lambda outcome: len(outcome.case.args[0]) != 3,
        hint=1,
    ),
    Mistake(
        "outside",
        "A tap of the window lies in the padding, and the matrix has no column for it. Ask whether"
        " 0 ≤ column < size before you write.",
        matches=_outside,
        hint=4,
    ),
    Mistake(
        "slice-over-the-edge",
        "You write the whole kernel into a slice of the row, and at the edges the slice is shorter:"
        " part of the window lies in the padding. Write the taps one by one, or make a longer row"
        " first and cut it.",
        matches=_does_not_fit,
        hint=4,
    ),
    Mistake(
        "rows-miscounted",
        "Your matrix has the right columns, and another number of rows. There is one for each place"
        " of the window: that is what your `output_size` counts.",
        matches=lambda o: (
            len(_shape(o)) == 2 and _shape(o)[1] == o.want.shape[1] and _shape(o) != o.want.shape
        ),
        hint=3,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Begin with `torch.zeros(rows, size, dtype=kernel.dtype)`. One row for each output. In each"
        " row write the weights where the window stands. Two loops are fine: over the outputs, and"
        " over the taps of the window.",
    ),
    Hint(
        "My shape is right, my values are wrong",
        "Without padding, tap t of output i stands on pixel i · stride + t. For the kernel 1 2 3 on"
        " 5 pixels the rows are 1 2 3 0 0, then 0 1 2 3 0, then 0 0 1 2 3.",
    ),
    Hint(
        "My shape is wrong",
        "As many rows as there are places for the window: (size + 2 · padding - len(kernel)) //"
        " stride + 1. As many columns as the row has pixels; the padding has none.",
    ),
    Hint(
        "I am right until padding shows up",
        "The window of output 0 begins at -padding. So tap t of output i stands on pixel"
        " i · stride - padding + t. If that is below 0, or `size` and more, the tap meets a zero of"
        " the padding: skip it.",
    ),
)
