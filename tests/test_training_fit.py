"""The training loop: one step by hand, equal bits, kill -9, full disk, Ctrl-C, every bad input."""

import copy
import csv
import dataclasses
import json
import math
import os
import random
import signal
import subprocess
import sys
import textwrap
import types
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import lightcourse.training
from lightcourse.errors import UserError
from lightcourse.training._checkpoint import write_whole
from lightcourse.training._recipe import learning_rate, make_optimizer
from lightcourse.training._settings import Settings
from lightcourse.training._world import pick_device
from lightcourse.training.data import Augment, Batches, Dataset, Splits, builtin
from lightcourse.training.fit import (
    CheckpointError,
    Diverged,
    Epoch,
    History,
    Interrupted,
    evaluate,
    fit,
)

ROWS = (
    Epoch(1, 2.25, 0.2, 2.0, 0.3, 0.012, 4.0),
    Epoch(2, 1.5, 0.5, 1.4, 0.625, 0.006, 4.0),
    Epoch(3, 1.25, 0.6, 1.5, 0.6, 0.0, 3.5),
)


@pytest.fixture(scope="module")
def splits() -> Splits:
    return builtin(train=96, test=40, size=16, cache=False)


def net(classes: int = 10, seed: int = 0) -> nn.Module:
    """A net with everything that has a state of its own: batch norm, dropout, biases."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.1), nn.Linear(16, classes),
    )  # fmt: skip


def flat(size: int = 16, classes: int = 10) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * size * size, classes))


def quick(model: nn.Module, splits: Splits, **choices) -> History:
    return fit(model, splits, **{"epochs": 2, "batch_size": 32, "progress": False, **choices})


def bits(model: nn.Module) -> list[bytes]:
    return [t.contiguous().numpy().tobytes() for t in model.state_dict().values()]


def numbers(history: History) -> list[Epoch]:
    """All that training computes: everything but the clock."""
    return [dataclasses.replace(row, seconds=0.0) for row in history.epochs]


def bright_and_dark(n: int = 64) -> Splits:
    """Two classes that any network can tell apart."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    images = rng.integers(0, 60, (n, 3, 8, 8)) + 150 * labels[:, None, None, None]
    whole = Dataset(
        torch.from_numpy(images.astype(np.uint8)), torch.from_numpy(labels), ("dark", "bright")
    )
    return whole.split(0.5)


# ---- where the names are

NAMES = """
import sys
from lightcourse.training import builtin, evaluate, experiment, fit, load
import lightcourse.training.data, lightcourse.training.experiment, lightcourse.training.fit
from lightcourse.training.fit import Interrupted, fit as old
from lightcourse.training.experiment import Variant, experiment as old_experiment
import lightcourse.training as room
assert fit is old is room.fit and experiment is old_experiment is room.experiment
assert fit.__module__ == "lightcourse.training.fit" and not isinstance(fit, type(sys))
assert all(callable(getattr(room, name)) for name in room.__all__)
"""


@pytest.mark.parametrize(
    "first",
    ["", "import lightcourse.training.fit", "from lightcourse.training.experiment import Variant"],
)
def test_fit_and_experiment_are_functions_by_both_paths(first):
    subprocess.run([sys.executable, "-c", f"{first}\n{NAMES}"], check=True, timeout=120)


def test_every_public_name_of_the_room_is_there():
    assert set(lightcourse.training.__all__) <= set(dir(lightcourse.training))
    with pytest.raises(AttributeError):
        _ = lightcourse.training.nothing  # pyright: ignore[reportAttributeAccessIssue]


