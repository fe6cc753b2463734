"""The detection scene in a real Chromium: both rulers are dragged, and the numbers follow."""

import pytest
from browser_tools import middle

from lightcourse import viz

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def scene():
    return viz.detection()


def drag(page, shown, name, to):
    x, y = middle(shown.mark(f"{name}_knob"))
    left = shown.mark(f"{name}_way").bounding_box()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(left["x"] + to * left["width"], y, steps=8)
    page.mouse.up()
    shown.settle()


def test_the_score_is_dragged_below_the_picture(page, show, scene):
    shown = show(page, scene)
    before = shown.mark("score_t").text_content()
    drag(page, shown, "score", 0.92)
    assert before == "score at least 0.30" and shown.state["score"] == 17
    assert shown.mark("score_t").text_content() == "score at least 0.90"
    right, missed = (shown.mark(f"{name}_s").text_content() for name in ("right", "missed"))
    total = int(right.split()[0]) + int(missed.split()[0])
    assert total == int(scene.spec["tables"]["total"][0])


def test_the_iou_is_dragged_below_the_curve(page, show, scene):
    shown = show(page, scene)
    loose = shown.mark("curve").get_attribute("d")
    drag(page, shown, "iou", 0.08)
    assert shown.state["iou"] == 0
    assert shown.mark("iou_t").text_content() == "right from IoU 0.3"
    assert shown.mark("curve").get_attribute("d") != loose
    assert shown.mark("ap").text_content() == f"AP {scene.spec['tables']['ap'][0][0]}"
