"""How detection shows itself: boxes on pictures, precision against recall, a run's curves."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from torch import Tensor

from lightcourse.detection._matching import WRONG
from lightcourse.detection.metrics import judge
from lightcourse.detection.results import Detections, Objects
from lightcourse.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lightcourse.detection.history import DetectorHistory
    from lightcourse.detection.metrics import MeanAveragePrecision

# told apart by eyes of all kinds (Okabe and Ito), and by their letters
COLOURS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#0072b2")
DASHES = ("-", "--", "-.", ":")
COLUMNS = 4


def draw_boxes(
    images: Tensor,
    found: Sequence[Detections] | None,
    truth: Sequence[Objects] | None,
    classes: Sequence[str],
    *,
    threshold: float = 0.25,
) -> Figure:
    """Draw found boxes on pictures (N, 3, H, W) uint8, and beside them the objects, dashed white.

    Each found box has its class's colour, name and score; one that is wrong at IoU 0.5 is thin and
    marked with a cross. Boxes below `threshold` are left out.

    >>> from lightcourse.detection import scenes
    >>> part = scenes(2, 1, size=64, cache=False).train
    >>> figure = draw_boxes(part.images, None, [part.objects(0), part.objects(1)], part.classes)
    >>> len(figure.axes)
    2
    """
    from lightcourse.training._picture import new_picture

    count = len(images)
    for name, given in (("found", found), ("truth", truth)):
        if given is not None and len(given) != count:
            raise UserError(f"there are {count} pictures and {name} boxes of {len(given)}.")
    if images.dim() != 4 or images.shape[1] not in (1, 3) or not count:
        raise UserError("images are at least one picture, (N, 3, H, W) or (N, 1, H, W).")
    rows = -(-count // COLUMNS)
    figure = new_picture((2.6 * min(count, COLUMNS), 2.6 * rows + 0.4), "compressed")
    grid = figure.subplots(rows, min(count, COLUMNS), squeeze=False).reshape(-1)
    for index, axes in enumerate(grid):
        if index >= count:
            axes.remove()
            continue
        picture = images[index].permute(1, 2, 0).cpu().numpy()
        axes.imshow(picture, cmap="gray", interpolation="nearest", extent=_extent(images))
        axes.set_axis_off()
        there = None if truth is None else truth[index]
        if there is not None:
            _outline(axes, there, classes, named=found is None)
        if found is not None:
            _answers(axes, found[index].above(threshold), there, classes)
    return figure


def _extent(images: Tensor) -> tuple[float, float, float, float]:
    return (0, images.shape[3], images.shape[2], 0)  # a pixel's corner, not its middle, counts


def _rectangle(axes: Any, box: Tensor, **style: Any) -> None:
    from matplotlib.patches import Rectangle

    x1, y1, x2, y2 = box.tolist()
    axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, **style))


def _word(axes: Any, box: Tensor, text: object, colour: str) -> None:
    left, top = max(float(box[0]), 0.0), float(box[1])
    plate = {"facecolor": colour, "edgecolor": "none", "pad": 0.8}
    axes.text(left, max(top, 4.0), str(text), fontsize=7, color="black", bbox=plate, clip_on=True)


def _outline(axes: Any, there: Objects, classes: Sequence[str], named: bool) -> None:
    for box, label in zip(there.boxes, there.labels.tolist(), strict=True):
        if named:
            _rectangle(axes, box, edgecolor=_colour(label), linewidth=1.5)
            _word(axes, box, classes[label], _colour(label))
        else:
            _rectangle(axes, box, edgecolor="white", linewidth=1.2, linestyle="--")


def _answers(axes: Any, found: Detections, there: Objects | None, classes: Sequence[str]) -> None:
    right = [1] * len(found) if there is None else judge(found, there).right.tolist()
    rows = zip(found.boxes, found.scores, found.labels.tolist(), right, strict=True)
    for box, score, label, verdict in rows:
        good = verdict != WRONG
        _rectangle(axes, box, edgecolor=_colour(label), linewidth=1.8 if good else 0.9)
        mark = "" if good else "× "
        _word(axes, box, f"{mark}{classes[label]} {score:.2f}", _colour(label))


def _colour(label: int) -> str:
    return COLOURS[label % len(COLOURS)]


def draw_curves(score: MeanAveragePrecision) -> Figure:
    """Draw precision against recall, a line for each class, at the first threshold."""
    from lightcourse.training._picture import new_picture

    figure = new_picture((5.2, 3.8))
    axes = figure.add_subplot()
    for curve in score.curves[: len(score.classes)]:
        name = score.classes[curve.label]
        if curve.objects:
            axes.step(
                [0.0, *curve.recall], [1.0, *curve.precision], where="post",
                color=_colour(curve.label), linestyle=DASHES[curve.label % len(DASHES)],
                label=f"{name}, AP {curve.ap:.3f}",
            )  # fmt: skip
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.05))
    axes.set_title(f"IoU {score.thresholds[0]:g}", fontsize="medium")
    axes.grid(color="#d9e0e7", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower left", fontsize="small")
    return figure


def draw_history(history: DetectorHistory) -> Figure:
    """Draw the three losses on the left, the mAP on the right."""
    from matplotlib.ticker import MaxNLocator

    from lightcourse.training._picture import new_picture

    figure = new_picture((8.4, 3.6))
    epochs = [row.epoch for row in history.epochs]
    left, right = figure.subplots(1, 2)
    for place, name in enumerate(("box", "objectness", "class")):
        values = [getattr(row, f"{name}_loss") for row in history.epochs]
        left.plot(epochs, values, DASHES[place], color=COLOURS[place], label=name)
    right.plot(epochs, [row.map for row in history.epochs], "o-", color="#0072b2", markersize=4)
    left.set(xlabel="epoch", ylabel="loss per object")
    right.set(xlabel="epoch", ylabel="mAP at IoU 0.5", ylim=(0, 1))
    left.legend(fontsize="small")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color="#d9e0e7", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def score_page(score: MeanAveragePrecision) -> str:
    """Return the AP of every class as an HTML table."""
    heads = ("class", "objects", "AP")
    objects = {curve.label: curve.objects for curve in score.curves}
    own = enumerate(score.per_class().items())
    rows = [(name, f"{objects[label]:,}", _number(ap)) for label, (name, ap) in own]
    return _page(str(score).split(":")[0], heads, rows)


def history_page(history: DetectorHistory) -> str:
    """Return the epochs as an HTML table."""
    heads = ("epoch", "box loss", "objectness loss", "class loss", "mAP", "lr", "seconds")
    rows = [
        (
            str(r.epoch), f"{r.box_loss:.3f}", f"{r.objectness_loss:.3f}", f"{r.class_loss:.3f}",
            _number(r.map), f"{r.lr:.2g}", f"{r.seconds:.1f}",
        )
        for r in history.epochs
    ]  # fmt: skip
    return _page(history.summary(), heads, rows)


def detections_page(found: Detections) -> str:
    """Return found boxes as an HTML table, the best first."""
    order = found.scores.argsort(descending=True, stable=True)[:50].tolist()
    rows = [
        (str(int(found.labels[i])), f"{found.scores[i]:.3f}", *(f"{v:.1f}" for v in found.boxes[i]))
        for i in order
    ]
    left_out = len(found) - len(order)
    more = f", the best {len(order)} of them here" if left_out else ""
    heads = ("class", "score", "left", "top", "right", "bottom")
    return _page(f"{len(found)} boxes{more}", heads, rows)


def _page(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th scope='col'>{escape(text)}</th>" for text in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return (
        f"<p>{escape(title)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.3f}"
