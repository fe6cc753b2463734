"""Latency: fake clocks and huge margins, as no test may depend on how fast a machine is."""

import copy
import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from small_models import Fn
from torch import Tensor, nn
from torch.utils.benchmark import Measurement, TaskSpec, Timer

from lightcourse.analysis import _layer_times as parts
from lightcourse.analysis import analyze, latency, latency_by_layer
from lightcourse.analysis._live import live_inputs
from lightcourse.analysis._time_text import duration, speed, text_table
from lightcourse.analysis.latency import Latency
from lightcourse.analysis.machine import Machine, this_machine
from lightcourse.errors import UserError

TOY = Machine("toy", peak_macs=1e10, bandwidth=4e9)
SHORT = 0.01  # seconds


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout())


def fake_timer(monkeypatch, times: list[float], number: int = 1) -> None:
    def run(self: Timer, callback=None, min_run_time: float = 0.2) -> Measurement:
        for t in times:
            if callback is not None:
                callback(number, t * number)
        spec = TaskSpec("run()", "pass", num_threads=self._task_spec.num_threads)
        return Measurement(number, [t * number for t in times], spec)

    monkeypatch.setattr(Timer, "blocked_autorange", run)


# -- one number for the whole -----------------------------------------------------------------


def test_minimum_median_iqr_and_runs_of_given_times(monkeypatch) -> None:
    fake_timer(monkeypatch, [0.010, 0.012, 0.011, 0.014, 0.013], number=4)
    found = latency(small(), (1, 3, 8, 8), threads=2)
    assert found.minimum == pytest.approx(0.010)
    assert found.median == pytest.approx(0.012)
    assert found.iqr == pytest.approx(0.002)
    assert (found.name, found.threads, found.runs) == ("Sequential", 2, 20)
    assert found.noisy and not found.few
    text = str(found)
    assert "median 12.0 ms, minimum 10.0 ms, IQR 2.00 ms, 20 runs on 2 threads" in text
    assert "spreads over 17% of the median" in text.splitlines()[1]
    assert "17%" in found._repr_html_() and "12.0 ms" in found._repr_html_()


@pytest.mark.parametrize(
    ("times", "noisy", "few"),
    [
        ([0.100, 0.101, 0.102, 0.103, 0.104], False, False),
        ([0.100, 0.101, 0.102, 0.200, 0.300], True, False),
        ([0.100, 0.101], False, True),
        ([0.100], False, True),
    ],
)
def test_warnings(monkeypatch, times, noisy, few) -> None:
    fake_timer(monkeypatch, times)
    found = latency(small(), (1, 3, 8, 8))
    assert (found.noisy, found.few) == (noisy, few)
    assert ("runs differ" in found.warning) == noisy
    assert ("give more seconds" in found.warning) == few
    assert len(str(found).splitlines()) == 1 + bool(noisy or few)


def test_a_hundred_times_the_work_takes_longer() -> None:
    def net(width: int) -> nn.Module:
        return nn.Sequential(*(nn.Conv2d(width, width, 3, padding=1) for _ in range(4)))

    light = latency(net(4), (1, 4, 32, 32), seconds=SHORT)
    heavy = latency(net(80), (1, 80, 32, 32), seconds=SHORT)
    assert analyze(net(80), (1, 80, 32, 32)).macs == 400 * analyze(net(4), (1, 4, 32, 32)).macs
    assert 0 < light.minimum < heavy.minimum
    assert light.minimum <= light.median and light.runs >= 1 and light.iqr >= 0


def test_plain_data_and_progress(capsys, monkeypatch) -> None:
    fake_timer(monkeypatch, [0.3] * 6)
    found = latency(small(), (1, 3, 8, 8), progress=True)
    assert "timing 0.6 of 1 s" in capsys.readouterr().err
    assert Latency(**json.loads(json.dumps(found.to_dict()))) == found
    latency(small(), (1, 3, 8, 8))
    assert capsys.readouterr() == ("", "")


# -- everything is left as it was -------------------------------------------------------------


