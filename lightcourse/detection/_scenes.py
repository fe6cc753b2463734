"""Scenes to find objects in: made here from a seed, or put together from pictures of your own."""

from __future__ import annotations

import hashlib
import html
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lightcourse.detection._scene_pixels import (
    CHUNK,
    CLASSES,
    CLUTTER,
    RECIPE,
    ROW,
    SceneRecipe,
    paint_scenes,
)
from lightcourse.detection.boxes import check_boxes
from lightcourse.detection.losses import Truth, pad_truth
from lightcourse.detection.results import Objects
from lightcourse.errors import UserError
from lightcourse.training.data import _cache

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDES = (64, 96, 128)
MOST_OBJECTS = 12
HIDDEN = 0.25  # of an object less than this is seen: then nobody must find it

ABOUT = """\
What it is: computer-made pictures with several plain shapes ({classes}) on a soft
background with grain, among {clutter} that are of no class. Made from a seed: the same bytes on
every machine.
Boxes: exact, from side to side of the whole shape, to a fraction of a pixel; later shapes lie
over earlier ones. `seen` says which share of a shape is not covered; one below {hidden:.0%} counts
as difficult: nobody must find it.
What does not help: place, size, colour and number are drawn without looking at the class.
Settings, lengths in pixels:
{settings}.
What it is not: natural pictures. There are no things of the world in it, no light, no turning
round, and a good result here says nothing about COCO. Use it to see *how* a detector learns.
A mirror image (left and right) keeps its classes; upside down a triangle is none any more."""


@dataclass(frozen=True, eq=False, repr=False)
class Scenes:
    """Images (N, 3, H, W) uint8 with the objects in each, padded to equal number.

    boxes (N, K, 4) xyxy in pixels, labels (N, K) from 0, -1 for no object, seen (N, K) the share
    of each that is not covered. `of` makes them from lists.

    >>> part = scenes(10, 5, size=64, cache=False).train
    >>> len(part), part.objects(0).boxes.shape[1]
    (10, 4)
    """

    images: Tensor
    boxes: Tensor
    labels: Tensor
    seen: Tensor
    classes: tuple[str, ...]
    name: str = "own"
    about: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        _refuse_parts(self)

    @classmethod
    def of(
        cls,
        images: Tensor,
        objects: Sequence[tuple[Tensor, Tensor]],
        classes: Sequence[str],
        name: str = "own",
        about: str = "",
    ) -> Scenes:
        """Put pictures together with the (boxes (k, 4), labels (k,)) of each.

        >>> one = (torch.tensor([[1.0, 1, 5, 5]]), torch.tensor([0]))
        >>> len(Scenes.of(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), [one], ["cat"]))
        1
        """
        truth = pad_truth(objects)
        seen = (truth.labels >= 0).float()
        return cls(images, truth.boxes, truth.labels, seen, tuple(classes), name, about)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def truth(self) -> Truth:
        """What training is told: the objects of which enough is seen."""
        return Truth(self.boxes, torch.where(self.seen >= HIDDEN, self.labels, -1))

    def objects(self, index: int) -> Objects:
        """Return what is in one picture, for `mean_average_precision`."""
        there = self.labels[index] >= 0
        hidden = self.seen[index][there] < HIDDEN
        return Objects(self.boxes[index][there], self.labels[index][there], difficult=hidden)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many objects of each class there are."""
        there = self.labels[self.labels >= 0]
        return tuple(torch.bincount(there, minlength=len(self.classes)).tolist())

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all bytes that training sees: equal for equal data on every machine."""
        whole = hashlib.sha256(repr((self.images.shape, self.classes)).encode())
        for part in (self.images, self.boxes, self.labels, self.seen):
            whole.update(part.cpu().contiguous().numpy().tobytes())
        return whole.hexdigest()

    def subset(self, n: int) -> Scenes:
        """Return the first n scenes."""
        if type(n) is not int or not 1 <= n <= len(self):
            raise UserError(f"{self.name} has {len(self)} scenes; a subset of {n} is not possible.")
        parts = (self.images[:n], self.boxes[:n], self.labels[:n], self.seen[:n])
        return Scenes(*parts, self.classes, self.name, self.about)

    def card(self) -> str:
        """Return the data card: what this is, what it is not, and the numbers counted here."""
        there = self.labels >= 0
        sizes = (self.boxes[..., 2:] - self.boxes[..., :2])[there]
        hidden = int((self.seen[there] < 1).sum())
        per_class = ", ".join(f"{n} {c:,}" for n, c in zip(self.classes, self.counts, strict=True))
        longer = sizes.amax(1).tolist() or [0.0]
        lines = [
            f"{self.name}: {len(self):,} scenes of {self.images.shape[3]} × {self.images.shape[2]} "
            f"px, {int(there.sum()):,} objects ({per_class})",
            f"longer side of a box: {min(longer):.1f} to {max(longer):.1f} px; objects that are "
            f"partly covered: {hidden:,}",
            f"sha256 of pixels and boxes: {self.fingerprint}",
        ]
        return "\n".join([*lines, self.about] if self.about else lines)

    def figure(self, count: int = 8) -> Figure:
        """Draw the first scenes with their boxes."""
        from lightcourse.detection._figures import draw_boxes

        there = [self.objects(index) for index in range(min(count, len(self)))]
        return draw_boxes(self.images[: len(there)], None, there, self.classes)

    def __repr__(self) -> str:
        return self.card().splitlines()[0]

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.card())}</pre>"


