"""Two processes under torchrun train as one does: the same batches, gradients and statistics."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed"),
]

RUN = """
import json, os, sys
from pathlib import Path
import torch
from torch import nn
from lightcourse.errors import UserError
from lightcourse.training.data import Augment, builtin
from lightcourse.training.fit import Interrupted, evaluate, fit

out, choices = Path(sys.argv[1]), json.loads(sys.argv[2])
torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
    # no bias: before a norm its gradient is rounding alone, which AdamW makes as large as any
    nn.Conv2d(8, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16, momentum=None), nn.ReLU(),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10),
)
splits = builtin(train=100, test=41, size=16, cache=False)
recipe = dict(epochs=2, batch_size=24, device="cpu", augment=Augment(cutmix=0.5, cutout=4))
def press(row):
    if row.epoch == stop:
        raise KeyboardInterrupt


stop = choices.pop("stop", 0)
try:
    history = fit(net, splits, **{**recipe, "out": out / "run", "progress": press, **choices})
except Interrupted as stopped:
    print(stopped, flush=True)
    sys.exit(0)
except UserError as error:
    print(f"{type(error).__name__}: {error}", flush=True)
    sys.exit(3)
rank = os.environ.get("RANK", "0")
state = {name: value.double().flatten().tolist() for name, value in net.state_dict().items()}
rows = [[r.train_loss, r.train_accuracy, r.test_loss, r.test_accuracy] for r in history.epochs]
own = type(net[1]).forward is nn.BatchNorm2d.forward and "forward" not in vars(net[1])
found = {"rows": rows, "state": state, "alone": list(evaluate(net, splits.test)), "own": own}
(out / f"rank-{rank}.json").write_text(json.dumps(found | {"config": history.config}))
"""


def start(folder: Path, processes: int, choices: dict) -> subprocess.CompletedProcess:
    folder.mkdir(exist_ok=True)
    program = folder / "run.py"
    program.write_text(RUN, encoding="utf-8")
    command = [sys.executable]
    if processes > 1:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command += ["-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
        command += [f"--master-port={port}"]
    return subprocess.run(
        [*command, str(program), str(folder), json.dumps(choices)],
        capture_output=True, text=True, timeout=240, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def result(folder: Path, processes: int, choices: dict) -> list[dict]:
    done = start(folder, processes, choices)
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"rank-{r}.json").read_text()) for r in range(processes)]


def assert_same(one: dict, other: dict) -> None:
    for mine, theirs in zip(one["rows"], other["rows"], strict=True):
        assert mine == pytest.approx(theirs, rel=1e-4)
    assert one["state"].keys() == other["state"].keys()
    for name, values in one["state"].items():
        assert values == pytest.approx(other["state"][name], rel=1e-3, abs=1e-5), name


@pytest.mark.parametrize(
    "choices",
    [
        {"optimizer": "sgd", "lr": 0.1, "clip": 1.0, "ema": 0.8},
        {"optimizer": "adamw", "lr": 0.003, "augment": None},
    ],
    ids=["sgd", "adamw"],
)
def test_two_processes_train_as_one(tmp_path, choices):
    (one,) = result(tmp_path / "one", 1, choices)
    first, second = result(tmp_path / "two", 2, choices)
    assert_same(one, first)
    assert first["state"] == second["state"] and first["rows"] == second["rows"]
    assert first["own"] and second["own"], "the model's own batch norm was not put back"
    assert first["alone"][0] == first["rows"][-1][3]
    assert first["config"]["processes"] == 2 and one["config"]["processes"] == 1
    assert (tmp_path / "two" / "run" / "history.csv").read_text().count("\n") == 3


def test_two_processes_go_on_with_what_one_began(tmp_path):
    choices = {"optimizer": "sgd", "lr": 0.1, "epochs": 3}
    (whole,) = result(tmp_path / "whole", 1, choices)
    folder = tmp_path / "run"
    assert "state after epoch 1 is saved" in start(folder, 1, {**choices, "stop": 1}).stdout
    first, second = result(folder, 2, choices)
    assert first["rows"][0] == whole["rows"][0]
    assert_same(whole, first)
    assert first["state"] == second["state"]


def test_a_loss_that_is_no_number_ends_all_of_them(tmp_path):
    done = start(tmp_path, 2, {"lr": 1e9, "warmup": 0.0})
    assert done.returncode != 0
    # both write to one pipe, so a line may hold what two processes said
    said = re.findall(r"Diverged: Training diverged .*?clip=1\.0\.", done.stdout)
    assert len(said) == 2 and said[0] == said[1]


def test_a_batch_that_cannot_be_shared_is_named(tmp_path):
    done = start(tmp_path, 2, {"batch_size": 25})
    assert done.returncode != 0
    assert "batch_size is 25, which 2 processes cannot share equally" in done.stdout
