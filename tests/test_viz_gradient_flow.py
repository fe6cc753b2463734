"""The gradient's way: shipped norms measured again, every bar, factor and verdict against them."""

import math
import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lightcourse import create_model, viz
from lightcourse.errors import UserError
from lightcourse.viz.scene import Scene, dumps, resolve
from lightcourse.viz.scenes import _grf_nets
from lightcourse.viz.scenes._grf_nets import (
    BATCH,
    BATCH_NORM,
    DEFAULT,
    DEPTHS,
    HE,
    OUTPUT,
    SEEDS,
    SIZE,
    WEIGHT,
    flows,
    measure,
    network,
    remeasure,
)
from lightcourse.viz.scenes._grf_view import FIRST, HIGH, LEFT, LOW, PITCH, RIGHT, TALL

STARTS, PANELS = (BATCH_NORM, HE, DEFAULT), ("plain", "residual")


@pytest.fixture(scope="module")
def scene():
    return viz.gradient_flow()


def drawn(scene, **state):
    return {mark["id"]: mark for mark in scene.at(**state).frame()}


def said(scene, name, **state):
    return str(resolve(scene.spec[name], scene.spec, scene.at(**state).state))


def number(text):
    return float(text.replace(",", ""))


def means(start, depth, panel, of):
    """Geometric means over the seeds, last layer first, by plain arithmetic."""
    flow = flows()[start][depth][panel]
    runs = (flow.output, flow.weight)[of]
    return [math.prod(run[j] for run in runs) ** (1 / len(runs)) for j in range(len(runs[0]))]


def back_of(scene, **state):
    """How many steps the way back has in this state."""
    return resolve(scene.spec["params"][-1]["n"], scene.spec, scene.at(**state).state)


# -- the norms ------------------------------------------------------------------------------------


def plain_norms(start, depth, residual, seed):
    """The same measurement written down once more, with torch.autograd.grad and no hook."""
    torch.manual_seed(seed)
    net = network(depth, residual, start).train()
    x = torch.randn(BATCH, 3, SIZE, SIZE)
    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    seen = []
    for layer in layers:  # a copy in between keeps the output from changes in place
        plain = layer.forward
        layer.forward = lambda x, plain=plain: (seen.append(plain(x)), seen[-1].clone())[1]
    loss = F.cross_entropy(net(x), torch.randint(10, (BATCH,)))
    asked = [*seen, *(layer.weight for layer in layers)]
    norms = [float(g.double().pow(2).sum().sqrt()) for g in torch.autograd.grad(loss, asked)]
    return norms[: len(layers)][::-1], norms[len(layers) :][::-1]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("depth", [0, 2, 5])
def test_shipped_norms_are_what_autograd_finds(start, residual, depth):
    flow, seed = flows()[start][depth][residual], depth % SEEDS
    with torch.random.fork_rng():
        outputs, weights = plain_norms(start, DEPTHS[depth], residual, seed)
    assert flow.output[seed] == pytest.approx(outputs, rel=0.02)
    assert flow.weight[seed] == pytest.approx(weights, rel=0.02)


def test_measuring_again_gives_the_shipped_numbers():
    again = remeasure(DEPTHS[:1], seeds=2)
    for ours, shipped in zip(again, flows(), strict=True):
        for one, other in zip(ours[0], shipped[0], strict=True):
            assert one.sides == other.sides
            for runs, known in ((one.output, other.output), (one.weight, other.weight)):
                for a, b in zip(runs, known, strict=False):
                    assert a == pytest.approx(b, rel=0.02)


def test_save_writes_what_flows_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(_grf_nets, "FILE", tmp_path / "flows.json")
    monkeypatch.setattr(_grf_nets, "remeasure", lambda: flows())
    _grf_nets.save()
    shipped, fresh = flows(), flows.__wrapped__()
    assert fresh == shipped


