"""Exercise 03.bilinear: resize a map by bilinear interpolation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome
from lightcourse.checks.located import located

# coordinates in float32 are right as well
compare = located(Compare(rtol=1e-5, atol=1e-6))


def cases(rng: Random) -> Iterator[Case]:
    row = torch.tensor([[[[0.0, 10.0, 40.0, 20.0]]]], dtype=torch.float64)
    yield Case((row, (1, 8), False), label="a row of 4 becomes 8")
    yield Case((row, (1, 7), True), label="a row of 4 becomes 7, corners aligned")
    yield Case((row.transpose(2, 3), (8, 1), False), label="a column of 4 becomes 8")
    for align in (False, True):
        yield Case((_draw(rng, 1, 1, 3, 4), (6, 8), align), label="twice the size")
        yield Case((_draw(rng, 1, 1, 3, 3), (5, 7), align), label="3 × 3 becomes 5 × 7")
        yield Case((_draw(rng, 2, 3, 2, 5), (7, 3), align), label="two pictures, three channels")
        yield Case((_draw(rng, 1, 1, 8, 6), (3, 4), align), label="smaller")
        yield Case((_draw(rng, 1, 2, 4, 5), (1, 3), align), label="only one row is wanted")
        yield Case((_draw(rng, 1, 1, 1, 3), (4, 6), align), label="only one row is there")
    for _ in range(4):
        shape = rng.randint(1, 2), rng.randint(1, 3), rng.randint(2, 6), rng.randint(2, 6)
        size = rng.randint(2, 9), rng.randint(2, 9)
        yield Case((_draw(rng, *shape), size, rng.random() < 0.5))


def _draw(rng: Random, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(rng.getrandbits(32))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def by_torch(x: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    return F.interpolate(x, size, mode="bilinear", align_corners=align_corners)


def show(case: Case) -> str:
    """The call by shapes, and by its values where they fit into one line."""
    x, size, align = case.args
    values = f" {x.flatten().tolist()}" if x.numel() <= 4 else ""
    return f"bilinear(x {tuple(x.shape)}{values}, {size}, align_corners={align})"


def _usual(n: int, m: int, align: bool) -> Tensor:
    """Where the m outputs stand among the n inputs."""
    i = torch.arange(m, dtype=torch.float64)
    if align:
        return i * ((n - 1) / (m - 1) if m > 1 else 0.0)
    return ((i + 0.5) * n / m - 0.5).clamp(min=0)


def _weights(n: int, places: Tensor) -> Tensor:
    """(m, n): how much each output takes of each input."""
    first = places.floor().long().clamp(0, n - 1)
    second = (first + 1).clamp(max=n - 1)
    part = (places - first).clamp(0, 1)
    rows = torch.arange(len(places))
    out = torch.zeros(len(places), n, dtype=torch.float64)
    out[rows, first] += 1 - part
    out[rows, second] += part
    return out


def variant(
    where: Callable[[int, int, bool], Tensor] = _usual,
    weigh: Callable[[int, Tensor], Tensor] = _weights,
) -> Callable[..., Tensor]:
    """A resize in which the places or the weights are not the right ones."""

    def made(x: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
        down, across = (
            weigh(n, where(n, m, align_corners)).to(x.dtype)
            for n, m in zip(x.shape[2:], size, strict=True)
        )
        return down @ x @ across.T

    return made


def _without_half(n: int, m: int, align: bool) -> Tensor:
    return _usual(n, m, align) if align else torch.arange(m, dtype=torch.float64) * n / m


def _not_clamped(n: int, m: int, align: bool) -> Tensor:
    return (
        _usual(n, m, align) if align else (torch.arange(m, dtype=torch.float64) + 0.5) * n / m - 0.5
    )


def _extrapolated(n: int, places: Tensor) -> Tensor:
    """Weights that go on in a straight line beyond the first and the last input."""
    if n == 1:
        return torch.ones(len(places), 1, dtype=torch.float64)
    first = places.floor().long().clamp(0, n - 2)
    part = places - first
    rows = torch.arange(len(places))
    out = torch.zeros(len(places), n, dtype=torch.float64)
    out[rows, first] = 1 - part
    out[rows, first + 1] = part
    return out


def _wrapped(n: int, places: Tensor) -> Tensor:
    """The input at -1 is the last one in Python."""
    first = places.floor().long()
    part = places - first
    rows = torch.arange(len(places))
    out = torch.zeros(len(places), n, dtype=torch.float64)
    out[rows, first % n] += 1 - part
    out[rows, (first + 1).clamp(max=n - 1)] += part
    return out


def _floored(n: int, places: Tensor) -> Tensor:
    return torch.eye(n, dtype=torch.float64)[places.floor().long().clamp(0, n - 1)]


def _swapped_exactly(n: int, places: Tensor) -> Tensor:
    """part to the first, 1 - part to the second, also where part is 0."""
    first = places.floor().long().clamp(0, n - 1)
    second = (first + 1).clamp(max=n - 1)
    part = (places - first).clamp(0, 1)
    rows = torch.arange(len(places))
    out = torch.zeros(len(places), n, dtype=torch.float64)
    out[rows, first] += part
    out[rows, second] += 1 - part
    return out


def _averaged(n: int, places: Tensor) -> Tensor:
    first = places.floor().long().clamp(0, n - 1)
    second = (first + 1).clamp(max=n - 1)
    eye = torch.eye(n, dtype=torch.float64)
    return (eye[first] + eye[second]) / 2


def _inverse_scale(n: int, m: int, align: bool) -> Tensor:
    """The ratio upside down, and what lies outside put back inside."""
    i = torch.arange(m, dtype=torch.float64)
    if align:
        return (i * ((m - 1) / (n - 1) if n > 1 else 0.0)).clamp(max=n - 1)
    return ((i + 0.5) * m / n - 0.5).clamp(0, n - 1)


def _size_swapped(x: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    return by_torch(x, (size[1], size[0]), align_corners)


def _copied(outcome: Outcome) -> bool:
    """Whether every value is one of the input's, so that none is mixed from two."""
    x, size, _ = outcome.case.args
    got = outcome.got
    return got.shape == (*x.shape[:2], *size) and bool(torch.isin(got, x).all())


