"""The report: what it prints, exports and promises."""

import builtins
import copy
import dataclasses
import json
import pickle
import re

import pytest
import torch
from torch import nn

from lightcourse.analysis import Report, analyze
from lightcourse.errors import UserError


@pytest.fixture(scope="module")
def report() -> Report:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1, bias=False),
        nn.BatchNorm2d(8),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 10),
    )
    return analyze(model, (1, 3, 32, 32))


def test_totals_are_exact_ints(report: Report) -> None:
    assert (report.params, report.macs) == (216 + 16 + 90, 256 * 216 + 80)
    assert type(report.params) is int and type(report.macs) is int
    assert report.output_shape == (1, 10) and report.input_shapes == ((1, 3, 32, 32),)


def test_printed_table_is_aligned(report: Report) -> None:
    lines = str(report).splitlines()
    assert lines[0].split("  ")[0] == "name" and set(lines[1]) == {"-", " "}
    table = lines[2 : 2 + len(report.layers)]
    # numbers end where their heading ends
    end = lines[0].index("MACs") + len("MACs")
    assert all(line[end - 1].isdigit() and line[end : end + 2] == "  " for line in table)
    assert re.search(r"0\s+Conv2d\s+\(1, 8, 16, 16\)\s+216\s+55,296\s+3$", table[0])
    assert "whole image" in table[-1]
    assert lines[-1] == "params 322   MACs 55,376 (FLOPs = 2 × MACs)   receptive field 3"
    assert lines[-2] == "Sequential: input (1, 3, 32, 32), output (1, 10)"


def test_html_escapes_names_and_draws_bars() -> None:
    model = nn.Sequential()
    model.add_module("<b>", nn.Conv2d(1, 1, 1))
    html = analyze(model, (1, 1, 2, 2))._repr_html_()
    assert "&lt;b&gt;" in html and "<b>" not in html
    assert "background-size:100.0% 3px" in html
    assert html.count("<tr>") == 2 and html.count("<div") == html.count("</div>") == 2


def test_to_dict_is_json_and_complete(report: Report) -> None:
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert data["params"] == report.params and data["macs"] == report.macs
    assert [row["name"] for row in data["layers"]] == ["0", "1", "2", "3", "4"]
    assert data["receptive_field"]["size"] == [3, 3] and data["receptive_field"]["stride"] == [2, 2]
    assert data["layers"][-1]["receptive_field"]["size"] == ["inf", "inf"]
    assert data["macs_is_lower_bound"] is False and data["unknown"] == []
    assert {"name", "count", "reason"} == set(data["zero"][0])


def test_to_pandas(report: Report) -> None:
    frame = report.to_pandas()
    assert list(frame.macs) == [layer.macs for layer in report.layers]
    assert frame.loc[0, "receptive_field"] == (3, 3)


def test_pandas_missing_is_one_sentence(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_pandas(name: str, *args, **kwargs):
        if name == "pandas":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pandas)
    with pytest.raises(UserError, match="pip install pandas"):
        report.to_pandas()


def test_results_cannot_be_changed(report: Report) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.macs = 0  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.layers[0].macs = 0  # type: ignore[misc]
    field = report.receptive_field
    assert field is not None
    with pytest.raises(dataclasses.FrozenInstanceError):
        field.size = (1, 1)  # type: ignore[misc]
    assert analyze(nn.ReLU(), (1, 2)) == analyze(nn.ReLU(), (1, 2))


def test_a_report_outlives_its_model() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 5))
    kept = analyze(model, (1, 3, 9, 9))
    with torch.no_grad():
        model[0] = nn.Conv2d(3, 4, 1)
    field = kept.layers[0].receptive_field
    assert field is not None and field.size == (5, 5)


def test_a_report_can_be_pickled_and_copied(report: Report) -> None:
    for twin in (pickle.loads(pickle.dumps(report)), copy.deepcopy(report)):
        assert twin == report and str(twin) == str(report)
        assert twin.receptive_field.interval((3, 0)) == ((5, 7), (-1, 1))


def test_model_without_layers_prints() -> None:
    text = str(analyze(nn.Sequential(nn.Flatten()), (1, 2, 3)))
    assert "Flatten" in text and "params 0" in text