@pytest.mark.parametrize("start", STARTS)
def test_starts_are_what_they_are_called(start):
    torch.manual_seed(0)
    net = network(20, True, start)
    norms = sum(isinstance(m, nn.BatchNorm2d) for m in net.modules())
    assert norms == (19 if start == BATCH_NORM else 0)
    conv = [m for m in net.modules() if isinstance(m, nn.Conv2d)][-1]
    fan = conv.weight[0].numel()
    wanted = math.sqrt(1 / (3 * fan) if start == DEFAULT else 2 / fan)
    assert float(conv.weight.detach().std()) == pytest.approx(wanted, rel=0.03)


def test_every_layer_but_the_linear_one_is_there():
    for row in flows():
        for depth, pair in zip(DEPTHS, row, strict=True):
            for flow in pair:
                assert flow.layers == depth - 1 and len(flow.output) == SEEDS
                third = (depth - 2) // 3
                assert list(flow.sides) == [8] * third + [16] * third + [32] * (third + 1)


# -- the picture ----------------------------------------------------------------------------------


def test_every_bar_is_as_high_as_its_norm(scene):
    for start in STARTS:
        for depth in range(len(DEPTHS)):
            for of in (OUTPUT, WEIGHT):
                shown = drawn(scene, start=start, depth=depth, of=of,
                              back=back_of(scene, start=start, depth=depth) - 1)  # fmt: skip
                for p in range(2):
                    base, norms = FIRST + PITCH * p + TALL, means(start, depth, p, of)
                    for j in range(DEPTHS[-1] - 1):
                        bar = shown[f"bar{p}_{j}"]
                        assert bar["opacity"] == (j < len(norms))
                        if j < len(norms):
                            power = min(HIGH, max(LOW, math.log10(norms[j])))
                            high = TALL * (power - LOW) / (HIGH - LOW)
                            assert base - bar["y2"] == pytest.approx(max(3, high), abs=0.06)
                    below = any(norm <= 10.0**LOW for norm in norms)
                    assert shown[f"below{p}"]["opacity"] == below


def test_bars_stand_side_by_side_from_the_loss_to_the_first_layer(scene):
    for depth, layers in enumerate(d - 1 for d in DEPTHS):
        shown = drawn(scene, depth=depth)
        places = [shown[f"bar0_{j}"]["x1"] for j in range(layers)]
        column = (RIGHT - LEFT) / layers
        assert places == pytest.approx(
            [RIGHT - column * (j + 0.5) for j in range(layers)], abs=0.06
        )
        assert shown["bar0_0"]["stroke-width"] < column


def test_the_gradient_travels_layer_by_layer(scene):
    for depth, layers in enumerate(d - 1 for d in DEPTHS):
        steps, before = back_of(scene, depth=depth), 0
        for back in range(steps):
            shown = drawn(scene, depth=depth, back=back)
            lit = [j for j in range(DEPTHS[-1] - 1) if shown[f"bar1_{j}"]["opacity"]]
            assert lit == list(range(len(lit))) and len(lit) > before
            before = len(lit)
            tip = float(re.match(r"M([\d.]+)", shown["arrow"]["d"])[1])
            column = (RIGHT - LEFT) / layers
            assert tip == pytest.approx(RIGHT - column * len(lit), abs=0.2)
            text = scene.at(depth=depth, back=back).caption()
            if back:
                assert f"over {len(lit) - 1} of {layers - 1} more: " in text
            else:
                assert text.startswith("The gradient has come to the last convolution: ")
            for p, name in enumerate(PANELS):
                found = re.search(rf"{name} (\S+) → ([\d.,e-]*\d)", text)
                norms = means(BATCH_NORM, depth, p, OUTPUT)
                assert number(found[1]) == pytest.approx(norms[0], rel=0.06)
                assert number(found[2]) == pytest.approx(norms[len(lit) - 1], rel=0.06)
            assert ("First layer against last" in text) == (back == steps - 1)
        assert before == layers


