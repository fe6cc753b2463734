# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   lightcourse: {chapter: "01", title: "The convolution", question: "Why not a fully connected layer?", minutes: 80, budget_seconds: 90, exercises: ["01.size", "01.count", "01.matrix", "01.conv2d", "01.gap"]}
# ---

# %% [markdown]
# # 01 · The convolution
#
# **Why not a fully connected layer?**
#
# About 80 minutes. You will write a convolution yourself, count what it saves, and measure when a network can use at
# one place what it has learned at another.

# %%
import math

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightcourse import analyze, check, create_model, hint, predict, reveal, solution, viz
from lightcourse._torchvision import import_torchvision
from lightcourse.checks import hidden_check, stand_in
from lightcourse.training.letters import KINDS, NAMES, letters, train_letters
from lightcourse.viz.scenes.photo import picture

torch.set_num_threads(1)  # the same numbers on every run
torch.manual_seed(0)
print("Ready. PyTorch", torch.__version__)

# %% [markdown]
# ## Question
#
# A doorbell has a camera and a chip for two euros. Somebody stands in front of it. Who?
#
# A picture of 224×224 pixels in red, green and blue is 150,528 numbers. The simplest layer takes them all: each
# output is a weighted sum of *every* input. That is a **fully connected layer (全连接层)**, in PyTorch `nn.Linear`.
# In symbols y = W·x + b: a table of weights W, and one more number for each output, the **bias (偏置)** b. Weights and
# biases together are the **parameters (参数)**: the numbers that training has to find and the chip has to store.
#
# Two ideas make it smaller. Here they are, for a row of 8 pixels and 6 outputs. Each line is one connection and carries
# a weight. On the right, lines of the same colour carry the *same* weight. (The code only draws; you need not read it.)

# %%
COLOURS = ("#0072b2", "#d55e00", "#009e73")
figure, axes = plt.subplots(1, 3, figsize=(11, 2.6))
for axis, title in zip(axes, ("full", "local", "shared"), strict=True):
    lines = 0
    for i in range(6):
        for j in range(8):
            tap = j - i
            if title != "full" and not 0 <= tap < 3:
                continue
            lines += 1
            grey = f"{0.25 + 0.5 * ((7 * i + 3 * j) % 11) / 11:.2f}"
            colour = COLOURS[tap] if title == "shared" else grey
            wide = 0.8 if title == "full" else 2
            axis.plot([j - 3.5, i - 2.5], [0, 1], color=colour, lw=wide, zorder=1)
    axis.scatter([j - 3.5 for j in range(8)], [0] * 8, s=90, color="#333333", zorder=2)
    axis.scatter([i - 2.5 for i in range(6)], [1] * 6, s=90, color="#333333", zorder=2)
    weights = 3 if title == "shared" else lines
    axis.set_title(f"{title}: {lines} lines, {weights} different weights")
    axis.set_xlim(-4.2, 4.2)
    axis.axis("off")
axes[0].text(-4.1, -0.28, "pixels below, outputs above")
figure.tight_layout()
plt.show()

inputs, outputs = 3 * 224 * 224, 100
numbers = outputs * (inputs + 1)
print(f"full, {inputs:,} inputs, {outputs} outputs: {numbers:,} numbers to store", end="")
print(f", {4 * numbers / 1e6:.0f} MB at 4 bytes each")

# %% [markdown]
# A hundred outputs are not many, and a chip for two euros has half a megabyte, not sixty. So:
#
# * **Local (局部连接).** An output looks at a small window only. Neighbours belong together; a pixel in the other
#   corner says little.
# * **Shared (权值共享).** All windows use the same weights. An edge is an edge, wherever it is.
#
# Local and shared together are the **convolution (卷积)**: one small table of weights, the **kernel (卷积核)**, slides
# over the picture. What comes out is a kind of picture again, a **feature map (特征图)**, or map for short. This chapter
# asks what each of the two ideas saves, and what sharing *means*.

# %% [markdown]
# ## Predict
#
# Three guesses, before you see any result. Nobody grades them. Put your answer in place of the dots.
#
# **First.** The first layer of VGG-16 turns a picture of 3×224×224 numbers into 64 maps of 224×224. As a
# convolution it has 1,792 parameters. **How many parameters would a fully connected layer need here, about?**
#
# `"2 thousand"`, `"5 million"`, `"500 million"` or `"500 billion"`.

# %%
predict("01.p1", ...)

# %% [markdown]
# **Second.** A convolution with **stride (步幅)** 2 places its window on every second pixel only. You move the picture
# **one** pixel to the right. **What does the output map do?**
#
# `"it moves by 2"`, `"it moves by 1"`, `"it stays as it is"` or `"it becomes another map"`.

# %%
predict("01.p2", ...)

# %% [markdown]
# **Third.** A fully connected net learns to read four letters. While it learns, the letters stand on the left half
# of the picture only, and the rest is black. Now a letter stands on the right. **How well does the net read it?**
#
# `"as good as on the left"`, `"worse, but useful"` or `"no better than guessing"`.

# %%
predict("01.p3", ...)

# %% [markdown]
# ## Play
#
# A kernel slides over a photograph. The pixels have whole numbers from 0 to 9, so that you can check every sum in
# your head. Step through the four stages, then drag: on the photograph, or on the output.

# %%
viz.sliding_kernel()

