"""The frozen table of ten profilers: every number follows from what the tool is said to count."""

import pytest
from torch import nn

from lightcourse import analyze, create_model
from lightcourse.analysis.profilers import PROFILERS, parts, profiler_table


@pytest.fixture(scope="module")
def table():
    return profiler_table(create_model("mobilenet_v2"))


def test_every_frozen_number_is_explained_to_the_unit(table):
    assert {row.tool: row.macs - explained for row, explained in table.rows} == dict.fromkeys(
        (row.tool for row in PROFILERS), 0
    )


def test_ten_profilers_seven_numbers_nine_percent(table):
    assert (len(table.rows), table.numbers) == (10, 7)
    assert table.spread == pytest.approx(0.089, abs=0.0005)


def test_ours_is_the_smallest_which_counts_products_only(table):
    ours = analyze(create_model("mobilenet_v2")).macs
    assert ours == min(row.macs for row, _ in table.rows)


def test_an_explanation_that_leaves_something_open_shows(table):
    other = profiler_table(create_model("mobilenet_v2", num_classes=10))
    assert all(row.macs != explained for row, explained in other.rows)


def test_parts_by_hand():
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(8, 5),
    )  # fmt: skip
    found = parts(net, (2, 3, 4, 4))
    assert found.products == 2 * (16 * 27 * 8 + 8 * 5)
    assert (found.norm, found.activation, found.pooled) == (256, 256, 16)
    assert (found.bias, found.vectors) == (256 + 10, 8 + 16 + 5)


def test_prints_and_html(table):
    assert "10 profilers, 7 numbers, 8.9% apart" in str(table)
    assert table._repr_html_().count("<tr>") == 11
