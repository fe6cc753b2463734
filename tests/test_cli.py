"""The command line: what each command prints, its exit code, and one sentence for every mistake."""

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from pathlib import Path

import pytest

from lightcourse.cli import run

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "home"))


def refused(capsys, *args: str) -> str:
    """Run, expect exit code 2 and exactly one sentence without a traceback; return it."""
    assert run(args) == 2
    text = capsys.readouterr().err.strip()
    assert text.startswith("lightcourse: ") and "\n" not in text and "Traceback" not in text
    return text


BAD_CALLS = [
    (["nope"], "No such command 'nope'"),
    (["analyze", "mobilenet_v22"], "mobilenet_v2"),
    (["analyze", "no_such_package:f"], "no module 'no_such_package'"),
    (["analyze", "no_such_file.py:f"], "no file no_such_file.py"),
    (["analyze", "json:dumps_"], "no name 'dumps_'"),
    (["analyze", "json:loads"], "without arguments failed"),
    (["analyze", "platform:machine"], "gives a str"),
    (["analyze", "mobilenet_v2", "--format", "xml"], "no format 'xml'"),
    (["analyze", "mobilenet_v2", "--size", "0"], "'--size'"),
    (["analyze", "mobilenet_v2", "--sort", "size"], "no order 'size'; choose one of macs, params"),
    (["analyze", "mobilenet_v2", "--latency", "--format", "csv"], "one line per layer"),
    (["analyze", "mobilenet_v2", "--output", "no_folder/x.txt"], "no folder no_folder"),
    (["analyze", "mobilenet_v2", "--channels", "4"], "built for 3 input channels and got 4"),
    (["analyze", "no_such.pt2"], "no file no_such.pt2"),
    (["analyze", "weights.pth"], "weights.pth holds weights"),
    (["analyze", "net.py"], "net.py:function"),
    (["demo", "chanel-shuffle"], "channel-shuffle"),
    (["demo", "channel-shuffle", "--theme", "pink"], "light or dark"),
    (["demo", "channel-shuffle", "--set", "step"], "--set name=value"),
    (["demo", "channel-shuffle", "--svg", "x.txt"], "x.svg"),
    (["demo", "channel-shuffle", "--svg", "no_folder/x.svg"], "no folder no_folder"),
    (["check", "no_such.ipynb"], "no_such.ipynb"),
    (["lab", "99"], "there is no chapter '99'"),
    (["lab", "--port", "80"], "port 80 cannot be used"),
    (["build", "99_nothing"], "99_nothing"),
]


@pytest.mark.parametrize(("args", "words"), BAD_CALLS, ids=lambda v: " ".join(v)[:40])
def test_bad_calls_get_one_sentence(args, words, capsys):
    assert words in refused(capsys, *args)


def test_settings_name_the_valid_ones(capsys, tmp_path):
    picture = str(tmp_path / "x.svg")
    wrong_key = refused(capsys, "demo", "channel-shuffle", "--set", "grups=4", "--svg", picture)
    assert "groups" in wrong_key
    wrong_value = refused(capsys, "demo", "channel-shuffle", "--set", "groups=99", "--svg", picture)
    assert "2" in wrong_value and "6" in wrong_value
    assert not Path(picture).exists()


def test_debug_shows_the_traceback():
    command = [sys.executable, "-m", "lightcourse", "analyze", "nope", "--debug"]
    out = subprocess.run(command, capture_output=True, text=True)
    assert "Traceback" in out.stderr and out.returncode != 0


def test_busy_port_is_named(capsys):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert f"port {port} is busy" in refused(capsys, "lab", "--port", str(port))


