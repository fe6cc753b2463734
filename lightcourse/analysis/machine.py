"""What this machine can do: its peak of multiply-accumulates and its memory bandwidth, measured."""

import json
import math
import os
import platform
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from lightcourse.errors import UserError
from lightcourse.paths import user_home
from lightcourse.rehearsal import rehearsed, rehearsing

_VERSION = 1


@dataclass(frozen=True)
class Machine:
    """The two roofs over every layer's speed, for one number of threads.

    >>> toy = Machine("toy", peak_macs=1e9, bandwidth=1e8)
    >>> toy.ridge, toy.seconds(macs=10**9, memory_access=10**7)
    (20.0, 1.0)
    """

    name: str
    peak_macs: float  # multiply-accumulates per second, float32
    bandwidth: float  # bytes per second, read and written together, beyond the caches
    threads: int = 1
    fingerprint: str = ""  # processor, cores, PyTorch and threads that the numbers belong to
    caches: tuple[tuple[int, float], ...] = ()  # (working set in bytes, bytes per second), rising
    overhead: float = 0.0  # seconds that a layer takes on a map of one pixel
    probed: float = 0.0  # seconds that the probe took
    when: str = ""

    def __post_init__(self) -> None:
        speeds = (self.peak_macs, self.bandwidth, *(speed for _, speed in self.caches))
        if not all(math.isfinite(s) and s > 0 for s in speeds):
            raise UserError(
                "A machine needs a peak of MAC/s and a bandwidth of byte/s that are above zero, "
                f"not {self.peak_macs!r} and {self.bandwidth!r}."
            )

    @property
    def ridge(self) -> float:
        """FLOPs per byte above which the peak is the limit, and below which the bandwidth is."""
        return 2 * self.peak_macs / self.bandwidth

    def bandwidth_for(self, memory_access: float) -> float:
        """Return the bytes per second for a layer that touches so many bytes.

        Between measured working sets the bandwidth is interpolated on logarithmic axes; without
        measured caches it is `bandwidth` everywhere.
        """
        if not self.caches or memory_access <= 0:
            return self.bandwidth
        size, speed = self.caches[0]
        for larger, slower in self.caches:
            if memory_access <= larger:
                if larger == size:
                    return slower
                share = math.log(memory_access / size) / math.log(larger / size)
                return speed * (slower / speed) ** share
            size, speed = larger, slower
        return self.bandwidth

    def seconds(self, macs: float, memory_access: float) -> float:
        """Return the least time for this work: max(macs / peak, bytes / bandwidth)."""
        return max(macs / self.peak_macs, memory_access / self.bandwidth_for(memory_access))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {**asdict(self), "caches": [list(pair) for pair in self.caches]}

    def __str__(self) -> str:
        near = ""
        if self.caches:
            size, speed = self.caches[0]
            near = f" ({speed / 1e9:.3g} GB/s for {size / 2**20:.2g} MiB, in the cache)"
        late = f", {self.overhead * 1e6:.2g} µs for the smallest layer" if self.overhead else ""
        return (
            f"{self.name}: peak {self.peak_macs / 1e9:.4g} GMAC/s, memory "
            f"{self.bandwidth / 1e9:.3g} GB/s{near}, ridge at {self.ridge:.3g} FLOP/byte{late}; "
            f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        )

    __repr__ = __str__  # a console shows what print shows


def fingerprint(threads: int = 1) -> str:
    """Return what a measurement belongs to: processor, cores, PyTorch and threads.

    >>> fingerprint(2).endswith("2 threads")
    True
    """
    return (
        f"{_processor()}, {os.cpu_count()} cores, torch {torch.__version__}, "
        f"{threads} thread{'s' if threads != 1 else ''}"
    )


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith(("model name", "Model")):
                return " ".join(line.partition(":")[2].split())
    if sys.platform == "darwin":
        with suppress(OSError, subprocess.SubprocessError):
            command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.check_output(command, text=True, timeout=5).strip()
    return platform.processor() or platform.machine() or "unknown processor"


def this_machine(threads: int = 1) -> Machine | None:
    """Return what `probe` found on this machine for this many threads; None when it never ran.

    A file that cannot be read, or that knows other machines only, is said in one sentence.
    """
    known = _read()
    mark = fingerprint(threads)
    if mark in known:
        try:
            return _from_dict(known[mark])
        except (TypeError, ValueError, KeyError, UserError):
            _say(f"The entry of this machine in {_path()} is damaged and is not used; run probe().")
            return None
    if known:
        _say(
            f"{_path()} knows {', '.join(sorted(known))}, but not {mark}; run "
            f"probe(threads={threads}) to measure it."
        )
    return None


def remember(machine: Machine) -> bool:
    """Write a machine beside the others in the learner's folder; say so when that fails."""
    path = _path()
    new = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    machines = {**_read(quiet=True), machine.fingerprint: machine.to_dict()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"version": _VERSION, "machines": machines}, indent=1)
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        _say(
            f"The measurement cannot be saved in {path.parent} ({error.strerror}); set "
            "LIGHTCOURSE_HOME to a folder that you can write."
        )
        return False
    return True


def probe(
    *, seconds: float = 30, threads: int = 1, progress: bool = True, force: bool = False
) -> Machine:
    """Find this machine's peak MAC/s and memory bandwidth by the best of many short runs.

    The result is saved in the learner's folder and returned at once the next time, unless `force`
    is true or the saved probe was shorter. Ctrl-C ends it early with what it has. Other programs
    only make the numbers worse, never better: the best run is what the machine can do.
    """
    if not seconds > 0 or type(threads) is not int or threads < 1:
        raise UserError(
            f"probe needs seconds above zero and a whole number of threads, not seconds="
            f"{seconds!r} and threads={threads!r}."
        )
    from lightcourse.analysis import _probe

    seconds = rehearsed(seconds, 0.1)
    saved = None if force or rehearsing() else this_machine(threads)
    if saved is not None and saved.probed >= 0.9 * seconds:
        return saved
    found = _probe.measure(seconds, threads, progress)
    machine = Machine(
        name=_processor(),
        peak_macs=found.peak_macs,
        bandwidth=found.caches[-1][1],
        threads=threads,
        fingerprint=fingerprint(threads),
        caches=found.caches,
        overhead=found.overhead,
        probed=round(found.took, 1),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if not rehearsing() and remember(machine) and progress:
        _say(f"saved in {_path()}")
    return machine


def _path() -> Path:
    return user_home() / "machine.json"


def _read(quiet: bool = False) -> dict[str, Any]:
    try:
        data = json.loads(_path().read_text(encoding="utf-8"))
        machines = data["machines"]
        if not isinstance(machines, dict):
            raise ValueError("not a table")
        return machines
    except OSError:
        pass  # no probe yet, or a file that may not be read: nothing is known
    except (ValueError, TypeError, KeyError, RecursionError):
        if not quiet:
            _say(f"{_path()} cannot be read and is not used; probe() writes a new one.")
    return {}


def _from_dict(data: dict[str, Any]) -> Machine:
    caches = tuple((int(size), float(speed)) for size, speed in data["caches"])
    sizes = [size for size, _ in caches]
    if sizes != sorted(set(sizes)) or any(size < 1 for size in sizes):
        raise ValueError("working sets must rise")
    numbers = {"overhead": float(data["overhead"]), "probed": float(data["probed"])}
    if not all(math.isfinite(n) and n >= 0 for n in numbers.values()):
        raise ValueError("a time is never below zero")
    return Machine(**{**data, **numbers, "caches": caches})


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
