"""Find every mistake in a specification before anybody sees the picture."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from .scene import (
    COMMON,
    NUMBERS,
    WORDS,
    SceneError,
    clamp,
    count,
    dumps,
    is_joined,
    is_lookup,
    parts_of,
    resolve,
)  # fmt: skip
from .theme import TOKENS

MAX_MARKS = 500  # more than this and a tween falls below 60 frames a second
MAX_BYTES = 150_000  # a notebook holds a copy of each specification
MAX_STATES = 4096  # states in which the place of one mark is checked; beyond, every n-th
SLACK = 10  # px that a mark may stand out of the frame

REQUIRED = {
    "rect": ("x", "y", "width", "height"),
    "text": ("x", "y", "s", "font-size"),
    "circle": ("cx", "cy", "r"),
    "line": ("x1", "y1", "x2", "y2"),
    "image": ("x", "y", "width", "height", "href"),
    "path": ("d",),
}
EXTRAS = {"id", "t", "tip", "link", "set", "drag", "delay", "pe", "label", "smooth"}
RESERVED = {"theme", "hide", "play", "ask"}  # words of a deep link
PARAM_KINDS = {"select", "step", "range", "xy"}
PATH = re.compile(r"\s*([MLCZ](\s*-?\d+(\.\d+)?[\s,]*)*)*")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def check_spec(spec: Mapping[str, Any]) -> None:
    """Raise `SceneError` for the first mistake; the message names the mark and the state."""
    missing = {"v", "id", "title", "size", "params", "tables", "marks", "caption", "alt"} - set(
        spec
    )
    if missing:
        raise SceneError(f"the specification lacks {', '.join(sorted(missing))}")
    marks = spec["marks"]
    if len(marks) > MAX_MARKS:
        raise SceneError(
            f"{len(marks)} marks, at most {MAX_MARKS}: draw grids as one image or path"
        )
    size = len(dumps(spec).encode())
    if size > MAX_BYTES:
        raise SceneError(f"{size} bytes, at most {MAX_BYTES}: make the tables smaller")
    _check_params(spec)
    spec = _with_values(spec)
    for name in ("caption", "code", "warn", "room"):
        if name in spec:
            _each(spec, name, spec[name], _text)
    seen: set[str] = set()
    for mark in marks:
        if mark.get("id") in seen:
            raise SceneError(f"mark {mark['id']!r}: this id is used twice")
        seen.add(str(mark.get("id")))
        _check_mark(spec, mark)
    _check_ask(spec)


def _check_params(spec: Mapping[str, Any]) -> None:
    names = [p.get("name") for p in spec["params"]]
    for param in spec["params"]:
        where = f"parameter {param.get('name')!r}"
        if names.count(param.get("name")) > 1:
            raise SceneError(f"{where}: this name is used twice")
        if param.get("name") in RESERVED:
            raise SceneError(f"{where}: this name is taken by deep links")
        if param.get("kind") not in PARAM_KINDS:
            raise SceneError(
                f"{where}: kind {param.get('kind')!r} is none of {sorted(PARAM_KINDS)}"
            )
        if "label" not in param or ("options" in param) != (param["kind"] == "select"):
            raise SceneError(f"{where}: needs a label, and options exactly when it is a select")
        if "n" in param:
            _each(spec, f"{where}, n", param["n"], lambda v: isinstance(v, int) and v > 0)
        if "off" in param:
            _each(spec, f"{where}, off", param["off"], lambda v: v in (0, 1))
        if "labels" in param:
            _each(spec, f"{where}, labels", param["labels"], _text)
    first = clamp(spec, {})
    for param in spec["params"]:
        if first[param["name"]] != param.get("value", 0):
            raise SceneError(f"parameter {param['name']!r}: its value is out of range")


def _check_mark(spec: Mapping[str, Any], mark: Mapping[str, Any]) -> None:
    kind, where = mark.get("t"), f"mark {mark.get('id')!r}"
    if kind not in NUMBERS or not mark.get("id"):
        raise SceneError(
            f"{where}: needs an id and a type out of {', '.join(NUMBERS)}, not {kind!r}"
        )
    numbers = {*NUMBERS[kind], "opacity", "stroke-width"}
    known = {*numbers, *WORDS.get(kind, ()), *COMMON, *REQUIRED[kind], *EXTRAS}
    for name in [
        *(n for n in REQUIRED[kind] if n not in mark),
        *(n for n in mark if n not in known),
    ]:
        raise SceneError(f"{where}: {name} is {'missing' if name in known else 'not known'}")
    pictures = len(spec.get("pool", ()))
    tests: dict[str, Callable[[Any], bool]] = {
        **dict.fromkeys(numbers, _number),
        **dict.fromkeys(("fill", "stroke"), _paint),
        **dict.fromkeys(("s", "tip", "label"), _text),
        "href": lambda v: isinstance(v, int) and 0 <= v < pictures,
        "d": lambda v: isinstance(v, str) and PATH.fullmatch(v) is not None,
        "link": lambda v: isinstance(v, (int, str, list)),
    }
    for name in tests.keys() & mark.keys():
        _each(spec, f"{where}, {name}", mark[name], tests[name])
    _check_actions(spec, mark, where)
    for axis, limit in zip("xy", spec["size"], strict=True):
        _check_inside(spec, mark, where, axis, limit)


def _check_actions(spec: Mapping[str, Any], mark: Mapping[str, Any], where: str) -> None:
    names = {p["name"] for p in spec["params"]}
    drag = mark.get("drag", {})
    targets = {**mark.get("set", {}), **{drag[a]: 0 for a in ("x", "y") if a in drag}}
    for name, value in targets.items():
        if name not in names:
            raise SceneError(f"{where}: sets {name!r}, which is no parameter")
        if not isinstance(value, int) or value < 0:
            raise SceneError(f"{where}: sets {name!r} to {value!r}, which is no index")
    if drag and not (drag.keys() <= {"x", "y", "x0", "y0", "cell"} and "cell" in drag):
        raise SceneError(f"{where}: drag takes x, y (parameters), x0, y0 and cell (px), not {drag}")
    for name in drag.keys() & {"x0", "y0", "cell"}:
        wanted = f"{where}: drag takes x, y (parameters), x0, y0 and cell (px): {name}"
        _each(spec, wanted, drag[name], lambda v: _number(v) and (name != "cell" or v > 0))  # noqa: B023


def _check_inside(spec: Any, mark: Any, where: str, axis: str, limit: float) -> None:
    """Check one axis of a mark's place in every state (opacity does not matter)."""
    across = {"x": ("y", "height", "cy", "y1", "y2"), "y": ("x", "width", "cx", "x1", "x2", "s")}
    names = [n for n in mark if n in (*NUMBERS[mark["t"]], "d", "s", "text-anchor")]
    names = [n for n in names if n not in across[axis]]  # else rows times columns to walk through
    states = _combinations(spec, [p for n in names for p in parts_of(mark[n]) if is_lookup(p)])
    for state in states[:: max(1, len(states) // MAX_STATES)]:
        low, high = _extent({n: resolve(mark[n], spec, state) for n in names}, mark["t"], axis)
        if low < -SLACK or high > limit + SLACK:
            raise SceneError(
                f"{where}: outside the frame, {axis} from {low:g} to {high:g} of {limit:g}"
                f" in state {state}"
            )


def _extent(mark: Mapping[str, Any], kind: str, axis: str) -> tuple[float, float]:
    """Return where a mark begins and ends on one axis; text is guessed at half an em a letter."""
    if kind == "circle":
        return mark[f"c{axis}"] - mark["r"], mark[f"c{axis}"] + mark["r"]
    if kind == "line":
        ends = (mark[f"{axis}1"], mark[f"{axis}2"])
        return min(ends), max(ends)
    if kind == "path":
        numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", mark["d"])]
        ours = numbers["xy".index(axis) :: 2] or [0.0]
        return min(ours), max(ours)
    if kind == "text":
        size = mark["font-size"]
        if axis == "y":
            return mark["y"] - 0.75 * size, mark["y"]
        width = 0.5 * size * len(str(mark["s"]))
        start = mark["x"] - width * {"middle": 0.5, "end": 1}.get(mark.get("text-anchor", ""), 0)
        return start, start + width
    return mark[axis], mark[axis] + mark["width" if axis == "x" else "height"]


def _check_ask(spec: Mapping[str, Any]) -> None:
    ask = spec.get("ask")
    if ask is None:
        return
    params = {p["name"]: p for p in spec["params"]}
    if ask.get("param") not in params or not isinstance(ask.get("from"), int) or ask["from"] < 1:
        raise SceneError("ask: needs param (a parameter) and from (the first hidden index, >= 1)")
    options = ask.get("options", [])
    if len(options) < 2 or len(ask.get("replies", [])) != len(options):
        raise SceneError("ask: needs two options or more, and one reply for each")
    _each(spec, "ask, answer", ask["answer"], lambda v: isinstance(v, int) and v < len(options))


def _each(spec: Any, where: str, value: Any, test: Callable[[Any], bool]) -> None:
    """Apply the test to the value in every state of the parameters it depends on."""
    if is_joined(value):
        for part in parts_of(value):
            _each(spec, where, part, test)
        return
    if is_lookup(value) and value["t"] not in spec["tables"]:
        raise SceneError(f"{where}: there is no table {value['t']!r}")
    for state in _combinations(spec, [value] if is_lookup(value) else []):
        try:
            found = resolve(value, spec, state)
        except (IndexError, KeyError) as error:
            raise SceneError(
                f"{where}: table {value['t']!r} has nothing at {value['k']} in state {state}"
            ) from error
        if not test(found):
            raise SceneError(f"{where}: {found!r} is not allowed, in state {state}")


def _with_values(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the specification with all values of its derived keys, which later ones may use.

    A derived key is then checked like a parameter with these values.
    """
    known: dict[str, list[int]] = {}
    spec = {**spec, "values": known}
    for name, value in spec.get("derive", {}).items():
        where = f"derived key {name!r}"
        if not is_lookup(value) or name in {p["name"] for p in spec["params"]}:
            raise SceneError(f"{where}: needs a look-up, and a name that no parameter has")
        _each(spec, where, value, lambda v: isinstance(v, int) and v >= 0)
        states = _combinations(spec, [value])
        known[name] = sorted({resolve(value, spec, state) for state in states})
    return spec


def _combinations(spec: Mapping[str, Any], lookups: list) -> list[dict[str, int]]:
    """Return every combination of the parameters that these look-ups depend on."""
    derived = spec.get("values", {})
    params = {p["name"]: p for p in spec["params"]}
    needed: set[str] = set()
    queue = [key for lookup in lookups for key in lookup["k"] if isinstance(key, str)]
    while queue:
        name = queue.pop()
        if name not in params and name not in derived:
            raise SceneError(f"a look-up uses {name!r}, which is no parameter")
        if name not in needed:
            needed.add(name)
            if name in derived:
                continue
            size = params[name].get("n")
            queue += [k for k in size["k"] if isinstance(k, str)] if is_lookup(size) else []

    states: list[dict[str, int]] = [{}]
    for name in [name for name in params if name in needed]:  # in order: counts depend on it
        states = [
            state | {name: index}
            for state in states
            for index in range(count(params[name], spec, state))
        ]
    for name in [name for name in derived if name in needed]:
        states = [state | {name: index} for state in states for index in derived[name]]
    return states


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _text(value: Any) -> bool:
    return isinstance(value, (str, int, float))


def _paint(value: Any) -> bool:
    return value == "none" or (
        isinstance(value, str) and (value in TOKENS or COLOUR.fullmatch(value) is not None)
    )
