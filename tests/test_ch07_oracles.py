"""Chapter 07's oracles against other roads to the same numbers, and the numbers of its prose."""

from random import Random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lightcourse import create_model
from lightcourse._torchvision import import_torchvision
from lightcourse.checks import run_check
from lightcourse.checks.chapters import (
    _ch07_dense,
    _ch07_net,
    _ch07_parts,
    _ch07_reduce,
    _ch07_residual,
    _ch07_stack,
    ch07,
)
from lightcourse.checks.chapters._ch07_net_reference import Reference as Net
from lightcourse.nn import BasicBlock, Branches, DenseBlock
from lightcourse.nn import InceptionConv as Conv

SEEDS = (0, 7)


def copied(mine, theirs):
    """Give every layer with weights those of the other's, in order."""
    pairs = zip(_ch07_parts.layers_of(mine), _ch07_parts.layers_of(theirs), strict=True)
    for one, other in pairs:
        one.load_state_dict(other.state_dict())
        if isinstance(one, nn.BatchNorm2d):
            one.eps = other.eps


def lively(module):
    """Weights and statistics that differ from the start's, in eval mode."""
    _ch07_parts.fill([module], 3)
    return module.eval()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_stack_follows_the_formula(seed):
    for case in _ch07_stack.cases(Random(seed)):
        n, c = case.args
        side = 2 * n + 1
        assert _ch07_stack.oracle(n, c) == (side, 9 * n * c * c, side * side * c * c)
    assert _ch07_stack.oracle(2, 64)[1] / _ch07_stack.oracle(2, 64)[2] == 0.72  # checks.json C017


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [4, 7])
def test_residual_is_the_block_of_torchvision(stride, channels):
    torchvision = import_torchvision()
    down = None
    if stride > 1 or channels != 4:
        conv = nn.Conv2d(4, channels, 1, stride, bias=False)
        down = nn.Sequential(conv, nn.BatchNorm2d(channels))
    theirs = lively(torchvision.models.resnet.BasicBlock(4, channels, stride, down))
    mine = _ch07_residual.Reference(4, channels, stride).eval()
    for name, part in theirs.named_children():
        if name != "relu":
            copied(getattr(mine, "shortcut" if name == "downsample" else name), part)
    x = torch.randn(2, 4, 7, 6)
    torch.testing.assert_close(mine(x), theirs(x))


def test_dense_is_the_block_of_the_package():
    theirs = lively(DenseBlock(5, 3, 4, bottleneck=False))
    mine = _ch07_dense.Reference(5, 3, 4).eval()
    copied(mine, theirs)
    x = torch.randn(2, 5, 4, 6)
    torch.testing.assert_close(mine(x), theirs(x))
    assert theirs.out_channels == mine(x).shape[1]


def test_reduce_is_figure_10():
    pool = [(nn.MaxPool2d, 3, 2)]
    theirs = lively(Branches(6, [[(4, 3, 2, 0)], [(3, 1), (5, 3), (5, 3, 2, 0)], pool], Conv))
    mine = _ch07_reduce.Reference(6, 4, 3, 5).eval()
    copied(mine, theirs)
    x = torch.randn(2, 6, 9, 8)
    torch.testing.assert_close(mine(x), theirs(x))


def test_the_reference_is_the_published_resnet_20_and_its_loss_the_formula():
    theirs = create_model("resnet_cifar", depth=20).eval()
    mine = Net(3, 10, BasicBlock).eval()
    copied(mine.features, lively(theirs.features))
    mine.classifier.load_state_dict(theirs.classifier.state_dict())
    x, labels = torch.randn(2, 3, 16, 16), torch.tensor([3, 8])
    torch.testing.assert_close(mine(x), theirs(x))
    count = sum(p.numel() for p in mine.parameters())
    assert count - sum(p.numel() for p in mine.heads.parameters()) == 272_474
    want = F.cross_entropy(theirs(x), labels)
    for head, end in zip(mine.heads, (6, 9), strict=True):
        seen = theirs.features[:end](x).mean((2, 3))  # the stem is three items there
        want = want + 0.3 * F.cross_entropy(head(seen), labels)
    torch.testing.assert_close(mine.loss(x, labels), want)


def test_the_paper_shortcut_has_fewer_parameters_than_the_projection():
    counts = [
        sum(p.numel() for p in create_model("resnet_cifar", depth=20, shortcut=s).parameters())
        for s in ("projection", "padding")
    ]
    assert counts == [272_474, 269_722]  # option B; option A, which section 4.2 uses


@pytest.mark.parametrize(
    ("id", "guess", "word"),
    [
        ("07.p1", 150, "cannot be more"),
        ("07.p1", -1, "negative"),
        ("07.p2", -1, "negative"),
        ("07.p4", 10, "Fewer"),
        ("07.p4", -2, "negative"),
    ],
)
def test_a_guess_that_is_too_high_or_no_share_gets_its_own_reply(id, guess, word):
    prediction = next(p for p in ch07.PREDICTIONS if p.id == id)
    ranges = [key for key in prediction.replies if key[0] <= guess <= key[1]]
    assert len(ranges) == 1 and word in prediction.replies[ranges[0]]


MODULES = ((_ch07_residual, "07.residual"), (_ch07_dense, "07.dense"), (_ch07_reduce, "07.reduce"))


@pytest.mark.parametrize(("module", "_id"), MODULES, ids=[i for _, i in MODULES])
def test_the_weights_put_in_differ_from_part_to_part_and_reach_the_output(module, _id):
    for case in module.cases(Random(0)):
        want = module.oracle(*case.args)
        again = module.oracle(*case.args)
        assert torch.equal(want.output, again.output) and module.show(case)
        other = module.oracle(*case.args[:-1], case.args[-1] + 1)
        assert not torch.allclose(want.output, other.output)


def test_a_wrong_block_of_the_network_is_named():
    class Off(Net):
        """One block of the second stage too narrow inside."""

        def __init__(self, n, num_classes, block):
            super().__init__(n, num_classes, block)
            self.features[n + 1].conv2 = nn.Conv2d(32, 32, 1, bias=False)

    result = run_check("07.net", Off)
    assert not result.passed and "block 1 of stage 2" in str(result), str(result)


def test_a_part_that_is_not_the_one_wanted_is_told_in_words():
    class Wide(_ch07_residual.Reference):
        def __init__(self, c, out, stride=1):
            super().__init__(c, out, stride)
            self.conv2 = nn.Conv2d(out, out, 5, 1, 2, bias=False)

    said = str(run_check("07.residual", Wide))
    assert "conv2 has a 5×5 convolution 3 → 3, stride 1, padding 2, wanted a 3×3" in said, said


def test_predictions_hold_what_they_say():
    truths = {p.id: p.truth() for p in ch07.PREDICTIONS}
    assert truths["07.p1"] == 89.4 and truths["07.p2"] == round(100 * 27 / 49, 1)
    assert truths["07.p3"] == "8 layers"
    assert 3.5 < truths["07.p4"] < 4.5
    for p in ch07.PREDICTIONS:
        assert not p.options or p.truth() in p.options


def test_names_are_those_of_the_table():
    assert len(_ch07_net.names(3)) == 10
    assert _ch07_net.names(3)[4] == "block 1 of stage 2"
