"""What a training does in a rehearsal: one step per epoch, and a few pictures to test on."""

from typing import TypeVar

from lightcourse.rehearsal import rehearsed
from lightcourse.training.data import Splits

Data = TypeVar("Data")


def enough(splits: Data, batch_size: int) -> Data | Splits:
    """Return all pictures; in a rehearsal as many as one step takes, and a few to test on."""
    if not isinstance(splits, Splits):
        return splits
    train, test = len(splits.train), len(splits.test)
    return splits.subset(rehearsed(train, batch_size), rehearsed(test, 20))
