"""What a model costs and what its layers see, from one run on shapes alone."""

from collections.abc import Sequence

from torch import Tensor, nn

from lightcourse.analysis import cost
from lightcourse.analysis._state import untouched
from lightcourse.analysis.cost import UnknownOp, ZeroOp
from lightcourse.analysis.effective import effective_receptive_field
from lightcourse.analysis.receptive_field import (
    Fields,
    ReceptiveField,
    chain_receptive_field,
    receptive_field,
    unit_interval,
)
from lightcourse.analysis.report import Layer, Report
from lightcourse.analysis.trace import Op, Trace, trace


def analyze(
    model: nn.Module,
    input_size: Sequence[int] | Tensor | Sequence[Tensor] = (1, 3, 224, 224),
    *,
    strict: bool = False,
) -> Report:
    """Count a model's parameters and multiply-accumulates and find every layer's receptive field.

    The model runs once, in eval mode, on tensors without data; it is left exactly as it was.
    `input_size` is a shape (N, C, H, W), a tensor, or a tuple of tensors. An operator without a
    formula is listed in `report.unknown` and makes the total a lower bound; `strict=True` raises
    `UserError` instead.

    >>> report = analyze(nn.Conv2d(3, 8, 3, padding=1, bias=False), (1, 3, 32, 32))
    >>> report.params, report.macs, report.receptive_field.size
    (216, 221184, (3, 3))
    """
    recorded = trace(model, input_size)
    macs = cost.count(recorded)
    unknown = cost.unknown_ops(recorded, macs)
    if strict:
        cost.refuse_unknown(unknown)
    fields = Fields(recorded)
    return Report(
        name=type(model).__name__,
        input_shapes=tuple(recorded.shape(v) for v in recorded.inputs),
        output_shape=recorded.shape(recorded.outputs[0]) if recorded.outputs else (),
        params=sum(recorded.params.values()),
        macs=sum(m or 0 for m in macs),
        layers=_layers(recorded, macs, fields),
        unknown=unknown,
        zero=cost.zero_ops(recorded),
        _fields=fields,
    )


def _layers(recorded: Trace, macs: list[int | None], fields: Fields) -> tuple[Layer, ...]:
    seen: set[str] = set()
    layers = []
    for index, row in enumerate(recorded.rows):
        fresh = [name for name in row.params if name not in seen]
        seen.update(fresh)
        missing = dict.fromkeys(recorded.ops[i].name for i in row.ops if macs[i] is None)
        layers.append(
            Layer(
                name=row.name,
                kind=row.kind,
                output_shape=() if row.output is None else recorded.shape(row.output),
                params=sum(recorded.params[name] for name in fresh),
                macs=sum(macs[i] or 0 for i in row.ops),
                unknown=tuple(missing),
                _fields=fields,
                _index=index,
            )
        )
    return tuple(layers)


__all__ = [
    "Fields",
    "Layer",
    "Op",
    "ReceptiveField",
    "Report",
    "Trace",
    "UnknownOp",
    "ZeroOp",
    "analyze",
    "chain_receptive_field",
    "effective_receptive_field",
    "receptive_field",
    "trace",
    "unit_interval",
    "untouched",
]
