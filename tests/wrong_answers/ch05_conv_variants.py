"""Chapter 05: answers that learners give, wrong with their diagnosis and right in other ways."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

# ---- 05.dense -------------------------------------------------------------------------------


def spread(weight, dilation):
    out, per, kh, kw = weight.shape
    dense = weight.new_zeros(out, per, (kh - 1) * dilation + 1, (kw - 1) * dilation + 1)
    dense[:, :, ::dilation, ::dilation] = weight
    return dense


def blocks(weight, groups):
    out, per, kh, kw = weight.shape
    dense = weight.new_zeros(out, per * groups, kh, kw)
    for g in range(groups):
        rows = slice(g * out // groups, (g + 1) * out // groups)
        dense[rows, g * per : (g + 1) * per] = weight[rows]
    return dense


def both(weight, groups, dilation):
    return blocks(spread(weight, dilation), groups)


def repeated_over_inputs(weight, groups, dilation):
    return spread(weight, dilation).repeat(1, groups, 1, 1)


def no_groups(weight, groups, dilation):
    return spread(weight, dilation)


def first_columns(weight, groups, dilation):
    weight = spread(weight, dilation)
    out, per, kh, kw = weight.shape
    dense = weight.new_zeros(out, per * groups, kh, kw)
    dense[:, :per] = weight
    return dense


def like_cards(weight, groups, dilation):
    weight = spread(weight, dilation)
    out, per, kh, kw = weight.shape
    dense = weight.new_zeros(out, per * groups, kh, kw)
    for o in range(out):
        g = o % groups
        dense[o, g * per : (g + 1) * per] = weight[o]
    return dense


def inputs_like_cards(weight, groups, dilation):
    weight = spread(weight, dilation)
    out, per, kh, kw = weight.shape
    dense = weight.new_zeros(out, per * groups, kh, kw)
    for o in range(out):
        for i in range(per):
            dense[o, i * groups + o // (out // groups)] = weight[o, i]
    return dense


def square_blocks(weight, groups, dilation):
    weight = spread(weight, dilation)
    out, per, kh, kw = weight.shape
    dense = weight.new_zeros(out, per * groups, kh, kw)
    for g in range(groups):
        part = slice(g * per, (g + 1) * per)
        dense[part, part] = weight[part]
    return dense


def no_dilation(weight, groups, dilation):
    return blocks(weight, groups)


def k_times_d(weight, groups, dilation):
    out, per, kh, kw = weight.shape
    wide = weight.new_zeros(out, per, kh * dilation, kw * dilation)
    wide[:, :, ::dilation, ::dilation] = weight
    return blocks(wide, groups)


def one_gap_more(weight, groups, dilation):
    return blocks(spread(weight, dilation + 1), groups)


def rows_only(weight, groups, dilation):
    out, per, kh, kw = weight.shape
    tall = weight.new_zeros(out, per, (kh - 1) * dilation + 1, kw)
    tall[:, :, ::dilation] = weight
    return blocks(tall, groups)


def columns_only(weight, groups, dilation):
    out, per, kh, kw = weight.shape
    wide = weight.new_zeros(out, per, kh, (kw - 1) * dilation + 1)
    wide[..., ::dilation] = weight
    return blocks(wide, groups)


def stretched(weight, groups, dilation):
    return blocks(weight.repeat_interleave(dilation, 2).repeat_interleave(dilation, 3), groups)


def float32_room(weight, groups, dilation):
    return both(weight.float(), groups, dilation)


def printed(weight, groups, dilation):
    print(both(weight, groups, dilation))


def untouched(weight, groups, dilation):
    raise NotImplementedError()


def wrong_rows(weight, groups, dilation):
    weight = spread(weight, dilation)
    out, per, kh, kw = weight.shape
    dense = weight.new_zeros(out, per * groups, kh, kw)
    for g in range(groups):
        dense[g * out // groups : (g + 1) * out // groups, g * per : (g + 1) * per] = weight
    return dense


def weight_flipped(weight, groups, dilation):
    return both(weight.flip(2, 3), groups, dilation)


def weight_emptied(weight, groups, dilation):
    dense = both(weight, groups, dilation)
    weight.zero_()
    return dense


def by_loops(weight, groups, dilation):
    """Right: five loops, one number at a time."""
    out, per, kh, kw = weight.shape
    dense = torch.zeros(
        out, per * groups, dilation * (kh - 1) + 1, dilation * (kw - 1) + 1, dtype=weight.dtype
    )
    for o in range(out):
        g = o * groups // out
        for i in range(per):
            for a in range(kh):
                for b in range(kw):
                    dense[o, g * per + i, a * dilation, b * dilation] = weight[o, i, a, b]
    return dense


def by_block_diag(weight, groups, dilation):
    """Right: torch.block_diag at each tap, and a Kronecker product for the gaps."""
    gap = torch.zeros(dilation, dilation, dtype=weight.dtype)
    gap[0, 0] = 1
    kernels = torch.kron(weight, gap[None, None])
    kernels = kernels[..., : kernels.shape[2] - dilation + 1, : kernels.shape[3] - dilation + 1]
    rows = []
    for i in range(kernels.shape[2]):
        row = [
            torch.block_diag(*kernels[:, :, i, j].chunk(groups)) for j in range(kernels.shape[3])
        ]
        rows.append(torch.stack(row, -1))
    return torch.stack(rows, 2)


def by_numpy_arrays(weight, groups, dilation):
    """Right: NumPy throughout, output by output."""
    array = weight.numpy()
    out, per, kh, kw = array.shape
    dense = np.zeros((out, per * groups, (kh - 1) * dilation + 1, (kw - 1) * dilation + 1))
    for o in range(out):
        start = o // (out // groups) * per
        dense[o, start : start + per, ::dilation, ::dilation] = array[o]
    return torch.from_numpy(dense).to(weight.dtype)


def by_mask(weight, groups, dilation):
    """Right: repeat over all inputs, then a mask."""
    dense = spread(weight, dilation).repeat(1, groups, 1, 1)
    group_of_output = torch.arange(len(weight)) // (len(weight) // groups)
    group_of_input = torch.arange(dense.shape[1]) // weight.shape[1]
    mask = group_of_output[:, None] == group_of_input[None]
    return dense * mask[:, :, None, None]


# ---- 05.separable ---------------------------------------------------------------------------


class Right(nn.Module):
    """Right, with every part open to a change."""

    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1):
        super().__init__()
        self.depthwise = self.first(in_channels, out_channels, kernel_size, stride)
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.pointwise = self.second(in_channels, out_channels, kernel_size, stride)
        self.norm2 = nn.BatchNorm2d(out_channels)

    def first(self, c, n, k, s):
        return nn.Conv2d(c, c, k, s, k // 2, groups=c, bias=False)

    def second(self, c, n, k, s):
        return nn.Conv2d(c, n, 1, bias=False)

    def forward(self, x):
        x = F.relu(self.norm1(self.depthwise(x)))
        return F.relu(self.norm2(self.pointwise(x)))


class DenseFirst(Right):
    def first(self, c, n, k, s):
        return nn.Conv2d(c, c, k, s, k // 2, bias=False)


class FirstToN(Right):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1):
        super().__init__(in_channels, out_channels, kernel_size, stride)
        self.depthwise = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=in_channels,
            bias=False,
        )  # fmt: skip


class GroupsOfN(Right):
    def first(self, c, n, k, s):
        return nn.Conv2d(n, n, k, s, k // 2, groups=n, bias=False)


class PointwiseFirst(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1):
        super().__init__()
        n = out_channels
        self.pointwise = nn.Conv2d(in_channels, n, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(n)
        self.depthwise = nn.Conv2d(
            n, n, kernel_size, stride, kernel_size // 2, groups=n, bias=False
        )
        self.norm2 = nn.BatchNorm2d(n)

    def forward(self, x):
        x = F.relu(self.norm1(self.pointwise(x)))
        return F.relu(self.norm2(self.depthwise(x)))


class SecondLarge(Right):
    def second(self, c, n, k, s):
        return nn.Conv2d(c, n, k, padding=k // 2, bias=False)


class SecondGrouped(Right):
    def second(self, c, n, k, s):
        return nn.Conv2d(c, n, 1, groups=c, bias=False)


class NormSizes(Right):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1):
        super().__init__(in_channels, out_channels, kernel_size, stride)
        self.norm1 = nn.BatchNorm2d(out_channels)


class NoFirstRelu(Right):
    def forward(self, x):
        return F.relu(self.norm2(self.pointwise(self.norm1(self.depthwise(x)))))


class NoLastRelu(Right):
    def forward(self, x):
        return self.norm2(self.pointwise(F.relu(self.norm1(self.depthwise(x)))))


class NoRelus(Right):
    def forward(self, x):
        return self.norm2(self.pointwise(self.norm1(self.depthwise(x))))


class NoNorms(Right):
    def forward(self, x):
        return F.relu(self.pointwise(F.relu(self.depthwise(x))))


class ReluFirst(Right):
    def forward(self, x):
        x = self.norm1(F.relu(self.depthwise(x)))
        return self.norm2(F.relu(self.pointwise(x)))


class Relu6(Right):
    def forward(self, x):
        return F.relu6(self.norm2(self.pointwise(F.relu6(self.norm1(self.depthwise(x))))))


class ReluOfX(Right):
    def forward(self, x):
        return nn.ReLU(self.norm2(self.pointwise(F.relu(self.norm1(self.depthwise(x))))))


class ReluOfXBetween(Right):
    def forward(self, x):
        return F.relu(self.norm2(self.pointwise(nn.ReLU(self.norm1(self.depthwise(x))))))


class NoPadding(Right):
    def first(self, c, n, k, s):
        return nn.Conv2d(c, c, k, s, groups=c, bias=False)


class PaddingOne(Right):
    def first(self, c, n, k, s):
        return nn.Conv2d(c, c, k, s, 1, groups=c, bias=False)


class NoStride(Right):
    def first(self, c, n, k, s):
        return nn.Conv2d(c, c, k, padding=k // 2, groups=c, bias=False)


class StrideTwice(Right):
    def second(self, c, n, k, s):
        return nn.Conv2d(c, n, 1, s, bias=False)


class StrideInSecond(NoStride):
    def second(self, c, n, k, s):
        return nn.Conv2d(c, n, 1, s, bias=False)


class WithBias(Right):
    def first(self, c, n, k, s):
        return nn.Conv2d(c, c, k, s, k // 2, groups=c)

    def second(self, c, n, k, s):
        return nn.Conv2d(c, n, 1)


class OneBias(Right):
    def second(self, c, n, k, s):
        return nn.Conv2d(c, n, 1)


class NormsWithoutWeights(Right):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1):
        super().__init__(in_channels, out_channels, kernel_size, stride)
        self.norm1 = nn.BatchNorm2d(in_channels, affine=False)


class OtherNames(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1):
        super().__init__()
        self.dw = nn.Conv2d(in_channels, in_channels, kernel_size, groups=in_channels)

    def forward(self, x):
        return self.dw(x)


class ForwardMissing(Right):
    def forward(self, x):
        self.norm1(self.depthwise(x))


class Detached(Right):
    def forward(self, x):
        return F.relu(self.norm2(self.pointwise(super().forward(x).new_tensor(0) + self.begin(x))))

    def begin(self, x):
        return F.relu(self.norm1(self.depthwise(x))).detach()


class Residual(Right):
    def forward(self, x):
        y = super().forward(x)
        return y + x if y.shape == x.shape else y


class ResidualBeforeRelu(Right):
    def forward(self, x):
        y = self.norm2(self.pointwise(F.relu(self.norm1(self.depthwise(x)))))
        return F.relu(y + x if y.shape == x.shape else y)


class NoNorm1(Right):
    def forward(self, x):
        return F.relu(self.norm2(self.pointwise(F.relu(self.depthwise(x)))))


class NoNorm2(Right):
    def forward(self, x):
        return F.relu(self.pointwise(F.relu(self.norm1(self.depthwise(x)))))


class NormsSwapped(Right):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1):
        super().__init__(in_channels, out_channels, kernel_size, stride)
        self.norm1, self.norm2 = self.norm2, self.norm1

    def forward(self, x):
        x = F.relu(self.norm2(self.depthwise(x)))
        return F.relu(self.norm1(self.pointwise(x)))


class ReluInPlace(Right):
    def forward(self, x):
        return super().forward(x.relu_())


class Gelu(Right):
    def forward(self, x):
        return F.gelu(self.norm2(self.pointwise(F.gelu(self.norm1(self.depthwise(x))))))


class LayerLeftOver(Right):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1):
        super().__init__(in_channels, out_channels, kernel_size, stride)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1)


class Reflected(Right):
    """Wrong in a way that nobody has a name for."""

    def first(self, c, n, k, s):
        pad = k // 2
        return nn.Conv2d(c, c, k, s, pad, groups=c, bias=False, padding_mode="reflect")


class AsSequential(nn.Sequential):
    """Right: named children of a Sequential."""

    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1):
        super().__init__()
        pad = (kernel_size - 1) // 2
        self.add_module("depthwise", nn.Conv2d(in_channels, in_channels, kernel_size, stride,
                                               pad, groups=in_channels, bias=False))  # fmt: skip
        self.add_module("norm1", nn.BatchNorm2d(in_channels))
        self.add_module("relu1", nn.ReLU(inplace=True))
        self.add_module("pointwise", nn.Conv2d(in_channels, out_channels, 1, bias=False))
        self.add_module("norm2", nn.BatchNorm2d(out_channels))
        self.add_module("relu2", nn.ReLU(inplace=True))


class SamePadding(Right):
    """Right: padding="same" where it is allowed, and clamp for ReLU."""

    def first(self, c, n, k, s):
        pad = "same" if s == 1 else (k // 2, k // 2)
        return nn.Conv2d(c, c, (k, k), (s, s), pad, groups=c, bias=False)

    def forward(self, x):
        x = self.norm1(self.depthwise(x)).clamp(min=0)
        return torch.maximum(self.norm2(self.pointwise(x)), torch.zeros(1, dtype=x.dtype))


# ---- 05.macs --------------------------------------------------------------------------------


def costs(c, n, k, h, w, g, **other):
    """Right, with entries open to a change."""
    hw = h * w
    table = {
        "standard": k * k * c * n * hw,
        "grouped": k * k * (c // g) * n * hw,
        "depthwise": k * k * c * hw,
        "pointwise": c * n * hw,
        "separable": (k * k * c + c * n) * hw,
        "factorised": (k * c * n + k * n * n) * hw,
        "deformable": k * k * c * (n + 2 * k * k) * hw,
    }
    return {**table, **other}


def changed(change):
    def macs(c, n, k, h, w, g):
        return costs(c, n, k, h, w, g, **change(c, n, k, h * w, g))

    return macs


def only_weights(c, n, k, h, w, g):
    return costs(c, n, k, 1, 1, g)


def square_map(c, n, k, h, w, g):
    return costs(c, n, k, h, h, g)


def sides_added(c, n, k, h, w, g):
    return {name: v // (h * w) * (h + w) for name, v in costs(c, n, k, h, w, g).items()}


def flops(c, n, k, h, w, g):
    return {name: 2 * v for name, v in costs(c, n, k, h, w, g).items()}


def k_once(c, n, k, h, w, g):
    hw = h * w
    return costs(
        c, n, k, h, w, g, standard=k * c * n * hw, grouped=k * c * n * hw // g,
        depthwise=k * c * hw, separable=(k * c + c * n) * hw,
        deformable=k * c * n * hw + 2 * k * k * k * c * hw,
    )  # fmt: skip


def true_division(c, n, k, h, w, g):
    return costs(c, n, k, h, w, g, grouped=k * k * c * n * h * w / g)


def one_key_less(c, n, k, h, w, g):
    table = costs(c, n, k, h, w, g)
    del table["deformable"]
    return table


def a_list(c, n, k, h, w, g):
    return list(costs(c, n, k, h, w, g).values())


def square_of_the_width(c, n, k, h, w, g):
    return costs(c, n, k, w, w, g)


def channels_swapped(c, n, k, h, w, g):
    return costs(n, c, k, h, w, g)


def with_biases(c, n, k, h, w, g):
    hw = h * w
    more = {"standard": n, "grouped": n, "depthwise": c, "pointwise": n, "separable": c + n,
            "factorised": 2 * n, "deformable": n + 2 * k * k}  # fmt: skip
    return {name: v + more[name] * hw for name, v in costs(c, n, k, h, w, g).items()}


def another_spelling(c, n, k, h, w, g):
    table = costs(c, n, k, h, w, g)
    table["factorized"] = table.pop("factorised")
    return table


def only_the_first(c, n, k, h, w, g):
    return {"standard": k * k * c * n * h * w}


def one_name_more(c, n, k, h, w, g):
    """Right: what nobody asked for does no harm."""
    return costs(c, n, k, h, w, g, total=1)


def with_masks(c, n, k, h, w, g):
    return costs(c, n, k, h, w, g, deformable=k * k * c * (n + 3 * k * k) * h * w)


def two_at_once(c, n, k, h, w, g):
    return costs(c, n, k, h, w, g, grouped=k * k * c * n * h * w, factorised=2 * k * c * n * h * w)


def from_standard(c, n, k, h, w, g):
    """Right: everything as a share of the standard layer, with integers."""
    whole = n * c * k**2 * h * w
    depth, point = whole // n, whole // k**2
    return {
        "pointwise": point,
        "depthwise": depth,
        "separable": point + depth,
        "standard": whole,
        "grouped": whole // g,
        "factorised": whole // k + whole // k // c * n,
        "deformable": whole + whole // n * 2 * k**2,
    }


def by_numpy(c, n, k, h, w, g):
    """Right: NumPy's integers."""
    return {name: np.int64(v) for name, v in costs(c, n, k, h, w, g).items()}


