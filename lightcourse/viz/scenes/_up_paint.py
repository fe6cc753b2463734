"""Colours of the upsampling scene: values as colours of a ramp, and as exact little pictures."""

import base64
import io

import numpy as np

from ..theme import RAMPS

RAMP = RAMPS["cool"]  # dark to light


def rgb(unit: np.ndarray) -> np.ndarray:
    """(H, W) from 0 to 1 -> (H, W, 3), between the nearest colours of the ramp."""
    stops = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in RAMP], float)
    place = np.round(unit, 3) * (len(stops) - 1)
    axis = np.arange(len(stops))
    return np.rint(np.stack([np.interp(place, axis, channel) for channel in stops.T], -1))


def png(pixels: np.ndarray) -> str:
    """(H, W, 3) -> a PNG data URI with exactly these colours (the pool's own would merge some)."""
    from PIL import Image

    colours, which = np.unique(pixels.reshape(-1, 3).astype(np.uint8), axis=0, return_inverse=True)
    image = Image.fromarray(which.reshape(pixels.shape[:2]).astype(np.uint8), "L")
    image.putpalette(colours.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def dot(value: float) -> str:
    """The ramp's colour of a value from 0 to 1, as the pictures show it."""
    return RAMP[round(value * (len(RAMP) - 1))]
