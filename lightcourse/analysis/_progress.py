"""How far a long analysis is: a bar on a terminal's stderr, nothing anywhere else."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.nn.modules import module as hooks


@contextmanager
def counting(model: nn.Module, wanted: bool = True) -> Iterator[None]:
    """Show how many layers of a model have run while the block runs it."""
    if not wanted or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    leaves = {id(m) for m in model.modules() if not any(True for _ in m.children())}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(f"layers of {type(model).__name__}", total=len(leaves))

    def ran(module: nn.Module, _args: Any, _out: Any) -> None:
        if id(module) in leaves:
            bar.advance(task)

    handle = hooks.register_module_forward_hook(ran)
    try:
        with bar:
            yield
    finally:
        handle.remove()
