"""The factorisation scene as tables: rectangles and bars in px, to scale.

Keys are [step][k][cin][cout] where nothing else is said.
"""

from collections.abc import Callable, Sequence
from math import log10
from typing import Any

from . import _fac_words as words
from ._fac_numbers import FORMS, Block
from ._lad_words import short

WIDTH, HEIGHT = 840, 524  # px
LEFT, TOP, SIDE = 46, 106, 260  # px: the block, and its side at the most channels
RIGHT = 400  # px: where the parts stand
GAP, NAME = 14, 28  # px: between parts, and over a part for its name
TRACK, BAR = 464, 720  # px: y of the bar of the ratio, and its length for 1
PARTS = 3
LEGEND = 52  # px: the longest side of the legend's square
THIN = 2.0  # px: the thinnest rectangle drawn


class View:
    """Tables for some kernels, channels before and after, and map sizes."""

    def __init__(self, kernels: Sequence[int], before: Sequence[int], after: Sequence[int],
                 maps: Sequence[int]):  # fmt: skip
        self.kernels, self.before, self.after, self.maps = kernels, before, after, maps
        self.most = max(*before, *after)
        worst = max(
            sum(part.weights for part in block.parts) / block.standard.weights
            for block in self._blocks()
        )
        self.bar = BAR * min(1.0, 1.08 / worst)  # px: the standard block's weights as a bar
        self.fit = 1.0  # smaller where the parts of few channels would leave the picture
        for _ in range(20):
            if not self._too_wide():
                break
            self.fit *= 0.95

    def _blocks(self) -> list[Block]:
        return [
            Block(form, k, a, b)
            for form in range(len(FORMS)) for k in self.kernels
            for a in self.before for b in self.after
        ]  # fmt: skip

    def _too_wide(self) -> bool:
        places = (place for block in self._blocks() for place in self.places(block))
        return any(x + width > WIDTH or y + height > TRACK for x, y, width, height in places)

    def each(self, value: Callable[[Block], Any]) -> list:
        """A table [step][k][cin][cout]."""
        return [
            [[[value(Block(form, k, a, b)) for b in self.after] for a in self.before]
             for k in self.kernels] for form in range(len(FORMS))
        ]  # fmt: skip

    def last(self, form: int, k: int) -> Block:
        """The block of the most channels: form and kernel alone decide which parts there are."""
        return Block(form, k, self.before[-1], self.after[-1])

    def name(self, block: Block, index: int) -> str:
        """What stands over a part; the depthwise one is nearly always too thin to be seen."""
        rows = [part.rows for part in block.parts[index : index + 1]]
        thin = block.form == 1 and any(n * self.scale(block.k) < THIN for n in rows)
        return words.part_name(block, index, thin and index == 0)

    @property
    def unit(self) -> int:
        """How many weights the square of the legend stands for."""
        most = (LEGEND / self.scale(min(self.kernels))) ** 2
        return 10 ** int(log10(most)) if most >= 1 else 0

    def scale(self, k: int) -> float:
        """Px a channel: the block of the most channels is as large for every kernel."""
        return self.fit * SIDE / (k * self.most)

    def places(self, block: Block) -> list[tuple[float, float, float, float]]:
        """x, y, width and height of each part; parts that are not there wait inside the block."""
        scale = self.scale(block.k)
        sizes = [(max(THIN, p.columns * scale), max(THIN, p.rows * scale)) for p in block.parts]
        whole = (LEFT, TOP, block.k * block.before * scale, block.k * block.after * scale)
        if block.form == 0:
            return [whole] * PARTS
        found, x, y = [], float(RIGHT), float(TOP)
        below = TOP + sum(h + GAP + NAME for _, h in sizes) - GAP - NAME
        beside = block.form in (2, 3) or below > TRACK - NAME - GAP
        for width, height in sizes:
            found.append((x, y, width, height))
            if beside:
                x += max(width, 118) + GAP
            else:
                y += height + GAP + NAME
        return found + [whole] * (PARTS - len(found))

    def tables(self) -> dict[str, Any]:
        """Return all tables."""

        def around(end: int) -> list:  # [step][k][cout]
            first = self.before[-1]
            return [
                [[words.around(Block(f, k, first, b))[end] for b in self.after]
                 for k in self.kernels] for f in range(len(FORMS))
            ]  # fmt: skip

        return {
            "step": list(FORMS),
            "said": self.each(words.said),
            "before": around(0), "after": around(1),
            "code": [[words.code(form, k) for k in self.kernels] for form in range(len(FORMS))],
            "warn": self.each(words.warning),
            "ratio": self.each(words.ratio),
            "weights": self.each(lambda b: short(b.weights) if b.parts else "–"),
            "macs": self.each(
                lambda b: [short(b.macs(h)) if b.parts else "–" for h in self.maps]),
            **self._block(), **self._parts(), **self._bar(),
        }  # fmt: skip

    def _block(self) -> dict[str, Any]:
        """The standard block: outline, panels and handles."""
        size = self.fit * SIDE / self.most
        most = max(self.kernels)

        def lines(start: float, channels: Sequence[int]) -> list:
            return [[[round(start + c * size * min(i / k, 1), 1) for i in range(most)]
                     for c in channels] for k in self.kernels]  # fmt: skip

        return {
            "wide": [a * size for a in self.before], "high": [b * size for b in self.after],
            "edge_x": [LEFT + a * size for a in self.before],
            "edge_y": [TOP + b * size for b in self.after],
            "grid_x": lines(LEFT, self.before), "grid_y": lines(TOP, self.after),
            "grid": [[int(i < k) for i in range(most)] for k in self.kernels],
            "cin_s": [f"{a} in" for a in self.before],
            "cout_s": [f"{b} out" for b in self.after],
            "corner": [[f"{a} channels in, {b} out" for b in self.after] for a in self.before],
            "panel_w": [[a * size / k for a in self.before] for k in self.kernels],
            "panel_h": [[b * size / k for b in self.after] for k in self.kernels],
            "legend": [self.unit**0.5 * self.scale(k) for k in self.kernels],
            "map_s": [f"MACs on {h}×{h}" for h in self.maps],
            "map_label": [f"Map of {h}×{h}" for h in self.maps],
        }  # fmt: skip

    def _parts(self) -> dict[str, Any]:
        """The rectangles: the first part's place depends on the form alone."""
        tables: dict[str, Any] = {}
        forms = range(len(FORMS))
        for i in range(PARTS):
            for n, side in enumerate("xywh"):
                tables[f"{side}{i}"] = self.each(lambda b, i=i, n=n: round(self.places(b)[i][n], 1))
            tables[f"over{i}"] = self.each(lambda b, i=i: round(self.places(b)[i][1] - 7, 1))
            tables[f"name{i}"] = [
                [self.name(self.last(f, k), i) for k in self.kernels] for f in forms
            ]
        tables["x0"] = [RIGHT if f else LEFT for f in forms]
        del tables["y0"], tables["over0"]
        there = [[int(i < len(self.last(f, k).parts)) for i in range(PARTS)]
                 for f in range(len(FORMS)) for k in self.kernels]  # fmt: skip
        count = len(self.kernels)
        tables["there"] = [there[f * count : (f + 1) * count] for f in range(len(FORMS))]
        tables["paint"] = [
            ["c8", "c8", "c8"],
            ["c2", "c1", "c8"],
            *[["c2", "c1", "c3"]] * 2,
            ["c2", "c8", "c8"],
            ["c2", "c1", "c8"],
        ]
        return tables

    def _bar(self) -> dict[str, Any]:
        """The ratio as a bar of its parts."""

        def ends(block: Block) -> list[float]:
            whole, found = block.standard.weights, [0.0]
            for part in block.parts:
                found.append(found[-1] + self.bar * part.weights / whole)
            return found + [found[-1]] * (PARTS + 1 - len(found))

        tables = {}
        for i in range(PARTS):
            tables[f"bar_x{i}"] = self.each(lambda b, i=i: round(LEFT + ends(b)[i], 1))
            tables[f"bar_w{i}"] = self.each(lambda b, i=i: round(ends(b)[i + 1] - ends(b)[i], 1))
        return tables
