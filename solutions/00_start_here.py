# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   lightcourse: {chapter: "00", title: "Start here", question: "How large is a picture once it is inside a network?", minutes: 10, budget_seconds: 30, exercises: ["00.bytes"]}
# ---

# %% [markdown]
# # 00 · Start here
#
# **How large is a picture once it is inside a network?**
#
# Ten minutes, and you have used everything this course is made of: you guess, play with a picture,
# write two lines, get them checked, ask for a hint, and put a real network under the microscope.
#
# Click the cell below and press **Shift + Enter**. That runs it and moves on to the next one. Do the
# same with every cell on the way down. (*Run all* stops at the first exercise that is not solved yet.)

# %%
import matplotlib.pyplot as plt
import torch

from lightcourse import analyze, check, create_model, hint, predict, progress, reveal, solution, viz
from lightcourse.checks import hidden_check, run_check

torch.manual_seed(0)
print("Ready. PyTorch", torch.__version__)

# %% [markdown]
# ## Question
#
# A camera delivers a picture: 224 rows, 224 columns, three colours. Each colour of each pixel is a
# number from 0 to 255, so it fits into one **byte**.
#
# A network does not keep the picture. Layer by layer it makes a stack of new pictures out of it. Such a
# stack is a **feature map (特征图)**, and each picture of the stack is a **channel (通道)**.
#
# A small device has little fast memory, and everything that the network holds at one moment has to fit
# into it. So the size of those stacks decides what can run.
#
# Below is a picture, and what the first layer of MobileNetV2 makes of it. The layer is not trained, so
# do not look for meaning. Look at the sizes.

# %%
rows, columns = torch.meshgrid(torch.arange(224.0), torch.arange(224.0), indexing="ij")
disc = ((rows - 90) ** 2 + (columns - 120) ** 2 < 55**2).float()
stripes = (torch.sin(columns / 6) > 0).float() * (rows > 150)
picture = torch.stack([disc, stripes, rows / 224])

model = create_model("mobilenet_v2").eval()
first_layer = next(m for m in model.modules() if isinstance(m, torch.nn.Conv2d))
with torch.no_grad():
    maps = first_layer(picture[None])[0]

# 4 rows of 8 maps, each stretched from black to white, with a white edge
low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
framed = torch.nn.functional.pad((maps - low) / (high - low), (4, 4, 4, 4), value=1.0)
mosaic = framed.reshape(4, 8, 120, 120).transpose(1, 2).reshape(480, 960)

plt.figure(figsize=(9.6, 4.0))
plt.imshow(picture.permute(1, 2, 0), extent=(0, 224, 0, 224))
plt.imshow(mosaic, cmap="gray", extent=(300, 1260, 0, 480))
plt.text(0, 234, f"the picture\n{tuple(picture.shape)}", fontsize=9)
plt.text(304, 490, f"the first feature map, to the same scale: {tuple(maps.shape)}", fontsize=9)
plt.axis((0, 1260, 0, 480))
plt.axis("off")
plt.show()

# %% [markdown]
# The shapes read *(channels, height, width)*. The first layer has halved the height and the width, and
# it has made 32 channels out of three.

# %% [markdown]
# ## Predict
#
# Inside the network a value is usually a 32-bit floating-point number. **How many bytes does that first
# feature map take, next to the picture?**
#
# Put one of these in place of the dots, quotes included:
# `"smaller"`, `"about the same"`, `"about 3 times larger"`, `"more than 10 times larger"`.
#
# Nobody grades a guess. But make one: a surprise that you have bet against stays with you.

# %%
predict("00.p1", ...)

# %% [markdown]
# ## Play
#
# Many pictures in this course move. Here is one: the **receptive field (感受野)**, the part of the
# picture that one value deep inside a network can see.
#
# - Press the play button, or drag the slider *Layer*. The square grows.
# - Drag the square over the picture.
# - Choose the network *fast ↓*, and play again. It has as many layers, and sees much more.
# - Click the picture once, then use the keys: **← →** step, **Space** plays, **F** fills the screen.

# %%
viz.get_scene("receptive-field")

# %% [markdown]
# How fast it grows, and why, is the story of chapter 02.
#
# To show this picture to others, type `lightcourse demo receptive-field` in a terminal. It opens
# full-window and needs no network.

