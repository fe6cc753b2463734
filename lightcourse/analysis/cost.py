"""Multiply-accumulates of every operator: counted, zero for a stated reason, or unknown."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch.utils.flop_counter import flop_registry

from lightcourse.analysis._records import Op, Ref, Trace
from lightcourse.analysis.memory import Access
from lightcourse.analysis.ops import REASONS, kind_of
from lightcourse.errors import UserError


@dataclass(frozen=True)
class UnknownOp:
    """An operator without a formula: what it costs is missing from the total."""

    name: str
    count: int
    modules: tuple[str, ...]


@dataclass(frozen=True)
class ZeroOp:
    """An operator that counts zero of something, and why."""

    name: str
    count: int
    reason: str


def _deform_conv(op: Op, recorded: Trace) -> int:
    weight = recorded.shape(op.args[1])
    return math.prod(recorded.shape(op.outputs[0])) * math.prod(weight[1:])


#: Products that torch's registry leaves out; each takes the operator and its trace.
_FORMULAS: dict[str, Callable[[Op, Trace], int]] = {
    "mv": lambda op, t: math.prod(t.shape(op.args[0])),
    "addmv": lambda op, t: math.prod(t.shape(op.args[1])),
    "dot": lambda op, t: math.prod(t.shape(op.args[0])),
    "vdot": lambda op, t: math.prod(t.shape(op.args[0])),
    "torchvision::deform_conv2d": _deform_conv,
}


def macs_of(op: Op, recorded: Trace) -> int | None:
    """Return the multiply-accumulates of one operator; None when nobody has written its formula.

    One multiply-accumulate is two floating-point operations (FLOPs).
    """
    if op.func is None or kind_of(op.name) is not None:
        return 0
    if op.name == "convolution" and not op.args[6]:
        weight = recorded.shape(op.args[1])
        return math.prod(recorded.shape(op.outputs[0])) * math.prod(weight[1:])
    own = _FORMULAS.get(op.name)
    if own is not None:
        return own(op, recorded)
    formula = flop_registry.get(op.func.overloadpacket)
    if formula is None:
        return None
    args = [_shapes(a, recorded) for a in op.args]
    kwargs = {k: _shapes(v, recorded) for k, v in op.kwargs.items()}
    outs = [list(recorded.shape(v)) for v in op.outputs]
    return formula(*args, **kwargs, out_val=outs[0] if len(outs) == 1 else tuple(outs)) // 2


def _shapes(item: Any, recorded: Trace) -> Any:
    if isinstance(item, Ref):
        return list(recorded.shape(item))
    return tuple(_shapes(i, recorded) for i in item) if isinstance(item, tuple) else item


def count(recorded: Trace) -> list[int | None]:
    """Return the multiply-accumulates of every operator of a trace, in order."""
    return [macs_of(op, recorded) for op in recorded.ops]


def unknown_ops(recorded: Trace, macs: Sequence[int | None]) -> tuple[UnknownOp, ...]:
    """Return the operators without a formula, each with how often and where it was called."""
    places: dict[str, list[str]] = {}
    for op, value in zip(recorded.ops, macs, strict=True):
        if value is None:
            places.setdefault(op.name, []).append(op.module)
    return tuple(
        UnknownOp(name, len(found), tuple(dict.fromkeys(found))) for name, found in places.items()
    )


def zero_ops(recorded: Trace) -> tuple[ZeroOp, ...]:
    """Return the operators that count zero, with the reason of each."""
    counts: dict[str, int] = {}
    for op in recorded.ops:
        if kind_of(op.name) is not None and op.func is not None:
            counts[op.name] = counts.get(op.name, 0) + 1
    return tuple(ZeroOp(n, c, REASONS[kind_of(n) or ""]) for n, c in counts.items())


def zero_access(recorded: Trace, moved: Sequence[Access]) -> tuple[ZeroOp, ...]:
    """Return the operators that move no bytes, with the reason of each."""
    counts: dict[tuple[str, str], int] = {}
    for op, access in zip(recorded.ops, moved, strict=True):
        if access.reason and op.func is not None:
            counts[op.name, access.reason] = counts.get((op.name, access.reason), 0) + 1
    return tuple(ZeroOp(name, count, reason) for (name, reason), count in counts.items())


def refuse_unknown(unknown: tuple[UnknownOp, ...]) -> None:
    """Raise when the total would be a lower bound only."""
    if unknown:
        names = ", ".join(op.name for op in unknown)
        raise UserError(
            f"No cost formula for {names}, so the total would only be a lower bound; analyse "
            "without strict=True to get it, shown as '≥', or register a formula with "
            "torch.utils.flop_counter.register_flop_formula."
        )
