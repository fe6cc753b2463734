# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   lightcourse: {chapter: "02", title: "The receptive field", question: "How much of the picture does one pixel know?", minutes: 90, budget_seconds: 120, exercises: ["02.chain", "02.through", "02.branch", "02.probe", "02.effective"]}
# ---

# %% [markdown]
# # 02 · The receptive field
#
# **How much of the picture does one pixel know?**
#
# You will compute how far a network sees, check the answer by an experiment that cannot be fooled, and
# then measure what happens when a network sees a little less than the task needs.

# %%
import math

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn

from lightcourse import analyze, check, create_model, hint, predict, reveal, solution, viz
from lightcourse._torchvision import import_torchvision
from lightcourse.analysis import (
    chain_receptive_field,
    effective_receptive_field,
    trace,
    unit_interval,
)
from lightcourse.checks import hidden_check, run_check
from lightcourse.training.two_patches import ReachNet, distances, swapped_pair, train_once

torch.set_num_threads(1)  # the same numbers on every run
torch.manual_seed(0)
print("Ready. PyTorch", torch.__version__)

# %% [markdown]
# ## Question
#
# Somewhere deep inside a network, one number says *pedestrian*. Which pixels had a say in it?
#
# Not all of them. A **convolution (卷积)** looks at a small window; the weights that it lays over the window
# are its **kernel (卷积核)**, so a kernel of 3 looks at 3×3 places. The next convolution looks at a small window
# of those results. So each number stands over one patch of the picture, and nothing outside that patch can
# change it.
#
# A number at one place of a feature map is called a **unit (单元)**. Its patch of the picture is its
# **receptive field (感受野)**.
#
# Here is a task that shows why it matters. Each picture holds two small patches: one with horizontal
# stripes, one with vertical stripes. The class says which of them is on the left.

# %%
torch.manual_seed(1)
pictures = swapped_pair(distance=14)[:, 0] + 0.15 * torch.randn(2, 32, 32)
figure, axes = plt.subplots(1, 2, figsize=(8, 4.2))
for axis, image, name in zip(axes, pictures, ("horizontal", "vertical"), strict=True):
    axis.imshow(image, cmap="gray")
    axis.set_title(f"class {int(name == 'vertical')}: {name} stripes on the left")
    axis.axis("off")
for size, colour, x, y in ((11, "#d55e00", 3.5, 10.5), (19, "#56b4e9", 6, 6.5)):
    axes[0].add_patch(plt.Rectangle((x, y), size, size, fill=False, ec=colour, lw=2.5))
    box = {"facecolor": colour, "edgecolor": "none", "pad": 2}
    axes[0].text(x, y - 0.8, f"{size} px", weight="bold", color="black", bbox=box)
figure.tight_layout()
plt.show()

# %% [markdown]
# Move the orange square of 11 pixels over the picture in your mind. It can show you one patch, never both.
# And one patch alone says nothing, because every picture has one of each kind. The blue square of 19
# pixels has room for both.
#
# A network is in the same position. If its units see 11 pixels, no training will help.
#
# On a small device every layer costs time and memory, so light networks are short. A short network may
# simply not see far enough. That is good to know *before* the training.

# %% [markdown]
# ## Predict
#
# Three guesses, before you see any result. Nobody grades them. Put your answer in place of the dots.
#
# **First.** Five 3×3 convolutions follow each other, all with stride 1. How many pixels wide is the
# receptive field of one unit at the end? (A number.)

# %%
predict("02.p1", ...)

# %% [markdown]
# **Second.** Two networks have five 3×3 layers each. One layer has **stride (步幅)** 2: in one network the
# first, in the other the last. Which network's units see more?
#
# `"the early one"`, `"the late one"`, or `"both the same"`.

# %%
predict("02.p2", ...)

# %% [markdown]
# **Third.** Take the two patches above, 14 pixels apart. The network's units see 11 pixels. At the end it
# sums over all places, so it cannot know where a unit stands. The picture wraps around at its edges, so
# there is no border to go by either.
#
# What is the best accuracy that any training can reach: `"50 %"`, `"75 %"`, `"90 %"` or `"100 %"`?

# %%
predict("02.p3", ...)

# %% [markdown]
# ## Play
#
# Here is one unit over a photograph. Add layers with the slider, and watch what it can see.

# %%
viz.receptive_field()

# %% [markdown]
# Try this:
#
# 1. **plain 3×3**: step through the layers. How many pixels does each one add?
# 2. **slow ↓**, then **fast ↓**: from which layer on do the steps get longer? Compare the last layer of both.
# 3. **dilated**: up to layer 4 the square grows as fast as in *fast ↓*, without any stride. Stop at layer 4 and
#    set *Show* to **95%**, the pixels that count. What has happened inside the square?
# 4. Drag the unit into a corner. Part of its field now lies outside: that part is **padding (填充)**, made of
#    zeros.
#
# Now your first two guesses.

# %%
reveal("02.p1")

# %%
reveal("02.p2")

