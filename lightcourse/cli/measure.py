"""`lightcourse analyze`: one report per target, in the format that was asked for."""

import csv
import json
import sys
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
            _print_csv(name, report.to_dict()["layers"])
        elif format_ == "html":
            print(f"<h2>{name}</h2>{report._repr_html_()}")
    return 1 if any(report.unknown for report in reports.values()) else 0


def _print_csv(target: str, layers: list[dict]) -> None:
    """One row per layer; the receptive field as height and width."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["target", "name", "kind", "output_shape", "params", "macs", "rf_h", "rf_w"])
    for row in layers:
        shape = "x".join(map(str, row["output_shape"]))
        field = (row["receptive_field"] or {}).get("size") or ("", "")
        cells = [row[key] for key in ("name", "kind")]
        writer.writerow([target, *cells, shape, row["params"], row["macs"], *field])
