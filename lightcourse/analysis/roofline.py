"""The roofline: the least time each layer can take, and whether arithmetic or memory sets it."""

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from lightcourse.analysis._time_text import duration, frame, html_table, speed, text_table
from lightcourse.analysis.machine import Machine
from lightcourse.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lightcourse.analysis._layer_times import LayerTimes
    from lightcourse.analysis.report import Report

Bound = Literal["compute", "memory", "none"]

_HEADS = ("name", "kind", "MACs", "bytes", "FLOP/B", "at most", "at least", "bound")


@dataclass(frozen=True)
class RooflineRow:
    """One layer under the roof."""

    name: str
    kind: str
    macs: int
    memory_access: int  # bytes read and written
    intensity: float  # FLOPs per byte
    attainable: float  # multiply-accumulates per second, at most
    seconds: float  # at least
    bound: Bound  # "none" for a layer without any work, such as dropout in eval mode


@dataclass(frozen=True)
class Roofline:
    """All layers of a model under the roof of one machine, each running alone after the other."""

    name: str
    machine: Machine
    rows: tuple[RooflineRow, ...]

    @property
    def seconds(self) -> float:
        """The least time of one forward pass, layer after layer."""
        return sum(row.seconds for row in self.rows)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one forward pass."""
        return sum(row.macs for row in self.rows)

    def share(self, bound: Bound) -> float:
        """Return the share of the time, 0 to 1, in layers with this bound."""
        if bound not in ("compute", "memory", "none"):
            raise UserError(f"A bound is 'compute', 'memory' or 'none', not {bound!r}.")
        part = sum(row.seconds for row in self.rows if row.bound == bound)
        return part / self.seconds if self.seconds else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "name": self.name,
            "machine": self.machine.to_dict(),
            "seconds": self.seconds,
            "share_compute": self.share("compute"),
            "share_memory": self.share("memory"),
            "layers": [asdict(row) for row in self.rows],
        }

    def to_pandas(self) -> Any:
        """Return the layers as a pandas DataFrame, one row each."""
        return frame([asdict(row) for row in self.rows])

    def figure(self, times: "LayerTimes | None" = None) -> "Figure":
        """Draw the roof and the layers, dots as large as their MACs.

        Without `times` a dot stands at the most its layer can reach; with the result of
        `latency_by_layer` it stands at the speed that was measured.
        """
        from lightcourse.analysis._roofline_figure import draw

        return draw(self, times)

    def __str__(self) -> str:
        return "\n".join([*text_table(_HEADS, self._cells(), (0, 1, 7)), "", *self._notes()])

    __repr__ = __str__  # a console shows what print shows

    def _repr_html_(self) -> str:
        most = max((row.seconds for row in self.rows), default=0.0) or 1.0
        bars = [row.seconds / most for row in self.rows]
        return html_table(_HEADS, self._cells(), self._notes(), bars, 6, (0, 1, 7))

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (
                row.name,
                row.kind,
                f"{row.macs:,}",
                f"{row.memory_access:,}",
                f"{row.intensity:.3g}",
                speed(row.attainable),
                duration(row.seconds),
                "-" if row.bound == "none" else row.bound,
            )
            for row in self.rows
        ]

    def _notes(self) -> list[str]:
        return [
            str(self.machine),
            f"{self.name} takes at least {duration(self.seconds)}: {self.share('memory'):.0%} of "
            f"it in layers that wait for memory, {self.share('compute'):.0%} in layers that wait "
            "for arithmetic",
        ]


def roofline(report: "Report", machine: Machine, *, caches: bool = True) -> Roofline:
    """Return the least time of every layer: max(MACs / peak, bytes / bandwidth).

    Williams, Waterman and Patterson, "Roofline: an insightful visual performance model for
    multicore architectures", CACM 2009. Where the machine knows its caches, the bandwidth is the
    one for a working set of as many bytes as the layer touches; with `caches=False` every byte
    comes from memory, as in the paper, and small layers may run faster than this roof allows.

    >>> from torch import nn
    >>> from lightcourse.analysis import analyze
    >>> toy = Machine("toy", peak_macs=1e9, bandwidth=1e9)
    >>> line = roofline(analyze(nn.Conv2d(64, 64, 1, bias=False), (1, 64, 56, 56)), toy)
    >>> [(row.bound, round(row.intensity, 1)) for row in line.rows]
    [('compute', 15.8)]
    """
    if not isinstance(machine, Machine):
        raise UserError(
            f"roofline needs a Machine, not a {type(machine).__name__}; take the result of "
            "probe(), or write one: Machine('mine', peak_macs=1e11, bandwidth=2e10)."
        )
    if not hasattr(report, "layers"):
        raise UserError(
            f"roofline needs a report, not a {type(report).__name__}; pass analyze(model)."
        )
    if not caches:
        machine = replace(machine, caches=())
    return Roofline(
        name=report.name,
        machine=machine,
        rows=tuple(
            row_of(machine, layer.name, layer.kind, layer.macs, layer.memory_access)
            for layer in report.layers
        ),
    )


def row_of(machine: Machine, name: str, kind: str, macs: int, memory_access: int) -> RooflineRow:
    """Return one piece of work under the roof of a machine."""
    seconds = machine.seconds(macs, memory_access)
    bound: Bound = "compute" if macs / machine.peak_macs >= seconds else "memory"
    return RooflineRow(
        name=name,
        kind=kind,
        macs=macs,
        memory_access=memory_access,
        intensity=2 * macs / memory_access if memory_access else 0.0,
        attainable=macs / seconds if seconds else 0.0,
        seconds=seconds,
        bound=bound if seconds else "none",
    )
