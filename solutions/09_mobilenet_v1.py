# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   lightcourse: {chapter: "09", title: "MobileNet and its two dials", question: "One network for every phone: what do you turn down, and what do you lose?", minutes: 75, budget_seconds: 90, exercises: ["09.block", "09.cost", "09.macs", "09.network", "09.choose"]}
# ---

# %% [markdown]
# # 09 · MobileNet and its two dials
#
# **One network for every phone: what do you turn down, and what do you lose?**
#
# About 75 minutes. You will write MobileNet's block, foretell what the whole network costs at any setting, build the
# published network to the last weight, and choose the best one for a budget.

# %%
import time

import matplotlib.pyplot as plt
import torch
from IPython.display import display
from torch import Tensor, nn

from lightcourse import (
    analyze,
    check,
    create_model,
    hint,
    model_info,
    predict,
    progress,
    reveal,
    solution,
    viz,
)
from lightcourse import nn as blocks
from lightcourse.checks import hidden_check, run_check, stand_in
from lightcourse.design.portrait import load_portrait
from lightcourse.models import published
from lightcourse.myths import myth
from lightcourse.training import studies

torch.manual_seed(0)
torch.set_num_threads(1)  # one thread gives the same numbers at every run
print("Ready. PyTorch", torch.__version__)

# %% [markdown]
# ## Question
#
# In 2014 a good image classifier was VGG-16. It multiplies and adds 15 billion times for each picture: far too much for
# a phone.
#
# In 2017 **MobileNet** came to within a point of its accuracy. Run the cell to see at what price.

# %%
NAMES = {"VGG-16": "vgg16", "GoogLeNet": "googlenet", "MobileNet": "mobilenet_v1"}
figure, axes = plt.subplots(1, 2, figsize=(9, 2.3), sharey=True)
infos = [model_info(name) for name in NAMES.values()]
columns = {
    "million MACs": [info.macs / 1e6 for info in infos],
    "million parameters": [info.params / 1e6 for info in infos],
}
for ax, (title, values) in zip(axes, columns.items(), strict=True):
    bars = ax.barh(list(NAMES), values, color=["#999999", "#999999", "#0072b2"])
    ax.bar_label(bars, [f"{value:,.1f}" for value in values], padding=3)
    ax.set_title(title, fontsize=10)
    ax.set_xlim(0, 1.45 * max(values))
axes[0].invert_yaxis()
figure.tight_layout()
plt.show()

# %% [markdown]
# (The counts are ours, made with `analyze`. The accuracies stand side by side in the paper's Table 8.)
#
# But *a* phone does not exist. One has 500 million multiply-accumulates, **MACs (乘加次数)**, to spare for a picture,
# another has 50, and a doorbell has 15. To design a network for each of them would take years.
#
# MobileNet has a simpler answer: one network with two dials.
#
# - the **width multiplier α (宽度因子)**: every layer has α times as many channels;
# - the **resolution multiplier ρ (分辨率因子)**: the picture has ρ times as many pixels a side, and so has every map.
#
# What does each dial save? What does it lose? And which one do you turn first?

# %% [markdown]
# ## Predict
#
# Three guesses. Put your answer in place of the dots. Nobody grades them.
#
# **1.** Turn α to one half: every layer of MobileNet gets half as many channels. **How many times fewer MACs has the
# whole network?** A number.

# %%
predict("09.p1", ...)

# %% [markdown]
# **2.** Turn ρ to one half: the pictures shrink from 224 to 112 pixels a side. MobileNet has 4.23 million parameters
# at 224. **How many million has it at 112?**

# %%
predict("09.p2", ...)

# %% [markdown]
# **3.** Take MobileNet, and put an ordinary 3×3 convolution in place of each separable block. This network has 8.6 times
# as many MACs, and gets 71.7 % of the ImageNet pictures right. **How many per cent does MobileNet itself get right?**

# %%
predict("09.p3", ...)

# %% [markdown]
# ## Play
#
# Here is the block that MobileNet is made of, with 512 channels. Boxes are as wide as their channels. At the right stand
# the MACs of each layer, its parameters, the bytes that it moves and those that are alive at once. Step through it with
# **← →** after a click on the picture. **Drag the dot at the depthwise box** to turn α.

# %%
viz.blocks(kind="separable")

# %% [markdown]
# Try these, in this order:
#
# - **Layer: standard**, then **separable**. Watch the MACs. Which of the two halves keeps nearly all that is left?
# - **Width α** from 1 to 0.5. By how much does the pointwise half shrink? By how much does the depthwise half?
# - **Map** from 14×14 down to 8×8, the dial ρ inside of a network. Which numbers shrink? Which one does not move at all?
# - Turn α down as far as it goes. How large a share has the depthwise half now? Why did it grow?
# - **Stride 2**: in which of the two halves does the map shrink?

# %% [markdown]
# ## Build
#
# Five exercises, from one block to the choice between sixteen networks.
#
# ### The block
#
# In chapter 05 you took an ordinary convolution apart: a **depthwise convolution (深度卷积)** filters each channel by
# itself, a **pointwise convolution (逐点卷积)**, 1×1, mixes the channels. MobileNet's block is this pair, and behind
# each of the two a batch norm and a ReLU:
#
# ```text
# c channels ─► depthwise 3×3 (stride 1 or 2, padding 1) ─► batch norm ─► ReLU ─►
#           ─► pointwise 1×1, from c to n channels        ─► batch norm ─► ReLU ─► n channels
# ```
#
# The convolutions have no bias: the norm behind them subtracts the mean, and a bias with it.
#
# ### Exercise 09.block: MobileNet's block
#
# difficulty 2 of 5 · importance 5 of 5 · 10 minutes
#
# Write it as a module of your own, from memory if you can. The names of the parts are up to you this time; the check
# watches which layers run, and in which order. It calls `Block(c, n)` and `Block(c, n, stride=2)`. Use `nn.Conv2d` and
# `nn.BatchNorm2d`.


# %% nbgrader={"grade": false, "grade_id": "09-block", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Block(nn.Module):
    """Depthwise 3×3, batch norm, ReLU, pointwise 1×1, batch norm, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1):
        super().__init__()
        ### BEGIN SOLUTION
        self.layers = nn.Sequential(
            nn.Conv2d(
                in_channels, in_channels, 3, stride, padding=1, groups=in_channels, bias=False
            ),
            nn.BatchNorm2d(in_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(in_channels, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride), rounded up."""
        ### BEGIN SOLUTION
        return self.layers(x)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "09-block-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("09.block", Block)
