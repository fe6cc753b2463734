"""The block scenes in a real browser: dragged, played, pointed at, and closed until predicted."""

import re

import pytest
from browser_tools import middle, some_states
from torch import nn

from lightcourse import viz
from lightcourse.nn import InvertedResidual
from lightcourse.viz.scene import frame

pytestmark = pytest.mark.browser

TWINS = """(view, states) => states.map((s) => {
    view.set(s, { smooth: false, quiet: true }); return [view.state, view.frame()]; })"""
KINDS = ("fire", "separable", "inverted", "bneck", "mbconv", "shuffle-v1", "shuffle-v2", "ghost",
         "shift")  # fmt: skip


def said(shown):
    return shown.box.locator(".lc-caption [aria-live]").inner_text()


@pytest.mark.parametrize("kind", KINDS)
def test_the_corner_of_a_box_drags_its_channels(page, show, kind):
    """It follows the pointer to both ends of its slider."""
    scene = viz.blocks(kind)
    shown = show(page, scene)
    handle = shown.mark("handle")
    name = next(m for m in scene.spec["marks"] if m["id"] == "handle")["drag"]["x"]
    count = next(p["n"] for p in scene.spec["params"] if p["name"] == name)
    for far, wanted in ((-500, 0), (500, count - 1)):
        x, y = middle(handle)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + far, y, steps=5)
        page.mouse.up()
        assert shown.state[name] == wanted
    right = middle(handle)[0]
    handle.focus()
    page.keyboard.press("ArrowLeft")
    assert shown.state[name] == count - 2
    assert middle(handle)[0] < right


def test_the_shortcut_comes_and_goes_with_stride_and_channels(page, show):
    shown = show(page, viz.blocks("inverted"))
    assert shown.mark("name4").text_content() == "add"
    shown.box.get_by_role("radiogroup", name="Stride").get_by_text("2").click()
    shown.settle()
    assert shown.mark("name4").text_content() == "no shortcut"
    assert "No shortcut: 56×56 ≠ 28×28." in said(shown)
    shown.box.get_by_role("radiogroup", name="Stride").get_by_text("1").click()
    shown.box.get_by_role("radiogroup", name="Channels out").get_by_text("32").click()
    assert "No shortcut: 24 ≠ 32 channels." in said(shown)


def test_a_bypass_that_cannot_be_is_shown_as_invalid_with_the_reason(page, show):
    shown = show(page, viz.blocks("fire"), "&bypass=on")
    assert "lc-invalid" in shown.box.get_attribute("class")
    assert (
        "must give out its 96 channels" in shown.box.locator(".lc-warn [role=status]").inner_text()
    )
    assert shown.mark("refused").is_visible()
    shown.box.get_by_text("fire3: 128 in").click()
    shown.settle()
    assert "lc-invalid" not in shown.box.get_attribute("class")
    assert not shown.mark("refused").is_visible() and shown.mark("name5").text_content() == "add"


def test_playing_sends_the_pulse_through_the_block(page, show):
    shown = show(page, viz.blocks("bneck"))
    page.keyboard.press("Home")
    shown.settle()
    assert shown.state["step"] == 0 and not shown.mark("num1_0").is_visible()
    page.keyboard.press("Space")
    shown.wait("(view) => view.state.step >= 2")
    page.keyboard.press("Space")
    shown.settle()
    assert shown.mark("num1_0").is_visible() and not shown.mark("num6_0").is_visible()
    assert "Alive now" in said(shown)


def test_pointing_at_a_box_lights_its_row_and_tells_its_shares(page, show):
    shown = show(page, viz.blocks("inverted"))
    page.mouse.move(*middle(shown.mark("box2")))
    faded = shown.call(
        "(v) => v.nodes.filter((n) => n.matches('.lc-fade')).map((n) => n.dataset.id)"
    )
    assert {"box1", "name1", "bar1_0", "bar3_2"} <= set(faded)
    assert not {"box2", "name2", "bar2_0", "num2_3"} & set(faded)
    tip = shown.box.locator(".lc-tip").inner_text()
    assert "Conv2d + BatchNorm2d + ReLU6" in tip and "16% of MACs" in tip


@pytest.mark.parametrize("kind", KINDS)
def test_the_numbers_stay_closed_until_they_are_predicted(page, show, kind):
    shown = show(page, viz.blocks(kind), "&ask=1")
    assert shown.state["step"] == 0
    visible = [m for m in range(4) if shown.mark(f"num2_{m}").is_visible()]
    assert not visible and not re.search(r"\d%", said(shown))
    shown.box.locator(".lc-answer").first.click()
    assert shown.state["step"] == 1
    assert shown.box.locator(".lc-reply [aria-live]").inner_text()


def test_an_own_block_is_drawn_alike_by_javascript_and_python(page, show):
    block = nn.Sequential(*InvertedResidual(16, 24, stride=2, expansion=4).conv)
    scene = viz.blocks("inverted", block, 40)
    shown = show(page, scene)
    states = some_states(scene)
    for state, (theirs, drawn) in zip(states, shown.call(TWINS, states), strict=True):
        assert theirs == state and drawn == frame(scene.spec, state)
    assert shown.box.locator("h1").inner_text() == "Sequential, stage by stage"
