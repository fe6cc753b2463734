"""Pictures and their labels, held in memory: `Dataset`, and the `Splits` into train and test."""

from __future__ import annotations

import hashlib
import html
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lightcourse.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images (N, C, H, W) uint8 with labels (N,) int64 that count from 0 into `classes`.

    `mean` and `std` are those of the channels, of pixels from 0 to 1; found from the images where
    they are not given. `about` is the data card: what the pictures are, and what they are not.

    Raises:
        UserError: shapes or types do not fit, a label has no class, there is one class only.

    >>> data = Dataset(torch.zeros(4, 3, 8, 8).byte(), torch.tensor([0, 1, 0, 1]), ("cat", "dog"))
    >>> len(data), data.shape, data.counts
    (4, (3, 8, 8), (2, 2))
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    name: str = "own"
    about: str = ""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        _refuse(self)
        _refuse_statistics(self)
        if not self.mean or not self.std:
            mean, std = _statistics(self.images)
            object.__setattr__(self, "mean", mean)
            object.__setattr__(self, "std", std)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    @property
    def counts(self) -> tuple[int, ...]:
        """How many images each class has."""
        return tuple(torch.bincount(self.labels, minlength=len(self.classes)).tolist())

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all bytes that training sees: equal for equal data on every machine."""
        whole = hashlib.sha256(
            repr((self.images.shape, self.classes, self.mean, self.std)).encode()
        )
        whole.update(self.images.cpu().contiguous().numpy().tobytes())
        whole.update(self.labels.cpu().numpy().astype("<i8").tobytes())
        return whole.hexdigest()

    def subset(self, n: int, seed: int | None = None) -> Dataset:
        """Return n images, each class with the share it has here; a seed picks others.

        Without a seed the first images of each class are taken. `mean` and `std` stay.

        Raises:
            UserError: n is not from 1 to the number of images.

        >>> labels = torch.tensor([0, 0, 0, 0, 1, 1])
        >>> data = Dataset(torch.zeros(6, 1, 2, 2).byte(), labels, ("a", "b"))
        >>> data.subset(3).labels.tolist()
        [0, 0, 1]
        """
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= len(self):
            raise UserError(f"{self.name} has {len(self)} images; a subset of {n} is not possible.")
        if n == len(self):
            return self
        return self._take(self._in_shares(seed)[:n])

    def split(self, share: float = 0.8, seed: int = 0) -> Splits:
        """Return two parts that share no image, train with `share` of each class and test.

        Raises:
            UserError: the share leaves one of the parts empty.

        >>> data = Dataset(torch.zeros(10, 1, 2, 2).byte(), torch.arange(10) % 2, ("a", "b"))
        >>> [len(part) for part in data.split(0.6)]
        [6, 4]
        """
        number = isinstance(share, int | float) and not isinstance(share, bool)
        if not number or not 0 < share < 1:
            raise UserError(f"a share of {share!r} is no number between 0 and 1, as in split(0.8).")
        n = round(share * len(self))
        if not 0 < n < len(self):
            raise UserError(
                f"a share of {share} of {len(self)} images leaves one of the two parts empty; "
                "choose one nearer to a half, as split(0.8)."
            )
        order = self._in_shares(seed)
        # train's statistics must not know the test images
        train, test = (
            replace(self._take(part), mean=(), std=()) for part in (order[:n], order[n:])
        )
        return Splits(train, test)

    def _in_shares(self, seed: int | None) -> Tensor:
        """Indices in an order in which every beginning has the classes in their shares."""
        n = len(self)
        order = torch.arange(n)
        if seed is not None:
            order = torch.from_numpy(np.random.default_rng(seed).permutation(n))
        labels = self.labels[order]
        place = torch.empty(n, dtype=torch.float64)
        for label, count in enumerate(self.counts):
            # the middles of `count` equal steps from 0 to 1
            place[labels == label] = (torch.arange(count, dtype=torch.float64) + 0.5) / count
        return order[torch.sort(place, stable=True).indices]

    def _take(self, chosen: Tensor) -> Dataset:
        chosen = chosen.sort().values
        return replace(self, images=self.images[chosen], labels=self.labels[chosen])

    def card(self) -> str:
        """Return what this data is, in a few lines: numbers from the data, then `about`."""
        channels, height, width = self.shape
        low, high = min(self.counts), max(self.counts)
        each = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        names = ", ".join(self.classes[:10]) + (", …" if len(self.classes) > 10 else "")
        lines = [
            f"{self.name}: {len(self):,} images of {height} × {width} px, {channels} "
            f"channel{'s' * (channels > 1)}, {len(self.classes)} classes with {each} images each",
            f"classes: {names}",
            "mean " + _numbers(self.mean) + ", deviation " + _numbers(self.std),
        ]
        return "\n".join(lines + ([self.about] if self.about else []))

    def figure(self, per_class: int = 8) -> Figure:
        """Return a contact sheet: one row for each class, `per_class` images in it."""
        from lightcourse.training.data._sheet import contact_sheet

        return contact_sheet(self, per_class)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.card())}</pre>"

    def __repr__(self) -> str:
        size = "×".join(map(str, self.images.shape))
        return f"<Dataset {self.name}: {size} uint8, {len(self.classes)} classes>"


@dataclass(frozen=True, eq=False)
class Splits:
    """What to train on and what to test on; both are normalised with train's mean and std.

    Raises:
        UserError: the two do not have the same classes and image sizes.

    >>> data = Dataset(torch.zeros(10, 1, 2, 2).byte(), torch.arange(10) % 2, ("a", "b"))
    >>> train, test = data.split(0.8)
    >>> test.mean == train.mean
    True
    """

    train: Dataset
    test: Dataset

    def __post_init__(self) -> None:
        train, test = self.train, self.test
        for name, part in (("train", train), ("test", test)):
            if not isinstance(part, Dataset):
                raise UserError(f"{name} must be a Dataset; this is {type(part).__name__}.")
        if train.classes != test.classes or train.shape != test.shape:
            raise UserError(
                f"train and test do not fit together: {train.shape} with {len(train.classes)} "
                f"classes and {test.shape} with {len(test.classes)}; give parts of the same data."
            )
        object.__setattr__(self, "test", replace(test, mean=train.mean, std=train.std))

    def __iter__(self) -> Iterator[Dataset]:
        return iter((self.train, self.test))

    @property
    def name(self) -> str:
        """The name of the data."""
        return self.train.name

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.train.classes

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        return self.train.shape

    @property
    def fingerprint(self) -> str:
        """A hash of all bytes of both parts."""
        both = self.train.fingerprint + self.test.fingerprint
        return hashlib.sha256(both.encode()).hexdigest()

    def subset(self, train: int | None = None, test: int | None = None) -> Splits:
        """Return fewer images of each part; see `Dataset.subset`. None keeps all."""
        return Splits(
            self.train if train is None else self.train.subset(train),
            self.test if test is None else self.test.subset(test),
        )

    def card(self) -> str:
        """Return train's data card, and the number of test images."""
        first, *rest = self.train.card().splitlines()
        return "\n".join([f"{first}; {len(self.test):,} other images to test on", *rest])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.card())}</pre>"


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.3f}" for value in values)


