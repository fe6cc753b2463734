"""Chapter 09: answers that learners give, wrong with their diagnosis and right in other ways."""

import math
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

# ---- 09.block -------------------------------------------------------------------------------


class Block(nn.Module):
    """The right answer in pieces that the wrong ones replace."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        c, n = in_channels, out_channels
        self.first = self.depthwise(c, n, stride)
        self.norm1 = self.norm(c, n, 1)
        self.second = self.pointwise(c, n, stride)
        self.norm2 = self.norm(c, n, 2)

    def depthwise(self, c, n, stride):
        return nn.Conv2d(c, c, 3, stride, 1, groups=c, bias=False)

    def pointwise(self, c, n, stride):
        return nn.Conv2d(c, n, 1, bias=False)

    def norm(self, c, n, number):
        return nn.BatchNorm2d(c if number == 1 else n)

    def forward(self, x):
        x = F.relu(self.norm1(self.first(x)))
        return F.relu(self.norm2(self.second(x)))


def block_with(**parts):
    """A class with other parts or another forward."""
    return type("Block", (Block,), parts)


PointwiseFirst = block_with(
    depthwise=lambda self, c, n, s: nn.Conv2d(c, n, 1, bias=False),
    pointwise=lambda self, c, n, s: nn.Conv2d(n, n, 3, s, 1, groups=n, bias=False),
    norm=lambda self, c, n, number: nn.BatchNorm2d(n),
)
DenseFirst = block_with(depthwise=lambda self, c, n, s: nn.Conv2d(c, c, 3, s, 1, bias=False))
ToN = block_with(
    depthwise=lambda self, c, n, s: nn.Conv2d(c, n, 3, s, 1, groups=c, bias=False),
    pointwise=lambda self, c, n, s: nn.Conv2d(n, n, 1, bias=False),
    norm=lambda self, c, n, number: nn.BatchNorm2d(n),
)
LargePointwise = block_with(
    pointwise=lambda self, c, n, s: nn.Conv2d(c, n, 3, padding=1, bias=False)
)
NoNorms = block_with(forward=lambda self, x: F.relu(self.second(F.relu(self.first(x)))))
OneNorm = block_with(forward=lambda self, x: F.relu(self.norm2(self.second(F.relu(self.first(x))))))
NormSizes = block_with(norm=lambda self, c, n, number: nn.BatchNorm2d(n))
StrideTwice = block_with(pointwise=lambda self, c, n, s: nn.Conv2d(c, n, 1, s, bias=False))
StrideLate = block_with(
    depthwise=lambda self, c, n, s: nn.Conv2d(c, c, 3, 1, 1, groups=c, bias=False),
    pointwise=lambda self, c, n, s: nn.Conv2d(c, n, 1, s, bias=False),
)
NoStride = block_with(
    depthwise=lambda self, c, n, s: nn.Conv2d(c, c, 3, 1, 1, groups=c, bias=False)
)
NoPadding = block_with(depthwise=lambda self, c, n, s: nn.Conv2d(c, c, 3, s, groups=c, bias=False))
NoFirstRelu = block_with(
    forward=lambda self, x: F.relu(self.norm2(self.second(self.norm1(self.first(x)))))
)
NoLastRelu = block_with(
    forward=lambda self, x: self.norm2(self.second(F.relu(self.norm1(self.first(x)))))
)
NoRelus = block_with(forward=lambda self, x: self.norm2(self.second(self.norm1(self.first(x)))))
ReluFirst = block_with(
    forward=lambda self, x: self.norm2(F.relu(self.second(self.norm1(F.relu(self.first(x))))))
)
Relu6 = block_with(
    forward=lambda self, x: F.relu6(self.norm2(self.second(F.relu6(self.norm1(self.first(x))))))
)
Biased = block_with(
    depthwise=lambda self, c, n, s: nn.Conv2d(c, c, 3, s, 1, groups=c),
    pointwise=lambda self, c, n, s: nn.Conv2d(c, n, 1),
)
OneBias = block_with(pointwise=lambda self, c, n, s: nn.Conv2d(c, n, 1))
Printed = block_with(forward=lambda self, x: print(x.shape))
Residual = block_with(
    forward=lambda self, x: (
        Block.forward(self, x) + (x if self.first.stride == (1, 1) else 0)
        if self.first.in_channels == self.second.out_channels
        else Block.forward(self, x)
    )
)


NoAffine = block_with(
    norm=lambda self, c, n, number: nn.BatchNorm2d(c if number == 1 else n, affine=False)
)
NoStatistics = block_with(
    norm=lambda self, c, n, number: nn.BatchNorm2d(
        c if number == 1 else n, track_running_stats=number == 2
    )
)


class ListedBlock(Block):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.layers = [self.first, self.norm1, nn.ReLU(), self.second, self.norm2, nn.ReLU()]
        del self.first, self.norm1, self.second, self.norm2

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class LeftOver(Block):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, bias=False)


class Detached(Block):
    def forward(self, x):
        first = F.relu(self.norm1(self.first(x))).detach()
        return F.relu(self.norm2(self.second(first)))


class Unwritten(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        raise NotImplementedError()


class InOneRow(nn.Sequential):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(
            nn.Conv2d(in_channels, in_channels, 3, stride, 1, groups=in_channels, bias=False),
            nn.BatchNorm2d(in_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(in_channels, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class PaddedByHand(Block):
    """The same with the padding as a step of its own, and clamp in place of ReLU."""

    def depthwise(self, c, n, stride):
        return nn.Conv2d(c, c, (3, 3), (stride, stride), groups=c, bias=False)

    def forward(self, x):
        x = self.norm1(self.first(F.pad(x, (1, 1, 1, 1)))).clamp(min=0)
        return self.norm2(self.second(x)).clamp(min=0)


# ---- 09.cost --------------------------------------------------------------------------------


def half_up(side, stride):
    return (side + stride - 1) // stride


def costs(
    wide=lambda a, c, n: (a * c, a * n),
    first=lambda c, n: 9 * c,
    second=lambda c, n: c * n,
    places=lambda side, stride: (half_up(side, stride) ** 2,) * 2,
    end=lambda pair: pair,
):
    """A count with a step of its own."""

    def block_macs(in_channels, out_channels, side, stride, width):
        c, n = (int(number) for number in wide(width, in_channels, out_channels))
        one, two = places(side, stride)
        return end((first(c, n) * one, second(c, n) * two))

    return block_macs


def times_width(power):
    def block_macs(in_channels, out_channels, side, stride, width):
        whole = costs()(in_channels, out_channels, side, stride, 1.0)
        return tuple(round(number * width**power) for number in whole)

    return block_macs


def all_places(side, stride):
    return side * side, side * side


def cost_by_factors(in_channels, out_channels, side, stride, width):
    one, two = costs()(in_channels, out_channels, side, stride, 1.0)
    return int(width * one), int(width * width * two)


def cost_by_numpy(in_channels, out_channels, side, stride, width):
    c, n = np.multiply([in_channels, out_channels], width).astype(int)
    places = np.int64(-(-side // stride)) ** 2
    return 9 * c * places, c * n * places


def cost_by_layers(in_channels, out_channels, side, stride, width):
    c, n = int(in_channels * width), int(out_channels * width)
    x = torch.empty(1, c, side, side, device="meta")
    layers = [
        nn.Conv2d(c, c, 3, stride, 1, groups=c, device="meta"),
        nn.Conv2d(c, n, 1, device="meta"),
    ]
    y = layers[0](x)
    return [layer.weight.numel() * y.shape[2] * y.shape[3] for layer in layers]


# ---- 09.macs --------------------------------------------------------------------------------

TABLE = [(64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2)]


def bill(
    table=TABLE,
    stride_of=lambda s, i, block: s if i == 0 else 1,
    half=half_up,
    stem=lambda a: 32 * a,
    features=lambda a, c: c,
    classes=lambda a: 1000,
    stem_stride=2,
    stem_places=lambda side, after: after * after,
    early=False,
    late=False,
    end=lambda macs: macs,
):
    """A count of the whole network with a step of its own."""

    def network_macs(width, side):
        c, before = int(stem(width)), side
        side = half(side, stem_stride)
        macs = [27 * c * stem_places(before, side)]
        number = 0
        for channels, repeats, stride in table:
            for i in range(repeats):
                number += 1
                n, old = int(channels * width), side
                step = stride_of(stride, i, number)
                side = half(side, step)
                one = old if early or late else side
                two = old if late else side
                macs.append(9 * c * one * one + c * n * two * two)
                c = n
        macs.append(int(features(width, c) * classes(width)))
        return end(macs)

    return network_macs


def by_law(width, side):
    whole = bill()(1.0, 224)
    return [round(number * width**2 * (side / 224) ** 2) for number in whole]


def by_law_cut(width, side):
    return [int(number * width * width * (side / 224) ** 2) for number in bill()(1.0, 224)]


def by_law_of_sides(width, side):
    *macs, head = bill()(width, 224)
    return [*(round(number * (side / 224) ** 2) for number in macs), head]


def by_law_of_blocks(width, side):
    return [*by_law(width, side)[:-1], bill()(width, side)[-1]]


def layer_by_layer(width, side):
    macs = bill()(width, side)
    c, side, out = int(32 * width), half_up(side, 2), [macs[0]]
    for channels, repeats, stride in TABLE:
        for i in range(repeats):
            side = half_up(side, stride if i == 0 else 1)
            n = int(channels * width)
            out += [9 * c * side * side, c * n * side * side]
            c = n
    return [*out, macs[-1]]


def classifier_at_every_place(width, side):
    macs = bill()(width, side)
    for _ in range(5):
        side = half_up(side, 2)
    return [*macs[:-1], macs[-1] * side * side]


def stem_alone_wide(width, side):
    macs = bill()(width, side)
    return [round(macs[0] / width), *macs[1:]]


def tupled(width, side):
    return tuple(bill()(width, side))


def bill_by_hooks(width, side):
    """Build the network without memory, and let hooks count."""
    counts = []

    def note(layer, given, made):
        places = made.shape[2] * made.shape[3] if made.dim() == 4 else 1
        counts.append(layer.weight.numel() * places)

    with torch.device("meta"):
        net = Net(width=width)
        for layer in net.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                layer.register_forward_hook(note)
        net.eval()(torch.empty(1, 3, side, side))
    blocks = [counts[i] + counts[i + 1] for i in range(1, 27, 2)]
    return [counts[0], *blocks, counts[-1]]


def bill_by_list(width, side):
    """The channels written out, sides from the number of halvings."""
    channels = [32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024]
    halvings = [1, 1, 2, 2, 3, 3, *[4] * 6, 5, 5]
    channels = [int(width * c) for c in channels]
    maps = [math.ceil(side / 2**h) ** 2 for h in halvings]
    macs = [27 * channels[0] * maps[0]]
    macs += [c * (9 + n) * p for c, n, p in zip(channels, channels[1:], maps[1:], strict=False)]
    return np.array([*macs, channels[-1] * 1000]).tolist()


# ---- 09.network -----------------------------------------------------------------------------


class Net(nn.Module):
    """The right answer in pieces that the wrong ones replace."""

    table = TABLE
    make = Block

    def __init__(self, width=1.0, num_classes=1000):
        super().__init__()
        self.width, self.classes = width, num_classes
        c = self.stem_channels()
        layers = [*self.stem(c)]
        for channels, repeats, stride in self.table:
            for i in range(repeats):
                n = int(channels * width)
                layers.append(self.make(c, n, self.stride_of(stride, i, repeats)))
                c = n
        self.body = self.hold(layers)
        self.head = self.classifier(c)

    def stem_channels(self):
        return int(32 * self.width)

    def stem(self, c):
        return nn.Conv2d(3, c, 3, 2, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU()

    def stride_of(self, stride, i, repeats):
        return stride if i == 0 else 1

    def hold(self, layers):
        return nn.Sequential(*layers)

    def classifier(self, c):
        return nn.Linear(c, self.classes)

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))


def net_with(**parts):
    """A class with other parts or another forward."""
    return type("MobileNet", (Net,), parts)


TableFollowed = net_with(table=[*TABLE[:-1], (1024, 1, 2), (1024, 1, 2)])
StrideEverywhere = net_with(stride_of=lambda self, s, i, n: s)
StrideNowhere = net_with(stride_of=lambda self, s, i, n: 1)
StrideAtTheEnd = net_with(stride_of=lambda self, s, i, n: s if i == n - 1 else 1)
StemWithoutStride = net_with(
    stem=lambda self, c: (nn.Conv2d(3, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU())
)
FourRows = net_with(table=TABLE[1:])
FiveNotSix = net_with(table=[*TABLE[:3], (512, 5, 2), TABLE[4]])
OneEach = net_with(table=[(c, 1, s) for c, _, s in TABLE])
StemNormMissing = net_with(stem=lambda self, c: (nn.Conv2d(3, c, 3, 2, 1, bias=False), nn.ReLU()))
StemReluMissing = net_with(
    stem=lambda self, c: (nn.Conv2d(3, c, 3, 2, 1, bias=False), nn.BatchNorm2d(c))
)
StemWide = net_with(stem_channels=lambda self: 32)
StemWideAlone = net_with(
    stem=lambda self, c: (nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU())
)
HeadWide = net_with(classifier=lambda self, c: nn.Linear(1024, self.classes))
ClassesFixed = net_with(classifier=lambda self, c: nn.Linear(c, 1000))
Softmax = net_with(forward=lambda self, x: torch.softmax(Net.forward(self, x), 1))
MaxPooled = net_with(forward=lambda self, x: self.head(self.body(x).amax((2, 3))))
ReluAtTheEnd = net_with(forward=lambda self, x: torch.relu(Net.forward(self, x)))
Flattened = net_with(forward=lambda self, x: self.head(self.body(x).flatten(1)))
PoolOfSeven = net_with(forward=lambda self, x: self.head(F.avg_pool2d(self.body(x), 7).flatten(1)))
PointwiseFirstNet = net_with(make=PointwiseFirst)
NoNormNet = net_with(
    make=NoNorms, stem=lambda self, c: (nn.Conv2d(3, c, 3, 2, 1, bias=False), nn.ReLU())
)
BiasedNet = net_with(make=Biased)
HeadWithoutBias = net_with(classifier=lambda self, c: nn.Linear(c, self.classes, bias=False))
NoAffineNet = net_with(make=NoAffine)
NoStatisticsNet = net_with(make=NoStatistics)
NoHead = net_with(forward=lambda self, x: self.body(x))
ReluLess = net_with(make=NoFirstRelu)


class Ordinary(nn.Sequential):
    def __init__(self, c, n, stride):
        super().__init__(nn.Conv2d(c, n, 3, stride, 1, bias=False), nn.BatchNorm2d(n), nn.ReLU())


OrdinaryNet = net_with(make=Ordinary)


class WidthUnused(Net):
    def __init__(self, width=1.0, num_classes=1000):
        super().__init__(1.0, num_classes)


class InAList(Net):
    def hold(self, layers):
        return lambda x: [x := layer(x) for layer in layers][-1]


class BlocksInAList(nn.Module):
    """Stem and classifier are known to the module, the blocks are not."""

    def __init__(self, width=1.0, num_classes=1000):
        super().__init__()
        c = int(32 * width)
        self.stem = nn.Sequential(
            nn.Conv2d(3, c, 3, 2, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU()
        )
        self.blocks = []
        for channels, repeats, stride in TABLE:
            for i in range(repeats):
                self.blocks.append(Block(c, int(channels * width), stride if i == 0 else 1))
                c = int(channels * width)
        self.head = nn.Linear(c, num_classes)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((2, 3)))


class NotCarried(nn.Module):
    """Each block of a row reads what the row before made."""

    def __init__(self, width=1.0, num_classes=1000):
        super().__init__()
        c = int(32 * width)
        layers = [nn.Conv2d(3, c, 3, 2, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU()]
        for channels, repeats, stride in TABLE:
            n = int(channels * width)
            layers += [Block(c, n, stride if i == 0 else 1) for i in range(repeats)]
            c = n
        self.body, self.head = nn.Sequential(*layers), nn.Linear(c, num_classes)

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))


class TwoHeads(Net):
    def __init__(self, width=1.0, num_classes=1000):
        super().__init__(width, num_classes)
        self.more = nn.Linear(10, 10)


class UnwrittenNet(nn.Module):
    def __init__(self, width=1.0, num_classes=1000):
        raise NotImplementedError()


class LikeTheAuthors(nn.Module):
    """The classifier as a 1×1 convolution, layers in a ModuleList, pooling as a layer."""

    def __init__(self, width=1.0, num_classes=1000):
        super().__init__()
        channels = [int(width * c) for c in (32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)]
        self.stem = nn.Conv2d(3, channels[0], 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels[0])
        self.blocks = nn.ModuleList(
            InOneRow(c, n, 2 if i in (1, 3, 5, 11) else 1)
            for i, (c, n) in enumerate(pairwise(channels))
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.001)
        self.head = nn.Conv2d(channels[-1], num_classes, 1)

    def forward(self, x):
        x = F.relu(self.norm(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        return self.head(self.dropout(self.pool(x))).squeeze(3).squeeze(2)


# ---- 09.choose ------------------------------------------------------------------------------


def chosen(
    fits=lambda price, budget: price <= budget,
    key=lambda p, price: (p[2], -price),
    give=lambda p: (p[0], p[1]),
):
    def choose(points, budget, cost):
        inside = [p for p in points if fits(cost(p[0], p[1]), budget)]
        if not inside:
            return None
        return give(max(inside, key=lambda p: key(p, cost(p[0], p[1]))))

    return choose


def best_of_all(points, budget, cost):
    if not points:
        return None
    best = max(points, key=lambda p: (p[2], -cost(p[0], p[1])))
    return best[:2] if cost(best[0], best[1]) <= budget else None


def never_none(points, budget, cost):
    inside = [p for p in points if cost(p[0], p[1]) <= budget]
    return max(inside, key=lambda p: (p[2], -cost(p[0], p[1])))[:2]


def first_of_the_list(points, budget, cost):
    for width, side, _ in points:
        if cost(width, side) <= budget:
            return width, side
    return None


def swapped(points, budget, cost):
    return chosen()(points, budget, lambda width, side: cost(side, width))


def sorted_in_place(points, budget, cost):
    points.sort(key=lambda p: (-p[2], cost(p[0], p[1])))
    return next((p[:2] for p in points if cost(p[0], p[1]) <= budget), None)


def last_of_equals(points, budget, cost):
    best, found = 0, None
    for width, side, accuracy in points:
        if cost(width, side) <= budget and accuracy >= best:
            best, found = accuracy, (width, side)
    return found


def by_loop(points, budget, cost):
    best = None
    for width, side, accuracy in points:
        price = cost(width, side)
        if price > budget:
            continue
        if best is None or accuracy > best[0] or (accuracy == best[0] and price < best[1]):
            best = accuracy, price, [width, side]
    return best[2] if best else None


def by_two_sorts(points, budget, cost):
    cheap_first = sorted(points, key=lambda p: cost(p[0], p[1]))
    for width, side, _ in sorted(cheap_first, key=lambda p: p[2], reverse=True):
        if cost(width, side) <= budget:
            return SimpleNamespace(answer=(width, side)).answer
    return None


WRONG = {
    "09.block": [
        ("pointwise-first", PointwiseFirst),
        ("depthwise-changes-channels", ToN),
        ("groups-forgotten", DenseFirst),
        ("pointwise-large", LargePointwise),
        ("norms-forgotten", NoNorms),
        ("norm-forgotten", OneNorm),
        ("norm-size", NormSizes),
        ("stride-twice", StrideTwice),
        ("stride-in-pointwise", StrideLate),
        ("stride-forgotten", NoStride),
        ("padding-forgotten", NoPadding),
        ("first-relu-forgotten", NoFirstRelu),
        ("last-relu-forgotten", NoLastRelu),
        ("relus-forgotten", NoRelus),
        ("relu-before-norm", ReluFirst),
        ("relu6-not-relu", Relu6),
        ("bias-kept", Biased),
        ("bias-kept", OneBias),
        ("norm-settings", NoAffine),
        ("norm-settings", NoStatistics),
        ("not-registered", ListedBlock),
        ("parts-too-many", LeftOver),
        ("input-added", Residual),
        ("every parameter learns", Detached),
        ("returns-none", Printed),
        ("not-implemented", Unwritten),
        ("not-callable", Block(2, 3)),
    ],
    "09.cost": [
        ("sum-not-pair", costs(end=sum)),
        ("halves-swapped", costs(end=lambda pair: pair[::-1])),
        ("width-forgotten", costs(wide=lambda a, c, n: (c, n))),
        ("width-squared-everywhere", times_width(2)),
        ("width-once", times_width(1)),
        ("outputs-narrow-only", costs(wide=lambda a, c, n: (c, a * n))),
        ("width-once", costs(wide=lambda a, c, n: (a * c, n))),
        ("stride-forgotten", costs(places=all_places)),
        (
            "depthwise-before-the-stride",
            costs(places=lambda side, s: (side**2, half_up(side, s) ** 2)),
        ),
        (
            "pointwise-before-the-stride",
            costs(places=lambda side, s: (half_up(side, s) ** 2, side**2)),
        ),
        ("channels-rounded", costs(wide=lambda a, c, n: (round(a * c), round(a * n)))),
        ("channels-rounded", costs(wide=lambda a, c, n: (math.ceil(a * c), math.ceil(a * n)))),
        ("full-cost-times-width", cost_by_factors),
        ("rounded-to-even", costs(places=lambda side, s: (round(side / s) ** 2,) * 2)),
        ("rounded-down", costs(places=lambda side, s: ((side // s) ** 2,) * 2)),
        ("padding-forgotten", costs(places=lambda side, s: (((side - 3) // s + 1) ** 2,) * 2)),
        ("side-not-squared", costs(places=lambda side, s: (half_up(side, s),) * 2)),
        ("weights-not-macs", costs(places=lambda side, s: (1, 1))),
        ("flops-not-macs", costs(end=lambda pair: (2 * pair[0], 2 * pair[1]))),
        ("depthwise-reads-all", costs(first=lambda c, n: 9 * c * c)),
        ("depthwise-is-standard", costs(first=lambda c, n: 9 * c * n)),
        ("depthwise-has-c-outputs", costs(first=lambda c, n: 9 * n)),
        ("kernel-forgotten", costs(first=lambda c, n: c)),
        ("pointwise-with-nine", costs(second=lambda c, n: 9 * c * n)),
        ("biases-counted", costs(first=lambda c, n: 10 * c, second=lambda c, n: (c + 1) * n)),
        ("wrong-type", costs(end=lambda pair: (float(pair[0]), float(pair[1])))),
        ("returns-none", costs(end=lambda pair: None)),
    ],
    "09.macs": [
        ("sum-not-list", bill(end=sum)),
        ("layers-not-blocks", layer_by_layer),
        ("first-row-missing", bill(table=TABLE[1:])),
        ("five-not-six", bill(table=[*TABLE[:3], (512, 5, 2), TABLE[4]])),
        ("seven-not-six", bill(table=[*TABLE[:3], (512, 7, 2), TABLE[4]])),
        ("number-of-blocks", bill(table=[(c, 1, s) for c, _, s in TABLE])),
        ("stem-or-classifier-missing", bill(end=lambda macs: macs[:-1])),
        ("stem-or-classifier-missing", bill(end=lambda macs: macs[1:])),
        ("blocks-alone", bill(end=lambda macs: macs[1:-1])),
        ("table-followed", bill(table=[*TABLE[:-1], (1024, 1, 2), (1024, 1, 2)])),
        ("stride-in-every-block", bill(stride_of=lambda s, i, block: s)),
        ("stride-forgotten", bill(stride_of=lambda s, i, block: 1)),
        ("stride-too-late", bill(late=True)),
        ("depthwise-before-the-stride", bill(early=True)),
        ("stem-without-stride", bill(stem_stride=1)),
        ("stem-on-the-picture", bill(stem_places=lambda side, after: side * side)),
        ("rounded-down", bill(half=lambda side, stride: side // stride)),
        ("square-law", by_law),
        ("square-law", by_law_of_blocks),
        ("square-law", by_law_cut),
        (
            "square-law",
            lambda width, side: [m * width**2 * (side / 224) ** 2 for m in bill()(1, 224)],
        ),
        ("square-law-of-the-side", by_law_of_sides),
        ("width-forgotten", lambda width, side: bill()(1.0, side)),
        ("side-forgotten", lambda width, side: bill()(width, 224)),
        ("stem-not-narrowed", bill(stem=lambda a: 32)),
        ("stem-not-narrowed", stem_alone_wide),
        ("classes-narrowed", bill(classes=lambda a: 1000 * a)),
        ("classifier-not-narrowed", bill(features=lambda a, c: 1024)),
        ("classifier-before-pooling", classifier_at_every_place),
        ("biases-counted", bill(end=lambda macs: [*macs[:-1], macs[-1] + 1000])),
        ("flops-not-macs", bill(end=lambda macs: [2 * number for number in macs])),
        ("stride-missing", bill(table=[*TABLE[:-1], (1024, 2, 1)])),
        ("stride-missing", bill(table=[TABLE[0], (128, 2, 1), *TABLE[2:]])),
        ("stem-wrong", bill(end=lambda macs: [macs[0] // 3, *macs[1:]])),
        ("classifier-wrong", bill(end=lambda macs: [*macs[:-1], 2 * macs[-1]])),
        (None, bill(table=[*TABLE[:-1], (1000, 2, 2)])),
        ("wrong-type", bill(end=lambda macs: [float(number) for number in macs])),
    ],
    "09.network": [
        ("table-followed", TableFollowed),
        ("stride-in-every-block", StrideEverywhere),
        ("stride-forgotten", StrideNowhere),
        ("stride-in-the-last-block", StrideAtTheEnd),
        ("stem-without-stride", StemWithoutStride),
        ("first-row-missing", FourRows),
        ("five-not-six", FiveNotSix),
        ("one-block-a-row", OneEach),
        ("width-forgotten", WidthUnused),
        ("stem-not-narrowed", StemWide),
        ("stem-not-narrowed", StemWideAlone),
        ("classifier-not-narrowed", HeadWide),
        ("channels-not-carried", NotCarried),
        ("classes-fixed", ClassesFixed),
        ("layers-in-a-list", InAList),
        ("layers-in-a-list", BlocksInAList),
        ("classifier-without-bias", HeadWithoutBias),
        ("norm-settings", NoAffineNet),
        ("norm-settings", NoStatisticsNet),
        ("not-pooled", Flattened),
        ("pool-of-seven", PoolOfSeven),
        ("norms-missing", NoNormNet),
        ("stem-norm-missing", StemNormMissing),
        ("pointwise-first", PointwiseFirstNet),
        ("ordinary-blocks", OrdinaryNet),
        ("bias-kept", BiasedNet),
        ("parts-too-many", TwoHeads),
        ("softmax-at-the-end", Softmax),
        ("max-pooled", MaxPooled),
        ("stem-relu-missing", StemReluMissing),
        ("relu-at-the-end", ReluAtTheEnd),
        ("classifier-missing", NoHead),
        (None, ReluLess),
        ("not-implemented", UnwrittenNet),
    ],
    "09.choose": [
        ("nothing-fits", never_none),
        ("whole-point", chosen(give=lambda p: p)),
        ("accuracy-returned", chosen(give=lambda p: p[2])),
        ("budget-forgotten", chosen(fits=lambda price, budget: True)),
        ("best-of-all-or-none", best_of_all),
        ("dearest-not-best", chosen(key=lambda p, price: (price, p[2]))),
        ("cheapest-not-best", chosen(key=lambda p, price: (-price, p[2]))),
        ("bang-for-the-buck", chosen(key=lambda p, price: p[2] / price)),
        ("width-first", chosen(key=lambda p, price: (p[0], p[1]))),
        ("first-that-fits", first_of_the_list),
        ("budget-left-out", chosen(fits=lambda price, budget: price < budget)),
        ("tie-to-the-dearer", chosen(key=lambda p, price: (p[2], price))),
        ("tie-to-the-first", chosen(key=lambda p, price: p[2])),
        ("tie-to-the-last", last_of_equals),
        ("tie-by-one-dial", chosen(key=lambda p, price: (p[2], -p[1]))),
        ("tie-by-one-dial", chosen(key=lambda p, price: (p[2], -p[0]))),
        ("tie-by-one-dial", chosen(key=lambda p, price: (p[2], p[0], p[1]))),
        ("arguments-swapped", swapped),
        ("list-changed", sorted_in_place),
    ],
}

RIGHT = {
    "09.block": [Block, InOneRow, PaddedByHand],
    "09.cost": [costs(), cost_by_numpy, cost_by_layers],
    "09.macs": [bill(), tupled, bill_by_hooks, bill_by_list],
    "09.network": [Net, LikeTheAuthors, net_with(make=InOneRow)],
    "09.choose": [chosen(), by_loop, by_two_sorts],
}
