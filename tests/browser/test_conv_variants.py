"""The conv-variants scene in real hands: cells, points and arrows dragged, keys, the question."""

import random

import pytest
from browser_tools import middle

from lightcourse import viz
from lightcourse.viz.scene import clamp, count, frame

pytestmark = pytest.mark.browser
SCENE = viz.conv_variants()
KINDS = SCENE.spec["params"][0]["options"]


def drag(page, start, end, steps=8):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=steps)
    page.mouse.up()


def agree(shown, state):
    """What the page draws is what Python says."""
    drawn = shown.call(
        "(view, state) => { view.set(state, { smooth: false }); return view.frame(); }", state
    )
    assert shown.state == state
    assert drawn == frame(SCENE.spec, state)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_with_everything_dragged_somewhere(page, show, kind):
    shown, draw = show(page, SCENE), random.Random(kind)
    for _ in range(25):
        state = {"kind": KINDS.index(kind)}
        for param in SCENE.spec["params"][1:]:
            size = count(param, SCENE.spec, clamp(SCENE.spec, state))
            state[param["name"]] = draw.randrange(size)
        agree(shown, clamp(SCENE.spec, state))


def test_the_output_cell_follows_the_hand(page, show):
    shown = show(page, SCENE)
    box = shown.mark("out3").bounding_box()
    cell = box["width"] / 9
    at = [(box["x"] + (c + 0.5) * cell, box["y"] + (r + 0.5) * cell) for r, c in ((1, 2), (7, 5))]
    drag(page, *at)
    assert (shown.state["py"], shown.state["px"]) == (7, 5)
    assert shown.state["oc"] == 3  # the one that was taken is the one that is shown
    assert shown.mark("one2").text_content() == "54"
    page.mouse.click(*at[0])
    assert (shown.state["py"], shown.state["px"], shown.state["oc"]) == (1, 2, 3)
    page.mouse.move(*at[1])
    page.mouse.down()
    page.mouse.move(box["x"] + 900, box["y"] - 300, steps=4)  # far outside: the nearest corner
    page.mouse.up()
    assert (shown.state["py"], shown.state["px"]) == (0, 8)
    assert shown.mark("one2").text_content() == "24"
    shown.settle()
    drawn, there = shown.mark("cell3").bounding_box(), shown.mark("out3").bounding_box()
    assert drawn["x"] + drawn["width"] == pytest.approx(there["x"] + there["width"], abs=3)


def test_points_and_arrows_follow_the_hand(page, show):
    shown = show(page, SCENE.at(kind="deformable"))
    start, before = middle(shown.mark("point4")), shown.mark("one2_points").text_content()
    pane = shown.mark("pane").bounding_box()["width"] / 7
    drag(page, start, (start[0] + 0.75 * pane, start[1] - 1.25 * pane))
    assert (shown.state["ox4"], shown.state["oy4"]) == (9, 1)
    assert shown.mark("point4_s").text_content() == "4"
    assert int(shown.mark("one2_points").text_content()) == int(before) + 6 * 3
    shown.call("(view) => view.set({ kind: 7, oc: 2 })")
    shown.settle()
    start, slot = middle(shown.mark("tip2")), shown.mark("slot2").bounding_box()["width"] / 5
    drag(page, start, (start[0] + slot, start[1] - 2 * slot))
    assert (shown.state["sx2"], shown.state["sy2"]) == (3, 2)


def test_what_belongs_to_another_kind_is_out_of_reach(page, show):
    shown = show(page, SCENE)
    for mark in ("point0", "tip0", "pane"):
        assert not shown.mark(mark).is_visible()
    page.get_by_role("radio", name="deformable").click()
    shown.settle()
    assert shown.mark("point0").is_visible() and not shown.mark("win0").is_visible()


def test_keys_choose_the_kind_the_channel_and_the_cell(page, show):
    shown = show(page, SCENE)
    shown.box.focus()
    page.keyboard.press("2")
    assert KINDS[shown.state["kind"]] == "depthwise"
    page.keyboard.press("ArrowRight")
    assert shown.state["oc"] == 1
    shown.mark("out4").focus()
    page.keyboard.press("Enter")
    for key in ("ArrowLeft", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    assert (shown.state["oc"], shown.state["py"], shown.state["px"]) == (4, 2, 3)
    assert shown.mark("one2").text_content() == "9"
    shown.settle()
    faint = [shown.mark(f"map{c}").get_attribute("opacity") for c in range(6)]
    assert [c for c in range(6) if faint[c] == "1"] == [4]


def test_what_a_kind_fixes_cannot_be_moved_and_is_kept_for_the_next(page, show):
    shown = show(page, SCENE.at(k=2, s=1))
    for kind, shut in (("pointwise", "kpdg"), ("shift", "kspdg"), ("grouped", "d")):
        page.get_by_role("radio", name=kind).click()
        sliders = {n: page.locator(f"[data-param={n}]").is_disabled() for n in "kspdg"}
        assert "".join(n for n in "kspdg" if sliders[n]) == shut
    assert (shown.state["k"], shown.state["s"]) == (2, 1)
    assert "kernel_size=5, stride=2" in page.locator(".lc-code code").text_content()


def test_impossible_layers_turn_red_and_say_why(page, show):
    shown = show(page, SCENE.at(kind="grouped", g=2))
    assert "lc-invalid" in shown.box.get_attribute("class")
    assert "not divisible by 4" in shown.box.locator(".lc-warn [role=status]").inner_text()
    assert shown.mark("none").is_visible() and not shown.mark("out0").is_visible()
    page.locator("[data-param=g]").fill("1")
    assert "lc-invalid" not in shown.box.get_attribute("class")


def test_depthwise_opens_after_the_prediction(page, show):
    shown = show(page, SCENE, "&ask=1")
    page.get_by_role("radio", name="depthwise").click()
    assert shown.state["kind"] == 0
    page.locator(".lc-answer").get_by_text("6", exact=True).click()
    assert KINDS[shown.state["kind"]] == "depthwise"
    assert "6 is the layer without groups" in page.locator(".lc-reply").inner_text()
