# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   lightcourse: {chapter: "07", title: "The classics", question: "What did each one add?", minutes: 80, budget_seconds: 90, exercises: ["07.stack", "07.reduce", "07.residual", "07.dense", "07.net"]}
# ---

# %% [markdown]
# # 07 · The classics
#
# **What did each one add?**
#
# About 80 minutes. You will build the four ideas that all later networks use: small kernels in a stack, branches side
# by side, a sum around a block, and a block that forgets nothing. You will put ResNet-20 together and compare it with the
# published one. Then you measure what the sum is for.

# %%
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
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
from lightcourse.checks import hidden_check, run_check, stand_in
from lightcourse.models import model_info
from lightcourse.myths import myth
from lightcourse.nn import InceptionConv
from lightcourse.training import builtin, fit, studies
from lightcourse.training.studies.depth import LR, Thin

torch.manual_seed(0)
torch.set_num_threads(1)  # one thread gives the same numbers at every run
print("Ready. PyTorch", torch.__version__)

# %% [markdown]
# ## Question
#
# Twenty years of networks. Each took what was there, and added one thing or two. Read the last column; most of
# it comes back below.
#
# | year | network | it added |
# | --- | --- | --- |
# | 1998 | **LeNet-5** | convolution and pooling in turn, all of it learned from examples |
# | 2012 | **AlexNet** | the same, larger, on a million photographs: ReLU, dropout, two GPUs |
# | 2013 | **Network in Network (NIN)** | 1×1 convolutions; a global average in place of linear layers |
# | 2014 | **VGG** | nothing but 3×3, in stacks |
# | 2014 | **GoogLeNet**, also Inception-v1 | branches with different kernels; **auxiliary classifiers (辅助分类器)** |
# | 2014 | Deeply-supervised nets | **deep supervision (深监督)**: losses in the middle |
# | 2015 | **BN-Inception** | batch norm |
# | 2015 | **Highway network** | a gated way around each layer |
# | 2015 | **ResNet** | a way around without a gate: the **residual block (残差模块)** |
# | 2015 | **U-Net** | ways across, from the way down to the way up |
# | 2015 | **Inception-v3** | thin kernels, 1×7 and 7×1; a better way to halve |
# | 2016 | **Inception-v4**, **Inception-ResNet** | the same, tidied up; the same with sums |
# | 2016 | **FractalNet** (分形) | very deep without sums |
# | 2016 | **WideResNet** | wide in place of deep |
# | 2016 | **DenseNet** | side by side in place of a sum |
# | 2016 | **ResNeXt** | groups inside the block |
# | 2017 | **SENet** | weigh the channels: **SE attention (SE注意力)** |
# | 2017 | **SORT** | a product beside the sum |
#
# A number to keep: the accuracy that papers print is that of **ILSVRC-2012** (1.28 million photographs, 1,000 classes; most
# say *ImageNet*). Smaller experiments are made on **CIFAR-10** and **CIFAR-100**, pictures of 32×32 pixels in 10 and 100
# classes. Here we have the course's own pictures of 32×32.

# %% [markdown]
# ## Predict
#
# Guess first. Nobody grades it. Put your answer in place of the dots.
#
# **1.** VGG-16 has thirteen convolutions, and three **linear layers (全连接层)** at the end. **How many per cent of its
# parameters are in these three?** A number.

# %%
predict("07.p1", ...)

# %% [markdown]
# **2.** Three layers of 3×3 on top of each other see 7×7 pixels, as a single 7×7 does. All have as many channels out as
# in. **How many per cent of the weights of the 7×7 do the three have?** A number.

# %%
predict("07.p2", ...)

# %% [markdown]
# **3.** We trained three *plain* networks (no way around anything, batch norm everywhere), of 8, 20 and 32 layers, by one
# recipe. **Which does best on new pictures?** `"8 layers"`, `"20 layers"`, `"32 layers"` or `"all the same"`.

# %%
predict("07.p3", ...)

# %% [markdown]
# **4.** DenseNet-121 has 8.0 million parameters, ResNet-18 has 11.7 million. **How many times as many bytes does
# DenseNet-121 move**, reading and writing, for one picture of 224 pixels? A number; below 1 if fewer.

# %%
predict("07.p4", ...)

# %% [markdown]
# **And eleven claims** from summaries of these papers. True or false? (Write `True` or `False`.) The verdicts further down
# have more words: *true*, *half true*, *false*, *opinion*, and *mix-up*, where two numbers or two texts were confused.
# (*C1DeepSup*, in one of them, is a piece of published code: a head with a second classifier. It comes up near the end.)

# %%
CLAIMS = (
    "myth_12", "myth_38", "myth_42", "myth_43", "myth_44", "myth_45",
    "myth_46", "myth_47", "myth_48", "myth_50", "myth_52",
)  # fmt: skip
for name in CLAIMS:
    print(f"{name}: {myth(name).claim} ({myth(name).zh})")

# %%
guesses = {
    "myth_12": ...,
    "myth_38": ...,
    "myth_42": ...,
    "myth_43": ...,
    "myth_44": ...,
    "myth_45": ...,
    "myth_46": ...,
    "myth_47": ...,
    "myth_48": ...,
    "myth_50": ...,
    "myth_52": ...,
}


def judged(name):
    """The learner's guess beside the verdict."""
    guess = guesses.get(name)
    words = {"True": "true", "False": "false", "Ellipsis": "no guess yet", "None": "no guess yet"}
    mine = words.get(str(guess).strip().capitalize(), "neither True nor False")
    print(f"you said: {mine}; verdict: {myth(name).verdict}")
    return myth(name)


# %% [markdown]
# ## Play
#
# The networks over the years. Step through the years, then click a network.

# %%
viz.timeline().at(year=0)

# %% [markdown]
# Try this:
#
# 1. Step from 2012 to 2014. What did the accuracy cost in MACs (乘加次数: a multiplication and an addition)?
# 2. Set the height to **parameters**. Two networks come in 2014: how many has each? Which network of 2016 goes far below both?
# 3. Which networks of before 2017 are still on the last front?
#
# The second picture is about *depth*. A network learns because the loss sends a gradient back through all of its layers. In
# each bar is what is left of it there, before any training.

# %%
viz.gradient_flow().at(start="no norm, PyTorch's start", back=0)

