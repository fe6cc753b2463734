"""The block scenes: every number against analyze and by hand; boxes and ribbons to scale."""

import itertools
import re
from typing import Any

import pytest
import torch
from torch import nn

from lightcourse import analyze, viz
from lightcourse import nn as blocks
from lightcourse.analysis import Report
from lightcourse.errors import UserError
from lightcourse.viz.scene import Scene, dumps, resolve
from lightcourse.viz.scenes._blk_kinds import KINDS, cases
from lightcourse.viz.scenes._blk_words import MEASURES, QUESTIONS, share, values
from lightcourse.viz.scenes._lad_words import short

NAMES = ("fire", "separable", "inverted", "bneck", "mbconv", "shuffle-v1", "shuffle-v2", "ghost",
         "shift")  # fmt: skip


@pytest.fixture(scope="module")
def scenes() -> dict[str, Scene]:
    return {name: viz.blocks(name) for name in NAMES}


def at(scene: Scene, **state: int) -> Scene:
    """The scene in a state given by indices only: a stride called 1 has index 0."""
    return Scene(scene.spec, {**scene.state, **state})


def marks(scene: Scene, **state: int) -> dict[str, dict]:
    return {mark["id"]: mark for mark in at(scene, **state).frame()}


def settings(scene: Scene) -> list[dict[str, int]]:
    """Every state of the sliders, at the whole block."""
    last = scene.state["step"]
    return [state for state in scene.states() if state["step"] == last]


def code_of(scene: Scene, state: dict[str, int]) -> str:
    return str(resolve(scene.spec["code"], scene.spec, state))


def ran(code: str) -> tuple[nn.Module, Report]:
    """What the scene's own code builds and counts."""
    inside: dict[str, Any] = {}
    with torch.device("meta"):
        exec(code, inside)
    return inside["block"], inside["report"]


def boxes(shown: dict[str, dict]) -> dict[int, list[tuple[float, float]]]:
    """The corners of the boxes that are there, by row."""
    found = {}
    for name, mark in shown.items():
        if re.fullmatch(r"box\d", name) and mark["opacity"]:
            found[int(name[3:])] = corners(mark["d"])
    return found


def corners(d: str) -> list[tuple[float, float]]:
    numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", d)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def widths(points: list[tuple[float, float]]) -> tuple[float, float]:
    """How wide a box is above and below."""
    ys = sorted({y for _, y in points})
    above, below = ([x for x, y in points if y == edge] for edge in (ys[0], ys[-1]))
    return max(above) - min(above), max(below) - min(below)


# -- every state against analyze -----------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_totals_of_every_state_are_those_of_the_code_that_it_shows(scenes, name):
    scene = scenes[name]
    for state in settings(scene):
        shown, code = marks(scene, **state), code_of(scene, state)
        why = resolve(scene.spec.get("warn", ""), scene.spec, state)
        if why:
            with pytest.raises(UserError) as caught:
                ran(code)
            assert str(caught.value) == why
            assert [shown[f"total{m}"]["s"] for m in range(4)] == ["–"] * 4
            assert not any(m["opacity"] for n, m in shown.items() if n.startswith(("num", "bar")))
            continue
        _, report = ran(code)
        assert [shown[f"total{m}"]["s"] for m in range(4)] == [
            short(report.macs), short(report.params), short(report.memory_access, "B"),
            short(report.peak_activation_fused, "B"),
        ]  # fmt: skip
        said = at(scene, **state).caption()
        assert short(report.macs) in said
        assert f"Peak beside the input: {short(report.peak_activation_fused, 'B')}" in said
        eager, folded = report.peak_activation, report.peak_activation_fused
        differs = short(eager) != short(folded)
        assert (f"({short(eager, 'B')} layer by layer)" in said) == differs


