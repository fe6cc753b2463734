"""For all tests: one thread each, as two workers share two cores, and a progress file apart."""

import os
import tempfile

import pytest

# before anybody imports torch; fresh kernels and commands started by tests inherit it
os.environ["OMP_NUM_THREADS"] = "1"


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
