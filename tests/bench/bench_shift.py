"""Shift against the depthwise convolution with one-hot kernels: times in one run, as ratios.

python tests/bench/bench_shift.py [threads]; above 1.00 the shift is faster. Forward alone, and
forward with backward, in both memory formats; the works take turns, and the fastest run counts.
In channels_last on a CPU the shift takes the convolution, so that the ratio is 1 but for noise.
"""

import sys
import time
from collections.abc import Callable
from math import exp, log
from random import shuffle

import torch
from torch import Tensor

from lightcourse.nn import shift
from lightcourse.nn.shift import METHODS

# batch, channels, side, kernel: the shifts of ShiftNet-A's four stages and of ShiftResNet-20
SHAPES = ((1, 256, 56, 5), (2, 384, 28, 5), (4, 512, 14, 3), (8, 512, 7, 3), (8, 48, 32, 3))
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def fastest(works: dict[str, Callable[[], object]], seconds: float = 1.5) -> dict[str, float]:
    """Milliseconds of each piece of work, the best of many runs in turn."""
    best = dict.fromkeys(works, float("inf"))
    turns = list(works.items())
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        shuffle(turns)  # who comes after whom decides what the cache still holds
        for name, work in turns:
            start = time.perf_counter()
            work()
            best[name] = min(best[name], 1e3 * (time.perf_counter() - start))
    return best


def backward(x: Tensor, weight: Tensor, k: int, method: str | None) -> Tensor:
    """The gradient of the input."""
    return torch.autograd.grad(shift(x, k, method), x, weight)[0]


def main() -> None:
    """Print a line per shape and format, and the mean ratios."""
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    ratios: dict[tuple[str, str], list[float]] = {}
    for layout, memory_format in FORMATS.items():
        for n, c, side, k in SHAPES:
            x = torch.randn(n, c, side, side).contiguous(memory_format=memory_format)
            own, weight = x.clone().requires_grad_(), torch.randn_like(x)
            methods = {"shift": None, **{m: m for m in METHODS}}
            forward = {n: lambda m=m, x=x, k=k: shift(x, k, m) for n, m in methods.items()}
            both = {
                n: lambda m=m, x=own, w=weight, k=k: backward(x, w, k, m)
                for n, m in methods.items()
            }
            forward["a plain copy"] = x.clone
            for what, works in (("forward", forward), ("with backward", both)):
                ms = fastest(works)
                own_ms = ms.pop("shift")
                ratios.setdefault((layout, what), []).append(ms["convolution"] / own_ms)
                against = ", ".join(f"{name} {t / own_ms:.2f}" for name, t in ms.items())
                print(
                    f"{layout:13} {n}×{c}×{side}×{side} k={k} {what:13} "
                    f"shift {own_ms:6.2f} ms; in these: {against}",
                    flush=True,
                )
    for (layout, what), found in ratios.items():
        mean = exp(sum(map(log, found)) / len(found))
        print(f"{layout}, {what}: one-hot convolution / shift {mean:.2f} (geometric mean)")


if __name__ == "__main__":
    main()
