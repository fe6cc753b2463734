"""The studies of depth: only the shortcuts differ, only the heads differ, and fit is the recipe."""

import pytest
import torch

from lightcourse.analysis import analyze
from lightcourse.errors import UserError
from lightcourse.training import fit
from lightcourse.training.data import builtin
from lightcourse.training.studies import deep_supervision, depth
from lightcourse.training.studies.depth import DEPTHS, LR, Thin, fit_heads

RECIPE = {"epochs": 2, "batch_size": 16, "lr": LR, "seed": 3}


def made(*args, seed=5):
    torch.manual_seed(seed)
    return Thin(*args)


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("layers", DEPTHS)
def test_plain_and_residual_differ_in_the_sum_alone(layers):
    nets = [made(layers, shortcut).eval() for shortcut in ("none", "padding")]
    reports = [analyze(net, (1, 3, 32, 32)) for net in nets]
    assert len({(r.params, r.macs) for r in reports}) == 1
    assert same(*(net.state_dict().values() for net in nets)), "the same first weights"
    convs = [layer for layer in reports[0].layers if layer.macs]
    assert len(convs) == layers
    x = torch.randn(2, 3, 32, 32)
    assert not torch.allclose(nets[0](x), nets[1](x))


def test_heads_change_nothing_but_what_is_trained():
    bare, headed = made(8, "none").eval(), made(8, "none", True).eval()
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(bare(x), headed(x))
    assert torch.equal(headed.scores(x)[0], headed(x)) and len(headed.scores(x)) == 3
    extra = sum(p.numel() for p in headed.heads.parameters())
    assert extra == 9 * 10 + 17 * 10
    costs = [analyze(net, (1, 3, 32, 32)).macs for net in (bare, headed)]
    assert costs[0] == costs[1]


def test_without_heads_the_recipe_is_that_of_fit_to_the_last_bit():
    splits = builtin(64, 20)
    ours, theirs = made(8, "padding"), made(8, "padding")
    history = fit_heads(ours, splits, **RECIPE)
    known = fit(theirs, splits, progress=False, **RECIPE)
    assert same(ours.state_dict().values(), theirs.state_dict().values())
    for one, other in zip(history.epochs, known.epochs, strict=True):
        assert one.test_accuracy == other.test_accuracy and one.lr == other.lr
        assert one.train_loss == pytest.approx(other.train_loss)
        assert one.train_accuracy == other.train_accuracy


def test_the_heads_move_the_weights_before_them_by_their_weight():
    splits = builtin(32, 10)
    nets = []
    for weight in (0.0, 0.3, 0.3):
        nets.append(made(8, "none", True))
        fit_heads(nets[-1], splits, weight=weight, **RECIPE)
    stems = [list(net.stem.parameters()) for net in nets]
    assert same(stems[1], stems[2])
    assert not same(stems[0], stems[1])


def test_a_depth_that_makes_no_three_stages_is_refused():
    for wrong in (9, 2):
        with pytest.raises(UserError, match="6n"):
            depth(depths=(wrong,), progress=False)
    with pytest.raises(UserError, match="6n"):
        deep_supervision(layers=10, progress=False)
