# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   lightcourse: {chapter: "08", title: "SqueezeNet", question: "How few weights can a network do with, and what do you pay for it?", minutes: 75, budget_seconds: 110, exercises: ["08.fire", "08.params", "08.design", "08.net"]}
# ---

# %% [markdown]
# # 08 · SqueezeNet
#
# **How few weights can a network do with, and what do you pay for it?**
#
# About 75 minutes. You will write SqueezeNet's building block, count it, spend a budget on it, and assemble the
# published network from its table. Then you measure the paper's third idea, and what it costs.

# %%
import time

import matplotlib.pyplot as plt
import torch
from torch import nn

from lightcourse import (
    analyze,
    check,
    create_model,
    hint,
    predict,
    progress,
    reveal,
    solution,
    viz,
)
from lightcourse import nn as blocks
from lightcourse._torchvision import import_torchvision
from lightcourse.checks import hidden_check, run_check
from lightcourse.checks.engine import stand_in
from lightcourse.models import model_info
from lightcourse.myths import myth
from lightcourse.training import builtin, experiment

torch.manual_seed(0)
torch.set_num_threads(1)  # one thread gives the same numbers at every run
print("Ready. PyTorch", torch.__version__)

# %% [markdown]
# ## Question
#
# AlexNet won ImageNet in 2012 with 61 million weights, 240 MB on the disk. Four years later **SqueezeNet** reached the
# same accuracy with a fiftieth of them. That matters when a network is sent to a car by radio, or when it has to fit
# into the few megabytes of memory *on* a chip.
#
# First look where AlexNet keeps its weights. A layer on the *meta* device has shapes and no numbers, so this costs
# neither memory nor time.

# %%
with torch.device("meta"):
    alexnet, squeezenet = create_model("alexnet").eval(), create_model("squeezenet1_0").eval()
reports = {
    "AlexNet": analyze(alexnet, (1, 3, 227, 227)),
    "SqueezeNet": analyze(squeezenet, (1, 3, 227, 227)),
}

figure, axes = plt.subplots(1, 2, figsize=(10, 3.2))
for ax, (name, report) in zip(axes, reports.items(), strict=True):
    layers = [layer for layer in report.layers if layer.params]
    colours = ["#c04f00" if layer.kind == "Linear" else "#0072b2" for layer in layers]
    ax.bar(range(len(layers)), [layer.params / 1e6 for layer in layers], color=colours)
    ax.set_title(f"{name}: {report.params / 1e6:.2f} million parameters")
    ax.set_xlabel("layer")
axes[0].set_ylabel("millions of parameters")
axes[0].bar(0, 0, color="#c04f00", label="fully connected")
axes[0].bar(0, 0, color="#0072b2", label="convolution")
axes[0].legend(frameon=False)
figure.tight_layout()
plt.show()

dense = sum(layer.params for layer in reports["AlexNet"].layers if layer.kind == "Linear")
rest = reports["AlexNet"].params - dense
print(f"AlexNet: {dense:,} parameters in fully connected layers, {rest:,} in convolutions.")
print(
    f"SqueezeNet has {reports['AlexNet'].params / reports['SqueezeNet'].params:.1f} times fewer",
    end="",
)
print(f" than all of AlexNet, and {rest / reports['SqueezeNet'].params:.1f} times fewer", end="")
print(" than its convolutions.")

# %% [markdown]
# (Mind the two scales.) Most of the fiftyfold saving is one decision: *no fully connected layers*. A **global average
# pool (全局平均池化)** takes their place, as in Network in Network. The rest comes from how the convolutions are built.
#
# ### Three strategies
#
# The paper names three (SqueezeNet三策略):
#
# | | strategy | what it is good for |
# | --- | --- | --- |
# | 1 | 1×1 kernels in place of many of the 3×3 | nine times fewer weights in each |
# | 2 | few input channels where a 3×3 kernel reads | the weights of a kernel grow with them |
# | 3 | **late downsampling (延迟下采样)**: keep the maps large for long | accuracy, the paper says |
#
# Strategies 1 and 2 save weights. Strategy 3 saves none. This chapter asks what it does instead.

# %% [markdown]
# ## Predict
#
# Three guesses. Put your answer in place of the dots. Nobody grades them.
#
# **1.** An ordinary 3×3 layer goes from 96 channels to 128. SqueezeNet does the same in two steps. First a 1×1 layer
# *squeezes* the 96 channels to 16. Then 64 channels are made of these 16 by 1×1 kernels, and 64 by 3×3 kernels. **How
# many times fewer parameters is that?** A number.

# %%
predict("08.p1", ...)

# %% [markdown]
# **2.** In SqueezeNet the maps are halved by a first layer of stride 2, and then by three pools. The last two of these
# pools move towards the input, each by two blocks, and nothing else is changed. **What falls: the number of parameters,
# the multiply-accumulate operations, MACs (乘加次数), or both?**
#
# Choose `"both fall"`, `"only the parameters fall"`, `"only the MACs fall"` or `"neither falls"`.

# %%
predict("08.p2", ...)

# %% [markdown]
# **3.** The paper's title ends with *“< 0.5MB model size”*. SqueezeNet has 1,248,424 parameters. **How many megabytes
# (millions of bytes) do they take as float32?** A number.

