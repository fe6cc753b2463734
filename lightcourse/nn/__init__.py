"""Building blocks that models and chapters are made of."""

from lightcourse.nn.blocks import ConvNormAct, InvertedResidual, channel_shuffle, make_divisible

__all__ = ["ConvNormAct", "InvertedResidual", "channel_shuffle", "make_divisible"]
