"""`lightcourse doctor`: what this machine has, what is missing, and the way out."""

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from lightcourse.errors import UserError

OK, NOTE, FAIL = "ok", "note", "fail"
MIN_FREE_GB = 0.2


@dataclass(frozen=True)
class Finding:
    """One line of the report; `way_out` is empty when there is nothing to do."""

    name: str
    status: str
    value: str
    way_out: str = ""


def _python() -> Finding:
    version = platform.python_version()
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding("Python", FAIL, version, "install Python 3.11, 3.12 or 3.13")
    return Finding("Python", OK, f"{version} on {platform.system()} {platform.machine()}")


def _torch() -> Finding:
    try:
        import torch
    except ImportError as error:
        return Finding("PyTorch", FAIL, f"does not import: {error}", "run 'make lab' again")
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return Finding(
        "PyTorch", OK, f"{torch.__version__}, {torch.get_num_threads()} threads, {device}"
    )


def _torchvision() -> Finding:
    from lightcourse._torchvision import status

    words = {
        "native": (OK, "its own operators", ""),
        "fallback": (OK, "its operators do not fit this PyTorch; ours stand in", ""),
        "missing": (NOTE, "not installed", "pip install torchvision, to compare with its models"),
    }  # fmt: skip
    return Finding("torchvision", *words[status()])


def _jupyterlab() -> Finding:
    try:
        return Finding("JupyterLab", OK, importlib.metadata.version("jupyterlab"))
    except importlib.metadata.PackageNotFoundError:
        way_out = "run 'make lab', or pip install 'lightcourse[lab]'"
        return Finding("JupyterLab", FAIL, "not installed", way_out)


def _course() -> Finding:
    from lightcourse.paths import course_home

    try:
        home = course_home()
    except UserError as error:
        return Finding("course", NOTE, "not found", str(error))
    count = len(list((home / "course").glob("[0-9][0-9]_*/*.ipynb")))
    return Finding("course", OK, f"{count} chapters in {home / 'course'}")


def _disk() -> Finding:
    free = shutil.disk_usage(".").free / 1e9
    if free < MIN_FREE_GB:
        return Finding("disk", FAIL, f"{free:.2f} GB free", "free some space, or saving will fail")
    return Finding("disk", OK, f"{free:.0f} GB free")


def _memory() -> Finding:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return Finding("memory", OK, "not measured on this system")
    if total < 3.5:
        return Finding(
            "memory", NOTE, f"{total:.1f} GB", "close other programs: chapters need up to 2 GB"
        )
    return Finding("memory", OK, f"{total:.0f} GB, {os.cpu_count()} CPU cores")


def _browser() -> Finding:
    from lightcourse.viz.demo import find_browser

    found = find_browser()
    if found is None:
        way_out = "only needed for 'lightcourse demo' in a window of its own, and for browser tests"
        return Finding("Chromium", NOTE, "not found", way_out)
    return Finding("Chromium", OK, found)


def _progress() -> Finding:
    from lightcourse.checks.book import home

    path = home() / "progress.json"
    try:  # trying beats asking: root may "write" to a read-only disk
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError:
        way_out = "set LIGHTCOURSE_HOME to a folder you can write; until then progress is not kept"
        return Finding("progress file", NOTE, f"{path} cannot be written", way_out)
    return Finding("progress file", OK, str(path))


CHECKS: tuple[Callable[[], Finding], ...] = (
    _python, _torch, _torchvision, _jupyterlab, _course, _disk, _memory, _browser, _progress,
)  # fmt: skip


def findings() -> list[Finding]:
    """Run every check; a check that breaks is itself a finding, never a crash."""
    found = []
    for check in CHECKS:
        try:
            found.append(check())
        except Exception as error:
            name = check.__name__.strip("_")
            found.append(
                Finding(name, FAIL, f"{type(error).__name__}: {error}", "run 'make lab' again")
            )
    return found


def print_findings(found: list[Finding]) -> None:
    """Print one aligned line per finding, with the way out below where there is one."""
    from rich.console import Console
    from rich.table import Table

    marks = {OK: "[green]ok[/]", NOTE: "[yellow]note[/]", FAIL: "[bold red]fail[/]"}
    table = Table(box=None, show_header=False, padding=(0, 1))
    for f in found:
        table.add_row(marks[f.status], f.name, f.value + (f"\n→ {f.way_out}" if f.way_out else ""))
    Console(highlight=False).print(table)


def examine() -> int:
    """Print all findings; 1 when something must be mended before the course works."""
    found = findings()
    print_findings(found)
    return 1 if any(f.status == FAIL for f in found) else 0