### BEGIN HIDDEN TESTS
hidden_check("09.block", Block, seed=7)
### END HIDDEN TESTS

# %%
hint("09.block")

# %%
# solution("09.block")

# %% [markdown]
# What does one block cost? Here is yours (or the course's own, until yours passes), from 512 channels to 512 on a map
# of 14×14, the shape that MobileNet has most often.

# %%
own_block = run_check("09.block", Block).passed
make_block = Block if own_block else blocks.DepthwiseSeparableConv
print("This is", "your Block.\n" if own_block else "the course's own block until yours passes.\n")
report = analyze(make_block(512, 512), (1, 512, 14, 14))
for layer in report.layers:
    if layer.params:
        share = layer.macs / report.macs
        print(f"{layer.kind:<17}{layer.params:>9,} parameters {layer.macs:>13,} MACs {share:>7.1%}")
ordinary = analyze(nn.Conv2d(512, 512, 3, padding=1, bias=False), (1, 512, 14, 14))
print(f"\nwhole block      {report.params:>9,} parameters {report.macs:>13,} MACs")
print(f"ordinary 3×3     {ordinary.params:>9,} parameters {ordinary.macs:>13,} MACs", end="")
print(f", {ordinary.macs / report.macs:.2f} times as many")

# %% [markdown]
# This course has boxes like the next one: a claim that you find in summaries and posts, word for word. Decide first.
# Put `"true"`, `"half true"`, `"false"` or `"mix-up"` in place of the dots; then the claim is looked into.
#
# > **Myth or fact?** *每个 block 由标准 1×1 卷积 + 深度分离 3×3 卷积组成: Each MobileNet block is a 1×1 convolution
# > followed by a depthwise 3×3.*


# %%
def judge(name: str, guess: object) -> None:
    """Show what is right about a claim, beside the learner's own guess, with the evidence."""
    claim = myth(name)
    if guess is ...:
        print("Decide first: put your answer in place of the dots, and run the cell again.")
        return
    print(f"You said: {guess}. It is: {claim.verdict}.")
    display(claim, claim.demonstrate())


judge("myth_27", ...)

# %% [markdown]
# (The demonstration watches the first convolutions of the network while they run. Convolution 1 is the stem.)
#
# You can also put your own block into the picture: `viz.blocks(kind="separable", block=Block(64, 128), input_size=28)`.
#
# ### The first dial: α
#
# Take a block from 4 to 8 channels on a map of 10×10. The depthwise half has 9 weights for each of 4 channels, and uses
# each of them at 100 places: 3,600 MACs. The pointwise half has 4 · 8 weights: 3,200 MACs.
#
# Now α = 0.5. The block is 2 to 4 channels wide. Depthwise: 9 · 2 · 100 = 1,800, the **half**. Pointwise: 2 · 4 · 100 =
# 800, a **quarter**. That is the whole secret of the dial.
#
# ### Exercise 09.cost: what a narrow block costs
#
# difficulty 2 of 5 · importance 4 of 5 · 10 minutes
#
# Count both halves, at any width. `in_channels` and `out_channels` are those of the full network, and the width narrows
# both: `int(width * in_channels)` is the number that is left. All arguments but `width` are whole numbers.


