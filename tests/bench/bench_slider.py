"""Slider to pixels in JupyterLab: an inline scene against `interactive` with matplotlib, one run.

matplotlib draws twice: the scene's own twin (`Scene.figure`: the same marks), and a plot written by
hand with the same content (nested squares, a bar and three numbers a layer, title, caption).
The mouse really drags the handle. A step's time runs from the last pointer event to the second
animation frame that shows the new value, read from a beacon whose colour is the value: for
matplotlib from the pixels of the new image, for the scene from its SVG mark. Target: 10x for the
same marks.

    python tests/bench/bench_slider.py
"""

import io
import random
import statistics
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "browser")]
from browser_tools import FLAGS  # noqa: E402
from lab_server import Lab, serve  # noqa: E402

from lightcourse.viz.demo import find_browser  # noqa: E402

STEPS = 40
LAST = 63  # the slider goes from 0 to 63
SCENE = """
from lightcourse import viz
from lightcourse.viz.scene import L, Scene, clamp
spec = viz.receptive_field().spec
for param in spec["params"]:
    if param["name"] == "px":
        param.update(kind="range", value=0)
spec["tables"]["beacon"] = [f"#{4 * v:02x}{255 - 4 * v:02x}80" for v in range(64)]
spec["marks"].append({"id": "beacon", "t": "rect", "x": 0, "y": 0, "width": 20, "height": 20,
                      "fill": L("beacon", "px")})
scene = Scene(spec, clamp(spec, {"layer": 6}))
"""
TWIN = """
%matplotlib inline
import ipywidgets
ipywidgets.interactive(lambda x: display(scene.at(px=x).figure()),
                       x=ipywidgets.IntSlider(0, 0, 63, layout={"width": "700px"}))
"""
PLOT = """
%matplotlib inline
import ipywidgets, matplotlib.pyplot as plt, numpy as np
from matplotlib.patches import Rectangle
picture = np.hypot(*np.mgrid[-32:32, -32:32])
layers, shown = 8, 6
sizes = [1 + 2 * i for i in range(layers + 1)]
def draw(x):
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.2, 5.4))
    figure.suptitle("How far does one unit see?", x=0.02, ha="left", weight="bold")
    figure.text(0.02, 0.02, f"After layer {shown} one unit sees {sizes[shown]} pixels.")
    left.imshow(picture, cmap="gray", extent=(0, 64, 64, 0))
    left.add_patch(Rectangle((-8, -8), 80, 80, fill=False, ls=":"))
    for i, size in enumerate(sizes[: shown + 1]):
        corner = (x - size / 2, 32 - size / 2)
        width, edge = (3, "C1") if i == shown else (1, "C0")
        left.add_patch(Rectangle(corner, size, size, fill=False, ec=edge, lw=width))
    left.plot([x], [32], "o")
    left.set(xlim=(-10, 74), ylim=(74, -10), title="64x64 picture")
    right.barh(range(layers + 1), sizes, color=["C1" if i == shown else "C0" for i in range(9)])
    for i, size in enumerate(sizes):
        for place, text in ((72, f"{size} px"), (88, "1"), (110, "64x64")):
            right.text(place, i, text, ha="right", va="center")
    right.axvline(64, ls="--")
    right.set(xlim=(0, 112), ylim=(9, -1), yticks=range(9), title="receptive field")
    right.set_yticklabels(["input"] + [f"{i} 3x3" for i in range(1, 9)])
    color = (4 * x / 255, (255 - 4 * x) / 255, 128 / 255)
    left.add_patch(Rectangle((-10, 64), 10, 10, fc=color, ec="none", zorder=9))
    plt.show()
ipywidgets.interactive(draw, x=ipywidgets.IntSlider(0, 0, 63, layout={"width": "700px"}))
"""
PROBE = """([fx, fy]) => {
    window.pointed = 0;
    addEventListener("pointermove", (e) => (pointed = e.timeStamp), true);
    const outputs = ".jp-OutputArea-output", canvas = document.createElement("canvas");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const host = document.querySelector(`${outputs} .lightcourse-scene`);
    const mark = host?.shadowRoot.querySelector("[data-id=beacon]");
    const shown = () => {
        if (mark) return mark.style.fill.match(/\\d+/g);
        const image = [...document.querySelectorAll(`${outputs} img`)].pop();
        if (!image?.complete || !image.naturalWidth) return null;
        const x = fx * image.naturalWidth, y = fy * image.naturalHeight;
        context.drawImage(image, x, y, 1, 1, 0, 0, 1, 1);
        return context.getImageData(0, 0, 1, 1).data;
    };
    const value = () => {
        const colour = shown();
        return colour && Number(colour[2]) === 128 ? Math.round(colour[0] / 4) : -1;
    };
    window.until = (target) => new Promise((done) => {
        const look = () => value() === target
            ? requestAnimationFrame(() => done(performance.now() - pointed))
            : requestAnimationFrame(look);
        look();
    });
}"""

