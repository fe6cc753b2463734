"""Chapter 04, exercise 04.alive: what goes wrong with what is kept, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

from lightcourse.checks.chapters._ch04_alive import Step, by_running
from lightcourse.checks.exercise import Mistake, Outcome


def _kept(rule: Callable[..., bool]) -> Callable[[Sequence[Step]], list[int]]:
    """An `alive` that keeps a map while rule(now, made, last, step) says so.

    `last` is the last step that reads the map, or the step that made it.
    """

    def alive(steps: Sequence[Step]) -> list[int]:
        last = {name: i for i, (name, _, _) in enumerate(steps)}
        for i, (_, reads, _) in enumerate(steps):
            last.update((name, i) for name in reads if name != "image")
        return [
            sum(
                size
                for made, (name, _, size) in enumerate(steps[: now + 1])
                if rule(now, made, last[name], name in steps[now][1])
            )
            for now in range(len(steps))
        ]

    return alive


def _read_twice_counts_twice(steps: Sequence[Step]) -> list[int]:
    right = by_running(steps)
    sizes = {name: size for name, _, size in steps}
    more = [sum(sizes.get(r, 0) for r in reads) for _, reads, _ in steps]
    once = [sum(sizes.get(r, 0) for r in set(reads)) for _, reads, _ in steps]
    return [a + b - c for a, b, c in zip(right, more, once, strict=True)]


def _first_reader(steps: Sequence[Step]) -> list[int]:
    first: dict[str, int] = {}
    for i, (_, reads, _) in enumerate(steps):
        for name in reads:
            first.setdefault(name, i)
    return [
        sum(s for made, (n, _, s) in enumerate(steps[: now + 1]) if first.get(n, made) >= now)
        for now in range(len(steps))
    ]


def _touched(steps: Sequence[Step]) -> list[int]:
    """What a step makes and reads, each mention counted, and nothing that waits."""
    sizes = {name: size for name, _, size in steps}
    return [size + sum(sizes.get(r, 0) for r in reads) for _, reads, size in steps]


def _own_only_if_read(steps: Sequence[Step]) -> list[int]:
    """Made already and read now or later: the result, and what nobody reads, are missing."""
    return [
        sum(
            size
            for name, _, size in steps[: now + 1]
            if any(name in reads for _, reads, _ in steps[now:])
        )
        for now in range(len(steps))
    ]


def _before_they_are_made(steps: Sequence[Step]) -> list[int]:
    last = {name: i for i, (name, _, _) in enumerate(steps)}
    for i, (_, reads, _) in enumerate(steps):
        last.update((name, i) for name in reads)
    return [sum(s for n, _, s in steps if last[n] >= now) for now in range(len(steps))]


def _future_inputs(steps: Sequence[Step]) -> list[int]:
    """The map that is made, and all that is read now or later, made or not."""
    return [
        sum(
            size
            for made, (name, _, size) in enumerate(steps)
            if made == now or any(name in reads for _, reads, _ in steps[now:])
        )
        for now in range(len(steps))
    ]


def _parts_of_names(steps: Sequence[Step]) -> list[int]:
    rows = []
    for now, (own, _, _) in enumerate(steps):
        needed = " ".join([own, *(r for _, reads, _ in steps[now:] for r in reads)])
        rows.append(sum(size for name, _, size in steps[: now + 1] if name in needed))
    return rows


def _equal_sizes_once(steps: Sequence[Step]) -> list[int]:
    rows = []
    for now, (own, _, _) in enumerate(steps):
        needed = {own, *(r for _, reads, _ in steps[now:] for r in reads)}
        rows.append(sum({size for name, _, size in steps[: now + 1] if name in needed}))
    return rows


def _unknown_name(outcome: Outcome) -> str:
    """The name from outside for which no size was found; empty for any other error."""
    if not isinstance(outcome.error, KeyError) or not outcome.error.args:
        return ""
    name = outcome.error.args[0]
    made = {made for made, _, _ in outcome.case.args[0]}
    return name if isinstance(name, str) and name not in made else ""


def _is_peak(outcome: Outcome) -> bool:
    return outcome.got == max(outcome.want) and not isinstance(outcome.got, list)


MISTAKES = (
    Mistake(
        "nothing-freed",
        "You never free anything, so the last step holds every map of the net. (Several tools print"
        " that sum as the memory of a net.) A map can go when no later step reads it.",
        mimic=_kept(lambda now, made, last, read: True),
        hint=2,
    ),
    Mistake(
        "only-the-result",
        "You count the map that a step makes. While it is being made, the maps that it reads must"
        " be there too.",
        mimic=_kept(lambda now, made, last, read: made == now),
        hint=1,
    ),
    Mistake(
        "shortcut-forgotten",
        "You count what a step reads and what it makes. A map that only a *later* step reads, over"
        " a shortcut, must wait in memory meanwhile.",
        mimic=_kept(lambda now, made, last, read: made == now or read),
        hint=3,
    ),
    Mistake(
        "shortcut-forgotten-and-read-twice",
        "Two things. A map that only a *later* step reads, over a shortcut, must wait in memory"
        " meanwhile. And a step that reads a map twice, a + a, finds it once in memory.",
        mimic=_touched,
        hint=3,
    ),
    Mistake(
        "previous-step-only",
        "You add what the step before has made. But a step may read any map, and a map that a later"
        " step reads must wait in memory. Look at the names.",
        mimic=_kept(lambda now, made, last, read: made >= now - 1),
        hint=3,
    ),
    Mistake(
        "own-map-missing",
        "The map that a step makes is missing where no step reads it. It must be there while it is"
        " made: the result of the last step, too.",
        mimic=_own_only_if_read,
        hint=2,
    ),
    *(
        Mistake(
            "not-yet-made",
            "You count maps that a later step makes. A map is there from the step that makes it.",
            mimic=rule,
            hint=2,
        )
        for rule in (_before_they_are_made, _future_inputs)
    ),
    Mistake(
        "running-peak",
        "You return the largest number of bytes so far. Wanted is what is alive at each step by"
        " itself; the peak is their maximum.",
        mimic=lambda steps: list(accumulate(by_running(steps), max)),
        hint=1,
    ),
    Mistake(
        "parts-of-names",
        "You look for a name inside a text, and x is found inside x2. Compare whole names, in a"
        " list or in a set.",
        mimic=_parts_of_names,
        hint=4,
    ),
    Mistake(
        "equal-sizes-once",
        "You put the sizes into a set, and a set keeps equal sizes once. Two maps of 80 bytes need"
        " 160. Sum over the maps, not over their sizes.",
        mimic=_equal_sizes_once,
        hint=4,
    ),
    Mistake(
        "freed-too-early",
        "You free a map before its last reader has run. While a step runs, what it reads is still"
        " there; it can go afterwards.",
        mimic=_kept(lambda now, made, last, read: made == now or last > now),
        hint=2,
    ),
    Mistake(
        "freed-too-late",
        "You free a map one step too late. After its last reader has run it is gone, so the next"
        " step does not see it.",
        mimic=_kept(lambda now, made, last, read: last >= now - 1),
        hint=2,
    ),
    Mistake(
        "first-reader-only",
        "You free a map after its first reader. There may be another one later: look for the last.",
        mimic=_first_reader,
        hint=3,
    ),
    Mistake(
        "unread-kept",
        "A map that nobody reads, and that is not the result, is there while it is made and gone"
        " right after. You keep it.",
        mimic=_kept(lambda now, made, last, read: last >= now or last == made),
        hint=4,
    ),
    Mistake(
        "read-twice-counts-twice",
        "A step that reads a map twice, a + a, finds it once in memory.",
        mimic=_read_twice_counts_twice,
        hint=4,
    ),
    Mistake(
        "peak-only",
        "You return the peak. Wanted is a list with one number for each step.",
        matches=_is_peak,
        hint=1,
    ),
    Mistake(
        "only-image-is-skipped",
        "You skip the name image. A map from outside may have any name: leave out every name that"
        " no step makes.",
        matches=lambda outcome: _unknown_name(outcome) not in ("", "image"),
        hint=4,
    ),
    Mistake(
        "image-has-no-size",
        "The picture has no entry among the steps, so its size is unknown, and it does not count"
        " here. Leave out names that no step has made.",
        matches=lambda outcome: _unknown_name(outcome) != "",
        hint=4,
    ),
)
