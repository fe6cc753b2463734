"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "lightcourse"
MODULES = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str, capsys, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.attempted, "the examples are in no docstring that doctest finds"
    assert not found.failed, capsys.readouterr().out
    assert [p.name for p in tmp_path.iterdir()] in ([], ["data"]), "an example leaves files behind"
