"""Receptive fields of all layers of a trace, found by walking boxes back to the input."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np

from lightcourse.analysis import _rules_sums, _rules_views, _rules_windows
from lightcourse.analysis._axes import image_dims, whole_linears
from lightcourse.analysis._boxes import INF, Box, Call, Rule, everything, pointwise
from lightcourse.analysis._records import Op, Trace
from lightcourse.analysis.ops import POINTWISE_KINDS, kind_of
from lightcourse.errors import UserError

Number = int | float
Interval = tuple[Number, Number]

_RULES: dict[str, Rule] = {**_rules_windows.RULES, **_rules_views.RULES, **_rules_sums.RULES}
# moving a unit by this many places moves its field by whole periods of any common stride pattern
_PERIOD = 720720
_PHASES = 8
_UNEVEN = ("upsample", "adaptive", "roll", "reflection", "replication", "im2col", "pixel", "repeat")


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the input that units of a layer can depend on, one number per image axis.

    Places are pixel indices, so 0.0 is the centre of the first pixel; nothing is clipped to the
    image, so a field that reaches into the padding starts below zero.
    """

    size: tuple[Number, ...]  # pixels, of the largest unit around the middle; inf when global
    stride: tuple[Number, ...]  # pixels the field moves when the unit moves by one
    start: tuple[float, ...]  # centre of unit 0's field
    center: tuple[float, ...]  # centre of the middle unit's field
    is_global: bool  # a global operator (pooling, attention, a flattened map) lies on the way
    local: "ReceptiveField | None" = None  # the same without the global paths, if any is left
    _source: "tuple[Fields, int, bool] | None" = field(default=None, repr=False, compare=False)

    def interval(self, unit: Sequence[int], *, clip: bool = False) -> tuple[Interval, ...]:
        """Return ((top, bottom), (left, right)), both ends included, of one unit's field."""
        if self._source is None:
            raise UserError("This receptive field was made by hand; take one from a report.")
        fields, row, local = self._source
        lo, hi = fields.intervals(row, [tuple(unit)], clip=clip, local=local)
        return pairs(lo[0], hi[0])

    def __str__(self) -> str:
        if self.is_global:
            inner = f" (local path {self.local})" if self.local else ""
            return "whole image" + inner
        sizes = self.size[:1] if len(set(self.size)) == 1 else self.size
        return "×".join(str(n) for n in sizes)


def _linear(call: Call, sources: dict[int, int], lo: np.ndarray, hi: np.ndarray) -> Box:
    full = call.full(sources[call.op.index], lo.shape[1])
    return np.vstack([lo[:-1], full[0][-1:]]), np.vstack([hi[:-1], full[1][-1:]])


def pairs(lo: np.ndarray, hi: np.ndarray) -> tuple[Interval, ...]:
    """Return ((first, last), ...), as ints where finite."""
    return tuple((_number(a), _number(b)) for a, b in zip(lo, hi, strict=True))


def _number(value: float) -> Number:
    value = float(value)
    return int(value) if math.isfinite(value) and value == int(value) else value


