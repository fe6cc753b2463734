"""Chapter 11: answers that learners give, wrong with their diagnosis and right in other ways."""

from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from lightcourse.models import mobilenet_v2
from lightcourse.nn import ConvNormAct, InvertedResidual, make_divisible

# ---- 11.manifold ----------------------------------------------------------------------------


def pinv(matrix):
    return torch.linalg.pinv(matrix)


def by_rows(points, matrix):
    back = pinv(matrix)
    return torch.stack([back @ F.relu(matrix @ point) for point in points])


def by_lstsq(points, matrix):
    wide = (matrix @ points.T).clamp(min=0)
    return torch.linalg.lstsq(matrix, wide).solution.T


def by_einsum(points, matrix):
    wide = torch.einsum("pd,nd->pn", points, matrix) * (points @ matrix.T > 0)
    return torch.einsum("pn,dn->pd", wide, pinv(matrix))


# ---- 11.block -------------------------------------------------------------------------------


class Block(nn.Module):
    """The right answer in pieces that the wrong ones replace."""

    act = (nn.ReLU6, nn.ReLU6, nn.Identity)

    def __init__(self, in_channels, out_channels, stride=1, expansion=6):
        super().__init__()
        c, n, s, t = in_channels, out_channels, stride, expansion
        self.c, self.n, self.s, self.t = c, n, s, t
        m = self.wide()
        layers = [] if t == 1 and not self.expand_always() else self.unit(0, self.expand(c, m, s))
        layers += self.unit(1, self.filter(m, s)) + self.unit(2, self.project(m, n, s))
        self.body = self.hold(layers)

    def wide(self):
        return self.c * self.t

    def expand_always(self):
        return False

    def expand(self, c, m, s):
        return nn.Conv2d(c, m, 1, bias=False)

    def filter(self, m, s):
        return nn.Conv2d(m, m, 3, s, 1, groups=m, bias=False)

    def project(self, m, n, s):
        return nn.Conv2d(m, n, 1, bias=False)

    def norm(self, number, channels):
        return [nn.BatchNorm2d(channels)]

    def unit(self, number, conv):
        return [conv, *self.norm(number, conv.out_channels), self.act[number]()]

    def hold(self, layers):
        return nn.Sequential(*layers)

    def adds(self):
        return self.s == 1 and self.c == self.n

    def forward(self, x):
        return x + self.body(x) if self.adds() else self.body(x)


def block_with(**parts):
    """A class with other parts or another forward."""
    return type("Block", (Block,), parts)


def plus(x, y):
    """Writes into its input."""
    x += y
    return x


def joined(sum_of):
    """The shortcut with a sum of its own."""
    return block_with(
        forward=lambda self, x: sum_of(x, self.body(x)) if self.adds() else self.body(x)
    )


def act_before_norm(self, number, conv):
    return [conv, self.act[number](), *self.norm(number, conv.out_channels)]


class DepthwiseFirst(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1, expansion=6):
        super().__init__()
        c, n, m = in_channels, out_channels, in_channels * expansion
        self.body = nn.Sequential(
            nn.Conv2d(c, c, 3, stride, 1, groups=c, bias=False), nn.BatchNorm2d(c), nn.ReLU6(),
            nn.Conv2d(c, m, 1, bias=False), nn.BatchNorm2d(m), nn.ReLU6(),
            nn.Conv2d(m, n, 1, bias=False), nn.BatchNorm2d(n),
        )  # fmt: skip

    def forward(self, x):
        return self.body(x)


class WithConvShortcut(Block):
    def __init__(self, in_channels, out_channels, stride=1, expansion=6):
        super().__init__(in_channels, out_channels, stride, expansion)
        if not self.adds():
            self.side = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)

    def forward(self, x):
        return self.body(x) + (x if self.adds() else self.side(x))


class Listed(Block):
    def hold(self, layers):
        return list(layers)

    def forward(self, x):
        y = x
        for layer in self.body:
            y = layer(y)
        return x + y if self.adds() else y


class LeftOver(Block):
    def __init__(self, in_channels, out_channels, stride=1, expansion=6):
        super().__init__(in_channels, out_channels, stride, expansion)
        self.spare = nn.Conv2d(in_channels, out_channels, 1, bias=False)


class Detached(Block):
    def forward(self, x):
        y = self.body[:6](x).detach()
        y = self.body[6:](y)
        return x + y if self.adds() else y


class ThreeByDefault(Block):
    def __init__(self, in_channels, out_channels, stride=1, expansion=3):
        super().__init__(in_channels, out_channels, stride, expansion)


