"""The torchvision guard: operators missing, operators present, torchvision absent or broken."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lightcourse._torchvision import deform_conv2d, import_torchvision, nms, status


def run(code: str, *paths: Path) -> str:
    """Run code in a fresh interpreter, with extra folders first on the path."""
    lines = [f"import sys; sys.path[:0] = {[str(p) for p in paths]!r}", textwrap.dedent(code)]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(lines)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def fake_torchvision(folder: Path, body: str) -> Path:
    package = folder / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(textwrap.dedent(body))
    return folder


def test_torchvision_is_whole_enough_for_models_data_and_operators() -> None:
    torchvision = import_torchvision()
    from torchvision.transforms import v2

    assert status() in ("native", "fallback")
    assert torchvision.models.mobilenet_v2().classifier[1].out_features == 1000
    assert v2.functional.resize(torch.zeros(1, 3, 8, 8), [4, 4]).shape == (1, 3, 4, 4)
    boxes = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 1.9], [5, 5, 6, 6]])
    scores = torch.tensor([0.5, 0.9, 0.1])
    assert torchvision.ops.nms(boxes, scores, 0.5).tolist() == [1, 2]
    x, offset = torch.randn(1, 2, 5, 5), torch.zeros(1, 18, 3, 3)
    weight = torch.randn(4, 2, 3, 3)
    out = torchvision.ops.deform_conv2d(x, offset, weight)
    torch.testing.assert_close(out, torch.nn.functional.conv2d(x, weight))


def test_roi_align_needs_no_compiler() -> None:
    ops = import_torchvision().ops
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    out = ops.roi_align(x, [torch.tensor([[0.0, 0, 4, 4]])], 2, aligned=True, sampling_ratio=2)
    # each quarter's mean: samples lie symmetrically around the middle of four pixels
    torch.testing.assert_close(out.flatten(), torch.tensor([2.5, 4.5, 10.5, 12.5]))


def test_a_first_failed_import_is_mended() -> None:
    out = run("""
        try:
            import torchvision
            print("native")
        except RuntimeError as error:
            assert "torchvision::nms" in str(error), error
            assert any(name.startswith("torchvision") for name in sys.modules)
            print("fallback")
        from lightcourse._torchvision import import_torchvision, status, torchvision
        print(status(), torchvision.ops.nms.__name__, import_torchvision() is torchvision)
    """)
    first, second = out.splitlines()
    assert second == f"{first} nms True"


def test_status_needs_no_earlier_import() -> None:
    assert run("from lightcourse._torchvision import status; print(status())") == status()


def test_importing_the_guard_imports_no_torchvision() -> None:
    assert run("import lightcourse._torchvision; print('torchvision' in sys.modules)") == "False"


def test_a_whole_torchvision_is_left_alone(tmp_path: Path) -> None:
    folder = fake_torchvision(
        tmp_path,
        """
        import torch
        torch.library.define("torchvision::nms", "(Tensor d, Tensor s, float t) -> Tensor")
        """,
    )
    out = run(
        """
        import torch
        from lightcourse._torchvision import import_torchvision, status
        print(status(), import_torchvision().__file__.startswith(sys.path[0]))
        print(hasattr(torch.ops.torchvision, "deform_conv2d"))
        """,
        folder,
    )
    assert out.splitlines() == ["native True", "False"]


def test_operators_that_exist_are_not_declared_again(tmp_path: Path) -> None:
    out = run("""
        import torch
        torch.library.define("torchvision::nms", "(Tensor d, Tensor s, float t) -> Tensor")
        torch.library.impl("torchvision::nms", "CPU")(lambda d, s, t: s.new_full((1,), 7).long())
        from lightcourse import _torchvision
        _torchvision._declare_missing()
        _torchvision._declare_missing()
        print(torch.ops.torchvision.nms(torch.zeros(1, 4), torch.zeros(1), 0.5).item())
        print(hasattr(torch.ops.torchvision, "deform_conv2d"))
    """)
    assert out.splitlines() == ["7", "True"]


def test_torchvision_not_installed() -> None:
    out = run("""
        class Hide:
            def find_spec(self, name, *rest):
                if name == "torchvision":
                    raise ModuleNotFoundError("No module named 'torchvision'", name=name)
        sys.meta_path.insert(0, Hide())
        from lightcourse._torchvision import import_torchvision, status
        print(status())
        try:
            import_torchvision()
        except Exception as error:
            print(type(error).__name__, error)
    """)
    first, second = out.splitlines()
    assert first == "missing"
    assert second.startswith("UserError torchvision is not installed") and "pip install" in second


@pytest.mark.parametrize(
    "body",
    [
        "raise RuntimeError('the moon is in the wrong place')",
        # a symptom that declaring operators does not cure
        "raise RuntimeError('operator torchvision::new_thing does not exist')",
    ],
)
def test_another_failure_is_one_clear_sentence(tmp_path: Path, body: str) -> None:
    out = run(
        """
        from lightcourse._torchvision import status
        try:
            status()
        except Exception as error:
            print(type(error).__name__, error)
        """,
        fake_torchvision(tmp_path, body),
    )
    assert out.startswith("UserError torchvision does not import beside torch")
    assert len(out.splitlines()) == 1 and "requirements.lock" in out


def slow_nms(boxes: Tensor, scores: Tensor, threshold: float) -> list[int]:
    def area(b: Tensor) -> float:
        return float((b[2] - b[0]) * (b[3] - b[1]))

    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: -float(scores[i])):
        a = boxes[i]
        for j in kept:
            b = boxes[j]
            w = float(min(a[2], b[2]) - max(a[0], b[0]))
            h = float(min(a[3], b[3]) - max(a[1], b[1]))
            shared = max(w, 0.0) * max(h, 0.0)
            if shared / (area(a) + area(b) - shared) > threshold:
                break
        else:
            kept.append(i)
    return kept


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7, 1.0])
def test_nms_equals_brute_force(seed: int, threshold: float) -> None:
    g = torch.Generator().manual_seed(seed)
    corner = torch.rand(40, 2, generator=g, dtype=torch.float64) * 10
    boxes = torch.cat([corner, corner + 1 + 4 * torch.rand(40, 2, generator=g).double()], 1)
    scores = torch.rand(40, generator=g, dtype=torch.float64)
    assert nms(boxes, scores, threshold).tolist() == slow_nms(boxes, scores, threshold)


def test_nms_edges() -> None:
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5).dtype == torch.int64
    same = torch.tensor([[0.0, 0, 1, 1]] * 3)
    assert nms(same, torch.tensor([0.1, 0.1, 0.1]), 0.5).tolist() == [0]
    points = torch.zeros(2, 4)  # empty boxes overlap nothing, not even each other
    assert nms(points, torch.tensor([0.2, 0.9]), 0.5).tolist() == [1, 0]
    half = same.half() * 60  # areas beyond what float16 adds up exactly
    assert nms(half, torch.tensor([0.1, 0.3, 0.2]).half(), 0.5).tolist() == [1]


def slow_deform(x, weight, offset, mask, bias, stride, padding, dilation) -> Tensor:
    """Five loops and the bilinear formula, straight from the definition."""
    n, c, h, w = x.shape
    o, per, kh, kw = weight.shape
    _, _, tall, wide = offset.shape
    parts = offset.shape[1] // (2 * kh * kw)

    def pixel(b: int, ch: int, y: float, z: float) -> Tensor:
        total = torch.zeros((), dtype=x.dtype)
        for i in range(h):
            for j in range(w):
                share = max(0.0, 1 - abs(y - i)) * max(0.0, 1 - abs(z - j))
                if share:
                    total = total + share * x[b, ch, i, j]
        return total

    out = torch.zeros(n, o, tall, wide, dtype=x.dtype)
    for b, f, u, v in torch.cartesian_prod(*map(torch.arange, out.shape)).tolist():
        total = bias[f].clone()
        for q in range(per):
            ch = f // (o // (c // per)) * per + q
            part = ch // (c // parts)
            for k in range(kh * kw):
                place = part * kh * kw + k
                y = u * stride[0] - padding[0] + k // kw * dilation[0]
                z = v * stride[1] - padding[1] + k % kw * dilation[1]
                y, z = (
                    y + float(offset[b, 2 * place, u, v]),
                    z + float(offset[b, 2 * place + 1, u, v]),
                )
                total += weight[f, q, k // kw, k % kw] * mask[b, place, u, v] * pixel(b, ch, y, z)
        out[b, f, u, v] = total
    return out


@pytest.mark.parametrize(
    ("groups", "parts", "stride", "padding", "dilation", "kernel"),
    [
        (1, 1, (1, 1), (1, 1), (1, 1), (3, 3)),
        (2, 1, (2, 1), (0, 1), (1, 1), (3, 2)),
        (1, 2, (1, 1), (1, 0), (1, 2), (2, 3)),
        (2, 4, (1, 2), (1, 1), (2, 1), (2, 2)),
    ],
)
def test_deform_conv_equals_its_definition(groups, parts, stride, padding, dilation, kernel):
    g = torch.Generator().manual_seed(3)
    x = torch.randn(2, 4, 5, 6, generator=g, dtype=torch.float64)
    weight = torch.randn(2, 4 // groups, *kernel, generator=g, dtype=torch.float64)
    bias = torch.randn(2, generator=g, dtype=torch.float64)
    plain = torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)
    k = kernel[0] * kernel[1]
    size = plain.shape[2:]
    offset = 2 * torch.randn(2, 2 * parts * k, *size, generator=g, dtype=torch.float64)
    mask = torch.rand(2, parts * k, *size, generator=g, dtype=torch.float64)
    settings = (stride, padding, dilation)
    got = deform_conv2d(x, weight, offset, mask, bias, *settings)
    torch.testing.assert_close(got, slow_deform(x, weight, offset, mask, bias, *settings))
    still = deform_conv2d(x, weight, torch.zeros_like(offset), None, bias, *settings)
    torch.testing.assert_close(still, plain)


def test_deform_conv_has_the_gradient_of_its_definition() -> None:
    g = torch.Generator().manual_seed(1)
    shapes = [(1, 2, 4, 4), (2, 2, 3, 3), (1, 18, 2, 2), (1, 9, 2, 2), (2,)]
    tensors = [torch.randn(s, generator=g, dtype=torch.float64) * 0.4 for s in shapes]
    for tensor in tensors:
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(lambda *t: deform_conv2d(*t), tensors)
