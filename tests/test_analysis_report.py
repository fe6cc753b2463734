"""The report: what it prints, exports and promises."""

import builtins
import copy
import csv
import dataclasses
import json
import pickle
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from small_models import Fn
from torch import nn

from lightcourse.analysis import KindShare, Report, analyze
from lightcourse.analysis._report_text import WIDTH, human_bytes
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
    for head in ("params", "MACs", "memory", "FLOP/B"):
        end = lines[0].index(head) + len(head)
        assert all(line[end - 1] not in " " and line[end : end + 2] == "  " for line in table)
    assert re.search(
        r"0\s+Conv2d\s+\(1, 8, 16, 16\)\s+216\s+55,296\s+21\.3 kB\s+5\.18\s+3\s+2$", table[0]
    )
    assert re.search(r"0\.37\s+whole image\s+-$", table[-1])
    assert lines[-6:] == [
        "Sequential: input (1, 3, 32, 32), output (1, 10)",
        "params 322   MACs 55,376 (FLOPs = 2 × MACs)   receptive field 3",
        "memory access 46.5 kB (read 30.1 kB, written 16.5 kB)   intensity 2.38 FLOP/B",
        "peak activation 16.4 kB, 8.22 kB with batch norm folded and activations in place",
        "MACs by kind: convolution 100 %, linear 0.1 %",
        "memory access by kind: convolution 46 %, normalisation 36 %, reduction 18 %, linear 0.9 %",
    ]


def test_memory_of_each_layer_by_hand(report: Report) -> None:
    conv, norm, pool, flat, linear = report.layers
    assert (conv.read, conv.written) == (4 * (3 * 32 * 32 + 216), 4 * 8 * 16 * 16)
    assert (norm.read, norm.written) == (4 * (8 * 256 + 4 * 8), 4 * 8 * 256)
    assert (pool.read, pool.written) == (4 * 8 * 256, 4 * 8)
    assert (flat.read, flat.written, flat.intensity) == (0, 0, 0.0)
    assert (linear.read, linear.written) == (4 * (8 + 80 + 10), 40)
    assert conv.intensity == 2 * conv.macs / conv.memory_access == 2 * 55296 / 21344
    assert report.memory_access == sum(layer.memory_access for layer in report.layers)
    assert report.read + report.written == report.memory_access
    assert report.intensity == 2 * 55376 / report.memory_access
    assert all(type(n) is int for n in (report.memory_access, report.peak_activation, conv.read))


def test_timelines(report: Report) -> None:
    eager, fused = report.timeline(), report.timeline("fused")
    assert (eager.schedule, fused.schedule) == ("eager", "fused")
    assert report.peak_activation == eager.peak == max(eager.live)
    assert report.peak_activation_fused == fused.peak == 4 * (8 * 256 + 8) < eager.peak
    with pytest.raises(UserError, match="'eager' or 'fused'"):
        report.timeline("lazy")  # type: ignore[arg-type]


def test_shares_by_kind() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False),
        nn.Conv2d(8, 8, 3, groups=8, bias=False),
        nn.Conv2d(8, 8, 1, groups=2, bias=False),
        nn.Conv2d(8, 4, 1, bias=False),
        nn.ConvTranspose2d(4, 4, 2, 2, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * 8 * 8, 2),
    )
    report = analyze(model, (1, 3, 8, 8))
    shares = {share.kind: share for share in report.by_kind()}
    assert set(shares) == {
        "convolution", "depthwise convolution", "grouped convolution", "pointwise convolution",
        "transposed convolution", "normalisation", "activation", "linear",
    }  # fmt: skip
    assert shares["depthwise convolution"] == KindShare(
        "depthwise convolution", 1, 72, 16 * 72, 4 * (8 * 36 + 72 + 8 * 16)
    )
    assert [share.macs for share in report.by_kind()] == sorted(
        (share.macs for share in report.by_kind()), reverse=True
    )
    for what in ("params", "macs", "memory_access"):
        assert sum(getattr(s, what) for s in shares.values()) == getattr(report, what)


def test_a_weight_that_is_made_first_belongs_to_what_multiplies_it() -> None:
    plain = nn.Conv2d(3, 8, 3, bias=False)
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(plain), nn.BatchNorm2d(8))
    shares = {share.kind: share for share in analyze(model, (1, 3, 8, 8)).by_kind()}
    assert shares["convolution"].params == 216 + 8 and shares["normalisation"].params == 16


