# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   lightcourse: {chapter: "12", title: "MobileNetV3: five ideas, taken apart", question: "A network with five new ideas is better: which of them was it?", minutes: 80, budget_seconds: 90, exercises: ["12.excite", "12.bneck", "12.last", "12.network", "12.adapt"]}
# ---

# %% [markdown]
# # 12 · MobileNetV3: five ideas, taken apart
#
# **A network with five new ideas is better: which of them was it?**
#
# About 80 minutes. You will write each of the new parts, build both published networks to the last weight, and then take
# the parts out one by one, to see what each costs and what it brings.

# %%
import copy
import time

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
from lightcourse import models as published_models
from lightcourse import nn as blocks
from lightcourse._torchvision import import_torchvision
from lightcourse.checks import hidden_check, run_check, stand_in
from lightcourse.models import mobilenet_v3 as course
from lightcourse.models import published
from lightcourse.myths import myth
from lightcourse.nn import make_divisible
from lightcourse.training import studies
from lightcourse.training.narrowing import (
    Chain,
    accuracy,
    chain_macs,
    learn,
    narrower,
    pictures,
)
from lightcourse.training.statistics import paired, summarise

torch.manual_seed(0)
torch.set_num_threads(1)  # one thread gives the same numbers at every run
print("Ready. PyTorch", torch.__version__)

# %% [markdown]
# ## Question
#
# In 2019 **MobileNetV3** came out, in two sizes, Large and Small. Here it stands beside its two ancestors: fewer
# multiply-accumulates, **MACs (乘加次数)**, *and* more pictures right.

# %%
ROWS = {row.variant: row for row in published() if row.family.startswith("MobileNet")}
OTHER_FORMS = ("minimalistic", "Conv ", "Shallow")  # other networks; the first comes below
SHOWN = [
    row
    for row in ROWS.values()
    if row.top1 and row.macs and row.input == 224
    if not any(word in row.variant for word in OTHER_FORMS)
]
SHOWN = [row for row in SHOWN if row.macs < 1e9]  # without V1 of ordinary convolutions
LOOKS = {
    "mobilenet_v1": ("#999999", "s", "V1"),
    "mobilenet_v2": ("#009e73", "D", "V2"),
    "mobilenet_v3_large": ("#0072b2", "o", "V3 Large"),
    "mobilenet_v3_small": ("#d55e00", "^", "V3 Small"),
}
figure, ax = plt.subplots(figsize=(8, 3.6))
for name, (colour, shape, label) in LOOKS.items():
    points = [row for row in SHOWN if row.model == name]
    ax.plot([row.macs / 1e6 for row in points], [row.top1 for row in points],
            marker=shape, ls="none", color=colour, label=label)  # fmt: skip
ax.set(xlabel="million MACs (counted here)", ylabel="ImageNet top-1, % (published)")
ax.legend(frameon=False)
figure.tight_layout()
plt.show()

# %% [markdown]
# What is new in it? Nearly everything:
#
# 1. A search by computer chose the blocks: **neural architecture search (神经网络架构搜索)**.
# 2. A second search, **NetAdapt**, then made single layers narrower.
# 3. Some blocks weigh their channels: **squeeze-and-excitation (SE注意力)**, SE for short.
# 4. Some layers have a new activation: **h-swish**.
# 5. The first and the last layers are others: the **efficient last stage (高效的最后阶段)**.
#
# It was trained by another recipe, too. A point in the picture says that all of this *together* is better. It cannot say
# which part did it. To know, you have to change one thing and leave the rest.

# %% [markdown]
# ## Predict
#
# Three guesses. Put your answer in place of the dots. Nobody grades them.
#
# **1.** Eight of Large's fifteen blocks have SE. The eight SE parts (not the blocks around them) do 0.7 per cent of the
# network's MACs. **How many per cent of its parameters do they hold?** A number.

# %%
predict("12.p1", ...)

# %% [markdown]
# **2.** MobileNetV2 ends like this. (7×7 is the map; “→” are channels; *dw* is a depthwise layer.)
#
# ```text
# 7×7:  1×1 160 → 960,  dw 3×3,  1×1 960 → 320,  1×1 320 → 1280,  mean over the map,  linear 1280 → 1000
# ```
#
# MobileNetV3 ends like this:
#
# ```text
# 7×7:  1×1 160 → 960,  mean over the map,  linear 960 → 1280,  linear 1280 → 1000
# ```
#
# **How many million MACs does that save?** A number, without pen and paper if you like.

# %%
predict("12.p2", ...)

# %% [markdown]
# **3.** We trained a small net with SE in every block, and a wider one without, with as many parameters. (On the course's
# built-in pictures, several seeds.) Which was ahead? `"SE ahead"`, `"the wider net ahead"` or `"no difference seen"`.

# %%
predict("12.p3", ...)

# %% [markdown]
# ## Play
#
# This is the block of MobileNetV3, called **bneck** in the paper. Boxes are as wide as their channels. Step through it
# with **← →** after a click on the picture, and **drag the dot** to change the expansion.

# %%
viz.blocks(kind="bneck")

# %% [markdown]
# Try these:
#
# - **SE** off and on. By how much do the MACs change? By how much the parameters?
# - Step to the SE layers. How large is the map there?
# - **Kernel** 3×3, then 5×5. Which of the layers gets dearer?
# - **Stride** 2: which of the layers work on the small map then?
#
# And these are the two activations, over a crowd of inputs. Drag µ and σ.

# %%
viz.activations().at(f="h-swish", g="swish")

# %% [markdown]
# - First step: where are the two furthest apart?
# - Put **ReLU** in the place of h-swish. What do the negative inputs become?

