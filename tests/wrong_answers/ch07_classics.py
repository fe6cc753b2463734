"""Chapter 07: what learners write, wrong (with the mistake's name) and right."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from lightcourse.nn import BasicBlock, InceptionConv
from lightcourse.nn import DenseBlock as Ready

# ---- stack


def loops(n, channels):
    side, small = 1, 0
    for _ in range(n):
        side += 2
        small += 3 * 3 * channels * channels
    return side, small, side * side * channels * channels


def modules(n, channels):
    net = nn.Sequential(*[nn.Conv2d(channels, channels, 3, bias=False) for _ in range(n)])
    side = 1 + sum(m.kernel_size[0] - 1 for m in net)
    large = nn.Conv2d(channels, channels, side, bias=False)
    return [side, sum(p.numel() for p in net.parameters()), large.weight.numel()]


def arrays(n, channels):
    return tuple(np.array([2 * n + 1, 9 * n * channels**2, (2 * n + 1) ** 2 * channels**2]))


def numbers(side, small, large=lambda n, c: (2 * n + 1) ** 2 * c * c):
    return lambda n, channels: (side(n), small(n, channels), large(n, channels))


def odd(n):
    return 2 * n + 1


STACK_WRONG = [
    (
        "field-added-whole",
        numbers(lambda n: 3 * n, lambda n, c: 9 * n * c * c, lambda n, c: 9 * n * n * c * c),
    ),
    (
        "field-doubled",
        numbers(lambda n: 2 * n, lambda n, c: 9 * n * c * c, lambda n, c: 4 * n * n * c * c),
    ),
    (
        "field-one-layer-too-far",
        numbers(
            lambda n: 2 * n + 3, lambda n, c: 9 * n * c * c, lambda n, c: (2 * n + 3) ** 2 * c * c
        ),
    ),
    (
        "field-multiplied",
        numbers(lambda n: 3**n, lambda n, c: 9 * n * c * c, lambda n, c: 9**n * c * c),
    ),
    ("one-pair-of-channels", numbers(odd, lambda n, c: 9 * n * c, lambda n, c: odd(n) ** 2 * c)),
    ("channels-forgotten", numbers(odd, lambda n, c: 9 * n, lambda n, c: odd(n) ** 2)),
    ("one-layer-only", numbers(odd, lambda n, c: 9 * c * c)),
    ("kernel-once", numbers(odd, lambda n, c: 3 * n * c * c, lambda n, c: odd(n) * c * c)),
    (
        "biases-counted",
        numbers(odd, lambda n, c: 9 * n * c * c + n * c, lambda n, c: odd(n) ** 2 * c * c + c),
    ),
    ("large-fixed", numbers(odd, lambda n, c: 9 * n * c * c, lambda n, c: 25 * c * c)),
    (
        "stack-and-large-swapped",
        lambda n, channels: (odd(n), odd(n) ** 2 * channels**2, 9 * n * channels**2),
    ),
    (
        "field-without-the-first",
        numbers(
            lambda n: 2 * n - 1, lambda n, c: 9 * n * c * c, lambda n, c: (2 * n - 1) ** 2 * c * c
        ),
    ),
    ("field-as-area", numbers(lambda n: odd(n) ** 2, lambda n, c: 9 * n * c * c)),
    ("large-not-squared", numbers(odd, lambda n, c: 9 * n * c * c, lambda n, c: odd(n) * c * c)),
    (None, numbers(odd, lambda n, c: 9 * n * c * c, lambda n, c: 18 * c * c)),
    ("returns-none", lambda n, channels: print(n)),
    ("wrong-type", lambda n, channels: odd(n)),
]

# ---- residual


class Right(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def body(self, x):
        return self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


class NoShortcutWhereTheShapesAgree(nn.Module):
    """Without an attribute, and with a ReLU layer that works in place."""

    def __init__(self, c, out, stride=1):
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.bn2, self.bn1 = nn.BatchNorm2d(out), nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, (3, 3), padding="same", bias=False)
        self.conv1 = nn.Conv2d(c, out, (3, 3), (stride, stride), (1, 1), bias=False)
        self.fits = stride == 1 and c == out
        if not self.fits:
            self.shortcut = nn.Sequential()
            self.shortcut.append(nn.Conv2d(c, out, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(out))

    def forward(self, x):
        kept = x if self.fits else self.shortcut(x)
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += kept
        return self.relu(y)


def block(forward, base=Right):
    """The right parts with another forward."""

    class Residual(base):
        def forward(self, x):
            return forward(self, x)

    return Residual


def changed(change, base=Right):
    """The right block, changed after it is made by change(block, c, out, stride)."""

    class Residual(base):
        def __init__(self, c, out, stride=1):
            super().__init__(c, out, stride)
            change(self, c, out, stride)

    return Residual


def second_strided(m, c, out, stride):
    m.conv1.stride, m.conv2.stride = (1, 1), (stride, stride)


def both_strided(m, c, out, stride):
    m.conv2.stride = (stride, stride)


def unstrided(m, c, out, stride):
    m.conv1.stride = (1, 1)


def biased(m, c, out, stride):
    m.conv1 = nn.Conv2d(c, out, 3, stride, 1)
    m.conv2 = nn.Conv2d(out, out, 3, 1, 1)


def unpadded(m, c, out, stride):
    m.conv2.padding = (0, 0)


def always(m, c, out, stride):
    conv = nn.Conv2d(c, out, 1, stride, bias=False)
    m.shortcut = nn.Sequential(conv, nn.BatchNorm2d(out))


def never(m, c, out, stride):
    m.shortcut = nn.Identity()


def channels_only(m, c, out, stride):
    if c == out:
        m.shortcut = nn.Identity()


def bare(m, c, out, stride):
    if stride != 1 or c != out:
        m.shortcut = nn.Conv2d(c, out, 1, stride, bias=False)


def unstrided_shortcut(m, c, out, stride):
    if stride != 1 or c != out:
        m.shortcut[0] = nn.Conv2d(c, out, 1, bias=False)


def large_shortcut(m, c, out, stride):
    if stride != 1 or c != out:
        m.shortcut[0] = nn.Conv2d(c, out, 3, stride, 1, bias=False)


def extra(m, c, out, stride):
    m.bn3 = nn.BatchNorm2d(out)


class OtherNames(nn.Module):
    def __init__(self, c, out, stride=1):
        super().__init__()
        self.first = nn.Conv2d(c, out, 3, stride, 1, bias=False)


class FromTheShelf(BasicBlock):
    def __init__(self, c, out, stride=1):
        super().__init__(c, out, stride)
        self.shortcut = self.downsample


class Detached(Right):
    def forward(self, x):
        return F.relu(self.body(x).detach() + self.shortcut(x))


class Dropping(Right):
    def forward(self, x):
        return F.relu(F.dropout(self.body(x), 0.3, self.training) + self.shortcut(x))


def in_place(m, x):
    x.relu_()
    return F.relu(m.body(x) + m.shortcut(x))


def growing_only(m, c, out, stride):
    if stride == 1 and c >= out:
        m.shortcut = nn.Identity()


def slow_norms(m, c, out, stride):
    m.bn1.momentum = m.bn2.momentum = 0.01


def narrow_first_norm(m, c, out, stride):
    m.bn1 = nn.BatchNorm2d(c)


def adds_to_the_input(m, x):
    y = m.body(x)
    kept = m.shortcut(x)
    kept += y
    return F.relu(kept)


def written_over_on_the_way(m, x):
    y = F.relu(m.bn1(m.conv1(x)))
    z = m.conv2(y)
    y.zero_()
    return F.relu(m.bn2(z) + m.shortcut(x))


def norm_first(m, x):
    return m.conv2(F.relu(m.bn2(m.conv1(F.relu(m.bn1(x)))))) + m.shortcut(x)


def norm_first_and_relu(m, x):
    return F.relu(norm_first(m, x))


RESIDUAL_WRONG = [
    ("projection-missing", changed(growing_only)),
    ("the batch norms are as torch makes them", changed(slow_norms)),
    ("the input stays as it was", block(adds_to_the_input)),
    (
        "every parameter learns, and nothing is left to chance",
        block(written_over_on_the_way),
    ),
    ("norm-in-front", block(norm_first)),
    ("norm-in-front", block(norm_first_and_relu)),
    ("norm-in-front-made-for-it", block(norm_first, changed(narrow_first_norm))),
    ("norm-in-front-made-for-it", block(norm_first_and_relu, changed(narrow_first_norm))),
    ("first-norm-too-narrow", changed(narrow_first_norm)),
    ("every parameter learns, and nothing is left to chance", Dropping),
    ("relu-on-the-input", block(in_place)),
    ("name-missing", OtherNames),
    ("ready-made", FromTheShelf),
    ("bias-too-many", changed(biased)),
    ("padding-forgotten", changed(unpadded)),
    ("stride-on-the-second", changed(second_strided)),
    ("stride-on-both", changed(both_strided)),
    ("stride-unused", changed(unstrided)),
    ("always-projected", changed(always)),
    ("projection-missing", changed(never)),
    ("projection-missing", changed(channels_only)),
    ("projection-without-norm", changed(bare)),
    ("projection-misfit", changed(unstrided_shortcut)),
    ("projection-misfit", changed(large_shortcut)),
    ("shortcut-not-added", block(lambda m, x: F.relu(m.body(x)))),
    ("relu-before-the-sum", block(lambda m, x: F.relu(m.body(x)) + m.shortcut(x))),
    ("relu-before-and-after", block(lambda m, x: F.relu(F.relu(m.body(x)) + m.shortcut(x)))),
    ("last-relu-forgotten", block(lambda m, x: m.body(x) + m.shortcut(x))),
    (
        "first-relu-forgotten",
        block(lambda m, x: F.relu(m.bn2(m.conv2(m.bn1(m.conv1(x)))) + m.shortcut(x))),
    ),
    ("relu-on-the-shortcut", block(lambda m, x: F.relu(m.body(x) + F.relu(m.shortcut(x))))),
    (
        "norm-used-twice",
        block(lambda m, x: F.relu(m.bn1(m.conv2(F.relu(m.bn1(m.conv1(x))))) + m.shortcut(x))),
    ),
    (
        "norms-unused",
        block(lambda m, x: F.relu(m.conv2(F.relu(m.conv1(x))) + m.shortcut(x))),
    ),
    ("side-by-side", block(lambda m, x: F.relu(torch.cat([m.body(x), m.shortcut(x)], 1)))),
    ("parts-too-many", changed(extra)),
    (None, block(lambda m, x: F.relu(m.body(x) - m.shortcut(x)))),
    (None, block(lambda m, x: F.leaky_relu(m.body(x) + m.shortcut(x), 0.1))),
    ("every parameter learns, and nothing is left to chance", Detached),
    ("wrong-type", block(lambda m, x: None)),
    ("not-callable", lambda c, out, stride=1: Right(c, out, stride)),
]

# ---- dense


def layer(c, growth):
    return nn.Sequential(
        nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, growth, 3, padding=1, bias=False)
    )


def dense(make=layer, run=None, channels=lambda c, i, k: c + i * k, count=lambda n: n):
    """A dense block from the way its layers are made, and the way they are run."""

    class Dense(nn.Module):
        def __init__(self, in_channels, layers, growth):
            super().__init__()
            made = [make(channels(in_channels, i, growth), growth) for i in range(count(layers))]
            self.layers = nn.ModuleList(made)

        def forward(self, x):
            if run is not None:
                return run(self, x)
            for one in self.layers:
                x = torch.cat([x, one(x)], 1)
            return x

    return Dense


class OwnLayer(nn.Module):
    """The convolution is written before the norm, and used behind it."""

    def __init__(self, c, growth):
        super().__init__()
        self.conv = nn.Conv2d(c, growth, 3, padding="same", bias=False)
        self.norm = nn.BatchNorm2d(c)

    def forward(self, x):
        return self.conv(self.norm(x).relu())


def all_in_a_list(m, x):
    maps = [x]
    for one in m.layers:
        maps.append(one(torch.cat(maps, dim=1)))
    return torch.cat(maps, dim=1)


class PlainList(nn.Module):
    def __init__(self, c, n, growth):
        super().__init__()
        self.layers = [layer(c + i * growth, growth) for i in range(n)]

    def forward(self, x):
        return all_in_a_list(self, x)


class NoLayers(nn.Module):
    def __init__(self, c, n, growth):
        super().__init__()
        self.blocks = nn.ModuleList([layer(c + i * growth, growth) for i in range(n)])


class FromTheShelfToo(nn.Module):
    def __init__(self, c, n, growth):
        super().__init__()
        self.block = Ready(c, n, growth, bottleneck=False)
        self.layers = nn.ModuleList(self.block.children())

    def forward(self, x):
        return self.block(x)


class OneMore(dense()):
    def __init__(self, c, n, growth):
        super().__init__(c, n, growth)
        self.norm = nn.BatchNorm2d(c + n * growth)


def conv(c, growth, **more):
    return nn.Conv2d(c, growth, **{"kernel_size": 3, "padding": 1, "bias": False, **more})


def bottle(c, k):
    first = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), conv(c, 4 * k, kernel_size=1, padding=0))
    return nn.Sequential(*first, nn.BatchNorm2d(4 * k), nn.ReLU(), conv(4 * k, k))


def only_new(m, x):
    return all_in_a_list(m, x)[:, x.shape[1] :]


def only_last(m, x):
    return all_in_a_list(m, x)[:, -m.layers[-1][2].out_channels :]


def new_first(m, x):
    for one in m.layers:
        x = torch.cat((one(x), x), 1)
    return x


def added(m, x):
    for one in m.layers:
        x = x + one(x)
    return x


def cut(m, x):
    return torch.cat([x, all_in_a_list(m, x)[:, x.shape[1] :].detach()], 1)


def as_a_whole(m, x):
    return nn.Sequential(*m.layers)(x)


def along_the_pictures(m, x):
    for one in m.layers:
        x = torch.cat([x, one(x)])
    return x


def shifts_the_input(m, x):
    y = all_in_a_list(m, x)
    x -= x.mean()
    return y


def slow_layer(c, k):
    made = layer(c, k)
    made[0].momentum = 0.01
    return made


DENSE_WRONG = [
    ("cat-axis", dense(run=along_the_pictures)),
    ("the input stays as it was", dense(run=shifts_the_input)),
    ("the batch norms are as torch makes them", dense(make=slow_layer)),
    ("one-after-the-other", dense(run=as_a_whole)),
    ("python-list", PlainList),
    ("name-missing", NoLayers),
    ("ready-made", FromTheShelfToo),
    ("number-of-layers", dense(count=lambda n: n + 1)),
    ("number-of-layers", dense(count=lambda n: n - 1)),
    ("never-grows", dense(channels=lambda c, i, k: c)),
    ("reads-the-last-only", dense(channels=lambda c, i, k: k if i else c)),
    ("growth-unused", dense(make=lambda c, k: layer(c, c), channels=lambda c, i, k: c * 2**i)),
    ("bottleneck", dense(make=bottle)),
    (
        "norm-behind",
        dense(make=lambda c, k: nn.Sequential(conv(c, k), nn.BatchNorm2d(k), nn.ReLU())),
    ),
    (
        "bias-too-many",
        dense(make=lambda c, k: nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), conv(c, k, bias=True))),
    ),
    (
        "padding-forgotten",
        dense(make=lambda c, k: nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), conv(c, k, padding=0))),
    ),
    ("added", dense(run=added)),
    ("only-the-new", dense(run=only_new)),
    ("only-the-last", dense(run=only_last)),
    ("new-maps-first", dense(run=new_first)),
    ("relu-forgotten", dense(make=lambda c, k: nn.Sequential(nn.BatchNorm2d(c), conv(c, k)))),
    (
        "relu-before-the-norm",
        dense(make=lambda c, k: nn.Sequential(nn.ReLU(), nn.BatchNorm2d(c), conv(c, k))),
    ),
    (
        "relu-behind",
        dense(make=lambda c, k: nn.Sequential(nn.BatchNorm2d(c), conv(c, k), nn.ReLU())),
    ),
    ("parts-too-many", OneMore),
    (
        None,
        dense(make=lambda c, k: nn.Sequential(nn.BatchNorm2d(c), nn.Tanh(), conv(c, k))),
    ),
    ("every parameter learns, and nothing is left to chance", dense(run=cut)),
]

# ---- reduce


class Reduce(nn.Module):
    def __init__(self, in_channels, direct, narrow, wide):
        super().__init__()
        self.direct = InceptionConv(in_channels, direct, 3, 2, 0)
        self.narrow = InceptionConv(in_channels, narrow, 1)
        self.wide = InceptionConv(narrow, wide, 3)
        self.halve = InceptionConv(wide, wide, 3, 2, 0)

    def both(self, x):
        return self.direct(x), self.halve(self.wide(self.narrow(x)))

    def forward(self, x):
        return torch.cat([*self.both(x), F.max_pool2d(x, 3, 2)], 1)


class ReduceByHand(nn.Module):
    """Three layers for each InceptionConv, and a pool that is a layer."""

    def __init__(self, c, direct, narrow, wide):
        super().__init__()
        self.pool = nn.MaxPool2d(3, stride=2)
        self.halve = self.make(wide, wide, 3, 2, 0)
        self.wide = self.make(narrow, wide, 3, 1, "same")
        self.narrow = self.make(c, narrow, 1, 1, 0)
        self.direct = self.make(c, direct, 3, 2, "valid")

    @staticmethod
    def make(c, out, k, stride, padding):
        conv = nn.Conv2d(c, out, k, stride, padding, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU())

    def forward(self, x):
        deep = self.wide(self.narrow(x))
        return torch.concat((self.direct(x), self.halve(deep), self.pool(x)), dim=1)


def reduction(forward):
    class Reduction(Reduce):
        def forward(self, x):
            return forward(self, x)

    return Reduction


def rebuilt(**parts):
    """The right block, with parts made anew from (in_channels, direct, narrow, wide)."""

    class Reduction(Reduce):
        def __init__(self, *widths):
            super().__init__(*widths)
            for name, make in parts.items():
                setattr(self, name, make(*widths))

    return Reduction


class NoNames(nn.Module):
    def __init__(self, c, direct, narrow, wide):
        super().__init__()
        self.a = InceptionConv(c, direct, 3, 2, 0)


class ReadyReduction(Reduce):
    def __init__(self, *widths):
        super().__init__(*widths)
        self.other = BasicBlock(4, 4)


class ReduceMore(Reduce):
    def __init__(self, *widths):
        super().__init__(*widths)
        self.last = nn.BatchNorm2d(4)


def pooled(pool):
    return reduction(lambda m, x: torch.cat([*m.both(x), pool(x)], 1))


def pool_written_over(m, x):
    found = m.both(x)
    x[..., 0] = 0
    return torch.cat([*found, F.max_pool2d(x.clone(), 3, 2)], 1)


def written_behind(m, x):
    y = torch.cat([*m.both(x), F.max_pool2d(x, 3, 2)], 1)
    x.relu_()
    return y


REDUCE_WRONG = [
    ("cat-axis", reduction(lambda m, x: torch.cat([*m.both(x), F.max_pool2d(x, 3, 2)]))),
    ("pool-small", pooled(lambda x: F.max_pool2d(x, 2, 2))),
    ("the input stays as it was", reduction(written_behind)),
    (None, reduction(pool_written_over)),
    ("name-missing", NoNames),
    ("ready-made", ReadyReduction),
    ("norm-missing", rebuilt(direct=lambda c, a, b, d: nn.Conv2d(c, a, 3, 2, bias=False))),
    ("padded", rebuilt(direct=lambda c, a, b, d: InceptionConv(c, a, 3, 2))),
    ("padded", rebuilt(halve=lambda c, a, b, d: InceptionConv(d, d, 3, 2))),
    ("not-halved", rebuilt(direct=lambda c, a, b, d: InceptionConv(c, a, 3))),
    (
        "halved-early",
        rebuilt(
            wide=lambda c, a, b, d: InceptionConv(b, d, 3, 2, 0),
            halve=lambda c, a, b, d: InceptionConv(d, d, 1),
        ),
    ),
    ("wide-unpadded", rebuilt(wide=lambda c, a, b, d: InceptionConv(b, d, 3, 1, 0))),
    ("wide-reads-input", rebuilt(wide=lambda c, a, b, d: InceptionConv(c, d, 3))),
    ("narrow-large", rebuilt(narrow=lambda c, a, b, d: InceptionConv(c, b, 3))),
    (
        "halve-narrow",
        rebuilt(
            wide=lambda c, a, b, d: InceptionConv(b, b, 3),
            halve=lambda c, a, b, d: InceptionConv(b, d, 3, 2, 0),
        ),
    ),
    ("fed-wrongly", reduction(lambda m, x: torch.cat([m.direct(x), m.halve(m.wide(x))], 1))),
    ("fed-wrongly", reduction(lambda m, x: torch.cat([m.direct(x), m.halve(m.narrow(x))], 1))),
    ("pool-does-not-fit", pooled(lambda x: F.max_pool2d(x, 3, 2, padding=1))),
    ("pool-does-not-fit", pooled(lambda x: x)),
    ("pool-forgotten", reduction(lambda m, x: torch.cat(m.both(x), 1))),
    ("pool-first", reduction(lambda m, x: torch.cat([F.max_pool2d(x, 3, 2), *m.both(x)], 1))),
    (
        "deep-first",
        reduction(lambda m, x: torch.cat([*m.both(x)[::-1], F.max_pool2d(x, 3, 2)], 1)),
    ),
    (
        "pool-second",
        reduction(lambda m, x: torch.cat([m.both(x)[0], F.max_pool2d(x, 3, 2), m.both(x)[1]], 1)),
    ),
    ("pool-average", pooled(lambda x: F.avg_pool2d(x, 3, 2))),
    ("pool-activated", pooled(lambda x: F.max_pool2d(x, 3, 2).relu())),
    ("parts-too-many", ReduceMore),
    (None, pooled(lambda x: F.max_pool2d(x, 3, 2) * 2)),
    ("wrong-type", reduction(lambda m, x: m.both(x))),
    (
        "every parameter learns, and nothing is left to chance",
        reduction(
            lambda m, x: torch.cat([m.both(x)[0].detach(), m.both(x)[1], F.max_pool2d(x, 3, 2)], 1)
        ),
    ),
]

# ---- net


def right_loss(scores, labels, weight):
    return F.cross_entropy(scores[0], labels) + weight * (
        F.cross_entropy(scores[1], labels) + F.cross_entropy(scores[2], labels)
    )


def three_by_three(**more):
    settings = {"kernel_size": 3, "padding": 1, "bias": False, **more}
    return [nn.Conv2d(3, 16, **settings), nn.BatchNorm2d(16), nn.ReLU()]


def resnet(
    stem=three_by_three,
    widths=(16, 32, 64),
    stride=lambda stage, i: 2 if stage > 0 and i == 0 else 1,
    mean=lambda y: y.mean((2, 3)),
    out=lambda s: s,
    ends=(16, 32),
    loss_of=right_loss,
    default=0.3,
    where=lambda n: (n, 2 * n),
    update=lambda i, n: True,
    out_of=lambda classes: classes,
):
    """A learner's network; each setting is what a learner might get wrong."""

    class ResNet(nn.Module):
        def __init__(self, n, num_classes, block):
            super().__init__()
            items, now = [nn.Sequential(*stem())], 16
            for stage in range(3):
                for i in range(n):
                    more = (n,) if stride.__code__.co_argcount > 2 else ()
                    items.append(block(now, widths[stage], stride(stage, i, *more)))
                    now = widths[stage] if update(i, n) else now
            self.features = nn.Sequential(*items)
            classes = out_of(num_classes)
            self.classifier = nn.Linear(widths[2], classes)
            self.heads = nn.ModuleList([nn.Linear(c, classes) for c in ends])
            self.where = where(n)

        def forward(self, x):
            return out(self.classifier(mean(self.features(x))))

        def loss(self, x, labels, weight=default):
            heard = []
            for place, one in enumerate(self.features):
                x = one(x)
                if place in self.where:
                    heard.append(self.heads[len(heard)](mean(x)))
            return loss_of([self.classifier(mean(x)), *heard], labels, weight)

    return ResNet


