"""Channel shuffle (通道混洗) between two group convolutions, step by step (ShuffleNet, 3.1).

Without it g groups are g separate networks; with it an output knows min(g, C/g) of them.
"""

from collections.abc import Sequence
from typing import Any

from lightcourse.errors import UserError

from ..marks import Mark, card, mark, text, timeline
from ..scene import L, Scene, dumps, plain
from ..validate import MAX_BYTES
from . import _shuffle_words as words
from ._shuffle_layout import BOTTOM, CARD, HEIGHT, LEFT, MODES, ROW, STEPS, WIDTH, Layout
from ._shuffle_tables import fill_of, tables_of

HINTS = (
    "the channels stay where they are",
    "view(g, C/g), then transpose: the paper's order",
    "view(C/g, g), then transpose: the inverse permutation, a common mistake",
)
STATE, STEP = ("groups", "shuffle", "step"), ("groups", "step")
CHANNELS, MOST_GROUPS = (2, 24), 12
SPREAD = 500  # ms between the first card and the last, so that a transpose can be followed


def channel_shuffle(channels: int = 12, groups: Sequence[int] = (2, 3, 4, 6)) -> Scene:
    """Build the scene; see `lightcourse.viz.channel_shuffle`.

    Raises:
        UserError: there are too few or too many channels or groups to draw.

    >>> scene = channel_shuffle().at(groups="4", shuffle="on", step=5)
    >>> scene.caption()[:63]
    'After the second group convolution one output knows 3 of 4 grou'
    """
    chosen = _checked(channels, groups)
    layouts = [[Layout(channels, g, mode) for mode in MODES] for g in chosen]
    most = max((len(at.known(0)) for row in layouts for at in row), default=1)
    tables = tables_of(layouts, max(1, most))
    spec = {
        "v": 1,
        "id": "channel-shuffle",
        "title": "Channel shuffle: cheap mixing between groups",
        "subtitle": "view, transpose, flatten between two group convolutions",
        "alt": f"{channels} channels as cards, coloured and lettered by group, that move"
        " through two group convolutions and the shuffle between them",
        "size": [WIDTH, HEIGHT],
        "dur": 600,
        "params": _params(chosen),
        "tables": tables,
        "marks": _marks(channels, min(max(chosen), MOST_GROUPS), max(1, most)),
        "caption": L("caption", *STATE),
        "code": L("code", *STATE),
        "warn": L("warn", "groups"),
    }
    asked = words.question(channels, chosen)
    if asked:
        ask, tables["answer"] = asked
        spec["ask"] = {**ask, "answer": L("answer", "groups", "shuffle")}
    if len(dumps(plain(spec)).encode()) > MAX_BYTES:
        raise UserError(
            f"{channels} channels with {len(chosen)} choices of groups are too much for one scene;"
            " name fewer groups."
        )
    return Scene.of(spec)


def _checked(channels: Any, groups: Any) -> list[int]:
    if not _whole(channels) or not CHANNELS[0] <= channels <= CHANNELS[1]:
        low, high = CHANNELS
        raise UserError(f"cannot draw {channels!r} channels; choose {low} to {high}.")
    given = [groups] if _whole(groups) else groups
    chosen = list(dict.fromkeys(given)) if isinstance(given, (list, tuple, range)) else []
    if not chosen or not all(_whole(g) and 1 <= g <= MOST_GROUPS for g in chosen):
        raise UserError(
            f"cannot draw the groups {groups!r}; name one or more whole numbers from 1 to"
            f" {MOST_GROUPS}."
        )
    return chosen


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _params(groups: list[int]) -> list[dict[str, Any]]:
    return [
        {"name": "groups", "label": "Groups", "kind": "select", "value": int(len(groups) > 1),
         "options": [str(g) for g in groups], "hints": [f"{g} groups" for g in groups]},
        {"name": "shuffle", "label": "Shuffle", "kind": "select", "value": 1,
         "options": list(MODES), "hints": list(HINTS)},
        {"name": "step", "label": "Step", "kind": "step", "n": len(STEPS), "value": 0,
         "labels": L("step", "step"), "play": 1900},
    ]  # fmt: skip


