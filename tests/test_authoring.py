"""Building chapters: the same bytes everywhere, no work lost, and every gate catches its sample."""

import io
import json
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from notebooks.mini import FACTS, TEXT, write_mini
from rich.console import Console

from lightcourse.authoring import build_all, build_instructor_source, build_notebook, run_build
from lightcourse.authoring.gates import GATES, Draft, Facts, run_gates
from lightcourse.authoring.gates.answers import gate_stub_is_subset
from lightcourse.authoring.source import find_chapters, read_chapter
from lightcourse.errors import UserError

COURSE_FILE = "course/98_twice/98_twice.ipynb"


def check(root, facts: Facts | None = FACTS, **options):
    """Build, then gate; return the problems of both."""
    built = build_all(root, load=lambda number: facts, **options)
    if built.problems:
        return built.problems
    return build_all(root, check=True, load=lambda number: facts, **options).problems


def marker(grade_id: str) -> str:
    """The nbgrader header of one cell of the mini chapter."""
    found = re.search(rf'nbgrader=.*"{grade_id}".*', TEXT)
    assert found
    return found[0]


# ---------------------------------------------------------------- the notebook


def test_the_mini_chapter_passes_every_gate(tmp_path):
    write_mini(tmp_path)
    assert check(tmp_path) == ()


def test_student_notebook_has_no_answers_and_keeps_the_rest(tmp_path):
    text = build_notebook(write_mini(tmp_path))
    for secret in ("x + x", "secret_seed", "positive number", "SOLUTION", "HIDDEN"):
        assert secret not in text
    notebook = nbformat.reads(text, as_version=4)
    sources = {c.metadata.get("nbgrader", {}).get("grade_id"): c.source for c in notebook.cells}
    stub = "    # YOUR CODE HERE\n    raise NotImplementedError()"
    assert sources["98-double"] == (
        f'def double(x: int) -> int:\n    """Return twice x."""\n{stub}'
    )
    assert sources["98-double-check"] == 'check("98.double", double)'
    assert sources["98-explain-1"] == "YOUR ANSWER HERE"
    assert "# really?" in text, "a comment with a question mark is no IPython help"


def test_instructor_source_has_the_answers_and_the_same_ids(tmp_path):
    path = write_mini(tmp_path)
    student, source = json.loads(build_notebook(path)), json.loads(build_instructor_source(path))
    assert [c["id"] for c in student["cells"]] == [c["id"] for c in source["cells"]]
    assert student["metadata"] == source["metadata"]
    assert "secret_seed = 21" in build_instructor_source(path)


def test_bytes_are_the_same_in_another_process_and_folder(tmp_path):
    here = build_notebook(write_mini(tmp_path / "here"))
    there = write_mini(tmp_path / "there" / "deeper")
    code = f"from lightcourse.authoring import *; print(end=build_notebook({str(there)!r}))"
    env = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Shanghai", "PYTHONUTF8": "1"}
    out = subprocess.check_output([sys.executable, "-c", code], env=env, cwd=tmp_path)
    assert out.decode() == here
    assert here.endswith("\n}\n") and "两倍" in here
    assert "version" not in json.loads(here)["metadata"]["language_info"]


def test_an_edit_changes_no_other_cells_id(tmp_path):
    def ids(path):
        return [cell["id"] for cell in json.loads(build_notebook(path))["cells"]]

    before = ids(write_mini(tmp_path))
    assert len(set(before)) == len(before)
    edited = ids(write_mini(tmp_path, "# ## Play\n", "# ## Play\n\n# %% [markdown]\n# Look!\n"))
    assert [one for one in edited if one in before] == before
    answered = ids(write_mini(tmp_path, "x + x", "2 * x"))
    assert answered == before, "a graded cell's id comes from its grade_id alone"
    twice = ids(write_mini(tmp_path, "# ## Play\n", "# ## Play\n\n# %%\n1\n\n# %%\n1\n"))
    assert len(set(twice)) == len(before) + 2, "equal cells get different ids"