# ---- what a step computes


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_one_step_is_the_textbooks(splits, smoothing):
    model = flat()
    by_hand = copy.deepcopy(model)
    history = quick(
        model, splits, epochs=1, batch_size=96, optimizer="sgd", lr=0.2, momentum=0.0, warmup=0.0,
        schedule="onecycle", weight_decay=0.01, label_smoothing=smoothing, augment=None,
    )  # fmt: skip
    images, labels = next(iter(Batches(splits.train, 96, shuffle=False)))
    loss = F.cross_entropy(by_hand(images), labels, label_smoothing=smoothing)
    loss.backward()
    weight, bias = by_hand[1].weight, by_hand[1].bias
    lr = 0.1  # one step: its middle is half-way down from 0.2
    expected = weight - lr * (weight.grad + 0.01 * weight)
    torch.testing.assert_close(model[1].weight, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(model[1].bias, bias - lr * bias.grad, rtol=1e-4, atol=1e-6)
    assert history.last.train_loss == pytest.approx(loss.item(), rel=1e-5)
    assert history.last.lr == lr


def test_it_learns_and_evaluate_agrees():
    easy = bright_and_dark()
    model = flat(8, 2)
    history = quick(model, easy, batch_size=8, epochs=3)
    assert history.test_accuracy == 1.0 and history.last.train_accuracy == 1.0
    assert history.last.test_loss < history.epochs[0].test_loss < 0.01
    found = evaluate(model, easy.test)
    assert found.accuracy == history.test_accuracy
    assert found.loss == pytest.approx(history.test_loss, rel=1e-5)


def test_evaluate_by_hand_and_keeps_the_mode(splits):
    model = net().train()
    before = bits(model)
    accuracy, loss = evaluate(model, splits.test, batch_size=7)
    assert model.training and bits(model) == before
    model.eval()
    images, labels = next(iter(Batches(splits.test, 40, shuffle=False)))
    with torch.no_grad():
        scores = model(images)
    assert accuracy == (scores.argmax(1) == labels).double().mean().item()
    assert loss == pytest.approx(F.cross_entropy(scores, labels).item(), rel=1e-5)


def recipe(**changes) -> Settings:
    plain = {
        "epochs": 2, "batch_size": 8, "optimizer": "adamw", "lr": 1.0, "momentum": 0.9,
        "schedule": "onecycle", "warmup": 0.25, "weight_decay": 0.05, "label_smoothing": 0.0,
        "ema": None, "amp": None, "channels_last": True, "clip": None, "patience": None,
        "seed": 0, "deterministic": False, "augment": None, "device": "cpu", "threads": 1,
    }  # fmt: skip
    return Settings(**{**plain, **changes})


def test_schedules_by_hand():
    def rates(schedule, **changes):
        chosen = recipe(schedule=schedule, **changes)
        return [learning_rate(chosen, step, 8) for step in range(8)]

    up = [0.25, 0.75]
    down = [(k + 0.5) / 6 for k in range(6)]
    assert rates("onecycle") == pytest.approx(up + down[::-1])
    assert rates("cosine") == pytest.approx(up + [(1 + math.cos(math.pi * d)) / 2 for d in down])
    assert rates("constant", lr=0.5) == pytest.approx([0.125, 0.375] + [0.5] * 6)
    assert rates("constant", warmup=0.0) == [1.0] * 8


def test_norms_and_biases_do_not_decay():
    model = net()
    groups = make_optimizer(model, recipe()).param_groups
    decays = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    for name, p in model.named_parameters():
        expected = 0.05 if name in ("0.weight", "3.weight", "9.weight") else 0.0
        assert decays[id(p)] == expected, name
    model[9].requires_grad_(False)
    frozen = make_optimizer(model, recipe(optimizer="sgd"))
    assert sum(len(group["params"]) for group in frozen.param_groups) == 7


def test_ema_is_the_running_mean_of_the_weights(splits):
    model, seen = flat(), []

    def look(_row):
        seen.append(model[1].weight.detach().clone())

    quick(model, splits, batch_size=96, epochs=4, ema=0.8, progress=look)  # one step per epoch
    mean = seen[0]
    for weights in seen[1:]:
        mean = 0.8 * mean + 0.2 * weights
    torch.testing.assert_close(model[1].weight, mean)
    assert not torch.equal(model[1].weight, seen[-1])


def test_ema_averages_batch_statistics_and_copies_counters(splits):
    model = net()
    history = quick(model, splits, ema=0.5)
    assert model[1].num_batches_tracked == 6
    assert evaluate(model, splits.test).accuracy == history.test_accuracy


def test_clip_bounds_a_step(splits):
    choices = {"optimizer": "sgd", "momentum": 0.0, "lr": 1.0, "schedule": "constant"}
    choices |= {"warmup": 0.0, "weight_decay": 0.0, "batch_size": 96, "epochs": 1}

    def moved(clip):
        model = flat()
        before = copy.deepcopy(model)
        quick(model, splits, clip=clip, **choices)
        with torch.no_grad():
            pairs = zip(model.parameters(), before.parameters(), strict=True)
            return math.sqrt(sum(float((a - b).square().sum()) for a, b in pairs))

    assert moved(None) > 0.1
    assert moved(1e-3) == pytest.approx(1e-3, rel=1e-3)


def test_patience_stops(splits):
    history = quick(flat(), splits, epochs=9, patience=2, lr=1e-9)
    assert len(history.epochs) == 3
    assert "stopped early, after 3 of 9" in str(history)


def test_formats_and_precision_change_speed_not_sense(splits):
    choices = {"optimizer": "sgd", "lr": 0.02}
    models = [net() for _ in range(3)]
    histories = [
        quick(models[0], splits, **choices),
        quick(models[1], splits, channels_last=False, **choices),
        quick(models[2], splits, amp=True, **choices),
    ]
    assert models[0][0].weight.is_contiguous(memory_format=torch.channels_last)
    assert models[1][0].weight.is_contiguous() and models[2][0].weight.dtype == torch.float32
    exact, plain, half = (h.last.train_loss for h in histories)
    assert plain == pytest.approx(exact, rel=1e-4)
    assert half == pytest.approx(exact, rel=0.03) and half != exact


# ---- equal arguments give equal bits, and nothing leaks


def test_equal_bits_with_one_thread(splits):
    first, second, other = net(), net(), net()
    choices = {"deterministic": True, "augment": Augment(cutout=4, mixup=0.2), "ema": 0.9}
    a = quick(first, splits, **choices)
    torch.rand(3)  # the caller's random numbers do not matter
    b = quick(second, splits, **choices)
    c = quick(other, splits, seed=1, **choices)
    assert numbers(a) == numbers(b) and bits(first) == bits(second)
    assert bits(first) != bits(other) and a.last.train_loss != c.last.train_loss


def test_nothing_leaks_to_the_caller(splits):
    threads = torch.get_num_threads()
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(7)
    state = torch.get_rng_state()
    torch.set_num_threads(2)
    try:
        quick(net_without_seed(), splits, deterministic=True)
        assert torch.get_num_threads() == 2
        with pytest.raises(UserError):
            quick(nn.Identity(), splits, deterministic=True)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.are_deterministic_algorithms_enabled()


def net_without_seed() -> nn.Module:
    with torch.random.fork_rng():
        return net()


# ---- stopped and resumed

SCRIPT = """
import dataclasses, hashlib, json, os, signal, sys
from tests_net import net
from lightcourse.training.data import builtin
from lightcourse.training.fit import fit

model = net()
steps = 0
def kill(module, _inputs):
    global steps
    steps += module.training
    if str(steps) == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
model.register_forward_pre_hook(kill)
def tell(row):
    print("finished", row.epoch, flush=True)
history = fit(model, builtin(train=320, test=40, size=16, cache=False), epochs=6, batch_size=16,
              ema=0.9, clip=1.0, deterministic=True, out=sys.argv[1] or None, progress=tell)
whole = hashlib.sha256()
for tensor in model.state_dict().values():
    whole.update(tensor.contiguous().numpy().tobytes())
print(json.dumps([whole.hexdigest(),
      [dataclasses.astuple(dataclasses.replace(r, seconds=0.0)) for r in history.epochs]]))
"""


def script(tmp_path: Path, *args: str) -> subprocess.Popen:
    source = Path(__file__).read_text(encoding="utf-8")
    start = source.index("def net(")
    body = source[start : source.index("\n\n\n", start)]
    head = "import torch\nfrom torch import nn\n"
    (tmp_path / "tests_net.py").write_text(head + body, encoding="utf-8")
    (tmp_path / "run.py").write_text(SCRIPT, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(tmp_path / "run.py"), *args],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def last_line(process: subprocess.Popen) -> list:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_kill_9_and_resume_give_the_same_bits(tmp_path):
    whole = script(tmp_path, "", "never")
    folder = tmp_path / "run"
    killed = script(tmp_path, str(folder), "67")  # 20 steps per epoch: in the middle of the fourth
    out, _ = killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert out.split() == ["finished", "1", "finished", "2", "finished", "3"]
    resumed = script(tmp_path, str(folder), "never")
    out, err = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, err
    assert [line for line in out.splitlines() if "finished" in line] == [
        "finished 4", "finished 5", "finished 6",
    ]  # fmt: skip
    assert json.loads(out.splitlines()[-1]) == last_line(whole)


def test_ctrl_c_saves_and_says_how_to_go_on(splits, tmp_path):
    def press(row):
        if row.epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)

    model, whole = net(), net()
    with pytest.raises(Interrupted) as stop:
        quick(model, splits, epochs=4, out=tmp_path, progress=press)
    text = str(stop.value)
    assert text.startswith("Stopped in epoch 3 of 4. The state after epoch 2 is saved in")
    assert "Run the same again" in text and str(tmp_path) in text
    assert stop.value._render_traceback_() == [text]
    assert isinstance(stop.value, KeyboardInterrupt)
    a = quick(model, splits, epochs=4, out=tmp_path)
    b = quick(whole, splits, epochs=4)
    assert numbers(a) == numbers(b) and bits(model) == bits(whole)


