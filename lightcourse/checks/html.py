"""The few HTML pieces that checks, hints and predictions are made of; light and dark, no script."""

from __future__ import annotations

import re
from html import escape

# JupyterLab's own colours where it defines them, so that a theme switch is followed; else neutral
_INK = "var(--jp-content-font-color1, inherit)"
_SOFT = "var(--jp-content-font-color2, inherit)"
_LINE = "var(--jp-border-color2, rgba(128,128,128,.4))"
_CODE = "var(--jp-code-font-family, monospace)"
_MARKS = {
    "pass": ("✓", "#1a7f4b"),
    "fail": ("✗", "#c4402f"),
    "note": ("i", "#2b6cb0"),
}


def block(mark: str, title: str, aside: str = "", body: str = "") -> str:
    """One framed block with a coloured edge; mark is pass, fail or note."""
    sign, colour = _MARKS[mark]
    badge = (
        f'<span style="display:inline-block;width:1.5em;height:1.5em;line-height:1.5em;'
        f"border-radius:50%;text-align:center;color:#fff;background:{colour};"
        f'font-weight:bold;margin-right:.6em">{sign}</span>'
    )
    head = f"<strong>{escape(title)}</strong>"
    if aside:
        head += f' <span style="color:{_SOFT}">· {escape(aside)}</span>'
    return (
        f'<div class="lightcourse-check" role="status" style="color:{_INK};'
        f"border:1px solid {_LINE};border-left:5px solid {colour};border-radius:4px;"
        f'padding:.7em 1em;margin:.3em 0;max-width:60em;line-height:1.5">'
        f"<div>{badge}{head}</div>{body}</div>"
    )


def prose(text: str) -> str:
    """Escaped text in which **bold** and `code` are marked up.

    >>> prose("use `//` < **now**")[:60]
    'use <code style="font-family:var(--jp-code-font-family, mono'
    """
    text = escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", rf'<code style="font-family:{_CODE}">\1</code>', text)
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)


def paragraphs(text: str) -> str:
    """One <p> for each paragraph of the text; ``` fences become code."""
    parts = []
    for i, piece in enumerate(re.split(r"```(?:\w+\n)?", text)):
        if i % 2:
            parts.append(code(piece.strip("\n")))
        else:
            chunks = [c.strip() for c in piece.split("\n\n") if c.strip()]
            parts += [f'<p style="margin:.5em 0">{prose(c)}</p>' for c in chunks]
    return "".join(parts)


def code(text: str) -> str:
    """A block of code that scrolls rather than breaks the page."""
    return (
        f'<pre style="font-family:{_CODE};color:{_INK};background:rgba(128,128,128,.12);'
        f"border-radius:3px;padding:.25em .6em;margin:.15em 0;overflow-x:auto;text-align:left;"
        f'white-space:pre;word-break:normal;overflow-wrap:normal">'
        f"{escape(text)}</pre>"
    )


def table(rows: list[tuple[str, str]]) -> str:
    """Rows of (name, ready HTML)."""
    cells = "".join(
        f'<tr style="background:none"><th scope="row" style="text-align:right;color:{_SOFT};'
        f'font-weight:normal;vertical-align:top;padding:.25em .8em .1em 0">{escape(name)}</th>'
        f'<td style="text-align:left;padding:.1em 0">{value}</td></tr>'
        for name, value in rows
    )
    return f'<table style="border:none;margin:.3em 0;color:{_INK}"><tbody>{cells}</tbody></table>'


def quiet(summary: str, body: str) -> str:
    """A folded part that one click opens."""
    return (
        f'<details style="margin:.4em 0"><summary style="cursor:pointer">{prose(summary)}</summary>'
        f'<div style="padding-left:1.2em">{body}</div></details>'
    )


def bar(done: int, total: int, *, width: float = 12.0) -> str:
    """A progress bar with its numbers in words for screen readers."""
    share = 100 * done / total if total else 0
    return (
        f'<span role="img" aria-label="{done} of {total} done" style="display:inline-block;'
        f"width:{width}em;height:.8em;border:1px solid {_LINE};border-radius:.4em;"
        f'overflow:hidden;vertical-align:middle"><span style="display:block;height:100%;'
        f'width:{share:.0f}%;background:#1a7f4b"></span></span>'
    )
