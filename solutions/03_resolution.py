# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   lightcourse: {chapter: "03", title: "Resolution", question: "How small may the picture get?", minutes: 130, budget_seconds: 120, exercises: ["03.ladder", "03.choose", "03.pool", "03.transposed", "03.bilinear"]}
# ---

# %% [markdown]
# # 03 · Resolution
#
# **How small may the picture get?**
#
# About 130 minutes, 71 of them for the five exercises; stop wherever you like. You will follow a picture down through a
# network and back up again, build the layers that do it, and then measure what is lost on the way: on pictures of which
# you know exactly what one must see.

# %%
import math

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn

from lightcourse import analyze, check, create_model, hint, predict, progress, reveal, solution, viz
from lightcourse._torchvision import import_torchvision
from lightcourse.checks import hidden_check, run_check
from lightcourse.training.eye_chart import (
    DOWN,
    GAPS,
    EyeChart,
    ring_net,
    score_rings,
    train_rings,
    verdict,
)
from lightcourse.viz.scenes.photo import picture

torch.manual_seed(0)
torch.set_num_threads(1)  # one thread gives the same numbers at every run
print("Ready. PyTorch", torch.__version__)

# %% [markdown]
# ## Question
#
# An eye doctor shows you a ring with a gap. Where is the gap: right, top, left or bottom? Here is the same
# ring four times, with fewer and fewer pixels.

# %%
RING = 2  # any of the twelve, from 0 on
chart = EyeChart(12, seed=3)
figure, axes = plt.subplots(1, 4, figsize=(9.6, 2.5))
for axis, side in zip(axes, (64, 32, 16, 8), strict=True):
    axis.imshow(chart.at(side)[RING, 0], cmap="gray", vmin=-0.2, vmax=1)
    axis.set_title(f"{side} × {side}: {side**2:,} pixels", fontsize=10)
    axis.axis("off")
figure.tight_layout()
plt.show()
print("The gap is here:", GAPS[chart.gaps[RING]])

# %% [markdown]
# Each picture has a quarter of the pixels of the one before. A convolution works at every pixel, so it also costs
# a quarter. Nothing else makes a network cheaper so easily. On a small device it is often the only way to make it
# fit at all.
#
# But somewhere the gap is gone. **How small may the picture get?**
#
# The picture gets smaller at two places.
#
# - *Before* the network: you choose its **input resolution (输入分辨率)**, the number of pixels a side.
# - *Inside*: some layers halve the map. That is **downsampling (下采样)**. Most networks for pictures halve five
#   times: 224 → 112 → 56 → 28 → 14 → 7.
#
# And sometimes the way leads up again: a network that marks every pixel of a road must give back a large map. That
# is **upsampling (上采样)**.

# %% [markdown]
# ## Predict
#
# Three guesses. Put your answer in place of the dots. Nobody grades them.
#
# **First.** Five 3×3 layers follow each other, each with stride 2 and padding 1. They turn a picture of 224 pixels
# a side into a map of 7. How many picture sizes are there that end in a map of exactly 7? (A number.)

# %%
predict("03.p1", ...)

# %% [markdown]
# **Second.** You make the sides of the picture twice as long. The multiplications of all convolutions together become
# `"the same"`, `"2 times"`, `"4 times"` or `"8 times"`.

# %%
predict("03.p2", ...)

# %% [markdown]
# **Third.** A **transposed convolution (转置卷积)** makes a map larger: every input writes a copy of the kernel into the
# output, and copies that overlap are added. Take a map of ones, a 3×3 kernel of ones, and stride 2, so that the copies
# lie two apart. How many *different values* stand in the middle of the result, away from its edges? (A number.)

# %%
predict("03.p3", ...)

# %% [markdown]
# ## Play
#
# First the way down. The staircase shows the maps of a network, one after the other.

# %%
viz.resolution_ladder()

# %% [markdown]
# Try this:
#
# 1. Drag one of the ÷2 to an earlier layer. What happens to the memory, what to the receptive field? The
#    multiplications stay as they are: a halving leaves a quarter of the places, but here it also doubles the
#    channels, in and out, and that makes up for it.
# 2. Set **Channels** to *stay 32*. Put all halvings as early as you can (*fast*), then as late as you can (*slow*). The
#    last map is the same. Which network is cheaper, and by how much?
# 3. Drag the input size. Which numbers change, and which do not?
#
# Now the way up. Four layers enlarge the same small map.

# %%
viz.upsampling()

# %% [markdown]
# Step to **fill in** (press →), and try this:
#
# 1. Drag over the small map on the left. Which places of the large maps does one input reach?
# 2. **Map: all ones**. Which of the four large maps stay plain, and which do not?
# 3. Step through **kernel** 2, 3, 4, 5 with stride 2, then with stride 3. When is the transposed convolution even?
# 4. Set the kernel's weights to **tent**, kernel 4, stride 2, padding 1, and step on to **cut to size**. Compare with
#    *bilinear*: which places agree, and where do the two differ?
# 5. Stay at **cut to size**. *Padding* cuts off a frame, *output padding* puts a row and a column back. Try output
#    padding 2 with stride 2: the scene says why that cannot be.

# %%
reveal("03.p3")

# %% [markdown]
# ## Build
#
# ### Down: three ways to halve
#
# A row of eight numbers. Each way makes four of them.

# %%
row = torch.tensor([[[1.0, 5, 2, 0, 3, 3, 8, 0]]])
kernel = torch.tensor([[[0.25, 0.5, 0.25]]])
for name, small in {
    "max pooling": F.max_pool1d(row, 2),
    "average pooling": F.avg_pool1d(row, 2),
    "strided convolution": F.conv1d(row, kernel, stride=2, padding=1),
}.items():
    print(f"{name:<20}", "   ".join(f"{value:5.2f}" for value in small.flatten().tolist()))

# %% [markdown]
# - **Max pooling (最大池化)** keeps the largest value of each window. It says *that* something was there. It has
#   no weights.
# - **Average pooling (平均池化)** keeps the mean. Nothing is lost but the detail. It has no weights either.
# - A **strided convolution (步长2卷积)** is an ordinary convolution whose window moves by 2. Its weights are learnt, so
#   it may become a mean, a difference, or anything else.
#
# For the *size* of the map all three are alike. What counts is the window (kernel), how far it moves (**stride**,
# 步幅, in many texts 步长), and how many zeros stand around the map (**padding**, 填充).

# %% [markdown]
# ### Exercise 03.ladder: down the ladder
#
# difficulty 2 of 5 · importance 5 of 5 · 7 minutes
#
# A layer reads a map of 8 and has kernel 3, stride 2, padding 1:
#
# ```text
# padded map   0 1 2 3 4 5 6 7 8 0        10 places, the outer two are padding
# windows      |---|
#                  |---|
#                      |---|
#                          |---|          the next one would not fit whole, so there are 4
# ```
#
# A window that does not fit whole is left out: the number of *steps* is rounded **down**, here 3½ to 3.
#
# What does that do to the map? With kernel 3, stride 2, padding 1 you get the half of it rounded **up**: 8 and 7 both
# give 4. With a 2×2 pooling, which has no padding, the half rounded **down**: 8 gives 4, 7 gives 3. So do not learn
# "up" or "down". Count the windows.
#
# Follow the size of the picture through a chain of such layers. Also return how far two neighbours on the last map
# are apart in the picture: the **total stride (总步幅)**, the product of all strides. All numbers are ints.


