"""For all tests: one thread each, as three workers share two cores, and a progress file apart."""

import os
import tempfile
from itertools import zip_longest
from typing import Any

import pytest

# before anybody imports torch; fresh kernels and commands started by tests inherit it
os.environ["OMP_NUM_THREADS"] = "1"


def group(nodeid: str) -> str:
    """What one worker runs together: a file, or a chapter; wrong answers share nothing."""
    file, _, rest = nodeid.partition("::")
    if "wrong_answers/" in file:
        return nodeid
    chapter = file.endswith("notebooks/test_chapters.py") and "[" in rest
    return f"{file} {rest.partition('[')[2]}" if chapter else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give pytest-xdist our groups (its own marks are lost with pytest 9.2)."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return ByGroup(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the long files go first, and wrong answers last: they fill up whoever is free.

    A browser mostly waits and a chapter mostly computes, so that the two take turns in the queue.
    """
    names = list(dict.fromkeys(group(item.nodeid) for item in items))
    waiting = [name for name in names if "/browser/" in name]
    busy = [name for name in names if "/notebooks/" in name or "test_nbgrader" in name]
    turns = [name for pair in zip_longest(busy, waiting) for name in pair if name]
    places = {name: place for place, name in enumerate(turns)}
    items.sort(key=lambda item: places.get(group(item.nodeid), len(turns)))  # stable


@pytest.fixture(scope="session", autouse=True)
def own_progress():
    """Keep the progress of whoever runs the tests out of them."""
    before = os.environ.get("LIGHTCOURSE_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LIGHTCOURSE_HOME"] = folder
        yield
    if before is None:
        del os.environ["LIGHTCOURSE_HOME"]
    else:
        os.environ["LIGHTCOURSE_HOME"] = before
