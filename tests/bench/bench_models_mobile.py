"""Outputs of SqueezeNet and the MobileNets against timm's and pytorchcv's, weights copied across.

python tests/bench/bench_models_mobile.py; prints one line per network, with the greatest difference
in units of the outputs' spread, and fails above 1e-4.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lightcourse import create_model
from lightcourse._torchvision import import_torchvision

sys.path.insert(0, str(Path(__file__).parents[1]))
from twin import transplant, with_life

# theirs, ours, our settings
PYTORCHCV = (
    ("squeezenet_v1_0", "squeezenet1_0", {}),
    ("squeezenet_v1_1", "squeezenet1_1", {}),
    ("squeezeresnet_v1_0", "squeezenet1_0", {"bypass": True}),
    ("squeezeresnet_v1_1", "squeezenet1_1", {"bypass": True}),
    ("mobilenet_w1", "mobilenet_v1", {}),
    ("mobilenet_w3d4", "mobilenet_v1", {"width_mult": 0.75}),
    ("mobilenet_wd2", "mobilenet_v1", {"width_mult": 0.5}),
    ("mobilenet_wd4", "mobilenet_v1", {"width_mult": 0.25}),
    ("fdmobilenet_w1", "fd_mobilenet", {}),
    ("fdmobilenet_w3d4", "fd_mobilenet", {"width_mult": 0.75}),
    ("fdmobilenet_wd2", "fd_mobilenet", {"width_mult": 0.5}),
    ("fdmobilenet_wd4", "fd_mobilenet", {"width_mult": 0.25}),
)
# theirs, ours, our settings; timm's V3 has eps 1e-5 unless told, its tf_ nets pad like TensorFlow
TIMM = (
    ("mobilenetv2_035", "mobilenet_v2", {"width_mult": 0.35}),
    ("mobilenetv2_050", "mobilenet_v2", {"width_mult": 0.5}),
    ("mobilenetv2_100", "mobilenet_v2", {}),
    ("mobilenetv2_140", "mobilenet_v2", {"width_mult": 1.4}),
    ("mobilenetv3_large_100", "mobilenet_v3_large", {}),
    ("mobilenetv3_large_075", "mobilenet_v3_large", {"width_mult": 0.75}),
    ("mobilenetv3_small_100", "mobilenet_v3_small", {}),
    ("mobilenetv3_small_075", "mobilenet_v3_small", {"width_mult": 0.75}),
    ("tf_mobilenetv3_large_minimal_100", "mobilenet_v3_large", {"minimalistic": True}),
    ("tf_mobilenetv3_small_minimal_100", "mobilenet_v3_small", {"minimalistic": True}),
)


def difference(theirs: nn.Module, ours: nn.Module) -> float:
    """Greatest difference of the outputs on one batch, divided by their deviation."""
    x = torch.randn(2, 3, 224, 224)
    transplant(with_life(theirs), ours.eval(), x)
    with torch.no_grad():
        a, b = theirs(x), ours(x)
    assert a.shape == b.shape and a.std() > 1e-3
    return ((a - b).abs().max() / a.std()).item()


def main() -> None:
    """Compare every pair, print as we go, fail at the end where one differs."""
    torch.manual_seed(0)
    torch.set_num_threads(2)
    import_torchvision()  # before timm, which imports it as well
    pairs: list[tuple[str, Any, str, dict[str, Any]]] = []
    provider = import_module("pytorchcv.model_provider")
    timm = import_module("timm")
    pairs += [
        (f"pytorchcv.{a}", provider.get_model(a), b, settings) for a, b, settings in PYTORCHCV
    ]
    for a, b, settings in TIMM:
        like_ours = {"bn_eps": 1e-3, "pad_type": ""} if "v3" in a else {}
        pairs.append((f"timm.{a}", timm.create_model(a, **like_ours), b, settings))
    worst = 0.0
    for name, theirs, ours, settings in pairs:
        gap = difference(theirs, create_model(ours, **settings))
        worst = max(worst, gap)
        print(f"{name:38} {ours:20} {settings!s:24} max difference {gap:.1e}", flush=True)
    assert worst < 1e-4, f"outputs differ by {worst:.1e} of their spread"


if __name__ == "__main__":
    main()
