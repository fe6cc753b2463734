"""Chapter 01, exercise 01.conv2d: wrong convolutions, each with its name and what it is told."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from lightcourse.checks.chapters._ch01_conv2d import by_torch


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


def _not_turned_back(x: Tensor, w: Tensor, s: int, p: int, d: int) -> Tensor:
    """The places stand before the channels, (N, places, C'), and are viewed as (N, C', H', W')."""
    y = by_torch(x, w, s, p, d)
    return y.flatten(2).transpose(1, 2).reshape(y.shape)


def _unfold_order(x: Tensor, w: Tensor, s: int, p: int, d: int) -> Tensor:
    """F.unfold(x, kernel, padding, dilation, stride), viewed at the right size."""
    y = F.unfold(x, w.shape[2:], dilation=p, padding=d, stride=s)
    return (w.flatten(1) @ y).view(by_torch(x, w, s, p, d).shape)


def _unfold_order_minus_one(x: Tensor, w: Tensor, s: int, p: int, d: int) -> Tensor:
    """The same with a -1 for the last axis of the view."""
    y = F.unfold(x, w.shape[2:], dilation=p, padding=d, stride=s)
    return (w.flatten(1) @ y).view(*by_torch(x, w, s, p, d).shape[:3], -1)


def _tap_of_channels(x: Tensor, w: Tensor, s: int, p: int, d: int) -> Tensor:
    return by_torch(x.sum(1, keepdim=True), w.sum(1, keepdim=True), s, p, d)


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
        "channels-before-images", 4,
        "Your answer has the output channels first and the images second. Wanted is (N, C', H',"
        " W'): exchange the two with `transpose(0, 1)`.",
        lambda x, w, s, p, d: by_torch(x, w, s, p, d).transpose(0, 1),
    ),
    (
        "places-before-channels", 4,
        "The values are right and stand in the wrong places: your product is (N, places, C'), and"
        " the view calls that (N, C', H', W'). `transpose(1, 2)` first.",
        _not_turned_back,
    ),
    *(
        (
            "order-of-unfold", 2,
            "`F.unfold` takes its settings in another order: kernel, dilation, padding, stride."
            " Give them by name: `F.unfold(x, (kh, kw), dilation=…, padding=…, stride=…)`.",
            change,
        )
        for change in (_unfold_order, _unfold_order_minus_one)
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
