"""A fingerprint of code and settings: equal where nothing that could change a result differs."""

import hashlib
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def digest(*things: Any) -> str:
    """Return 32 hex digits that stand for the things; follows functions into what they call.

    The same in every process and session, for plain data, functions, classes, dataclasses,
    tensors, modules and containers of them. Comments, names of variables' values that a function
    never reads, and places in memory do not count.

    >>> digest({"lr": 0.1, "epochs": 3}) == digest({"epochs": 3, "lr": 0.1})
    True
    >>> digest(0.1) == digest(0.2)
    False
    """
    walker = _Walker()
    for thing in things:
        walker.walk(thing)
    return walker.sum.hexdigest()[:32]


def model_digest(model: nn.Module) -> str:
    """Fingerprint of a network: its structure, the code of its modules, and its weights.

    >>> digest = model_digest(nn.ReLU())
    >>> digest == model_digest(nn.ReLU()), digest == model_digest(nn.ReLU6())
    (True, False)
    """
    walker = _Walker()
    walker.say(_ADDRESS.sub("", repr(model)))
    for name, module in model.named_modules():
        walker.say(name)
        walker.walk(type(module))
        own = {k: v for k, v in vars(module).items() if k not in _MODULE_PARTS}
        walker.walk({k: v for k, v in own.items() if not isinstance(v, nn.Module)})
    for name, tensor in model.state_dict().items():
        walker.say(name)
        walker.walk(tensor)
    return walker.sum.hexdigest()[:32]


_MODULE_PARTS = set(vars(nn.Module())) - {"training"}


class _Walker:
    def __init__(self) -> None:
        self.sum = hashlib.sha256()
        self.seen: dict[int, tuple[int, Any]] = {}  # id -> number; holds the object, so id stays
        self.inside: set[int] = set()  # containers being walked, to get out of circles

    def say(self, text: str) -> None:
        data = text.encode()
        self.sum.update(len(data).to_bytes(8, "little") + data)

    def walk(self, thing: Any) -> None:
        """Add one thing and all that it leads to."""
        if thing is None or isinstance(thing, bool | int | float | complex | str | bytes | range):
            return self.say(f"{type(thing).__name__} {thing!r}")
        if isinstance(thing, Path | torch.dtype | torch.device | torch.Size):
            return self.say(f"{type(thing).__name__} {thing}")
        self.say(type(thing).__qualname__)
        if isinstance(thing, FunctionType | type | nn.Module):  # which one it is counts, not where
            if id(thing) in self.seen:
                return self.say(f"number {self.seen[id(thing)][0]}")
            self.seen[id(thing)] = (len(self.seen), thing)
        if id(thing) in self.inside:
            return self.say("circle")
        self.inside.add(id(thing))
        way = next((way for kind, way in _WAYS if isinstance(thing, kind)), _Walker.other)
        way(self, thing)
        self.inside.discard(id(thing))
        return None

    def mapping(self, thing: Mapping) -> None:
        for key in sorted(thing, key=repr):
            self.walk(key)
            self.walk(thing[key])

    def sequence(self, thing: list | tuple) -> None:
        self.say(str(len(thing)))
        for item in thing:
            self.walk(item)

    def unordered(self, thing: set | frozenset) -> None:
        self.sequence(sorted(thing, key=repr))

    def tensor(self, thing: Tensor) -> None:
        self.say(f"{thing.dtype} {tuple(thing.shape)}")
        flat = thing.detach().cpu().contiguous().flatten()
        self.sum.update(flat.view(torch.uint8).numpy().tobytes())

    def partial(self, thing: partial) -> None:
        self.sequence((thing.func, thing.args, thing.keywords))

    def method(self, thing: MethodType) -> None:
        self.sequence((thing.__func__, thing.__self__))

    def module(self, thing: ModuleType) -> None:
        self.say(thing.__name__)

    def function(self, thing: FunctionType) -> None:
        self.say(f"{thing.__module__}.{thing.__qualname__}")
        if _is_foreign(thing):
            return
        self.walk((thing.__defaults__, thing.__kwdefaults__))
        for cell in thing.__closure__ or ():
            self.walk(_content(cell))
        self.code(thing.__code__)
        for name, value in _globals_of(thing):
            self.say(name)
            self.walk(value)

    def code(self, thing: CodeType) -> None:
        self.sum.update(thing.co_code)
        self.sequence([*thing.co_names, *thing.co_varnames, *thing.co_freevars])
        for const in thing.co_consts:
            if isinstance(const, CodeType):
                self.code(const)
            elif const != thing.co_consts[0] or not isinstance(const, str):  # not the docstring
                self.walk(const)

    def type(self, thing: type) -> None:
        self.say(f"{thing.__module__}.{thing.__qualname__}")
        if _is_foreign(thing):
            return
        for base in thing.__bases__:
            self.walk(base)
        for name, value in sorted(vars(thing).items()):
            if isinstance(value, property):
                value = (value.fget, value.fset)
            if isinstance(value, staticmethod | classmethod):
                value = value.__func__
            plain = isinstance(value, int | float | str | tuple) and not name.startswith("__")
            if plain or isinstance(value, FunctionType) or type(value) is tuple:
                self.say(name)
                self.walk(value)

    def other(self, thing: Any) -> None:
        if is_dataclass(thing):
            self.walk({f.name: getattr(thing, f.name) for f in fields(thing)})
        elif type(thing).__repr__ is not object.__repr__:
            self.say(_ADDRESS.sub("", repr(thing)))
        if callable(thing):  # an object with __call__: its class is code
            self.walk(type(thing))
        if type(thing).__repr__ is object.__repr__ and hasattr(thing, "__dict__"):
            self.walk(vars(thing))


_WAYS: tuple[tuple[Any, Any], ...] = (
    (nn.Module, lambda walker, model: walker.say(model_digest(model))),
    (Tensor, _Walker.tensor),
    (Mapping, _Walker.mapping),
    (list | tuple, _Walker.sequence),
    (set | frozenset, _Walker.unordered),
    (partial, _Walker.partial),
    (MethodType, _Walker.method),
    (FunctionType, _Walker.function),
    (ModuleType, _Walker.module),
    (type, _Walker.type),
)


def _is_foreign(thing: Any) -> bool:
    """Whether a thing comes from an installed package: it is named, not read."""
    name = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", "")
    return _installed(str(name).split(".")[0])


@cache
def _installed(package: str) -> bool:
    if package in ("__main__", "lightcourse"):
        return False
    file = getattr(sys.modules.get(package), "__file__", None) or ""
    return package in sys.stdlib_module_names or "site-packages" in Path(file).parts


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a recursive inner function that is not bound yet
        return None


def _globals_of(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function reads from its module, and from the modules of ours that it names."""
    names = sorted(set(_names(function.__code__)))
    for name in names:
        if name not in function.__globals__:
            continue
        value = function.__globals__[name]
        if isinstance(value, ModuleType):
            if not _is_foreign(value):
                inner = ((f"{name}.{n}", getattr(value, n)) for n in names if hasattr(value, n))
                yield from inner
        elif not name.startswith("__"):
            yield name, value


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _names(const)
