"""The resolution-ladder scene as tables: places in px, bars to scale, texts.

Keys are [size], [mode] (channels), [stage] and [h2]..[h5]: how far a halving has moved.
"""

from collections.abc import Sequence
from typing import Any

from . import _lad_words as words
from ._lad_net import (
    BYTES,
    EVEN,
    FAST,
    FREE,
    HALVINGS,
    LAYERS,
    MODES,
    SLOW,
    Ladder,
    by_places,
    channels,
    fields,
    places,
    sides,
)

WIDTH, HEIGHT = 840, 586  # px
LEFT, FIRST, PITCH, BAR = 14, 172, 82, 62  # px: input, first layer, from layer to layer, a bar
GROUND, TRACK, NUMBERS = 246, 268, 302  # px: y of the boxes' feet, of the handles, layer numbers
CHARTS = {"act": 396, "macs": 488, "field": 580}  # px: y of the feet of the bars
TALL = 39  # px: the longest bar
BOX = 140  # px: side of the largest picture
RULER, TICK = 206, 46  # px: where the ruler of sizes begins, and its step
STAGES = range(1, HALVINGS + 1)
SLOTS = range(FREE + 1)  # layers that a stage may have
PAINT = ("c8", "c1", "c2", "c3", "c4", "c6")  # of a stage
SHADE = ("#5c656e", "#00527f", "#8f5d00", "#00704f", "#8f4772", "#a04908")  # its boxes' depth
PRESETS = {"fast": FAST, "even": EVEN, "slow": SLOW}


def column(layer: int) -> float:
    """Return where a layer's column begins; the input's is 0."""
    return LEFT if layer == 0 else FIRST + (min(layer, LAYERS) - 1) * PITCH


