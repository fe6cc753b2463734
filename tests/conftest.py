"""For all tests: one thread each, as three workers share two cores, and a progress file apart."""

import os
import tempfile
from itertools import zip_longest

import pytest

# before anybody imports torch; fresh kernels and commands started by tests inherit it
os.environ["OMP_NUM_THREADS"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests on one worker, each chapter apart; the long files go first.

    A browser mostly waits and a chapter mostly computes, so that the two take turns in the queue.
    """
    groups = {}
    for item in items:
        name = item.path.as_posix()
        chapter = name.endswith("notebooks/test_chapters.py") and "[" in item.name
        groups[item] = f"{name} {item.name.partition('[')[2]}" if chapter else name
        item.add_marker(pytest.mark.xdist_group(groups[item]))
    names = list(dict.fromkeys(groups.values()))
    waiting = [name for name in names if "/browser/" in name]
    busy = [name for name in names if "/notebooks/" in name or "test_nbgrader" in name]
    turns = [name for pair in zip_longest(busy, waiting) for name in pair if name]
    places = {name: place for place, name in enumerate(turns)}
    items.sort(key=lambda item: places.get(groups[item], len(turns)))  # stable: files stay whole


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
