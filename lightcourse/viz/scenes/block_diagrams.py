"""Blocks of light networks (轻量网络的模块): where channels, bytes and MACs go, stage by stage.

SqueezeNet's Fire, MobileNet's depthwise separable layer, MobileNetV2's inverted residual,
MobileNetV3's bneck, MBConv, ShuffleNet's units, GhostNet's module and conv-shift-conv, all from
`lightcourse.nn`, every number from `lightcourse.analyze`. A further family is one more `Kind` in
`_blk_kinds` or `_blk_mixers`: its rows, the grammar of its stages, sliders and call.
"""

import re
from typing import Any

from lightcourse.errors import UserError

from ..scene import J, L, Scene
from . import _blk_words as words
from ._blk_kind import Kind
from ._blk_kinds import KINDS, Case, cases
from ._blk_layout import WIDTH
from ._blk_marks import marks_of
from ._blk_stages import Block, block_of
from ._blk_view import View


def blocks(kind: str = "fire", block: Any = None, input_size: Any = None) -> Scene:
    """Build the scene; see `lightcourse.viz.blocks`.

    Raises:
        UserError: no such kind; the block has other stages; no such input.

    >>> blocks("fire").caption()[:43]
    'The expand 3×3 does 78% of the 35.6 M MACs.'
    """
    if kind not in KINDS:
        raise UserError(f"there is no kind of block {kind!r}; choose {', '.join(KINDS)}.")
    chosen = KINDS[kind]
    every = cases(chosen) if block is None else (own(chosen, block, input_size),)
    if block is None and input_size is not None:
        raise UserError("input_size goes with a block of yours; give block as well.")
    view = View(chosen, every, every[0].size[2] if block is not None else chosen.side)
    spec = {
        "v": 1,
        "id": f"block-{kind}",
        "title": chosen.title if block is None else f"{type(block).__name__}, stage by stage",
        "subtitle": "boxes are as wide as their channels, ribbons as thick as their bytes",
        "alt": "The stages of a block from top to bottom, joined by ribbons, with bars for the"
        " MACs, parameters, bytes moved and bytes alive of each",
        "size": [WIDTH, view.layout.height],
        "dur": 450,
        "params": _params(view),
        "tables": view.tables(),
        "derive": view.derive(),
        "marks": marks_of(view),
        "caption": _caption(),
        "room": max((words.claim(chosen, case) for case in every), key=len),
        "code": _code(view),
        "ask": words.question(chosen),
    }
    if view.refuses:
        spec["warn"] = L("warn", "c")
    return Scene.of(spec)


def own(kind: Kind, block: Any, input_size: Any) -> Case:
    """Return a reader's own block as the only state.

    Raises:
        UserError: it is no module, or its stages are not those of this kind.
    """
    from torch import nn

    if not isinstance(block, nn.Module):
        raise UserError(f"cannot draw {type(block).__name__} as a block; give an nn.Module.")
    size = _size(kind, block, input_size)
    try:
        found = block_of(block, size)
    except UserError:
        if not any(slot.letters == "p" for slot in kind.slots) or isinstance(input_size, tuple):
            raise
        size = (1, 2 * size[1], *size[2:])  # its first convolution works on one half
        found = block_of(block, size)
    rows = kind.place(found)
    if rows is None:
        raise UserError(f"{type(block).__name__} is not {kind.article}, {_difference(kind, found)}")
    return Case(found, rows, size)


def _difference(kind: Kind, found: Block) -> str:
    """Say what an own block does otherwise, and the way out."""
    runs = ", ".join(stage.word for stage in found.stages[1:]) or "nothing"
    also = next((k.name for k in KINDS.values() if k.place(found) is not None), "")
    if also:
        return f"it runs {runs}; draw it with kind={also!r}."
    if re.fullmatch(kind.grammar, found.letters):
        return f"{kind.wrong_link(found)}."
    return f"it runs {runs}; {kind.article} runs {kind.runs}."


def _size(kind: Kind, block: Any, given: Any) -> tuple[int, int, int, int]:
    """Return the input's shape: what is asked for, else the side of the kind's own blocks."""
    from torch import nn

    first = next((m for m in block.modules() if isinstance(m, nn.Conv2d)), None)
    side = kind.side if given is None else given
    if isinstance(side, int) and not isinstance(side, bool) and side > 0:
        if first is None:
            raise UserError(f"{type(block).__name__} has no nn.Conv2d; there is no block to draw.")
        return (1, first.in_channels, side, side)
    size = tuple(side) if isinstance(side, (tuple, list)) else ()
    if len(size) != 4 or size[0] != 1 or not all(isinstance(n, int) and n > 0 for n in size):
        raise UserError(
            f"input_size={given!r} is no input of a block; give its side, or (1, C, H, W)."
        )
    return size


def _params(view: View) -> list[dict[str, Any]]:
    step = {"name": "step", "label": "Pulse", "kind": "step", "n": view.whole + 1,
            "value": view.whole, "labels": L("step_name", "step"), "play": 1500}  # fmt: skip
    if len(view.every) == 1:
        return [step]
    params = [step]
    for knob in view.kind.knobs:
        param = {"name": knob.name, "label": knob.label, "kind": knob.kind, "value": knob.value}
        if knob.kind == "select":
            param["options"] = list(knob.labels)
        else:
            param |= {"n": len(knob.labels), "labels": L(f"labels_{knob.name}", knob.name)}
        params.append(param)
    return params


def _caption() -> dict[str, Any]:
    """Return the caption: the claim of the whole block, or what happens at the pulse."""
    here = ("c", "step")
    return J(
        L("claim", "done", "c"), L("lead", "topo", "step"), L("colon", "on"), L("shape", *here),
        L("comma", "sized"), L("size", *here), L("dot", "on"), L("num", *here, 0),
        L("macs_s", "on"), L("pct", *here, 0), L("alive_s", "on"), L("num", *here, 3),
        L("end", "on"),
    )  # fmt: skip


def _code(view: View) -> dict[str, Any]:
    run = J("report = analyze(block, ", L("input", "c"), ")")
    if len(view.every) == 1:
        return J("from lightcourse import analyze\n\n", run)
    return J(
        "from lightcourse import analyze\nfrom lightcourse.nn import ", L("class", "c"),
        "\n\nblock = ", L("call", "c"), "\n", run,
    )  # fmt: skip
