"""The block scenes as tables: keyed by `c` (the state of all sliders), `topo` and the step.

`topo` counts what differs in more than numbers: which rows are there, and what they are called.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ..scene import L
from ..theme import text_on
from . import _blk_words as words
from ._blk_kind import Kind
from ._blk_kinds import Case
from ._blk_layout import HIGH, NOTHING, Edge, Layout, taken

BAR = 82  # px: the longest bar
PAINT = {"i": "c8", "1": "c1", "d": "c2", "k": "c6", "g": "c6", "s": "c4", "c": "c3", "+": "c3",
         "x": "c3", "h": "c7", "f": "c7", "p": "c8", "a": "c4", "n": "c8"}  # fmt: skip
SIGN = {"+": "+", "x": "×"}


class View:
    """Tables of one kind, for all its states."""

    def __init__(self, kind: Kind, every: Sequence[Case], side: float):
        self.kind, self.every = kind, every
        self.layout = Layout(kind, every, side)
        self.rows = range(len(kind.slots) + 1)
        self.whole = len(self.rows)  # the last step
        drawn = {(e.start, e.end) for case in every for e in self.layout.edges(case)}
        self.ends = sorted(drawn, key=lambda ends: (ends[0] - ends[1], ends))  # long ones behind
        self.refuses = any(case.why for case in every)
        forms = [self._form(case) for case in every]
        self.forms = list(dict.fromkeys(forms))
        self.topo = [self.forms.index(form) for form in forms]
        self.typical = [every[self.topo.index(i)] for i in range(len(self.forms))]

    def _form(self, case: Case) -> tuple:
        present = [case.stage(row) for row in self.rows]
        names = [self._name(case, row) for row in self.rows]
        held = tuple(s and (s.held, s.sources, tuple(s.layers)) for s in present)
        return (tuple(names), held, bool(case.why))

    def _name(self, case: Case, row: int) -> tuple[str, str]:
        stage = case.stage(row)
        if stage is None:
            return words.absent(self.kind, row, case)
        return words.name(self.kind, row, stage), ""

    def tables(self) -> dict[str, Any]:
        """Return all tables."""
        return {
            **self._paths(),
            **self._paints(),
            **self._numbers(),
            **self._texts(),
            **self._places(),
        }

    def derive(self) -> dict[str, Any]:
        """Return more keys: the state's number, its form, the paths of its boxes and ribbons."""
        boxes = [f"box{i}" for i in self.rows]
        drawn = [*boxes, *(f"edge{j}" for j in range(len(self.ends))), "head"]
        knobs = [knob.name for knob in self.kind.knobs] if len(self.every) > 1 else []
        return {
            "c": L("config", *knobs), "topo": L("topo", "c"), "done": L("done", "step"),
            "on": L("on", "topo", "step"), "sized": L("sized", "topo", "step"),
            **{name: L("path_of", "c", i) for i, name in enumerate(drawn)},
        }  # fmt: skip

    def _each(self, value: Callable[[Case, int], Any]) -> list:
        """A table [c][row], with an empty text for the last step."""
        return [[*(value(case, row) for row in self.rows), ""] for case in self.every]

    def _paths(self) -> dict[str, Any]:
        """All different paths once, and their numbers [c][box, ribbon, …]."""
        paths: dict[str, int] = {NOTHING: 0}
        numbers = []
        for case in self.every:
            ribbons = {(e.start, e.end): self.layout.ribbon(e) for e in self.layout.edges(case)}
            drawn = [self.layout.box(case, row) for row in self.rows]
            drawn += [ribbons.get(ends, NOTHING) for ends in self.ends]
            drawn.append(self.layout.arrow(case))
            numbers.append([paths.setdefault(path, len(paths)) for path in drawn])
        tables: dict[str, Any] = {"path": list(paths), "path_of": numbers}
        if self.refuses:
            first = self.every[0]
            thick = self.layout.thick(first.block.stages[0].nbytes)
            xs = (self.layout.middle, self.layout.shortcut, self.layout.middle)
            tables["refused_d"] = self.layout.ribbon(Edge(0, self.whole - 1, xs, thick))
            tables["refused"] = [int(bool(case.why)) for case in self.every]
        return tables

    def _paints(self) -> dict[str, Any]:
        """Boxes and what stands beside them [topo][row][step], ribbons [topo][ribbon][step]."""
        steps = range(self.whole + 1)

        def of(value: Callable[[Case, int, int], Any]) -> list:
            return [[[value(c, row, step) for step in steps] for row in self.rows]
                    for c in self.typical]  # fmt: skip

        def ran(case: Case, row: int, step: int, others: str) -> str:
            stage = case.stage(row)
            return PAINT[stage.letter] if stage and step >= row else others

        flows = [
            [[self._look(case, ends, step) for step in steps]
             for ends in (*self.ends, self._out(case))] for case in self.typical
        ]  # fmt: skip
        return {
            "fill": of(lambda c, row, step: ran(c, row, step, "panel")),
            "stroke": of(lambda c, row, step: ran(c, row, step, "line")),
            "sign_ink": of(lambda c, row, step: _ink(ran(c, row, step, ""))),
            "shown": of(lambda c, r, step: int(bool(c.stage(r)) and not c.why and step >= r)),
            "there": [[int(case.stage(r) is not None) for r in self.rows] for case in self.typical],
            "ribbon": [[[look[0] for look in flow] for flow in row] for row in flows],
            "flow": [[[look[1] for look in flow] for flow in row] for row in flows],
        }

    def _out(self, case: Case) -> tuple[int, int]:
        """The ribbon that leaves the block."""
        last = self.layout.edges(case)[-1]
        return last.start, last.end

    def _look(self, case: Case, ends: tuple[int, int], step: int) -> tuple[str, float]:
        """Fill and opacity of a ribbon: alive, freed, or not yet written."""
        present = {(e.start, e.end) for e in self.layout.edges(case)}
        if ends not in present:
            return "grid", 0
        source = case.stage(ends[0])
        colour = "c8" if source.letter in "ip" else "c5"
        if step == self.whole:
            return colour, 0.6
        if step < ends[0]:
            return "grid", 0.35
        row = max(r for r in self.rows if r <= step and case.stage(r) is not None)
        stage = case.block.stages.index(source)
        alive = row == 0 or stage in case.stage(row).held
        return (colour, 0.9) if alive else ("grid", 0.7)

    def _numbers(self) -> dict[str, Any]:
        """Texts and bars [c][row][measure], totals [c][measure]."""
        measures = range(len(words.MEASURES))

        def each(value: Callable[[int, int, int], Any], none: Any) -> list:
            blank, table = [none] * len(measures), []
            for case in self.every:
                whole = words.totals(case)
                stages = [None if case.why else case.stage(row) for row in self.rows]
                stages[0] = None
                table.append([
                    [value(words.values(s)[m], whole[m], m) for m in measures] if s else blank
                    for s in stages
                ] + [blank])  # fmt: skip
            return table

        return {
            "num": each(lambda v, _, m: words.number(v, m), ""),
            "pct": each(lambda v, w, _: words.share(v, w), ""),
            "bar": each(lambda v, w, _: round(BAR * v / w, 1) if v else 0, 0),
            "total": [
                ["–" if case.why else words.number(v, m) for m, v in enumerate(words.totals(case))]
                for case in self.every
            ],
        }  # fmt: skip

    def _texts(self) -> dict[str, Any]:
        def of(value: Callable[[Case, int], Any]) -> list:
            return [[value(case, row) for row in self.rows] for case in self.typical]

        stage_shape = self._each(lambda c, r: words.shape(c.stage(r)) if c.stage(r) else "")
        size = self._each(
            lambda c, r: words.short(c.stage(r).nbytes, "B") if c.stage(r) else "")  # fmt: skip
        names = of(lambda c, r: self._name(c, r)[0])
        return {
            "name": names, "reason": of(lambda c, r: self._name(c, r)[1]),
            "layers": of(lambda c, r: " + ".join(c.stage(r).layers) if c.stage(r) else ""),
            "sign": of(lambda c, r: SIGN.get(c.stage(r).letter, "") if c.stage(r) else ""),
            "bold": of(lambda c, r: "700" if c.stage(r) else "400"),
            "ink": of(lambda c, r: "ink" if c.stage(r) else "muted"),
            "step_name": [*map(self._common, self.rows), "the whole block"],
            "shape": stage_shape, "size": size,
            "claim": [[""] * len(self.every), [words.claim(self.kind, c) for c in self.every]],
            "lead": [
                [*(self._lead(c, r) for r in self.rows), ""] for c in self.typical
            ],
            "colon": ["", ": gives "], "comma": ["", ", "], "dot": ["", "; **"],
            "macs_s": ["", "** MACs ("], "alive_s": ["", "). Alive now: **"], "end": ["", "**."],
            "warn": [case.why for case in self.every],
            "call": [case.call.code if case.call else "" for case in self.every],
            "class": [case.call.names if case.call else "" for case in self.every],
            "input": [str(case.size) for case in self.every],
        }  # fmt: skip

    def _common(self, row: int) -> str:
        """The words that a row's names share in all states."""
        stages = [(case, case.stage(row)) for case in self.every]
        names = [words.name(self.kind, row, s).split() for _, s in stages if s]
        first = names[0] if names else [words.absent(self.kind, row, self.every[0])[0]]
        return " ".join(word for word in first if all(word in other for other in names))

    def _lead(self, case: Case, row: int) -> str:
        name, reason = self._name(case, row)
        if row == 0:
            return "The pulse stands at the **input**, made before this block: "
        if case.stage(row) is None:
            return f"**{name[0].upper()}{name[1:]}**" + (f": {reason}." if reason else ".")
        return f"**{name[0].upper()}{name[1:]}**"

    def _places(self) -> dict[str, Any]:
        steps = range(self.whole + 1)
        present = [[int(row > 0 and case.stage(row) is not None and not case.why)
                    for row in self.rows] + [0] for case in self.typical]  # fmt: skip
        frames = [[self._frame(case, step) for step in steps] for case in self.every]
        knob, _ = self.kind.handle
        y = [self.layout.y(min(s, self.whole - 1)) - HIGH / 2 - 7 for s in steps]
        return {
            "config": self._config(), "topo": self.topo, "done": [0] * self.whole + [1],
            "on": present,
            "sized": [[int(case.stage(row) is not None) for row in self.rows] + [0]
                      for case in self.typical],
            "pulse_x": [[f[0] for f in frame] for frame in frames],
            "pulse_w": [[f[1] for f in frame] for frame in frames],
            "pulse_y": y, "pulse": [1] * self.whole + [0],
            "sign_x": [[self.layout.x(case, r) if case.stage(r) else self.layout.middle
                        for r in self.rows] for case in self.every],
            "handle_x": [self.corner(case) for case in self.every],
            "handle": self._labels(knob),
            **{f"labels_{k.name}": list(k.labels) for k in self.kind.knobs if k.kind == "range"},
        }  # fmt: skip

    def corner(self, case: Case) -> float:
        """Return where the handle stands: at the lower right of its row's box."""
        row = self.kind.handle[1]
        return round(self.layout.middle + self.layout.wide(case.stage(row).channels) / 2, 2)

    def _labels(self, knob: str) -> list[str]:
        found = next((k for k in self.kind.knobs if k.name == knob), None)
        return [f"{found.label} {label}" for label in found.labels] if found else [""]

    def _frame(self, case: Case, step: int) -> tuple[float, float]:
        """Left end and width of the frame round the present row's box."""
        row = min(step, self.whole - 1)
        stage = case.stage(row)
        if stage is None:
            wide, x = 40.0, self.layout.middle
        else:
            both = taken(case, stage)
            wide, x = self.layout.wide(max(stage.channels, both)), self.layout.x(case, row)
        return round(x - wide / 2 - 8, 1), round(wide + 16, 1)

    def _config(self) -> Any:
        """Numbers of the states, nested by slider."""
        if len(self.every) == 1:
            return 0
        numbers: list = list(range(len(self.every)))
        for knob in reversed(self.kind.knobs):
            size = len(knob.labels)
            numbers = [numbers[i : i + size] for i in range(0, len(numbers), size)]
        return numbers[0]


def _ink(fill: str) -> str:
    """The paint of a sign on a box that has run, or not yet."""
    return text_on(fill) if fill else "muted"
