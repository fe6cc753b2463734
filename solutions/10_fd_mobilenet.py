# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   lightcourse: {chapter: "10", title: "FD-MobileNet: small at once", question: "Shrink the picture at once, or step by step?", minutes: 75, budget_seconds: 120, exercises: ["10.reached", "10.spend", "10.widest", "10.field", "10.build"]}
# ---

# %% [markdown]
# # 10 · FD-MobileNet: small at once
#
# **Shrink the picture at once, or step by step?**
#
# You will find out where a network spends its work, move that work, and build the network that does so. Then you will
# test its promise, and see where the promise ends.

# %%
import math

import matplotlib.pyplot as plt
import torch
from torch import nn

from lightcourse import analyze, check, create_model, hint, predict, reveal, solution, viz
from lightcourse.analysis import latency
from lightcourse.checks import hidden_check, run_check, stand_in
from lightcourse.models import model_info
from lightcourse.myths import myth
from lightcourse.nn import ConvNormAct, DepthwiseSeparableConv
from lightcourse.training import studies
from lightcourse.training.studies.ladders import BUDGETS, ladder_rows

torch.set_num_threads(1)  # the same numbers on every run
torch.manual_seed(0)
print("Ready. PyTorch", torch.__version__)

# %% [markdown]
# ## Question
#
# A camera on a door may spend about 12 million multiplications on a picture. MobileNet, from chapter 09, costs about that
# if you make it an eighth as wide. Then its first layer has 4 channels, and its last 128.
#
# Four channels on 112×112 places are 50,176 numbers. 128 channels on 7×7 places are 6,272. The first map is large and
# shallow, the last one small and deep. A **stride (步幅)** of 2 halves the sides of the map; such a step is called
# **downsampling (下采样)**. Both networks here do it five times, from 224 pixels to 7.
#
# *When* shall they do it? FD-MobileNet (Qin et al. 2018) does it as early as it can: **fast downsampling
# (快速下采样)**. Below is the side of the map after each layer, for both.

# %%
# c channels, n repeats, s stride of the first: both as the published networks are built
SLOW = ((64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2))  # MobileNet
FAST = ((64, 1, 2), (128, 2, 2), (256, 2, 2), (512, 5, 2), (1024, 1, 1))  # FD-MobileNet


def layers_of(table, width=1.0, classes=1000):
    """The layers of a table, one (kind, channels, stride) each: stem, blocks, classifier."""
    found = [("conv", int(32 * width), 2)]
    for c, n, s in table:
        for stride in [s] + [1] * (n - 1):
            found.append(("depthwise", found[-1][1], stride))  # as many channels as arrive
            found.append(("pointwise", int(c * width), 1))
    return [*found, ("linear", classes, 1)]


