"""ShuffleNet V1 and V2, SNet, ShiftNet, ShiftResNet, GhostNet: counts, layers, torchvision."""

import copy
import pickle

import pytest
import torch
from layer_tables import assert_layers
from torch import nn
from twin import with_life

from lightcourse import analyze, create_model
from lightcourse._torchvision import import_torchvision
from lightcourse.errors import UserError
from lightcourse.models import (
    ghostnet,
    shiftnet_a,
    shiftresnet20,
    shiftresnet56,
    shiftresnet110,
    shufflenet_v1,
    shufflenet_v2,
    snet49,
    snet146,
    snet535,
)
from lightcourse.models.shufflenet_v1 import MEGVII_STEMS, STAGES, WIDTHS


def counted(build, side: int = 224, **settings) -> tuple[int, int]:
    with torch.device("meta"):
        report = analyze(build(**settings), (1, 3, side, side), strict=True)  # no unknown operator
    return report.params, report.macs


# groups: multiply-adds at 1.0x, counted by an independent library; table 2 prints 143, 140, 137,
# 133 and 137 M
V1_MACS = {1: 143_078_976, 2: 140_836_512, 3: 137_460_672, 4: 134_339_776, 8: 138_365_952}


@pytest.mark.parametrize("groups", V1_MACS)
def test_shufflenet_v1_of_every_group_count(groups: int) -> None:
    with torch.device("meta"):
        model = shufflenet_v1(groups=groups)
    assert_layers(model, f"shufflenet_v1_g{groups}")
    assert counted(shufflenet_v1, groups=groups)[1] == V1_MACS[groups]


@pytest.mark.parametrize(
    ("name", "table", "settings"),
    [
        ("shufflenet_v2", "shufflenet_v2_1.0_paper", {}),
        ("ghostnet", "ghostnet_1.0", {}),
        ("shiftnet_a", "shiftnet_A", {}),
        ("shiftresnet20", "shiftresnet20_e3", {"expansion": 3}),
        ("snet49", "snet49", {}),
        ("snet146", "snet146", {}),
    ],
)
def test_layer_by_layer(name: str, table: str, settings: dict) -> None:
    with torch.device("meta"):
        model = create_model(name, **settings)
    assert_layers(model, table)


@pytest.mark.parametrize(
    ("build", "settings", "params", "macs"),
    [
        # Megvii's README prints 0.7, 1.9, 3.4 M and 2.4 M; 38, 138, 292 M and 138 M
        (shufflenet_v1, {"variant": "megvii", "width_mult": 0.5}, 717_324, 37_589_856),
        (shufflenet_v1, {"variant": "megvii"}, 1_864_728, 137_460_672),
        (shufflenet_v1, {"variant": "megvii", "width_mult": 1.5}, 3_441_168, 292_443_552),
        (shufflenet_v1, {"variant": "megvii", "groups": 8}, 2_433_768, 138_365_952),
        (shufflenet_v1, {"variant": "megvii", "groups": 8, "width_mult": 0.5}, 1_010_448,
         40_469_760),
        # the paper prints 13 M for 0.25x
        (shufflenet_v1, {"width_mult": 0.25}, 305_902, 11_009_808),
        # table 8 of V2's paper prints 41, 146 and 591 M
        (shufflenet_v2, {"width_mult": 0.5}, 1_365_792, 40_476_448),
        (shufflenet_v2, {}, 2_278_760, 145_814_296),
        (shufflenet_v2, {"width_mult": 2.0}, 7_402_600, 590_783_000),
        (shufflenet_v2, {"variant": "torchvision"}, 2_278_604, 144_907_992),
        # named after 49, 146 and 535 M
        (snet49, {}, 875_548, 51_205_832),
        (snet146, {}, 1_572_748, 161_137_848),
        (snet535, {}, 4_535_144, 535_354_640),
        # the paper prints 4.1 M and 1.4 G
        (shiftnet_a, {}, 4_188_680, 1_424_306_176),
        (ghostnet, {"width_mult": 0.5}, 2_587_292, 42_328_152),
        (ghostnet, {}, 5_182_508, 141_150_512),
    ],
)  # fmt: skip
def test_counts(build, settings: dict, params: int, macs: int) -> None:
    assert counted(build, **settings) == (params, macs)


@pytest.mark.parametrize(
    ("build", "expansion", "params"),
    [
        (shiftresnet20, 1, 34_906),
        (shiftresnet20, 3, 95_642),
        (shiftresnet20, 6, 186_746),
        (shiftresnet20, 9, 277_850),
        (shiftresnet56, 6, 583_226),
        (shiftresnet110, 9, 1_762_970),
    ],
)
def test_shiftresnet_parameters(build, expansion: int, params: int) -> None:
    assert counted(build, 32, expansion=expansion)[0] == params


def test_shiftresnet_multiply_adds_against_the_authors_count() -> None:
    """Their count.py takes 9·64 for each pixel of the stem, which has 9·3·16."""
    macs = counted(shiftresnet20, 32, expansion=3)[1]
    assert macs == 16_433_792 and macs + 32 * 32 * 9 * (64 - 48) == 16_581_248


def test_widest_ghostnet_of_the_paper() -> None:
    assert counted(ghostnet, width_mult=1.3)[0] == 7_358_820


