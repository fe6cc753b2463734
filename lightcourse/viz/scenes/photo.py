"""The one photograph that scenes show: a real one, which matplotlib ships."""

import base64
import io
from pathlib import Path

import numpy as np

from ..pool import Pool

SIDE, QUALITY = 180, 64  # px, JPEG: sharp enough on a large screen, and below 9 kB
FACE = (106, 16, 416, 326)


def picture(side: int) -> np.ndarray:
    """Return Grace Hopper's portrait (US Navy, public domain), (side, side, 3) uint8."""
    import matplotlib
    from PIL import Image

    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    with Image.open(path) as whole:
        image = whole.convert("RGB").crop(FACE)
    return np.asarray(image.resize((side, side), Image.Resampling.LANCZOS))


def photograph(pool: Pool) -> int:
    """Store the portrait in a scene's pool as a JPEG; return its index."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture(SIDE)).save(buffer, "JPEG", quality=QUALITY, optimize=True)
    pool.append("data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode())
    return len(pool) - 1
