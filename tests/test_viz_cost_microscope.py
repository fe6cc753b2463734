"""The cost microscope: every number that it draws against `analyze`, and the roof by hand."""

import math
import re
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lightcourse import analyze, create_model, viz
from lightcourse.analysis import count_access
from lightcourse.errors import UserError
from lightcourse.viz.scene import J, L, Scene, SceneError, dumps, frame, resolve
from lightcourse.viz.scenes import cost_microscope as module
from lightcourse.viz.scenes._cm_cases import SIZES, WIDTHS, study_of
from lightcourse.viz.scenes._cm_costs import MOST_ROWS, case_of
from lightcourse.viz.scenes._cm_roof import attainable, least_time, roofs_of, share_of_peak
from lightcourse.viz.scenes._cm_scale import SHARES, across, number, ratio, share, spaced, up

COLUMNS = {"params": "params", "macs": "macs", "moved": "moved"}


@pytest.fixture(scope="module", autouse=True)
def no_probe():
    """As on a machine where the probe never ran; a test that wants one says so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_machine", lambda: None)
        yield


@pytest.fixture(scope="module")
def scene(no_probe):
    return viz.cost_microscope()


@pytest.fixture(scope="module")
def reports():
    with torch.random.fork_rng():
        return {
            (w, s): analyze(create_model("mobilenet_v2", width_mult=width), (1, 3, side, side))
            for w, width in enumerate(WIDTHS)
            for s, side in enumerate(SIZES)
        }


def shown(scene, **state):
    return {mark["id"]: mark for mark in scene.at(**state).frame()}


def said(scene, name, **state):
    return str(resolve(scene.spec[name], scene.spec, scene.at(**state).state))


def blocks_of(report, schedule):
    """Params, MACs, bytes and bytes alive of each child of `features`, and of what follows it."""
    moved = [a.total for a in count_access(report._trace, schedule)]
    live = report.timeline(schedule).live
    found = {}
    for layer, row in zip(report.layers, report._trace.rows, strict=True):
        name = ".".join(layer.name.split(".")[:2])
        if name == "classifier.0":
            continue  # dropout: nothing runs
        block = found.setdefault(name, [0, 0, 0, 0])
        block[0] += layer.params
        block[1] += layer.macs
        block[2] += sum(moved[i] for i in row.ops)
        block[3] = max(block[3], *(live[i] for i in row.ops))
    return found


# -- numbers of the default scene, every state ----------------------------------------------------


@pytest.mark.parametrize("schedule", ["eager", "fused"])
@pytest.mark.parametrize("w", range(len(WIDTHS)))
@pytest.mark.parametrize("s", range(len(SIZES)))
def test_rows_by_part_are_what_analyze_counts(scene, reports, w, s, schedule):
    blocks = blocks_of(reports[w, s], schedule)
    drawn = shown(scene, width=w, size=s, schedule=schedule)
    for i, (name, values) in enumerate(blocks.items()):
        params, macs, moved, alive = values
        assert drawn[f"name{i}"]["s"] == name
        assert drawn[f"params{i}"]["s"] == number(params)
        assert drawn[f"macs{i}"]["s"] == number(macs)
        assert drawn[f"moved{i}"]["s"] == number(moved)
        for k, (measure, value) in enumerate(
            zip(("params", "macs", "moved", "alive"), (params, macs, moved, alive), strict=True)
        ):
            top = max(block[k] for block in blocks.values())
            room = 120 if measure == "alive" else 66
            assert drawn[f"{measure}_bar{i}"]["width"] == pytest.approx(room * value / top, abs=0.5)
        place = across(2 * macs / moved) if macs else 714
        assert drawn[f"dot{i}"]["cx"] == pytest.approx(place, abs=0.5)
    assert len(blocks) == 21 == scene.spec["tables"]["steps"][0][w] - 1


@pytest.mark.parametrize("w", range(len(WIDTHS)))
@pytest.mark.parametrize("s", range(len(SIZES)))
def test_rows_by_kind_are_those_of_the_report(scene, reports, w, s):
    report = reports[w, s]
    drawn = shown(scene, rows="by kind", width=w, size=s)
    rows = {drawn[f"name{i}"]["s"]: i for i in range(8)}
    for kind in report.by_kind():
        name = kind.kind.replace("convolution", "conv")
        i = rows["standard conv" if name == "conv" else name]
        assert drawn[f"params{i}"]["s"] == number(kind.params)
        assert drawn[f"macs{i}"]["s"] == number(kind.macs)
        assert drawn[f"moved{i}"]["s"] == number(kind.memory_access)
    assert len(report.by_kind()) == 8
    assert all(drawn[f"moved_bar{i}"]["width"] == 0 for i in range(8, 21))


@pytest.mark.parametrize("schedule", ["eager", "fused"])
@pytest.mark.parametrize("w", range(len(WIDTHS)))
@pytest.mark.parametrize("s", range(len(SIZES)))
def test_totals_and_code_are_those_of_the_report(scene, reports, w, s, schedule):
    report = reports[w, s]
    state = {"width": w, "size": s, "schedule": schedule}
    drawn, lines = shown(scene, **state), said(scene, "code", **state)
    moved = sum(a.total for a in count_access(report._trace, schedule))
    peak = report.timeline(schedule).peak
    totals = {"params": report.params, "macs": report.macs, "moved": moved, "alive": peak}
    for measure, value in totals.items():
        unit = "B" if measure in ("moved", "alive") else ""
        assert drawn[f"{measure}_total"]["s"] == spaced(value, unit)
    for value in (report.params, report.macs, report.memory_access, peak):
        assert f"{value:,}" in lines
    names = {"analyze": analyze, "create_model": create_model}
    text = re.sub("^from.*\n", "", lines)
    with torch.random.fork_rng():
        exec(text, names)  # the code runs, and gives the numbers that it says
    assert names["report"].macs == report.macs


def test_the_fold_is_told(scene):
    assert shown(scene)["count"]["s"] == "151 layers in 21 rows"
    assert shown(scene, rows="by kind")["count"]["s"] == "151 layers, 8 kinds"
    assert shown(viz.cost_microscope(nested(1, 3), size=8))["count"]["s"] == "3 layers"


def test_the_famous_numbers_of_mobilenet_v2(scene):
    drawn = shown(scene)
    assert [drawn[f"{m}_total"]["s"] for m in ("params", "macs", "alive")] == [
        "3.50 M", "301 M", "10.4 MB",
    ]  # fmt: skip
    assert "10,437,376" in said(scene, "code")


def test_the_caption_says_where_the_halves_lie(scene, reports):
    for (w, s), report in reports.items():
        text = scene.at(width=w, size=s).caption()
        blocks = list(blocks_of(report, "eager").values())
        for k, name in enumerate(("params", "MACs", "bytes")):
            total = sum(block[k] for block in blocks)
            least = next(
                n for n in range(1, 22) if 2 * sum(b[k] for b in blocks[:n]) >= total
            )  # fmt: skip
            rows = "the first" if least == 1 else f"the first {least}"
            assert f"half of the {name} in {rows}" in text
    halves = "bytes in the first 5", "MACs in the first 11", "params in the first 18"
    assert ", ".join(f"half of the {half}" for half in halves) in scene.caption()


def test_bytes_belong_to_normalisation_activation_and_depthwise(scene):
    text = scene.at(rows="by kind").caption()
    assert "normalisation moves the most bytes, 31 %, with 0 % of the MACs" in text
    assert "pointwise conv does 89 % of the MACs with 21 % of the bytes" in text
    fused = scene.at(rows="by kind", schedule="fused").caption()
    assert "pointwise conv moves the most bytes" in fused


def test_exponents_lead_from_the_first_state_to_every_other(scene, reports):
    first = reports[WIDTHS.index(1.0), len(SIZES) - 1]
    for (w, s), report in reports.items():
        drawn = shown(scene, width=w, size=s)
        powers = dict(re.findall(r"(α|ρ)\^(-?[\d.]+)", drawn["macs_law"]["s"]))
        alpha, rho = WIDTHS[w] / 1.0, SIZES[s] / SIZES[-1]
        product = alpha ** float(powers.get("α", 0)) * rho ** float(powers.get("ρ", 0))
        assert product == pytest.approx(report.macs / first.macs, rel=0.01)
        assert drawn["macs_law"]["s"].count("^") == (alpha != 1) + (rho != 1)
    text = scene.at(width=0, size=len(SIZES) - 1).caption()
    assert "MACs are ×0.323, α^1.63; the rule α²ρ² says ×0.25." in text
    assert math.log(97_131_840 / 300_774_272) / math.log(0.5) == pytest.approx(1.63, abs=0.005)


@pytest.mark.parametrize("sort", [0, 1, 2])
@pytest.mark.parametrize("rows", [0, 1])
def test_rows_stand_in_order_and_shares_run_up_to_everything(scene, reports, rows, sort):
    report = reports[0, 0]
    study = study_of(None, None)
    held = study.rows(rows, (0, 0, 0))
    key = (None, "macs", "moved")[sort]
    order = sorted(range(len(held)), key=lambda i: -held[i].value(key, 0) if key else i)
    totals = {"params": report.params, "macs": report.macs, "moved": report.memory_access}
    for n in range(len(held) + 1):
        drawn = shown(scene, rows=rows, sort=sort, width=0, size=0, row=n)
        assert sorted(range(len(held)), key=lambda i: drawn[f"dot{i}"]["cy"]) == order
        for measure, total in totals.items():
            part = sum(held[i].value(measure, 0) for i in order[:n]) / total
            text = drawn[f"{measure}_share"]["s"]
            assert text == (SHARES[share(part)] if n else "")
            if 0.01 <= part <= 0.99:
                assert abs(float(text.removesuffix(" %")) - 100 * part) <= 0.51
        if n:
            name = held[order[n - 1]].name
            caption = scene.at(rows=rows, sort=sort, width=0, size=0, row=n).caption()
            assert caption.startswith(f"Down to {name} ({n} of {len(held)} rows")
            assert f"This row does {ratio(held[order[n - 1]].intensity(0))} FLOPs" in caption
    assert drawn["params_share"]["s"] == drawn["moved_share"]["s"] == "100 %"


# -- the roof -------------------------------------------------------------------------------------


def test_three_layers_by_hand():
    layers = {
        nn.Conv2d(64, 64, 1, bias=False): (405_504, 15.8),
        nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False): (401_984, 2.25),
        nn.Conv2d(64, 64, 3, padding=1, bias=False): (438_272, 132),
    }
    for layer, (elements, intensity) in layers.items():
        scene = viz.cost_microscope(layer, size=56)
        (row,) = case_of(analyze(layer, (1, 64, 56, 56))).kinds
        assert row.moved == (4 * elements, 4 * elements)
        assert f"{elements * 4:,} bytes" in said(scene, "code")
        assert f"**{intensity}** FLOPs per byte" in said(scene, "caption")


def cost(macs, moved):
    return SimpleNamespace(macs=macs, moved=(moved, moved))


def test_roofline_laws_by_hand():
    # peak 100 FLOP/s, 10 byte/s: ridge at 10 FLOPs per byte
    assert [attainable(x, 100, 10) for x in (1, 5, 10, 40)] == [10, 50, 100, 100]
    rows = [cost(500, 10), cost(0, 30), cost(20, 40)]
    # FLOPs 1000 at the peak 10 s; bytes 30 in 3 s; 40 FLOPs in 0.4 s but 40 bytes in 4 s: 17 s
    assert least_time(rows, 0, ridge=10) / 100 == 17
    assert share_of_peak(rows, 0, ridge=10) == 1040 / 1700
    assert least_time(rows, 0, ridge=0) == 1040 and share_of_peak([], 0, 5) == 1


def test_nine_times_fewer_macs_are_not_nine_times_faster():
    full = nn.Conv2d(64, 64, 3, padding=1, bias=False)
    parts = (nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False),
             nn.Conv2d(64, 64, 1, bias=False))  # fmt: skip
    scene = viz.cost_microscope({"3×3": full, "separable": nn.Sequential(*parts)}, size=56)
    roofs = roofs_of(None)
    for name, (peak, band) in roofs.presets.items():
        ridge = roofs.ridges[roofs.ridge_of(peak, band)]
        times = [
            sum(max(2 * c.macs, c.memory_access * ridge) for c in
                analyze(m, (1, 64, 56, 56)).layers) for m in (nn.Sequential(full),
                                                              nn.Sequential(*parts))
        ]  # fmt: skip
        text = scene.at(net="separable", peak=peak, band=band).caption()
        assert "MACs ×0.127, bytes ×1.84, least time" in text
        found = float(re.findall(r"least time ×([\d.]+\d)", text)[0])
        assert found == pytest.approx(times[1] / times[0], abs=0.0051), name
    assert found >= 0.25  # on the last, a large GPU: four times faster, not eight


def test_a_dot_is_memory_bound_exactly_left_of_the_ridge(scene):
    study, roofs = study_of(None, None), roofs_of(None)
    study_rows = study.rows(1, (0, 0, 0))
    for peak in range(0, len(roofs.peaks), 2):
        for band in range(len(roofs.bands)):
            ridge = roofs.peaks[peak] / roofs.bands[band]
            assert roofs.ridges[roofs.ridge_of(peak, band)] == pytest.approx(ridge)
            drawn = shown(scene, rows=1, width=0, size=0, peak=peak, band=band)
            for i, row in enumerate(study_rows):
                bound = "c6" if row.intensity(0) < ridge else "c1"
                assert drawn[f"dot{i}"]["fill"] == bound
            assert drawn["ridge"]["x1"] == pytest.approx(across(ridge), abs=0.01)
            time = least_time(study.cases[0, 0, 0].leaves, 0, ridge)
            part = 2 * study.total((0, 0, 0)).macs / time
            assert drawn["reach"]["s"] == f"at best {SHARES[share(part)]} of peak"
    verdict = scene.at(rows=1, row=4, peak=0, band=0).caption()
    assert verdict.endswith("memory-bound under this roof.")
    assert scene.at(rows=1, row=2).caption().endswith("nothing but traffic under this roof.")


def test_the_roof_is_drawn_through_its_own_points(scene):
    roofs = roofs_of(None)
    for peak, band in ((0, 0), (5, 6), (16, 0), (0, 12), (16, 12), (10, 9)):
        drawn = shown(scene, peak=peak, band=band)
        slant, flat = drawn["slant"], drawn["flat"]
        for line, ends in ((slant, (1, 2)), (flat, (1, 2))):
            for end in ends:
                x = line[f"x{end}"]
                ai = 10 ** (4 * (x - 736) / (978 - 736) - 1)
                speed = attainable(ai, roofs.peaks[peak], roofs.bands[band])
                assert line[f"y{end}"] == pytest.approx(up(speed), abs=0.1)
        assert drawn["peak"]["cy"] == pytest.approx(up(roofs.peaks[peak]), abs=0.01)
        assert drawn["peak_s"]["s"] == spaced(roofs.peaks[peak], "FLOP/s")
        assert drawn["band_s"]["s"] == spaced(roofs.bands[band], "B/s")


def test_this_machines_own_roof_is_one_of_the_choices(monkeypatch):
    machine = SimpleNamespace(peak_macs=37.3e9, bandwidth=13.1e9)
    roofs = roofs_of(machine)
    peak, band = roofs.presets["this machine"]
    assert roofs.peaks[peak] == pytest.approx(2 * 37.3e9)
    assert roofs.bands[band] == pytest.approx(13.1e9)
    monkeypatch.setattr(module, "_machine", lambda: machine)
    scene = viz.cost_microscope(nn.Conv2d(3, 8, 3), size=32)
    drawn = shown(scene)
    assert (scene.state["peak"], scene.state["band"]) == (peak, band)
    assert drawn["peak_s"]["s"] == "74.6 GFLOP/s" and drawn["band_s"]["s"] == "13.1 GB/s"
    assert drawn["machine0"]["fill"] == "hi" and drawn["machine0_s"]["s"] == "mine"
    tips = [m["tip"] for m in scene.spec["marks"] if m["id"] == "machine0"]
    assert tips == ["this machine, as probed: 74.6 GFLOP/s, 13.1 GB/s"]
    assert viz.cost_microscope().state["peak"] == peak  # four choices fit into the budget, too


def test_a_machine_off_the_scale_is_drawn_at_its_end_and_says_so(monkeypatch):
    machine = SimpleNamespace(peak_macs=104e9, bandwidth=6.02e9)
    roofs = roofs_of(machine)
    peak, band = roofs.presets["this machine"]
    assert roofs.peaks[peak] == pytest.approx(208e9)
    assert roofs.bands[band] == pytest.approx(1e10)
    assert roofs.beyond == (208e9, 6.02e9)
    assert roofs_of(SimpleNamespace(peak_macs=1e11, bandwidth=2e10)).beyond is None
    monkeypatch.setattr(module, "_machine", lambda: machine)
    scene = viz.cost_microscope(nn.Conv2d(3, 8, 3), size=32)
    (tip,) = (m["tip"] for m in scene.spec["marks"] if m["id"] == "machine0")
    assert "probed 208 GFLOP/s, 6.02 GB/s; off the scale" in tip
    assert tip.endswith("nearest that fits: 208 GFLOP/s, 10.0 GB/s")


def test_words_under_the_roof_stand_neither_on_it_nor_on_each_other(scene):
    for peak in range(len(roofs_of(None).peaks)):
        drawn = shown(scene, peak=peak)
        reach, time = drawn["reach"]["y"], drawn["time"]["y"]
        assert time == reach + 17
        said = drawn["peak_s"]["y"]
        assert said <= reach - 14 or said >= time + 14
        assert not reach - 14 < drawn["flat"]["y2"] < time + 3


def test_a_layer_that_is_called_by_a_number_does_not_look_like_a_count():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3))
    caption = viz.cost_microscope(net, size=32).caption()
    assert "Most memory is alive in layer " in caption
    assert "in the first **" not in caption and "half of the MACs in the first 3" in caption


# -- folding, own networks, mistakes --------------------------------------------------------------


def nested(depth, width):
    if depth == 0:
        return nn.Conv2d(4, 4, 1)
    return nn.Sequential(*[nested(depth - 1, width) for _ in range(width)])


@pytest.mark.parametrize("most", [3, 8, 22])
@pytest.mark.parametrize("model", [nested(1, 60), nested(2, 8), nested(3, 4), nested(2, 5)])
def test_folding_keeps_every_sum_and_the_order(model, most):
    report = analyze(model, (1, 4, 8, 8))
    case = case_of(report, most)
    assert 1 < len(case.blocks) <= most
    assert sum(row.params for row in case.blocks) == report.params
    assert sum(row.macs for row in case.blocks) == report.macs == sum(r.macs for r in case.kinds)
    assert sum(row.moved[0] for row in case.blocks) == report.memory_access
    firsts = [int(row.name.split(" ")[0].split(".")[0]) for row in case.blocks]
    assert firsts == sorted(firsts)


def test_small_networks_are_not_folded_and_what_is_in_no_layer_has_a_row():
    class Filled(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(8, 8, 1)

        def forward(self, x):
            return self.conv(x) + torch.zeros_like(x)

    report = analyze(Filled(), (1, 8, 6, 6))
    case = case_of(report)
    assert [row.name for row in case.blocks] == ["conv", "zeros_like", "add"] and not case.folded
    assert sum(row.moved[0] for row in case.blocks) == report.memory_access
    assert sum(layer.memory_access for layer in report.layers) < report.memory_access
    scene = viz.cost_microscope(Filled(), size=6)
    assert scene.spec["params"][0]["options"][0] == "by layer"
    assert len(case_of(analyze(nested(2, 30), (1, 4, 8, 8))).blocks) <= MOST_ROWS


class Fixed(nn.Module):
    """A network for 28×28 grey pictures only."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(4 * 28 * 28, 10)

    def forward(self, x):
        return self.head(self.conv(x).relu().flatten(1))