# %% [markdown]
# ## Build
#
# You now write the tools yourself. From here on a layer works on one axis; rows and columns go the same
# way.

# %% [markdown]
# ### Exercise 02.chain: follow the chain
#
# difficulty 3 of 5 · importance 5 of 5 · 15 minutes
#
# ```text
# layer 2, kernel 3                O              sees 7 pixels
#                              /   |   \
# layer 1, kernel 3, stride 2  o   o   o          they stand 2 pixels apart
#                             /|\ /|\ /|\
# picture                    · · · · · · ·        pixels 0 to 6
# ```
#
# Three numbers describe what the units of a layer see.
#
# * **size**: how many pixels wide one field is. Here 3 after the first layer, then 7.
# * **jump (间距)**: how many pixels lie between the fields of two neighbours. Here 2. The second layer has
#   stride 1, so its units also stand 2 pixels apart.
# * **start**: the pixel in the middle of unit 0's field. Pixel 0 is the first pixel.
#
# Where does the 7 come from? The second layer's window takes two steps, from its first place to its last.
# Each step is 2 pixels long. So it adds 4 to the 3 that were there.
#
# **Dilation (空洞)** pulls the places of a kernel apart: with dilation 2, a kernel of 3 touches the places
# 0, 2, 4.
#
# Padding puts zeros in front, so it moves unit 0 to the left. Without padding, the window of unit 0 covers
# pixels 0, 1, 2 and its middle is 1. With padding 1 it covers -1, 0, 1 and its middle is 0.
#
# Pooling is nothing new: its window and its stride work the same way.


# %% nbgrader={"grade": false, "grade_id": "02-chain", "locked": false, "schema_version": 3, "solution": true, "task": false}
def chain(layers: list[tuple[int, int, int, int]]) -> list[tuple[int, int, float]]:
    """Follow the receptive field through a chain of layers.

    layers: one (kernel, stride, padding, dilation) per layer; the one next to the picture is first.
    Returns one (size, jump, start) per layer, in the same order:
        size   pixels from the first to the last that one unit sees
        jump   pixels between the fields of two neighbouring units
        start  the middle of unit 0's field; pixel 0 sits at 0, and halves are allowed

    chain([(3, 2, 1, 1), (3, 1, 1, 1)]) is [(3, 2, 0.0), (7, 2, 0.0)]
    """
    ### BEGIN SOLUTION
    size, jump, start = 1, 1, 0.0
    rows = []
    for kernel, stride, padding, dilation in layers:
        span = (kernel - 1) * dilation  # steps from the first place of the window to the last
        size += span * jump
        start += (span / 2 - padding) * jump
        jump *= stride  # only now: the stride counts for the layers that follow
        rows.append((size, jump, start))
    return rows
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "02-chain-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("02.chain", chain)
### BEGIN HIDDEN TESTS
hidden_check("02.chain", chain, seed=7)
### END HIDDEN TESTS

# %%
hint("02.chain")

# %% [markdown]
# Put your own layers under the microscope: change the list, run the cell, and move the slider. Can you reach
# 60 pixels with five 3×3 layers? Large dilations need a larger picture to stand on: put `size=128` into the last line.

# %%
mine = [(3, 2, 1, 1), (3, 1, 1, 1), (3, 2, 1, 1), (3, 1, 2, 2), (3, 1, 1, 1)]
if run_check("02.chain", chain).passed:
    for layer, (size, jump, start) in zip(mine, chain(mine), strict=True):
        print(f"{layer}: size {size}, jump {jump}, start {start:g}")
else:
    print("Your chain() is not right yet; the picture below does not need it.")
viz.receptive_field(mine, size=64)

# %% [markdown]
# ### Exercise 02.through: look back through one layer
#
# difficulty 3 of 5 · importance 4 of 5 · 20 minutes
#
# The chain goes forward and carries three numbers. There is a second way that gets further: stand at the
# output and look back. *To know outputs 5 to 8, which inputs do I need?*
#
# For a convolution you need every place that one of the windows touches. For example, kernel 3, stride 2,
# padding 1:
#
# ```text
# outputs        5       6          window of 5: inputs  9 10 11
#              / | \   / | \        window of 6: inputs 11 12 13
# inputs      9  10  11  12  13     so outputs 5 to 6 need inputs 9 to 13
# ```
#
# A **transposed convolution (转置卷积)** makes the map larger. It works the other way round: each *input* writes
# a copy of the kernel to the outputs. With kernel 4, stride 2, padding 1, input i writes to the four outputs
# from 2·i - 1 on:
#
# ```text
# inputs         2           3           4
# outputs    3 4 5 6     5 6 7 8     7 8 9 10      output 6 hears from inputs 2 and 3
# ```
#
# Two kinds are enough. Pooling looks back like a convolution. Nearest-neighbour upsampling by 2 looks back
# like a transposed convolution with kernel 2 and stride 2.