def _zero_division(outcome: Outcome) -> bool:
    return isinstance(outcome.error, ZeroDivisionError) and 1 in outcome.case.args[1]


MISTAKES = (
    Mistake(
        "division-by-zero",
        "You divide by m - 1, and only one row is wanted, so that is 0. One output stands at 0.",
        matches=_zero_division,
        hint=5,
    ),
    Mistake(
        "half-forgotten",
        "Without aligned corners you map i to i·n/m. But i stands for the *middle* of its pixel, at"
        " i + ½. Go there, scale, and come back: (i + ½)·n/m - ½.",
        mimic=variant(_without_half),
        hint=3,
    ),
    Mistake(
        "never-aligned",
        "Right for align_corners=False, and the flag changes nothing in yours.",
        mimic=variant(lambda n, m, align: _usual(n, m, False)),
        hint=3,
    ),
    Mistake(
        "always-aligned",
        "Right for align_corners=True, and the flag changes nothing in yours.",
        mimic=variant(lambda n, m, align: _usual(n, m, True)),
        hint=3,
    ),
    Mistake(
        "flag-the-other-way",
        "The two rules have changed places: with align_corners=True the first and last pixels of"
        " both maps stand on each other.",
        mimic=variant(lambda n, m, align: _usual(n, m, not align)),
        hint=3,
    ),
    Mistake(
        "beyond-the-edge",
        "At the edge the line goes on outside the map. There is nothing: the edge pixel counts"
        " instead. Put places below 0 at 0 and those beyond n - 1 at n - 1.",
        mimic=variant(_not_clamped, _extrapolated),
        hint=4,
    ),
    Mistake(
        "round-the-corner",
        "The first output takes something of the *last* input: index -1 means that in Python."
        " Put places below 0 at 0 first.",
        mimic=variant(_not_clamped, _wrapped),
        hint=4,
    ),
    Mistake(
        "rounded-down",
        "You take the pixel on the left (or above) and forget the other neighbour.",
        mimic=variant(weigh=_floored),
        hint=2,
    ),
    Mistake(
        "nearest",
        "You take the nearest pixel. Bilinear means: both neighbours, the nearer one with more"
        " weight.",
        matches=_copied,
        hint=2,
    ),
    Mistake(
        "weights-swapped",
        "The weights have changed places: at 0.25 the neighbour at 0 is nearer, so it gets 0.75.",
        mimic=variant(weigh=_swapped_exactly),
        hint=2,
    ),
    Mistake(
        "weights-equal",
        "You take the mean of both neighbours. The nearer one should count more.",
        mimic=variant(weigh=_averaged),
        hint=2,
    ),
    Mistake(
        "ratio-upside-down",
        "Your ratio is upside down. Go from an output to the input: from m places to n, n/m.",
        mimic=variant(_inverse_scale),
        hint=3,
    ),
    Mistake(
        "size-swapped",
        "Height and width of the result have changed places: size is (height, width).",
        mimic=_size_swapped,
        hint=1,
    ),
)


def _same_size_changes_nothing(bilinear: Callable, rng: Random) -> str | None:
    x = _draw(rng, 1, 2, 4, 5)
    for align in (False, True):
        got: Any = bilinear(x, (4, 5), align)
        if not torch.allclose(got, x):
            return f"Asked for the size that x has already, it changes x (align_corners={align})."
    return None


def _plain_stays_plain(bilinear: Callable, rng: Random) -> str | None:
    value = rng.uniform(1, 9)
    x = torch.full((1, 1, 3, 4), value, dtype=torch.float64)
    for align in (False, True):
        got: Any = bilinear(x, (rng.randint(1, 9), rng.randint(1, 9)), align)
        if not torch.allclose(got, torch.full_like(got, value)):
            return "A map that is the same everywhere should stay so: the weights add up to 1."
    return None


LAWS = (
    Law("the same size changes nothing", _same_size_changes_nothing, hint=3),
    Law("plain stays plain", _plain_stays_plain, hint=2),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Do one axis. Make a table with a row for each output and a column for each input that says"
        " how much the output takes of the input. Both axes then are two matrix products, one from"
        " the left and one from the right. Loops over all outputs are right, too.",
    ),
    Hint(
        "My values are wrong between the pixels",
        "An output at place 2.25 lies between inputs 2 and 3. It takes 0.75 of input 2 and 0.25 of"
        " input 3. `floor` gives the 2, and the rest is the part of the other.",
    ),
    Hint(
        "One value of align_corners is right, the other is wrong",
        "Write both on paper for 4 → 8. Aligned: output 0 at 0, output 7 at 3, even steps between."
        " Not aligned: pixels have a width. Output 0 covers 0 to ½ of the input's ruler; its middle"
        " is ¼, and the middle of input 0 is at ½. So it stands at ¼ - ½ = -¼.",
    ),
    Hint(
        "I am right in the middle, wrong at the edges",
        "A place of -¼ is outside. Nothing is there, so the edge pixel counts alone: `clamp` the"
        " places to 0 … n - 1. For the second neighbour, use `clamp` as well.",
    ),
    Hint(
        "I get ZeroDivisionError",
        "With aligned corners the steps are (n - 1) / (m - 1). A single output has no steps: it"
        " stands at place 0.",
    ),
)
