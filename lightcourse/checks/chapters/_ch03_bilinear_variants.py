"""Exercise 03.bilinear: a resize in which one part can be exchanged for a wrong one."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def usual(n: int, m: int, align: bool) -> Tensor:
    """Where the m outputs stand among the n inputs."""
    i = torch.arange(m, dtype=torch.float64)
    if align:
        return i * ((n - 1) / (m - 1) if m > 1 else 0.0)
    return ((i + 0.5) * n / m - 0.5).clamp(min=0)


def inside(n: int, m: int, align: bool) -> Tensor:
    return usual(n, m, align).clamp(max=n - 1)


def weights(n: int, places: Tensor) -> Tensor:
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
    where: Callable[[int, int, bool], Tensor] = usual,
    weigh: Callable[[int, Tensor], Tensor] = weights,
) -> Callable[..., Tensor]:
    """A resize in which the places or the weights are not the right ones."""

    def made(x: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
        down, across = (
            weigh(n, where(n, m, align_corners)).to(x.dtype)
            for n, m in zip(x.shape[2:], size, strict=True)
        )
        return down @ x @ across.T

    return made


def without_half(n: int, m: int, align: bool) -> Tensor:
    return usual(n, m, align) if align else torch.arange(m, dtype=torch.float64) * n / m


def without_going_back(n: int, m: int, align: bool) -> Tensor:
    """(i + ½)·n/m and no - ½ afterwards."""
    i = torch.arange(m, dtype=torch.float64)
    return usual(n, m, align) if align else ((i + 0.5) * n / m).clamp(max=n - 1)


def aligned_by_sizes(n: int, m: int, align: bool) -> Tensor:
    """i·n/m where the corners should meet."""
    if not align:
        return usual(n, m, align)
    return (torch.arange(m, dtype=torch.float64) * n / m).clamp(max=n - 1)


def not_clamped(n: int, m: int, align: bool) -> Tensor:
    return (
        usual(n, m, align) if align else (torch.arange(m, dtype=torch.float64) + 0.5) * n / m - 0.5
    )


def extrapolated(n: int, places: Tensor) -> Tensor:
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


def wrapped(n: int, places: Tensor) -> Tensor:
    """The input at -1 is the last one in Python."""
    first = places.floor().long()
    part = places - first
    rows = torch.arange(len(places))
    out = torch.zeros(len(places), n, dtype=torch.float64)
    out[rows, first % n] += 1 - part
    out[rows, (first + 1).clamp(max=n - 1)] += part
    return out


def floored(n: int, places: Tensor) -> Tensor:
    return torch.eye(n, dtype=torch.float64)[places.floor().long().clamp(0, n - 1)]


def swapped_exactly(n: int, places: Tensor) -> Tensor:
    """part to the first, 1 - part to the second, also where part is 0."""
    first = places.floor().long().clamp(0, n - 1)
    second = (first + 1).clamp(max=n - 1)
    part = (places - first).clamp(0, 1)
    rows = torch.arange(len(places))
    out = torch.zeros(len(places), n, dtype=torch.float64)
    out[rows, first] += part
    out[rows, second] += 1 - part
    return out


def not_put_back(n: int, places: Tensor) -> Tensor:
    """Both neighbours kept on the map, but not the place itself."""
    first = places.floor().long().clamp(0, n - 1)
    second = (first + 1).clamp(max=n - 1)
    part, rows = places - first, torch.arange(len(places))
    out = torch.zeros(len(places), n, dtype=torch.float64)
    out[rows, first] += 1 - part
    out[rows, second] += part
    return out


def overwritten(n: int, places: Tensor) -> Tensor:
    """At the last input both neighbours are the same, and the second share replaces the first."""
    first = places.floor().long().clamp(0, n - 1)
    second = (first + 1).clamp(max=n - 1)
    part, rows = (places - first).clamp(0, 1), torch.arange(len(places))
    out = torch.zeros(len(places), n, dtype=torch.float64)
    out[rows, first] = 1 - part
    out[rows, second] = part
    return out


def averaged(n: int, places: Tensor) -> Tensor:
    first = places.floor().long().clamp(0, n - 1)
    second = (first + 1).clamp(max=n - 1)
    eye = torch.eye(n, dtype=torch.float64)
    return (eye[first] + eye[second]) / 2


def inverse_scale(n: int, m: int, align: bool) -> Tensor:
    """The ratio upside down, and what lies outside put back inside."""
    i = torch.arange(m, dtype=torch.float64)
    if align:
        return (i * ((m - 1) / (n - 1) if n > 1 else 0.0)).clamp(max=n - 1)
    return ((i + 0.5) * m / n - 0.5).clamp(0, n - 1)
