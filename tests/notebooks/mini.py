"""A chapter of two exercises in plain Python: builds, grades and runs in seconds."""
# ruff: noqa: E501 - nbgrader headers stand on one line

from pathlib import Path

from lightcourse.authoring.gates import Facts

FACTS = Facts(
    hints={"98.double": ("Think of a number and itself.",), "98.total": ("Begin with zero.",)},
    predictions=frozenset({"98.p1"}),
)

HEADER = """\
# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
#   lightcourse: {chapter: "98", title: "Twice", question: "How much is twice?", minutes: 5, \
budget_seconds: 10, exercises: ["98.double", "98.total"]}
# ---
"""

# the first code cell stands in for lightcourse.checks, which would import torch
BODY = '''\
# %% [markdown]
# # 98 · Twice
#
# How much is twice (两倍)? Why?

# %%
from types import SimpleNamespace

ANSWERS = {"98.double": lambda f: f(3) == 6, "98.total": lambda f: f([1, 2]) == 3}


class Wrong(AssertionError):
    def _render_traceback_(self):
        return [str(self)]


def check(one, obj):
    if not ANSWERS[one](obj):
        raise Wrong(f"{one} is not right yet")
    return SimpleNamespace(passed=True)


def hidden_check(one, obj, *, seed):
    if obj(seed) != 2 * seed:
        raise Wrong(f"{one} is not right for other numbers")


def predict(one, answer):
    print(one, "noted")


reveal = print

# %% [markdown]
# ## Question

# %% [markdown]
# ## Predict: how much?

# %%
# really?
predict("98.p1", ...)

# %% [markdown]
# ## Play

# %% [markdown]
# ## Build
#
# ### Exercise 98.double: twice

# %% nbgrader={"grade": false, "grade_id": "98-double", "locked": false, "schema_version": 3, "solution": true, "task": false}
def double(x: int) -> int:
    """Return twice x."""
    ### BEGIN SOLUTION
    twice_as_much_as_before = x + x
    return twice_as_much_as_before
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "98-double-check", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("98.double", double)
### BEGIN HIDDEN TESTS
secret_seed = 21
hidden_check("98.double", double, seed=secret_seed)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 98.total: all of them

# %% nbgrader={"grade": false, "grade_id": "98-total", "locked": false, "schema_version": 3, "solution": true, "task": false}
def total(xs: list[int]) -> int:
    """Return the sum of xs."""
    ### BEGIN SOLUTION
    running = 0
    for x in xs:
        running = running + x
    return running
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "98-total-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("98.total", total)
### BEGIN HIDDEN TESTS
assert total([]) == 0, "wrong for no numbers"
### END HIDDEN TESTS

# %% [markdown]
# ## Measure

# %%
reveal("98.p1")

# %% [markdown]
# ## Meet the real thing

# %% [markdown]
# ## Explain
#
# Why is twice more?

# %% [markdown] nbgrader={"grade": true, "grade_id": "98-explain-1", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Because a positive number is added to itself. Two points for "positive", two for "added".
# ### END SOLUTION
'''
TEXT = HEADER + BODY


def write_mini(root: Path, old: str = "", new: str = "") -> Path:
    """Write the chapter below root/solutions, with one text replaced; the text must be there."""
    assert old in TEXT, old
    path = root / "solutions" / "98_twice.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TEXT.replace(old, new, 1) if old else TEXT, encoding="utf-8")
    return path
