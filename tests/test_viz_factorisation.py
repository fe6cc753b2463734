"""The factorisation scene: every number and area against torch, and against the papers."""

import itertools
from typing import Any

import pytest
import torch
from torch import nn

from lightcourse import analyze, viz
from lightcourse.errors import UserError
from lightcourse.viz.scene import dumps, resolve
from lightcourse.viz.scenes._fac_numbers import FORMS, Block
from lightcourse.viz.scenes._lad_words import short
from lightcourse.viz.scenes.factorisation import AFTER, BEFORE, KERNELS, MAPS

STATES = list(itertools.product(range(len(FORMS)), KERNELS, BEFORE, AFTER))


@pytest.fixture(scope="module")
def scene():
    return viz.factorisation()


def at(scene, form, k, before, after, side=14):
    return scene.at(
        step=form, k=f"{k}×{k}", cin=BEFORE.index(before), cout=AFTER.index(after),
        h=MAPS.index(side),
    )  # fmt: skip


def marks(scene):
    return {mark["id"]: mark for mark in scene.frame()}


def layers(scene, before, after) -> list[nn.Conv2d]:
    """The convolutions that the scene's own code builds."""
    inside: dict[str, Any] = {"nn": nn, "c_in": before, "c_out": after}
    with torch.device("meta"):
        exec(resolve(scene.spec["code"], scene.spec, scene.state), inside)
    conv = inside.get("conv")
    if conv is None:
        return []
    built = conv if isinstance(conv, nn.Sequential) else [conv]
    return [layer for layer in built if isinstance(layer, nn.Conv2d)]


# -- the exact expectations of facts/checks.json -------------------------------------------------


def test_ratio_of_depthwise_separable_is_one_over_channels_plus_one_over_area():
    assert Block(1, 3, 512, 512).ratio == pytest.approx(0.1130642361111111, abs=1e-12)  # C010
    for k, before, after in itertools.product(KERNELS, BEFORE, AFTER):
        assert Block(1, k, before, after).ratio == pytest.approx(1 / after + 1 / k**2, abs=1e-12)


def test_macs_of_the_mobilenets_table():
    assert Block(1, 3, 384, 384).macs(14) == 29_578_752  # C013, "29.6 million"
    assert Block(1, 3, 384, 384).macs(10) == 15_091_200  # C014, "15.1 million"


def test_ratios_of_stacks_and_of_lines():
    for channels in BEFORE:
        assert Block(3, 5, channels, channels).ratio == pytest.approx(0.72, abs=0)  # C017
        assert Block(3, 7, channels, channels).ratio == pytest.approx(27 / 49, abs=1e-12)  # C018
        assert Block(2, 7, channels, channels).ratio == pytest.approx(14 / 49, abs=1e-12)  # C019


def test_the_states_of_the_papers_are_in_the_scene(scene):
    for side, macs in ((14, "29.6 M"), (10, "15.1 M")):
        assert marks(at(scene, 1, 3, 384, 384, side))["macs"]["s"] == macs
    assert marks(at(scene, 1, 3, 512, 512))["ratio"]["s"] == "0.113×"
    for form, k, ratio in ((3, 5, "0.720×"), (3, 7, "0.551×"), (2, 7, "0.286×")):
        assert marks(at(scene, form, k, 512, 512))["ratio"]["s"] == ratio


# -- every state against torch -------------------------------------------------------------------


@pytest.mark.parametrize("form", range(len(FORMS)))
def test_numbers_of_every_state_are_those_of_the_layers_that_its_code_builds(scene, form):
    for _, k, before, after in (state for state in STATES if state[0] == form):
        here = at(scene, form, k, before, after)
        built, shown, block = (
            layers(here, before, after),
            marks(here),
            Block(form, k, before, after),
        )
        if not built:
            assert block.why_not and shown["weights"]["s"] == "–"
            assert shown["ratio"]["opacity"] == 0
            continue
        weights = [layer.weight.numel() for layer in built]
        assert [part.weights for part in block.parts] == weights
        assert [part.channels for part in block.parts] == [
            (layer.in_channels, layer.out_channels) for layer in built
        ]
        assert shown["weights"]["s"] == short(sum(weights))
        whole = nn.Conv2d(before, after, k, bias=False, device="meta").weight.numel()
        assert shown["ratio"]["s"] == f"{sum(weights) / whole:.3f}×"
        said = here.caption()
        assert f"{sum(weights):,}" in said or all(f"{w:,}" in said for w in weights)


