"""How a history looks: a figure with two panels, and a table with a small curve for notebooks."""

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lightcourse.training.history import Epoch, History

_TRAIN, _TEST = "#c98300", "#0072b2"  # told apart by eyes of all kinds, and by their dashes


def draw(history: "History") -> "Figure":
    """Return the figure: loss on the left, accuracy on the right, one legend above both."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    from lightcourse.training._picture import new_picture

    figure = new_picture((8.4, 3.6))
    epochs = [row.epoch for row in history.epochs]
    for place, name, label in ((1, "loss", "loss (nats)"), (2, "accuracy", "accuracy")):
        axes = figure.add_subplot(1, 2, place)
        for part, colour, line in (("train", _TRAIN, "o--"), ("test", _TEST, "o-")):
            values = [getattr(row, f"{part}_{name}") for row in history.epochs]
            axes.plot(epochs, values, line, color=colour, label=part, markersize=4)
        axes.set(xlabel="epoch", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color="#d9e0e7", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        if name == "accuracy":
            axes.set_ylim(0.0, 1.0)
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
            figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def page(history: "History", summary: str) -> str:
    """Return the table in HTML, one line per epoch, the curve of both accuracies beside it."""
    heads = ("epoch", "train loss", "test loss", "train acc.", "test acc.", "lr", "seconds")
    head = "".join(f"<th scope='col'>{text}</th>" for text in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in _cells(row))}</tr>" for row in history.epochs
    )
    return (
        f"<style>{_CSS}</style><div class='lightcourse-run'><p>{escape(summary)}</p>"
        f"<div class='both'><div class='rows'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{curve(history.epochs)}</div></div>"
    )


def _cells(row: "Epoch") -> tuple[str, ...]:
    return (
        str(row.epoch), f"{row.train_loss:.3f}", f"{row.test_loss:.3f}",
        f"{row.train_accuracy:.1%}", f"{row.test_accuracy:.1%}", f"{row.lr:.2g}",
        f"{row.seconds:.1f}",
    )  # fmt: skip


def curve(rows: "tuple[Epoch, ...]", epochs: int = 0) -> str:
    """Return accuracy against epoch as a small SVG; empty before the second epoch."""
    if len(rows) < 2:
        return ""
    wide, high, left = 220, 110, 34
    last = max(epochs, rows[-1].epoch)

    def place(row: "Epoch", value: float) -> str:
        x = left + (wide - left - 6) * (row.epoch - 1) / (last - 1)
        return f"{x:.1f},{high - 18 - (high - 28) * value:.1f}"

    lines = []
    for name, colour, dash in (("train", _TRAIN, "4 3"), ("test", _TEST, "")):
        points = " ".join(place(row, getattr(row, f"{name}_accuracy")) for row in rows)
        lines.append(
            f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='2' "
            f"stroke-dasharray='{dash}'/>"
        )
    ticks = "".join(
        f"<text x='{left - 4}' y='{high - 15 - (high - 28) * share:.1f}' "
        f"text-anchor='end'>{share:.0%}</text>"
        for share in (0.0, 0.5, 1.0)
    )
    said = f"test accuracy went from {rows[0].test_accuracy:.1%} to {rows[-1].test_accuracy:.1%}"
    return (
        f"<svg width='{wide}' height='{high}' viewBox='0 0 {wide} {high}' role='img' "
        f"aria-label='{said}' font-size='11' fill='currentColor'>{ticks}{_key(left, high - 4)}"
        f"{''.join(lines)}</svg>"
    )


def _key(x: int, y: int) -> str:
    """Say which line is which; the words keep the page's own colour, which can always be read."""
    parts = []
    for at, name, colour, dash in ((x, "train", _TRAIN, "4 3"), (x + 62, "test", _TEST, "")):
        parts.append(
            f"<path d='M{at} {y - 4}h20' stroke='{colour}' stroke-width='2' "
            f"stroke-dasharray='{dash}'/><text x='{at + 24}' y='{y}'>{name}</text>"
        )
    return f"{''.join(parts)}<text x='{x + 114}' y='{y}'>accuracy</text>"


_CSS = (
    ".lightcourse-run .both{display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start}"
    ".lightcourse-run .rows{max-height:24em;overflow:auto}"
    ".lightcourse-run table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    ".lightcourse-run th,.lightcourse-run td{padding:.1em .6em;text-align:right!important;"
    "white-space:nowrap}"
)