class View:
    """Tables of the plain network, for some input sizes."""

    def __init__(self, sizes: Sequence[int]):
        self.sizes = sizes
        self.scale = BOX / max(sizes)
        modes = range(len(MODES))
        every = [Ladder(size, mode, EVEN) for size in sizes for mode in modes]
        self.most = {
            "act": max(max(at.outputs) for at in every),
            "macs": max(self.cost(at.size, at.mode, 1, True) for at in every),
            "field": max(fields(FAST)),
        }

    @staticmethod
    def cost(size: int, mode: int, stage: int, rest: bool) -> int:
        """MACs of a stage's halving layer, or of each of its other layers."""
        before, after = channels(mode, stage - (not rest)), channels(mode, stage)
        return 9 * before * after * sides(size)[stage] ** 2

    def bar(self, chart: str, value: float) -> float:
        """Length of a bar, to one scale for all states; a thin line at least."""
        return max(1.0, round(TALL * value / self.most[chart], 1))

    def tables(self) -> dict[str, Any]:
        return {
            **self._boxes(),
            **self._handles(),
            **self._bars(),
            **self._fields(),
            **self._texts(),
        }

    def _each(self, value: Any) -> list:
        """A table [size][mode][stage]."""
        stages = range(HALVINGS + 1)
        return [[[value(r, m, s) for s in stages] for m in range(len(MODES))] for r in self.sizes]

    def _boxes(self) -> dict[str, Any]:
        """Boxes stand on the ground, to scale; their depth grows with log2 of the channels."""
        side = [[self.side(s) for s in sides(r)] for r in self.sizes]
        modes, stages = range(len(MODES)), range(HALVINGS + 1)
        first = [
            [[column(stage + (v if stage > 1 else 0) + j) for j in SLOTS] for v in SLOTS]
            for stage in STAGES
        ]

        def shifted(*by: float) -> list:
            return [
                [[x + d for x in moved] for moved in at] for at, d in zip(first, by, strict=True)
            ]

        deep = [[self.depth(m, s) for s in stages] for m in modes]
        return {
            "side": side, "top": [[GROUND - s for s in row] for row in side],
            "heart": [[GROUND - s / 2 for s in row] for row in side],
            "band": [[s * 2**0.5 for s in row] for row in side],
            "column": first, "centre": shifted(*[BAR / 2] * HALVINGS),
            "behind": [shifted(*(BAR / 2 + d for d in row[1:])) for row in deep],
            "foot": [[GROUND - d for d in row] for row in deep],
            "over": [[[GROUND - s - d for s, d in zip(row, ds, strict=True)] for ds in deep]
                     for row in side],
            "heart_behind": [[[GROUND - s / 2 - d for s, d in zip(row, ds, strict=True)]
                              for ds in deep] for row in side],
            "there": [[[int(j <= high - low) for j in SLOTS] for high in SLOTS] for low in SLOTS],
            "tip": self._each(lambda r, m, s: words.tip(s, m, r)),
            "lost": [min(words.lost(r) * self.scale, self.side(r)) for r in self.sizes],
            "lost_y": [GROUND - min(words.lost(r) * self.scale, self.side(r)) for r in self.sizes],
        }  # fmt: skip

    def side(self, pixels: int) -> float:
        """Side of a box in px of the frame; a dot at least."""
        return max(1.5, pixels * self.scale)

    @staticmethod
    def depth(mode: int, stage: int) -> float:
        return 1.8 * channels(mode, stage).bit_length()

    def _handles(self) -> dict[str, Any]:
        steps = range(FREE + 1)
        return {
            "upto": [v + 1 for v in steps],
            "handle": [[self.handle(stage, v) for v in steps] for stage in STAGES],
            "halving": [
                [f"Halving {stage} of {HALVINGS}, in layer {stage + v}" for v in steps]
                for stage in STAGES
            ],
            "preset": by_places(
                lambda halved: ["c1" if halved == p else "panel" for p in PRESETS.values()]),
            "preset_ink": by_places(
                lambda halved: ["bg" if halved == p else "ink" for p in PRESETS.values()]),
        }  # fmt: skip

    @staticmethod
    def handle(stage: int, move: int) -> float:
        return column(stage + move) + BAR / 2

    def _bars(self) -> dict[str, Any]:
        def output(r: int, m: int, s: int) -> int:
            return BYTES * channels(m, s) * sides(r)[s] ** 2

        def cost(rest: bool) -> Any:
            return lambda r, m, s: self.cost(r, m, max(1, s), rest)

        tables: dict[str, Any] = {}
        values = {"act": output, "macs": cost(False), "more": cost(True)}
        for name, value in values.items():
            chart = name if name in CHARTS else "macs"
            high = self._each(lambda r, m, s, v=value, c=chart: self.bar(c, v(r, m, s)))
            tables[name] = high
            foot = CHARTS[chart]
            tables[f"{name}_y"] = [[[foot - h for h in row] for row in m] for m in high]
            tables[f"{name}_over"] = [[[foot - h - 4 for h in row] for row in m] for m in high]
            unit = "B" if name == "act" else ""
            tables[f"{name}_s"] = self._each(
                lambda r, m, s, v=value, u=unit: words.short(v(r, m, s), u)
            )
        return tables

    def _fields(self) -> dict[str, Any]:
        seen = by_places(fields)
        deep = by_places(lambda halved: [self.bar("field", f) for f in fields(halved)])
        paint = by_places(lambda halved: [PAINT[s] for s in Ladder(32, 0, halved).stages])
        foot = CHARTS["field"]
        tops = by_places(lambda halved: [foot - self.bar("field", f) for f in fields(halved)])
        overs = by_places(lambda halved: [foot - self.bar("field", f) - 4 for f in fields(halved)])
        return {"field": deep, "field_y": tops, "field_over": overs, "seen": seen, "paint": paint}

    def _texts(self) -> dict[str, Any]:
        modes = range(len(MODES))

        def whole(value: Any) -> list:
            return [[by_places(lambda h, r=r, m=m: value(Ladder(r, m, h))) for m in modes]
                    for r in self.sizes]  # fmt: skip

        return {
            "who": by_places(words.name_of), "claim": whole(words.claim),
            "leaves": [words.leaves(r) for r in self.sizes],
            "act_head": [
                [[words.memory_heading(Ladder(r, m, places(v, FREE, FREE, FREE))) for v in SLOTS]
                 for m in modes] for r in self.sizes
            ],
            "macs_head": [[words.macs_heading(r, m) for m in modes] for r in self.sizes],
            "field_head": by_places(words.field_heading),
            "convolved": [words.convolved(r) for r in self.sizes],
            "pooled": [words.pooled_line(r) for r in self.sizes],
            "rounding": [words.rounding(r) for r in self.sizes],
            "weights": [by_places(lambda h, m=m: words.weights(m, h)) for m in modes],
            "warn": [words.warning(r) for r in self.sizes],
            "strides": by_places(words.strides), "code": [words.code(m) for m in modes],
            "run": [words.run(r) for r in self.sizes],
        }  # fmt: skip
