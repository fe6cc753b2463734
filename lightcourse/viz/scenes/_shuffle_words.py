"""What the channel-shuffle scene says: captions, code, warnings and replies, with the numbers."""

from collections.abc import Sequence
from typing import Any

from ._shuffle_layout import LETTERS, MODES, Layout, order_after

FIRST_HIDDEN, MOST_OPTIONS = 4, 8  # the step from which the picture shows the answer


def caption(at: Layout, step: int) -> str:
    """Return the caption of one step."""
    c, g, n = at.channels, at.groups, at.size
    if not at.valid:
        return (
            f"**{c}** channels do not split into **{g}** equal groups, so there is no such layer."
        )
    if step in (2, 3, 4) and not at.moves:
        return f"No shuffle: the channels stay where they are, {n} of one group side by side."
    one_row = "one row for each group" if at.mode == MODES[1] else "the wrong way round"
    rows, columns = at.table(step if step in (2, 3) else 2)
    return (
        f"**{c}** channels in **{g}** groups of {n}. Colour and letter name the group.",
        f"A group convolution mixes only **inside** a group: 1/{g} of the weights, but every"
        " channel still knows one group only.",
        f"Shuffle, step 1: view the {c} channels as a **{rows}×{columns}** table, {one_row}.",
        f"Shuffle, step 2: transpose it to **{rows}×{columns}**. No arithmetic, only another order"
        " of reading.",
        _flattened(at),
        _mixed(at),
    )[step]


def _flattened(at: Layout) -> str:
    c, g = at.channels, at.groups
    order = " ".join(map(str, at.order))
    right = order_after(c, g, MODES[1])
    if at.mode == MODES[1]:
        held = len(at.known(0))
        return (
            f"Shuffle, step 3: flatten. The order is now {order}; each new group of {at.size} holds"
            f" channels of **{held}** old {'group' if held == 1 else 'groups'}."
        )
    if at.order == right:
        return f"The wrong way round gives the right order here: {order}, for {_why_same(at)}."
    moved = sum(a != b for a, b in zip(at.order, right, strict=True))
    return (
        f"Flattened: {order}. This is the inverse permutation: **{moved} of {c}** channels stand in"
        " another place than in the paper, so trained weights no longer fit."
    )


def _why_same(at: Layout) -> str:
    return "C = g²" if at.channels == at.groups**2 else "nothing moves either way"


def _mixed(at: Layout) -> str:
    g, seen = at.groups, len(at.known(0))
    start = f"After the second group convolution one output knows **{seen} of {g}** groups"
    if g == 1:
        return f"{start}: with one group this is a plain convolution, nothing needs a shuffle."
    if seen == 1:
        return f"{start}: these are really **{g} separate networks** side by side."
    if seen == g:
        return f"{start}: all of them, for 1/{g} of the weights of full convolutions."
    return (
        f"{start}, not all: the limit is **min(g, C/g)** = min({g}, {at.size}). The rest needs"
        " another shuffle."
    )


def shape(at: Layout, step: int) -> str:
    """Return the tensor's shape after one step."""
    if not at.valid:
        return f"{at.channels} / {at.groups} = {at.channels / at.groups:.4g}: not a whole number"
    if at.in_table(step):
        rows, columns = at.table(step)
        return f"x is (n, {rows}, {columns}, h, w)"
    return f"x is (n, {at.channels}, h, w)"


def knows(at: Layout, step: int) -> str:
    """Return how much one channel knows after one step."""
    if not at.valid:
        return "not possible"
    return f"a channel knows {len(at.known(0)) if step == 5 else 1} of {at.groups} groups"


def code(at: Layout, step: int) -> str:
    """Return the PyTorch line of one step."""
    c = at.channels
    conv = f"nn.Conv2d({c}, {c}, kernel_size=1, groups={at.groups})"
    if not at.valid:
        return f"{conv}   # ValueError: in_channels must be divisible by groups"
    if step in (2, 3, 4) and not at.moves:
        return "# no shuffle: x stays as it is"
    rows, columns = at.rows, at.columns
    names = "g, c // g" if at.mode == MODES[1] else "c // g, g: the wrong way round"
    return (
        f"n, c, h, w = x.shape   # c = {c}, g = {at.groups}",
        f"x = {conv}(x)",
        f"x = x.view(n, {rows}, {columns}, h, w)   # {names}",
        f"x = x.transpose(1, 2)   # (n, {columns}, {rows}, h, w)",
        f"x = x.reshape(n, {c}, h, w)   # transpose only turned the strides: here memory moves",
        f"x = {conv}(x)",
    )[step]


def warning(channels: int, groups: int) -> str:
    """Return why this many groups are impossible; empty where they divide."""
    if channels % groups == 0:
        return ""
    fits = ", ".join(str(d) for d in range(2, channels) if channels % d == 0)
    return (
        f"{channels} channels are not divisible by {groups} groups;"
        f" {fits or 'only 1 and ' + str(channels)} would do."
    )


def names(groups: Sequence[int]) -> str:
    """Return groups by letter.

    >>> names([0, 2])
    'groups A and C'
    """
    letters = [LETTERS[g] for g in groups]
    if len(letters) < 2:
        return f"group {letters[0]}" if letters else "no group"
    return f"groups {', '.join(letters[:-1])} and {letters[-1]}"


def question(channels: int, groups: Sequence[int]) -> tuple[dict[str, Any], list[list[int]]] | None:
    """Return the prediction and its answers [groups][mode]; None where nothing can be asked."""
    seen = [
        [len(at.known(0)) for mode in MODES if (at := Layout(channels, g, mode))] for g in groups
    ]
    valid = [g for g in groups if channels % g == 0]
    truths = {1, *(n for row in seen for n in row if n)}
    slips = sorted({*valid, *(channels // g for g in valid)} - truths)
    options = sorted([*truths, *slips[: max(0, MOST_OPTIONS - len(truths))]])
    if len(options) < 2:
        return None
    ask = {
        "q": "Two group convolutions, and this shuffle between them: how many of the first groups"
        " does one output channel know?",
        "options": [str(n) for n in options],
        "replies": [_reply(n, channels, valid) for n in options],
        "param": "step",
        "from": FIRST_HIDDEN,
    }
    return ask, [[options.index(n) if n else 0 for n in row] for row in seen]


def _reply(answer: int, channels: int, groups: Sequence[int]) -> str:
    """What the answer would be right for, and the slip that leads to it."""
    if answer == 1:
        return "1 is what there is without a shuffle: every group stays a network of its own."
    right = [g for g in groups if min(g, channels // g) == answer]
    parts = []
    if right:
        parts.append(f"{answer} is right for {' or '.join(map(str, right))} groups, shuffled.")
    parts += [
        f"With {g} groups an output has only {channels}/{g} = {channels // g} inputs: it cannot"
        f" know all {g}."
        for g in groups
        if g == answer and channels // g < g
    ]
    parts += [
        f"With {g} groups it has {answer} inputs, but there are only {g} groups to know."
        for g in groups
        if channels // g == answer and g < answer
    ]
    return " ".join(parts)
