"""A contact sheet: some images of each class, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lightcourse.errors import UserError
from lightcourse.training.data._dataset import Dataset

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ROWS = 20  # of a hundred classes nobody could see one


def contact_sheet(dataset: Dataset, per_class: int = 8) -> Figure:
    """Return a figure with one row for each class (20 at most) and its first images.

    >>> from lightcourse.training.data import builtin
    >>> figure = contact_sheet(builtin(100, 10, size=16, cache=False).train)
    >>> figure.axes[0].get_yticklabels()[0].get_text()
    'horizontal over vertical'
    """
    from lightcourse.training._picture import new_picture

    if isinstance(per_class, bool) or not isinstance(per_class, int) or per_class < 1:
        raise UserError(f"per_class={per_class!r} does not work; give a whole number from 1 on.")
    rows = min(len(dataset.classes), MOST_ROWS)
    per_class = max(1, min(per_class, max(dataset.counts[:rows])))  # a row may be empty
    sheet, step = _sheet(dataset, rows, per_class)
    size = (0.6 * per_class + 2.2, 0.6 * rows + 0.5)
    figure = new_picture(size, "compressed")
    axes = figure.subplots()
    axes.imshow(sheet.numpy(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_yticks([(row + 0.5) * step for row in range(rows)], dataset.classes[:rows])
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    left_out = len(dataset.classes) - rows
    more = f"; {left_out} more classes are not shown" if left_out else ""
    axes.set_title(f"{dataset.name}: {len(dataset):,} images{more}", fontsize="medium")
    return figure


def _sheet(dataset: Dataset, rows: int, per_class: int) -> tuple[Tensor, int]:
    """Return (H, W, 3) or (H, W) uint8, white where there is no image, and the pixels per row."""
    channels, height, width = dataset.shape
    gap = max(1, width // 12)
    size = (channels, rows * (height + gap), per_class * (width + gap))
    sheet = torch.full(size, 255, dtype=torch.uint8)
    for row in range(rows):
        chosen = torch.nonzero(dataset.labels == row)[:per_class, 0]
        for column, image in enumerate(dataset.images[chosen]):
            top, left = row * (height + gap), column * (width + gap)
            sheet[:, top : top + height, left : left + width] = image
    return (sheet.permute(1, 2, 0) if channels == 3 else sheet[0]), height + gap
