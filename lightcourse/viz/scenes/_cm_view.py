"""The tables that the cost microscope is looked up in: rows, their order, and the roof."""

import json
from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

from ..scene import L
from ._cm_cases import Place, Study
from ._cm_costs import MEASURES, Cost
from ._cm_roof import HIGH, LOW, Roofs, attainable, share_of_peak
from ._cm_scale import (
    GUTTER,
    LENGTH,
    NUMBERED,
    PITCH,
    ROOF_BOTTOM,
    ROOF_LEFT,
    ROOF_TOP,
    ROOM,
    SHARES,
    TALL,
    TOP,
    across,
    number,
    ratio,
    share,
    spaced,
    up,
    words_below,
)
from ._rf_words import short

SORTS = {"network": "", "MACs": "macs", "bytes": "moved"}  # what the rows are listed by
MEMORY, COMPUTE, NOTHING = 1, 2, 3  # what limits a row; 0 is no row


class Pooled:
    """Vectors that occur often, each kept once: look-ups go through their numbers."""

    def __init__(self) -> None:
        self.vectors: list[list] = []
        self._known: dict[str, int] = {}

    def add(self, vector: list) -> int:
        """Return the number of a vector."""
        key = json.dumps(vector)
        if key not in self._known:
            self._known[key] = len(self.vectors)
            self.vectors.append(vector)
        return self._known[key]