def test_copies_have_a_row_of_their_own() -> None:
    """What ShuffleNet's shuffle costs is seen: it moves the whole map and computes nothing."""
    shuffled = analyze(Shuffle(nn.Conv2d(4, 4, 1, bias=False)), (1, 4, 6, 6))
    assert [layer.kind for layer in shuffled.layers] == ["Conv2d", "copy"]
    copy_row = shuffled.layers[1]
    assert (copy_row.name, copy_row.macs, copy_row.params) == ("copy", 0, 0)
    assert copy_row.memory_access == 2 * 4 * 4 * 36
    assert shuffled.memory_access == sum(layer.memory_access for layer in shuffled.layers)


class Shuffle(nn.Module):
    """A convolution and a channel shuffle written with views."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


def test_every_operator_that_moves_nothing_says_why(report: Report) -> None:
    assert [(op.name, op.count) for op in report.zero_access] == [("view", 1), ("t", 1)]
    assert all(op.reason for op in report.zero_access)


def test_long_names_keep_their_end_and_the_table_its_width() -> None:
    model: nn.Module = nn.Sequential(nn.Conv2d(3, 3, 1))
    for depth in range(20):
        outer = nn.Module()
        outer.add_module(f"a_rather_long_name_{depth}", model)
        outer.forward = model.forward  # type: ignore[method-assign]
        model = nn.Sequential(outer)
    lines = str(analyze(model, (1, 3, 8, 8))).splitlines()
    assert max(map(len, lines[:3])) <= WIDTH
    assert lines[2].startswith("…") and "_name_0.0 " in lines[2]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (9_999, "10.0 kB"), (99_960, "100 kB"),
        (999_499, "999 kB"), (999_500, "1.00 MB"), (10_437_376, "10.4 MB"), (2.5e9, "2.50 GB"),
        (7e18, "7000 PB"),
    ],
)  # fmt: skip
def test_bytes_for_people(count: float, text: str) -> None:
    assert human_bytes(count) == text


# -- sorting, csv, html ------------------------------------------------------------------------


def test_sorting(report: Report) -> None:
    assert [layer.name for layer in report.sort("macs").layers[:2]] == ["0", "4"]
    assert [layer.name for layer in report.sort("params").layers[:3]] == ["0", "4", "1"]
    assert [layer.name for layer in report.sort("memory").layers[:3]] == ["0", "1", "2"]
    assert report.sort("intensity").layers[0].name == "0"
    assert [layer.name for layer in report.sort("receptive_field").layers[-2:]] == ["0", "1"]
    assert [layer.name for layer in report.sort("name").layers] == ["0", "1", "2", "3", "4"]
    ranked = report.sort("memory")
    assert ranked.macs == report.macs and ranked.receptive_field == report.receptive_field
    assert ranked.layers[0].receptive_field == report.layers[0].receptive_field
    with pytest.raises(UserError, match="choose one of macs, params, memory"):
        report.sort("size")


def test_csv(report: Report, tmp_path: Path) -> None:
    rows = list(csv.DictReader(report.to_csv().splitlines()))
    assert [int(row["macs"]) for row in rows] == [layer.macs for layer in report.layers]
    assert [int(row["memory_access"]) for row in rows] == [
        layer.memory_access for layer in report.layers
    ]
    assert rows[0]["output_shape"] == "1x8x16x16" and rows[0]["rf_h"] == rows[0]["rf_w"] == "3"
    assert rows[0]["stride_h"] == "2" and rows[-1]["rf_w"] == "inf"
    assert float(rows[0]["intensity"]) == report.layers[0].intensity
    path = tmp_path / "r.csv"
    assert report.to_csv(path) == path.read_text() == report.to_csv(str(path))
    with pytest.raises(UserError, match="there is no folder"):
        report.to_csv(tmp_path / "nowhere" / "r.csv")
    with pytest.raises(UserError, match="cannot be written"):
        report.to_csv(tmp_path)


def test_csv_of_sounds_and_volumes() -> None:
    line = next(csv.DictReader(analyze(nn.Conv1d(1, 1, 5), (1, 1, 9)).to_csv().splitlines()))
    assert (line["rf_h"], line["rf_w"]) == ("", "5")
    cube = nn.Conv3d(1, 1, (1, 3, 5))
    line = next(csv.DictReader(analyze(cube, (1, 1, 9, 9, 9)).to_csv().splitlines()))
    assert (line["rf_d"], line["rf_h"], line["rf_w"]) == ("1", "3", "5")
    nothing = analyze(Fn(lambda m, x: x), (1, 2)).to_csv()
    assert nothing.startswith("name,kind,output_shape,params,macs,") and nothing.count("\n") == 1


class Tags(HTMLParser):
    """Checks that every tag is closed where it should be, and counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: Counter[str] = Counter()

    def handle_starttag(self, tag, attrs):
        self.seen[tag] += 1
        if tag not in ("br", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def tags_of(html: str) -> Counter[str]:
    parser = Tags()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser.seen


def test_html_escapes_names_and_draws_bars() -> None:
    model = nn.Sequential()
    model.add_module("<b>", nn.Conv2d(1, 1, 1))
    html = analyze(model, (1, 1, 2, 2))._repr_html_()
    assert "&lt;b&gt;" in html and "<b>" not in html
    assert "background-size:100.0% 3px" in html
    tags = tags_of(html)
    assert tags["details"] == 0 and tags["script"] == 0 and html.count("class='lc-row'") == 1


def test_html_is_a_tree_with_totals_of_each_block() -> None:
    block = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.ReLU())
    html = analyze(nn.Sequential(nn.Sequential(block, nn.ReLU()), nn.ReLU()), (1, 3, 8, 8))
    html = html._repr_html_()
    tags = tags_of(html)
    assert tags["details"] == tags["summary"] == 2 and html.count("<details open>") == 2
    summaries = re.findall(r"<summary.*?</summary>", html)
    assert all("81" in line and "5,184" in line for line in summaries)  # params and MACs below
    assert html.index("<summary") < html.index("Conv2d")
    # what stands behind the digits is nothing: the bars are three pixels at the bottom
    assert set(re.findall(r"background-size:[\d.]+% (\w+)", html)) == {"3px"}