# %% [markdown]
# Try this:
#
# 1. It opens with *no norm, PyTorch's start*, the deepest one. Press play. What is left of the plain net's gradient
#    at the first layer? This is called **vanishing gradients (梯度消失)**. And with the shortcuts?
# 2. Make the network shallower, step by step. How does what arrives change with the depth: in the plain net, and in the other?
# 3. Back to the deepest, and *He start*: larger weights, chosen for nets with ReLU. Does the plain one's gradient still vanish?
#    What do the shortcuts do now? (To grow on the way back is called **exploding gradients (梯度爆炸)**.)
# 4. Now *batch norm*, again with the deepest. Does the plain one's gradient vanish?
# 5. So is a lost gradient what is wrong with deep plain nets? Keep the question for *Measure*.

# %% [markdown]
# ## Build
#
# ### LeNet-5 and AlexNet: what all of them share
#
# LeNet-5 read cheques: convolution, pooling, convolution, pooling, then layers that look at everything. AlexNet is
# the same plan with 1,000 times as many parameters, and **ReLU** in place of a soft step.

# %%
plain_lenet = create_model("lenet5", variant="modern")  # in today's layers, as tutorials write it
for name, net in (("lenet5", plain_lenet), ("alexnet", create_model("alexnet"))):
    info = model_info(name)
    count = sum(p.numel() for p in net.parameters())
    print(f"{name}, {info.paper.year}: {count:,} parameters; as published: {info.variant.params:,}")
    size = (1, net.in_channels, info.variant.input, info.variant.input)
    kinds = [layer.kind for layer in analyze(net.eval(), size).layers if layer.params]
    print("   ", " → ".join(kinds))

# %%
judged("myth_47")

# %% [markdown]
# (LeNet as published has fewer parameters than in today's layers: not each of its maps reads all maps before it. Its last
# layer is none of today's. It measures the distance to a drawn picture of each digit, **RBF outputs**; today a
# linear layer gives scores, and a **softmax** makes shares of them.)
#
# ### VGG: small kernels in stacks
#
# AlexNet's first kernel is 11×11. VGG has 3×3 only, and puts them on top of each other. A 3×3 sees 3×3 pixels. A
# second one on top sees 3×3 of *those*: a ring more, 5×5.
#
# ```text
# one place of layer 2     sees 3×3 of layer 1     sees 5×5 of the picture
#          ■                      ■■■                    ■■■■■
#                                 ■■■                    ■■■■■
#                                 ■■■                    ■■■■■
#                                                        ■■■■■
#                                                        ■■■■■
# ```
#
# So two layers of 3×3 see what one layer of 5×5 sees. Which is cheaper? For one channel: 9 + 9 = 18 weights against
# 25. With c channels in and out, each of the two numbers is multiplied by c · c.
#
# ### Exercise 07.stack: small kernels on top of each other
#
# difficulty 1 of 5 · importance 4 of 5 · 7 minutes
#
# All layers have stride 1, no bias, and as many channels out as in. Both arguments are whole numbers, 1 or more.


# %% nbgrader={"grade": false, "grade_id": "07-stack", "locked": false, "schema_version": 3, "solution": true, "task": false}
def stack(n: int, channels: int) -> tuple[int, int, int]:
    """Compare n layers of 3×3 with one layer that sees as much.

    Returns (side, small, large): the side of the field that one output sees, the weights of the n
    layers together, and the weights of a single layer whose kernel is side × side.

    stack(2, 1) is (5, 18, 25)
    """
    ### BEGIN SOLUTION
    side = 2 * n + 1
    pairs = channels * channels
    return side, 9 * n * pairs, side * side * pairs
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "07-stack-check", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check("07.stack", stack)
### BEGIN HIDDEN TESTS
hidden_check("07.stack", stack, seed=7)
### END HIDDEN TESTS

# %%
hint("07.stack")

# %%
# solution("07.stack")

# %% [markdown]
# From here on the cells use your answer when it is right, and the course's own until then. So you can read on.

# %%
both = stand_in("07.stack", stack)
print("layers   sees     3×3 weights    large kernel    share")
for n in (1, 2, 3, 5):
    side, small, large = both(n, 64)
    print(f"{n:>6}{side:>5}×{side:<3}{small:>14,}{large:>16,}{small / large:>9.0%}")

# %%
reveal("07.p2")

# %% [markdown]
# On a map that keeps its size the MACs are the weights times the places, so the share is the same. And there are n
# ReLUs in place of one. What is lost: not every 5×5 kernel is a stack of two 3×3 (18 numbers cannot do all that 25 can).
#
# So the convolutions of VGG are thrifty. Its end is not.

# %%
with torch.device("meta"):  # shapes and no numbers: it costs neither memory nor time
    report = analyze(create_model("vgg16").eval())
for kind in ("Conv2d", "Linear"):
    params = sum(layer.params for layer in report.layers if layer.kind == kind)
    macs = sum(layer.macs for layer in report.layers if layer.kind == kind)
    print(f"{kind:<8}{params / 1e6:>7.1f} M parameters ({params / report.params:.1%})", end="")
    print(f"{macs / 1e9:>8.2f} G MACs ({macs / report.macs:.1%})")

# %%
reveal("07.p1")

# %% [markdown]
# ### Network in Network: 1×1 and a global average
#
# NIN had the answer a year earlier. After each large convolution come two of 1×1, a small network at each place
# (*mlpconv*). At the end there is a map for each class, and its mean is the score: no linear layer. GoogLeNet took the
# global average over, and ResNet, and nearly everybody since.

# %%
judged("myth_50")

# %% [markdown]
# (Half true, as the module with *branches* side by side did come with GoogLeNet.)

# %%
judged("myth_46")

# %% [markdown]
# ### GoogLeNet: branches side by side
#
# Which kernel is best, 1×1, 3×3 or 5×5? The **Inception module (Inception结构)** takes all, side by side, and lets the
# training choose. The wide kernels are dear, so a 1×1 makes their input narrow first. Take module 3a on its 28×28 map:

# %%
three_a = blocks.Branches(
    192,
    [[(64, 1)], [(96, 1), (128, 3)], [(16, 1), (32, 5)], [(nn.MaxPool2d, 3, 1, 1), (32, 1)]],
)
straight = blocks.Branches(192, [[(64, 1)], [(128, 3)], [(32, 5)], [(nn.MaxPool2d, 3, 1, 1)]])
for name, module in (("with narrow 1×1", three_a), ("without", straight)):
    cost = analyze(module, (1, 192, 28, 28))
    print(f"{name:<18}{module.out_channels:>5} channels out {cost.macs / 1e6:>8.1f} M MACs")

