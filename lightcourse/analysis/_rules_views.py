"""Boxes through operators that rename, pick or move elements without computing."""

import numpy as np

from lightcourse.analysis._boxes import (
    INF,
    Box,
    Call,
    Edges,
    Rule,
    broadcast,
    first_input,
    merge_index,
    nothing,
    split_index,
    view_groups,
)
from lightcourse.analysis.ops import KINDS


def kill_empty(lo: np.ndarray, hi: np.ndarray) -> Box:
    """Make a box that is empty along one dimension empty along all."""
    dead = (lo > hi).any(0)
    if dead.any():
        lo, hi = np.where(dead, INF, lo), np.where(dead, -INF, hi)
    return lo, hi


def _view(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x = call.op.args[0]
    old, new = call.shape(x), call.out_shape()
    lo, hi = kill_empty(lo, hi)
    first = np.zeros((len(old), lo.shape[1]))
    last = np.zeros_like(first)
    for olds, news in view_groups(old, new):
        flat = merge_index([(lo[d], hi[d]) for d in news], tuple(new[d] for d in news))
        parts = split_index(*flat, tuple(old[d] for d in olds)) if len(olds) > 1 else [flat]
        for d, (a, b) in zip(olds, parts, strict=True):
            first[d], last[d] = a, b
    dead = lo[0] > hi[0] if len(lo) else np.zeros(lo.shape[1], bool)
    yield x, (np.where(dead, INF, first), np.where(dead, -INF, last))


def order_of(call: Call) -> list[int]:
    """Return, for each output dimension of a permutation, the input dimension it was."""
    ndim = len(call.out_shape())
    if call.op.name == "permute":
        return [d % ndim for d in call.op.args[1]]
    order = list(range(ndim))
    a, b = call.op.args[1:3] if call.op.name.startswith("transpose") else (0, ndim - 1)
    if ndim:
        order[a], order[b] = order[b], order[a]
    return order


def _permute(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    back = np.argsort(order_of(call)) if len(lo) else slice(None)
    yield call.op.args[0], (lo[back], hi[back])


def _dim(call: Call, ref: int, default: int = 0, index: int = 1) -> int:
    return call.arg(index, "dim", default) % max(len(call.shape(ref)), 1)


def _slice(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x = call.op.args[0]
    d = _dim(call, x)
    size, start, step = call.shape(x)[d], call.arg(2, "start") or 0, call.arg(4, "step", 1)
    start = max(start + size, 0) if start < 0 else min(start, size)
    lo, hi = lo.copy(), hi.copy()
    lo[d], hi[d] = lo[d] * step + start, hi[d] * step + start
    yield x, (lo, hi)


def _select(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x = call.op.args[0]
    if call.op.name == "unbind":
        d, index = _dim(call, x), call.part
    else:
        d = _dim(call, x)
        index = call.op.args[2] % call.shape(x)[d]
    yield x, (np.insert(lo, d, index, axis=0), np.insert(hi, d, index, axis=0))


def _split(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x, sizes = call.op.args[:2]
    d = _dim(call, x, index=2)
    fixed = isinstance(sizes, int)
    offset = call.part * sizes if fixed else sum(sizes[: call.part])
    lo, hi = lo.copy(), hi.copy()
    lo[d], hi[d] = lo[d] + offset, hi[d] + offset
    yield x, (lo, hi)


def _cat(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    refs = call.op.args[0]
    d = call.arg(1, "dim", 0) % len(call.out_shape())
    offset = 0
    for i, ref in enumerate(refs):
        if len(call.shape(ref)) != len(lo):
            continue  # torch lets an empty 1-D tensor take part
        size = call.shape(ref)[d]
        a, b = lo.copy(), hi.copy()
        # what lies outside the whole belongs to the parts at its two ends
        a[d] = lo[d] - offset if i == 0 else np.maximum(lo[d] - offset, 0)
        b[d] = hi[d] - offset if i == len(refs) - 1 else np.minimum(hi[d] - offset, size - 1)
        offset += size
        yield ref, (a, b)


def _stack(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    d = call.arg(1, "dim", 0) % len(call.out_shape())
    for i, ref in enumerate(call.op.args[0]):
        a, b = np.delete(lo, d, axis=0), np.delete(hi, d, axis=0)
        wanted = (lo[d] <= i) & (i <= hi[d])
        yield ref, (np.where(wanted, a, INF), np.where(wanted, b, -INF))


def _copy(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    source = call.op.args[1]
    yield source, broadcast(call.shape(source), call.out_shape(), lo, hi)


def _flip(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x = call.op.args[0]
    first, last = lo.copy(), hi.copy()
    for d in call.op.args[1]:
        end = call.shape(x)[d] - 1
        first[d], last[d] = end - hi[d], end - lo[d]
    yield x, (first, last)


def _roll(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x, shifts, dims = call.op.args[0], call.op.args[1], call.arg(2, "dims", ())
    if not dims:
        yield x, call.full(x, lo.shape[1])
        return
    lo, hi = lo.copy(), hi.copy()
    for shift, d in zip(shifts, dims, strict=True):
        size = call.shape(x)[d]
        a, b = lo[d] - shift % size, hi[d] - shift % size
        wraps = (a < 0) & (b >= 0)
        lo[d] = np.where(wraps, 0, np.where(b < 0, a + size, a))
        hi[d] = np.where(wraps, size - 1, np.where(b < 0, b + size, b))
    yield x, (lo, hi)


def _repeat(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x = call.op.args[0]
    shape, out = call.shape(x), call.out_shape()
    skip = len(out) - len(shape)
    lo, hi = lo[skip:].copy(), hi[skip:].copy()
    for d, n in enumerate(shape):
        if out[skip + d] != n:
            lo[d], hi[d] = 0, n - 1
    yield x, (lo, hi)


def _windows_view(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    """Tensor.unfold: windows along one dimension, their places in a new last one."""
    x, d, _, step = call.op.args[:4]
    a, b = lo[:-1].copy(), hi[:-1].copy()
    a[d], b[d] = lo[d] * step + lo[-1], hi[d] * step + hi[-1]
    yield x, (a, b)


def _pick(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    """index_select and gather: anything along one dimension, in place along the others."""
    x = call.op.args[0]
    d = _dim(call, x)
    full = call.full(x, lo.shape[1])
    lo, hi = lo.copy(), hi.copy()
    lo[d], hi[d] = full[0][d], full[1][d]
    yield x, (lo, hi)


def _index(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x, indices = call.op.args[:2]
    used = [d for d, index in enumerate(indices) if index is not None]
    full = call.full(x, lo.shape[1])
    if len(used) == 1 and len(call.shape(indices[used[0]])) == 1:
        lo, hi = lo.copy(), hi.copy()
        lo[used[0]], hi[used[0]] = full[0][used[0]], full[1][used[0]]
        full = lo, hi
    yield x, full


def _pixel_shuffle(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x, r = call.op.args[:2]
    lo, hi = lo.copy(), hi.copy()
    lo[-2:], hi[-2:] = np.floor(lo[-2:] / r), np.floor(hi[-2:] / r)
    lo[-3], hi[-3] = lo[-3] * r * r, hi[-3] * r * r + r * r - 1
    yield x, (lo, hi)


def _pixel_unshuffle(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x, r = call.op.args[:2]
    lo, hi = lo.copy(), hi.copy()
    lo[-2:], hi[-2:] = lo[-2:] * r, hi[-2:] * r + r - 1
    lo[-3], hi[-3] = np.floor(lo[-3] / (r * r)), np.floor(hi[-3] / (r * r))
    yield x, (lo, hi)


def _as_strided(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    """Exact where one position is left, as after global pooling; else everything."""
    x = call.op.args[0]
    single = call.shape(x) == call.out_shape() and max(call.out_shape()[2:], default=0) == 1
    yield x, (lo, hi) if single else call.full(x, lo.shape[1])


def _shuffle(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x = call.op.args[0]
    lo, hi = lo.copy(), hi.copy()
    lo[1], hi[1] = 0, call.shape(x)[1] - 1
    yield x, (lo, hi)


def _write_back(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    """A tensor after a write into a view of it: the old content, and what was written."""
    old, written = call.op.args
    view, position = call.op.kwargs["view"], call.op.kwargs["position"]
    yield old, (lo, hi)
    yield written, _through_view(call, view, position, written, lo, hi)


def _through_view(call: Call, view, position: int, written: int, lo, hi) -> Box:
    """Map a box of a tensor to the box of a view of it; all of the view where unsure."""
    shape = call.shape(written)
    base = Call(call.trace, call.spatial, view, position)
    full = np.zeros_like(lo[: len(shape)]), np.zeros_like(lo[: len(shape)])
    if view.name in ("alias", "detach"):
        return lo, hi
    if view.name in ("transpose", "permute", "t"):
        order = order_of(base)
        return lo[order], hi[order]
    if view.name in ("slice", "split", "split_with_sizes"):
        origin = np.zeros_like(lo)
        ((_, (start, _)),) = RULES[view.name](base, origin, origin)
        d = int(_dim(base, view.args[0], index=1 if view.name == "slice" else 2))
        step = base.arg(4, "step", 1) if view.name == "slice" else 1
        a, b = lo.copy(), hi.copy()
        a[d] = np.maximum(np.ceil((lo[d] - start[d]) / step), 0)
        b[d] = np.minimum(np.floor((hi[d] - start[d]) / step), shape[d] - 1)
        return kill_empty(a, b)
    if view.name in ("select", "unbind"):
        d = _dim(base, view.args[0])
        index = position if view.name == "unbind" else view.args[2] % call.out_shape()[d]
        wanted = (lo[d] <= index) & (index <= hi[d])
        a, b = np.delete(lo, d, axis=0), np.delete(hi, d, axis=0)
        return np.where(wanted, a, INF), np.where(wanted, b, -INF)
    full = np.zeros((len(shape), lo.shape[1])), np.zeros((len(shape), lo.shape[1]))
    for d, n in enumerate(shape):
        full[1][d] = n - 1
    return full


RULES: dict[str, Rule] = {
    **dict.fromkeys(("view", "_unsafe_view", "reshape", "unsqueeze", "squeeze"), _view),
    **dict.fromkeys(("_reshape_alias", "flatten", "_reshape_copy"), _view),
    **dict.fromkeys(("permute", "transpose", "t"), _permute),
    **dict.fromkeys(("select", "unbind"), _select),
    **dict.fromkeys(("split", "split_with_sizes", "unsafe_split", "chunk"), _split),
    "unsafe_split_with_sizes": _split,
    **dict.fromkeys(("index_select", "gather"), _pick),
    **dict.fromkeys(("channel_shuffle", "native_channel_shuffle"), _shuffle),
    **dict.fromkeys(("alias", "detach", "lift_fresh", "clone", "contiguous"), first_input),
    **dict.fromkeys(("_to_copy", "expand", "native_dropout", "dropout"), first_input),
    **dict.fromkeys(("fill", "zero", "rand_like", "randn_like"), nothing),
    **{name: nothing for name, kind in KINDS.items() if kind == "creation"},
    "as_strided": _as_strided,
    "slice": _slice,
    "cat": _cat,
    "stack": _stack,
    "copy": _copy,
    "flip": _flip,
    "roll": _roll,
    "repeat": _repeat,
    "unfold": _windows_view,
    "index": _index,
    "pixel_shuffle": _pixel_shuffle,
    "pixel_unshuffle": _pixel_unshuffle,
    "write_back": _write_back,
}