# %%
predict("08.p3", ...)

# %% [markdown]
# ## Play
#
# Here is the block: the **Fire module (Fire模块)**. The channels go through a narrow **squeeze (压缩)** layer, and then
# through two **expand (扩展)** layers side by side.

# %%
viz.blocks(kind="fire")

# %% [markdown]
# Try these, in this order:
#
# - Which of the three convolutions has the most MACs? Decide. Then step with **← →** after a click on the picture, or
#   press play.
# - Where are the channels fewest? Which two layers read them there?
# - Drag the **squeeze ratio**, squeezed channels over those that come out. Which of the three layers become heavier?
#   (More than one does.)
# - Drag the **3×3 share**. What do the weights and the MACs of the two expansions do?
# - **Bypass** on: for which of the two modules is it possible, and why not for the other?

# %%
reveal("08.p1")

# %% [markdown]
# ## Build
#
# ### The Fire module
#
# With the numbers of the first one in the network, *fire2*:
#
# ```text
#                                  ┌─► expand1x1   1×1, 16 → 64, ReLU ──┐
# x ─► squeeze  1×1, 96 → 16, ReLU ┤                                    ├─► side by side ─► 128
#                                  └─► expand3x3   3×3, 16 → 64, ReLU ──┘
# ```
#
# Both expansions read the *same* 16 channels. The outputs stand side by side: first the 64 channels of the 1×1, then
# the 64 of the 3×3. There is no batch norm (it was a year old), so every convolution has a bias. The map keeps its
# size.
#
# ### Exercise 08.fire: squeeze, then expand
#
# difficulty 2 of 5 · importance 5 of 5 · 10 minutes
#
# Give the three convolutions the names of the docstring, so that the check can put weights into them.


# %% nbgrader={"grade": false, "grade_id": "08-fire", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Fire(nn.Module):
    """Squeeze by a 1×1, then expand by a 1×1 and a 3×3 side by side; ReLU after each of the three.

    Fire(in_channels, squeeze, expand1x1, expand3x3): how many channels come in, and how many each
    of the three convolutions gives out. The convolutions are self.squeeze, self.expand1x1 and
    self.expand3x3, each with a bias.
    (N, in_channels, H, W) -> (N, expand1x1 + expand3x3, H, W), the channels of the 1×1 first.
    """

    def __init__(self, in_channels: int, squeeze: int, expand1x1: int, expand3x3: int):
        super().__init__()
        ### BEGIN SOLUTION
        self.squeeze = nn.Conv2d(in_channels, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand1x1, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand3x3, 3, padding=1)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        narrow = torch.relu(self.squeeze(x))
        return torch.cat(
            [torch.relu(self.expand1x1(narrow)), torch.relu(self.expand3x3(narrow))], dim=1
        )
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "08-fire-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("08.fire", Fire)
### BEGIN HIDDEN TESTS
hidden_check("08.fire", Fire, seed=7)
### END HIDDEN TESTS

# %%
hint("08.fire")

# %%
# solution("08.fire")

# %% [markdown]
# Put it under the microscope: fire2, on a map of 55 × 55. (The cell takes the course's module until yours passes.)

# %%
Block = Fire if run_check("08.fire", Fire).passed else blocks.Fire
print("This is", "your Fire module." if Block is Fire else "the course's Fire module.")
analyze(Block(96, 16, 64, 64), (1, 96, 55, 55))

# %% [markdown]
# Most of it is the 3×3 expansion, *although* it reads 16 channels only. Another one, in the
# scene from *Play*; put in the widths that you like:

# %%
viz.blocks(kind="fire", block=blocks.Fire(96, 24, 96, 32), input_size=55)

# %% [markdown]
# ### Exercise 08.params: what a Fire module weighs
#
# difficulty 1 of 5 · importance 4 of 5 · 5 minutes
#
# A convolution from a to b channels with k×k kernels has k · k · a · b weights and b biases. So what has a Fire module?


# %% nbgrader={"grade": false, "grade_id": "08-params", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fire_params(in_channels: int, squeeze: int, expand1x1: int, expand3x3: int) -> int:
    """Parameters of a Fire module, weights and biases, as a whole number.

    fire_params(1, 1, 1, 1) is 14
    fire_params(96, 16, 64, 64) is 11920
    """
    ### BEGIN SOLUTION
    narrow = in_channels * squeeze + squeeze
    ones = squeeze * expand1x1 + expand1x1
    threes = 9 * squeeze * expand3x3 + expand3x3
    return narrow + ones + threes
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "08-params-check", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check("08.params", fire_params)
### BEGIN HIDDEN TESTS
hidden_check("08.params", fire_params, seed=7)
### END HIDDEN TESTS

# %%
hint("08.params")

# %%
# solution("08.params")

# %% [markdown]
# Now the first two strategies can be told apart. The eight Fire modules of the network, from *fire2* to *fire9*: how much
# lighter than ordinary 3×3 layers are they by each strategy alone, and by both?
#
# - *1×1 only*: half of the kernels are 1×1, all of them read all channels that come in.
# - *squeeze only*: first the squeeze layer, then 3×3 kernels only.

