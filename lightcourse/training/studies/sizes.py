"""Study: spend less by fewer channels or by fewer pixels, at equal MACs (chapter 08)."""

from dataclasses import replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from lightcourse.analysis import analyze
from lightcourse.training._exp_variants import Variant
from lightcourse.training.data import Dataset, Splits
from lightcourse.training.experiment import Comparison
from lightcourse.training.studies._frame import compare, pictures, sized
from lightcourse.training.studies._nets import Row, net

# channels of the stem and of the blocks at full width, and at the MACs of 24 and of 16 pixels
WIDTHS = {
    1.0: (16, 32, 64, 64, 128),
    0.72: (12, 22, 46, 46, 90),
    0.43: (8, 14, 26, 26, 52),
}
_STRIDES = (2, 1, 2, 1, 2)
# width -> the side of the pictures that costs as much
SIDES = {0.72: 24, 0.43: 16}


def width_rows(width: float) -> tuple[Row, ...]:
    """Return the separable network of a width.

    >>> [row.c for row in width_rows(0.72)]
    [12, 22, 46, 46, 90]
    """
    kinds = ["conv"] + ["separable"] * (len(_STRIDES) - 1)
    return tuple(Row(*row) for row in zip(kinds, WIDTHS[width], _STRIDES, strict=True))


def shrunk(splits: Splits, side: int) -> Splits:
    """Return the same pictures with fewer pixels, each the weighted mean of those it stands for.

    >>> from lightcourse.training.data import builtin
    >>> shrunk(builtin(10, 10, size=16, cache=False), 8).train.shape
    (3, 8, 8)
    """
    return Splits(_shrunk(splits.train, side), _shrunk(splits.test, side))


def _shrunk(data: Dataset, side: int) -> Dataset:
    parts = []
    for images in data.images.split(500):
        small = F.interpolate(images.float(), (side, side), mode="bilinear", antialias=True)
        parts.append(small.round().clamp(0, 255).to(torch.uint8))
    return replace(data, images=torch.cat(parts), mean=(), std=())


def multipliers(*, quick: bool = False, **settings: Any) -> Comparison:
    """Compare width and resolution multipliers (MobileNets, arXiv 1704.04861, section 3.3 and 3.4).

    The same pictures at 32, 24 and 16 pixels, and networks at 32 pixels that are as cheap because
    they are narrower. Claims: at equal MACs fewer channels beat fewer pixels. The full network, at
    its full cost, is there to be compared with by eye. If quick, 16 pixels are left out.
    """
    chosen = sized(quick, settings, pictures=3000)
    splits = pictures(chosen)
    table = {"width 1, 32 px": _variant(1.0, splits, "")}
    pairs = []
    for width, side in list(SIDES.items())[: 1 if quick else None]:
        narrow, coarse = f"width {width:g}, 32 px", f"width 1, {side} px"
        table[narrow] = _variant(width, splits, "narrower")
        table[coarse] = _variant(1.0, shrunk(splits, side), "fewer pixels")
        pairs.append((narrow, coarse))
    own = {"quick": True} if quick else {}  # what `rerun` needs to leave 16 pixels out again
    return compare(
        "multipliers", table, splits, chosen, claims=pairs, own=own, x_label="MACs (millions)",
        question="which multiplier costs less accuracy at equal MACs?",
    )  # fmt: skip


def _variant(width: float, splits: Splits, line: str) -> Variant:
    build = partial(net, width_rows(width))
    macs = analyze(build(), (1, *splits.train.shape)).macs
    return Variant(build, splits, x=round(macs / 1e6, 2), line=line)
