"""Chapter 01: answers that learners give, wrong with their diagnosis and right in other ways."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

# --- 01.size ---------------------------------------------------------------------------------


def sized(formula, same=None):
    """An answer by a formula of (n, k, s, p, d), with the word "same" handled."""

    def output_size(size, kernel, stride=1, padding=0, dilation=1):
        if padding == "same":
            return size if same is None else same(size, kernel, dilation)
        return formula(size, kernel, stride, padding, dilation)

    return output_size


def textbook(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - kernel) // stride + 1


def true_division(size, kernel, stride=1, padding=0, dilation=1):
    if padding == "same":
        return size
    return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1


def by_formula(n, k, s, p, d):
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def word_ignored(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def pads_by_half(size, kernel, stride=1, padding=0, dilation=1):
    padding = kernel // 2 if padding == "same" else padding
    return by_formula(size, kernel, stride, padding, dilation)


def pads_by_half_dilated(size, kernel, stride=1, padding=0, dilation=1):
    padding = dilation * (kernel - 1) // 2 if padding == "same" else padding
    return by_formula(size, kernel, stride, padding, dilation)


def textbook_same(size, kernel, stride=1, padding=0, dilation=1):
    padding = (kernel - 1) // 2 if padding == "same" else padding
    return int((size - kernel + 2 * padding) / stride + 1)


def no_names(size, kernel, s=1, p=0, d=1):
    return by_formula(size, kernel, s, p, d)


def as_a_tuple(size, kernel, stride=1, padding=0, dilation=1):
    padding = 0 if padding == "same" else padding
    n = by_formula(size, kernel, stride, padding, dilation)
    return n, n


def always_thirty_two(size, kernel, stride=1, padding=0, dilation=1):
    return 32


def textbook_with_span_added(size, kernel, stride=1, padding=0, dilation=1):
    if padding == "same":
        return size
    window = kernel + dilation - 1
    return (size + 2 * padding - window) // stride + 1


def by_walking(size, kernel, stride=1, padding=0, dilation=1):
    if padding == "same":
        padding = 0
        size = size + (kernel - 1) * dilation
    place, count = -padding, 0
    while place + (kernel - 1) * dilation <= size - 1 + padding:
        count += 1
        place += stride
    return count


def by_range(size, kernel, stride=1, padding=0, dilation=1):
    if isinstance(padding, str):
        return size
    return len(range(-padding, size + padding - (kernel - 1) * dilation, stride))


def by_floor(size, kernel, stride=1, padding=0, dilation=1):
    if padding == "same":
        return size
    return math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1)


def by_numpy(size, kernel, stride=1, padding=0, dilation=1):
    if padding == "same":
        return np.int64(size)
    return np.floor_divide(size + 2 * padding - dilation * (kernel - 1) - 1, stride) + 1


def by_module(size, kernel, stride=1, padding=0, dilation=1):
    layer = nn.Conv1d(1, 1, kernel, stride, 0 if padding == "same" else padding, dilation)
    return size if padding == "same" else layer(torch.zeros(1, 1, size)).shape[2]


# --- 01.count --------------------------------------------------------------------------------


def counted(full=None, local=None, shared=None):
    """Counts by formulas of (inputs, window, c2, places); None is the right one."""

    def three_counts(shape_in, shape_out, kernel):
        inputs, window = math.prod(shape_in), shape_in[0] * kernel[0] * kernel[1]
        c2, places = shape_out[0], shape_out[1] * shape_out[2]
        given = (inputs, window, c2, places)
        return (
            full(*given) if full else (inputs + 1) * c2 * places,
            local(*given) if local else (window + 1) * c2 * places,
            shared(*given) if shared else (window + 1) * c2,
        )

    return three_counts


def flat_window(shape_in, shape_out, kernel):
    full = (math.prod(shape_in) + 1) * math.prod(shape_out)
    shared = (kernel[0] * kernel[1] + 1) * shape_out[0]
    return full, shared * shape_out[1] * shape_out[2], shared


def square_window(shape_in, shape_out, kernel):
    full = (math.prod(shape_in) + 1) * math.prod(shape_out)
    shared = (shape_in[0] * kernel[0] ** 2 + 1) * shape_out[0]
    return full, shared * shape_out[1] * shape_out[2], shared


def window_at_each_pixel(shape_in, shape_out, kernel):
    full, _, shared = counted()(shape_in, shape_out, kernel)
    return full, shared * shape_in[1] * shape_in[2], shared


def from_small_to_large(shape_in, shape_out, kernel):
    return counted()(shape_in, shape_out, kernel)[::-1]


def local_last(shape_in, shape_out, kernel):
    full, local, shared = counted()(shape_in, shape_out, kernel)
    return full, shared, local


def as_dictionary(shape_in, shape_out, kernel):
    return dict(zip(("full", "local", "shared"), counted()(shape_in, shape_out, kernel),
                    strict=True))  # fmt: skip


def as_floats(shape_in, shape_out, kernel):
    return tuple(float(n) for n in counted()(shape_in, shape_out, kernel))


def by_layers(shape_in, shape_out, kernel):
    conv = nn.Conv2d(shape_in[0], shape_out[0], kernel)
    shared = conv.weight.numel() + conv.bias.numel()
    full = math.prod(shape_in) * math.prod(shape_out) + math.prod(shape_out)
    return [full, shared * shape_out[1] * shape_out[2], shared]


def by_numpy_counts(shape_in, shape_out, kernel):
    outputs, inputs = np.prod(shape_out), np.prod(shape_in)
    window = shape_in[0] * np.prod(kernel)
    return outputs * (inputs + 1), outputs * (window + 1), shape_out[0] * (window + 1)


# --- 01.matrix -------------------------------------------------------------------------------


def rows_of(kernel, size, stride, padding):
    return (size + 2 * padding - len(kernel)) // stride + 1


def as_matrix(kernel, size, stride=1, padding=0):
    matrix = torch.zeros(rows_of(kernel, size, stride, padding), size, dtype=kernel.dtype)
    for i in range(len(matrix)):
        for t in range(len(kernel)):
            column = i * stride - padding + t
            if 0 <= column < size:
                matrix[i, column] = kernel[t]
    return matrix


def backwards(kernel, size, stride=1, padding=0):
    return as_matrix(kernel.flip(0), size, stride, padding)


def on_its_side(kernel, size, stride=1, padding=0):
    return as_matrix(kernel, size, stride, padding).T


def padded_columns(kernel, size, stride=1, padding=0):
    matrix = torch.zeros(rows_of(kernel, size, stride, padding), size + 2 * padding).double()
    for i in range(len(matrix)):
        matrix[i, i * stride : i * stride + len(kernel)] = kernel
    return matrix


def negative_index(kernel, size, stride=1, padding=0):
    matrix = torch.zeros(rows_of(kernel, size, stride, padding), size).double()
    for i in range(len(matrix)):
        for t in range(len(kernel)):
            column = i * stride - padding + t
            if column < size:
                matrix[i, column] = kernel[t]
    return matrix


def with_modulo(kernel, size, stride=1, padding=0):
    matrix = torch.zeros(rows_of(kernel, size, stride, padding), size).double()
    for i in range(len(matrix)):
        for t in range(len(kernel)):
            matrix[i, (i * stride - padding + t) % size] += kernel[t]
    return matrix


def begins_at_zero(kernel, size, stride=1, padding=0):
    matrix = torch.zeros(rows_of(kernel, size, stride, padding), size).double()
    for i in range(len(matrix)):
        for t in range(len(kernel)):
            if i * stride + t < size:
                matrix[i, i * stride + t] = kernel[t]
    return matrix


def no_padding(kernel, size, stride=1, padding=0):
    return as_matrix(kernel, size, stride)


def no_stride(kernel, size, stride=1, padding=0):
    return as_matrix(kernel, size, 1, padding)


def bottom_up(kernel, size, stride=1, padding=0):
    return as_matrix(kernel, size, stride, padding).flip(0)


def writes_outside(kernel, size, stride=1, padding=0):
    matrix = torch.zeros(rows_of(kernel, size, stride, padding), size).double()
    for i in range(len(matrix)):
        for t in range(len(kernel)):
            matrix[i, i * stride - padding + t] = kernel[t]
    return matrix


def writes_behind_the_end(kernel, size, stride=1, padding=0):
    matrix = torch.zeros(rows_of(kernel, size, stride, padding), size)
    for i in range(len(matrix)):
        for t in range(len(kernel)):
            if i * stride + t >= padding:
                matrix[i, i * stride - padding + t] = kernel[t]
    return matrix


def stride_for_the_taps(kernel, size, stride=1, padding=0):
    matrix = torch.zeros(rows_of(kernel, size, stride, padding), size).double()
    for i in range(len(matrix)):
        for t in range(len(kernel)):
            if 0 <= (i + t - padding) * stride < size:
                matrix[i, (i + t - padding) * stride] = kernel[t]
    return matrix


def slices_over_the_edge(kernel, size, stride=1, padding=0):
    matrix = torch.zeros(rows_of(kernel, size, stride, padding), size).double()
    for i in range(len(matrix)):
        left = i * stride - padding
        matrix[i, left : left + len(kernel)] = kernel
    return matrix


def square_matrix(kernel, size, stride=1, padding=0):
    matrix = torch.zeros(size, size).double()
    for i in range(size):
        for t in range(len(kernel)):
            if 0 <= i * stride - padding + t < size:
                matrix[i, i * stride - padding + t] = kernel[t]
    return matrix


def single_precision(kernel, size, stride=1, padding=0):
    return as_matrix(kernel, size, stride, padding).float()


def nested_lists(kernel, size, stride=1, padding=0):
    return as_matrix(kernel, size, stride, padding).tolist()


def cut_from_padded(kernel, size, stride=1, padding=0):
    wide = padded_columns(kernel, size, stride, padding)
    return wide[:, padding : padding + size]


def from_unit_rows(kernel, size, stride=1, padding=0):
    columns = [
        F.conv1d(row.view(1, 1, -1), kernel.view(1, 1, -1), None, stride, padding).flatten()
        for row in torch.eye(size, dtype=kernel.dtype)
    ]
    return torch.stack(columns, 1)


def by_diagonals(kernel, size, stride=1, padding=0):
    high = size + 2 * padding - len(kernel) + 1
    wide = kernel.new_zeros(high, size + 2 * padding)
    for t, weight in enumerate(kernel):
        wide += weight * torch.eye(high, size + 2 * padding, dtype=kernel.dtype).roll(t, 1)
    return wide[::stride, padding : padding + size]


def three_weights(kernel, size, stride=1, padding=0):
    wide = torch.zeros(rows_of(kernel, size, stride, padding), size + 2 * padding).double()
    for i in range(len(wide)):
        wide[i, i * stride : i * stride + 3] = kernel
    return wide[:, padding : padding + size]


def three_taps(kernel, size, stride=1, padding=0):
    wide = torch.zeros((size + 2 * padding - 3) // stride + 1, size + 2 * padding).double()
    for i in range(len(wide)):
        for t in range(3):
            wide[i, i * stride + t] = kernel[t]
    return wide[:, padding : padding + size]


def stride_in_the_rows(kernel, size, stride=1, padding=0):
    matrix = torch.zeros(rows_of(kernel, size, stride, padding), size).double()
    for i in range(len(matrix)):
        for t in range(len(kernel)):
            if 0 <= i + t - padding < size:
                matrix[i, i + t - padding] = kernel[t]
    return matrix


def cut_with_minus_zero(kernel, size, stride=1, padding=0):
    return padded_columns(kernel, size, stride, padding)[:, padding:-padding]


def one_axis_more(kernel, size, stride=1, padding=0):
    return as_matrix(kernel, size, stride, padding)[None]


def sparse_matrix(kernel, size, stride=1, padding=0):
    return as_matrix(kernel, size, stride, padding).to_sparse()


# --- 01.conv2d -------------------------------------------------------------------------------


def torchs(change):
    """F.conv2d with something wrong: change(x, w, s, p, d) -> arguments of F.conv2d."""

    def conv2d(x, weight, stride=1, padding=0, dilation=1):
        x, weight, stride, padding, dilation = change(x, weight, stride, padding, dilation)
        return F.conv2d(x, weight, None, stride, padding, dilation)

    return conv2d


def unfolded(x, weight, stride=1, padding=0, dilation=1):
    n, _, h, _ = x.shape
    o, _, a, b = weight.shape
    columns = F.unfold(x, (a, b), dilation, padding, stride)
    y = weight.flatten(1) @ columns
    high = (h + 2 * padding - dilation * (a - 1) - 1) // stride + 1
    return y.view(n, o, high, -1)


def turned_kernel(x, weight, stride=1, padding=0, dilation=1):
    return unfolded(x, weight.flip(2).flip(3), stride, padding, dilation)


def turned_kernel_rot(x, weight, stride=1, padding=0, dilation=1):
    return unfolded(x, torch.rot90(weight, 2, (2, 3)), stride, padding, dilation)


def pad_right_below(x, weight, stride=1, padding=0, dilation=1):
    return unfolded(F.pad(x, (0, padding, 0, padding)), weight, stride, 0, dilation)


def pad_two(x, weight, stride=1, padding=0, dilation=1):
    return F.conv2d(F.pad(x, (padding, padding)), weight, None, stride, 0, dilation)


def averaged(x, weight, stride=1, padding=0, dilation=1):
    columns = F.unfold(x, weight.shape[2:], dilation, padding, stride)
    y = unfolded(x, weight, stride, padding, dilation)
    return y / columns.shape[1]


def width_first(x, weight, stride=1, padding=0, dilation=1):
    y = unfolded(x, weight, stride, padding, dilation)
    n, o, h, w = y.shape
    return y.reshape(n, o, w, h).transpose(2, 3)


def batch_relabelled(x, weight, stride=1, padding=0, dilation=1):
    columns = F.unfold(x, weight.shape[2:], dilation, padding, stride)
    y = torch.einsum("ok,nkl->onl", weight.flatten(1), columns)
    return y.reshape(unfolded(x, weight, stride, padding, dilation).shape)


def channels_last_weights(x, weight, stride=1, padding=0, dilation=1):
    n, _, h, _ = x.shape
    o, _, a, b = weight.shape
    columns = F.unfold(x, (a, b), dilation, padding, stride)
    y = weight.permute(0, 2, 3, 1).flatten(1) @ columns
    return y.view(n, o, (h + 2 * padding - dilation * (a - 1) - 1) // stride + 1, -1)


def wrong_letters(x, weight, stride=1, padding=0, dilation=1):
    windows = x.unfold(2, weight.shape[2], stride).unfold(3, weight.shape[3], stride)
    return torch.einsum("nchw,ochw->nohw", windows, weight)


def view_of_the_input(x, weight, stride=1, padding=0, dilation=1):
    columns = F.unfold(x, weight.shape[2:], dilation, padding, stride)
    return (weight.flatten(1) @ columns).view(len(x), len(weight), *x.shape[2:])


def flat_places(x, weight, stride=1, padding=0, dilation=1):
    return weight.flatten(1) @ F.unfold(x, weight.shape[2:], dilation, padding, stride)


def height_for_both(x, weight, stride=1, padding=0, dilation=1):
    columns = F.unfold(x, weight.shape[2], dilation, padding, stride)
    high = by_formula(x.shape[2], weight.shape[2], stride, padding, dilation)
    return (weight.flatten(1) @ columns).view(len(x), len(weight), high, -1)


def root_of_the_places(x, weight, stride=1, padding=0, dilation=1):
    y = flat_places(x, weight, stride, padding, dilation)
    side = math.isqrt(y.shape[2])
    return y.view(len(x), len(weight), side, side)


def windows_by_loops(x, weight, stride, padding, dilation, place=lambda i, s: i // s):
    """Loops over the pixels where a window begins; `place` says where its answer goes."""
    x = F.pad(x, (padding,) * 4)
    high, wide = ((k - 1) * dilation + 1 for k in weight.shape[2:])
    rows = (x.shape[2] - high) // stride + 1
    out = x.new_zeros(len(x), len(weight), rows, (x.shape[3] - wide) // stride + 1)
    for i in range(0, x.shape[2] - high + 1, stride):
        for j in range(0, x.shape[3] - wide + 1, stride):
            window = x[:, :, i : i + high : dilation, j : j + wide : dilation]
            answer = torch.einsum("nchw,ochw->no", window, weight)
            out[:, :, place(i, stride), place(j, stride)] = answer
    return out


def by_pixels(x, weight, stride=1, padding=0, dilation=1):
    return windows_by_loops(x, weight, stride, padding, dilation)


def pixels_for_places(x, weight, stride=1, padding=0, dilation=1):
    return windows_by_loops(x, weight, stride, padding, dilation, lambda i, s: i)


def taps_side_by_side(x, weight, stride=1, padding=0, dilation=1):
    """Room for the dilated window, but the window itself is not dilated."""
    y = F.conv2d(x, weight, None, stride, padding)
    want = unfolded(x, weight, stride, padding, dilation).shape
    return y[:, :, : want[2], : want[3]]


def padded_with_the_mean(x, weight, stride=1, padding=0, dilation=1):
    x = F.pad(x, (padding,) * 4, value=x.mean().item())
    return unfolded(x, weight, stride, 0, dilation)


def through_float32(x, weight, stride=1, padding=0, dilation=1):
    return unfolded(x.float(), weight.float(), stride, padding, dilation)


def cut_from_the_graph(x, weight, stride=1, padding=0, dilation=1):
    return unfolded(x, weight.detach(), stride, padding, dilation)


def through_float32_and_back(x, weight, stride=1, padding=0, dilation=1):
    return unfolded(x.float(), weight.float(), stride, padding, dilation).to(x.dtype)


def picture_cut_off(x, weight, stride=1, padding=0, dilation=1):
    return unfolded(x.detach(), weight, stride, padding, dilation)


def picture_by_data(x, weight, stride=1, padding=0, dilation=1):
    return unfolded(x.data, weight, stride, padding, dilation)


def by_module_weight(x, weight, stride=1, padding=0, dilation=1):
    layer = nn.Conv2d(*weight.shape[1::-1], weight.shape[2:], stride, padding, dilation, bias=False)
    layer.weight = nn.Parameter(weight)
    return layer(x)


def new_parameter(x, weight, stride=1, padding=0, dilation=1):
    return unfolded(x, nn.Parameter(weight), stride, padding, dilation)


def torchs_own(x, weight, stride=1, padding=0, dilation=1):
    return torch.convolution(
        x, weight, None, [stride] * 2, [padding] * 2, [dilation] * 2, False, [0, 0], 1
    )


def by_conv3d(x, weight, stride=1, padding=0, dilation=1):
    steps = (1, stride, stride), (0, padding, padding), (1, dilation, dilation)
    return F.conv3d(x[:, :, None], weight[:, :, None], None, *steps)[:, :, 0]


def sparse_map(x, weight, stride=1, padding=0, dilation=1):
    return unfolded(x, weight, stride, padding, dilation).to_sparse()


def as_array(x, weight, stride=1, padding=0, dilation=1):
    return unfolded(x, weight, stride, padding, dilation).numpy()


def channels_first(x, weight, stride=1, padding=0, dilation=1):
    y = unfolded(x, weight, stride, padding, dilation)
    return torch.einsum("nohw->onhw", y)


def not_turned_back(x, weight, stride=1, padding=0, dilation=1):
    columns = F.unfold(x, weight.shape[2:], dilation, padding, stride)
    y = columns.transpose(1, 2) @ weight.flatten(1).T
    high = by_formula(x.shape[2], weight.shape[2], stride, padding, dilation)
    return y.reshape(len(x), len(weight), high, -1)


def order_of_unfold(x, weight, stride=1, padding=0, dilation=1):
    columns = F.unfold(x, weight.shape[2:], padding, dilation, stride)
    high = by_formula(x.shape[2], weight.shape[2], stride, padding, dilation)
    return (weight.flatten(1) @ columns).view(len(x), len(weight), high, -1)


def order_of_unfold_sized(x, weight, stride=1, padding=0, dilation=1):
    columns = F.unfold(x, weight.shape[2:], padding, dilation, stride)
    high = by_formula(x.shape[2], weight.shape[2], stride, padding, dilation)
    wide = by_formula(x.shape[3], weight.shape[3], stride, padding, dilation)
    return (weight.flatten(1) @ columns).view(len(x), len(weight), high, wide)


def weights_not_flat(x, weight, stride=1, padding=0, dilation=1):
    columns = F.unfold(x, weight.shape[2:], dilation, padding, stride)
    high = by_formula(x.shape[2], weight.shape[2], stride, padding, dilation)
    return (weight @ columns).view(len(x), len(weight), high, -1)


def columns_on_the_wrong_side(x, weight, stride=1, padding=0, dilation=1):
    columns = F.unfold(x, weight.shape[2:], dilation, padding, stride)
    high = by_formula(x.shape[2], weight.shape[2], stride, padding, dilation)
    return (columns @ weight.flatten(1)).view(len(x), len(weight), high, -1)


def five_axes(x, weight, stride=1, padding=0, dilation=1):
    return unfolded(x, weight, stride, padding, dilation)[:, :, None]


def span_without_dilation(x, weight, stride=1, padding=0, dilation=1):
    """Places and windows counted without the dilation: the slices at the edge come out short."""
    x = F.pad(x, (padding,) * 4)
    a, b = weight.shape[2:]
    high, wide = ((n - k) // stride + 1 for n, k in zip(x.shape[2:], (a, b), strict=True))
    out = x.new_zeros(len(x), len(weight), high, wide)
    for i in range(high):
        for j in range(wide):
            top, left = i * stride, j * stride
            window = x[:, :, top : top + a * dilation : dilation,
                       left : left + b * dilation : dilation]  # fmt: skip
            out[:, :, i, j] = torch.einsum("nchw,ochw->no", window, weight)
    return out


def with_a_bias(x, weight, stride=1, padding=0, dilation=1):
    return unfolded(x, weight, stride, padding, dilation) + 1


def looped(x, weight, stride=1, padding=0, dilation=1):
    """Four loops and slices; the slowest right answer."""
    n, _, h, w = x.shape
    o, _, a, b = weight.shape
    x = F.pad(x, (padding,) * 4)
    high = (h + 2 * padding - dilation * (a - 1) - 1) // stride + 1
    wide = (w + 2 * padding - dilation * (b - 1) - 1) // stride + 1
    out = x.new_zeros(n, o, high, wide)
    for i in range(high):
        for j in range(wide):
            top, left = i * stride, j * stride
            rows = slice(top, top + (a - 1) * dilation + 1, dilation)
            columns = slice(left, left + (b - 1) * dilation + 1, dilation)
            window = x[:, :, rows, columns]
            out[:, :, i, j] = (window[:, None] * weight).sum((2, 3, 4))
    return out


def tap_by_tap(x, weight, stride=1, padding=0, dilation=1):
    """One product of whole maps for each tap."""
    _, _, h, w = x.shape
    a, b = weight.shape[2:]
    x = F.pad(x, (padding,) * 4)
    high = (h + 2 * padding - dilation * (a - 1) - 1) // stride + 1
    wide = (w + 2 * padding - dilation * (b - 1) - 1) // stride + 1
    out = 0
    for u in range(a):
        for v in range(b):
            top, left = u * dilation, v * dilation
            part = x[:, :, top : top + (high - 1) * stride + 1 : stride,
                     left : left + (wide - 1) * stride + 1 : stride]  # fmt: skip
            out = out + torch.einsum("nchw,oc->nohw", part, weight[:, :, u, v])
    return out


def strided(x, weight, stride=1, padding=0, dilation=1):
    """Windows by the tensor's own unfold, taps by slicing, letters by einsum."""
    a, b = ((k - 1) * dilation + 1 for k in weight.shape[2:])
    windows = F.pad(x, (padding,) * 4).unfold(2, a, stride).unfold(3, b, stride)
    windows = windows[..., ::dilation, ::dilation]
    return torch.einsum("nchwuv,ocuv->nohw", windows, weight)


