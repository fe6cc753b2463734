"""The resolution ladder of a learner's own network: its distinct map sizes, at several inputs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from lightcourse.errors import UserError

from ..marks import Mark, mark, text
from ..scene import L, Scene
from ._lad_marks import SMALL, TEXT, ruler, ruler_tables
from ._lad_net import BYTES
from ._lad_view import (
    BAR,
    BOX,
    CHARTS,
    GROUND,
    HEIGHT,
    LEFT,
    NUMBERS,
    PAINT,
    SHADE,
    TALL,
    WIDTH,
    column,
)  # fmt: skip
from ._lad_words import short

MOST = 8  # columns


@dataclass(frozen=True)
class Stage:
    """All layers whose output has one height and width."""

    height: int
    width: int
    channels: int  # the most that a map has
    layers: int
    largest: int  # bytes of the largest map, as float32
    macs: int
    field: float  # rows that a unit of the last such layer sees; infinite where it sees all

    @property
    def name(self) -> str:
        return f"{self.height}×{self.width}"


@dataclass(frozen=True)
class Rung:
    """The network at one input size, or the reason why it does not run."""

    size: int
    stages: tuple[Stage, ...] = ()
    macs: int = 0
    peak: int = 0  # bytes that are alive at once, as `analyze` finds them
    hidden: int = 0  # map sizes beyond those that have a column
    bound: bool = False  # an operator without a formula makes the MACs a lower bound
    why: str = ""


def rungs(model: Any, sizes: Sequence[int]) -> tuple[list[Rung], int]:
    """Return what the network is at each size, and its input channels.

    Raises:
        UserError: it runs at no size, or has no map (N, C, H, W).
    """
    from torch import nn

    if not isinstance(model, nn.Module):
        raise UserError(f"cannot draw {type(model).__name__} as a network; give an nn.Module.")
    asked = [getattr(module, "in_channels", None) for module in model.modules()]
    channels = next((c for c in asked if isinstance(c, int)), 3)
    found = [_rung(model, channels, size) for size in sizes]
    if not any(rung.stages for rung in found):
        why = next((rung.why for rung in found if rung.why), "")
        raise UserError(
            f"{type(model).__name__} has no map (N, C, H, W) at {found[-1].size} px. {why}".strip()
        )
    return found, channels


def _rung(model: Any, channels: int, size: int) -> Rung:
    from lightcourse.analysis import analyze

    try:
        report = analyze(model, (1, channels, size, size))
    except UserError as error:
        return Rung(size, why=str(error))
    groups: dict[tuple[int, int], list[Any]] = {}
    for layer in report.layers:
        if len(layer.output_shape) == 4:
            groups.setdefault(layer.output_shape[2:], []).append(layer)
    stages = sorted((_stage(*item) for item in groups.items()), key=lambda s: -s.height * s.width)
    hidden = max(0, len(stages) - MOST)
    return Rung(
        size, tuple(stages[:MOST]), report.macs, report.peak_activation, hidden,
        bool(report.unknown),
    )  # fmt: skip


def _stage(shape: tuple[int, int], layers: list[Any]) -> Stage:
    fields = [layer.receptive_field for layer in layers]
    seen = [max((f.local or f).size) for f in fields if f is not None]
    return Stage(
        *shape,
        channels=max(layer.output_shape[1] for layer in layers),
        layers=len(layers),
        largest=BYTES * max(prod(layer.output_shape) for layer in layers),
        macs=sum(layer.macs for layer in layers),
        field=max(seen, default=1),
    )


def scene_of_module(model: Any, sizes: Sequence[int]) -> Scene:
    """Build the scene of an own network; its only parameter is the input size."""
    found, channels = rungs(model, sizes)
    name = type(model).__name__
    here = [i for i, rung in enumerate(found) if rung.stages]
    start = next((i for i in here if found[i].size == 224), here[-1])
    columns = max(len(rung.stages) for rung in found)
    spec = {
        "v": 1,
        "id": "resolution-ladder",
        "title": f"The resolution ladder of {name}",
        "subtitle": "its distinct map sizes, with what the layers of each size cost: drag the size",
        "alt": f"The map sizes of {name} as boxes to scale, with bars for activation memory, MACs"
        " and receptive field",
        "size": [WIDTH, HEIGHT],
        "dur": 300,
        "params": [
            {"name": "size", "label": "Input", "kind": "step", "n": len(sizes), "value": start,
             "labels": L("size", "size"), "play": 1600}
        ],
        "tables": _tables(found, columns, name, channels),
        "marks": _marks([rung.size for rung in found], columns),
        "caption": L("caption", "size"),
        "code": L("code", "size"),
        "warn": L("warn", "size"),
    }  # fmt: skip
    return Scene.of(spec)


Each = Callable[[Callable[[Stage], Any], Any], list]  # a table [size][column] of a stage's value


def _tables(found: list[Rung], columns: int, name: str, channels: int) -> dict[str, Any]:
    def each(value: Callable[[Stage], Any], none: Any) -> list:
        rows = [[value(stage) for stage in rung.stages] for rung in found]
        return [row + [none] * (columns - len(row)) for row in rows]

    # a transposed convolution's map may be larger than the input
    largest = max(side for r in found for s in r.stages for side in (s.height, s.width))
    scale = BOX / max(largest, *(rung.size for rung in found))
    tables: dict[str, Any] = {
        **ruler_tables([rung.size for rung in found]),
        **_boxes(each, scale),
        "side": [rung.size * scale for rung in found],
        "top": [GROUND - rung.size * scale for rung in found],
        "there": each(lambda s: 1, 0),
        "stage": each(lambda s: s.name, ""),
        "tip": each(_tip, "no such map"),
        "caption": [_caption(rung, found, name) for rung in found],
        "code": [f"analyze(model, (1, {channels}, {r.size}, {r.size}))" for r in found],
        "warn": [rung.why for rung in found],
        "heads": [_heads(rung) for rung in found],
    }
    charts = {"act": (lambda s: s.largest, "B"), "macs": (lambda s: s.macs, ""),
              "field": (lambda s: s.field, "")}  # fmt: skip
    for chart, (value, unit) in charts.items():
        finite = [v for r in found for v in map(value, r.stages) if v != float("inf")]
        most = max(finite, default=1) or 1
        bars = each(lambda s, v=value, m=most: max(1.0, TALL * min(1, v(s) / m)), 0)
        tables[chart] = bars
        tables[f"{chart}_y"] = [[CHARTS[chart] - b for b in row] for row in bars]
        tables[f"{chart}_over"] = [[CHARTS[chart] - b - 4 for b in row] for row in bars]
        tables[f"{chart}_s"] = each(lambda s, v=value, u=unit: _number(v(s), u), "")
    return tables


def _boxes(each: Each, scale: float) -> dict[str, list]:
    """Boxes on the ground, to scale; their depth grows with log2 of the channels."""
    deep = each(lambda s: 1.8 * s.channels.bit_length(), 0)
    high = each(lambda s: max(1.5, s.height * scale), 0)

    def behind(part: float) -> list:
        pairs = (zip(*rows, strict=True) for rows in zip(high, deep, strict=True))
        return [[GROUND - h * part - d for h, d in row] for row in pairs]

    return {
        "wide": each(lambda s: max(1.5, s.width * scale), 0),
        "roof": [[GROUND - h for h in row] for row in high],
        "heart": [[GROUND - h / 2 for h in row] for row in high],
        "band": [[h * 2**0.5 for h in row] for row in high],
        "behind": [[column(i) + BAR / 2 + d for i, d in enumerate(row, 1)] for row in deep],
        "foot": behind(0),
        "over": behind(1),
        "heart_behind": behind(0.5),
    }


def _tip(stage: Stage) -> str:
    layers = "1 layer" if stage.layers == 1 else f"{stage.layers} layers"
    return f"{layers} on {stage.name} maps, up to {stage.channels} channels"


def _number(value: float, unit: str) -> str:
    if value == float("inf"):
        return "all"
    return short(value, unit) if unit or value >= 10_000 else f"{value:g}"


def _heads(rung: Rung) -> list[str]:
    """Headings of the three charts."""
    if not rung.stages:
        return ["Largest map of each size", "MACs", "Receptive field"]
    most = max(rung.stages, key=lambda s: s.macs)
    share = most.macs / rung.macs if rung.macs else 0
    return [
        f"Largest map of each size · peak {short(rung.peak, 'B')} at once",
        f"MACs · {share:.0%} on {most.name} maps",
        "Receptive field, px, at the end of each size",
    ]


def _caption(rung: Rung, found: list[Rung], name: str) -> str:
    if not rung.stages:
        return f"{name} does not run at **{rung.size} px**."
    largest = max((r for r in found if r.stages), key=lambda r: r.size)
    maps = " → ".join(stage.name for stage in rung.stages)
    more = f" and {rung.hidden} smaller" if rung.hidden else ""
    least = "≥ " * rung.bound
    said = f"{rung.size} px: **{least}{short(rung.macs)}** MACs; maps {maps}{more}."
    if rung is largest or not largest.macs:
        return said
    part, area = rung.macs / largest.macs, (rung.size / largest.size) ** 2
    return (
        f"{said} That is **{part:.3f}** of the MACs at {largest.size} px, and"
        f" ({rung.size}/{largest.size})² = {area:.3f}."
    )


def _marks(sizes: list[int], columns: int) -> list[Mark]:
    marks = [
        *ruler(sizes),
        mark("line", "ground", x1=LEFT - 4, x2=WIDTH - 8, y1=GROUND, y2=GROUND, stroke="line",
             stroke_width=1.5, pe=0),
        mark("rect", "input", x=LEFT, y=L("top", "size"), width=L("side", "size"),
             height=L("side", "size"), fill="c8", pe=0),
        text("input_s", LEFT, NUMBERS - 22, "input", SMALL, fill="muted", pe=0),
    ]  # fmt: skip
    for i, (chart, foot) in enumerate(CHARTS.items()):
        marks += [
            text(f"{chart}_head", LEFT, foot - 66, L("heads", "size", i), TEXT, bold=True, pe=0),
            mark("line", f"{chart}_foot", x1=LEFT - 4, x2=WIDTH - 8, y1=foot, y2=foot,
                 stroke="line", stroke_width=1, pe=0),
        ]  # fmt: skip
    return marks + [m for i in range(columns) for m in _column(i)]


def _column(i: int) -> list[Mark]:
    """One map size: its box, its name and its three bars."""
    colour = 1 + i % (len(PAINT) - 1)
    x, centre, key = column(i + 1), column(i + 1) + BAR / 2, ("size", i)
    there = {"opacity": L("there", *key), "link": i}
    shade = {**there, "stroke": SHADE[colour], "pe": 0}
    wide, behind = L("wide", *key), L("behind", *key)
    marks = [
        mark("line", f"back{i}", x1=behind, x2=behind, y1=L("foot", *key), y2=L("over", *key),
             stroke_width=wide, **shade),
        mark("line", f"band{i}", x1=centre, x2=behind, y1=L("heart", *key),
             y2=L("heart_behind", *key), stroke_width=L("band", *key), **shade),
        mark("line", f"box{i}", x1=centre, x2=centre, y1=GROUND, y2=L("roof", *key),
             stroke_width=wide, **{**shade, "stroke": PAINT[colour], "pe": 1},
             tip=L("tip", *key)),
        text(f"stage{i}", centre, NUMBERS - 22, L("stage", *key), 17, anchor="middle",
             fill="muted", pe=0),
    ]  # fmt: skip
    for chart in CHARTS:
        marks += [
            mark("rect", f"{chart}{i}", x=x, y=L(f"{chart}_y", *key), width=BAR,
                 height=L(chart, *key), fill=PAINT[colour], **there, pe=0),
            text(f"{chart}_s{i}", x, L(f"{chart}_over", *key), L(f"{chart}_s", *key), SMALL,
                 opacity=L("there", *key), pe=0),
        ]  # fmt: skip
    return marks
