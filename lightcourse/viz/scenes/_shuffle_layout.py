"""Where the channels stand in the channel-shuffle scene, and which first groups they know."""

import numpy as np

STEPS = ("input", "group conv 1", "view", "transpose", "flatten", "group conv 2")
MODES = ("off", "on", "wrong way round")
LETTERS = "ABCDEFGHIJKL"

WIDTH, HEIGHT = 1020, 470  # px
LEFT, ROW, GAP = 30, 960, 16  # px: where a row begins, how long it is, between two groups
TOP, MIDDLE, BOTTOM = 112, 204, 352  # px: y of the three rows
CARD, TALL = 84, 140  # px: height of a card, and of one that stands alone in the middle
TABLE_TOP, TABLE_HEIGHT = 132, 318  # px


def order_after(channels: int, groups: int, mode: str) -> list[int]:
    """Return the old channel at each new place.

    >>> order_after(6, 2, "on"), order_after(6, 2, "wrong way round")
    ([0, 3, 1, 4, 2, 5], [0, 2, 4, 1, 3, 5])
    """
    flat = np.arange(channels)
    if mode == MODES[0]:
        return flat.tolist()
    rows = groups if mode == MODES[1] else channels // groups
    return flat.reshape(rows, -1).T.reshape(-1).tolist()


class Layout:
    """One number of groups, one mode: the places of all cards at every step."""

    def __init__(self, channels: int, groups: int, mode: str):
        self.channels, self.groups, self.mode = channels, groups, mode
        self.valid = channels % groups == 0
        self.size = channels // groups  # channels in a group
        self.moves = self.valid and mode != MODES[0]
        self.order = order_after(channels, groups, mode) if self.valid else list(range(channels))
        self.rows = groups if mode == MODES[1] else self.size  # of the table
        self.columns = channels // self.rows if self.valid else channels
        boxes = groups if self.size else 1
        self.pitch = (ROW - GAP * (boxes - 1 + (not self.valid))) / channels
        self.card = 0.88 * self.pitch

    def group(self, channel: int) -> int | None:
        """The group of a channel; None for one that is left over where groups do not divide."""
        index = channel // self.size if self.size else self.groups
        return index if index < self.groups else None

    def known(self, place: int) -> list[int]:
        """First groups that the output at this place knows after the second convolution."""
        if not self.valid:
            return []
        block = place // self.size * self.size
        return sorted({c // self.size for c in self.order[block : block + self.size]})

    def slot(self, place: int) -> float:
        """x of a card in a row."""
        gaps = min(place // self.size, self.groups) if self.size else 0
        return LEFT + place * self.pitch + gaps * GAP + 0.06 * self.pitch

    def box(self, group: int) -> tuple[float, float]:
        """x and width of the frame round a group; width 0 where there is none."""
        if group >= self.groups or not self.size:
            return LEFT, 0.0
        first = self.slot(group * self.size) - 0.06 * self.pitch
        return first - 4, self.size * self.pitch + 8

    def in_table(self, step: int) -> bool:
        return self.moves and step in (2, 3)

    def table(self, step: int) -> tuple[int, int]:
        """Rows and columns of the table at this step."""
        return (self.rows, self.columns) if step == 2 else (self.columns, self.rows)

    def place(self, channel: int, step: int) -> tuple[float, float, float]:
        """x, y and height of the card of one channel after the first convolution."""
        if self.in_table(step):
            return self._cell(channel, step)
        place = self.order.index(channel) if step >= 4 else channel
        if self.valid and step in (1, 5):
            return self.slot(place), BOTTOM if step == 1 else TOP, CARD
        return self.slot(place), MIDDLE, TALL

    def _cell(self, channel: int, step: int) -> tuple[float, float, float]:
        row, column = divmod(channel, self.columns)
        if step == 3:
            row, column = column, row
        rows, columns = self.table(step)
        pitch = min(TABLE_HEIGHT / rows, CARD + 14)
        height = min(CARD, pitch - max(4, 0.12 * pitch))
        left = WIDTH / 2 - columns * self.pitch / 2 + 0.06 * self.pitch
        top = TABLE_TOP + (TABLE_HEIGHT - rows * pitch) / 2
        return left + column * self.pitch, top + row * pitch + (pitch - height) / 2, height

    def table_top(self, step: int) -> float:
        """Upper edge of the table, or of where it would be."""
        if not self.in_table(step):
            return TABLE_TOP
        return min(self.place(c, step)[1] for c in range(self.channels))

    def reading(self, step: int) -> str:
        """The path that reads the table row by row: the order in memory."""
        if not self.in_table(step):
            return ""
        cells = sorted(
            (self.place(c, step) for c in range(self.channels)), key=lambda p: (p[1], p[0])
        )
        points = [f"{x + self.card / 2:.0f} {y + h / 2:.0f}" for x, y, h in cells]
        return "M" + "L".join(points)

    def wires(self, source: int) -> str:
        """Connections of a group convolution that begin at channels of one first group."""
        if not self.valid:
            return ""
        lines = []
        for place, channel in enumerate(self.order):
            if channel // self.size == source:
                block = place // self.size * self.size
                start = f"M{self.slot(place) + self.card / 2:.0f} {TOP + CARD}L"
                ends = (self.slot(block + i) + self.card / 2 for i in range(self.size))
                lines += [f"{start}{x:.0f} {BOTTOM}" for x in ends]
        return "".join(lines)