@pytest.mark.parametrize("form", range(len(FORMS)))
def test_macs_and_output_shape_of_some_states_are_those_of_analyze(scene, form):
    for k, before, after, side in (
        (3, 128, 16, 7), (5, 256, 128, 10), (7, 128, 256, 14), (3, 512, 512, 28),
    ):  # fmt: skip
        here = at(scene, form, k, before, after, side)
        model = nn.Sequential(*layers(here, before, after))
        report = analyze(model, (1, before, side, side))
        assert report.output_shape == (1, after, side, side)
        assert report.macs == Block(form, k, before, after).macs(side)
        assert marks(here)["macs"]["s"] == short(report.macs)
        assert marks(here)["instead"]["s"] == short(k * k * before * after * side**2)
        field = report.layers[-1].receptive_field
        assert (field.local or field).size == (k, k), "every form sees as far as the standard one"


@pytest.mark.parametrize("form", range(len(FORMS)))
def test_areas_are_to_scale_with_the_weights(scene, form):
    for _, k, before, after in (state for state in STATES if state[0] == form):
        block, shown = Block(form, k, before, after), marks(at(scene, form, k, before, after))
        area = shown["legend"]["width"] ** 2 / 10_000  # px² a weight
        outline = shown["outline"]
        assert outline["width"] * outline["height"] == pytest.approx(
            area * block.standard.weights, rel=0.02, abs=2
        )
        start = shown["track"]["x"]
        for i, part in enumerate(block.parts):
            rect, bar = shown[f"part{i}"], shown[f"bar{i}"]
            assert rect["opacity"] == 1
            thin = min(rect["width"], rect["height"]) <= 2
            if not thin:
                assert rect["width"] * rect["height"] == pytest.approx(
                    area * part.weights, rel=0.07
                )
            assert bar["x"] == pytest.approx(start, abs=0.2)
            share = part.weights / block.standard.weights
            assert bar["width"] == pytest.approx(720 * share, abs=0.2)
            start = bar["x"] + bar["width"]
        for i in range(len(block.parts), 3):
            assert shown[f"part{i}"]["opacity"] == 0 and shown[f"bar{i}"]["width"] == 0


def test_parts_do_not_overlap_each_other(scene):
    for form, k, before, after in STATES:
        shown = marks(at(scene, form, k, before, after))
        rects = [shown[f"part{i}"] for i in range(len(Block(form, k, before, after).parts))]
        for a, b in itertools.combinations(rects, 2):
            apart = (
                a["x"] + a["width"] <= b["x"] or a["y"] + a["height"] <= b["y"]
                or b["x"] + b["width"] <= a["x"]
            )  # fmt: skip
            assert apart, (form, k, before, after, a, b)
        assert all(r["y"] + r["height"] < shown["ratio"]["y"] - 20 for r in rects)
        assert all(r["x"] + r["width"] <= scene.spec["size"][0] for r in rects)


def test_pointwise_is_one_panel_of_the_block(scene):
    shown = marks(at(scene, 1, 3, 384, 256))
    assert shown["part1"]["width"] == pytest.approx(shown["outline"]["width"] / 3, abs=0.1)
    assert shown["part1"]["height"] == pytest.approx(shown["outline"]["height"] / 3, abs=0.1)
    assert shown["kept"]["width"] == pytest.approx(shown["part1"]["width"], abs=0.1)
    lines = [m for n, m in shown.items() if n.startswith("down") and m["opacity"]]
    assert [round(m["x1"] - shown["outline"]["x"], 1) for m in lines] == pytest.approx(
        [shown["outline"]["width"] * i / 3 for i in (1, 2)], abs=0.1
    )


# -- what it says --------------------------------------------------------------------------------


def test_at_most_nine_times_with_three_by_three_and_the_pointwise_dominates(scene):
    for before, after in itertools.product(BEFORE, AFTER):
        block = Block(1, 3, before, after)
        assert 1 / block.ratio < 9
        share = block.parts[1].weights / block.weights
        said = at(scene, 1, 3, before, after).caption()
        assert f"{1 / block.ratio:.1f}× fewer, at most 9×" in said
        assert said.endswith(f"The 1×1 has {share:.0%}.")
        assert share == pytest.approx(after / (after + 9))


