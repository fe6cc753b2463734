"""What a network moves and holds: bytes per operator, and the memory alive at each moment."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from lightcourse.analysis._fused import Fusion, fuse
from lightcourse.analysis._records import Op, Trace
from lightcourse.analysis.ops import REASONS, kind_of
from lightcourse.errors import UserError

Schedule = Literal["eager", "fused"]
SCHEDULES: tuple[Schedule, ...] = ("eager", "fused")

#: Operators that only write the tensor they change; all others that change one read it first.
_OVERWRITES = frozenset(("copy", "fill", "zero", "normal", "uniform", "bernoulli", "random"))
#: Operators that read no more of their first tensor than they return.
_PICKS = frozenset(("embedding", "index", "index_select", "gather"))


@dataclass(frozen=True, slots=True)
class Access:
    """Bytes that one operator reads and writes, each tensor once; a zero has its reason."""

    read: int
    written: int
    reason: str = ""

    @property
    def total(self) -> int:
        """Bytes read and written."""
        return self.read + self.written


@dataclass(frozen=True)
class Timeline:
    """Bytes of activations alive while each operator runs; input and parameters do not count."""

    schedule: Schedule
    live: tuple[int, ...]
    peak: int
    peak_op: int | None  # place in the trace's operators of the first one at the peak


def access_of(op: Op, recorded: Trace) -> Access:
    """Return the bytes an operator moves: every tensor it reads once, every one it writes once.

    For a convolution in fp32 that is 4·(h·w·(c_in + c_out) + k²·c_in·c_out / groups), the memory
    access cost of ShuffleNetV2, section 3, with the bias where there is one. Caches that hold a
    whole tensor between two operators would move less, tiled kernels that read it twice more.
    """
    kind = kind_of(op.name)
    if op.func is None or kind == "view":
        return Access(0, 0, REASONS["view"])
    if op.name.startswith(("empty", "new_empty")):
        return Access(0, 0, "asks for memory and leaves it as it is")
    plain = op.name.removesuffix("_")
    written = sum(_bytes(value, recorded) for value in dict.fromkeys(op.outputs))
    inputs = list(dict.fromkeys(op.inputs))
    read = 0
    if plain in _PICKS:
        read, inputs = written, inputs[1:]
    elif kind == "creation":
        inputs = []  # takes only the shape and type of what it is given
    elif plain in _OVERWRITES and op.name.endswith("_"):
        inputs = inputs[1:]
    return Access(read + sum(_bytes(value, recorded) for value in inputs), written)


def _bytes(value: int, recorded: Trace) -> int:
    """Bytes behind a value; an expanded tensor is no larger than the memory it repeats."""
    known = recorded.values[value]
    size = math.prod(known.shape) * known.itemsize
    return min(size, recorded.storages[known.storage].nbytes) if known.storage >= 0 else size


def count_access(recorded: Trace, schedule: Schedule = "eager") -> list[Access]:
    """Return the bytes each operator of a trace moves, in order.

    `"eager"` runs every operator by itself. `"fused"` folds each batch normalisation into the
    convolution before it and applies an activation that follows one before the result is written.
    """
    _check(schedule)
    moved = [access_of(op, recorded) for op in recorded.ops]
    if schedule == "fused":
        fusion = fuse(recorded)
        for index, reason in fusion.absorbed.items():
            moved[index] = Access(0, 0, reason)
        for index, value in fusion.bias_of.items():
            moved[index] = _with_bias(moved[index], recorded.ops[index], value, recorded)
    return moved


def _with_bias(moved: Access, op: Op, result: int, recorded: Trace) -> Access:
    """Add the bias that folding gives to a product that had none."""
    if len(op.inputs) > 2:
        return moved
    known = recorded.values[result]
    return Access(moved.read + known.shape[1] * known.itemsize, moved.written)


def timeline(recorded: Trace, schedule: Schedule = "eager") -> Timeline:
    """Return the bytes of activations alive at each operator, and their peak.

    `"eager"` is what PyTorch does, with tensors freed when Python lets go of them; it equals the
    timeline of torch's profiler. `"fused"` is the same with batch normalisation folded and with
    activations that write over their input.
    """
    _check(schedule)
    fusion = fuse(recorded) if schedule == "fused" else None
    count = len(recorded.ops)
    change = [0] * (count + 1)
    for nbytes, born, died in _blocks(recorded, fusion):
        change[min(born, count)] += nbytes
        if died is not None:
            change[min(died, count)] -= nbytes
    live, now = [], 0
    for op, step in zip(recorded.ops, change, strict=False):
        now += step
        scratch = 0 if fusion and op.index in fusion.absorbed else _scratch(op, recorded)
        live.append(now + scratch)
    peak = max(live, default=0)
    return Timeline(schedule, tuple(live), peak, live.index(peak) if peak else None)


def _blocks(recorded: Trace, fusion: Fusion | None) -> Iterator[tuple[int, int, int | None]]:
    """Yield bytes, birth and death of each block that the forward pass asks for."""
    groups: dict[int, list[int]] = {}
    for number, storage in enumerate(recorded.storages):
        if not storage.origin:
            home = number if fusion is None else fusion.home(number)
            groups.setdefault(home, []).append(number)
    for members in groups.values():
        blocks = [recorded.storages[number] for number in members]
        deaths = [block.died for block in blocks]
        died = None if None in deaths else max(_whole(deaths))
        yield max(b.nbytes for b in blocks), min(b.born for b in blocks), died


def _scratch(op: Op, recorded: Trace) -> int:
    """Return the bytes that torch's CPU kernel asks for and gives back while it runs."""
    if "batch_norm" not in op.name or len(recorded.shape(op.inputs[0])) < 2:
        return 0
    known = recorded.values[op.inputs[0]]
    return 2 * known.shape[1] * known.itemsize  # one scale and one shift per channel


def _whole(numbers: Sequence[int | None]) -> list[int]:
    return [number for number in numbers if number is not None]


def _check(schedule: str) -> None:
    if schedule not in SCHEDULES:
        raise UserError(f"there is no schedule {schedule!r}; choose 'eager' or 'fused'.")
