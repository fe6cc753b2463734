"""Every model as an ONNX file: ONNX Runtime's outputs against PyTorch's, on lively weights.

python tests/bench/bench_models_onnx.py [NAME ...]; about five seconds each. Very deep networks with
random weights amplify rounding: PyTorch's own distance from double precision is printed beside.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))
from test_models_export import lively

from lightcourse import list_models
from lightcourse.models import to_onnx
from lightcourse.models._onnx import _rounding

LIMIT = 1e-4  # of the largest output


def main(names: Sequence[str] = ()) -> None:
    wrong = []
    print(f"{'model':26} {'difference':>10} {'rounding':>10} {'of outputs':>10} {'MB':>7} {'s':>5}")
    for name in names or list_models():
        start = time.perf_counter()
        model, x = lively(name)
        with TemporaryDirectory() as folder:
            done = to_onnx(model, Path(folder) / f"{name}.onnx", x.shape)
        took = time.perf_counter() - start
        rounding = _rounding(model, x)
        print(
            f"{name:26} {done.difference:10.1e} {rounding:10.1e} {done.largest:10.3g} "
            f"{done.size / 1e6:7.1f} {took:5.1f}",
            flush=True,
        )
        if done.difference > max(LIMIT * max(1, done.largest), 3 * rounding):
            wrong.append(name)
    assert not wrong, f"differ by more than {LIMIT}: {wrong}"


if __name__ == "__main__":
    main(sys.argv[1:])