# %%
# in_channels, squeeze, expand1x1, expand3x3
MODULES = [
    (96, 16, 64, 64), (128, 16, 64, 64), (128, 32, 128, 128), (256, 32, 128, 128),
    (256, 48, 192, 192), (384, 48, 192, 192), (384, 64, 256, 256), (512, 64, 256, 256),
]  # fmt: skip
params = stand_in("08.params", fire_params)  # yours, once it passes

print(f"{'':<8}{'3×3 layer':>12}{'1×1 only':>12}{'squeeze only':>14}{'Fire':>10}{'times':>7}")
for number, (c, s, e1, e3) in enumerate(MODULES, 2):
    e = e1 + e3
    plain = 9 * c * e + e
    ones = c * e1 + 9 * c * e3 + e
    squeezed = c * s + s + 9 * s * e + e
    fire = params(c, s, e1, e3)
    print(f"fire{number:<4}{plain:>12,}{ones:>12,}{squeezed:>14,}{fire:>10,}{plain / fire:>7.1f}")

# %% [markdown]
# The second strategy does the larger part. Kernels of 1×1 alone save less than half, since the other half of the
# kernels is where the weights were.
#
# ### How the paper chose its numbers
#
# Three widths for each of eight modules are 24 numbers. The paper (section 5) draws them from five. With *i* = 0 … 7 for
# fire2 … fire9:
#
# | name in the paper | meaning | SqueezeNet |
# | --- | --- | --- |
# | base_e | kernels that expand, 1×1 and 3×3 together, in the first module | 128 |
# | incr_e, freq | so many more of them after every *freq* modules | 128 more after every 2 |
# | pct_3x3 | share of the 3×3 among the kernels that expand | 0.5 |
# | **squeeze ratio, SR (压缩比)** | squeezed channels over kernels that expand | 0.125 |
#
# So module i has *e = 128 + 128 · (i // 2)* kernels that expand: 128, 128, 256, 256, 384, … Of these, *share · e* are
# 3×3 and the others 1×1. The squeeze layer has *ratio · e* channels.
#
# By hand, for i = 4 with the ratio 0.125 and the share 0.5: e = 384, squeeze 48, and 192 + 192. That is fire6.
#
# ### Exercise 08.design: spend a budget
#
# difficulty 3 of 5 · importance 3 of 5 · 15 minutes
#
# You may spend so many parameters on the eight modules. The share of the 3×3 kernels is given, and a list of squeeze
# ratios to choose from. Take the largest ratio whose network fits.
#
# 96 channels come into the first module; into every other come those that the module before gives out. In the check all
# the products are whole numbers, but ratio and share are floats: `int(…)`. (Further down a share of 0.99 is tried once:
# there `int` rounds down.) The function `params` is handed in, so that a mistake in the last exercise does no harm here.


