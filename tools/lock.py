"""Write requirements.lock: the versions now in .venv, without a build's suffix such as +cpu."""

import re
import subprocess
import sys
from pathlib import Path

HEADER = """\
# Exact versions of everything the course and its tests run with, as pip constraints:
#   pip install -c requirements.lock -e ".[lab]"
# Written by 'make lock'; pyproject.toml holds the ranges and the reasons.
"""
OURS = {"lightcourse", "pip", "setuptools", "wheel"}


def main() -> None:
    command = [sys.executable, "-m", "pip", "list", "--format=freeze"]
    listed = subprocess.check_output(command, text=True).split()
    versions = dict(pin.split("==") for pin in listed)
    names = {re.sub(r"[-_.]+", "-", name).lower(): name for name in versions}
    pins = [f"{n}=={versions[names[n]].split('+')[0]}" for n in sorted(names) if n not in OURS]
    lock = Path(__file__).parents[1] / "requirements.lock"
    lock.write_text(HEADER + "\n".join(pins) + "\n")
    print(f"{lock.name}: {len(pins)} pins")


if __name__ == "__main__":
    main()
