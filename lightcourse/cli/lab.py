"""`lightcourse lab`: JupyterLab on a chapter, on any machine, with or without a screen."""

import importlib.util
import os
import socket
import subprocess
import sys
import webbrowser
from pathlib import Path

from lightcourse.cli.doctor import FAIL, findings, print_findings
from lightcourse.errors import UserError
from lightcourse.paths import course_home, find_chapter

FIRST_PORT, LAST_PORT = 8888, 8987
SETTINGS = Path(__file__).parent / "lab_settings"


def open_lab(chapter: str, *, port: int | None, browser: bool) -> int:
    """Examine the machine, then serve the course; returns JupyterLab's exit code."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise UserError(
            "JupyterLab is not installed; run 'make lab', or pip install 'lightcourse[lab]'."
        )
    notebook = find_chapter(chapter)
    found = findings()
    if any(f.status == FAIL for f in found):
        print_findings(found)
        return 1
    port = _port(port)
    show = browser and can_open_browser()
    command = [
        sys.executable, "-m", "jupyterlab", *server_options(port, show),
        f"--LabApp.default_url=/lab/tree/{notebook.relative_to(course_home()).as_posix()}",
    ]  # fmt: skip
    where = "in your browser" if show else "at the address below"
    print(f"This machine is fine ('lightcourse doctor' has the details). The course opens {where};")
    print("leave this window open, and press Ctrl-C twice here to end.\n", flush=True)
    if os.name == "posix":  # become JupyterLab, so that Ctrl-C and kill reach it and nothing else
        os.chdir(course_home())
        os.execv(sys.executable, command)
    return subprocess.call(command, cwd=course_home())


def server_options(port: int, browser: bool) -> list[str]:
    """JupyterLab's options: quiet, on this port only, and no question about news: it is offline."""
    options = [
        f"--ServerApp.root_dir={course_home()}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.log_level=WARN",
        f"--LabApp.app_settings_dir={SETTINGS}",
    ]
    if not browser:
        options.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")  # a container's only user is root
    return options


def can_open_browser() -> bool:
    """Whether a browser can appear: not over ssh, not on a Linux without a screen."""
    if os.environ.get("SSH_CONNECTION"):
        return False
    has_screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not has_screen:
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def _port(wanted: int | None) -> int:
    """The port that was asked for, or the first free one; a busy or impossible one is refused."""
    if wanted is None:
        free = next((p for p in range(FIRST_PORT, LAST_PORT + 1) if _is_free(p)), None)
        if free is None:
            raise UserError(
                f"all ports from {FIRST_PORT} to {LAST_PORT} are busy; name one with --port."
            )
        return free
    if not 1024 <= wanted <= 65535:
        raise UserError(f"port {wanted} cannot be used; name one from 1024 to 65535.")
    if not _is_free(wanted):
        raise UserError(f"port {wanted} is busy; end what runs there or leave --port out.")
    return wanted
