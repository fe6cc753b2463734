"""Chapter 12: answers that learners give, wrong with their diagnosis and right in other ways."""

import torch
import torch.nn.functional as F
from torch import nn

from lightcourse.nn import Bneck as CourseBneck
from lightcourse.nn import make_divisible

RE, HS = nn.ReLU, nn.Hardswish


def norm(channels):
    return nn.BatchNorm2d(channels, eps=0.001, momentum=0.01)


def changed(base):
    """A function that makes a subclass with other parts."""
    return lambda **parts: type(base.__name__, (base,), parts)


# ---- 12.excite ------------------------------------------------------------------------------


class Gate(nn.Module):
    """The right answer in pieces that the wrong ones replace."""

    def __init__(self, channels):
        super().__init__()
        s = self.squeezed(channels)
        self.down, self.up = self.layers(channels, s)

    def squeezed(self, c):
        return make_divisible(c / 4)

    def layers(self, c, s):
        return nn.Linear(c, s), nn.Linear(s, c)

    def squeeze(self, x):
        return x.mean((2, 3))

    def middle(self, z):
        return F.relu(z)

    def gate(self, z):
        return F.hardsigmoid(z)

    def use(self, x, g):
        return x * g[:, :, None, None]

    def forward(self, x):
        return self.use(x, self.gate(self.up(self.middle(self.down(self.squeeze(x))))))


gate_with = changed(Gate)


class OnTheMap(nn.Module):
    def __init__(self, channels):
        super().__init__()
        s = make_divisible(channels / 4)
        self.down, self.up = nn.Conv2d(channels, s, 1), nn.Conv2d(s, channels, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.up(F.relu(self.down(x))).mean((2, 3), keepdim=True))


class Normed(Gate):
    def __init__(self, channels):
        super().__init__(channels)
        self.between = nn.BatchNorm2d(self.squeezed(channels))

    def middle(self, z):
        return F.relu(self.between(z[:, :, None, None])[:, :, 0, 0])


class Detached(Gate):
    def squeeze(self, x):
        return x.mean((2, 3))

    def middle(self, z):
        return F.relu(z.detach())


class ByPool(nn.Module):
    """torch's layers throughout, 1×1 convolutions."""

    def __init__(self, channels):
        super().__init__()
        s = make_divisible(channels / 4)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, s, 1), nn.ReLU(),
            nn.Conv2d(s, channels, 1), nn.Hardsigmoid(),
        )  # fmt: skip

    def forward(self, x):
        return self.gate(x) * x


class ByHand(Gate):
    def squeeze(self, x):
        return x.flatten(2).sum(2) / (x.shape[2] * x.shape[3])

    def middle(self, z):
        return z.clamp(min=0)

    def gate(self, z):
        return (z + 3).clamp(0, 6) / 6

    def use(self, x, g):
        return torch.einsum("nchw,nc->nchw", x, g)


class PictureByPicture(Gate):
    """A loop over the pictures of the batch."""

    def forward(self, x):
        return torch.stack([Gate.forward(self, one[None])[0] for one in x])


class OneMapAtATime(ByPool):
    """The same with 1×1 convolutions, on maps without the axis of the batch."""

    def forward(self, x):
        return torch.stack([one * self.gate(one) for one in x])


class MadeInForward(nn.Module):
    def __init__(self, channels, layer=nn.Linear):
        super().__init__()
        self.c, self.layer = channels, layer

    def forward(self, x):
        down = self.layer(self.c, make_divisible(self.c / 4)).to(self.type_of(x))
        up = self.layer(make_divisible(self.c / 4), self.c).to(self.type_of(x))
        return x * F.hardsigmoid(up(F.relu(down(x.mean((2, 3))))))[:, :, None, None]

    def type_of(self, x):
        return torch.float32


