"""The roofline as a picture: log-log axes, the roofs, and a dot for every layer."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lightcourse.analysis._time_text import duration
from lightcourse.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

    from lightcourse.analysis._layer_times import LayerTimes
    from lightcourse.analysis.roofline import Roofline

_INK, _MUTED, _GRID = "#15202b", "#55626e", "#d9e0e7"
_COLOURS = {"compute": "#c98300", "memory": "#0072b2"}
_LARGEST = 420.0  # square points of the dot of the layer with the most MACs
_SMALLEST = 14.0


class Dot(NamedTuple):
    """One layer on the picture."""

    name: str
    x: float  # FLOPs per byte
    y: float  # multiply-accumulates per second
    size: float
    bound: str
    macs: int


def draw(line: "Roofline", times: "LayerTimes | None") -> "Figure":
    """Return the figure; raise `UserError` when no layer multiplies anything."""
    dots = _dots(line, times)
    if not dots:
        raise UserError(f"No layer of {line.name} multiplies, so the roofline has nothing to show.")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 5.4), dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)  # a figure of its own: pyplot's list of open figures stays empty
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.set_yscale("log")
    _roofs(axes, line, dots)
    _layers(axes, dots)
    _words(axes, line, times)
    figure.draw_without_rendering()  # the layout must stand before words can be measured
    _labels(axes, dots)  # last: names keep clear of everything else
    return figure


def _dots(line: "Roofline", times: "LayerTimes | None") -> list[Dot]:
    measured = {} if times is None else {row.name: row.measured for row in times.rows}
    rows = [row for row in line.rows if row.macs and (times is None or measured.get(row.name))]
    most = max((row.macs for row in rows), default=1)
    return [
        Dot(
            row.name,
            row.intensity,
            row.attainable if times is None else row.macs / measured[row.name],
            _SMALLEST + _LARGEST * row.macs / most,
            row.bound,
            row.macs,
        )
        for row in rows
    ]


def _speeds(line: "Roofline") -> dict[str, float]:
    """The bandwidths that are drawn, in bytes per second: of the memory, and of the first cache."""
    machine = line.machine
    speeds = {"memory": machine.bandwidth}
    if machine.caches and machine.caches[0][1] > 1.05 * machine.bandwidth:
        speeds["nearest cache"] = machine.caches[0][1]
    return speeds


def _roofs(axes: "Axes", line: "Roofline", dots: Sequence[Dot]) -> None:
    machine = line.machine
    speeds = _speeds(line)
    ridges = [2 * machine.peak_macs / speed for speed in speeds.values()]
    left = min(*(dot.x for dot in dots), *ridges) / 2
    right = max(*(dot.x for dot in dots), *ridges) * 3
    low = min(*(dot.y for dot in dots), min(speeds.values()) * left / 2) / 1.6
    axes.set_xlim(left, right)
    axes.set_ylim(low, machine.peak_macs * 2.2)
    axes.plot([min(ridges), right], [machine.peak_macs] * 2, color=_INK, lw=2, zorder=2)
    axes.annotate(
        f"peak {machine.peak_macs / 1e9:.4g} GMAC/s", (right, machine.peak_macs), (-6, 13),
        textcoords="offset points", ha="right", color=_INK, fontsize=10,
    )  # fmt: skip
    if len(ridges) > 1:  # the roof of a layer lies where the bandwidth for its bytes puts it
        slow, fast = speeds.values()
        corners = [left, *sorted(ridges), right]
        low_roof, high_roof = (
            [min(machine.peak_macs, speed * x / 2) for x in corners] for speed in (slow, fast)
        )
        band = [
            *zip(corners, low_roof, strict=True),
            *zip(corners[::-1], high_roof[::-1], strict=True),
        ]
        axes.fill(*zip(*band, strict=True), color=_GRID, alpha=0.45, lw=0, zorder=1)
    for (name, speed), ridge in zip(speeds.items(), ridges, strict=True):
        solid = name == "memory"
        axes.plot(
            [left, ridge], [speed * left / 2, machine.peak_macs],
            color=_INK, lw=2 if solid else 1.3, ls="-" if solid else "--", zorder=2,
        )  # fmt: skip
        x = left * (ridge / left) ** (0.5 if solid else 0.25)
        # below a rising line there is room to the right
        axes.annotate(
            f"{name} {speed / 1e9:.3g} GB/s", (x, speed * x / 2), (6, -6),
            textcoords="offset points", va="top", color=_INK, fontsize=10,
        )  # fmt: skip


def _layers(axes: "Axes", dots: Sequence[Dot]) -> None:
    for bound, colour in _COLOURS.items():
        mine = [dot for dot in dots if dot.bound == bound]
        if mine:
            axes.scatter(
                [d.x for d in mine], [d.y for d in mine], [d.size for d in mine],
                color=colour, alpha=0.55, edgecolors="white", linewidths=0.8, zorder=3,
                label=f"{len(mine)} layer{'s' if len(mine) > 1 else ''} limited by "
                + ("memory" if bound == "memory" else "arithmetic"),
            )  # fmt: skip
    legend = axes.legend(loc="lower right", frameon=False, fontsize=10)
    for handle in legend.legend_handles:
        if handle is not None and hasattr(handle, "set_sizes"):
            handle.set_sizes([60])  # pyright: ignore[reportAttributeAccessIssue]


def _labels(axes: "Axes", dots: Sequence[Dot]) -> None:
    """Name the extremes: the most MACs, the least and the greatest intensity, the slowest."""
    from matplotlib.legend import Legend

    chosen = (
        max(dots, key=lambda d: d.macs),
        min(dots, key=lambda d: d.x),
        max(dots, key=lambda d: d.x),
        min(dots, key=lambda d: d.y),
    )
    taken = [mark.get_window_extent() for mark in (*axes.texts, *axes.findobj(Legend))]
    taken += [line.get_window_extent().padded(2) for line in axes.lines[:1]]  # the flat roof
    taken += [_box(axes, dot) for dot in dots]
    for dot in dict.fromkeys(chosen):
        for words in _candidates(axes, dot):
            box = words.get_window_extent().padded(2)
            inside = axes.bbox.containsx(box.x0) and axes.bbox.containsx(box.x1)
            inside = inside and axes.bbox.containsy(box.y0) and axes.bbox.containsy(box.y1)
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            words.remove()  # its words would stand on another's


def _box(axes: "Axes", dot: Dot) -> "Bbox":
    """The pixels of a dot."""
    from matplotlib.transforms import Bbox

    x, y = axes.transData.transform((dot.x, dot.y))
    reach = math.sqrt(dot.size / math.pi) * axes.figure.dpi / 72
    return Bbox([[x - reach, y - reach], [x + reach, y + reach]])


def _candidates(axes: "Axes", dot: Dot) -> "Iterator[Annotation]":
    """The name of a dot at one place after another; the caller removes what it rejects."""
    reach = math.sqrt(dot.size) / 2 + 3
    for far in (1, 2.5, 4, 6):
        for x, y in ((0, -1), (0, 1), (1, 0), (-1, 0), (1, -1), (-1, -1), (1, 1), (-1, 1)):
            yield axes.annotate(
                dot.name, (dot.x, dot.y), (far * reach * x, far * reach * y),
                textcoords="offset points", ha=("center", "left", "right")[x],
                va=("center", "bottom", "top")[y], fontsize=9, color=_INK, zorder=4,
                arrowprops={"arrowstyle": "-", "color": _MUTED, "lw": 0.7} if far > 1 else None,
                bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1},
            )  # fmt: skip


def _words(axes: "Axes", line: "Roofline", times: "LayerTimes | None") -> None:
    axes.set_xlabel("arithmetic intensity (FLOPs per byte)", color=_INK)
    axes.set_ylabel("multiply-accumulates per second", color=_INK)
    axes.grid(True, which="major", color=_GRID, lw=0.8, zorder=0)
    axes.tick_params(colors=_MUTED, which="both")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    without = [row for row in line.rows if not row.macs and row.seconds]
    idle = sum(row.seconds for row in without) / line.seconds
    what = "at most reachable" if times is None else "measured"
    title = f"{line.name}: {what} speed of its layers, dots as large as their MACs"
    if without:
        title += (
            f"\n{len(without)} layers that multiply nothing are not shown; they need at least "
            f"{duration(sum(row.seconds for row in without))}, {idle:.0%} of the least time"
        )
    if len(_speeds(line)) > 1:
        title += (
            "\ncolours: by the roof for a layer's own bytes, in the grey band (small maps stay in a"
            " cache)"
        )
    axes.set_title(title, loc="left", color=_INK, fontsize=11)
