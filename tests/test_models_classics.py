"""The classics before the light networks: published tables, torchvision's outputs, their laws.

Counts of every published variant are in test_models_published.py.
"""

import pytest
import torch
from layer_tables import assert_layers
from torch import nn
from torch.nn import functional as F
from twin import with_life

from lightcourse import analyze, create_model
from lightcourse._torchvision import import_torchvision
from lightcourse.errors import UserError
from lightcourse.models import alexnet, densenet_cifar, lenet5, resnet50, resnet_cifar
from lightcourse.nn import BasicBlock, Bottleneck, DenseBlock, PreActivationBlock
from lightcourse.nn.residual import PaddedShortcut


def test_layers_are_those_of_the_published_tables() -> None:
    with torch.device("meta"):
        assert_layers(lenet5(variant="modern"), "lenet5_modern", in_channels=1)
        assert_layers(alexnet(), "alexnet_original")


# our name and settings, torchvision's name, side of the picture
TWINS = (
    ("alexnet", {"variant": "torchvision"}, "alexnet", 63),
    ("vgg11", {}, "vgg11", 32),
    ("vgg16", {"batch_norm": True}, "vgg16_bn", 32),
    ("resnet34", {}, "resnet34", 64),
    ("resnet50", {"variant": "torchvision"}, "resnet50", 64),
    ("resnext50_32x4d", {}, "resnext50_32x4d", 64),
    ("wide_resnet50_2", {}, "wide_resnet50_2", 64),
    ("densenet121", {}, "densenet121", 64),
)


@pytest.mark.parametrize(("name", "settings", "theirs", "side"), TWINS, ids=lambda v: str(v))
def test_equals_torchvision_by_name(name: str, settings: dict, theirs: str, side: int) -> None:
    with torch.device("meta"):  # first weights of 100 M parameters would be drawn for nothing
        twin = getattr(import_torchvision().models, theirs)()
        ours = create_model(name, **settings).eval()
    with_life(twin.to_empty(device="cpu"))
    ours.load_state_dict(twin.state_dict(), assign=True)
    x = torch.randn(2, 3, side, side + 32)
    with torch.no_grad():
        a, b = twin(x), ours(x)
    assert a.std() > 1e-3
    torch.testing.assert_close(b / a.std(), a / a.std(), rtol=1e-4, atol=1e-4)


OTHERS = ("vgg13", "vgg19", "resnet18", "resnet101", "resnet152", "densenet169", "densenet161")


@pytest.mark.parametrize("name", (*OTHERS, "densenet201"))
def test_other_depths_have_torchvisions_weights(name: str) -> None:
    with torch.device("meta"):
        theirs = getattr(import_torchvision().models, name)().state_dict()
        ours = create_model(name).state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}


