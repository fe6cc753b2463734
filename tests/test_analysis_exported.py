"""Programs saved by torch.export: the same numbers as the module that they came from."""

import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lightcourse._torchvision import import_torchvision
from lightcourse.analysis import Report, analyze, open_exported
from lightcourse.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # torch.export's own, on copying


def saved(model: nn.Module, args: tuple, path: Path, named: dict | None = None, **more) -> Path:
    """Export a model, save it, and return the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.export's own
        program = torch.export.export(model, args, named, **more)
        torch.export.save(program, path)
    return path


def analyzed(path: Path) -> Report:
    module = open_exported(path)
    return analyze(module, module.program_entry.example)


@pytest.mark.parametrize("name", ["mobilenet_v2", "shufflenet_v2_x0_5", "mobilenet_v3_small"])
def test_numbers_of_whole_networks(name: str, tmp_path: Path) -> None:
    model = import_torchvision().models.get_model(name).eval()
    original = analyze(model, (1, 3, 96, 96))
    report = analyzed(saved(model, (torch.zeros(1, 3, 96, 96),), tmp_path / "net.pt2"))
    assert (report.name, report.params, report.macs) == (
        original.name,
        original.params,
        original.macs,
    )
    assert report.memory_access == original.memory_access
    assert report.receptive_field == original.receptive_field
    assert report.layers == original.layers  # names, kinds, shapes, costs
    for mine, theirs in zip(report.layers, original.layers, strict=True):
        assert mine.receptive_field == theirs.receptive_field
    assert report.by_kind() == original.by_kind()


class Trained(nn.Module):
    """Batch norm in training mode, and one convolution called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.conv = nn.Conv2d(3, 3, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.conv(self.norm(x)))


def test_a_program_exported_in_training_mode(tmp_path: Path) -> None:
    path = saved(Trained().train(), (torch.zeros(2, 3, 8, 8),), tmp_path / "t.pt2")
    module = open_exported(path)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    report = analyze(module, module.program_entry.example)
    assert report.params == 81 + 6 and report.macs == 2 * 2 * 64 * 81
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())


class Nested(nn.Module):
    """Takes a dict, a tensor, and one more by name."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(9, 4)

    def forward(self, text: dict[str, Tensor], bias: Tensor, *, scale: Tensor) -> Tensor:
        return self.embed(text["ids"]) * scale + bias


def test_nested_and_named_inputs_stand_in_a_row(tmp_path: Path) -> None:
    ids = torch.zeros(2, 3, dtype=torch.long)
    args, named = ({"ids": ids}, torch.zeros(4)), {"scale": torch.zeros(1)}
    report = analyzed(saved(Nested().eval(), args, tmp_path / "n.pt2", named))
    assert report.input_shapes == ((2, 3), (4,), (1,)) and report.output_shape == (2, 3, 4)
    assert report.params == 36


def test_named_inputs_keep_their_names(tmp_path: Path) -> None:
    class Sum(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return x @ y

    named = {"x": torch.zeros(2, 3), "y": torch.zeros(3, 4)}
    module = open_exported(saved(Sum(), (), tmp_path / "s.pt2", named))
    assert analyze(module, {"y": (3, 4), "x": (2, 3)}).macs == 24
    assert analyze(module, module.program_entry.example).macs == 24


def test_a_size_that_may_vary_may_vary(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False)).eval()
    sizes = ({0: torch.export.Dim("batch", min=1, max=64)},)
    path = saved(model, (torch.zeros(2, 3, 8, 8),), tmp_path / "d.pt2", dynamic_shapes=sizes)
    module = open_exported(path)
    assert module.program_entry.shapes == [(None, 3, 8, 8)]
    assert analyze(module, (5, 3, 8, 8)).macs == 5 * analyze(model, (1, 3, 8, 8)).macs
    with pytest.raises(UserError, match=r"takes \(any, 3, 8, 8\) .* gets \(1, 3, 9, 8\)"):
        analyze(module, (1, 3, 9, 8))


def test_other_shapes_do_not_fit_and_that_is_said(tmp_path: Path) -> None:
    path = saved(nn.Conv2d(3, 4, 3), (torch.zeros(1, 3, 8, 8),), tmp_path / "c.pt2")
    module = open_exported(path)
    for given in [(1, 3, 224, 224), (3, 8, 8), ((1, 3, 8, 8), (1,))]:
        with pytest.raises(UserError, match=r"takes \(1, 3, 8, 8\) and nothing else, but gets"):
            analyze(module, given)


def test_a_program_in_memory_can_be_opened(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(nn.Linear(3, 2), (torch.zeros(1, 3),))
    assert analyze(open_exported(program), (1, 3)).macs == 6
    with pytest.raises(UserError, match="open_exported"):
        analyze(program, (1, 3))  # type: ignore[arg-type]


def test_a_graph_that_cannot_be_unfolded_is_read_flat(tmp_path, monkeypatch) -> None:
    path = saved(nn.Sequential(nn.Conv2d(3, 4, 3)), (torch.zeros(1, 3, 8, 8),), tmp_path / "f.pt2")

    def refuse(_program):
        raise NotImplementedError

    monkeypatch.setattr(torch.export, "unflatten", refuse)
    report = analyzed(path)
    assert report.macs == 36 * 108 and [layer.kind for layer in report.layers] == ["conv2d"]


@pytest.mark.parametrize("kind", ["cut", "text", "weights", "empty"])
def test_a_damaged_file_is_one_sentence(kind: str, tmp_path: Path, capfd) -> None:
    path = tmp_path / "bad.pt2"
    if kind == "weights":
        torch.save({"a": torch.zeros(3)}, path)
    else:
        saved(nn.Linear(3, 2), (torch.zeros(1, 3),), path)
        whole = path.read_bytes()
        path.write_bytes({"cut": whole[: len(whole) // 2], "text": b"hello", "empty": b""}[kind])
    capfd.readouterr()
    with pytest.raises(UserError, match=r"is not a program saved by torch\.export\.save") as caught:
        open_exported(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_missing_file() -> None:
    with pytest.raises(UserError, match=r"there is no file nowhere\.pt2"):
        open_exported("nowhere.pt2")
