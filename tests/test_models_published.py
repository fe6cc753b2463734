"""Every published variant: exact counts, layer tables, and the printed numbers against ours."""

import json
from collections import Counter

import pytest
import torch
from layer_tables import TABLES, assert_layers
from torch import nn

from lightcourse import analyze, create_model
from lightcourse.errors import UserError
from lightcourse.models import FAMILIES, MODELS, Published, published

ROWS = published()
BUILT = [row for row in ROWS if not row.reason]


def shape_of(row: Published, channels: int) -> tuple[int, ...]:
    """(1, C, H, W) of a row, whose input is a side, (C, H, W), or the (H, W) of a head's input."""
    size = (row.input, row.input) if isinstance(row.input, int) else tuple(row.input or ())
    return (1, *size) if len(size) == 3 else (1, channels, *size)


@pytest.mark.parametrize("row", BUILT, ids=lambda row: row.variant)
def test_counts_are_exact(row: Published) -> None:
    with torch.device("meta"):
        model = create_model(str(row.model), **row.settings)
    assert sum(p.numel() for p in model.parameters()) == row.params or row.params is None
    if row.macs is not None:
        report = analyze(model, shape_of(row, model.in_channels), strict=True)
        assert (report.params, report.macs) == (row.params, row.macs)


def test_every_row_is_built_or_says_why_not() -> None:
    assert len(ROWS) == 159 and len({row.variant for row in ROWS}) == 159
    for row in ROWS:
        assert (row.model in MODELS) or row.reason, row.variant
        assert not row.reason or row.params is row.macs is None, row.variant
    counted = Counter((row.params is not None, row.macs is not None) for row in BUILT)
    # a supernet's MACs depend on the subnet: two of OFA's have none
    assert counted == {(True, True): 138, (True, False): 2}


UNBUILDABLE = [row for row in ROWS if row.reason and row.model]


@pytest.mark.parametrize("row", UNBUILDABLE, ids=lambda row: row.variant)
def test_widths_that_no_groups_divide_are_refused(row: Published) -> None:
    assert len(UNBUILDABLE) == 5
    with pytest.raises(UserError, match="group") as caught:
        create_model(str(row.model), **row.settings)
    assert "\n" not in str(caught.value)


def test_families_are_those_of_the_published_rows() -> None:
    for row in ROWS:
        if not row.reason:
            assert row.model in FAMILIES[row.family], row.variant
    assert set(FAMILIES) <= {row.family for row in ROWS}


# the published layer table -> the model and its settings
LAYERS = {
    "lenet5_modern": ("lenet5", {"variant": "modern"}),
    "alexnet_original": ("alexnet", {}),
    "googlenet_original": ("googlenet", {}),
    "squeezenet1_0": ("squeezenet1_0", {}),
    "squeezenet1_1": ("squeezenet1_1", {}),
    "mobilenet_v1_1.0": ("mobilenet_v1", {}),
    "fd_mobilenet_1.0": ("fd_mobilenet", {}),
    "mobilenet_v2_1.0": ("mobilenet_v2", {}),
    "mobilenet_v3_large": ("mobilenet_v3_large", {}),
    "mobilenet_v3_small": ("mobilenet_v3_small", {}),
    "shufflenet_v1_g1": ("shufflenet_v1", {"groups": 1}),
    "shufflenet_v1_g2": ("shufflenet_v1", {"groups": 2}),
    "shufflenet_v1_g3": ("shufflenet_v1", {"groups": 3}),
    "shufflenet_v1_g4": ("shufflenet_v1", {"groups": 4}),
    "shufflenet_v1_g8": ("shufflenet_v1", {"groups": 8}),
    "shufflenet_v2_1.0_paper": ("shufflenet_v2", {}),
    "ghostnet_1.0": ("ghostnet", {}),
    "efficientnet_b0": ("efficientnet_b0", {}),
    "shiftnet_A": ("shiftnet_a", {}),
    "shiftresnet20_e3": ("shiftresnet20", {"expansion": 3, "num_classes": 10}),
    "snet49": ("snet49", {}),
    "snet146": ("snet146", {}),
    "detnet59": ("detnet59", {}),
    "spinenet49": ("spinenet49", {"num_classes": None}),
    "fbnet_C": ("fbnet_c", {}),
    "mnasnet_a1": ("mnasnet_a1", {}),
    "proxyless_mobile": ("proxylessnas_mobile", {}),
}


@pytest.mark.parametrize("table", LAYERS)
def test_layer_by_layer(table: str) -> None:
    name, settings = LAYERS[table]
    with torch.device("meta"):
        model = create_model(name, **settings)
    assert_layers(model, table, in_channels=getattr(model, "in_channels", 3))


def test_every_layer_table_belongs_to_a_model() -> None:
    assert set(LAYERS) == set(TABLES)


def unit(printed: float) -> float:
    """The last place of a printed number: 4.2 -> 0.1, 569 -> 1, 3,800 M is 3.8 G -> 100."""
    digits = f"{printed:g}" if printed < 1000 else f"{printed:.0f}"
    if "." in digits:
        return 10 ** -len(digits.split(".")[1])
    zeros = len(digits) - len(digits.rstrip("0"))
    return 10**zeros if printed >= 1000 else 0.1 if isinstance(printed, float) else 1


def test_units_of_the_last_place() -> None:
    cases = {4.2: 0.1, 1.25: 0.01, 569: 1, 300: 1, 3800: 100, 4.0: 0.1, 2705.0: 1, 15300: 100}
    for printed, expected in cases.items():
        assert unit(printed) == pytest.approx(expected), printed


@pytest.mark.parametrize("row", BUILT, ids=lambda row: row.variant)
def test_printed_numbers_are_ours_rounded_or_the_row_says_why_not(row: Published) -> None:
    pairs = [(row.params_M, row.params), (row.macs_M, row.macs)]
    known = [(printed, exact) for printed, exact in pairs if printed and exact]
    # authors round up, down or to the nearest: within one unit of the last place
    off = [abs(exact / 1e6 - printed) >= unit(printed) for printed, exact in known]
    assert any(off) == bool(row.differs), row.differs or "say in published.json why it differs"


def test_mobilenet_v2s_printed_parameters_leave_out_the_norms() -> None:
    for row in ROWS:
        if row.model == "mobilenet_v2":
            with torch.device("meta"):
                model = create_model("mobilenet_v2", **row.settings)
            norms = sum(2 * m.num_features for m in model.modules() if hasattr(m, "num_features"))
            assert row.params and round((row.params - norms) / 1e6, 2) == row.params_M


def test_vgg16s_printed_macs_leave_out_the_linear_layers() -> None:
    with torch.device("meta"):
        model = create_model("vgg16")
    linear = sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Linear))
    assert round((analyze(model).macs - linear) / 1e9, 1) == 15.3


def test_nothing_in_the_rows_points_where_no_reader_can_go() -> None:
    text = json.dumps([vars(row) for row in ROWS])
    for inside in ("transcript", "scripts/", "index id", "helper"):
        assert inside not in text
