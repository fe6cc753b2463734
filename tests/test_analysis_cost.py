"""Parameters and multiply-accumulates: hand numbers, torch's counter, torchvision's metadata."""

import copy
import json
import warnings
from unittest.mock import patch

import pytest
import torch
import torch.nn.functional as F
from small_models import Fn
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from lightcourse._torchvision import import_torchvision
from lightcourse.analysis import analyze, compare, trace
from lightcourse.analysis._report_text import human_bytes
from lightcourse.analysis.ops import KINDS, REASONS, friendly, is_hidden, kind_of
from lightcourse.errors import UserError


def parameter(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(shape))


def attention(m: nn.Module, x: Tensor) -> Tensor:
    return m.a(x, x, x, need_weights=False)[0]


# name: model, input shape, parameters, multiply-accumulates worked out by hand
BY_HAND = {
    "conv": (nn.Conv2d(3, 8, 3, padding=1), (1, 3, 32, 32), 224, 32 * 32 * 8 * 27),
    "conv, batch of 2": (nn.Conv2d(3, 8, 3, bias=False), (2, 3, 32, 32), 216, 2 * 900 * 8 * 27),
    "depthwise": (nn.Conv2d(8, 8, 3, groups=8, bias=False), (1, 8, 10, 10), 72, 64 * 8 * 9),
    "grouped": (nn.Conv2d(8, 16, 1, groups=4, bias=False), (1, 8, 5, 5), 32, 25 * 16 * 2),
    "dilated": (nn.Conv2d(4, 4, 3, dilation=2, bias=False), (1, 4, 9, 9), 144, 25 * 4 * 36),
    "conv1d": (nn.Conv1d(2, 4, 5), (1, 2, 20), 44, 16 * 4 * 10),
    "conv3d": (nn.Conv3d(1, 2, 3), (1, 1, 5, 5, 5), 56, 27 * 2 * 27),
    # each input position is multiplied with the whole kernel: not each output position
    "transposed": (
        nn.ConvTranspose2d(4, 8, 4, 2, 1, bias=False),
        (1, 4, 8, 8),
        512,
        64 * 4 * 8 * 16,
    ),
    "grouped transposed": (
        nn.ConvTranspose2d(4, 8, 4, 2, 1, groups=4, bias=False),
        (1, 4, 8, 8),
        128,
        64 * 8 * 16,
    ),
    "linear": (nn.Linear(128, 10), (1, 128), 1290, 1280),
    "linear on 1024 tokens": (nn.Linear(8, 4), (1, 1024, 8), 36, 1024 * 32),
    "functional conv": (
        Fn(lambda m, x: F.conv2d(x, m.w), w=parameter(4, 3, 3, 3)),
        (1, 3, 8, 8),
        108,
        36 * 108,
    ),
    "functional linear": (Fn(lambda m, x: F.linear(x, m.w), w=parameter(5, 7)), (1, 7), 35, 35),
    "x @ W": (Fn(lambda m, x: x @ m.w, w=parameter(7, 5)), (3, 7), 35, 105),
    "x @ vector": (Fn(lambda m, x: x @ m.w, w=parameter(7)), (3, 7), 7, 21),
    "dot": (Fn(lambda m, x: torch.dot(x, m.w), w=parameter(9)), (9,), 9, 9),
    "einsum": (
        Fn(lambda m, x: torch.einsum("nchw,oc->nohw", x, m.w), w=parameter(32, 16)),
        (1, 16, 16, 16),
        512,
        131072,
    ),
    "child.forward": (
        Fn(lambda m, x: m.a.forward(x), a=nn.Conv2d(3, 8, 1, bias=False)),
        (1, 3, 4, 4),
        24,
        384,
    ),
    "used three times": (
        Fn(lambda m, x: m.a(m.a(m.a(x))), a=nn.Conv2d(4, 4, 1, bias=False)),
        (1, 4, 4, 4),
        16,
        3 * 16 * 16,
    ),
    "attention": (
        # q, k, v and out projections, then two products of 16 x 16 tokens
        Fn(attention, a=nn.MultiheadAttention(8, 2, batch_first=True)),
        (1, 16, 8),
        288,
        4 * 16 * 64 + 2 * 16 * 16 * 8,
    ),
    "scaled dot product": (
        Fn(lambda m, x: F.scaled_dot_product_attention(x, x, x)),
        (1, 2, 16, 4),
        0,
        2 * 2 * 16 * 16 * 4,
    ),
    "lstm": (nn.LSTM(8, 16), (5, 1, 8), 4 * 16 * (8 + 16 + 2), 5 * 4 * 16 * (8 + 16)),
    "gru, two ways": (
        nn.GRU(8, 4, bidirectional=True),
        (5, 1, 8),
        2 * 3 * 4 * (8 + 4 + 2),
        2 * 5 * 3 * 4 * (8 + 4),
    ),
    "norm and activations": (
        nn.Sequential(nn.BatchNorm2d(16), nn.ReLU6(), nn.Hardswish(), nn.MaxPool2d(2)),
        (1, 16, 32, 32),
        32,
        0,
    ),
    "squeeze and excite": (
        Fn(
            lambda m, x: x * torch.sigmoid(m.b(F.relu(m.a(F.adaptive_avg_pool2d(x, 1))))),
            a=nn.Conv2d(16, 4, 1, bias=False),
            b=nn.Conv2d(4, 16, 1, bias=False),
        ),
        (1, 16, 32, 32),
        128,
        128,
    ),
    "two inputs": (Fn(lambda m, x, y: x @ y), [(2, 3), (3, 4)], 0, 24),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_hand_numbers(name: str) -> None:
    model, size, params, macs = BY_HAND[name]
    given = tuple(torch.zeros(s) for s in size) if isinstance(size, list) else size
    report = analyze(model, given, strict=True)
    assert (report.params, report.macs) == (params, macs)
    assert sum(layer.macs for layer in report.layers) == macs
    assert sum(layer.params for layer in report.layers) == params
    assert not report.unused_params


def test_nonsense_models_cost_nothing() -> None:
    report = analyze(nn.Identity(), (1, 2, 3, 4))
    assert (report.params, report.macs, report.output_shape) == (0, 0, (1, 2, 3, 4))
    assert analyze(nn.Sequential(), (1, 2)).macs == 0


def test_shared_parameters_count_once() -> None:
    a, b = nn.Linear(6, 6), nn.Linear(6, 6)
    b.weight = a.weight
    report = analyze(nn.Sequential(a, b), (1, 6))
    assert report.params == 36 + 6 + 6
    assert [layer.params for layer in report.layers] == [42, 6]
    assert report.macs == 72


def test_parameters_behind_views_go_to_the_operator_that_reads_them() -> None:
    model = Fn(lambda m, x: x * m.scale.view(1, -1, 1, 1) + m.shift[:, None, None],
               scale=parameter(4), shift=parameter(4))  # fmt: skip
    report = analyze(model, (1, 4, 3, 3))
    assert [(layer.kind, layer.params) for layer in report.layers] == [("mul", 4), ("add", 4)]


def test_parameters_that_nothing_reads_are_told_apart() -> None:
    model = nn.Sequential(nn.Linear(3, 3))
    model.register_parameter("spare", parameter(5))
    report = analyze(model, (1, 3))
    assert (report.params, report.unused_params) == (17, 5)
    assert "5 of the params were not read" in str(report)


def test_memory_that_is_moved_between_layers_is_told_apart() -> None:
    def forward(m: nn.Module, x: Tensor) -> Tensor:
        return m.a(x) + x.new_zeros(x.shape)

    report = analyze(Fn(forward, a=nn.ReLU()), (1, 3, 10, 10))
    apart = report.memory_access - sum(layer.memory_access for layer in report.layers)
    assert apart >= 1200
    assert f"{human_bytes(apart)} of the memory access fill tensors outside" in str(report)


def test_weight_norm_and_other_parametrizations() -> None:
    model = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 8, 3, bias=False))
    report = analyze(nn.Sequential(model, nn.ReLU()), (1, 3, 8, 8))
    assert report.macs == 36 * 216
    assert [(r.kind, r.params) for r in report.layers] == [("Conv2d", 216 + 8), ("ReLU", 0)]
    assert not report.unknown


