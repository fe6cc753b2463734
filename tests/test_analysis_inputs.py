"""What may be handed in: several inputs, names, tensors; one clear sentence for anything else."""

import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small_models import Fn
from torch import Tensor, nn

from lightcourse.analysis import _progress, analyze, trace
from lightcourse.errors import UserError


class Two(nn.Module):
    """Takes a picture and a mask; the scale may be left out."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1, bias=False)

    def forward(self, image: Tensor, mask: Tensor, scale: float = 1.0) -> Tensor:
        return self.conv(image) * mask * scale


class Named(nn.Module):
    """Takes its second input by name only."""

    def forward(self, x: Tensor, *, weight: Tensor) -> Tensor:
        return F.linear(x, weight)


IMAGE, MASK = (1, 3, 4, 4), (1, 1, 4, 4)


@pytest.mark.parametrize(
    "given",
    [
        (IMAGE, MASK),
        [list(IMAGE), torch.Size(MASK)],
        (torch.zeros(IMAGE), torch.zeros(MASK)),
        (IMAGE, torch.zeros(MASK)),
        {"image": IMAGE, "mask": MASK},
        {"mask": torch.zeros(MASK), "image": IMAGE},
    ],
    ids=["tuple", "list", "tensors", "both", "dict", "dict in another order"],
)
def test_several_inputs(given) -> None:
    report = analyze(Two(), given)
    assert report.macs == 16 * 12 and report.output_shape == (1, 4, 4, 4)
    assert set(report.input_shapes) == {IMAGE, MASK}
    conv = report.layers[0]
    assert conv.receptive_field is not None and conv.receptive_field.size == (1, 1)


def test_named_only() -> None:
    assert analyze(Named(), {"x": (2, 3), "weight": (5, 3)}).macs == 30
    assert trace(Named(), {"x": (2, 3), "weight": (5, 3)}).inputs == (0, 1)


def test_numpy_numbers_are_numbers() -> None:
    assert analyze(nn.ReLU(), (np.int64(2), np.int32(3))).output_shape == (2, 3)


SENTENCES = [
    (Two(), IMAGE, r"Two takes image, mask, scale \(optional\), but input_size gives 1 without"),
    (Two(), (IMAGE,) * 4, "too many positional"),
    (Two(), {"image": IMAGE, "msk": MASK}, "missing a required argument: 'mask'"),
    (Two(), {"image": IMAGE, "mask": MASK, "z": MASK}, "unexpected keyword argument 'z'"),
    (Named(), ((2, 3), (5, 3)), r"Named takes x, weight, but"),
    (Two(), (1, 3, torch.zeros(3)), r"one input is 1 in input_size \(1, 3, tensor\(3,\)\)"),
    (Two(), ((), MASK), r"one input is \(\)"),
    (Two(), None, "input_size is None"),
    (Two(), {}, r"input_size is \{\}"),
    (Two(), {1: IMAGE}, "has the key 1, not a name"),
    (nn.ReLU(), (1, 0, 3), r"A shape is \(1, 0, 3\); a shape has positive whole numbers"),
    (nn.ReLU(), (True, 3), "positive whole numbers"),
    (nn.ReLU(), (((1, 2),),), "positive whole numbers"),
    (nn.ReLU(), np.array([1, 3]), "input_size is array"),
    (nn.ReLU(), (10**10, 10**10), "No tensor can be as large"),
    (Two(), (IMAGE, (1, 1, 5, 4)), r"the input's shape was \(1, 3, 4, 4\) and \(1, 1, 5, 4\)"),
    (nn.Embedding(3, 4), (8, 3), "dtype=torch.long"),
    (nn.Sequential(nn.BatchNorm2d(3)), (1, 4, 8, 8), r"layer '0' \(BatchNorm2d\)"),
    (nn.Module(), IMAGE, "missing the required"),
]


@pytest.mark.parametrize(("model", "given", "says"), SENTENCES, ids=[s[2][:30] for s in SENTENCES])
def test_what_is_wrong_is_said_in_one_sentence(model: nn.Module, given, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        analyze(model, given)
    text = str(caught.value)
    assert "\n" not in text and text.endswith(".") and len(text) < 420


def test_wrong_inputs_leave_the_model_as_it_was() -> None:
    model = Two().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for _, given, _ in SENTENCES[:10]:
        with pytest.raises(UserError):
            analyze(model, given)
    assert model.training and model.conv.training and "_forward_hooks" in vars(model)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not model._forward_hooks and not nn.modules.module._global_forward_hooks
    assert analyze(model, (IMAGE, MASK)).macs == 192


# -- operators that torch cannot run without data ------------------------------------------------

LIBRARY = torch.library.Library("lightcourse_inputs", "DEF")
LIBRARY.define("cpu_only(Tensor x) -> Tensor")
LIBRARY.impl("cpu_only", lambda x: x.clone(), "CPU")


@torch.library.custom_op("lightcourse_inputs::no_shape", mutates_args=())
def no_shape(x: Tensor) -> Tensor:
    """Stand for an operator whose author wrote no fake kernel."""
    return x.clone()


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("cpu_only", lambda m, x: torch.ops.lightcourse_inputs.cpu_only(m.a(x))),
        ("no_shape", lambda m, x: no_shape(m.a(x))),
    ],
)
def test_an_operator_without_a_shape_is_named_with_its_layer(name: str, call) -> None:
    model = nn.Sequential(Fn(call, a=nn.ReLU()))
    with pytest.raises(UserError, match=f"operator lightcourse_inputs::{name} of layer '0'") as e:
        analyze(model, (1, 3))
    assert f"register_fake('lightcourse_inputs::{name}'" in str(e.value)


# -- what is no mistake --------------------------------------------------------------------------


def test_nothing_is_computed_so_nan_and_infinity_do_no_harm() -> None:
    model = Fn(lambda m, x: m.a(torch.log(-x.abs()) / 0), a=nn.Conv2d(3, 4, 1, bias=False))
    assert analyze(model, IMAGE, strict=True).macs == 192


def test_a_model_without_parameters() -> None:
    report = analyze(nn.Sequential(nn.ReLU(), nn.MaxPool2d(2)), IMAGE, strict=True)
    assert (report.params, report.macs) == (0, 0)
    assert report.memory_access == 4 * (2 * 48 + 48 + 12) + 8 * 12  # and max pooling's indices
    assert "params 0" in str(report) and report._repr_html_()


@pytest.mark.parametrize(
    ("forward", "shape"),
    [
        (lambda m, x: None, ()),
        (lambda m, x: 3, ()),
        (lambda m, x: {"a": [x * 2], "b": x}, IMAGE),
        (lambda m, x: sum(part for part in x), (3, 4, 4)),
    ],
)
def test_whatever_forward_returns(forward, shape: tuple) -> None:
    report = analyze(Fn(forward), IMAGE)
    assert report.output_shape == shape and str(report)


# -- progress ------------------------------------------------------------------------------------


def test_progress_shows_on_a_terminal_only(monkeypatch, capsys) -> None:
    model = nn.Sequential(nn.ReLU(), nn.ReLU())
    quiet = analyze(model, IMAGE, progress=True)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert analyze(model, IMAGE, progress=True) == quiet
    assert not nn.modules.module._global_forward_hooks
    with pytest.raises(UserError), _progress.counting(model):
        raise UserError("stop")
    assert not nn.modules.module._global_forward_hooks


def test_a_wrong_shape_is_not_taken_for_a_question_about_values():
    class Spreads(nn.Module):
        def forward(self, x):
            return x.expand(5, 16)

    with pytest.raises(UserError, match="must be greater or equal"):
        analyze(Spreads(), (1, 3, 8, 8))
