"""Chapter 01, exercise 01.conv2d: what goes wrong when a picture is convolved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lightcourse.checks.chapters._ch01_conv2d_changes import CHANGES
from lightcourse.checks.exercise import Mistake, Outcome

Layer = Callable[..., Tensor]


def _wrong(change: Callable[..., Tensor]) -> Layer:
    """An answer that is wrong as `change(x, weight, stride, padding, dilation)` says."""

    def mimic(
        x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> Tensor:
        return change(x, weight, stride, padding, dilation)

    return mimic


def _bad_einsum(outcome: Outcome) -> bool:
    return "einsum" in str(outcome.error)


def _bad_product(outcome: Outcome) -> bool:
    said = str(outcome.error)
    parts = ("cannot be multiplied", "size of tensor a", "Expected size", "batch2 tensor")
    return outcome.error is not None and any(part in said for part in parts)


def _bad_view(outcome: Outcome) -> bool:
    """An error, or by accident as many numbers as the picture has."""
    if outcome.error is None:
        got = outcome.got
        wrong = isinstance(got, Tensor) and got.dim() == 4 and got.shape != outcome.want.shape
        return wrong and got.shape[2:] == outcome.case.args[0].shape[2:]
    return "is invalid for input of size" in str(outcome.error)


def _rounded(outcome: Outcome) -> bool:
    """Right to the six digits that float32 holds, in a tensor that could hold fifteen."""
    got, want = outcome.got, outcome.want
    if outcome.error is not None or got.dtype != want.dtype or got.shape != want.shape:
        return False
    return torch.allclose(got, want, rtol=1e-5, atol=1e-5)


def _window_not_square(outcome: Outcome) -> bool:
    _, weight = outcome.case.args
    return weight.shape[2] != weight.shape[3]


def _output_not_square(outcome: Outcome) -> bool:
    return outcome.want.shape[2] != outcome.want.shape[3]


def _only_with(name: str) -> Callable[[Outcome], bool]:
    return lambda outcome: name in outcome.case.kwargs


def _known() -> Any:
    for name, hint, says, change in CHANGES:
        yield Mistake(name, says, mimic=_wrong(change), hint=hint)


MISTAKES = (
    Mistake(
        "single-precision",
        "Right to about six digits, and no further: somewhere on the way your numbers are float32."
        " Make every tensor of your own with `dtype=x.dtype`, or with `x.new_zeros(…)`.",
        matches=_rounded,
        hint=3,
    ),
    *_known(),
    Mistake(
        "only-square-windows",
        "You are right for square windows only. Height and width of the kernel may differ: take"
        " weight.shape[2] for the rows and weight.shape[3] for the columns.",
        matches=_window_not_square,
        hint=4,
    ),
    Mistake(
        "only-square-outputs",
        "You are right where the output is square, and only there. Compute the size of the"
        " output for the rows and for the columns.",
        matches=_output_not_square,
        hint=4,
    ),
    Mistake(
        "wrong-with-stride",
        "You are right without a stride and wrong with one. Do you mix up places of the output and"
        " pixels of the picture? Output (i, j) begins at pixel (i · stride, j · stride).",
        matches=_only_with("stride"),
        hint=5,
    ),
    Mistake(
        "wrong-with-dilation",
        "You are right without dilation and wrong with it. The window then spans"
        " (kernel - 1) · dilation + 1 pixels, and takes every `dilation`-th of them.",
        matches=_only_with("dilation"),
        hint=5,
    ),
    Mistake(
        "wrong-with-padding",
        "You are right without padding and wrong with it. Zeros go on all four sides, before"
        " anything else happens.",
        matches=_only_with("padding"),
        hint=5,
    ),
    Mistake(
        "einsum-letters",
        "`einsum` cannot match its letters with the axes: one letter for each axis, the same letter"
        " only where the sizes agree. Print both shapes in the line before.",
        matches=_bad_einsum,
        hint=2,
    ),
    Mistake(
        "product-does-not-fit",
        "Two tensors do not fit into one product. Print both shapes in the line before: with"
        " `F.unfold` the columns are (N, C · kh · kw, places), and the weights must be a matrix"
        " (C', C · kh · kw), which is `weight.flatten(1)`.",
        matches=_bad_product,
        hint=2,
    ),
    Mistake(
        "view-does-not-fit",
        "The last view does not fit the numbers that you have. Height and width of the output are"
        " computed axis by axis, with padding and dilation.",
        matches=_bad_view,
        hint=6,
    ),
)