class SceneSplits(NamedTuple):
    """Scenes to train on, and others to test with."""

    train: Scenes
    test: Scenes


def scenes(
    train: int = 2_000,
    test: int = 300,
    size: int = 96,
    seed: int = 0,
    *,
    objects: tuple[int, int] = (2, 5),
    lengths: tuple[float, float] | None = None,
    occlusion: float = 0.3,
    clutter: int = 4,
    difficulty: float = 1.0,
    cache: bool = True,
) -> SceneSplits:
    """Make scenes of shapes in clutter, (N, 3, size, size), with exact boxes and four classes.

    Args:
        train, test: how many scenes; the first of them are the same whatever the number.
        size: pixels a side, 64, 96 or 128.
        seed: other scenes of the same kind.
        objects: fewest and most a scene; one that finds no place is left out.
        lengths: shortest and longest side of a box in pixels, about 15 % and 42 % of the side.
            The longer side of a box lies between them, the other is up to a quarter shorter.
        occlusion: largest share of the smaller of two boxes that the other may lie over: 0 keeps
            the boxes apart, 1 lets them lie anywhere.
        clutter: how many diamonds and bars lie below the objects.
        difficulty: grain: 0 has none, 1 is as tried, 2 has twice as much.
        cache: keep the scenes in the user's folder, so that they are there at once next time.

    Raises:
        UserError: a setting is not possible; the message says what is.

    >>> train, test = scenes(20, 5, cache=False)
    >>> tuple(train.images.shape), train.classes
    ((20, 3, 96, 96), ('disc', 'square', 'triangle', 'cross'))
    """
    if type(size) is not int or size not in SIDES:
        raise UserError(f"size {size!r} is not one of {', '.join(map(str, SIDES))} px a side.")
    for what, value, least in (("train", train, 1), ("test", test, 1), ("seed", seed, 0)):
        if type(value) is not int or value < least:
            raise UserError(f"{what}={value!r} does not work; give a whole number from {least} on.")
    if not isinstance(cache, bool):
        raise UserError(f"cache={cache!r} does not work; give True or False.")
    given = (round(0.146 * size), round(0.42 * size)) if lengths is None else lengths
    fewest, most = _pair("objects", objects, 1, MOST_OBJECTS, whole=True)
    shortest, longest = _pair("lengths", given, 6, size / 2)
    for what, value, high in (("occlusion", occlusion, 1.0), ("difficulty", difficulty, 10.0)):
        _within(what, value, 0.0, high)
    if type(clutter) is not int or not 0 <= clutter <= 50:
        raise UserError(f"clutter={clutter!r} does not work; give a whole number from 0 to 50.")
    recipe = SceneRecipe(
        size, int(fewest), int(most), float(shortest), float(longest), float(occlusion), clutter,
        float(difficulty), seed,
    )  # fmt: skip
    return SceneSplits(*(_part(recipe, p, n, cache) for p, n in enumerate((train, test))))


