"""Designing networks by rules that can be measured."""

from lightcourse.design.guidelines import Guideline, GuidelineRow, g1, g2, g3, g4

__all__ = ["Guideline", "GuidelineRow", "g1", "g2", "g3", "g4"]
