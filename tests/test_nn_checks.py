"""Every public block refuses numbers that make no block, in one sentence that names them."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

from lightcourse import nn as blocks
from lightcourse.errors import UserError
from lightcourse.nn.residual import PaddedShortcut

COUNTS = (0, -1, 2.5, "8", None, True)
ODD, STRIDE, SHARE, FACTOR = "odd", "1 or 2", "share", "factor"

# block: settings that work, then what kind of number each of them is; a count where nothing is said
BLOCKS: dict[Any, tuple[dict[str, Any], dict[str, str]]] = {
    blocks.SqueezeExcite: ({"channels": 8, "squeeze_channels": 2}, {}),
    blocks.ConvNormAct: (
        {"in_channels": 8, "out_channels": 12, "kernel_size": 3, "stride": 1, "groups": 4,
         "dilation": 1},
        {},
    ),
    blocks.InvertedResidual: (
        {"in_channels": 8, "out_channels": 8, "stride": 1, "expansion": 6},
        {"stride": STRIDE, "expansion": FACTOR},
    ),
    blocks.Bneck: (
        {"in_channels": 8, "expanded": 16, "out_channels": 8, "kernel_size": 3, "stride": 1},
        {"kernel_size": ODD, "stride": STRIDE},
    ),
    blocks.DepthwiseConv2d: (
        {"channels": 8, "kernel_size": 3, "stride": 1, "dilation": 1, "multiplier": 2}, {},
    ),
    blocks.PointwiseConv2d: ({"in_channels": 8, "out_channels": 4}, {}),
    blocks.DepthwiseSeparableConv: (
        {"in_channels": 8, "out_channels": 4, "kernel_size": 3, "stride": 1, "dilation": 1}, {},
    ),
    blocks.SpatialFactorisedConv: (
        {"in_channels": 8, "out_channels": 4, "kernel_size": 3, "stride": 1}, {},
    ),
    blocks.LowRankConv: (
        {"in_channels": 8, "out_channels": 4, "kernel_size": 3, "rank": 2, "stride": 1},
        {},
    ),
    blocks.DeformConv2d: (
        {"in_channels": 8, "out_channels": 4, "kernel_size": 3, "stride": 1, "dilation": 1,
         "groups": 2, "offset_groups": 1},
        {},
    ),
    blocks.DarknetUnit: ({"channels": 8, "mid_channels": 4}, {}),
    blocks.CSPBlock: ({"in_channels": 8, "out_channels": 8, "body": nn.Identity()}, {}),
    blocks.DenseLayer: (
        {"in_channels": 8, "growth": 4, "dropout": 0.1}, {"dropout": SHARE},
    ),
    blocks.DenseBlock: (
        {"in_channels": 8, "layers": 2, "growth": 4, "dropout": 0.1}, {"dropout": SHARE},
    ),
    blocks.Transition: (
        {"in_channels": 8, "out_channels": 4, "dropout": 0.1}, {"dropout": SHARE},
    ),
    blocks.Fire: ({"in_channels": 8, "squeeze": 2, "expand1x1": 4, "expand3x3": 4}, {}),
    blocks.GhostModule: (
        {"in_channels": 8, "out_channels": 8, "kernel_size": 1, "ratio": 2, "cheap_kernel": 3},
        {"kernel_size": ODD, "cheap_kernel": ODD},
    ),
    blocks.GhostBottleneck: (
        {"in_channels": 8, "expanded": 16, "out_channels": 8, "kernel_size": 3, "stride": 1},
        {"kernel_size": ODD, "stride": STRIDE},
    ),
    blocks.InceptionConv: (
        {"in_channels": 8, "out_channels": 8, "kernel_size": 3, "stride": 1},
        {"kernel_size": ODD},
    ),
    blocks.Chain: ({"in_channels": 8, "rows": [(8, 1)]}, {}),
    blocks.Branches: ({"in_channels": 8, "chains": [[(8, 1)]]}, {}),
    blocks.InceptionResidual: ({"in_channels": 8, "chains": [[(8, 1)]]}, {}),
    blocks.MBConv: (
        {"in_channels": 8, "out_channels": 8, "kernel_size": 3, "stride": 1, "expansion": 6,
         "groups": 2, "drop_path": 0.1},
        {"kernel_size": ODD, "stride": STRIDE, "expansion": FACTOR, "drop_path": SHARE},
    ),
    blocks.FastFusion: ({"inputs": 2}, {}),
    blocks.BiFPNNode: ({"in_channels": 8, "channels": 4, "inputs": 2}, {}),
    blocks.BiFPN: ({"in_channels": [8, 4], "channels": 4}, {}),
    PaddedShortcut: ({"in_channels": 8, "out_channels": 8, "stride": 1}, {}),
    blocks.BasicBlock: ({"in_channels": 8, "out_channels": 8, "stride": 1}, {}),
    blocks.Bottleneck: (
        {"in_channels": 8, "width": 4, "out_channels": 8, "stride": 1, "groups": 2}, {},
    ),
    blocks.PreActivationBlock: (
        {"in_channels": 8, "out_channels": 8, "stride": 1, "dropout": 0.1}, {"dropout": SHARE},
    ),
    blocks.LargeSeparableConv: (
        {"in_channels": 8, "mid_channels": 4, "out_channels": 8, "kernel_size": 5},
        {"kernel_size": ODD},
    ),
    blocks.Shift: ({"channels": 9, "kernel_size": 3}, {"kernel_size": ODD}),
    blocks.ShiftBlock: (
        {"in_channels": 16, "out_channels": 16, "stride": 1, "expansion": 1, "kernel_size": 3},
        {"kernel_size": ODD, "stride": STRIDE, "expansion": FACTOR},
    ),
    blocks.ShuffleUnit: (
        {"in_channels": 24, "out_channels": 24, "stride": 1, "groups": 3, "first_groups": 1},
        {"stride": STRIDE},
    ),
    blocks.ShuffleV2Block: (
        {"in_channels": 8, "out_channels": 8, "stride": 1, "kernel_size": 3},
        {"kernel_size": ODD, "stride": STRIDE},
    ),
}  # fmt: skip
WRONG = {
    "count": COUNTS,
    ODD: (*COUNTS, 2, 4),
    STRIDE: (*COUNTS, 3, 2.0),
    SHARE: (1, -0.1, "0.5", None),
    FACTOR: (0, -1, 0.01, float("nan"), float("inf"), "6", None, True),
}
MEANT = {(blocks.ShuffleUnit, "first_groups", None)}  # these say something
NO_NUMBERS = {"body", "rows", "chains"}


def cases():
    for block, (right, kinds) in BLOCKS.items():
        for name, value in right.items():
            if name in NO_NUMBERS or isinstance(value, list):
                continue
            for wrong in WRONG[kinds.get(name, "count")]:
                if (block, name, wrong) not in MEANT:
                    yield pytest.param(block, name, wrong, id=f"{block.__name__}-{name}={wrong!r}")


def assert_one_sentence(error: UserError) -> None:
    said = str(error)
    assert "\n" not in said and said.endswith(".") and len(said) < 220, said


def test_the_table_has_every_block_and_the_settings_work() -> None:
    public = {
        value
        for value in vars(blocks).values()
        if inspect.isclass(value) and issubclass(value, nn.Module)
    }
    assert public - set(BLOCKS) == {blocks.SPP}, "SPP has its own test below"
    for block, (right, _) in BLOCKS.items():
        assert isinstance(block(**right), nn.Module)
        numbers = {
            name
            for name, parameter in inspect.signature(block).parameters.items()
            if str(parameter.annotation) in ("int", "float", "<class 'int'>", "<class 'float'>")
        }
        assert numbers - set(right) <= {"groups", "epsilon", "scale"}, block


@pytest.mark.parametrize(("block", "name", "wrong"), list(cases()))
def test_a_wrong_number_is_named(block: Any, name: str, wrong: Any) -> None:
    with pytest.raises(UserError) as caught:
        block(**{**BLOCKS[block][0], name: wrong})
    assert_one_sentence(caught.value)
    assert str(wrong) in str(caught.value)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: blocks.Fire(8, 0, 4, 4), "A Fire module's squeeze is 0; it counts"),
        (lambda: blocks.ShuffleV2Block(8, -1), "out_channels is -1; it counts"),
        (lambda: blocks.ShuffleV2Block(7, 7), "makes an even number of channels; not 7"),
        (lambda: blocks.Shift(-1), "A shift's channels is -1; it counts"),
        (lambda: blocks.GhostModule(8, 8, cheap_kernel=4), "only odd ones, 1, 3, 5, …"),
        (lambda: blocks.ConvNormAct(8, 12, groups=8), "12 channels cannot be cut into 8 equal"),
        (lambda: blocks.MBConv(8, 12, groups=8), "12 channels cannot be cut into 8 equal"),
        (lambda: blocks.Bottleneck(8, 4, 8, groups=3), "4 channels cannot be cut into 3 equal"),
        (lambda: blocks.PointwiseConv2d(8, 8, groups=3), "3 groups do not divide 8 input"),
        (lambda: blocks.PointwiseConv2d(8, 8, groups=2.0), "a whole number that divides both"),
        (lambda: blocks.DeformConv2d(8, 8, groups=3), "8 channels cannot be cut into 3 equal"),
        (lambda: blocks.CSPBlock(8, 0, 8), "out_channels is 0"),
        (lambda: blocks.CSPBlock(8, 8, 8), "body is a module that keeps 4 channels, not 8"),
        (lambda: blocks.CSPBlock(8, 8, nn.Identity(), width=0), "width is 0"),
        (lambda: blocks.CSPBlock(8, 1, nn.Identity()), "width is 0"),
        (lambda: blocks.BiFPN(8, 8), "lists the channels of two levels or more"),
        (lambda: blocks.BiFPN([8], 8), "lists the channels of two levels or more"),
        (lambda: blocks.BiFPN([8, 0, 8], 8), "in_channels is 0"),
        (lambda: blocks.BiFPN([8, 8], 4), "coarsest level has its own 4 channels, not 8"),
        (lambda: blocks.SPP(5), r"several windows, such as \(5, 9, 13\), not 5"),
        (lambda: blocks.SPP((5, 0)), "window 2 is 0"),
        (lambda: blocks.SPP((5, 8)), "odd and grow"),
        (lambda: blocks.SPP(()), "odd and grow"),
        (lambda: blocks.InceptionConv(8, 8, (1, 4)), "kernel_size is 4; only odd ones"),
        (lambda: blocks.InceptionConv(8, 8, 0, padding=0), "kernel_size is 0; it counts"),
        (lambda: blocks.Branches(8, 5), r"takes a list, such as .*, not 5"),
        (lambda: blocks.Branches(8, []), "takes one chain or more"),
        (lambda: blocks.Chain(8, [8]), "row is .*, not 8"),
        (lambda: blocks.Chain(8, [(0, 1)]), "out_channels is 0"),
        (lambda: blocks.Chain(8, [()]), r"row is .*, not \(\)"),
        (lambda: PaddedShortcut(8, 4, 1), "cannot bring 8 down to 4"),
        (lambda: blocks.BasicBlock(8, 4, shortcut="padding"), "cannot bring 8 down to 4"),
        (lambda: blocks.LowRankConv(8, 8, 3, rank=1.5), "rank is 1.5"),
    ],
)  # fmt: skip
def test_numbers_that_do_not_go_together(build: Callable[[], nn.Module], says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        build()
    assert_one_sentence(caught.value)


def test_even_kernels_stay_where_the_size_may_change() -> None:
    assert blocks.ConvNormAct(3, 8, 2, stride=2)[0].kernel_size == (2, 2)
    assert blocks.InceptionConv(3, 8, 2, padding=0)[0].kernel_size == (2, 2)
    assert blocks.DepthwiseSeparableConv(3, 8, 4)[0].kernel_size == (4, 4)


def test_integers_of_numpy_are_integers() -> None:
    numpy = pytest.importorskip("numpy")
    assert blocks.ConvNormAct(numpy.int64(3), numpy.int64(8))[0].weight.shape == (8, 3, 3, 3)