class Unwritten(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1, expansion=6):
        raise NotImplementedError()


class NoForward(Block):
    def forward(self, x):
        print(x.shape)


class NamedLayers(nn.Module):
    """Layers by name, functions for the activations, a slice for the shortcut."""

    def __init__(self, in_channels, out_channels, stride=1, expansion=6):
        super().__init__()
        hidden = in_channels * expansion
        self.t, self.s = expansion, stride
        if expansion > 1:
            self.conv1 = nn.Conv2d(in_channels, hidden, (1, 1), bias=False)
            self.bn1 = nn.BatchNorm2d(hidden)
        self.conv2 = nn.Conv2d(hidden, hidden, (3, 3), stride, "same" if stride == 1 else 1,
                               groups=hidden, bias=False)  # fmt: skip
        self.bn2 = nn.BatchNorm2d(hidden)
        self.conv3 = nn.Conv2d(hidden, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        y = F.relu6(self.bn1(self.conv1(x))) if self.t > 1 else x
        y = self.bn2(self.conv2(y)).clamp(0, 6)
        y = self.bn3(self.conv3(y))
        return y + x if y.shape == x.shape and self.s == 1 else y


class OfUnits(nn.Module):
    """The package's small unit is allowed; the finished block is not."""

    def __init__(self, in_channels, out_channels, stride=1, expansion=6):
        super().__init__()
        m = in_channels * expansion
        units = [ConvNormAct(in_channels, m, 1)] if expansion != 1 else []
        units += [ConvNormAct(m, m, 3, stride, groups=m)]
        units += [ConvNormAct(m, out_channels, 1, activation=None)]
        self.units = nn.ModuleList(units)
        self.join = stride == 1 and in_channels == out_channels

    def forward(self, x):
        y = x
        for unit in self.units:
            y = unit(y)
        return torch.add(x, y) if self.join else y


ExpandsAlways = block_with(expand_always=lambda self: True)

# ---- 11.cost --------------------------------------------------------------------------------


def half_up(side, stride):
    return (side + stride - 1) // stride


def costs(
    wide=lambda c, n, t: c * t,
    places=lambda before, after: (before, after, after),
    each=lambda c, m, n: (c * m, 9 * m, m * n),
    out=half_up,
    one=False,
    end=lambda triple: triple,
):
    """A count with a step of its own."""

    def block_macs(in_channels, out_channels, side, stride, expansion):
        c, n, t = in_channels, out_channels, expansion
        at = places(side * side, out(side, stride) ** 2)
        first, second, third = (a * b for a, b in zip(each(c, wide(c, n, t), n), at, strict=True))
        return end((first if t > 1 or one else 0, second, third))

    return block_macs


def two_when_bare(in_channels, out_channels, side, stride, expansion):
    found = costs()(in_channels, out_channels, side, stride, expansion)
    return found[1:] if expansion == 1 else found


def half_the_places(in_channels, out_channels, side, stride, expansion):
    m, after = in_channels * expansion, side * side // stride
    first = in_channels * m * side * side if expansion > 1 else 0
    return first, 9 * m * after, m * out_channels * after


def projection_from_outputs(in_channels, out_channels, side, stride, expansion):
    first, second, third = costs()(in_channels, out_channels, side, stride, expansion)
    return first, second, third // in_channels * out_channels


def side_once(in_channels, out_channels, side, stride, expansion):
    m, after = in_channels * expansion, half_up(side, stride)
    first = in_channels * m * side if expansion > 1 else 0
    return first, 9 * m * after, m * out_channels * after


def cost_by_numpy(in_channels, out_channels, side, stride, expansion):
    m = np.int64(in_channels) * expansion
    after = np.int64(-(-side // stride)) ** 2
    return [in_channels * m * side**2 * (expansion > 1), 9 * m * after, m * out_channels * after]


def cost_by_layers(in_channels, out_channels, side, stride, expansion):
    m, x = in_channels * expansion, torch.empty(1, in_channels, side, side, device="meta")
    layers = [
        nn.Conv2d(in_channels, m, 1, device="meta") if expansion > 1 else nn.Identity(),
        nn.Conv2d(m, m, 3, stride, 1, groups=m, device="meta"),
        nn.Conv2d(m, out_channels, 1, device="meta"),
    ]
    macs = []
    for layer in layers:
        x = layer(x)
        macs.append(layer.weight.numel() * x[0, 0].numel() if hasattr(layer, "weight") else 0)
    return tuple(macs)


# ---- 11.network -----------------------------------------------------------------------------

TABLE = [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
]  # fmt: skip


class Net(nn.Module):
    """The right answer in pieces that the wrong ones replace."""

    table = TABLE
    make = Block
    outer = nn.ReLU6
    p = 0.2

    def __init__(self, width_mult=1.0, num_classes=1000):
        super().__init__()
        self.width, self.classes = width_mult, num_classes
        c = self.stem_channels()
        layers = [*self.stem(c)]
        for t, channels, n, s in self.table:
            for i in range(n):
                out = self.cut(channels * self.width)
                layers.append(self.make(c, out, stride=self.stride(s, i, n), expansion=self.t(t)))
                c = out
        last = self.last(c)
        layers += last
        c = next((x.out_channels for x in last if isinstance(x, nn.Conv2d)), c)
        self.body = self.hold(layers)
        self.drop, self.head = nn.Dropout(self.p), self.classifier(c)

    def cut(self, channels):
        return make_divisible(channels)

    def t(self, t):
        return t

    def stem_channels(self):
        return self.cut(32 * self.width)

    def stem(self, c):
        return nn.Conv2d(3, c, 3, 2, 1, bias=False), nn.BatchNorm2d(c), self.outer()

    def stride(self, s, i, n):
        return s if i == 0 else 1

    def last_channels(self):
        return self.cut(1280 * max(1.0, self.width))

    def last(self, c):
        n = self.last_channels()
        return [nn.Conv2d(c, n, 1, bias=False), nn.BatchNorm2d(n), self.outer()]

    def hold(self, layers):
        return nn.Sequential(*layers)

    def classifier(self, c):
        return nn.Linear(c, self.classes)

    def pool(self, y):
        return y.mean((2, 3))

    def forward(self, x):
        return self.head(self.drop(self.pool(self.body(x))))


def net_with(**parts):
    """A class with other parts or another forward."""
    return type("MobileNetV2", (Net,), parts)


def row(number, **changes):
    names = ("t", "c", "n", "s")
    new = tuple(changes.get(k, v) for k, v in zip(names, TABLE[number], strict=True))
    return [*TABLE[:number], new, *TABLE[number + 1 :]]


class Forgetful(Net):
    def __init__(self, width_mult=1.0, num_classes=1000):
        super().__init__(1.0, num_classes)


class HalfByDefault(Net):
    def __init__(self, width_mult=0.5, num_classes=1000):
        super().__init__(width_mult, num_classes)


class ListedNet(Net):
    def hold(self, layers):
        return list(layers)

    def forward(self, x):
        for layer in self.body:
            x = layer(x)
        return self.head(self.drop(self.pool(x)))


class SpareHead(Net):
    def __init__(self, width_mult=1.0, num_classes=1000):
        super().__init__(width_mult, num_classes)
        self.aux = nn.Linear(8, 8)


class FrozenStem(Net):
    def forward(self, x):
        x = self.body[0](x).detach()
        return self.head(self.drop(self.pool(self.body[1:](x))))


class NotCarried(Net):
    def __init__(self, width_mult=1.0, num_classes=1000):
        nn.Module.__init__(self)
        layers = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6()]
        for t, c, n, s in TABLE:
            layers += [Block(32, c, s if i == 0 else 1, t) for i in range(n)]
        self.body, self.drop = nn.Sequential(*layers), nn.Dropout(0.2)
        self.head = nn.Linear(320, num_classes)


class Wrapped(nn.Module):
    def __init__(self, width_mult=1.0, num_classes=1000):
        super().__init__()
        self.net = mobilenet_v2(num_classes, width_mult)

    def forward(self, x):
        return self.net(x)


class LikeTheAuthors(Net):
    """The classifier as a 1×1 convolution on the one pixel that the mean leaves."""

    def classifier(self, c):
        return nn.Conv2d(c, self.classes, 1)

    def forward(self, x):
        y = F.adaptive_avg_pool2d(self.body(x), 1)
        return self.head(F.dropout(y, 0.2, self.training)).flatten(1)


class InAModuleList(Net):
    make = NamedLayers

    def hold(self, layers):
        return nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.body:
            x = layer(x)
        return self.head(self.drop(x.flatten(2).mean(2)))


# ---- 11.slices ------------------------------------------------------------------------------


def chunks(m, slices):
    return [i.tolist() for i in torch.arange(m).chunk(slices)]


def sums(
    acts=(F.relu6, F.relu6),
    part=lambda y: y,
    end=lambda y: y,
    biases=lambda count: 1,
    groups=chunks,
    add=lambda total, y: total + y,
    stride=lambda layer: layer.stride,
    padding=1,
):
    """The sliced sum in pieces that the wrong ones replace."""

    def in_slices(x, expand, depthwise, project, slices):
        total, parts = 0, groups(expand.out_channels, slices)
        for i in parts:
            y = acts[0](F.conv2d(x, expand.weight[i], expand.bias[i]))
            y = F.conv2d(
                y, depthwise.weight[i], depthwise.bias[i], stride(depthwise), padding, 1, len(i)
            )
            total = add(total, part(F.conv2d(acts[1](y), project.weight[:, i])))
        return end(total + biases(len(parts)) * project.bias.view(1, -1, 1, 1))

    return in_slices


def at_once(x, expand, depthwise, project, slices):
    return project(F.relu6(depthwise(F.relu6(expand(x)))))


def cut_later(x, expand, depthwise, project, slices):
    wide = F.relu6(expand(x))
    total = project.bias.view(1, -1, 1, 1)
    for i in chunks(expand.out_channels, slices):
        y = F.conv2d(
            wide[:, i], depthwise.weight[i], depthwise.bias[i], depthwise.stride, 1, 1, len(i)
        )
        total = total + F.conv2d(F.relu6(y), project.weight[:, i])
    return total


def joined_before_projection(x, expand, depthwise, project, slices):
    parts = []
    for i in chunks(expand.out_channels, slices):
        y = F.relu6(F.conv2d(x, expand.weight[i], expand.bias[i]))
        y = F.conv2d(y, depthwise.weight[i], depthwise.bias[i], depthwise.stride, 1, 1, len(i))
        parts.append(F.relu6(y))
    return project(torch.cat(parts, 1))


def collected(x, expand, depthwise, project, slices):
    parts = []
    for i in chunks(expand.out_channels, slices):
        y = F.relu6(F.conv2d(x, expand.weight[i], expand.bias[i]))
        y = F.conv2d(y, depthwise.weight[i], depthwise.bias[i], depthwise.stride, 1, 1, len(i))
        parts.append(F.conv2d(F.relu6(y), project.weight[:, i]))
    return sum(parts) + project.bias.view(1, -1, 1, 1)


def side_by_side(x, expand, depthwise, project, slices):
    parts = []
    for i in chunks(expand.out_channels, slices):
        y = F.relu6(F.conv2d(x, expand.weight[i], expand.bias[i]))
        y = F.conv2d(y, depthwise.weight[i], depthwise.bias[i], depthwise.stride, 1, 1, len(i))
        parts.append(F.conv2d(F.relu6(y), project.weight[:, i], project.bias))
    return torch.cat(parts, 1)


def all_groups(x, expand, depthwise, project, slices):
    total = project.bias.view(1, -1, 1, 1)
    for i in chunks(expand.out_channels, slices):
        y = F.relu6(F.conv2d(x, expand.weight[i], expand.bias[i]))
        y = F.conv2d(y, depthwise.weight[i], depthwise.bias[i], depthwise.stride, 1, 1,
                     expand.out_channels + 1)  # fmt: skip
        total = total + F.conv2d(F.relu6(y), project.weight[:, i])
    return total


def in_place(x, expand, depthwise, project, slices):
    """Writes over what it has made itself, with boundaries by numpy."""
    m = expand.out_channels
    edges = np.linspace(0, m, min(slices, m) + 1).astype(int)
    total = None
    for a, b in pairwise(edges):
        y = F.conv2d(x, expand.weight[a:b], expand.bias[a:b]).clamp_(0, 6)
        y = F.conv2d(y, depthwise.weight[a:b], depthwise.bias[a:b], depthwise.stride, 1, 1,
                     int(b - a)).clamp_(0, 6)  # fmt: skip
        y = F.conv2d(y, project.weight[:, a:b], project.bias if total is None else None)
        total = y if total is None else total.add_(y)
    return total


def by_modules(x, expand, depthwise, project, slices):
    """Small layers for each slice; the sum by a generator."""

    def one(i):
        c, k = x.shape[1], len(i)
        a = nn.Conv2d(c, k, 1, dtype=x.dtype)
        b = nn.Conv2d(k, k, 3, depthwise.stride, 1, groups=k, dtype=x.dtype)
        for layer, old in ((a, expand), (b, depthwise)):
            layer.weight.data, layer.bias.data = old.weight[i], old.bias[i]
        return F.conv2d(F.relu6(b(F.relu6(a(x)))), project.weight[:, i])

    return sum(one(i) for i in chunks(expand.out_channels, slices)) + project.bias[:, None, None]


def of_size(size):
    """Slices of a size that a rule gives."""

    def groups(m, slices):
        k = size(m, slices)
        return [list(range(i, min(i + k, m))) for i in range(0, m, k)]

    return groups


def rest_in_the_last(m, slices):
    k = m // slices
    parts = [list(range(i * k, (i + 1) * k)) for i in range(slices)]
    parts[-1] += range(slices * k, m)
    return parts


def with_shortcut(x, expand, depthwise, project, slices):
    y = sums()(x, expand, depthwise, project, slices)
    return y + x if y.shape == x.shape else y


def rows_of_projection(x, expand, depthwise, project, slices):
    k, total = -(-expand.out_channels // slices), 0
    for a in range(0, expand.out_channels, k):
        b = min(a + k, expand.out_channels)
        y = F.relu6(F.conv2d(x, expand.weight[a:b], expand.bias[a:b]))
        y = F.conv2d(y, depthwise.weight[a:b], depthwise.bias[a:b], depthwise.stride, 1, 1, b - a)
        total = total + F.conv2d(F.relu6(y), project.weight[a:b])
    return total + project.bias.view(1, -1, 1, 1)


def whole_projection(x, expand, depthwise, project, slices):
    total = 0
    for i in chunks(expand.out_channels, slices):
        y = F.relu6(F.conv2d(x, expand.weight[i], expand.bias[i]))
        y = F.conv2d(y, depthwise.weight[i], depthwise.bias[i], depthwise.stride, 1, 1, len(i))
        total = total + project(F.relu6(y))
    return total


def without_bias(*which):
    """Some of the first two biases are left out."""

    def in_slices(x, expand, depthwise, project, slices):
        one, two = (None if i in which else b for i, b in enumerate((expand.bias, depthwise.bias)))
        total = 0
        for i in chunks(expand.out_channels, slices):
            y = F.relu6(F.conv2d(x, expand.weight[i], None if one is None else one[i]))
            y = F.conv2d(y, depthwise.weight[i], None if two is None else two[i],
                         depthwise.stride, 1, 1, len(i))  # fmt: skip
            total = total + F.conv2d(F.relu6(y), project.weight[:, i])
        return total + project.bias.view(1, -1, 1, 1)

    return in_slices


def by_einsum_slices(x, expand, depthwise, project, slices):
    """The projection as a sum that einsum takes."""
    total = project.bias.view(1, -1, 1, 1)
    for i in chunks(expand.out_channels, slices):
        y = F.relu6(F.conv2d(x, expand.weight[i], expand.bias[i]))
        y = F.conv2d(y, depthwise.weight[i], depthwise.bias[i], depthwise.stride, 1, 1, len(i))
        total = total + torch.einsum("nchw,oc->nohw", F.relu6(y), project.weight[:, i, 0, 0])
    return total


def rest_left_out(m, slices):
    width = m // slices
    return [list(range(i * width, (i + 1) * width)) for i in range(slices)]


# ---- all -------------------------------------------------------------------------------------

WRONG = {
    "11.manifold": [
        ("relu-missing", lambda p, m: p @ m.T @ pinv(m).T),
        ("relu-at-the-end", lambda p, m: F.relu(F.relu(p @ m.T) @ pinv(m).T)),
        ("relu-late", lambda p, m: F.relu(p @ m.T @ pinv(m).T)),
        ("relu-late", lambda p, m: F.relu(p) @ m.T @ pinv(m).T),
        ("relu-of-the-matrix", lambda p, m: p @ F.relu(m).T @ pinv(m).T),
        ("rectified-matrix-undone", lambda p, m: F.relu(p @ m.T) @ pinv(F.relu(m)).T),
        ("rectified-matrix-undone", lambda p, m: F.relu(p @ F.relu(m).T) @ pinv(F.relu(m)).T),
        ("not-brought-back", lambda p, m: F.relu(p @ m.T)),
        ("transposed-not-inverted", lambda p, m: F.relu(p @ m.T) @ m),
        ("not-square", lambda p, m: F.relu(p @ m.T) @ torch.linalg.inv(m).T),
        ("wrong-way-round", lambda p, m: pinv(m) @ F.relu(m @ p.T)),
        ("not-transposed", lambda p, m: F.relu(p @ m) @ pinv(m)),
        ("not-transposed", lambda p, m: F.relu(p @ m.T) @ pinv(m)),
        ("absolute-value", lambda p, m: (p @ m.T).abs() @ pinv(m).T),
        ("relu6-not-relu", lambda p, m: F.relu6(p @ m.T) @ pinv(m).T),
        ("wrong-dtype", lambda p, m: by_rows(p.double(), m.double())),
        ("returns-none", lambda p, m: None),
        ("mutates-input", lambda p, m: by_rows(p.mul_(1.5).div_(1.5).add_(1).sub_(1), m)),
    ],
    "11.block": [
        ("expands-by-one", ExpandsAlways),
        ("hidden-from-outputs", block_with(wide=lambda self: self.n * self.t)),
        ("depthwise-first", DepthwiseFirst),
        ("groups-forgotten", block_with(
            filter=lambda self, m, s: nn.Conv2d(m, m, 3, s, 1, bias=False))),
        ("stride-in-expansion", block_with(
            expand_always=lambda self: False,
            expand=lambda self, c, m, s: nn.Conv2d(c, m, 1, s, bias=False),
            filter=lambda self, m, s: nn.Conv2d(m, m, 3, 1, 1, groups=m, bias=False))),
        ("stride-in-projection", block_with(
            project=lambda self, m, n, s: nn.Conv2d(m, n, 1, s, bias=False),
            filter=lambda self, m, s: nn.Conv2d(m, m, 3, 1, 1, groups=m, bias=False))),
        ("stride-twice", block_with(
            project=lambda self, m, n, s: nn.Conv2d(m, n, 1, s, bias=False))),
        ("stride-twice", block_with(
            expand=lambda self, c, m, s: nn.Conv2d(c, m, 1, s, bias=False))),
        ("stride-forgotten", block_with(
            filter=lambda self, m, s: nn.Conv2d(m, m, 3, 1, 1, groups=m, bias=False))),
        ("padding-forgotten", block_with(
            filter=lambda self, m, s: nn.Conv2d(m, m, 3, s, groups=m, bias=False))),
        ("shortcut-despite-channels", block_with(adds=lambda self: self.s == 1)),
        ("shortcut-despite-stride", block_with(adds=lambda self: self.c == self.n)),
        ("shortcut-everywhere", block_with(adds=lambda self: True)),
        ("shortcut-with-weights", WithConvShortcut),
        ("norm-size", block_with(norm=lambda self, i, c: [nn.BatchNorm2d(self.n)])),
        ("norm-settings", block_with(norm=lambda self, i, c: [nn.BatchNorm2d(c, affine=False)])),
        ("norm-settings", block_with(
            norm=lambda self, i, c: [nn.BatchNorm2d(c, track_running_stats=i < 2)])),
        ("last-norm-forgotten", block_with(
            norm=lambda self, i, c: [nn.BatchNorm2d(c)] if i < 2 else [])),
        ("norms-forgotten", block_with(norm=lambda self, i, c: [])),
        ("not-registered", Listed),
        ("activation-after-projection", block_with(act=(nn.ReLU6,) * 3)),
        ("activation-after-sum", block_with(
            forward=lambda self, x: F.relu6(Block.forward(self, x)))),
        ("relu-not-relu6", block_with(act=(nn.ReLU, nn.ReLU, nn.Identity))),
        ("no-activation-after-depthwise", block_with(act=(nn.ReLU6, nn.Identity, nn.Identity))),
        ("no-activation-after-expansion", block_with(act=(nn.Identity, nn.ReLU6, nn.Identity))),
        ("no-activations", block_with(act=(nn.Identity,) * 3)),
        ("shortcut-forgotten", block_with(adds=lambda self: False)),
        ("bias-kept", block_with(expand=lambda self, c, m, s: nn.Conv2d(c, m, 1),
                                 project=lambda self, m, n, s: nn.Conv2d(m, n, 1))),
        ("bias-kept", block_with(
            expand=lambda self, c, m, s: nn.Conv2d(c, m, 1),
            filter=lambda self, m, s: nn.Conv2d(m, m, 3, s, 1, groups=m),
            project=lambda self, m, n, s: nn.Conv2d(m, n, 1))),
        ("shortcut-not-with-expansion-1", block_with(
            adds=lambda self: Block.adds(self) and self.t > 1)),
        ("activation-before-norm", block_with(unit=act_before_norm)),
        ("layer-differs", block_with(
            filter=lambda self, m, s: nn.Conv2d(m, m, 5, s, 2, groups=m, bias=False))),
        ("the input stays as it was", joined(plus)),
        ("the shortcut carries the gradient", joined(lambda x, y: y + x.detach())),
        ("the shortcut carries the gradient", joined(lambda x, y: y + x.data)),
        ("every parameter learns", joined(lambda x, y: x + y.detach())),
        ("finished-block", InvertedResidual),
        ("parts-too-many", LeftOver),
        ("every parameter learns", Detached),
        ("every parameter learns", ThreeByDefault),
        ("not-implemented", Unwritten),
        ("returns-none", NoForward),
        ("not-callable", Block(3, 4)),
    ],
    "11.cost": [
        ("sum-not-triple", costs(end=sum)),
        ("two-not-three", two_when_bare),
        ("order", costs(end=lambda abc: (abc[0], abc[2], abc[1]))),
        ("expands-by-one", costs(one=True)),
        ("expansion-after-the-stride", costs(places=lambda before, after: (after,) * 3)),
        ("depthwise-before-the-stride", costs(
            places=lambda before, after: (before, before, after))),
        ("stride-forgotten", costs(places=lambda before, after: (before,) * 3)),
        ("hidden-from-outputs", costs(wide=lambda c, n, t: n * t)),
        ("expansion-forgotten", costs(wide=lambda c, n, t: c)),
        ("depthwise-reads-all", costs(each=lambda c, m, n: (c * m, 9 * m * m, m * n))),
        ("depthwise-on-the-narrow-map", costs(each=lambda c, m, n: (c * m, 9 * c, m * n))),
        ("kernel-forgotten", costs(each=lambda c, m, n: (c * m, m, m * n))),
        ("projection-from-the-narrow-map", costs(each=lambda c, m, n: (c * m, 9 * m, c * n))),
        ("rounded-down", costs(out=lambda side, stride: side // stride)),
        ("rounded-to-even", costs(out=lambda side, stride: round(side / stride))),
        ("half-the-places", half_the_places),
        ("projection-before-the-stride", costs(
            places=lambda before, after: (before, after, before))),
        ("projection-from-the-outputs", projection_from_outputs),
        ("hidden-from-outputs-if-wide", costs(wide=lambda c, n, t: n * t if t > 1 else c)),
        ("side-not-squared", side_once),
        ("weights-not-macs", costs(places=lambda before, after: (1, 1, 1))),
        ("flops-not-macs", costs(end=lambda abc: tuple(2 * n for n in abc))),
        ("wrong-type", costs(end=lambda abc: tuple(map(float, abc)))),
    ],
    "11.network": [
        ("stride-in-every-block", net_with(stride=lambda self, s, i, n: s)),
        ("stride-forgotten", net_with(stride=lambda self, s, i, n: 1)),
        ("stride-in-the-last-block", net_with(stride=lambda self, s, i, n: s if i == n - 1 else 1)),
        ("stride-in-row-five", net_with(table=row(4, s=2))),
        ("stem-without-stride", net_with(stem=lambda self, c: (
            nn.Conv2d(3, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU6()))),
        ("one-block-a-row", net_with(table=[(t, c, 1, s) for t, c, _, s in TABLE])),
        ("first-row-expands", net_with(table=row(0, t=6))),
        ("first-row-missing", net_with(table=TABLE[1:])),
        ("first-expansion-kept", net_with(make=ExpandsAlways)),
        ("expansion-forgotten", net_with(t=lambda self, t: 1)),
        ("hidden-from-outputs", net_with(make=block_with(wide=lambda self: self.n * self.t))),
        ("width-forgotten", Forgetful),
        ("channels-cut-off", net_with(cut=lambda self, channels: int(channels))),
        ("rounded-below-nine-tenths", net_with(
            cut=lambda self, channels: max(8, int(channels + 4) // 8 * 8))),
        ("last-layer-narrowed", net_with(last_channels=lambda self: self.cut(1280 * self.width))),
        ("last-layer-fixed", net_with(last_channels=lambda self: 1280)),
        ("last-layer-missing", net_with(last=lambda self, c: [])),
        ("last-norm-missing", net_with(last=lambda self, c: [
            nn.Conv2d(c, self.last_channels(), 1, bias=False), nn.ReLU6()])),
        ("stem-not-narrowed", net_with(stem_channels=lambda self: 32)),
        ("classes-fixed", net_with(classifier=lambda self, c: nn.Linear(c, 1000))),
        ("classifier-missing", net_with(forward=lambda self, x: self.pool(self.body(x)))),
        ("classifier-without-bias", net_with(
            classifier=lambda self, c: nn.Linear(c, self.classes, bias=False))),
        ("layers-in-a-list", ListedNet),
        ("norm-settings", net_with(make=block_with(
            norm=lambda self, i, c: [nn.BatchNorm2d(c, affine=False)]))),
        ("channels-not-carried", NotCarried),
        ("not-pooled", net_with(pool=lambda self, y: y.flatten(1))),
        ("pool-of-seven", net_with(pool=lambda self, y: F.avg_pool2d(y, 7).flatten(1))),
        ("bias-kept", net_with(make=block_with(project=lambda self, m, n, s: nn.Conv2d(m, n, 1)))),
        ("parts-too-many", SpareHead),
        ("finished-network", Wrapped),
        ("finished-network", net_with(make=InvertedResidual)),
        ("shortcuts-missing", net_with(make=block_with(adds=lambda self: False))),
        ("narrow-ends-with-relu", net_with(make=block_with(act=(nn.ReLU6,) * 3))),
        ("relu-not-relu6", net_with(outer=nn.ReLU, make=block_with(
            act=(nn.ReLU, nn.ReLU, nn.Identity)))),
        ("relu-outside-the-blocks", net_with(outer=nn.ReLU)),
        ("last-activation-missing", net_with(last=lambda self, c: Net.last(self, c)[:2])),
        ("stem-activation-missing", net_with(stem=lambda self, c: Net.stem(self, c)[:2])),
        ("softmax-at-the-end", net_with(
            forward=lambda self, x: Net.forward(self, x).softmax(1))),
        ("max-pooled", net_with(pool=lambda self, y: y.amax((2, 3)))),
        ("dropout-in-eval", net_with(
            forward=lambda self, x: self.head(F.dropout(self.pool(self.body(x)), 0.2)))),
        ("layer-differs", net_with(stem=lambda self, c: (
            nn.Conv2d(3, c, 3, 2, bias=False), nn.BatchNorm2d(c), nn.ReLU6()))),
        ("layer-differs", net_with(table=row(6, n=2))),
        ("layer-differs", net_with(table=row(3, n=3))),
        ("the defaults are the published network", HalfByDefault),
        ("a fifth is dropped", net_with(p=0.0)),
        ("a fifth is dropped", net_with(p=0.5)),
        ("a fifth is dropped", net_with(
            forward=lambda self, x: self.head(self.pool(self.drop(self.body(x)))))),
        ("every parameter learns", FrozenStem),
    ],
    "11.slices": [
        ("the wide map is never whole", at_once),
        ("the wide map is never whole", cut_later),
        ("the wide map is never whole", joined_before_projection),
        ("nothing is collected", collected),
        ("no slice is too large", sums(groups=of_size(lambda m, slices: slices))),
        ("no slice is too large", sums(groups=of_size(lambda m, slices: 16))),
        ("no slice is too large", sums(groups=of_size(lambda m, slices: 2 * -(-m // slices)))),
        ("no slice is too large", sums(groups=of_size(lambda m, slices: m // slices + 1))),
        ("no slice is too large", sums(groups=rest_in_the_last)),
        ("shortcut-added", with_shortcut),
        ("projection-of-all-channels", rows_of_projection),
        ("projection-of-all-channels", whole_projection),
        ("expansion-bias-forgotten", without_bias(0)),
        ("depthwise-bias-forgotten", without_bias(1)),
        ("inner-biases-forgotten", without_bias(0, 1)),
        ("bias-in-every-slice", sums(biases=lambda count: count)),
        ("bias-forgotten", sums(biases=lambda count: 0)),
        ("activation-at-the-end", sums(end=F.relu6)),
        ("activation-in-every-part", sums(part=F.relu6)),
        ("relu-not-relu6", sums(acts=(F.relu, F.relu))),
        ("second-activation-forgotten", sums(acts=(F.relu6, lambda y: y))),
        ("first-activation-forgotten", sums(acts=(lambda y: y, F.relu6))),
        ("activations-forgotten", sums(acts=(lambda y: y, lambda y: y))),
        ("rest-forgotten", sums(groups=rest_left_out)),
        ("last-slice-only", sums(add=lambda total, y: y)),
        ("stride-forgotten", sums(stride=lambda layer: 1)),
        ("padding-forgotten", sums(padding=0)),
        ("slices-side-by-side", side_by_side),
        ("groups-wrong", all_groups),
    ],
}  # fmt: skip

RIGHT = {
    "11.manifold": [by_rows, by_lstsq, by_einsum],
    "11.block": [Block, NamedLayers, OfUnits],
    "11.cost": [costs(), cost_by_numpy, cost_by_layers],
    "11.network": [Net, LikeTheAuthors, InAModuleList],
    "11.slices": [sums(), in_place, by_modules, by_einsum_slices],
}