class OwnParameters(nn.Module):
    def __init__(self, channels):
        super().__init__()
        s = make_divisible(channels / 4)
        self.w1, self.b1 = nn.Parameter(torch.randn(s, channels)), nn.Parameter(torch.zeros(s))
        self.w2, self.b2 = nn.Parameter(torch.randn(channels, s)), nn.Parameter(torch.zeros(s))
        self.b2 = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        z = F.relu(F.linear(x.mean((2, 3)), self.w1, self.b1))
        return x * F.hardsigmoid(F.linear(z, self.w2, self.b2))[:, :, None, None]


class NoBiasByConv(ByPool):
    def __init__(self, channels):
        super().__init__(channels)
        s = make_divisible(channels / 4)
        self.gate[1] = nn.Conv2d(channels, s, 1, bias=False)
        self.gate[3] = nn.Conv2d(s, channels, 1, bias=False)


# ---- 12.bneck -------------------------------------------------------------------------------


class Block(nn.Module):
    """The right answer in pieces that the wrong ones replace."""

    def __init__(self, in_channels, expanded, out_channels, kernel, stride, se, activation):
        super().__init__()
        self.c, self.exp, self.n = in_channels, expanded, out_channels
        self.k, self.s, self.se, self.act = kernel, stride, se, activation
        self.layers = nn.Sequential(*self.first(), *self.second(), *self.weigh(), *self.last())
        self.shortcut = self.adds()

    def first(self):
        if self.exp == self.c:
            return []
        return [nn.Conv2d(self.c, self.exp, 1, bias=False), norm(self.exp), self.act()]

    def filtered(self, **more):
        settings = {
            "stride": self.s, "padding": self.k // 2, "groups": self.exp, "bias": False, **more,
        }  # fmt: skip
        return nn.Conv2d(self.exp, self.exp, self.k, **settings)

    def second(self):
        return [self.filtered(), norm(self.exp), self.act()]

    def weigh(self):
        return [Gate(self.exp)] if self.se else []

    def last(self):
        return [nn.Conv2d(self.exp, self.n, 1, bias=False), norm(self.n)]

    def adds(self):
        return self.s == 1 and self.c == self.n

    def forward(self, x):
        y = self.layers(x)
        return x + y if self.shortcut else y


block_with = changed(Block)


def listed(self):
    """Layers in a plain list: the module does not know them."""
    x, layers = self, [*self.first(), *self.second(), *self.weigh(), *self.last()]
    del x.layers
    return layers


class Listed(Block):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.steps = listed(self)

    def forward(self, x):
        y = x
        for layer in self.steps:
            y = layer(y)
        return x + y if self.shortcut else y


class LeftOver(Block):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.spare = nn.Conv2d(self.c, self.n, 1, bias=False)


class OneNorm(Block):
    """One norm for both wide maps."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        if self.exp != self.c:
            self.layers[4] = self.layers[1]


class PlainBlock(Block):
    def forward(self, x):
        return self.layers(x)


class AnyShortcut(Block):
    def forward(self, x):
        return x + self.layers(x)


def other_gate(**parts):
    made = gate_with(**parts)
    return block_with(weigh=lambda self: [made(self.exp)] if self.se else [])


SqueezeOfInput = block_with(
    weigh=lambda self: (
        [gate_with(squeezed=lambda _, c: make_divisible(self.c / 4))(self.exp)] if self.se else []
    )
)


class Written(nn.Module):
    """The same, layer by layer, with 1×1 convolutions in the gate."""

    def __init__(self, in_channels, expanded, out_channels, kernel, stride, se, activation):
        super().__init__()
        self.expand = None
        if expanded != in_channels:
            self.expand = nn.Conv2d(in_channels, expanded, (1, 1), bias=False)
            self.norm0 = norm(expanded)
        self.depthwise = nn.Conv2d(
            expanded, expanded, kernel, stride, (kernel - 1) // 2, groups=expanded, bias=False
        )
        self.norm1, self.act = norm(expanded), activation()
        self.gate = ByPool(expanded) if se else nn.Identity()
        self.project, self.norm2 = nn.Conv2d(expanded, out_channels, 1, bias=False), None
        self.norm2 = norm(out_channels)
        self.same = stride == 1 and out_channels == in_channels

    def forward(self, x):
        y = x if self.expand is None else self.act(self.norm0(self.expand(x)))
        y = self.norm2(self.project(self.gate(self.act(self.norm1(self.depthwise(y))))))
        return y + x * self.same if self.same else y


class FromTheCourse(CourseBneck):
    """The course's own block, which is more than the task asks for, and right."""

    def __init__(self, in_channels, expanded, out_channels, kernel, stride, se, activation):
        super().__init__(
            in_channels, expanded, out_channels, kernel, stride, se, activation, norm
        )  # fmt: skip


