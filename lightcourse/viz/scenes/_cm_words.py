"""What the cost microscope says: its caption, warning and question, computed from the numbers."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from ..scene import J, L
from ._cm_cases import Place, Study
from ._cm_costs import MEASURES, Cost
from ._cm_scale import SHARES, ratio, share, spaced
from ._cm_totals import law, slowness, times
from ._cm_view import View

TITLES = {"params": "params", "macs": "MACs", "moved": "bytes moved", "alive": "bytes alive"}


def word_tables(view: View) -> dict[str, list]:
    """Return the tables of all sentences."""
    slower = {"slower": _slower(view)} if view.rivals else {}
    study, variants = view.study, range(len(view.study.variants))
    titles = [study.title(place) for place in study.places]
    return {
        **slower,
        "title": titles,
        "bold": ["**", ""],
        "titled": [titles, [""] * len(titles)],
        "whole": _whole_or_not(view),
        "rule": [[_rule(study, place) for place in study.places], [""] * len(titles)],
        "warn": [_warning(study, place) for place in study.places],
        "count": view.folds(lambda f: [_count(study, f, v) for v in variants]),
        "verdict": ["", "**memory-bound**", "**compute-bound**", "**nothing but traffic**"],
        "guide": [0, 1, 1, 0],
        "down_head": ["click or drag a row", "down to the line"],
        "down_to": ["", "Down to **"],
        "opens": ["", "** ("],
        "row_n": ["", *range(1, view.most + 1)],
        "of_rows": [
            [[""] * len(study.variants)] * 2,
            view.folds(lambda f: [f" of {len(study.names(f, v))} rows" for v in variants]),
        ],
        "holds": ["", "** of the params, **"],
        "of_macs": ["", "** of the MACs, **"],
        "of_bytes": ["", "** of the bytes. This row does "],
        "per_byte": ["", " FLOPs per byte: "],
        "under": ["", " under this roof."],
        "listed": [[""] * 3, ["): **", ", most MACs first): **", ", most bytes first): **"]],
    }  # fmt: skip


def _count(study: Study, fold: int, variant: int) -> str:
    """Say how many rows there are, and how many layers are folded into them."""
    rows = len(study.names(fold, variant))
    layers = max(len(case.leaves) for place, case in study.cases.items() if place[0] == variant)
    if fold:
        return f"{layers} layers, {rows} kinds" if rows > 1 else f"{layers} layers, 1 kind"
    return f"{layers} layers in {rows} rows" if rows < layers else f"{rows} layers"


def caption(view: View) -> dict[str, Any]:
    """Return the caption: the whole network, or what the rows down to the chosen one hold."""
    v = view.variant
    return J(
        L("bold", "any"), L("titled", "any", "place"), L("whole", "any", "rows", "case"),
        L("rule", "any", "place"), *([L("slower", "any", "case", "ridge")] if view.rivals else []),
        L("down_to", "any"), L("name", "rows", view.named, "now"), L("opens", "any"),
        L("row_n", "row"), L("of_rows", "any", "rows", v), L("listed", "any", "sort"),
        L("pct", "any", "share_params"), L("holds", "any"), L("pct", "any", "share_macs"),
        L("of_macs", "any"), L("pct", "any", "share_moved"), L("of_bytes", "any"),
        L("ai", "rows", "case", "now"), L("per_byte", "any"), L("verdict", "now_side"),
        L("under", "any"),
    )  # fmt: skip


def room(view: View) -> str:
    """Return a text as long as the longest caption, so that the page keeps room for it."""
    tables = word_tables(view)
    name = max((n for f in (0, 1) for v in range(len(view.study.variants))
                for n in view.study.names(f, v)), key=len)[:19]  # fmt: skip
    row = (f"Down to {name} (22 of 22 rows, most bytes first): 100 % of the params, 100 % of the "
           "MACs, 100 % of the bytes. This row does 0.00 FLOPs per byte: nothing but traffic "
           "under this roof.")  # fmt: skip
    wholes = [
        title + said[2 * p + s] + rule + ("least time ×0.00." if view.rivals and rule else "")
        for said in tables["whole"][0]
        for p, (title, rule) in enumerate(zip(tables["title"], tables["rule"][0], strict=True))
        for s in (0, 1)
    ]
    return max([row, *wholes], key=len).replace("**", "")


def _rule(study: Study, place: Place) -> str:
    """Compare MACs with the rule of thumb for widths, α²ρ², or with another network's."""
    if place == study.start or not {place, study.start} <= study.cases.keys():
        return ""
    (variant, size, _), (first, side, _) = place, study.start
    if study.widths:
        alpha = study.widths[variant] / study.widths[first]
        rho = study.sizes[size] / study.sizes[side]
        return (
            f" MACs are **{times(study, 'macs', place, 0)}**, {law(study, 'macs', place, 0)}; the"
            f" rule α²ρ² says ×{(alpha * rho) ** 2:.3g}."
        )
    if variant == first:
        return ""
    macs, moved = (times(study, m, place, 0) for m in ("macs", "moved"))
    there = f" Against {study.title(study.start)}: "
    return there + (f"MACs **{macs}**, " if macs else "") + (f"bytes {moved}, " if moved else "")


