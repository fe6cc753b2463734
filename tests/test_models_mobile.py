"""SqueezeNet and the MobileNets: published tables, torchvision's outputs, and which text we follow.

Counts of every published variant are in test_models_published.py.
"""

import pytest
import torch
from layer_tables import assert_layers, rows_of
from torch import nn
from twin import with_life

from lightcourse import analyze, create_model
from lightcourse._torchvision import import_torchvision
from lightcourse.errors import UserError
from lightcourse.models import mobilenet_v3
from lightcourse.nn import Bneck, ConvNormAct, DepthwiseSeparableConv, Fire, SqueezeExcite

TABLES = {
    "squeezenet1_0": "squeezenet1_0",
    "squeezenet1_1": "squeezenet1_1",
    "mobilenet_v1": "mobilenet_v1_1.0",
    "fd_mobilenet": "fd_mobilenet_1.0",
    "mobilenet_v2": "mobilenet_v2_1.0",
    "mobilenet_v3_large": "mobilenet_v3_large",
    "mobilenet_v3_small": "mobilenet_v3_small",
}
CIFAR = ("squeezenet", *list(TABLES)[2:])


def counts(model: nn.Module, side: int = 224) -> tuple[int, int]:
    report = analyze(model.to("meta"), (1, 3, side, side), strict=True)
    return report.params, report.macs


def norm_params(model: nn.Module) -> int:
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    return sum(p.numel() for m in norms for p in m.parameters())