# ---- 12.last --------------------------------------------------------------------------------


class Last(nn.Module):
    """The right answer in pieces that the wrong ones replace."""

    def __init__(self, in_channels, wide, head, num_classes):
        super().__init__()
        self.sizes = in_channels, wide, head, num_classes
        self.features = nn.Sequential(*self.first())
        self.scores = nn.Sequential(*self.second())

    def first(self):
        c, wide, *_ = self.sizes
        return [nn.Conv2d(c, wide, 1, bias=False), norm(wide), HS()]

    def second(self):
        _, wide, head, classes = self.sizes
        return [nn.Linear(wide, head), HS(), nn.Dropout(0.2), nn.Linear(head, classes)]

    def pool(self, x):
        return x.mean((2, 3))

    def forward(self, x):
        return self.scores(self.pool(self.features(x)))


last_with = changed(Last)


def tail(*, drop=(0.2,), between=HS, end=(), bias=True, early=False):
    """The two linear layers with something else between or behind them."""

    def second(self):
        _, wide, head, classes = self.sizes
        dropped = [nn.Dropout(p) for p in drop]
        layers = [nn.Linear(wide, head, bias), *([] if between is None else [between()])]
        layers = [*dropped, *layers] if early else [*layers, *dropped]
        return [*layers, nn.Linear(head, classes), *end]

    return last_with(second=second)


class HeadOnMap(Last):
    def second(self):
        _, wide, head, classes = self.sizes
        self.head = nn.Conv2d(wide, head, 1)
        return [nn.Dropout(0.2), nn.Linear(head, classes)]

    def forward(self, x):
        return self.scores(self.pool(F.hardswish(self.head(self.features(x)))))


class PooledFirst(Last):
    def forward(self, x):
        return self.scores(self.features(x.mean((2, 3), keepdim=True)).flatten(1))


class NormedHead(Last):
    def second(self):
        _, wide, head, classes = self.sizes
        self.head = nn.Sequential(nn.Conv2d(wide, head, 1, bias=False), norm(head), HS())
        return [nn.Dropout(0.2), nn.Linear(head, classes)]

    def forward(self, x):
        x = self.features(x).mean((2, 3), keepdim=True)
        return self.scores(self.head(x).flatten(1))


class NoHead(Last):
    def second(self):
        _, wide, _, classes = self.sizes
        return [nn.Dropout(0.2), nn.Linear(wide, classes)]


class TwoDropouts(Last):
    def forward(self, x):
        return self.scores(F.dropout(self.pool(self.features(x)), 0.2, self.training))


class AlwaysDrops(Last):
    def forward(self, x):
        first, act, _, last = self.scores
        return last(F.dropout(act(first(self.pool(self.features(x)))), 0.2))


def bent(layer):
    """Another function in both places of h-swish."""
    return last_with(
        first=lambda self: [*Last.first(self)[:2], layer()],
        second=lambda self: [layer() if isinstance(m, HS) else m for m in Last.second(self)],
    )


class LastList(Last):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        del self.features, self.scores
        self.one, self.two = self.first(), self.second()

    def forward(self, x):
        for layer in self.one:
            x = layer(x)
        x = self.pool(x)
        for layer in self.two:
            x = layer(x)
        return x


class LastSpare(Last):
    def second(self):
        _, wide, head, _ = self.sizes
        self.spare = nn.Linear(wide, head)
        return Last.second(self)


