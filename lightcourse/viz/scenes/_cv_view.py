"""The conv-variants scene as tables: derived keys first, then what the marks look up by them."""

from collections.abc import Callable
from typing import Any

from ..pool import Pool
from ..scene import L, dumps, plain
from . import _cv_words as words
from ._cv_images import kernel_picture, map_picture, output_picture
from ._cv_layers import Choice, Layer

SIDE, GAP, PITCH = 117, 10, 140  # px: a channel, between columns, from row to row
LEFT, RIGHT, TOP = 12, 586, 50  # px: the inputs, the outputs, their first row
SLICE, SLICE_LEFT, SLICE_TOP, SLICE_GAP, SLICE_PITCH = 60, 276, 54, 10, 78  # px: the kernels
WIDTH, HEIGHT = 842, 462
ONE, ALL, FIRST_ROW, ROW = 458, 572, 334, 29  # px: ends of the columns of counters; rows
THIRD_ROW = FIRST_ROW + 2 * ROW
CODE = ("", *"kspdg", "")  # the settings that each part of the code depends on
MATRIX_X, MATRIX_Y, MATRIX = 480, 78, 15  # px: left, top, one connection


def place_of(channel: int, left: float = LEFT) -> tuple[float, float]:
    """Left and top of a drawn channel: two columns, three rows."""
    return left + channel % 2 * (SIDE + GAP), TOP + channel // 2 * PITCH


def slice_of(channel: int) -> tuple[float, float]:
    """Left and top of the kernel that belongs to an input channel."""
    x = SLICE_LEFT + channel % 2 * (SLICE + SLICE_GAP)
    return x, SLICE_TOP + channel // 2 * SLICE_PITCH