# %% [markdown]
# Try this:
#
# 1. Go to **add** and drag the window from her cheek to the right: over the side of her cap, to the wall behind her.
#    Where is the sum near 0? Where is it far from 0? Now you know what this kernel finds. (It also answers at the right
#    border of the picture, where the zeros begin. Remember that.)
# 2. Go to **everywhere** and change the kernel: *horizontal*, *outline*, *blur*, *sharpen*. The same nine weights are used at
#    every place.
# 3. **Padding (填充)** 0, then 1, then 2: zeros around the picture. Watch the size of the output.
# 4. **Stride** 2: only every second place. How many outputs are left?
# 5. **Dilation (空洞率, 膨胀率)** 2: the nine places of the kernel, its **taps**, stand two pixels apart. The window reaches
#    further, with the same nine weights.
# 6. Padding *same* keeps the size. Combine it with stride 2: not possible. Why not?

# %% [markdown]
# ## Build
#
# ### Exercise 01.size: how large is the output?
#
# difficulty 2 of 5 · importance 5 of 5 · 8 minutes
#
# You just watched the size change; the line under the output had the rule in numbers. Where does each number come from?
# Write the rule for any numbers, for one axis. The other axis goes the same way.
#
# ```text
# row of 8 pixels, window 3, stride 2
#
# 0 1 2 3 4 5 6 7
# [---]                 first place
#     [---]             second
#         [---]         third; a fourth would end at pixel 8, which is not there
# ```
#
# Three questions. How long is the row, with the padding on both sides? How many pixels does the window span? How far
# can it then go, in steps of `stride`?
#
# A kernel of 3 with dilation 2 has its taps at 0, 2 and 4: it spans 5 pixels.
#
# Instead of a number, `padding` may be the word `"same"`. Then the output is as long as the input (PyTorch allows
# this with stride 1 only).


# %% nbgrader={"grade": false, "grade_id": "01-size", "locked": false, "schema_version": 3, "solution": true, "task": false}
def output_size(
    size: int, kernel: int, stride: int = 1, padding: int | str = 0, dilation: int = 1
) -> int:
    """Count the places that a window has along one axis.

    size: pixels of the input.  kernel: taps of the window.  All numbers are ints.
    padding: zeros on *each* side, or "same" (then stride is 1).
    The window always fits at least once.

    output_size(8, 3, stride=2) is 3, and output_size(5, 3, padding=1) is 5
    """
    ### BEGIN SOLUTION
    if padding == "same":
        return size
    span = dilation * (kernel - 1) + 1
    way = size + 2 * padding - span  # how far the window can be pushed
    return way // stride + 1  # a place to begin with, and one more for each whole step
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "01-size-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("01.size", output_size)
### BEGIN HIDDEN TESTS
hidden_check("01.size", output_size, seed=7)
### END HIDDEN TESTS

# %%
hint("01.size")

# %% [markdown]
# > **Myth or fact?** *The output has* ⌊(n + 2p − k) / s⌋ + 1 *places (卷积输出公式).* So say many textbooks and blog posts.
# >
# > ⌊ ⌋ means: round down. n is the size, p the padding, k the kernel, s the stride. Try it on four layers.

# %%
print("  n  k  s  p  d   textbook   PyTorch")
for n, k, s, p, d in ((32, 3, 1, 1, 1), (32, 3, 2, 1, 1), (32, 3, 1, 2, 2), (33, 3, 2, 4, 4)):
    said = math.floor((n + 2 * p - k) / s) + 1
    true = F.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, k), None, s, p, d).shape[-1]
    print(
        f"{n:>3} {k:>2} {s:>2} {p:>2} {d:>2} {said:>10} {true:>9}" + ("   wrong" * (said != true))
    )

# %% [markdown]
# Half a myth: it is right as long as the dilation is 1. It takes the number of taps for the span of the window. Your
# function knows better.

# %% [markdown]
# ### Exercise 01.count: full, local, shared
#
# difficulty 2 of 5 · importance 5 of 5 · 8 minutes
#
# Now count what the two ideas save. A layer makes a map from a map. Here a picture of 4×4 becomes a map of 2×2 with a
# window of 3×3:
#
# ```text
# picture 1×4×4         map 1×2×2
#
# · · · ·               a b           a looks at  # # # ·     b looks at  · # # #
# · · · ·               c d                       # # # ·                 · # # #
# · · · ·                                         # # # ·                 · # # #
# · · · ·                                         · · · ·                 · · · ·
# ```
#
# * **full**: every output is connected with every input: 4 · 16 lines. And each output has a bias; count it as one
#   more line. 4 · (16 + 1) = 68.
# * **local**: every output is connected with its window: 4 · (9 + 1) = 40. No two outputs share a weight.
# * **shared**: all places use the same window of weights and the same bias: 9 + 1 = 10 numbers to learn.
#
# Maps have **channels (通道)**, too: 3 for a colour picture. A window goes through *all* input channels. And each output
# channel has a window of weights and a bias of its own.


# %% nbgrader={"grade": false, "grade_id": "01-count", "locked": false, "schema_version": 3, "solution": true, "task": false}
def three_counts(
    shape_in: tuple[int, int, int], shape_out: tuple[int, int, int], kernel: tuple[int, int]
) -> tuple[int, int, int]:
    """Count the lines of a full and of a local layer, and the numbers to learn of a shared one.

    shape_in: (C, H, W) of the input.  shape_out: (C', H', W') of the output.
    kernel: (height, width) of the window.
    Returns (full, local, shared) as ints, the biases included. Taps on the padding count as well,
    so you need neither stride nor padding here.

    three_counts((1, 4, 4), (1, 2, 2), (3, 3)) is (68, 40, 10)
    """
    ### BEGIN SOLUTION
    inputs = shape_in[0] * shape_in[1] * shape_in[2]
    outputs = shape_out[0] * shape_out[1] * shape_out[2]
    window = shape_in[0] * kernel[0] * kernel[1]
    full = outputs * (inputs + 1)
    local = outputs * (window + 1)
    shared = shape_out[0] * (window + 1)
    return full, local, shared
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "01-count-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("01.count", three_counts)
### BEGIN HIDDEN TESTS
hidden_check("01.count", three_counts, seed=7)
### END HIDDEN TESTS