# --- 01.gap ----------------------------------------------------------------------------------


def gap(layer, x, shift, moved):
    one, other = layer(x.roll(shift, 3)), layer(x).roll(moved, 3)
    return (one - other).abs().amax((0, 1, 2))


def reduced(reduce):
    def wrong(layer, x, shift, moved):
        return reduce(layer(x.roll(shift, 3)) - layer(x).roll(moved, 3))

    return wrong


def rolled(**dims):
    """torch.roll along other axes, or along none."""

    def wrong(layer, x, shift, moved):
        one, other = layer(torch.roll(x, shift, **dims)), torch.roll(layer(x), moved, **dims)
        return (one - other).abs().amax((0, 1, 2))

    return wrong


def down_and_right(layer, x, shift, moved):
    one, other = layer(torch.roll(x, shift, 2)), torch.roll(layer(x), moved, 3)
    return (one - other).abs().amax((0, 1, 2))


def to_the_left(layer, x, shift, moved):
    return gap(layer, x, -shift, -moved)


def not_moved(layer, x, shift, moved):
    return gap(layer, x, shift, 0)


def moved_like_the_picture(layer, x, shift, moved):
    return gap(layer, x, shift, shift)


def moved_back(layer, x, shift, moved):
    back = layer(x.roll(shift, 3)).roll(-moved, 3)
    return (back - layer(x)).abs().amax((0, 1, 2))


