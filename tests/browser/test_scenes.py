"""Scenes in a real Chromium: what is drawn, what hands and keys do, what stays shut."""

import io
import json
import re
from xml.etree import ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_tools import Shown, scenes, some_states, watch
from PIL import Image
from viz_sample import sample_scene

from lightcourse.viz.scene import frame
from lightcourse.viz.theme import PALETTE

pytestmark = pytest.mark.browser
SCENES = scenes()
every_scene = pytest.mark.parametrize("name", SCENES)


def pixel(page, x: float, y: float) -> str:
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return "#{:02x}{:02x}{:02x}".format(*image.getpixel((round(x), round(y))))


def middle(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@every_scene
def test_javascript_and_python_agree_on_every_state(page, show, name):
    scene = SCENES[name]()
    shown = show(page, scene)
    states = some_states(scene)
    script = """(view, states) => states.map((s) => {
        view.set(s, { smooth: false, quiet: true }); return [view.state, view.frame()]; })"""
    for start in range(0, len(states), 50):
        chunk = states[start : start + 50]
        for state, (theirs, drawn) in zip(chunk, shown.call(script, chunk), strict=True):
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


def test_deep_link_and_keys(page, show):
    shown = show(page, sample_scene(), "&net=sh&step=1&px=6", "dark")
    assert shown.box.get_attribute("data-theme") == "dark"
    assert shown.state == {"net": 0, "step": 1, "stride": 0, "px": 6, "py": 3}
    page.keyboard.press("ArrowRight")
    assert shown.state["step"] == 2
    page.keyboard.press("ArrowRight")
    assert shown.state["step"] == 2  # the short net has three steps
    page.keyboard.press("Home")
    assert shown.state["step"] == 0
    page.keyboard.press("2")
    page.keyboard.press("End")
    assert (shown.state["net"], shown.state["step"]) == (1, 4)
    assert "net=long" in page.url and "step=4" in page.url and "theme=dark" in page.url
    page.keyboard.press("t")
    assert shown.box.get_attribute("data-theme") == "light"
    page.keyboard.press("r")
    assert (shown.state["net"], shown.state["step"]) == (0, 1)
    page.keyboard.press("?")
    assert "full screen" in shown.box.locator(".lc-keys").inner_text()


def test_a_teacher_can_hide_parts(page, show):
    shown = show(page, sample_scene(), "&hide=controls,text")
    assert shown.box.locator(".lc-svg").is_visible() and shown.box.locator("h1").is_visible()
    assert not shown.box.locator(".lc-controls").is_visible()
    assert not shown.box.locator(".lc-caption").is_visible()


def test_the_address_can_change_later(page, show):
    shown = show(page, sample_scene())
    page.evaluate("location.hash = '#step=3&net=long'")
    shown.wait("(view) => view.state.step === 3")
    assert shown.state["net"] == 1


def test_dragging_moves_state_and_pixels(page, show):
    shown = show(page, sample_scene())
    box = shown.mark("img").bounding_box()
    cell = box["width"] / 8
    target = (box["x"] + 6.5 * cell, box["y"] + 1.5 * cell)
    hi = PALETTE["light"]["hi"]
    assert pixel(page, *target) != hi
    page.mouse.move(*middle(shown.mark("img")))
    page.mouse.down()
    page.mouse.move(*target, steps=4)
    page.mouse.up()
    assert (shown.state["px"], shown.state["py"]) == (6, 1)
    assert pixel(page, *target) == hi
    page.mouse.move(*middle(shown.mark("img")))
    assert shown.state["px"] == 6  # the button is up: moving no longer drags
    page.mouse.down()
    page.mouse.move(-50, 2000)
    page.mouse.up()
    assert (shown.state["px"], shown.state["py"]) == (0, 7)  # outside: the nearest place


def test_sliders_and_choices(page, show):
    shown = show(page, sample_scene())
    slider = shown.box.locator("[data-param=step]")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    assert shown.state["step"] == 4
    assert shown.box.locator("output").first.inner_text() == "5 of 5"
    shown.box.get_by_role("radio", name="long").focus()
    page.keyboard.press("ArrowRight")
    assert (shown.state["net"], shown.state["step"]) == (0, 2)  # clamped to the shorter net
    assert shown.box.get_by_role("radio", name="short").get_attribute("aria-checked") == "true"
    shown.settle()
    assert not shown.mark("bar4").is_visible()


def test_marks_are_reached_and_moved_by_keys(page, show):
    shown = show(page, sample_scene())
    shown.mark("bar0").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    focused = "(view) => view.root.activeElement.dataset.id"
    assert shown.call(focused) == "bar2"
    page.keyboard.press("Enter")
    assert shown.state["step"] == 2
    assert shown.mark("bar2").get_attribute("aria-label") == "long: bar 2 is 160 px"
    tab_stops = shown.call(
        "(view) => view.nodes.filter((n) => n.tabIndex === 0).map((n) => n.dataset.id)"
    )
    assert tab_stops == ["img", "bar2"]
    page.keyboard.press("Escape")
    assert shown.call("(view) => view.root.activeElement === view.box")
    shown.mark("img").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    assert (shown.state["px"], shown.state["py"]) == (2, 7)


def test_hover_links_tells_and_holds_the_animation(page, show):
    shown = show(page, sample_scene())
    page.mouse.move(*middle(shown.mark("bar1")))
    assert shown.box.locator(".lc-tip.lc-on").inner_text() == "long: bar 1 is 110 px"
    faded = "(view) => view.nodes.filter((n) => n.matches('.lc-fade')).map((n) => n.dataset.id)"
    assert shown.call(faded) == ["bar0", "bar2", "bar4"]
    page.keyboard.press(" ")
    page.wait_for_timeout(900)
    assert shown.state["step"] == 0  # held while the pointer rests on a linked mark
    page.mouse.move(5, 5)
    shown.wait("(view) => view.state.step >= 2")
    assert shown.call(faded) == []


def test_play_pauses_ends_and_has_a_speed(page, show):
    shown = show(page, sample_scene())
    play = shown.box.locator(".lc-play")
    play.click()
    assert play.get_attribute("aria-label") == "Pause (Space)"
    play.click()
    assert play.get_attribute("aria-label") == "Play (Space)"
    shown.box.locator(".lc-pace").click()
    assert shown.call("(view) => view.speed") == 2
    play.click()
    shown.wait("(view) => !view.timer")
    assert shown.state["step"] == 4


def test_a_tween_passes_between_and_arrives(page, show):
    shown = show(page, sample_scene(step=1))
    at = "(view) => Number(view.box.querySelector('[data-id=slider]').getAttribute('cx'))"
    assert shown.call(at) == 300
    shown.call("(view) => view.set({ step: 4 })")
    seen = shown.host.evaluate(
        """async (host) => {
            const mark = host.lightcourse.box.querySelector("[data-id=slider]"), seen = [];
            const box = host.lightcourse.box;
            while (box.dataset.settled !== box.dataset.state) {
                await new Promise(requestAnimationFrame);
                seen.push(Number(mark.getAttribute("cx")));
            }
            return seen;
        }"""
    )
    assert seen == sorted(seen) and seen[-1] == 480
    assert any(300 < x < 480 for x in seen)


def test_reduced_motion_neither_plays_nor_tweens(open_context, show):
    page = open_context(reduced_motion="reduce").new_page()
    shown = show(page, sample_scene(), "&play=1")
    page.wait_for_timeout(900)
    assert shown.state["step"] == 0
    shown.call("(view) => view.set({ step: 4 })")
    assert shown.mark("slider").get_attribute("cx") == "480"


def test_autoplay_plays(page, show):
    shown = show(page, sample_scene(), "&play=1")
    shown.wait("(view) => view.state.step >= 1")


def test_predict_first(page, show):
    shown = show(page, sample_scene(), "&ask=1")
    page.keyboard.press("End")
    assert shown.state["step"] == 0  # closed until answered
    shown.box.get_by_role("button", name="55 px").click()
    assert shown.state["step"] == 1
    assert shown.box.locator(".lc-reply").inner_text() == "Not quite. Half of the long net's."
    marked = "(view) => [...view.box.querySelectorAll('.lc-answer')].map((n) => n.dataset.mark)"
    assert shown.call(marked) == ["wrong", "right"]
    page.keyboard.press("End")
    assert shown.state["step"] == 4
    page.keyboard.press("r")
    page.keyboard.press("End")
    assert shown.state["step"] == 0  # reset asks again


def test_an_invalid_state_is_shown_as_invalid(page, show):
    shown = show(page, sample_scene())
    assert not shown.box.locator(".lc-warn [role=status]").is_visible()
    shown.call("(view) => view.set({ stride: 3 })")
    assert "skips pixels" in shown.box.locator(".lc-warn").inner_text()
    assert "lc-invalid" in shown.box.get_attribute("class")
    assert shown.mark("img").is_visible()


def test_code_follows_the_state_and_copies(open_context, show):
    page = open_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
    shown = show(page, sample_scene(stride=1))
    page.locator("summary").click()
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("conv = nn.Conv2d(8, 8, 3, s")
    shown.call("(view) => view.set({ stride: 2 })")
    assert "stride=3" in page.locator("pre").inner_text()


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


# ---- inside other people's pages: notebook output ------------------------------------------------


def notebook(page, *outputs: str, body: str = "") -> None:
    page.set_content(
        f"<!doctype html><html lang=en><title>t</title><body {body}>{''.join(outputs)}"
    )


def test_each_copy_of_an_output_works_alone(page):
    output = sample_scene().inline()
    notebook(page, output, "<style>button{border:9px solid red!important}</style>", output)
    first, second = (Shown(page, f".lightcourse-scene >> nth={i}") for i in (0, 1))
    second.wait("(view) => true")
    first.call("(view) => view.set({ step: 2 })")
    assert (first.state["step"], second.state["step"]) == (2, 0)
    width = first.box.locator(".lc-play").evaluate("(n) => getComputedStyle(n).borderTopWidth")
    assert width == "0px"  # the page's style does not reach in


def test_keys_stay_inside(page):
    notebook(page, "<input id=before>", sample_scene().inline())
    shown = Shown(page)
    shown.wait("(view) => true")
    page.evaluate(
        "window.leaks = []; document.addEventListener('keydown', (e) => leaks.push(e.key))"
    )
    assert shown.host.get_attribute("data-lm-suppress-shortcuts") == "true"
    shown.box.focus()
    for key in ("b", "a", "ArrowRight", "d", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("leaks") == [] and shown.state["step"] == 1
    page.focus("#before")  # and we take none from the page
    page.keyboard.press("ArrowRight")
    assert page.evaluate("leaks") == ["ArrowRight"] and shown.state["step"] == 1


@pytest.mark.parametrize(
    "before,after",
    [
        ('data-jp-theme-light="true"', "document.body.dataset.jpThemeLight = 'false'"),
        (
            "data-vscode-theme-kind=vscode-light",
            "document.body.dataset.vscodeThemeKind = 'vscode-dark'",
        ),
        ("", "document.documentElement.setAttribute('theme', 'dark')"),
    ],
    ids=["jupyterlab", "vscode", "colab"],
)  # fmt: skip
def test_the_host_s_theme_is_followed(page, before, after):
    notebook(page, sample_scene().inline(), body=before)
    shown = Shown(page)
    shown.wait("(view) => true")
    assert shown.box.get_attribute("data-theme") == "light"
    page.evaluate(after)
    page.wait_for_timeout(100)
    assert shown.box.get_attribute("data-theme") == "dark"


def test_the_system_s_theme_is_followed(open_context):
    page = open_context(color_scheme="dark").new_page()
    notebook(page, sample_scene().inline())
    page.wait_for_selector(".lc[data-theme=dark]")
    page.emulate_media(color_scheme="light")
    page.wait_for_selector(".lc[data-theme=light]")


def test_a_scene_that_cannot_be_drawn_says_so_and_keeps_its_picture(page):
    broken = sample_scene().inline().replace('"v":1,', '"v":99,', 1)
    notebook(page, broken)
    page.get_by_role("alert").wait_for()
    assert "another version of lightcourse" in page.get_by_role("alert").inner_text()
    assert page.locator("img").is_visible()


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