# %%
hint("01.count")

# %% [markdown]
# Now your first guess. Your function counts, if it is right by now; else the course's does.

# %%
counts_of = stand_in("01.count", three_counts)
full, local, shared = counts_of((3, 224, 224), (64, 224, 224), (3, 3))  # VGG-16's first layer
print(f"full   {full:>19,}")
print(f"local  {local:>19,}   {full / local:,.0f} times fewer")
print(f"shared {shared:>19,}   {local / shared:,.0f} times fewer again")
reveal("01.p1")

# %% [markdown]
# Local saves *lines*, so it saves work: a line is one multiplication. Shared saves *numbers to store*; the lines stay,
# and so does the work. Keep the two apart. Chapter 04 is about nothing else.

# %% [markdown]
# ### Exercise 01.matrix: a convolution is a matrix
#
# difficulty 3 of 5 · importance 3 of 5 · 10 minutes
#
# A fully connected layer is a matrix times the pixels. So is a convolution; it is only a very special matrix. Take a
# row of 5 pixels and the kernel 1 2 3:
#
# ```text
# output 0  =  1 2 3 0 0     ×  pixel 0
# output 1     0 1 2 3 0        pixel 1
# output 2     0 0 1 2 3        pixel 2
#                               pixel 3
#                               pixel 4
# ```
#
# Zeros are lines that are not there: that is *local*, also called **sparse connectivity (稀疏连接)**. The same three numbers in every row: that is *shared*. With
# padding 1 the first window hangs over the left edge. Its first tap meets a zero and adds nothing, so the row is
# 2 3 0 0 0, and the matrix still has 5 columns.
#
# Write the kernel as it is, from left to right. (In signal processing a convolution turns the kernel round first;
# what neural networks do is called **cross-correlation (互相关)** there. The weights are learned, so it does not
# matter which way round they are stored.)


# %% nbgrader={"grade": false, "grade_id": "01-matrix", "locked": false, "schema_version": 3, "solution": true, "task": false}
def as_matrix(kernel: Tensor, size: int, stride: int = 1, padding: int = 0) -> Tensor:
    """Write the convolution of one row of pixels as a matrix.

    kernel: (K,) weights.  size: pixels of the row.  padding: zeros on each side.
    Returns (outputs, size), of the dtype of kernel, so that as_matrix(...) @ row is the convolution.

    as_matrix(torch.tensor([1., 2., 3.]), 5) has the rows 1 2 3 0 0, 0 1 2 3 0 and 0 0 1 2 3
    """
    ### BEGIN SOLUTION
    outputs = (size + 2 * padding - len(kernel)) // stride + 1
    matrix = torch.zeros(outputs, size, dtype=kernel.dtype)
    for i in range(outputs):
        for tap, weight in enumerate(kernel):
            column = i * stride - padding + tap
            if 0 <= column < size:  # else the tap meets a zero of the padding
                matrix[i, column] = weight
    return matrix
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "01-matrix-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("01.matrix", as_matrix)
### BEGIN HIDDEN TESTS
hidden_check("01.matrix", as_matrix, seed=7)
### END HIDDEN TESTS

# %%
hint("01.matrix")

# %% [markdown]
# Here are three layers on a row of 24 pixels as matrices, one colour for each value; white is 0.

# %%
matrix_of = stand_in("01.matrix", as_matrix)
kernel = torch.tensor([1.0, -2.0, 1.5, 0.5, -1.0])
shown = {
    "fully connected": torch.randn(24, 24),
    "convolution, padding 2": matrix_of(kernel, 24, padding=2),
    "stride 2": matrix_of(kernel, 24, stride=2, padding=2),
}
figure, axes = plt.subplots(1, 3, figsize=(10, 3.6))
for axis, (name, matrix) in zip(axes, shown.items(), strict=True):
    axis.imshow(matrix, cmap="RdBu", vmin=-2.5, vmax=2.5)
    lines, numbers = int(matrix.count_nonzero()), len(matrix[matrix != 0].unique())
    axis.set_title(f"{name}\n{lines} lines, {numbers} different weights", fontsize=10)
    axis.set(xlabel="pixel", ylabel="output")
figure.tight_layout()
plt.show()

# %% [markdown]
# In the middle picture the same number stands all along each diagonal. That is called a **Toeplitz matrix (托普利茨矩阵)**. On the
# right the stride takes every second row of such a matrix. It is not Toeplitz any more, but still local and shared.
#
# All three are matrices. So a convolution can do nothing that a fully connected layer could not do. It can do
# *less*. That is its strength: it need not learn what is built in.

# %% [markdown]
# ### Exercise 01.conv2d: the layer itself
#
# difficulty 4 of 5 · importance 5 of 5 · 20 minutes
#
# Now for pictures, a whole batch of them: `F.conv2d`, the **standard convolution (标准卷积)**, from nothing. (Chapter 05
# has its variants.) A picture of 1 … 9 under a window of 2×2:
#
# ```text
# 1 2 3       weights       37 47         1·1 + 2·2 + 4·3 + 5·4 = 37
# 4 5 6        1 2          67 77
# 7 8 9        3 4
# ```
#
# With several input channels each has a table of weights of its own, and everything is added up. Each output channel
# has its own set.
#
# One thing is not allowed: to call torch's own convolution (`F.conv2d`, `nn.Conv2d` and their relatives). Any other
# way counts. Two that work:
#
# * Loops over the places of the output. Easy to get right.
# * `F.unfold`. It cuts out every window and stands it up as a column. Then one matrix product does it all. This is how
#   many libraries do it; they call it **im2col**.
#
# `torch.einsum` is handy for sums over several axes: `torch.einsum("nk,ok->no", x, w)` multiplies along k and adds up.