def test_verdicts_follow_from_the_norms(scene):
    for start in STARTS:
        for depth in range(len(DEPTHS)):
            for of in (OUTPUT, WEIGHT):
                last = back_of(scene, start=start, depth=depth) - 1
                state = {"start": start, "depth": depth, "of": of, "back": last}
                text, shown = scene.at(**state).caption(), drawn(scene, **state)
                verdict = text.partition(f"First layer against last, {SEEDS} seeds: ")[2]
                gone = []
                for p, part in enumerate(re.split(r"; ", verdict)):
                    norms = means(start, depth, p, of)
                    ratio = norms[-1] / norms[0]
                    gone.append(norms[-1] < 1e-6)
                    if norms[0] < 1e-6:
                        assert part.startswith("plain is next to nothing in every layer")
                    else:
                        assert ("vanishes" in part.split(" (")[0]) == gone[-1]
                        found = re.search(r"×([\d.,e-]*\d)(?: \((\S+) to (\S+)\))?", part)
                        assert number(found[1]) == pytest.approx(ratio, rel=0.06)
                        runs = flows()[start][depth][p].ratios(of)
                        low, high = found[2] or found[1], found[3] or found[1]  # if as good as one
                        assert number(low) == pytest.approx(min(runs), rel=0.06)
                        assert number(high) == pytest.approx(max(runs), rel=0.06)
                    change = re.fullmatch(r"first ÷ last ×(\S+), a layer ×(\S+)",
                                          shown[f"change{p}"]["s"])  # fmt: skip
                    assert number(change[1]) == pytest.approx(ratio, rel=0.06)
                    each = ratio ** (1 / (len(norms) - 1))
                    assert float(change[2]) == pytest.approx(each, abs=0.0051)
                assert verdict.endswith(" Neither vanishes.") == (not any(gone))


def test_what_the_course_says_of_these_networks(scene):
    """With batch norm nothing vanishes: the plain gradient grows, and with depth; He's falls."""
    plain = [flows()[BATCH_NORM][d][0].ratio(OUTPUT) for d in range(len(DEPTHS))]
    residual = [flows()[BATCH_NORM][d][1].ratio(OUTPUT) for d in range(len(DEPTHS))]
    assert plain == sorted(plain) and plain[0] > 1 and plain[-1] > 1000
    assert all(a > b > 1 for a, b in zip(plain, residual, strict=True)) and residual[-1] < 100
    deep = flows()[DEFAULT][-1]
    assert deep[0].ratio(OUTPUT) < 1e-15 and 0.1 < deep[1].ratio(OUTPUT) < 1
    kept = flows()[HE][-1]
    assert 0.01 < kept[0].ratio(OUTPUT) < 1 and kept[1].ratio(OUTPUT) > 1000


def test_stages_and_shortcuts_stand_at_their_layers(scene):
    for depth, layers in enumerate(d - 1 for d in DEPTHS):
        shown, third = drawn(scene, depth=depth), (DEPTHS[depth] - 2) // 3
        column = (RIGHT - LEFT) / layers
        assert shown["halve0_0"]["x1"] == pytest.approx(RIGHT - 2 * third * column, abs=0.11)
        assert shown["halve1_1"]["x1"] == pytest.approx(RIGHT - third * column, abs=0.11)
        assert [shown[f"stage{k}"]["s"] for k in range(3)] == ["32×32 px", "16×16 px", "8×8 px"]
        assert shown["arcs"]["d"].count("M") == (layers - 1) // 2


# -- code and question ----------------------------------------------------------------------------


@pytest.mark.parametrize(("start", "of"), [(0, 0), (1, 0), (2, 0), (0, 1), (2, 1)])
def test_the_code_measures_what_the_picture_shows(scene, start, of):
    code = said(scene, "code", start=start, depth=1, of=of)
    names = {}
    with torch.random.fork_rng():
        exec(code.replace("print(", "ratio = ("), names)
    shown = float(code.rpartition("seed 0: ")[2])
    assert names["ratio"] == pytest.approx(shown, rel=0.06)
    assert shown == pytest.approx(flows()[start][1][0].ratios(of)[0], rel=0.06)


