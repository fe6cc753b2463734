"""The gates of `lightcourse build --check`: small functions in a list."""

from lightcourse.authoring.gates.answers import gate_no_leak, gate_stub_is_subset
from lightcourse.authoring.gates.base import Draft, Facts, Gate, Problem, load_facts
from lightcourse.authoring.gates.code import (
    gate_checks_can_fail,
    gate_names_in_order,
    gate_stub_in_function,
    gate_syntax,
)
from lightcourse.authoring.gates.exercises import (
    gate_exercise_count,
    gate_exercise_lists,
    gate_exercise_pairs,
    gate_predictions,
)
from lightcourse.authoring.gates.header import gate_header, gate_nbgrader_fields, gate_points
from lightcourse.authoring.gates.prose import gate_steps, gate_title
from lightcourse.authoring.gates.regions import gate_regions
from lightcourse.authoring.source import Chapter

__all__ = ["GATES", "Draft", "Facts", "Problem", "load_facts", "run_gates", "structural_problems"]

# without these nbgrader cannot make a notebook at all
STRUCTURE: tuple[Gate, ...] = (gate_header, gate_nbgrader_fields, gate_points, gate_regions)

GATES: tuple[Gate, ...] = (
    *STRUCTURE,
    gate_title,
    gate_steps,
    gate_exercise_count,
    gate_exercise_pairs,
    gate_exercise_lists,
    gate_predictions,
    gate_syntax,
    gate_names_in_order,
    gate_stub_in_function,
    gate_checks_can_fail,
    gate_stub_is_subset,
    gate_no_leak,
)


def structural_problems(chapter: Chapter) -> list[Problem]:
    """Return what would keep nbgrader from making a notebook, in the order of the file."""
    found = [problem for gate in STRUCTURE for problem in gate(Draft(chapter))]
    return sorted(found, key=lambda problem: problem.line)


def run_gates(draft: Draft) -> list[Problem]:
    """Return every problem of a chapter, in the order of its lines."""
    found = [problem for gate in GATES for problem in gate(draft)]
    return sorted(found, key=lambda problem: problem.line)