class Counts(nn.Module):
    """Writes a buffer, an attribute and a list in every forward pass, as some models do."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.register_buffer("calls", torch.zeros(()))
        self.seen: list[int] = []
        self.last = None
        self.fail = False

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.seen.append(1)
        self.last = self.norm(self.conv(x)) + torch.rand(())
        if self.fail and len(self.seen) > 1:
            raise RuntimeError("the second pass fails")
        return self.last


@pytest.mark.parametrize("fail", [False, True])
@pytest.mark.parametrize("measure", [latency, latency_by_layer])
def test_the_model_and_the_process_stay_as_they_were(measure, fail) -> None:
    model = Counts().train()
    model.fail = fail
    model.conv.eval()
    state = copy.deepcopy(model.state_dict())
    threads, seed = torch.get_num_threads(), torch.get_rng_state()
    extra = {} if measure is latency else {"machine": TOY}
    if fail:
        with pytest.raises(UserError, match="with RuntimeError: the second pass fails"):
            measure(model, (1, 3, 8, 8), threads=2, seconds=SHORT, **extra)
    else:
        measure(model, (1, 3, 8, 8), threads=2, seconds=SHORT, **extra)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, state[name]), name
    assert (model.training, model.conv.training, model.norm.training) == (True, False, True)
    assert (model.seen, model.last) == ([], None)
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in model.modules())
    assert torch.get_num_threads() == threads and torch.equal(torch.get_rng_state(), seed)
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()


def test_it_runs_in_eval_and_inference_mode_with_the_asked_threads() -> None:
    seen = set()

    def look(m, x):
        seen.add((m.training, torch.is_inference_mode_enabled(), torch.get_num_threads()))
        return m.conv(x)

    latency(Fn(look, conv=nn.Conv2d(3, 4, 1)), (1, 3, 8, 8), threads=2, seconds=SHORT)
    assert seen == {(False, True, 2)}


# -- inputs and errors ------------------------------------------------------------------------


def test_the_forms_of_input() -> None:
    both = Fn(lambda m, x, y: x + y)
    shape = (1, 3, 4, 4)
    for given in ((shape, shape), (torch.ones(shape), shape), [torch.ones(shape)] * 2):
        assert latency(both, given, seconds=SHORT).runs > 0

    class Named(nn.Module):
        def forward(self, image: Tensor, scale: Tensor) -> Tensor:
            return image * scale

    given = {"image": shape, "scale": torch.tensor([2.0])}
    assert latency(Named(), given, seconds=SHORT).runs > 0
    args, named = live_inputs(Named(), given)
    assert args == () and named["scale"].item() == 2 and tuple(named["image"].shape) == shape


def test_a_tensor_is_used_as_it_is_and_a_shape_is_always_the_same_noise() -> None:
    model = nn.Conv2d(3, 4, 1).double()
    own = torch.randn(2, 3, 4, 4, requires_grad=True)
    ((x,), _) = live_inputs(model, own)
    assert torch.equal(x, own) and not x.requires_grad
    before = torch.get_rng_state()
    ((a,), _), ((b,), _) = (live_inputs(model, (2, 3, 4, 4)) for _ in range(2))
    assert torch.equal(a, b) and a.dtype == torch.float64 and 0.5 < a.std() < 1.5
    assert torch.equal(torch.get_rng_state(), before)
    ((tokens,), _) = live_inputs(model, torch.empty(1, 5, dtype=torch.long, device="meta"))
    assert tokens.tolist() == [[0] * 5] and tokens.dtype == torch.long


@pytest.mark.parametrize("measure", [latency, latency_by_layer])
def test_errors_are_one_clear_sentence(measure) -> None:
    with pytest.raises(UserError, match="'weight' is on the meta device"):
        measure(nn.Conv2d(3, 4, 1, device="meta"), (1, 3, 4, 4))
    lazy = nn.Sequential(nn.LazyConv2d(4, 1))
    with pytest.raises(UserError, match=r"'0\.weight' has no shape yet"):
        measure(lazy, (1, 3, 4, 4))
    assert isinstance(lazy[0], nn.LazyConv2d)
    with pytest.raises(UserError, match="takes 3 input channels but gets 4"):
        measure(nn.Sequential(nn.Conv2d(3, 4, 1)), (1, 4, 4, 4))
    with pytest.raises(UserError, match="this is the class Conv2d"):
        measure(nn.Conv2d, (1, 3, 4, 4))
    with pytest.raises(UserError, match=r"torch\.nn\.Module; this is str"):
        measure("mobilenet_v2", (1, 3, 4, 4))
    with pytest.raises(UserError, match="positive whole numbers"):
        measure(small(), (1, 3, -4, 4))
    for threads in (0, 1.5, True, "2"):
        with pytest.raises(UserError, match="threads is a whole number"):
            measure(small(), (1, 3, 8, 8), threads=threads)
    for seconds in (0, -1, float("inf"), float("nan"), None):
        with pytest.raises(UserError, match="seconds is a time above zero"):
            measure(small(), (1, 3, 8, 8), seconds=seconds)


def test_an_error_that_only_real_data_cause_is_told_as_it_is() -> None:
    def forward(m, x):
        if not x.is_meta:
            raise ValueError("only on real data")
        raise RuntimeError("only on shapes")

    with pytest.raises(UserError, match=r"of Fn stopped with ValueError: only on real data"):
        latency(Fn(forward), (1, 4), seconds=SHORT)


def test_a_forward_that_reads_values_can_be_timed() -> None:
    model = Fn(lambda m, x: m.a(x) if x.mean() > 100 else m.b(x), a=nn.ReLU(), b=nn.Tanh())
    assert latency(model, (1, 3, 4, 4), seconds=SHORT).runs > 0
    with pytest.raises(UserError, match="depends on the values"):
        latency_by_layer(model, (1, 3, 4, 4), machine=TOY)


# -- layer by layer ---------------------------------------------------------------------------


class Block(nn.Module):
    """One layer called twice, an addition and a concatenation outside of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.conv(x) + x)
        y = self.relu(self.conv(y))
        return torch.cat([x, y], 1) * 2


