"""Exercise 06.shuffle: known mistakes and hints."""

from __future__ import annotations

import torch
from torch import Tensor

from lightcourse.checks.chapters._ch06_shuffle import oracle
from lightcourse.checks.exercise import Hint, Mistake, Outcome


def _swapped(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    return oracle(x, groups, not undo)


def _not_transposed(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    return x.clone()


def _undo_ignored(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    return torch.channel_shuffle(x, groups)


def _undo_stands_still(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    return x.clone() if undo else torch.channel_shuffle(x, groups)


def _transposed(x: Tensor, groups: int, undo: bool, one: int, other: int) -> Tensor:
    groups = x.shape[1] // groups if undo else groups
    n, c, h, w = x.shape
    return x.reshape(n, groups, c // groups, h, w).transpose(one, other).reshape(x.shape)


def _over_the_batch(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    return _transposed(x, groups, undo, 0, 1)


def _over_the_rows(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    return _transposed(x, groups, undo, 2, 3)


def _flat_memory(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    groups = x.shape[1] // groups if undo else groups
    return x.reshape(groups, -1).t().reshape(x.shape)


def _images_counted_in(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    groups = x.shape[1] // groups if undo else groups
    return x.reshape(groups, -1, *x.shape[2:]).transpose(0, 1).reshape(x.shape)


def _groups_fixed(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    return oracle(x, 2, undo)


def _random_order(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    return x[:, torch.randperm(x.shape[1])]


def _needs_reshape(outcome: Outcome) -> bool:
    return "view size is not compatible" in str(outcome.error)


def _only_undo(outcome: Outcome) -> bool:
    return bool(outcome.case.kwargs.get("undo")) and outcome.difference is not None


MISTAKES = (
    Mistake(
        "x-overwritten",
        "You write into x itself. The caller still needs it, and whoever reads a channel of x after"
        " that reads what was written there a moment ago. Fill a new tensor.",
        matches=lambda outcome: bool(outcome.mutated),
        hint=5,
    ),
    Mistake(
        "view-swapped",
        "You view the channels as (channels per group, groups). That is the **inverse**. The"
        " groups come first: one row of the table for each group, because channels of the same"
        " group lie next to each other. The two agree only if there are as many groups as"
        " channels in a group.",
        mimic=_swapped,
        hint=2,
    ),
    Mistake(
        "transpose-forgotten",
        "Nothing moves: a reshape and its opposite give the input back. The channels change places"
        " in the transpose between them.",
        mimic=_not_transposed,
        hint=1,
    ),
    Mistake(
        "undo-stands-still",
        "The shuffle is right, but with `undo=True` nothing moves. The way back needs a transpose"
        " too.",
        mimic=_undo_stands_still,
        hint=4,
    ),
    Mistake(
        "undo-ignored",
        "The shuffle is right, but `undo=True` shuffles once more instead of going back.",
        mimic=_undo_ignored,
        hint=4,
    ),
    Mistake(
        "over-the-batch",
        "You swap the batch axis with the groups, so images get mixed up. Count the axes after the"
        " view: 0 is the batch, 1 the group, 2 the channel within the group.",
        mimic=_over_the_batch,
        hint=2,
    ),
    Mistake(
        "pixels-moved",
        "You swap an axis of channels with an axis of pixels. A shuffle moves whole channels; every"
        " pixel stays where it is.",
        mimic=_over_the_rows,
        hint=2,
    ),
    Mistake(
        "batch-axis-lost",
        "You cut the whole memory into groups, images and pixels included. Keep the batch axis in"
        " front and the two pixel axes at the end.",
        mimic=_flat_memory,
        hint=2,
    ),
    Mistake(
        "images-mixed",
        "With a batch of one your order is right. With more, channels of different images change"
        " places: your first axis counts images and channels together. Keep the batch axis in"
        " front, by itself.",
        mimic=_images_counted_in,
        hint=2,
    ),
    Mistake(
        "groups-fixed",
        "Your code always takes 2 groups. The number comes in as `groups`.",
        mimic=_groups_fixed,
        hint=2,
    ),
    Mistake(
        "random-order",
        "You draw a random order. The name misleads: a channel shuffle is a fixed order, the same"
        " at every call, so that the next layer can learn what comes where.",
        mimic=_random_order,
        hint=1,
    ),
    Mistake(
        "view-after-transpose",
        "A transpose moves no memory, it only changes the order of reading. After it, `view` cannot"
        " merge the axes; `reshape` can, because it copies when it must.",
        matches=_needs_reshape,
        hint=3,
    ),
    Mistake(
        "undo-wrong",
        "The shuffle is right. What `undo=True` gives is not the way back.",
        matches=_only_undo,
        hint=4,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Write the channel numbers as a table, one group per row:\n\n`0 1 2`\n\n`3 4 5`\n\nNow"
        " read the table column by column: `0 3 1 4 2 5`. Three steps do this in PyTorch: view as"
        " a table, transpose, flatten.",
    ),
    Hint(
        "My shape is right, my values are wrong",
        "The table has one axis more than `x`: batch, groups, channels per group, height, width."
        " Swap axis 1 and axis 2, nothing else. Print it for"
        " `torch.arange(6).view(1, 6, 1, 1)` and 2 groups.",
    ),
    Hint(
        "I get RuntimeError: view size is not compatible with input tensor's size and stride",
        "Use `reshape` for the last step. `view` insists on memory that is already in order, and"
        " after a transpose it is not.",
    ),
    Hint(
        "The shuffle passes, undo does not",
        "Read the transposed table backwards. It has C // groups rows and groups columns. Going"
        " back is the **same** three steps with that table. So which number do you put in the place"
        " of `groups`?",
    ),
    Hint(
        "x itself changes",
        "`out = x` makes no copy: both names mean the same memory, and `x.copy_(…)` or `out[:, i] ="
        " …` writes into it. Make room first with `out = torch.empty_like(x)`, or move the channels"
        " without any loop: view, transpose, reshape.",
    ),
)
