"""`lightcourse bench`: what this machine can do, and which layers of a network use it."""

from collections.abc import Sequence

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
