"""The receptive field of any layer, of any unit, and the chain formula that teaches it."""

from collections.abc import Sequence

from torch import Tensor, nn

from lightcourse.analysis._fields import Fields, Interval, ReceptiveField, pairs
from lightcourse.analysis._records import Trace
from lightcourse.analysis.trace import trace
from lightcourse.errors import UserError


def receptive_field(
    model: nn.Module | Trace,
    input_size: Sequence[int] | Tensor = (1, 3, 224, 224),
    layer: int | str = -1,
) -> ReceptiveField:
    """Return the receptive field of one layer, by its place or its name in the report.

    >>> receptive_field(nn.Conv2d(3, 8, 3, dilation=2)).size
    (5, 5)
    """
    recorded = model if isinstance(model, Trace) else trace(model, input_size)
    row = _row_number(recorded, layer)
    found = Fields(recorded).all[row]
    if found is None:
        raise UserError(f"Layer '{recorded.rows[row].name}' has no output that an image reaches.")
    return found


def _row_number(recorded: Trace, layer: int | str) -> int:
    names = [row.name for row in recorded.rows]
    if isinstance(layer, str):
        if layer not in names:
            raise UserError(f"No layer is called {layer!r}; the layers are {', '.join(names)}.")
        return names.index(layer)
    if not -len(names) <= layer < len(names):
        raise UserError(f"There is no layer {layer}; the model has {len(names)}, counted from 0.")
    return layer % len(names)


def unit_interval(
    recorded: Trace, layer: int | str, unit: Sequence[int], *, clip: bool = False
) -> tuple[Interval, ...]:
    """Return ((top, bottom), (left, right)) that one unit of one layer depends on.

    >>> unit_interval(trace(nn.Conv2d(3, 8, 3, stride=2, padding=1), (1, 3, 9, 9)), 0, (0, 1))
    ((-1, 1), (1, 3))
    """
    lo, hi = Fields(recorded).intervals(_row_number(recorded, layer), [unit], clip=clip)
    return pairs(lo[0], hi[0])


def chain_receptive_field(
    layers: Sequence[Sequence[int]],
) -> list[tuple[int, int, float]]:
    """Return (size, jump, start) after each layer of a plain chain, by the forward recurrence.

    A layer is (kernel, stride, padding, dilation); the last two may be left out. With s the size,
    j the jump and c the start (centre of unit 0, in pixel indices):
    s += (k - 1) d j;  c += ((k - 1) d / 2 - p) j;  j *= stride.
    Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill
    2019.

    >>> chain_receptive_field([(3, 2, 1), (3, 1, 1)])
    [(3, 2, 0.0), (7, 2, 0.0)]
    """
    size, jump, start = 1, 1, 0.0
    found = []
    for layer in layers:
        if not 1 <= len(layer) <= 4 or min(layer[:2]) < 1:
            raise UserError(
                f"A layer is (kernel, stride, padding, dilation) with kernel and stride at least "
                f"1, not {tuple(layer)!r}."
            )
        kernel, stride, padding, dilation = (*layer, *(1, 1, 0, 1)[len(layer) :])
        reach = (kernel - 1) * dilation
        size += reach * jump
        start += (reach / 2 - padding) * jump
        jump *= stride
        found.append((size, jump, start))
    return found


__all__ = [
    "Fields",
    "ReceptiveField",
    "chain_receptive_field",
    "receptive_field",
    "unit_interval",
]
