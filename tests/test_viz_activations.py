"""The activation scene: every number against torch, in every state, and what it says of them."""

import itertools
import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lightcourse import viz
from lightcourse.errors import UserError
from lightcourse.viz.scene import dumps, resolve
from lightcourse.viz.scenes._act_functions import FUNCTIONS, cells
from lightcourse.viz.scenes._act_numbers import MEANS, SPREADS
from lightcourse.viz.scenes._act_view import BELL_FOOT, HIST, HIST_WIDE, PLACES, across

TORCH = {
    "ReLU": F.relu, "ReLU6": F.relu6, "leaky ReLU": lambda x: F.leaky_relu(x, 0.1),
    "sigmoid": torch.sigmoid, "h-sigmoid": F.hardsigmoid, "swish": F.silu, "h-swish": F.hardswish,
    "GELU": F.gelu, "mish": F.mish, "SELU": F.selu,
}  # fmt: skip
BY_NAME = {f.name: f for f in FUNCTIONS}
NAMES = list(TORCH)
STATES = list(itertools.product(range(len(MEANS)), range(len(SPREADS))))
# a sample that stands exactly as a normal distribution does: its 60,000 quantiles
SAMPLE = torch.special.ndtri((torch.arange(60_000, dtype=torch.float64) + 0.5) / 60_000)


@pytest.fixture(scope="module")
def scene():
    return viz.activations()


def told(scene, mark: str, **state: Any) -> str:
    """What one mark says in a state."""
    here = scene.at(**state)
    (found,) = (m for m in here.spec["marks"] if m["id"] == mark)
    return str(resolve(found["s"], here.spec, here.state))


def value(text: str) -> float:
    return float(text.replace("−", "-"))


def share(text: str) -> float:
    """A share as a number; the ends of "<0.1 %" and ">99.9 %" stand for themselves."""
    return float(re.sub("[<>% ]", "", text)) / 100


def marks(scene, **state):
    return {mark["id"]: mark for mark in scene.at(**state).frame()}


