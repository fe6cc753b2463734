"""Measured against predicted time of every layer, as ratios, and which prediction fits best.

python tests/bench/bench_latency.py [NET ...]; the first run probes the machine for 30 seconds.
"""

import math
import sys
from collections.abc import Callable, Sequence
from statistics import median

from lightcourse._torchvision import import_torchvision
from lightcourse.analysis import LayerTime, LayerTimes, Machine, latency_by_layer, probe

NETS = ("mobilenet_v2", "resnet18", "shufflenet_v2_x1_0")


def ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    for rank, index in enumerate(order):
        found[index] = rank
    return found


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Return Spearman's rank correlation."""
    x, y = ranks(a), ranks(b)
    middle = (len(x) - 1) / 2
    return sum((p - middle) * (q - middle) for p, q in zip(x, y, strict=True)) / sum(
        (p - middle) ** 2 for p in x
    )


def models_of(machine: Machine) -> dict[str, Callable[[LayerTime], float]]:
    """Return ways to predict a row's time, from the simplest to ours."""
    return {
        "MACs / peak": lambda r: r.macs / machine.peak_macs,
        "bytes / memory": lambda r: r.memory_access / machine.bandwidth,
        "roofline, memory": lambda r: max(
            r.macs / machine.peak_macs, r.memory_access / machine.bandwidth
        ),
        "roofline, caches": lambda r: machine.seconds(r.macs, r.memory_access),
        "ours: and overhead": lambda r: r.predicted,
    }


def compare_models(times: LayerTimes) -> None:
    rows = [row for row in times.rows if row.predicted]
    measured = [row.measured for row in rows]
    heads = ("prediction", "sum", "median", "quarters", "faster", "rank")
    print("  {:20} {:>6} {:>7} {:>13} {:>7} {:>6}".format(*heads))
    for name, predict in models_of(times.machine).items():
        told = [predict(row) for row in rows]
        ratios = sorted(m / t if t else math.inf for m, t in zip(measured, told, strict=True))
        quarters = (ratios[len(ratios) // 4], ratios[3 * len(ratios) // 4])
        print(
            f"  {name:20} {sum(told) / sum(measured):6.2f} {median(ratios):7.2f} "
            f"{quarters[0]:6.2f}-{quarters[1]:<6.2f} "
            f"{sum(r < 1 for r in ratios) / len(ratios):6.0%} "
            f"{rank_correlation(told, measured):6.2f}"
        )


def compare_kinds(times: LayerTimes) -> None:
    kinds: dict[str, list[LayerTime]] = {}
    for row in times.rows:
        kinds.setdefault(row.kind, []).append(row)
    print(f"  {'kind':24} {'rows':>4} {'of the time':>11} {'measured / predicted':>20}")
    for kind, rows in sorted(kinds.items(), key=lambda kv: -sum(r.measured for r in kv[1])):
        ratios = [row.ratio for row in rows if row.ratio is not None]
        share = sum(row.measured for row in rows) / times.measured
        print(
            f"  {kind[:24]:24} {len(rows):4} {share:11.0%} "
            f"{f'{median(ratios):.2f}' if ratios else '-':>20}"
        )


def main(names: Sequence[str]) -> None:
    machine = probe(seconds=30)
    print(machine)
    for name in names:
        model = import_torchvision().models.get_model(name)
        times = latency_by_layer(model, machine=machine, seconds=4)
        print(f"{name}: parts / whole {times.measured / times.whole:.2f}, {times.passes} passes")
        compare_models(times)
        compare_kinds(times)


if __name__ == "__main__":
    main(sys.argv[1:] or NETS)
