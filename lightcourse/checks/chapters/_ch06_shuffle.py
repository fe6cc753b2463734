"""Exercise 06.shuffle: cases, oracle, known mistakes, hints, and the picture of channel strips."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from random import Random
from typing import Any

import torch
from torch import Tensor

from lightcourse.checks.exercise import Case, Hint, Mistake, Outcome

# Okabe and Ito's colours, distinct for colour-blind readers; black ink reads on all of them
_GROUP_COLOURS = ("#E69F00", "#56B4E9", "#2BB68A", "#F0E442", "#CC9BC0", "#BBBBBB")


def numbered(channels: int, batch: int = 1, height: int = 1, width: int = 1) -> Tensor:
    """Channel c holds the value c; image i and pixel k add i·1000 and k/100, so all differ."""
    x = torch.arange(channels, dtype=torch.float32).view(1, channels, 1, 1)
    image = 1000.0 * torch.arange(batch).view(batch, 1, 1, 1)
    pixel = torch.arange(height * width).view(1, 1, height, width) / 100
    return x + image + pixel


def cases(rng: Random) -> Iterator[Case]:
    yield Case((numbered(6), 2), {}, "6 channels in 2 groups")
    yield Case((numbered(12), 3), {}, "12 channels in 3 groups")
    yield Case((numbered(6), 2), {"undo": True}, "undo, 6 channels in 2 groups")
    yield Case((numbered(9), 3), {}, "9 channels in 3 groups: as many groups as channels in each")
    yield Case((numbered(8, batch=3), 2), {}, "a batch of 3 images")
    yield Case((numbered(6, 2, 2, 3), 3), {}, "images of 2 × 3 pixels")
    strided = numbered(8, 2, 2, 2).contiguous(memory_format=torch.channels_last)
    yield Case((strided, 4), {}, "memory in channels-last order")
    for undo in (False, True):
        for _ in range(4):
            groups, each = rng.randint(2, 6), rng.randint(2, 6)
            shape = (rng.randint(1, 3), groups * each, rng.randint(1, 4), rng.randint(1, 4))
            x = torch.rand(shape, generator=torch.Generator().manual_seed(rng.getrandbits(32)))
            yield Case((x, groups), {"undo": undo})


def oracle(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    """torch's own operator; the inverse by sorting the positions that it gives."""
    if not undo:
        return torch.channel_shuffle(x, groups)
    places = torch.arange(x.shape[1], dtype=torch.float32).view(1, -1, 1, 1)
    return x[:, torch.channel_shuffle(places, groups).flatten().argsort()]


def round_trip(shuffle: Any, rng: Random) -> str | None:
    """Shuffle, then undo, gives the input back."""
    for _ in range(5):
        groups, each = rng.randint(1, 8), rng.randint(1, 8)
        x = numbered(groups * each, batch=2, width=2)
        if not torch.equal(shuffle(shuffle(x, groups), groups, undo=True), x):
            return f"Shuffle and undo do not give back {groups * each} channels in {groups} groups."
    return None


def _swapped(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    return oracle(x, groups, not undo)


def _not_transposed(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    return x.clone()


def _undo_ignored(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    return torch.channel_shuffle(x, groups)


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


def _random_order(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    return x[:, torch.randperm(x.shape[1])]


def _needs_reshape(outcome: Outcome) -> bool:
    return "view size is not compatible" in str(outcome.error)


MISTAKES = (
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
        " Swap axis 1 and axis 2, nothing else. Try it on `torch.arange(6)` first.",
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
)


def show(case: Case) -> str:
    x, groups = case.args
    undo = ", undo=True" if case.kwargs.get("undo") else ""
    return f"channel_shuffle(x, {groups}{undo})  with x of shape {tuple(x.shape)}"


def picture(case: Case, got: Any, want: Any) -> str:
    """Three strips of channels, coloured by the group they came from: input, target, yours."""
    x, groups = case.args
    if not isinstance(got, Tensor) or got.shape != x.shape or x.shape[1] > 24:
        return ""
    each = x.shape[1] // groups
    rows = [("input", x), ("target", want), ("yours", got)]
    right = _sources(x, want)
    strips = "".join(_strip(name, _sources(x, y), right, each, name) for name, y in rows)
    return f'<div style="margin:.5em 0">{strips}</div>'


def _sources(x: Tensor, y: Tensor) -> list[int | None]:
    """For each channel of y the channel of x that it equals, None if it equals none."""
    found = []
    for channel in y.unbind(1):
        same = [i for i, source in enumerate(x.unbind(1)) if torch.equal(source, channel)]
        found.append(same[0] if same else None)
    return found


def _strip(
    name: str, sources: list[int | None], right: list[int | None], each: int, row: str
) -> str:
    cells = []
    for place, source in enumerate(sources):
        group = None if source is None else source // each
        colour = "#fff" if group is None else _GROUP_COLOURS[group % len(_GROUP_COLOURS)]
        text = "?" if source is None or group is None else f"{chr(65 + group)}{source}"
        wrong = row == "yours" and source != right[place]
        frame = "3px solid #c4402f" if wrong else "1px solid #555"
        gap = "10px" if place and place % each == 0 else "2px"
        cells.append(
            f'<span style="display:inline-block;box-sizing:border-box;width:2.7em;padding:.3em 0;'
            f"margin-left:{gap};text-align:center;color:#111;background:{colour};"
            f'border:{frame};border-radius:4px;font-size:.8em">{text}{" ✗" * wrong}</span>'
        )
    spoken = f"{name}: " + " ".join("?" if s is None else str(s) for s in sources)
    return (
        f'<div role="img" aria-label="{escape(spoken)}" style="white-space:nowrap;margin:.2em 0">'
        f'<span style="display:inline-block;width:4em">{name}</span>{"".join(cells)}</div>'
    )