# %% [markdown]
# ## Build
#
# Five exercises. Four of them end in the published networks; the fifth is the search.
#
# ### Look at everything, then weigh the channels
#
# In chapter 06 you wrote squeeze-and-excitation as a function whose weights came from outside. Here it is a module with
# weights of its own. The picture in words, for 72 channels:
#
# ```text
# x: (N, 72, H, W) ─► mean over the map ─► 72 → 24 ─► ReLU ─► 24 → 72 ─► h-sigmoid ─► 72 gates from 0 to 1
#        └───────────────────────────────────── x · gate ◄─────────────────────────────────┘
# ```
#
# Why 24? A quarter of 72 is 18. Hardware likes multiples of 8, so the authors round to the nearest one, but never below
# 90 per cent: 16 would be too little for 18. That is `make_divisible`, which you wrote in chapter 04; it is imported.
#
# ### Exercise 12.excite: squeeze-and-excitation as a module
#
# difficulty 2 of 5 · importance 5 of 5 · 8 minutes
#
# The check calls `SqueezeExcite(channels)`. The two layers may be `nn.Linear` or `nn.Conv2d` with 1×1 kernels; both have
# biases. The squeeze is `make_divisible(channels / 4)`. h-sigmoid is `F.hardsigmoid`.


# %% nbgrader={"grade": false, "grade_id": "12-excite", "locked": false, "schema_version": 3, "solution": true, "task": false}
class SqueezeExcite(nn.Module):
    """Weigh each channel by a look at the whole map, as MobileNetV3 does."""

    def __init__(self, channels: int):
        super().__init__()
        ### BEGIN SOLUTION
        squeezed = make_divisible(channels / 4)
        self.down = nn.Conv2d(channels, squeezed, 1)
        self.up = nn.Conv2d(squeezed, channels, 1)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) -> (N, channels, H, W)."""
        ### BEGIN SOLUTION
        seen = x.mean((2, 3), keepdim=True)
        return x * F.hardsigmoid(self.up(F.relu(self.down(seen))))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "12-excite-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("12.excite", SqueezeExcite)
### BEGIN HIDDEN TESTS
hidden_check("12.excite", SqueezeExcite, seed=7)
### END HIDDEN TESTS

# %%
hint("12.excite")

# %%
# solution("12.excite")

# %% [markdown]
# ### The block
#
# MobileNetV3's block is the inverted residual of chapter 11 (narrow, wide, narrow; the narrow end is linear), with three
# things to choose for each block: the kernel of the depthwise layer, SE or not, and the activation.
#
# ```text
# in ─► 1×1 to expanded ─► norm ─► activation            left out where expanded equals in_channels
#    ─► depthwise k×k, stride ─► norm ─► activation
#    ─► SqueezeExcite(expanded)                          only with se=True
#    ─► 1×1 to out ─► norm                               no activation
#    ─► + in                                             only at stride 1, and if out equals in
# ```
#
# The norms have two settings that are not PyTorch's, from the authors' code: eps = 0.001, and 0.01 as the pace of the
# running mean. Make them with this function:


# %%
def norm(channels: int) -> nn.BatchNorm2d:
    """A batch norm with the settings of MobileNetV3."""
    return nn.BatchNorm2d(channels, eps=0.001, momentum=0.01)


# %% [markdown]
# ### Exercise 12.bneck: MobileNetV3's block
#
# difficulty 3 of 5 · importance 5 of 5 · 15 minutes
#
# `activation` is a class, `nn.ReLU` or `nn.Hardswish`; `activation()` makes the layer. No convolution has a bias. The
# padding is `kernel // 2`. Use your `SqueezeExcite` and `norm`.


# %% nbgrader={"grade": false, "grade_id": "12-bneck", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Bneck(nn.Module):
    """Expand, filter each channel, weigh the channels (with se), project linearly."""

    def __init__(self, in_channels, expanded, out_channels, kernel, stride, se, activation):
        super().__init__()
        ### BEGIN SOLUTION
        layers = []
        if expanded != in_channels:
            layers += [
                nn.Conv2d(in_channels, expanded, 1, bias=False),
                norm(expanded),
                activation(),
            ]
        layers += [
            nn.Conv2d(expanded, expanded, kernel, stride, kernel // 2, groups=expanded, bias=False),
            norm(expanded),
            activation(),
        ]
        if se:
            layers.append(SqueezeExcite(expanded))
        layers += [nn.Conv2d(expanded, out_channels, 1, bias=False), norm(out_channels)]
        self.layers = nn.Sequential(*layers)
        self.shortcut = stride == 1 and in_channels == out_channels
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride), rounded up."""
        ### BEGIN SOLUTION
        y = self.layers(x)
        return x + y if self.shortcut else y
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "12-bneck-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("12.bneck", Bneck)
### BEGIN HIDDEN TESTS
hidden_check("12.bneck", Bneck, seed=7)
### END HIDDEN TESTS

# %%
hint("12.bneck")

# %%
# solution("12.bneck")

# %% [markdown]
# Now a claim from a post; decide first, by what your block has and in which order. Put `"true"`, `"half true"` or
# `"false"` in place of the dots.
#
# > **Myth or fact?** *V3 MobileBlock: a block of this name that many posts share (24 → 40 channels, expansion 72, with SE)
# > is the paper's block.*


# %%
def judge(name: str, guess: object) -> None:
    """Show what is right about a claim, beside the learner's own guess, with the evidence."""
    claim = myth(name)
    if guess is ...:
        print("Decide first: put your answer in place of the dots, and run the cell again.")
        return
    print(f"You said: {guess}. It is: {claim.verdict}.")
    display(claim)
    if claim.decided_by_code:
        display(claim.demonstrate())


judge("myth_30", ...)

