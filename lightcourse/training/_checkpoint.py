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
from lightcourse.training._identity import CODE, UNREAD, WEIGHTS
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
        identity: Mapping[str, Any] | None = None,
        writes: bool = True,
    ) -> None:
        self.path = None if path is None else Path(path)
        self.parts = {name: part for name, part in parts.items() if part is not None}
        self.writes = writes
        self.identity = dict(identity or {})
        self.said = ""  # what was found, as one line

    @property
    def has_state(self) -> bool:
        """Whether there is a state to go on from."""
        return self.path is not None and (self.path / STATE).is_file()

    def load(self) -> list[Epoch]:
        """Put the saved state into the parts and return the epochs that are done.

        Raises:
            CheckpointError: the file is damaged.
            UserError: the folder holds another run.
        """
        if self.path is None or not self.has_state:
            return []
        state = self._read(self.path / STATE)
        self.identity = json.loads(json.dumps(self.identity))  # as it comes back from a file
        self._compare(state["identity"], state["over"])
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        rows = [Epoch(**row) for row in state["epochs"]]
        self.said = self._found(rows, state)
        return rows

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

    def save(self, rows: Sequence[Epoch], over: bool) -> None:
        """Write the state after an epoch; the one before stays until this one is complete.

        `over` says that this was the last epoch.

        Raises:
            CheckpointError: it cannot be written, for instance to a full disk.
        """
        if self.path is None or not self.writes:
            return
        state = {name: part.state_dict() for name, part in self.parts.items()}
        state |= {"identity": self.identity, "epochs": [asdict(row) for row in rows], "over": over}
        buffer = io.BytesIO()
        torch.save(state, buffer)
        done = len(rows) - 1
        try:
            write_whole(self.path / STATE, buffer.getbuffer())
            done += 1
            write_whole(self.path / HISTORY, History(tuple(rows)).to_csv().encode())
        except CheckpointError as error:
            ways = (
                f"the state after epoch {done} is still there, so make room and run the same again."
                if done
                else "it is lost, and nothing is saved; make room, build the model anew and begin "
                "again."
            )
            raise CheckpointError(
                f"{error} Training stopped after epoch {len(rows)}; {ways}"
            ) from error

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            return {**state, "identity": state["identity"], "over": state["over"]}
        except Exception as error:  # torch raises many kinds for a damaged file
            raise CheckpointError(
                f"{path} cannot be read, as it is damaged or no state of a run; delete it and "
                "begin anew, or choose another folder."
            ) from error

    def _compare(self, saved: dict[str, Any], over: bool) -> None:
        other = {
            name: (saved.get(name), value)
            for name, value in self.identity.items()
            if saved.get(name) != value
        }
        if set(other) == {WEIGHTS}:
            if not over:  # a script without manual_seed must not lose its work: `_found` says so
                return
            raise UserError(
                f"{self.path} holds a finished run of a model with other first weights; choose "
                "another folder, or build the model after the torch.manual_seed of that run to "
                "get its result."
            )
        if other:
            words = ", ".join(f"{n} {_short(a)} (now {_short(b)})" for n, (a, b) in other.items())
            raise UserError(
                f"{self.path} holds another run, made with {words}; choose another folder, or "
                "delete this one to begin anew."
            )

    def _found(self, rows: Sequence[Epoch], state: Mapping[str, Any]) -> str:
        last, total = rows[-1], self.identity["epochs"]
        said = (
            f"{self.path} holds this run, finished after epoch {last.epoch} of {total} with a test "
            f"accuracy of {last.test_accuracy:.1%}: nothing is trained again."
            if state["over"]
            else f"Going on after epoch {last.epoch} of {total}, with the state in {self.path}."
        )
        if state["identity"][WEIGHTS] != self.identity[WEIGHTS]:
            said += (
                " That run began with other first weights than this model has; torch.manual_seed "
                "before the model is built makes them the same."
            )
        if self.identity[CODE] == UNREAD:
            said += " The model's code cannot be read, so a change of it goes unnoticed."
        return said


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
