"""Output tensors of the commonest operators, without torch's slow Python meta kernels.

Each rule returns None when it is not sure; torch's own kernel then runs, and raises its own
error where the shapes do not fit. The tests compare every rule with torch's kernel.
"""

from collections.abc import Callable

import torch
from torch import Tensor

aten = torch.ops.aten


def _empty(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, device="meta")


def _same(x: Tensor, *_args: object, **_kwargs: object) -> Tensor | None:
    return _empty(x, tuple(x.shape)) if x.is_floating_point() and x.is_contiguous() else None


def _in_place(x: Tensor, *_args: object, **_kwargs: object) -> Tensor | None:
    return x if x.is_floating_point() else None


def _binary(x: Tensor, y: object, **_kwargs: object) -> Tensor | None:
    if not isinstance(x, Tensor) or not x.is_floating_point() or not x.is_contiguous():
        return None
    if isinstance(y, (int, float)):
        return _empty(x, tuple(x.shape))
    if not isinstance(y, Tensor) or y.dtype != x.dtype or not y.is_contiguous():
        return None
    if x.dim() != y.dim():
        return None
    pairs = list(zip(x.shape, y.shape, strict=True))
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        return None
    return _empty(x, tuple(b if a == 1 else a for a, b in pairs))


def _binary_in_place(x: Tensor, y: object, **_kwargs: object) -> Tensor | None:
    fits = isinstance(y, (int, float)) or (
        isinstance(y, Tensor) and y.shape == x.shape and y.dtype == x.dtype
    )
    return x if fits and x.is_floating_point() else None


def _batch_norm(x: Tensor, *args: object, **_kwargs: object) -> tuple[Tensor, ...] | None:
    training = args[4]
    if training or not x.is_contiguous():
        return None
    if any(isinstance(a, Tensor) and a.shape != (x.shape[1],) for a in args[:4]):
        return None
    nothing = _empty(x, (0,))
    return _empty(x, tuple(x.shape)), nothing, _empty(x, (0,))


def _convolution(x: Tensor, w: Tensor, b: Tensor | None, *rest: object) -> Tensor | None:
    stride, padding, dilation, transposed, _, groups = rest
    spatial = x.dim() - 2
    if transposed or spatial < 1 or w.dim() != x.dim() or x.dtype != w.dtype:
        return None
    lists = (stride, padding, dilation)
    if not x.is_contiguous() or any(len(v) != spatial for v in lists):  # type: ignore[arg-type]
        return None
    if w.shape[1] * groups != x.shape[1] or w.shape[0] % groups:  # type: ignore[operator]
        return None
    if b is not None and (b.shape != (w.shape[0],) or b.dtype != x.dtype):
        return None
    sizes = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(x.shape[2:], w.shape[2:], *lists, strict=True)  # type: ignore
    )
    if min(sizes) < 1:
        return None
    return _empty(x, (x.shape[0], w.shape[0], *sizes))


def _addmm(b: Tensor, x: Tensor, w: Tensor, **kwargs: object) -> Tensor | None:
    if kwargs or x.dim() != 2 or w.dim() != 2 or x.shape[1] != w.shape[0]:
        return None
    if b.shape != (w.shape[1],) or not x.dtype == w.dtype == b.dtype:
        return None
    return _empty(x, (x.shape[0], w.shape[1]))


def _layer_norm(x: Tensor, shape: list[int], *_args: object) -> tuple[Tensor, ...] | None:
    if not x.is_contiguous() or list(x.shape[-len(shape) :]) != list(shape):
        return None
    outer = (*x.shape[: -len(shape)], *[1] * len(shape))
    return _empty(x, tuple(x.shape)), _empty(x, outer), _empty(x, outer)


#: Operator overload -> rule; a rule takes the operator's own arguments.
RULES: dict[object, Callable] = {
    aten.convolution.default: _convolution,
    aten.native_batch_norm.default: _batch_norm,
    aten.native_layer_norm.default: _layer_norm,
    aten.addmm.default: _addmm,
    aten.add.Tensor: _binary,
    aten.mul.Tensor: _binary,
    aten.add_.Tensor: _binary_in_place,
    aten.mul_.Tensor: _binary_in_place,
}
for _name in ("relu", "hardtanh", "hardswish", "hardsigmoid", "silu", "sigmoid", "gelu", "elu"):
    RULES[getattr(aten, _name).default] = _same
    RULES[getattr(aten, f"{_name}_").default] = _in_place
