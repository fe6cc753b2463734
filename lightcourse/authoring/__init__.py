"""Build, gate and execute the chapters: solutions/NN_name.py is the only place to write one."""

from lightcourse.authoring.build import Report, build_all
from lightcourse.authoring.command import run_build
from lightcourse.authoring.execute import Execution, run_notebook
from lightcourse.authoring.gates import Problem
from lightcourse.authoring.notebook import build_instructor_source, build_notebook

__all__ = [
    "Execution",
    "Problem",
    "Report",
    "build_all",
    "build_instructor_source",
    "build_notebook",
    "run_build",
    "run_notebook",
]