def test_one_chapter_costs_little_cpu(tmp_path):
    path = write_mini(tmp_path)
    build_notebook(path)  # imports
    start = time.process_time()
    for _ in range(3):
        build_notebook(path)
    assert (time.process_time() - start) / 3 < 0.3


# ---------------------------------------------------------------- the folder


def test_build_writes_only_what_changed(tmp_path):
    write_mini(tmp_path)
    assert build_all(tmp_path).written == (COURSE_FILE, "course/course.json")
    edition = tmp_path / "course/course.json"
    assert json.loads(edition.read_text()) == {
        "edition": "self-study",
        "solutions": True,
        "hints": True,
    }
    edition.write_text('{"edition": "class", "solutions": false, "hints": true}')
    os.utime(tmp_path / COURSE_FILE, (1, 1))
    again = build_all(tmp_path)
    assert (again.written, again.unchanged) == ((), (COURSE_FILE,))
    assert (tmp_path / COURSE_FILE).stat().st_mtime == 1
    assert "class" in edition.read_text(), "an edition chosen by an instructor stays"
    write_mini(tmp_path, "Twice", "Double")
    assert build_all(tmp_path).written == (COURSE_FILE,)
    assert {path.name for path in (tmp_path / "course").rglob("*") if path.is_file()} == {
        "98_twice.ipynb",
        "course.json",
    }, "no temporary file stays behind"


def touch(path: Path, source: str) -> None:
    """Do a learner's work: answer the first exercise in the course's own copy."""
    notebook = nbformat.read(path, as_version=4)
    cell = next(c for c in notebook.cells if "NotImplementedError" in c.source)
    cell.source = source
    nbformat.write(notebook, path)


def test_work_in_the_course_folder_is_never_overwritten(tmp_path):
    write_mini(tmp_path)
    build_all(tmp_path)
    touch(tmp_path / COURSE_FILE, "def double(x):\n    return 2 * x")
    worked = (tmp_path / COURSE_FILE).read_text()
    write_mini(tmp_path, "Twice", "Double")
    report = build_all(tmp_path)
    assert [p.gate for p in report.problems] == ["work-in-course"]
    assert "move it away" in report.problems[0].message
    assert (tmp_path / COURSE_FILE).read_text() == worked
    assert build_all(tmp_path, force=True).written == (COURSE_FILE,)


def test_a_notebook_that_was_only_run_is_rebuilt(tmp_path):
    write_mini(tmp_path)
    build_all(tmp_path)
    notebook = nbformat.read(tmp_path / COURSE_FILE, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="ran")]
    notebook.metadata.language_info["version"] = "3.11.2"
    nbformat.write(notebook, tmp_path / COURSE_FILE)
    assert build_all(tmp_path).written == (COURSE_FILE,)


@pytest.mark.parametrize("text", [b"", b"not json", b"[]", b'{"cells": 3}', b"\xff\x00"])
def test_a_file_that_is_not_ours_is_left_alone(tmp_path, text):
    write_mini(tmp_path)
    (tmp_path / COURSE_FILE).parent.mkdir(parents=True)
    (tmp_path / COURSE_FILE).write_bytes(text)
    assert [p.gate for p in build_all(tmp_path).problems] == ["work-in-course"]
    assert (tmp_path / COURSE_FILE).read_bytes() == text


def test_stale_folders_go_but_only_those_that_the_builder_made(tmp_path):
    write_mini(tmp_path)
    build_all(tmp_path)
    mine = tmp_path / "course/mine/notes.ipynb"
    mine.parent.mkdir()
    mine.write_text('{"cells": [], "metadata": {}}')
    (tmp_path / "solutions/98_twice.py").unlink()
    assert [p.gate for p in build_all(tmp_path, check=True).problems] == ["stale"]
    (tmp_path / COURSE_FILE).parent.joinpath(".ipynb_checkpoints").mkdir()
    assert build_all(tmp_path).removed == (COURSE_FILE,)
    assert not (tmp_path / COURSE_FILE).parent.exists() and mine.exists()


