"""Receptive fields against NaN bisection, published constants and the chain formula."""

import math
import random

import pytest
import torch
import torch.nn.functional as F
from small_models import Fn
from torch import Tensor, nn

from lightcourse._torchvision import import_torchvision
from lightcourse.analysis import (
    analyze,
    chain_receptive_field,
    receptive_field,
    trace,
    unit_interval,
)
from lightcourse.analysis.receptive_field import Fields
from lightcourse.errors import UserError
from lightcourse.nn import InvertedResidual, channel_shuffle

SIZE = 64
INF = math.inf


@pytest.fixture(scope="module")
def torchvision():
    return import_torchvision()


def nan_hull(model: nn.Module, size: tuple[int, int], unit: tuple[int, int], channels: int):
    """Find by bisection the rows and columns whose NaN reaches one unit of the output.

    Immune to ReLU, to which pixel a max-pool takes, and to zero weights.
    """
    model = model.double().eval()

    def hit(axis: int, first: int, last: int) -> bool:
        x = torch.ones(1, channels, *size, dtype=torch.float64)
        x.narrow(2 + axis, first, last - first + 1).fill_(torch.nan)
        with torch.no_grad():  # double precision: oneDNN has no kernels that could skip a NaN
            y = model(x)
        y = y[0, :, unit[0], unit[1]] if y.dim() == 4 else y
        return bool(torch.isnan(y).any())

    hull = []
    for axis, n in enumerate(size):
        low, high = 0, n - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if hit(axis, 0, middle) else (middle + 1, high)
        first = low
        low, high = 0, n - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if hit(axis, middle, n - 1) else (low, middle - 1)
        hull.append((first, low))
    return tuple(hull)