def test_ctrl_c_without_a_folder_says_so(splits):
    def press(_row):
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="Nothing is saved; with out="):
        quick(flat(), splits, progress=press)


def test_a_finished_run_is_not_trained_again(splits, tmp_path, capsys):
    first, second = net(), net()
    a = quick(first, splits, out=tmp_path, ema=0.9)
    assert capsys.readouterr().err == ""
    b = quick(second, splits, out=tmp_path, ema=0.9, progress=lambda row: pytest.fail("trained"))
    assert a.epochs == b.epochs and bits(first) == bits(second)
    assert capsys.readouterr().err == (
        f"{tmp_path} holds this run, finished after epoch 2 of 2 with a test accuracy of "
        f"{a.test_accuracy:.1%}: nothing is trained again.\n"
    )
    again = quick(first, splits, out=tmp_path, ema=0.9)  # a cell of a notebook, run once more
    assert again.epochs == a.epochs and "holds this run" in capsys.readouterr().err
    c = quick(net(seed=5), splits, out=tmp_path, ema=0.9, resume=False)
    assert c.epochs != a.epochs


def test_other_first_weights_are_no_finished_run(splits, tmp_path):
    whole = quick(net(), splits, out=tmp_path)
    other = net(seed=5)
    before = bits(other)
    with pytest.raises(UserError, match="finished run of a model with other first weights; choose"):
        quick(other, splits, out=tmp_path)
    assert bits(other) == before, "a refused run leaves the model alone"
    with torch.no_grad():
        other.load_state_dict(net().state_dict())
    assert quick(other, splits, out=tmp_path).epochs == whole.epochs


