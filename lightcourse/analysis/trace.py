"""One recorder: run a model once on meta tensors and keep every operator it calls."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.utils._python_dispatch import TorchDispatchMode

from lightcourse.analysis._errors import NeedsValues, explain
from lightcourse.analysis._inputs import as_inputs, check_model
from lightcourse.analysis._shapes import RULES
from lightcourse.analysis._state import meta_state, untouched
from lightcourse.analysis.ops import friendly, is_hidden

_READS_VALUES = {"_local_scalar_dense", "is_nonzero", "equal", "item", "nonzero"}
_FACTORIES = {"zeros", "ones", "empty", "full", "rand", "randn"}


class Ref(int):
    """The number of a value, standing in an operator's arguments where the tensor stood."""


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of one tensor at one moment: an in-place operator makes a new value."""

    shape: tuple[int, ...]
    itemsize: int
    origin: str = ""  # "input", "parameter", "buffer", "constant", or "" for a computed one
    name: str = ""


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

    def __iter__(self) -> Iterator[Op]:
        return iter(self.ops)

    def __len__(self) -> int:
        return len(self.ops)

    def shape(self, value: int) -> tuple[int, ...]:
        """Return the shape of a value, by its number."""
        return self.values[value].shape


@dataclass(slots=True)
class _Slot:
    """Where a live tensor keeps the number of its present value, and its place among views."""

    owner: "Recorder"
    value: int
    parent: "_Slot | None" = None
    made_by: tuple[int, int] = (-1, 0)  # the view operator, and which of its outputs
    views: "list[_Slot]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Schema:
    name: str
    writes: tuple[int | str, ...]
    is_view: bool
    hidden: bool


@lru_cache(maxsize=None)
def _schema(func: Any) -> _Schema:
    space, name = func._schema.name.split("::")
    writes: list[int | str] = []
    views = False
    for i, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None:
            if argument.alias_info.is_write:
                writes.append(argument.name if argument.kwarg_only else i)
            elif i == 0:
                views = True
    name = name if space == "aten" else f"{space}::{name}"
    return _Schema(name, tuple(writes), views and not writes, is_hidden(name))


def _tensors(items: Iterable) -> Iterator[Tensor]:
    for item in items:
        if isinstance(item, Tensor):
            yield item
        elif isinstance(item, (list, tuple)):
            yield from _tensors(item)


class Recorder(TorchDispatchMode):
    """The dispatch mode that sees every operator, whatever Python called it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.ops: list[Op] = []
        self.values: list[Value] = []
        self.rows: list[Row] = []
        self.names = {id(m): name for name, m in model.named_modules()}
        self.modules: list[tuple[str, str]] = []  # path and class of the calls we are inside
        self.failed: tuple[str, str] | None = None
        self.params: dict[str, int] = {}
        self._root = model
        self._thread = threading.get_ident()
        self._leaf: tuple[int, Row] | None = None
        self._slots: dict[int, tuple[Tensor, Tensor]] = {}  # real tensor -> its meta stand-in
        self._made: dict[int, Tensor] = {}  # real tensors that this forward pass made itself
        self._constants: dict[int, tuple[Tensor, Tensor]] = {}
        self._carried: dict[int, tuple[str, ...]] = {}  # value -> parameters behind it
        self._used_names: dict[str, int] = {}

    # -- tensors and values ------------------------------------------------------------------

    def adopt(self, tensor: Tensor, origin: str, name: str = "") -> int:
        """Give a tensor that no operator made a value of its own."""
        value = self._new_value(tensor, origin, name)
        tensor._lightcourse = _Slot(self, value)  # type: ignore[attr-defined]
        return value

    def adopt_state(self, model: nn.Module) -> dict[str, Tensor]:
        """Make meta twins of parameters and buffers and return them by name."""
        by_name, self._slots = meta_state(model)
        parameters = {id(p) for p in model.parameters()}
        for name, twin in by_name.items():
            if self._slot(twin) is None:
                original = next(r for r, t in self._slots.values() if t is twin)
                is_parameter = id(original) in parameters
                value = self.adopt(twin, "parameter" if is_parameter else "buffer", name)
                if is_parameter:
                    self.params[name] = original.numel()
                    self._carried[value] = (name,)
        return by_name

    def _new_value(self, tensor: Tensor, origin: str = "", name: str = "") -> int:
        self.values.append(Value(tuple(tensor.shape), tensor.element_size(), origin, name))
        return len(self.values) - 1

    def _slot(self, tensor: Tensor) -> _Slot | None:
        slot = getattr(tensor, "_lightcourse", None)
        return slot if slot is not None and slot.owner is self else None

    def _follows(self, tensor: Tensor) -> bool:
        return self._slot(tensor) is not None or id(tensor) in self._slots

    def _stand_in(self, tensor: Tensor) -> Tensor:
        """Return the meta tensor to compute with in place of a tensor."""
        if self._slot(tensor) is not None:
            return tensor
        for known in (self._slots, self._constants):
            if id(tensor) in known:
                return known[id(tensor)][1]
        twin = torch.empty_strided(
            tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta"
        )
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
                self.adopt(out, "constant")
                return out
        if any(id(t) not in self._made for t in self._written(schema, args, kwargs)):
            # a tensor that the model keeps outside its buffers: change a stand-in instead
            return self._run(func, schema, args, kwargs)
        out = func(*args, **kwargs)
        for tensor in _tensors([out]):
            self._made[id(tensor)] = tensor
        return out

    def _written(self, schema: _Schema, args: tuple, kwargs: dict) -> list[Tensor]:
        found = [args[w] if isinstance(w, int) else kwargs.get(w) for w in schema.writes]
        return list(_tensors(found))

    def _run(self, func: Any, schema: _Schema, args: tuple, kwargs: dict):
        written = self._written(schema, args, kwargs)
        for tensor in written:
            if self._slot(tensor) is None and id(tensor) not in self._slots:
                self._slots[id(tensor)] = (tensor, self._stand_in(tensor))
        meta_args = tuple(self._swap(a) for a in args)
        meta_kwargs = {k: self._swap(v) for k, v in kwargs.items()}
        if "device" in kwargs:
            meta_kwargs["device"] = torch.device("meta")
        encoded = tuple(self._encode(a) for a in meta_args)
        encoded_kwargs = {k: self._encode(v) for k, v in meta_kwargs.items()}
        rule = RULES.get(func)
        out = rule(*meta_args, **meta_kwargs) if rule else None
        if out is None:
            out = func(*meta_args, **meta_kwargs)
        self._record(func, schema, encoded, encoded_kwargs, meta_args, meta_kwargs, out)
        return written[0] if len(written) == 1 and out is self._stand_in(written[0]) else out

    def _record(self, func, schema, encoded, encoded_kwargs, args, kwargs, out) -> None:
        index = len(self.ops)
        changed = [self._slot(t) for t in self._written(schema, args, kwargs)]
        source = next((self._slot(t) for t in _tensors(args)), None) if schema.is_view else None
        outputs: list[int] = []
        for slot, tensor in zip(changed, self._written(schema, args, kwargs), strict=True):
            outputs.append(self._new_value(tensor))
        fresh = [t for t in _tensors([out]) if self._slot(t) is None]
        for position, tensor in enumerate(fresh):
            value = self.adopt(tensor, "")
            outputs.append(value)
            if source is not None:
                slot = tensor._lightcourse  # type: ignore[attr-defined]
                slot.parent, slot.made_by = source, (index, position)
                source.views.append(slot)
        inputs = tuple(_refs((encoded, tuple(encoded_kwargs.values()))))
        path = self.modules[-1][0] if self.modules else ""
        op = Op(index, schema.name, func, encoded, encoded_kwargs, inputs, tuple(outputs), path)
        self.ops.append(op)
        self._assign_row(op, schema.hidden)
        for slot, value in zip(changed, outputs, strict=False):
            if slot is not None:
                slot.value = value
                self._spread(slot)

    def _spread(self, slot: _Slot) -> None:
        """After a write, renew the values of everything that shares the memory."""
        fresh = {id(slot)}
        while slot.parent is not None:
            parent = slot.parent
            old, view = parent.value, self.ops[slot.made_by[0]]
            parent.value = self._derive("write_back", view, (Ref(old), Ref(slot.value)), old)
            self.ops[-1].kwargs.update(view=view, position=slot.made_by[1])
            fresh.add(id(parent))
            slot = parent
        waiting = [slot]
        while waiting:
            parent = waiting.pop()
            for child in parent.views:
                waiting.append(child)
                if id(child) not in fresh:
                    view = self.ops[child.made_by[0]]
                    args = (Ref(parent.value), *view.args[1:])
                    child.value = self._derive(view.name, view, args, child.value)
                    self.ops[-1].kwargs.update(position=child.made_by[1])

    def _derive(self, name: str, view: Op, args: tuple, like: int) -> int:
        old = self.values[like]
        self.values.append(Value(old.shape, old.itemsize))
        out = len(self.values) - 1
        kwargs = dict(view.kwargs) if name != "write_back" else {}
        op = Op(len(self.ops), name, None, args, kwargs, tuple(_refs(args)), (out,), view.module)
        self.ops.append(op)
        self._assign_row(op, hidden=True)
        return out

    # -- rows --------------------------------------------------------------------------------

    def _assign_row(self, op: Op, hidden: bool) -> None:
        params = tuple(dict.fromkeys(p for i in op.inputs for p in self._carried.get(i, ())))
        if self._leaf is not None:
            row = self._leaf[1]
        elif hidden:
            for out in op.outputs:
                if params:
                    self._carried[out] = params
            return
        else:
            kind = friendly(op.name, len(self.values[op.outputs[0]].shape) if op.outputs else 0)
            row = Row(self._unique(f"{op.module}.{kind}".lstrip(".")), kind)
            row.output = op.outputs[0] if op.outputs else None
            self.rows.append(row)
        row.ops.append(op.index)
        row.params.update(dict.fromkeys(params))

    def _unique(self, name: str) -> str:
        count = self._used_names[name] = self._used_names.get(name, 0) + 1
        return name if count == 1 else f"{name}#{count}"

    def before(self, module: nn.Module, _args: Any) -> None:
        """Enter a module call; open a row when it is a leaf."""
        if threading.get_ident() != self._thread:
            return
        kind = _class_name(module)
        inside = self.modules[-1][0] if self.modules else ""
        path = self.names.get(id(module), f"{inside}.{kind}".lstrip("."))
        self.modules.append((path, kind))
        if self._leaf is None and self._is_leaf(module):
            row = Row(self._unique(path or kind), kind)
            for parameter in module.parameters():
                name = self._name_of(parameter)
                if name is not None:
                    row.params[name] = None
            self._leaf = (len(self.modules), row)
            self.rows.append(row)

    def after(self, module: nn.Module, _args: Any, out: Any) -> None:
        """Leave a module call, by its end or by an exception."""
        if threading.get_ident() != self._thread or not self.modules:
            return
        if out is None and self.failed is None:
            self.failed = self.modules[-1]
        if self._leaf is not None and self._leaf[0] == len(self.modules):
            items = out.values() if isinstance(out, dict) else [out]
            first = next(_tensors(items), None)
            slot = None if first is None else self._slot(first)
            self._leaf[1].output = None if slot is None else slot.value
            self._leaf = None
        self.modules.pop()

    def _is_leaf(self, module: nn.Module) -> bool:
        if isinstance(module, nn.MultiheadAttention):
            return True  # its child out_proj is never called
        if any(name != "parametrizations" for name, _ in module.named_children()):
            return False
        # a model without children is opened up; a layer of torch's own given alone is not
        return module is not self._root or type(module).__module__.startswith("torch.nn.")

    def _name_of(self, parameter: Tensor) -> str | None:
        slot = self._slot(self._stand_in(parameter))
        value = None if slot is None else self.values[slot.value]
        return value.name if value is not None and value.origin == "parameter" else None


