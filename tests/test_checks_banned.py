"""An operator is noticed by whatever name it was called, and an allowed one is not."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lightcourse.checks import run_check
from lightcourse.checks.banned import uses

X = torch.zeros(1, 2, 6, 6)
WEIGHT = torch.zeros(2, 2, 3, 3)


def transposed(name, given):
    return name == "convolution" and given["transposed"]


@pytest.mark.parametrize(
    "run",
    [
        lambda: F.conv_transpose2d(X, WEIGHT),
        lambda: nn.ConvTranspose2d(2, 2, 3)(X),
        lambda: torch.convolution(X, WEIGHT, None, [1, 1], [0, 0], [1, 1], True, [0, 0], 1),
        lambda: nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2, 2, 3))(X).sum().backward(),
    ],
)
def test_the_same_operator_by_four_roads(run):
    assert uses(run, transposed)


def test_an_allowed_relative_is_not_taken_for_it():
    assert not uses(lambda: F.conv2d(X, WEIGHT), transposed)
    assert not uses(lambda: None, lambda name, given: True)


def test_an_error_inside_goes_through_and_nothing_stays_switched_on():
    with pytest.raises(RuntimeError):
        uses(lambda: F.conv2d(X, WEIGHT[:, :1]), transposed)
    assert not torch.utils._python_dispatch.is_in_torch_dispatch_mode()


@pytest.mark.parametrize(
    ("id", "answer", "named"),
    [
        ("03.transposed", F.conv_transpose2d, "F.conv_transpose2d"),
        ("03.bilinear", F.interpolate, "F.interpolate"),
    ],
)
def test_the_refusal_names_the_function(id, answer, named):
    calls = {
        "03.transposed": lambda x, w, s, p, o: answer(x, w, None, s, p, o),
        "03.bilinear": lambda x, size, align: answer(x, size, mode="bilinear", align_corners=align),
    }
    result = run_check(id, calls[id])
    assert not result.passed
    assert named in result.message and "yourself" in result.message
