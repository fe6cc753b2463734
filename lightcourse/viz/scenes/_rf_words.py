"""What the receptive-field scene says: captions and replies, computed from the numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._rf_nets import SHARES, Stage

HOLES = 3.0  # the strongest pixel of the middle over the weakest: above this the field has holes


def sides(heat: np.ndarray) -> list[int]:
    """Return, for each share, the side of the smallest square round the middle that holds it."""
    middle = heat.shape[0] // 2
    masses = []
    for reach in range(heat.shape[0]):
        low, high = max(0, middle - reach), middle + reach + 1
        masses.append(heat[low:high, low:high].sum())
    return [2 * int(np.argmax(np.array(masses) >= s - 1e-9)) + 1 for s in SHARES]


def theory_caption(stages: Sequence[Stage], index: int) -> str:
    """Return the caption of the theoretical field of one layer."""
    stage = stages[index]
    side = stage.heat.shape[0]
    if index == 0:
        return f"Before any layer a unit is one pixel of the **{side}×{side}** picture. Press play."
    part = min(stage.size[0], side) * min(stage.size[1], side) / side**2
    grown = ""
    if stage.growth:
        grown = f" It grew by {stage.growth[0]} steps of {stage.growth[1]} px."
    apart = "×".join(str(j) for j in dict.fromkeys(stage.jump))
    return (
        f"After layer **{index}** one unit sees **{_by(stage.size)}** input pixels,"
        f" {_percent(part)} of the picture.{grown} Neighbours stand **{apart} px** apart,"
        f" the map is {_by(stage.map)}."
    )


def effective_caption(stage: Stage, index: int, share: int, side: int) -> str:
    """Return the caption of the effective field: which share of the influence comes from where."""
    if index == 0:
        return "Before any layer all of the influence comes from **one** pixel."
    size = stage.heat.shape[0]
    seen = min(stage.size[0], size) * min(stage.size[1], size)
    return (
        f"Layer {index}: theory says **{_by(stage.size)}**, but {SHARES[share]:.0%} of the"
        f" influence comes from the middle **{side}×{side}**, {min(1, side**2 / seen):.0%} of the"
        f" area it can see. {_verdict(stage)}"
    )


def _verdict(stage: Stage) -> str:
    """One clause decided by the numbers: even, full of holes, or centred."""
    size = stage.heat.shape[0]
    line = stage.heat.sum(0)
    reach = min(stage.size[1], size) // 2
    middle = line[max(0, size // 2 - reach // 2) : size // 2 + reach // 2 + 1]
    if reach < 2:
        return "Every pixel in it counts alike."
    if middle.max() > HOLES * max(middle.min(), 1e-12):
        return "It is full of holes: a stride or a dilation skips pixels."
    rows = slice(max(0, size // 2 - reach // 2), size // 2 + reach // 2 + 1)
    return f"The middle half of each side carries {stage.heat[rows, rows].sum():.0%}."


def _percent(part: float) -> str:
    return f"{part:.1%}" if part < 0.095 else f"{part:.0%}"


def _by(pair: tuple[int, int]) -> str:
    return f"{pair[0]}×{pair[1]}"


def code(stages: Sequence[Stage], index: int) -> str:
    """Return the PyTorch line of a layer, and the recurrence with its numbers."""
    stage = stages[index]
    if not stage.growth:
        return stage.code
    steps, jump = stage.growth
    before = stages[index - 1].size[0]
    return (
        f"x = {stage.code}(x)\n"
        f"size = {before} + {steps} * {jump}   # = {stage.size[0]}, by (k - 1) * dilation * jump\n"
        f"jump = {jump} * {stage.jump[0] // jump}   # = {stage.jump[0]}, from the next layer on"
    )


def question(nets: Sequence[Sequence[Stage]], names: Sequence[str]) -> dict[str, Any] | None:
    """Return the prediction: the field after some layers, with the replies the mistakes deserve.

    None when a network has no recurrence to predict from (an `nn.Module`), or only one answer.
    """
    depth = min(4, *(len(stages) - 1 for stages in nets))
    if depth < 2 or any(s.growth is None for stages in nets for s in stages[1:]):
        return None
    truths = [stages[depth].size[0] for stages in nets]
    replies: dict[int, list[str]] = {}
    for name, truth in zip(names, truths, strict=True):
        replies.setdefault(truth, []).append(f"{truth} px is what {name} sees.")
    for stages in nets:
        for value, reason in _mistakes(stages[1 : depth + 1]).items():
            if reason not in replies.setdefault(value, []) and value not in truths:
                replies[value].append(reason)
    options = sorted(value for value in replies if replies[value])[:8]
    options = sorted({*options, *truths})
    if len(options) < 2:
        return None
    return {
        "q": f"How many pixels, from side to side, does one unit see after layer {depth}?",
        "options": [f"{v} px" for v in options],
        "answers": [options.index(t) for t in truths],
        "replies": [" ".join(replies[v]) for v in options],
        "param": "layer",
        "from": depth,
    }


def _mistakes(layers: Sequence[Stage]) -> dict[int, str]:
    """The sizes that the usual slips give, each with the sentence that names the slip."""
    pairs = [stage.growth or (0, 1) for stage in layers]
    return {
        1 + sum(steps for steps, _ in pairs): "That forgets the jump: a stride makes every later "
        "layer grow faster.",
        sum(steps + 1 for steps, _ in pairs): "That adds whole kernels: a kernel of k adds k − 1, "
        "for the middle pixel is already counted.",
        1 + 2 * len(pairs): "That counts every layer as a plain 3×3.",
    }
