"""Which part of an operator's inputs a box of its output can depend on.

A box is a pair of arrays (dimensions, columns): the first and last index wanted along each
dimension, for many questions (columns) at once. Bounds may lie outside the tensor, where padding
is, and infinite bounds mean "everything, whatever the input's size".
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from lightcourse.analysis._records import Op, Trace

Box = tuple[np.ndarray, np.ndarray]
Edges = Iterator[tuple[int, Box]]
INF = math.inf


class Call(NamedTuple):
    """One operator, and which of its outputs is asked about."""

    trace: Trace
    spatial: list[tuple[int, ...]]
    op: Op
    position: int
    infinite: bool = True  # whether "everything" along the image means infinity or the true range

    @property
    def part(self) -> int:
        """Which output of the operator this is; a view taken anew after a write knows its own."""
        return self.op.kwargs.get("position", self.position)

    def arg(self, index: int, name: str, default: Any = None) -> Any:
        """Return an argument by place or by name."""
        if index < len(self.op.args):
            return self.op.args[index]
        return self.op.kwargs.get(name, default)

    def shape(self, ref: int) -> tuple[int, ...]:
        """Return the shape of an input."""
        return self.trace.values[ref].shape

    def out_shape(self) -> tuple[int, ...]:
        """Return the shape of the output asked about."""
        return self.trace.values[self.op.outputs[self.position]].shape

    def full(self, ref: int, columns: int) -> Box:
        """Return the box of everything: infinite along image dimensions where that is asked for."""
        shape = self.shape(ref)
        lo, hi = np.zeros((len(shape), columns)), np.zeros((len(shape), columns))
        for d, n in enumerate(shape):
            infinite = self.infinite and n > 1 and d in self.spatial[ref]
            lo[d], hi[d] = (-INF, INF) if infinite else (0, n - 1)
        return lo, hi


Rule = Callable[[Call, np.ndarray, np.ndarray], Edges]


def pointwise(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    """Every input at the same place; a dimension of size one stands for all."""
    out_shape = call.out_shape()
    for ref in dict.fromkeys(call.op.inputs):
        yield ref, broadcast(call.shape(ref), out_shape, lo, hi)


def broadcast(shape: tuple, out_shape: tuple, lo: np.ndarray, hi: np.ndarray) -> Box:
    """Return the box of an input that was broadcast to the output's shape."""
    if shape == out_shape:
        return lo, hi
    skip = len(out_shape) - len(shape)
    lo, hi = lo[skip:].copy(), hi[skip:].copy()
    for d, n in enumerate(shape):
        if n == 1 and out_shape[skip + d] != 1:
            lo[d], hi[d] = 0, 0
    return lo, hi


def first_input(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    """Only the first argument, at the same place."""
    ref = call.op.args[0]
    yield ref, broadcast(call.shape(ref), call.out_shape(), lo, hi)


def everything(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    """All of every input: right for any operator, if seldom tight."""
    for ref in dict.fromkeys(call.op.inputs):
        yield ref, call.full(ref, lo.shape[1])


def nothing(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    """No input at all."""
    yield from ()


def split_index(lo: np.ndarray, hi: np.ndarray, sizes: tuple[int, ...]) -> list[Box]:
    """Split a range of flat indices into a range along each of the dimensions behind it."""
    parts: list[Box] = []
    whole = np.isinf(lo) & np.isinf(hi)
    inside = np.ones(lo.shape, bool)
    for i, size in enumerate(sizes):
        stride = math.prod(sizes[i + 1 :])
        a, b = np.floor(lo / stride), np.floor(hi / stride)
        first, last = np.where(inside, a, 0), np.where(inside, b, size - 1)
        parts.append((np.where(whole, lo, first), np.where(whole, hi, last)))
        inside = inside & (a == b)
        moved = inside & ~whole
        lo, hi = np.where(moved, lo - a * stride, lo), np.where(moved, hi - b * stride, hi)
    return parts


def merge_index(parts: list[Box], sizes: tuple[int, ...]) -> Box:
    """Merge ranges along several dimensions into the range of flat indices that holds them."""
    lo, hi = parts[0]
    for (a, b), size in zip(parts[1:], sizes[1:], strict=True):
        lo, hi = lo * size + np.clip(a, 0, size - 1), hi * size + np.clip(b, 0, size - 1)
    return lo, hi


def view_groups(old: tuple[int, ...], new: tuple[int, ...]) -> Iterator[tuple[list, list]]:
    """Pair the dimensions of two shapes into the smallest groups that hold the same elements."""
    olds = [d for d, n in enumerate(old) if n != 1]
    news = [d for d, n in enumerate(new) if n != 1]
    i = j = 0
    while i < len(olds) and j < len(news):
        a, b = [olds[i]], [news[j]]
        left, right = old[olds[i]], new[news[j]]
        while left != right:
            if left < right:
                i += 1
                a.append(olds[i])
                left *= old[olds[i]]
            else:
                j += 1
                b.append(news[j])
                right *= new[news[j]]
        yield a, b
        i, j = i + 1, j + 1