# %% nbgrader={"grade": false, "grade_id": "02-through", "locked": false, "schema_version": 3, "solution": true, "task": false}
def look_back(layer: tuple[str, int, int, int, int], lo: int, hi: int) -> tuple[int, int]:
    """Find the inputs that the outputs lo to hi of one layer need.

    layer: (kind, kernel, stride, padding, dilation); kind is "conv" or "transposed".
           A transposed layer has dilation 1 and a kernel at least as large as its stride.
    lo, hi: first and last output, both included.
    Returns (first, last) input, both included. Nothing is cut: numbers below 0 lie in the padding.

    look_back(("conv", 3, 2, 1, 1), 5, 6) is (9, 13)
    look_back(("transposed", 4, 2, 1, 1), 6, 6) is (2, 3)
    """
    kind, kernel, stride, padding, dilation = layer
    ### BEGIN SOLUTION
    if kind == "conv":
        first_window, last_window = lo * stride - padding, hi * stride - padding
        return first_window, last_window + (kernel - 1) * dilation
    # input i writes to i * stride - padding and the kernel - 1 outputs after it
    return math.ceil((lo + padding - (kernel - 1)) / stride), (hi + padding) // stride
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "02-through-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("02.through", look_back)
### BEGIN HIDDEN TESTS
hidden_check("02.through", look_back, seed=7)
### END HIDDEN TESTS

# %%
hint("02.through")

# %% [markdown]
# ### Exercise 02.branch: walk through branches
#
# difficulty 3 of 5 · importance 4 of 5 · 10 minutes
#
# Real networks branch. A **residual block (残差块)** adds its input to its result. An Inception block runs
# several kernels side by side and stacks the results.
#
# ```text
#              ┌── 3×3 ── 3×3 ──┐
# picture ─────┤                add ── unit
#              └────────────────┘
# ```
#
# Whether the branches are added or stacked does not matter here. The unit depends on whatever *any* of them
# sees.
#
# A net is written as a list, from the picture to the output. An item is a layer, or a dictionary with one
# entry that holds the branches. Each branch is again a net, so there may be branches inside branches. An
# empty branch `[]` is a **shortcut (捷径)**: it hands its input on. The block above is
#
# ```python
# [{"add": [[("conv", 3, 1, 1, 1), ("conv", 3, 1, 1, 1)], []]}]
# ```
#
# The function `back` does what you wrote in the last exercise. It is handed in, so a mistake there does no
# harm here.


# %% nbgrader={"grade": false, "grade_id": "02-branch", "locked": false, "schema_version": 3, "solution": true, "task": false}
def extent(net: list, lo: int, hi: int, back) -> tuple[int, int]:
    """Find the pixels that the outputs lo to hi of a net with branches need.

    net: a list of layers and of dictionaries {"add": [net, net, …]} or {"concat": [net, net, …]}.
    back: back(layer, lo, hi) -> (first, last), as look_back.
    Returns (first, last) pixel, both included and not cut.

    extent([{"concat": [[("conv", 3, 1, 1, 1)], [("conv", 5, 1, 2, 1)]]}], 0, 0, look_back) is (-2, 2)
    """
    ### BEGIN SOLUTION
    for item in reversed(net):
        if isinstance(item, dict):
            [branches] = item.values()
            spans = [extent(branch, lo, hi, back) for branch in branches]
            lo, hi = min(first for first, _ in spans), max(last for _, last in spans)
        else:
            lo, hi = back(item, lo, hi)
    return lo, hi
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "02-branch-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("02.branch", extent)
### BEGIN HIDDEN TESTS
hidden_check("02.branch", extent, seed=7)
### END HIDDEN TESTS

# %%
hint("02.branch")

# %% [markdown]
# ### Exercise 02.probe: ask the network itself
#
# difficulty 3 of 5 · importance 5 of 5 · 10 minutes
#
# So far you have trusted formulas. Now ask a real `nn.Module`, without knowing its layers.
#
# The first idea is a **gradient (梯度)**: if the gradient of a unit with respect to a pixel is zero, the pixel
# does not matter. Look what it says about a small net, and compare with the formula.

# %%
net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1))
image = torch.randn(1, 1, 16, 16, requires_grad=True)
unit = net(image)[0, 0, 4, 4]
(slope,) = torch.autograd.grad(unit, image)
found = slope[0, 0].nonzero()
print("gradient:", [len(set(found[:, axis].tolist())) for axis in (0, 1)], "rows and columns")
print("formula: ", chain_receptive_field([(3, 1, 1, 1), (3, 2, 1, 1)])[-1][0], "rows and columns")

# %% [markdown]
# The gradient sees too little. A max pool passes on the winner only. A ReLU at zero passes on nothing, and
# so does a weight of zero. These pixels *could* matter, with another picture or with other weights.
#
# We need something that gets through everything. There is such a number: **NaN**, "not a number". NaN times zero
# is NaN. The maximum of NaN and anything is NaN. So put NaN into the picture and see whether it comes out at the
# unit.
#
# ```text
# row 4 of the picture is NaN    →  net  →   the unit is NaN:    row 4 is in its field
# row 9 of the picture is NaN    →  net  →   the unit is fine:   row 9 is not
# ```


