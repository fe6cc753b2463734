"""Show things where a rich display exists, print them elsewhere, and never twice in one cell."""

from __future__ import annotations

from typing import Any

_last: tuple[Any, int] | None = None  # what was shown last, and in which execution


def show(thing: Any) -> None:
    """Display in a notebook, print elsewhere."""
    if not show_rich(thing):
        print(thing)


def show_rich(thing: Any) -> bool:
    """Display the HTML (and the text) in an IPython session; False where there is none."""
    from IPython.core.getipython import get_ipython
    from IPython.display import publish_display_data

    global _last
    shell = get_ipython()
    if shell is None:
        return False
    _last = (thing, shell.execution_count)
    publish_display_data({"text/html": thing._repr_html_(), "text/plain": repr(thing)})
    return True


def echo(thing: Any) -> None:
    """Display the value of a cell's last line, unless that very cell has shown it already."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None or _last is None or _last[0] is not thing or _last[1] != shell.execution_count:
        show(thing)