def _statistics(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of each channel from whole numbers: the same digits on every machine."""
    means, deviations = [], []
    for channel in images.unbind(1):
        counts = torch.bincount(channel.reshape(-1), minlength=256).tolist()
        n = channel.numel()
        total = sum(count * value for value, count in enumerate(counts))
        squares = sum(count * value**2 for value, count in enumerate(counts))
        means.append(total / (255 * n))
        # a channel of one value has no deviation; 1 leaves it at 0 and divides nothing by 0
        deviations.append(math.sqrt((n * squares - total**2) / n**2) / 255 or 1.0)
    return tuple(means), tuple(deviations)


def _refuse(data: Dataset) -> None:
    images, labels = data.images, data.labels
    if not isinstance(images, Tensor) or images.dtype != torch.uint8 or images.ndim != 4:
        found = (
            f"{images.dtype} {tuple(images.shape)}" if isinstance(images, Tensor) else "no tensor"
        )
        raise UserError(
            f"images must be a uint8 tensor (N, C, H, W), values 0 to 255; got {found}."
        )
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64 or labels.ndim != 1:
        found = (
            f"{labels.dtype} {tuple(labels.shape)}" if isinstance(labels, Tensor) else "no tensor"
        )
        raise UserError(f"labels must be an int64 tensor (N,), one whole number each; got {found}.")
    if len(images) != len(labels):
        raise UserError(f"there are {len(images)} images but {len(labels)} labels; give one each.")
    if images.numel() == 0:
        raise UserError(f"{data.name} has no images; a data set needs at least one.")
    if len(data.classes) < 2:
        raise UserError(
            f"{data.name} has one class only ({', '.join(data.classes) or 'no name'}): nothing can "
            "be told apart; give images of at least two classes."
        )
    twice = sorted({str(c) for c in data.classes if data.classes.count(c) > 1})
    if twice:
        raise UserError(
            f"{data.name} has two classes of the name {twice[0]!r}; give each a name of its own."
        )
    wrong = labels[(labels < 0) | (labels >= len(data.classes))]
    if len(wrong):
        raise UserError(
            f"label {int(wrong[0])} is out of range: {len(data.classes)} classes have the labels 0 "
            f"to {len(data.classes) - 1}; count classes from 0 and name all of them."
        )


def _refuse_statistics(data: Dataset) -> None:
    if not data.mean and not data.std:
        return
    channels = data.images.shape[1]
    if len(data.mean) != channels or len(data.std) != channels:
        raise UserError(
            f"mean and std need a number for each of the {channels} channels, or leave both out; "
            f"got {len(data.mean)} and {len(data.std)}."
        )
    if not all(math.isfinite(v) for v in (*data.mean, *data.std)) or min(data.std) <= 0:
        raise UserError(
            f"mean must be finite and std above 0, as pixels are divided by it; got {data.mean} "
            f"and {data.std}."
        )