figure, axis = plt.subplots(figsize=(8, 3.2))
for name, table, style in (("MobileNet", SLOW, "o-"), ("FD-MobileNet", FAST, "s-")):
    sides = [224]
    for _, _, stride in layers_of(table)[:-1]:
        sides.append(sides[-1] // stride)
    axis.plot(sides, style, ms=4, label=name)
axis.set_yscale("log", base=2)
axis.set_yticks([7, 14, 28, 56, 112, 224], ["7", "14", "28", "56", "112", "224"])
axis.set(xlabel="layers passed", ylabel="side of the map")
axis.legend()
figure.tight_layout()
plt.show()

# %% [markdown]
# A network is a list of layers here, and each layer is `(kind, channels, stride)`. There are four kinds:
#
# | kind | window | what it does |
# | --- | --- | --- |
# | `"conv"` | 3×3 | each output channel reads all input channels |
# | `"depthwise"` | 3×3 | each channel reads itself only |
# | `"pointwise"` | 1×1 | each output channel reads all input channels, at one place |
# | `"linear"` | none | the classifier, after the mean over the whole map |
#
# `channels` is what the layer writes. The picture has 3 channels. A depthwise and a pointwise layer together are a
# **depthwise separable convolution (深度可分离卷积)**, or block.

# %%
for name, table in (("MobileNet", SLOW), ("FD-MobileNet", FAST)):
    layers = layers_of(table)
    print(f"{name}: {len(layers)} layers")
    print("   begins", *layers[:4])
    print("   ends  ", *layers[-3:])

# %% [markdown]
# ## Predict
#
# Guess first. Nobody grades it. Put your answer in place of the dots.
#
# **First.** Half-width MobileNet spends 149 million MACs (**乘加**: a multiplication and an addition) on a picture of 224
# pixels. What percentage of them goes into layers that write maps of 14×14 and larger? (A number.)

# %%
predict("10.p1", ...)

# %% [markdown]
# **Second.** FD-MobileNet saves MACs by going down early, and spends them on channels. At equal MACs, how many times as
# many channels can it have? `"about the same"`, `"about 1.4 times"`, `"about twice"` or `"about 4 times"`.

# %%
predict("10.p2", ...)

# %% [markdown]
# **Third.** MobileNet has 28 layers, FD-MobileNet 24. Which sees further, that is, whose last units depend on more
# pixels, if the picture is large enough? `"MobileNet"`, `"FD-MobileNet"` or `"both the same"`.

# %%
predict("10.p3", ...)

# %% [markdown]
# **Fourth.** We trained slow and fast networks on the course's pictures of 32×32 pixels, at three budgets, each pair at
# equal MACs. At how many of the three budgets is the fast one ahead? (A number from 0 to 3.)

# %%
predict("10.p4", ...)

# %% [markdown]
# **And seven claims** that you can find in summaries of this paper, and in slides. True or false? (Write `True` or
# `False`.) Further down you will compute most of the answers. The verdicts there have four words: *true*, *half true*,
# *false*, and *mix-up*, where two numbers or two texts were confused.

# %%
CLAIMS = ("myth_06", "myth_19", "myth_20", "myth_21", "myth_22", "myth_23", "myth_24")
for name in CLAIMS:
    print(f"{name}: {myth(name).claim} ({myth(name).zh})")

# %%
guesses = {
    "myth_06": ...,
    "myth_19": ...,
    "myth_20": ...,
    "myth_21": ...,
    "myth_22": ...,
    "myth_23": ...,
    "myth_24": ...,
}


def judged(name):
    """The learner's guess beside the verdict."""
    guess = guesses.get(name)
    mine = "no guess yet" if guess is ... or guess is None else "true" if guess else "false"
    print(f"you said: {mine}; verdict: {myth(name).verdict}")
    return myth(name)


# %% [markdown]
# ## Play
#
# Both networks stand on one axis of layers. Plates are maps, bars are MACs. You can drag each halving to another
# layer.

# %%
viz.downsampling()

# %% [markdown]
# Try this:
#
# 1. Set *Compare* to **same width**. Which network is cheaper, and by how much? Look where its bars are gone.
# 2. Set it to **≈ 140 M**. Now both cost about the same. Where does each of them spend it?
# 3. Drag the halvings of MobileNet to the left, one after the other. Which of them saves most?
# 4. Drag them all to the right. What does the network cost now?

# %% [markdown]
# ## Build
#
# Five tools. With the first four you check what the paper says; the fifth is the network itself.
#
# ### Exercise 10.reached: how soon is the picture small?
#
# difficulty 2 of 5 · importance 4 of 5 · 8 minutes
#
# The paper says: 32 times smaller *within the first 12 layers*, where MobileNet takes 24. Check it. For each factor by
# which the picture has become smaller, find the first layer that writes a map that small.
#
# ```text
# layer     1: conv, stride 2     2: depthwise, stride 1     3: depthwise, stride 2
# smaller   2 times               2 times                    4 times
# ```
#
# So the answer for these three is `{2: 1, 4: 3}`. Strides need not be 2; a stride of 3 makes the map 3 times smaller.


# %% nbgrader={"grade": false, "grade_id": "10-reached", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reached(layers: list[tuple[str, int, int]]) -> dict[int, int]:
    """Find at which layer the map is so many times smaller than the picture.

    layers: one (kind, channels, stride) per layer; the one next to the picture is first.
    Returns factor -> number of the first layer that writes a map so many times smaller.
    Layers are counted from 1. The factor 1 is the picture itself and is left out.

    reached([("conv", 8, 2), ("depthwise", 8, 1), ("depthwise", 8, 2)]) is {2: 1, 4: 3}
    """
    ### BEGIN SOLUTION
    factor, first = 1, {}
    for number, (_, _, stride) in enumerate(layers, start=1):
        factor *= stride
        if factor > 1 and factor not in first:
            first[factor] = number
    return first
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "10-reached-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("10.reached", reached)
### BEGIN HIDDEN TESTS
hidden_check("10.reached", reached, seed=7)
### END HIDDEN TESTS

# %%
hint("10.reached")

# %%
# solution("10.reached")

# %% [markdown]
# From here on the cells use your function when it is right, and the course's own until then. So you can read on.

# %%
when = stand_in("10.reached", reached)
for name, table in (("MobileNet", SLOW), ("FD-MobileNet", FAST)):
    steps = ", ".join(f"{factor}× by layer {n}" for factor, n in when(layers_of(table)).items())
    print(f"{name:<13} {len(layers_of(table))} layers: {steps}")

# %% [markdown]
# So two claims of the paper come out: 4× in 2 layers, where MobileNet takes 4; and 32× in 12, where MobileNet takes 24.
# *Half the layers for the same way down.* The 24 layers are 1 convolution, 11 blocks of two layers, and the classifier.
#
# ### Exercise 10.spend: where the MACs go
#
# difficulty 3 of 5 · importance 5 of 5 · 15 minutes
#
# Now the bill. For each size of map, add up the MACs of all layers that *write* a map of that size.
#
# For each place of the map that is written and each channel written there:
#
# | kind | MACs |
# | --- | --- |
# | `"conv"` | 9 for every channel that arrives |
# | `"depthwise"` | 9 |
# | `"pointwise"`, `"linear"` | 1 for every channel that arrives |
#
# Maps are square. Padding is such that a layer writes a side of side / stride, rounded *up*: 15 at stride 2 gives 8.
# The classifier works on the mean over the map, which is one place: it belongs under side 1. Sides are whole numbers.
#
# ```text
# picture 6×6, 3 channels → conv, 4 channels, stride 2 → writes 3×3 places: 3 · 3 · 4 · 9 · 3 = 972 MACs
# ```


# %% nbgrader={"grade": false, "grade_id": "10-spend", "locked": false, "schema_version": 3, "solution": true, "task": false}
def macs_by_side(layers: list[tuple[str, int, int]], side: int) -> dict[int, int]:
    """Add up the MACs that a network spends on maps of each size.

    layers: one (kind, channels, stride) per layer; a "linear" layer can only be the last.
    side: height and width of the picture, which has 3 channels.
    Returns side of the written map -> MACs of all layers that write maps of this size.

    macs_by_side([("conv", 4, 2), ("linear", 5, 1)], 6) is {3: 972, 1: 20}
    """
    ### BEGIN SOLUTION
    arriving, bill = 3, {}
    for kind, channels, stride in layers:
        side = 1 if kind == "linear" else math.ceil(side / stride)
        each = {"conv": 9 * arriving, "depthwise": 9}.get(kind, arriving)
        bill[side] = bill.get(side, 0) + side * side * channels * each
        arriving = channels
    return bill
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "10-spend-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("10.spend", macs_by_side)
### BEGIN HIDDEN TESTS
hidden_check("10.spend", macs_by_side, seed=7)
### END HIDDEN TESTS

# %%
hint("10.spend")

# %%
# solution("10.spend")

# %% [markdown]
# The paper's own example: MobileNet at half width, which costs 149 M, against FD-MobileNet at full width.

# %%
bill_of = stand_in("10.spend", macs_by_side)
pair = {"MobileNet ×0.5": layers_of(SLOW, 0.5), "FD-MobileNet ×1": layers_of(FAST)}
bills = {name: bill_of(layers, 224) for name, layers in pair.items()}
print(f"{'map':>9}" + "".join(f"{name:>22}" for name in bills))
for side in (112, 56, 28, 14, 7, 1):
    row = "".join(
        f"{b[side] / 1e6:>12.1f} M {b[side] / sum(b.values()):>6.0%}" for b in bills.values()
    )
    print(f"{side:>5}×{side:<3}{row}")
print(f"{'all':>9}" + "".join(f"{sum(b.values()) / 1e6:>12.1f} M       " for b in bills.values()))
early = {name: sum(macs for side, macs in b.items() if side >= 14) for name, b in bills.items()}
print("\non the four largest maps:")
for name, macs in early.items():
    print(f"   {name:<16}{macs / 1e6:.2f} M")

# %%
reveal("10.p1")

# %% [markdown]
# At the same price, the one spends most of its work before the picture is small, and the other spends most of it
# after. The last rows of the table are where the channels are many: there the network decides *what* it sees.
#
# ### Exercise 10.widest: how wide for a budget?
#
# difficulty 3 of 5 · importance 4 of 5 · 15 minutes
#
# Saved MACs can be spent. A **width multiplier (宽度乘数)** scales the channels of all layers: stem, depthwise and
# pointwise. The classes stay as they are. We take steps of one 32nd: at step n a layer has `c * n // 32` channels in
# place of c, and at least 1. So n = 16 is half width, and n = 32 is the network itself.
#
# Find the largest n whose network costs at most the budget. It may be above 32. If not even n = 1 fits, it is 0.
#
# The function `total` is handed in. `total(layers)` gives the MACs of a list of layers.


# %% nbgrader={"grade": false, "grade_id": "10-widest", "locked": false, "schema_version": 3, "solution": true, "task": false}
def widest(layers: list[tuple[str, int, int]], budget: int, total) -> int:
    """Find how wide a network may be within a budget, in 32nds of its width.

    layers: one (kind, channels, stride) per layer.
    budget: MACs.
    total: total(layers) -> MACs of such a list.
    Returns the largest n whose scaled network costs at most the budget; 0 if there is none.

    widest([("conv", 32, 2), ("linear", 10, 1)], 3540, lambda layers: 113 * layers[0][1]) is 31
    """
    ### BEGIN SOLUTION
    n = 0
    while True:
        thin = [
            (kind, channels if kind == "linear" else max(1, channels * (n + 1) // 32), stride)
            for kind, channels, stride in layers
        ]
        if total(thin) > budget:
            return n
        n += 1
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "10-widest-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("10.widest", widest)
### BEGIN HIDDEN TESTS
hidden_check("10.widest", widest, seed=7)
### END HIDDEN TESTS

# %%
hint("10.widest")

# %%
# solution("10.widest")

# %%
at_most = stand_in("10.widest", widest)


def total(layers):
    """MACs on pictures of 224 pixels."""
    return sum(bill_of(layers, 224).values())


print("   budget     MobileNet      FD-MobileNet    last channels")
for width in (0.5, 0.25, 0.125):
    budget = total(layers_of(SLOW, width))
    slow, fast = (at_most(layers_of(table), budget, total) / 32 for table in (SLOW, FAST))
    ends = [layers_of(table, w)[-2][1] for table, w in ((SLOW, slow), (FAST, fast))]
    print(f"{budget / 1e6:>7.1f} M    ×{slow:<13g}×{fast:<14g}{ends[0]:>4} and {ends[1]:>4}")

# %%
reveal("10.p2")

# %% [markdown]
# Twice the width at every budget. Look at the smallest: MobileNet ends in 128 channels, FD-MobileNet in 256. The
# paper calls this **information capacity (信息容量)**: the last map must hold whatever the classifier is to know. Is that
# a real limit? A thousand scores come out of these channels by a linear layer. How many of them can be chosen freely?

# %%
for channels in (128, 256):
    torch.manual_seed(0)
    last = torch.randn(1000, channels).relu()  # the mean of the last map, for 1000 pictures
    classifier = nn.Linear(channels, 1000, bias=False)
    with torch.no_grad():
        rank = int(torch.linalg.matrix_rank(classifier(last)))
    print(f"{channels} channels: the scores of 1000 pictures for 1000 classes have rank {rank}")

# %% [markdown]
# As many as there are channels, and no more. (The published classifier has a bias too. It is the same for every picture,
# so it adds one to the rank at most.) That does not prove that 128 are too few: a network tells a thousand
# classes apart with fewer free numbers. But it is a bottleneck, and it is narrower for a problem with many classes.
# The price is paid on the other side: fewer layers look at large maps, so there is less room for **detailed features
# (细节特征)**. Which of the two matters more depends on the picture. Keep that in mind for the experiment.
#
# ### Exercise 10.field: which of the two sees further?
#
# difficulty 2 of 5 · importance 3 of 5 · 7 minutes
#
# In chapter 02 you followed the **receptive field (感受野)** through a chain. Do it once more, for lists of layers: how
# many pixels wide is what one unit of the last map sees?
#
# `"conv"` and `"depthwise"` have a window of 3. `"pointwise"` has a window of 1, and may have a stride all the same. The
# classifier comes after the mean over everything: leave it out. The field reaches from the first pixel to the last
# that counts.


# %% nbgrader={"grade": false, "grade_id": "10-field", "locked": false, "schema_version": 3, "solution": true, "task": false}
def field(layers: list[tuple[str, int, int]]) -> int:
    """Compute the receptive field of one unit of the last map, in pixels.

    layers: one (kind, channels, stride) per layer; a "linear" layer at the end does not count.
    Without any layer a unit is a pixel, so the answer is 1.

    field([("conv", 8, 2), ("depthwise", 8, 1), ("pointwise", 16, 1)]) is 7
    """
    ### BEGIN SOLUTION
    pixels, step = 1, 1
    for kind, _, stride in layers:
        if kind in ("conv", "depthwise"):
            pixels += 2 * step
        step *= stride
    return pixels
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "10-field-check", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check("10.field", field)
### BEGIN HIDDEN TESTS
hidden_check("10.field", field, seed=7)
### END HIDDEN TESTS

# %%
hint("10.field")

# %%
# solution("10.field")

# %%
seen = stand_in("10.field", field)
for name, table in (("MobileNet", SLOW), ("FD-MobileNet", FAST)):
    layers = layers_of(table)
    late = sum(kind == "depthwise" for kind, _, _ in layers[when(layers)[32] :])
    print(f"{name:<13} {len(layers)} layers, sees {seen(layers)} px;", end=" ")
    print(f"{late} of its 3×3 layers stand behind the last halving")

# %%
reveal("10.p3")

# %% [markdown]
# Both fields are wider than a picture of 224 pixels, so there they reach over its border. The unit in the centre of the
# last map depends on all pixels in both networks; units further out, and larger pictures, show the difference.

# %% [markdown]
# ### Exercise 10.build: FD-MobileNet from its table
#
# difficulty 4 of 5 · importance 5 of 5 · 20 minutes
#
# Now the network, so that it computes. This is its table. The maps are those of a picture of 224 pixels.
#
# | writes | what | channels | how often | stride |
# | --- | --- | --- | --- | --- |
# | 112×112 | 3×3 convolution | 32 | 1 | 2 |
# | 56×56 | separable block | 64 | 1 | 2 |
# | 28×28 | separable block | 128 | 2 | 2, then 1 |
# | 14×14 | separable block | 256 | 2 | 2, then 1 |
# | 7×7 | separable block | 512 | 5 | 2, then 1 |
# | 7×7 | separable block | 1024 | 1 | 1 |
# | 1×1 | mean over the map | | | |
# | | linear | the classes | 1 | |
#
# Every convolution is followed by batch norm and ReLU. Two parts of `lightcourse.nn` have them inside; their channels
# are what comes in and what goes out:
#
# * `ConvNormAct(in_channels, out_channels, kernel_size, stride, activation=nn.ReLU)` for the stem. (Without that last word it takes
#   ReLU6.)
# * `DepthwiseSeparableConv(in_channels, out_channels, stride=…)` is one block.
#
# The width scales all channels but the classes: `int(c * width)`. Any size of picture from 32 pixels on must do. You may
# return an `nn.Sequential`, or an object of a class of your own. The check runs it, looks at its layers one by one, and
# then gives it known weights and compares the scores.


# %% nbgrader={"grade": false, "grade_id": "10-build", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fd_mobilenet(width: float = 1.0, classes: int = 1000) -> nn.Module:
    """Build FD-MobileNet (arXiv 1802.03750, table 1): (N, 3, H, W) -> (N, classes).

    width: the width multiplier; 1, 0.5 and 0.25 in the paper.
    """
    ### BEGIN SOLUTION
    now = int(32 * width)
    parts: list[nn.Module] = [ConvNormAct(3, now, 3, 2, activation=nn.ReLU)]
    for c, repeats, s in FAST:
        for turn in range(repeats):
            following = int(c * width)
            parts.append(DepthwiseSeparableConv(now, following, stride=1 if turn else s))
            now = following
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(now, classes))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "10-build-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("10.build", fd_mobilenet)
### BEGIN HIDDEN TESTS
hidden_check("10.build", fd_mobilenet, seed=7)
### END HIDDEN TESTS

# %%
hint("10.build")

# %%
# solution("10.build")

# %% [markdown]
# Is it the published network? Count, and then compare with the course's own, with the weights copied.

# %%
if run_check("10.build", fd_mobilenet).passed:
    for width in (1.0, 0.5, 0.25):
        mine = analyze(fd_mobilenet(width))
        known = model_info("fd_mobilenet", width_mult=width).variant
        same = (mine.params, mine.macs) == (known.params, known.macs)
        print(
            f"×{width:<5} {mine.params:>9,} parameters {mine.macs:>12,} MACs; published"
            f" {known.macs_M} M: {'the same network' if same else 'not the same'}"
        )
    ours, theirs = fd_mobilenet(0.25).eval(), create_model("fd_mobilenet", width_mult=0.25).eval()
    weights = zip(ours.state_dict(), theirs.state_dict().values(), strict=True)
    ours.load_state_dict(dict(weights))
    picture = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        print(
            "largest difference of the scores:",
            float((ours(picture) - theirs(picture)).abs().max()),
        )
else:
    print("Your fd_mobilenet() is not right yet; come back to this cell later.")

# %% [markdown]
# ## Measure: does the fast network win?
#
# The promise: *at a tiny budget, go down early and be wide.* Here are runs that were trained before, with the log of
# how. Slow and fast networks, in pairs of equal MACs, on the course's pictures of 32×32 pixels: two textured objects, and
# the class says which textures they are and which of the two is on top. Each line is a mean over seeds ± deviation.
#
# These are not the two published tables, which are made for 224 pixels. They are small networks for 32 pixels: a stem and
# separable blocks, listed below the log. All of them halve three times. The slow ones have six blocks and keep the size
# until the second of them; the fast ones have five, and halve at the stem and at the first. The fast networks are wide
# in the middle, and at the end about as wide as the slow ones (a little wider at the smallest budget).

# %%
logged = studies.logged("downsampling")
print(logged)
print()
for budget in BUDGETS:
    for word in ("slow", "fast"):
        rows = ladder_rows(budget, word == "fast")
        print(f"{word}, {budget}: channels", *(row.c for row in rows), end="; ")
        print("strides", *(row.s for row in rows))

# %%
logged.figure()

# %%
reveal("10.p4")

# %% [markdown]
# **The verdict in words, from the numbers:**

# %%
for finding in logged.findings:
    print(f"{finding.better} beats {finding.worse}: {finding.word}")
    print(
        f"   difference {finding.difference:+.1f} points ({finding.low:+.1f} to {finding.high:+.1f})"
    )

# %% [markdown]
# That is not what the paper found. So is the paper wrong? No: it is another question. Why it comes out so, the log does
# not show. Here is *our guess*; no run above tests it.
#
# * A picture of 32 pixels has few halvings to spend. 224 → 56 leaves room for whatever is larger than a few pixels. 32 →
#   8 may not.
# * In these pictures the stripes are 3 to 4 pixels apart. A stride of 2 in the first layer looks at every second place,
#   with few channels. What is not seen there is lost.
# * What the fast networks get in return is width in the middle. For ten classes that may be worth less than the detail.
#
# What would be needed to see what the paper saw? A larger picture, to begin with, in which the objects are larger too. So
# here is the second experiment: the two published networks themselves, at their published widths, on pictures of 64
# pixels. All lengths are doubled. A *unit* of budget is a million MACs on 224 pixels, so 12 and 40 are two of the
# paper's three budgets. Four seeds, one recipe, nothing tuned for either side.

# %%
larger = studies.logged("fd_mobilenet")
print(larger)

# %%
larger.figure()

# %% [markdown]
# The deviations at 12 units are enormous. Before you believe a mean, look at the runs themselves.

# %%
for row in larger.rows:
    stuck = sum(score < 15 for score in row.scores)  # guessing gives 10
    runs = "  ".join(f"{score:4.1f}" for score in sorted(row.scores))
    print(f"{row.name:<9} {runs}   {stuck} of {len(row.scores)} never learnt anything")
ahead = [finding.better for finding in larger.findings if finding.word == "confirmed"]
print("fast is shown to be ahead at:", ", ".join(ahead) or "no budget")

# %% [markdown]
# Three things to see.
#
# * **At the smallest budget the question is who gets going at all.** Some runs stay at 10 %, which is guessing among ten
#   classes. An eighth of MobileNet is 28 layers of 4 to 128 channels without a shortcut, and it gets eight epochs. The
#   mean of such a row describes none of its runs. And a run that has not begun to learn says nothing about what its maps
#   could hold; it speaks of training.
# * **Where the slow network learns, it learns well.** Compare the best runs of both rows, not only the means.
# * **Whether there is a crossing the test cannot tell.** At 12 units the interval reaches from far below zero to far above
#   it, so either network may be ahead. Larger pictures alone did not show the fast one ahead. Ten classes are still few,
#   so a wider end may not be what is missing. That last part is a guess; data with many classes would test it.
#
# The paper has 224 pixels, a thousand classes and 90 epochs or more. What was found there is not refuted by this: it
# was measured on other pictures, with many more classes. What does not hold up is the short form, *tiny budget, so go
# down fast*. The third
# budget is yours to try: `studies.run("fd_mobilenet", budgets=[140])` takes a quiet machine about 20 minutes.
#
# A small form of the first experiment you can run now: fewer pictures, two seeds, one budget, about 20 seconds.

# %%
quick = studies.run("downsampling", quick=True, train=1500, seeds=(0, 1))
print(quick.verdict)

# %% [markdown]
# `lightcourse.training.experiment.rerun(logged)` trains all of the log again, on your machine. On a command line,
# `lightcourse study downsampling` does the same.
#
# **What these experiments do not show.** They say nothing about accuracy on natural pictures. They have few seeds, so a
# small difference would not be seen. And "at equal MACs" is not "at equal time"; that comes next.
#
# **Speed.** The paper measured its networks on an i.MX6, one core of 800 MHz: FD-MobileNet is about 1.1 times as fast as
# MobileNet at equal MACs, and 1.33, 1.47 and 1.82 times as fast as ShuffleNet at 140, 40 and 12 M. Your machine is
# another one. So measure: all networks take turns, and the least time of each counts.

# %%
TRIOS = {
    140: ("fd_mobilenet 1", "mobilenet_v1 0.5", "shufflenet_v1 1"),
    40: ("fd_mobilenet 0.5", "mobilenet_v1 0.25", "shufflenet_v1 0.5"),
    12: ("fd_mobilenet 0.25", "mobilenet_v1 0.125", "shufflenet_v1 0.25"),
}
PAPER = {140: (1.1, 1.33), 40: (1.1, 1.47), 12: (1.11, 1.82)}


def network(text):
    """ "mobilenet_v1 0.5" as a network."""
    name, width = text.split()
    more = {"variant": "megvii"} if text == "shufflenet_v1 0.5" else {}
    return create_model(name, width_mult=float(width), **more).eval()


nets = {text: network(text) for trio in TRIOS.values() for text in trio}
times = dict.fromkeys(nets, math.inf)
for _ in range(6):
    for text, net in nets.items():
        times[text] = min(times[text], latency(net, seconds=0.1).minimum)
print("budget   against MobileNet (paper)   against ShuffleNet (paper)")
for units, (fast, slow, shuffle) in TRIOS.items():
    ratios = times[slow] / times[fast], times[shuffle] / times[fast]
    said = PAPER[units]
    print(f"{units:>4} M {ratios[0]:>10.2f}× ({said[0]}×) {ratios[1]:>18.2f}× ({said[1]}×)")

# %%
ahead = sum(times[slow] > times[fast] for fast, slow, _ in TRIOS.values())
beaten = sum(times[shuffle] > times[fast] for fast, _, shuffle in TRIOS.values())
print(
    f"FD-MobileNet is faster than MobileNet at {ahead} of 3 budgets here, and than ShuffleNet at {beaten}."
)
for units, (fast, slow, _) in TRIOS.items():
    moved = [analyze(nets[text]).memory_access / 1e6 for text in (fast, slow)]
    print(f"{units:>4} M: {moved[0]:.1f} MB moved, MobileNet {moved[1]:.1f} MB")

# %% [markdown]
# Ratios change from run to run on a busy machine. Why should the fast network be faster at all, at equal MACs? It moves
# less data: large maps are written and read again, and it has fewer of them. (The bytes include its weights, of which it
# has more than twice as many.) Against ShuffleNet your ratio may be far from the paper's. ShuffleNet is made of many
# small operators, and PyTorch pays something for each one, however small; another library, such as the paper's NCNN,
# pays another price. Neither number is wrong. They are times of a network *and* a library on a machine.
#
# **One path.** The paper gives a second reason: its graph is a **single path (单路径)**, without shortcuts or branches.
# It calls that engineering friendly: a shortcut must be kept while the branch is computed, and has to be fetched again. Here
# is the same stack of blocks with shortcuts and without.

# %%


class WithShortcut(nn.Module):
    """A block with its input added: (N, C, H, W) -> the same."""

    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, x):
        return x + self.block(x)


blocks = [DepthwiseSeparableConv(64, 64) for _ in range(6)]
paths = {"one path": nn.Sequential(*blocks), "shortcuts": nn.Sequential(*map(WithShortcut, blocks))}
least = dict.fromkeys(paths, math.inf)
for _ in range(10):
    for name, net in paths.items():
        least[name] = min(least[name], latency(net.eval(), (1, 64, 56, 56), seconds=0.1).minimum)
for name, net in paths.items():
    report = analyze(net, (1, 64, 56, 56))
    waiting = sum(report.timeline("fused").live) / len(report.timeline("fused").live) / 1e6
    print(
        f"{name:<10} {report.macs / 1e6:.1f} M MACs, {report.memory_access / 1e6:.1f} MB moved,"
        f" {waiting:.2f} MB alive on average, {least[name] / least['one path']:.2f}× the time"
    )

# %% [markdown]
# The MACs are the same. The bytes are not: the sum reads two maps and writes a third, and the map that waits for it must
# lie somewhere. How much time that costs depends on the machine, and on a busy one the last column jumps. And a shortcut is not there for nothing: chapter 11 shows what it buys. The runs
# that never began to learn may be a reminder, though nobody has tried them with shortcuts here.

# %% [markdown]
# ## Meet the real thing
#
# All published numbers of FD-MobileNet that can be counted, counted again. The accuracies cannot be: they come from
# ImageNet. Beside them stands where they are known from.

# %%
print("width   layers      params        MACs   published   top-1   known from")
for width in (1.0, 0.5, 0.25):
    info = model_info("fd_mobilenet", width_mult=width)
    row = info.variant
    report = analyze(create_model("fd_mobilenet", width_mult=width))
    depth = sum(layer.macs > 0 for layer in report.layers)
    print(
        f"×{width:<6} {depth:>5} {report.params:>12,} {report.macs / 1e6:>9.2f} M {row.macs_M:>7} M"
        f" {row.top1:>8} %   {row.known_from}"
    )
print(f"\n{info.paper.title}, {info.paper.year}, {info.paper.where}")
print(info.paper.follows)

# %% [markdown]
# The paper says how far it is ahead of MobileNet: 1.6, 5.6 and 5.5 points. Subtract, and compare with what MobileNet's own
# paper says of the same widths. The first comes out exactly. The second is a tenth off. For the third there is nothing
# to compare with: MobileNet's paper has no such width.

# %%
AHEAD = {1.0: 1.6, 0.5: 5.6, 0.25: 5.5}  # points of top-1, arXiv 1802.03750
for width, points in AHEAD.items():
    fast = model_info("fd_mobilenet", width_mult=width).variant
    slow = model_info("mobilenet_v1", width_mult=width / 2).variant
    implied = fast.top1 - points
    own = f"{slow.top1} %" if slow is not None and slow.top1 else "not in that paper"
    print(
        f"FD ×{width:<5} {fast.top1} % − {points} = {implied:.1f} %; MobileNet ×{width / 2:<6} {own}"
    )

# %% [markdown]
# So the lead is small at 140 M and large below. On ImageNet FD-MobileNet is ahead at *all three* budgets; what changes is
# by how much. A crossing, if there is one, lies above 140 M, where nobody has looked in this paper. On VOC 2007 it reports
# +1.6, +2.8 and +3.6 mAP over MobileNet (Faster R-CNN at 600 pixels). We have seen the abstract, which has the last of the
# three; the abstract of the ICIP print says 8.3. The others come from copies of the text, and the VOC runs cannot be
# repeated here.
#
# **Now the seven claims.** For each: your guess, the verdict, and the numbers where code can decide.

# %%
judged("myth_06")

# %%
myth("myth_06").demonstrate()

# %%
judged("myth_19")

# %%
myth("myth_19").demonstrate()

# %%
judged("myth_20")

# %%
myth("myth_20").demonstrate()

# %%
judged("myth_21")

# %% [markdown]
# No code decides this one; it is about what a text says. The sign can be checked all the same: in the table above
# FD-MobileNet's accuracy is higher than MobileNet's at each budget where both are published.

# %%
judged("myth_22")

# %% [markdown]
# Nor this one: it is about two texts that disagree. The consequence is worth a thought. If 65.3 % took 120 epochs and
# MobileNet's 63.7 % took another number, a part of the 1.6 points may be the training.

# %%
judged("myth_23")

# %%
myth("myth_23").demonstrate()

# %%
judged("myth_24")

# %%
myth("myth_24").demonstrate()

# %% [markdown]
# **Your own schedule.** Change the rows, and look at the two in the picture. What happens with the first halving at the
# stem, and the others as late as can be?

# %%
mine = ((64, 1, 2), (128, 2, 2), (256, 2, 2), (512, 3, 2), (1024, 3, 1))
viz.downsampling({"my rows": mine, "FD-MobileNet": FAST})

# %% [markdown]
# ## Explain
#
# In your own words, two or three sentences each. In a class your teacher reads them.
#
# **1.** Why would moving a halving from layer 24 to layer 12 save MACs even if there were as many layers as before? At equal
# width FD-MobileNet costs a quarter to a third of MobileNet. Why does that buy only twice the channels?

# %% [markdown] nbgrader={"grade": true, "grade_id": "10-explain-1", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# All layers behind the halving work on a map with a quarter of the places, and a layer's MACs are proportional to the
# places that it writes. The more layers stand behind it, the more is saved. The pointwise layers, where most MACs are,
# go with input channels times output channels, so with the square of the width: four times the MACs is twice as wide.
#
# Rubric. 1 point: a quarter of the places for every layer behind the halving. 1 point: MACs go with the square of the
# width.
# ### END SOLUTION

# %% [markdown]
# **2.** A colleague wants to count weld defects of 3 pixels in pictures of 96×96, with 10 M MACs and two classes. “Tiny
# budget, so FD-MobileNet.” What do you answer?

# %% [markdown] nbgrader={"grade": true, "grade_id": "10-explain-2", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# What fast downsampling is meant to buy is capacity, for many classes; what it may pay with is detail. Here the
# classes are two and the detail is everything: after two layers of stride 2 a defect of 3 pixels is smaller than one
# place of the map. I would keep the first layers at high resolution and save channels at the end, and measure both with several seeds
# on these pictures.
#
# Rubric. 1 point: detail is lost early, capacity is not what is lacking here. 1 point: measure on the own data, or a
# concrete schedule that keeps the resolution.
# ### END SOLUTION

# %% [markdown]
# **3.** In the experiment at 64 pixels some runs of the slow network stay at 10 %. May you count them as victories of the fast one?

# %% [markdown] nbgrader={"grade": true, "grade_id": "10-explain-3", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Under this recipe it is a fact that one network learnt and the other did not, and it may be reported as such. But it is
# about training, not about what the network could represent: more epochs, another learning rate or a shortcut might get
# it going. To separate the two one would have to train until both have stopped improving.
#
# Rubric. 1 point: 10 % is chance, the network has not learnt at all. 1 point: so it speaks of trainability under this
# recipe and not of capacity.
# ### END SOLUTION

# %% [markdown]
# ## Summary card
#
# | you want | you take |
# | --- | --- |
# | how soon a network shrinks its picture | your `reached`: multiply the strides, count all layers |
# | where it spends its MACs | your `macs_by_side`: file each layer under the map that it writes |
# | what a saving buys | your `widest`: a quarter to a third of the MACs, twice the width |
# | how far it sees | your `field`: layers behind the strides take long steps |
# | the network | your `fd_mobilenet`: 24 layers, 32× smaller by layer 12 |
#
# **To take along.** Early layers are dear because their maps are large, not because they are wide. Going down fast moves
# the work to where the channels are. On ImageNet that was ahead; on our small pictures it was not. Our guess: it helps
# when the network is too narrow for its classes, and costs detail where pictures are small or full of fine texture. A
# result holds for the data that it was measured on.

# %% [markdown]
# ## Papers
#
# * Z. Qin, Z. Zhang, X. Chen, C. Wang, Y. Peng. *FD-MobileNet: Improved MobileNet with a Fast Downsampling Strategy.*
#   ICIP 2018, arXiv 1802.03750.
# * A. G. Howard et al. *MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications.* 2017,
#   arXiv 1704.04861.
# * X. Zhang, X. Zhou, M. Lin, J. Sun. *ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile
#   Devices.* CVPR 2018, arXiv 1707.01083.
# * F. N. Iandola et al. *SqueezeNet.* 2016, arXiv 1602.07360. The other way: late downsampling (慢速下采样), as chapter
#   08 has it.
#
# Next: chapter 11 narrows the ends of the blocks, and brings the shortcut back.
