"""Honest comparisons: named variants × seeds, equal budget checked, a verdict from the numbers."""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from lightcourse.errors import UserError
from lightcourse.rehearsal import rehearsing
from lightcourse.training import _exp_pool as pool
from lightcourse.training._exp_claims import Finding, check_claims
from lightcourse.training._exp_jobs import Job, Run, cache_folder, recall, remember, run_of
from lightcourse.training._exp_result import Comparison, Row, comparison_of
from lightcourse.training._exp_setup import Plan, check_settings, commit, machine, make_plan
from lightcourse.training._exp_variants import Cost, Variant, check_budget, check_variants


class Stopped(KeyboardInterrupt):
    """Ctrl-C during an experiment: says how many runs are kept."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook prints in place of a stack."""
        return [str(self)]


def experiment(
    name: str,
    variants: Mapping[str, Callable[[], nn.Module] | Variant],
    splits: Any,
    seeds: Sequence[int] | int = (0, 1, 2),
    budget: str | None = "macs",
    tolerance: float | None = None,
    jobs: int = 1,
    cache: bool = True,
    scheduler: Any = None,
    *,
    claims: Sequence[Any] | None = None,
    test: str = "auto",
    question: str = "",
    x_label: str = "",
    progress: bool = True,
    train: Callable[..., Any] | None = None,
    study: Mapping[str, Any] | None = None,
    **fit_kwargs: Any,
) -> Comparison:
    """Train every variant with every seed and say what the results show, and what they do not.

    Args:
        name, question: what is compared; the heading of table and figure.
        variants: a function without arguments that builds the network, or a `Variant`, by name.
        splits: data as `lightcourse.training.data.load` gives it, or a function of the seed that
            returns it (then every seed has pictures of its own, and runs are compared in pairs).
        seeds: for the first weights and the order of the pictures; a number n means 0 to n - 1.
        budget, tolerance: what both sides of a claim must have alike, "macs", "params", "time"
            (of a training step) or None, and how much more is allowed (0.05; 0.25 for time).
        jobs: so many processes side by side, one thread each.
        cache: keep every finished run, and take those that are there already.
        scheduler: a Dask scheduler that trains instead, as "tcp://host:8786" or a dask Client.
        claims: pairs ("better", "worse"), made before looking; without them every variant is
            compared with the first.
        test: "welch", "paired", "permutation", or "auto": paired if splits is a function of the
            seed, else welch. p is corrected for the number of claims (Holm).
        x_label: the axis of `Variant.x` on the figure.
        progress: print a line for every finished run.
        train: another loop than `fit`: train(model, splits, seed=…, **fit_kwargs) returns an
            object with .test_accuracy, a share from 0 to 1, or that share itself.
        study: the name and settings of the study that calls; `rerun` needs them.
        fit_kwargs: settings of `lightcourse.training.fit.fit`.

    The score is the test accuracy after the last epoch, never the best of them.

    Raises:
        UserError: a variant cannot be built, costs more than the other side of its claim, or its
            training failed; finished runs are kept.
        Stopped: Ctrl-C; finished runs are kept.

    >>> from lightcourse.training.data import builtin
    >>> net = lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 10))
    >>> guess = lambda model, splits, seed: 0.50 + 0.01 * seed
    >>> table = {"linear": net, "the same": net}
    >>> data = builtin(100, 50, size=16)
    >>> found = experiment("two of a kind", table, data, train=guess, progress=False, cache=False)
    >>> found["linear"].mean, found.findings[0].word
    (51.0, 'no difference seen')
    """
    chosen = check_settings(seeds, budget, tolerance, jobs, test, splits)
    table = check_variants(variants)
    pairs, claimed = check_claims(claims, list(table))
    plan = make_plan(table, splits, chosen, train or _fit(), fit_kwargs, budget)
    check_budget(plan.costs, pairs, budget, tolerance)
    say = _Progress(name, len(plan.jobs), progress)
    kept = cache and not rehearsing()
    runs = _collect(plan, say, cache=kept, workers=jobs, scheduler=scheduler)
    rows = tuple(_row(key, table[key], runs, plan.costs[key]) for key in table)
    if test == "auto":
        test = "paired" if callable(splits) else "welch"
    config: dict[str, Any] = {
        "fit": _plain(fit_kwargs), "own": _own(table), "tolerance": tolerance,
    }  # fmt: skip
    if budget == "time":
        config["step_seconds"] = {name: cost.seconds for name, cost in plan.costs.items()}
    return Comparison(
        name, rows, pairs, claimed, test, budget, question, x_label,
        config, plan.about, machine(), commit(), study,
    )  # fmt: skip


def load_runs(path: str | Path) -> Comparison:
    """Read a log that `Comparison.save` wrote; means, tests and verdict are computed anew.

    Raises `UserError` when the file is missing or is no such log.
    """
    try:
        plain = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror or error}.") from error
    except ValueError as error:
        raise UserError(f"{path} is not JSON ({error}); write a log with .save(path).") from error
    return comparison_of(plain)


