"""What the YOLO networks share: scales with their anchors, and sides that routes can join."""

from dataclasses import dataclass

from torch import Tensor, nn

from lightcourse.models._network import Network, check_settings
from lightcourse.models.darknet import init_darknet

COCO_CLASSES = 80


@dataclass(frozen=True)
class Scale:
    """One map of predictions: its stride in pixels, and the shapes its boxes start from."""

    stride: int
    anchors: tuple[tuple[float, float], ...]  # width and height in pixels of the picture

    def channels(self, num_classes: int) -> int:
        """Return A · (5 + classes): per anchor x, y, w, h, objectness and a score per class."""
        return len(self.anchors) * (5 + num_classes)


def choose_anchors(table: tuple, masks: dict[int, tuple[int, ...]]) -> tuple[Scale, ...]:
    """Return a scale per stride, with those anchors of the table that its mask names.

    >>> choose_anchors(((10, 14), (23, 27), (37, 58)), {32: (1, 2)})
    (Scale(stride=32, anchors=((23, 27), (37, 58))),)
    """
    return tuple(Scale(s, tuple(table[i] for i in mask)) for s, mask in masks.items())


class YOLO(Network):
    """A detector whose `forward` returns raw maps, one per entry of `scales` and in that order."""

    def __init__(self, scales: tuple[Scale, ...], num_classes: int, in_channels: int) -> None:
        check_settings(num_classes, in_channels)
        super().__init__()
        self.in_channels = in_channels
        self.num_classes = num_classes
        self.scales = scales

    def start(self) -> None:
        """Set the weights as Darknet does."""
        self.apply(init_darknet)

    def prediction(self, index: int, channels: int) -> nn.Conv2d:
        """Return the last 1×1 convolution of a scale."""
        return nn.Conv2d(channels, self.scales[index].channels(self.num_classes), 1)

    def _explain(self, x: Tensor) -> str | None:
        fits = x.dim() == 4 and x.shape[1] == self.in_channels and x.is_floating_point()
        if fits and min(x.shape[2:]) >= 32 and any(side % 32 for side in x.shape[2:]):
            return (
                f"{type(self).__name__} joins maps of different strides, and those of "
                f"{x.shape[2]}×{x.shape[3]} are not of one size; sides that are multiples of 32 "
                "always work."
            )
        return super()._explain(x)
