"""What the manifold scene says: captions, facts, code and question, from the current numbers."""

from typing import TYPE_CHECKING, Any

from ..scene import J, L
from ._man_numbers import ACTIVATIONS, ANGLE, NS, POINTS, RADIUS, Trip

if TYPE_CHECKING:
    from ._man_view import View

ANSWERS = ("three quarters or more", "about half", "about a quarter", "less than a tenth")
BOUNDS = (0.625, 0.375, 0.1)  # the least share for each answer but the last


def tables(view: "View") -> dict[str, Any]:
    """Return the tables of all words."""
    trips = view.trips
    shares = [[float((trip.rank == k).mean()) for k in (0, 1)] for trip in trips]
    ns = [str(n) for n in view.ns]
    return {
        "n": ns,
        "lost_s": [percent(trip.lost) for trip in trips],
        "error_s": [[percent(error) for error in trip.errors] for trip in trips],
        "rank_s": [[percent(share) for share in row] for row in shares],
        "tip_s": ["", *(f" of its {ns[i]} numbers come through" for _, i, _ in view.keys[1:])],
        "title": [[f"T⁺ {made(a)}" for a in range(len(ACTIVATIONS))],
                  [f"best map of {made(a)}" for a in range(len(ACTIVATIONS))]],
        "claim": [claim(trip, view.ns[key[1]], bool(i))
                  for i, (trip, key) in enumerate(zip(trips, view.keys, strict=True))],
        "code_act": [act.code for act in ACTIVATIONS],
        "code_alive": [act.alive for act in ACTIVATIONS],
        "code_read": ["torch.linalg.pinv(T)", "(torch.linalg.pinv(y, rtol=1e-5) @ x).T"],
        "code_seed": view.names,
        "answer": [[answer(trips[view.row(a, len(view.ns) - 1, d)].lost)
                    for d in range(len(view.names))] for a in range(len(ACTIVATIONS))],
    }  # fmt: skip


def percent(share: float) -> str:
    """Return a share in two digits; 0 only where it is 0 but for rounding.

    >>> percent(0.7344), percent(0.0334), percent(1e-5), percent(0)
    ('73 %', '3.3 %', '<0.1 %', '0 %')
    """
    if 1e-9 < share < 0.0005:
        return "<0.1 %"
    return f"{100 * share:.{0 if share < 1e-9 or share >= 0.0995 else 1}f} %"


def made(act: int) -> str:
    """Return what the activation is given.

    >>> made(0)
    'ReLU(T x)'
    """
    name = ACTIVATIONS[act].name
    return "T x" if name == "none" else f"{name}(T x)"


def beyond(count: int) -> str:
    """Say how many points are outside the panel.

    >>> beyond(0), beyond(1), beyond(7)
    ('', '1 point outside', '7 points outside')
    """
    return f"{count} point{'s' * (count > 1)} outside" if count else ""


def claim(trip: Trip, n: int, bent: bool) -> str:
    """Say what is lost, and what the two read-outs make of the rest."""
    if not bent:
        return (
            "Without an activation **nothing is lost**: T⁺ gives every point back, whatever n is."
        )
    paper, best = (f"**{percent(error)}**" for error in trip.errors)
    if trip.lost:
        return (
            f"**{percent(trip.lost)}** of the points are lost: what comes through unchanged of"
            f" their {n} numbers fits a whole stretch of the plane. Read by T⁺, the error is"
            f" {paper} of the spiral's size; the best linear map has {best}."
        )
    return (
        f"**Nothing is lost**: of each point's {n} numbers enough come through to tell it from any"
        f" other. Yet T⁺, made for numbers of both signs, gives it back with an error of {paper}"
        f" of the spiral's size; the best linear map has {best}."
    )


def caption() -> dict[str, Any]:
    return L("claim", "a")


def code(own: bool) -> dict[str, Any]:
    """Return the PyTorch lines of a state."""
    drawn = J("torch.manual_seed(", L("code_seed", "seed"), f")\nT = torch.randn({max(NS)}, 2)[:")
    return J(
        "import torch\nfrom torch.nn import functional as F\n\n",
        "T = T[:" if own else drawn, L("n", "step"), "]",
        f"\nt = torch.linspace(0.05, 1, {POINTS}).sqrt()"
        f"\nx = {RADIUS} * t[:, None] * torch.stack([torch.cos({ANGLE} * t),"
        f" torch.sin({ANGLE} * t)], 1)"
        "\nu = x @ T.T\ny = ", L("code_act", "act"), "\nz = y @ ", L("code_read", "read"), ".T"
        "\nalive = ", L("code_alive", "act"),
        "\nlost = torch.tensor([torch.linalg.matrix_rank(T[a]) < 2 for a in alive])"
        "\nprint((z - x).norm() / x.norm(), lost.float().mean())",
    )  # fmt: skip


def answer(lost: float) -> int:
    """Return which answer of the question holds.

    >>> [ANSWERS[answer(p)] for p in (0.7, 0.5, 0.0)]
    ['three quarters or more', 'about half', 'less than a tenth']
    """
    return next((i for i, bound in enumerate(BOUNDS) if lost >= bound), len(BOUNDS))


def question() -> dict[str, Any]:
    """Return the prediction: what is lost at the largest n."""
    return {
        "q": f"ReLU makes about half of all numbers 0, for any n. How many points are lost at"
        f" n = {max(NS)}?",
        "options": list(ANSWERS),
        "answer": L("answer", "act", "seed"),
        "replies": [
            "As many as at n = 2 would be lost if more numbers brought nothing new.",
            "Half of the numbers are 0, but a point needs only two of them to be found again.",
            "Half of the numbers are 0, but a point needs only two of them to be found again.",
            f"About {max(NS) // 2} of {max(NS)} numbers come through, and two are enough.",
        ],
        "param": "step",
        "from": 1,
    }
