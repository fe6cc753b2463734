"""The downsampling scene in a real browser: strides dragged in either ladder, depth hovered."""

import pytest
from browser_tools import middle

from lightcourse import viz
from lightcourse.viz.scene import clamp, frame

pytestmark = pytest.mark.browser

TWINS = """(view, states) => states.map((s) => {
    view.set(s, { smooth: false, quiet: true }); return [view.state, view.frame()]; })"""


@pytest.fixture(scope="module")
def scene():
    return viz.downsampling()


def pull(page, mark, dx):
    """Drag the middle of a mark sideways by so many px of the page."""
    x, y = middle(mark)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y, steps=6)
    page.mouse.up()


def halvings(shown, letter):
    return [shown.state[f"{letter}{k}"] for k in (2, 3, 4, 5)]


def pitch(shown):
    return middle(shown.mark("layer3"))[0] - middle(shown.mark("layer2"))[0]


def test_moved_strides_are_drawn_alike_by_javascript_and_python(page, show, scene):
    shown = show(page, scene)
    states = [
        clamp(scene.spec, {"pair": n % 3, "depth": n % 14, "a5": 12 - n % 5, "a4": 3 + n % 6,
                           "a3": n % 9, "a2": n % 4, "b5": 10 - n % 3, "b4": n % 9, "b3": n % 5,
                           "b2": n % 2})
        for n in range(60)
    ]  # fmt: skip
    for state, (theirs, drawn) in zip(states, shown.call(TWINS, states), strict=True):
        assert theirs == state
        assert drawn == frame(scene.spec, state), state


def test_a_stride_is_dragged_to_another_layer_of_either_ladder(page, show, scene):
    shown = show(page, scene)
    step = pitch(shown)
    assert halvings(shown, "a") == [1, 3, 5, 11]
    pull(page, shown.mark("handle_a5"), -5 * step)
    assert halvings(shown, "a") == [1, 3, 5, 6]
    shown.settle()
    said = shown.box.locator(".lc-caption [aria-live]")
    assert "a stride has none" in said.inner_text()
    assert middle(shown.mark("handle_a5"))[0] == pytest.approx(
        middle(shown.mark("layer7"))[0], abs=1
    )
    pull(page, shown.mark("handle_b5"), 3 * step)
    assert halvings(shown, "b") == [0, 1, 3, 8]
    assert shown.mark("accuracy_b").text_content() == "not trained"
    shown.mark("pill_b0").click()
    assert halvings(shown, "b") == [0, 1, 3, 5]


def test_two_strides_in_one_layer_are_shown_as_invalid_with_the_reason(page, show, scene):
    shown = show(page, scene)
    pull(page, shown.mark("handle_b2"), pitch(shown))
    assert halvings(shown, "b") == [1, 1, 3, 5]
    assert "lc-invalid" in shown.box.get_attribute("class")
    assert "layer 4 would halve twice" in shown.box.locator(".lc-warn [role=status]").inner_text()
    shown.mark("handle_b3").focus()
    page.keyboard.press("ArrowRight")
    assert halvings(shown, "b") == [1, 2, 3, 5]
    assert "lc-invalid" not in shown.box.get_attribute("class")


def test_pointing_at_a_depth_lights_it_in_both_ladders(page, show, scene):
    shown = show(page, scene)
    page.mouse.move(*middle(shown.mark("col_a9")))
    faded = (
        "(view) => view.nodes.map((n, i) => [view.spec.marks[i], n.classList.contains('lc-fade')])"
    )
    linked = [(m, fade) for m, fade in shown.call(faded) if "link" in m]
    assert {m["id"] for m, fade in linked if not fade} == {
        f"{what}_{x}9" for what in ("col", "plate", "bar") for x in "ab"
    }
    assert shown.box.locator(".lc-tip").inner_text() == "14×14×512: 52.3 M MACs"
    page.mouse.click(*middle(shown.mark("col_b9")))
    assert shown.state["depth"] == 9
    assert shown.mark("now_a").text_content() == "layer 19 is 14×14×512, sees 155 px"


def test_playing_walks_down_both_ladders(page, show, scene):
    shown = show(page, scene, "&depth=0")
    shown.box.locator(".lc-play").click()
    shown.wait("(view) => view.state.depth >= 2")
    shown.box.locator(".lc-play").click()


def test_the_budget_stays_closed_until_it_is_predicted(page, show, scene):
    shown = show(page, scene, "&ask=1")
    shown.box.get_by_role("radio", name="≈ 40 M").click()
    assert shown.state["pair"] == 0
    shown.box.get_by_role("button", name="×0.5", exact=True).click()
    assert shown.state["pair"] == 1
    assert "Right." in shown.box.locator(".lc-reply [aria-live]").inner_text()


def test_the_courses_own_ladders_say_what_was_logged(page, show):
    scene = viz.downsampling("study")
    shown = show(page, scene)
    shown.box.get_by_role("radio", name="1.1 M").click()
    shown.settle()
    assert "±" in shown.mark("accuracy_a").text_content()
    assert "seeds" in shown.mark("source").text_content()
    pull(page, shown.mark("handle_b1"), pitch(shown) / 2 + 2)
    assert "lc-invalid" in shown.box.get_attribute("class")
