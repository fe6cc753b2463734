"""Exercise 05.deform: known mistakes and hints."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from lightcourse.checks.chapters._ch05_deform import places, split, variant
from lightcourse.checks.exercise import Hint, Mistake, Outcome


def _corners(place: Tensor, size: int) -> Tensor:
    """Pixels to -1 … 1 between the *middles* of the outer pixels: grid_sample's align_corners."""
    return 2 * place / max(size - 1, 1) - 1


def _halves(offset: Tensor) -> tuple[Tensor, Tensor]:
    return offset[:, : offset.shape[1] // 2], offset[:, offset.shape[1] // 2 :]


def _columns_first(offset: Tensor) -> tuple[Tensor, Tensor]:
    down, across = split(offset)
    return across, down


def _samples_turned(weight: Tensor) -> Tensor:
    """The weight that gives, on samples in their order, what the plain one gives on turned ones."""
    out, c, k, _ = weight.shape
    return weight.reshape(out, k * k, c).transpose(1, 2).flatten(1)


def _plain(x: Tensor, offset: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    return F.conv2d(x, weight, None, stride, padding)


def _dtypes(outcome: Outcome) -> bool:
    said = str(outcome.error)
    return "same dtype" in said or "but found" in said or "expected scalar type" in said


def _grid_shape(outcome: Outcome) -> bool:
    said = str(outcome.error)
    return "grid_sampler()" in said or "grid_sample" in said


MISTAKES = (
    Mistake(
        "offsets-ignored",
        "This is the ordinary convolution: the offsets move nothing.",
        mimic=_plain,
        hint=1,
    ),
    Mistake(
        "x-and-y-swapped-in-the-grid",
        "grid_sample wants the column first and the row second, and you give it (y, x).",
        mimic=variant(order=lambda y, across: (y, across)),
        hint=3,
    ),
    Mistake(
        "offset-columns-first",
        "You take the first number of each tap for the step across. In `offset` the step down comes"
        " first: channel 0 is y of tap 0, channel 1 its x, channel 2 is y of tap 1.",
        mimic=variant(moves=_columns_first),
        hint=2,
    ),
    Mistake(
        "offset-in-halves",
        "You take the first half of the channels for y and the second half for x. They alternate:"
        " y of tap 0, x of tap 0, y of tap 1, x of tap 1, …",
        mimic=variant(moves=_halves),
        hint=2,
    ),
    Mistake(
        "offset-subtracted",
        "You subtract the offset. A positive offset looks further down, or further right.",
        mimic=variant(add=lambda place, move: place - move),
        hint=2,
    ),
    Mistake(
        "corners-mixed-up",
        "Your −1 and 1 lie in the middle of the outer pixels. grid_sample puts them at the outer"
        " edges of the picture. (2·i + 1) / size − 1 fits `align_corners=False`; 2·i / (size − 1) −"
        " 1 fits `align_corners=True`.",
        mimic=variant(scale=_corners),
        hint=4,
    ),
    Mistake(
        "half-a-pixel-off",
        "You are half a pixel off. With 2·i / size − 1 the number −1 is the *middle* of pixel 0."
        " For grid_sample it is the left *edge* of the picture, half a pixel further out. So:"
        " (2·i + 1) / size − 1.",
        mimic=variant(scale=lambda place, size: 2 * place / size - 1),
        hint=4,
    ),
    Mistake(
        "edges-not-middles",
        "Your −1 and 1 lie at the outer edges of the picture, and with `align_corners=True`"
        " grid_sample puts them in the middle of the outer pixels. Take `align_corners=False`.",
        mimic=variant(align_corners=True),
        hint=4,
    ),
    Mistake(
        "corners-of-the-size",
        "With `align_corners=True` the last pixel has the number size − 1: divide by size − 1, not"
        " by size.",
        mimic=variant(scale=lambda place, size: 2 * place / size - 1, align_corners=True),
        hint=4,
    ),
    Mistake(
        "not-stretched",
        "You hand pixels to grid_sample. It counts from −1 to 1 over the whole picture.",
        mimic=variant(scale=lambda place, size: place),
        hint=4,
    ),
    Mistake(
        "height-and-width-swapped",
        "You divide the rows by the width and the columns by the height.",
        mimic=variant(sizes=lambda h, w, tall, wide: (w, h)),
        hint=4,
    ),
    Mistake(
        "one-size-for-both",
        "You divide rows and columns by the width. Rows belong to the height of x.",
        mimic=variant(sizes=lambda h, w, tall, wide: (w, w)),
        hint=4,
    ),
    Mistake(
        "one-size-for-both",
        "You divide rows and columns by the height. Columns belong to the width of x.",
        mimic=variant(sizes=lambda h, w, tall, wide: (h, h)),
        hint=4,
    ),
    Mistake(
        "size-of-the-output",
        "You stretch by the size of the output. −1 … 1 spans the picture that is read, x; its size"
        " differs from the output's when there is a stride or little padding.",
        mimic=variant(sizes=lambda h, w, tall, wide: (tall, wide)),
        hint=4,
    ),
    Mistake(
        "offset-after-the-stretch",
        "You add the offsets after the stretch to −1 … 1. They are in pixels: add them to the"
        " places first, then stretch the sum.",
        mimic=variant(late=True),
        hint=2,
    ),
    Mistake(
        "places-forgotten",
        "You read at the offsets alone. An offset says how far a tap moves *from its place*: add"
        " the places.",
        mimic=variant(add=lambda place, move: move),
        hint=2,
    ),
    Mistake(
        "padding-forgotten",
        "The padding does not reach the places: the first output reads padding pixels further up"
        " and left.",
        mimic=variant(start=lambda k, a, b, s, p: places(k, a, b, s, 0)),
        hint=1,
    ),
    Mistake(
        "stride-forgotten",
        "The stride does not reach the places: neighbouring outputs read `stride` pixels apart.",
        mimic=variant(start=lambda k, a, b, s, p: places(k, a, b, 1, p)),
        hint=1,
    ),
    Mistake(
        "edge-repeated",
        "Outside the picture you repeat its edge. A convolution reads zeros there, which is what"
        " grid_sample does by default.",
        mimic=variant(padding_mode="border"),
        hint=3,
    ),
    Mistake(
        "nearest-pixel",
        "You read the nearest pixel. Between pixels the value is bilinear; else no gradient would"
        " reach the offsets.",
        mimic=variant(mode="nearest"),
        hint=3,
    ),
    Mistake(
        "nearest-pixel",
        "You read the nearest pixel. Between pixels the value is bilinear; else no gradient would"
        " reach the offsets.",
        mimic=variant(add=lambda place, move: place + move.round()),
        hint=3,
    ),
    Mistake(
        "taps-column-by-column",
        "Your taps run down the columns of the kernel. They run along its rows: 0 1 2 / 3 4 5 / 6 7"
        " 8, in the offsets as in the weight.",
        mimic=variant(flat=lambda weight: weight.transpose(2, 3).flatten(1)),
        hint=2,
    ),
    Mistake(
        "kernel-flipped",
        "Your kernel is turned by 180°: its first weight meets the last tap. `F.conv2d` does not"
        " turn it, and this layer does not either.",
        mimic=variant(flat=lambda weight: weight.flip(2, 3).flatten(1)),
        hint=5,
    ),
    Mistake(
        "taps-before-channels",
        "You put the taps before the channels, and the weights have the channels first. Leave the"
        " samples as grid_sample gives them, channel by channel with the taps inside:"
        " weight.flatten(1) has the same order.",
        mimic=variant(flat=_samples_turned),
        hint=5,
    ),
    Mistake(
        "taps-before-channels",
        "The samples stand channel by channel, with the taps inside: weight.flatten(1) has the same"
        " order. Yours has the taps outside.",
        mimic=variant(flat=lambda weight: weight.flatten(2).transpose(1, 2).flatten(1)),
        hint=5,
    ),
    Mistake(
        "first-picture-for-all",
        "All pictures of the batch move with the offsets of the first. Each has its own.",
        mimic=variant(each=1),
        hint=2,
    ),
    Mistake(
        "dtypes-differ",
        "Two tensors have different dtypes. `places` gives whole numbers; added to `offset` they"
        " take its dtype, which is that of x.",
        matches=_dtypes,
        hint=3,
    ),
    Mistake(
        "grid-has-another-shape",
        "grid_sample wants a grid of shape (N, rows, columns, 2), and 4 axes of x. Put the taps and"
        " the output rows into one axis: (N, k·k·H', W', 2).",
        matches=_grid_shape,
        hint=3,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Four steps. Where does each tap read? Its place plus its offset. Turn pixels into −1 … 1."
        " Read there with grid_sample. Multiply by the weights and add up. Print the shape after"
        " each step, with k = 3, a picture of 5 × 7 and padding 1.",
    ),
    Hint(
        "My offsets go to the wrong places",
        "Channel 0 of offset is the step down of tap 0, channel 1 its step across, channel 2 the"
        " step down of tap 1. A slice with a step takes every second one. Both halves have the"
        " shape (N, k·k, H', W'), and the places (k·k, H', W') fit to them by themselves.",
    ),
    Hint(
        "I get a RuntimeError or a wrong shape around grid_sample",
        "Stack column and row, in this order, as the last axis: (N, k·k, H', W', 2). Merge axis 1"
        " and 2 with `flatten(1, 2)`. Out comes (N, C, k·k·H', W').",
    ),
    Hint(
        "Nothing moves, and yet my values are wrong",
        "Take a picture 4 pixels wide. For grid_sample its left edge is −1 and its right edge is 1,"
        " so the four pixels have their middles at −0.75, −0.25, 0.25, 0.75. Which formula turns 0,"
        " 1, 2, 3 into these? And `align_corners=False`.",
    ),
    Hint(
        "I have the samples, how do I multiply?",
        "View them as (N, C·k·k, H', W'): at each place of the output all that it reads, channel by"
        " channel. What is left is a 1×1 convolution, and `weight.flatten(1)` is its matrix. Or an"
        " einsum over channels and taps.",
    ),
)
