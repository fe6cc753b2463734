"""Shares by kind of operator: who holds the parameters, multiplies, and moves the bytes."""

from collections.abc import Sequence
from dataclasses import dataclass

from lightcourse.analysis._records import Op, Trace, Value
from lightcourse.analysis.memory import Access
from lightcourse.analysis.ops import kind_of

_PRODUCTS = {
    **dict.fromkeys(("mm", "addmm", "linear", "mv", "addmv", "dot", "vdot"), "linear"),
    **dict.fromkeys(("bmm", "baddbmm"), "matrix product"),
    "torchvision::deform_conv2d": "deformable convolution",
}


@dataclass(frozen=True)
class KindShare:
    """What all operators of one kind cost together."""

    kind: str
    count: int  # calls of operators
    params: int  # elements; each parameter belongs to the first operator that uses it on data
    macs: int
    memory_access: int  # bytes read and written


def kind_name(op: Op, recorded: Trace) -> str:
    """Return the kind of an operator in a reader's words; a convolution by its form."""
    if op.name == "convolution":
        weight, transposed, groups = op.args[1], op.args[6], op.args[8]
        if transposed:
            return "transposed convolution"
        if groups > 1:
            is_depthwise = groups == recorded.shape(op.args[0])[1]
            return "depthwise convolution" if is_depthwise else "grouped convolution"
        is_point = set(recorded.shape(weight)[2:]) == {1}
        return "pointwise convolution" if is_point else "convolution"
    if "attention" in op.name:
        return "attention"
    return _PRODUCTS.get(op.name) or kind_of(op.name) or "unknown"


def by_kind(
    recorded: Trace, macs: Sequence[int | None], moved: Sequence[Access]
) -> tuple[KindShare, ...]:
    """Return one share per kind that costs anything, the one with the most MACs first."""
    sums: dict[str, list[int]] = {}
    held = _params_by_op(recorded)
    for op, products, access in zip(recorded.ops, macs, moved, strict=True):
        found = sums.setdefault(kind_name(op, recorded), [0, 0, 0, 0])
        costs = (1, held.get(op.index, 0), products or 0, access.total)
        for i, cost in enumerate(costs):
            found[i] += cost
    shares = [KindShare(kind, *costs) for kind, costs in sums.items() if any(costs[1:])]
    return tuple(sorted(shares, key=lambda s: (-s.macs, -s.memory_access, s.kind)))


def _params_by_op(recorded: Trace) -> dict[int, int]:
    """Give each parameter to the first operator that uses it on data, through views and scalings.

    A weight that is reshaped or normalised first belongs to the convolution that multiplies it.
    """
    carried: dict[int, tuple[str, ...]] = {
        number: (value.name,)
        for number, value in enumerate(recorded.values)
        if value.origin == "parameter"
    }
    held: dict[int, int] = {}
    seen: set[str] = set()
    last: dict[str, int] = {}  # parameter -> the last operator on weights alone that read it
    for op in recorded.ops:
        names = dict.fromkeys(n for v in op.inputs for n in carried.get(v, ()) if n not in seen)
        if not names:
            continue
        if all(v in carried or _is_state(recorded.values[v]) for v in op.inputs):
            carried.update(dict.fromkeys(op.outputs, tuple(names)))
            last.update(dict.fromkeys(names, op.index))
        else:
            seen.update(names)
            held[op.index] = held.get(op.index, 0) + sum(recorded.params[n] for n in names)
    for name, index in last.items():  # never met any data
        if name not in seen:
            held[index] = held.get(index, 0) + recorded.params[name]
    return held


def _is_state(value: Value) -> bool:
    return value.origin in ("buffer", "constant")
