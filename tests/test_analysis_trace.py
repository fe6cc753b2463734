"""The recorder: it touches nothing, survives crashes, and follows writes through views."""

import contextlib
import copy
import random
import threading

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small_models import Fn
from torch import Tensor, nn

from lightcourse.analysis import analyze, trace, unit_interval
from lightcourse.analysis._shapes import RULES
from lightcourse.errors import UserError

# -- nothing is touched ------------------------------------------------------------------------


def snapshot(model: nn.Module) -> dict:
    """Everything that could change: identities, values, modes, hooks and random states."""
    return {
        "state": {k: (id(v), v.clone()) for k, v in model.state_dict(keep_vars=True).items()},
        "grads": [p.grad for p in model.parameters()],
        "modes": [m.training for m in model.modules()],
        "attributes": [sorted(vars(m)) for m in model.modules()],
        "hooks": [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()],
        "global hooks": [
            len(nn.modules.module._global_forward_hooks),
            len(nn.modules.module._global_forward_pre_hooks),
            len(nn.modules.module._global_forward_hooks_always_called),
        ],
        "torch": torch.get_rng_state().tolist(),
        "python": random.getstate(),
        "functions": (F.conv2d, torch.Tensor.__matmul__, torch.nn.Module.__call__),
        "grad mode": torch.is_grad_enabled(),
    }


def same(a: dict, b: dict) -> bool:
    states = a.pop("state"), b.pop("state")
    assert states[0].keys() == states[1].keys()
    for name, (identity, value) in states[0].items():
        assert states[1][name][0] == identity, name
        assert torch.equal(states[1][name][1], value), name
    return a == b


