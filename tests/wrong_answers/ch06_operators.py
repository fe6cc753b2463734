"""Chapter 06: answers that learners give, wrong with their diagnosis and right in other ways."""

import copy
import random

import torch
import torch.nn.functional as F
from torch import nn

# --- 06.shuffle ------------------------------------------------------------------------------


def widely_copied(x, groups, undo=False):
    n, c, h, w = x.shape
    groups = c // groups if undo else groups
    x = x.reshape(n, c // groups, groups, h, w)
    return x.permute(0, 2, 1, 3, 4).reshape(n, c, h, w)


def widely_copied_no_undo(x, groups, undo=False):
    n, c, h, w = x.shape
    return x.view(n, c // groups, groups, h, w).transpose(1, 2).reshape(n, c, h, w)


def reshaped_there_and_back(x, groups, undo=False):
    n, c, h, w = x.shape
    return x.reshape(n, groups, c // groups, h, w).reshape(n, c, h, w)


def always_forward(x, groups, undo=False):
    n, c, h, w = x.shape
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


def axes_counted_from_one(x, groups, undo=False):
    n, c, h, w = x.shape
    groups = c // groups if undo else groups
    return x.reshape(n, groups, c // groups, h, w).transpose(0, 1).reshape(n, c, h, w)


def axes_too_far_right(x, groups, undo=False):
    n, c, h, w = x.shape
    groups = c // groups if undo else groups
    return x.reshape(n, groups, c // groups, h, w).transpose(2, 3).reshape(n, c, h, w)


def table_of_everything(x, groups, undo=False):
    if undo:
        groups = x.shape[1] // groups
    return x.reshape(groups, -1).T.reshape(x.shape)


def dice(x, groups, undo=False):
    return x[:, torch.randperm(x.shape[1])]


def view_at_the_end(x, groups, undo=False):
    n, c, h, w = x.shape
    groups = c // groups if undo else groups
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).view(n, c, h, w)


def five_axes_left(x, groups, undo=False):
    n, c, h, w = x.shape
    groups = c // groups if undo else groups
    return x.reshape(n, groups, c // groups, h, w).transpose(1, 2)


def shuffled_by_python(x, groups, undo=False):
    order = list(range(x.shape[1]))
    random.shuffle(order)
    return x[:, order]


def in_place(x, groups, undo=False):
    x.copy_(shuffle_by_index(x, groups, undo))
    return x


def reversed_channels(x, groups, undo=False):
    return x.flip(1)


def shuffle_by_index(x, groups, undo=False):
    each = x.shape[1] // groups
    order = [row * each + column for column in range(each) for row in range(groups)]
    if undo:
        order = sorted(range(len(order)), key=order.__getitem__)
    return x[:, order]


def shuffle_by_chunks(x, groups, undo=False):
    parts = x.chunk(x.shape[1] // groups if undo else groups, dim=1)
    return torch.stack(parts, dim=2).flatten(1, 2)


def shuffle_by_torch(x, groups, undo=False):
    return nn.ChannelShuffle(x.shape[1] // groups if undo else groups)(x)


def filled_in_place(x, groups, undo=False):
    out = x
    for i in range(x.shape[1]):
        row, column = divmod(i, x.shape[1] // groups)
        out[:, column * groups + row] = x[:, i]
    return out


def in_place_no_undo(x, groups, undo=False):
    x.copy_(always_forward(x, groups))
    return x


def undo_gives_x(x, groups, undo=False):
    return x if undo else always_forward(x, groups)


def undo_without_transpose(x, groups, undo=False):
    n, c, h, w = x.shape
    if undo:
        return x.reshape(n, c // groups, groups, h, w).reshape(n, c, h, w)
    return always_forward(x, groups)


def undo_by_flip(x, groups, undo=False):
    y = always_forward(x, groups)
    return y.flip(1) if undo else y


def images_merged(x, groups, undo=False):
    n, c, h, w = x.shape
    groups = c // groups if undo else groups
    return x.reshape(groups, n * c // groups, h, w).transpose(0, 1).reshape(n, c, h, w)


def two_groups(x, groups, undo=False):
    n, c, h, w = x.shape
    groups = c // 2 if undo else 2
    return x.reshape(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


# --- 06.hswish -------------------------------------------------------------------------------


def swish(x):
    return x * torch.sigmoid(x)


def three_too_late(x):
    return x * (F.relu6(x) + 3) / 6


def no_six(x):
    return x * torch.clamp(x + 3, 0, 6)


def by_three(x):
    return x * torch.clamp(x + 3, 0, 6) / 3


def only_the_gate(x):
    return F.relu6(x + 3) / 6


def relu_for_relu6(x):
    return x * torch.relu(x + 3) / 6


def minimum_only(x):
    return x * torch.minimum(x + 3, torch.full_like(x, 6)) / 6


def no_shift(x):
    return x * F.relu6(x) / 6


def older_library(x):
    return x * torch.clip(0.2 * x + 0.5, 0, 1)


def case_by_case(x):
    if x <= -3:
        return torch.zeros_like(x)
    if x >= 3:
        return x
    return x * (x + 3) / 6


def gate_in_place(x):
    gate = F.relu6(x + 3) / 6
    return x.mul_(gate)


def to_float32(x):
    return (x * F.relu6(x + 3) / 6).float()


def clipped_at_one(x):
    return x * torch.clamp(x + 3, 0, 1)


def ramp_from_zero(x):
    return x * torch.clamp(x / 3, 0, 1)


def low_floor(x):
    return x * torch.clamp(x / 6 + 0.5, -1, 1)


def whole_division(x):
    return x * (F.relu6(x + 3) // 6)


def minus_three(x):
    return x * F.relu6(x - 3) / 6


def all_clipped(x):
    return F.relu6(x * (x + 3)) / 6


def all_clipped_later(x):
    return F.relu6(x * (x + 3) / 6)


def filled_zeros(x):
    out = torch.zeros(x.shape)
    out[x > 3] = x[x > 3]
    middle = x.abs() <= 3
    out[middle] = x[middle] * (x[middle] + 3) / 6
    return out


def gate_detached(x):
    return x * (F.relu6(x + 3) / 6).detach()


def where_where(x):
    return torch.where(x <= -3, 0 * x, torch.where(x >= 3, x, x * (x + 3) / 6))


def clamp_first(x):
    return x * (x.clamp(-3, 3) + 3) / 6


def by_torch(x):
    return nn.Hardswish()(x)


# --- 06.batchnorm ----------------------------------------------------------------------------


class Layer(nn.Module):
    """What the learner is given; each answer overrides forward."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def keep(self, mean, var):
        with torch.no_grad():
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * var

    def scale(self, x, mean, root):
        x = (x - mean.view(1, -1, 1, 1)) / root.view(1, -1, 1, 1)
        return x * self.gamma.view(1, -1, 1, 1) + self.beta.view(1, -1, 1, 1)


class AlwaysRunning(Layer):
    def forward(self, x):
        if self.training:
            self.keep(x.mean((0, 2, 3)), x.var((0, 2, 3)))
        return self.scale(x, self.running_mean, torch.sqrt(self.running_var + self.eps))


class RunningFirst(Layer):
    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            self.keep(x.mean((0, 2, 3)), x.var((0, 2, 3)))
            return self.scale(x, mean, torch.sqrt(var + self.eps))
        return self.scale(x, self.running_mean, torch.sqrt(self.running_var + self.eps))


class AlwaysBatch(Layer):
    def forward(self, x):
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        if self.training:
            self.keep(mean, x.var((0, 2, 3)))
        return self.scale(x, mean, torch.sqrt(var + self.eps))


class KeepsInEval(Layer):
    def forward(self, x):
        self.keep(x.mean((0, 2, 3)), x.var((0, 2, 3)))
        if not self.training:
            return self.scale(x, self.running_mean, torch.sqrt(self.running_var + self.eps))
        var = x.var((0, 2, 3), correction=0)
        return self.scale(x, x.mean((0, 2, 3)), torch.sqrt(var + self.eps))


class NeverKeeps(Layer):
    def forward(self, x):
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        if not self.training:
            mean, var = self.running_mean, self.running_var
        return self.scale(x, mean, torch.sqrt(var + self.eps))


class Axes(Layer):
    axes = (0, 2, 3)

    def forward(self, x):
        g, b = self.gamma.view(1, -1, 1, 1), self.beta.view(1, -1, 1, 1)
        if self.training:
            self.keep(x.mean((0, 2, 3)), x.var((0, 2, 3)))
            mean = x.mean(self.axes, keepdim=True)
            var = x.var(self.axes, correction=0, keepdim=True)
        else:
            mean, var = self.running_mean.view(1, -1, 1, 1), self.running_var.view(1, -1, 1, 1)
        return g * (x - mean) / torch.sqrt(var + self.eps) + b


class PerPixel(Axes):
    axes = (0,)


class PerImage(Axes):
    axes = (2, 3)


class Everything(Axes):
    axes = (0, 1, 2, 3)


class Usual(Layer):
    """Right but for what a subclass changes."""

    output, kept = 0, 1

    def root(self, var):
        return torch.sqrt(var + self.eps)

    def remember(self, mean, var):
        self.keep(mean, var)

    def forward(self, x):
        if self.training:
            mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=self.output)
            self.remember(mean, x.var((0, 2, 3), correction=self.kept))
        else:
            mean, var = self.running_mean, self.running_var
        return self.scale(x, mean, self.root(var))


class Swapped(Usual):
    output, kept = 1, 0


class DefaultVar(Usual):
    output, kept = 1, 1


class AllBiased(Usual):
    output, kept = 0, 0


class OldShare(Usual):
    def remember(self, mean, var):
        with torch.no_grad():
            self.running_mean.mul_(self.momentum).add_((1 - self.momentum) * mean)
            self.running_var.mul_(self.momentum).add_((1 - self.momentum) * var)


class EpsOutside(Usual):
    def root(self, var):
        return torch.sqrt(var) + self.eps


class NoEps(Usual):
    def root(self, var):
        return torch.sqrt(var)


class NoRoot(Usual):
    def root(self, var):
        return var + self.eps


class KeepsStd(Usual):
    def remember(self, mean, var):
        self.keep(mean, var.sqrt())


class NoAffine(Usual):
    def scale(self, x, mean, root):
        return (x - mean.view(1, -1, 1, 1)) / root.view(1, -1, 1, 1)


class WithHistory(Layer):
    def forward(self, x):
        if self.training:
            mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
            kept = x.var((0, 2, 3))
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * kept
        else:
            mean, var = self.running_mean, self.running_var
        return self.scale(x, mean, torch.sqrt(var + self.eps))


class Detached(Usual):
    def scale(self, x, mean, root):
        return super().scale(x, mean.detach(), root.detach())


class NoBuffers(Usual):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__(channels, eps, momentum)
        del self.running_mean, self.running_var
        self.running_mean = torch.zeros(channels)
        self.running_var = torch.ones(channels)


class NotBroadcast(Usual):
    def scale(self, x, mean, root):
        return self.gamma * (x - mean) / root + self.beta


class OneMode(Layer):
    def forward(self, x):
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        return self.scale(x, mean, torch.sqrt(var + self.eps))


class Inverted(Layer):
    def forward(self, x):
        if not self.training:
            mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
            self.keep(mean, x.var((0, 2, 3)))
        else:
            mean, var = self.running_mean, self.running_var
        return self.scale(x, mean, torch.sqrt(var + self.eps))


class Replaces(Usual):
    def remember(self, mean, var):
        self.running_mean, self.running_var = mean.detach(), var.detach()


class Adds(Usual):
    def remember(self, mean, var):
        with torch.no_grad():
            self.running_mean = self.running_mean + self.momentum * mean
            self.running_var = self.running_var + self.momentum * var


class FixedMomentum(Usual):
    def remember(self, mean, var):
        with torch.no_grad():
            self.running_mean = 0.9 * self.running_mean + 0.1 * mean
            self.running_var = 0.9 * self.running_var + 0.1 * var


class FixedEps(Usual):
    def root(self, var):
        return torch.sqrt(var + 1e-5)


class NoBeta(Usual):
    def scale(self, x, mean, root):
        x = (x - mean.view(1, -1, 1, 1)) / root.view(1, -1, 1, 1)
        return x * self.gamma.view(1, -1, 1, 1)


class NoGamma(Usual):
    def scale(self, x, mean, root):
        x = (x - mean.view(1, -1, 1, 1)) / root.view(1, -1, 1, 1)
        return x + self.beta.view(1, -1, 1, 1)


class OwnStd(Usual):
    def forward(self, x):
        if self.training:
            mean = x.mean((0, 2, 3))
            self.keep(mean, x.var((0, 2, 3)))
        else:
            mean = self.running_mean
        return self.scale(x, mean, x.std((0, 2, 3)))


class StdInTraining(Usual):
    def forward(self, x):
        if self.training:
            mean, std = x.mean((0, 2, 3)), x.std((0, 2, 3))
            self.keep(mean, std**2)
        else:
            mean, std = self.running_mean, self.running_var.sqrt()
        return self.scale(x, mean, std + self.eps)


class OneNumber(Layer):
    def forward(self, x):
        if self.training:
            mean, var = x.mean(), x.var(correction=0)
            self.keep(mean, x.var())
        else:
            mean, var = self.running_mean.view(1, -1, 1, 1), self.running_var.view(1, -1, 1, 1)
        x = (x - mean) / torch.sqrt(var + self.eps)
        return x * self.gamma.view(1, -1, 1, 1) + self.beta.view(1, -1, 1, 1)


class OneNumberBiased(OneNumber):
    def keep(self, mean, var):
        pass

    def forward(self, x):
        x = (x - x.mean()) / torch.sqrt(x.var(correction=0) + self.eps)
        return x * self.gamma.view(1, -1, 1, 1) + self.beta.view(1, -1, 1, 1)


class PixelAxesOnly(Layer):
    def forward(self, x):
        if self.training:
            mean, var = x.mean((2, 3)), x.var((2, 3), correction=0)
            self.keep(mean, x.var((2, 3), correction=0))
        else:
            mean, var = self.running_mean, self.running_var
        x = (x - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        return x * self.gamma[:, None, None] + self.beta[:, None, None]


class MixedKeepdim(Layer):
    def forward(self, x):
        if self.training:
            mean = x.mean((0, 2, 3), keepdim=True)
            var = x.var((0, 2, 3), correction=0, keepdim=True)
            self.keep(mean, x.var((0, 2, 3), keepdim=True))
        else:
            mean, var = self.running_mean, self.running_var
        x = (x - mean) / torch.sqrt(var + self.eps)
        return x * self.gamma[:, None, None] + self.beta[:, None, None]


class Functional(Layer):
    def forward(self, x):
        statistics = self.running_mean, self.running_var, self.gamma, self.beta
        return F.batch_norm(x, *statistics, self.training, self.momentum, self.eps)


class ByHand(Layer):
    def forward(self, x):
        c = x.shape[1]
        if self.training:
            rows = x.transpose(0, 1).reshape(c, -1)
            n = rows.shape[1]
            mean = rows.sum(1) / n
            var = ((rows - mean[:, None]) ** 2).sum(1) / n
            with torch.no_grad():
                self.running_mean += self.momentum * (mean - self.running_mean)
                self.running_var += self.momentum * (var * n / (n - 1) - self.running_var)
        else:
            mean, var = self.running_mean, self.running_var
        a = self.gamma / torch.sqrt(var + self.eps)
        return x * a[:, None, None] + (self.beta - mean * a)[:, None, None]


# --- 06.fold ---------------------------------------------------------------------------------


def assembled(conv, weight, bias, **changed):
    settings = {
        "stride": conv.stride,
        "padding": conv.padding,
        "dilation": conv.dilation,
        "groups": conv.groups,
    }
    settings.update(changed)
    sizes = conv.in_channels, conv.out_channels, conv.kernel_size
    new = nn.Conv2d(*sizes, bias=bias is not None, **settings)
    new.weight = nn.Parameter(weight)
    if bias is not None:
        new.bias = nn.Parameter(bias)
    return new


def parts(conv, norm):
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    bias = torch.zeros_like(norm.bias) if conv.bias is None else conv.bias
    return scale, bias, conv.weight * scale[:, None, None, None]


def no_mean(conv, norm):
    scale, bias, weight = parts(conv, norm)
    return assembled(conv, weight, norm.bias + bias * scale)


def own_bias_lost(conv, norm):
    scale, _, weight = parts(conv, norm)
    return assembled(conv, weight, norm.bias - norm.running_mean * scale)


def own_bias_as_it_is(conv, norm):
    scale, bias, weight = parts(conv, norm)
    return assembled(conv, weight, bias + norm.bias - norm.running_mean * scale)


def mean_as_it_is(conv, norm):
    scale, bias, weight = parts(conv, norm)
    return assembled(conv, weight, bias * scale + norm.bias - norm.running_mean)


def no_beta(conv, norm):
    scale, bias, weight = parts(conv, norm)
    return assembled(conv, weight, (bias - norm.running_mean) * scale)


def no_bias(conv, norm):
    return assembled(conv, parts(conv, norm)[2], None)


def weights_as_they_are(conv, norm):
    scale, bias, _ = parts(conv, norm)
    return assembled(conv, conv.weight, norm.bias + (bias - norm.running_mean) * scale)


def folded_with(conv, norm, scale):
    bias = torch.zeros_like(norm.bias) if conv.bias is None else conv.bias
    bias = norm.bias + (bias - norm.running_mean) * scale
    return assembled(conv, conv.weight * scale[:, None, None, None], bias)


def no_gamma(conv, norm):
    return folded_with(conv, norm, 1 / torch.sqrt(norm.running_var + norm.eps))


def no_eps(conv, norm):
    return folded_with(conv, norm, norm.weight / torch.sqrt(norm.running_var))


def eps_outside(conv, norm):
    return folded_with(conv, norm, norm.weight / (torch.sqrt(norm.running_var) + norm.eps))


def no_root(conv, norm):
    return folded_with(conv, norm, norm.weight / (norm.running_var + norm.eps))


def scaled_inputs(conv, norm):
    scale, bias, _ = parts(conv, norm)
    bias = norm.bias + (bias - norm.running_mean) * scale
    return assembled(conv, conv.weight * scale.view(1, -1, 1, 1), bias)


def right_parts(conv, norm):
    scale, bias, weight = parts(conv, norm)
    return weight, norm.bias + (bias - norm.running_mean) * scale


def no_dilation(conv, norm):
    return assembled(conv, *right_parts(conv, norm), dilation=1)


def no_settings(conv, norm):
    return assembled(conv, *right_parts(conv, norm), stride=1, padding=0, dilation=1)


def no_groups(conv, norm):
    return assembled(conv, *right_parts(conv, norm), groups=1)


def needs_a_bias(conv, norm):
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    bias = (conv.bias - norm.running_mean) * scale + norm.bias
    return assembled(conv, conv.weight * scale.view(-1, 1, 1, 1), bias)


def two_in_a_row(conv, norm):
    return nn.Sequential(conv, norm)


def pair_returned(conv, norm):
    return right_parts(conv, norm)


def changes_the_old_one(conv, norm):
    weight, bias = right_parts(conv, norm)
    conv.weight = nn.Parameter(weight)
    conv.bias = nn.Parameter(bias)
    return conv


def copied(conv, weight, bias, **changed):
    """The other natural style: a plain new layer in float32, filled with copy_."""
    settings = {"padding": conv.padding, "dilation": conv.dilation, "groups": conv.groups}
    settings.update(changed)
    new = nn.Conv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size, stride=conv.stride, **settings
    )
    with torch.no_grad():
        new.weight.copy_(weight)
        if bias is not None:
            new.bias.copy_(bias)
    return new


def by_copy(conv, norm):
    return copied(conv, *right_parts(conv, norm))


def by_data(conv, norm):
    new = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,
        conv.stride,
        conv.padding,
        conv.dilation,
        conv.groups,
    )
    new.weight.data, new.bias.data = right_parts(conv, norm)
    return new


def channel_by_channel(conv, norm):
    new = copied(conv, conv.weight, None)
    with torch.no_grad():
        for c in range(conv.out_channels):
            scale = norm.weight[c] / (norm.running_var[c] + norm.eps) ** 0.5
            own = 0.0 if conv.bias is None else conv.bias[c]
            new.weight[c] = conv.weight[c] * scale
            new.bias[c] = norm.bias[c] + (own - norm.running_mean[c]) * scale
    return new


def copied_with_bias(shift):
    def fold(conv, norm):
        scale, bias, weight = parts(conv, norm)
        return copied(conv, weight, shift(bias, norm.bias, norm.running_mean, scale))

    return fold


def copied_with_scale(scale_of):
    def fold(conv, norm):
        scale = scale_of(norm)
        bias = torch.zeros_like(norm.bias) if conv.bias is None else conv.bias
        bias = norm.bias + (bias - norm.running_mean) * scale
        return copied(conv, conv.weight * scale[:, None, None, None], bias)

    return fold


def gamma_twice(conv, norm):
    scale, bias, weight = parts(conv, norm)
    return copied(conv, weight, norm.bias + (bias - norm.running_mean) * scale * norm.weight)


def copied_no_groups(conv, norm):
    return copied(conv, *right_parts(conv, norm), groups=1)


def copied_no_padding(conv, norm):
    return copied(conv, *right_parts(conv, norm), padding=0)


def copied_no_settings(conv, norm):
    return copied(conv, *right_parts(conv, norm), padding=0, dilation=1, groups=1)


def copied_no_bias(conv, norm):
    return copied(conv, right_parts(conv, norm)[0], None)


def copied_scale_flat(conv, norm):
    scale, _, _ = parts(conv, norm)
    return copied(conv, conv.weight * scale, right_parts(conv, norm)[1])


def parameter_scale_flat(conv, norm):
    scale, _, _ = parts(conv, norm)
    return assembled(conv, conv.weight * scale, right_parts(conv, norm)[1])


def copied_scaled_inputs(conv, norm):
    scale, _, _ = parts(conv, norm)
    return copied(conv, conv.weight * scale[None, :, None, None], right_parts(conv, norm)[1])


def copied_bias_none(conv, norm):
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    bias = norm.bias + (conv.bias - norm.running_mean) * scale
    return copied(conv, conv.weight * scale[:, None, None, None], bias)


def bias_or_zeros(conv, norm):
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    bias = conv.bias or torch.zeros(conv.out_channels)
    bias = norm.bias + (bias - norm.running_mean) * scale
    return copied(conv, conv.weight * scale[:, None, None, None], bias)


def copied_with_gradients(conv, norm):
    weight, bias = right_parts(conv, norm)
    new = copied(conv, conv.weight, None)
    new.weight.copy_(weight)
    new.bias.copy_(bias)
    return new


def tensor_assigned(conv, norm):
    new = copied(conv, conv.weight, None)
    new.weight, new.bias = right_parts(conv, norm)
    return new


def by_unit_impulse(conv, norm):
    new = assembled(conv, *right_parts(conv, norm))
    with torch.no_grad():
        zeros = torch.zeros_like(norm.bias)[None, :, None, None]
        shift = norm(zeros).flatten()
        scale = norm(zeros + 1).flatten() - shift
        new.weight.copy_(conv.weight * scale.view(-1, 1, 1, 1))
        own = 0 if conv.bias is None else conv.bias
        new.bias.copy_(own * scale + shift)
    return new


def from_a_copy(conv, norm):
    new = copy.deepcopy(conv)
    spread = (norm.running_var + norm.eps).pow(-0.5) * norm.weight
    new.weight.data = torch.einsum("oikl,o->oikl", conv.weight.data, spread.data)
    start = -norm.running_mean if conv.bias is None else conv.bias - norm.running_mean
    new.bias = nn.Parameter((start * spread + norm.bias).detach())
    return new


def fused_by_torch(conv, norm):
    return torch.nn.utils.fusion.fuse_conv_bn_eval(conv.eval(), norm)


# --- 06.squeeze ------------------------------------------------------------------------------


def gate_of(x, w1, b1, w2, b2):
    return F.hardsigmoid(F.linear(F.relu(F.linear(x.mean((2, 3)), w1, b1)), w2, b2))


def smooth(x, w1, b1, w2, b2):
    s = torch.sigmoid(torch.relu(x.mean((2, 3)) @ w1.T + b1) @ w2.T + b2)
    return x * s[:, :, None, None]


def straight_through(x, w1, b1, w2, b2):
    return x * F.hardsigmoid((x.mean((2, 3)) @ w1.T + b1) @ w2.T + b2)[:, :, None, None]


def gate_alone(x, w1, b1, w2, b2):
    return gate_of(x, w1, b1, w2, b2)


def gate_alone_shaped(x, w1, b1, w2, b2):
    return gate_of(x, w1, b1, w2, b2)[:, :, None, None]


def plus_gate(x, w1, b1, w2, b2):
    return x + gate_of(x, w1, b1, w2, b2)[:, :, None, None]


def with_shortcut(x, w1, b1, w2, b2):
    return x + x * gate_of(x, w1, b1, w2, b2)[:, :, None, None]


def by_maximum(x, w1, b1, w2, b2):
    s = F.relu(F.linear(F.adaptive_max_pool2d(x, 1).flatten(1), w1, b1))
    return x * F.hardsigmoid(F.linear(s, w2, b2))[:, :, None, None]


def by_sum(x, w1, b1, w2, b2):
    s = F.relu(F.linear(x.sum(dim=(-2, -1)), w1, b1))
    return x * F.hardsigmoid(F.linear(s, w2, b2))[:, :, None, None]


def one_gate_for_all(x, w1, b1, w2, b2):
    s = F.relu(F.linear(x.mean((0, 2, 3)), w1, b1))
    return x * F.hardsigmoid(F.linear(s, w2, b2))[None, :, None, None]


def broadcast_by_luck(x, w1, b1, w2, b2):
    return x * gate_of(x, w1, b1, w2, b2)


def weights_unturned(x, w1, b1, w2, b2):
    s = torch.relu(x.mean((2, 3)) @ w1 + b1)
    return x * F.hardsigmoid(s @ w2 + b2)[:, :, None, None]


def writes_into_x(x, w1, b1, w2, b2):
    x *= gate_of(x, w1, b1, w2, b2)[:, :, None, None]
    return x


def biases_swapped_away(x, w1, b1, w2, b2):
    s = F.relu(F.linear(x.mean((2, 3)), w1))
    return x * F.hardsigmoid(F.linear(s, w2))[:, :, None, None]


def gated_by(gate, middle=F.relu):
    def answer(x, w1, b1, w2, b2):
        s = middle(F.linear(x.mean((2, 3)), w1, b1))
        return x * gate(F.linear(s, w2, b2))[:, :, None, None]

    return answer


def second_bias_lost(x, w1, b1, w2, b2):
    s = F.relu(F.linear(x.mean((2, 3)), w1, b1))
    return x * F.hardsigmoid(s @ w2.T)[:, :, None, None]


def first_bias_lost(x, w1, b1, w2, b2):
    s = F.relu(x.mean((2, 3)) @ w1.T)
    return x * F.hardsigmoid(F.linear(s, w2, b2))[:, :, None, None]


def gate_on_rows(x, w1, b1, w2, b2):
    return x * gate_of(x, w1, b1, w2, b2)[:, None, :, None]


def gate_one_to_the_right(x, w1, b1, w2, b2):
    return x * gate_of(x, w1, b1, w2, b2)[None, :, :, None]


def kept_two_axes(x, w1, b1, w2, b2):
    s = F.relu(F.linear(x.mean((2, 3), keepdim=True), w1, b1))
    return x * F.hardsigmoid(F.linear(s, w2, b2))


def flattened_to_one_axis(x, w1, b1, w2, b2):
    s = F.relu(F.linear(F.adaptive_avg_pool2d(x, 1).flatten(), w1, b1))
    return x * F.hardsigmoid(F.linear(s, w2, b2))[:, None, None]


def by_einsum(x, w1, b1, w2, b2):
    s = torch.einsum("nchw,sc->ns", x, w1) / x[0, 0].numel() + b1
    gate = ((s.clamp(min=0) @ w2.T + b2 + 3) / 6).clamp(0, 1)
    return torch.einsum("nchw,nc->nchw", x, gate)


def by_modules(x, w1, b1, w2, b2):
    first = nn.Conv2d(w1.shape[1], w1.shape[0], 1)
    second = nn.Conv2d(w2.shape[1], w2.shape[0], 1)
    first.weight.data, first.bias.data = w1[:, :, None, None], b1
    second.weight.data, second.bias.data = w2[:, :, None, None], b2
    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), first, nn.ReLU(), second, nn.Hardsigmoid())
    return x * net(x).detach()


WRONG = {
    "06.shuffle": [
        ("view-swapped", widely_copied),
        ("view-swapped", widely_copied_no_undo),
        ("transpose-forgotten", reshaped_there_and_back),
        ("undo-ignored", always_forward),
        ("over-the-batch", axes_counted_from_one),
        ("pixels-moved", axes_too_far_right),
        ("batch-axis-lost", table_of_everything),
        ("random-order", dice),
        ("view-after-transpose", view_at_the_end),
        ("wrong-shape", five_axes_left),
        ("x-overwritten", in_place),
        ("x-overwritten", filled_in_place),
        ("x-overwritten", in_place_no_undo),
        ("undo-stands-still", undo_gives_x),
        ("undo-stands-still", undo_without_transpose),
        ("undo-wrong", undo_by_flip),
        ("images-mixed", images_merged),
        ("groups-fixed", two_groups),
        (None, shuffled_by_python),
        (None, reversed_channels),
    ],
    "06.hswish": [
        ("smooth-sigmoid", swish),
        ("three-outside", three_too_late),
        ("not-divided", no_six),
        ("divided-by-three", by_three),
        ("gate-only", only_the_gate),
        ("not-clipped-above", relu_for_relu6),
        ("not-clipped-below", minimum_only),
        ("not-shifted", no_shift),
        ("other-hard-sigmoid", older_library),
        ("if-on-a-tensor", case_by_case),
        ("clipped-at-one", clipped_at_one),
        ("ramp-from-zero", ramp_from_zero),
        ("floor-too-low", low_floor),
        ("whole-division", whole_division),
        ("shifted-right", minus_three),
        ("product-clipped", all_clipped),
        ("product-clipped", all_clipped_later),
        ("the gradient is right", gate_detached),
        ("fixed-dtype", filled_zeros),
        ("mutates-input", gate_in_place),
        ("wrong-dtype", to_float32),
    ],
    "06.batchnorm": [
        ("running-used-in-training", AlwaysRunning),
        ("running-used-in-training", RunningFirst),
        ("batch-used-in-eval", AlwaysBatch),
        ("updates-in-eval", KeepsInEval),
        ("never-kept", NeverKeeps),
        ("axes-per-pixel", PerPixel),
        ("axes-per-image", PerImage),
        ("axes-all", Everything),
        ("variances-swapped", Swapped),
        ("unbiased-in-output", DefaultVar),
        ("biased-kept", AllBiased),
        ("momentum-reversed", OldShare),
        ("eps-outside", EpsOutside),
        ("eps-forgotten", NoEps),
        ("root-forgotten", NoRoot),
        ("keeps-std", KeepsStd),
        ("affine-forgotten", NoAffine),
        ("running statistics carry no gradient history", WithHistory),
        ("the gradient is right", Detached),
        ("running statistics are saved with the model", NoBuffers),
        ("axes-do-not-fit", NotBroadcast),
        ("axes-do-not-fit", PixelAxesOnly),
        ("axes-do-not-fit", MixedKeepdim),
        ("eval-forgotten", OneMode),
        ("modes-inverted", Inverted),
        ("replaced", Replaces),
        ("old-not-faded", Adds),
        ("momentum-hard-coded", FixedMomentum),
        ("eps-hard-coded", FixedEps),
        ("beta-forgotten", NoBeta),
        ("gamma-forgotten", NoGamma),
        ("std-of-the-batch", OwnStd),
        ("std-of-the-batch", StdInTraining),
        ("axes-all", OneNumber),
        ("axes-all", OneNumberBiased),
        ("not-callable", Functional(2)),
    ],
    "06.fold": [
        ("mean-ignored", no_mean),
        ("conv-bias-lost", own_bias_lost),
        ("conv-bias-unscaled", own_bias_as_it_is),
        ("mean-unscaled", mean_as_it_is),
        ("beta-forgotten", no_beta),
        ("bias-forgotten", no_bias),
        ("gamma-forgotten", no_gamma),
        ("eps-forgotten", no_eps),
        ("eps-outside", eps_outside),
        ("root-forgotten", no_root),
        ("weights-not-scaled", weights_as_they_are),
        ("wrong-axis", scaled_inputs),
        ("settings-lost", no_dilation),
        ("settings-lost", no_settings),
        ("groups-lost", no_groups),
        ("bias-is-none", needs_a_bias),
        ("not-one-convolution", two_in_a_row),
        ("mean-ignored", copied_with_bias(lambda b, beta, mean, scale: beta + b * scale)),
        ("conv-bias-lost", copied_with_bias(lambda b, beta, mean, scale: beta - mean * scale)),
        ("conv-bias-unscaled", copied_with_bias(lambda b, beta, mean, s: b + beta - mean * s)),
        ("mean-unscaled", copied_with_bias(lambda b, beta, mean, s: b * s + beta - mean)),
        ("bias-unscaled", copied_with_bias(lambda b, beta, mean, scale: b + beta - mean)),
        ("mean-added", copied_with_bias(lambda b, beta, mean, s: beta + (b + mean) * s)),
        ("beta-forgotten", copied_with_bias(lambda b, beta, mean, s: (b - mean) * s)),
        ("gamma-forgotten", copied_with_scale(lambda n: (n.running_var + n.eps).rsqrt())),
        ("eps-forgotten", copied_with_scale(lambda n: n.weight * n.running_var.rsqrt())),
        ("eps-hard-coded", copied_with_scale(lambda n: n.weight * (n.running_var + 1e-5).rsqrt())),
        ("root-forgotten", copied_with_scale(lambda n: n.weight / (n.running_var + n.eps))),
        ("gamma-twice", gamma_twice),
        ("groups-lost", copied_no_groups),
        ("settings-lost", copied_no_padding),
        ("settings-lost", copied_no_settings),
        ("bias-not-set", copied_no_bias),
        ("scale-flat", copied_scale_flat),
        ("scale-flat", parameter_scale_flat),
        ("wrong-axis", copied_scaled_inputs),
        ("bias-is-none", copied_bias_none),
        ("bias-asked-for-truth", bias_or_zeros),
        ("no-grad-missing", copied_with_gradients),
        ("not-a-parameter", tensor_assigned),
        ("wrong-type", pair_returned),
        ("mutates-input", changes_the_old_one),
    ],
    "06.squeeze": [
        ("smooth-gate", smooth),
        ("relu-forgotten", straight_through),
        ("gate-returned", gate_alone),
        ("gate-returned", gate_alone_shaped),
        ("gate-added", plus_gate),
        ("gated-residual", with_shortcut),
        ("maximum-not-mean", by_maximum),
        ("sum-not-mean", by_sum),
        ("batch-averaged", one_gate_for_all),
        ("gate-shape", broadcast_by_luck),
        ("weights-turned", weights_unturned),
        ("mutates-input", writes_into_x),
        ("biases-forgotten", biases_swapped_away),
        ("biases-forgotten", first_bias_lost),
        ("biases-forgotten", second_bias_lost),
        ("h-swish-gate", gated_by(F.hardswish)),
        ("gate-up-to-six", gated_by(lambda z: F.relu6(z + 3))),
        ("relu-twice", gated_by(lambda z: F.hardsigmoid(F.relu(z)))),
        ("softmax-gate", gated_by(lambda z: z.softmax(1))),
        ("ends-swapped", gated_by(F.relu, middle=F.hardsigmoid)),
        ("gate-axes", gate_on_rows),
        ("gate-axes", gate_one_to_the_right),
        ("squeezed-shape", kept_two_axes),
        ("squeezed-shape", flattened_to_one_axis),
    ],
}

RIGHT = {
    "06.shuffle": [shuffle_by_index, shuffle_by_chunks, shuffle_by_torch],
    "06.hswish": [where_where, clamp_first, by_torch],
    "06.batchnorm": [Usual, Functional, ByHand],
    "06.fold": [
        from_a_copy,
        by_unit_impulse,
        fused_by_torch,
        by_copy,
        by_data,
        channel_by_channel,
    ],
    "06.squeeze": [by_einsum, by_modules],
}