# %% [markdown]
# **BN-Inception** put batch norm into it, and two 3×3 in place of each 5×5: VGG's idea. **Inception-v3** went on: a 7×7 as a
# 1×7 and a 7×1. **Inception-v4** is one regular plan of such modules.

# %%
judged("myth_42")

# %% [markdown]
# ### Halving without a bottleneck
#
# A network must make its maps smaller. Pool first, and the convolution after it is cheap, but the pool has thrown
# three quarters away while the channels were still few. Convolve first, and nothing is lost too early, but it costs four
# times as much. Inception-v3 does both *side by side*, each at half the size: **grid-size reduction (网格缩减)**.
#
# ```text
#           ┌─► direct  3×3, stride 2, no padding ──────────────────────────────────┐
# x (35×35) ┤                                                                       ├─► side by side (17×17)
#           ├─► narrow  1×1 ─► wide  3×3 ─► halve  3×3, stride 2, no padding ───────┤
#           └─► largest of 3×3, stride 2, no padding ───────────────────────────────┘
# ```
#
# ### Exercise 07.reduce: pool and convolve side by side
#
# difficulty 2 of 5 · importance 3 of 5 · 12 minutes
#
# `InceptionConv(in_channels, out_channels, kernel_size, stride, padding)` makes three layers in a row: a convolution (it has
# no bias), a batch norm, a ReLU. The stride is 1 unless given; the padding is half the kernel unless given, so that at stride 1
# the size stays. Maps may be odd or even, and not square.


# %% nbgrader={"grade": false, "grade_id": "07-reduce", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Reduction(nn.Module):
    """Halve a map: a 3×3, a deeper branch, and a pool side by side (arXiv 1512.00567, figure 10).

    Reduction(in_channels, direct, narrow, wide): `direct`, `narrow` and `wide` are the channels that
    the layers of these names give out; the layer halve goes from `wide` to `wide`.
    self.direct, self.narrow, self.wide and self.halve are one InceptionConv each.
    (N, in_channels, H, W) -> (N, direct + wide + in_channels, H', W'), in this order.
    """

    def __init__(self, in_channels: int, direct: int, narrow: int, wide: int):
        super().__init__()
        ### BEGIN SOLUTION
        self.direct = InceptionConv(in_channels, direct, 3, 2, 0)
        self.narrow = InceptionConv(in_channels, narrow, 1)
        self.wide = InceptionConv(narrow, wide, 3)
        self.halve = InceptionConv(wide, wide, 3, 2, 0)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        deep = self.halve(self.wide(self.narrow(x)))
        pooled = F.max_pool2d(x, 3, 2)
        return torch.cat([self.direct(x), deep, pooled], 1)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "07-reduce-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("07.reduce", Reduction)
### BEGIN HIDDEN TESTS
hidden_check("07.reduce", Reduction, seed=7)
### END HIDDEN TESTS

# %%
hint("07.reduce")

# %%
# solution("07.reduce")

# %% [markdown]
# Is it the block of the published network? Take Inception-v3's first reduction, from 35 to 17, built as published. Copy its
# weights into yours, and compare. (They are drawn at random, and so are the statistics of the batch norms, not trained ones.
# For the question whether two networks compute the same, that is enough.)


# %%
def weighted(module):
    """The convolutions, batch norms and linear layers of a module, in the order of their making."""
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
    return [m for m in module.modules() if isinstance(m, kinds)]


def lively(module):
    """Give the batch norms statistics and scales that differ from channel to channel."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, 0.0, 0.3)
            norm.running_mean.normal_(0.0, 0.3)
            norm.running_var.uniform_(0.5, 2.0)
    return module.eval()


def copy_weights(mine, theirs):
    """Give one module the weights of another with the same layers; norms get its eps too."""
    for one, other in zip(weighted(mine), weighted(theirs), strict=True):
        one.load_state_dict(other.state_dict())
        if isinstance(one, nn.BatchNorm2d):
            one.eps = other.eps


def apart(mine, theirs, x):
    """The largest difference of the two outputs."""
    with torch.no_grad():
        return f"{float((mine.eval()(x) - theirs.eval()(x)).abs().max()):.1e}"


if run_check("07.reduce", Reduction).passed:
    theirs = lively(create_model("inception_v3").parts[0][10])
    mine = Reduction(288, 384, 64, 96).eval()
    copy_weights(mine.direct, theirs.chains[0])
    for part, layer in zip((mine.narrow, mine.wide, mine.halve), theirs.chains[1], strict=True):
        copy_weights(part, layer)
    x = torch.randn(1, 288, 35, 35)
    print("out:", tuple(mine(x).shape), " largest difference:", apart(mine, theirs, x))
else:
    print("Your Reduction is not right yet; come back to this cell later.")

# %%
judged("myth_38")

# %%
myth("myth_38").demonstrate()

# %% [markdown]
# ### ResNet: add what came in
#
# Now the deep ones. Say a network of 20 layers is good. Put 12 more behind it. If these 12 do nothing at all (hand on
# what they get), the network of 32 is exactly as good. So it should never be worse. In 2015 it was, in training
# too: that is the **degradation** of plain networks.
#
# "Do nothing" is hard to learn for two 3×3 kernels with a ReLU. So ResNet brings it within easy reach. A block
# computes only what shall be *added*:
#
# ```text
# x ──┬─► conv1 3×3 ─► bn1 ─► ReLU ─► conv2 3×3 ─► bn2 ──┐
#     │                                                  + ─► ReLU ─► out
#     └─► shortcut ──────────────────────────────────────┘
# ```
#
# With all weights of conv2 zero, a block hands on its input (which is not negative, as a ReLU gave it out). A fresh block
# is not there yet, as its weights are random; but there is no more to do than to make them small. Where the
# block halves the map or changes the channels, the two do not fit. There the **shortcut (捷径连接)** is a *projection*: a
# 1×1 with the stride of the block, and a batch norm.
#
# ### Exercise 07.residual: add what came in
#
# difficulty 2 of 5 · importance 5 of 5 · 12 minutes
#
# Use `nn.Conv2d` and `nn.BatchNorm2d` (the norm with its usual settings). No convolution has a bias, since a batch norm follows each. A stride, if there is one,
# is on conv1 (and on the shortcut).


# %% nbgrader={"grade": false, "grade_id": "07-residual", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Residual(nn.Module):
    """Two 3×3 convolutions and a shortcut around them (arXiv 1512.03385, figure 5 left).

    self.conv1, self.bn1, self.conv2, self.bn2; self.shortcut is nn.Identity() if stride is 1 and the
    channels stay as they are, else nn.Sequential(1×1 convolution, batch norm).
    (N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride), rounded up.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1):
        super().__init__()
        ### BEGIN SOLUTION
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            conv = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
            self.shortcut = nn.Sequential(conv, nn.BatchNorm2d(out_channels))
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return torch.relu(y + self.shortcut(x))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "07-residual-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("07.residual", Residual)
### BEGIN HIDDEN TESTS
hidden_check("07.residual", Residual, seed=7)
### END HIDDEN TESTS

