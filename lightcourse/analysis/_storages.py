"""Which memory each value lives in, and from which operator to which that memory is alive."""

import weakref
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Storage:
    """One block of memory; `born` and `died` are places in the order of the operators.

    The block exists while operators `born`, …, `died - 1` run; `died` is None for one that is
    still there when the forward pass returns.
    """

    nbytes: int
    origin: str  # as in `Value`: "" for memory that the forward pass itself asks for
    born: int
    died: int | None = None


class StorageBook:
    """Numbers storages as they appear, and notes when Python lets go of each."""

    def __init__(self, ops: Sequence[object]) -> None:
        self._ops = ops  # grows while the trace is made: its length is the time
        self._entries: list[tuple[int, str, int]] = []
        self._deaths: dict[int, int] = {}
        self._living: dict[int, tuple[int, weakref.ref]] = {}  # address -> number, watch

    def number_of(self, tensor: Tensor, origin: str) -> int:
        """Return the number of a tensor's storage; a new one is born at the next operator."""
        storage = tensor.untyped_storage()
        address = storage._cdata
        known = self._living.get(address)
        if known is not None:
            return known[0]
        number, now = len(self._entries), len(self._ops)
        self._entries.append((storage.nbytes(), origin, now))

        def gone(_: object) -> None:
            self._deaths[number] = len(self._ops)
            del self._living[address]

        self._living[address] = (number, weakref.ref(storage, gone))
        return number

    def close(self) -> tuple[Storage, ...]:
        """Return all storages; what is alive now has no death."""
        return tuple(
            Storage(*entry, died=self._deaths.get(number))
            for number, entry in enumerate(self._entries)
        )