# ---- 05.lowrank -----------------------------------------------------------------------------


def svd_as(make):
    def low_rank(kernel, rank):
        left, values, right = torch.linalg.svd(kernel, full_matrices=False)
        return make(left, values, right, rank)

    return low_rank


def sums(kernel, rank):
    return (
        (kernel.sum(1) / kernel.sum()).repeat(rank, 1) / rank,
        kernel.sum(0).repeat(rank, 1),
    )


def first_rows(kernel, rank):
    """The kernel cut after its first rows: a sum of products, but not the closest."""
    return torch.eye(len(kernel), dtype=kernel.dtype)[:rank], kernel[:rank]


def only_kernel(kernel, rank):
    left, values, right = torch.linalg.svd(kernel, full_matrices=False)
    return (left[:, :rank] * values[:rank]) @ right[:rank]


def in_float32(kernel, rank):
    """Right: vectors written one by one into lists of the usual dtype."""
    left, values, right = torch.linalg.svd(kernel, full_matrices=False)
    columns, rows = torch.zeros(rank, kernel.shape[0]), torch.zeros(rank, kernel.shape[1])
    for i in range(rank):
        columns[i], rows[i] = left[:, i] * values[i], right[i]
    return columns, rows


def in_float32_from_the_start(kernel, rank):
    """Right: everything in float32."""
    left, values, right = torch.linalg.svd(kernel.float(), full_matrices=False)
    return (left[:, :rank] * values[:rank]).T, right[:rank]


