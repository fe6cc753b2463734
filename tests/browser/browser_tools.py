"""What the browser tests share: a scene seen from outside, a watched page, states to visit."""

import io
import json
import random
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, Page
from viz_sample import sample_scene

from lightcourse import viz
from lightcourse.viz.scene import Scene, clamp

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
]


def watch(page: Page) -> list[str]:
    """Collect the page's errors and requests for anything but local files and data."""
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(error.stack or str(error)))
    page.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else 0)
    local = ("file:", "data:", "blob:", "about:")
    page.on("request", lambda r: None if r.url.startswith(local) else troubles.append(r.url))
    return troubles


class Shown:
    """A scene on a page: what it shows, and what a test may do with it."""

    def __init__(self, page: Page, host: str = ".lightcourse-scene") -> None:
        self.page = page
        self.host = page.locator(host).first
        self.box = self.host.locator(".lc")

    @property
    def state(self) -> dict[str, int]:
        return json.loads(self.box.get_attribute("data-state") or "{}")

    def mark(self, name: str) -> Any:
        return self.box.locator(f'[data-id="{name}"]')

    def settle(self) -> None:
        """Wait until no mark moves."""
        self.wait("(view) => view.box.dataset.settled === view.box.dataset.state")

    def wait(self, condition: str, seconds: float = 10) -> None:
        """Wait until `(view) => ...` holds; Playwright's own wait needs eval, which a page bars."""
        held = self.host.evaluate(
            f"""async (host, end) => {{
                const holds = {condition};
                while (Date.now() < end) {{
                    if (host.lightcourse && holds(host.lightcourse)) return true;
                    await new Promise((done) => setTimeout(done, 15));
                }}
                return false;
            }}""",
            (time.time() + seconds) * 1000,
        )
        assert held, f"not within {seconds} s: {condition}"

    def call(self, script: str, argument: Any = None) -> Any:
        """Run `(view, argument) => ...` on the scene's view."""
        return self.host.evaluate(
            f"(host, argument) => ({script})(host.lightcourse, argument)", argument
        )


def scenes() -> dict[str, Callable[[], Scene]]:
    """Every registered scene, and the sample."""
    return {"sample": sample_scene, **viz.SCENES}


def some_states(scene: Scene, most: int = 300) -> list[dict[str, int]]:
    """Return at most `most` states, spread evenly, with dragged parameters at random places."""
    draw = random.Random(0)
    every = list(scene.states())
    stride = -(-len(every) // most)
    places = {p["name"]: p["n"] for p in scene.spec["params"] if p["kind"] == "xy"}
    return [
        clamp(
            scene.spec,
            state | {name: draw.randrange(n) for name, n in places.items() if isinstance(n, int)},
        )
        for state in islice(every, 0, None, stride)
    ]


def pixel(page: Page, x: float, y: float) -> str:
    """Return the colour that the page shows at a place, as `#rrggbb`."""
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return "#{:02x}{:02x}{:02x}".format(*image.getpixel((round(x), round(y))))


def middle(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
