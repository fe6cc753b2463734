"""The manifold scene: every number of every state against torch, and what "lost" means."""

import itertools
import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lightcourse import viz
from lightcourse.errors import UserError
from lightcourse.viz.scene import Scene, dumps, resolve
from lightcourse.viz.scenes._man_numbers import DRAWS, NS, SEEDS, draw, spiral
from lightcourse.viz.scenes._man_view import BACK, HALF, LEFT, SIDE, TOP, UNIT, colours
from lightcourse.viz.scenes._man_words import ANSWERS, percent
from lightcourse.viz.theme import THEMES, contrast, paint

ACTS = {"ReLU": F.relu, "ReLU6": F.relu6, "none": lambda u: u}
LAST = len(NS) - 1
STATES = list(itertools.product(ACTS, range(len(NS)), range(len(SEEDS))))
BENT = [state for state in STATES if state[0] != "none"]
TWICE = [[1.0, 0], [-1, 0], [0, 1], [0, -1]]  # each coordinate and its negative


@pytest.fixture(scope="module")
def scene() -> Scene:
    return viz.manifold()


def at(scene: Scene, act: str, step: int, seed: int, read: int = 0) -> Scene:
    return Scene(scene.spec, {"act": list(ACTS).index(act), "step": step, "seed": seed,
                              "read": read})  # fmt: skip


def marks(scene: Scene) -> dict[str, dict[str, Any]]:
    return {mark["id"]: mark for mark in scene.frame()}


def matrix(seed: int, n: int) -> torch.Tensor:
    torch.manual_seed(seed)
    return torch.randn(30, 2)[:n].double()


def points() -> torch.Tensor:
    t = torch.linspace(0.05, 1, 400, dtype=torch.float64).sqrt()
    return 4 * t[:, None] * torch.stack([torch.cos(15 * t), torch.sin(15 * t)], 1)


def through(act: str, u: torch.Tensor) -> torch.Tensor:
    """Which numbers meet a slope, by autograd."""
    u = u.clone().requires_grad_()
    return torch.autograd.grad(ACTS[act](u).sum(), u)[0] != 0


def returned(act: str, t: torch.Tensor, read: int) -> torch.Tensor:
    """The points by T⁺, or by the best linear map."""
    x = points()
    y = ACTS[act](x @ t.T)
    if read == 0:
        return y @ torch.linalg.pinv(t).T
    return y @ torch.linalg.lstsq(y, x, rcond=3e-6, driver="gelsd").solution


def error(act: str, t: torch.Tensor, read: int) -> float:
    x = points()
    return ((returned(act, t, read) - x).norm() / x.norm()).item()


def ranks(act: str, t: torch.Tensor) -> torch.Tensor:
    alive = through(act, points() @ t.T)
    return torch.tensor([torch.linalg.matrix_rank(t[a]) for a in alive])


# -- the numbers ---------------------------------------------------------------------------------


def test_the_draws_are_those_of_a_seed_and_leave_the_random_numbers_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    draw.cache_clear()
    drawn = [draw(seed) for seed in SEEDS]
    assert torch.equal(before, torch.random.get_rng_state())
    for seed, found in zip(SEEDS, drawn, strict=True):
        assert np.array_equal(found, matrix(seed, 30).numpy())
    assert spiral() == pytest.approx(points().numpy(), abs=1e-12)


def test_errors_of_every_state_are_those_of_torch(scene):
    for act, step, seed in STATES:
        shown = marks(at(scene, act, step, seed))
        t = matrix(seed, NS[step])
        for read in (0, 1):
            exact, said = error(act, t, read), shown[f"fact{read + 1}_s"]["s"]
            digit = 0.5 if exact >= 0.0995 else 0.05
            if said == "<0.1 %":
                assert 0 < exact < 6e-4
            else:
                assert float(said.removesuffix(" %")) == pytest.approx(
                    100 * exact, abs=digit + 0.05
                )


def test_lost_points_of_every_state_are_those_of_torch(scene):
    for act, step, seed in STATES:
        shown, rank = marks(at(scene, act, step, seed)), ranks(act, matrix(seed, NS[step]))
        assert shown["fact0_s"]["s"] == percent((rank < 2).double().mean().item())
        for k, word in enumerate(("none", "one")):
            part = percent((rank == k).double().mean().item())
            assert shown[f"key{k}_s"]["s"] == f"{part} keep {word}"


