"""Units of ShuffleNet and GhostNet: by hand from torch's operators, against torchvision, laws."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twin import with_life

from lightcourse._torchvision import import_torchvision
from lightcourse.errors import UserError
from lightcourse.nn import (
    GhostBottleneck,
    GhostModule,
    ShuffleUnit,
    ShuffleV2Block,
    channel_shuffle,
)


def unit_by_hand(unit: ShuffleUnit, x: Tensor, groups: int, megvii: bool) -> Tensor:
    """Figure 2 of the paper, or Megvii's order, in torch's own operators."""
    y = unit.squeeze(x)
    if megvii:
        n, c, h, w = (y := unit.filter(y)).shape
        y = y.reshape(n, c // groups, groups, h, w).permute(0, 2, 1, 3, 4).reshape(n, c, h, w)
    else:
        y = unit.filter(nn.ChannelShuffle(groups)(y))
    y = unit.expand(y)
    if unit.stride == 1:
        return (x + y).relu()
    pooled = nn.AvgPool2d(3, stride=2, padding=1)(x)
    return torch.cat((pooled, y), 1).relu()


@pytest.mark.parametrize("megvii", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_shuffle_unit_by_hand(groups: int, stride: int, megvii: bool) -> None:
    unit = with_life(ShuffleUnit(24 * stride, 48 * stride if stride == 2 else 24, stride, groups,
                                 shuffle_late=megvii))  # fmt: skip
    x = torch.randn(2, 24 * stride, 7, 6)
    torch.testing.assert_close(unit(x), unit_by_hand(unit, x, groups, megvii))


def reach(function, channels: int) -> Tensor:
    """Which input channel (column) moves which output channel (row)."""
    x = torch.randn(1, channels, 3, 3, requires_grad=True)
    out = function(x)[0, :, 1, 1]
    rows = [torch.autograd.grad(o, x, retain_graph=True)[0][0].abs().sum((1, 2)) for o in out]
    return torch.stack(rows) > 0


@pytest.mark.parametrize("megvii", [False, True])
def test_every_group_reaches_every_group_only_because_of_the_shuffle(megvii: bool) -> None:
    unit = ShuffleUnit(36, 36, groups=3, shuffle_late=megvii).eval()
    unit.squeeze[2] = nn.Identity()  # a ReLU may be closed; what matters is who is wired to whom

    def work(x: Tensor, shuffled: bool) -> Tensor:
        y = unit.squeeze(x)
        return unit.expand(unit.filter(channel_shuffle(y, 3) if shuffled else y))

    assert reach(lambda x: work(x, True), 36).all()
    blocks = torch.block_diag(*[torch.ones(12, 12)] * 3).bool()
    assert torch.equal(reach(lambda x: work(x, False), 36), blocks)


def test_shuffle_unit_joins_the_average_first() -> None:
    unit = with_life(ShuffleUnit(12, 36, stride=2, groups=3, first_groups=1))
    x = torch.rand(1, 12, 6, 6)
    assert torch.equal(unit(x)[:, :12], F.avg_pool2d(x, 3, 2, 1))
    assert unit.squeeze[0].groups == 1 and unit.expand[0].groups == 3


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("ins", "outs", "stride"), [(24, 116, 2), (116, 116, 1), (58, 116, 2)])
def test_even_block_is_torchvisions(ins: int, outs: int, stride: int, layout) -> None:
    theirs_class = import_torchvision().models.shufflenetv2.InvertedResidual
    theirs = with_life(theirs_class(ins, outs, stride))
    ours = ShuffleV2Block(ins, outs, stride, even=True).eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, ins, 9, 8).to(memory_format=layout)
    out = ours(x)
    torch.testing.assert_close(out, theirs(x))
    assert out.is_contiguous(memory_format=layout)


@pytest.mark.parametrize(("ins", "outs"), [(24, 116), (116, 232)])
def test_papers_block_keeps_the_input_on_the_left(ins: int, outs: int) -> None:
    block = with_life(ShuffleV2Block(ins, outs, stride=2))
    x = torch.randn(2, ins, 8, 8)
    left, right = block.branch1(x), block.branch2(x)
    assert (left.shape[1], right.shape[1]) == (ins, outs - ins)
    torch.testing.assert_close(block(x), torch.channel_shuffle(torch.cat((left, right), 1), 2))


def test_whose_permutation() -> None:
    """Megvii's code takes even and odd channels apart: the inverse of the paper's shuffle by 2."""
    x = torch.randn(2, 12, 3, 3)
    pairs = x.reshape(2 * 6, 2, 9).permute(1, 0, 2).reshape(2, 2, 6, 3, 3)  # as Megvii writes it
    assert torch.equal(torch.cat((pairs[0], pairs[1]), 1), channel_shuffle(x, 6))
    assert torch.equal(channel_shuffle(channel_shuffle(x, 2), 6), x)
    theirs = import_torchvision().models.shufflenetv2.channel_shuffle
    assert torch.equal(theirs(x, 2), channel_shuffle(x, 2))
    assert not torch.equal(channel_shuffle(x, 2), channel_shuffle(x, 6))


@pytest.mark.parametrize(("outs", "ratio"), [(12, 2), (13, 2), (12, 3), (10, 3)])
def test_ghosts_come_from_one_channel_each(outs: int, ratio: int) -> None:
    module = with_life(GhostModule(5, outs, ratio=ratio, activation=None))
    x = torch.randn(1, 5, 6, 6)
    own = module.primary(x)
    out = module(x)
    assert out.shape == (1, outs, 6, 6) and torch.equal(out[:, : own.shape[1]], own)
    per = ratio - 1
    for ghost in range(outs - own.shape[1]):
        changed = own.clone()
        changed[:, ghost // per] += 1
        moved = (module.cheap(changed) != module.cheap(own)).flatten(2).any(2)[0]
        assert moved.nonzero().flatten().tolist() == list(
            range(ghost // per * per, ghost // per * per + per)
        )


def test_ghost_bottleneck_shortcut() -> None:
    plain = with_life(GhostBottleneck(8, 24, 8))
    assert len(plain.shortcut) == 0
    x = torch.randn(1, 8, 5, 5)
    torch.testing.assert_close(plain(x) - plain.block(x), x)
    assert GhostBottleneck(8, 24, 12, 5, stride=2, se=True)(x.expand(2, 8, 5, 5)).shape[1:] == (
        12,
        3,
        3,
    )


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: ShuffleUnit(24, 48, stride=1), "24 channels cannot be added to 48"),
        (lambda: ShuffleUnit(24, 48, stride=3), "stride 1 or 2, not 3"),
        (lambda: ShuffleUnit(12, 100, 2, 2, 1), "25 channels .* 2 groups"),
        (lambda: ShuffleUnit(25, 240, 2, 3), "25 channels .* 3 groups"),
        (lambda: ShuffleUnit(48, 48, 2, 1), "0 channels"),
        (lambda: ShuffleUnit(48, 48, 1, 0), "0 groups"),
        (lambda: ShuffleV2Block(24, 25, 2), "even number of channels, more than 24"),
        (lambda: ShuffleV2Block(24, 24, 2), "more than 24 here; not 24"),
        (lambda: ShuffleV2Block(24, 48, 1), "24 in cannot be 48 out"),
        (lambda: ShuffleV2Block(24, 48, 0), "stride 1 or 2, not 0"),
        (lambda: GhostModule(8, 8, ratio=1), "2 or more, not 1"),
        (lambda: GhostBottleneck(8, 8, 8, stride=3), "stride 1 or 2, not 3"),
    ],
)
def test_units_that_cannot_be(build, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        build()
    assert "\n" not in str(caught.value)
