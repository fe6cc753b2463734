"""Chapter 04, exercise 04.alive: which maps must be in memory at each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Difference, Hint, Law, Mistake, Outcome

Step = tuple[str, list[str], int]  # name, what it reads, bytes that it makes


def cases(rng: Random) -> Iterator[Case]:
    yield _case([("a", ["image"], 100)], "one step")
    yield _case([("a", ["image"], 100), ("b", ["a"], 60)], "two steps")
    yield _case(
        [("a", ["image"], 100), ("b", ["a"], 60), ("c", ["b"], 30), ("d", ["c"], 10)], "a chain"
    )
    yield _case(
        [("a", ["image"], 10), ("b", ["a"], 60), ("c", ["b"], 60), ("d", ["c"], 20)],
        "the largest step in the middle",
    )
    shortcut = [("a", ["image"], 50), ("b", ["a"], 80), ("c", ["b"], 80), ("d", ["c"], 50)]
    yield _case([*shortcut, ("sum", ["d", "a"], 50)], "a shortcut from a to the sum")
    yield _case(
        [*shortcut, ("sum", ["d", "a"], 50), ("e", ["sum"], 20), ("f", ["e"], 10)],
        "a shortcut, and more behind it",
    )
    yield _case(
        [("a", ["image"], 40), ("b", ["image"], 30), ("both", ["a", "b"], 70)],
        "two branches of the picture",
    )
    yield _case([("a", ["image"], 40), ("twice", ["a", "a"], 40)], "a + a")
    yield _case(
        [("a", ["image"], 40), ("aside", ["a"], 90), ("b", ["a"], 40), ("c", ["b"], 10)],
        "a result that nobody reads",
    )
    for _ in range(6):
        yield _case(_random_steps(rng))


def _case(steps: Sequence[Step], label: str = "") -> Case:
    return Case(([*steps],), label=label)


def _random_steps(rng: Random) -> list[Step]:
    steps: list[Step] = []
    for i in range(rng.randint(4, 8)):
        known = ["image", *(name for name, _, _ in steps)]
        reads = list(dict.fromkeys([known[-1], *rng.choices(known, k=rng.choice((0, 0, 1, 2)))]))
        steps.append((f"t{i}", reads, 10 * rng.randint(1, 20)))
    return steps


def by_running(steps: Sequence[Step]) -> list[int]:
    """Run the steps like an interpreter: count who still wants a map, drop it when nobody does."""
    wanted = Counter(name for _, reads, _ in steps for name in set(reads))
    wanted[steps[-1][0]] += 1  # the caller wants the result
    memory: dict[str, int] = {}
    alive = []
    for name, reads, size in steps:
        memory[name] = size
        alive.append(sum(memory.values()))
        wanted.subtract(set(reads))
        memory = {kept: size for kept, size in memory.items() if wanted[kept] > 0}
    return alive


def compare(got: Any, want: list[int]) -> Difference | None:
    """As usual, but a wrong number is placed in words of the exercise."""
    found = Compare()(got, want)
    if found is None or found.kind != "value":
        return found
    for number, (one, other) in enumerate(zip(got, want, strict=True), 1):
        if one != other:
            return Difference("value", f"at step {number} you have {one:,} bytes, wanted {other:,}")
    return found


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


def _is_peak(outcome: Outcome) -> bool:
    return outcome.got == max(outcome.want) and not isinstance(outcome.got, list)


def _a_longer_shortcut_never_helps(alive: Callable, rng: Random) -> str | None:
    steps = _random_steps(rng)
    name, reads, size = steps[-1]
    longer = [*steps[:-1], (name, list(dict.fromkeys([*reads, steps[0][0]])), size)]
    if any(b < a for a, b in zip(alive(steps), alive(longer), strict=True)):
        return "A shortcut from the first map to the end can only keep more alive, not less."
    return None


LAWS = (Law("a shortcut never frees memory", _a_longer_shortcut_never_helps, hint=3),)

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
        "image-has-no-size",
        "The picture has no entry among the steps, so its size is unknown, and it does not count"
        " here. Leave out names that no step has made.",
        matches=lambda outcome: (
            isinstance(outcome.error, KeyError) and outcome.error.args[:1] == ("image",)
        ),
        hint=4,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "First go through all steps and note, for each name, the last step that reads it. Then go"
        " through the steps again: at each, add up the maps that are made already and still have a"
        " reader, now or later, and the map that is being made.",
    ),
    Hint(
        "My numbers are too large, or too small",
        "A map made at step m whose last reader is step r is alive at steps m, m + 1, …, r. Both"
        " ends count: a step needs room for what it reads and for what it makes, at once.",
    ),
    Hint(
        "My chain is right, the shortcut is wrong",
        "a is read at step 2, and again by the sum at step 5. So it is alive at 1, 2, 3, 4 and 5."
        " Take the last reader, not the next one.",
    ),
    Hint(
        "A special case is wrong",
        "The picture is no step and does not count. A map that nobody reads lives for its own step."
        " A map that is read twice by one step is one map.",
    ),
)
