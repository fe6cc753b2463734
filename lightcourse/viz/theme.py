"""Colours and fonts of every picture, written only here; the CSS is generated."""

from lightcourse.errors import UserError

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Arial, sans-serif"
MONO = "ui-monospace, 'Cascadia Code', Menlo, Consolas, 'DejaVu Sans Mono', monospace"

# After Okabe and Ito (2008), moved so that every series colour keeps 3:1 on its background and
# every colour that text is written in keeps 4.5:1 (tests/test_viz_engine.py computes both).
PALETTE: dict[str, dict[str, str]] = {
    "light": {
        "bg": "#ffffff", "panel": "#f3f6f9", "ink": "#15202b", "muted": "#55626e",
        "grid": "#d9e0e7", "line": "#808e9c", "hi": "#b84300", "ok": "#00755a", "bad": "#b3261e",
        "c1": "#0072b2", "c2": "#c98300", "c3": "#009e73", "c4": "#c965a0",
        "c5": "#3497d4", "c6": "#e0660f", "c7": "#998a00", "c8": "#828d99",
    },
    "dark": {
        "bg": "#10161d", "panel": "#1a222c", "ink": "#e9eff5", "muted": "#a3b3c2",
        "grid": "#2a3642", "line": "#6b7b8b", "hi": "#ffa14f", "ok": "#3dd6a3", "bad": "#ff8a80",
        "c1": "#4fb0ea", "c2": "#f0b429", "c3": "#2bc49a", "c4": "#e79bca",
        "c5": "#9bd8fa", "c6": "#ff8a3d", "c7": "#e8dc4a", "c8": "#9aa7b4",
    },
}  # fmt: skip
TOKENS = frozenset(PALETTE["light"])
THEMES = tuple(PALETTE)

# Colour ramps for heat maps, dark to light, as nine stops each.
RAMPS: dict[str, tuple[str, ...]] = {
    "gray": ("#20262c", "#3a424a", "#57606a", "#747d87", "#929ba4", "#b0b8bf",
             "#ccd2d7", "#e4e8eb", "#fafbfc"),
    "heat": ("#1b1026", "#40195a", "#6d1f6f", "#9b2b6b", "#c63f58", "#e5633f",
             "#f58f2f", "#fbc04a", "#fdf3b0"),
    "cool": ("#08203f", "#0d3766", "#12508b", "#1c6bab", "#3287c4", "#57a3d7",
             "#85bfe6", "#b7d9f2", "#eaf4fc"),
}  # fmt: skip


def palette(theme: str) -> dict[str, str]:
    """Return the colours of one theme by token; raise `UserError` for an unknown theme."""
    if theme not in PALETTE:
        raise UserError(f"there is no theme {theme!r}; choose one of: {', '.join(THEMES)}.")
    return PALETTE[theme]


def paint(value: str | None, theme: str = "light") -> str:
    """Return `"#rrggbb"` or `"none"` for a theme token, a colour, `"none"` or None.

    >>> paint("c1"), paint("#123456"), paint(None)
    ('#0072b2', '#123456', 'none')
    """
    return "none" if value in (None, "", "none") else palette(theme).get(value, value)


def luminance(colour: str) -> float:
    """Return the relative luminance of `"#rrggbb"`, 0 (black) to 1 (white), after WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast ratio of two `"#rrggbb"` colours, 1 to 21.

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def text_on(token: str) -> str:
    """Return the paint for text on a shape filled with `token`: readable (4.5:1) in every theme.

    >>> text_on("c1"), text_on("c2")
    ('bg', '#15202b')
    """
    choices = ("bg", "ink", PALETTE["light"]["ink"])
    worst = {
        c: min(contrast(paint(token, theme), paint(c, theme)) for theme in THEMES) for c in choices
    }
    return max(choices, key=lambda c: worst[c])


def css_variables(scope: str) -> str:
    """Return the CSS rules that define `--lc-<token>` under `scope`, one rule a theme."""
    rules = []
    for theme, colours in PALETTE.items():
        where = scope if theme == "light" else f"{scope}[data-theme={theme}]"
        body = "".join(f"--lc-{token}:{colour};" for token, colour in colours.items())
        rules.append(f"{where}{{{body}color-scheme:{theme}}}")
    return f"{scope}{{--lc-font:{FONT};--lc-mono:{MONO}}}" + "".join(rules)
