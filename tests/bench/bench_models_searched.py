"""Outputs of the searched networks against timm's and pytorchcv's, weights copied across.

python tests/bench/bench_models_searched.py; prints one line per network, with the greatest
difference in units of the outputs' spread, and fails above 1e-4.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from lightcourse import create_model
from lightcourse._torchvision import import_torchvision

sys.path.insert(0, str(Path(__file__).parents[1]))
from twin import transplant, with_life

# theirs, ours, our settings
TIMM: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("semnasnet_100", "mnasnet_a1", {}),
    ("semnasnet_075", "mnasnet_a1", {"width_mult": 0.75}),
    ("mnasnet_100", "mnasnet_b1", {}),
    ("mnasnet_small", "mnasnet_small", {}),
    ("fbnetc_100", "fbnet_c", {}),
    ("efficientnet_b0", "efficientnet_b0", {}),
    ("efficientnet_b2", "efficientnet_b2", {}),
    ("efficientnet_lite0", "efficientnet_lite0", {}),
)
PYTORCHCV: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("proxylessnas_mobile", "proxylessnas_mobile", {}),
    ("proxylessnas_gpu", "proxylessnas_gpu", {}),
    ("proxylessnas_cpu", "proxylessnas_cpu", {}),
    ("proxylessnas_mobile14", "proxylessnas_mobile14", {}),
)


def main() -> None:
    """Compare every pair; print as we go, and fail at the end where one differs."""
    torch.manual_seed(0)
    import_torchvision()  # before timm, which imports it as well
    timm, provider = import_module("timm"), import_module("pytorchcv.model_provider")
    pairs = [(f"timm.{name}", timm.create_model, name, *ours) for name, *ours in TIMM]
    pairs += [(f"pytorchcv.{name}", provider.get_model, name, *ours) for name, *ours in PYTORCHCV]
    x = torch.randn(1, 3, 224, 224)
    worst = 0.0
    for label, build, name, ours, settings in pairs:
        theirs, mine = with_life(build(name)), create_model(ours, **settings).eval()
        transplant(theirs, mine, x)
        with torch.no_grad():
            a, b = theirs(x), mine(x)
        assert a.shape == b.shape and a.std() > 1e-3, f"{label}: an output without spread"
        gap = ((a - b).abs().max() / a.std()).item()
        worst = max(worst, gap)
        print(f"{label:34} {ours:22} {settings!s:22} max difference {gap:.1e}", flush=True)
    assert worst < 1e-4, f"outputs differ by {worst:.1e} of their spread"


if __name__ == "__main__":
    main()
