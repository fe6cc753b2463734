"""`lightcourse train`: what it prints and writes, its exit codes, Ctrl-C, and going on."""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from lightcourse.cli import run

NETS = """
import torch
from torch import nn


def small(num_classes=10, width_mult=1.0):
    w = int(8 * width_mult)
    return nn.Sequential(
        nn.Conv2d(3, w, 3, 2, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(w, num_classes),
    )


def told(**settings):
    print("settings", sorted(settings.items()))
    return small(settings["num_classes"])


def five():
    return small(5)


torch.manual_seed(0)
ready = small()


class Spoilt(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = small()

    def forward(self, x):
        return self.inner(x) * (float("nan") if self.training else 1)


class Slow(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = small()

    def forward(self, x):
        import time

        time.sleep(0.05)
        return self.inner(x)
"""


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """The path of a file with small networks, in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("nets.py").write_text(NETS, encoding="utf-8")
    return "nets.py"


def train(*args: str) -> int:
    few = ["--data", "builtin16", "--images", "96", "--batch", "32", "--epochs", "2"]
    return run(["train", *few, *args])


def test_prints_mean_and_deviation_and_writes_all(nets, capsys):
    assert train(f"{nets}:small", "--seeds", "3", "--out", "runs") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert lines[0] == (
        "nets.py:small, 322 parameters, on builtin: 96 pictures to train on, 2,000 to test, "
        "10 classes"
    )
    assert sum(line.startswith("epoch ") for line in lines) == 6
    summary = json.loads(Path("runs/summary.json").read_text())
    found = [100 * value for value in summary["test_accuracy"]]
    mean, deviation = statistics.mean(found), statistics.stdev(found)
    assert lines[-1] == (
        f"test accuracy {mean:.1f} ± {deviation:.1f} % (mean ± standard deviation of 3 seeds)"
    )
    assert summary["mean"] == pytest.approx(mean / 100)
    for seed in range(3):
        folder = Path(f"runs/seed-{seed}")
        assert sorted(p.name for p in folder.iterdir()) == [
            "checkpoint.pt", "config.json", "history.csv",
        ]  # fmt: skip
        assert json.loads((folder / "config.json").read_text())["seed"] == seed
        last = (folder / "history.csv").read_text().splitlines()[-1].split(",")
        assert float(last[4]) == summary["test_accuracy"][seed]


def test_one_seed_claims_no_spread(nets, capsys):
    assert train(f"{nets}:small") == 0
    out = capsys.readouterr().out
    assert "±" not in out and "one seed tells no spread" in out


def test_models_get_what_fits_the_pictures(nets, capsys):
    assert train(f"{nets}:told") == 0
    assert "settings [('num_classes', 10)]" in capsys.readouterr().out
    assert train(f"{nets}:small", "--width", "2") == 0
    assert "nets.py:small, 634 parameters" in capsys.readouterr().out
    assert train("mobilenet_v2", "--width", "0.1", "--images", "32", "--epochs", "1") == 0
    out = capsys.readouterr().out
    params = re.search(r"mobilenet_v2, ([\d,]+) parameters", out)
    assert params is not None
    from lightcourse.models import create_model

    model = create_model("mobilenet_v2", width_mult=0.1, num_classes=10)
    assert int(params[1].replace(",", "")) == sum(p.numel() for p in model.parameters())


def test_a_ready_module_is_copied_for_each_seed(nets, capsys):
    sys.modules.pop("nets", None)
    assert train("nets:ready", "--seeds", "2", "--out", "runs") == 0
    import nets as module  # the very module that the command imported

    assert int(module.ready[1].num_batches_tracked) == 0
    assert capsys.readouterr().out.count("test loss") == 2


def test_resume_goes_on_and_refuses_to_overwrite(nets, capsys):
    assert train(f"{nets}:small", "--out", "runs") == 0
    first = capsys.readouterr().out
    assert train(f"{nets}:small", "--out", "runs") == 2
    assert "runs holds a run already; add --resume" in capsys.readouterr().err
    assert train(f"{nets}:small", "--out", "runs", "--resume", "--seeds", "2") == 0
    printed = capsys.readouterr()
    again = printed.out
    assert printed.err.count("\n") == 1 and "runs/seed-0 holds this run, finished" in printed.err
    accuracy = re.search(r"seed 0: test accuracy \S+", first)
    assert accuracy is not None and accuracy[0] in again
    assert again.count("epoch ") == 2, "only the new seed is trained"
    assert train(f"{nets}:small", "--out", "runs", "--resume", "--lr", "0.5") == 2
    assert "lr 0.012 (now 0.5)" in capsys.readouterr().err


BAD = [
    (["nope"], "No model is called 'nope'"),
    (["nets.py:small", "--data", "cifa10"], "did you mean 'cifar10'?"),
    (["nets.py:small", "--optimizer", "adam"], "choose one of adamw, sgd"),
    (["nets.py:small", "--schedule", "flat"], "choose one of onecycle, cosine, constant"),
    (["nets.py:small", "--device", "tpu"], "choose one of auto, cpu, cuda, mps"),
    (["nets.py:small", "--epochs", "0"], "epochs is a whole number from 1 on"),
    (["nets.py:small", "--batch", "97"], "batch_size is 97 and the training set has 96 pictures"),
    (["nets.py:small", "--seeds", "0"], "'--seeds'"),
    (["nets.py:small", "--resume"], "--resume needs --out DIR"),
    (["nets.py:small", "--out", "nets.py"], "nets.py is a file; give --out a folder"),
    (["nets.py:five"], "tells 5 classes apart, but the labels go from 0 to 9"),
    (["nets.py:five", "--width", "0.5"], "nets.py:five has no setting width_mult"),
    (["nets.py:ready", "--width", "0.5"], "nets.py:ready has no setting width_mult"),
    (["nets.py:small", "--width", "0"], "--width is 0; it scales the channels, so give one above"),
    (["nets.py:small", "--width", "nan"], "--width is nan"),
    (["nets.py:small", "--download"], "--download is for cifar10, cifar100, fashion_mnist; --data"),
    (["nets.py:small", "--root", "."], "--root is for cifar10"),
    (["nets.py:small", "--images", "999999999999"], "more than there is; ask for fewer."),
    (["net.pt2"], "net.pt2 is an exported program"),
    (["nets.py"], "nets.py:function"),
    (["nets.py:told", "--width", "0.5", "--images", "0"], "'--images'"),
]


@pytest.mark.parametrize(("args", "words"), BAD, ids=lambda v: " ".join(v)[:40])
def test_bad_calls_get_one_sentence(nets, args, words, capsys):
    assert train(*args) == 2
    text = capsys.readouterr().err.strip()
    assert text.startswith("lightcourse: ") and "\n" not in text and "Traceback" not in text
    assert words in text


def test_data_that_is_not_here_offers_the_built_in_one(nets, tmp_path, capsys):
    args = ["train", f"{nets}:small", "--data", "cifar10", "--root", str(tmp_path / "none")]
    assert run(args) == 2
    said = capsys.readouterr().err
    assert "fetch it once with --download, 170 MB, or use --data builtin, which is" in said
    assert "(" not in said


@pytest.mark.parametrize(
    "wrong", [("--lr", "0"), ("--epochs", "0"), ("--optimizer", "adam"), ("--device", "cuda:99")]
)
def test_a_bad_recipe_is_told_before_the_data_are_made(nets, wrong, capsys, monkeypatch):
    from lightcourse.training import data

    monkeypatch.setattr(data, "load", lambda *_args, **_settings: pytest.fail("data were made"))
    assert train(f"{nets}:small", *wrong) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_head_with_too_many_classes_is_told(nets, capsys):
    from PIL import Image

    for name in ("a", "b", "c"):
        Path("zoo", name).mkdir(parents=True)
        for number in range(5):
            Image.new("RGB", (8, 8), (80 * number, 9, 9)).save(f"zoo/{name}/{number}.png")
    args = ["train", f"{nets}:ready", "--data", "zoo", "--epochs", "1", "--batch", "4"]
    assert run(args) == 0
    assert "Sequential tells 10 classes apart and the data have 3" in capsys.readouterr().err


def test_help_names_the_setting_that_width_becomes(capsys):
    assert run(["train", "--help"]) == 0
    assert "width_mult" in capsys.readouterr().out


def test_a_run_that_diverges_ends_with_1(nets, capsys):
    assert train(f"{nets}:Spoilt") == 1
    err = capsys.readouterr().err.strip()
    assert err.startswith("lightcourse: seed 0: Training diverged in epoch 1, step 1 of 3")
    assert "\n" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_ctrl_c_ends_with_130_and_the_way_on(nets, tmp_path):
    few = ["--data", "builtin16", "--images", "64", "--batch", "16", "--epochs", "3"]
    command = [sys.executable, "-m", "lightcourse", "train", *few, "--out", "runs"]
    process = subprocess.Popen(
        [*command, "nets.py:Slow"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    assert any(line.startswith("epoch   1") for line in iter(process.stdout.readline, ""))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    saved = len(Path("runs/seed-0/history.csv").read_text().splitlines()) - 1
    assert err == (
        f"lightcourse: seed 0: Stopped in epoch {saved + 1} of 3. The state after epoch {saved} "
        "is saved in runs/seed-0. Go on with the same command and --resume.\n"
    )
    done = subprocess.run(
        [*command, "nets.py:Slow", "--resume"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0 and done.stdout.count("epoch ") == 3 - saved


@pytest.mark.parametrize("out", [None, "runs"])
def test_ctrl_c_before_anything_is_saved(nets, out, capsys, monkeypatch):
    from lightcourse.training import data

    def press(*_args, **_settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "load", press)
    assert train(f"{nets}:small", *(["--out", out] if out else [])) == 130
    assert "before the training began" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("done", "seed", "folder", "words"),
    [
        (0, 0, None, "Nothing is saved; with --out DIR a stopped run can go on."),
        (3, 1, None, "seed 1: Stopped in epoch 4 of 8. Nothing is saved"),
        (0, 0, Path("runs/seed-0"), "Nothing is saved yet; the first state comes after epoch 1."),
        (0, 2, Path("runs/seed-2"), "The seeds before are saved; go on with the same command"),
        (8, 0, Path("runs/seed-0"), "Stopped in epoch 8 of 8. The state after epoch 8 is saved"),
    ],
)
def test_how_to_go_on_is_true(done, seed, folder, words):
    from lightcourse.cli.train import _how_to_go_on
    from lightcourse.training.fit import Interrupted

    assert words in _how_to_go_on(Interrupted(done, 8, folder), seed)
