"""Out of PyTorch: a model as an ONNX file, checked in ONNX Runtime before anybody relies on it."""

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from lightcourse.errors import UserError

_NEEDED = ("onnx", "onnxscript", "onnxruntime")
_BATCH = 3  # the check runs another batch than the export saw, so that the axis is free indeed


@dataclass(frozen=True)
class Exported:
    """An ONNX file, and how far ONNX Runtime's outputs are from PyTorch's."""

    path: Path
    size: int  # bytes
    difference: float  # the largest of any output
    largest: float  # the largest output of PyTorch, for scale

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.size / 1e6:.1f} MB; ONNX Runtime differs from PyTorch by at most "
            f"{self.difference:.1e}, outputs reach {self.largest:.3g}"
        )

    __repr__ = __str__


def to_onnx(
    model: nn.Module,
    path: str | Path,
    input_size: Sequence[int] = (1, 3, 224, 224),
    tolerance: float = 1e-4,
) -> Exported:
    """Write a model in eval mode as an ONNX file with a free batch, and compare it with PyTorch.

    The model stays as it is. Raises `UserError` where ONNX is not installed, the file cannot be
    written, the model does not run or cannot be exported, or an output differs by more than
    `tolerance` of the largest and more than rounding.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     to_onnx(nn.Conv2d(3, 8, 1), f"{folder}/conv.onnx", (1, 3, 8, 8)).difference < 1e-5
    True
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UserError(
            f'ONNX files need {", ".join(missing)}; install: pip install "lightcourse[onnx]".'
        )
    _check(model, Path(path), input_size, tolerance)
    path, model = Path(path), deepcopy(model).cpu().eval()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(_BATCH, *tuple(input_size)[1:], generator=generator)
    expected = _first_run(model, x)
    _write(model, x[:2], path)
    wanted = tree_leaves(expected)
    got = _run(path, x)
    difference = max(float((a - b).abs().max()) for a, b in zip(got, wanted, strict=True))
    largest = max(float(b.abs().max()) for b in wanted)
    if not difference <= tolerance * max(1.0, largest) and not difference <= 10 * _rounding(
        model, x
    ):
        raise UserError(
            f"{path} was written, but ONNX Runtime's outputs differ from PyTorch's by "
            f"{difference:.1e}, where they reach {largest:.1e}; do not use it."
        )
    return Exported(path, path.stat().st_size, difference, largest)


def _rounding(model: nn.Module, x: Tensor) -> float:
    """Return how far PyTorch itself is from double precision: no runtime can come closer."""
    with torch.no_grad():
        single, double = model(x.clone()), deepcopy(model).double()(x.double())
    pairs = zip(tree_leaves(single), tree_leaves(double), strict=True)
    return max(float((b - a).abs().max()) for a, b in pairs)


def _check(model: object, path: Path, input_size: object, tolerance: object) -> None:
    if not isinstance(model, nn.Module):
        raise UserError(f"to_onnx takes a model, an nn.Module; this is {type(model).__name__}.")
    if path.is_dir():
        raise UserError(f"{path} is a folder; name a file in it, such as {path / 'model.onnx'}.")
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent}; make it first.")
    sides = list(input_size) if isinstance(input_size, Sequence) else []
    if len(sides) < 2 or not all(type(side) is int and side > 0 for side in sides):
        raise UserError(
            f"input_size is {input_size!r}; it is a shape with its batch, such as (1, 3, 224, 224)."
        )
    if not isinstance(tolerance, int | float) or not tolerance >= 0:
        raise UserError(f"tolerance is {tolerance!r}; it is a share of the largest output, from 0.")


def _first_run(model: nn.Module, x: Tensor) -> object:
    """Return PyTorch's outputs; what fails here would fail in the exporter, less plainly."""
    try:
        with torch.no_grad():
            return model(x.clone())
    except UserError:
        raise
    except Exception as error:
        shape = tuple(x.shape)
        raise UserError(
            f"The model does not run on one input of {shape}: {_said(error)}."
        ) from error


def _said(error: BaseException) -> str:
    """Return the first line of an error, without colours and the full stop."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip().splitlines()
    return lines[0].strip().rstrip(".") if lines else type(error).__name__


def _write(model: nn.Module, x: Tensor, path: Path) -> None:
    try:
        with _silence():
            program = torch.onnx.export(
                model, (x,), dynamo=True, dynamic_shapes=({0: "batch"},), verbose=False
            )
            assert program is not None
            program.save(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or _said(error)}.") from error
    except Exception as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__  # the exporter wraps it in advice about itself
        raise UserError(f"torch.onnx cannot export this model: {_said(cause)}.") from error


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the exporter's own words back: deprecations inside torch and onnx, logs, graphs."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _run(path: Path, x: Tensor) -> list[Tensor]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    out = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    return [torch.as_tensor(o) for o in out]
