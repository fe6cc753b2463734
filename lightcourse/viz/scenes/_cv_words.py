"""What the conv-variants scene says: captions, code, warnings, all computed from the layer."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from ._cv_layers import Layer


def by(pair: Sequence[int]) -> str:
    """Return "rows×columns"."""
    return "×".join(str(n) for n in pair)


def many(count: int, word: str) -> str:
    """Return a number with its word.

    >>> many(1, "weight"), many(1296, "weight")
    ('1 weight', '1,296 weights')
    """
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def caption(layer: Layer) -> str:
    """Return the claim of one layer with its numbers."""
    if layer.splits and not layer.valid:
        return "The kernel is **larger** than the padded input, so there is no output at all."
    return _CAPTIONS[layer.kind](layer)


def border(layer: Layer, rows: int, columns: int) -> str:
    """Return how many taps of one output lie on the padding, given how many do not on each axis.

    >>> border(Layer("dilated"), 2, 2), border(Layer("dilated"), 3, 3)
    (' Here **5 of the 9** taps lie on the padding: 4 real cells in each channel.', '')
    """
    taps, real = prod(layer.kernel), rows * columns
    if layer.transposed or layer.kind in ("deformable", "shift") or not layer.valid or real >= taps:
        return ""
    cells = f"{real or 'no'} real cell{'' if real == 1 else 's'}"
    return (
        f" Here **{taps - real} of the {taps}** taps lie on the padding: {cells} in each channel."
    )


def more(layer: Layer) -> str:
    """Return the part of the claim that the stride decides, and what is not drawn."""
    return _stride(layer) + (f" {layer.note}" if layer.note else "")


def _stride(layer: Layer) -> str:
    if layer.transposed:
        return _overlap(layer)
    if layer.kind == "pointwise" and prod(layer.stride) > 1:
        read = prod(
            len({at for place in range(layer.out(axis)) for at, _ in layer.taps(axis, place)})
            for axis in (0, 1)
        )
        return f" Stride {same(layer.stride)}: only {read} of {prod(layer.size)} cells are read."
    return ""


def _one(layer: Layer) -> int:
    """Weights that make one output channel."""
    return layer.channels * prod(layer.kernel)


def _all(layer: Layer) -> str:
    return f"all **{layer.inputs}** channels" if layer.inputs > 1 else "the **only** channel"


def _standard(layer: Layer) -> str:
    wide = f"**{by(layer.kernel)}** cells" if prod(layer.kernel) > 1 else "**one** cell"
    point = " With 1×1 this is a pointwise convolution." if prod(layer.kernel) == 1 else ""
    return (
        f"Standard: one output reads {wide} of {_all(layer)} through **{_one(layer):,}**"
        f" weights. It mixes {'space and ' if prod(layer.kernel) > 1 else ''}channels at once;"
        f" the layer has {many(layer.weights, 'weight')}.{point}"
    )


def _dense(layer: Layer) -> int:
    """Weights of the same layer without groups."""
    return layer.inputs * layer.outputs * prod(layer.kernel)


def _depthwise(layer: Layer) -> str:
    space = (
        "mixes space, **never** channels"
        if prod(layer.kernel) > 1
        else "mixes **nothing**: with 1×1 it only scales each channel"
    )
    return (
        f"Depthwise: one output reads **1 of {layer.inputs}** channels through"
        f" **{_one(layer)}** {'weight' if _one(layer) == 1 else 'weights'}. It {space}."
        f" The layer has {many(layer.weights, 'weight')}, 1/{layer.inputs} of the standard"
        f" {_dense(layer):,}."
    )


def _grouped(layer: Layer) -> str:
    g = layer.groups
    if not layer.splits:
        wrong = [n for n in (layer.inputs, layer.outputs) if n % g]
        return f"**{wrong[0]}** channels do not split into **{g}** equal groups: no such layer."
    last = (
        " One channel a group: this is the depthwise convolution."
        if layer.channels == 1
        else f" Nothing crosses between the {g} groups."
    )
    return (
        f"Grouped: one output reads the **{layer.channels} of {layer.inputs}** channels of its"
        f" group. The weight matrix is block diagonal: {layer.weights:,} of {_dense(layer):,}"
        f" weights, **1/{g}**.{last}"
    )


def _pointwise(layer: Layer) -> str:
    return (
        f"Pointwise: one output reads **one cell** of {_all(layer)} through **{_one(layer):,}**"
        f" {'weight' if _one(layer) == 1 else 'weights'}. It mixes channels, **never** space."
    )


def _dilated(layer: Layer) -> str:
    taps, window = prod(layer.kernel), layer.span(0) * layer.span(1)
    if taps == 1:
        return "Dilated: a 1×1 kernel has nothing to spread: this is a pointwise convolution."
    if layer.dilation == (1, 1):
        return _standard(layer)
    groups = f" in each of {layer.channels} channels" if layer.channels > 1 else ""
    return (
        f"Dilated by {by(layer.dilation)}: the {taps} taps reach over"
        f" **{by((layer.span(0), layer.span(1)))}** cells but read only **{taps} of {window}**"
        f"{groups}. Weights and MACs of one output are those of a plain {by(layer.kernel)}:"
        f" **{_one(layer):,}**."
    )


def _transposed(layer: Layer) -> str:
    return f"Transposed: each input **adds** a {by(layer.kernel)} kernel to the output."


def _overlap(layer: Layer) -> str:
    """How evenly the kernels that a transposed layer adds cover its output."""
    least, most = layer.share()
    if least == most:
        return f" k mod s = 0: far from the border **{most}** of them meet in every output: even."
    rest = "×".join(str(k % s) for k, s in zip(*_differing(layer), strict=True))
    if least == 0:
        return f" k mod s = {rest} and k < s: some outputs get **none**: holes."
    return f" k mod s = {rest}: **{least} to {most}** of them meet in an output: a checkerboard."


def _differing(layer: Layer) -> tuple[Sequence[int], Sequence[int]]:
    """Kernel and stride, once where the axes agree."""
    same = len({*zip(layer.kernel, layer.stride, strict=True)}) == 1
    return (layer.kernel[:1], layer.stride[:1]) if same else (layer.kernel, layer.stride)


def _deformable(layer: Layer) -> str:
    taps = prod(layer.kernel)
    extra = layer.offsets * _one(layer)
    return (
        f"Deformable: the **{_one(layer)}** weights of a standard {by(layer.kernel)}, but each of"
        f" the {taps} points can move. Between cells it mixes up to **4** values. Another"
        f" convolution of {extra} weights computes the {layer.offsets} offsets; the layer"
        f" has both, {layer.weights - extra} + {extra}."
    )


def _shift(layer: Layer) -> str:
    return (
        "Shift: each channel moves by its own arrow. One output reads **1** value, with **0**"
        " weights and **0** MACs: only memory moves. A pointwise convolution has to mix the"
        f" {layer.inputs} channels afterwards."
    )


_CAPTIONS: dict[str, Callable[[Layer], str]] = {
    "standard": _standard, "depthwise": _depthwise, "grouped": _grouped, "pointwise": _pointwise,
    "dilated": _dilated, "transposed": _transposed, "deformable": _deformable, "shift": _shift,
}  # fmt: skip


def legend(layer: Layer) -> str:
    """Return how to read the colours of one kind."""
    return {
        "transposed": "darker output: more inputs meet",
        "deformable": "number: cells a point reads",
        "shift": "drag the arrows",
    }.get(layer.kind, "same colour: weight × input")


def warning(layer: Layer) -> str:
    """Return why there is no such layer; empty where there is one."""
    for what, channels in (("input", layer.inputs), ("output", layer.outputs)):
        if channels % layer.groups:
            fits = ", ".join(str(g) for g in range(1, channels + 1) if channels % g == 0)
            return (
                f"{channels} {what} channels are not divisible by {layer.groups} groups;"
                f" {fits} would do."
            )
    for axis in (0, 1):
        if not layer.fits(axis):
            return (
                f"The kernel reaches over {layer.span(axis)} cells, but the padded input has only"
                f" {layer.padded(axis)}."
            )
    return ""


def code(layer: Layer) -> tuple[str, ...]:
    """Return the PyTorch lines of one layer as parts: head, k, s, p, d, g, tail."""
    if layer.kind == "shift":
        lines = (
            "y = F.pad(x, (2, 2, 2, 2))   # arrows: (down, right) for each channel, -2 to 2\n"
            "y = [y[:, c, 2 + dy : 2 + dy + h, 2 + dx : 2 + dx + w]"
            " for c, (dy, dx) in enumerate(arrows)]\n"
            "y = torch.stack(y, dim=1)"
        )
        return (lines, *[""] * 6)
    if layer.kind == "deformable":
        c, (kh, kw) = layer.inputs, layer.kernel
        lines = (
            f"offset = nn.Conv2d({c}, {2 * kh * kw}, kernel_size={kh}, padding=1)(x)"
            "   # two numbers a tap\n"
            "y = torchvision.ops.deform_conv2d(x, offset, weight, padding=1)"
            f"   # weight: ({layer.outputs}, {c}, {kh}, {kw})"
        )
        return (lines, *[""] * 6)
    name = "ConvTranspose2d" if layer.transposed else "Conv2d"
    more = f", output_padding={same(layer.more)}" if layer.transposed and any(layer.more) else ""
    padding = f", padding={same(layer.padding)}" if any(layer.padding) else ""
    if any(layer.more) and not layer.transposed:  # one more cell behind than before
        padding = ", padding='same'"
    return (
        f"nn.{name}({layer.inputs}, {layer.outputs}",
        f", kernel_size={same(layer.kernel)}",
        f", stride={same(layer.stride)}" if layer.stride != (1, 1) else "",
        padding,
        f", dilation={same(layer.dilation)}" if layer.dilation != (1, 1) else "",
        f", groups={layer.groups}" if layer.groups > 1 else "",
        f"{more}, bias=False)",
    )


def same(pair: Sequence[int]) -> str:
    """Return one number where both axes agree, else the pair."""
    return str(pair[0]) if pair[0] == pair[1] else str(tuple(pair))


def ask(layers: Sequence[Layer]) -> dict[str, Any] | None:
    """Return the prediction before the second of a dense and a grouped layer is opened."""
    if len(layers) < 2 or layers[0].groups > 1 or layers[1].groups == 1:
        return None
    dense, now = layers[0], layers[1]
    if dense.inputs != now.inputs:
        return None
    c, right = now.inputs, now.channels
    options = sorted({1, 2, 3, now.groups, c // 2, right, c} - {0})
    options = [n for n in options if n <= c]
    what = f"the **{now.kind}** convolution" + (f", groups={now.groups}," if right > 1 else "")
    return {
        "q": f"One output of the {dense.kind} convolution reads all **{c}** input channels. How"
        f" many of the {c} does one output of {what} read?",
        "options": [str(n) for n in options],
        "answer": options.index(right),
        "replies": [_reply(n, now) for n in options],
        "param": "kind",
        "from": 1,
    }


def _reply(answer: int, layer: Layer) -> str:
    """What an answer would be right for."""
    c, g, right = layer.inputs, layer.groups, layer.channels
    own = "its own channel and no other" if right == 1 else f"the {right} of its own group"
    if answer == right:
        return f"{c} channels in {g} groups: an output reads {own}."
    if answer == c:
        return f"{c} is the layer without groups. Here an output reads {own}."
    if answer == g:
        return f"{g} is the number of groups, not what is in one: an output reads {own}."
    if c % answer == 0:
        return f"{answer} of {c} would be {c // answer} groups. Here there are {g}: {own}."
    return f"{c} channels do not split into groups of {answer}. Here an output reads {own}."
