"""The published layer tables (tests/data/layer_tables.json), and ours in the same columns."""

import json
from pathlib import Path

import torch
from torch import nn

TABLES = json.loads((Path(__file__).parent / "data" / "layer_tables.json").read_text())["tables"]


def rows_of(model: nn.Module, shape: tuple[int, ...]) -> list[list]:
    """Convolutions and linear layers in the order they run: type, cin, cout, kernel … macs."""
    rows: list[list] = []

    def note(module: nn.Module, _args: tuple, out: torch.Tensor) -> None:
        params = sum(p.numel() for p in module.parameters())
        if isinstance(module, nn.Linear):
            size = [module.in_features, module.out_features]
            rows.append(["linear", *size, params, size[0] * size[1]])
        else:
            assert isinstance(module, nn.Conv2d)
            hw = list(out.shape[2:])
            macs = module.weight.numel() * hw[0] * hw[1]
            geometry = [list(module.kernel_size), list(module.stride), module.groups]
            channels = [module.in_channels, module.out_channels]
            rows.append(["conv", *channels, *geometry, list(module.dilation), hw, params, macs])

    model = model.to("meta").eval()
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(note)
    with torch.no_grad():
        model(torch.empty(shape, device="meta"))
    return rows


def published_rows(name: str) -> list[list]:
    """The table's convolutions and linear layers, without their names."""
    rows = []
    for _, kind, cin, cout, *geometry, hw, params, macs in TABLES[name]["rows"]:
        if kind == "linear":
            rows.append([kind, cin, cout, params, macs])
        elif kind == "conv":
            rows.append([kind, cin, cout, *geometry, hw, params, macs])
    return rows


def assert_layers(model: nn.Module, name: str, in_channels: int = 3) -> None:
    """Every convolution and linear layer equals the published table's, in order."""
    side = TABLES[name]["input"]
    ours = rows_of(model, (1, in_channels, side, side))
    theirs = published_rows(name)
    for index, (a, b) in enumerate(zip(ours, theirs, strict=False)):
        assert a == b, f"layer {index}: ours {a}, published {b}"
    assert len(ours) == len(theirs)
