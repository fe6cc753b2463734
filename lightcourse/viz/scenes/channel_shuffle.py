"""Channel shuffle (通道混洗) between two group convolutions, step by step (ShuffleNet, 3.1).

Without it g groups are g separate networks; with it an output knows min(g, C/g) of them.
"""

from collections.abc import Callable, Sequence
from typing import Any

from lightcourse.errors import UserError

from ..marks import Mark, card, mark, text, timeline, timeline_tables
from ..scene import L, Scene, dumps, plain
from ..theme import text_on
from ..validate import MAX_BYTES
from . import _shuffle_words as words
from ._shuffle_layout import (
    BOTTOM, CARD, HEIGHT, LEFT, LETTERS, MIDDLE, MODES, ROW, STEPS, TABLE_TOP, TOP, WIDTH, Layout,
)  # fmt: skip

HINTS = (
    "the channels stay where they are",
    "view(g, C/g), then transpose: the paper's order",
    "view(C/g, g), then transpose: the inverse permutation, a common mistake",
)
STATE = ("groups", "shuffle", "step")
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
    tables = {**_texts(layouts), **_places(layouts), **_outputs(layouts, max(1, most))}
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


def _checked(channels: int, groups: Sequence[int]) -> list[int]:
    if not isinstance(channels, int) or not CHANNELS[0] <= channels <= CHANNELS[1]:
        low, high = CHANNELS
        raise UserError(f"cannot draw {channels!r} channels; choose {low} to {high}.")
    chosen = [groups] if isinstance(groups, int) else list(dict.fromkeys(groups))
    if not chosen or any(not isinstance(g, int) or not 1 <= g <= MOST_GROUPS for g in chosen):
        raise UserError(
            f"cannot draw the groups {groups!r}; name one or more whole numbers from 1 to"
            f" {MOST_GROUPS}."
        )
    return chosen


def _params(groups: list[int]) -> list[dict[str, Any]]:
    return [
        {"name": "groups", "label": "Groups", "kind": "select", "value": int(len(groups) > 1),
         "options": [str(g) for g in groups], "hints": [f"{g} groups" for g in groups]},
        {"name": "shuffle", "label": "Shuffle", "kind": "select", "value": 1,
         "options": list(MODES), "hints": list(HINTS)},
        {"name": "step", "label": "Step", "kind": "step", "n": len(STEPS), "value": 0,
         "labels": L("step", "step"), "play": 1900},
    ]  # fmt: skip


# -- tables, indexed [groups][mode][step] unless said otherwise ----------------------------------


def _each(layouts: list[list[Layout]], value: Callable[[Layout, int], Any]) -> list:
    return [[[value(at, s) for s in range(len(STEPS))] for at in row] for row in layouts]


def _texts(layouts: list[list[Layout]]) -> dict[str, Any]:
    channels = layouts[0][0].channels
    return {
        **timeline_tables(len(STEPS)),
        "step": list(STEPS),
        "caption": _each(layouts, words.caption), "code": _each(layouts, words.code),
        "shape": _each(layouts, words.shape), "knows": _each(layouts, words.knows),
        "warn": [words.warning(channels, row[0].groups) for row in layouts],
        "rows": _each(layouts, lambda at, s: _count(at, s, 0)),
        "columns": _each(layouts, lambda at, s: _count(at, s, 1)),
        "name": [[_name(row[0], c) for c in range(channels)] for row in layouts],
        "tip": [[_tip(row[0], c) for c in range(channels)] for row in layouts],
        "link": [[[row[0].group(c)] for c in range(channels)] for row in layouts],
        "fill": [[_fill(row[0].group(c)) for c in range(channels)] for row in layouts],
        "ink": [[text_on(_fill(row[0].group(c))) for c in range(channels)] for row in layouts],
    }  # fmt: skip


def _count(at: Layout, step: int, axis: int) -> str:
    if not at.in_table(step):
        return ""
    number = at.table(step)[axis]
    word = ("rows", "columns")[axis]
    return f"{number} {word if number > 1 else word[:-1]}"


def _name(at: Layout, channel: int) -> str:
    group = at.group(channel)
    return ("?" if group is None else LETTERS[group]) + str(channel)


def _tip(at: Layout, channel: int) -> str:
    group = at.group(channel)
    return f"channel {channel}: {'left over' if group is None else words.names([group])}"