@pytest.mark.parametrize("name", NAMES)
def test_rows_add_up_to_the_block_and_show_their_numbers_and_shares(scenes, name):
    scene, kind = scenes[name], KINDS[name]
    for state, case in zip(settings(scene), cases(kind), strict=True):
        block, shown = case.block, marks(scene, **state)
        sums = [sum(values(stage)[m] for stage in block.stages) for m in range(3)]
        assert sums == [block.macs, block.params, block.moved]
        assert max(stage.alive for stage in block.stages) == block.peak
        if case.why:
            continue
        for row in range(1, len(kind.slots) + 1):
            stage = case.stage(row)
            bars = [shown[f"bar{row}_{m}"] for m in range(4)]
            assert all(bar["opacity"] == (stage is not None) for bar in bars)
            if stage is None:
                assert shown[f"name{row}"]["s"].startswith("no ")
                continue
            whole = (block.macs, block.params, block.moved, block.peak)
            for m, value in enumerate(values(stage)):
                assert shown[f"num{row}_{m}"]["s"] == short(value, "B" if m > 1 else "")
                track = shown[f"track{row}_{m}"]["width"]
                assert bars[m]["width"] == pytest.approx(track * value / whole[m], abs=0.06)
            assert shown[f"shape{row}"]["s"] == "×".join(map(str, stage.shape))
            assert shown[f"size{row}"]["s"] == short(stage.nbytes, "B")