# %% [markdown]
# ### Where does the map end?
#
# Look again at the second guess. MobileNetV2's last block makes 320 channels on 7×7 places, and a 1×1 layer then makes
# 1,280 features of them, at each of the 49 places. Directly behind it the mean over the map throws the places away.
#
# So why compute 49 times what is averaged to one? Take the mean *first*. Then the layer to 1,280 runs on one place. And
# once it does, the 320 channels between, which were there to make it cheaper, have no task any more. Projection and
# filter of that last block go too.
#
# (The two are not equal in what they compute: a norm and a bent function stood between. That it loses nothing is a
# finding of the paper, not arithmetic.)
#
# ### Exercise 12.last: the efficient last stage
#
# difficulty 2 of 5 · importance 4 of 5 · 8 minutes
#
# ```text
# in ─► 1×1 to wide (no bias) ─► norm ─► h-swish ─► mean over height and width
#    ─► linear to head ─► h-swish ─► dropout 0.2 ─► linear to num_classes ─► scores
# ```
#
# `norm` is the one from above; both linear layers have a bias. **Dropout (随机失活)**, `nn.Dropout(0.2)`, sets a fifth of
# its inputs to zero while training, and does nothing in eval mode.


# %% nbgrader={"grade": false, "grade_id": "12-last", "locked": false, "schema_version": 3, "solution": true, "task": false}
class LastStage(nn.Module):
    """From the last block's map to the scores; all that can wait comes after the mean."""

    def __init__(self, in_channels: int, wide: int, head: int, num_classes: int):
        super().__init__()
        ### BEGIN SOLUTION
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, wide, 1, bias=False), norm(wide), nn.Hardswish()
        )
        self.scores = nn.Sequential(
            nn.Linear(wide, head), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(head, num_classes)
        )
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        ### BEGIN SOLUTION
        return self.scores(self.features(x).mean((2, 3)))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "12-last-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("12.last", LastStage)
### BEGIN HIDDEN TESTS
hidden_check("12.last", LastStage, seed=7)
### END HIDDEN TESTS

# %%
hint("12.last")

# %%
# solution("12.last")

# %% [markdown]
# Both forms, counted layer by layer, and timed in turn (the least of 15 calls; other programs can only slow a call down).

# %%
HS = nn.Hardswish
own_last = run_check("12.last", LastStage).passed
print("The second is", "yours.\n" if own_last else "the course's own until yours passes.\n")
original = nn.Sequential(
    blocks.Bneck(160, 960, 320, activation=HS),
    blocks.ConvNormAct(320, 1280, 1, activation=HS),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(1280, 1000),
)
if own_last:
    efficient = LastStage(160, 960, 1280, 1000)
else:
    efficient = nn.Sequential(
        blocks.ConvNormAct(160, 960, 1, activation=HS),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(960, 1280),
        HS(),
        nn.Linear(1280, 1000),
    )


def times_in_turn(nets: dict, x: Tensor, rounds: int) -> dict:
    """The least time of each network, in seconds; all take turns."""
    best = dict.fromkeys(nets, float("inf"))
    with torch.inference_mode():
        for _ in range(rounds):
            for name, net in nets.items():
                start = time.perf_counter()
                net(x)
                best[name] = min(best[name], time.perf_counter() - start)
    return best


stages = {"original": original.eval(), "efficient": efficient.eval()}
spent = times_in_turn(stages, torch.randn(1, 160, 7, 7), 15)
for name, net in stages.items():
    report = analyze(net, (1, 160, 7, 7))
    print(
        f"{name:<10}{report.macs / 1e6:>7.2f} million MACs {report.params:>10,} parameters", end=""
    )
    print(f"{spent[name] / spent['original']:>7.2f} of the time")
saved = analyze(original, (1, 160, 7, 7)).macs - analyze(efficient, (1, 160, 7, 7)).macs
whole = model_info("mobilenet_v3_large").macs
print(f"\nsaved: {saved / 1e6:.1f} million MACs; the whole network has {whole / 1e6:.1f} million")

# %%
reveal("12.p2")

# %% [markdown]
# The paper says: 30 million, 7 milliseconds, 11 per cent of the running time. Our count is a little higher than theirs.
# And the stage has *more* parameters than before. To save MACs and to save weights are two things.
#
# > **Myth or fact?** *将最后的平均池化层前移并移除最后一个卷积层: V3 moves the last average pooling forward and removes
# > the last convolution.*

# %%
judge("myth_33", ...)

# %% [markdown]
# (The larger number in the box is of a layer that no network had: it sets the new layer, 960 → 1,280, on the 7×7 map. In the
# original stage the layer to 1,280 read only 320 channels, a third of that.)

# %% [markdown]
# ### The networks
#
# Tables 1 and 2 of the paper, as data. A row is (kernel, expanded, out, SE, activation, stride). The paper writes RE for
# ReLU and HS for h-swish.

# %%
RE, HS = nn.ReLU, nn.Hardswish
LARGE = [
    # k, exp, out, SE, NL, s
    (3, 16, 16, False, RE, 1), (3, 64, 24, False, RE, 2), (3, 72, 24, False, RE, 1),
    (5, 72, 40, True, RE, 2), (5, 120, 40, True, RE, 1), (5, 120, 40, True, RE, 1),
    (3, 240, 80, False, HS, 2), (3, 200, 80, False, HS, 1), (3, 184, 80, False, HS, 1),
    (3, 184, 80, False, HS, 1), (3, 480, 112, True, HS, 1), (3, 672, 112, True, HS, 1),
    (5, 672, 160, True, HS, 2), (5, 960, 160, True, HS, 1), (5, 960, 160, True, HS, 1),
]  # fmt: skip
SMALL = [
    (3, 16, 16, True, RE, 2), (3, 72, 24, False, RE, 2), (3, 88, 24, False, RE, 1),
    (5, 96, 40, True, HS, 2), (5, 240, 40, True, HS, 1), (5, 240, 40, True, HS, 1),
    (5, 120, 48, True, HS, 1), (5, 144, 48, True, HS, 1), (5, 288, 96, True, HS, 2),
    (5, 576, 96, True, HS, 1), (5, 576, 96, True, HS, 1),
]  # fmt: skip

