"""EfficientDet-D0 and its pyramid: the fusion by hand, shapes, and what the two variants share."""

import pytest
import torch
from torch import Tensor, nn
from twin import with_life

from lightcourse.models import efficientdet_d0
from lightcourse.nn import BiFPN, BiFPNNode, FastFusion


def test_fusion_by_hand() -> None:
    fusion = FastFusion(3, epsilon=0.5)
    fusion.weight.data = torch.tensor([1.0, -7.0, 2.5])  # negative counts as nothing
    maps = [torch.full((1, 1, 1, 1), value) for value in (4.0, 100.0, 8.0)]
    assert fusion(*maps).item() == pytest.approx((1 * 4 + 2.5 * 8) / (1 + 2.5 + 0.5))


def test_every_level_sees_every_level() -> None:
    torch.manual_seed(0)
    layer = BiFPN([5, 6, 4, 4], 4)
    maps = [
        torch.randn(1, c, side, side, requires_grad=True)
        for c, side in ((5, 16), (6, 8), (4, 4), (4, 2))
    ]
    for out in layer.eval()(maps):
        grads = torch.autograd.grad(out.square().sum(), maps, retain_graph=True)
        assert all(grad.abs().sum() > 0 for grad in grads)


def test_nodes_of_a_layer() -> None:
    layer = BiFPN([40, 112, 320, 64, 64], 64)
    nodes = [m for m in layer.modules() if isinstance(m, BiFPNNode)]
    fused = sorted(n.fuse.weight.numel() for n in nodes)
    assert fused == [2] * 5 + [3] * 3  # figure 2(d): a shortcut on all but the outer levels


def test_maps_of_five_levels_and_their_anchors() -> None:
    with torch.device("meta"):
        model = efficientdet_d0(num_classes=7)
        classes, boxes = model(torch.empty(1, 3, 512, 512))
    sides = [64, 32, 16, 8, 4]
    assert [tuple(x.shape) for x in classes] == [(1, 63, s, s) for s in sides]
    assert [tuple(x.shape) for x in boxes] == [(1, 36, s, s) for s in sides]
    assert sum(x.numel() for x in boxes) // 4 == 49_104
    with torch.device("meta"):
        odd = model(torch.empty(1, 3, 500, 333))[0]
    assert odd[0].shape[2:] == (63, 42), "sides need not be multiples of 128"


def test_parts_have_the_published_sizes() -> None:
    for variant, pyramid, classes, boxes in (
        ("paper", 194_361, 69_162, 18_852),
        ("tf", 196_281, 69_354, 19_044),
    ):
        model = efficientdet_d0(variant=variant)
        parts = ([model.backbone], [model.extra, model.pyramid], [model.class_net], [model.box_net])
        sizes = [sum(p.numel() for m in part for p in m.parameters()) for part in parts]
        assert sizes == [3_595_388, pyramid, classes, boxes]


def test_biases_before_a_norm_compute_the_same() -> None:
    """A bias moves the mean that the norm takes away: shift the running mean, and drop the bias."""
    torch.manual_seed(0)
    biased, plain = with_life(efficientdet_d0(5, variant="tf")), efficientdet_d0(5).eval()
    state = {key: value.clone() for key, value in biased.state_dict().items()}
    for key in sorted(state.keys() - plain.state_dict().keys()):
        bias = state.pop(key)
        for norm in norms_after(key, biased):
            state[f"{norm}.running_mean"] -= bias
    plain.load_state_dict(state)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for ours, theirs in zip(flat(plain(x)), flat(biased(x)), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def norms_after(key: str, model: nn.Module) -> list[str]:
    """Names of the batch norms that follow the convolution of this bias."""
    home, _, rest = key.partition(".convs.")
    if rest:  # a head: one norm for each level
        place = rest.split(".")[0]
        return [f"{home}.norms.{level}.{place}" for level in range(5)]
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d)]
    return [names[names.index(key.removesuffix(".bias")) + 1]]


def flat(maps: tuple[list[Tensor], list[Tensor]]) -> list[Tensor]:
    return [*maps[0], *maps[1]]


def test_starts_with_one_anchor_in_a_hundred() -> None:
    torch.manual_seed(0)
    model = efficientdet_d0(num_classes=3).eval()
    with torch.no_grad():
        classes, _ = model(torch.randn(1, 3, 64, 64))
    assert classes[0].sigmoid().mean().item() == pytest.approx(0.01, rel=0.2)


def test_trains() -> None:
    model = efficientdet_d0(num_classes=3)
    classes, boxes = model(torch.randn(2, 3, 128, 128))
    sum(x.square().mean() for x in [*classes, *boxes]).backward()
    assert all(p.grad is not None for p in model.parameters())
