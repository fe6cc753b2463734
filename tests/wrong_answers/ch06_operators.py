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


class NotBroadcast(Layer):
    def forward(self, x):
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        return self.gamma * (x - mean) / torch.sqrt(var + self.eps) + self.beta


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
        ("mutates-input", in_place),
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
        ("raises", NotBroadcast),
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
        (None, biases_swapped_away),
    ],
}

RIGHT = {
    "06.shuffle": [shuffle_by_index, shuffle_by_chunks, shuffle_by_torch],
    "06.hswish": [where_where, clamp_first, by_torch],
    "06.batchnorm": [Usual, Functional, ByHand],
    "06.fold": [from_a_copy, by_unit_impulse, fused_by_torch],
    "06.squeeze": [by_einsum, by_modules],
}
