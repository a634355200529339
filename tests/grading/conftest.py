"""Tests that run what students wrote need a sandbox; those across two pipes need a system that has forks."""

import os

import pytest
from filelock import FileLock

collect_ignore = [] if os.name == "posix" else ["test_attacks.py", "test_boundary.py", "test_corpus.py"]


@pytest.fixture(scope="session")
def sandbox():
    """The sandbox that `gmcourse grade` finds here."""
    from gmcourse.grading.sandbox import find_sandbox

    try:
        return find_sandbox()
    except ValueError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """A function that fills a folder, named, by `work(folder)`: once for all processes of a run of pytest."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def filled(name, work):
        root = base / name
        with FileLock(base / f"{name}.lock"):
            if not root.exists():
                root.mkdir()
                work(root)
        return root

    return filled