def test_the_question_is_answered_by_the_norms(scene):
    ask, norms = scene.spec["ask"], means(BATCH_NORM, len(DEPTHS) - 1, 0, OUTPUT)
    ratio = norms[-1] / norms[0]
    assert ask["answer"] == (0 if ratio < 0.01 else 1 if ratio <= 100 else 2)
    hidden = scene.predict()
    assert hidden.state["back"] == 0 and "First layer" not in hidden.caption()
    for start in STARTS:
        for depth in range(len(DEPTHS)):
            state = Scene(scene.spec, hidden.state).at(start=start, depth=depth, back=0)
            shown = {m["id"]: m for m in state.frame()}
            assert sum(shown[f"bar0_{j}"]["opacity"] for j in range(55)) == 1
            assert shown["change0"]["s"] == "" == shown["change1"]["s"]


# -- the reader's own -----------------------------------------------------------------------------


def test_own_networks_are_measured_as_they_are():
    plain, deep = (create_model("resnet_cifar", depth=d, shortcut="none") for d in (8, 14))
    before = [p.detach().clone() for p in plain.state_dict().values()]
    state = torch.get_rng_state()
    scene = viz.gradient_flow({"mine": plain.eval(), "deep": deep}, (3, 16, 16))
    assert torch.equal(state, torch.get_rng_state()) and not plain.training
    assert all(map(torch.equal, before, plain.state_dict().values()))
    assert all(p.grad is None for p in plain.parameters())
    flow = measure(lambda: plain.train(), (3, 16, 16))
    shown = drawn(scene)
    assert (shown["name0"]["s"], shown["name1"]["s"]) == ("mine", "deep")
    assert sum(shown[f"bar0_{j}"]["opacity"] for j in range(13)) == 7
    assert sum(shown[f"bar1_{j}"]["opacity"] for j in range(13)) == 13
    found = re.search(r"mine (\S+) → (\S+),", scene.caption())
    assert number(found[1]) == pytest.approx(flow.norm(OUTPUT, 0), rel=0.06)
    assert number(found[2]) == pytest.approx(flow.norm(OUTPUT, 6), rel=0.06)
    assert "ask" not in scene.spec and len(dumps(scene.spec).encode()) < 60_000


def test_a_small_dense_network_shows_its_linear_layers():
    net = nn.Sequential(nn.Flatten(), nn.Linear(48, 8), nn.ReLU(), nn.Linear(8, 4))
    scene = viz.gradient_flow(net, (3, 4, 4))
    assert "yours" in scene.caption() and "of 1 more" in scene.caption()
    assert "name1" not in drawn(scene)


def test_layers_count_in_the_order_they_run_not_of_their_names():
    class Crossed(nn.Module):
        def __init__(self):
            super().__init__()
            self.late = nn.Conv2d(4, 5, 3, stride=2)
            self.early = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            return self.late(torch.relu_(self.early(x))).mean((2, 3))

    flow = measure(Crossed, (3, 12, 12), seeds=1)
    assert flow.sides == [4, 10]


class NotFinite(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)

    def forward(self, x):
        return (self.b(self.a(x)) * math.inf).mean((2, 3))


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("resnet18",), "give an nn.Module"),
        (({"a": nn.ReLU(), "b": nn.ReLU(), "c": nn.ReLU()},), "give an nn.Module"),
        (({"a": 3},), "give an nn.Module"),
        ((nn.Conv2d(3, 3, 1),), "yours has 1 convolutions or linear layers; 2 to 160 fit"),
        ((nn.Sequential(*[nn.Conv2d(3, 3, 1) for _ in range(161)]),), "has 161"),
        ((nn.Sequential(nn.Conv2d(1, 3, 1), nn.Conv2d(3, 3, 1)),), "no gradient came back"),
        ((NotFinite(),), "the gradient of yours is not finite"),
        ((nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)), 32), "input_size is 32"),
    ],
)
def test_mistakes_are_named(arguments, part):
    with pytest.raises(UserError, match=re.escape(part)):
        viz.gradient_flow(*arguments)


def test_the_specification_is_small(scene):
    assert len(dumps(scene.spec).encode()) < 140_000 and len(scene.spec["marks"]) < 200
