"""Find the learner's own lines in a traceback, and leave every other frame out."""

from __future__ import annotations

import linecache
import os
import re
import site
import sys
import sysconfig
from pathlib import Path
from types import TracebackType

from lightcourse.checks.exercise import Blame

_PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep
_LIBRARIES = tuple(
    dict.fromkeys(
        [
            *site.getsitepackages(),
            site.getusersitepackages(),
            *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        ]
    )
)


def is_learners(filename: str) -> bool:
    """Whether a code file is the learner's: not this package's, a library's or Python's own."""
    if filename.startswith("<frozen") or filename == __file__:
        return False
    return not filename.startswith((_PACKAGE, *_LIBRARIES, sys.prefix + "/lib"))


def blame(error: BaseException) -> tuple[Blame, ...]:
    """The learner's lines that led to the error, the outermost first; () when none is theirs."""
    if isinstance(error, SyntaxError) and error.lineno and is_learners(error.filename or ""):
        source = (error.text or "").strip()
        return (*_walk(error.__traceback__), Blame(_place(error.filename), error.lineno, source))
    return _walk(error.__traceback__)


def _walk(trace: TracebackType | None) -> tuple[Blame, ...]:
    found: list[Blame] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        if is_learners(code.co_filename):
            # module globals let linecache ask a notebook's loader for the source
            text = linecache.getline(code.co_filename, trace.tb_lineno, trace.tb_frame.f_globals)
            name = "" if code.co_name.startswith("<") else code.co_name
            found.append(Blame(_place(code.co_filename), trace.tb_lineno, text.strip(), name))
        trace = trace.tb_next
    return tuple(found)


def _place(filename: str | None) -> str:
    """'your cell' for notebook cells, the bare name for files."""
    name = filename or ""
    if name.startswith("<ipython-input") or re.search(r"ipykernel_\d+[/\\]", name):
        return "your cell"
    if name.startswith("<"):
        return "your code"
    return Path(name).name