# %% nbgrader={"grade": false, "grade_id": "03-ladder", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ladder(r: int, layers: list[tuple[int, int, int]]) -> tuple[list[int], int]:
    """Follow the size of the map from the picture to the end.

    r: pixels a side of the picture.
    layers: one (kernel, stride, padding) per layer, the one next to the picture first.
    Returns (sizes, total): the sizes, beginning with r, one more after each layer; and the
    product of all strides (1 if there is no layer).

    ladder(8, [(3, 2, 1), (3, 1, 0)]) is ([8, 4, 2], 2)
    """
    ### BEGIN SOLUTION
    sizes, total = [r], 1
    for kernel, stride, padding in layers:
        steps = (sizes[-1] + 2 * padding - kernel) // stride
        sizes.append(steps + 1)
        total *= stride
    return sizes, total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "03-ladder-check", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check("03.ladder", ladder)
### BEGIN HIDDEN TESTS
hidden_check("03.ladder", ladder, seed=7)
### END HIDDEN TESTS

# %%
hint("03.ladder")

# %%
# solution("03.ladder")

# %% [markdown]
# Call the last map **k**. A network that halves n times has the total stride 2ⁿ. If every layer halves exactly, then
#
# **r = k · 2ⁿ**.
#
# 224 = 7 · 2⁵. The detector YOLOv2 takes 416 = 13 · 2⁵. Many people choose the size of their pictures by this rule. Is it
# one? The next cell sends more sizes down the same five layers.


# %%
def given_ladder(r, layers):
    """Stands in for ladder() until yours is right: PyTorch makes maps without numbers in them."""
    x, sizes, total = torch.empty(1, 1, r, device="meta"), [r], 1
    for window, step, room in layers:
        x = F.conv1d(x, torch.empty(1, 1, window, device="meta"), stride=step, padding=room)
        sizes.append(x.shape[-1])
        total *= step
    return sizes, total


own_ladder = run_check("03.ladder", ladder).passed
follow = ladder if own_ladder else given_ladder
print("Sizes by", "your ladder().\n" if own_ladder else "PyTorch, until your ladder() is right.\n")

halving = [(3, 2, 1)] * 5
for r in (416, 225, 224, 223, 200, 193, 192, 100):
    sizes, total = follow(r, halving)
    exact = "exact" if r == sizes[-1] * total else f"k·2ⁿ would be {sizes[-1] * total}"
    print(f"{' → '.join(map(str, sizes)):<34} {exact}")

print("\nand five 2×2 poolings:")
for r in (224, 223):
    sizes, total = follow(r, [(2, 2, 0)] * 5)
    unread = r - sizes[-1] * total
    print(f"{' → '.join(map(str, sizes)):<34} rows of the picture that no window reads: {unread}")

# %% [markdown]
# Not exact means: somewhere a size was odd. The network runs all the same, and the last map is what it is. With padding 1
# the last window then reaches into the padding: no row is lost, and the map is a little more than half. Without padding,
# as in the poolings, the last rows are never read. That is what the scene above said of 223: *one rounds up, the other
# skips 31 rows*.
#
# ### Exercise 03.choose: which pictures end in k?
#
# difficulty 3 of 5 · importance 4 of 5 · 12 minutes
#
# Turn the question around. You want a last map of k. Which pictures give it?
#
# Take one layer with kernel 3, stride 2, padding 1, and 4 outputs. Four windows take 3 steps of 2 and cover
# 3·2 + 3 = 9 places. Two of these may be padding, so the input has at least 7. With 8 one place is left over, and the
# result is still 4. With 9 there is room for a fifth window. So the answer is 7 to 8.
#
# With several layers, go back from the last one to the picture. Chapter 02 did the same with one unit.


# %% nbgrader={"grade": false, "grade_id": "03-choose", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose(k: int, layers: list[tuple[int, int, int]]) -> tuple[int, int]:
    """Find the smallest and the largest picture that end in a last map of k.

    k: size of the last map, at least 1.
    layers: one (kernel, stride, padding) per layer, the one next to the picture first;
            2 * padding is always smaller than kernel.
    Returns (smallest, largest), both included, as ints.

    choose(4, [(3, 2, 1)]) is (7, 8)
    """
    ### BEGIN SOLUTION
    smallest = largest = k
    for kernel, stride, padding in reversed(layers):
        rest = stride - 1  # places that may be left over without room for one more window
        smallest = (smallest - 1) * stride + kernel - 2 * padding
        largest = (largest - 1) * stride + kernel - 2 * padding + rest
    return smallest, largest
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "03-choose-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("03.choose", choose)
### BEGIN HIDDEN TESTS
hidden_check("03.choose", choose, seed=7)
### END HIDDEN TESTS

# %%
hint("03.choose")

# %%
# solution("03.choose")

# %% [markdown]
# > **Myth or fact?** *r = k · 2ⁿ determines the input resolution.*
# >
# > Decide first. Then run the cell. It simply tries all sizes.

# %%
ends_in = {}
for r in range(32, 481):
    ends_in.setdefault(follow(r, halving)[0][-1], []).append(r)
for last in (7, 9, 13):
    sizes = ends_in[last]
    span = f"all of {sizes[0]} to {sizes[-1]}, that is {len(sizes)} sizes"
    print(f"k = {last:>2}: {span};  {last}·2⁵ = {last * 32}")
pooled = [r for r in range(32, 481) if follow(r, [(2, 2, 0)] * 5)[0][-1] == 13]
print(f"five 2×2 poolings, k = 13: {pooled[0]} to {pooled[-1]}, that is {len(pooled)} sizes")
if run_check("03.choose", choose).passed:
    print("Your choose(7) says", choose(7, halving))

r = 280
print(f"\n{r} / 32 = {r / 32}; the five layers give {follow(r, halving)[0][-1]}.")

# %%
reveal("03.p1")

# %% [markdown]
# **A rule of thumb, not a law.** With these 3×3 layers k·2ⁿ is the *largest* picture for its k; with 2×2 poolings it is
# the *smallest*. In both there are 2ⁿ of them. All others work as well. You may have seen
# the advice "use 280, 320 or 384". 280 is no multiple of 32, and nothing breaks. But it costs more than 256 and
# gives the same last map as 288.
#
# When does exactness matter? When the way leads up again: a network that goes 225 → 113 and then doubles gets 226, and
# that does not fit onto the 225 any more. Detectors and segmenters therefore like multiples of 32.
#
# ### Exercise 03.pool: pool, remember where, and go back
#
# difficulty 3 of 5 · importance 3 of 5 · 12 minutes
#
# Max pooling throws away *where* the largest value stood. One can keep that. The places are counted as you read, row by
# row, from 0:
#
# ```text
#        x              values     places            back
#   1  5 | 2  0                                 0  5 | 0  0
#   3  4 | 7  6          5  7       1  6        0  0 | 7  0
# ```
#
# **Max unpooling (最大反池化)** writes each value back to its place. Everything else is 0: what pooling dropped is
# gone.
#
# Write both in one function, without torch's own pooling (`F.max_pool2d`, `F.max_unpool2d` and the like), which the check
# refuses. `unfold`, `max`, `scatter` and plain loops are all fine. x may be float32 or float64. The windows stand side by side. Rows and columns that do not fill a window are left out of
# the pooling, and in `back` they are 0. No window has two equal largest values.


