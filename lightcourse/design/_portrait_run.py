"""Measuring one network of the portrait, and the journal that lets the measuring be resumed."""

import json
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import torch
from torch import nn

from lightcourse.analysis import analyze, latency
from lightcourse.analysis.machine import fingerprint
from lightcourse.design.portrait import PortraitRow
from lightcourse.errors import UserError
from lightcourse.models import create_model, to_onnx


class Journal:
    """Measurements by key, in memory and, with a folder, one JSON line each on disk."""

    def __init__(self, folder: Path | None) -> None:
        self.machine = fingerprint(1).rsplit(", torch", 1)[0]
        self.known: dict[str, float] = {}
        self.path = None if folder is None else folder / "portrait.jsonl"
        if folder is None or self.path is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        except OSError as error:
            raise UserError(
                f"The folder {folder} cannot be used ({error.strerror}); choose another."
            ) from error
        for line in lines:
            try:
                entry = json.loads(line)
                self.known[entry["key"]] = float(entry["seconds"])
            except (ValueError, KeyError, TypeError):
                continue  # a line cut off by a stopped run is measured again

    def key(self, row: PortraitRow, runtime: str, threads: int, seconds: float) -> str:
        """Return what a measurement depends on, as text."""
        settings = json.dumps(row.settings, sort_keys=True)
        what = (row.model, settings, row.input, runtime, seconds, fingerprint(threads))
        return " | ".join(str(part) for part in what)

    def keep(self, key: str, seconds: float) -> None:
        """Remember a measurement, on disk at once."""
        self.known[key] = seconds
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as out:
                out.write(json.dumps({"key": key, "seconds": seconds}) + "\n")


def measure(
    row: PortraitRow,
    runtimes: Sequence[str],
    threads: Sequence[int],
    seconds: float,
    journal: Journal,
) -> PortraitRow:
    """Return the row with memory access, peak memory and the seconds of every runtime."""
    shape = (1, 3, row.input, row.input)
    with torch.device("meta"):
        report = analyze(create_model(row.model, **row.settings), shape)
    costs: dict[str, Any] = {
        "memory_access": report.memory_access,
        "peak_activation": report.peak_activation,
    }
    times: dict[str, float] = {}
    model: nn.Module | None = None
    for runtime in runtimes:
        missing = [n for n in threads if journal.key(row, runtime, n, seconds) not in journal.known]
        if missing and model is None:
            model = create_model(row.model, **row.settings).eval()
        if missing and model is not None:
            for count, took in _run(model, shape, runtime, missing, seconds).items():
                journal.keep(journal.key(row, runtime, count, seconds), took)
        for count in threads:
            name = f"{runtime}, {count} thread{'s' if count > 1 else ''}"
            times[name] = journal.known[journal.key(row, runtime, count, seconds)]
    return replace(row, seconds=times, **costs)


def _run(
    model: nn.Module, shape: tuple[int, ...], runtime: str, threads: Sequence[int], seconds: float
) -> dict[int, float]:
    if runtime == "onnxruntime":
        return _run_onnx(model, shape, threads, seconds)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    if runtime == "channels_last":
        model, x = model.to(memory_format=torch.channels_last), x  # type: ignore[call-overload]
        x = x.contiguous(memory_format=torch.channels_last)
    try:
        return {n: latency(model, x, threads=n, seconds=seconds).minimum for n in threads}
    finally:
        model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]


def _run_onnx(
    model: nn.Module, shape: tuple[int, ...], threads: Sequence[int], seconds: float
) -> dict[int, float]:
    import onnxruntime

    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).numpy()
    found = {}
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.onnx"
        to_onnx(model, path, shape)
        for count in threads:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = count
            session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
            feed = {session.get_inputs()[0].name: x}
            session.run(None, feed)
            found[count] = _best(lambda s=session, f=feed: s.run(None, f), seconds)
    return found


def _best(run: Any, seconds: float) -> float:
    """Return the shortest of all runs that fit into the time, at least three."""
    best, runs, end = float("inf"), 0, perf_counter() + seconds
    while runs < 3 or perf_counter() < end:
        start = perf_counter()
        run()
        best, runs = min(best, perf_counter() - start), runs + 1
    return best
