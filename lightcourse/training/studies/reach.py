"""Study: accuracy against the receptive field, which dilation alone moves (chapter 02)."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from lightcourse.errors import UserError
from lightcourse.training._exp_variants import Variant
from lightcourse.training.experiment import Comparison
from lightcourse.training.studies._frame import compare, pictures, sized
from lightcourse.training.studies._nets import Row, net

# receptive field of the last map -> dilation, kernel of the third layer
REACHES = {7: (1, 1), 11: (1, 3), 15: (2, 3), 23: (4, 3)}


def reach_rows(reach: int) -> tuple[Row, ...]:
    """Return the network whose last map sees `reach` pixels a side.

    All have the parameters and MACs of the others, but 7, which has 4 % less.

    >>> reach_rows(15)[2]
    Row(kind='separable', c=48, s=1, d=2, k=3, g=1, t=4)
    """
    if reach not in REACHES:
        raise UserError(f"There is no network of reach {reach!r}; choose of {list(REACHES)}.")
    dilation, kernel = REACHES[reach]
    return (
        Row("conv", 16, 2),
        Row("separable", 32),
        Row("separable", 48, d=dilation, k=kernel),
        Row("point", 64),
    )


def receptive_field(
    *,
    quick: bool = False,
    distances: Sequence[float] | None = None,
    reaches: Sequence[int] = tuple(REACHES),
    **settings: Any,
) -> Comparison:
    """Train networks that differ in their reach only, on objects near and far from each other.

    A network that cannot see both objects at once knows the textures and not their order. Claims:
    each step up in reach helps. `distances` are pixels between the objects (14 and 10; the first
    alone if quick). Further apart they stand near the border, where the zeros of the padding tell
    above from below: on an earlier form of the data a reach of 11 read the order of objects 20 px
    apart with 82 and 91 %, and of objects 15.5 px apart with 45 and 62 %. `settings` are train,
    test, difficulty, epochs, seeds, jobs, cache, scheduler, and those of `fit`.
    """
    far = tuple(distances or ((14.0,) if quick else (14.0, 10.0)))
    chosen = sized(quick, settings)
    steps = sorted(reaches)

    def name(reach: int, distance: float) -> str:
        return f"reach {reach}" + (f", {distance:g} px apart" if len(far) > 1 else "")

    data = {distance: pictures(chosen, distance=distance) for distance in far}
    table = {
        name(reach, distance): Variant(
            partial(net, reach_rows(reach)),
            data[distance],
            x=reach,
            line=f"objects {distance:g} px apart",
        )
        for distance in far
        for reach in steps
    }
    pairs = [
        (name(high, distance), name(low, distance))
        for distance in far
        for low, high in pairwise(steps)
    ]
    return compare(
        "receptive_field", table, data[far[0]], chosen, claims=pairs,
        question="does a network need to see both objects at once?",
        own={"distances": list(far), "reaches": steps}, x_label="receptive field (pixels a side)",
    )  # fmt: skip
