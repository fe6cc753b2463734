"""Outputs of ShuffleNet and GhostNet against pytorchcv's and timm's, weights copied across.

python tests/bench/bench_models_shuffle.py; prints one line per network, with the greatest
difference in units of the outputs' spread, and fails above 1e-4.
"""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import torch
from bench_models_mobile import difference

from lightcourse import create_model
from lightcourse._torchvision import import_torchvision

# theirs, ours, our settings
PYTORCHCV = (
    ("shufflenet_g1_w1", "shufflenet_v1", {"groups": 1}),
    ("shufflenet_g2_w1", "shufflenet_v1", {"groups": 2}),
    ("shufflenet_g3_w1", "shufflenet_v1", {"groups": 3}),
    ("shufflenet_g4_w1", "shufflenet_v1", {"groups": 4}),
    ("shufflenet_g8_w1", "shufflenet_v1", {"groups": 8}),
    ("shufflenet_g1_w3d4", "shufflenet_v1", {"groups": 1, "width_mult": 0.75}),
    ("shufflenet_g3_w3d4", "shufflenet_v1", {"groups": 3, "width_mult": 0.75}),
    ("shufflenet_g1_wd2", "shufflenet_v1", {"groups": 1, "width_mult": 0.5}),
    ("shufflenet_g3_wd2", "shufflenet_v1", {"groups": 3, "width_mult": 0.5}),
    ("shufflenet_g1_wd4", "shufflenet_v1", {"groups": 1, "width_mult": 0.25}),
    ("shufflenet_g3_wd4", "shufflenet_v1", {"groups": 3, "width_mult": 0.25}),
)
TIMM = (
    ("ghostnet_050", "ghostnet", {"width_mult": 0.5}),
    ("ghostnet_100", "ghostnet", {}),
    ("ghostnet_130", "ghostnet", {"width_mult": 1.3}),
)


def _shortcut_first(parts: tuple[torch.Tensor, torch.Tensor], dim: int) -> torch.Tensor:
    return torch.cat(parts[::-1], dim)


def main() -> None:
    """Compare every pair, print as we go, fail at the end where one differs."""
    torch.manual_seed(0)
    torch.set_num_threads(2)
    import_torchvision()  # before timm, which imports it as well
    provider, timm = import_module("pytorchcv.model_provider"), import_module("timm")
    # where a stage begins, pytorchcv joins the average behind the work, Megvii and we before it
    import_module("pytorchcv.models.shufflenet").torch = SimpleNamespace(cat=_shortcut_first)
    pairs: list[tuple[str, Any, str, dict[str, Any]]] = [
        (f"pytorchcv.{a}", provider.get_model(a), b, settings) for a, b, settings in PYTORCHCV
    ]
    pairs += [(f"timm.{a}", timm.create_model(a), b, settings) for a, b, settings in TIMM]
    worst = 0.0
    for name, theirs, ours, settings in pairs:
        gap = difference(theirs, create_model(ours, **settings))
        worst = max(worst, gap)
        print(f"{name:30} {ours:14} {settings!s:34} max difference {gap:.1e}", flush=True)
    assert worst < 1e-4, f"outputs differ by {worst:.1e} of their spread"


if __name__ == "__main__":
    main()