# %% nbgrader={"grade": false, "grade_id": "08-design", "locked": false, "schema_version": 3, "solution": true, "task": false}
def design(budget: int, share: float, ratios: list[float], params) -> list[tuple[int, int, int]]:
    """The eight Fire modules with the largest squeeze ratio that fits into the budget.

    budget: parameters of the eight modules together; exactly so many still fit.
    share: part of the expanding kernels that are 3×3.  ratios: squeeze ratios, in any order.
    params: params(in_channels, squeeze, expand1x1, expand3x3), as fire_params.
    Returns eight (squeeze, expand1x1, expand3x3), or [] if none of the ratios fits.

    design(800_000, 0.5, [0.125, 0.25], fire_params) begins with (16, 64, 64), (16, 64, 64)
    """
    ### BEGIN SOLUTION
    best = []
    for ratio in sorted(ratios):
        rows, spent, channels = [], 0, 96
        for i in range(8):
            expand = 128 + 128 * (i // 2)
            threes = int(share * expand)
            row = (int(ratio * expand), expand - threes, threes)
            spent += params(channels, *row)
            channels = expand
            rows.append(row)
        if spent <= budget:
            best = rows
    return best
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "08-design-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("08.design", design)
### BEGIN HIDDEN TESTS
hidden_check("08.design", design, seed=7)
### END HIDDEN TESTS

# %%
hint("08.design")

# %%
# solution("08.design")

# %% [markdown]
# What did the authors find when they trained such families on ImageNet? Two curves (their figure 3). We cannot train
# ImageNet here. But the *sizes* on their axis can be recomputed: your eight modules, the first convolution and the last.

# %%
make = stand_in("08.design", design)  # yours, once it passes
AROUND = (49 * 3 * 96 + 96) + (512 * 1000 + 1000)  # conv1 with 7×7 kernels, and conv10


def megabytes(ratio: float, share: float) -> float:
    """Size of the whole network as float32."""
    count, channels = AROUND, 96
    for s, e1, e3 in make(10**9, share, [ratio], params):
        count += params(channels, s, e1, e3)
        channels = e1 + e3
    return 4 * count / 1e6


# squeeze ratio, share of 3×3, and what section 5 prints: the size, the top-5 accuracy
PRINTED = [
    (0.125, 0.5, 4.8, "80.3 %"),
    (0.75, 0.5, 19, "86.0 %"),
    (0.5, 0.5, 13, "85.6 %"),
    (0.5, 0.99, 21, "no better"),
]
print("ratio  share of 3×3   our MB   our MiB   paper's MB   paper's top-5")
for ratio, share, size, top5 in PRINTED:
    mine = megabytes(ratio, share)
    print(f"{ratio:<7}{share:<14}{mine:>7.1f}{mine * 1e6 / 2**20:>10.1f}{size:>13}{top5:>16}")

figure, axes = plt.subplots(1, 2, figsize=(9.6, 3), sharey=True)
steps = [i / 16 for i in range(1, 16)]
axes[0].plot(steps, [megabytes(r, 0.5) for r in steps], color="#0072b2")
axes[0].set_xlabel("squeeze ratio (share of 3×3: 0.5)")
axes[1].plot(steps, [megabytes(0.5, s) for s in steps], color="#0072b2")
axes[1].set_xlabel("share of 3×3 (squeeze ratio: 0.5)")
axes[0].plot(0.125, megabytes(0.125, 0.5), "o", color="#c04f00", label="SqueezeNet")
axes[0].set_ylabel("MB as float32")
axes[0].legend(frameon=False)
figure.tight_layout()
plt.show()

# %% [markdown]
# Our sizes come close to the paper's: mostly in MiB, the last one only in MB. How the authors rounded we do not know. (A
# MiB is 2²⁰ bytes; some texts call that an MB as well.) What they read off, on ImageNet:
#
# - More squeezed channels help, up to a ratio of 0.75. That network is four times as large. Beyond it nothing is gained.
# - With half of the kernels 3×3 the accuracy is as high as with nearly all of them.
#
# SqueezeNet itself stands at the small end of the first curve on purpose: 80.3 % is what AlexNet has.
#
# ### SqueezeNet from its table
#
# Table 1 of the paper as a list, one row for each layer. Pools and convolutions have no name of their own here: the
# first convolution is *conv1*, the pool after it *maxpool1*, and so on up to *fire9*.

# %%
TABLE_1_0 = [
    ("conv", 96, 7),  # out, k
    ("pool",),
    ("fire", 16, 64, 64),  # squeeze, expand1x1, expand3x3
    ("fire", 16, 64, 64),
    ("fire", 32, 128, 128),
    ("pool",),
    ("fire", 32, 128, 128),
    ("fire", 48, 192, 192),
    ("fire", 48, 192, 192),
    ("fire", 64, 256, 256),
    ("pool",),
    ("fire", 64, 256, 256),
]

# the authors' later version: a smaller first layer, and two pools moved towards the input
TABLE_1_1 = [
    ("conv", 64, 3),
    ("pool",),
    ("fire", 16, 64, 64),
    ("fire", 16, 64, 64),
    ("pool",),
    ("fire", 32, 128, 128),
    ("fire", 32, 128, 128),
    ("pool",),
    ("fire", 48, 192, 192),
    ("fire", 48, 192, 192),
    ("fire", 64, 256, 256),
    ("fire", 64, 256, 256),
]

# %% [markdown]
# What the rows mean, and what comes after them:
#
# | part | layers |
# | --- | --- |
# | conv | k×k convolution with stride 2, no padding, then ReLU; the picture has 3 channels |
# | pool | maximum over 3×3, stride 2, no padding, **rounded up**: `ceil_mode=True` |
# | fire | a Fire module |
# | after the rows | dropout 0.5; a 1×1 convolution to one map for each class (*conv10*); ReLU; the mean of each map |
#
# *Rounded up* means: where the last window does not fit whole, it may hang over the edge. From 109 pixels the pool makes
# (109 − 3) / 2 + 1 = 54, from 54 it makes 26.5, so 27.
#
# ### Exercise 08.net: SqueezeNet from its table
#
# difficulty 3 of 5 · importance 5 of 5 · 20 minutes
#
# `self.features` must be an `nn.Sequential` with **one item for each row**. Then the check can compare block by block, and
# names the first one that is wrong. `fire` is the class of the Fire modules, so a mistake in yours does no harm here.


# %% nbgrader={"grade": false, "grade_id": "08-net", "locked": false, "schema_version": 3, "solution": true, "task": false}
class SqueezeNet(nn.Module):
    """SqueezeNet from the rows of its table: (N, 3, H, W) -> (N, num_classes).

    rows: tuples ("conv", out, k), ("pool",), ("fire", squeeze, expand1x1, expand3x3); the first is
    a conv.  fire: called as fire(in_channels, squeeze, expand1x1, expand3x3), gives a module.
    self.features: an nn.Sequential with one item for each row.
    self.classifier: all the rest that has parameters.
    """

    def __init__(self, rows: list[tuple], num_classes: int, fire):
        super().__init__()
        ### BEGIN SOLUTION
        items, channels = [], 3
        for kind, *sizes in rows:
            if kind == "conv":
                out, k = sizes
                conv = nn.Conv2d(channels, out, k, stride=2)
                items.append(nn.Sequential(conv, nn.ReLU()))
                channels = out
            elif kind == "pool":
                items.append(nn.MaxPool2d(3, 2, ceil_mode=True))
            else:
                items.append(fire(channels, *sizes))
                channels = sizes[1] + sizes[2]
        self.features = nn.Sequential(*items)
        last = nn.Conv2d(channels, num_classes, 1)
        self.classifier = nn.Sequential(nn.Dropout(0.5), last, nn.ReLU())
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        return self.classifier(self.features(x)).mean((2, 3))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "08-net-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("08.net", SqueezeNet)
### BEGIN HIDDEN TESTS
hidden_check("08.net", SqueezeNet, seed=7)
### END HIDDEN TESTS

# %%
hint("08.net")

# %%
# solution("08.net")

# %% [markdown]
# ## Measure
#
# Strategy 3: *downsample late*. The paper: large maps lead to higher accuracy, all else being equal. It cites others for
# that (K. He and J. Sun, 2015) and does not measure it.
#
# > **Myth or fact?** *SqueezeNet 策略三, 延迟下采样: downsample late, that is what gives SqueezeNet its accuracy.*
# >
# > Decide for yourself before you run the rest of this section. What would you compare, and what must be kept equal?
#
# First what it does to the maps. Here is the side of the map after each row of the two tables.

# %%
sides = {}
for name in ("squeezenet1_0", "squeezenet1_1"):
    with torch.device("meta"):
        report = analyze(create_model(name).eval(), (1, 3, 224, 224))
    sides[name] = [layer.output_shape[-1] for layer in report.layers if "features" in layer.name]
    print(f"{name}: {report.params:,} parameters, {report.macs:,} MACs")

figure, ax = plt.subplots(figsize=(8, 2.8))
for (name, values), colour in zip(sides.items(), ("#0072b2", "#c04f00"), strict=True):
    places = [i / (len(values) - 1) for i in range(len(values))]
    ax.step(places, values, where="post", color=colour, label=name)
ax.set_xlabel("from the first layer to the last")
ax.set_ylabel("side of the map")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# Version 1.1 has fewer parameters as well, for another reason: its first layer is smaller. Your guess was about the pools
# alone. So here is 1.0 itself, with its last two pools two blocks earlier each:

# %%
with torch.device("meta"):
    moved = create_model("squeezenet1_0").eval()
layers = list(moved.features)
for place in (6, 11):  # the last two pools
    layers.insert(place - 2, layers.pop(place))
moved.features = nn.Sequential(*layers)
report = analyze(moved, (1, 3, 224, 224))
print(f"1.0, pools moved: {report.params:,} parameters, {report.macs:,} MACs")

# %%
reveal("08.p2")

# %% [markdown]
# What does moving do to the accuracy? For a clean comparison we need two networks that differ in the pools alone, as
# these do, and that can be trained here. So here is a small one of four Fire modules for pictures of 16 × 16. It has two
# pools:
#
# - **late**: after the second and after the third module;
# - **early**: before the first and before the second module. The parameters are the same, to the last one.
# - **early, wide**: as early, but with so many channels that the MACs are about those of *late*.
#
# The pictures are the course's built-in ones: two textured objects, one above the other; the class says which textures,
# and which is on top (ten classes, guessing gives 10 %). Here they are in brightness only and without grain, the easy
# form. In the hard form this small network, without batch norm, learns nothing in the time that we have.


# %%
def small_net(pools: tuple[int, ...], widths: tuple[int, ...], stem: int) -> nn.Module:
    """Four Fire modules with half the width in each expansion; a pool before the modules in `pools`."""
    layers = [nn.Conv2d(3, stem, 3, padding=1), nn.ReLU()]
    channels = stem
    for i, width in enumerate(widths):
        if i in pools:
            layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
        layers.append(blocks.Fire(channels, width // 2, width, width))
        channels = 2 * width
    layers += [nn.Conv2d(channels, 10, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    net = nn.Sequential(*layers)
    for layer in net.modules():  # as in SqueezeNet: He's rule for the weights, biases start at 0
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return net


NARROW, WIDE = (16, 24, 32, 32), (34, 52, 68, 68)
VARIANTS = {
    "late": lambda: small_net((2, 3), NARROW, 16),
    "early": lambda: small_net((0, 1), NARROW, 16),
    "early, wide": lambda: small_net((0, 1), WIDE, 32),
}
pictures = builtin(train=1200, test=500, size=16, difficulty=0.0, chroma=False)
recipe = {"epochs": 6, "batch_size": 24, "lr": 0.003, "augment": None}
for name, build in VARIANTS.items():
    cost = analyze(build(), (1, 3, 16, 16))
    print(f"{name:<12}{cost.params:>8,} parameters{cost.macs:>12,} MACs")

# %% [markdown]
# Five seeds each; a seed sets the first weights and the order of the pictures. The claim is made before looking: *late
# beats early at equal parameters*.
#
# Three of the next cells train, about a quarter of a minute each on a quiet machine. Every finished run is kept on your
# disk, so a second time takes no time.


# %%
def train(name: str) -> None:
    """Train a variant with all seeds; the comparisons below find the runs again."""
    experiment(name, {name: VARIANTS[name]}, pictures, seeds=5, budget=None, **recipe)


train("late")

# %%
train("early")

# %%
first = experiment(
    "late against early",
    {name: VARIANTS[name] for name in ("late", "early")},
    pictures,
    seeds=5,
    budget="params",
    claims=[("late", "early")],
    question="does late downsampling raise the accuracy at equal parameters?",
    **recipe,
)
first

# %%
print(f"The price of late: {first['late'].macs / first['early'].macs:.2f} times the MACs of early.")
first.figure()

# %% [markdown]
# So much for *equal parameters*. But parameters are what a disk counts. A battery counts MACs. Give *early* the MACs that
# *late* has used, and let it spend them on channels.

# %%
train("early, wide")

# %%
second = experiment(
    "late against early and wide",
    {name: VARIANTS[name] for name in ("late", "early, wide")},
    pictures,
    seeds=5,
    budget="macs",
    tolerance=0.08,
    claims=[("late", "early, wide")],
    question="does late downsampling raise the accuracy at equal MACs?",
    **recipe,
)
second

# %%
second.figure()

# %%
SAYS = {
    "confirmed": "late downsampling won",
    "refuted": "late downsampling lost",
    "no difference seen": "neither was better, as far as five seeds can tell",
    "nothing learned": "nothing was learned, so nothing can be said",
    "cannot tell": "too few seeds to say",
}
print("At equal parameters:", SAYS[first.findings[0].word] + ".")
print("At equal MACs:      ", SAYS[second.findings[0].word] + ".")

# %% [markdown]
# Read the two lines together. They need not say the same, and both are true of the same *late* network: *what is kept
# equal decides*. (And *no difference seen* is not *equal*: look at the interval that is printed with it.) A pool costs no parameter. So whoever counts parameters sees large maps as a present; whoever counts MACs sees
# the bill.
#
# Now the box.

# %%
myth("myth_25")

# %%
myth("myth_25").demonstrate()

# %% [markdown]
# SqueezeNet 1.1 is by the same authors. They moved two pools towards the input, against their own third strategy, and published
# the same accuracy at 2.35 times fewer MACs. (The smaller first layer is a part of that.) Chapter 10 goes further on
# 1.1's way: FD-MobileNet downsamples as fast as it can.
#
# Caveats. Five seeds, one small task, pictures of 16 × 16, short training, no batch norm. A network that has just begun to
# learn differs much from seed to seed, so a part of the gap may be *how soon* and not *how far*: put `"epochs": 24` into
# the recipe, run again (some minutes), and see what is left. *Early* has a larger receptive field too, so more than the
# size of the maps differs. And on small pictures a pool takes away more than on large ones:
# with 224 pixels there are some to spare. So the direction may be another on ImageNet; that both budgets must be looked at
# is not.

# %% [markdown]
# ## Meet the real thing
#
# ### Is it the published network?
#
# Copy the weights over and compare the outputs, with this course's SqueezeNet and with
# torchvision's.

# %%
torchvision = import_torchvision()
Net = SqueezeNet if run_check("08.net", SqueezeNet).passed else None


def convolutions(block: nn.Module) -> list[nn.Module]:
    """The convolutions of a block; those of a Fire module by name."""
    if hasattr(block, "squeeze"):
        return [block.squeeze, block.expand1x1, block.expand3x3]
    return [layer for layer in block.modules() if isinstance(layer, nn.Conv2d)]


def same_outputs(mine: nn.Module, theirs: nn.Module) -> str:
    """Give my network their weights, block by block, and compare the outputs."""
    first, _, *others = theirs.features  # they keep the first ReLU as a block of its own
    blocks_of_theirs = [first, *others, theirs.classifier]
    for one, other in zip([*mine.features, mine.classifier], blocks_of_theirs, strict=True):
        for conv, source in zip(convolutions(one), convolutions(other), strict=True):
            conv.load_state_dict(source.state_dict())
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        gap = (mine.eval()(x) - theirs.eval()(x)).abs().max().item()
    return f"largest difference {gap:.1e}" if gap < 1e-5 else f"different by {gap:.1e}"


for name, table in (("squeezenet1_0", TABLE_1_0), ("squeezenet1_1", TABLE_1_1)):
    if Net is None:
        print(f"{name}: your network does not pass yet")
        continue
    ours, theirs = create_model(name), getattr(torchvision.models, name)()
    print(f"{name}: the course's,  {same_outputs(Net(table, 1000, Block), ours)}")
    print(f"{name}: torchvision's, {same_outputs(Net(table, 1000, Block), theirs)}")

# %% [markdown]
# The layer table:

# %%
whole = create_model("squeezenet1_0").eval()
analyze(whole, (1, 3, 224, 224))

# %% [markdown]
# Look for three things in it:
#
# - The last 1×1, to 1,000 classes, has 513,000 parameters: two fifths of a network without fully connected layers.
# - *fire4* (`features.5`) and *fire8* (`features.10`) cost about the same MACs, though fire8 has four times the
#   parameters. *fire9* (`features.12`) has the most parameters of all modules, and a quarter of their MACs: it stands
#   behind the last pool. What a module costs depends also on where it stands.
# - The maps. Table 1 of the paper says *224*, but its maps, 111, 55, 27 and 13, are those of 227.

# %%
model_info("squeezenet1_0")

# %% [markdown]
# ### Fifty times smaller, how many times cheaper?

# %%
print(f"{'':<24}{'AlexNet':>14}{'SqueezeNet':>14}{'ratio':>9}")
for what in ("params", "macs", "memory_access", "peak_activation"):
    one, other = (getattr(reports[name], what) for name in ("AlexNet", "SqueezeNet"))
    unit = {"memory_access": ", bytes", "peak_activation": ", bytes"}.get(what, "")
    print(f"{what.replace('_', ' ') + unit:<24}{one:>14,}{other:>14,}{one / other:>9.2f}")

nets = {"AlexNet": create_model("alexnet").eval(), "SqueezeNet": whole}
picture, laps = torch.randn(1, 3, 227, 227), {name: [] for name in nets}
with torch.inference_mode():
    for _ in range(7):
        for name, net in nets.items():  # in turn, so that a busy moment meets both
            start = time.perf_counter()
            net(picture)
            laps[name].append(time.perf_counter() - start)
one, other = (min(laps[name]) for name in nets)
print(f"{'time here, ms':<24}{1000 * one:>14.1f}{1000 * other:>14.1f}{one / other:>9.2f}")
del nets

# %% [markdown]
# A ratio below 1 means that SqueezeNet needs *more*. Fifty times fewer parameters, and yet more MACs than AlexNet, and a
# larger peak of memory for activations. The MACs are strategy 3 again, weights used at more places: with its pools moved,
# in *Measure*, it needed fewer than AlexNet. The peak is not so simple: it is the first map of 96 × 111 × 111 at its pool,
# and fire4 comes close behind it. (The time is of this
# machine and moment. Where AlexNet is not the faster one in spite of its fewer MACs, think of the 240 MB of weights that
# it reads for each picture.)
#
# This is why parameters are a good measure for *sending* and *storing* a network, and a bad one for running it.
#
# > **Myth or fact?** *SqueezeNet参数少50倍, 且小于0.5 MB: SqueezeNet is 50 times smaller than AlexNet, and below 0.5 MB.*
# >
# > You know the size of a float32. What do you say?

# %%
reveal("08.p3")

# %%
myth("myth_26")

# %%
myth("myth_26").demonstrate()

# %% [markdown]
# ### Where the other factor of ten comes from: Deep Compression
#
# **Deep Compression (深度压缩)** (S. Han and others, 2015) works on a *trained* network, in three steps: prune, share,
# code. Here with sixteen weights:

# %%
weights = torch.tensor(
    [0.9, -0.1, 0.0, 0.8, -0.7, 0.1, 0.9, 0.0, 0.1, -0.8, 0.2, 0.0, 1.0, 0.0, -0.1, 0.9]
)
kept = weights[weights.abs() > 0.3]  # 1. prune: small weights become zero and are not stored
print("kept:     ", [round(w, 1) for w in kept.tolist()], f"{len(kept)} of {len(weights)}")

book = torch.tensor([-0.75, 0.9])  # 2. share: a few values for all, found by k-means
codes = (kept[:, None] - book).abs().argmin(1)
print("code book:", [round(w, 2) for w in book.tolist()])
print("codes:    ", codes.tolist(), "one bit for each weight")

frequent = max(codes.tolist().count(code) for code in (0, 1)) / len(codes)
print(f"3. code: one code is {100 * frequent:.0f} % of all; but of two codes each needs one bit")

plain = 32 * len(weights)
packed = len(kept) * (1 + 4) + 32 * len(book)  # a code, 4 bits for the place, and the book
print(f"\n{plain} bits before, {packed} bits after, of which {4 * len(kept)} say *where*")

# %% [markdown]
# 1. **Prune (剪枝)**: weights near zero are set to zero; only the others are stored, each with its place. Then the network
#    is trained on.
# 2. **Share (权值共享)**: *k-means* sorts the rest into k groups around their means. Each group has one common value, kept
#    in a **code book (码本)**, and these values are trained on as well. A weight is now the number of its
#    group. With 64 groups that is 6 bits. (Some texts call this a *low-precision float*.
#    It is not: the 64 values stand wherever k-means puts them.)
# 3. **Code**: **Huffman coding (霍夫曼编码)** gives frequent numbers fewer bits. With two numbers nothing can be saved, since
#    none takes less than one bit. With 64 of them the frequent ones get fewer than 6 bits, and the rare ones more.
#
# Can sharing alone make 0.5 MB of SqueezeNet?

# %%
total, left = model_info("squeezenet1_0").params, 421_098  # left after pruning, in the paper
for what, bits in (
    ("all parameters, float32", 32 * total),
    ("all parameters, 8 bits", 8 * total),
    ("all parameters, 6 bits", 6 * total),
    (f"{100 * left / total:.0f} % of them, 6 bits, without their places", 6 * left),
):
    print(f"{what:<44}{bits / 8e6:>7.2f} MB")
print(f"{'printed in the paper (table 2), 6 bits':<44}{0.47:>7.2f} MB")

# %% [markdown]
# No. It needs the pruning as well, and most of the difference to the last line says *where* the remaining weights are. The network as
# it runs has 5 MB, unless the device can compute with packed weights. Chapter 21 builds all three steps.
#
# One more idea of the paper (section 6): a **bypass (旁路)**, the input added to the output around every second Fire
# module. It needs no parameter; the paper prints 60.4 % in place of 57.5 % top-1. Here `create_model("squeezenet1_0",
# bypass=True)` builds it. Which modules can have one? Those that give out as many channels as come in:

# %%
for number, (c, _, e1, e3) in enumerate(MODULES, 2):
    print(f"fire{number}: {c} in, {e1 + e3} out{'   bypass' if c == e1 + e3 else ''}")

# %% [markdown]
# ## Explain
#
# Short answers in your own words. Two to four sentences each.
#
# **1.** A colleague moves the pools of SqueezeNet 1.0 as far as possible towards the output: “It costs nothing,
# the parameters are the same, and it can only help.” What do you answer? Name a number of your own measurement.

# %% [markdown] nbgrader={"grade": true, "grade_id": "08-explain-1", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# It costs MACs and memory: each weight is used once at each place of its map, and the maps stay large. In my measurement
# late had 2.8 times the MACs of early at the same parameters. At equal parameters it won; at equal MACs, spent on
# channels, five seeds could not tell the two apart (or whatever was printed). So "can only help" needs the budget named.
#
# Rubric. 1 point: MACs and activation memory rise though parameters do not, with the reason. 1 point: a number from the
# learner's own run, and that equal parameters and equal MACs are two different comparisons.
# ### END SOLUTION

# %% [markdown]
# **2.** The squeeze ratio of all Fire modules is doubled. Which of the three layers get more parameters, and by what
# factor about? What in a module does not double? And why does the whole network grow from 5.0 to 7.9 MB only?

# %% [markdown] nbgrader={"grade": true, "grade_id": "08-explain-2", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# All three, each by a factor of two but for the biases: the squeeze layer has twice as many outputs, the two expansions
# read twice as many inputs. So a module very nearly doubles (fire2: from 11,920 to 23,712); only the biases of the
# expansions stay. The whole network grows less, because conv1 and conv10 (over 40 per cent of SqueezeNet 1.0) do not
# change: from 0.125 to 0.25 it goes from 5.0 to 7.9 MB.
#
# Rubric. 1 point: all three layers, twice. 1 point: what does not grow: the biases of the expansions in the module; in the
# network the first and the last convolution.
# ### END SOLUTION

# %% [markdown]
# **3.** You want a network for a chip with 1 MB of fast memory for weights *and* activations. A vendor offers
# “SqueezeNet, 0.47 MB”. Which two questions do you ask?

# %% [markdown] nbgrader={"grade": true, "grade_id": "08-explain-3", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Does the chip compute with the packed form (codes, code book, places), or are the weights unpacked first? Unpacked they
# are 5 MB in float32, 1.25 MB in 8 bits. And how large are the activations? SqueezeNet's first map is
# 96 × 111 × 111, so its peak is about 8 MB in float32 at 227 × 227, larger than AlexNet's, and fire4 comes close behind: it
# does not fit, whatever the weights do.
#
# Rubric. 1 point: 0.47 MB is the compressed file, with pruning and 6-bit codes. 1 point: the peak memory of the activations,
# with the reason (the large first map) or a number.
# ### END SOLUTION

# %% [markdown]
# ## Summary card
#
# | idea | in one line | remember |
# | --- | --- | --- |
# | Fire module | squeeze 1×1; expand 1×1 and 3×3 side by side | 1×1 channels first; a ReLU after each; biases, no batch norm |
# | its parameters | c·s + s + s·e1 + e1 + 9·s·e3 + e3 | the 3×3 expansion is most of it |
# | strategy 1 | 1×1 in place of 3×3 | half of the kernels can be 1×1 |
# | strategy 2 | few channels where a 3×3 reads | the larger saving |
# | strategy 3 | downsample late | no parameter, many MACs |
# | squeeze ratio | s / (e1 + e3) | 0.125; more is better up to 0.75, at four times the size |
# | 50 times | against AlexNet: 48.8 | most of it: no fully connected layers |
# | 0.47 MB | prune, share 64 values, Huffman | a file format, not the network that runs |
# | 1.1 | smaller first layer, earlier pools | 2.35 times fewer MACs, the same published accuracy |
#
# **One sentence.** Parameters say how large a network is to send; what it costs to run depends also on where it pools.

# %%
progress()

# %% [markdown]
# ## Papers
#
# - F. Iandola and others. *SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size.* arXiv
#   1602.07360. Version 1.1: the authors' repository, DeepScale/SqueezeNet.
# - S. Han, H. Mao, W. Dally. *Deep Compression.* arXiv 1510.00149.
# - K. He, J. Sun. *Convolutional Neural Networks at Constrained Time Cost.* arXiv 1412.1710: what delayed downsampling
#   does.
# - A. Krizhevsky and others. *ImageNet Classification with Deep Convolutional Neural Networks.* NIPS 2012: AlexNet.
# - M. Lin and others. *Network In Network.* arXiv 1312.4400: global average pooling in place of fully connected layers.
