"""Run a notebook in a fresh kernel that sees nothing of its owner's files, and measure it."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightcourse.errors import UserError
from lightcourse.rehearsal import VARIABLE

# run by the kernel before the first cell: chapters promise to need no network
OFFLINE = """
def _lightcourse_offline():
    import sys

    here = {None, "", "localhost", "127.0.0.1", "::1", b"localhost"}

    def refuse(event, args):
        if event == "socket.connect":
            address = args[1]
            if isinstance(address, tuple) and address[0] not in here:
                raise OSError(f"no network while a chapter is executed: {address[0]}")
        elif event == "socket.getaddrinfo" and args[0] not in here:
            raise OSError(f"no network while a chapter is executed: {args[0]}")

    sys.addaudithook(refuse)


_lightcourse_offline()
del _lightcourse_offline
"""


@dataclass(frozen=True)
class CellRun:
    """One executed cell: wall and CPU seconds of the kernel while it ran."""

    number: int
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class CellError:
    """An exception in a cell; `number` counts all cells from 1.

    >>> print(CellError(9, "02-chain-check", "NotImplementedError", "later"))
    cell 9 (02-chain-check): NotImplementedError: later
    """

    number: int
    grade_id: str
    name: str
    message: str

    def __str__(self) -> str:
        where = f"cell {self.number}" + (f" ({self.grade_id})" if self.grade_id else "")
        return f"{where}: {self.name}: {self.message}"


@dataclass(frozen=True)
class Execution:
    """What a run took, from a cold kernel on, and what went wrong; peak_rss is in bytes."""

    seconds: float
    cpu_seconds: float
    peak_rss: int
    errors: tuple[CellError, ...]
    cells: tuple[CellRun, ...]
    nb: Any = field(repr=False)


def run_notebook(
    notebook: Path | str | Any,
    timeout: float = 600,
    allow_errors: bool = False,
    *,
    folder: Path | None = None,
    home: Path | None = None,
    network: bool = False,
    rehearsal: bool = False,
    on_cell: Callable[[int, int], None] | None = None,
) -> Execution:
    """Execute a notebook (a path or a NotebookNode) and return what happened; it never raises
    for an error in a cell, but stops there unless `allow_errors`.

    The kernel's IPython, Jupyter and LIGHTCOURSE_HOME folders are private and deleted afterwards
    (`home` keeps LIGHTCOURSE_HOME). It starts in `folder`, or else in the notebook's own.
    `rehearsal` lets trainings and measurements take a moment only (see `lightcourse.rehearsal`).
    `timeout` is per cell, in seconds; `on_cell(number, cells)` is called as each one starts.
    Raises UserError for a file that is no notebook or names a kernel that is not installed.
    """
    nb, folder = _open(notebook, folder)
    with _private_place(home, network) as (place, env):
        env[VARIABLE] = str(int(rehearsal))
        return _Run(nb, place, env, folder, timeout, allow_errors, on_cell).result()


def _open(notebook: Path | str | Any, folder: Path | None) -> tuple[Any, Path]:
    import nbformat
    from jsonschema import ValidationError

    name = "The notebook"
    try:
        if isinstance(notebook, Path | str):
            path = Path(notebook)
            name = str(path)
            folder = folder or path.parent
            nb = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        else:
            nb = nbformat.from_dict(notebook)
        nbformat.validate(nb)
    except OSError as error:
        raise UserError(f"{name} cannot be read ({error.strerror}): check the path.") from None
    except (ValueError, AttributeError, TypeError, ValidationError) as error:
        reason = str(error).split("\n")[0]
        raise UserError(f"{name} is not a notebook ({reason}): give an .ipynb file.") from None
    return nb, folder or Path.cwd()


@contextmanager
def _private_place(home: Path | None, network: bool) -> Iterator[tuple[Path, dict[str, str]]]:
    # not pytest's tmp_path: a socket's path may have 107 characters only
    place = Path(tempfile.mkdtemp(prefix="lc-"))
    try:
        env = dict(os.environ)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            (place / name).mkdir()
            env[name] = str(place / name)
        env["LIGHTCOURSE_HOME"] = str(home or place / "home")
        env.pop("PYTHONWARNINGS", None)
        if not network:
            startup = place / "IPYTHONDIR" / "profile_default" / "startup"
            startup.mkdir(parents=True)
            (startup / "00-offline.py").write_text(OFFLINE, encoding="utf-8")
        yield place, env
    finally:
        shutil.rmtree(place, ignore_errors=True)


class _Run:
    """One execution: a kernel manager, nbclient's hooks, and the gauges they read."""

    def __init__(self, nb, place, env, folder, timeout, allow_errors, on_cell):
        from jupyter_client.manager import AsyncKernelManager
        from nbclient import NotebookClient

        self.nb, self.env, self.folder, self.on_cell = nb, env, folder, on_cell
        self.cells: list[CellRun] = []
        self.errors: list[CellError] = []
        self.cpu = self.rss = 0.0
        self.index = 0
        self.began = (0.0, 0.0)
        self.manager = AsyncKernelManager(
            kernel_name=_kernel_name(nb), connection_file=str(place / "kernel.json")
        )
        if sys.platform != "win32":
            # no port to guess, none to be taken, and the kernel does not warn of eavesdroppers
            self.manager.transport = "ipc"
        self.client = NotebookClient(
            nb,
            km=self.manager,
            timeout=int(timeout),
            allow_errors=allow_errors,
            record_timing=False,
            shutdown_kernel="immediate",
            on_cell_execute=self.started,
            on_cell_executed=self.executed,
        )

    def result(self) -> Execution:
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

        start = time.perf_counter()
        try:
            # the manager is ours, so nbclient has to be told to end the kernel
            self.client.execute(env=self.env, cwd=str(self.folder), cleanup_kc=True)
        except CellExecutionError:
            pass  # `executed` has noted it
        except (CellTimeoutError, DeadKernelError) as error:
            self.fail(type(error).__name__, str(error).strip().split("\n")[0])
        seconds = time.perf_counter() - start
        return Execution(
            seconds, self.cpu, int(self.rss), tuple(self.errors), tuple(self.cells), self.nb
        )

    def started(self, cell, cell_index: int) -> None:
        self.index = cell_index
        self.began = (time.perf_counter(), self.gauge())
        if self.on_cell:
            self.on_cell(cell_index + 1, len(self.nb.cells))

    def executed(self, cell, cell_index: int, execute_reply) -> None:
        begin, cpu = self.began
        now = self.gauge()
        self.cells.append(CellRun(cell_index + 1, time.perf_counter() - begin, now - cpu))
        content = execute_reply["content"]
        if content["status"] == "error":
            self.fail(content["ename"], content["evalue"])

    def fail(self, name: str, message: str) -> None:
        grade_id = self.nb.cells[self.index].metadata.get("nbgrader", {}).get("grade_id", "")
        self.errors.append(CellError(self.index + 1, grade_id, name, message))

    def gauge(self) -> float:
        """Read the kernel's CPU seconds and peak memory so far."""
        import psutil  # comes with ipykernel

        try:
            process = psutil.Process(self.manager.provisioner.pid)  # type: ignore[union-attr]
            times = process.cpu_times()
            self.cpu = times.user + times.system + times.children_user + times.children_system
            self.rss = max(self.rss, _peak_rss(process))
        except psutil.Error:  # the kernel died: keep what was read last
            pass
        return self.cpu


def _kernel_name(nb) -> str:
    from jupyter_client.kernelspec import KernelSpecManager

    name = nb.metadata.get("kernelspec", {}).get("name", "python3")
    known = sorted(KernelSpecManager().find_kernel_specs())
    if name not in known:
        raise UserError(
            f"The notebook asks for the kernel {name!r}, which is not installed: "
            f"choose one of {', '.join(known)}."
        )
    return name


def _peak_rss(process) -> int:
    """Bytes; Linux keeps the peak since exec, elsewhere the present size has to do."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return process.memory_info().rss
