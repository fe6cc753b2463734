"""Chapter 02: answers that learners give, wrong with their diagnosis and right in other ways."""

import math
from fractions import Fraction

import torch

# ---- 02.chain -------------------------------------------------------------------------------


def stride_first(layers):
    size, jump, start = 1, 1, 0.0
    out = []
    for k, s, p, d in layers:
        jump *= s
        size += (k - 1) * d * jump
        start += ((k - 1) * d / 2 - p) * jump
        out.append((size, jump, start))
    return out


def stride_first_in_size(layers):
    size, jump, start = 1, 1, 0.0
    out = []
    for k, s, p, d in layers:
        start += ((k - 1) * d / 2 - p) * jump
        jump *= s
        size += (k - 1) * d * jump
        out.append((size, jump, start))
    return out


def start_last(layers):
    size, jump, start = 1, 1, 0.0
    out = []
    for k, s, p, d in layers:
        size += (k - 1) * d * jump
        jump *= s
        start += ((k - 1) * d / 2 - p) * jump
        out.append((size, jump, start))
    return out


def strides_added(layers):
    size, jump, start = 1, 1, 0.0
    out = []
    for k, s, p, d in layers:
        size += (k - 1) * d * jump
        start += ((k - 1) * d / 2 - p) * jump
        jump += s - 1
        out.append((size, jump, start))
    return out


def no_jump(layers):
    size, jump, start = 1, 1, 0.0
    out = []
    for k, s, p, d in layers:
        size += (k - 1) * d
        start += (k - 1) * d / 2 - p
        jump *= s
        out.append((size, jump, start))
    return out


def no_jump_in_size(layers):
    size, jump, start = 1, 1, 0.0
    out = []
    for k, s, p, d in layers:
        size += (k - 1) * d
        start += ((k - 1) * d / 2 - p) * jump
        jump *= s
        out.append((size, jump, start))
    return out


def whole_kernel(layers):
    size, jump, start = 1, 1, 0.0
    out = []
    for k, s, p, d in layers:
        size += k * d * jump
        start += ((k - 1) * d / 2 - p) * jump
        jump *= s
        out.append((size, jump, start))
    return out


def no_dilation(layers):
    size, jump, start = 1, 1, 0.0
    out = []
    for k, s, p, _ in layers:
        size += (k - 1) * jump
        start += ((k - 1) / 2 - p) * jump
        jump *= s
        out.append((size, jump, start))
    return out


def kernel_times_dilation(layers):
    size, jump, start = 1, 1, 0.0
    out = []
    for k, s, p, d in layers:
        effective = k * d
        size += (effective - 1) * jump
        start += ((effective - 1) / 2 - p) * jump
        jump *= s
        out.append((size, jump, start))
    return out


def padding_takes_away(layers):
    size, jump, start = 1, 1, 0.0
    out = []
    for k, s, p, d in layers:
        size += ((k - 1) * d - 2 * p) * jump
        start += ((k - 1) * d / 2 - p) * jump
        jump *= s
        out.append((size, jump, start))
    return out


def no_padding(layers):
    size, jump, start = 1, 1, 0.0
    out = []
    for k, s, _, d in layers:
        size += (k - 1) * d * jump
        start += (k - 1) * d * jump / 2
        jump *= s
        out.append((size, jump, start))
    return out


def start_in_units(layers):
    size, jump, start = 1, 1, 0.0
    out = []
    for k, s, p, d in layers:
        size += (k - 1) * d * jump
        start += (k - 1) * d / 2 - p
        jump *= s
        out.append((size, jump, start))
    return out


def right_chain(layers):
    size, jump, start = 1, 1, 0.0
    out = []
    for k, s, p, d in layers:
        size += (k - 1) * d * jump
        start += ((k - 1) * d / 2 - p) * jump
        jump *= s
        out.append((size, jump, start))
    return out


