# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   lightcourse: {chapter: "11", title: "MobileNetV2: narrow ends, wide inside", question: "Why make a block narrow where others are wide?", minutes: 90, budget_seconds: 90, exercises: ["11.manifold", "11.block", "11.cost", "11.network", "11.slices"]}
# ---

# %% [markdown]
# # 11 · MobileNetV2: narrow ends, wide inside
#
# **Why make a block narrow where others are wide?**
#
# About 90 minutes. You will see what a ReLU destroys, build MobileNetV2's block and the published network to the last
# weight, and find out how much memory it takes. Three claims of the paper are put to the test. Not all of them hold as they
# are usually told.

# %%
import math

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
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
from lightcourse._torchvision import import_torchvision
from lightcourse.analysis import latency
from lightcourse.checks import hidden_check, run_check, stand_in
from lightcourse.models import published
from lightcourse.myths import myth
from lightcourse.nn import fuse, make_divisible
from lightcourse.training import statistics, studies

torch.manual_seed(0)
torch.set_num_threads(1)  # one thread gives the same numbers at every run
print("Ready. PyTorch", torch.__version__)

# %% [markdown]
# ## Question
#
# A block of ResNet, the classic with shortcuts, is wide at its ends: 256 channels come in, 64 do the work, 256 go out. The
# narrow middle is called a **bottleneck (瓶颈)**.
#
# MobileNetV2, of 2018, turns this inside out. 24 channels come in, 144 do the work, 24 go out. It is called the **inverted
# residual (倒残差结构)**. Here are all its blocks; each bar is as high as its number of channels.

# %%
# t expansion, c channels that come out, n blocks, s stride of the first of them
TABLE = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
]
ends, inside = [32], []
for t, c, n, _ in TABLE:
    for _ in range(n):
        inside.append(t * ends[-1])
        ends.append(c)
figure, ax = plt.subplots(figsize=(9, 2.6))
places = range(len(ends))
ax.bar(places, ends, width=0.35, color="#0072b2", label="between the blocks")
ax.bar([p + 0.5 for p in places[:-1]], inside, width=0.35, color="#e69f00", label="within a block")
ax.set(xlabel="block", ylabel="channels", xticks=[p + 0.5 for p in places[:-1]])
ax.set_xticklabels(range(1, len(ends)))
ax.legend(frameon=False)
figure.tight_layout()
plt.show()

# %% [markdown]
# Two things are strange about it. What a block hands on is squeezed into few channels. And there, at the narrow end,
# stands *no activation*, in a network where everything else has one. This is the **linear bottleneck (线性瓶颈)**.
#
# The paper gives three reasons. A ReLU would destroy information where channels are few. The network needs less memory.
# And a shortcut between narrow ends is better than one between wide maps. Are they true?

# %% [markdown]
# ## Predict
#
# Four guesses. Put your answer in place of the dots. Nobody grades them.
#
# **1.** Points of a plane are sent into three dimensions: three random weighted sums of their two coordinates. Then a
# ReLU sets the negative sums to 0. From what is left, some points can still be found exactly, others are lost. **How
# many per cent are lost?**

# %%
predict("11.p1", ...)

# %% [markdown]
# **2.** MobileNetV2 has about half of the MACs (**乘加次数**, multiplications with their additions) of MobileNet. A
# network needs most memory at its worst moment, when the maps that are alive together are largest. Both run as PyTorch
# runs them, layer by layer, on 224×224 pixels. **How many times the peak memory of MobileNet has MobileNetV2?** (1 means
# the same.)

# %%
predict("11.p2", ...)

# %% [markdown]
# **3.** We trained small networks of such blocks, shortcuts included, with and without a ReLU at their narrow ends. Narrow
# is 4 to 12 channels here, an eighth of the width within. **What does the ReLU cost?** `"not to be told from noise"`,
# `"a few points"` or `"more than ten points"`.

# %%
predict("11.p3", ...)

# %% [markdown]
# **4.** And nine blocks with a shortcut between their narrow ends, or between the wide maps within. **Which is better?**
# `"narrow ends"`, `"wide maps"` or `"not to be told from noise"`.

# %%
predict("11.p4", ...)

# %% [markdown]
# ## Play
#
# A spiral lies in a plane. A random matrix T sends it into n dimensions, a ReLU sets what is negative to zero, and another
# matrix brings it back: T⁺, the one that undoes T, or the one that fits best. Change n.

# %%
viz.manifold()

# %% [markdown]
# Try these:
#
# - n = 2 and n = 3, with several seeds. Which parts of the spiral fall together into one point, or into one line?
# - Go up to n = 15 and n = 30. Does anything still fall together? Is it the spiral that it was?
# - **Back by: fitted**. What does the best matrix gain at n = 2, what at n = 30?
# - **Activation: none**. Is anything lost without a ReLU?
#
# And here is the block, with the boxes as wide as their channels. Step through it with **← →** after a click on the
# picture.

# %%
viz.blocks(kind="inverted")

# %% [markdown]
# - Which of the three layers has most of the MACs? Which has the fewest?
# - Turn the expansion t up and down. What grows with it, and what stays as it is?
# - **Stride 2**: in which layer does the map shrink? Is the expansion cheaper then?
# - When is there a shortcut? Find all the conditions.

# %% [markdown]
# ## Build
#
# Five exercises: the experiment with the spiral, the block, its price, the network, and a way to run it in little memory.
#
# ### The way through a ReLU
#
# Two numbers, x = 1 and y = −2. Three sums of them: x + y = −1, x − y = 3, and 2x = 2. After the ReLU: 0, 3, 2. From the
# last two you find x and y again. Had only one number been left, you could not.
#
# The paper comes back in one step, with a matrix: the **pseudo-inverse (伪逆)** of the matrix that went there. For a square
# matrix it is the inverse. `torch.linalg.pinv(matrix)` computes it.
#
# ### Exercise 11.manifold: through a ReLU and back
#
# difficulty 2 of 5 · importance 3 of 5 · 8 minutes
#
# Send points into n dimensions, through a ReLU, and back. Both arguments are tensors of real numbers with the same dtype.


