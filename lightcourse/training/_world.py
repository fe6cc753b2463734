"""Where a run computes: device, precision, threads, randomness; put back when the run is over."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from lightcourse.errors import UserError
from lightcourse.training._processes import join_processes
from lightcourse.training._settings import Settings


@dataclass(frozen=True)
class World:
    """One process of a run, and where it computes."""

    device: torch.device
    amp: bool = False
    rank: int = 0
    size: int = 1  # processes that share the work

    @property
    def leads(self) -> bool:
        """True in the one process that writes files and shows progress."""
        return self.rank == 0

    def autocast(self) -> AbstractContextManager[Any]:
        """Compute in bfloat16 where that is safe; it has float32's range, so no loss scaling."""
        if not self.amp:
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)


@contextmanager
def own_world(settings: Settings) -> Iterator[World]:
    """Give the run its device, threads and random numbers; nothing of it leaks to the caller."""
    rank, size = join_processes(settings.device)
    device = pick_device(settings.device)
    world = World(device, _amp(settings.amp, device), rank, size)
    threads = torch.get_num_threads()
    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda), _determinism(settings.deterministic):
        try:
            if settings.threads is not None:
                torch.set_num_threads(settings.threads)
            yield world
        except (RuntimeError, ValueError) as error:
            if said := _sentence(error, device, settings):
                raise UserError(said) from error
            raise
        finally:
            torch.set_num_threads(threads)


def _sentence(error: Exception, device: torch.device, settings: Settings) -> str:
    """Return what a user can do about an error of torch's; empty when nothing is known."""
    text, size = str(error), settings.batch_size
    if isinstance(error, torch.OutOfMemoryError):
        return f"{device} has no memory left; try batch_size={max(1, size // 2)}."
    if "Expected more than 1 value per channel" in text:
        return (
            f"a batch norm cannot train on one value per channel, as batch_size={size} gives it; "
            "choose a larger batch_size."
        )
    if "deterministic implementation" in text:
        return (
            f"deterministic=True is not possible here: {text.split('.')[0]}; replace this "
            "operator (adaptive pooling by a mean over the places), or leave it out."
        )
    return ""


def available_devices() -> list[str]:
    """Return the kinds of device that this machine can train on, the fastest first."""
    found = ["cuda"] if torch.cuda.is_available() else []
    found += ["mps"] if torch.backends.mps.is_available() else []
    return [*found, "cpu"]


def pick_device(name: str) -> torch.device:
    """Return the device that is meant; `auto` is the fastest kind there is.

    >>> pick_device("cpu")
    device(type='cpu')
    """
    kinds = available_devices()
    kind, _, index = (kinds[0] if name == "auto" else name).partition(":")
    if kind == "cuda" and kind not in kinds and not torch.backends.cuda.is_built():
        raise UserError(
            f"this torch is built without CUDA, so {name!r} cannot be used even where there is a "
            "GPU; install a build with CUDA (pytorch.org), or choose cpu or auto."
        )
    if kind not in kinds:
        raise UserError(
            f"this machine has no device {name!r} that torch can use; choose one of "
            f"{', '.join(reversed(kinds))}, or auto."
        )
    if kind != "cuda":
        return torch.device(kind)
    chosen = index or os.environ.get("LOCAL_RANK", "0")
    if not chosen.isdecimal() or int(chosen) >= torch.cuda.device_count():
        raise UserError(
            f"there is no GPU {chosen!r}; this machine has {torch.cuda.device_count()}, "
            "counted from 0."
        )
    return torch.device("cuda", int(chosen))


def _amp(wanted: bool | None, device: torch.device) -> bool:
    if wanted is not None:
        return wanted
    # on CPUs without bfloat16 units it is many times slower, so only GPUs get it unasked
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


@contextmanager
def _determinism(wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    before = torch.are_deterministic_algorithms_enabled()
    search = torch.backends.cudnn.benchmark
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        torch.backends.cudnn.benchmark = search
