"""The progress file: one small local file, written atomically, never in the learner's way."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from lightcourse.paths import user_home as home

_VERSION = 1
_STALE = 10.0  # seconds after which a lock belongs to a process that died


class Book:
    """The progress file: read, change under a lock, write to a new file, rename.

    A folder that cannot be written is said once; the entries then live in memory only. A file that
    cannot be read is kept as .bak and said once.
    """

    def __init__(self, folder: Path):
        self.path = folder / "progress.json"
        self._memory: dict[str, Any] | None = None
        self._said: set[str] = set()

    def read(self) -> dict[str, Any]:
        """The entries: {"exercises": {id: {...}}, "predictions": {id: {...}}}."""
        return self._memory if self._memory is not None else self._load()

    def update(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Apply a change to the newest entries and write them."""
        if self._memory is not None:
            change(self._memory)
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _lock(self.path.with_suffix(".lock")):
                data = self._load()
                try:
                    change(data)
                except (TypeError, AttributeError, KeyError):  # an entry of some other shape
                    self._set_aside()
                    data = self._load()
                    change(data)
                _write(self.path, data)
        except OSError as error:
            self._memory = self._load()
            change(self._memory)
            self._say(
                f"Progress cannot be saved in {self.path.parent} ({error.strerror}); it is kept"
                " until this kernel stops. Set LIGHTCOURSE_HOME to a folder that you can write."
            )

    def record_check(self, id: str, *, passed: bool, mistake: str | None = None) -> None:
        """Note one attempt."""

        def change(data: dict[str, Any]) -> None:
            entry = _entry(data, "exercises", id)
            entry["attempts"] = entry.get("attempts", 0) + 1
            if passed:
                entry.setdefault("passed", _now())
            elif mistake:
                counts = entry.setdefault("mistakes", {})
                counts[mistake] = counts.get(mistake, 0) + 1

        self.update(change)

    def record_help(self, id: str, what: str) -> None:
        """Note that a hint rung ("hint 2"), the ladder ("hints") or the solution was opened."""

        def change(data: dict[str, Any]) -> None:
            opened = _entry(data, "exercises", id).setdefault("help", {})
            opened[what] = opened.get(what, 0) + 1

        self.update(change)

    def record_prediction(self, id: str, answer: Any) -> None:
        """Note a guess: the first stays, later ones are added when they differ."""

        def change(data: dict[str, Any]) -> None:
            entry = _entry(data, "predictions", id)
            if "first" not in entry:
                entry.update(first=answer, when=_now())
            elif answer != (entry.get("later") or [entry["first"]])[-1]:
                entry.setdefault("later", []).append(answer)

        self.update(change)

    def prediction(self, id: str) -> dict[str, Any]:
        """The noted guess of a prediction: {} or {"first": …, "later": […]}."""
        return self.read()["predictions"].get(id, {})

    def _load(self) -> dict[str, Any]:
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            if not isinstance(data, dict):
                raise ValueError("not a table")
            tables = {name: dict(data.get(name, {})) for name in ("exercises", "predictions")}
            if not all(isinstance(entry, dict) for t in tables.values() for entry in t.values()):
                raise ValueError("an entry is not a table")
            return {**data, "version": _VERSION, **tables}
        except OSError:
            pass  # no file yet, or one that may not be read: nothing is known
        except (ValueError, TypeError, RecursionError):
            self._set_aside()
        return {"version": _VERSION, "exercises": {}, "predictions": {}}

    def _set_aside(self) -> None:
        kept = self.path.with_suffix(".bak")
        with contextlib.suppress(OSError):
            self.path.replace(kept)
            self._say(
                f"The progress file could not be read; it is kept as {kept}, and a new one begins."
            )

    def _say(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            print(sentence, file=sys.stderr)


@cache
def _book(folder: Path) -> Book:
    return Book(folder)


def book() -> Book:
    """The book of this process for the present home()."""
    return _book(home())


def _entry(data: dict[str, Any], table: str, id: str) -> dict[str, Any]:
    return data[table].setdefault(id, {})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _write(path: Path, data: dict[str, Any]) -> None:
    new = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with new.open("w", encoding="utf-8") as file:
            json.dump(data, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock file; one left by a process that died is taken over after a while.

    A plain file made with O_EXCL and no flock: it works the same on Windows and network folders.
    """
    deadline = time.monotonic() + 2 * _STALE
    while True:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _STALE or time.monotonic() > deadline:
                    path.unlink()
            time.sleep(0.02)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