class Fields:
    """Receptive fields of all rows of a trace, found together in one walk when first asked for."""

    def __init__(self, recorded: Trace) -> None:
        self.trace = recorded
        self.unknown: set[str] = set()  # operators without a rule; they count as global
        images = [v for v in recorded.inputs if len(recorded.shape(v)) > 2]
        self.input: int | None = images[0] if images else None

    @cached_property
    def spatial(self) -> list[tuple[int, ...]]:
        """For each value, the dimensions that run over the image."""
        return image_dims(self.trace)

    @cached_property
    def _places(self) -> list[tuple[int, ...]]:
        return image_dims(self.trace, inner=True)

    @cached_property
    def linears(self) -> dict[int, int]:
        """Closing views of flattened products, with the value that went in."""
        return whole_linears(self.trace)

    @cached_property
    def axes(self) -> int:
        """How many image axes the input has: 2 for pictures."""
        return 0 if self.input is None else len(self.trace.shape(self.input)) - 2

    @cached_property
    def all(self) -> list[ReceptiveField | None]:
        """One receptive field per row; None where no image reaches the row."""
        if self.input is None:
            return [None] * len(self.trace.rows)
        found = self._summaries(local=False)
        if any(rf is not None and rf.is_global for rf in found):
            for i, rf in enumerate(self._summaries(local=True)):
                whole = found[i]
                if whole is not None and whole.is_global and rf is not None:
                    found[i] = ReceptiveField(
                        whole.size, rf.stride, rf.start, rf.center, True, rf, (self, i, False)
                    )
        return found

    def unit_dims(self, row: int) -> tuple[int, ...]:
        """Return the dimensions of a row's output that a unit's place counts along."""
        output = self.trace.rows[row].output
        if output is None:
            return ()
        dims = self.spatial[output]
        if len(dims) < self.axes and len(self._places[output]) == self.axes:
            dims = self._places[output]  # rows and columns taken apart again from a flat index
        return dims[: self.axes]

    def intervals(
        self, row: int, units: Sequence[Sequence[int]], *, clip: bool = False, local: bool = False
    ) -> Box:
        """Return first and last input index, arrays (units, axes), for units of one row."""
        dims = self.unit_dims(row)
        if self.input is None or self.trace.rows[row].output is None:
            raise UserError(
                f"Layer '{self.trace.rows[row].name}' has no output that depends on an image."
            )
        for unit in units:
            if len(unit) < len(dims):
                raise UserError(f"A unit of this layer has {len(dims)} coordinates; got {unit!r}.")
        questions = [(row, tuple(unit)) for unit in units]
        lo, hi = self._walk(questions, local, infinite=local)
        if clip:
            ends = np.array(self.trace.shape(self.input)[2:])[:, None] - 1
            lo, hi = np.clip(lo, 0, ends), np.clip(hi, 0, ends)
        return lo.T, hi.T

    # -- one walk for many questions ---------------------------------------------------------

    def _walk(self, questions: list[tuple[int, tuple]], local: bool, infinite: bool) -> Box:
        """Walk backward once; columns answer the questions (row, unit)."""
        need: dict[int, Box] = {}
        by_row: dict[int, list[int]] = {}
        for column, (row, _) in enumerate(questions):
            by_row.setdefault(row, []).append(column)
        count = len(questions)
        for row, columns in by_row.items():
            value = self.trace.rows[row].output
            if value is not None:
                units = [questions[c][1] for c in columns]
                box = self._target(value, self.unit_dims(row), columns, units, count)
                self._merge(need, value, box, local=False)
        with np.errstate(invalid="ignore"):  # inf - inf, in columns that stay infinite anyway
            for op in reversed(self.trace.ops):
                self._step(op, need, local, infinite)
        shape = self.trace.shape(self.input or 0)
        nothing = np.full((len(shape), count), INF), np.full((len(shape), count), -INF)
        lo, hi = need.get(self.input or 0, nothing)
        return lo[2:], hi[2:]

    def _target(self, value: int, dims: tuple, columns: list, units: list, count: int) -> Box:
        shape = self.trace.shape(value)
        lo, hi = np.full((len(shape), count), INF), np.full((len(shape), count), -INF)
        for d, n in enumerate(shape):
            lo[d, columns], hi[d, columns] = 0, n - 1
        for axis, d in enumerate(dims):
            lo[d, columns] = hi[d, columns] = [unit[axis] for unit in units]
        return lo, hi

    def _step(self, op: Op, need: dict[int, Box], local: bool, infinite: bool) -> None:
        for position, out in enumerate(op.outputs):
            box = need.get(out)
            if box is None:
                continue
            if out not in self.trace.inputs:
                del need[out]
            call = Call(self.trace, self.spatial, op, position, infinite)
            if op.index in self.linears:
                self._merge(need, self.linears[op.index], _linear(call, self.linears, *box), local)
                continue
            rule = self._rule(op)
            for value, back in rule(call, *box):
                if self.trace.values[value].origin in ("", "input"):
                    self._merge(need, value, back, local)

    def _rule(self, op: Op) -> Rule:
        name = op.name if op.name in _RULES else op.name.removesuffix("_")
        if name in _RULES:
            return _RULES[name]
        if kind_of(op.name) in POINTWISE_KINDS:
            return pointwise
        self.unknown.add(op.name)
        return everything

    def _merge(self, need: dict[int, Box], value: int, box: Box, local: bool) -> None:
        lo, hi = box
        alive = (lo <= hi).all(0)
        if local:
            alive &= (np.isfinite(lo) & np.isfinite(hi)).all(0)
        if not alive.all():
            lo, hi = np.where(alive, lo, INF), np.where(alive, hi, -INF)
        if value in need:
            old = need[value]
            lo, hi = np.minimum(lo, old[0]), np.maximum(hi, old[1])
        need[value] = lo, hi

    # -- summaries ---------------------------------------------------------------------------

    def _summaries(self, local: bool) -> list[ReceptiveField | None]:
        uneven = any(
            op.name.startswith(_UNEVEN)
            or "adaptive" in op.name
            or "upsample" in op.name
            or (op.name == "convolution" and op.args[6])
            for op in self.trace.ops
        )
        questions: list[tuple[int, tuple]] = []
        spans: list[tuple[int, int]] = []
        for row in range(len(self.trace.rows)):
            first = len(questions)
            if self.trace.rows[row].output is not None:
                questions += [(row, unit) for unit in self._probes(row, uneven)]
            spans.append((first, len(questions)))
        if not questions:
            return [None] * len(self.trace.rows)
        lo, hi = self._walk(questions, local, infinite=True)
        found = [
            self._summary(row, lo[:, a:b], hi[:, a:b], local) if b > a else None
            for row, (a, b) in enumerate(spans)
        ]
        return [rf if rf is not None and rf.size[0] > 0 else None for rf in found]

    def _probes(self, row: int, uneven: bool) -> list[tuple[int, ...]]:
        """Unit 0, the middle, the middle a whole period on, then neighbours of the middle."""
        output = self.trace.rows[row].output
        assert output is not None
        sizes = [self.trace.shape(output)[d] for d in self.unit_dims(row)]
        if not sizes:
            return [()]
        middle = [n // 2 for n in sizes]
        probes = [tuple(0 for _ in sizes), tuple(middle), tuple(m + _PERIOD for m in middle)]
        if uneven:
            for shift in range(-_PHASES, _PHASES):
                near = [min(max(m + shift, 0), n - 1) for m, n in zip(middle, sizes, strict=True)]
                probes.append(tuple(near))
        return probes

    def _summary(self, row: int, lo: np.ndarray, hi: np.ndarray, local: bool) -> ReceptiveField:
        assert self.input is not None
        image = self.trace.shape(self.input)[2:]
        units = self._probes(row, uneven=False)
        dims = len(self.unit_dims(row))
        size: list[Number] = []
        stride: list[Number] = []
        places: list[list[float]] = []
        for axis, pixels in enumerate(image):
            width = hi[axis] - lo[axis] + 1
            near = np.delete(width, 2) if len(units) > 2 else width
            size.append(_number(max(near.max(), 0)))
            if not np.isfinite(width[:3]).all():  # everything, or nothing at all
                places.append([(pixels - 1) / 2] * 2)
                stride.append(INF)
                continue
            centers = (lo[axis] + hi[axis]) / 2
            places.append([float(centers[0]), float(centers[min(1, len(units) - 1)])])
            stride.append(_stride(centers, units, axis, pixels) if dims == len(image) else INF)
        starts, middles = zip(*places, strict=True)
        is_global = INF in size
        return ReceptiveField(
            tuple(size), tuple(stride), starts, middles, is_global, _source=(self, row, local)
        )


def _stride(centers: np.ndarray, units: list[tuple[int, ...]], axis: int, pixels: int) -> Number:
    """Return the pixels that a field moves per unit, exactly where a whole period shows it."""
    step = (centers[2] - centers[1]) / _PERIOD
    middle = units[1][axis]
    if abs(centers[2]) < pixels and middle:  # a reshape on the way kept the probe in the image
        step = (centers[1] - centers[0]) / middle
    return _number(float(Fraction(float(step)).limit_denominator(4096)))
