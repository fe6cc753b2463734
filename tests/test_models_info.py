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


# who wrote what: a repository of a family's own authors, besides the paper itself
OWN = {
    "CSP": "WongKinYiu", "EfficientDet": "google/automl", "FD-MobileNet": "qinzheng93",
    "Light-Head": "zengarden", "MCUNet": "mit-han-lab", "MnasNet": "tensorflow/tpu",
    "MobileNetV2": "tensorflow/models", "MobileNetV3": "tensorflow/models", "OFA": "mit-han-lab",
    "ProxylessNAS": "mit-han-lab", "ShiftResNet": "alvinwan", "ShuffleNetV1": "megvii-model",
    "YOLO": "AlexeyAB/darknet", "YOLO-tiny": "AlexeyAB/darknet",
}  # fmt: skip


def test_how_sure_a_number_is_fits_where_it_was_read() -> None:
    for row in published():
        if row.verification == "recalled":
            continue
        home = model_info(row.model).paper.where if row.model else OWN.get(row.family, "?")
        own = row.source.startswith((home, OWN.get(row.family, home))) and "copy" not in row.source
        if row.verification == "text-seen":
            assert own, (row.variant, row.source)
        elif own:  # then it says who quotes the paper, or what of it comes from elsewhere
            assert re.search(r"as .*other texts quote|README|another text", row.source), row.variant


def test_numbers_from_the_mobilenets_paper_are_anothers_for_others() -> None:
    for row in published():
        if "MobileNets" in row.source and row.verification != "recalled":
            assert row.known_from == "another's text", row.variant
    levels = {row.variant: row.known_from for row in published()}
    for name in ("AlexNet (original, groups=2)", "VGG-16", "Darknet-53", "Darknet Ref"):
        assert levels[name] == "another's text"


def test_years_are_those_of_the_first_public_version() -> None:
    for name in list_models():
        paper = model_info(name).paper
        if found := re.match(r"arXiv (\d\d)\d\d\.", paper.where):
            assert paper.year == 2000 + int(found[1]), (name, paper.year, paper.where)
    assert model_info("ofa_mobilenet_v3").paper.year == 2019


def test_a_row_names_the_settings_it_is_built_with() -> None:
    assert "built with\n  variant='pytorchcv'" not in str(model_info("darknet_ref"))
    text = str(model_info("densenet_cifar"))
    assert "built with" in text and "DenseNet-40 k12: variant='pytorchcv'" in text
    assert "width_mult=0.75" in str(model_info("mobilenet_v1"))


def test_a_default_form_has_the_row_of_its_own_accuracy() -> None:
    for name, top1, macs in (
        ("darknet_ref", 61.1, 402_571_264),
        ("resnet101", 76.4, 7_570_194_432),
    ):
        row = model_info(name).variant
        assert row and (row.top1, row.macs) == (top1, macs)
    later = model_info("resnet101", variant="torchvision").macs  # three 1×1s see 4 times the pixels
    assert later - macs == 3 * 256 * 128 * 56**2 * 3 // 4


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("efficientnet_lite0", "ReLU6 for SiLU.*do not come out"),
        ("resnext50_32x4d", "stride stands on the grouped 3×3"),
        ("wide_resnet50_2", "stride stands on the 3×3"),
        ("googlenet", "torchvision's own has 0.2"),
        ("squeezenet1_0", "raw pixels less their mean, up to about 151"),
        ("mobilenet_v1", "317M MACs.*do not come out, we count 325.4 M.*34M.*we count 30.2 M"),
        ("shufflenet_v2", "unit at 1.5x no exact count is published.*298,970,656"),
        ("fbnet_c", "385.0 M, 2.7 % more"),
    ],
)
def test_what_differs_is_said(name: str, says: str) -> None:
    said = " ".join(str(model_info(name)).split())
    assert re.search(says, said), said
    assert "within 1-3" not in said


def test_what_is_said_of_lite_and_shufflenet_is_counted() -> None:
    assert "torch's own for B0 to B4" not in model_info("efficientnet_lite0").paper.follows
    wide = model_info("shufflenet_v2", width_mult=1.5)
    assert (wide.params, wide.macs) == (3_506_720, 298_970_656)
    lite = create_on_meta("efficientnet_lite0")
    assert not any(type(module).__name__ in ("SqueezeExcite", "SiLU") for module in lite.modules())


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
