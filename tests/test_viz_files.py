"""The files of a scene: SVG, PNG, GIF, figure and words say what the scene says."""

import io
import itertools
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from viz_sample import sample_scene, sample_spec

from lightcourse import viz
from lightcourse.viz.raster import HOLD, MEGABYTE, to_figure, to_gif, to_png, tween
from lightcourse.viz.scene import Scene, count
from lightcourse.viz.svg import to_svg
from lightcourse.viz.text import to_text
from lightcourse.viz.theme import PALETTE, THEMES

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def scenes():
    return {name: viz.get_scene(name) for name in viz.SCENES}


def timeline(scene):
    return next(p for p in scene.spec["params"] if p["kind"] == "step")


def steps(scene):
    """The scene at every step of its timeline."""
    name = timeline(scene)["name"]
    last = count(timeline(scene), scene.spec, scene.state)
    return [Scene(scene.spec, {**scene.state, name: i}) for i in range(last)]


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def colour(hex_colour):
    return np.array([int(hex_colour[i : i + 2], 16) for i in (1, 3, 5)])


# -- SVG -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", viz.SCENES)
@pytest.mark.parametrize("theme", THEMES)
def test_svg_is_a_complete_document_with_title_and_caption(scenes, name, theme):
    scene = scenes[name]
    root = ET.fromstring(to_svg(scene, theme))
    width, height = scene.spec["size"]
    assert root.tag == SVG + "svg"
    assert root.get("viewBox") == f"0 0 {width} {height}"
    assert root.findtext(SVG + "title") == scene.spec["title"]
    assert root.findtext(SVG + "desc") == f"{scene.spec['alt']}. {scene.caption()}"
    paints = {e.get(n) for e in root.iter() for n in ("fill", "stroke")} - {None, "none"}
    assert PALETTE[theme]["bg"] in paints
    assert all(p.startswith("#") and len(p) == 7 for p in paints), "no token is left unpainted"


@pytest.mark.parametrize("name", viz.SCENES)
def test_svg_holds_every_mark_that_can_be_seen_where_the_frame_puts_it(scenes, name):
    for scene in steps(scenes[name]):
        drawn = list(ET.fromstring(to_svg(scene)))[3:]  # after title, desc and background
        seen = [m for m in scene.frame() if m.get("opacity", 1) > 0]
        assert [e.tag.removeprefix(SVG) for e in drawn] == [m["t"] for m in seen]
        for element, shown in zip(drawn, seen, strict=True):
            for attribute in ("x", "y", "width", "height", "cx", "cy", "r", "d", "href"):
                assert element.get(attribute) == (
                    None if attribute not in shown else str(shown[attribute])
                )
            assert element.text == (shown["s"] or None if shown["t"] == "text" else None)


@pytest.mark.parametrize("name", viz.SCENES)
def test_svgs_of_other_states_and_themes_differ(scenes, name):
    frames = [to_svg(scene) for scene in steps(scenes[name])]
    assert len(set(frames)) == len(frames)
    assert to_svg(scenes[name], "dark") != to_svg(scenes[name], "light")
    assert to_svg(scenes[name]) == to_svg(viz.get_scene(name)), "the same scene, the same bytes"


def test_svg_keeps_words_that_look_like_markup():
    spec = sample_spec()
    spec["title"] = spec["alt"] = 'a < b & "c"'
    spec["marks"].append(
        {"id": "odd", "t": "text", "x": 40, "y": 290, "s": "<b>&amp;", "font-size": 15}
    )
    root = ET.fromstring(to_svg(Scene.of(spec)))
    assert root.findtext(SVG + "title") == 'a < b & "c"'
    assert [e.text for e in root.iter(SVG + "text")][-1] == "<b>&amp;"