def conv(k: int = 3, s: int = 1, p: int | None = None, d: int = 1, i: int = 4, o: int = 4, **kw):
    return nn.Conv2d(i, o, k, s, (k - 1) // 2 * d if p is None else p, d, **kw)


def up(k: int, s: int, p: int = 0, **kw) -> nn.Module:
    return nn.ConvTranspose2d(4, 4, k, s, p, **kw)


def residual(stride: int) -> nn.Module:
    short = nn.Identity() if stride == 1 else conv(1, 2)
    return Fn(
        lambda m, x: F.relu(m.b(F.relu(m.a(x))) + m.short(x)),
        a=conv(3, stride),
        b=conv(3),
        short=short,
    )


def shift(m: nn.Module, x: Tensor) -> Tensor:
    """Move half the channels down and half right, as shift layers do, by writing into slices."""
    y = m.a(x)
    out = torch.zeros_like(y)
    out[:, :2, 1:] = y[:, :2, :-1]
    out[:, 2:, :, 2:] = y[:, 2:, :, :-2]
    return m.b(out)


def squeeze_excite(m: nn.Module, x: Tensor) -> Tensor:
    return m.a(x) * torch.sigmoid(m.b(F.adaptive_avg_pool2d(x, 1)))


def to_tokens_and_back(m: nn.Module, x: Tensor) -> Tensor:
    y = m.a(x)
    n, c, h, w = y.shape
    z = m.fc(y.flatten(2).transpose(1, 2))
    return m.b(z.transpose(1, 2).reshape(n, c, h, w))


def unfolded(m: nn.Module, x: Tensor) -> Tensor:
    patches = F.unfold(x, 3, dilation=2, padding=2, stride=2)  # a convolution by hand
    out = torch.ones(4, 36, dtype=x.dtype, device=x.device) @ patches
    return out.reshape(x.shape[0], 4, SIZE // 2, SIZE // 2)


def doubled(x: Tensor) -> Tensor:
    """Write into a view and go on with the base: the base must have changed."""
    y = x.clone()
    left = y[:, :, :, : SIZE // 2]
    left.add_(F.avg_pool2d(left, 5, 1, 2))
    return y


def stack(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers)


CASES = {
    "two convolutions": stack(conv(), conv()),
    "strides": stack(conv(3, 2), conv(3, 2), conv(3)),
    "no padding": stack(conv(5, p=0), conv(3, 2, p=0)),
    "even kernel": stack(conv(4, 2, p=1), conv(2, p=0)),
    "dilated 2": stack(conv(), conv(d=2)),
    "dilated 4, stride 2": stack(conv(3, 2), conv(d=4)),
    "1x7 then 5x1": stack(nn.Conv2d(4, 4, (1, 7), padding=(0, 3)), nn.Conv2d(4, 4, (5, 1))),
    "depthwise separable": stack(conv(groups=4), conv(1), conv(3, 2, groups=4), conv(1)),
    "same padding": stack(nn.Conv2d(4, 4, 3, padding="same", dilation=3), conv()),
    "circular padding": nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"),
    "max-pool 3 s2 and 3x3": stack(nn.MaxPool2d(3, 2, 1), conv()),
    "max-pool with ceil": stack(nn.MaxPool2d(3, 2, ceil_mode=True), conv()),
    "max-pool dilated": nn.MaxPool2d(3, 2, 1, dilation=2),
    "average pool": stack(nn.AvgPool2d(2), conv(), nn.AvgPool2d(3, 1, 1)),
    "functional pool": Fn(lambda m, x: m.a(F.max_pool2d(x, 3, 2, 1)), a=conv()),
    "functional conv": Fn(
        lambda m, x: F.conv2d(m.a(x), m.w), a=conv(), w=nn.Parameter(torch.randn(4, 4, 5, 5))
    ),
    "parallel 3x3 and 5x5": Fn(lambda m, x: m.a(x) + m.b(x), a=conv(), b=conv(5)),
    "inception": Fn(
        lambda m, x: torch.cat([m.a(x), m.c(m.b(x)), F.max_pool2d(x, 3, 1, 1)], 1),
        a=conv(1),
        b=conv(5),
        c=conv(3),
    ),
    "residual": stack(residual(1), residual(1)),
    "projection shortcut": stack(residual(2), residual(1)),
    "reuse": Fn(lambda m, x: m.a(m.a(m.a(x))), a=conv()),
    "split and shuffle": Fn(
        lambda m, x: channel_shuffle(torch.cat([x.chunk(2, 1)[0], m.a(x.chunk(2, 1)[1])], 1), 2),
        a=stack(conv(i=2, o=2), conv(i=2, o=2)),
    ),
    "one half of the channels only": Fn(lambda m, x: m.a(m.b(x)[:, :2]), a=conv(i=2), b=conv(5)),
    "nn.ChannelShuffle": stack(conv(), nn.ChannelShuffle(2), conv()),
    "transposed k2 s2": stack(conv(), up(2, 2)),
    "transposed k4 s2": stack(conv(), up(4, 2, 1), conv()),
    "transposed k3 s2": stack(conv(3, 2), up(3, 2, 1, output_padding=1)),
    "transposed k3 s3 d2": up(3, 3, 1, dilation=2),
    "nearest upsampling": stack(nn.Upsample(scale_factor=2), conv()),
    "nearest to a size": stack(conv(3, 2), nn.Upsample(size=(50, 45)), conv()),
    "nearest-exact": stack(conv(3, 2), nn.Upsample(scale_factor=3, mode="nearest-exact")),
    "bilinear": stack(conv(3, 2), nn.Upsample(scale_factor=2, mode="bilinear"), conv()),
    "bilinear corners": stack(
        conv(3, 2), nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
    ),
    "bicubic": stack(conv(3, 2), nn.Upsample(scale_factor=2, mode="bicubic"), conv()),
    "shrinking bilinear": Fn(lambda m, x: F.interpolate(x, size=(23, 41), mode="bilinear")),
    "antialiased": Fn(
        lambda m, x: F.interpolate(x, size=(21, 30), mode="bilinear", antialias=True)
    ),
    "zero padding": stack(nn.ZeroPad2d((3, 1, 2, 0)), conv(p=0)),
    "negative padding": stack(nn.ZeroPad2d((-3, -1, -2, 0)), conv()),
    "reflection padding": stack(nn.ReflectionPad2d(3), conv(7, p=0)),
    "replication padding": stack(nn.ReplicationPad2d((2, 1, 0, 3)), conv(5, p=0)),
    "a slice of the image": Fn(lambda m, x: m.a(x[:, :, 5:, ::2]), a=conv()),
    "adaptive pool 64 to 8": stack(conv(), nn.AdaptiveAvgPool2d(8)),
    "adaptive pool 64 to 10": stack(conv(), nn.AdaptiveAvgPool2d(10)),
    "adaptive max-pool": stack(conv(), nn.AdaptiveMaxPool2d((7, 9))),
    "global pool": stack(conv(), nn.AdaptiveAvgPool2d(1)),
    "mean over the image": Fn(lambda m, x: m.a(x).mean((2, 3)), a=conv()),
    "squeeze and excite": Fn(squeeze_excite, a=conv(), b=conv(1)),
    "flatten and linear": stack(conv(3, 8), nn.Flatten(), nn.Linear(256, 5)),
    "centre and linear": stack(conv(), Fn(lambda m, x: x[:, :, 9, 11]), nn.Linear(4, 5)),
    "down to one unit, then linear": stack(
        conv(32, 32, p=0), conv(2, p=0), nn.Flatten(), nn.Linear(4, 5)
    ),
    "shift by slices": Fn(shift, a=conv(), b=conv(1)),
    "write into a view": Fn(lambda m, x: doubled(x)),
    "tokens and back": Fn(to_tokens_and_back, a=conv(3, 2), b=conv(1), fc=nn.Linear(4, 4)),
    "channels last": Fn(
        lambda m, x: m.b(m.fc(m.a(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)),
        a=conv(7),
        b=conv(),
        fc=nn.Linear(4, 4),
    ),
    "pixel shuffle": stack(conv(3, 2), nn.PixelShuffle(2), conv(i=1)),
    "pixel unshuffle": stack(nn.PixelUnshuffle(2), conv(i=16)),
    "space to depth by views": Fn(
        lambda m, x: m.a(
            x.view(-1, 4, 32, 2, 32, 2).permute(0, 1, 3, 5, 2, 4).reshape(-1, 16, 32, 32)
        ),
        a=conv(i=16),
    ),
    "unfold": Fn(unfolded),
    "flip": Fn(lambda m, x: m.a(x.flip(3)), a=conv(5)),
    "roll": Fn(lambda m, x: m.a(x.roll((3, -5), (2, 3))), a=conv(5)),
    "instance norm": stack(conv(), nn.InstanceNorm2d(4)),
    "group norm": stack(conv(), nn.GroupNorm(2, 4)),
    "layer norm over channels": Fn(
        lambda m, x: m.n(m.a(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2),
        a=conv(),
        n=nn.LayerNorm(4),
    ),
    "dead ReLU": stack(conv(), Fn(lambda m, x: F.relu(x - 1e9)), conv()),
    "in-place ReLU on a branch": Fn(lambda m, x: m.b(F.relu_(m.a(x))) + x, a=conv(), b=conv()),
    "inverted residuals": stack(InvertedResidual(4, 4), InvertedResidual(4, 6, 2)),
    "strided views": Fn(lambda m, x: m.a(x.unfold(2, 3, 2)[..., 1].transpose(2, 3)), a=conv()),
    "stack and sum": Fn(lambda m, x: torch.stack([m.a(x), m.b(x)]).sum(0), a=conv(), b=conv(7)),
}


def units_of(model: nn.Module) -> list[tuple[int, int]]:
    with torch.no_grad():
        shape = model.eval()(torch.zeros(1, 4, SIZE, SIZE)).shape
    if len(shape) < 4:
        return [(0, 0)]
    h, w = shape[2:]
    return [(h // 2, w // 2), (h // 2 - 1, w // 2 + 1)] if min(h, w) > 3 else [(0, 0)]


@pytest.mark.parametrize("name", CASES)
def test_walk_equals_nan_bisection(name: str) -> None:
    torch.manual_seed(0)
    model = CASES[name].float()
    units = units_of(model)
    # the last row is then the very output, also where the model ends in a view
    recorded = trace(nn.Sequential(model, nn.Identity()), (1, 4, SIZE, SIZE))
    fields = Fields(recorded)
    for unit in units:
        walked = unit_interval(recorded, -1, unit, clip=True)
        assert walked == nan_hull(model, (SIZE, SIZE), unit, 4), unit
        model.float()
    assert not fields.unknown


def test_where_depends_on_the_condition_and_both_branches() -> None:
    # NaN bisection cannot see this: a comparison with NaN is False and passes no NaN on
    model = Fn(lambda m, x: torch.where(m.a(x) > 0, m.b(x), x), a=conv(7), b=conv(3))
    assert receptive_field(model, (1, 4, 32, 32)).size == (7, 7)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("alexnet", 195),  # Araujo et al., Distill 2019, and google-research/receptive_field
        ("vgg16", 212),
        ("resnet18", 435),
        ("resnet50", 427),  # the stride in the 3x3, as torchvision has it
        ("mobilenet_v2", 491),
    ],
)
def test_published_sizes(torchvision, name: str, size: int) -> None:
    with torch.device("meta"):
        model = getattr(torchvision.models, name)()
    report = analyze(model)
    field = report.receptive_field
    assert field is not None and not field.is_global
    assert field.size == (size, size)
    assert field.stride == (32, 32)
    assert report.layers[-1].receptive_field.is_global  # type: ignore[union-attr]


def test_inception_v3_has_1311_pixels(torchvision) -> None:
    with torch.device("meta"):
        model = torchvision.models.inception_v3(aux_logits=False, init_weights=False)
    field = receptive_field(model, (1, 3, 299, 299), "Mixed_7c.cat#3")
    assert field.size == (1311, 1311)  # google-research/receptive_field's table


@pytest.mark.parametrize(
    "name",
    [
        "shufflenet_v2_x0_5",
        "squeezenet1_1",
        "mnasnet0_5",
        "mobilenet_v2",
        "resnet18",
        "mobilenet_v3_small",
        "googlenet",
        "efficientnet_b0",
        "densenet121",
    ],
)
def test_bodies_equal_nan_bisection(torchvision, name: str) -> None:
    torch.manual_seed(0)
    settings = {"init_weights": False} if name == "googlenet" else {}
    model = getattr(torchvision.models, name)(**settings).eval()
    body = _body(model, name)
    size = (90, 110)
    recorded = trace(nn.Sequential(body, nn.Identity()), (1, 3, *size))
    last = recorded.rows[-1].output
    assert last is not None
    h, w = recorded.shape(last)[2:]
    unit = (h // 2, w // 2)
    assert unit_interval(recorded, -1, unit, clip=True) == nan_hull(body, size, unit, 3)


def _body(model: nn.Module, name: str) -> nn.Module:
    """Cut a torchvision model early: where a field fits into the image, the test is sharp."""
    if name == "resnet18":
        parts = list(model.children())[:6]
    elif name.startswith("shufflenet"):
        parts = list(model.children())[:3]
    elif name == "googlenet":
        parts = list(model.children())[:7]
    elif name == "mnasnet0_5":
        parts = list(model.layers.children())[:10]  # type: ignore[union-attr]
    elif name == "densenet121":
        parts = list(model.features.children())[:6]  # type: ignore[union-attr]
    else:
        parts = list(model.features.children())[:6]  # type: ignore[union-attr]
    return nn.Sequential(*parts)


# -- what a field says about itself ------------------------------------------------------------


def test_hand_numbers_of_a_small_chain() -> None:
    # 3x3 stride 2, then 3x3: 3 + 2 * 2 = 7 pixels, two apart, unit 0 centred on pixel 0
    model = stack(conv(3, 2), conv(3))
    field = receptive_field(model, (1, 4, 32, 32))
    assert (field.size, field.stride, field.start, field.center) == (
        (7, 7),
        (2, 2),
        (0.0, 0.0),
        (16.0, 16.0),
    )
    assert field.interval((0, 3)) == ((-3, 3), (3, 9))
    assert field.interval((0, 3), clip=True) == ((0, 3), (3, 9))


def test_every_layer_has_its_own_field() -> None:
    report = analyze(stack(conv(5), nn.ReLU(), nn.MaxPool2d(2), conv(3)), (1, 4, 16, 16))
    sizes = [layer.receptive_field.size[0] for layer in report.layers]  # type: ignore[union-attr]
    strides = [layer.receptive_field.stride[0] for layer in report.layers]  # type: ignore
    assert sizes == [5, 5, 6, 10]
    assert strides == [1, 1, 2, 2]


def test_size_is_the_largest_over_phases() -> None:
    # units of a 4x4 stride-2 transposed convolution read 2 inputs each: 3x3 makes that 4 pixels;
    # a 3x3 stride-2 one reads 1 or 2 by turns: the larger counts, and a unit may ask for its own
    field = receptive_field(stack(conv(), up(3, 2, 1)), (1, 4, 16, 16))
    assert field.size == (4, 4)
    assert field.stride == (0.5, 0.5)
    assert field.interval((8, 9)) == ((3, 5), (3, 6))


def test_global_layers_say_so_and_keep_their_local_path() -> None:
    field = receptive_field(Fn(squeeze_excite, a=conv(5), b=conv(1)), (1, 4, 32, 32))
    assert field.is_global and field.size == (INF, INF)
    assert field.local is not None and field.local.size == (5, 5)
    assert str(field) == "whole image (local path 5)"
    assert field.interval((9, 9)) == ((0, 31), (0, 31))
    assert field.local.interval((9, 9)) == ((7, 11), (7, 11))
    pooled = receptive_field(CASES["global pool"], (1, 4, 32, 32))
    assert pooled.is_global and pooled.local is None
    # a global unit still says which pixels it truly reads: a stride can skip the last ones
    assert receptive_field(stack(conv(3, 8), nn.AdaptiveAvgPool2d(1)), (1, 4, 32, 32)).interval(
        (0, 0)
    ) == ((-1, 25), (-1, 25))


def test_report_field_is_that_of_the_last_map() -> None:
    model = stack(conv(3, 2), conv(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    field = analyze(model, (1, 4, 32, 32)).receptive_field
    assert field is not None and field.size == (7, 7) and field.center == (16.0, 16.0)


def test_window_attention_stays_in_its_window() -> None:
    def forward(m: nn.Module, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        y = x.view(n, c, h // 8, 8, w // 8, 8).permute(0, 2, 4, 3, 5, 1).reshape(-1, 64, c)
        y = m.attention(y, y, y, need_weights=False)[0]
        y = y.view(n, h // 8, w // 8, 8, 8, c).permute(0, 5, 1, 3, 2, 4)
        return m.out(y.reshape(n, c, h, w))

    model = Fn(forward, attention=nn.MultiheadAttention(4, 2, batch_first=True), out=conv(1))
    field = receptive_field(model, (1, 4, 8, 32))
    assert field.interval((3, 11), clip=True) == ((0, 7), (8, 15))


def test_one_and_three_dimensions() -> None:
    line = receptive_field(stack(nn.Conv1d(2, 2, 5, 2), nn.MaxPool1d(2)), (1, 2, 40))
    assert (line.size, line.stride) == ((7,), (4,))
    block = receptive_field(nn.Conv3d(1, 1, (3, 5, 7)), (1, 1, 9, 9, 9))
    assert block.size == (3, 5, 7) and str(block) == "3×5×7"
    assert str(receptive_field(nn.Conv3d(1, 1, (3, 5, 3)), (1, 1, 9, 9, 9))) == "3×5×3"
    assert str(receptive_field(nn.Conv2d(1, 1, 3), (1, 1, 9, 9))) == "3"


def test_no_image_no_field() -> None:
    report = analyze(nn.Linear(4, 2), (1, 4))
    assert report.receptive_field is None and report.layers[0].receptive_field is None
    with pytest.raises(UserError, match="no output that an image reaches"):
        receptive_field(nn.Linear(4, 2), (1, 4))


def test_an_operator_without_a_rule_counts_as_global_and_is_named() -> None:
    report = analyze(Fn(lambda m, x: torch.cummax(m.a(x), 3)[0], a=conv()), (1, 4, 16, 16))
    field = report.layers[-1].receptive_field
    assert field is not None and field.is_global
    assert report.unknown_receptive_field == ("cummax",)
    assert "no receptive-field rule for cummax" in str(report)


def test_a_constant_does_not_widen_the_field() -> None:
    table = torch.randn(1, 4, 16, 16)
    model = Fn(lambda m, x: m.a(x) + m.b(table), a=conv(3), b=conv(9))
    report = analyze(model, (1, 4, 16, 16))
    a, b, total = (layer.receptive_field for layer in report.layers)
    assert a is not None and b is None and total is not None and total.size == a.size == (3, 3)


def test_mistakes_get_one_clear_sentence() -> None:
    recorded = trace(stack(conv(), conv()), (1, 4, 16, 16))
    with pytest.raises(UserError, match="No layer is called 'conv9'; the layers are 0, 1"):
        unit_interval(recorded, "conv9", (0, 0))
    with pytest.raises(UserError, match="the model has 2, counted from 0"):
        unit_interval(recorded, 2, (0, 0))
    with pytest.raises(UserError, match="has 2 coordinates"):
        unit_interval(recorded, 0, (1,))
    with pytest.raises(UserError, match="kernel and stride at least 1"):
        chain_receptive_field([(3, 1), (0, 1)])


# -- the teaching formula ----------------------------------------------------------------------


def test_chain_formula_by_hand() -> None:
    assert chain_receptive_field([]) == []
    # 7x7 stride 2 padding 3; 3x3 stride 2 padding 1; dilation 2: 7, 7 + 2*2, 11 + 4*4
    assert chain_receptive_field([(7, 2, 3), (3, 2, 1, 1), (3, 1, 2, 2)]) == [
        (7, 2, 0.0),
        (11, 4, 0.0),
        (27, 4, 0.0),
    ]
    assert chain_receptive_field([(2, 2, 0)]) == [(2, 2, 0.5)]  # between pixels 0 and 1


@pytest.mark.parametrize("seed", range(40))
def test_chain_formula_equals_the_walk(seed: int) -> None:
    rng = random.Random(seed)
    layers = [
        (rng.randint(1, 5), rng.randint(1, 3), rng.randint(0, 3), rng.randint(1, 3))
        for _ in range(rng.randint(1, 4))
    ]
    convs = [nn.Conv2d(1, 1, k, s, p, d) for k, s, p, d in layers]
    report = analyze(nn.Sequential(*convs), (1, 1, 400, 400))
    for layer, (size, jump, start) in zip(
        report.layers, chain_receptive_field(layers), strict=True
    ):
        field = layer.receptive_field
        assert field is not None
        assert (field.size, field.stride, field.start) == (
            (size, size),
            (jump, jump),
            (start, start),
        )