def test_a_size_at_which_a_network_does_not_run_is_shown_with_the_reason():
    scene = viz.cost_microscope(Fixed(), size=28)
    assert said(scene, "warn") == ""
    assert "takes 3136 input features" in said(scene, "warn", size=0)
    assert said(scene, "warn", size=0).startswith("Not possible: ")
    drawn = shown(scene, size=0)
    assert drawn["macs_total"]["s"] == "—" and drawn["macs_bar0"]["width"] == 0
    assert "does not run" in scene.at(size=0).caption()
    assert "(1, 1, 28, 28)" in said(scene, "code")


def test_batches_scale_activations_but_not_weights():
    scene = viz.cost_microscope(nn.Linear(64, 64, bias=False), size=64)
    law = shown(scene, batch="4")["macs_law"]["s"]
    assert law == "N^1.00"
    batch = shown(scene, batch="16")["dot0"]["cx"] - shown(scene, batch="1")["dot0"]["cx"]
    assert batch > 0  # more FLOPs for each byte of weights


def test_reports_stand_for_themselves_beside_modules():
    report = analyze(nn.Conv2d(8, 8, 1, bias=False), (2, 8, 10, 20))
    scene = viz.cost_microscope({"mine": report, "other": nn.Conv2d(3, 8, 3)}, size=32)
    assert scene.caption().startswith("mine, input 2×8×10×20: ")
    assert f"{report.memory_access:,}" in said(scene, "code")
    assert scene.at(net="other").caption().startswith("other, input 32 px: ")
    assert "size" in [p["name"] for p in scene.spec["params"]]


