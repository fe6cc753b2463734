"""Chapter 01: wrong answers open the hint that helps them, and no sentence says what is not so."""

import importlib.util
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from lightcourse.checks import hidden_check, run_check
from lightcourse.checks.result import CheckFailed

PATH = Path(__file__).parent / "wrong_answers" / "ch01_convolution.py"
SPEC = importlib.util.spec_from_file_location(PATH.stem, PATH)
assert SPEC is not None and SPEC.loader is not None
given = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(given)


def brackets(n, k, s, p, d):
    return n + 2 * p - k // s + 1


@pytest.mark.parametrize(
    ("id", "answer", "hint"),
    [
        ("01.size", given.textbook_with_span_added, 4),
        ("01.size", given.sized(brackets), 3),
        ("01.matrix", given.cut_with_minus_zero, 3),
        ("01.matrix", given.one_axis_more, 3),
        ("01.matrix", given.three_weights, 1),
        ("01.conv2d", given.channels_first, 4),
        ("01.conv2d", given.five_axes, 4),
        ("01.conv2d", given.flat_places, 4),
        ("01.conv2d", given.not_turned_back, 4),
        ("01.conv2d", given.order_of_unfold, 2),
        ("01.conv2d", given.weights_not_flat, 2),
        ("01.conv2d", given.span_without_dilation, 5),
        ("01.conv2d", given.picture_by_data, 7),
        ("01.conv2d", given.cut_from_the_graph, 7),
    ],
)
def test_the_hint_that_opens_is_the_one_that_helps(id, answer, hint):
    for seed in (0, 1, 7):
        assert run_check(id, answer, seed=seed).hint == hint


@pytest.mark.parametrize(
    ("id", "answer", "says", "never"),
    [
        ("01.conv2d", given.as_array, "NumPy array", "view"),
        ("01.conv2d", given.picture_cut_off, "comes back to `x`,", "`weight`"),
        ("01.conv2d", given.cut_from_the_graph, "comes back to `weight`,", "`x`"),
        ("01.conv2d", given.by_module_weight, "torch's own convolution", "differentiated"),
        ("01.conv2d", given.through_float32_and_back, "about six digits", "by hand"),
        ("01.matrix", given.three_weights, "All kernels of three weights", "padding"),
        ("01.matrix", given.sparse_matrix, ".to_dense()", "cannot be compared"),
        ("01.size", given.pads_by_half_dilated, "is even", "dilation 1"),
    ],
)
def test_the_sentence_fits_what_was_done(id, answer, says, never):
    message = run_check(id, answer).message
    assert says in message
    assert never not in message


def test_the_dtype_of_the_inputs_is_in_the_call():
    assert "dtype=torch.float64" in repr(run_check("01.matrix", given.single_precision))
    assert "both float64" in repr(run_check("01.conv2d", given.through_float32))


def test_torchs_own_convolution_is_refused_in_class_too_and_free_everywhere_else():
    with pytest.raises(CheckFailed, match="torch's own convolution is not called"):
        hidden_check("01.conv2d", given.torchs(lambda *same: same), seed=7)
    row, kernel = torch.ones(1, 1, 5), torch.ones(1, 1, 3)
    assert F.conv1d(row, kernel).tolist() == [[[3, 3, 3]]]
    assert run_check("01.matrix", given.from_unit_rows).passed


def test_unfold_counts_as_written_by_oneself():
    assert run_check("01.conv2d", given.unfolded).passed