def test_html_folds_large_models_and_lists_sorted_ones() -> None:
    model = nn.Sequential(*[nn.Sequential(*[nn.ReLU() for _ in range(9)]) for _ in range(9)])
    report = analyze(model, (1, 3))
    html = report._repr_html_()
    assert html.count("<details open>") == 1 and html.count("<details") == 9
    flat = report.sort("macs")._repr_html_()
    assert "<details" not in flat and "0.8" in flat
    tags_of(flat)


def test_a_module_and_a_layer_of_one_name_both_stay_visible() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.add = nn.Sequential(nn.ReLU())

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.add(x) + 1

    report = analyze(Odd(), (1, 3))
    assert [layer.name for layer in report.layers] == ["add.0", "add"]
    html = report._repr_html_()
    assert html.count("<details") == 1 and html.count("class='lc-row'") == 3


def test_to_dict_is_json_and_complete(report: Report) -> None:
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert data["params"] == report.params and data["macs"] == report.macs
    assert [row["name"] for row in data["layers"]] == ["0", "1", "2", "3", "4"]
    assert data["receptive_field"]["size"] == [3, 3] and data["receptive_field"]["stride"] == [2, 2]
    assert data["layers"][-1]["receptive_field"]["size"] == ["inf", "inf"]
    assert data["macs_is_lower_bound"] is False and data["unknown"] == []
    assert {"name", "count", "reason"} == set(data["zero"][0])
    for what in ("memory_access", "read", "written", "peak_activation", "peak_activation_fused"):
        assert data[what] == getattr(report, what)
    assert [share["kind"] for share in data["by_kind"]] == [s.kind for s in report.by_kind()]
    assert sum(row["memory_access"] for row in data["layers"]) == report.memory_access
    assert data["zero_memory_access"][0]["reason"] and data["layers"][0]["intensity"] > 0


def test_to_pandas(report: Report) -> None:
    frame = report.to_pandas()
    assert list(frame.macs) == [layer.macs for layer in report.layers]
    assert frame.loc[0, "receptive_field"] == (3, 3) and frame.loc[0, "stride"] == (2, 2)
    assert frame.memory_access.sum() == report.memory_access


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
        assert twin.to_dict() == report.to_dict() and twin.timeline() == report.timeline()


def test_model_without_layers_prints() -> None:
    text = str(analyze(nn.Sequential(nn.Flatten()), (1, 2, 3)))
    assert "Flatten" in text and "params 0" in text


def test_a_copy_made_before_anything_was_asked_answers_the_same() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.ConvTranspose2d(8, 4, 2)
    )
    fresh = pickle.loads(pickle.dumps(analyze(model, (1, 3, 16, 16))))
    assert fresh.to_dict() == analyze(model, (1, 3, 16, 16)).to_dict()


def test_a_report_made_by_hand_says_what_it_cannot_know() -> None:
    by_hand = Report("x", ((1, 2),), (1, 2), 0, 0, ())
    with pytest.raises(UserError, match="made by hand"):
        by_hand.timeline()
    assert by_hand.receptive_field is None and by_hand.intensity == 0.0
