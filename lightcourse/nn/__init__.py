"""Building blocks that models and chapters are made of."""

from lightcourse.nn.attention import SqueezeExcite
from lightcourse.nn.blocks import ConvNormAct, InvertedResidual, channel_shuffle, make_divisible
from lightcourse.nn.conv import (
    DepthwiseConv2d,
    DepthwiseSeparableConv,
    LowRankConv,
    PointwiseConv2d,
    SpatialFactorisedConv,
)
from lightcourse.nn.deform import DeformConv2d, deform_conv2d

__all__ = [
    "ConvNormAct",
    "DeformConv2d",
    "DepthwiseConv2d",
    "DepthwiseSeparableConv",
    "InvertedResidual",
    "LowRankConv",
    "PointwiseConv2d",
    "SpatialFactorisedConv",
    "SqueezeExcite",
    "channel_shuffle",
    "deform_conv2d",
    "make_divisible",
]