class Stages(nn.Module):
    """With slices of features, and a pool that is a layer."""

    def __init__(self, n, num_classes, block):
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        blocks = [block(16, 16, 1) for _ in range(n)]
        blocks += [block(16, 32, 2)] + [block(32, 32, 1) for _ in range(n - 1)]
        blocks += [block(32, 64, 2)] + [block(64, 64, 1) for _ in range(n - 1)]
        self.features = nn.Sequential(stem, *blocks)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.heads = nn.ModuleList((nn.Linear(16, num_classes), nn.Linear(32, num_classes)))
        self.classifier = nn.Linear(64, num_classes)
        self.n = n

    def forward(self, x):
        return self.classifier(self.pool(self.features(x)))

    def loss(self, x, labels, weight=0.3):
        first = self.features[: 1 + self.n](x)
        second = self.features[1 + self.n : 1 + 2 * self.n](first)
        last = self.features[1 + 2 * self.n :](second)
        total = F.cross_entropy(self.classifier(self.pool(last)), labels)
        for head, seen in zip(self.heads, (first, second), strict=True):
            total = total + weight * nn.CrossEntropyLoss()(head(self.pool(seen)), labels)
        return total


def with_changes(base=None, **methods):
    return type("ResNet", (base or resnet(),), methods)


class NoHeads(resnet()):
    def __init__(self, n, num_classes, block):
        super().__init__(n, num_classes, block)
        del self.heads


