"""The numbers of the upsampling scene: four ways to make a small map larger, in NumPy."""

from collections.abc import Sequence

import numpy as np

SIDE = 5  # rows and columns of the small map
RING = np.array(
    [[0, 1, 1, 1, 0], [1, 0, 0, 0, 1], [1, 0, 0, 0, 0], [1, 0, 0, 0, 1], [0, 1, 1, 1, 0]], float
)


def tent(kernel: int, stride: int) -> np.ndarray:
    """(kernel,): weights that fall in a straight line from the middle to 0 a stride away.

    >>> tent(4, 2).tolist()
    [0.25, 0.75, 0.75, 0.25]
    """
    from_middle = np.abs(np.arange(kernel) - (kernel - 1) / 2)
    return np.maximum(0.0, 1 - from_middle / stride)


def full_transposed(values: np.ndarray, weight: np.ndarray, stride: int) -> np.ndarray:
    """(n, n) -> ((n - 1) · stride + k, …): a copy of the kernel for each value, added up."""
    n, k = len(values), len(weight)
    out = np.zeros(((n - 1) * stride + k,) * 2)
    for i, j in np.ndindex(n, n):
        rows, columns = i * stride, j * stride
        out[rows : rows + k, columns : columns + k] += values[i, j] * weight
    return out


def line_of(weight: np.ndarray, stride: int) -> np.ndarray:
    """Column means of what a map of ones gives; for a kernel of ones the copies in each column.

    >>> line_of(np.ones((3, 3)), 2)[:5].tolist()
    [1.0, 1.0, 2.0, 1.0, 2.0]
    """
    full = full_transposed(np.ones((SIDE, SIDE)), weight, stride)
    return full.sum(0) / (len(weight) * SIDE)


def middle_values(weight: np.ndarray, stride: int) -> list[float]:
    """The different values inside the transposed convolution of a map of ones, smallest first.

    >>> middle_values(np.ones((3, 3)), 2)
    [1.0, 2.0, 4.0]
    """
    sums = [weight[a::stride, b::stride].sum() for a, b in np.ndindex(stride, stride)]
    return sorted({round(float(value), 6) for value in sums})


def nearest(values: np.ndarray, scale: int) -> np.ndarray:
    """(n, n) -> (n · scale, n · scale): every value repeated."""
    return values.repeat(scale, 0).repeat(scale, 1)


def places_of(scale: int, align: bool) -> np.ndarray:
    """(SIDE · scale,): where each output of an enlarged line stands among the inputs."""
    count = SIDE * scale
    i = np.arange(count)
    if align:
        return i * (SIDE - 1) / (count - 1)
    return np.clip((i + 0.5) / scale - 0.5, 0, SIDE - 1)


def shares_of(scale: int, align: bool) -> np.ndarray:
    """(SIDE · scale, SIDE): how much each output takes of each input, along one axis."""
    return np.maximum(0.0, 1 - np.abs(places_of(scale, align)[:, None] - np.arange(SIDE)))


def bilinear(values: np.ndarray, scale: int, align: bool) -> np.ndarray:
    """(n, n) -> (n · scale, n · scale) by bilinear interpolation."""
    shares = shares_of(scale, align)
    return shares @ values @ shares.T


def touched(scale: int, align: bool) -> list[tuple[int, int]]:
    """For each input of a line: the first output that hears from it, and how many do."""
    found = [np.flatnonzero(column > 1e-9) for column in shares_of(scale, align).T]
    return [(int(places[0]), len(places)) for places in found]


def centres(scale: int, align: bool) -> list[float]:
    """Where the inputs of a line stand among the outputs."""
    if align:
        return [i * (SIDE * scale - 1) / (SIDE - 1) for i in range(SIDE)]
    return [(i + 0.5) * scale - 0.5 for i in range(SIDE)]


def remembered(scale: int) -> np.ndarray:
    """(SIDE, SIDE, 2): row and column of each maximum in a made-up map, before it was pooled."""
    large = np.random.default_rng(7).random((SIDE * scale,) * 2)
    tiles = large.reshape(SIDE, scale, SIDE, scale).transpose(0, 2, 1, 3).reshape(SIDE, SIDE, -1)
    which = tiles.argmax(-1)
    corner = scale * np.arange(SIDE)
    rows, columns = corner[:, None] + which // scale, corner + which % scale
    return np.stack([rows, columns], -1)


def unpooled(values: np.ndarray, scale: int) -> np.ndarray:
    """(n, n) -> (n · scale, n · scale): each value at its remembered place, zeros elsewhere."""
    out = np.zeros((SIDE * scale,) * 2)
    rows, columns = remembered(scale).reshape(-1, 2).T
    out[rows, columns] = values.reshape(-1)
    return out


def size_after(stride: int, kernel: int, padding: int, more: int) -> int:
    """Rows of a transposed convolution's output."""
    return (SIDE - 1) * stride - 2 * padding + kernel + more


def one_cell(row: int, column: int) -> np.ndarray:
    """A map of zeros with a single one."""
    values = np.zeros((SIDE, SIDE))
    values[row, column] = 1
    return values


def kernels_of(
    sizes: Sequence[int], strides: Sequence[int], own: np.ndarray | None
) -> list[list[dict[str, np.ndarray]]]:
    """[kernel size][stride] -> the weights (k, k) by name: ones, tent, and yours if there is."""
    table = []
    for k in sizes:
        row = []
        for s in strides:
            found = {"ones": np.ones((k, k)), "tent": np.outer(tent(k, s), tent(k, s))}
            row.append(found if own is None else {**found, "yours": own})
        table.append(row)
    return table