# %% [markdown]
# ## Build
#
# **00.bytes** · difficulty 1 of 5 · importance 4 of 5 · 3 minutes
#
# Now write the function that answers the question for any feature map.
#
# A network takes several pictures at once, a **batch (批)**. So a stack has four sizes: *batch,
# channels, height, width*. There is one value at every place, and each value takes `bits` bits.
#
# First run both cells below **without changing anything**. You will see what an unfinished exercise
# looks like. Then replace the last line of the function, and run both again.


# %% nbgrader={"grade": false, "grade_id": "00-bytes", "locked": false, "schema_version": 3, "solution": true, "task": false}
def map_bytes(batch: int, channels: int, height: int, width: int, bits: int = 32) -> int:
    """The bytes that a batch of feature maps takes, at `bits` bits for each value.

    map_bytes(1, 1, 2, 3, bits=8) is 6: six values of one byte.
    map_bytes(1, 1, 2, 3, bits=4) is 3: two values share a byte.
    """
    ### BEGIN SOLUTION
    values = batch * channels * height * width
    return values * bits // 8
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "00-bytes-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("00.bytes", map_bytes)
### BEGIN HIDDEN TESTS
hidden_check("00.bytes", map_bytes, seed=7)
### END HIDDEN TESTS

# %% [markdown]
# A check runs *your* function on many cases. When a case fails, it shows you the smallest one, and if it
# knows the mistake, it names it.
#
# Try it: leave out `bits` in your formula on purpose, run the check, and read what it says.
#
# Stuck? Every exercise has a ladder of hints. Open the one that sounds like you.

# %%
hint("00.bytes")

# %% [markdown]
# And when you have tried, there is a model solution. Take the `#` away to see it.

# %%
# solution("00.bytes")

# %% [markdown]
# ## Measure
#
# A formula is a claim. Let us hold it against the machine: push the picture through the whole network and
# ask every feature map for the bytes that it really takes.


# %%
def in_torch(batch, channels, height, width, bits=32):
    """Stands in for map_bytes until yours is right."""
    return torch.empty(batch, channels, height, width, device="meta").nbytes


yours = run_check("00.bytes", map_bytes).passed
count = map_bytes if yours else in_torch
if not yours:
    print("map_bytes is not right yet, so PyTorch's own count stands in for it.\n")

measured = []


def note(layer, given, made):
    """Write down the shape of a feature map and the bytes that it takes in memory."""
    measured.append((tuple(made.shape), made.untyped_storage().nbytes()))


convolutions = [layer for layer in model.modules() if isinstance(layer, torch.nn.Conv2d)]
hooks = [layer.register_forward_hook(note) for layer in convolutions]
with torch.no_grad():
    model(picture[None])
for hook in hooks:
    hook.remove()

agree = sum(count(*shape) == size for shape, size in measured)
print(f"{agree} of {len(measured)} feature maps take exactly the bytes that the formula says.")

# %% [markdown]
# And here they are, one bar for each convolution layer.

# %%
camera = 3 * 224 * 224  # bytes of the picture
plt.figure(figsize=(9.6, 2.8))
plt.bar(range(len(measured)), [size / camera for _, size in measured], color="#0072b2")
plt.axhline(1, color="#d55e00", label="the picture from the camera")
plt.xlabel("convolution layer, from the first to the last")
plt.ylabel("times the picture")
plt.title("Bytes of each feature map in MobileNetV2")
plt.legend()
plt.tight_layout()
plt.show()

shape, largest = max(measured, key=lambda row: row[1])
print(f"The first takes {measured[0][1] / camera:.1f} times the bytes of the picture.")
print(
    f"The largest has shape {shape}: {largest:,} bytes, {largest / camera:.0f} times the picture."
)

# %% [markdown]
# Now compare with your guess.

# %%
reveal("00.p1")

# %% [markdown]
# The peak stands at the very beginning, where the maps are still wide and high. That is why so many
# light networks make the picture small early. Chapter 10 puts a price on doing so.

# %% [markdown]
# ## Meet the real thing
#
# `analyze` is the course's microscope. It takes any PyTorch model and an input size, and leaves the model
# as it was.

# %%
report = analyze(model, (1, 3, 224, 224))
report