def test_a_stale_notebook_with_work_stays(tmp_path):
    write_mini(tmp_path)
    build_all(tmp_path)
    touch(tmp_path / COURSE_FILE, "def double(x):\n    return 2 * x")
    (tmp_path / "solutions/98_twice.py").unlink()
    report = build_all(tmp_path)
    assert report.removed == () and [p.gate for p in report.problems] == ["stale"]
    assert (tmp_path / COURSE_FILE).exists()


def test_a_course_that_cannot_be_written_says_so(tmp_path):
    write_mini(tmp_path)
    (tmp_path / "course").write_text("a file is in the way")
    with pytest.raises(UserError, match="cannot be written"):
        build_all(tmp_path)


# ---------------------------------------------------------------- the gates, each with its sample

MEASURE = '# %%\nreveal("98.p1")\n'
SECOND_TEST = 'assert total([]) == 0, "wrong for no numbers"\n'
REGION = "    ### BEGIN SOLUTION\n    twice_as_much_as_before"
SAMPLES = [
    # gates that must speak, text to replace, its replacement, words of the message
    ({"header"}, "minutes: 5, ", "", "lacks 'minutes'"),
    ({"header"}, "minutes: 5", "minutes: 5, colour: red", "unknown field 'colour'"),
    ({"header"}, "minutes: 5", 'minutes: "5"', "'minutes' is '5'"),
    ({"header"}, "minutes: 5", "minutes: true", "'minutes' is True"),
    ({"header"}, 'title: "Twice"', 'title: ""', "'title' is ''"),
    ({"header"}, 'chapter: "98"', 'chapter: "97"', "write '98'"),
    ({"header"}, "budget_seconds: 10", "budget_seconds: 121", "1 to 120"),
    ({"header"}, "name: python3", "name: conda-root-py", "every machine has 'python3'"),
    (
        {"nbgrader"},
        marker("98-double"),
        marker("98-double").replace('version": 3', 'version": 2'),
        "it must be 3",
    ),
    ({"nbgrader"}, marker("98-double"), marker("98-double").replace('"task"', '"x"'), "'task'"),
    (
        {"nbgrader"},
        marker("98-double"),
        marker("98-double")[:-1] + ', "points": 1}',
        "'points', which does not belong",
    ),
    ({"nbgrader"}, '"locked": true, "points": 2', '"locked": false, "points": 2', "locked"),
    ({"nbgrader"}, '"98-total"', '"98-double"', "repeats the grade_id of cell 8"),
    ({"nbgrader"}, '"98-total"', '"97-total"', "write '98-name'"),
    ({"nbgrader"}, '"98-total"', '"98-Total"', "write '98-name'"),
    (
        {"nbgrader"},
        "# %% [markdown]\n# ## Play",
        "# %% [markdown] "
        + marker("98-double-check").replace("double-check", "note")
        + "\n# ## Play",
        "no known kind",
    ),
    ({"points"}, '"points": 2, ', "", "points None"),
    ({"points"}, '"points": 2', '"points": 0', "points 0"),
    ({"points"}, '"points": 4', '"points": "4"', "points '4'"),
    ({"regions"}, REGION, REGION.split("\n")[1], "'END SOLUTION' has no"),
    ({"regions"}, "    ### END SOLUTION\n", "", "'BEGIN SOLUTION' has no"),
    ({"regions"}, REGION, "    ### BEGIN SOLUTION\n" + REGION, "inside another region"),
    ({"regions"}, MEASURE, MEASURE + "### BEGIN SOLUTION\n1\n### END SOLUTION\n", "may not hold"),
    ({"regions"}, MEASURE, MEASURE + "### BEGIN MARK SCHEME\n1\n### END MARK SCHEME\n", "may not"),
    ({"regions"}, SECOND_TEST, "", "empty hidden tests region"),
    (
        {"regions"},
        "### BEGIN HIDDEN TESTS\n" + SECOND_TEST + "### END HIDDEN TESTS\n",
        SECOND_TEST,
        "no hidden tests region",
    ),
    ({"title"}, "# # 98 · Twice", "# # Twice", "'# 98 · …'"),
    ({"title"}, "# ## Play", "# # 98 · Play\n\n# %% [markdown]\n# ## Play", "second title"),
    ({"steps"}, "# ## Play", "# ## Game", "no heading '## Play'"),
    ({"steps"}, "# ## Play", "# Now:\n#\n# ## Play", "not the cell's first line"),
    ({"steps"}, "# ## Play", "# ## Play\n\n# %% [markdown]\n# ## Play: more", "stands twice"),
    ({"steps"}, "# ## Predict: how much?", "# ## Play\n\n# %% [markdown]\n# ## Predict", "twice"),
    ({"steps"}, "## Question\n\n# %% [markdown]\n# ## Predict", "## Predict", "'## Question'"),
    (
        {"exercise-pairs", "checks-can-fail"},
        '"98-double-check"',
        '"98-double-test"',
        "no check cell",
    ),
    (
        {"exercise-lists"},
        '"98.double", "98.total"]}',
        '"98.total", "98.double"]}',
        "make them agree",
    ),
    ({"predictions"}, 'predict("98.p1"', 'predict("98.p2"', "no prediction is called '98.p2'"),
    ({"predictions"}, 'reveal("98.p1")', "pass", "never revealed"),
    ({"predictions"}, 'predict("98.p1", ...)', 'reveal("98.p1")', "before it is asked"),
    ({"syntax"}, MEASURE, MEASURE + "%matplotlib inline\n", "is a magic"),
    ({"syntax"}, MEASURE, MEASURE + "!ls\n", "is a magic"),
    ({"syntax"}, MEASURE, MEASURE + "x = = 1\n", "fix it"),
    ({"syntax"}, MEASURE, MEASURE + "from math import *\n", "imports * from math"),
    ({"names-in-order"}, MEASURE, MEASURE + "print(undefined_thing)\n", "is never defined"),
    ({"names-in-order"}, "# really?", "print(total([1]))", "'total' is defined only later"),
    ({"names-in-order"}, "# really?", "f = lambda: [total([x]) for x in 'ab']", "only later"),
    ({"names-in-order"}, "running = 0", "running = missing_name", "'missing_name' is never"),
    (
        {"stub-in-function"},
        "### Exercise 98.total: all of them\n",
        "### Exercise 98.total: all of them\n\n# %% "
        + marker("98-double").replace("98-double", "98-third")
        + "\n### BEGIN SOLUTION\nthird = 3\n### END SOLUTION\n\n# %% "
        + marker("98-double-check").replace("98-double", "98-third")
        + '\ncheck("98.third", 3)\n### BEGIN HIDDEN TESTS\nassert 1 + 1 == 2\n'
        + "### END HIDDEN TESTS\n",
        "would crash",
    ),
    ({"checks-can-fail"}, 'check("98.total", total)', "print(total)", "does not check"),
    ({"checks-can-fail"}, 'check("98.total", total)', 'check("98.double", total)', "98.total"),
    (
        {"checks-can-fail"},
        'check("98.total", total)',
        'try:\n    check("98.total", total)\nexcept Exception:\n    pass',
        "does not check",
    ),
    (
        {"checks-can-fail"},
        'check("98.total", total)',
        'if total([1]) == 1:\n    check("98.total", total)',
        "does not check",
    ),
    ({"checks-can-fail"}, SECOND_TEST, "assert True\n", "no hidden test that can fail"),
    ({"checks-can-fail"}, SECOND_TEST, "print(total([]))\n", "no hidden test"),
    ({"checks-can-fail"}, SECOND_TEST, "for _ in []:\n    assert total([]) == 0\n", "no hidden"),
    (
        {"checks-can-fail"},
        SECOND_TEST,
        "import contextlib\nwith contextlib.suppress(Exception):\n    assert total([]) == 0\n",
        "no hidden",
    ),
    (
        {"no-leak"},
        "# ## Play",
        "# ## Play\n#\n# `running=running + x`",
        "can also be read in cell 6",
    ),
    ({"no-leak"}, '"""Return twice x."""', '"""return twice_as_much_as_before"""', "in cell 8"),
    ({"no-leak"}, "# ## Play", "# ## Play\n# " + SECOND_TEST, "assert total"),
    (
        {"no-leak"},
        "# Why is twice more?",
        re.findall("# Because.*", TEXT)[0],
        "reword one of them",
    ),
]