class ListOfHeads(resnet()):
    def __init__(self, n, num_classes, block):
        super().__init__(n, num_classes, block)
        heads = list(self.heads)
        del self.heads
        self.heads = heads


class Flat(resnet()):
    """The stem's layers are items of their own."""

    def __init__(self, n, num_classes, block):
        super().__init__(n, num_classes, block)
        stem, *blocks = self.features
        self.features = nn.Sequential(*stem, *blocks)


class TwoInForward(resnet()):
    def forward(self, x):
        y = self.features(x)
        return self.classifier(y.mean((2, 3))), y


class KeepsTheMap(resnet()):
    def forward(self, x):
        y = self.features(x)
        return self.classifier(y.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class DetachedHeads(Stages):
    cut = (0, 1)

    def loss(self, x, labels, weight=0.3):
        first = self.features[: 1 + self.n](x)
        second = self.features[1 + self.n : 1 + 2 * self.n](first)
        last = self.features[1 + 2 * self.n :](second)
        total = F.cross_entropy(self.classifier(self.pool(last)), labels)
        for k, seen in enumerate((first, second)):
            read = seen.detach() if k in self.cut else seen
            total = total + weight * F.cross_entropy(self.heads[k](self.pool(read)), labels)
        return total


class FirstHeadDetached(DetachedHeads):
    cut = (0,)


class SecondHeadDetached(DetachedHeads):
    cut = (1,)


class OwnBlock(Stages):
    """The block that is handed in is not used."""

    def __init__(self, n, num_classes, block):
        class Mine(Right):
            pass

        super().__init__(n, num_classes, Mine)


class LossInEvalMode(Stages):
    def loss(self, x, labels, weight=0.3):
        self.eval()
        return super().loss(x, labels, weight)


class LossInEvalModeAndBack(Stages):
    def loss(self, x, labels, weight=0.3):
        before = self.training
        self.eval()
        total = super().loss(x, labels, weight)
        self.train(before)
        return total


class LossRunsTwice(Stages):
    """The classifier's loss from forward, the heads' from a second run."""

    def loss(self, x, labels, weight=0.3):
        total = F.cross_entropy(self(x), labels)
        for place, item in enumerate(self.features):
            x = item(x)
            if place in (self.n, 2 * self.n):
                scores = self.heads[place // self.n - 1](self.pool(x))
                total = total + weight * F.cross_entropy(scores, labels)
        return total


class SlowStem(Stages):
    def __init__(self, n, num_classes, block):
        super().__init__(n, num_classes, block)
        self.features[0][1].momentum = 0.01


class LossAsNumber(Stages):
    def loss(self, x, labels, weight=0.3):
        return super().loss(x, labels, weight).item()


class NoGradient(Stages):
    def loss(self, x, labels, weight=0.3):
        return super().loss(x, labels, weight).detach()


class OneBlockOff(resnet()):
    """One block of the last stage too wide inside."""

    def __init__(self, n, num_classes, block):
        super().__init__(n, num_classes, block)
        self.features[-1].conv2.bias = nn.Parameter(torch.zeros(64))


def ce(s, labels):
    return F.cross_entropy(s, labels)


class LossOfScores(Stages):
    def loss(self, scores, labels, weight=0.3):
        return F.cross_entropy(scores, labels)


class DroppingNet(Stages):
    def forward(self, x):
        return self.classifier(F.dropout(self.pool(self.features(x)), 0.5, self.training))


NET_WRONG = [
    ("heads-too-wide", resnet(ends=(64, 64), loss_of=lambda s, y, w: s)),
    ("loss-stops", LossOfScores),
    ("the loss trains everything", DroppingNet),
    ("part-missing", NoHeads),
    ("one-item-per-block", Flat),
    ("heads-unfit", ListOfHeads),
    ("first-stage-halved", resnet(stride=lambda stage, i: 1 if i else 2)),
    ("every-block-halved", resnet(stride=lambda stage, i: 2 if stage else 1)),
    ("never-halved", resnet(stride=lambda stage, i: 1)),
    ("stem-halves", resnet(stem=lambda: three_by_three(stride=2))),
    ("stem-without-norm", resnet(stem=lambda: [three_by_three()[0], nn.ReLU()])),
    ("stem-with-bias", resnet(stem=lambda: three_by_three(bias=True))),
    ("stem-relu-forgotten", resnet(stem=lambda: three_by_three()[:2])),
    ("stem-unpadded", resnet(stem=lambda: three_by_three(padding=0))),
    ("same-width", resnet(widths=(16, 16, 16))),
    ("widths-too-large", resnet(widths=(32, 64, 128), ends=(32, 64))),
    ("maximum-at-the-end", resnet(mean=lambda y: y.amax((2, 3)))),
    ("sum-at-the-end", resnet(mean=lambda y: y.sum((2, 3)))),
    ("softmax-at-the-end", resnet(out=lambda s: s.softmax(1))),
    ("map-returned", KeepsTheMap),
    ("heads-in-forward", TwoInForward),
    ("heads-unheard", resnet(loss_of=lambda s, y, w: ce(s[0], y))),
    ("weight-unused", resnet(loss_of=lambda s, y, w: ce(s[0], y) + ce(s[1], y) + ce(s[2], y))),
    (
        "weight-on-all",
        resnet(loss_of=lambda s, y, w: w * (ce(s[0], y) + ce(s[1], y) + ce(s[2], y))),
    ),
    (
        "blended",
        resnet(loss_of=lambda s, y, w: (1 - w) * ce(s[0], y) + w * (ce(s[1], y) + ce(s[2], y))),
    ),
    (
        "heads-averaged",
        resnet(loss_of=lambda s, y, w: ce(s[0], y) + w * (ce(s[1], y) + ce(s[2], y)) / 2),
    ),
    ("scores-added", resnet(loss_of=lambda s, y, w: ce(s[0] + w * (s[1] + s[2]), y))),
    (
        "softmax-in-the-loss",
        resnet(loss_of=lambda s, y, w: right_loss([one.softmax(-1) for one in s], y, w)),
    ),
    ("loss-summed", resnet(loss_of=lambda s, y, w: right_loss(s, y, w) * len(y))),
    ("one-head-only", resnet(loss_of=lambda s, y, w: ce(s[0], y) + w * ce(s[1], y))),
    ("other-head-only", resnet(loss_of=lambda s, y, w: ce(s[0], y) + w * ce(s[2], y))),
    ("head-before-the-stage", resnet(where=lambda n: (1, n + 1))),
    ("default-weight", resnet(default=0.5)),
    ("parameters-differ", OneBlockOff),
    ("all-but-the-first-halve", resnet(stride=lambda stage, i: 2 if stage and i else 1)),
    ("last-block-halves", resnet(stride=lambda stage, i, n: 2 if stage and i == n - 1 else 1)),
    ("channels-not-updated", resnet(update=lambda i, n: False)),
    ("channels-updated-late", resnet(update=lambda i, n: i == n - 1)),
    ("stem-large", resnet(stem=lambda: three_by_three(kernel_size=7, padding=3))),
    (
        "stem-large-and-halving",
        resnet(stem=lambda: three_by_three(kernel_size=7, padding=3, stride=2)),
    ),
    ("parameters-differ", resnet(stem=lambda: three_by_three(kernel_size=5, padding=2))),
    ("classes-fixed", resnet(out_of=lambda classes: 10)),
    ("head-before-its-block", resnet(where=lambda n: (n - 1, 2 * n - 1))),
    ("head-misfit", resnet(where=lambda n: (n + 1, 2 * n + 1))),
    ("weight-fixed", resnet(loss_of=lambda s, y, w: right_loss(s, y, 0.3))),
    ("the parts are those asked for", OwnBlock),
    ("the parts are those asked for", SlowStem),
    ("the loss runs each block once, in the mode it finds", LossInEvalMode),
    ("the loss runs each block once, in the mode it finds", LossInEvalModeAndBack),
    ("the loss runs each block once, in the mode it finds", LossRunsTwice),
    ("classifier and heads train what is before them", FirstHeadDetached),
    ("classifier and heads train what is before them", SecondHeadDetached),
    (None, resnet(loss_of=lambda s, y, w: right_loss(s, y, w) + 1)),
    ("wrong-type", LossAsNumber),
    ("the loss trains everything", NoGradient),
    ("classifier and heads train what is before them", DetachedHeads),
]

WRONG = {
    "07.stack": STACK_WRONG,
    "07.reduce": REDUCE_WRONG,
    "07.residual": RESIDUAL_WRONG,
    "07.dense": DENSE_WRONG,
    "07.net": NET_WRONG,
}

RIGHT = {
    "07.stack": [loops, modules, arrays],
    "07.reduce": [Reduce, ReduceByHand],
    "07.residual": [Right, NoShortcutWhereTheShapesAgree],
    "07.dense": [dense(), dense(make=OwnLayer, run=all_in_a_list)],
    "07.net": [resnet(), Stages],
}
