"""Chapter 08: answers that learners give, wrong with their diagnosis and right in other ways."""

import torch
import torch.nn.functional as F
from torch import nn

# --- 08.fire ---------------------------------------------------------------------------------


class Right(nn.Module):
    def __init__(self, in_channels, squeeze, expand1x1, expand3x3):
        super().__init__()
        self.squeeze = nn.Conv2d(in_channels, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand1x1, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand3x3, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], 1)


class ReluAtTheEnd(Right):
    """Right: one ReLU over both halves is the same."""

    def forward(self, x):
        x = torch.relu_(self.squeeze(x))
        return torch.cat((self.expand1x1(x), self.expand3x3(x)), dim=-3).relu()


class ByModules(nn.Module):
    """Right: positional kernels, a shared ReLU layer, padding="same", writing into a new tensor."""

    def __init__(self, c, s, e1, e3):
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(s, e3, (3, 3), padding="same")
        self.expand1x1 = nn.Conv2d(s, e1, (1, 1))
        self.squeeze = nn.Conv2d(c, s, kernel_size=1)

    def forward(self, x):
        narrow = self.relu(self.squeeze(x))
        n, _, h, w = x.shape
        e1 = self.expand1x1.out_channels
        out = x.new_empty(n, e1 + self.expand3x3.out_channels, h, w)
        out[:, :e1] = self.relu(self.expand1x1(narrow))
        out[:, e1:] = self.relu(self.expand3x3(narrow))
        return out


def fire(forward):
    """The right parts with another forward."""

    class Fire(Right):
        def forward(self, x):
            return forward(self, x)

    return Fire


def halves(m, x):
    narrow = F.relu(m.squeeze(x))
    return F.relu(m.expand1x1(narrow)), F.relu(m.expand3x3(narrow))


def layer_not_called(m, x):
    narrow = nn.ReLU(m.squeeze(x))
    return torch.cat([m.expand1x1(narrow), m.expand3x3(narrow)], 1)


def layer_at_the_end(m, x):
    narrow = F.relu(m.squeeze(x))
    return nn.ReLU(torch.cat([m.expand1x1(narrow), m.expand3x3(narrow)], 1))


def one_relu_only(m, x):
    narrow = F.relu(m.squeeze(x))
    return torch.cat([F.relu(m.expand1x1(narrow)), m.expand3x3(narrow)], 1)


def other_relu_only(m, x):
    narrow = F.relu(m.squeeze(x))
    return torch.cat([m.expand1x1(narrow), F.relu(m.expand3x3(narrow))], 1)


def fed_in_a_row(m, x):
    one = F.relu(m.expand1x1(F.relu(m.squeeze(x))))
    return torch.cat([one, F.relu(m.expand3x3(one))], 1)


def bypassed(m, x):
    y = torch.cat(halves(m, x), 1)
    return x + y if x.shape == y.shape else y


class OtherNames(nn.Module):
    def __init__(self, c, s, e1, e3):
        super().__init__()
        self.s1x1, self.e1x1 = nn.Conv2d(c, s, 1), nn.Conv2d(s, e1, 1)
        self.e3x3 = nn.Conv2d(s, e3, 3, padding=1)


class ReadsInput(Right):
    def __init__(self, c, s, e1, e3):
        super().__init__(c, s, e1, e3)
        self.expand1x1, self.expand3x3 = nn.Conv2d(c, e1, 1), nn.Conv2d(c, e3, 3, padding=1)


class OneReadsInput(Right):
    def __init__(self, c, s, e1, e3):
        super().__init__(c, s, e1, e3)
        self.expand3x3 = nn.Conv2d(c, e3, 3, padding=1)


class InARow(Right):
    def __init__(self, c, s, e1, e3):
        super().__init__(c, s, e1, e3)
        self.expand3x3 = nn.Conv2d(e1, e3, 3, padding=1)


class KernelsSwapped(Right):
    def __init__(self, c, s, e1, e3):
        super().__init__(c, s, e1, e3)
        self.expand1x1, self.expand3x3 = nn.Conv2d(s, e1, 3, padding=1), nn.Conv2d(s, e3, 1)


class SqueezeLarge(Right):
    def __init__(self, c, s, e1, e3):
        super().__init__(c, s, e1, e3)
        self.squeeze = nn.Conv2d(c, s, 3, padding=1)