@pytest.mark.parametrize(("gates", "old", "new", "words"), SAMPLES)
def test_each_gate_catches_its_broken_sample(tmp_path, gates, old, new, words):
    path = write_mini(tmp_path, old, new)
    problems = check(tmp_path)
    named = {p.gate for p in problems}
    if "stub-in-function" in gates:  # its sample is an exercise that no list knows
        named -= {"exercise-lists"}
    assert named == gates, problems
    assert any(words in p.message for p in problems), problems
    lines = len(path.read_text().splitlines())
    for problem in problems:
        assert problem.file == "solutions/98_twice.py"
        assert 1 <= problem.line <= lines
        assert problem.message.endswith(".")


def test_problems_point_at_their_line(tmp_path):
    path = write_mini(tmp_path, "# ## Play", "# ## Play\n#\n# `running=running + x`")
    (problem,) = check(tmp_path)
    assert path.read_text().splitlines()[problem.line - 1] == "        running = running + x"
    path = write_mini(tmp_path, "# really?", "print(total([1]))")
    (problem,) = check(tmp_path)
    assert path.read_text().splitlines()[problem.line - 1] == "print(total([1]))"


def test_every_gate_has_a_sample():
    sampled = set().union(*(gates for gates, *_ in SAMPLES))
    elsewhere = {"exercise-count", "stub-is-subset"}
    names = {re.sub("^gate_", "", gate.__name__).replace("_", "-") for gate in GATES}
    names -= {"nbgrader-fields"}
    assert names | {"nbgrader"} == sampled | elsewhere


