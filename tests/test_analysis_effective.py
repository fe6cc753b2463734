"""The effective receptive field: laws, a hand case, and that the model stays as it was."""

import numpy as np
import pytest
import torch
from torch import nn

from lightcourse.analysis import chain_receptive_field, effective_receptive_field, receptive_field
from lightcourse.errors import UserError


def test_one_linear_filter_by_hand() -> None:
    model = nn.Conv2d(1, 1, 3, padding=1, bias=False)
    taps = torch.tensor([[1.0, 0, 2], [0, 0, 0], [0, -2, 0]])
    model.weight.data[:] = taps
    measured = effective_receptive_field(model, 5, (1, 3), in_channels=1, samples=2)
    expected = np.zeros((5, 5))
    expected[0:3, 2:5] = taps.square().numpy() / 9
    np.testing.assert_allclose(measured, expected, atol=1e-7)


@pytest.mark.parametrize(
    "layers", [[(3, 1, 1, 1)] * 5, [(3, 2, 1), (3, 1, 2, 2)], [(5, 1), (1, 1), (3, 2, 1)]]
)
def test_it_sums_to_one_and_lies_inside_the_theoretical_field(layers) -> None:
    measured = effective_receptive_field(layers, 33, (2, 3))
    assert measured.shape == (33, 33) and measured.sum() == pytest.approx(1)
    size, jump, start = chain_receptive_field(layers)[-1]
    inside = np.zeros((33, 33), bool)
    rows, columns = (
        slice(max(int(start + u * jump - (size - 1) / 2), 0), int(start + u * jump + size // 2) + 1)
        for u in (2, 3)
    )
    inside[rows, columns] = True
    assert (measured[~inside] == 0).all()
    if all(len(layer) < 4 or layer[3] == 1 for layer in layers):  # dilation leaves holes
        assert (measured[inside] > 0).all()
    else:
        assert measured[rows].sum(0)[columns][-1] > 0 and (measured[inside] == 0).any()


def test_depth_gathers_the_weight_in_the_middle() -> None:
    # Luo et al.: the effective radius grows with the root of the depth, the theoretical with depth
    def share(depth: int) -> float:
        measured = effective_receptive_field([(3, 1, 1, 1)] * depth, 64)
        rows = np.indices((64, 64))[0]
        spread = np.sqrt((measured * (rows - 32.0) ** 2).sum())
        return spread / (2 * depth + 1)

    assert share(24) < 0.6 * share(4)


def test_seeds_decide_alone() -> None:
    state = torch.get_rng_state()
    layers = [(3, 1, 1, 1)] * 3
    first = effective_receptive_field(layers, 16, samples=2)
    np.testing.assert_array_equal(first, effective_receptive_field(layers, 16, samples=2))
    assert torch.equal(torch.get_rng_state(), state)
    assert not np.array_equal(first, effective_receptive_field(layers, 16, samples=2, seed=1))


def test_a_model_is_measured_in_place_and_left_alone() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
    model.train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    measured = effective_receptive_field(model, (9, 13))
    assert measured.shape == (9, 13)
    (top, bottom), (left, right) = receptive_field(model, (1, 3, 9, 13)).interval((4, 6))
    assert measured[top : bottom + 1, left : right + 1].sum() == pytest.approx(1)
    assert model.training and all(p.grad is None for p in model.parameters())
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_a_unit_that_nothing_moves_measures_zero() -> None:
    model = nn.Conv2d(3, 4, 3, padding=1)
    model.weight.data.zero_()
    assert effective_receptive_field(model, 9).sum() == 0


def test_mistakes_get_one_clear_sentence() -> None:
    flat = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten())
    with pytest.raises(UserError, match=r"needs a map .* model\.features"):
        effective_receptive_field(flat, 9)
    with pytest.raises(UserError, match="outside the output map of 9×9"):
        effective_receptive_field([(3, 1, 1)], 9, (9, 0))
    with pytest.raises(UserError, match="at least one random input"):
        effective_receptive_field([(3, 1, 1)], 9, samples=0)
