"""A scene is plain data: parameters, tables, marks. Python computes it, painters only look it up.

The specification (version 1) is a dictionary that survives JSON:

    v, id, title, subtitle, alt, size [width, height], dur (ms of a transition)
    params   [{name, label, kind: select | step | range | xy, value, ...}]
             select: options [str], hints [str];  others: n (how many values);
             step: labels (look-up), play (ms a step), loop
             range: labels, off (look-up: 1 where the slider is shut, its value without effect)
    tables   {name: nested lists}         pool [PNG data URI]
    marks    [{id, t: rect | text | circle | line | image | path, attribute: value, ...}]
    caption, code, warn    a string or a look-up; `**bold**` is the only markup
    ask      {q, options, answer, replies, param, from}: predict, then reveal
    room     a text as long as the longest caption, where a joined one never has all its parts
    derive   {name: look-up of an integer}: more keys, computed from parameters and earlier ones

A value is a constant or a look-up `L("table", key, ...)`, each key the name of a parameter or of a
derived key, or an integer. A text may also be joined from parts: `J("a ", L("b", "c"))`. The
numbers of a drag (x0, y0, cell) may be look-ups. `validate` holds the rules.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from lightcourse.errors import UserError

from .pool import Pool as Pool

NUMBERS: dict[str, tuple[str, ...]] = {  # attributes that are numbers (and move smoothly)
    "rect": ("x", "y", "width", "height", "rx"),
    "text": ("x", "y", "font-size"),
    "circle": ("cx", "cy", "r"),
    "line": ("x1", "y1", "x2", "y2"),
    "image": ("x", "y", "width", "height"),
    "path": (),
}
WORDS: dict[str, tuple[str, ...]] = {  # attributes that are words (and switch at once)
    "text": ("text-anchor", "font-weight"),
    "path": ("d",),
}
COMMON = ("fill", "stroke", "opacity", "stroke-width", "stroke-dasharray")


class SceneError(ValueError):
    """A specification that cannot be drawn; the message names the mark and the state."""


def L(table: str, *keys: str | int) -> dict[str, Any]:
    """Return a look-up: the value is `tables[table][key]...`, keys are parameters or integers."""
    return {"t": table, "k": list(keys)}


def J(*parts: Any) -> dict[str, Any]:
    """Return a text joined from parts, each a constant or a look-up."""
    return {"j": list(parts)}


def is_lookup(value: Any) -> bool:
    """Tell a look-up from a constant."""
    return isinstance(value, dict) and "t" in value


def is_joined(value: Any) -> bool:
    """Tell a text joined from parts from anything else."""
    return isinstance(value, dict) and "j" in value


def parts_of(value: Any) -> list[Any]:
    """Return the parts of a joined text; anything else is its own only part."""
    return value["j"] if is_joined(value) else [value]


def resolve(value: Any, spec: Mapping[str, Any], state: Mapping[str, int]) -> Any:
    """Return the constant, or what the look-up finds in this state (KeyError/IndexError if not)."""
    if is_joined(value):
        return "".join(str(resolve(part, spec, state)) for part in value["j"])
    if not is_lookup(value):
        return value
    found = spec["tables"][value["t"]]
    for key in value["k"]:
        index = key if isinstance(key, int) else state.get(key)
        if index is None:
            index = resolve(spec["derive"][key], spec, state)
        if not isinstance(found, list) or index < 0:
            raise IndexError(index)
        found = found[index]
    return found


def count(param: Mapping[str, Any], spec: Mapping[str, Any], state: Mapping[str, int]) -> int:
    """Return how many values a parameter has in this state."""
    return len(param["options"]) if "options" in param else resolve(param["n"], spec, state)


def clamp(spec: Mapping[str, Any], state: Mapping[str, int]) -> dict[str, int]:
    """Return a full state: missing parameters get their value, every index is put inside."""
    full = {p["name"]: int(state.get(p["name"], p.get("value", 0))) for p in spec["params"]}
    for param in spec["params"]:
        name = param["name"]
        full[name] = max(0, min(count(param, spec, full) - 1, full[name]))
    return full


def frame(spec: Mapping[str, Any], state: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the attributes of every mark in this state; equal to `frame` of renderer.js."""
    drawn, state = [], dict(state)
    for name, value in spec.get("derive", {}).items():  # once, not for every mark
        state[name] = resolve(value, spec, state)
    for mark in spec["marks"]:
        kind = mark["t"]
        names = (*NUMBERS[kind], *WORDS.get(kind, ()), *COMMON)
        shown = {"id": mark["id"], "t": kind}
        shown |= {name: resolve(mark[name], spec, state) for name in names if name in mark}
        if kind == "text":
            shown["s"] = str(resolve(mark["s"], spec, state))
        if kind == "image":
            shown["href"] = spec["pool"][resolve(mark["href"], spec, state)]
        drawn.append(shown)
    return drawn


def caption(spec: Mapping[str, Any], state: Mapping[str, int]) -> str:
    """Return the caption of this state, without markup."""
    return str(resolve(spec["caption"], spec, state)).replace("**", "")


