"""The dispatch mode that sees every operator, whatever Python called it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from lightcourse.analysis._errors import NeedsValues
from lightcourse.analysis._records import Op, Ref, Value
from lightcourse.analysis._rows import RowBook
from lightcourse.analysis._shapes import RULES
from lightcourse.analysis._slots import Slot
from lightcourse.analysis._state import meta_state
from lightcourse.analysis._storages import StorageBook
from lightcourse.analysis.ops import is_hidden

_READS_VALUES = {"_local_scalar_dense", "is_nonzero", "equal", "item", "nonzero"}
_FACTORIES = {"zeros", "ones", "empty", "full", "rand", "randn"}


@dataclass(frozen=True, slots=True)
class _Schema:
    name: str
    writes: tuple[int | str, ...]  # places or names of the arguments it writes into
    is_view: bool
    hidden: bool


@cache
def _schema(func: Any) -> _Schema:
    space, name = func._schema.name.split("::")
    writes: list[int | str] = []
    shares = False
    for i, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            writes.append(argument.name if argument.kwarg_only else i)
        elif argument.alias_info is not None and i == 0:
            shares = True
    name = name if space == "aten" else f"{space}::{name}"
    return _Schema(name, tuple(writes), shares and not writes, is_hidden(name))


def _tensors(items: Iterable) -> Iterator[Tensor]:
    for item in items:
        if isinstance(item, Tensor):
            yield item
        elif isinstance(item, (list, tuple)):
            yield from _tensors(item)


def _refs(items: Iterable) -> Iterator[int]:
    for item in items:
        if isinstance(item, Ref):
            yield int(item)
        elif isinstance(item, tuple):
            yield from _refs(item)


class Recorder(TorchDispatchMode):
    """Runs operators on meta tensors and writes down each with the values it read and made.

    A value is what a tensor holds at one moment, so an in-place operator makes a new value, for
    the tensor and for everything that shares its memory.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.ops: list[Op] = []
        self.values: list[Value] = []
        self.params: dict[str, int] = {}
        self.book = RowBook(model, self.values)
        self.memory = StorageBook(self.ops)
        self.refused: tuple[BaseException, str, tuple] | None = None  # by an operator, its args
        self._twins: dict[int, tuple[Tensor, Tensor]] = {}  # real tensor -> its meta stand-in
        self._made: dict[int, Tensor] = {}  # real tensors that this forward pass made itself
        self._constants: dict[int, tuple[Tensor, Tensor]] = {}

    # -- tensors and values ------------------------------------------------------------------

    def adopt(self, tensor: Tensor, origin: str, name: str = "") -> int:
        """Give a tensor that no operator made a value of its own."""
        value = self._new_value(tensor, origin, name)
        tensor._lightcourse = Slot(self, value)  # type: ignore[attr-defined]
        return value

    def adopt_state(self, model: nn.Module) -> dict[str, Tensor]:
        """Make meta twins of parameters and buffers and return them by name."""
        parameters, buffers, self._twins = meta_state(model)
        for origin, twins in (("parameter", parameters), ("buffer", buffers)):
            for name, twin in twins.items():
                if self._slot(twin) is None:  # else a second name of the same tensor
                    value = self.adopt(twin, origin, name)
                    if origin == "parameter":
                        self.params[name] = twin.numel()
                        self.book.carried[value] = (name,)
                        self.book.parameters[id(twin)] = name
        return parameters | buffers

    def value_of(self, tensor: Tensor) -> int | None:
        """Return the number of a tensor's present value; None for one that is not followed."""
        slot = self._slot(tensor)
        return None if slot is None else slot.value

    def _new_value(self, tensor: Tensor, origin: str = "", name: str = "") -> int:
        storage = self.memory.number_of(tensor, origin)
        self.values.append(Value(tuple(tensor.shape), tensor.element_size(), origin, name, storage))
        return len(self.values) - 1

    def _slot(self, tensor: Tensor) -> Slot | None:
        slot = getattr(tensor, "_lightcourse", None)
        return slot if slot is not None and slot.owner is self else None

    def _follows(self, tensor: Tensor) -> bool:
        return self._slot(tensor) is not None or id(tensor) in self._twins

    def _stand_in(self, tensor: Tensor) -> Tensor:
        """Return the meta tensor to compute with in place of a tensor."""
        if self._slot(tensor) is not None:
            return tensor
        for known in (self._twins, self._constants):
            if id(tensor) in known:
                return known[id(tensor)][1]
        shape, stride = tensor.shape, tensor.stride()
        twin = torch.empty_strided(shape, stride, dtype=tensor.dtype, device="meta")
        self.adopt(twin, "constant")
        self._constants[id(tensor)] = (tensor, twin)
        return twin

    def _swap(self, item: Any) -> Any:
        if isinstance(item, Tensor):
            return self._stand_in(item)
        if isinstance(item, (list, tuple)) and any(True for _ in _tensors(item)):
            return type(item)(self._swap(i) for i in item)
        return item

    def _encode(self, item: Any) -> Any:
        if isinstance(item, Tensor):
            return Ref(item._lightcourse.value)  # type: ignore[attr-defined]
        if isinstance(item, (list, tuple)):
            return tuple(self._encode(i) for i in item)
        return item

    # -- operators ---------------------------------------------------------------------------

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: Any = None):
        """Run one operator, on meta stand-ins where it touches the input or the model."""
        kwargs = kwargs or {}
        schema = _schema(func)
        tensors = [*_tensors(args), *_tensors(kwargs.values())]
        if not any(self._follows(t) for t in tensors):
            return self._aside(func, schema, args, kwargs, tensors)
        if schema.name in _READS_VALUES:
            raise NeedsValues(schema.name)
        return self._run(func, schema, args, kwargs)

    def _aside(self, func: Any, schema: _Schema, args: tuple, kwargs: dict, tensors: list):
        """Run an operator that touches nothing of the model's or the input's."""
        if not tensors and schema.name in _FACTORIES:
            out = func(*args, **{**kwargs, "device": "meta"})
            if out.numel() > 1:  # one number is likely to be read by Python: keep it real
                self.memory.number_of(out, "")  # a constant, but its memory is asked for here
                self.adopt(out, "constant")
                return out
        if any(id(t) not in self._made for t in _written(schema, args, kwargs)):
            # a tensor that the model keeps outside its buffers: change a stand-in instead
            return self._run(func, schema, args, kwargs)
        out = func(*args, **kwargs)
        for tensor in _tensors([out]):
            self._made[id(tensor)] = tensor
        return out

    def _run(self, func: Any, schema: _Schema, args: tuple, kwargs: dict):
        """Run an operator on meta tensors and write it down."""
        written = _written(schema, args, kwargs)
        for tensor in written:
            if not self._follows(tensor):
                self._twins[id(tensor)] = (tensor, self._stand_in(tensor))
        meta_args = tuple(self._swap(a) for a in args)
        meta_kwargs = {k: self._swap(v) for k, v in kwargs.items()}
        if "device" in kwargs:
            meta_kwargs["device"] = torch.device("meta")
        # the numbers of what it reads, before it writes
        encoded = tuple(self._encode(a) for a in meta_args)
        encoded_kwargs = {k: self._encode(v) for k, v in meta_kwargs.items()}
        rule = RULES.get(func)
        out = rule(*meta_args, **meta_kwargs) if rule else None
        if out is None:
            try:
                out = func(*meta_args, **meta_kwargs)
            except Exception as error:
                self.refused = (error, schema.name, meta_args)
                raise
        changed = [self._stand_in(t) for t in written]
        source = next(_tensors(meta_args), None) if schema.is_view else None
        self._record(func, schema, encoded, encoded_kwargs, changed, source, out)
        return written[0] if len(written) == 1 and out is changed[0] else out

    def _record(self, func, schema, args, kwargs, changed: list, source, out) -> None:
        fresh = [t for t in _tensors([out]) if self._slot(t) is None]
        values = [self._new_value(t) for t in changed]
        outputs = (*values, *(self.adopt(t, "") for t in fresh))
        op = self._append(schema.name, func, args, kwargs, outputs, self.book.path, schema.hidden)
        parent = None if source is None else self._slot(source)
        if parent is not None:
            for position, tensor in enumerate(fresh):
                tensor._lightcourse.is_view(parent, op, position)  # type: ignore[attr-defined]
        for tensor, value in zip(changed, values, strict=True):
            slot = tensor._lightcourse
            slot.value = value
            self._spread(slot)

    def _append(self, name, func, args, kwargs, outputs, module, hidden=True) -> Op:
        inputs = tuple(_refs((args, tuple(kwargs.values()))))
        op = Op(len(self.ops), name, func, args, kwargs, inputs, tuple(outputs), module)
        self.ops.append(op)
        self.book.add(op, hidden)
        return op

    def _spread(self, slot: Slot) -> None:
        """After a write, renew the values of everything that shares the memory."""
        fresh = {id(slot)}
        while slot.parent is not None and slot.made_by is not None:  # up: write into the base
            parent, view = slot.parent, slot.made_by
            args = (Ref(parent.value), Ref(slot.value))
            written = {"view": view, "position": slot.position}
            parent.value = self._derive("write_back", view, args, written, parent.value)
            fresh.add(id(parent))
            slot = parent
        waiting = [slot]
        while waiting:  # down: take the other views anew
            parent = waiting.pop()
            for child in parent.views:
                waiting.append(child)
                view = child.made_by
                if id(child) not in fresh and view is not None:
                    args = (Ref(parent.value), *view.args[1:])
                    kwargs = {**view.kwargs, "position": child.position}
                    child.value = self._derive(view.name, view, args, kwargs, child.value)

    def _derive(self, name: str, view: Op, args: tuple, kwargs: dict, like: int) -> int:
        old = self.values[like]
        self.values.append(Value(old.shape, old.itemsize, storage=old.storage))
        out = len(self.values) - 1
        self._append(name, None, args, kwargs, (out,), view.module)
        return out


def _written(schema: _Schema, args: tuple, kwargs: dict) -> list[Tensor]:
    found = [args[w] if isinstance(w, int) else kwargs.get(w) for w in schema.writes]
    return list(_tensors(found))
