"""The roofline and the machine under it: hand numbers on machines with round figures."""

import json
import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from lightcourse.analysis import _probe as probing
from lightcourse.analysis import analyze
from lightcourse.analysis.machine import (
    Machine,
    fingerprint,
    probe,
    remember,
    this_machine,
)
from lightcourse.analysis.roofline import roofline, row_of
from lightcourse.errors import UserError
from lightcourse.paths import user_home

# 10 GMAC/s and 4 GB/s: the ridge stands at 2 * 10 / 4 = 5 FLOP per byte
TOY = Machine("toy", peak_macs=1e10, bandwidth=4e9)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


# -- hand numbers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "macs", "elements", "intensity", "bound"),
    [
        (nn.Conv2d(64, 64, 1, bias=False), 12_845_056, 405_504, 15.8, "compute"),
        (
            nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False),
            1_806_336, 401_984, 2.25, "memory",
        ),
        (nn.Conv2d(64, 64, 3, padding=1, bias=False), 115_605_504, 438_272, 132, "compute"),
    ],
)  # fmt: skip
def test_the_three_layers_of_the_course(layer, macs, elements, intensity, bound) -> None:
    (row,) = roofline(analyze(layer, (1, 64, 56, 56)), TOY).rows
    assert (row.macs, row.memory_access, row.bound) == (macs, 4 * elements, bound)
    assert row.intensity == pytest.approx(intensity, rel=0.005)
    wanted = macs / 1e10 if bound == "compute" else 4 * elements / 4e9
    assert row.seconds == pytest.approx(wanted, rel=1e-12)
    reach = 1e10 if bound == "compute" else row.intensity / 2 * 4e9
    assert row.attainable == pytest.approx(reach, rel=1e-12)


def test_the_ridge_divides_the_bounds() -> None:
    assert TOY.ridge == 5
    nbytes = 4_000_000
    for factor, bound in ((0.99, "memory"), (1.01, "compute")):
        row = row_of(TOY, "x", "Conv2d", round(factor * TOY.ridge / 2 * nbytes), nbytes)
        assert row.bound == bound
        assert row.seconds == max(row.macs / 1e10, 1e-3)


def test_work_without_macs_waits_for_memory_and_no_work_takes_no_time() -> None:
    model = nn.Sequential(nn.ReLU(), nn.Dropout(), nn.Identity())
    relu, dropout, identity = roofline(analyze(model, (1, 4, 10, 10)), TOY).rows
    assert (relu.bound, relu.attainable, relu.intensity) == ("memory", 0, 0)
    assert relu.seconds == 2 * 4 * 400 / 4e9
    for row in (dropout, identity):
        assert (row.bound, row.seconds, row.memory_access) == ("none", 0, 0)


def test_totals_and_shares_add_up() -> None:
    model = nn.Sequential(nn.Conv2d(8, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 8, 1))
    line = roofline(analyze(model, (2, 8, 20, 20)), TOY)
    assert line.seconds == pytest.approx(sum(row.seconds for row in line.rows))
    assert line.share("compute") + line.share("memory") == pytest.approx(1)
    assert 0 < line.share("memory") < 1 and line.share("none") == 0
    assert line.macs == analyze(model, (2, 8, 20, 20)).macs
    with pytest.raises(UserError, match="'compute', 'memory' or 'none'"):
        line.share("cpu")  # pyright: ignore[reportArgumentType]


def test_a_model_without_any_work() -> None:
    line = roofline(analyze(nn.Sequential(nn.Identity()), (1, 3, 4, 4)), TOY)
    assert line.seconds == 0 and line.share("memory") == 0
    assert "at least 0:" in str(line)
    with pytest.raises(UserError, match="nothing to show"):
        line.figure()


def test_a_faster_machine_is_never_slower() -> None:
    report = analyze(nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU()), (1, 3, 32, 32))
    before = roofline(report, TOY)
    for better in (replace(TOY, peak_macs=3e10), replace(TOY, bandwidth=9e9)):
        after = roofline(report, better)
        assert after.seconds < before.seconds
        assert all(a.seconds <= b.seconds for a, b in zip(after.rows, before.rows, strict=True))


