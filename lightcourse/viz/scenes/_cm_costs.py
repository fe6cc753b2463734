"""What the cost microscope counts: one report folded into few rows, by module or by kind."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightcourse.analysis.report import Report

MOST_ROWS = 22
MEASURES = ("params", "macs", "moved", "alive")


@dataclass(frozen=True)
class Cost:
    """One row: counts, bytes moved, and the most bytes alive while it runs; (eager, fused)."""

    name: str
    params: int = 0
    macs: int = 0
    moved: tuple[int, int] = (0, 0)
    alive: tuple[int, int] = (0, 0)

    def value(self, measure: str, schedule: int) -> int:
        """Return one measure; the schedule, 0 eager or 1 fused, matters only to bytes."""
        found = getattr(self, measure)
        return found if isinstance(found, int) else found[schedule]

    def intensity(self, schedule: int) -> float:
        """FLOPs per byte moved, 2 · macs / bytes; 0 where nothing is moved."""
        return 2 * self.macs / self.moved[schedule] if self.moved[schedule] else 0.0


@dataclass(frozen=True)
class Case:
    """One network at one size: its total, its rows by module and by kind, and its leaves."""

    total: Cost
    blocks: tuple[Cost, ...]
    kinds: tuple[Cost, ...]
    leaves: tuple[Cost, ...]  # what runs by itself: these bound the time
    unknown: tuple[str, ...] = ()  # operators without a formula: the MACs are a lower bound

    @property
    def folded(self) -> bool:
        """Whether a row of `blocks` stands for several leaves."""
        return len(self.blocks) < len(self.leaves)

    def rows(self, fold: int) -> tuple[Cost, ...]:
        """Return the rows by module (0) or by kind (1)."""
        return self.kinds if fold else self.blocks


def case_of(report: "Report", most: int = MOST_ROWS) -> Case:
    """Fold a report into at most `most` rows, by module and by kind of operator."""
    leaves, kinds = _leaves(report), _kinds(report)
    names = _fold([leaf.name for leaf in leaves], most)
    total = _sum(report.name, leaves)
    return Case(
        total=Cost(report.name, report.params, report.macs, total.moved, total.alive),
        blocks=_grouped(leaves, names.__getitem__),
        kinds=_cut(kinds, most),
        leaves=tuple(leaves),
        unknown=tuple(op.name for op in report.unknown),
    )


def _by_op(report: "Report") -> list[Cost]:
    """Cost of each operator without its parameters; kept for both schedules."""
    from lightcourse.analysis._kinds import kind_name
    from lightcourse.analysis.cost import count
    from lightcourse.analysis.memory import SCHEDULES, count_access

    recorded = report._trace
    moved = [[a.total for a in count_access(recorded, s)] for s in SCHEDULES]
    live = [report.timeline(s).live for s in SCHEDULES]
    return [
        Cost(kind_name(op, recorded), 0, macs or 0, (moved[0][i], moved[1][i]),
             (live[0][i], live[1][i]))
        for i, (op, macs) in enumerate(zip(recorded.ops, count(recorded), strict=True))
    ]  # fmt: skip


def _leaves(report: "Report") -> list[Cost]:
    """Layers of the report in order, and the copies that belong to none of them."""
    recorded, costs = report._trace, _by_op(report)
    loose = set(range(len(costs)))
    placed: list[tuple[int, Cost]] = []
    for layer, row in zip(report.layers, recorded.rows, strict=True):
        loose -= set(row.ops)
        whole = _sum(layer.name, (costs[i] for i in row.ops))
        first = row.ops[0] if row.ops else -1
        if layer.params or any(whole.value(m, 0) for m in MEASURES):
            cost = Cost(layer.name, layer.params, whole.macs, whole.moved, whole.alive)
            placed.append((first, cost))
    for i in sorted(loose):
        if costs[i].macs or costs[i].moved[0]:
            op = recorded.ops[i]
            placed.append((i, replace(costs[i], name=f"{op.module}.{op.name}".lstrip("."))))
    return [cost for _, cost in sorted(placed, key=lambda pair: pair[0])]


def _kinds(report: "Report") -> list[Cost]:
    """One row a kind of operator, in the order of the network; parameters as the report has."""
    sums = _grouped(_by_op(report), lambda name: name)
    params = {share.kind: share.params for share in report.by_kind()}
    return [
        Cost(_kind(s.name), params[s.name], s.macs, s.moved, s.alive)
        for s in sums
        if s.name in params
    ]


def _kind(name: str) -> str:
    """Shorten the name of a kind; a convolution of all channels needs a name of its own."""
    return "standard conv" if name == "convolution" else name.replace("convolution", "conv")


def _fold(names: list[str], most: int) -> dict[str, str]:
    """Return the row of each leaf: modules, opened from the largest on while there is room.

    A module with a sixth of the leaves or less stays closed, so that like stands beside like.
    """
    unique = list(dict.fromkeys(names))
    if len(unique) <= most:
        return {name: name for name in unique}
    groups = _opened("", unique)
    while True:
        largest = max(groups, key=lambda g: len(groups[g]))
        if 6 * len(groups[largest]) <= len(unique) or largest in groups[largest]:
            break
        parts, room = _opened(largest, groups[largest]), most + 1 - len(groups)
        if len(parts) > room:
            if 2 * len(groups) > most or "…" in largest:
                break
            parts = _runs(parts, room)
        groups = {
            name: held
            for g in groups
            for name, held in (parts if g == largest else {g: groups[g]}).items()
        }
    labels = {(m[0] if len(m) == 1 else g): m for g, m in _runs(groups, most).items()}
    return {name: label for label, members in labels.items() for name in members}


def _opened(module: str, names: Iterable[str]) -> dict[str, list[str]]:
    """Group dotted names by the part that follows the name of their module."""
    found: dict[str, list[str]] = {}
    skip = len(module) + 1 if module else 0
    for name in names:
        found.setdefault(name[:skip] + name[skip:].partition(".")[0], []).append(name)
    return found


def _runs(groups: dict[str, list[str]], most: int) -> dict[str, list[str]]:
    """Join neighbours where there are still too many groups: "4 … 7"."""
    size = -(-len(groups) // most)
    if size == 1:
        return groups
    keys = list(groups)
    runs = [keys[i : i + size] for i in range(0, len(keys), size)]
    return {
        run[0] if len(run) == 1 else f"{run[0]} … {run[-1]}": [n for g in run for n in groups[g]]
        for run in runs
    }


def _grouped(costs: Iterable[Cost], label: Callable[[str], str]) -> tuple[Cost, ...]:
    """Add up costs by the label of their name, in order of first appearance."""
    found: dict[str, list[Cost]] = {}
    for cost in costs:
        found.setdefault(label(cost.name), []).append(cost)
    return tuple(_sum(name, members) for name, members in found.items())


def _sum(name: str, costs: Iterable[Cost]) -> Cost:
    """Add up counts and bytes moved; of what is alive, keep the most."""
    held = list(costs)
    return Cost(
        name,
        sum(c.params for c in held),
        sum(c.macs for c in held),
        (sum(c.moved[0] for c in held), sum(c.moved[1] for c in held)),
        (max((c.alive[0] for c in held), default=0), max((c.alive[1] for c in held), default=0)),
    )


def _cut(rows: list[Cost], most: int) -> tuple[Cost, ...]:
    """Keep the rows that move the most and add up the others, where there are too many."""
    if len(rows) <= most:
        return tuple(rows)
    kept = sorted(rows, key=lambda r: -r.moved[0])[: most - 1]
    rest = [r for r in rows if r not in kept]
    return (*(r for r in rows if r in kept), _sum(f"{len(rest)} other kinds", rest))