def as_numpy_float32(kernel, rank):
    """Right: NumPy arrays of float32."""
    return tuple(part.numpy().astype(np.float32) for part in in_float32(kernel, rank))


def as_lists(kernel, rank):
    """Right: plain lists of numbers."""
    return tuple(part.tolist() for part in in_float32(kernel, rank))


def pairs_not_lists(kernel, rank):
    return list(zip(*in_float32(kernel, rank), strict=True))


def generators(kernel, rank):
    return tuple((vector for vector in part) for part in in_float32(kernel, rank))


def squeezed(kernel, rank):
    return tuple(part.squeeze(0) for part in in_float32(kernel, rank))


def full_svd(kernel, rank):
    """Stops where a kernel is not square, and leaves the kernel as it was."""
    left, values, right = torch.linalg.svd(kernel)
    return (left * values)[:, :rank].T, right[:rank]


def kernel_emptied(kernel, rank):
    answer = in_float32(kernel, rank)
    kernel.zero_()
    return answer


def by_eigenvectors(kernel, rank):
    """Right: eigenvectors of kernelᵀ · kernel, NumPy throughout."""
    array = kernel.numpy()
    _, vectors = np.linalg.eigh(array.T @ array)
    strongest = vectors[:, ::-1][:, :rank].T
    return np.ascontiguousarray(strongest @ array.T), np.ascontiguousarray(strongest)


