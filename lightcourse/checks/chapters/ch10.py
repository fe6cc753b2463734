"""Chapter 10: the exercises on slow and fast downsampling, and four predictions."""

from __future__ import annotations

import json
from importlib.resources import files

from lightcourse.checks.chapters import _ch10_build as build
from lightcourse.checks.chapters import _ch10_build_hints as build_hints
from lightcourse.checks.chapters import _ch10_build_mistakes as build_mistakes
from lightcourse.checks.chapters import _ch10_field as field
from lightcourse.checks.chapters import _ch10_reached as reached
from lightcourse.checks.chapters import _ch10_spend as spend
from lightcourse.checks.chapters import _ch10_spend_mistakes as spend_mistakes
from lightcourse.checks.chapters import _ch10_wider as wider
from lightcourse.checks.chapters._ch10_layers import FAST, SLOW, layers_of, total
from lightcourse.checks.exercise import Exercise, Law, Prediction

TITLE = "FD-MobileNet: small at once"

EXERCISES = [
    Exercise(
        id="10.reached",
        title="How soon is the picture small?",
        name="reached",
        cases=reached.cases,
        oracle=reached.by_shapes,
        laws=reached.LAWS,
        mistakes=reached.MISTAKES,
        hints=reached.HINTS,
        show=reached.show,
    ),
    Exercise(
        id="10.spend",
        title="Where the MACs go",
        name="macs_by_side",
        cases=spend.cases,
        oracle=spend.by_analysis,
        compare=spend.compare,
        laws=spend.LAWS,
        mistakes=spend_mistakes.MISTAKES,
        hints=spend.HINTS,
        show=spend.show,
    ),
    Exercise(
        id="10.widest",
        title="How wide for a budget",
        name="widest",
        cases=wider.cases,
        oracle=wider.by_bisection,
        laws=wider.LAWS,
        mistakes=wider.MISTAKES,
        hints=wider.HINTS,
        show=wider.show,
    ),
    Exercise(
        id="10.field",
        title="Which of the two sees further",
        name="field",
        cases=field.cases,
        oracle=field.by_looking_back,
        laws=field.LAWS,
        mistakes=field.MISTAKES,
        hints=field.HINTS,
        show=field.show,
    ),
    Exercise(
        id="10.build",
        title="FD-MobileNet from its table",
        name="fd_mobilenet",
        cases=build.cases,
        oracle=build.oracle,
        call=build.call,
        compare=build.compare,
        laws=(
            Law("without arguments it is the published network", build.defaults, hint=3),
            Law("every parameter learns", build.trains, hint=1),
        ),
        mistakes=build_mistakes.MISTAKES,
        hints=build_hints.HINTS,
        show=build.show,
        seconds=20.0,
    ),
]


def _early_share() -> float:
    """Percent of half-width MobileNet's MACs that are spent on maps of 14×14 and larger."""
    bill = spend.counter()(layers_of(SLOW, 0.5), 224)
    return 100 * sum(macs for side, macs in bill.items() if side >= 14) / sum(bill.values())


def _times_as_wide() -> str:
    """Channels of the widest FD-MobileNet within half-width MobileNet's MACs, against its own."""
    budget = total(layers_of(SLOW, 0.5))
    fast, slow = (
        wider.by_bisection(layers_of(blocks), budget, wider.at_224) for blocks in (FAST, SLOW)
    )
    times = {1: "about the same", 1.4: "about 1.4 times", 2: "about twice", 4: "about 4 times"}
    return times[min(times, key=lambda t: abs(t - fast / slow))]


def _times_ahead() -> int:
    """At how many budgets of the logged runs the fast network is ahead, by its mean."""
    log = files("lightcourse.training").joinpath("studies/logs/downsampling.json")
    rows = json.loads(log.read_text(encoding="utf-8"))["rows"]
    means = {row["name"]: row["mean"] for row in rows}
    slow = [name for name in means if name.startswith("slow")]
    return sum(means[name.replace("slow", "fast")] > means[name] for name in slow)


def _sees_more() -> str:
    slow, fast = (field.by_looking_back(layers_of(blocks)) for blocks in (SLOW, FAST))
    return "MobileNet" if slow > fast else "FD-MobileNet" if fast > slow else "both the same"


PREDICTIONS = [
    Prediction(
        id="10.p1",
        question="What share of half-width MobileNet's MACs is spent at 14×14 and larger?",
        truth=_early_share,
        unit="%",
        tolerance=0.04,
        replies={
            (0.5, 0.999): "As a percentage, please: 50 for a half.",
            (0, 30): (
                "Far more. The maps at the end are deep, but they are tiny: 7×7 places. The large"
                " maps have up to 256 times as many places, and each costs."
            ),
            (30, 60): (
                "More than that. Six of the thirteen blocks write maps of 14×14, and they take"
                " about half; the larger maps come on top."
            ),
            (60, 83): "Still more. Only the last two blocks and the classifier are not in it.",
            (90, 100): "A little less: the last two blocks and the classifier take the rest.",
        },
        right="Most of the work is done before the picture is small. That is what is moved here.",
        other="A share lies between 0 and 100 %.",
    ),
    Prediction(
        id="10.p2",
        question="At equal MACs, how many times as many channels may FD-MobileNet have?",
        options=("about the same", "about 1.4 times", "about twice", "about 4 times"),
        truth=_times_as_wide,
        replies={
            "about the same": (
                "It has four layers less, and the layers that it keeps work on maps with a quarter"
                " of the places or less. That saves most MACs, and channels are what they buy."
            ),
            "about 1.4 times": (
                "That would be what half the MACs pays for. Early maps cost more than half: two"
                " thirds to three quarters are saved."
            ),
            "about 4 times": (
                "The MACs are three to four times fewer indeed. But they go with the square of the"
                " channels, or nearly, so as many times the MACs is twice the channels."
            ),
        },
        right=(
            "Going down early leaves a quarter to a third of the MACs, and MACs go with the square"
            " of the channels, or nearly: three to four times the money buys twice the width."
        ),
    ),
    Prediction(
        id="10.p3",
        question="Which of the two sees further, if the picture is large enough?",
        options=("MobileNet", "FD-MobileNet", "both the same"),
        truth=_sees_more,
        replies={
            "MobileNet": (
                "It is deeper, that is true. But most of its 3×3 layers stand early, where a step"
                " is 2 to 16 pixels long. FD-MobileNet has its layers where a step is 32."
            ),
            "both the same": (
                "Both halve five times, so their last steps are equally long. But not as many"
                " layers take those long steps."
            ),
        },
        right="Fewer layers, but they stand behind the strides, where each step is long.",
    ),
    Prediction(
        id="10.p4",
        question="32-pixel pictures, three budgets: at how many is the fast network ahead?",
        truth=_times_ahead,
        unit="of 3",
        replies={
            1: (
                "At the smallest budget only: that would be a crossing. On these pictures it does"
                " not show."
            ),
            2: "Not on these pictures. The text below the experiment guesses why.",
            3: (
                "That is what the paper reports at all three of its budgets, on pictures of 224"
                " pixels. On these small ones it does not carry over."
            ),
        },
        right=(
            "At none, by the means. What was measured on one kind of picture need not hold on"
            " another."
        ),
        other="It is a number of budgets, from 0 to 3.",
    ),
]
