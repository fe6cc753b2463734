# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   lightcourse: {chapter: "06", title: "Everything that is not a convolution", question: "The convolutions do the sums. What do all the other layers do, and what do they cost?", minutes: 90, budget_seconds: 60, exercises: ["06.shuffle", "06.hswish", "06.batchnorm", "06.fold", "06.squeeze"]}
# ---

# %% [markdown]
# # 06 · Everything that is not a convolution
#
# **The convolutions do the sums. What do all the other layers do, and what do they cost?**
#
# About 90 minutes. You will write five of these layers yourself: a channel shuffle, an activation, batch
# norm, the trick that makes batch norm vanish, and a gate.

# %%
import time
from collections import Counter, defaultdict

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn

from lightcourse import analyze, check, create_model, hint, predict, progress, reveal, solution, viz
from lightcourse._torchvision import import_torchvision
from lightcourse.checks import hidden_check, run_check
from lightcourse.training import experiment, studies
from lightcourse.training.colours import COLOURS, colour_net, colour_puzzle

torch.manual_seed(0)
torch.set_num_threads(1)  # one thread gives the same numbers at every run
print("Ready. PyTorch", torch.__version__)

# %% [markdown]
# ## Question
#
# Take MobileNetV2 apart and sort its layers by kind. Then ask three things about each kind. How many
# layers? How many multiply-accumulate operations, **MACs (乘加次数)**? How much time on *this* machine?
#
# The first cell is a stopwatch, the second counts and draws. Run both; you need not read them now.


# %%
def seconds_by_kind(model, x, rounds=5):
    """Run the model a few times; the median seconds in each kind of layer, and outside of them."""
    started, runs = {}, []

    def before(layer, given):
        started[layer] = time.perf_counter()

    def after(layer, given, made):
        runs[-1][type(layer).__name__] += time.perf_counter() - started[layer]

    leaves = [layer for layer in model.modules() if not list(layer.children())]
    hooks = [layer.register_forward_pre_hook(before) for layer in leaves]
    hooks += [layer.register_forward_hook(after) for layer in leaves]
    with torch.inference_mode():
        for _ in range(rounds + 1):
            runs.append(defaultdict(float))
            start = time.perf_counter()
            model(x)
            whole = time.perf_counter() - start
            runs[-1]["outside"] = whole - sum(runs[-1].values())
    for hook in hooks:
        hook.remove()
    runs = sorted(runs[1:], key=lambda run: sum(run.values()))  # the first run warms up
    return runs[rounds // 2]


# %%
KINDS = {"Conv2d": 0, "Linear": 0, "BatchNorm2d": 1, "ReLU6": 2}  # anything else is 3
NAMES = ("convolution, linear", "batch norm", "activation", "add, pool, rest")


def shares(table):
    """A table by layer kind -> per cent for each of the four names."""
    parts = [0.0] * 4
    for kind, value in table.items():
        parts[KINDS.get(kind, 3)] += 100 * value / sum(table.values())
    return parts


mobilenet = create_model("mobilenet_v2").eval()
picture = torch.randn(1, 3, 224, 224)
layers, macs = Counter(), Counter()
for layer in analyze(mobilenet, picture).layers:
    layers[layer.kind] += 1
    macs[layer.kind] += layer.macs
rows = {"layers": layers, "MACs": macs, "time": seconds_by_kind(mobilenet, picture)}
rows = {name: shares(table) for name, table in rows.items()}

figure, ax = plt.subplots(figsize=(9.6, 2.6))
left = [0.0] * 3
for name, widths, colour in zip(
    NAMES,
    zip(*rows.values(), strict=True),
    ("#0072b2", "#c04f00", "#b27c00", "#777777"),
    strict=True,
):
    bars = ax.barh(list(rows), widths, left=left, color=colour, label=name, edgecolor="white")
    texts = [f"{width:.0f} %" if width >= 4 else "" for width in widths]
    ax.bar_label(bars, texts, label_type="center", color="white")
    left = [done + width for done, width in zip(left, widths, strict=True)]
ax.invert_yaxis()
ax.set_xlim(0, 100)
ax.set_title("MobileNetV2: shares of each kind of layer")
ax.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.12), frameon=False)
plt.show()

others = sum(count for kind, count in layers.items() if kind not in ("Conv2d", "Linear"))
print(f"{others} of {sum(layers.values())} layers are neither convolution nor linear.")
print(f"They do {100 - rows['MACs'][0]:.0f} % of the MACs, ", end="")
print(
    f"and everything but convolution and linear took {100 - rows['time'][0]:.0f} % of the time here."
)

# %% [markdown]
# By the usual count these layers are free. The clock disagrees. (It exaggerates a little: the stopwatch adds
# its own time to every layer, and small layers feel it most.)
#
# They also do all the work that a convolution cannot do. This chapter is about six jobs:
#
# | the job | the layer |
# | --- | --- |
# | look at the whole picture at once | global average pooling |
# | bring two branches together | add, concatenate |
# | move channels to other places | split, shuffle |
# | decide what passes | activation |
# | keep the numbers in range | normalisation |
# | weigh one channel against another | squeeze-and-excitation |

# %% [markdown]
# ## Predict
#
# Three guesses. Put your answer in place of the dots. Nobody grades them.
#
# **1.** Twelve channels stand in 6 groups of 2. A **group convolution (分组卷积)** mixes channels inside
# each group only. Then comes one **channel shuffle (通道混洗)**, which deals the channels out to new groups,
# and then a second group convolution. **From how many of the 6 groups does one output channel know?**

# %%
predict("06.p1", ...)

# %% [markdown]
# **2.** You train with a batch of two pictures. Deep in the network a feature map is one pixel large, so
# a channel has two values in the batch: **3 and 7**. They go through batch normalisation, fresh and in
# training mode. **What comes out?**
#
# Choose `"3 and 7"`, `"-2 and +2"`, `"-1 and +1"` or `"0.3 and 0.7"`.

# %%
predict("06.p2", ...)

# %% [markdown]
# **3.** Swish is x times a smooth gate. h-swish, its cheap double, is x times a gate of straight lines.
# **How far apart do the two get, at most?** A number, such as 0.5.

# %%
predict("06.p3", ...)

# %% [markdown]
# ## Play
#
# Here are the twelve channels. The colour and the letter say which group a channel comes from.
#
# Press the play button, or step with **← →** after a click on the picture.

# %%
viz.channel_shuffle()

# %% [markdown]
# Try these, in this order:
#
# - **Shuffle off**, step to the end. Each output carries one letter. What is a network in which no
#   letter ever meets another?
# - **Shuffle on**, 3 groups. Watch the third and the fourth step: a table, and the same table turned.
# - **6 groups**, shuffle on, last step. Count the letters on one card. Then count the channels in a group.
# - **2 groups**: how many letters now? When does one shuffle mix everything?
# - **Wrong way round**, 3 groups: compare the order of the cards with the right one. Do the groups mix?
# - Point at a card: everything that shares a source with it lights up.

