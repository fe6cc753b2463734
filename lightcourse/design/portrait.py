"""The light networks side by side: published accuracy against what each costs on this machine."""

import csv
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from lightcourse.design._front import front
from lightcourse.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIGHT = (
    "SqueezeNet", "MobileNetV1", "FD-MobileNet", "MobileNetV2", "MobileNetV3", "ShuffleNetV1",
    "ShuffleNetV2", "ShiftNet", "GhostNet", "EfficientNet", "MnasNet", "ProxylessNAS", "FBNet",
    "ThunderNet", "MCUNet",
)  # fmt: skip
RUNTIMES = ("eager", "channels_last", "onnxruntime")
_MOST_MACS = 1.5e9  # a network above is not light: EfficientNet-B3 and up, MobileNet's dense twin
COSTS = ("params", "macs", "memory_access", "peak_activation")


@dataclass(frozen=True)
class PortraitRow:
    """One network at one picture size; `seconds` are by runtime and threads, best of the runs."""

    variant: str
    family: str
    model: str
    settings: dict[str, Any]
    input: int
    params: int
    macs: int
    memory_access: int  # bytes
    peak_activation: int  # bytes
    top1: float | None  # per cent, as published
    verification: str  # how well the published number is known
    seconds: dict[str, float]  # "eager, 1 thread" -> seconds of one picture

    def cost(self, name: str) -> float | None:
        """Return a cost by its column's name, None where it was not measured."""
        return getattr(self, name) if name in COSTS else self.seconds.get(name)


@dataclass(frozen=True)
class Portrait:
    """All rows, with the machine that the seconds belong to."""

    rows: tuple[PortraitRow, ...]
    machine: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the costs that can stand on the x axis."""
        timed = dict.fromkeys(name for row in self.rows for name in row.seconds)
        return (*COSTS, *timed)

    def front(self, x: str = "macs") -> tuple[PortraitRow, ...]:
        """Return the networks that no other beats in both cost and accuracy, cheapest first.

        Raises `UserError` for a cost that is not there.
        """
        if x not in self.columns:
            raise UserError(f"There is no cost {x!r}; there are {', '.join(self.columns)}.")
        shown = [row for row in self.rows if row.top1 is not None and row.cost(x) is not None]
        points = [(row.cost(x) or 0.0, row.top1 or 0.0) for row in shown]
        return tuple(shown[index] for index in front(points))

    def to_csv(self, path: str | Path | None = None) -> str:
        """Return the table as CSV, and write it where a path is given; times in milliseconds."""
        timed = self.columns[len(COSTS) :]
        fixed = ("variant", "family", "model", "settings", "input", *COSTS, "top1", "verification")
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*fixed, *(f"{name} (ms)" for name in timed), "machine"])
        for row in self.rows:
            cells = [json.dumps(v) if isinstance(v, dict) else v for v in _fields(row, fixed)]
            times = (row.seconds.get(name) for name in timed)
            writer.writerow([*cells, *(t and round(1000 * t, 4) for t in times), self.machine])
        if path is not None:
            Path(path).write_text(text.getvalue(), encoding="utf-8")
        return text.getvalue()

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, for `load_portrait`."""
        text = json.dumps({"machine": self.machine, "rows": [asdict(r) for r in self.rows]})
        Path(path).write_text(text.replace('{"variant"', '\n{"variant"') + "\n", encoding="utf-8")

    def figure(self, x: str = "macs") -> "Figure":
        """Return accuracy against a cost, on a logarithmic axis, with the Pareto front."""
        from lightcourse.design._front import draw

        best = self.front(x)
        return draw([row for row in self.rows if row.top1 is not None and row.cost(x)], best, x)

    def __str__(self) -> str:
        timed = self.columns[len(COSTS) :]
        heads = ("network", "M params", "M mult.-acc.", "MB access", "top-1", *timed)
        table: list[tuple[str, ...]] = [heads]
        for row in self.rows:
            times = (row.seconds.get(name) for name in timed)
            table.append(
                (
                    f"{row.variant} @{row.input}" if "@" not in row.variant else row.variant,
                    f"{row.params / 1e6:.2f}",
                    f"{row.macs / 1e6:.0f}",
                    f"{row.memory_access / 1e6:.1f}",
                    "" if row.top1 is None else f"{row.top1:.1f}",
                    *("" if t is None else f"{1000 * t:.1f} ms" for t in times),
                )
            )
        widths = [max(len(line[i]) for line in table) for i in range(len(heads))]
        lines = [
            "  ".join(
                c.rjust(w) if i else c.ljust(w)
                for i, (c, w) in enumerate(zip(line, widths, strict=True))
            )
            for line in table
        ]
        return "\n".join([*lines, f"seconds of one picture on {self.machine}; best of the runs"])

    __repr__ = __str__


