"""A scene as HTML: a page that needs nothing else, and the output of a notebook cell."""

import hashlib
import html
import re
from base64 import b64encode
from functools import cache
from pathlib import Path
from urllib.parse import quote

from .scene import Scene, dumps
from .theme import css_variables, palette

STATIC = Path(__file__).parent / "static"
_QUOTED_OR_COMMENT = re.compile(r"""("(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?:^|(?<=\s))//[^\n]*""", re.M)


@cache
def script() -> str:
    """Return the renderer as one ES module, as it is written."""
    return (STATIC / "renderer.js").read_text(encoding="utf-8")


@cache
def short_script() -> str:
    """Return the renderer without comments and idle space: every cell output carries a copy."""
    source, parts, end = script(), [], 0
    for match in _QUOTED_OR_COMMENT.finditer(source):
        parts += [_tighten(source[end : match.start()]), match.group(1) or ""]
        end = match.end()
    return "".join([*parts, _tighten(source[end:])]).strip()


def _tighten(code: str) -> str:
    code = re.sub(r"\s+", " ", code)
    code = re.sub(r" ?([\[\]{}(),;:=<>?|&*!]) ?", r"\1", code)
    code = re.sub(r"[;,]([}\])])", r"\1", code)
    code = re.sub(r"\((\w+)\)=>", r"\1=>", code)
    return re.sub(r" ([+/-]) (?![+-])", r"\1", code)


@cache
def style() -> str:
    """Return the style sheet: the theme's colours as CSS variables, then renderer.css."""
    sheet = (STATIC / "renderer.css").read_text(encoding="utf-8")
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.S)
    return (
        css_variables(".lc") + re.sub(r"\s+", " ", re.sub(r"\s*([{};,])\s*", r"\1", sheet)).strip()
    )


def payload(scene: Scene, theme: str = "") -> dict:
    """Return what the renderer is given; theme "" follows the notebook, the editor, the system."""
    if theme:
        palette(theme)  # an unknown one is a UserError here, not a black page there
    return {
        "spec": scene.spec,
        "state": scene.state,
        "asks": scene.asks,
        "theme": theme,
        "css": style(),
    }


def poster(scene: Scene, theme: str = "light") -> str:
    """Return the picture as an SVG data URI: what readers without scripts see."""
    return "data:image/svg+xml," + quote(scene.svg(theme), safe=" =:/;,+()-._~*!")


def to_inline(scene: Scene) -> str:
    """Return notebook output: works live, reopened without a kernel, exported, and untrusted.

    The key is a hash of the content, so that the same scene gives the same bytes.
    """
    data = dumps(payload(scene))
    key = hashlib.sha256(data.encode()).hexdigest()[:12]
    return (
        f'<div class="lightcourse-scene" data-lc="{key}">{_still(scene)}'
        "<br><small>A still picture: run this cell, or trust the notebook, to move it.</small>"
        f'<script type="application/json">{data}</script></div>'
        f'<script type="module">{short_script()}mountInline("{key}");</script>'
    )


def to_page(scene: Scene, theme: str = "") -> str:
    """Return one self-contained page whose security policy forbids every request."""
    code = short_script() + 'mountPage(document.getElementById("lc"));'
    light, dark = palette("light")["bg"], palette("dark")["bg"]
    sheet = f"body{{margin:0;background:{light}}}"
    if theme != "light":
        query = "all" if theme == "dark" else "(prefers-color-scheme:dark)"
        sheet += f"@media {query}{{body{{background:{dark}}}}}"
    policy = (
        f"default-src 'none'; script-src '{_digest(code)}'; style-src '{_digest(sheet)}'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{html.escape(scene.spec['title'])}</title><style>{sheet}</style></head>"
        f'<body><main id="lc" class="lightcourse-scene"><noscript>{_still(scene)}</noscript></main>'
        f'<script type="application/json" id="lc-data">{dumps(payload(scene, theme))}</script>'
        f'<script type="module">{code}</script></body></html>\n'
    )


def _still(scene: Scene) -> str:
    alt = html.escape(f"{scene.spec['alt']}. {scene.caption()}")
    width, height = scene.spec["size"]
    return f'<img alt="{alt}" width="{width}" height="{height}" src="{poster(scene)}">'


def _digest(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()
