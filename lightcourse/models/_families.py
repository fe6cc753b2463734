"""Every network by family and name; the package re-exports all functions of this file."""

from collections.abc import Callable as _Callable
from functools import partial as _partial

from torch import nn as _nn

from lightcourse.models.alexnet import alexnet
from lightcourse.models.bn_inception import bn_inception
from lightcourse.models.cspdarknet import cspdarknet53, cspresnext50
from lightcourse.models.darknet import darknet19, darknet53, darknet_ref
from lightcourse.models.densenet import (
    densenet121,
    densenet161,
    densenet169,
    densenet201,
    densenet_cifar,
)
from lightcourse.models.detnet import detnet59
from lightcourse.models.efficientdet import efficientdet_d0
from lightcourse.models.efficientnet import EFFICIENTNETS, efficientnet, efficientnet_lite0
from lightcourse.models.fbnet import fbnet_a, fbnet_b, fbnet_c
from lightcourse.models.fd_mobilenet import fd_mobilenet
from lightcourse.models.ghostnet import ghostnet
from lightcourse.models.googlenet import googlenet
from lightcourse.models.inception_resnet_v2 import inception_resnet_v2
from lightcourse.models.inception_v3 import inception_v3
from lightcourse.models.inception_v4 import inception_v4
from lightcourse.models.lenet import lenet5
from lightcourse.models.light_head import light_head_rcnn_head
from lightcourse.models.mcunet import mcunet_mbv2_320kb
from lightcourse.models.mnasnet import mnasnet_a1, mnasnet_b1, mnasnet_small
from lightcourse.models.mobilenet_v1 import mobilenet_v1
from lightcourse.models.mobilenet_v2 import mobilenet_v2
from lightcourse.models.mobilenet_v3 import mobilenet_v3_large, mobilenet_v3_small
from lightcourse.models.ofa import ofa_mobilenet_v3
from lightcourse.models.proxylessnas import (
    proxylessnas_cpu,
    proxylessnas_gpu,
    proxylessnas_mobile,
    proxylessnas_mobile14,
)
from lightcourse.models.resnet import (
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    resnext50_32x4d,
    wide_resnet50_2,
)
from lightcourse.models.resnet_cifar import resnet_cifar
from lightcourse.models.shiftnet import shiftnet_a, shiftresnet20, shiftresnet56, shiftresnet110
from lightcourse.models.shufflenet_v1 import shufflenet_v1
from lightcourse.models.shufflenet_v2 import shufflenet_v2
from lightcourse.models.snet import snet49, snet146, snet535
from lightcourse.models.spinenet import spinenet49
from lightcourse.models.squeezenet import squeezenet1_0, squeezenet1_1
from lightcourse.models.vgg import vgg11, vgg13, vgg16, vgg19
from lightcourse.models.wide_resnet_cifar import wide_resnet_cifar
from lightcourse.models.yolo import yolov2, yolov3, yolov4
from lightcourse.models.yolo_tiny import yolov2_tiny, yolov3_tiny, yolov4_tiny

_CIFAR = {"num_classes": 10, "small_input": True}

