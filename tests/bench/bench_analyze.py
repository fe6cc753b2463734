"""CPU time of a whole analysis against fvcore's MAC count alone, in one run.

Run by hand: pip install "lightcourse[bench]", then pytest tests/bench/bench_analyze.py -s
"""

import logging
import statistics
import time
from collections.abc import Callable

import pytest
import torch

from lightcourse._torchvision import import_torchvision
from lightcourse.analysis import analyze

pytestmark = pytest.mark.filterwarnings("ignore")  # fvcore stands on the deprecated jit.trace


def cpu_ms(work: Callable[[], object], repeats: int = 7) -> float:
    """Return the median CPU time of a call in milliseconds, after one call to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(1e3 * (time.process_time() - start))
    return statistics.median(times)


@pytest.mark.parametrize("name", ["mobilenet_v2", "shufflenet_v2_x1_0", "densenet121"])
def test_analyze_against_fvcore(name: str) -> None:
    fvcore = pytest.importorskip("fvcore.nn", reason="pip install 'lightcourse[bench]'")
    logging.disable(logging.CRITICAL)  # fvcore logs each operator that it skips
    torch.set_num_threads(1)
    model = import_torchvision().models.get_model(name).eval()
    x = torch.randn(1, 3, 224, 224)
    try:
        theirs = cpu_ms(lambda: fvcore.FlopCountAnalysis(model, x).total())
    finally:
        logging.disable(logging.NOTSET)
    counted = cpu_ms(lambda: analyze(model))
    everything = cpu_ms(lambda: analyze(model).to_dict())
    print(
        f"\n{name}: fvcore's MACs {theirs:.0f} ms; analyze {counted:.0f} ms "
        f"({theirs / counted:.1f}x less); with every receptive field {everything:.0f} ms "
        f"({theirs / everything:.1f}x less)"
    )
    assert counted <= theirs
