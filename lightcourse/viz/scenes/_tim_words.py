"""What the timeline says: captions, what a network added, code, and the question, from numbers."""

from textwrap import wrap
from typing import Any

from ..scene import J, L
from ._cm_scale import spaced
from ._par_scale import round_amount
from ._tim_nets import COSTS, Net
from ._tim_view import ABSENT, BEATEN, LEAST, ON, UNKNOWN, View

OF = {"macs": "MACs", "params": "parameters"}
SURE = {"its own text": "its own text", "another's text": "another's text", "memory": "recalled"}
LINE = 40  # letters of a line of the panel
ASKED = 70  # per cent, of the question
TURN = 2016  # the year before the question's answer is shown


def tip(net: Net) -> str:
    """Return what a point says under the pointer."""
    top1 = f"{net.top1:g} %" if net.top1 else "no ImageNet accuracy"
    macs, params = (spaced(net.cost(key), "") for key in COSTS)
    return f"{net.entry.name}, {net.paper.year}: {top1}, {macs} MACs, {params} parameters"


def caption() -> dict[str, Any]:
    """Return the caption: who came, who is most accurate, who is cheapest above the line."""
    return J(L("came", "cost", "year"), L("top", "cost", "year"),
             L("cheap", "cost", "year", "least"))  # fmt: skip


def came(view: View, cost: int, year: int) -> str:
    """How many networks a year brought, and how many of them are on the front."""
    new = [i for i, since in enumerate(view.since) if since == year]
    kinds = [view.kind(cost, year, i) for i in new]
    count = f"{len(new)} network{'s' if len(new) > 1 else ''}"
    if kinds == [UNKNOWN]:
        return (f"**{view.years[year]}** brings {count}, {view.nets[new[0]].entry.name}, whose"
                " paper has no ImageNet accuracy. ")  # fmt: skip
    on = "none" if ON not in kinds else str(kinds.count(ON)) if len(new) > 1 else "it"
    verb = "is" if kinds.count(ON) < 2 else "are"
    return f"**{view.years[year]}** brings {count}; {on} {verb} on the front in {OF[COSTS[cost]]}. "


def top(view: View, cost: int, year: int) -> str:
    """The most accurate network, against that of the step before."""
    now, before = view.top(year), view.top(year - 1) if year else None
    if now is None:
        return "No network here has an accuracy to compare yet. "
    key, unit = COSTS[cost], OF[COSTS[cost]]
    said = f"{now.entry.name}**, {now.top1:g} % for {spaced(now.cost(key), '')} {unit}"
    if before is now:
        return f"Most accurate is still **{said}. "
    if before is None:
        return f"Most accurate is **{said}. "
    gain, ratio = now.top1 - before.top1, now.cost(key) / before.cost(key)
    return (f"Most accurate is now **{said}: {gain:.1f} points more than {before.entry.name} with"
            f" {_as_many(ratio)}. ")  # fmt: skip


def _as_many(ratio: float) -> str:
    """Say a ratio in words with two digits.

    >>> _as_many(2.31), _as_many(0.37)
    ('2.3 times as many', '2.7 times fewer')
    """
    return f"{ratio:.2g} times as many" if ratio >= 1 else f"{1 / ratio:.2g} times fewer"


def cheap(view: View, cost: int, year: int, least: int) -> str:
    """The cheapest network above the line, against that of the step before."""
    now = view.cheap(cost, year, least)
    before = view.cheap(cost, year - 1, least) if year else None
    if now is None:
        return f"None reaches {least} %."
    key, unit = COSTS[cost], OF[COSTS[cost]]
    said = f"**{now.entry.name}**, {spaced(now.cost(key), '')} {unit}"
    if before is None:
        return f"The cheapest with at least {least} % is {said}."
    if before is now:
        return f"The cheapest with at least {least} % is still {said}."
    less = _as_many(now.cost(key) / before.cost(key))
    return f"The cheapest with at least {least} % is now {said}: {less}."