# %% nbgrader={"grade": false, "grade_id": "02-probe", "locked": false, "schema_version": 3, "solution": true, "task": false}
def probe(
    net: nn.Module, shape: tuple[int, int, int], unit: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Find by experiment which rows and columns of the picture can reach one unit.

    net: maps (N, C, H, W) to (N, C', H', W'), both float64; it is in eval mode.
    shape: (C, H, W) of one picture.  unit: (row, column) in the output map, with all its channels.
    Returns ((top, bottom), (left, right)), all included, as ints. Only pixels that exist count.

    A 3×3 convolution with padding 1 on a picture of 7×9, unit (3, 4): ((2, 4), (3, 5))
    """
    ### BEGIN SOLUTION
    channels, height, width = shape
    row, column = unit

    @torch.no_grad()
    def reached(images: Tensor) -> tuple[int, int]:
        """First and last picture of the batch whose NaN arrives at the unit."""
        out = net(images)[:, :, row, column]
        places = out.isnan().any(1).nonzero().flatten()
        return int(places[0]), int(places[-1])

    by_row = torch.zeros(height, channels, height, width, dtype=torch.float64)
    for i in range(height):
        by_row[i, :, i, :] = torch.nan  # picture i: row i is poisoned, in every channel
    by_column = torch.zeros(width, channels, height, width, dtype=torch.float64)
    for i in range(width):
        by_column[i, :, :, i] = torch.nan
    return reached(by_row), reached(by_column)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "02-probe-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("02.probe", probe)
### BEGIN HIDDEN TESTS
hidden_check("02.probe", probe, seed=7)
### END HIDDEN TESTS

# %%
hint("02.probe")

# %% [markdown]
# ### Exercise 02.effective: how much does each pixel count?
#
# difficulty 3 of 5 · importance 4 of 5 · 8 minutes
#
# NaN told you which pixels *can* matter. The gradient was the wrong tool for that question. It is the right
# tool for another one: how much *does* each pixel matter?
#
# Count the ways. With two 3×3 layers, a pixel right below the unit is reached in nine ways, the pixel in the
# corner of the field in one. Here they are, along one axis:
#
# ```text
# pixel          -2  -1   0   1   2
# ways            1   2   3   2   1
# ```
#
# So the middle counts more than the rim. The region that really counts is called the **effective receptive
# field (有效感受野)** (Luo et al. 2016).
#
# To measure it, take the gradient of the unit for several random pictures. A gradient can be positive or
# negative, so square it. Then average.


# %% nbgrader={"grade": false, "grade_id": "02-effective", "locked": false, "schema_version": 3, "solution": true, "task": false}
def influence(net: nn.Module, images: Tensor, unit: tuple[int, int]) -> Tensor:
    """Measure which share each pixel has in moving one unit.

    net: maps (N, C, H, W) to (N, C', H', W').
    images: (N, C, H, W), N random pictures; leave them as they are.
    unit: (row, column) in the output map; its value is the sum of its C' channels.
    Returns (H, W): the squared gradient of the unit with respect to each pixel, summed over the C
    colours, averaged over the N pictures, and divided by its sum, so that all shares add up to 1.
    """
    ### BEGIN SOLUTION
    x = images.detach().clone().requires_grad_()
    value = net(x)[:, :, unit[0], unit[1]].sum()  # pictures do not see each other: one call for all
    (gradient,) = torch.autograd.grad(value, x)
    heat = gradient.square().sum(1).mean(0)
    return heat / heat.sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "02-effective-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("02.effective", influence)
### BEGIN HIDDEN TESTS
hidden_check("02.effective", influence, seed=7)
### END HIDDEN TESTS

# %%
hint("02.effective")

# %% [markdown]
# To turn the map into one number, we take the smallest centred square that holds 95 % of the influence.
# This function is given; you need it below.


# %%
def side_of_square(heat: Tensor, row: int, column: int, share: float = 0.95) -> int:
    """Side of the smallest square around a pixel that holds this share of the influence."""
    for reach in range(max(heat.shape)):
        top, left = max(0, row - reach), max(0, column - reach)
        if heat[top : row + reach + 1, left : column + reach + 1].sum() >= share:
            break
    return 2 * reach + 1


def given_influence(net, images, unit):
    """Stands in for influence() until yours is right."""
    _, channels, *size = images.shape
    return torch.as_tensor(effective_receptive_field(net, tuple(size), unit, in_channels=channels))


heat_of = influence if run_check("02.effective", influence).passed else given_influence
if heat_of is given_influence:
    print("influence() is not right yet, so the course's own stands in for it.\n")

for depth in (4, 8, 16, 32):
    heats = []
    for seed in range(16):
        torch.manual_seed(seed)
        net = nn.Sequential(*[nn.Conv2d(1, 1, 3, padding=1, bias=False) for _ in range(depth)])
        heats.append(heat_of(net, torch.randn(1, 1, 65, 65), (32, 32)))
    side = side_of_square(torch.stack(heats).mean(0), 32, 32)
    theory = chain_receptive_field([(3, 1, 1, 1)] * depth)[-1][0]
    print(f"{depth:>2} layers of 3×3: {theory} px in theory, {side} px hold 95 % of the influence")

# %% [markdown]
# The square in theory grows with the depth. The square that counts grows more slowly: about with the square
# root of the depth, say Luo et al. for layers like these.

# %% [markdown]
# ## Measure
#
# Now the two patches. The claim: **accuracy steps up when the receptive field reaches from one patch to the
# other.**
#
# To test it fairly, only the receptive field may change. So all networks below have the same four layers and
# the same number of weights. One layer has a different dilation, and nothing else.

# %%
DILATIONS, PATCH = (1, 2, 3, 8), 4
DISTANCES = distances(10, 14)  # pixels between the patches; at the end you may try others
own_chain = run_check("02.chain", chain).passed
follow = chain if own_chain else chain_receptive_field
print("Receptive fields by", "your chain()." if own_chain else "the course's own function.")
print("\ndilation   parameters      MACs   receptive field")
field = {}
for dilation in DILATIONS:
    net = ReachNet(dilation)
    cost = analyze(net, (1, 1, 32, 32))
    field[dilation] = follow(list(net.layers))[-1][0]
    print(f"{dilation:>8}   {cost.params:>10,}   {cost.macs:>7,}   {field[dilation]:>9} px")

# %% [markdown]
# **Data card.** 32×32 pixels, one channel, noise; two patches of 4×4, 10 or 14 pixels apart from centre to
# centre. 1,000 pictures to train on, 1,000 others to test on, half of each class. The picture wraps around.
# Made by `lightcourse.training.two_patches`; nothing is downloaded.
#
# First an experiment without any training. Take one picture without noise, and the same picture with the patches
# exchanged. Feed both to networks with random weights. How different are the answers?

# %%
print("difference between the two orders, as a share of the answer to the patches:\n")
print("receptive field   " + "".join(f"{f'{d} px apart':>16}" for d in DISTANCES))
for dilation in DILATIONS:
    cells = []
    for distance in DISTANCES:
        pair = swapped_pair(distance)
        both = torch.cat([pair, torch.zeros_like(pair[:1])])
        shares = []
        for seed in range(20):
            torch.manual_seed(seed)
            with torch.no_grad():
                one, two, nothing = ReachNet(dilation).double().eval()(both)
            shares.append(float((one - two).norm() / (one - nothing).norm()))
        mean = sum(shares) / len(shares)
        cells.append("exactly 0" if max(shares) < 1e-12 else f"{mean:.1%}")
    print(f"{field[dilation]:>12} px   " + "".join(f"{cell:>16}" for cell in cells))

# %% [markdown]
# One cell says *exactly 0*, for every choice of weights. There the network gives both classes the same answer.
# Training only changes weights, so it cannot help.

# %%
reveal("02.p3")

# %% [markdown]
# Now train. One seed sets the first weights, the pictures and their order. A single seed can mislead, so we
# take three, one per cell. Each cell trains eight networks and takes about a quarter of a minute.

# %%
scores = {}


def train_all(seed: int) -> None:
    """Train each network on each distance with one seed, and print the test accuracies."""
    print(f"seed {seed}   " + "".join(f"{f'{field[d]} px':>9}" for d in DILATIONS))
    for distance in DISTANCES:
        for dilation in DILATIONS:
            scores[distance, dilation, seed], _ = train_once(dilation, distance, seed)
        row = "".join(f"{scores[distance, d, seed]:>9.1%}" for d in DILATIONS)
        print(f"{distance:>2} apart {row}")


train_all(0)

# %%
train_all(1)

# %%
train_all(2)


# %%
def mean_and_deviation(values: list[float]) -> tuple[float, float]:
    """Mean and sample standard deviation."""
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))


table = {
    (distance, dilation): mean_and_deviation([scores[distance, dilation, s] for s in range(3)])
    for distance in DISTANCES
    for dilation in DILATIONS
}
print("test accuracy, mean ± standard deviation of 3 seeds\n")
print("receptive field   " + "".join(f"{f'{d} px apart':>18}" for d in DISTANCES))
for dilation in DILATIONS:
    cells = [f"{mean:.1%} ± {sd:.1%}" for mean, sd in (table[d, dilation] for d in DISTANCES)]
    print(f"{field[dilation]:>12} px   " + "".join(f"{cell:>18}" for cell in cells))

figure, axes = plt.subplots(figsize=(8, 3.6))
sizes = [field[d] for d in DILATIONS]
for distance in DISTANCES:
    means, deviations = zip(*(table[distance, d] for d in DILATIONS), strict=True)
    line = axes.errorbar(sizes, means, deviations, marker="o", capsize=4, lw=2,
                         label=f"{distance} px apart")  # fmt: skip
    whole, colour = distance + PATCH, line[0].get_color()
    axes.axvline(whole, color=colour, ls=":")
    axes.text(whole + 0.2, 0.52, f"{whole}", color=colour)
axes.axhline(0.5, color="grey", lw=1)
axes.set(xlabel="receptive field (px); dotted: both patches fit in", ylabel="test accuracy")
axes.legend(loc="center right")
figure.tight_layout()
plt.show()

# %%
for distance in DISTANCES:
    means = {d: table[distance, d][0] for d in DILATIONS}
    best = max(means.values())
    there = next(d for d in DILATIONS if means[d] > best - 0.02)
    before = DILATIONS[max(0, DILATIONS.index(there) - 1)]
    whole = distance + PATCH
    print(f"{distance} px apart: both patches fit into {whole} px.")
    print(f"   {field[before]} px: {means[before]:.1%}.   {field[there]} px: {means[there]:.1%}.")
    last = DILATIONS[-1]
    gap = best - means[last]
    spread = max((table[distance, d][1] for d in DILATIONS if means[d] > 0.9), default=1.0)
    verdict = "clearly worse than the best" if gap > 3 * spread else "no better than the best"
    print(f"   {field[last]} px: {means[last]:.1%}, {verdict} ({best:.1%}).")

# %% [markdown]
# Read the table with three questions.
#
# * **Does the step come where it should?** It comes between the last field that is too small and the first that
#   holds both patches. Move the patches apart, and the step moves with them. That is the best sign that the
#   receptive field is the cause.
# * **What about the fields in between?** 11 px for patches 10 px apart, and 15 px for 14: these fields touch both
#   patches, 2 or 3 columns of each. The experiment without training shows that something arrives. Yet little or
#   nothing comes of it, and where the seeds disagree much, no mean can be trusted. The rim of a field counts for
#   little. *Theory says what is possible; the effective field says what is likely.*
# * **Is more always better?** No. Once the patches fit in, more brings nothing. And the largest field, wider than the
#   picture itself, is worse for the closer pair. Why? Look at what its units see.

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 4.2))
for axis, dilation in zip(axes, (3, 8), strict=True):
    heats = []
    for seed in range(12):
        torch.manual_seed(seed)
        body = ReachNet(dilation).body.eval()
        heats.append(heat_of(body, torch.randn(2, 1, 32, 32), (8, 8)))
    heat = torch.stack(heats).mean(0)
    # how many of the 4 rows that the patches cover the unit sees, column by column
    rows_seen = (heat[15:19] > 0).sum(0)

    def pixels_seen(x: int) -> int:
        """Pixels that the unit sees of a patch whose left edge stands in column x."""
        return int(rows_seen[x : x + 4].sum())  # noqa: B023

    # of a pair, the patch that is seen less decides; find the place where that one is seen best
    worse_of_pair = [min(pixels_seen(x), pixels_seen(x + 10)) for x in range(18)]
    left = worse_of_pair.index(max(worse_of_pair))
    axis.imshow(heat.sqrt(), cmap="magma")
    axis.set_title(
        f"dilation {dilation}, field {field[dilation]} px:\n{max(worse_of_pair)} of 16 pixels seen"
    )
    for x in (left, left + 10):
        axis.add_patch(plt.Rectangle((x - 0.5, 14.5), 4, 4, fill=False, ec="#56b4e9", lw=2))
    axis.axis("off")
figure.tight_layout()
plt.show()

# %% [markdown]
# Bright pixels count much, black ones not at all. The blue frames are two patches 10 px apart, at the place where
# this unit sees both best; the title counts the pixels of the one that it sees less. A large dilation leaves
# **holes**: wherever the pair stands, part of it is in the dark. The size of a field is the distance between its
# ends. It does not promise that everything in between is seen.

# %% [markdown]
# One question is left. Are the two fields that failed at 14 px hopeless, or did they need more? For the smallest you
# know it already: *exactly 0*, whatever the weights. Give the other one four times the pictures.

# %%
score, _ = train_once(2, 14, seed=0, n=4000)
print(f"{field[2]} px, patches 14 px apart, 4,000 pictures: {score:.1%}")

# %% [markdown]
# One seed, so take it as a hint. But the two fields differ in kind. A field that never touches both patches is a wall.
# A field that just touches both is a slope: it can be climbed, at a price.
#
# **What this experiment does not show.** The task was made so that reach decides, and natural pictures are not. The
# picture wraps around, which real pictures do not. Three seeds show a large effect well, and a difference of one point
# not at all. To see more, put other distances into `distances(10, 14)` above, say `distances(10, 12)`, and run all
# cells of this section again; or another seed. More than 14 makes no sense here: on a picture of 32 pixels that wraps
# around, patches 18 apart are 14 apart the other way round.

# %% [markdown]
# ## Meet the real thing
#
# How far do published networks see? `analyze` walks back through any network, as your `extent` does. The numbers
# are for the last map before the global pooling, which then sees everything.

# %%
models = import_torchvision().models
with torch.device("meta"):  # shapes are enough, so no weights are made
    zoo = {
        "MobileNetV2 (ours)": (create_model("mobilenet_v2"), 224),
        "MobileNetV2": (models.mobilenet_v2(), 224),
        "AlexNet": (models.alexnet(), 224),
        "VGG-16": (models.vgg16(), 224),
        "ResNet-18": (models.resnet18(), 224),
        "ResNet-50": (models.resnet50(), 224),
        "SqueezeNet 1.1": (models.squeezenet1_1(), 224),
        "ShuffleNetV2": (models.shufflenet_v2_x1_0(), 224),
        "Inception-v3": (models.inception_v3(init_weights=False), 299),
        "DenseNet-121": (models.densenet121(), 224),
    }
rows = []
for name, (model, side) in zoo.items():
    report = analyze(model, (1, 3, side, side))
    depth = sum(layer.kind in ("Conv2d", "Linear") for layer in report.layers)
    rows.append((depth, report.receptive_field.size[0], report.macs / 1e6, side, name))
print(f"{'network':<20} {'layers':>7} {'M MACs':>8} {'picture':>8} {'receptive field':>16}")
for depth, size, macs, side, name in sorted(rows):
    print(f"{name:<20} {depth:>7} {macs:>8,.0f} {side:>5} px {size:>13} px")

# %% [markdown]
# *Layers* counts convolutions and fully connected layers in the module. Google's table in the Distill article
# prints the same 195 for AlexNet, 212 for VGG-16 and 1311 for Inception-v3.
#
# Two rows deserve a second look. ResNet-18 and ResNet-50: which one sees further? The smaller one. Both have sixteen
# 3×3 layers, but ResNet-18 has four of them in the last stage, where the steps are longest, and ResNet-50 has three.
# Also, torchvision's ResNet-50 puts the stride into the 3×3 layer itself (it is called v1.5); the paper has it in the
# 1×1 layer before, so that the 3×3 layer already takes the longer steps. (Why 21 layers and not 18? The three 1×1
# layers in the shortcuts count here too.)
#
# And most fields are larger than the picture: the field of a middle unit reaches into the padding on all sides.

# %% [markdown]
# > **Myth or fact?** *网络越深, 感受野越大: the deeper the network, the larger the receptive field.*
# >
# > Decide first. MobileNetV1 has 28 layers. FD-MobileNet has 24, and it shrinks the picture sooner (Qin et al. 2018).
# > Between the 3×3 layers below stand 1×1 layers, which add nothing. The last layer is fully connected and comes
# > after the pooling.

# %%
strides = {
    "MobileNetV1 (28 layers)": [2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1],
    "FD-MobileNet (24 layers)": [2, 2, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1],
}
for name, steps in strides.items():
    layers = []
    for i, stride in enumerate(steps):
        layers += [(3, stride, 1, 1)] + [(1, 1, 0, 1)] * (i > 0)
    size, jump, _ = follow(layers)[-1]
    print(f"{name:<25} sees {size} px: {len(steps)} of its layers look around, jump {jump}")

# %% [markdown]
# A myth, as it stands. Depth alone adds nothing: only layers with a kernel above 1 make the field larger, and they
# do so by `jump` pixels a step. Shrink early, and all later steps are long.
#
# **Do two methods agree?** `analyze` knows the layers. The NaN probe knows nothing. Here both look at the first
# seven blocks of a MobileNetV2, depthwise layers, shortcuts and all.


# %%
def in_words(box) -> str:
    (top, bottom), (left, right) = box
    return f"rows {top} to {bottom}, columns {left} to {right}"


shape, place = (3, 96, 96), (1, 6)
part = create_model("mobilenet_v2", width_mult=0.25).features[:7].eval()
recorded = trace(part, (1, *shape))
cut = unit_interval(recorded, -1, place, clip=True)
print("walk:              ", in_words(unit_interval(recorded, -1, place)))
print("cut to the picture:", in_words(cut))
if run_check("02.probe", probe).passed:
    found = probe(part.double(), shape, place)
    print("your NaN probe:    ", in_words(found))
    print("They agree." if found == cut else "They differ: who is right?")
else:
    print("Your probe() is not right yet, so the second method is missing here.")

# %% [markdown]
# **Theory and effect.** And how much of its large field does MobileNetV2 use? Here are the theoretical field and the
# square with 95 % of the influence, block by block. The weights are random, as before training.

# %%
figure, axes = plt.subplots(1, 4, figsize=(9.6, 2.9))
print("blocks   in theory   95 % of the influence")
for axis, blocks in zip(axes, (4, 7, 11, 18), strict=True):
    torch.manual_seed(0)
    part = create_model("mobilenet_v2").features[:blocks].eval()
    seen = analyze(part, (1, 3, 224, 224)).receptive_field
    middle = analyze(part, (1, 3, 224, 224)).output_shape[-1] // 2
    heat = heat_of(part, torch.randn(4, 3, 224, 224), (middle, middle))
    centre = round(seen.start[0] + middle * seen.stride[0])
    side = side_of_square(heat, centre, centre)
    print(f"{blocks:>6} {seen.size[0]:>8} px {side:>19} px")
    axis.imshow(heat.sqrt(), cmap="magma")
    for size, colour in ((seen.size[0], "white"), (side, "#56b4e9")):
        corner = centre - size / 2
        axis.add_patch(plt.Rectangle((corner, corner), size, size, fill=False, ec=colour))
    axis.set(xlim=(-0.5, 223.5), ylim=(223.5, -0.5), title=f"{blocks} blocks")
    axis.axis("off")
figure.suptitle("white: theory, blue: 95 % of the influence", y=0.06, fontsize=9)
figure.tight_layout()
plt.show()

# %% [markdown]
# In the last panel the field in theory is larger than the picture, so its white frame lies outside; the part that
# counts is much smaller. (The heat leans to the top left. With stride 2 on an even number of pixels, unit 0 stands over
# the first pixel, but the last unit does not stand over the last one.) So when you
# choose a network, take the number in theory for what it is: an upper bound. Leave a good margin.

# %% [markdown]
# ## Explain
#
# In your own words, two or three sentences each. In a class your teacher reads them.
#
# **1.** A network for a doorbell has six 3×3 layers, all with stride 1. It cannot tell whether the hand is to the
# left or to the right of the face, 40 pixels away. A colleague wants to train it longer. What do you answer, and
# which change do you propose that costs no additional weights?

# %% [markdown] nbgrader={"grade": true, "grade_id": "02-explain-1", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Six such layers give a field of 1 + 6 · 2 = 13 pixels, so no unit sees hand and face together; if the head only
# sums over places, longer training cannot help. Put strides of 2 early (this also saves MACs), or use dilation in
# some layers: the weights stay the same. Reach clearly past 40 pixels plus the two objects, because the rim counts
# little.
#
# Rubric. 1 point: computes 13 or says that the field is smaller than the distance, hence no training helps.
# 1 point: early stride or dilation (or a pooling layer), with the reason that later steps get longer.
# ### END SOLUTION

# %% [markdown]
# **2.** A data sheet says: “Receptive field 491 pixels, so every unit uses the whole picture of 224 pixels.” What is
# right about it, and what is not?

# %% [markdown] nbgrader={"grade": true, "grade_id": "02-explain-2", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# A unit in the middle can depend on every pixel; that is what the theoretical field says. But most ways lead to the
# middle of the field, so the pixels near its rim have almost no influence: the effective field is a fraction of
# it. It may also have holes where strides or dilations skip pixels.
#
# Rubric. 1 point: theory is an upper bound of what can matter. 1 point: the effective field is smaller (or has
# holes), with a reason.
# ### END SOLUTION

# %% [markdown]
# **3.** For one pixel the gradient says zero, and the NaN probe says that the pixel is in the field. Who is right?

# %% [markdown] nbgrader={"grade": true, "grade_id": "02-explain-3", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Both; they answer different questions. The gradient says that a small change of this pixel has no effect now, with
# these weights and this picture: it may have lost in a max pool, or stand behind a dead ReLU or a zero weight. NaN says
# that there is a connection, so with other weights or another picture the pixel could matter.
#
# Rubric. 1 point: two different questions, does it matter now against can it matter. 1 point: names a reason for a
# vanishing gradient.
# ### END SOLUTION

# %% [markdown]
# ## Summary card
#
# | you want | you take |
# | --- | --- |
# | the field after a chain | your `chain`: each layer adds the steps of its window, each as long as the jump below |
# | what a stride does | it makes the steps of all *later* layers longer, never its own |
# | to look back from an output | your `look_back`: where does the first window begin, where does the last one end? |
# | … through branches | your `extent`: whatever any of the branches needs |
# | to know whether a pixel *can* matter | poison it with NaN |
# | to know whether it *does* matter | square the gradient, average over pictures |
# | any model at once | `analyze(model).receptive_field` |
#
# **To take along.** A stride widens the steps of all later layers. A field too small is a wall: no training gets
# over it. A field that only just reaches learns slowly: the rim counts little, and there may be holes.

# %% [markdown]
# ## Papers
#
# * A. Araujo, W. Norris, J. Sim. *Computing Receptive Fields of Convolutional Neural Networks.* Distill 2019,
#   doi 10.23915/distill.00021. Derives the formulas, also for branches.
# * W. Luo, Y. Li, R. Urtasun, R. Zemel. *Understanding the Effective Receptive Field in Deep Convolutional Neural
#   Networks.* NIPS 2016, arXiv 1701.04128.
# * Z. Qin et al. *FD-MobileNet: Improved MobileNet with a Fast Downsampling Strategy.* 2018, arXiv 1802.03750.
# * M. Sandler et al. *MobileNetV2: Inverted Residuals and Linear Bottlenecks.* CVPR 2018, arXiv 1801.04381.
#
# Next: chapter 03 asks how small the picture may get.

# %%
# solution("02.chain")
