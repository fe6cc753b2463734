"""Where the boxes and ribbons of a block stand: px from its channels and bytes, as SVG paths.

A box is as wide above as its channels in, below as its channels out. A ribbon is as thick as its
map has bytes, to the scale at which the input's ribbon is as wide as its channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ._blk_kind import Kind
from ._blk_kinds import Case
from ._blk_stages import Stage

WIDTH = 840  # px
RIGHT = 456  # px: where the drawing ends
HEAD, FOOT = 40, 64  # px: above the input's row, below the last row
HIGH, THIN, GAP = 32, 14, 20  # px: a box, the input's cap, between ribbons side by side
LEAST = 1.6  # px: what is drawn thicker than to scale, so as to be seen
NOTHING = f"M{RIGHT} {HEAD}Z"


@dataclass(frozen=True)
class Edge:
    """A ribbon: the rows it joins, px of its middle at the start, on the way and at the end."""

    start: int
    end: int  # one row beyond the last for what leaves the block
    xs: tuple[float, float, float]
    thick: float


class Layout:
    """Places for all states of one kind, to one scale."""

    def __init__(self, kind: Kind, every: Sequence[Case], side: float):
        self.kind, self.side = kind, side
        shortcut = max(_channels_held(case) for case in every)
        apart = max(_channels_apart(case) for case in every)
        twins = any(slot.lane in ("left", "east") for slot in kind.slots)
        branches = [max(self._branch(case, lane) for case in every) for lane in ("west", "east")]
        main = max(*(self._across(case) for case in every), sum(branches))
        gaps = GAP * (bool(shortcut) + bool(apart) + twins)
        self.scale = min(
            2.6, (RIGHT - kind.left - gaps) / (shortcut + main + apart)
        )  # px a channel
        used = self.scale * (shortcut + main + apart) + gaps
        left = kind.left + (RIGHT - kind.left - used) / 2
        self.shortcut = left + self.scale * shortcut / 2
        start = left + (self.scale * shortcut + GAP if shortcut else 0)
        wide = self.scale * main + GAP * twins
        self.middle = start + wide / 2
        west, east = (self.scale * channels for channels in branches)
        self.west, self.east = self.middle - (east + GAP) / 2, self.middle + (west + GAP) / 2
        self.apart = start + wide + GAP + self.scale * apart / 2

    def _across(self, case: Case) -> int:
        """Channels of the widest row of the main lane; two stages beside each other are one."""
        broad = {"main": [case.block.stages[0].channels], "left": [0], "right": [0]}
        for row, slot in enumerate(self.kind.slots, 1):
            if case.stage(row) and slot.lane in broad:
                broad[slot.lane].append(_broad(case, row))
        return max(max(broad["main"]), max(broad["left"]) + max(broad["right"]))

    def _branch(self, case: Case, lane: str) -> int:
        """Channels of the widest box of a branch; those that only pass by are in the west."""
        rows = [r for r, slot in enumerate(self.kind.slots, 1) if slot.lane == lane]
        passing = [
            case.block.stages[source].channels // case.block.stages[source].parts
            for row in range(1, len(self.kind.slots) + 1)
            if (stage := case.stage(row)) and stage.letter == "c" and lane == "west"
            for source in stage.sources if self._lane(case.row_of(source)) == "main"
        ]  # fmt: skip
        return max([*passing, *(_broad(case, r) for r in rows if case.stage(r))], default=0)

    def _lane(self, row: int) -> str:
        return self.kind.slots[row - 1].lane if row else "main"

    @property
    def height(self) -> int:
        return HEAD + self.kind.pitch * len(self.kind.slots) + FOOT

    def y(self, row: int) -> float:
        """Return the middle of a row."""
        return HEAD + row * self.kind.pitch

    def wide(self, channels: float) -> float:
        return max(LEAST, self.scale * channels)

    def thick(self, nbytes: int) -> float:
        """Thickness of a ribbon: at the input's map size, 4 bytes a pixel are one channel."""
        return max(LEAST, self.scale * nbytes / (4 * self.side**2))

    def x(self, case: Case, row: int) -> float:
        """Return the middle of a row's box."""
        lane = self._lane(row)
        columns = {"main": self.middle, "side": self.apart, "west": self.west, "east": self.east,
                   "bypass": self.shortcut}  # fmt: skip
        if lane in columns:
            return columns[lane]
        here = self.wide(_broad(case, row))
        twin = self.wide(_broad(case, row + (1 if lane == "left" else -1)))
        both = here + twin + GAP
        side = -1 if lane == "left" else 1
        return self.middle + side * (both - here) / 2

    def box(self, case: Case, row: int) -> str:
        """Return a row's box as a path."""
        stage = case.stage(row)
        if stage is None:
            return NOTHING
        x, y = self.x(case, row), self.y(row)
        if row == 0:
            half = self.wide(stage.channels) / 2
            return _polygon([(x - half, y - THIN / 2), (x + half, y - THIN / 2),
                             (x + half, y + THIN / 2), (x - half, y + THIN / 2)])  # fmt: skip
        top, low = y - HIGH / 2, y + HIGH / 2
        a, b = self.wide(taken(case, stage)) / 2, self.wide(stage.channels) / 2
        right = [(x + a, top), (x + b, low)]
        if stage.narrow:
            right.insert(1, (x + self.wide(stage.narrow) / 2, y))
        return _polygon(right + [(2 * x - u, v) for u, v in reversed(right)])

    def edges(self, case: Case) -> list[Edge]:
        """Return the ribbons, by the row they end in, then by the order of its sources."""
        found = []
        for row in range(1, len(self.kind.slots) + 1):
            stage = case.stage(row)
            if stage is None:
                continue
            begin = self.x(case, row) - self.wide(taken(case, stage)) / 2
            for source in stage.sources:
                found.append(self._edge(case, row, source, begin))
                begin += self.wide(_passed(case.block.stages[source]))
        last = len(case.block.stages) - 1
        x = self.x(case, case.row_of(last))
        thick = self.thick(case.block.stages[last].nbytes)
        found.append(Edge(case.row_of(last), len(self.kind.slots) + 1, (x, x, x), thick))
        return found

    def _edge(self, case: Case, row: int, source: int, begin: float) -> Edge:
        """Return one ribbon into a row; in a concat it ends where its part begins."""
        stage, above, given = case.stage(row), case.row_of(source), case.block.stages[source]
        start, end = self.x(case, above), self.x(case, row)
        each = self.wide(_passed(given))
        if given.letter == "p":
            start += (-1 if stage.letter == "c" else 1) * each / 2
        if stage.letter == "c":
            end = begin + each / 2
        if stage.letter == "x" and given.letter == "s":
            end += self.wide(stage.channels) / 2 - 9
        via = start if given.letter in "1k" and stage.letter == "c" else end
        if stage.letter == "c" and self.kind.reads and self._lane(above) == "main":
            via = self.west if any(slot.lane == "east" for slot in self.kind.slots) else start
        if stage.letter == "+" and source == 0:
            via = self.shortcut
        return Edge(above, row, (start, via, end), self.thick(given.nbytes // given.parts))

    def ribbon(self, edge: Edge) -> str:
        """Return a ribbon as a path: it bends only in the gaps between rows."""
        start, via, end = edge.xs
        top = self.y(edge.start) + (HIGH if edge.start else THIN) / 2
        out = edge.end > len(self.kind.slots)
        low = self.height - 14 if out else self.y(edge.end) - HIGH / 2
        points = [(start, top)]
        if edge.end - edge.start > 1 and not out:
            points += [(via, self.y(edge.start + 1) - HIGH / 2),
                       (via, self.y(edge.end - 1) + HIGH / 2)]  # fmt: skip
        points.append((end, low))
        half = edge.thick / 2
        down = [(x - half, y) for x, y in points]
        up = [(x + half, y) for x, y in reversed(points)]
        return f"M{_at(*down[0])}{_curve(down)}L{_at(*up[0])}{_curve(up)}Z"

    def arrow(self, case: Case) -> str:
        """Return the head of the arrow under the block."""
        edge = self.edges(case)[-1]
        x, y = edge.xs[0], self.height - 14
        half = edge.thick / 2 + (7 if edge.thick < 80 else 0)
        return _polygon([(x - half, y), (x + half, y), (x, self.height - 2)])


def _channels_held(case: Case) -> int:
    """Channels of the input where a shortcut takes it along."""
    return case.block.stages[0].channels * any(
        s.letter in "+a" and 0 in s.sources for s in case.block.stages
    )


def _channels_apart(case: Case) -> int:
    return max((s.channels for s in case.block.stages if s.letter == "s"), default=0)


def _broad(case: Case, row: int) -> int:
    """Channels of a row's box where it is widest."""
    stage = case.stage(row)
    return max(stage.channels, taken(case, stage))


def taken(case: Case, stage: Stage) -> int:
    """Return how many channels a stage takes in; those of a concat stand side by side."""
    counts = [_passed(case.block.stages[source]) for source in stage.sources]
    return sum(counts) if stage.letter == "c" else max(counts, default=0)


def _passed(stage: Stage) -> int:
    """Channels that go on to each reader of a stage."""
    return stage.channels // stage.parts


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """Join points by lines where they stand below each other, else by curves that leave upright."""
    said = ""
    for (x, y), (u, v) in pairwise(points):
        half = (y + v) / 2
        straight = abs(x - u) < 0.5
        bend = f"C{_at(x, half)} {_at(u, half)} {_at(u, v)}"
        said += f"L{_at(u, v)}" if straight else bend
    return said


def _polygon(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(_at(*point) for point in points) + "Z"


def _at(x: float, y: float) -> str:
    return f"{x:.1f} {y:.1f}".replace(".0", "")
