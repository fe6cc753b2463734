"""Study: slow against fast downsampling at equal MACs, at three budgets (chapter 12)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from lightcourse.errors import UserError
from lightcourse.training._exp_variants import Variant
from lightcourse.training.experiment import Comparison
from lightcourse.training.studies._frame import compare, pictures, sized
from lightcourse.training.studies._nets import Row, net

# strides of the stem and of the separable blocks; slow comes to 4 × 4 late, fast at once
_SLOW, _FAST = (1, 1, 2, 1, 2, 1, 2), (2, 2, 1, 1, 1, 2)

# budget -> channels of the stem and of the blocks, slow and fast, within 5 % of each other's MACs
BUDGETS = {
    "0.3 M": ((4, 6, 10, 10, 20, 20, 38), (8, 20, 30, 30, 38, 46)),
    "0.65 M": ((6, 12, 16, 16, 34, 34, 68), (12, 30, 46, 46, 58, 70)),
    "1.1 M": ((8, 16, 24, 24, 48, 48, 96), (16, 40, 64, 64, 80, 96)),
}


def ladder_rows(budget: str, fast: bool) -> tuple[Row, ...]:
    """Return the network of a budget that goes down slowly or fast.

    >>> [row.s for row in ladder_rows("0.3 M", fast=True)]
    [2, 2, 1, 1, 1, 2]
    """
    channels, strides = BUDGETS[budget][fast], _FAST if fast else _SLOW
    kinds = ["conv"] + ["separable"] * (len(channels) - 1)
    return tuple(Row(*row) for row in zip(kinds, channels, strides, strict=True))


def downsampling(
    *,
    quick: bool = False,
    budgets: Sequence[str] | None = None,
    period: float | None = None,
    **settings: Any,
) -> Comparison:
    """Compare slow and fast downsampling at equal MACs.

    Fast-Downsampling MobileNet, arXiv 1802.03750, claims that going down fast and spending what
    it saves on channels wins at tiny budgets; that was ImageNet. Claim tested here, at each
    budget: fast beats slow. `period` sets how coarse the textures are in pixels (3.9; larger is
    coarser), `budgets` which of 0.3 M, 0.65 M and 1.1 M (0.65 M alone if quick).
    """
    chosen = sized(quick, settings, pictures=2500)
    levels = tuple(budgets or (["0.65 M"] if quick else BUDGETS))
    for level in levels:
        if level not in BUDGETS:
            raise UserError(f"There is no budget {level!r}; choose of {', '.join(BUDGETS)}.")
    splits = pictures(chosen, period=period)
    table, pairs = {}, []
    for level in levels:
        for word in ("slow", "fast"):
            build = partial(net, ladder_rows(level, word == "fast"))
            table[f"{word}, {level}"] = Variant(build, x=float(level.split()[0]), line=word)
        pairs.append((f"fast, {level}", f"slow, {level}"))
    return compare(
        "downsampling", table, splits, chosen, claims=pairs, x_label="MACs (millions)",
        question="go down fast and be wide, or slowly and be narrow?",
        own={"budgets": list(levels), "period": period},
    )  # fmt: skip
