"""Chapter 10: answers that learners give, wrong with their diagnosis and right in other ways."""

import math
from functools import partial

import torch
from torch import nn

from lightcourse import create_model
from lightcourse.nn import ConvNormAct, DepthwiseSeparableConv

# --- 10.reached ------------------------------------------------------------------------------


def reached(layers, first=1, factor_first=True, keep=False, start=None):
    factor, found = 1, dict(start or {})
    for number, (_, _, stride) in enumerate(layers, first):
        if factor_first:
            factor *= stride
        if factor > 1 and (keep or factor not in found):
            found[factor] = number
        if not factor_first:
            factor *= stride
    return found


def reached_added(layers):
    factor, found = 0, {}
    for number, (_, _, stride) in enumerate(layers, 1):
        if stride > 1:
            factor += stride
            found[factor] = number
    return found


def reached_added_to_one(layers):
    factor, found = 1, {}
    for number, (_, _, stride) in enumerate(layers, 1):
        if stride > 1:
            factor += stride
            found[factor] = number
    return found


def reached_own(layers):
    found = {}
    for number, (_, _, stride) in enumerate(layers, 1):
        if stride > 1 and stride not in found:
            found[stride] = number
    return found


def reached_strided(layers):
    factor, found = 1, {}
    for number, stride in enumerate([s for _, _, s in layers if s > 1], 1):
        factor *= stride
        found[factor] = number
    return found


def reached_blocks(layers):
    factor, number, found, before = 1, 0, {}, ""
    for kind, _, stride in layers:
        if not (kind == "pointwise" and before == "depthwise"):
            number += 1
        factor *= stride
        if factor > 1:
            found.setdefault(factor, number)
        before = kind
    return found