@pytest.mark.parametrize("count", [0, 6])
def test_gate_exercise_count(tmp_path, count):
    exercise = re.search(
        r"# %% \[markdown\]\n# ### Exercise 98.total.*?(?=# %% \[markdown\]\n# ## M)", TEXT, re.S
    )
    first = re.search(r"# %% nbgrader.*?(?=# %% \[markdown\]\n# ### Exercise 98.total)", TEXT, re.S)
    assert exercise and first
    copies = "".join(exercise[0].replace("98-total", f"98-total{i}") for i in range(count))
    path = write_mini(tmp_path, exercise[0], copies)
    if not count:
        path.write_text(path.read_text().replace(first[0], ""))
    found = [p for p in check(tmp_path) if p.gate == "exercise-count"]
    assert len(found) == 1 and f"has {count if count == 0 else count + 1} exercises" in str(
        found[0]
    )


def test_gate_stub_is_subset(tmp_path):
    """Student cells that a faulty builder might give: a foreign line, a changed one, a swap."""
    chapter = read_chapter(write_mini(tmp_path))
    cells = json.loads(build_notebook(chapter.path))["cells"]
    student = tuple("".join(cell["source"]) for cell in cells)
    assert run_gates(Draft(chapter, student, lambda number: FACTS)) == []
    stub = student[7]
    assert "YOUR CODE HERE" in stub
    for wrong in (
        stub + "\n    return 3",
        stub.replace("twice x", "thrice x"),
        "\n".join(reversed(stub.split("\n")[:2])),
        student[10],
    ):
        draft = Draft(chapter, (*student[:7], wrong, *student[8:]))
        problems = list(gate_stub_is_subset(draft))
        assert [p.gate for p in problems] == ["stub-is-subset"]
        assert "cell 8 (98-double)" in problems[0].message