def test_unknown_operators_make_a_lower_bound():
    class Strange(nn.Module):
        def forward(self, x):
            return torch.linalg.inv(x)

    scene = viz.cost_microscope({"odd": nn.Sequential(nn.Conv2d(3, 3, 1), Strange())}, size=8)
    assert "lower bound" in said(scene, "warn")
    assert shown(scene)["macs_total"]["s"].startswith("≥ ")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("x",), "cannot put str under the microscope"),
        (({},), "cannot draw 0 networks"),
        ((nn.Identity(),), "no cost to draw"),
        ((nn.Linear(10, 4),), "runs at no size"),
        ((None, 0), "cannot use the size 0"),
        ((None, [32, True]), "whole number"),
    ],
)
def test_mistakes_are_named(arguments, part):
    with pytest.raises(UserError, match=part):
        viz.cost_microscope(*arguments)


def test_large_requests_become_smaller_and_too_large_ones_are_refused(monkeypatch):
    model = nested(2, 4)
    whole = viz.cost_microscope(model, size=32)
    monkeypatch.setattr(module, "MAX_BYTES", len(dumps(whole.spec)) - 20_000)
    fewer = viz.cost_microscope(model, size=32)
    assert len(fewer.spec["tables"]["title"]) < len(whole.spec["tables"]["title"])
    assert fewer.caption().startswith("Sequential, 32 px")
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    with pytest.raises(UserError, match="too many rows"):
        viz.cost_microscope(model, size=32)