# -- PNG and figure ------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", THEMES)
def test_png_has_the_size_of_the_frame_and_its_colours_in_place(theme):
    scene = sample_scene(net="long", step=2)
    image = pixels(to_png(scene, theme, 2.0))
    width, height = scene.spec["size"]
    above = (image.shape[0] - 2 * height) / 2  # title above and caption below, together
    assert image.shape[1] == 2 * width
    assert 50 < above < 150
    marks = {m["id"]: m for m in scene.frame()}
    top = _row_of_frame(image, scene, theme)
    for name in ("bar0", "bar2", "dot"):
        mark = marks[name]
        x, y = (mark["cx"], mark["cy"]) if "cx" in mark else (mark["x"] + 20, mark["y"] + 14)
        found = image[round(2 * y) + top, round(2 * x)]
        assert np.abs(found - colour(PALETTE[theme][mark["fill"]])).max() <= 3, name
    assert np.abs(image[2, 2] - colour(PALETTE[theme]["bg"])).max() <= 3


def _row_of_frame(image, scene, theme):
    """The pixel row of y = 0, from where the marked bar's colour begins at its own x."""
    bar = next(m for m in scene.frame() if m["id"] == "bar2")
    column = image[:, round(2 * (bar["x"] + 40))]
    close = np.abs(column - colour(PALETTE[theme][bar["fill"]])).max(1) <= 3
    return int(np.argmax(close)) - round(2 * bar["y"])


@pytest.mark.parametrize("name", viz.SCENES)
def test_pngs_of_the_scenes_open_and_differ(scenes, name):
    first, *_, last = steps(scenes[name])
    one, other, dark = (
        to_png(s, t, 1.0) for s, t in ((first, "light"), (last, "light"), (last, "dark"))
    )
    assert pixels(one).shape == pixels(other).shape == pixels(dark).shape
    assert pixels(one).shape[1] == scenes[name].spec["size"][0]
    assert (pixels(one) != pixels(other)).any(2).mean() > 0.005
    assert (pixels(dark) != pixels(other)).any(2).mean() > 0.5
    assert to_png(first, "light", 1.0) == one, "the same scene, the same bytes"


def test_png_and_svg_draw_the_same_picture_where_it_can_be_computed():
    """A rectangle, its rounded corner, a line and a path leave paint exactly where they are."""
    spec = sample_spec()
    spec["marks"] = [
        {"id": "r", "t": "rect", "x": 100, "y": 100, "width": 80, "height": 60, "rx": 20,
         "fill": "c1"},
        {"id": "p", "t": "path", "d": "M300 100L360 100L360 160Z", "fill": "c3", "stroke": "none"},
        {"id": "l", "t": "line", "x1": 420, "y1": 100, "x2": 420, "y2": 160, "stroke": "c2",
         "stroke-width": 6},
    ]  # fmt: skip
    spec["ask"] = None
    image = pixels(to_png(Scene.of(spec), "light", 1.0))
    light = PALETTE["light"]
    top = int(np.argmax(np.abs(image[:, 140] - colour(light["c1"])).max(1) <= 3)) - 100

    def at(x, y):
        return next((n for n in ("c1", "c2", "c3", "bg")
                     if np.abs(image[y + top, x] - colour(light[n])).max() <= 3), "?")  # fmt: skip

    assert [at(140, 130), at(102, 102), at(98, 130), at(182, 130)] == ["c1", "bg", "bg", "bg"]
    assert [at(350, 110), at(310, 150)] == ["c3", "bg"]
    assert [at(418, 130), at(422, 130), at(426, 130), at(420, 95)] == ["c2", "c2", "bg", "bg"]


@pytest.mark.parametrize("name", viz.SCENES)
def test_the_figure_is_matplotlibs_and_says_title_and_caption(scenes, name):
    from matplotlib.figure import Figure

    scene = scenes[name]
    figure = to_figure(scene, "dark")
    assert isinstance(figure, Figure)
    words = " ".join(t.get_text() for t in figure.axes[0].texts).replace("\n", " ")
    assert scene.spec["title"] in words
    assert scene.caption() in words
    file = io.BytesIO()
    figure.savefig(file, format="pdf")
    assert file.getvalue().startswith(b"%PDF")
    assert scene.figure().get_size_inches()[0] == scene.spec["size"][0] / 100


def test_a_figure_stays_out_of_the_gallery_of_pyplot():
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    sample_scene().figure()
    assert pyplot.get_fignums() == before


