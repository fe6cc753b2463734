"""`lightcourse analyze`: one report per target, in the format that was asked for."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from lightcourse.cli.target import load_target
from lightcourse.errors import UserError

FORMATS = ("table", "json", "csv", "html")


@dataclass(frozen=True)
class Picture:
    """The input that was asked for; None where the command line leaves it open."""

    batch: int | None = None
    channels: int | None = None
    size: int | None = None

    @property
    def asked(self) -> tuple[int | None, ...]:
        """Batch, channels, height and width."""
        return self.batch, self.channels, self.size, self.size

    def input_for(self, model: Any) -> Any:
        """Return the input to analyse a model with; an exported program has its own."""
        entry = getattr(model, "program_entry", None)
        if entry is None:
            return tuple(a or b for a, b in zip(self.asked, (1, 3, 224, 224), strict=True))
        if self.asked == (None,) * 4:
            return entry.example
        if len(entry.shapes) != 1 or len(entry.shapes[0]) != 4:
            raise UserError(
                "This exported program does not take one picture (batch, channels, height, "
                "width); leave --size, --batch and --channels out to use its own example."
            )
        own = entry.example_shape
        return tuple(a or b for a, b in zip(self.asked, own, strict=True))


@dataclass(frozen=True)
class Order:
    """How to print what was measured, and what else to measure."""

    format: str = "table"
    sort: str | None = None
    latency: bool = False
    threads: int = 1
    output: Path | None = None

    def check(self) -> None:
        """Say what is wrong with it before anything long begins."""
        from lightcourse.analysis import SORTS

        if self.format not in FORMATS:
            raise UserError(
                f"there is no format {self.format!r}; choose one of {', '.join(FORMATS)}."
            )
        if self.sort is not None and self.sort not in SORTS:
            raise UserError(f"there is no order {self.sort!r}; choose one of {', '.join(SORTS)}.")
        if self.latency and self.format == "csv":
            raise UserError(
                "a csv has one line per layer and no place for the latency of the whole; choose "
                "--format table, json or html."
            )
        if self.output is not None and not self.output.parent.is_dir():
            raise UserError(f"there is no folder {self.output.parent}; make it first.")


@dataclass
class Measured:
    """What is finished so far; an interruption loses none of it."""

    reports: dict[str, Any] = field(default_factory=dict)
    times: dict[str, Any] = field(default_factory=dict)


def print_reports(targets: Sequence[str], picture: Picture, order: Order) -> int:
    """Analyse each target and print it; 1 when an operator had no formula (a lower bound)."""
    order.check()
    done = Measured()
    streams = order.format == "table" and order.output is None
    try:
        for number, target in enumerate(dict.fromkeys(targets), 1):
            _measure(target, f"{number} of {len(targets)}", picture, order, done)
            if streams:
                print(f"{_as_text(target, done)}\n", flush=True)
    except KeyboardInterrupt:
        said = f"stopped; {len(done.reports)} of {len(targets)} targets are finished."
        print(f"lightcourse: {said}", file=sys.stderr)
        raise
    finally:  # also after Ctrl-C, and where a later target is wrong
        if streams:
            if len(done.reports) > 1:
                print(_comparison(done), flush=True)
        elif done.reports:
            _write(_RENDER[order.format](done), order.output)
    return 1 if any(report.unknown for report in done.reports.values()) else 0


def _measure(target: str, place: str, picture: Picture, order: Order, done: Measured) -> None:
    with busy(f"loading {target} ({place})"):
        from lightcourse.analysis import analyze

        model = load_target(target)
        given = picture.input_for(model)
    report = analyze(model, given, progress=True)
    if order.latency:
        from lightcourse.analysis import latency

        live = sys.stderr.isatty()
        done.times[target] = latency(model, given, threads=order.threads, progress=live)
    done.reports[target] = report.sort(order.sort) if order.sort else report


@contextmanager
def busy(words: str) -> Iterator[None]:
    """Show on a terminal what takes so long."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(words):
        yield


def _write(text: str, output: Path | None) -> None:
    if output is None:
        print(text, flush=True)
        return
    from lightcourse.analysis import write_text

    write_text(text.rstrip("\n") + "\n", output)
    print(f"wrote {output}")


def _comparison(done: Measured) -> Any:
    from dataclasses import replace

    from lightcourse.analysis import compare

    found = compare(done.reports)
    if len(done.times) == len(done.reports):
        found = replace(found, seconds=tuple(time.median for time in done.times.values()))
    return found


def _as_text(target: str, done: Measured) -> str:
    timed = f"\n{done.times[target]}" if target in done.times else ""
    return f"{target}\n{done.reports[target]}{timed}"


def _tables(done: Measured) -> str:
    parts = [_as_text(target, done) for target in done.reports]
    return "\n\n".join([*parts, str(_comparison(done))] if len(parts) > 1 else parts)


def _json(done: Measured) -> str:
    found = {}
    for target, report in done.reports.items():
        timed = {"latency": asdict(done.times[target])} if target in done.times else {}
        found[target] = {**report.to_dict(), **timed}
    return json.dumps(found, indent=1, allow_nan=False)


def _csv(done: Measured) -> str:
    """One row per layer of every target, the target first."""
    from lightcourse.analysis import csv_text

    rows = [
        ({"target": target}, layer)
        for target, report in done.reports.items()
        for layer in report.layers
    ]
    return csv_text(rows).rstrip("\n")


def _page(done: Measured) -> str:
    """One page that needs nothing else, in the reader's light or dark colours."""
    parts = []
    if len(done.reports) > 1:
        parts.append(f"<h1>Side by side</h1>{_comparison(done)._repr_html_()}")
    for target, report in done.reports.items():
        timed = done.times[target]._repr_html_() if target in done.times else ""
        parts.append(f"<h1>{escape(target)}</h1>{report._repr_html_()}{timed}")
    title = escape(", ".join(done.reports))
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>{title} · lightcourse analyze</title><style>:root{{color-scheme:light dark}}"
        "body{font-family:system-ui,sans-serif;margin:1.2em}h1{font-size:1.15em}"
        ".lc-report .lc-scroll{max-height:none!important}</style></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


_RENDER = {"table": _tables, "json": _json, "csv": _csv, "html": _page}