def test_nothing_outside_is_touched():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    state = torch.get_rng_state()
    viz.cost_microscope(model, size=32)
    viz.cost_microscope(size=64)
    assert torch.equal(state, torch.get_rng_state()) and model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_the_question_has_the_reports_answer(scene, reports):
    ask = scene.spec["ask"]
    kinds = {k.kind.replace("convolution", "conv"): k for k in
             reports[WIDTHS.index(1.0), len(SIZES) - 1].by_kind()}  # fmt: skip
    most = max(kinds, key=lambda name: kinds[name].memory_access)
    assert ask["options"][ask["answer"]] == most == "normalisation"
    assert scene.predict().state["rows"] == 0
    assert viz.cost_microscope(nn.Conv2d(3, 8, 3), size=32).spec.get("ask") is None


# -- joined texts and derived keys, which this scene brought to the engine -------------------------


def sample(**more):
    spec = {
        "v": 1, "id": "s", "title": "S", "alt": "A", "size": [90, 90],
        "params": [{"name": "a", "label": "a", "kind": "range", "n": 3},
                   {"name": "b", "label": "b", "kind": "range", "n": 2}],
        "derive": {"c": L("sum", "a", "b"), "d": L("twice", "c")},
        "tables": {"sum": [[0, 1], [1, 2], [2, 3]], "twice": [0, 2, 4, 6],
                   "x": [10, 20, 30, 40, 50, 60, 70], "word": ["no", "one", "two", "three"]},
        "marks": [{"id": "m", "t": "rect", "x": L("x", "d"), "y": 0, "width": 5, "height": 5}],
        "caption": J(L("word", "c"), " of ", 3),
    }  # fmt: skip
    return {**spec, **more}


def test_derived_keys_and_joined_texts_are_looked_up():
    scene = Scene.of(sample())
    for a in range(3):
        for b in range(2):
            (mark,) = frame(scene.spec, {"a": a, "b": b})
            assert mark["x"] == 10 + 20 * (a + b)
            assert scene.at(a=a, b=b).caption() == f"{('no', 'one', 'two', 'three')[a + b]} of 3"


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"derive": {"c": L("sum", "a", "d"), "d": L("twice", "c")}}, "uses 'd'"),
        ({"derive": {"c": 3}}, "derived key 'c'"),
        ({"derive": {"a": L("twice", "b")}}, "derived key 'a'"),
        ({"derive": {"c": L("word", "a"), "d": L("twice", "c")}}, "derived key 'c'.*'no'"),
        ({"derive": {"c": L("sum", "a", "b"), "d": L("x", "c")}}, "table 'x' has nothing"),
        ({"caption": J("a", L("nowhere", "c"))}, "no table 'nowhere'"),
        ({"caption": J("a", L("sum", "c"))}, "not allowed"),
    ],
)
def test_mistakes_in_derived_keys_and_joined_texts_are_found(more, part):
    with pytest.raises(SceneError, match=part):
        Scene.of(sample(**more))