# %%
hint("07.residual")

# %%
# solution("07.residual")

# %% [markdown]
# What does the sum cost? No parameter where the shapes agree. But x must be kept until the sum, and is read once more:

# %%
for name, shortcut in (("plain", "none"), ("residual", "projection")):
    cost = analyze(blocks.BasicBlock(64, 64, shortcut=shortcut), (1, 64, 56, 56))
    print(f"{name:<9} {cost.params:,} parameters, {cost.macs / 1e6:.1f} M MACs,", end=" ")
    print(f"{cost.memory_access / 1e6:.2f} MB moved")

# %% [markdown]
# Deeper ResNets (50 layers and more) have a *bottleneck* in the block: 1×1 to a quarter of the channels, 3×3 there, 1×1 back.

# %%
judged("myth_12")

# %%
myth("myth_12").demonstrate()

# %% [markdown]
# ### DenseNet: keep what came in
#
# A sum mixes old and new; nobody can take them apart again. DenseNet puts them *side by side*. Each layer reads
# all maps that were made before it in its block, and adds only a few: the **growth rate (增长率)** k.
#
# ```text
# reads          4          4 + 3          4 + 3 + 3
#   x (4) ──► layer 0 ──► layer 1 ──► layer 2          growth 3
# out: x (4), new (3), new (3), new (3)  =  13 channels
# ```
#
# Between L layers and the input there are L · (L + 1) / 2 connections. Here a layer is batch norm, ReLU, 3×3 convolution, **in
# this order**: the norm works on all that is read.
#
# ### Exercise 07.dense: keep what came in
#
# difficulty 3 of 5 · importance 4 of 5 · 12 minutes
#
# The convolutions have no bias, and keep the size; the norms have their usual settings. A list of modules must be an `nn.ModuleList`: torch does not look
# into a plain list.


# %% nbgrader={"grade": false, "grade_id": "07-dense", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Dense(nn.Module):
    """Layers that read all maps made before them (arXiv 1608.06993, figure 1).

    Dense(in_channels, layers, growth): `layers` is how many there are, and each adds `growth` maps.
    self.layers: an nn.ModuleList with one item a layer: batch norm, ReLU, 3×3 convolution.
    (N, in_channels, H, W) -> (N, in_channels + layers * growth, H, W): the input, and behind it
    what each layer added, the first one's first.
    """

    def __init__(self, in_channels: int, layers: int, growth: int):
        super().__init__()
        ### BEGIN SOLUTION
        made = []
        for i in range(layers):
            c = in_channels + i * growth
            conv = nn.Conv2d(c, growth, 3, padding=1, bias=False)
            made.append(nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), conv))
        self.layers = nn.ModuleList(made)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return x
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "07-dense-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("07.dense", Dense)
### BEGIN HIDDEN TESTS
hidden_check("07.dense", Dense, seed=7)
### END HIDDEN TESTS

# %%
hint("07.dense")

# %%
# solution("07.dense")

# %% [markdown]
# The published DenseNet-40 with growth 12 has three such blocks of 12 layers. Its first one, with its weights (random
# ones again) copied into yours:

# %%
if run_check("07.dense", Dense).passed:
    theirs = lively(create_model("densenet_cifar", depth=40, growth=12).features.denseblock1)
    mine = Dense(16, 12, 12).eval()
    for layer, other in zip(mine.layers, theirs.children(), strict=True):
        copy_weights(layer, other)
    x = torch.randn(1, 16, 32, 32)
    print("out:", tuple(mine(x).shape), " largest difference:", apart(mine, theirs, x))
else:
    print("Your Dense is not right yet; come back to this cell later.")

# %% [markdown]
# (**DenseNet-BC**, the usual form, has a 1×1 to 4 · growth maps before each 3×3, and lets the *transition* between two
# blocks drop half of the maps.) Few new maps a layer mean few parameters. Is it cheap, then?

# %%
print("              parameters      MACs   moved for one picture")
with torch.device("meta"):
    for name in ("densenet121", "resnet18"):
        cost = analyze(create_model(name).eval())
        print(
            f"{name:<13}{cost.params / 1e6:>8.1f} M{cost.macs / 1e9:>8.2f} G"
            f"{cost.memory_access / 1e6:>12.0f} MB"
        )
    reads = [
        layer.conv1.in_channels
        for block in create_model("densenet121").features.children()
        if isinstance(block, blocks.DenseBlock)
        for layer in block.children()
    ]
print(f"Its layers read {min(reads)} to {max(reads)} maps and add 32 each;", end=" ")
print(f"{sum(r > 100 for r in reads)} of {len(reads)} layers read more than 100.")

# %%
reveal("07.p4")

# %%
judged("myth_43")

# %%
judged("myth_44")

# %%
myth("myth_44").demonstrate()