def chain_as(size=None, jump=None, start=None):
    """A chain in which one or more of the three updates are replaced."""
    size = size or (lambda r, j, k, s, p, d: r + (k - 1) * d * j)
    jump = jump or (lambda j, s: j * s)
    start = start or (lambda c, j, k, s, p, d: c + ((k - 1) * d / 2 - p) * j)

    def chain(layers):
        r, j, c = 1, 1, 0.0
        out = []
        for layer in layers:
            r, j, c = size(r, j, *layer), jump(j, layer[1]), start(c, j, *layer)
            out.append((r, j, c))
        return out

    return chain


def from_the_top(layers):
    return right_chain(layers[::-1])


def last_only(layers):
    return right_chain(layers)[-1] if layers else []


def distill_half(layers):
    return [(r, j, c + 0.5) for r, j, c in right_chain(layers)]


def changes_the_list(layers):
    out = []
    size, jump, start = 1, 1, 0.0
    while layers:
        k, s, p, d = layers.pop(0)
        size += (k - 1) * d * jump
        start += ((k - 1) * d / 2 - p) * jump
        jump *= s
        out.append((size, jump, start))
    return out


def same_list_each_time(layers):
    """One list object, appended over and over: all rows end up as the last."""
    state, out = [1, 1, 0.0], []
    for k, s, p, d in layers:
        state[0] += (k - 1) * d * state[1]
        state[2] += ((k - 1) * d / 2 - p) * state[1]
        state[1] *= s
        out.append(state)
    return out


def by_ends(layers):
    """Right: the two ends of unit 0's field and of unit 1's, each followed on its own."""
    out = []
    for depth in range(1, len(layers) + 1):
        ends = []
        for unit in (0, 1):
            lo = hi = unit
            for k, s, p, d in reversed(layers[:depth]):
                lo, hi = lo * s - p, hi * s - p + (k - 1) * d
            ends.append((lo, hi))
        (lo, hi), (next_lo, _) = ends
        out.append((hi - lo + 1, next_lo - lo, (lo + hi) / 2))
    return out


def with_fractions(layers):
    """Right: exact fractions, closed sums in place of a running state."""
    out = []
    for n in range(1, len(layers) + 1):
        jumps = [math.prod(s for _, s, _, _ in layers[:i]) for i in range(n + 1)]
        size = 1 + sum((k - 1) * d * j for (k, _, _, d), j in zip(layers[:n], jumps, strict=False))
        start = sum(
            (
                (Fraction((k - 1) * d, 2) - p) * j
                for (k, _, p, d), j in zip(layers[:n], jumps, strict=False)
            ),
            Fraction(0),
        )
        out.append([size, jumps[n], start])
    return out


# ---- 02.through -----------------------------------------------------------------------------


