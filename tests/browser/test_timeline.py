"""The timeline and the gradient's way in a real Chromium: years, points, a dragged line, play."""

import re

import pytest
from browser_tools import middle, some_states
from torch import nn

from lightcourse import viz
from lightcourse.viz.scene import caption, frame

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def years():
    return viz.timeline()


@pytest.fixture(scope="module")
def gradients():
    return viz.gradient_flow()


def said(shown):
    return shown.box.locator(".lc-caption [aria-live]").inner_text()


# -- timeline -------------------------------------------------------------------------------------


def test_a_click_on_a_year_shows_the_networks_up_to_it(page, show, years):
    shown = show(page, years)
    names = years.spec["tables"]["year_s"]
    page.mouse.click(*middle(shown.mark(f"year{names.index(2014)}")))
    assert shown.state["year"] == names.index(2014)
    shown.settle()
    seen = shown.call("(view) => view.frame().filter((m) => /^net/.test(m.id) && m.opacity > 0)"
                      ".length")  # fmt: skip
    assert seen == years.spec["tables"]["px"][1:].index(max(
        x for x in years.spec["tables"]["px"][1:] if x < shown_right(years, 2014)
    )) + 1  # fmt: skip
    assert said(shown).startswith("2014 brings 2 networks")


def shown_right(scene, year):
    band = scene.spec["tables"]["year_s"].index(year)
    mark = next(m for m in scene.spec["marks"] if m["id"] == f"band{band}")
    return mark["x"] + mark["width"]


def test_a_click_on_a_point_shows_what_the_network_added(page, show, years):
    shown = show(page, years)
    point = next(m for m in years.spec["marks"] if str(m.get("tip")).startswith("SqueezeNet,"))
    page.mouse.click(*middle(shown.mark(point["id"])))
    assert shown.state["pick"] == point["set"]["pick"]
    assert shown.mark("name").text_content() == "SqueezeNet"
    assert "Fire" in shown.mark("added0").text_content()
    assert shown.mark("macs_p").text_content() == "none"
    assert "squeezenet1_0" in shown.box.locator("pre").text_content()
    page.mouse.click(*middle(shown.mark("follow")))
    assert shown.state["pick"] == 0
    inset = shown.mark(f"in_{point['id']}")
    inset.focus()
    page.keyboard.press("Enter")
    assert shown.state["pick"] == point["set"]["pick"]


def test_both_points_of_a_network_light_up_together(page, show, years):
    shown = show(page, years)
    point = next(m for m in years.spec["marks"] if str(m.get("tip")).startswith("VGG-16,"))
    page.mouse.move(*middle(shown.mark(point["id"])))
    tip = shown.box.locator(".lc-tip.lc-on").inner_text()
    assert tip == "VGG-16, 2014: 71.5 %, 15.5 G MACs, 138 M parameters"
    lit = "(view) => view.nodes.filter((n) => /net/.test(n.dataset.id) && " \
          "!n.matches('.lc-fade')).map((n) => n.dataset.id)"  # fmt: skip
    assert shown.call(lit) == [point["id"], f"in_{point['id']}"]


def test_the_line_of_the_least_accuracy_is_dragged(page, show, years):
    shown = show(page, years)
    x, y = middle(shown.mark("least"))
    scale = shown.call("(view) => view.svg.getScreenCTM().a")
    grab = next(m for m in years.spec["marks"] if m["id"] == "grab")
    x = shown.mark("handle").bounding_box()["x"] + 3
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 2 * grab["drag"]["cell"] * scale, steps=5)
    page.mouse.up()
    assert shown.state["least"] == 0
    assert "at least 80 %" in said(shown)
    shown.mark("grab").focus()
    page.keyboard.press("ArrowDown")
    assert shown.state["least"] == 1


def test_later_years_stay_closed_until_the_question_is_answered(page, show, years):
    shown = show(page, years, "&ask=1")
    first = years.spec["ask"]["from"]
    page.mouse.click(*middle(shown.mark(f"year{first + 1}")))
    assert shown.state["year"] == first - 1
    shown.box.locator(".lc-answer").nth(years.spec["ask"]["answer"]).click()
    assert shown.state["year"] == first
    assert shown.box.locator(".lc-reply").inner_text().startswith("Right. ")


# -- gradient flow --------------------------------------------------------------------------------


def test_play_carries_the_gradient_to_the_first_layer(page, show, gradients):
    shown = show(page, gradients, "&depth=0&back=0")
    lit = "(view) => view.frame().filter((m) => /^bar0/.test(m.id) && m.opacity > 0).length"
    assert shown.call(lit) == 1
    page.keyboard.press("ArrowRight")
    assert shown.state["back"] == 1 and shown.call(lit) == 2
    page.keyboard.press("Space")
    shown.wait("(view) => view.state.back === 6")
    shown.settle()
    assert shown.call(lit) == 7
    assert "First layer against last" in said(shown)


def test_fewer_layers_shorten_the_way(page, show, gradients):
    shown = show(page, gradients)
    assert shown.state["back"] == 18
    shown.call("(view) => view.set({ ...view.state, depth: 0 })")
    assert shown.state["back"] == 6
    shown.settle()
    assert "6 of 6 more" in said(shown)


def test_a_bar_names_its_layer_and_lights_its_twin(page, show, gradients):
    shown = show(page, gradients, "&depth=1")
    page.mouse.move(*middle(shown.mark("bar0_3")))
    tip = shown.box.locator(".lc-tip.lc-on").inner_text()
    assert re.fullmatch(r"plain, 3 before the last: [\d.]+", tip)
    lit = "(view) => view.nodes.filter((n) => /^bar/.test(n.dataset.id) && " \
          "!n.matches('.lc-fade')).map((n) => n.dataset.id)"  # fmt: skip
    assert shown.call(lit) == ["bar0_3", "bar1_3"]


def test_the_way_back_stays_closed_until_the_question_is_answered(page, show, gradients):
    shown = show(page, gradients, "&ask=1")
    page.keyboard.press("ArrowRight")
    assert shown.state["back"] == 0
    shown.box.locator(".lc-answer").nth(gradients.spec["ask"]["answer"]).click()
    assert shown.state["back"] == 1


def test_javascript_and_python_agree_on_own_networks(page, show):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.Flatten(),
                        nn.Linear(5 * 16, 3))  # fmt: skip
    deeper = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1), nn.ReLU(), *net)
    scene = viz.gradient_flow({"mine": net, "deeper": deeper}, (3, 8, 8))
    shown = show(page, scene)
    script = """(view, states) => states.map((s) => {
        view.set(s, { smooth: false, quiet: true });
        return [view.frame(), view.box.querySelector(".lc-caption [aria-live]").textContent]; })"""
    states = some_states(scene, 40)
    for state, (drawn, text) in zip(states, shown.call(script, states), strict=True):
        assert drawn == frame(scene.spec, state), state
        assert text == caption(scene.spec, state)
