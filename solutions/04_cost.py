# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   lightcourse: {chapter: "04", title: "What a layer costs", question: "What does a layer cost, really?", minutes: 90, budget_seconds: 120, exercises: ["04.conv", "04.net", "04.alive", "04.roof", "04.divisible"]}
# ---

# %% [markdown]
# # 04 · What a layer costs
#
# **What does a layer cost, really?**
#
# About 90 minutes. You will write five small tools: for the price of a layer, for the bill of a network, for the
# memory that it needs, for the time that it takes at least, and for a channel count that hardware likes. Then you
# measure this machine, and find out how far the prices explain the clock.

# %%
import statistics
import time
from dataclasses import replace

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lightcourse import analyze, check, create_model, hint, predict, progress, reveal, solution, viz
from lightcourse._torchvision import import_torchvision
from lightcourse.analysis import (
    count_access,
    latency_by_layer,
    probe,
    roofline,
    this_machine,
    trace,
)
from lightcourse.analysis.profilers import PROFILERS, parts, profiler_table
from lightcourse.checks import hidden_check, run_check

torch.manual_seed(0)
torch.set_num_threads(1)  # one thread, so that two runs can be compared
models = import_torchvision().models
print("Ready. PyTorch", torch.__version__)

# %% [markdown]
# ## Question
#
# A paper says: *our network needs 300 million multiplications.* Is that fast? Does it fit into a microcontroller?
#
# Here are two convolutions. Both do exactly 7,225,344 multiplications, each followed by an addition: so many
# **multiply-accumulates, MACs (乘加次数)**.
#
# * **dense**: 3×3, from 32 to 32 channels, on a map of 28×28.
# * **depthwise (深度卷积)**: 3×3, each of 256 channels by itself, on a map of 56×56.
#
# The cell below holds a stopwatch. It runs its contestants in turn, so that a busy moment of the machine meets all of
# them, and gives the median of each. Run it; you need not read it now.

# %%
# the time this thread is on the processor, where the system counts it finely enough
fine = time.get_clock_info("thread_time").resolution < 1e-6
clock = time.thread_time if fine else time.perf_counter
# fresh memory from the system is slow; after one large tensor the system's library keeps what is freed
torch.zeros(8_000_000)


def race(works, rounds=20):
    """Median seconds of each: works maps a name to a layer and its input, all run in turn."""
    taken = {name: [] for name in works}
    with torch.inference_mode():
        for _ in range(rounds + 1):
            for name, (layer, x) in works.items():
                start = clock()
                layer(x)
                taken[name].append(clock() - start)
    return {name: statistics.median(runs[1:]) for name, runs in taken.items()}  # first: warm-up


def conv(channels, out_channels, kernel, side, **options):
    """A convolution without bias that keeps the size, and an input for it."""
    layer = nn.Conv2d(
        channels, out_channels, kernel, padding=kernel // 2, bias=False, **options
    ).eval()
    return layer, torch.randn(1, channels, side, side)


pair = {"dense": conv(32, 32, 3, 28), "depthwise": conv(256, 256, 3, 56, groups=256)}
times = race(pair)
figure, axes = plt.subplots(1, 2, figsize=(8.4, 2.2), sharey=True)
macs = [analyze(layer, x).macs / 1e6 for layer, x in pair.values()]
milliseconds = [1000 * times[name] for name in pair]
for axis, values, title, colour in (
    (axes[0], macs, "million MACs", "#0072b2"),
    (axes[1], milliseconds, "milliseconds, here and now", "#c04f00"),
):
    bars = axis.barh(list(pair), values, color=colour)
    axis.bar_label(bars, [f" {value:.2f}" for value in values])
    axis.set_title(title)
    axis.margins(x=0.15)
figure.tight_layout()
plt.show()
print(
    f"The same MACs; the depthwise layer takes {times['depthwise'] / times['dense']:.0f} times as long."
)

# %% [markdown]
# So the MACs do not tell the time. What does? A layer has five prices, and this chapter is about all of them:
#
# | price | what it is | where it hurts |
# | --- | --- | --- |
# | **parameters (参数量)** | numbers that are learnt | storage, download |
# | **MACs (乘加次数)**, the computation (计算量) | multiplications, each with its addition | arithmetic units, energy |
# | **memory access (内存访问量)** | bytes read and written | memory bandwidth, energy |
# | **peak activation memory (峰值激活内存)** | bytes of maps that are alive at once | a microcontroller's few hundred kilobytes |
# | **latency (延时)** | seconds, on one machine | the user |
#
# Two words about names. In some papers “MAC” stands for *memory access cost*, in others for
# *multiply-accumulate*. This course writes MACs for the second and *memory access* for the first, always. And a
# **FLOP** is one floating-point operation: a MAC is two of them.

# %% [markdown]
# ## Predict
#
# Three guesses before you go on. Nobody grades them. Put your answer in place of the dots.
#
# **First.** The two layers above have the same MACs. How many times as many *bytes* does the depthwise layer move,
# counting its input, its weights and its output once each?
#
# `"the same"`, `"about 5 times as many"` or `"about 27 times as many"`.

# %%
predict("04.p1", ...)

# %% [markdown]
# **Second.** MobileNetV1 is built again with half of all channels; its input and its 1000 classes stay. What becomes
# of its MACs? `"1/2"`, `"exactly 1/4"`, `"a little more than 1/4"` or `"1/8"`.

# %%
predict("04.p2", ...)

# %% [markdown]
# **Third.** MobileNetV2 runs operator by operator: convolution, batch norm, activation, convolution, … Each reads
# its input and writes its output. What share of all bytes do the convolutions move?
#
# `"about 95 %"`, `"about 70 %"`, `"about 36 %"` or `"about 10 %"`.

# %%
predict("04.p3", ...)

# %% [markdown]
# ## Play
#
# This is MobileNetV2 under the microscope. Each row is a part of the network, and each has its bars.

# %%
viz.cost_microscope()

# %% [markdown]
# Try these, in this order:
#
# 1. Step *Down to row* from the top to the end. Where do the MACs pile up, and where the parameters?
# 2. Set *Rows* to **by kind**. Compare the MACs of batch norm and activation with their bytes.
# 3. Set *Run* to **fused** and back. Which bars change, and which do not?
# 4. Drag the *width* α to one half. Then drag the *size*. Which prices follow which?
# 5. Drag the two dots of the roof, at its foot and at its top. Left of the corner a row waits for memory. Which rows
#    cross the corner first? (The peak is in FLOP/s here, two for each MAC.)
#
# Now your first and your third guess.

# %%
reveal("04.p1")

# %%
reveal("04.p3")

# %% [markdown]
# ## Build
#
# Five exercises: one layer, a whole net, its memory, its time, its channels.
#
# ### Given: the shape that comes out
#
# You know this function from chapter 01. All shapes are (channels, height, width), for one picture.


# %%
def conv_output(shape, out_channels, kernel, stride=1, padding=0, dilation=1, groups=1, bias=True):
    """Shape (C, H, W) of the map that a convolution makes of a map of this shape."""
    _, height, width = shape
    reach = dilation * (kernel - 1) + 1
    high = (height + 2 * padding - reach) // stride + 1
    wide = (width + 2 * padding - reach) // stride + 1
    return out_channels, high, wide


print(conv_output((3, 224, 224), 32, 3, stride=2, padding=1))

# %% [markdown]
# ### Exercise 04.conv: three prices of a convolution
#
# difficulty 2 of 5 · importance 5 of 5 · 12 minutes
#
# Take a small one: a map of 1×4×4, one output channel, kernel 3, no padding, no bias. Its output is 1×2×2.
#
# ```text
# input 4×4      weights 3×3     output 2×2
# · · · ·          w w w            o o       parameters   9
# · · · ·          w w w            o o       MACs         9 weights · 4 places = 36
# · · · ·          w w w                      numbers      16 read + 9 read + 4 written = 29
# · · · ·                                     bytes        4 · 29 = 116
# ```
#
# * **Parameters**: the weights, and one **bias (偏置)** for each output channel, if there is one.
# * **MACs**: each weight is used once at every place of the output. A bias is added, not multiplied, so it is none.
# * **Memory access**, in bytes: all numbers of the input are read once, all parameters are read once, all numbers of
#   the output are written once. A number has 4 bytes (float32). Padding is not in memory.
#
# With `groups` = g an output channel looks at C / g of the input channels only.