def right_back(layer, lo, hi):
    kind, k, s, p, d = layer
    if kind == "conv":
        return lo * s - p, hi * s - p + (k - 1) * d
    return -(-(lo + p - k + 1) // s), (hi + p) // s


def conv_as(change):
    """A look_back whose convolution is `change`."""

    def look_back(layer, lo, hi):
        kind, k, s, p, d = layer
        return change(lo, hi, k, s, p, d) if kind == "conv" else right_back(layer, lo, hi)

    return look_back


def transposed_as(change):
    def look_back(layer, lo, hi):
        kind, k, s, p, _ = layer
        return change(lo, hi, k, s, p) if kind != "conv" else right_back(layer, lo, hi)

    return look_back


def one_formula(layer, lo, hi):
    _, k, s, p, d = layer
    return lo * s - p, hi * s - p + (k - 1) * d


def cut_at_zero(layer, lo, hi):
    first, last = right_back(layer, lo, hi)
    return max(first, 0), last


def like_a_range(layer, lo, hi):
    first, last = right_back(layer, lo, hi)
    return first, last + 1


def true_division(layer, lo, hi):
    kind, k, s, p, d = layer
    if kind == "conv":
        return lo * s - p, hi * s - p + (k - 1) * d
    return (lo + p - k + 1) / s, (hi + p) / s


def by_listing(layer, lo, hi):
    """Right: list what every output reads."""
    kind, k, s, p, d = layer
    if kind == "conv":
        read = [o * s - p + t * d for o in range(lo, hi + 1) for t in range(k)]
    else:
        read = [i for i in range(-99, 99) for t in range(k) if lo <= i * s - p + t <= hi]
    return min(read), max(read)


def with_ceil(layer, lo, hi):
    kind, kernel, stride, padding, dilation = layer
    reach = dilation * (kernel - 1)
    if kind == "transposed":
        return math.ceil((lo + padding - reach) / stride), math.floor((hi + padding) / stride)
    first = lo * stride - padding
    return [first, first + (hi - lo) * stride + reach]


# ---- 02.branch ------------------------------------------------------------------------------


def right_extent(net, lo, hi, back):
    for item in reversed(net):
        if isinstance(item, dict):
            (branches,) = item.values()
            spans = [right_extent(branch, lo, hi, back) for branch in branches]
            lo, hi = min(a for a, _ in spans), max(b for _, b in spans)
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi


def in_a_row(net, lo, hi, back):
    for item in reversed(net):
        if isinstance(item, dict):
            for branch in reversed(next(iter(item.values()))):
                lo, hi = in_a_row(branch, lo, hi, back)
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi


def overwrites(net, lo, hi, back):
    for item in reversed(net):
        if isinstance(item, dict):
            for branches in item.values():
                for branch in branches:
                    found = overwrites(branch, lo, hi, back)
            lo, hi = found
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi


def first_branch(net, lo, hi, back):
    for item in reversed(net):
        if isinstance(item, dict):
            (branches,) = item.values()
            lo, hi = first_branch(branches[0], lo, hi, back)
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi


def widest(net, lo, hi, back):
    for item in reversed(net):
        if isinstance(item, dict):
            (branches,) = item.values()
            spans = [widest(branch, lo, hi, back) for branch in branches]
            lo, hi = max(spans, key=lambda s: s[1] - s[0])
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi


def skips_shortcuts(net, lo, hi, back):
    for item in reversed(net):
        if isinstance(item, dict):
            (branches,) = item.values()
            spans = [skips_shortcuts(branch, lo, hi, back) for branch in branches if branch]
            spans = spans or [(lo, hi)]
            lo, hi = min(a for a, _ in spans), max(b for _, b in spans)
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi


def common_part(net, lo, hi, back):
    for item in reversed(net):
        if isinstance(item, dict):
            (branches,) = item.values()
            spans = [common_part(branch, lo, hi, back) for branch in branches]
            lo, hi = max(a for a, _ in spans), min(b for _, b in spans)
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi


def front_to_back(net, lo, hi, back):
    for item in net:
        if isinstance(item, dict):
            (branches,) = item.values()
            spans = [front_to_back(branch, lo, hi, back) for branch in branches]
            lo, hi = min(a for a, _ in spans), max(b for _, b in spans)
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi


def from_the_end(net, lo, hi, back):
    first, last = lo, hi
    for item in reversed(net):
        if isinstance(item, dict):
            (branches,) = item.values()
            spans = [from_the_end(branch, first, last, back) for branch in branches]
            lo, hi = min(a for a, _ in spans), max(b for _, b in spans)
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi


def only_add(net, lo, hi, back):
    for item in reversed(net):
        if isinstance(item, dict):
            spans = [only_add(branch, lo, hi, back) for branch in item["add"]]
            lo, hi = min(a for a, _ in spans), max(b for _, b in spans)
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi


def joined(join):
    """An extent that joins the branches' intervals in its own way."""

    def extent(net, lo, hi, back):
        for item in reversed(net):
            if isinstance(item, dict):
                (branches,) = item.values()
                lo, hi = join([extent(branch, lo, hi, back) for branch in branches])
            else:
                lo, hi = back(item, lo, hi)
        return lo, hi

    return extent


def one_into_the_next(net, lo, hi, back):
    for item in reversed(net):
        if isinstance(item, dict):
            for branch in next(iter(item.values())):
                lo, hi = one_into_the_next(branch, lo, hi, back)
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi


def no_recursion(net, lo, hi, back):
    for item in reversed(net):
        if isinstance(item, dict):
            spans = []
            for branch in next(iter(item.values())):
                span = lo, hi
                for layer in reversed(branch):
                    span = back(layer, *span)
                spans.append(span)
            lo, hi = min(a for a, _ in spans), max(b for _, b in spans)
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi


def branch_as_a_layer(net, lo, hi, back):
    for item in reversed(net):
        if isinstance(item, dict):
            spans = [back(branch, lo, hi) for branch in next(iter(item.values()))]
            lo, hi = min(a for a, _ in spans), max(b for _, b in spans)
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi


def pops_the_net(net, lo, hi, back):
    while net:
        item = net.pop()
        if isinstance(item, dict):
            (branches,) = item.values()
            spans = [pops_the_net(branch, lo, hi, back) for branch in branches]
            lo, hi = min(a for a, _ in spans), max(b for _, b in spans)
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi


def by_recursion(net, lo, hi, back):
    """Right: the tail of the list first, no loop over layers."""
    if not net:
        return lo, hi
    *rest, item = net
    if isinstance(item, tuple):
        return by_recursion(rest, *back(item, lo, hi), back)
    ends = [by_recursion([*rest, *branch], lo, hi, back) for branch in next(iter(item.values()))]
    firsts, lasts = zip(*ends, strict=True)
    return min(firsts), max(lasts)


def end_by_end(net, lo, hi, back):
    """Right: every output on its own, then the extremes."""
    ends = set()
    for unit in range(lo, hi + 1):
        spans = {(unit, unit)}
        for item in net[::-1]:
            if isinstance(item, dict):
                nets = [branch for branches in item.values() for branch in branches]
                spans = {right_extent(branch, *span, back) for span in spans for branch in nets}
            else:
                spans = {tuple(back(item, *span)) for span in spans}
        ends |= spans
    return min(ends)[0], max(b for _, b in ends)


# ---- 02.probe -------------------------------------------------------------------------------


def nan_probe(net, shape, unit, channels=slice(None), look=None, value=float("nan")):
    look = look or (lambda out: out[:, :, unit[0], unit[1]])
    c, h, w = shape
    box = []
    for rows, length in ((True, h), (False, w)):
        images = torch.zeros(length, c, h, w, dtype=torch.float64)
        for i in range(length):
            if rows:
                images[i, channels, i, :] = value
            else:
                images[i, channels, :, i] = value
        with torch.no_grad():
            hit = look(net(images)).isnan().flatten(1).any(1).nonzero().flatten().tolist()
        box.append((hit[0], hit[-1]))
    return tuple(box)


def gradient_of_noise(net, shape, unit):
    x = torch.randn(1, *shape, dtype=torch.float64, requires_grad=True)
    net(x)[0, :, unit[0], unit[1]].sum().backward()
    hit = x.grad[0].abs().sum(0) > 0
    rows, columns = hit.any(1).nonzero().flatten(), hit.any(0).nonzero().flatten()
    return (int(rows[0]), int(rows[-1])), (int(columns[0]), int(columns[-1]))


def small_change(net, shape, unit):
    _, h, w = shape
    x = torch.randn(1, *shape, dtype=torch.float64)
    with torch.no_grad():
        before = net(x)[0, :, unit[0], unit[1]]
        rows, columns = [], []
        for r in range(h):
            y = x.clone()
            y[..., r, :] += 0.1
            if not torch.equal(net(y)[0, :, unit[0], unit[1]], before):
                rows.append(r)
        for c in range(w):
            y = x.clone()
            y[..., c] += 0.1
            if not torch.equal(net(y)[0, :, unit[0], unit[1]], before):
                columns.append(c)
    if not rows:
        return (0, -1), (0, -1)
    return (rows[0], rows[-1]), (columns[0], columns[-1])


def columns_first(net, shape, unit):
    rows, columns = nan_probe(net, shape, unit)
    return columns, rows


def unit_xy(net, shape, unit):
    return nan_probe(net, shape, unit, look=lambda out: out[:, :, unit[1], unit[0]])


def only_red(net, shape, unit):
    return nan_probe(net, shape, unit, channels=0)


def only_first_map(net, shape, unit):
    return nan_probe(net, shape, unit, look=lambda out: out[:, :1, unit[0], unit[1]])


def nan_anywhere(net, shape, unit):
    return nan_probe(net, shape, unit, look=lambda out: out)


def forward_reach(net, shape, unit):
    x = torch.zeros(1, *shape, dtype=torch.float64)
    x[:, :, unit[0], unit[1]] = torch.nan
    hit = net(x)[0].isnan().any(0)
    rows, columns = hit.any(1).nonzero().flatten(), hit.any(0).nonzero().flatten()
    return (int(rows[0]), int(rows[-1])), (int(columns[0]), int(columns[-1]))


def height_and_width(net, shape, unit):
    (top, bottom), (left, right) = nan_probe(net, shape, unit)
    return bottom - top + 1, right - left + 1


def like_slices(net, shape, unit):
    (top, bottom), (left, right) = nan_probe(net, shape, unit)
    return (top, bottom + 1), (left, right + 1)


def tensor_of_rows(net, shape, unit):
    (top, bottom), (left, right) = nan_probe(net, shape, unit)
    return torch.tensor([[top, bottom], [left, right]])


def infinity(arrived):
    """A probe that poisons with infinity."""

    def probe(net, shape, unit):
        def look(out):
            hit = arrived(out[:, :, unit[0], unit[1]])
            return torch.where(hit, torch.nan, 0.0)

        return nan_probe(net, shape, unit, look=look, value=float("inf"))

    return probe


def every_channel(net, shape, unit):
    def look(out):
        hit = out[:, :, unit[0], unit[1]].isnan().all(1)
        return torch.where(hit, torch.nan, 0.0)[:, None]

    return nan_probe(net, shape, unit, look=look)


def equal_to_nan(net, shape, unit):
    def look(out):
        hit = out[:, :, unit[0], unit[1]] == float("nan")
        return torch.where(hit, torch.nan, 0.0)

    return nan_probe(net, shape, unit, look=look)


def one_picture_for_all(net, shape, unit, clean=False):
    c, h, w = shape
    image = torch.zeros(1, c, h, w, dtype=torch.float64)
    box = []
    for rows, length in ((True, h), (False, w)):
        hits = []
        if clean:
            image[:] = 0
        for i in range(length):
            if rows:
                image[:, :, i, :] = torch.nan
            else:
                image[:, :, :, i] = torch.nan
            with torch.no_grad():
                if net(image)[0, :, unit[0], unit[1]].isnan().any():
                    hits.append(i)
        box.append((hits[0], hits[-1]))
    return tuple(box)


def one_picture_an_axis(net, shape, unit):
    return one_picture_for_all(net, shape, unit, clean=True)


def in_single_precision(net, shape, unit):
    x = torch.zeros(1, *shape)
    return net(x)


def pixel_by_pixel(net, shape, unit):
    """Right: one NaN at a time, many runs."""
    c, h, w = shape
    hit = []
    for i in range(h * w):
        x = torch.zeros(1, c, h * w, dtype=torch.float64)
        x[0, :, i] = torch.nan
        with torch.no_grad():
            if net(x.view(1, c, h, w))[0, :, unit[0], unit[1]].isnan().any():
                hit.append(divmod(i, w))
    rows, columns = zip(*hit, strict=True)
    return (min(rows), max(rows)), (min(columns), max(columns))


def by_bisection(net, shape, unit):
    """Right: NaN half planes, growing from each side."""
    c, h, w = shape

    def hit(rows=slice(None), columns=slice(None)):
        x = torch.ones(1, c, h, w, dtype=torch.float64)
        x[:, :, rows, columns] = torch.nan
        return bool(net(x)[0, :, unit[0], unit[1]].isnan().any())

    top = next(i for i in range(h) if hit(rows=slice(0, i + 1)))
    bottom = next(i for i in reversed(range(h)) if hit(rows=slice(i, h)))
    left = next(i for i in range(w) if hit(columns=slice(0, i + 1)))
    right = next(i for i in reversed(range(w)) if hit(columns=slice(i, w)))
    return [top, bottom], [left, right]


# ---- 02.effective ---------------------------------------------------------------------------


def gradients(net, images, unit, read=None):
    read = read or (lambda out: out[:, :, unit[0], unit[1]].sum())
    x = images.detach().clone().requires_grad_()
    (g,) = torch.autograd.grad(read(net(x)), x)
    return g


def mean_first(net, images, unit):
    heat = (gradients(net, images, unit).mean(0) ** 2).sum(0)
    return heat / heat.sum()


def colours_first(net, images, unit):
    heat = (gradients(net, images, unit).sum(1) ** 2).mean(0)
    return heat / heat.sum()


def absolute(net, images, unit):
    heat = gradients(net, images, unit).abs().sum(1).mean(0)
    return heat / heat.sum()


def with_sign(net, images, unit):
    heat = gradients(net, images, unit).sum((0, 1))
    return heat / heat.sum()


def unscaled(net, images, unit):
    return gradients(net, images, unit).pow(2).sum(1).mean(0)


def peak_is_one(net, images, unit):
    heat = gradients(net, images, unit).pow(2).sum((0, 1))
    return heat / heat.max()


def everything(net, images, unit):
    heat = gradients(net, images, unit, lambda out: out.sum()).pow(2).sum((0, 1))
    return heat / heat.sum()


def unit_as_xy(net, images, unit):
    heat = gradients(net, images, unit[::-1]).pow(2).sum((0, 1))
    return heat / heat.sum()


def first_channel(net, images, unit):
    g = gradients(net, images, unit, lambda out: out[:, 0, unit[0], unit[1]].sum())
    heat = g.pow(2).sum((0, 1))
    return heat / heat.sum()


def first_picture(net, images, unit):
    heat = gradients(net, images[:1], unit).pow(2).sum((0, 1))
    return heat / heat.sum()


def colours_kept(net, images, unit):
    heat = gradients(net, images, unit).pow(2).mean(0)
    return heat / heat.sum()


def without_grad(net, images, unit):
    heat = torch.autograd.grad(net(images)[:, :, unit[0], unit[1]].sum(), images)[0] ** 2
    return heat.sum((0, 1)) / heat.sum()


def never_asked(net, images, unit):
    net(images)[:, :, unit[0], unit[1]].sum().backward()
    heat = (images.grad**2).sum((0, 1))
    return heat / heat.sum()


def switches_on(net, images, unit):
    images.requires_grad_(True)
    net(images)[:, :, unit[0], unit[1]].sum().backward()
    heat = (images.grad**2).sum(1).mean(0)
    return heat / heat.sum()


def square_last(net, images, unit):
    heat = gradients(net, images, unit).sum(1).mean(0) ** 2
    return heat / heat.sum()


def each_scaled(net, images, unit):
    heat = gradients(net, images, unit).pow(2).sum(1)
    return (heat / heat.sum((1, 2), keepdim=True)).mean(0)


def marks_the_input(net, images, unit):
    heat = unscaled(net, images, unit)
    images[:] = 0
    return heat / heat.sum()


def picture_by_picture(net, images, unit):
    """Right: one backward pass a picture."""
    heat = 0
    for image in images:
        x = image[None].clone().requires_grad_()
        net(x)[0, :, unit[0], unit[1]].sum().backward()
        heat = heat + (x.grad**2).sum((0, 1))
    return heat / heat.sum()


def whole_jacobian(net, images, unit):
    """Right: torch's own Jacobian, and einsum for the sums."""

    def read(image):
        return net(image[None])[0, :, unit[0], unit[1]].sum()

    jacobian = torch.stack([torch.autograd.functional.jacobian(read, image) for image in images])
    heat = torch.einsum("nchw,nchw->hw", jacobian, jacobian)
    return (heat / heat.sum()).detach()


WRONG = {
    "02.chain": [
        ("stride-too-early", stride_first),
        ("stride-too-early-in-size", stride_first_in_size),
        ("start-too-late", start_last),
        ("jump-added", strides_added),
        ("jump-forgotten", no_jump),
        ("jump-forgotten-in-size", no_jump_in_size),
        ("whole-kernel", whole_kernel),
        ("dilation-forgotten", no_dilation),
        ("kernel-times-dilation", kernel_times_dilation),
        ("padding-in-size", padding_takes_away),
        ("padding-forgotten", no_padding),
        ("start-without-jump", start_in_units),
        ("from-the-top", from_the_top),
        ("only-the-last", last_only),
        ("half-a-pixel", distill_half),
        ("mutates-input", changes_the_list),
        ("one-row-for-all", same_list_each_time),
        ("jump-replaced", chain_as(jump=lambda j, s: s)),
        ("size-from-zero", lambda layers: [(r - 1, j, c) for r, j, c in right_chain(layers)]),
        ("start-rounded", chain_as(start=lambda c, j, k, s, p, d: c + ((k - 1) * d // 2 - p) * j)),
        ("start-wrong", chain_as(start=lambda c, j, k, s, p, d: c + (k * d / 2 - p) * j)),
        (
            "start-without-dilation",
            chain_as(start=lambda c, j, k, s, p, d: c + ((k - 1) / 2 - p) * j),
        ),
        (
            "start-padding-added",
            chain_as(start=lambda c, j, k, s, p, d: c + ((k - 1) * d / 2 + p) * j),
        ),
        (
            "order-of-the-four",
            lambda layers: right_chain([(k, s, d, p) for k, s, p, d in layers]),
        ),
        (
            "whole-kernel",
            chain_as(
                size=lambda r, j, k, s, p, d: r + k * d * j,
                start=lambda c, j, k, s, p, d: c + k * j,
            ),
        ),
        ("size-wrong", chain_as(size=lambda r, j, k, s, p, d: r + k)),
        ("jump-wrong", chain_as(jump=lambda j, s: j * s + 1)),
    ],
    "02.through": [
        ("window-forgotten", conv_as(lambda lo, hi, k, s, p, d: (lo * s - p, hi * s - p))),
        ("whole-kernel", conv_as(lambda lo, hi, k, s, p, d: (lo * s - p, hi * s - p + k * d))),
        (
            "dilation-forgotten",
            conv_as(lambda lo, hi, k, s, p, d: (lo * s - p, hi * s - p + k - 1)),
        ),
        (
            "padding-added",
            conv_as(lambda lo, hi, k, s, p, d: (lo * s + p, hi * s + p + d * (k - 1))),
        ),
        (
            "only-the-first",
            conv_as(lambda lo, hi, k, s, p, d: (lo * s - p, lo * s - p + d * (k - 1))),
        ),
        (
            "the-wrong-way",
            conv_as(lambda lo, hi, k, s, p, d: ((lo + p - d * (k - 1)) // s, (hi + p) // s)),
        ),
        ("clipped", cut_at_zero),
        ("end-excluded", like_a_range),
        ("transposed-like-conv", one_formula),
        (
            "rounded-down",
            transposed_as(lambda lo, hi, k, s, p: ((lo + p - k + 1) // s, (hi + p) // s)),
        ),
        ("kernel-forgotten", transposed_as(lambda lo, hi, k, s, p: ((lo + p) // s, (hi + p) // s))),
        (
            "transposed-padding-forgotten",
            transposed_as(lambda lo, hi, k, s, p: (-(-(lo - k + 1) // s), hi // s)),
        ),
        ("not-whole", true_division),
        ("whole-kernel", conv_as(lambda lo, hi, k, s, p, d: (lo * s - p, hi * s - p + k))),
        ("padding-for-the-window", conv_as(lambda lo, hi, k, s, p, d: (lo * s - p, hi * s + p))),
        ("only-the-first", lambda layer, lo, hi: right_back(layer, lo, lo)),
        (
            "only-the-first",
            transposed_as(lambda lo, hi, k, s, p: (-((k - 1 - lo - p) // s), (lo + p) // s)),
        ),
        (
            "one-too-early",
            transposed_as(lambda lo, hi, k, s, p: (math.ceil((lo + p - k) / s), (hi + p) // s)),
        ),
        (
            "towards-zero",
            transposed_as(
                lambda lo, hi, k, s, p: (math.ceil((lo + p - k + 1) / s), int((hi + p) / s))
            ),
        ),
        (
            "towards-zero",
            transposed_as(lambda lo, hi, k, s, p: (int((lo + p - k + 1) / s), int((hi + p) / s))),
        ),
        (
            "rounded-to-nearest",
            transposed_as(
                lambda lo, hi, k, s, p: (round((lo + p - k + 1) / s), round((hi + p) / s))
            ),
        ),
        (
            "transposed-padding-subtracted",
            transposed_as(lambda lo, hi, k, s, p: ((lo - p) // s, (hi - p) // s)),
        ),
        (
            "transposed-padding-subtracted",
            transposed_as(lambda lo, hi, k, s, p: (-((k - 1 + p - lo) // s), (hi - p) // s)),
        ),
    ],
    "02.branch": [
        ("branches-in-a-row", in_a_row),
        ("last-branch", overwrites),
        ("first-branch", first_branch),
        ("widest-branch", widest),
        ("shortcut-forgotten", skips_shortcuts),
        ("overlap", common_part),
        ("front-to-back", front_to_back),
        ("branch-from-the-end", from_the_end),
        ("one-key-only", only_add),
        ("branches-in-a-row", one_into_the_next),
        ("intervals-added", joined(lambda s: (sum(a for a, _ in s), sum(b for _, b in s)))),
        ("largest-pair", joined(lambda s: (min(s)[0], max(s)[1]))),
        ("dictionary-to-back", no_recursion),
        ("branch-to-back", branch_as_a_layer),
        ("mutates-input", pops_the_net),
    ],
    "02.probe": [
        ("fooled-by-values", gradient_of_noise),
        ("fooled-by-values", small_change),
        ("rows-and-columns-swapped", columns_first),
        ("unit-swapped", unit_xy),
        ("one-channel-poisoned", only_red),
        ("one-channel-read", only_first_map),
        ("anywhere-in-the-map", nan_anywhere),
        ("the-other-question", forward_reach),
        ("size-not-place", height_and_width),
        ("end-excluded", like_slices),
        ("mask-not-box", tensor_of_rows),
        ("single-precision", in_single_precision),
        ("infinity-not-nan", infinity(lambda out: ~out.isfinite())),
        ("infinity-not-nan", infinity(torch.isinf)),
        ("all-channels", every_channel),
        ("no-row-found", equal_to_nan),
        ("never-cleaned", one_picture_for_all),
        ("never-cleaned", one_picture_an_axis),
    ],
    "02.effective": [
        ("mean-before-square", mean_first),
        ("channels-before-square", colours_first),
        ("not-squared", absolute),
        ("signed", with_sign),
        ("not-scaled", unscaled),
        ("scaled-by-the-largest", peak_is_one),
        ("whole-map", everything),
        ("unit-swapped", unit_as_xy),
        ("one-channel-read", first_channel),
        ("first-picture", first_picture),
        ("wrong-shape", colours_kept),
        ("no-gradient-asked", without_grad),
        ("no-gradient-asked", never_asked),
        ("gradients-on-the-callers-pictures", switches_on),
        ("all-before-square", square_last),
        ("each-picture-scaled", each_scaled),
        ("mutates-input", marks_the_input),
    ],
}

RIGHT = {
    "02.chain": [right_chain, by_ends, with_fractions],
    "02.through": [right_back, by_listing, with_ceil],
    "02.branch": [right_extent, by_recursion, end_by_end],
    "02.probe": [nan_probe, pixel_by_pixel, by_bisection],
    "02.effective": [picture_by_picture, whole_jacobian],
}