def _fill(group: int | None) -> str:
    return "panel" if group is None else f"c{group % 8 + 1}"


def _places(layouts: list[list[Layout]]) -> dict[str, Any]:
    """Cards, the rows of cards that go into a convolution, boxes, wires; and what is visible."""
    cards = range(layouts[0][0].channels)
    boxes = range(max(row[0].groups for row in layouts))

    def column(index: int) -> list:
        return _each(layouts, lambda at, s: [at.place(c, s)[index] for c in cards])

    def visible(steps: Sequence[int], flat: Sequence[int] = ()) -> list:
        """Opacity by step; `flat` are the steps that also count where nothing moves."""
        return _each(layouts, lambda at, s: int(
            at.valid and (s in steps or (s in flat and not at.moves))))  # fmt: skip

    return {
        "x": column(0), "y": column(1), "height": column(2),
        "word_x": _each(layouts, lambda at, s: [at.place(c, s)[0] + at.card / 2 for c in cards]),
        "word_y": _each(layouts, lambda at, s: [sum(at.place(c, s)[1:]) - at.place(c, s)[2] / 2 + 6
                                                for c in cards]),
        "card": [row[0].card for row in layouts],
        "slot": [[row[0].slot(p) for p in cards] for row in layouts],
        "slot_word": [[row[0].slot(p) + row[0].card / 2 for p in cards] for row in layouts],
        "in_y": _each(layouts, lambda at, s: TOP if at.valid and s else MIDDLE),
        "in_word": _each(layouts, lambda at, s: (TOP if at.valid and s else MIDDLE) + CARD / 2 + 6),
        "in": _each(layouts, lambda at, s: int(not at.valid or s < 2)),
        "moving": visible((1, 2, 3, 4, 5)),
        "box_x": [[row[0].box(q)[0] for q in boxes] for row in layouts],
        "box_width": [[row[0].box(q)[1] for q in boxes] for row in layouts],
        "box_y": _each(layouts, lambda at, s: _box_y(at, s)),
        "box": _each(layouts, lambda at, s: int(not at.in_table(s))),
        "lower": visible((1, 5)),
        "first": visible((1,)), "second": visible((5,)),
        "wires": [[[at.wires(q) for q in boxes] for at in row] for row in layouts],
        "reading": _each(layouts, Layout.reading), "in_table": visible((2, 3)),
        "corner_x": _each(layouts, lambda at, s: at.corner(s)[0]),
        "corner_y": _each(layouts, lambda at, s: at.corner(s)[1]),
    }  # fmt: skip


def _box_y(at: Layout, step: int) -> float:
    return (TOP if at.valid and step in (1, 5) else MIDDLE) - 9


def _outputs(layouts: list[list[Layout]], most: int) -> dict[str, Any]:
    """Stripes of the outputs of the second convolution, [groups][mode][place][stripe]."""
    places = range(layouts[0][0].channels)

    def each(value: Callable[[list[int], int], Any], fill: Any) -> list:
        def stripes(known: list[int]) -> list:
            shown = [value(known, q) for q in range(len(known))]
            return shown + [fill] * (most - len(shown))

        return [[[stripes(at.known(p)) for p in places] for at in row] for row in layouts]

    def whole(value: Callable[[Layout, int], Any]) -> list:
        return [[[value(at, p) for p in places] for at in row] for row in layouts]

    return {
        "stripe_y": each(lambda known, q: BOTTOM + q * CARD / len(known), BOTTOM + CARD),
        "stripe_h": each(lambda known, q: CARD / len(known), 0),
        "stripe_fill": each(lambda known, q: _fill(known[q]), "panel"),
        "stripe_ink": each(lambda known, q: text_on(_fill(known[q])), "ink"),
        "stripe_word": each(lambda known, q: LETTERS[known[q]], ""),
        "stripe_word_y": each(lambda known, q: BOTTOM + (q + 0.5) * CARD / len(known) + 6, BOTTOM),
        "out_link": whole(Layout.known),
        "out_tip": whole(lambda at, p: f"output {p} knows {words.names(at.known(p))}"),
    }


# -- marks, back to front -------------------------------------------------------------------------


