"""Study: standard, depthwise separable and inverted residual blocks (chapters 05 and 09)."""

from functools import partial
from typing import Any

from lightcourse.errors import UserError
from lightcourse.training._exp_variants import Variant
from lightcourse.training.experiment import Comparison
from lightcourse.training.studies._frame import compare, pictures, sized
from lightcourse.training.studies._nets import Row, net

STANDARD, SEPARABLE, INVERTED = "standard", "depthwise separable", "inverted residual"
_KINDS = {STANDARD: "conv", SEPARABLE: "separable", INVERTED: "inverted"}

# c, s of the four blocks after a 3×3 stem of 16 channels with stride 2
LAYOUT = ((32, 1), (64, 2), (64, 1), (128, 2))

# as many MACs as the separable layout has, within 1 %; the same strides and receptive field
EQUAL_MACS: dict[str, tuple[Row, ...]] = {
    STANDARD: (
        Row("conv", 6, 2),
        Row("conv", 12),
        Row("conv", 24, 2),
        Row("conv", 24),
        Row("conv", 48, 2),
    ),
    SEPARABLE: (Row("conv", 16, 2), *(Row("separable", c, s) for c, s in LAYOUT)),
    INVERTED: (
        Row("conv", 12, 2),
        Row("inverted", 12, t=3),
        Row("inverted", 16, 2, t=3),
        Row("inverted", 16, t=3),
        Row("inverted", 48, 2, t=3),
        Row("point", 128),
    ),
}


def kind_rows(kind: str, equal: str = "macs") -> tuple[Row, ...]:
    """Return the network of a kind of block, at equal "macs" or equal "layout".

    >>> [row.c for row in kind_rows("standard", "layout")]
    [16, 32, 64, 64, 128]
    """
    if equal == "macs":
        return EQUAL_MACS[kind]
    return (Row("conv", 16, 2), *(Row(_KINDS[kind], c, s) for c, s in LAYOUT))


def block_kinds(*, equal: str = "macs", quick: bool = False, **settings: Any) -> Comparison:
    """Compare the three kinds of block at equal MACs, or at equal layout (MACs then differ).

    Claims at equal MACs: separable and inverted blocks beat standard ones, and inverted ones
    separable ones. At equal layout: the standard ones, which cost seven times as much as the
    separable ones, beat them; and so do the inverted ones.
    """
    if equal not in ("macs", "layout"):
        raise UserError(f'equal is "macs" or "layout", not {equal!r}.')
    chosen = sized(quick, settings, pictures=2500)
    table = {kind: Variant(partial(net, kind_rows(kind, equal))) for kind in _KINDS}
    if equal == "macs":
        pairs = [(SEPARABLE, STANDARD), (INVERTED, STANDARD), (INVERTED, SEPARABLE)]
    else:
        pairs = [(STANDARD, SEPARABLE), (INVERTED, SEPARABLE)]
    return compare(
        "block_kinds", table, pictures(chosen), chosen, claims=pairs, own={"equal": equal},
        budget="macs" if equal == "macs" else None,
        question=f"which block is worth its cost at equal {'MACs' if equal == 'macs' else equal}?",
    )  # fmt: skip
