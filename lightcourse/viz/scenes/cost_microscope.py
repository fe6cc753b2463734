"""Cost microscope: params, MACs, bytes and memory of any network, row by row, under a roofline.

Roofline: Williams, Waterman and Patterson 2009. Memory access: ShuffleNetV2, section 3.
"""

from collections.abc import Sequence
from typing import Any

from lightcourse.errors import UserError

from ..scene import L, Scene, dumps, plain
from ..validate import MAX_BYTES
from ._cm_cases import Study, study_of
from ._cm_marks import marks_of
from ._cm_roof import MINE, roofs_of
from ._cm_scale import WIDTH
from ._cm_totals import code, total_tables
from ._cm_view import SORTS, View
from ._cm_words import caption, question, room, word_tables

USUAL = "CPU core"


def cost_microscope(model: Any = None, size: int | Sequence[int] | None = None) -> Scene:
    """Build the scene; see `lightcourse.viz.cost_microscope`.

    Raises:
        UserError: there is nothing to count, or it runs at no size.

    >>> from torch import nn
    >>> scene = cost_microscope(nn.Conv2d(64, 64, 1, bias=False), size=56)
    >>> scene.caption()
    'Conv2d, 56 px, batch 1: 12.8 M MACs and 1.62 MB moved make 15.8 FLOPs per byte.'
    """
    study: Study | None = study_of(model, size)
    roofs = roofs_of(_machine())
    while study:
        spec = _spec(View(study, roofs))
        if len(dumps(plain(spec)).encode()) <= MAX_BYTES:
            return Scene.of(spec)
        study = study.smaller()
    raise UserError("these networks have too many rows for one scene; give fewer of them.")


def _spec(view: View) -> dict[str, Any]:
    spec = {
        "v": 1,
        "id": "cost-microscope",
        "title": "Cost microscope",
        "subtitle": "parameters, MACs, bytes and memory of every part, and the roof above them",
        "alt": "A row for each part of the network with bars of its parameters, MACs, bytes moved"
        " and bytes alive, and a dot at its FLOPs per byte below a roofline",
        "size": [WIDTH, view.height],
        "dur": 450,
        "params": _params(view),
        "derive": view.derive(),
        "tables": {**view.tables(), **total_tables(view), **word_tables(view)},
        "marks": marks_of(view),
        "caption": caption(view),
        "room": room(view),
        "code": code(view),
        "warn": L("warn", "place"),
    }
    ask = question(view.study)
    return {**spec, "ask": ask} if ask else spec


def _machine() -> Any:
    """What the probe found on this machine; None where it never ran."""
    from lightcourse.analysis.machine import this_machine

    return this_machine()


def _params(view: View) -> list[dict[str, Any]]:
    study = view.study
    variant, size, _ = study.start
    params: list[dict[str, Any]] = [
        {"name": "rows", "label": "Rows", "kind": "select",
         "options": ["by part" if study.folded else "by layer", "by kind"],
         "hints": ["in the order of the network", "all operators of a kind together"]},
        {"name": "sort", "label": "Order", "kind": "select", "options": list(SORTS),
         "hints": ["as the network runs", "most MACs first", "most bytes first"]},
        {"name": "schedule", "label": "Run", "kind": "select", "options": ["eager", "fused"],
         "hints": ["every operator by itself, as PyTorch does",
                   "batch normalisation and activation inside the convolution before them"]},
    ]  # fmt: skip
    if view.variant == "net":
        params.append({"name": "net", "label": "Network", "kind": "select",
                       "options": list(study.variants), "value": variant})  # fmt: skip
    if view.variant == "width":
        params.append({"name": "width", "label": "Width α", "kind": "range", "value": variant,
                       "n": len(study.variants), "labels": L("variant", "width")})  # fmt: skip
    params.append({"name": "size", "label": "Size", "kind": "range", "n": len(study.sizes),
                   "value": size, "labels": L("size", "size")})  # fmt: skip
    if view.batch == "batch":
        params.append({"name": "batch", "label": "Batch", "kind": "select",
                       "options": [str(b) for b in study.batches]})  # fmt: skip
    peak, band = view.roofs.presets.get(MINE) or view.roofs.presets[USUAL]
    return [
        *params,
        {"name": "row", "label": "Down to row", "kind": "step", "value": 0, "play": 900,
         "n": L("steps", "rows", view.variant), "labels": L("row", "row")},
        {"name": "peak", "label": "Peak", "kind": "xy", "n": len(view.roofs.peaks), "value": peak},
        {"name": "band", "label": "Bandwidth", "kind": "xy", "n": len(view.roofs.bands),
         "value": band},
    ]  # fmt: skip
