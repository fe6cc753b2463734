"""The built-in data: two textured objects in clutter, ten classes, made from a seed."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import torch

from lightcourse.errors import UserError
from lightcourse.training.data import _cache
from lightcourse.training.data._dataset import Dataset, Splits
from lightcourse.training.data._pairs import CLASSES, RECIPE, TEXTURES, Recipe, pictures

SIZES = (16, 32, 64)
# pixels at each size: between the centres of the objects, their radius, the period of the textures
LENGTHS = {16: (7.75, 3.7, 3.4), 32: (14.0, 5.0, 3.6), 64: (28.0, 10.0, 7.2)}
ROOM = 0.75  # of a radius between the objects and the border, on average: less gives order away

ABOUT = """\
What it is: computer-made pictures of two textured objects, one above the other, among plain
discs on a soft background with grain. Made from a seed: the same bytes on every machine.
Class: which pair of textures, and which of the two is on top: 2 × pair + order. The textures are
{textures} (the first three are stripes); neighbours
in this list make four pairs, and the last makes the fifth with the first.
What one must see: nothing gives 10 %, one texture 25 %, both 50 %, both and their order 100 %.
So a network needs fine detail, and a look at both objects at once. {colour}
What does not help: position, size, colour, brightness and number of the objects are drawn without
looking at the class. A linear classifier on the pixels stays near chance.
Settings, lengths in pixels:
{settings}.{border}
What it is not: natural pictures. There are no things of the world in it, no scenes, no people, and
a good result here says nothing about accuracy on CIFAR-10 or ImageNet. Use it to see *that* and
*why* a design choice matters, then measure on real pictures.
A mirror image (left and right) keeps its class; upside down it has another."""
CHROMA = """The textures are in
colour and sum to zero over red, green and blue, above a misleading texture in grey: one channel
alone does not tell which is which, so channels must be mixed."""
BORDER = """
The objects lie so near the upper and lower border that a network which pads with zeros can see
there which one is on top, without a look at both: ask nothing of the receptive field here."""
GREY = """The textures
are in brightness, without a misleading one: every channel alone shows all of them."""


def builtin(
    train: int = 10_000,
    test: int = 2_000,
    size: int = 32,
    seed: int = 0,
    *,
    distance: float | None = None,
    radius: float | None = None,
    period: float | None = None,
    difficulty: float = 1.0,
    chroma: bool = True,
    clutter: int = 3,
    cache: bool = True,
) -> Splits:
    """Make the built-in pictures: (train, 3, size, size) and (test, 3, size, size), ten classes.

    Args:
        train, test: how many images; the first of them are the same whatever the number.
        size: pixels a side, 16, 32 or 64. The lengths below grow with it.
        seed: other pictures of the same kind.
        distance: pixels from the upper object's centre down to the lower one's, ±5 %. With much
            more than here the border tells which one is on top; the card then says so.
        radius: pixels from an object's centre to its edge, ±13 %.
        period: pixels from stripe to stripe, ±18 %; larger is coarser.
        difficulty: grain against texture: 0 has no grain, 1 is as tried, 2 has twice as much.
        chroma: textures in colour over a misleading one in grey (True), or in brightness.
        clutter: how many plain discs.
        cache: keep the pictures in the user's folder, so that they are there at once next time.

    Raises:
        UserError: a setting is not possible; the message says what is.

    >>> train, test = builtin(100, 20, size=16, cache=False)
    >>> tuple(train.images.shape), train.counts
    ((100, 3, 16, 16), (10, 10, 10, 10, 10, 10, 10, 10, 10, 10))
    """
    if isinstance(size, bool) or not isinstance(size, int) or size not in SIZES:
        raise UserError(f"size {size!r} is not one of {', '.join(map(str, SIZES))} px a side.")
    given = (distance, radius, period)
    lengths = [own if v is None else v for v, own in zip(given, LENGTHS[size], strict=True)]
    _refuse(size, *lengths, difficulty=difficulty)
    for what, value, least in (
        ("train", train, 1), ("test", test, 1), ("seed", seed, 0), ("clutter", clutter, 0),
    ):  # fmt: skip
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise UserError(f"{what}={value!r} does not work; give a whole number from {least} on.")
    for what, value in (("chroma", chroma), ("cache", cache)):
        if not isinstance(value, bool):
            raise UserError(f"{what}={value!r} does not work; give True or False.")
    away, wide, fine = (float(length) for length in lengths)
    recipe = Recipe(size, away, wide, fine, float(difficulty), chroma, clutter, seed)
    about = _about(recipe)
    parts = []
    for part, count in enumerate((train, test)):
        images, labels = _made(recipe, part, count, cache)
        parts.append(
            Dataset(torch.from_numpy(images), torch.from_numpy(labels), CLASSES, "builtin", about)
        )
    return Splits(*parts)


def _made(recipe: Recipe, part: int, count: int, cache: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels, from the cache where it has them whole."""
    settings = {"recipe": RECIPE, "part": part, "count": count, **asdict(recipe)}
    path = _cache.path_of(repr(sorted(settings.items())))
    if cache and (kept := _cache.read(path)) and _fits(kept, recipe.size, count):
        return kept
    images, labels = _room(count, recipe.size)
    done = 0
    for some, their in pictures(recipe, part, count):
        images[done : done + len(some)], labels[done : done + len(some)] = some, their
        done += len(some)
    if cache:
        _cache.write(path, (images, labels))
    return images, labels


def _room(count: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    try:
        return np.empty((count, 3, size, size), np.uint8), np.empty(count, np.int64)
    except (MemoryError, ValueError) as error:  # ValueError: more than any machine can address
        raise UserError(
            f"{count:,} images of {size} × {size} px need {count * 3 * size**2 / 1e9:,.1f} GB of "
            "memory, more than there is; ask for fewer."
        ) from error


def _fits(kept: tuple[np.ndarray, np.ndarray], size: int, count: int) -> bool:
    images, labels = kept
    return (
        (images.shape, images.dtype) == ((count, 3, size, size), np.uint8)
        and (labels.shape, labels.dtype) == ((count,), np.int64)
        and 0 <= labels.min() <= labels.max() < len(CLASSES)
    )


def _about(recipe: Recipe) -> str:
    spare = (recipe.size - recipe.distance) / 2 - recipe.radius
    shown = (f"{name} {value:g}" for name, value in asdict(recipe).items() if name != "chroma")
    return ABOUT.format(
        textures=", ".join(TEXTURES),
        colour=CHROMA if recipe.chroma else GREY,
        border="" if spare >= ROOM * recipe.radius else BORDER,
        settings=", ".join(shown) + f"; textures in {'colour' if recipe.chroma else 'brightness'}",
    )


def _refuse(size: int, distance: float, radius: float, period: float, *, difficulty: float) -> None:
    """Raise UserError where an object would leave the picture, hide the other, or show nothing."""
    limits = {
        "radius": (radius, size / 16, size / 4),
        "period": (period, 2.0, 2 * radius),
        "distance": (distance, 1.5 * radius, size - 2 * radius),
        "difficulty": (difficulty, 0.0, 10.0),
    }
    for what, (value, low, high) in limits.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not low <= value <= high:
            raise UserError(
                f"{what}={value!r} does not work in pictures of {size} px with radius {radius:g}; "
                f"choose {low:g} to {high:g}."
                if what in ("distance", "period")
                else f"{what}={value!r} does not work; choose {low:g} to {high:g}."
            )
