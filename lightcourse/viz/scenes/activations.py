"""Activation functions (激活函数): normal inputs pushed through, their gradient, and int8 steps.

h-sigmoid and h-swish: MobileNetV3, section 5.2. Integers: Jacob and others 2018, section 2.1.
"""

from typing import Any

from ..scene import L, Scene
from . import _act_words as words
from ._act_functions import PIECES, REFERENCES, Function, functions_of
from ._act_marks import marks_of
from ._act_numbers import MEANS, SPREADS
from ._act_view import HEIGHT, RAYS, WIDTH, View


def activations(own: Any = None) -> Scene:
    """Build the scene; see `lightcourse.viz.activations`.

    Raises:
        UserError: `own` is no function that treats each number by itself.

    >>> activations().at(step=1).caption()[:52]
    'Inputs around µ = 0 with σ = 1: 50 % of them meet sl'
    """
    view = View(functions_of(own))
    tables, last = view.tables(), len(view.functions) - 1
    spec = {
        "v": 1,
        "id": "activations",
        "title": "What an activation lets through",
        "subtitle": "a function, its slope, and a crowd of inputs on their way",
        "alt": "The curve of an activation function above its slope and above a bell of inputs;"
        " at the right the outputs as bars, and all functions in a list",
        "size": [WIDTH, HEIGHT],
        "dur": 500,
        "params": _params(view, last if own is not None else 0),
        "derive": _derive(),
        "tables": {**tables, **_more(view, tables)},
        "marks": marks_of(view),
        "caption": words.caption(),
        "room": _room(tables),
        "code": words.code(),
        "ask": words.question(),
    }
    return Scene.of(spec)


def _params(view: View, start: int) -> list[dict[str, Any]]:
    hints = [f"{f.formula}: {_hint(f)}" for f in view.functions]
    return [
        {"name": "f", "label": "Function", "kind": "select", "value": start,
         "options": [f.name for f in view.functions], "hints": hints},
        {"name": "g", "label": "Beside it", "kind": "select", "value": 0,
         "options": ["nothing", *REFERENCES],
         "hints": ["one curve", *(f"{name} as a dashed line" for name in REFERENCES)]},
        {"name": "step", "label": "Step", "kind": "step", "n": len(words.STEPS), "value": 0,
         "labels": L("step", "step"), "play": 2600},
        {"name": "mu", "label": "µ", "kind": "xy", "n": len(MEANS), "value": MEANS.index(0)},
        {"name": "sigma", "label": "σ", "kind": "xy", "n": len(SPREADS),
         "value": SPREADS.index(1)},
    ]  # fmt: skip


def _hint(function: Function) -> str:
    return "pieces, no exponential" if function.cost == PIECES else function.cost


def _derive() -> dict[str, Any]:
    """Keys that follow from the parameters, some of them pointing at blanks in the other steps."""
    return {
        "scale": L("scale_of", "f"),
        "zero": L("only", "step", "f"),
        **{f"at{k}": L("is", k, "step") for k in range(3)},
        **{f"mu{k}": L("mu_in", k - 1, "step", "mu") for k in (1, 2)},
        "late": L("on", "step"),
        "flight": L("flight", "step", "f"),
        "rival": L("rival", "f"),
        "dead": L("dead_row", "f"),
        **{f"idle{k}": L("idle_row", "f", k) for k in (0, 1)},
        **{f"spot{k}": L("spot", "mu", "sigma", k) for k in range(len(RAYS))},
    }


def _more(view: View, tables: dict[str, Any]) -> dict[str, Any]:
    """Small tables of the marks."""
    base, count = 5.5, len(view.functions)  # px from the middle of a small word to its foot
    return {
        "on": [0, 1, 1],
        "at2_on": [0, 0, 1],
        "far": [[""] * count, _top_bars(view, tables["unbound"])],
        "cost_in": [[""] * count, [f.cost for f in view.functions]],
        "list_t": ["cost", "slope 0", "one step of int8"],
        "same_axis": [int(ends == view.slope_ends[0]) for ends in view.slope_ends],
        "tick_low": [[y + base for y in row] for row in tables["tick_y"]],
        "dead_y": [view.slope_y(i, 0.5) + base for i in range(count)],
        "slope_0_low": [y + base for y in tables["slope_0"]],
        "slope_1_low": [y + base for y in tables["slope_1"]],
        "code_mu": [f"{mu:g}" for mu in MEANS],
    }


def _top_bars(view: View, unbound: list[int]) -> list[str]:
    """What the last bar of the outputs holds, where they can be larger than the axis."""
    ends = [words.number(view.scale(i).last) for i in range(len(unbound))]
    return [
        f"top bar: {end} and more" if far else "" for end, far in zip(ends, unbound, strict=True)
    ]


def _room(tables: dict[str, Any]) -> str:
    """A text as long as the longest caption."""
    first = max((o + g for o, row in zip(tables["opening"], tables["gap_said"], strict=True)
                 for g in row), key=len)  # fmt: skip
    last = (
        "255 steps cover all outputs of inputs within µ ± 4σ, up to 00.00: one step is 0.0000, and"
        " rounding moves an output by 0.0000 on average. ReLU6's steps: 0.0000."
    )
    return max(first.replace("**", ""), last, key=len)