# %% nbgrader={"grade": false, "grade_id": "11-manifold", "locked": false, "schema_version": 3, "solution": true, "task": false}
def there_and_back(points: Tensor, matrix: Tensor) -> Tensor:
    """Multiply by a matrix, take the ReLU, and multiply by the pseudo-inverse of the matrix.

    points: (P, d), one point in each row.
    matrix: (n, d), n is d or more. Each row holds the weights of one of the n sums.
    Returns (P, d): where each point comes back.

    The point (1, 2) and the matrix [[2, 1], [0, 1]] give 4 and 2, and come back as (1, 2).
    """
    ### BEGIN SOLUTION
    wide = torch.relu(points @ matrix.T)
    return wide @ torch.linalg.pinv(matrix).T
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "11-manifold-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("11.manifold", there_and_back)
### BEGIN HIDDEN TESTS
hidden_check("11.manifold", there_and_back, seed=7)
### END HIDDEN TESTS

# %%
hint("11.manifold")

# %%
# solution("11.manifold")

# %% [markdown]
# The experiment comes under Measure. First the block that was built upon it.
#
# ### The block
#
# Three layers: a 1×1 convolution that **expands (扩张)**, a depthwise one, and a 1×1 convolution that narrows again, the
# **projection (投影)**. First a piece of code that you can find in many places, as a claim. Decide: put `"true"`,
# `"half true"`, `"false"` or `"mix-up"` in place of the dots. Then the claim is looked into.
#
# > **Myth or fact?** *V2 InvertedBlock 代码: projection = conv1x1(hidden, out): The projection is
# > `conv1x1(hidden, out)`, and `conv1x1` is the same helper that made the expansion, with norm and ReLU6.*


# %%
def judge(name: str, guess: object) -> None:
    """Show what is right about a claim, beside the learner's own guess, with the evidence."""
    claim = myth(name)
    if guess is ...:
        print("Decide first: put your answer in place of the dots, and run the cell again.")
        return
    print(f"You said: {guess}. It is: {claim.verdict}.")
    display(claim, claim.demonstrate())


judge("myth_29", ...)

# %% [markdown]
# One helper for both 1×1 layers is tidy code, and such a program runs, and even learns. How much worse, you will see under
# Measure. Here is the block as it should be:
#
# ```text
# c channels ─► 1×1 expansion, c to t·c   ─► batch norm ─► ReLU6 ─►          (left out if t = 1)
#           ─► depthwise 3×3, the stride  ─► batch norm ─► ReLU6 ─►
#           ─► 1×1 projection, t·c to n   ─► batch norm ─► + the input, where it fits ─► n channels
# ```
#
# The expansion makes t times as many channels as come in. A **depthwise (深度卷积)** layer filters each channel by itself,
# with padding 1. The projection makes n channels of them, and *nothing* follows but its norm. ReLU6 is a ReLU that cuts at
# 6 as well. No convolution has a bias.
#
# The **shortcut (捷径连接)** adds the input to what the three layers have made. That is possible only if both have the same
# shape. When is that? (“Where it fits” is all the paper asks for; there is no convolution in the shortcut.)
#
# ### Exercise 11.block: the inverted residual
#
# difficulty 3 of 5 · importance 5 of 5 · 15 minutes
#
# Write it as a module, of `nn.Conv2d`, `nn.BatchNorm2d` and `nn.ReLU6`. The names of the parts are up to you. The check
# calls `Block(c, n, stride=s, expansion=t)` with whole numbers; the stride is 1 or 2.


# %% nbgrader={"grade": false, "grade_id": "11-block", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Block(nn.Module):
    """MobileNetV2's block: expansion, depthwise, linear projection, and the shortcut."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, expansion: int = 6):
        super().__init__()
        ### BEGIN SOLUTION
        wide = expansion * in_channels
        layers = []
        if expansion != 1:
            layers = [nn.Conv2d(in_channels, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6()]
        layers += [
            nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU6(),
            nn.Conv2d(wide, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        ]
        self.branch = nn.Sequential(*layers)
        self.shortcut = stride == 1 and in_channels == out_channels
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride), rounded up."""
        ### BEGIN SOLUTION
        y = self.branch(x)
        return x + y if self.shortcut else y
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "11-block-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("11.block", Block)
### BEGIN HIDDEN TESTS
hidden_check("11.block", Block, seed=7)
### END HIDDEN TESTS

# %%
hint("11.block")

# %%
# solution("11.block")

# %% [markdown]
# ### What it costs
#
# Take a block from 4 to 8 channels with t = 6 and stride 2, on a map of 10×10. The expansion has 4 · 24 weights, each used
# at 100 places: 9,600 MACs. The depthwise layer writes 5×5 places, 24 channels, 9 weights each: 5,400. The projection has
# 24 · 8 weights and 25 places: 4,800.
#
# ### Exercise 11.cost: what a block costs
#
# difficulty 2 of 5 · importance 4 of 5 · 8 minutes
#
# Count all three layers. All arguments are whole numbers. No biases, no norms; the sum of the shortcut costs no
# multiplication.