# %% nbgrader={"grade": false, "grade_id": "03-pool", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pool_and_back(x: torch.Tensor, window: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Max-pool with windows side by side, keep the places, and unpool.

    x: (N, C, H, W); H and W are at least `window`, and need not be multiples of it.
    Returns (values, places, back):
        values  (N, C, H // window, W // window), the largest value of each window
        places  the same shape, whole numbers: row * W + column of that value in its own map of x
        back    (N, C, H, W), the dtype of x: each value at its place, 0 elsewhere
    """
    ### BEGIN SOLUTION
    n, c, h, w = x.shape
    tiles = x.unfold(2, window, window).unfold(3, window, window)  # (N, C, H', W', window, window)
    values, which = tiles.flatten(-2).max(-1)
    row = torch.arange(values.shape[2])[:, None] * window + which // window
    column = torch.arange(values.shape[3]) * window + which % window
    places = row * w + column
    back = x.new_zeros(n, c, h * w)
    back.scatter_(2, places.flatten(2), values.flatten(2))
    return values, places, back.view(n, c, h, w)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "03-pool-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("03.pool", pool_and_back)
### BEGIN HIDDEN TESTS
hidden_check("03.pool", pool_and_back, seed=7)
### END HIDDEN TESTS

# %%
hint("03.pool")

# %%
# solution("03.pool")

# %% [markdown]
# ### Up: three ways to double
#
# Max unpooling needs the places from the way down. Without them there are three usual ways.
#
# - **Nearest neighbour**: repeat every value.
# - **Bilinear interpolation (双线性插值)**: mix the neighbours, the nearer one with more weight.
# - **Transposed convolution (转置卷积)**: learn how to.
#
# ### Exercise 03.transposed: transposed convolution by inserting zeros
#
# difficulty 4 of 5 · importance 4 of 5 · 20 minutes
#
# *Every input writes a copy of the kernel into the output.* The same result comes out of an ordinary convolution, over
# a map that was first spread out with zeros. Along one axis, with kernel (1 2 3) and stride 2:
#
# ```text
# input              a     b
# spread out         a  0  b                      stride - 1 zeros between neighbours
# with zeros   0  0  a  0  b  0  0                kernel - 1 - padding zeros on both sides
# kernel       3  2  1                            turned round, moves by 1
# output       a  2a 3a+b 2b 3b                   two copies of 1 2 3, two apart
# ```
#
# Two more things to know.
#
# - **padding** p takes p places off *every* side of the output. So fewer zeros are put around.
# - **output_padding** adds places at the *end* of each axis only, at the bottom and on the right. Why is it needed? A
#   convolution with stride 2 turns 7 and 8 alike into 4. On the way back somebody must say which of the two it
#   was.
#
# Together: an axis of i places becomes (i - 1)·stride - 2·padding + kernel + output_padding.
#
# You may use `F.conv2d`, `F.pad` and loops. The check compares with `F.conv_transpose2d`, so it refuses that one and
# `nn.ConvTranspose2d`. The numbers come in float32 or float64, and the result should be of the same dtype.


# %% nbgrader={"grade": false, "grade_id": "03-transposed", "locked": false, "schema_version": 3, "solution": true, "task": false}
def transposed(
    x: torch.Tensor, weight: torch.Tensor, stride: int, padding: int, output_padding: int
) -> torch.Tensor:
    """Transposed convolution, equal to F.conv_transpose2d without a bias.

    x: (N, C, H, W).  weight: (C, C', kh, kw): inputs first, unlike F.conv2d.
    stride, padding, output_padding: ints, the same for both axes. kh and kw may differ;
    padding is smaller than both, output_padding is smaller than stride.
    Returns (N, C', H', W') with H' = (H - 1) * stride - 2 * padding + kh + output_padding.
    """
    ### BEGIN SOLUTION
    n, c, h, w = x.shape
    kh, kw = weight.shape[2:]
    spread = x.new_zeros(n, c, (h - 1) * stride + 1, (w - 1) * stride + 1)
    spread[:, :, ::stride, ::stride] = x
    top, left = kh - 1 - padding, kw - 1 - padding
    room = (left, left + output_padding, top, top + output_padding)
    turned = weight.flip(2, 3).transpose(0, 1)  # F.conv2d wants the outputs first
    return F.conv2d(F.pad(spread, room), turned)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "03-transposed-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("03.transposed", transposed)
### BEGIN HIDDEN TESTS
hidden_check("03.transposed", transposed, seed=7)
### END HIDDEN TESTS

# %%
hint("03.transposed")

# %%
# solution("03.transposed")

# %% [markdown]
# > **Myth or fact?** *转置卷积 = 反卷积: a transposed convolution undoes a convolution ("deconvolution").*
# >
# > Down with a convolution, up with the transposed convolution of the same kernel. Does the picture come back?

# %%
x = torch.randn(1, 1, 8, 8, dtype=torch.float64)
kernel = torch.randn(1, 1, 3, 3, dtype=torch.float64)
down = F.conv2d(x, kernel, stride=2, padding=1)
up = F.conv_transpose2d(down, kernel, stride=2, padding=1, output_padding=1)
print(f"sizes: {x.shape[-1]} → {down.shape[-1]} → {up.shape[-1]}")
factor = (up * x).sum() / up.square().sum()  # be generous: scale it as well as one can
print(f"distance to the picture: {(factor * up - x).norm() / x.norm():.0%} of its length")

x.requires_grad_()
sent_back = torch.randn_like(down)
(gradient,) = torch.autograd.grad(F.conv2d(x, kernel, stride=2, padding=1), x, sent_back)
up = F.conv_transpose2d(sent_back, kernel, stride=2, padding=1, output_padding=1)
print("equal to the convolution's gradient:", torch.allclose(gradient, up))

# %% [markdown]
# A myth. The *sizes* come back, the values do not: 64 numbers went into 16, and no layer brings the rest back. What it
# really is: the step that the gradient takes through the convolution on its way back. There the layer's big
# matrix is transposed, hence the name.
#
# ### Exercise 03.bilinear: bilinear interpolation
#
# difficulty 4 of 5 · importance 4 of 5 · 20 minutes
#
# No weights, no copies. For each output, ask *where it stands in the input*, and mix the two neighbours there.
#
# At place 2.25 it takes 0.75 of input 2 and 0.25 of input 3. On a map this happens along the columns and along the
# rows, so four inputs take part. That is all there is to *bilinear*.
#
# The catch is *where*. Two rules are in use. Let n inputs become m outputs; here n is 3 and m is 6:
#
# ```text
# align_corners=True                        align_corners=False
# the middles of the end pixels meet        the outer edges of the end pixels meet
#
# in    0         1         2               in   |     0     |     1     |     2     |
# out   0   1   2   3   4   5               out  |  0  |  1  |  2  |  3  |  4  |  5  |
#
# output i stands at                        output i stands at
# i · (n - 1) / (m - 1)                     (i + ½) · n / m - ½
# ```
#
# In the second rule output 0 stands at -¼, outside. Nothing is there, so the edge pixel counts
# alone: places below 0 become 0, places beyond n - 1 become n - 1. In the first rule, a single output (m = 1) stands
# at 0.
#
# Write it yourself: loops or matrix products are fine, torch's own resampling (`F.interpolate`, `nn.Upsample`,
# `F.grid_sample`) is refused. x may be float32 or float64.


# %% nbgrader={"grade": false, "grade_id": "03-bilinear", "locked": false, "schema_version": 3, "solution": true, "task": false}
def bilinear(x: torch.Tensor, size: tuple[int, int], align_corners: bool) -> torch.Tensor:
    """Resize by bilinear interpolation, equal to F.interpolate(x, size, mode="bilinear", ...).

    x: (N, C, H, W), a float dtype.  size: (H', W'), ints, larger or smaller than (H, W).
    align_corners: which of the two rules.
    Returns (N, C, H', W') of the same dtype.
    """

    ### BEGIN SOLUTION
    def shares(n: int, m: int) -> torch.Tensor:
        """(m, n): how much each output takes of each input."""
        i = torch.arange(m, dtype=x.dtype)
        if align_corners:
            place = i * ((n - 1) / max(m - 1, 1))
        else:
            place = ((i + 0.5) * n / m - 0.5).clamp(0, n - 1)
        # an input's share falls in a straight line from 1 at its own place to 0 one place away
        return (1 - (place[:, None] - torch.arange(n)).abs()).clamp(min=0)

    down, across = shares(x.shape[2], size[0]), shares(x.shape[3], size[1])
    return down @ x @ across.T
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "03-bilinear-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("03.bilinear", bilinear)
### BEGIN HIDDEN TESTS
hidden_check("03.bilinear", bilinear, seed=7)
### END HIDDEN TESTS

# %%
hint("03.bilinear")

# %%
# solution("03.bilinear")

# %% [markdown]
# > **Myth or fact?** *双线性插值效果最好: of all ways to enlarge a picture, bilinear interpolation gives the best result.*
# >
# > A photograph is shrunk to half its side (every 2×2 become their mean) and enlarged again. How far is the result from the
# > original? The *typical error* is the root of the mean squared difference, where 255 is white. The last way is a transposed convolution whose 6×6 kernel was *fitted* to the left half of the photograph. All
# > are tested on the right half.

# %%
photo = torch.from_numpy(picture(128).copy()).double().permute(2, 0, 1)[:, None] / 255
small = F.avg_pool2d(photo, 2)

# a transposed convolution is linear in its kernel: one column for each weight, then least squares
ways = []
for i in range(36):
    weight = torch.zeros(36, dtype=torch.float64)
    weight[i] = 1
    ways.append(F.conv_transpose2d(small, weight.view(1, 1, 6, 6), stride=2, padding=2))
left = torch.stack([way[..., 4:-4, 4:60].flatten() for way in ways], 1)
fitted = torch.linalg.lstsq(left, photo[..., 4:-4, 4:60].flatten()[:, None]).solution

results = {
    mode: F.interpolate(small, scale_factor=2, mode=mode)
    for mode in ("nearest", "bilinear", "bicubic")
}
results["fitted transposed convolution"] = F.conv_transpose2d(
    small, fitted.view(1, 1, 6, 6), stride=2, padding=2
)
errors = {
    name: (up - photo)[..., 4:-4, 68:-4].square().mean().sqrt().item()
    for name, up in results.items()
}
for name, error in errors.items():
    print(f"{name:<30} typical error {255 * error:.2f} of 255")
first, second, *_ = sorted(errors, key=errors.__getitem__)
tie = errors[second] / errors[first] < 1.01  # within one per cent
print(f"The best here: {first}" + (f" and {second}, as good as equal" if tie else ""))

# %% [markdown]
# Not in general. Bilinear is the cheap default: four inputs a pixel, nothing to learn, never a checkerboard. What is *best*
# depends on the pictures, on how they were shrunk, and on what may be learnt. One photograph decides nothing; it is
# enough to refute an "always".

# %% [markdown]
# ## Measure
#
# ### First: what does a larger picture cost?
#
# MobileNetV2 at several sizes. The first group doubles the side, the second walks over a place where the rounding
# changes.

# %%
net = create_model("mobilenet_v2")
print(
    f"{'picture':>7} {'last map':>9} {'M MACs':>8} {'÷ r²':>7} {'peak memory':>12} {'parameters':>11}"
)
cost = {}
for r in (56, 112, 224, 448, None, 192, 193, 224, 225):
    if r is None:
        print()
        continue
    if r not in cost:
        cost[r] = analyze(net, (1, 3, r, r))
    report = cost[r]
    last = max(
        layer.output_shape[-1] for layer in report.layers if layer.name.startswith("features.18")
    )
    print(
        f"{r:>7} {last:>6}×{last:<2} {report.macs / 1e6:>8.1f} {report.macs / r**2:>7,.0f}"
        f" {report.peak_activation / 1e6:>9.1f} MB {report.params:>11,}"
    )

# %%
reveal("03.p2")

# %% [markdown]
# > **Myth or fact?** *分辨率对计算量的影响是翻倍的: twice the resolution, twice the computation.*

# %%
for small_side, large_side in ((56, 112), (112, 224), (224, 448)):
    a, b = cost[small_side], cost[large_side]
    print(
        f"{small_side} → {large_side}: MACs × {b.macs / a.macs:.2f}, peak memory ×"
        f" {b.peak_activation / a.peak_activation:.2f}, parameters × {b.params / a.params:.0f}"
    )
a, b = cost[192], cost[193]
print(f"192 → 193: pixels × {193**2 / 192**2:.3f}, MACs × {b.macs / a.macs:.3f}")
a, b = cost[193], cost[224]
print(f"193 → 224: pixels × {224**2 / 193**2:.3f}, MACs × {b.macs / a.macs:.3f}")

# %% [markdown]
# Wrong: four times. Twice the rows, and each row twice as long.
#
# - **What grows four times:** multiplications, and the memory for the maps.
# - **What does not grow at all:** the parameters. A convolution uses the same weights at every place.
# - **Why not exactly four?** 56 and 112 are no multiples of 32, so their late maps are rounded up and cost more than their
#   share. And the classifier at the end works once per picture, whatever its size.
# - **Where rounding hurts:** from 192 to 193 the picture grows by 1 %, the cost by 17 %. *Every* map gets one row and one
#   column more, even the last: 6×6 becomes 7×7. From 193 to 224 the late maps do not grow at all.
#
# MobileNet calls the factor by which the picture is shrunk its **resolution multiplier (分辨率因子)** ρ: the cost goes
# with ρ².

# %% [markdown]
# ### Second: what does a small last map do to accuracy?
#
# Now the eye chart. **Data card.** One ring a picture, its gap in one of four directions (guessing: 25 %), grey, a little
# noise. The ring is 13 to 26 of 64 pixels wide, its gap 2.6 to 5.1. 1,800 pictures to train on, 1,000 others to test on.
# Every smaller picture is made from *the same* picture of 64 pixels. Made by `lightcourse.training.eye_chart`;
# nothing is downloaded.
#
# **The network.** Four 3×3 convolutions, then the mean over all places, then four scores. The *first* n of the four
# halve. So the weights are always the same, and the last map is k = r / 2ⁿ.
#
# Every network is trained three times with different seeds, and sees each picture five times. **How to read the
# results.** `87.4 ± 7.4 %` means: the mean of three networks is 87.4, and they scatter around it with a standard
# deviation of 7.4. A *gap* is the difference of two such means. Its own ± follows from both deviations. We call it
# *clear* if it is more than four times its ±. Otherwise we say "no difference that these seeds can show". That
# does *not* mean that there is none. It means that three networks a side cannot tell.
#
# Before you run it, decide: is it the size of the
# picture that counts, or the size k of the last map?

# %%
train, test = EyeChart(1800, seed=1), EyeChart(1000, seed=2)
SIZES, LAST = (8, 16, 32), (8, 4, 2, 1)
PASSES = 5  # times that a network sees each picture
runs = {}


def halve_first(n):
    """Strides of four layers of which the first n halve."""
    return (2,) * n + (1,) * (4 - n)


def measure(name, size, strides, passes=PASSES, **more):
    """Train and test one network with three seeds, and print the result."""
    nets = train_rings(lambda: ring_net(strides, **more), train, (size,), epochs=passes)
    runs[name] = score_rings(nets, test, size, name)
    macs = analyze(nets[0], (1, 1, size, size)).macs
    print(f"{runs[name]}   {macs / 1e3:>6,.0f} k MACs", flush=True)


def measure_row(size, maps=LAST):
    """One network for each last map."""
    for last in maps:
        strides = halve_first(int(math.log2(size // last)))
        measure(f"picture {size:>2}, last map {last}", size, strides)


print(f"every network: {analyze(ring_net(), (1, 1, 16, 16)).params:,} parameters\n")
measure_row(8)

# %%
measure_row(16)

# %%
measure_row(32, (2,))

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.4), sharey=True)
for side, colour, style in zip(SIZES, ("#d55e00", "#0072b2", "#009e73"), "os^", strict=True):
    named = [(last, f"picture {side:>2}, last map {last}") for last in LAST]
    found = [(last, runs[name]) for last, name in named if name in runs]
    macs = [
        analyze(ring_net(halve_first(int(math.log2(side // last)))), (1, 1, side, side)).macs / 1e3
        for last, _ in found
    ]
    for axis, xs in ((left, [last for last, _ in found]), (right, macs)):
        means, spread = [run.mean for _, run in found], [run.sd for _, run in found]
        axis.errorbar(xs, means, spread, color=colour, marker=style, capsize=3, label=f"{side} px")
for axis, label in ((left, "last map k"), (right, "thousand MACs")):
    axis.set_xscale("log", base=2)
    axis.axhline(25, color="grey", lw=1, ls="--")
    axis.set_xlabel(label)
left.set_xticks(LAST, LAST)
right.set_xticks(ticks := (16, 32, 64, 128, 256, 512), ticks)
left.set_ylabel("test accuracy, %")
left.legend(title="picture")
figure.tight_layout()
plt.show()

print("one halving fewer, the same picture:")
for side in SIZES:
    for small_k, large_k in ((1, 2), (2, 4), (4, 8)):
        pair = [f"picture {side:>2}, last map {k}" for k in (large_k, small_k)]
        if all(name in runs for name in pair):
            print(
                f"  {side:>2} px, k {small_k} → {large_k}: ",
                verdict(*(runs[name] for name in pair)),
            )
print("the same last map, twice the picture:")
higher = []
for last in LAST:
    for a, b in ((8, 16), (16, 32)):
        pair = [f"picture {side:>2}, last map {last}" for side in (b, a)]
        if all(name in runs for name in pair):
            large, small = (runs[name] for name in pair)
            higher.append(large.mean > small.mean)
            print(f"  k {last}, {a} → {b} px: ", verdict(large, small))
print(f"  the larger picture has the higher mean in {sum(higher)} of {len(higher)} lines")

# %% [markdown]
# Read the table along its lines, and believe the word at the end of each.
#
# - **The same picture:** the smaller the last map, the lower the mean, above all where pixels are few. Look at the
#   picture of 8 pixels. With k = 8 most of its rings are read, though the gap could hardly be seen above. With k = 2
#   about half of them are not. So it was not the *picture* that was too small.
# - **The same k:** the last line under the lists counts how often the larger picture has the higher mean. Not every gap
#   is clear. Where the networks of one kind scatter by 10 points, three seeds cannot even vouch for a gap of 30.
# - **A map of 2×2 is no illness.** At 32 pixels the network that ends in 2×2 reads nearly all rings.
# - **Look at the cost.** With k = 8 both pictures cost about the same: a large picture that is halved at once is
#   hardly dearer than a small one that is never halved. That is why nearly every network begins with a stride.
#
# Is it then the *size* of the last map that hurts, or *when* the detail goes? In the next cell the picture has 8 pixels
# and the last map is 2×2, as before. But the *last* two layers halve, not the first two. This costs more. So a third
# network joins: halving early, but twice as wide, at the same cost.

# %%
start = "picture  8, last map 2"
WIDE = (16, 32, 48, 48)  # channels of the four layers, twice as many as usual
measure(f"{start}, late", 8, (1, 1, 2, 2))
measure(f"{start}, wide", 8, (2, 2, 1, 1), widths=WIDE)
early, late, wide = runs[start], runs[f"{start}, late"], runs[f"{start}, wide"]
never = runs["picture  8, last map 8"]
print("\nlate against early:  ", verdict(late, early))
print("late against wide:   ", verdict(late, wide))
print("wide against early:  ", verdict(wide, early))
print("never against late:  ", verdict(never, late))

# %% [markdown]
# The same picture, the same last map of 2×2, in one pair even the same cost, and a very different accuracy. So **k alone
# does not decide.** It also counts how much has been looked at before the map is halved.
#
# Is the detail *gone* then, after an early halving? Careful. These networks saw each picture five times. Perhaps the early
# ones only need longer. Train all three for twice as long before you judge.

# %%
LONG = 2 * PASSES
measure(f"{start}, {LONG} passes", 8, (2, 2, 1, 1), LONG)

# %%
measure(f"{start}, wide, {LONG} passes", 8, (2, 2, 1, 1), LONG, widths=WIDE)

# %%
measure(f"{start}, late, {LONG} passes", 8, (1, 1, 2, 2), LONG)
after = [runs[f"{start}{which}, {LONG} passes"] for which in ("", ", wide", ", late")]
print()
for passes, (first, second, third) in ((PASSES, (early, wide, late)), (LONG, after)):
    print(f"after {passes:>2} passes  late against early: ", verdict(third, first))
    print("                 late against wide:  ", verdict(third, second))
    print("                 wide against early: ", verdict(second, first))
if (lead := late.mean - wide.mean) > 0:
    kept = (after[2].mean - after[1].mean) / lead
    print(f"\nof the lead of late over wide, at equal cost, {kept:.0%} is left")

# %% [markdown]
# Two things are true at once.
#
# - **A good part of the gap was training.** The early networks catch up a lot, and the wider one is ahead of the other. So
#   the detail was not all gone. How could it be: the first map of the early net has 4·4·8 = 128 numbers, for 64 pixels. It was *hard to
#   learn* from there.
# - **What stays:** at both lengths, and at the same cost, the network that looks first and halves late is ahead.
#
# Had we stopped after the first table, we would have told you that detail lost early never comes back. It looked
# clear, and it was wrong. A gap after a short training says something about a short training. What 200 passes would give
# nobody knows from this table.
#
# There is a second reason to avoid a tiny last map. A 3×3 layer with padding on a map of k×k multiplies many of its
# weights by padding, that is by zero. How many meet the picture?

# %%
for k in (14, 7, 4, 3, 2, 1):
    ones, all_ones = torch.ones(1, 1, k, k), torch.ones(1, 1, 3, 3)
    met = F.conv2d(ones, all_ones, padding=1).mean().item()
    print(f"map {k:>2} × {k:<2}: {met:.1f} of 9 weights meet the map, {met / 9:.0%}")

# %% [markdown]
# On a single pixel eight of nine weights do nothing. You pay for them all the same.
#
# **What this experiment does not show.** One task, made so that small detail decides. Natural pictures also have
# colours and coarse shapes, which survive halving. One recipe, one small network, short training: you saw what twice
# as long can do. Except for the last three, all networks above had five passes. Where the seeds disagree much, no mean
# can be trusted: look at the deviations.

# %% [markdown]
# ### Third: any size, or one size only?
#
# > **Myth or fact?** *分类网络不能多尺度训练, 因为全连接层需要固定维度: a classifier cannot be trained at several scales,
# > because its fully connected layer needs a fixed number of inputs.*
# >
# > Two heads on the same body. The first takes the mean of each map, **global average pooling (全局平均池化)**, GAP. The
# > second flattens the maps and feeds them to a fully connected layer.

# %%
body = nn.Sequential(*list(ring_net())[:-3])
with_gap = nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 4))
with_fc = nn.Sequential(body, nn.Flatten(), nn.Linear(24 * 4 * 4, 4))
for name, model in (("GAP", with_gap), ("flatten + FC", with_fc)):
    for side in (32, 48):
        try:
            shape = tuple(model(torch.zeros(2, 1, side, side)).shape)
            print(f"{name:<13} picture {side}: output {shape}")
        except RuntimeError as error:
            print(f"{name:<13} picture {side}: {type(error).__name__}: {error}")

print("\nMobileNetV2, made for 224:")
light = create_model("mobilenet_v2", width_mult=0.25).eval()
with torch.no_grad():
    for side in (128, 160, 224, 321):
        print(f"   picture {side}: output {tuple(light(torch.zeros(1, 3, side, side)).shape)}")

# %% [markdown]
# Read the error. `384x4` is the FC layer: it was made for maps of 4×4, that is 24 channels · 4 · 4 = 384 numbers, and 4
# scores. `2x864` are two pictures of 48 pixels: their maps are 6×6, so 24 · 6 · 6 = 864 numbers. The layer has a weight
# for each of 384 numbers, and none for the others. GAP makes 24 numbers of any map.
#
# So the myth holds for AlexNet and VGG with their flattened maps. All light classifiers of this course end in GAP.
#
# *It runs* does not mean *it works*. Next: **multi-scale training (多尺度训练)**. One network sees the chart at 32 pixels
# only. The other gets every batch at another size: 16, 24, 32 or 48. Both take the same number of steps. (YOLOv2
# does it every ten batches, with multiples of 32 from 320 to 608.)

# %%
TESTED = (16, 24, 32, 48, 64)
scales = {}


def scale_row(name, sizes):
    """Train three networks at these sizes, test them at all sizes, and print a row."""
    nets = train_rings(lambda: ring_net((2, 2, 1, 1)), train, sizes, epochs=PASSES)
    scales[name] = {side: score_rings(nets, test, side, f"{name}, {side} px") for side in TESTED}
    row = "".join(f"{run.mean:>7.1f} ± {run.sd:<4.1f}" for run in scales[name].values())
    print(f"{name:<18}{row}", flush=True)


print(f"{'tested at':<18}" + "".join(f"{f'{side} px':>11}   " for side in TESTED))
scale_row("trained at 32", (32,))

# %%
scale_row("trained at four", (16, 24, 32, 48))
print("\nfour sizes against one:")
gains, losses = [], []
for side in TESTED:
    four, one = scales["trained at four"][side], scales["trained at 32"][side]
    said = verdict(four, one)
    print(f"  tested at {side}: ", said)
    if said.endswith(": clear"):
        (gains if four.mean > one.mean else losses).append(f"{side} px")
print("clear gains: ", ", ".join(gains) or "none", "   clear losses:", ", ".join(losses) or "none")

# %%
alone = runs["picture 16, last map 4"]
shared = scales["trained at four"][16]
print("The same network, tested at 16:")
print(f"   trained at 16 only:     {alone.mean:.1f} ± {alone.sd:.1f} %")
print(f"   trained at four sizes:  {shared.mean:.1f} ± {shared.sd:.1f} %")
print("   one size against four: ", verdict(alone, shared))

# %% [markdown]
# **Myth refuted.** A classifier with GAP *can* be trained at several scales. Whether it *pays* is in the line of clear
# gains and losses. At 32 pixels, which both have seen, there is nothing to gain. At the others, 16 to 48, the first net is at
# a loss, the more the farther away: it has also learnt how large a ring is.
#
# And the price? The last cell compares it with a specialist for 16 pixels. Read the two means and the verdict. The
# network for four sizes saw that size in a quarter of its batches, the specialist in all. One set of weights for all sizes
# may cost a little at each of them.
#
# Beyond all sizes that it was trained for, at 64 pixels, neither net can be relied on: compare with the 25 % of guessing.
#
# In practice: one set of weights, and the device decides afterwards how many pixels it can afford.
#
# ### Fourth: which way to halve?
#
# > **Myth or fact?** *用stride=2卷积代替pooling可以得到更好的效果: replace pooling by convolutions with stride 2, and
# > the result gets better.*
# >
# > One sentence later the same sources often say that max pooling is what everybody uses. Measure it. The picture has 16
# > pixels, the first two layers halve. All four networks have equally many weights. *Strided*, *max first* and
# > *average first* also have the same MACs: pool, then convolve. *Max after* convolves first, at full size, and
# > pools then.

# %%
runs["strided"] = runs["picture 16, last map 4"]  # the same network, trained already
print("strided, as before:", runs["strided"])
for way in DOWN[1:]:
    measure(way, 16, (2, 2, 1, 1), down=way)
print()
for i, one in enumerate(DOWN):
    for other in DOWN[i + 1 :]:
        print(f"{one} against {other}: ", verdict(runs[one], runs[other]))
best = max(DOWN, key=lambda way: runs[way].mean)
equal_cost = max(DOWN[:3], key=lambda way: runs[way].mean)
print(f"\nhighest mean: {best}; among the three of equal cost: {equal_cost}")

# %% [markdown]
# So the sentence is neither true nor false until you say *what is kept equal*.
#
# - At equal MACs, compare the first three. Pooling before the convolution throws detail away before any weight has seen
#   it, and a maximum of 2×2 pixels makes a thin ring fatter and fills its gap. On another task that may do no harm.
# - *Max after* looks at every place and then keeps the strongest answers. It may win, but it also costs more.
#
# The paper that made strided convolutions popular (Springenberg et al. 2014) reports that they can replace pooling
# *without loss*. That is parity, not an improvement. Take it as an experiment to be made on your own data.

# %% [markdown]
# ## Meet the real thing
#
# The ladders of published networks, each at its own input size. `analyze` lists the maps; a rung is a map that is
# smaller than the one before.


# %%
def rungs(model, side):
    """The sizes of the maps on the way through a network, each once."""
    sizes = [side]
    for layer in analyze(model, (1, 3, side, side)).layers:
        shape = layer.output_shape
        if len(shape) == 4 and 1 < shape[-1] < sizes[-1]:
            sizes.append(shape[-1])
    return sizes


models = import_torchvision().models
with torch.device("meta"):  # shapes are enough, so no weights are made
    zoo = {
        "AlexNet": (models.alexnet(), 224),
        "VGG-16": (models.vgg16(), 224),
        "ResNet-18": (models.resnet18(), 224),
        "SqueezeNet 1.1": (models.squeezenet1_1(), 224),
        "ShuffleNetV2": (models.shufflenet_v2_x1_0(), 224),
        "Inception-v3": (models.inception_v3(init_weights=False), 299),
    }
for name, (model, side) in zoo.items():
    model.eval()
    print(f"{name:<15} {' → '.join(map(str, rungs(model, side)))}")
    if name.startswith("SqueezeNet"):
        for layer in model.modules():
            if isinstance(layer, nn.MaxPool2d):
                layer.ceil_mode = False
        print(f"{'  (floor)':<15} {' → '.join(map(str, rungs(model, side)))}")
print()
for side in (224, 192, 160, 128, 96):
    sizes = rungs(net, side)
    print(f"MobileNetV2     {' → '.join(map(str, sizes)):<32} k = {sizes[-1]}")

# %% [markdown]
# Three things to see.
#
# - **VGG, ResNet, ShuffleNet, MobileNet** halve exactly five times. 224 fits all of them, as every multiple of 32 does.
# - **AlexNet** and **SqueezeNet** do not follow r = k·2ⁿ at all. SqueezeNet begins with a convolution without padding: 224
#   becomes 111, and from there on nothing is even. (Its poolings round *up*, `ceil_mode=True`, so that the last window
#   may hang over the edge. At 224 this changes nothing, as the line in brackets shows.)
# - **Inception-v3** has many layers without padding, and each takes its rim off. So 299 is a size that makes
#   all these windows fit without a remainder.
#
# > **Myth or fact?** *Inception-v3 takes pictures of 229 × 229 by default.*

# %%
crop = models.Inception_V3_Weights.IMAGENET1K_V1.transforms().crop_size
inception = zoo["Inception-v3"][0]
print("torchvision's own preprocessing crops to", *crop)
for side in (229, 299):
    print(f"{side}: {' → '.join(map(str, rungs(inception, side)))}")

# %% [markdown]
# A slip of the pen that has been copied many times: 299. With 229 the network runs, at another last map than it was trained
# for, and nobody complains.
#
# **YOLO.** The small YOLOv2 has 3×3 layers with padding, which keep the size, and poolings, five of which halve. Its authors
# wanted an *odd* last map, so that a large object in the middle has one cell of its own. So 13·2⁵ = 416, not 448.

# %%
down = [(3, 1, 1), (2, 2, 0)]
for side in (416, 448):
    sizes, total = follow(side, down * 5)
    print(f"{side}: last map {sizes[-1]} × {sizes[-1]}, total stride {total}")

# AlexNet as first published: 11×11 with stride 4 and no padding, then three poolings of 3×3
alexnet = [(11, 4, 0), (3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 0)]
print()
for side in (224, 227):
    left_over = (side - 11) % 4
    sizes = follow(side, alexnet)[0]
    print(f"AlexNet, {side}: {left_over} px left over in the first layer, last map {sizes[-1]}")

# %% [markdown]
# So the original AlexNet wants 227: neither 224 nor any other k·2ⁿ fits its windows without a remainder.
#
# **What does resolution cost in accuracy, on real pictures?** MobileNetV1 was published at four sizes. The accuracy is
# the paper's (arXiv 1704.04861, tables 6 and 7). The MACs are computed here, with the ladder from above.

# %%
# blocks of MobileNetV1 after its first layer: output channels, stride
BLOCKS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5
BLOCKS += [(1024, 2), (1024, 1)]


def mobilenet_v1_macs(side, width=1.0):
    """Multiply-accumulates of MobileNetV1: one 3×3 layer, 13 depthwise separable blocks, one FC."""
    strides = [2] + [stride for _, stride in BLOCKS]
    sizes = follow(side, [(3, stride, 1) for stride in strides])[0][1:]
    channels = int(32 * width)
    total = 27 * channels * sizes[0] ** 2
    for (out, _), size in zip(BLOCKS, sizes[1:], strict=True):
        out = int(out * width)
        total += (9 * channels + channels * out) * size**2
        channels = out
    return total + channels * 1000


PAPER = [(224, 1.0, 70.6), (192, 1.0, 69.1), (160, 1.0, 67.2), (128, 1.0, 64.4)]
PAPER += [(224, 0.75, 68.4), (224, 0.5, 63.7), (224, 0.25, 50.6)]
print(f"{'picture':>7} {'width':>6} {'last map':>9} {'M MACs':>8} {'top-1, paper':>13}")
for side, width, top1 in PAPER:
    macs = mobilenet_v1_macs(side, width)
    print(f"{side:>7} {width:>6} {side // 32:>9} {macs / 1e6:>8.1f} {top1:>11.1f} %")

# %% [markdown]
# Two ways to save. Shrink the picture (first four rows) or make the network narrower (last three). Compare 128 at full
# width with 224 at half width: which one is better, and which one costs less? Neither beats the other in both. That there
# are two handles, and that one should turn both, is the beginning of chapters 09 and 17.
#
# And all the sizes in between? The same function, once for each size:

# %%
sides = list(range(96, 257))
counted = [mobilenet_v1_macs(side) / 1e6 for side in sides]
figure, axes = plt.subplots(figsize=(8.4, 3.2))
axes.plot(sides, counted, color="#0072b2", lw=2, label="counted")
smooth = [mobilenet_v1_macs(224) / 1e6 * (side / 224) ** 2 for side in sides]
axes.plot(sides, smooth, color="#d55e00", ls="--", label="in proportion to r²")
published = [side for side, width, _ in PAPER if width == 1]
axes.plot(published, [mobilenet_v1_macs(s) / 1e6 for s in published], "ko", label="published")
axes.set_xticks(range(96, 257, 32))
axes.set(xlabel="picture, pixels a side", ylabel="million MACs")
axes.legend()
figure.tight_layout()
plt.show()

over = [counted[i] / smooth[i] - 1 for i in range(len(sides))]
worst = max(range(len(sides)), key=over.__getitem__)
print(f"furthest above the curve: {sides[worst]} px, by {over[worst]:.0%}")
saved = 1 - mobilenet_v1_macs(sides[worst] - 1) / mobilenet_v1_macs(sides[worst])
print(f"one pixel less, {sides[worst] - 1} px, saves {saved:.0%} of the MACs")

# %% [markdown]
# A staircase. Just above a multiple of 32 every map has one row and one column more than the picture deserves. The smaller
# steps in the middle, at 113, 145, 177, 209 and 241, are just above an odd multiple of 16: there all maps grow but the
# last, which has grown already. *At* a
# multiple of 32 no map is rounded. That is what is true about r = k·2ⁿ: it is not the only size that works, it is the size
# that wastes nothing.
#
# Last, do your layers agree with PyTorch's on something of real size?


# %%
def agreement(name, exercise, obj, test):
    """Compare with PyTorch where the learner's object passes its check."""
    if not run_check(exercise, obj).passed:
        print(f"{name:<42} (yours does not pass yet)")
        return
    print(f"{name:<42} {'equal' if test() else 'different'}")


maps = torch.randn(2, 16, 28, 30, dtype=torch.float64)


def same_pool():
    values, places, back = pool_and_back(maps, 2)
    pooled, found = nn.MaxPool2d(2, return_indices=True)(maps)
    undone = nn.MaxUnpool2d(2)(pooled, found)
    return torch.equal(values, pooled) and torch.equal(places, found) and torch.equal(back, undone)


def same_transposed():
    layer = nn.ConvTranspose2d(16, 8, 4, 2, 1, bias=False).double()
    with torch.no_grad():
        return torch.allclose(layer(maps), transposed(maps, layer.weight, 2, 1, 0))


def same_bilinear():
    upsample = nn.Upsample(scale_factor=2, mode="bilinear")
    return torch.allclose(upsample(maps), bilinear(maps, (56, 60), False))


agreement("nn.MaxPool2d and nn.MaxUnpool2d", "03.pool", pool_and_back, same_pool)
agreement("nn.ConvTranspose2d, 16 to 8 channels", "03.transposed", transposed, same_transposed)
agreement("nn.Upsample, bilinear", "03.bilinear", bilinear, same_bilinear)
size = (14 - 1) * 2 - 2 * 1 + 3 + 1
print(f"\nkernel 3, stride 2, padding 1, output_padding 1: 14 becomes {size}, twice as much.")

# %% [markdown]
# ## Explain
#
# In your own words, two to four sentences each. In a class your teacher reads them.
#
# **1.** A colleague must bring a defect detector onto a microcontroller. At 224×224 it is four times too slow. She
# shrinks the pictures to 112×112, and scratches, two pixels wide before, are no longer found. What did she gain, what
# did she lose, and which other change would you try at the same cost?

# %% [markdown] nbgrader={"grade": true, "grade_id": "03-explain-1", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Half the side is a quarter of the multiplications and of the memory for the maps; the weights stay as many. But a
# scratch of two pixels is now one pixel wide and fainter, and the first stride blurs it further, before any layer has
# looked at it. At the same cost: keep the larger picture and make the network narrower or shallower, or halve
# later with fewer channels, or look at the picture in parts. Then measure, and train long enough; in the experiment above
# halving late was ahead of halving early with more width, at the same cost, after short and after long training.
#
# Rubric. 1 point: a quarter of the cost, and why (r²), with the detail lost. 1 point: a sensible other
# change at about the same cost, with a reason.
# ### END SOLUTION

# %% [markdown]
# **2.** A generated picture shows a fine regular grid. The network enlarges with transposed convolutions, kernel 3,
# stride 2. Where does the grid come from? Name two remedies.

# %% [markdown] nbgrader={"grade": true, "grade_id": "03-explain-2", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Copies of a 3×3 kernel that lie 2 apart overlap on every second row and column only: places get one, two or four
# contributions, in a fixed pattern. With weights that are not tuned to it, this shows as a checkerboard. Remedies: a
# kernel that is a multiple of the stride, such as 4 with stride 2; or enlarge by nearest neighbour or bilinearly and
# convolve afterwards; starting from tent weights helps too.
#
# Rubric. 1 point: uneven overlap since 3 is not divisible by 2. 1 point: two of the remedies.
# ### END SOLUTION

# %% [markdown]
# **3.** "Our classifier is fully convolutional with global average pooling, so we can feed it pictures of any size."
# What is right about it, and what would you test before relying on it?

# %% [markdown] nbgrader={"grade": true, "grade_id": "03-explain-3", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Right: the mean turns maps of any size into one number for each channel, so the shapes always fit and it runs. But it was
# trained at one size, and objects now have another size in pixels, which its filters have never seen. I would test
# the accuracy at the sizes in question, and train at several scales if they differ.
#
# Rubric. 1 point: runs at any size, and why. 1 point: accuracy may fall at other sizes; test it, or train multi-scale.
# ### END SOLUTION

# %% [markdown]
# ## Summary card
#
# | you want | you take |
# | --- | --- |
# | the maps of a network | your `ladder`: each layer (size + 2·padding − kernel) // stride + 1 |
# | pictures that end in k | your `choose`: as many sizes as the total stride |
# | … n layers of 3×3, stride 2, padding 1 | (k−1)·2ⁿ + 1 to k·2ⁿ |
# | … n poolings of 2×2 | k·2ⁿ to (k+1)·2ⁿ − 1 |
# | a quarter of the cost | half the side; the parameters stay |
# | to halve | a strided convolution (learnt), max pooling (the strongest), average pooling (the mean) |
# | to double without weights | nearest, bilinear; mind align_corners |
# | to double with weights | a transposed convolution, its kernel a multiple of the stride |
# | to go back to where the maximum was | max unpooling, with the places kept |
# | any picture size | global average pooling, and training at several scales |
#
# **To take along.** Cost goes with the square of the side. A small last map is no fault by itself: halving *before
# looking* made fine detail hard to learn, most of all in a short training. And a network that *runs* at another size need not *work* there.

# %%
progress()

# %% [markdown]
# ## Papers
#
# - V. Dumoulin, F. Visin. *A guide to convolution arithmetic for deep learning.* arXiv 1603.07285: all sizes, also of
#   transposed convolutions.
# - J. T. Springenberg et al. *Striving for Simplicity: The All Convolutional Net.* arXiv 1412.6806: strides in place
#   of pooling.
# - M. Zeiler, R. Fergus. *Visualizing and Understanding Convolutional Networks.* arXiv 1311.2901: unpooling with
#   remembered places.
# - A. Odena, V. Dumoulin, C. Olah. *Deconvolution and Checkerboard Artifacts.* Distill 2016, doi 10.23915/distill.00003.
# - J. Redmon, A. Farhadi. *YOLO9000: Better, Faster, Stronger.* arXiv 1612.08242: multi-scale training, 416 = 13 · 32.
# - A. Howard et al. *MobileNets.* arXiv 1704.04861: the resolution multiplier.
# - M. Lin et al. *Network In Network.* arXiv 1312.4400: global average pooling.
#
# Next: chapter 04 asks what a layer really costs.
