"""The cost microscope in a real Chromium: sliders, rows, the brush, and hands on the roof."""

import pytest
from browser_tools import middle, some_states
from torch import nn

from lightcourse import viz
from lightcourse.viz.scene import caption, frame
from lightcourse.viz.scenes import cost_microscope

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def scene():
    """As on a machine where the probe never ran."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost_microscope, "_machine", lambda: None)
        return viz.cost_microscope()


def own():
    """A learner's two networks, one of which does not run at every size."""
    head = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Flatten(), nn.Linear(8 * 32 * 32, 10))
    body = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
    return viz.cost_microscope({"body": body, "head": head}, size=32)


def test_javascript_and_python_agree_on_own_networks(page, show):
    scene = own()
    shown = show(page, scene)
    states = some_states(scene, 120)
    script = """(view, states) => states.map((s) => {
        view.set(s, { smooth: false, quiet: true });
        return [view.frame(), view.box.querySelector(".lc-caption [aria-live]").textContent]; })"""
    for state, (drawn, said) in zip(states, shown.call(script, states), strict=True):
        assert drawn == frame(scene.spec, state), state
        assert said == caption(scene.spec, state)


def drag(page, shown, name, dx, dy):
    x, y = middle(shown.mark(name))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=5)
    page.mouse.up()


def test_both_handles_move_the_roof(page, show, scene):
    shown = show(page, scene)
    scale = shown.call("(view) => view.svg.getScreenCTM().a")
    cell = next(m for m in scene.spec["marks"] if m["id"] == "peak")["drag"]["cell"] * scale
    start = shown.state
    ridge = float(shown.mark("ridge").get_attribute("x1"))
    drag(page, shown, "peak", 0, -3 * cell)
    assert shown.state["peak"] == start["peak"] - 3 and shown.state["band"] == start["band"]
    assert float(shown.mark("ridge").get_attribute("x1")) > ridge  # more peak: more memory-bound
    drag(page, shown, "band", 0, -2 * cell)
    assert shown.state == start | {"peak": start["peak"] - 3, "band": start["band"] - 2}
    drag(page, shown, "band", 0, 500)
    assert shown.state["band"] == 12  # below the axis: the smallest bandwidth
    shown.mark("peak").focus()
    page.keyboard.press("ArrowDown")
    assert shown.state["peak"] == start["peak"] - 2
    assert "Arrow keys move it" in shown.mark("peak").get_attribute("aria-label")


def test_a_machine_sets_both_handles(page, show, scene):
    shown = show(page, scene)
    name = next(f"machine{k}" for k, m in enumerate(
        m for m in scene.spec["marks"] if m["id"].startswith("machine") and m["t"] == "text"
    ) if m["s"] == "GPU")  # fmt: skip
    shown.mark(name).click()
    wanted = next(m for m in scene.spec["marks"] if m["id"] == name)["set"]
    assert {k: shown.state[k] for k in ("peak", "band")} == wanted


def test_a_click_on_a_row_takes_the_rows_above_with_it(page, show, scene):
    shown = show(page, scene)
    page.mouse.click(*middle(shown.mark("slot8")))
    assert shown.state["row"] == 9
    assert shown.box.locator(".lc-caption [aria-live]").inner_text().startswith(
        "Down to features.8 (9 of 21 rows): 4 % of the params, 44 % of the MACs, 71 % of the bytes."
    )  # fmt: skip
    page.mouse.click(*middle(shown.mark("dot2")))  # bars and dots let the click through
    assert shown.state["row"] == 3
    shown.mark("slot8").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert shown.state["row"] == 10
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    assert shown.state["row"] == 9  # the timeline's own keys


def test_the_brush_is_dragged_down_the_rows(page, show, scene):
    shown = show(page, scene)
    pitch = shown.mark("slot0").bounding_box()["height"]
    drag(page, shown, "brush", 0, 4 * pitch)
    assert shown.state["row"] == 4
    shown.settle()
    drag(page, shown, "brush", 0, -100)
    assert shown.state["row"] == 0


def test_hovering_a_row_lights_what_belongs_to_it(page, show, scene):
    shown = show(page, scene.at(sort="bytes"))
    page.mouse.move(*middle(shown.mark("slot0")))
    lit = "(view) => view.nodes.filter((n) => /^(name|dot|macs_bar)/.test(n.dataset.id) && " \
          "!n.matches('.lc-fade')).map((n) => n.dataset.id)"  # fmt: skip
    assert shown.call(lit) == ["name2", "macs_bar2", "dot2"]  # features.2 moves the most
    tip = shown.box.locator(".lc-tip.lc-on").inner_text()
    assert tip == "features.2: 1.54 FLOPs per byte"


def test_sliders_change_the_network(page, show, scene):
    shown = show(page, scene)
    slider = shown.box.locator("[data-param=width]")
    slider.focus()
    page.keyboard.press("Home")
    assert shown.state["width"] == 0
    shown.settle()
    assert shown.mark("macs_total").text_content() == "97.1 M"
    assert shown.mark("macs_law").text_content() == "α^1.63"
    page.keyboard.press("End")
    assert shown.mark("params_total").text_content() == "6.11 M"


def test_kinds_stay_closed_until_the_question_is_answered(page, show, scene):
    shown = show(page, scene, "&ask=1")
    shown.box.get_by_role("radio", name="by kind").click()
    assert shown.state["rows"] == 0
    shown.box.get_by_role("button", name="depthwise conv").click()
    assert shown.state["rows"] == 1
    reply = shown.box.locator(".lc-reply").inner_text()
    assert reply.startswith("Not quite. depthwise conv moves 14 % of the bytes")
    assert "normalisation moves 2.2 times as many" in reply


def test_a_size_that_does_not_run_is_marked(page, show):
    shown = show(page, own(), "&net=head&size=0")
    assert "takes 8192 input features" in shown.box.locator(".lc-warn").inner_text()
    assert "lc-invalid" in shown.box.get_attribute("class")
    page.keyboard.press("r")


def test_the_page_keeps_no_more_room_for_the_caption_than_it_needs(page, show, scene):
    shown = show(page, scene)
    script = """(view, states) => {
        const live = view.box.querySelector(".lc-caption [aria-live]");
        const room = live.parentElement.getBoundingClientRect().height;
        return [room, Math.max(...states.map((s) => {
            view.set(s, { smooth: false, quiet: true });
            return live.getBoundingClientRect().height; }))]; }"""
    room, most = shown.call(script, some_states(scene, 200))
    line = 40
    assert most <= room + 1 < most + line
