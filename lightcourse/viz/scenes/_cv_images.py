"""The small pictures of the conv-variants scene: maps with padding, kernels in colour, counts."""

import colorsys

import numpy as np

from ..pool import Pool
from ._cv_layers import Layer

FINE = 8  # image pixels a cell, one of them the line between cells
MAP, EMPTY, RING = (128, 142, 156, 70), (128, 142, 156, 26), (105, 120, 135, 255)
COUNTS = ("#eef2f6", "#a9cdea", "#5aa2d6", "#1f75b5", "#0d4a80", "#08294a")  # 0, 1, 2 … cells


def tap_colour(row: int, column: int, kernel: tuple[int, int]) -> str:
    """Return the colour of one weight: its row is the hue, its column the lightness."""
    hue = 0.58 + 0.68 * row / max(1, kernel[0])
    light = 0.4 + 0.26 * column / max(1, kernel[1] - 1)
    rgb = colorsys.hls_to_rgb(hue % 1, light, 0.72)
    return "#" + "".join(f"{round(255 * v):02x}" for v in rgb)


def rgba(colour: str, alpha: int = 255) -> tuple[int, int, int, int]:
    """Return `"#rrggbb"` as four bytes."""
    return (*(int(colour[i : i + 2], 16) for i in (1, 3, 5)), alpha)  # type: ignore[return-value]


def cells(rows: int, columns: int) -> np.ndarray:
    """Return an empty transparent picture of this many cells."""
    return np.zeros((rows * FINE, columns * FINE, 4), np.uint8)


def fill(pixels: np.ndarray, row: int, column: int, colour: tuple[int, ...], edge: int = 1) -> None:
    """Paint one cell, leaving a line free at its right and lower edge."""
    top, left = row * FINE, column * FINE
    pixels[top : top + FINE - edge, left : left + FINE - edge] = colour


def map_picture(pool: Pool, layer: Layer, margin: int, side: int) -> int:
    """Store one channel: its cells with the padding; or frames with zeros between, if spread.

    It is drawn over the kernel, so that one sees which weights meet an input.
    """
    pixels = cells(side, side)
    step = layer.stride if layer.transposed else (1, 1)
    around = (0, 0) if layer.transposed else layer.padding
    last = [(n - 1) * s for n, s in zip(layer.size, step, strict=True)]
    behind = (0, 0) if layer.transposed else layer.more
    for r in range(-around[0], last[0] + 1 + around[0] + behind[0]):
        for c in range(-around[1], last[1] + 1 + around[1] + behind[1]):
            real = 0 <= r <= last[0] and 0 <= c <= last[1]
            real &= r % step[0] == 0 and c % step[1] == 0
            fill(pixels, r + margin, c + margin, MAP if real else EMPTY)
            if real and layer.transposed:
                frame(pixels, r + margin, c + margin)
    return pool.add(pixels, 6)


def frame(pixels: np.ndarray, row: int, column: int) -> None:
    """Draw a thick line round one cell."""
    top, left = row * FINE, column * FINE
    cell = pixels[top : top + FINE - 1, left : left + FINE - 1]
    cell[:2], cell[-2:], cell[:, :2], cell[:, -2:] = (RING,) * 4


def kernel_picture(pool: Pool, layer: Layer, spread: bool) -> int:
    """Store the weights in their colours; `spread` puts them where they lie on the map."""
    span = [layer.span(a) if spread else layer.kernel[a] for a in (0, 1)]
    step = layer.dilation if spread else (1, 1)
    pixels = cells(*span)
    for i in range(layer.kernel[0]):
        for j in range(layer.kernel[1]):
            r, c = i * step[0], j * step[1]
            if spread and layer.transposed:  # the map is read with the kernel turned round
                r, c = span[0] - 1 - r, span[1] - 1 - c
            fill(pixels, r, c, rgba(tap_colour(i, j, layer.kernel)))
    return pool.add(pixels, layer.kernel[0] * layer.kernel[1] + 1)


def output_picture(pool: Pool, layer: Layer) -> int:
    """Store one output channel; transposed: how many input cells each of its cells gets."""
    pixels = cells(layer.out(0), layer.out(1))
    counts = layer.counts() if layer.transposed else None
    for r in range(layer.out(0)):
        for c in range(layer.out(1)):
            colour = rgba(COUNTS[min(counts[r][c], 5)]) if counts else MAP
            fill(pixels, r, c, colour)
    return pool.add(pixels, 8)
