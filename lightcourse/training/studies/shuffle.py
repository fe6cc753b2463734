"""Study: grouped convolutions with and without channel shuffle (chapter 06)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from lightcourse.errors import UserError
from lightcourse.training._exp_variants import Variant
from lightcourse.training.experiment import Comparison
from lightcourse.training.studies._frame import compare, pictures, sized
from lightcourse.training.studies._nets import Row, grouped_net

STEM = 24
GROUPS = (2, 4, 8)

# c, s of the units after the stem; all divisible by 2, 4 and 8 groups
UNITS = ((48, 2), (48, 1), (96, 2), (96, 1))


def group_rows(groups: int, shuffled: bool) -> tuple[Row, ...]:
    """Return the units of the network.

    >>> group_rows(4, True)[0]
    Row(kind='shuffled', c=48, s=2, d=1, k=3, g=4, t=4)
    """
    kind = "shuffled" if shuffled else "grouped"
    return tuple(Row(kind, c, s, g=groups) for c, s in UNITS)


def channel_shuffle(
    *, quick: bool = False, groups: Sequence[int] | None = None, **settings: Any
) -> Comparison:
    """Train grouped networks with and without shuffle where groups must exchange information.

    Each group's stem sees one colour only, and the textures hide in the difference of colours: up
    to the head, colours never meet without a shuffle. As a contrast the last two networks have an
    ordinary stem that mixes all colours (left out if quick). Claims: shuffle helps, at every number
    of groups and in the contrast too. `groups` are 2, 4 and 8 (4 alone if quick).
    """
    chosen = sized(quick, settings, pictures=2500)
    numbers = tuple(groups or ((4,) if quick else GROUPS))
    for g in numbers:
        if g not in (2, 4, 6, 8, 12, 24):
            raise UserError(f"{g!r} groups do not divide the stem's {STEM} channels; take 2, 4, 8.")
    cases = [(f"g = {g}", g, True) for g in numbers]
    if not quick:
        middle = numbers[len(numbers) // 2]
        cases.append((f"g = {middle}, stem mixes", middle, False))
    table, pairs = {}, []
    for case, g, apart in cases:
        for word in ("without", "with"):
            rows = group_rows(g, word == "with")
            build = partial(grouped_net, rows, STEM, g, apart=apart)
            table[f"{case}, {word} shuffle"] = Variant(build, line=f"{word} shuffle")
        pairs.append((f"{case}, with shuffle", f"{case}, without shuffle"))
    own = {"groups": list(numbers)} | ({"quick": True} if quick else {})
    return compare(
        "channel_shuffle", table, pictures(chosen), chosen, claims=pairs,
        question="do grouped convolutions need the shuffle?", own=own,
    )  # fmt: skip
