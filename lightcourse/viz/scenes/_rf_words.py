"""What the receptive-field scene says: captions, code and replies, computed from the numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._rf_nets import Net, Stage

SHARES = (0.99, 0.95, 0.8, 0.5)  # of the influence; the views after the theory
HOLES, UNEVEN = 2.0, 1.25  # how much less a line counts than a line farther out
QUESTION_AFTER, MOST_OPTIONS = 4, 8


def squares(stage: Stage) -> list[tuple[np.ndarray, int]]:
    """Return, for each share, the smallest square round the middle unit that holds it.

    A square is (first input index on both axes, side), its side odd or even as the theory's is.
    """
    total = stage.heat.sum()
    if total == 0:  # nothing was measured: claim no more than the theory
        return [(stage.middle[:, 0], max(stage.size))] * len(SHARES)
    held = np.pad(stage.heat.cumsum(0).cumsum(1), ((1, 0), (1, 0)))  # above and left of a corner
    twice = stage.middle.sum(1)  # twice the centre
    parity = 1 - twice % 2
    sides = 2 * np.arange(stage.heat.shape[0] + 1)[:, None] + parity  # (squares, axes)
    first = np.ceil(twice / 2 - (sides - 1) / 2).astype(int)
    top, left = np.clip(first, 0, len(held) - 1).T
    bottom, right = np.clip(first + sides, 0, len(held) - 1).T
    masses = held[bottom, right] - held[top, right] - held[bottom, left] + held[top, left]
    least = [int(np.argmax(masses >= share * total - 1e-9)) for share in SHARES]
    return [(first[i], int(sides[i].max())) for i in least]


def inside(stage: Stage) -> tuple[int, int]:
    """Return how many rows and columns of the middle unit's field lie inside the picture."""
    size = stage.heat.shape[0]
    first, last = np.clip(stage.middle[:, 0], 0, None), np.clip(stage.middle[:, 1], None, size - 1)
    rows, columns = (last - first + 1).astype(int).tolist()
    return rows, columns


def theory_caption(net: Net, index: int) -> str:
    """Return the caption of the theoretical field of one layer."""
    stage = net.stages[index]
    side = stage.heat.shape[0]
    if index == 0:
        return f"Before any layer a unit is one pixel of the **{side}×{side}** picture."
    rows, columns = inside(stage)
    part, padding = rows * columns / side**2, 1 - rows * columns / (stage.size[0] * stage.size[1])
    grown = ""
    if stage.step:
        s = stage.step
        reach = f"({s.kernel} − 1)" + (f"·{s.dilation}" if s.dilation > 1 else "") + f"·{s.jump}"
        grown = f" = {s.size} + {reach}"
    apart = times(stage.jump)
    edge = f" **{_percent(padding)}** of the middle one's square is padding." if padding else ""
    return (
        f"After {_who(net, stage)} one unit sees **{by(stage.size)}** pixels{grown}:"
        f" {_percent(part)} of the picture. Neighbours look **{apart} px** apart.{edge}"
    )


def effective_caption(net: Net, index: int, share: int, side: int) -> str:
    """Return the caption of the effective field: which share of the influence comes from where."""
    stage = net.stages[index]
    if index == 0:
        return "Before any layer all of the influence comes from **one** pixel."
    if not stage.heat.any():
        return f"No gradient reaches the picture from {_who(net, stage)}, so nothing is measured."
    rows, columns = inside(stage)
    area = min(side, rows) * min(side, columns) / (rows * columns)
    return (
        f"**{SHARES[share]:.0%}** of the influence on {_who(net, stage)} comes from the middle"
        f" **{side}×{side}** of {by(stage.size)}: {_percent(area)} of the area. "
        f"{_verdict(net, stage)}"
    )


def _who(net: Net, stage: Stage) -> str:
    return f"**{short(stage.name, 28)}**" if net.measured else f"layer **{stage.number}**"


def _verdict(net: Net, stage: Stage) -> str:
    """One clause decided by the numbers: holes, uneven, even, or centred."""
    halves = _halves(stage)
    (top, bottom), (left, right) = halves
    dip = max(_dip(stage.heat.sum(1 - axis), *halves[axis]) for axis in (0, 1))
    if dip >= UNEVEN:
        less = f"{dip:.1f} times less than" if np.isfinite(dip) else "for nothing, unlike"
        what = "Holes" if dip >= HOLES else "Uneven"
        return f"{what}{_cause(net, stage)}: some lines of pixels count {less} lines farther out."
    heat = stage.heat[stage.heat > 0]
    if heat.max() < 1.01 * heat.min():
        return "Every pixel in it counts alike."
    part = stage.heat[top : bottom + 1, left : right + 1].sum() / stage.heat.sum()
    even = (bottom - top + 1) * (right - left + 1) / np.prod(inside(stage))
    middle = by((bottom - top + 1, right - left + 1))
    return f"Its middle {middle} carries {part:.0%}; evenly spread, it would be {even:.0%}."


def _dip(line: np.ndarray, first: int, last: int) -> float:
    """How many times less a line of the middle counts than the strongest one farther out."""
    centre = (first + last) / 2
    worst = 1.0
    for p in range(first, last + 1):
        outer = line[p + 1 :] if p >= centre else line[:p]
        strongest = outer.max(initial=0)
        if strongest > 0.1 * line.max():  # weaker ones are the noise of a measured tail
            worst = max(worst, strongest / line[p] if line[p] > 0 else np.inf)
    return worst


