"""Chapter 08's oracles against other roads to the same numbers, and the numbers of its prose."""

from random import Random

import pytest
import torch
from torch import nn

from lightcourse import analyze, create_model
from lightcourse._torchvision import import_torchvision
from lightcourse.checks import run_check
from lightcourse.checks.chapters import _ch08_design, _ch08_fire, _ch08_net, _ch08_params, ch08
from lightcourse.checks.chapters._ch08_net_reference import Reference
from lightcourse.models.squeezenet import ROWS_1_0, ROWS_1_1, STEM_1_0, STEM_1_1
from lightcourse.nn import Fire

SEEDS = range(3)
PUBLISHED = (
    ("squeezenet1_0", _ch08_net.V1_0, STEM_1_0, ROWS_1_0),
    ("squeezenet1_1", _ch08_net.V1_1, STEM_1_1, ROWS_1_1),
)


@pytest.mark.parametrize("seed", SEEDS)
def test_fire_equals_the_block_of_the_package(seed):
    for case in _ch08_fire.cases(Random(seed)):
        state, x = case.args
        c, s, e1, e3 = _ch08_fire.sizes(case)
        assert len({c, s, e1}) == 3 and s != e3, "equal widths would hide mistakes"
        block = Fire(c, s, e1, e3).double()
        block.load_state_dict(state)
        want = _ch08_fire.oracle(state, x)
        torch.testing.assert_close(block(x), want.output)
        assert want.parameters == sum(p.numel() for p in block.parameters())


def test_parameters_are_those_of_table_1_and_of_the_formula():
    modules = [
        (96, 16, 64, 64), (128, 16, 64, 64), (128, 32, 128, 128), (256, 32, 128, 128),
        (256, 48, 192, 192), (384, 48, 192, 192), (384, 64, 256, 256), (512, 64, 256, 256),
    ]  # fmt: skip
    counts = [_ch08_params.oracle(*row) for row in modules]
    assert counts == [11920, 12432, 45344, 49440, 104880, 111024, 188992, 197184]
    assert counts == [_ch08_design.count(*row) for row in modules]


def test_the_family_of_section_5_holds_squeezenet_itself():
    rows = _ch08_design.family(0.125, 0.5)
    assert rows == [row for row in ROWS_1_0 if row != "pool"]
    around = 49 * 3 * 96 + 96 + 512 * 1000 + 1000
    assert _ch08_design.total(rows) + around == 1_248_424


@pytest.mark.parametrize(
    ("ratio", "share", "printed"),
    [(0.125, 0.5, 4.8), (0.75, 0.5, 19), (0.5, 0.5, 13), (0.5, 0.99, 21)],
)
def test_sizes_of_figure_3_come_out_in_one_of_the_two_megabytes(ratio, share, printed):
    count = _ch08_design.total(_ch08_design.family(ratio, share)) + 14_208 + 513_000
    step = 10 ** -len(str(printed).partition(".")[2])
    nearest = min(abs(4 * count / unit - printed) for unit in (1e6, 2**20))
    assert nearest <= step / 2


@pytest.mark.parametrize("seed", SEEDS)
def test_design_spends_no_more_than_the_budget_and_the_next_ratio_would(seed):
    for case in _ch08_design.cases(Random(seed)):
        budget, share, ratios, _ = case.args
        rows = _ch08_design.oracle(*case.args)
        spent = _ch08_design.total(rows)
        assert spent <= budget
        ratio = rows[0][0] / 128 if rows else 0
        larger = [r for r in ratios if r > ratio]
        assert all(_ch08_design.total(_ch08_design.family(r, share)) > budget for r in larger)


@pytest.mark.parametrize(("name", "table", "stem", "rows"), PUBLISHED)
def test_the_reference_is_the_published_network(name, table, stem, rows):
    assert table[0] == ("conv", *stem)
    assert table[1:] == [("pool",) if row == "pool" else ("fire", *row) for row in rows]
    theirs = create_model(name).eval()
    twin = getattr(import_torchvision().models, name)().eval()
    ours = Reference(table, 1000, Fire).eval()
    x = torch.randn(1, 3, 127, 130)
    for other in (theirs, twin):
        state = zip(ours.state_dict(), other.state_dict().values(), strict=True)
        ours.load_state_dict(dict(state))
        with torch.no_grad():
            torch.testing.assert_close(ours(x), other(x), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("name", "table", "stem", "rows"), PUBLISHED)
