"""A real JupyterLab for tests: its own folders, a free port, no token, gone afterwards."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import nbformat
from playwright.sync_api import Page

from lightcourse.rehearsal import VARIABLE

PRIVATE = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
START_SECONDS = 60


class Lab:
    """A running server: where it listens, and the folder it shows."""

    def __init__(self, url: str, root: Path) -> None:
        self.url, self.root = url, root

    def ask(self, path: str, method: str = "GET") -> Any:
        """Call the server's REST interface."""
        with urlopen(Request(f"{self.url}/api/{path}", method=method), timeout=10) as reply:
            text = reply.read()
        return json.loads(text) if text else None

    def write(self, name: str, *cells: str) -> None:
        """Write a notebook of code cells."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        nbformat.write(notebook, self.root / name)

    def open(self, page: Page, name: str) -> None:
        """Open a notebook alone on the page."""
        page.goto(f"{self.url}/lab/tree/{name}?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)

    def run_all(self, page: Page) -> None:
        """Use the menu as a learner does, once the kernel is there."""
        page.wait_for_function("jupyterapp?.shell.currentWidget?.context?.sessionContext")
        page.evaluate(
            """async () => {
                const { sessionContext } = jupyterapp.shell.currentWidget.context;
                await sessionContext.ready;
                await sessionContext.session.kernel.info;
            }"""
        )
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def save(self, page: Page, name: str) -> nbformat.NotebookNode:
        """Save with Ctrl+S and return what is then in the file."""
        file = self.root / name
        before = file.stat().st_mtime_ns
        page.locator(".jp-NotebookPanel .jp-InputPrompt").first.click()
        page.keyboard.press("Control+s")
        # the server empties the file before it writes: read what is whole
        until(lambda: file.stat().st_mtime_ns != before and is_json(file.read_text("utf-8")))
        return nbformat.read(file, as_version=4)

    def stop_kernels(self) -> None:
        for session in self.ask("sessions"):
            self.ask(f"sessions/{session['id']}", "DELETE")


def is_json(text: str) -> bool:
    """Tell whether the text is a whole JSON document."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def until(holds: Any, seconds: float = 15) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@contextmanager
def serve(folder: Path) -> Iterator[Lab]:
    """Start `jupyter lab` on a free port, yield it, and end it."""
    root = folder / "root"
    root.mkdir()
    environment = os.environ | {name: str(folder / name.lower()) for name in PRIVATE}
    environment[VARIABLE] = "1"  # what is looked at here is the page
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--ServerApp.root_dir={root}", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token="]
    command += ["--ServerApp.disable_check_xsrf=True", "--expose-app-in-browser"]
    command += ["--LabApp.news_url=", "--LabApp.check_for_updates_class="
                "jupyterlab.NeverCheckForUpdate"]  # fmt: skip
    log = folder / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, env=environment, cwd=root, stdout=out, stderr=out)
    lab = Lab(f"http://127.0.0.1:{port}", root)
    try:
        _wait(lab, process, log)
        yield lab
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(lab: Lab, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            lab.ask("status")
            return
        except (URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")
