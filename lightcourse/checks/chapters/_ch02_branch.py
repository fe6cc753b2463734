"""Chapter 02, exercise 02.branch: back through a net with branches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from lightcourse.checks.chapters._ch02_through import (
    Layer,
    Span,
    random_conv,
    random_transposed,
    right,
)
from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome

Net = Sequence[Any]  # layers, and dictionaries {"add": nets} or {"concat": nets}


def cases(rng: Random) -> Iterator[Case]:
    three, five, two = ("conv", 3, 1, 1, 1), ("conv", 5, 1, 2, 1), ("conv", 2, 2, 0, 1)
    far, early, late = ("conv", 3, 1, 5, 1), ("conv", 3, 1, 2, 1), ("conv", 3, 1, 0, 1)
    yield _case([], "no layer at all")
    yield _case([three, three], "two layers, no branch")
    yield _case([two, three], "order matters: stride first")
    yield _case([{"concat": [[three], [five]]}], "3×3 beside 5×5")
    yield _case([{"concat": [[five], [three]]}], "5×5 beside 3×3")
    yield _case([{"add": [[three, three], []]}], "a residual block")
    yield _case([{"add": [[far], []]}], "the shortcut sees what the branch does not")
    yield _case([{"add": [[early], [late]]}], "one branch looks left, one looks right")
    yield _case([two, {"add": [[three, three], []]}, five], "a block inside a chain")
    yield _case([{"concat": [[{"add": [[three], []]}, three], [five]]}], "a block in a branch")
    for _ in range(6):
        yield _case(_random_net(rng, depth=2))


def back_one(layer: Layer, lo: int, hi: int) -> Span:
    """What the learner gets as `back`: it takes one layer, and says so."""
    if isinstance(layer, dict):
        raise TypeError("back takes one layer, and got a dictionary with branches")
    if isinstance(layer, list):
        raise TypeError("back takes one layer, and got a list of layers")
    return right(layer, lo, hi)


def _case(net: Net, label: str = "") -> Case:
    return Case((net, 3, 3, back_one), label=label)


def _random_net(rng: Random, depth: int) -> list:
    net: list = []
    for _ in range(rng.randint(1, 3)):
        if depth and rng.random() < 0.5:
            branches = [_random_net(rng, depth - 1) for _ in range(2)]
            net.append({rng.choice(("add", "concat")): [*branches, *([[]] * rng.randint(0, 1))]})
        else:
            net.append(random_conv(rng) if rng.random() < 0.8 else random_transposed(rng))
    return net


def by_counting(net: Net, lo: int, hi: int, back: Any = None) -> Span:
    """Follow every single output to every single input: sets of numbers, no intervals."""
    needed = _inputs(net, set(range(lo, hi + 1)))
    return min(needed), max(needed)


def _inputs(net: Net, outputs: set[int]) -> set[int]:
    for item in net[::-1]:
        if isinstance(item, dict):
            (branches,) = item.values()
            outputs = set().union(*(_inputs(branch, outputs) for branch in branches))
        else:
            outputs = {i for o in outputs for i in _reads(item, o)}
    return outputs


def _reads(layer: Layer, output: int) -> list[int]:
    kind, kernel, stride, padding, dilation = layer
    if kind == "conv":
        return [output * stride - padding + t * dilation for t in range(kernel)]
    near = range((output + padding) // stride - kernel, (output + padding) // stride + 1)
    return [i for i in near if 0 <= output - (i * stride - padding) < kernel]


def _walker(join: Callable[..., Span], order: int = -1) -> Callable[[Net, int, int, Any], Span]:
    """An `extent` that joins branches in its own way: join(spans, branches, lo, hi, walk)."""

    def walk(net: Net, lo: int, hi: int, back: Any) -> Span:
        first = (lo, hi)
        for item in net[::order]:
            if isinstance(item, dict):
                (branches,) = item.values()
                spans = [walk(branch, lo, hi, back) for branch in branches]
                lo, hi = join(
                    spans, branches, lo, hi, lambda net, a, b: walk(net, a, b, back), first
                )
            else:
                lo, hi = right(item, lo, hi)
        return lo, hi

    return walk


def _union(spans: Sequence[Span]) -> Span:
    return min(lo for lo, _ in spans), max(hi for _, hi in spans)


def _in_call_order(spans, branches, lo, hi, walk, first) -> Span:
    for branch in branches[::-1]:
        lo, hi = walk(branch, lo, hi)
    return lo, hi


def _in_written_order(spans, branches, lo, hi, walk, first) -> Span:
    for branch in branches:
        lo, hi = walk(branch, lo, hi)
    return lo, hi


def _first_of_each(spans, *rest) -> Span:
    return min(spans)[0], max(spans)[1]


def _added(spans, *rest) -> Span:
    return sum(lo for lo, _ in spans), sum(hi for _, hi in spans)


def _says(outcome: Outcome, words: str) -> bool:
    return words in str(outcome.error)


def _widest(spans, *rest) -> Span:
    return max(spans, key=lambda span: span[1] - span[0])


def _without_shortcut(spans, branches, *rest) -> Span:
    return _union([s for s, b in zip(spans, branches, strict=True) if b] or spans)


def _overlap(spans, *rest) -> Span:
    return max(lo for lo, _ in spans), min(hi for _, hi in spans)


def _from_the_output(spans, branches, lo, hi, walk, first) -> Span:
    return _union([walk(branch, *first) for branch in branches])


def _another_branch_never_shrinks(extent: Callable, rng: Random) -> str | None:
    one, two = [random_conv(rng)], [random_conv(rng)]
    small = extent([{"add": [one]}], 2, 4, right)
    large = extent([{"add": [one, two]}], 2, 4, right)
    if large[0] > small[0] or large[1] < small[1]:
        return f"A branch more can only widen the interval, but {small} became {large}."
    return None


LAWS = (Law("another branch never shrinks it", _another_branch_never_shrinks, hint=3),)

MISTAKES = (
    Mistake(
        "branches-in-a-row",
        "You walk through the branches one after another, as if they were a chain. They stand side"
        " by side: each begins from the same outputs.",
        mimic=_walker(_in_call_order),
        hint=3,
    ),
    Mistake(
        "branches-in-a-row",
        "You walk through the branches one after another, as if they were a chain. They stand side"
        " by side: each begins from the same outputs.",
        mimic=_walker(_in_written_order),
        hint=3,
    ),
    Mistake(
        "intervals-added",
        "You add the numbers of the branches. Places cannot be added: take the smallest first"
        " number and the largest last number.",
        mimic=_walker(_added),
        hint=4,
    ),
    Mistake(
        "largest-pair",
        "`max(spans)` compares the first numbers of the pairs, so its last number need not be the"
        " largest. Take the maximum over the last numbers alone.",
        mimic=_walker(_first_of_each),
        hint=4,
    ),
    Mistake(
        "dictionary-to-back",
        "You handed a dictionary to `back`, which takes one layer. Branches may hold branches, and"
        " each branch is a net: call `extent` again for it.",
        matches=lambda outcome: _says(outcome, "got a dictionary with branches"),
        hint=3,
    ),
    Mistake(
        "branch-to-back",
        "You handed a whole branch to `back`, which takes one layer. Each branch is a net like the"
        " whole: call `extent` again for it.",
        matches=lambda outcome: _says(outcome, "got a list of layers"),
        hint=3,
    ),
    Mistake(
        "one-key-only",
        'You ask each dictionary for one key. Some say "add", some say "concat", and both mean the'
        " same here: take the only value, `(branches,) = item.values()`.",
        matches=lambda outcome: (
            isinstance(outcome.error, KeyError) and outcome.error.args[0] in ("add", "concat")
        ),
        hint=3,
    ),
    Mistake(
        "last-branch",
        "Only the last branch counts in your answer: each branch overwrites the one before.",
        mimic=_walker(lambda spans, *rest: spans[-1]),
        hint=3,
    ),
    Mistake(
        "first-branch",
        "Only the first branch counts in your answer. Does your function return inside the loop?",
        mimic=_walker(lambda spans, *rest: spans[0]),
        hint=3,
    ),
    Mistake(
        "widest-branch",
        "You take the widest branch. Two branches that look different ways see more together than"
        " either alone: smallest first input, largest last input.",
        mimic=_walker(_widest),
        hint=4,
    ),
    Mistake(
        "shortcut-forgotten",
        "An empty branch is a shortcut, and it sees something: exactly the place itself.",
        mimic=_walker(_without_shortcut),
        hint=4,
    ),
    Mistake(
        "overlap",
        "You keep what all branches see. The unit depends on what any of them sees.",
        mimic=_walker(_overlap),
        hint=4,
    ),
    Mistake(
        "front-to-back",
        "You go from the picture to the output. You stand at the output, so the last layer is the"
        " first one to ask.",
        mimic=_walker(lambda spans, *rest: _union(spans), order=1),
        hint=2,
    ),
    Mistake(
        "branch-from-the-end",
        "Each branch begins at the outputs of the whole net. It must begin at the interval that the"
        " layers after it need.",
        mimic=_walker(_from_the_output),
        hint=3,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Forget the branches first. Go through the list from its end, and let `back` replace `lo`"
        " and `hi` at each layer. That passes the first cases.",
    ),
    Hint(
        "My chain is wrong once there is a stride",
        "The interval travels from the output to the picture. `reversed(net)` gives the layers in"
        " that order.",
    ),
    Hint(
        "What do I do with a dictionary?",
        "Its only value is a list of nets: `(branches,) = item.values()`. Each of them is a net"
        " like the whole, so let `extent` call itself, with the present `lo` and `hi`, once per"
        " branch.",
    ),
    Hint(
        "I have one interval per branch, and now?",
        "An output that adds or stacks the branches needs everything that any of them needs. So"
        " take the smallest first number and the largest last number. The empty net gives its"
        " interval back unchanged.",
    ),
)


def show_net(case: Case) -> str:
    net, lo, hi, _ = case.args
    return f"extent({net}, {lo}, {hi}, look_back)"