def by_deflation(kernel, rank):
    """Right: the strongest pair, taken away, and again; by power iteration."""
    rest, columns, rows = kernel.clone(), [], []
    for _ in range(rank):
        gram = rest.T @ rest
        row = gram[:, gram.diagonal().argmax()] + 1e-3
        for _ in range(5000):
            row = gram @ row
            row = row / row.norm().clamp(min=1e-300)
        column = rest @ row
        rest = rest - torch.outer(column, row)
        columns.append(column)
        rows.append(row)
    return columns, tuple(rows)


# ---- 05.deform ------------------------------------------------------------------------------


def places(k, tall, wide, stride, padding):
    taps = torch.arange(k)
    rows = taps[:, None] + torch.arange(tall) * stride - padding
    columns = taps[:, None] + torch.arange(wide) * stride - padding
    y = rows[:, None, :, None].expand(k, k, tall, wide)
    x = columns[None, :, None, :].expand(k, k, tall, wide)
    return y.reshape(-1, tall, wide), x.reshape(-1, tall, wide)


def deform_as(
    halves=lambda offset: (offset[:, 0::2], offset[:, 1::2]),
    sign=1,
    scale=lambda i, size: (2 * i + 1) / size - 1,
    xy=True,
    hw=lambda h, w: (h, w),
    matrix=lambda weight: weight.flatten(1),
    batch=lambda grid: grid,
    **how,
):
    def deform_conv(x, offset, weight, stride, padding):
        n, c, h, w = x.shape
        k, (tall, wide) = weight.shape[-1], offset.shape[2:]
        y, z = places(k, tall, wide, stride, padding)
        down, across = halves(offset)
        high, broad = hw(h, w)
        y, z = scale(y + sign * down, high), scale(z + sign * across, broad)
        grid = batch(torch.stack([z, y] if xy else [y, z], -1).flatten(1, 2))
        how.setdefault("align_corners", False)
        read = F.grid_sample(x, grid, **how).reshape(n, c * k * k, tall * wide)
        return (matrix(weight) @ read).reshape(n, -1, tall, wide)

    return deform_conv


