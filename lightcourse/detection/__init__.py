"""From classifier to detector: boxes, anchors, losses, mAP, built-in scenes, a tiny detector."""

from lightcourse.detection._figures import draw_boxes
from lightcourse.detection._scenes import Scenes, SceneSplits, scenes
from lightcourse.detection.anchors import Anchors, kmeans_anchors
from lightcourse.detection.boxes import area, convert, iou, iou_of_pairs, to_pixels, to_shares
from lightcourse.detection.coding import (
    YOLOV2,
    YOLOV3,
    YOLOV4_TINY,
    Coding,
    Decoded,
    Level,
    Places,
    boxes_of,
    codes_of,
    decode,
    encode,
    places_of,
)
from lightcourse.detection.fit import evaluate_detector, fit_detector
from lightcourse.detection.history import DetectorEpoch, DetectorHistory
from lightcourse.detection.losses import (
    DetectionLoss,
    Truth,
    assign,
    focal_loss,
    pad_truth,
    shape_iou,
    yolo_loss,
)
from lightcourse.detection.metrics import (
    COCO_THRESHOLDS,
    Curve,
    MeanAveragePrecision,
    Verdicts,
    average_precision,
    judge,
    mean_average_precision,
)
from lightcourse.detection.predict import detect, prepare, read_maps
from lightcourse.detection.results import Detections, Objects
from lightcourse.detection.suppression import nms, soft_nms
from lightcourse.detection.tiny import TinyDetector

__all__ = [
    "COCO_THRESHOLDS",
    "YOLOV2",
    "YOLOV3",
    "YOLOV4_TINY",
    "Anchors",
    "Coding",
    "Curve",
    "Decoded",
    "DetectionLoss",
    "Detections",
    "DetectorEpoch",
    "DetectorHistory",
    "Level",
    "MeanAveragePrecision",
    "Objects",
    "Places",
    "SceneSplits",
    "Scenes",
    "TinyDetector",
    "Truth",
    "Verdicts",
    "area",
    "assign",
    "average_precision",
    "boxes_of",
    "codes_of",
    "convert",
    "decode",
    "detect",
    "draw_boxes",
    "encode",
    "evaluate_detector",
    "fit_detector",
    "focal_loss",
    "iou",
    "iou_of_pairs",
    "judge",
    "kmeans_anchors",
    "mean_average_precision",
    "nms",
    "pad_truth",
    "places_of",
    "prepare",
    "read_maps",
    "scenes",
    "shape_iou",
    "soft_nms",
    "to_pixels",
    "to_shares",
    "yolo_loss",
]