def _slower(view: View) -> list:
    """[any][case][ridge]: the least time of another network, after what `_rule` said of it."""
    study, ridges = view.study, range(len(view.roofs.ridges))

    def said(place: Place, schedule: int) -> list[str]:
        if not _rule(study, place):
            return [""] * len(ridges)
        return [f"least time **×{n}**." for n in slowness(view, place, schedule)]

    cases = view.cases(said)
    return [cases, [[""] * len(ridges) for _ in cases]]


def _whole_or_not(view: View) -> list:
    """[any][rows][case]: the claim about the whole network while no row is chosen."""
    said = view.folds(lambda f: view.cases(lambda p, s: _whole(view.study, f, p, s)))
    return [said, [[""] * len(line) for line in said]]


def _whole(study: Study, fold: int, place: Place, schedule: int) -> str:
    """The claim about a whole network: where the halves lie, or which kinds lead."""
    if place not in study.cases:
        return "** does not run: there is nothing to count."
    total, rows = study.total(place), study.rows(fold, place)
    how = ", fused:** " if schedule else ":** "
    return how + (_kinds(total, rows, schedule) if fold else _halves(rows, schedule))


def _halves(rows: Sequence[Cost], schedule: int) -> str:
    """How many rows hold half of each measure."""
    words = []
    for measure, name in zip(MEASURES[:3], ("the params", "the MACs", "the bytes"), strict=True):
        sums = list(accumulate(row.value(measure, schedule) for row in rows))
        if sums[-1]:
            found = next(n for n, held in enumerate(sums, 1) if 2 * held >= sums[-1])
            words.append((found, name))
    if len(rows) == 1:
        row = rows[0]
        return (
            f"{spaced(row.macs, '')} MACs and {spaced(row.moved[schedule], 'B')} moved make "
            f"**{ratio(row.intensity(schedule))}** FLOPs per byte."
        )
    words.sort()
    first = {1: "the **first**"}
    listed = ", ".join(
        f"half of {name} in {first.get(n, f'the first **{n}**')}" for n, name in words
    )
    peak = max(rows, key=lambda row: row.alive[schedule])
    kind = "layer " if peak.name[:1].isdigit() else ""  # a name such as 7 looks like a count
    most = f" Most memory is alive in {kind}**{peak.name}**." if peak.alive[schedule] else ""
    return f"of {len(rows)} rows, {listed}.{most}"


def _kinds(total: Cost, rows: Sequence[Cost], schedule: int) -> str:
    """Which kind moves the most bytes, and which does the most MACs."""
    moved, macs = total.moved[schedule], total.macs

    def part(row: Cost, measure: str) -> str:
        whole = total.value(measure, schedule)
        return SHARES[share(row.value(measure, schedule) / whole)] if whole else "none"

    heavy = max(rows, key=lambda row: row.moved[schedule])
    busy = max(rows, key=lambda row: row.macs)
    words = []
    if moved:
        words.append(f"**{heavy.name}** moves the most bytes, **{part(heavy, 'moved')}**, with "
                     f"{part(heavy, 'macs')} of the MACs")  # fmt: skip
    if macs and busy is not heavy:
        words.append(f"**{busy.name}** does **{part(busy, 'macs')}** of the MACs with "
                     f"{part(busy, 'moved')} of the bytes")  # fmt: skip
    idle = sum(row.moved[schedule] for row in rows if not row.macs)
    if moved:
        words.append(f"**{SHARES[share(idle / moved)]}** of the bytes belong to rows without a MAC")
    return "; ".join(words) + "." if words else "nothing is moved or multiplied."


def _warning(study: Study, place: Place) -> str:
    if place not in study.cases:
        reason = study.reasons.get(place, "it was not analysed")
        return f"Not possible: {reason}"
    unknown = ", ".join(study.cases[place].unknown)
    return f"No cost formula for {unknown}: the MACs are a lower bound." if unknown else ""


def question(study: Study) -> dict[str, Any] | None:
    """Return the prediction: which kind of operator moves the most bytes in the first state."""
    rows = [row for row in study.rows(1, study.start) if row.moved[0]]
    ranked = sorted(rows, key=lambda row: -row.moved[0])[:6]
    if len(ranked) < 2 or ranked[0].moved[0] == ranked[1].moved[0]:
        return None
    order = [row for row in rows if row in ranked]
    total = study.total(study.start)
    replies = []
    for row in order:
        part = SHARES[share(row.moved[0] / total.moved[0])]
        macs = SHARES[share(row.macs / total.macs)] if total.macs else "none"
        replies.append(
            f"{row.name} moves {part} of the bytes and does {macs} of the MACs."
            + ("" if row is ranked[0] else f" {_more(ranked[0], row)}")
        )
    return {
        "q": f"Which kind of layer moves the most bytes in {study.title(study.start)}, each"
        " operator run by itself?",
        "options": [row.name for row in order],
        "answer": order.index(ranked[0]),
        "replies": replies,
        "param": "rows",
        "from": 1,
    }


def _more(most: Cost, other: Cost) -> str:
    return f"{most.name} moves {most.moved[0] / other.moved[0]:.1f} times as many."
