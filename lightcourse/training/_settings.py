"""Every choice of a training run, checked before anything long begins."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from os import PathLike
from typing import Any

from lightcourse.errors import UserError
from lightcourse.training._recipe import OPTIMIZERS, SCHEDULES
from lightcourse.training.data import Augment

DEVICES = ("auto", "cpu", "cuda", "mps")
# what a run may change when it goes on: where and how fast it computes, not what
_FREE = {"device", "threads"}


@dataclass(frozen=True)
class Settings:
    """The arguments of `fit` that make up the recipe; refuses what cannot work."""

    epochs: int
    batch_size: int
    optimizer: str
    lr: float
    momentum: float
    schedule: str
    warmup: float
    weight_decay: float
    label_smoothing: float
    ema: float | None
    amp: bool | None
    channels_last: bool
    clip: float | None
    patience: int | None
    seed: int
    deterministic: bool
    augment: Augment | None
    device: str
    threads: int | None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            _whole(name, getattr(self, name), 1)
        for name in ("threads", "patience"):
            if getattr(self, name) is not None:
                _whole(name, getattr(self, name), 1)
        _whole("seed", self.seed, 0)
        for name in ("channels_last", "deterministic"):
            _one_of(name, getattr(self, name), (True, False))
        _one_of("amp", self.amp, (True, False, None))
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("schedule", self.schedule, SCHEDULES)
        object.__setattr__(self, "device", str(self.device))
        _one_of("device", self.device.split(":")[0], DEVICES)
        _number("lr", self.lr, above=0)
        _number("weight_decay", self.weight_decay, least=0)
        for name in ("momentum", "warmup", "label_smoothing"):
            _number(name, getattr(self, name), least=0, below=1)
        if self.weight_decay > 1 and self.lr * self.weight_decay >= 1:
            raise UserError(
                f"weight_decay={self.weight_decay:g} times lr={self.lr:g} is 1 or more, so that "
                "each step would turn the weights round or worse; choose less, such as 0.05."
            )
        if self.ema is not None:
            _number("ema", self.ema, above=0, below=1)
        if self.clip is not None:
            _number("clip", self.clip, above=0)
        if self.augment is not None and not isinstance(self.augment, Augment):
            raise UserError(
                "augment is None or Augment(...), such as Augment(flip=True), "
                f"not {self.augment!r}."
            )
        if self.deterministic and self.threads != 1:
            raise UserError(
                "deterministic=True needs threads=1, as sums that several threads share are "
                "rounded in another order each time."
            )

    def identity(self) -> dict[str, Any]:
        """Return what must be the same for a stopped run to go on, as plain data."""
        return {name: value for name, value in self.to_dict().items() if name not in _FREE}

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return asdict(self)


def check_call(out: Any, resume: Any, progress: Any) -> None:
    """Say what is wrong with the arguments of `fit` that are no part of the recipe."""
    if out is not None and not isinstance(out, str | PathLike):
        raise UserError(f"out is the path of a folder, or None, not {out!r}.")
    _one_of("resume", resume, (True, False))
    if not callable(progress):
        _one_of("progress", progress, (True, False))


def _whole(name: str, value: Any, least: int) -> None:
    if type(value) is not int or value < least:
        raise UserError(f"{name} is a whole number from {least} on, not {value!r}.")


def _number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float = float("inf"),
) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    low = above if above is not None else least
    assert low is not None
    inside = is_number and (value > low if above is not None else value >= low) and value < below
    if not inside:
        words = f"above {above}" if above is not None else f"from {least} on"
        words += f" and below {below}" if below != float("inf") else ""
        raise UserError(f"{name} is a number {words}, not {value!r}.")


def _one_of(name: str, value: Any, choices: Iterable[Any]) -> None:
    if not any(value is choice or (type(value) is str and value == choice) for choice in choices):
        words = ", ".join(map(str, choices))
        raise UserError(f"there is no {name} {value!r}; choose one of {words}.")