# %% [markdown]
# ### Auxiliary classifiers and deep supervision
#
# Before there were shortcuts, there was another way to bring a gradient to the early layers: *put a loss there*. GoogLeNet has
# two **auxiliary classifiers**, small heads on maps in the middle. Their losses count 0.3 each, and after training they
# are thrown away. *Deeply-supervised nets* had the same thought in the same year:
#
# ```text
# loss = cross entropy of the classifier + weight · (cross entropy of head 0 + cross entropy of head 1)
# ```
#
# ### Exercise 07.net: ResNet-20 with side heads
#
# difficulty 4 of 5 · importance 5 of 5 · 25 minutes
#
# The ResNets for CIFAR, from your own plan, with two heads for training. n is the number of blocks in each
# stage; n = 3 is ResNet-20 (18 convolutions in the blocks, the stem, the classifier). The shortcuts belong to the blocks. Yours
# has a projection where the shapes change, the paper's *option B*. For CIFAR the paper itself takes *option A*: no weights, but
# zeros for the channels that are missing.
#
# | part | what | channels | map of a 32×32 picture |
# | --- | --- | --- | --- |
# | stem | 3×3 convolution (padding 1, no bias), batch norm, ReLU | 16 | 32×32 |
# | stage 1 | n blocks | 16 | 32×32 |
# | stage 2 | n blocks, the first with stride 2 | 32 | 16×16 |
# | stage 3 | n blocks, the first with stride 2 | 64 | 8×8 |
# | classifier | mean over the map, linear | the classes | |
# | head 0 | on the output of stage 1: mean over the map, linear | the classes | |
# | head 1 | on the output of stage 2: the same | the classes | |
#
# `block` is a class that is handed in; `block(in_channels, out_channels, stride)` makes a residual block. So a mistake in
# yours does no harm here. `F.cross_entropy(scores, labels)` gives the mean over the pictures. `loss` goes through the blocks
# once, and leaves the mode (training or eval) as it is.


