"""Tests that run what students wrote need a sandbox; those across two pipes need a system that has forks."""

import os

import pytest

collect_ignore = [] if os.name == "posix" else ["test_attacks.py", "test_boundary.py", "test_corpus.py"]


@pytest.fixture(scope="session")
def sandbox():
    """The sandbox that `gmcourse grade` finds here."""
    from gmcourse.grading.sandbox import find_sandbox

    try:
        return find_sandbox()
    except ValueError as error:
        pytest.skip(str(error))
