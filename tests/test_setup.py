"""tools/bootstrap.py: the environment, and one sentence for each machine that cannot have it."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    """The script as a module, working in an empty folder with our pyproject and lock."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "tools" / "bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(module, "ROOT", str(tmp_path))
    monkeypatch.setattr(module, "VENV", str(tmp_path / ".venv"))
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", "lab"])
    return module


@pytest.fixture
def installs(bootstrap, monkeypatch):
    """Record what would be run instead of running it; creating .venv makes its python."""
    calls = []

    def call(command, **_):
        calls.append(command)
        if "venv" in command:
            python = Path(bootstrap.venv_python())
            python.parent.mkdir(parents=True)
            python.touch()
        return 0

    monkeypatch.setattr(bootstrap.subprocess, "call", call)
    monkeypatch.setattr(bootstrap.subprocess, "check_output", lambda *_, **__: b"pip 26.3 from x")
    return calls


def sentence_of(capsys, bootstrap) -> str:
    with pytest.raises(SystemExit) as end:
        bootstrap.main()
    assert end.value.code == 2
    text = capsys.readouterr().err.strip()
    assert text.startswith("lightcourse: ") and "\n" not in text and text.endswith(".")
    return text


def test_old_python_is_named(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _: None)
    text = sentence_of(capsys, bootstrap)
    assert "Python 3.9 is not supported" in text and "3.11, 3.12 or 3.13" in text


def test_old_python_finds_a_newer_one(bootstrap, monkeypatch):
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(bootstrap.shutil, "which", {"python3.12": "/opt/python3.12"}.get)
    monkeypatch.setattr(bootstrap.subprocess, "call", lambda *_, **__: 0)
    assert bootstrap.find_python() == "/opt/python3.12"


def test_full_disk_is_named(bootstrap, monkeypatch, capsys):
    full = SimpleNamespace(free=0.4e9)
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda _: full)
    assert "only 0.4 GB are free" in sentence_of(capsys, bootstrap)


def test_missing_venv_module_is_named(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap.subprocess, "call", lambda *_, **__: 1)
    assert "python3-venv" in sentence_of(capsys, bootstrap)


def test_unknown_argument_is_named(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", "everything"])
    assert "say what to install" in sentence_of(capsys, bootstrap)


def test_second_run_does_nothing_and_a_new_lock_installs_again(bootstrap, installs, tmp_path):
    bootstrap.main()
    first = len(installs)
    assert first == 2 and installs[1][-1] == ".[lab]" and "requirements.lock" in installs[1]
    bootstrap.main()
    assert len(installs) == first
    with (tmp_path / "requirements.lock").open("a") as lock:
        lock.write("six==1.17.0\n")
    bootstrap.main()
    assert len(installs) == first + 1, "the environment stays, the packages are brought up to date"


def test_interrupted_install_is_resumed(bootstrap, installs, monkeypatch):
    real = bootstrap.subprocess.call

    def killed(command, **kw):
        if "pip" in command:
            raise KeyboardInterrupt
        return real(command, **kw)

    monkeypatch.setattr(bootstrap.subprocess, "call", killed)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.main()
    assert not bootstrap.is_done("lab")
    monkeypatch.setattr(bootstrap.subprocess, "call", real)
    bootstrap.main()
    assert bootstrap.is_done("lab")


def test_old_pip_is_updated_first(bootstrap, installs, monkeypatch):
    monkeypatch.setattr(bootstrap.subprocess, "check_output", lambda *_, **__: b"pip 21.2.4 from x")
    bootstrap.main()
    assert installs[1][-2:] == ["--upgrade", "pip"]


def test_an_install_for_the_tests_serves_the_lab_too(bootstrap, installs, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", "test"])
    bootstrap.main()
    assert bootstrap.is_done("lab")


def test_parses_on_an_old_python():
    compile(
        (ROOT / "tools" / "bootstrap.py").read_text(), "bootstrap.py", "exec", dont_inherit=True
    )
    import ast

    ast.parse((ROOT / "tools" / "bootstrap.py").read_text(), feature_version=(3, 7))


def pins() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_lock_has_every_direct_dependency_inside_its_range():
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    direct = project["dependencies"] + extras["lab"] + extras["teach"] + extras["test"]
    locked = {name.lower(): version for name, version in pins().items()}
    for requirement in map(Requirement, direct):
        if requirement.name != "lightcourse":
            assert requirement.specifier.contains(locked[requirement.name.lower()]), requirement
    assert locked["torch"] == "2.13.0" and locked["torchvision"] == "0.28.0"


def test_conda_environment_has_the_same_pins():
    text = (ROOT / "environment.yml").read_text()
    for name, version in re.findall(r"([a-z]+)==([\d.]+)", text):
        assert pins()[name] == version
    lines = [line for line in text.splitlines() if line.strip().startswith("- ")]
    bare = [line for line in lines if "#" not in line and "conda-forge" not in line]
    assert bare == ["  - pip:"], "every line of environment.yml gives its reason"


def test_ci_runs_the_readme_command_in_a_fresh_environment():
    script = (ROOT / ".ci" / "run").read_text()
    assert "rm -rf .venv" in script and script.strip().endswith("make test")
    assert subprocess.call(["bash", "-n", str(ROOT / ".ci" / "run")]) == 0