# %% [markdown]
# Look at the numbers 184, 200 and 88. Nobody would choose them. They are traces of NetAdapt, which you will write below.
#
# ### Exercise 12.network: MobileNetV3
#
# difficulty 3 of 5 · importance 5 of 5 · 12 minutes
#
# - the **stem**: 3×3 convolution from 3 to 16 channels with stride 2, padding 1 and no bias; norm; h-swish;
# - a `Bneck` for each row;
# - a `LastStage` whose `wide` is *six times* the last row's `out`.
#
# The check builds both published networks, and short tables of its own. Where a layer differs, it names the block.


# %% nbgrader={"grade": false, "grade_id": "12-network", "locked": false, "schema_version": 3, "solution": true, "task": false}
class MobileNetV3(nn.Module):
    """MobileNetV3, arXiv 1905.02244: stem, a block for each row, efficient last stage."""

    def __init__(self, rows: list[tuple], head: int, num_classes: int = 1000):
        super().__init__()
        ### BEGIN SOLUTION
        layers = [nn.Conv2d(3, 16, 3, 2, 1, bias=False), norm(16), nn.Hardswish()]
        c = 16
        for kernel, expanded, out, se, activation, stride in rows:
            layers.append(Bneck(c, expanded, out, kernel, stride, se, activation))
            c = out
        layers.append(LastStage(c, 6 * c, head, num_classes))
        self.layers = nn.Sequential(*layers)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, num_classes)."""
        ### BEGIN SOLUTION
        return self.layers(x)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "12-network-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("12.network", MobileNetV3)
### BEGIN HIDDEN TESTS
hidden_check("12.network", MobileNetV3, seed=7)
### END HIDDEN TESTS

# %%
hint("12.network")

# %%
# solution("12.network")

# %% [markdown]
# From here on the cells use your network when it passes, and the course's own until then.

# %%
own_net = run_check("12.network", MobileNetV3).passed


def network(rows: list[tuple], head: int) -> nn.Module:
    """Yours where it passes, else the course's own."""
    if own_net:
        return MobileNetV3(rows, head).eval()
    return course.MobileNetV3(tuple(course.Row(*row) for row in rows), head).eval()


print("This is", "your MobileNetV3.\n" if own_net else "the course's own until yours passes.\n")
for name, rows, head in (("Large", LARGE, 1280), ("Small", SMALL, 1024)):
    row = ROWS[f"MobileNetV3-{name} 1.0"]
    with torch.device("meta"):
        report = analyze(network(rows, head), (1, 3, 224, 224))
    print(f"{name}  {report.params:>10,} parameters (published {row.params_M} M)", end="")
    print(f"{report.macs:>13,} MACs (published {row.macs_M} M)")

# %% [markdown]
# > **Myth or fact?** *V3 = V2 bottleneck + SE everywhere.*

# %%
judge("myth_31", ...)

# %% [markdown]
# ### The second search: NetAdapt
#
# A search by computer gave the rows, roughly. Then NetAdapt made single layers narrower, one small step after another:
#
# 1. For each layer: make *this layer alone* narrower, until the network costs at least so much less. That is a candidate.
# 2. Train each candidate for a short while, and look at its accuracy.
# 3. Keep the best candidate. Begin again with it.
#
# Which one is the best? NetAdapt (2018) took the one with the highest accuracy. MobileNetV3 takes the one that loses least
# accuracy *for each millisecond saved*: a layer that gives away a lot for a little loss may win. We count MACs in place of
# milliseconds here, so that the search gives the same result on every machine.
#
# ### Exercise 12.adapt: one step of NetAdapt
#
# difficulty 3 of 5 · importance 4 of 5 · 15 minutes
#
# `widths` are the channels of the layers. `cost` and `score` are handed in. `cost(widths)` is free. `score(widths)` trains
# a network: call it once for the widths as they are, and once for each candidate.
#
# Two layers, one step of one channel: the network has 100 MACs and 50 per cent accuracy. Narrow layer 1: 90 MACs and 49
# per cent. Narrow layer 2: 60 MACs and 48 per cent. Layer 1 loses 1 point for 10 MACs; layer 2 loses 2 points for 40, half
# as much for each MAC. So the answer is layer 2.


# %% nbgrader={"grade": false, "grade_id": "12-adapt", "locked": false, "schema_version": 3, "solution": true, "task": false}
def netadapt_step(widths: list[int], saving: int, cost, score, step: int) -> list[int] | None:
    """Narrow the one layer that loses least accuracy for each MAC saved.

    widths: channels of each layer. The list stays as it is.
    saving: MACs that a candidate must save, at least. A layer is narrowed by `step` channels at
        a time, no further than it takes to save so much; at least `step` channels must remain.
        A layer that cannot save so much is no candidate.
    cost(widths) -> MACs.  score(widths) -> accuracy in per cent.
    Returns the widths of the best candidate, or None if there is none.
    """
    ### BEGIN SOLUTION
    before, accuracy = cost(widths), score(widths)
    best = None
    for i in range(len(widths)):
        new = list(widths)
        while before - cost(new) < saving and new[i] - step >= step:
            new[i] -= step
        saved = before - cost(new)
        if saved < saving:
            continue
        rate = (accuracy - score(new)) / saved
        if best is None or rate < best[0]:
            best = rate, new
    return best[1] if best else None
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "12-adapt-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("12.adapt", netadapt_step)
### BEGIN HIDDEN TESTS
hidden_check("12.adapt", netadapt_step, seed=7)
### END HIDDEN TESTS

# %%
hint("12.adapt")

# %%
# solution("12.adapt")

