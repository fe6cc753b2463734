"""Chapter 01: the oracles by a second road, the guesses, and the published numbers it prints."""

import itertools
from random import Random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lightcourse.checks.chapters import (
    _ch01_conv2d,
    _ch01_count,
    _ch01_gap,
    _ch01_matrix,
    _ch01_size,
    _ch01_size_picture,
    ch01,
)

SEEDS = range(3)


def cases(module):
    return [case for seed in SEEDS for case in module.cases(Random(seed))]


def test_sizes_by_walking_the_window():
    for case in cases(_ch01_size):
        size, kernel = case.args
        stride, padding, dilation = (
            case.kwargs.get(name, usual)
            for name, usual in (("stride", 1), ("padding", 0), ("dilation", 1))
        )
        reach = (kernel - 1) * dilation
        if padding == "same":
            assert _ch01_size.by_torch(*case.args, **case.kwargs) == size
            continue
        starts = range(-padding, size + padding - reach, stride)
        assert _ch01_size.by_torch(*case.args, **case.kwargs) == len(starts) > 0
        assert _ch01_size.right(size, kernel, stride, padding, dilation) == len(starts)


def test_the_size_in_the_table_of_facts():
    assert _ch01_size.by_torch(32, 3, stride=1, padding=2, dilation=2) == 32


def test_the_picture_of_a_wrong_size_shows_every_place_inside_the_row():
    drawn = 0
    for case in cases(_ch01_size):
        want = _ch01_size.by_torch(*case.args, **case.kwargs)
        lines = repr(_ch01_size_picture.picture(case, want + 1, want)).splitlines()
        if len(lines) < 2:
            continue
        drawn += 1
        row, *places = (line.partition("   place")[0].partition("   the row")[0] for line in lines)
        assert len(places) == want
        assert len(places[-1]) <= len(row) < len(places[-1]) + case.kwargs.get("stride", 1)
        assert all(line.count("#") == case.args[1] for line in places)
        assert f"there are {want}, and you count {want + 1}" in lines[-1]
    assert drawn >= 10


def connections(shape_in, shape_out, kernel):
    """Every line of every layer, one by one; the last index is the bias."""
    c, h, w = shape_in
    outputs = list(itertools.product(*map(range, shape_out)))
    pixels = [*itertools.product(range(c), range(h), range(w)), "bias"]
    window = [*itertools.product(range(c), *map(range, kernel)), "bias"]
    full = {(o, p) for o in outputs for p in pixels}
    local = {(o, tap) for o in outputs for tap in window}
    shared = {(o[0], tap) for o, tap in local}
    return len(full), len(local), len(shared)


def test_counts_by_naming_every_line():
    small = [case for case in cases(_ch01_count) if case.args[0][1] < 8]
    assert len(small) >= 15
    for case in small:
        assert _ch01_count.by_torch(*case.args) == connections(*case.args)


def test_counts_of_published_layers():
    _, local, shared = _ch01_count.by_torch((1, 32, 32), (6, 28, 28), (5, 5))
    assert (local, shared) == (122_304, 156), "C1 of LeNet-5, LeCun 1998"
    assert _ch01_count.by_torch((16, 5, 5), (120, 1, 1), (5, 5)) == (48_120,) * 3, "C5"
    fc6 = _ch01_count.by_torch((512, 7, 7), (4096, 1, 1), (7, 7))
    assert fc6 == (102_764_544,) * 3, "VGG-16's fc6 as a convolution"
    assert _ch01_count.by_torch((3, 8, 8), (64, 8, 8), (3, 3))[2] == 1792, "VGG-16's first layer"


def test_matrices_do_what_the_layer_does_to_any_row():
    generator = torch.Generator().manual_seed(0)
    for case in cases(_ch01_matrix):
        kernel, size = case.args
        row = torch.randn(size, generator=generator, dtype=torch.float64)
        want = np.convolve(np.pad(row.numpy(), case.kwargs.get("padding", 0)),
                           kernel.numpy()[::-1], "valid")  # fmt: skip
        matrix = _ch01_matrix.by_torch(*case.args, **case.kwargs)
        assert np.allclose(matrix @ row, want[:: case.kwargs.get("stride", 1)])


def test_gaps_by_rolling():
    for case in cases(_ch01_gap):
        layer, x, shift, moved = case.args
        difference = layer(x.roll(shift, -1)) - layer(x).roll(moved, -1)
        want = difference.abs().amax((0, 1, 2))
        assert torch.equal(_ch01_gap.by_cutting(*case.args), want)


@pytest.mark.parametrize("module", [_ch01_conv2d, _ch01_gap])
def test_cases_leave_room_for_every_mistake(module):
    """Batches, several channels, pictures and windows that are not square, all settings."""
    found = cases(module)
    pictures = [case.args[0] if module is _ch01_conv2d else case.args[1] for case in found]
    assert any(len(x) > 1 and x.shape[1] > 1 for x in pictures)
    assert any(x.shape[2] != x.shape[3] for x in pictures)
    if module is _ch01_conv2d:
        assert any(c.args[1].shape[2] != c.args[1].shape[3] for c in found)
        for name in ("stride", "padding", "dilation"):
            assert any(name in case.kwargs for case in found)


def test_the_case_worked_out_in_the_text():
    first = next(iter(_ch01_conv2d.cases(Random(0))))
    out = _ch01_conv2d.by_torch(*first.args)
    assert out.flatten().tolist() == [37, 47, 67, 77]
    kernel = torch.tensor([1.0, 2.0, 3.0])
    rows = _ch01_matrix.by_torch(kernel, 5).tolist()
    assert rows == [[1, 2, 3, 0, 0], [0, 1, 2, 3, 0], [0, 0, 1, 2, 3]]
    assert _ch01_matrix.by_torch(kernel, 5, padding=1)[0].tolist() == [2, 3, 0, 0, 0]
    assert _ch01_count.by_torch((1, 4, 4), (1, 2, 2), (3, 3)) == (68, 40, 10)


@pytest.mark.parametrize("asked", ch01.PREDICTIONS, ids=lambda p: p.id)
def test_each_wrong_guess_has_its_reply_and_the_right_one_has_none(asked):
    truth = asked.truth()
    assert len(set(asked.replies.values())) == len(asked.replies)
    assert {*asked.replies, truth} == set(asked.options)
    assert truth not in asked.replies and asked.right
    wanted = {
        "01.p1": "500 billion",
        "01.p2": "it becomes another map",
        "01.p3": "no better than guessing",
        "01.p4": "no better than guessing",
    }
    assert truth == wanted[asked.id]


def test_the_guesses_leave_the_random_state_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    for asked in ch01.PREDICTIONS:
        asked.truth()
    assert torch.equal(torch.get_rng_state(), before)


def test_a_shift_by_the_stride_moves_the_map_by_one_place():
    """The control of the second guess: by two pixels the map does move, and by one it does not."""
    x = torch.randn(1, 1, 1, 32, generator=torch.Generator().manual_seed(0))
    layer = nn.Conv2d(1, 1, (1, 3), stride=2, bias=False).requires_grad_(False)
    moved = layer(x.roll(2, 3))
    assert torch.allclose(moved[..., 1:], layer(x)[..., :-1], atol=1e-6)
    assert not torch.allclose(layer(x.roll(1, 3))[..., 1:], layer(x)[..., :-1], atol=1e-2)
    assert not torch.allclose(F.max_pool2d(x.roll(1, 3), (1, 2)), F.max_pool2d(x, (1, 2)))
