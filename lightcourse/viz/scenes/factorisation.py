"""Kernel factorisation (卷积核分解): one convolution taken apart, areas to scale with the weights.

Depthwise and pointwise keep 1/C_out + 1/k² of the weights and MACs (MobileNets, section 3.1).
"""

from typing import Any

from lightcourse.errors import UserError

from ..scene import J, L, Scene
from . import _fac_words as words
from ._fac_marks import STATE, mark_tables, marks_of
from ._fac_numbers import FORMS
from ._fac_view import HEIGHT, WIDTH, View

PART = ("step", "k", "cout")  # what the words around the ratio depend on
KERNELS = (1, 3, 5, 7)
BEFORE = (128, 256, 384, 512)  # the corner snaps to these
AFTER = (16, *BEFORE)
MAPS = (7, 10, 14, 28, 112)


def factorisation(module: Any = None, size: int | None = None) -> Scene:
    """Build the scene; see `lightcourse.viz.factorisation`.

    Raises:
        UserError: the module is no convolution that can be taken apart, or the size none.

    >>> factorisation().at(step=1).caption()[-16:]
    'The 1×1 has 98%.'
    """
    kernels, before, after = (KERNELS, BEFORE, AFTER) if module is None else _own(module)
    maps = MAPS if size is None else (_side(size),)
    view = View(kernels, before, after, maps)
    spec = {
        "v": 1,
        "id": "factorisation",
        "title": "Take a convolution apart" if module is None else "Take your convolution apart",
        "subtitle": "areas are weights: drag the corner for channels, the ruler for the map",
        "alt": "A convolution's weights as k×k panels of input by output channels, and beside it"
        " the smaller layers that take its place, to scale",
        "size": [WIDTH, HEIGHT],
        "dur": 700,
        "params": _params(view),
        "tables": {**view.tables(), **mark_tables(view)},
        "marks": marks_of(view),
        "caption": J(L("said", *STATE), L("before", *PART), L("ratio", *STATE), L("after", *PART)),
        "code": L("code", "step", "k"),
        "warn": L("warn", *STATE),
        "ask": words.question(),
    }
    return Scene.of(spec)


def _own(module: Any) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return kernel, channels before and after of a learner's own convolution."""
    from torch import nn

    if not isinstance(module, nn.Conv2d):
        raise UserError(
            f"cannot take {type(module).__name__} apart; give one convolution, an nn.Conv2d."
        )
    if not module.in_channels:
        raise UserError("this lazy convolution has not run yet; call it once, then take it apart.")
    if module.groups != 1:
        raise UserError(
            f"this convolution has {module.groups} groups already; give one with groups=1."
        )
    if len(set(module.kernel_size)) > 1:
        raise UserError(f"cannot draw the kernel {module.kernel_size}; give a square one.")
    if module.kernel_size[0] > 11:
        raise UserError(f"cannot draw the kernel {module.kernel_size}; give one up to 11×11.")
    return (module.kernel_size[0],), (module.in_channels,), (module.out_channels,)


def _side(size: Any) -> int:
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 4096:
        raise UserError(f"cannot draw a map of {size!r}; give its side, 1 to 4096.")
    return size


def _params(view: View) -> list[dict[str, Any]]:
    def start(values: Any, wanted: int) -> int:
        return values.index(wanted) if wanted in values else 0

    return [
        {"name": "step", "label": "Form", "kind": "step", "n": len(FORMS), "value": 0,
         "labels": L("step", "step"), "play": 2600},
        {"name": "k", "label": "Kernel", "kind": "select", "value": start(view.kernels, 3),
         "options": [f"{k}×{k}" for k in view.kernels]},
        {"name": "cin", "label": "Channels in", "kind": "xy", "n": len(view.before),
         "value": start(view.before, 384)},
        {"name": "cout", "label": "Channels out", "kind": "xy", "n": len(view.after),
         "value": start(view.after, 384)},
        {"name": "h", "label": "Map", "kind": "xy", "n": len(view.maps),
         "value": start(view.maps, 14)},
    ]  # fmt: skip