def _marks(channels: int, boxes: int, stripes: int) -> list[Mark]:
    groups = range(boxes)
    size = 17 if channels <= 14 else 13
    return [
        *timeline(list(STEPS), "step", LEFT - 10, 8, ROW + 20),
        text("shape", LEFT - 6, 80, L("shape", *STATE), 19, bold=True),
        text("knows", LEFT + ROW + 6, 80, L("knows", *STATE), 19, bold=True, anchor="end"),
        *(_box(f"box{q}", q, L("box_y", *STEP), L("box_h", *STEP), L("box", *STATE))
          for q in groups),
        *(_box(f"lower{q}", q, BOTTOM - 9, CARD + 18, L("lower", *STEP)) for q in groups),
        *(_wires(f"first{q}", L("wires", "groups", 0, q), q, "first") for q in groups),
        *(_wires(f"second{q}", L("wires", "groups", "shuffle", q), q, "second") for q in groups),
        *_table_words(),
        *(m for p in range(channels) for m in _input(p, size)),
        *(m for p in range(channels) for m in _output(p, stripes, size, channels)),
        *(m for c in range(channels) for m in _card(c, size, channels)),
    ]  # fmt: skip


def _box(name: str, group: int, y: Any, height: Any, opacity: Any) -> Mark:
    return mark("rect", name, x=L("box_x", "groups", group), width=L("box_w", "groups", group),
                y=y, height=height, rx=12, fill="panel", stroke="grid", stroke_width=1.5,
                opacity=opacity, pe=0)  # fmt: skip


def _wires(name: str, d: Any, group: int, visible: str) -> Mark:
    return mark("path", name, d=d, fill="none", stroke=fill_of(group), stroke_width=1.8,
                opacity=L(visible, *STEP), link=[group], pe=0)  # fmt: skip


def _table_words() -> list[Mark]:
    """The table's size, and a thread through the cards in the order in which they are read."""
    opacity = L("in_table", *STATE)
    return [
        mark("path", "reading", d=L("reading", *STATE), fill="none", stroke="line", stroke_width=2,
             stroke_dasharray="3 4", opacity=opacity, pe=0),
        text("table", WIDTH / 2, L("table_y", *STATE), L("table", *STATE), 16, anchor="middle",
             fill="muted", opacity=opacity, pe=0),
    ]  # fmt: skip


def _input(place: int, size: int) -> list[Mark]:
    return card(
        f"in{place}", L("slot", "groups", place), L("in_y", *STEP), L("card", "groups"),
        L("in_h", *STEP), L("fill", "groups", place), L("name", "groups", place),
        L("ink", "groups", place),
        middle=(L("slot_mid", "groups", place), L("in_mid", *STEP)), size=size,
        opacity=L("in", *STEP), tip=L("tip", "groups", place), link=L("link", "groups", place),
    )  # fmt: skip


def _card(channel: int, size: int, channels: int) -> list[Mark]:
    key = (*STATE, channel)
    return card(
        f"card{channel}", L("x", *key), L("y", *key), L("card", "groups"), L("height", *STATE),
        L("fill", "groups", channel), L("name", "groups", channel), L("ink", "groups", channel),
        middle=(L("word_x", *key), L("word_y", *key)), size=size, opacity=L("moving", *STEP),
        tip=L("tip", "groups", channel), link=L("link", "groups", channel),
        delay=round(SPREAD * channel / channels),
    )  # fmt: skip


def _output(place: int, stripes: int, size: int, channels: int) -> list[Mark]:
    """One output of the second convolution: a stripe and a letter for each group that it knows."""
    kind = ("groups", "shuffle")
    look = {"opacity": L("second", *STEP), "delay": round(SPREAD * place / channels)}
    frame = {"x": L("slot", "groups", place), "width": L("card", "groups"), **look}
    base = mark("rect", f"out{place}", **frame, y=BOTTOM, height=CARD, fill="panel",
                tip=L("out_tip", *kind, place), link=L("known", *kind, place))  # fmt: skip
    marks = [base]
    for q in range(stripes):
        marks += [
            mark("rect", f"stripe{place}_{q}", **frame, y=L("stripe_y", *kind, q),
                 height=L("stripe_h", *kind, q), fill=L("stripe", *kind, place, q), pe=0),
            text(f"letter{place}_{q}", L("slot_mid", "groups", place), L("letter_y", *kind, q),
                 L("letter", *kind, place, q), size, anchor="middle", bold=True,
                 fill=L("stripe_ink", *kind, place, q), pe=0, **look),
        ]  # fmt: skip
    return marks