# -- what is not known is not zero -------------------------------------------------------------


@torch.library.custom_op("lightcourse_tests::mystery", mutates_args=())
def mystery(x: Tensor) -> Tensor:
    """Stand for an operator that somebody's package brings along."""
    return x.clone()


@mystery.register_fake
def _(x: Tensor) -> Tensor:
    return torch.empty_like(x)


def test_an_unknown_operator_makes_the_total_a_lower_bound() -> None:
    model = Fn(lambda m, x: mystery(mystery(m.a(x))), a=nn.Conv2d(3, 4, 1, bias=False))
    report = analyze(nn.Sequential(model), (1, 3, 2, 2))
    assert report.macs == 48
    (unknown,) = report.unknown
    assert (unknown.name, unknown.count, unknown.modules) == (
        "lightcourse_tests::mystery",
        2,
        ("0",),
    )
    assert "MACs ≥ 48" in str(report) and "lower bound" in str(report)
    assert "≥ 0" in str(report) and "≥ 48" in report._repr_html_()
    # what it moves is known from its tensors; only what it computes is not
    assert report.memory_access == 4 * ((12 + 12 + 16) + 2 * (16 + 16))
    assert [s.kind for s in report.by_kind()] == ["pointwise convolution", "unknown"]
    assert report.to_csv().splitlines()[-1].endswith(",1") and "intensity ≥ " in str(report)
    assert "≥ 48" in str(compare(report, report))
    assert report.to_dict()["macs_is_lower_bound"] is True
    with pytest.raises(UserError, match="No cost formula for lightcourse_tests::mystery"):
        analyze(nn.Sequential(model), (1, 3, 2, 2), strict=True)


