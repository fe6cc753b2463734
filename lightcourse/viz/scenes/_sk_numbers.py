"""The sliding-kernel scene's numbers: picture, kernels, sizes and sums, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lightcourse.errors import UserError

from .photo import picture

SIDE, SIDES = 24, (3, 28)  # pixels of the photograph, and of a picture of one's own
LEVELS = 10  # whole numbers from 0 to 9: every sum can be done in the head
PADDINGS: tuple[int | str, ...] = (0, 1, 2, "same")
STRIDES, DILATIONS = (1, 2, 3), (1, 2)
MOST_KERNELS, MOST_TAPS, LONGEST_NAME = 6, 5, 14

PRESETS: dict[str, list[list[float]]] = {
    "vertical": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "horizontal": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "outline": [[0, -1, 0], [-1, 4, -1], [0, -1, 0]],
    "blur": [[1 / 9] * 3] * 3,
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "copy": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
}
HINTS = {
    "vertical": "right minus left: finds vertical edges (Sobel)",
    "horizontal": "below minus above: finds horizontal edges (Sobel)",
    "outline": "the pixel minus its four neighbours (Laplace)",
    "blur": "the mean of nine pixels",
    "sharpen": "the picture plus its outline",
    "copy": "only the middle counts",
}


@dataclass(frozen=True, eq=False)
class Kernel:
    """One kernel with its name, (k, k) weights and bias."""

    name: str
    weights: np.ndarray
    bias: float = 0.0

    @property
    def taps(self) -> int:
        return len(self.weights)


@dataclass(frozen=True)
class Start:
    """The settings that the scene begins with: those of the learner's own layer, or the usual."""

    padding: int | str = 1
    stride: int = 1
    dilation: int = 1


def pixels_of(image: Any) -> np.ndarray:
    """Return whole numbers 0 to 9, (H, W): the photograph, or a picture of one's own.

    Whole numbers from 0 to 9 stay as they are; anything else is stretched to that range.

    Raises:
        UserError: it is no picture, or too small or too large.
    """
    if image is None:
        grey = picture(SIDE).mean(2)
        return np.rint(9 * (grey - grey.min()) / np.ptp(grey)).astype(int)
    grey = _grey(image)
    if not all(SIDES[0] <= n <= SIDES[1] for n in grey.shape):
        raise UserError(
            f"cannot draw a picture of {grey.shape[0]}×{grey.shape[1]} pixels; give {SIDES[0]} to"
            f" {SIDES[1]} in height and width."
        )
    if (grey == grey.round()).all() and grey.min() >= 0 and grey.max() < LEVELS:
        return grey.astype(int)
    span = float(np.ptp(grey)) or 1.0
    return np.rint(9 * (grey - grey.min()) / span).astype(int)


def _grey(image: Any) -> np.ndarray:
    wish = "give an array (height, width) of numbers, or (height, width, 3)."
    try:
        values = np.asarray(_plain(image), dtype=float)
    except (TypeError, ValueError) as error:
        raise UserError(f"cannot read the picture; {wish}") from error
    while values.ndim > 2 and values.shape[0] == 1:  # (1, 1, H, W) and (1, H, W) of torch
        values = values[0]
    if values.ndim == 3 and values.shape[2] in (3, 4):
        values = values[..., :3].mean(2)
    if not np.isfinite(values).all():
        raise UserError("cannot draw this picture: some of its pixels are NaN or infinite.")
    if values.ndim != 2 or not values.size:
        raise UserError(f"cannot draw a picture of shape {values.shape}; {wish}")
    return values


def _plain(value: Any) -> Any:
    """A tensor as an array, without importing torch."""
    return value.detach().cpu().double().numpy() if hasattr(value, "detach") else value


def kernels_of(kernel: Any) -> tuple[list[Kernel], Start]:
    """Return the kernels to choose from, and the settings to begin with.

    kernel: None, an array (k, k), a convolution with one input channel, or a dictionary of these.

    Raises:
        UserError: it is none of these, or it cannot be drawn.
    """
    if kernel is None:
        return [Kernel(name, np.array(w, float)) for name, w in PRESETS.items()], Start()
    if isinstance(kernel, Mapping):
        found = [k for name, given in kernel.items() for k in _kernels(given, str(name))[0]]
        start = Start()
    else:
        found, start = _kernels(kernel, "yours")
        if len(found) == 1 and found[0].taps == 3:
            extra = ("outline", "blur")
            found += [Kernel(name, np.array(PRESETS[name], float)) for name in extra]
    if not 1 <= len(found) <= MOST_KERNELS:
        raise UserError(f"cannot draw {len(found)} kernels; give 1 to {MOST_KERNELS}.")
    if len({k.taps for k in found}) > 1:
        raise UserError("all kernels of one picture must have the same size.")
    return found, start


