"""fuse: torch's own folding as oracle, and the networks in which folding would be wrong."""

from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval
from twin import with_life

from lightcourse import analyze, create_model
from lightcourse._torchvision import import_torchvision
from lightcourse.errors import UserError
from lightcourse.nn import BiFPN, fuse


def assert_equal_outputs(model: nn.Module, fused: nn.Module, x: Tensor) -> None:
    with torch.no_grad():
        before, after = model(x.clone()), fused(x.clone())
    assert before.std() > 1e-3, "an output without spread proves nothing"
    scale = before.abs().max()
    torch.testing.assert_close(after / scale, before / scale, rtol=0, atol=1e-5)


PAIRS = {
    "plain": (nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), (2, 3, 9, 9)),
    "with a bias": (nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), (2, 3, 9, 9)),
    "depthwise": (nn.Conv2d(6, 12, 3, groups=6), nn.BatchNorm2d(12), (2, 6, 9, 9)),
    "dilated": (nn.Conv2d(3, 8, 3, dilation=2), nn.BatchNorm2d(8, eps=0.1), (2, 3, 9, 9)),
    "reflected": (
        nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect"),
        nn.BatchNorm2d(8),
        (2, 3, 9, 9),
    ),
    "not affine": (nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8, affine=False), (2, 3, 9, 9)),
    "in one dimension": (nn.Conv1d(3, 8, 3), nn.BatchNorm1d(8), (2, 3, 9)),
    "in three dimensions": (nn.Conv3d(3, 8, 3), nn.BatchNorm3d(8), (2, 3, 5, 5, 5)),
    "linear": (nn.Linear(3, 8), nn.BatchNorm1d(8), (5, 3)),
    "in double precision": (
        nn.Conv2d(3, 8, 3).double(),
        nn.BatchNorm2d(8).double(),
        (2, 3, 9, 9),
    ),
}


@pytest.mark.parametrize("case", PAIRS)
def test_a_pair_folds_as_torch_folds_it(case: str) -> None:
    layer, norm, shape = PAIRS[case]
    model = with_life(nn.Sequential(layer, norm))
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    fused = fuse(model, shape)
    fold = fuse_linear_bn_eval if isinstance(layer, nn.Linear) else fuse_conv_bn_eval
    theirs = fold(layer, norm)
    assert fused.folded == 1 and isinstance(fused[1], nn.Identity)
    torch.testing.assert_close(fused[0].weight, theirs.weight)
    torch.testing.assert_close(fused[0].bias, theirs.bias)
    assert_equal_outputs(model, fused, torch.randn(shape, dtype=layer.weight.dtype))


class Net(nn.Module):
    """A convolution and a norm that could be folded, were it not for what forward does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(3)
        self.act = nn.Hardswish()


class ReadTwice(Net):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return self.norm(y) + y


class ReadThroughAView(Net):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return self.norm(y) + y.flip(1)[:, :1].mean()


class GivenOut(Net):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return torch.cat(list({"raw": y, "normed": self.norm(y)}.values()))


class ReturnedToo(Net):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.conv(x)
        return self.norm(y), y


class ChangedBetween(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x).relu_())


class ConvRunsTwice(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(self.conv(x)))


class NormRunsTwice(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(self.norm(x)))


class WeightReadElsewhere(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)) + self.conv.weight.sum()


class WeightShared(Net):
    def __init__(self) -> None:
        super().__init__()
        self.other = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.other.weight = self.conv.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(self.other(x)))


class BatchStatistics(Net):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3, track_running_stats=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class NormWithAnActivation(Net):
    class Norm(nn.BatchNorm2d):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x).relu()

    def __init__(self) -> None:
        super().__init__()
        self.norm = self.Norm(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class Hooked(Net):
    def __init__(self) -> None:
        super().__init__()
        self.conv.register_forward_hook(lambda _m, _args, out: out.abs())

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class Parametrised(Net):
    def __init__(self) -> None:
        super().__init__()
        nn.utils.parametrizations.weight_norm(self.conv)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class NormFirst(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.act(self.norm(x)))


class BiasReadElsewhere(Net):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        assert self.conv.bias is not None
        return self.norm(self.conv(x)) + self.conv.bias.mean()


class NormsWeightReadElsewhere(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)) * self.norm.weight.view(-1, 1, 1)


class NormsStatisticsReadElsewhere(Net):
    def forward(self, x: Tensor) -> Tensor:
        assert self.norm.running_mean is not None
        return self.norm(self.conv(x - self.norm.running_mean.view(-1, 1, 1)))


class NormsWeightShared(Net):
    def __init__(self) -> None:
        super().__init__()
        self.other = nn.LayerNorm(3)
        self.other.weight = self.norm.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.other(self.norm(self.conv(x)).movedim(1, 3))


# what no operator reads: only the real run shows that these need their norm or their layer
class NormsEpsilonRead(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)) * self.norm.eps**0.1


class NormsDataRead(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)) * self.norm.weight.data.mean()


class LayersDataRead(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)) * self.conv.weight.data.mean()


class AskedWhetherBiased(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)) * (2 if self.conv.bias is None else 3)


class InAnObject(Net):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        out = SimpleNamespace(raw=y, normed=self.norm(y))
        return out.normed if self.training else out


TRAPS = (
    BiasReadElsewhere, NormsWeightReadElsewhere, NormsStatisticsReadElsewhere, NormsWeightShared,
    NormsEpsilonRead, NormsDataRead, LayersDataRead, AskedWhetherBiased,
    ReadTwice, ReadThroughAView, GivenOut, ReturnedToo, ChangedBetween, ConvRunsTwice,
    NormRunsTwice, WeightReadElsewhere, WeightShared, BatchStatistics, NormWithAnActivation,
    Hooked, Parametrised, NormFirst,
)  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_traps_are_not_folded(trap: type[Net]) -> None:
    model = with_life(trap())
    fused = fuse(model)
    assert fused.folded == 0
    x = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(fused(x.clone()), model(x.clone()), rtol=0, atol=0)


def test_outputs_in_an_object_are_readers_too() -> None:
    model: Any = with_life(InAnObject())
    fused, x = fuse(model), torch.randn(2, 3, 8, 8)
    assert fused.folded == 0
    with torch.no_grad():
        assert torch.equal(fused(x).raw, model(x).raw)


class EpsilonRead(nn.Module):
    """One norm that must stay, behind it one that could go."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.then = NormsEpsilonRead(), Chain()

    def forward(self, x: Tensor) -> Tensor:
        return self.then(self.first(x))


