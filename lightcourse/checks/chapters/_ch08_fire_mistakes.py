"""Exercise 08.fire: known mistakes and hints."""

from __future__ import annotations

from lightcourse.checks.chapters import _ch08_fire_wrong as wrong
from lightcourse.checks.exercise import Hint, Mistake

MISTAKES = (
    Mistake(
        "relu-is-a-layer",
        "`nn.ReLU(x)` makes a layer and takes x for one of its settings. Call the layer that it"
        " makes, `nn.ReLU()(x)`, or use the function: `torch.relu(x)`.",
        matches=wrong.layer_fed,
        hint=3,
    ),
    Mistake(
        "name-missing",
        "The check looks for three parts by name: self.squeeze, self.expand1x1 and self.expand3x3."
        " One of them is missing, or has another name.",
        matches=wrong.name_missing,
        hint=1,
    ),
    Mistake(
        "part-is-sequential",
        "self.squeeze, or another of the three parts, is a Sequential. The name must be the"
        " convolution itself; its ReLU belongs into `forward`.",
        matches=lambda outcome: bool(outcome.got.wrapped),
        hint=1,
    ),
    Mistake(
        "in-a-row",
        "Your 3×3 reads what the 1×1 expansion gives out: the two stand one after the other. In a"
        " Fire module they stand side by side, and both read the squeezed channels.",
        matches=wrong.in_a_row,
        hint=2,
    ),
    Mistake(
        "fed-in-a-row",
        "Your 3×3 expansion is given what the 1×1 expansion made. It is made for the squeezed"
        " channels, and gets the same ones as the 1×1: give both the result of the squeeze layer.",
        matches=wrong.fed(lambda c, s, e1, e3: e1),
        hint=1,
    ),
    Mistake(
        "x-not-squeezed",
        "An expansion is given x itself. x goes through the squeeze layer first, and both"
        " expansions get its result.",
        matches=wrong.fed(lambda c, s, e1, e3: c),
        hint=1,
    ),
    Mistake(
        "expand-reads-input",
        "An expansion is made for in_channels. Both read what the squeeze layer gives out, so they"
        " have `squeeze` channels in: that is what the squeezing is for.",
        matches=wrong.expand_reads_input,
        hint=2,
    ),
    Mistake(
        "kernels-swapped",
        "The kernels have changed places: expand1x1 has 3×3 kernels, and expand3x3 has 1×1.",
        matches=wrong.kernels_swapped,
        hint=2,
    ),
    Mistake(
        "squeeze-large",
        "Your squeeze layer has 3×3 kernels. It only makes the channels fewer: 1×1.",
        matches=wrong.squeeze_large,
        hint=2,
    ),
    Mistake(
        "widths-swapped",
        "The widths have changed places: expand1x1 gives out expand1x1 channels, and expand3x3 the"
        " last argument's.",
        matches=wrong.widths_swapped,
        hint=2,
    ),
    Mistake(
        "full-width-each",
        "Each of your expansions gives out all the channels. They share them: expand1x1 from the"
        " one, expand3x3 from the other, and side by side they make the sum.",
        matches=wrong.full_width_each,
        hint=2,
    ),
    Mistake(
        "bias-forgotten",
        "A convolution has no bias. There is no batch norm in SqueezeNet that would take its place,"
        " so all three keep theirs: leave out `bias=False`.",
        matches=wrong.bias_missing,
        hint=2,
    ),
    Mistake(
        "padding-forgotten",
        "The maps of the two expansions differ in size, so they do not fit side by side. The 3×3"
        " needs padding 1 and stride 1 to keep the size, the 1×1 no padding and stride 1.",
        matches=wrong.sides_differ,
        hint=4,
    ),
    Mistake(
        "added",
        "You add the two expansions. They are put side by side: `torch.cat`, and each keeps its"
        " own channels.",
        matches=wrong.added,
        hint=4,
    ),
    Mistake(
        "other-axis",
        "You concatenate along another axis than the channels. Channels are axis 1 of"
        " (N, C, H, W), and `torch.cat` takes axis 0 unless it is told.",
        matches=wrong.other_axis,
        hint=4,
    ),
    Mistake(
        "pair-returned",
        "forward returns the two expansions one by one. Put them side by side into one tensor:"
        " `torch.cat([…], 1)`.",
        matches=wrong.pair_returned,
        hint=4,
    ),
    Mistake(
        "order-of-concatenation",
        "The right numbers in the wrong order: first come the channels of the 1×1, then those of"
        " the 3×3. The next layer's weights rely on it.",
        mimic=wrong.variant(order=("expand3x3", "expand1x1")),
        hint=4,
    ),
    Mistake(
        "squeeze-relu-forgotten",
        "There is no ReLU after the squeeze layer. It has one, as the two expansions have.",
        mimic=wrong.variant(squeezed=wrong.as_it_is),
        hint=3,
    ),
    Mistake(
        "expand-relus-forgotten",
        "There is no ReLU after the expansions. Both have one, as the squeeze layer has.",
        mimic=wrong.variant(expanded=wrong.as_it_is),
        hint=3,
    ),
    Mistake(
        "relus-forgotten",
        "There is no ReLU at all. Without one, squeeze and expand together are a single linear"
        " layer: one ReLU after each of the three convolutions.",
        mimic=wrong.variant(squeezed=wrong.as_it_is, expanded=wrong.as_it_is),
        hint=3,
    ),
    Mistake(
        "half-activated",
        "Only the 1×1 expansion goes through a ReLU. The 3×3 has one too.",
        mimic=wrong.half("expand1x1"),
        hint=3,
    ),
    Mistake(
        "half-activated-3x3",
        "Only the 3×3 expansion goes through a ReLU. The 1×1 has one too.",
        mimic=wrong.half("expand3x3"),
        hint=3,
    ),
    Mistake(
        "relu-on-the-input",
        "ReLU is applied to the input x too: what is negative in x is lost.",
        mimic=wrong.relu_first,
        hint=3,
    ),
    Mistake(
        "input-added",
        "You add the input where the shapes agree. That is the paper's *bypass* (section 6), an"
        " extra; the Fire module itself has none.",
        mimic=wrong.input_added,
        hint=3,
    ),
    Mistake(
        "parts-too-many",
        "The output is right, but the module has more parameters than its three convolutions. Is"
        " there a further layer in `__init__` that nobody asked for, a batch norm perhaps?",
        matches=wrong.too_many,
        hint=2,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Make three `nn.Conv2d` in `__init__`: self.squeeze, self.expand1x1, self.expand3x3. In"
        " `forward`, x goes through the squeeze layer; its result goes through *both* expansions.",
    ),
    Hint(
        "A part has the wrong shape, or too many parameters",
        "squeeze: in_channels → squeeze, kernel 1. expand1x1: squeeze → expand1x1, kernel 1."
        " expand3x3: squeeze → expand3x3, kernel 3, padding 1. All three with a bias. Weights are"
        " (out, in, k, k).",
    ),
    Hint(
        "My shapes are right, my values are wrong",
        "Three convolutions, three ReLUs: one after each. Print the smallest value after each step;"
        " after a ReLU it is 0, not less.",
    ),
    Hint(
        "I get RuntimeError: Sizes of tensors must match except in dimension …",
        "`torch.cat([a, b], 1)` puts channels side by side, first those of a, then those of b. All"
        " other axes must agree, so the 3×3 keeps the size of the map: padding 1.",
    ),
)
