"""One thread, no progress bars, the same draws in every run."""

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TQDM_DISABLE"] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")

import hypothesis
import pytest
import torch

torch.set_num_threads(1)
hypothesis.settings.register_profile("gmcourse", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("gmcourse")


@pytest.fixture(autouse=True)
def seed():
    """torch's global state, the same at the start of every test."""
    torch.manual_seed(0)


@pytest.fixture
def course_style():
    """Matplotlib in the course's look, and as it was afterwards."""
    import matplotlib as mpl

    from gmcourse import show

    with mpl.rc_context():
        mpl.use("agg")
        show.use_style()
        yield
