"""Call somebody else's code safely: copies of inputs, limited output and time, untouched RNG."""

from __future__ import annotations

import contextlib
import copy
import io
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

_KEEP = 2000  # characters of the learner's prints that are kept
_TICK = 0.2  # seconds of CPU time between two looks at the limit


class TimeUp(BaseException):
    """The learner's code used up its time; a BaseException: `except Exception` must let it by."""


class LimitedText(io.TextIOBase):
    """A text stream that keeps the first characters and drops the rest."""

    def __init__(self, limit: int = _KEEP):
        self._parts: list[str] = []
        self._left = limit
        self._dropped = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        kept = text[: self._left]
        if kept:
            self._parts.append(kept)
            self._left -= len(kept)
        self._dropped += len(text) - len(kept)
        return len(text)

    def getvalue(self) -> str:
        more = f"\n… and {self._dropped} more characters" if self._dropped else ""
        return "".join(self._parts) + more


@contextlib.contextmanager
def same_randomness() -> Iterator[None]:
    """Give back the random state of Python, NumPy and torch as it was."""
    python, numpy, tensor = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(tensor)


def reseed(number: int) -> None:
    """Start Python, NumPy and torch from the same number, so that two calls draw the same."""
    random.seed(number)
    np.random.seed(number % 2**32)
    torch.default_generator.manual_seed(number)  # torch.manual_seed asks every device, and is slow


@contextlib.contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raise TimeUp after so many seconds of computing; only in the main thread, only on POSIX.

    The thread's own CPU time and not the clock, so that neither a busy machine nor torch's many
    threads fail anybody.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGPROF"):
        yield
        return

    begin = time.thread_time()

    def stop(signum: int, frame: object) -> None:
        if time.thread_time() - begin >= seconds:
            raise TimeUp(f"{seconds:g}")

    before = signal.signal(signal.SIGPROF, stop)
    # ticks on after the end: a bare `except:` may have swallowed the first TimeUp
    signal.setitimer(signal.ITIMER_PROF, _TICK, _TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def clone(value: Any) -> Any:
    """A deep copy that also takes tensors with a history (they come back as leaves)."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, torch.Size):
        return value
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(clone, value))
    if isinstance(value, (list, tuple, set)) and type(value) in (list, tuple, set):
        return type(value)(map(clone, value))
    if type(value) is dict:
        return {clone(k): clone(v) for k, v in value.items()}
    if callable(value) and not isinstance(value, torch.nn.Module):
        return value
    return copy.deepcopy(value)


def snapshot(value: Any) -> Any:
    """A copy of an answer to look at later; the answer itself when it cannot be copied."""
    try:
        return clone(value)
    except Exception:
        return value


def same(one: Any, other: Any) -> bool:
    """Whether two inputs are equal to the last bit: did a call change what it was given?"""
    if isinstance(one, torch.Tensor):
        if one.shape != other.shape or one.requires_grad != other.requires_grad:
            return False
        return torch.equal(one.nan_to_num(), other.nan_to_num())
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, torch.nn.Module):
        return same(dict(one.state_dict()), dict(other.state_dict()))
    if isinstance(one, Mapping):
        return set(one) == set(other) and all(same(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one).__eq__ is object.__eq__:
        return True  # two copies of an object without equality cannot be told apart
    return bool(one == other)


def quietly(function: Callable[[], Any], seconds: float) -> tuple[Any, BaseException | None, str]:
    """Call the function and return (answer, error, what it printed); Ctrl-C passes through."""
    stream = LimitedText()
    try:
        with contextlib.redirect_stdout(stream), cpu_limit(seconds):
            answer = function()
    except KeyboardInterrupt:
        raise
    except (Exception, TimeUp, SystemExit, GeneratorExit) as error:
        return None, error, stream.getvalue()
    return answer, None, stream.getvalue()
