"""Building blocks against torch's own, laws, and hand numbers."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lightcourse.errors import UserError
from lightcourse.nn import ConvNormAct, InvertedResidual, channel_shuffle, make_divisible


@pytest.mark.parametrize(
    ("channels", "groups"), [(6, 2), (6, 3), (12, 4), (8, 8), (8, 1), (240, 3)]
)
def test_channel_shuffle_equals_torch(channels: int, groups: int) -> None:
    x = torch.randn(2, channels, 5, 4)
    assert torch.equal(channel_shuffle(x, groups), nn.ChannelShuffle(groups)(x))


def test_channel_shuffle_by_hand_in_the_papers_order() -> None:
    x = torch.arange(12).view(1, 12, 1, 1)
    # rows are groups: 0 1 2 3 / 4 5 6 7 / 8 9 10 11, read down the columns
    assert channel_shuffle(x, 3).flatten().tolist() == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 6, 12])
def test_shuffling_back_needs_the_other_factor(groups: int) -> None:
    x = torch.randn(2, 12, 3, 3)
    assert torch.equal(channel_shuffle(channel_shuffle(x, groups), 12 // groups), x)


def test_channel_shuffle_for_any_rank_and_layout() -> None:
    x = torch.randn(2, 6, 5)
    assert torch.equal(channel_shuffle(x, 2), channel_shuffle(x[..., None], 2)[..., 0])
    y = torch.randn(2, 6, 4, 4).to(memory_format=torch.channels_last)
    assert torch.equal(channel_shuffle(y, 3), channel_shuffle(y.contiguous(), 3))
    assert channel_shuffle(torch.randn(2, 6), 3).shape == (2, 6)


@pytest.mark.parametrize("groups", [3, 5, 0, -2, 16])
def test_channel_shuffle_names_both_numbers_and_the_divisors(groups: int) -> None:
    with pytest.raises(UserError, match=f"8 channels .* {groups} equal groups.*1, 2, 4, 8"):
        channel_shuffle(torch.zeros(1, 8, 2, 2), groups)


def test_channel_shuffle_of_a_vector_is_refused() -> None:
    with pytest.raises(UserError, match=r"takes \(N, C, …\)"):
        channel_shuffle(torch.zeros(8), 2)


@pytest.mark.parametrize(
    ("value", "divisor", "expected"),
    [(32, 8, 32), (33, 8, 32), (36, 8, 40), (3, 8, 8), (8.8, 8, 8), (9, 8, 16), (10, 4, 12),
     (24 * 0.35, 8, 8), (1280 * 1.4, 8, 1792), (5, 1, 5)],
)  # fmt: skip
def test_make_divisible(value: float, divisor: int, expected: int) -> None:
    assert make_divisible(value, divisor) == expected


def test_make_divisible_never_loses_a_tenth() -> None:
    for value in range(1, 2000):
        rounded = make_divisible(value)
        assert rounded % 8 == 0 and rounded >= 0.9 * value and rounded - value < 8
    with pytest.raises(UserError, match="divisor is 0"):
        make_divisible(8, 0)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("dilation", [1, 2])
def test_conv_norm_act_is_its_three_parts(stride: int, kernel: int, dilation: int) -> None:
    block = ConvNormAct(4, 6, kernel, stride, groups=2, dilation=dilation).eval()
    x = torch.randn(2, 4, 12, 12)
    y = F.conv2d(x, block[0].weight, None, stride, (kernel - 1) // 2 * dilation, dilation, groups=2)
    torch.testing.assert_close(block(x), F.relu6(y / (1 + 1e-5) ** 0.5))
    assert block(x).shape[2] == 12 // stride and block.out_channels == 6
    assert block[0].bias is None


def test_conv_norm_act_without_activation_is_linear() -> None:
    block = ConvNormAct(2, 3, activation=None).eval()
    x, y = torch.randn(2, 1, 2, 6, 6)
    assert len(block) == 2
    torch.testing.assert_close(block(x + y), block(x) + block(y), atol=1e-5, rtol=1e-5)
    assert isinstance(ConvNormAct(2, 3, activation=nn.Hardswish)[2], nn.Hardswish)


def test_inverted_residual_by_hand() -> None:
    block = InvertedResidual(24, 24, 1, expansion=6)
    # expand 24·144, depthwise 144·9, project 144·24, and two numbers per channel for each norm
    assert sum(p.numel() for p in block.parameters()) == 3456 + 1296 + 3456 + 2 * (144 + 144 + 24)
    x = torch.randn(1, 24, 8, 8)
    block.eval()
    torch.testing.assert_close(block(x), x + block.conv(x))


def test_shortcut_only_where_shapes_match() -> None:
    assert InvertedResidual(8, 8).use_shortcut
    assert not InvertedResidual(8, 8, stride=2).use_shortcut
    assert not InvertedResidual(8, 12).use_shortcut
    assert InvertedResidual(8, 12, 2)(torch.zeros(2, 8, 9, 9)).shape == (2, 12, 5, 5)


def test_expansion_one_has_no_expanding_convolution() -> None:
    convs = [m for m in InvertedResidual(8, 8, expansion=1).modules() if isinstance(m, nn.Conv2d)]
    assert [c.kernel_size for c in convs] == [(3, 3), (1, 1)]
    with pytest.raises(UserError, match="stride 1 or 2, not 3"):
        InvertedResidual(8, 8, 3)
