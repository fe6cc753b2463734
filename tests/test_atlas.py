"""The atlas: complete, found in both languages, and every place and symbol it names exists."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from lightcourse.atlas import entries, find
from lightcourse.authoring.source import find_chapters
from lightcourse.cli import run
from lightcourse.errors import UserError

ROOT = Path(__file__).parents[1]
WRITTEN = {path.stem[:2]: path.read_text(encoding="utf-8") for path in find_chapters(ROOT)}
ALL = entries()


def test_every_idea_of_the_inventory_is_there_once() -> None:
    assert len(ALL) == 268 == len({e.id for e in ALL})
    assert all(e.en and e.zh and e.kind for e in ALL)
    assert {e.chapter for e in ALL} == {f"{n:02d}" for n in range(1, 24)}


@pytest.mark.parametrize("entry", [e for e in ALL if e.section], ids=lambda e: e.id)
def test_the_section_is_a_heading_of_the_chapter(entry) -> None:
    headings = re.findall(r"^# #{2,3} (.+)$", WRITTEN[entry.chapter], re.M)
    assert any(heading.startswith(entry.section) for heading in headings)


@pytest.mark.parametrize("entry", [e for e in ALL if e.symbol], ids=lambda e: e.id)
def test_the_symbol_can_be_imported(entry) -> None:
    module, _, name = entry.symbol.rpartition(".")
    assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize(
    ("term", "first"),
    [
        ("channel shuffle", "channel_shuffle"),
        ("感受野", "receptive_field"),
        ("hswish", "act_hswish"),
        ("h-swish", "act_hswish"),
        ("channel shufle", "channel_shuffle"),
        ("FD-MobileNet", "fd_mobilenet"),
    ],
)
def test_found_in_both_languages_and_misspelt(term: str, first: str) -> None:
    assert find(term)[0].id == first


@pytest.mark.parametrize("term", ["", "   ", "xyzzyxq", "电饭锅"])
def test_nothing_near_is_said(term: str) -> None:
    with pytest.raises(UserError, match="nothing like"):
        find(term)


def test_the_command(capsys) -> None:
    assert run(["atlas", "通道混洗"]) == 0
    assert "lightcourse.nn.channel_shuffle" in capsys.readouterr().out
    assert run(["atlas", "--chapter", "2"]) == 0
    assert len(capsys.readouterr().out.strip().split("\n\n")) == 2
    assert run(["atlas", "电饭锅"]) == 2
    assert "nothing like" in capsys.readouterr().err
    assert run(["atlas"]) == 2


def test_prints_and_escapes() -> None:
    assert "arXiv 1707.01083" in str(find("channel shuffle")[0])
    assert "<b>" in find("channel shuffle")[0]._repr_html_()
