"""Random numbers that are the same on every machine and with every release of numpy."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]  # float32, all of them

# Tables are whole multiples of 2**-12: the last digit of a machine's own sine or logarithm, where
# machines differ, is rounded away before it can move a pixel.
GRAIN = 4096
NORMAL = tuple(round(GRAIN * NormalDist().inv_cdf((i + 0.5) / 256)) for i in range(256))
STEPS = 1024  # phases of one wave
# the tangent squares the sine off a little, so that a stripe has a flat top as in a drawing
WAVE = tuple(
    round(GRAIN * math.tanh(1.5 * math.sin(2 * math.pi * i / STEPS))) for i in range(STEPS)
)
HUES = 64
CIRCLE = tuple(
    (
        round(GRAIN * math.cos(2 * math.pi * i / HUES)),
        round(GRAIN * math.sin(2 * math.pi * i / HUES)),
    )
    for i in range(HUES)
)


def table(values: tuple[int, ...] | tuple[tuple[int, int], ...]) -> Floats:
    """One of the tables above as float32; every entry is exact.

    >>> float(table(WAVE)[0]), float(table(CIRCLE)[16, 1])
    (0.0, 1.0)
    """
    return np.asarray(values, np.float32) / np.float32(GRAIN)


class Draws:
    """Draw from a key of whole numbers; uses nothing but the raw words of PCG64.

    numpy promises that the raw words of a bit generator never change; the methods of its Generator
    may change from one release to the next.

    >>> Draws(0, 1).below(10, 5).tolist()
    [8, 5, 8, 9, 0]
    """

    def __init__(self, *key: int):
        self._bits = np.random.PCG64(np.random.SeedSequence(key))

    def words(self, *shape: int) -> NDArray[np.uint64]:
        """Return 64 random bits for each place of the shape."""
        return self._bits.random_raw(math.prod(shape)).reshape(shape)

    def uniform(self, low: float, high: float, *shape: int) -> Floats:
        """Return numbers in [low, high), as float32."""
        unit = (self.words(*shape) >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)
        return unit * np.float32(high - low) + np.float32(low)

    def below(self, count: int, *shape: int) -> NDArray[np.int64]:
        """Return whole numbers from 0 to count - 1."""
        high = self.words(*shape) >> np.uint64(32)
        return (high * np.uint64(count) >> np.uint64(32)).astype(np.int64)

    def normal(self, scale: float, *shape: int) -> Floats:
        """Return numbers of mean 0 and deviation `scale`: 256 values, a byte each, up to ±2.9."""
        count = math.prod(shape)
        # little-endian everywhere, so that the bytes come in the same order
        raw = self.words(-(-count // 8)).astype("<u8").view(np.uint8)[:count]
        return np.take(table(NORMAL) * np.float32(scale), raw).reshape(shape)
