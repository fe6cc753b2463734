"""The upsampling scene as tables: pictures of all maps, and places in px of the frame."""

from typing import Any

import numpy as np

from ..marks import timeline_tables
from ..pool import Pool
from . import _up_maps as maps
from . import _up_words as words
from ._up_maps import RING, SIDE, one_cell
from ._up_paint import dot, png, rgb

WIDTH, HEIGHT = 1020, 590
SMALL, CELL = (30, 224), 38  # px: corner of the small map, and one of its cells
PANEL = 204  # px: side of a large map
CORNERS = ((262, 122), (262, 374), (634, 122), (634, 374))  # nearest, bilinear, transposed, unpool
BARS, BAR = 112, 34  # px: foot of the bars above the transposed map, and their greatest height
SPARE = 2  # cells beyond the full map, into which output padding may reach

Table = dict[str, Any]


class View:
    """Tables of one scene; k, s, w, p and o are indices of kernel, stride, weights and paddings."""

    def __init__(
        self,
        sizes: list[int],
        strides: list[int],
        kernels: list[list[dict[str, np.ndarray]]],
        paddings: list[int],
        ring: np.ndarray = RING,
    ):
        self.sizes, self.strides, self.kernels, self.paddings = sizes, strides, kernels, paddings
        self.weights = list(kernels[0][0])
        self.given = [np.ones((SIDE, SIDE)), np.zeros((SIDE, SIDE)), ring]
        self.pool = Pool()
        self.longest = max((SIDE - 1) * s + k for k in sizes for s in strides)

    def each(self, value: Any) -> list:
        """[k][s] -> value(kernel size, stride)."""
        return [[value(k, s) for s in self.strides] for k in self.sizes]

    def by_kernel(self, value: Any) -> list:
        """[k][s][w] -> value(weight, stride, name)."""
        return [
            [
                [value(w, s, n) for n, w in self.kernels[i][j].items()]
                for j, s in enumerate(self.strides)
            ]
            for i in range(len(self.sizes))
        ]

    def by_padding(self, value: Any) -> list:
        """[k][s][p][o] -> value(stride, kernel size, padding, output padding)."""
        return [
            [[[value(s, k, p, o) for o in range(3)] for p in self.paddings] for s in self.strides]
            for k in self.sizes
        ]

    def image(self, values: np.ndarray) -> int:
        """A map as a picture: 0 (or the least) dark, the largest light."""
        values = values - min(0.0, float(values.min()))
        uri = png(rgb(values / (values.max() or 1.0)))
        if uri not in self.pool:
            self.pool.append(uri)
        return self.pool.index(uri)

    def tables(self) -> Table:
        """All tables of the scene."""
        return {
            **timeline_tables(len(words.STEPS)),
            "step": list(words.STEPS),
            **self._maps(),
            **self._transposed(),
            **self._others(),
            **self._cut(),
            **self._says(),
        }

    def _maps(self) -> Table:
        steps = range(len(words.STEPS))
        return {
            "small": [self.image(values) for values in self.given],
            "single": [0, 1, 0],
            "filled": [int(s >= 2) for s in steps],
            "shade": [0, 0, 0, 0.82],
            "alone": [[int(s >= 2 and m == 1) for m in range(3)] for s in steps],
            "last": [int(s == 3) for s in steps],
            "dots": [1.0, 1.0, 0.0, 0.0],
            "dot_fill": [[dot(v) for v in values.reshape(-1)] for values in self.given],
            "small_x": [SMALL[0] + CELL * i for i in range(SIDE)],
            "small_y": [SMALL[1] + CELL * i for i in range(SIDE)],
        }

    # -- the transposed convolution ------------------------------------------------------

    def cell(self, k: int, s: int) -> float:
        """px of one cell of the transposed map, which may be larger than it is shown."""
        return PANEL / ((SIDE - 1) * s + k + SPARE)

    def _transposed(self) -> Table:
        left, top = CORNERS[2]
        lines = self.by_kernel(lambda w, s, n: maps.line_of(w, s))
        most = [[[max(1e-9, float(line.max())) for line in row] for row in ks] for ks in lines]

        def spot(corner: float) -> list:
            return self.each(lambda k, s: [corner + i * s * self.cell(k, s) for i in range(SIDE)])

        def middle(corner: float) -> list:
            return self.each(
                lambda k, s: [corner + (i * s + k / 2) * self.cell(k, s) for i in range(SIDE)]
            )

        bars = range(self.longest)
        return {
            "t_image": [
                self.by_kernel(
                    lambda w, s, n, v=v: self.image(maps.full_transposed(v, w, s))
                )
                for v in self.given
            ],
            "t_stamp": self.by_kernel(lambda w, s, n: self.image(w)),
            "t_full": self.each(lambda k, s: ((SIDE - 1) * s + k) * self.cell(k, s)),
            "t_size": self.each(lambda k, s: k * self.cell(k, s)),
            "t_x": spot(left), "t_y": spot(top),
            "t_to_x": _travel(0, middle(left)), "t_to_y": _travel(1, middle(top)),
            "bar_x": self.each(lambda k, s: [
                left + min(i, (SIDE - 1) * s + k - 1) * self.cell(k, s) + 1 for i in bars]),
            "bar_w": self.each(lambda k, s: [
                (self.cell(k, s) - 2) * (i < (SIDE - 1) * s + k) for i in bars]),
            "bar_h": _nested(lines, most, lambda v, m: BAR * max(0.0, v) / m, self.longest, 0.0),
            "bar_y": _nested(
                lines, most, lambda v, m: BARS - BAR * max(0.0, v) / m, self.longest, BARS),
            "bar_tip": _nested(
                lines, most, lambda v, m: f"column mean {words.number(float(v))}", self.longest,
                ""),
        }  # fmt: skip

    # -- the three other layers ----------------------------------------------------------

    def _others(self) -> Table:
        scales = self.strides

        def lines(corner: float, places: Any) -> list:
            """[s][i] px of cell centres in a map of SIDE · s cells."""
            return [[corner + (p + 0.5) * PANEL / (SIDE * s) for p in places(s)] for s in scales]

        def even(s: int) -> list[float]:
            return maps.centres(s, False)

        (nx, ny), (bx, by), _, (ux, uy) = CORNERS
        places = {s: maps.remembered(s) for s in scales}
        unit = {s: PANEL / (SIDE * s) for s in scales}
        both = (False, True)
        return {
            "n_image": [[self.image(maps.nearest(v, s)) for s in scales] for v in self.given],
            "b_image": [
                [[self.image(maps.bilinear(v, s, a)) for a in (False, True)] for s in scales]
                for v in self.given
            ],
            "b_one": [
                [
                    [
                        [self.image(maps.bilinear(one_cell(y, x), s, a)) for x in range(SIDE)]
                        for y in range(SIDE)
                    ]
                    for a in (False, True)
                ]
                for s in scales
            ],
            "u_image": [[self.image(maps.unpooled(v, s)) for s in scales] for v in self.given],
            "n_x": [[nx + i * PANEL / SIDE for i in range(SIDE)] for _ in scales],
            "n_y": [[ny + i * PANEL / SIDE for i in range(SIDE)] for _ in scales],
            "n_to_x": _travel(0, lines(nx, even)), "n_to_y": _travel(1, lines(ny, even)),
            "unit": [unit[s] for s in scales],
            "b_x": self._touched(bx, 0), "b_y": self._touched(by, 0), "b_w": self._touched(0, 1),
            "b_to_x": _travel(0, [lines(bx, lambda s, a=a: maps.centres(s, a)) for a in both]),
            "b_to_y": _travel(1, [lines(by, lambda s, a=a: maps.centres(s, a)) for a in both]),
            "u_x": [(ux + places[s][..., 1] * unit[s]).tolist() for s in scales],
            "u_y": [(uy + places[s][..., 0] * unit[s]).tolist() for s in scales],
            "u_to_x": _travel(0, [ux + (places[s][..., 1] + 0.5) * unit[s] for s in scales]),
            "u_to_y": _travel(1, [uy + (places[s][..., 0] + 0.5) * unit[s] for s in scales], True),
        }  # fmt: skip

    def _touched(self, corner: float, which: int) -> list:
        """[s][align][i] px: where the outputs that hear from an input begin, or how wide."""
        return [
            [
                [corner + found[which] * PANEL / (SIDE * s) for found in maps.touched(s, a)]
                for a in (False, True)
            ]
            for s in self.strides
        ]

    # -- padding and output padding ------------------------------------------------------

    def _cut(self) -> Table:
        left, top = CORNERS[2]

        def frame(s: int, k: int, p: int, o: int) -> tuple[float, float]:
            """Where the kept part begins and ends, in px from the corner."""
            unit = self.cell(k, s)
            if o >= s:
                return 0.0, 0.0
            return p * unit, (p + maps.size_after(s, k, p, o)) * unit

        def whole(s: int, k: int, p: int, o: int) -> float:
            full = ((SIDE - 1) * s + k) * self.cell(k, s)
            return max(full, frame(s, k, p, o)[1])

        begin = self.by_padding(lambda *at: frame(*at)[0])
        return {
            "cut_x": _shifted(begin, left), "cut_y": _shifted(begin, top),
            "cut_w": self.by_padding(lambda *at: frame(*at)[1] - frame(*at)[0]),
            "cut_from": begin,
            "cut_end_x": self.by_padding(lambda *at: left + frame(*at)[1]),
            "cut_end_y": self.by_padding(lambda *at: top + frame(*at)[1]),
            "cut_rest": self.by_padding(lambda *at: whole(*at) - frame(*at)[1]),
            "cut_whole": self.by_padding(whole),
        }  # fmt: skip

    def _says(self) -> Table:
        steps = range(len(words.STEPS))
        values = maps.middle_values
        return {
            "before": [
                [words.before(i, s) if i < 2 else "" for s in self.strides] for i in steps
            ],
            "even": [
                self.by_kernel(
                    lambda w, s, n: words.evenness(values(w, s), len(w), s, n))
                if i == 2 else self.by_kernel(lambda *_: "") for i in steps
            ],
            "cut": [
                self.by_padding(lambda s, k, p, o: words.cut(s, k, p, o))
                if i == 3 else self.by_padding(lambda *_: "") for i in steps
            ],
            "size": self.by_padding(words.shape),
            "t_code": self.by_padding(words.transposed_code),
            "code": [[words.other_code(s, a) for a in (False, True)] for s in self.strides],
            "warn": [[words.warning(s, o) for o in range(3)] for s in self.strides],
            "twice": [f"{SIDE * s} × {SIDE * s}" for s in self.strides],
            "n_reach": [f"one cell: {s}×{s}" for s in self.strides],
            "t_reach": [f"one cell: {k}×{k}" for k in self.sizes],
            "t_full_size": self.each(
                lambda k, s: f"before the cut: {(SIDE - 1) * s + k}"),
            "b_reach": [
                [
                    [
                        [f"one cell: {rows[1]}×{columns[1]}"
                         for columns in maps.touched(s, a)]
                        for rows in maps.touched(s, a)
                    ]
                    for a in (False, True)
                ]
                for s in self.strides
            ],
        }  # fmt: skip


def _nested(lines: list, most: list, value: Any, length: int, rest: Any) -> list:
    """[k][s][w][i] from lines and their maxima, filled up to a common length."""
    return [
        [
            [
                [value(v, m) for v in line] + [rest] * (length - len(line))
                for line, m in zip(row, tops, strict=True)
            ]
            for row, tops in zip(ks, kms, strict=True)
        ]
        for ks, kms in zip(lines, most, strict=True)
    ]


def _travel(axis: int, there: Any, by_row: bool = False) -> list:
    """[step] -> where the values are: in the small map first, then where `there` says."""
    start = [SMALL[axis] + CELL * (i + 0.5) for i in range(SIDE)]

    def home(table: Any) -> Any:
        table = table.tolist() if isinstance(table, np.ndarray) else table
        if not isinstance(table[0], list):
            return start
        if len(table) == SIDE and by_row and not isinstance(table[0][0], list):
            return [[y] * SIDE for y in start]
        return [home(t) for t in table]

    there = [t.tolist() if isinstance(t, np.ndarray) else t for t in there]
    return [home(there), *([there] * (len(words.STEPS) - 1))]


def _shifted(table: Any, by: float) -> Any:
    return [_shifted(t, by) for t in table] if isinstance(table, list) else table + by
