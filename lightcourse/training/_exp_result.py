"""The result of an experiment: every run, the numbers over the seeds, and the verdict."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightcourse.errors import UserError
from lightcourse.training._exp_claims import CONFIDENCE, Chance, Finding, judge
from lightcourse.training._exp_jobs import Run, run_of, write_atomic
from lightcourse.training.statistics import Summary, summarise

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMAT = "lightcourse runs 1"


@dataclass(frozen=True)
class Row:
    """One variant: its runs, what it costs, and where it stands on the figure."""

    name: str
    runs: tuple[Run, ...]
    params: int | None = None
    macs: int | None = None
    x: float | None = None
    line: str = ""

    @cached_property
    def summary(self) -> Summary:
        """Mean, deviation and interval of the test accuracy, per cent."""
        return summarise([run.score for run in self.runs], CONFIDENCE)

    @property
    def scores(self) -> tuple[float, ...]:
        """Test accuracy of each seed, per cent."""
        return self.summary.values

    @property
    def mean(self) -> float:
        return self.summary.mean

    @property
    def deviation(self) -> float | None:
        """Sample deviation between the seeds; None for one seed."""
        return self.summary.deviation

    @property
    def interval(self) -> tuple[float, float] | None:
        """The t-interval of the mean, cut at 0 and at 100 %; None for one seed."""
        low, high = self.summary.low, self.summary.high
        return None if low is None or high is None else (max(0.0, low), min(100.0, high))

    @property
    def diverged(self) -> int:
        """So many of the runs diverged; their score is that of guessing."""
        return sum(run.diverged for run in self.runs)

    @property
    def seconds(self) -> float:
        """Mean CPU time of a run; of the machine that trained it, so compare within one log."""
        return sum(run.seconds for run in self.runs) / len(self.runs)


@dataclass(frozen=True)
class Comparison:
    """A finished experiment; prints as a table with its verdict, draws itself, and saves itself.

    Scores are test accuracies in per cent after the last epoch. `claims` are pairs (better, worse);
    `config`, `data`, `machine` and `commit` say how the runs were made.
    """

    name: str
    rows: tuple[Row, ...]
    claims: tuple[tuple[str, str], ...]
    claimed: bool = False
    test: str = "welch"
    budget: str | None = None
    question: str = ""
    x_label: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    commit: str | None = None
    study: Mapping[str, Any] | None = None  # the study and its settings, for `rerun`

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        names = ", ".join(row.name for row in self.rows)
        raise UserError(f"{self.name} has no variant {name!r}; it has {names}.")

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that all variants were trained with."""
        common = [{run.seed for run in row.runs} for row in self.rows]
        return tuple(sorted(set.intersection(*common)))

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """One per claim: difference, interval, test, effect, and the word for it."""
        scores = {row.name: {run.seed: run.score for run in row.runs} for row in self.rows}
        diverged = {row.name: row.diverged for row in self.rows}
        return judge(
            scores, self.claims, claimed=self.claimed, test=self.test, chance=self.chance,
            size=str(self.data.get("size", "")), diverged=diverged,
        )  # fmt: skip

    @property
    def chance(self) -> Chance | None:
        """What guessing scores on the test pictures; None where their labels are not known."""
        sets = self.data.get("sets", ())
        known = [(s["chance"], s["test"]) for s in sets if s.get("chance") is not None]
        if not known or len(known) < len(sets):
            return None
        return Chance(max(score for score, _ in known), min(count for _, count in known))

    @property
    def verdict(self) -> str:
        """What the runs say about every claim, one sentence a line."""
        return "\n".join(finding.sentence for finding in self.findings)

    def figure(self) -> "Figure":
        """Draw the means with their 95 % intervals and every run as a dot."""
        from lightcourse.training._exp_figure import draw

        return draw(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, findings included."""
        rows = [
            {
                **{k: getattr(row, k) for k in ("name", "params", "macs", "x", "line")},
                **{k: getattr(row, k) for k in ("mean", "deviation", "interval")},
                "runs": [asdict(run) for run in row.runs],
            }
            for row in self.rows
        ]
        kept = {k: getattr(self, k) for k in _KEPT}
        plain = {"format": FORMAT, **kept, "rows": rows}
        plain["findings"] = [asdict(finding) for finding in self.findings]
        return json.loads(json.dumps(plain, default=str))

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame with one line per run."""
        try:
            import pandas
        except ImportError as error:
            raise UserError("to_pandas needs pandas; install it: pip install pandas") from error
        lines = [
            {
                "variant": row.name, "seed": run.seed, "score": run.score,
                "seconds": run.seconds, "diverged": run.diverged,
                "params": row.params, "macs": row.macs,
            }
            for row in self.rows
            for run in row.runs
        ]  # fmt: skip
        return pandas.DataFrame(lines)

    def save(self, path: str | Path) -> Path:
        """Write the log of the runs as JSON, to ship with a chapter; see `load_runs`.

        Raises `UserError` when there is no such folder, or the file cannot be written.
        """
        path = Path(path)
        if not path.parent.is_dir():
            raise UserError(f"There is no folder {path.parent}; make it first.")
        try:
            write_atomic(path, json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n")
        except OSError as error:
            raise UserError(f"Cannot write {path}: {error.strerror or error}.") from error
        return path

    def __str__(self) -> str:
        from lightcourse.training._exp_text import text

        return text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from lightcourse.training._exp_text import html

        return html(self)


_KEPT = (
    "name", "claims", "claimed", "test", "budget", "question", "x_label", "config", "data",
    "machine", "commit", "study",
)  # fmt: skip


def comparison_of(plain: Any) -> Comparison:
    """Return a comparison from plain data; mean, test and verdict are computed anew.

    Raises `UserError` when the data is not a log of runs.
    """
    try:
        if plain["format"] != FORMAT:
            raise ValueError(plain["format"])
        rows = tuple(
            Row(
                **{k: row[k] for k in ("name", "params", "macs", "x", "line")},
                runs=tuple(run_of(run) for run in row["runs"]),
            )
            for row in plain["rows"]
        )
        kept = {k: plain[k] for k in _KEPT}
        kept["claims"] = tuple((better, worse) for better, worse in plain["claims"])
        made = Comparison(rows=rows, **kept)
        _ = made.findings, made.seeds
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"This is not a log of runs ({type(error).__name__}: {error}); write one with "
            "experiment(...).save(path)."
        ) from error
    return made
