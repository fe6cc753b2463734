"""Programs saved by torch.export, opened as modules that keep the names of their layers."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_unflatten

from lightcourse.errors import UserError

_HOW = "torch.export.save(torch.export.export(model.eval(), (example,)), path) writes one"

Shape = tuple[int | None, ...]


class Entry:
    """What an exported program takes: kept at its module, and compared with what it is given."""

    def __init__(self, program: Any) -> None:
        self.names = [str(name) for name in program.graph_signature.user_inputs]
        wanted = set(self.names)
        found = [n.meta.get("val") for n in program.graph.nodes if n.name in wanted]
        self.shapes: list[Shape] = [
            tuple(n if isinstance(n, int) else None for n in value.shape)
            for value in found
            if isinstance(value, Tensor)
        ]  # None for a size that may vary
        self.is_plain = len(self.shapes) == len(self.names) > 0
        self.nesting = program.call_spec.in_spec
        self._example = program.example_inputs

    @property
    def example(self) -> tuple[Any, ...]:
        """Inputs of the shapes it was exported with, in order, as `analyze` takes them."""
        if not self.is_plain:
            raise UserError(
                "This exported program takes something other than tensors; analyse the module it "
                "was made from."
            )
        leaves = tree_leaves(self._example) if self._example else []
        if len(leaves) == len(self.shapes) and all(isinstance(x, Tensor) for x in leaves):
            return tuple(leaves)
        return tuple(tuple(n or 2 for n in shape) for shape in self.shapes)

    @property
    def example_shape(self) -> tuple[int, ...]:
        """The shape of its only input."""
        first = self.example[0]
        return tuple(first.shape) if isinstance(first, Tensor) else first

    def check(self, given: list[Tensor]) -> None:
        """Raise where an input does not have a shape that the program was exported for."""
        if not self.is_plain:
            return
        fits = len(given) == len(self.shapes) and all(
            len(tensor.shape) == len(shape)
            and all(b in (None, a) for a, b in zip(tensor.shape, shape, strict=True))
            for tensor, shape in zip(given, self.shapes, strict=False)
        )
        if not fits:
            takes = " and ".join(_written(shape) for shape in self.shapes)
            gets = " and ".join(str(tuple(tensor.shape)) for tensor in given)
            raise UserError(
                f"This exported program takes {takes} and nothing else, but gets {gets}; use the "
                "shape it was exported for, or export it again with dynamic_shapes."
            )


def _written(shape: Shape) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"


def open_exported(program: Any) -> nn.Module:
    """Return the module of an exported program, or of a file that torch.export.save wrote.

    Its layers keep their names and classes. `module.program_entry.example` is an input of the
    shape that the program was exported with.

    Raises:
        UserError: there is no such file, or it holds something else.
    """
    if not isinstance(program, torch.export.ExportedProgram):
        program = _load(Path(program))
    with _quiet():
        try:
            module: Any = torch.export.unflatten(program)
        except Exception:  # it does not know every graph; then the layers have no names
            module = program.module(check_guards=False)
    for part in module.modules():
        is_root = part is module
        part.__class__ = _named_class(type(part), getattr(part, "_ty", None) or "", is_root)
    module.program_entry = Entry(program)
    return module


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what torch says of its own file format; errors are told in our words."""
    log = logging.getLogger("torch.export")
    before = log.disabled
    log.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = before


def _load(path: Path) -> Any:
    if not path.is_file():
        raise UserError(f"there is no file {path}; {_HOW}.")
    try:
        with _quiet():
            return torch.export.load(path)
    except Exception as error:
        first = str(error).strip().splitlines()[:1] or ["no message"]
        raise UserError(
            f"{path} is not a program saved by torch.export.save, or it is damaged "
            f"({type(error).__name__}: {first[0][:120].rstrip('.')}); {_HOW}."
        ) from error


@cache
def _named_class(base: Any, written: str, is_root: bool) -> type:
    """Return a class that bears the name of the module a part was made from, such as Conv2d."""
    name = written.rpartition(".")[2] or base.__name__
    is_layer = written.startswith("torch.nn.modules.") and ".container." not in written
    if not is_root:
        return type(name, (base,), {"is_one_layer": is_layer})

    def forward(self: Any, *flat: Any, **named: Any) -> Any:
        """Run with the inputs in a row, however the program nests and names them."""
        if named:
            return base.forward(self, *flat, **named)
        args, keywords = tree_unflatten(flat, self.program_entry.nesting)
        return base.forward(self, *args, **keywords)

    return type(name, (base,), {"is_one_layer": is_layer, "forward": forward})
