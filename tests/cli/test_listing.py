"""`gmcourse models` and `gmcourse data`: what there is, what suits what, in a hundred columns."""

import json
import subprocess
import sys

import numpy as np
import pytest

from gmcourse.catalogue import CATALOGUE
from gmcourse.data import KEYS, describe


def keys(out):
    head, *rows, hint = out.splitlines()
    assert head.startswith("KEY ")
    assert hint.startswith("`gmcourse ")
    return [row.split()[0] for row in rows]


@pytest.mark.parametrize(
    "command",
    [
        ("models",),
        ("data",),
        ("data", "--model", "glow"),
        ("models", "--data", "wine"),
        *(("models", r.key) for r in CATALOGUE),
    ],
)
def test_no_line_is_longer_than_a_hundred_columns(printed, command):
    assert max(map(len, printed(*command).splitlines())) <= 100


def test_models_lists_the_catalogue_with_what_it_suits(printed):
    out = printed("models")
    assert keys(out) == [record.key for record in CATALOGUE]
    for record, line in zip(CATALOGUE, out.splitlines()[1:]):
        assert line.endswith(str(record.suits))
        assert record.density in line


def test_data_lists_the_sets_with_shapes_and_loads_none(printed, monkeypatch):
    monkeypatch.setattr("gmcourse.data.load", None)
    out = printed("data")
    assert keys(out) == list(KEYS)
    line = next(line for line in out.splitlines() if line.startswith("mnist "))
    assert line.split() == "mnist download 1 × 28 × 28 float32 50,000 10,000 10,000 CC BY-SA 3.0".split()


@pytest.mark.parametrize("key", ["wine", "digits", "two-moons", "coloured-digits"])
def test_models_that_suit_a_data_set(printed, monkeypatch, key):
    monkeypatch.setattr("gmcourse.data.load", None)
    entry = describe(key)
    fitting = [record.key for record in CATALOGUE if record.suits(entry.event_shape, entry.dtype)]
    assert keys(printed("models", "--data", key)) == fitting
    assert 0 < len(fitting) < len(CATALOGUE)


def test_models_that_suit_a_file(printed):
    np.save("rows.npy", np.random.default_rng(0).normal(size=(20, 4)))
    assert keys(printed("models", "--data", "rows.npy")) == keys(printed("models", "--data", "wine"))


def test_data_that_suits_a_model(printed):
    fitting = keys(printed("data", "--model", "glow"))
    assert "digits" in fitting
    assert "wine" not in fitting


def test_one_model_at_length(printed):
    out = printed("models", "maf")
    assert all(said in out for said in ("papamakarios2017", "arXiv:1705.07057", "06_flows/05_", "exact"))
    assert "breast-cancer" in out


def test_a_paper_without_an_arxiv_number_has_no_link(printed):
    out = printed("models", "histogram")
    assert "scott1979 (1979)" in out
    assert "arXiv" not in out


def test_one_data_set_tells_its_shapes_and_its_models(printed):
    out = printed("data", "digits")
    assert "train 1,257" in out
    assert "(1, 8, 8)" in out
    assert "glow" in out
    assert "realnvp" not in out


def test_data_that_no_model_suits_is_one_line(failure, tmp_path):
    np.save(tmp_path / "odd.npy", np.random.default_rng(0).random((20, 2, 3, 2, 3, 2), dtype=np.float32))
    status, line = failure("models", "--data", str(tmp_path / "odd.npy"))
    assert status == 2
    assert "odd.npy, float32 of shape (2, 3, 2, 3, 2), yet" in line


@pytest.mark.parametrize(
    "command, close",
    [
        (("train", "gausian-vae", "--data", "digits"), "gaussian-vae"),
        (("train", "gaussian-vae", "--data", "binarised-digits"), "binarized-digits"),
        (("train", "gaussian-vae", "--data", "minst"), "mnist"),
        (("data", "digit"), "digits"),
        (("models", "rmaf"), "maf"),
        (("data", "--model", "glowy"), "glow"),
    ],
)
def test_a_misspelt_key_draws_close_matches(failure, tmp_path, command, close):
    status, line = failure(*command)
    assert status == 2
    assert "did you mean" in line
    assert close in line
    assert list(tmp_path.iterdir()) == []


def loaded_by(command):
    """What a command has imported, of what is heavy, in a process of its own."""
    code = (
        f"import sys, runpy; sys.argv = {['gmcourse', *command]}\n"
        "try: runpy.run_module('gmcourse', run_name='__main__')\n"
        "except SystemExit as stop: assert not stop.code\n"
        "heavy = ('torch', 'matplotlib', 'sklearn', 'scipy.stats', 'IPython', 'ipywidgets', 'anywidget')\n"
        "print(__import__('json').dumps([m for m in heavy if m in sys.modules]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout.splitlines()[-1]))


def test_help_loads_nothing_heavy():
    code = "import sys, gmcourse.cli; print([m for m in ('torch', 'numpy', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_python_dash_m_lists_the_models_without_plots_or_notebooks():
    assert loaded_by(["models"]) == {"torch"}


def test_a_picture_needs_no_notebook(run):
    assert not loaded_by(["sample", str(run), "--n", "4"]) & {"IPython", "ipywidgets", "anywidget"}
