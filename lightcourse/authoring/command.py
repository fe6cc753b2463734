"""What `lightcourse build` does, with its printing and its exit codes."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from lightcourse.authoring.build import Report, build_all, select
from lightcourse.authoring.execute import run_notebook
from lightcourse.authoring.notebook import build_instructor_source
from lightcourse.authoring.source import find_chapters
from lightcourse.errors import UserError

# a learner's installation does without these
EXTRA = ("jupytext", "nbgrader", "nbclient", "nbformat")


def run_build(
    chapters: Sequence[str] = (),
    check: bool = False,
    execute: bool = False,
    *,
    force: bool = False,
    root: Path | None = None,
    console: Console | None = None,
) -> int:
    """Build or gate chapters, and with `execute` run each solved one in a fresh kernel.

    Returns 0 when all is well, 1 when something is wrong.

    Raises:
        UserError: it was called wrongly, or the teaching tools are not installed.
    """
    console = console or Console(highlight=False, soft_wrap=True)
    try:
        root = root or find_root(Path.cwd())
        report = build_all(root, check, chapters, force=force)
        _print(console, report, check)
        failed = bool(report.problems)
        if execute:
            failed |= not _execute(console, select(find_chapters(root), chapters))
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        install = 'pip install -c requirements.lock -e ".[teach]"'
        raise UserError(f"building needs {error.name}; {install} brings it.") from error
    return int(failed)


def find_root(start: Path) -> Path:
    """Return the nearest folder upwards that has solutions/; raise UserError where none has."""
    for folder in (start, *start.parents):
        if (folder / "solutions").is_dir():
            return folder
    raise UserError(f"there is no solutions/ folder at or above {start}; run this in a clone.")


def _print(console: Console, report: Report, check: bool) -> None:
    for name in report.written:
        console.print(f"[green]wrote[/green]   {escape(name)}")
    for name in report.removed:
        console.print(f"[yellow]removed[/yellow] {escape(name)}")
    for problem in report.problems:
        console.print(f"[red]✗[/red] {escape(str(problem))}")
    count = len(report.problems)
    if count:
        console.print(f"{count} problem{'s' if count > 1 else ''}.")
    elif check:
        console.print(f"{len(report.unchanged)} chapters agree with their sources.")
    elif not report.written and not report.removed:
        console.print("Nothing to do.")


def _execute(console: Console, sources: Sequence[Path]) -> bool:
    import nbformat

    good = True
    for source in sources:
        notebook = nbformat.reads(build_instructor_source(source), as_version=4)

        def show(number: int, cells: int, name: str = source.stem) -> None:
            status.update(f"{name}: cell {number} of {cells}")

        with console.status(source.stem) as status:
            run = run_notebook(notebook, folder=source.parent, on_cell=show)
        # neither a busy machine nor a second core makes the smaller one larger than it should be
        seconds = min(run.seconds, run.cpu_seconds)
        over = seconds > (budget := notebook.metadata["lightcourse"]["budget_seconds"])
        sign = "[red]✗[/red]" if run.errors or over else "[green]✓[/green]"
        figures = (
            f"{run.seconds:.0f} s, {run.cpu_seconds:.0f} CPU-s, peak {run.peak_rss / 2**20:.0f} MB"
        )
        console.print(f"{sign} {source.stem}: {figures}")
        for error in run.errors:
            console.print(f"  {escape(str(error))}")
        if over:
            console.print(f"  {seconds:.0f} s is over its budget of {budget} s: measure less.")
        good &= not run.errors and not over
    return good