def test_a_script_without_a_seed_goes_on_and_is_told(splits, tmp_path, capsys):
    def press(_row):
        raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        quick(net(), splits, out=tmp_path, epochs=3, progress=press)
    assert len(quick(net(seed=5), splits, out=tmp_path, epochs=3).epochs) == 3
    assert capsys.readouterr().err == (
        f"Going on after epoch 1 of 3, with the state in {tmp_path}. That run began with other "
        "first weights than this model has; torch.manual_seed before the model is built makes "
        "them the same.\n"
    )


class Scaled(nn.Module):
    """A model whose forward does more than its layers say."""

    def __init__(self, factor: float = 1.0):
        super().__init__()
        self.inner, self.factor = net(), factor

    def forward(self, x):
        return self.inner(x) * self.factor


def test_other_code_of_the_same_class_is_another_run(splits, tmp_path, monkeypatch):
    whole = quick(Scaled(), splits, out=tmp_path)
    assert quick(Scaled(), splits, out=tmp_path).epochs == whole.epochs
    with pytest.raises(UserError, match="made with code of the model"):
        quick(Scaled(0.5), splits, out=tmp_path)
    monkeypatch.setattr(Scaled, "forward", lambda self, x: self.inner(x) * self.factor * 0.1)
    with pytest.raises(UserError, match="made with code of the model"):
        quick(Scaled(), splits, out=tmp_path)


def test_code_that_cannot_be_read_is_said(splits, tmp_path, capsys):
    class Odd:
        def __repr__(self):
            raise RuntimeError("no words")

    def odd():
        model = flat()
        model.odd = Odd()
        return model

    quick(odd(), splits, out=tmp_path)
    quick(odd(), splits, out=tmp_path)
    assert "code cannot be read, so a change of it goes unnoticed" in capsys.readouterr().err


def test_a_model_trained_before_is_told_of(splits, tmp_path, capsys):
    model = net()
    quick(model, splits, epochs=1)
    assert capsys.readouterr().err == ""
    quick(model, splits)
    assert capsys.readouterr().err == (
        "This Sequential was trained before for 1 epoch and goes on from its weights; build it "
        "anew for a fresh start.\n"
    )
    quick(copy.deepcopy(net()), splits)
    model.load_state_dict(net().state_dict())  # fresh weights in the old object
    quick(model, splits)
    assert capsys.readouterr().err == ""

    def press(_row):
        raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        quick(model, splits, progress=press)
    quick(model, splits)
    assert [" in a run that was stopped" in s for s in capsys.readouterr().err.splitlines()] == [
        False, True,
    ]  # fmt: skip


def test_a_model_of_a_run_that_diverged_is_told_of(splits, capsys):
    model = Turns(2)
    with pytest.raises(Diverged):
        quick(model, splits)
    with pytest.raises(UserError, match="build it anew if a run with it diverged"):
        quick(model, splits)
    model = Turns(2, worth=1e4)
    with pytest.raises(Diverged):
        quick(model, splits)
    model.left = 99
    quick(model, splits)
    assert "trained before in a run that diverged" in capsys.readouterr().err


def test_the_same_object_in_two_folders(splits, tmp_path, capsys):
    model = net()
    a = quick(model, splits, out=tmp_path / "a")
    b = quick(model, splits, out=tmp_path / "b")
    assert "trained before for 2 epochs" in capsys.readouterr().err
    assert quick(model, splits, out=tmp_path / "a").epochs == a.epochs != b.epochs
    assert quick(model, splits, out=tmp_path / "b").epochs == b.epochs


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lr": 0.5}, "lr 0.012 (now 0.5)"),
        ({"epochs": 3}, "epochs 2 (now 3)"),
        ({"augment": None}, "augment"),
    ],
)
def test_another_recipe_is_not_resumed(splits, tmp_path, changes, words):
    quick(flat(), splits, out=tmp_path)
    with pytest.raises(UserError) as error:
        quick(flat(), splits, out=tmp_path, **changes)
    assert words in str(error.value) and "choose another folder" in str(error.value)


def test_other_data_or_layers_are_not_resumed_but_another_device_is(splits, tmp_path):
    quick(flat(), splits, out=tmp_path)
    with pytest.raises(UserError, match="data builtin"):
        quick(flat(), builtin(train=96, test=40, size=16, seed=1, cache=False), out=tmp_path)
    with pytest.raises(UserError, match="model Sequential"):
        quick(net(), splits, out=tmp_path)
    assert len(quick(flat(), splits, out=tmp_path, device="cpu", threads=2).epochs) == 2