def zeros_in(x, by):
    if by > 0:
        return F.pad(x, (by, 0))[..., : x.shape[3]]
    return F.pad(x, (0, -by))[..., -by:]


def filled(layer, x, shift, moved):
    return (layer(zeros_in(x, shift)) - zeros_in(layer(x), moved)).abs().amax((0, 1, 2))


def always_zero(layer, x, shift, moved):
    return torch.zeros(layer(x).shape[3]).double()


def as_numbers(layer, x, shift, moved):
    return gap(layer, x, shift, moved).tolist()


def exchanged(layer, x, shift, moved):
    return gap(layer, x, moved, shift)


def largest_first(layer, x, shift, moved):
    one, other = layer(x.roll(shift, 3)), layer(x).roll(moved, 3)
    return (one.amax((0, 1, 2)) - other.amax((0, 1, 2))).abs()


def largest_size_first(layer, x, shift, moved):
    one, other = layer(x.roll(shift, 3)).abs(), layer(x).roll(moved, 3).abs()
    return (one.amax((0, 1, 2)) - other.amax((0, 1, 2))).abs()


def sparse_gap(layer, x, shift, moved):
    return gap(layer, x, shift, moved).to_sparse()


def by_hand(layer, x, shift, moved):
    one, other = layer(torch.roll(x, (shift,), (-1,))), torch.roll(layer(x), (moved,), (-1,))
    difference = (one - other).abs()
    return difference.max(0).values.max(0).values.max(0).values


