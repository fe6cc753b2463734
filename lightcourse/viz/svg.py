"""A scene as SVG text: the still picture, for posters, papers and Inkscape."""

from html import escape
from typing import Any

from .scene import Scene
from .theme import paint

FONT = "'DejaVu Sans', Verdana, Arial, sans-serif"  # the font that raster.py draws with, first


def to_svg(scene: Scene, theme: str = "light") -> str:
    """Return the picture as a complete SVG document with a title and a description.

    >>> from lightcourse import viz
    >>> viz.channel_shuffle().svg()[:4]
    '<svg'
    """
    width, height = scene.spec["size"]
    marks = zip(scene.spec["marks"], scene.frame(), strict=True)
    body = "".join(_element(mark, shown, theme) for mark, shown in marks)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="{FONT}" role="img">'
        f"<title>{escape(scene.spec['title'])}</title>"
        f"<desc>{escape(scene.spec['alt'])}. {escape(scene.caption())}</desc>"
        f'<rect width="{width}" height="{height}" fill="{paint("bg", theme)}"/>{body}</svg>'
    )


def _element(mark: dict[str, Any], shown: dict[str, Any], theme: str) -> str:
    if shown.get("opacity", 1) == 0:
        return ""
    kind = shown["t"]
    attributes = {k: v for k, v in shown.items() if k not in ("id", "t", "s")}
    for name in ("fill", "stroke"):
        if name in attributes:
            attributes[name] = paint(attributes[name], theme)
    if kind == "image":
        attributes["preserveAspectRatio"] = "none"
        attributes["style"] = f"image-rendering:{'auto' if mark.get('smooth') else 'pixelated'}"
    text = " ".join(f'{name}="{escape(str(value))}"' for name, value in attributes.items())
    if kind == "text":
        return f"<text {text}>{escape(shown['s'])}</text>"
    return f"<{kind} {text}/>"
