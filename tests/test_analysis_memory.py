"""Bytes moved and bytes alive: hand numbers, torch's profiler, folded copies, traps."""

import copy
import itertools

import pytest
import torch
from torch import nn
from torch._C._profiler import _EventType
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.profiler import ProfilerActivity, profile

from lightcourse._torchvision import import_torchvision
from lightcourse.analysis.memory import access_of, count_access, timeline
from lightcourse.analysis.trace import trace
from lightcourse.errors import UserError

models = import_torchvision().models
KWARGS = {"googlenet": {"init_weights": False}, "inception_v3": {"init_weights": False}}


def made(name):
    return getattr(models, name)(**KWARGS.get(name, {})).eval()


def moved(model, *shape, schedule="eager"):
    return count_access(trace(model, shape), schedule)


def total(model, *shape, schedule="eager"):
    return sum(access.total for access in moved(model, *shape, schedule=schedule))


# -- memory access: hand numbers -------------------------------------------------------------

H = 56


@pytest.mark.parametrize(
    ("conv", "elements"),
    [
        (nn.Conv2d(64, 64, 1, bias=False), H * H * (64 + 64) + 64 * 64),
        (nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False), H * H * (64 + 64) + 9 * 64),
        (nn.Conv2d(64, 64, 3, padding=1, bias=False), H * H * (64 + 64) + 9 * 64 * 64),
        (nn.Conv2d(64, 128, 1, groups=4, bias=False), H * H * (64 + 128) + 64 * 128 // 4),
        (nn.Conv2d(64, 64, 1, bias=True), H * H * (64 + 64) + 64 * 64 + 64),
        (nn.Conv2d(64, 32, 3, stride=2, padding=1, bias=False), H * H * 64 + 28 * 28 * 32 + 18432),
    ],
    ids=["pointwise", "depthwise", "dense", "grouped", "bias", "stride"],
)
def test_a_convolution_moves_input_output_and_weights_once(conv, elements):
    assert total(conv, 1, 64, H, H) == 4 * elements


@pytest.mark.parametrize(
    ("conv", "elements"),
    [
        (nn.Conv2d(64, 64, 1, bias=False), 405_504),
        (nn.Conv2d(24, 240, 1, groups=3, bias=False), 829_824),
        (nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False), 401_984),
        (nn.Conv2d(64, 64, 3, padding=1, bias=False), 438_272),
    ],
)
def test_the_study_s_four_layers(conv, elements):
    assert total(conv, 1, conv.in_channels, H, H) == 4 * elements


