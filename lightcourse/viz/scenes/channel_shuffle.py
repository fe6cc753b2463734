"""Channel shuffle (通道混洗) between two group convolutions, step by step (ShuffleNet, 3.1).
# V is editing this file until 05:50 (B2: please leave it, see /tmp/w/B2/NOTE_FROM_V.md)

Without it g groups are g separate networks; with it an output sees min(g, C/g) of them.
"""

from collections.abc import Sequence
from typing import Any

from lightcourse.errors import UserError

from ..scene import L, Scene
from . import _shuffle_tables as at

HINTS = (
    "the channels stay where they are",
    "view(g, C/g), then transpose: the paper's order",
    "view(C/g, g), then transpose: the inverse permutation, a common mistake",
)
STATE = ("groups", "shuffle", "step")
MOST_CHANNELS, MOST_GROUPS, MOST_CARDS = 24, 12, 48
DELAY = 45  # ms between one card and the next, so that a transpose can be followed


def channel_shuffle(channels: int = 12, groups: Sequence[int] = (2, 3, 4, 6)) -> Scene:
    """Build the scene; see `lightcourse.viz.channel_shuffle`.

    Raises:
        UserError: there are too few or too many channels or groups to draw.

    >>> channel_shuffle().at(groups="4", shuffle="on", step=5).frame()[-1]["s"]
    'each channel knows 3 of 4 groups'
    """
    groups = list(groups)
    if not 2 <= channels <= MOST_CHANNELS:
        raise UserError(f"cannot draw {channels} channels; choose 2 to {MOST_CHANNELS}.")
    if not groups or any(not 1 <= g <= min(channels, MOST_GROUPS) for g in groups):
        most = min(channels, MOST_GROUPS)
        raise UserError(f"cannot draw the groups {groups}; name one or more from 1 to {most}.")
    if channels * len(groups) > MOST_CARDS:
        raise UserError(
            f"{channels} channels with {len(groups)} choices of groups are too much for one scene; "
            f"name at most {MOST_CARDS // channels}."
        )
    first = 1 if len(groups) > 1 else 0
    return Scene.of(
        {
            "v": 1,
            "id": "channel-shuffle",
            "title": "Channel shuffle: cheap mixing between groups",
            "subtitle": "view, transpose, flatten between two group convolutions",
            "alt": f"{channels} channels as cards, coloured and lettered by group, that move"
            " through two group convolutions and the shuffle between them",
            "size": [at.WIDTH, at.HEIGHT],
            "dur": 600,
            "params": _params(groups, first),
            "tables": at.tables_of(channels, groups),
            "marks": _marks(channels, max(groups), at.most_seen(channels, groups)),
            "caption": L("caption", *STATE),
            "code": L("code", *STATE),
            "warn": L("warn", "groups"),
            "ask": _question(groups),
        }
    )


def _params(groups: list[int], first: int) -> list[dict[str, Any]]:
    return [
        {"name": "groups", "label": "Groups", "kind": "select", "value": first,
         "options": [str(g) for g in groups], "hints": [f"{g} groups" for g in groups]},
        {"name": "shuffle", "label": "Shuffle", "kind": "select", "value": 1,
         "options": list(at.MODES), "hints": list(HINTS)},
        {"name": "step", "label": "Step", "kind": "step", "n": len(at.STEPS), "value": 0,
         "labels": L("step", "step"), "play": 1700},
    ]  # fmt: skip


def _question(groups: list[int]) -> dict[str, Any]:
    """Predict how many groups one output sees; the reply to each number fits every setting."""
    options = [str(n) for n in range(1, max(2, *groups) + 1)]
    replies = ["One group: that is the network without a shuffle, g separate ones."]
    replies += [
        f"{n} groups need at least {n} channels in a group, each from another one; count the cards."
        for n in range(2, len(options) + 1)
    ]
    return {"q": "Two group convolutions with this shuffle between them: how many of the groups"
            " does one output channel see?", "options": options,
            "answer": L("answer", "groups", "shuffle"), "replies": replies,
            "param": "step", "from": 4}  # fmt: skip


def _marks(channels: int, boxes: int, stripes: int) -> list[dict[str, Any]]:
    back = [
        {"id": f"box{q}", "t": "rect", "x": L("box_x", "groups", q), "y": L("box_y", *STATE),
         "width": L("box_w", "groups", q), "height": at.CARD + 16, "rx": 10, "fill": "panel",
         "stroke": "grid", "stroke-width": 1.5, "opacity": L("flat", *STATE), "pe": 0}
        for q in range(boxes)
    ]  # fmt: skip
    pitch = 900 / channels
    ghosts = [
        {"id": f"ghost{p}", "t": "rect", "x": at.LEFT + p * pitch, "y": at.TABLE_TOP + 22,
         "width": pitch * 0.84, "height": at.GHOST, "rx": 5, "fill": L("ghost_fill", *STATE, p),
         "opacity": L("ghost", *STATE), "pe": 0}
        for p in range(channels)
    ]  # fmt: skip
    wires = {"id": "wires", "t": "path", "d": L("wires", *STATE), "fill": "none",
             "stroke": "line", "stroke-width": 1.1, "pe": 0}  # fmt: skip
    cards = [mark for c in range(channels) for mark in _card(c, channels, stripes)]
    return [*back, *ghosts, wires, *cards, *_words()]


def _card(c: int, channels: int, stripes: int) -> list[dict[str, Any]]:
    """One channel: a frame, one stripe for each group it knows, its badge."""
    key, delay = (*STATE, c), DELAY * c
    width = 900 / channels * 0.84
    card = {"x": L("x", *key), "y": L("y", *key), "height": L("h", *key), "delay": delay}
    radius = min(18.0, width / 2 - 2)
    marks: list[dict[str, Any]] = [
        {"id": f"card{c}", "t": "rect", **card, "width": width, "rx": 5, "fill": "c8",
         "stroke": "ink", "stroke-width": 2.5, "link": L("link", *key), "tip": L("tip", *key)}
    ]  # fmt: skip
    marks += [
        {"id": f"stripe{c}_{q}", "t": "rect", **card, "x": L("sx", *key, q),
         "width": L("sw", *key, q), "fill": L("sf", *key, q), "pe": 0}
        for q in range(stripes)
    ]  # fmt: skip
    marks += [
        {"id": f"plate{c}", "t": "circle", "cx": L("tx", *key), "cy": L("cy", *key), "r": radius,
         "fill": "bg", "pe": 0, "delay": delay},
        {"id": f"name{c}", "t": "text", "x": L("tx", *key), "y": L("ty", *key), "pe": 0,
         "s": L("badge", "groups", c), "fill": "ink", "font-size": 15 if channels <= 16 else 12,
         "font-weight": "700", "text-anchor": "middle", "delay": delay},
    ]  # fmt: skip
    return marks


def _words() -> list[dict[str, Any]]:
    return [
        {"id": "stage", "t": "text", "x": at.LEFT, "y": 34, "s": L("step", "step"), "fill": "ink",
         "font-size": 22, "font-weight": "700"},
        {"id": "seen", "t": "text", "x": 960, "y": 412, "s": L("seen", *STATE), "fill": "ink",
         "font-size": 21, "font-weight": "700", "text-anchor": "end"},
    ]  # fmt: skip
