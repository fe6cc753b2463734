"""`demo`: the page it leaves behind, the window it opens, and what it says when it cannot."""

import os
import stat
import subprocess
import sys
import webbrowser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser_tools import Shown, watch

from lightcourse import viz
from lightcourse.errors import UserError
from lightcourse.viz import demo as demo_function
from lightcourse.viz.demo import find_browser

module = sys.modules["lightcourse.viz.demo"]
needs_a_shell = pytest.mark.skipif(os.name == "nt", reason="the stand-in browser is a shell script")


@pytest.fixture(autouse=True)
def own_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def no_browser(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(module.shutil, "which", lambda name: None)


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Make a browser that notes how it was called and then runs `does`."""

    def make(does: str) -> Path:
        noted, script = tmp_path / "called", tmp_path / "browser"
        script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {noted}\n{does}\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("CHROMIUM", str(script))
        return noted

    yield make
    for process in module._windows:
        process.kill()
        process.wait()
    module._windows.clear()


def test_only_the_page(capsys):
    page = demo_function("channel-shuffle", set={"step": 2}, open_window=False)
    assert page.is_file() and page.name == "channel-shuffle.html"
    assert capsys.readouterr().out.strip() == page.as_uri() + "#theme=light"
    assert "http" not in page.read_text().replace("http://www.w3.org/2000/svg", "").replace(
        "http-equiv", ""
    )


@needs_a_shell
def test_the_window_and_its_address(stand_in, capsys):
    noted = stand_in("sleep 30")
    page = demo_function("channel-shuffle", theme="dark", play=True)
    app, *_ = noted.read_text().splitlines()
    assert app == f"--app={page.as_uri()}#theme=dark&play=1"
    assert page.as_uri() in capsys.readouterr().out


@needs_a_shell
def test_a_browser_that_gives_up_is_followed_by_the_default_one(stand_in, monkeypatch, capsys):
    """Chromium started as root ends at once with an error; the page must still open."""
    stand_in("exit 1")
    opened: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    page = demo_function("channel-shuffle")
    assert opened == [page.as_uri() + "#theme=light"]
    assert "No browser" not in capsys.readouterr().out


@needs_a_shell
def test_a_browser_that_hands_over_and_ends_well_is_enough(stand_in, monkeypatch, capsys):
    stand_in("exit 0")
    monkeypatch.setattr(webbrowser, "open", lambda url: pytest.fail("opened twice"))
    demo_function("channel-shuffle")
    assert "No browser" not in capsys.readouterr().out


@pytest.mark.usefixtures("no_browser")
def test_no_browser_is_one_clear_sentence(monkeypatch, capsys):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    page = demo_function("channel-shuffle")
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(page.as_uri())
    assert second.startswith("No browser could be started here") and str(page) in second


@pytest.mark.usefixtures("no_browser")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has no display")
def test_without_a_display_no_text_browser_is_started(monkeypatch, capsys):
    for name in module.DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(webbrowser, "open", lambda url: pytest.fail("started in the terminal"))
    demo_function("channel-shuffle")
    assert "No browser could be started here" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments,says",
    [
        ({"name": "chanel-shufle"}, "did you mean channel-shuffle"),
        ({"name": "zzz"}, "choose sliding-kernel, receptive-field"),
        ({"name": "channel-shuffle", "set": {"stp": 1}}, "did you mean 'step'"),
        ({"name": "channel-shuffle", "set": {"step": 99}}, "choose 0 to"),
        ({"name": "channel-shuffle", "set": {"groups": "many"}}, "2, 3, 4, 6"),
        ({"name": "channel-shuffle", "theme": "pink"}, "light, dark"),
    ],
)
def test_wrong_calls_name_the_way_out(tmp_path, arguments, says):
    with pytest.raises(UserError, match=says):
        demo_function(**arguments, open_window=False)
    assert not list(tmp_path.glob("lightcourse-*"))


def test_an_unwritable_place_is_one_sentence(monkeypatch):
    monkeypatch.setattr(module.tempfile, "tempdir", str(Path("no", "such", "place")))
    with pytest.raises(UserError, match="cannot write"):
        demo_function("channel-shuffle", open_window=False)


def test_chromium_can_be_named(monkeypatch):
    monkeypatch.setenv("CHROMIUM", sys.executable)
    assert find_browser() == sys.executable


@pytest.mark.browser
def test_the_page_outlives_the_process_that_wrote_it(open_context, tmp_path):
    code = (
        "from lightcourse import demo; "
        "demo('receptive-field', set={'net': 'fast', 'layer': 3}, theme='dark', open_window=False)"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path), "TEMP": str(tmp_path)}
    run = [sys.executable, "-c", code]
    out = subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout
    assert Path(urlsplit(out.strip()).path).is_file()
    page = open_context().new_page()
    troubles = watch(page)
    page.goto(out.strip())
    shown = Shown(page)
    shown.wait("(view) => true")
    expected = viz.receptive_field().at(net="fast", layer=3).state
    assert shown.state == expected
    assert shown.box.get_attribute("data-theme") == "dark"
    assert troubles == []