def _marks(channels: int, boxes: int, stripes: int) -> list[Mark]:
    groups = range(boxes)
    size = 17 if channels <= 14 else 13
    return [
        *timeline(list(STEPS), "step", LEFT - 10, 8, ROW + 20),
        text("shape", LEFT - 6, 80, L("shape", *STATE), 19, bold=True),
        text("knows", LEFT + ROW + 6, 80, L("knows", *STATE), 19, bold=True, anchor="end"),
        *(_box(f"box{q}", q, L("box_y", *STATE), "box") for q in groups),
        *(_box(f"lower{q}", q, BOTTOM - 9, "lower") for q in groups),
        *(_wires(f"first{q}", L("wires", "groups", 0, q), q, "first") for q in groups),
        *(_wires(f"second{q}", L("wires", "groups", "shuffle", q), q, "second") for q in groups),
        *_table_words(),
        *(m for p in range(channels) for m in _input(p, size)),
        *(m for p in range(channels) for m in _output(p, stripes, size, channels)),
        *(m for c in range(channels) for m in _card(c, size, channels)),
    ]  # fmt: skip


def _box(name: str, group: int, y: Any, visible: str) -> Mark:
    return mark("rect", name, x=L("box_x", "groups", group), width=L("box_width", "groups", group),
                y=y, height=CARD + 18, rx=12, fill="panel", stroke="grid", stroke_width=1.5,
                opacity=L(visible, *STATE), pe=0)  # fmt: skip


def _wires(name: str, d: Any, group: int, visible: str) -> Mark:
    return mark("path", name, d=d, fill="none", stroke=_fill(group), stroke_width=1.8,
                opacity=L(visible, *STATE), link=[group], pe=0)  # fmt: skip


def _table_words() -> list[Mark]:
    """The table's size, and a thread through the cards in the order in which they are read."""
    look = {"fill": "muted", "pe": 0, "opacity": L("in_table", *STATE)}
    return [
        mark("path", "reading", d=L("reading", *STATE), fill="none", stroke="line", stroke_width=2,
             stroke_dasharray="3 4", opacity=L("in_table", *STATE), pe=0),
        text("columns", WIDTH / 2, TABLE_TOP - 12, L("columns", *STATE), 16, anchor="middle", **look),
        text("rows", LEFT - 6, TABLE_TOP + 165, L("rows", *STATE), 16, **look),
    ]  # fmt: skip


def _input(place: int, size: int) -> list[Mark]:
    return card(
        f"in{place}", L("slot", "groups", place), L("in_y", *STATE), L("card", "groups"), CARD,
        L("fill", "groups", place), L("name", "groups", place), L("ink", "groups", place),
        middle=(L("slot_word", "groups", place), L("in_word", *STATE)), size=size,
        opacity=L("in", *STATE), tip=L("tip", "groups", place), link=L("link", "groups", place),
    )  # fmt: skip


def _card(channel: int, size: int, channels: int) -> list[Mark]:
    key = (*STATE, channel)
    return card(
        f"card{channel}", L("x", *key), L("y", *key), L("card", "groups"), L("height", *key),
        L("fill", "groups", channel), L("name", "groups", channel), L("ink", "groups", channel),
        middle=(L("word_x", *key), L("word_y", *key)), size=size, opacity=L("moving", *STATE),
        tip=L("tip", "groups", channel), link=L("link", "groups", channel),
        delay=round(SPREAD * channel / channels),
    )  # fmt: skip


def _output(place: int, stripes: int, size: int, channels: int) -> list[Mark]:
    """One output of the second convolution: a stripe and a letter for each group that it knows."""
    key = ("groups", "shuffle", place)
    look = {"opacity": L("second", *STATE), "delay": round(SPREAD * place / channels)}
    frame = {"x": L("slot", "groups", place), "width": L("card", "groups"), **look}
    base = mark("rect", f"out{place}", **frame, y=BOTTOM, height=CARD, fill="panel",
                tip=L("out_tip", *key), link=L("out_link", *key))  # fmt: skip
    marks = [base]
    for q in range(stripes):
        marks += [
            mark("rect", f"stripe{place}_{q}", **frame, y=L("stripe_y", *key, q),
                 height=L("stripe_h", *key, q), fill=L("stripe_fill", *key, q), pe=0),
            text(f"letter{place}_{q}", L("slot_word", "groups", place), L("stripe_word_y", *key, q),
                 L("stripe_word", *key, q), size, anchor="middle", bold=True,
                 fill=L("stripe_ink", *key, q), pe=0, **look),
        ]  # fmt: skip
    return marks
