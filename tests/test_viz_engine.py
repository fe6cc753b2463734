"""The viz engine without a browser: look-ups, rules, colours, pages, and what users are told."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from viz_sample import sample_scene, sample_spec

from lightcourse import viz
from lightcourse.errors import UserError
from lightcourse.viz import html, theme
from lightcourse.viz.scene import (
    L,
    Pool,
    Scene,
    clamp,
    dumps,
    frame,
    plain,
    resolve,
)

every_scene = pytest.mark.parametrize("make", [sample_scene, *viz.SCENES.values()])

# ---- states and look-ups -------------------------------------------------------------------------


def test_a_look_up_walks_its_table():
    spec = {"tables": {"a": [[1, 2], [3, 4]]}}
    assert resolve(L("a", "row", 1), spec, {"row": 1}) == 4
    assert resolve("constant", spec, {}) == "constant"
    for bad in (L("a", "row", 2), L("a", "row", 1, 0), L("a", -1, 0)):
        with pytest.raises(IndexError):
            resolve(bad, spec, {"row": 0})


def test_clamp_uses_the_number_of_values_that_holds_in_that_state():
    spec = plain(sample_spec())
    assert clamp(spec, {}) == {"net": 1, "step": 0, "stride": 0, "px": 3, "py": 3}
    assert clamp(spec, {"net": 0, "step": 99})["step"] == 2
    assert clamp(spec, {"net": 9, "step": 99, "px": -4}) == {
        "net": 1, "step": 4, "stride": 0, "px": 0, "py": 3,
    }  # fmt: skip


def test_states_are_all_and_only_those_that_exist():
    states = list(sample_scene(px=5).states())
    assert len(states) == (3 + 5) * 4
    assert {s["step"] for s in states if s["net"] == 0} == {0, 1, 2}
    assert all(clamp(sample_scene().spec, s) == s for s in states)


def test_frame_resolves_every_attribute():
    drawn = {m["id"]: m for m in sample_scene(net="short", step=2, px=0).frame()}
    assert drawn["bar2"]["fill"] == "c2" and drawn["bar0"]["fill"] == "c1"
    assert drawn["bar4"]["opacity"] == 0
    assert drawn["dot"]["cx"] == 50
    assert drawn["name1"]["s"] == "1"
    assert drawn["img"]["href"].startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    "given,index",
    [("short", 0), ("long", 1), ("SH", 0), (0, 0), ("1", 1)],
)
def test_options_by_name_beginning_or_index(given, index):
    assert sample_scene().at(net=given).state["net"] == index


def test_a_name_that_looks_like_a_number_wins_over_an_index():
    scene = viz.channel_shuffle()
    assert scene.at(groups=3).state["groups"] == 1
    assert scene.at(groups="6").state["groups"] == 3


@pytest.mark.parametrize(
    "wanted,says",
    [
        ({"nett": 0}, "no parameter 'nett'; did you mean 'net'.*net, step, stride"),
        ({"net": "medium"}, r"net='medium' is not possible.*0 to 1 \(short, long\)"),
        ({"net": "short", "step": 4}, "choose 0 to 2"),
        ({"step": -1}, "choose 0 to 4"),
        ({"step": "x"}, "choose 0 to 4"),
        ({"net": ""}, "short, long"),
    ],
)
def test_a_wrong_state_lists_the_right_ones(wanted, says):
    with pytest.raises(UserError, match=says):
        sample_scene().at(**wanted)


def test_at_leaves_the_first_scene_alone():
    first = sample_scene()
    second = first.at(step=3)
    assert (first.state["step"], second.state["step"]) == (0, 3)
    assert second.caption() == "Step 4 of the long net: the bar is 210 px wide."


def test_predict_closes_what_follows():
    asked = sample_scene(step=4).predict()
    assert asked.asks and asked.state["step"] == 0
    spec = sample_spec()
    del spec["ask"]
    with pytest.raises(UserError, match="no question"):
        Scene.of(spec).predict()


def test_plain_makes_json_and_rounds_to_a_hundredth():
    made = plain({"a": np.array([[0.123456, 2.0]]), "b": (np.float32(1.5), np.int8(3), None, True)})
    assert made == {"a": [[0.12, 2]], "b": [1.5, 3, None, True]}
    assert json.loads(dumps(made)) == made


def test_text_cannot_leave_its_script():
    assert "<" not in dumps({"a": "</script><script>alert(1)</script>\u2028"})
    spec = sample_spec() | {"title": "</script><b>", "alt": '"><script>x</script>'}
    page = Scene.of(spec).html() + Scene.of(spec).inline()
    assert "<b>" not in page and "<script>x" not in page


def test_the_pool_keeps_one_of_equal_pictures():
    pool = Pool()
    white = np.full((4, 4, 3), 255)
    assert [pool.add(white), pool.add(white * 0), pool.add(white)] == [0, 1, 0]
    assert pool.heat(np.eye(3)) == 2 and pool.heat(np.eye(3) * 7) == 2
    assert pool.heat(np.zeros((3, 3)), alpha=True) == 3


# ---- colours -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", theme.THEMES)
def test_contrast(name):
    colours = theme.palette(name)
    on = {t: theme.contrast(c, colours["bg"]) for t, c in colours.items()}
    assert all(on[t] >= 4.5 for t in ("ink", "muted", "hi", "ok", "bad"))
    assert all(on[t] >= 3 for t in on if t[0] == "c" or t == "line")
    for token in ("ink", "muted", "hi", "bad", "ok"):  # text also stands on panels
        assert theme.contrast(colours[token], colours["panel"]) >= 4.5
    for token in theme.TOKENS - {"line"}:
        text = theme.paint(theme.text_on(token), name)
        assert theme.contrast(text, colours[token]) >= 4.5, token
    assert theme.contrast(colours["bg"], colours["c1"]) >= 4.5  # the chosen option


def test_the_themes_have_the_same_tokens_and_css_has_them_all():
    assert {frozenset(colours) for colours in theme.PALETTE.values()} == {theme.TOKENS}
    css = theme.css_variables(".lc")
    for colours in theme.PALETTE.values():
        for token, colour in colours.items():
            assert f"--lc-{token}:{colour};" in css


def test_colours_are_written_only_in_python():
    for file in html.STATIC.iterdir():
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?![\w-]*=)", file.read_text()), file.name
    used = re.findall(r"var\(--lc-(\w+)\)", (html.STATIC / "renderer.css").read_text())
    assert set(used) <= theme.TOKENS | {"font", "mono", "ratio"}


def test_wcag_examples():
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_an_unknown_theme():
    with pytest.raises(UserError, match="light, dark"):
        theme.palette("pink")


# ---- pages ---------------------------------------------------------------------------------------


class Parts(HTMLParser):
    """The attributes of each tag, and what scripts and styles hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.inside: list[str] = []
        self.within = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.within = tag

    def handle_endtag(self, tag):
        self.within = ""

    def handle_data(self, data):
        if self.within in ("script", "style"):
            self.inside.append(data)


