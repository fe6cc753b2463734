"""What a model costs and what its layers see, from one run on shapes alone."""

from torch import nn

from lightcourse.analysis import cost
from lightcourse.analysis._exported import open_exported
from lightcourse.analysis._inputs import InputSize, check_model
from lightcourse.analysis._kinds import KindShare
from lightcourse.analysis._progress import counting
from lightcourse.analysis._report_rows import SORTS, csv_text, write_text
from lightcourse.analysis._state import untouched
from lightcourse.analysis.compare import Comparison, compare
from lightcourse.analysis.cost import UnknownOp, ZeroOp
from lightcourse.analysis.effective import effective_receptive_field
from lightcourse.analysis.latency import (
    Latency,
    LayerTime,
    LayerTimes,
    latency,
    latency_by_layer,
)
from lightcourse.analysis.machine import Machine, probe, this_machine
from lightcourse.analysis.memory import Access, Timeline, access_of, count_access, timeline
from lightcourse.analysis.receptive_field import (
    Fields,
    ReceptiveField,
    chain_receptive_field,
    receptive_field,
    unit_interval,
)
from lightcourse.analysis.report import Costs, Layer, Report
from lightcourse.analysis.roofline import Roofline, RooflineRow, roofline
from lightcourse.analysis.trace import Op, Trace, trace


def analyze(
    model: nn.Module,
    input_size: InputSize = (1, 3, 224, 224),
    *,
    strict: bool = False,
    progress: bool = False,
) -> Report:
    """Count what a model costs, and find what each of its layers sees.

    Parameters, multiply-accumulates, bytes moved, peak of the activations, receptive fields. The
    model runs once, in eval mode, on tensors without data; it is left exactly as it was.
    `input_size` is a shape (N, C, H, W), a tensor, a tuple of them for several inputs, or a dict
    from the names of forward's arguments to them. An operator without a formula is listed in
    `report.unknown` and makes the total a lower bound; `strict=True` raises `UserError` instead.
    `progress=True` shows on a terminal how far the run is.

    >>> report = analyze(nn.Conv2d(3, 8, 3, padding=1, bias=False), (1, 3, 32, 32))
    >>> report.params, report.macs, report.memory_access, report.receptive_field.size
    (216, 221184, 45920, (3, 3))
    """
    model = check_model(model)
    with counting(model, progress):
        recorded = trace(model, input_size)
    costs = Costs(tuple(cost.count(recorded)), tuple(count_access(recorded)))
    unknown = cost.unknown_ops(recorded, costs.macs)
    if strict:
        cost.refuse_unknown(unknown)
    fields = Fields(recorded)
    return Report(
        name=type(model).__name__,
        input_shapes=tuple(recorded.shape(v) for v in recorded.inputs),
        output_shape=recorded.shape(recorded.outputs[0]) if recorded.outputs else (),
        params=sum(recorded.params.values()),
        macs=sum(m or 0 for m in costs.macs),
        layers=_layers(recorded, costs, fields),
        read=sum(access.read for access in costs.moved),
        written=sum(access.written for access in costs.moved),
        unknown=unknown,
        zero=cost.zero_ops(recorded),
        zero_access=cost.zero_access(recorded, costs.moved),
        _fields=fields,
        _costs=costs,
        _modules={name: type(module).__name__ for name, module in model.named_modules()},
    )


def _layers(recorded: Trace, costs: Costs, fields: Fields) -> tuple[Layer, ...]:
    seen: set[str] = set()
    layers = []
    for index, row in enumerate(recorded.rows):
        fresh = [name for name in row.params if name not in seen]
        seen.update(fresh)
        missing = dict.fromkeys(recorded.ops[i].name for i in row.ops if costs.macs[i] is None)
        layers.append(
            Layer(
                name=row.name,
                kind=row.kind,
                output_shape=() if row.output is None else recorded.shape(row.output),
                params=sum(recorded.params[name] for name in fresh),
                macs=sum(costs.macs[i] or 0 for i in row.ops),
                read=sum(costs.moved[i].read for i in row.ops),
                written=sum(costs.moved[i].written for i in row.ops),
                unknown=tuple(missing),
                _fields=fields,
                _index=index,
            )
        )
    return tuple(layers)


__all__ = [
    "SORTS",
    "Access",
    "Comparison",
    "Fields",
    "KindShare",
    "Latency",
    "Layer",
    "LayerTime",
    "LayerTimes",
    "Machine",
    "Op",
    "ReceptiveField",
    "Report",
    "Roofline",
    "RooflineRow",
    "Timeline",
    "Trace",
    "UnknownOp",
    "ZeroOp",
    "access_of",
    "analyze",
    "chain_receptive_field",
    "compare",
    "count_access",
    "csv_text",
    "effective_receptive_field",
    "latency",
    "latency_by_layer",
    "open_exported",
    "probe",
    "receptive_field",
    "roofline",
    "this_machine",
    "timeline",
    "trace",
    "unit_interval",
    "untouched",
    "write_text",
]
