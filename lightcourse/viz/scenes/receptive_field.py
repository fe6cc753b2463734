"""Receptive-field growth (感受野): what one unit can see, and what it really looks at.

A layer adds (kernel - 1) * dilation steps of the jump before it; a stride multiplies the jump.
"""

from collections.abc import Sequence
from typing import Any

from lightcourse.errors import UserError

from ..scene import L, Scene, dumps, plain
from ..validate import MAX_BYTES
from ._rf_marks import marks_of
from ._rf_nets import Net, nets_of
from ._rf_view import HEIGHT, WIDTH, View
from ._rf_words import SHARES, question

SIZES = (8, 512)
ROOMS = (1.0, 0.7, 0.5, 0.35, 0.2, 0.1)  # tried until the scene is small enough
VIEWS = ["theory", *("effective " * (i == 0) + f"{s:.0%}" for i, s in enumerate(SHARES))]
HINT = "the square that {:.0%} of the influence on the middle unit comes from"


def receptive_field(
    layers: Any = None, size: int = 64, unit: tuple[int, int] | None = None
) -> Scene:
    """Build the scene; see `lightcourse.viz.receptive_field`.

    Raises:
        UserError: the layers, the size or the unit cannot be drawn.

    >>> scene = receptive_field([(3, 2, 1), (3, 1, 1)], size=32)
    >>> scene.at(layer=2).caption()[:52]
    'After layer 2 one unit sees 7×7 pixels = 3 + (3 − 1)'
    """
    pixel = _position(size, unit)
    nets = nets_of(layers, size)
    for room in ROOMS:
        spec = _spec(nets, View(nets, size, room), pixel)
        if len(dumps(plain(spec)).encode()) <= MAX_BYTES:
            break
    return Scene.of(spec)


def _spec(nets: Sequence[Net], view: View, pixel: tuple[int, int]) -> dict[str, Any]:
    tables = view.tables()
    spec = {
        "v": 1,
        "id": "receptive-field",
        "title": "How far does one unit see?",
        "subtitle": "receptive-field growth, layer by layer",
        "alt": "A photograph with nested squares, one for what a unit of each layer sees, and a bar"
        " for each layer",
        "size": [WIDTH, HEIGHT],
        "dur": 350,
        "params": _params(nets, view, *pixel),
        "tables": tables,
        "pool": view.pool,
        "marks": marks_of(view),
        "caption": L("caption", "view", "net", "layer"),
        "code": L("code", "net", "layer"),
    }
    ask = question(nets)
    if ask:
        tables["answers"] = ask.pop("answers")
        spec["ask"] = {**ask, "answer": L("answers", "net")}
    return spec


def _position(size: int, unit: tuple[int, int] | None) -> tuple[int, int]:
    """Return the pixel above which the unit stands first."""
    if isinstance(size, bool) or not isinstance(size, int) or not SIZES[0] <= size <= SIZES[1]:
        raise UserError(f"cannot draw a picture of {size} px; choose {SIZES[0]} to {SIZES[1]}.")
    if unit is None:
        return size // 2, size // 2
    if not isinstance(unit, Sequence) or len(unit) != 2 or not all(0 <= p < size for p in unit):
        raise UserError(
            f"the unit {unit!r} is outside the picture; give (row, column), both 0 to {size - 1}."
        )
    return unit[0], unit[1]


def _params(nets: Sequence[Net], view: View, row: int, column: int) -> list[dict[str, Any]]:
    hints = [f"{net.layers} layers" if net.layers > 1 else "1 layer" for net in nets]
    first = min(2, min(len(net.stages) for net in nets) - 1)
    place = [p * view.positions // view.size for p in (row, column)]
    return [
        {"name": "net", "label": "Network", "kind": "select", "hints": hints,
         "options": [net.name for net in nets]},
        {"name": "layer", "label": "Layer", "kind": "step", "n": L("depth", "net"),
         "labels": L("label", "net", "layer"), "value": first, "play": 1000},
        {"name": "view", "label": "Show", "kind": "select", "options": VIEWS,
         "hints": ["every pixel that can matter", *(HINT.format(s) for s in SHARES)]},
        {"name": "py", "label": "row", "kind": "xy", "n": view.positions, "value": place[0]},
        {"name": "px", "label": "column", "kind": "xy", "n": view.positions, "value": place[1]},
    ]  # fmt: skip
