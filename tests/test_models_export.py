"""Every model: on meta, trained, copied, fused, exported; ONNX Runtime's outputs against ours."""

import importlib.util
import pickle
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from twin import with_life

from lightcourse import create_model, list_models
from lightcourse.errors import UserError
from lightcourse.models import FAMILIES, to_onnx
from lightcourse.nn import fuse

SIDES = dict.fromkeys(("alexnet", "inception_v3", "inception_v4", "inception_resnet_v2"), 96)


def picture(model: nn.Module, name: str, device: str = "cpu") -> Tensor:
    side = SIDES.get(name, 64)
    return torch.ones(2, model.in_channels, side, side, device=device)


def lively(name: str) -> tuple[nn.Module, Tensor]:
    """A model whose every weight matters and whose norms fit its maps, and a picture for it."""
    torch.manual_seed(0)
    model = with_life(create_model(name))
    shape = picture(model, name, "meta").shape[1:]
    seen = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))  # to_onnx's own
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0  # else outputs reach 1e4 and rounding drowns what is looked for
    for module in model.modules():
        module.train(module in norms)
    with torch.no_grad():
        for _ in range(2):  # first the means, as one batch with in-place neighbours sees them
            model(torch.cat([seen, torch.randn(5, *shape)]))
    return model.eval(), seen[:2]


def assert_equal(ours, theirs, tolerance: float = 1e-5) -> None:
    for a, b in zip(tree_leaves(ours), tree_leaves(theirs), strict=True):
        assert a.std() > 1e-3, "an output without spread proves nothing"
        scale = a.abs().max()
        torch.testing.assert_close(b / scale, a / scale, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", list_models())
def test_builds_without_memory_and_every_parameter_learns(name: str) -> None:
    with torch.device("meta"):
        model = create_model(name).train()
    assert all(t.is_meta for t in (*model.parameters(), *model.buffers()))
    sum(out.sum() for out in tree_leaves(model(picture(model, name, "meta")))).backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("name", list_models())
def test_wrong_channels_get_one_sentence(name: str) -> None:
    with torch.device("meta"):
        model = create_model(name)
    wrong = model.in_channels + 1
    x = torch.empty(2, wrong, 64, 64, device="meta")
    with pytest.raises(UserError, match=f"{wrong}") as caught:
        model(x)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


# family -> the model that stands for it where each run costs seconds; light families come first
LIGHT = {
    "SqueezeNet": "squeezenet1_1", "MobileNetV1": "mobilenet_v1", "FD-MobileNet": "fd_mobilenet",
    "MobileNetV2": "mobilenet_v2", "MobileNetV3": "mobilenet_v3_small",
    "ShuffleNetV1": "shufflenet_v1", "ShuffleNetV2": "shufflenet_v2", "ShiftNet": "shiftnet_a",
    "ShiftResNet": "shiftresnet20", "GhostNet": "ghostnet", "EfficientNet": "efficientnet_b0",
    "EfficientDet": "efficientdet_d0", "MnasNet": "mnasnet_small",
    "ProxylessNAS": "proxylessnas_mobile", "FBNet": "fbnet_c", "OFA": "ofa_mobilenet_v3",
    "MCUNet": "mcunet_mbv2_320kb", "YOLO-tiny": "yolov4_tiny", "ThunderNet": "snet49",
    "LeNet": "lenet5",
}  # fmt: skip
CLASSIC = {
    "Darknet": "darknet_ref", "CSP": "cspresnext50", "DetNet": "detnet59",
    "Inception": "googlenet", "ResNet": "resnet18", "ResNeXt": "resnext50_32x4d",
    "ResNet-CIFAR": "resnet_cifar", "DenseNet": "densenet_cifar",
}  # fmt: skip
TOO_LARGE = {"AlexNet", "VGG", "WRN", "YOLO", "SpineNet", "Light-Head"}  # seconds each; make bench

NORMS_FIRST = {"densenet_cifar", "shiftnet_a"}  # their norms stand before the convolutions


def test_every_family_has_its_model() -> None:
    assert {*LIGHT, *CLASSIC, *TOO_LARGE} == set(FAMILIES)
    for family, name in (LIGHT | CLASSIC).items():
        assert name in FAMILIES[family]


@pytest.mark.parametrize("name", (LIGHT | CLASSIC).values())
def test_copies_layouts_and_the_fused_form_give_the_same_outputs(name: str) -> None:
    model, x = lively(name)
    model, x = model.double(), x.double()  # exact enough to tell a mistake from rounding
    fused = fuse(model, x.shape)
    has_norms = any(isinstance(m, nn.BatchNorm2d) for m in model.modules())
    assert (fused.folded > 0) == (has_norms and name not in NORMS_FIRST)
    with torch.no_grad():
        out = model(x.clone())
        assert_equal(out, deepcopy(model)(x.clone()), 0)
        assert_equal(out, pickle.loads(pickle.dumps(model))(x.clone()), 0)
        assert_equal(out, fused(x.clone()), 1e-9)
        there = deepcopy(model).to(memory_format=torch.channels_last)
        assert_equal(out, there(x.to(memory_format=torch.channels_last)), 1e-9)


@pytest.mark.parametrize("name", LIGHT.values())
def test_a_step_leaves_finite_gradients(name: str) -> None:
    torch.manual_seed(0)
    model = create_model(name).train()
    x = torch.randn(4, *picture(model, name).shape[1:])
    sum(out.square().mean() for out in tree_leaves(model(x))).backward()
    for parameter, p in model.named_parameters():
        assert p.grad is not None and p.grad.isfinite().all(), parameter


# the others' export is in tests/bench/bench_models_onnx.py: every one costs five seconds
ONNX = ("squeezenet1_1", "mobilenet_v3_small", "shufflenet_v2", "ghostnet", "yolov4_tiny")


@pytest.mark.parametrize("name", [name for name in LIGHT.values() if name not in ONNX])
def test_torch_export_with_a_free_batch(name: str) -> None:
    model, x = lively(name)
    program = torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},))
    more = torch.randn(3, *x.shape[1:])
    with torch.no_grad():
        assert_equal(model(more.clone()), program.module()(more.clone()))