def test_gates_ask_what_the_checks_know(tmp_path):
    write_mini(tmp_path)
    both = {"98.double": (), "98.total": ()}
    known = frozenset({"98.p1"})
    assert {p.gate for p in check(tmp_path, None)} == {"exercise-lists", "predictions"}
    (problem,) = check(tmp_path, Facts({"98.double": ()}, known))
    assert "add it to EXERCISES" in problem.message
    (problem,) = check(tmp_path, Facts({**both, "98.more": ()}, known))
    assert "'98.more' that no cell has" in problem.message
    (problem,) = check(tmp_path, Facts(both, known | {"98.p2"}))
    assert "no cell asks it" in problem.message
    leak = {"98.double": ("Ask yourself", "try `running = running+x`"), "98.total": ()}
    (problem,) = check(tmp_path, Facts(leak, known))
    assert problem.gate == "no-leak" and "hint 2 of 98.double" in problem.message


def test_gate_fresh_build(tmp_path):
    write_mini(tmp_path)
    (problem, edition) = build_all(tmp_path, check=True, load=lambda number: FACTS).problems
    assert "not built" in problem.message and edition.gate == "edition"
    build_all(tmp_path)
    notebook = nbformat.read(tmp_path / COURSE_FILE, as_version=4)
    notebook.cells[6].source += "more"
    nbformat.write(notebook, tmp_path / COURSE_FILE)
    (problem,) = build_all(tmp_path, check=True, load=lambda number: FACTS).problems
    assert problem.gate == "fresh-build" and "first about cell 7" in problem.message
    fresh = build_notebook(tmp_path / "solutions/98_twice.py")
    (tmp_path / COURSE_FILE).write_text(fresh[:-1])
    (problem,) = build_all(tmp_path, check=True, load=lambda number: FACTS).problems
    assert problem.gate == "fresh-build", "one missing newline at the end is a difference"


@pytest.mark.parametrize("text", ["{", "[]", '{"edition": "class"}'])
def test_gate_edition(tmp_path, text):
    write_mini(tmp_path)
    (tmp_path / "course").mkdir()
    (tmp_path / "course/course.json").write_text(text)
    assert [p.gate for p in build_all(tmp_path).problems] == ["edition"]


# ---------------------------------------------------------------- sources that are no chapters


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("lightcourse: {", "lightcurse: {", "has no 'lightcourse:' line"),
        ("minutes: 5, ", "minutes: 5: 6, ", "98_twice.py:5: the header is not YAML"),
        ('{"grade": false, "grade_id": "98-double"', '{grade: "98-double"', "is not JSON"),
        ("# %% [markdown]\n# ## Play", "# %% [raw]\n# ## Play", "is raw"),
        ("# ---\n# %% [m", "# ---\n1\n# %% [m", "begin the text before the first"),
        ("# really?", '"""\n# %% more\n"""', "indent '# %%' in strings"),
    ],
)
def test_unreadable_sources_say_where_and_why(tmp_path, old, new, words):
    path = write_mini(tmp_path, old, new)
    with pytest.raises(UserError) as caught:
        build_notebook(path)
    assert words in str(caught.value) and "98_twice.py" in str(caught.value)
    (problem,) = build_all(tmp_path).problems
    assert problem.gate == "build" and problem.file == "solutions/98_twice.py"


def test_missing_and_misnamed_sources(tmp_path):
    with pytest.raises(UserError, match="not there"):
        build_notebook(tmp_path / "solutions/97_gone.py")
    with pytest.raises(UserError, match="checkout"):
        find_chapters(tmp_path)
    write_mini(tmp_path)
    (tmp_path / "solutions/97_latin.py").write_bytes(b"# \xff")
    with pytest.raises(UserError, match="not UTF-8"):
        build_notebook(tmp_path / "solutions/97_latin.py")
    (tmp_path / "solutions/Chapter3.py").write_text(TEXT)
    with pytest.raises(UserError, match="NN_name"):
        build_all(tmp_path)