@pytest.mark.parametrize("act", ["ReLU", "ReLU6"])
def test_a_lost_point_has_a_twin_and_every_other_is_found_again(act):
    """What "lost" means: other points have the same n numbers, however they are read."""
    x = points()[::5]
    for step, seed in itertools.product(range(len(NS)), range(len(SEEDS))):
        t = matrix(seed, NS[step])
        u = x @ t.T
        y, alive, rank = ACTS[act](u), through(act, u), ranks(act, t)[::5]
        for i in range(len(x)):
            rows = t[alive[i]]
            if rank[i] == 2:
                found = torch.linalg.pinv(rows) @ y[i][alive[i]]
                assert found == pytest.approx(x[i], abs=1e-9)
                continue
            way = torch.tensor([-rows[0, 1], rows[0, 0]]) if len(rows) else torch.ones(2)
            twin = x[i] + 1e-7 * way.double()
            assert ACTS[act](t @ twin) == pytest.approx(y[i], abs=1e-14)
            assert not torch.equal(twin, x[i])


def test_a_linear_layer_fitted_to_these_points_does_as_well_between_them():
    """The small errors of the best linear map are no over-fit."""
    t = torch.linspace(0.05, 1, 799, dtype=torch.float64).sqrt()[1::2]
    between = 4 * t[:, None] * torch.stack([torch.cos(15 * t), torch.sin(15 * t)], 1)
    for step, seed in itertools.product(range(len(NS)), range(len(SEEDS))):
        m = matrix(seed, NS[step])
        y = F.relu(points() @ m.T)
        fit = torch.linalg.lstsq(y, points(), rcond=3e-6, driver="gelsd").solution
        fresh = (F.relu(between @ m.T) @ fit - between).norm() / between.norm()
        assert fresh.item() == pytest.approx(error("ReLU", m, 1), abs=2e-3)


def test_the_pseudo_inverse_gives_half_of_every_point_back_on_average():
    """T and −T together give the point itself, for any n: its error has nothing to do with loss."""
    for step, seed in itertools.product(range(len(NS)), range(len(SEEDS))):
        t = matrix(seed, NS[step])
        assert returned("ReLU", t, 0) + returned("ReLU", -t, 0) == pytest.approx(points(), abs=1e-9)


def test_curves_are_quartiles_of_all_draws(scene):
    every = [torch.from_numpy(draw(seed)) for seed in range(DRAWS)]
    for act, step in itertools.product(("ReLU", "ReLU6"), (0, 2, LAST)):
        ts = [t[: NS[step]] for t in every]
        measures = [[error(act, t, 0) for t in ts], [error(act, t, 1) for t in ts]]
        alive = [through(act, points() @ t.T) for t in ts]
        # the rows of a random T are never parallel: two that come through are enough
        measures.append([(a.sum(1) < 2).double().mean().item() for a in alive])
        shown = marks(at(scene, act, LAST, 0))
        for m, values in enumerate(measures):
            low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
            assert share(corners(shown[f"line{m}"]["d"])[step][1]) == pytest.approx(
                middle, abs=2e-3
            )
            band = corners(shown[f"band{m}"]["d"])
            x = corners(shown[f"line{m}"]["d"])[step][0]
            ends = sorted(share(y) for u, y in band if u == x)
            assert ends == pytest.approx([low, min(high, 1.1)], abs=2e-3)


def test_few_dimensions_lose_most_and_many_nothing(scene):
    """Section 3.2 of the paper: a narrow space collapses; the picture's claim, over all draws."""
    lines = [corners(marks(at(scene, "ReLU", LAST, 0))[f"line{m}"]["d"]) for m in range(3)]
    paper, best, lost = ([share(y) for _, y in line] for line in lines)
    assert lost == sorted(lost, reverse=True) and best == sorted(best, reverse=True)
    assert lost[0] > 0.7 and lost[3] < 0.05 and lost[-1] < 0.002
    assert best[-1] < 0.01
    assert all(value > 0.5 for value in paper), "an error that no n takes away"


# -- the picture ---------------------------------------------------------------------------------


