"""Make .venv with exactly the versions of requirements.lock, by the standard library alone.

    python tools/bootstrap.py lab      what a learner needs
    python tools/bootstrap.py test     that, and what the tests need

A second run with nothing changed returns at once; an interrupted one goes on where it stopped.
"""

# This file must also be *parsed* by an old Python, to be able to say that it is too old.
import hashlib
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
OLDEST, NEWEST = (3, 11), (3, 13)
NEEDED_GB = {"lab": 3, "test": 4}  # measured: 2.1 and 2.6 GB with the CPU build of torch


def stop(sentence):
    """Say one sentence and leave with the exit code for 'called wrongly'."""
    sys.stderr.write("lightcourse: " + sentence + "\n")
    sys.exit(2)


def supported(version):
    return OLDEST <= tuple(version[:2]) <= NEWEST


def find_python():
    """The first supported interpreter: the one that runs this, else python3.13 … python3.11."""
    if supported(sys.version_info):
        return sys.executable
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        exe = shutil.which("python3.%d" % minor)
        if exe and subprocess.call([exe, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return exe
    return None


def venv_python():
    name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(VENV, *name)


def fingerprint(what):
    """Changes whenever an install would give something else."""
    digest = hashlib.sha256(what.encode())
    for name in ("pyproject.toml", "requirements.lock"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def is_done(what):
    """A finished install of `test` also serves `lab`."""
    wanted = {what, "test"}
    try:
        with open(os.path.join(VENV, "lightcourse-stamp")) as file:
            stamp = file.read().split()
    except OSError:
        return False
    return any(fingerprint(w) in stamp for w in wanted)


def check_disk(what):
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < NEEDED_GB[what]:
        stop(
            "only {:.1f} GB are free under {}, and the environment needs about {} GB; "
            "free some space and run the same command again.".format(free, ROOT, NEEDED_GB[what])
        )


def create_venv():
    python = find_python()
    if python is None:
        stop(
            "Python {}.{} is not supported; install Python 3.11, 3.12 or 3.13 and run "
            "'make PYTHON=/path/to/python3.12 lab'.".format(*sys.version_info[:2])
        )
    if subprocess.call([python, "-m", "venv", VENV]) != 0:
        stop(
            "'{} -m venv' failed; on Debian or Ubuntu 'sudo apt install python3-venv' "
            "provides it, then run the same command again.".format(python)
        )


def pip(*args):
    command = [venv_python(), "-m", "pip", "--disable-pip-version-check", *args]
    if subprocess.call(command, cwd=ROOT) != 0:
        stop(
            "pip could not finish (its message stands above); check the network and the disk, "
            "then run the same command again: it goes on where it stopped."
        )


def update_pip():
    """An old pip (before 23) cannot build the editable install from pyproject.toml reliably."""
    out = subprocess.check_output([venv_python(), "-m", "pip", "--version"], cwd=ROOT).decode()
    if int(out.split()[1].split(".")[0]) < 23:
        pip("install", "--quiet", "--upgrade", "pip")


def main():
    what = sys.argv[1] if len(sys.argv) == 2 else ""
    if what not in NEEDED_GB:
        stop("say what to install: 'python tools/bootstrap.py lab' or '… test'.")
    if is_done(what):
        return
    start = time.time()
    check_disk(what)
    if not os.path.exists(venv_python()):
        create_venv()
    print("Installing the pinned packages into .venv (the first time takes a few minutes) …")
    update_pip()
    extras = {"lab": ".[lab]", "test": ".[test]"}[what]
    pip("install", "-c", "requirements.lock", "-e", extras)
    with open(os.path.join(VENV, "lightcourse-stamp"), "w") as file:
        file.write(fingerprint(what) + "\n")
    print("Ready after {:.0f} s.".format(time.time() - start))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        stop("interrupted; run the same command again and it goes on where it stopped.")
