"""The time of every layer inside a whole forward pass, beside what the roofline predicts."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn.modules import module as hooks

from lightcourse.analysis._inputs import InputSize, check_model
from lightcourse.analysis._live import check_timing, device_of, ready
from lightcourse.analysis._rows import RowBook
from lightcourse.analysis._time_text import duration, frame, html_table, text_table
from lightcourse.analysis.machine import Machine, probe, this_machine
from lightcourse.analysis.roofline import Bound, row_of
from lightcourse.errors import UserError
from lightcourse.rehearsal import rehearsed

if TYPE_CHECKING:
    from lightcourse.analysis.report import Layer

_HEADS = ("name", "kind", "MACs", "bytes", "predicted", "measured", "residual", "ratio", "bound")
_PASSES = 5  # with every layer timed, at least
_AGREE = 0.15  # of the whole that the sum of the parts may differ without a word
BETWEEN = "between layers"


@dataclass(frozen=True)
class LayerTime:
    """One layer, or the operators between two layers; times in seconds."""

    name: str
    kind: str
    macs: int
    memory_access: int  # bytes
    predicted: float
    measured: float  # median over the passes
    bound: Bound

    @property
    def residual(self) -> float:
        """Seconds that the prediction misses: measured minus predicted."""
        return self.measured - self.predicted

    @property
    def ratio(self) -> float | None:
        """How many times the predicted time was measured; None where nothing was predicted."""
        return self.measured / self.predicted if self.predicted else None


@dataclass(frozen=True)
class LayerTimes:
    """Predicted and measured times of all parts of a forward pass; they add up to the whole."""

    name: str
    machine: Machine
    rows: tuple[LayerTime, ...]
    whole: float  # seconds of a pass without clocks inside, median
    threads: int
    passes: int

    @property
    def measured(self) -> float:
        """The sum of all parts; a little above `whole`, as reading the clock takes time too."""
        return sum(row.measured for row in self.rows)

    @property
    def predicted(self) -> float:
        """The sum of the predictions."""
        return sum(row.predicted for row in self.rows)

    @property
    def median_ratio(self) -> float | None:
        """The middle one of all ratios of measured to predicted time."""
        ratios = [row.ratio for row in self.rows if row.ratio is not None]
        return median(ratios) if ratios else None

    @property
    def warning(self) -> str:
        """What speaks against these numbers, in a sentence; empty when nothing does."""
        if abs(self.measured - self.whole) <= _AGREE * self.whole:
            return ""
        return (
            "The parts and the whole were timed in turn and disagree, as if other programs were "
            "busy or the layers were too short for a clock; measure again with more seconds."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data; times in seconds."""
        return {
            "name": self.name,
            "machine": self.machine.to_dict(),
            "threads": self.threads,
            "passes": self.passes,
            "whole": self.whole,
            "measured": self.measured,
            "predicted": self.predicted,
            "layers": self._plain(),
        }

    def to_pandas(self) -> Any:
        """Return the parts as a pandas DataFrame, one row each."""
        return frame(self._plain())

    def _plain(self) -> list[dict[str, Any]]:
        return [{**asdict(row), "residual": row.residual, "ratio": row.ratio} for row in self.rows]

    def __str__(self) -> str:
        return "\n".join([*text_table(_HEADS, self._cells(), (0, 1, 8)), "", *self._notes()])

    __repr__ = __str__  # a console shows what print shows

    def _repr_html_(self) -> str:
        most = max((row.measured for row in self.rows), default=0.0) or 1.0
        bars = [max(row.measured, 0) / most for row in self.rows]
        return html_table(_HEADS, self._cells(), self._notes(), bars, 5, (0, 1, 8))

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (
                row.name,
                row.kind,
                f"{row.macs:,}",
                f"{row.memory_access:,}",
                duration(row.predicted),
                duration(row.measured),
                duration(row.residual),
                "-" if row.ratio is None else f"{row.ratio:.2f}×",
                "-" if row.bound == "none" else row.bound,
            )
            for row in self.rows
        ]

    def _notes(self) -> list[str]:
        share = f" ({self.measured / self.whole:.2f} of it)" if self.whole else ""
        middle = self.median_ratio
        return [
            str(self.machine),
            f"{self.name}: the whole {duration(self.whole)}, its parts {duration(self.measured)}"
            f"{share}, predicted {duration(self.predicted)}; median of {self.passes} passes on "
            f"{self.threads} thread{'s' if self.threads > 1 else ''}",
            *(
                []
                if middle is None
                else [f"half of the parts take at least {middle:.2f} times what is predicted"]
            ),
            *([self.warning] if self.warning else []),
        ]