def _cause(net: Net, stage: Stage) -> str:
    """What leaves the holes, where the layers say so."""
    steps = [s.step for s in net.stages if s.step and s.number <= stage.number]
    causes = [
        name
        for name, found in (
            ("stride", any(step.stride > 1 for step in steps)),
            ("dilation", any(step.dilation > 1 for step in steps)),
        )
        if found
    ]
    return f" from {' and '.join(causes)}" if causes else ""


def _halves(stage: Stage) -> list[tuple[int, int]]:
    """First and last input index of the middle half of each side, inside the picture."""
    last = stage.heat.shape[0] - 1
    ends = []
    for low, high in stage.middle:
        cut = (high - low + 1) // 4
        ends.append((int(min(max(low + cut, 0), last)), int(max(min(high - cut, last), 0))))
    return ends


def _percent(part: float) -> str:
    return f"{part:.1%}" if 0 < part < 0.095 else f"{part:.0%}"


def by(pair: tuple[float, float]) -> str:
    """Return "rows×columns"."""
    return f"{pair[0]:g}×{pair[1]:g}"


def times(pair: tuple[float, float]) -> str:
    """Return one number where both axes agree, else "rows×columns"."""
    return f"{pair[0]:g}" if pair[0] == pair[1] else by(pair)


def short(name: str, most: int) -> str:
    """Return a dotted name cut at its front, at a dot, where it is longer than `most` letters.

    >>> short("features.10.conv.1.0", 18)
    '….10.conv.1.0'
    """
    if len(name) <= most:
        return name
    tail = name[1 - most :]
    return "…" + tail[max(0, tail.find(".")) :]


def code(net: Net, index: int) -> str:
    """Return the PyTorch line of a layer, and the recurrence with its numbers."""
    stage = net.stages[index]
    if not stage.step:
        return f"{stage.code}\n# sees {by(stage.size)}, jump {by(stage.jump)}, map {by(stage.map)}"
    s = stage.step
    return (
        f"x = {stage.code}(x)   # {by(stage.map)} map\n"
        f"size = {s.size} + ({s.kernel} - 1) * {s.dilation} * {s.jump}   # {stage.size[0]}: "
        "size + (kernel - 1) * dilation * jump\n"
        f"jump = {s.jump} * {s.stride}   # {stage.jump[0]}: jump * stride, for the next layer"
    )


def question(nets: Sequence[Net]) -> dict[str, Any] | None:
    """Return the prediction: the field after some layers, with the replies the mistakes deserve.

    None where no recurrence can be followed by hand (an `nn.Module`, layers left out).
    """
    depth = min(QUESTION_AFTER, *(len(net.stages) - 1 for net in nets))
    layers = [net.stages[1 : depth + 1] for net in nets]
    if depth < 2 or any(
        s.step is None or s.number != i for n in layers for i, s in enumerate(n, 1)
    ):
        return None
    truths = [net.stages[depth].size[0] for net in nets]
    slips: dict[int, dict[str, list[str]]] = {}  # value -> reason -> networks it applies to
    for net, chain, truth in zip(nets, layers, truths, strict=True):
        for value, reason in mistakes(chain).items():
            if value != truth:
                slips.setdefault(value, {}).setdefault(reason, []).append(net.name)
    spare = [v for v in slips if v not in truths][: max(0, MOST_OPTIONS - len(set(truths)))]
    options = sorted({*truths, *spare})
    if len(options) < 2:
        return None
    return {
        "q": f"How many pixels, from side to side, does one unit see after layer {depth}?",
        "options": [f"{v} px" for v in options],
        "answers": [options.index(t) for t in truths],
        "replies": [_reply(v, nets, truths, slips.get(v, {})) for v in options],
        "param": "layer",
        "from": depth,
    }


def _reply(
    value: int, nets: Sequence[Net], truths: Sequence[int], slips: dict[str, list[str]]
) -> str:
    """Which networks see this much, and which slip leads to it for which others."""
    right = [net.name for net, truth in zip(nets, truths, strict=True) if truth == value]
    parts = [f"{value} px is right for {_listed(right)}."] if right else []
    for reason, names in slips.items():
        parts.append(f"For {_listed(names)} it {reason}" if len(nets) > 1 else f"It {reason}")
    return " ".join(parts)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def mistakes(layers: Sequence[Stage]) -> dict[int, str]:
    """Return the sizes that the usual slips give, each with the words that name the slip."""
    steps = [s.step for s in layers if s.step]
    found = (
        (1 + sum((s.kernel - 1) * s.dilation for s in steps),
         "forgets the jump: after a stride, later layers grow in larger steps."),
        (1 + sum((s.kernel - 1) * s.jump for s in steps),
         "forgets the dilation, which spreads the taps of a kernel apart."),
        (1 + sum(s.kernel * s.dilation * s.jump for s in steps),
         "adds k a layer, but a kernel of k adds k − 1: its middle pixel is counted already."),
        (1 + sum((s.kernel - 1) * s.dilation * s.jump * s.stride for s in steps),
         "uses a stride one layer too early: it changes the jump of the next layer."),
        (int(np.prod([s.kernel for s in steps])), "multiplies the kernels, but fields add up."),
    )  # fmt: skip
    values: dict[int, str] = {}
    for value, reason in found:  # of two slips with one value, the more usual stands first
        values.setdefault(value, reason)
    return values
