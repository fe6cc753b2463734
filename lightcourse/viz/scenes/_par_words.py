"""What the Pareto picture says: captions, notes, code, and the question, all from the numbers."""

from typing import Any

from lightcourse.design.portrait import PortraitRow

from ..scene import J, L
from ._par_nets import MACS, Cost, Study
from ._par_own import YOURS
from ._par_view import View

SOURCES = {  # how well a published accuracy is known, in plain words
    "text-seen": "read in the paper or its authors' code",
    "secondary-seen": "read in somebody else's text",
    "recalled": "from memory, not found again in a text",
    YOURS: "as you gave it",
}
MARGIN = 0.1  # of the time; a smaller difference may be noise
UNKNOWN = "its source is not noted"
OF = {  # after an amount of a cost
    "params": " parameters", "macs": " MACs", "memory_access": " read and written",
    "peak_activation": " alive at once",
}  # fmt: skip


def caption() -> dict[str, Any]:
    """Return the caption: the best within the budget, the chosen network, and the two fronts."""
    return J(
        "Within **", L("bud", "x", "budget"), L("of", "x"), "**: ", L("fit", "x", "budget"),
        L("of_all", "x"), "the most accurate is **", L("name", "best"), "**, ",
        L("top1_s", "best"), ". ", L("chose", "pick"), L("verdict", "verdict"),
        L("named", "beater"), L("value", "x", "beater"), L("end", "verdict"), L("claim", "x"),
    )  # fmt: skip


def code() -> dict[str, Any]:
    """Return the lines that build the shown network and count or time this cost."""
    side = L("input", "now")
    return J(
        L("imports", "x"), L("make", "now"), "\nsize = (1, 3, ", side, ", ", side, ")\n",
        L("code", "x"), L("exact", "x", "now"), L("where", "x"),
    )  # fmt: skip


def word_tables(view: View) -> dict[str, list]:
    """Return the tables of all words."""
    study = view.study
    names = [_plain(name) for name in view.names]
    tops = [f"{row.top1:g} %" for row in study.rows]
    sources = list(dict.fromkeys(_source(row) for row in study.rows))
    timed = [cost.unit == "s" for cost in study.costs]
    return {
        "name": ["", *names],
        "top1_s": ["", *tops],
        "source": [f" top-1, {s}" for s in sources],
        "how_of": [0, *(sources.index(_source(row)) for row in study.rows)],
        "label": [cost.label for cost in study.costs],
        "of": [_of(cost) for cost in study.costs],
        "of_all": [f" of {sum(map(bool, row))} networks; " for row in view.held],
        "title": [f"{cost.title}, log scale" for cost in study.costs],
        "chose": ["", *(f"**{name}**, your choice, is " for name in names)],
        "verdict": ["", "on the front: no other beats it. ", "beaten by ", "without this cost. "],
        "named": ["", *(f"**{n}**, {t} for " for n, t in zip(names, tops, strict=True))],
        "end": ["", "", ". ", ""],
        "claim": [claim(study, cost) for cost in study.costs],
        "note": [
            _timed(study, c) if t else _known(study)
            for c, t in zip(study.costs, timed, strict=True)
        ],
        "make": ["", *(make(row) for row in study.rows)],
        "input": [0, *(row.input for row in study.rows)],
        "imports": [_imports(cost) for cost in study.costs],
        "code": [_call(cost) for cost in study.costs],
        "exact": view.nets(lambda x, i: _exact(view, x, i), ""),
        "where": [" on the portrait's machine" if t else "" for t in timed],
    }


def _plain(name: str) -> str:
    """A name without what captions take for markup."""
    return name.replace("**", "")


def _source(row: PortraitRow) -> str:
    return SOURCES.get(row.verification, UNKNOWN)


def _of(cost: Cost) -> str:
    return OF.get(cost.key, f" ({cost.label})")


def claim(study: Study, cost: Cost) -> str:
    """Return what becomes of the front in MACs when this cost is on the axis."""
    macs, here = study.fronts(cost)
    if cost is study.costs[MACS]:
        few = "network is" if len(here) == 1 else "networks are"
        return f"In MACs, {len(here)} of {len(study.rows)} {few} on the front: no other beats them."
    lost, new = len(macs - here), len(here - macs)
    both = len(study.both(cost, study.costs[MACS]))
    whole = "" if both == len(study.rows) else f", among the {both} networks that have both costs"
    count = f"the {len(macs)} networks" if len(macs) > 1 else "the one network"
    if not lost and not new:
        return f"**The front stays** that of the MACs: {count} on it{whole}."
    gone = f"{lost} {'is' if lost == 1 else 'are'} beaten here" if lost else "none is beaten here"
    if lost and cost.unit == "s":  # times are noisy: how many are beaten all the same
        clear = sum(study.excess(cost, i) > MARGIN for i in macs - here)
        gone += f" ({clear} by more than {MARGIN:.0%})".replace("%", " %")
    came = {0: "and no other comes in", 1: "and 1 other comes in"}.get(
        new, f"and {new} others come in"
    )
    return f"**The front changes**: of {count} on it in MACs, {gone}, {came}{whole}."