def test_what_does_not_pay_or_does_not_exist_is_invalid_with_the_reason(scene):
    for form, k, before, after in STATES:
        here = at(scene, form, k, before, after)
        warn = resolve(here.spec["warn"], here.spec, here.state)
        block = Block(form, k, before, after)
        assert bool(warn) == (not block.parts)
        assert block.why_not or (block.ratio > 1) == (k == 1 and form == 1)
        if form in (2, 3) and k == 1:
            assert "nothing to factorise" in warn and "nothing" in here.caption()
    assert "more, not fewer" in at(scene, 1, 1, 128, 128).caption()


def test_a_stack_of_one_says_so(scene):
    assert "One 3×3 is the whole stack" in at(scene, 3, 3, 128, 128).caption()
    assert "Two 3×3 see 5×5 together" in at(scene, 3, 5, 128, 128).caption()
    assert "Three 3×3 see 7×7 together" in at(scene, 3, 7, 128, 128).caption()


def test_only_what_is_drawn_thicker_says_so(scene):
    for k in KERNELS:
        shown = marks(at(scene, 1, k, 512, 512))
        assert shown["name0"]["s"] == f"depthwise {k}×{k} (thinner than drawn)"
        assert shown["name1"]["s"] == "pointwise 1×1"
    shown = marks(viz.factorisation(nn.Conv2d(3, 32, 3)).at(step=1))
    assert shown["name0"]["s"] == "depthwise 3×3"
    area = shown["legend"]["width"] ** 2 / 100  # px² a weight: the legend says 100 weights
    assert shown["legend_s"]["s"] == "100 weights ="
    assert shown["part0"]["width"] * shown["part0"]["height"] == pytest.approx(area * 27, rel=0.03)


# -- an own convolution --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "size"),
    [
        (nn.Conv2d(3, 32, 3, stride=2, padding=1), 112), (nn.Conv2d(48, 64, 5), 28),
        (nn.Conv2d(7, 7, 7), 9), (nn.Conv2d(64, 2048, 1), None), (nn.Conv2d(1, 1, 11), 1),
        (nn.Conv2d(30, 45, 2), 5), (nn.LazyConv2d(8, 3), 4),
    ],
)  # fmt: skip
def test_an_own_convolution_brings_its_own_numbers(module, size):
    if isinstance(module, nn.LazyConv2d):
        with pytest.raises(UserError, match="has not run"):
            viz.factorisation(module, size)
        return
    scene = viz.factorisation(module, size)
    (k, _), a, b = module.kernel_size, module.in_channels, module.out_channels
    assert f"{module.weight.numel():,} weights" in scene.caption()
    assert marks(scene)["macs"]["s"] == short(module.weight.numel() * (size or 14) ** 2)
    said = scene.at(step=1).caption()
    assert f"1/{b} + 1/{k * k} = {1 / b + 1 / k**2:.3f}" in said
    assert f"{k * k * a:,} + {a * b:,} weights" in said
    assert len(dumps(scene.spec)) < 150_000


@pytest.mark.parametrize(
    ("module", "size", "says"),
    [
        (nn.Conv2d(8, 8, 3, groups=8), None, "8 groups"),
        (nn.Conv2d(8, 8, (3, 1)), None, "(3, 1)"), (nn.Linear(3, 3), None, "Linear"),
        (nn.Conv1d(3, 3, 3), None, "Conv1d"), (5, None, "int"), (None, 0, "0"),
        (None, "14", "'14'"), (nn.Conv2d(3, 3, 13), None, "11×11"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_apart_is_refused_in_one_sentence(module, size, says):
    with pytest.raises(UserError) as caught:
        viz.factorisation(module, size)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("conv", [nn.Conv2d(8, 8, 1), nn.Conv2d(1, 1, 1), nn.Conv2d(2, 1, 3)])
def test_parts_that_cost_more_than_the_layer_stay_in_the_picture(conv):
    assert "</html>" in viz.factorisation(conv).html()  # html() validates every state's frame