class TestLeNet5:
    def test_parameters_of_each_layer_and_connections_as_printed(self) -> None:
        with torch.device("meta"):
            model = lenet5()
        layers = [m for m in (*model.features, *model.classifier) if list(m.parameters())]
        counts = [sum(p.numel() for p in layer.parameters()) for layer in layers]
        assert counts == [156, 12, 1516, 32, 48_120, 10_164]  # C1, S2, C3, S4, C5, F6: 60,000
        places = [28 * 28, 14 * 14, 10 * 10, 5 * 5, 1, 1]
        # a unit of S2 or S4 has four inputs and a bias, though only two parameters
        inputs = [156, 6 * 5, 1516, 16 * 5, 48_120, 10_164]
        connections = sum(n * at for n, at in zip(inputs, places, strict=True))
        assert connections + 84 * 10 == 340_908

    def test_c3_is_a_convolution_whose_other_kernels_are_zero(self) -> None:
        partial_conv = with_life(lenet5()).features[4]
        weight = torch.zeros(16, 6, 5, 5)
        for out, (row, conv) in enumerate(zip(partial_conv.table, partial_conv.maps, strict=True)):
            weight[out, list(row)] = conv.weight[0].detach()
        bias = torch.cat([conv.bias for conv in partial_conv.maps])
        x = torch.randn(2, 6, 14, 14)
        torch.testing.assert_close(partial_conv(x), F.conv2d(x, weight, bias))
        assert (weight != 0).any(3).any(2).sum(0).tolist() == [10] * 6  # table I: ten per map

    def test_sub_sampling_sums_scales_and_shifts(self) -> None:
        s2 = with_life(lenet5()).features[2]
        x = torch.randn(2, 6, 4, 4)
        sums = x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]
        torch.testing.assert_close(s2(x), s2.weight * sums + s2.bias)

    def test_output_is_the_distance_to_the_drawn_digits(self) -> None:
        distances = lenet5().classifier[2]
        assert distances.codes.shape == (10, 84) and set(distances.codes.unique().tolist()) == {
            -1,
            1,
        }
        drawn = distances(distances.codes)
        assert torch.equal(drawn.argmax(1), torch.arange(10))
        assert drawn.diagonal().tolist() == [0] * 10
        # a dot that differs counts 2² = 4; the nearest two digits differ in 12
        assert drawn.fill_diagonal_(-999).max() == -4 * 12
        x = torch.randn(3, 84)
        torch.testing.assert_close(distances(x), -(torch.cdist(x, distances.codes) ** 2))
        seven = distances.codes[7].reshape(12, 7)  # a bar on top, a stem below
        assert seven[0].tolist() == [1.0] * 7 and seven[9].tolist() == [-1, -1, 1, 1, -1, -1, -1]

    def test_codes_are_saved_but_do_not_train(self) -> None:
        model = lenet5()
        assert "classifier.2.codes" in model.state_dict()
        assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 60_000

    def test_larger_pictures_are_averaged_over_their_places(self) -> None:
        model = lenet5(variant="modern").eval()
        x = torch.randn(1, 1, 36, 32)  # C5 sees 2 places
        places = [model.features(x[:, :, i : i + 32]) for i in (0, 4)]
        expected = model.classifier(torch.cat(places).mean(0).flatten()[None])
        torch.testing.assert_close(model(x), expected)


def test_alexnet_normalises_responses_as_section_3_3() -> None:
    with torch.device("meta"):
        lrn = alexnet().features[2]
    a = torch.rand(1, 96, 2, 2) * 30
    padded = F.pad(a**2, (0, 0, 0, 0, 2, 2))
    around = torch.stack([padded[:, i : i + 96] for i in range(5)]).sum(0)
    torch.testing.assert_close(lrn(a), a / (2 + 1e-4 * around) ** 0.75)


def test_resnet50_of_the_paper_halves_earlier_and_sees_more() -> None:
    reach = {}
    with torch.device("meta"):
        for variant in ("paper", "torchvision"):
            field = analyze(resnet50(variant=variant), (1, 3, 224, 224)).receptive_field
            assert field is not None
            reach[variant] = tuple(field.size)
    assert reach == {"paper": (483, 483), "torchvision": (427, 427)}
    block = Bottleneck(256, 128, 512, stride=2)
    assert block.conv1.stride == (2, 2) and block.conv2.stride == (1, 1)


def test_shortcuts_of_the_cifar_resnets() -> None:
    with torch.device("meta"):
        nets = {s: resnet_cifar(20, shortcut=s) for s in ("projection", "padding", "none")}
        counts = {s: analyze(net, (1, 3, 32, 32)) for s, net in nets.items()}
    assert counts["projection"].params - counts["padding"].params == 16 * 32 + 32 * 64 + 2 * 96
    assert counts["padding"].params == counts["none"].params == 269_722  # the paper: 0.27 M
    assert counts["padding"].macs == counts["none"].macs == 40_551_040  # 0.041 G
    x = torch.randn(1, 16, 8, 8)
    padded = PaddedShortcut(16, 32, 2)(x)
    assert torch.equal(padded[:, :16], x[:, :, ::2, ::2]) and not padded[:, 16:].any()


def test_a_residual_block_whose_branch_is_silent_passes_its_input() -> None:
    x = torch.randn(2, 32, 8, 8)
    for block, expected in (
        (BasicBlock(32, 32), x.relu()),
        (BasicBlock(32, 32, shortcut="none"), torch.zeros_like(x)),
        (Bottleneck(32, 8, 32), x.relu()),
    ):
        last = block.bn3 if isinstance(block, Bottleneck) else block.bn2
        nn.init.zeros_(last.weight)
        torch.testing.assert_close(block.eval()(x), expected)
    block = PreActivationBlock(32, 32).eval()
    nn.init.zeros_(block.conv2.weight)
    assert torch.equal(block(x), x)  # not even a ReLU on the way