def assert_same_by_name(theirs: nn.Module, ours: nn.Module, x: torch.Tensor) -> None:
    ours.load_state_dict(with_life(theirs).state_dict())
    with torch.no_grad():
        a, b = theirs(x), ours.eval()(x)
    assert a.std() > 1e-3, "an output without spread proves nothing"
    torch.testing.assert_close(b / a.std(), a / a.std(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", TABLES)
def test_layers_are_the_published_ones(name: str) -> None:
    assert_layers(create_model(name), TABLES[name])


@pytest.mark.parametrize("name", ["squeezenet1_0", "squeezenet1_1"])
@pytest.mark.parametrize("side", [65, 96])
def test_squeezenet_equals_torchvision(name: str, side: int) -> None:
    theirs = getattr(import_torchvision().models, name)(num_classes=20)
    assert_same_by_name(theirs, create_model(name, num_classes=20), torch.randn(2, 3, side, side))


@pytest.mark.parametrize("size", ["large", "small"])
@pytest.mark.parametrize("width", [0.35, 0.75, 1.0, 1.25])
def test_mobilenet_v3_equals_torchvision(size: str, width: float) -> None:
    name = f"mobilenet_v3_{size}"
    theirs = getattr(import_torchvision().models, name)(width_mult=width, num_classes=20)
    ours = create_model(name, width_mult=width, num_classes=20, variant="torchvision")
    assert_same_by_name(theirs, ours, torch.randn(2, 3, 64, 96))


@pytest.mark.parametrize("name", ["squeezenet1_0", "mobilenet_v3_small"])
def test_weights_start_like_torchvisions(name: str) -> None:
    torch.manual_seed(3)
    theirs, ours = getattr(import_torchvision().models, name)(), create_model(name)
    for (key, a), (_, b) in zip(theirs.named_parameters(), ours.named_parameters(), strict=True):
        if a.numel() > 5000:
            assert b.std().item() == pytest.approx(a.std().item(), rel=0.05), key
        elif a.dim() == 1:
            assert torch.equal(a, b), key


# from the authors' README, rounded there: setting -> millions of parameters and multiply-adds
README_V2 = {
    0.35: (1.66, 59),
    0.5: (1.95, 97),
    0.75: (2.61, 209),
    1.3: (5.34, 509),
    1.4: (6.06, 582),
}


@pytest.mark.parametrize("width", README_V2)
def test_mobilenet_v2s_readme_leaves_out_the_batch_norms(width: float) -> None:
    model = create_model("mobilenet_v2", width_mult=width)
    params, macs = counts(model)
    assert ((params - norm_params(model)) / 1e6, macs / 1e6) == (
        pytest.approx(README_V2[width][0], abs=0.005),
        pytest.approx(README_V2[width][1], abs=0.5),
    )
    assert params / 1e6 - README_V2[width][0] > 0.015


def test_mobilenet_v3_smalls_two_published_sizes_are_two_heads() -> None:
    rows = mobilenet_v3.SMALL
    # README: 66 M and 2.9 M at width 1, 44 M and 2.4 M at 0.75; only the 66 does not come out
    assert counts(mobilenet_v3.MobileNetV3(rows, head=1280)) == (2_946_568, 56_913_856)
    narrow = mobilenet_v3.MobileNetV3(rows, head=1280, width_mult=0.75)
    assert counts(narrow) == (2_408_720, 43_765_936)
    assert counts(create_model("mobilenet_v3_small")) == (2_542_856, 56_510_400)


def test_mobilenet_v3_width_keeps_the_head_unless_torchvisions() -> None:
    paper = create_model("mobilenet_v3_large", width_mult=0.75)
    twin = create_model("mobilenet_v3_large", width_mult=0.75, variant="torchvision")
    assert [m.classifier[0].out_features for m in (paper, twin)] == [1280, 960]
    assert (counts(paper)[0], counts(twin)[0]) == (3_993_528, 3_377_576)
    wide = counts(create_model("mobilenet_v3_large", width_mult=1.25))
    assert (round(wide[0] / 1e6, 1), round(wide[1] / 1e6)) == (7.6, 355)  # paper: 7.5 M, 356 M


@pytest.mark.parametrize(("size", "ticks"), [("large", (8, 15)), ("small", (9, 11))])
def test_mobilenet_v3_has_se_only_where_the_table_ticks_it(
    size: str, ticks: tuple[int, int]
) -> None:
    model = create_model(f"mobilenet_v3_{size}")
    parts = list(model.modules())
    count = [sum(isinstance(m, kind) for m in parts) for kind in (SqueezeExcite, Bneck)]
    assert tuple(count) == ticks
    assert isinstance(model.features[-1], ConvNormAct)  # table 2 ticks it here too; the code not


def test_minimalistic_has_nothing_that_plain_hardware_lacks() -> None:
    large = create_model("mobilenet_v3_large", minimalistic=True)
    kinds = {type(m) for m in large.modules()}
    assert not kinds & {SqueezeExcite, nn.Hardswish, nn.Hardsigmoid}
    assert {m.kernel_size for m in large.modules() if isinstance(m, nn.Conv2d)} == {(1, 1), (3, 3)}
    params, macs = counts(large)
    assert (round(params / 1e6, 1), round(macs / 1e6)) == (3.9, 209)  # as the authors' README


def test_squeezenets_table_is_that_of_227() -> None:
    model = create_model("squeezenet1_0")
    assert counts(model, 227) == (1_248_424, 832_667_936)
    sides = {s: [row[-3][0] for row in rows_of(model, (1, 3, s, s))] for s in (224, 227)}
    assert sorted(set(sides[227]), reverse=True) == [111, 55, 27, 13]  # as table 1 prints
    assert sorted(set(sides[224]), reverse=True) == [109, 54, 27, 13]


def test_squeezenet_1_1_is_as_large_and_more_than_twice_as_cheap() -> None:
    old, new = (counts(create_model(f"squeezenet1_{i}")) for i in (0, 1))
    assert old[1] / new[1] == pytest.approx(2.35, abs=0.005)
    assert new[0] / old[0] == pytest.approx(0.99, abs=0.005)


def test_fires_have_the_papers_sizes() -> None:
    fires = [m for m in create_model("squeezenet1_0").features if isinstance(m, Fire)]
    sizes = [sum(p.numel() for p in fire.parameters()) for fire in fires]
    assert sizes == [11920, 12432, 45344, 49440, 104880, 111024, 188992, 197184]


@pytest.mark.parametrize("name", ["squeezenet1_0", "squeezenet1_1"])
def test_bypass_goes_around_every_second_fire_and_costs_nothing(name: str) -> None:
    plain, model = create_model(name), create_model(name, bypass=True)
    fires = [m for m in model.features if isinstance(m, Fire)]
    assert [i for i, fire in enumerate(fires, start=2) if fire.bypass] == [3, 5, 7, 9]
    assert counts(model) == counts(plain)


def test_a_fire_is_its_three_convolutions() -> None:
    fire = with_life(Fire(16, 4, 6, 10, bypass=True))
    x = torch.randn(2, 16, 5, 7)
    narrow = fire.squeeze(x).relu()
    parts = [fire.expand1x1(narrow).relu(), fire.expand3x3(narrow).relu()]
    torch.testing.assert_close(fire(x), torch.cat(parts, 1) + x)


def test_a_bneck_is_expand_filter_weigh_project_and_add() -> None:
    block = with_life(Bneck(16, 64, 16, kernel_size=5, se=True, activation=nn.Hardswish))
    x = torch.randn(2, 16, 9, 8)
    expand, depthwise, se, project = block.block
    torch.testing.assert_close(block(x), x + project(se(depthwise(expand(x)))))
    assert depthwise[0].groups == 64 and depthwise[0].kernel_size == (5, 5)
    assert se.fc1.out_channels == 16 and isinstance(se.gate, nn.Hardsigmoid)
    assert len(project) == 2, "the projection is linear"
    assert not Bneck(16, 64, 16, stride=2).use_shortcut and not Bneck(16, 64, 24).use_shortcut
    assert len(Bneck(16, 16, 16).block) == 2, "nothing to expand"


def test_conv_mobilenet_has_a_whole_convolution_for_each_pair() -> None:
    light, heavy = (create_model("mobilenet_v1", separable=s) for s in (True, False))
    pairs = [m for m in light.features if isinstance(m, DepthwiseSeparableConv)]
    wholes = list(heavy.features)[1:]
    assert len(pairs) == len(wholes) == 13
    for pair, whole in zip(pairs, wholes, strict=True):
        assert [type(layer).__name__[:4] for layer in pair] == [
            *("Dept", "Batc", "ReLU"),  # depthwise first, then pointwise, an activation after both
            *("Poin", "Batc", "ReLU"),
        ]
        assert pair[0].stride == whole[0].stride
        assert (pair[0].in_channels, pair[3].out_channels) == whole[0].weight.shape[1::-1]
    assert counts(heavy)[1] / counts(light)[1] == pytest.approx(8.56, abs=0.005)


def test_shallow_mobilenet_lacks_the_five_layers_of_14x14x512() -> None:
    deep, shallow = (
        rows_of(create_model("mobilenet_v1", shallow=s), (1, 3, 224, 224)) for s in (False, True)
    )
    gone = [r for r in deep if r[1:3] == [512, 512] and r[-3] == [14, 14]]
    assert len(gone) == 10 and len(deep) - len(shallow) == 10
    assert [r for r in deep if r not in gone] == [r for r in shallow if r not in gone]


@pytest.mark.parametrize(("small_input", "side"), [(False, 224), (True, 32)])
def test_fd_mobilenet_is_small_by_half_way(small_input: bool, side: int) -> None:
    last_size = {}
    for name in ("fd_mobilenet", "mobilenet_v1"):
        rows = rows_of(create_model(name, small_input=small_input), (1, 3, side, side))
        sizes = [row[-3] for row in rows if row[0] == "conv"]
        last_size[name] = (sizes.index(sizes[-1]) + 1, len(rows))
    assert last_size == {"fd_mobilenet": (12, 24), "mobilenet_v1": (24, 28)}


def test_fd_mobilenet_spends_less_where_maps_are_large() -> None:
    spent = {}
    for name, width in (("mobilenet_v1", 0.5), ("fd_mobilenet", 1.0)):
        rows = rows_of(create_model(name, width_mult=width), (1, 3, 224, 224))
        spent[name] = sum(r[-1] for r in rows if r[0] == "conv" and r[-3] != [7, 7])
    assert {k: round(v / 1e6, 2) for k, v in spent.items()} == {
        "mobilenet_v1": 129.38,  # of 149.50 M
        "fd_mobilenet": 58.73,  # of 144.49 M
    }


def test_mobilenet_v1_takes_any_width() -> None:
    assert counts(create_model("mobilenet_v1", width_mult=0.125)) == (186_480, 12_085_568)
    assert counts(create_model("mobilenet_v1", width_mult=1 / 32), 32)[0] > 0


@pytest.mark.parametrize("name", CIFAR)
def test_cifar_forms_keep_a_map_to_look_at(name: str) -> None:
    report = analyze(create_model(f"{name}_cifar").to("meta"), (1, 3, 32, 32), strict=True)
    maps = [layer.output_shape for layer in report.layers if len(layer.output_shape) == 4]
    last = [shape[2:] for shape in maps if shape[2] > 1][-1]
    assert last == ((8, 8) if name == "squeezenet" else (4, 4))
    assert report.output_shape == (1, 10)
    assert report.macs < 180e6


@pytest.mark.parametrize("name", CIFAR)
def test_cifar_forms_learn_a_batch(name: str) -> None:
    torch.manual_seed(0)
    narrow = {} if name == "squeezenet" else {"width_mult": 0.25}
    model = create_model(f"{name}_cifar", dropout=0.0, **narrow)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    x, labels = torch.randn(8, 3, 32, 32), torch.arange(8)
    losses = []
    for _ in range(6):
        loss = nn.functional.cross_entropy(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.01


@pytest.mark.parametrize(
    ("name", "side"), [("squeezenet1_0", 21), ("squeezenet1_1", 17), ("squeezenet_cifar", 4)]
)
def test_squeezenet_names_the_smallest_picture(name: str, side: int) -> None:
    model = create_model(name, num_classes=10).eval()
    assert model(torch.zeros(1, 3, side, side)).shape == (1, 10)
    with pytest.raises(UserError, match=f"smallest square picture is {side}×{side}"):
        model(torch.zeros(1, 3, side - 1, side - 1))


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: create_model("mobilenet_v3_small", variant="timm"), "paper, torchvision"),
        (lambda: create_model("mobilenet_v3_large", width_mult=-1), "width_mult is -1"),
        (lambda: create_model("mobilenet_v1", width_mult="wide"), "it is a number"),
        (lambda: create_model("fd_mobilenet", num_classes=2.5), "num_classes is 2.5"),
        (lambda: create_model("fd_mobilenet", shallow=True), "no setting 'shallow'"),
        (lambda: create_model("squeezenet1_0", width_mult=0.5), "no setting 'width_mult'"),
        (lambda: create_model("squeezenet1_1", dropout=2), "dropout is 2"),
        (lambda: create_model("squeezenet1_1")(torch.zeros(1, 1, 64, 64)), "in_channels=1"),
        (lambda: Bneck(16, 64, 16, stride=3), "stride 1 or 2, not 3"),
        (lambda: Fire(16, 4, 8, 16, bypass=True), "16 channels, not 8 \\+ 16"),
    ],
)
def test_mistakes_get_one_clear_sentence(build, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        build()
    assert "\n" not in str(caught.value)
