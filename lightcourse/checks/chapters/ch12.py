"""Chapter 12: the exercises on MobileNetV3 and the search behind it, and three predictions."""

from __future__ import annotations

import json
from importlib.resources import files

import torch
from torch import nn

from lightcourse.analysis import analyze
from lightcourse.checks.chapters import _ch12_adapt as adapt
from lightcourse.checks.chapters import _ch12_adapt_mistakes as adapt_mistakes
from lightcourse.checks.chapters import _ch12_bneck as bneck
from lightcourse.checks.chapters import _ch12_bneck_mistakes as bneck_mistakes
from lightcourse.checks.chapters import _ch12_excite as excite
from lightcourse.checks.chapters import _ch12_last as last
from lightcourse.checks.chapters import _ch12_last_mistakes as last_mistakes
from lightcourse.checks.chapters import _ch12_network as network
from lightcourse.checks.chapters import _ch12_network_mistakes as network_mistakes
from lightcourse.checks.chapters._ch12_table import LARGE, Network
from lightcourse.checks.exercise import Exercise, Law, Prediction
from lightcourse.nn import Bneck, ConvNormAct

TITLE = "MobileNetV3: five ideas, taken apart"

EXERCISES = [
    Exercise(
        id="12.excite",
        title="Squeeze-and-excitation as a module",
        name="SqueezeExcite",
        kind="class",
        cases=excite.cases,
        oracle=excite.oracle,
        call=excite.call,
        compare=excite.compare,
        show=excite.show,
        laws=(
            Law("x is left as it was", excite.keeps, hint=3),
            Law("every parameter learns", excite.learns, hint=1),
        ),
        mistakes=excite.MISTAKES,
        hints=excite.HINTS,
    ),
    Exercise(
        id="12.bneck",
        title="MobileNetV3's block",
        name="Bneck",
        kind="class",
        cases=bneck.cases,
        oracle=bneck.oracle,
        call=bneck.call,
        compare=bneck.compare,
        show=bneck.show,
        laws=(
            Law("x is left as it was", bneck.keeps, hint=4),
            Law("every parameter learns", bneck.learns, hint=1),
        ),
        mistakes=bneck_mistakes.MISTAKES,
        hints=bneck.HINTS,
    ),
    Exercise(
        id="12.last",
        title="The efficient last stage",
        name="LastStage",
        kind="class",
        cases=last.cases,
        oracle=last.oracle,
        call=last.call,
        compare=last.compare,
        show=last.show,
        laws=(
            Law("every parameter learns", last.learns, hint=1),
            Law("dropout of 0.2 before the classifier", last.drops, hint=4),
        ),
        mistakes=last_mistakes.MISTAKES,
        hints=last.HINTS,
    ),
    Exercise(
        id="12.network",
        title="MobileNetV3",
        name="MobileNetV3",
        kind="class",
        cases=network.cases,
        oracle=network.oracle,
        call=network.call,
        compare=network.compare,
        show=network.show,
        laws=(
            Law("every parameter learns", network.learns, hint=1),
            Law("dropout of 0.2 before the classifier", network.drops, hint=4),
        ),
        mistakes=network_mistakes.MISTAKES,
        hints=network.HINTS,
    ),
    Exercise(
        id="12.adapt",
        title="One step of NetAdapt",
        name="netadapt_step",
        cases=adapt.cases,
        oracle=adapt.oracle,
        show=adapt.show,
        laws=(
            Law("a training for each candidate", adapt.few_calls, hint=3),
            Law("no layer without channels", adapt.real_widths, hint=3),
        ),
        mistakes=adapt_mistakes.MISTAKES,
        hints=adapt.HINTS,
    ),
]


def _share_of_parameters() -> int:
    """Per cent of the parameters of MobileNetV3-Large that sit in squeeze-and-excitation."""
    with torch.device("meta"):
        net = Network(LARGE, 1280)
    gates = [m for m in net.modules() if isinstance(m, excite.Reference)]
    inside = sum(p.numel() for gate in gates for p in gate.parameters())
    return round(100 * inside / sum(p.numel() for p in net.parameters()))


def last_stages() -> tuple[nn.Sequential, nn.Sequential]:
    """Both forms of the last stage, figure 5 of the paper: the original one, the efficient one."""
    hs = nn.Hardswish
    original = nn.Sequential(
        Bneck(160, 960, 320, activation=hs), ConvNormAct(320, 1280, 1, activation=hs),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000),
    )  # fmt: skip
    efficient = nn.Sequential(
        ConvNormAct(160, 960, 1, activation=hs), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(960, 1280), hs(), nn.Linear(1280, 1000),
    )  # fmt: skip
    return original, efficient


def _millions_saved() -> float:
    """Million MACs that the efficient last stage saves, on a map of 7×7."""
    with torch.device("meta"):
        original, efficient = (analyze(net, (1, 160, 7, 7)).macs for net in last_stages())
    return round((original - efficient) / 1e6, 1)


ANSWERS = ("SE ahead", "the wider net ahead", "no difference seen")


def _log_says() -> str:
    """What the shipped log says about SE against a wider net of as many parameters."""
    log = files("lightcourse.training").joinpath("studies/logs/squeeze_excite.json")
    findings = json.loads(log.read_text(encoding="utf-8"))["findings"]
    found = next(f for f in findings if f["worse"].startswith("wider"))
    if found["word"] == "no difference seen":
        return ANSWERS[2]
    return ANSWERS[0] if found["difference"] > 0 else ANSWERS[1]


PREDICTIONS = [
    Prediction(
        id="12.p1",
        question="Per cent of MobileNetV3-Large's parameters in squeeze-and-excitation",
        truth=_share_of_parameters,
        tolerance=0.08,
        unit="%",
        replies={
            (0, 2): (
                "That is about their share of the MACs, less than one per cent. Their weights are"
                " used once a picture, others at every place of a map; so few MACs, many weights."
            ),
            (2.0001, 24): (
                "More: two layers between all the expanded channels and a quarter of them, in eight"
                " blocks. In the last ones 960 channels are weighed."
            ),
            (31, 100): (
                "Less. Nearly half of all parameters (46 %) are in the last two layers alone."
            ),
        },
        right="Right: more than a quarter, for less than one per cent of the MACs.",
        other="Per cent, from 0 to 100.",
    ),
    Prediction(
        id="12.p2",
        question="Million MACs that the efficient last stage saves",
        truth=_millions_saved,
        tolerance=0.06,
        unit="million",
        replies={
            (19, 21): (
                "That is what the layer to 1280 alone cost. With it a depthwise layer and a"
                " projection went."
            ),
            (29, 31): (
                "30 million is what the paper says, and a little less than comes out when both"
                " forms are counted layer by layer."
            ),
            (42, 46): "That is all that the original stage costs. The new one is not free.",
            (0, 18.9999): "More: 49 places become one, for the dearest layer of the stage.",
            (1e5, 1e12): "The answer is in millions.",
        },
        right="Right: more than three quarters of what the stage cost.",
        other="Count both forms, layer by layer: places × channels in × channels out.",
    ),
    Prediction(
        id="12.p3",
        question="SE against a wider net of as many parameters, on small pictures",
        options=ANSWERS,
        truth=_log_says,
        replies={
            "SE ahead": (
                "On ImageNet papers report gains. In this short training on small textures they do"
                " not show; what else may be the reason, the text below the log asks."
            ),
            "the wider net ahead": "The difference is too small for so few seeds.",
            "no difference seen": "There is one, with these seeds: look at the interval.",
        },
        right="That is what the log says, for these pictures and this training.",
    ),
]