class View:
    """All tables, derived keys and pictures of one scene."""

    def __init__(self, choice: Choice):
        self.choice, self.pool = choice, Pool()
        kinds = choice.layers()
        self.layers = [layer for kind in kinds for layer in kind]
        self.outs = max(layer.out(a) for layer in self.layers for a in (0, 1))
        self.cell = min(13.0, SIDE / self.outs)  # px of an output cell
        self.taps = max(layer.kernel[a] for layer in self.layers for a in (0, 1))
        self.tap = SLICE / self.taps  # px of a weight
        self.inputs = max(layer.drawn_inputs for layer in self.layers)
        self.outputs = max(layer.drawn_outputs for layer in self.layers)
        self.frames = {
            layer: _frame([x for x in kind if x.stride == layer.stride])
            for kind in kinds for layer in kind
        }  # fmt: skip
        self.moving = any(layer.kind == "deformable" for layer in self.layers)
        self.scatters = any(layer.transposed for layer in self.layers)
        self.derive: dict[str, Any] = {}
        self.tables: dict[str, Any] = {"counted": [1] * len(kinds)}
        for part in (
            self._axes,
            self._windows,
            self._pictures,
            self._channels,
            self._borders,
            self._texts,
        ):
            self.tables |= part()

    def keys(self, names: str, *more: str | int) -> list[str | int]:
        return self.choice.keys(names, *more)

    def nest(self, names: str, value: Callable[[Layer], Any]) -> list:
        return self.choice.nest(names, value)

    # -- where the kernel lies -----------------------------------------------------------

    def edge(self, layer: Layer, axis: int, place: int) -> float:
        """Px from the edge of a drawn channel to the first cell under the kernel."""
        margin, cell = self.frames[layer]
        return round((layer.start(axis, place) + margin) * cell, 1)

    def _axes(self) -> dict[str, Any]:
        """Derived keys of each axis: which cells lie under the kernel, which weights are idle."""
        found: dict[tuple, int] = {}

        def cuts(layer: Layer, axis: int) -> list[int]:
            cuts = [self._cut(layer, axis, place) for place in range(layer.out(axis))]
            return [found.setdefault(cut, len(found)) for cut in cuts]

        across, down = (self.nest("kspd", lambda x, a=a: cuts(x, a)) for a in (1, 0))
        tables: dict[str, Any] = {"cut_px": across, "cut_py": down}
        tables["in"] = [read for _, read, _ in found]
        tables["idle"] = [list(idle) for _, _, idle in found]
        self.cuts = list(found)
        for axis, drag in ((1, "px"), (0, "py")):
            self.derive[f"cut_{drag}"] = L(f"cut_{drag}", *self.keys("kspd", drag))
            tables[f"n_{drag}"] = self.nest("kspd", lambda x, a=axis: x.out(a))
            tables[f"use_{drag}"] = self.nest("k", lambda x, a=axis: self._used(x, a))
            self.derive[f"in_{drag}"] = L("in", f"cut_{drag}")
            self.derive[f"use_{drag}"] = L(f"use_{drag}", *self.keys("k", f"in_{drag}"))
        return tables

    def _cut(self, layer: Layer, axis: int, place: int) -> tuple[float, int, tuple[int, ...]]:
        """One output on one axis: px to the first cell, real inputs read, weights left idle."""
        taps = layer.taps(axis, place)
        used = {tap for _, tap in taps}
        lost = layer.kernel[axis] if layer.transposed else 0
        idle = tuple(int(i < lost and i not in used) for i in range(self.taps * self.scatters))
        return self.edge(layer, axis, place), len(taps), idle

    def _used(self, layer: Layer, axis: int) -> list[int]:
        """Weights on one axis by how many real inputs there are; padding counts, as zeros."""
        taps = layer.kernel[axis] * (layer.kind != "shift")
        return [n if layer.transposed else taps for n in range(self.taps + 1)]

    def _windows(self) -> dict[str, Any]:
        """Px of the kernel on the inputs by derived place; and of the dragged cell."""
        steps = [round(i * self.cell, 1) for i in range(self.outs)]
        places = [at for at, _, _ in self.cuts]
        return {
            "win_x": [[LEFT + c * (SIDE + GAP) + at for c in (0, 1)] for at in places],
            "win_y": [[TOP + r * PITCH + at for r in (0, 1)] for at in places],
            # the lowest row by state: a check of all places with all sizes would leave the frame
            "win_low": self.nest("kspd", lambda x: [
                round(TOP + 2 * PITCH + self.edge(x, 0, i), 1) for i in range(x.out(0))
            ]),
            "win_w": self.nest("ksd", lambda x: x.span(1) * self.frames[x][1]),
            "win_h": self.nest("ksd", lambda x: x.span(0) * self.frames[x][1]),
            "cell_x": [[RIGHT + c * (SIDE + GAP) + at for c in (0, 1)] for at in steps],
            "cell_y": [[TOP + r * PITCH + at for r in range(3)] for at in steps],
            "cell_w": self.nest("kpdg", lambda x: self.cell * x.valid),
            "missing": self.nest("kpdg", lambda x: int(not x.valid)),
            "there": self.nest("kpdg", lambda x: int(x.valid)),
            "out_w": self.nest("kspd", lambda x: round(x.out(1) * self.cell, 1)),
            "out_h": self.nest("kspd", lambda x: round(x.out(0) * self.cell, 1)),
            "ker_x": self.nest("k", lambda x: [slice_of(c)[0] + self._room(x, 1) for c in (0, 1)]),
            "ker_y": self.nest("k", lambda x: [
                slice_of(2 * r)[1] + self._room(x, 0) for r in range(3)
            ]),
            "idle_x": self.nest("k", lambda x: self._taps(x, 1, 2)),
            "idle_y": self.nest("k", lambda x: self._taps(x, 0, 3)),
            "ker_w": self.nest("k", lambda x: x.kernel[1] * self.tap),
            "ker_h": self.nest("k", lambda x: x.kernel[0] * self.tap),
        }  # fmt: skip

    def _taps(self, layer: Layer, axis: int, slots: int) -> list[list[float]]:
        """Px of each weight of an axis, [slot][weight]."""
        starts = [slice_of(2 * i if axis == 0 else i)[1 - axis] for i in range(slots)]
        room = self._room(layer, axis)
        return [[round(s + room + i * self.tap, 1) for i in range(self.taps)] for s in starts]

    def _room(self, layer: Layer, axis: int) -> float:
        """Px before a kernel that stands in the middle of its slot."""
        return (SLICE - layer.kernel[axis] * self.tap) / 2

    def _shown(self, layer: Layer) -> bool:
        """Whether the kernel is drawn as one picture; moved points and arrows are not."""
        return layer.kind not in ("deformable", "shift")

    def _pictures(self) -> dict[str, Any]:
        pool = self.pool

        def map_of(layer: Layer) -> int:
            margin, cell = self.frames[layer]
            return map_picture(pool, layer, margin, round(SIDE / cell))

        return {
            "map": self.nest("sp", map_of),
            "window": self.nest("kd", lambda x: kernel_picture(pool, x, True)),
            "weights": self.nest("k", lambda x: kernel_picture(pool, x, False)),
            "out": self.nest("kspd", lambda x: output_picture(pool, x)),
        }

    # -- which channels ------------------------------------------------------------------

    def _channels(self) -> dict[str, Any]:
        outputs, inputs = range(self.outputs), range(self.inputs)

        def each(value: Callable[[Layer, bool], Any]) -> list:
            return self.nest(
                "g", lambda x: [[value(x, c in x.reads(o)) for c in inputs] for o in outputs]
            )

        def blocks(layer: Layer) -> str:
            return "".join(
                _box(
                    MATRIX_X + read[0] * MATRIX, MATRIX_Y + o * MATRIX,
                    len(read) * MATRIX - 2, MATRIX - 2,
                )
                for o in outputs
                if (read := layer.reads(o))
            )  # fmt: skip

        def lost(layer: Layer) -> str:
            rows = [o for o in range(layer.drawn_outputs) if not layer.reads(o)]
            return "".join(
                _box(MATRIX_X, MATRIX_Y + o * MATRIX, len(inputs) * MATRIX - 2, MATRIX - 2)
                for o in rows
            )

        self.counts = sorted({layer.channels for layer in self.layers if layer.valid})
        self.derive["ch"] = L("ch", *self.keys("kpdg"))
        return {
            "n_oc": self.nest("g", lambda x: x.drawn_outputs),
            "ch": self.nest(
                "kpdg", lambda x: self.counts.index(x.channels) if x.valid else len(self.counts)
            ),
            "read": each(lambda x, yes: int(yes and self._shown(x))),
            "faint": each(lambda x, yes: 1 if yes else 0.35),
            "blocks": self.nest("g", blocks), "lost": self.nest("g", lost),
            "chosen": [[0.9 if o == now else 0.35 for o in outputs] for now in outputs],
            "edge": [["hi" if o == now else "line" for o in outputs] for now in outputs],
            "bold": [[3 if o == now else 1 for o in outputs] for now in outputs],
            "row_y": [MATRIX_Y + o * MATRIX - 2 for o in outputs],
            "slots": self.nest("", lambda x: int(x.kind != "deformable")),
        }  # fmt: skip

    # -- words ---------------------------------------------------------------------------

    def border(self, layer: Layer) -> str:
        """The longest that is said of a layer's taps on the padding."""
        least = [min(len(layer.taps(a, i)) for i in range(layer.out(a))) for a in (0, 1)]
        return words.border(layer, *least)

    def _borders(self) -> dict[str, Any]:
        """What is said of taps on the padding, by the kernel and the real inputs on each axis."""
        most = range(1 + max(self.taps, 3))
        shapes: dict[tuple[str, ...], int] = {}
        texts: dict[str, int] = {}

        def shape(layer: Layer) -> int:
            said = tuple(words.border(layer, r, c) for r in most for c in most)
            return shapes.setdefault(said, len(shapes))

        tables = {"shape": self.nest("kpdg", shape)}
        rows = [[texts.setdefault(text, len(texts)) for text in said] for said in shapes]
        size = len(most)
        self.derive["shape"] = L("shape", *self.keys("kpdg"))
        self.derive["at_border"] = L("at_border", "shape", "in_py", "in_px")
        tables["at_border"] = [[row[r * size : (r + 1) * size] for r in most] for row in rows]
        return {**tables, "border": list(texts)}

    def _texts(self) -> dict[str, Any]:
        most = 1 + max(self.taps, 3)
        tables = {
            "label": [str(o) for o in range(self.outputs)],
            "caption": self.nest("kdg", words.caption),
            "more": self.nest("ks", words.more),
            **{
                f"code{i}": self.nest(name, lambda x, i=i: words.code(x)[i])
                for i, name in enumerate(CODE)
            },
            "warn": self.nest("kpdg", words.warning),
            "times": [
                [[f"{r * c * n:,}" if n else "–" for c in range(most)] for r in range(most)]
                for n in (*self.counts, 0)
            ],
            "size_in": self.nest("", _size_in),
            "legend": self.nest("", words.legend),
            "head": self.nest("kpdg", lambda x: "Output" if x.valid else "No output"),
            "all_weights": self.nest("kg", lambda x: f"{x.weights:,}" if x.splits else "–"),
            "all_macs": self.nest("kspdg", lambda x: f"{x.macs:,}" if x.valid else "–"),
        }
        return tables