# %%
reveal("06.p1")

# %% [markdown]
# So one shuffle brings *min(g, C / g)* groups together. With few groups that is all of them. With many
# small groups it takes a second shuffle.
#
# Now the activations. Above the functions, below their slopes. **The slope is what the gradient is
# multiplied with on its way back.** Where it is 0, nothing is learnt.

# %%
PANELS = [
    {"ReLU": F.relu, "ReLU6": F.relu6},
    {"leaky ReLU, PReLU": lambda x: F.leaky_relu(x, 0.1), "SELU": F.selu},
    {"sigmoid": torch.sigmoid, "h-sigmoid": F.hardsigmoid, "tanh": torch.tanh},
    {"swish": F.silu, "h-swish": F.hardswish, "Mish": F.mish},
]
LOOKS = (("#0072b2", "-"), ("#d55e00", "--"), ("#009e73", ":"))
x = torch.linspace(-8, 8, 801, requires_grad=True)

figure, axes = plt.subplots(2, 4, figsize=(12, 5), sharex=True)
for (top, bottom), panel in zip(axes.T, PANELS, strict=True):
    for i, (name, f) in enumerate(panel.items()):
        colour, line = LOOKS[i % len(LOOKS)]
        y = f(x)
        (slope,) = torch.autograd.grad(y.sum(), x)
        top.plot(x.detach(), y.detach(), color=colour, linestyle=line, label=name, linewidth=2)
        bottom.plot(x.detach(), slope, color=colour, linestyle=line, linewidth=2)
    top.legend(fontsize=8, loc="upper left")
    for ax in (top, bottom):
        ax.axhline(0, color="#999999", linewidth=0.6)
        ax.axvline(0, color="#999999", linewidth=0.6)
axes[0, 0].set_ylabel("f(x)")
axes[1, 0].set_ylabel("slope f′(x)")
figure.tight_layout()
plt.show()

# %% [markdown]
# Look for three things:
#
# - **Dead zones.** ReLU has the slope 0 for all x below 0. ReLU6 has a second dead zone above 6.
# - **Fading.** The slope of sigmoid is never above one quarter. Ten in a row leave a millionth of the gradient.
# - **Doubles.** h-sigmoid and h-swish follow sigmoid and swish closely, but their slopes jump.
#
# Change something: put another function into a panel, or another 0.1.

# %% [markdown]
# One number says little about a layer; a crowd of inputs says more. Here the crowd stands below the curve, as a
# bell of bars. **Drag the dots µ and σ**: they are the mean and the deviation of the inputs. Step with **← →**
# after a click on the picture.

# %%
viz.activations()

# %% [markdown]
# Try these, in this order:
#
# - **ReLU**, second step. The red inputs meet the slope 0. Drag µ to the left: what share is lost now? Which
#   functions in the list lose nothing?
# - **sigmoid**: no input is lost. But look at the mean slope.
# - **SELU** with µ = 0 and σ = 1: compare mean and deviation of the outputs with those of the inputs.
# - **h-swish**, beside it **swish**, first step. Was your third guess right?
# - **ReLU6**, third step, µ = 3, the largest σ. How wide is one step of 8 bits, and how wide is ReLU's? Then
#   µ = 0 and σ = 1: why does the 6 not help there?
#
# `viz.activations(own=f)` puts a function `f` of yours into the list.

# %% [markdown]
# ## Build
#
# Five exercises, in the order of the jobs. Between them short demonstrations that need nothing but
# reading and running.
#
# ### Look at the whole picture: global average pooling
#
# MobileNetV2 ends with 1280 feature maps of 7 × 7. **Global average pooling (全局平均池化)** takes the
# mean of each map. From 7 × 7 × 1280 numbers 1280 remain.

# %%
maps = torch.randn(1, 1280, 7, 7)
means = maps.mean(dim=(2, 3))  # the same as nn.AdaptiveAvgPool2d(1), flattened
print("maps", tuple(maps.shape), "-> means", tuple(means.shape))

flat = nn.Linear(7 * 7 * 1280, 1000, device="meta")
pooled = nn.Linear(1280, 1000, device="meta")
for name, head in (("flatten, then linear", flat), ("pool, then linear", pooled)):
    print(f"{name:<21} {sum(p.numel() for p in head.parameters()):>11,} parameters")

for side in (128, 160, 224, 321):
    with torch.no_grad():
        print(
            f"picture {side} x {side}: output {tuple(mobilenet(torch.randn(1, 3, side, side)).shape)}"
        )

scrambled = maps.flatten(2)[:, :, torch.randperm(49)].view_as(maps)
print("pixels scrambled, same means:", torch.allclose(scrambled.mean((2, 3)), means, atol=1e-6))

# %% [markdown]
# Three consequences. The classifier shrinks 49 times. The network takes pictures of any size. And what
# stood *where* is forgotten: good for saying what is in the picture, bad for saying where.
#
# ### Bring branches together: add or concatenate
#
# Two branches have computed something about the same picture. Two ways to go on:
#
# - an **addition branch (加法分支)**: `x + f(x)`. Both must have the same shape, and so has the sum.
# - a **concatenation branch (拼接分支)**: `torch.cat([x, f], dim=1)`. Height and width must agree, the
#   channels pile up.
#
# The price is paid by the *next* layer. And the gradient goes back differently.

# %%
for name, channels in (("after add", 64), ("after concat", 128)):
    cost = analyze(nn.Conv2d(channels, 64, 1, bias=False), (1, channels, 28, 28))
    print(f"{name:<13} {channels:>3} channels; the next 1x1 convolution: {cost.macs:,} MACs")

a = torch.tensor([[1.0, 2.0]], requires_grad=True)
b = torch.tensor([[3.0, 4.0]], requires_grad=True)
upstream = torch.tensor([[10.0, 20.0]])
print("\nadd:    the gradient", upstream.tolist(), "arrives at both:")
print("       ", *(g.tolist() for g in torch.autograd.grad(a + b, (a, b), upstream)))
upstream = torch.tensor([[10.0, 20.0, 30.0, 40.0]])
print("concat: the gradient", upstream.tolist(), "is cut in two:")
print("       ", *(g.tolist() for g in torch.autograd.grad(torch.cat([a, b], 1), (a, b), upstream)))

# %% [markdown]
# Adding copies the gradient to both branches, whole. That is why deep networks with shortcuts can be
# trained at all: there is always one branch through which the gradient comes back unchanged.
#
# ### Move channels: split and shuffle
#
# A **channel split (通道切分)** sends some channels one way and the rest another. ShuffleNetV2 works on
# one half and hands the other half on, untouched.

# %%
x = torch.arange(8.0).view(1, 8, 1, 1)
left, right = x.chunk(2, dim=1)
print("left ", left.flatten().tolist(), " right", right.flatten().tolist())
print(
    "same memory, nothing copied:",
    left.untyped_storage().data_ptr() == x.untyped_storage().data_ptr(),
)