def test_analyze_prints_each_format(capsys):
    assert run(["analyze", "mobilenet_v2"]) == 0
    printed = capsys.readouterr()
    assert "3,504,872" in printed.out and "peak activation 10.4 MB" in printed.out
    assert printed.err == ""  # progress is for terminals
    assert run(["analyze", "mobilenet_v2", "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)["mobilenet_v2"]
    assert (data["macs"], data["peak_activation"]) == (300_774_272, 10_437_376)
    assert run(["analyze", "mobilenet_v2", "--format", "csv", "--size", "96"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert rows[0]["target"] == "mobilenet_v2" and len(rows) == len(data["layers"])
    assert (rows[0]["params"], rows[0]["macs"], rows[0]["rf_h"]) == ("864", "1990656", "3")
    assert run(["analyze", "mobilenet_v2", "--format", "html"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("<!doctype html>") and page.rstrip().endswith("</html>")
    # one page that needs nothing else
    assert "<details" in page and not re.search(r"<script|<link|src=|href=|https?://", page)


def net_file(tmp_path: Path) -> str:
    """Write a file with small networks and return its path."""
    path = tmp_path / "nets.py"
    path.write_text(
        "import sys\nimport torch\nfrom torch import nn\n"
        "def wide():\n    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())\n"
        "def slim():\n    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))\n"
        "def interrupted():\n    raise KeyboardInterrupt\n"
        "def broken():\n    raise ValueError('no\\ncoffee')\n"
        "def leaves():\n    sys.exit(3)\n"
        "class Crash(nn.Module):\n"
        "    def forward(self, x):\n        raise KeyboardInterrupt\n"
    )
    return str(path)


def test_analyze_sorts(capsys, tmp_path):
    assert run(["analyze", "mobilenet_v2", "--sort", "macs", "--format", "csv"]) == 0
    macs = [int(row["macs"]) for row in csv.DictReader(capsys.readouterr().out.splitlines())]
    assert macs == sorted(macs, reverse=True) and sum(macs) == 300_774_272
    assert run(["analyze", "mobilenet_v2", "--sort", "params"]) == 0
    assert capsys.readouterr().out.splitlines()[3].startswith("classifier")


def test_analyze_compares_several(capsys, tmp_path):
    nets = net_file(tmp_path)
    assert run(["analyze", f"{nets}:wide", f"{nets}:slim", "--size", "10"]) == 0
    out = capsys.readouterr().out
    side_by_side = out[out.rindex("output (1, 4, 8, 8)") :]
    assert re.search(r"MACs\s+13,824\s+6,912 ×0\.5", side_by_side)
    assert "memory access by kind" in side_by_side
    assert run(["analyze", f"{nets}:wide", f"{nets}:slim", "--format", "html"]) == 0
    assert "Side by side" in capsys.readouterr().out


def test_analyze_writes_a_file(capsys, tmp_path):
    nets = net_file(tmp_path)
    for form in ("table", "json", "csv", "html"):
        path = tmp_path / f"out.{form}"
        args = [f"{nets}:wide", f"{nets}:slim", "--format", form, "--output", str(path)]
        assert run(["analyze", *args]) == 0
        assert capsys.readouterr().out == f"wrote {path}\n"
        text = path.read_text()
        assert f"{nets}:wide" in text and f"{nets}:slim" in text


def test_analyze_times(capsys, tmp_path):
    nets = net_file(tmp_path)
    assert run(["analyze", f"{nets}:wide", f"{nets}:slim", "--size", "8", "--latency"]) == 0
    printed = capsys.readouterr()
    assert len(re.findall(r"median [\d.]+ .s, minimum", printed.out)) == 2
    assert re.search(r"latency, median\s+[\d.]+ .s\s+[\d.]+ .s ×", printed.out)
    assert printed.err == ""
    args = ["--size", "8", "--latency", "--format", "json", "--threads", "1"]
    assert run(["analyze", f"{nets}:slim", *args]) == 0
    timed = json.loads(capsys.readouterr().out)[f"{nets}:slim"]["latency"]
    assert 0 < timed["minimum"] <= timed["median"] and timed["threads"] == 1


@pytest.mark.parametrize("form", ["table", "csv", "json", "html"])
@pytest.mark.parametrize("stop", ["interrupted", "Crash", "broken", "nothing"])
def test_what_is_finished_is_not_lost(form, stop, capsys, tmp_path):
    nets = net_file(tmp_path)
    args = ["analyze", f"{nets}:wide", f"{nets}:{stop}", f"{nets}:slim", "--format", form]
    code = run([*args, "--size", "8"])
    printed = capsys.readouterr()
    assert code == (130 if stop in ("interrupted", "Crash") else 2)
    assert f"{nets}:wide" in printed.out and "Traceback" not in printed.err
    assert printed.err.count("\n") == 1 and printed.err.startswith("lightcourse: ")
    if form == "json":
        assert list(json.loads(printed.out)) == [f"{nets}:wide"]


def test_nothing_is_printed_when_nothing_is_finished(capsys, tmp_path):
    assert run(["analyze", f"{net_file(tmp_path)}:interrupted", "--format", "json"]) == 130
    assert capsys.readouterr().out == ""


def test_a_factory_that_raises_or_leaves(capsys, tmp_path):
    nets = net_file(tmp_path)
    assert "failed with ValueError: no; name" in refused(capsys, "analyze", f"{nets}:broken")
    assert "failed with SystemExit: 3" in refused(capsys, "analyze", f"{nets}:leaves")
    (tmp_path / "goes.py").write_text("import sys\nsys.exit('bye.')\n")
    text = refused(capsys, "analyze", f"{tmp_path / 'goes.py'}:f")
    assert "importing" in text and "SystemExit: bye;" in text


def exported(path: Path, **more) -> str:
    """Save a small exported program and return its path."""
    import torch

    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU()).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.export's own
        torch.export.save(torch.export.export(model, (torch.zeros(2, 3, 9, 9),), **more), path)
    return str(path)


def test_analyze_an_exported_program(capsys, tmp_path):
    path = exported(tmp_path / "net.pt2")
    assert run(["analyze", path, "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)[path]
    assert (data["params"], data["macs"]) == (224, 2 * 49 * 8 * 27)
    assert data["input_shapes"] == [[2, 3, 9, 9]]
    assert [(row["name"], row["kind"]) for row in data["layers"]] == [
        ("0", "Conv2d"),
        ("1", "ReLU"),
    ]
    assert data["receptive_field"]["size"] == [3, 3]
    assert run(["analyze", path, "--size", "9", "--batch", "2"]) == 0
    assert "(2, 8, 7, 7)" in capsys.readouterr().out
    text = refused(capsys, "analyze", path, "--size", "96")
    assert "takes (2, 3, 9, 9) and nothing else, but gets (2, 3, 96, 96)" in text


def test_analyze_a_damaged_program(capsys, tmp_path):
    path = Path(exported(tmp_path / "net.pt2"))
    path.write_bytes(path.read_bytes()[:500])
    assert "is not a program saved by torch.export.save" in refused(capsys, "analyze", str(path))


def test_analyze_a_program_that_takes_no_picture(capsys, tmp_path):
    import torch

    path = tmp_path / "linear.pt2"
    torch.export.save(torch.export.export(torch.nn.Linear(3, 2), (torch.zeros(1, 3),)), path)
    assert "does not take one picture" in refused(capsys, "analyze", str(path), "--size", "9")
    assert run(["analyze", str(path)]) == 0
    assert "params 8   MACs 6 " in capsys.readouterr().out


def test_ctrl_c_in_a_process_of_its_own(tmp_path):
    (tmp_path / "slow.py").write_text(
        "import time\nfrom torch import nn\n"
        "def quick():\n    return nn.ReLU()\n"
        "class Slow(nn.Module):\n    def forward(self, x):\n        time.sleep(60)\n"
    )
    slow = f"{tmp_path / 'slow.py'}"
    command = [sys.executable, "-m", "lightcourse", "analyze", f"{slow}:quick", f"{slow}:Slow"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout is not None and process.stderr is not None
        for line in process.stdout:
            if line.startswith("params 0"):
                break  # the first report is out: the second model is running, or about to
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        error = process.stderr.read()
    assert error == "lightcourse: stopped; 1 of 2 targets are finished.\n"


def test_analyze_takes_a_file_and_a_module(capsys, tmp_path, monkeypatch):
    (tmp_path / "part.py").write_text("import torch\nconv = torch.nn.Conv2d\n")
    (tmp_path / "net.py").write_text(
        "from part import conv\nimport torch\n"
        "def tiny():\n    return torch.nn.Sequential(conv(3, 8, 3), torch.nn.ReLU())\n"
    )
    assert run(["analyze", f"{tmp_path / 'net.py'}:tiny", "--size", "8"]) == 0
    assert f"{3 * 8 * 9 + 8}" in capsys.readouterr().out
    monkeypatch.chdir(tmp_path)
    assert run(["analyze", "net:tiny", "--size", "8"]) == 0


def test_analyze_a_torchvision_model(tmp_path):
    """In a process of its own: beside a CPU torch, torchvision's first import fails."""
    (tmp_path / "mine.py").write_text("from torchvision.models import resnet18\n")
    for target in ("torchvision.models:resnet18", f"{tmp_path / 'mine.py'}:resnet18"):
        command = [sys.executable, "-m", "lightcourse", "analyze", target, "--size", "64"]
        assert "11,689,512" in subprocess.check_output(command, text=True)


def test_analyze_a_file_that_breaks(capsys, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("import torch\n1 / 0\n")
    assert "ZeroDivisionError" in refused(capsys, "analyze", f"{broken}:f")
    broken.write_text("import no_such_thing\n")
    assert "no module 'no_such_thing'" in refused(capsys, "analyze", f"{broken}:f")


def test_analyze_a_model_that_needs_values(capsys, tmp_path):
    (tmp_path / "gate.py").write_text(
        "import torch\n"
        "class Gate(torch.nn.Module):\n"
        "    def forward(self, x):\n        return x if x.mean() > 0 else -x\n"
    )
    assert "Gate" in refused(capsys, "analyze", f"{tmp_path / 'gate.py'}:Gate")


@pytest.mark.parametrize("suffix", ["html", "svg", "png", "gif"])
def test_demo_writes_files(suffix, capsys, tmp_path):
    path = tmp_path / f"picture.{suffix}"
    assert run(["demo", "channel-shuffle", f"--{suffix}", str(path), "--set", "step=1"]) == 0
    assert str(path) in capsys.readouterr().out and path.stat().st_size > 2000


def test_demo_lists_scenes(capsys):
    assert run(["demo", "--list"]) == 0
    out = capsys.readouterr().out
    assert "channel-shuffle" in out and "receptive-field" in out


def test_doctor_lines_up(capsys):
    assert run(["doctor"]) == 0
    out = capsys.readouterr().out
    for word in ("Python", "PyTorch", "torchvision", "JupyterLab", "course", "memory", "progress"):
        assert word in out


def test_doctor_survives_a_broken_check(monkeypatch, capsys):
    from lightcourse.cli import doctor

    def _broken():
        raise OSError("no such device")

    monkeypatch.setattr(doctor, "CHECKS", (_broken,))
    assert run(["doctor"]) == 1
    assert "no such device" in capsys.readouterr().out


def test_doctor_names_a_read_only_home(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").touch()  # no folder can be made below a file, not even by root
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "file" / "home"))
    assert run(["doctor"]) == 0
    assert "LIGHTCOURSE_HOME" in capsys.readouterr().out


def test_progress_prints(capsys):
    assert run(["progress"]) == 0
    assert capsys.readouterr().out.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.slow
def test_lab_serves_without_a_screen(tmp_path):
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    env |= {"JUPYTER_CONFIG_DIR": str(tmp_path / "c"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "r")}
    log = tmp_path / "log"
    port = free_port()
    command = [sys.executable, "-m", "lightcourse", "lab", "02", "--port", str(port)]
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, env=env, cwd=ROOT)
    try:
        address = ""
        for _ in range(240):
            found = re.search(rf"http://127\.0\.0\.1:{port}/\S+", log.read_text())
            if found or server.poll() is not None:
                address = found.group() if found else ""
                break
            time.sleep(0.25)
        assert "02_receptive_field.ipynb" in address, log.read_text()
        with urllib.request.urlopen(address, timeout=30) as page:
            assert page.status == 200
    finally:
        server.terminate()
        server.wait(30)
