"""The pixels of the built-in pictures: two textured objects in clutter, from a seed.

Only + - * / and square roots on float32, whole numbers and tables: every machine rounds these the
same way. Sums over many numbers are left out, for their order differs between machines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightcourse.training.data._draws import CIRCLE, HUES, STEPS, WAVE, Draws, Floats, table

RECIPE = 2  # another number for other pixels: the cache keeps what it made under it
TEXTURES = ("horizontal", "vertical", "diagonal", "checker", "rings")
HORIZONTAL, VERTICAL, DIAGONAL, CHECKER, RINGS = range(5)
CLASSES = tuple(
    f"{TEXTURES[a]} over {TEXTURES[b]}"
    for p in range(5)
    for a, b in ((p, (p + 1) % 5), ((p + 1) % 5, p))
)
CHUNK = 250  # pictures made at once: they fit into a core's cache, and each chunk has its own seed
_SOFT = 1.2  # pixels over which an object's edge fades
_CELL = np.float32(0.45)  # a checker's wave, against that of stripes of the same period
# equal energy in all textures, so that how lively an object looks does not tell which one it is
_LEVEL = np.float32(1 / 0.72)


@dataclass(frozen=True)
class Recipe:
    """What the pictures look like; lengths in pixels. Two equal recipes make equal pictures."""

    size: int
    distance: float
    radius: float
    period: float
    difficulty: float
    chroma: bool
    clutter: int
    seed: int


@dataclass(frozen=True)
class _Object:
    """One object in each picture: centre and radius (n,), texture (n,) or None for a plain disc."""

    x: Floats
    y: Floats
    radius: Floats
    texture: NDArray[np.int64] | None


def pictures(recipe: Recipe, part: int, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield chunks of images (n, 3, H, W) uint8 and labels (n,) int64, `count` in all.

    part: 0 for training, 1 for test. Ten pictures in a row hold each class once; the first k of
    count pictures are the first k of any other count.

    >>> recipe = Recipe(32, 15.5, 5.75, 3.9, 1.0, True, 3, seed=0)
    >>> [images.shape for images, labels in pictures(recipe, 0, 300)]
    [(250, 3, 32, 32), (50, 3, 32, 32)]
    """
    for chunk in range(-(-count // CHUNK)):
        wanted = min(CHUNK, count - chunk * CHUNK)
        draws = Draws(recipe.seed, part, chunk)
        labels = np.argsort(draws.words(CHUNK // 10, 10), axis=1, kind="stable").reshape(-1)
        images = _draw(recipe, labels, draws)
        yield images[:wanted], labels[:wanted].astype(np.int64)


def _draw(recipe: Recipe, labels: np.ndarray, draws: Draws) -> np.ndarray:
    """Return one whole chunk of pictures, (CHUNK, 3, H, W) uint8."""
    n, size = len(labels), recipe.size
    unit = size / 32
    images = _background(size, n, draws)
    for _ in range(recipe.clutter):
        x, y = draws.uniform(0, size, 2, n)
        disc = _Object(x, y, draws.uniform(1.5 * unit, 4 * unit, n), None)
        _paint(images, disc, recipe, draws)
    pair = _pair(recipe, labels, draws)
    for textured in pair if draws.below(2) else pair[::-1]:
        _paint(images, textured, recipe, draws)
    # another exposure for each picture, then the grain of the film
    images -= np.float32(0.5)
    images *= draws.uniform(0.75 * 255, 1.15 * 255, n, 1, 1, 1)
    images += draws.uniform(0.4 * 255, 0.6 * 255, n, 1, 1, 1)
    images += draws.normal(0.12 * 255 * recipe.difficulty, n, 3, size, size)
    return np.clip(images + np.float32(0.5), 0, 255.5).astype(np.uint8)


def _background(size: int, n: int, draws: Draws) -> Floats:
    """Return one colour and soft blobs of three sizes, (n, 3, size, size)."""
    blobs = _grow(draws.normal(1.0, n, 3, 3, 3), 6) + draws.normal(0.6, n, 3, 6, 6)
    blobs = _grow(blobs, 12) + draws.normal(0.35, n, 3, 12, 12)
    return draws.uniform(0.25, 0.75, n, 3, 1, 1) + np.float32(0.15) * _grow(blobs, size)


def _grow(grid: Floats, size: int) -> Floats:
    """Fill in the values between the points of a grid: (n, 3, k, k) -> (n, 3, size, size)."""
    k = grid.shape[-1]
    place = np.arange(size, dtype=np.float32) * np.float32((k - 1) / (size - 1))
    low = np.minimum(place.astype(np.int64), k - 2)
    share = place - low.astype(np.float32)
    share = share * share * (np.float32(3) - np.float32(2) * share)  # no crease at the points
    rows = grid[:, :, low] + share[:, None] * (grid[:, :, low + 1] - grid[:, :, low])
    return rows[..., low] + share * (rows[..., low + 1] - rows[..., low])


def _pair(recipe: Recipe, labels: np.ndarray, draws: Draws) -> tuple[_Object, _Object]:
    """Place the upper and the lower object; where they lie does not depend on the class."""
    n, unit = len(labels), recipe.size / 32
    middle = (recipe.size - 1) / 2
    # anywhere in the picture: a place near the border would tell which object it is
    spare = max(0.0, (recipe.size - recipe.distance) / 2 - recipe.radius)
    around = max(0.0, recipe.size / 2 - recipe.radius - 2 * unit)
    gap = draws.uniform(0.475 * recipe.distance, 0.525 * recipe.distance, n)
    y = draws.uniform(middle - spare, middle + spare, n)
    x = draws.uniform(middle - around, middle + around, n)
    first, swapped = labels // 2, labels % 2
    second = (first + 1) % 5
    found = []
    for sign, texture in (
        (-1, np.where(swapped, second, first)),
        (1, np.where(swapped, first, second)),
    ):
        aside = draws.uniform(-2 * unit, 2 * unit, n)
        radius = draws.uniform(0.87 * recipe.radius, 1.13 * recipe.radius, n)
        found.append(_Object(x + aside, y + np.float32(sign) * gap, radius, texture))
    return found[0], found[1]


def _paint(images: Floats, thing: _Object, recipe: Recipe, draws: Draws) -> None:
    """Lay one object over each picture, in place."""
    n = len(images)
    at = np.arange(recipe.size, dtype=np.float32)
    dx = at - thing.x[:, None, None]
    dy = at[:, None] - thing.y[:, None, None]
    cover = _cover(np.abs(dx), np.abs(dy), thing.radius, draws)
    # images + cover · (object - images), channel by channel: no array larger than it must be
    colour = draws.uniform(0.2, 0.8, n, 3)
    waves = _waves(thing, recipe, dx, dy, draws)
    for c in range(3):
        over = colour[:, c, None, None] - images[:, c]
        for strength, wave in waves:
            over += strength[:, c, None, None] * wave
        images[:, c] += cover * over


def _cover(ax: Floats, ay: Floats, radius: Floats, draws: Draws) -> Floats:
    """Return how much of each pixel the object covers, 0 to 1: a square, a diamond, an octagon."""
    shape = draws.below(3, len(radius))
    larger = np.array([1.12, 0.0, 0.66], np.float32)[shape][:, None, None]
    both = np.array([0.0, 0.8, 0.32], np.float32)[shape][:, None, None]
    reach = larger * np.maximum(ax, ay) + both * (ax + ay)
    inside = (radius[:, None, None] - reach) * np.float32(1 / _SOFT) + np.float32(0.5)
    return np.clip(inside, 0, 1)


def _waves(
    thing: _Object, recipe: Recipe, dx: Floats, dy: Floats, draws: Draws
) -> list[tuple[Floats, Floats]]:
    """Return (strength (n, 3), wave (n, H, W)) of the texture, and of the one that misleads."""
    if thing.texture is None:
        return []
    n = len(thing.x)
    contrast = draws.uniform(0.03, 0.40, n, 1)
    if not recipe.chroma:
        grey = np.repeat(contrast, 3, axis=1)
        return [(grey, _wave(thing.texture, recipe.period, dx, dy, draws))]
    # red, green and blue of a hue sum to zero: the mean of the channels shows nothing of it
    cos, sin = table(CIRCLE)[draws.below(HUES, n)].T
    half, slant = np.float32(0.5), np.sqrt(np.float32(0.75))
    hue = np.stack([cos, -half * cos + slant * sin, -half * cos - slant * sin], 1)
    colour = hue * contrast * np.sqrt(np.float32(2))
    misleading = _wave(draws.below(5, n), recipe.period, dx, dy, draws)
    grey = np.repeat(draws.uniform(0.03, 0.40, n, 1), 3, axis=1)
    return [
        (colour, _wave(thing.texture, recipe.period, dx, dy, draws)),
        (grey, misleading),
    ]


def _wave(texture: np.ndarray, period: float, dx: Floats, dy: Floats, draws: Draws) -> Floats:
    """Return the textures around the objects' centres, (n, H, W), of mean 0 and deviation 1."""
    n = len(texture)
    rate = np.float32(STEPS) / draws.uniform(0.82 * period, 1.18 * period, n)  # steps per pixel
    start = draws.uniform(0, STEPS, 2, n)
    tilt = draws.uniform(-0.15, 0.15, n)
    side = np.float32(1) - np.float32(2) * draws.below(2, n).astype(np.float32)
    slant = np.sqrt(np.float32(0.5))
    across = np.where(texture == DIAGONAL, slant, np.float32(1) * (texture != HORIZONTAL))
    down = np.where(texture == DIAGONAL, slant * side, np.float32(1) * (texture == HORIZONTAL))
    rate = np.where(texture == CHECKER, rate * _CELL, rate)
    fx, fy = rate * (across - tilt * down), rate * (down + tilt * across)
    wave = table(WAVE) * _LEVEL
    phase = fx[:, None, None] * dx + fy[:, None, None] * dy
    ring = np.flatnonzero(texture == RINGS)
    phase[ring] = rate[ring, None, None] * np.sqrt(dx[ring] * dx[ring] + dy[ring] * dy[ring])
    found = _look(wave, phase + start[0][:, None, None])
    cell = np.flatnonzero(texture == CHECKER)
    # the second wave of a checker runs at a right angle to the first
    phase = fx[cell, None, None] * dy[cell] - fy[cell, None, None] * dx[cell]
    found[cell] *= _look(wave, phase + start[1][cell, None, None])
    return found


def _look(wave: Floats, phase: Floats) -> Floats:
    return np.take(wave, phase.astype(np.int32) & np.int32(STEPS - 1))
