# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   lightcourse: {chapter: "05", title: "Eight ways to convolve", question: "Which of a convolution's links can you leave out, and what does it really save?", minutes: 90, budget_seconds: 100, exercises: ["05.dense", "05.separable", "05.macs", "05.lowrank", "05.deform"]}
# ---

# %% [markdown]
# # 05 · Eight ways to convolve
#
# **Which of a convolution's links can you leave out, and what does it really save?**
#
# About 90 minutes. You will write a grouped convolution as an ordinary one, build MobileNet's layer, count what
# each variant costs, take a kernel apart, and make a kernel whose places move.

# %%
import time

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightcourse import analyze, check, create_model, hint, predict, progress, reveal, solution, viz
from lightcourse import nn as blocks
from lightcourse._torchvision import import_torchvision
from lightcourse.checks import hidden_check, run_check
from lightcourse.training import evaluate, experiment, fit
from lightcourse.training.colours import COLOURS, colour_puzzle

torch.manual_seed(0)
torch.set_num_threads(1)  # one thread gives the same numbers at every run
print("Ready. PyTorch", torch.__version__)

# %% [markdown]
# ## Question
#
# An ordinary 3×3 convolution with 256 input channels reads 9 · 256 = 2,304 numbers for *each* number that it
# writes. Every one of them is a **link**: a weight, a multiplication, an addition. Links are counted in
# multiply-accumulate operations, **MACs (乘加次数)**.
#
# On a phone you cannot afford all of them. Which ones may go?
#
# The picture shows the ordinary layer and four answers. Each row is a layer from 6 channels to 6. The six panels are its
# input channels, and the coloured pixels are the ones that *one* output number reads.

# %%
LAYERS = {
    "standard": nn.Conv2d(6, 6, 3, padding=1),
    "grouped": nn.Conv2d(6, 6, 3, padding=1, groups=2),
    "depthwise": nn.Conv2d(6, 6, 3, padding=1, groups=6),
    "pointwise": nn.Conv2d(6, 6, 1),
    "dilated": nn.Conv2d(6, 6, 3, padding=2, dilation=2),
}
figure, axes = plt.subplots(5, 6, figsize=(7, 6))
for row, (name, layer) in zip(axes, LAYERS.items(), strict=True):
    x = torch.ones(1, 6, 7, 7, requires_grad=True)
    (slope,) = torch.autograd.grad(layer(x)[0, 1, 3, 3], x)  # what output channel 1 depends on
    read = slope[0] != 0
    for ax, channel in zip(row, read, strict=True):
        ax.pcolormesh(channel.flip(0), cmap="Blues", vmin=0, vmax=1.3, edgecolors="#bbbbbb", lw=0.5)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_aspect("equal")
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    row[5].text(7.6, 3, f"{int(read.sum())} numbers")
figure.suptitle("What one number of output channel 1 reads", y=0.94)
plt.show()

# %% [markdown]
# Two leave out channels, one leaves out neighbours, one spreads out. This chapter has eight variants:
#
# | variant | the idea |
# | --- | --- |
# | depthwise (深度卷积) | each channel by itself |
# | pointwise (逐点卷积) | each pixel by itself: 1×1 |
# | depthwise separable (深度可分离卷积) | first the one, then the other |
# | group (分组卷积) | channels in groups; the groups do not meet |
# | dilated (空洞卷积) | the same weights, further apart |
# | transposed (转置卷积) | the links of a convolution, walked backwards: the map grows |
# | deformable (可变形卷积) | the network decides where to look |
# | factorised, low rank (卷积核分解, 张量分解) | one kernel as a product of smaller ones |
#
# For each of them, three questions. What does it leave out? What does that save on paper? And what does it save on
# the clock?

# %% [markdown]
# ## Predict
#
# Three guesses. Put your answer in place of the dots. Nobody grades them.
#
# **1.** A 3×3 convolution goes from 256 channels to 256. Replace it by a depthwise 3×3 and a pointwise layer: the
# depthwise separable layer of MobileNet. **How many times fewer MACs is that?** A number.

# %%
predict("05.p1", ...)

# %% [markdown]
# **2.** Three 3×3 layers in a row, all with dilation 2: between two places of the kernel one pixel is left out. The
# field of one unit is 13 pixels wide and 13 high. **How many of these 169 pixels can change the unit?**

# %%
predict("05.p2", ...)

# %% [markdown]
# **3.** A depthwise separable layer with 3×3 kernels and 512 channels in and out. **What share of its MACs is in the
# pointwise (1×1) half?** In per cent, such as 50.

# %%
predict("05.p3", ...)

# %% [markdown]
# ## Play
#
# On the left the input channels, on the right the outputs. **Drag a cell of an output** and see what it reads, and
# through which weights.

# %%
viz.conv_variants()

# %% [markdown]
# Try these, in this order:
#
# - **standard**: step through the output channels. Does what they read change? Do the weights?
# - **depthwise**: step again. Now what they read changes too.
# - **grouped**: 2 groups, then 3. Which outputs read the first input channel? Why are there no 4 groups? How many groups
#   make it depthwise?
# - **pointwise**: drag the cell about. How many of its neighbours does an output know?
# - **dilated**: raise the dilation. An output keeps its 9 weights in each of 6 channels, 54. What becomes of the pixels
#   in between?
# - **transposed** with stride 2: one input writes to many outputs. Which outputs hear from the most?
# - **deformable**: drag the nine points. Each has its own place, and some places lie between the pixels.
#
# (The picture's eight are not quite the table's. *Standard* is there to compare with. *Shift* moves channels without any
# weight; it waits for chapter 15. *Separable* and *factorised* are two layers each, and come in the next picture.)
#
# The second picture shows the weights as areas. Step through the forms; drag the corner for the channels.

# %%
viz.factorisation()

# %% [markdown]
# - **depthwise + pointwise**: which of the two areas can you hardly see? Now make the kernel 7×7.
# - Pull the corner until there are 16 output channels. The saving shrinks. Why?
# - Which forms keep links between all channels? Which keep all places of the kernel?

# %%
reveal("05.p1")

# %%
reveal("05.p3")

# %% [markdown]
# ## Build
#
# Five exercises. Between them short demonstrations that need nothing but reading and running.
#
# ### One dense weight behind them all
#
# A **group convolution (分组卷积)** cuts the channels into g groups. The first group of outputs reads the first
# group of inputs, and so on. AlexNet had two groups in 2012, because the network did not fit into one graphics card.
#
# Write the layer as a table: a row for each output channel, a column for each input channel. An ordinary layer fills
# it. Two groups fill two blocks on the diagonal, and the rest is zero:
#
# ```text
#              inputs                        inputs                        inputs
#             0  1  2  3                    0  1  2  3                    0  1  2  3
# output 0    a  b  c  d       output 0     a  b  .  .       output 0     a  .  .  .
# output 1    e  f  g  h       output 1     c  d  .  .       output 1     .  b  .  .
# output 2    i  j  k  l       output 2     .  .  e  f       output 2     .  .  c  .
# output 3    m  n  o  p       output 3     .  .  g  h       output 3     .  .  .  d
#
#    standard: 16 weights         2 groups: 8 weights        4 groups = depthwise: 4 weights
# ```
#
# The last one, as many groups as channels, is the **depthwise convolution (深度卷积)**. In all three, a letter stands
# for one k×k kernel. With 1×1 kernels the first table is a **pointwise convolution (逐点卷积)** and the second one a
# **pointwise group convolution (逐点分组卷积)**, ShuffleNet's.
#
# A **dilated convolution (空洞卷积)** does the same *inside* a kernel: it sets weights to zero. A row kernel with
# the weights 1 2 3 and dilation 2 is the kernel **1 0 2 0 3**. With dilation 3 it is **1 0 0 2 0 0 3**.
#
# PyTorch stores only the weights that are there, as (O, C / groups, kh, kw).
#
# ### Exercise 05.dense: groups and gaps as a dense weight
#
# difficulty 3 of 5 · importance 5 of 5 · 15 minutes
#
# Write the whole table, zeros included: the weight with which an *ordinary* convolution, without groups and without
# dilation, does the same. All sizes may differ: O from C, kh from kw.


