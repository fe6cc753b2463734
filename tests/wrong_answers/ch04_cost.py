"""Chapter 04: answers that learners give, wrong with their diagnosis and right in other ways."""

import math
from collections import Counter

import numpy as np
import torch
from torch import nn


def out_side(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


# --- 04.conv ---------------------------------------------------------------------------------


def priced(weights=None, params=None, macs=None, moved=None):
    """A conv_cost with rules of its own; each gets a dictionary of the sizes."""

    def conv_cost(
        shape, out_channels, kernel, stride=1, padding=0, dilation=1, groups=1, bias=True
    ):
        c, h, w = shape
        high = out_side(h, kernel, stride, padding, dilation)
        wide = out_side(w, kernel, stride, padding, dilation)
        d = {"c": c, "h": h, "w": w, "n": out_channels, "k": kernel, "g": groups, "b": bias}
        d |= {"high": high, "wide": wide, "in": c * h * w, "out": out_channels * high * wide}
        d["weights"] = weights(d) if weights else out_channels * (c // groups) * kernel * kernel
        d["params"] = params(d) if params else d["weights"] + (out_channels if bias else 0)
        d["macs"] = macs(d) if macs else d["weights"] * high * wide
        total = moved(d) if moved else 4 * (d["in"] + d["params"] + d["out"])
        return d["params"], d["macs"], total

    return conv_cost


def without_dilation(shape, out_channels, kernel, stride=1, padding=0, dilation=1, **options):
    return priced()(shape, out_channels, kernel, stride, padding, 1, **options)


def without_options(shape, out_channels, kernel, stride=1, padding=0, dilation=1, **options):
    """conv_output(shape, out_channels, kernel), and nothing else handed on."""
    return priced()(shape, out_channels, kernel, 1, 0, 1, **options)


def padding_read(shape, out_channels, kernel, stride=1, padding=0, dilation=1, **options):
    params, macs, moved = priced()(
        shape, out_channels, kernel, stride, padding, dilation, **options
    )
    c, h, w = shape
    return params, macs, moved + 4 * c * ((h + 2 * padding) * (w + 2 * padding) - h * w)


def another_order(*args, **options):
    params, macs, moved = priced()(*args, **options)
    return macs, params, moved


def as_floats(*args, **options):
    return tuple(float(v) for v in priced()(*args, **options))


def only_two(*args, **options):
    return priced()(*args, **options)[:2]


def from_torch(shape, out_channels, kernel, **options):
    layer = nn.Conv2d(shape[0], out_channels, kernel, **options)
    with torch.no_grad():
        y = layer(torch.zeros(1, *shape))
    weights = layer.weight.numel()
    params = weights if layer.bias is None else weights + layer.bias.numel()
    return [params, weights * y[0, 0].numel(), 4 * (math.prod(shape) + params + y.numel())]


def by_counting_places(
    shape, out_channels, kernel, stride=1, padding=0, dilation=1, groups=1, bias=True
):
    """Put the window down wherever it fits, with NumPy integers."""
    c, *sides = (np.int64(v) for v in shape)
    places = [len(range(0, int(n) + 2 * padding - dilation * (kernel - 1), stride)) for n in sides]
    in_one = c // groups * kernel**2
    macs = sum(out_channels * in_one for _ in range(places[0])) * places[1]
    params = out_channels * (in_one + int(bias))
    return params, macs, 4 * (c * sides[0] * sides[1] + params + out_channels * np.prod(places))


# --- 04.net ----------------------------------------------------------------------------------


def billed(keep_channels=False, keep_size=False, stays=(), lost=(), **rules):
    """A net_cost with rules of its own: rule(c, h, w, n) for norm, relu, pool or linear.

    After the kinds in `stays` the shape is not updated; the options in `lost` never reach it.
    """

    def net_cost(net, shape, conv):
        rows = []
        c, h, w = shape
        for kind, options in net:
            n = options.get("out_features")
            if kind in rules:
                rows.append(rules[kind](c, h, w, n))
            elif kind == "conv":
                rows.append(conv((c, h, w), **options))
            elif kind == "norm":
                rows.append((2 * c, 0, 8 * c * h * w + 16 * c))
            elif kind == "relu":
                rows.append((0, 0, 8 * c * h * w))
            elif kind == "pool":
                rows.append((0, 0, 4 * c * h * w + 4 * c))
            else:
                rows.append((c * n + n, c * n, 4 * (c + c * n + n + n)))
            new = (c, h, w)
            if kind == "conv":
                given = {k: v for k, v in options.items() if k in ("stride", "padding", "dilation")}
                given = {k: v for k, v in given.items() if k not in lost}
                size = (out_side(x, options["kernel"], **given) for x in (h, w))
                new = (options["out_channels"], *size)
            elif kind == "pool":
                new = (c, 1, 1)
            elif kind == "linear":
                new = (n, 1, 1)
            if kind in stays:
                continue
            c = c if keep_channels else new[0]
            h, w = (h, w) if keep_size else new[1:]
        return rows

    return net_cost


def only_after_conv(net, shape, conv):
    """The size stays behind a convolution, but a pooling makes it 1×1."""
    rows = []
    c, h, w = shape
    for kind, options in net:
        rows += billed()([(kind, options)], (c, h, w), conv)
        if kind == "conv":
            c = options["out_channels"]
        elif kind == "pool":
            h = w = 1
        elif kind == "linear":
            c = options["out_features"]
    return rows


def flat_linear(c, h, w, n):
    return c * h * w * n + n, c * h * w * n, 4 * (c * h * w + c * h * w * n + n + n)


def quarter(net, shape, conv):
    """Numbers, not bytes, in all rows but those of `conv`."""
    rows = billed()(net, shape, conv)
    return [
        row if kind == "conv" else (*row[:2], row[2] // 4)
        for (kind, _), row in zip(net, rows, strict=True)
    ]


def quarter_of_all(net, shape, conv):
    return [(*row[:2], row[2] // 4) for row in billed()(net, shape, conv)]


def own_conv_without_groups(net, shape, conv):
    return billed()(net, shape, priced(weights=lambda d: d["n"] * d["c"] * d["k"] ** 2))


def summed_up(net, shape, conv):
    rows = billed()(net, shape, conv)
    return tuple(sum(column) for column in zip(*rows, strict=True)) or (0, 0, 0)


def up_to_here(net, shape, conv):
    rows = billed()(net, shape, conv)
    return [tuple(np.sum(rows[: i + 1], axis=0).tolist()) for i in range(len(rows))]


def returns_early(net, shape, conv):
    return billed()(net, shape, conv)[:1]


def options_in_a_lump(net, shape, conv):
    return billed()(net, shape, lambda shape, **options: conv(shape, options))


def every_row_a_convolution(net, shape, conv):
    return [conv(shape, **options) for _, options in net]


def looks_up_the_stride(net, shape, conv):
    rows = billed()(net, shape, conv)
    for kind, options in net:
        if kind == "conv":
            shape = (options["out_channels"], *(n // options["stride"] for n in shape[1:]))
    return rows


def pops_rows(net, shape, conv):
    rows = billed()(net, shape, conv)
    while net:
        net.pop()
    return rows


def everything_is_a_convolution(net, shape, conv):
    """A linear layer and a batch norm are written as convolutions of one place."""
    rows = []
    for kind, options in net:
        numbers = math.prod(shape)
        if kind == "conv":
            rows.append(conv(shape, **options))
            layer = nn.Conv2d(shape[0], options["out_channels"], options["kernel"],
                              options.get("stride", 1), options.get("padding", 0),
                              options.get("dilation", 1), options.get("groups", 1),
                              device="meta")  # fmt: skip
            shape = tuple(layer(torch.empty(1, *shape, device="meta")).shape[1:])
        elif kind == "linear":
            rows.append(conv((shape[0], 1, 1), options["out_features"], 1))
            shape = (options["out_features"], 1, 1)
        elif kind == "pool":
            rows.append([0, 0, 4 * (numbers + shape[0])])
            shape = (shape[0], 1, 1)
        else:
            vectors = {"norm": 4 * shape[0], "relu": 0}[kind]
            rows.append([vectors // 2, 0, 4 * (2 * numbers + vectors)])
    return rows


# --- 04.alive --------------------------------------------------------------------------------


def last_readers(steps):
    last = {name: i for i, (name, _, _) in enumerate(steps)}
    for i, (_, reads, _) in enumerate(steps):
        for name in reads:
            last[name] = i
    return last


def while_(rule):
    """alive() in which a map made at m with last reader r counts at step i while rule(i, m, r)."""

    def alive(steps):
        last = last_readers(steps)
        return [
            sum(
                size for m, (name, _, size) in enumerate(steps) if m <= i and rule(i, m, last[name])
            )
            for i in range(len(steps))
        ]

    return alive


def everything(steps):
    total, rows = 0, []
    for _, _, size in steps:
        total += size
        rows.append(total)
    return rows


def outputs(steps):
    return [size for _, _, size in steps]


def ins_and_outs(steps):
    sizes = {name: size for name, _, size in steps}
    return [
        size + sum(sizes[r] for r in set(reads) if r in sizes and r != name)
        for name, reads, size in steps
    ]


def each_mention(steps):
    """The right maps, but what a step mentions twice is added twice."""
    rows, sizes = while_(lambda i, m, r: i <= r)(steps), {n: s for n, _, s in steps}
    for i, (_, reads, _) in enumerate(steps):
        for name, times in Counter(reads).items():
            rows[i] += sizes.get(name, 0) * (times - 1)
    return rows


def next_reader(steps):
    first = {}
    for i, (_, reads, _) in enumerate(steps):
        for name in reads:
            if name not in first:
                first[name] = i
    return [
        sum(s for m, (n, _, s) in enumerate(steps) if m <= i <= first.get(n, m))
        for i in range(len(steps))
    ]


def the_peak(steps):
    return max(while_(lambda i, m, r: i <= r)(steps))


def picture_too(steps):
    sizes = {name: size for name, _, size in steps}
    return [size + sum(sizes[r] for r in reads) for _, reads, size in steps]


def skips_only_image(steps):
    """Right, were every picture called image."""
    sizes = {name: size for name, _, size in steps}
    rows = []
    for i, (name, reads, _) in enumerate(steps):
        made = {n for n, _, _ in steps[: i + 1]}
        later = {r for _, later, _ in steps[i + 1 :] for r in later} & made
        rows.append(sum(sizes[n] for n in {name} | ({*reads} - {"image"}) | later))
    return rows


def needed_from(steps, i):
    return [steps[i][0], *(r for _, reads, _ in steps[i:] for r in reads)]


def finds_parts_of_names(steps):
    return [
        sum(s for n, _, s in steps[: i + 1] if n in ",".join(needed_from(steps, i)))
        for i in range(len(steps))
    ]


def a_set_of_sizes(steps):
    return [
        sum({s for n, _, s in steps[: i + 1] if n in needed_from(steps, i)})
        for i in range(len(steps))
    ]


def all_mentions(steps):
    sizes = {name: size for name, _, size in steps}
    return [size + sum(sizes.get(r, 0) for r in reads) for _, reads, size in steps]


def highest_so_far(steps):
    rows = while_(lambda i, m, r: i <= r)(steps)
    return np.maximum.accumulate(rows).tolist()


def only_what_is_read(steps):
    return [
        sum(s for n, _, s in steps[: i + 1] if n in needed_from(steps, i)[1:])
        for i in range(len(steps))
    ]


def made_or_not(steps):
    last = last_readers(steps)
    return [sum(s for n, _, s in steps if i <= last[n]) for i in range(len(steps))]


def by_events(steps):
    """Births and deaths on a time axis, then running sums."""
    last = last_readers(steps)
    change = [0] * (len(steps) + 1)
    for i, (name, _, size) in enumerate(steps):
        change[i] += size
        change[last[name] + 1] -= size
    return np.cumsum(change)[:-1].tolist()


def by_a_set_of_names(steps):
    """Go backwards: what is wanted after a step, plus what the step itself touches."""
    sizes = {name: size for name, _, size in steps}
    wanted, rows = {steps[-1][0]}, []
    for i in reversed(range(len(steps))):
        name, reads, _ = steps[i]
        made = {n for n, _, _ in steps[:i]}
        rows.append(sum(sizes[n] for n in (wanted | set(reads)) & made | {name}))
        wanted = wanted - {name} | set(reads)
    return rows[::-1]


# --- 04.roof ---------------------------------------------------------------------------------


def roofed(intensity=None, seconds=None, bound=None, words=("compute", "memory")):
    """Rows with rules of their own; each gets macs, bytes, peak, bandwidth."""

    def under_the_roof(layers, peak, bandwidth):
        rows = []
        for m, b in layers:
            given = (m, b, peak, bandwidth)
            first = intensity(*given) if intensity else 2 * m / b
            time = seconds(*given) if seconds else max(m / peak, b / bandwidth)
            computes = bound(*given) if bound else m / peak >= b / bandwidth
            rows.append((first, time, words[0] if computes else words[1]))
        return rows

    return under_the_roof


def slope_without_two(layers, peak, bandwidth):
    return [
        (2 * m / b, m / min(peak, bandwidth * 2 * m / b) if m else b / bandwidth,
         "compute" if m / peak >= b / bandwidth else "memory")
        for m, b in layers
    ]  # fmt: skip


def by_speed(layers, peak, bandwidth):
    return [
        (2 * m / b, m / min(peak, bandwidth * m / b),
         "compute" if m * bandwidth >= b * peak else "memory")
        for m, b in layers
    ]  # fmt: skip


def stops_early(layers, peak, bandwidth):
    for layer in layers:
        return roofed()([layer], peak, bandwidth)


def all_together(layers, peak, bandwidth):
    macs, moved = sum(m for m, _ in layers), sum(b for _, b in layers)
    computes = macs / peak >= moved / bandwidth
    seconds = max(macs / peak, moved / bandwidth)
    return 2 * macs / moved, seconds, "compute" if computes else "memory"


def by_ridge(layers, peak, bandwidth):
    """The bound from the ridge, the time from the bound; lists, and NumPy numbers."""
    rows, ridge = [], 2 * peak / bandwidth
    for m, b in layers:
        intensity = np.float64(2 * m) / b
        if intensity >= ridge:
            rows.append([intensity, np.float64(m) / peak, "compute"])
        else:
            rows.append([intensity, np.float64(b) / bandwidth, "memory"])
    return rows


# --- 04.divisible ----------------------------------------------------------------------------


def tensorflow(channels, divisor=8):
    new = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    if new < 0.9 * channels:
        new += divisor
    return new


def as_a_float(channels, divisor=8):
    return float(tensorflow(channels, divisor))


def never_a_tenth_more(channels, divisor=8):
    new = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    if new < 0.9 * channels:
        return new + divisor
    return new - divisor if divisor < new > 1.1 * channels else new


def guarded(few, least=None):
    """The nearest multiple, and a guard of its own."""

    def make_divisible(channels, divisor=8):
        new = max(least or divisor, int(channels + divisor / 2) // divisor * divisor)
        return new + divisor if few(new, channels, divisor) else new

    return make_divisible


def nearest_first_found(channels, divisor=8):
    """Of two multiples that are as near, min takes the first."""
    new = min(range(divisor, 3000, divisor), key=lambda m: abs(m - channels))
    return new + divisor if new < 0.9 * channels else new


def stepping(channels, divisor=8):
    """Walk up in steps until the next multiple is no nearer and little enough is lost."""
    new = divisor
    while new + divisor / 2 <= channels or new < 0.9 * channels:
        new += divisor
    return np.int64(new)


def by_fraction(channels, divisor=8):
    new = math.floor(channels / divisor + 0.5) * divisor
    return new if new >= 0.9 * channels else new + divisor


WRONG = {
    "04.conv": [
        ("groups-forgotten", priced(weights=lambda d: d["n"] * d["c"] * d["k"] ** 2)),
        (
            "groups-twice",
            priced(weights=lambda d: d["n"] // d["g"] * (d["c"] // d["g"]) * d["k"] ** 2),
        ),
        ("kernel-not-squared", priced(weights=lambda d: d["n"] * d["c"] // d["g"] * d["k"])),
        ("one-kernel", priced(weights=lambda d: d["c"] // d["g"] * d["k"] ** 2)),
        ("bias-forgotten", priced(params=lambda d: d["weights"])),
        ("bias-always", priced(params=lambda d: d["weights"] + d["n"])),
        ("bias-as-mac", priced(macs=lambda d: d["params"] * d["high"] * d["wide"])),
        ("options-not-handed-on", without_options),
        ("padding-read", padding_read),
        ("biases-not-read", priced(moved=lambda d: 4 * (d["in"] + d["weights"] + d["out"]))),
        ("bias-added-as-one", priced(params=lambda d: d["weights"] + d["b"])),
        ("flops-not-macs", priced(macs=lambda d: 2 * d["weights"] * d["high"] * d["wide"])),
        ("places-of-the-input", priced(macs=lambda d: d["weights"] * d["h"] * d["w"])),
        (
            "square-output",
            priced(
                macs=lambda d: d["weights"] * d["high"] ** 2,
                moved=lambda d: 4 * (d["in"] + d["params"] + d["n"] * d["high"] ** 2),
            ),
        ),
        ("square-output", priced(macs=lambda d: d["weights"] * d["high"] ** 2)),
        ("dilation-forgotten", without_dilation),
        ("numbers-not-bytes", priced(moved=lambda d: d["in"] + d["params"] + d["out"])),
        ("weights-not-read", priced(moved=lambda d: 4 * (d["in"] + d["out"]))),
        ("output-not-written", priced(moved=lambda d: 4 * (d["in"] + d["params"]))),
        ("input-not-read", priced(moved=lambda d: 4 * (d["out"] + d["params"]))),
        ("read-for-each-output", priced(moved=lambda d: 4 * (d["macs"] + d["params"] + d["out"]))),
        ("order", another_order),
        ("params-are-wrong", lambda *a, **o: (7, *priced()(*a, **o)[1:])),
        ("macs-are-wrong", priced(macs=lambda d: d["weights"] * d["high"])),
        ("bytes-are-wrong", priced(moved=lambda d: 4 * (d["in"] + d["weights"] + d["out"]) - 4)),
        ("wrong-type", as_floats),
        ("wrong-shape", only_two),
        (None, lambda *args, **options: (9, 36, 116)),
    ],
    "04.net": [
        ("shape-never-changes", billed(keep_channels=True, keep_size=True)),
        ("channels-not-handed-on", billed(keep_channels=True)),
        ("size-not-handed-on", billed(keep_size=True)),
        (
            "statistics-as-params",
            billed(norm=lambda c, h, w, n: (4 * c, 0, 8 * c * h * w + 16 * c)),
        ),
        ("statistics-not-read", billed(norm=lambda c, h, w, n: (2 * c, 0, 8 * c * h * w + 8 * c))),
        ("norm-vectors-not-read", billed(norm=lambda c, h, w, n: (2 * c, 0, 8 * c * h * w))),
        (
            "norm-has-macs",
            billed(norm=lambda c, h, w, n: (2 * c, 2 * c * h * w, 8 * c * h * w + 16 * c)),
        ),
        (
            "norm-has-macs",
            billed(norm=lambda c, h, w, n: (2 * c, c * h * w, 8 * c * h * w + 16 * c)),
        ),
        ("relu-is-free", billed(relu=lambda c, h, w, n: (0, 0, 0))),
        ("relu-one-way", billed(relu=lambda c, h, w, n: (0, 0, 4 * c * h * w))),
        ("pool-writes-a-map", billed(pool=lambda c, h, w, n: (0, 0, 8 * c * h * w))),
        (
            "linear-without-bias",
            billed(linear=lambda c, h, w, n: (c * n, c * n, 4 * (c + c * n + n))),
        ),
        (
            "bias-as-mac",
            billed(linear=lambda c, h, w, n: (c * n + n, c * n + n, 4 * (c + c * n + 2 * n))),
        ),
        ("shape-never-changes", billed(stays=("conv",))),
        ("size-not-handed-on", only_after_conv),
        ("pooled-shape", billed(stays=("pool",))),
        ("pooled-shape", billed(stays=("pool",), linear=flat_linear)),
        ("linear-shape", billed(stays=("linear",))),
        ("pooled-and-linear-shape", billed(stays=("pool", "linear"))),
        ("option-lost-in-the-shape", billed(lost=("dilation",))),
        ("option-lost-in-the-shape", billed(lost=("stride", "padding", "dilation"))),
        ("numbers-not-bytes", quarter),
        ("numbers-not-bytes", quarter_of_all),
        ("backwards", lambda net, shape, conv: billed()(net, shape, conv)[::-1]),
        ("norm-not-written", billed(norm=lambda c, h, w, n: (2 * c, 0, 4 * (c * h * w + 4 * c)))),
        ("norm-without-params", billed(norm=lambda c, h, w, n: (0, 0, 8 * c * h * w + 16 * c))),
        (
            "pool-has-macs",
            billed(pool=lambda c, h, w, n: (0, c * h * w, 4 * (c * h * w + c))),
        ),
        ("pool-is-free", billed(pool=lambda c, h, w, n: (0, 0, 0))),
        ("pool-not-written", billed(pool=lambda c, h, w, n: (0, 0, 4 * c * h * w))),
        (
            "linear-in-flops",
            billed(linear=lambda c, h, w, n: (c * n + n, 2 * c * n, 4 * (c + c * n + 2 * n))),
        ),
        (
            "linear-not-written",
            billed(linear=lambda c, h, w, n: (c * n + n, c * n, 4 * (c + c * n + n))),
        ),
        ("conv-rows-are-wrong", own_conv_without_groups),
        ("norm-rows-are-wrong", billed(norm=lambda c, h, w, n: (2, 0, 8 * c * h * w + 16 * c))),
        ("relu-rows-are-wrong", billed(relu=lambda c, h, w, n: (c, 0, 8 * c * h * w))),
        ("pool-rows-are-wrong", billed(pool=lambda c, h, w, n: (c, 0, 4 * (c * h * w + c)))),
        ("linear-rows-are-wrong", billed(linear=lambda c, h, w, n: (n, c * n, 4 * (c + n)))),
        ("conv-called-wrongly", options_in_a_lump),
        ("conv-called-wrongly", every_row_a_convolution),
        ("option-not-given", looks_up_the_stride),
        ("running-totals", up_to_here),
        ("totals-only", summed_up),
        ("first-row-only", returns_early),
        ("mutates-input", pops_rows),
    ],
    "04.alive": [
        ("nothing-freed", everything),
        ("only-the-result", outputs),
        ("shortcut-forgotten", ins_and_outs),
        ("freed-too-early", while_(lambda i, m, r: i == m or i < r)),
        ("freed-too-late", while_(lambda i, m, r: i <= r + 1)),
        ("first-reader-only", next_reader),
        ("unread-kept", while_(lambda i, m, r: i <= r or r == m)),
        ("read-twice-counts-twice", each_mention),
        ("only-image-is-skipped", skips_only_image),
        ("parts-of-names", finds_parts_of_names),
        ("equal-sizes-once", a_set_of_sizes),
        ("shortcut-forgotten-and-read-twice", all_mentions),
        ("running-peak", highest_so_far),
        ("own-map-missing", only_what_is_read),
        ("not-yet-made", made_or_not),
        (
            "previous-step-only",
            lambda steps: [
                size + (steps[i - 1][2] if i else 0) for i, (_, _, size) in enumerate(steps)
            ],
        ),
        ("peak-only", the_peak),
        ("image-has-no-size", picture_too),
        ("returns-none", lambda steps: print(by_events(steps))),
    ],
    "04.roof": [
        ("sum-not-max", roofed(seconds=lambda m, b, p, w: m / p + b / w)),
        ("min-not-max", roofed(seconds=lambda m, b, p, w: min(m / p, b / w))),
        ("compute-only", roofed(seconds=lambda m, b, p, w: m / p)),
        ("macs-per-byte", roofed(intensity=lambda m, b, p, w: m / b)),
        ("bytes-per-flop", roofed(intensity=lambda m, b, p, w: b / (2 * m) if m else 0)),
        (
            "flops-over-macs",
            roofed(
                seconds=lambda m, b, p, w: max(2 * m / p, b / w),
                bound=lambda m, b, p, w: 2 * m / p >= b / w,
            ),
        ),
        ("ridge-in-macs", roofed(bound=lambda m, b, p, w: 2 * m / b >= p / w)),
        ("bound-swapped", roofed(words=("memory", "compute"))),
        ("other-words", roofed(words=("compute-bound", "memory-bound"))),
        ("nothing-to-divide", by_speed),
        (
            "whole-division",
            roofed(lambda m, b, p, w: 2 * m // b, lambda m, b, p, w: max(m // p, b // w)),
        ),
        ("intensity-made-whole", roofed(intensity=lambda m, b, p, w: 2 * m // b)),
        ("intensity-made-whole", roofed(intensity=lambda m, b, p, w: round(2 * m / b))),
        (
            "peak-and-bandwidth-swapped",
            lambda layers, peak, bandwidth: roofed()(layers, bandwidth, peak),
        ),
        ("peak-and-bandwidth-swapped", roofed(seconds=lambda m, b, p, w: max(m / w, b / p))),
        ("first-layer-only", lambda layers, peak, bandwidth: roofed()(layers, peak, bandwidth)[0]),
        ("first-layer-only", stops_early),
        ("total-only", all_together),
        ("seconds-are-wrong", slope_without_two),
        ("intensity-is-wrong", roofed(intensity=lambda m, b, p, w: 8 * m / b)),
        ("bound-is-wrong", roofed(bound=lambda m, b, p, w: m > b)),
    ],
    "04.divisible": [
        ("no-guard", lambda c, d=8: max(d, int(c + d / 2) // d * d)),
        ("zero-channels", lambda c, d=8: int(c + d / 2) // d * d),
        ("round-and-stop", lambda c, d=8: round(c / d) * d),
        ("round-and-stop", lambda c, d=8: max(d, d * round(c / d))),
        ("always-down", lambda c, d=8: int(c) // d * d),
        ("down-and-guard", lambda c, d=8: (n := max(d, int(c) // d * d)) + d * (n < 0.9 * c)),
        ("always-up", lambda c, d=8: -int(-c // d) * d),
        (
            "half-to-even",
            lambda c, d=8: (n := max(d, round(c / d) * d)) + d * (n < 0.9 * c),
        ),
        ("half-goes-down", nearest_first_found),
        ("fraction-lost", lambda c, d=8: tensorflow(int(c), d)),
        ("fraction-lost", lambda c, d=8: tensorflow(round(c), d)),
        ("fraction-lost", guarded(lambda n, c, d: n < 0.9 * int(c))),
        ("fraction-lost", guarded(lambda n, c, d: n < 0.9 * round(c))),
        ("fraction-lost", guarded(lambda n, c, d: c - n > c // 10)),
        ("another-limit", guarded(lambda n, c, d: n < 0.95 * c)),
        ("another-limit", guarded(lambda n, c, d: n < 0.85 * c)),
        ("another-limit", guarded(lambda n, c, d: c - n > d / 10)),
        ("least-is-eight", guarded(lambda n, c, d: n < 0.9 * c, least=8)),
        ("too-high", lambda c, d=8: (int(c // d) + 1) * d),
        ("too-low", lambda c, d=8: max(d, math.ceil(c / d - 1) * d)),
        ("divisor-ignored", lambda c, d=8: tensorflow(c)),
        ("guard-above", never_a_tenth_more),
        ("how-many-multiples", lambda c, d=8: tensorflow(c, d) // d),
        ("wrong-type", as_a_float),
    ],
}

RIGHT = {
    "04.conv": [priced(), from_torch, by_counting_places],
    "04.net": [billed(), everything_is_a_convolution],
    "04.alive": [while_(lambda i, m, r: i <= r), by_events, by_a_set_of_names],
    "04.roof": [roofed(), by_ridge],
    "04.divisible": [
        tensorflow,
        stepping,
        by_fraction,
        guarded(lambda n, c, d: 10 * n < 9 * c),
        guarded(lambda n, c, d: (c - n) / c > 0.1),
        lambda c, d=8: math.ceil(c / d) * d if tensorflow(c, d) > c else tensorflow(c, d),
    ],
}
