"""Designing networks by rules that can be measured."""

from lightcourse.design.guidelines import Guideline, GuidelineRow, g1, g2, g3, g4
from lightcourse.design.portrait import Portrait, PortraitRow, candidates, load_portrait

__all__ = [
    "Guideline",
    "GuidelineRow",
    "Portrait",
    "PortraitRow",
    "candidates",
    "g1",
    "g2",
    "g3",
    "g4",
    "load_portrait",
]
