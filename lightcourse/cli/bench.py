"""`lightcourse bench`: what this machine can do, and which layers of a network use it."""

from collections.abc import Sequence
from pathlib import Path

from lightcourse.cli.measure import Picture, busy
from lightcourse.cli.target import load_target


def print_bench(
    targets: Sequence[str], picture: Picture, *, seconds: float, threads: int, force: bool
) -> int:
    """Probe the machine, then time every layer of each target against what the probe predicts."""
    from lightcourse.analysis import latency_by_layer, probe

    loaded = []
    for target in dict.fromkeys(targets):  # a wrong name is said before the long probe begins
        with busy(f"loading {target}"):
            model = load_target(target)
        loaded.append((target, model, picture.input_for(model)))
    machine = probe(seconds=seconds, threads=threads, force=force)
    print(machine, flush=True)
    for target, model, given in loaded:
        times = latency_by_layer(model, given, threads=threads, machine=machine, progress=True)
        print(f"\n{target}\n{times}", flush=True)
    return 0


def print_portrait(families: Sequence[str], *, seconds: float, quick: bool, out: Path) -> int:
    """Measure every light network here, print the table, and leave CSV and pictures in `out`."""
    from lightcourse.design.portrait import portrait

    found = portrait(families or None, seconds=seconds, quick=quick, out=out, progress=True)
    found.to_csv(out / "portrait.csv")
    found.save(out / "portrait.json")
    print(found)
    for x in found.columns:
        path = out / f"pareto_{''.join(c if c.isalnum() else '_' for c in x)}.png"
        found.figure(x).savefig(path)
        names = ", ".join(row.variant for row in found.front(x))
        print(f"{path}: nothing beats {names}")
    print(f"{out / 'portrait.csv'}: the whole table; portrait.json: the same for viz.pareto")
    return 0
