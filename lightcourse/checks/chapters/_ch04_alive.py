"""Chapter 04, exercise 04.alive: which maps must be in memory at each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Difference, Hint, Law

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
    yield _case(
        [("a", ["photo"], 40), ("b", ["a", "mask"], 30), ("c", ["b"], 70)],
        "two maps from outside, photo and mask",
    )
    yield _case(
        [("x", ["image"], 40), ("x2", ["x"], 30), ("y", ["x2"], 70), ("y2", ["y"], 20)],
        "names that begin alike: x and x2",
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
    outside = rng.choice(("image", "photo", "left eye"))
    for i in range(rng.randint(4, 8)):
        known = [outside, *(name for name, _, _ in steps)]
        reads = list(dict.fromkeys([known[-1], *rng.choices(known, k=rng.choice((0, 0, 1, 2)))]))
        steps.append((f"x{i or ''}", reads, 10 * rng.randint(1, 20)))
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


def _a_longer_shortcut_never_helps(alive: Callable, rng: Random) -> str | None:
    steps = _random_steps(rng)
    name, reads, size = steps[-1]
    longer = [*steps[:-1], (name, list(dict.fromkeys([*reads, steps[0][0]])), size)]
    if any(b < a for a, b in zip(alive(steps), alive(longer), strict=True)):
        return "A shortcut from the first map to the end can only keep more alive, not less."
    return None


LAWS = (Law("a shortcut never frees memory", _a_longer_shortcut_never_helps, hint=3),)

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
        "The picture is no step and does not count, whatever it is called: skip every name that no"
        " step makes. Compare whole names, x is not x2. A map that nobody reads lives for its own"
        " step. A map that is read twice by one step is one map.",
    ),
)
