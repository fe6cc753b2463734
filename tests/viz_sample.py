"""A small scene that uses every feature of the specification; the engine's tests draw it."""

import numpy as np

from lightcourse.viz.scene import L, Pool, Scene

DEPTH = {"short": 3, "long": 5}
CELL, LEFT, TOP = 20, 40, 50


def sample_spec() -> dict:
    """Return a raw specification: 2 nets of 3 and 5 steps, a range of 4, an 8 x 8 picture."""
    pool = Pool()
    rows, columns = np.mgrid[0:8, 0:8]
    picture = pool.heat(40 + rows * 8 + columns * 4, "gray")
    heats = [pool.heat((rows + columns == k) * 1.0, alpha=True) for k in range(4)]
    nets = list(DEPTH)
    steps = max(DEPTH.values())
    widths = [
        [(60 + 50 * i) * (1 + net) / 2 for i in range(n)] for net, n in enumerate(DEPTH.values())
    ]
    padded = [w + [0] * (steps - len(w)) for w in widths]
    tables = {
        "depth": list(DEPTH.values()),
        "label": [[f"{i + 1} of {n}" for i in range(n)] for n in DEPTH.values()],
        "width": padded,
        "row": [[1 if i < n else 0 for i in range(steps)] for n in DEPTH.values()],
        "fill": [["c2" if i == now else "c1" for i in range(steps)] for now in range(steps)],
        "tip": [
            [f"{net}: bar {i} is {w:g} px" for i, w in enumerate(padded[k])]
            for k, net in enumerate(nets)
        ],
        "heat": heats,
        "at": [
            [LEFT + CELL * (x + 0.5) for x in range(8)],
            [TOP + CELL * (y + 0.5) for y in range(8)],
        ],
        "slide": [[240 + 60 * i for i in range(steps)]],
        "wire": [f"M{LEFT} 250L{LEFT + 40 * i + 40} 270L{LEFT} 290Z" for i in range(steps)],
        "shown": [0, 1, 1, 1, 1],
        "caption": [
            [
                f"Step **{i + 1}** of the {net} net: the bar is **{padded[k][i]:g}** px wide"
                + (", which is the last and the widest bar of this net." if i == n - 1 else ".")
                for i in range(n)
            ]
            for k, (net, n) in enumerate(DEPTH.items())
        ],
        "code": [f"conv = nn.Conv2d(8, 8, 3, stride={s + 1})\ny = conv(x)" for s in range(4)],
        "warn": ["", "", "", "a stride of **4** skips pixels of a 3 × 3 kernel"],
        "answer": [0, 1],
    }
    marks = [
        {"id": "img", "t": "image", "x": LEFT, "y": TOP, "width": 160, "height": 160,
         "href": picture, "label": "Input",
         "drag": {"x": "px", "y": "py", "x0": LEFT, "y0": TOP, "cell": CELL}},
        {"id": "heat", "t": "image", "x": LEFT, "y": TOP, "width": 160, "height": 160,
         "href": L("heat", "stride"), "pe": 0, "smooth": 1},
        {"id": "dot", "t": "circle", "cx": L("at", 0, "px"), "cy": L("at", 1, "py"), "r": 7,
         "fill": "hi", "stroke": "bg", "stroke-width": 2, "pe": 0},
        {"id": "head", "t": "text", "x": 240, "y": 34, "s": "one bar a step", "fill": "muted",
         "font-size": 15},
        {"id": "rule", "t": "line", "x1": 240, "y1": 46, "x2": 560, "y2": 46, "stroke": "line",
         "stroke-width": 1.5, "stroke-dasharray": "4 4"},
        {"id": "wire", "t": "path", "d": L("wire", "step"), "fill": "none", "stroke": "c3",
         "stroke-width": 2},
        {"id": "slider", "t": "circle", "cx": L("slide", 0, "step"), "cy": 270, "r": 9,
         "fill": "c4", "delay": 60, "opacity": L("shown", "step")},
    ]  # fmt: skip
    for i in range(steps):
        marks += [
            {"id": f"bar{i}", "t": "rect", "x": 240, "y": 58 + 38 * i, "height": 28, "rx": 5,
             "width": L("width", "net", i), "fill": L("fill", "step", i), "link": i % 2,
             "opacity": L("row", "net", i), "set": {"step": i}, "tip": L("tip", "net", i)},
            {"id": f"name{i}", "t": "text", "x": 232, "y": 78 + 38 * i, "s": i, "fill": "ink",
             "font-size": 15, "text-anchor": "end", "font-weight": "700",
             "opacity": L("row", "net", i)},
        ]  # fmt: skip
    return {
        "v": 1, "id": "sample", "title": "A sample of every feature", "subtitle": "for the tests",
        "alt": "A picture with a dot, and a bar for each step", "size": [600, 300], "dur": 200,
        "params": [
            {"name": "net", "label": "Net", "kind": "select", "options": nets, "value": 1,
             "hints": ["3 steps", "5 steps"]},
            {"name": "step", "label": "Step", "kind": "step", "n": L("depth", "net"),
             "labels": L("label", "net", "step"), "value": 0, "play": 300},
            {"name": "stride", "label": "Stride", "kind": "range", "n": 4, "value": 0},
            {"name": "px", "label": "x", "kind": "xy", "n": 8, "value": 3},
            {"name": "py", "label": "y", "kind": "xy", "n": 8, "value": 3},
        ],
        "tables": tables, "pool": list(pool), "marks": marks,
        "caption": L("caption", "net", "step"), "code": L("code", "stride"),
        "warn": L("warn", "stride"),
        "ask": {"q": "How wide is the second bar?", "options": ["55 px", "110 px"],
                "answer": L("answer", "net"), "param": "step", "from": 1,
                "replies": ["Half of the long net's.", "50 px more than the first."]},
    }  # fmt: skip


def sample_scene(**state: int | str) -> Scene:
    """Return the sample as a scene."""
    return Scene.of(sample_spec(), **state)
