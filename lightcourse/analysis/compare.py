"""Several reports side by side: totals with ratios to the first, and shares by kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from lightcourse.analysis import _report_rows as rows
from lightcourse.analysis._report_text import WIDTH, field_text, human_bytes, percent
from lightcourse.analysis._time_text import duration
from lightcourse.analysis.report import Report
from lightcourse.errors import UserError

_TOTALS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("params", "params", "{:,}".format),
    ("MACs", "macs", "{:,}".format),
    ("memory access", "memory_access", human_bytes),
    ("intensity, FLOP/B", "intensity", "{:.3g}".format),
    ("peak activation", "peak_activation", human_bytes),
    ("peak activation, fused", "peak_activation_fused", human_bytes),
)
_LONGEST = 28  # characters of a name above its column
_SHARES = (
    ("MACs by kind", "macs"),
    ("memory access by kind", "memory_access"),
    ("params by kind", "params"),
)


@dataclass(frozen=True)
class Comparison:
    """Reports with a name each; ratios are to the first one."""

    names: tuple[str, ...]
    reports: tuple[Report, ...]
    seconds: tuple[float, ...] = ()  # measured times, one per report, where somebody took them

    def to_dict(self) -> dict[str, Any]:
        """Return totals, ratios and shares by kind of every report as plain data."""
        first = rows.totals_dict(self.reports[0])
        found = {}
        for place, (name, report) in enumerate(zip(self.names, self.reports, strict=True)):
            totals = rows.totals_dict(report)
            found[name] = {
                **totals,
                "macs_is_lower_bound": bool(report.unknown),
                "receptive_field": rows.field_dict(report.receptive_field),
                "ratios": {key: _ratio(totals[key], first[key]) for key in totals},
                "by_kind": [rows.share_dict(share) for share in report.by_kind()],
                **({"seconds": self.seconds[place]} if self.seconds else {}),
            }
        return found

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame with one row per report: totals and their ratios."""
        lines = []
        for entry in self.to_dict().values():
            field, ratios = entry.pop("receptive_field"), entry.pop("ratios")
            del entry["by_kind"]
            size = None if field is None else tuple(float(n) for n in field["size"])
            named = {f"{key}_ratio": value for key, value in ratios.items()}
            lines.append({**entry, "receptive_field": size, **named})
        return rows.pandas().DataFrame(lines, index=list(self.names))

    def __str__(self) -> str:
        lines = self._lines()
        lines[0] = [_short(name) for name in lines[0]]
        first = max(len(line[0]) for line in lines)
        widths = [max(len(line[i]) for line in lines) for i in range(1, len(lines[0]))]
        blocks = []
        for columns in _columns(widths, WIDTH - first):
            shown = [
                "  ".join([line[0].ljust(first), *(line[1 + i].rjust(widths[i]) for i in columns)])
                for line in lines
            ]
            shown.insert(1, "  ".join("-" * n for n in (first, *(widths[i] for i in columns))))
            blocks.append("\n".join(line.rstrip() for line in shown))
        return "\n\n".join(blocks)

    __repr__ = __str__  # a console shows what print shows

    def _repr_html_(self) -> str:
        head, *body = self._lines()
        cells = "".join(f"<th scope='col'>{escape(cell)}</th>" for cell in head)
        lines = []
        for title, *values in body:
            inner = "".join(f"<td>{escape(value)}</td>" for value in values)
            side = escape(title.strip())
            mark = " class='lc-in'" if title.startswith(" ") else ""
            lines.append(f"<tr{mark}><th scope='row'>{side}</th>{inner}</tr>")
        return (
            f"<style>{_CSS}</style><div class='lc-compare'><table><thead><tr>{cells}</tr></thead>"
            f"<tbody>{''.join(lines)}</tbody></table></div>"
        )

    def _lines(self) -> list[list[str]]:
        """Return the table: a title and one text per report in each line."""
        lines = [["", *self.names]]
        lines += [self._total(*total) for total in _TOTALS]
        fields = (report.receptive_field for report in self.reports)
        lines.append(["receptive field", *(field_text(field) for field in fields)])
        if self.seconds:
            times = [
                duration(s) + _times(_ratio(s, self.seconds[0]), i)
                for i, s in enumerate(self.seconds)
            ]
            lines.append(["latency, median", *times])
        for title, what in _SHARES:
            lines += self._shares(title, what)
        return lines

    def _total(self, title: str, what: str, shown: Callable[[Any], str]) -> list[str]:
        values = [getattr(report, what) for report in self.reports]
        bounded = what in ("macs", "intensity")
        return [title] + [
            ("≥ " if bounded and report.unknown else "")
            + shown(value)
            + _times(_ratio(value, values[0]), place)
            for place, (value, report) in enumerate(zip(values, self.reports, strict=True))
        ]

    def _shares(self, title: str, what: str) -> list[list[str]]:
        found = [
            {share.kind: getattr(share, what) for share in report.by_kind()}
            for report in self.reports
        ]
        sums = [sum(shares.values()) or 1 for shares in found]
        kinds = {kind for shares in found for kind, value in shares.items() if value}
        weight = {
            kind: sum(s.get(kind, 0) / n for s, n in zip(found, sums, strict=True))
            for kind in kinds
        }
        lines = [[title, *("" for _ in found)]] if kinds else []
        for kind in sorted(kinds, key=lambda kind: (-weight[kind], kind)):
            shares = [
                percent(s[kind], n) if s.get(kind) else "-"
                for s, n in zip(found, sums, strict=True)
            ]
            lines.append([f"  {kind}", *shares])
        return lines