class WeightRead(EpsilonRead):
    def __init__(self) -> None:
        super().__init__()
        self.first = NormsWeightReadElsewhere()


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize(("net", "folded"), [(WeightRead, 1), (EpsilonRead, 0)])
def test_a_norm_that_is_read_spoils_the_others_only_where_no_operator_reads(
    net: type[nn.Module], folded: int, device: str
) -> None:
    model = with_life(net()).to(device)
    assert fuse(model).folded == folded
    if device == "cpu":
        assert_equal_outputs(model, fuse(model), torch.randn(2, 3, 8, 8))


class Residual(Net):
    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.conv(x))
        return self.act(y) + y


class Chain(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))


class OfTheInput(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(self.act(x)))


@pytest.mark.parametrize(("net", "in_place"), [(Residual, 0), (OfTheInput, 0), (Chain, 1)])
def test_activations_write_in_place_only_where_nobody_else_reads(net, in_place: int) -> None:
    model = with_life(net())
    fused = fuse(model)
    assert (fused.folded, fused.act.inplace, model.act.inplace) == (1, in_place, False)
    x = torch.randn(2, 3, 8, 8)
    before = x.clone()
    assert_equal_outputs(model, fused, x)
    with torch.no_grad():
        fused(x)
    assert torch.equal(x, before), "the picture belongs to the caller"


def test_the_given_model_stays_as_it_was() -> None:
    model = with_life(create_model("mobilenet_v2")).train()
    before = deepcopy(model.state_dict())
    modules = [type(m) for m in model.modules()]
    fused = fuse(model)
    assert model.training and not fused.training
    assert [type(m) for m in model.modules()] == modules
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in fused.modules())


def test_a_fused_network_costs_less() -> None:
    with torch.device("meta"):
        model = create_model("mobilenet_v2")
    report, fused = analyze(model), analyze(fuse(model))
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 52
    # scale and shift go, a bias comes: one number less per channel
    assert report.params - fused.params == sum(m.num_features for m in norms)
    assert fused.macs == report.macs and fused.memory_access < 0.7 * report.memory_access


@pytest.mark.parametrize(
    ("name", "folded"),
    [("mobilenet_v3_small", 34), ("shufflenet_v2_x0_5", 56), ("resnet18", 20), ("densenet121", 59)],
)
def test_torchvisions_networks(name: str, folded: int) -> None:
    model = with_life(getattr(import_torchvision().models, name)(weights=None))
    fused = fuse(model)
    assert fused.folded == folded
    assert_equal_outputs(model, fused, torch.randn(2, 3, 64, 64))
    assert_equal_outputs(
        model, fused, torch.randn(2, 3, 64, 64).to(memory_format=torch.channels_last)
    )


def test_our_own_convolutions_fold_too() -> None:
    model = with_life(create_model("mobilenet_v1", width_mult=0.25))
    fused = fuse(model)
    assert fused.folded == 27 and not any(isinstance(m, nn.BatchNorm2d) for m in fused.modules())
    assert_equal_outputs(model, fused, torch.randn(2, 3, 64, 64))


def test_fusing_twice_changes_nothing_more() -> None:
    once = fuse(with_life(create_model("mobilenet_v2", width_mult=0.5)))
    twice = fuse(once)
    assert (once.folded, twice.folded) == (52, 0)
    assert_equal_outputs(once, twice, torch.randn(1, 3, 64, 64))