def test_a_damaged_state_is_named(splits, tmp_path):
    quick(flat(), splits, out=tmp_path)
    state = tmp_path / "checkpoint.pt"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt cannot be read, as it is damaged"):
        quick(flat(), splits, out=tmp_path)
    torch.save(flat().state_dict(), state)  # a file of torch's, but no state of a run
    with pytest.raises(CheckpointError, match="no state of a run"):
        quick(flat(), splits, out=tmp_path)


def test_the_folder_holds_csv_and_json(splits, tmp_path):
    folder = tmp_path / "a" / "b"
    history = quick(flat(), splits, out=folder, augment=Augment(flip=False))
    assert sorted(p.name for p in folder.iterdir()) == [
        "checkpoint.pt", "config.json", "history.csv",
    ]  # fmt: skip
    assert (folder / "history.csv").read_text() == history.to_csv()
    config = json.loads((folder / "config.json").read_text())
    assert config == json.loads(json.dumps(history.config))
    assert config["lr"] == 0.012 and config["augment"]["flip"] is False
    assert (config["params"], config["train_pictures"], config["data"]) == (7690, 96, "builtin")


FULL = """
import resource, sys
from lightcourse.training.data import builtin
from lightcourse.training.fit import CheckpointError, fit
from torch import nn

def fill(row):  # from now on the system refuses to write more than this to any file
    if row.epoch == 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 10))
splits = builtin(train=64, test=20, size=16, cache=False)
try:
    fit(net, splits, epochs=4, batch_size=32, out=sys.argv[1], progress=fill)
except CheckpointError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX")
def test_a_full_disk_leaves_the_last_good_state(tmp_path):
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    out = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert out.count("\n") == 1 and "checkpoint.pt could not be written (File too large)" in out
    assert "Training stopped after epoch 3; the state after epoch 2 is still there" in out
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert [row["epoch"] for row in state["epochs"]] == [1, 2]
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX")
def test_a_disk_full_before_the_first_state_says_what_is_lost(tmp_path):
    code = FULL.replace("row.epoch == 2", "True").replace("try:\n", "fill(None)\ntry:\n")
    command = [sys.executable, "-c", code, str(tmp_path)]
    out = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert "Training stopped after epoch 1; it is lost, and nothing is saved; make room" in out
    assert "build the model anew" in out and not (tmp_path / "checkpoint.pt").exists()


def test_a_full_disk_after_the_state_says_that_it_is_there(splits, tmp_path, monkeypatch):
    def full(path, data):
        if path.name == "history.csv":
            raise CheckpointError(f"{path} could not be written (No space left on device).")
        write_whole(path, data)

    monkeypatch.setattr("lightcourse.training._checkpoint.write_whole", full)
    with pytest.raises(CheckpointError, match="after epoch 1; the state after epoch 1 is still"):
        quick(flat(), splits, out=tmp_path)


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "state"
    write_whole(path, b"good")

    def full(_number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"good" and [p.name for p in tmp_path.iterdir()] == ["state"]


def test_a_folder_that_cannot_be_made(splits, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be made"):
        quick(flat(), splits, out=tmp_path / "file" / "run")


# ---- astray


def test_nan_is_caught_and_explained(splits):
    with pytest.raises(Diverged) as error:
        quick(net(), splits, lr=1e9, warmup=0.0)
    text = str(error.value)
    assert text.startswith("Training diverged in epoch 1, step ") and " of 3: the loss " in text
    assert "learning rate" in text and "lr=0.1" in text and "clip=1.0" in text
    assert isinstance(error.value, UserError)


class Turns(nn.Module):
    """Gives nan from the given training step on."""

    def __init__(self, step: int, worth: float = math.nan):
        super().__init__()
        self.inner, self.left, self.worth = flat(), step, worth

    def forward(self, x):
        self.left -= self.training
        return self.inner(x) * (self.worth if self.left < 1 else 1.0)


def test_the_step_and_the_rate_are_those_of_the_nan(splits):
    with pytest.raises(Diverged) as error:
        quick(Turns(5), splits, lr=0.06, warmup=0.0, schedule="onecycle", clip=2.0)
    # six steps in all: the fifth runs at 0.06 × (1 - 4.5 / 6)
    expected = "in epoch 2, step 2 of 3: the loss is nan, at the learning rate 0.015; "
    assert expected in str(error.value) and "clip" not in str(error.value)


def test_a_loss_far_above_guessing_is_caught(splits):
    with pytest.raises(Diverged, match=r"the loss grew to .*, and guessing gives 2\.30"):
        quick(Turns(4, worth=1e4), splits)


def test_divergence_in_the_very_last_step_is_caught(splits):
    choices = {"epochs": 1, "batch_size": 96, "warmup": 0.0, "schedule": "constant"}
    with pytest.raises(Diverged, match=r"step 1 of 1: after it the loss grew to .*e\+0"):
        quick(flat(), splits, lr=1e6, **choices)
    assert len(quick(flat(), splits, **choices).epochs) == 1


def test_the_look_back_leaves_the_statistics_alone(splits):
    model, other = net(), net()
    quick(model, splits, epochs=1, schedule="constant", warmup=0.0)
    # the first of two epochs has no last step
    quick(other, splits, epochs=2, schedule="constant", warmup=0.0, progress=(seen := []).append)
    assert model[1].num_batches_tracked == 3 and other[1].num_batches_tracked == 6
    assert len(seen) == 2 and not model.training


def test_nan_on_the_test_set_alone_is_divergence(splits):
    class Breaks(Turns):
        def forward(self, x):
            self.left -= self.training
            return self.inner(x) * (math.nan if not self.training and self.left < 3 else 1.0)

    with pytest.raises(Diverged, match="on the test set the loss is nan"):
        quick(Breaks(3), splits, epochs=1)


def test_bad_first_weights_are_not_called_divergence(splits):
    model = flat()
    with torch.no_grad():
        model[1].weight.fill_(math.nan)
    with pytest.raises(UserError, match="before any training"):
        quick(model, splits)


def test_a_high_first_loss_that_falls_is_no_divergence():
    model = flat(8, 2)
    with torch.no_grad():
        model[1].weight.mul_(1000)
    history = quick(model, bright_and_dark(), epochs=3, lr=0.001)
    assert history.epochs[0].train_loss > 10


# ---- what cannot work

BAD = [
    ({"epochs": 0}, "epochs is a whole number from 1 on, not 0"),
    ({"epochs": 2.0}, "epochs is a whole number"),
    ({"batch_size": 0}, "batch_size is a whole number from 1 on"),
    ({"batch_size": 97}, "batch_size is 97 and the training set has 96 pictures"),
    ({"optimizer": "adam"}, "no optimizer 'adam'; choose one of adamw, sgd"),
    ({"schedule": "step"}, "no schedule 'step'; choose one of onecycle, cosine, constant"),
    ({"device": "tpu"}, "no device 'tpu'; choose one of auto, cpu, cuda, mps"),
    ({"lr": 0}, "lr is a number above 0"),
    ({"lr": float("nan")}, "lr is a number above 0"),
    ({"warmup": 1.0}, "warmup is a number from 0 on and below 1"),
    ({"label_smoothing": -0.1}, "label_smoothing"),
    ({"momentum": 1}, "momentum"),
    ({"weight_decay": "much"}, "weight_decay is a number from 0 on, not 'much'"),
    ({"ema": 1.0}, "ema is a number above 0 and below 1"),
    ({"clip": 0}, "clip is a number above 0"),
    ({"patience": 0}, "patience is a whole number from 1 on"),
    ({"seed": -1}, "seed is a whole number from 0 on"),
    ({"threads": 0}, "threads is a whole number from 1 on"),
    ({"augment": "flip"}, "augment is None or Augment(...), such as Augment(flip=True)"),
    ({"deterministic": True, "threads": 2}, "deterministic=True needs threads=1"),
    ({"amp": "x"}, "there is no amp 'x'; choose one of True, False, None"),
    ({"resume": "x"}, "there is no resume 'x'; choose one of True, False"),
    ({"progress": "x"}, "there is no progress 'x'"),
    ({"channels_last": 1}, "there is no channels_last 1"),
    ({"deterministic": "no"}, "there is no deterministic 'no'"),
    ({"optimizer": ["adamw"]}, "there is no optimizer ['adamw']"),
    ({"out": 5}, "out is the path of a folder, or None, not 5"),
    ({"weight_decay": 1e9}, "weight_decay=1e+09 times lr=0.012 is 1 or more"),
]


@pytest.mark.parametrize(("choices", "words"), BAD, ids=lambda v: str(v)[:40])
def test_bad_choices_get_one_sentence(splits, choices, words):
    with pytest.raises(UserError) as error:
        quick(flat(), splits, **choices)
    assert words in str(error.value) and str(error.value).endswith(".")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has that device")
def test_a_device_that_is_missing_here(splits, monkeypatch):
    for built, words in (
        (True, "no device 'cuda' that torch can use; choose one of cpu"),
        (False, "this torch is built without CUDA, so 'cuda' cannot be used"),
    ):
        monkeypatch.setattr(torch.backends.cuda, "is_built", lambda built=built: built)
        with pytest.raises(UserError, match=words):
            quick(flat(), splits, device="cuda")


def test_auto_takes_the_fastest_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device("auto") == torch.device("cuda", 0)
    assert pick_device("cuda:1") == torch.device("cuda", 1)
    monkeypatch.setenv("LOCAL_RANK", "1")  # torchrun: each process its own
    assert pick_device("cuda") == torch.device("cuda", 1)
    for wrong in ("cuda:2", "cuda:x"):
        with pytest.raises(UserError, match="this machine has 2, counted from 0"):
            pick_device(wrong)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device("auto") == torch.device("mps")
    assert pick_device("cpu") == torch.device("cpu")


def test_an_operator_without_a_deterministic_form_is_named(splits):
    class Random(Turns):
        def forward(self, x):
            if self.training and torch.are_deterministic_algorithms_enabled():
                raise RuntimeError(
                    "pool_backward_cuda does not have a deterministic implementation"
                )
            return self.inner(x)

    with pytest.raises(UserError, match="pool_backward_cuda does not have a deterministic"):
        quick(Random(9), splits, deterministic=True)
    quick(Random(9), splits)


def test_large_seeds_are_fine(splits):
    quick(flat(), splits, epochs=1, seed=2**70)


class Talks(nn.Module):
    """Gives something else than a tensor."""

    def forward(self, x):
        return x.mean((2, 3)), x


MISFITS = [
    (lambda: "net", "this is str"),
    (lambda: nn.Linear, "this is the class Linear"),
    (lambda: flat(classes=5), "tells 5 classes apart, but the labels go from 0 to 9"),
    (lambda: flat(classes=5), "build it with num_classes=10"),
    (lambda: flat(size=32), "does not take pictures of shape (2, 3, 16, 16)"),
    (lambda: nn.Conv2d(3, 10, 1), "gives the shape (2, 10, 16, 16) for 2 pictures"),
    (lambda: nn.Sequential(nn.Flatten(0), nn.Linear(1536, 10)), "gives the shape (10,)"),
    (lambda: nn.Sequential(nn.Conv2d(3, 10, 1), Talks()), "gives a tuple"),
    (lambda: net().requires_grad_(False), "no parameter that may change"),
    (lambda: nn.Sequential(nn.Flatten(), nn.Linear(768, 10, device="meta")), "meta device"),
]


@pytest.mark.parametrize(("make", "words"), MISFITS)
def test_models_that_do_not_fit(splits, make, words):
    with pytest.raises(UserError) as error:
        quick(make(), splits)
    assert words in str(error.value)


def test_more_outputs_than_classes_are_said_and_not_possible_with_mixup(splits, capsys):
    quick(flat(classes=12), splits)
    assert capsys.readouterr().err == (
        "Sequential tells 12 classes apart and the data have 10: the rest is never right, and "
        "num_classes=10 would be enough.\n"
    )
    with pytest.raises(UserError, match="mixup and cutmix give shares of 10 classes"):
        quick(flat(classes=12), splits, augment=Augment(mixup=0.2))


def plain(labels) -> types.SimpleNamespace:
    """Data that no `Dataset` has looked at."""
    labels = torch.tensor(labels)
    images = torch.zeros(len(labels), 3, 16, 16, dtype=torch.uint8)
    return types.SimpleNamespace(images=images, labels=labels, classes=("a", "b"), name="own")


def test_evaluate_says_what_does_not_fit(splits):
    for model, data, words in (
        (flat(), splits, "evaluate needs one data set, such as splits.test; this is Splits"),
        ("net", splits.test, "Only a model can be tested"),
        (flat(classes=5), splits.test, "tells 5 classes apart"),
        (flat(size=32), splits.test, "does not take pictures"),
    ):
        with pytest.raises(UserError, match=words):
            evaluate(model, data)
    frozen = net().requires_grad_(False)
    assert 0 <= evaluate(frozen, splits.test).accuracy <= 1


def test_lazy_layers_and_device_objects_work(splits):
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(10))
    history = quick(model, splits, device=torch.device("cpu"), epochs=1)
    assert history.config["device"] == "cpu" and model[0].in_channels == 3


def test_a_batch_of_one_and_a_norm(splits):
    head = [nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 10)]
    with pytest.raises(UserError, match="batch_size=1 gives it; choose a larger"):
        quick(nn.Sequential(*head), splits, batch_size=1)


def test_data_that_cannot_work():
    good = plain([0, 1] * 20)
    for train, test, words in (
        (plain([1] * 40), good, "one class only"),
        (good, plain([]), "the test set is empty"),
        (plain([0, -1] * 20), good, "there is a label -1"),
    ):
        with pytest.raises(UserError, match=words):
            quick(flat(), types.SimpleNamespace(train=train, test=test))
    with pytest.raises(UserError, match=r"needs splits with \.train and \.test.*a tuple"):
        quick(flat(), (good, good))


def test_no_memory_left_names_a_smaller_batch(splits):
    class Greedy(Turns):
        def forward(self, x):
            if self.training:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return self.inner(x)

    with pytest.raises(UserError, match="no memory left; try batch_size=16"):
        quick(Greedy(0), splits)


# ---- the history


def test_history_numbers_and_text():
    history = History(ROWS, {"epochs": 3})
    assert (history.test_accuracy, history.best.epoch, history.seconds) == (0.6, 2, 11.5)
    assert "best 62.5% in epoch 2" in str(history) and "early" not in str(history)
    with pytest.raises(dataclasses.FrozenInstanceError):
        history.epochs = ()
    with pytest.raises(UserError, match="no epoch is finished"):
        _ = History(()).test_accuracy


def test_csv_keeps_exact_numbers(tmp_path):
    path = tmp_path / "h.csv"
    rows = (Epoch(1, 0.1 + 0.2, 1 / 3, 2e-17, 0.3, 0.012, 4.0),)
    text = History(rows).to_csv(path)
    assert path.read_text() == text
    (row,) = csv.DictReader(text.splitlines())
    assert Epoch(int(row.pop("epoch")), **{k: float(v) for k, v in row.items()}) == rows[0]
    with pytest.raises(UserError, match="cannot write"):
        History(rows).to_csv(tmp_path / "none" / "h.csv")


def test_pandas_has_a_row_per_epoch():
    frame = History(ROWS).to_pandas()
    assert list(frame["test_accuracy"]) == [0.3, 0.625, 0.6] and frame.shape == (3, 7)


def test_plot_draws_the_numbers():
    figure = History(ROWS).plot()
    loss, accuracy = figure.axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[2.25, 1.5, 1.25], [2.0, 1.4, 1.5]]
    assert list(accuracy.lines[1].get_xdata()) == [1, 2, 3]
    assert list(accuracy.lines[1].get_ydata()) == [0.3, 0.625, 0.6]


def test_plot_shows_itself_and_no_curve_runs_through_the_legend():
    import matplotlib.pyplot as plt

    figure = History(ROWS).plot()
    assert figure._repr_png_().startswith(b"\x89PNG") and not plt.get_fignums()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["train", "test"]
    box = legend.get_window_extent()
    for axes in figure.axes:
        assert axes.get_legend() is None and not axes.get_window_extent().overlaps(box)


def test_html_has_all_rows_and_needs_nothing_else():
    page = History(ROWS)._repr_html_()
    assert page.count("<tr>") == 4 and "62.5%" in page and "<svg" in page
    assert "http" not in page and "<script" not in page
    assert "<svg" not in History(ROWS[:1])._repr_html_()
    assert "no epoch finished" in History(())._repr_html_()


def test_tensorboard_is_optional(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)  # as if not installed
    with pytest.raises(UserError, match="pip install tensorboard"):
        History(ROWS).to_tensorboard(tmp_path)


def test_tensorboard_gets_every_number(tmp_path, monkeypatch):
    written = {}

    class SummaryWriter:
        def __init__(self, folder):
            assert folder == str(tmp_path)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            written["closed"] = True

        def add_scalar(self, name, value, step):
            written[name, step] = value

    fake = types.SimpleNamespace(SummaryWriter=SummaryWriter)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", fake)
    assert History(ROWS).to_tensorboard(tmp_path) == tmp_path
    assert written["accuracy/test", 2] == 0.625 and written["loss/train", 1] == 2.25
    assert written["closed"] and len(written) == 16


# ---- progress


def test_a_pipe_gets_a_line_per_epoch_and_nothing_if_not_wanted(splits, capfd):
    history = quick(flat(), splits, progress=True)  # stderr is a pipe here
    out, err = capfd.readouterr()
    assert out == "" and err.splitlines() == [str(row) for row in history.epochs]
    quick(flat(), splits, progress=False)
    assert capfd.readouterr() == ("", "")


def test_a_function_gets_each_epoch(splits):
    seen = []
    history = quick(flat(), splits, progress=seen.append)
    assert tuple(seen) == history.epochs


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_gets_a_bar_and_a_line_per_epoch():
    import pty

    code = textwrap.dedent("""
        from torch import nn
        from lightcourse.training.data import builtin
        from lightcourse.training.fit import fit
        from lightcourse.training import _screen
        _screen._OFTEN = 0.0
        net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 10))
        fit(net, builtin(train=64, test=20, size=16, cache=False), epochs=2, batch_size=8)
    """)
    master, slave = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=slave, env=env
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(master)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and out == b""
    text = shown.decode()
    assert "epoch   1  loss" in text and "epoch   2  loss" in text
    assert "epoch 1 of 2" in text and "left" in text and "Traceback" not in text


@pytest.mark.slow
def test_a_notebook_gets_one_display_and_no_stderr(tmp_path):
    import nbformat
    from nbclient import NotebookClient

    cell = textwrap.dedent("""
        from torch import nn
        from lightcourse.training import _screen
        from lightcourse.training.data import builtin
        from lightcourse.training.fit import fit
        _screen._OFTEN = 0.0
        net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 10))
        splits = builtin(train=64, test=20, size=16, cache=False)
        history = fit(net, splits, epochs=3, batch_size=32)
        history
    """)
    stop = textwrap.dedent("""
        def press(row):
            raise KeyboardInterrupt
        fit(net, splits, epochs=3, batch_size=32, progress=press)
    """)
    cells = [nbformat.v4.new_code_cell(source) for source in (cell, stop)]
    book = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(book, timeout=120, kernel_name="python3", allow_errors=True).execute()
    shown, result = book.cells[0].outputs
    assert shown.output_type == "display_data" and result.output_type == "execute_result"
    assert "epoch 3 of 3 · test accuracy" in shown.data["text/plain"]
    assert "value='1.000'" in shown.data["text/html"] and "done" in shown.data["text/html"]
    assert "<table" in result.data["text/html"]
    (error,) = (o for o in book.cells[1].outputs if o.output_type == "error")
    assert len(error.traceback) == 1 and error.traceback[0].startswith("Stopped in epoch 2 of 3.")