def halved(offset):
    return offset.chunk(2, 1)


def not_moved(x, offset, weight, stride, padding):
    return F.conv2d(x, weight, stride=stride, padding=padding)


def rounded(x, offset, weight, stride, padding):
    return deform_as()(x, offset.round(), weight, stride, padding)


def offset_detached(x, offset, weight, stride, padding):
    return deform_as()(x, offset.detach(), weight, stride, padding)


def detached(x, offset, weight, stride, padding):
    return deform_as()(x, offset, weight, stride, padding).detach()


def by_numpy_loops(x, offset, weight, stride, padding):
    """Its numbers are right, and no gradient comes back."""
    return torch.from_numpy(
        by_hand(x.detach(), offset.detach(), weight.detach(), stride, padding).numpy()
    )


def offset_late(x, offset, weight, stride, padding):
    n, c, h, w = x.shape
    k, (tall, wide) = weight.shape[-1], offset.shape[2:]
    y, z = places(k, tall, wide, stride, padding)
    y, z = (2 * y + 1) / h - 1 + offset[:, 0::2], (2 * z + 1) / w - 1 + offset[:, 1::2]
    read = F.grid_sample(x, torch.stack([z, y], -1).flatten(1, 2), align_corners=False)
    return F.conv2d(read.reshape(n, c * k * k, tall, wide), weight.flatten(1)[..., None, None])


def by_the_output_size(x, offset, weight, stride, padding):
    size = tuple(offset.shape[2:])
    return deform_as(hw=lambda h, w: size)(x, offset, weight, stride, padding)


def no_places(x, offset, weight, stride, padding):
    k, (tall, wide) = weight.shape[-1], offset.shape[2:]
    y, z = places(k, tall, wide, stride, padding)
    back = torch.stack([y, z], 1).flatten(0, 1)
    return deform_as()(x, offset - back, weight, stride, padding)


def started_at(change):
    """The places of another stride or padding, moved there through the offsets."""

    def deform_conv(x, offset, weight, stride, padding):
        k, (tall, wide) = weight.shape[-1], offset.shape[2:]
        right = torch.stack(places(k, tall, wide, stride, padding), 1).flatten(0, 1)
        other = torch.stack(places(k, tall, wide, *change(stride, padding)), 1).flatten(0, 1)
        return deform_as()(x, offset + other - right, weight, stride, padding)

    return deform_conv


def samples_turned(x, offset, weight, stride, padding):
    n, c, h, w = x.shape
    k, (tall, wide) = weight.shape[-1], offset.shape[2:]
    y, z = places(k, tall, wide, stride, padding)
    y, z = (2 * (y + offset[:, 0::2]) + 1) / h - 1, (2 * (z + offset[:, 1::2]) + 1) / w - 1
    read = F.grid_sample(x, torch.stack([z, y], -1).flatten(1, 2), align_corners=False)
    read = read.reshape(n, c, k * k, tall, wide).transpose(1, 2).reshape(n, -1, tall, wide)
    return F.conv2d(read, weight.flatten(1)[..., None, None])


