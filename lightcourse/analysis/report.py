"""The result of an analysis: exact numbers, printed as an aligned table or as a folded tree."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from lightcourse.analysis import _report_rows as rows
from lightcourse.analysis._kinds import KindShare, by_kind
from lightcourse.analysis._records import Trace
from lightcourse.analysis.cost import UnknownOp, ZeroOp
from lightcourse.analysis.memory import Access, Schedule, Timeline, timeline
from lightcourse.analysis.receptive_field import Fields, ReceptiveField
from lightcourse.errors import UserError


@dataclass(frozen=True)
class Layer:
    """One row: a call of a leaf module, or an operator outside of any."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    params: int  # elements; a shared parameter counts where it is first used
    macs: int  # multiply-accumulates; a lower bound when `unknown` names operators
    read: int = 0  # bytes
    written: int = 0  # bytes
    unknown: tuple[str, ...] = ()
    _fields: Fields | None = field(default=None, repr=False, compare=False)
    _index: int = field(default=0, repr=False, compare=False)

    @property
    def memory_access(self) -> int:
        """Bytes read and written by the layer's operators, each run by itself."""
        return self.read + self.written

    @property
    def intensity(self) -> float:
        """FLOPs per byte moved; a FLOP is half a multiply-accumulate."""
        return 2 * self.macs / self.memory_access if self.memory_access else 0.0

    @property
    def receptive_field(self) -> ReceptiveField | None:
        """The layer's receptive field; None where no image reaches it."""
        return None if self._fields is None else self._fields.all[self._index]


@dataclass(frozen=True)
class Costs:
    """What each operator of a trace costs, in the trace's order."""

    macs: tuple[int | None, ...]  # None where nobody has written a formula
    moved: tuple[Access, ...]


@dataclass(frozen=True)
class Report:
    """What a model costs and sees, in total and layer by layer."""

    name: str
    input_shapes: tuple[tuple[int, ...], ...]
    output_shape: tuple[int, ...]
    params: int  # elements of all parameters; a shared one counts once
    macs: int  # multiply-accumulates of one forward pass; FLOPs are twice as many
    layers: tuple[Layer, ...]
    read: int = 0  # bytes that all operators read
    written: int = 0  # bytes that all operators write
    unknown: tuple[UnknownOp, ...] = ()
    zero: tuple[ZeroOp, ...] = ()  # operators without multiply-accumulates, and why
    zero_access: tuple[ZeroOp, ...] = ()  # operators that move no bytes, and why
    order: str = ""  # what the layers are sorted by; "" for the order of the forward pass
    _fields: Fields | None = field(default=None, repr=False, compare=False)
    _costs: Costs = field(default=Costs((), ()), repr=False, compare=False)
    _modules: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def memory_access(self) -> int:
        """Bytes read and written by all operators, each run by itself (eager)."""
        return self.read + self.written

    @property
    def intensity(self) -> float:
        """FLOPs per byte moved, 2 · macs / memory_access."""
        return 2 * self.macs / self.memory_access if self.memory_access else 0.0

    @property
    def peak_activation(self) -> int:
        """Most bytes of activations alive at once, without the input and the parameters."""
        return self.timeline().peak

    @property
    def peak_activation_fused(self) -> int:
        """The same with batch normalisation folded and activations in place."""
        return self.timeline("fused").peak

    def timeline(self, schedule: Schedule = "eager") -> Timeline:
        """Return the bytes of activations alive at each operator, `"eager"` or `"fused"`.

        >>> from torch import nn
        >>> from lightcourse.analysis import analyze
        >>> analyze(nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU()), (1, 3, 4, 4)).timeline().peak
        1024
        """
        if schedule not in self._timelines:
            self._timelines[schedule] = timeline(self._trace, schedule)
        return self._timelines[schedule]

    @cached_property
    def _timelines(self) -> dict[str, Timeline]:
        return {}

    @cached_property
    def _shares(self) -> tuple[KindShare, ...]:
        return by_kind(self._trace, self._costs.macs, self._costs.moved)

    def by_kind(self) -> tuple[KindShare, ...]:
        """Return count, params, macs and bytes of each kind of operator, most MACs first."""
        return self._shares

    @property
    def _trace(self) -> Trace:
        if self._fields is None:
            raise UserError("This report was made by hand; take one from analyze(...).")
        return self._fields.trace

    @cached_property
    def receptive_field(self) -> ReceptiveField | None:
        """The receptive field of the last map: the last layer that is not pooled into one whole."""
        if self._fields is None:
            return None
        found = self._fields.all
        for index in reversed(range(len(found))):
            rf = found[index]
            if rf is None:
                continue
            is_map = len(self._fields.unit_dims(index)) == len(rf.size)
            if is_map and (not rf.is_global or rf.local is not None):
                return rf
        return found[-1] if found else None

    @property
    def unused_params(self) -> int:
        """Elements of parameters that no layer of this forward pass read."""
        return self.params - sum(layer.params for layer in self.layers)

    @property
    def unknown_receptive_field(self) -> tuple[str, ...]:
        """Operators without a receptive-field rule; what follows them counts as global."""
        if self._fields is None:
            return ()
        _ = self._fields.all
        return tuple(sorted(self._fields.unknown))

    def sort(self, by: str) -> "Report":
        """Return the same report with its layers sorted, the largest first.

        `by` is "macs", "params", "memory", "intensity", "receptive_field" or "name" (A to Z).
        """
        return replace(self, layers=rows.sorted_layers(self.layers, by), order=by)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data that json.dumps takes (infinity as the text 'inf')."""
        return rows.report_dict(self)

    def to_pandas(self) -> Any:
        """Return the layers as a pandas DataFrame, one row each."""
        return rows.frame(self.layers)

    def to_csv(self, path: str | Path | None = None) -> str:
        """Return one line per layer with exact numbers, and write them to a file when one is given.

        >>> from torch import nn
        >>> from lightcourse.analysis import analyze
        >>> print(analyze(nn.Linear(3, 2), (1, 3)).to_csv().splitlines()[1])
        Linear,Linear,1x2,8,6,52,44,8,0.23076923076923078,,,,,0
        """
        text = rows.csv_text([({}, layer) for layer in self.layers])
        return text if path is None else rows.write_text(text, path)

    def __str__(self) -> str:
        from lightcourse.analysis._report_text import table, totals

        return "\n".join([*table(self.layers), "", *totals(self)])

    __repr__ = __str__  # a console shows what print shows

    def _repr_html_(self) -> str:
        from lightcourse.analysis._report_html import report_html

        return report_html(self)
