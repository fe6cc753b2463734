"""What an experiment knows before it trains: settings checked, data described, runs planned."""

import difflib
import math
import operator
import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightcourse.errors import UserError
from lightcourse.training._exp_claims import TESTS
from lightcourse.training._exp_hash import digest, model_digest
from lightcourse.training._exp_jobs import Job, accepted, job_key, versions
from lightcourse.training._exp_variants import (
    BUDGETS,
    Cost,
    Variant,
    build,
    costs,
)
from lightcourse.training._exp_worker import reason

# settings of the loop that an experiment sets itself -> the way to say what was meant
_OWN = {
    "seed": "give seeds=(3,) for the seed 3 alone",
    "model": "variants build the models",
    "splits": "the data are the argument splits, or that of a Variant",
    "out": "finished runs are kept with cache=True; write the result with .save(path)",
    "resume": "finished runs are taken from the cache; cache=False trains them again",
}


@dataclass(frozen=True)
class Plan:
    """Every run of an experiment, the data that they share, and what the networks cost."""

    jobs: tuple[Job, ...]
    data: Mapping[str, Any]
    costs: Mapping[str, Cost]
    about: Mapping[str, Any]  # of the data


def check_settings(
    seeds: Any, budget: Any, tolerance: Any, jobs: Any, test: Any, splits: Any
) -> tuple[int, ...]:
    """Return the seeds; raise `UserError` for a setting that cannot work."""
    if budget not in BUDGETS:
        raise UserError(f'budget is "macs", "params", "time" or None, not {budget!r}.')
    known = isinstance(tolerance, int | float) and not isinstance(tolerance, bool)
    if tolerance is not None and not (known and math.isfinite(tolerance) and tolerance >= 0):
        raise UserError(
            "tolerance is how much more one side may cost, as a share from 0 on (0.05 for 5 %), "
            f"not {tolerance!r}."
        )
    if type(jobs) is not int or jobs < 1:
        raise UserError(f"jobs is a whole number from 1 on, not {jobs!r}.")
    if test not in (*TESTS, "auto"):
        raise UserError(f"There is no test {test!r}; choose {', '.join(TESTS)} or auto.")
    try:
        chosen = tuple(range(seeds)) if type(seeds) is int else tuple(map(operator.index, seeds))
    except TypeError:
        chosen = ()
    if not chosen and type(seeds) is int:
        raise UserError(f"seeds={seeds} asks for no run; seeds=3 means the seeds 0, 1 and 2.")
    if not chosen or min(chosen) < 0:
        raise UserError(f"seeds are whole numbers from 0 on, as (0, 1, 2), not {seeds!r}.")
    if len(set(chosen)) < len(chosen):
        raise UserError(f"Each seed counts once: {chosen} has one twice, which adds no knowledge.")
    if test == "paired" and not callable(splits):
        raise UserError(
            'test="paired" is for runs that share more than a number: give splits as a function '
            'of the seed, so that each seed draws its own data; otherwise use test="welch".'
        )
    return chosen


def make_plan(
    variants: Mapping[str, Variant],
    splits: Any,
    seeds: Sequence[int],
    train: Callable[..., Any],
    settings: Mapping[str, Any],
    budget: str | None,
) -> Plan:
    """Build each variant once, hash it, and list its runs."""
    data: dict[str, Any] = {}
    first: dict[str, Any] = {}  # data -> splits of the first seed, to look at
    models, shapes, keys, jobs = {}, {}, {}, []
    for name, variant in variants.items():
        given = splits if variant.splits is None else variant.splits
        key = _data_key(given)
        if key not in data:
            data[key] = given
            first[key] = _drawn(given, seeds[0]) if callable(given) else given
        shapes[name], keys[name] = picture_shape(first[key]), key
        models[name] = build(name, variant, seeds[0])
    code = digest(train)
    for seed in seeds:  # seed by seed: a stop leaves whole rows of the table
        for name, variant in variants.items():
            own = {**settings, **variant.fit}
            _known(name, own, train)
            parts = {"train": code, "settings": own, "build": digest(variant.build)}
            parts["diverges"] = variant.diverges
            key = job_key(model_digest(models[name]), keys[name], parts, seed)
            job = Job(key, name, variant, seed, keys[name], train, own, versions())
            jobs.append(job)
    return Plan(tuple(jobs), data, costs(models, shapes, budget), _described(first))


def _drawn(splits: Callable[[int], Any], seed: int) -> Any:
    try:
        return splits(seed)
    except Exception as error:  # whatever goes wrong in it is the caller's to hear of
        why = reason(error).rstrip(".")
        raise UserError(
            f"splits({seed}) cannot be made (it is called with a seed and returns data): {why}."
        ) from error


def picture_shape(splits: Any) -> tuple[int, ...]:
    """(C, H, W) of the training pictures."""
    try:
        images = splits.train.images
        shape = tuple(images.shape[1:])
    except AttributeError as error:
        raise UserError(
            f"splits are the data of load(...), with .train and .test, not {type(splits).__name__}."
        ) from error
    return shape


def _data_key(splits: Any) -> str:
    parts = [getattr(splits, part, None) for part in ("train", "test")]
    prints = [getattr(part, "fingerprint", None) for part in parts]
    return digest(prints) if all(prints) else digest(splits)


def _known(name: str, settings: Mapping[str, Any], train: Callable[..., Any]) -> None:
    names = accepted(train)
    for setting in settings:
        if setting in _OWN:
            raise UserError(f"An experiment has no setting {setting!r}: {_OWN[setting]}.")
        if names is not None and setting not in names:
            near = difflib.get_close_matches(setting, names, 1)
            meant = f"; did you mean {near[0]!r}" if near else ""
            raise UserError(
                f"Variant {name!r}: training has no setting {setting!r}{meant}? "
                f"It has {', '.join(sorted(names - _OWN.keys()))}."
            )


def _described(first: Mapping[str, Any]) -> dict[str, Any]:
    """Say which data there is: for people, and so that a log can be compared with another."""
    sets = [
        {
            "name": str(getattr(splits.train, "name", "own data")),
            "train": len(splits.train.images),
            "test": len(splits.test.images),
            "shape": list(picture_shape(splits)),
            "chance": _chance(splits.test),
            "hash": key,
        }
        for key, splits in first.items()
    ]
    counts = " or ".join(dict.fromkeys(f"{s['train']:,}" for s in sets))
    sides = " or ".join(dict.fromkeys("×".join(map(str, s["shape"][1:])) for s in sets))
    return {"size": f"{counts} training pictures of {sides}", "sets": sets}


def _chance(test: Any) -> float | None:
    """Accuracy of always answering with the class that most test pictures have, per cent."""
    labels = getattr(test, "labels", None)
    if labels is None or not len(labels):
        return None
    return round(100 * int(labels.unique(return_counts=True)[1].max()) / len(labels), 4)


def machine() -> dict[str, Any]:
    """What the runs were planned on."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        **versions(),
    }


def commit() -> str | None:
    """The commit of the clone that this package runs from, with "+" for changed files."""
    folder = Path(__file__).parents[2]
    if not (folder / ".git").exists():
        return None

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=20,
            check=True,
        )  # fmt: skip
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "lightcourse")
        return git("rev-parse", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None