def grid_of_five_axes(x, offset, weight, stride, padding):
    k, (tall, wide) = weight.shape[-1], offset.shape[2:]
    y, z = places(k, tall, wide, stride, padding)
    grid = torch.stack([z + offset[:, 1::2], y + offset[:, 0::2]], -1)
    return F.grid_sample(x, grid, align_corners=False)


def grid_in_float32(x, offset, weight, stride, padding):
    k, (tall, wide) = weight.shape[-1], offset.shape[2:]
    y, z = places(k, tall, wide, stride, padding)
    grid = torch.stack([z + offset[:, 1::2].float(), y + offset[:, 0::2].float()], -1)
    return F.grid_sample(x, grid.flatten(1, 2), align_corners=False)


def by_corners(x, offset, weight, stride, padding):
    """Right: align_corners=True with its own formula; einsum for the product."""
    n, c, h, w = x.shape
    out, _, k, _ = weight.shape
    tall, wide = offset.shape[2:]
    y, z = places(k, tall, wide, stride, padding)
    moves = offset.unflatten(1, (k * k, 2))
    y, z = y + moves[:, :, 0], z + moves[:, :, 1]
    grid = torch.stack([2 * z / (w - 1) - 1, 2 * y / (h - 1) - 1], -1)
    grid = grid.reshape(n, k * k * tall, wide, 2)
    read = F.grid_sample(x, grid, align_corners=True, padding_mode="zeros")
    read = read.reshape(n, c, k * k, tall, wide)
    return torch.einsum("oct,ncthw->nohw", weight.reshape(out, c, k * k), read)