def test_a_registered_formula_makes_it_known() -> None:
    from torch.utils import flop_counter

    packet = torch.ops.lightcourse_tests.mystery
    flop_counter.register_flop_formula(packet)(lambda x, out_shape=None, **_: 2 * 5)
    try:
        report = analyze(Fn(lambda m, x: mystery(x)), (1, 3), strict=True)
        assert report.macs == 5
    finally:
        del flop_counter.flop_registry[packet]


def test_zero_operators_carry_a_reason() -> None:
    report = analyze(nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.AvgPool2d(2)), (1, 3, 4, 4))
    reasons = {op.name: op.reason for op in report.zero}
    assert reasons["native_batch_norm"].startswith("scale and shift per element")
    assert reasons["relu"] == REASONS["activation"]
    assert reasons["avg_pool2d"] == REASONS["pooling"]


def test_no_operator_is_both_counted_and_zero() -> None:
    from torch.utils.flop_counter import flop_registry

    counted = {getattr(op, "__name__", str(op)) for op in flop_registry}
    assert not counted & set(KINDS)
    assert set(KINDS.values()) == set(REASONS)
    assert kind_of("convolution") is None and kind_of("relu_") == "activation"
    assert is_hidden("view") and is_hidden("zero_") and not is_hidden("copy_")
    assert friendly("convolution", 3) == "conv1d" and friendly("_softmax", 2) == "softmax"


# -- oracles -----------------------------------------------------------------------------------


def flops_of(model: nn.Module, size: tuple[int, ...]) -> int:
    model = copy.deepcopy(model).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.empty(size, device="meta"))
    return counter.get_total_flops()


@pytest.mark.parametrize(
    "name", [n for n in BY_HAND if n not in ("two inputs", "dot", "x @ vector")]
)
def test_torch_counts_twice_our_macs(name: str) -> None:
    model, size, _, macs = BY_HAND[name]
    assert flops_of(model, size) == 2 * macs


CLASSIFIERS = import_torchvision().models.list_models(module=import_torchvision().models)
FILLERS = (
    "constant_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_", "trunc_normal_",
    "uniform_", "xavier_uniform_", "zeros_",
)  # fmt: skip


