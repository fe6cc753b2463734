"""Scenes in a real JupyterLab: run, dragged, saved, reopened without a kernel, and live."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from browser_tools import Shown
from lab_server import Lab, serve, until
from PIL import Image, ImageChops
from playwright.sync_api import Page

from lightcourse import viz

pytestmark = [pytest.mark.browser, pytest.mark.slow]
COURSE = Path(__file__).parents[2] / "course"
CHAPTERS = (
    "01_convolution",
    "02_receptive_field",
    "03_resolution",
    "04_cost",
    "05_conv_variants",
    "06_operators",
    "07_classics",
    "08_squeezenet",
    "09_mobilenet_v1",
    "10_fd_mobilenet",
    "11_mobilenet_v2",
    "12_mobilenet_v3",
)
BOTH = (
    "from lightcourse import viz\nviz.channel_shuffle()",
    "viz.receptive_field()",
)
LIVE = (
    "from lightcourse import viz\nwidget = viz.channel_shuffle().widget()\nwidget",
    "print('step is', widget.state['step'])",
    "widget.set(step=5, groups='4')",
)


@pytest.fixture(scope="module")
def lab(chromium, tmp_path_factory) -> Iterator[Lab]:
    with serve(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture
def page(open_context) -> Iterator[Page]:
    """A page that may log no error and ask nobody but the server."""
    opened = open_context(offline=False, viewport={"width": 1400, "height": 1000}).new_page()
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(error.stack or str(error)))
    opened.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    local = ("http://127.0.0.1:", "data:", "blob:", "about:")
    opened.on("request", lambda r: None if r.url.startswith(local) else troubles.append(r.url))
    yield opened
    assert troubles == []


def scene(page: Page, number: int = 0) -> Shown:
    shown = Shown(page, f".jp-OutputArea-output .lightcourse-scene >> nth={number}")
    shown.host.wait_for(state="attached", timeout=90_000)
    shown.wait("(view) => true")
    shown.box.scroll_into_view_if_needed()
    return shown


def picture(shown: Shown) -> Image.Image:
    data = shown.box.locator(".lc-svg").screenshot(animations="disabled")
    return Image.open(io.BytesIO(data)).convert("RGB")


def drag_slider(shown: Shown, name: str) -> None:
    """Drag a slider from its start to its end with the mouse."""
    box = shown.box.locator(f"[data-param={name}]").bounding_box()
    y, mouse = box["y"] + box["height"] / 2, shown.page.mouse
    mouse.move(box["x"] + 8, y)
    mouse.down()
    mouse.move(box["x"] + box["width"] - 8, y, steps=6)
    mouse.up()


def check_moves(shown: Shown, name: str) -> None:
    shown.call(f"(view) => view.set({{ {name}: 0 }}, {{ smooth: false }})")
    before = picture(shown)
    drag_slider(shown, name)
    assert shown.state[name] > 2
    shown.settle()
    assert ImageChops.difference(before, picture(shown)).getbbox() is not None


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_released_chapter_shows_its_scene(lab, page, chapter):
    name = f"{chapter}.ipynb"
    shutil.copy(COURSE / chapter / name, lab.root / name)
    lab.open(page, name)
    lab.run_all(page)
    shown = scene(page)
    steps = shown.call("(view) => view.spec.params.filter((p) => p.kind === 'step')")
    check_moves(shown, steps[0]["name"])
    lab.stop_kernels()


def test_work_save_and_reopen_without_a_kernel(lab, page):
    lab.write("both.ipynb", *BOTH)
    lab.open(page, "both.ipynb")
    lab.run_all(page)
    shuffle, field = scene(page), scene(page, 1)
    check_moves(field, "layer")
    keys_are_not_stolen(page, shuffle)
    theme_is_followed(page, shuffle)
    saved = lab.save(page, "both.ipynb")
    assert "widgets" not in saved.metadata
    lab.stop_kernels()
    lab.open(page, "both.ipynb")
    again = scene(page, 1)
    check_moves(again, "layer")
    check_moves(scene(page), "step")


def keys_are_not_stolen(page: Page, shown: Shown) -> None:
    shown.box.scroll_into_view_if_needed()
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    shown.box.locator(".lc-title").click()  # focus as a reader gives it: with the mouse
    shown.box.focus()
    shown.call("(view) => view.set({ step: 0 })")
    for key in ("b", "a", "x", "d", "d", "ArrowRight"):
        page.keyboard.press(key)
    assert shown.state["step"] == 1
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    page.locator(".jp-InputPrompt").first.click()  # outside, the notebook's keys work
    page.keyboard.press("b")
    page.wait_for_function(f"document.querySelectorAll('.jp-Notebook .jp-Cell').length > {cells}")
    page.keyboard.press("z")
    page.wait_for_function(f"document.querySelectorAll('.jp-Notebook .jp-Cell').length == {cells}")


def theme_is_followed(page: Page, shown: Shown) -> None:
    assert shown.box.get_attribute("data-theme") == "light"
    change = "(name) => jupyterapp.commands.execute('apputils:change-theme', { theme: name })"
    for theme in ("Dark", "Light"):
        page.wait_for_selector("#jupyterlab-splash", state="detached")  # a second one makes it trip
        page.evaluate(change, f"JupyterLab {theme}")
        shown.wait(f"(view) => view.box.dataset.theme === '{theme.lower()}'")


def test_an_untrusted_notebook_shows_the_still_picture(lab, page):
    """Somebody else's notebook may run no script here; its pictures must not be blank."""
    cell = nbformat.v4.new_code_cell("viz.channel_shuffle()")
    cell.outputs = [
        nbformat.v4.new_output("display_data", {"text/html": viz.channel_shuffle().inline()})
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), lab.root / "theirs.ipynb")
    lab.open(page, "theirs.ipynb")
    still = page.locator(".jp-OutputArea-output img")
    still.wait_for()
    size = still.evaluate("(n) => n.decode().then(() => [n.naturalWidth, n.naturalHeight])")
    assert size == viz.channel_shuffle().spec["size"]
    assert page.get_by_text("trust the notebook").is_visible()
    assert page.locator(".lc").count() == 0


def test_the_widget_goes_both_ways(lab, page):
    lab.write("live.ipynb", *LIVE[:1])
    lab.open(page, "live.ipynb")
    lab.run_all(page)
    shown = scene(page)
    run = page.locator(".jp-Notebook .jp-Cell")
    shown.call("(view) => view.step(3)")  # JavaScript to Python
    append_and_run(page, LIVE[1])
    run.last.get_by_text("step is 3").wait_for(timeout=20_000)
    append_and_run(page, LIVE[2])  # Python to JavaScript
    shown.wait("(view) => view.state.step === 5 && view.state.groups === 2")
    lab.stop_kernels()
    until(lambda: not lab.ask("kernels"))


def append_and_run(page: Page, code: str) -> None:
    cells = page.locator(".jp-Notebook .jp-Cell")
    count = cells.count()
    cells.last.locator(".jp-InputPrompt").click()
    page.keyboard.press("b")
    page.wait_for_function(f"document.querySelectorAll('.jp-Notebook .jp-Cell').length > {count}")
    page.keyboard.press("Enter")
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")