def tap_by_tap(x, offset, weight, stride, padding):
    """Right: one grid_sample for each tap, added up."""
    h, w = x.shape[2:]
    k, (tall, wide) = weight.shape[-1], offset.shape[2:]
    y, z = places(k, tall, wide, stride, padding)
    total = 0
    for t in range(k * k):
        row, column = y[t] + offset[:, 2 * t], z[t] + offset[:, 2 * t + 1]
        grid = torch.stack([(column + 0.5) * 2 / w - 1, (row + 0.5) * 2 / h - 1], dim=-1)
        read = F.grid_sample(x, grid, align_corners=False)
        total = total + torch.einsum("oc,nchw->nohw", weight[:, :, t // k, t % k], read)
    return total


def by_hand(x, offset, weight, stride, padding):
    """Right: no grid_sample at all; four neighbours, each with its share."""
    h, w = x.shape[2:]
    k, (tall, wide) = weight.shape[-1], offset.shape[2:]
    y, z = places(k, tall, wide, stride, padding)
    y, z = y + offset[:, 0::2], z + offset[:, 1::2]
    rows = (1 - (y[..., None] - torch.arange(h)).abs()).clamp(min=0)
    columns = (1 - (z[..., None] - torch.arange(w)).abs()).clamp(min=0)
    read = torch.einsum("ntuvh,ntuvw,nchw->nctuv", rows, columns, x)
    return torch.einsum("oct,nctuv->nouv", weight.flatten(2), read)


WRONG = {
    "05.dense": [
        ("groups-tiled", repeated_over_inputs),
        ("groups-ignored", no_groups),
        ("blocks-in-first-columns", first_columns),
        ("outputs-dealt-out", like_cards),
        ("inputs-dealt-out", inputs_like_cards),
        ("square-blocks", square_blocks),
        ("dilation-ignored", no_dilation),
        ("kernel-too-large", k_times_d),
        ("gap-too-wide", one_gap_more),
        ("one-axis", rows_only),
        ("one-axis", columns_only),
        ("weights-repeated", stretched),
        ("wrong-dtype", float32_room),
        ("weight-overwritten", weight_emptied),
        ("returns-none", printed),
        ("not-implemented", untouched),
        ("raises", wrong_rows),
        (None, weight_flipped),
    ],
    "05.separable": [
        ("groups-forgotten", DenseFirst),
        ("depthwise-changes-channels", FirstToN),
        ("depthwise-changes-channels", GroupsOfN),
        ("pointwise-first", PointwiseFirst),
        ("pointwise-large", SecondLarge),
        ("pointwise-grouped", SecondGrouped),
        ("norm-size", NormSizes),
        ("first-relu-forgotten", NoFirstRelu),
        ("last-relu-forgotten", NoLastRelu),
        ("relus-forgotten", NoRelus),
        ("norms-forgotten", NoNorms),
        ("relu-before-norm", ReluFirst),
        ("relu6-not-relu", Relu6),
        ("relu-is-a-layer", ReluOfX),
        ("relu-is-a-layer", ReluOfXBetween),
        ("padding-forgotten", NoPadding),
        ("padding-fixed", PaddingOne),
        ("stride-forgotten", NoStride),
        ("stride-twice", StrideTwice),
        ("stride-in-pointwise", StrideInSecond),
        ("bias-kept", WithBias),
        ("bias-kept", OneBias),
        ("input-added", Residual),
        ("input-added", ResidualBeforeRelu),
        ("norm-skipped", NoNorm1),
        ("norm-skipped", NoNorm2),
        ("norms-swapped", NormsSwapped),
        ("relu-on-the-input", ReluInPlace),
        ("gelu-not-relu", Gelu),
        ("parts-too-many", LayerLeftOver),
        (None, Reflected),
        ("name-missing", OtherNames),
        ("wrong-shape", NormsWithoutWeights),
        ("returns-none", ForwardMissing),
        ("every parameter learns", Detached),
        ("not-callable", Right(2, 3)),
    ],
    "05.macs": [
        ("weights-not-macs", only_weights),
        ("square-map", square_map),
        ("sides-added", sides_added),
        ("flops-not-macs", flops),
        ("kernel-not-squared", k_once),
        ("groups-forgotten", changed(lambda c, n, k, hw, g: {"grouped": k * k * c * n * hw})),
        (
            "groups-twice",
            changed(lambda c, n, k, hw, g: {"grouped": k * k * (c // g) * (n // g) * hw}),
        ),
        ("groups-multiplied", changed(lambda c, n, k, hw, g: {"grouped": k * k * c * n * hw * g})),
        (
            "depthwise-has-c-outputs",
            changed(
                lambda c, n, k, hw, g: {
                    "depthwise": k * k * n * hw,
                    "separable": k * k * n * hw + c * n * hw,
                }
            ),
        ),
        (
            "depthwise-reads-all",
            changed(
                lambda c, n, k, hw, g: {
                    "depthwise": k * k * c * c * hw,
                    "separable": k * k * c * c * hw + c * n * hw,
                }
            ),
        ),
        (
            "pointwise-with-k",
            changed(
                lambda c, n, k, hw, g: {
                    "pointwise": k * k * c * n * hw,
                    "separable": k * k * (c + c * n) * hw,
                }
            ),
        ),
        (
            "separable-multiplied",
            changed(lambda c, n, k, hw, g: {"separable": k * k * c * hw * c * n * hw}),
        ),
        (
            "separable-multiplied",
            changed(lambda c, n, k, hw, g: {"separable": k * k * c * c * n * hw}),
        ),
        (
            "factorised-second-from-c",
            changed(lambda c, n, k, hw, g: {"factorised": 2 * k * c * n * hw}),
        ),
        (
            "factorised-keeps-c",
            changed(lambda c, n, k, hw, g: {"factorised": (k * c * c + k * c * n) * hw}),
        ),
        ("offsets-forgotten", changed(lambda c, n, k, hw, g: {"deformable": k * k * c * n * hw})),
        (
            "one-offset-per-tap",
            changed(lambda c, n, k, hw, g: {"deformable": k * k * c * (n + k * k) * hw}),
        ),
        (
            "offsets-too-cheap",
            changed(lambda c, n, k, hw, g: {"deformable": (k * k * c * n + 2 * k * k * c) * hw}),
        ),
        (
            "depthwise-has-c-outputs",
            changed(lambda c, n, k, hw, g: {"depthwise": k * k * n * hw}),
        ),
        (
            "depthwise-is-standard",
            changed(lambda c, n, k, hw, g: {"depthwise": k * k * c * n * hw}),
        ),
        ("depthwise-reads-all", changed(lambda c, n, k, hw, g: {"depthwise": k * k * c * c * hw})),
        ("depthwise-wrong", changed(lambda c, n, k, hw, g: {"depthwise": k * k * hw})),
        ("pointwise-with-k", changed(lambda c, n, k, hw, g: {"pointwise": k * k * c * n * hw})),
        ("pointwise-wrong", changed(lambda c, n, k, hw, g: {"pointwise": n * n * hw})),
        ("separable-wrong", changed(lambda c, n, k, hw, g: {"separable": (c + n) * hw})),
        ("square-map", square_of_the_width),
        ("channels-swapped", channels_swapped),
        ("biases-counted", with_biases),
        ("biases-counted", changed(lambda c, n, k, hw, g: {"standard": (k * k * c + 1) * n * hw})),
        ("kernel-not-squared", changed(lambda c, n, k, hw, g: {"standard": k * c * n * hw})),
        ("kernel-missing", changed(lambda c, n, k, hw, g: {"standard": c * n * hw})),
        ("standard-wrong", changed(lambda c, n, k, hw, g: {"standard": (k ^ 2) * c * n * hw})),
        ("wrong-type", true_division),
        ("name-missing", one_key_less),
        ("name-missing", another_spelling),
        ("name-missing", only_the_first),
        ("wrong-type", a_list),
        ("deformable-wrong", with_masks),
        ("grouped-wrong", changed(lambda c, n, k, hw, g: {"grouped": k * k * c // g * hw})),
        ("factorised-wrong", changed(lambda c, n, k, hw, g: {"factorised": (k + k) * c * hw})),
        (
            "kernel-not-squared",
            changed(lambda c, n, k, hw, g: {"depthwise": k * c * hw}),
        ),
        (
            "separable-family-wrong",
            changed(lambda c, n, k, hw, g: {"depthwise": k * k * hw, "pointwise": c * c * hw}),
        ),
        (None, two_at_once),
    ],
    "05.lowrank": [
        ("singular-values-forgotten", svd_as(lambda u, s, v, r: (u[:, :r].T, v[:r]))),
        (
            "singular-values-twice",
            svd_as(lambda u, s, v, r: ((u * s)[:, :r].T, s[:r, None] * v[:r])),
        ),
        ("smallest-kept", svd_as(lambda u, s, v, r: ((u * s)[:, -r:].T, v[-r:]))),
        ("rows-from-columns-of-v", svd_as(lambda u, s, v, r: ((u * s)[:, :r].T, v[:, :r].T))),
        ("rows-from-columns-of-v", svd_as(lambda u, s, v, r: ((u * s)[:, :r].T, v.T[:r]))),
        ("columns-from-rows-of-u", svd_as(lambda u, s, v, r: (u[:r] * s[:r, None], v[:r]))),
        ("columns-from-rows-of-u", svd_as(lambda u, s, v, r: ((u * s)[:r], v[:r]))),
        ("marginals", sums),
        (
            "one-pair-only",
            svd_as(lambda u, s, v, r: ((u * s)[:, :r].T * (torch.arange(r) == 0)[:, None], v[:r])),
        ),
        ("turned", svd_as(lambda u, s, v, r: ((u * s)[:, :r], v[:r].T))),
        ("turned", svd_as(lambda u, s, v, r: ((u * s)[:, :r], v[:r]))),
        ("all-pairs", svd_as(lambda u, s, v, r: ((u * s).T, v))),
        ("bare-vector", squeezed),
        ("bare-vector", svd_as(lambda u, s, v, r: (u[:, 0] * s[0], v[0]))),
        (
            "turned",
            svd_as(lambda u, s, v, r: (u[:, :r] * s[:r].sqrt(), (s[:r, None].sqrt() * v[:r]).T)),
        ),
        ("kernel-overwritten", kernel_emptied),
        ("raises", full_svd),
        ("wrong-type", pairs_not_lists),
        ("wrong-type", generators),
        ("wrong-type", only_kernel),
        (None, first_rows),
    ],
    "05.deform": [
        ("offsets-ignored", not_moved),
        ("x-and-y-swapped-in-the-grid", deform_as(xy=False)),
        ("offset-columns-first", deform_as(halves=lambda o: (o[:, 1::2], o[:, 0::2]))),
        ("offset-in-halves", deform_as(halves=halved)),
        ("offset-subtracted", deform_as(sign=-1)),
        ("corners-mixed-up", deform_as(scale=lambda i, size: 2 * i / (size - 1) - 1)),
        ("half-a-pixel-off", deform_as(scale=lambda i, size: 2 * i / size - 1)),
        ("edges-not-middles", deform_as(align_corners=True)),
        (
            "corners-of-the-size",
            deform_as(scale=lambda i, size: 2 * i / size - 1, align_corners=True),
        ),
        ("not-stretched", deform_as(scale=lambda i, size: i)),
        ("height-and-width-swapped", deform_as(hw=lambda h, w: (w, h))),
        ("one-size-for-both", deform_as(hw=lambda h, w: (w, w))),
        ("one-size-for-both", deform_as(hw=lambda h, w: (h, h))),
        ("size-of-the-output", by_the_output_size),
        ("offset-after-the-stretch", offset_late),
        ("places-forgotten", no_places),
        ("padding-forgotten", started_at(lambda stride, padding: (stride, 0))),
        ("stride-forgotten", started_at(lambda stride, padding: (1, padding))),
        ("kernel-flipped", deform_as(matrix=lambda w: w.flip(2, 3).flatten(1))),
        ("taps-before-channels", samples_turned),
        ("the gradient is right", detached),
        ("the gradient is right", by_numpy_loops),
        ("edge-repeated", deform_as(padding_mode="border")),
        ("nearest-pixel", deform_as(mode="nearest")),
        ("nearest-pixel", rounded),
        ("taps-column-by-column", deform_as(matrix=lambda w: w.transpose(2, 3).flatten(1))),
        (
            "taps-before-channels",
            deform_as(matrix=lambda w: w.permute(0, 2, 3, 1).flatten(1)),
        ),
        ("first-picture-for-all", deform_as(batch=lambda grid: grid[:1].expand_as(grid))),
        ("grid-has-another-shape", grid_of_five_axes),
        ("dtypes-differ", grid_in_float32),
        ("the gradient is right", offset_detached),
        ("not-implemented", lambda *args: untouched(*args[:3])),
    ],
}

RIGHT = {
    "05.dense": [both, by_loops, by_block_diag, by_mask, by_numpy_arrays],
    "05.separable": [Right, AsSequential, SamePadding],
    "05.macs": [costs, from_standard, by_numpy, one_name_more],
    "05.lowrank": [
        svd_as(lambda u, s, v, r: ((u * s)[:, :r].T, v[:r])),
        svd_as(lambda u, s, v, r: ((u * s.sqrt())[:, :r].T, s[:r, None].sqrt() * v[:r])),
        by_eigenvectors,
        by_deflation,
        in_float32,
        in_float32_from_the_start,
        as_numpy_float32,
        as_lists,
    ],
    "05.deform": [deform_as(), by_corners, tap_by_tap, by_hand],
}
