"""For all tests: one thread each, as two workers share two cores, and a progress file apart."""

import os
import tempfile

import pytest

# before anybody imports torch; fresh kernels and commands started by tests inherit it
os.environ["OMP_NUM_THREADS"] = "1"


# the longest files first, so that two workers end together; all others follow as they come
LONGEST = ("notebooks/test_chapters", "browser/test_jupyterlab", "test_nbgrader", "browser/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests on one worker, but let each chapter run where there is room."""
    places = {}
    for item in items:
        name = item.path.as_posix()
        group = name
        if name.endswith("notebooks/test_chapters.py") and "[" in item.name:
            group = f"{name} {item.name.partition('[')[2]}"
        item.add_marker(pytest.mark.xdist_group(group))
        places[item] = next((i for i, part in enumerate(LONGEST) if part in name), len(LONGEST))
    items.sort(key=places.__getitem__)  # a stable sort: within a file nothing moves


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