# family -> name -> function; a family's _cifar form is the same function with a gentler stem
FAMILIES: dict[str, dict[str, _Callable[..., _nn.Module]]] = {
    "SqueezeNet": {
        "squeezenet1_0": squeezenet1_0,
        "squeezenet1_1": squeezenet1_1,
        "squeezenet_cifar": _partial(squeezenet1_1, **_CIFAR),
    },
    "MobileNetV1": {
        "mobilenet_v1": mobilenet_v1,
        "mobilenet_v1_cifar": _partial(mobilenet_v1, **_CIFAR),
    },
    "FD-MobileNet": {
        "fd_mobilenet": fd_mobilenet,
        "fd_mobilenet_cifar": _partial(fd_mobilenet, **_CIFAR),
    },
    "MobileNetV2": {
        "mobilenet_v2": mobilenet_v2,
        "mobilenet_v2_cifar": _partial(mobilenet_v2, **_CIFAR),
    },
    "MobileNetV3": {
        "mobilenet_v3_large": mobilenet_v3_large,
        "mobilenet_v3_large_cifar": _partial(mobilenet_v3_large, **_CIFAR),
        "mobilenet_v3_small": mobilenet_v3_small,
        "mobilenet_v3_small_cifar": _partial(mobilenet_v3_small, **_CIFAR),
    },
    "Darknet": {"darknet19": darknet19, "darknet53": darknet53, "darknet_ref": darknet_ref},
    "CSP": {"cspdarknet53": cspdarknet53, "cspresnext50": cspresnext50},
    "YOLO-tiny": {
        "yolov2_tiny": yolov2_tiny,
        "yolov3_tiny": yolov3_tiny,
        "yolov4_tiny": yolov4_tiny,
    },
    "YOLO": {"yolov2": yolov2, "yolov3": yolov3, "yolov4": yolov4},
    "DetNet": {"detnet59": detnet59},
    "SpineNet": {"spinenet49": spinenet49},
    "Light-Head": {"light_head_rcnn_head": light_head_rcnn_head},
    "LeNet": {
        "lenet5": lenet5,
    },
    "AlexNet": {
        "alexnet": alexnet,
    },
    "VGG": {
        "vgg11": vgg11,
        "vgg13": vgg13,
        "vgg16": vgg16,
        "vgg19": vgg19,
    },
    "Inception": {
        "googlenet": googlenet,
        "bn_inception": bn_inception,
        "inception_v3": inception_v3,
        "inception_v4": inception_v4,
        "inception_resnet_v2": inception_resnet_v2,
    },
    "ResNet": {
        "resnet18": resnet18,
        "resnet34": resnet34,
        "resnet50": resnet50,
        "resnet101": resnet101,
        "resnet152": resnet152,
    },
    "ResNeXt": {
        "resnext50_32x4d": resnext50_32x4d,
    },
    "WRN": {
        "wide_resnet50_2": wide_resnet50_2,
        "wide_resnet_cifar": wide_resnet_cifar,
    },
    "ResNet-CIFAR": {
        "resnet_cifar": resnet_cifar,
    },
    "DenseNet": {
        "densenet121": densenet121,
        "densenet169": densenet169,
        "densenet201": densenet201,
        "densenet161": densenet161,
        "densenet_cifar": densenet_cifar,
    },
    "EfficientNet": {
        **EFFICIENTNETS,
        "efficientnet_b0_cifar": _partial(efficientnet, "b0", **_CIFAR),
        "efficientnet_lite0": efficientnet_lite0,
    },
    "EfficientDet": {"efficientdet_d0": efficientdet_d0},
    "MnasNet": {
        "mnasnet_a1": mnasnet_a1,
        "mnasnet_a1_cifar": _partial(mnasnet_a1, **_CIFAR),
        "mnasnet_b1": mnasnet_b1,
        "mnasnet_small": mnasnet_small,
    },
    "ProxylessNAS": {
        "proxylessnas_cpu": proxylessnas_cpu,
        "proxylessnas_gpu": proxylessnas_gpu,
        "proxylessnas_mobile": proxylessnas_mobile,
        "proxylessnas_mobile14": proxylessnas_mobile14,
        "proxylessnas_mobile_cifar": _partial(proxylessnas_mobile, **_CIFAR),
    },
    "FBNet": {
        "fbnet_a": fbnet_a,
        "fbnet_b": fbnet_b,
        "fbnet_c": fbnet_c,
        "fbnet_c_cifar": _partial(fbnet_c, **_CIFAR),
    },
    "OFA": {"ofa_mobilenet_v3": ofa_mobilenet_v3},
    "MCUNet": {"mcunet_mbv2_320kb": mcunet_mbv2_320kb},
    "ShuffleNetV1": {
        "shufflenet_v1": shufflenet_v1,
        "shufflenet_v1_cifar": _partial(shufflenet_v1, **_CIFAR),
    },
    "ShuffleNetV2": {
        "shufflenet_v2": shufflenet_v2,
        "shufflenet_v2_cifar": _partial(shufflenet_v2, **_CIFAR),
    },
    "ShiftNet": {"shiftnet_a": shiftnet_a},
    "ShiftResNet": {
        "shiftresnet20": shiftresnet20,
        "shiftresnet56": shiftresnet56,
        "shiftresnet110": shiftresnet110,
    },
    "GhostNet": {
        "ghostnet": ghostnet,
        "ghostnet_cifar": _partial(ghostnet, **_CIFAR),
    },
    "ThunderNet": {"snet49": snet49, "snet146": snet146, "snet535": snet535},
}
MODELS = {name: build for family in FAMILIES.values() for name, build in family.items()}
