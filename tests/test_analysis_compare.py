"""Reports side by side: ratios to the first, shares by kind, and what it prints."""

import json

import pytest
from torch import nn

from lightcourse.analysis import Comparison, Report, analyze, compare
from lightcourse.analysis._report_text import WIDTH
from lightcourse.errors import UserError


def net(width: int) -> Report:
    model = nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(width, width, 1)
    )
    return analyze(model, (1, 3, 16, 16))


@pytest.fixture(scope="module")
def pair() -> Comparison:
    return compare({"wide": net(16), "slim": net(8)})


def test_ratios_are_to_the_first(pair: Comparison) -> None:
    data = json.loads(json.dumps(pair.to_dict(), allow_nan=False))
    wide, slim = data["wide"], data["slim"]
    assert set(wide["ratios"].values()) == {1.0}
    for what in ("params", "macs", "memory_access", "peak_activation", "intensity"):
        assert slim["ratios"][what] == pytest.approx(slim[what] / wide[what])
    assert slim["macs"] == 256 * (27 * 8 + 64) and slim["ratios"]["macs"] == 280 / 688
    assert wide["receptive_field"]["size"] == [3, 3]
    assert wide["by_kind"][0]["kind"] == "convolution"


def test_it_prints_aligned_columns(pair: Comparison) -> None:
    lines = str(pair).splitlines()
    assert lines[0].split() == ["wide", "slim"] and set(lines[1]) == {"-", " "}
    rows = {line.split("  ")[0]: line for line in lines[2:]}
    assert rows["MACs"].split()[1:] == ["176,128", "71,680", "×0.407"]
    end = lines[0].index("wide") + 4
    assert all(line[end - 1] != " " for line in lines[2:9])
    # the shares of each report sum up to everything
    start = lines.index("MACs by kind")
    shares = [line.split("%") for line in lines[start + 1 : start + 3]]
    assert sum(int(share[0].split()[-1]) for share in shares) == 100


def test_html_and_pandas(pair: Comparison) -> None:
    html = pair._repr_html_()
    assert html.count("<tr") == html.count("</tr>") == len(pair._lines())
    assert "×0.407" in html and "<script" not in html
    evil = compare({"<script>": net(4)})._repr_html_()
    assert "<script>" not in evil and "&lt;script&gt;" in evil
    frame = pair.to_pandas()
    assert list(frame.index) == ["wide", "slim"] and frame.loc["slim", "macs"] == 71_680
    assert frame.loc["slim", "params_ratio"] == pytest.approx(288 / 704, abs=0.01)


def test_names_are_told_apart_and_forms_mix() -> None:
    found = compare(net(4), net(8), {"mine": net(2)})
    assert found.names == ("Sequential", "Sequential#2", "mine")


def test_many_reports_are_broken_into_blocks_that_fit() -> None:
    report = net(4)
    text = str(compare({f"a network with a name {i}": report for i in range(9)}))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.count("memory access by kind") > 1 and "a network with a name 8" in text


def test_long_names_keep_their_end() -> None:
    head = str(compare({"/some/where/in/a/deep/folder/nets.py:wide": net(4)})).splitlines()[0]
    assert len(head.strip()) == 28
    assert head.strip().startswith("…") and head.endswith("nets.py:wide")


def test_nothing_to_divide_by() -> None:
    nothing = analyze(nn.Sequential(nn.ReLU()), (1, 3))
    found = compare({"zero": nothing, "some": net(4)})
    assert found.to_dict()["some"]["ratios"]["macs"] is None
    line = next(line for line in str(found).splitlines() if line.startswith("MACs"))
    assert "×" not in line


@pytest.mark.parametrize("given", [(), ({},), (3,), ({"a": nn.ReLU()},)])
def test_only_reports_can_be_compared(given) -> None:
    with pytest.raises(UserError, match="compare"):
        compare(*given)