# %% [markdown]
# ## Measure
#
# Now take MobileNetV3 apart. For each new idea two questions: what does it cost, and what does it bring?
#
# ### What SE costs
#
# Four networks: Large as it is; without SE; with ReLU in place of h-swish; and, as a control, without SE but with wider
# blocks, so wide that it has about as many parameters as Large with SE.

# %%
plain_rows = [(k, exp, out, False, nl, s) for k, exp, out, _, nl, s in LARGE]
wide_rows = [
    (k, make_divisible(2.15 * exp) if exp != 16 else 16, out, se, nl, s)
    for k, exp, out, se, nl, s in plain_rows
]
relu_rows = [(k, exp, out, se, RE, s) for k, exp, out, se, _, s in LARGE]
variants = {
    "as it is": network(LARGE, 1280),
    "without SE": network(plain_rows, 1280),
    "wider, without SE": network(wide_rows, 1280),
    "ReLU in all blocks": network(relu_rows, 1280),
}
spent = times_in_turn(variants, torch.randn(1, 3, 224, 224), 10)
counts = {name: analyze(net, (1, 3, 224, 224)) for name, net in variants.items()}
first = counts["as it is"]
print(f"{'':<20}{'parameters':>12}{'':>7}{'MACs':>14}{'':>7}{'time':>7}")
for name, report in counts.items():
    print(f"{name:<20}{report.params:>12,}{report.params / first.params:>7.2f}", end="")
    print(f"{report.macs:>14,}{report.macs / first.macs:>7.3f}", end="")
    print(f"{spent[name] / spent['as it is']:>7.2f}")

# %%
reveal("12.p1")

# %% [markdown]
# (Each is a share of the first line. Times are the least of ten calls in turn; on a busy machine run it twice.)
#
# Two things to read from the table. As many weights as SE holds, put into convolutions, cost about twice the MACs: SE's
# weights are used once a picture, those of a convolution at every place. And the last line tells what h-swish costs: a few
# per cent up or down are less than such a timing can tell. If you see that, say “not measurable here”. (The paper measured
# 51.4 ms against 50.5 ms on a phone.)
#
# SE's share of the MACs and its share of the time are two numbers. Look into one block: the gate of 672 channels on 14×14
# places, beside the convolutions around it.

# %%
gate = blocks.SqueezeExcite(672, 168, gate=nn.Hardsigmoid).eval()
x = torch.randn(1, 672, 14, 14)
middle = torch.randn(1, 672, 1, 1)


class Step(nn.Module):
    """A single step as a module, so that it can be timed like one."""

    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, x):
        return self.f(x)


steps = {
    "depthwise 3×3": nn.Conv2d(672, 672, 3, padding=1, groups=672, bias=False),
    "SE: mean over the map": Step(lambda x: x.mean((2, 3), keepdim=True)),
    "SE: two layers, gate": Step(lambda x: gate.gate(gate.fc2(F.relu(gate.fc1(middle))))),
    "SE: x · gate": Step(lambda x: x * middle),
    "1×1 to 112": nn.Conv2d(672, 112, 1, bias=False),
}
MACS = {"depthwise 3×3": 9 * 672 * 196, "SE: two layers, gate": 2 * 672 * 168,
        "1×1 to 112": 672 * 112 * 196}  # fmt: skip
spent = times_in_turn(steps, x, 40)
print(f"{'':<24}{'of the MACs':>12}{'of the time':>13}")
for name in steps:
    share = MACS.get(name, 0) / sum(MACS.values())
    print(f"{name:<24}{share:>12.1%}{spent[name] / sum(spent.values()):>13.1%}")
inside = sum(spent[name] for name in steps if name.startswith("SE")) / sum(spent.values())
print(f"\nSE together: {MACS['SE: two layers, gate'] / sum(MACS.values()):.1%} of the MACs", end="")
print(f", {inside:.1%} of the time")

# %% [markdown]
# The mean and the product have no multiply-accumulates to speak of, and yet they read the whole map and write it again. And
# the mean is a barrier: no gate is known before the *last* pixel of the map has arrived. Without SE, a clever program could
# filter one strip of the map after the other and hand it on while it is still in the cache. With SE it has to wait, and
# fetch the map a second time.
#
# ### What SE brings
#
# Four small nets of five bnecks, trained on the course's pictures of 32×32 pixels. Besides the net with and without SE
# there are two controls:
#
# - **wider, no gate**: as many parameters as with SE. Is it the gate, or just more weights?
# - **gate that cannot see**: each channel has a gate that is learned, but is the same for every picture. Is it the look at
#   the picture, or just another number to learn?
#
# The runs ship with the course as a log (data, settings, seeds, machine).

# %%
log = studies.logged("squeeze_excite")
print(log)

# %%
for finding, (better, worse) in zip(log.findings, log.claims, strict=True):
    print(f"“{better} beats {worse}”: {finding.word}, {finding.difference:+.1f} points", end="")
    print(f" (95 % interval {finding.low:+.1f} to {finding.high:+.1f})")
se, wider = log["SE"], log["wider, no gate"]
print(f"\nSE and wider: {se.params:,} and {wider.params:,} parameters,", end="")
print(f" {se.macs / 1e6:.2f} and {wider.macs / 1e6:.2f} million MACs")
curves = {row.name: [run.curve for run in row.runs] for row in log.rows}
figure, ax = plt.subplots(figsize=(8, 3.2))
for (name, lines), style in zip(curves.items(), ("o-", "s-", "D--", "^:"), strict=True):
    mean = [sum(points) / len(points) for points in zip(*lines, strict=True)]
    ax.plot(range(1, len(mean) + 1), mean, style, label=name)
ax.set(xlabel="epoch", ylabel="test accuracy, %")
ax.legend(frameon=False)
figure.tight_layout()
plt.show()