class ByConvolutions(Last):
    """1×1 convolutions behind a pool that keeps its axes, as the authors wrote it."""

    def second(self):
        _, wide, head, classes = self.sizes
        layers = [nn.Conv2d(wide, head, 1), HS(), nn.Dropout(0.2), nn.Conv2d(head, classes, 1)]
        return [nn.AdaptiveAvgPool2d(1), *layers, nn.Flatten()]

    def pool(self, x):
        return x


class DropsInForward(Last):
    def forward(self, x):
        x = self.features(x).flatten(2).mean(2)
        first, _, _, last = self.scores
        return last(F.dropout(F.hardswish(first(x)), 0.2, self.training))


# ---- 12.network -----------------------------------------------------------------------------


class Net(nn.Module):
    """The right answer in pieces that the wrong ones replace."""

    def __init__(self, rows, head, num_classes=1000):
        super().__init__()
        layers, c = self.stem(), 16
        for k, exp, out, se, nl, s in self.table(rows):
            layers.append(self.block(c, exp, out, k, s, se, nl))
            c = out
        layers.append(self.end(c, head, num_classes))
        self.layers = self.hold(layers)

    def stem(self):
        return [nn.Conv2d(3, 16, 3, 2, 1, bias=False), norm(16), HS()]

    def table(self, rows):
        return rows

    def block(self, *settings):
        return Block(*settings)

    def end(self, c, head, classes):
        return Last(c, 6 * c, head, classes)

    def hold(self, layers):
        return nn.Sequential(*layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


net_with = changed(Net)


def rows_with(change):
    return net_with(table=lambda self, rows: [change(*row) for row in rows])


def stem_with(act=HS, stride=2, bias=False, **settings):
    made = {"eps": 0.001, "momentum": 0.01, **settings}
    return net_with(
        stem=lambda self: [
            nn.Conv2d(3, 16, 3, stride, 1, bias=bias),
            nn.BatchNorm2d(16, **made),
            act(),
        ]
    )


class AllSixteen(Net):
    def block(self, c, *settings):
        return Block(16, *settings)


class SpareNet(Net):
    def __init__(self, *settings):
        super().__init__(*settings)
        self.spare = nn.Linear(16, 16)


class SharedBlock(Net):
    """The two blocks of equal shape are one, and run twice."""

    def block(self, *settings):
        self.__dict__.setdefault("made", {})
        return self.made.setdefault(settings, Block(*settings))


class InSequence(nn.Sequential):
    def __init__(self, rows, head, num_classes=1000):
        inputs = [16, *(row[2] for row in rows)]
        super().__init__(
            nn.Sequential(nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False), norm(16), HS()),
            *(
                Written(
                    c, row[1], row[2], kernel=row[0], stride=row[5], se=row[3], activation=row[4]
                )
                for c, row in zip(inputs, rows, strict=False)
            ),
            ByConvolutions(inputs[-1], 6 * inputs[-1], head, num_classes),
        )


# ---- 12.adapt -------------------------------------------------------------------------------


def adapt(
    best=lambda loss, saved, left, now: loss / saved,
    enough=lambda saved, saving: saved >= saving,
    narrow_more=lambda n, step: n - step >= step,
    tries=10_000,
    none=lambda widths: None,
    skip=True,
    fresh=True,
    give=lambda widths: widths,
    layers=range,
):
    """A step of NetAdapt with a step of its own."""

    def netadapt_step(widths, saving, cost, score, step):
        before, base = cost(widths), score(widths)
        found, new = [], list(widths)
        for i in layers(len(widths)):
            new = list(widths) if fresh else list(new)
            left = tries
            while left and not enough(before - cost(new), saving) and narrow_more(new[i], step):
                new[i] -= step
                left -= 1
            saved = before - cost(new)
            if skip and not enough(saved, saving):
                continue
            if saved:
                found.append((best(base - score(new), saved, cost(new), base), list(new)))
        if not found:
            return none(list(widths))
        rates = [rate for rate, _ in found]
        return give(found[rates.index(min(rates))][1])

    return netadapt_step


