"""Pictures to train on: made here, downloaded when asked for, or from a folder of your own."""

from lightcourse.training.data._augment import Augment
from lightcourse.training.data._batches import Batches
from lightcourse.training.data._builtin import builtin
from lightcourse.training.data._dataset import Dataset, Splits
from lightcourse.training.data._folder import image_folder
from lightcourse.training.data._load import NAMES, load
from lightcourse.training.data._public import cifar10, cifar100, fashion_mnist
from lightcourse.training.data._sheet import contact_sheet

__all__ = [
    "NAMES",
    "Augment",
    "Batches",
    "Dataset",
    "Splits",
    "builtin",
    "cifar10",
    "cifar100",
    "contact_sheet",
    "fashion_mnist",
    "image_folder",
    "load",
]