def compare(*reports: Report | Mapping[str, Report]) -> Comparison:
    """Put reports side by side, or a dict from names to reports.

    >>> from torch import nn
    >>> from lightcourse.analysis import analyze
    >>> wide, slim = (analyze(nn.Conv2d(n, n, 1, bias=False), (1, n, 8, 8)) for n in (8, 4))
    >>> compare({"wide": wide, "slim": slim}).to_dict()["slim"]["ratios"]["macs"]
    0.25
    """
    named: list[tuple[str, Report]] = []
    for given in reports:
        pairs = given.items() if isinstance(given, Mapping) else [(None, given)]
        for name, report in pairs:
            if not isinstance(report, Report):
                raise UserError(
                    f"compare takes reports from analyze(...), not a {type(report).__name__}."
                )
            named.append((str(report.name if name is None else name), report))
    if not named:
        raise UserError("compare needs at least one report from analyze(...).")
    return Comparison(_unique([name for name, _ in named]), tuple(report for _, report in named))


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    count: dict[str, int] = {}
    found = []
    for name in names:
        count[name] = count.get(name, 0) + 1
        found.append(name if count[name] == 1 else f"{name}#{count[name]}")
    return tuple(found)


def _short(name: str) -> str:
    """Keep the end of a long name, such as the function of a path:function."""
    return name if len(name) <= _LONGEST else f"…{name[1 - _LONGEST :]}"


def _ratio(value: float, first: float) -> float | None:
    return value / first if first else None


def _times(ratio: float | None, place: int) -> str:
    """Return a ratio to the first report; nothing at the first itself."""
    if not place:
        return ""
    return "" if ratio is None else f" ×{ratio:.3g}" if ratio < 1000 else f" ×{ratio:.0f}"


def _columns(widths: Sequence[int], room: int) -> list[list[int]]:
    """Split columns into blocks that fit; each block has at least one."""
    blocks: list[list[int]] = [[]]
    used = 0
    for place, width in enumerate(widths):
        if blocks[-1] and used + width + 2 > room:
            blocks.append([])
            used = 0
        blocks[-1].append(place)
        used += width + 2
    return blocks


_CSS = (
    ".lc-compare{overflow:auto;font-size:13px}"
    ".lc-compare table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    ".lc-compare th,.lc-compare td{padding:.15em .9em .2em 0;text-align:right!important;"
    "white-space:nowrap}"
    ".lc-compare th[scope=row]{text-align:left!important}"
    ".lc-compare .lc-in th{font-weight:400;padding-left:1.2em}"
)