def rerun(
    logged: Comparison | str | Path,
    variants: Mapping[str, Callable[[], nn.Module] | Variant] | None = None,
    splits: Any = None,
    **changes: Any,
) -> Comparison:
    """Train the runs of a log again, with its settings, and return the new comparison.

    A study's log knows how to make its networks and data; for any other give the same `variants`
    and `splits`. `changes` are settings of the study, or of `experiment`: jobs, seeds, cache, …
    Raises `UserError` when the log alone is not enough.
    """
    old = logged if isinstance(logged, Comparison) else load_runs(logged)
    if variants is None and old.study is not None:
        from lightcourse.training import studies

        settings = {"seeds": old.seeds, **old.study["settings"], **changes}
        return studies.run(old.study["name"], **settings)
    if variants is None or splits is None:
        raise UserError(
            f"The log of {old.name!r} has settings and results, but no networks and data; call "
            "rerun(log, variants, splits) with the same ones."
        )
    missing = {row.name for row in old.rows} ^ set(variants)
    if missing:
        raise UserError(f"The log and these variants differ in {', '.join(sorted(missing))}.")
    claims = old.claims if old.claimed else None
    same = {
        "seeds": old.seeds, "budget": old.budget, "tolerance": old.config["tolerance"],
        "claims": claims, "test": old.test, "question": old.question, "x_label": old.x_label,
        **old.config["fit"],
    }  # fmt: skip
    return experiment(old.name, variants, splits, **{**same, **changes})


def _collect(
    plan: Plan, say: "_Progress", *, cache: bool, workers: int, scheduler: Any
) -> dict[tuple[str, int], Run]:
    """Take what the cache has, train the rest, remember each run at once."""
    runs: dict[tuple[str, int], Run] = {}
    alike: dict[str, list[Job]] = {}  # variants that are the same run are trained once
    for job in plan.jobs:
        known = recall(job.key, job.name, job.seed) if cache else None
        if known is None:
            alike.setdefault(job.key, []).append(job)
        else:
            runs[job.name, job.seed] = known
    todo = [same[0] for same in alike.values()]
    say.start(len(runs))
    if scheduler is not None:
        answers = pool.on_dask(todo, plan.data, scheduler)
    elif workers > 1 and len(todo) > 1:
        answers = pool.side_by_side(todo, plan.data, workers)
    else:
        answers = pool.here(todo, plan.data)
    failed: list[tuple[Job, str]] = []
    try:
        with closing(answers):  # pyright: ignore[reportArgumentType]
            for job, kind, value in answers if todo else ():
                if kind == "failed":
                    failed.append((job, value))
                    continue
                run = run_of(value)
                kept = cache and remember(job.key, run)
                for twin in alike[job.key]:
                    mine = runs[twin.name, twin.seed] = replace(run, variant=twin.name)
                    say.done(mine, kept=kept, cache=cache)
    except KeyboardInterrupt:
        raise Stopped(say.farewell(len(runs), cache)) from None
    if failed:
        raise _failure(failed, len(runs), cache)
    return runs


def _failure(failed: Sequence[tuple[Job, str]], done: int, cache: bool) -> UserError:
    job, why = failed[0]
    others = sorted({other.name for other, _ in failed[1:]} - {job.name})
    more = f" So did {', '.join(others)}." if others else ""
    kept = f" The {done} finished runs are kept." if cache and done else ""
    return UserError(
        f"Variant {job.name!r} with seed {job.seed} could not be trained: {why.rstrip('.')}."
        f"{more}{kept}"
    )


class _Progress:
    """One printed line for every finished run, with the time that is probably left."""

    def __init__(self, name: str, total: int, wanted: bool) -> None:
        self.name, self.total, self.wanted = name, total, wanted
        self.count = self.known = 0
        self.begun = time.monotonic()
        self.warned = False

    def start(self, known: int) -> None:
        self.count = self.known = known
        if known:
            self._print(f"{self.name}: {known} of {self.total} runs are there already")

    def done(self, run: Run, *, kept: bool, cache: bool) -> None:
        self.count += 1
        passed = time.monotonic() - self.begun
        left = passed / (self.count - self.known) * (self.total - self.count)
        rest = f", about {_time(left)} left" if self.count < self.total else ""
        line = f"{self.count} of {self.total}: {run.variant}, seed {run.seed}: {run.score:.1f} %"
        if run.diverged:
            line += " (diverged, counts as guessing)"
        self._print(f"{self.name}: {line} in {run.seconds:.1f} s{rest}")
        if cache and not kept and not self.warned:
            self.warned = True
            self._print(f"{self.name}: runs cannot be kept in {cache_folder()}: is the disk full?")

    def farewell(self, done: int, cache: bool) -> str:
        kept = "are kept; the same call goes on from there" if cache else "are lost (cache=False)"
        return f"{self.name} stopped: {done} of {self.total} runs {kept}."

    def _print(self, line: str) -> None:
        if self.wanted:
            print(line, file=sys.stdout, flush=True)


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _row(name: str, variant: Variant, runs: Mapping[tuple[str, int], Run], cost: Cost) -> Row:
    mine = tuple(run for (owner, _), run in sorted(runs.items()) if owner == name)
    return Row(name, mine, cost.params, cost.macs, variant.x, variant.line)


def _fit() -> Callable[..., Any]:
    from lightcourse.training.fit import fit

    return fit


def _own(table: Mapping[str, Variant]) -> dict[str, Any]:
    return {name: _plain(variant.fit) for name, variant in table.items() if variant.fit}


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    simple = (str, int, float, bool, type(None))
    return {k: v if isinstance(v, simple) else repr(v) for k, v in settings.items()}


__all__ = [
    "Comparison",
    "Finding",
    "Row",
    "Run",
    "Stopped",
    "Variant",
    "experiment",
    "load_runs",
    "rerun",
]
