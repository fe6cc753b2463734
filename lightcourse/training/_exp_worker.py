"""A worker process: takes packed runs on stdin, answers on stdout, ends when its parent does."""

import os
import pickle
import sys
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

_HEAD = 8  # bytes that say how long a message is


def send(pipe: BinaryIO, message: Any) -> None:
    """Write one message."""
    data = pickle.dumps(message)
    pipe.write(len(data).to_bytes(_HEAD, "little") + data)
    pipe.flush()


def receive(pipe: BinaryIO) -> Any:
    """Read one message; raise EOFError when the other side is gone."""
    head = pipe.read(_HEAD)
    if len(head) < _HEAD:
        raise EOFError
    data = pipe.read(int.from_bytes(head, "little"))
    return pickle.loads(data)


def main() -> None:
    """Answer every message (packed job, file of its data) with ("done", run) or ("failed", why)."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever the training prints must not mix with the answers
    inbox: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_read, args=(inbox,), daemon=True).start()
    kept: dict[str, Any] = {}
    while True:
        payload, file = inbox.get()
        send(answers, _answer(payload, file, kept))


def _read(inbox: "SimpleQueue[Any]") -> None:
    """Pass messages on; when the parent is gone, stop at once, in the middle of a run too."""
    try:
        while True:
            inbox.put(receive(sys.stdin.buffer))
    except (EOFError, OSError):
        os._exit(0)


def _answer(payload: bytes, file: str, kept: dict[str, Any]) -> tuple[str, Any]:
    from lightcourse.training._exp_jobs import run_job

    try:
        if file not in kept:
            kept[file] = pickle.loads(Path(file).read_bytes())
        return "done", run_job(pickle.loads(payload), kept[file])
    except Exception as error:  # any mistake in a variant is the caller's to hear of
        return "failed", reason(error)


def reason(error: BaseException) -> str:
    """What went wrong, in one line."""
    from lightcourse.errors import UserError

    text = " ".join(str(error).split())
    return text if isinstance(error, UserError) else f"{type(error).__name__}: {text}"


if __name__ == "__main__":
    main()
