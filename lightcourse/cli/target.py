"""TARGET of the commands: a model name, `package.module:factory`, `file.py:factory` or a `.pt2`."""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from lightcourse.errors import UserError


def load_target(target: str) -> Any:
    """Return the `nn.Module` that a command-line target names.

    Raises:
        UserError: the file, module or factory does not exist, or what it makes is no `nn.Module`.

    >>> type(load_target("mobilenet_v2")).__name__
    'MobileNetV2'
    """
    if target.endswith(".pt2"):
        return _open_program(target)
    _refuse_other_files(target)
    if ":" not in target:
        from lightcourse.models import create_model

        return create_model(target)
    place, _, factory = target.rpartition(":")
    module = _load_file(Path(place)) if place.endswith(".py") else _load_module(place)
    made = _call(getattr(module, factory, None), target, factory, place)
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


def _call(made: Any, target: str, factory: str, place: str) -> Any:
    import torch

    if made is None:
        raise UserError(f"{place} has no name {factory!r}; say which function makes the model.")
    if isinstance(made, torch.nn.Module) or not callable(made):
        return made
    try:
        return made()
    except (Exception, SystemExit) as error:
        raise UserError(
            f"calling {target} without arguments failed with {_said(error)}; "
            "name a factory that needs none."
        ) from error


def _said(error: BaseException) -> str:
    """Return an exception in one line."""
    lines = str(error).strip().splitlines() or ["no message"]
    return f"{type(error).__name__}: {lines[0][:200].rstrip('.')}"
