"""Rows of a report while a trace is made: which module or operator each step belongs to."""

import sys
import threading
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from lightcourse.analysis._records import Op, Row, Value
from lightcourse.analysis.ops import friendly


class RowBook:
    """Follows module calls by torch's global hooks and sorts operators into rows."""

    def __init__(self, model: nn.Module, values: list[Value]) -> None:
        self.rows: list[Row] = []
        self.modules: list[tuple[str, str]] = []  # path and class of the calls we are inside
        self.failed: tuple[BaseException, tuple[str, str]] | None = None
        self.parameters: dict[int, str] = {}  # id of a parameter -> its first name
        self.carried: dict[int, tuple[str, ...]] = {}  # value -> parameters behind it
        self._values = values
        self._names = {id(m): name for name, m in model.named_modules()}
        self._root = model
        self._thread = threading.get_ident()
        self._leaf: tuple[int, Row] | None = None
        self._used_names: dict[str, int] = {}

    @property
    def path(self) -> str:
        """The path of the module whose forward is running."""
        return self.modules[-1][0] if self.modules else ""

    def add(self, op: Op, hidden: bool) -> None:
        """Put an operator into the open leaf's row, into one of its own, or into none."""
        params = tuple(dict.fromkeys(p for i in op.inputs for p in self.carried.get(i, ())))
        if self._leaf is not None:
            row = self._leaf[1]
        elif hidden:
            if params:
                self.carried.update(dict.fromkeys(op.outputs, params))
            return
        else:
            dims = len(self._values[op.outputs[0]].shape) if op.outputs else 0
            kind = friendly(op.name, dims)
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
        kind = type(module).__name__.removeprefix("Parametrized")
        path = self._names.get(id(module), f"{self.path}.{kind}".lstrip("."))
        self.modules.append((path, kind))
        if self._leaf is None and self._is_leaf(module):
            row = Row(self._unique(path or kind), kind)
            # functional_call has put twins in place of the parameters, under the same ids' names
            found = (self.parameters.get(id(p)) for p in module.parameters())
            row.params = dict.fromkeys(name for name in found if name is not None)
            self._leaf = (len(self.modules), row)
            self.rows.append(row)

    def leave(self, value_of: Callable[[Tensor], int | None]) -> Callable:
        """Return the hook that leaves a module call, by its end or by an exception."""

        def after(_module: nn.Module, _args: Any, out: Any) -> None:
            if threading.get_ident() != self._thread or not self.modules:
                return
            error = sys.exception()
            # the innermost call that an exception leaves comes first; later ones pass it on
            if out is None and error and (self.failed is None or self.failed[0] is not error):
                self.failed = (error, self.modules[-1])
            if self._leaf is not None and self._leaf[0] == len(self.modules):
                tensors = (t for t in tree_leaves(out) if isinstance(t, Tensor))
                first = next(tensors, None)
                self._leaf[1].output = None if first is None else value_of(first)
                self._leaf = None
            self.modules.pop()

        return after

    def _is_leaf(self, module: nn.Module) -> bool:
        # the child out_proj of an attention is never called; exported layers say what they were
        if isinstance(module, nn.MultiheadAttention) or getattr(module, "is_one_layer", False):
            return True
        if any(name != "parametrizations" for name, _ in module.named_children()):
            return False
        # a model without children is opened up; a layer of torch's own given alone is not
        return module is not self._root or type(module).__module__.startswith("torch.nn.")
