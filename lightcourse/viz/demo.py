"""Open a scene in a window of its own: offline, and from a plain terminal."""

import os
import shutil
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from lightcourse.errors import UserError

from .scene import Scene
from .theme import palette

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
INSTALLED = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
EARLY_EXIT = 1.5  # seconds in which a browser that cannot start has said so
_windows: list[subprocess.Popen] = []  # kept: Python warns when a running child is forgotten


def demo(
    name: str,
    *,
    set: Mapping[str, int | str] | None = None,
    theme: str = "light",
    play: bool = False,
    open_window: bool = True,
) -> Path:
    """Write the scene `name` as one page, open it in a window, print and return where it is.

    Args:
        name: a registered scene, see `viz.SCENES`.
        set: parameters and their values, by option name or by index.
        theme: "light" or "dark".
        play: start the animation at once.
        open_window: False only writes the page.

    Raises:
        UserError: no such scene, parameter, value or theme; no room for a temporary file.
    """
    from . import get_scene

    palette(theme)
    scene = get_scene(name).at(**(set or {}))
    page = write_page(scene)
    address = page.as_uri() + "#" + urlencode({"theme": theme} | ({"play": 1} if play else {}))
    print(address)
    if open_window and not open_page(address):
        print(f"No browser could be started here; open {page} in any browser, it needs no network.")
    return page


def write_page(scene: Scene) -> Path:
    """Write the page to a temporary file that outlives this process."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="lightcourse-"))
        return scene.save(folder / f"{scene.spec['id']}.html")
    except OSError as error:
        raise UserError(
            f"cannot write a temporary file: {error.strerror}; set TMPDIR to a folder with room."
        ) from error


def open_page(address: str) -> bool:
    """Open an address in an app window of a Chromium browser, else in the default browser."""
    browser = find_browser()
    if browser and _started(browser, address):
        return True
    if sys.platform.startswith("linux") and not any(map(os.environ.get, DISPLAYS)):
        return False  # webbrowser would start a text browser inside this terminal
    try:
        return webbrowser.open(address)
    except (webbrowser.Error, OSError):
        return False


def find_browser() -> str | None:
    """Return a Chromium-like browser: $CHROMIUM, then the path, then the usual places."""
    wanted = os.environ.get("CHROMIUM")
    candidates = [shutil.which(wanted) if wanted else None, *map(shutil.which, BROWSERS)]
    candidates += [shutil.which(place) for place in INSTALLED]
    return next((found for found in candidates if found), None)


def _started(browser: str, address: str) -> bool:
    """Start the browser; one that exits early with an error (as root, no display) did not start."""
    command = [browser, f"--app={address}", "--start-maximized"]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        _windows.append(process)
        return process.wait(EARLY_EXIT) == 0  # 0: an open window took the page over
    except subprocess.TimeoutExpired:
        return True
    except OSError:
        return False