def _part(recipe: SceneRecipe, part: int, count: int, cache: bool) -> Scenes:
    settings = {"scenes": RECIPE, "part": part, "count": count, **asdict(recipe)}
    path = _cache.path_of(repr(sorted(settings.items())))
    if cache and (kept := _cache.read(path)) and _fits(kept, recipe, count):
        images, rows = kept
    else:
        images, rows = _made(recipe, part, count)
        if cache:
            _cache.write(path, (images, rows))
    shown = ", ".join(f"{name} {value:g}" for name, value in asdict(recipe).items())
    about = ABOUT.format(
        classes=", ".join(CLASSES), clutter=" and ".join(f"{name}s" for name in CLUTTER),
        hidden=HIDDEN, settings=shown,
    )  # fmt: skip
    boxes, labels, seen = torch.from_numpy(rows).split([4, 1, 1], dim=-1)
    parts = (boxes.contiguous(), labels[..., 0].long(), seen[..., 0].contiguous())
    return Scenes(torch.from_numpy(images), *parts, CLASSES, "scenes", about)


def _made(recipe: SceneRecipe, part: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    if count * 3 * recipe.size**2 > 1 << 36:
        raise UserError(f"{count:,} scenes do not fit into memory; ask for fewer.")
    images = np.empty((count, 3, recipe.size, recipe.size), np.uint8)
    rows = np.empty((count, recipe.most, ROW), np.float32)
    for number, (some, their) in enumerate(paint_scenes(recipe, part, count)):
        start = number * CHUNK
        images[start : start + len(some)], rows[start : start + len(some)] = some, their
    return images, rows


def _fits(kept: tuple[np.ndarray, np.ndarray], recipe: SceneRecipe, count: int) -> bool:
    images, rows = kept
    side = recipe.size
    return (
        (images.shape, images.dtype) == ((count, 3, side, side), np.uint8)
        and (rows.shape, rows.dtype) == ((count, recipe.most, ROW), np.float32)
        and bool(np.isin(rows[..., 4], range(-1, len(CLASSES))).all())
    )


def _pair(
    what: str, value: object, low: float, high: float, whole: bool = False
) -> tuple[float, float]:
    kinds = int if whole else int | float
    good = isinstance(value, tuple | list) and len(value) == 2
    good = good and all(isinstance(v, kinds) and not isinstance(v, bool) for v in value)  # pyright: ignore
    if not good or not low <= value[0] <= value[1] <= high:  # pyright: ignore
        raise UserError(
            f"{what}={value!r} does not work; give two numbers, least and most, from {low:g} to "
            f"{high:g}."
        )
    return tuple(value)  # pyright: ignore


def _within(what: str, value: float, low: float, high: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        raise UserError(f"{what}={value!r} does not work; choose {low:g} to {high:g}.")


def _refuse_parts(part: Scenes) -> None:
    images, boxes, labels = part.images, part.boxes, part.labels
    if not isinstance(images, Tensor) or images.dim() != 4 or images.dtype != torch.uint8:
        raise UserError("images are one uint8 tensor (N, 3, H, W).")
    check_boxes(boxes)
    if boxes.dim() != 3 or boxes.shape[:2] != labels.shape or labels.shape != part.seen.shape:
        raise UserError("boxes (N, K, 4), labels (N, K) and seen (N, K) do not fit together.")
    if len(images) != len(boxes):
        raise UserError(f"there are {len(images)} images and boxes of {len(boxes)} pictures.")
    if labels.numel() and not -1 <= int(labels.min()) <= int(labels.max()) < len(part.classes):
        raise UserError(
            f"labels count the {len(part.classes)} classes from 0, with -1 for no object; they go "
            f"from {int(labels.min())} to {int(labels.max())}."
        )
