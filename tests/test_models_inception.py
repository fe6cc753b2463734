"""The Inception networks: the table of 2014, torchvision's outputs, side heads, the row notation.

Counts of every published variant are in test_models_published.py; outputs of BN-Inception,
Inception-v4 and Inception-ResNet-v2 are compared in bench/bench_models_classics.py.
"""

from functools import partial

import pytest
import torch
from layer_tables import assert_layers
from torch import nn
from twin import assert_same_outputs, with_life

from lightcourse import create_model
from lightcourse._torchvision import import_torchvision
from lightcourse.errors import UserError
from lightcourse.models import bn_inception, googlenet, inception_resnet_v2, inception_v3
from lightcourse.nn import Branches, Chain, InceptionConv, InceptionResidual

MAX = nn.MaxPool2d


def params(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_googlenet_has_the_layers_of_table_1() -> None:
    with torch.device("meta"):
        assert_layers(googlenet(), "googlenet_original")


@pytest.mark.parametrize(("name", "side"), [("googlenet", 95), ("inception_v3", 107)])
def test_equals_torchvision(name: str, side: int) -> None:
    settings = {"variant": "torchvision"} if name == "googlenet" else {}
    with torch.device("meta"):
        build = getattr(import_torchvision().models, name)
        theirs = build(aux_logits=False, init_weights=False)
        ours = create_model(name, **settings)
    x = torch.randn(2, 3, side, side + 20)
    assert_same_outputs(theirs.to_empty(device="cpu"), ours.to_empty(device="cpu"), x)


def test_side_heads_equal_torchvisions() -> None:
    with torch.device("meta"):
        models = import_torchvision().models
        theirs = models.googlenet(aux_logits=True, init_weights=False)
        ours = googlenet(variant="torchvision", aux_classifiers=True)
        theirs_v3 = models.inception_v3(aux_logits=True, init_weights=False)
        ours_v3 = inception_v3(aux_classifiers=True)
    for a, b, shape in (
        (theirs.aux1, ours.heads[0], (2, 512, 14, 14)),
        (theirs.aux2, ours.heads[1], (2, 528, 12, 14)),
        (theirs_v3.AuxLogits, ours_v3.heads[0], (2, 768, 17, 17)),
    ):
        a, b = a.to_empty(device="cpu"), b.to_empty(device="cpu")
        assert_same_outputs(a, b, torch.randn(shape))


@pytest.mark.parametrize(
    ("build", "side", "heads", "total"),
    [
        (googlenet, 224, 2, 13_378_280),
        (partial(googlenet, variant="torchvision"), 64, 2, 13_004_888),
        (inception_v3, 299, 1, 27_161_264),
    ],
)
def test_side_heads_speak_in_training_only(build, side: int, heads: int, total: int) -> None:
    with torch.device("meta"):
        model = build(aux_classifiers=True)
        assert params(model) == total
        x = torch.zeros(2, 3, side, side)
        out = model(x)
        assert isinstance(out, tuple) and [o.shape for o in out] == [(2, 1000)] * (1 + heads)
        assert model.eval()(x).shape == (2, 1000)
        assert build().train()(x).shape == (2, 1000)  # without heads one output, as any network


def test_side_heads_read_the_map_that_the_paper_names() -> None:
    model = googlenet(num_classes=3, variant="torchvision", aux_classifiers=True, dropout=0)
    with_life(model)
    for head in model.heads:
        head[5].p = 0.0  # dropout, so that training gives one answer
    model.train()
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.eval()
    x = torch.randn(1, 3, 64, 64)
    seen = []
    model.parts[0].register_forward_hook(lambda _m, _args, out: seen.append(out))
    out, first, second = model(x)
    assert seen[0].shape == (1, 512, 4, 4)  # after 4a
    torch.testing.assert_close(first, model.heads[0](seen[0]))
    torch.testing.assert_close(out, model.eval()(x))
    assert second.shape == (1, 3)


def sizes(model: nn.Module, side: int) -> list[tuple[int, int]]:
    """Channels and side of each map that the network's modules leave, without repeats."""
    found: list[tuple[int, int]] = []

    def note(_module: nn.Module, _args: tuple, out: torch.Tensor) -> None:
        if not found or found[-1] != (out.shape[1], out.shape[2]):
            found.append((out.shape[1], out.shape[2]))

    for part in model.parts:
        for module in part if isinstance(part, Chain) else [part]:
            if isinstance(module, Branches | InceptionResidual):
                module.register_forward_hook(note)
    model.eval()(torch.zeros(1, 3, side, side))
    return found


@pytest.mark.parametrize(
    ("name", "side", "expected"),
    [
        # figure 9 of arXiv 1602.07261, the stem's three modules first
        ("inception_v4", 299,
         [(160, 73), (192, 71), (384, 35), (1024, 17), (1536, 8)]),
        # the released model; figures 16, 17 and 19 print 384, 1154 and 2048 channels
        ("inception_resnet_v2", 299, [(320, 35), (1088, 17), (2080, 8)]),
        # table 1 of arXiv 1512.00567
        ("inception_v3", 299,
         [(256, 35), (288, 35), (768, 17), (1280, 8), (2048, 8)]),
        # table 1 of arXiv 1409.4842
        ("googlenet", 224,
         [(256, 28), (480, 28), (512, 14), (528, 14), (832, 14), (832, 7), (1024, 7)]),
        # figure 5 of arXiv 1502.03167
        ("bn_inception", 224,
         [(256, 28), (320, 28), (576, 14), (608, 14), (1056, 7), (1024, 7)]),
    ],
)  # fmt: skip
def test_maps_have_the_papers_sizes(name: str, side: int, expected: list) -> None:
    with torch.device("meta"):
        assert sizes(create_model(name), side) == expected


def test_bn_inception_counts_biases_that_its_norms_make_idle() -> None:
    with torch.device("meta"):
        model = bn_inception()
    biases = [m.bias for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert all(b is not None for b in biases)
    assert sum(b.numel() for b in biases) == 10_016
    conv = with_life(InceptionConv(3, 4, bias=True)).train()
    x = torch.randn(2, 3, 5, 5)
    before = conv(x)
    conv[0].bias.data += 3.0
    torch.testing.assert_close(conv(x), before)


def test_blocks_of_inception_resnet_v2() -> None:
    with torch.device("meta"):
        blocks = [m for m in inception_resnet_v2().modules() if isinstance(m, InceptionResidual)]
    scales = [block.scale for block in blocks]
    assert scales == [0.17] * 10 + [0.1] * 20 + [0.2] * 9 + [1.0]
    assert isinstance(blocks[-1].activation, nn.Identity)


class TestRows:
    def test_a_convolution_keeps_the_size_unless_told_otherwise(self) -> None:
        rows = [(8, (1, 7)), (8, (7, 1)), (6, 5), (6, 3, 1, 0), (4, 3, 2, 0), (MAX, 3, 2)]
        x, shapes = torch.zeros(1, 3, 33, 33), []
        for layer in Chain(3, rows):
            x = layer(x)
            shapes.append(tuple(x.shape[1:]))
        same = [(8, 33, 33), (8, 33, 33), (6, 33, 33)]
        assert shapes == [*same, (6, 31, 31), (4, 15, 15), (4, 7, 7)]

    def test_branches_join_their_chains_in_order(self) -> None:
        module = with_life(Branches(3, [[(4, 1)], [(2, 1), (5, 3)], [(MAX, 3, 1, 1)]]))
        x = torch.randn(2, 3, 9, 9)
        a, b, c = (chain(x) for chain in module.chains)
        joined = module(x)
        assert module.out_channels == joined.shape[1] == 4 + 5 + 3
        assert torch.equal(joined, torch.cat([a, b, c], 1))
        assert torch.equal(c, nn.functional.max_pool2d(x, 3, 1, 1))

    def test_a_list_within_a_chain_forks_it(self) -> None:
        fork = [[(2, (1, 3))], [(3, (3, 1))]]
        chain = with_life(Chain(4, [(6, 1), fork, (7, 1)]))
        x = torch.randn(1, 4, 5, 5)
        first, branches, last = chain
        y = first(x)
        forked = torch.cat([branches.chains[0](y), branches.chains[1](y)], 1)
        torch.testing.assert_close(chain(x), last(forked))
        assert last[0].in_channels == 5 and chain.out_channels == 7

    def test_without_a_norm_a_bias_takes_its_place(self) -> None:
        conv = InceptionConv(3, 4, norm=None, bias=True)
        assert [type(m) for m in conv] == [nn.Conv2d, nn.ReLU] and conv[0].bias is not None

    def test_the_residual_form_adds_a_share(self) -> None:
        block = with_life(InceptionResidual(6, [[(4, 1)], [(2, 3)]], scale=0.5))
        x = torch.randn(1, 6, 7, 7)
        branch = block.up(block.branches(x))
        torch.testing.assert_close(block(x), (x + 0.5 * branch).relu())
        block.scale = 0.0
        torch.testing.assert_close(block(x), x.relu())


def test_first_weights_keep_the_signal_alive_without_norms() -> None:
    torch.manual_seed(0)
    model = googlenet(num_classes=10).eval()
    with torch.no_grad():
        out = model(torch.randn(2, 3, 96, 96))
    assert 0.05 < out.std() < 20  # by fan-out it was far above


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: googlenet(variant="v1"), "choose one of paper, torchvision"),
        (lambda: create_model("inception_v3", aux_logits=True), "aux_classifiers"),
        (lambda: create_model("bn_inception", num_classes=0), "num_classes is 0"),
    ],
)
def test_mistakes_get_one_clear_sentence(build, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        build()
    assert "\n" not in str(caught.value)


def test_too_small_a_picture_is_named() -> None:
    with torch.device("meta"):
        model = inception_v3(num_classes=2).eval()
        with pytest.raises(UserError, match=r"small for InceptionV3; .* is 75×75"):
            model(torch.zeros(1, 3, 64, 64))


def test_a_picture_that_does_not_fit_the_side_heads_is_named() -> None:
    with torch.device("meta"):
        model = googlenet(aux_classifiers=True)
        assert model.eval()(torch.zeros(1, 3, 128, 128)).shape == (1, 1000)
        model.train()
        for x, says in (
            (torch.zeros(2, 3, 128, 128), "128×128 does not fit the side heads of GoogLeNet"),
            (torch.zeros(2, 1, 224, 224), "built for 3 input channels and got 1"),
        ):
            with pytest.raises(UserError, match=says):
                model(x)