def test_every_row_of_the_report_has_its_time_and_prediction() -> None:
    report = analyze(Block(), (1, 4, 16, 16))
    machine = replace(TOY, overhead=1e-5)
    times = latency_by_layer(Block(), (1, 4, 16, 16), machine=machine, seconds=SHORT)
    assert [row.name for row in times.rows] == [
        "conv", "add", "relu", "conv#2", "relu#2", "cat +1", "between layers",
    ]  # fmt: skip
    assert sum(row.macs for row in times.rows) == report.macs == 2 * 36 * 4 * 256
    layers_access = sum(layer.memory_access for layer in report.layers)
    assert sum(row.memory_access for row in times.rows) == layers_access
    for row, layer in zip(times.rows[:5], report.layers[:5], strict=True):
        assert (row.kind, row.macs) == (layer.kind, layer.macs)
        least = max(layer.macs / 1e10, layer.memory_access / 4e9)
        assert row.predicted == pytest.approx(least + 1e-5)
        assert row.residual == pytest.approx(row.measured - row.predicted)
        assert row.ratio == pytest.approx(row.measured / row.predicted)
    joined = times.rows[5]
    assert joined.kind == "cat, mul"
    assert joined.predicted == pytest.approx((4 * 256 * 4 * (4 + 4)) / 4e9 + 2e-5)
    python = times.rows[6]
    assert (python.macs, python.predicted, python.ratio, python.bound) == (0, 0, None, "none")
    assert all(row.measured > 0 for row in times.rows)
    assert times.whole > 0 and times.passes >= 3
    assert times.predicted == pytest.approx(sum(row.predicted for row in times.rows))