# %% [markdown]
# Two totals, in the first lines above, come up in every paper. **Parameters (参数)** are the numbers that the network has learnt.
# **MACs (乘加次数)** are multiply-accumulate operations, one multiplication and one addition each.
#
# The MobileNetV2 paper (Sandler et al. 2018, Table 4) prints 3.4 M parameters and 300 M MACs. Here is the
# exact count:

# %%
norms = sum(layer.params for layer in report.layers if layer.kind == "BatchNorm2d")
print(f"{report.params:,} parameters, {report.macs:,} MACs")
print(f"{report.params - norms:,} parameters without the scale and shift of batch norm")

# %% [markdown]
# Close, not equal: a paper rounds, and not every paper counts everything. That is why this course always
# computes the number beside the printed one.

# %% [markdown]
# Put anything under it. Change something in this small network, and run the cell again: the kernel size, say,
# or both 16s (what one layer hands out is what the next one takes in).
#
# In the last rows each value depends on the whole image, because the pooling averages over all of it. The total
# names the receptive field of the last map before that.

# %%
mine = torch.nn.Sequential(
    torch.nn.Conv2d(3, 16, kernel_size=3, stride=2, padding=1),
    torch.nn.ReLU(),
    torch.nn.Conv2d(16, 32, kernel_size=3, stride=2, padding=1),
    torch.nn.AdaptiveAvgPool2d(1),
    torch.nn.Flatten(),
    torch.nn.Linear(32, 10),
)
analyze(mine, (1, 3, 64, 64))

# %% [markdown]
# > **Myth or fact?** *The more parameters a network has, the more memory it needs.*
# >
# > Decide first. Then run the cell: a wide network on a small picture, and a narrow one on a large picture.

# %%
for width, side in ((1.4, 96), (0.5, 768)):
    net = create_model("mobilenet_v2", width_mult=width)
    seen = analyze(net, (1, 3, side, side))
    stored = 4 * seen.params
    largest = max(
        count(*layer.output_shape) for layer in seen.layers if len(layer.output_shape) == 4
    )
    stored, largest = round(stored / 1e6, 1), round(largest / 1e6, 1)  # MB
    print(
        f"width {width}, picture {side:>3}: parameters {stored:4.1f} MB"
        f" + largest feature map {largest:4.1f} MB = {stored + largest:4.1f} MB"
    )

# %% [markdown]
# A myth, with a grain of truth. On one and the same picture the wider network does need more. But
# parameters know nothing of the size of the picture, or of how many pictures come at once. Feature maps do.

# %% [markdown]
# ## Explain
#
# A short question in your own words. In a class your teacher reads it; alone, write it all the same. Two or
# three sentences are enough.
#
# **A colleague says: “My network has only 300 kB of parameters, so it will run in 512 kB of memory.” What
# do you ask before you believe it?**

# %% [markdown] nbgrader={"grade": true, "grade_id": "00-explain-1", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# I ask for the size of the input picture and for the largest feature maps, because they are in memory
# together with the parameters. A layer needs its input and its output at the same moment. I also ask how
# many bits a value takes and how many pictures go in at once: both multiply the bytes.
#
# Rubric. 1 point: feature maps need memory besides the parameters. 1 point: names what decides their size
# (picture size, channels, bits, batch), or that input and output of a layer are held at the same time.
# ### END SOLUTION

# %% [markdown]
# ### What you have now
#
# | you want to | you write |
# | --- | --- |
# | run a cell | Shift + Enter |
# | have your code checked | `check("00.bytes", map_bytes)` |
# | get help | `hint("00.bytes")`, then `solution("00.bytes")` |
# | commit to a guess, see the truth | `predict(…)`, `reveal(…)` |
# | measure any model | `analyze(model, (1, 3, 224, 224))` |
# | open a moving picture | `viz.get_scene("channel-shuffle")` |
# | see how far you are | `progress()` |
#
# **To take along.** A feature map takes *batch × channels × height × width × bits / 8* bytes. The largest
# ones stand at the beginning of a network. Parameters do not tell you about them.
#
# **Paper.** M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen. *MobileNetV2: Inverted Residuals and
# Linear Bottlenecks.* CVPR 2018.

# %%
progress()
