"""Chapter 03: answers that learners give, wrong with their diagnosis and right in other ways."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

# --- 03.ladder -------------------------------------------------------------------------------


def total_of(layers):
    total = 1
    for _, stride, _ in layers:
        total *= stride
    return total


def ladder_right(r, layers):
    sizes = [r]
    for kernel, stride, padding in layers:
        sizes.append((sizes[-1] + 2 * padding - kernel) // stride + 1)
    return sizes, total_of(layers)


def ladder_with_floor(r, layers):
    sizes, total = [r], 1
    for kernel, stride, padding in layers:
        r = math.floor((r + 2 * padding - (kernel - 1) - 1) / stride + 1)
        total = total * stride
        sizes = [*sizes, r]
    return sizes, total


def ladder_by_counting(r, layers):
    sizes = [r]
    for kernel, stride, padding in layers:
        sizes.append(len(range(-padding, sizes[-1] + padding - kernel + 1, stride)))
    return tuple(sizes), int(np.prod([s for _, s, _ in layers]))


def ladder_by_convolving(r, layers):
    x, sizes = torch.zeros(1, 1, r), [r]
    for kernel, stride, padding in layers:
        x = F.conv1d(x, torch.zeros(1, 1, kernel), stride=stride, padding=padding)
        sizes.append(x.shape[2])
    return [sizes, math.prod(layer[1] for layer in layers)]


def with_ceil(r, layers):
    sizes = [r]
    for kernel, stride, padding in layers:
        sizes.append(math.ceil((sizes[-1] + 2 * padding - kernel) / stride) + 1)
    return sizes, total_of(layers)


def with_round(r, layers):
    sizes = [r]
    for kernel, stride, padding in layers:
        sizes.append(round((sizes[-1] + 2 * padding - kernel) / stride) + 1)
    return sizes, total_of(layers)


def no_plus_one(r, layers):
    sizes = [r]
    for kernel, stride, padding in layers:
        sizes.append((sizes[-1] + 2 * padding - kernel) // stride)
    return sizes, total_of(layers)


def one_padding(r, layers):
    sizes = [r]
    for kernel, stride, padding in layers:
        sizes.append((sizes[-1] + padding - kernel) // stride + 1)
    return sizes, total_of(layers)


def no_padding(r, layers):
    sizes = [r]
    for kernel, stride, _ in layers:
        sizes.append((sizes[-1] - kernel) // stride + 1)
    return sizes, total_of(layers)


def stride_alone(r, layers):
    sizes = [r]
    for _, stride, _ in layers:
        sizes.append(sizes[-1] // stride)
    return sizes, total_of(layers)


def half_rounded_up(r, layers):
    sizes = [r]
    for _, stride, _ in layers:
        sizes.append(math.ceil(sizes[-1] / stride))
    return sizes, total_of(layers)


def all_strides_at_once(r, layers):
    sizes, total = [r], 1
    for _, stride, _ in layers:
        total *= stride
        sizes.append(r // total)
    return sizes, total


def never_moves_on(r, layers):
    sizes = [r]
    for kernel, stride, padding in layers:
        sizes.append((r + 2 * padding - kernel) // stride + 1)
    return sizes, total_of(layers)


def without_picture(r, layers):
    sizes, total = ladder_right(r, layers)
    return sizes[1:], total


def sum_of_strides(r, layers):
    return ladder_right(r, layers)[0], sum(stride for _, stride, _ in layers)


def number_of_halvings(r, layers):
    return ladder_right(r, layers)[0], sum(stride > 1 for _, stride, _ in layers)


def kernel_second(r, layers):
    return ladder_right(r, [(stride, kernel, padding) for kernel, stride, padding in layers])[
        0
    ], total_of(layers)


def numpys_product(r, layers):
    return ladder_right(r, layers)[0], np.prod([stride for _, stride, _ in layers])


def last_size(r, layers):
    sizes, total = ladder_right(r, layers)
    return sizes[-1], total


def last_size_for_the_total(r, layers):
    sizes, _ = ladder_right(r, layers)
    return sizes, sizes[-1]


def sizes_only(r, layers):
    return ladder_right(r, layers)[0]


def float_sizes(r, layers):
    sizes = [r]
    for kernel, stride, padding in layers:
        sizes.append((sizes[-1] + 2 * padding - kernel) / stride + 1)
    return sizes, total_of(layers)


def printed(r, layers):
    print(ladder_right(r, layers))


# --- 03.choose -------------------------------------------------------------------------------


def choose_right(k, layers):
    low = high = k
    for kernel, stride, padding in reversed(layers):
        low = (low - 1) * stride + kernel - 2 * padding
        high = (high - 1) * stride + kernel - 2 * padding + stride - 1
    return low, high


def choose_by_search(k, layers):
    fits = [r for r in range(1, 4000) if ladder_or_zero(r, layers) == k]
    return min(fits), max(fits)


def ladder_or_zero(r, layers):
    for kernel, stride, padding in layers:
        if r + 2 * padding < kernel:
            return 0
        r = (r + 2 * padding - kernel) // stride + 1
    return r


def choose_by_recursion(k, layers):
    if not layers:
        return [k, k]
    *before, (kernel, stride, padding) = layers
    smallest = (k - 1) * stride + kernel - 2 * padding
    return [choose_by_recursion(smallest, before)[0],
            choose_by_recursion(smallest + stride - 1, before)[1]]  # fmt: skip


def choose_by_the_next(k, layers):
    def smallest(k):
        for kernel, stride, padding in layers[::-1]:
            k = stride * (k - 1) + kernel - 2 * padding
        return k

    return smallest(k), smallest(k + 1) - 1


def k_times_two_to_the_n(k, layers):
    return k * total_of(layers), k * total_of(layers)


def smallest_twice(k, layers):
    low = k
    for kernel, stride, padding in layers[::-1]:
        low = (low - 1) * stride + kernel - 2 * padding
    return low, low


def half_open(k, layers):
    low, high = choose_right(k, layers)
    return low, high + 1


def whole_stride(k, layers):
    low = high = k
    for kernel, stride, padding in reversed(layers):
        low = (low - 1) * stride + kernel - 2 * padding
        high = (high - 1) * stride + kernel - 2 * padding + stride
    return low, high


def slack_once(k, layers):
    low = smallest_twice(k, layers)[0]
    return low, low + (layers[0][1] - 1 if layers else 0)


def slack_last(k, layers):
    low = smallest_twice(k, layers)[0]
    return low, low + (layers[-1][1] - 1 if layers else 0)


def between_powers(k, layers):
    total = total_of(layers)
    return (k - 1) * total + 1, k * total


def first_layer_first(k, layers):
    return choose_right(k, layers[::-1])


def k_steps(k, layers):
    low = high = k
    for kernel, stride, padding in reversed(layers):
        low = low * stride + kernel - 2 * padding
        high = high * stride + kernel - 2 * padding + stride - 1
    return low, high


def no_window(k, layers):
    low = high = k
    for _, stride, padding in reversed(layers):
        low = (low - 1) * stride + 1 - 2 * padding
        high = (high - 1) * stride + 1 - 2 * padding + stride - 1
    return low, high


def plus_padding(k, layers):
    return choose_right(k, [(kernel, stride, -padding) for kernel, stride, padding in layers])


def half_padding(k, layers):
    low = high = k
    for kernel, stride, padding in reversed(layers):
        low = (low - 1) * stride + kernel - padding
        high = (high - 1) * stride + kernel - padding + stride - 1
    return low, high


def one_more_each(k, layers):
    low = high = k
    for kernel, stride, padding in reversed(layers):
        low = (low - 1) * stride + kernel - 2 * padding
        high = (high - 1) * stride + kernel - 2 * padding + 1
    return low, high


def one_more_each_halving(k, layers):
    low = high = k
    for kernel, stride, padding in reversed(layers):
        low = (low - 1) * stride + kernel - 2 * padding
        high = (high - 1) * stride + kernel - 2 * padding + (stride > 1)
    return low, high


def summed_slack(k, layers):
    low = smallest_twice(k, layers)[0]
    return low, low + sum(stride - 1 for _, stride, _ in layers)


def choose_by_total(k, layers):
    low = smallest_twice(k, layers)[0]
    return low, low + total_of(layers) - 1


def search_up_to(limit):
    def answer(k, layers):
        fits = [r for r in range(1, limit) if ladder_or_zero(r, layers) == k]
        return min(fits), max(fits)

    return answer


def large_then_small(k, layers):
    low, high = choose_right(k, layers)
    return high, low


def count_of_sizes(k, layers):
    low, high = choose_right(k, layers)
    return high - low + 1


# --- 03.pool ---------------------------------------------------------------------------------


def pool_by_torch(x, window):
    values, places = F.max_pool2d(x, window, return_indices=True)
    return values, places, F.max_unpool2d(values, places, window, output_size=x.shape)


def pool_by_loops(x, window):
    n, c, h, w = x.shape
    values = torch.zeros(n, c, h // window, w // window, dtype=x.dtype)
    places = torch.zeros(values.shape, dtype=torch.int32)
    back = torch.zeros_like(x)
    for a in range(n):
        for b in range(c):
            for i in range(h // window):
                for j in range(w // window):
                    best = -math.inf
                    for row in range(i * window, i * window + window):
                        for column in range(j * window, j * window + window):
                            if x[a, b, row, column] > best:
                                best = x[a, b, row, column].item()
                                places[a, b, i, j] = row * w + column
                    values[a, b, i, j] = best
                    spot = int(places[a, b, i, j])
                    back[a, b, spot // w, spot % w] = best
    return [values, places, back]


def pool_by_unfold(x, window):
    n, c, h, w = x.shape
    columns = F.unfold(x.reshape(n * c, 1, h, w), window, stride=window)
    numbers = torch.arange(h * w, dtype=x.dtype).view(1, 1, h, w)
    numbers = F.unfold(numbers, window, stride=window)
    values, which = columns.max(1)
    places = numbers[0].T.gather(1, which.T).T.long()
    back = torch.zeros(n * c, h * w, dtype=x.dtype)
    back.scatter_(1, places, values)
    shape = (n, c, h // window, w // window)
    return values.view(shape), places.view(shape), back.view_as(x)


def pool_by_reshape(x, window):
    n, c, h, w = x.shape
    rows, columns = h // window, w // window
    whole = x[:, :, : rows * window, : columns * window]
    tiles = whole.reshape(n, c, rows, window, columns, window).transpose(3, 4).flatten(4)
    which = tiles.argmax(-1)
    row = torch.arange(rows).view(-1, 1) * window + which // window
    column = torch.arange(columns) * window + which % window
    places = row * w + column
    back = torch.zeros_like(x).flatten(2)
    back.scatter_(2, places.flatten(2), tiles.amax(-1).flatten(2))
    return tiles.amax(-1), places, back.view_as(x)


def tiles_of(x, window):
    return x.unfold(2, window, window).unfold(3, window, window).flatten(-2)


def places_in_window(x, window):
    values, _, back = pool_by_torch(x, window)
    return values, tiles_of(x, window).argmax(-1), back


def row_times_h(x, window):
    values, places, back = pool_by_torch(x, window)
    row, column = places // x.shape[3], places % x.shape[3]
    return values, row * x.shape[2] + column, back


def small_rows(x, window):
    values, places, back = pool_by_torch(x, window)
    row, column = places // x.shape[3], places % x.shape[3]
    return values, row * values.shape[3] + column, back


def counted_through(x, window):
    values, places, back = pool_by_torch(x, window)
    size = x.shape[2] * x.shape[3]
    return values, places + torch.arange(x.shape[1])[:, None, None] * size, back


def number_of_window(x, window):
    values, _, back = pool_by_torch(x, window)
    number = torch.arange(values[0, 0].numel()).view(values.shape[2:]).expand(values.shape)
    return values, number, back


def filled_up(x, window):
    values, places, _ = pool_by_torch(x, window)
    back = torch.zeros_like(x)
    up = F.interpolate(values, scale_factor=window, mode="nearest")
    back[:, :, : up.shape[2], : up.shape[3]] = up
    return values, places, back


def into_the_corner(x, window):
    values, places, _ = pool_by_torch(x, window)
    back = torch.zeros_like(x)
    h, w = values.shape[2] * window, values.shape[3] * window
    back[:, :, :h:window, :w:window] = values
    return values, places, back


def the_input_again(x, window):
    values, places, _ = pool_by_torch(x, window)
    return values, places, x.clone()


def smaller_back(x, window):
    values, places = F.max_pool2d(x, window, return_indices=True)
    rows, columns = values.shape[2] * window, values.shape[3] * window
    back = torch.zeros_like(x).flatten(2).scatter(2, places.flatten(2), values.flatten(2))
    return values, places, back.view_as(x)[:, :, :rows, :columns]


def with_the_rest(x, window):
    values, places = F.max_pool2d(x, window, ceil_mode=True, return_indices=True)
    return values, places, F.max_unpool2d(values, places, window, output_size=x.shape)


def averaged(x, window):
    _, places, _ = pool_by_torch(x, window)
    values = F.avg_pool2d(x, window)
    back = torch.zeros_like(x).flatten(2).scatter(2, places.flatten(2), values.flatten(2))
    return values, places, back.view_as(x)


def best_is_zero(x, window):
    n, c, h, w = x.shape
    values = torch.zeros(n, c, h // window, w // window, dtype=x.dtype)
    places = torch.zeros(values.shape, dtype=torch.long)
    back = torch.zeros_like(x)
    for a, b, i, j in np.ndindex(*values.shape):
        best, spot = 0.0, (i * window) * w + j * window
        for row in range(i * window, i * window + window):
            for column in range(j * window, j * window + window):
                if x[a, b, row, column] > best:
                    best, spot = x[a, b, row, column].item(), row * w + column
        values[a, b, i, j], places[a, b, i, j] = best, spot
        back[a, b, spot // w, spot % w] = best
    return values, places, back


def begins_at_zero_and_place_zero(x, window):
    values = torch.zeros_like(pool_by_torch(x, window)[0])
    places = torch.zeros(values.shape, dtype=torch.long)
    back = torch.zeros_like(x)
    for a, b, i, j in np.ndindex(*values.shape):
        for row in range(i * window, i * window + window):
            for column in range(j * window, j * window + window):
                if x[a, b, row, column] > values[a, b, i, j]:
                    values[a, b, i, j] = x[a, b, row, column]
                    places[a, b, i, j] = row * x.shape[3] + column
        back[a, b].view(-1)[places[a, b, i, j]] = values[a, b, i, j]
    return values, places, back


def column_by_column(x, window):
    values, places, back = pool_by_reshape(x, window)
    row, column = places // x.shape[3], places % x.shape[3]
    return values, column * x.shape[2] + row, back


def ones_for_values(x, window):
    values, places, back = pool_by_reshape(x, window)
    return values, places, (back != 0).to(x.dtype)


def rest_of_x_kept(x, window):
    values, places, back = pool_by_reshape(x, window)
    back[:, :, values.shape[2] * window :] = x[:, :, values.shape[2] * window :]
    back[..., values.shape[3] * window :] = x[..., values.shape[3] * window :]
    return values, places, back


def doubles(answer):
    """float64 whatever x was: right on the whole course, and wrong in every network."""

    def wide(x, *more):
        found = answer(x.double(), *(m.double() if torch.is_tensor(m) else m for m in more))
        if torch.is_tensor(found):
            return found
        return tuple(part.double() if part.is_floating_point() else part for part in found)

    return wide


def torch_values_own_way_back(x, window):
    values, places = nn.MaxPool2d(window, return_indices=True)(x)
    back = torch.zeros_like(x).flatten(2).scatter(2, places.flatten(2), values.flatten(2))
    return values, places, back.view_as(x)


def largest_absolute(x, window):
    _, places = F.max_pool2d(x.abs(), window, return_indices=True)
    values = x.flatten(2).gather(2, places.flatten(2)).view(places.shape)
    back = torch.zeros_like(x).flatten(2).scatter(2, places.flatten(2), values.flatten(2))
    return values, places, back.view_as(x)


def two_by_two(x, window):
    return pool_by_torch(x, 2)


def overlapping(x, window):
    values, places = F.max_pool2d(x, window, stride=1, return_indices=True)
    back = torch.zeros_like(x).flatten(2).scatter(2, places.flatten(2), values.flatten(2))
    return values, places, back.view_as(x)


def only_two_things(x, window):
    return F.max_pool2d(x, window, return_indices=True)


def unpooled_without_size(x, window):
    values, places = F.max_pool2d(x, window, return_indices=True)
    return values, places, F.max_unpool2d(values, places, window)


def scattered_into_float32(x, window):
    values, places = F.max_pool2d(x, window, return_indices=True)
    back = torch.zeros(*x.shape[:2], x.shape[2] * x.shape[3])
    return values, places, back.scatter(2, places.flatten(2), values.flatten(2)).view(x.shape)


def zeroes_x(x, window):
    values, places, back = pool_by_torch(x, window)
    x.copy_(back)
    return values, places, x


# --- 03.transposed ---------------------------------------------------------------------------


def transposed_by_torch(x, weight, stride, padding, output_padding):
    return F.conv_transpose2d(
        x, weight, stride=stride, padding=padding, output_padding=output_padding
    )


def transposed_by_module(x, weight, stride, padding, output_padding):
    sizes = (*weight.shape[:2], weight.shape[2:], stride, padding, output_padding)
    layer = nn.ConvTranspose2d(*sizes, bias=False)
    layer.weight = nn.Parameter(weight)
    return layer(x).detach()


def transposed_by_convolution(x, weight, stride, padding, output_padding):
    pairs = [stride] * 2, [padding] * 2, [1, 1], True, [output_padding] * 2
    return torch.convolution(x, weight, None, *pairs, 1)


def transposed_by_fold(x, weight, stride, padding, output_padding):
    size = [
        (n - 1) * stride - 2 * padding + k + output_padding
        for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)
    ]
    columns = weight.flatten(1).T @ x.flatten(2)
    return F.fold(columns, size, weight.shape[2:], stride=stride, padding=padding)


def reshaped(weight):
    c, out, *window = weight.shape
    return weight.flip(2, 3).reshape(out, c, *window)


def spread_out(x, stride):
    n, c, h, w = x.shape
    out = torch.zeros(n, c, (h - 1) * stride + 1, (w - 1) * stride + 1, dtype=x.dtype)
    out[:, :, ::stride, ::stride] = x
    return out


def transposed_right(x, weight, stride, padding, output_padding):
    kh, kw = weight.shape[2:]
    top, left = kh - 1 - padding, kw - 1 - padding
    x = F.pad(spread_out(x, stride), (left, left + output_padding, top, top + output_padding))
    return F.conv2d(x, weight.flip(2, 3).transpose(0, 1))


def transposed_by_scattering(x, weight, stride, padding, output_padding):
    n, _, h, w = x.shape
    kh, kw = weight.shape[2:]
    height = (h - 1) * stride + kh + output_padding
    width = (w - 1) * stride + kw + output_padding
    out = torch.zeros(n, weight.shape[1], height, width, dtype=x.dtype)
    for i in range(h):
        for j in range(w):
            stamp = torch.einsum("nc,cokl->nokl", x[:, :, i, j], weight)
            out[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw] += stamp
    return out[:, :, padding : height - padding, padding : width - padding]


def transposed_as_a_gradient(x, weight, stride, padding, output_padding):
    size = [
        (n - 1) * stride - 2 * padding + k + output_padding
        for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)
    ]
    like = torch.zeros(x.shape[0], weight.shape[1], *size, dtype=x.dtype, requires_grad=True)
    with torch.enable_grad():
        down = F.conv2d(like, weight, stride=stride, padding=padding)
    (gradient,) = torch.autograd.grad(down, like, x)
    return gradient


def transposed_kron(x, weight, stride, padding, output_padding):
    unit = torch.zeros(stride, stride, dtype=x.dtype)
    unit[0, 0] = 1
    n, c, h, w = x.shape
    wide = torch.kron(x.reshape(-1, w), unit[:1]).view(n, c, h, -1)
    tall = torch.zeros(n, c, h * stride, wide.shape[3], dtype=x.dtype)
    tall[:, :, ::stride] = wide
    small = tall[:, :, : tall.shape[2] - stride + 1, : tall.shape[3] - stride + 1]
    kh, kw = weight.shape[2:]
    full = F.conv2d(
        F.pad(small, (kw - 1, kw - 1 + output_padding, kh - 1, kh - 1 + output_padding)),
        torch.rot90(weight, 2, (2, 3)).permute(1, 0, 2, 3),
    )
    h, w = full.shape[2:]
    return full[:, :, padding : h - padding, padding : w - padding]


def zero_insertion(
    spread=spread_out, turn=lambda w: w.flip(2, 3), swap=True, edge=None, more=(0, 1), step=False
):
    def answer(x, weight, stride, padding, output_padding):
        kh, kw = weight.shape[2:]
        top, left = (edge(k, padding) if edge else k - 1 - padding for k in (kh, kw))
        before, after = (share * output_padding for share in more)
        x = F.pad(spread(x, stride), (left + before, left + after, top + before, top + after))
        weight = turn(weight).transpose(0, 1) if swap else turn(weight)
        return F.conv2d(x, weight, stride=stride if step else 1)

    return answer


def zeros_everywhere(x, stride):
    n, c, h, w = x.shape
    out = torch.zeros(n, c, h * stride, w * stride, dtype=x.dtype)
    out[:, :, ::stride, ::stride] = x
    return out


def appended(x, weight, stride, padding, output_padding):
    out = F.conv_transpose2d(x, weight, stride=stride, padding=padding)
    return F.pad(out, (0, output_padding, 0, output_padding))


def ignored(x, weight, stride, padding, output_padding):
    return F.conv_transpose2d(x, weight, stride=stride, padding=padding)


def square(axis):
    def answer(x, weight, stride, padding, output_padding):
        edge = weight.shape[axis] - 1 - padding
        x = F.pad(spread_out(x, stride), (edge, edge + output_padding) * 2)
        return F.conv2d(x, weight.flip(2, 3).transpose(0, 1))

    return answer


def pad_from_the_top(x, weight, stride, padding, output_padding):
    kh, kw = weight.shape[2:]
    top, left = kh - 1 - padding, kw - 1 - padding
    x = F.pad(spread_out(x, stride), (top, top + output_padding, left, left + output_padding))
    return F.conv2d(x, weight.flip(2, 3).transpose(0, 1))


def plain_zeros(x, stride):
    n, c, h, w = x.shape
    out = torch.zeros(n, c, (h - 1) * stride + 1, (w - 1) * stride + 1)
    out[:, :, ::stride, ::stride] = x
    return out


def last_one_wins(x, weight, stride, padding, output_padding):
    n, _, h, w = x.shape
    kh, kw = weight.shape[2:]
    height = (h - 1) * stride + kh + output_padding
    width = (w - 1) * stride + kw + output_padding
    out = torch.zeros(n, weight.shape[1], height, width, dtype=x.dtype)
    for i in range(h):
        for j in range(w):
            stamp = torch.einsum("nc,cokl->nokl", x[:, :, i, j], weight)
            out[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw] = stamp
    return out[:, :, padding : height - padding, padding : width - padding]


def single_precision(x, weight, stride, padding, output_padding):
    return transposed_right(x, weight, stride, padding, output_padding).float()


# --- 03.bilinear -----------------------------------------------------------------------------


def bilinear_by_torch(x, size, align_corners):
    return F.interpolate(x, size=size, mode="bilinear", align_corners=align_corners)


def bilinear_by_loops(x, size, align_corners):
    h, w = x.shape[2:]
    out = torch.zeros(*x.shape[:2], *size, dtype=x.dtype)

    def place(i, n, m):
        if align_corners:
            return i * (n - 1) / (m - 1) if m > 1 else 0.0
        return min(max((i + 0.5) * n / m - 0.5, 0.0), n - 1)

    for i in range(size[0]):
        for j in range(size[1]):
            y, z = place(i, h, size[0]), place(j, w, size[1])
            top, left = int(y), int(z)
            bottom, right = min(top + 1, h - 1), min(left + 1, w - 1)
            a, b = y - top, z - left
            above = (1 - b) * x[:, :, top, left] + b * x[:, :, top, right]
            below = (1 - b) * x[:, :, bottom, left] + b * x[:, :, bottom, right]
            out[:, :, i, j] = (1 - a) * above + a * below
    return out


def bilinear_by_hats(x, size, align_corners):
    """Each input is a tent, one wide on either side."""

    def table(n, m):
        if align_corners:
            places = torch.linspace(0, n - 1, m, dtype=x.dtype) if m > 1 else torch.zeros(1)
        else:
            places = ((torch.arange(m, dtype=x.dtype) + 0.5) * n / m - 0.5).clamp(0, n - 1)
        return (1 - (places[:, None] - torch.arange(n)).abs()).clamp(min=0).to(x.dtype)

    return table(x.shape[2], size[0]) @ x @ table(x.shape[3], size[1]).T


def bilinear_by_grid(x, size, align_corners):
    """grid_sample counts from -1 to 1; without aligned corners a pixel has a width."""

    def line(m):
        if align_corners:
            return torch.linspace(-1, 1, m, dtype=x.dtype) if m > 1 else -torch.ones(1).to(x)
        return (torch.arange(m, dtype=x.dtype) * 2 + 1) / m - 1

    rows, columns = torch.meshgrid(line(size[0]), line(size[1]), indexing="ij")
    grid = torch.stack([columns, rows], -1).expand(len(x), -1, -1, -1)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=align_corners)


def bilinear_in_numpy(x, size, align_corners):
    out = x.numpy()
    for axis, m in zip((2, 3), size, strict=True):
        n = out.shape[axis]
        if align_corners:
            places = np.arange(m) * ((n - 1) / max(m - 1, 1))
        else:
            places = (np.arange(m) + 0.5) * n / m - 0.5
        places = places.clip(0, n - 1)
        out = np.apply_along_axis(lambda row: np.interp(places, np.arange(n), row), axis, out)  # noqa: B023
    return torch.from_numpy(out).to(x.dtype)


def resized(place, mix=None):
    """A resize by separate axes with its own places and its own way to mix two neighbours."""
    mix = mix or (lambda a, b, part: (1 - part) * a + part * b)

    def along(x, axis, m, align):
        n, rows = x.shape[axis], []
        for i in range(m):
            y = place(i, n, m, align)
            first = math.floor(y)
            part = y - first
            first = max(min(first, n - 1), 0)
            second = min(first + 1, n - 1)
            rows.append(mix(x.select(axis, first), x.select(axis, second), part))
        return torch.stack(rows, axis)

    def answer(x, size, align_corners):
        return along(along(x, 2, size[0], align_corners), 3, size[1], align_corners)

    return answer


def usual(i, n, m, align):
    if align:
        return i * (n - 1) / (m - 1) if m > 1 else 0
    return min(max((i + 0.5) * n / m - 0.5, 0), n - 1)


def no_half(i, n, m, align):
    return usual(i, n, m, True) if align else min(i * n / m, n - 1)


def upside_down(i, n, m, align):
    if align:
        return min(i * (m - 1) / (n - 1), n - 1) if n > 1 else 0
    return min(max((i + 0.5) * m / n - 0.5, 0), n - 1)


def straight_on(x, size, align_corners):
    """Two neighbours inside, and a line through them that goes on outside."""

    def along(x, axis, m):
        n, rows = x.shape[axis], []
        for i in range(m):
            y = usual(i, n, m, True) if align_corners else (i + 0.5) * n / m - 0.5
            first = min(max(math.floor(y), 0), max(n - 2, 0))
            second = min(first + 1, n - 1)
            part = y - first
            rows.append((1 - part) * x.select(axis, first) + part * x.select(axis, second))
        return torch.stack(rows, axis)

    return along(along(x, 2, size[0]), 3, size[1])


def negative_index(x, size, align_corners):
    def along(x, axis, m):
        n, rows = x.shape[axis], []
        for i in range(m):
            y = usual(i, n, m, True) if align_corners else (i + 0.5) * n / m - 0.5
            first = math.floor(y)
            part = y - first
            second = min(first + 1, n - 1)
            rows.append((1 - part) * x.select(axis, first) + part * x.select(axis, second))
        return torch.stack(rows, axis)

    return along(along(x, 2, size[0]), 3, size[1])


def divides(i, n, m, align):
    return i * (n - 1) / (m - 1) if align else usual(i, n, m, False)


def width_first(x, size, align_corners):
    return F.interpolate(x, size=(size[1], size[0]), mode="bilinear", align_corners=align_corners)


def float_buffer(x, size, align_corners):
    out = torch.zeros(*x.shape[:2], *size)
    out[:] = bilinear_by_loops(x, size, align_corners)
    return out


def no_half_off(i, n, m, align):
    return usual(i, n, m, True) if align else min((i + 0.5) * n / m, n - 1)


def aligned_by_sizes(i, n, m, align):
    return min(i * n / m, n - 1) if align else usual(i, n, m, False)


def tables(dtype=None, clamped=True, added=True, step=None):
    """The usual two tables, each with the fault that is asked for."""

    def table(n, m, align, like):
        kind = dtype or like.dtype
        i = torch.arange(m, dtype=kind)
        if align:
            place = i * (n - 1) / (m - 1) if step else i * ((n - 1) / max(m - 1, 1))
        else:
            place = (i + 0.5) * n / m - 0.5
            place = place.clamp(0, n - 1) if clamped else place
        low = place.floor().long().clamp(0, n - 1)
        high = (low + 1).clamp(max=n - 1)
        out = torch.zeros(m, n, dtype=kind)
        for row, (a, b, part) in enumerate(zip(low, high, place - low, strict=True)):
            out[row, a] = 1 - part
            out[row, b] = out[row, b] + part if added else part
        return out

    def answer(x, size, align_corners):
        down = table(x.shape[2], size[0], align_corners, x)
        return down @ x @ table(x.shape[3], size[1], align_corners, x).T

    return answer


def by_upsample(x, size, align_corners):
    return nn.Upsample(size, mode="bilinear", align_corners=align_corners)(x)


def bicubic(x, size, align_corners):
    return F.interpolate(x, size=size, mode="bicubic", align_corners=align_corners)


WRONG = {
    "03.ladder": [
        ("rounded-up", with_ceil),
        ("rounded-to-nearest", with_round),
        ("one-missing", no_plus_one),
        ("padding-once", one_padding),
        ("padding-forgotten", no_padding),
        ("only-divided", stride_alone),
        ("only-divided", all_strides_at_once),
        ("always-the-picture", never_moves_on),
        ("picture-left-out", without_picture),
        ("strides-added", sum_of_strides),
        ("strides-counted", number_of_halvings),
        ("order-of-the-three", kernel_second),
        ("order-of-the-three", lambda r, ls: ladder_right(r, [(s, k, p) for k, s, p in ls])),
        ("only-divided", half_rounded_up),
        ("product-of-nothing", numpys_product),
        ("only-the-last", last_size),
        ("total-left-out", sizes_only),
        ("total-wrong", last_size_for_the_total),
        ("wrong-type", float_sizes),
        ("returns-none", printed),
        ("raises", lambda r, layers: ladder_right(r, layers[0])),
    ],
    "03.choose": [
        ("only-the-power", k_times_two_to_the_n),
        ("only-the-smallest", smallest_twice),
        ("one-too-far", half_open),
        ("slack-too-large", whole_stride),
        ("slack-of-one-layer", slack_once),
        ("slack-of-the-last-layer", slack_last),
        ("one-place-per-layer", one_more_each),
        ("one-place-per-layer", one_more_each_halving),
        ("slack-added-up", summed_slack),
        ("search-too-short", search_up_to(1700)),
        ("search-too-short", search_up_to(300)),
        ("halving-assumed", between_powers),
        ("forwards", first_layer_first),
        ("steps-not-places", k_steps),
        ("window-forgotten", no_window),
        ("padding-added", plus_padding),
        ("padding-once-back", half_padding),
        ("largest-first", large_then_small),
        ("wrong-type", count_of_sizes),
    ],
    "03.pool": [
        ("place-within-the-window", places_in_window),
        ("row-times-height", row_times_h),
        ("row-of-the-small-map", small_rows),
        ("over-all-channels", counted_through),
        ("number-of-the-window", number_of_window),
        ("window-filled", filled_up),
        ("corner-of-the-window", into_the_corner),
        ("nothing-lost", the_input_again),
        ("rest-cut-off", smaller_back),
        ("rest-pooled-too", with_the_rest),
        ("mean-not-maximum", averaged),
        ("begins-at-zero", best_is_zero),
        ("begins-at-zero", begins_at_zero_and_place_zero),
        ("only-places-wrong", column_by_column),
        ("only-back-wrong", ones_for_values),
        ("only-back-wrong", rest_of_x_kept),
        ("wrong-dtype", doubles(pool_by_reshape)),
        ("torch's own pooling is not called", pool_by_torch),
        ("torch's own pooling is not called", torch_values_own_way_back),
        ("largest-without-sign", largest_absolute),
        ("window-of-two", two_by_two),
        ("windows-overlap", overlapping),
        ("wrong-shape", only_two_things),
        ("output-size-missing", unpooled_without_size),
        ("zeros-in-float32", scattered_into_float32),
        ("mutates-input", zeroes_x),
    ],
    "03.transposed": [
        ("kernel-not-turned", zero_insertion(turn=lambda w: w)),
        ("turned-by-half", zero_insertion(turn=lambda w: w.flip(2))),
        ("turned-by-half-sideways", zero_insertion(turn=lambda w: w.flip(-1))),
        ("axes-swapped-not-turned", zero_insertion(turn=lambda w: w.mT)),
        ("channels-reshaped", zero_insertion(turn=reshaped, swap=False)),
        ("channels-not-swapped", zero_insertion(swap=False)),
        ("no-zeros-between", zero_insertion(spread=lambda x, stride: x)),
        ("stride-given-to-conv2d", zero_insertion(step=True)),
        ("pixels-repeated", zero_insertion(spread=lambda x, s: F.interpolate(x, scale_factor=s))),
        ("zeros-after-the-last", zero_insertion(spread=zeros_everywhere)),
        ("one-zero-too-many", zero_insertion(spread=lambda x, s: spread_out(x, s + 1))),
        ("padding-as-it-is", zero_insertion(edge=lambda k, p: p)),
        ("padding-ignored", zero_insertion(edge=lambda k, p: k - 1)),
        ("padding-added-on", zero_insertion(edge=lambda k, p: k - 1 + p)),
        ("output-padding-of-zeros", appended),
        ("output-padding-on-top", zero_insertion(more=(1, 0))),
        ("output-padding-on-both-sides", zero_insertion(more=(1, 1))),
        ("output-padding-ignored", ignored),
        ("output-padding-ignored", zero_insertion(more=(0, 0))),
        ("kernel-taken-for-square", square(2)),
        ("kernel-taken-for-square-by-width", square(3)),
        ("pad-rows-first", pad_from_the_top),
        ("zeros-in-float32", zero_insertion(spread=plain_zeros)),
        ("copies-overwritten", last_one_wins),
        ("wrong-dtype", single_precision),
        ("wrong-dtype", doubles(transposed_right)),
        ("torch's own transposed convolution is not called", transposed_by_torch),
        ("torch's own transposed convolution is not called", transposed_by_module),
        ("torch's own transposed convolution is not called", transposed_by_convolution),
    ],
    "03.bilinear": [
        ("division-by-zero", resized(divides)),
        ("half-forgotten", resized(no_half)),
        ("never-aligned", resized(lambda i, n, m, align: usual(i, n, m, False))),
        ("always-aligned", resized(lambda i, n, m, align: usual(i, n, m, True))),
        ("flag-the-other-way", resized(lambda i, n, m, align: usual(i, n, m, not align))),
        ("beyond-the-edge", straight_on),
        ("round-the-corner", negative_index),
        ("nearest", resized(usual, lambda a, b, part: a if part <= 0.5 else b)),
        ("rounded-down", resized(usual, lambda a, b, part: a)),
        ("weights-swapped", resized(usual, lambda a, b, part: part * a + (1 - part) * b)),
        ("weights-equal", resized(usual, lambda a, b, part: (a + b) / 2)),
        ("ratio-upside-down", resized(upside_down)),
        ("size-swapped", width_first),
        ("wrong-dtype", float_buffer),
        ("division-by-zero", tables(step="as a tensor")),
        ("dtypes-differ", tables(torch.float32)),
        ("dtypes-differ", tables(torch.float64)),
        ("half-not-taken-off", resized(no_half_off)),
        ("aligned-by-the-sizes", resized(aligned_by_sizes)),
        ("beyond-the-edge", tables(clamped=False)),
        ("second-share-replaces-the-first", tables(added=False)),
        ("wrong-dtype", doubles(bilinear_by_loops)),
        ("torch's own resampling is not called", bilinear_by_torch),
        ("torch's own resampling is not called", bilinear_by_grid),
        ("torch's own resampling is not called", by_upsample),
        (None, bicubic),
    ],
}

RIGHT = {
    "03.ladder": [ladder_right, ladder_with_floor, ladder_by_counting, ladder_by_convolving],
    "03.choose": [
        choose_right,
        choose_by_search,
        choose_by_recursion,
        choose_by_the_next,
        choose_by_total,
    ],
    "03.pool": [pool_by_loops, pool_by_unfold, pool_by_reshape],
    "03.transposed": [
        transposed_right,
        transposed_by_fold,
        transposed_by_scattering,
        transposed_as_a_gradient,
        transposed_kron,
    ],
    "03.bilinear": [
        bilinear_by_loops,
        bilinear_by_hats,
        tables(),
        bilinear_in_numpy,
    ],
}
