"""A learner's own convolutions for the conv-variants scene, with few enough channels to draw."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lightcourse.errors import UserError

from ._cv_layers import CHANNELS, SIZE, SMALL, Drawn, Kind, Layer
from ._rf_words import short

MOST_LAYERS, MOST_CELLS, MOST_TAPS = 6, 40, 15


def kinds_of_module(module: Any) -> list[Kind]:
    """Return one choice for each convolution of a module; behind a lone grouped one its dense twin.

    Raises:
        UserError: it is no module, has no 2-d convolution, too many, or one too large to draw.
    """
    found = _convolutions(module)
    layers = [_layer(name, conv) for name, conv in found]
    if len(layers) == 1 and layers[0].groups > 1:
        layers.append(_twin(layers[0]))
    return [_kind(layer) for layer in layers]


def _convolutions(module: Any) -> list[tuple[str, Any]]:
    from torch import nn

    from lightcourse.nn.deform import DeformConv2d

    if not isinstance(module, nn.Module):
        raise UserError(
            f"conv_variants draws an nn.Module, such as nn.Conv2d(8, 8, 3, groups=8), not"
            f" {type(module).__name__}."
        )
    if any(isinstance(m, DeformConv2d) for m in module.modules()):
        raise UserError(
            "where a deformable convolution reads depends on its input; see it with"
            " viz.conv_variants().at(kind='deformable')."
        )
    wanted = (nn.Conv2d, nn.ConvTranspose2d)
    found = [(name, m) for name, m in module.named_modules() if isinstance(m, wanted)]
    who = type(module).__name__
    if not found:
        raise UserError(f"{who} has no Conv2d or ConvTranspose2d; pass a module with one.")
    if len(found) > MOST_LAYERS:
        raise UserError(
            f"{who} has {len(found)} convolutions and at most {MOST_LAYERS} can be drawn; pass one"
            f" of them, e.g. model.get_submodule({found[0][0]!r})."
        )
    return found


def _layer(name: str, conv: Any) -> Layer:
    if not conv.in_channels:
        raise UserError(f"{name or 'the layer'} is lazy: run it once on an input, then draw it.")
    transposed = bool(getattr(conv, "transposed", False))
    padding, more = _padding(conv)
    each = conv.in_channels // conv.groups, conv.out_channels // conv.groups
    layer = Layer(
        _kind_of(conv, transposed), inputs=conv.in_channels, outputs=conv.out_channels,
        groups=conv.groups, kernel=_pair(conv.kernel_size), stride=_pair(conv.stride),
        padding=padding, dilation=_pair(conv.dilation), more=more,
        drawn=shrink(conv.groups, *each), name=name,
    )  # fmt: skip
    layer = _with_map(layer)
    return replace(layer, note=_note(layer, conv.padding_mode))


def _pair(value: Sequence[int]) -> tuple[int, int]:
    return int(value[0]), int(value[1])


def _padding(conv: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Padding before each axis, and what comes on top behind it."""
    if conv.padding == "valid":
        return (0, 0), (0, 0)
    if conv.padding == "same":
        total = [d * (k - 1) for d, k in zip(conv.dilation, conv.kernel_size, strict=True)]
        return (total[0] // 2, total[1] // 2), (total[0] % 2, total[1] % 2)
    return _pair(conv.padding), _pair(conv.output_padding)


def _kind_of(conv: Any, transposed: bool) -> str:
    if transposed:
        return "transposed"
    if conv.groups > 1:
        return "depthwise" if conv.in_channels == conv.groups else "grouped"
    if max(conv.kernel_size) == 1:
        return "pointwise"
    return "dilated" if max(conv.dilation) > 1 else "standard"


def shrink(groups: int, inputs: int, outputs: int) -> Drawn:
    """Return few enough groups and channels to draw that show the same structure.

    >>> shrink(32, 1, 1), shrink(1, 64, 3)
    (Drawn(groups=6, inputs=1, outputs=1), Drawn(groups=1, inputs=6, outputs=3))
    """
    most = CHANNELS if groups == 1 else 3 if groups == 2 else 2
    inputs, outputs = min(inputs, most), min(outputs, most)
    return Drawn(min(groups, CHANNELS // max(inputs, outputs)), inputs, outputs)


def _with_map(layer: Layer) -> Layer:
    """Put the layer on the smallest map that shows it: three output cells, or one input beside."""
    side = SMALL if layer.transposed else SIZE
    while True:
        layer = replace(layer, size=(side, side))
        outs = [layer.out(axis) for axis in (0, 1)]
        shown = max(*outs, max(layer.size) + 2 * max(layer.padding), *map(layer.span, (0, 1)))
        if shown > MOST_CELLS or max(layer.kernel) > MOST_TAPS:
            raise UserError(
                f"kernel {layer.kernel} with stride {layer.stride}, padding {layer.padding} and"
                f" dilation {layer.dilation} is too large to draw; try a smaller one of the kind."
            )
        if layer.valid and min(outs) >= SMALL:
            return layer
        side += 1


def _note(layer: Layer, mode: str) -> str:
    drawn, parts = layer.drawn_inputs, []
    if (drawn, layer.drawn_outputs) != (layer.inputs, layer.outputs):
        parts.append(
            f"Drawn: {drawn} of {layer.inputs} inputs, {layer.drawn_outputs} of {layer.outputs}"
            f" outputs; the numbers are the layer's own, on a {layer.size[0]}×{layer.size[1]} map."
        )
    if mode != "zeros" and max(layer.padding):
        parts.append(f"The padding holds copies of the map ({mode}), not zeros.")
    return " ".join(parts)


def _twin(layer: Layer) -> Layer:
    """The same layer without groups."""
    each = layer.drawn_inputs, layer.drawn_outputs
    kind = "transposed" if layer.transposed else "standard"
    twin = replace(layer, kind=kind, groups=1, drawn=Drawn(1, *each), name="without groups")
    return replace(twin, note=_note(twin, "zeros"))


def _kind(layer: Layer) -> Kind:
    name = layer.name if layer.name == "without groups" else f"{short(layer.name, 18)} {layer.kind}"
    return Kind(
        name.strip(), f"{layer.kind}, as in your module", ((0,),) * 5, "kspdg", lambda *_: layer
    )
