"""The measurements behind `probe`: short runs in turn, and the best of each."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

#: Bytes that one addition touches: from inside the nearest cache to far beyond the last.
_WORKING_SETS = tuple(2**k for k in range(18, 29, 2))
_TURN = 0.04  # seconds for one candidate before the next has its turn
_FIRST_ROUND = "one round over all measurements"

Clock = Callable[[], float]


@dataclass(frozen=True)
class Found:
    """The best that was seen."""

    peak_macs: float
    caches: tuple[tuple[int, float], ...]
    overhead: float
    took: float
    rounds: int


@dataclass
class Candidate:
    """One piece of work that is timed again and again."""

    kind: str  # "peak", "memory" or "layer"
    size: int  # multiply-accumulates, bytes, or the number of a layer
    run: Callable[[], object]
    best: float = float("inf")


def measure(
    seconds: float,
    threads: int,
    progress: bool,
    *,
    clock: Clock = time.perf_counter,
    candidates: list[Candidate] | None = None,
) -> Found:
    """Give each candidate a short turn, round after round, and keep the best time of each.

    Turns spread every candidate over the whole probe, so that a few busy seconds spoil none.
    Ctrl-C ends it with what it has, after the first round.
    """
    before = torch.get_num_threads()
    start, rounds, shown = clock(), 0, 0.0
    try:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            candidates = _candidates() if candidates is None else candidates
            while not rounds or clock() - start < seconds:
                for candidate in candidates:
                    _turn(candidate, clock)
                rounds += 1
                passed = clock() - start
                if progress and passed - shown >= 1:
                    shown = passed
                    _show(passed, seconds, candidates)
    except KeyboardInterrupt:
        line = "\n" if shown else ""
        if not rounds:
            print(f"{line}Stopped before {_FIRST_ROUND}: nothing was saved.", file=sys.stderr)
            raise
        took = clock() - start
        print(f"{line}Stopped after {took:.0f} s: kept what was found.", file=sys.stderr)
        shown = 0.0
    finally:
        torch.set_num_threads(before)
    if shown:
        print(file=sys.stderr)
    return _found(candidates or [], clock() - start, rounds)


def _turn(candidate: Candidate, clock: Clock) -> None:
    candidate.run()  # brings its data into the cache, and pages into memory
    end = clock() + _TURN
    while True:
        start = clock()
        candidate.run()
        now = clock()
        candidate.best = min(candidate.best, now - start)
        if now >= end:
            return


def _candidates() -> list[Candidate]:
    """Make the work: products and convolutions, additions of all sizes, tiny layers."""
    found = []
    for n in (384, 1024):
        a, b, out = torch.randn(n, n), torch.randn(n, n), torch.empty(n, n)
        found.append(Candidate("peak", n**3, lambda a=a, b=b, out=out: torch.mm(a, b, out=out)))
    for channels, size, kernel in ((64, 56, 1), (256, 28, 1), (128, 28, 3)):
        x = torch.randn(1, channels, size, size)
        conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False)
        macs = conv.weight.numel() * size * size
        found.append(Candidate("peak", macs, lambda conv=conv, x=x: conv(x)))
    for size in _WORKING_SETS:
        a, b, out = (torch.ones(size // 12) for _ in range(3))
        add = lambda a=a, b=b, out=out: torch.add(a, b, out=out)  # noqa: E731
        found.append(Candidate("memory", 12 * (size // 12), add))
    pixel = torch.randn(1, 8, 1, 1)
    layers = (nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8).eval(), nn.ReLU())
    for number, layer in enumerate(layers):
        found.append(Candidate("layer", number, lambda layer=layer: layer(pixel)))
    return found


def _found(candidates: list[Candidate], took: float, rounds: int) -> Found:
    peak = max(c.size / c.best for c in candidates if c.kind == "peak")
    caches: list[tuple[int, float]] = []
    for c in reversed([c for c in candidates if c.kind == "memory"]):
        # what fits into a smaller cache is never slower: a dip is noise
        faster = max(c.size / c.best, caches[0][1] if caches else 0)
        caches.insert(0, (c.size, faster))
    small = sorted(c.best for c in candidates if c.kind == "layer")
    return Found(peak, tuple(caches), small[len(small) // 2], took, rounds)


def _show(passed: float, seconds: float, candidates: list[Candidate]) -> None:
    found = _found(candidates, passed, 1)
    print(
        f"\rprobe {passed:3.0f} of {seconds:.0f} s   peak {found.peak_macs / 1e9:.4g} GMAC/s   "
        f"memory {found.caches[-1][1] / 1e9:.3g} GB/s   ",
        end="",
        file=sys.stderr,
        flush=True,
    )