@pytest.mark.slow
@pytest.mark.parametrize("name", ONNX)
def test_onnx_runtime_gives_the_same_outputs(name: str, tmp_path: Path) -> None:
    model, x = lively(name)
    done = to_onnx(model, tmp_path / f"{name}.onnx", x.shape)
    assert done.difference <= 1e-4 * max(1, done.largest), done
    assert done.largest > 0.1 and done.size == done.path.stat().st_size
    assert not any(path.suffix == ".data" for path in tmp_path.iterdir()), "one file, not two"


class Odd(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 2 if x.sum() > 0 else x  # which way depends on values


class Two(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y


CONV = nn.Conv2d(3, 4, 1)


@pytest.mark.parametrize(
    ("model", "path", "settings", "says"),
    [
        (5, "x.onnx", {}, "an nn.Module; this is int"),
        (CONV, "none/x.onnx", {}, "no folder"),
        (CONV, ".", {}, "is a folder; name a file in it"),
        (CONV, "x.onnx", {"input_size": 8}, r"input_size is 8; it is a shape"),
        (CONV, "x.onnx", {"input_size": (1, 3, 0, 8)}, "it is a shape"),
        (CONV, "x.onnx", {"tolerance": -1}, "tolerance is -1"),
        (CONV, "x.onnx", {"input_size": (1, 5, 8, 8)}, "does not run on .* 5 channels"),
        (Two(), "x.onnx", {"input_size": (1, 3, 8, 8)}, "missing 1 required .* 'y'"),
        (Odd(), "x.onnx", {"input_size": (1, 3, 8, 8)}, "cannot export .* data-dependent"),
    ],
)
def test_onnx_mistakes_get_one_sentence(
    model: nn.Module, path: str, settings: dict, says: str, tmp_path: Path, capfd
) -> None:
    with pytest.raises(UserError, match=says) as caught:
        to_onnx(model, tmp_path / path, **settings)
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)
    assert capfd.readouterr() == ("", ""), "the exporter's own words are kept back"


def test_onnx_says_what_stands_in_its_way(tmp_path: Path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(torch.onnx.ONNXProgram, "save", full)
        with pytest.raises(UserError, match=r"x\.onnx cannot be written: Permission denied\."):
            to_onnx(CONV, tmp_path / "x.onnx", (1, 3, 8, 8))
    model = create_model("shiftresnet20")
    with pytest.raises(UserError, match="built for 3 input channels and got 4"):
        to_onnx(model, tmp_path / "x.onnx", (1, 4, 32, 32))
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "lightcourse.models._onnx.find_spec", lambda n: None if n == "onnx" else found(n)
    )
    with pytest.raises(UserError, match=r'need onnx; install: pip install "lightcourse\[onnx\]"'):
        to_onnx(CONV, tmp_path / "x.onnx")


def test_a_wrong_onnx_file_is_refused(tmp_path: Path, monkeypatch) -> None:
    from lightcourse.models import _onnx

    right = _onnx._run
    monkeypatch.setattr(_onnx, "_run", lambda path, x: [out + 0.01 for out in right(path, x)])
    with pytest.raises(UserError, match=r"differ from PyTorch's by 1\.0e-02.*do not use it"):
        to_onnx(nn.Conv2d(3, 4, 1), tmp_path / "x.onnx", (1, 3, 8, 8))
