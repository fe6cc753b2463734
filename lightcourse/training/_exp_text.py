"""A comparison in words: an aligned table for the terminal, one in HTML for the notebook."""

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightcourse.training._exp_result import Comparison

_HEADS = ("variant", "accuracy", "95 % interval", "params", "MACs", "CPU s")


def cells(result: "Comparison") -> list[tuple[str, ...]]:
    """Return the rows of the table as texts."""
    return [
        (
            row.name,
            f"{row.summary} %",
            "-" if row.interval is None else f"{row.interval[0]:.1f} to {row.interval[1]:.1f}",
            _number(row.params),
            _number(row.macs),
            f"{row.seconds:.1f}",
        )
        for row in result.rows
    ]


def notes(result: "Comparison") -> list[str]:
    """How the runs were made, in short sentences."""
    seeds = len(result.seeds)
    said = [str(result.data.get("size", "")), f"{seeds} seed{'' if seeds == 1 else 's'}"]
    settings = dict(result.config.get("fit", {}))
    if result.study is not None:
        settings = {"difficulty": result.study["settings"].get("difficulty"), **settings}
    known = ("difficulty", "epochs", "batch_size", "lr")
    said += [f"{k.replace('_', ' ')} {settings[k]}" for k in known if settings.get(k) is not None]
    if result.budget is not None:
        words = {"macs": "MACs", "params": "parameters", "time": "time per step"}
        said.append(f"the two sides of each comparison have equal {words[result.budget]}")
    lost = sum(run.diverged for row in result.rows for run in row.runs)
    if lost:
        said.append(f"{lost} runs diverged and count as guessing")
    said.append("± is the deviation between seeds, the interval is that of the mean")
    return [note for note in said if note]


def text(result: "Comparison") -> str:
    """Return the table, how it was made, and the verdict."""
    every = [_HEADS, *cells(result)]
    widths = [max(len(row[i]) for row in every) for i in range(len(_HEADS))]
    lines = [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in every
    ]
    rule = "  ".join("-" * width for width in widths)
    head = [part for part in (result.name, result.question) if part]
    top = [": ".join(head), "; ".join(notes(result)), "", lines[0], rule]
    return "\n".join([*top, *lines[1:], "", *result.verdict.splitlines()])


def html(result: "Comparison") -> str:
    """Return the table with the verdict above it."""
    head = "".join(f"<th scope='col'{_side(i)}>{h}</th>" for i, h in enumerate(_HEADS))
    body = "".join(
        "<tr>" + "".join(f"<td{_side(i)}>{escape(c)}</td>" for i, c in enumerate(row)) + "</tr>"
        for row in cells(result)
    )
    verdict = "".join(f"<li>{escape(line)}</li>" for line in result.verdict.splitlines())
    question = f"<p>{escape(result.question)}</p>" if result.question else ""
    return (
        f"<style>{_CSS}</style><div class='lightcourse-runs'><b>{escape(result.name)}</b>"
        f"{question}<div><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        f"<p>{escape('; '.join(notes(result)))}</p><ul>{verdict}</ul></div>"
    )


def _side(column: int) -> str:
    return " class='n'" if column else ""


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


_CSS = (
    ".lightcourse-runs>div{overflow-x:auto}"
    ".lightcourse-runs table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    ".lightcourse-runs th,.lightcourse-runs td{padding:.15em .7em .25em;"
    "text-align:left!important;white-space:nowrap}"
    ".lightcourse-runs th.n,.lightcourse-runs td.n{text-align:right!important}"
)