def test_the_parts_add_up_to_the_whole_on_a_fake_clock(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(parts.time, "perf_counter", lambda: now[0])

    class Slow(nn.Module):
        def __init__(self, seconds: float) -> None:
            super().__init__()
            self.seconds = seconds

        def forward(self, x: Tensor) -> Tensor:
            now[0] += self.seconds
            return x

    def forward(m, x):
        now[0] += 0.5
        x = m.b(m.a(x)) + 1
        now[0] += 0.25
        return m.a(x)

    model = Fn(forward, a=Slow(1.0), b=Slow(2.0))
    times = latency_by_layer(model, (1, 4), machine=TOY, seconds=SHORT)
    found = {row.name: row.measured for row in times.rows}
    assert found == {"a": 1.0, "b": 2.0, "add": 0.25, "a#2": 1.0, "between layers": 0.5}
    assert times.measured == times.whole == 4.75 and times.passes == 6


def test_the_heavier_layer_is_the_slower_one() -> None:
    model = nn.Sequential(nn.Conv2d(64, 64, 3, padding=1), nn.Conv2d(64, 1, 1))
    rows = latency_by_layer(model, (1, 64, 48, 48), machine=TOY, seconds=SHORT).rows
    assert rows[0].macs > 500 * rows[1].macs and rows[0].measured > rows[1].measured


def test_table_html_dict_and_frame() -> None:
    times = latency_by_layer(Block(), (1, 4, 16, 16), machine=TOY, seconds=SHORT)
    lines = str(times).splitlines()
    assert lines[0].split()[:3] == ["name", "kind", "MACs"] and len(lines[2:9]) == len(times.rows)
    assert "the whole" in lines[11] and "half of the parts" in lines[12]
    assert times._repr_html_().count("<tr>") == 1 + len(times.rows)
    plain = json.loads(json.dumps(times.to_dict()))
    assert [row["name"] for row in plain["layers"]][-1] == "between layers"
    assert plain["layers"][-1]["ratio"] is None and plain["whole"] == times.whole
    assert list(times.to_pandas().columns[:4]) == ["name", "kind", "macs", "memory_access"]


def test_parts_that_do_not_add_up_are_said() -> None:
    times = latency_by_layer(Block(), (1, 4, 16, 16), machine=TOY, seconds=SHORT)
    for share, warns in ((1.0, False), (0.9, False), (1.1, False), (0.5, True), (2.0, True)):
        other = replace(times, whole=times.measured / share)
        assert bool(other.warning) == warns == ("disagree" in str(other)), share


def test_models_without_layers_and_with_a_single_one() -> None:
    only = latency_by_layer(nn.Conv2d(3, 4, 1), (1, 3, 4, 4), machine=TOY, seconds=SHORT)
    assert [row.name for row in only.rows] == ["Conv2d", "between layers"]
    none = latency_by_layer(Fn(lambda m, x: x * 2), (1, 4), machine=TOY, seconds=SHORT)
    assert [row.name for row in none.rows] == ["mul", "between layers"]
    assert none.rows[0].measured > 0


def test_measured_speeds_go_into_the_figure() -> None:
    from lightcourse.analysis.roofline import roofline

    model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 8, 1))
    times = latency_by_layer(model, (1, 3, 32, 32), machine=TOY, seconds=SHORT)
    axes = roofline(analyze(model, (1, 3, 32, 32)), TOY).figure(times).axes[0]
    heights = sorted(p[1] for g in axes.collections for p in g.get_offsets().tolist())
    wanted = sorted(row.macs / row.measured for row in times.rows if row.macs)
    assert heights == pytest.approx(wanted)
    assert "measured speed" in axes.get_title(loc="left")


def test_a_forward_that_changes_its_mind_is_refused() -> None:
    model = Fn(lambda m, x: m.a(x) if x.is_meta else m.b(x), a=nn.ReLU(), b=nn.Tanh())
    with pytest.raises(UserError, match="called 'b' when it was timed"):
        latency_by_layer(model, (1, 4), machine=TOY, seconds=SHORT)


def test_without_a_machine_the_saved_one_is_used_or_a_short_probe(tmp_path, monkeypatch) -> None:
    asked = []

    def probe(**how) -> Machine:
        asked.append(how)
        return TOY

    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path))
    monkeypatch.setattr(parts, "probe", probe)
    assert this_machine() is None
    assert latency_by_layer(small(), (1, 3, 8, 8), seconds=SHORT).machine == TOY
    assert asked == [{"seconds": 3, "threads": 1, "progress": False}]
    other = replace(TOY, name="saved")
    monkeypatch.setattr(parts, "this_machine", lambda threads: other)
    assert latency_by_layer(small(), (1, 3, 8, 8), seconds=SHORT).machine == other
    assert len(asked) == 1


# -- words ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2, "2.00 s"), (0.9996, "1.00 s"), (0.1234, "123 ms"), (0.01234, "12.3 ms"),
        (1e-6, "1.00 µs"), (99.96e-6, "100 µs"), (5e-10, "0.50 ns"), (-0.0123, "-12.3 ms"),
        (0, "0"),
    ],
)  # fmt: skip
def test_durations(seconds, words) -> None:
    assert duration(seconds) == words


def test_columns_end_under_each_other() -> None:
    lines = text_table(("a", "bb"), [("x", "1"), ("yyy", "222")], left=(0,))
    assert lines == ["a     bb", "---  ---", "x      1", "yyy  222"]
    assert (speed(0), speed(1.5e9)) == ("-", "1.5 GMAC/s")


def test_the_import_stays_cheap() -> None:
    code = (
        "import sys, lightcourse.analysis; "
        "print('torch.utils.benchmark' in sys.modules, 'matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_weights_that_a_forward_changes_are_put_back():
    class Drifts(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)

        def forward(self, x):
            self.conv.weight.data.add_(1)
            self.conv.weight.requires_grad_(False)
            return self.conv(x)

    model = Drifts()
    before = model.conv.weight.detach().clone()
    latency(model, (1, 3, 4, 4), seconds=0.05)
    assert torch.equal(model.conv.weight, before) and model.conv.weight.requires_grad
