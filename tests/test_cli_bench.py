"""`lightcourse bench`: the machine once, then networks layer by layer."""

import pytest

from lightcourse.cli import run


@pytest.fixture
def net(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(
        "from torch import nn\nbuild = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())\n"
    )
    return tmp_path


def test_the_machine_is_kept_and_a_network_is_timed_against_it(net, capsys):
    assert run(["bench", "net.py:build", "--size", "16", "--seconds", "1"]) == 0
    said = capsys.readouterr().out
    assert "GMAC/s" in said and "net.py:build" in said and "Conv2d" in said
    kept = (net / "home" / "machine.json").read_text()
    assert run(["bench", "--seconds", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == said.splitlines()[0]
    assert (net / "home" / "machine.json").read_text() == kept


def test_a_wrong_name_is_said_before_the_probe(net, capsys):
    assert run(["bench", "net.py:nothing", "--seconds", "600"]) == 2
    assert "nothing" in capsys.readouterr().err
    assert not (net / "home" / "machine.json").exists()


def test_no_time_to_probe_is_a_wrong_call(net):
    assert run(["bench", "--seconds", "0"]) == 2
