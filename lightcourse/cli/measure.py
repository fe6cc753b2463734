"""`lightcourse analyze`: one report per target, in the format that was asked for."""

import json
from collections.abc import Sequence

from lightcourse.cli.target import load_target
from lightcourse.errors import UserError

FORMATS = ("table", "json", "csv", "html")


def print_reports(targets: Sequence[str], input_size: tuple[int, ...], format_: str) -> int:
    """Analyse each target and print it; 1 when an operator had no formula (a lower bound)."""
    if format_ not in FORMATS:
        raise UserError(f"there is no format {format_!r}; choose one of {', '.join(FORMATS)}.")
    from lightcourse.analysis import analyze

    reports = {target: analyze(load_target(target), input_size) for target in targets}
    if format_ == "json":
        print(json.dumps({name: report.to_dict() for name, report in reports.items()}, indent=1))
    for name, report in reports.items():
        if format_ == "table":
            print(f"{name}\n{report}\n")
        elif format_ == "csv":
            print(report.to_csv(), end="")
        elif format_ == "html":
            print(f"<h2>{name}</h2>{report._repr_html_()}")
    return 1 if any(report.unknown for report in reports.values()) else 0