def test_a_structural_problem_names_file_line_and_gate(tmp_path):
    path = write_mini(tmp_path, '"points": 2, ', "")
    line = 1 + next(i for i, t in enumerate(path.read_text().splitlines()) if "double-check" in t)
    with pytest.raises(UserError, match=rf"solutions/98_twice.py:{line}: .*points.*\[points\]"):
        build_notebook(path)


# ---------------------------------------------------------------- the command


def say(root, *chapters, **options):
    console = Console(record=True, width=300, file=io.StringIO())
    code = run_build(chapters, root=root, console=console, **options)
    return code, console.export_text()


def test_command_exit_codes_and_words(tmp_path):
    write_mini(tmp_path)
    code, text = say(tmp_path)
    assert code == 0 and f"wrote   {COURSE_FILE}" in text
    assert say(tmp_path) == (0, "Nothing to do.\n")
    code, text = say(tmp_path, check=True)  # the course has no checks for chapter 98
    assert code == 1 and "lightcourse/checks/chapters/ch98.py" in text and "3 problems." in text
    with pytest.raises(UserError, match="No chapter is called '42': there are 98_twice"):
        say(tmp_path, "42")


@pytest.mark.parametrize("name", ["98", "98_twice", "solutions/98_twice.py"])
def test_command_takes_numbers_names_and_paths(tmp_path, name):
    write_mini(tmp_path)
    code, text = say(tmp_path, name)
    assert code == 0 and text == f"wrote   {COURSE_FILE}\n", "course.json is no chapter"


def test_command_finds_the_root_and_says_so_where_there_is_none(tmp_path, monkeypatch):
    write_mini(tmp_path)
    inside = tmp_path / "solutions"
    monkeypatch.chdir(inside)
    assert say(None)[0] == 0 and (tmp_path / COURSE_FILE).exists()
    elsewhere = tmp_path.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    monkeypatch.chdir(elsewhere)
    with pytest.raises(UserError, match="no solutions/ folder at or above"):
        say(None)


def test_command_executes(tmp_path):
    write_mini(tmp_path)
    code, text = say(tmp_path, execute=True)
    assert code == 0 and "✓ 98_twice: " in text and "peak" in text
    write_mini(tmp_path, "x + x", "x * 3")
    code, text = say(tmp_path, execute=True)
    assert code == 1 and "✗ 98_twice" in text and "(98-double-check): Wrong: " in text


def test_command_fails_a_chapter_over_its_budget(tmp_path):
    write_mini(tmp_path, "budget_seconds: 10", "budget_seconds: 0.01")
    code, text = say(tmp_path, execute=True)
    assert code == 1 and "over its budget of 0.01 s" in text


def test_command_without_the_teaching_tools_says_what_to_install(tmp_path, monkeypatch):
    write_mini(tmp_path)
    monkeypatch.setitem(sys.modules, "jupytext", None)
    with pytest.raises(UserError, match=r"building needs jupytext; pip install .*teach"):
        say(tmp_path)


# ---------------------------------------------------------------- hostile texts


def test_garbled_sources_never_escape_as_tracebacks(tmp_path):
    """Cut, doubled and shuffled sources: each ends in Problems or a notebook, nothing else."""
    rng = random.Random(0)
    lines = TEXT.splitlines(keepends=True)
    path = write_mini(tmp_path)
    for _ in range(40):
        garbled = list(lines)
        for _ in range(rng.randint(1, 4)):
            i, j = sorted(rng.sample(range(len(garbled)), 2))
            garbled[i:j] = rng.choice([[], garbled[i:j][::-1], garbled[i:j] * 2])
            if len(garbled) < 2:
                break
        path.write_text("".join(garbled), encoding="utf-8")
        report = build_all(tmp_path, check=True, load=lambda number: FACTS)
        assert report.problems, "a garbled source passed every gate"
