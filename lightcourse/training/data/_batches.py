"""Batches of a data set held in memory: shuffled, changed at random, normalised, on a device."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lightcourse.errors import UserError
from lightcourse.training.data._augment import Augment
from lightcourse.training.data._dataset import Dataset


class Batches:
    """Iterate over (images, labels): float32 (B, C, H, W) and int64 (B,).

    Images are normalised with the mean and std of the data set. With mixup or cutmix the labels are
    shares of the classes, float32 (B, K). All images stay on the device as uint8; the random
    numbers are drawn on the CPU, so every device gets the same batches. Each pass is another epoch;
    epoch e of a seed is always the same, and `batches.epoch = e` makes the next pass that one, as a
    resumed training needs.

    Args:
        augment: what to change at random; None leaves the images as they are.
        drop_last: leave out a last batch that is not full.
        channels_last: give images in that memory format, in which convolutions are faster.
        part: (i, k) gives each k-th image of each batch from the i-th on: with one process for each
            i, k processes see together what one process would see.

    Raises:
        UserError: the batch size does not fit the data or the parts; no such device.

    >>> from lightcourse.training.data import builtin
    >>> batches = Batches(builtin(100, 10, size=16, cache=False).train, 40, augment=Augment())
    >>> [(tuple(images.shape), len(labels)) for images, labels in batches]
    [((40, 3, 16, 16), 40), ((40, 3, 16, 16), 40), ((20, 3, 16, 16), 20)]
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int = 64,
        augment: Augment | None = None,
        device: str | torch.device = "cpu",
        seed: int = 0,
        shuffle: bool = True,
        drop_last: bool = False,
        *,
        channels_last: bool = True,
        part: tuple[int, int] = (0, 1),
    ):
        _refuse(dataset, batch_size, drop_last, part)
        _refuse_draws(augment, seed, dataset.shape)
        self.dataset, self.batch_size, self.augment = dataset, batch_size, augment
        self.seed, self.shuffle, self.drop_last, self.part = seed, shuffle, drop_last, part
        self.epoch = 0
        self._format = torch.channels_last if channels_last else torch.contiguous_format
        try:
            self._images = dataset.images.contiguous().to(device)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"the images do not fit on the device {device} ({reason}); use 'cpu'."
            ) from error
        self.device = self._images.device
        self._labels = dataset.labels.to(self.device)
        mean, std = (
            torch.tensor(v, device=self.device)[:, None, None] for v in (dataset.mean, dataset.std)
        )
        self._scale, self._shift = 1 / std, -mean / std

    def __len__(self) -> int:
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole if self.drop_last or not rest else whole + 1

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        self.epoch += 1
        count = len(self.dataset)
        order = torch.from_numpy(rng.permutation(count) if self.shuffle else np.arange(count))
        for chosen in order.split(self.batch_size)[: len(self)]:
            images, labels = self._batch(chosen.to(self.device), rng)
            mine = slice(self.part[0], None, self.part[1])
            yield images[mine].contiguous(memory_format=self._format), labels[mine]

    def _batch(self, chosen: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        raw, labels = self._images.index_select(0, chosen), self._labels.index_select(0, chosen)
        augment = self.augment
        if augment is None:
            return self._normalised(raw.float().mul_(1 / 255)), labels
        images = augment.move(raw, rng).float().mul_(1 / 255)
        images = augment.bend(self._normalised(augment.recolour(images, rng)), rng)
        if augment.soft:
            shares = F.one_hot(labels, len(self.dataset.classes)).float()
            return augment.mix(images, shares, rng)
        return images, labels

    def _normalised(self, images: Tensor) -> Tensor:
        return images.mul_(self._scale).add_(self._shift)


def _refuse(dataset: Dataset, batch_size: int, drop_last: bool, part: tuple[int, int]) -> None:
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise UserError(f"batch_size={batch_size!r} does not work; give a whole number from 1 on.")
    if drop_last and batch_size > len(dataset):
        raise UserError(
            f"a batch of {batch_size} is larger than the set of {len(dataset)} images; "
            f"use batch_size={len(dataset)} or less, or drop_last=False."
        )
    index, parts = part
    if not 0 <= index < parts or batch_size % parts:
        raise UserError(
            f"part {index} of {parts} of batches of {batch_size} is not possible; "
            f"the batch size must be a multiple of the number of parts."
        )


def _refuse_draws(augment: Augment | None, seed: int, shape: tuple[int, int, int]) -> None:
    if augment is not None and not isinstance(augment, Augment):
        raise UserError(f"augment={augment!r} does not work; give Augment(...) or None.")
    if augment is not None:
        augment.refuse(*shape[1:])
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise UserError(f"seed={seed!r} does not work; give a whole number from 0 on.")