# %% nbgrader={"grade": false, "grade_id": "11-cost", "locked": false, "schema_version": 3, "solution": true, "task": false}
def block_macs(
    in_channels: int, out_channels: int, side: int, stride: int, expansion: int
) -> tuple[int, int, int]:
    """Count the MACs of the three layers: (expansion, depthwise, projection).

    side: height and width of the map that comes in.  stride: 1 or 2, in the depthwise layer,
    which has padding 1: stride 1 keeps the side, stride 2 halves it, and rounds up.
    expansion: 1 or more. With 1 there is no first layer, and its number is 0.

    block_macs(4, 8, 10, 2, 6) is (9600, 5400, 4800)
    """
    ### BEGIN SOLUTION
    m = expansion * in_channels
    after = ((side + stride - 1) // stride) ** 2
    first = in_channels * m * side**2 if expansion > 1 else 0
    return first, 9 * m * after, m * out_channels * after
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "11-cost-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("11.cost", block_macs)
### BEGIN HIDDEN TESTS
hidden_check("11.cost", block_macs, seed=7)
### END HIDDEN TESTS

# %%
hint("11.cost")

# %%
# solution("11.cost")

# %% [markdown]
# What does one get for the money? Below, the block of the second row against two others with the same ends: MobileNet's
# block, and one with an ordinary convolution within. And the other way round: how wide could MobileNet's block be for
# the same price?

# %%
count = stand_in("11.cost", block_macs)
c, side = 24, 56
rows = {f"inverted residual, t = {t}": count(c, c, side, 1, t) for t in (1, 3, 6)}
rows["MobileNet's block"] = (0, 9 * c * side**2, c * c * side**2)
dense = 9 * (6 * c) ** 2 * side**2
print(f"{c} channels in and out, {side}×{side}, MACs in millions\n")
print(f"{'':<26}{'expansion':>10}{'3×3':>8}{'1×1':>8}{'all':>9}")
for name, (first, second, third) in rows.items():
    million = [number / 1e6 for number in (first, second, third, first + second + third)]
    print(f"{name:<26}" + "".join(f"{m:>9.2f}" for m in million))
print(f"\nan ordinary 3×3 on the {6 * c} channels within alone: {dense / 1e6:.0f} million")
price = sum(count(c, c, side, 1, 6))
wide = next(w for w in range(1, 999) if (9 * w + w * w) * side**2 > price) - 1
print(f"for the price of t = 6, MobileNet's block would be {wide} channels wide everywhere")

# %% [markdown]
# So with the same ends the inverted residual is *dearer* than MobileNet's block. It is not cheap because it expands. It is
# cheap because its ends may be so narrow. And the wide middle is affordable only because the 3×3 layer there is depthwise.
#
# ### The network
#
# Table 2 of the paper stands in `TABLE`, which you have seen: t, c, n, s. In front of the blocks is the **stem**, an
# ordinary 3×3 convolution with stride 2 and padding 1 to 32 channels, norm, ReLU6. Behind them a 1×1 convolution to 1,280
# channels, norm, ReLU6; then the mean over height and width, a **dropout** of 0.2 (in training it sets a fifth of the
# numbers to zero), and a linear layer with a bias.
#
# A **width multiplier (宽度乘数)** α makes the network thinner. `make_divisible(c * α)` rounds to a multiple of 8, as in
# chapter 04. One layer is spared: the last convolution has 1,280 channels at every α below 1. Above 1 it grows as the
# others do.
#
# ### Exercise 11.network: MobileNetV2
#
# difficulty 3 of 5 · importance 5 of 5 · 15 minutes
#
# Build it of your `Block` and `TABLE`. The check compares it with the published network layer by layer, at several widths,
# and names the block where they part. Then it puts the same weights into both, and the scores must agree. It also looks
# whether the dropout works in training.


# %% nbgrader={"grade": false, "grade_id": "11-network", "locked": false, "schema_version": 3, "solution": true, "task": false}
class MobileNetV2(nn.Module):
    """MobileNetV2, arXiv 1801.04381, table 2: stem, 17 blocks, 1×1, mean, dropout, classifier."""

    def __init__(self, width_mult: float = 1.0, num_classes: int = 1000):
        super().__init__()
        ### BEGIN SOLUTION
        c = make_divisible(32 * width_mult)
        layers = [nn.Conv2d(3, c, 3, 2, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU6()]
        for t, channels, repeats, stride in TABLE:
            for i in range(repeats):
                n = make_divisible(channels * width_mult)
                layers.append(Block(c, n, stride if i == 0 else 1, expansion=t))
                c = n
        last = make_divisible(1280 * max(1.0, width_mult))
        layers += [nn.Conv2d(c, last, 1, bias=False), nn.BatchNorm2d(last), nn.ReLU6()]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(last, num_classes))
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W), any size from 32×32 -> (N, num_classes)."""
        ### BEGIN SOLUTION
        return self.classifier(self.features(x).mean(dim=(2, 3)))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "11-network-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("11.network", MobileNetV2)
### BEGIN HIDDEN TESTS
hidden_check("11.network", MobileNetV2, seed=7)
### END HIDDEN TESTS

# %%
hint("11.network")

# %%
# solution("11.network")

# %% [markdown]
# The whole bill, block by block, by your `block_macs`, beside what `analyze` counts in the network.

# %%
own_net = run_check("11.network", MobileNetV2).passed


def mobilenet_v2(width: float = 1.0) -> nn.Module:
    """Yours where it passes, else the course's own."""
    return (
        MobileNetV2(width_mult=width) if own_net else create_model("mobilenet_v2", width_mult=width)
    )


