"""The variants of a comparison: what they are made of, what they cost, and whether that is fair."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from lightcourse.analysis import analyze
from lightcourse.errors import UserError
from lightcourse.training._exp_worker import reason

BUDGETS = ("macs", "params", "time", None)
TOLERANCE = {"macs": 0.05, "params": 0.05, "time": 0.25}
_WORDS = {"macs": "MACs", "params": "parameters", "time": "CPU seconds per step"}
_CALL = "its function is called without arguments and returns a network"
_IMAGES, _ROUNDS = 16, 7  # of a timed training step


@dataclass(frozen=True)
class Variant:
    """One side of a comparison, where a function that builds the network does not say it all.

    `build` takes no arguments and returns a fresh network. `splits` and `fit` replace the data and
    single fit settings of the experiment for this variant. `x` is its place on the figure's axis
    and `line` the name of the line it belongs to (without one: to all lines); without `x` the
    figure is a list. A run whose loss diverges stops the experiment; with `diverges=True` it counts
    as guessing, and is marked.

    >>> Variant(nn.ReLU, fit={"lr": 0.001}, x=7).x
    7
    """

    build: Callable[[], nn.Module]
    splits: Any = None
    fit: Mapping[str, Any] = field(default_factory=dict)
    x: float | None = None
    line: str = ""
    diverges: bool = False


@dataclass(frozen=True)
class Cost:
    """What one variant costs; None where it was not asked for or cannot be counted."""

    params: int | None = None  # elements
    macs: int | None = None  # of one picture
    seconds: float | None = None  # CPU time of a training step of 16 pictures, least of several


def check_variants(variants: Any) -> dict[str, Variant]:
    """Return name -> Variant; raise `UserError` for anything that cannot be trained per seed."""
    if not isinstance(variants, Mapping) or not variants:
        raise UserError('Variants are a table {"name": function that builds the network, …}.')
    return {str(name): _variant(str(name), given) for name, given in variants.items()}


def _variant(name: str, given: Any) -> Variant:
    if isinstance(given, nn.Module):
        raise UserError(
            f"Variant {name!r} is a finished network, but every seed needs a fresh one; give the "
            f'function that builds it, as {{"{name}": lambda: {type(given).__name__}(…)}}.'
        )
    made = given if isinstance(given, Variant) else Variant(given)
    if not callable(made.build):
        raise UserError(f"Variant {name!r} is {given!r}; give a function that builds the network.")
    return made


def build(name: str, variant: Variant, seed: int) -> nn.Module:
    """Build the variant's network with the random numbers of a seed; the caller's stay as is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            model = variant.build()
        except Exception as error:  # whatever goes wrong in it is the caller's to hear of
            why = reason(error).rstrip(".")
            raise UserError(f"Variant {name!r} cannot be built ({_CALL}): {why}.") from error
    if not isinstance(model, nn.Module):
        raise UserError(
            f"Variant {name!r} builds a {type(model).__name__}, not a torch.nn.Module; return the "
            "network from its function."
        )
    return model


def costs(
    models: Mapping[str, nn.Module], shapes: Mapping[str, tuple[int, ...]], budget: str | None
) -> dict[str, Cost]:
    """Count every network on one picture (C, H, W); time a step of each if the budget is time."""
    seconds = _times(models, shapes) if budget == "time" else {}
    return {
        name: _count(name, model, shapes[name], budget, seconds.get(name))
        for name, model in models.items()
    }


def _count(
    name: str, model: nn.Module, shape: tuple[int, ...], budget: str | None, seconds: float | None
) -> Cost:
    try:
        report = analyze(model, (1, *shape))
    except UserError as error:
        raise UserError(f"Variant {name!r}: {error}") from error
    if report.unknown and budget == "macs":
        ops = ", ".join(sorted({op.name for op in report.unknown}))
        raise UserError(
            f"Variant {name!r} uses {ops}, whose MACs nobody can count, so an equal budget of MACs "
            'cannot be checked; compare with budget="time" or budget=None.'
        )
    return Cost(report.params, None if report.unknown else report.macs, seconds)


def check_budget(
    found: Mapping[str, Cost],
    pairs: Iterable[tuple[str, str]],
    budget: str | None,
    tolerance: float | None,
) -> None:
    """Raise `UserError` when the two variants of a claim do not cost the same."""
    if budget is None:
        return
    allowed = TOLERANCE[budget] if tolerance is None else tolerance
    what = "seconds" if budget == "time" else budget
    for one, other in pairs:
        a, b = getattr(found[one], what), getattr(found[other], what)
        low, high = sorted(((a, one), (b, other)), key=lambda pair: pair[0])
        if high[0] <= low[0] * (1 + allowed):
            continue
        ratio = high[0] / low[0] if low[0] else float("inf")
        more = f"{100 * allowed:.0f} %"
        raise UserError(
            f"Not an equal budget: {high[1]!r} costs {_amount(high[0], budget)} and {low[1]!r} "
            f"{_amount(low[0], budget)}, {ratio:.2f} times as much, where {more} more is "
            f"allowed. {_way_out(high[1], ratio, budget)}, or allow it with "
            f"tolerance={ratio - 0.995:.2f}, or say budget=None to compare at unequal cost."
        )


def _way_out(name: str, ratio: float, budget: str) -> str:
    if budget == "time":
        return f"Make {name!r} smaller"
    return f"Multiply the channels of {name!r} by about {ratio**-0.5:.2f}"


def _amount(value: float, budget: str) -> str:
    number = f"{value:.3g}" if budget == "time" else f"{value:,}"
    return f"{number} {_WORDS[budget]}"


def _times(
    models: Mapping[str, nn.Module], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, float]:
    """Least CPU time of a training step, the variants in turn, so that noise meets them alike."""
    threads = torch.get_num_threads()
    least = dict.fromkeys(models, float("inf"))
    torch.set_num_threads(1)
    try:
        for number in range(_ROUNDS + 1):
            for name, model in models.items():
                spent = _step(model, shapes[name])
                if number:  # the first is warm-up
                    least[name] = min(least[name], spent)
    finally:
        torch.set_num_threads(threads)
    return least


def _step(model: nn.Module, shape: Sequence[int]) -> float:
    images = torch.zeros(_IMAGES, *shape)
    start = time.process_time()
    model.train()
    model(images).sum().backward()
    spent = time.process_time() - start
    model.zero_grad(set_to_none=True)
    return spent
