"""The pictures inside a scene: NumPy arrays become small PNG data URIs, each stored once."""

import base64
import io

import numpy as np

from .theme import RAMPS


class Pool(list):
    """Pictures of a scene as PNG data URIs; equal pictures are stored once."""

    def add(self, pixels: np.ndarray, colours: int = 64) -> int:
        """Store `(H, W, 3 or 4)` uint8 pixels in at most `colours` colours; return the index."""
        from PIL import Image

        image = Image.fromarray(np.ascontiguousarray(pixels, dtype=np.uint8)).convert("RGBA")
        buffer = io.BytesIO()
        method = Image.Quantize.FASTOCTREE
        image.quantize(colours, method=method).save(buffer, "PNG", optimize=True)
        uri = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
        if uri not in self:
            self.append(uri)
        return self.index(uri)

    def heat(self, values: np.ndarray, ramp: str = "heat", alpha: bool = False) -> int:
        """Store `(H, W)` values >= 0 as colours of a ramp; `alpha` makes low values transparent."""
        values = np.asarray(values, dtype=float)
        unit = values / (values.max() or 1.0)
        stops = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in RAMPS[ramp]], float)
        place = unit * (len(stops) - 1)
        low = np.minimum(place.astype(int), len(stops) - 2)
        part = (place - low)[..., None]
        rgb = stops[low] * (1 - part) + stops[low + 1] * part
        opaque = unit if alpha else np.ones_like(unit)
        return self.add(np.rint(np.dstack([rgb, 255 * opaque])))
