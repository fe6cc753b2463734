"""One run of an experiment: a variant and a seed, trained once and remembered on disk."""

import hashlib
import json
import math
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import torch

import lightcourse
from lightcourse.errors import UserError
from lightcourse.paths import user_home
from lightcourse.training._exp_hash import digest
from lightcourse.training._exp_variants import Variant, build
from lightcourse.training._rehearsal import enough
from lightcourse.training._stops import Diverged

_FORMAT = 1
# random numbers and thread counts belong to the whole process: one run at a time in it
_ONE_AT_A_TIME = threading.RLock()


@dataclass(frozen=True)
class Run:
    """The result of one run."""

    variant: str
    seed: int
    score: float  # test accuracy after the last epoch, per cent
    seconds: float  # CPU time of the training
    curve: tuple[float, ...] = ()  # test accuracy after each epoch, per cent
    when: str = ""
    diverged: bool = False  # then the score is that of guessing


@dataclass(frozen=True)
class Job:
    """All that a worker needs to train one variant with one seed."""

    key: str  # content hash
    name: str
    variant: Variant
    seed: int
    data: str  # which data of the experiment's table
    train: Callable[..., Any]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]


def versions() -> dict[str, str]:
    """Versions that a result depends on."""
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "torch": torch.__version__.split("+")[0],
        "lightcourse": lightcourse.__version__,
    }


def job_key(model: str, data: str, job: Mapping[str, Any], seed: int) -> str:
    """The content hash of a run: network, data, fit settings, seed, versions."""
    return digest(_FORMAT, model, data, dict(job), seed, versions())


def run_job(job: Job, splits: Any) -> dict[str, Any]:
    """Train one variant with one seed; return the run as plain data.

    Raises `UserError` when the result is not a finite number or the versions here are others.
    """
    if dict(job.versions) != versions():
        raise UserError(
            f"This worker has {_said(versions())}, and the experiment was started with "
            f"{_said(job.versions)}; install the same versions on the worker."
        )
    with _ONE_AT_A_TIME:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.random.fork_rng(devices=[]):
                return asdict(_train(job, splits))
        finally:
            torch.set_num_threads(threads)


def _train(job: Job, splits: Any) -> Run:
    data: Any = splits(job.seed) if callable(splits) else splits
    model = build(job.name, job.variant, job.seed)
    torch.manual_seed(job.seed)
    own = {"seed": job.seed, "threads": 1, "progress": False, **job.settings}
    known = accepted(job.train)
    own = {k: v for k, v in own.items() if known is None or k in known}
    data = enough(data, own.get("batch_size", 64))
    start = time.process_time()
    diverged = False
    try:
        result = job.train(model, data, **own)
    except Diverged:
        if not job.variant.diverges:
            raise
        classes = data.train.classes
        result, diverged = 1 / len(classes), True
    spent = time.process_time() - start
    score = 100 * _share(result)
    rows = getattr(result, "epochs", ())
    curve = tuple(round(100 * row.test_accuracy, 4) for row in rows)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Run(job.name, job.seed, round(score, 6), round(spent, 3), curve, now, diverged)


def _share(result: Any) -> float:
    """Return the test accuracy, 0 to 1, of whatever a training returned."""
    found = getattr(result, "test_accuracy", result)
    try:
        share = float(found)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"training returned {found!r}; it must return the test accuracy as a share from 0 to "
            "1, or an object with .test_accuracy."
        ) from error
    if not math.isfinite(share):
        raise UserError(f"the test accuracy is {share}; try a lower lr.")
    if not 0 <= share <= 1:
        raise UserError(f"the test accuracy is {share:g}; it is a share from 0 to 1, as 0.7.")
    return share


def accepted(train: Callable[..., Any]) -> set[str] | None:
    """Names of the settings that a train function takes; None if it takes any."""
    parameters = signature(train).parameters.values()
    if any(p.kind is Parameter.VAR_KEYWORD for p in parameters):
        return None
    return {p.name for p in parameters if p.kind is not Parameter.POSITIONAL_ONLY}


def run_of(data: Mapping[str, Any]) -> Run:
    """Return a run from plain data."""
    return Run(**{**data, "curve": tuple(data["curve"])})


def recall(key: str, name: str, seed: int) -> Run | None:
    """Return a finished run from the cache; None when it is missing or damaged."""
    try:
        entry = json.loads(_path(key).read_text(encoding="utf-8"))
        if entry["key"] != key or entry["sum"] != _sum(entry["run"]):
            return None
        # the hash knows the content; the name is the caller's
        return run_of({**entry["run"], "variant": name, "seed": seed})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(key: str, run: Run) -> bool:
    """Write a run to the cache in one step, so that a kill leaves all of it or nothing."""
    plain = json.loads(json.dumps(asdict(run)))
    text = json.dumps({"key": key, "run": plain, "sum": _sum(plain)}, indent=1)
    try:
        write_atomic(_path(key), text)
    except OSError:
        return False
    return True


def write_atomic(path: Path, text: str) -> None:
    """Write a file beside its place, then move it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def cache_folder() -> Path:
    """Where finished runs lie, one small file each; it may be deleted at any time."""
    return user_home() / "runs"


def _path(key: str) -> Path:
    return cache_folder() / key[:2] / f"{key}.json"


def _sum(run: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()[:16]


def _said(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items())