# %% nbgrader={"grade": false, "grade_id": "05-dense", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dense_weight(weight: Tensor, groups: int, dilation: int) -> Tensor:
    """The weight of an ordinary convolution that equals a grouped, dilated one.

    weight: (O, C / groups, kh, kw), as nn.Conv2d keeps it.
    groups, dilation: whole numbers, 1 or more; the dilation is the same down and across.
    Returns (O, C, (kh - 1) * dilation + 1, (kw - 1) * dilation + 1), of the same dtype.

    dense_weight(tensor([[[[1, 2, 3]]]]), 1, 2) is tensor([[[[1, 0, 2, 0, 3]]]])
    """
    ### BEGIN SOLUTION
    outputs, per_group, kh, kw = weight.shape
    tall, wide = (kh - 1) * dilation + 1, (kw - 1) * dilation + 1
    dense = weight.new_zeros(outputs, per_group * groups, tall, wide)
    high = outputs // groups
    for g in range(groups):
        rows = slice(g * high, (g + 1) * high)
        columns = slice(g * per_group, (g + 1) * per_group)
        dense[rows, columns, ::dilation, ::dilation] = weight[rows]
    return dense
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "05-dense-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("05.dense", dense_weight)
### BEGIN HIDDEN TESTS
hidden_check("05.dense", dense_weight, seed=7)
### END HIDDEN TESTS

# %%
hint("05.dense")

# %%
# solution("05.dense")

# %% [markdown]
# Once your function passes, look at whole layers through it. Each square is a kernel; a row of squares belongs to one
# output.


# %%
def draw_weight(ax, dense: Tensor, title: str) -> None:
    """Draw (O, C, kh, kw) as one picture: kernels side by side, with lines between them."""
    outputs, inputs, kh, kw = dense.shape
    filled = (dense != 0).transpose(1, 2).reshape(outputs * kh, inputs * kw)
    ax.imshow(filled, cmap="Blues", vmin=0, vmax=1.4)
    for i in range(1, outputs):
        ax.axhline(i * kh - 0.5, color="#888888", lw=0.6)
    for i in range(1, inputs):
        ax.axvline(i * kw - 0.5, color="#888888", lw=0.6)
    ax.set_title(f"{title}\n{filled.double().mean():.0%} filled", fontsize=9)
    ax.set_xticks([])
    ax.set_yticks([])


if run_check("05.dense", dense_weight).passed:
    figure, axes = plt.subplots(1, 5, figsize=(12, 2.9))
    for ax, (name, layer) in zip(axes, LAYERS.items(), strict=True):
        draw_weight(ax, dense_weight(layer.weight.detach(), layer.groups, layer.dilation[0]), name)
    plt.show()
    x = torch.randn(2, 6, 9, 9)
    for name, layer in LAYERS.items():
        dense = dense_weight(layer.weight.detach(), layer.groups, layer.dilation[0])
        same = torch.allclose(
            F.conv2d(x, dense, layer.bias, padding=layer.padding), layer(x), atol=1e-5
        )
        print(f"{name:<10} as an ordinary convolution: {'equal' if same else 'different'}")
else:
    print("dense_weight() is not right yet; run this cell again when it is.")

# %% [markdown]
# (Pointwise fills its table, but its kernels have one pixel.) So every variant in the picture *is* an ordinary
# convolution, with zeros in the right places. Nothing new can be computed with them. They are cheaper, that is all, and
# they say in advance which links do not matter.
#
# Put a layer of your own under the microscope: any `nn.Conv2d` with a few channels will do.

# %%
viz.conv_variants(nn.Conv2d(4, 6, (3, 1), padding=(1, 0), groups=2))

# %% [markdown]
# ### Dilation: wide, but with holes
#
# A kernel of k places with dilation d spans d · (k − 1) + 1 pixels: 5 for a 3×3 with dilation 2. So it needs padding 2
# to keep the size. Dilated layers see far with few weights. But stack them carelessly, and they always step on the same
# places. Here is how many paths lead from each pixel to one unit, for three 3×3 layers.

# %%
small = F.conv2d(torch.zeros(1, 1, 32, 32), torch.ones(1, 1, 3, 3), padding=2, dilation=2)
print("32 pixels, dilation 2, padding 2:", small.shape[-1], "pixels")

figure, axes = plt.subplots(1, 3, figsize=(9.6, 3.4))
for ax, dilations in zip(axes, ((1, 1, 1), (2, 2, 2), (1, 2, 3)), strict=True):
    x = torch.zeros(1, 1, 15, 15, requires_grad=True)
    y = x
    for d in dilations:
        y = F.conv2d(y, torch.ones(1, 1, 3, 3), padding=d, dilation=d)
    (paths,) = torch.autograd.grad(y[0, 0, 7, 7], x)
    seen = paths[0, 0] > 0
    first, *_, last = seen.any(0).nonzero().flatten().tolist()
    side = last - first + 1
    ax.imshow(paths[0, 0], cmap="magma")
    ax.set_title(
        f"dilations {dilations}\nfield {side} × {side}, {int(seen.sum())} pixels seen", fontsize=9
    )
    ax.axis("off")
plt.show()

# %%
reveal("05.p2")

# %% [markdown]
# The middle one is called **gridding (网格效应)**. The neighbour of a seen pixel is never seen, so fine patterns slip
# through. The right one has the same field and the same weights, and sees all of it.
#
# What makes the difference? In the middle all dilations are even, so no path can make an odd step. But having no common
# factor is not enough. Try some more:

# %%
print("dilations    pixels seen of the field")
for dilations in ((1, 2, 3), (1, 2, 5), (1, 3, 9), (2, 3, 5), (2, 3, 4), (1, 2, 9)):
    side = 1 + 2 * sum(dilations)
    x = torch.zeros(1, 1, side, side, requires_grad=True)
    y = x
    for d in dilations:
        y = F.conv2d(y, torch.ones(1, 1, 3, 3), dilation=d)
    (paths,) = torch.autograd.grad(y.sum(), x)
    seen = int((paths > 0).sum())
    print(f"{dilations!s:<12} {seen:>4} of {side**2:>4}{'' if seen == side**2 else '   holes'}")

# %% [markdown]
# Two things are needed. **One layer has dilation 1**: else nobody reads the direct neighbour of the outermost pixel, as in
# (2, 3, 5). And **no step is wider than what the smaller ones already see together**. Dilations 1 and 2 see 7 pixels. So 5
# is a good next step, 7 would just do, and 9 leaves gaps. (The paper on gridding, arXiv 1702.08502, asks for much the
# same: no common factor, and gaps that are never wider than the kernel. It gives 1, 2, 5 as good and 1, 2, 9 as bad.)
#
# ### Transposed: the same links, backwards
#
# A convolution is a linear map, so it is a matrix: one row for each output pixel. The **transposed convolution
# (转置卷积)** uses the transposed matrix: its rows become columns (转置). What was an output is now an input. Stride 2
# halved the map; transposed, it doubles it. In chapter 03 you built it with zeros between the pixels.
#
# > **Myth or fact?** *转置卷积 = 反卷积: a transposed convolution undoes the convolution (it is a “deconvolution”).*

# %%
w = torch.randn(1, 1, 3, 3, dtype=torch.float64)
x = torch.randn(1, 1, 6, 6, dtype=torch.float64)
ones = torch.eye(36, dtype=torch.float64).reshape(36, 1, 6, 6)
matrix = F.conv2d(ones, w).reshape(36, 16).T  # column i: what a single 1 at pixel i gives
y = F.conv2d(x, w)
back = F.conv_transpose2d(y, w)
print("convolution is the matrix:     ", torch.allclose(matrix @ x.flatten(), y.flatten()))
print("transposed is its transpose:   ", torch.allclose(matrix.T @ y.flatten(), back.flatten()))
print("shapes", tuple(x.shape[2:]), "->", tuple(y.shape[2:]), "->", tuple(back.shape[2:]))
print(
    f"does x come back? {torch.allclose(back, x)}; relative error {(back - x).norm() / x.norm():.2f}"
)

