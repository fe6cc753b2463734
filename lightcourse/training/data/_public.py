"""CIFAR-10, CIFAR-100 and Fashion-MNIST, read by torchvision; fetched only when asked for."""

from __future__ import annotations

import pickle
import tarfile
import warnings
import zlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch

from lightcourse._torchvision import import_torchvision
from lightcourse.errors import UserError
from lightcourse.paths import user_home
from lightcourse.training.data._dataset import Dataset, Splits

OFFER = 'or use load("builtin"), which is made here and needs no network'
# what reading a file that is not whole can end in
_BROKEN = (
    RuntimeError, OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, ImportError,
    AssertionError, IndexError, pickle.UnpicklingError, tarfile.TarError, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class _Source:
    """A public data set: torchvision's class, the folder and archive it makes, its card."""

    call: str
    title: str
    torchvision: str
    folder: str
    archive: str
    megabytes: int
    about: str


_CIFAR = (
    "Photographs shrunk to 32 × 32 px, labelled by people; some near-duplicates stand in both "
    "train and test. Its pictures were found on the web; the authors ask to be "
    "cited and give no licence."
)
CIFAR10 = _Source(
    "cifar10", "CIFAR-10", "CIFAR10", "cifar-10-batches-py", "cifar-10-python.tar.gz", 170,
    f"Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images. {_CIFAR}",
)  # fmt: skip
CIFAR100 = _Source(
    "cifar100", "CIFAR-100", "CIFAR100", "cifar-100-python", "cifar-100-python.tar.gz", 169,
    f"Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images. {_CIFAR}",
)  # fmt: skip
FASHION = _Source(
    "fashion_mnist", "Fashion-MNIST", "FashionMNIST", "FashionMNIST",
    "FashionMNIST/raw/train-images-idx3-ubyte.gz", 31,
    "Xiao, Rasul and Vollgraf 2017, Fashion-MNIST. Product photographs of clothes, grey, "
    "28 × 28 px, white on black; MIT licence.",
)  # fmt: skip


def cifar10(root: str | PathLike[str] | None = None, download: bool = False) -> Splits:
    """Return CIFAR-10: 50,000 and 10,000 colour photographs of 32 × 32 px in 10 classes.

    root: the folder that holds or gets it, by default the user's. download: fetch it (170 MB) if it
    is not there; torchvision shows how far it is and compares the checksum.

    Raises:
        UserError: it is not there, not whole, or could not be fetched.
    """
    return _read(CIFAR10, root, download)


def cifar100(root: str | PathLike[str] | None = None, download: bool = False) -> Splits:
    """Return CIFAR-100: as many photographs as `cifar10`, in 100 classes; see there."""
    return _read(CIFAR100, root, download)


def fashion_mnist(root: str | PathLike[str] | None = None, download: bool = False) -> Splits:
    """Return Fashion-MNIST: 60,000 and 10,000 grey images of 28 × 28 px; see `cifar10`."""
    return _read(FASHION, root, download)


def _read(source: _Source, root: str | PathLike[str] | None, download: bool) -> Splits:
    where = Path(root).expanduser() if root is not None else user_home() / "data"
    kind = getattr(import_torchvision().datasets, source.torchvision)
    had = (where / source.archive).is_file()
    parts = []
    try:
        with warnings.catch_warnings():
            # CIFAR's files were pickled in 2009, in a form that some releases of numpy warn of
            warnings.simplefilter("ignore")
            for train in (True, False):
                parts.append(_dataset(source, kind(str(where), train=train, download=download)))
    except _BROKEN as error:
        raise _explained(source, where, download, had, error) from error
    return Splits(*parts)


def _dataset(source: _Source, data: Any) -> Dataset:
    images = torch.as_tensor(data.data)
    # (N, H, W, C) or (N, H, W) -> (N, C, H, W)
    images = images.permute(0, 3, 1, 2) if images.ndim == 4 else images[:, None]
    labels = torch.as_tensor(data.targets, dtype=torch.int64)
    return Dataset(images.contiguous(), labels, tuple(data.classes), source.call, source.about)


def _explained(
    source: _Source, where: Path, download: bool, had_archive: bool, error: Exception
) -> UserError:
    """Say what is wrong with the files, and both ways on."""
    folder = where / source.folder
    reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
    fetch = f"{source.call}(download=True), {source.megabytes} MB,"
    if download:
        first = f"the archive {where / source.archive} is broken, and a new one " * had_archive
        network = isinstance(error, URLError | OSError) or "Error downloading" in str(error)
        what = "could not be downloaded" if network else "came, but is not whole"
        return UserError(
            f"{first or source.title + ' '}{what} ({reason}); try again with a network, {OFFER}."
        )
    if folder.exists():
        return UserError(
            f"the {source.title} files in {folder} are not whole ({reason}); delete that folder "
            f"and fetch them again with {fetch} {OFFER}."
        )
    return UserError(f"{source.title} is not in {where}; fetch it once with {fetch} {OFFER}.")