def trains_at_each_step(widths, saving, cost, score, step):
    best = None
    for i in range(len(widths)):
        new = list(widths)
        while cost(widths) - cost(new) < saving and new[i] >= 2 * step:
            new[i] -= step
            lost = score(widths) - score(new)
        saved = cost(widths) - cost(new)
        if saved >= saving and (best is None or lost / saved < best[0]):
            best = lost / saved, new
    return best[1] if best else None


def asks_for_nothing(widths, saving, cost, score, step):
    """Narrows first and looks afterwards, down to layers with less than nothing."""
    best, now = None, (cost(widths), score(widths))
    for i in range(len(widths)):
        new = list(widths)
        while now[0] - cost(new) < saving and new[i] > -step:
            new[i] -= step
        if new[i] >= step:
            rate = (now[1] - score(new)) / (now[0] - cost(new))
            if best is None or rate < best[0]:
                best = rate, new
    return best[1] if best else None


def in_place(widths, saving, cost, score, step):
    new = adapt()(widths, saving, cost, score, step)
    if new:
        widths[:] = new
    return new


def by_comprehension(widths, saving, cost, score, step):
    now = cost(widths), score(widths)
    candidates = []
    for i, n in enumerate(widths):
        options = [[*widths[:i], m, *widths[i + 1 :]] for m in range(n - step, step - 1, -step)]
        fits = [o for o in options if now[0] - cost(o) >= saving]
        candidates += fits[:1]
    return max(candidates, key=lambda o: (score(o) - now[1]) / (now[0] - cost(o)), default=None)


def as_a_tuple(*args):
    new = adapt()(*args)
    return None if new is None else tuple(new)


