"""Study: MobileNet against FD-MobileNet at the paper's three budgets, on 64 pixels (chapter 10)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from lightcourse.errors import UserError
from lightcourse.training._exp_variants import Variant
from lightcourse.training.experiment import Comparison
from lightcourse.training.studies._frame import compare, pictures, sized
from lightcourse.training.studies._nets import Row, net

SIDE = 64
# MobileNet (arXiv 1704.04861, table 1) and FD-MobileNet (arXiv 1802.03750, table 1)
TABLES = {
    # c, n, s
    "slow": ((64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2)),
    "fast": ((64, 1, 2), (128, 2, 2), (256, 2, 2), (512, 5, 2), (1024, 1, 1)),
}
# the paper's budgets, in million MACs on 224 pixels: the widths that cost as much
WIDTHS = {12: {"slow": 0.125, "fast": 0.25}, 40: {"slow": 0.25, "fast": 0.5},
          140: {"slow": 0.5, "fast": 1.0}}  # fmt: skip


def table_rows(schedule: str, width: float) -> tuple[Row, ...]:
    """Return the published network of a schedule, all channels times `width`.

    >>> [row.s for row in table_rows("fast", 0.25)]
    [2, 2, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1]
    """
    blocks = [
        Row("separable", int(c * width), s if repeat == 0 else 1)
        for c, n, s in TABLES[schedule]
        for repeat in range(n)
    ]
    return (Row("conv", int(32 * width), 2), *blocks)


def fd_mobilenet(
    *, quick: bool = False, budgets: Sequence[int] | None = None, **settings: Any
) -> Comparison:
    """Compare MobileNet and FD-MobileNet, the published networks, at equal MACs.

    FD-MobileNet, arXiv 1802.03750: ahead on ImageNet at 140, 40 and 12 million MACs, and by more at
    the smaller two. Here on built-in pictures of 64 pixels, whose textures and objects are twice as
    large as on 32, and which cost a twelfth of 224. Claim at each budget: fast beats slow.
    `budgets` are some of 12, 40 and 140: the first two unless asked (12 alone if quick), since the
    third takes twice as long as both. Raises `UserError` for another.
    """
    own = {} if quick else {"batch_size": 32, "seeds": (0, 1, 2, 3)}  # deep: many small steps
    chosen = sized(quick, {**own, **settings}, pictures=1500)
    levels = tuple(budgets or ([12] if quick else [12, 40]))
    for level in levels:
        if level not in WIDTHS:
            raise UserError(
                f"There is no budget {level!r}; choose of {', '.join(map(str, WIDTHS))}."
            )
    splits = pictures(chosen, size=SIDE)
    table, pairs = {}, []
    for level in levels:
        for word, width in WIDTHS[level].items():
            build = partial(net, table_rows(word, width))
            table[f"{word}, {level}"] = Variant(build, x=level, line=word)
        pairs.append((f"fast, {level}", f"slow, {level}"))
    return compare(
        "fd_mobilenet", table, splits, chosen, claims=pairs,
        x_label="budget (million MACs on 224 pixels)",
        question="MobileNet's slow way down, or FD-MobileNet's fast one with twice the channels?",
        own={"budgets": list(levels)},
    )  # fmt: skip
