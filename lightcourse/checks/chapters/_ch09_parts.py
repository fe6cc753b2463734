"""Chapter 09: which layers of a module ran, in order, and what each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

Pair = tuple[int, int]


@dataclass(frozen=True)
class Part:
    """One layer with weights as it ran: kind is conv, norm or linear; size is that of its map."""

    kind: str
    inputs: int
    outputs: int
    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    groups: int = 1
    size: Pair = (1, 1)
    bias: bool = False
    lacks: str = ""  # the setting that takes something away from a norm

    @property
    def depthwise(self) -> bool:
        return self.kind == "conv" and self.groups == self.inputs == self.outputs > 1

    @property
    def macs(self) -> int:
        """Multiply-accumulates: each weight is used once at each place; none for a norm."""
        if self.kind == "norm":
            return 0
        taps = self.kernel[0] * self.kernel[1] * self.size[0] * self.size[1]
        return taps * self.inputs // self.groups * self.outputs

    def __str__(self) -> str:
        if self.kind == "norm":
            text = f"a batch norm of {self.outputs} channels"
            return text + (f" with {self.lacks}" if self.lacks else "")
        if self.kind == "linear":
            text = f"a linear layer {self.inputs} → {self.outputs}"
            return text + ("" if self.bias else " without bias")
        name = "convolution, " if self.groups == 1 else f"convolution, {self.groups} groups, "
        if self.depthwise:
            name = "depthwise convolution, "
        (kh, kw), (h, w) = self.kernel, self.size
        text = f"a {kh}×{kw} {name}{self.inputs} → {self.outputs}"
        text += f", stride {self.stride[0]}" if max(self.stride) > 1 else ""
        return text + f", map {h}×{w}"


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Answer:
    """What a module gave: its layers in the order in which they ran, parameters, output."""

    parts: tuple[Part, ...]
    parameters: int
    output: Any = None

    def __repr__(self) -> str:
        kinds = [sum(part.kind == kind for part in self.parts) for kind in ("conv", "norm")]
        text = f"{kinds[0]} convolutions, {kinds[1]} norms, {self.parameters:,} parameters"
        shape = tuple(self.output.shape) if isinstance(self.output, Tensor) else None
        return text + (f", output of shape {shape}" if shape else "")


def record(module: nn.Module, x: Tensor) -> tuple[list[nn.Module], list[Part], Any]:
    """Run a module once: its layers with weights, what they are, and the output."""
    ran: list[nn.Module] = []
    parts: list[Part] = []

    def note(layer: nn.Module, given: Any, made: Any) -> None:
        ran.append(layer)
        parts.append(_part(layer, made))

    kinds = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)
    hooks = [m.register_forward_hook(note) for m in module.modules() if isinstance(m, kinds)]
    try:
        with torch.no_grad():
            output = nn.Module.__call__(module, x.clone())
    finally:
        for hook in hooks:
            hook.remove()
    return ran, parts, output


def _part(layer: Any, made: Tensor) -> Part:
    if isinstance(layer, nn.BatchNorm2d):
        return Part("norm", layer.num_features, layer.num_features, lacks=_lacks(layer))
    bias = layer.bias is not None
    if isinstance(layer, nn.Linear):
        return Part("linear", layer.in_features, layer.out_features, bias=bias)
    size = (made.shape[-2], made.shape[-1])  # a single picture may come without its axis
    kernel, stride = layer.kernel_size, layer.stride
    # a 1×1 convolution on one pixel, with a bias, is a linear layer: the authors wrote it so
    if bias and kernel == size == (1, 1) and layer.groups == 1:
        return Part("linear", layer.in_channels, layer.out_channels, bias=True)
    return Part(
        "conv", layer.in_channels, layer.out_channels, kernel, stride, layer.groups, size, bias
    )


def _lacks(norm: nn.BatchNorm2d) -> str:
    """How a norm was made without its parameters or its running mean and variance."""
    if not norm.affine:
        return "affine=False"
    return "" if norm.track_running_stats else "track_running_stats=False"


def fill(layers: Sequence[Any], seed: int) -> None:
    """Give the layers weights that depend on their order and sizes alone; norms get a past."""
    generator = torch.Generator().manual_seed(seed)

    def draw(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=generator, dtype=torch.float64).to(like.dtype)

    with torch.no_grad():
        for layer in layers:
            weight = draw(layer.weight)
            if layer.weight.dim() == 1:  # a norm
                layer.weight.copy_(0.3 * weight + 1)
                layer.bias.copy_(0.3 * draw(layer.bias))
                layer.running_mean.copy_(0.3 * draw(layer.running_mean))
                layer.running_var.copy_(draw(layer.running_var).square() + 0.5)
                continue
            layer.weight.copy_(weight * (2 / layer.weight[0].numel()) ** 0.5)
            if layer.bias is not None:  # of a convolution: its own mistake, not one of the values
                last = layer is layers[-1]
                layer.bias.copy_(draw(layer.bias) if last else torch.zeros_like(layer.bias))


def without_bias(parts: Sequence[Part]) -> list[Part]:
    """The parts as they would be if no convolution had a bias."""
    return [replace(part, bias=part.bias and part.kind == "linear") for part in parts]