def by_index(layer, x, shift, moved):
    def turn(t, by):
        return t[..., [(j - by) % t.shape[3] for j in range(t.shape[3])]]

    difference = layer(turn(x, shift)) - turn(layer(x), moved)
    return difference.permute(3, 0, 1, 2).flatten(1).abs().max(1).values


WRONG = {
    "01.size": [
        ("same-is-a-word", word_ignored),
        ("dilation-forgotten", sized(lambda n, k, s, p, d: (n + 2 * p - k) // s + 1)),
        ("dilation-forgotten", textbook),
        ("dilation-forgotten", textbook_same),
        ("dilation-added", textbook_with_span_added),
        ("dilation-added", sized(lambda n, k, s, p, d: (n + 2 * p - k - d) // s + 1)),
        ("brackets-missing", sized(lambda n, k, s, p, d: n + 2 * p - k // s + 1)),
        ("brackets-missing", sized(lambda n, k, s, p, d: n + 2 * p - d * (k - 1) - 1 // s + 1)),
        ("brackets-missing", sized(lambda n, k, s, p, d: n + 2 * p - (d * (k - 1) + 1) // s + 1)),
        ("dilation-times-kernel", sized(lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1)),
        ("not-whole", true_division),
        ("padding-once", sized(lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1)),
        ("padding-subtracted", sized(lambda n, k, s, p, d: (n - 2 * p - d * (k - 1) - 1) // s + 1)),
        ("padding-forgotten", sized(lambda n, k, s, p, d: (n - d * (k - 1) - 1) // s + 1)),
        (
            "rounded-up",
            sized(lambda n, k, s, p, d: math.ceil((n + 2 * p - d * (k - 1) - 1) / s) + 1),
        ),
        (
            "rounded-to-nearest",
            sized(lambda n, k, s, p, d: round((n + 2 * p - d * (k - 1) - 1) / s) + 1),
        ),
        (
            "rounded-to-nearest",
            sized(lambda n, k, s, p, d: round((n + 2 * p - d * (k - 1) - 1) / s + 1)),
        ),
        ("first-place-forgotten", sized(lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s)),
        ("first-place-divided", sized(lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s)),
        ("one-too-far", sized(lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s + 1)),
        ("stride-forgotten", sized(lambda n, k, s, p, d: n + 2 * p - d * (k - 1))),
        ("only-divided", sized(lambda n, k, s, p, d: n // s)),
        ("same-is-zero", sized(by_formula, lambda n, k, d: n - d * (k - 1))),
        ("same-by-halves", pads_by_half),
        ("same-needs-an-even-sum", pads_by_half_dilated),
        ("same-by-halves", sized(by_formula, lambda n, k, d: by_formula(n, k, 1, (k - 1) // 2, d))),
        (
            "same-needs-an-odd-kernel",
            sized(by_formula, lambda n, k, d: by_formula(n, k, 1, d * (k // 2), d)),
        ),
        (
            "same-needs-an-odd-kernel",
            sized(by_formula, lambda n, k, d: by_formula(n, k, 1, d * ((k - 1) // 2), d)),
        ),
        ("returns-none", sized(lambda *numbers: None)),
        ("wrong-type", as_a_tuple),
        ("wrong-signature", no_names),
        (None, always_thirty_two),
    ],
    "01.count": [
        (
            "bias-forgotten",
            counted(
                lambda i, w, c, p: i * c * p, lambda i, w, c, p: w * c * p, lambda i, w, c, p: w * c
            ),
        ),
        (
            "one-bias-for-all",
            counted(
                lambda i, w, c, p: i * c * p + 1,
                lambda i, w, c, p: w * c * p + 1,
                lambda i, w, c, p: w * c + 1,
            ),
        ),
        (
            "bias-per-channel-everywhere",
            counted(lambda i, w, c, p: i * c * p + c, lambda i, w, c, p: w * c * p + c),
        ),
        ("bias-per-channel-everywhere", counted(local=lambda i, w, c, p: w * c * p + c)),
        (
            "one-kernel-for-all-outputs",
            counted(local=lambda i, w, c, p: (w + 1) * p, shared=lambda i, w, c, p: w + 1),
        ),
        ("depth-forgotten", flat_window),
        ("one-kernel-for-all-outputs", counted(shared=lambda i, w, c, p: w + 1)),
        ("square-window", square_window),
        ("places-of-the-input", window_at_each_pixel),
        ("not-shared", counted(shared=lambda i, w, c, p: (w + 1) * c * p)),
        ("order", from_small_to_large),
        ("order", local_last),
        ("full-is-wrong", counted(full=lambda i, w, c, p: i + c * p)),
        ("local-is-wrong", counted(local=lambda i, w, c, p: w * c * p)),
        ("shared-is-wrong", counted(shared=lambda i, w, c, p: w * c)),
        ("wrong-type", as_dictionary),
        ("wrong-type", as_floats),
    ],
    "01.matrix": [
        ("turned-round", backwards),
        ("transposed", on_its_side),
        ("padding-has-columns", padded_columns),
        ("wraps-around", negative_index),
        ("wraps-around", with_modulo),
        ("first-window-at-zero", begins_at_zero),
        ("padding-ignored", no_padding),
        ("stride-ignored", no_stride),
        ("stride-in-the-rows-only", stride_in_the_rows),
        ("three-weights-only", three_weights),
        ("three-weights-only", three_taps),
        ("wrong-shape", cut_with_minus_zero),
        ("wrong-shape", one_axis_more),
        ("wrong-type", sparse_matrix),
        ("stride-spreads-the-taps", stride_for_the_taps),
        ("row-reversed", bottom_up),
        ("outside", writes_outside),
        ("outside", writes_behind_the_end),
        ("slice-over-the-edge", slices_over_the_edge),
        ("rows-miscounted", square_matrix),
        ("wrong-dtype", single_precision),
        ("wrong-type", nested_lists),
    ],
    "01.conv2d": [
        ("turned-round", turned_kernel),
        ("turned-round", turned_kernel_rot),
        ("kernel-transposed", torchs(lambda x, w, s, p, d: (x, w.mT, s, p, d))),
        ("padding-ignored", torchs(lambda x, w, s, p, d: (x, w, s, 0, d))),
        ("padding-twice", torchs(lambda x, w, s, p, d: (F.pad(x, (p,) * 4), w, s, p, d))),
        ("padding-one-sided", pad_right_below),
        ("padding-two-sides", pad_two),
        (
            "padding-repeats-the-edge",
            torchs(lambda x, w, s, p, d: (F.pad(x, (p,) * 4, mode="replicate"), w, s, 0, d)),
        ),
        (
            "padding-with-ones",
            torchs(lambda x, w, s, p, d: (F.pad(x, (p,) * 4, value=1), w, s, 0, d)),
        ),
        ("stride-ignored", torchs(lambda x, w, s, p, d: (x, w, 1, p, d))),
        ("dilation-ignored", torchs(lambda x, w, s, p, d: (x, w, s, p, 1))),
        ("dilation-and-stride-swapped", torchs(lambda x, w, s, p, d: (x, w, d, p, s))),
        ("averaged", averaged),
        ("places-in-columns", width_first),
        ("images-and-channels-mixed", batch_relabelled),
        ("channels-in-another-order", channels_last_weights),
        (
            "channels-added-first",
            torchs(lambda x, w, s, p, d: (x.sum(1, True), w.sum(1, True), s, p, d)),
        ),
        ("weights-exchanged", torchs(lambda x, w, s, p, d: (x, w.transpose(0, 1), s, p, d))),
        ("first-channel-only", torchs(lambda x, w, s, p, d: (x[:, :1], w[:, :1], s, p, d))),
        ("first-image-only", torchs(lambda x, w, s, p, d: (x[:1], w, s, p, d))),
        ("einsum-letters", wrong_letters),
        ("view-does-not-fit", view_of_the_input),
        ("wrong-shape", flat_places),
        ("only-square-windows", height_for_both),
        ("only-square-outputs", root_of_the_places),
        ("wrong-with-stride", pixels_for_places),
        ("wrong-with-dilation", taps_side_by_side),
        ("wrong-with-padding", padded_with_the_mean),
        ("wrong-dtype", through_float32),
        ("single-precision", through_float32_and_back),
        ("channels-before-images", channels_first),
        ("places-before-channels", not_turned_back),
        ("order-of-unfold", order_of_unfold),
        ("order-of-unfold", order_of_unfold_sized),
        ("product-does-not-fit", weights_not_flat),
        ("product-does-not-fit", columns_on_the_wrong_side),
        ("wrong-with-dilation", span_without_dilation),
        ("wrong-shape", five_axes),
        ("wrong-type", sparse_map),
        ("wrong-type", as_array),
        ("x and weight get a gradient", cut_from_the_graph),
        ("x and weight get a gradient", picture_cut_off),
        ("x and weight get a gradient", picture_by_data),
        ("x and weight get a gradient", new_parameter),
        ("torch's own convolution is not called", torchs(lambda *same: same)),
        ("torch's own convolution is not called", by_module_weight),
        ("torch's own convolution is not called", torchs_own),
        ("torch's own convolution is not called", by_conv3d),
        (None, with_a_bias),
    ],
    "01.gap": [
        ("one-number", reduced(lambda diff: diff.abs().max())),
        ("one-number", reduced(lambda diff: diff.abs().max().item())),
        ("max-gives-a-pair", reduced(lambda diff: diff.abs().max(dim=2))),
        ("axes-left", reduced(lambda diff: diff.abs())),
        ("axes-left", reduced(lambda diff: diff.abs().amax((0, 1)))),
        ("rows", reduced(lambda diff: diff.abs().amax((0, 1, 3)))),
        ("all-axes-rolled", rolled()),
        ("moved-down", rolled(dims=2)),
        ("moved-down", down_and_right),
        ("channels-rolled", rolled(dims=1)),
        ("moved-left", to_the_left),
        ("map-not-moved", not_moved),
        ("moved-by-shift", moved_like_the_picture),
        ("moved-back", moved_back),
        ("filled-with-zeros", filled),
        ("numbers-exchanged", exchanged),
        ("largest-before-the-difference", largest_first),
        ("largest-before-the-difference", largest_size_first),
        ("squared", reduced(lambda diff: diff.square().amax((0, 1, 2)))),
        ("wrong-type", sparse_gap),
        ("signed", reduced(lambda diff: diff.amax((0, 1, 2)))),
        ("averaged", reduced(lambda diff: diff.abs().mean((0, 1, 2)))),
        ("added-up", reduced(lambda diff: diff.abs().sum((0, 1, 2)))),
        ("wrong-type", as_numbers),
        (None, always_zero),
    ],
}

RIGHT = {
    "01.size": [by_walking, by_range, by_floor, by_numpy, by_module],
    "01.count": [counted(), by_layers, by_numpy_counts],
    "01.matrix": [as_matrix, cut_from_padded, from_unit_rows, by_diagonals],
    "01.conv2d": [unfolded, looped, tap_by_tap, strided, by_pixels],
    "01.gap": [gap, by_hand, by_index],
}
