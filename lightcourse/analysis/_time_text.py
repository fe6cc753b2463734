"""How measured and predicted times are written: units, aligned tables, and tables in HTML."""

from collections.abc import Collection, Sequence
from html import escape

from lightcourse.errors import UserError

Row = Sequence[str]


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it, with three digits.

    >>> duration(0.0152), duration(3.2e-6), duration(0)
    ('15.2 ms', '3.20 µs', '0')
    """
    if seconds == 0:
        return "0"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)):
        value = seconds / size
        if abs(value) >= 0.9995 or unit == "ns":
            digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
            return f"{value:.{digits}f} {unit}"
    raise AssertionError("the last unit takes everything")


def speed(macs_per_second: float) -> str:
    """Return multiply-accumulates per second in GMAC/s; a dash where there are none.

    >>> speed(109.4e9), speed(0)
    ('109 GMAC/s', '-')
    """
    return f"{macs_per_second / 1e9:.3g} GMAC/s" if macs_per_second else "-"


def text_table(heads: Row, rows: Sequence[Row], left: Collection[int] = (0, 1)) -> list[str]:
    """Return the lines of an aligned table; the columns in `left` begin under their heading."""
    every = [heads, *rows]
    widths = [max(len(row[i]) for row in every) for i in range(len(heads))]
    lines = [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in every
    ]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def html_table(
    heads: Row,
    rows: Sequence[Row],
    notes: Sequence[str],
    bars: Sequence[float] = (),
    bar_column: int = -1,
    left: Collection[int] = (0, 1),
) -> str:
    """Return a table in HTML below its notes; `bars` (0 to 1) are drawn in one column."""
    head = "".join(
        f"<th scope='col'{'' if i in left else _NUMBER}>{escape(h)}</th>"
        for i, h in enumerate(heads)
    )
    body = []
    for number, row in enumerate(rows):
        cells = []
        for i, cell in enumerate(row):
            kind = "" if i in left else _NUMBER
            if bars and i == bar_column % len(heads):
                kind += f" style='background-size:{100 * bars[number]:.1f}% 3px'"
            cells.append(f"<td{kind}>{escape(cell)}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    said = "<br>".join(escape(note) for note in notes)
    return (
        f"<style>{_CSS}</style><div class='lightcourse-times'><p>{said}</p><div><table><thead>"
        f"<tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div></div>"
    )


_NUMBER = " class='n'"
_CSS = (
    ".lightcourse-times>div{max-height:30em;overflow:auto}"
    ".lightcourse-times table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    ".lightcourse-times th{position:sticky;top:0;background:Canvas}"
    ".lightcourse-times th,.lightcourse-times td{padding:.15em .7em .25em;"
    "text-align:left!important;white-space:nowrap}"  # notebooks align all cells to the right
    ".lightcourse-times th.n,.lightcourse-times td.n{text-align:right!important}"
    ".lightcourse-times td.n{background-repeat:no-repeat;"
    "background-image:linear-gradient(#56b4e9,#56b4e9);background-size:0 3px;"
    "background-position:left bottom}"
)


def frame(rows: Sequence[dict]) -> object:
    """Return rows as a pandas DataFrame, or say how to get pandas."""
    try:
        import pandas
    except ImportError as error:
        raise UserError("to_pandas needs pandas; install it with: pip install pandas") from error
    return pandas.DataFrame(rows)