# %% nbgrader={"grade": false, "grade_id": "04-conv", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_cost(
    shape: tuple[int, int, int],
    out_channels: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
    bias: bool = True,
) -> tuple[int, int, int]:
    """Count parameters, MACs and bytes moved of one convolution for one picture.

    shape: (C, H, W) of the input.  bias: True or False.  All others are ints, as in nn.Conv2d, and
           the kernel is kernel × kernel.
    Returns (params, macs, memory_access); memory_access in bytes, 4 for each number.

    conv_cost((1, 4, 4), 1, 3, bias=False) is (9, 36, 116)
    """
    ### BEGIN SOLUTION
    channels, height, width = shape
    _, high, wide = conv_output(shape, out_channels, kernel, stride, padding, dilation)
    weights = out_channels * (channels // groups) * kernel**2
    params = weights + (out_channels if bias else 0)
    macs = weights * high * wide
    numbers = channels * height * width + params + out_channels * high * wide
    return params, macs, 4 * numbers
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "04-conv-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("04.conv", conv_cost)
### BEGIN HIDDEN TESTS
hidden_check("04.conv", conv_cost, seed=7)
### END HIDDEN TESTS

# %%
hint("04.conv")

# %%
# solution("04.conv")

# %% [markdown]
# > **Myth or fact?** *计算量 = 乘加次数, 用 FLOPs 表示: the number of multiply-adds is given in FLOPs.*
# >
# > Decide first. Then let PyTorch's own counter count one layer.

# %%
layer, x = pair["dense"]
with FlopCounterMode(display=False) as counter:
    layer(x)
macs = analyze(layer, x).macs
print(
    f"MACs {macs:,}   FLOPs {counter.get_total_flops():,}   ratio {counter.get_total_flops() / macs:g}"
)

# %% [markdown]
# Half a myth: the count is right, the unit is not. A MAC is a multiplication *and* an addition, so two FLOPs. The
# papers on MobileNet, ShuffleNet and ResNet print MACs and call them FLOPs or multiply-adds. Darknet counts two:
# its 5.56 BFLOPs for YOLOv3-tiny are 2.78 billion MACs. Before you compare two tables, find out which of the two
# each of them counts.

# %% [markdown]
# ### Exercise 04.net: the bill of a net
#
# difficulty 3 of 5 · importance 4 of 5 · 15 minutes
#
# Now a whole net, as a list of rows. Each row is a kind and its options:
#
# ```python
# [("conv", {"out_channels": 32, "kernel": 3, "stride": 2, "padding": 1, "bias": False}),
#  ("norm", {}),                       # batch norm
#  ("relu", {}),
#  ("pool", {}),                       # global average pooling: (C, H, W) becomes (C, 1, 1)
#  ("linear", {"out_features": 10})]   # with bias; it comes after a pool
# ```
#
# Write the bill: three prices for each row. The rows run one after another, each by itself, as PyTorch runs them
# (**eager**). So a ReLU reads a whole map and writes a whole map.
#
# | kind | parameters | MACs | numbers moved |
# | --- | --- | --- | --- |
# | `conv` | ask `conv` | ask `conv` | ask `conv` |
# | `norm` | scale and shift: 2 for each channel | 0 | the map in, 4 for each channel, the map out |
# | `relu` | 0 | 0 | the map in, the map out |
# | `pool` | 0 | 0 | the map in, C numbers out |
# | `linear` | weights and biases | one for each weight | C in, all parameters, the outputs |
#
# Why 4 for each channel in a batch norm that has 2 parameters? Besides scale and shift it reads a mean and a
# variance, which it has collected in training. They are kept, not learnt.
#
# The function `conv` does what your `conv_cost` does. It is handed in, so a mistake there does no harm here. For the
# shape that a convolution makes, call `conv_output(shape, **options)`.


# %% nbgrader={"grade": false, "grade_id": "04-net", "locked": false, "schema_version": 3, "solution": true, "task": false}
def net_cost(net: list, shape: tuple[int, int, int], conv) -> list[tuple[int, int, int]]:
    """Count parameters, MACs and bytes of every row of a net.

    net: rows (kind, options), the one next to the picture first.  shape: (C, H, W) of the picture.
    conv: conv(shape, **options) -> (params, macs, memory_access), as conv_cost.
    Returns one (params, macs, memory_access) for each row, in the same order.

    net_cost([("relu", {})], (2, 4, 3), conv_cost) is [(0, 0, 192)]
    """
    ### BEGIN SOLUTION
    rows = []
    for kind, options in net:
        channels, height, width = shape
        numbers = channels * height * width
        if kind == "conv":
            rows.append(conv(shape, **options))
            shape = conv_output(shape, **options)
        elif kind == "norm":
            rows.append((2 * channels, 0, 4 * (numbers + 4 * channels + numbers)))
        elif kind == "relu":
            rows.append((0, 0, 4 * (numbers + numbers)))
        elif kind == "pool":
            rows.append((0, 0, 4 * (numbers + channels)))
            shape = channels, 1, 1
        else:
            out = options["out_features"]
            params = channels * out + out
            rows.append((params, channels * out, 4 * (channels + params + out)))
            shape = out, 1, 1
    return rows
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "04-net-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("04.net", net_cost)
### BEGIN HIDDEN TESTS
hidden_check("04.net", net_cost, seed=7)
### END HIDDEN TESTS

# %%
hint("04.net")

# %%
# solution("04.net")

# %% [markdown]
# With your bill a whole published network can be priced from a dozen lines. Here is MobileNetV1 (Howard et al. 2017,
# table 1), and the same net with ordinary convolutions in place of its depthwise separable ones.

# %%
V1 = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
V1 += [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
TAIL = [("norm", {}), ("relu", {})]


def row(out_channels, kernel, stride=1, groups=1):
    """A convolution without bias that keeps the size, with batch norm and ReLU behind it."""
    options = {"stride": stride, "padding": kernel // 2, "groups": groups, "bias": False}
    return [("conv", {"out_channels": out_channels, "kernel": kernel, **options}), *TAIL]


def mobilenet_v1(alpha=1.0, separable=True, blocks=V1):
    """Rows of MobileNetV1; alpha multiplies every width but those of picture and classes."""
    channels = int(32 * alpha)
    rows = row(channels, 3, stride=2)
    for wide, stride in blocks:
        out = int(wide * alpha)
        if separable:
            rows += row(channels, 3, stride, groups=channels) + row(out, 1)
        else:
            rows += row(out, 3, stride)
        channels = out
    return [*rows, ("pool", {}), ("linear", {"out_features": 1000})]


def module_of(net, channels=3):
    """The same rows as layers of PyTorch."""
    layers = []
    for what, given in net:
        kind, options = what, dict(given)
        if kind == "conv":
            layers.append(nn.Conv2d(channels, kernel_size=options.pop("kernel"), **options))
            channels = options["out_channels"]
        elif kind == "norm":
            layers.append(nn.BatchNorm2d(channels))
        elif kind == "relu":
            layers.append(nn.ReLU())
        elif kind == "pool":
            layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        else:
            layers.append(nn.Linear(channels, **options))
    return nn.Sequential(*layers)


print("\n".join(map(str, mobilenet_v1()[:9])), "\n… and", len(mobilenet_v1()) - 9, "rows more")

# %%
own_bill = run_check("04.net", net_cost).passed and run_check("04.conv", conv_cost).passed
print("Bills by", "your net_cost()." if own_bill else "analyze(), until yours is right.")


def bill(net, side=224):
    """Total parameters, MACs and bytes of a net."""
    if own_bill:
        return [
            sum(column) for column in zip(*net_cost(net, (3, side, side), conv_cost), strict=True)
        ]
    with torch.device("meta"):
        report = analyze(module_of(net), (1, 3, side, side))
    return [report.params, report.macs, report.memory_access]


nets = {"depthwise separable": mobilenet_v1(), "ordinary 3×3": mobilenet_v1(separable=False)}
bills = {name: bill(net) for name, net in nets.items()}
print(f"\n{'MobileNetV1':<22}{'parameters':>12}{'MACs':>16}{'bytes moved':>14}")
for name, (params, macs, moved) in bills.items():
    print(f"{name:<22}{params:>12,}{macs:>16,}{moved:>14,}")
ratios = [b / a for a, b in zip(*bills.values(), strict=True)]
print(f"{'ratio':<22}{ratios[0]:>12.2f}{ratios[1]:>16.2f}{ratios[2]:>14.2f}")

# %% [markdown]
# The paper prints 4.2 million parameters and 569 million multiply-adds for the first, 29.3 million and 4866 million
# for the second.
#
# > **Myth or fact?** *MobileNet 参数减少 8~9 倍, 运算量减小 30 倍: MobileNet has 8 to 9 times fewer parameters and 30
# > times less computation.*
# >
# > You have the numbers above for one comparison. Here is another one, with VGG-16.

# %%
with torch.device("meta"):
    vgg = analyze(models.vgg16())
params, macs, _ = bills["depthwise separable"]
print(
    f"VGG-16 has {vgg.params / params:.1f} times the parameters and {vgg.macs / macs:.1f} times the MACs."
)

# %% [markdown]
# A myth, made of two true ones. 8 to 9 times is what a depthwise separable layer saves in MACs over an ordinary 3×3
# layer; for the whole net it is the ratio in your table, and its parameters shrink by less. The 30 comes
# from the comparison with VGG-16. *How many times fewer* says nothing until you say: fewer what, and than whom.

# %% [markdown]
# ### Depth, width, resolution
#
# **Depth (深度)** is the number of layers with weights. **Width (宽度)** is the number of channels of a layer.
# **Resolution (分辨率)** is the size of the picture. Double one at a time, and look at all prices.

# %%
PLAIN = {"depth": 4, "width": 32, "side": 32}


def plain(depth, width, side, more=()):
    """A body of equal 3×3 layers behind a first one that reads three colours."""
    rows = row(width, 3)
    for kernel in [3] * (depth - 1) + list(more):
        rows += row(width, kernel)
    return module_of(rows), (1, 3, side, side)


changes = {
    "4 layers of 3×3": {},
    "depth × 2": {"depth": 8},
    "depth × 2, by 1×1 layers": {"more": (1, 1, 1, 1)},
    "width × 2": {"width": 64},
    "resolution × 2": {"side": 64},
}
reports = {name: analyze(*plain(**{**PLAIN, **change})) for name, change in changes.items()}
first = reports["4 layers of 3×3"]
print(
    f"{'':<26}{'parameters':>12}{'MACs':>8}{'bytes':>8}{'peak memory':>13}{'receptive field':>17}"
)
for name, body in reports.items():
    factors = (
        body.params / first.params,
        body.macs / first.macs,
        body.memory_access / first.memory_access,
        body.peak_activation / first.peak_activation,
    )
    cells = [f"× {factor:.2f}" for factor in factors]
    print(f"{name:<26}{cells[0]:>12}{cells[1]:>8}{cells[2]:>8}{cells[3]:>13}", end="")
    print(f"{body.receptive_field.size[0]:>14} px")

# %% [markdown]
# Read the rows.
#
# * **Depth** pays once for each layer, and the peak does not move: only a few maps are alive at a time. (A little more
#   than 2, since the first layer with its 3 colours is cheap.)
# * **Width** pays nearly four times the parameters and MACs, because both ends of a layer grow. The bytes about
#   double, since most of them are maps.
# * **Resolution** costs four times the MACs and the memory, nearly four times the bytes, and no parameter at all.
#
# Two myths die on the way. *分辨率对计算量的影响是翻倍的, resolution doubles the cost*: no, twice the side is four
# times the cost. *网络越深, 感受野越大, the deeper the larger the receptive field*: the third row is as deep as the
# second, and sees no more than the first.
#
# > **Myth or fact?** *宽度 = 网络中最大的通道数: the width of a network is its largest number of channels.*

# %%
for alpha in (1.0, 0.5):
    report = analyze(create_model("mobilenet_v2", width_mult=alpha))
    widest = max(layer.output_shape[1] for layer in report.layers if layer.kind == "Conv2d")
    print(
        f"MobileNetV2, width multiplier {alpha:g}: widest layer {widest}, {report.macs / 1e6:.0f} M MACs"
    )

# %% [markdown]
# A myth. Width belongs to a layer. When a paper says *half as wide*, it means a **width multiplier (宽度因子)**: every
# layer has half the channels. (MobileNetV2 leaves its last layer alone, so its largest number does not even change.)

# %% [markdown]
# ### Exercise 04.alive: what must be in memory
#
# difficulty 3 of 5 · importance 5 of 5 · 15 minutes
#
# A microcontroller has two kinds of memory. The weights lie in *flash*, a megabyte or so. The maps live in *SRAM*, a
# few hundred kilobytes. Does the network fit? That depends on how many bytes of maps are **alive at once**.
#
# ```text
#         ┌────────────────┐
# image ─ a ─ b ─ c ─ d ─ sum          a is read by b, and again by the sum
#
# step       makes   alive                      bytes
# 1  a        50     a                            50
# 2  b        80     a b                         130
# 3  c        80     a b c                       210    ← the peak
# 4  d        50     a   c d                     180
# 5  sum      50     a     d sum                 150
# ```
#
# The rule: **while a step runs, alive are what it makes, what it reads, and what a later step will read.** A map can
# go as soon as the last step that reads it is over. The result of the last step is what the net returns.
#
# A step is written as (name, what it reads, bytes it makes). The picture, or any other name that no step makes, is
# given from outside and does not count.


# %% nbgrader={"grade": false, "grade_id": "04-alive", "locked": false, "schema_version": 3, "solution": true, "task": false}
def alive(steps: list[tuple[str, list[str], int]]) -> list[int]:
    """Count the bytes of maps that are alive while each step runs.

    steps: (name, reads, size) in the order in which they run: the name of the map that the step
           makes, the names that it reads (one may occur twice), and the bytes of what it makes.
    Returns one number of bytes for each step.

    alive([("a", ["image"], 100), ("b", ["a"], 60), ("c", ["b"], 30)]) is [100, 160, 90]
    """
    ### BEGIN SOLUTION
    last = {name: now for now, (name, _, _) in enumerate(steps)}
    for now, (_, reads, _) in enumerate(steps):
        for name in reads:
            last[name] = now  # a later reader overwrites an earlier one
    return [
        sum(size for name, _, size in steps[: now + 1] if last[name] >= now)
        for now in range(len(steps))
    ]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "04-alive-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("04.alive", alive)
### BEGIN HIDDEN TESTS
hidden_check("04.alive", alive, seed=7)
### END HIDDEN TESTS

# %%
hint("04.alive")

# %%
# solution("04.alive")

# %% [markdown]
# A real block: the first bottleneck of MobileNetV2 that has a shortcut, at 56×56. It works on 24 channels, widens to
# 144 and comes back. Batch norms are folded and activations done in place, so there are three maps and a sum.

# %%
SIDE = 56 * 56 * 4
block = [
    ("x", ["image"], 24 * SIDE),
    ("wide", ["x"], 144 * SIDE),
    ("depthwise", ["wide"], 144 * SIDE),
    ("narrow", ["depthwise"], 24 * SIDE),
    ("sum", ["narrow", "x"], 24 * SIDE),
]
if run_check("04.alive", alive).passed:
    for (name, _, size), held in zip(block, alive(block), strict=True):
        print(f"{name:<10} makes {size:>9,} bytes, alive {held:>9,} " + "█" * (held // 100_000))
    without = [(n, [r for r in reads if (n, r) != ("sum", "x")], s) for n, reads, s in block]
    print(f"peak {max(alive(block)):,}; without the shortcut {max(alive(without)):,} bytes")
else:
    print("Your alive() is not right yet; come back to this cell later.")

# %% [markdown]
# The shortcut keeps the narrow map waiting while the wide ones are made. It is narrow, so that costs little. In a
# network whose shortcuts are wide it would cost much: the choice of *where the shortcut begins* is a choice about
# memory.
#
# > **Myth or fact?** *参数量越大, 内存要求越高: the more parameters, the more memory a network needs.*

# %%
with torch.device("meta"):
    zoo = {
        "MobileNetV2": create_model("mobilenet_v2"),
        "ShuffleNetV2 1x": models.shufflenet_v2_x1_0(),
        "SqueezeNet 1.1": models.squeezenet1_1(),
        "DenseNet-121": models.densenet121(),
        "ResNet-18": models.resnet18(),
    }
seen = {name: analyze(model) for name, model in zoo.items()}
print(
    f"{'224×224':<18}{'parameters':>12}{'written in all':>18}{'peak, eager':>14}{'peak, fused':>14}"
)
for name, report in sorted(seen.items(), key=lambda item: item[1].params):
    written = report.written / 1e6
    peaks = report.peak_activation / 1e6, report.peak_activation_fused / 1e6
    print(
        f"{name:<18}{report.params:>12,}{written:>15.1f} MB{peaks[0]:>11.2f} MB{peaks[1]:>11.2f} MB"
    )
small, large = seen["MobileNetV2"], seen["ResNet-18"]
print(
    f"\nResNet-18 has {large.params / small.params:.1f} times the parameters of MobileNetV2 and"
    f" {large.peak_activation / small.peak_activation:.2f} times its peak."
)
in_bytes = small.peak_activation_fused / 4  # int8: one byte for each number in place of four
print(
    f"In int8, fused, MobileNetV2 needs {in_bytes / 1e3:,.0f} kB of SRAM and {small.params / 1e6:.1f} MB of flash."
)

# %% [markdown]
# A myth. Parameters lie in storage; what must be in fast memory is the peak of the maps, and the two do not even rank
# networks in the same order. Nor is it the sum of all that is ever written, which some tools print as the memory of a
# network: that is many times the peak. Work on microcontrollers therefore gives two numbers. MCUNet (Lin et al. 2020)
# lists a MobileNetV2 of 0.35 width on 144×144 pixels with 308 kB of SRAM and 862 kB of flash.
#
# *Eager* is what PyTorch does by default: every operator makes a new map, but for activations that are marked
# `inplace=True`. *Fused* is what a good compiler for a device does: batch norms are folded into the convolutions, and
# all activations work in place. The schedule is a part of the price.

# %% [markdown]
# ### Exercise 04.roof: under the roof
#
# difficulty 3 of 5 · importance 5 of 5 · 10 minutes
#
# A machine has two limits. It can do so many MACs in a second, its **peak (峰值算力)**. And it can move so many bytes in
# a second, its **bandwidth (带宽)**. While it computes, the next numbers may already be on their way. So a layer takes
# at least the *longer* of two times:
#
# ```text
# seconds = max( macs / peak , bytes / bandwidth )
# ```
#
# If the first is longer, the layer is **compute-bound (计算受限)**: only faster arithmetic helps. If the second is,
# it is **memory-bound (访存受限)**: then a layer with half the MACs takes just as long.
#
# Which of the two it is can be read off one number, the **arithmetic intensity (计算强度,
# also 算术强度)**: FLOPs for each byte moved,
# 2 · macs / bytes. Draw the attainable speed over the intensity: it rises, and then it is flat. That picture is called
# the **roofline** (Williams et al. 2009), and the corner is the **ridge**. It lies at 2 · peak / bandwidth. (The 2 is
# there because this peak counts MACs a second. The picture under *Play* writes its peak in FLOP/s, which is twice that.)


# %% nbgrader={"grade": false, "grade_id": "04-roof", "locked": false, "schema_version": 3, "solution": true, "task": false}
def under_the_roof(
    layers: list[tuple[int, int]], peak: float, bandwidth: float
) -> list[tuple[float, float, str]]:
    """Find the least time of each layer on a machine, and which limit sets it.

    layers: (macs, memory_access) of each layer; memory_access in bytes, never 0; macs may be 0.
    peak: MACs per second.  bandwidth: bytes per second.
    Returns (intensity, seconds, bound) of each layer: intensity in FLOPs per byte,
    bound "compute" or "memory".

    under_the_roof([(5000, 100)], 100, 10) is [(100.0, 50.0, "compute")]
    """
    ### BEGIN SOLUTION
    rows = []
    for macs, moved in layers:
        computing, moving = macs / peak, moved / bandwidth
        bound = "compute" if computing >= moving else "memory"
        rows.append((2 * macs / moved, max(computing, moving), bound))
    return rows
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "04-roof-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("04.roof", under_the_roof)
### BEGIN HIDDEN TESTS
hidden_check("04.roof", under_the_roof, seed=7)
### END HIDDEN TESTS

# %%
hint("04.roof")

# %%
# solution("04.roof")

# %% [markdown]
# ### Exercise 04.divisible: a multiple of 8
#
# difficulty 2 of 5 · importance 3 of 5 · 8 minutes
#
# A width multiplier of 0.35 makes 11.2 channels out of 32. Which whole number shall it be? Arithmetic units work on 4, 8
# or 16 numbers at a time, so designers ask for a **channel count divisible by 8 (通道8的倍数)**. The code of
# MobileNet rounds like this:
#
# 1. to the nearest multiple of the divisor; halfway goes up;
# 2. never to 0: at least one divisor, whatever the divisor is;
# 3. if that would lose more than 10 % of the channels, take the next multiple. (0 loses all of them, so this takes care
#    of rule 2 as well.)
#
# The channels may be a fraction, and all three rules look at them as they come: 35.7, not 35.
#
# ```text
# 35 → 32      nearest, and 32 is at least 90 % of 35
# 11 →  8 → 16 nearest is 8, but 8 is less than 90 % of 11
#  5 →  0 → 16 with a divisor of 16: the least is 16
# ```


# %% nbgrader={"grade": false, "grade_id": "04-divisible", "locked": false, "schema_version": 3, "solution": true, "task": false}
def make_divisible(channels: float, divisor: int = 8) -> int:
    """Round a number of channels to a multiple of the divisor, and lose at most 10 %.

    channels: above 0, not always whole.  Returns an int.

    make_divisible(35) is 32, make_divisible(11) is 16
    """
    ### BEGIN SOLUTION
    multiples = int(channels / divisor + 0.5)  # int cuts, so a half goes up
    if multiples * divisor < 0.9 * channels:
        multiples += 1
    return multiples * divisor
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "04-divisible-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("04.divisible", make_divisible)
### BEGIN HIDDEN TESTS
hidden_check("04.divisible", make_divisible, seed=7)
### END HIDDEN TESTS

# %%
hint("04.divisible")

# %%
# solution("04.divisible")

# %% [markdown]
# Does the published code round as you do? Here are the widths of MobileNetV2 at α = 0.35.

# %%
slim = create_model("mobilenet_v2", width_mult=0.35)
plan = {1: 16, 2: 24, 4: 32, 7: 64, 11: 96, 14: 160, 17: 320}  # first block of a width: the width
if run_check("04.divisible", make_divisible).passed:
    for block, wide in plan.items():
        convs = [m for m in slim.features[block].modules() if isinstance(m, nn.Conv2d)]
        mine, theirs = make_divisible(0.35 * wide), convs[-1].out_channels
        print(
            f"{wide:>4} · 0.35 = {0.35 * wide:>5.1f} → {mine:>3}   in features.{block:<2} of the"
            f" network: {theirs:>3}   {'the same' if mine == theirs else 'not the same'}"
        )
else:
    print("Your make_divisible() is not right yet; come back to this cell later.")

# %% [markdown]
# The law of the width multiplier: MACs go with α². How exactly? Here it is for MobileNetV1, next to the law of the
# resolution, ρ². (All its widths come out whole. Your rounding would change one of them: at α = 0.125 the first layer
# has 4 channels, and would get 8.)

# %%
whole = bill(mobilenet_v1())[1]
print("α       MACs in M    ratio     α²")
for alpha in (1.0, 0.75, 0.5, 0.25, 0.125):
    macs = bill(mobilenet_v1(alpha))[1]
    print(f"{alpha:<6g} {macs / 1e6:>9.1f} {macs / whole:>9.4f} {alpha**2:>8.4f}")
print("\nsize    MACs in M    ratio     ρ²")
for side in (224, 192, 160, 128):
    macs = bill(mobilenet_v1(), side)[1]
    print(f"{side:<6} {macs / 1e6:>9.1f} {macs / whole:>9.4f} {(side / 224) ** 2:>8.4f}")
narrow = mobilenet_v1(0.125)
macs_of = {"first, 3 colours in": 0, "depthwise": 0, "1×1": 0, "linear, 1000 out": 0}
rows = [layer for layer in analyze(module_of(narrow)).layers if layer.macs]
for i, layer in enumerate(rows):
    place = 0 if i == 0 else 3 if layer.kind == "Linear" else 1 if i % 2 else 2
    macs_of[list(macs_of)[place]] += layer.macs
total = sum(macs_of.values())
print("\nat α = 0.125:", ", ".join(f"{name} {macs / total:.0%}" for name, macs in macs_of.items()))

# %%
reveal("04.p2")

# %% [markdown]
# The paper prints 569, 325, 149 and 41 million for the first four widths, and 569, 418, 290 and 186 million for the
# sizes. So ρ² holds almost exactly; only the linear layer at the end does not know the size. α² is a law for layers
# with both ends in the net. The thinner the net, the more the exceptions weigh: see the last line.

# %% [markdown]
# ## Measure
#
# ### This machine: a probe
#
# Before we blame a layer, we need to know the machine. The probe runs products, convolutions and additions of all
# sizes in turn and keeps the best of each. Thirty seconds are good; here it gets three.

# %%
known = this_machine()
print("Measured before, and kept." if known else "Measuring this machine for 3 seconds …")
machine = probe(seconds=3, progress=False)
print(machine)
print(f"peak       {machine.peak_macs / 1e9:>8.1f} billion MACs a second")
print(f"bandwidth  {machine.bandwidth / 1e9:>8.1f} billion bytes a second, from memory")
for size, speed in machine.caches[::2]:
    print(f"           {speed / 1e9:>8.1f} for {size / 2**20:.2f} MiB in all")

# %% [markdown]
# The probe keeps the best of many runs. So other programs can make its numbers too low, hardly too high. The bandwidth
# suffers most, because all programs share the memory. The result is kept in your course folder, and the next run of
# this cell only reads it. If the machine is quiet now and was not before, run `probe(seconds=30, force=True)`.
#
# There is not one bandwidth. A small map stays in a **cache (缓存)** near the arithmetic, and the cache is faster than
# the memory. So from here on **at least** means, everywhere: max(macs / peak, bytes / bandwidth), with the bandwidth
# that fits the bytes of that layer. It is the roof and nothing else. What PyTorch needs to call an operator at all, the
# *µs for the smallest layer* in the first line, is not in it.
#
# ### Claim: the roof explains the clock
#
# Four layers with exactly the same MACs again. The first uses each number of its input 288 times, the last 9 times.
# From here to the end of *Measure* the cells are long, because they time, sum up and draw. Run them; you need not read
# their code, only what they print.

# %%
four = {
    "3×3, 32 channels, 28×28": conv(32, 32, 3, 28),
    "1×1, 96 channels, 28×28": conv(96, 96, 1, 28),
    "3×3, 64 in 4 groups, 28×28": conv(64, 64, 3, 28, groups=4),
    "depthwise, 256, 56×56": conv(256, 256, 3, 56, groups=256),
}
own_roof = run_check("04.roof", under_the_roof).passed
print("Least times by", "your under_the_roof()." if own_roof else "the course's own function.")


def at_least(report):
    """(intensity, seconds, bound) of a report's layers, each with the bandwidth for its size."""
    if not own_roof:
        return [(r.intensity, r.seconds, r.bound) for r in roofline(report, machine).rows]
    rows = []
    for layer in report.layers:
        work = layer.macs, layer.memory_access
        bandwidth = machine.bandwidth_for(layer.memory_access)
        rows += (
            under_the_roof([work], machine.peak_macs, bandwidth) if work[1] else [(0, 0, "none")]
        )
    return rows


def relative(races, name, base):
    """Mean and standard deviation of one time over another, from several races."""
    values = [times[name] / times[base] for times in races]
    return statistics.mean(values), statistics.stdev(values)


heats = [race(four, rounds=10) for _ in range(5)]
measured = {name: statistics.median(times[name] for times in heats) for name in four}
print(
    f"\n{'':<28}{'M MACs':>8}{'MB':>7}{'FLOP/B':>8}{'bound':>9}{'at least':>11}{'measured':>11}{'× floor':>9}"
)
found = {}
for name, (layer, x) in four.items():
    report = analyze(layer, x)
    [(intensity, seconds, bound)] = at_least(report)
    found[name] = seconds
    print(
        f"{name:<28}{report.macs / 1e6:>8.1f}{report.memory_access / 1e6:>7.1f}{intensity:>8.1f}"
        f"{bound:>9}{1e6 * seconds:>8.0f} µs{1e6 * measured[name]:>8.0f} µs"
        f"{measured[name] / seconds:>9.1f}"
    )
dense, *_, thin = four
said, (was, spread) = found[thin] / found[dense], relative(heats, thin, dense)
print("\nThe time of depthwise over that of dense, at equal MACs")
print(f"   by the MACs    1.0\n   by the roof    {said:.1f}")
print(f"   by the clock   {was:.1f} ± {spread:.1f} (5 races)")
if was - 3 * spread < 1.2:
    print("Verdict: here the MACs alone would do, or the machine is too busy to tell.")
elif said > 0.6 * was:
    print("Verdict: the bytes explain most of the difference.")
else:
    print("Verdict: the bytes explain a part of the difference. The rest is not in the counts.")
level = [name for name in four if found[name] < 1.05 * min(found.values())]
if len(level) > 1:
    slow, quick = max(level, key=measured.get), min(level, key=measured.get)
    gap, spread = relative(heats, slow, quick)
    print(f"\n{len(level)} of the four have the same floor. Among them {slow}")
    print(f"takes {gap:.1f} ± {spread:.1f} times the time of {quick}.")
    if gap - 3 * spread > 1.2:
        print("Neither MACs nor bytes tell them apart: each kind of layer has its own program.")

# %% [markdown]
# The roof is a *floor* under the time. A layer may well lie far above it; the last column says how far. And it ranks no
# layers that have the same floor. A high intensity is no promise: the dense 3×3 has the highest of the four, and a 1×1
# of the same MACs, which is a plain product of two matrices, may well be faster. How well the program of a layer uses
# the arithmetic is in no count.
#
# ### Layer by layer
#
# Now all of MobileNetV2. Each layer is timed where it stands, inside a whole pass. Watch three columns: what share of
# the MACs, of the bytes and of the time has each kind of layer?

# %%
print("Timing MobileNetV2 layer by layer, 4 seconds …")
mobilenet = create_model("mobilenet_v2").eval()
no_fee = replace(machine, overhead=0.0)  # at least: the roof alone, without a price for each call
layer_times = latency_by_layer(mobilenet, machine=no_fee, seconds=4)
modules = dict(mobilenet.named_modules())


def kind_of(line):
    """The kind of a row in a reader's words."""
    layer = modules.get(line.name)
    if isinstance(layer, nn.Conv2d):
        if layer.groups > 1:
            return "depthwise 3×3"
        return "1×1" if layer.kernel_size == (1, 1) else "first 3×3"
    names = {"BatchNorm2d": "batch norm", "ReLU6": "ReLU6", "Linear": "linear", "add": "addition"}
    return names.get(line.kind, "between, Python" if line.kind == "Python" else "pooling, dropout")


groups = {}
for line in layer_times.rows:
    groups.setdefault(kind_of(line), []).append(line)
sums = {
    kind: [
        sum(getattr(line, price) for line in lines)
        for price in ("macs", "memory_access", "predicted", "measured")
    ]
    for kind, lines in groups.items()
}
totals = [sum(column) for column in zip(*sums.values(), strict=True)]
print(
    f"\n{'share of':<18}{'MACs':>7}{'bytes':>8}{'at least':>10}{'measured':>10}{'ratio':>7}{'memory-bound':>14}"
)
for kind, values in sorted(sums.items(), key=lambda item: -item[1][3]):
    cells = [f"{value / total:.0%}" for value, total in zip(values, totals, strict=True)]
    ratio = f"{values[3] / values[2]:.1f}" if values[2] else "-"
    bounds = [line.bound for line in groups[kind] if line.bound != "none"]
    waits = f"{bounds.count('memory'):>7} of {len(bounds)}" if bounds else f"{'-':>7}"
    print(f"{kind:<18}{cells[0]:>7}{cells[1]:>8}{cells[2]:>10}{cells[3]:>10}{ratio:>7}{waits}")
print("(ratio: measured over at least)")
print(f"\nin all {1000 * totals[3]:.1f} ms, at least {1000 * totals[2]:.1f} ms")
if layer_times.warning:
    print(layer_times.warning)

# %%
COLOURS = {
    "1×1": "#0072b2",
    "depthwise 3×3": "#d55e00",
    "batch norm": "#b27c00",
    "ReLU6": "#009e73",
    "linear": "#cc79a7",
    "addition": "#56b4e9",
    "first 3×3": "#111111",
}
figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.4))
for kind, lines in groups.items():
    timed = [line for line in lines if line.predicted]
    given = {"s": 22, "color": COLOURS.get(kind, "#777777"), "alpha": 0.8}
    for axis, price, unit in ((axes[0], "macs", 1e6), (axes[1], "predicted", 1e-6)):
        points = [(getattr(line, price) / unit, 1e6 * line.measured) for line in timed]
        points = [point for point in points if point[0]]
        if points:
            axis.scatter(*zip(*points, strict=True), label=kind, **given)
for axis, title, words in (
    (axes[0], "MACs do not tell the time", "million MACs"),
    (axes[1], "the roof: a floor under the time", "at least, µs"),
):
    axis.set(xscale="log", yscale="log", xlabel=words, ylabel="measured, µs", title=title)
low, high = 5, 2000
axes[1].plot([low, high], [low, high], color="#555555", lw=1, ls="--")
axes[1].legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
figure.tight_layout()
plt.show()


def misplaced(price):
    """Share of the time that lands at the wrong layer when time is dealt out by this price."""
    rows = [line for line in layer_times.rows if line.measured > 0]
    given, took = sum(price(r) for r in rows), sum(r.measured for r in rows)
    return sum(abs(price(r) / given - r.measured / took) for r in rows) / 2


def with_a_fee(line):
    """The roof, and for each operator what a call of the smallest layer takes."""
    return line.predicted + (machine.overhead if line.predicted else 0)


PRICES = {
    "the MACs": lambda line: line.macs,
    "the bytes": lambda line: line.memory_access,
    "the roof": lambda line: line.predicted,
    "the roof and a fixed price for each call": with_a_fee,
}
shares = {words: misplaced(price) for words, price in PRICES.items()}
print("Deal the whole time out to the layers, in proportion to …")
for words, share in shares.items():
    print(f"   {words:<41}{share:>4.0%} of it lands at the wrong layer")
best = min(shares, key=shares.get)
print(
    f"Verdict: nearest {'comes' if 'roof' in best else 'come'} {best}; {shares[best]:.0%} is still misplaced."
)
ratios = sorted(line.ratio for line in layer_times.rows if line.ratio)
below = sum(ratio < 0.9 for ratio in ratios)
print(
    f"\n{below} of {len(ratios)} layers are clearly below the floor, {sum(r > 3 for r in ratios)} are above 3 times it."
)

# %% [markdown]
# And the same layers under this machine's roof, those with MACs. The height of a dot is its measured speed. The full line
# is the roof for maps that come from memory, the dashed one for maps that stay in the nearest cache. The roof of a layer
# lies in the band between them, by how many bytes it touches. So a dot may be coloured *limited by arithmetic* though
# it stands left of the full line's corner: its bytes come from a cache. The column near 2 FLOPs a byte, and what lies
# left of it, is depthwise, but for the classifier.

# %%
roofline(analyze(mobilenet), machine).figure(layer_times)

# %% [markdown]
# Read the table and the pictures with four questions.
#
# * **Who takes time without any MACs?** Batch norm and ReLU6 do no MACs and move most of the bytes. That is why
#   **latency is not proportional to FLOPs (延时与计算量不成正比)**, and why folding a batch norm pays (chapter 06).
# * **Who is far above its least time?** Look at the ratio of the depthwise layers, and at their last column. The textbook says
#   that they are slow because they are memory-bound. If by the count only some of them wait for memory (small maps stay
#   in the cache), and yet all of them are slow, memory is not the whole reason.
# * **Who is below the floor?** There should be nobody. A layer is, if its map was still in the nearest cache, or if the
#   probe found less bandwidth than there is.
# * **What does a small layer cost at least?** Some microseconds, whatever it does, and a small depthwise layer many more:
#   each call of an operator has its fixed price, and a hundred small layers pay it a hundred times. So a high ratio in
#   the lines of the additions and the pooling says little: they have next to nothing to do, and pay the price.
#
# ### Same bytes, different time
#
# If bytes set the time, layers that move the same bytes take the same time. Six layers read a map of 64×56×56 and write
# one. The second column is the same arithmetic, on the same numbers, in another order in memory: **channels last
# (通道在后)**, where all channels of a pixel lie side by side.

# %%
x = torch.randn(1, 64, 56, 56)
movers = {
    "ReLU": nn.ReLU(),
    "batch norm": nn.BatchNorm2d(64).eval(),
    "average pool 3×3": nn.AvgPool2d(3, 1, 1),
    "max pool 3×3": nn.MaxPool2d(3, 1, 1),
    "depthwise 3×3": nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False),
    "1×1": nn.Conv2d(64, 64, 1, bias=False),
}
usual = race({name: (layer, x) for name, layer in movers.items()}, rounds=30)
turned = x.to(memory_format=torch.channels_last)
last = race({n: (m.to(memory_format=torch.channels_last), turned) for n, m in movers.items()}, 30)
floor = machine.seconds(0, 2 * 4 * x.numel())
print(f"{'64×56×56':<18}{'µs':>8}{'× at least':>12}{'channels last, µs':>20}{'gain':>8}")
for name in movers:
    print(
        f"{name:<18}{1e6 * usual[name]:>8.0f}{usual[name] / floor:>12.1f}{1e6 * last[name]:>20.0f}"
        f"{usual[name] / last[name]:>7.1f}×"
    )
slow, quick = max(usual, key=usual.get), min(usual, key=usual.get)
print(f"\nThe same bytes: {slow} takes {usual[slow] / usual[quick]:.0f} times as long as {quick}.")
gains = [name for name in movers if usual[name] > 1.5 * last[name]]
print("Clearly faster with channels last:", ", ".join(gains) or "none")

# %% [markdown]
# Neither MACs nor bytes changed between the two columns. Where the time changed, it was the **kernel (算子实现)**, the
# program that computes the layer: whether it can take 8 or 16 neighbours at once depends on how they lie. So three
# things make a layer slow: much arithmetic, many bytes, or a program that uses neither well. The first two can be
# counted. The third must be measured, on the machine where the network shall run.
#
# ### Whole networks
#
# Is it any better for whole networks? Here are three with nearly the same MACs, and one with six times as many.

# %%
print("Timing four networks in turn …")
picture = torch.randn(1, 3, 224, 224)
contest = {
    "MobileNetV2": mobilenet,
    "ShuffleNetV2 1.5x": models.shufflenet_v2_x1_5().eval(),
    "SqueezeNet 1.1": models.squeezenet1_1().eval(),
    "ResNet-18": models.resnet18().eval(),
}
entries = {name: (model, picture) for name, model in contest.items()}
heats = [race(entries, rounds=3) for _ in range(5)]
costs = {name: analyze(model) for name, model in contest.items()}
base = "MobileNetV2"
print(f"\n{'':<20}{'M MACs':>8}{'MB moved':>10}{'operators':>11}{'ms':>8}{'MACs':>9}{'time':>15}")
for name, cost in costs.items():
    count = sum(share.count for share in cost.by_kind())
    took = 1000 * statistics.median(times[name] for times in heats)
    mean, spread = relative(heats, name, base)
    print(
        f"{name:<20}{cost.macs / 1e6:>8.0f}{cost.memory_access / 1e6:>10.0f}{count:>11}"
        f"{took:>8.1f}{cost.macs / costs[base].macs:>8.2f}×{mean:>8.2f} ± {spread:.2f}"
    )
mean, spread = relative(heats, "ShuffleNetV2 1.5x", base)
word = "faster" if mean < 1 else "slower"
sure = "clearly" if abs(mean - 1) > 3 * spread else "not clearly"
print(f"\nAt equal MACs ShuffleNetV2 is {sure} {word} than MobileNetV2 here.")
more, (longer, _) = costs["ResNet-18"].macs / costs[base].macs, relative(heats, "ResNet-18", base)
print(f"ResNet-18 has {more:.1f} times the MACs and takes {longer:.1f} times as long.")

# %% [markdown]
# The last two columns are relative to MobileNetV2; the time is the mean of five races, with its standard deviation. The
# paper on ShuffleNetV2 reports its network as the faster one at 300 million MACs: 11.8 against 8.9 pictures a second on
# a phone's processor, 255 against 180 batches a second on a graphics card (table 8). A light network is light in MACs.
# How light in seconds depends on what the machine likes; large dense convolutions are what most machines like best.
#
# Now the other way round: the same network, fewer pixels.

# %%
sides = (224, 160, 112, 64, 32)
scaled = race({side: (mobilenet, torch.randn(1, 3, side, side)) for side in sides}, rounds=8)
work = {side: analyze(mobilenet, (1, 3, side, side)) for side in sides}
print(f"{'size':<8}{'MACs':>8}{'bytes':>8}{'time':>8}")
for side in sides:
    ratio = work[side].macs / work[224].macs
    moved = work[side].memory_access / work[224].memory_access
    print(f"{side:<8}{ratio:>8.3f}{moved:>8.3f}{scaled[side] / scaled[224]:>8.3f}")
tiny = work[32]
calls = sum(share.count for share in tiny.by_kind())
floor = 1000 * sum(seconds for _, seconds, _ in at_least(tiny))
price = 1000 * calls * machine.overhead
print(f"\nAt 32 pixels {1000 * scaled[32]:.1f} ms. By the roof at least {floor:.1f} ms;")
print(f"{calls} calls, each at the price of the smallest layer, {price:.1f} ms.\n")
parts_of = {}
for line in latency_by_layer(mobilenet, (1, 3, 32, 32), machine=no_fee, seconds=1).rows:
    parts_of.setdefault(kind_of(line), []).append((line.measured, line.predicted))
took = sum(one for lines in parts_of.values() for one, _ in lines)
print(f"{'where it goes':<18}{'calls':>6}{'ms':>7}{'share':>7}{'µs a call':>11}{'at least':>10}")
for kind, lines in sorted(parts_of.items(), key=lambda item: -sum(one for one, _ in item[1])):
    spent, least = (sum(column) for column in zip(*lines, strict=True))
    print(
        f"{kind:<18}{len(lines) if least else '-':>6}{1000 * spent:>7.2f}{spent / took:>7.0%}",
        end="",
    )
    print(f"{1e6 * spent / len(lines):>11.0f}{1e6 * least / len(lines):>10.1f}" if least else "")

# %% [markdown]
# The MACs follow ρ². The time does not: it meets a floor. Two things do not shrink with the picture. The parameters are
# read whole, so the bytes fall more slowly than the MACs. And every operator has its fixed price: to be called, to get
# its memory, to set up its program. The roof does not see it. Nor is it the same for all: compare *µs a call* with *at
# least*, and with the µs of the smallest layer that the probe found. A kind far above both, on many machines the depthwise
# layers, has a program that is dear to set up or slow, and there the time has gone.
#
# ### Claim: channels should be a multiple of 8
#
# Does this machine care? Convolutions with 24 to 72 channels, every number in between, 1×1 and 3×3, on a map of 28×28.

# %%
print("Timing 98 layers in turn …")
counts = range(24, 73)
curves = {}
for kernel in (1, 3):
    curves[kernel] = race({c: conv(c, c, kernel, 28) for c in counts}, rounds=40)
figure, axes = plt.subplots(1, 2, figsize=(10, 3.2))
for axis, kernel in zip(axes, (1, 3), strict=True):
    axis.plot(counts, [1e6 * curves[kernel][c] for c in counts], color="#0072b2")
    axis.set(title=f"{kernel}×{kernel}", xlabel="channels", ylabel="µs", xticks=range(24, 73, 8))
    axis.set_ylim(0)
    axis.grid(axis="x", color="#dddddd")
figure.tight_layout()
plt.show()

print(f"{'time':<6}" + "".join(f"{c:>8}" for c in (30, 31, 32, 33, 34, 62, 63, 64, 65, 66)))
for kernel, times in curves.items():
    cells = [
        times[c] / times[32 if c < 40 else 64] for c in (30, 31, 32, 33, 34, 62, 63, 64, 65, 66)
    ]
    print(f"{kernel}×{kernel:<4}" + "".join(f"{cell:>7.2f}×" for cell in cells))
print("(each relative to 32, and to 64 channels)\n")
for kernel, times in curves.items():
    # a step that lasts: the best of three channels behind it against the worst of three before
    cliffs = [
        c
        for c in range(26, 70)
        if min(times[c + i] for i in (1, 2, 3)) > 1.2 * max(times[c - i] for i in (0, 1, 2))
    ]
    good = [c for c in cliffs if c % 8 == 0]
    forty = times[40] / times[48]
    one_more = f"33 channels take {times[33] / times[32]:.2f} times the time of 32"
    if cliffs:
        after = ", ".join(map(str, cliffs))
        print(
            f"{kernel}×{kernel}: cliffs behind {after}; {len(good)} of {len(cliffs)} are multiples of 8; {one_more}."
        )
    else:
        print(f"{kernel}×{kernel}: no cliff; {one_more}.")
    print(f"     40 channels, a multiple of 8, take {forty:.2f} times the time of 48.")

# %% [markdown]
# Two things come out, and they may differ on your machine. Where there is a staircase, its steps are as wide as the
# program's blocks of channels: with steps of 16, 33 channels are computed as if they were 48. Where there is none, the
# program for that layer handles any number well.
#
# So the rule is *do not stand just above a step*. On a staircase 31 costs as much as 32, so the 32nd channel is a
# present; the 33rd is dear. Which multiple is safe depends on the width of the steps. With steps of 8 it is any multiple
# of 8. With steps of 16 it is not: 40 channels then cost as much as 48, a ratio near 1 in the lines that begin with 40. A
# multiple of 32 stands on a step of either width. A single peak or dip in a curve is noise; a step that stays is not.

# %% [markdown]
# ## Meet the real thing
#
# ### One network, ten profilers, seven numbers
#
# Ten tools were asked for the MACs of the same MobileNetV2 at 224×224. All of them are in use. These are their answers,
# measured once and kept; the column *off* is recomputed now: what remains when the tool's habit is put into a formula.

# %%
profiler_table(create_model("mobilenet_v2"))

# %% [markdown]
# Nobody is wrong by accident: each number follows to the unit from what the tool decides to count. Three count products
# only, as you did. The others add biases, batch norms (once, twice or four times for each number), activations or
# poolings. How much does that matter for other networks, if each tool keeps its habit?

# %%
for name in ("MobileNetV2", "ShuffleNetV2 1x", "SqueezeNet 1.1", "ResNet-18", "DenseNet-121"):
    counted = parts(zoo[name])
    said = [counted.total(row) for row in PROFILERS]
    spread = max(said) / min(said) - 1
    print(
        f"{name:<16} {min(said) / 1e6:>7.0f} to {max(said) / 1e6:>5.0f} M MACs, {spread:.1%} apart"
    )

# %% [markdown]
# In a network of large dense convolutions it is a rounding error. In a light one with a batch norm behind each small
# convolution it is not. So when you compare two networks, use *one* tool.
#
# ### Where MobileNetV2 spends what
#
# Its parameters, MACs, bytes and memory have four different addresses.

# %%
report = analyze(mobilenet)
addresses = {"parameters": "params", "MACs": "macs", "bytes moved": "memory_access"}
stages = ["features.0", "features.1"] + [f"features.{i}" for i in range(2, 19)] + ["classifier"]


def stage_of(layer):
    """The block that a layer belongs to; the pooling belongs to the classifier."""
    names = layer.name.split(".")
    return ".".join(names[:2]) if names[0] == "features" else "classifier"


figure, axes = plt.subplots(2, 1, figsize=(9.6, 5.6), height_ratios=(3, 2))
for (name, price), colour in zip(addresses.items(), ("#b27c00", "#0072b2", "#009e73"), strict=True):
    whole = sum(getattr(layer, price) for layer in report.layers)
    share = [sum(getattr(x, price) for x in report.layers if stage_of(x) == s) for s in stages]
    running = [100 * sum(share[: i + 1]) / whole for i in range(len(share))]
    axes[0].plot(running, color=colour, marker="o", ms=3, label=name)
    half = next(i for i, value in enumerate(running) if value >= 50)
    print(f"half of the {name:<12} are spent by {stages[half]}, part {half + 1} of {len(stages)}")
axes[0].set(ylabel="% so far", title="MobileNetV2, from the picture to the classes")
axes[0].set_xticks(
    range(len(stages)), [s.split(".")[-1].replace("classifier", "cls") for s in stages]
)
axes[0].legend(frameon=False)
line = report.timeline()
axes[1].fill_between(
    range(len(line.live)), [b / 1e6 for b in line.live], color="#c04f00", step="mid"
)
axes[1].plot([b / 1e6 for b in report.timeline("fused").live], color="#222222", lw=1, label="fused")
axes[1].set(xlabel="step", ylabel="MB alive", xlim=(0, len(line.live)))
axes[1].legend(frameon=False)
figure.tight_layout()
plt.show()
print(
    f"the most memory is alive at step {line.peak_op + 1} of {len(line.live)}: {line.peak / 1e6:.2f} MB"
    " (a dropout, which does nothing here, is a step, too)"
)
print(f"fused: {report.peak_activation_fused / 1e6:.2f} MB")

# %% [markdown]
# Parameters come late, where there are many channels. MACs are spread out. Bytes come early, and memory is a matter of the
# first blocks, where the maps are large. So *which* layer to slim depends on *which* price is too high.
#
# Who moves the bytes?

# %%
kinds = ("pointwise convolution", "depthwise convolution", "convolution", "linear")
print(
    f"{'share of the bytes':<22}{'convolutions':>14}{'batch norm':>12}{'activation':>12}{'rest':>8}"
)
for name in ("MobileNetV2", "ShuffleNetV2 1x", "DenseNet-121"):
    moved = {share.kind: share.memory_access for share in seen[name].by_kind()}
    total = seen[name].memory_access
    cells = [
        sum(moved.get(kind, 0) for kind in kinds[:3]) / total,
        moved.get("normalisation", 0) / total,
        moved.get("activation", 0) / total,
    ]
    cells.append(1 - sum(cells))
    print(f"{name:<22}{cells[0]:>14.0%}{cells[1]:>12.0%}{cells[2]:>12.0%}{cells[3]:>8.0%}")

# %% [markdown]
# In all three the convolutions do practically all of the MACs and move about a third of the bytes, or less. What would
# a compiler save that folds the batch norms and applies the activations on the way? And do our numbers agree with those
# that were published?

# %%
published = {"MobileNetV2": (3.47, 300), "ShuffleNetV2 1x": (2.3, 146), "DenseNet-121": (8.0, 2830)}
print(f"{'':<18}{'M parameters':>22}{'M MACs':>22}{'MB, eager':>12}{'MB, fused':>12}")
print(f"{'':<18}{'published':>12}{'here':>10}{'published':>12}{'here':>10}")
for name, (params, macs) in published.items():
    cost = seen[name]
    with torch.device("meta"):
        moved = sum(
            access.total for access in count_access(trace(zoo[name], (1, 3, 224, 224)), "fused")
        )
    print(
        f"{name:<18}{params:>12}{cost.params / 1e6:>10.2f}{macs:>12}{cost.macs / 1e6:>10.1f}"
        f"{cost.memory_access / 1e6:>12.0f}{moved / 1e6:>12.0f}"
    )
twin = analyze(models.mobilenet_v2())
same = (twin.params, twin.macs, twin.memory_access) == (
    report.params,
    report.macs,
    report.memory_access,
)
print(
    "\ntorchvision's MobileNetV2 and ours:",
    "equal in parameters, MACs and bytes." if same else "different!",
)

# %% [markdown]
# MobileNetV2 as in the table of its authors (TensorFlow), ShuffleNetV2 as in its paper, DenseNet as in the lists that
# quote it. The MACs of ShuffleNetV2 are a little lower here: torchvision splits the channels of the first unit of stage 2
# evenly, the paper does not.
#
# DenseNet gains least from folding: half of its batch norms stand behind a concatenation, where there is no convolution
# to fold them into.
#
# ### Do two methods agree?
#
# Your `alive` knows names and sizes. `analyze` watches PyTorch make and free its tensors. Here both look at a small block
# with a shortcut.


# %%
class Bottleneck(nn.Module):
    """Narrow, wide, narrow, with a shortcut around the wide part."""

    def __init__(self, narrow: int, wide: int):
        super().__init__()
        self.first = nn.Conv2d(3, narrow, 3, padding=1)
        self.widen = nn.Conv2d(narrow, wide, 1)
        self.depthwise = nn.Conv2d(wide, wide, 3, padding=1, groups=wide)
        self.narrow = nn.Conv2d(wide, narrow, 1)

    def forward(self, image):
        x = self.first(image)
        return x + self.narrow(self.depthwise(self.widen(x)))


live = analyze(Bottleneck(8, 48), (1, 3, 20, 24)).timeline().live
print("analyze:  ", list(live))
if run_check("04.alive", alive).passed:
    place = 20 * 24 * 4
    steps = [
        ("x", ["image"], 8 * place),
        ("wide", ["x"], 48 * place),
        ("deep", ["wide"], 48 * place),
    ]
    steps += [("narrow", ["deep"], 8 * place), ("sum", ["x", "narrow"], 8 * place)]
    print("your alive", alive(steps))
    print("They agree." if alive(steps) == list(live) else "They differ: who is right?")
else:
    print("Your alive() is not right yet, so the second method is missing here.")

# %% [markdown]
# Last, put your own network under the microscope: change the rows, run the cell, and move the sliders. The button *this
# machine* over the roof sets what the probe has found. Its peak is in FLOP/s there, two for each
# MAC. Hold the pointer over it: where a speed of your machine lies off the scale, the words say what is drawn.

# %%
mine = row(16, 3, stride=2) + row(16, 3, groups=16) + row(32, 1) + row(32, 3, stride=2, groups=32)
mine += [*row(64, 1), ("pool", {}), ("linear", {"out_features": 10})]
viz.cost_microscope(module_of(mine), size=96)

# %% [markdown]
# ## Explain
#
# In your own words, two or three sentences each. In a class your teacher reads them.
#
# **1.** A colleague has replaced all 3×3 convolutions of a network by depthwise separable ones. The MACs fell to one
# eighth, the time to one half. She suspects a mistake in her code. What do you answer, and what would you measure?

# %% [markdown] nbgrader={"grade": true, "grade_id": "04-explain-1", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# No mistake is needed to explain it. The maps are as large as before, there are more of them, and batch norm and
# activation run over each, so the bytes hardly fall; depthwise layers have a low intensity, and often a slow program. I
# would probe the machine, compare measured and least time layer by layer, and look which kind of layer takes the time.
#
# Rubric. 1 point: bytes or intensity (or the fixed price of an operator, or the kernel) set the time, not MACs alone.
# 1 point: a measurement that tells these causes apart, layer by layer, against a prediction.
# ### END SOLUTION

# %% [markdown]
# **2.** A microcontroller has 1 MB of flash and 320 kB of SRAM. Network A has 0.9 million int8 weights and a peak of
# 500 kB. Network B has 1.3 million int8 weights and a peak of 250 kB. Each fails. Which of the two is easier to save, and
# how? Name one change for each.

# %% [markdown] nbgrader={"grade": true, "grade_id": "04-explain-2", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# A fits the flash (0.9 MB) and not the SRAM; B fits the SRAM and not the flash (1.3 MB). A: a smaller picture, or fewer
# channels or an earlier stride in the first blocks, where the peak is; its weights may stay. B: fewer channels or weights
# in the last blocks and the classifier, where the parameters are, or fewer bits; its peak stays. Either choice is fine
# with a reason: a lower resolution saves A without touching a weight.
#
# Rubric. 1 point: weights belong to the flash, the peak to the SRAM, so each fails for another reason. 1 point: one
# fitting change for each, at the right end of the network.
# ### END SOLUTION

# %% [markdown]
# **3.** A layer has an intensity of 2 FLOPs a byte; the ridge of the machine is at 14. Someone halves its MACs by pruning
# half of the weights, and nothing gets faster. Why? What would make this layer faster?

# %% [markdown] nbgrader={"grade": true, "grade_id": "04-explain-3", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# The layer is memory-bound: its time is bytes over bandwidth, and its bytes are mostly maps, which pruning weights does
# not shrink. Fewer or smaller maps help: fusing the batch norm and the activation into it, a smaller resolution, fewer
# channels, int8 in place of float32.
#
# Rubric. 1 point: below the ridge the bytes set the time, and they have not changed. 1 point: a change that moves fewer
# bytes.
# ### END SOLUTION

# %% [markdown]
# ## Summary card
#
# | price | of a convolution | grows with |
# | --- | --- | --- |
# | parameters | c₂ · c₁/g · k², and c₂ biases | width² |
# | MACs | weights · places of the output | width², resolution², depth |
# | memory access | 4 · (input + parameters + output) bytes | width, resolution², depth, and every operator in between |
# | peak activation memory | what is made, read, or read later | width, resolution²; not depth |
# | least time | max(MACs / peak, bytes / bandwidth) | whichever is longer |
# | latency | measure it | kernel, layout, calls of operators |
#
# * A MAC is two FLOPs. Say which you count, and use one tool.
# * Intensity below the ridge: fewer bytes help, fewer MACs do not.
# * The roof is a floor under the time. What lies far above it has a slow program or a fixed price.
# * Channels: do not stand just above a step. Whether a multiple of 8 is enough, or 16 or 32, the machine says.
#
# **To take along.** Five prices, five addresses. First ask which of them is too high.

# %%
progress()

# %% [markdown]
# ## Papers
#
# - S. Williams, A. Waterman, D. Patterson. *Roofline: An Insightful Visual Performance Model for Multicore
#   Architectures.* Communications of the ACM 52(4), 2009.
# - N. Ma and others. *ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design.* 2018, arXiv 1807.11164:
#   memory access cost, and why FLOPs do not tell the time.
# - A. Howard and others. *MobileNets.* 2017, arXiv 1704.04861: width and resolution multipliers.
# - M. Sandler and others. *MobileNetV2.* 2018, arXiv 1801.04381: memory of a bottleneck.
# - J. Lin and others. *MCUNet: Tiny Deep Learning on IoT Devices.* 2020, arXiv 2007.10319: SRAM and flash.
# - K. He and others. *Deep Residual Learning for Image Recognition.* 2015, arXiv 1512.03385: depth.
# - S. Zagoruyko, N. Komodakis. *Wide Residual Networks.* 2016, arXiv 1605.07146: width.
#
# Next: chapter 05 lays eight kinds of convolution side by side.
