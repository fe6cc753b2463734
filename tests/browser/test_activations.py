"""The activation scene in a real browser: the bell is dragged, rows chosen, steps played."""

import pytest
from browser_tools import middle
from torch import nn

from lightcourse import viz
from lightcourse.viz.scene import clamp, frame

pytestmark = pytest.mark.browser


def pull(page, mark, dx, dy=0):
    """Drag the middle of a mark by so many px of the page."""
    x, y = middle(mark)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=5)
    page.mouse.up()


def caption(shown) -> str:
    return shown.box.locator(".lc-caption [aria-live]").inner_text()


def scale(shown) -> float:
    """Px of the page that one unit of x takes."""
    matrix = shown.call("(view) => view.svg.getScreenCTM().a")
    return 25 * matrix


def test_the_bell_is_moved_and_widened_by_its_dots(page, show):
    shown = show(page, viz.activations(), "&step=1")
    unit = scale(shown)
    pull(page, shown.mark("mu_dot"), 2 * unit)
    assert (shown.state["mu"], shown.state["sigma"]) == (10, 1)
    assert "µ = 2 with σ = 1: 2.3 %" in caption(shown)
    pull(page, shown.mark("sigma_dot"), 1 * unit)
    assert (shown.state["mu"], shown.state["sigma"]) == (10, 3)
    assert "µ = 2 with σ = 2: 15.9 %" in caption(shown)
    shown.settle()
    apart = middle(shown.mark("sigma_dot"))[0] - middle(shown.mark("mu_dot"))[0]
    assert apart == pytest.approx(2 * unit, abs=1)
    pull(page, shown.mark("sigma_dot"), -20 * unit)
    assert shown.state["sigma"] == 0
    pull(page, shown.mark("mu_dot"), 20 * unit)
    assert shown.state["mu"] == 12, "µ stops at the end of its range"
    assert "mu=12" in page.url


def test_a_press_on_the_ground_puts_the_mean_there(page, show):
    shown = show(page, viz.activations())
    box = shown.mark("inputs").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2 - 2.5 * scale(shown), box["y"] + 3)
    assert shown.state["mu"] == 1
    shown.settle()
    assert middle(shown.mark("mu_dot"))[0] == pytest.approx(
        box["x"] + box["width"] / 2 - 2.5 * scale(shown), abs=1
    )


def test_dots_and_rows_by_keys(page, show):
    shown = show(page, viz.activations())
    shown.mark("mu_dot").focus()
    assert "Mean of the inputs, 0" in shown.mark("mu_dot").get_attribute("aria-label")
    page.keyboard.press("ArrowLeft")
    assert shown.state["mu"] == 5
    shown.mark("sigma_dot").focus()
    page.keyboard.press("Shift+ArrowRight")
    assert shown.state["sigma"] == 4
    shown.mark("row6").focus()
    page.keyboard.press("Enter")
    assert shown.state["f"] == 6
    page.keyboard.press("2")
    assert shown.state["f"] == 1
    assert shown.mark("formula").text_content() == "ReLU6 = min(max(0, x), 6)"


def test_a_click_in_the_list_chooses(page, show):
    shown = show(page, viz.activations(), "&step=2")
    page.mouse.click(*middle(shown.mark("row1")))
    assert shown.state["f"] == 1
    assert caption(shown).endswith("ReLU's steps: 0.0157.")
    shown.settle()
    assert middle(shown.mark("edge")) == pytest.approx(middle(shown.mark("row1")), abs=1)


def test_the_share_stays_closed_until_it_is_predicted(page, show):
    shown = show(page, viz.activations(), "&ask=1")
    page.keyboard.press("ArrowRight")
    assert shown.state["step"] == 0
    shown.box.get_by_role("button", name="a quarter to three quarters").click()
    assert shown.state["step"] == 1
    assert "Right." in shown.box.locator(".lc-reply [aria-live]").inner_text()
    assert "50 %" in caption(shown)


def test_playing_sends_the_inputs_through(page, show):
    shown = show(page, viz.activations())
    assert not shown.mark("at_curve2").is_visible()
    shown.box.locator(".lc-play").click()
    shown.wait("(view) => view.state.step >= 1")
    shown.box.locator(".lc-play").click()
    shown.settle()
    assert shown.mark("at_curve2").is_visible() and shown.mark("out4").is_visible()


def test_an_own_function_is_drawn_alike_by_javascript_and_python(page, show):
    scene = viz.activations(nn.Softplus())
    shown = show(page, scene)
    states = [clamp(scene.spec, {"f": f, "g": g, "step": step, "mu": mu, "sigma": sigma})
              for f in (1, 10) for g in (0, 2) for step in range(3)
              for mu, sigma in ((0, 4), (12, 0), (12, 4))]  # fmt: skip
    script = """(view, states) => states.map((s) => {
        view.set(s, { smooth: false, quiet: true }); return [view.state, view.frame()]; })"""
    for state, (theirs, drawn) in zip(states, shown.call(script, states), strict=True):
        assert theirs == state
        assert drawn == frame(scene.spec, state), state
