"""Rehearsal: everything runs, next to nothing is trained, and nothing of it is ever kept."""

from types import SimpleNamespace

import pytest
import torch
from nbformat import v4
from torch import nn

from lightcourse.analysis import latency, machine, probe
from lightcourse.authoring import run_notebook
from lightcourse.rehearsal import VARIABLE, rehearsed, rehearsing
from lightcourse.training import _exp_jobs, builtin, eye_chart, fit, letters, two_patches
from lightcourse.training.experiment import experiment


class Counting(nn.Module):
    """A classifier that counts its calls in training mode and the pictures of a test."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3 * 16 * 16, 10)
        self.steps = self.tested = 0

    def forward(self, x):
        self.steps += self.training
        self.tested += 0 if self.training else len(x)
        return self.layer(x.flatten(1))


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def rehearsal(monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")


@pytest.fixture(scope="module")
def pictures():
    return builtin(200, 100, size=16, cache=False)


@pytest.mark.parametrize(("value", "on"), [("1", True), ("0", False), ("", False), ("yes", False)])
def test_only_a_one_switches_it_on(monkeypatch, value, on):
    monkeypatch.setenv(VARIABLE, value)
    assert rehearsing() is on
    assert (rehearsed(400, 2), rehearsed(1, 2), rehearsed(0.5, 0.1)) == (
        (2, 1, 0.1) if on else (400, 1, 0.5)
    )


def trained(pictures, **settings):
    net = Counting()
    history = fit(net, pictures, epochs=3, batch_size=20, progress=False, **settings)
    return net, history


def test_fit_takes_every_step_when_it_is_meant(pictures):
    net, history = trained(pictures)
    assert net.steps >= 3 * 10 and net.tested >= 3 * 100 and len(history.epochs) == 3


def test_fit_takes_one_step_an_epoch_and_looks_at_few_pictures(pictures, rehearsal):
    net, history = trained(pictures)
    assert 3 <= net.steps <= 3 + 2 and net.tested <= 3 * 20 + 20, "a look back and a look ahead"
    assert len(history.epochs) == 3 and 0 <= history.test_accuracy <= 1


def test_an_experiment_keeps_its_rehearsals_apart_from_real_runs(pictures, monkeypatch):
    def run():
        seen = []

        def train(model, splits, seed, batch_size):
            seen.append(len(splits.train))
            return len(splits.train) / 1000

        table = {name: (lambda: nn.Sequential(nn.Flatten(), nn.Linear(768, 10))) for name in "ab"}
        found = experiment("x", table, pictures, train=train, progress=False, batch_size=20)
        return found["a"].mean, seen

    monkeypatch.setenv(VARIABLE, "1")
    assert run() == (2.0, [20] * 3), "the two variants are the same run"
    assert not _exp_jobs.cache_folder().exists()
    monkeypatch.delenv(VARIABLE)
    assert run() == (20.0, [200] * 3), "the rehearsal was not taken from anywhere"
    assert run() == (20.0, [])
    monkeypatch.setenv(VARIABLE, "1")
    assert run() == (2.0, [20] * 3), "nor are real runs shown in a rehearsal"


@pytest.mark.parametrize(
    "train",
    [
        lambda: letters.train_letters("conv", 4, "left", seed=0),
        lambda: two_patches.train_once(1, 14, seed=0),
        lambda: eye_chart.train_rings(
            eye_chart.ring_net, eye_chart.EyeChart(100, seed=0), (8,), seeds=(0,)
        ),
    ],
    ids=["letters", "two patches", "eye chart"],
)
def test_the_chapters_own_loops_take_two_steps(train, rehearsal, monkeypatch):
    steps = []
    cross_entropy = torch.nn.functional.cross_entropy
    monkeypatch.setattr(
        torch.nn.functional, "cross_entropy", lambda *a: steps.append(1) or cross_entropy(*a)
    )
    train()
    assert len(steps) == 2


def test_a_time_is_measured_in_a_moment_and_the_machine_is_not_remembered(rehearsal, monkeypatch):
    from lightcourse.analysis import _probe

    asked = []

    def measure(seconds, threads, progress):
        asked.append(seconds)
        return SimpleNamespace(peak_macs=1e9, caches=((2**20, 1e9),), overhead=1e-6, took=seconds)

    monkeypatch.setattr(_probe, "measure", measure)
    assert latency(nn.ReLU(), (1, 3, 8, 8), seconds=100).minimum > 0
    for _ in range(2):
        probe(seconds=30, progress=False)
    assert asked == [0.1, 0.1] and machine.this_machine(1) is None


@pytest.mark.parametrize(("wanted", "said"), [(True, "True"), (False, "False")])
def test_a_notebook_rehearses_only_when_it_is_told_to(monkeypatch, wanted, said):
    monkeypatch.setenv(VARIABLE, "1" if not wanted else "0")
    cell = v4.new_code_cell("from lightcourse.rehearsal import rehearsing; print(rehearsing())")
    kernel = {"kernelspec": {"name": "python3", "display_name": ""}}
    run = run_notebook(v4.new_notebook(cells=[cell], metadata=kernel), rehearsal=wanted)
    assert run.nb.cells[0].outputs[0].text.strip() == said