def reached_from_sides(layers, up=False):
    side, found = 224, {}
    for number, (_, _, stride) in enumerate(layers, 1):
        side = -(-side // stride) if up else side // stride
        if side < 224:
            found.setdefault(224 // side, number)
    return found


def reached_blocks_of_two(layers):
    return {factor: (number + 1) // 2 + 1 for factor, number in reached(layers).items()}


def reached_turned(layers):
    return {number: factor for factor, number in reached(layers).items()}


def reached_as_text(layers):
    return {f"{factor}x": number for factor, number in reached(layers).items()}


def reached_as_list(layers):
    return list(reached(layers).items())


def reached_unfinished(layers):
    for _ in layers:
        pass


def reached_with_one(layers):
    return {1: 0, **reached(layers)}


def reached_by_products(layers):
    found = {}
    for n in range(len(layers), 0, -1):
        factor = math.prod(stride for _, _, stride in layers[:n])
        if factor > 1:
            found[factor] = n
    return found


def reached_by_setdefault(layers):
    factor, found = 1, {}
    for i in range(len(layers)):
        factor = factor * layers[i][2]
        found.setdefault(factor, i + 1)
    found.pop(1, None)
    return found


# --- 10.spend --------------------------------------------------------------------------------


def spend(
    layers,
    side,
    colours=3,
    each=None,
    after=lambda side, stride: -(-side // stride),
    places=lambda before, now: now * now,
    key=lambda before, now: now,
    add=True,
    hand_on=True,
    linear_side=1,
    times=1,
):
    found, channels = {}, colours
    for kind, out, stride in layers:
        if kind == "linear" and linear_side is None:
            continue
        now = after(side, stride)
        if kind == "linear":
            now = linear_side if linear_side == 1 else side
        cost = {"conv": 9 * channels, "depthwise": 9, "pointwise": channels, "linear": channels}
        cost = {**cost, **(each(channels) if each else {})}
        before = now if kind == "linear" else side
        macs = times * places(before, now) * cost[kind] * out
        place = key(before, now)
        found[place] = found.get(place, 0) + macs if add else macs
        side = now
        channels = out if hand_on else channels
    return found


def spend_under_the_map(layers, side):
    found, channels = {}, 3
    for kind, out, stride in layers:
        if kind != "linear":
            side = (side + stride - 1) // stride
        many = {"conv": 9 * channels, "depthwise": 9}.get(kind, channels) * out
        found[side] = found.get(side, 0) + many * (1 if kind == "linear" else side * side)
        channels = out
    return found


def spend_total(layers, side):
    return sum(spend(layers, side).values())


def spend_in_floats(layers, side):
    return {place: macs / 1 for place, macs in spend(layers, side).items()}


def spend_with_float_sides(layers, side):
    return {float(place): macs for place, macs in spend(layers, side).items()}


def spend_classifier_set(layers, side):
    found = spend([layer for layer in layers if layer[0] != "linear"], side)
    if layers[-1][0] == "linear":
        found[1] = layers[-1][1] * layers[-2][1]
    return found


def spend_by_branches(layers, side):
    from collections import defaultdict

    macs, into = defaultdict(int), 3
    for kind, out, stride in layers:
        if kind == "linear":
            macs[1] += into * out
            continue
        side = math.ceil(side / stride)
        if kind == "conv":
            weights = 3 * 3 * into * out
        elif kind == "depthwise":
            weights = 3 * 3 * out
        else:
            weights = into * out
        macs[side] += weights * side**2
        into = out
    return dict(macs)


def spend_by_modules(layers, side):
    x = torch.empty(1, 3, side, side, device="meta")
    found = {}
    for kind, out, stride in layers:
        into = x.shape[1]
        if kind == "linear":
            found[1] = found.get(1, 0) + into * out
            break
        k = 1 if kind == "pointwise" else 3
        groups = into if kind == "depthwise" else 1
        conv = nn.Conv2d(into, out, k, stride, k // 2, groups=groups, bias=False, device="meta")
        x = conv(x)
        found[x.shape[2]] = found.get(x.shape[2], 0) + conv.weight.numel() * x.shape[2] * x.shape[3]
    return found


# --- 10.widest -------------------------------------------------------------------------------


def thin(layers, n, keep=("linear",), least=1, cut=lambda x: int(x)):
    return [(k, c if k in keep else max(least, cut(c * n / 32)), s) for k, c, s in layers]


def fractions(layers, n, keep=("linear",)):
    return [(k, c if k in keep else c * n / 32, s) for k, c, s in layers]


def widest(layers, budget, total, scale=thin, top=10_000, strict=False, extra=0):
    n = 0
    while n < top:
        macs = total(scale(layers, n + 1))
        if macs > budget or (strict and macs == budget):
            break
        n += 1
    return n + extra


def widest_first_over(layers, budget, total):
    n = 1
    while total(thin(layers, n)) <= budget:
        n += 1
    return n


def widest_too_early(layers, budget, total):
    n = 1
    while total(thin(layers, n)) <= budget:
        n += 1
    return max(0, n - 2)


def widest_by_root(layers, budget, total):
    return int(32 * math.sqrt(budget / total(layers)))


def widest_by_share(layers, budget, total):
    return int(32 * budget / total(layers))


def widest_as_width(layers, budget, total):
    return widest(layers, budget, total) / 32


def widest_as_macs(layers, budget, total):
    n = widest(layers, budget, total)
    return total(thin(layers, n)) if n else 0


def widest_by_bisection(layers, budget, total):
    low, high = 0, 1
    while total(thin(layers, high)) <= budget:
        low, high = high, high * 2
    while low + 1 < high:
        middle = (low + high) // 2
        if total(thin(layers, middle)) <= budget:
            low = middle
        else:
            high = middle
    return low


def widest_by_counting(layers, budget, total):
    from itertools import count

    for n in count(1):
        scaled = []
        for kind, channels, stride in layers:
            if kind != "linear":
                channels = max(1, math.floor(channels * n / 32))
            scaled.append((kind, channels, stride))
        if total(scaled) > budget:
            return n - 1
    return 0


# --- 10.field --------------------------------------------------------------------------------


def field(layers, size=1, wide=("conv", "depthwise"), own=False, adds=2, jumps=True, skip=()):
    jump = 1
    for kind, _, stride in layers:
        if kind in skip:
            continue
        if own:
            jump *= stride
        if kind in wide:
            size += adds * (jump if jumps else 1)
        if not own:
            jump *= stride
    return size


def field_strides_added(layers):
    size, jump = 1, 1
    for kind, _, stride in layers:
        if kind in ("conv", "depthwise"):
            size += 2 * jump
        jump += stride - 1
    return size


def field_back_by_two(layers):
    need = 1
    for kind, _, stride in layers[::-1]:
        need = need * stride + (2 if kind in ("conv", "depthwise") else 0)
    return need


def field_list(layers):
    return [field(layers[: n + 1]) for n in range(len(layers))]


def field_area(layers):
    return field(layers) ** 2


def field_backwards(layers):
    need = 1
    for kind, _, stride in reversed(layers):
        if kind == "linear":
            continue
        need = stride * (need - 1) + (3 if kind != "pointwise" else 1)
    return need


def field_by_gradient(layers):
    layers = [layer for layer in layers if layer[0] != "linear"]
    x = torch.ones(1, 1, 1601, dtype=torch.float64, requires_grad=True)
    y = x
    for kind, _, stride in layers:
        k = 1 if kind == "pointwise" else 3
        y = nn.functional.conv1d(y, torch.ones(1, 1, k, dtype=torch.float64) / k, None, stride)
    (slope,) = torch.autograd.grad(y[0, 0, y.shape[2] // 2], x)
    seen = slope[0, 0].nonzero().flatten().tolist()
    return seen[-1] - seen[0] + 1


# --- 10.build --------------------------------------------------------------------------------

ROWS = ((64, 1, 2), (128, 2, 2), (256, 2, 2), (512, 5, 2), (1024, 1, 1))
SLOW_ROWS = ((64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2))


def fd(
    width=1.0,
    classes=1000,
    rows=ROWS,
    stem=None,
    scale=lambda c, width: int(c * width),
    always=False,
    block=DepthwiseSeparableConv,
    end=(),
    activation=nn.ReLU,
    stem_stride=2,
    outputs=None,
    pool=nn.AdaptiveAvgPool2d,
):
    channels = scale(32, width) if stem is None else stem
    layers = [ConvNormAct(3, channels, 3, stem_stride, activation=activation)]
    for c, n, s in rows:
        for repeat in range(n):
            out = scale(c, width)
            layers.append(block(channels, out, stride=s if always or repeat == 0 else 1))
            channels = out
    many = classes if outputs is None else outputs(classes, width)
    layers += [pool(1), nn.Flatten(), nn.Linear(channels, many), *end]
    return nn.Sequential(*layers)


def rule(**rules):
    def fd_mobilenet(width=1.0, classes=1000):
        return fd(width, classes, **rules)

    return fd_mobilenet


class Dense(nn.Sequential):
    def __init__(self, c, n, stride):
        super().__init__(ConvNormAct(c, n, 3, stride, activation=nn.ReLU))


class Biased(nn.Sequential):
    def __init__(self, c, n, stride):
        super().__init__(
            nn.Conv2d(c, c, 3, stride, 1, groups=c),
            nn.BatchNorm2d(c),
            nn.ReLU(),
            nn.Conv2d(c, n, 1),
            nn.BatchNorm2d(n),
            nn.ReLU(),
        )


def eights(c, width):
    return max(8, math.ceil(c * width / 8) * 8)


def ready(width=1.0, classes=1000):
    return create_model("fd_mobilenet", width_mult=width, num_classes=classes)


def norms_off(width=1.0, classes=1000):
    channels = int(32 * width)
    layers = [nn.Conv2d(3, channels, 3, 2, 1, bias=False), nn.ReLU()]
    for c, n, s in ROWS:
        for repeat in range(n):
            block = DepthwiseSeparableConv(
                channels, int(c * width), stride=s if repeat == 0 else 1, norm=False
            )
            layers.append(block)
            channels = int(c * width)
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)
    )


class Unused(nn.Module):
    def __init__(self, width=1.0, classes=1000):
        super().__init__()
        self.net = fd(width, classes)
        self.spare = nn.Linear(8, 8)

    def forward(self, x):
        return self.net(x)


def flattened(width=1.0, classes=1000):
    *layers, _, flat, linear = fd(width, classes)
    return nn.Sequential(*layers, flat, linear)


def not_flat(width=1.0, classes=1000):
    *layers, pool, _, linear = fd(width, classes)
    return nn.Sequential(*layers, pool, linear)


def fixed_inputs(width=1.0, classes=1000):
    *layers, _ = fd(width, classes)
    return nn.Sequential(*layers, nn.Linear(1024, classes))


def channels_lost(width=1.0, classes=1000):
    first = int(32 * width)
    layers = [ConvNormAct(3, first, 3, 2, activation=nn.ReLU)]
    for c, n, s in ROWS:
        for repeat in range(n):
            stride = s if repeat == 0 else 1
            layers.append(DepthwiseSeparableConv(first, int(c * width), stride=stride))
    return nn.Sequential(*layers)


class Listed(nn.Module):
    def __init__(self, width=1.0, classes=1000):
        super().__init__()
        self.stem, *self.blocks, _, _, self.head = fd(width, classes)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((2, 3)))


def stride_third(c, n, stride):
    return DepthwiseSeparableConv(c, n, stride)


def last_strided(width=1.0, classes=1000):
    rows = ((64, 1, 2), (128, 1, 1), (128, 1, 2), (256, 1, 1), (256, 1, 2), (512, 4, 1))
    return fd(width, classes, rows=(*rows, (512, 1, 2), (1024, 1, 1)))


def parts(width=1.0, classes=1000):
    return list(fd(width, classes))


def no_defaults(width, classes):
    return fd(width, classes)


def half_by_default(width=0.5, classes=1000):
    return fd(width, classes)


def frozen(width=1.0, classes=1000):
    net = fd(width, classes)
    net[0][0].weight.requires_grad = False
    return net


def kept_in_a_list(width=1.0, classes=1000):
    return nn.ModuleList(fd(width, classes))


class NoForward(nn.Module):
    def __init__(self, width=1.0, classes=1000):
        super().__init__()
        self.net = fd(width, classes)


class ForwardLater(NoForward):
    def forward(self, x):
        raise NotImplementedError


class ByHand(nn.Module):
    def __init__(self, width=1.0, classes=1000):
        super().__init__()

        def conv(i, o, k, s=1, g=1):
            return nn.Sequential(
                nn.Conv2d(i, o, k, s, k // 2, groups=g, bias=False),
                nn.BatchNorm2d(o),
                nn.ReLU(inplace=True),
            )

        wide = [int(c * width) for c in (32, 64, 128, 128, 256, 256, *[512] * 5, 1024)]
        strides = [2, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1]
        self.stem = conv(3, wide[0], 3, 2)
        self.blocks = nn.ModuleList(
            nn.ModuleList([conv(i, i, 3, s, i), conv(i, o, 1)])
            for i, o, s in zip(wide, wide[1:], strides, strict=False)
        )
        self.head = nn.Linear(wide[-1], classes)

    def forward(self, x):
        x = self.stem(x)
        for depthwise, pointwise in self.blocks:
            x = pointwise(depthwise(x))
        return self.head(x.mean(dim=[2, 3]))


class InStages(nn.Module):
    def __init__(self, width=1.0, classes=1000):
        super().__init__()
        *layers, _, _, self.fc = fd(width, classes)
        self.features = nn.Sequential(*layers)
        self.pool = nn.AvgPool2d(1)

    def forward(self, x):
        y = nn.functional.adaptive_avg_pool2d(self.features(x), 1).flatten(1)
        return self.fc(nn.functional.dropout(y, 0.2, self.training))


WRONG = {
    "10.reached": [
        ("counted-from-zero", partial(reached, first=0)),
        ("last-not-first", partial(reached, keep=True)),
        ("strides-added", reached_added),
        ("strides-added", reached_added_to_one),
        ("only-strided-counted", reached_strided),
        ("blocks-counted", reached_blocks),
        ("one-layer-late", partial(reached, factor_first=False)),
        ("own-stride-only", reached_own),
        ("factors-from-sides", reached_from_sides),
        ("factors-from-sides", partial(reached_from_sides, up=True)),
        (None, reached_blocks_of_two),
        ("factor-one-listed", reached_with_one),
        ("factor-one-listed", partial(reached, start={1: 1})),
        ("turned-round", reached_turned),
        ("factors-as-text", reached_as_text),
        ("wrong-type", reached_as_list),
        ("returns-none", reached_unfinished),
    ],
    "10.spend": [
        ("overwritten", partial(spend, add=False)),
        ("charged-to-the-input", partial(spend, key=lambda before, now: before)),
        (
            "charged-to-the-input",
            partial(
                spend,
                key=lambda before, now: before,
                places=lambda before, now: before * before,
            ),
        ),
        ("macs-on-the-input", partial(spend, places=lambda before, now: before * before)),
        ("side-not-squared", partial(spend, places=lambda before, now: now)),
        ("rounded-down", partial(spend, after=lambda side, stride: side // stride)),
        ("rounded-to-the-even", partial(spend, after=lambda side, stride: round(side / stride))),
        ("sides-in-floats", spend_with_float_sides),
        ("sides-in-floats", partial(spend, after=lambda side, stride: side / stride)),
        ("classifier-overwrites", spend_classifier_set),
        ("stride-ignored", partial(spend, after=lambda side, stride: side)),
        ("depthwise-as-dense", partial(spend, each=lambda c: {"depthwise": 9 * c})),
        ("depthwise-without-its-nine", partial(spend, each=lambda c: {"depthwise": 1})),
        ("pointwise-with-nine", partial(spend, each=lambda c: {"pointwise": 9 * c})),
        ("conv-without-its-inputs", partial(spend, each=lambda c: {"conv": 9})),
        ("conv-without-its-nine", partial(spend, each=lambda c: {"conv": c})),
        ("channels-not-handed-on", partial(spend, hand_on=False)),
        ("grey-picture", partial(spend, colours=1)),
        ("classifier-on-the-map", partial(spend, linear_side=0)),
        ("classifier-under-the-map", spend_under_the_map),
        ("classifier-left-out", partial(spend, linear_side=None)),
        ("flops-not-macs", partial(spend, times=2)),
        ("sums-not-by-side", spend_total),
        ("wrong-type", spend_in_floats),
    ],
    "10.widest": [
        ("one-too-far", widest_first_over),
        ("one-too-far", partial(widest, extra=1)),
        ("one-too-early", widest_too_early),
        ("just-fitting-refused", partial(widest, strict=True)),
        ("never-wider", partial(widest, top=32)),
        *(("search-ends-early", partial(widest, top=top)) for top in (64, 100, 320)),
        ("classes-scaled", partial(widest, scale=partial(thin, keep=()))),
        ("no-channel-left", partial(widest, scale=partial(thin, least=0))),
        ("rounded-to-the-nearest", partial(widest, scale=partial(thin, cut=round))),
        ("rounded-up", partial(widest, scale=partial(thin, cut=math.ceil))),
        (
            "some-layers-not-scaled",
            partial(widest, scale=partial(thin, keep=("linear", "conv", "depthwise"))),
        ),
        ("some-layers-not-scaled", partial(widest, scale=partial(thin, keep=("linear", "conv")))),
        ("channels-not-whole", partial(widest, scale=fractions)),
        ("channels-not-whole", partial(widest, scale=partial(fractions, keep=()))),
        ("by-the-square-law", widest_by_root),
        ("by-proportion", widest_by_share),
        ("a-width-not-a-count", widest_as_width),
        ("macs-returned", widest_as_macs),
    ],
    "10.field": [
        ("own-stride-first", partial(field, own=True)),
        ("steps-never-longer", partial(field, jumps=False)),
        ("pointwise-as-three", partial(field, wide=("conv", "depthwise", "pointwise"))),
        (
            "every-layer-as-three",
            partial(field, wide=("conv", "depthwise", "pointwise", "linear")),
        ),
        ("classifier-as-three", partial(field, wide=("conv", "depthwise", "linear"))),
        ("depthwise-left-out", partial(field, wide=("conv",))),
        ("pointwise-stride-lost", partial(field, skip=("pointwise",))),
        ("begins-at-zero", partial(field, size=0)),
        ("three-a-layer", partial(field, adds=3)),
        ("strides-added", field_strides_added),
        ("back-by-whole-strides", field_back_by_two),
        ("a-list-of-sizes", field_list),
        ("area-not-width", field_area),
    ],
    "10.build": [
        ("ready-made", ready),
        ("mobilenet-built", rule(rows=SLOW_ROWS)),
        ("first-block-not-strided", rule(rows=((64, 1, 1), *ROWS[1:]))),
        ("first-block-not-strided", rule(rows=((64, 1, 1), *ROWS[1:4], (1024, 1, 2)))),
        ("every-repeat-strided", rule(always=True)),
        ("last-row-strided", rule(rows=(*ROWS[:4], (1024, 1, 2)))),
        ("repeats-miscounted", rule(rows=(*ROWS[:3], (512, 6, 2), ROWS[4]))),
        ("repeats-miscounted", rule(rows=(*ROWS[:3], (512, 4, 2), ROWS[4]))),
        ("repeats-miscounted", rule(rows=(*ROWS[:4], (1024, 2, 1)))),
        ("repeats-miscounted", rule(rows=ROWS[:4])),
        ("width-ignored", rule(stem=32)),
        ("classes-scaled", rule(outputs=lambda classes, width: int(classes * width))),
        ("classes-fixed", rule(outputs=lambda classes, width: 1000)),
        ("channels-rounded", rule(scale=eights)),
        ("channels-rounded", rule(scale=lambda c, width: math.ceil(c * width))),
        ("channels-to-the-nearest", rule(scale=lambda c, width: round(c * width))),
        ("dense-blocks", rule(block=Dense)),
        ("stem-without-stride", rule(stem_stride=1)),
        ("relu6-not-relu", rule(activation=nn.ReLU6)),
        (
            "relu6-everywhere",
            rule(
                activation=nn.ReLU6,
                block=partial(DepthwiseSeparableConv, activation=nn.ReLU6),
            ),
        ),
        ("stem-without-relu", rule(activation=None)),
        ("maximum-not-mean", rule(pool=nn.AdaptiveMaxPool2d)),
        ("softmax-at-the-end", rule(end=(nn.Softmax(1),))),
        ("relu-at-the-end", rule(end=(nn.ReLU(),))),
        ("norms-forgotten", norms_off),
        ("bias-kept", rule(block=Biased)),
        ("layers-too-many", Unused),
        ("no-mean", flattened),
        ("last-repeat-strided", last_strided),
        ("layers-hidden-in-a-list", Listed),
        ("stride-as-kernel", rule(block=stride_third)),
        ("a-stride-is-wrong", rule(rows=(*ROWS[:2], (256, 2, 1), *ROWS[3:]))),
        ("a-channel-count-is-wrong", rule(rows=(*ROWS[:2], (265, 2, 2), *ROWS[3:]))),
        ("not-flat", not_flat),
        ("classifier-inputs", fixed_inputs),
        ("not-joined", channels_lost),
        ("not-assembled", parts),
        ("no-forward", kept_in_a_list),
        ("no-forward", NoForward),
        ("not-implemented", ForwardLater),
        ("without arguments it is the published network", half_by_default),
        ("every parameter learns", frozen),
    ],
}

RIGHT = {
    "10.reached": [reached, reached_by_products, reached_by_setdefault],
    "10.spend": [spend, spend_by_branches, spend_by_modules],
    "10.widest": [widest, widest_by_bisection, widest_by_counting],
    "10.field": [field, field_backwards, field_by_gradient],
    "10.build": [fd, ByHand, InStages],
}
