"""CPU seconds of `import lightcourse` and `lightcourse --help`, against importing torch in one run.

The budget is 0.3 s each:  python tests/bench/bench_startup.py
"""

import statistics
import subprocess
import sys

CASES = {
    "import lightcourse": "import lightcourse",
    "lightcourse --help": "import os, sys; sys.stdout = open(os.devnull, 'w');"
    "from lightcourse.cli import run; run(['--help'])",
    "import torch": "import torch",
}


def cpu_seconds(code: str, repeats: int = 7) -> float:
    """Median CPU seconds of a fresh interpreter that runs this code, start-up included."""
    code = f"{code}\nimport time, sys; sys.stderr.write(str(time.process_time()))"
    runs = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr)
        for _ in range(repeats)
    ]
    return statistics.median(runs)


def main() -> None:
    times = {name: cpu_seconds(code) for name, code in CASES.items()}
    for name, seconds in times.items():
        print(f"{name:20} {seconds:6.3f} CPU-s   {seconds / times['import torch']:5.2f} of torch")


if __name__ == "__main__":
    main()
