"""The pixels of the built-in scenes: shapes in clutter, painted one over the other from a seed.

Only + - * / and square roots on float32, whole numbers and tables: every machine rounds these the
same way. Sums over many numbers are left out, for their order differs between machines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lightcourse.training.data._draws import Draws, Floats
from lightcourse.training.data._pairs import _background

RECIPE = 1  # another number for other pixels: the cache keeps what it made under it
CLASSES = ("disc", "square", "triangle", "cross")
CLUTTER = ("diamond", "bar")  # painted like objects, and none of them
CHUNK = 100  # scenes made at once; each chunk has its own seed
TRIES = 12  # places tried for an object before it is left out
ROW = 6  # x1, y1, x2, y2, class (-1: no object), share of it that can be seen
_HALF, _ONE = np.float32(0.5), np.float32(1)


@dataclass(frozen=True)
class SceneRecipe:
    """What the scenes look like; lengths in pixels. Two equal recipes make equal scenes."""

    size: int
    fewest: int
    most: int
    shortest: float
    longest: float
    occlusion: float
    clutter: int
    difficulty: float
    seed: int


def paint_scenes(
    recipe: SceneRecipe, part: int, count: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield chunks of images (n, 3, H, W) uint8 and rows (n, most, 6) float32, `count` in all.

    part: 0 for training, 1 for test. The first k of count scenes are the first k of any count.

    >>> recipe = SceneRecipe(96, 2, 5, 14.0, 40.0, 0.3, 4, 1.0, seed=0)
    >>> [images.shape for images, rows in paint_scenes(recipe, 0, 130)]
    [(100, 3, 96, 96), (30, 3, 96, 96)]
    """
    for chunk in range(-(-count // CHUNK)):
        wanted = min(CHUNK, count - chunk * CHUNK)
        draws = Draws(recipe.seed, part, chunk)
        images = _background(recipe.size, CHUNK, draws)
        _scatter(images, recipe, draws)
        rows = _place(recipe, draws)
        colours = _colours(CHUNK * recipe.most, draws).reshape(CHUNK, recipe.most, 3)
        for image, row, colour in zip(images[:wanted], rows, colours, strict=False):
            row[:, 5] = _paint_objects(image, row, colour)
        yield _expose(images, recipe, draws)[:wanted], rows[:wanted]


def _place(recipe: SceneRecipe, draws: Draws) -> Floats:
    """Choose class and box of every object, (CHUNK, most, 6); -1 as class where there is none."""
    n, most = CHUNK, recipe.most
    number = recipe.fewest + draws.below(most - recipe.fewest + 1, n)
    classes = draws.below(len(CLASSES), n, most)
    # squared, so that small ones are more frequent, as in photographs
    share = draws.uniform(0, 1, n, most)
    longer = recipe.shortest + share * share * np.float32(recipe.longest - recipe.shortest)
    shorter = longer * draws.uniform(0.75, 1, n, most)
    upright = draws.below(2, n, most).astype(bool)
    wide, high = np.where(upright, shorter, longer), np.where(upright, longer, shorter)
    left = draws.uniform(0, 1, n, most, TRIES) * (np.float32(recipe.size) - wide[..., None])
    top = draws.uniform(0, 1, n, most, TRIES) * (np.float32(recipe.size) - high[..., None])
    right, bottom = left + wide[..., None], top + high[..., None]
    tried = np.stack([left, top, right, bottom], axis=-1)
    rows = np.zeros((n, most, ROW), np.float32)
    rows[..., 4] = -1
    for scene in range(n):
        kept = 0
        for index in range(int(number[scene])):
            free = _first_free(tried[scene, index], rows[scene, :kept], recipe.occlusion)
            if free is not None:
                rows[scene, kept, :4] = free
                rows[scene, kept, 4] = classes[scene, index]
                kept += 1
    return rows


def _first_free(tried: Floats, rows: Floats, occlusion: float) -> Floats | None:
    """Return the first box that shares little enough of its own and of each earlier one's area."""
    if not len(rows):
        return tried[0]
    near = np.maximum(tried[:, None, :2], rows[:, :2])
    far = np.minimum(tried[:, None, 2:], rows[:, 2:4])
    sides = np.maximum(far - near, np.float32(0))
    shared = sides[..., 0] * sides[..., 1]
    own = (tried[:, 2] - tried[:, 0]) * (tried[:, 3] - tried[:, 1])
    theirs = (rows[:, 2] - rows[:, 0]) * (rows[:, 3] - rows[:, 1])
    smaller = np.minimum(own[:, None], theirs)
    fits = np.flatnonzero((shared <= np.float32(occlusion) * smaller).all(axis=1))
    return tried[fits[0]] if len(fits) else None


def _paint_objects(image: Floats, rows: Floats, colours: Floats) -> Floats:
    """Lay the objects of one scene over (3, H, W), in place; return the share of each one seen."""
    size = image.shape[-1]
    owner = np.full((size, size), -1)
    pixels = np.zeros(len(rows))
    for index, row in enumerate(rows):
        if row[4] >= 0:
            window, cover = _cover(row[:4], CLASSES[int(row[4])], size)
            _lay(image[:, *window], cover, colours[index])
            inside = cover >= _HALF
            pixels[index] = inside.sum()
            owner[window][inside] = index
    seen = np.bincount(owner[owner >= 0], minlength=len(rows))
    return (seen / np.maximum(pixels, 1)).astype(np.float32)  # one division: rounded alike


def _lay(part: Floats, cover: Floats, colour: Floats) -> None:
    """Move each pixel of (3, h, w) towards the colour, as far as the object covers it."""
    part += cover * (colour[:, None, None] - part)


def _cover(box: Floats, shape: str, size: int) -> tuple[tuple[slice, slice], Floats]:
    """Return the window of pixels around a box and how much of each the shape covers, 0 to 1.

    A pixel's middle lies at its number + ½; the shape reaches its box on all four sides.
    """
    x1, y1, x2, y2 = (np.float32(side) for side in box)
    columns = slice(max(0, int(x1) - 1), min(size, int(x2) + 2))
    rows = slice(max(0, int(y1) - 1), min(size, int(y2) + 2))
    a, b = (x2 - x1) * _HALF, (y2 - y1) * _HALF
    # place from -1 to 1 between the box's sides
    x = (np.arange(columns.start, columns.stop, dtype=np.float32) + _HALF - x1) / a - _ONE
    y = (np.arange(rows.start, rows.stop, dtype=np.float32) + _HALF - y1) / b - _ONE
    depth = SHAPES[shape](x[None, :], y[:, None])  # 0 at the edge, grows inwards
    return (rows, columns), np.clip(depth * min(a, b) + _HALF, 0, 1)


def _disc(x: Floats, y: Floats) -> Floats:
    return _ONE - np.sqrt(x * x + y * y)


def _square(x: Floats, y: Floats) -> Floats:
    return _ONE - np.maximum(np.abs(x), np.abs(y))


def _triangle(x: Floats, y: Floats) -> Floats:
    slope = np.float32(0.894427)  # 2 / √5: the slanted sides' normal
    return np.minimum(_ONE - y, slope * ((y + _ONE) * _HALF - np.abs(x)))


def _cross(x: Floats, y: Floats) -> Floats:
    ax, ay, thick = np.abs(x), np.abs(y), np.float32(0.34)
    return np.maximum(np.minimum(_ONE - ax, thick - ay), np.minimum(_ONE - ay, thick - ax))


def _diamond(x: Floats, y: Floats) -> Floats:
    return (_ONE - np.abs(x) - np.abs(y)) * np.float32(0.707107)


SHAPES = {
    "disc": _disc,
    "square": _square,
    "triangle": _triangle,
    "cross": _cross,
    "diamond": _diamond,
    "bar": _square,
}


def _colours(n: int, draws: Draws) -> Floats:
    """Draw n colours (n, 3), never near the middle grey that backgrounds tend to."""
    away = draws.uniform(0.18, 0.45, n, 3)
    sign = _ONE - np.float32(2) * draws.below(2, n, 3).astype(np.float32)
    return _HALF + sign * away


def _scatter(images: Floats, recipe: SceneRecipe, draws: Draws) -> None:
    """Paint the clutter, in place: diamonds and thin bars that lie below every object."""
    n, count, size = CHUNK, recipe.clutter, recipe.size
    if not count:
        return
    unit = size / 96
    kinds = draws.below(len(CLUTTER), n, count)
    first = draws.uniform(8 * unit, 26 * unit, n, count)
    second = np.where(kinds == 1, draws.uniform(2 * unit, 4 * unit, n, count), first)
    upright = draws.below(2, n, count).astype(bool)
    wide, high = np.where(upright, second, first), np.where(upright, first, second)
    x, y = draws.uniform(0, size, 2, n, count)
    colours = _colours(n * count, draws).reshape(n, count, 3)
    boxes = np.stack([x - wide, y - high, x + wide, y + high], axis=-1)
    middle = np.stack([x, y, x, y], axis=-1)
    boxes = middle + (boxes - middle) * _HALF
    for image, kind, box, colour in zip(images, kinds, boxes, colours, strict=True):
        for k, corners, paint in zip(kind, box, colour, strict=True):
            window, cover = _cover(corners, CLUTTER[k], size)
            _lay(image[:, *window], cover, paint)


def _expose(images: Floats, recipe: SceneRecipe, draws: Draws) -> np.ndarray:
    """Give each picture its own exposure and the grain of its film: floats to uint8."""
    n, size = len(images), recipe.size
    images -= _HALF
    images *= draws.uniform(0.7 * 255, 1.1 * 255, n, 1, 1, 1)
    images += draws.uniform(0.4 * 255, 0.6 * 255, n, 1, 1, 1)
    images += draws.normal(0.06 * 255 * recipe.difficulty, n, 3, size, size)
    return np.clip(images + _HALF, 0, 255.5).astype(np.uint8)
