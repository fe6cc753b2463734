"""Ask ten profilers for the cost of one network: the frozen table of analysis/profilers.py.

The profilers are no dependency of ours: `make bench` puts them into a folder of their own, or by
hand `pip install --no-deps --target .bench -r tests/bench/tools.txt`, then
`PYTHONPATH=.bench python tests/bench/bench_profilers.py`.
"""

import subprocess
import sys

from lightcourse.analysis.profilers import PROFILERS

SETUP = """
import torch, warnings; warnings.simplefilter("ignore"); torch.set_num_threads(1)
from lightcourse._torchvision import import_torchvision
from lightcourse.models import create_model
import_torchvision()
model = create_model("mobilenet_v2").eval(); x = torch.zeros(1, 3, 224, 224)
"""

# each is run in a process of its own: several of them patch torch and never undo it
ASK = {
    "torch FlopCounterMode / 2": """
from torch.utils.flop_counter import FlopCounterMode
with FlopCounterMode(display=False) as counter, torch.no_grad(): model(x)
macs = counter.get_total_flops() // 2""",
    "calflops": """
from calflops import calculate_flops
macs = calculate_flops(model, (1, 3, 224, 224), print_results=False, output_as_string=False)[1]""",
    "DeepSpeed": """
from deepspeed.profiling.flops_profiler import get_model_profile
macs = get_model_profile(model, (1, 3, 224, 224), print_profile=False, as_string=False)[1]""",
    "ptflops, aten": """
from ptflops import get_model_complexity_info as ask
options = {"as_strings": False, "print_per_layer_stat": False, "backend": "aten"}
macs = ask(model, (3, 224, 224), **options)[0]""",
    "torchinfo": """
from torchinfo import summary
macs = summary(model, (1, 3, 224, 224), verbose=0).total_mult_adds""",
    "torchprofile": """
from torchprofile import profile_macs
macs = profile_macs(model, x)""",
    "torchscan": """
from torchscan import crawl_module
report = crawl_module(model, (3, 224, 224))
macs = report["totals"]["macs"]["value"]""",
    "fvcore": """
from fvcore.nn import FlopCountAnalysis
macs = FlopCountAnalysis(model, x).unsupported_ops_warnings(False).total()""",
    "ptflops, pytorch": """
from ptflops import get_model_complexity_info as ask
options = {"as_strings": False, "print_per_layer_stat": False, "backend": "pytorch"}
macs = ask(model, (3, 224, 224), **options)[0]""",
    "thop": """
from thop import profile
macs = profile(model, inputs=(x,), verbose=False)[0]""",
}  # fmt: skip


def ask(tool: str) -> int | None:
    code = SETUP + ASK[tool] + "\nprint('macs:', int(macs))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    lines = [line for line in run.stdout.splitlines() if line.startswith("macs:")]
    if run.returncode or not lines:
        last = (run.stderr.strip().splitlines() or ["no output"])[-1]
        print(f"{tool}: did not run ({last}); is it on PYTHONPATH? See the top of this file.")
        return None
    return int(lines[-1].split()[1])


def main() -> int:
    wrong = 0
    for row in PROFILERS:
        said = ask(row.tool)
        if said is not None:
            agrees = said == row.macs
            wrong += not agrees
            print(f"{row.tool:28} {said:>13,}  {'as frozen' if agrees else f'frozen {row.macs:,}'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
