"""The head of the cost microscope: totals, how they follow width and size, and the code."""

from math import log
from typing import Any

from ..scene import J, L
from ._cm_cases import Place, Study
from ._cm_costs import MEASURES
from ._cm_roof import least_time
from ._cm_scale import LENGTH, spaced
from ._cm_view import View

UNITS = {"params": "", "macs": "", "moved": "B", "alive": "B"}


def total_tables(view: View) -> dict[str, list]:
    """Return the tables of totals, of laws, of the least time, and of the code."""
    study = view.study
    tables: dict[str, list] = {
        "law_head": [_against(study, place) for place in study.places],
        "time": view.cases(lambda p, s: slowness(view, p, s)),
        **_code_tables(view),
    }
    for measure in MEASURES:
        tables[f"{measure}_total"] = _totals(view, measure)
        tables[f"{measure}_part"] = _parts(view, measure)
        tables[f"{measure}_times"] = view.cases(
            lambda p, s, m=measure: times(study, m, p, s) if p != study.start else ""
        )
        tables[f"{measure}_law"] = view.cases(lambda p, s, m=measure: law(study, m, p, s))
    return tables


def _totals(view: View, measure: str) -> list:
    """Totals of a measure as text."""
    study = view.study

    def shown(place: Place, schedule: int) -> str:
        case = study.cases.get(place)
        if case is None:
            return "—"
        bound = "≥ " if measure == "macs" and case.unknown else ""
        return bound + spaced(case.total.value(measure, schedule), UNITS[measure])

    return view.cases(shown)


def _parts(view: View, measure: str) -> list:
    """Totals of a measure as bars, to the scale of the largest of all cases."""
    study = view.study
    top = max(study.largest(measure, schedule) for schedule in (0, 1)) or 1
    return view.cases(lambda p, s: round(LENGTH * study.total(p).value(measure, s) / top, 1))


def _path(study: Study, place: Place) -> list[Place]:
    """From the first state to a place: along the width, then the size, then the batch."""
    variant, size, _ = place
    return [
        study.start,
        (variant, *study.start[1:]),
        (variant, size, study.start[2]),
        place,
    ]


def times(study: Study, measure: str, place: Place, schedule: int) -> str:
    """How many times the first state's total a total is; empty where one of them is nothing."""
    whole, first = (study.total(p).value(measure, schedule) for p in (place, study.start))
    return f"×{whole / first:.3g}" if whole and first else ""


def law(study: Study, measure: str, place: Place, schedule: int) -> str:
    """Exponents that lead from the first state to a place, one for each axis that has changed.

    Each is log(ratio of totals) / log(ratio of sizes), along one axis after the other.
    """
    words = []
    axes = ((study.widths, "α"), (study.sizes, "ρ"), (study.batches, "N"))
    path = _path(study, place)
    for axis, (steps, letter) in enumerate(axes):
        before, after = path[axis : axis + 2]
        ends = [study.total(p).value(measure, schedule) for p in (before, after)]
        if before != after and steps and all(ends):
            moved = steps[after[axis]] / steps[before[axis]]
            exponent = round(log(ends[1] / ends[0]) / log(moved), 2)
            words.append(f"{letter}^{exponent + 0:.2f}")  # + 0: no minus before a zero
    return " · ".join(words)


def _against(study: Study, place: Place) -> str:
    """Name the state that totals are compared with; in that state, say what to do."""
    if place not in study.cases:
        return ""
    variant, size, batch = study.start
    if place == study.start:
        several = len(study.cases) > 1
        return ("move α or the size" if study.widths else "change the settings") if several else ""
    if study.widths:
        return f"against α {study.variants[variant]}, {study.sizes[size]} px"
    if place[1:] == study.start[1:]:
        return f"against {study.variants[variant]}"[:22]
    batches = f", batch {study.batches[batch]}" if len(study.batches) > 1 else ""
    return f"against {study.sizes[size]} px{batches}"


def slowness(view: View, place: Place, schedule: int) -> list[Any]:
    """Return the least time under each ridge, as a multiple of the first state's."""
    study = view.study
    if place not in study.cases:
        return ["?"] * len(view.roofs.ridges)
    mine, first = study.cases[place].leaves, study.cases[study.start].leaves
    return [
        round(least_time(mine, schedule, r) / (least_time(first, schedule, r) or 1), 2)
        for r in view.roofs.ridges
    ]


def _code_tables(view: View) -> dict[str, list]:
    """The parts of the code that gives the numbers of a state."""
    study = view.study
    make = 'model = create_model("mobilenet_v2", width_mult={})\n'

    def call(place: Place) -> str:
        if study.inputs:
            return f"# {study.title(place)}\nreport = analyze(model, input_size)\n"
        side = study.sizes[place[1]]
        channels = study.channels.get(place, 3)
        return f"report = analyze(model, ({study.batches[place[2]]}, {channels}, {side}, {side}))\n"

    def exact(measure: str, schedule: int) -> list:
        return [f"{study.total(p).value(measure, schedule):,}" for p in study.places]

    return {
        "code_net": [make.format(name) if study.widths else "" for name in study.variants],
        "code_call": [call(place) for place in study.places],
        "exact_params": exact("params", 0),
        "exact_macs": exact("macs", 0),
        "exact_moved": exact("moved", 0),
        "exact_alive": view.cases(
            lambda p, s: ("report.peak_activation", "report.peak_activation_fused")[s]
            + f"   # {study.total(p).alive[s]:,} bytes"),
    }  # fmt: skip


def code(view: View) -> dict[str, Any]:
    """Return the lines that give the numbers of the present state."""
    names = "analyze, create_model" if view.study.widths else "analyze"
    return J(
        f"from lightcourse import {names}\n", L("code_net", view.variant), L("code_call", "place"),
        "report.params   # ", L("exact_params", "place"), "\nreport.macs   # ",
        L("exact_macs", "place"), "\nreport.memory_access   # ", L("exact_moved", "place"),
        " bytes, each operator by itself\n", L("exact_alive", "case"),
    )  # fmt: skip
