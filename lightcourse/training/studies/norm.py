"""Study: batch normalisation on and off, at several learning rates."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from lightcourse.errors import UserError
from lightcourse.training._exp_variants import Variant
from lightcourse.training.experiment import Comparison
from lightcourse.training.studies._frame import compare, pictures, sized
from lightcourse.training.studies._nets import Row, net

# separable blocks, deep enough that a signal may fade or blow up on its way
ROWS = (
    Row("conv", 16, 2),
    Row("separable", 32),
    Row("separable", 32),
    Row("separable", 64, 2),
    Row("separable", 64),
    Row("separable", 64),
    Row("separable", 96, 2),
)
RATES = (0.001, 0.004, 0.016)


def batch_norm(
    *, quick: bool = False, rates: Sequence[float] | None = None, **settings: Any
) -> Comparison:
    """Train one network with batch norm and with biases in its place (arXiv 1502.03167).

    A single learning rate would be unfair: without norms the best one is lower. So both are
    trained at each of `rates` (0.001, 0.004, 0.016; the last two if quick). Claims: the norm
    helps at every rate. Without norms weights start as in arXiv 1502.01852; a run that diverges
    counts as guessing and is marked.
    """
    if "lr" in settings:
        raise UserError("This study sets the learning rates itself; give them as rates=(…).")
    chosen = sized(quick, settings)
    levels = tuple(rates or (RATES[1:] if quick else RATES))
    table, pairs = {}, []
    for lr in levels:
        for word, norm in (("without", False), ("with", True)):
            table[f"{word} norm, lr {lr:g}"] = Variant(
                partial(net, ROWS, norm=norm), fit={"lr": lr}, x=lr, line=f"{word} batch norm",
                diverges=True,
            )  # fmt: skip
        pairs.append((f"with norm, lr {lr:g}", f"without norm, lr {lr:g}"))
    return compare(
        "batch_norm", table, pictures(chosen), chosen, claims=pairs, own={"rates": list(levels)},
        budget="params", question="what does batch normalisation change?", x_label="learning rate",
    )  # fmt: skip