def corners(d: str) -> list[tuple[float, float]]:
    numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", d)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def share(y: float) -> float:
    return 1.1 * (1 - (y - TOP) / SIDE)


def px(z: torch.Tensor, left: float) -> list[list[float]]:
    near = UNIT * z.clamp(-HALF, HALF)
    return [[left + SIDE / 2 + a, TOP + SIDE / 2 - b] for a, b in near.tolist()]


def test_points_stand_where_torch_sends_them(scene):
    for (act, step, seed), read in itertools.product(STATES, (0, 1)):
        shown = marks(at(scene, act, step, seed, read))
        z = returned(act, matrix(seed, NS[step]), read)[::5]
        for name, places in (("in", px(points()[::5], LEFT)), ("back", px(z, BACK))):
            found = [[shown[f"{name}{i}"][a] for a in ("cx", "cy")] for i in range(len(z))]
            assert found == [pytest.approx(place, abs=0.6) for place in places]
        far = int((z.abs() > HALF).any(1).sum())
        assert shown["beyond"]["s"] == (f"{far} point{'s' * (far > 1)} outside" if far else "")
        assert shown["ring_back3"]["cx"] == shown["back48"]["cx"]
    assert marks(at(scene, "none", 0, 0))["back7"]["cx"] - BACK == marks(scene)["in7"]["cx"] - LEFT


def inside(place: tuple[float, float], d: str) -> bool:
    """Whether a point is in one of a path's convex pieces, and not next to its edge."""
    for piece in d.split("Z")[:-1]:
        ends = corners(piece)
        turns = [
            (b[0] - a[0]) * (place[1] - a[1]) - (b[1] - a[1]) * (place[0] - a[0])
            for a, b in itertools.pairwise([*ends, ends[0]])
        ]
        if len(ends) > 2 and (min(turns) >= 0 or max(turns) <= 0):
            return True
    return False


def test_red_ground_lies_under_the_lost_points_and_no_others(scene):
    x, y = np.meshgrid(np.linspace(-4.2, 4.2, 12), np.linspace(-4.1, 4.1, 12))
    grid = torch.from_numpy(np.stack([x.ravel(), y.ravel()], 1))
    for act, step, seed in BENT:
        shown, t = marks(at(scene, act, step, seed)), matrix(seed, NS[step])
        alive = through(act, grid @ t.T)
        for place, one, a in zip(px(grid, LEFT), grid, alive, strict=True):
            u = t @ one
            if min(u.abs().min(), (u - 6).abs().min() if act == "ReLU6" else 9) < 0.03:
                continue  # at an edge
            rank = min(2, int(a.sum()))
            drawn = [inside((place[0], place[1]), shown[f"zone{k}"]["d"]) for k in (0, 1)]
            assert drawn == [rank == 0, rank == 1], (act, step, seed, one)


def test_dots_of_the_plot_are_the_facts(scene):
    for act, step, seed in STATES:
        shown = marks(at(scene, act, step, seed))
        for m, fact in enumerate((1, 2, 0)):
            said = shown[f"fact{fact}_s"]["s"]
            value = float(re.sub("[<% ]", "", said)) / 100
            assert share(shown[f"dot{m}"]["cy"]) == pytest.approx(min(value, 1.1), abs=8e-3)
            assert shown[f"dot{m}"]["cx"] == shown[f"n{step}"]["x"]


def test_later_n_are_not_drawn_before_they_are_reached(scene):
    for step in range(len(NS)):
        shown = marks(at(scene, "ReLU", step, 1))
        for m in range(3):
            xs = [x for x, _ in corners(shown[f"line{m}"]["d"])]
            assert xs == [shown[f"n{i}"]["x"] for i in range(step + 1)]
            assert max(x for x, _ in corners(shown[f"band{m}"]["d"])) <= xs[-1] + 5


@pytest.mark.parametrize("theme", THEMES)
def test_points_can_be_seen_on_every_ground(theme):
    for colour in colours():
        assert contrast(colour, paint("panel", theme)) >= 3
    assert len(set(colours())) > 70


# -- words ---------------------------------------------------------------------------------------


