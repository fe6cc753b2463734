"""Eight convolutions (卷积): they differ only in which inputs meet which weights.

Depthwise never mixes channels, pointwise never mixes space, transposed scatters.
"""

from typing import Any

from ..scene import J, L, Scene
from . import _cv_moves as moves
from ._cv_layers import ZOO, Choice
from ._cv_marks import marks_of
from ._cv_module import kinds_of_module
from ._cv_view import CODE, HEIGHT, WIDTH, View, shared
from ._cv_words import ask, caption, more

NAMES = {"k": "Kernel", "s": "Stride", "p": "Padding", "d": "Dilation", "g": "Groups"}


def conv_variants(module: Any = None) -> Scene:
    """Build the scene; see `lightcourse.viz.conv_variants`.

    Raises:
        UserError: the module has no convolution that can be drawn, or too many.

    >>> scene = conv_variants().at(kind="depthwise", oc=2)
    >>> scene.caption()[:46]
    'Depthwise: one output reads 1 of 6 channels th'
    """
    choice = Choice(ZOO if module is None else kinds_of_module(module))
    view, marks = View(choice), []
    params = _params(view)
    if module is None:
        view.tables |= moves.tables(view)
        view.derive |= moves.derive()
        params += moves.params()
        marks = moves.marks_of(view)
    spec = {
        "v": 1,
        "id": "conv-variants",
        "title": "Which inputs, which weights?",
        "subtitle": "eight convolutions: drag a cell of an output",
        "alt": "Input channels at the left, the kernel of one output in the middle, output channels"
        " at the right; colours join each weight with the input cell that it is multiplied by",
        "size": [WIDTH, HEIGHT],
        "dur": 250,
        "params": params,
        "derive": view.derive,
        "tables": view.tables,
        "pool": view.pool,
        "marks": [*marks_of(view), *marks],
        "caption": J(
            L("caption", *view.keys("kdg")),
            L("border", "at_border"),
            L("more", *view.keys("ks")),
        ),
        "room": max((caption(x) + view.border(x) + more(x) for x in view.layers), key=len),
        "code": J(*(L(f"code{i}", *view.keys(name)) for i, name in enumerate(CODE))),
        "warn": L("warn", *view.keys("kpdg")),
    }
    question = ask([kind[0] for kind in choice.layers()])
    if question:
        spec["ask"] = question
    return Scene.of(shared(spec))


def _params(view: View) -> list[dict[str, Any]]:
    choice = view.choice
    params = [
        {"name": "kind", "label": "Variant", "kind": "select", "value": 0,
         "options": [kind.name for kind in choice.kinds],
         "hints": [kind.hint for kind in choice.kinds]},
    ]  # fmt: skip
    for i, name in enumerate("kspdg"):
        if name not in choice.live:
            continue
        values = [[str(v) for v in kind.values[i]] for kind in choice.kinds]
        view.tables |= {
            f"l_{name}": values, f"n_{name}": [len(row) for row in values],
            f"off_{name}": [int(name in kind.fixed) for kind in choice.kinds],
        }  # fmt: skip
        params.append(
            {"name": name, "label": NAMES[name], "kind": "range", "value": choice.first[name],
             "n": L(f"n_{name}", "kind"), "labels": L(f"l_{name}", "kind", name),
             "off": L(f"off_{name}", "kind")}
        )  # fmt: skip
    params.append(
        {"name": "oc", "label": "Output", "kind": "step", "value": 0,
         "n": L("n_oc", *view.keys("g")), "labels": L("label", "oc"), "play": 1000}
    )  # fmt: skip
    first = choice.nest("", lambda layer: layer)[0]
    middle = [first.out(axis) // 2 for axis in (0, 1)]
    place = [{"name": n, "label": w, "kind": "xy", "value": v, "n": L(f"n_{n}", *view.keys("kspd"))}
             for n, w, v in (("py", "row", middle[0]), ("px", "column", middle[1]))]  # fmt: skip
    return [*params, *place]
