"""A comparison as a picture: means with 95 % intervals, and every run as a dot."""

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from matplotlib.transforms import ScaledTranslation

from lightcourse.training._picture import new_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightcourse.training._exp_result import Comparison, Row

_INK, _MUTED, _GRID = "#15202b", "#55626e", "#d9e0e7"
# colours that stay apart for colour-blind eyes, each with a shape of its own
_LINES = (
    ("#0072b2", "o"), ("#c98300", "s"), ("#00785a", "^"), ("#a33f7c", "D"), ("#56606a", "v"),
)  # fmt: skip

_WIDE = 8  # from the least place to the largest, on which a logarithmic axis shows more


def draw(result: "Comparison") -> "Figure":
    """Return the figure: lines over `x` where every variant has one, else a list of variants."""
    lined = all(row.x is not None for row in result.rows)
    height = 4.4 if lined else 1.6 + 0.42 * len(result.rows)
    figure = new_picture((7.6, height))
    axes = figure.add_subplot()
    (_lines if lined else _list)(axes, result)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_MUTED)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    title = ": ".join(part for part in (result.name, result.question) if part)
    axes.set_title(fill(title, 82), loc="left", color=_INK, fontsize=11, pad=8)
    figure.supxlabel(_note(result), x=0.99, ha="right", color=_MUTED, fontsize=8)
    return figure


def _note(result: "Comparison") -> str:
    """What bars, dots and crosses mean."""
    count = len(result.seeds)
    said = f"bars: 95 % interval of the mean over {count} seeds; dots: runs"
    if count == 1:
        said = "1 run"
    if any(row.diverged for row in result.rows):
        said += "; crosses: runs that diverged and count as guessing"
    return said


def _lines(axes: "Axes", result: "Comparison") -> None:
    names = list(dict.fromkeys(row.line for row in result.rows if row.line)) or [""]
    for number, name in enumerate(names):
        rows = sorted((r for r in result.rows if r.line in (name, "")), key=lambda r: r.x or 0)
        colour, shape = _LINES[number % len(_LINES)]
        places = [row.x or 0.0 for row in rows]
        axes.errorbar(
            places, [row.mean for row in rows], yerr=_bars(rows), color=colour, marker=shape,
            capsize=4, lw=1.8, ms=6, label=name or None, zorder=3,
        )  # fmt: skip
        for row, place in zip(rows, places, strict=True):
            _dots(axes, [place] * len(row.scores), row.scores, row, colour, (6, 0))
    every = sorted({row.x or 0.0 for row in result.rows})
    if every[0] > 0 and every[-1] / every[0] >= _WIDE:
        axes.set_xscale("log")
        axes.minorticks_off()
        axes.set_xticks(every)
    else:
        axes.set_xticks(_apart(every))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel(result.x_label, color=_INK)
    axes.set_ylabel("test accuracy (%)", color=_INK)
    axes.grid(True, axis="y", color=_GRID, lw=0.8)
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -2), min(high, 102))  # an interval may go on where no accuracy can
    if names[0]:
        # beside the picture: inside it would stand on error bars, which "best" does not see
        handles, labels = axes.get_legend_handles_labels()
        texts = [fill(label, 20) for label in labels]
        figure = axes.get_figure()
        assert figure is not None
        figure.legend(handles, texts, frameon=False, fontsize=9, loc="outside right center")


def _apart(places: Sequence[float]) -> list[float]:
    """Leave out places whose label would stand on that of the one before."""
    kept: list[float] = []
    for place in places:
        if not kept or place - kept[-1] > 0.05 * (places[-1] - places[0]):
            kept.append(place)
    return kept


def _list(axes: "Axes", result: "Comparison") -> None:
    rows = result.rows
    lines = list(dict.fromkeys(row.line for row in rows))
    for place, row in enumerate(rows):
        colour, shape = _LINES[lines.index(row.line) % len(_LINES)]
        axes.errorbar(
            [row.mean], [place], xerr=_bars([row]), color=colour, marker=shape, capsize=4,
            lw=1.8, ms=7, zorder=3,
        )  # fmt: skip
        _dots(axes, row.scores, [place] * len(row.scores), row, colour, (0, -7))
        axes.annotate(
            f"{row.summary}", (row.mean, place), (0, 8), textcoords="offset points",
            ha="center", color=_INK, fontsize=9,
        )  # fmt: skip
    axes.set_yticks(range(len(rows)), [row.name for row in rows], color=_INK)
    axes.set_ylim(len(rows) - 0.5, -0.7)
    axes.set_xlabel("test accuracy (%)", color=_INK)
    axes.grid(True, axis="x", color=_GRID, lw=0.8)
    low, high = axes.get_xlim()
    axes.set_xlim(max(low, -2), min(high, 102))


def _dots(
    axes: "Axes",
    xs: Sequence[float],
    ys: Sequence[float],
    row: "Row",
    colour: str,
    away: tuple[int, int],
) -> None:
    """Every run as a dot, or a cross if it diverged, away from the bar that would hide it."""
    figure = axes.get_figure()
    assert figure is not None
    shift = ScaledTranslation(away[0] / 72, away[1] / 72, figure.dpi_scale_trans)
    for lost, shape, size, width in ((False, "o", 10, 0), (True, "x", 20, 1)):
        kept = [i for i, run in enumerate(row.runs) if run.diverged is lost]
        if kept:
            axes.scatter(
                [xs[i] for i in kept], [ys[i] for i in kept], size, color=colour, alpha=0.6,
                marker=shape, linewidths=width, transform=axes.transData + shift,
            )  # fmt: skip


def _bars(rows: Sequence["Row"]) -> list[list[float]]:
    """Lengths of the error bars below and above; none for a single seed."""
    known = [row.interval or (row.mean, row.mean) for row in rows]
    low = [row.mean - span[0] for row, span in zip(rows, known, strict=True)]
    high = [span[1] - row.mean for row, span in zip(rows, known, strict=True)]
    return [low, high]
