"""The folder of a detector's run, and what is shown while it lasts: as `fit` does, with mAP."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

import torch

from lightcourse.detection.history import DetectorEpoch, DetectorHistory
from lightcourse.training._checkpoint import HISTORY, STATE, RunFolder, write_whole
from lightcourse.training._identity import WEIGHTS
from lightcourse.training._screen import Notebook, Screen, screen

Report = Callable[[DetectorEpoch], Any]


class DetectorFolder(RunFolder):
    """`RunFolder` with a detector's epochs."""

    def load(self) -> list[Any]:
        """Put the saved state into the parts and return the epochs that are done."""
        if self.path is None or not self.has_state:
            return []
        state = self._read(self.path / STATE)
        self.identity = json.loads(json.dumps(self.identity))  # as it comes back from a file
        self._compare(state["identity"], state["over"])
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        rows = [DetectorEpoch(**row) for row in state["epochs"]]
        self.said = self._found(rows, state)
        return rows

    def save(self, rows: Sequence[Any], over: bool) -> None:
        """Write the state after an epoch; the one before stays until this one is complete."""
        if self.path is None or not self.writes:
            return
        state: dict[str, Any] = {name: part.state_dict() for name, part in self.parts.items()}
        state |= {"identity": self.identity, "epochs": [asdict(r) for r in rows], "over": over}
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_whole(self.path / STATE, buffer.getbuffer())
        write_whole(self.path / HISTORY, DetectorHistory(tuple(rows)).to_csv().encode())

    def _found(self, rows: Sequence[Any], state: Mapping[str, Any]) -> str:
        last, total = rows[-1], self.identity["epochs"]
        if state["over"]:
            return (
                f"{self.path} holds this run, finished after epoch {last.epoch} of {total} with "
                f"mAP {last.map:.3f}: nothing is trained again."
            )
        said = f"Going on after epoch {last.epoch} of {total}, with the state in {self.path}."
        if state["identity"][WEIGHTS] != self.identity[WEIGHTS]:
            said += (
                " That run began with other first weights than this detector has; "
                "torch.manual_seed before it is built makes them the same."
            )
        return said


class _DetectorNotebook(Notebook):
    """The notebook's display with mAP in place of an accuracy."""

    def _data(self, step: int, said: str) -> dict[str, str]:
        rows: list[Any] = self.rows
        share = (len(rows) + step / self.steps) / self.epochs
        now = f"epoch {min(len(rows) + 1, self.epochs)} of {self.epochs}"
        last = f"mAP {rows[-1].map:.3f}" if rows else ""
        words = " · ".join(part for part in (now, last, said) if part)
        bar = f"<progress max='1' value='{share:.3f}' aria-label='training'></progress>"
        return {"text/html": f"<div>{bar} {escape(words)}</div>", "text/plain": words}


def detector_screen(
    wanted: bool | Report, epochs: int, steps: int, rows: Sequence[DetectorEpoch]
) -> Screen:
    """Return the screen that suits where this runs; a function is called after every epoch."""
    found: Any = screen(wanted, epochs, steps, rows, True)  # pyright: ignore[reportArgumentType]
    if type(found) is Notebook:
        return _DetectorNotebook(epochs, steps, rows)  # pyright: ignore[reportArgumentType]
    return found
