"""Live progress of a run: a bar in a terminal, one display in a notebook, else a line per epoch."""

import sys
import time
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from torch import Tensor

from lightcourse.training._history_view import curve
from lightcourse.training.history import Epoch

Report = Callable[[Epoch], Any]
_OFTEN = 0.25  # seconds between two updates; drawing must cost nothing beside training


class Screen:
    """Shows nothing; the others draw on it."""

    def __init__(self, epochs: int, steps: int, rows: Sequence[Epoch]) -> None:
        self.epochs = epochs
        self.steps = steps  # of one epoch
        self.rows = list(rows)
        self.began = self.shown = time.perf_counter()
        self.skipped = len(rows)  # epochs of an earlier call

    def __enter__(self) -> "Screen":
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def step(self, number: int, loss: Tensor) -> None:
        """After step `number` (from 1) of the epoch; the loss is read only when it is drawn."""
        now = time.perf_counter()
        if now - self.shown >= _OFTEN:
            self.shown = now
            self.draw(number, float(loss))

    def epoch(self, row: Epoch) -> None:
        """After an epoch."""
        self.rows.append(row)

    def draw(self, step: int, loss: float) -> None:
        """Show where the run is, in the middle of an epoch."""

    def left(self, step: int) -> str:
        """Return how long the rest may take, from the pace so far."""
        done = (len(self.rows) - self.skipped) * self.steps + step
        todo = (self.epochs - len(self.rows)) * self.steps - step
        seconds = (time.perf_counter() - self.began) / max(1, done) * todo
        return (
            f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"
        )


class Caller(Screen):
    """Calls a function after every epoch."""

    def __init__(self, report: Report, *where: Any) -> None:
        super().__init__(*where)
        self.report = report

    def epoch(self, row: Epoch) -> None:
        super().epoch(row)
        self.report(row)


class Log(Screen):
    """A line per epoch on stderr, for a file or a pipe."""

    def epoch(self, row: Epoch) -> None:
        super().epoch(row)
        print(row, file=sys.stderr, flush=True)


class Terminal(Screen):
    """A line per epoch on stderr, and a bar below that goes away at the end."""

    def __enter__(self) -> "Terminal":
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"))
        console = Console(stderr=True, highlight=False)
        self.bar = Progress(*columns, console=console, transient=True, refresh_per_second=4)
        self.task = self.bar.add_task(self._title(), total=self.steps, said="")
        self.bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.bar.stop()

    def draw(self, step: int, loss: float) -> None:
        said = f"loss {loss:.3f}, {self.left(step)}"
        self.bar.update(self.task, completed=step, said=said, description=self._title())

    def epoch(self, row: Epoch) -> None:
        super().epoch(row)
        self.bar.console.print(str(row))
        self.bar.update(self.task, completed=0, description=self._title())

    def _title(self) -> str:
        return f"epoch {min(len(self.rows) + 1, self.epochs)} of {self.epochs}"


class Notebook(Screen):
    """One display that is updated: a bar, the last numbers and the curve so far."""

    def __enter__(self) -> "Notebook":
        from IPython.display import display

        self.handle: Any = display(self._data(0, "starting"), raw=True, display_id=True)
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self._show(0, "done")

    def draw(self, step: int, loss: float) -> None:
        self._show(step, f"loss {loss:.3f}, {self.left(step)}")

    def epoch(self, row: Epoch) -> None:
        super().epoch(row)
        self._show(0, "")

    def _show(self, step: int, said: str) -> None:
        self.handle.update(self._data(step, said), raw=True)

    def _data(self, step: int, said: str) -> dict[str, str]:
        share = (len(self.rows) + step / self.steps) / self.epochs
        now = f"epoch {min(len(self.rows) + 1, self.epochs)} of {self.epochs}"
        last = f"test accuracy {self.rows[-1].test_accuracy:.1%}" if self.rows else ""
        words = " · ".join(part for part in (now, last, said) if part)
        bar = f"<progress max='1' value='{share:.3f}' aria-label='training'></progress>"
        page = f"<div>{bar} {escape(words)}</div>{curve(tuple(self.rows), self.epochs)}"
        return {"text/html": page, "text/plain": words}


def screen(
    wanted: bool | Report, epochs: int, steps: int, rows: Sequence[Epoch], leads: bool
) -> Screen:
    """Return the screen that suits where this runs; a function is called after every epoch."""
    where = (epochs, steps, rows)
    if not leads or not wanted:
        return Screen(*where)
    if callable(wanted):
        return Caller(wanted, *where)
    if _in_notebook():
        return Notebook(*where)
    return Terminal(*where) if sys.stderr.isatty() else Log(*where)


def notice(sentence: str, leads: bool = True) -> None:
    """Say one line that a user must know, whatever progress is shown."""
    if sentence and leads:
        # a notebook paints stderr as an error, which this is none
        print(sentence, file=sys.stdout if _in_notebook() else sys.stderr, flush=True)


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:  # then nobody has started a kernel in this process
        return False
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