class WidthsSwapped(Right):
    def __init__(self, c, s, e1, e3):
        super().__init__(c, s, e3, e1)


class FullWidths(Right):
    def __init__(self, c, s, e1, e3):
        super().__init__(c, s, e1 + e3, e1 + e3)


class NoBias(Right):
    def __init__(self, c, s, e1, e3):
        super().__init__(c, s, e1, e3)
        self.squeeze = nn.Conv2d(c, s, 1, bias=False)


class NoPadding(Right):
    def __init__(self, c, s, e1, e3):
        super().__init__(c, s, e1, e3)
        self.expand3x3 = nn.Conv2d(s, e3, 3)


class PaddedTwice(Right):
    def __init__(self, c, s, e1, e3):
        super().__init__(c, s, e1, e3)
        self.expand1x1 = nn.Conv2d(s, e1, 1, padding=1)


class NoPaddingAdded(NoPadding):
    def forward(self, x):
        one, other = halves(self, x)
        return one + other


class WithNorm(Right):
    def __init__(self, c, s, e1, e3):
        super().__init__(c, s, e1, e3)
        self.norm = nn.BatchNorm2d(e1 + e3)

    def forward(self, x):
        return self.norm(super().forward(x))


class NoGradient(Right):
    def forward(self, x):
        with torch.no_grad():
            return super().forward(x)


class NotSqueezed(Right):
    """The squeeze layer is cut off from training."""

    def forward(self, x):
        narrow = F.relu(self.squeeze(x)).detach()
        return torch.cat([F.relu(self.expand1x1(narrow)), F.relu(self.expand3x3(narrow))], 1)


class Wrapped(Right):
    """A convolution and its ReLU under one name."""

    def __init__(self, c, s, e1, e3):
        super().__init__(c, s, e1, e3)
        self.squeeze = nn.Sequential(nn.Conv2d(c, s, 1), nn.ReLU())


class Strided(Right):
    def __init__(self, c, s, e1, e3):
        super().__init__(c, s, e1, e3)
        self.expand3x3 = nn.Conv2d(s, e3, 3, stride=2, padding=1)


class Drops(Right):
    def __init__(self, c, s, e1, e3):
        super().__init__(c, s, e1, e3)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):
        return self.dropout(super().forward(x))


# --- 08.params -------------------------------------------------------------------------------


def weights(c, s, e1, e3):
    return c * s + s * e1 + 9 * s * e3


def params(c, s, e1, e3):
    return weights(c, s, e1, e3) + s + e1 + e3


def by_layers(in_channels, squeeze, expand1x1, expand3x3):
    layers = [(in_channels, squeeze, 1), (squeeze, expand1x1, 1), (squeeze, expand3x3, 3)]
    return sum(k**2 * c * n + n for c, n, k in layers)


def by_counting(in_channels, squeeze, expand1x1, expand3x3):
    return sum(p.numel() for p in Right(in_channels, squeeze, expand1x1, expand3x3).parameters())


def plus_one(c, s, e1, e3):
    return (c + 1) * s + (s + 1) * (e1 + 9 * e3) - 8 * e3


def bias_in_the_kernel(c, s, e1, e3):
    return (c + 1) * s + (s + 1) * e1 + 9 * (s + 1) * e3


# --- 08.design -------------------------------------------------------------------------------