def test_wrong_arguments_are_said_in_words() -> None:
    report = analyze(nn.Conv2d(3, 8, 3), (1, 3, 8, 8))
    with pytest.raises(UserError, match="needs a Machine, not a dict"):
        roofline(report, {"peak": 1})  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match="needs a report, not a Conv2d"):
        roofline(nn.Conv2d(3, 8, 3), TOY)  # pyright: ignore[reportArgumentType]
    for peak, bandwidth in ((0, 1), (1, -1), (math.nan, 1), (1, math.inf)):
        with pytest.raises(UserError, match="above zero"):
            Machine("broken", peak, bandwidth)


# -- caches -----------------------------------------------------------------------------------

CACHED = replace(TOY, caches=((2**20, 64e9), (2**24, 4e9)))


@pytest.mark.parametrize(
    ("nbytes", "speed"),
    # at 4 MiB, half way between 1 and 16 MiB on a logarithmic axis, stands the geometric mean
    [(1, 64e9), (2**20, 64e9), (2**22, 16e9), (2**24, 4e9), (2**30, 4e9)],
)
def test_bandwidth_falls_with_the_working_set(nbytes, speed) -> None:
    assert CACHED.bandwidth_for(nbytes) == pytest.approx(speed)
    assert TOY.bandwidth_for(nbytes) == 4e9


def test_caches_make_small_layers_faster_and_leave_large_ones() -> None:
    assert CACHED.seconds(0, 2**20) == pytest.approx(TOY.seconds(0, 2**20) / 16)
    assert CACHED.seconds(0, 2**26) == TOY.seconds(0, 2**26)
    assert CACHED.seconds(10**10, 2**20) == 1.0


def test_the_roof_of_the_paper_has_no_caches() -> None:
    report = analyze(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (1, 3, 16, 16))
    assert roofline(report, CACHED, caches=False) == roofline(report, TOY)
    assert roofline(report, CACHED).seconds < roofline(report, TOY).seconds


# -- what it shows ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def line():
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, 1, 1, groups=16, bias=False),
        nn.Dropout(),
        nn.Conv2d(16, 64, 1, bias=False),
    )
    return roofline(analyze(model, (1, 3, 64, 64)), CACHED)


def test_table_html_dict_and_frame(line) -> None:
    lines = str(line).splitlines()
    assert len(lines[2:8]) == len(line.rows) and lines[8] == ""
    assert lines[0].startswith("name")
    assert "Sequential takes at least" in lines[-1]
    html = line._repr_html_()
    assert html.count("<tr>") == 1 + len(line.rows) and "background-size:100.0% 3px" in html
    plain = json.loads(json.dumps(line.to_dict()))
    assert plain["layers"][0]["macs"] == 442_368
    assert plain["share_memory"] + plain["share_compute"] == pytest.approx(1)
    frame = line.to_pandas()
    assert list(frame["bound"]) == [row.bound for row in line.rows]
    assert "bound" in frame.columns and len(frame) == 6


def test_names_on_the_figure_stand_on_no_other_words_and_inside() -> None:
    from lightcourse import create_model

    machine = Machine("m", 98e9, 6.8e9, caches=((2**18, 134e9), (2**26, 6.8e9)))
    figure = roofline(analyze(create_model("mobilenet_v2")), machine).figure()
    (axes,) = figure.axes
    figure.draw_without_rendering()
    boxes = [words.get_window_extent() for words in axes.texts]
    assert len(boxes) >= 5  # peak, two bandwidths, and at least two layers
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])
        assert axes.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
    (band,) = axes.patches  # between the roof of the memory and that of the nearest cache
    assert len(band.get_xy()) == 9
    assert "a layer's own bytes" in axes.get_title(loc="left")
    flat = roofline(analyze(nn.Conv2d(3, 8, 3), (1, 3, 8, 8)), TOY).figure().axes[0]
    assert not flat.patches and "own bytes" not in flat.get_title(loc="left")


