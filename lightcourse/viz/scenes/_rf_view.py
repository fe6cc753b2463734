"""The receptive-field scene as tables and marks: what the stages say, in px of the frame."""

from typing import Any

import numpy as np

from ..scene import L, Pool
from ._rf_nets import SHARES, Stage
from ._rf_words import code, effective_caption, sides, theory_caption

WIDTH, HEIGHT = 1020, 484
EDGE, SIDE = 46, 420  # px: left and top of the picture with its padding, and its side
BAR, BAR_WIDTH = 660, 270  # px: where the bars begin, and the longest
HEAT_SIDE = 64  # pixels of a heat map, at most
AMBER, SKY = "#f0b429", "#8fd0f5"  # on the darkened photograph in both themes


class View:
    """Tables and marks of one scene: what `stages` say, in px of the frame."""

    def __init__(self, nets: list[list[Stage]], size: int):
        self.nets, self.size = nets, size
        self.depth = max(len(stages) for stages in nets)
        self.margin = max(1, size // 8)  # input pixels of padding that are shown
        self.cell = SIDE / (size + 2 * self.margin)
        self.zero = self.margin * self.cell  # px from the edge of the square to the picture
        self.inner = size * self.cell
        self.row = min(46.0, 400 / self.depth)
        square = all((s.low[0] == s.low[1]).all() for stages in nets for s in stages)
        self.axes = (0,) if square else (0, 1)  # one table serves both axes where it can
        self.sides = [[sides(stage.heat) for stage in stages] for stages in nets]
        self.pool = Pool()
        self.photo = self.pool.add(photograph(144), colours=40)

    def tables(self) -> dict[str, Any]:
        nets, last = self.nets, range(self.depth)
        middle = self.size // 2
        axes, shares = self.axes, len(SHARES)
        return {
            "depth": [len(stages) for stages in nets],
            "label": [[_label(i, len(stages)) for i in range(len(stages))] for stages in nets],
            "low": self._repeat(lambda s: [self._low(s, a) for a in axes]),
            "length": self._repeat(lambda s: [self._span(s, a) for a in axes]),
            "mid": self._each(lambda s: [self._low(s, a)[middle] for a in axes]),
            "mid_length": self._each(lambda s: [self._span(s, a)[middle] for a in axes]),
            "half": self._by_view(lambda n: self._square(n)[0]),
            "half_length": self._by_view(lambda n: self._square(n)[1]),
            "dot": [EDGE + self.cell * (self.margin + p + 0.5) for p in range(self.size)],
            "heat": self._each(lambda s: self.pool.heat(_shrink(np.sqrt(s.heat)), alpha=True)),
            "shade": [0, *[0.6] * shares], "theory": [1, *[0] * shares],
            "effective": [0, *[1] * shares],
            "nested": [
                [[0.6 * (i < now and v == 0) for i in last] for now in last]
                for v in range(1 + shares)
            ],
            "bar": self._pad(lambda s: self._length(s.size[0]), 0),
            "bar_half": self._by_view(self._length, pad=True),
            "name": self._pad(lambda s: s.name, ""),
            "there": self._pad(lambda s: 1, 0),
            
            "px": self._pad(lambda s: f"{s.size[0]} px", ""),
            "px_x": self._pad(lambda s: BAR + 10 + self._length(s.size[0]), BAR),
            "tip": self._pad(_tip, ""),
            "now": [["hi" if i == now else "c1" for i in last] for now in last],
            "caption": [
                [[theory_caption(n, i) for i in range(len(n))] for n in nets],
                *([[effective_caption(s, i, k, self.sides[j][i][k]) for i, s in enumerate(n)]
                   for j, n in enumerate(nets)] for k in range(shares)),
            ],
            "code": [[code(stages, i) for i in range(len(stages))] for stages in nets],
        }  # fmt: skip

    def _each(self, value: Any) -> list:
        return [[value(stage) for stage in stages] for stages in self.nets]

    def _pad(self, value: Any, fill: Any) -> list:
        return [
            [*(value(s) for s in stages), *[fill] * (self.depth - len(stages))]
            for stages in self.nets
        ]

    def _by_view(self, value: Any, pad: bool = False) -> list:
        """Values of the squares' sides, [view][net][layer]; the theory has none and gets 0."""
        views: list = []
        for k in range(-1, len(SHARES)):
            rows = [[value(n[k]) if k >= 0 else 0 for n in net] for net in self.sides]
            views.append([[*r, *[0] * (pad * (self.depth - len(r)))] for r in rows])
        return views

    def _repeat(self, value: Any) -> list:
        """Like `_each`, shorter networks filled up with their last layer."""
        return [[*r, *[r[-1]] * (self.depth - len(r))] for r in self._each(value)]

    def _place(self, pixels: Any) -> np.ndarray:
        """Input pixels as px of the frame, cut where the padding that is shown ends."""
        inside = np.clip(pixels, -self.margin, self.size + self.margin)
        return np.round(EDGE + (inside + self.margin) * self.cell, 1)

    def _low(self, stage: Stage, axis: int) -> list[float]:
        return self._place(stage.low[axis]).tolist()

    def _span(self, stage: Stage, axis: int) -> list[float]:
        return (self._place(stage.high[axis] + 1) - self._place(stage.low[axis])).tolist()

    def _square(self, side: int) -> tuple[float, float]:
        """Place and length of the square of `side` input pixels round the middle one."""
        low = float(self._place(self.size // 2 - side // 2))
        return low, float(self._place(self.size // 2 + side // 2 + 1)) - low

    def _length(self, pixels: float) -> float:
        """Length of a bar; a field much larger than the picture ends beyond the picture's mark."""
        longest = max(stage.size[0] for stages in self.nets for stage in stages)
        scale = min(longest, 1.25 * self.size)
        return BAR_WIDTH * min(pixels, scale) / scale

    def picture(self) -> list[dict[str, Any]]:
        left = EDGE + self.zero
        square = {"x": left, "y": left, "width": self.inner, "height": self.inner}
        return [
            {"id": "padding", "t": "rect", "x": EDGE, "y": EDGE, "width": SIDE, "height": SIDE,
             "fill": "panel", "stroke": "line", "stroke-dasharray": "3 4", "pe": 0},
            {"id": "photo", "t": "image", **square, "href": self.photo, "smooth": 1, "pe": 0},
            {"id": "shade", "t": "rect", **square, "fill": "#10161d",
             "opacity": L("shade", "view"), "pe": 0},
            {"id": "heat", "t": "image", **square, "href": L("heat", "net", "layer"), "smooth": 1,
             "opacity": L("effective", "view"), "pe": 0},
            {"id": "surface", "t": "rect", **square, "fill": "bg", "opacity": 0,
             "label": "The unit above this pixel",
             "drag": {"x": "px", "y": "py", "x0": left, "y0": left, "cell": self.cell}},
            {"id": "say_drag", "t": "text", "x": EDGE, "y": EDGE - 14, "fill": "muted",
             "font-size": 15, "opacity": L("theory", "view"),
             "s": f"{self.size}×{self.size} input, zero padding round it: drag the unit"},
            {"id": "say_mid", "t": "text", "x": EDGE, "y": EDGE - 14, "fill": "muted",
             "font-size": 15, "s": "influence on the middle unit: bright is strong",
             "opacity": L("effective", "view")},
        ]  # fmt: skip

    def _box(self, name: str, tables: tuple[str, str], *keys: str | int) -> dict[str, Any]:
        """A square whose x and y (and width and height) are looked up, one axis each."""

        def look(table: str, axis: int, pixel: str) -> dict[str, Any]:
            dragged = [pixel] if tables[0] == "low" else []
            return L(table, "net", *keys, axis if len(self.axes) == 2 else 0, *dragged)

        return {
            "id": name, "t": "rect", "fill": "none", "pe": 0,
            "x": look(tables[0], 1, "px"), "y": look(tables[0], 0, "py"),
            "width": look(tables[1], 1, "px"), "height": look(tables[1], 0, "py"),
        }  # fmt: skip

    def boxes(self) -> list[dict[str, Any]]:
        """Nested squares of all layers, the current one, the middle unit's, and the share's."""
        dragged, middle = ("low", "length"), ("mid", "mid_length")
        half, length = (L(t, "view", "net", "layer") for t in ("half", "half_length"))
        dots = [
            ("dot", "px", "py", "theory"),
            ("dot_mid", self.size // 2, self.size // 2, "effective"),
        ]
        return [
            *({**self._box(f"nest{i}", dragged, i), "stroke": "c5", "stroke-width": 1.6,
               "opacity": L("nested", "view", "layer", i), "link": i}
              for i in range(self.depth)),
            {**self._box("field", dragged, "layer"), "stroke": "hi", "stroke-width": 4,
             "opacity": L("theory", "view")},
            {**self._box("field_mid", middle, "layer"), "stroke": SKY, "stroke-width": 2.5,
             "stroke-dasharray": "7 5", "opacity": L("effective", "view")},
            {"id": "half", "t": "rect", "x": half, "y": half, "width": length, "height": length,
             "fill": "none", "stroke": AMBER, "stroke-width": 3.5, "pe": 0,
             "opacity": L("effective", "view")},
            *({"id": name, "t": "circle", "cx": L("dot", x), "cy": L("dot", y), "r": 6,
               "fill": "hi", "stroke": "bg", "stroke-width": 2, "pe": 0, "opacity": L(view, "view")}
              for name, x, y, view in dots),
        ]  # fmt: skip

    def bars(self) -> list[dict[str, Any]]:
        """One bar a layer: blue what it can see, amber the part that the share comes from."""
        top, mark = EDGE + 4, BAR + self._length(self.size)
        marks: list[dict[str, Any]] = [
            {"id": "head", "t": "text", "x": BAR, "y": EDGE - 14, "fill": "muted", "font-size": 15,
             "s": "receptive field, from side to side"},
            {"id": "whole", "t": "line", "x1": mark, "x2": mark, "y1": EDGE - 6,
             "y2": top + self.row * self.depth, "stroke": "line", "stroke-width": 1.5,
             "stroke-dasharray": "4 4"},
            {"id": "whole_say", "t": "text", "x": mark, "y": top + self.row * self.depth + 16,
             "s": f"{self.size} px: the whole picture", "fill": "muted", "font-size": 13,
             "text-anchor": "end"},
        ]  # fmt: skip
        for i in range(self.depth):
            marks += self._bar(i, top + i * self.row, 0.68 * self.row)
        return marks

    def _bar(self, i: int, y: float, height: float) -> list[dict[str, Any]]:
        there, base = L("there", "net", i), y + height / 2 + 5
        text = {
            "t": "text",
            "y": base,
            "fill": "ink",
            "pe": 0,
            "font-size": 15 if self.row > 30 else 13,
        }
        return [
            {"id": f"bar{i}", "t": "rect", "x": BAR, "y": y, "width": L("bar", "net", i),
             "height": height, "rx": 4, "fill": L("now", "layer", i), "link": i, "opacity": there,
             "set": {"layer": i}, "tip": L("tip", "net", i), "label": L("tip", "net", i)},
            {"id": f"part{i}", "t": "rect", "x": BAR, "y": y + 0.62 * height,
             "height": 0.38 * height,
             "width": L("bar_half", "view", "net", i), "rx": 2, "fill": AMBER, "pe": 0},
            {**text, "id": f"name{i}", "x": BAR - 12, "s": L("name", "net", i), "text-anchor": "end"},
            {**text, "id": f"size{i}", "x": L("px_x", "net", i), "s": L("px", "net", i),
             "font-weight": "700"},
        ]  # fmt: skip


def _label(index: int, count: int) -> str:
    return f"{index} of {count - 1}" if index else "input"


def _tip(stage: Stage) -> str:
    size, step = (f"{a}×{b}" for a, b in (stage.size, stage.jump))
    return f"{stage.name}: sees {size} px, jump {step}, map {stage.map[0]}×{stage.map[1]}"


def _shrink(heat: np.ndarray) -> np.ndarray:
    """Average a heat map down to at most HEAT_SIDE pixels a side."""
    factor = -(-heat.shape[0] // HEAT_SIDE)
    side = heat.shape[0] // factor * factor
    return heat[:side, :side].reshape(side // factor, factor, -1, factor).mean((1, 3))


def photograph(side: int) -> np.ndarray:
    """Return a real photograph, (side, side, 3) uint8: Grace Hopper, as matplotlib ships it."""
    from matplotlib import cbook
    from PIL import Image

    with cbook.get_sample_data("grace_hopper.jpg") as file:
        image = Image.open(file).convert("RGB")
    face = image.crop((106, 26, 406, 326)).resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(face)
