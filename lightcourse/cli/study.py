"""`lightcourse study`: run one of the course's experiments, or run a logged one again."""

import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lightcourse.errors import UserError

INTERRUPTED = 130  # what shells expect after Ctrl-C


def run_study(name: str, out: Path | None, settings: dict[str, Any]) -> int:
    """Run a study by its name, or that of a log (.json); print the table, save log and figure.

    Settings that are None stay those of the study or the log. 0 done, 130 stopped with Ctrl-C.
    """
    if out is not None and out.is_file():
        raise UserError(f"{out} is a file; give --out a folder.")
    given = {key: value for key, value in settings.items() if value is not None}
    if not name.endswith(".json") and name not in _names():
        near = get_close_matches(name.lower().replace("-", "_"), _names(), 1, 0.5)
        meant = f"; did you mean {near[0]}? There are" if near else "; choose one of"
        raise UserError(
            f"there is no study {name!r}{meant} {', '.join(_names())}, or a log (.json)."
        )
    if out is not None:
        _make(out)  # now: after minutes of training it would be too late to hear of it
    # torch costs a second to import: a wrong call is told before
    from lightcourse.training import studies
    from lightcourse.training.experiment import Stopped, rerun

    try:
        found = rerun(name, **given) if name.endswith(".json") else studies.run(name, **given)
    except Stopped as stop:
        print(f"lightcourse: {stop}", file=sys.stderr)
        return INTERRUPTED
    print(found)
    if out is not None:
        stem = found.name.replace(" ", "_")
        log = found.save(out / f"{stem}.json")
        found.figure().savefig(out / f"{stem}.png", dpi=150)
        print(f"\nwritten: {log} and {log.with_suffix('.png').name}")
    return 0


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make {folder}: {error.strerror or error}.") from error


def _names() -> list[str]:
    """The studies, without importing torch; a test holds this against the real table."""
    return [
        "batch_norm", "block_kinds", "bottleneck", "channel_shuffle", "deep_supervision", "depth",
        "downsampling", "fd_mobilenet", "hard_swish", "multipliers", "receptive_field",
        "small_batches", "squeeze_excite",
    ]  # fmt: skip
