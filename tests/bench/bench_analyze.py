"""CPU time of a whole analysis against fvcore, torchinfo and ptflops, as ratios of one run.

python tests/bench/bench_analyze.py; a tool that is missing is named, with what to install.
"""

import contextlib
import importlib.util
import io
import logging
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lightcourse._torchvision import import_torchvision
from lightcourse.analysis import analyze

NETS = ("mobilenet_v2", "shufflenet_v2_x1_0", "densenet121")
LAYERS = 500

# a fresh process: what the analysis of a deep network needs beyond importing torch
_DEEP = f"""
import time
from pathlib import Path
import torch
from torch import nn
blocks = [(nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
          for _ in range({LAYERS} // 3 + 1)]
model = nn.Sequential(*[layer for block in blocks for layer in block][:{LAYERS}])

def megabytes(what):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024

linux = Path("/proc/self/clear_refs").exists()
if linux:
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = megabytes("VmRSS")
start = time.process_time()
from lightcourse.analysis import analyze
imported = time.process_time()
report = analyze(model, (1, 64, 56, 56))
report.to_dict()
done = time.process_time()
str(report), report._repr_html_()
shown = time.process_time()
memory = megabytes("VmHWM") - before if linux else float("nan")
print(len(report.layers), imported - start, done - imported, shown - done, memory)
"""


def with_fvcore(model: nn.Module, x: Tensor) -> object:
    from fvcore.nn import FlopCountAnalysis

    return FlopCountAnalysis(model, x).total()


def with_torchinfo(model: nn.Module, x: Tensor) -> object:
    from torchinfo import summary

    return summary(model, input_data=x, verbose=0).total_mult_adds


def with_ptflops(model: nn.Module, x: Tensor) -> object:
    from ptflops import get_model_complexity_info

    size = tuple(x.shape[1:])
    return get_model_complexity_info(
        model, size, as_strings=False, print_per_layer_stat=False, verbose=False
    )


TOOLS = {"fvcore": with_fvcore, "torchinfo": with_torchinfo, "ptflops": with_ptflops}


def cpu_ms(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the median CPU time of a call in milliseconds, after one call to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(1e3 * (time.process_time() - start))
    return statistics.median(times)


def quiet(work: Callable[[], object]) -> float:
    """Time a tool that prints, logs and warns as it goes."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            return cpu_ms(work)
    finally:
        logging.disable(logging.NOTSET)


def against_tools(name: str, tools: dict[str, Callable[[nn.Module, Tensor], object]]) -> None:
    model = import_torchvision().models.get_model(name).eval()
    x = torch.randn(1, 3, 224, 224)
    plain = cpu_ms(lambda: analyze(model))
    whole = cpu_ms(lambda: analyze(model).to_dict())
    print(f"{name}: analyze {plain:.0f} ms, with everything in the report {whole:.0f} ms")
    for tool, work in tools.items():
        own = import_torchvision().models.get_model(name).eval()  # some tools leave things behind
        with torch.no_grad():
            theirs = quiet(lambda work=work, own=own: work(own, x))
        print(
            f"  {tool:10} {theirs:5.0f} ms   analyze takes {plain / theirs:.2f} of it, "
            f"the whole report {whole / theirs:.2f}"
        )


def main() -> None:
    torch.set_num_threads(1)
    tools = {name: work for name, work in TOOLS.items() if importlib.util.find_spec(name)}
    missing = [name for name in TOOLS if name not in tools]
    if missing:
        print(f"Not compared with {', '.join(missing)}: pip install {' '.join(missing)}")
    for name in NETS:
        against_tools(name, tools)
    done = subprocess.run([sys.executable, "-c", _DEEP], capture_output=True, text=True, check=True)
    rows, imported, analysed, shown, memory = (float(word) for word in done.stdout.split())
    print(
        f"{rows:.0f} layers: import {imported:.2f} CPU-s, analyze and to_dict {analysed:.2f} "
        f"CPU-s, table and HTML {shown:.2f} CPU-s, {memory:.0f} MB above torch and the weights"
    )


if __name__ == "__main__":
    main()