def test_parameters_and_shapes_of_every_block_are_those_of_the_published_network(
    name, table, stem, rows
):
    want = _ch08_net.oracle(table, 1000, (1, 224, 224), None)
    with torch.device("meta"):
        features = create_model(name).eval().features
    blocks = [features[0], *features[2:]]  # behind the stem stands its ReLU
    assert list(want.params) == [sum(p.numel() for p in block.parameters()) for block in blocks]
    x = torch.empty(1, 3, 224, 224, device="meta")
    for block, answer in zip(blocks, want.maps, strict=True):
        x = block(x)
        assert x.shape == answer.shape
    assert want.total == {"squeezenet1_0": 1_248_424, "squeezenet1_1": 1_235_496}[name]


def test_rows_are_called_as_in_the_paper():
    names = _ch08_net.names(_ch08_net.V1_0)
    assert names == [
        "conv1", "maxpool1", "fire2", "fire3", "fire4", "maxpool4", "fire5", "fire6", "fire7",
        "fire8", "maxpool8", "fire9",
    ]  # fmt: skip


def test_a_wrong_row_is_named():
    class OneTooWide(Reference):
        """Right but for fire6 of 1.0, the ninth row."""

        def __init__(self, rows, num_classes, fire):
            rows = [("fire", 40, *row[2:]) if row[:2] == ("fire", 48) else row for row in rows]
            super().__init__(rows, num_classes, fire)

    result = run_check("08.net", OneTooWide)
    assert not result.passed
    assert "fire6" in str(result), str(result)


def test_the_lead_of_early_over_late_is_the_places_only():
    """Two pools moved: the same parameters, and MACs as the prose of the chapter says."""
    counts = {}
    for name, places in (("late", (1, 5, 10)), ("early", (1, 3, 8))):
        rows = [row for row in _ch08_net.V1_0 if row != ("pool",)]
        for place in places:
            rows.insert(place, ("pool",))
        with torch.device("meta"):
            report = analyze(Reference(rows, 1000, Fire).eval(), (1, 3, 224, 224))
        counts[name] = report.params, report.macs
    assert counts["late"] == (1_248_424, 818_924_576)
    assert counts["early"][0] == 1_248_424
    assert counts["early"][1] < 0.7 * counts["late"][1]


def test_predictions_hold_what_they_say():
    truths = {p.id: p.truth() for p in ch08.PREDICTIONS}
    assert truths == {"08.p1": 9.29, "08.p2": "only the MACs fall", "08.p3": 4.99}
    plain = nn.Conv2d(96, 128, 3, device="meta")
    assert sum(p.numel() for p in plain.parameters()) == 110_720
    for p in ch08.PREDICTIONS:
        assert not p.options or p.truth() in p.options


def test_what_the_prose_says_about_alexnet():
    with torch.device("meta"):
        large, small = create_model("alexnet").eval(), create_model("squeezenet1_0").eval()
    one, other = analyze(large, (1, 3, 227, 227)), analyze(small, (1, 3, 227, 227))
    assert 48.8 < one.params / other.params < 48.9
    assert other.macs > one.macs and other.peak_activation > one.peak_activation
    dense = sum(layer.params for layer in one.layers if layer.kind == "Linear")
    assert 1.8 < (one.params - dense) / other.params < 1.9
    assert round(other.peak_activation / 1e6) == 8


def test_what_the_prose_says_about_the_peak_and_about_moved_pools():
    with torch.device("meta"):
        alexnet, plain = create_model("alexnet").eval(), create_model("squeezenet1_0").eval()
        moved = create_model("squeezenet1_0").eval()
    layers = list(moved.features)
    for place in (6, 11):  # as the chapter does
        assert isinstance(layers[place], nn.MaxPool2d)
        layers.insert(place - 2, layers.pop(place))
    moved.features = nn.Sequential(*layers)
    one, other, large = (analyze(m, (1, 3, 227, 227)) for m in (plain, moved, alexnet))
    assert one.params == other.params
    assert other.macs < large.macs < one.macs
    assert one.peak_activation == other.peak_activation > large.peak_activation
    assert one.layers[0].output_shape == (1, 96, 111, 111)
    live = one.timeline("eager").live
    assert one.layers[live.index(max(live))].name == "features.2", "the first pool"
    second = live.index(sorted(live)[-2])
    assert one.layers[second].name.startswith("features.5"), "fire4"
    assert live[second] > 0.95 * max(live)


def test_what_the_prose_says_about_a_doubled_squeeze_ratio():
    assert (_ch08_params.oracle(96, 16, 64, 64), _ch08_params.oracle(96, 32, 64, 64)) == (
        11_920,
        23_712,
    )
    around = 14_208 + 513_000
    sizes = [_ch08_design.total(_ch08_design.family(r, 0.5)) + around for r in (0.125, 0.25)]
    assert [f"{4 * size / 1e6:.1f}" for size in sizes] == ["5.0", "7.9"]
    assert around > 0.4 * sizes[0]