print("This is", "your MobileNetV2.\n" if own_net else "the course's own until yours passes.\n")
bill, c, side, number = {"stem": 27 * 32 * 112**2}, 32, 112, 0
print("block  map in   channels    t  stride  shortcut  million MACs")
for t, n, repeats, stride in TABLE:
    for step in [stride] + [1] * (repeats - 1):
        number += 1
        bill[number] = sum(count(c, n, side, step, t))
        joined = "yes" if step == 1 and c == n else "no"
        line = f"{number:>5}  {side:>3}×{side:<3} {c:>4} → {n:<3} {t:>4} {step:>6}  {joined:>8}"
        print(line + f"{bill[number] / 1e6:>13.2f}")
        c, side = n, side // step
bill["last 1×1"], bill["classifier"] = 320 * 1280 * 7**2, 1280 * 1000
with torch.device("meta"):
    report = analyze(mobilenet_v2().eval(), (1, 3, 224, 224))
print(f"\nsum of the bill, with stem, last 1×1 and classifier: {sum(bill.values()):,}")
print(f"analyze, on the network:                             {report.macs:,}")
print(f"parameters:                                          {report.params:,}")

# %% [markdown]
# ### Less memory: one slice at a time
#
# Within a block stands a wide map: 96 channels of 112×112 in block 2. Does it ever have to exist as a whole?
#
# Look at one wide channel. It is made of the narrow input alone, by *one* filter of the expansion. ReLU6 and the depthwise
# layer work on it by itself. And the projection is a *sum* over wide channels. So do a few channels at a time: expand,
# filter, project, add to a total, forget. The paper proposes this in section 5; the wide map never lives as a whole.
#
# ### Exercise 11.slices: a block in slices
#
# difficulty 4 of 5 · importance 4 of 5 · 15 minutes
#
# Compute the three layers of a block slice by slice; `slices` says *how many* slices there are. The batch norms are folded into the convolutions (chapter 06), so each
# convolution has a bias. `F.conv2d(x, weight, bias, stride, padding, groups=…)` takes weights by hand; a convolution from
# c to m channels keeps them in `layer.weight`, of shape (m, c / groups, k, k), and `layer.bias`, of shape (m,).
#
# The check compares the output, looks how many channels your slices have, and counts the numbers that are alive at the
# worst moment.


# %% nbgrader={"grade": false, "grade_id": "11-slices", "locked": false, "schema_version": 3, "solution": true, "task": false}
def in_slices(
    x: Tensor, expand: nn.Conv2d, depthwise: nn.Conv2d, project: nn.Conv2d, slices: int
) -> Tensor:
    """Compute project(relu6(depthwise(relu6(expand(x))))) in slices of the wide channels.

    x: (N, c, H, W).  expand: 1×1, c to m channels.  depthwise: 3×3, m to m, with m groups,
    padding 1 and stride 1 or 2.  project: 1×1, m to n channels.  All three have a bias.
    slices: how many slices, from 1 to m (not how large they are). It need not divide m; no
    slice has more than m / slices channels, rounded up.
    Returns (N, n, H', W'), the same as the three layers in a row. No shortcut.
    """
    ### BEGIN SOLUTION
    total = 0
    for i in torch.arange(expand.out_channels).chunk(slices):
        part = F.relu6(F.conv2d(x, expand.weight[i], expand.bias[i]))
        weight, bias = depthwise.weight[i], depthwise.bias[i]
        part = F.conv2d(part, weight, bias, depthwise.stride, depthwise.padding, groups=len(i))
        total = total + F.conv2d(F.relu6(part), project.weight[:, i])
    return total + project.bias.view(1, -1, 1, 1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "11-slices-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("11.slices", in_slices)
### BEGIN HIDDEN TESTS
hidden_check("11.slices", in_slices, seed=7)
### END HIDDEN TESTS

# %%
hint("11.slices")

# %%
# solution("11.slices")

# %% [markdown]
# ## Measure
#
# Three claims, one after the other. Each gets a verdict in plain words.
#
# ### Claim 1: a ReLU destroys what is narrow
#
# First the paper's experiment: the spiral, into n dimensions, ReLU, back. Here for 200 random matrices at each n, in place
# of one picture. Three numbers are measured.
#
# - **error, T⁺**: how far your `there_and_back` brings the points from where they were, as a share of their own length. A
#   common factor does no harm (the next layer undoes it), so the best factor is allowed for each matrix.
# - **error, fitted**: the same with another way back, still one matrix: the one that fits best. It is fitted to every second
#   point of the spiral, and measured on the others.
# - **lost**: the share of points of which fewer than two sums stay positive. Where nothing else is known about such a point,
#   no network, however large, can find it again.

# %%
trip = stand_in("11.manifold", there_and_back)
turns = torch.linspace(0.2, 3 * math.pi, 200, dtype=torch.float64)
spiral = torch.stack([turns * turns.cos(), turns * turns.sin()], 1) / turns.max()
generator = torch.Generator().manual_seed(0)
DIMENSIONS, MATRICES = (2, 3, 5, 8, 15, 30, 60), 200
errors, fits, lost = {}, {}, {}
halves = 0.0  # how far T⁺ after T and after −T are from the point, added up
for n in DIMENSIONS:
    found, best, gone = [], [], []
    for _ in range(MATRICES):
        matrix = torch.randn(n, 2, generator=generator, dtype=torch.float64)
        back = trip(spiral, matrix)
        factor = (back * spiral).sum() / (back * back).sum().clamp(min=1e-12)
        found.append(float((factor * back - spiral).norm() / spiral.norm()))
        wide = torch.relu(spiral @ matrix.T)
        fitted = torch.linalg.lstsq(wide[::2], spiral[::2], driver="gelsd").solution
        off = (wide @ fitted - spiral)[1::2]
        best.append(float(off.norm() / spiral[1::2].norm()))
        gone.append(float(((wide > 0).sum(1) < 2).double().mean()))
        halves = max(halves, float((back + trip(spiral, -matrix) - spiral).abs().max()))
    errors[n], fits[n], lost[n] = (torch.tensor(values) for values in (found, best, gone))
print("   n      error, T⁺         error, fitted         lost     (n + 1) / 2ⁿ")
for n in DIMENSIONS:
    print(f"{n:>4}", end="")
    for error in (errors[n], fits[n]):
        print(f"{error.mean():>11.3f} ± {error.std():.3f}", end=" ")
    print(f"{100 * lost[n].mean():>11.2f} %{100 * (n + 1) / 2**n:>13.2f} %")
print(f"\nback from T and back from −T, together: at most {halves:.0e} from the point itself")

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.2))
curves = (
    (axes[0], "T⁺", "#0072b2", errors),
    (axes[0], "fitted", "#e69f00", fits),
    (axes[1], "lost", "#0072b2", lost),
)
for ax, name, color, values in curves:
    mean = torch.tensor([float(values[n].mean()) for n in DIMENSIONS])
    spread = torch.tensor([float(values[n].std()) for n in DIMENSIONS])
    ax.errorbar(DIMENSIONS, mean, spread, fmt="o-", color=color, capsize=3, label=name)
