"""Chapter 12: the rows of both published networks, and the network of torch's own layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn

from lightcourse.checks.chapters._ch12_bneck import HS, RE, conv
from lightcourse.checks.chapters._ch12_bneck import Reference as Block
from lightcourse.checks.chapters._ch12_last import Reference as Last


class Row(NamedTuple):
    """One line of tables 1 and 2."""

    k: int
    exp: int
    out: int
    se: bool
    nl: Callable[..., nn.Module]
    s: int


def _rows(text: str) -> tuple[Row, ...]:
    """The rows of a table: k, exp, out, SE (1 or 0), NL, s."""
    rows = []
    for line in text.strip().splitlines():
        k, exp, out, se, nl, s = line.split()
        rows.append(Row(int(k), int(exp), int(out), se == "1", {"RE": RE, "HS": HS}[nl], int(s)))
    return tuple(rows)


# MobileNetV3, arXiv 1905.02244, table 1
LARGE = _rows("""
3 16 16 0 RE 1
3 64 24 0 RE 2
3 72 24 0 RE 1
5 72 40 1 RE 2
5 120 40 1 RE 1
5 120 40 1 RE 1
3 240 80 0 HS 2
3 200 80 0 HS 1
3 184 80 0 HS 1
3 184 80 0 HS 1
3 480 112 1 HS 1
3 672 112 1 HS 1
5 672 160 1 HS 2
5 960 160 1 HS 1
5 960 160 1 HS 1
""")
# table 2
SMALL = _rows("""
3 16 16 1 RE 2
3 72 24 0 RE 2
3 88 24 0 RE 1
5 96 40 1 HS 2
5 240 40 1 HS 1
5 240 40 1 HS 1
5 120 48 1 HS 1
5 144 48 1 HS 1
5 288 96 1 HS 2
5 576 96 1 HS 1
5 576 96 1 HS 1
""")


class Network(nn.Module):
    """MobileNetV3 from rows; other activations, another stride of the stem or another end."""

    def __init__(
        self,
        rows: tuple[Row, ...],
        head: int,
        classes: int = 1000,
        stem: Callable[..., nn.Module] = HS,
        stride: int = 2,
        end: Callable[[Tensor], Tensor] = lambda y: y,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [conv(3, 16, 3, stride, stem, padding=1)]
        c = 16
        for k, exp, out, se, nl, s in rows:
            layers.append(Block((c, exp, out, k, s, se, nl)))
            c = out
        layers.append(Last((c, 6 * c, head, classes), end=end))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