def test_pre_activation_projects_what_norm_and_relu_left() -> None:
    block = with_life(PreActivationBlock(4, 8, stride=2))
    x = torch.randn(1, 4, 8, 8)
    ready = block.bn1(x).relu()
    y = block.conv2(block.bn2(block.conv1(ready)).relu())
    torch.testing.assert_close(block(x), y + block.projection(ready))


def test_a_dense_block_keeps_its_input_and_every_layer_reads_all() -> None:
    block = with_life(DenseBlock(8, layers=3, growth=4))
    x = torch.randn(1, 8, 5, 5)
    y = block(x)
    assert y.shape == (1, 20, 5, 5) and torch.equal(y[:, :8], x)
    torch.testing.assert_close(block.denselayer3(y[:, :16]), y[:, 16:])


def test_densenet_cifar_of_the_paper_and_of_pytorchcv() -> None:
    with torch.device("meta"):
        report = analyze(densenet_cifar(40, 12), (1, 3, 32, 32), strict=True)
        compact = densenet_cifar(100, 12, bottleneck=True)
        plain = densenet_cifar(100, 24)
    assert report.params == 1_019_722  # table 2 prints 1.0 M, and 0.8 and 27.2 M for these
    assert sum(p.numel() for p in compact.parameters()) == 769_162
    assert round(sum(p.numel() for p in plain.parameters()) / 1e5) == 272


def test_first_weights_are_those_of_the_papers() -> None:
    c5 = lenet5().features[8].weight
    assert 0.9 * 2.4 / 400 < c5.abs().max() <= 2.4 / 400
    model = alexnet(num_classes=5)
    biases = [m.bias[0].item() for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert biases == [0, 1, 0, 1, 1, 1, 1, 0]
    assert model.features[0].weight.std().item() == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize(
    ("name", "settings", "side"),
    [
        ("lenet5", {"num_classes": 4}, 32),
        ("lenet5", {"num_classes": 30, "variant": "modern"}, 32),
        ("resnet_cifar", {"depth": 8, "shortcut": "padding"}, 32),
        ("wide_resnet_cifar", {"depth": 10, "widen": 1, "dropout": 0.3}, 32),
        ("densenet_cifar", {"depth": 10, "bottleneck": True, "dropout": 0.2}, 32),
        ("resnet18", {"num_classes": 4}, 64),
    ],
)
def test_runs_and_trains(name: str, settings: dict, side: int) -> None:
    model = create_model(name, **settings)
    x = torch.randn(2, model.in_channels, side, side)
    out = model(x)
    assert out.shape == (2, settings.get("num_classes", 10))
    out.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: lenet5(num_classes=11), "codes for ten digits, not 11 classes"),
        (lambda: lenet5(variant="1998"), "variant is '1998'; choose one of paper, modern"),
        (lambda: alexnet(variant="owt"), "choose one of paper, torchvision"),
        (lambda: create_model("vgg16", depth=11), "no setting 'depth'"),
        (lambda: create_model("resnet50", variant="v2"), "variant is 'v2'"),
        (lambda: resnet_cifar(18), "18 is not 6n . 2"),
        (lambda: resnet_cifar(20, shortcut="a"), "No shortcut is called 'a'"),
        (lambda: create_model("wide_resnet_cifar", depth=29), "29 is not 6n . 4"),
        (lambda: create_model("wide_resnet_cifar", widen=1.5), "widen is 1.5"),
        (lambda: densenet_cifar(42), "42 is not 3n . 4"),
        (lambda: densenet_cifar(40, growth=0), "growth is 0"),
        (lambda: lenet5()(torch.zeros(1, 1, 28, 28)), "smallest square picture is 32×32"),
        (lambda: lenet5()(torch.zeros(1, 3, 32, 32)), "built for 1 input channels and got 3"),
    ],
)
def test_mistakes_get_one_clear_sentence(build, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        build()
    assert "\n" not in str(caught.value)
