"""What the README shows is what a reader gets."""

import re
import shlex
from pathlib import Path

import pytest

from lightcourse.cli import run

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def test_the_wrong_shuffle_gets_the_printed_diagnosis(monkeypatch):
    from lightcourse import check
    from lightcourse.checks import CheckFailed

    monkeypatch.setenv("LIGHTCOURSE_NO_RECORD", "1")
    code = next(b for b in blocks("python") if "def channel_shuffle" in b)
    with pytest.raises(CheckFailed) as failure:
        exec(code, {"check": check})
    said = re.sub(r"\x1b\[\d*m", "", "\n".join(failure.value._render_traceback_()))
    shown = next(b for b in blocks("text") if "06.shuffle" in b)
    assert said.split() == shown.split()


def test_the_analysis_example_runs(tmp_path, monkeypatch):
    from lightcourse.models import mobilenet_v2

    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path))
    code = next(b for b in blocks("python") if "analyze(my_model" in b)
    names = {"my_model": mobilenet_v2().features}
    exec(code.replace("224, 224", "64, 64").replace("seconds=3", "seconds=1"), names)
    assert names["report"].params > 2_000_000 and names["report"].unknown == ()


def test_the_training_example_runs(tmp_path, monkeypatch, capsys):
    from torch import nn

    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    code = next(b for b in blocks("python") if "load(" in b)

    def make():
        return nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), nn.Linear(48, 10))

    names = {"my_model": make(), "make_plain": make, "make_light": make}
    exec(code.replace("train=1000, test=500", "train=128, test=50"), names)
    assert len(names["history"].epochs) == 2 and (tmp_path / "runs" / "mine").is_dir()
    assert "±" in capsys.readouterr().out


def test_the_networks_example_runs(tmp_path, monkeypatch, capsys):
    from lightcourse import list_models
    from lightcourse.models import FAMILIES

    monkeypatch.chdir(tmp_path)
    code = next(b for b in blocks("python") if "to_onnx(" in b)
    exec(code.replace("seconds=4", "seconds=0.2"), {})
    assert (tmp_path / "net.onnx").stat().st_size > 1_000_000
    said = capsys.readouterr().out
    assert "arXiv 1807.11164" in said and "c1 : c2 = 1 : 12" in said and "[0, 4, 8" in said
    assert f"{len(list_models())} networks of {len(FAMILIES)} families" in README


def test_the_analysis_prints_what_is_shown():
    from lightcourse import analyze, create_model

    shown = next(b for b in blocks("text") if "peak activation" in b)
    assert str(analyze(create_model("mobilenet_v2"))).endswith(shown.rstrip())


def test_the_table_has_every_chapter_and_no_other_is_called_ready():
    ready = re.findall(r"\| `(\d\d_\w+)` \|.*\*\*ready\*\*", README)
    assert ready == sorted(p.name for p in (ROOT / "course").glob("[0-9][0-9]_*"))


def test_every_picture_is_there():
    pictures = re.findall(r"!\[([^]]+)\]\(([^)]+)\)", README)
    assert len(pictures) == 4
    for words, path in pictures:
        assert len(words) > 20 and (ROOT / path).stat().st_size > 10_000


COMMANDS = [
    line.split("#")[0].strip()
    for block in blocks("sh")
    for line in block.splitlines()
    if line.startswith("lightcourse")
]


# what would take minutes runs on a few pictures: a later option wins
SMALL = {
    "train": "--data builtin16 --images 128 --epochs 1 --seeds 1 --batch 32",
    "study": "--images 300 --epochs 1 --seeds 2",
    "bench models": "--family mcunet --seconds 0.01",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_line_is_understood(command, tmp_path, monkeypatch, capsys):
    """Each line runs, in a folder with the files it names; windows stay closed."""
    import lightcourse.viz

    opened = []
    monkeypatch.setattr(lightcourse.viz, "demo", lambda name, **options: opened.append(name))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "home"))
    (tmp_path / "my_net.py").write_text(
        "from torch import nn\nbuild = nn.Sequential(nn.Conv2d(3, 8, 3))\n"
    )
    words = shlex.split(command)[1:]
    small = SMALL.get(" ".join(words[:2]), SMALL.get(words[0], ""))
    assert run([*words, *small.split()]) == 0
    assert capsys.readouterr().out or opened