def latency_by_layer(
    model: nn.Module,
    input_size: InputSize = (1, 3, 224, 224),
    *,
    threads: int = 1,
    machine: Machine | None = None,
    seconds: float = 2.0,
    progress: bool = False,
) -> LayerTimes:
    """Time every layer inside whole forward passes and set it beside the roofline's prediction.

    Layers run where they belong, with the caches as the layer before leaves them: timed alone they
    look up to a third faster than they are. Operators outside of layers (an addition, a
    concatenation) have rows of their own, and what Python needs is the last row. The prediction is
    `machine.seconds(macs, bytes)` plus the machine's overhead; for the plain roof, without a price
    for each call, pass `dataclasses.replace(machine, overhead=0.0)`. Without `machine` it is the
    one that `probe` found; where it never ran, a probe of three seconds does.

    >>> toy = Machine("toy", peak_macs=1e10, bandwidth=1e10)
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
    >>> times = latency_by_layer(model, (1, 3, 16, 16), machine=toy, seconds=0.05)
    >>> [row.name for row in times.rows]
    ['0', '1', 'between layers']
    """
    from lightcourse.analysis import analyze

    check_timing(model, threads, seconds)
    model = check_model(model)
    if device_of(model).type != "cpu":
        raise UserError("latency_by_layer times models on the CPU; call model.to('cpu') first.")
    layers = analyze(model, input_size).layers
    if machine is None:
        machine = this_machine(threads) or probe(seconds=3, threads=threads, progress=progress)
    with ready(model, input_size, threads) as run:
        calls, modules = _leaf_calls(model, run)
        whole, passes = _passes(run, modules, rehearsed(seconds, 0.002))
    medians = [median(part) for part in zip(*passes, strict=True)]
    return LayerTimes(
        name=type(model).__name__,
        machine=machine,
        rows=_rows(machine, _match(layers, calls), medians),
        whole=median(whole),
        threads=threads,
        passes=len(passes),
    )


def _leaf_calls(
    model: nn.Module, run: Callable[[], Any]
) -> tuple[list[tuple[str, str]], list[nn.Module]]:
    """Return (name, kind) of every call of a leaf in order, and the modules behind them."""
    book = RowBook(model, [])
    modules: dict[int, nn.Module] = {}

    def before(module: nn.Module, args: Any) -> None:
        rows = len(book.rows)
        book.before(module, args)
        if len(book.rows) > rows:
            modules[id(module)] = module

    def nothing(_tensor: Tensor) -> None:
        return None

    handles = (
        hooks.register_module_forward_pre_hook(before),
        hooks.register_module_forward_hook(book.leave(nothing), always_call=True),
    )
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return [(row.name, row.kind) for row in book.rows], list(modules.values())


@contextmanager
def _clocks(modules: Sequence[nn.Module], marks: list[float]) -> Iterator[None]:
    clock = time.perf_counter

    def mark(*_: Any) -> None:
        marks.append(clock())

    handles = [m.register_forward_pre_hook(mark) for m in modules]
    handles += [m.register_forward_hook(mark) for m in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _passes(
    run: Callable[[], Any], modules: Sequence[nn.Module], seconds: float
) -> tuple[list[float], list[list[float]]]:
    """Return times of whole passes, and of passes cut at every layer's begin and end.

    The two take turns, so that a busy moment of the machine meets both.
    """
    clock = time.perf_counter
    whole: list[float] = []
    cut: list[list[float]] = []
    end = clock() + seconds
    while len(cut) < _PASSES or clock() < end:
        start = clock()
        run()
        whole.append(clock() - start)
        for _ in range(2):
            marks: list[float] = []
            with _clocks(modules, marks):
                marks.append(clock())
                run()
                marks.append(clock())
            cut.append([after - before for before, after in pairwise(marks)])
    return whole, cut


_Group = tuple[bool, Sequence["Layer"]]  # whether it is a call of a leaf, and its rows


def _match(layers: Sequence["Layer"], calls: Sequence[tuple[str, str]]) -> list[_Group]:
    """Sort the rows of a report into gaps and leaf calls, in turn, with a gap at both ends."""
    groups: list[_Group] = []
    place = 0
    for name, kind in calls:
        wanted = (name.partition("#")[0], kind)
        found = next(
            (
                i
                for i in range(place, len(layers))
                if (layers[i].name.partition("#")[0], layers[i].kind) == wanted
            ),
            None,
        )
        if found is None:
            raise UserError(
                f"The forward pass called '{name}' when it was timed and not when it was analysed; "
                "only a forward that does the same each time can be compared with a prediction."
            )
        groups += [(False, layers[place:found]), (True, layers[found : found + 1])]
        place = found + 1
    return [*groups, (False, layers[place:])]


def _rows(
    machine: Machine, groups: Sequence[_Group], seconds: Sequence[float]
) -> tuple[LayerTime, ...]:
    if len(groups) != len(seconds):
        raise UserError(
            "The forward pass did not call the same layers each time; only one that does can be "
            "compared with a prediction."
        )
    rows, between = [], 0.0
    for (_, layers), measured in zip(groups, seconds, strict=True):
        if layers:
            rows.append(_row(machine, layers, measured))
        else:
            between += measured
    return (*rows, LayerTime(BETWEEN, "Python", 0, 0, 0.0, between, "none"))


def _row(machine: Machine, layers: Sequence["Layer"], measured: float) -> LayerTime:
    under = [row_of(machine, x.name, x.kind, x.macs, x.memory_access) for x in layers]
    heaviest = max(under, key=lambda row: row.seconds)
    more = f" +{len(layers) - 1}" if len(layers) > 1 else ""
    return LayerTime(
        name=layers[0].name + more,
        kind=", ".join(dict.fromkeys(row.kind for row in under)),
        macs=sum(row.macs for row in under),
        memory_access=sum(row.memory_access for row in under),
        predicted=sum(row.seconds + machine.overhead for row in under if row.seconds),
        measured=measured,
        bound=heaviest.bound,
    )