def test_captions_hold_the_numbers_and_the_right_claim(scene):
    for act, step, seed in STATES:
        here = at(scene, act, step, seed)
        said, shown = here.caption(), marks(here)
        lost, *errors = (shown[f"fact{k}_s"]["s"] for k in range(3))
        if act == "none":
            assert "nothing is lost" in said and errors == ["0 %", "0 %"]
            continue
        assert all(error in said for error in errors)
        assert said.startswith("Nothing is lost") == (lost == "0 %")
        if lost != "0 %":
            assert said.startswith(f"{lost} of the points are lost")
        assert f" {NS[step]} numbers" in said
        assert not at(scene, act, step, seed, 1).caption().startswith("Read")


def test_tips_count_what_comes_through(scene):
    tip = next(m for m in scene.spec["marks"] if m["id"] == "back30")["tip"]
    for act, step, seed in BENT:
        here = at(scene, act, step, seed)
        count = int(through(act, points()[150:151] @ matrix(seed, NS[step]).T).sum())
        said = resolve(tip, here.spec, here.state)
        assert said == f"{count} of its {NS[step]} numbers come through"


def test_the_code_of_a_state_prints_its_numbers(scene, capsys):
    for (act, step, seed), read in itertools.product(STATES[::5], (0, 1)):
        here = at(scene, act, step, seed, read)
        exec(str(resolve(here.spec["code"], here.spec, here.state)), {})
        printed = [float(n) for n in re.findall(r"tensor\(([\d.e-]+)\)", capsys.readouterr().out)]
        t = matrix(seed, NS[step])
        exact = [error(act, t, read), (ranks(act, t) < 2).double().mean().item()]
        assert printed == pytest.approx(exact, abs=2e-3)


def test_the_answer_is_what_is_lost_at_the_end_and_not_given_away(scene):
    ask = scene.spec["ask"]
    for act, seed in itertools.product(ACTS, range(len(SEEDS))):
        here = at(scene, act, 0, seed)
        right = ask["options"][resolve(ask["answer"], here.spec, here.state)]
        lost = (ranks(act, matrix(seed, 30)) < 2).double().mean().item()
        assert lost < 0.1 and right == ANSWERS[-1]
    assert "30" not in here.caption() and ask["param"] == "step" and ask["from"] == 1


# -- an own T ------------------------------------------------------------------------------------


def test_an_own_matrix_brings_its_own_numbers():
    scene = viz.manifold(TWICE)
    last = scene.spec["params"][3]["n"] - 1
    shown = marks(scene.at(step=last))
    assert [shown[f"fact{k}_s"]["s"] for k in range(3)] == ["0 %", "50 %", "0 %"]
    assert [shown[f"n{i}"]["s"] for i in range(3)] == ["2", "3", "4"]
    assert "ask" not in scene.spec and len(dumps(scene.spec)) < 80_000
    layer = nn.Linear(2, 12, bias=False)
    shown = marks(viz.manifold(layer.weight).at(step=4))
    t = layer.weight.detach().double()
    x = points()
    z = F.relu(x @ t.T) @ torch.linalg.pinv(t).T
    assert shown["fact1_s"]["s"] == percent(((z - x).norm() / x.norm()).item())


def test_parallel_rows_do_not_count_twice():
    scene = viz.manifold([[1.0, 0], [2, 0], [0, 1]])
    shown = marks(scene.at(step=1))
    x = points()
    both = ((x > 0).all(1)).double().mean().item()
    assert shown["fact0_s"]["s"] == percent(1 - both)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (torch.randn(2, 5), "(2, 5)"), (torch.randn(31, 2), "2 to 30 rows"), ([1, 2], "(2,)"),
        ([[1, 2], [2, 4]], "on one line"), ([[1, float("nan")], [0, 1]], "not finite"),
        (nn.Linear(2, 3), "give its weight"), ("T", "str"), ([[1, 2], [3]], "list"),
    ],
)  # fmt: skip
def test_what_is_no_matrix_is_said_in_one_sentence(given, says):
    with pytest.raises(UserError) as caught:
        viz.manifold(given)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_the_scene_is_registered_and_within_the_limits(scene):
    assert viz.get_scene("manifold").spec["id"] == "manifold"
    assert len(dumps(scene.spec).encode()) <= 150_000 and len(scene.spec["marks"]) <= 500
