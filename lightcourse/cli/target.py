"""TARGET of the commands: a model name, `package.module:factory`, `file.py:factory` or a `.pt2`."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from lightcourse.errors import UserError


def load_target(
    target: str,
    offered: Mapping[str, Any] | None = None,
    asked: Mapping[str, Any] | None = None,
) -> Any:
    """Return the `nn.Module` that a command-line target names.

    `offered` are settings that the model's function gets where it has them, `asked` those that
    it must have.

    Raises:
        UserError: the file, module or factory does not exist, what it makes is no `nn.Module`, or
            it lacks a setting that was asked for.

    >>> type(load_target("mobilenet_v2")).__name__
    'MobileNetV2'
    """
    if target.endswith(".pt2"):
        return _open_program(target)
    _refuse_other_files(target)
    if ":" not in target:
        from lightcourse.models import MODELS, create_model

        settings = _settings(MODELS.get(target), target, offered or {}, asked or {})
        return create_model(target, **settings)
    place, _, factory = target.rpartition(":")
    module = _load_file(Path(place)) if place.endswith(".py") else _load_module(place)
    made = getattr(module, factory, None)
    made = _call(made, target, place, _settings(made, target, offered or {}, asked or {}))
    import torch

    if not isinstance(made, torch.nn.Module):
        raise UserError(
            f"{target} gives a {type(made).__name__}; it must give a torch.nn.Module "
            "(a module, a module class or a function that returns one)."
        )
    return made


def _open_program(path: str) -> Any:
    """Open an exported program; one that uses torchvision's operators needs them declared."""
    from lightcourse.analysis import open_exported

    try:
        return open_exported(path)
    except UserError as error:
        if "torchvision" not in str(error):
            raise
        from lightcourse._torchvision import import_torchvision

        import_torchvision()
        return open_exported(path)


def _refuse_other_files(target: str) -> None:
    if target.endswith((".pt", ".pth", ".ckpt", ".bin", ".safetensors", ".onnx")):
        raise UserError(
            f"{target} holds weights, or a program that torch.export did not save; name the "
            "function that makes the model, or save it with torch.export.save(..., 'model.pt2')."
        )
    if target.endswith(".py"):
        raise UserError(f"say which function of the file makes the model: {target}:function.")


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UserError(
            f"there is no file {path}; give the path of the Python file before the ':'."
        )
    sys.path.insert(0, str(path.parent.resolve()))  # its own imports, as `python file.py` has them
    return _imported(lambda: _execute(path), str(path))


def _execute(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None  # a .py file always has both
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _load_module(name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    return _imported(lambda: importlib.import_module(name), name)


def _imported(load: Callable[[], ModuleType], name: str) -> ModuleType:
    """Load the user's module; a torchvision that does not fit this torch is mended and retried."""
    try:
        try:
            return load()
        except RuntimeError as error:
            if "torchvision::" not in str(error):
                raise
            from lightcourse._torchvision import import_torchvision

            import_torchvision()
            return load()
    except UserError:
        raise
    except ModuleNotFoundError as error:
        raise UserError(
            f"there is no module {error.name!r}, which {name} needs; is it installed here, "
            "and spelled package.module:factory?"
        ) from error
    except (Exception, SystemExit) as error:
        raise UserError(
            f"importing {name} failed with {_said(error)}; mend it, or use --debug to see where."
        ) from error


def _settings(
    make: Any, target: str, offered: Mapping[str, Any], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what of both the function takes by name."""
    allowed = _named_settings(make)
    if "**" in allowed:  # torchvision's functions hand num_classes on this way
        allowed = {*allowed - {"**"}, "num_classes", *asked}
    for name in asked:
        if make is not None and name not in allowed:
            has = ", ".join(sorted(allowed)) or "none"
            raise UserError(f"{target} has no setting {name}; its settings are: {has}.")
    return {name: value for name, value in {**offered, **asked}.items() if name in allowed}


def _named_settings(make: Any) -> set[str]:
    """Return the names of a function's parameters, and `**` if it takes any name."""
    if not callable(make) or (hasattr(make, "state_dict") and not isinstance(make, type)):
        return set()  # not a function: a module that is made already
    try:
        parameters = inspect.signature(make).parameters.values()
    except (TypeError, ValueError):  # built-in functions need not tell
        return set()
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found = {p.name for p in parameters if p.kind in by_name}
    return found | {"**" for p in parameters if p.kind is inspect.Parameter.VAR_KEYWORD}


def _call(made: Any, target: str, place: str, settings: Mapping[str, Any]) -> Any:
    import torch

    factory = target.rpartition(":")[2]
    if made is None:
        raise UserError(f"{place} has no name {factory!r}; say which function makes the model.")
    if isinstance(made, torch.nn.Module) or not callable(made):
        return made
    try:
        return made(**settings)
    except (Exception, SystemExit) as error:
        with_ = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        raise UserError(
            f"calling {target} {f'with {with_}' if with_ else 'without arguments'} failed with "
            f"{_said(error)}; name a factory that needs {'no other' if with_ else 'none'}."
        ) from error


def _said(error: BaseException) -> str:
    """Return an exception in one line."""
    lines = str(error).strip().splitlines() or ["no message"]
    return f"{type(error).__name__}: {lines[0][:200].rstrip('.')}"