def table(ratio, share, width=lambda i: 128 + 128 * (i // 2)):
    rows = []
    for i in range(8):
        e = width(i)
        rows.append((int(ratio * e), e - int(share * e), int(share * e)))
    return rows


def size_of(rows, params):
    spent, channels = 0, 96
    for s, e1, e3 in rows:
        spent += params(channels, s, e1, e3)
        channels = e1 + e3
    return spent


def design(budget, share, ratios, params):
    best = []
    for ratio in sorted(ratios):
        rows = table(ratio, share)
        if size_of(rows, params) <= budget:
            best = rows
    return best


def design_by_max(budget, share, ratios, params):
    good = [r for r in ratios if size_of(table(r, share), params) <= budget]
    return table(max(good), share) if good else []


def design_by_lists(budget, share, ratios, params):
    """Right: rows are lists, the outermost thing is a tuple."""
    for ratio in sorted(ratios, reverse=True):
        rows = [[*row] for row in table(ratio, share)]
        if size_of(rows, params) <= budget:
            return tuple(rows)
    return ()


def chosen(rows=table, size=size_of, fits=lambda n, budget: n <= budget, pick=max, none=()):
    def design(budget, share, ratios, params):
        good = [r for r in ratios if fits(size(rows(r, share), params), budget)]
        if good:
            return rows(pick(good), share)
        return rows(none(ratios), share) if callable(none) else [*none]

    return design


def in_floats(ratio, share):
    rows = []
    for i in range(8):
        e = 128 + 128 * (i // 2)
        rows.append((ratio * e, e - share * e, share * e))
    return rows


def of_the_input(ratio, share):
    rows, c = [], 96
    for i in range(8):
        e = 128 + 128 * (i // 2)
        rows.append((int(ratio * c), e - int(share * e), int(share * e)))
        c = e
    return rows


def of_the_3x3(ratio, share):
    return [(int(ratio * e3), e1, e3) for _, e1, e3 in table(ratio, share)]


def doubled(ratio, share):
    return [(s, e1 + e3, e3) for s, e1, e3 in table(ratio, share)]


def always_96(rows, params):
    return sum(params(96, *row) for row in rows)


def as_many_in_as_out(rows, params):
    return sum(params(e1 + e3, s, e1, e3) for s, e1, e3 in rows)


def the_largest_only(rows, params):
    sizes, channels = [], 96
    for s, e1, e3 in rows:
        sizes.append(params(channels, s, e1, e3))
        channels = e1 + e3
    return max(sizes)


def only_the_ratio(budget, share, ratios, params):
    return max((r for r in ratios if size_of(table(r, share), params) <= budget), default=None)


def none_if_nothing_fits(budget, share, ratios, params):
    return design(budget, share, ratios, params) or None


def expand_first(ratio, share):
    return [(e1, s, e3) for s, e1, e3 in table(ratio, share)]


# --- 08.net ----------------------------------------------------------------------------------


class Net(nn.Module):
    """Right, and what a learner can change in it."""

    STRIDE, PADDING, CLASSES = 2, 0, None

    def __init__(self, rows, num_classes, fire):
        super().__init__()
        blocks, channels = [], 3
        for kind, *sizes in rows:
            if kind == "conv":
                blocks.append(self.conv(channels, *sizes))
                channels = sizes[0]
            elif kind == "pool":
                blocks.append(self.pool())
            else:
                blocks.append(fire(channels, *sizes))
                channels = self.after(channels, *sizes)
        self.features = nn.Sequential(*blocks)
        self.classifier = self.head(channels, self.CLASSES or num_classes)

    def conv(self, c, out, k):
        return nn.Sequential(nn.Conv2d(c, out, k, self.STRIDE, self.PADDING), nn.ReLU(inplace=True))

    def pool(self):
        return nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)

    def after(self, c, s, e1, e3):
        return e1 + e3

    def head(self, c, classes):
        return nn.Sequential(nn.Dropout(), nn.Conv2d(c, classes, 1), nn.ReLU(inplace=True))

    def forward(self, x):
        return self.classifier(self.features(x)).mean(dim=(2, 3))


class PooledByLayer(Net):
    """Right: torchvision's form."""

    def head(self, c, classes):
        parts = Net.head(self, c, classes)
        return nn.Sequential(*parts, nn.AdaptiveAvgPool2d((1, 1)))

    def forward(self, x):
        return torch.flatten(self.classifier(self.features(x)), 1)


class DropsByFunction(Net):
    """Right: the classifier is one convolution, the rest are functions."""

    def head(self, c, classes):
        return nn.Conv2d(c, classes, (1, 1))

    def forward(self, x):
        x = F.dropout(self.features(x), 0.5, training=self.training)
        return F.relu(self.classifier(x)).flatten(2).mean(2)


def net(**changes):
    """The right network with some methods replaced."""
    return type("SqueezeNet", (Net,), changes)


def dense_stem(self, c, out, k):
    return nn.Conv2d(c, out, k, stride=2)


def padded_stem(self, c, out, k):
    return nn.Sequential(nn.Conv2d(c, out, k, 2, padding=k // 2), nn.ReLU())


class ItemsApart(Net):
    def __init__(self, rows, num_classes, fire):
        super().__init__(rows, num_classes, fire)
        first, *others = self.features
        self.features = nn.Sequential(*first, *others)


class ListOfBlocks(Net):
    def __init__(self, rows, num_classes, fire):
        super().__init__(rows, num_classes, fire)
        self.features = nn.ModuleList(self.features)

    def forward(self, x):
        for block in self.features:
            x = block(x)
        return self.classifier(x).mean((2, 3))


class NoFeatures(Net):
    def __init__(self, rows, num_classes, fire):
        super().__init__(rows, num_classes, fire)
        self.body = self.features
        del self.features


class FixedTable(Net):
    """Ignores the table it is given."""

    def __init__(self, rows, num_classes, fire):
        super().__init__([("conv", 96, 7), ("pool",), ("fire", 16, 64, 64)], num_classes, fire)


class LinearHead(Net):
    def head(self, c, classes):
        return nn.Sequential(nn.Dropout(0.5), nn.Linear(c, classes), nn.ReLU())

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


class MeanBeforeRelu(Net):
    """The mean stands between the last convolution and its ReLU."""

    def head(self, c, classes):
        return nn.Conv2d(c, classes, 1)

    def forward(self, x):
        x = F.dropout(self.features(x), 0.5, self.training)
        return self.classifier(x).mean((2, 3)).relu()


class DropsThePicture(Net):
    def forward(self, x):
        return super().forward(F.dropout(x, 0.5, self.training))


class DropsTheScores(Net):
    """A second dropout behind the last ReLU."""

    def forward(self, x):
        maps = self.classifier(self.features(x))
        return F.dropout(maps, 0.5, self.training).mean((2, 3))


class DropsLate(Net):
    """The only dropout stands behind the last ReLU."""

    def head(self, c, classes):
        return nn.Sequential(nn.Conv2d(c, classes, 1), nn.ReLU(), nn.Dropout(0.5))


class DropsUnscaled(DropsByFunction):
    """A mask of its own, and what stays is not doubled."""

    def forward(self, x):
        x = self.features(x)
        if self.training:
            x = x * (torch.rand_like(x) < 0.5)
        return F.relu(self.classifier(x)).mean((2, 3))


def dropping(layer):
    """The head with another dropout."""
    return net(head=lambda self, c, n: nn.Sequential(layer, *Net.head(self, c, n)[1:]))


class DenseAtEachPlace(Net):
    """Right: the last 1×1 convolution as a dense layer over the channels of each place."""

    def head(self, c, classes):
        return nn.Linear(c, classes)

    def forward(self, x):
        x = F.dropout(self.features(x), 0.5, self.training)
        return F.relu(self.classifier(x.movedim(1, -1))).mean((1, 2))


class DropsInPlace(Net):
    """Right: the dropout writes into the features."""

    def head(self, c, classes):
        return nn.Sequential(nn.Dropout(0.5, inplace=True), *Net.head(self, c, classes)[1:])


def out(change):
    return lambda self, x: change(self.classifier(self.features(x)))


class AlwaysDrops(Net):
    def forward(self, x):
        return self.classifier(F.dropout(self.features(x))).mean((2, 3))


class ExtraLayer(Net):
    def __init__(self, rows, num_classes, fire):
        super().__init__(rows, num_classes, fire)
        self.fc = nn.Linear(10, 10)


def three_classes(m, c, classes):
    return nn.Sequential(nn.Dropout(0.5), nn.Conv2d(c, classes, 3, padding=1), nn.ReLU())


WRONG = {
    "08.fire": [
        ("relu-is-a-layer", fire(layer_not_called)),
        ("relu-is-a-layer", fire(layer_at_the_end)),
        ("name-missing", OtherNames),
        ("in-a-row", InARow),
        ("fed-in-a-row", fire(fed_in_a_row)),
        ("x-not-squeezed", fire(lambda m, x: torch.cat([m.expand1x1(x), m.expand3x3(x)], 1))),
        ("expand-reads-input", ReadsInput),
        ("expand-reads-input", OneReadsInput),
        ("kernels-swapped", KernelsSwapped),
        ("squeeze-large", SqueezeLarge),
        ("widths-swapped", WidthsSwapped),
        ("full-width-each", FullWidths),
        ("bias-forgotten", NoBias),
        ("padding-forgotten", NoPadding),
        ("padding-forgotten", PaddedTwice),
        ("padding-forgotten", NoPaddingAdded),
        ("added", fire(lambda m, x: sum(halves(m, x)))),
        ("other-axis", fire(lambda m, x: torch.cat(halves(m, x)))),
        ("other-axis", fire(lambda m, x: torch.cat(halves(m, x), 2))),
        ("pair-returned", fire(halves)),
        ("order-of-concatenation", fire(lambda m, x: torch.cat(halves(m, x)[::-1], 1))),
        (
            "squeeze-relu-forgotten",
            fire(
                lambda m, x: torch.cat(
                    [f(m.squeeze(x)) for f in (m.expand1x1, m.expand3x3)], 1
                ).relu()
            ),
        ),
        (
            "expand-relus-forgotten",
            fire(
                lambda m, x: torch.cat(
                    [f(m.squeeze(x).relu()) for f in (m.expand1x1, m.expand3x3)], 1
                )
            ),
        ),
        (
            "relus-forgotten",
            fire(lambda m, x: torch.cat([f(m.squeeze(x)) for f in (m.expand1x1, m.expand3x3)], 1)),
        ),
        ("half-activated", fire(one_relu_only)),
        ("half-activated-3x3", fire(other_relu_only)),
        ("relu-on-the-input", fire(lambda m, x: torch.cat(halves(m, x.relu()), 1))),
        ("input-added", fire(bypassed)),
        ("parts-too-many", WithNorm),
        ("part-is-sequential", Wrapped),
        ("padding-forgotten", Strided),
        ("the same in training", Drops),
        ("every parameter learns", NoGradient),
        ("every parameter learns", NotSqueezed),
        ("not-callable", Right(2, 1, 2, 2)),
        ("not-callable", by_layers),
        ("wrong-type", fire(lambda m, x: None)),
    ],
    "08.params": [
        ("biases-forgotten", weights),
        ("squeeze-bias-forgotten", lambda c, s, e1, e3: params(c, s, e1, e3) - s),
        ("expand-biases-forgotten", lambda c, s, e1, e3: weights(c, s, e1, e3) + s),
        ("one-bias-per-layer", lambda c, s, e1, e3: weights(c, s, e1, e3) + 3),
        ("kernel-once", lambda c, s, e1, e3: c * s + s * e1 + 3 * s * e3 + s + e1 + e3),
        ("all-one-by-one", lambda c, s, e1, e3: (c + 1) * s + (s + 1) * (e1 + e3)),
        ("all-three-by-three", lambda c, s, e1, e3: (c + 1) * s + (9 * s + 1) * (e1 + e3)),
        ("bias-in-the-kernel", bias_in_the_kernel),
        ("expand-reads-input", lambda c, s, e1, e3: c * (s + e1 + 9 * e3) + s + e1 + e3),
        ("in-a-row", lambda c, s, e1, e3: c * s + s * e1 + 9 * e1 * e3 + s + e1 + e3),
        ("squeeze-forgotten", lambda c, s, e1, e3: s * (e1 + 9 * e3) + e1 + e3),
        ("widths-swapped", lambda c, s, e1, e3: params(c, s, e3, e1)),
        ("wrong-type", lambda c, s, e1, e3: float(params(c, s, e1, e3))),
        ("returns-none", lambda c, s, e1, e3: None),
        (None, lambda c, s, e1, e3: 11_920),
    ],
    "08.design": [
        ("not-whole", chosen(rows=in_floats)),
        ("ratio-returned", only_the_ratio),
        ("none-for-empty", none_if_nothing_fits),
        ("in-channels-kept", chosen(size=always_96)),
        ("in-channels-of-its-own", chosen(size=as_many_in_as_out)),
        ("budget-for-each", chosen(size=the_largest_only)),
        ("exact-fit-refused", chosen(fits=lambda n, budget: n < budget)),
        ("smallest-ratio", chosen(pick=min)),
        ("first-that-fits", chosen(pick=lambda good: good[0])),
        ("last-that-fits", chosen(pick=lambda good: good[-1])),
        ("empty-forgotten", chosen(none=min)),
        ("share-swapped", chosen(rows=lambda r, share: table(r, 1 - share))),
        ("squeeze-of-3x3", chosen(rows=of_the_3x3)),
        ("squeeze-of-input", chosen(rows=of_the_input)),
        ("expand-doubled", chosen(rows=doubled)),
        ("never-wider", chosen(rows=lambda r, s: table(r, s, lambda i: 128))),
        ("wider-each-time", chosen(rows=lambda r, s: table(r, s, lambda i: 128 * (i + 1)))),
        (
            "wider-too-soon",
            chosen(rows=lambda r, s: table(r, s, lambda i: 128 + 128 * ((i + 1) // 2))),
        ),
        (
            "doubled-not-added",
            chosen(rows=lambda r, s: table(r, s, lambda i: 128 * 2 ** (i // 2))),
        ),
        ("wrong-shape", chosen(rows=expand_first)),
        ("wrong-shape", chosen(rows=lambda r, s: table(r, s)[:7])),
        ("returns-none", lambda budget, share, ratios, params: None),
        ("wrong-signature", lambda budget, share, ratios: []),
    ],
    "08.net": [
        ("part-missing", NoFeatures),
        ("one-item-per-row", ItemsApart),
        ("one-item-per-row", ListOfBlocks),
        ("wrong-shape", FixedTable),
        ("pools-round-down", net(pool=lambda self: nn.MaxPool2d(3, 2))),
        ("pool-of-two", net(pool=lambda self: nn.MaxPool2d(2))),
        ("pool-of-two-up", net(pool=lambda self: nn.MaxPool2d(2, ceil_mode=True))),
        ("pool-padded", net(pool=lambda self: nn.MaxPool2d(3, 2, 1))),
        ("pools-average", net(pool=lambda self: nn.AvgPool2d(3, 2, ceil_mode=True))),
        ("stem-stride-forgotten", net(STRIDE=1)),
        ("stem-padded", net(PADDING=1)),
        ("stem-padded-fully", net(conv=padded_stem)),
        ("stem-relu-forgotten", net(conv=dense_stem)),
        ("channels-of-the-1x1", net(after=lambda self, c, s, e1, e3: e1)),
        ("channels-of-the-3x3", net(after=lambda self, c, s, e1, e3: e3)),
        ("channels-never-updated", net(after=lambda self, c, s, e1, e3: c)),
        ("channels-of-the-squeeze", net(after=lambda self, c, s, e1, e3: s)),
        ("classes-fixed", net(CLASSES=1000)),
        ("head-relu-forgotten", net(head=lambda self, c, n: Net.head(self, c, n)[:2])),
        ("mean-first", LinearHead),
        ("mean-first", MeanBeforeRelu),
        ("maximum-at-the-end", net(forward=out(lambda y: y.amax((2, 3))))),
        ("sum-at-the-end", net(forward=out(lambda y: y.sum((2, 3))))),
        ("softmax-at-the-end", net(forward=out(lambda y: y.mean((2, 3)).softmax(1)))),
        ("map-returned", net(forward=out(lambda y: y))),
        ("map-returned", net(forward=out(lambda y: y.mean((2, 3), keepdim=True)))),
        ("dropout-in-use", AlwaysDrops),
        ("dropout works in training", net(head=lambda self, c, n: Net.head(self, c, n)[1:])),
        ("dropout works in training", dropping(nn.Dropout(0.2))),
        ("dropout works in training", dropping(nn.Dropout(0.8))),
        ("dropout works in training", dropping(nn.Dropout2d(0.5))),
        ("dropout works in training", DropsThePicture),
        ("dropout works in training", DropsTheScores),
        ("dropout works in training", DropsLate),
        ("dropout works in training", DropsUnscaled),
        (None, net(head=three_classes)),
        (None, ExtraLayer),
        ("wrong-type", net(forward=out(lambda y: [y.mean((2, 3))]))),
        ("not-callable", net),
    ],
}

RIGHT = {
    "08.fire": [Right, ReluAtTheEnd, ByModules],
    "08.params": [params, by_layers, by_counting, plus_one],
    "08.design": [design, design_by_max, design_by_lists],
    "08.net": [Net, PooledByLayer, DropsByFunction, DropsInPlace, DenseAtEachPlace],
}
