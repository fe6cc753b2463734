"""What `fit` remembers of a model object: with which weights its runs began, how the last ended."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from torch import nn

from lightcourse.training._exp_hash import digest


def weights_print(model: nn.Module) -> str:
    """Return 8 hex digits that stand for all weights and statistics, wherever they lie.

    >>> weights_print(nn.ReLU()) == weights_print(nn.Sigmoid()) != weights_print(nn.PReLU())
    True
    """
    return digest(dict(model.state_dict()))[:8]


@dataclass
class _Past:
    end: str = ""  # print of the weights that the last run left
    how: str = ""  # it ended, as words that follow "trained before"
    starts: dict[Path, str] = field(default_factory=dict)  # folder of a run -> first weights


class Memory:
    """The models that `fit` has changed in this process; a copy of one counts as new.

    It hangs on a class, as an experiment's fingerprint of `fit` reads the globals that `fit` uses.
    """

    _pasts: ClassVar[WeakKeyDictionary[nn.Module, Any]] = WeakKeyDictionary()

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.now = weights_print(model)
        past = self._pasts.get(model)
        # weights that somebody else changed since then are nobody's trained ones
        self.past = past if past is not None and past.end == self.now else None

    def first_weights(self, folder: Path | None, goes_on: bool) -> str:
        """Return the print of the weights with which the run in this folder began."""
        if folder is None or not goes_on or self.past is None:
            return self.now
        return self.past.starts.get(folder.resolve(), self.now)

    def begin(self, folder: Path | None, first: str) -> None:
        """Note that the run in this folder began with these weights."""
        past = self._pasts.setdefault(self.model, _Past())
        if folder is not None:
            past.starts[folder.resolve()] = first

    def end(self, how: str) -> None:
        """Note which weights the run left."""
        past = self._pasts[self.model]
        past.end, past.how = "", how
        with suppress(RuntimeError):  # a GPU that failed must not hide why
            past.end = weights_print(self.model)

    @property
    def said(self) -> str:
        """One sentence for a model that goes on from trained weights; empty for a new one."""
        if self.past is None:
            return ""
        name = type(self.model).__name__
        return (
            f"This {name} was trained before{self.past.how} and goes on from its weights; build "
            "it anew for a fresh start."
        )