for ax, title in zip(axes, ("error of the way back", "share of points lost"), strict=True):
    ax.set_xscale("log")
    ax.set_xticks(DIMENSIONS, [str(n) for n in DIMENSIONS])
    ax.minorticks_off()
    ax.set(title=title, xlabel="n", ylim=(-0.05, 1.05))
axes[0].legend(frameon=False)
figure.tight_layout()
plt.show()

# %%
reveal("11.p1")

# %% [markdown]
# The share that is lost follows a law that you can derive. Each of n sums is positive in one case of two. A point is lost
# if none of them is, or exactly one: that is 1 + n of the 2ⁿ patterns.
#
# - **At n = 2 three points in four are lost, at n = 3 half of them.** They fall together, as you saw in the picture.
# - **At n = 15 nothing is lost to speak of, and the fitted matrix brings the points back almost exactly.** T⁺ does not; but
#   that is the fault of T⁺, not of the ReLU.
#
# Why is T⁺ so bad? It undoes T, and the ReLU has taken a half away. The last line of the table shows it: what comes back
# from T and what comes back from −T add up to the point itself, exactly. And a random matrix is as likely to be −T as T. So
# T⁺ returns *half* of each point in the mean, plus something that depends on the matrix. The factor mends the half, not the
# rest. A spiral that comes back crooked in the paper's picture is no proof that something was destroyed.
#
# So *destroys* holds for small n only. But small compared with what? The law for points of d dimensions says it: a point is
# lost if fewer than d sums stay positive.

# %%


def share_lost(d: int, n: int) -> float:
    """Share of points of d dimensions that a ReLU in n dimensions loses."""
    return sum(math.comb(n, k) for k in range(d)) / 2**n


print("per cent lost, d dimensions into n = t · d")
print(f"{'d':>4}" + "".join(f"{'t = ' + str(t):>10}" for t in (1, 2, 3, 4, 6)))
for d in (2, 4, 8, 24):
    print(f"{d:>4}" + "".join(f"{100 * share_lost(d, t * d):>10.4f}" for t in (1, 2, 3, 4, 6)))

# %% [markdown]
# That is the paper's argument in one table. If the block's ends use all of their d channels, then a ReLU *there* (t = 1)
# loses nearly everything. Within the block, where the same d numbers have been expanded six times, the ReLU loses next to
# nothing. Put the activation where it is wide.
#
# It is an argument about *random* matrices. A trained network chooses its own, and could arrange its numbers so that what
# matters is positive. Does it? That takes training. Small chains of blocks, the course's built-in pictures at 32×32,
# ten classes. Three settings, each with and without a ReLU6 behind the projections, with equal MACs in each pair:
#
# - **narrow ends**: 4, 8 and 12 channels, where 32, 64 and 96 are within; no shortcuts;
# - **wide ends**: the same inside, ends as wide as the inside; no shortcuts. This is the control: if it is the narrowness
#   that hurts, the ReLU should hurt less here;
# - **narrow ends and shortcuts**, as in MobileNetV2.
#
# All runs take a few minutes, so they come with the course as a log.

# %%
log = studies.logged("bottleneck")
print(log)

# %%
log.figure()

# %%
for row in log.rows:
    stuck = sum(score < 15 for score in row.scores)  # guessing gives 10
    line = "  ".join(f"{score:4.1f}" for score in sorted(row.scores))
    print(f"{row.name:<34} {line}   {stuck} of {len(row.scores)} hardly learnt")
print("\nWhat the ReLU costs, in points:")
runs = {row.name: row.scores for row in log.rows}
gaps = {}
for finding, pair in zip(log.findings, log.claims, strict=True):
    setting = pair[0].partition(", ")[2]
    gaps[setting] = [a - b for a, b in zip(*(runs[name] for name in pair), strict=True)]
    span = f"95 % interval {finding.low:+.1f} to {finding.high:+.1f}"
    print(f"  {setting:<26}{finding.difference:5.1f} ({span}), p = {finding.p:.2g}: {finding.word}")
print(f"  (each interval stands alone; p is corrected for {finding.claims} comparisons)")
more = statistics.welch(gaps["narrow ends"], gaps["wide ends"])
print(f"\nnarrow ends minus wide ends: {more.difference:+.1f} points more", end=" ")
print(f"(95 % interval {more.low:+.1f} to {more.high:+.1f}), p = {more.p:.2g}:", end=" ")
print("a difference" if more.p < 0.05 else "no difference seen")

# %%
reveal("11.p3")

