"""Boxes through convolutions, pools, resampling and padding: anything with a window."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lightcourse.analysis._boxes import INF, Box, Call, Edges, Rule, split_index
from lightcourse.analysis.ops import KINDS


def _each(value: Any, count: int) -> list[int]:
    values = list(value) if isinstance(value, (tuple, list)) else [value]
    return values * count if len(values) == 1 else values


def _convolution(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x, w, _, stride, padding, dilation, transposed, _, groups = call.op.args[:9]
    kernel = call.shape(w)[2:]
    count = len(kernel)
    lo, hi = lo.copy(), hi.copy()
    outs, ins = call.out_shape()[1] // groups, call.shape(x)[1] // groups
    lo[1], hi[1] = np.floor(lo[1] / outs) * ins, (np.floor(hi[1] / outs) + 1) * ins - 1
    windows = zip(
        kernel, _each(stride, count), _each(padding, count), _each(dilation, count), strict=True
    )
    for d, (k, s, p, step) in enumerate(windows, start=2):
        if transposed:
            lo[d], hi[d] = _transposed(lo[d], hi[d], k, s, p, step)
        else:
            lo[d], hi[d] = lo[d] * s - p, hi[d] * s - p + (k - 1) * step
    yield x, (lo, hi)


def _transposed(lo: np.ndarray, hi: np.ndarray, k: int, s: int, p: int, step: int) -> Box:
    first, last = np.full_like(lo, INF), np.full_like(hi, -INF)
    for tap in range(k):  # output i takes input j by this tap when i = j * s - p + tap * step
        a, b = np.ceil((lo + p - tap * step) / s), np.floor((hi + p - tap * step) / s)
        first = np.where(a <= b, np.minimum(first, a), first)
        last = np.where(a <= b, np.maximum(last, b), last)
    return first, last


def _pool(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x, is_max = call.op.args[0], "max" in call.op.name
    kernel = call.op.args[1]
    count = int(call.op.name.split("pool")[1][0])
    kernel = _each(kernel, count)
    stride = _each(call.arg(2, "stride") or kernel, count)
    padding = _each(call.arg(3, "padding", 0) or 0, count)
    dilation = _each(call.arg(4, "dilation", 1) if is_max else 1, count)
    lo, hi = lo.copy(), hi.copy()
    for i in range(count):
        d = lo.shape[0] - count + i
        lo[d] = lo[d] * stride[i] - padding[i]
        hi[d] = hi[d] * stride[i] - padding[i] + (kernel[i] - 1) * dilation[i]
    yield x, (lo, hi)


def _adaptive(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x, outs = call.op.args[0], call.out_shape()
    ins, full = call.shape(x), call.full(x, lo.shape[1])
    lo, hi = lo.copy(), hi.copy()
    for d in range(len(outs) - int(call.op.name.split("pool")[1][0]), len(outs)):
        if outs[d] == 1:
            lo[d], hi[d] = full[0][d], full[1][d]
        else:
            lo[d] = np.floor(lo[d] * ins[d] / outs[d])
            hi[d] = np.ceil((hi[d] + 1) * ins[d] / outs[d]) - 1
    yield x, (lo, hi)


def _im2col(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x, kernel, dilation, padding, stride = call.op.args[:5]
    shape = call.shape(x)
    h, w = shape[-2:]
    wide = (w + 2 * padding[1] - dilation[1] * (kernel[1] - 1) - 1) // stride[1] + 1
    tall = (h + 2 * padding[0] - dilation[0] * (kernel[0] - 1) - 1) // stride[0] + 1
    taps = kernel[0] * kernel[1]
    lows, highs = [*lo[:-2]], [*hi[:-2]]
    lows.append(np.floor(lo[-2] / taps))
    highs.append(np.floor(hi[-2] / taps))
    places = split_index(lo[-1], hi[-1], (tall, wide))
    for i, (first, last) in enumerate(places):
        lows.append(first * stride[i] - padding[i])
        highs.append(last * stride[i] - padding[i] + (kernel[i] - 1) * dilation[i])
    yield x, (np.stack(lows), np.stack(highs))


# -- resampling --------------------------------------------------------------------------------


def _upsample(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    x, name = call.op.args[0], call.op.name
    count = int(name.split("d")[-2][-1]) if name.endswith("_aa") else int(name[-2])
    ins, outs = call.shape(x), call.out_shape()
    scales = _scales(call, count)
    align = "nearest" not in name and bool(call.arg(2, "align_corners", False))
    lo, hi = lo.copy(), hi.copy()
    for i in range(count):
        d = len(outs) - count + i
        scale = scales[i]
        step = 1 / scale if scale else ins[d] / outs[d]
        if align:
            step = (ins[d] - 1) / max(outs[d] - 1, 1)
        lo[d], hi[d] = (
            _source(name, lo[d], step, align)[0],
            _source(name, hi[d], step, align)[1],
        )
    yield x, (lo, hi)


def _scales(call: Call, count: int) -> list[float | None]:
    """Find the scale factors; torch has them in a list or one by one, at the end."""
    given = [a for a in call.op.args[1:] if isinstance(a, (float, tuple, list))]
    flat = [v for a in given for v in (a if isinstance(a, (tuple, list)) else [a])]
    factors = [v for v in flat if isinstance(v, float)]
    return list(factors) if len(factors) == count else [None] * count


def _source(name: str, index: np.ndarray, step: float, align: bool) -> Box:
    """Return the first and last input index that an output index reads."""
    if "nearest" in name:
        at = (index + 0.5) * step if "exact" in name else index * step
        at = np.floor(np.round(at, 6))
        return at, at
    at = index * step if align else (index + 0.5) * step - 0.5
    at = np.round(at, 6)
    if name.endswith("_aa"):
        reach = (2 if "bicubic" in name else 1) * max(step, 1.0)
        return np.ceil(np.round(at - reach, 6) + 1e-6), np.floor(np.round(at + reach, 6) - 1e-6)
    if "bicubic" in name:
        whole = at == np.floor(at)
        return (
            np.where(whole, at, np.floor(at) - 1),
            np.where(whole, at, np.floor(at) + 2),
        )
    return np.floor(at), np.ceil(at)


# -- padding -----------------------------------------------------------------------------------


def _pads(call: Call, ndim: int) -> Iterator[tuple[int, int, int]]:
    pad = call.op.args[1]
    for i in range(len(pad) // 2):
        yield ndim - 1 - i, pad[2 * i], pad[2 * i + 1]


def _constant_pad(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    lo, hi = lo.copy(), hi.copy()
    for d, before, _ in _pads(call, lo.shape[0]):
        lo[d], hi[d] = lo[d] - before, hi[d] - before
    yield call.op.args[0], (lo, hi)


def _border_pad(call: Call, lo: np.ndarray, hi: np.ndarray) -> Edges:
    """Reflection and replication: the border also reads pixels from inside."""
    x, lo, hi = call.op.args[0], lo.copy(), hi.copy()
    reflects = "reflection" in call.op.name
    for d, before, after in _pads(call, lo.shape[0]):
        last = call.shape(x)[d] - 1
        a, b = lo[d] - before, hi[d] - before
        left_a, left_b = np.maximum(a, -before), np.minimum(b, -1)
        right_a, right_b = np.maximum(a, last + 1), np.minimum(b, last + after)
        lo[d], hi[d] = a, b
        sides = (
            (left_a <= left_b, -left_b, -left_a, 0),
            (right_a <= right_b, 2 * last - right_b, 2 * last - right_a, last),
        )
        for reads, first, final, edge in sides:
            first, final = (first, final) if reflects else (edge, edge)
            lo[d] = np.where(reads, np.minimum(lo[d], first), lo[d])
            hi[d] = np.where(reads, np.maximum(hi[d], final), hi[d])
    yield x, (lo, hi)


RULES: dict[str, Rule] = {
    "convolution": _convolution,
    "constant_pad_nd": _constant_pad,
    "im2col": _im2col,
}
for _name, _kind in KINDS.items():
    if _kind == "pooling":
        RULES[_name] = _adaptive if "adaptive" in _name else _pool
    elif _kind == "resampling" and "upsample" in _name:
        RULES[_name] = _upsample
    elif _name.startswith(("reflection_pad", "replication_pad")):
        RULES[_name] = _border_pad
