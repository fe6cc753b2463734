"""A file for each set of pictures once made, so that it is there at once the next time."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

from lightcourse.paths import user_home

LIMIT = 1 << 30  # bytes all files may take together; the ones not used for longest go first
Pictures = tuple[np.ndarray, np.ndarray]


def path_of(settings: str) -> Path:
    """Return where pictures with these settings are kept, named by a hash of the settings."""
    return user_home() / "data" / f"{hashlib.sha256(settings.encode()).hexdigest()[:24]}.npz"


def read(path: Path) -> Pictures | None:
    """Return images and labels, or None where the file is not there or not whole.

    The file is a zip archive: a flipped bit or a cut end shows in its checksums.
    """
    try:
        # opened here: where the beginning is not a zip archive, np.load leaves its own file open
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            images, labels = kept["images"], kept["labels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    with contextlib.suppress(OSError):  # somebody else's file, or a disk that is read only
        os.utime(path)
    return images, labels


def write(path: Path, pictures: Pictures) -> None:
    """Keep images and labels; where that is not possible, say so and go on.

    Written beside and then renamed, so that nobody ever reads half a file.
    """
    half = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".half")
        half = Path(name)
        with os.fdopen(handle, "wb") as file:
            np.savez(file, images=pictures[0], labels=pictures[1])
        half.replace(path)
        _make_room(path)
    except OSError as error:
        print(
            f"The pictures could not be kept in {path.parent} ({error.strerror or error}); "
            "all goes on without: they are made again the next time.",
            file=sys.stderr,
        )
    finally:
        if half is not None:  # also after Ctrl-C; a file that was renamed is not there any more
            with contextlib.suppress(OSError):
                half.unlink(missing_ok=True)


def _make_room(newest: Path) -> None:
    """Delete the files not used for longest until the rest fits under the limit."""
    files = []
    for file in newest.parent.glob("*.npz*"):
        with contextlib.suppress(OSError):  # another process may have deleted it
            files.append((file.stat().st_mtime, file.stat().st_size, file))
    total = sum(size for _, size, _ in files)
    for _, size, file in sorted(files):
        if total <= LIMIT:
            break
        if file != newest:
            with contextlib.suppress(OSError):
                file.unlink()
            total -= size
