"""Where the course stands on this machine, and where it keeps what belongs to the learner."""

import os
import sys
from pathlib import Path

from lightcourse.errors import UserError


def course_home() -> Path:
    """Return the folder that holds `course/`: the clone this package runs from, or one around us.

    Raises:
        UserError: neither the package's own clone nor any folder above the current one has it.

    >>> (course_home() / "course").is_dir()
    True
    """
    here = Path.cwd()
    for folder in (Path(__file__).parents[1], here, *here.parents):
        if (folder / "course" / "00_start_here").is_dir():
            return folder
    raise UserError(
        "the course folder is not here; run this inside the clone of lightcourse, "
        "the folder that holds course/ and README.md."
    )


def user_home() -> Path:
    """Return the folder of the learner's own files: $LIGHTCOURSE_HOME, else the user data folder.

    >>> user_home().name != ""
    True
    """
    if chosen := os.environ.get("LIGHTCOURSE_HOME"):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "lightcourse"


def find_chapter(name: str) -> Path:
    """Return the notebook of a chapter, given its number or its name.

    Raises:
        UserError: there is no such chapter; the message lists those there are.

    >>> find_chapter("00").name
    '00_start_here.ipynb'
    """
    folders = sorted(p for p in (course_home() / "course").iterdir() if p.is_dir())
    wanted = name.removesuffix(".ipynb").strip("/").rpartition("/")[2]
    for folder in folders:
        number = folder.name.split("_")[0]
        notebook = folder / f"{folder.name}.ipynb"
        if wanted in (folder.name, number, number.lstrip("0") or "0") and notebook.is_file():
            return notebook
    have = ", ".join(p.name for p in folders if (p / f"{p.name}.ipynb").is_file())
    raise UserError(f"there is no chapter {name!r}; the course has {have}.")
