"""The rules of a specification: each mistake is found, named with its mark and its state."""

from copy import deepcopy

import pytest
from viz_sample import sample_scene, sample_spec

from lightcourse import viz
from lightcourse.viz.scene import L, SceneError, plain, validate

every_scene = pytest.mark.parametrize("make", [sample_scene, *viz.SCENES.values()])


@every_scene
def test_the_scenes_keep_the_rules(make):
    scene = make()
    validate(scene.spec)
    assert plain(scene.spec) == scene.spec


def edit(**changes):
    """Return a function that changes marks of the sample by id: {attribute: value}."""

    def apply(spec):
        for mark in spec["marks"]:
            mark |= changes.get(mark["id"], {})

    return apply


def table(name, value):
    return lambda spec: spec["tables"].__setitem__(name, value)


def param(index, **changes):
    return lambda spec: spec["params"][index].update(changes)


def double(spec):
    spec["marks"].append(deepcopy(spec["marks"][3]))


def many(spec):
    for i in range(500):
        spec["marks"].append({"id": f"m{i}", "t": "rect", "x": 0, "y": 0, "width": 1, "height": 1})


MISTAKES = {
    "unknown table": (edit(bar1={"fill": L("fil", "step")}), "mark 'bar1', fill: .*no table 'fil'"),
    "out of range": (
        table("wire", ["M0 0L1 1"] * 4),
        "mark 'wire', d: table 'wire' has nothing .*'step': 4",
    ),
    "out of range in one branch": (
        table("width", [[60, 60], [60] * 5]),
        "mark 'bar2', width: .*'net': 0",
    ),
    "too deep": (edit(bar0={"x": L("shown", "step", 0)}), "mark 'bar0', x: table 'shown'"),
    "unknown paint": (edit(dot={"fill": "red"}), "mark 'dot', fill: 'red' is not allowed"),
    "paint in one state": (
        table("fill", [["c1"] * 5] * 4 + [["c1"] * 4 + ["rgb(1,2,3)"]]),
        "mark 'bar4', fill: 'rgb.*'step': 4",
    ),
    "two of one id": (double, "mark 'head': this id is used twice"),
    "outside": (edit(rule={"x2": 900}), "mark 'rule': outside the frame, x from 240 to 900 of 600"),
    "outside in one state": (
        table("slide", [[240, 300, 360, 420, 700]]),
        "mark 'slider': outside .*'step': 4",
    ),
    "outside above": (edit(head={"y": -40}), "mark 'head': outside the frame, y"),
    "path outside": (edit(wire={"d": "M0 0L0 999"}), "mark 'wire': outside the frame, y"),
    "text too long": (edit(head={"s": "w" * 200}), "mark 'head': outside the frame, x"),
    "not a number": (edit(dot={"r": "7"}), "mark 'dot', r: '7' is not allowed"),
    "curves of another kind": (edit(wire={"d": "M0 0A1 1 0 0 0 5 5"}), "mark 'wire', d"),
    "misspelt": (edit(dot={"radius": 3}), "mark 'dot': radius is not known"),
    "missing": (lambda s: s["marks"][3].pop("s"), "mark 'head': s is missing"),
    "unknown type": (edit(dot={"t": "ellipse"}), "mark 'dot': needs an id and a type"),
    "no such picture": (edit(img={"href": 99}), "mark 'img', href: 99"),
    "sets nothing": (edit(bar0={"set": {"stp": 0}}), "mark 'bar0': sets 'stp'"),
    "drags nothing": (edit(img={"drag": {"x": "pz", "cell": 9}}), "mark 'img': sets 'pz'"),
    "drags by nothing": (edit(img={"drag": {"x": "px"}}), "mark 'img': drag takes"),
    "depends on nothing": (edit(bar0={"tip": L("fill", "stp")}), "uses 'stp', which is no param"),
    "too many marks": (many, "at most 500"),
    "too big": (table("bulk", ["x" * 160_000]), "at most 150000"),
    "no caption": (lambda s: s.pop("caption"), "lacks caption"),
    "caption in one state": (table("caption", [[""] * 3, [""] * 4]), "caption: .*'step': 4"),
    "parameter twice": (param(1, name="net"), "'net'.*used twice"),
    "parameter kind": (param(2, kind="dial"), "'stride': kind 'dial'"),
    "start out of range": (param(2, value=4), "'stride': its value is out of range"),
    "reserved name": (param(2, name="theme"), "'theme': this name is taken"),
    "no step hidden": (lambda s: s["ask"].update({"from": 0}), "ask: needs param"),
    "answer out of range": (lambda s: s["ask"].update(answer=2), "ask, answer: 2"),
    "reply missing": (lambda s: s["ask"]["replies"].pop(), "one reply for each"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_and_named(name):
    spec = plain(sample_spec())
    validate(spec)
    breaks, says = MISTAKES[name]
    breaks(spec)
    with pytest.raises(SceneError, match=says):
        validate(spec)
