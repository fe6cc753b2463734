"""The effective receptive field: how strongly each pixel moves a unit, measured by autograd."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from lightcourse.analysis._state import untouched
from lightcourse.errors import UserError

_CHANNELS = 4


def effective_receptive_field(
    model_or_layers: nn.Module | Sequence[Sequence[int]],
    size: int | tuple[int, int] = 64,
    unit: tuple[int, int] | None = None,
    *,
    in_channels: int = 3,
    samples: int = 16,
    seed: int = 0,
) -> np.ndarray:
    """Return the mean squared gradient of one unit with respect to each pixel, summing to 1.

    Shape (H, W). A model is measured with its own weights on random inputs; a list of layers
    (kernel, stride, padding, dilation) is made into linear convolutions with random weights, new
    ones for each sample. `unit` is a place in the output map, the middle one by default; nothing
    of the model changes. Luo et al., arXiv 1701.04128, section 2.

    >>> erf = effective_receptive_field([(3, 1, 1, 1)] * 3, size=9)
    >>> erf.shape, bool(erf[4, 4] > erf[4, 1] > erf[4, 0] == 0)
    ((9, 9), True)
    """
    if samples < 1:
        raise UserError(f"samples is {samples}; at least one random input is needed.")
    height, width = (size, size) if isinstance(size, int) else size
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(height, width, dtype=torch.float64)
    for _ in range(samples):
        if isinstance(model_or_layers, nn.Module):
            x = torch.randn(1, in_channels, height, width, generator=generator)
            gradient = _of_model(model_or_layers, x, unit, generator)
        else:
            x = torch.randn(1, _CHANNELS, height, width, generator=generator)
            out = _chain(model_or_layers, x.requires_grad_(), generator)
            gradient = _gradient(out, x, unit, generator)
        total += gradient.double().square().sum((0, 1)).cpu()
    energy = float(total.sum())
    return (total / energy if energy > 0 else total).numpy()


def _of_model(
    model: nn.Module, x: Tensor, unit: tuple[int, int] | None, generator: torch.Generator
) -> Tensor:
    first = next(model.parameters(), None)
    if first is not None:
        x = x.to(first.device, first.dtype)
    x = x.detach().requires_grad_()
    with torch.enable_grad(), untouched(model):
        buffers = {name: b.clone() for name, b in model.named_buffers()}
        out = torch.func.functional_call(model, buffers, (x,))
        return _gradient(out, x, unit, generator)


def _chain(layers: Sequence[Sequence[int]], x: Tensor, generator: torch.Generator) -> Tensor:
    for layer in layers:
        kernel, stride, padding, dilation = (*layer, *(1, 1, 0, 1)[len(layer) :])
        weight = torch.randn(_CHANNELS, _CHANNELS, kernel, kernel, generator=generator)
        weight /= kernel * _CHANNELS**0.5  # keeps the gradient's scale through many layers
        x = nn.functional.conv2d(x, weight, None, stride, padding, dilation)
    return x


def _gradient(
    out: Tensor, x: Tensor, unit: tuple[int, int] | None, generator: torch.Generator
) -> Tensor:
    if not isinstance(out, Tensor) or out.dim() != 4:
        raise UserError(
            "The effective receptive field needs a map (N, C, H, W) at the output; pass the part "
            "of the model before pooling, such as model.features."
        )
    height, width = out.shape[2:]
    row, column = (height // 2, width // 2) if unit is None else unit
    if not (0 <= row < height and 0 <= column < width):
        raise UserError(f"Unit {(row, column)} lies outside the output map of {height}×{width}.")
    # a random direction over the channels, drawn anew each time: a fixed sum could cancel
    signs = torch.randn(out.shape[1], generator=generator).to(out)
    (gradient,) = torch.autograd.grad((out[0, :, row, column] * signs).sum(), x)
    return gradient
