"""The numbers of the channel-shuffle scene: where each channel stands, and what it has seen."""
# V is editing this file until 05:50 (B2: please leave it, see /tmp/w/B2/NOTE_FROM_V.md)

from collections.abc import Sequence
from typing import Any

import numpy as np

STEPS = ("input", "group conv 1", "view", "transpose", "flatten", "group conv 2")
MODES = ("off", "on", "wrong way round")
WIDTH, HEIGHT, LEFT = 1020, 430, 60
ROW_IN, ROW_OUT, CARD, GHOST = 132, 252, 92, 62  # y of the cards, and their heights in px
TABLE_TOP, TABLE_HEIGHT = 52, 330
LETTERS = "ABCDEFGHIJKL"


def order_after(channels: int, groups: int, mode: str) -> np.ndarray:
    """Return the old channel at each new position.

    >>> order_after(6, 2, "on").tolist(), order_after(6, 2, "wrong way round").tolist()
    ([0, 3, 1, 4, 2, 5], [0, 2, 4, 1, 3, 5])
    """
    flat = np.arange(channels)
    if mode == "off":
        return flat
    rows = groups if mode == "on" else channels // groups
    return flat.reshape(rows, -1).T.reshape(-1)


def seen_groups(channels: int, groups: int, mode: str) -> list[list[int]]:
    """Return the first groups that each position sees after the second group convolution."""
    size = channels // groups
    source = order_after(channels, groups, mode) // size
    blocks = [sorted({int(g) for g in source[b * size : (b + 1) * size]}) for b in range(groups)]
    return [blocks[p // size] for p in range(channels)]


def most_seen(channels: int, groups: Sequence[int]) -> int:
    """Return how many groups the best-informed channel of any setting sees."""
    seen = (
        len(sources)
        for g in groups
        if channels % g == 0
        for mode in MODES
        for sources in seen_groups(channels, g, mode)
    )
    return max(seen, default=1)


class Layout:
    """Where each card stands, for one number of groups, one mode and one step."""

    def __init__(self, channels: int, groups: int, mode: str):
        self.channels, self.groups, self.mode = channels, groups, mode
        self.valid = channels % groups == 0
        self.size = channels // groups
        self.pitch = 900 / channels
        self.card = self.pitch * 0.84
        order = order_after(channels, groups, mode) if self.valid else np.arange(channels)
        self.order = order.tolist()
        self.position = np.argsort(order).tolist()  # channel -> its place after the shuffle
        self.rows = groups if mode == "on" else self.size
        self.columns = channels // self.rows if self.valid else channels

    def in_table(self, step: int) -> bool:
        return self.valid and self.mode != "off" and step in (2, 3)

    def place(self, channel: int, step: int) -> tuple[float, float, float]:
        """x, y and height of a card."""
        if self.in_table(step):
            row, column = divmod(channel, self.columns)
            rows, columns = self.rows, self.columns
            if step == 3:
                row, column, rows, columns = column, row, columns, rows
            height = min(CARD, TABLE_HEIGHT / rows - 6)
            x = WIDTH / 2 - columns * self.pitch / 2 + column * self.pitch
            return x, TABLE_TOP + row * TABLE_HEIGHT / rows, height
        column = self.position[channel] if self.valid and step >= 4 else channel
        return LEFT + column * self.pitch, ROW_OUT if step in (1, 5) else ROW_IN, CARD

    def sources(self, channel: int, step: int) -> list[int]:
        """Which first-layer groups this card holds something of."""
        if not self.valid:
            return []
        if step < 5:
            return [channel // self.size]
        return seen_groups(self.channels, self.groups, self.mode)[self.position[channel]]

    def wires(self, step: int) -> str:
        """The connections of a group convolution: all to all, inside each group."""
        if step not in (1, 5) or not self.valid:
            return ""
        middle = [LEFT + p * self.pitch + self.card / 2 for p in range(self.channels)]
        top, bottom = TABLE_TOP + 22 + GHOST, ROW_OUT
        pairs = [
            (middle[b + i], middle[b + o])
            for b in range(0, self.channels, self.size)
            for i in range(self.size)
            for o in range(self.size)
        ]
        return "".join(f"M{a:.1f} {top}L{b:.1f} {bottom}" for a, b in pairs)


def _caption(at: Layout, step: int) -> str:
    c, g, n = at.channels, at.groups, at.size
    if not at.valid:
        return f"{c} channels do not split into **{g}** equal groups, so this layer does not exist."
    seen = len(at.sources(0, 5))
    if at.mode == "off" and step in (2, 3, 4):
        return f"No shuffle: the channels stay where they are, **{n}** of one group side by side."
    wrong = at.mode == MODES[2]
    rows = f"**{at.rows}×{at.columns}** table"
    mixing = (
        f", so the network is really {g} separate networks."
        if seen == 1
        else f": full mixing, for 1/{g} of the weights."
        if seen == g
        else f", not all: a group holds only {n} channels, and each brings one group along."
    )
    held = f"each new group of {n} holds channels from **{len(at.sources(0, 5))}** old groups"
    same = at.order == order_after(c, g, "on").tolist()
    turned = f"Here C = g², so it is the same as the right one: {held}."
    if wrong and not same:
        turned = f"This is the inverse of the paper's permutation: {held}."
    return (
        f"**{c}** channels in **{g}** groups of {n}; the colour and the letter name the group.",
        f"A group convolution mixes only **inside** a group: 1/{g} of the weights, "
        "but every channel still knows one group only.",
        f"View the {c} channels as a {rows}"
        + (": the wrong way round, one row for each place." if wrong else ": one row per group."),
        f"Transpose the table: **{at.columns}×{at.rows}**. No arithmetic, only memory moves.",
        turned if wrong else f"Flatten it again: {held}.",
        f"After the second group convolution one output sees **{seen} of {g}** groups{mixing}",
    )[step]


def _code(at: Layout, step: int) -> str:
    c, g = at.channels, at.groups
    conv = f"nn.Conv2d({c}, {c}, kernel_size=1, groups={g})"
    if not at.valid:
        return f"{conv}   # ValueError: in_channels must be divisible by groups"
    if at.mode == "off" and step in (2, 3, 4):
        return "# no shuffle: x stays as it is"
    start = ", ".join(map(str, at.order[:6])) + (", …" if c > 6 else "")
    return (
        f"n, c, h, w = x.shape            # c = {c}",
        f"x = {conv}(x)",
        f"x = x.view(n, {at.rows}, {at.columns}, h, w)",
        f"x = x.transpose(1, 2)           # (n, {at.columns}, {at.rows}, h, w)",
        f"x = x.reshape(n, {c}, h, w)      # channels {start}",
        f"x = {conv}(x)",
    )[step]


def _cards(at: Layout, step: int, stripes: int) -> dict[str, Any]:
    """The tables of all cards in one state."""
    places = [at.place(c, step) for c in range(at.channels)]
    sources = [at.sources(c, step) for c in range(at.channels)]
    x, y, height = (list(column) for column in zip(*places, strict=True))
    widths = [at.card / max(1, len(s)) for s in sources]
    order = range(stripes)
    return {
        "x": x, "y": y, "h": height, "link": sources,
        "tip": [f"channel {c}: {_names(s)}" for c, s in enumerate(sources)],
        "sx": [
            [v + w * min(q, len(s)) for q in order]
            for v, w, s in zip(x, widths, sources, strict=True)
        ],
        "sw": [[w * (q < len(s)) for q in order] for w, s in zip(widths, sources, strict=True)],
        "sf": [[fill_of(s[q]) if q < len(s) else "bg" for q in order] for s in sources],
        "tx": [v + at.card / 2 for v in x],
        "cy": [v + h / 2 for v, h in zip(y, height, strict=True)],
        "ty": [v + h / 2 + 5 for v, h in zip(y, height, strict=True)],
    }  # fmt: skip


def _names(sources: list[int]) -> str:
    return " ".join(LETTERS[s] for s in sources) or "no group"


def tables_of(channels: int, groups: Sequence[int]) -> dict[str, Any]:
    """All tables, indexed [groups][mode][step] and then by card, box or stripe."""
    layouts = [[Layout(channels, g, mode) for mode in MODES] for g in groups]
    stripes = most_seen(channels, groups)
    boxes = range(max(groups))

    def each(value: Any) -> list:
        return [[[value(at, s) for s in range(len(STEPS))] for at in row] for row in layouts]

    cards = each(lambda at, s: _cards(at, s, stripes))
    tables: dict[str, Any] = {
        name: [[[state[name] for state in mode] for mode in row] for row in cards]
        for name in cards[0][0][0]
    }
    tables |= {
        "caption": each(_caption), "code": each(_code), "wires": each(lambda at, s: at.wires(s)),
        "flat": each(lambda at, s: int(at.valid and not at.in_table(s))),
        "box_y": each(lambda at, s: at.place(0, 0 if at.in_table(s) else s)[1] - 8),
        "ghost": each(lambda at, s: 0.6 if at.valid and s in (1, 5) else 0),
        "ghost_fill": each(_ghost_fill), "seen": each(_seen),
    }  # fmt: skip
    tables["step"] = list(STEPS)
    tables["warn"] = [_warning(channels, g) for g in groups]
    tables["box_x"] = [[_box(r[0], q)[0] for q in boxes] for r in layouts]
    tables["box_w"] = [[_box(r[0], q)[1] for q in boxes] for r in layouts]
    tables["badge"] = [[_badge_text(row[0], c) for c in range(channels)] for row in layouts]
    tables["answer"] = [[len(at.sources(0, 5)) - 1 if at.valid else 0 for at in r] for r in layouts]
    return tables


def _badge_text(at: Layout, channel: int) -> str:
    return (LETTERS[channel // at.size] if at.valid else "") + str(channel)


def _box(at: Layout, group: int) -> tuple[float, float]:
    """x and width of the frame round a group; no width for a group there is not."""
    if not at.valid or group >= at.groups:
        return LEFT, 0.0
    gap = at.pitch - at.card
    return LEFT + group * at.size * at.pitch - gap / 2 + 1, at.size * at.pitch - 2


def _ghost_fill(at: Layout, step: int) -> list[str]:
    order = at.order if step == 5 else range(at.channels)
    return [fill_of(c // at.size) if at.valid else "c8" for c in order]


def fill_of(group: int) -> str:
    return f"c{group % 8 + 1}"


def _seen(at: Layout, step: int) -> str:
    if not at.valid:
        return "not possible"
    return f"each channel knows {len(at.sources(0, step))} of {at.groups} groups"


def _warning(channels: int, groups: int) -> str:
    if channels % groups == 0:
        return ""
    fits = ", ".join(str(d) for d in range(2, channels) if channels % d == 0)
    return f"{channels} channels are not divisible by {groups} groups; {fits or 'only 1'} would do."
