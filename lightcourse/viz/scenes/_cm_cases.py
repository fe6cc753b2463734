"""Which networks, sizes and batches the cost microscope can be set to, each analysed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from lightcourse.errors import UserError

from ._cm_costs import Case, Cost, case_of

WIDTHS = (0.5, 0.75, 1.0, 1.4)  # of MobileNetV2; table 4 of the paper and its README
SIZES = (128, 160, 224)  # px
BATCHES = (1, 4, 16)
MOST_NETS, MOST_PLACES = 6, 12
LARGEST = 4096  # px

Place = tuple[int, int, int]  # variant, size, batch


@dataclass
class Found:
    """What was found while cases were run."""

    cases: dict[Place, Case] = field(default_factory=dict)
    reasons: dict[Place, str] = field(default_factory=dict)  # also of channels that did not fit
    channels: dict[Place, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """Every case of the scene: variants (widths or networks) × sizes × batches."""

    variants: tuple[str, ...]
    sizes: tuple[int, ...]
    batches: tuple[int, ...]
    cases: Mapping[Place, Case]
    start: Place
    widths: tuple[float, ...] = ()
    reasons: Mapping[Place, str] = field(default_factory=dict)  # why a case is missing
    inputs: tuple[str, ...] = ()  # shapes of given reports
    channels: Mapping[Place, int] = field(default_factory=dict)  # of the input, where known

    @property
    def places(self) -> list[Place]:
        """Every place, also those without a case."""
        v, s, b = (range(len(axis)) for axis in (self.variants, self.sizes, self.batches))
        return [(i, j, k) for i in v for j in s for k in b]

    def names(self, fold: int, variant: int) -> list[str]:
        """Return the names of a variant's rows: all that occur at any size, in order."""
        cases = [case for place, case in self.cases.items() if place[0] == variant]
        return list(dict.fromkeys(row.name for case in cases for row in case.rows(fold)))

    def rows(self, fold: int, place: Place) -> list[Cost]:
        """Return a case's rows in the order of `names`; empty ones where it has no such row."""
        case = self.cases.get(place)
        held = {row.name: row for row in case.rows(fold)} if case else {}
        return [held.get(name) or Cost(name) for name in self.names(fold, place[0])]

    def total(self, place: Place) -> Cost:
        """Return what a whole network costs; nothing where it does not run."""
        case = self.cases.get(place)
        return case.total if case else Cost("")

    def smaller(self) -> "Study | None":
        """Return the study without its largest batch or smallest size; None where neither goes."""
        size, batch = int(len(self.batches) == 1), len(self.batches) - 1
        if size and len(self.sizes) == 1:
            return None

        def kept(found: Mapping[Place, Any]) -> dict[Place, Any]:
            last = batch or 1
            return {(v, s - size, b): x for (v, s, b), x in found.items() if s >= size and b < last}

        if (0, self.start[1] - size, 0) not in kept(self.cases):
            return None
        return replace(
            self,
            sizes=self.sizes[size:],
            batches=self.batches[: batch or 1],
            cases=kept(self.cases),
            reasons=kept(self.reasons),
            channels=kept(self.channels),
            start=(self.start[0], self.start[1] - size, 0),
        )

    @property
    def folded(self) -> bool:
        """Whether some row stands for several layers."""
        return any(case.folded for case in self.cases.values())

    @property
    def most(self) -> int:
        """The largest number of rows."""
        return max(len(self.names(f, v)) for f in (0, 1) for v in range(len(self.variants)))

    def largest(self, measure: str, schedule: int) -> int:
        """The largest total of a measure over all cases."""
        return max(case.total.value(measure, schedule) for case in self.cases.values())

    def title(self, place: Place) -> str:
        """Name a case in few words."""
        variant, size, batch = place
        parts = [self.variants[variant]]
        parts[0] = f"MobileNetV2 α {parts[0]}" if self.widths else parts[0]
        if self.inputs:
            return f"{parts[0]}, input {self.inputs[variant]}" if self.inputs[variant] else parts[0]
        parts.append(f"{self.sizes[size]} px")
        if len(self.batches) > 1:
            parts.append(f"batch {self.batches[batch]}")
        return ", ".join(parts)


def study_of(model: Any, size: Any) -> Study:
    """Analyse what is asked for: None, a module, a report, or a dictionary of these.

    Raises:
        UserError: nothing to show, or nothing that runs.
    """
    from torch import nn

    from lightcourse.analysis.report import Report

    if model is None:
        return _default(_sizes(size, SIZES))
    nets = dict(model) if isinstance(model, Mapping) else {"": model}
    wrong = [n for n in nets.values() if not isinstance(n, (nn.Module, Report))]
    if wrong:
        raise UserError(
            f"cannot put {type(wrong[0]).__name__} under the microscope; give an nn.Module, a "
            "report of lightcourse.analyze, or a dictionary from names to these."
        )
    if not 1 <= len(nets) <= MOST_NETS:
        raise UserError(f"cannot draw {len(nets)} networks; give 1 to {MOST_NETS}.")
    if any(isinstance(net, Report) for net in nets.values()):
        return _reported(nets, size)
    return _analysed(nets, _sizes(size, None))


