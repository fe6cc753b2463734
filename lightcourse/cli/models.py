"""`lightcourse models`: what is here, how large, how good as published; or all about one."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lightcourse.cli.measure import busy
from lightcourse.errors import UserError

FORMATS = ("table", "json", "csv")
_HEADS = ("name", "family", "year", "input", "params", "MACs", "top-1", "known from")
_KEYS = ("name", "family", "year", "input", "params", "macs", "top1", "known_from")


def print_models(name: str | None, family: str | None, format_: str) -> int:
    """Print every model in one line each, only a family's, or all that is known of one."""
    if format_ not in FORMATS:
        raise UserError(f"there is no format {format_!r}; choose one of {', '.join(FORMATS)}.")
    if name is not None and family is not None:
        raise UserError("name one model or a --family, not both.")
    with busy("counting the models"):
        from lightcourse.models import list_models, model_info

        if name is not None:
            info = model_info(name)
        else:
            rows = [_row(model_info(n)) for n in list_models(family)]
    if name is None:
        print(_RENDER[format_](rows))
    elif format_ == "table":
        print(info)
    elif format_ == "json":
        print(json.dumps(info.to_dict(), indent=1, ensure_ascii=False))
    else:
        print(_csv([asdict(row) for row in info.published]))
    return 0


def _row(info: Any) -> dict[str, Any]:
    """Return one line: exact counts, and the published top-1 of this very form."""
    own = info.variant
    params, macs = (own.params, own.macs) if own else (None, None)  # the tests count them again
    if params is None or macs is None:
        params, macs = info.params, info.macs
    values = (
        info.name, info.family, info.paper.year, "×".join(map(str, info.input)), params, macs,
        own and own.top1, own and own.top1 and own.known_from,
    )  # fmt: skip
    return dict(zip(_KEYS, values, strict=True))


def _cells(row: dict[str, Any]) -> list[str]:
    """Return a line in the words of the table: units in the head, a dash for what is unknown."""
    told = {
        **row,
        "params": f"{row['params'] / 1e6:,.2f} M",
        "macs": f"{row['macs'] / 1e6:,.1f} M",
    }
    return ["-" if told[key] is None else str(told[key]) for key in _KEYS]


def _table(rows: Sequence[dict[str, Any]]) -> str:
    from lightcourse.models._info import text_table

    lines = text_table(_HEADS, [_cells(row) for row in rows], left=(0, 1, 7))
    return f"{lines}\n{len(rows)} models; lightcourse models NAME tells all about one."


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().rstrip("\n")


_RENDER = {
    "table": _table,
    "json": lambda rows: json.dumps(rows, indent=1, ensure_ascii=False),
    "csv": _csv,
}
