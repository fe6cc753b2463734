"""Out of PyTorch: a model as an ONNX file, checked in ONNX Runtime before anybody relies on it."""

import warnings
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
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

    The model stays as it is. Raises `UserError` where ONNX is not installed, the model cannot be
    exported, or an output differs by more than `tolerance` of the largest and more than rounding.

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
    path = Path(path)
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent}; make it first.")
    model = deepcopy(model).cpu().eval()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(_BATCH, *tuple(input_size)[1:], generator=generator)
    _write(model, x[:2], path)
    with torch.no_grad():
        expected = model(x.clone())
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


def _write(model: nn.Module, x: Tensor, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own: deprecations inside torch and onnx
        try:
            program = torch.onnx.export(
                model, (x,), dynamo=True, dynamic_shapes=({0: "batch"},), verbose=False
            )
            assert program is not None
            program.save(path)
        except OSError:
            raise
        except Exception as error:
            said = (str(error).strip().splitlines() or ["no message"])[0].rstrip(".")
            raise UserError(f"torch.onnx cannot export this model: {said}.") from error


def _run(path: Path, x: Tensor) -> list[Tensor]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    out = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    return [torch.as_tensor(o) for o in out]
