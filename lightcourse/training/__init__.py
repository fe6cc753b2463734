"""Training: built-in data sets, small loops, and the experiments that test a chapter's claim."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightcourse.training.data import (
        Augment,
        Batches,
        Dataset,
        Splits,
        builtin,
        cifar10,
        cifar100,
        fashion_mnist,
        image_folder,
        load,
    )

# name -> the module that has it; imported when first asked for, as each room brings torch along
_HOMES = dict.fromkeys(
    (
        "Augment",
        "Batches",
        "Dataset",
        "Splits",
        "builtin",
        "cifar10",
        "cifar100",
        "fashion_mnist",
        "image_folder",
        "load",
    ),
    "lightcourse.training.data",
)

__all__ = [
    "Augment",
    "Batches",
    "Dataset",
    "Splits",
    "builtin",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "image_folder",
    "load",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
