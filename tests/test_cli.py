"""The command line: what each command prints, its exit code, and one sentence for every mistake."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
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
    assert "3,504,872" in capsys.readouterr().out
    assert run(["analyze", "mobilenet_v2", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["mobilenet_v2"]["macs"] == 300_774_272
    assert run(["analyze", "mobilenet_v2", "--format", "csv", "--size", "96"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].startswith("target,name,kind") and rows[1].endswith(",864,1990656,3,3")
    assert len(rows) > 50
    assert run(["analyze", "mobilenet_v2", "--format", "html"]) == 0
    assert "<table" in capsys.readouterr().out


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