CASES = {"scene": SCENE + "scene", "same marks": SCENE + TWIN, "by hand": PLOT}


def measure(page: Page, lab: Lab, name: str, code: str) -> list[float]:
    """Return the milliseconds of each step of a drag to and fro."""
    lab.write(f"{name}.ipynb", code.strip())
    lab.open(page, f"{name}.ipynb")
    lab.run_all(page)
    scene = name == "scene"
    picture = page.locator("[data-id=beacon]" if scene else ".jp-OutputArea-output img").last
    picture.wait_for(state="attached", timeout=90_000)
    page.wait_for_timeout(1500)
    page.evaluate(PROBE, [0, 0] if scene else beacon_place(picture))
    start, width, y = track(page, scene)
    page.mouse.move(start, y)
    page.mouse.down()
    times, phase = [], random.Random(0)
    for i in range(STEPS):
        target = 1 + (7 * i) % (LAST - 1)
        page.wait_for_timeout(phase.uniform(20, 60))  # else every step starts with a frame
        page.evaluate("(target) => { window.done = until(target); }", target)
        page.mouse.move(start + width * target / LAST, y)
        times.append(page.evaluate("window.done"))
    page.mouse.up()
    lab.stop_kernels()
    return times


def track(page: Page, scene: bool) -> tuple[float, float, float]:
    """Return where the handle's middle is at 0, how far it can go, and the height."""
    handle = page.locator("input[data-param=px]" if scene else ".noUi-handle").first
    handle.scroll_into_view_if_needed()
    rail = (handle if scene else page.locator(".noUi-base").first).bounding_box()
    box = handle.bounding_box()
    assert rail and box
    thumb = 16  # px, Chromium's own slider
    y = box["y"] + box["height"] / 2
    if scene:
        return rail["x"] + thumb / 2, rail["width"] - thumb, y
    return box["x"] + box["width"] / 2, rail["width"], y


def beacon_place(picture: Locator) -> list[float]:
    """Return where in the image the beacon of value 0 is, as fractions."""
    image = Image.open(io.BytesIO(picture.screenshot())).convert("RGB")
    w, h = image.size
    spots = [(x, y) for x in range(w) for y in range(h) if image.getpixel((x, y)) == (0, 255, 128)]
    return [sum(x for x, _ in spots) / len(spots) / w, sum(y for _, y in spots) / len(spots) / h]


def main() -> None:
    browser_path = find_browser()
    if browser_path is None:
        sys.exit("no Chromium here: install one or set CHROMIUM to its path")
    medians = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder)) as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        for name, code in CASES.items():
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            times = sorted(measure(page, lab, name, code))
            medians[name] = statistics.median(times)
            p95 = times[int(0.95 * len(times))]
            print(f"{name:12} median {medians[name]:6.1f} ms   p95 {p95:6.1f} ms   n {len(times)}")
            page.close()
        browser.close()
    print("a scene is bound by the screen: two frames of 60 Hz are 17 to 33 ms")
    for name in list(CASES)[1:]:
        ratio = medians[name] / medians["scene"]
        print(f"matplotlib, {name}: {ratio:.1f} times the scene's median")


if __name__ == "__main__":
    main()
