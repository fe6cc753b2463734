"""The Pareto front: which points nothing beats, and the picture of it."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from lightcourse.design.portrait import PortraitRow

_INK, _MUTED, _GRID = "#15202b", "#55626e", "#d9e0e7"
# colours and shapes, so that no family is told apart by colour alone
_COLOURS = ("#0072b2", "#c98300", "#00785a", "#a33f7c", "#56606a")
_SHAPES = "os^Dv*PX<>hp8d"


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the indices of the points that no other beats, cheapest first.

    A point is (cost, value); one beats another when it costs no more and is worth more, or costs
    less and is worth as much. Twins with the same cost and value are both kept.

    >>> front([(1, 10), (2, 9), (3, 12), (3, 11), (3, 12)])
    [0, 2, 4]
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1]))
    kept: list[int] = []
    for index in order:
        if not kept or points[index][1] > points[kept[-1]][1] or points[index] == points[kept[-1]]:
            kept.append(index)
    return kept


class Picture(Figure):
    """A figure that a notebook shows, whether or not pyplot was imported before."""

    def _repr_png_(self) -> bytes:
        out = BytesIO()
        self.savefig(out, format="png")
        return out.getvalue()


def label(x: str) -> tuple[str, float]:
    """Return what a cost is called on the axis, and what to divide it by."""
    known: dict[str, tuple[str, float]] = {
        "params": ("parameters, millions", 1e6),
        "macs": ("multiply-accumulates, millions", 1e6),
        "memory_access": ("memory access, MB", 1e6),
        "peak_activation": ("peak activation memory, MB", 1e6),
    }
    return known.get(x, (f"milliseconds a picture: {x}", 1e-3))


def draw(rows: Sequence["PortraitRow"], best: Sequence["PortraitRow"], x: str) -> Figure:
    """Return accuracy over a cost; the front is joined and named, beaten networks are faint."""
    title, unit = label(x)
    figure = Picture(figsize=(8.4, 5.2), dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes: Any = figure.add_subplot()
    names = {row.variant for row in best}
    for number, family in enumerate(dict.fromkeys(row.family for row in rows)):
        mine = [row for row in rows if row.family == family]
        axes.scatter(
            [(row.cost(x) or 0) / unit for row in mine],
            [row.top1 for row in mine],
            c=_COLOURS[number % len(_COLOURS)],
            marker=_SHAPES[number % len(_SHAPES)],
            alpha=[1.0 if row.variant in names else 0.35 for row in mine],
            label=family,
            zorder=3,
        )
    places = [((row.cost(x) or 0) / unit, row.top1) for row in best]
    axes.step([p for p, _ in places], [v for _, v in places], where="post", color=_MUTED, lw=1)
    for row, (place, value) in zip(best, places, strict=True):
        axes.annotate(
            row.variant, (place, value), xytext=(-4, 5), textcoords="offset points",
            ha="right", fontsize=7, color=_INK,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.grid(color=_GRID, lw=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(title)
    axes.set_ylabel("top-1 accuracy on ImageNet, %, as published")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    return figure
