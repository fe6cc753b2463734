"""The folder of one run: the state to go on from, the history as CSV, the settings as JSON."""

import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from lightcourse.errors import UserError
from lightcourse.training._stops import CheckpointError
from lightcourse.training.history import Epoch, History

STATE, HISTORY, CONFIG = "checkpoint.pt", "history.csv", "config.json"


class RunFolder:
    """Writes a run's state after every epoch and gives it back; without a path it does nothing.

    `parts` are what changes in training (model, optimizer, average), each with `state_dict`;
    `identity` is what a run must share with the stopped one that it goes on from.
    """

    def __init__(
        self,
        path: str | Path | None,
        parts: Mapping[str, Any],
        identity: dict[str, Any],
        writes: bool = True,
    ) -> None:
        self.path = None if path is None else Path(path)
        self.parts = {name: part for name, part in parts.items() if part is not None}
        self.writes = writes
        self.identity = json.loads(json.dumps(identity))  # as it comes back from a file

    def load(self) -> list[Epoch]:
        """Put the saved state into the parts and return the epochs that are done.

        Raises:
            CheckpointError: the file is damaged.
            UserError: the folder holds another run.
        """
        if self.path is None or not (self.path / STATE).is_file():
            return []
        state = self._read(self.path / STATE)
        self._compare(state["identity"])
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        return [Epoch(**row) for row in state["epochs"]]

    def begin(self, config: dict[str, Any]) -> None:
        """Make the folder and write the settings, before any time is spent on training."""
        if self.path is None or not self.writes:
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"the folder {self.path} cannot be made: {error.strerror or error}; choose another."
            ) from error
        write_whole(self.path / CONFIG, (json.dumps(config, indent=1) + "\n").encode())

    def save(self, rows: Sequence[Epoch]) -> None:
        """Write the state after an epoch; the one before stays until this one is complete.

        Raises:
            CheckpointError: it cannot be written, for instance to a full disk.
        """
        if self.path is None or not self.writes:
            return
        state = {name: part.state_dict() for name, part in self.parts.items()}
        state |= {"identity": self.identity, "epochs": [asdict(row) for row in rows]}
        buffer = io.BytesIO()
        torch.save(state, buffer)
        try:
            write_whole(self.path / STATE, buffer.getbuffer())
            write_whole(self.path / HISTORY, History(tuple(rows)).to_csv().encode())
        except CheckpointError as error:
            done = len(rows) - 1
            left = f"the state after epoch {done} is still there" if done else "nothing is lost yet"
            raise CheckpointError(
                f"{error} Training stopped after epoch {len(rows)}; {left}, so make room and run "
                "the same again."
            ) from error

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises many kinds for a damaged file
            raise CheckpointError(
                f"{path} cannot be read, as it is damaged or no state of a run; delete it and "
                "begin anew, or choose another folder."
            ) from error

    def _compare(self, saved: dict[str, Any]) -> None:
        other = {
            name: (saved.get(name), value)
            for name, value in self.identity.items()
            if saved.get(name) != value
        }
        if other:
            words = ", ".join(f"{n} {_short(a)} (now {_short(b)})" for n, (a, b) in other.items())
            raise UserError(
                f"{self.path} holds another run, made with {words}; choose another folder, or "
                "delete this one to begin anew."
            )


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def write_whole(path: Path, data: bytes | memoryview) -> None:
    """Write a file so that at every moment the old one or the new one is complete on disk."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # a rename may reach the disk before the bytes do
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CheckpointError(
            f"{path} could not be written ({error.strerror or error})."
        ) from error