@every_scene
def test_a_page_names_no_address_and_its_policy_fits(make):
    page = make().html()
    assert not re.findall(r"\w+://", page.replace("http://www.w3.org/2000/svg", ""))
    parts = Parts(page)
    policy = next(a["content"] for t, a in parts.tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    style, _, code = parts.inside
    for directive, text in (("style-src", style), ("script-src", code)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert not [t for t, a in parts.tags if "style" in a or any(k.startswith("on") for k in a)]


@every_scene
def test_notebook_output_is_small_repeatable_and_has_a_picture(make):
    scene = make()
    first = scene.inline()
    assert first == make().inline()
    tags = Parts(first).tags
    assert tags[0][1]["class"] == "lightcourse-scene"
    image = next(a for t, a in tags if t == "img")
    assert image["src"].startswith("data:image/svg+xml,")
    assert scene.caption() in image["alt"]
    bundle = scene._repr_mimebundle_()
    assert bundle == {"text/html": first, "text/plain": scene.caption()}


def test_the_renderer_stays_small():
    assert len(html.short_script().encode()) <= 25_600
    assert "//" not in html.short_script().replace("http://www.w3.org", "")


def test_no_script_reaches_out():
    code = html.short_script()
    for word in ("fetch(", "XMLHttpRequest", "WebSocket", "import(", "eval(", "innerHTML"):
        assert word not in code
    assert not re.search(r"^\s*import\s", code, re.M)


def test_states_and_themes_reach_the_page():
    page = html.to_page(sample_scene(step=2), "dark")
    data = json.loads(re.search(r'id="lc-data">(.*?)</script>', page).group(1))
    assert data["state"]["step"] == 2 and data["theme"] == "dark" and not data["asks"]
    assert data["spec"] == sample_scene().spec
    with pytest.raises(UserError):
        html.to_page(sample_scene(), "pink")


# ---- files and names -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name,begins",
    [("a.html", b"<!doctype html>"), ("a.svg", b"<svg"), ("a.png", b"\x89PNG"), ("a.TXT", b"")],
)
def test_save_goes_by_the_suffix(tmp_path, name, begins):
    path = sample_scene().save(tmp_path / name)
    data = path.read_bytes()
    assert data.startswith(begins) and len(data) > 50


def test_save_says_what_it_can_do(tmp_path):
    with pytest.raises(UserError, match=r"\.html, \.svg, \.png, \.gif, \.txt"):
        sample_scene().save(tmp_path / "a.pdf")
    with pytest.raises(UserError, match="cannot write"):
        sample_scene().save(tmp_path / "missing" / "a.svg")
    with pytest.raises(UserError, match="light, dark"):
        sample_scene().save(tmp_path / "a.svg", theme="pink")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["channel-shuffle", "Channel Shuffle", "channel_shuffle"])
def test_a_scene_by_name(name):
    assert viz.get_scene(name).spec["id"] == "channel-shuffle"


def test_an_unknown_scene_names_the_nearest():
    with pytest.raises(UserError, match="did you mean receptive-field"):
        viz.get_scene("receptive-feild")
    with pytest.raises(UserError, match="choose " + ", ".join(viz.SCENES)):
        viz.get_scene("qqq")


def test_the_widget_shares_state_and_refuses_what_is_not_there():
    pytest.importorskip("anywidget")
    widget = sample_scene(step=1).widget()
    try:
        assert widget.state["step"] == 1 and widget.spec == sample_scene().spec
        widget.set(net="short", step=2)
        assert (widget.state["net"], widget.state["step"]) == (0, 2)
        widget.state = {"net": 0, "step": 99}
        assert widget.state == clamp(widget.spec, {"net": 0, "step": 2})
        with pytest.raises(UserError):
            widget.set(step=4)
    finally:
        widget.close()


def test_importing_viz_loads_nothing_heavy():
    code = (
        "import sys, lightcourse.viz as v; "
        "bad = {'torch', 'anywidget', 'matplotlib', 'IPython', 'PIL'} & set(sys.modules); "
        "sys.exit(repr(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_frame_method_is_the_function():
    scene = sample_scene(step=3)
    assert scene.frame() == frame(scene.spec, scene.state)