@pytest.mark.parametrize("width", [0.5, 1.0, 1.5, 2.0])
def test_shufflenet_v2_takes_torchvisions_weights(width: float) -> None:
    name = f"shufflenet_v2_x{str(width).replace('.', '_')}"
    theirs = with_life(import_torchvision().models.get_model(name, num_classes=20))
    ours = shufflenet_v2(20, width, variant="torchvision").eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        a, b = theirs(x), ours(x)
        channels_last = ours.to(memory_format=torch.channels_last)
        c = channels_last(x.to(memory_format=torch.channels_last))
    assert a.std() > 1e-3
    torch.testing.assert_close(b, a)
    torch.testing.assert_close(c, a, rtol=1e-4, atol=1e-4 * a.abs().max().item())


def test_variants_differ_where_the_texts_differ() -> None:
    with torch.device("meta"):
        paper, megvii = shufflenet_v1(), shufflenet_v1(variant="megvii")
        kept, even = shufflenet_v2(), shufflenet_v2(variant="torchvision")
    assert [m.features[3].shuffle_late for m in (paper, megvii)] == [False, True]
    assert [m.classifier.bias is None for m in (paper, megvii)] == [False, True]
    assert [m.stage2[0].branch1[2].out_channels for m in (kept, even)] == [24, 58]
    assert [m.fc.bias is None for m in (kept, even)] == [True, False]


@pytest.mark.parametrize("name", ["shufflenet_v1_cifar", "shufflenet_v2_cifar", "ghostnet_cifar"])
def test_cifar_pictures_end_at_four_by_four(name: str) -> None:
    report = analyze(create_model(name), (1, 3, 32, 32), strict=True)
    maps = [x.output_shape for x in report.layers if len(x.output_shape) == 4]
    assert report.output_shape == (1, 10)
    assert [s for s in maps if s[2] > 1][-1][2:] == (4, 4)


@pytest.mark.parametrize(
    ("build", "settings"),
    [
        (shufflenet_v1, {"groups": 8, "width_mult": 2.0}),
        (shufflenet_v1, {"variant": "megvii", "width_mult": 0.5}),
        (shufflenet_v2, {"width_mult": 0.5}),
        (snet49, {}),
        (shiftnet_a, {}),
        (shiftresnet20, {"expansion": 1}),
        (ghostnet, {"width_mult": 0.35}),
    ],
)
def test_settings_copies_and_gradients(build, settings: dict) -> None:
    model = build(num_classes=7, in_channels=1, **settings)
    twin = pickle.loads(pickle.dumps(copy.deepcopy(model))).eval()
    out = model(torch.randn(2, 1, 64, 64))
    assert out.shape == twin(torch.randn(2, 1, 64, 64)).shape == (2, 7)
    out.square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize("name", ["shufflenet_v1_cifar", "shiftresnet20", "shufflenet_v2_cifar"])
def test_exported_programs_compute_the_same(name: str) -> None:
    model = with_life(create_model(name))
    x = torch.randn(2, 3, 32, 32)
    program = torch.export.export(model, (x,))
    torch.testing.assert_close(program.module()(x), model(x))


def test_shiftnet_has_no_spatial_convolution_but_its_stem() -> None:
    with torch.device("meta"):
        convs = [m for m in shiftnet_a().modules() if isinstance(m, nn.Conv2d)]
    assert [c.kernel_size for c in convs if c.kernel_size != (1, 1)] == [(7, 7)]


def builds(width: float, groups: int, variant: str = "paper") -> bool:
    try:
        with torch.device("meta"):
            shufflenet_v1(width_mult=width, groups=groups, variant=variant)
    except UserError:
        return False
    return True


def test_which_widths_divide_into_which_groups() -> None:
    works = {(s, g) for s in WIDTHS for g in STAGES if builds(s, g)}
    whole = {(s, g) for s in (1.0, 2.0) for g in STAGES}
    assert works == whole | {(s, g) for s in (0.25, 0.5, 0.75, 1.5) for g in (1, 3)}
    assert all(builds(s, g, "megvii") for g, s in MEGVII_STEMS)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: shufflenet_v1(width_mult=0.5, groups=2), "12, 100, 200, 400 .* can be 1, 3, and"),
        (lambda: shufflenet_v1(width_mult=0.25, groups=8), "groups=8 works at width_mult 1.0"),
        (lambda: shufflenet_v1(width_mult=0.5, groups=8), "variant='megvii' has this pair"),
        (lambda: shufflenet_v1(groups=5), "groups is 5; choose one of 1, 2, 3, 4, 8"),
        (lambda: shufflenet_v1(variant="tf"), "choose one of paper, megvii"),
        (lambda: shufflenet_v1(variant="megvii", groups=4), "groups=3 width_mult=0.5"),
        (lambda: shufflenet_v1(width_mult=0.01), "of the 24 channels .* from 0.04167 up"),
        (lambda: shufflenet_v1(width_mult=0.05), "do not divide .* groups can be 1"),
        (lambda: shufflenet_v2(width_mult=0.75), "choose one of 0.5, 1.0, 1.5, 2.0"),
        (lambda: shufflenet_v2(variant="megvii"), "choose one of paper, torchvision"),
        (lambda: shiftresnet20(expansion=0.5), "expansion is 0.5; .* 1 or more"),
        (lambda: shiftresnet20(expansion="3"), "expansion is '3'"),
        (lambda: ghostnet(width_mult=0), "width_mult is 0"),
        (lambda: snet49(num_classes=0), "num_classes is 0"),
        (lambda: shiftnet_a(in_channels=-1), "in_channels is -1"),
        (lambda: shiftnet_a()(torch.zeros(1, 4, 64, 64)), "3 input channels and got 4"),
    ],
)
def test_mistakes_get_one_clear_sentence(call, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        call()
    assert "\n" not in str(caught.value)