# %% nbgrader={"grade": false, "grade_id": "09-cost", "locked": false, "schema_version": 3, "solution": true, "task": false}
def block_macs(
    in_channels: int, out_channels: int, side: int, stride: int, width: float
) -> tuple[int, int]:
    """Count the MACs of the two halves of a block: (depthwise, pointwise), whole numbers.

    side: height and width of the map that comes in.  stride: 1 or 2, in the depthwise layer,
    which has padding 1: stride 1 keeps the side, stride 2 halves it, and rounds up.
    width: the width multiplier, such as 0.5.  No biases, no norms.

    block_macs(4, 8, 10, 1, 0.5) is (1800, 800)
    """
    ### BEGIN SOLUTION
    c, n = int(width * in_channels), int(width * out_channels)
    places = ((side + stride - 1) // stride) ** 2
    return 9 * c * places, c * n * places
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "09-cost-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("09.cost", block_macs)
### BEGIN HIDDEN TESTS
hidden_check("09.cost", block_macs, seed=7)
### END HIDDEN TESTS

# %%
hint("09.cost")

# %%
# solution("09.cost")

# %% [markdown]
# Now the symbols. The paper writes M and N for the channels, D for the side of the map that comes out, and puts α and ρ
# wherever they belong:
#
# 3·3 · **α**M · **ρ**D·**ρ**D  +  **α**M · **α**N · **ρ**D·**ρ**D
#
# ρ stands twice in both halves: ρ² everywhere. α stands once in the first half and twice in the second. So the rule is
# *roughly α²*, and the fewer channels, the rougher it gets. The ρ is in your function, too: it makes `side` smaller.

# %%
count = stand_in("09.cost", block_macs)
print("a block from 512 to 512 channels at 14×14, as a share of itself at α = 1, ρ = 1\n")
print(f"{'':<14}{'depthwise':>11}{'pointwise':>11}{'block':>9}   rule of thumb")
whole = count(512, 512, 14, 1, 1.0)
for text, width, side in (
    ("α = 0.75", 0.75, 14),
    ("α = 0.5", 0.5, 14),
    ("α = 0.25", 0.25, 14),
    ("α = 0.0625", 0.0625, 14),
    ("ρ = 12/14", 1.0, 12),
    ("ρ = 10/14", 1.0, 10),
    ("ρ = 8/14", 1.0, 8),
):
    found = count(512, 512, side, 1, width)
    law = width**2 * (side / 14) ** 2
    shares = [one / other for one, other in zip(found, whole, strict=True)]
    print(
        f"{text:<14}{shares[0]:>11.4f}{shares[1]:>11.4f}{sum(found) / sum(whole):>9.4f}{law:>16.4f}"
    )

print("\nMobileNets, Table 3, the same block. The paper's million MACs in brackets.")
for width, side, paper in ((1.0, 14, "52.3"), (0.75, 14, "29.6"), (0.75, 10, "15.1")):
    million = sum(count(512, 512, side, 1, width)) / 1e6
    print(f"  α = {width:<5} side {side}: {million:6.2f} ({paper})")

# %% [markdown]
# ### The whole network
#
# This is Table 1 of the paper, as it is printed: the kind of layer and its stride, the filters, and what comes in.
#
# ```text
#    Conv / s2          3 × 3 × 3 × 32          224 × 224 × 3
#    Conv dw / s1       3 × 3 × 32 dw           112 × 112 × 32
#    Conv / s1          1 × 1 × 32 × 64         112 × 112 × 32
#    Conv dw / s2       3 × 3 × 64 dw           112 × 112 × 64
#    Conv / s1          1 × 1 × 64 × 128         56 × 56 × 64
#    Conv dw / s1       3 × 3 × 128 dw           56 × 56 × 128
#    Conv / s1          1 × 1 × 128 × 128        56 × 56 × 128
#    Conv dw / s2       3 × 3 × 128 dw           56 × 56 × 128
#    Conv / s1          1 × 1 × 128 × 256        28 × 28 × 128
#    Conv dw / s1       3 × 3 × 256 dw           28 × 28 × 256
#    Conv / s1          1 × 1 × 256 × 256        28 × 28 × 256
#    Conv dw / s2       3 × 3 × 256 dw           28 × 28 × 256
#    Conv / s1          1 × 1 × 256 × 512        14 × 14 × 256
# 5× Conv dw / s1       3 × 3 × 512 dw           14 × 14 × 512
#    Conv / s1          1 × 1 × 512 × 512        14 × 14 × 512
#    Conv dw / s2       3 × 3 × 512 dw           14 × 14 × 512
#    Conv / s1          1 × 1 × 512 × 1024        7 × 7 × 512
#    Conv dw / s2       3 × 3 × 1024 dw           7 × 7 × 1024
#    Conv / s1          1 × 1 × 1024 × 1024       7 × 7 × 1024
#    Avg Pool / s1      Pool 7 × 7                7 × 7 × 1024
#    FC / s1            1024 × 1000               1 × 1 × 1024
#    Softmax / s1       Classifier                1 × 1 × 1000
# ```
#
# The first line is called the **stem**: an ordinary convolution. Then each pair of lines is one of your blocks (“5×”
# stands for both lines of its pair). One stride in this table is a misprint. You can tell from the column at the right.
#
# Many blocks are alike, so the table fits into a few **rows**: how many channels come out, how many such blocks follow
# each other, and the stride of the *first* of them; the others have stride 1. `(128, 2, 2)` says: two blocks with 128
# channels, the first one with stride 2.
#
# ### Exercise 09.macs: the whole bill
#
# difficulty 3 of 5 · importance 5 of 5 · 15 minutes
#
# Write down the rows, then go through them and count. Do not multiply the full network by α² and ρ²: count *exactly*,
# layer by layer, at the width and the size that are asked for.


# %% nbgrader={"grade": false, "grade_id": "09-macs", "locked": false, "schema_version": 3, "solution": true, "task": false}
def table_1() -> list[tuple[int, int, int]]:
    """The blocks of MobileNet in rows: (channels that come out, how many, stride of the first).

    The check does not call this function; network_macs and your MobileNet do.
    """
    ### BEGIN SOLUTION
    return [
        (64, 1, 1),
        (128, 2, 2),
        (256, 2, 2),
        (512, 6, 2),
        (1024, 2, 2),
    ]
    ### END SOLUTION


def network_macs(width: float, side: int) -> list[int]:
    """Count MobileNet's MACs: the stem, then each of its 13 blocks, then the classifier.

    width: the width multiplier, one of 0.25, 0.5, 0.75, 1.0. The stem has int(32 * width)
        channels; the picture keeps its 3 channels and the classifier its 1,000 classes.
    side: of the picture, 33 or more. A layer with stride 2 halves the side, rounded up.
    Returns 15 whole numbers. A block's number is the sum of its two halves.

    network_macs(1.0, 224)[0] is 10838016
    """
    ### BEGIN SOLUTION
    c, side = int(32 * width), (side + 1) // 2
    macs = [27 * c * side * side]
    for channels, repeats, first_stride in table_1():
        n = int(channels * width)
        for i in range(repeats):
            if i == 0 and first_stride == 2:
                side = (side + 1) // 2
            macs.append((9 * c + c * n) * side * side)
            c = n
    return [*macs, 1000 * c]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "09-macs-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("09.macs", network_macs)
### BEGIN HIDDEN TESTS
hidden_check("09.macs", network_macs, seed=7)
### END HIDDEN TESTS

# %%
hint("09.macs")

# %%
# solution("09.macs")

# %% [markdown]
# Where are the MACs? And what becomes of them when you turn a dial? Each bar is one number of your list (or of the
# course's own, until yours passes).

# %%
bill = stand_in("09.macs", network_macs)
PLACES = ["stem", *map(str, range(1, 14)), "classifier"]
figure, axes = plt.subplots(1, 3, figsize=(12, 3), sharey=True)
for ax, (width, side) in zip(axes, ((1.0, 224), (0.5, 224), (1.0, 112)), strict=True):
    macs = bill(width, side)
    ax.bar(PLACES, [number / 1e6 for number in macs], color="#0072b2")
    ax.set_title(f"α = {width}, {side} pixels: {sum(macs) / 1e6:.1f} million MACs", fontsize=10)
    ax.tick_params(axis="x", rotation=90)
axes[0].set_ylabel("million MACs")
plt.show()

# %%
reveal("09.p1")

# %%
reveal("09.p2")

# %% [markdown]
# Half the width and half the side cost about the same. But look at block 13 in the picture at the right: it stands
# out. Why? 112 is halved four times to 7, and the fifth half of it is rounded up, to 4. More on this in a moment.
#
# > **Myth or fact?** *通道数 128, 256, 512, 1024, block 数 2, 2, 6, 2: MobileNet's channels are 128, 256, 512, 1024, in
# > 2, 2, 6, 2 blocks.* Compare it with your rows, and decide.

# %%
judge("myth_28", ...)

# %% [markdown]
# ### When the rule of thumb fails
#
# *α scales as α², ρ as ρ².* Your function is exact, so you can see where the rule breaks. First each dial by itself.

# %%
full = sum(bill(1.0, 224))
print(f"{'':<12}{'exact':>14}{'rule':>14}   exact / rule")
for text, width, side in (
    ("α = 0.75", 0.75, 224),
    ("α = 0.5", 0.5, 224),
    ("α = 0.25", 0.25, 224),
    ("192 pixels", 1.0, 192),
    ("160 pixels", 1.0, 160),
    ("128 pixels", 1.0, 128),
    ("64 pixels", 1.0, 64),
    ("both", 0.25, 64),
):
    exact, law = sum(bill(width, side)), full * width**2 * (side / 224) ** 2
    print(f"{text:<12}{exact:>14,}{law:>14,.0f}   {exact / law:.3f}")

where = dict(zip(PLACES, bill(0.25, 224), strict=True))
before = dict(zip(PLACES, bill(1.0, 224), strict=True))
print("\nat α = 0.25, a sixteenth by the rule, there is left of")
for name in ("stem", "1", "13", "classifier"):
    kind = "block " * name.isdigit() + name
    print(f"  {kind:<11}{where[name] / before[name]:.4f} = 1/{before[name] / where[name]:.1f}")

# %% [markdown]
# - **α fails in thin layers.** The stem reads 3 colours, and no dial can narrow those. The classifier makes 1,000
#   classes, always. Both fall with α only. So do the depthwise halves, and they weigh most in block 1.
# - **ρ is nearly exact** at 192, 160 and 128: only the classifier does not care about the size of the picture. At 64 it
#   begins to show.
#
# And at sides that are no multiple of 32? Every halving rounds up. The solid line is your count, the dashed one the
# rule.

# %%
sides = [side for side in range(33, 225) if side % 8 in (0, 1)]  # before and after each step
figure, axes = plt.subplots(1, 2, figsize=(11, 3.2))
exact = [sum(bill(1.0, side)) for side in sides]
rule = [full * (side / 224) ** 2 for side in sides]
axes[0].plot(sides, [m / 1e6 for m in exact], color="#0072b2", label="exact")
axes[0].plot(sides, [m / 1e6 for m in rule], "--", color="#d55e00", label="ρ²")
axes[0].set(xlabel="side of the picture", ylabel="million MACs")
axes[0].legend(frameon=False)
ratios = [one / other for one, other in zip(exact, rule, strict=True)]
axes[1].plot(sides, ratios, color="#0072b2")
whole = [i for i, side in enumerate(sides) if side % 32 == 0]
axes[1].plot(
    [sides[i] for i in whole],
    [ratios[i] for i in whole],
    "o",
    color="#d55e00",
    label="multiples of 32",
)
axes[1].set(xlabel="side of the picture", ylabel="exact / rule")
axes[1].legend(frameon=False)
figure.tight_layout()
plt.show()
worst = max(zip(ratios, sides, strict=True))
print(f"At {worst[1]} pixels the network costs {worst[0]:.2f} times what the rule promises.")
print(f"65 pixels cost {sum(bill(1.0, 65)) / sum(bill(1.0, 64)):.2f} times as much as 64.")

# %% [markdown]
# So choose sides that are multiples of 32. Between them halvings round up, and each time you pay for one more row and
# one more column in every map behind it. (Chapter 03: r = k · 2ⁿ.)
#
# ### The network
#
# ### Exercise 09.network: MobileNet
#
# difficulty 3 of 5 · importance 5 of 5 · 15 minutes
#
# Now build it: stem (convolution 3×3 with stride 2 and padding 1, norm, ReLU), your blocks, the mean over height and
# width, and one linear layer with a bias. The check builds it at several widths and compares it with the published
# network layer by layer. Where they differ, it names the block. Then it puts the same weights into both, and the scores
# must agree.
#
# Use your `Block` and your `table_1()`. The scores come out as they are; the softmax of the paper's last line is part of
# the loss.


# %% nbgrader={"grade": false, "grade_id": "09-network", "locked": false, "schema_version": 3, "solution": true, "task": false}
class MobileNet(nn.Module):
    """MobileNet, arXiv 1704.04861, Table 1: stem, 13 blocks, global average pooling, classifier."""

    def __init__(self, width: float = 1.0, num_classes: int = 1000):
        super().__init__()
        ### BEGIN SOLUTION
        c = int(32 * width)
        layers = [nn.Conv2d(3, c, 3, 2, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU(inplace=True)]
        for channels, repeats, stride in table_1():
            for i in range(repeats):
                layers.append(Block(c, int(channels * width), stride if i == 0 else 1))
                c = int(channels * width)
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(c, num_classes)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W), any size from 33×33 -> (N, num_classes)."""
        ### BEGIN SOLUTION
        return self.classifier(self.features(x).mean(dim=(2, 3)))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "09-network-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("09.network", MobileNet)
### BEGIN HIDDEN TESTS
hidden_check("09.network", MobileNet, seed=7)
### END HIDDEN TESTS

# %%
hint("09.network")

# %%
# solution("09.network")

# %% [markdown]
# That is the published network. Here it stands beside the numbers that are printed in the paper, and beside the course's
# own `mobilenet_v1`, with the same weights in both.

# %%
own_net = run_check("09.network", MobileNet).passed


def mobilenet(width: float) -> nn.Module:
    """Yours where it passes, else the course's own."""
    return MobileNet(width=width) if own_net else create_model("mobilenet_v1", width_mult=width)


print("This is", "your MobileNet.\n" if own_net else "the course's own until yours passes.\n")
PAPER = {
    row.settings["width_mult"]: row
    for row in published()
    if row.model == "mobilenet_v1" and row.input == 224 and "width_mult" in row.settings
}
print(f"{'':<9}{'parameters':>11}{'paper':>8}{'MACs':>14}{'paper':>9}{'network_macs':>15}")
for width in (1.0, 0.75, 0.5, 0.25):
    with torch.device("meta"):
        report = analyze(mobilenet(width), (1, 3, 224, 224))
    row = PAPER[width]
    print(f"α = {width:<5}{report.params:>11,}{row.params_M:>6} M{report.macs:>14,}", end="")
    print(f"{row.macs_M:>7} M{sum(bill(width, 224)):>15,}")


def layers_that_run(net: nn.Module) -> list[nn.Module]:
    """The layers with weights, in the order in which they run."""
    seen, kinds = [], (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
    hooks = [
        layer.register_forward_hook(lambda layer, given, made: seen.append(layer))
        for layer in net.modules()
        if isinstance(layer, kinds)
    ]
    net(torch.zeros(1, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    return seen


ours, theirs = mobilenet(0.25).eval(), create_model("mobilenet_v1", width_mult=0.25).eval()
with torch.no_grad():
    for layer in layers_that_run(theirs):
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # one batch in training mode then sets mean and variance
    theirs.train()(torch.randn(8, 3, 96, 96))
    theirs.eval()
    for mine, other in zip(layers_that_run(ours), layers_that_run(theirs), strict=True):
        for name, value in other.state_dict().items():
            mine.state_dict()[name].copy_(value.reshape(mine.state_dict()[name].shape))
x = torch.randn(2, 3, 128, 160)
with torch.no_grad():
    scores, others = ours(x), theirs(x)
apart, size = float((scores - others).abs().max()), float(others.abs().max())
print(
    f"\nthe same weights, the same pictures: scores of up to {size:.2f}, at most {apart:.1g} apart"
)

# %% [markdown]
# > **Myth or fact?** *MobileNet 参数 4.2M, 计算量 569M, top-1 70.6: MobileNet has 4.2 M parameters, 569 M operations and
# > 70.6 % top-1.*

# %%
judge("myth_37", ...)

# %% [markdown]
# > **Myth or fact?** *MobileNet 参数减少 8~9 倍, 运算量减小 30 倍: MobileNet cuts parameters 8 to 9 times and computation
# > 30 times.*

# %%
judge("myth_39", ...)

# %% [markdown]
# ### Which one do you take?
#
# The authors trained MobileNet at four widths and four sizes of the picture and published all sixteen. (The accuracies
# are those of their own README, `tensorflow/models`, research/slim/nets/mobilenet_v1.md. Where the paper prints one too,
# the two are about a point apart at most.)

# %%
# width, side of the picture, per cent of the ImageNet pictures that are named right
SIXTEEN = [
    (1.0, 224, 70.9), (1.0, 192, 70.0), (1.0, 160, 68.0), (1.0, 128, 65.2),
    (0.75, 224, 68.4), (0.75, 192, 67.2), (0.75, 160, 65.3), (0.75, 128, 62.1),
    (0.5, 224, 63.3), (0.5, 192, 61.7), (0.5, 160, 59.1), (0.5, 128, 56.3),
    (0.25, 224, 49.8), (0.25, 192, 47.7), (0.25, 160, 45.5), (0.25, 128, 41.5),
]  # fmt: skip


def price(width: float, side: int) -> int:
    """MACs of the whole network."""
    return sum(bill(width, side))


print(
    "top-1 and million MACs\n\nα      "
    + "".join(f"{side:>7} pixels" for side in (224, 192, 160, 128))
)
for i in range(0, 16, 4):
    cells = (f"{top1:>6.1f} {price(w, side) / 1e6:>7.1f}" for w, side, top1 in SIXTEEN[i : i + 4])
    print(f"{SIXTEEN[i][0]:<6}" + "".join(cells))

# %% [markdown]
# ### Exercise 09.choose: the best network for a budget
#
# difficulty 2 of 5 · importance 4 of 5 · 10 minutes
#
# You may spend so many MACs. Which of the networks is the most accurate? The check brings lists and a `cost` function of
# its own.


# %% nbgrader={"grade": false, "grade_id": "09-choose", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose(points, budget, cost):
    """Find the most accurate network that costs at most the budget.

    points: a list of tuples (width, side, accuracy), in any order, perhaps empty. It stays as it
        is: the caller needs it again.
    budget: MACs, a whole number.  cost: a function; cost(width, side) gives the MACs.
    Returns (width, side) of the network; of equally accurate ones the cheapest. None if none fits.
    """
    ### BEGIN SOLUTION
    best = None
    for width, side, accuracy in points:
        spent = cost(width, side)
        if spent <= budget:
            rank = (accuracy, -spent)
            if best is None or rank > best[0]:
                best = rank, (width, side)
    return best[1] if best else None
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "09-choose-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("09.choose", choose)
### BEGIN HIDDEN TESTS
hidden_check("09.choose", choose, seed=7)
### END HIDDEN TESTS

# %%
hint("09.choose")

# %%
# solution("09.choose")

# %% [markdown]
# Ask your function for every budget there is, from the cheapest network to the dearest. The networks that it ever names
# form the **Pareto front (帕累托前沿)**: none of the others is both cheaper and better. A network that it never names is
# **dominated (被支配)**: whatever your budget, something else serves you better.

# %%
pick = stand_in("09.choose", choose)
budgets = sorted(price(width, side) for width, side, _ in SIXTEEN)
front = list(dict.fromkeys(tuple(pick(SIXTEEN, budget, price)) for budget in budgets))
accuracy = {(width, side): top1 for width, side, top1 in SIXTEEN}

figure, ax = plt.subplots(figsize=(9, 4.4))
for width, colour in ((1.0, "#0072b2"), (0.75, "#009e73"), (0.5, "#d55e00"), (0.25, "#cc79a7")):
    line = [point for point in SIXTEEN if point[0] == width]
    ax.plot(
        [price(w, side) / 1e6 for w, side, _ in line], [top1 for *_, top1 in line], "o-",
        color=colour, label=f"α = {width}",
    )  # fmt: skip
for point in accuracy:
    if point not in front:
        ax.plot(price(*point) / 1e6, accuracy[point], "x", color="black", ms=12)
ax.plot([], [], "x", color="black", label="dominated")
ax.set_xscale("log")
ax.set_xticks([15, 30, 60, 120, 240, 480], ["15", "30", "60", "120", "240", "480"])
ax.minorticks_off()
ax.set(xlabel="million MACs", ylabel="top-1, per cent")
ax.legend(frameon=False)
ax.grid(color="#dddddd", lw=0.6)
plt.show()

never = [f"α = {w} at {side}" for w, side in accuracy if (w, side) not in front]
print(f"{len(front)} of 16 are on the front. Never chosen: {', '.join(never)}.")
for budget in (20e6, 50e6, 100e6, 200e6, 400e6):
    width, side = pick(SIXTEEN, int(budget), price)
    print(f"{budget / 1e6:>5.0f} million MACs: α = {width:<4} at {side}, ", end="")
    print(f"{accuracy[width, side]} % for {price(width, side) / 1e6:.1f} million")

# %% [markdown]
# Two networks are dominated on these printed numbers, and in opposite ways. The full width at 128 pixels stands behind a
# *narrower* network with *more* pixels. Half the width at 192 stands behind a *wider* one with *fewer* pixels. So there is
# no rule such as “first the pixels, then the channels”: **no fixed order of the dials gives the front; compute it.**
#
# How sure is that? Each network was trained once. The next cell prints the margins: one of them is 0.1 point, and that
# could turn with another seed.
#
# And there is a gap in the picture. How far apart are a wide network that sees little and a thin one that sees
# everything? The three pairs have similar MACs, not equal ones: in the first they are 20 per cent apart, in the last 12.

# %%
for one, other in (((0.5, 128), (0.25, 224)), ((0.75, 128), (0.5, 192)), ((1.0, 128), (0.75, 160))):
    gap = accuracy[one] - accuracy[other]
    print(f"α = {one[0]} at {one[1]}, {price(*one) / 1e6:.0f} million, against", end="")
    print(f" α = {other[0]} at {other[1]}, {price(*other) / 1e6:.0f} million: {gap:+.1f} points")

# %% [markdown]
# In the middle the two dials are worth about the same: the points are within a half, the MACs within 12 per cent. At the
# lower end they are not. The wide network has a fifth more MACs there, but nowhere else in the table does a fifth buy so
# many points. A quarter of the width seems too thin to use all those pixels. The paper says it so: accuracy falls smoothly with
# α, *until* 0.25.

# %% [markdown]
# ## Measure
#
# ### Narrower, or fewer pixels?
#
# The sixteen networks were trained on more than a million photographs. Does the same hold for a small network and small
# pictures?
#
# The experiment: a stem and four separable blocks, and the course's built-in pictures, 32×32 pixels, ten classes. It
# can be made cheaper in two ways: fewer channels, or the same pictures at 24 and at 16 pixels. Each pair has equal
# MACs. **Guess first: which side wins, and by how many points?**
#
# All runs at full size would take several minutes, so they come with the course: every run, its seed, the machine and
# the settings. This is the log.

# %%
log = studies.logged("multipliers")
print(log)

# %%
log.figure()

# %%
for finding, (narrow, coarse) in zip(log.findings, log.claims, strict=True):
    gap = log[narrow].mean - log[coarse].mean
    print(f"{narrow} against {coarse}: {gap:+.1f} points. {finding.word.capitalize()}.")
full_run, narrow = log["width 1, 32 px"], log["width 0.43, 32 px"]
print(f"\nA quarter of the MACs by width alone: {full_run.mean - narrow.mean:.1f} points lost.")

# %% [markdown]
# Read it with three questions.
#
# - **Who wins?** The narrower network with all its pixels, in the mean, at both prices.
# - **How sure is it?** At the smaller price, beyond doubt. At the larger one it is *not proven with three seeds*: those of
#   the 24-pixel network scatter too widely. Look at the dots. (“No difference seen” means no more than that: a difference
#   was measured, and chance could have made it.)
# - **Does it contradict the sixteen networks?** There, the two dials were about equally good. But from 224 pixels to 160
#   a dog remains a dog. These textures are a few pixels fine, and at 16 pixels most of that is lost. This is the likely
#   reason, not a proven one: the last maps get smaller as well, and nobody trained a wider network at 16 pixels. Something
#   is left, too: with ten classes, chance is 10 per cent. **ρ costs little while the detail that the task needs stays
#   larger than a pixel.**
#
# Train a smaller form of it yourself: fewer and coarser pictures, fewer epochs, one price. One cell for each seed. (A run
# that is finished is kept. The next cell takes it from there and trains only what is new.)

# %%
QUICK = 2000  # pictures
studies.multipliers(quick=True, train=QUICK, seeds=(0,))
print("seed 0 is done")

# %%
studies.multipliers(quick=True, train=QUICK, seeds=(0, 1))
print("seeds 0 and 1 are done")

# %%
quick = studies.multipliers(quick=True, train=QUICK, seeds=(0, 1, 2))
print(quick)

# %%
found = quick.findings[0]
same = (found.difference > 0) == (log.findings[0].difference > 0)
print(
    "The sign of the difference is", "the same as in the log." if same else "not that of the log."
)
print(f"By itself this run says: {found.word}.")
print("To train the whole log again, several minutes: studies.multipliers()")

# %% [markdown]
# ### What did the ordinary convolutions buy?
#
# The other claim: separable blocks lose little. The paper compares the *same* layout with the two kinds of block, and
# loses one point on ImageNet. Here is the same comparison on the built-in pictures, again as a log: a stem and four
# blocks, with standard, separable, and (chapter 11) inverted residual blocks.

# %%
kinds = studies.logged("block_kinds_layout")
print(kinds)

# %%
standard, separable = kinds["standard"], kinds["depthwise separable"]
times = standard.macs / separable.macs
lost = standard.mean - separable.mean
word = kinds.findings[0].word
print(
    f"{times:.1f} times fewer MACs, {standard.params / separable.params:.1f} times fewer parameters,"
)
print(f"for {lost:.1f} points of accuracy here, 1.1 points in the paper.")
print(f"“The standard blocks are better at equal layout”: {word}, with three seeds.")
low, high = kinds.findings[0].low, kinds.findings[0].high
print(f"The 95 % interval of the loss goes from {low:+.1f} to {high:+.1f} points.")
per_run = standard.seconds / separable.seconds
print(f"\nTraining took {per_run:.1f} times as long with the standard blocks.")
equal = studies.logged("block_kinds")
gain = equal["depthwise separable"].mean - equal["standard"].mean
print(
    f"At equal MACs (another log) separable is {gain:+.1f} points ahead: {equal.findings[0].word}."
)

# %% [markdown]
# So the saving is real. How large is the loss? The interval is what three seeds can say: zero lies in it, the paper's one
# point lies in it, and so does three times as much. And look at the training time. It falls far less than the MACs do: on a
# CPU a depthwise layer is slow for what it does (chapter 05). MACs are one price among several, and not the one on the
# clock.
#
# To train these networks again, about five minutes: `studies.block_kinds(equal="layout")`.

# %% [markdown]
# ## Meet the real thing
#
# Table 2 of the paper says where the work of MobileNet is. Recount it.

# %%
with torch.device("meta"):
    net = create_model("mobilenet_v1").eval()
    report = analyze(net, (1, 3, 224, 224))
parts = dict(net.named_modules())
KINDS = ("1×1", "3×3 depthwise", "3×3 stem", "classifier")
# Table 2 as printed: per cent of the MACs, per cent of the parameters
TABLE_2 = {
    "1×1": (94.86, 74.59), "3×3 depthwise": (3.06, 1.06), "3×3 stem": (1.19, 0.02),
    "classifier": (0.18, 24.33),
}  # fmt: skip


def kind_of(module: nn.Module) -> str | None:
    """Which of the four kinds a layer is; None for norms and all that has no MACs."""
    if isinstance(module, nn.Linear):
        return "classifier"
    if not isinstance(module, nn.Conv2d):
        return None
    if module.kernel_size == (1, 1):
        return "1×1"
    return "3×3 depthwise" if module.groups > 1 else "3×3 stem"


macs, params = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
for layer in report.layers:
    kind = kind_of(parts[layer.name]) if layer.name in parts else None
    if kind is not None:
        macs[kind] += layer.macs
        params[kind] += layer.params
print(f"{'per cent of':<15}{'the MACs':>10}{'printed':>9}{'parameters':>13}{'printed':>9}")
for kind in KINDS:
    share = 100 * macs[kind] / sum(macs.values()), 100 * params[kind] / sum(params.values())
    paper = TABLE_2[kind]
    print(f"{kind:<15}{share[0]:>10.2f}{paper[0]:>9.2f}{share[1]:>13.2f}{paper[1]:>9.2f}", end="")
    print("   ← not what we count" * (abs(share[0] - paper[0]) > 0.1))
printed = [sum(column) for column in zip(*TABLE_2.values(), strict=True)]
print(f"{'sum':<15}{'':>10}{printed[0]:>9.2f}{'':>13}{printed[1]:>9.2f}")
with_ours = printed[0] - TABLE_2["3×3 stem"][0] + 100 * macs["3×3 stem"] / sum(macs.values())
print(f"The printed column with our number for the stem: {with_ours:.2f}")

# %% [markdown]
# One number in the printed table cannot be right: the column does not add up to 100, and with ours in its place it does.
# Papers have misprints; counting takes a second.
#
# The rest is the reason why MobileNet is fast at all. Nearly all of its work is 1×1 convolutions, and a 1×1 convolution
# *is* a multiplication of two matrices, without any rearranging of pixels. Nothing runs better on a processor. Nearly all
# the rest of the *parameters* is in the classifier. Turn α down, and it weighs even more:

# %%
for width in (1.0, 0.5, 0.25):
    small = create_model("mobilenet_v1", width_mult=width)
    head = sum(p.numel() for p in small.classifier.parameters())
    print(
        f"α = {width:<5} classifier: {head / sum(p.numel() for p in small.parameters()):.0%} ",
        end="",
    )
    print("of the parameters")

# %% [markdown]
# Everything that is known about the network, with the source of each number. “Conv MobileNet” is the one of the third
# guess; “Shallow MobileNet” leaves out five blocks of 512 channels.

# %%
model_info("mobilenet_v1")

# %%
reveal("09.p3")

# %%
rows = {row.variant: row for row in published() if row.model == "mobilenet_v1"}
conv, light, shallow = (
    rows[name]
    for name in ("Conv MobileNet (full conv)", "MobileNetV1 1.0 @224", "Shallow MobileNet")
)
thin = rows["MobileNetV1 0.75 @224"]
print(
    f"separable blocks: {conv.top1 - light.top1:.1f} points for {conv.macs / light.macs:.2f} times",
    end="",
)
print(f" fewer MACs and {conv.params / light.params:.2f} times fewer parameters")
print(
    f"thin or shallow?  at {thin.macs_M} and {shallow.macs_M} million MACs: α = 0.75 gets", end=""
)
print(f" {thin.top1} %, five blocks fewer {shallow.top1} %")

# %% [markdown]
# The last line is an argument *for* the dial α: to make a network cheaper, make it thinner, not shorter. (One training
# each, as papers had it then.)
#
# ### And the clock?
#
# The course's authors measured fourteen networks of the family once, one picture at a time, one thread, in PyTorch. If
# time were proportional to the MACs, all points would lie on the line.

# %%
portrait = load_portrait()
TIME = "eager, 1 thread"
family = [row for row in portrait.rows if row.model == "mobilenet_v1" and TIME in row.seconds]
family = [row for row in family if "width_mult" in row.settings]
family.sort(key=lambda row: row.macs)
figure, ax = plt.subplots(figsize=(8, 3.8))
LOOKS = {
    1.0: ("#0072b2", "o"),
    0.75: ("#009e73", "s"),
    0.5: ("#d55e00", "D"),
    0.25: ("#cc79a7", "^"),
}
for width, (colour, shape) in LOOKS.items():
    line = [row for row in family if row.settings["width_mult"] == width]
    ax.plot([row.macs / 1e6 for row in line], [1000 * row.seconds[TIME] for row in line],
            marker=shape, ls="none", color=colour, label=f"α = {width}")  # fmt: skip
top = family[-1]
scale = 1000 * top.seconds[TIME] / top.macs
ax.plot([0, top.macs / 1e6], [0, scale * top.macs], "--", color="#777777", label="as the MACs")
ax.set(xlabel="million MACs", ylabel="milliseconds")
ax.legend(frameon=False)
plt.show()
print(f"measured on {portrait.machine}\n")
least = family[0]
print(
    f"from {top.variant} to {least.variant}: {top.macs / least.macs:.0f} times fewer MACs,", end=""
)
print(f" {top.seconds[TIME] / least.seconds[TIME]:.0f} times faster")


def pairs_in_order(rows: list) -> tuple[int, int]:
    """Of all pairs of networks: in how many is the one with fewer MACs the faster one?"""
    ordered = [a.seconds[TIME] < b.seconds[TIME] for i, a in enumerate(rows) for b in rows[i + 1 :]]
    return sum(ordered), len(ordered)


right_order, all_pairs = pairs_in_order(family)
print(f"of {all_pairs} pairs, the one with fewer MACs was the faster one in {right_order}")

# %% [markdown]
# Within one family MACs order the networks well, though not perfectly. Between families they do not: chapter 14 takes
# that up. And now your own machine, at three settings of the dials with similar MACs (186, 166 and 149 million): which
# dial makes it *faster*?

# %%
CORNERS = {
    "α = 1, 128 pixels": (1.0, 128),
    "α = 0.75, 160": (0.75, 160),
    "α = 0.5, 224": (0.5, 224),
}
nets = {name: create_model("mobilenet_v1", width_mult=w).eval() for name, (w, _) in CORNERS.items()}
best = dict.fromkeys(nets, float("inf"))
with torch.inference_mode():
    for _ in range(12):
        for name, (_, side) in CORNERS.items():
            x = torch.randn(1, 3, side, side)
            start = time.perf_counter()
            nets[name](x)
            best[name] = min(best[name], time.perf_counter() - start)
first = next(iter(best))
for name, (width, side) in CORNERS.items():
    million = price(width, side) / 1e6
    access = analyze(nets[name], (1, 3, side, side)).memory_access / 1e6
    print(f"{name:<19}{million:>6.0f} million MACs {access:>6.0f} MB moved", end="")
    print(f"{accuracy[width, side]:>7.1f} %   {best[name] / best[first]:>5.2f} times the time")

# %% [markdown]
# (The shortest of twelve calls in turn, as ratios to the first, because other programs can only slow a call down. Run it
# twice before you believe it.) The third network has the fewest MACs of the three, and moves the most bytes: wide maps
# with few channels. If it is not the fastest on your machine, that may be why.

# %% [markdown]
# ## Explain
#
# Short answers in your own words. Two to four sentences each.
#
# **1.** A colleague needs MobileNet to be four times cheaper. She sets α = 0.5, and the profiler says 3.8. “A bug in the
# profiler.” What do you answer? At which α would the gap be larger?

# %% [markdown] nbgrader={"grade": true, "grade_id": "09-explain-1", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# The profiler is right. α² holds for the 1×1 layers only, whose inputs and outputs both shrink. The depthwise layers, the
# stem (3 colours stay) and the classifier (1,000 classes stay) shrink with α, not α². They are about five per cent of the
# MACs at α = 1, and a larger share the smaller α is, so the gap grows as α falls: at 0.25 it is about 15 per cent.
#
# Rubric. 1 point: names a layer that shrinks with α only, with the reason. 1 point: the gap grows for smaller α.
# ### END SOLUTION

# %% [markdown]
# **2.** An app has to fit into 2 MB of flash memory, with 8 bits for each parameter. MobileNet has 4.2 million. Somebody
# proposes pictures of 128 pixels in place of 224. What do you say, and what do you propose?

# %% [markdown] nbgrader={"grade": true, "grade_id": "09-explain-2", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Smaller pictures save MACs and memory for the maps, but no parameter: a filter has as many weights on a small map as on a
# large one. The dial for the size is α: α = 0.5 has 1.3 million parameters, 1.3 MB, and fits. (So does a smaller
# classifier, if the app has fewer than 1,000 classes: it holds a quarter of all parameters.)
#
# Rubric. 1 point: ρ leaves the parameters as they are, with a reason. 1 point: α (or the classifier), with a number that
# fits.
# ### END SOLUTION

# %% [markdown]
# **3.** In the experiment with the small pictures, fewer pixels were the worse way to save. In the authors' sixteen
# networks both ways were about equally good. Which of the two holds for your own task? How would you find out before you
# train anything large?

# %% [markdown] nbgrader={"grade": true, "grade_id": "09-explain-3", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# It depends on how fine the detail is that the classes differ in. Photographs of large objects keep it at 160 pixels; the
# textures of the experiment are a few pixels fine, and at 16 pixels most of that is no longer in the picture. Shrink some
# and look (or train a small network at several sizes, with several seeds): as long as people can still tell the classes
# apart, ρ is a cheap dial. If not, turn α.
#
# Rubric. 1 point: the detail of the task against the size of a pixel. 1 point: a test that is cheap, with several seeds
# or by eye.
# ### END SOLUTION

# %% [markdown]
# ## Summary card
#
# | | saves MACs | saves parameters | saves memory for maps | loses |
# | --- | --- | --- | --- | --- |
# | separable blocks | 8 to 9 times a block, 8.6 the network | 7 times | nothing | about a point |
# | width multiplier α | nearly α², a little less | between α and α² | α | accuracy, evenly at first |
# | resolution multiplier ρ | ρ², best at multiples of 32 | **nothing** | ρ² | little while the detail is larger than a pixel |
#
# - The block: depthwise 3×3, norm, ReLU, pointwise 1×1, norm, ReLU. The stride is in the depthwise layer.
# - The network: a stem of 32 channels, then 13 blocks: 64; 128 twice; 256 twice; 512 six times; 1024 twice. Mean, linear.
# - α fails as α² in thin layers: stem, depthwise halves, classifier. ρ fails as ρ² where halvings round up.
# - Choose on the front. No fixed order of the dials gives it; compute it.
#
# **One sentence.** Separable blocks make the network cheap, two dials make it fit, and an exact count says at what price
# before anything is trained.

# %%
progress()

# %% [markdown]
# ## Papers
#
# - A. Howard and others. *MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications.* 2017, arXiv
#   1704.04861. Table 1 the network, Table 2 the shares, Table 4 with and without separable layers, Tables 6 and 7 the two
#   dials, Table 8 against VGG-16 and GoogLeNet.
# - The authors' code and their sixteen networks: github.com/tensorflow/models, research/slim/nets/mobilenet_v1.md.
# - L. Sifre. *Rigid-Motion Scattering for Image Classification.* PhD thesis, 2014: the first depthwise separable layers.
#   F. Chollet. *Xception.* 2017, arXiv 1610.02357: the same idea on a large scale.
#
# Next: chapter 10 asks *where* in the network the picture should shrink.