def states(spec: Mapping[str, Any]) -> Iterator[dict[str, int]]:
    """Yield every state over the parameters that are not dragged (those keep their value)."""

    def extend(params: list, state: dict[str, int]) -> Iterator[dict[str, int]]:
        if not params:
            yield dict(state)
            return
        param, *rest = params
        indices = (
            [state[param["name"]]] if param["kind"] == "xy" else range(count(param, spec, state))
        )
        for index in indices:
            yield from extend(rest, {**state, param["name"]: index})

    yield from extend(list(spec["params"]), clamp(spec, {}))


def plain(value: Any) -> Any:
    """Return JSON data: NumPy becomes Python, floats are rounded to 0.01 (a hundredth of a pixel).

    >>> plain({"x": np.float32(1.23456), "n": (np.int64(2), 3.0)})
    {'x': 1.23, 'n': [2, 3]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    short = round(float(value), 2)
    return int(short) if short.is_integer() else short


def dumps(value: Any) -> str:
    """Return compact JSON that is safe inside an HTML `<script>`."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@dataclass(frozen=True)
class Scene:
    """A picture with controls: a specification and the state it is shown in.

    >>> from lightcourse import viz
    >>> scene = viz.channel_shuffle().at(step=2)
    >>> scene.caption()[:7]
    'Shuffle'
    """

    spec: dict[str, Any]
    state: dict[str, int]
    asks: bool = False

    @classmethod
    def of(cls, spec: Mapping[str, Any], **state: int | str) -> "Scene":
        """Build a scene from a raw specification: made plain, validated, then `at(**state)`."""
        data = plain(spec)
        validate(data)
        return cls(data, clamp(data, {})).at(**state)

    def at(self, **state: int | str) -> "Scene":
        """Return the scene in another state; options by name or index, the rest by index.

        Raises:
            UserError: no such parameter or value; the message lists the valid ones.
        """
        params = {p["name"]: p for p in self.spec["params"]}
        wanted = dict(self.state)
        for name in state.keys() - params.keys():
            close = get_close_matches(name, params, 1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            raise UserError(
                f"the scene {self.spec['id']!r} has no parameter {name!r}{hint} "
                f"It has: {', '.join(params)}."
            )
        for name in [p for p in params if p in state]:  # in the spec's order: counts depend on it
            wanted[name] = _index(params[name], state[name], self.spec, wanted)
        return replace(self, state=clamp(self.spec, wanted))

    def predict(self) -> "Scene":
        """Return the scene with its question asked first: later steps stay closed until answered.

        Raises:
            UserError: the scene has no question.
        """
        ask = self.spec.get("ask")
        if not ask:
            raise UserError(f"the scene {self.spec['id']!r} has no question to predict.")
        step = min(self.state[ask["param"]], ask["from"] - 1)
        return replace(self, state=clamp(self.spec, {**self.state, ask["param"]: step}), asks=True)

    def frame(self) -> list[dict[str, Any]]:
        """Return the attributes of every mark."""
        return frame(self.spec, self.state)

    def caption(self) -> str:
        """Return the caption, without markup."""
        return caption(self.spec, self.state)

    def states(self) -> Iterator[dict[str, int]]:
        """Yield every state over the parameters that are not dragged."""
        return states(self.spec)

    def html(self) -> str:
        """Return a complete page: one file, no request, works from a USB stick."""
        from .html import to_page

        return to_page(self)

    def inline(self) -> str:
        """Return the HTML that a notebook cell shows: interactive, with a picture as fallback."""
        from .html import to_inline

        return to_inline(self)

    def svg(self, theme: str = "light") -> str:
        """Return the picture as SVG text."""
        from .svg import to_svg

        return to_svg(self, theme)

    def text(self) -> str:
        """Return the picture in words, for a terminal or a screen reader."""
        from .text import to_text

        return to_text(self)

    def figure(self) -> Any:
        """Return the picture as a matplotlib figure."""
        from .raster import to_figure

        return to_figure(self)

    def save(self, path: str | Path, theme: str = "light", scale: float = 2.0) -> Path:
        """Write the scene to a file; the suffix decides: html, svg, png, gif or txt.

        Raises:
            UserError: another suffix, or the file cannot be written.
        """
        from .display import save

        return save(self, Path(path), theme, scale)

    def widget(self) -> Any:
        """Return a live anywidget: its `state` follows the picture, and the picture its `state`."""
        from .live import SceneWidget

        return SceneWidget(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.inline(), "text/plain": self.caption()}


def _index(param: Mapping[str, Any], value: Any, spec: Mapping[str, Any], state: dict) -> int:
    """Return the index a user means: an option's name (or its unique beginning), else a number."""
    options, text = param.get("options", ()), str(value).strip()
    if text in options:
        return options.index(text)
    found = [i for i, name in enumerate(options) if name.casefold().startswith(text.casefold())]
    if len(found) == 1 and text:
        return found[0]
    size = count(param, spec, state)
    if text.lstrip("-").isdigit() and 0 <= int(text) < size:
        return int(text)
    names = f" ({', '.join(options)})" if options else ""
    raise UserError(
        f"{param['name']}={value!r} is not possible here; choose 0 to {size - 1}{names}."
    )


def validate(spec: Mapping[str, Any]) -> None:
    """Check a plain specification; raise `SceneError` naming the mark and the state."""
    from .validate import check_spec

    check_spec(spec)