# %% [markdown]
# Read it slowly; there is more than one answer in it.
#
# - **In the block as MobileNetV2 builds it, the linear end is better**, and by far more than the point of the paper. (Our
#   networks are tiny, with 4 channels at the thinnest place, and were trained for a short time.)
# - **Without shortcuts it is better, too.** But look at the runs: with the ReLU half of the eight hardly learnt. A run that
#   has not begun to learn says that the ReLU makes *training* hard; about what its maps could hold it says nothing.
# - **The control does not come out as the argument wants it.** With wide ends the ReLU should do little harm, and it costs
#   more than ten points there as well. In the mean it costs more at narrow ends, but the last line tests just that, the gap
#   of the gaps, and eight seeds cannot tell it from chance.
#
# Verdict: *linear ends learn better* is **confirmed** here, and not only for narrow ends. *Because a ReLU destroys narrow
# information* is **not shown**: it is true of random matrices, and one plausible reason among others for trained networks.
# Another one, where there are shortcuts: a branch behind a ReLU can only add to the input, never take anything away. And
# a third: a ReLU more in each block makes a chain harder to train, however wide it is.
#
# A smaller form of it you can run now: narrow ends and shortcuts, fewer and easier pictures, two seeds.

# %%
quick = studies.run("bottleneck", quick=True, train=800, seeds=(0, 1))
print(quick.verdict)
stuck = sum(score < 15 for row in quick.rows for score in row.scores)
total = sum(len(row.scores) for row in quick.rows)
print(
    f"{stuck} of {total} runs hardly learnt (guessing gives 10): so few steps are not enough for all."
)
print("And two seeds prove nothing; look at the width of the interval.")

# %% [markdown]
# To train the whole log again, several minutes: `studies.bottleneck()`. On a command line, `lightcourse study bottleneck`.
#
# ### Claim 2: it needs less memory
#
# Peak memory is what is alive together at the worst moment: the maps, not the weights. `analyze` counts it for two ways to
# run a network: *eager*, layer by layer as PyTorch does, and *fused*, with norms folded in and activations in place.

# %%
NETS = {
    "MobileNetV2": "mobilenet_v2", "MobileNet": "mobilenet_v1", "ResNet-18": "resnet18",
    "ResNet-50": "resnet50", "VGG-16": "vgg16",
}  # fmt: skip
peaks = {}
print(f"{'':<13}{'million MACs':>13}{'peak, eager':>14}{'peak, fused':>14}   MB, float32, 224×224")
for name, model in NETS.items():
    with torch.device("meta"):
        found = analyze(create_model(model).eval(), (1, 3, 224, 224))
    peaks[name] = found.peak_activation, found.peak_activation_fused
    mb = [peak / 1e6 for peak in peaks[name]]
    print(f"{name:<13}{found.macs / 1e6:>13,.0f}{mb[0]:>14.2f}{mb[1]:>14.2f}")
for i, way in enumerate(("eager", "fused")):
    ratio = peaks["MobileNetV2"][i] / peaks["MobileNet"][i]
    word = "less" if ratio < 1 else "more"
    print(f"{way}: MobileNetV2 needs {ratio:.2f} times the memory of MobileNet, {word}")

# %%
reveal("11.p2")

# %% [markdown]
# As networks are usually run, the claim is **refuted**: MobileNetV2 needs *more* than MobileNet, and more than ResNet-18.
# Why then does the paper's table 3 say 400 K for MobileNetV2 and 1600 K for MobileNet? It counts something else: the largest
# *single* map that must be stored *between* blocks, with 2 bytes a number.

# %%
for name, channels in (("MobileNet", 64), ("MobileNetV2", 16)):
    print(
        f"{name:<12} {channels} channels of 112×112, 2 bytes each: {channels * 112**2 * 2:,} bytes"
    )

# %% [markdown]
# The wide maps within the blocks are left out of this count, and that is fair only if they never exist as a whole. Which is
# what your `in_slices` does. So now the whole network in slices: every block that expands is replaced.

# %%
slicer = stand_in("11.slices", in_slices)


class SlicedBlock(nn.Module):
    """An inverted residual with its norms folded in, computed in slices."""

    def __init__(self, block: nn.Module, slices: int):
        super().__init__()
        self.convs = nn.ModuleList(m for m in block.modules() if isinstance(m, nn.Conv2d))
        self.shortcut, self.slices = block.use_shortcut, slices

    def forward(self, x: Tensor) -> Tensor:
        branch = slicer(x, *self.convs, self.slices)
        return branch + x if self.shortcut else branch


def sliced_network(slices: int) -> nn.Module:
    """MobileNetV2 with folded norms; slices = 0 leaves its blocks as they are."""
    torch.manual_seed(0)
    net = fuse(create_model("mobilenet_v2").eval())
    for i, block in enumerate(net.features):
        expands = isinstance(block, blocks.InvertedResidual) and i > 1
        if slices and expands:
            net.features[i] = SlicedBlock(block, slices)
    return net.eval()


SLICES = (0, 1, 2, 3, 6, 12)
nets = {slices: sliced_network(slices) for slices in SLICES}
x = torch.randn(1, 3, 224, 224)
with torch.inference_mode():
    scores = {slices: net(x) for slices, net in nets.items()}
ratios = {slices: [] for slices in SLICES}
for _ in range(8):  # in turn, so that a slow moment of the machine meets all of them
    times = {slices: latency(net, seconds=0.07).minimum for slices, net in nets.items()}
    for slices in SLICES:
        ratios[slices].append(times[slices] / times[0])