@pytest.mark.parametrize("name", NAMES)
def test_the_maps_drawn_alive_are_the_memory_that_analyze_finds(name):
    for case in cases(KINDS[name]):
        stages = case.block.stages
        for stage in stages[1:]:
            drawn = sum(stages[i].nbytes for i in stage.held if stages[i].letter not in "ip")
            inside = 8 * case.block.stages[1].channels if stage.letter == "s" else 0  # bytes in SE
            inside += 4 * stage.channels * {"s": 1, "x": 1, "n": 2}.get(stage.letter, 0)
            if stage.letter == "f":  # eight of nine groups are padded before they are joined
                inside += 8 * (stage.channels // 9) * stage.nbytes // stage.channels
            assert 0 <= stage.alive - drawn <= inside


@pytest.mark.parametrize("name", NAMES)
def test_output_shapes_are_those_of_the_block(scenes, name):
    for state, case in zip(settings(scenes[name]), cases(KINDS[name]), strict=True):
        if not case.why:
            block, report = ran(code_of(scenes[name], state))
            assert report.output_shape == (1, *case.block.stages[-1].shape)
            assert case.call and type(block).__name__ == case.call.name


# -- by hand -------------------------------------------------------------------------------------


def test_fire_by_hand(scenes):
    scene, cells = scenes["fire"], 55 * 55
    for module, ratio, part in itertools.product(range(2), range(8), range(3)):
        before, squeeze, large = (96, 128)[module], 16 * (ratio + 1), 32 * (part + 1)
        small = 128 - large
        weights = [before * squeeze, squeeze * small, 9 * squeeze * large]
        shown = marks(scene, module=module, ratio=ratio, share=part)
        for row, (count, out) in enumerate(zip(weights, (squeeze, small, large), strict=True), 1):
            assert shown[f"num{row}_0"]["s"] == short(count * cells)
            assert shown[f"num{row}_1"]["s"] == short(count + out)
        said = at(scene, module=module, ratio=ratio, share=part).caption()
        plain = 9 * before * 128 * cells
        assert f"would do {short(plain)}" in said
        times = plain / (sum(weights) * cells)
        assert (f"{times:.1f}× as many" in said) == (times > 1)
        assert ("no more" in said) == (times <= 1)
    shown = marks(scene)  # table 1 of the paper: fire2 has 11,920 parameters
    assert shown["total1"]["s"] == "11.9 k"
    assert "3×3 does 78% of the 35.6 M MACs" in scene.caption()
    assert "16 channels after the squeeze 1×1, against 96" in scene.caption()


def test_the_table_of_the_mobilenets_paper(scenes):
    """Section 3.2, table 3: 462, 52.3, 29.6, 15.1 million MACs, each counted here exactly."""
    scene = scenes["separable"]
    for state, macs, exact in (
        ({"form": 0}, "462 M", 462_422_016), ({}, "52.3 M", 52_283_392),
        ({"alpha": 2}, "29.6 M", 29_578_752), ({"alpha": 2, "rho": 1}, "15.1 M", 15_091_200),
    ):  # fmt: skip
        assert marks(scene, **state)["total0"]["s"] == macs
        _, report = ran(code_of(scene, at(scene, **state).state))
        assert report.macs == exact


def test_separable_by_hand(scenes):
    scene = scenes["separable"]
    for form, stride, alpha, rho in itertools.product(range(2), range(2), range(4), range(4)):
        c, side = 128 * (alpha + 1), (8, 10, 12, 14)[rho] // (stride + 1)
        state = {"form": form, "stride": stride, "alpha": alpha, "rho": rho}
        macs = (9 * c + c * c if form else 9 * c * c) * side**2
        assert marks(scene, **state)["total0"]["s"] == short(macs)
        said = at(scene, **state).caption()
        assert f"{1 / (1 / c + 1 / 9):.1f}×" in said, "1/N + 1/k², section 3.1"
        if form:
            assert f"The pointwise 1×1 does {share(c, c + 9)}" in said


def test_inverted_residual_by_hand(scenes):
    scene = scenes["inverted"]
    for stride, out, t in itertools.product(range(2), range(2), range(1, 7)):
        h, after = 24 * t, (24, 32)[out]
        side = 56 // (stride + 1)
        macs = [24 * h * 56**2 * (t > 1), 9 * h * side**2, h * after * side**2]
        shown = marks(scene, stride=stride, out=out, t=t - 1)
        assert shown["total0"]["s"] == short(sum(macs))
        assert [shown[f"num{r}_0"]["s"] for r in (1, 2, 3)] == [short(m) if m else "" for m in macs]
        joined = not stride and not out
        assert shown["name4"]["s"] == ("add" if joined else "no shortcut")
        said = at(scene, stride=stride, out=out, t=t - 1).caption()
        assert ("The shortcut holds its 301 kB input" in said) == joined
        why = "56×56 ≠ 28×28" if stride else "24 ≠ 32 channels"
        assert (f"No shortcut: {why}." in said) == (not joined)
        assert (shown["name1"]["s"] == "no expansion") == (t == 1)
    assert "24 channels at both ends, against 144" in scene.caption()
    assert "3.61 MB, in the depthwise 3×3" in scene.caption()
    assert 2 * 144 * 56 * 56 * 4 == 3_612_672, "its map in and its map out"


def test_bneck_by_hand(scenes):
    scene = scenes["bneck"]
    for kernel, se, stride, t in itertools.product(range(2), range(2), range(2), range(1, 7)):
        h, k, side = 40 * t, (3, 5)[kernel], 28 // (stride + 1)
        narrow = blocks.make_divisible(h / 4)
        shown = marks(scene, kernel=kernel, se=se, stride=stride, t=t - 1)
        macs = 40 * h * 28**2 * (t > 1) + k * k * h * side**2 + h * 40 * side**2
        assert shown["total0"]["s"] == short(macs + 2 * h * narrow * se)
        assert shown["num3_1"]["s"] == (short(2 * h * narrow + h + narrow) if se else "")
        assert shown["name2"]["s"] == f"depthwise {k}×{k}"
        assert [shown[f"name{r}"]["s"] for r in (3, 4)] == (
            ["squeeze-excite", "scale"] if se else ["no squeeze-excite", "no scale"]
        )
    said = scene.caption()
    assert "Squeeze-excite and scale take <1% of the MACs, 37% of the params" in said
    assert share(7_832, 20_992) == "37%"


def test_mbconv_by_hand(scenes):
    scene = scenes["mbconv"]
    for se, stride, t in itertools.product(range(3), range(2), range(1, 7)):
        h, side = 40 * t, 28 // (stride + 1)
        narrow = (0, 10, h // 4)[se]
        shown = marks(scene, se=se, stride=stride, t=t - 1)
        macs = 40 * h * 28**2 * (t > 1) + 25 * h * side**2 + h * 40 * side**2
        assert shown["total0"]["s"] == short(macs + 2 * h * narrow)
        assert shown["num3_1"]["s"] == (short(2 * h * narrow + h + narrow) if se else "")
        assert shown["name6"]["s"] == ("no shortcut" if stride else "add")


def test_a_squeeze_to_the_input_saves_params_above_all():
    """The answer to the question of MBConv, at every expansion but 1, where both are the same."""
    built = [case.block for case in cases(KINDS["mbconv"])]
    third = len(built) // 3
    for small, large in zip(built[third : 2 * third], built[2 * third :], strict=True):
        saved = [
            (b - a) / b
            for a, b in ((small.macs, large.macs), (small.params, large.params),
                         (small.moved, large.moved))
        ]  # fmt: skip
        if max(saved) > 0:
            assert saved.index(max(saved)) == QUESTIONS["mbconv"]["answer"]


def test_shuffle_v1_by_hand(scenes):
    """Section 3.1 of the paper: a unit of stride 1 does hw(2cm / g + 9m)."""
    scene = scenes["shuffle-v1"]
    for stride, (i, g), width in itertools.product(
        range(2), enumerate((1, 2, 3, 4)), range(5)
    ):  # fmt: skip
        c = 48 * (width + 1)
        out, side = c * (stride + 1), 28 // (stride + 1)
        m = out // 4
        macs = [c * m // g * 28**2, 9 * m * side**2, m * c // g * side**2]
        shown = marks(scene, stride=stride, groups=i, width=width)
        assert [shown[f"num{r}_0"]["s"] for r in (1, 3, 4)] == [short(n) for n in macs]
        assert shown["total0"]["s"] == short(sum(macs))
        if not stride:
            assert sum(macs) == 28**2 * (2 * c * m // g + 9 * m)
        said = at(scene, stride=stride, groups=i, width=width).caption()
        assert ("One group" in said) == (g == 1) and (f"{g:.1f}× as many" in said) == (g > 1)
        names = [shown[f"name{r}"]["s"] for r in (1, 2, 5, 6)]
        point = "first group 1×1" if g > 1 else "first 1×1"
        ends = ["average pool", "concat"] if stride else ["no pooling", "add"]
        assert names == [point, "shuffle" if g > 1 else "no shuffle", *ends]
        if g > 1:
            assert shown["num2_2"]["s"] == short(2 * 4 * m * 28**2, "B"), "read once, written once"


def test_shuffle_v2_by_hand(scenes):
    scene = scenes["shuffle-v2"]
    for unit, width in itertools.product(range(3), range(4)):
        out = 58 * (width + 1)
        ins, half, side = (out, out // 2, 24)[unit], out // 2, 14 if unit else 28
        wide, left = (ins, ins) if unit else (half, 0)
        macs = [9 * left * side**2, left**2 * side**2, wide * half * 28**2, 9 * half * side**2,
                half * (out - (left or half)) * side**2]  # fmt: skip
        shown = marks(scene, unit=unit, width=width)
        assert shown["total0"]["s"] == short(sum(macs))
        assert [shown[f"num{r}_0"]["s"] for r in range(2, 7)] == [
            short(n) if n else "" for n in macs
        ]
        said = at(scene, unit=unit, width=width).caption()
        passing = f"{half} of {out} channels pass by"
        assert (passing in said) == (not unit)
        assert shown["name1"]["s"] == ("no split" if unit else "split")
        apart = unit == 2 and out != 48
        assert shown["name7"]["s"] == ("concat" if apart else "concat + shuffle")
        assert shown["name8"]["s"] == ("shuffle" if apart else "no other shuffle")


def test_ghost_by_hand(scenes):
    """Section 3.2 of the paper: n/s · c · k² + (s − 1) · n/s · d², and about s times fewer."""
    scene = scenes["ghost"]
    for (i, k), (j, s), (m, d), width in itertools.product(
        enumerate((1, 3)), enumerate((2, 3, 4, 6)), enumerate((3, 5)), range(4)
    ):  # fmt: skip
        n = 24 * (width + 1)
        own, cheap = n // s * n * k * k, (s - 1) * (n // s) * d * d
        state = {"kernel": i, "ratio": j, "cheap": m, "width": width}
        assert marks(scene, **state)["total0"]["s"] == short((own + cheap) * 28**2)
        said, times = at(scene, **state).caption(), n * n * k * k / (own + cheap)
        assert f"{n - n // s} of {n} channels are ghosts" in said
        assert (f"{times:.1f}× as many" in said) == (times > 1)


def test_shift_by_hand(scenes):
    scene = scenes["shift"]
    for stride, (i, e), width in itertools.product(range(2), enumerate((1, 2, 4)), range(4)):
        c, side = 16 * (width + 1), 32 // (stride + 1)
        middle = c * e
        shown = marks(scene, stride=stride, expansion=i, width=width)
        assert shown["total0"]["s"] == short(c * middle * 32**2 + middle * c * side**2)
        assert [shown[f"num3_{m}"]["s"] for m in (0, 1)] == ["0", "0"]
        assert shown["name7"]["s"] == ("concat" if stride else "add")
        said = at(scene, stride=stride, expansion=i, width=width).caption()
        assert f"a depthwise 3×3 would do {short(9 * middle * 32**2)} MACs" in said


# -- to scale ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_boxes_are_as_wide_as_channels_and_ribbons_as_thick_as_bytes(scenes, name):
    scene, kind = scenes[name], KINDS[name]
    rates = set()
    for state, case in zip(settings(scene), cases(kind), strict=True):
        shown = marks(scene, **state)
        drawn = boxes(shown)
        assert set(drawn) == {r for r in range(len(kind.slots) + 1) if case.stage(r)}
        for row, points in drawn.items():
            stage = case.stage(row)
            above, below = widths(points)
            rates.add(round(below / stage.channels, 2))
            given = [case.block.stages[s] for s in stage.sources] or [stage]
            taken = [s.channels // (s.parts if stage.sources else 1) for s in given]
            wanted = sum(taken) if stage.letter == "c" else max(taken)
            assert above / below == pytest.approx(wanted / stage.channels, rel=0.02)
            if stage.letter == "s":
                waist = [x for x, y in points if 0 < y - min(p[1] for p in points) < 30]
                assert len(waist) == 2 and stage.narrow
                part = (max(waist) - min(waist)) / below
                assert part == pytest.approx(stage.narrow / stage.channels, rel=0.05)
    assert max(rates) - min(rates) <= 0.03, "one scale for all states"
    rate, side = max(rates), kind.side
    for state, case in zip(settings(scene), cases(kind), strict=True):
        shown = marks(scene, **state)
        thick = [
            (mark, max(x for x, y in p if y == p[0][1]) - p[0][0])
            for n, mark in shown.items()
            if n.startswith("ribbon") and mark["opacity"] and (p := corners(mark["d"]))
        ]
        maps = {round(rate * s.nbytes / s.parts / 4 / side**2) for s in case.block.stages}
        for _, wide in thick:
            assert any(abs(wide - m) <= max(2, 0.03 * m) for m in maps)
        assert len(thick) == sum(len(s.sources) for s in case.block.stages) + 1


def test_a_stride_makes_the_ribbon_thin_and_leaves_the_box_wide(scenes):
    one, two = (marks(scenes["inverted"], stride=s, out=1) for s in (0, 1))
    assert boxes(one)[2] == boxes(two)[2]
    after = [
        corners(m["d"]) for shown in (one, two) for n, m in shown.items()
        if n.startswith("ribbon") and m["opacity"] and corners(m["d"])[0][1] == boxes(one)[2][2][1]
    ]  # fmt: skip
    wide, thin = (max(x for x, _ in p) - min(x for x, _ in p) for p in after)
    assert wide == pytest.approx(4 * thin, rel=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_drawn_over_words_or_bars(scenes, name):
    for state in settings(scenes[name]):
        shown = marks(scenes[name], **state)
        for key, mark in shown.items():
            if key.startswith(("box", "ribbon", "refused", "arrow")) and mark["opacity"]:
                xs = [x for x, _ in corners(mark["d"])]
                assert min(xs) >= KINDS[name].left - 4 and max(xs) <= shown["head0"]["x"] - 8, (
                    key,
                    state,
                )


# -- the pulse -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_numbers_appear_as_the_pulse_passes(scenes, name):
    scene, rows = scenes[name], len(KINDS[name].slots)
    case = cases(KINDS[name])[scene.spec["tables"]["config"] and 0]
    assert case.block.stages
    for step in range(rows + 1):
        shown = marks(scene, step=step)
        for row in range(1, rows + 1):
            there = shown[f"box{row}"]["opacity"]
            assert shown[f"num{row}_0"]["opacity"] == (there and row <= step)
        frame = shown["pulse"]
        assert frame["opacity"] == 1
        if shown[f"box{step}"]["opacity"]:
            xs, ys = zip(*corners(shown[f"box{step}"]["d"]), strict=True)
            assert frame["x"] <= min(xs) and frame["x"] + frame["width"] >= max(xs)
            assert frame["y"] <= min(ys) and frame["y"] + frame["height"] >= max(ys)
    assert marks(scene)["pulse"]["opacity"] == 0


def test_the_caption_follows_the_pulse(scenes):
    scene = scenes["inverted"]
    assert at(scene, step=0).caption().endswith("made before this block: 24×56×56, 301 kB")
    assert at(scene, step=2).caption() == (
        "Depthwise 3×3: gives 144×56×56, 1.81 MB; 4.06 M MACs (16%). Alive now: 3.61 MB."
    )
    assert at(scene, step=4, stride=1).caption() == "No shortcut: 56×56 ≠ 28×28."


def test_a_freed_map_is_grey_and_a_shortcut_stays_alive(scenes):
    shown = {s: marks(scenes["inverted"], step=s) for s in range(5)}
    ends = {
        n: (corners(m["d"])[0][1], max(y for _, y in corners(m["d"])))
        for n, m in shown[0].items() if n.startswith("ribbon") and m["opacity"]
    }  # fmt: skip
    longest = max(ends, key=lambda n: ends[n][1] - ends[n][0])
    assert all(shown[s][longest]["fill"] == "c8" for s in range(5)), "the shortcut"
    first = min((n for n in ends if n != longest), key=lambda n: ends[n])
    wide = sorted((n for n in ends if n != longest), key=lambda n: ends[n])[1]
    assert [shown[s][wide]["fill"] for s in range(5)] == ["grid", "c5", "c5", "grid", "grid"]
    assert shown[3][first]["fill"] == "c8", "the same map as the shortcut"


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_to_the_question_holds_where_it_is_asked(name):
    answer = QUESTIONS[name]["answer"]
    for case in cases(KINDS[name]):
        stages = case.block.stages[1:]
        if name == "fire":
            assert stages[answer].macs == max(s.macs for s in stages), case.call
        if name == "separable" and len(stages) == 2:
            assert stages[answer].macs == max(s.macs for s in stages)
        if name == "inverted" and case.stage(1):
            assert stages[answer].alive == max(s.alive for s in stages)
        ours = [s for s in stages if s.letter in "sx"]
        if name == "bneck" and ours:
            whole = (case.block.macs, case.block.params, case.block.moved)
            shares = [sum(values(s)[m] for s in ours) / whole[m] for m in range(3)]
            assert shares[answer] == max(shares), case.call
        for stage in stages:
            if (name, stage.letter) in (("shuffle-v1", "h"), ("shift", "f")):
                assert [v > 0 for v in values(stage)[:3]] == [i == answer for i in range(3)]
            if (name, stage.letter) == ("shuffle-v2", "p"):
                assert answer == 2 and values(stage) == (0, 0, 0, 0)
        if name == "ghost":
            assert answer == 2 and stages[1].sources == (1,)
            assert stages[1].params == stages[1].channels * (stages[1].kernel ** 2 + 2)


# -- own blocks ----------------------------------------------------------------------------------


class MyFire(nn.Module):
    """The large kernel first, and other numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow, self.large = nn.Conv2d(64, 10, 1), nn.Conv2d(10, 32, 5, padding=2)
        self.small = nn.Conv2d(10, 96, 1)

    def forward(self, x):
        x = self.narrow(x).relu()
        large = self.large(x).relu()
        return torch.cat([self.small(x).relu(), large], 1)


class Gate(nn.Module):
    """Squeeze-and-excite with linear layers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 12), nn.ReLU(),
            nn.Linear(12, channels), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x):
        return x * self.gate(x)[:, :, None, None]


class Inverted(nn.Module):
    """Written by hand, with SiLU, and perhaps with what does not belong there."""

    def __init__(self, groups: int = 96, gate: bool = False, wrong: bool = False) -> None:
        super().__init__()
        self.wrong = wrong
        self.body = nn.Sequential(
            nn.Conv2d(16, 96, 1, bias=False), nn.BatchNorm2d(96), nn.SiLU(),
            nn.Conv2d(96, 96, 3, padding=1, groups=groups, bias=False), nn.BatchNorm2d(96),
            nn.SiLU(), *([Gate(96)] if gate else []), nn.Conv2d(96, 16, 1),
        )  # fmt: skip

    def forward(self, x):
        y = self.body(x)
        return y + y if self.wrong else x + y


class Crossed(nn.Module):
    """The stages of an inverted residual, joined otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.deep, self.point = nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.Conv2d(8, 8, 1)

    def forward(self, x):
        y = self.deep(x)
        return y + self.point(y)


class Turned(nn.Module):
    """The stages of a ghost module or of a ShuffleNet unit, joined otherwise."""

    def __init__(self, pooled: bool) -> None:
        super().__init__()
        self.pooled = pooled
        self.one, self.deep = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 3, 1, 1, groups=8)
        self.last = nn.Conv2d(8, 8, 1)

    def forward(self, x):
        if self.pooled:
            return self.last(self.deep(self.one(x))) + nn.functional.avg_pool2d(x, 3, 1, 1)
        return torch.cat([self.one(x), self.deep(x)], 1)


class MyShuffle(nn.Module):
    """ShuffleNet V2 by hand: halves, a branch, a concat, a shuffle by permute."""

    def __init__(self, wrong: bool = False) -> None:
        super().__init__()
        self.wrong = wrong
        self.branch = nn.Sequential(
            nn.Conv2d(20, 20, 1), nn.ReLU(), nn.Conv2d(20, 20, 5, padding=2, groups=20),
            nn.Conv2d(20, 20, 1), nn.ReLU(),
        )  # fmt: skip

    def forward(self, x):
        left, right = x.split([20, 20], 1)
        y = torch.cat([right if self.wrong else left, self.branch(right)], 1)
        if self.wrong:
            y = torch.cat([x, y], 1)
        n, c, h, w = y.shape
        return y.view(n, 2, c // 2, h, w).permute(0, 2, 1, 3, 4).reshape(n, c, h, w)


@pytest.mark.parametrize(
    ("kind", "block", "size", "names"),
    [
        ("mbconv", blocks.MBConv(16, 24, 5, 2, attention=lambda c: blocks.SqueezeExcite(c, 4)), 28,
         ["expand 1×1", "depthwise 5×5", "squeeze-excite", "scale", "project 1×1", "no shortcut"]),
        ("shuffle-v1", blocks.ShuffleUnit(24, 240, 2, first_groups=1), 56,
         ["first 1×1", "shuffle", "depthwise 3×3", "last group 1×1", "average pool", "concat"]),
        ("shuffle-v2", MyShuffle(), 12,
         ["split", "no left depthwise", "no left 1×1", "first 1×1", "depthwise 5×5", "last 1×1",
          "concat", "shuffle"]),
        ("shuffle-v2", blocks.ShuffleV2Block(24, 48, 2, even=True), (1, 24, 14, 10), None),
        ("ghost", blocks.GhostModule(10, 25, 3, ratio=3), 9, None),
        ("shift", blocks.ShiftBlock(30, 30, 1, 1.5, kernel_size=5), None, None),
        ("fire", MyFire(), 20, ["squeeze 1×1", "expand 5×5", "expand 1×1", "concat", "no bypass"]),
        ("fire", blocks.Fire(32, 8, 16, 16, bypass=True), (1, 32, 9, 12), None),
        ("separable", blocks.DepthwiseSeparableConv(32, 64, 5, 2), 112, None),
        ("separable", nn.Conv2d(8, 16, 3), 9, ["standard 3×3", "no pointwise"]),
        ("inverted", Inverted(), 28, ["expand 1×1", "depthwise 3×3", "project 1×1", "add"]),
        ("inverted", blocks.InvertedResidual(32, 16, 1, 1), None, None),
        ("bneck", Inverted(gate=True), (1, 16, 7, 7), None),
        ("bneck", blocks.Bneck(16, 64, 24, 5, 2, se=True, activation=nn.Hardswish), 56, None),
    ],
)  # fmt: skip
def test_an_own_block_brings_its_own_numbers(kind, block, size, names):
    scene = viz.blocks(kind, block, size)
    shown, code = marks(scene), code_of(scene, scene.state)
    inside: dict[str, Any] = {"block": block}
    exec(code, inside)
    report = inside["report"]
    assert shown["total0"]["s"] == short(report.macs)
    assert shown["total3"]["s"] == short(report.peak_activation_fused, "B")
    rows = range(1, len(KINDS[kind].slots) + 1)
    if names:
        assert [shown[f"name{r}"]["s"] for r in rows] == names
    assert [p["name"] for p in scene.spec["params"]] == ["step"]
    assert type(block).__name__ in scene.spec["title"]
    assert "</html>" in scene.html() and len(dumps(scene.spec)) < 40_000
    assert analyze(block, report.input_shapes[0]).macs == report.macs


def test_a_large_kernel_is_compared_with_one_as_large():
    block = blocks.DepthwiseSeparableConv(32, 64, 5, 2)
    macs, plain = analyze(block, (1, 32, 112, 112)).macs, 25 * 32 * 64 * 56 * 56
    said = viz.blocks("separable", block, 112).caption()
    assert f"One 5×5 in its place would do {short(plain)}, {plain / macs:.1f}× as many" in said
    assert plain / macs == pytest.approx(1 / (1 / 64 + 1 / 25))
    assert "32 channels in the input and after the depthwise 5×5, against 64" in said


@pytest.mark.parametrize(
    ("kind", "block", "size", "says"),
    [
        ("inverted", Inverted(gate=True), 8, "draw it with kind='bneck'"),
        ("inverted", Inverted(groups=4), 8, "it runs 1×1, grouped 3×3, 1×1, add; an inverted"),
        ("inverted", Inverted(wrong=True), 8, "runs add, which is no stage"),
        ("shuffle-v1", blocks.ShuffleUnit(24, 24, shuffle_late=True), 8, "depthwise 3×3, shuffle"),
        ("shuffle-v2", MyShuffle(wrong=True), 8, "it runs split, 1×1, depthwise 5×5, 1×1, concat"),
        ("shuffle-v1", Turned(pooled=True), 8, "runs 1×1, depthwise 3×3, 1×1, average pool, add"),
        ("ghost", Turned(pooled=False), 8, "its depthwise 3×3 reads the input, not 1×1."),
        ("shuffle-v2", blocks.ShuffleUnit(12, 12), 8, "draw it with kind='shuffle-v1'"),
        ("inverted", Crossed(), 8, "its add reads depthwise 3×3 and 1×1, not the block's input"),
        ("fire", nn.Sequential(nn.ReLU(), nn.Conv2d(3, 3, 1)), 8, "begins with ReLU"),
        ("separable", nn.Sequential(nn.Conv2d(3, 3, 1), nn.MaxPool2d(2)), 8, "runs MaxPool2d"),
        ("fire", nn.Linear(3, 3), 8, "no nn.Conv2d"), ("fire", 5, None, "int"),
        ("fire", None, 55, "give block as well"), ("water", None, None, "'water'"),
        ("fire", MyFire(), 0, "0"), ("fire", MyFire(), "55", "'55'"),
        ("fire", MyFire(), (2, 64, 8, 8), "(1, C, H, W)"),
        ("fire", MyFire(), (1, 3, 8, 8), "takes 64 input channels"),
        ("bneck", nn.Sequential(nn.ConvTranspose2d(3, 3, 3)), (1, 3, 8, 8), "ConvTranspose2d"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_in_one_sentence(kind, block, size, says):
    with pytest.raises(UserError) as caught:
        viz.blocks(kind, block, size)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


# -- the registry --------------------------------------------------------------------------------


def test_scenes_by_their_names():
    for name, kind in (
        ("fire", "fire"), ("separable", "separable"), ("inverted-residual", "inverted"),
        ("bneck", "bneck"), ("mbconv", "mbconv"), ("shuffle-v1", "shuffle-v1"),
        ("shuffle-v2", "shuffle-v2"), ("ghost", "ghost"), ("shift", "shift"),
    ):  # fmt: skip
        scene = viz.get_scene(name)
        assert scene.spec["id"] == f"block-{kind}"
        assert len(dumps(scene.spec).encode()) <= 150_000
    assert len(MEASURES) == 4


def test_building_a_scene_leaves_the_random_numbers_alone():
    cases.cache_clear()
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    viz.blocks("inverted")
    assert torch.equal(before, torch.random.get_rng_state())
