"""Laws that must hold for every network: sums, scaling with batch, width and resolution."""

import copy
import math

import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lightcourse.analysis import Report, analyze, receptive_field, trace

settings.register_profile(
    "laws",
    max_examples=30,
    deadline=None,  # a busy machine is no error
    database=None,
    derandomize=True,  # the same networks on every machine
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("laws")

SIDE = 32  # divides by every stride below, so that resolution laws are exact


@st.composite
def convolutions(draw: st.DrawFn, channels: int, same: bool = False) -> tuple[nn.Module, int]:
    """One convolution of any common form, with the channels that it gives out."""
    kernel = draw(st.sampled_from([1, 3, 5]))
    dilation = draw(st.sampled_from([1, 2]))
    form = draw(st.sampled_from(["plain", "grouped", "depthwise"]))
    out = draw(st.sampled_from([4, 8, 12]))
    groups = {"plain": 1, "grouped": math.gcd(channels, out), "depthwise": channels}[form]
    out = channels if form == "depthwise" else out
    reach = dilation * (kernel - 1)
    padding = reach // 2 if same else draw(st.sampled_from([0, reach // 2]))
    stride, bias = draw(st.sampled_from([1, 2])), draw(st.booleans())
    layer = nn.Conv2d(channels, out, kernel, stride, padding, dilation, groups, bias)
    return layer, out


@st.composite
def networks(
    draw: st.DrawFn, first: int = 3, norms: bool = True, same: bool = False, most: int = 4
) -> nn.Sequential:
    """A chain of convolutions with batch norm, activations and pooling in between."""
    layers, channels = [], first
    for _ in range(draw(st.integers(1, most))):
        layer, channels = draw(convolutions(channels, same))
        layers.append(layer)
        if norms and draw(st.booleans()):
            layers.append(nn.BatchNorm2d(channels))
        layers += draw(
            st.sampled_from(
                [[], [nn.ReLU()], [nn.ReLU(inplace=True)], [nn.Hardswish()], [nn.AvgPool2d(1)]]
            )
        )
    return nn.Sequential(*layers)


def run(model: nn.Module, batch: int = 1, side: int = SIDE, channels: int = 3) -> Report:
    """Analyse, or leave out a network whose maps shrink to nothing."""
    sizes = torch.Size((batch, channels, side, side))
    size = side
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            size = size + 2 * layer.padding[0] - layer.dilation[0] * (layer.kernel_size[0] - 1) - 1
            assume(size >= 0)
            size = size // layer.stride[0] + 1
    return analyze(model, sizes, strict=True)


@given(st.data())
def test_costs_of_a_chain_are_the_sums_of_its_parts(data: st.DataObject) -> None:
    first = data.draw(networks())
    one = run(first)
    second = data.draw(networks(first=one.output_shape[1]))
    assume(one.output_shape[-1] >= 16)
    two = run(second, side=one.output_shape[-1], channels=one.output_shape[1])
    whole = run(nn.Sequential(first, second))
    assert whole.macs == one.macs + two.macs
    assert whole.params == one.params + two.params
    assert (whole.read, whole.written) == (one.read + two.read, one.written + two.written)
    assert whole.output_shape == two.output_shape
    assert whole.peak_activation >= max(one.peak_activation, two.peak_activation)


@given(networks())
def test_totals_are_sums_of_layers_and_of_kinds(model: nn.Sequential) -> None:
    report = run(model)
    for parts in (report.layers, report.by_kind()):
        for what in ("params", "macs", "memory_access"):
            assert sum(getattr(part, what) for part in parts) == getattr(report, what)


@given(networks())
def test_torch_counts_the_same(model: nn.Sequential) -> None:
    report = run(model)
    twin = copy.deepcopy(model).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        twin(torch.empty(1, 3, SIDE, SIDE, device="meta"))
    assert counter.get_total_flops() == 2 * report.macs
    assert report.params == sum(p.numel() for p in model.parameters())


@given(networks())
def test_the_receptive_field_only_grows(model: nn.Sequential) -> None:
    fields = [layer.receptive_field for layer in run(model).layers]
    sizes = [field.size[0] for field in fields if field is not None]
    strides = [field.stride[0] for field in fields if field is not None]
    assert len(sizes) == len(fields)
    assert sizes == sorted(sizes) and strides == sorted(strides)
    assert all(size >= 1 and stride >= 1 for size, stride in zip(sizes, strides, strict=True))


@given(networks(), st.sampled_from([1, 2]))
def test_another_layer_adds_its_reach_times_the_stride(model: nn.Sequential, dilation: int) -> None:
    before = run(model)
    field = before.receptive_field
    assert field is not None
    last = nn.Conv2d(before.output_shape[1], 2, 3, padding=dilation, dilation=dilation)
    longer = receptive_field(nn.Sequential(*model, last), (1, 3, SIDE, SIDE))
    assert longer.size[0] == field.size[0] + 2 * dilation * field.stride[0]


@given(networks(norms=False), st.integers(2, 7))
def test_batch_scaling(model: nn.Sequential, batch: int) -> None:
    """Activations and multiplications grow with the batch; weights are read once."""
    one, many = run(model), run(model, batch=batch)
    weights = 4 * one.params
    assert many.macs == batch * one.macs
    assert many.written == batch * one.written
    assert many.read - weights == batch * (one.read - weights)
    assert many.peak_activation == batch * one.peak_activation
    assert many.peak_activation_fused == batch * one.peak_activation_fused
    assert many.params == one.params and many.receptive_field == one.receptive_field
    assert many.intensity >= one.intensity


@given(networks(same=True), st.sampled_from([2, 3]))
def test_resolution_law(model: nn.Sequential, times: int) -> None:
    """Twice the side costs four times the multiplications, and not one parameter more."""
    small, large = run(model), run(model, side=times * SIDE)
    assert large.params == small.params
    assert large.macs == times**2 * small.macs
    assert large.written == times**2 * small.written
    assert [layer.params for layer in large.layers] == [layer.params for layer in small.layers]
    seen, again = small.receptive_field, large.receptive_field
    assert seen is not None and again is not None
    assert (seen.size, seen.stride, seen.start) == (again.size, again.stride, again.start)


def slim(width: int, kernel: int, groups: int = 1) -> nn.Sequential:
    """A stem, a convolution, a depthwise and a pointwise one, all as wide as `width`."""
    pad = kernel // 2
    return nn.Sequential(
        nn.Conv2d(3, width, kernel, 2, pad, bias=False),
        nn.Conv2d(width, width, kernel, padding=pad, groups=groups, bias=False),
        nn.Conv2d(width, width, kernel, padding=pad, groups=width, bias=False),
        nn.Conv2d(width, width, 1, bias=False),
    )


@given(st.sampled_from([4, 8, 16]), st.sampled_from([2, 3]), st.sampled_from([1, 3, 5]))
def test_width_law(width: int, times: int, kernel: int) -> None:
    """Between wide layers costs grow with the square of the width; stem and depthwise linearly."""
    narrow, wide = run(slim(width, kernel)), run(slim(times * width, kernel))
    grown = [b.macs / a.macs for a, b in zip(narrow.layers, wide.layers, strict=True)]
    assert grown == [times, times**2, times, times**2]
    assert [b.params / a.params for a, b in zip(narrow.layers, wide.layers, strict=True)] == grown
    assert wide.written == times * narrow.written


@given(st.sampled_from([1, 2, 4]), st.sampled_from([1, 3]))
def test_groups_divide(groups: int, kernel: int) -> None:
    whole, split = run(slim(8, kernel)).layers[1], run(slim(8, kernel, groups)).layers[1]
    assert whole.macs == groups * split.macs and whole.params == groups * split.params
    assert whole.written == split.written


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3, 5, 7]))
def test_separable_over_plain_is_one_over_channels_and_one_over_area(
    c_in: int, c_out: int, kernel: int
) -> None:
    """Howard et al., "MobileNets", 2017, section 3.1: 1/N + 1/D_K^2."""
    shape, pad = (1, c_in, 9, 9), kernel // 2
    plain = analyze(nn.Conv2d(c_in, c_out, kernel, padding=pad, bias=False), shape)
    deep = nn.Conv2d(c_in, c_in, kernel, padding=pad, groups=c_in, bias=False)
    both = analyze(nn.Sequential(deep, nn.Conv2d(c_in, c_out, 1, bias=False)), shape)
    assert both.macs * c_out * kernel**2 == plain.macs * (kernel**2 + c_out)