def load_portrait(path: str | Path | None = None) -> Portrait:
    """Return a saved portrait; without a path the one that was measured for the course.

    `path` is a file of `Portrait.save`, or the folder of `lightcourse bench models`. Raises
    `UserError` for a path that holds none.

    >>> len(load_portrait().rows) > 50
    True
    """
    home = Path(__file__).parent / "logs" / "portrait.json"
    place = Path(path or home)
    if not place.exists():
        raise UserError(f"There is no {place}; lightcourse bench models --out DIR makes one.")
    place = place / "portrait.json" if place.is_dir() else place
    try:
        read = json.loads(place.read_text(encoding="utf-8"))
        rows = tuple(PortraitRow(**row) for row in read["rows"])
        return Portrait(rows, read["machine"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{place} holds no saved portrait; take the portrait.json of lightcourse bench models."
        ) from error


def _fields(row: PortraitRow, names: Sequence[str]) -> Iterator[Any]:
    return (getattr(row, name) for name in names)


@cache
def _published() -> tuple[dict[str, Any], ...]:
    text = files("lightcourse.models").joinpath("published.json").read_text(encoding="utf-8")
    return tuple(json.loads(text))


def candidates(families: Sequence[str] | None = None, quick: bool = False) -> list[PortraitRow]:
    """Return the light networks that are built here, with their exact costs and no times yet.

    `quick` keeps one row of a model: the widest at the largest picture. Raises `UserError` for a
    family that is not among the light ones.

    >>> [row.variant for row in candidates(["FD-MobileNet"])]
    ['FD-MobileNet 0.25x', 'FD-MobileNet 0.5x', 'FD-MobileNet 1.0x']
    """
    by_lower = {name.lower(): name for name in LIGHT}
    wanted = []
    for family in families or LIGHT:
        if str(family).lower() not in by_lower:
            raise UserError(f"{family!r} is no light family; these are {', '.join(LIGHT)}.")
        wanted.append(by_lower[str(family).lower()])
    found: dict[str, PortraitRow] = {}
    for entry in _published():
        known = entry["family"] in wanted and entry["model"] and type(entry["input"]) is int
        if not known or not entry["macs"] or entry["macs"] > _MOST_MACS:
            continue
        key = json.dumps([entry["model"], entry["settings"], entry["input"]], sort_keys=True)
        row = _counted(entry)
        if key not in found or (found[key].top1 is None and row.top1 is not None):
            found[key] = row
    rows = sorted(found.values(), key=lambda row: (wanted.index(row.family), row.model, row.macs))
    if quick:
        rows = list({row.model: row for row in rows}.values())  # the last one is the largest
    return rows


def _counted(entry: dict[str, Any]) -> PortraitRow:
    published = entry["published"]
    return PortraitRow(
        entry["variant"], entry["family"], entry["model"], entry["settings"], entry["input"],
        entry["params"], entry["macs"], 0, 0,
        published.get("top1"), published.get("verification", ""), {},
    )  # fmt: skip


def portrait(
    families: Sequence[str] | None = None,
    *,
    runtimes: Sequence[str] = RUNTIMES,
    threads: Sequence[int] | None = None,
    seconds: float = 0.5,
    out: str | Path | None = None,
    quick: bool = False,
    progress: bool = False,
) -> Portrait:
    """Measure every light network on this machine: runtimes × threads, one picture at a time.

    `threads` is one and all cores where not given. With `out`, a folder, every measurement is
    kept in `portrait.jsonl` at once, and those of this machine and PyTorch are not repeated.
    Raises `UserError` for unknown families or runtimes and for a folder that cannot be written.

    >>> rows = portrait(["FD-MobileNet"], runtimes=["eager"], threads=[1], seconds=0.01).rows
    >>> rows[0].seconds["eager, 1 thread"] > 0
    True
    """
    from lightcourse.design._portrait_run import Journal, measure

    if type(seconds) not in (int, float) or not 0 < seconds < float("inf"):
        raise UserError(f"seconds is {seconds!r}; it is the time for one network, above 0.")
    for runtime in runtimes:
        if runtime not in RUNTIMES:
            raise UserError(f"There is no runtime {runtime!r}; there are {', '.join(RUNTIMES)}.")
    if "onnxruntime" in runtimes and any(find_spec(n) is None for n in ("onnxruntime", "onnx")):
        print('ONNX Runtime is left out; pip install "lightcourse[onnx]" adds it.', file=sys.stderr)
        runtimes = [name for name in runtimes if name != "onnxruntime"]
    counts = tuple(dict.fromkeys(threads or (1, os.cpu_count() or 1)))
    rows = candidates(families, quick)
    journal = Journal(None if out is None else Path(out))
    done = []
    for number, row in enumerate(rows, 1):
        if progress:
            print(f"{number} of {len(rows)}: {row.variant}", file=sys.stderr, flush=True)
        done.append(measure(row, runtimes, counts, seconds, journal))
    kept = [replace(row, seconds=dict(sorted(row.seconds.items()))) for row in done]
    return Portrait(tuple(kept), f"{journal.machine}, torch {torch.__version__}")


__all__ = [
    "LIGHT",
    "RUNTIMES",
    "Portrait",
    "PortraitRow",
    "candidates",
    "load_portrait",
    "portrait",
]
