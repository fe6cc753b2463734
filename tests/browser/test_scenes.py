"""Every scene in a real Chromium: what is drawn, for whom, and what stays shut."""

import io
import json
import re
from xml.etree import ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_tools import pixel, scenes, some_states, watch
from PIL import Image
from viz_sample import sample_scene

from lightcourse.viz.scene import frame
from lightcourse.viz.theme import PALETTE

pytestmark = pytest.mark.browser
SCENES = scenes()
every_scene = pytest.mark.parametrize("name", SCENES)


@every_scene
def test_javascript_and_python_agree_on_every_state(page, show, name):
    scene = SCENES[name]()
    shown = show(page, scene)
    states = some_states(scene)
    script = """(view, states) => states.map((s) => {
        view.set(s, { smooth: false, quiet: true });
        return JSON.stringify([view.state, view.frame()]); })"""  # a text: Playwright packs slowly
    for start in range(0, len(states), 50):
        chunk = states[start : start + 50]
        for state, text in zip(chunk, shown.call(script, chunk), strict=True):
            theirs, drawn = json.loads(text)
            assert theirs == state
            assert drawn == frame(scene.spec, state), state


@every_scene
def test_the_frame_never_moves(page, show, name):
    scene = SCENES[name]()
    shown = show(page, scene)
    script = """(view, states) => states.map((s) => {
        view.set(s, { smooth: false, quiet: true });
        const { x, y, width, height } = view.svg.getBoundingClientRect();
        return [x, y, width, height, view.box.scrollHeight]; })"""
    assert len({tuple(place) for place in shown.call(script, some_states(scene, 40))}) == 1


@every_scene
@pytest.mark.parametrize("theme", PALETTE)
def test_no_accessibility_violation(page, show, name, theme):
    show(page, SCENES[name](), "&ask=1", theme)
    page.locator("summary").click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@every_scene
def test_a_narrow_window_needs_no_sideways_scrolling(open_context, show, name):
    page = open_context(viewport={"width": 420, "height": 800}).new_page()
    shown = show(page, SCENES[name](), "&ask=1")
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    assert shown.call("(view) => view.box.scrollWidth - view.box.clientWidth") <= 0
    right = shown.call(
        "(view) => Math.max(...[...view.box.querySelectorAll('button, output, input')]"
        ".map((n) => n.getBoundingClientRect().right))"
    )
    assert right <= 420


@every_scene
def test_the_saved_picture_is_the_exported_one(page, show, name):
    """The page's own SVG and Python's have the same shapes in the same places and colours."""
    scene = SCENES[name]()
    shown = show(page, scene)
    theirs, ours = (
        [
            [n.tag, *(n.get(a) for a in ("x", "y", "cx", "x1", "width", "d", "fill", "stroke"))]
            for n in ElementTree.fromstring(text)
            if n.tag.rpartition("}")[2] not in ("title", "desc")
        ]
        for text in (shown.call("(view) => view.svgText()"), scene.svg("light"))
    )
    assert theirs == ours


def test_saving_pictures_from_the_page(page, show):
    shown = show(page, sample_scene(), "", "dark")
    for key, suffix in (("p", "png"), ("Shift+P", "svg")):
        with page.expect_download() as waiting:
            page.keyboard.press(key)
        assert waiting.value.suggested_filename == f"sample.{suffix}"
        data = waiting.value.path().read_bytes()
        if suffix == "png":
            image = Image.open(io.BytesIO(data)).convert("RGB")
            assert image.size == (1200, 600)
            assert "#{:02x}{:02x}{:02x}".format(*image.getpixel((5, 5))) == PALETTE["dark"]["bg"]
        else:
            assert "var(" not in data.decode()
    assert shown.state == sample_scene().state


def test_full_screen_and_back(page, show):
    shown = show(page, sample_scene())
    page.keyboard.press("f")
    shown.wait("(view) => document.fullscreenElement")
    page.keyboard.press("f")
    shown.wait("(view) => !document.fullscreenElement")
    assert "lc-big" in shown.box.get_attribute("class")  # a page stays full-window


def test_the_page_refuses_the_network(open_context, show):
    """Not only does it ask for nothing: its policy stops whoever would."""
    page = open_context(offline=False).new_page()
    troubles = watch(page)
    show(page, sample_scene())
    assert troubles == []
    broken = page.evaluate(
        """async () => {
            const seen = [];
            addEventListener("securitypolicyviolation", (e) => seen.push(e.effectiveDirective));
            document.body.append(Object.assign(new Image(), { src: "http://127.0.0.1:9/x.png" }));
            document.body.append(Object.assign(document.createElement("script"), { text: "0" }));
            await fetch("http://127.0.0.1:9/").catch(() => 0);
            await new Promise((done) => setTimeout(done, 200));
            return seen.sort();
        }"""
    )
    assert broken == ["connect-src", "img-src", "script-src-elem"]


def test_without_scripts_the_picture_stands(open_context, show, tmp_path):
    page = open_context(java_script_enabled=False).new_page()
    file = tmp_path / "still.html"
    file.write_text(sample_scene().html(), encoding="utf-8")
    page.goto(file.as_uri())
    picture = page.locator("img")
    assert picture.bounding_box()["width"] == 600
    assert picture.get_attribute("alt").endswith("the bar is 60 px wide.")
    assert pixel(page, *(60, 60)) != "#ffffff"


def test_forced_colours_still_tell_what_is_chosen(open_context, show):
    page = open_context(forced_colors="active").new_page()
    shown = show(page, sample_scene())
    style = "(n) => getComputedStyle(n).outlineStyle"
    assert shown.box.get_by_role("radio", name="long").evaluate(style) == "solid"
    assert shown.box.get_by_role("radio", name="short").evaluate(style) != "solid"


def test_state_is_readable_from_the_page(page, show):
    shown = show(page, sample_scene(step=2))
    assert json.loads(shown.box.get_attribute("data-state")) == sample_scene(step=2).state
    label = shown.box.locator(".lc-svg").get_attribute("aria-label")
    assert re.fullmatch(r"A picture .* Step 3 of the long net: the bar is 160 px wide\.", label)