# -- GIF -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", viz.SCENES)
def test_gif_rests_at_every_step_and_is_small(scenes, name):
    scene = scenes[name]
    data = to_gif(scene)
    assert len(data) <= MEGABYTE
    film = Image.open(io.BytesIO(data))
    rests, seen = [], []
    for i in range(film.n_frames):
        film.seek(i)
        if film.info["duration"] >= HOLD:
            rests.append(film.info["duration"])
            seen.append(np.asarray(film.convert("RGB")).astype(int))
    assert len(rests) == len(steps(scene))
    shown = [at.frame() for at in steps(scene)]
    moves = any(tween(scene.spec, a, b, 0.5) != b for a, b in itertools.pairwise(shown))
    assert film.n_frames > (2 * len(rests) if moves else 0), "there are in-betweens"
    assert film.info["loop"] == 0
    assert all((picture[0, 0] == colour(PALETTE["light"]["bg"])).all() for picture in seen)
    for before, after in itertools.pairwise(seen):
        assert (np.abs(before - after).max(2) > 30).mean() > 0.001


def test_gif_of_a_scene_without_steps_is_one_picture():
    spec = sample_spec()
    spec["params"] = [p for p in spec["params"] if p["kind"] != "step"]
    spec["marks"] = [{"id": "r", "t": "rect", "x": 9, "y": 9, "width": 80, "height": 60}]
    spec |= {"caption": "one state", "ask": None}
    assert Image.open(io.BytesIO(to_gif(Scene.of(spec)))).n_frames == 1


def test_in_betweens_start_end_and_wait_for_their_delay():
    start, end = sample_scene(step=0), sample_scene(step=3)
    spec = start.spec
    assert tween(spec, start.frame(), end.frame(), 1.0) == end.frame()
    slider = next(i for i, m in enumerate(spec["marks"]) if m["id"] == "slider")
    delay, whole = spec["marks"][slider]["delay"], spec["dur"] + spec["marks"][slider]["delay"]
    at = [m["cx"] for m in (tween(spec, start.frame(), end.frame(), p)[slider]
                            for p in (0.0, 0.9 * delay / whole, 0.8, 0.9))]  # fmt: skip
    first, last = start.frame()[slider]["cx"], end.frame()[slider]["cx"]
    assert at[0] == at[1] == first
    assert first < at[2] < at[3] < last


# -- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", viz.SCENES)
def test_words_cover_title_settings_and_every_step(scenes, name):
    scene = scenes[name]
    said = to_text(scene)
    assert said.startswith(scene.spec["title"])
    lines = said.splitlines()
    for step in steps(scene):
        assert sum(step.caption() in line for line in lines) >= 1
    assert sum(line.startswith("> ") for line in lines) == 1
    assert any(line.startswith("> ") and scene.caption() in line for line in lines)
    for param in scene.spec["params"]:
        for i, option in enumerate(param.get("options", ())):
            shown = f"[{option}]" if i == scene.state[param["name"]] else option
            assert any(line.startswith(f"{param['label']}: ") and shown in line for line in lines)
    assert "**" not in said


def test_words_warn_of_the_impossible():
    scene = viz.channel_shuffle(12, (3, 5))
    assert "Not possible" not in to_text(scene.at(groups="3"))
    assert "Not possible: 12 channels are not divisible by 5 groups" in to_text(
        scene.at(groups="5")
    )


# -- saving --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "start"),
    [("svg", b"<svg"), ("png", b"\x89PNG"), ("gif", b"GIF89a"), ("txt", b"A sample"),
     ("html", b"<!doctype html>")],
)  # fmt: skip
def test_save_chooses_by_suffix_and_repeats_byte_for_byte(tmp_path, suffix, start):
    scene = sample_scene(net="short")
    once = scene.save(tmp_path / f"one.{suffix}", "dark").read_bytes()
    again = scene.save(tmp_path / f"two.{suffix}", "dark").read_bytes()
    assert once == again
    assert once.startswith(start)
    if suffix != "txt":
        assert scene.save(tmp_path / f"three.{suffix}", "light").read_bytes() != once