def test_figure_shows_a_dot_for_each_layer_that_multiplies(line) -> None:
    figure = line.figure()
    axes = figure.axes[0]
    assert axes.get_xscale() == axes.get_yscale() == "log"
    dots = sorted(
        tuple(point) for group in axes.collections for point in group.get_offsets().tolist()
    )
    wanted = sorted((row.intensity, row.attainable) for row in line.rows if row.macs)
    assert dots == [pytest.approx(w) for w in wanted]
    x, y = axes.get_xlim(), axes.get_ylim()
    assert all(x[0] < a < x[1] and y[0] < b < y[1] for a, b in dots)
    words = " ".join(text.get_text() for text in axes.texts)
    assert "peak 10 GMAC/s" in words and "memory 4 GB/s" in words and "cache 64 GB/s" in words
    assert "2 layers that multiply nothing" in axes.get_title(loc="left")


def test_figure_stays_out_of_pyplot(line) -> None:
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    line.figure()
    assert pyplot.get_fignums() == before


# -- the probe --------------------------------------------------------------------------------


class Clock:
    """A clock that only moves when work is done."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self, *spans: float):
        """Return work that takes these spans in turn, the last one for ever after."""
        waiting = list(spans)

        def run() -> None:
            self.now += waiting.pop(0) if len(waiting) > 1 else waiting[0]

        return run


def fake_candidates(clock: Clock) -> list[probing.Candidate]:
    busy = [0.09] * 20
    return [
        probing.Candidate("peak", 10**9, clock.work(*busy, 0.02)),
        probing.Candidate("peak", 10**9, clock.work(*busy, 0.01)),
        probing.Candidate("memory", 10**8, clock.work(*busy, 0.02)),
        probing.Candidate("memory", 10**9, clock.work(0.10)),
        probing.Candidate("layer", 0, clock.work(0.001)),
        probing.Candidate("layer", 1, clock.work(0.003)),
        probing.Candidate("layer", 2, clock.work(0.002)),
    ]


def test_the_probe_keeps_the_best_of_every_candidate() -> None:
    clock = Clock()
    found = probing.measure(60, 1, False, clock=clock, candidates=fake_candidates(clock))
    assert found.peak_macs == pytest.approx(1e11)  # the faster of two ways
    # what fits into a cache is never slower than what does not
    assert found.caches == ((10**8, pytest.approx(1e10)), (10**9, pytest.approx(1e10)))
    assert found.overhead == pytest.approx(0.002)  # the middle one of three
    assert 60 <= found.took < 62 and found.rounds > 1


def test_a_dip_in_a_cache_is_taken_for_noise() -> None:
    clock = Clock()
    candidates = [
        probing.Candidate("peak", 1, clock.work(1.0)),
        probing.Candidate("memory", 10, clock.work(10.0)),
        probing.Candidate("memory", 100, clock.work(50.0)),
        probing.Candidate("layer", 0, clock.work(1.0)),
    ]
    found = probing.measure(1, 1, False, clock=clock, candidates=candidates)
    assert [speed for _, speed in found.caches] == [2.0, 2.0]


def test_ctrl_c_keeps_what_the_probe_has(capsys) -> None:
    clock, threads = Clock(), torch.get_num_threads()
    candidates = fake_candidates(clock)
    calls = iter(range(10**6))

    def stop() -> None:
        clock.now += 0.05
        if next(calls) > 30:
            raise KeyboardInterrupt

    candidates[-1].run = stop
    found = probing.measure(10**6, 1, False, clock=clock, candidates=candidates)
    assert found.rounds > 1 and found.peak_macs > 0
    assert "kept what was found" in capsys.readouterr().err
    assert torch.get_num_threads() == threads


def test_ctrl_c_before_the_first_round_saves_nothing(home, capsys, monkeypatch) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    candidates = [probing.Candidate("peak", 1, stop)]
    monkeypatch.setattr(probing, "_candidates", lambda: candidates)
    with pytest.raises(KeyboardInterrupt):
        probe(seconds=1, progress=False)
    assert "nothing was saved" in capsys.readouterr().err
    assert not (home / "machine.json").exists()


def test_a_real_probe_is_saved_and_read_back(home, capsys) -> None:
    threads, grad = torch.get_num_threads(), torch.is_grad_enabled()
    machine = probe(seconds=0.01, progress=True)
    shown = capsys.readouterr().err
    assert "GMAC/s" in shown or "saved in" in shown
    assert machine.threads == 1 and machine.fingerprint == fingerprint(1)
    sizes = [size for size, _ in machine.caches]
    speeds = [speed for _, speed in machine.caches]
    assert sizes == sorted(sizes) and speeds == sorted(speeds, reverse=True)
    assert machine.bandwidth == speeds[-1] and machine.overhead > 0
    assert this_machine() == machine
    assert probe(seconds=0.01, progress=False) == machine  # at once, from the file
    assert torch.get_num_threads() == threads and torch.is_grad_enabled() == grad
    assert [p.name for p in home.iterdir()] == ["machine.json"]


def saved(threads: int = 1, **changes) -> Machine:
    return replace(TOY, threads=threads, fingerprint=fingerprint(threads), probed=30.0, **changes)


def test_machines_for_several_thread_counts_live_side_by_side(home) -> None:
    assert this_machine() is None
    one, two = saved(1), saved(2, peak_macs=2e10)
    assert remember(one) and remember(two)
    assert (this_machine(), this_machine(2)) == (one, two)


def test_a_saved_probe_is_used_unless_it_was_shorter_or_force_is_given(home, monkeypatch) -> None:
    took = []

    def measure(seconds: float, threads: int, progress: bool) -> probing.Found:
        took.append(seconds)
        return probing.Found(5e10, ((2**20, 9e9),), 1e-6, seconds, 3)

    monkeypatch.setattr(probing, "measure", measure)
    assert probe(seconds=3, progress=False).probed == 3
    assert probe(seconds=3, progress=False).peak_macs == 5e10 and took == [3]
    assert probe(seconds=30, progress=False).probed == 30 and took == [3, 30]
    assert probe(seconds=3, progress=False).probed == 30 and took == [3, 30]
    probe(seconds=3, progress=False, force=True)
    assert took == [3, 30, 3]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"machines": 3}', "[" * 5000, "\x00"])
def test_a_corrupt_file_is_said_in_one_sentence(home, capsys, text) -> None:
    home.mkdir()
    (home / "machine.json").write_text(text)
    assert this_machine() is None
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "cannot be read and is not used" in sentence
    assert remember(saved()) and this_machine() == saved()


@pytest.mark.parametrize(
    "damage",
    [
        {"peak_macs": 0}, {"peak_macs": "fast"}, {"bandwidth": None}, {"caches": [[5, 1], [2, 1]]},
        {"caches": [[5]]}, {"caches": 3}, {"caches": [[0, 1e9]]}, {"extra": 1},
        {"probed": "long"}, {"overhead": -1},
    ],
)  # fmt: skip
def test_a_damaged_entry_is_not_used(home, capsys, damage) -> None:
    machine = saved()
    entry = {**machine.to_dict(), **damage}
    home.mkdir()
    data = {"version": 1, "machines": {machine.fingerprint: entry}}
    (home / "machine.json").write_text(json.dumps(data))
    assert this_machine() is None
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "is damaged and is not used" in sentence


def test_another_machine_is_not_this_one(home, capsys) -> None:
    assert remember(replace(saved(), fingerprint="a supercomputer"))
    assert this_machine() is None
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "knows a supercomputer" in sentence and "run probe(threads=1)" in sentence


def test_a_folder_that_cannot_be_written_is_said(tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "file"))
    assert user_home() == tmp_path / "file"
    assert not remember(saved())
    assert "cannot be saved" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [{"seconds": 0}, {"seconds": -1}, {"threads": 0}, {"threads": 1.5}]
)
def test_probe_refuses_what_it_cannot_do(wrong) -> None:
    with pytest.raises(UserError, match="seconds above zero"):
        probe(**wrong)


def test_the_machine_prints_both_roofs() -> None:
    text = str(replace(CACHED, overhead=5e-6, threads=2))
    for part in (
        "peak 10 GMAC/s",
        "memory 4 GB/s",
        "64 GB/s for 1 MiB",
        "5 FLOP/byte",
        "2 threads",
    ):
        assert part in text
