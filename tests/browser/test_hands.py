"""What hands do with a scene: keys, drags, clicks, hovering, playing, predicting, copying."""

import pytest
from browser_tools import middle, pixel
from viz_sample import sample_scene

from lightcourse.viz.theme import PALETTE

pytestmark = pytest.mark.browser


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


def test_the_chosen_button_stays_readable_under_the_mouse(page, show):
    """A hover style must not win over the chosen one: the mouse stands there after every click."""
    shown = show(page, sample_scene())
    button = page.locator(".lc-choice [role=radio]").nth(0)
    button.click()
    page.mouse.move(0, 0)
    at_rest = button.evaluate("b => getComputedStyle(b).backgroundColor")
    before = page.locator(".lc-choice").first.bounding_box()
    button.hover()
    assert button.get_attribute("aria-checked") == "true" and shown.state["net"] == 0
    assert button.evaluate("b => getComputedStyle(b).backgroundColor") == at_rest
    page.locator(".lc-choice [role=radio]").nth(1).click()
    assert page.locator(".lc-choice").first.bounding_box() == before, "choosing moves nothing"