WRONG = {
    "12.excite": [
        ("squeeze-not-rounded", gate_with(squeezed=lambda self, c: c // 4)),
        ("squeeze-rounded-down", gate_with(squeezed=lambda self, c: max(8, (c // 4 + 4) // 8 * 8))),
        ("squeeze-of-another", gate_with(squeezed=lambda self, c: make_divisible(c / 16))),
        ("biases-missing", gate_with(
            layers=lambda self, c, s: (nn.Linear(c, s, bias=False), nn.Linear(s, c, bias=False))
        )),
        ("norm-inside", Normed),
        ("not-squeezed", OnTheMap),
        ("smooth-gate", gate_with(gate=lambda self, z: z.sigmoid())),
        ("h-swish-gate", gate_with(gate=lambda self, z: F.hardswish(z))),
        ("h-swish-between", gate_with(middle=lambda self, z: F.hardswish(z))),
        ("relu-forgotten", gate_with(middle=lambda self, z: z)),
        ("gate-returned", gate_with(use=lambda self, x, g: g[:, :, None, None])),
        ("gate-returned", gate_with(use=lambda self, x, g: g)),
        ("gate-added", gate_with(use=lambda self, x, g: x + g[:, :, None, None])),
        ("gated-residual", gate_with(use=lambda self, x, g: x + x * g[:, :, None, None])),
        ("maximum-not-mean", gate_with(squeeze=lambda self, x: x.amax((2, 3)))),
        ("sum-not-mean", gate_with(squeeze=lambda self, x: x.sum((2, 3)))),
        ("batch-averaged", gate_with(
            squeeze=lambda self, x: x.mean((0, 2, 3)).expand(len(x), -1)
        )),
        ("shapes-do-not-meet", gate_with(use=lambda self, x, g: x * g)),
        ("shapes-do-not-meet", gate_with(squeeze=lambda self, x: x)),
        ("every parameter learns", Detached),
        ("x is left as it was", gate_with(use=lambda self, x, g: x.mul_(g[:, :, None, None]))),
        ("not-registered", MadeInForward),
        ("not-registered", type("Cast", (MadeInForward,), {"type_of": lambda self, x: x.dtype})),
        ("no-layer-called", OwnParameters),
        ("biases-missing", NoBiasByConv),
        ("relu-before-the-gate", gate_with(gate=lambda self, z: F.hardsigmoid(F.relu(z)))),
        ("other-slope", gate_with(gate=lambda self, z: (0.2 * z + 0.5).clamp(0, 1))),
        (None, gate_with(gate=lambda self, z: z.softmax(1))),
    ],
    "12.bneck": [
        ("expansion-kept", block_with(
            first=lambda self: [
                nn.Conv2d(self.c, self.exp, 1, bias=False), norm(self.exp), self.act()
            ]
        )),
        ("expansion-missing", block_with(first=lambda self: [])),
        ("se-missing", block_with(weigh=lambda self: [])),
        ("se-always", block_with(weigh=lambda self: [Gate(self.exp)])),
        ("squeeze-of-the-input", SqueezeOfInput),
        ("squeeze-not-rounded", other_gate(squeezed=lambda self, c: c // 4)),
        ("se-elsewhere", block_with(
            weigh=lambda self: [],
            last=lambda self: [*Block.last(self), *([Gate(self.n)] if self.se else [])],
        )),
        ("kernel-ignored", block_with(
            filtered=lambda self: nn.Conv2d(
                self.exp, self.exp, 3, self.s, 1, groups=self.exp, bias=False
            )
        )),
        ("padding-of-one", block_with(filtered=lambda self: Block.filtered(self, padding=1))),
        ("padding-missing", block_with(filtered=lambda self: Block.filtered(self, padding=0))),
        ("groups-forgotten", block_with(filtered=lambda self: Block.filtered(self, groups=1))),
        ("stride-forgotten", block_with(filtered=lambda self: Block.filtered(self, stride=1))),
        ("stride-in-expansion", block_with(
            first=lambda self: Block.first(self) and [
                nn.Conv2d(self.c, self.exp, 1, self.s, bias=False), norm(self.exp), self.act()
            ],
            filtered=lambda self: Block.filtered(
                self, stride=1 if self.exp != self.c else self.s
            ),
        )),
        ("stride-in-projection", block_with(
            filtered=lambda self: Block.filtered(self, stride=1),
            last=lambda self: [nn.Conv2d(self.exp, self.n, 1, self.s, bias=False), norm(self.n)],
        )),
        ("norms-missing", block_with(
            last=lambda self: [nn.Conv2d(self.exp, self.n, 1, bias=False)]
        )),
        ("norm-size", block_with(
            last=lambda self: [nn.Conv2d(self.exp, self.n, 1, bias=False), norm(self.exp)]
        )),
        ("norm-settings", block_with(
            last=lambda self: [nn.Conv2d(self.exp, self.n, 1, bias=False), nn.BatchNorm2d(self.n)]
        )),
        ("not-registered", Listed),
        ("bias-kept", block_with(last=lambda self: [nn.Conv2d(self.exp, self.n, 1), norm(self.n)])),
        ("parts-too-many", LeftOver),
        ("used-twice", OneNorm),
        ("projection-activated", block_with(
            last=lambda self: [*Block.last(self), self.act()]
        )),
        ("depthwise-not-activated", block_with(
            second=lambda self: [self.filtered(), norm(self.exp)]
        )),
        ("depthwise-not-activated", block_with(
            second=lambda self: [self.filtered(), norm(self.exp)],
            last=lambda self: [*Block.last(self), self.act()],
        )),
        ("expansion-not-activated", block_with(first=lambda self: Block.first(self)[:2])),
        ("always-relu", type("Relu", (Block,), {
            "__init__": lambda self, *args, activation=None, **more: Block.__init__(
                self, *args, activation=RE, **more
            )
        })),
        ("always-h-swish", type("Swish", (Block,), {
            "__init__": lambda self, *args, activation=None, **more: Block.__init__(
                self, *args, activation=HS, **more
            )
        })),
        ("se-before-activation", block_with(
            second=lambda self: [self.filtered(), norm(self.exp)],
            weigh=lambda self: [*Block.weigh(self), self.act()],
        )),
        ("smooth-gate", other_gate(gate=lambda self, z: z.sigmoid())),
        ("shortcut-missing", PlainBlock),
        ("shortcut-everywhere", AnyShortcut),
        ("sum-activated", block_with(forward=lambda self, x: F.relu(Block.forward(self, x)))),
        ("sum-activated", block_with(
            forward=lambda self, x: self.act()(Block.forward(self, x))
        )),
        ("sum-activated", block_with(
            forward=lambda self, x: (
                self.act()(x + self.layers(x)) if self.shortcut else self.layers(x)
            )
        )),
        ("every parameter learns", other_gate(
            use=lambda self, x, g: x.mul_(g[:, :, None, None])
        )),
        ("x is left as it was", block_with(
            forward=lambda self, x: x.add_(self.layers(x)) if self.shortcut else self.layers(x)
        )),
        (None, block_with(forward=lambda self, x: 2 * Block.forward(self, x))),
    ],
    "12.last": [
        ("head-on-the-map", HeadOnMap),
        ("pooled-first", PooledFirst),
        ("norm-after-the-mean", NormedHead),
        ("head-missing", NoHead),
        ("norm-missing", last_with(
            first=lambda self: [nn.Conv2d(self.sizes[0], self.sizes[1], 1, bias=False), HS()]
        )),
        ("biases-missing", tail(bias=False)),
        ("norm-settings", last_with(
            first=lambda self: [
                nn.Conv2d(self.sizes[0], self.sizes[1], 1, bias=False),
                nn.BatchNorm2d(self.sizes[1]), HS(),
            ]
        )),
        ("not-registered", LastList),
        ("bias-kept", last_with(
            first=lambda self: [
                nn.Conv2d(self.sizes[0], self.sizes[1], 1), norm(self.sizes[1]), HS()
            ]
        )),
        ("parts-too-many", LastSpare),
        ("softmax-at-the-end", tail(end=(nn.Softmax(1),))),
        ("activation-at-the-end", tail(end=(HS(),))),
        ("second-activation-missing", tail(between=None)),
        ("first-activation-missing", last_with(first=lambda self: Last.first(self)[:2])),
        ("relu-not-h-swish", last_with(
            first=lambda self: [*Last.first(self)[:2], RE()],
            second=lambda self: [RE() if isinstance(m, HS) else m for m in Last.second(self)],
        )),
        ("one-relu", last_with(first=lambda self: [*Last.first(self)[:2], RE()])),
        ("one-relu", tail(between=RE)),
        ("max-pooled", last_with(pool=lambda self, x: x.amax((2, 3)))),
        ("not-pooled", last_with(pool=lambda self, x: x.flatten(1))),
        ("dropout of 0.2 before the classifier", tail(drop=())),
        ("dropout of 0.2 before the classifier", tail(drop=(0.5,))),
        ("dropout of 0.2 before the classifier", tail(early=True)),
        ("dropout of 0.2 before the classifier", TwoDropouts),
        ("random-at-work", AlwaysDrops),
        ("mean-before-h-swish", last_with(
            first=lambda self: Last.first(self)[:2],
            pool=lambda self, x: F.hardswish(x.mean((2, 3))),
        )),
        ("h-sigmoid-not-h-swish", bent(nn.Hardsigmoid)),
        ("h-sigmoid-not-h-swish", tail(between=nn.Hardsigmoid)),
        ("swish-not-h-swish", bent(nn.SiLU)),
        ("swish-not-h-swish", last_with(first=lambda self: [*Last.first(self)[:2], nn.SiLU()])),
    ],
    "12.network": [
        ("stride-ignored", rows_with(lambda k, e, o, se, nl, s: (k, e, o, se, nl, 1))),
        ("kernel-ignored", rows_with(lambda k, e, o, se, nl, s: (3, e, o, se, nl, s))),
        ("se-everywhere", rows_with(lambda k, e, o, se, nl, s: (k, e, o, True, nl, s))),
        ("se-nowhere", rows_with(lambda k, e, o, se, nl, s: (k, e, o, False, nl, s))),
        ("exp-and-out-swapped", rows_with(lambda k, e, o, se, nl, s: (k, o, e, se, nl, s))),
        ("stem-without-stride", stem_with(stride=1)),
        ("first-row-missing", net_with(table=lambda self, rows: rows[1:])),
        ("last-row-missing", net_with(table=lambda self, rows: rows[:-1])),
        ("head-fixed", net_with(end=lambda self, c, head, n: Last(c, 6 * c, 1280, n))),
        ("classes-fixed", net_with(end=lambda self, c, head, n: Last(c, 6 * c, head, 1000))),
        ("wide-not-six-times", net_with(end=lambda self, c, head, n: Last(c, 960, head, n))),
        ("channels-not-carried", AllSixteen),
        ("norm-settings", stem_with(eps=1e-5)),
        ("bias-kept", stem_with(bias=True)),
        ("parts-too-many", SpareNet),
        ("used-twice", SharedBlock),
        ("blocks-in-a-list", net_with(hold=lambda self, layers: layers)),
        ("always-relu", rows_with(lambda k, e, o, se, nl, s: (k, e, o, se, RE, s))),
        ("always-h-swish", rows_with(lambda k, e, o, se, nl, s: (k, e, o, se, HS, s))),
        ("stem-relu", stem_with(RE)),
        ("stem-not-activated", stem_with(nn.Identity)),
        ("softmax-at-the-end", net_with(
            end=lambda self, *sizes: nn.Sequential(Net.end(self, *sizes), nn.Softmax(1))
        )),
        ("dropout of 0.2 before the classifier", net_with(
            end=lambda self, c, head, n: tail(drop=())(c, 6 * c, head, n)
        )),
    ],
    "12.adapt": [
        ("accuracy-alone", adapt(best=lambda loss, saved, left, base: loss)),
        ("cheapest-taken", adapt(best=lambda loss, saved, left, base: left)),
        ("first-taken", adapt(best=lambda loss, saved, left, base: 0)),
        ("worst-taken", adapt(best=lambda loss, saved, left, base: -loss / saved)),
        ("divided-by-cost", adapt(best=lambda loss, saved, left, base: loss / left)),
        ("accuracy-not-loss", adapt(best=lambda loss, saved, left, base: (loss - base) / saved)),
        ("one-step-tried", adapt(tries=1)),
        ("saving-not-asked", adapt(tries=1, skip=False)),
        ("more-than-the-saving", adapt(enough=lambda saved, saving: saved > saving)),
        ("too-little-saved", adapt(skip=False)),
        ("narrower-than-a-step", adapt(narrow_more=lambda n, step: n > step)),
        ("narrower-than-a-step", adapt(narrow_more=lambda n, step: n - step >= 0)),
        ("one-list-for-all", adapt(fresh=False)),
        ("widths-not-none", adapt(none=lambda widths: widths)),
        ("number-returned", adapt(give=lambda widths: widths[0], none=lambda widths: 0)),
        ("widths-changed", in_place),
        ("a training for each candidate", trains_at_each_step),
        ("sign-lost", adapt(best=lambda loss, saved, left, base: abs(loss) / saved)),
        ("turned-over", adapt(best=lambda loss, saved, left, base: -saved / loss)),
        ("rate-cut-off", adapt(best=lambda loss, saved, left, base: loss // saved)),
        ("last-layer-left-out", adapt(layers=lambda n: range(n - 1))),
        ("first-layer-left-out", adapt(layers=lambda n: range(1, n))),
        ("none-given", lambda widths, saving, cost, score, step: None),
        ("none-given", adapt(give=lambda widths: None)),
        ("no layer without channels", asks_for_nothing),
        ("wrong-type", lambda widths, saving, cost, score, step: list(widths)),
    ],
}  # fmt: skip

RIGHT = {
    "12.excite": [Gate, ByPool, ByHand, PictureByPicture, OneMapAtATime],
    "12.bneck": [Block, Written, FromTheCourse],
    "12.last": [Last, ByConvolutions, DropsInForward],
    "12.network": [Net, InSequence],
    "12.adapt": [adapt(), by_comprehension, as_a_tuple],
}
