"""The tiny detector on the built-in scenes: mAP and CPU seconds of three seeds; mAP's own speed."""

import time

import torch

from lightcourse.detection import (
    COCO_THRESHOLDS,
    Detections,
    TinyDetector,
    evaluate_detector,
    fit_detector,
    mean_average_precision,
    scenes,
)
from lightcourse.detection._scene_pixels import SceneRecipe, paint_scenes

SEEDS = (0, 1, 2)


def main() -> None:
    """Print one line per measurement; the first two are promises."""
    start = time.process_time()
    recipe = SceneRecipe(96, 2, 5, 14.0, 40.0, 0.3, 4, 1.0, seed=9)
    count = sum(len(rows) for _, rows in paint_scenes(recipe, 0, 1000))
    print(f"{count} scenes of 96 × 96 px: {time.process_time() - start:.1f} CPU-s")
    splits = scenes()
    for seed in SEEDS:
        torch.manual_seed(seed)
        model = TinyDetector()
        start, began = time.process_time(), time.perf_counter()
        history = fit_detector(model, splits, seed=seed, progress=False)
        spent, wall = time.process_time() - start, time.perf_counter() - began
        strict = evaluate_detector(model, splits.test, thresholds=COCO_THRESHOLDS).map
        print(
            f"seed {seed}: mAP@0.5 {history.map:.3f}, mAP@0.5:0.95 {strict:.3f}, "
            f"{spent:.0f} CPU-s on one thread, {wall:.0f} s"
        )
        assert history.map >= 0.6 and spent <= 240  # 120 s on two cores
    truth = [splits.test.objects(index) for index in range(len(splits.test))]
    found = [Detections(t.boxes, torch.ones(len(t)), t.labels) for t in truth]
    start = time.process_time()
    mean_average_precision(found, truth, splits.test.classes, thresholds=COCO_THRESHOLDS)
    print(
        f"mAP of {len(truth)} pictures at ten thresholds: {time.process_time() - start:.2f} CPU-s"
    )


if __name__ == "__main__":
    main()