# %% nbgrader={"grade": false, "grade_id": "01-conv2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d(
    x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Tensor:
    """Convolve a batch of pictures, without bias.

    x: (N, C, H, W).  weight: (C', C, kernel height, kernel width), which may differ.
    stride, padding, dilation: one int each, for both axes; the padding is zeros on all four sides.
    Returns (N, C', H', W') of the dtype of x; a gradient must come back to x and weight.
    """
    ### BEGIN SOLUTION
    out_channels, _, high, wide = weight.shape
    rows = output_size(x.shape[2], high, stride, padding, dilation)
    columns = F.unfold(x, (high, wide), dilation, padding, stride)  # (N, C·kh·kw, places)
    y = torch.einsum("nkp,ok->nop", columns, weight.flatten(1))
    return y.unflatten(2, (rows, -1)).reshape(len(x), out_channels, rows, -1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "01-conv2d-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("01.conv2d", conv2d)
### BEGIN HIDDEN TESTS
hidden_check("01.conv2d", conv2d, seed=7)
### END HIDDEN TESTS

# %%
hint("01.conv2d")

# %% [markdown]
# What does a kernel find? Change the nine numbers, run the cell, and drag. A kernel whose weights add up to 0 is silent
# where the picture does not change. (`viz.sliding_kernel` also takes a layer, `kernel=nn.Conv2d(1, 4, 3)`, and a small
# picture of your own, `image=…`, an array of 3 to 28 pixels a side.)

# %%
mine = [[-1, -1, 0], [-1, 0, 1], [0, 1, 1]]
layer = stand_in("01.conv2d", conv2d)  # yours if it is right, else F.conv2d
photo = torch.tensor(picture(160)).double().mean(2)[None, None] / 255
answer = layer(photo, torch.tensor(mine).double()[None, None])[0, 0]
print("by", "your conv2d:" if layer is conv2d else "PyTorch:", tuple(answer.shape), "values from",
      f"{answer.min():.1f} to {answer.max():.1f}")  # fmt: skip
figure, axes = plt.subplots(1, 2, figsize=(7, 3.5))
for axis, image, title in ((axes[0], photo[0, 0], "picture"), (axes[1], answer, "output")):
    axis.imshow(image, cmap="gray")
    axis.set_title(title)
    axis.axis("off")
figure.tight_layout()
plt.show()
viz.sliding_kernel(kernel=mine).at(step=3)

# %% [markdown]
# ### Exercise 01.gap: shift first, or convolve first?
#
# difficulty 2 of 5 · importance 4 of 5 · 8 minutes
#
# What does sharing *mean*? If all places use the same weights, the answer should move along with the picture. That
# has a name: the layer is **translation equivariant (平移等变)**. Do not mix it up with **translation invariant
# (平移不变)**: there the answer stays as it is. "The cat is *there*" is equivariant. "There is a cat" is invariant.
#
# A claim like this can be tested. Go two ways, and compare:
#
# ```text
# picture ── shift by 1 ──► picture ── layer ──► map  ┐
#                                                     ├─ the same?
# picture ── layer ──► map ── shift by 1 ──► map      ┘
# ```
#
# The answer may depend on the place: in the middle it may be yes and at the border no. So give one number for each
# column of the map.
#
# Shifting works with `torch.roll(x, 1, dims=3)`: each column goes one place to the right, and the last one comes back on
# the left. After stride 2 the map has half the columns, so a shift of 2 pixels should move it by 1. That is why there
# are two numbers: `shift` for the picture, `moved` for the map. Both are ints; negative means to the left.


# %% nbgrader={"grade": false, "grade_id": "01-gap", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gap(layer, x: Tensor, shift: int, moved: int) -> Tensor:
    """Measure how far "shift, then layer" and "layer, then shift" are apart, column by column.

    layer: maps (N, C, H, W) to (N, C', H', W').  x: (N, C, H, W).
    shift, moved: columns to the right, for the picture and for the map; what falls off comes back.
    Returns (W',): in each column the largest absolute difference over pictures, channels and rows.
    """
    ### BEGIN SOLUTION
    one = layer(torch.roll(x, shift, dims=3))
    other = torch.roll(layer(x), moved, dims=3)
    return (one - other).abs().amax((0, 1, 2))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "01-gap-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("01.gap", gap)
### BEGIN HIDDEN TESTS
hidden_check("01.gap", gap, seed=7)
### END HIDDEN TESTS

# %%
hint("01.gap")

# %% [markdown]
# ## Measure
#
# Two claims are on trial.
#
# ### Does the output move along?
#
# The first claim: **shift the picture, and the output of a convolution shifts along; a fully
# connected layer does not.** Nine trials, one picture of 24×24 random numbers, random weights.
#
# Two of the layers are new. **Max pooling (最大池化)** 2×2 takes the largest of 2×2 pixels, **average pooling (平均池化)**
# their mean. Neither has weights, and both have stride 2: windows side by side.


# %%
class Full(nn.Module):
    """A fully connected layer from a picture to a map of the same size."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(24 * 24, 24 * 24, bias=False)

    def forward(self, x):
        return self.linear(x.flatten(1)).view_as(x)


torch.manual_seed(0)
x = torch.randn(1, 1, 24, 24).double()
wrap, rim = nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"), nn.Conv2d(1, 1, 3, padding=1)
half = nn.Conv2d(1, 1, 3, stride=2, padding=1)
TRIALS = (
    ("convolution, picture wraps around", wrap, 1, 1),
    ("convolution, padding with zeros", rim, 1, 1),
    ("convolution, stride 2", half, 2, 1),
    ("convolution, stride 2", half, 1, 1),
    ("max pooling 2×2", nn.MaxPool2d(2), 2, 1),
    ("max pooling 2×2", nn.MaxPool2d(2), 1, 1),
    ("average pooling 2×2", nn.AvgPool2d(2), 2, 1),
    ("average pooling 2×2", nn.AvgPool2d(2), 1, 1),
    ("fully connected", Full(), 1, 1),
)
measure = stand_in("01.gap", gap)
print("Measured by", "your gap()." if measure is gap else "the course's own function.")
print("A gap of 1 is the standard deviation of the layer's output.")
print(f"\n{'layer':<35}{'shift':>6}{'columns with a gap':>20}{'mean gap':>10}   verdict")
gaps = []
for name, trial, shift, moved in TRIALS:
    with torch.no_grad():
        trial = trial.double()
        found = measure(trial, x, shift, moved) / trial(x).std()
    off = (found > 1e-9).nonzero().flatten().tolist()
    inner = [column for column in off if 2 <= column < len(found) - 2]
    verdict = "moves along" if not off else "moves along, but not at the border"
    verdict = "does not move along" if inner else verdict
    gaps.append((f"{name}, shift {shift}", found))
    count = f"{len(off)} of {len(found)}"
    print(f"{name:<35}{shift:>6}{count:>20}{found.mean():>10.2f}   {verdict}")

# %%
figure, axes = plt.subplots(len(gaps), 1, figsize=(9, 5.6), sharex=True)
for axis, (name, found) in zip(axes, gaps, strict=True):
    step = 24 // len(found)
    axis.bar([step * c + (step - 1) / 2 for c in range(len(found))], found, 0.9 * step)
    axis.set_ylim(0, 6)
    axis.set_yticks([0, 5])
    axis.tick_params(axis="y", labelsize=7)
    axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
axes[0].set_title("the gap in each column, in standard deviations of the layer's output")
axes[-1].set_xlabel("column of the picture")
figure.tight_layout()
plt.show()

# %%
reveal("01.p2")

# %% [markdown]
# So the claim holds with three conditions.
#
# * **In the middle, exactly.** With nothing but rounding between the two ways, the gap is 0.
# * **At the border, not.** There the window meets zeros instead of the pixels that have left. A network can even read
#   off from the padding where the border is.
# * **After a stride, only for multiples of it.** One pixel is half a place, and there is no half place. A network with
#   five strides of 2 keeps its promise for multiples of 32 pixels only. And pooling is a stride like any other, whether
#   it takes the maximum or the mean: by two pixels it moves along, by one pixel every column has a gap.
#
# (You may have read that max pooling makes a network insensitive to small shifts. Compare the mean gaps at shift 1:
# they are of one order. This is one picture of noise, so do not rank the three by it.)
#
# The fully connected layer has no reason to move along, and does not.

# %% [markdown]
# > **Myth or fact?** *CNN 具有平移、镜像、缩放不变性: CNNs are invariant to translation, mirroring and scaling.*
# >
# > Decide first, for each of the three. The cell takes a small network that ends with the largest value of each map,
# > wherever it stands. It shows it a photograph and the same photograph changed, and prints how much the answer
# > changes, as a share of the answer. The picture wraps around at its edges, so no border disturbs. (For the same reason
# > the small face stands there four times: one alone would leave an empty rest.) Ten networks with random weights;
# > **ReLU**, between the layers, sets negative numbers to 0.


# %%
def network(stride: int) -> nn.Sequential:
    """Three convolutions with ReLU, then the largest value of each map."""
    layers = []
    for i, o in ((1, 8), (8, 16), (16, 16)):
        conv = nn.Conv2d(i, o, 3, stride, 1, bias=False, padding_mode="circular")
        layers += [conv, nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten()).double()


face = torch.tensor(picture(64)).double().mean(2)[None, None] / 255
face = face - face.mean()
smaller = F.interpolate(face, scale_factor=0.5, mode="area").repeat(1, 1, 2, 2)
CHANGES = {
    "8 pixels to the right": face.roll(8, 3),
    "1 pixel to the right": face.roll(1, 3),
    "mirrored": face.flip(3),
    "four copies, half as large": smaller,
}
print(f"{'change of the answer':<28}" + "".join(f"{f'strides of {s}':>16}" for s in (1, 2)))
for name, changed in CHANGES.items():
    cells = []
    for stride in (1, 2):
        shares = []
        for seed in range(10):
            torch.manual_seed(seed)
            with torch.no_grad():
                before, after = network(stride)(torch.cat([face, changed]))
            shares.append(float((after - before).norm() / before.norm()))
        mean = sum(shares) / len(shares)
        cells.append("exactly 0" if max(shares) < 1e-12 else f"{mean:.0%}")
    print(f"{name:<28}" + "".join(f"{cell:>16}" for cell in cells))

# %% [markdown]
# A myth, as it stands. The *layers* are equivariant. Only the step at the end, which forgets the places, makes the
# *answer* invariant, and only to shifts by multiples of all the strides together (here 2 · 2 · 2 = 8). With strides of
# 2, one pixel to the right changes the answer about as much as a mirror does. Zhang (2019) shows a repair: blur a
# little before each stride.
#
# Nothing in a convolution knows about mirrors and sizes. Networks learn these from mirrored and scaled pictures, in
# the training: chapter 20.

# %% [markdown]
# ### Does it use at one place what it has learned at another?
#
# The second claim, as one often reads it: **thanks to weight sharing, what a convolution learns at one place, it knows
# everywhere. A fully connected layer has to see every place.** Two claims in one, in fact. Let us see which of them
# holds.
#
# **Data card.** 16×16 pixels, black; one letter of 5×5 out of T, L, X, O, of random brightness. Guessing gives 25 %.
# *left*: the letter lies in columns 0 to 7; *right*: in columns 8 to 15; *all*: anywhere. 2,000 pictures to learn from,
# 1,000 others for each test. Made by `lightcourse.training.letters`.

# %%
figure, axes = plt.subplots(1, 8, figsize=(11, 1.7))
for place, row in (("left", axes[:4]), ("right", axes[4:])):
    images, classes = letters(40, place, seed=5)
    for label, axis in enumerate(row):
        axis.imshow(images[classes == label][0, 0], cmap="gray", vmin=0, vmax=1.4)
        axis.set_title(f"{place}: {NAMES[label]}", fontsize=9)
        axis.axis("off")
plt.show()

# %% [markdown]
# Four networks, each of two layers with a ReLU between them. The numbers between the two layers are called **hidden
# units (隐藏单元)**.
#
# * **full, small**: fully connected to 5 hidden units, fully connected to the 4 letters.
# * **full, large**: the same with 64 hidden units.
# * **conv, place kept**: a 5×5 convolution to 8 maps of 16×16. A fully connected layer reads all 8 · 256 numbers of
#   them. So it knows *where* on the map each number stands.
# * **conv, place dropped**: a 5×5 convolution to 40 maps. Of each map only the **largest value** goes on, wherever it
#   stands (**global max pooling, 全局最大池化**). A fully connected layer reads these 40 numbers.
#
# The first layer of both convolutional networks shares its weights. They differ in what comes after it.
#
# One more guess before you look. All four learn from letters on the *left*. **How well does "conv, place kept" read
# letters on the right?** The choices are `"as good as on the left"`, `"worse, but useful"` and
# `"no better than guessing"`.

# %%
predict("01.p4", ...)

# %% [markdown]
# The full networks and "conv, place kept" learn a second time, from letters at *all* places, to be fair: perhaps they
# simply cannot read? Five seeds, since one can mislead.

# %%
NETS = {
    "full, small": ("full", 5),
    "full, large": ("full", 64),
    "conv, place kept": ("place", 8),
    "conv, place dropped": ("conv", 40),
}
SEEDS = range(5)
scores = {}


def learn(name: str, place: str) -> None:
    """Train one kind of network with all seeds, and print what it reaches on both halves."""
    runs = [train_letters(*NETS[name], place, seed) for seed in SEEDS]
    scores[name, place] = runs
    cells = "".join(f"{left:>8.0%} / {right:.0%}" for left, right in runs)
    print(f"{name:<19} learns {place:<5}{cells}", flush=True)


print("accuracy on the left / on the right, one column for each seed\n")
for name in ("full, small", "full, large"):
    learn(name, "left")
    learn(name, "all")

# %%
learn("conv, place kept", "left")
learn("conv, place kept", "all")

# %%
learn("conv, place dropped", "left")


# %%
def mean_and_deviation(values: list[float]) -> tuple[float, float]:
    """Mean and sample standard deviation."""
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))


def parameters(kind: str, width: int) -> int:
    return sum(p.numel() for p in KINDS[kind](width).parameters())


print(f"{'network':<20}{'parameters':>11}   {'learned':<9}{'left':>16}{'right':>18}")
table = {}
for (name, place), runs in scores.items():
    table[name, place] = [mean_and_deviation(list(side)) for side in zip(*runs, strict=True)]
    cells = [f"{100 * mean:.1f} ± {100 * sd:.1f} %" for mean, sd in table[name, place]]
    print(f"{name:<20}{parameters(*NETS[name]):>11,}   {place:<9}{cells[0]:>16}{cells[1]:>18}")

print()
GUESS = 1 / len(NAMES)
for (name, place), (left, right) in table.items():
    if place != "left":
        continue
    error = max(right[1], 0.01) / math.sqrt(len(SEEDS))
    if abs(right[0] - GUESS) < 4 * error:
        verdict = "no better than guessing"
    elif left[0] - right[0] < 0.02:
        verdict = "as good as on the left"
    else:
        verdict = "between guessing and the left half"
    print(f"{name}, learned on the left, tested on the right: {verdict}.")
reveal("01.p3")

# %%
reveal("01.p4")

# %%
figure, axis = plt.subplots(figsize=(10.5, 3))
bars = list(table)
for side, (label, colour) in enumerate((("left", "#0072b2"), ("right", "#e69f00"))):
    means = [100 * table[key][side][0] for key in bars]
    errors = [100 * table[key][side][1] for key in bars]
    places = [i + 0.38 * side for i in range(len(bars))]
    axis.bar(places, means, 0.36, yerr=errors, capsize=3, label=f"tested {label}", color=colour)
axis.axhline(100 * GUESS, color="#777777", linestyle="--", linewidth=1)
labels = ["\n".join([*name.split(", "), f"learned: {place}"]) for name, place in bars]
axis.set_xticks([i + 0.19 for i in range(len(bars))], labels, fontsize=9)
axis.set_ylabel("accuracy, %")
axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
figure.tight_layout()
plt.show()

# %% [markdown]
# Read it with four questions.
#
# * **Is the fully connected net too small?** No. The large one has 13 times the parameters of the small one. It reads
#   the left half better, and the right half just as badly.
# * **Can it not read at all?** It can. Shown letters at all places, the large one reads nearly all of them, on both
#   sides. (The small one does worse than on the left alone: it must now do more with five hidden units.)
# * **Why exactly guessing?** While it learned, the right half was black. A weight whose input is 0 gets no gradient. So
#   those weights are as random as on the first day.
# * **Does sharing cure it?** Not alone! "Conv, place kept" shares its kernels, and on the right it guesses, too. Its
#   kernels do find the strokes there: the map moves along, as you measured. But the layer that *reads* the map has
#   weights of its own for each place of the map, and the right half of the map was always the same while it learned. Only
#   "conv, place dropped" reads what it has never seen there.
#
# So the claim needs two parts. **Sharing** makes the map move along with the letter. **Forgetting the place** (a maximum
# or a mean over the whole map) makes the answer the same wherever the letter stands. What it has learned at one place,
# the *convolution* can find everywhere; whether the *network* can use it is decided by what comes after it.
#
# **What this experiment does not show.** The task was made for it: letters of one size, on black, and place does not
# matter. Where place *does* matter (a passport photo always has the eyes above the mouth), dropping the place throws
# something away. Natural pictures are neither as clean nor as small.

# %% [markdown]
# ## Meet the real thing
#
# The first layers of four networks. `full` is what a fully connected layer with the same in- and outputs would need.

# %%
models = import_torchvision().models
FIRST = {
    "LeNet-5 (1998)": (nn.Conv2d(1, 6, 5), (1, 32, 32)),
    "AlexNet (2012)": (nn.Conv2d(3, 96, 11, stride=4), (3, 227, 227)),
    "VGG-16 (2014)": (nn.Conv2d(3, 64, 3, padding=1), (3, 224, 224)),
    "MobileNetV2 (2018)": (nn.Conv2d(3, 32, 3, stride=2, padding=1, bias=False), (3, 224, 224)),
}
print(f"{'first layer of':<20}{'in':>13}{'out':>13}{'shared':>8}{'local':>13}{'full':>18}")
for name, (conv, shape_in) in FIRST.items():
    shape_out = tuple(conv.to("meta")(torch.empty(1, *shape_in, device="meta")).shape[1:])
    full, local, shared = counts_of(shape_in, shape_out, conv.kernel_size)
    if conv.bias is None:  # a batch norm (批归一化, chapter 06) follows, and it adds a bias itself
        places = math.prod(shape_out)
        full, local, shared = full - places, local - places, shared - shape_out[0]
    sizes = "".join(f"{'×'.join(map(str, shape)):>13}" for shape in (shape_in, shape_out))
    print(f"{name:<20}{sizes}{shared:>8,}{local:>13,}{full:>18,}")

# %% [markdown]
# LeNet's paper counts as you did: "156 trainable parameters, and 122,304 connections". (AlexNet's paper says that pictures are
# 224×224 and that 55×55 places come out. Without padding that takes 227×227; with 224×224 it takes padding 2, of which
# the paper says nothing. torchvision's AlexNet, which comes below, is a later version with 64 kernels in this layer.)
#
# All of LeNet-5, layer by layer, after the paper. Its C3 is not fully connected *between channels*: 6 of its maps read 3
# of the 6 channels, 9 read 4, one reads all 6.

# %%
c3 = 6 * (3 * 25 + 1) + 9 * (4 * 25 + 1) + (6 * 25 + 1)  # 6 maps read 3 maps, 9 read 4, 1 reads 6
c5, f6 = 120 * (16 * 25 + 1), 84 * (120 + 1)  # one place only
LENET = (
    # layer, parameters, connections
    ("C1", 6 * (25 + 1), 6 * (25 + 1) * 28 * 28),
    ("S2", 6 * 2, 6 * (4 + 1) * 14 * 14),
    ("C3", c3, c3 * 10 * 10),
    ("S4", 16 * 2, 16 * (4 + 1) * 5 * 5),
    ("C5", c5, c5),
    ("F6", f6, f6),
)
for name, learned, lines in LENET:
    print(f"{name}{learned:>9,} parameters{lines:>10,} connections")
learned, lines = (sum(column) for column in zip(*(row[1:] for row in LENET), strict=True))
print(f"in all {learned:,} parameters; {lines + 84 * 10:,} connections with the 840 of the output")

# %% [markdown]
# Look at C5: as many connections as parameters. It is a convolution with a window of 5×5 on a map of 5×5. The window has
# one place only, so there is nothing to share. **A fully connected layer is a convolution whose window covers
# everything.** Check it:

# %%
maps = torch.randn(2, 16, 5, 5).double()
linear = nn.Linear(16 * 5 * 5, 120, bias=False).double()
weight = linear.weight.view(120, 16, 5, 5)
with torch.no_grad():
    one = linear(maps.flatten(1))
    other = layer(maps, weight).flatten(1)
print("by", "your conv2d" if layer is conv2d else "PyTorch", "and by nn.Linear: ", end="")
print("equal" if torch.allclose(one, other) else "different")

# %% [markdown]
# Where are the parameters of a whole network, and where is the work? One **MAC (乘加)** is one multiplication with its
# addition, one line.

# %%
with torch.device("meta"):  # shapes are enough, so no weights are made
    zoo = {
        "AlexNet": models.alexnet(),
        "VGG-16": models.vgg16(),
        "MobileNetV2 (ours)": create_model("mobilenet_v2"),
    }
print(f"{'':<20}{'parameters':>13}{'in linear layers':>18}{'M MACs':>10}{'in linear layers':>18}")
for name, model in zoo.items():
    report = analyze(model, (1, 3, 224, 224))
    linear_layers = [row for row in report.layers if row.kind == "Linear"]
    part = sum(row.params for row in linear_layers) / report.params
    work = sum(row.macs for row in linear_layers) / report.macs
    print(f"{name:<20}{report.params:>13,}{part:>17.1%}{report.macs / 1e6:>11,.0f}{work:>17.1%}")
fc6 = zoo["VGG-16"].classifier[0]
assert isinstance(fc6, nn.Linear)
print(f"\nVGG-16's fc6 alone: {fc6.in_features:,} inputs, {fc6.out_features:,} outputs,", end=" ")
print(f"{sum(p.numel() for p in fc6.parameters()):,} parameters")

# %% [markdown]
# In AlexNet and VGG-16 nearly all *parameters* sit in the fully connected layers at the end, and nearly all *work* in the
# convolutions. A light network drops those layers: it averages each map to one number (chapter 06) and keeps a single
# linear layer. Even that one holds more than a third of MobileNetV2's parameters, and next to none of its work. What is
# left to save is in the convolutions, and that is what the rest of this course is about.

# %% [markdown]
# ## Explain
#
# In your own words, two to four sentences each. In a class your teacher reads them.
#
# **1.** A colleague flattens pictures of 96×96×3 into a fully connected layer with 128 outputs, "because it can learn
# anything that a convolution can". What is right about that? What does it cost, in parameters? And what does it cost in
# pictures to learn from?

# %% [markdown] nbgrader={"grade": true, "grade_id": "01-explain-1", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# A convolution is a matrix with many zeros and repeated numbers, so a fully connected layer could indeed learn it. But
# it has 96 · 96 · 3 · 128 + 128 = 3,539,072 parameters instead of some hundred or thousand. And nothing is shared, so
# it has to see each pattern at each place: what it learns on the left it does not know on the right. Shared weights with
# a maximum or mean over all places after them would carry it over. (Shared weights with a fully connected layer
# after them would not.)
#
# Rubric. 1 point: about 3.5 million parameters, and the convolution as a special case of the full matrix. 1 point: it
# needs examples at every place, because places share no weights. (Not needed, but welcome: sharing helps only if the
# place is dropped afterwards.)
# ### END SOLUTION

# %% [markdown]
# **2.** A data sheet says: "Our network has five strides of 2 and is translation invariant." You move a traffic sign by
# one pixel, and its score falls from 0.9 to 0.6. Explain why this can happen. For which shifts may you expect the same
# score (away from the border)?

# %% [markdown] nbgrader={"grade": true, "grade_id": "01-explain-2", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# A convolution without stride is equivariant, and a mean over all places at the end then makes the answer invariant. But
# each stride keeps every second place only: after a shift of one pixel the windows stand on other pixels, and the map
# is another map, not a shifted one. Only shifts by multiples of 2 · 2 · 2 · 2 · 2 = 32 pixels move the last map by whole places.
#
# Rubric. 1 point: strides (or pooling) skip places, so one pixel is no whole step of the map. 1 point: multiples of 32.
# ### END SOLUTION

# %% [markdown]
# **3.** "Weight sharing makes a layer faster." True?

# %% [markdown] nbgrader={"grade": true, "grade_id": "01-explain-3", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Not by itself. Sharing reduces the numbers to store and to learn. The connections stay, and each is one multiplication:
# VGG-16's convolutions hold about a tenth of its parameters and do nearly all of its work. What saves work is being
# local (and fewer weights to fetch from memory may help a little).
#
# Rubric. 1 point: sharing saves parameters, not multiplications. 1 point: local connections save multiplications, or an
# example with numbers.
# ### END SOLUTION

# %% [markdown]
# ## Summary card
#
# | you want | you take |
# | --- | --- |
# | the size of the output | way = n + 2p − (d·(k − 1) + 1); then ⌊way / s⌋ + 1 |
# | the same size | stride 1 and padding d·(k − 1) / 2; if d·(k − 1) is odd, one zero more on one side: "same" |
# | connections of a full layer | outputs · (inputs + 1) |
# | … of a local one | outputs · (C·kh·kw + 1): saves work |
# | parameters of a convolution | C'·(C·kh·kw + 1): shared, saves memory |
# | a convolution as a matrix | the kernel along the diagonal, zeros elsewhere |
# | a fully connected layer as a convolution | a window as large as the map |
# | to read at places never seen | shared weights, and a maximum or mean over the whole map after them |
# | to test equivariance | shift then layer, layer then shift; compare column by column |
#
# **To take along.** Local saves work. Shared saves memory, and makes the map move along with the picture: exactly in the
# middle, not at the border, and after strides only for multiples of them. A network that then forgets the place can use
# everywhere what it has learned at one place. One that keeps the place cannot.

# %% [markdown]
# ## Papers
#
# * Y. LeCun, L. Bottou, Y. Bengio, P. Haffner. *Gradient-Based Learning Applied to Document Recognition.* Proceedings of
#   the IEEE 86(11), 1998. LeNet-5, with the counts above; weight sharing.
# * V. Dumoulin, F. Visin. *A guide to convolution arithmetic for deep learning.* 2016, arXiv 1603.07285.
# * R. Zhang. *Making Convolutional Networks Shift-Invariant Again.* ICML 2019, arXiv 1904.11486.
# * A. Krizhevsky, I. Sutskever, G. Hinton. *ImageNet Classification with Deep Convolutional Neural Networks.* NIPS 2012.
# * K. Simonyan, A. Zisserman. *Very Deep Convolutional Networks for Large-Scale Image Recognition.* 2014, arXiv 1409.1556.
#
# Next: chapter 02 asks how much of the picture one output knows.

# %%
# solution("01.size")
