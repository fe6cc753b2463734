"""The Pareto picture in a real Chromium: hands on the budget line, points and costs."""

import re

import pytest
from browser_tools import middle, some_states
from torch import nn

from lightcourse import viz
from lightcourse.viz.scene import caption, frame
from lightcourse.viz.scenes import _par_own

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def scene():
    return viz.pareto()


def own():
    """A learner's network, without times because the others' are from another machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_par_own, "here", lambda: "elsewhere")
        return viz.pareto(own={"mine": (nn.Sequential(nn.Conv2d(3, 8, 3, 2)), 61.0, 64)})


def test_javascript_and_python_agree_on_own_networks(page, show):
    scene = own()
    shown = show(page, scene)
    states = some_states(scene, 60)
    script = """(view, states) => states.map((s) => {
        view.set(s, { smooth: false, quiet: true });
        return [view.frame(), view.box.querySelector(".lc-caption [aria-live]").textContent]; })"""
    for state, (drawn, said) in zip(states, shown.call(script, states), strict=True):
        assert drawn == frame(scene.spec, state), state
        assert said == caption(scene.spec, state)


def drag(page, shown, dx):
    x, y = middle(shown.mark("budget"))
    box = shown.mark("grab").bounding_box()
    y = box["y"] + 0.97 * box["height"]  # at the handle: no point lies there
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y, steps=6)
    page.mouse.up()


def test_the_budget_line_is_dragged_on_the_picture(page, show, scene):
    shown = show(page, scene)
    start = shown.state
    scale = shown.call("(view) => view.svg.getScreenCTM().a")
    cell = next(m for m in scene.spec["marks"] if m["id"] == "grab")["drag"]["cell"] * scale
    drag(page, shown, -6 * cell)
    assert shown.state == start | {"budget": start["budget"] - 6}
    shown.settle()
    named = shown.mark("name").text_content()
    assert named == scene.at(budget=start["budget"] - 6).frame()[
        [m["id"] for m in scene.spec["marks"]].index("name")
    ]["s"]  # fmt: skip
    drag(page, shown, 2000)
    assert shown.state["budget"] == 35
    shown.settle()
    assert "60 of 60" in shown.box.locator(".lc-caption [aria-live]").inner_text()
    shown.mark("grab").focus()
    page.keyboard.press("ArrowLeft")
    assert shown.state["budget"] == 34
    label = shown.mark("grab").get_attribute("aria-label")
    assert re.fullmatch(r"Budget: .+ MACs\. Arrow keys move it", label)


def test_a_click_chooses_a_network_and_the_budget_takes_over_again(page, show, scene):
    shown = show(page, scene)
    rows = [m for m in scene.spec["marks"] if m["id"].startswith("net")]
    point = next(m for m in rows if "SqueezeNet 1.1" in str(m["tip"]))
    page.mouse.click(*middle(shown.mark(point["id"])))
    assert shown.state["pick"] == point["set"]["pick"]
    assert shown.mark("name").text_content() == "SqueezeNet 1.1"
    text = shown.box.locator(".lc-caption [aria-live]").inner_text()
    assert "SqueezeNet 1.1, your choice, is beaten by " in text
    page.mouse.click(*middle(shown.mark("follow")))
    assert shown.state["pick"] == 0
    shown.mark(point["id"]).focus()
    page.keyboard.press("Enter")
    assert shown.state["pick"] == point["set"]["pick"]
    drag(page, shown, -20)
    assert shown.state["pick"] == 0


def test_hovering_a_network_names_it_and_lights_its_family(page, show, scene):
    shown = show(page, scene)
    rows = [m for m in scene.spec["marks"] if m["id"].startswith("net")]
    point = next(m for m in rows if "SqueezeNet 1.1" in str(m["tip"]))
    page.mouse.move(*middle(shown.mark(point["id"])))
    tip = shown.box.locator(".lc-tip.lc-on").inner_text()
    assert tip == "SqueezeNet 1.1: 57.5 % for 349 M MACs"
    lit = "(view) => view.nodes.filter((n) => /^net/.test(n.dataset.id) && " \
          "!n.matches('.lc-fade')).map((n) => n.dataset.id)"  # fmt: skip
    family = [m["id"] for m in rows if m["link"] == point["link"]]
    assert shown.call(lit) == family and 1 < len(family) < 6


def test_a_click_on_a_cost_puts_it_on_the_axis(page, show, scene):
    shown = show(page, scene)
    before = shown.mark("net7").get_attribute("cx")
    page.mouse.click(*middle(shown.mark("cell2")))
    assert shown.state["x"] == 2
    shown.settle()
    assert shown.mark("net7").get_attribute("cx") != before
    assert shown.mark("x_title").text_content().startswith("bytes read and written")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    assert shown.state["x"] == 3


def test_times_stay_closed_until_the_question_is_answered(page, show, scene):
    shown = show(page, scene, "&ask=1")
    first = scene.spec["ask"]["from"]
    page.mouse.click(*middle(shown.mark(f"cell{first}")))
    assert shown.state["x"] == first - 1
    answer = scene.spec["ask"]["answer"]
    shown.box.locator(".lc-answer").nth(answer).click()
    assert shown.state["x"] == first
    assert shown.box.locator(".lc-reply").inner_text().startswith("Right. ")


def test_what_is_beyond_the_budget_fades(page, show, scene):
    shown = show(page, scene, "&budget=0")
    seen = shown.call("(view) => view.frame().filter((m) => /^net/.test(m.id) && m.opacity > 0.3)"
                      ".map((m) => m.cx)")  # fmt: skip
    line = float(shown.mark("budget").get_attribute("x1"))
    assert 0 < len(seen) < 5 and max(seen) <= line + 0.1