def _kernels(given: Any, name: str) -> tuple[list[Kernel], Start]:
    if hasattr(given, "in_channels") and hasattr(given, "weight"):
        return _of_layer(given, name)
    try:
        weights = np.asarray(_plain(given), dtype=float)
    except (TypeError, ValueError) as error:
        raise UserError("cannot read the kernel; give an array such as 3×3 numbers.") from error
    while weights.ndim > 2 and weights.shape[0] == 1:  # (1, 1, k, k) of torch
        weights = weights[0]
    return [_kernel(name, weights)], Start()


def _of_layer(layer: Any, name: str) -> tuple[list[Kernel], Start]:
    """The kernels of an `nn.Conv2d` with one input channel, one for each output channel."""
    if layer.weight.dim() != 4 or layer.in_channels != 1:
        raise UserError(
            f"cannot draw this {type(layer).__name__}: a picture of one channel slides under it, so"
            " it needs in_channels=1 and two dimensions."
        )
    if layer.padding_mode != "zeros":
        raise UserError(f"cannot draw padding_mode={layer.padding_mode!r}; the rim is made of 0s.")
    settings = Start(*(_one(layer, key) for key in ("padding", "stride", "dilation")))
    weights = _plain(layer.weight)[:MOST_KERNELS, 0]
    biases = np.zeros(len(weights)) if layer.bias is None else _plain(layer.bias)
    many = len(weights) > 1
    names = [f"channel {i}" for i in range(len(weights))] if many else [name]
    found = [_kernel(n, w, float(b)) for n, w, b in zip(names, weights, biases, strict=False)]
    return found, settings


def _one(layer: Any, key: str) -> Any:
    """A setting that is the same on both axes and among those that can be chosen."""
    value = getattr(layer, key)
    allowed = {"padding": PADDINGS, "stride": STRIDES, "dilation": DILATIONS}[key]
    value = 0 if value == "valid" else value
    if isinstance(value, tuple) and len(set(value)) == 1:
        value = value[0]
    if value not in allowed:
        known = ", ".join(map(repr, allowed))
        raise UserError(f"cannot draw {key}={value!r}; choose one of {known}.")
    return value


def _kernel(name: str, weights: np.ndarray, bias: float = 0.0) -> Kernel:
    square = weights.ndim == 2 and weights.shape[0] == weights.shape[1]
    if not np.isfinite(weights).all():
        raise UserError("cannot draw this kernel: some of its weights are NaN or infinite.")
    if not square or not 1 <= len(weights) <= MOST_TAPS:
        raise UserError(
            f"cannot draw a kernel of shape {weights.shape}; give a square one of 1×1 to"
            f" {MOST_TAPS}×{MOST_TAPS} numbers."
        )
    return Kernel(name[:LONGEST_NAME], weights, bias)


@dataclass(frozen=True)
class Setting:
    """One choice of padding, stride and dilation on a picture: what it gives along each axis."""

    taps: int
    padding: int | str
    stride: int
    dilation: int

    @property
    def span(self) -> int:
        """Pixels from the first tap to the last."""
        return (self.taps - 1) * self.dilation + 1

    @property
    def rim(self) -> int:
        """Zeros before the picture; "same" puts the spare one behind it, as PyTorch does."""
        return (self.span - 1) // 2 if self.padding == "same" else int(self.padding)

    def places(self, size: int) -> int:
        """How many places the window has; 0 or less where it does not fit."""
        whole = self.span - 1 if self.padding == "same" else 2 * self.rim
        return (size + whole - self.span) // self.stride + 1

    def why_not(self, shape: tuple[int, int]) -> str:
        """The reason why PyTorch refuses this; empty where it does not."""
        if self.padding == "same" and self.stride > 1:
            return (
                f'padding="same" with stride {self.stride}: a stride skips places, so the size'
                " cannot stay the same. PyTorch raises a RuntimeError."
            )
        short = min(shape)
        if self.places(short) < 1:
            return (
                f"the window spans {self.span} pixels, and the picture with its padding has only"
                f" {short + 2 * self.rim}. PyTorch raises a RuntimeError."
            )
        return ""


def sums(pixels: np.ndarray, kernel: Kernel, dilation: int, rim: int) -> np.ndarray:
    """The output for every place of the window on the picture with `rim` zeros around it.

    >>> sums(np.ones((3, 3)), Kernel("", np.ones((3, 3))), 1, 1)[:2].tolist()
    [[4.0, 6.0, 4.0], [6.0, 9.0, 6.0]]
    """
    whole = np.pad(pixels, rim).astype(float)
    span = (kernel.taps - 1) * dilation + 1
    high, wide = (max(0, n - span + 1) for n in whole.shape)
    total = np.full((high, wide), kernel.bias)
    for i, row in enumerate(kernel.weights):
        for j, weight in enumerate(row):
            top, left = i * dilation, j * dilation
            total += weight * whole[top : top + high, left : left + wide]
    return total
