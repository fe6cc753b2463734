"""Models: counts from the papers and torchvision, and outputs equal to torchvision's."""

import inspect

import pytest
import torch
from torch import nn

from lightcourse import analyze, create_model, list_models
from lightcourse._torchvision import import_torchvision
from lightcourse.errors import UserError
from lightcourse.models import MODELS, mobilenet_v2

# width: params and multiply-accumulates at 224, counted by an independent build in the project's
# facts; the paper's table 4 and the authors' README print 1.95, 2.61, 3.47, 6.06 M and 97, 209,
# 300, 582 M
COUNTS = {
    0.5: (1_968_680, 97_131_840),
    0.75: (2_636_424, 209_069_792),
    1.0: (3_504_872, 300_774_272),
    1.4: (6_108_776, 582_195_824),
}


@pytest.mark.parametrize("width", COUNTS)
def test_mobilenet_v2_counts(width: float) -> None:
    with torch.device("meta"):
        report = analyze(mobilenet_v2(width_mult=width), strict=True)
    assert (report.params, report.macs) == COUNTS[width]


@pytest.mark.parametrize("width", [0.35, 0.5, 1.0, 1.3])
def test_mobilenet_v2_equals_torchvision(width: float) -> None:
    torch.manual_seed(0)
    theirs = import_torchvision().models.mobilenet_v2(width_mult=width).eval()
    ours = mobilenet_v2(width_mult=width).eval()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):  # statistics that matter, unlike fresh 0 and 1
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 96, 64)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x))


def test_mobilenet_v2_starts_like_torchvisions() -> None:
    torch.manual_seed(3)
    theirs = import_torchvision().models.mobilenet_v2()
    ours = mobilenet_v2()
    for (name, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        if a.numel() > 5000:
            assert a.std().item() == pytest.approx(b.std().item(), rel=0.05), name
        elif a.dim() == 1:
            assert torch.equal(a, b), name


def test_small_input_keeps_the_first_two_strides() -> None:
    report = analyze(mobilenet_v2(num_classes=10, small_input=True), (1, 3, 32, 32))
    field = report.receptive_field
    maps = [layer.output_shape for layer in report.layers if len(layer.output_shape) == 4]
    assert maps[-1] == (1, 1280, 4, 4) and field is not None and field.stride == (8, 8)
    assert report.params == 2_236_682  # only the classifier differs: 1281 · 990 fewer
    assert report.params == COUNTS[1.0][0] - 1281 * 990


def test_settings_reach_the_network() -> None:
    model = mobilenet_v2(num_classes=7, in_channels=1, dropout=0.5)
    assert model(torch.zeros(2, 1, 64, 64)).shape == (2, 7)
    assert model.classifier[0].p == 0.5


def test_list_models_is_sorted_and_complete() -> None:
    assert list_models() == sorted(list_models())
    assert {"mobilenet_v2", "mobilenet_v2_cifar"} <= set(list_models())
    cifar = analyze(create_model("mobilenet_v2_cifar"), (1, 3, 32, 32))
    assert cifar.output_shape == (1, 10)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: create_model("mobilenetv2"), "did you mean mobilenet_v2"),
        (lambda: create_model("RESNET50"), r"No model is called 'RESNET50'; did you mean resnet50"),
        (lambda: create_model("MobileNetV2"), "did you mean mobilenet_v2"),
        (lambda: create_model(None), "name is text, not None"),
        (lambda: create_model(["resnet50"]), "name is text, not"),
        (lambda: create_model("zzz"), r"list_models\(\) has the names"),
        (lambda: create_model("mobilenet_v2", width=2), "its settings are num_classes, width_mult"),
        (lambda: create_model("mobilenet_v2", width_mult=0), "width_mult is 0"),
        (lambda: create_model("mobilenet_v2", num_classes=0), "num_classes is 0"),
        (lambda: create_model("mobilenet_v2", dropout=1.0), "from 0 up to 1"),
    ],
)
def test_mistakes_get_one_clear_sentence(build, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        build()
    assert "\n" not in str(caught.value)


def with_setting(wanted) -> list[tuple[str, str]]:
    """Every model and each of its settings that `wanted` takes."""
    return [
        (name, parameter.name)
        for name, build in MODELS.items()
        for parameter in inspect.signature(build).parameters.values()
        if wanted(parameter)
    ]


SWITCHES = with_setting(lambda parameter: isinstance(parameter.default, bool))


@pytest.mark.parametrize(("name", "switch"), SWITCHES)
def test_switches_are_true_or_false(name: str, switch: str) -> None:
    for wrong in ("no", 1, None):
        with pytest.raises(UserError, match=f"{switch} is {wrong!r}; it is True or False"):
            create_model(name, **{switch: wrong})


def test_every_kind_of_switch_is_tried() -> None:
    assert {switch for _, switch in SWITCHES} == {
        "small_input", "separable", "shallow", "minimalistic", "bypass", "batch_norm",
        "aux_classifiers", "bottleneck", "kernel_transforms",
    }  # fmt: skip


# channels of the narrowest layer that the width scales, from the papers' tables
NARROWEST = {
    "mobilenet_v1": 32, "fd_mobilenet": 32, "mobilenet_v2": 16, "mobilenet_v3_large": 16,
    "mobilenet_v3_small": 16, "shufflenet_v1": 24, "ghostnet": 16, "mnasnet_a1": 16,
    "mnasnet_b1": 16, "mnasnet_small": 8, "ofa_mobilenet_v3": 16, "efficientnet_b0": 16,
}  # fmt: skip
WIDE = with_setting(lambda parameter: parameter.name == "width_mult")


@pytest.mark.parametrize("name", [name for name, _ in WIDE])
def test_no_width_leaves_a_layer_without_channels(name: str) -> None:
    for width in (1e-9, 0.03):
        with pytest.raises(UserError, match=r"width_mult"):
            create_model(name, width_mult=width)
    if name in NARROWEST and name != "shufflenet_v1":  # whose groups have to divide as well
        least = 1 / NARROWEST[name]
        with torch.device("meta"):
            assert min(p.numel() for p in create_model(name, width_mult=least).parameters()) > 0
        with pytest.raises(UserError, match=f"of the {NARROWEST[name]} channels .* from {least}"):
            create_model(name, width_mult=0.99 * least)


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet18", "yolov4_tiny", "efficientdet_d0"])
def test_a_picture_with_its_channels_last_is_named(name: str) -> None:
    with torch.device("meta"):
        model = create_model(name)
        with pytest.raises(
            UserError, match=r"channels last; call it with x\.permute\(0, 3, 1, 2\)"
        ):
            model(torch.empty(1, 96, 96, 3))
        model.eval()(torch.empty(1, 128, 128, 3).permute(0, 3, 1, 2))


def test_tab_completion_offers_models_and_functions_only() -> None:
    import lightcourse.models as room

    offered = set(dir(room))
    assert {"mobilenet_v2", "vgg16", "create_model", "to_onnx"} <= offered
    assert offered.isdisjoint({"Any", "nn", "signature", "get_close_matches", "Parameter"})
    assert offered == set(room.__all__) and all(hasattr(room, name) for name in offered)
    builders = {name for name in offered if name in MODELS}
    assert len(builders) > 60 and all(callable(getattr(room, name)) for name in builders)
