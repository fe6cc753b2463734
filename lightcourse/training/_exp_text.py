"""A comparison in words: an aligned table for the terminal, one in HTML for the notebook."""

from html import escape
from typing import TYPE_CHECKING

from lightcourse.training._exp_variants import TOLERANCE
from lightcourse.training._exp_words import lost

if TYPE_CHECKING:
    from lightcourse.training._exp_result import Comparison

_HEADS = ("variant", "accuracy", "95 % interval", "params", "MACs", "CPU s")


def cells(result: "Comparison") -> list[tuple[str, ...]]:
    """Return the rows of the table as texts."""
    return [
        (
            row.name,
            f"{row.summary} %" + (f", {row.diverged} diverged" if row.diverged else ""),
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
    said.append(_budget(result))
    diverged = sum(row.diverged for row in result.rows)
    if diverged:
        said.append(lost(diverged))
    said.append("± is the deviation between seeds, the interval is that of the mean")
    ends = {end for row in result.rows for end in row.interval or ()}
    if ends & {0, 100}:
        said[-1] += ", cut at 0 and 100 %"
    return [note for note in said if note]


def _budget(result: "Comparison") -> str:
    """What was checked about the cost, and how far the two sides of a comparison are apart."""
    if not result.claims:
        return "nothing is compared, so no budget was checked" if result.budget else ""
    if result.budget is None:
        return "costs may differ"
    word = {"macs": "MACs", "params": "parameters", "time": "time per step"}[result.budget]
    allowed = result.config.get("tolerance")
    allowed = f"{_percent(TOLERANCE[result.budget] if allowed is None else allowed)} allowed"
    if result.budget == "time":
        costs = result.config.get("step_seconds", {})
    else:
        costs = {row.name: getattr(row, result.budget) for row in result.rows}
    pairs = [sorted(costs.get(name) or 0 for name in pair) for pair in result.claims]
    if any(low == 0 for low, _ in pairs):
        return f"equal {word} was checked, {allowed}"
    apart = max(high / low - 1 for low, high in pairs)
    if apart == 0:
        return f"both sides of each comparison have equal {word}"
    return f"{word} of the two sides of a comparison are up to {_percent(apart)} apart, {allowed}"


def _percent(share: float) -> str:
    return f"{100 * share:.{0 if share >= 1 else 2}{'f' if share >= 1 else 'g'}} %"


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
