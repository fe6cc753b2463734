"""Training: pictures, the loop, and the experiments that test a chapter's claim.

`fit` and `experiment` are functions here and the modules that hold them as well: the import below
puts the function over the module, and `from lightcourse.training.fit import fit` works as before.
"""

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
from lightcourse.training.experiment import (
    Comparison,
    Stopped,
    Variant,
    experiment,
    load_runs,
    rerun,
)
from lightcourse.training.fit import (
    CheckpointError,
    Diverged,
    Epoch,
    Evaluation,
    History,
    Interrupted,
    evaluate,
    fit,
)

__all__ = [
    "Augment",
    "Batches",
    "CheckpointError",
    "Comparison",
    "Dataset",
    "Diverged",
    "Epoch",
    "Evaluation",
    "History",
    "Interrupted",
    "Splits",
    "Stopped",
    "Variant",
    "builtin",
    "cifar10",
    "cifar100",
    "evaluate",
    "experiment",
    "fashion_mnist",
    "fit",
    "image_folder",
    "load",
    "load_runs",
    "rerun",
]
