"""How a training run can end before its time, each with the sentence that says what to do."""

from pathlib import Path

from lightcourse.errors import UserError


class Diverged(UserError):
    """The loss is no number any more, or grew far beyond guessing."""


class CheckpointError(UserError):
    """The state of a run could not be written or read."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or the notebook's stop button: says what is saved and how to go on."""

    def __init__(self, done: int, epochs: int, folder: Path | None) -> None:
        self.done, self.epochs, self.folder = done, epochs, folder
        ways = {
            "nothing": "Nothing is saved; with out='a/folder' a stopped run can go on.",
            "early": "Nothing is saved yet; the first state comes after epoch 1.",
            "saved": f"{self.saved} Run the same again to go on from there.",
        }
        super().__init__(f"{self.where} {ways[self.kind]}")

    @property
    def kind(self) -> str:
        """What there is to go on from: `nothing`, `early` (no epoch is finished) or `saved`."""
        if self.folder is None:
            return "nothing"
        return "saved" if self.done else "early"

    @property
    def where(self) -> str:
        """In which epoch it stopped, as a sentence."""
        return f"Stopped in epoch {min(self.done + 1, self.epochs)} of {self.epochs}."

    @property
    def saved(self) -> str:
        """What is on disk, as a sentence."""
        return f"The state after epoch {self.done} is saved in {self.folder}."

    def _render_traceback_(self) -> list[str]:
        """What a notebook prints in place of a stack."""
        return [str(self)]
