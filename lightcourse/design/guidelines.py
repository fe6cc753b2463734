"""ShuffleNet V2's guidelines G1 to G4, measured here as in the paper (arXiv 1807.11164)."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from lightcourse.analysis import analyze, latency
from lightcourse.design._g_networks import Case, g1_cases, g2_cases, g3_cases, g4_cases
from lightcourse.errors import UserError

_SIDE = 56  # the paper's pictures are 56×56
_CLOSE = 0.03  # speeds closer than this count as equal: the machine is noisier than that


@dataclass(frozen=True)
class GuidelineRow:
    """One network of a table: what it costs, how fast it ran here, and in the paper."""

    name: str
    channels: str
    macs: int
    memory_access: int  # bytes
    speed: float  # pictures a second here, the best of several rounds
    paper_gpu: float  # batches a second
    paper_arm: float  # pictures a second


@dataclass(frozen=True)
class Guideline:
    """A guideline, its rows measured on this machine, and whether it holds here."""

    rule: str
    statement: str
    rows: tuple[GuidelineRow, ...]
    threads: int
    best: int  # the row that should be fastest
    worst: int

    @property
    def gain(self) -> float:
        """How many times faster the row that should be fastest ran than the slowest one should."""
        return self.rows[self.best].speed / self.rows[self.worst].speed

    @property
    def paper_gain(self) -> tuple[float, float]:
        """The same ratio in the paper: (GPU, ARM)."""
        good, bad = self.rows[self.best], self.rows[self.worst]
        return good.paper_gpu / bad.paper_gpu, good.paper_arm / bad.paper_arm

    @property
    def verdict(self) -> str:
        """One sentence: holds here, not here, or too close to tell."""
        gpu, arm = self.paper_gain
        good, bad = self.rows[self.best].name, self.rows[self.worst].name
        seen = f"{good} ran {self.gain:.2f} times as fast as {bad}"
        paper = f"(paper: {gpu:.2f} on a GPU, {arm:.2f} on ARM)"
        slowest = min(self.rows, key=lambda row: row.speed)
        other = "" if slowest.name == bad else f" The slowest here was {slowest.name}."
        if self.gain > 1 + _CLOSE:
            return f"{self.rule} holds here: {seen} {paper}.{other}"
        if self.gain < 1 - _CLOSE:
            return f"{self.rule} does not hold here: {seen} {paper}.{other}"
        return f"{self.rule} makes no difference here: {seen} {paper}.{other}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {**asdict(self), "gain": self.gain, "verdict": self.verdict}

    def _cells(self) -> Iterator[tuple[str, ...]]:
        first = self.rows[0]
        for row in self.rows:
            yield (
                row.name, row.channels, f"{row.macs / 1e6:.1f}", f"{row.memory_access / 1e6:.1f}",
                f"{row.speed:.1f}", f"{row.speed / first.speed:.2f}",
                f"{row.paper_gpu / first.paper_gpu:.2f}", f"{row.paper_arm / first.paper_arm:.2f}",
            )  # fmt: skip

    def __str__(self) -> str:
        table = [_HEADS, *self._cells()]
        widths = [max(len(row[i]) for row in table) for i in range(len(_HEADS))]
        lines = [
            "  ".join(
                cell.ljust(w) if i == 0 else cell.rjust(w)
                for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            for row in table
        ]
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        return "\n".join([f"{self.rule}: {self.statement} ({threads})", *lines, self.verdict])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(h)}</th>" for h in _HEADS)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>"
            for row in self._cells()
        )
        title = f"<b>{self.rule}</b>: {escape(self.statement)}"
        return f"<p>{title}</p><table><tr>{head}</tr>{body}</table><p>{escape(self.verdict)}</p>"


_HEADS = (
    "network", "channels", "M multiply-acc.", "MB access", "pictures/s",
    "against row 1", "paper GPU", "paper ARM",
)  # fmt: skip


def _measure(
    rule: str,
    statement: str,
    cases: Callable[[bool], Iterator[Case]],
    best: int,
    worst: int,
    platform: str,
    threads: int,
    seconds: float,
    progress: bool,
) -> Guideline:
    if platform not in ("arm", "gpu"):
        raise UserError(
            f"platform is {platform!r}; the paper's tables have channels for 'arm' and for 'gpu'."
        )
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise UserError(f"seconds is {seconds!r}; it is the time to measure for, above 0.")
    built = list(cases(platform == "gpu"))
    rounds, fastest = 4, [float("inf")] * len(built)
    share = seconds / rounds / len(built)
    for turn in range(rounds):  # in rounds, so that a busy minute does not hit one row alone
        for index, case in enumerate(built):
            size = (1, case.in_channels, _SIDE, _SIDE)
            found = latency(case.network, size, threads=threads, seconds=share)
            fastest[index] = min(fastest[index], found.minimum)
            if progress:
                done = turn * len(built) + index + 1
                print(f"\r{rule}: {done} of {rounds * len(built)} ", end="", file=sys.stderr)
    if progress:
        print(file=sys.stderr)
    rows = []
    for case, took in zip(built, fastest, strict=True):
        report = analyze(case.network, (1, case.in_channels, _SIDE, _SIDE))
        costs = (report.macs, report.memory_access)
        paper = (case.paper_gpu, case.paper_arm)
        rows.append(GuidelineRow(case.name, case.channels, *costs, 1 / took, *paper))
    return Guideline(rule, statement, tuple(rows), threads, best, worst)


def g1(
    *, platform: str = "arm", threads: int = 1, seconds: float = 8.0, progress: bool = False
) -> Guideline:
    """Equal input and output channels are fastest, at equal multiply-accumulates (table 1).

    `platform` chooses the paper's channel counts; the measuring is always done here, on pictures
    of 56×56, about `seconds` long. Raises `UserError` for another platform.

    >>> g1(seconds=0.2).rows[0].channels
    '32, 32'
    """
    text = "equal channel width minimises memory access"
    return _measure("G1", text, g1_cases, 0, 3, platform, threads, seconds, progress)


def g2(
    *, platform: str = "arm", threads: int = 1, seconds: float = 8.0, progress: bool = False
) -> Guideline:
    """More groups are slower, at equal multiply-accumulates (table 2).

    >>> [row.channels for row in g2(seconds=0.2).rows]
    ['64', '90', '128', '184']
    """
    text = "many groups cost memory access"
    return _measure("G2", text, g2_cases, 0, 3, platform, threads, seconds, progress)


def g3(
    *, platform: str = "arm", threads: int = 1, seconds: float = 8.0, progress: bool = False
) -> Guideline:
    """A block of many small convolutions is slower, at equal multiply-accumulates (table 3).

    Branches in parallel are added, and channels are c / √fragments, so that the
    multiply-accumulates stay within 2 %. That makes 45 channels of 64, and a count that is no
    multiple of 8 is slow for its own reason: compare the rows with 64 and 32 channels.

    >>> g3(seconds=0.2).rows[-1].name
    '4 in parallel'
    """
    text = "fragments reduce parallelism"
    return _measure("G3", text, g3_cases, 0, 4, platform, threads, seconds, progress)


def g4(
    *, platform: str = "arm", threads: int = 1, seconds: float = 8.0, progress: bool = False
) -> Guideline:
    """ReLU and shortcut take time although they multiply nothing (table 4).

    The paper does not print the bottleneck's inner width; ours is a quarter, as in ResNet.

    >>> g4(seconds=0.2).rows[-1].name
    'neither'
    """
    text = "element-wise operations are not free"
    return _measure("G4", text, g4_cases, 3, 0, platform, threads, seconds, progress)


__all__ = ["Guideline", "GuidelineRow", "g1", "g2", "g3", "g4"]