def counted(study: Study) -> str:
    """Return how many networks are shown, and how many are not."""
    yours = f", {study.own} of them yours" if study.own else ""
    without = f"; {study.without} without a published accuracy left out" if study.without else ""
    return f"{len(study.rows)} networks{yours}{without}."


def _known(study: Study) -> str:
    """How many of the published accuracies are known how well."""
    rows = study.rows[: len(study.rows) - study.own]
    count = {key: sum(row.verification == key for row in rows) for key in SOURCES}
    return (
        f"Accuracies: {count['text-seen']} read in the paper or its code,"
        f" {count['secondary-seen']} in another's text, {count['recalled']} from memory."
    )


def _timed(study: Study, cost: Cost) -> str:
    missing = sum(not value for value in study.values(cost))
    none = f", {missing} without one" if missing else ""
    text = f"Times: best of the runs{none}, on {study.machine.split(', torch')[0]}"
    return f"{text if len(text) <= 84 else text[:83] + '…'}."


def make(row: PortraitRow) -> str:
    """Return the line that builds a network."""
    if not row.model:
        return f"model = own[{row.variant!r}][0]  # yours"
    settings = "".join(f", {name}={value!r}" for name, value in row.settings.items())
    return f'model = create_model("{row.model}"{settings})'


def _imports(cost: Cost) -> str:
    if cost.unit != "s":
        return "from lightcourse import analyze, create_model\n"
    name = "lightcourse.analysis import latency"
    if cost.runtime == "onnxruntime":
        name = "lightcourse.models import to_onnx"
    torch = "import torch\n" if cost.runtime == "channels_last" else ""
    return f"{torch}from lightcourse import create_model\nfrom {name}\n"


def _call(cost: Cost) -> str:
    """The lines that count or time this cost, up to their comment."""
    if cost.unit != "s":
        return f"analyze(model, size).{cost.key}  # "
    threads = f"{cost.threads} thread{'s' if cost.threads > 1 else ''}"
    time = f"latency(model, %s, threads={cost.threads}).minimum  # "
    if cost.runtime == "channels_last":
        layout = "memory_format=torch.channels_last"
        head = f"x = torch.randn(size).contiguous({layout})\nmodel = model.to({layout})\n"
        return head + time % "x"
    if cost.runtime == "eager":
        return time % "size"
    if cost.runtime == "onnxruntime":
        return f'to_onnx(model, "model.onnx", size)  # runs in ONNX Runtime with {threads} in '
    return f"# timed as {cost.label!r}: "


def _exact(view: View, x: int, i: int) -> str:
    value, cost = view.held[x][i], view.study.costs[x]
    if not value:
        return "no time"
    return f"{value:.3g} s" if cost.unit == "s" else f"{int(value):,}"


def question(study: Study) -> dict[str, Any] | None:
    """Return the question: how much of the front in MACs is left in measured time."""
    timed = next((j for j, cost in enumerate(study.costs) if cost.unit == "s"), None)
    if timed is None:
        return None
    macs, here = study.fronts(study.costs[timed])
    total, stay = len(macs), len(macs & here)
    if total < 4:
        return None
    others = {total, round(0.75 * total), total // 2, total // 4, 0} - {stay}
    wrong = sorted(others, key=lambda n: (abs(n - stay), n))[-3:]
    options = sorted([stay, *wrong], reverse=True)
    told = f"{stay} of {total} stay on the front, {total - stay} are beaten in time"
    replies = [
        f"{told}." if n == stay else
        f"{'Fewer' if stay < n else 'More'} do: {told}." for n in options
    ]  # fmt: skip
    return {
        "param": "x",
        "from": timed,
        "q": f"{total} networks are on the front in MACs. How many of them are still on it when"
        f" x is the measured time ({study.costs[timed].label})?",
        "options": [str(n) for n in options],
        "answer": options.index(stay),
        "replies": replies,
    }