def word_tables(view: View) -> dict[str, Any]:
    """Return the tables of all words."""
    costs, steps, rows = range(len(COSTS)), range(len(view.years)), view.nets
    return {
        "came": [[came(view, c, y) for y in steps] for c in costs],
        "top": [[top(view, c, y) for y in steps] for c in costs],
        "cheap": [[[cheap(view, c, y, least) for least in LEAST] for y in steps] for c in costs],
        "year_s": view.years,
        "cost_s": [OF[key] for key in COSTS],
        "y_title": ["top-1 on ImageNet, %", "parameters, log scale", "MACs of one picture, log"],
        "name": ["", *(n.entry.name for n in rows)],
        "where": ["", *(f"{n.paper.year}, {n.paper.where}" for n in rows)],
        "added": [["", ""], *(_lines(n.entry.added) for n in rows)],
        "verdict": [[["", *(verdict(view, c, y, i) for i in range(len(rows)))] for y in steps]
                    for c in costs],
        "params_p": ["", *(_printed(n.row.params_M) for n in rows)],
        "params_c": ["", *(f"{n.row.params:,}" for n in rows)],
        "macs_p": ["", *(_printed(n.row.macs_M) for n in rows)],
        "macs_c": ["", *(f"{n.row.macs:,}" for n in rows)],
        "input_c": ["", *(f"{n.row.input}×{n.row.input}" for n in rows)],
        "top1_p": ["", *(f"{n.top1:g} %" if n.top1 else "none" for n in rows)],
        "top1_c": ["", *(SURE[n.row.known_from] if n.top1 else "no ImageNet run" for n in rows)],
        "pill": ["c1", *["panel"] * len(rows)],
        "pill_ink": ["bg", *["ink"] * len(rows)],
        "make": ["", *(make(n) for n in rows)],
    }  # fmt: skip


def _lines(words: str) -> list[str]:
    lines = wrap(words, LINE)
    return [*lines, *[""] * (2 - len(lines))]


def _printed(millions: float | None) -> str:
    return "none" if millions is None else round_amount(millions * 1e6, "")


def verdict(view: View, cost: int, year: int, i: int) -> str:
    """How a network stands in a year."""
    kind, net = view.kind(cost, year, i), view.nets[i]
    if kind == ABSENT:
        return ""
    if kind == UNKNOWN:
        return "without an accuracy, on no front"
    if kind == ON:
        return f"on the front of {view.years[year]}"
    assert kind == BEATEN
    better = next(n for n in view.fronts[cost][year] if n.top1 >= net.top1)
    return f"beaten by {better.entry.name}"


def make(net: Net) -> str:
    """Return the line that builds a network."""
    settings = "".join(f", {name}={value!r}" for name, value in net.entry.settings.items())
    return f'create_model("{net.entry.model}"{settings})'


def code() -> dict[str, Any]:
    """Return the lines that build the network that is shown."""
    return J("from lightcourse.models import create_model, model_info\nmodel = ", L("make", "now"),
             "  # what was built\nprint(", L("info", "now"), ")  # what was printed")  # fmt: skip


def info(net: Net) -> str:
    """Return the call that shows a network's paper and published numbers."""
    return make(net).replace("create_model", "model_info", 1)


def question(view: View) -> dict[str, Any]:
    """Return the question: what becomes of the cheapest good network after the turn."""
    macs, last = COSTS.index("macs"), len(view.years) - 1
    then = view.cheap(macs, view.years.index(TURN), ASKED)
    now = view.cheap(macs, last, ASKED)
    assert then is not None and now is not None
    ratio = then.cost("macs") / now.cost("macs")
    limits = (1.5, 3, 10)
    answer = sum(ratio >= limit for limit in limits)
    told = (
        f"From {spaced(then.cost('macs'), '')} ({then.entry.name}) to"
        f" {spaced(now.cost('macs'), '')} ({now.entry.name}): {ratio:.2g} times fewer."
    )
    options = ["about as many", "about half", "about a fifth", "less than a tenth"]
    return {
        "param": "year",
        "from": view.years.index(TURN) + 1,
        "q": f"Up to {TURN} the cheapest network here with at least {ASKED} % needs"
        f" {spaced(then.cost('macs'), '')} MACs. What will the cheapest need in"
        f" {view.years[last]}?",
        "options": options,
        "answer": answer,
        "replies": [told if k == answer else f"{'Fewer' if k < answer else 'More'}. {told}"
                    for k in range(len(options))],
    }  # fmt: skip
