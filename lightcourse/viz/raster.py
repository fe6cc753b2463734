"""A scene as pixels: PNG, animated GIF, and the matplotlib figure they are drawn with."""

import base64
import io
import textwrap
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np

from .scene import NUMBERS, Scene, count
from .theme import TOKENS, paint

TOP, BOTTOM, MARGIN = 62, 74, 24  # px round the frame, for the title and the caption
MEGABYTE = 1_000_000  # bytes: what pages and mails take
HOLD, TWEEN, FRAMES = 1100, 80, 7  # GIF: ms at rest, ms an in-between, in-betweens a step
COLOURS = 128  # of a GIF
POINT = 72 / 100  # matplotlib points in a pixel of a 100-dpi figure

Frame = list[dict[str, Any]]


def to_figure(scene: Scene, theme: str = "light", *, frame: Frame | None = None) -> Any:
    """Return the picture as a matplotlib `Figure`: title above, caption below.

    Args:
        frame: marks to draw instead of the scene's own, such as an in-between of two states.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = scene.spec["size"]
    figure = Figure((width / 100, (height + TOP + BOTTOM) / 100), 100, facecolor=paint("bg", theme))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for depth, (mark, shown) in enumerate(
        zip(scene.spec["marks"], frame or scene.frame(), strict=True)
    ):
        if shown.get("opacity", 1) > 0:
            _draw(axes, shown, theme, depth + 1, smooth=bool(mark.get("smooth")))
    axes.set_xlim(0, width)
    axes.set_ylim(height + BOTTOM, -TOP)
    _words(axes, scene, theme)
    return figure


def _words(axes: Any, scene: Scene, theme: str) -> None:
    width, height = scene.spec["size"]
    style: dict[str, Any] = {"color": paint("ink", theme), "family": "DejaVu Sans"}
    axes.text(MARGIN, -26, scene.spec["title"], fontsize=21 * POINT, weight="bold", **style)
    for size in (15, 13, 11):  # a long caption is set smaller, never cut
        columns = int((width - 2 * MARGIN) / (0.573 * size))  # a letter's mean width, in em
        lines = textwrap.wrap(scene.caption(), columns)
        if len(lines) <= 45 // size:
            break
    axes.text(MARGIN, height + 12, "\n".join(lines), fontsize=size * POINT, va="top", **style)


def _draw(axes: Any, shown: dict[str, Any], theme: str, depth: int, *, smooth: bool) -> None:
    look: dict[str, Any] = {"zorder": depth, "alpha": float(shown.get("opacity", 1))}
    if shown["t"] == "image":
        _image(axes, shown, look, smooth)
    elif shown["t"] == "text":
        _text(axes, shown, theme, look)
    else:
        _shape(axes, shown, theme, look)


def _image(axes: Any, shown: dict[str, Any], look: dict[str, Any], smooth: bool) -> None:
    x, y, width, height = (shown[k] for k in ("x", "y", "width", "height"))
    how = "bilinear" if smooth else "nearest"
    extent = (x, x + width, y + height, y)
    axes.imshow(_pixels(shown["href"]), extent=extent, interpolation=how, aspect="auto", **look)


@cache
def _pixels(uri: str) -> np.ndarray:
    from PIL import Image

    data = base64.b64decode(uri.split(",", 1)[1])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def _text(axes: Any, shown: dict[str, Any], theme: str, look: dict[str, Any]) -> None:
    axes.text(
        shown["x"],
        shown["y"],
        shown["s"].replace("$", r"\$"),
        color=paint(shown.get("fill", "ink"), theme),
        fontsize=shown["font-size"] * POINT,
        family="DejaVu Sans",
        ha={"middle": "center", "end": "right"}.get(shown.get("text-anchor", ""), "left"),
        va="baseline",
        weight="bold" if str(shown.get("font-weight")) in ("600", "700", "bold") else "normal",
        **look,
    )


def _shape(axes: Any, shown: dict[str, Any], theme: str, look: dict[str, Any]) -> None:
    """Add one rect, circle, line or path as a patch."""
    from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Rectangle
    from matplotlib.path import Path

    look |= {
        "facecolor": paint(shown.get("fill"), theme),
        "edgecolor": paint(shown.get("stroke"), theme),
        "linewidth": float(shown.get("stroke-width", 1)) * POINT,
        "linestyle": _dashes(shown),
    }
    kind = shown["t"]
    if kind == "circle":
        axes.add_patch(Circle((shown["cx"], shown["cy"]), shown["r"], **look))
    elif kind == "line":
        ends = [(shown["x1"], shown["y1"]), (shown["x2"], shown["y2"])]
        axes.add_patch(PathPatch(Path(ends), **{**look, "facecolor": "none"}))
    elif kind == "path" and shown["d"].strip():
        axes.add_patch(PathPatch(_path(shown["d"]), **look))
    elif kind == "rect" and shown["width"] > 0 and shown["height"] > 0:
        x, y, width, height = (shown[k] for k in ("x", "y", "width", "height"))
        r = min(shown.get("rx", 0), width / 2, height / 2)
        if r == 0:
            axes.add_patch(Rectangle((x, y), width, height, **look))
        else:
            inner = ((x + r, y + r), width - 2 * r, height - 2 * r)
            box = f"round,pad={r},rounding_size={r}"
            axes.add_patch(FancyBboxPatch(*inner, boxstyle=box, **look))


def _dashes(shown: dict[str, Any]) -> Any:
    """SVG's dash lengths in px as matplotlib's, which are in line widths."""
    lengths = str(shown.get("stroke-dasharray") or "").replace(",", " ").split()
    if not lengths or lengths == ["none"]:
        return "solid"
    width = float(shown.get("stroke-width", 1)) or 1
    return (0, tuple(float(n) / width for n in lengths))


def _path(d: str) -> Any:
    """An SVG path of M, L, C, Z with absolute numbers as a matplotlib path."""
    from matplotlib.path import Path

    for letter in "MLCZ":
        d = d.replace(letter, f" {letter} ")
    codes_of = {"M": (Path.MOVETO,), "L": (Path.LINETO,), "C": (Path.CURVE4,) * 3}
    points, codes, letter, numbers = [], [], "M", []
    for word in d.replace(",", " ").split():
        if word == "Z":
            points.append((0.0, 0.0))
            codes.append(Path.CLOSEPOLY)
        elif word in codes_of:
            letter = word
        else:
            numbers.append(float(word))
            if len(numbers) == 2 * len(codes_of[letter]):
                points += list(zip(numbers[::2], numbers[1::2], strict=True))
                codes += codes_of[letter]
                numbers = []
    return Path(points, codes)


def to_png(scene: Scene, theme: str = "light", scale: float = 2.0) -> bytes:
    """Return picture, title and caption as a PNG, `scale` pixels for each one of the frame."""
    buffer = io.BytesIO()
    _render(scene, theme, scale).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _render(scene: Scene, theme: str, scale: float, frame: Frame | None = None) -> Any:
    from PIL import Image

    figure = to_figure(scene, theme, frame=frame)
    figure.set_dpi(100 * scale)
    figure.canvas.draw()
    return Image.fromarray(np.asarray(figure.canvas.buffer_rgba())[..., :3].copy())


def to_gif(scene: Scene, theme: str = "light", scale: float = 0.9) -> bytes:
    """Return all steps of the timeline as an animated GIF, with in-betweens; it loops.

    In-betweens are left out where a megabyte would not hold them all.
    """
    from PIL import Image

    film = list(_film(scene, theme, scale))
    palette = _palette([picture for picture, time in film if time >= HOLD], theme)
    # one palette for all: then equal pixels stay equal, and a frame stores only what has changed
    flat = [(p.quantize(palette=palette, dither=Image.Dither.NONE), time) for p, time in film]
    data = _gif(flat)
    for every in (2, 3, FRAMES):  # rests stay: FRAMES - 1 in-betweens stand between two of them
        if len(data) <= MEGABYTE:
            break
        kept = [shot for i, shot in enumerate(flat) if i % FRAMES % every == 0]
        data = _gif([(p, t if t >= HOLD else t * every) for p, t in kept])
    return data


def _gif(film: list[tuple[Any, int]]) -> bytes:
    """Encode (picture, ms) pairs; equal neighbours become one picture."""
    first, *rest = [picture for picture, _ in film]
    times = [milliseconds for _, milliseconds in film]
    buffer = io.BytesIO()
    options: dict[str, Any] = {"duration": times, "loop": 0, "optimize": True, "disposal": 1}
    first.save(buffer, "GIF", save_all=True, append_images=rest, **options)
    return buffer.getvalue()


def _palette(pictures: list[Any], theme: str) -> Any:
    """Return an image whose palette suits all pictures: the theme's own colours, and the rest."""
    from PIL import Image

    ours = np.array(
        [[int(paint(t, theme)[i : i + 2], 16) for i in (1, 3, 5)] for t in sorted(TOKENS)]
    )
    small = [np.asarray(picture)[::2, ::2] for picture in pictures]
    whole = Image.fromarray(np.concatenate(small))
    found = whole.quantize(COLOURS - len(ours), method=Image.Quantize.MEDIANCUT).getpalette()
    rest = np.array(found).reshape(-1, 3)
    near = np.abs(rest[:, None] - ours[None]).max(2).min(1) < 8  # Pillow would mix these two up
    suited = Image.new("P", (1, 1))
    suited.putpalette(np.concatenate([ours, rest[~near]])[:COLOURS].ravel().tolist())
    return suited