def built(name: str, **settings) -> nn.Module:
    """Build a torchvision model without filling its weights: only their shapes are wanted."""
    # these compute with tensors while they are built, so they cannot be built on meta
    device = "cpu" if name.startswith(("regnet", "swin", "maxvit")) else "meta"
    nothing = dict.fromkeys(FILLERS, lambda tensor, *_args, **_kwargs: tensor)
    with patch.multiple(nn.init, **nothing), torch.device(device), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_torchvision().models.get_model(name, weights=None, **settings)


def test_every_classifier_of_torchvision_is_tried() -> None:
    assert len(CLASSIFIERS) >= 80 and {"mobilenet_v2", "vit_h_14"} <= set(CLASSIFIERS)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_torchvision_metadata(name: str) -> None:
    weights = import_torchvision().models.get_model_weights(name).DEFAULT
    meta, crop = weights.meta, weights.transforms().crop_size[0]
    settings = {"googlenet": {"init_weights": False}, "inception_v3": {"init_weights": False}}
    sized = {"image_size": crop} if name.startswith("vit") else {}
    report = analyze(built(name, **settings.get(name, {}), **sized), (1, 3, crop, crop))
    # googlenet's number leaves the training heads out, which are silent in eval mode
    assert (
        report.params - (report.unused_params if name == "googlenet" else 0) == meta["num_params"]
    )
    assert report.macs / 1e9 == pytest.approx(meta["_ops"], abs=6e-4)
    assert not report.unknown
    for what in ("macs", "memory_access"):
        assert sum(getattr(share, what) for share in report.by_kind()) == getattr(report, what)
    assert sum(layer.macs for layer in report.layers) == report.macs
    apart = report.memory_access - sum(layer.memory_access for layer in report.layers)
    # swin fills the mask of its shifted windows between two layers
    assert apart > 0 if name.startswith("swin") else apart == 0
    read = report.params - report.unused_params
    assert sum(share.params for share in report.by_kind()) == read
    assert 0 < report.peak_activation_fused <= report.peak_activation


@pytest.mark.parametrize("name", ["mobilenet_v2", "shufflenet_v2_x1_0"])
def test_torch_agrees_on_whole_networks(name: str) -> None:
    model = import_torchvision().models.get_model(name)
    assert flops_of(model, (1, 3, 160, 160)) == 2 * analyze(model, (1, 3, 160, 160)).macs


def test_fast_and_slow_paths_agree_for_other_dtypes_and_layouts() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU6(), nn.Conv2d(8, 4, 1))
    plain = analyze(model, (2, 3, 9, 9))
    x = torch.zeros(2, 3, 9, 9).to(memory_format=torch.channels_last)
    assert analyze(model, x).macs == plain.macs
    assert analyze(copy.deepcopy(model).double(), (2, 3, 9, 9)).macs == plain.macs
    assert analyze(copy.deepcopy(model).half(), (2, 3, 9, 9)).macs == plain.macs


def test_deformable_convolution_counts_like_a_plain_one() -> None:
    ops = import_torchvision().ops
    model = Fn(
        lambda m, x, o: m.a(x, o), a=ops.DeformConv2d(4, 8, 3, padding=1, groups=2, bias=False)
    )
    report = analyze(model, (torch.zeros(1, 4, 6, 6), torch.zeros(1, 18, 6, 6)), strict=True)
    assert report.macs == 36 * 8 * 2 * 9


def test_trace_is_plain_data_without_tensors() -> None:
    recorded = trace(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (1, 3, 8, 8))
    assert [op.name for op in recorded] == ["convolution", "relu"] and len(recorded) == 2
    for op in recorded:
        assert not any(isinstance(a, Tensor) for a in (*op.args, *op.kwargs.values()))
    assert recorded.params == {"0.weight": 216, "0.bias": 8}
    json.dumps(analyze(nn.Sequential(nn.Conv2d(3, 8, 3)), (1, 3, 8, 8)).to_dict())
