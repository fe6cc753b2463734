"""Shift: by hand, its methods against each other, the even deal, no cost but memory."""

import pytest
import torch
from torch import nn
from twin import with_life

from lightcourse import analyze
from lightcourse.errors import UserError
from lightcourse.nn import Shift, ShiftBlock, shift
from lightcourse.nn.shift import _fastest

METHODS = ("padding", "convolution", "rolling")
SHAPES = [(1, 9, 3, 3), (2, 16, 5, 4), (1, 48, 7, 1), (2, 20, 1, 6), (1, 9, 1, 1)]


@pytest.mark.parametrize("method", METHODS)
def test_by_hand(method: str) -> None:
    """Group 0 reads one up and one left of itself, group 5 reads one to the right."""
    picture = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    out = shift(picture.expand(1, 9, 3, 3), 3, method)[0]
    assert out[0].tolist() == [[0, 0, 0], [0, 1, 2], [0, 4, 5]]
    assert out[5].tolist() == [[2, 3, 0], [5, 6, 0], [8, 9, 0]]
    assert torch.equal(out[4], picture)
    assert out[8].tolist() == [[5, 6, 0], [8, 9, 0], [0, 0, 0]]


@pytest.mark.parametrize("method", [None, *METHODS[1:]])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("shape", "k"), [*((s, 3) for s in SHAPES), ((2, 53, 9, 8), 5),
                                          ((1, 30, 2, 1), 5), ((2, 3, 4, 4), 1)])  # fmt: skip
def test_methods_agree_forward_and_backward(shape, k: int, layout, method: str | None) -> None:
    x = torch.randn(shape).to(memory_format=layout).requires_grad_()
    weight = torch.randn(shape)
    ours, other = shift(x, k, "padding"), shift(x, k, method)
    assert torch.equal(ours, other)
    assert ours.is_contiguous(memory_format=layout)
    assert other.is_contiguous(memory_format=layout) or method == "rolling"
    (ours_back,) = torch.autograd.grad((ours * weight).sum(), x)
    (other_back,) = torch.autograd.grad((other * weight).sum(), x)
    torch.testing.assert_close(ours_back, other_back)


@pytest.mark.parametrize("method", METHODS)
def test_gradients_against_finite_differences(method: str) -> None:
    x = torch.randn(1, 10, 3, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: shift(t, 3, method), x)
    assert torch.autograd.gradgradcheck(lambda t: shift(t, 3, method), x)


@pytest.mark.parametrize(("channels", "k"), [(9, 3), (17, 3), (48, 3), (128, 5), (255, 5)])
def test_directions_are_dealt_evenly_and_the_rest_stays(channels: int, k: int) -> None:
    size = 2 * k + 1
    x = torch.zeros(1, channels, size, size)
    x[:, :, k, k] = 1
    places = shift(x, k)[0].flatten(1).argmax(1)
    counts = places.bincount()
    middle = k * size + k
    each, left = divmod(channels, k * k)
    assert counts[middle] == each + left
    assert sorted(counts[counts > 0].tolist()) == [each] * (k * k - 1) + [each + left]


def test_the_fastest_method_is_the_default() -> None:
    x = torch.randn(1, 9, 4, 4)
    last = x.to(memory_format=torch.channels_last)
    assert [_fastest(t) for t in (x, last, last.int(), last.to("meta"))] == [
        "padding",
        "convolution",
        "padding",
        "padding",
    ]


def test_shifting_there_and_back_loses_only_the_edge() -> None:
    x = torch.randn(1, 9, 6, 6)
    there = shift(x)
    back = shift(there.flip(1)).flip(1)  # group 8 - g goes the opposite way
    assert torch.equal(back[..., 1:-1, 1:-1], x[..., 1:-1, 1:-1])
    assert not torch.equal(back, x)


def test_half_precision_and_odd_types_move_too() -> None:
    x = torch.arange(9 * 9).view(1, 9, 3, 3)
    assert torch.equal(shift(x.to(torch.bfloat16)).long(), shift(x.float()).long())
    assert torch.equal(shift(x), shift(x.double()).long())


def test_what_is_printed() -> None:
    assert repr(Shift(16, 3)) == "Shift(16, kernel_size=3)"
    assert repr(Shift(25, 5, "rolling")) == "Shift(25, kernel_size=5, method='rolling')"


def test_costs_nothing_but_memory() -> None:
    report = analyze(nn.Sequential(Shift(48)), (1, 48, 32, 32), strict=True)  # strict: all known
    assert (report.params, report.macs) == (0, 0)
    assert report.memory_access >= 2 * 48 * 32 * 32 * 4  # reads all of it and writes all of it
    one_hot = analyze(nn.Sequential(Shift(48, method="convolution")), (1, 48, 32, 32), strict=True)
    assert one_hot.macs == 9 * 48 * 32 * 32


def test_shift_block_by_hand() -> None:
    for ins, outs, stride in ((24, 24, 1), (24, 40, 2)):
        block = with_life(ShiftBlock(ins, outs, stride, expansion=2))
        x = torch.randn(2, ins, 8, 8)
        y = shift(block.conv1(block.bn1(x).relu()))
        y = block.conv2(block.bn2(y).relu())
        wanted = x + y if stride == 1 else torch.cat((y, nn.AvgPool2d(3, 2, 1)(x)), 1)
        torch.testing.assert_close(block(x), wanted)
        assert block(x).shape == (2, outs, 8 // stride, 8 // stride)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: shift(torch.zeros(1, 8, 4, 4)), "9 directions and needs as many channels; with 8"),
        (lambda: Shift(24, 5), "25 directions"),
        (lambda: Shift(24, 4), "1, 3, 5, …, not 4"),
        (lambda: Shift(24, -1), "not -1"),
        (lambda: shift(torch.zeros(9, 4, 4)), r"takes \(N, C, H, W\)"),
        (lambda: shift(torch.zeros(1, 9, 4, 4), method="slide"), "padding, convolution, rolling"),
        (lambda: Shift(24, method="slide"), "'slide'"),
        (lambda: ShiftBlock(16, 32), "16 to 32 at stride 1"),
        (lambda: ShiftBlock(32, 32, stride=2), "32 to 32 at stride 2"),
        (lambda: ShiftBlock(32, 64, stride=3), "at stride 3"),
    ],
)
def test_shifts_that_cannot_be(call, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        call()
    assert "\n" not in str(caught.value)
