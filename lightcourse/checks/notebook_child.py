"""The process in which a learner's notebook runs: `python -m … ORDER.json EVENTS.jsonl`.

Runs each cell in an IPython shell, then the checks, and tells the parent one JSON line at a time:
nothing is lost when the notebook is stopped half-way.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from lightcourse.checks.chapters import find_exercise
from lightcourse.checks.engine import run_check


def main(asked: str, told: str) -> None:
    """Run the order in one file and write the events to the other."""
    order = json.loads(Path(asked).read_text(encoding="utf-8"))
    with Path(told).open("a", encoding="utf-8") as file:

        def tell(**event: Any) -> None:
            file.write(json.dumps(event) + "\n")
            file.flush()

        names, errors = _run_cells(order["cells"], tell)
        for target in order["targets"]:
            tell(verdict=_judge(target, names, errors))
        tell(end=True)


def _run_cells(
    cells: list[tuple[int, str]], tell: Callable[..., None]
) -> tuple[dict[str, Any], list[str]]:
    """The namespace after all cells, and one sentence for each cell that stopped with an error."""
    config = Config()
    config.HistoryManager.enabled = False  # no history file is touched
    shell = InteractiveShell.instance(config=config)
    errors = []
    for number, source in cells:
        tell(cell=number)
        result = shell.run_cell(source, silent=False)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            errors.append(f"code cell {number} stopped with {type(error).__name__}: {error}")
    return shell.user_ns, errors


def _judge(target: dict[str, Any], names: dict[str, Any], errors: list[str]) -> dict[str, Any]:
    id, title = target["id"], target["title"]
    expression = target["expression"] or find_exercise(id).target
    verdict = {"id": id, "title": title, "passed": False, "mistake": "not-defined"}
    try:
        obj = eval(expression, names)
    except Exception as error:
        why = "".join(f"\n{line}" for line in errors[:1])
        text = f"✗ {id} · {title}\n{expression} cannot be had: {type(error).__name__}: {error}{why}"
        return {**verdict, "text": text}
    result = run_check(id, obj)
    return {**verdict, "passed": result.passed, "mistake": result.mistake, "text": repr(result)}


if __name__ == "__main__":
    main(*sys.argv[1:])