# %%
reveal("12.p3")

# %% [markdown]
# So on these pictures, in a training this short, the gate is not what the papers report from ImageNet: it is **not ahead**
# of any of the three. And the wider net is no clean winner either: as many parameters, but more than one and a half times the
# MACs. Equal in parameters and equal in MACs cannot both be had, and a control has to say which of them it holds equal.
#
# That is no proof that SE does nothing. The intervals are wide. The pictures are fine textures, and
# what lies in the mean of a whole map may help more where there are objects and backgrounds; a mean over 64 places is a
# different thing from one over 3,136; and two more layers in each block have to be learned in a few hundred steps. But the
# three claims stand where they belong: *not seen here*.
#
# Train a smaller form of the first pair yourself: fewer and coarser pictures, one seed, the nets with and without SE. One
# seed proves nothing, in either direction: the order may well be the other one.

# %%
quick = studies.squeeze_excite(quick=True, seeds=(0,))
for row in quick.rows:
    print(f"{row.name:<8} {row.scores[0]:.1f} %")
print("To train the whole log again, about five minutes: studies.squeeze_excite()")

# %% [markdown]
# ### What h-swish costs and brings
#
# What it costs at work the first table of this section tried to say, “ReLU in all blocks”. Now the gain: the same small net without gates,
# with ReLU, with swish (x · sigmoid(x)) and with h-swish in all layers.

# %%
activations = studies.logged("hard_swish")
print(activations)

# %%
for finding, (better, worse) in zip(activations.findings, activations.claims, strict=True):
    print(f"“{better} beats {worse}”: {finding.word}, {finding.difference:+.1f} points", end="")
    print(f" (95 % interval {finding.low:+.1f} to {finding.high:+.1f})")
slowest = activations["swish"].seconds / activations["ReLU"].seconds
print(f"\ntraining time against ReLU: swish {slowest:.2f} times,", end="")
print(f" h-swish {activations['h-swish'].seconds / activations['ReLU'].seconds:.2f} times")

# %% [markdown]
# Which of the differences is larger than the intervals allow? The words say it. The order of the means alone says little
# with so few seeds.
#
# The paper has another reason for h-swish: whole numbers. In an 8-bit network swish needs a sigmoid, and if the sigmoid's
# result is itself kept in 8 bits, it is rounded before it is multiplied. h-swish has no such step: its gate is made of
# sums and a clip, and those are exact on whole numbers.
#
# Is it the *curve* that is better in 8 bits, or the *way of computing* it? So there is a control: swish by a table of 256
# entries, one for each input code.

# %%
codes = torch.arange(-128, 128, dtype=torch.float64)
x8 = codes * 8 / 128  # inputs from -8 to 8: one code is a sixteenth
LOW, HIGH = -0.375, 8.0
STEP = (HIGH - LOW) / 255  # of the outputs, the same for all


def in_8_bits(y: Tensor) -> Tensor:
    """Round outputs to their 256 values."""
    return ((y - LOW) / STEP).round().clamp(0, 255) * STEP + LOW


soft_gate = (256 * torch.sigmoid(x8)).round().clamp(0, 255) / 256  # a sigmoid that has 8 bits
hard_gate = (codes + 48).clamp(0, 96) / 96  # 3 is 48 codes: exact, without rounding
WAYS = {
    "swish, its sigmoid in 8 bits": (in_8_bits(x8 * soft_gate), F.silu(x8)),
    "h-swish, in whole numbers": (in_8_bits(x8 * hard_gate), F.hardswish(x8)),
    "swish, by a table": (in_8_bits(F.silu(x8)), F.silu(x8)),
}
print("error against the function itself, in steps of the output\n")
print(f"{'':<31}{'largest':>9}{'mean':>7}")
for name, (got, exact) in WAYS.items():
    error = (got - exact).abs() / STEP
    print(f"{name:<31}{error.max():>9.2f}{error.mean():>7.2f}")

# %% [markdown]
# Half a step is what rounding the output costs anyone. The largest error of the first way comes at large inputs, where 8 bits
# from 0 to 255/256 have no code for 1: that is a choice of scale, and another choice moves the error elsewhere. So
# the plain verdict, for this scale: **confirmed** that h-swish avoids the error of
# a rounded sigmoid in the worst case (the mean error is not smaller). **Refuted** that swish cannot be had in 8 bits: a
# table of 256 bytes does it as well. Which of them is fast depends on the hardware.
#
# > **Myth or fact?** *h-swish 保持精度, 量化无损, 快: h-swish keeps the accuracy, loses nothing in int8, and is fast.*

# %%
judge("myth_32", ...)

# %% [markdown]
# (The *gate* is made of straight lines; h-swish itself, x times the gate, is two lines and a parabola between them.)
#
# One more look: MobileNetV3 has h-swish in the stem, and then only in the second half and in the head. A map there is small,
# and an activation costs by the number. (Counted here without the head: its one h-swish makes 1,280 numbers.)

# %%
counts = {"ReLU": 0, "h-swish": 0}
placed = {"ReLU": 0, "h-swish": 0}


def note(layer: nn.Module, given: tuple, made: Tensor) -> None:
    name = "h-swish" if isinstance(layer, nn.Hardswish) else "ReLU"
    counts[name] += made.numel()
    placed[name] += 1


large = create_model("mobilenet_v3_large").eval()
kinds = (nn.ReLU, nn.Hardswish)
hooks = [m.register_forward_hook(note) for m in large.features.modules() if isinstance(m, kinds)]
with torch.inference_mode():
    large(torch.zeros(1, 3, 224, 224))
for hook in hooks:
    hook.remove()
for name in counts:
    print(f"{name:<8} {placed[name]:>3} layers (those inside SE too) {counts[name]:>10,} numbers")