# %% [markdown]
# If the same half were always left alone, it would never be worked on. So after the two halves are back
# together, the channels change places: the shuffle.
#
# Take 6 channels in 2 groups. Write each group as a row. Read the table by columns.
#
# ```
# channels        table            read by columns
#                 0 1 2
# 0 1 2 3 4 5     3 4 5            0 3 1 4 2 5
# ```
#
# In PyTorch: view as a table, transpose, flatten. No arithmetic at all, only memory.
#
# ### Exercise 06.shuffle: channel shuffle, and back
#
# difficulty 3 of 5 · importance 5 of 5 · 10 minutes
#
# Write the shuffle. With `undo=True` it goes back. You need no second recipe for that: look at the turned
# table and ask how many rows it has.


# %% nbgrader={"grade": false, "grade_id": "06-shuffle", "locked": false, "schema_version": 3, "solution": true, "task": false}
def channel_shuffle(x: torch.Tensor, groups: int, undo: bool = False) -> torch.Tensor:
    """Deal the channels of each group out to all groups; with undo=True bring them back.

    x: (N, C, H, W), and C is divisible by groups. Returns a tensor of the same shape.

    The channels 0 1 2 3 4 5 in 2 groups become 0 3 1 4 2 5.
    """
    ### BEGIN SOLUTION
    n, c, h, w = x.shape
    if undo:
        groups = c // groups  # the turned table has C / g rows
    table = x.reshape(n, groups, c // groups, h, w)
    return table.transpose(1, 2).reshape(n, c, h, w)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "06-shuffle-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("06.shuffle", channel_shuffle)
### BEGIN HIDDEN TESTS
hidden_check("06.shuffle", channel_shuffle, seed=7)
### END HIDDEN TESTS

# %%
hint("06.shuffle")

# %%
# solution("06.shuffle")

# %% [markdown]
# > **Myth or fact?** *This code from many tutorials is ShuffleNet's channel shuffle:*
# > `x.reshape(n, c // groups, groups, h, w).transpose(1, 2).reshape(n, c, h, w)`
# >
# > Look closely at the first reshape. Then run the cell.


# %%
def from_a_tutorial(x, groups):
    n, c, h, w = x.shape
    return x.reshape(n, c // groups, groups, h, w).transpose(1, 2).reshape(n, c, h, w)


def groups_met(order, groups):
    """How many old groups stand together in a new group, at least and at most."""
    each = len(order) // groups
    met = [len({c // each for c in order[i : i + each]}) for i in range(0, len(order), each)]
    return min(met), max(met)


for count, groups in ((12, 3), (12, 6), (9, 3)):
    x = torch.arange(float(count)).view(1, count, 1, 1)
    print(f"{count} channels in {groups} groups")
    for name, f in (("paper", torch.channel_shuffle), ("tutorial", from_a_tutorial)):
        order = [int(c) for c in f(x, groups).flatten()]
        back = torch.equal(f(torch.channel_shuffle(x, groups), groups), x)
        print(
            f"  {name:<9}{order}  old groups in a new one: {groups_met(order, groups)[0]}", end=""
        )
        print("  <- undoes the paper's" if back else "")

# %% [markdown]
# A myth, with a twist. The tutorial's code is the *inverse* of the paper's (arXiv 1707.01083); the two agree
# only when C = g². It mixes just as well, so a network trained with it from scratch is none the worse.
# But load weights that were trained with the other order, and every channel is in the wrong place. No error
# message will tell you.

# %% [markdown]
# ### Decide what passes: activations
#
# Two linear layers in a row are one linear layer. Something bent must stand between them: the
# **activation function (激活函数)**.
#
# The table is for looking things up. You need ReLU, sigmoid and the two h-functions now.
#
# | name | formula | where you meet it |
# | --- | --- | --- |
# | ReLU | max(0, x) | nearly everywhere |
# | ReLU6 | min(max(0, x), 6) | MobileNetV1, V2 |
# | leaky ReLU (LReLU) | x if x > 0, else a·x | Darknet, the tiny YOLOs |
# | PReLU | as leaky ReLU, a is learnt | face networks on phones |
# | SELU | λ·x, or λ·α·(eˣ − 1) below 0 | plain nets without normalisation |
# | sigmoid | 1 / (1 + e⁻ˣ) | gates |
# | h-sigmoid | ReLU6(x + 3) / 6 | gates of MobileNetV3 |
# | tanh | (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ) | LeNet-5 |
# | swish, also SiLU | x · sigmoid(x) | EfficientNet |
# | h-swish | x · ReLU6(x + 3) / 6 | MobileNetV3, second half |
# | Mish | x · tanh(ln(1 + eˣ)) | YOLOv4 |
#
# **Why 6?** Small devices compute in 8-bit integers. That is **quantisation (量化)**: the range of a feature
# map is cut into 255 equal steps, and each value moves to the nearest one. A single very large value
# stretches the range, and then *all* steps get coarse.

# %%
values = 2 * torch.randn(100_000).abs()
values[:100] *= 15  # one value in a thousand is an outlier


def eight_bits(x):
    """Round to 255 steps between 0 and the largest value."""
    step = x.max() / 255
    return (x / step).round() * step


usual = values <= 6
for name, f in (("ReLU ", F.relu), ("ReLU6", F.relu6)):
    y = f(values)
    step, error = y.max() / 255, (eight_bits(y) - values).abs()
    print(
        f"{name}: largest {y.max():5.1f}, step {step:.3f}; mean error of values up to 6: "
        f"{error[usual].mean():.3f}, above 6: {error[~usual].mean():.2f}"
    )
print(f"{100 * usual.double().mean():.1f} % of the values are at most 6.")

# %% [markdown]
# ReLU6 fixes the range in advance. The many usual values are rounded more finely, the few large ones
# are cut off. It is a trade. (These numbers are made up for the purpose: half a bell curve with
# outliers.)
#
# ### Exercise 06.hswish: a gate of straight lines
#
# difficulty 1 of 5 · importance 4 of 5 · 3 minutes
#
# Swish multiplies x by a soft gate, sigmoid(x). An exponential is dear in integers. So MobileNetV3
# replaces the gate by a ramp: 0 up to x = −3, one half at 0, 1 from x = 3 on.


# %% nbgrader={"grade": false, "grade_id": "06-hswish", "locked": false, "schema_version": 3, "solution": true, "task": false}
def hard_swish(x: torch.Tensor) -> torch.Tensor:
    """x times a gate that rises in a straight line from 0 (at x = -3) to 1 (at x = 3).

    x: a tensor of any shape. Returns a tensor of the same shape and dtype.

    hard_swish of -3, -1, 0, 1, 3 is 0, -0.333, 0, 0.667, 3.
    """
    ### BEGIN SOLUTION
    gate = torch.clamp(x + 3, 0, 6) / 6
    return x * gate
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "06-hswish-check", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check("06.hswish", hard_swish)
### BEGIN HIDDEN TESTS
hidden_check("06.hswish", hard_swish, seed=7)
### END HIDDEN TESTS

# %%
hint("06.hswish")

# %%
# solution("06.hswish")

# %% [markdown]
# > **Myth or fact?** *h-swish keeps the accuracy, loses nothing in int8, and is fast.*
# >
# > Three claims. The cell measures what can be measured here: the distance to swish, and the time.

# %%
x = torch.linspace(-8, 8, 160_001, dtype=torch.float64)
gap = (F.hardswish(x) - F.silu(x)).abs()
print(
    f"largest distance between h-swish and swish: {gap.max():.4f}, at x = ±{x[gap.argmax()].abs():.2f}"
)

x = 3 * torch.randn(200_000)
cost = {}
for f in (F.relu, F.relu6, F.hardswish, F.silu, F.mish):
    laps = []
    for _ in range(30):
        start = time.perf_counter()
        f(x)
        laps.append(time.perf_counter() - start)
    cost[f.__name__] = sorted(laps)[15] / len(x) * 1e9
for name, ns in cost.items():
    print(f"{name:<10} {ns:5.2f} ns a value, {ns / cost['relu']:5.1f} times ReLU")

# %%
reveal("06.p3")

# %% [markdown]
# Partly. h-swish is not swish: they differ by up to 0.142. On a processor with vector instructions
# (nearly every one has them) it is cheap; Mish, made of three functions, is not. The MobileNetV3 paper (section 5.2) claims
# less than the myth: the pieces run on every device, int8 avoids the errors of an *approximated*
# sigmoid, and memory access falls. In its Table 5 h-swish still costs latency against ReLU, 51.4 ms
# against 50.5 ms on a phone. That is why it appears only in the second half of the network.

# %% [markdown]
# ### Keep the numbers in range: batch norm
#
# Every layer changes the size of the numbers a little. A factor of 1.2 in each of fifty layers makes 9,100.
# **Batch normalisation (批归一化)** sets each channel back.
#
# One channel holds the values 1, 3, 5, 7 in this batch.
#
# 1. Subtract their mean, 4: −3, −1, 1, 3.
# 2. Divide by their spread. The variance is (9 + 1 + 1 + 9) / 4 = 5, its root 2.236: −1.34, −0.45, 0.45, 1.34.
# 3. Multiply by a learnt number γ (gamma), add a learnt number β (beta).
#
# In symbols, for each channel: **y = γ · (x − μ) / √(σ² + ε) + β**. The small ε keeps a channel that never
# changes from dividing by zero.
#
# Which values share one mean? *All pictures of the batch, all pixels, one channel.* Each table below is a
# batch of 4 pictures with 6 channels; a cell stands for all pixels. Cells of one colour share a mean.

# %%
WAYS = ("batch norm", "group norm, 2 groups", "FRN (instance norm)")
SHARED = (
    [list(range(6)) for n in range(4)],
    [[2 * n + c // 3 for c in range(6)] for n in range(4)],
    [[6 * n + c for c in range(6)] for n in range(4)],
)
figure, axes = plt.subplots(1, 3, figsize=(10, 2.5))
for ax, name, shared in zip(axes, WAYS, SHARED, strict=True):
    size = max(map(max, shared)) + 1
    ax.imshow(
        [[(7 * v % size) / size for v in row] for row in shared], cmap="turbo", vmin=0, vmax=1
    )
    for n, row in enumerate(shared):
        for c, v in enumerate(row):
            ax.text(
                c,
                n,
                v + 1,
                ha="center",
                va="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
                fontsize=8,
            )
    ax.set_xticks(range(6))
    ax.set_yticks(range(4))
    ax.set_xlabel("channel")
    ax.set_title(f"{name}: {size} statistics", fontsize=10)
axes[0].set_ylabel("picture")
figure.tight_layout()
plt.show()

# %%
reveal("06.p2")

# %% [markdown]
# So batch norm makes your picture's result depend on its neighbours in the batch. In training that is
# tolerable. In use it is not: the answer for a photo must not depend on the next photo.
#
# So the layer lives in **two modes**.
#
# | | training, `model.train()` | use, `model.eval()` |
# | --- | --- | --- |
# | normalise with | mean and variance of *this batch* | the kept *running* mean and variance |
# | update the kept ones | yes | no |
#
# The kept values follow slowly: *new = (1 − momentum) · old + momentum · batch*. With momentum 0.1 a tenth
# of the new batch comes in.
#
# One trap. The batch is normalised with the **biased** variance (divide by n). The kept variance is the
# **unbiased** one (divide by n − 1), since it is a guess about pictures that were not in the batch.
# `x.var(...)` takes `correction=0` or `correction=1`.
#
# The kept values are **buffers**: saved with the model, moved with the model, but not trained. That is
# what `register_buffer` does.
#
# ### Exercise 06.batchnorm: batch norm, in both its modes
#
# difficulty 4 of 5 · importance 5 of 5 · 20 minutes
#
# `__init__` is given. Write `forward`.


# %% nbgrader={"grade": false, "grade_id": "06-batchnorm", "locked": false, "schema_version": 3, "solution": true, "task": false}
class BatchNorm(nn.Module):
    """Batch normalisation of (N, C, H, W), with statistics for each channel."""

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1):
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C, H, W).

        In training (self.training is True): normalise with the batch, update running_mean and
        running_var, both of shape (C,). Otherwise: normalise with running_mean and running_var.
        """
        ### BEGIN SOLUTION
        if self.training:
            mean = x.mean((0, 2, 3))
            var = x.var((0, 2, 3), correction=0)
            with torch.no_grad():  # what is kept must not keep the gradients of every batch
                unbiased = x.var((0, 2, 3), correction=1)
                self.running_mean += self.momentum * (mean - self.running_mean)
                self.running_var += self.momentum * (unbiased - self.running_var)
        else:
            mean, var = self.running_mean, self.running_var
        scale = self.gamma / torch.sqrt(var + self.eps)
        shift = self.beta - mean * scale
        return x * scale[:, None, None] + shift[:, None, None]
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "06-batchnorm-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("06.batchnorm", BatchNorm)
### BEGIN HIDDEN TESTS
hidden_check("06.batchnorm", BatchNorm, seed=7)
### END HIDDEN TESTS

# %%
hint("06.batchnorm")

# %%
# solution("06.batchnorm")

# %% [markdown]
# > **Myth or fact?** *Batch norm pulls the values back to a standard normal distribution.*
# >
# > The cell sends values with a very lopsided distribution through batch norm, and counts.

# %%
lopsided = torch.empty(64, 1, 32, 32).exponential_()
normed = F.batch_norm(lopsided, None, None, training=True)


def lean(x):
    """The skewness: 0 for any symmetric distribution, such as the normal one."""
    z = (x - x.mean()) / x.std()
    return (z**3).mean().item()


figure, axes = plt.subplots(1, 2, figsize=(9, 2.4))
for ax, name, data in zip(axes, ("before", "after batch norm"), (lopsided, normed), strict=True):
    ax.hist(data.flatten().numpy(), bins=80, range=(-4, 6), density=True, color="#0072b2")
    ax.set_title(
        f"{name}: mean {data.mean():.2f}, deviation {data.std():.2f}, skewness {lean(data):.2f}",
        fontsize=9,
    )
grid = torch.linspace(-4, 6, 200)
axes[1].plot(
    grid,
    torch.exp(-(grid**2) / 2) / (2 * torch.pi) ** 0.5,
    color="#d55e00",
    label="standard normal",
)
axes[1].legend(fontsize=8)
plt.show()
bell = 100 * torch.special.ndtr(torch.tensor(-1.1))
print(
    f"below -1.1: {100 * (normed < -1.1).double().mean():.1f} % here, {bell:.1f} % of a standard normal"
)

# %% [markdown]
# A myth. Mean and variance become 0 and 1, and then γ and β change them again. The *shape* stays exactly
# as it was: batch norm only shifts and stretches. Why it helps training is still argued about; the
# original explanation, "internal covariate shift", did not survive tests (arXiv 1805.11604).

# %% [markdown]
# ### Make batch norm vanish: folding
#
# In use, all four numbers of a channel are constants. So batch norm is *scale times y plus shift*. And the
# convolution before it is linear. Two linear steps are one.
#
# One number: the convolution gives y = 2·x + 1. Batch norm has mean 5, variance 4, γ = 6, β = 10 (and no ε).
#
# scale = 6 / √4 = 3, and 3 · (2·x + 1 − 5) + 10 = **6·x − 2**.
#
# The new weight is 2 · 3. The new bias is 10 + (1 − 5) · 3. This is **BN folding (BN融合)**.
#
# ### Exercise 06.fold: fold batch norm into the convolution
#
# difficulty 3 of 5 · importance 5 of 5 · 12 minutes
#
# Return one *new* convolution that does the work of both. Mind that the old one mostly has no bias
# (`conv.bias is None`), and that it may have a stride, padding, dilation and groups.


# %% nbgrader={"grade": false, "grade_id": "06-fold", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """One new convolution equal to conv followed by norm in eval mode; conv and norm stay as they are.

    conv.weight: (out, in / groups, k, k); norm.weight is gamma, norm.bias is beta, both (out,),
    and so are norm.running_mean and norm.running_var.
    """
    ### BEGIN SOLUTION
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    own_bias = torch.zeros_like(norm.bias) if conv.bias is None else conv.bias
    folded = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,
        stride=conv.stride,
        padding=conv.padding,
        dilation=conv.dilation,
        groups=conv.groups,
        bias=True,
    )
    folded.weight = nn.Parameter(conv.weight * scale[:, None, None, None])
    folded.bias = nn.Parameter(norm.bias + (own_bias - norm.running_mean) * scale)
    return folded
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "06-fold-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("06.fold", fold)
### BEGIN HIDDEN TESTS
hidden_check("06.fold", fold, seed=7)
### END HIDDEN TESTS

# %%
hint("06.fold")

# %%
# solution("06.fold")

# %% [markdown]
# ### The other normalisations
#
# Most of them subtract, divide, scale and shift; FRN subtracts no mean, and local response norm only divides.
# They differ in *which values share a statistic*, and so in what they need. Again a table for looking up: read
# the last column once.
#
# | name | the statistics come from | choose it when |
# | --- | --- | --- |
# | batch norm (批归一化) | the batch, all pixels, one channel | the batch is large; it folds away |
# | cross-GPU or sync BN (跨GPU BN) | the same, over the batches of *all* devices | large pictures, few of them per device |
# | cross-iteration BN (跨迭代BN) | the last few batches; old statistics are corrected (first-order Taylor) for how the weights have moved since | the same, with one device |
# | group norm (组归一化) | one picture, all pixels, a group of channels | the batch is small |
# | FRN with TLU (滤波响应归一化) | one picture, all pixels, one channel: x / √(mean of x² + ε), no mean subtracted; then max(y, τ) with a learnt τ | the batch is small and the maps are large |
# | local response norm (局部响应归一化) | a few neighbouring channels at one pixel: x / (k + α Σ x²)^β | never today; AlexNet and GoogLeNet had it |
# | whitening (白化) | the whole data set, once: subtract its mean, divide by its deviation (and, in full, decorrelate) | always, for the input |
#
# **The catch for light networks:** only batch norm (with its sync and cross-iteration forms) has constants
# in use. Group norm and FRN measure every picture anew, so they cannot be folded. They cost time for ever.
#
# What does sync BN exchange? Two numbers per channel. Two devices with two pictures each:

# %%
batch = torch.randn(4, 3, 5, 5, dtype=torch.float64)
devices = batch.chunk(2)  # two pictures on each device
means = torch.stack([part.mean((0, 2, 3)) for part in devices]).mean(0)
squares = torch.stack([part.square().mean((0, 2, 3)) for part in devices]).mean(0)
synced = (batch - means[:, None, None]) / (squares - means**2 + 1e-5).sqrt()[:, None, None]
print(
    "equals batch norm on all four pictures:",
    torch.allclose(synced, F.batch_norm(batch, None, None, training=True)),
)

# %% [markdown]
# Average the means, average the mean squares, and the two devices behave like one with a batch of four.
# Remember this for the measurement below: *sync BN over 8 devices with 2 pictures each is batch norm with
# batch 16.*

# %% [markdown]
# ### Weigh the channels: squeeze-and-excitation, a preview
#
# A convolution weighs its channels the same way for every picture. **Squeeze-and-excitation (SE注意力)**
# lets the picture decide.
#
# ```
# x (N, C, H, W) ──┬──────────────────────────────────────────────► × ──► out (N, C, H, W)
#                  └► mean over pixels ► linear ► ReLU ► linear ► h-sigmoid ┘
#                       (N, C)           (N, S)          (N, C)    gate, 0 … 1
# ```
#
# *Squeeze*: one number per channel, by global average pooling. *Excite*: two small linear layers turn
# these into one gate per channel. Everything in this exercise you have met above. Chapter 12 uses it in
# MobileNetV3.
#
# ### Exercise 06.squeeze: a gate for each channel
#
# difficulty 2 of 5 · importance 3 of 5 · 6 minutes


# %% nbgrader={"grade": false, "grade_id": "06-squeeze", "locked": false, "schema_version": 3, "solution": true, "task": false}
def squeeze_excite(
    x: torch.Tensor, w1: torch.Tensor, b1: torch.Tensor, w2: torch.Tensor, b2: torch.Tensor
) -> torch.Tensor:
    """Scale each channel of each picture by a gate that is computed from all channels.

    x: (N, C, H, W); w1: (S, C), b1: (S,), the linear layer that squeezes, then ReLU;
    w2: (C, S), b2: (C,), the linear layer that expands, then h-sigmoid. Returns (N, C, H, W).
    """
    ### BEGIN SOLUTION
    squeezed = x.mean(dim=(2, 3))
    hidden = torch.relu(F.linear(squeezed, w1, b1))
    gate = F.hardsigmoid(F.linear(hidden, w2, b2))
    return x * gate[:, :, None, None]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "06-squeeze-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("06.squeeze", squeeze_excite)
### BEGIN HIDDEN TESTS
hidden_check("06.squeeze", squeeze_excite, seed=7)
### END HIDDEN TESTS

# %%
hint("06.squeeze")

# %%
# solution("06.squeeze")

# %% [markdown]
# ## Measure
#
# ### First claim: without a shuffle, grouped layers cannot work together
#
# We need a task in which groups *must* work together. Here it is. Each picture has three colour planes.
# Each plane shows waves in one of four directions. Two planes share a direction. **Which colour is the
# odd one out?**

# %%
puzzle = colour_puzzle(2000, 1200, noise=0.2)
figure, axes = plt.subplots(3, 4, figsize=(7.2, 5.4))
for row, image, odd in zip(axes, puzzle.train.images, puzzle.train.labels, strict=False):
    row[0].imshow(image.permute(1, 2, 0))
    for i, plane in enumerate(image):
        row[i + 1].imshow(plane, cmap="gray")
        row[i + 1].set_title(COLOURS[i] + (" (odd)" if i == odd else ""), fontsize=9)
axes[0, 0].set_title("the picture", fontsize=9)
for ax in axes.flat:
    ax.axis("off")
figure.tight_layout()
plt.show()

# %% [markdown]
# One plane alone says nothing: guessing gives 33 %. Two planes allow 67 %. Only all three allow 100 %. There
# is a fourth wave over all planes to distract, and noise; nothing else is asked of the network.
#
# The network has 1×1 group convolutions with 3 groups, one group per colour. In the first experiment the
# first layer keeps the colours apart as well. So without a shuffle the network is three networks, one for
# each colour, whose votes are added at the end.
#
# The claim, made before looking: *with shuffle beats without*. Every network is trained three times, with different
# seeds. `experiment` checks that both cost the same, and says what the runs show. It says *confirmed* or *refuted*
# when a gap of this size would be rare among equal networks (p below 0.05), and *no difference seen* when it would
# not. That is not the same as *equal*.
#
# If your `channel_shuffle` passes its check, the network uses it.

# %%
mine = run_check("06.shuffle", channel_shuffle).passed
shuffle = channel_shuffle if mine else torch.channel_shuffle
print(
    "The network shuffles with",
    "your channel_shuffle." if mine else "PyTorch's shuffle until yours passes.",
)


def with_and_without(name, stem_groups):
    """Train the grouped network with and without shuffle, three seeds each."""
    ways = {"without shuffle": None, "with shuffle": shuffle}
    return experiment(
        name,
        {
            way: lambda f=f: colour_net(3, stem_groups=stem_groups, groups=3, shuffle=f)
            for way, f in ways.items()
        },
        puzzle,
        claims=[("with shuffle", "without shuffle")],
        question="do grouped layers need the shuffle?",
        epochs=4,
        batch_size=25,
        lr=0.01,
        augment=None,
    )


apart = with_and_without("colours apart", stem_groups=3)
print(apart)

# %% [markdown]
# **Confirmed.** At the same cost the shuffle makes the difference between guessing and solving. In the first
# network each colour votes alone, and the votes are added: no number in it ever depends on two colours at once,
# so it cannot express "these two are equal". Well-chosen votes would still do better than a guess. The best that
# training finds here is guessing.
#
# Now the honest counterpart. Everything stays grouped, but the *first* layer sees all colours. It is
# a common design: the first layer is cheap anyway.

# %%
dense = with_and_without("first layer mixes", stem_groups=1)
print(dense)

# %% [markdown]
# **Not here.** One layer that mixes the colours is enough for this network, and three seeds show no gain from the
# shuffle behind it. A shuffle matters when nothing else brings the groups together. In ShuffleNet, with its many
# grouped layers in a row, little else does. In your network? Ask before you add one.

# %% [markdown]
# ### Second claim: with small batches, batch norm fails and other norms do not
#
# Pictures of the same kind, with more noise, and an easier question: *which direction do two planes share?* (Guessing:
# 25 %.) No groups this time.
#
# Two networks: **roomy** keeps its feature maps at 8 × 8, **tight** shrinks them to 2 × 2. Two batch sizes:
# 16 and 2. Three normalisations. The learning rate is 0.01 · √(batch / 16), and every network sees
# every picture twice.
#
# Before you look, count. A statistic is a mean over some values. The last feature map has 24 channels, and
# group norm makes 4 groups of them. How many values is each statistic taken from, in the last feature map?

# %%
NETS, NORMS = ("roomy", "tight"), ("batch norm", "group norm", "FRN")
print(f"{'values in one statistic':<24}{'batch 16':>10}{'batch 2':>10}")
for net, side in (("roomy", 8), ("tight", 2)):
    for norm, values in (
        ("batch norm", side**2),
        ("group norm", 24 // 4 * side**2),
        ("FRN", side**2),
    ):
        counts = [values * (batch if norm == "batch norm" else 1) for batch in (16, 2)]
        print(f"{net + ', ' + norm:<24}{counts[0]:>10}{counts[1]:>10}")

# %% [markdown]
# All twelve, with five seeds each, take some minutes. So we have trained them once, and the log comes with the course:
# every run, its seed, the machine and the settings. Decide before you look: **which of the six loses most from 16 to 2?
# Does any of them gain?**

# %%
log = studies.logged("small_batches")
figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
for ax, net in zip(axes, NETS, strict=True):
    for i, batch in enumerate((16, 2)):
        cells = [log[f"{net}, {norm}, {batch}"] for norm in NORMS]
        places = [j + 0.36 * i for j in range(3)]
        ax.bar(
            places,
            [row.mean for row in cells],
            0.34,
            yerr=[row.deviation for row in cells],
            capsize=3,
            label=f"batch {batch}",
            color=("#0072b2", "#e69f00")[i],
        )
    ax.axhline(25, color="#999999", linewidth=1, linestyle="--")
    ax.set_xticks([j + 0.18 for j in range(3)], NORMS)
    ax.set_title(net)
axes[0].set_ylabel("test accuracy, %")
axes[1].legend(frameon=False)
figure.tight_layout()
plt.show()


def show(comparison):
    """One line for each claim: is the first better than the second?"""
    for found in comparison.findings:
        gap = f"{found.difference:+.1f} points"
        if found.low is not None:
            gap += f" ({found.low:+.1f} to {found.high:+.1f})"
        print(f"{found.better:<21} beats {found.worse:<21} {gap:<29} {found.word}")


show(log)

# %% [markdown]
# Each line is a claim, made before the runs: a norm loses when the batch is small, and there group norm beats batch
# norm. Behind it stand the gap, its 95 % interval and the verdict.

# %% [markdown]
# **"Batch norm fails": it loses, in both nets; it does not break down. "Other norms do not": group norm shows no
# loss, and FRN has a trouble of its own.**
#
# Read it with the counts beside it.
#
# - **Batch norm loses, and more in the tight net.** At batch 2 its last statistic comes from 8 values there, and from
#   128 in the roomy net. That fits the rule *count values, not pictures*. (Two nets fit it; they do not prove it.)
# - **Group norm shows no loss.** Its statistics do not know the batch. At batch 2 its means are above those of batch norm,
#   but with eight claims and five seeds that is *not proven*. At batch 16 they are below. And it never becomes free.
# - **FRN does not know the batch either, and in the tight net it hardly does better than guessing, at both sizes.** Its
#   statistic comes from 4 values. Is that the reason? This experiment does not show it. FRN also divides each map by its
#   own strength, and how strong each direction is may be what this task asks for; but the roomy net has that handicap too,
#   and learns. *Independent of the batch* is not the same as *always safe*.
# - **Sync BN** over 8 devices with 2 pictures each stands where batch norm stands at batch 16.
#
# Caveats. Five seeds, one small task, two passes over the data. At batch 2 a network also takes 8 times as
# many steps, which helps a slow learner: look at FRN in the roomy net. So a gain at batch 2 may come from the steps;
# a loss comes in spite of them. Group norm is the control: it gets the extra steps, and no trouble from the batch.
#
# Train a smaller form of it yourself: the tight net, batch norm and group norm, fewer pictures and less noise in them,
# three seeds.

# %%
quick = studies.small_batches(quick=True)

# %%
print(quick, "\n")
show(quick)
batch_norm, group_norm = (found.difference for found in quick.findings[:2])
same = "as in the log" if batch_norm > group_norm else "in the log; not here, with three seeds"
print(f"\nFrom 16 to 2 batch norm loses more than group norm: {same}.")
print("To train the whole log again, a few minutes: studies.small_batches(seeds=5)")

# %% [markdown]
# ## Meet the real thing
#
# PyTorch has what you built. Do yours and theirs agree?


# %%
def agreement(name, exercise, obj, test):
    """Compare with PyTorch where the learner's object passes its check."""
    if not run_check(exercise, obj).passed:
        print(f"{name:<40} (yours does not pass yet)")
        return
    with torch.no_grad():
        print(f"{name:<40} {'equal' if test() else 'different'}")


def same_shuffle():
    x = torch.randn(2, 240, 7, 7)
    return torch.equal(channel_shuffle(x, 3), nn.ChannelShuffle(3)(x))


def same_norm():
    x = torch.randn(8, 16, 5, 5)
    ours, theirs = BatchNorm(16), nn.BatchNorm2d(16)
    return all(torch.allclose(ours(x), theirs(x), atol=1e-5) for _ in range(3)) and torch.allclose(
        ours.eval()(x), theirs.eval()(x), atol=1e-5
    )


def same_fold():
    conv, norm = nn.Conv2d(8, 16, 3, bias=False).eval(), nn.BatchNorm2d(16).eval()
    norm.running_mean.normal_()
    theirs = torch.nn.utils.fusion.fuse_conv_bn_eval(conv, norm)
    ours = fold(conv, norm)
    return torch.allclose(ours.weight, theirs.weight, atol=1e-6) and torch.allclose(
        ours.bias, theirs.bias, atol=1e-6
    )


agreement("nn.ChannelShuffle", "06.shuffle", channel_shuffle, same_shuffle)
agreement(
    "nn.Hardswish",
    "06.hswish",
    hard_swish,
    lambda: torch.allclose(hard_swish(picture), nn.Hardswish()(picture), atol=1e-6),
)
agreement("nn.BatchNorm2d, three batches and eval", "06.batchnorm", BatchNorm, same_norm)
agreement("fuse_conv_bn_eval", "06.fold", fold, same_fold)

# %% [markdown]
# Now three published networks. How often does each kind of operation occur? `analyze` also lists what it
# counts as zero MACs, with the shuffles among them: a shuffle is a *view*, a *transpose* and a *clone*.

# %%
models = import_torchvision().models
NETWORKS = {
    "MobileNetV2": mobilenet,
    "MobileNetV3-Small": models.mobilenet_v3_small(),
    "ShuffleNetV2 1x": models.shufflenet_v2_x1_0(),
}
ROWS = {
    "convolution, linear": ("Conv2d", "Linear"),
    "batch norm": ("BatchNorm2d",),
    "ReLU, ReLU6": ("ReLU", "ReLU6"),
    "h-swish": ("Hardswish",),
    "h-sigmoid gate of SE": ("Hardsigmoid",),
    "add": ("add",),
    "concatenate": ("cat",),
}
counts, shuffles = {}, {}
for name, net in NETWORKS.items():
    seen = analyze(net, (1, 3, 224, 224))
    counts[name] = Counter(layer.kind for layer in seen.layers)
    zero = {op.name: op.count for op in seen.zero}
    shuffles[name] = min(zero.get("transpose", 0), zero.get("clone", 0)), zero.get("split", 0)

print(f"{'':<22}" + "".join(f"{name:>20}" for name in NETWORKS))
for row, kinds in ROWS.items():
    print(f"{row:<22}" + "".join(f"{sum(counts[name][k] for k in kinds):>20}" for name in NETWORKS))
for i, row in enumerate(("channel shuffle", "channel split")):
    print(f"{row:<22}" + "".join(f"{shuffles[name][i]:>20}" for name in NETWORKS))

# %% [markdown]
# Three philosophies in one table. MobileNetV2 adds. ShuffleNetV2 splits, concatenates and shuffles.
# MobileNetV3 adds and gates. (Not every block of ShuffleNetV2 splits: the blocks that halve the picture, one per
# stage, send all channels through both branches.)
#
# How much of a network is SE? In MobileNetV3-Small:

# %%
v3 = NETWORKS["MobileNetV3-Small"]
gates = [m for m in v3.modules() if type(m).__name__ == "SqueezeExcitation"]
in_gates = sum(p.numel() for gate in gates for p in gate.parameters())
total = sum(p.numel() for p in v3.parameters())
print(
    f"{len(gates)} SE blocks hold {in_gates:,} of {total:,} parameters, {100 * in_gates / total:.0f} %"
)

# %% [markdown]
# Last, the fold on a whole network. Every convolution of MobileNetV2 is followed by a batch norm. First the
# batch norms see a few pictures, so that their statistics are not trivial. Then all of them are folded
# away.


# %%
def fold_all(model, fold_pair):
    """Replace each (convolution, batch norm) pair inside the model's Sequentials, in place."""
    for block in list(model.modules()):
        if not isinstance(block, nn.Sequential):
            continue
        for i in range(len(block) - 1):
            if isinstance(block[i], nn.Conv2d) and isinstance(block[i + 1], nn.BatchNorm2d):
                block[i] = fold_pair(block[i], block[i + 1])
                block[i + 1] = nn.Identity()
    return model


mine = run_check("06.fold", fold).passed
fold_pair = fold if mine else torch.nn.utils.fusion.fuse_conv_bn_eval
print("Folding with", "your fold." if mine else "PyTorch's until yours passes.")

full = create_model("mobilenet_v2")
with torch.no_grad():
    full.train()
    for _ in range(2):
        full(torch.randn(4, 3, 96, 96))
    full.eval()
    folded = create_model("mobilenet_v2").eval()
    folded.load_state_dict(full.state_dict())
    folded = fold_all(folded, fold_pair)
    before, after = full(picture), folded(picture)
print(
    f"largest difference of the outputs: {(before - after).abs().max():.1e}, of {before.abs().max():.2f}"
)

print(f"\n{'':<10}{'layers':>8}{'batch norms':>13}{'parameters':>13}{'MACs':>13}{'ms':>8}")
for name, net in (("before", full), ("after", folded)):
    seen = analyze(net, picture)
    kinds = Counter(layer.kind for layer in seen.layers if layer.kind != "Identity")
    ms = 1000 * sum(seconds_by_kind(net, picture).values())
    print(
        f"{name:<10}{sum(kinds.values()):>8}{kinds['BatchNorm2d']:>13}{seen.params:>13,}{seen.macs:>13,}{ms:>8.1f}"
    )

# %% [markdown]
# The same answers up to rounding, 52 layers fewer, the same MACs. Any time that is saved was invisible to
# the MAC count from the start.
#
# It may be less than the share of batch norm in the first chart. There the stopwatch added its own time to every
# layer. And here the folded network still calls an empty `nn.Identity` where each batch norm stood.

# %% [markdown]
# ## Explain
#
# Short answers in your own words. Two to four sentences each.
#
# **1.** A colleague trains a detector with large pictures, two per GPU, with batch norm. The accuracy is poor.
# Name two remedies, and say what each of them costs when the detector is *used*.

# %% [markdown] nbgrader={"grade": true, "grade_id": "06-explain-1", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Each mean comes from too few values. Sync BN takes the statistics over all GPUs; it costs communication in
# training and nothing in use, because the constants fold into the convolutions as always. Group norm takes them
# within one picture; it needs no neighbours, but it has to be computed for every picture in use, since it cannot
# be folded. (Cross-iteration BN counts as well: it costs memory in training, nothing in use.)
#
# Rubric. 1 point: two fitting remedies with the reason (more values in a statistic, or independence of the
# batch). 1 point: the cost in use is right for both: batch statistics fold away, per-picture ones do not.
# ### END SOLUTION

# %% [markdown]
# **2.** You load published weights into your own ShuffleNet. All shapes fit, there is no error, and the accuracy
# is that of guessing. Someone used the other channel shuffle. Why is there no error? Why does training from
# scratch hide the difference? How would you find it with six numbers?

# %% [markdown] nbgrader={"grade": true, "grade_id": "06-explain-2", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Both versions are permutations of the channels, so every shape fits. Trained from scratch, the next layer learns
# whatever order it is given, and both orders bring the groups together equally well. With loaded weights each
# channel meets weights that were made for another one. I send the channels 0 to 5 through it with 2 groups: the
# paper's gives 0 3 1 4 2 5, its inverse 0 2 4 1 3 5.
#
# Rubric. 1 point: a permutation keeps shapes, and trained weights adapt to any fixed order. 1 point: a concrete
# test with numbered channels in which C is not g².
# ### END SOLUTION

# %% [markdown]
# **3.** Batch norm can be folded into the convolution before it. Why not during training? And why can it not be
# folded into the convolution *after* it when a ReLU stands between them?

# %% [markdown] nbgrader={"grade": true, "grade_id": "06-explain-3", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Folding needs constants. In training mean and variance belong to the batch at hand, they change with every batch,
# and the gradient passes through them. A ReLU is not linear: scale and shift cannot be moved past it, because it
# may cut a value that was positive before the shift and negative after it.
#
# Rubric. 1 point: in training the statistics depend on the batch. 1 point: the steps must be linear, and an
# activation between them is not.
# ### END SOLUTION

# %% [markdown]
# ## Summary card
#
# | layer | what it does | to remember |
# | --- | --- | --- |
# | global average pooling | (N, C, H, W) → (N, C) | any picture size; forgets where |
# | add | same shape in, same shape out | the gradient arrives whole in both branches |
# | concatenate | channels pile up | the next convolution pays |
# | split | a part of the channels goes another way | a view, nothing is copied |
# | shuffle | (g, C/g) table, turned | brings min(g, C/g) groups together; undo is the shuffle with C/g groups |
# | ReLU6 | clips at 6 | fixed range, fine int8 steps, large values cut |
# | ReLU, leaky ReLU | slope 1 above 0; below 0 none, or a small one | no slope, no learning: the dead zone |
# | sigmoid, h-sigmoid | 0 … 1 | for gates; the slope is at most 1/4, so it fades |
# | h-swish | x · ReLU6(x + 3) / 6 | up to 0.142 from swish; x = ±3 is worst |
# | batch norm | per channel, over batch and pixels | batch statistics in training, kept ones in use; needs many values |
# | folding | scale the weights, move the shift into the bias | batch norm is free in use |
# | sync BN | batch norm over all devices | two numbers per channel are exchanged; folds like batch norm |
# | group norm, FRN | per picture | no batch needed; never free |
# | SE | one gate per channel and picture | gate has the shape (N, C, 1, 1) |
#
# **One sentence.** Layers without MACs are not without cost, and without them the MACs would be worth nothing.

# %%
progress()

# %% [markdown]
# ## Papers
#
# - M. Lin and others. *Network In Network.* arXiv 1312.4400: global average pooling.
# - X. Zhang and others. *ShuffleNet.* arXiv 1707.01083: channel shuffle.
# - N. Ma and others. *ShuffleNet V2.* arXiv 1807.11164: channel split.
# - A. Howard and others. *Searching for MobileNetV3.* arXiv 1905.02244: h-sigmoid, h-swish.
# - V. Nair, G. Hinton. *Rectified Linear Units Improve Restricted Boltzmann Machines.* ICML 2010. ReLU6:
#   A. Krizhevsky, *Convolutional Deep Belief Networks on CIFAR-10*, technical report 2010.
# - A. Maas and others. *Rectifier Nonlinearities Improve Neural Network Acoustic Models.* ICML 2013: leaky ReLU.
#   PReLU: arXiv 1502.01852. SELU: arXiv 1706.02515. Swish: arXiv 1710.05941. Mish: arXiv 1908.08681.
# - S. Ioffe, C. Szegedy. *Batch Normalization.* arXiv 1502.03167. Folding: arXiv 1712.05877.
# - C. Peng and others. *MegDet.* arXiv 1711.07240: batch norm across GPUs. *Cross-Iteration Batch Normalization*:
#   arXiv 2002.05712.
# - Y. Wu, K. He. *Group Normalization.* arXiv 1803.08494. *Filter Response Normalization Layer*: arXiv 1911.09737.
# - A. Krizhevsky and others. *ImageNet Classification with Deep Convolutional Neural Networks.* NIPS 2012: local
#   response normalisation. Y. LeCun and others. *Efficient BackProp.* 1998: whitening the input.
# - J. Hu and others. *Squeeze-and-Excitation Networks.* arXiv 1709.01507.
