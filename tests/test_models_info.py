"""model_info and `lightcourse models`: each model's paper, its numbers and how sure they are."""

import csv
import html
import json
import re

import pytest
import torch

from lightcourse import analyze, create_model, list_models, model_info
from lightcourse.cli import run
from lightcourse.errors import UserError
from lightcourse.models import FAMILIES, Published, published
from lightcourse.models._info import text_table


@pytest.mark.parametrize("name", list_models())
def test_every_model_has_a_paper_and_prints(name: str) -> None:
    info = model_info(name)
    assert name in FAMILIES[info.family]
    assert 1989 <= info.paper.year <= 2026 and len(info.paper.title) > 10 and info.paper.where
    assert info.input[0] == create_on_meta(name).in_channels
    if info.variant:
        assert info.variant.model == name and info.variant.family == info.family


def create_on_meta(name: str, **settings) -> torch.nn.Module:
    with torch.device("meta"):
        return create_model(name, **settings)


# forms that no published row counts, one of each kind of input
COUNTED = ("mobilenet_v2_cifar", "squeezenet1_1", "efficientnet_b2", "lenet5", "yolov2_tiny")


@pytest.mark.parametrize("name", COUNTED)
def test_counts_are_those_of_analyze(name: str) -> None:
    info = model_info(name)
    report = analyze(create_on_meta(name), (1, *info.input))
    assert (info.params, info.macs) == (report.params, report.macs)


def test_settings_choose_the_variant() -> None:
    half = model_info("mobilenet_v2", width_mult=0.5)
    assert half.variant and half.variant.variant == "MobileNetV2 0.5 @224"
    assert (half.params, half.macs) == (1_968_680, 97_131_840)
    assert model_info("mobilenet_v2").variant == model_info("mobilenet_v2", width_mult=1.0).variant
    odd = model_info("mobilenet_v2", width_mult=0.3)
    assert odd.variant is None and odd.params < half.params and len(odd.published) == 4
    small = model_info("mobilenet_v2", small_input=True, in_channels=1)
    assert small.input == (1, 32, 32)
    assert model_info("efficientnet_b2").input == (3, 260, 260)
    assert model_info("efficientnet_b7").input == (3, 600, 600)


def test_it_says_in_plain_words_how_sure_it_is_and_whom_we_follow() -> None:
    text = str(model_info("mobilenet_v3_large"))
    assert "We follow: " in text and "its own text" in text and "arXiv 1905.02244" in text
    assert "we count 216.6 M" in text and "5,483,032" in text
    assert "memory" in str(model_info("inception_v4"))
    assert max(map(len, text.splitlines())) <= 120
    shift = str(model_info("shiftnet_a"))
    assert "ShiftNet-B, ShiftNet-C: no layer table is published" in shift


def test_verification_in_plain_words() -> None:
    row = Published("x", "X", "x", {}, 224, top1=70.0, verification="recalled")
    assert row.known_from == "memory"
    assert Published("x", "X", "x", {}, 224, verification="recalled").known_from == ""
    levels = {row.verification for row in published()}
    assert levels == {"text-seen", "secondary-seen", "recalled"}


def test_html_holds_the_same_and_escapes() -> None:
    info = model_info("shufflenet_v1")
    page = info._repr_html_()
    assert page.count("<table>") == page.count("</table>") == 1
    text = html.unescape(re.sub(r"<[^>]+>", "\n", page))
    for row in info.published:
        assert row.variant in text
    tricky = Published("<b>&", "X", "shufflenet_v1", {}, 224, note="<script>")
    page = type(info)(info.name, "F", {}, info.paper, (tricky,), info.input)._repr_html_()
    assert "&lt;b&gt;&amp;" in page and "<script>" not in page


def test_plain_data_goes_through_json() -> None:
    data = json.loads(json.dumps(model_info("shiftnet_a").to_dict()))
    assert data["params"] == 4_188_680 and data["paper"]["year"] == 2017
    assert [row["variant"][-1] for row in data["published"]] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: model_info("mobilenetv2"), "did you mean mobilenet_v2"),
        (lambda: model_info("mobilenet_v2", width=2), "its settings are"),
        (lambda: model_info("mobilenet_v2", width_mult=-1), "width_mult is -1"),
    ],
)
def test_mistakes_get_one_clear_sentence(call, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_columns_of_words_stand_left_and_of_numbers_right() -> None:
    assert text_table(("a", "n"), [("bb", "1"), ("c", "22")], (0,)) == "a    n\nbb   1\nc   22"


def test_the_command_lists_a_family(capsys) -> None:
    assert run(["models", "--family", "mobilenetv2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["name", *list_models("MobileNetV2")]
    assert "3.50 M" in lines[1] and "300.8 M" in lines[1] and "71.8" in lines[1]
    assert lines[2].endswith("-") and lines[3].startswith("2 models;")


def test_the_command_writes_data(capsys) -> None:
    assert run(["models", "--family", "MobileNetV2", "--format", "csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["name"] for row in rows] == list_models("MobileNetV2")
    assert (rows[0]["params"], rows[0]["macs"]) == ("3504872", "300774272")
    assert run(["models", "--family", "MobileNetV2", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["input"] == "3×224×224"


def test_the_command_tells_all_about_one(capsys) -> None:
    assert run(["models", "mobilenet_v2"]) == 0
    assert capsys.readouterr().out.strip() == str(model_info("mobilenet_v2"))
    assert run(["models", "mobilenet_v2", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["macs"] == 300_774_272
    assert run(["models", "mobilenet_v2", "--format", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["models", "mobilenetv2"], "did you mean mobilenet_v2"),
        (["models", "--family", "mobile"], "did you mean"),
        (["models", "--format", "xml"], "no format 'xml'; choose one of table, json, csv"),
        (["models", "mobilenet_v2", "--family", "VGG"], "not both"),
    ],
)
def test_the_command_explains_mistakes(args: list[str], says: str, capsys) -> None:
    assert run(args) == 2
    text = capsys.readouterr().err.strip()
    assert says in text and "\n" not in text
