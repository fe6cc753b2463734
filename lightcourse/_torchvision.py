"""Import torchvision also where its compiled operators are missing.

PyPI builds torchvision against CUDA torch. Beside a CPU torch its library does not load, and the
import stops with "operator torchvision::nms does not exist", although models, data sets and
transforms need none of it. Where that happens the missing operators are declared first, with
plain-torch versions of `nms` and `deform_conv2d`; where torchvision is whole nothing is touched.
"""

import importlib
import sys
from collections.abc import Callable
from threading import RLock
from types import ModuleType
from typing import Literal

import torch
from torch import Tensor

from lightcourse.errors import UserError

Status = Literal["native", "fallback", "missing"]

_ROIS = "Tensor rois, {}float spatial_scale, SymInt pooled_height, SymInt pooled_width"
_SHAPE = "SymInt batch_size, SymInt channels, SymInt height, SymInt width"
_DEFORM = (
    "Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, SymInt stride_h, "
    "SymInt stride_w, SymInt pad_h, SymInt pad_w, SymInt dilation_h, SymInt dilation_w, "
    "SymInt groups, SymInt offset_groups, bool use_mask"
)
_PLAIN, _ARGMAX, _MAPPING = (
    _ROIS.format(extra) for extra in ("", "Tensor argmax, ", "Tensor channel_mapping, ")
)
_SCHEMAS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "roi_align": f"(Tensor input, {_PLAIN}, int sampling_ratio, bool aligned) -> Tensor",
    "_roi_align_backward": (
        f"(Tensor grad, {_PLAIN}, {_SHAPE}, int sampling_ratio, bool aligned) -> Tensor"
    ),
    "roi_pool": f"(Tensor input, {_PLAIN}) -> (Tensor, Tensor)",
    "_roi_pool_backward": f"(Tensor grad, {_ARGMAX}, {_SHAPE}) -> Tensor",
    "ps_roi_align": f"(Tensor input, {_PLAIN}, int sampling_ratio) -> (Tensor, Tensor)",
    "_ps_roi_align_backward": (
        f"(Tensor grad, {_MAPPING}, int sampling_ratio, {_SHAPE}) -> Tensor"
    ),
    "ps_roi_pool": f"(Tensor input, {_PLAIN}) -> (Tensor, Tensor)",
    "_ps_roi_pool_backward": f"(Tensor grad, {_MAPPING}, {_SHAPE}) -> Tensor",
    "deform_conv2d": f"({_DEFORM}) -> Tensor",
    "_deform_conv2d_backward": (
        f"(Tensor grad, {_DEFORM}) -> (Tensor, Tensor, Tensor, Tensor, Tensor)"
    ),
}
_SYMPTOM = "operator torchvision::"

_lock = RLock()
_found: Status | None = None


def import_torchvision() -> ModuleType:
    """Return torchvision, with its missing operators declared where they are missing.

    Raises `UserError` where torchvision is not installed or breaks for another reason.

    >>> import_torchvision().__name__
    'torchvision'
    """
    global _found
    with _lock:
        try:
            module = importlib.import_module("torchvision")
        except ModuleNotFoundError as error:
            if error.name != "torchvision":
                raise
            _found = "missing"
            raise UserError(
                "torchvision is not installed; install the release that fits your torch: "
                "pip install torchvision"
            ) from error
        except RuntimeError as error:
            if _SYMPTOM not in str(error):
                raise _broken(error) from error
            module = _import_with_fallbacks()
            _found = "fallback"
        if _found != "fallback":
            _found = "native"
        return module


def status() -> Status:
    """Say how torchvision is here: "native", "fallback" (operators declared by us) or "missing"."""
    try:
        import_torchvision()
    except UserError:
        if _found != "missing":
            raise
    assert _found is not None
    return _found


def _broken(error: Exception) -> UserError:
    return UserError(
        f"torchvision does not import beside torch {torch.__version__} ({error}); install the "
        "pair of releases that belong together, as requirements.lock names them."
    )


def _import_with_fallbacks() -> ModuleType:
    # the import that failed left torchvision's first modules behind, half made
    for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    _declare_missing()
    try:
        module = importlib.import_module("torchvision")
    except (RuntimeError, ImportError) as error:
        raise _broken(error) from error
    # these two modules would refuse to call operators that torchvision's own library lacks
    for name in ("boxes", "deform_conv"):
        vars(importlib.import_module(f"torchvision.ops.{name}"))["_assert_has_ops"] = lambda: None
    # torchvision has a Python roi_align for this case, but compiles it, which needs a C++ compiler
    rois = vars(importlib.import_module("torchvision.ops.roi_align"))
    rois["_roi_align"] = getattr(rois["_roi_align"], "__wrapped__", rois["_roi_align"])
    return module


def _declare_missing() -> None:
    kernels: dict[str, tuple[Callable, str]] = {
        "nms": (nms, "CPU"),
        # made of differentiable operators, so torch derives the gradient by itself
        "deform_conv2d": (_deform_operator, "CompositeImplicitAutograd"),
    }
    for name, schema in _SCHEMAS.items():
        if hasattr(torch.ops.torchvision, name):
            continue
        torch.library.define(f"torchvision::{name}", schema)
        if name in kernels:
            kernel, key = kernels[name]
            torch.library.impl(f"torchvision::{name}", key)(kernel)


