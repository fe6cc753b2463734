"""Where a scene goes when it leaves Python: files, and terminals' viewers."""

from collections.abc import Callable
from pathlib import Path

from lightcourse.errors import UserError

from .html import to_page
from .scene import Scene
from .theme import palette


def save(scene: Scene, path: Path, theme: str | None, scale: float) -> Path:
    """Write the scene to `path`; see `Scene.save`."""
    palette(theme or "light")
    writers: dict[str, Callable[[], str | bytes]] = {
        ".html": lambda: to_page(scene, theme or ""),
        ".svg": lambda: scene.svg(theme or "light"),
        ".png": lambda: _png(scene, theme or "light", scale),
        ".gif": lambda: _gif(scene, theme or "light"),
        ".txt": lambda: scene.text() + "\n",
    }
    write = writers.get(path.suffix.lower())
    if write is None:
        raise UserError(
            f"cannot save a scene as {path.name!r}; the name must end in {', '.join(writers)}."
        )
    data = write()
    try:
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}.") from error
    return path


def _png(scene: Scene, theme: str, scale: float) -> bytes:
    from .raster import to_png

    return to_png(scene, theme, scale)


def _gif(scene: Scene, theme: str) -> bytes:
    from .raster import to_gif

    return to_gif(scene, theme)
