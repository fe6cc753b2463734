"""Exercise 03.transposed: what goes wrong, and the hints."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lightcourse.checks.chapters._ch03_transposed import (
    by_torch,
    spread,
    variant,
)
from lightcourse.checks.exercise import Hint, Mistake, Outcome


def _repeated(x: Tensor, stride: int) -> Tensor:
    return x.repeat_interleave(stride, 2).repeat_interleave(stride, 3)


def _reshaped(weight: Tensor) -> Tensor:
    c, out, *window = weight.shape
    return weight.flip(2, 3).reshape(out, c, *window)


def _zeros_at_the_end(
    x: Tensor, weight: Tensor, stride: int, padding: int, output_padding: int
) -> Tensor:
    out = by_torch(x, weight, stride, padding, 0)
    return F.pad(out, (0, output_padding, 0, output_padding))


def _tall_kernel_for_both(
    x: Tensor, weight: Tensor, stride: int, padding: int, output_padding: int
) -> Tensor:
    edge = weight.shape[2] - 1 - padding
    room = (edge, edge + output_padding, edge, edge + output_padding)
    return F.conv2d(F.pad(spread(x, stride), room), weight.flip(2, 3).transpose(0, 1))


def _wide_kernel_for_both(
    x: Tensor, weight: Tensor, stride: int, padding: int, output_padding: int
) -> Tensor:
    edge = weight.shape[3] - 1 - padding
    room = (edge, edge + output_padding, edge, edge + output_padding)
    return F.conv2d(F.pad(spread(x, stride), room), weight.flip(2, 3).transpose(0, 1))


def _overwritten(
    x: Tensor, weight: Tensor, stride: int, padding: int, output_padding: int
) -> Tensor:
    """Copies of the kernel that replace what was there, where they should be added to it."""
    n, _, h, w = x.shape
    kh, kw = weight.shape[2:]
    size = (h - 1) * stride + kh + output_padding, (w - 1) * stride + kw + output_padding
    out = x.new_zeros(n, weight.shape[1], *size)
    for i in range(h):
        for j in range(w):
            copy = torch.einsum("nc,cdij->ndij", x[:, :, i, j], weight)
            out[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw] = copy
    return out[:, :, padding : size[0] - padding, padding : size[1] - padding]


def _rows_and_columns_of_pad(
    x: Tensor, weight: Tensor, stride: int, padding: int, output_padding: int
) -> Tensor:
    """F.pad given (top, bottom, left, right), where it wants (left, right, top, bottom)."""
    rows, columns = (k - 1 - padding for k in weight.shape[2:])
    room = (rows, rows + output_padding, columns, columns + output_padding)
    return F.conv2d(F.pad(spread(x, stride), room), weight.flip(2, 3).transpose(0, 1))


def _dtypes_differ(outcome: Outcome) -> bool:
    said = str(outcome.error)  # torch has three wordings for it
    return any(words in said for words in ("scalar type", "dtype", "should be the same"))


def _missing_output_padding(outcome: Outcome) -> bool:
    x, weight, stride, padding, more = outcome.case.args
    plain = by_torch(x, weight, stride, padding, 0)
    return more > 0 and outcome.got.shape == plain.shape and torch.allclose(outcome.got, plain)


MISTAKES = (
    Mistake(
        "kernel-not-turned",
        "The kernel is not turned. `F.conv2d` lays the kernel over the map as it is, so a single"
        " pixel comes out as the kernel upside down. Turn it by 180° first: both axes.",
        mimic=variant(turn=lambda w: w.transpose(0, 1)),
        hint=3,
    ),
    Mistake(
        "turned-by-half",
        "You turn the kernel along one axis only. It takes both: rows and columns.",
        mimic=variant(turn=lambda w: w.flip(2).transpose(0, 1)),
        hint=3,
    ),
    Mistake(
        "turned-by-half-sideways",
        "You turn the columns of the kernel and leave its rows. It takes both.",
        mimic=variant(turn=lambda w: w.flip(3).transpose(0, 1)),
        hint=3,
    ),
    Mistake(
        "axes-swapped-not-turned",
        "You transpose the kernel's rows and columns. The name misleads: what is transposed is the"
        " layer as a big matrix. The kernel is turned by 180°.",
        mimic=variant(turn=lambda w: w.transpose(2, 3).transpose(0, 1)),
        hint=3,
    ),
    Mistake(
        "channels-not-swapped",
        "The weight is (in, out, kh, kw) here, and `F.conv2d` wants (out, in, kh, kw). Swap its"
        " first two axes. With as many channels in as out nothing complains, but the values are"
        " wrong; with other numbers torch says that the channels do not fit.",
        mimic=variant(turn=lambda w: w.flip(2, 3)),
        hint=4,
    ),
    Mistake(
        "channels-reshaped",
        "`reshape` (or `view`) only renames the axes: the numbers stay in their order, so weights"
        " of different channels get mixed up. `transpose(0, 1)` swaps the two axes.",
        mimic=variant(turn=_reshaped),
        hint=4,
    ),
    Mistake(
        "no-zeros-between",
        "You put no zeros between the pixels, so the map does not grow with the stride.",
        mimic=variant(gap=lambda x, s: x),
        hint=2,
    ),
    Mistake(
        "stride-given-to-conv2d",
        "You hand the stride on to `F.conv2d`, which makes the map smaller again. The zeros have"
        " done the work of the stride; the convolution goes in steps of 1.",
        mimic=variant(step=lambda s: s),
        hint=2,
    ),
    Mistake(
        "pixels-repeated",
        "You repeat each pixel. Between two pixels belong stride - 1 zeros.",
        mimic=variant(gap=_repeated),
        hint=2,
    ),
    Mistake(
        "zeros-after-the-last",
        "You put zeros after the last pixel as well. They belong between neighbours only: h pixels"
        " become (h - 1)·stride + 1.",
        mimic=variant(gap=lambda x, s: spread(x, s, s - 1)),
        hint=2,
    ),
    Mistake(
        "one-zero-too-many",
        "You put `stride` zeros between neighbours. They should be `stride` apart, so there are"
        " stride - 1 zeros between them.",
        mimic=variant(gap=lambda x, s: spread(x, s + 1)),
        hint=2,
    ),
    Mistake(
        "padding-as-it-is",
        "You pad by `padding`. It counts the other way round here: the full result needs k - 1"
        " zeros on each side, and padding p takes p of them away.",
        mimic=variant(edge=lambda k, p: p),
        hint=5,
    ),
    Mistake(
        "padding-ignored",
        "You always pad by k - 1. The padding takes some of it away again: k - 1 - p.",
        mimic=variant(edge=lambda k, p: k - 1),
        hint=5,
    ),
    Mistake(
        "padding-added-on",
        "You add the padding to k - 1. It makes the result *smaller*: k - 1 - p.",
        mimic=variant(edge=lambda k, p: k - 1 + p),
        hint=5,
    ),
    Mistake(
        "output-padding-of-zeros",
        "You hang zeros on the result. `output_padding` lets one row and column more be computed,"
        " and kernels may reach them: pad the spread map further, at the bottom and on the right.",
        mimic=_zeros_at_the_end,
        hint=5,
    ),
    Mistake(
        "output-padding-on-top",
        "You put `output_padding` in front. It belongs at the end: bottom and right.",
        mimic=variant(more=lambda op: (op, 0)),
        hint=5,
    ),
    Mistake(
        "output-padding-on-both-sides",
        "You put `output_padding` on both sides. It belongs at the bottom and on the right only.",
        mimic=variant(more=lambda op: (op, op)),
        hint=5,
    ),
    Mistake(
        "output-padding-ignored",
        "Right as long as `output_padding` is 0. With 1 there is one row and one column more.",
        matches=_missing_output_padding,
        hint=5,
    ),
    Mistake(
        "kernel-taken-for-square",
        "You take the kernel's height for both axes. It may be 4 × 2: rows are padded by"
        " kh - 1 - p, columns by kw - 1 - p.",
        mimic=_tall_kernel_for_both,
        hint=5,
    ),
    Mistake(
        "kernel-taken-for-square-by-width",
        "You take the kernel's width for both axes. It may be 4 × 2: rows are padded by"
        " kh - 1 - p, columns by kw - 1 - p.",
        mimic=_wide_kernel_for_both,
        hint=5,
    ),
    Mistake(
        "pad-rows-first",
        "You give `F.pad` the rows first. It begins with the last axis: left, right, top, bottom."
        " With a square kernel one does not notice.",
        mimic=_rows_and_columns_of_pad,
        hint=5,
    ),
    Mistake(
        "zeros-in-float32",
        "torch says that the dtypes differ. `torch.zeros` makes float32, and x may be float64:"
        " `x.new_zeros(…)` takes the dtype of x.",
        matches=_dtypes_differ,
    ),
    Mistake(
        "copies-overwritten",
        "Where two copies of the kernel overlap you keep the last one. They should be added up.",
        mimic=_overwritten,
        hint=2,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Three steps. Spread x out in a larger tensor of zeros. Pad that on all sides. Then one"
        " call of `F.conv2d` with stride 1 and a weight that you have prepared.",
    ),
    Hint(
        "My shape is wrong, or the map does not grow",
        "`zeros[:, :, ::2, ::2]` means every second row and column. Write x there. For 3 pixels and"
        " stride 2 the spread map has 5 places: pixel, 0, pixel, 0, pixel. (To add up copies of the"
        " kernel in a loop is right, too.)",
    ),
    Hint(
        "My shape is right, my values are wrong",
        "Try one pixel with the value 1 and the kernel 1 … 9. The kernel should come out as it is."
        " If it comes out upside down, `flip` it along its last two axes first.",
    ),
    Hint(
        "torch says that the channels do not fit",
        "`F.conv_transpose2d` writes its weight as (in, out, kh, kw), `F.conv2d` as (out, in, kh,"
        " kw). `transpose(0, 1)` swaps the first two axes.",
    ),
    Hint(
        "I am right without padding, wrong with it",
        "With p = 0 every copy of the kernel is kept whole: k - 1 zeros all round. Each step of p"
        " takes one of them off on every side. `output_padding` puts that many back at the bottom"
        " and on the right. `F.pad` wants (left, right, top, bottom).",
    ),
)