def test_a_norm_under_two_names_goes_from_both() -> None:
    model = Chain()
    model.alias = model.norm
    fused = fuse(with_life(model))
    assert isinstance(fused.alias, nn.Identity) and fused.alias is fused.norm


def test_of_two_norms_the_first_goes() -> None:
    model = with_life(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False))
    )
    fused = fuse(model)
    assert fused.folded == 1 and isinstance(fused[2], nn.BatchNorm2d)
    assert_equal_outputs(model, fused, torch.randn(2, 3, 8, 8))


class Remembers(Net):
    """Draws a number, and keeps count of its calls: in a buffer and in an attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.seen += x.mean()
        return F.dropout(self.norm(self.conv(x)))


def test_the_real_run_leaves_no_trace() -> None:
    model = with_life(Remembers())
    model.seen.zero_()
    torch.manual_seed(3)
    before = torch.get_rng_state()
    fused = fuse(model)
    assert fused.folded == 1, "both runs draw the same numbers"
    assert torch.equal(torch.get_rng_state(), before)
    assert (model.calls, model.seen.item(), fused.seen.item()) == (0, 0, 0)


class Spied(Chain):
    def __init__(self) -> None:
        super().__init__()
        self.seen = Shared()

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append((x.device.type, *x.shape))
        return super().forward(x)


class Shared(list):
    """A list that copies of a model have in common."""

    def __deepcopy__(self, memo: object) -> "Shared":
        return self


@pytest.mark.parametrize(
    ("size", "runs"),
    [
        (None, [*[("meta", 1, 3, 224, 224)] * 2, *[("cpu", 1, 3, 32, 32)] * 2]),
        ((2, 3, 9, 9), [*[("meta", 2, 3, 9, 9)] * 2, *[("cpu", 2, 3, 9, 9)] * 2]),
        ((10**4, 3, 224, 224), [("meta", 10**4, 3, 224, 224)] * 2),  # would fill the memory
    ],
)
def test_the_real_run_is_small(size: tuple[int, ...] | None, runs: list) -> None:
    model = with_life(Spied())
    assert fuse(model, size).folded == 1
    assert model.seen == runs


def test_a_network_that_explodes_is_folded_all_the_same() -> None:
    model = with_life(Chain())
    with torch.no_grad():
        model.norm.weight.fill_(torch.inf)
    assert fuse(model).folded == 1


def test_the_shape_of_the_run() -> None:
    small = nn.Sequential(  # only a 32×32 grey picture fits
        nn.Conv2d(1, 4, 5), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 28 * 28, 2)
    )
    assert fuse(small).folded == 1
    line = nn.Sequential(nn.Conv1d(2, 4, 5), nn.BatchNorm1d(4))
    assert fuse(line, (1, 2, 40)).folded == 1
    half = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).bfloat16()
    assert fuse(half).folded == 1 and fuse(half)[0].weight.dtype == torch.bfloat16


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleList([Chain(), Chain()])

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.parts[1](self.parts[0](x)) * mask


class Masked(Net):
    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.norm(self.conv(x)) * mask


def test_the_way_out_for_a_model_of_two_inputs() -> None:
    model = with_life(TwoInputs())
    x, mask = torch.randn(2, 3, 8, 8), torch.rand(8)
    with torch.no_grad():
        before = model(x, mask)
        model.parts[0] = fuse(model.parts[0])
        model.parts[1] = fuse(model.parts[1])
        torch.testing.assert_close(model(x, mask), before)
    assert [part.folded for part in model.parts] == [1, 1]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: fuse("mobilenet_v2"), "takes a torch.nn.Module, not a str"),
        (lambda: fuse(nn.Sequential(nn.Conv1d(2, 4, 5))), "give the shape that it takes"),
        (lambda: fuse(nn.Conv2d(3, 4, 3), (1, 5, 8, 8)), r"failed on \(1, 5, 8, 8\)"),
        (lambda: fuse(nn.Conv1d(2, 4, 5)), r"input_size=\(1, 2, …\)"),
        (lambda: fuse(nn.Conv2d(3, 4, 3), 224), r"such as \(1, 3, 224, 224\), not 224"),
        (lambda: fuse(nn.Conv2d(3, 4, 3), (1, 3, 8, 0)), "is a shape"),
        (lambda: fuse([Chain(), Chain()]), "not a list; fuse the models in it, one by one"),
        (lambda: fuse(nn.ModuleList([Chain()])), "not a ModuleList; fuse the models in it"),
        (lambda: fuse(TwoInputs()), r"takes x and mask; .* model.parts\[0\] = fuse\(model.parts\["),
        (lambda: fuse(Masked()), "takes x and mask; wrap it in a module whose forward takes one"),
        (lambda: fuse(BiFPN([8, 4, 4], 4)), r"not one tensor, fuse the parts .* model.down\[0\]"),
        (lambda: fuse(torch.jit.ScriptModule()), "the model that torch.jit was given"),
    ],
)
def test_mistakes_get_one_clear_sentence(call, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        call()
    assert "\n" not in str(caught.value)
