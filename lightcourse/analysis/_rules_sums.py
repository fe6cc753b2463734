"""Boxes through operators that gather along whole dimensions: sums, norms and products."""

from collections.abc import Iterable

import numpy as np

from lightcourse.analysis._boxes import Call, Edges, Rule


def _widen(call: Call, ref: int, dims: Iterable[int], lo: np.ndarray, hi: np.ndarray):
    full = call.full(ref, lo.shape[1])
    lo, hi = lo.copy(), hi.copy()
    for d in dims:
        lo[d], hi[d] = full[0][d], full[1][d]
    return lo, hi


def _reduce(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x = call.op.args[0]
    shape, out = call.shape(x), call.out_shape()
    given = call.arg(1, "dim")
    if given is None or given == () or not isinstance(given, (int, tuple)):
        yield x, call.full(x, lo.shape[1])
        return
    dims = sorted(d % len(shape) for d in (given if isinstance(given, tuple) else (given,)))
    if len(out) == len(shape) - len(dims):
        for d in dims:
            lo, hi = np.insert(lo, d, 0, axis=0), np.insert(hi, d, 0, axis=0)
    yield x, _widen(call, x, dims, lo, hi)


def _along(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    """Softmax and its kin: same shape, one dimension read whole."""
    x = call.op.args[0]
    yield x, _widen(call, x, [call.arg(1, "dim", -1) % len(lo)], lo, hi)


def _top(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x = call.op.args[0]
    index = 2 if call.op.name == "topk" else 1
    yield x, _widen(call, x, [call.arg(index, "dim", -1) % len(lo)], lo, hi)


def _batch_norm(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x = call.op.args[0]
    yield x, (lo, hi)
    if call.op.args[5]:  # statistics of this very input, as instance norm takes them
        dims = [d for d in range(len(lo)) if d != 1]
        yield x, _widen(call, x, dims, lo, hi)


def _group_norm(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x = call.op.args[0]
    yield x, (lo, hi)
    yield x, _widen(call, x, range(1, len(lo)), lo, hi)


def _layer_norm(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x, shape = call.op.args[:2]
    yield x, (lo, hi)
    yield x, _widen(call, x, range(len(lo) - len(shape), len(lo)), lo, hi)


def _product(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    """Matrix products, with or without a bias in front and a batch around."""
    a, b = call.op.args[-2:] if call.op.name in ("mm", "bmm") else call.op.args[1:3]
    rows, columns = [*range(len(lo) - 1)], [*range(len(lo) - 2), len(lo) - 1]
    full_a, full_b = call.full(a, lo.shape[1]), call.full(b, lo.shape[1])
    yield a, (np.vstack([lo[rows], full_a[0][-1:]]), np.vstack([hi[rows], full_a[1][-1:]]))
    first, last = full_b[0].copy(), full_b[1].copy()
    first[:-2], last[:-2] = lo[columns][:-1], hi[columns][:-1]
    first[-1], last[-1] = lo[-1], hi[-1]
    yield b, (first, last)


RULES: dict[str, Rule] = {
    **dict.fromkeys(("mean", "sum", "amax", "amin", "max", "min", "argmax", "argmin"), _reduce),
    **dict.fromkeys(("var", "std", "var_mean", "std_mean", "logsumexp", "prod"), _reduce),
    **dict.fromkeys(("all", "any"), _reduce),
    **dict.fromkeys(("_softmax", "_log_softmax", "_safe_softmax", "cumsum"), _along),
    **dict.fromkeys(("topk", "sort"), _top),
    **dict.fromkeys(("mm", "bmm", "addmm", "baddbmm"), _product),
    "native_batch_norm": _batch_norm,
    "_native_batch_norm_legit": _batch_norm,
    "native_group_norm": _group_norm,
    "native_layer_norm": _layer_norm,
}