# %% [markdown]
# A myth. The *shape* comes back, the numbers do not: a transposed matrix is not the inverse matrix. The name
# “deconvolution” belongs to the real inverse problem. What the transposed one is: exactly the map by which
# gradients go back through a convolution.
#
# ### Depthwise separable: filter, then mix
#
# Depthwise never mixes channels. Pointwise never looks at a neighbour. One after the other, they do both. That is the
# **depthwise separable convolution (深度可分离卷积)**, the brick of MobileNet (arXiv 1704.04861).
#
# ```text
# (N, C, H, W) ─► depthwise k×k ─► batch norm ─► ReLU          C maps stay C
#              ─► pointwise 1×1 ─► batch norm ─► ReLU          C maps become O:  (N, O, H', W')
# ```
#
# (**Batch norm (批归一化)** subtracts the mean of each channel and scales it; `nn.BatchNorm2d(channels)`. Chapter 06 takes
# it apart.)
#
# > **Myth or fact?** *每个block由标准1×1卷积+深度3×3卷积组成: each block of MobileNet is a 1×1 convolution, then a
# > depthwise 3×3.*
# >
# > A myth for MobileNet V1: figure 3 of the paper has the depthwise layer first. (V2 puts another 1×1 in front,
# > chapter 11.)
#
# ### Exercise 05.separable: filter, then mix
#
# difficulty 2 of 5 · importance 5 of 5 · 10 minutes
#
# Write it as a module with four named parts. A stride belongs to the depthwise layer. The padding keeps the size at
# stride 1; all kernels are odd. The convolutions have no bias: the batch norm that follows subtracts the mean, so a
# bias before it would be lost.


# %% nbgrader={"grade": false, "grade_id": "05-separable", "locked": false, "schema_version": 3, "solution": true, "task": false}
class DepthwiseSeparable(nn.Module):
    """Depthwise, batch norm, ReLU, pointwise, batch norm, ReLU.

    The parts are self.depthwise and self.pointwise (nn.Conv2d), self.norm1 and self.norm2
    (nn.BatchNorm2d).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1):
        super().__init__()
        ### BEGIN SOLUTION
        self.depthwise = nn.Conv2d(
            in_channels,
            in_channels,
            kernel_size,
            stride=stride,
            padding=kernel_size // 2,
            groups=in_channels,
            bias=False,
        )
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride), rounded up."""
        ### BEGIN SOLUTION
        x = torch.relu(self.norm1(self.depthwise(x)))
        return torch.relu(self.norm2(self.pointwise(x)))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "05-separable-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("05.separable", DepthwiseSeparable)
### BEGIN HIDDEN TESTS
hidden_check("05.separable", DepthwiseSeparable, seed=7)
### END HIDDEN TESTS

# %%
hint("05.separable")

# %%
# solution("05.separable")

# %% [markdown]
# ### What do they cost?
#
# Count for one pixel of the output first. A standard 3×3 layer from 4 to 8 channels: each of the 8 outputs reads 9
# numbers in 4 channels. 8 · 9 · 4 = 288 MACs. On a map of 10 × 20 pixels that happens 200 times: 57,600.
#
# In symbols: **k² · C · N** MACs a pixel, for N output maps.
#
# ### Exercise 05.macs: what each variant costs
#
# difficulty 2 of 5 · importance 5 of 5 · 10 minutes
#
# Seven layers, all with the same output size. A deformable layer has a second convolution beside it, with the same
# kernel, that makes the offsets: for each of its k·k places a step down and a step across.