size = float(scores[0].abs().max())
print("slices   peak memory     scores differ by     time: least to most of 8 rounds")
for slices, net in nets.items():
    peak = analyze(net, (1, 3, 224, 224)).peak_activation
    off = float((scores[slices] - scores[0]).abs().max()) / size
    name, ratio = str(slices) if slices else "none", sorted(ratios[slices])
    line = f"{name:>6}{peak / 1e6:>11.2f} MB {off:>16.1g}"
    # seven of eight, so that one slow moment decides nothing
    word = "dearer" if ratio[1] > 1.02 else "cheaper" if ratio[-2] < 0.98 else "not to be told"
    span = f"{ratio[0]:>12.2f} to {ratio[-1]:.2f}×   {word}"
    print(line + (span if slices else f"{1:>12.2f}"))

# %% [markdown]
# Read the three columns.
#
# - **The scores are the same**, up to rounding: sums in another order.
# - **The peak falls**, and then stops falling. What is left is the beginning of the network, which has no expansion: the stem
#   and the first block, 32 channels of 112×112. More slices do not help there.
# - **Many slices have a price in time**: many small operators in place of few large ones. The time is a ratio to the network
#   without slices, in the same round. A row is called dearer or cheaper only if at least seven of the eight rounds agree;
#   believe no other difference. The paper advises two to five slices.
#
# (One slice takes more than none: the network without slices runs its activations in place, and yours need not.)
#
# Verdict: **half of it**. MobileNetV2 *can* be run in little memory, because its blocks can be cut up. In an ordinary run it
# needs more. Here is the best of your sliced networks against the others as they are.

# %%
sliced_peak = min(analyze(net, (1, 3, 224, 224)).peak_activation for net in nets.values())
for name in ("MobileNet", "ResNet-18", "ResNet-50"):
    eager, fused = peaks[name]
    print(f"MobileNetV2 in slices against {name}: {sliced_peak / eager:.2f} of eager,", end=" ")
    print(f"{sliced_peak / fused:.2f} of fused")

# %% [markdown]
# (Is the comparison fair? Only partly. MobileNet's layers could be cut up too, in another way, by rows of the map. Nobody
# did it here.)
#
# ### Claim 3: the shortcut belongs between the narrow ends
#
# ResNet joins wide maps. MobileNetV2 joins the narrow ends. Two questions. What does it cost to keep the input until it is
# added? And which learns better?

# %%
print("the map that waits for the sum, KB in float32")
side, before = 112, 32
for t, c, n, s in TABLE:
    side //= s
    if n > 1:
        kb = 4 * c * side**2 / 1e3
        print(
            f"  {side:>3}×{side:<3}  between narrow ends {kb:>7.0f}   between wide maps {t * kb:>7.0f}"
        )

# %% [markdown]
# Memory is on the side of the narrow ends, by a factor of t. Now training: nine blocks, each shortcut joining the narrow
# ends, or the wide maps of neighbouring blocks (sum, then ReLU6, as in ResNet), or none. The number of shortcuts, the
# weights and the MACs are the same; only the wires differ.

# %%
wires = studies.logged("bottleneck_shortcut")
print(wires)

# %%
wires.figure()

# %%
for row in wires.rows:
    runs = "  ".join(f"{score:4.1f}" for score in sorted(row.scores))
    print(f"{row.name:<8} {runs}")
print()
for finding, (one, other) in zip(wires.findings, wires.claims, strict=True):
    span = f"95 % interval {finding.low:+.1f} to {finding.high:+.1f}"
    print(f"{one} against {other}: {finding.difference:+.1f} points ({span}): {finding.word}")

# %%
reveal("11.p4")

# %% [markdown]
# Both claims are **confirmed** here: narrow ends joined learn better than wide maps joined, and better than no shortcut.
# Keep apart what was measured and what was not. This is about nine small blocks on small pictures, trained for a short time.
# And the wires differ in two things: where they go, and what is behind the sum. The wide sum passes a ReLU6, as in ResNet, and
# the narrow one does not. Which of the two makes the difference, this log cannot say. The paper's figure 6 compares the same
# three on ImageNet, one training each, and finds the narrow ends ahead.
#
# What does not hang on any seed is the table of the maps that wait: there the narrow ends win by a factor of t.

# %% [markdown]
# ## Meet the real thing
#
# Your network beside the published numbers, at four of the six widths that the authors trained. (Their README leaves the
# batch norms out of the parameters; `analyze` counts them.)

# %%
print(f"{'':<9}{'parameters':>11}{'README':>9}{'MACs':>14}{'README':>9}{'top-1':>8}")
rows = [row for row in published() if row.model == "mobilenet_v2" and row.input == 224]
for row in sorted(rows, key=lambda row: -row.settings["width_mult"]):
    width = row.settings["width_mult"]
    with torch.device("meta"):
        report = analyze(mobilenet_v2(width).eval(), (1, 3, 224, 224))
    print(f"α = {width:<5}{report.params:>11,}{row.params_M:>7} M{report.macs:>14,}", end="")
    print(f"{row.macs_M:>7} M{row.top1:>7} %")

# %% [markdown]
# And beside torchvision's network, which thousands of programs use. The same weights go into both, layer by layer in the
# order in which they run; then both see the same picture.

# %%
torchvision = import_torchvision()


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


ours, theirs = mobilenet_v2().eval(), torchvision.models.mobilenet_v2().eval()
with torch.no_grad():
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # one batch in training mode then sets mean and variance
    theirs.train()(torch.randn(8, 3, 96, 96))
    theirs.eval()
    for mine, other in zip(layers_that_run(ours), layers_that_run(theirs), strict=True):
        for name, value in other.state_dict().items():
            mine.state_dict()[name].copy_(value.reshape(mine.state_dict()[name].shape))
    x = torch.randn(2, 3, 128, 160)
    mine, other = ours(x), theirs(x)
