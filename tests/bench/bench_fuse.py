"""What folding the batch norms saves: time of the fused network, as a ratio in one run.

python tests/bench/bench_fuse.py [NAME ...]; eager, eval, channels_last, 2 threads. Outputs are
compared too, in double precision.
"""

import sys
from collections.abc import Sequence
from functools import partial

import torch
from bench_models import fastest, picture, ready

from lightcourse import create_model
from lightcourse.nn import fuse

NAMES = (
    "mobilenet_v1", "fd_mobilenet", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small",
    "shufflenet_v1", "shufflenet_v2", "ghostnet", "snet146", "efficientnet_b0",
    "mnasnet_a1", "proxylessnas_mobile", "fbnet_c", "yolov4_tiny", "resnet18", "resnet50",
    "densenet121", "darknet53",
)  # fmt: skip


def error_of(name: str) -> float:
    """The largest difference to the unfused network, relative to its largest output."""
    torch.manual_seed(0)
    model = create_model(name).double()
    x = torch.randn(2, 3, 64, 64, dtype=torch.double)
    with torch.no_grad():
        for _ in range(3):
            model.train()(x)  # statistics that matter
        before, after = model.eval()(x), fuse(model)(x)
    before, after = (out[0] if isinstance(out, tuple) else out for out in (before, after))
    return float((before - after).abs().max() / before.abs().max())


def main(names: Sequence[str] = NAMES, rounds: int = 15) -> None:
    torch.set_num_threads(2)
    heads = ("network", "folded", "plain ms", "fused ms", "ratio", "error")
    print("{:20} {:>6} {:>9} {:>9} {:>6} {:>8}".format(*heads))
    for name in names:
        model = create_model(name)
        fused = fuse(model)
        with torch.inference_mode():
            runs = [partial(ready(net), picture(224)) for net in (model, fused)]
            a, b = fastest(runs, rounds)
        error = error_of(name)
        print(f"{name:20} {fused.folded:6} {a:9.2f} {b:9.2f} {b / a:6.3f} {error:8.1e}", flush=True)
        assert error < 1e-5, name


if __name__ == "__main__":
    main(sys.argv[1:] or NAMES)