class View:
    """The study as tables; `most` rows have marks, and one more entry stands for no row."""

    def __init__(self, study: Study, roofs: Roofs) -> None:
        self.study, self.roofs = study, roofs
        self.most = study.most
        self.pitch = min(PITCH, TALL / self.most)
        self.height = round(TOP + self.most * self.pitch + 30)
        self.variant: str | int = "width" if study.widths else "net"
        if len(study.variants) == 1:
            self.variant = 0
        self.rivals = len(study.variants) > 1 and not study.widths
        alike = all(names == self._names(f)[0] for f in (0, 1) for names in self._names(f))
        self.named: str | int = 0 if alike else self.variant
        self.batch: str | int = "batch" if len(study.batches) > 1 else 0
        self._orders, self._places, self._sums = Pooled(), Pooled(), Pooled()

        self.first_peak_y, self.first_band_y = up(roofs.peaks[0]), up(LOW * roofs.bands[0])

    def y(self, place: float) -> float:
        """Upper edge of a place in the list of rows."""
        return TOP + place * self.pitch

    @staticmethod
    def folds(value: Callable[[int], Any]) -> list:
        """[rows]: one entry by module, one by kind."""
        return [value(fold) for fold in (0, 1)]

    def cases(self, value: Callable[[Place, int], Any]) -> list:
        """One entry for each place and schedule."""
        return [value(place, schedule) for place in self.study.places for schedule in (0, 1)]

    def _pad(self, found: Sequence, fill: Any) -> list:
        return [*found, *[fill] * (self.most + 1 - len(found))]

    def each(self, value: Callable[[Cost, int], Any], fill: Any) -> list:
        """[rows][case][row]"""
        return self.folds(lambda f: self.cases(lambda p, s: self._pad(
            [value(row, s) for row in self.study.rows(f, p)], fill)))  # fmt: skip

    def once(self, value: Callable[[Cost], Any], fill: Any) -> list:
        """[rows][place][row]: for what no schedule changes."""
        return self.folds(lambda f: [
            self._pad([value(row) for row in self.study.rows(f, p)], fill)
            for p in self.study.places])  # fmt: skip

    def derive(self) -> dict[str, Any]:
        """Return the keys that marks look up with, beside the parameters."""
        keys = {
            "place": L("place_of", self.variant, "size", self.batch),
            "case": L("case_of", "place", "schedule"),
            "perm": L("perm_of", "rows", "sort", "case"),
            "now": L("order", "perm", "row"),
            "any": L("any", "row"),
            "ridge": L("ridge_of", "peak", "band"),
            "machine": L("preset", "peak", "band"),
            "reach": L("reach_of", "case", "ridge"),
            "now_bin": L("bin", "rows", "case", "now"),
            "now_side": L("side", "ridge", "now_bin"),
        }
        for m, name in enumerate(MEASURES[:3]):
            keys[f"sums_{name}"] = L("sums_of", "rows", "sort", "case", m)
            keys[f"share_{name}"] = L("sums", f"sums_{name}", "row")
        for i in range(self.most):
            keys[f"at{i}"] = L("order", "perm", i + 1)
            keys[f"to{i}"] = L("to", "perm", i)
            keys[f"bin{i}"] = L("bin", "rows", "case", i)
            keys[f"side{i}"] = L("side", "ridge", f"bin{i}")
        return keys

    def tables(self) -> dict[str, list]:
        """Return all tables but those of words."""
        return {**self._places_table(), **self._rows(), **self._orders_table(), **self._roof()}

    def _places_table(self) -> dict[str, list]:
        study, index = self.study, {p: i for i, p in enumerate(self.study.places)}
        v, s, b = (range(len(axis)) for axis in (study.variants, study.sizes, study.batches))
        count = self.folds(lambda f: [len(study.names(f, i)) for i in v])
        return {
            "place_of": [[[index[i, j, k] for k in b] for j in s] for i in v],
            "case_of": [[2 * p, 2 * p + 1] for p in index.values()],
            "steps": [[n + 1 for n in fold] for fold in count],
            "there": [[[int(j < n) for j in range(self.most)] for n in fold] for fold in count],
            "any": [0] + [1] * self.most,
            "row": ["none", *(str(j) for j in range(1, self.most + 1))],
            "variant": list(study.variants),
            "size": [f"{side} px" for side in study.sizes],
            "pct": [[""] * len(SHARES), SHARES],
        }

    def _rows(self) -> dict[str, list]:
        tables: dict[str, list] = {
            "name": self.folds(lambda f: self._names(f) if self.named else self._names(f)[:1]),
            "dot_x": self.each(
                lambda c, s: round(across(c.intensity(s))) if c.macs else GUTTER, GUTTER),
            "ai": self.each(lambda c, s: ratio(c.intensity(s)), ""),
            "dot_r": self._scaled(lambda c: sqrt(c.macs), lambda part: round(2.6 + 5.4 * part, 1)),
        }  # fmt: skip
        for measure in MEASURES:
            room = ROOM if measure in NUMBERED else LENGTH
            if measure in NUMBERED:
                tables[f"{measure}_s"] = self._by(measure, lambda value, top: number(value), "")
            tables[f"{measure}_w"] = self._by(
                measure, lambda value, top, room=room: round(room * value / top) if top else 0, 0
            )
        return tables

    def _names(self, fold: int) -> list[list[str]]:
        """[variant][row]"""
        variants = range(len(self.study.variants))
        return [self._pad([short(n, 19) for n in self.study.names(fold, v)], "") for v in variants]

    def _scaled(self, size: Callable[[Cost], float], shown: Callable[[float], float]) -> list:
        """[rows][place][row]: a size as a part of the largest in its case; 0 for no row."""

        def line(fold: int, place: Place) -> list:
            sizes = [size(row) for row in self.study.rows(fold, place)]
            top = max(sizes, default=0) or 1
            known = place in self.study.cases
            return self._pad([shown(n / top) if known else 0 for n in sizes], 0)

        return self.folds(lambda f: [line(f, p) for p in self.study.places])

    def key_of(self, measure: str) -> str | int:
        """The key that a measure's tables depend on, beside `rows`."""
        return {"params": self.variant, "macs": "place"}.get(measure, "case")

    def _by(self, measure: str, value: Callable[[int, int], Any], fill: Any) -> list:
        """[rows][variant, place or case][row]: as few as the measure depends on."""

        def line(fold: int, place: Place, schedule: int) -> list:
            rows = self.study.rows(fold, place)
            values = [row.value(measure, schedule) for row in rows]
            top = max(values, default=0)
            return self._pad([value(n, top) for n in values], fill)

        def some(fold: int) -> list:
            if measure == "params":
                firsts = [
                    min(p for p in self.study.cases if p[0] == v)
                    for v in range(len(self.study.variants))
                ]
                return [line(fold, place, 0) for place in firsts]
            if measure == "macs":
                return [line(fold, place, 0) for place in self.study.places]
            return self.cases(lambda place, schedule: line(fold, place, schedule))

        return self.folds(some)

    def order(self, fold: int, sort: int, place: Place, schedule: int) -> list[int]:
        """Return the numbers of the rows in the order they are listed."""
        rows = self.study.rows(fold, place)
        measure = tuple(SORTS.values())[sort]
        if not measure:
            return list(range(len(rows)))
        return sorted(range(len(rows)), key=lambda i: -rows[i].value(measure, schedule))

    def _orders_table(self) -> dict[str, list]:
        def perm(fold: int, sort: int, place: Place, schedule: int) -> int:
            order = self.order(fold, sort, place, schedule)
            rest = list(range(len(order), self.most))
            places = {row: j for j, row in enumerate([*order, *rest])}
            none = [self.most] * (self.most - len(order))
            number = self._orders.add([self.most, *order, *none])
            if number == len(self._places.vectors):
                self._places.vectors.append([places[i] for i in range(self.most)])
            return number

        ids = self._sorted(perm)
        return {
            "perm_of": ids,
            "sums_of": self._sorted(self._running),
            "order": self._orders.vectors,
            "to": self._places.vectors,
            "sums": self._sums.vectors,
            "row_y": [round(self.y(j) + 0.15 * self.pitch, 2) for j in range(self.most)],
            "text_y": [round(self.y(j) + self.pitch / 2 + 4.6, 2) for j in range(self.most)],
            "dot_y": [round(self.y(j) + self.pitch / 2, 2) for j in range(self.most)],
            "edge_y": [round(self.y(j), 2) for j in range(self.most + 1)],
            "taken_h": [round(j * self.pitch, 2) for j in range(self.most + 1)],
            "last_y": [round(self.y(max(0, j - 1)), 2) for j in range(self.most + 1)],
        }

    def _sorted(self, value: Callable[[int, int, Place, int], Any]) -> list:
        """[rows][sort][case]"""
        return self.folds(lambda f: [
            self.cases(lambda p, s, o=o: value(f, o, p, s)) for o in range(len(SORTS))
        ])  # fmt: skip

    def _running(self, fold: int, sort: int, place: Place, schedule: int) -> list[int]:
        """Numbers of the running shares of params, MACs and bytes down the listed rows."""
        rows, total = self.study.rows(fold, place), self.study.total(place)
        listed = [rows[i] for i in self.order(fold, sort, place, schedule)]
        found = []
        for measure in MEASURES[:3]:
            whole, sums = total.value(measure, schedule), [0]
            for row in listed:
                sums.append(sums[-1] + row.value(measure, schedule))
            shares = [share(n / whole) if whole else 0 for n in sums]
            found.append(self._sums.add(self._pad(shares, 0)))
        return found

    def _roof(self) -> dict[str, list]:
        roofs, ridges = self.roofs, self.roofs.ridges
        peaks, bands = range(len(roofs.peaks)), range(len(roofs.bands))

        def end(x: float) -> list:
            return [[up(attainable(x, p, b)) for b in roofs.bands] for p in roofs.peaks]

        def side(ridge: int, bin: int) -> int:
            if bin < 2:
                return (NOTHING, 0)[bin]
            return COMPUTE if ridge < bin - 2 else MEMORY

        bins, chips = len(ridges) + 3, range(len(roofs.presets))
        return {
            "ridge_of": [[roofs.ridge_of(p, b) for b in bands] for p in peaks],
            "ridge_x": [across(r) for r in ridges],
            "ridge_s": [f"{ratio(r)}" for r in ridges],
            "memory_w": [across(r) - ROOF_LEFT for r in ridges],
            "peak_y": [up(p) for p in roofs.peaks],
            "band_y": [up(LOW * b) for b in roofs.bands],
            "left_y": end(LOW),
            "right_y": end(HIGH),
            "corner_y": [[self._corner(p, b) for b in roofs.bands] for p in roofs.peaks],
            "peak_label_y": [up(p) + (18 if up(p) < ROOF_TOP + 16 else -9) for p in roofs.peaks],
            "reach_y": [words_below(p) for p in roofs.peaks],
            "time_y": [words_below(p) + 17 for p in roofs.peaks],
            "band_label_y": [min(up(LOW * b) + 15, ROOF_BOTTOM - 3) for b in roofs.bands],
            "preset": [[self._preset(p, b) for b in bands] for p in peaks],
            "chip": [["hi" if k == j else "panel" for j in chips] for k in range(-1, len(chips))],
            "chip_ink": [["bg" if k == j else "ink" for j in chips] for k in range(-1, len(chips))],
            "peak_s": [spaced(p, "FLOP/s") for p in roofs.peaks],
            "band_s": [spaced(b, "B/s") for b in roofs.bands],
            "side": [[side(r, b) for b in range(bins)] for r in range(len(ridges))],
            "dot": ["none", "c6", "c1", "c6"],
            "bin": self.each(self._bin, 1),
            "reach_of": self.cases(lambda p, s: [
                share(share_of_peak(self._leaves(p), s, r)) for r in ridges]),
        }  # fmt: skip

    def _corner(self, peak: float, band: float) -> float:
        """y of the corner of a roof, or of where it enters or leaves the picture."""
        return up(attainable(min(max(peak / band, LOW), HIGH), peak, band))

    def _preset(self, peak: int, band: int) -> int:
        """1 + the place of the machine that has this roof; 0 for none."""
        found = list(self.roofs.presets.values())
        return found.index((peak, band)) + 1 if (peak, band) in found else 0

    def _bin(self, row: Cost, schedule: int) -> int:
        """0 without a FLOP, 1 without bytes to move, else 2 + the ridges at or below."""
        if not row.macs:
            return 0 if row.moved[schedule] else 1
        return 2 + self.roofs.bin_of(row.intensity(schedule))

    def _leaves(self, place: Place) -> Sequence[Cost]:
        case = self.study.cases.get(place)
        return case.leaves if case else ()
