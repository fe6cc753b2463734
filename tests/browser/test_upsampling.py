"""The upsampling scene in a real browser: the small map is dragged, and the answer stays shut."""

import pytest
from browser_tools import middle
from torch import nn

from lightcourse import viz
from lightcourse.viz.scene import clamp, frame

pytestmark = pytest.mark.browser


def test_the_cell_is_dragged_and_every_large_map_follows(page, show):
    shown = show(page, viz.upsampling(), "&step=2&map=one")
    shown.settle()
    before = {i: middle(shown.mark(f"reach{i}")) for i in range(4)}
    box = shown.mark("small").bounding_box()
    assert box
    cell = box["width"] / 5
    page.mouse.move(box["x"] + 1.5 * cell, box["y"] + 2.5 * cell)
    page.mouse.down()
    page.mouse.move(box["x"] + 3.5 * cell, box["y"] + 0.5 * cell, steps=6)
    page.mouse.up()
    assert (shown.state["px"], shown.state["py"]) == (3, 0)
    shown.settle()
    for i, (x, y) in before.items():
        after = middle(shown.mark(f"reach{i}"))
        assert after[0] > x and after[1] < y, i
    stamp, frame_box = (shown.mark(n).bounding_box() for n in ("transposed_one", "reach2"))
    assert stamp and frame_box
    assert stamp["x"] == pytest.approx(frame_box["x"], abs=3)


def test_the_cell_is_moved_by_keys(page, show):
    shown = show(page, viz.upsampling(), "&step=2")
    shown.mark("small").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    assert (shown.state["px"], shown.state["py"]) == (2, 4), "it stops at the edge"


def test_the_maps_stay_empty_until_the_number_of_values_is_predicted(page, show):
    shown = show(page, viz.upsampling(), "&ask=1")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert shown.state["step"] == 1
    page.mouse.click(*middle(shown.mark("step3")))
    assert shown.state["step"] == 1
    shown.box.locator(".lc-ask").get_by_role("button", name="1", exact=True).click()
    assert shown.state["step"] == 2
    assert "Not quite" in shown.box.locator(".lc-reply [aria-live]").inner_text()
    shown.settle()
    assert "makes 3 different" in shown.box.locator(".lc-caption [aria-live]").inner_text()


def test_an_impossible_output_padding_says_why(page, show):
    shown = show(page, viz.upsampling(), "&step=3&o=2")
    assert "lc-invalid" in shown.box.get_attribute("class")
    assert "smaller than stride 2" in shown.box.locator(".lc-warn [role=status]").inner_text()
    shown.box.get_by_role("radio", name="3").last.click()
    assert shown.state["s"] == 1
    assert "lc-invalid" not in shown.box.get_attribute("class")


def test_ones_own_layer_is_drawn_alike_by_javascript_and_python(page, show):
    scene = viz.upsampling(nn.ConvTranspose2d(2, 2, 4, 2, 1))
    shown = show(page, scene)
    script = """(view, states) => states.map((s) => {
        view.set(s, { smooth: false, quiet: true }); return [view.state, view.frame()]; })"""
    states = [
        clamp(scene.spec, {"map": m, "w": w, "step": s, "px": 4 * m // 2, "py": w})
        for m in range(3)
        for w in range(3)
        for s in range(4)
    ]
    for state, (theirs, drawn) in zip(states, shown.call(script, states), strict=True):
        assert theirs == state
        assert drawn == frame(scene.spec, state), state