class Messy(nn.Module):
    """Does in forward what a forward should not do."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.5)
        self.register_buffer("calls", torch.zeros(()))
        self.plain = torch.zeros(4, 1, 1)
        self.features: Tensor | None = None
        self.history: list[Tensor] = []
        self.cache: dict[str, Tensor] = {}
        self.crash = False

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.plain += 1
        y = self.drop(self.norm(self.conv(x))) + self.plain
        self.features = y
        self.history.append(y)
        self.cache["last"] = y
        self.new_attribute = y
        torch.rand(1), random.random()
        if self.crash:
            raise ValueError("out of coffee")
        return y


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("crash", [True, False])
def test_the_model_is_left_as_it_was(training: bool, crash: bool) -> None:
    model = Messy().train(training)
    model.norm.eval() if training else model.drop.train()  # a mixture of modes survives too
    model.crash = crash
    before = snapshot(model)
    if crash:
        with pytest.raises(UserError, match="out of coffee"):
            analyze(model, (1, 3, 8, 8))
    else:
        analyze(model, (1, 3, 8, 8))
    assert same(before, snapshot(model))
    assert model.features is None and model.history == [] and model.cache == {}
    assert torch.equal(model.plain, torch.zeros(4, 1, 1)) and model.plain.device.type == "cpu"
    assert not hasattr(model.plain, "_lightcourse")


def test_batch_norm_statistics_of_a_model_in_training_stay() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).train()
    norm = model[1]
    model(torch.randn(4, 3, 8, 8))
    mean, seen = norm.running_mean.clone(), int(norm.num_batches_tracked)
    analyze(model, (1, 3, 8, 8))
    assert torch.equal(norm.running_mean, mean) and int(norm.num_batches_tracked) == seen == 1
    assert model.training and norm.training


def test_a_crash_does_not_disturb_the_next_count() -> None:
    good = nn.Conv2d(3, 4, 1, bias=False)
    expected = analyze(good, (1, 3, 5, 5)).macs
    for _ in range(3):
        with pytest.raises(UserError):
            analyze(Fn(lambda m, x: x @ x.transpose(0, 1)), (2, 3, 5, 7))
        assert analyze(good, (1, 3, 5, 5)).macs == expected == 300


def test_a_model_still_trains_after_an_analysis() -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    model(torch.ones(1, 3)).sum().backward()
    grads = [p.grad.clone() for p in model.parameters()]
    analyze(model, (1, 3))
    assert all(torch.equal(p.grad, g) for p, g in zip(model.parameters(), grads, strict=True))
    model(torch.ones(1, 3)).sum().backward()
    assert torch.equal(model[0].bias.grad, torch.full((2,), 2.0))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_grad_mode_around_the_analysis_does_not_matter(mode) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 2))
    with mode():
        report = analyze(model, (1, 3, 8, 8))
    assert report.macs == 36 * 4 * 27 + 288
    assert [layer.kind for layer in report.layers] == ["Conv2d", "BatchNorm2d", "Flatten", "Linear"]


def test_another_thread_runs_its_model_meanwhile() -> None:
    other, stop, errors = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU()), threading.Event(), []

    def work() -> None:
        while not stop.is_set():
            try:
                assert other(torch.zeros(1, 1, 5, 5)).device.type == "cpu"
            except Exception as error:
                errors.append(error)
                return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        names = {tuple(r.name for r in analyze(Messy(), (1, 3, 8, 8)).layers) for _ in range(20)}
    finally:
        stop.set()
        thread.join()
    assert not errors
    # counters count as operators, and nothing of the other thread's model is among them
    assert names == {("add", "add#2", "conv", "norm", "drop", "add#3")}


# -- clear sentences ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "forward",
    [
        lambda m, x: m.a(x) if x.mean() > 0 else x,
        lambda m, x: x[x > 0],
        lambda m, x: x * float(x.max()),
        lambda m, x: torch.tensor(m.a(x).tolist()),
        lambda m, x: torch.from_numpy(m.a(x).numpy()),
        lambda m, x: x[:, : int(x.sum())],
    ],
)
def test_a_forward_that_looks_at_values(forward) -> None:
    inner = Fn(forward, a=nn.ReLU())
    with pytest.raises(UserError, match=r"layer 'body' \(Fn\) depends on the values") as caught:
        analyze(Fn(lambda m, x: m.body(x), body=inner), (1, 3, 4, 4))
    assert "torch.where" in str(caught.value) and "\n" not in str(caught.value)


def test_wrong_input_channels() -> None:
    model = nn.Sequential(nn.Sequential(nn.Conv2d(3, 8, 3)))
    with pytest.raises(
        UserError, match=r"Layer '0\.0' \(Conv2d\) takes 3 input channels but gets 4"
    ):
        analyze(model, (1, 4, 8, 8))


def test_an_input_that_is_too_small() -> None:
    with pytest.raises(UserError, match=r"layer '0' \(Conv2d\).*\(1, 3, 2, 2\)"):
        analyze(nn.Sequential(nn.Conv2d(3, 8, 5)), (1, 3, 2, 2))


def test_layers_that_do_not_fit_together() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(100, 2))
    with pytest.raises(
        UserError, match=r"Layer '1' \(Linear\) takes 100 input features but gets 192"
    ):
        analyze(model, (1, 3, 8, 8))


def test_the_place_named_is_where_it_crashed_not_where_it_was_caught() -> None:
    def careful(m: nn.Module, x: Tensor) -> Tensor:
        with contextlib.suppress(RuntimeError):
            m.bad(x)
        return m.worse(x)

    model = Fn(careful, bad=nn.Linear(9, 9), worse=nn.Linear(8, 8))
    with pytest.raises(UserError, match="'worse'"):
        analyze(model, (1, 3))
    fine = Fn(careful, bad=nn.Linear(9, 9), worse=nn.Linear(3, 8))
    assert [layer.name for layer in analyze(fine, (1, 3)).layers][-1] == "worse"


@pytest.mark.parametrize(
    ("model", "size", "says"),
    [
        ("mobilenet_v2", (1, 3, 4, 4), "create_model"),
        (nn.ReLU, (1, 3), "is a class"),
        (len, (1, 3), "not a builtin_function_or_method"),
        (nn.ReLU(), (1, -3), "positive whole numbers"),
        (nn.ReLU(), (1, 2.5), "positive whole numbers"),
        (nn.ReLU(), "1,3", "give a shape such as"),
        (nn.ReLU(), (), "give a shape such as"),
        (nn.LazyLinear(3), (1, 3), "is lazy"),
    ],
)
def test_bad_arguments(model, size, says: str) -> None:
    with pytest.raises(UserError, match=says):
        analyze(model, size)


# -- inputs, devices, wrappers -----------------------------------------------------------------


def test_tensor_inputs_and_model_dtype() -> None:
    embed = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2))
    assert analyze(embed, torch.zeros(1, 5, dtype=torch.long)).output_shape == (1, 5, 2)
    double = nn.Conv2d(3, 4, 1).double()
    assert analyze(double, (1, 3, 4, 4)).output_shape == (1, 4, 4, 4)
    half = Fn(lambda m, x, y: m.a(x) + y, a=nn.Conv2d(3, 4, 1))
    assert analyze(half, (torch.zeros(1, 3, 4, 4), torch.zeros(1, 4, 1, 1))).macs == 192


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.compile itself warns
def test_models_on_meta_and_compiled_ones() -> None:
    with torch.device("meta"):
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    assert analyze(model, (1, 3, 8, 8)).macs == 36 * 108
    assert analyze(torch.compile(model), (1, 3, 8, 8)).macs == 36 * 108
    assert analyze(nn.DataParallel(model), (1, 3, 8, 8)).layers[0].name == "0"
    assert all(p.device.type == "meta" for p in model.parameters())


def test_constants_and_tables_made_on_the_cpu_work() -> None:
    def forward(m: nn.Module, x: Tensor) -> Tensor:
        grid = torch.arange(x.shape[-1])
        steps = int(grid[2])  # a constant may be looked at
        noise = torch.zeros(x.shape)
        noise[..., :steps] = 1
        return m.a(x) + grid * m.table + noise

    model = Fn(forward, a=nn.Conv2d(3, 3, 1))
    model.table = torch.ones(4)
    before = model.table.clone()
    assert analyze(model, (1, 3, 4, 4)).output_shape == (1, 3, 4, 4)
    assert torch.equal(model.table, before)


# -- rows --------------------------------------------------------------------------------------


def test_names_of_rows() -> None:
    def forward(m: nn.Module, x: Tensor) -> Tensor:
        y = m.conv(m.conv(x)) + x
        return torch.cat([F.relu(y), nn.Sigmoid()(y)], 1) + 1 + 2

    report = analyze(
        Fn(lambda m, x: m.body(x), body=Fn(forward, conv=nn.Conv2d(3, 3, 1))), (1, 3, 4, 4)
    )
    assert [(r.name, r.kind) for r in report.layers] == [
        ("body.conv", "Conv2d"),
        ("body.conv#2", "Conv2d"),
        ("body.add", "add"),
        ("body.relu", "relu"),
        ("body.Sigmoid", "Sigmoid"),
        ("body.cat", "cat"),
        ("body.add#2", "add"),
        ("body.add#3", "add"),
    ]
    assert [r.params for r in report.layers[:2]] == [12, 0]


def test_a_layer_given_alone_is_one_row_and_a_model_without_children_is_opened() -> None:
    (row,) = analyze(nn.Conv2d(3, 4, 1), (1, 3, 4, 4)).layers
    assert (row.name, row.kind) == ("Conv2d", "Conv2d")
    rows = analyze(
        Fn(lambda m, x: F.relu(F.conv2d(x, torch.zeros(2, 3, 1, 1)))), (1, 3, 4, 4)
    ).layers
    assert [r.name for r in rows] == ["conv2d", "relu"]


def test_layers_that_do_nothing_in_eval_mode_stay_visible() -> None:
    report = analyze(nn.Sequential(nn.Dropout(), nn.Identity()), (1, 3, 4, 4))
    assert [(r.kind, r.output_shape) for r in report.layers] == [
        ("Dropout", (1, 3, 4, 4)),
        ("Identity", (1, 3, 4, 4)),
    ]


# -- writes and views --------------------------------------------------------------------------


def field(forward, unit=(8, 8), **layers) -> tuple:
    model = nn.Sequential(Fn(forward, **layers), nn.Identity())
    return unit_interval(trace(model, (1, 4, 16, 16)), -1, unit)


def test_a_write_through_a_view_reaches_the_base_and_its_other_views() -> None:
    def forward(m: nn.Module, x: Tensor) -> Tensor:
        y = x.clone()
        first, other = y[:, :2], y.transpose(1, 2)
        first.copy_(m.a(x)[:, :2])
        return other.transpose(1, 2)

    assert field(forward, a=nn.Conv2d(4, 4, 5, padding=2)) == ((6, 10), (6, 10))


def test_a_write_beside_the_unit_does_not_reach_it() -> None:
    def forward(m: nn.Module, x: Tensor) -> Tensor:
        y = x.clone()
        y[:, :, :4] = m.a(x)[:, :, :4]
        return y

    layers = {"a": nn.Conv2d(4, 4, 5, padding=2)}
    assert field(forward, (8, 8), **layers) == ((8, 8), (8, 8))
    assert field(forward, (2, 8), **layers) == ((0, 4), (6, 10))


@pytest.mark.parametrize(
    "view",
    [
        lambda y: y[:, 1],
        lambda y: y.permute(2, 3, 0, 1)[8],
        lambda y: y.split(2, 1)[1],
        lambda y: y.unbind(1)[0],
        lambda y: y.view(1, 4, 256),
        lambda y: y[:, :, ::2, 1:],
        lambda y: y.detach(),
    ],
)
def test_every_kind_of_view_carries_a_write_back(view) -> None:
    def forward(m: nn.Module, x: Tensor) -> Tensor:
        y, wide = x.clone(), F.avg_pool2d(x, 5, 1, 2)
        part = view(y)
        part.add_(view(wide))
        return y

    (top, bottom), (left, right) = field(forward)
    assert top <= 6 and left <= 6 and bottom >= 10 and right >= 10


def test_views_taken_before_a_write_into_the_base_are_taken_anew() -> None:
    def forward(m: nn.Module, x: Tensor) -> Tensor:
        y = x.clone()
        parts, columns = y.split(8, 2), y.unbind(3)
        y[:, :, 12:] = F.avg_pool2d(x, 5, 1, 2)[:, :, 12:]
        return m.a(parts[1]) + torch.stack(columns, 3)[:, :, 8:]

    layers = {"a": nn.Conv2d(4, 4, 1)}
    assert field(forward, (3, 8), **layers) == ((11, 11), (8, 8))
    assert field(forward, (4, 8), **layers) == ((10, 14), (6, 10))


def test_in_place_and_plain_operators_see_the_same() -> None:
    def forward(m: nn.Module, x: Tensor) -> Tensor:
        y = m.a(x)
        z = F.relu(y, inplace=True)
        return m.b(z) + y

    layers = {"a": nn.Conv2d(4, 4, 3, padding=1), "b": nn.Conv2d(4, 4, 3, padding=1)}
    assert field(forward, **layers) == ((6, 10), (6, 10))


def test_memory_is_not_confused_when_tensors_come_and_go() -> None:
    # ids of dead tensors are used again: a long chain of temporaries must not mix them up
    def forward(m: nn.Module, x: Tensor) -> Tensor:
        for _ in range(50):
            x = (x * 2 + 1).relu()
            _ = [torch.zeros(3, 3) for _ in range(5)]
        return m.a(x)

    assert field(forward, a=nn.Conv2d(4, 4, 3, padding=1)) == ((7, 9), (7, 9))


# -- the fast shape rules ----------------------------------------------------------------------


def arguments(name: str) -> list[tuple]:
    x, y = torch.empty(2, 8, 9, 7, device="meta"), torch.empty(2, 8, 1, 1, device="meta")
    w = torch.empty(6, 4, 3, 2, device="meta")
    c = torch.empty(8, device="meta")
    if name == "convolution":
        bias = torch.empty(6, device="meta")
        shape = [2, 1], [1, 0], [1, 2]
        line = torch.empty(2, 8, 9, device="meta"), torch.empty(6, 8, 3, device="meta")
        return [
            (x, w, bias, *shape, False, [0, 0], 2),
            (*line, None, [2], [1], [1], False, [0], 1),
        ]
    if name == "native_batch_norm":
        return [(x, c, c, c, c, False, 0.1, 1e-5), (x, None, None, c, c, False, 0.1, 1e-5)]
    if name == "native_layer_norm":
        return [(x, [9, 7], None, None, 1e-5), (x, [7], None, None, 1e-5)]
    if name == "addmm":
        return [(torch.empty(5, device="meta"), *(torch.empty(3, 8, device="meta"),
                 torch.empty(8, 5, device="meta")))]  # fmt: skip
    if name.rstrip("_") in ("add", "mul"):
        return [(x, x), (x, 2.0)] if name.endswith("_") else [(x, x), (x, y), (y, x), (x, 2.0)]
    return [(x,)]


@pytest.mark.parametrize("func", RULES, ids=str)
def test_fast_shapes_equal_torch(func) -> None:
    for args in arguments(func.overloadpacket.__name__):
        mine, theirs = RULES[func](*args), func(*args)
        assert mine is not None
        if func.overloadpacket.__name__ == "native_batch_norm":
            mine, theirs = mine[0], theirs[0]  # the saved statistics serve training only
        for a, b in zip(
            *([t] if isinstance(t, Tensor) else t for t in (mine, theirs)), strict=True
        ):
            assert (a.shape, a.dtype, a.stride(), a.device) == (
                b.shape,
                b.dtype,
                b.stride(),
                b.device,
            )
    assert (mine is args[0]) == func._schema.name.endswith("_")


def test_fast_shapes_leave_doubtful_calls_to_torch() -> None:
    aten = torch.ops.aten
    x = torch.empty(2, 8, 9, 7, device="meta")
    w = torch.empty(6, 5, 3, 3, device="meta")
    plain = ([1, 1], [0, 0], [1, 1], False, [0, 0], 1)
    last = x.to(memory_format=torch.channels_last)
    assert RULES[aten.convolution.default](x, w, None, *plain) is None  # channels do not fit
    assert (
        RULES[aten.convolution.default](x, w, None, [1, 1], [0, 0], [1, 1], True, [0, 0], 1) is None
    )
    assert RULES[aten.convolution.default](x, torch.empty(6, 8, 11, 3), None, *plain) is None
    assert RULES[aten.relu.default](last) is None
    assert RULES[aten.relu.default](x.int()) is None
    assert RULES[aten.add.Tensor](x, x.double()) is None
    assert RULES[aten.add.Tensor](x, torch.empty(2, 8, 3, 7, device="meta")) is None
    assert RULES[aten.addmm.default](x, x, x) is None
    c = torch.empty(8, device="meta")
    assert RULES[aten.native_batch_norm.default](x, c, c, c, c, True, 0.1, 1e-5) is None
    assert RULES[aten.native_batch_norm.default](x, c[:3], c, c, c, False, 0.1, 1e-5) is None
    assert RULES[aten.native_layer_norm.default](x, [9], None, None, 1e-5) is None


def test_output_shapes_equal_a_real_run() -> None:
    model = copy.deepcopy(Messy()).eval()
    shapes: dict[str, tuple[int, ...]] = {}
    for name, module in model.named_modules():
        module.register_forward_hook(
            lambda _m, _i, out, name=name: shapes.__setitem__(name, tuple(out.shape))
        )
    model(torch.zeros(2, 3, 8, 9))
    for layer in analyze(model, (2, 3, 8, 9)).layers:
        if layer.name in shapes:
            assert layer.output_shape == shapes[layer.name]
    assert np.prod(analyze(model, (2, 3, 8, 9)).output_shape) == 2 * 4 * 6 * 7
