"""What a trace is made of: values, operators and rows, all plain data without tensors."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lightcourse.analysis._storages import Storage


class Ref(int):
    """The number of a value, standing in an operator's arguments where the tensor stood."""


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of one tensor at one moment: an in-place operator makes a new value."""

    shape: tuple[int, ...]
    itemsize: int
    origin: str = ""  # "input", "parameter", "buffer", "constant", or "" for a computed one
    name: str = ""
    storage: int = -1  # the block of memory it lives in; views share their base's


@dataclass(frozen=True, slots=True)
class Op:
    """One call of a torch operator; tensors in its arguments are `Ref` numbers of values."""

    index: int
    name: str
    func: Any
    args: tuple
    kwargs: dict[str, Any]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    module: str

    def __reduce__(self) -> tuple:
        # torch's operators cannot be pickled; nothing that is computed from a trace needs them
        return Op, (
            self.index, self.name, None, self.args, self.kwargs, self.inputs, self.outputs,
            self.module,
        )  # fmt: skip


@dataclass(slots=True)
class Row:
    """One line of a report: a call of a leaf module, or an operator outside of any."""

    name: str
    kind: str
    ops: list[int] = field(default_factory=list)
    output: int | None = None
    params: dict[str, None] = field(default_factory=dict)  # names, in order of first use


@dataclass(frozen=True)
class Trace:
    """Everything one forward pass did; iterating gives the operators in order."""

    ops: tuple[Op, ...]
    values: tuple[Value, ...]
    rows: tuple[Row, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    params: dict[str, int]  # elements of each parameter of the model; a shared one stands once
    storages: tuple[Storage, ...] = ()

    def __iter__(self) -> Iterator[Op]:
        return iter(self.ops)

    def __len__(self) -> int:
        return len(self.ops)

    def shape(self, value: int) -> tuple[int, ...]:
        """Return the shape of a value, by its number."""
        return self.values[value].shape
