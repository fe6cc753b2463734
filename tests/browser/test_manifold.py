"""The manifold scene in a real browser: played, chosen by its facts, closed until predicted."""

import pytest
from browser_tools import middle, some_states
from torch import nn

from lightcourse import viz
from lightcourse.viz.scene import frame

pytestmark = pytest.mark.browser


def said(shown) -> str:
    return shown.box.locator(".lc-caption [aria-live]").inner_text()


def test_a_fact_chooses_its_read_out_and_the_points_travel(page, show):
    shown = show(page, viz.manifold(), "&step=5")
    assert shown.mark("back_t").text_content() == "T⁺ ReLU(T x)"
    before = middle(shown.mark("ring_back5"))
    page.mouse.click(*middle(shown.mark("fact2")))
    assert shown.state["read"] == 1
    shown.settle()
    after, home = middle(shown.mark("ring_back5")), middle(shown.mark("ring5"))
    across = middle(shown.mark("back_panel"))[0] - middle(shown.mark("in_panel"))[0]
    assert after[0] - across == pytest.approx(home[0], abs=2), "fitted, the spiral is back"
    assert abs(after[0] - before[0]) > 10
    shown.mark("fact1").focus()
    page.keyboard.press("Enter")
    assert shown.state["read"] == 0


def test_the_loss_stays_closed_until_it_is_predicted(page, show):
    shown = show(page, viz.manifold(), "&ask=1")
    page.keyboard.press("End")
    assert shown.state["step"] == 0
    shown.box.get_by_role("button", name="less than a tenth").click()
    assert shown.state["step"] == 1
    assert "Right." in shown.box.locator(".lc-reply [aria-live]").inner_text()
    page.keyboard.press("End")
    assert said(shown).startswith("Nothing is lost")


def test_playing_goes_through_n(page, show):
    shown = show(page, viz.manifold())
    page.keyboard.press("Space")
    shown.wait("(view) => view.state.step >= 2")
    page.keyboard.press("Space")
    assert " 5 numbers" in said(shown) or " 10 numbers" in said(shown)


def test_pointing_at_a_point_lights_it_before_and_after(page, show):
    shown = show(page, viz.manifold(), "&step=2&seed=2")
    page.mouse.move(*middle(shown.mark("in24")))
    faded = shown.call(
        "(v) => v.nodes.filter((n) => n.matches('.lc-fade')).map((n) => n.dataset.id)"
    )
    assert {"in23", "back25"} <= set(faded) and not {"in24", "back24"} & set(faded)
    assert "of its 5 numbers come through" in shown.box.locator(".lc-tip").inner_text()


def test_an_own_matrix_is_drawn_alike_by_javascript_and_python(page, show):
    scene = viz.manifold(nn.Linear(2, 8).weight)
    shown = show(page, scene)
    script = """(view, states) => states.map((s) => {
        view.set(s, { smooth: false, quiet: true }); return [view.state, view.frame()]; })"""
    states = some_states(scene)
    for state, (theirs, drawn) in zip(states, shown.call(script, states), strict=True):
        assert theirs == state
        assert drawn == frame(scene.spec, state), state
