"""A report as plain data: dicts, pandas rows, comma-separated values, sorted layers."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightcourse.analysis._fields import ReceptiveField
from lightcourse.errors import UserError

if TYPE_CHECKING:
    from lightcourse.analysis.report import Layer, Report

SORTS = ("macs", "params", "memory", "intensity", "receptive_field", "name")
_AXES = ("d", "h", "w")
_HEADS = (
    "name", "kind", "output_shape", "params", "macs", "memory_access", "read", "written",
    "intensity",
)  # fmt: skip


def sorted_layers(layers: Sequence["Layer"], by: str) -> tuple["Layer", ...]:
    """Return the layers with the largest first; names go from A to Z."""
    if by not in SORTS:
        raise UserError(f"there is no order {by!r}; choose one of {', '.join(SORTS)}.")
    if by == "name":
        return tuple(sorted(layers, key=lambda layer: layer.name))
    return tuple(sorted(layers, key=lambda layer: _weight(layer, by), reverse=True))


def _weight(layer: "Layer", by: str) -> float:
    if by == "receptive_field":
        return math.prod(layer.receptive_field.size) if layer.receptive_field else -1
    return layer.memory_access if by == "memory" else getattr(layer, by)


def report_dict(report: "Report") -> dict[str, Any]:
    """Return a whole report as plain data."""
    return {
        "name": report.name,
        "input_shapes": [list(s) for s in report.input_shapes],
        "output_shape": list(report.output_shape),
        **totals_dict(report),
        "macs_is_lower_bound": bool(report.unknown),
        "receptive_field": field_dict(report.receptive_field),
        "unused_params": report.unused_params,
        "by_kind": [share_dict(share) for share in report.by_kind()],
        "layers": [layer_dict(layer) for layer in report.layers],
        "unknown": [
            {"name": u.name, "count": u.count, "modules": list(u.modules)} for u in report.unknown
        ],
        "zero": [vars(z) for z in report.zero],
        "zero_memory_access": [vars(z) for z in report.zero_access],
        "unknown_receptive_field": list(report.unknown_receptive_field),
    }


def totals_dict(report: "Report") -> dict[str, Any]:
    """Return the totals that two models are compared by; bytes where bytes."""
    return {
        "params": report.params,
        "macs": report.macs,
        "memory_access": report.memory_access,
        "read": report.read,
        "written": report.written,
        "intensity": report.intensity,
        "peak_activation": report.peak_activation,
        "peak_activation_fused": report.peak_activation_fused,
    }


def share_dict(share: Any) -> dict[str, Any]:
    """Return one share by kind as plain data."""
    return dict(vars(share))


def layer_dict(layer: "Layer") -> dict[str, Any]:
    """Return one layer as plain data."""
    return {
        "name": layer.name,
        "kind": layer.kind,
        "output_shape": list(layer.output_shape),
        "params": layer.params,
        "macs": layer.macs,
        "memory_access": layer.memory_access,
        "read": layer.read,
        "written": layer.written,
        "intensity": layer.intensity,
        "unknown": list(layer.unknown),
        "receptive_field": field_dict(layer.receptive_field),
    }


def field_dict(rf: ReceptiveField | None) -> dict[str, Any] | None:
    """Return a receptive field as plain data; infinity becomes the text 'inf'."""
    if rf is None:
        return None
    return {
        "size": [_plain(n) for n in rf.size],
        "stride": [_plain(n) for n in rf.stride],
        "start": list(rf.start),
        "center": list(rf.center),
        "is_global": rf.is_global,
        "local": field_dict(rf.local),
    }


def _plain(number: float) -> float | str:
    return number if math.isfinite(number) else "inf"


def frame(layers: Sequence["Layer"]) -> Any:
    """Return layers as a pandas DataFrame."""
    rows = []
    for layer in layers:
        rf = layer.receptive_field
        row = {
            **layer_dict(layer),
            "output_shape": layer.output_shape,
            "receptive_field": None if rf is None else rf.size,
            "stride": None if rf is None else rf.stride,
            "unknown": ", ".join(layer.unknown),
        }
        rows.append(row)
    return pandas().DataFrame(rows)


def pandas() -> Any:
    """Return the pandas module, or say how to get it."""
    try:
        import pandas
    except ImportError as error:
        raise UserError("to_pandas needs pandas; install it with: pip install pandas") from error
    return pandas


def csv_text(rows: Sequence[tuple[Mapping[str, str], "Layer"]]) -> str:
    """Return comma-separated values, one line per layer after some leading columns.

    The receptive field and its stride stand in one column per image axis. `unknown_ops` counts
    operators without a formula: `macs` is a lower bound where it is not 0.
    """
    axes = max((len(_sizes(layer)) for _, layer in rows), default=0)
    names = _AXES[-max(axes, 2) :]
    lines = [{**lead, **_csv_row(layer, names)} for lead, layer in rows]
    out = io.StringIO()
    places = [f"{head}_{axis}" for head in ("rf", "stride") for axis in names]
    leads = rows[0][0] if rows else ()
    heads = [*leads, *_HEADS, *places, "unknown_ops"]
    writer = csv.DictWriter(out, heads, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


def _sizes(layer: "Layer") -> tuple:
    return () if layer.receptive_field is None else layer.receptive_field.size


def _csv_row(layer: "Layer", axes: Sequence[str]) -> dict[str, Any]:
    rf = layer.receptive_field
    row = layer_dict(layer)
    del row["receptive_field"], row["unknown"]
    row["output_shape"] = "x".join(map(str, layer.output_shape))
    for head, numbers in (("rf", _sizes(layer)), ("stride", rf.stride if rf else ())):
        padded = [""] * (len(axes) - len(numbers)) + list(numbers)
        row.update({f"{head}_{axis}": n for axis, n in zip(axes, padded, strict=True)})
    row["unknown_ops"] = len(layer.unknown)
    return row


def write_text(text: str, path: str | Path) -> str:
    """Write a text to a file and return it; one sentence where that cannot be done."""
    place = Path(path)
    if not place.parent.is_dir():
        raise UserError(f"there is no folder {place.parent}; make it first.")
    try:
        place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{place} cannot be written: {error.strerror or error}.") from error
    return text
