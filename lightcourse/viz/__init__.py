"""Pictures that move: Python computes a scene, one small renderer draws it wherever you are."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

from lightcourse.errors import UserError

from .demo import demo
from .scene import Scene, SceneError

__all__ = [
    "SCENES",
    "Scene",
    "SceneError",
    "channel_shuffle",
    "demo",
    "get_scene",
    "receptive_field",
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


SCENES: dict[str, Callable[..., Scene]] = {
    "receptive-field": receptive_field,
    "channel-shuffle": channel_shuffle,
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
