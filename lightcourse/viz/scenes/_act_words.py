"""What the activation scene says: captions, facts, code and question, from the current numbers."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..scene import J, L
from ._act_functions import EXP, PIECES, REFERENCES, Function
from ._act_numbers import LEVELS, MEANS, SIGMAS, SPREADS

if TYPE_CHECKING:
    from ._act_view import View

STEPS = ("the function", "push through", "8 bits")
LABELS = (
    ("cost", "least output", "largest f′", "apart"),
    ("slope 0", "mean slope", "mean", "deviation"),
    ("highest", "one step", "mean error", ""),
)
COST = {
    PIECES: "Straight pieces, **no exponential**: comparing, multiplying, adding will do.",
    EXP: "Each value needs an **exponential**.",
    "erf": "Each value needs the **error function**, an integral of an exponential.",
    "exp, log": "Each value needs an **exponential** and a **logarithm**, then a tanh.",
    "no exp": "It ran without an exponential or any of its kin.",
}
CURVED = "Two lines and a parabola, **no exponential**: comparing, multiplying, adding will do."
BOUNDS = (0.0, 0.25, 0.75)  # between the answers of the question
ANSWERS = ("none", "some, up to a quarter", "a quarter to three quarters", "more")
STATE = ("mu", "sigma")


def number(value: float, digits: int = 2) -> str:
    """A value in few characters.

    >>> number(-0.4), number(2.0), number(0.1422776, 4)
    ('−0.4', '2', '0.1423')
    """
    if abs(value) >= 100:
        return fixed(value)
    text = f"{abs(value):.{digits}f}"
    text = text.rstrip("0").rstrip(".") if digits else text
    return f"−{text}" if value < 0 and text.strip("0.") else text


def tick(value: float) -> str:
    """A round value beside an axis.

    >>> tick(0.5), tick(-2e6), tick(0.001), tick(0)
    ('0.5', '−2e6', '1e-3', '0')
    """
    usual = value == 0 or 0.01 <= abs(value) < 1e4
    text = f"{value:g}" if usual else f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-")
    return f"−{text[1:]}" if text.startswith("-") else text


def fixed(value: float, digits: int = 2) -> str:
    """A value with all its digits, so that nothing jumps while one drags; large ones have fewer.

    >>> fixed(-0.4), fixed(-0.001), fixed(1234.5), fixed(2.3e7)
    ('−0.40', '0.00', '1234', '2e7')
    """
    if abs(value) >= 100:
        return tick(round(value) if abs(value) < 1e4 else value)
    text = f"{abs(value):.{digits}f}"
    return f"−{text}" if value < 0 and text.strip("0.") else text


def short(value: float) -> float | str:
    """A value above 0, as a number where that is short: it takes less room in the tables."""
    return round(value, 2) if value < 100 else fixed(value)


def percent(part: float) -> str:
    """A share; exactly 0 and 1 only where they are exact.

    >>> percent(0.5), percent(0), percent(1e-9), percent(0.02275), percent(1 - 1e-9)
    ('50 %', '0 %', '<0.1 %', '2.3 %', '>99.9 %')
    """
    if 0 < part < 0.0005:
        return "<0.1 %"
    if 0.9995 <= part < 1:
        return ">99.9 %"
    return f"{number(100 * part, 1)} %"


def signs(value: float) -> str:
    """A step of int8 or an error, to three digits.

    >>> signs(0.05882), signs(0.00392), signs(0.0)
    ('0.0588', '0.0039', '0')
    """
    if value < 1e-7:
        return "0"
    return f"{value:.4f}" if 0.0001 <= value < 1 else f"{value:.2g}".replace("e-0", "e-")


def flat(function: Function) -> str:
    """Where the slope is exactly 0."""

    def stretch(low: float, high: float) -> str:
        if math.isinf(low):
            return "everywhere" if math.isinf(high) else f"below {number(high)}"
        if math.isinf(high):
            return f"above {number(low)}"
        return f"from {number(low)} to {number(high)}"

    zones = function.zones
    if not zones:
        return "Nowhere does its slope stay 0."
    named = " and ".join(stretch(*zone) for zone in zones[:3])
    more = f" and in {len(zones) - 3} more places" if len(zones) > 3 else ""
    return f"Its slope is **0** {named}{more}."


def opening(function: Function) -> str:
    """What the first step says of a function."""
    cost = CURVED if function.name == "h-swish" else COST[function.cost]
    return f"**{function.name}**. {cost} {flat(function)}"


def beside(name: str, other: str, gap: float, places: Sequence[float]) -> str:
    """How far a function is from the one beside it."""
    if name == other:
        return f" Beside it: {other} itself."
    if gap < 1e-9:
        return f" It is {other}, to the last digit."
    at = " and ".join(number(x) for x in places[:2])
    return f" From {other} it is at most **{fixed(gap, 4)}** apart here, at x = {at}."


def tables(view: "View") -> dict[str, Any]:
    """Return the tables of all words."""
    functions, count = view.functions, len(view.functions)
    p, none = view.pushed, len(MEANS)
    rivals = [1 if f.name == "ReLU" else 0 for f in functions]
    late = range(1, 3)  # the steps in which inputs are pushed through
    return {
        "only": [[*range(count)], [count] * count, [count] * count],
        "is": [[int(step == k) for step in range(3)] for k in range(3)],
        "flight": [[count] * count, *([[*range(count)]] * len(late))],
        "mu_in": [[[m if step == k else none for m in range(none)] for step in range(3)]
                  for k in late],
        "rival": rivals,
        "dead_row": view.dead_row,
        "step": list(STEPS),
        "formula": [f"{f.name} = {f.formula}" for f in functions],
        "mu_s": [*(number(mu) for mu in MEANS), ""], "sigma_s": [number(s) for s in SPREADS],
        "dead_s": view.dead_rows(percent, ""),
        "mean_s": view.each(lambda f, m, s: fixed(p[f].mean[m, s]), ""),
        "dev_s": view.each(lambda f, m, s: short(p[f].deviation[m, s]), ""),
        "slope_s": view.each(lambda f, m, s: short(p[f].slope[m, s]), ""),
        "high_s": view.each(lambda f, m, s: short(p[f].high[m, s]), ""),
        "step_s": view.each(lambda f, m, s: signs(p[f].step[m, s]), ""),
        "error_s": view.each(lambda f, m, s: signs(p[f].error[m, s]), ""),
        "fact": [list(labels) for labels in LABELS],
        "rival_s": [f"{functions[r].name}: a step" for r in rivals],
        **_first(view),
        **_sentences(view),
        "code_f": [f.code for f in functions],
        "code_more": list(CODE),
        "answers": view.dead_rows(answer),
    }  # fmt: skip


def _first(view: "View") -> dict[str, Any]:
    """Facts of the first step, blank in the others: [function or none][beside]."""
    functions, columns = view.functions, range(len(REFERENCES))
    ends = [view.extremes(i) for i in range(len(functions))]
    least, most = ([number(v, 3) for v in row] for row in zip(*ends, strict=True))
    gaps = [[view.gap(i, g) for g in columns] for i in range(len(functions))]
    return {
        "cost_s": [*(f.cost for f in functions), ""],
        "least_s": [*least, ""],
        "most_s": [*most, ""],
        "gap_s": [*(["–", *(fixed(gap, 4) for gap, _ in row)] for row in gaps),
                  [""] * (len(REFERENCES) + 1)],
        "opening": [*(opening(f) for f in functions), ""],
        "gap_said": [
            *(["", *(beside(f.name, other, *gap)
                     for other, gap in zip(REFERENCES, row, strict=True))]
              for f, row in zip(functions, gaps, strict=True)),
            [""] * (len(REFERENCES) + 1),
        ],
    }  # fmt: skip


def _sentences(view: "View") -> dict[str, Any]:
    """Parts of the captions of the later steps, each blank in the other steps."""
    rest = len(view.functions) - 2
    return {
        "inputs": [["", "Inputs around µ = "], ["", " with σ = "], ["", ": **"]],
        "sigma_now": [[""] * len(SPREADS), [number(s) for s in SPREADS]],
        "w_dead": ["", "** of them meet slope 0 and send no gradient back; the mean slope is **"],
        "w_mean": ["", "**. The outputs have mean **"],
        "w_dev": ["", "** and deviation **"],
        "w_end": ["", "**."],
        "w_high": ["", f"{LEVELS} steps cover all outputs of inputs within µ ± {SIGMAS:.0f}σ, up"
                   " to "],
        "w_step": ["", ": one step is **"],
        "w_error": ["", "**, and rounding moves an output by **"],
        "w_rival": [[""] * (rest + 2),
                    [f"** on average. {n}'s steps: **" for n in ["ReLU6"] + ["ReLU"] * (rest + 1)]],
    }  # fmt: skip


def caption() -> dict[str, Any]:
    """Return the caption: only the parts of the present step have words."""
    one, two = ("mu1", "sigma"), ("mu2", "sigma")
    return J(
        L("opening", "zero"), L("gap_said", "zero", "g"),
        L("inputs", 0, "at1"), L("mu_s", "mu1"), L("inputs", 1, "at1"),
        L("sigma_now", "at1", "sigma"), L("inputs", 2, "at1"), L("dead_s", "dead", *one),
        L("w_dead", "at1"), L("slope_s", "f", *one), L("w_mean", "at1"),
        L("mean_s", "f", *one), L("w_dev", "at1"), L("dev_s", "f", *one), L("w_end", "at1"),
        L("w_high", "at2"), L("high_s", "f", *two), L("w_step", "at2"), L("step_s", "f", *two),
        L("w_error", "at2"), L("error_s", "f", *two), L("w_rival", "at2", "f"),
        L("step_s", "rival", *two), L("w_end", "at2"),
    )  # fmt: skip


CODE = (
    "",
    "\ny.sum().backward()\nprint((x.grad == 0).float().mean(), x.grad.abs().mean())"
    "\nprint(y.mean(), y.std())",
    "\nlow, high = min(0.0, y.min().item()), max(0.0, y.max().item())"
    f"\nstep = (high - low) / {LEVELS}"
    "\nq = torch.fake_quantize_per_tensor_affine(y, step, round(-low / step), 0, 255)"
    "\nprint(step, (q - y).abs().mean())",
)


def code() -> dict[str, Any]:
    """Return the PyTorch lines: a hundred thousand inputs go the same way."""
    return J("x = (", L("code_mu", "mu"), " + ", L("sigma_s", "sigma"),
             " * torch.randn(100_000)).requires_grad_()\ny = ", L("code_f", "f"),
             L("code_more", "step"))  # fmt: skip


def answer(dead: float) -> int:
    """Return which answer of the question holds for a share without slope.

    >>> [ANSWERS[answer(p)] for p in (0, 0.5, 0.8)]
    ['none', 'a quarter to three quarters', 'more']
    """
    return int(np.searchsorted(BOUNDS, dead, side="left"))


def question() -> dict[str, Any]:
    """Return the prediction: how many of the inputs meet a slope of exactly 0."""
    return {
        "q": "The inputs stand below, the slope above them. How many of them meet a slope of"
        " exactly 0?",
        "options": list(ANSWERS),
        "answer": L("answers", "dead", *STATE),
        "replies": [
            "None do where the slope only comes near 0, or where no stretch is flat.",
            "Up to a quarter: only a tail of the inputs lies where the slope is 0.",
            "Compare the red bars with all the bars: that is their share.",
            "More than three quarters: nearly all the inputs lie where the slope is 0.",
        ],
        "param": "step",
        "from": 1,
    }
