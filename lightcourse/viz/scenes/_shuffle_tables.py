"""The channel-shuffle scene as tables, indexed [groups][mode][step] unless said otherwise."""

from collections.abc import Callable
from typing import Any

from ..marks import timeline_tables
from ..theme import text_on
from . import _shuffle_words as words
from ._shuffle_layout import BOTTOM, CARD, LETTERS, MIDDLE, MODES, STEPS, TALL, TOP, Layout

Layouts = list[list[Layout]]  # [groups][mode]


def tables_of(layouts: Layouts, stripes: int) -> dict[str, Any]:
    """Return all tables; `stripes` is how many groups the best-informed output knows."""
    return {**_texts(layouts), **_places(layouts), **_outputs(layouts, stripes)}


def _each(layouts: Layouts, value: Callable[[Layout, int], Any]) -> list:
    return [[[value(at, s) for s in range(len(STEPS))] for at in row] for row in layouts]


def _texts(layouts: Layouts) -> dict[str, Any]:
    channels = layouts[0][0].channels
    return {
        **timeline_tables(len(STEPS)),
        "step": list(STEPS),
        "caption": _each(layouts, words.caption), "code": _each(layouts, words.code),
        "shape": _each(layouts, words.shape), "knows": _each(layouts, words.knows),
        "warn": [words.warning(channels, row[0].groups) for row in layouts],
        "table": _each(layouts, _table_size),
        "name": [[_name(row[0], c) for c in range(channels)] for row in layouts],
        "tip": [[_tip(row[0], c) for c in range(channels)] for row in layouts],
        "link": [[[row[0].group(c)] for c in range(channels)] for row in layouts],
        "fill": [[fill_of(row[0].group(c)) for c in range(channels)] for row in layouts],
        "ink": [[text_on(fill_of(row[0].group(c))) for c in range(channels)] for row in layouts],
    }  # fmt: skip


def _table_size(at: Layout, step: int) -> str:
    if not at.in_table(step):
        return ""
    rows, columns = at.table(step)
    by_group = (at.mode == MODES[1]) == (step == 2)  # one row for each group
    down, along = ("g", "C/g") if by_group else ("C/g", "g")
    return f"{down} = {rows} {_many('row', rows)} × {along} = {columns} {_many('column', columns)}"


def _many(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _name(at: Layout, channel: int) -> str:
    group = at.group(channel)
    return ("?" if group is None else LETTERS[group]) + str(channel)


def _tip(at: Layout, channel: int) -> str:
    group = at.group(channel)
    return f"channel {channel}: {'left over' if group is None else words.names([group])}"


def fill_of(group: int | None) -> str:
    """Return the paint of a group; the ninth begins again, so letters tell them apart."""
    return "panel" if group is None else f"c{group % 8 + 1}"


def _places(layouts: Layouts) -> dict[str, Any]:
    """Cards, the rows of cards that go into a convolution, boxes, wires; and what is visible."""
    cards = range(layouts[0][0].channels)
    boxes = range(max(row[0].groups for row in layouts))

    def column(index: int) -> list:
        return _each(layouts, lambda at, s: [at.place(c, s)[index] for c in cards])

    def by_step(value: Callable[[Layout, int], Any]) -> list:
        """Tables [groups][step]: what does not depend on the shuffle."""
        return [[value(row[0], s) for s in range(len(STEPS))] for row in layouts]

    def visible(*steps: int) -> list:
        return by_step(lambda at, s: int(at.valid and s in steps))

    return {
        "x": column(0), "y": column(1),
        "height": _each(layouts, lambda at, s: at.place(0, s)[2]),
        "word_x": _each(layouts, lambda at, s: [at.place(c, s)[0] + at.card / 2 for c in cards]),
        "word_y": _each(layouts, lambda at, s: [_middle(at, c, s) for c in cards]),
        "card": [row[0].card for row in layouts],
        "slot": [[row[0].slot(p) for p in cards] for row in layouts],
        "slot_mid": [[row[0].slot(p) + row[0].card / 2 for p in cards] for row in layouts],
        "in_y": by_step(lambda at, s: _row(at, s > 0)[0]),
        "in_h": by_step(lambda at, s: _row(at, s > 0)[1]),
        "in_mid": by_step(lambda at, s: _row(at, s > 0)[0] + _row(at, s > 0)[1] / 2 + 6),
        "in": by_step(lambda at, s: int(not at.valid or s < 2)),
        "moving": visible(1, 2, 3, 4, 5), "lower": visible(1, 5),
        "first": visible(1), "second": visible(5),
        "box_x": [[row[0].box(q)[0] for q in boxes] for row in layouts],
        "box_w": [[row[0].box(q)[1] for q in boxes] for row in layouts],
        "box_y": by_step(lambda at, s: _row(at, s in (1, 5))[0] - 9),
        "box_h": by_step(lambda at, s: _row(at, s in (1, 5))[1] + 18),
        "box": _each(layouts, lambda at, s: int(not at.in_table(s))),
        "wires": [[[at.wires(q) for q in boxes] for at in row] for row in layouts],
        "reading": _each(layouts, Layout.reading),
        "in_table": _each(layouts, lambda at, s: int(at.in_table(s))),
        "table_y": _each(layouts, lambda at, s: at.table_top(s) - 14),
    }  # fmt: skip


def _middle(at: Layout, channel: int, step: int) -> float:
    _, y, height = at.place(channel, step)
    return y + height / 2 + 6


def _row(at: Layout, above: bool) -> tuple[int, int]:
    """y and height of the row that goes into a convolution, or that stands alone."""
    return (TOP, CARD) if at.valid and above else (MIDDLE, TALL)


def _outputs(layouts: Layouts, most: int) -> dict[str, Any]:
    """Stripes of the second convolution's outputs: [groups][mode], then [place] or [stripe]."""
    places = range(layouts[0][0].channels)

    def each(value: Callable[[Layout], Any]) -> list:
        return [[value(at) for at in row] for row in layouts]

    def fill(at: Layout, place: int, stripe: int) -> str:
        known = at.known(place)
        return fill_of(known[stripe] if stripe < len(known) else None)

    def letter(at: Layout, place: int, stripe: int) -> str:
        known = at.known(place)
        return LETTERS[known[stripe]] if stripe < len(known) else ""

    stripes = range(most)
    heights = each(lambda at: CARD / max(1, len(at.known(0))))
    edges = [[[BOTTOM + min(q * h, CARD) for q in stripes] for h in row] for row in heights]
    return {
        "stripe_h": [[[h * (q * h < CARD - 1) for q in stripes] for h in row] for row in heights],
        "stripe_y": edges,
        "letter_y": [
            [[min(y + h / 2, BOTTOM + CARD) + 6 for y in ys] for ys, h in zip(*pair, strict=True)]
            for pair in zip(edges, heights, strict=True)
        ],
        "stripe": each(lambda at: [[fill(at, p, q) for q in stripes] for p in places]),
        "stripe_ink": each(
            lambda at: [[text_on(fill(at, p, q)) for q in stripes] for p in places]),
        "letter": each(lambda at: [[letter(at, p, q) for q in stripes] for p in places]),
        "known": each(lambda at: [at.known(p) for p in places]),
        "out_tip": each(lambda at: [f"output {p}: {words.names(at.known(p))}" for p in places]),
    }  # fmt: skip
