"""Chapter 01, exercise 01.conv2d: what goes wrong when a picture is convolved."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from lightcourse.checks.chapters._ch01_conv2d import by_torch
from lightcourse.checks.exercise import Law, Mistake, Outcome

Layer = Callable[..., Tensor]


def _wrong(change: Callable[..., Tensor]) -> Layer:
    """An answer that is wrong as `change(x, weight, stride, padding, dilation)` says."""

    def mimic(
        x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> Tensor:
        return change(x, weight, stride, padding, dilation)

    return mimic


def _one_sided(x: Tensor, w: Tensor, s: int, p: int, d: int) -> Tensor:
    return by_torch(F.pad(x, (0, p, 0, p)), w, s, 0, d)


def _two_sides(x: Tensor, w: Tensor, s: int, p: int, d: int) -> Tensor:
    return by_torch(F.pad(x, (p, p)), w, s, 0, d)


def _edge_repeated(x: Tensor, w: Tensor, s: int, p: int, d: int) -> Tensor:
    return by_torch(F.pad(x, (p, p, p, p), mode="replicate"), w, s, 0, d)


def _average(x: Tensor, w: Tensor, s: int, p: int, d: int) -> Tensor:
    return by_torch(x, w, s, p, d) / w[0].numel()


def _columns_first(x: Tensor, w: Tensor, s: int, p: int, d: int) -> Tensor:
    """The places are put back as (W', H') and turned, or as rows of the wrong length."""
    y = by_torch(x, w, s, p, d)
    return y.flatten(2).reshape(*y.shape[:2], y.shape[3], y.shape[2]).transpose(2, 3)


def _batch_last(x: Tensor, w: Tensor, s: int, p: int, d: int) -> Tensor:
    """The answer comes as (C', N, …) and is only relabelled as (N, C', …)."""
    y = by_torch(x, w, s, p, d)
    return y.transpose(0, 1).reshape(y.shape)


def _pixels_before_channels(x: Tensor, w: Tensor, s: int, p: int, d: int) -> Tensor:
    """The weights are flattened with the channels last, the windows with the channels first."""
    order = w.permute(0, 2, 3, 1).reshape(w.shape)
    return by_torch(x, order, s, p, d)


def _tap_of_channels(x: Tensor, w: Tensor, s: int, p: int, d: int) -> Tensor:
    return by_torch(x.sum(1, keepdim=True), w.sum(1, keepdim=True), s, p, d)


def _linear(conv2d: Layer, rng: Random) -> str | None:
    generator = torch.Generator().manual_seed(rng.getrandbits(32))
    x, y = torch.randn(2, 1, 2, 5, 6, generator=generator, dtype=torch.float64)
    weight = torch.randn(3, 2, 3, 3, generator=generator, dtype=torch.float64)
    both, parts = conv2d(2 * x + y, weight), 2 * conv2d(x, weight) + conv2d(y, weight)
    if both.shape != parts.shape or not torch.allclose(both, parts):
        return "conv(2 · x + y) must be 2 · conv(x) + conv(y), and for your function it is not."
    return None


def _differentiable(conv2d: Layer, rng: Random) -> str | None:
    weight = torch.ones(1, 1, 2, 2, dtype=torch.float64, requires_grad=True)
    out = conv2d(torch.ones(1, 1, 4, 4, dtype=torch.float64), weight)
    if not out.requires_grad:
        return (
            "No gradient comes back to the weights, so the layer could not learn. Stay with tensor"
            " operations: no `.item()`, `.detach()`, NumPy or `torch.tensor(…)` on the way."
        )
    (slope,) = torch.autograd.grad(out.sum(), weight)
    if not torch.equal(slope, torch.full_like(slope, 9)):
        return "The values are right, the gradient for the weights is not."
    return None


LAWS = (
    Law("the layer is linear", _linear, hint=3),
    Law("the weights get a gradient", _differentiable, hint=2),
)


def _bad_einsum(outcome: Outcome) -> bool:
    return "einsum" in str(outcome.error)


def _bad_view(outcome: Outcome) -> bool:
    """An error, or by accident as many numbers as the picture has."""
    if outcome.error is None:
        return outcome.got.shape[2:] == outcome.case.args[0].shape[2:]
    return "is invalid for input of size" in str(outcome.error)


def _window_not_square(outcome: Outcome) -> bool:
    _, weight = outcome.case.args
    return weight.shape[2] != weight.shape[3]


def _output_not_square(outcome: Outcome) -> bool:
    return outcome.want.shape[2] != outcome.want.shape[3]


def _only_with(name: str) -> Callable[[Outcome], bool]:
    return lambda outcome: name in outcome.case.kwargs


def _turned(t: Tensor) -> Tensor:
    return t.flip(2, 3)


CHANGES: tuple[tuple[str, int, str, Callable[..., Tensor]], ...] = (
    (
        "turned-round", 3,
        "Your kernel is turned round. In signal processing a convolution does turn it; in neural"
        " networks, and in PyTorch, it does not.",
        lambda x, w, s, p, d: by_torch(x, _turned(w), s, p, d),
    ),
    (
        "kernel-transposed", 3,
        "Rows and columns of your kernel are exchanged.",
        lambda x, w, s, p, d: by_torch(x, w.transpose(2, 3), s, p, d),
    ),
    (
        "padding-ignored", 5,
        "The padding changes nothing in your answer.",
        lambda x, w, s, p, d: by_torch(x, w, s, 0, d),
    ),
    (
        "padding-twice", 6,
        "You pad twice: once yourself, and once more in `unfold`.",
        lambda x, w, s, p, d: by_torch(x, w, s, 2 * p, d),
    ),
    (
        "padding-one-sided", 5,
        "You pad on the right and below only. Zeros go on all four sides.",
        _one_sided,
    ),
    (
        "padding-two-sides", 5,
        "You pad two of the four sides. `F.pad` begins with the last axis: (left, right, top,"
        " bottom).",
        _two_sides,
    ),
    (
        "padding-repeats-the-edge", 5,
        "You pad with the pixels at the edge. Here padding means zeros.",
        _edge_repeated,
    ),
    (
        "padding-with-ones", 5,
        "You pad with ones. Here padding means zeros.",
        lambda x, w, s, p, d: by_torch(F.pad(x, (p, p, p, p), value=1.0), w, s, 0, d),
    ),
    (
        "stride-ignored", 5,
        "The stride changes nothing in your answer. With stride 2 the next window begins 2 pixels"
        " further.",
        lambda x, w, s, p, d: by_torch(x, w, 1, p, d),
    ),
    (
        "dilation-ignored", 5,
        "The dilation changes nothing in your answer. With dilation 2 the taps stand 2 pixels"
        " apart.",
        lambda x, w, s, p, d: by_torch(x, w, s, p, 1),
    ),
    (
        "dilation-and-stride-swapped", 5,
        "Stride and dilation are exchanged. The stride moves the window, the dilation spreads its"
        " taps.",
        lambda x, w, s, p, d: by_torch(x, w, d, p, s),
    ),
    (
        "averaged", 3,
        "You take the mean over the window. A convolution adds up: its weights decide how much each"
        " pixel counts.",
        _average,
    ),
    (
        "places-in-columns", 4,
        "The values are right and stand in the wrong places: the places go row by row, so the last"
        " view is (H', W'), not (W', H').",
        _columns_first,
    ),
    (
        "images-and-channels-mixed", 4,
        "The values are right, but images and output channels are mixed up. A reshape only gives"
        " axes new names; `transpose` or the order of the letters in `einsum` exchanges them.",
        _batch_last,
    ),
    (
        "channels-in-another-order", 3,
        "With one input channel you are right. With more, weights and pixels do not meet: one of"
        " the two is flattened with the channels first, the other with the channels last.",
        _pixels_before_channels,
    ),
    (
        "channels-added-first", 3,
        "You add the input channels up before you multiply. Each input channel meets weights of its"
        " own, and then all is added up.",
        _tap_of_channels,
    ),
    (
        "weights-exchanged", 3,
        "Input and output channels of the weights are exchanged: weight[o, c] leads from channel c"
        " of the picture to channel o of the output.",
        lambda x, w, s, p, d: by_torch(x, w.transpose(0, 1), s, p, d),
    ),
    (
        "first-channel-only", 3,
        "Only the first input channel counts in your answer. The window goes through all of them.",
        lambda x, w, s, p, d: by_torch(x[:, :1], w[:, :1], s, p, d),
    ),
    (
        "first-image-only", 4,
        "Your answer holds one image. There is a whole batch of them.",
        lambda x, w, s, p, d: by_torch(x[:1], w, s, p, d),
    ),
)  # fmt: skip


def _known() -> Any:
    for name, hint, says, change in CHANGES:
        yield Mistake(name, says, mimic=_wrong(change), hint=hint)


MISTAKES = (
    *_known(),
    Mistake(
        "einsum-letters",
        "`einsum` cannot match its letters with the axes: one letter for each axis, the same letter"
        " only where the sizes agree. Print both shapes in the line before.",
        matches=_bad_einsum,
        hint=2,
    ),
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
        "view-does-not-fit",
        "The last view does not fit the numbers that you have. Height and width of the output are"
        " computed axis by axis, with padding and dilation.",
        matches=_bad_view,
        hint=6,
    ),
)