# %% nbgrader={"grade": false, "grade_id": "05-macs", "locked": false, "schema_version": 3, "solution": true, "task": false}
def macs(c: int, n: int, k: int, h: int, w: int, g: int) -> dict[str, int]:
    """Count the MACs of seven layers from c channels, with n maps of h × w pixels at the output.

    k: the kernel is k×k.  g: the number of groups; it divides c and n.  No biases.
    Returns whole numbers under these names:
        "standard"    k×k, c -> n channels
        "grouped"     the same in g groups
        "depthwise"   k×k, each of the c channels by itself, c -> c
        "pointwise"   1×1, c -> n
        "separable"   the depthwise layer, then the pointwise layer
        "factorised"  k×1, c -> n, then 1×k, n -> n
        "deformable"  the standard layer, and a standard k×k layer that makes the offsets

    macs(4, 8, 3, 10, 20, 2)["standard"] is 57600
    """
    ### BEGIN SOLUTION
    places = h * w
    standard = k * k * c * n * places
    depthwise = k * k * c * places
    pointwise = c * n * places
    return {
        "standard": standard,
        "grouped": standard // g,
        "depthwise": depthwise,
        "pointwise": pointwise,
        "separable": depthwise + pointwise,
        "factorised": (k * c * n + k * n * n) * places,
        "deformable": standard + k * k * c * (2 * k * k) * places,
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "05-macs-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("05.macs", macs)
### BEGIN HIDDEN TESTS
hidden_check("05.macs", macs, seed=7)
### END HIDDEN TESTS

# %%
hint("05.macs")

# %%
# solution("05.macs")

# %% [markdown]
# Divide the separable layer by the standard one. The places cancel:
#
# (k²·C + C·N) / (k²·C·N) = **1/N + 1/k²**
#
# For k = 3 the second part is a ninth. So the saving is a little less than 9 times, and more output channels N bring
# it closer to 9. Larger kernels save more.

# %%
print("separable / standard = 1/N + 1/k²\n")
print("outputs N  " + "".join(f"{f'k = {k}':>16}" for k in (1, 3, 5, 7)))
for n in (16, 64, 256, 512, 1024):
    ratios = [1 / n + 1 / k**2 for k in (1, 3, 5, 7)]
    print(f"{n:>9}  " + "".join(f"{r:>8.4f} ={1 / r:>5.1f}×" for r in ratios))

if run_check("05.macs", macs).passed:
    print(
        "\nMobileNets, Table 3: a separable layer at 14×14, 512 channels. The paper's numbers in brackets."
    )
    for c, side, paper in ((512, 14, "52.3"), (384, 14, "29.6"), (384, 10, "15.1")):
        count = macs(c, c, 3, side, side, 1)["separable"]
        print(f"  {c} channels at {side}×{side}: {count:>10,} MACs ({paper} M)")
    print("\nThe same field with fewer weights, 64 channels to 64:")
    one = {k: macs(64, 64, k, 1, 1, 1) for k in (3, 5, 7)}
    for name, many, whole in (
        ("two 3×3 for a 5×5", 2 * one[3]["standard"], one[5]["standard"]),
        ("three 3×3 for a 7×7", 3 * one[3]["standard"], one[7]["standard"]),
        ("7×1 and 1×7 for a 7×7", one[7]["factorised"], one[7]["standard"]),
    ):
        print(f"  {name:<22} {many:>8,} / {whole:>8,} = {many / whole:.2f}")
else:
    print("\nmacs() is not right yet; the rest of this cell needs it.")

# %% [markdown]
# The last block is **kernel factorisation (卷积核分解)**: Inception-v3 runs 7×1 and then 1×7 where a 7×7 would cost
# three and a half times as much (arXiv 1512.00567). The two see the same square. But can they compute the same? With
# one map between them, only a column times a row. With n maps between them, a sum of n such products. What that is worth
# comes next.
#
# ### Low rank: how much of a kernel is a product?
#
# A column times a row fills a square:
#
# ```text
#   1               1  2  1
#   2  ×  1 2 1  =  2  4  2      6 numbers in place of 9, and nothing is lost
#   1               1  2  1
# ```
#
# Such a kernel has **rank (秩)** 1. Blur kernels are like that. Most kernels are not. But every k×k kernel is a *sum*
# of at most k such products. The **singular value decomposition (奇异值分解)**, SVD, finds them, sorted by
# importance: left · diag(values) · right. Keep the first r, and no other sum of r products comes closer. This is the
# **low-rank (低秩)** way to cheaper layers (arXiv 1405.3866), the simplest **tensor decomposition (张量分解)**.
#
# One kernel, from one channel to one: r filters k×1, then r filters 1×k, 2·r·k MACs a pixel instead of k². A whole layer,
# from C channels to N: k×1 to r maps, which all N outputs share, then 1×k. That makes k·r·(C + N) instead of k²·C·N.
# (There are other ways to cut. The last form in the picture of areas keeps k×k, but makes only r maps, and a 1×1 layer
# spreads them out again.)
#
# ### Exercise 05.lowrank: the closest cheaper kernel
#
# difficulty 3 of 5 · importance 3 of 5 · 10 minutes
#
# Take a kernel apart and return its strongest products, each as a column and a row.
# `torch.linalg.svd(kernel, full_matrices=False)` does the work and gives three tensors; print their shapes first.
#
# There are many right answers: what counts is the sum of the products.


# %% nbgrader={"grade": false, "grade_id": "05-lowrank", "locked": false, "schema_version": 3, "solution": true, "task": false}
def low_rank(kernel: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The sum of `rank` products, column times row, that is closest to a kernel.

    kernel: (k, m), one kernel, not always square.  rank: from 1 to the smaller of k and m.
    Returns (columns, rows) of shapes (rank, k) and (rank, m): the kernel is close to
    outer(columns[0], rows[0]) + outer(columns[1], rows[1]) + …
    """
    ### BEGIN SOLUTION
    u, s, vt = torch.linalg.svd(kernel, full_matrices=False)
    columns = (u * s)[:, :rank].T  # each singular value goes into its column
    return columns, vt[:rank]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "05-lowrank-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("05.lowrank", low_rank)
### BEGIN HIDDEN TESTS
hidden_check("05.lowrank", low_rank, seed=7)
### END HIDDEN TESTS

# %%
hint("05.lowrank")

# %%
# solution("05.lowrank")

# %% [markdown]
# Four kernels of 7×7, and how much is lost at each rank.


# %%
own_cut = run_check("05.lowrank", low_rank).passed


def cut(kernel: Tensor, rank: int) -> Tensor:
    """The kernel after the cut, by your low_rank where it passes, else by the course's own."""
    if own_cut:
        pairs = zip(*low_rank(kernel, rank), strict=True)
        return sum(torch.outer(torch.as_tensor(c), torch.as_tensor(r)) for c, r in pairs)
    _, vectors = torch.linalg.eigh(kernel @ kernel.T)
    strongest = vectors[:, -rank:]
    return strongest @ (strongest.T @ kernel)


step = torch.linspace(-1, 1, 7, dtype=torch.float64)
down, across = torch.meshgrid(step, step, indexing="ij")
bell = torch.exp(-3 * (down**2 + across**2))
torch.manual_seed(3)
KERNELS = {
    "blur": bell,
    "upright edge": across * bell,
    "slanted stripes": torch.cos(6 * (down + 0.6 * across)) * bell,
    "random": torch.randn(7, 7, dtype=torch.float64),
}
figure, axes = plt.subplots(4, 5, figsize=(9, 7))
print("share of the kernel that is lost, by rank (MACs: 14 · rank, the whole kernel has 49)\n")
print(f"{'':<16}" + "".join(f"{f'rank {r}':>10}" for r in (1, 2, 3, 4)))
for row, (name, kernel) in zip(axes, KERNELS.items(), strict=True):
    parts = [cut(kernel, r) for r in (1, 2, 3, 4)]
    losses = [(kernel - part).norm() / kernel.norm() for part in parts]
    print(f"{name:<16}" + "".join(f"{loss:>10.1%}" for loss in losses))
    top = kernel.abs().max()
    for ax, shown in zip(row, (kernel, *parts), strict=True):
        ax.imshow(shown, cmap="RdBu", vmin=-top, vmax=top)
        ax.set_xticks([])
        ax.set_yticks([])
    row[0].set_ylabel(name, fontsize=9)
for ax, title in zip(axes[0], ("the kernel", "rank 1", "rank 2", "rank 3", "rank 4"), strict=True):
    ax.set_title(title, fontsize=9)
plt.show()

# %% [markdown]
# A blur and an upright edge are products: rank 1 loses nothing. These slanted stripes need rank 2, because a slanted
# cosine is a sum of two products: cos(a + b) = cos a · cos b − sin a · sin b. (Other slanted patterns, such as a slanted
# edge, need more.) A random kernel has no structure to find, and at rank 4 the pair costs more (56 MACs) than the kernel
# (49). *Factorisation pays where the kernels are simple.* Trained kernels lie in between; you will cut some further down.
#
# ### Deformable: the network decides where to look
#
# In a **deformable convolution (可变形卷积)** (arXiv 1703.06211) each place of the kernel moves by an **offset
# (偏移)**, a step down and a step across in pixels, and each output pixel has offsets of its own. A small convolution
# beside it computes them from the input: 2·k·k channels, 18 for a 3×3. (Version 2 adds **modulation (调制)**: k·k channels
# more, 9 for a 3×3, a **mask (掩码)** between 0 and 1 for each place.)
#
# Offsets are not whole numbers. Between pixels one reads the **bilinear (双线性)** mean of the four neighbours.
# Half-way between a 3 and a 5 stands a 4. So a small change of an offset changes the output a little, and the
# offsets can be learnt.
#
# PyTorch has a function that reads a picture at any places: `F.grid_sample`. Three things to know:
#
# - It counts from −1 to 1 over the whole picture, from its left *edge* to its right *edge*. In a picture 4 pixels
#   wide the middles of the pixels lie at −0.75, −0.25, 0.25, 0.75. In general, pixel i of `size` pixels lies at
#   **(2·i + 1) / size − 1**. This is `align_corners=False`.
# - It wants the column first, then the row: `grid[..., 0]` is x, `grid[..., 1]` is y.
# - x is (N, C, H, W), the grid (N, rows, columns, 2), the result (N, C, rows, columns). Outside it reads zeros.
#
# This function is given. It says where each place of the kernel reads before it moves. A place of the kernel is
# called a **tap**; taps are numbered along the rows of the kernel: 0 1 2 / 3 4 5 / 6 7 8.


# %%
def places(k: int, out_h: int, out_w: int, stride: int, padding: int) -> tuple[Tensor, Tensor]:
    """Row and column that each tap of each output pixel reads: two of (k * k, out_h, out_w)."""
    rows = torch.arange(k)[:, None] + torch.arange(out_h) * stride - padding
    columns = torch.arange(k)[:, None] + torch.arange(out_w) * stride - padding
    y = rows[:, None, :, None].expand(k, k, out_h, out_w)
    x = columns[None, :, None, :].expand(k, k, out_h, out_w)
    return y.reshape(k * k, out_h, out_w), x.reshape(k * k, out_h, out_w)


y, x = places(k=3, out_h=5, out_w=7, stride=1, padding=1)
print("shapes", tuple(y.shape), tuple(x.shape))
print("output pixel (2, 4), nine taps: rows   ", y[:, 2, 4].tolist())
print("                                columns", x[:, 2, 4].tolist())

# %% [markdown]
# ### Exercise 05.deform: a kernel whose places move
#
# difficulty 5 of 5 · importance 3 of 5 · 20 minutes
#
# Four steps, and the shape after each:
#
# 1. **Where?** Places plus offsets. The channels of `offset` alternate: y of tap 0, x of tap 0, y of tap 1, … Take
#    every second one. → y and x, each (N, k·k, H', W').
# 2. **Stretch** both to −1 … 1, stack them with x first. → (N, k·k, H', W', 2). grid_sample wants only four axes,
#    so merge the taps with the rows: `flatten(1, 2)`. → (N, k·k·H', W', 2).
# 3. **Read** with `F.grid_sample(..., align_corners=False)`. → (N, C, k·k·H', W').
# 4. **Multiply and add.** At each output pixel all C·k·k numbers are now at hand. View them as (N, C·k·k, H', W'),
#    and what is left is a 1×1 convolution.
#
# The offsets are to be learnt, so gradients must flow back through your function. Tensor operations on x, offset and
# weight do that by themselves; NumPy and `detach` cut them off.


# %% nbgrader={"grade": false, "grade_id": "05-deform", "locked": false, "schema_version": 3, "solution": true, "task": false}
def deform_conv(x: Tensor, offset: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """Convolve at places that move by an offset for each tap and each output pixel.

    x: (N, C, H, W).  weight: (O, C, k, k).  No bias, no dilation, no groups.
    offset: (N, 2 * k * k, H', W'), in pixels; channel 2 * t moves tap t down, 2 * t + 1 across.
    Returns (N, O, H', W'), of x's dtype.  Outside the picture x is zero.
    Gradients flow back to x, offset and weight.
    """
    n, c, height, width = x.shape
    k, (out_h, out_w) = weight.shape[-1], offset.shape[2:]
    base_y, base_x = places(k, out_h, out_w, stride, padding)
    ### BEGIN SOLUTION
    y = base_y + offset[:, 0::2]
    across = base_x + offset[:, 1::2]
    # grid_sample counts from edge to edge: the middle of pixel 0 lies half a pixel inside
    grid = torch.stack([(2 * across + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
    samples = F.grid_sample(x, grid.flatten(1, 2), align_corners=False)
    samples = samples.reshape(n, c * k * k, out_h, out_w)
    return F.conv2d(samples, weight.reshape(-1, c * k * k, 1, 1))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "05-deform-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("05.deform", deform_conv)
### BEGIN HIDDEN TESTS
hidden_check("05.deform", deform_conv, seed=7)
### END HIDDEN TESTS

# %%
hint("05.deform")

# %%
# solution("05.deform")

# %% [markdown]
# A deformable convolution contains many others. Its offsets can be chosen so that it does nothing special, or
# dilates, or turns.

# %%
mine = run_check("05.deform", deform_conv).passed


def deform(x, offset, weight, stride=1, padding=0):
    """Yours where it passes, else the course's own."""
    if mine:
        return deform_conv(x, offset, weight, stride, padding)
    return blocks.deform_conv2d(x, offset, weight, stride=stride, padding=padding)


print("Convolving with", "your deform_conv." if mine else "the course's own until yours passes.")
tap = torch.stack(
    torch.meshgrid(torch.arange(-1.0, 2), torch.arange(-1.0, 2), indexing="ij"), -1
).reshape(9, 2)
angle = torch.tensor(torch.pi / 6)
turn = torch.tensor([[angle.cos(), angle.sin()], [-angle.sin(), angle.cos()]])
MOVES = {
    "nothing moves": 0 * tap,
    "dilation 2": tap,
    "a turn by 30°": tap @ turn.T - tap,
    "free": 0.4 * torch.randn(9, 2),
}
figure, axes = plt.subplots(1, 4, figsize=(10, 2.9))
for ax, (name, move) in zip(axes, MOVES.items(), strict=True):
    ax.scatter(tap[:, 1], tap[:, 0], s=30, facecolors="none", edgecolors="#777777")
    ax.quiver(tap[:, 1], tap[:, 0], move[:, 1], move[:, 0], angles="xy", scale_units="xy", scale=1,
              color="#999999", width=0.008)  # fmt: skip
    ax.scatter(*(tap + move).T.flip(0), s=36, color="#0072b2", zorder=3)
    ax.set(xlim=(-2.9, 2.9), ylim=(2.9, -2.9), aspect="equal", title=name)
    ax.set_xticks(range(-2, 3), [])
    ax.set_yticks(range(-2, 3), [])
    ax.grid(color="#dddddd", lw=0.6)
plt.show()

x, w = torch.randn(1, 4, 9, 9, dtype=torch.float64), torch.randn(3, 4, 3, 3, dtype=torch.float64)
for version, modulated in (("1", False), ("2", True)):
    beside = blocks.DeformConv2d(4, 4, modulated=modulated).offset
    print(f"version {version}: the layer beside a 3×3 makes {beside.out_channels} channels")
for name, padding, dilation in (("nothing moves", 1, 1), ("dilation 2", 2, 2)):
    offset = MOVES[name].double().reshape(1, 18, 1, 1).expand(1, 18, 9, 9)
    same = torch.allclose(
        deform(x, offset, w, padding=1), F.conv2d(x, w, padding=padding, dilation=dilation)
    )
    print(f"{name}: equals F.conv2d with dilation {dilation}: {same}")

# %% [markdown]
# ## Measure
#
# ### On paper and on the clock
#
# Eleven layers, all from 128 channels to 128 on a map of 28×28, all with the same output shape. For each: the weights,
# the MACs, the bytes that it reads and writes (**memory access (访存量)**, chapter 04), and its time here.
#
# Decide first: a depthwise layer has 1/128 of the MACs. **What share of the time will it take?**
#
# Times are ratios to the standard layer. All layers are timed in turn, one call each, sixty times over, and the fastest
# call of each counts: other programs can only slow a call down.

# %%
C, SIDE = 128, 28
bare = {"norm": False, "activation": None}
VARIANTS = {
    "standard 3×3": nn.Conv2d(C, C, 3, padding=1, bias=False),
    "grouped, 4 groups": nn.Conv2d(C, C, 3, padding=1, groups=4, bias=False),
    "depthwise 3×3": blocks.DepthwiseConv2d(C, bias=False),
    "pointwise 1×1": blocks.PointwiseConv2d(C, C, bias=False),
    "pointwise, 4 groups": blocks.PointwiseConv2d(C, C, groups=4, bias=False),
    "separable": nn.Sequential(
        blocks.DepthwiseConv2d(C, bias=False), blocks.PointwiseConv2d(C, C, bias=False)
    ),
    "dilated by 2": nn.Conv2d(C, C, 3, padding=2, dilation=2, bias=False),
    "transposed": nn.ConvTranspose2d(C, C, 3, padding=1, bias=False),
    "3×1, then 1×3": blocks.SpatialFactorisedConv(C, C, 3, **bare),
    "low rank, C/4 maps": blocks.LowRankConv(C, C, 3, rank=C // 4, bias=False),
    "deformable": blocks.DeformConv2d(C, C, bias=False),
}


def fastest_calls(x: Tensor, rounds: int) -> dict[str, float]:
    """The shortest time of one call of each layer, in seconds."""
    best = dict.fromkeys(VARIANTS, float("inf"))
    with torch.inference_mode():
        for _ in range(rounds):
            for name, layer in VARIANTS.items():
                start = time.perf_counter()
                layer(x)
                best[name] = min(best[name], time.perf_counter() - start)
    return best


x = torch.randn(1, C, SIDE, SIDE)
halves = [fastest_calls(x, 30), fastest_calls(x, 30)]
best = {name: min(half[name] for half in halves) for name in VARIANTS}
standard = analyze(VARIANTS["standard 3×3"], (1, C, SIDE, SIDE))
rows = []
print(f"{'':<20}{'weights':>9}{'MACs':>13}{'bytes':>11}   share of the standard layer's")
print(f"{'':<53}{'MACs':>8}{'bytes':>8}{'time':>8}{'GMACs/s':>12}")
for name, layer in VARIANTS.items():
    report = analyze(layer, (1, C, SIDE, SIDE))
    share = report.macs / standard.macs, report.memory_access / standard.memory_access
    rows.append((name, *share, best[name] / best["standard 3×3"]))
    speed = report.macs / best[name] / 1e9
    print(f"{name:<20}{report.params:>9,}{report.macs:>13,}{report.memory_access:>11,}", end="")
    print("".join(f"{value:>8.3f}" for value in rows[-1][1:]) + f"{speed:>12.0f}")
apart = max(abs(halves[0][name] / halves[1][name] - 1) for name in VARIANTS)
print(f"\none thread; the first and the second thirty calls agree within {apart:.0%}", end="")
print(": NOISY, run this cell again on a quieter machine." if apart > 0.2 else ".")

# %%
figure, ax = plt.subplots(figsize=(9, 4.4))
LOOKS = (("MACs", "#0072b2", "o"), ("bytes", "#e69f00", "s"), ("time", "#009e73", "D"))
for i, (label, colour, shape) in enumerate(LOOKS, 1):
    values = [row[i] for row in rows]
    ax.scatter(values, range(len(rows)), color=colour, marker=shape, s=48, label=label, zorder=3)
for j, row in enumerate(rows):
    ax.plot([row[1], row[3]], [j, j], color="#999999", lw=1.5)  # from the MACs to the time
ax.set_yticks(range(len(rows)), [row[0] for row in rows])
ax.invert_yaxis()
ax.axvline(1, color="#999999", lw=1)
ax.grid(axis="x", color="#dddddd", lw=0.6)
ax.set_xscale("log")
ax.set_xticks([0.01, 0.1, 1, 10], ["1/100", "1/10", "1", "10"])
ax.set_xlabel("share of the standard layer's; the line leads from the MACs to the time")
ax.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
figure.tight_layout()
plt.show()

table = {name: (paper, moved, clock) for name, paper, moved, clock in rows}
for name in ("depthwise 3×3", "pointwise 1×1", "separable", "grouped, 4 groups"):
    paper, moved, clock = table[name]
    print(f"{name:<18} {1 / paper:6.1f} times fewer MACs, {1 / clock:5.1f} times faster: ", end="")
    print(f"{paper / clock:.0%} of what the MACs promise")
print("MACs for each byte that is moved: standard", end="")
for name in ("standard 3×3", "depthwise 3×3"):
    report = analyze(VARIANTS[name], (1, C, SIDE, SIDE))
    print(
        f" {report.macs / report.memory_access:.1f}", end=", depthwise" if name[0] == "s" else "\n"
    )
paper, moved, clock = table["depthwise 3×3"]
found = "confirmed" if clock > 3 * paper else "refuted"
print(
    f"\n“Depthwise saves far less time than MACs”: {found} here ({1 / paper:.0f}× against {1 / clock:.0f}×)."
)

# %% [markdown]
# Read it with three questions.
#
# - **Who keeps the promise of its MACs?** The layers that mix many channels: pointwise, dilated, transposed. A
#   processor multiplies matrices well, and these are large matrices.
# - **Who breaks it?** Depthwise. Look at its GMACs per second. A number that comes in is used 9 times; in the standard
#   layer 9 · 128 = 1,152 times. So it moves more than half of the bytes of a standard layer, and does next to nothing
#   with each. Chapter 04 calls such layers **memory-bound (访存受限)**: fetching, storing and starting take the time, not
#   multiplying. In the separable layer it has few of the MACs and a good part of the time.
# - **Who costs more than it looks?** Deformable. Reading between pixels counts as zero MACs, because there are no
#   weights in it. The bytes know better, and so does the clock.
#
# Caveats. One layer shape, one machine, PyTorch as it comes. A phone with a runtime made for depthwise layers gives
# other shares; the *order* of the lessons stays. Change `C` and `SIDE` above and run both cells again: with 16
# channels, is anything left of the saving?

# %% [markdown]
# ### What does a network lose without the links?
#
# Saving is easy. The question is what the task needs. Here is a task. Each picture has three colour planes with waves
# in one of four directions. Two planes share the direction. **Which colour is the odd one out?** (Under the waves lies
# another one, the same in all planes, and noise, to make it less easy.)

# %%
puzzle = colour_puzzle(2500, 1200, noise=0.2)
figure, axes = plt.subplots(2, 3, figsize=(5.4, 3.9))
for row, picture, odd in zip(axes, puzzle.train.images, puzzle.train.labels, strict=False):
    for i, (ax, plane) in enumerate(zip(row, picture, strict=True)):
        ax.imshow(plane, cmap="gray")
        ax.set_title(COLOURS[i] + (" (odd)" if i == odd else ""), fontsize=9)
        ax.axis("off")
figure.tight_layout()
plt.show()

# %% [markdown]
# To solve it, a network has to see a direction (so it needs neighbours) and compare the colours (so it needs
# channels). Five networks with a first layer and two blocks:
#
# | network | first layer | blocks | sees neighbours | mixes channels |
# | --- | --- | --- | --- | --- |
# | depthwise only | depthwise 3×3 | depthwise 3×3 | yes | never |
# | pointwise only | 1×1 | 1×1 | never | yes |
# | separable | standard 3×3 | separable, 24 channels | yes | yes |
# | standard | standard 3×3 | 3×3, 24 channels | yes | yes |
# | standard, narrow | standard 3×3 | 3×3, 10 channels: about as many MACs as *separable* | yes | yes |
#
# **Which of them will guess (33 %)? And at about equal MACs, is it better to have few channels with all links, or many
# channels with few links?**

# %%
own = run_check("05.separable", DepthwiseSeparable).passed
print(
    "Separable blocks:",
    "your DepthwiseSeparable." if own else "the course's own until yours passes.",
)


def norm_act(conv: nn.Conv2d) -> nn.Sequential:
    """A convolution with batch norm and ReLU."""
    return nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU())


BLOCKS = {
    "depthwise only": lambda c: norm_act(blocks.DepthwiseConv2d(c, bias=False)),
    "pointwise only": lambda c: norm_act(blocks.PointwiseConv2d(c, c, bias=False)),
    "separable": lambda c: DepthwiseSeparable(c, c) if own else blocks.DepthwiseSeparableConv(c, c),
    "standard": lambda c: norm_act(nn.Conv2d(c, c, 3, padding=1, bias=False)),
    "standard, narrow": lambda c: norm_act(nn.Conv2d(c, c, 3, padding=1, bias=False)),
}
FIRST = {
    "depthwise only": lambda c: nn.Conv2d(3, c, 3, stride=2, padding=1, groups=3, bias=False),
    "pointwise only": lambda c: nn.Conv2d(3, c, 1, stride=2, bias=False),
}
RECIPE = {"epochs": 6, "batch_size": 32, "lr": 0.01, "augment": None}


def puzzle_net(name: str) -> nn.Sequential:
    """First layer, two blocks, mean over the picture, three scores."""
    channels = 10 if name == "standard, narrow" else 24
    first = FIRST.get(name, lambda c: nn.Conv2d(3, c, 3, stride=2, padding=1, bias=False))
    body = [norm_act(first(channels)), BLOCKS[name](channels), BLOCKS[name](channels)]
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 3))


def measure(*names: str, **claims):
    """Train networks with three seeds each; runs that are finished are kept and taken from there."""
    nets = {name: lambda name=name: puzzle_net(name) for name in names}
    return experiment("which links", nets, puzzle, budget=None, **claims, **RECIPE)


measure("depthwise only", "pointwise only")
print("two are done")

# %%
measure("separable")
print("three are done")

# %%
measure("standard")
print("four are done")

# %%
found = measure(
    *BLOCKS,
    claims=[
        ("separable", "depthwise only"),
        ("separable", "pointwise only"),
        ("standard", "separable"),
        ("separable", "standard, narrow"),
    ],
)
print(found)

# %%
cost = {row.name: row.macs for row in found.rows}
print(
    f"standard has {cost['standard'] / cost['separable']:.1f} times the MACs of separable", end=""
)
block = [puzzle_net(name)[1] for name in ("standard", "separable")]
inside = [analyze(part, (1, 24, 8, 8)).macs for part in block]
print(f"; one block alone {inside[0] / inside[1]:.1f} times.")
last = found.findings[-1]
words = (
    "many channels with few links won" if last.difference > 0 else "few channels with all links won"
)
share = cost["standard, narrow"] / cost["separable"]
print(f"At about equal MACs (narrow has {share:.0%} of separable's), {words} in the mean", end="")
sure = last.word in ("confirmed", "refuted")
print("." if sure else ", but these seeds cannot make it certain.")

# %% [markdown]
# - **Each half alone hardly does better than a guess.** Depthwise layers see the waves but never compare two colours. Pointwise layers
#   compare colours but never see a wave. Neither lacks training; the links are not there.
# - **Together they do the work of the standard layer**, at a fifth of its MACs. If there is a gap in the lines
#   above, it is small beside that.
# - **At about equal MACs** the saved links buy more channels: that is the idea of light networks in one line. Here it paid
#   in the mean. How certain that is, the last line says.
#
# Why is the factor about 5, and not 8 or 9? With 24 channels 1/24 + 1/9 allows 6.5 for a block, as printed above. The rest
# is the first layer, which is standard in both networks, as in MobileNet.
#
# Caveats. Three seeds, one small task that was made to need both kinds of links, short training. Other pictures (try
# `seed=21` and `seed=22`) give other gaps. The two halves alone still hardly beat a guess; *separable* and *standard*
# can change places, because the gap between them is within the noise; and *narrow* scatters most from seed to seed.

# %% [markdown]
# ### Cutting a trained network
#
# Now the low rank, on trained weights. The standard network is trained once more. Then both its 3×3 layers, 24
# channels to 24, are replaced by 3×1 to r maps and 1×3 back, the closest such pair by SVD, and *nothing is trained
# again*. (The SVD here runs over channels and kernel together: a matrix of 72 × 72. At rank 36 the pair costs as much
# as the layer, so only smaller ranks save anything.)

# %%
torch.manual_seed(0)
whole = puzzle_net("standard")
fit(whole, puzzle, seed=0, progress=False, **RECIPE)
before = 100 * evaluate(whole, puzzle.test).accuracy
print(f"not cut      {before:5.1f} %   {analyze(whole, (1, 3, 16, 16)).macs:>8,} MACs")
kept = {}
for rank in (24, 16, 12, 8):
    cut_net = puzzle_net("standard")
    cut_net.load_state_dict(whole.state_dict())
    for block in (cut_net[1], cut_net[2]):
        block[0] = blocks.LowRankConv.from_conv(block[0], rank)
    kept[rank] = 100 * evaluate(cut_net, puzzle.test).accuracy
    print(
        f"rank {rank:>2}      {kept[rank]:5.1f} %   {analyze(cut_net, (1, 3, 16, 16)).macs:>8,} MACs"
    )
free = [rank for rank, value in kept.items() if value > before - 2]
if free:
    print(f"Rank {min(free)} of 72 still keeps within 2 points of the whole.")

# %% [markdown]
# A cut that is nearly free saves a part of the MACs, and a little further down the network breaks: the layers
# behind were trained for other inputs. A short training after the cut can win back some of the loss. Chapter 21 does
# that. (One network and one seed: take the ranks as an example.)

# %% [markdown]
# ## Meet the real thing
#
# PyTorch and torchvision have what you built. Do yours and theirs agree?

# %%
torchvision = import_torchvision()


def agreement(name: str, exercise: str, obj, test) -> None:
    """Compare with the library where the learner's object passes its check."""
    if not run_check(exercise, obj).passed:
        print(f"{name:<58} (yours does not pass yet)")
        return
    with torch.no_grad():
        print(f"{name:<58} {'equal' if test() else 'different'}")


def same_dense() -> bool:
    x, conv = torch.randn(2, 8, 9, 9), nn.Conv2d(8, 12, 3, groups=4, dilation=2)
    return torch.allclose(
        F.conv2d(x, dense_weight(conv.weight.detach(), 4, 2), conv.bias), conv(x), atol=1e-5
    )


def same_separable() -> bool:
    make = torchvision.ops.Conv2dNormActivation
    theirs = nn.Sequential(make(8, 8, 3, stride=2, groups=8), make(8, 16, 1)).eval()
    ours = DepthwiseSeparable(8, 16, stride=2).eval()
    names = {"0.0": "depthwise", "0.1": "norm1", "1.0": "pointwise", "1.1": "norm2"}
    state = {names[key[:3]] + key[3:]: value for key, value in theirs.state_dict().items()}
    ours.load_state_dict(state)
    x = torch.randn(2, 8, 15, 15)
    return torch.allclose(ours(x), theirs(x), atol=1e-5)


def same_deform() -> bool:
    x, offset, w = torch.randn(2, 4, 9, 9), torch.randn(2, 18, 5, 5), torch.randn(6, 4, 3, 3)
    theirs = torchvision.ops.deform_conv2d(x, offset, w, stride=2, padding=1)
    return torch.allclose(deform_conv(x, offset, w, 2, 1), theirs, atol=1e-4)


agreement("nn.Conv2d(groups=4, dilation=2)", "05.dense", dense_weight, same_dense)
agreement(
    "torchvision.ops.Conv2dNormActivation, twice",
    "05.separable",
    DepthwiseSeparable,
    same_separable,
)
agreement("torchvision.ops.deform_conv2d", "05.deform", deform_conv, same_deform)

# %% [markdown]
# ### Who uses what?
#
# Every convolution of eight published networks, sorted by kind, as a share of the network's MACs.

# %%
models = torchvision.models
with torch.device("meta"):  # shapes are enough, so no weights are made
    NETWORKS = {
        "VGG-16": (models.vgg16(), 224),
        "ResNeXt-50": (models.resnext50_32x4d(), 224),
        "Inception-v3": (models.inception_v3(init_weights=False), 299),
        "SqueezeNet 1.1": (models.squeezenet1_1(), 224),
        "MobileNetV2": (create_model("mobilenet_v2"), 224),
        "ShuffleNetV2": (models.shufflenet_v2_x1_0(), 224),
        "EfficientNet-B0": (models.efficientnet_b0(), 224),
        "DeepLabV3": (models.segmentation.deeplabv3_mobilenet_v3_large(weights_backbone=None), 224),
    }
KINDS = ("standard", "factorised", "pointwise", "grouped", "depthwise", "dilated", "the rest")


def kind_of(module: nn.Module | None) -> str:
    """The variant that a layer of a network is."""
    if not isinstance(module, nn.Conv2d):
        return "the rest"
    kh, kw = module.kernel_size
    if max(module.dilation) > 1:
        return "dilated"
    if module.groups == module.in_channels > 1:
        return "depthwise"
    if module.groups > 1:
        return "grouped"
    return "pointwise" if kh == kw == 1 else "standard" if kh == kw else "factorised"


print("share of the MACs, per cent\n")
print(f"{'':<16}" + "".join(f"{kind:>11}" for kind in KINDS))
for name, (net, side) in NETWORKS.items():
    parts, shares = dict(net.named_modules()), dict.fromkeys(KINDS, 0)
    for layer in analyze(net, (1, 3, side, side)).layers:
        shares[kind_of(parts.get(layer.name))] += layer.macs
    total = sum(shares.values())
    cells = (f"{100 * shares[k] / total:.1f}" if shares[k] else "–" for k in KINDS)
    print(f"{name:<16}" + "".join(f"{cell:>11}" for cell in cells))

# %% [markdown]
# Read it by columns. *Pointwise* is where MobileNetV2, ShuffleNetV2 and EfficientNet-B0 spend their MACs, as in the third
# guess. *Depthwise* is less than a tenth in them, and yet nearly the only part that looks around. (SqueezeNet, which is
# light too, is of another kind: it has no depthwise layer, and fewer, ordinary 3×3 kernels.) *Grouped* is ResNeXt's
# trade: the 3×3 layers became so cheap that they hardly count. *Factorised* lives in Inception. *Dilated* belongs to networks that
# label each pixel and may not shrink the map. (The two that are missing: transposed layers sit in decoders that make
# maps grow again, as in FCN; deformable ones were made for detectors.)
#
# ### MobileNet's claim, recomputed
#
# The MobileNet paper says: 3×3 separable layers need *8 to 9 times* less computation than standard ones. Here is its
# body (Table 1): input channels, output channels and side of the output map of each separable layer.

# %%
# in, out, side of the output map
ROWS = [
    (32, 64, 112), (64, 128, 56), (128, 128, 56), (128, 256, 28), (256, 256, 28), (256, 512, 14),
    *[(512, 512, 14)] * 5, (512, 1024, 7), (1024, 1024, 7),
]  # fmt: skip


def whole_network(weights_of) -> tuple[int, int]:
    """Parameters and MACs of the body with one kind of layer, and of what stands around it."""
    stem, head = 3 * 3 * 3 * 32, 1024 * 1000  # first convolution, classifier
    weights, macs = stem + head + 1000, stem * 112**2 + head
    norms = 32
    for c, n, side in ROWS:
        layers = weights_of(c, n)
        weights += sum(layers)
        macs += sum(layers) * side**2
        norms += n if len(layers) == 1 else c + n
    return weights + 2 * norms, macs  # a norm has two numbers for each channel


light = whole_network(lambda c, n: (9 * c, c * n))
plain = whole_network(lambda c, n: (9 * c * n,))
ratios = [9 * c * n / (9 * c + c * n) for c, n, _ in ROWS]
print(f"layer by layer {min(ratios):.2f} to {max(ratios):.2f} times fewer MACs; by the formula")
print(f"  {1 / (1 / 64 + 1 / 9):.2f} with 64 outputs, {1 / (1 / 1024 + 1 / 9):.2f} with 1,024\n")
print(f"{'whole network':<14}{'parameters':>14}{'MACs':>16}")
print(f"{'standard':<14}{plain[0]:>14,}{plain[1]:>16,}")
print(f"{'separable':<14}{light[0]:>14,}{light[1]:>16,}")
print(f"{'times fewer':<14}{plain[0] / light[0]:>14.2f}{plain[1] / light[1]:>16.2f}")

# %% [markdown]
# > **Myth or fact?** *MobileNet参数减少8~9倍, 运算量减小30倍: MobileNet has 8 to 9 times fewer parameters and 30 times
# > fewer operations.*
# >
# > Mixed up. 8 to 9 is the saving in *MACs*, of a separable layer and of the whole network: the paper's Table 4 prints
# > 4,866 and 569 million, a factor of 8.55. The parameters fall by 7 only, because the classifier at the end stays as it
# > was. The factor 30 has another source: beside *VGG-16*,
# > MobileNet needs 27 times fewer MACs and is 32 times smaller (Table 8 of the paper). That compares two designs, not
# > two kinds of layer.
#
# Does our block give the same? The whole network comes in chapter 09; here is one of its layers, through `analyze`.

# %%
block = DepthwiseSeparable(512, 512) if own else blocks.DepthwiseSeparableConv(512, 512)
analyze(block, (1, 512, 14, 14))

# %% [markdown]
# ## Explain
#
# Short answers in your own words. Two to four sentences each.
#
# **1.** A colleague replaces all 3×3 layers of a network by separable ones: 8.5 times fewer MACs, and only 3 times
# faster. “The profiler must be wrong.” What do you answer? Name a number from your own measurement.

# %% [markdown] nbgrader={"grade": true, "grade_id": "05-explain-1", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Nothing is wrong: MACs are not time. The depthwise half has a few per cent of the MACs of a separable layer, but it reads
# and writes whole maps and uses each number only 9 times, so moving the numbers takes the time. In my measurement depthwise
# had 1/128 of the MACs and took far more than 1/128 of the time (about a tenth on the author's machine).
#
# Rubric. 1 point: depthwise is memory-bound (few MACs per byte), or its per-layer overhead. 1 point: a number from the
# learner's own table in which MACs and time fall by different factors.
# ### END SOLUTION

# %% [markdown]
# **2.** A network is made of depthwise 3×3 layers only, with ReLU and batch norm, 200 of them. What can it never
# compute, however long it is trained? Which single layer, put where, would mend it?

# %% [markdown] nbgrader={"grade": true, "grade_id": "05-explain-2", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Written as a dense weight each layer is diagonal, and a product of diagonal steps is diagonal: channel i of the output
# depends on channel i of the input alone. It can never compare or combine two channels, such as red and blue at one place.
# One pointwise layer (or any layer that is not block diagonal) somewhere before the comparison is needed mends it; the
# classifier at the end only adds the votes of the channels.
#
# Rubric. 1 point: no output depends on two channels, with the reason (diagonal, or own group only). 1 point: a pointwise
# or standard layer between, and not only at the very end.
# ### END SOLUTION

# %% [markdown]
# **3.** Somebody stacks six 3×3 layers with dilation 4 each and reports “a receptive field of 49 pixels at no extra
# cost”. What is right about it, what is missing, and what would you change?

# %% [markdown] nbgrader={"grade": true, "grade_id": "05-explain-3", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# The width is right: 1 + 6 · 2 · 4 = 49, and dilation adds neither weights nor MACs. But all layers step by 4, so only
# every fourth row and column is ever read: 13 × 13 of 49 × 49 pixels, 7 per cent. Mix the dilations: one of them 1, and no
# step wider than what the smaller ones see together. 1, 2, 3, 5, 6, 7 has the same field of 49 and no holes.
#
# Rubric. 1 point: the field is 49 but with holes (gridding), with a count or a reason. 1 point: mixed dilations that begin
# with 1 and grow slowly enough (having no common factor is not sufficient: half a point), or ordinary layers between.
# ### END SOLUTION

# %% [markdown]
# ## Summary card
#
# Weights of a k×k layer from C to N channels; g groups, rank r.
#
# | variant | weights | leaves out | remember |
# | --- | --- | --- | --- |
# | standard | k²·C·N | nothing | |
# | depthwise | k²·C | all other channels | few MACs, many bytes: slow for its MACs |
# | pointwise | C·N | all neighbours | where networks of separable layers spend their MACs |
# | depthwise separable | k²·C + C·N | neighbours in other channels | 1/N + 1/k² of the cost; never below 1/k² |
# | grouped | k²·C·N / g | other groups | block diagonal; something must mix the groups |
# | dilated | k²·C·N | pixels in between | field d·(k − 1) + 1; the same dilation again and again leaves holes |
# | transposed | k²·C·N | | the transposed matrix; not an inverse |
# | deformable | k²·C·(N + 2k²) | | offsets by a second layer; reading between pixels is not free |
# | k×1, then 1×k | k·C·N + k·N² | what N shared products cannot add up to | 2/k of the cost when C = N |
# | low rank | k·r·(C + N) | the same with r: the small singular values | for trained layers |
#
# **One sentence.** A variant leaves links out (depthwise, pointwise, grouped, dilated), ties weights together (factorised,
# low rank) or leads the links elsewhere (transposed, deformable); the MACs count the links that are computed, and the
# clock counts the bytes as well.

# %%
progress()

# %% [markdown]
# ## Papers
#
# - L. Sifre. *Rigid-Motion Scattering for Image Classification.* PhD thesis, 2014: depthwise separable layers.
#   F. Chollet. *Xception.* arXiv 1610.02357. A. Howard and others. *MobileNets.* arXiv 1704.04861.
# - M. Lin and others. *Network In Network.* arXiv 1312.4400: pointwise layers.
# - A. Krizhevsky and others. *ImageNet Classification with Deep Convolutional Neural Networks.* NIPS 2012: groups.
#   X. Zhang and others. *ShuffleNet.* arXiv 1707.01083: pointwise groups.
# - F. Yu, V. Koltun. *Multi-Scale Context Aggregation by Dilated Convolutions.* arXiv 1511.07122. Gridding: P. Wang and
#   others. *Understanding Convolution for Semantic Segmentation.* arXiv 1702.08502.
# - V. Dumoulin, F. Visin. *A Guide to Convolution Arithmetic for Deep Learning.* arXiv 1603.07285: transposed layers.
# - J. Dai and others. *Deformable Convolutional Networks.* arXiv 1703.06211. X. Zhu and others. *Deformable ConvNets
#   v2.* arXiv 1811.11168.
# - C. Szegedy and others. *Rethinking the Inception Architecture.* arXiv 1512.00567: factorised kernels. M. Jaderberg and
#   others. *Speeding up Convolutional Neural Networks with Low Rank Expansions.* arXiv 1405.3866.