# %% [markdown]
# ### A small NetAdapt
#
# Now the search, for real. A small net of four ordinary convolutions is trained. Your `netadapt_step` then narrows it again
# and again until *at most* half the MACs are left; the last step may go further. A candidate keeps the filters with the
# largest weights, and trains for twelve steps. Accuracy is judged on pictures that are neither trained on nor tested on.
#
# And the control: the same trained net, made narrower *evenly*, to no more MACs than NetAdapt came to. It gets as many
# training steps, at the same learning rates. The tools come from the course: `Chain(widths)` is the net,
# `chain_macs(widths)` its price, `narrower(net, widths)` copies the strongest filters, `learn` trains, `accuracy` judges.

# %%
WIDTHS = [12, 20, 24, 32]
parts = pictures()
print(f"the full net {WIDTHS} has {chain_macs(WIDTHS):,} MACs")
print(
    len(parts.train[0]),
    "pictures to train on,",
    len(parts.judge[0]),
    "to judge candidates,",
    end="",
)
print(" ", len(parts.test[0]), " to test at the end", sep="")

# %%
step_of = stand_in("12.adapt", netadapt_step)


def adapt(net, seed, share=0.5):
    """Narrow a trained net; return it, its widths, the rounds, and the candidates trained."""
    widths, rounds, trained = list(WIDTHS), 0, 0
    while chain_macs(widths) > share * chain_macs(WIDTHS):
        made = {tuple(widths): net}

        def score(new, made=made, net=net):
            key = tuple(new)
            if key not in made:
                made[key] = learn(narrower(net, key), parts.train, 12, 0.003, seed)
            return accuracy(made[key], parts.judge)

        found = step_of(widths, chain_macs(WIDTHS) // 8, chain_macs, score, 2)
        if found is None:
            break
        widths, net = list(found), made[tuple(found)]
        rounds, trained = rounds + 1, trained + len(made) - 1
    return net, widths, rounds, trained


def evenly(macs):
    """All layers narrower by one factor, with at most so many MACs."""
    for percent in range(100, 0, -1):
        widths = [max(2, n * percent // 100) for n in WIDTHS]
        if chain_macs(widths) <= macs:
            return widths


results = {"full": [], "NetAdapt": [], "evenly": []}
for seed in range(3):
    torch.manual_seed(seed)
    full = learn(Chain(WIDTHS), parts.train, 200, 0.01, seed)
    net, widths, rounds, trained = adapt(full, seed)
    even = evenly(chain_macs(widths))
    searched = learn(copy.deepcopy(net), parts.train, 60, 0.005, seed)
    control = narrower(full, even)
    for _ in range(rounds):  # the same short trainings, at the same rate
        control = learn(control, parts.train, 12, 0.003, seed)
    control = learn(control, parts.train, 60, 0.005, seed)
    for name, one in (("full", full), ("NetAdapt", searched), ("evenly", control)):
        results[name].append(accuracy(one, parts.test))
    print(
        f"seed {seed}: {trained} candidates; NetAdapt {widths}, {chain_macs(widths):,} MACs;",
        end="",
    )
    print(f" evenly {even}, {chain_macs(even):,} MACs")

# %%
for name, scores in results.items():
    summary = summarise(scores)
    print(f"{name:<9}{summary.mean:>6.1f} ± {summary.deviation:.1f} %   ", end="")
    print(", ".join(f"{score:.1f}" for score in scores))
apart = paired(results["NetAdapt"], results["evenly"])
low, high = (0.0, 0.0) if apart.low is None else (apart.low, apart.high)  # None: no spread at all
if low <= 0 <= high:
    word = "no difference seen"
else:
    word = "confirmed here" if apart.difference > 0 else "refuted here"
print(f"\n“NetAdapt beats even narrowing at equal MACs”: {word},", end="")
print(f" {apart.difference:+.1f} points (95 % interval {low:+.1f} to {high:+.1f})")

# %% [markdown]
# Read the interval, not only the word: three seeds and a net of four layers. And beside the full net: do both narrow ones
# pay for their saving, and if so, which of the two more? They were trained longer than the full net as well.
#
# Now compare the three lists of widths. Which layers does the search narrow? Does it choose the same ones with each seed?
# Each choice hangs on a few pictures more or less right. In the paper each candidate trained for ten thousand
# steps, and a step saved one per cent of the time. And NetAdapt is the *second* search there, after a first one.
#
# > **Myth or fact?** *MobileNetV3 网络不再人为设定: MobileNetV3 is no longer designed by hand.*

# %%
judge("myth_36", ...)

# %% [markdown]
# ## Meet the real thing
#
# torchvision has both networks. Give it weights with some life, copy them across in the order in which the layers run,
# and the scores must be the same.

# %%
torchvision = import_torchvision()


def layers_that_run(net: nn.Module, x: Tensor) -> list[nn.Module]:
    """The layers with weights, in the order in which they run."""
    seen, kinds = [], (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
    hooks = [
        layer.register_forward_hook(lambda layer, given, made: seen.append(layer))
        for layer in net.modules()
        if isinstance(layer, kinds)
    ]
    net(x)
    for hook in hooks:
        hook.remove()
    return seen


for name, rows, head in (("large", LARGE, 1280), ("small", SMALL, 1024)):
    theirs = getattr(torchvision.models, f"mobilenet_v3_{name}")(weights=None).eval()
    ours, x = network(rows, head), torch.randn(2, 3, 96, 128)
    with torch.no_grad():
        for layer in theirs.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = None  # one batch in training mode then sets mean and variance
        theirs.train()(torch.randn(8, 3, 96, 96))
        theirs.eval()
        pairs = zip(layers_that_run(ours, x), layers_that_run(theirs, x), strict=True)
        for mine, other in pairs:
            for key, value in other.state_dict().items():
                mine.state_dict()[key].copy_(value.reshape(mine.state_dict()[key].shape))
        apart = (ours(x) - theirs(x)).abs().max()
        print(f"{name}: scores of up to {theirs(x).abs().max():.2f}, at most {apart:.1g} apart")

# %% [markdown]
# Everything that is known about Large, with the source of each number:

# %%
model_info("mobilenet_v3_large")

# %% [markdown]
# **Numbers that do not agree.** Small is published twice: with 2.9 million parameters and 66 million MACs, and with 2.5 and
# 56. Table 2 prints a head of 1,280; the authors' code has 1,024. Your network takes the head as an argument:

# %%
for head in (1280, 1024):
    with torch.device("meta"):
        report = analyze(network(SMALL, head), (1, 3, 224, 224))
    print(f"head {head}: {report.params:,} parameters, {report.macs / 1e6:.1f} million MACs")

# %% [markdown]
# So the two numbers of parameters are two networks. The 66 million do not come out of either.
#
# **For hardware that dislikes all this** the authors published a *minimalistic* form: no SE, no h-swish, no 5×5. It is
# the paper's own ablation of all three at once, trained on ImageNet:

# %%
SMALL_FORMS = {"published": ("MobileNetV3-Small 1.0", {}),
               "minimalistic": ("MobileNetV3-Small minimalistic", {"minimalistic": True})}  # fmt: skip
small = {
    name: published_models.mobilenet_v3_small(**settings).eval()
    for name, (_, settings) in SMALL_FORMS.items()
}
spent = times_in_turn(small, torch.randn(1, 3, 224, 224), 12)
for name, (variant, _) in SMALL_FORMS.items():
    row = ROWS[variant]
    print(f"{name:<13} {row.params:>9,} parameters {row.macs / 1e6:>6.1f} million MACs", end="")
    print(f"  top-1 {row.top1} %  {spent[name] / spent['published']:.2f} of the time here")

# %% [markdown]
# On ImageNet the three together are worth several points. (One training each, and the form without them has fewer
# parameters as well: a control that is missing.)

# %% [markdown]
# ## Explain
#
# Short answers in your own words. Two to four sentences each.
#
# **1.** “SE costs 0.7 per cent of the MACs, so it is free.” What do you answer? Name two costs that MACs do not show.

# %% [markdown] nbgrader={"grade": true, "grade_id": "12-explain-1", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# It holds more than a quarter of the parameters of Large. And it takes time: the mean and the product read the whole map
# and write it again, nearly without MACs; and the mean is a barrier, because no gate is known before the last pixel is
# there, so the layers before and after it cannot be joined.
#
# Rubric. 1 point: parameters, or memory moved. 1 point: the barrier or the second reading of the map, with the reason.
# ### END SOLUTION

# %% [markdown]
# **2.** A paper adds SE to a network and reports one point more. Which two controls of this chapter would you ask for, and
# which other explanation does each of them rule out?

# %% [markdown] nbgrader={"grade": true, "grade_id": "12-explain-2", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# A network without SE, wider until it has as many parameters (or as much time): it rules out that any additional weights
# would have done it. A gate that does not see the picture: it rules out that a learned scale for each channel is enough.
# Both with several seeds, and with the same training.
#
# Rubric. 1 point for each control with its explanation.
# ### END SOLUTION

# %% [markdown]
# **3.** Why can the layer to 1,280 move behind the mean, but not the layer from 160 to 960? What would be lost?

# %% [markdown] nbgrader={"grade": true, "grade_id": "12-explain-3", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# If both stood behind the mean, only 160 numbers would be left of the map before anything bent is computed: what occurs at
# single places would be averaged away in 160 channels. Before the mean 960 features can each respond to something at some
# place, by their activation, and the mean keeps how much of it there was. The layer to 1,280 can mix these means as well as
# the places.
#
# Rubric. 1 point: before the mean there must be enough features. 1 point: the activation at each place comes before the
# mean; a mean of 160 channels cannot bring back what it has averaged.
# ### END SOLUTION

# %% [markdown]
# ## Summary card
#
# | idea | what it costs | what it saves or brings |
# | --- | --- | --- |
# | squeeze-and-excitation | hardly a MAC, a quarter of the parameters, time: a barrier | gates that depend on the picture; gain: measure it |
# | h-swish | a little time, in the second half only | close to swish; exact on whole numbers |
# | efficient last stage | parameters | three quarters of the stage's MACs |
# | NetAdapt | many short trainings | odd widths that fit a budget |
#
# - The block: expand, depthwise, SE between activation and projection, project; squeeze = make_divisible(expanded / 4).
# - The network: stem 16, rows, 1×1 to six times the last `out`, mean, head, classifier. 8 of 15 and 9 of 11 blocks have SE.
# - A better network with five changes says nothing about any of them. Take them out one by one, each with a control.
#
# **One sentence.** MACs do not see what SE costs, and a leaderboard does not see what it brings.

# %%
progress()

# %% [markdown]
# ## Papers
#
# - A. Howard and others. *Searching for MobileNetV3.* ICCV 2019, arXiv 1905.02244. Tables 1 and 2 the networks, figure 5
#   and section 5.1 the last stage, section 5.2 h-swish, section 5.3 SE, section 4.2 NetAdapt's changed rule.
# - J. Hu, L. Shen, G. Sun. *Squeeze-and-Excitation Networks.* CVPR 2018, arXiv 1709.01507.
# - P. Ramachandran, B. Zoph, Q. V. Le. *Searching for Activation Functions.* 2017, arXiv 1710.05941: swish.
# - T.-J. Yang and others. *NetAdapt: Platform-Aware Neural Network Adaptation for Mobile Applications.* ECCV 2018, arXiv
#   1804.03230.
#
# Next: chapter 13 saves in the 1×1 layers, which have nearly all the MACs, with groups and a shuffle.
