"""How long one forward pass takes on this machine, and where the time goes layer by layer."""

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from torch import nn

from lightcourse.analysis._inputs import InputSize
from lightcourse.analysis._layer_times import LayerTime, LayerTimes, latency_by_layer
from lightcourse.analysis._live import check_timing, ready
from lightcourse.analysis._time_text import duration, html_table
from lightcourse.rehearsal import rehearsed

_FEW = 5  # runs below which a median says little


@dataclass(frozen=True)
class Latency:
    """The times of many forward passes, in seconds."""

    name: str
    minimum: float
    median: float
    iqr: float  # between the first and the third quarter of the runs
    threads: int
    runs: int  # forward passes that were timed
    noisy: bool  # the middle half spreads over more than a tenth of the median
    few: bool = False  # too few runs for a median to be trusted

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data; times in seconds."""
        return asdict(self)

    @property
    def warning(self) -> str:
        """What speaks against these numbers, in a sentence; empty when nothing does."""
        said = []
        if self.noisy:
            said.append(
                f"The runs differ: the middle half spreads over {self.iqr / self.median:.0%} of "
                "the median, as if other programs were busy; trust the minimum, or measure again."
            )
        if self.few:
            said.append(f"Only {self.runs} runs fitted into the time; give more seconds.")
        return " ".join(said)

    def __str__(self) -> str:
        text = (
            f"{self.name}: median {duration(self.median)}, minimum {duration(self.minimum)}, "
            f"IQR {duration(self.iqr)}, {self.runs} runs on {self.threads} "
            f"thread{'s' if self.threads > 1 else ''}"
        )
        return f"{text}\n{self.warning}" if self.warning else text

    __repr__ = __str__  # a console shows what print shows

    def _repr_html_(self) -> str:
        heads = ("model", "median", "minimum", "IQR", "runs", "threads")
        row = (
            self.name, duration(self.median), duration(self.minimum), duration(self.iqr),
            str(self.runs), str(self.threads),
        )  # fmt: skip
        return html_table(heads, [row], [self.warning] if self.warning else [], left=(0,))


def latency(
    model: nn.Module,
    input_size: InputSize = (1, 3, 224, 224),
    *,
    threads: int = 1,
    seconds: float = 1.0,
    progress: bool = False,
) -> Latency:
    """Time forward passes in eval and inference mode for about so many seconds.

    `input_size` takes the same forms as in `analyze`. The model, the process's number of threads
    and its random state are left as they were. Raises `UserError` for a model without data (meta
    device) and for a forward that fails.

    >>> found = latency(nn.Conv2d(3, 8, 3), (1, 3, 32, 32), seconds=0.05)
    >>> 0 < found.minimum <= found.median
    True
    """
    from torch.utils.benchmark import Timer

    check_timing(model, threads, seconds)
    seconds = rehearsed(seconds, 0.002)
    with ready(model, input_size, threads) as run:
        timer = Timer("run()", globals={"run": run}, num_threads=threads)
        found = timer.blocked_autorange(
            callback=_shower(seconds) if progress else None, min_run_time=seconds
        )
    if progress:
        print(file=sys.stderr)
    return Latency(
        name=type(model).__name__,
        minimum=min(found.times),
        median=found.median,
        iqr=found.iqr,
        threads=threads,
        runs=len(found.times) * found.number_per_run,
        noisy=found.has_warnings,
        few=len(found.times) * found.number_per_run < _FEW,
    )


def _shower(seconds: float) -> Callable[[int, float], Any]:
    passed = shown = 0.0

    def show(_number: int, spent: float) -> None:
        nonlocal passed, shown
        passed += spent
        if passed - shown >= 0.5:
            shown = passed
            print(f"\rtiming {passed:.1f} of {seconds:g} s ", end="", file=sys.stderr, flush=True)

    return show


__all__ = ["Latency", "LayerTime", "LayerTimes", "latency", "latency_by_layer"]