def nms(dets: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Keep the best box of each overlapping bunch: indices, best score first.

    `dets` is (N, 4) as x1, y1, x2, y2 and `scores` (N,). A box goes when its intersection over
    union with a better kept box is above the threshold.

    >>> boxes = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 1.9], [5, 5, 6, 6]])
    >>> nms(boxes, torch.tensor([0.5, 0.9, 0.1]), 0.5).tolist()
    [1, 2]
    """
    boxes = dets if dets.dtype == torch.float64 else dets.float()
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    waiting = scores.argsort(descending=True, stable=True)
    kept: list[Tensor] = []
    while waiting.numel():
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        corner = torch.minimum(boxes[best, 2:], boxes[waiting, 2:])
        sides = (corner - torch.maximum(boxes[best, :2], boxes[waiting, :2])).clamp(min=0)
        shared = sides.prod(1)
        overlap = shared / (area[best] + area[waiting] - shared)
        # doubles, as the compiled operator compares: 1/3 as float32 is above 1/3
        waiting = waiting[~(overlap.double() > iou_threshold)]  # 0 / 0, of empty boxes, keeps
    return torch.stack(kept) if kept else scores.new_empty(0, dtype=torch.long)


def deform_conv2d(
    x: Tensor,
    weight: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    bias: Tensor | None,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
) -> Tensor:
    """Convolve at positions that each tap of each output moves by its own offset.

    `x` (N, C, H, W), `weight` (O, C / groups, kh, kw), `offset` (N, 2·G·kh·kw, H', W') with y
    before x for each tap of each of G offset groups, `mask` (N, G·kh·kw, H', W') scales each tap
    (v2). Values between pixels are bilinear, outside the image zero.
    arXiv 1703.06211, section 2.1; masks arXiv 1811.11168, section 3.2.
    """
    n, channels, _, _ = x.shape
    taps = weight.shape[2] * weight.shape[3]
    tall, wide = offset.shape[2:]
    parts = offset.shape[1] // (2 * taps)
    moves = offset.reshape(n, parts, taps, 2, tall, wide)
    # where tap (i, j) of output (u, v) reads before it is moved, along each axis
    rows, columns = (
        torch.arange(size)[None, :] * stride[a]
        - padding[a]
        + torch.arange(weight.shape[2 + a])[:, None] * dilation[a]
        for a, size in enumerate((tall, wide))
    )
    y = rows.repeat_interleave(weight.shape[3], 0)[:, :, None].to(x) + moves[:, :, :, 0]
    across = columns.repeat(weight.shape[2], 1)[:, None, :].to(x) + moves[:, :, :, 1]
    samples = _bilinear(x.reshape(n, parts, channels // parts, *x.shape[2:]), y, across)
    if mask is not None:
        samples = samples * mask.reshape(n, parts, 1, taps, tall, wide)
    groups = channels // weight.shape[1]
    patches = samples.reshape(n, groups, weight.shape[1] * taps, tall * wide)
    kernels = weight.reshape(groups, -1, weight.shape[1] * taps)
    out = (kernels @ patches).reshape(n, weight.shape[0], tall, wide)
    return out if bias is None else out + bias.reshape(1, -1, 1, 1)


def _bilinear(x: Tensor, y: Tensor, across: Tensor) -> Tensor:
    """Read (N, G, C, H, W) at places (N, G, K, H', W') -> (N, G, C, K, H', W'); zero outside."""
    n, parts, channels, height, width = x.shape
    flat = x.reshape(n, parts, channels, height * width)
    top, left = y.floor(), across.floor()
    total: Tensor | None = None
    for row, row_share in ((top, 1 - (y - top)), (top + 1, y - top)):
        for column, column_share in ((left, 1 - (across - left)), (left + 1, across - left)):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            index = (row.clamp(0, height - 1) * width + column.clamp(0, width - 1)).long()
            index = index.reshape(n, parts, 1, -1).expand(-1, -1, channels, -1)
            share = torch.where(inside, row_share * column_share, 0)
            part = flat.gather(3, index).reshape(n, parts, channels, *y.shape[2:])
            part = part * share[:, :, None]
            total = part if total is None else total + part
    assert total is not None
    return total


def _deform_operator(
    x: Tensor,
    weight: Tensor,
    offset: Tensor,
    mask: Tensor,
    bias: Tensor,
    stride_h: int,
    stride_w: int,
    pad_h: int,
    pad_w: int,
    dilation_h: int,
    dilation_w: int,
    groups: int,
    offset_groups: int,
    use_mask: bool,
) -> Tensor:
    """torchvision::deform_conv2d by its own schema; the group counts follow from the shapes."""
    return deform_conv2d(
        x,
        weight,
        offset,
        mask if use_mask else None,
        bias,
        (stride_h, stride_w),
        (pad_h, pad_w),
        (dilation_h, dilation_w),
    )


def __getattr__(name: str) -> ModuleType:
    if name == "torchvision":  # from lightcourse._torchvision import torchvision
        return import_torchvision()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
