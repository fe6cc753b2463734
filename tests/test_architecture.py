"""The rules of the house: who imports whom, what stays light, how large a file may grow."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "lightcourse"
FILES = sorted(PACKAGE.rglob("*.py"))

# room -> the rooms it may import; errors, paths, rehearsal and _torchvision are open to all
MAY_IMPORT = {
    "nn": set(),
    "models": {"nn"},
    "analysis": set(),
    "training": {"nn", "analysis"},  # analysis: an experiment checks that its budget is equal
    "detection": {"nn", "training"},  # training: run folder, screen, settings, cache, draws
    "myths": {"analysis", "models", "nn"},
    "design": {"analysis", "models", "nn", "training"},
    "atlas": set(),
    # models: default networks of scenes
    "viz": {"analysis", "design", "detection", "training", "nn", "models"},
    "checks": {"analysis", "nn", "viz"},
    "authoring": {"checks"},
    "cli": {"analysis", "atlas", "authoring", "checks", "design", "models", "training", "viz"},
}
OPEN = {"errors", "paths", "rehearsal", "_torchvision"}


def room_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE).parts
    return inside[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """Rooms of ours that this file imports, at the top or inside functions."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parent
            for _ in range(node.level - 1):
                folder = folder.parent
            base = ".".join(folder.relative_to(PACKAGE.parent).parts)
            names = [
                f"{base}.{node.module}" if node.module else f"{base}.{a.name}" for a in node.names
            ]
        elif isinstance(node, ast.ImportFrom) and node.module == "lightcourse":
            names = [f"lightcourse.{a.name}" for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        rooms |= {n.split(".")[1] for n in names if n.startswith("lightcourse.")}
    return rooms


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_rooms_import_only_what_the_design_allows(room):
    files = [f for f in FILES if room_of(f) == room]
    assert files, f"the room {room} is gone; change MAY_IMPORT"
    for path in files:
        wrong = imported_rooms(path) - MAY_IMPORT[room] - OPEN - {room, "__version__"}
        assert not wrong, f"{path.name} imports {wrong}"


def test_the_import_reader_sees_every_form(tmp_path):
    lines = [
        "import lightcourse.nn.blocks",
        "def f():\n    from lightcourse.models import x",
        "from lightcourse import viz",
    ]
    sample = tmp_path / "sample.py"
    sample.write_text("\n".join(lines))
    assert imported_rooms(sample) == {"nn", "models", "viz"}


@pytest.mark.parametrize(
    "statement",
    [
        "import lightcourse",
        "import lightcourse.cli.app",
        "import lightcourse.checks.progress",
        "import lightcourse.authoring",
        "import lightcourse.atlas",
        "from lightcourse.cli import run; run(['--help'])",
    ],
)
def test_stays_light(statement):
    code = f"import sys, resource; {statement}; print('torch' in sys.modules)"
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out.split()[-1] == "False", f"{statement} imports torch"


@pytest.mark.parametrize("statement", ["import lightcourse", "import lightcourse.cli.app"])
def test_light_imports_cost_little_cpu(statement):
    code = f"import time; {statement}; print(time.process_time())"
    seconds = min(
        float(subprocess.check_output([sys.executable, "-c", code], text=True)) for _ in range(3)
    )
    assert seconds < 0.9, "the budget is 0.3 s; this is three times that, for slow machines"


def code_lines(node: ast.AST, source: list[str]) -> int:
    """Lines that hold code: no blanks, comments or docstrings."""
    docs = set()
    for inner in ast.walk(node):
        is_scope = isinstance(inner, ast.Module | ast.FunctionDef | ast.ClassDef)
        if is_scope and ast.get_docstring(inner, clean=False) is not None:
            docs |= set(range(inner.body[0].lineno, (inner.body[0].end_lineno or 0) + 1))
    first = getattr(node, "lineno", 1)
    last = getattr(node, "end_lineno", len(source))
    rows = [n for n in range(first, last + 1) if n not in docs]
    return sum(
        1 for n in rows if source[n - 1].strip() and not source[n - 1].strip().startswith("#")
    )


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_and_functions_stay_small(path):
    text = path.read_text(encoding="utf-8")
    tree, source = ast.parse(text), text.splitlines()
    assert code_lines(tree, source) <= 250, "over 250 code lines: split it"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            limit = 12 if node.name == "forward" else 40
            assert code_lines(node, source) <= limit, f"{node.name} is over {limit} code lines"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_module_says_what_it_is(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    doc = ast.get_docstring(tree)
    assert doc, "the first line of a module says what it is"
    assert len(doc.splitlines()[0]) <= 100