def _class_name(module: nn.Module) -> str:
    return type(module).__name__.removeprefix("Parametrized")


def _refs(items: Iterable) -> Iterator[int]:
    for item in items:
        if isinstance(item, Ref):
            yield int(item)
        elif isinstance(item, tuple):
            yield from _refs(item)


def trace(model: nn.Module, inputs: Sequence[int] | Tensor | Sequence[Tensor]) -> Trace:
    """Run a model once, in eval mode on meta tensors, and return every operator it called.

    `inputs` is the input's shape (N, C, H, W), a tensor, or a tuple of tensors. Nothing is
    computed and the model is left as it was, also when its forward raises. Raises `UserError`
    where the model cannot run on shapes alone.

    >>> [op.name for op in trace(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (1, 3, 8, 8))]
    ['convolution', 'relu']
    """
    model = check_model(model)
    with torch.inference_mode(False), torch.no_grad(), untouched(model):
        recorder = Recorder(model)
        meta_inputs = as_inputs(model, inputs)
        state = recorder.adopt_state(model)
        input_values = tuple(recorder.adopt(t, "input") for t in meta_inputs)
        handles = (
            hooks.register_module_forward_pre_hook(recorder.before),
            hooks.register_module_forward_hook(recorder.after, always_call=True),
        )
        try:
            with recorder:
                out = torch.func.functional_call(model, state, meta_inputs, tie_weights=False)
        except Exception as error:
            raise explain(error, recorder.failed, meta_inputs) from error
        finally:
            for handle in handles:
                handle.remove()
        return _finish(recorder, input_values, out)


def _finish(recorder: Recorder, inputs: tuple[int, ...], out: Any) -> Trace:
    leaves = torch.utils._pytree.tree_leaves(out)
    slots = [recorder._slot(t) for t in leaves if isinstance(t, Tensor)]
    return Trace(
        ops=tuple(recorder.ops),
        values=tuple(recorder.values),
        rows=tuple(recorder.rows),
        inputs=inputs,
        outputs=tuple(slot.value for slot in slots if slot is not None),
        params=recorder.params,
    )
