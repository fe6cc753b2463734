"""Gradient flow (梯度流): the gradient's norm in each layer on its way back from the loss.

Plain and residual networks (arXiv 1512.03385, section 4.2) as they are before any training.
"""

from typing import Any

from ..scene import L, Scene
from ._grf_marks import marks_of
from ._grf_nets import DEPTHS, flows
from ._grf_own import own_flows
from ._grf_view import WIDTH, View
from ._grf_words import HINTS, STARTS, caption, code, code_tables, question, word_tables


def gradient_flow(nets: Any = None, input_size: Any = None) -> Scene:
    """Build the scene; see `lightcourse.viz.gradient_flow`.

    Raises:
        UserError: they are no networks that classify pictures, or too deep for one picture.

    >>> gradient_flow().at(back=0).caption()[:43]
    'The gradient has come to the last convoluti'
    """
    if nets is None:
        view = View(("plain", "residual"), flows(), own=False)
    else:
        names, found = own_flows(nets, input_size)
        view = View(names, [[found]], own=True)
    spec = {
        "v": 1,
        "id": "gradient-flow",
        "title": "What arrives at the first layer?",
        "subtitle": "the loss's gradient on its way back, before any training: play, or choose"
        " start and depth" if nets is None else "the loss's gradient on its way back, measured"
        " on your networks as they are: play",
        "alt": "A bar for each layer: the norm of its gradient on a log scale, drawn from the loss"
        " at the right back to the first layer",
        "size": [WIDTH, view.height],
        "dur": 180,
        "params": _params(view),
        "derive": view.derive(),
        "tables": {**view.tables(), **word_tables(view), **code_tables(view)},
        "marks": marks_of(view),
        "caption": caption(view),
        "code": code(view),
    }  # fmt: skip
    return Scene.of(spec if view.own else {**spec, "ask": question(view)})


def _params(view: View) -> list[dict[str, Any]]:
    deepest = view.flows[0][-1]
    chosen: list[dict[str, Any]] = [] if view.own else [
        {"name": "start", "label": "Network", "kind": "select", "options": list(STARTS),
         "hints": list(HINTS)},
        {"name": "depth", "label": "Depth", "kind": "range", "n": len(DEPTHS),
         "value": len(DEPTHS) - 1, "labels": L("depths", "depth")},
    ]  # fmt: skip
    return [
        *chosen,
        {"name": "of", "label": "Gradient of", "kind": "select", "options": ["outputs", "weights"],
         "hints": ["As it arrives at each layer's output", "What an optimiser would step by"]},
        {"name": "back", "label": "Travelled", "kind": "step", "n": view.place("stops"),
         "value": view.stops(deepest) - 1, "labels": view.place("way_s", "back"), "play": 250},
    ]  # fmt: skip