class Body(nn.Module):
    """A forward made of one function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


N = 2 * 8 * 6 * 6  # elements of the input of the table below


@pytest.mark.parametrize(
    ("function", "read", "written"),
    [
        (lambda x: x.relu(), N, N),
        (lambda x: x + x, N, N),  # one tensor, read once
        (lambda x: x + 1, N, N),
        (lambda x: (x + 1).relu_(), 2 * N, 2 * N),  # in place still reads and writes
        (lambda x: (x + 1).zero_(), N, 2 * N),  # overwriting reads nothing
        (lambda x: x.new_ones(2, 5), 0, 10),
        (lambda x: torch.zeros_like(x), 0, N),
        (lambda x: x.view(2, -1).t().unsqueeze(0), 0, 0),
        (lambda x: x.transpose(1, 2).contiguous(), N, N),
        (lambda x: torch.cat([x, x.relu()], 1), 3 * N, 3 * N),
        (lambda x: x[:, :4] * 2, N // 2, N // 2),
        (lambda x: x.mean((2, 3), keepdim=True), N, 16),
        (lambda x: x * x.mean((2, 3), keepdim=True), 2 * N + 16, N + 16),
        (lambda x: x[:, :1].expand(2, 8, 6, 6) * 2, N // 8 * 8, N),
        (lambda x: x + torch.zeros(2, 8, 6, 6), 2 * N, N),  # a constant is not filled each time
        (lambda x: nn.functional.max_pool2d(x, 2), N, N // 4 + 2 * N // 4),  # indices are int64
    ],
)
def test_hand_numbers_of_other_operators(function, read, written):
    accesses = moved(Body(function), 2, 8, 6, 6)
    assert sum(a.read for a in accesses) == 4 * read
    assert sum(a.written for a in accesses) == 4 * written


def test_an_expanded_tensor_is_as_large_as_the_memory_behind_it():
    accesses = moved(Body(lambda x: x.expand(2, 64, 6, 6) * 2), 2, 1, 6, 6)
    assert sum(a.read for a in accesses) == 4 * 72


def test_a_look_up_reads_the_rows_it_returns_not_the_table():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(50_000, 16)

        def forward(self, x):
            return self.table(x)

    recorded = trace(Words(), torch.zeros(1, 5, dtype=torch.long))
    (access,) = [a for a in count_access(recorded) if a.total]
    assert access.read == 5 * 16 * 4 + 5 * 8


def test_half_precision_moves_half():
    conv = nn.Conv2d(8, 8, 3)
    assert total(conv.half(), 1, 8, 9, 9) * 2 == total(copy.deepcopy(conv).float(), 1, 8, 9, 9)


def test_every_zero_has_its_reason():
    for name in ("mobilenet_v2", "shufflenet_v2_x1_0"):
        recorded = trace(made(name), (1, 3, 64, 64))
        for schedule in ("eager", "fused"):
            for op, access in zip(recorded.ops, count_access(recorded, schedule), strict=True):
                assert access.total or access.reason, op.name


@pytest.mark.parametrize(
    ("name", "share"),
    [("mobilenet_v2", 36), ("shufflenet_v2_x1_0", 31), ("densenet121", 25)],
)
def test_convolutions_move_only_a_part_of_the_bytes(name, share):
    # research/analysis.md, A6, counts elements; the table's order and size hold in bytes
    recorded = trace(made(name), (1, 3, 224, 224))
    accesses = count_access(recorded)
    convs = sum(access_of(op, recorded).total for op in recorded.ops if op.name == "convolution")
    assert abs(100 * convs / sum(a.total for a in accesses) - share) < 6


# -- peak activation -------------------------------------------------------------------------


def profiled_peak(model, x):
    """Peak of torch's profiler without what a convolution's kernel borrows and gives back."""
    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as run:
        _ = model(x)
    events = []

    def walk(nodes, conv):
        for node in nodes:
            if node.typed[0] == _EventType.Allocation:
                fields = node.typed[1]
                events.append((node.start_time_ns, fields.alloc_size, fields.ptr, conv))
            inside = conv if conv or node.name != "aten::convolution" else id(node)
            walk(node.children, inside)

    walk(run.profiler.kineto_results.experimental_event_tree(), None)
    events.sort(key=lambda event: event[0])
    scratch, open_blocks = set(), {}
    for place, (_, size, pointer, conv) in enumerate(events):
        if size > 0:
            open_blocks[pointer] = place
        elif pointer in open_blocks:
            start = open_blocks.pop(pointer)
            if conv is not None and events[start][3] == conv:
                scratch |= {start, place}
    now = peak = 0
    for place, (_, size, _, _) in enumerate(events):
        now += 0 if place in scratch else size
        peak = max(peak, now)
    return peak


PROFILED = (
    "mobilenet_v2", "shufflenet_v2_x1_0", "densenet121", "resnet18", "squeezenet1_0", "googlenet",
    "efficientnet_b0", "mobilenet_v3_small", "mnasnet1_0", "alexnet", "inception_v3",
    "regnet_y_400mf", "swin_t",
)  # fmt: skip


@pytest.mark.parametrize("name", PROFILED)
def test_the_peak_is_the_profiler_s_to_the_byte(name):
    model = made(name)
    assert timeline(trace(model, (1, 3, 128, 128))).peak == profiled_peak(
        model, torch.zeros(1, 3, 128, 128)
    )


@pytest.mark.parametrize(
    ("name", "peak"),
    [("mobilenet_v2", 10_437_376), ("shufflenet_v2_x1_0", 2_408_640), ("densenet121", 10_035_200)],
)
def test_the_study_s_peaks(name, peak):
    assert timeline(trace(made(name), (1, 3, 224, 224))).peak == peak


def test_a_chain_holds_two_neighbours():
    chain = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 16, 1), nn.Conv2d(16, 4, 1))
    line = timeline(trace(chain, (1, 3, 10, 10)))
    assert line.live == (4 * 800, 4 * (800 + 1600), 4 * (1600 + 400))
    assert (line.peak, line.peak_op) == (4 * 2400, 1)


def test_a_shortcut_keeps_its_input_alive():
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.wide = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 32, 1)
            self.back = nn.Conv2d(32, 8, 1)

        def forward(self, x):
            x = self.stem(x)
            return x + self.back(self.wide(x))

    assert timeline(trace(Residual(), (1, 3, 10, 10))).peak == 4 * (800 + 3200 + 800)


def test_views_and_in_place_work_ask_for_nothing():
    line = timeline(trace(Body(lambda x: (x + 1).relu_().view(1, -1).mul_(2)), (1, 3, 10, 10)))
    assert set(line.live) == {1200}


def test_the_input_does_not_count_and_the_batch_scales():
    model = made("shufflenet_v2_x1_0")
    one, four = (timeline(trace(model, (n, 3, 64, 64))).live for n in (1, 4))
    norms = [op.name == "native_batch_norm" for op in trace(model, (1, 3, 64, 64)).ops]
    apart = [(a, b) for a, b, norm in zip(one, four, norms, strict=True) if not norm]
    assert all(b == 4 * a for a, b in apart)
    assert timeline(trace(nn.Identity(), (1, 3, 64, 64))).peak == 0


def test_memory_kept_by_the_model_stays_alive():
    class Keeps(nn.Module):
        def forward(self, x):
            self.seen = [x + n for n in range(5)]
            return self.seen[0]

    assert timeline(trace(Keeps(), (1, 1, 10, 10))).live[-1] == 5 * 400


# -- the fused schedule ----------------------------------------------------------------------


def folded(model):
    """A copy with batch normalisation folded by torch and with activations in place."""
    model = copy.deepcopy(model).eval()
    for parent in list(model.modules()):
        children = list(parent.named_children())
        for (name, conv), (norm, bn) in itertools.pairwise(children):
            if isinstance(conv, nn.Conv2d) and isinstance(bn, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(conv, bn))
                setattr(parent, norm, nn.Identity())
        for child in parent.children():
            if hasattr(child, "inplace"):
                child.inplace = True
    return model


@pytest.mark.parametrize(
    "name", ["mobilenet_v2", "mnasnet1_0", "efficientnet_b0", "resnet18", "googlenet"]
)
def test_the_fused_peak_is_that_of_a_folded_copy(name):
    model = made(name)
    fused = timeline(trace(model, (1, 3, 96, 96)), "fused")
    assert fused.peak == timeline(trace(folded(model), (1, 3, 96, 96))).peak
    assert fused.peak < timeline(trace(model, (1, 3, 96, 96))).peak


@pytest.mark.parametrize("name", ["mobilenet_v2", "mnasnet1_0", "resnet18"])
def test_fused_access_is_that_of_a_folded_copy_without_its_activations(name):
    model = made(name)
    recorded = trace(folded(model), (1, 3, 96, 96))
    without = 0
    for op, access in zip(recorded.ops, count_access(recorded), strict=True):
        after = op.index and recorded.ops[op.index - 1].name == "convolution"
        if not (op.name.rstrip("_") in ("hardtanh", "relu") and after):
            without += access.total
    assert total(model, 1, 3, 96, 96, schedule="fused") == without


def block(*layers):
    return nn.Sequential(nn.Conv2d(3, 8, 1, bias=False), *layers)


@pytest.mark.parametrize(
    ("model", "vanish"),
    [
        (block(nn.BatchNorm2d(8)), 1),
        (block(nn.BatchNorm2d(8), nn.ReLU()), 2),
        (block(nn.BatchNorm2d(8), nn.Hardswish()), 2),
        (block(nn.ReLU(), nn.BatchNorm2d(8)), 1),  # the activation stands between: no folding
        (block(nn.MaxPool2d(2), nn.BatchNorm2d(8)), 0),
        (nn.Sequential(nn.BatchNorm2d(3), nn.ReLU()), 0),
        (nn.Sequential(nn.Linear(3, 8), nn.ReLU()), 1),
    ],
)
def test_what_vanishes_when_fused(model, vanish):
    shape = (4, 3) if isinstance(model[0], nn.Linear) else (1, 3, 10, 10)
    gone = [a for a in moved(model, *shape, schedule="fused") if "product before" in a.reason]
    assert len(gone) == vanish


def test_a_value_that_is_read_twice_is_not_absorbed():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8)

        def forward(self, x):
            y = self.conv(x)
            return self.norm(y) + y

    recorded = trace(Twice(), (1, 3, 10, 10))
    assert timeline(recorded, "fused").peak == timeline(recorded).peak
    assert count_access(recorded, "fused") == count_access(recorded)


def test_an_activation_never_writes_over_the_input():
    assert timeline(trace(nn.Sequential(nn.ReLU()), (1, 3, 10, 10)), "fused").peak == 1200


def test_unknown_schedules_are_named():
    recorded = trace(nn.Conv2d(3, 8, 1), (1, 3, 8, 8))
    for call in (timeline, count_access):
        with pytest.raises(UserError, match="'eager' or 'fused'"):
            call(recorded, "lazy")  # type: ignore[arg-type]