def _film(scene: Scene, theme: str, scale: float) -> Iterable[tuple[Any, int]]:
    """Yield (picture, ms): each step at rest, and the in-betweens to the next."""
    step = next((p for p in scene.spec["params"] if p["kind"] == "step"), None)
    if step is None:
        yield _render(scene, theme, scale), HOLD
        return
    last = count(step, scene.spec, scene.state) - 1
    drawn: tuple[Any, Any] = (None, None)  # in-betweens that have arrived are the next rest
    for index in range(last + 1):
        here = scene.at(**{step["name"]: index})
        if drawn[0] != here.frame():
            drawn = here.frame(), _render(here, theme, scale)
        yield drawn[1], HOLD * (2 if index == last else 1)
        if index < last:
            after = scene.at(**{step["name"]: index + 1})
            drawn = (None, None)  # the words below belong to the next step
            for part in range(1, FRAMES):
                between = tween(scene.spec, here.frame(), after.frame(), part / FRAMES)
                if drawn[0] != between:
                    drawn = between, _render(after, theme, scale, between)
                yield drawn[1], TWEEN


def tween(spec: dict[str, Any], start: Frame, end: Frame, part: float) -> Frame:
    """Return the frame `part` (0 to 1) of the way: numbers move after their delay, words switch."""
    duration = spec.get("dur", 0) or 1
    total = duration + max((m.get("delay", 0) for m in spec["marks"]), default=0)
    frames = []
    for mark, a, b in zip(spec["marks"], start, end, strict=True):
        own = min(1.0, max(0.0, (part * total - mark.get("delay", 0)) / duration))
        u = 4 * own**3 if own < 0.5 else 1 - (2 - 2 * own) ** 3 / 2
        moving = (*NUMBERS[b["t"]], "opacity")
        frames.append(
            {k: a[k] + (v - a[k]) * u if k in moving and k in a else v for k, v in b.items()}
        )
    return frames