@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.sampled_from([1, 3]),
    st.integers(1, 20),
    st.integers(1, 20),
)
def test_memory_access_of_a_convolution(
    c_in: int, c_out: int, kernel: int, height: int, width: int
) -> None:
    """Ma et al., "ShuffleNet V2", 2018, section 3, G1: hw(c1 + c2) + k²·c1·c2, in elements."""
    conv = nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False)
    report = analyze(conv, (1, c_in, height, width))
    elements = height * width * (c_in + c_out) + kernel**2 * c_in * c_out
    assert report.memory_access == 4 * elements


@given(networks())
def test_twice_the_bytes_per_number_move_twice_the_bytes(model: nn.Sequential) -> None:
    single, double = run(model), run(copy.deepcopy(model).double())
    assert (double.macs, double.params) == (single.macs, single.params)
    assert double.memory_access == 2 * single.memory_access
    assert double.peak_activation == 2 * single.peak_activation


@given(networks())
def test_the_peak_lies_between_the_largest_map_and_the_sum_of_all(model: nn.Sequential) -> None:
    report = run(model)
    recorded = trace(model, (1, 3, SIDE, SIDE))
    maps = [4 * math.prod(recorded.shape(op.outputs[0])) for op in recorded]
    live = report.timeline().live
    assert len(live) == len(recorded) == len(report.timeline("fused").live)
    assert max(maps) <= report.peak_activation <= sum(maps) + 8 * 12 * len(maps)
    assert report.peak_activation_fused <= report.peak_activation


@given(networks(), st.sampled_from(["macs", "params", "memory", "intensity", "receptive_field"]))
def test_sorting_keeps_every_layer(model: nn.Sequential, by: str) -> None:
    report = run(model)
    ranked = report.sort(by)
    assert sorted(map(id, ranked.layers)) == sorted(map(id, report.layers))
    assert ranked.to_csv().count("\n") == report.to_csv().count("\n") == len(report.layers) + 1