def with_slope(f, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    x = x.clone().requires_grad_()
    y = f(x)
    return y.detach(), torch.autograd.grad(y.sum(), x)[0]


# -- functions and slopes ------------------------------------------------------------------------


def test_the_ten_functions_are_those_of_the_list():
    assert [f.name for f in FUNCTIONS] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_values_and_slopes_are_those_of_torch(name):
    function, x = BY_NAME[name], cells()
    y, slope = with_slope(TORCH[name], torch.from_numpy(x))
    assert function.f(x) == pytest.approx(y.numpy(), abs=1e-12)
    # torch keeps the 1/6 of its hardsigmoid in single precision
    assert function.slope(x) == pytest.approx(slope.numpy(), abs=1e-8)
    flat = np.zeros(len(x), bool)
    for low, high in function.zones:
        flat |= (x > low) & (x < high)
    assert (flat == (slope.numpy() == 0)).all(), "a zone is where autograd gives exactly 0"


def test_known_values():
    f = {name: function.f for name, function in BY_NAME.items()}
    x = np.array([-3.0, -1, 0, 1, 3, 6])
    assert f["h-swish"](x) == pytest.approx([0, -1 / 3, 0, 2 / 3, 3, 6], abs=1e-9)  # C040
    assert f["h-sigmoid"](x) == pytest.approx([0, 1 / 3, 0.5, 2 / 3, 1, 1], abs=1e-9)  # C041
    one = np.array([1.0])
    found = [f["swish"](one)[0], f["mish"](one)[0], f["SELU"](-one)[0]]
    assert found == pytest.approx([0.7310585786, 0.8650983883, -1.1113307378], abs=1e-8)  # C043


def test_facts_of_the_first_step(scene):
    assert told(scene, "fact3_s", f="h-swish", g="swish") == "0.1423"  # C047
    assert (
        scene.at(f="h-swish", g="swish").caption().endswith("0.1423 apart here, at x = −3 and 3.")
    )
    assert told(scene, "fact1_s", f="swish") == "−0.278"  # C044
    assert told(scene, "fact1_s", f="h-swish") == "−0.375"  # C046
    x = torch.linspace(-8, 8, 160_001, dtype=torch.float64)
    for name in NAMES:
        y, slope = with_slope(TORCH[name], x)
        assert value(told(scene, "fact1_s", f=name)) == pytest.approx(y.min().item(), abs=6e-4)
        assert value(told(scene, "fact2_s", f=name)) == pytest.approx(slope.max().item(), abs=6e-4)
        for other in ("ReLU", "swish", "sigmoid"):
            gap = (y - TORCH[other](x)).abs().max().item()
            assert value(told(scene, "fact3_s", f=name, g=other)) == pytest.approx(gap, abs=6e-5)
        assert told(scene, "fact3_s", f=name, g="nothing") == "–"


@pytest.mark.parametrize("name", NAMES)
def test_cost_is_in_the_formula(name):
    """Those that torch writes with an exponential or its integral say so, the others do not."""
    function = BY_NAME[name]
    smooth = name in ("sigmoid", "swish", "GELU", "mish", "SELU")
    assert (function.cost == "pieces") == (not smooth)
    said = viz.activations().at(f=name).caption()
    assert ("no exponential" in said) == (not smooth)


# -- the crowd of inputs, in every state ---------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_shares_and_moments_of_every_state(scene, name):
    for m, s in STATES:
        x = MEANS[m] + SPREADS[s] * SAMPLE
        y, slope = with_slope(TORCH[name], x)
        state = {"f": name, "step": 1, "mu": m, "sigma": s}
        dead = (slope == 0).double().mean().item()
        if dead == 0 and not BY_NAME[name].zones:
            assert told(scene, "fact0_s", **state) == "0 %"
        assert share(told(scene, "fact0_s", **state)) == pytest.approx(dead, abs=1.1e-3)
        assert told(scene, f"value{NAMES.index(name)}", **state) == told(scene, "fact0_s", **state)
        found = [slope.abs().mean(), y.mean(), y.std(correction=0)]
        for k, exact in enumerate(found, 1):
            assert value(told(scene, f"fact{k}_s", **state)) == pytest.approx(
                exact.item(), abs=6.5e-3
            )


@pytest.mark.parametrize("name", NAMES)
def test_steps_and_errors_of_int8_in_every_state(scene, name):
    for m, s in STATES:
        mu, sigma = MEANS[m], SPREADS[s]
        ends = torch.linspace(mu - 4 * sigma, mu + 4 * sigma, 40_001, dtype=torch.float64)
        seen = TORCH[name](ends)
        low, high = min(0.0, seen.min().item()), max(0.0, seen.max().item())
        step = (high - low) / 255
        y = TORCH[name](mu + sigma * SAMPLE).float()
        if step == 0:  # nothing comes through but a tail beyond 4σ
            shown = [told(scene, f"fact{k}_s", f=name, step=2, mu=m, sigma=s) for k in range(3)]
            assert shown[:2] == ["0", "0"] and float(shown[2]) < 1e-5
            continue
        q = torch.fake_quantize_per_tensor_affine(y, step, round(-low / step), 0, 255)
        error = (q - y).double().abs().mean().item()
        state = {"f": name, "step": 2, "mu": m, "sigma": s}
        assert value(told(scene, "fact0_s", **state)) == pytest.approx(high, abs=6e-3)
        assert value(told(scene, "fact1_s", **state)) == pytest.approx(step, abs=6e-5)
        assert value(told(scene, "fact2_s", **state)) == pytest.approx(
            error, abs=6e-5 + 0.03 * error
        )
        assert told(scene, f"value{NAMES.index(name)}", **state) == told(scene, "fact1_s", **state)


def test_relu6_has_finer_steps_exactly_where_relu_goes_beyond_six(scene):
    for m, s in STATES:
        state = {"f": "ReLU6", "step": 2, "mu": m, "sigma": s}
        ours, theirs = (told(scene, f"value{i}", **state) for i in (1, 0))
        reaches = MEANS[m] + 4 * SPREADS[s]
        assert (value(ours) < value(theirs)) == (reaches > 6)
        assert scene.at(**state).caption().endswith(f"ReLU's steps: {theirs}.")
        if reaches >= 6:
            assert ours == "0.0235"  # 6 / 255


def test_selu_keeps_mean_and_deviation(scene):
    state = {"f": "SELU", "step": 1, "mu": MEANS.index(0), "sigma": SPREADS.index(1)}
    assert told(scene, "fact2_s", **state) == "0.00"
    assert told(scene, "fact3_s", **state) == "1"


# -- the picture ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_bars_of_the_outputs_are_their_shares(scene, name):
    for m, s in STATES[::3]:
        shown = marks(scene, f=name, step=1, mu=m, sigma=s)
        first = shown["out0"]
        pitch = first["y"] - shown["out1"]["y"]
        top, bottom = shown["tick0_s"], shown["tick1_s"]
        per_unit = (top["y"] - bottom["y"]) / (value(bottom["s"]) - value(top["s"]))
        zero = (
            value(top["s"]) + (shown["tick0"]["y1"] - first["y"] - first["height"] / 2) / per_unit
        )
        width = pitch / per_unit
        y, slope = with_slope(TORCH[name], MEANS[m] + SPREADS[s] * SAMPLE)
        which = torch.floor((y - zero) / width + 0.5).clamp(0, PLACES - 1).long()
        counts = torch.bincount(which, minlength=PLACES).double()
        widths = [shown[f"out{i}"]["width"] for i in range(PLACES)]
        scaled = (HIST_WIDE * counts / counts.max()).tolist()
        assert widths == pytest.approx(scaled, abs=1.1)
        idle = sum(shown[f"idle{k}"]["width"] for k in (0, 1))
        dead = (slope == 0).double().sum().item()
        assert idle == pytest.approx(HIST_WIDE * dead / counts.max().item(), abs=1.6)
        for k in (0, 1):
            bar = shown[f"idle{k}"]
            if bar["width"]:
                at = zero + (first["y"] + first["height"] / 2 - bar["y"] - 4) / per_unit
                assert (y[slope == 0] - at).abs().min() < 1e-9 + 0.02


def test_bars_of_the_inputs_are_their_shares_and_red_without_slope(scene):
    for m, s in STATES:
        shown = marks(scene, f="ReLU6", mu=m, sigma=s)
        x = MEANS[m] + SPREADS[s] * SAMPLE
        edges = torch.linspace(-8, 8, 33, dtype=torch.float64)
        counts = torch.tensor([((x >= a) & (x < b)).sum() for a, b in itertools.pairwise(edges)])
        tall = [BELL_FOOT - shown[f"in{i}"]["y2"] for i in range(32)]
        assert tall == pytest.approx((76 * counts / counts.max()).tolist(), abs=0.6)
        assert [shown[f"in{i}"]["stroke"] for i in range(32)] == [
            "bad" if edge < 0 or edge >= 6 else "c1" for edge in edges[:-1]
        ]


@pytest.mark.parametrize("name", NAMES)
def test_curves_go_through_their_points(scene, name):
    shown = marks(scene, f=name)
    low, high = shown["tick0"], shown["tick1"]
    values = [value(shown[f"tick{k}_s"]["s"]) for k in (0, 1)]
    per_unit = (low["y1"] - high["y1"]) / (values[1] - values[0])
    slope_unit = shown["slope_line0"]["y1"] - shown["slope_line1"]["y1"]
    for path, pick in (("curve", 0), ("slope", 1)):
        points = np.array(re.findall(r"(\d+\.?\d*) (\d+\.?\d*)", shown[path]["d"]), float)
        x = torch.tensor((points[:, 0] - across(0)) / 25)
        kinks = (x.abs() < 0.03) | ((x.abs() - 3).abs() < 0.03) | ((x - 6).abs() < 0.03)
        exact = with_slope(TORCH[name], x)[pick].numpy()
        if pick == 0:
            shown_y = values[0] + (low["y1"] - points[:, 1]) / per_unit
        else:
            shown_y = (shown["slope_line0"]["y1"] - points[:, 1]) / slope_unit
        assert len(points) > 1
        assert shown_y[~kinks.numpy()] == pytest.approx(exact[~kinks.numpy()], abs=0.02)


def test_rays_go_up_to_the_curve_and_across_to_the_outputs(scene):
    for name, (m, s) in itertools.product(NAMES, STATES[::7]):
        shown = marks(scene, f=name, step=1, mu=m, sigma=s)
        low, high = shown["tick0"], shown["tick1"]
        values = [value(shown[f"tick{k}_s"]["s"]) for k in (0, 1)]
        per_unit = (low["y1"] - high["y1"]) / (values[1] - values[0])
        for k, z in enumerate((-2, -1, 0, 1, 2)):
            x = MEANS[m] + z * SPREADS[s]
            if not shown[f"up{k}"]["opacity"]:
                assert abs(x) >= 8 or TORCH[name](torch.tensor(x)) > 7
                continue
            up, over = shown[f"up{k}"], shown[f"over{k}"]
            assert up["x1"] == up["x2"] == over["x1"] == pytest.approx(across(x), abs=0.01)
            assert over["x2"] == HIST
            y = values[0] + (low["y1"] - over["y1"]) / per_unit
            assert y == pytest.approx(TORCH[name](torch.tensor(x)).item(), abs=0.01)
    before = marks(scene, f="ReLU", step=0)
    assert all(before[f"{part}{k}"]["opacity"] == 0 for part in ("up", "over") for k in range(5))


def test_bands_of_the_lens_are_steps_to_scale(scene):
    for m, s in STATES:
        shown = marks(scene, f="h-swish", step=2, mu=m, sigma=s)
        lens, step = shown["lens"], value(shown["fact1_s"]["s"])
        assert float(shown["bands"]["stroke-dasharray"]) == pytest.approx(
            step * lens["height"] / 0.2, abs=0.1
        )
    assert marks(scene, step=1)["bands"]["opacity"] == 0


# -- words ---------------------------------------------------------------------------------------


def test_captions_hold_the_numbers_of_their_step(scene):
    for name, (m, s) in itertools.product(NAMES, STATES[::5]):
        here = {"f": name, "mu": m, "sigma": s}
        said = scene.at(step=1, **here).caption()
        for k in range(4):
            assert told(scene, f"fact{k}_s", step=1, **here) in said
        assert "steps" not in said
        said = scene.at(step=2, **here).caption()
        for k in range(3):
            assert told(scene, f"fact{k}_s", step=2, **here) in said
        assert "gradient" not in said


def test_the_answer_is_right_and_not_given_away(scene):
    ask = scene.spec["ask"]
    for name, (m, s) in itertools.product(NAMES, STATES):
        here = scene.at(f=name, mu=m, sigma=s)
        right = ask["options"][resolve(ask["answer"], here.spec, here.state)]
        dead = share(told(scene, "fact0_s", f=name, mu=m, sigma=s, step=1))
        if not BY_NAME[name].zones:
            assert right == "none"
        elif dead == 0.25 or dead == 0.75:
            continue
        else:
            some = "some, up to a quarter"
            middle = "a quarter to three quarters"
            assert right == (some if dead < 0.25 else middle if dead < 0.75 else "more")
    shown = marks(scene, f="ReLU6", step=0)
    assert not [m["s"] for m in shown.values() if m["t"] == "text" and "%" in m["s"]]


@pytest.mark.parametrize("name", NAMES)
def test_the_code_gives_the_numbers(scene, name, capsys):
    here = {"f": name, "mu": 7, "sigma": 2}
    for step, facts in ((1, ("fact0_s", "fact1_s", "fact2_s", "fact3_s")), (2, ("fact2_s",))):
        state = scene.at(step=step, **here)
        code = str(resolve(state.spec["code"], state.spec, state.state))
        torch.manual_seed(0)
        exec(code, {"torch": torch, "F": F})
        printed = [float(n) for n in re.findall(r"-?\d+\.\d*(?:e-?\d+)?", capsys.readouterr().out)]
        shown = [told(scene, fact, step=step, **here) for fact in facts]
        exact = [share(t) if "%" in t else value(t) for t in shown]
        if step == 1:
            assert printed == pytest.approx(exact, abs=0.02)
        else:
            assert printed[-1] == pytest.approx(exact[0], rel=0.15)


# -- an own function -----------------------------------------------------------------------------


def test_an_own_function_brings_its_own_numbers():
    scene = viz.activations(torch.tanh)
    assert told(scene, "formula") == "yours = tanh(x)"
    y, slope = with_slope(torch.tanh, 1 + SAMPLE)
    state = {"step": 1, "mu": MEANS.index(1), "sigma": SPREADS.index(1)}
    assert value(told(scene, "fact1_s", **state)) == pytest.approx(slope.mean().item(), abs=6e-3)
    assert value(told(scene, "fact2_s", **state)) == pytest.approx(y.mean().item(), abs=6e-3)
    assert "exponential" in scene.caption() and "no exponential" not in scene.caption()
    assert told(scene, "value10", step=0) == "exp"
    assert "Nowhere does its slope stay 0" in scene.caption(), "that it rounds to 0 far out is none"
    assert told(scene, "fact0_s", **state) == "0 %"
    assert told(viz.activations(lambda x: x.tanh()), "formula") == "yours = your function"


@pytest.mark.parametrize(
    ("own", "twin"),
    [
        (lambda x: x * torch.clamp(x + 3, 0, 6) / 6, "h-swish"), (nn.Hardswish(), "h-swish"),
        (nn.ReLU(inplace=True), "ReLU"), (nn.SiLU(), "swish"), (torch.relu_, "ReLU"),
        (lambda x: torch.where(x > 0, x, torch.zeros_like(x)), "ReLU"),
    ],
)  # fmt: skip
def test_an_own_version_has_the_numbers_of_its_twin(own, twin):
    scene = viz.activations(own)
    for m, s in STATES[::4]:
        for step in (1, 2):
            mine, theirs = (
                [told(scene, f"fact{k}_s", f=name, step=step, mu=m, sigma=s) for k in range(3)]
                for name in ("yours", twin)
            )
            assert mine == theirs
    smooth = BY_NAME[twin].cost != "pieces"
    assert told(scene, "value10") == ("exp" if smooth else "no exp")


def test_a_module_stays_as_it_was():
    module = nn.PReLU(init=0.3).train()
    scene = viz.activations(module)
    assert module.training and module.weight.dtype == torch.float32
    assert module.weight.grad is None
    assert "Nowhere" in scene.caption()


class Steps(nn.Module):
    def forward(self, x):
        return torch.floor(x)


@pytest.mark.parametrize(
    ("own", "says"),
    [
        (torch.sign, "everywhere"), (Steps(), "everywhere"),
        (lambda x: (x > 0).double(), "everywhere"), (lambda x: 1e-3 * x, "Nowhere"),
        (nn.Hardtanh(), "below −1 and above 1"), (nn.Softshrink(0.5), "from −0.5 to 0.5"),
        (nn.Threshold(0.25, 2.0), "below 0.25"), (lambda x: 0 * x, "everywhere"),
        (lambda x: x**3, "Nowhere"), (lambda x: 1e6 * x, "Nowhere"),
        (lambda x: torch.sin(20 * x), "Nowhere"), (lambda x: -x.exp().clamp(max=1e4), "above 9.21"),
    ],
)  # fmt: skip
def test_odd_functions_are_drawn_within_the_budget(own, says):
    scene = viz.activations(own)
    assert says in scene.caption()
    assert len(dumps(scene.spec).encode()) <= 150_000
    everywhere = says == "everywhere"
    assert (told(scene, "fact0_s", step=1) == "100 %") == everywhere


@pytest.mark.parametrize(
    ("own", "says"),
    [
        (5, "5"), ("relu", "'relu'"), (nn.ReLU, "ReLU"), (torch.tensor(1.0), "tensor(1.)"),
        (lambda x: x.sum(), "gave ()"), (lambda x: 3, "gave int"), (lambda x: x[1:], "gave"),
        (lambda x: x.softmax(0), "by itself"), (torch.log, "not finite"),
        (torch.nn.GLU(0), "gave"), (lambda x, y: x, "argument"), (nn.Linear(3, 3), "fails"),
        (lambda x: x / (x > 0), "not finite"), (lambda: 0, "argument"),
    ],
)  # fmt: skip
def test_what_is_no_activation_is_refused_in_one_sentence(own, says):
    with pytest.raises(UserError) as caught:
        viz.activations(own)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