def _size_in(layer: Layer) -> str:
    spread = ", spread" if layer.transposed and max(layer.stride) > 1 else ""
    return words.by(layer.size) + spread


def shared(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the specification with equal tables stored once, as those of square layers are."""
    first: dict[str, str] = {}
    name_of = {name: first.setdefault(dumps(plain(t)), name) for name, t in spec["tables"].items()}

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"t", "k"}:
            return {"t": name_of[value["t"]], "k": value["k"]}
        return {key: renamed(item) for key, item in value.items()}

    rest = {key: value for key, value in spec.items() if key not in ("tables", "pool")}
    tables = {name: spec["tables"][name] for name in first.values()}
    return {**renamed(rest), "tables": tables, "pool": spec["pool"]}


def _frame(layers: list[Layer]) -> tuple[int, float]:
    """Cells of padding round the maps of one kind and stride, and px of a cell."""
    margin, side = 0, 1
    for layer in layers:
        for a in (0, 1):
            step = layer.stride[a] if layer.transposed else 1
            reach = 2 if layer.kind in ("deformable", "shift") else layer.padding[a]
            if layer.transposed:
                reach = layer.span(a) - 1 - layer.padding[a] + layer.more[a]
            margin, side = max(margin, reach), max(side, (layer.size[a] - 1) * step + 1)
    return margin, SIDE / (side + 2 * margin)


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{x} {y}L{x + width} {y}L{x + width} {y + height}L{x} {y + height}Z"