apart, size = float((mine - other).abs().max()), float(other.abs().max())
print(f"scores of up to {size:.2f}, at most {apart:.1g} apart")

# %% [markdown]
# Everything that is known about the network, with the source of each number:

# %%
model_info("mobilenet_v2")

# %%
v1, v2 = (model_info(name).variant for name in ("mobilenet_v1", "mobilenet_v2"))
print(f"MobileNet    {v1.macs_M} million MACs, {v1.params_M} M parameters, top-1 {v1.top1} %")
print(f"MobileNetV2  {v2.macs_M} million MACs, {v2.params_M} M parameters, top-1 {v2.top1} %")
with torch.device("meta"):
    moved = {
        name: analyze(create_model(name).eval(), (1, 3, 224, 224)).memory_access
        for name in ("mobilenet_v1", "mobilenet_v2")
    }
ratio = moved["mobilenet_v2"] / moved["mobilenet_v1"]
print(f"bytes moved, eager: MobileNetV2 {ratio:.2f} times as many as MobileNet")

# %% [markdown]
# Fewer MACs, fewer parameters, better on ImageNet: as a network of 2018 it is a clear step. But it moves *more* bytes,
# through its wide maps. MACs are one price, bytes another, and on many machines time follows the bytes (chapter 04). You can
# measure it: `latency(create_model("mobilenet_v2"))` and the same for `"mobilenet_v1"`.

# %% [markdown]
# ## Explain
#
# Short answers in your own words. Two to four sentences each.
#
# **1.** A colleague builds the block with one helper, `conv_norm_relu6`, for all three layers. “One ReLU more cannot hurt,
# the network is non-linear anyway.” What do you answer, and what would you show?

# %% [markdown] nbgrader={"grade": true, "grade_id": "11-explain-1", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Behind the projection the channels are few, and a ReLU there sets about half of the numbers to zero with no copies of
# them elsewhere; what is gone there cannot be found again. Within the block there are six times as many numbers, and
# enough of them stay positive. I would show the two networks trained with several seeds, with wide ends as a control: in the
# course's log the ReLU costs accuracy.
#
# Rubric. 1 point: few channels, nothing redundant, against the wide inside. 1 point: a measurement with seeds, not the
# argument alone.
# ### END SOLUTION

# %% [markdown]
# **2.** “MobileNetV2 has a quarter of MobileNet's memory: 400 K against 1600 K, it is in the paper.” Under which condition is
# that right? What happens in PyTorch?

# %% [markdown] nbgrader={"grade": true, "grade_id": "11-explain-2", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# The paper counts the largest single map between blocks. That is all only if the wide map within a block never exists as a
# whole, for example if the block is computed in slices of its channels. PyTorch computes layer by layer, so the map with
# 96 channels at 112×112 is there in full, and the peak is higher than MobileNet's.
#
# Rubric. 1 point: the wide maps are not counted, right only with slices (or another fusion). 1 point: layer by layer the
# peak is higher.
# ### END SOLUTION

# %% [markdown]
# **3.** Why may a block be computed in slices of its *wide* channels, but not two blocks in a row in slices of the channels
# between them?

# %% [markdown] nbgrader={"grade": true, "grade_id": "11-explain-3", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# A wide channel depends on the input alone and reaches the output by a sum, with nothing in between that mixes wide
# channels: ReLU6 and the depthwise layer treat each by itself. A channel between two blocks is a sum over all wide channels
# of the first block, so it is not ready before the last slice is; and then the next block expands all of them together, and
# puts a ReLU6 behind it, which cannot be taken in parts of a sum.
#
# Rubric. 1 point: within, each channel goes its own way and the projection is a sum. 1 point: between blocks every channel
# needs all slices, or the ReLU6 stands behind the sum.
# ### END SOLUTION

# %% [markdown]
# ## Summary card
#
# | claim | what was measured here |
# | --- | --- |
# | a ReLU loses what is narrow | random matrices: (n + 1) / 2ⁿ of the points of a plane; with many dimensions nearly nothing, and a matrix finds the way back |
# | linear ends learn better | confirmed in the log, at narrow ends and at wide ones; that narrowness is the reason is not shown |
# | less memory | refuted layer by layer; confirmed if the blocks are cut into slices; many slices take longer |
# | shortcuts between narrow ends | t times less memory for the map that waits; confirmed in the log, against wide maps and against none |
#
# - The block: expand t times, norm, ReLU6; depthwise 3×3 with the stride, norm, ReLU6; project, norm, *nothing*.
# - The shortcut: stride 1 and as many channels out as in. No weights in it.
# - The network: stem 32, then 1, 2, 3, 4, 3, 3 and 1 blocks to 16, 24, 32, 64, 96, 160 and 320 channels; a last 1×1 to
#   1,280; mean, dropout, linear. 3,504,872 parameters.
#
# **One sentence.** Carry little, work wide, and put the non-linearity where there is room for it.

# %%
progress()

# %% [markdown]
# ## Papers
#
# - M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen. *MobileNetV2: Inverted Residuals and Linear Bottlenecks.* CVPR
#   2018, arXiv 1801.04381. Figure 1 the spiral, table 1 the block, table 2 the network, table 3 the memory, section 5 the
#   slices, figure 6 the two comparisons.
# - K. He and others. *Deep Residual Learning for Image Recognition.* CVPR 2016, arXiv 1512.03385: the block that was
#   inverted.
# - D. Han, J. Kim, J. Kim. *Deep Pyramidal Residual Networks.* CVPR 2017, arXiv 1610.02915: residual blocks without a ReLU
#   at their ends, a year earlier.
#
# Next: chapter 12 adds a gate and another activation to this block, and looks for the network by search.