def _sizes(size: Any, usual: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the sides to choose from, smallest first; one number gives a ladder up to it."""
    if size is None:
        return usual or SIZES
    given = [size] if isinstance(size, int) else list(size) if isinstance(size, Sequence) else []
    if not given or not all(
        isinstance(s, int) and not isinstance(s, bool) and 1 <= s <= LARGEST for s in given
    ):
        raise UserError(
            f"cannot use the size {size!r}; give one whole number of pixels, or a few, from 1 to "
            f"{LARGEST}."
        )
    if len(given) == 1:  # and two smaller ones, which strides divide as they divide this one
        side = given[0]
        base = next(b for b in (32, 8, 1) if side % b == 0 and (side > 2 * b or b == 1))
        given += [round(side * part / base) * base for part in (4 / 7, 5 / 7)]
    return tuple(sorted({s for s in given if s > 0}))


@cache
def _default(sizes: tuple[int, ...]) -> Study:
    """MobileNetV2 at a few widths."""
    import torch

    from lightcourse.models import create_model

    with torch.random.fork_rng(devices=[]):  # building draws weights
        nets = {f"{w}": create_model("mobilenet_v2", width_mult=w) for w in WIDTHS}
    found = _run(list(nets.values()), sizes, (1,))
    return _study(found, tuple(nets), sizes, (1,), variant=WIDTHS.index(1.0), widths=WIDTHS)


def _analysed(nets: Mapping[Any, Any], sizes: tuple[int, ...]) -> Study:
    named = {str(key) or type(net).__name__: net for key, net in nets.items()}
    room = MOST_PLACES // len(named)
    sizes = sizes[-room:]  # the largest
    batches = BATCHES[: max(1, room // len(sizes))]
    return _study(_run(list(named.values()), sizes, batches), tuple(named), sizes, batches)


def _run(nets: Sequence[Any], sizes: Sequence[int], batches: Sequence[int]) -> Found:
    """Analyse every network at every size; keep the reason where one does not run."""
    found = Found()
    for v, net in enumerate(nets):
        for s, side in enumerate(sizes):
            for b, batch in enumerate(batches):
                _run_one(net, (v, s, b), side, batch, found)
    return found


def _run_one(net: Any, place: Place, side: int, batch: int, found: Found) -> None:
    from lightcourse.analysis import analyze

    for channels in _channels(net):
        try:
            report = analyze(net, (batch, channels, side, side))
        except UserError as error:
            found.reasons.setdefault(place, str(error))
        else:
            found.cases[place] = case_of(report)
            found.channels[place] = channels
            return


def _channels(net: Any) -> list[int]:
    """Return the numbers of input channels to try: those that the first layers ask for."""
    asked = [getattr(module, "in_channels", None) for module in net.modules()]
    return [c for c in dict.fromkeys([*asked[:9], 3, 1]) if isinstance(c, int)][:4]


def _reported(nets: Mapping[Any, Any], size: Any) -> Study:
    """Given reports stand for themselves; modules beside them are analysed at one size."""
    from torch import nn

    sizes = _sizes(size, (224,))[-1:]
    named = {str(key) or getattr(net, "name", "network"): net for key, net in nets.items()}
    found = Found()
    inputs = []
    for v, net in enumerate(named.values()):
        if isinstance(net, nn.Module):
            _run_one(net, (v, 0, 0), sizes[0], 1, found)
            inputs.append(f"{sizes[0]} px")
        else:
            found.cases[v, 0, 0] = case_of(net)
            inputs.append(" and ".join("×".join(map(str, shape)) for shape in net.input_shapes))
    return _study(found, tuple(named), sizes, (1,), inputs=tuple(inputs))


def _study(
    found: Found,
    variants: tuple[str, ...],
    sizes: tuple[int, ...],
    batches: tuple[int, ...],
    variant: int = 0,
    **more: Any,
) -> Study:
    """Put a study together; every network must run somewhere and cost something."""
    cases, reasons = found.cases, found.reasons
    for v, name in enumerate(variants):
        if not any(place[0] == v for place in cases):
            raise UserError(f"{name} runs at no size of {sizes}. {next(iter(reasons.values()))}")
        if not any(c.blocks and c.kinds for p, c in cases.items() if p[0] == v):
            raise UserError(f"{name} computes nothing and moves nothing: there is no cost to draw.")
    start = max(place for place in cases if place[0] == variant and place[2] == 0)
    return Study(
        variants, sizes, batches, cases, start, reasons=reasons, channels=found.channels, **more
    )
