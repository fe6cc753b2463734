"""Each exercise names the mistakes that learners make, and accepts right answers of any style.

A wrong answer meets one of the three seeds, in turn; with ALL_SEEDS=1 in the environment all three,
which is for the authors of a chapter.
"""

import importlib.util
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from lightcourse.checks import CheckResult, run_check
from lightcourse.checks.chapters import chapter_numbers, load_chapter, outline
from lightcourse.checks.diagnose import GENERIC

HERE = Path(__file__).parent
SEEDS = (0, 1, 7)


def answers(number):
    """The module chNN_*.py with a chapter's answers; an empty one where there is none yet."""
    found = sorted(HERE.glob(f"ch{number}_*.py"))
    if not found:
        return SimpleNamespace(WRONG={}, RIGHT={})
    spec = importlib.util.spec_from_file_location(found[0].stem, found[0])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built(answer):
    """The learner's object: as it is, or the last name that a piece of source defines."""
    if not isinstance(answer, str):
        return answer
    names: dict = {}
    exec(compile(answer, "<answer>", "exec"), names)
    return list(names.values())[-1]


EXERCISES = [e for number in chapter_numbers() for e in load_chapter(number).EXERCISES]
ANSWERS = {
    number: answers(number) for number in chapter_numbers() if load_chapter(number).EXERCISES
}
WRONG = [
    pytest.param(id, mistake, answer, seed, id=f"{id}-{i}-{mistake}-{seed}")
    for module in ANSWERS.values()
    for id, rows in module.WRONG.items()
    for i, (mistake, answer) in enumerate(rows)
    for seed in (SEEDS if os.environ.get("ALL_SEEDS") else SEEDS[i % 3 : i % 3 + 1])
]
RIGHT = [
    pytest.param(id, answer, id=f"{id}-{i}")
    for module in ANSWERS.values()
    for id, rows in module.RIGHT.items()
    for i, answer in enumerate(rows)
]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Hundreds of tiny tensors: on a busy machine a second thread costs more than it gives."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("id", "mistake", "answer", "seed"), WRONG)
def test_wrong_answer_gets_its_diagnosis(id, mistake, answer, seed):
    result = run_check(id, built(answer), seed=seed)
    assert not result.passed, f"a wrong answer passes {id} with seed {seed}"
    assert result.mistake == mistake, f"diagnosed as {result.mistake}:\n{result}"
    assert result.message
    assert result.exercise.id in repr(result)
    assert result.exercise.id in result._repr_html_()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("id", "answer"), RIGHT)
def test_right_answer_passes(id, answer, seed):
    result = run_check(id, built(answer), seed=seed)
    assert result.passed, f"a right answer is refused with seed {seed}:\n{result}"


@pytest.mark.parametrize("number", sorted(ANSWERS))
def test_a_chapter_with_exercises_has_one_file_of_answers(number):
    assert len(list(HERE.glob(f"ch{number}_*.py"))) == 1, f"tests/wrong_answers/ch{number}_*.py"


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
def test_enough_answers(exercise):
    module = ANSWERS[exercise.chapter]
    wrong = module.WRONG.get(exercise.id, [])
    right = module.RIGHT.get(exercise.id, [])
    assert len(wrong) >= 5, f"{exercise.id} has {len(wrong)} wrong answers"
    assert len(right) >= 2, f"{exercise.id} has {len(right)} right answers"
    own = {mistake for mistake, _ in wrong if mistake is not None and mistake not in GENERIC}
    assert len(own) >= 3, f"{exercise.id} names only {sorted(own)} of its own mistakes"


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
def test_every_mistake_is_met_and_says_its_own_thing(exercise):
    rows = ANSWERS[exercise.chapter].WRONG.get(exercise.id, [])
    met = {mistake for mistake, _ in rows}
    named = {mistake.id: mistake.says for mistake in exercise.mistakes}
    missing = set(named) - met
    assert not missing, f"no wrong answer of {exercise.id} shows {sorted(missing)}"
    assert len(set(named.values())) == len(named), f"two mistakes of {exercise.id} say the same"
    assert not set(named) & set(GENERIC), f"{exercise.id} takes a generic name for its own mistake"


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
def test_hints_are_distinct_and_reachable(exercise):
    assert len(exercise.hints) >= 2
    assert len({h.text for h in exercise.hints}) == len(exercise.hints)
    assert len({h.when for h in exercise.hints}) == len(exercise.hints)
    opened = {m.hint for m in (*exercise.mistakes, *exercise.laws)}
    assert opened - {None}, f"no mistake of {exercise.id} opens a hint"


def test_answers_belong_to_exercises():
    known = {exercise.id for exercise in EXERCISES}
    for number, module in ANSWERS.items():
        named = set(module.WRONG) | set(module.RIGHT)
        assert named <= known, f"chapter {number} has answers to {sorted(named - known)}"


def test_outline_without_import_agrees_with_the_modules():
    for number in chapter_numbers():
        loaded = [(e.id, e.title) for e in load_chapter(number).EXERCISES]
        assert list(outline()[number].exercises) == loaded
        assert not outline()[number].title.startswith("Chapter"), f"ch{number}.py needs a TITLE"


def test_a_result_is_plain_data_of_the_first_failing_case():
    result = run_check("00.bytes", lambda n, c, h, w, bits=32: n * c * h * w)
    assert isinstance(result, CheckResult)
    # the first case has one byte a value, so it is not the one that fails
    assert result.case is not None and result.case.kwargs == {"bits": 32}
