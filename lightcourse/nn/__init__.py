"""Building blocks that models and chapters are made of."""

from lightcourse.nn.attention import SqueezeExcite
from lightcourse.nn.blocks import ConvNormAct, InvertedResidual, channel_shuffle, make_divisible
from lightcourse.nn.bneck import Bneck
from lightcourse.nn.conv import (
    DepthwiseConv2d,
    DepthwiseSeparableConv,
    LowRankConv,
    PointwiseConv2d,
    SpatialFactorisedConv,
)
from lightcourse.nn.csp import SPP, CSPBlock, DarknetUnit
from lightcourse.nn.deform import DeformConv2d, deform_conv2d
from lightcourse.nn.dense import DenseBlock, DenseLayer, Transition
from lightcourse.nn.fire import Fire
from lightcourse.nn.fuse import fuse
from lightcourse.nn.ghost import GhostBottleneck, GhostModule
from lightcourse.nn.inception import Branches, Chain, InceptionConv, InceptionResidual
from lightcourse.nn.mbconv import MBConv
from lightcourse.nn.pyramid import BiFPN, BiFPNNode, FastFusion
from lightcourse.nn.residual import BasicBlock, Bottleneck, PreActivationBlock
from lightcourse.nn.separable import LargeSeparableConv
from lightcourse.nn.shift import Shift, ShiftBlock, shift
from lightcourse.nn.shuffle import ShuffleUnit, ShuffleV2Block

__all__ = [
    "SPP",
    "BasicBlock",
    "BiFPN",
    "BiFPNNode",
    "Bneck",
    "Bottleneck",
    "Branches",
    "CSPBlock",
    "Chain",
    "ConvNormAct",
    "DarknetUnit",
    "DeformConv2d",
    "DenseBlock",
    "DenseLayer",
    "DepthwiseConv2d",
    "DepthwiseSeparableConv",
    "FastFusion",
    "Fire",
    "GhostBottleneck",
    "GhostModule",
    "InceptionConv",
    "InceptionResidual",
    "InvertedResidual",
    "LargeSeparableConv",
    "LowRankConv",
    "MBConv",
    "PointwiseConv2d",
    "PreActivationBlock",
    "Shift",
    "ShiftBlock",
    "ShuffleUnit",
    "ShuffleV2Block",
    "SpatialFactorisedConv",
    "SqueezeExcite",
    "Transition",
    "channel_shuffle",
    "deform_conv2d",
    "fuse",
    "make_divisible",
    "shift",
]
