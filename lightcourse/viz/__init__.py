"""Pictures that move: Python computes a scene, one small renderer draws it wherever you are."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial
from typing import Any

from lightcourse.errors import UserError

from .demo import demo
from .scene import Scene, SceneError

__all__ = [
    "SCENES",
    "Scene",
    "SceneError",
    "activations",
    "blocks",
    "channel_shuffle",
    "conv_variants",
    "demo",
    "detection",
    "downsampling",
    "factorisation",
    "get_scene",
    "gradient_flow",
    "manifold",
    "pareto",
    "receptive_field",
    "resolution_ladder",
    "sliding_kernel",
    "timeline",
    "upsampling",
]


def receptive_field(
    layers: Any = None, size: int = 64, unit: tuple[int, int] | None = None
) -> Scene:
    """Show how the receptive field of one unit grows, layer by layer, in theory and in effect.

    Args:
        layers: a list of layers `(kernel, stride, padding, dilation)`, an `nn.Module`, or a
            dictionary from names to either; None shows the nets of chapter 02.
        size: height and width of the input in pixels.
        unit: the input pixel `(row, column)` above which the unit stands; None is the middle.
    """
    from .scenes.receptive_field import receptive_field as build

    return build(layers, size=size, unit=unit)


def channel_shuffle(channels: int = 12, groups: Sequence[int] = (2, 3, 4, 6)) -> Scene:
    """Show what a channel shuffle does between two group convolutions (ShuffleNet, section 3.1).

    Args:
        channels: how many channels there are.
        groups: the numbers of groups to choose from; one that does not divide is shown as invalid.
    """
    from .scenes.channel_shuffle import channel_shuffle as build

    return build(channels, groups)


def resolution_ladder(model: Any = None, sizes: Sequence[int] | None = None) -> Scene:
    """Show how the maps shrink, and what the place of each halving does to memory, MACs and field.

    Args:
        model: an `nn.Module`, whose own map sizes are then shown; None shows eight 3×3 layers,
            five of which halve: fast, slow, or dragged anywhere in between.
        sizes: up to eight heights (= widths) of the input in pixels.
    """
    from .scenes.resolution_ladder import resolution_ladder as build

    return build(model, sizes)


def factorisation(module: Any = None, size: int | None = None) -> Scene:
    """Show how a k×k convolution is taken apart: depthwise and pointwise, k×1 and 1×k, and others.

    Args:
        module: an `nn.Conv2d` of yours, with a square kernel and one group; None gives kernels
            and channels to choose from.
        size: height and width of the map in pixels; None gives several to choose from.
    """
    from .scenes.factorisation import factorisation as build

    return build(module, size)


def conv_variants(module: Any = None) -> Scene:
    """Show which inputs and which weights make one output, in eight kinds of convolution.

    Args:
        module: an `nn.Module` with one to six `Conv2d` or `ConvTranspose2d`, which are then shown
            with their own numbers (drawn with at most six channels); None shows the eight kinds.
    """
    from .scenes.conv_variants import conv_variants as build

    return build(module)


def cost_microscope(model: Any = None, size: int | Sequence[int] | None = None) -> Scene:
    """Show what each part of a network costs, and which parts a roofline makes memory-bound.

    Args:
        model: an `nn.Module`, a report of `lightcourse.analyze`, or a dictionary from names to
            these; None shows MobileNetV2 at four widths.
        size: height and width of the input in pixels, or up to twelve to choose from.
    """
    from .scenes.cost_microscope import cost_microscope as build

    return build(model, size)


def pareto(portrait: Any = None, own: Any = None) -> Scene:
    """Show accuracy against cost: which networks none beats, and how that changes with the cost.

    Args:
        portrait: a `Portrait` of `lightcourse.design.portrait`, of your machine for instance; None
            shows the one that was measured for the course.
        own: networks of yours, `{"mine": (model, top1)}` or `(model, top1, size)`: the module, its
            top-1 accuracy in per cent, the side of its picture (224). They are timed where the
            portrait's times are from this machine.
    """
    from .scenes.pareto import pareto as build

    return build(portrait, own)


def sliding_kernel(image: Any = None, kernel: Any = None) -> Scene:
    """Show a kernel sliding over a picture: the products, their sum, and the map that comes out.

    Args:
        image: an array (height, width) or (height, width, 3), 3 to 28 pixels a side; whole numbers
            from 0 to 9 stay as they are. None is a photograph.
        kernel: an array such as 3×3 numbers, an `nn.Conv2d` with one input channel, or a dictionary
            from names to either; None gives six well-known kernels to choose from.
    """
    from .scenes.sliding_kernel import sliding_kernel as build

    return build(image, kernel)


def upsampling(module: Any = None, values: Any = None) -> Scene:
    """Show four ways to make a map larger side by side, and where checkerboards come from.

    Args:
        module: an `nn.ConvTranspose2d` of yours, square, with a kernel of at most 8; None gives
            kernels, strides and paddings to choose from.
        values: 5 rows of 5 numbers, none below 0, shown beside the plain map; None is a ring.
    """
    from .scenes.upsampling import upsampling as build

    return build(module, values)


def downsampling(nets: Any = None) -> Scene:
    """Show fast against slow downsampling: what two ladders spend at which resolution, and see.

    Args:
        nets: "study" shows the course's own trained ladders at 32×32 with their accuracies; a
            dictionary from two names to rows (channels, repeats, stride), as
            `lightcourse.models.fd_mobilenet` has them, shows yours; None shows MobileNet and
            FD-MobileNet at equal width and at equal budgets.
    """
    from .scenes.downsampling import downsampling as build

    return build(nets)


def manifold(matrix: Any = None) -> Scene:
    """Show what ReLU leaves of a spiral in n dimensions (MobileNetV2, section 3.2 and figure 1).

    Args:
        matrix: a T of yours, n rows of 2 numbers with n from 2 to 30, such as a layer's weight;
            None gives four random draws to choose from.
    """
    from .scenes.manifold import manifold as build

    return build(matrix)


def blocks(kind: str = "fire", block: Any = None, input_size: Any = None) -> Scene:
    """Show a block of a light network stage by stage: its channels, bytes, MACs and parameters.

    Args:
        kind: "fire" (SqueezeNet), "separable" (MobileNet), "inverted" (MobileNetV2), "bneck"
            (MobileNetV3), "mbconv" (EfficientNet), "shuffle-v1", "shuffle-v2" (ShuffleNet),
            "ghost" (GhostNet's module) or "shift" (conv-shift-conv).
        block: an `nn.Module` of yours with the same stages; None gives settings to choose from.
        input_size: the side of your block's input map in pixels, or its shape (1, C, H, W).
    """
    from .scenes.block_diagrams import blocks as build

    return build(kind, block, input_size)


def activations(own: Any = None) -> Scene:
    """Show what an activation function lets through: its slope, its outputs, and int8 steps.

    Args:
        own: a function of yours from tensor to tensor, or an `nn.Module`, that treats each number
            by itself; it then stands beside ten well-known ones, with its slope from autograd.
    """
    from .scenes.activations import activations as build

    return build(own)


def timeline(y: str = "accuracy", cost: str = "MACs") -> Scene:
    """Show the networks of the course by the years of their papers, and the front of each year.

    Args:
        y: what the height of a point is: "accuracy", "parameters" or "MACs".
        cost: what accuracy is set against on the front: "MACs" or "parameters".
    """
    from .scenes.timeline import timeline as build

    return build(y, cost)


def gradient_flow(nets: Any = None, input_size: Any = None) -> Scene:
    """Show the gradient's norm in each layer on its way back from the loss, before any training.

    Args:
        nets: an `nn.Module` of yours that classifies, or two as {"name": module, "name": module},
            measured as they are; None shows plain and residual networks of six depths.
        input_size: the shape (C, H, W) of a picture for your networks; None is (3, 32, 32).
    """
    from .scenes.gradient_flow import gradient_flow as build

    return build(nets, input_size)


def detection(model: Any = None, part: Any = None) -> Scene:
    """Show what two thresholds do to a detector's boxes: right, wrong, missed; precision, recall.

    Args:
        model: a detector of yours, such as a trained `lightcourse.detection.TinyDetector`; None
            shows one that the course has trained for a short time.
        part: the `Scenes` that it is shown, of which the first 60 count; None is the built-in
            test set.
    """
    from .scenes.detection import detection as build

    return build(model, part)


SCENES: dict[str, Callable[..., Scene]] = {
    "sliding-kernel": sliding_kernel,
    "receptive-field": receptive_field,
    "channel-shuffle": channel_shuffle,
    "cost-microscope": cost_microscope,
    "conv-variants": conv_variants,
    "resolution-ladder": resolution_ladder,
    "upsampling": upsampling,
    "factorisation": factorisation,
    "activations": activations,
    "fire": partial(blocks, "fire"),
    "separable": partial(blocks, "separable"),
    "inverted-residual": partial(blocks, "inverted"),
    "bneck": partial(blocks, "bneck"),
    "mbconv": partial(blocks, "mbconv"),
    "shuffle-v1": partial(blocks, "shuffle-v1"),
    "shuffle-v2": partial(blocks, "shuffle-v2"),
    "ghost": partial(blocks, "ghost"),
    "shift": partial(blocks, "shift"),
    "downsampling": downsampling,
    "manifold": manifold,
    "pareto": pareto,
    "timeline": timeline,
    "gradient-flow": gradient_flow,
    "detection": detection,
}


def get_scene(name: str, **options: Any) -> Scene:
    """Build a registered scene by name.

    Raises:
        UserError: there is no such scene; the message names the nearest, or all.
    """
    wanted = name.strip().lower().replace("_", "-").replace(" ", "-")
    if wanted not in SCENES:
        close = get_close_matches(wanted, SCENES, 3, 0.4)
        hint = f"did you mean {' or '.join(close)}?" if close else f"choose {', '.join(SCENES)}."
        raise UserError(f"there is no scene {name!r}; {hint}")
    return SCENES[wanted](**options)