# %% nbgrader={"grade": false, "grade_id": "07-net", "locked": false, "schema_version": 3, "solution": true, "task": false}
class ResNet(nn.Module):
    """A ResNet for CIFAR with two side heads (arXiv 1512.03385, section 4.2; heads as in 1409.4842).

    self.features: an nn.Sequential of 1 + 3n items: the stem, as one item, then every block.
    self.classifier: nn.Linear.  self.heads: an nn.ModuleList of two nn.Linear.
    """

    def __init__(self, n: int, num_classes: int, block):
        super().__init__()
        ### BEGIN SOLUTION
        conv = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        items = [nn.Sequential(conv, nn.BatchNorm2d(16), nn.ReLU())]
        now = 16
        for stage, c in enumerate((16, 32, 64)):
            for i in range(n):
                stride = 2 if stage > 0 and i == 0 else 1
                items.append(block(now, c, stride))
                now = c
        self.features = nn.Sequential(*items)
        self.classifier = nn.Linear(64, num_classes)
        heads = [nn.Linear(16, num_classes), nn.Linear(32, num_classes)]
        self.heads = nn.ModuleList(heads)
        self.n = n
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) -> (N, num_classes): the scores of the classifier, in every mode."""
        ### BEGIN SOLUTION
        return self.classifier(self.features(x).mean((2, 3)))
        ### END SOLUTION

    def loss(self, x: torch.Tensor, labels: torch.Tensor, weight: float = 0.3) -> torch.Tensor:
        """Pictures (N, 3, H, W) and classes (N,) -> the loss with that of the heads, ()."""
        ### BEGIN SOLUTION
        total = 0.0
        for place, item in enumerate(self.features):
            x = item(x)
            if place in (self.n, 2 * self.n):
                head = self.heads[place // self.n - 1]
                scores = head(x.mean((2, 3)))
                total = total + weight * F.cross_entropy(scores, labels)
        return total + F.cross_entropy(self.classifier(x.mean((2, 3))), labels)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "07-net-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("07.net", ResNet)
### BEGIN HIDDEN TESTS
hidden_check("07.net", ResNet, seed=7)
### END HIDDEN TESTS

# %%
hint("07.net")

# %%
# solution("07.net")

# %% [markdown]
# Now the two of yours together. Your network with your block, and into it the weights of a ResNet-20 with projections (drawn at
# random, like its statistics), block by block:

# %%
if run_check("07.net", ResNet).passed and run_check("07.residual", Residual).passed:
    theirs = lively(create_model("resnet_cifar", depth=20))
    mine = ResNet(3, 10, Residual).eval()
    stem, *others = [theirs.features[:3], *theirs.features[3:]]
    copy_weights(mine.features[0], stem)
    for one, other in zip(mine.features[1:], others, strict=True):
        for part in ("conv1", "bn1", "conv2", "bn2"):
            copy_weights(getattr(one, part), getattr(other, part))
        copy_weights(one.shortcut, other.downsample)
    copy_weights(mine.classifier, theirs.classifier)
    heads = sum(p.numel() for p in mine.heads.parameters())
    total = sum(p.numel() for p in mine.parameters())
    print(f"{total - heads:,} parameters without the heads")
    for option, name in (("B", "projection"), ("A", "padding")):
        net = create_model("resnet_cifar", depth=20, shortcut=name)
        print(f"   option {option}, {name}: {sum(p.numel() for p in net.parameters()):,}")
    print(f"the heads: {heads:,}, thrown away after training")
    print("largest difference of the scores:", apart(mine, theirs, torch.randn(4, 3, 32, 32)))
else:
    print("ResNet or Residual is not right yet; come back to this cell later.")

# %% [markdown]
# ## Measure
#
# ### Plain against residual
#
# ResNet's claim: *deep plain networks get worse, and shortcuts help.* Here are three depths, 8, 20 and 32 layers. They
# are ResNets for CIFAR, half as wide and on maps of half the side, so that many runs fit into minutes. The shortcuts are the
# paper's *without* parameters (every second pixel, and zeros for the channels that are missing). So **both
# sides have the same parameters and the same MACs**, the same recipe and the same first weights; only the sum is there or
# not. The claim was made before looking: residual beats plain, at each depth.
#
# These runs were trained before; the log says how.

# %%
logged = studies.logged("depth")
print(logged)

# %%
logged.figure()

# %%
reveal("07.p3")

# %% [markdown]
# **The verdict in words, from the numbers.** For each depth: mean, every single run, and what the test says.

# %%
SAYS = {
    "confirmed": "confirmed",
    "refuted": "refuted: plain is better",
    "no difference seen": "not here: so few runs show no difference",
    "cannot tell": "cannot tell: too few runs",
    "nothing learned": "nothing learned, so nothing can be said",
}
for finding in logged.findings:
    for name in (finding.worse, finding.better):
        runs = "  ".join(f"{score:4.1f}" for score in sorted(logged[name].scores))
        print(f"{name:<13} {logged[name].mean:4.1f} ± {logged[name].deviation:4.1f}   runs {runs}")
    print(f"   residual beats plain: {SAYS[finding.word]}")
print()
for line in ("plain", "residual"):
    rows = [row for row in logged.rows if row.line == line]
    for one, other in ((rows[0], rows[1]), (rows[1], rows[2])):
        change = other.mean - one.mean
        print(f"{line}, from {one.x:g} to {other.x:g} layers: {change:+.1f} points")
runs = logged["plain, 32"].scores
print(
    f"\nplain, 32: {sum(run < 15 for run in runs)} of {len(runs)} runs below 15 %; chance is 10 %"
)

# %% [markdown]
# Two things this table does *not* say. First, that deep residual nets never get worse: no claim about it was made before
# looking, so no test was done, and their means do not only go up. Second, at 32 layers, how much worse a *trained* plain net is.
# Where most runs stay at chance, the training has failed altogether; the paper's plain nets are worse, but they learn. The
# 20-layer pair is the better picture of degradation here.

# %% [markdown]
# Is it **overfitting (过拟合)**, a network too large for so few pictures? Then the deep one would be good on the pictures that
# it was trained with, and bad on new ones. Look at both numbers. (Two short trainings, some seconds.)

# %%
pictures = builtin(train=2500, test=500, difficulty=0.3)
for layers in (8, 32):
    torch.manual_seed(0)
    net = Thin(layers, "none")
    history = fit(net, pictures, epochs=6, batch_size=64, lr=LR, seed=0, progress=False)
    last = history.last
    print(
        f"plain, {layers:>2} layers: {last.train_accuracy:.0%} of the training pictures right,"
        f" {last.test_accuracy:.0%} of new ones"
    )

# %% [markdown]
# If the deep plain network is behind *on its own training pictures*, it is no overfitting: the training has not found the
# weights in this time. (One seed and six epochs. Whether more epochs narrow the gap, we have not measured; you can try.)
#
# Now the question from *Play*: has the gradient vanished? Here it is at the start, for these very nets (with batch norm after
# every convolution), behind the stem and behind the last stage.

# %%
images = torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
labels = torch.arange(64) % 10
for name, shortcut in (("plain", "none"), ("residual", "padding")):
    ratios = []
    for seed in range(5):
        torch.manual_seed(seed)
        net = Thin(32, shortcut)
        first = net.stem(images)
        maps = [first]
        for stage in net.stages:
            maps.append(stage(maps[-1]))
        loss = F.cross_entropy(net.classifier(maps[-1].mean((2, 3))), labels)
        early, late = torch.autograd.grad(loss, (maps[0], maps[-1]))
        ratios.append(float(early.norm() / late.norm()))
    middle = sorted(ratios)[2]
    word = "smaller" if middle < 0.1 else "larger" if middle > 10 else "of the same order"
    print(f"{name:<9} 32 layers: first over last {middle:.2g} (middle of five): {word}")

# %% [markdown]
# Read it before you repeat that *shortcuts cure vanishing gradients*. It depends on the start. Without norms and with
# PyTorch's start they do: you saw that in *Play*. Without norms and with He's start, the plain net of 56 layers keeps a sixth of
# its gradient, so there is little to cure, and the shortcuts make it grow thousands of times. With
# batch norm, as in these nets, nothing vanishes at the start in the plain one either (the paper says so too). A gradient that
# grows may be a part of the trouble; neither the picture nor the log can tell. Why the sum helps is still being argued about.
#
# ### Is it the learning rate?
#
# One recipe for both is fair in one way, and unfair in another: perhaps its rate suits the residual net. So here is the
# 20-layer pair again, at less than a third of the rate.

# %%
slower = studies.logged("depth_rate")
print(slower)
for finding in slower.findings:
    print(f"at lr {slower.config['fit']['lr']:g}, residual beats plain: {SAYS[finding.word]}")
for name in ("plain, 20", "residual, 20"):
    change = slower[name].mean - logged[name].mean
    print(f"{name}: {change:+.1f} points against the mean at lr {logged.config['fit']['lr']:g}")

# %% [markdown]
# Both lose about as much. So low a rate is too low for both in six epochs, and the question is hardly answered: the gap is not a
# matter of the one rate, but two rates are not a search. A plain net with the best rate of its own might do better than here.
#
# ### Do heads in the middle help?
#
# The same nets of 20 layers, plain and residual, with two heads in training and without. The claim, made before looking: the
# heads help. The table counts their parameters. After training they are gone, so in use plain with heads costs what plain does,
# and residual with heads what residual does.

# %%
heads = studies.logged("deep_supervision")
print(heads)
for finding in heads.findings:
    print(f"{finding.better} beats {finding.worse}: {SAYS[finding.word]}", end=" ")
    print(f"({finding.difference:+.1f} points)")

# %%
heads.figure()

# %% [markdown]
# What such a log can carry: a *confirmed* is more than chance at this size; a *not here* means that so few runs of so small
# nets show nothing. It is no proof that there is nothing. Inception-v3's authors found no help *early* in training
# from the same kind of head, and a little at the end; they suppose that it works as a regulariser.
#
# A short form of the first experiment, now, on your machine. Two seeds are few; read its verdict with that in mind.

# %%
quick = studies.run("depth", quick=True, train=1000, seeds=(0, 1))
print(quick.verdict)

# %% [markdown]
# `studies.run("depth")` trains all of the first log again, and `studies.run("deep_supervision")` the other. `depths=[44]` takes
# the plain net further down.
#
# **What these experiments do not show.** One small task with ten classes, few epochs, few seeds. The paper compares plain nets
# of 20 and 56 layers on CIFAR-10, with ten times as many pictures as here and many more epochs: both learn, and the 56 layers are
# worse, in training too. On ImageNet its pair has 18 and 34 layers. What is shared is the direction.

# %% [markdown]
# ## Meet the real thing
#
# ### All of them, counted
#
# Parameters and MACs are computed here. The accuracy is a published one; *known from* says how we know it. *Another's text*: read
# in a text by others that quotes it, not in the network's own paper. *Memory*: recalled, and not found again
# in any text. So take a tenth of a point here and there lightly.

# %%
FAMILY = (
    "lenet5", "alexnet", "vgg16", "googlenet", "bn_inception", "inception_v3", "resnet50",
    "inception_v4", "inception_resnet_v2", "wide_resnet50_2", "densenet121", "resnext50_32x4d",
)  # fmt: skip
print(f"{'network':<21}year   parameters         MACs   top-1   known from")
for name in FAMILY:
    info = model_info(name)
    row = info.variant
    top1 = "–" if row.top1 is None else f"{row.top1} %"
    print(
        f"{name:<21}{info.paper.year}{row.params / 1e6:>10.2f} M{row.macs / 1e6:>11,.1f} M"
        f"{top1:>9}   {row.known_from}"
    )

# %%
RIGHT_OF = ("alexnet", "vgg16", "googlenet", "inception_resnet_v2", "resnet50", "wide_resnet50_2")
LOWER = {"wide_resnet50_2": -12, "densenet121": -10, "resnet50": -10, "inception_v3": 6}
figure, ax = plt.subplots(figsize=(9, 4.6))
for name in FAMILY:
    info = model_info(name)
    if info.variant.top1 is not None:
        place = (info.variant.macs / 1e9, info.variant.top1)
        size = info.variant.params / 2e5
        ax.scatter(*place, s=size, alpha=0.6)
        away, side = (1, "left") if name in RIGHT_OF else (-1, "right")
        offset = (away * (3 + size**0.5 / 2), LOWER.get(name, 0))
        ax.annotate(
            name, place, offset, textcoords="offset points", ha=side, va="center", fontsize=8
        )
ax.set_xscale("log")
ax.set_xlim(0.4, 60)
ax.set_ylim(54, 84)
ax.set_xlabel("G MACs")
ax.set_ylabel("published top-1, %")
ax.set_title("the area of a point is its number of parameters")
figure.tight_layout()
plt.show()

# %% [markdown]
# These accuracies come from different years, recipes and sizes of picture. A part of what a later network seems to add is a
# later recipe.

# %%
judged("myth_52")

# %% [markdown]
# ### Highway networks: a gate on the way around
#
# A few months before ResNet: y = T · H(x) + (1 − T) · x. H is the layer; the gate T, between 0 and 1, is computed from x by
# a layer of its own. The gate's bias starts below zero, so that at first nearly everything goes around:

# %%
x, computed = torch.tensor(1.0), torch.tensor(5.0)
for bias in (-3.0, -1.0, 0.0):
    gate = torch.sigmoid(torch.tensor(bias))
    print(f"bias {bias:+.0f}: gate {gate:.2f}, so y = {gate * computed + (1 - gate) * x:.2f}")

# %% [markdown]
# ResNet is that without gates: no weights for them, and the way around is never closed.
#
# ### ResNeXt and Wide ResNet: what to do with a budget
#
# **ResNeXt** splits the 3×3 of a bottleneck into 32 groups (its **cardinality, 基数**), and makes it twice as wide for it.
# **Wide ResNet** has few blocks, and many times the channels. (Mind the second pair: they are of very different size. Its authors
# claim accuracy, and less time for it than very deep nets take; they do not claim thrift.)

# %%
with torch.device("meta"):
    pair = {
        "ResNet-50's block": blocks.Bottleneck(256, 64, 256),
        "ResNeXt-50's, 32 groups": blocks.Bottleneck(256, 128, 256, groups=32),
    }
    for name, block in pair.items():
        cost = analyze(block, (1, 256, 56, 56))
        print(f"{name:<26}{cost.params:>10,} parameters{cost.macs / 1e6:>8.0f} M MACs")
    deep = create_model("resnet_cifar", depth=110)
    wide = create_model("wide_resnet_cifar", depth=28, widen=10)
    for name, net in (("ResNet-110 (CIFAR)", deep), ("WRN-28-10 (CIFAR)", wide)):
        cost = analyze(net.eval(), (1, 3, 32, 32))
        print(f"{name:<26}{cost.params:>10,} parameters{cost.macs / 1e6:>8.0f} M MACs")

# %% [markdown]
# ### Inception-ResNet: a sum, scaled down
#
# Inception modules with a shortcut around them. With more than 1,000 filters the sums became unstable in training; the
# authors multiply what is added by 0.1 to 0.3 first. `blocks.InceptionResidual(…, scale=0.17)` builds it.
#
# ### FractalNet: deep without sums
#
# A rule: f₁ is one convolution. fₖ₊₁ is two fₖ one after the other, beside one convolution, and the mean of the two. The longest
# way doubles at each step, the shortest stays 1. In training whole ways are dropped at random (*drop-path*).

# %%
convolutions, longest = 1, 1
for columns in range(1, 5):
    print(f"f{columns}: {convolutions} convolutions, ways of length 1 to {longest}")
    convolutions, longest = 2 * convolutions + 1, 2 * longest

# %% [markdown]
# So a short way for the gradient need not be a *sum with the input*. That is the paper's point.
#
# ### U-Net: ways across
#
# For a picture of answers (each pixel a class) a network goes down and up again. What the way down knew about *where* is put
# beside what the way up knows about *what*:

# %%
down, deep = torch.randn(1, 64, 32, 32), torch.randn(1, 128, 16, 16)
up = nn.ConvTranspose2d(128, 64, 2, stride=2)(deep)
print(
    "up", tuple(up.shape), "beside", tuple(down.shape), "→", tuple(torch.cat([down, up], 1).shape)
)

# %%
judged("myth_45")

# %% [markdown]
# (A head for dense answers that *does* use deep supervision is *C1DeepSup*, of the ADE20K scene parsing code: a second
# classifier on the layer before the last.)

# %%
judged("myth_48")

# %% [markdown]
# ### Squeeze-and-Excitation: weigh the channels
#
# Take the mean of each map (*squeeze*), let two small linear layers compute a gate between 0 and 1 for each channel, multiply
# (*excite*). Every channel so hears about the whole picture. Chapter 06 built its gate; chapter 12 asks what it costs.

# %%
gate, block = blocks.SqueezeExcite(256, 16), blocks.Bottleneck(256, 64, 256)
for name, module in (("the SE gate, 256 → 16 → 256", gate), ("the bottleneck it stands in", block)):
    cost = analyze(module, (1, 256, 56, 56))
    print(f"{name:<30}{cost.params:>8,} parameters{cost.macs / 1e6:>10.2f} M MACs")

# %% [markdown]
# ### SORT: a product beside the sum
#
# *Second-Order Response Transform*: two branches x and y meet as x + y + √(x · y) in place of x + y. (Both are not negative;
# a small constant under the root keeps its slope finite.) The slope with respect to x then depends on y, which a sum's
# does not:

# %%
x = torch.tensor(1.0, requires_grad=True)
for y in (0.0, 1.0, 9.0):
    (slope,) = torch.autograd.grad(x + y + torch.sqrt(x * y + 1e-4), x)
    print(f"y = {y:.0f}: slope of the sum 1, of SORT {slope:.2f}")

# %% [markdown]
# The authors report small gains. It has not become common.
#
# ### Compact bilinear pooling
#
# **Bilinear pooling** describes a place by all *products* of two of its channels: 512 channels make 262,144 numbers. What
# a classifier needs of them are inner products, and these can be kept, nearly, in far fewer numbers. Sketch the channels twice
# (each is added to a random place with a random sign), and convolve the two sketches by a Fourier transform:

# %%
draw = torch.Generator().manual_seed(0)
one = torch.rand(200, 64, generator=draw)
other = torch.rand(200, 64, generator=draw)
exact = (one * other).sum(1) ** 2  # the inner product of all 64 · 64 products
for size in (32, 256, 2048):
    places = torch.randint(size, (2, 64), generator=draw)
    signs = 2.0 * torch.randint(2, (2, 64), generator=draw) - 1

    def sketch(x, size=size, places=places, signs=signs):
        """All products of x with itself, in `size` numbers."""
        parts = [torch.zeros(len(x), size).index_add_(1, places[i], x * signs[i]) for i in (0, 1)]
        return torch.fft.irfft(torch.fft.rfft(parts[0]) * torch.fft.rfft(parts[1]), n=size)

    error = ((sketch(one) * sketch(other)).sum(1) / exact - 1).abs().mean()
    print(f"{size:>5} numbers in place of {64 * 64}: off by {error:.0%} on average")

# %% [markdown]
# ## Explain
#
# Short answers in your own words. Two to four sentences each.
#
# **1.** A colleague has a plain network of 14 layers. It does well, so she makes it 40 deep; it gets worse, in training and on
# new pictures. "It overfits," she says, "I need more data." What do you answer?

# %% [markdown] nbgrader={"grade": true, "grade_id": "07-explain-1", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Overfitting is good on the training pictures and bad on new ones. Hers is bad on both, so more data does not help: the
# training does not find weights that are there (the 40 layers could copy the 14 and hand on the rest). Shortcuts around
# pairs of layers bring handing on within easy reach, at no parameters; in my measurement they made the difference at 32
# layers (or what the log printed).
#
# Rubric. 1 point: worse in training means no overfitting. 1 point: the shortcut and why it helps, with a number of the
# own run or log.
# ### END SOLUTION

# %% [markdown]
# **2.** DenseNet-121 has fewer parameters than ResNet-18. You have a chip with little memory bandwidth. Which do you take,
# and why?

# %% [markdown] nbgrader={"grade": true, "grade_id": "07-explain-2", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# ResNet-18, as far as bandwidth goes: DenseNet-121 moved about four times as many bytes for a picture. Each dense layer
# reads all maps before it again (up to about a thousand), and adds 32. Parameters say how large the file is; they do
# not say what is moved. (Accuracy may still speak for DenseNet.)
#
# Rubric. 1 point: bytes moved, with the number. 1 point: why: each layer reads all maps again.
# ### END SOLUTION

# %% [markdown]
# **3.** Which one of the experiments above would you repeat first, and with what changed, before you believed it? Say
# what outcome would change your mind.

# %% [markdown] nbgrader={"grade": true, "grade_id": "07-explain-3", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# For example the heads, with more seeds and 32 layers: at 20 layers the runs of the plain net differ so much from each
# other that a help of some points would be hidden. If with ten seeds the intervals still lie on both sides of zero, I
# would leave heads out. Or: plain against residual with a rate searched for each of the two. If the plain net caught up
# at its best rate, the shortcut would be a help for tuning and not for accuracy.
#
# Rubric. 1 point: names a real weakness (few seeds, one rate, few epochs, small pictures). 1 point: an outcome that would
# change the conclusion.
# ### END SOLUTION

# %% [markdown]
# ## Summary card
#
# | idea | in one line | remember |
# | --- | --- | --- |
# | stack of 3×3 | n of them see 2n + 1 pixels | 18 weights against 25, 27 against 49 |
# | no linear layers | mean of each map | they were nine tenths of VGG's parameters |
# | Inception module | kernels side by side, narrow 1×1 first | |
# | reduction | pool and convolve side by side, at half the size | |
# | residual block | out = ReLU(computed + x) | no parameter where the shapes agree; a map waits |
# | projection | 1×1 with the stride, batch norm | where stride or channels change |
# | dense block | side by side, each layer adds `growth` | norm, ReLU, conv; few parameters, many bytes |
# | auxiliary head | a loss in the middle, weight 0.3 | thrown away after training |
# | degradation | deeper plain nets get worse *in training* | not overfitting |
#
# **One sentence.** What a network could compute and what its training finds are two things, and most classics are about the
# second.

# %%
progress()

# %% [markdown]
# ## Papers
#
# - Y. LeCun and others. *Gradient-Based Learning Applied to Document Recognition.* Proc. IEEE 1998. A. Krizhevsky and
#   others. *ImageNet Classification with Deep Convolutional Neural Networks.* NIPS 2012.
# - M. Lin and others. *Network In Network.* arXiv 1312.4400. K. Simonyan, A. Zisserman. *Very Deep Convolutional Networks.* arXiv
#   1409.1556.
# - C. Szegedy and others. *Going Deeper with Convolutions* (1409.4842); *Rethinking the Inception Architecture* (1512.00567);
#   *Inception-v4, Inception-ResNet* (1602.07261). S. Ioffe, C. Szegedy. *Batch Normalization.* arXiv 1502.03167.
# - C.-Y. Lee and others. *Deeply-Supervised Nets.* arXiv 1409.5185. R. Srivastava and others. *Highway Networks.* arXiv 1505.00387.
# - K. He and others. *Deep Residual Learning.* arXiv 1512.03385. S. Zagoruyko, N. Komodakis. *Wide Residual Networks.* arXiv
#   1605.07146. S. Xie and others. *Aggregated Residual Transformations* (ResNeXt). arXiv 1611.05431.
# - G. Huang and others. *Densely Connected Convolutional Networks.* arXiv 1608.06993. G. Larsson and others. *FractalNet.* arXiv
#   1605.07648. O. Ronneberger and others. *U-Net.* arXiv 1505.04597.
# - J. Hu and others. *Squeeze-and-Excitation Networks.* arXiv 1709.01507. Y. Wang and others. *SORT.* arXiv 1703.06993. Y. Gao
#   and others. *Compact Bilinear Pooling.* arXiv 1511.06062.
