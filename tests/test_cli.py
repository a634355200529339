"""The command line, command by command, in temporary folders; the run folder holds what it should and nothing else."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from gmcourse import checkpoint
from gmcourse.catalogue import CATALOGUE
from gmcourse.cli import main, runs
from gmcourse.data import KEYS
from gmcourse.gan import GAN
from gmcourse.vae import GaussianVAE

DATA = ("--data", "binarized-digits")
TRAIN = ("train", "gaussian-vae", *DATA, "--steps", "30", "--batch-size", "32")
FOLDER = "runs/gaussian-vae-binarized-digits"
FILES = ["checkpoint.pt", "checkpoint.pt.previous", "history.json", "run.json", "weights.safetensors"]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "EVERY", 10)


@pytest.fixture
def run(tmp_path):
    assert main(TRAIN) == 0
    return tmp_path / FOLDER


@pytest.fixture
def interrupt(monkeypatch):
    """Ctrl-C at a step."""

    def at(step, error=KeyboardInterrupt):
        calls = iter(range(10**6))
        whole = GaussianVAE.loss

        def loss(self, x):
            if next(calls) == step:
                raise error
            return whole(self, x)

        monkeypatch.setattr(GaussianVAE, "loss", loss)
        return lambda: monkeypatch.setattr(GaussianVAE, "loss", whole)

    return at


def results_of(run):
    return [(run / name).read_bytes() for name in ("weights.safetensors", "history.json")]


def measured(run):
    """The last evaluation's numbers by name."""
    rows = json.loads((run / "run.json").read_text())["evaluations"][-1]["results"]
    return {row["quantity"]: row["value"] for row in rows if "value" in row}


def failure(capsys, *command):
    """Exit status and the one line on stderr."""
    status = main(command)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("gmcourse: ")
    return status, lines[0]


def test_models_lists_the_catalogue(capsys):
    assert main(["models"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["KEY", "NAME", "FAMILY", "DENSITY", "YEAR", "LESSON", "PAPER"]
    assert [row.split()[0] for row in rows] == [record.key for record in CATALOGUE]
    assert "04_vae/01_evidence_lower_bound" in rows[0]


def test_data_lists_the_sets_and_loads_none(capsys, monkeypatch):
    monkeypatch.setattr("gmcourse.data.load", None)
    assert main(["data"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows] == list(KEYS)
    assert {row.split()[1] for row in rows} == {"embedded", "toy", "download"}
    assert len({row.index(row.split()[1]) for row in rows}) == 1


def test_data_of_one_key_tells_its_shapes(capsys):
    assert main(["data", "digits"]) == 0
    out = capsys.readouterr().out
    assert "train 1,257" in out
    assert "(1, 8, 8)" in out


def test_train_writes_the_run_folder(run):
    assert sorted(p.name for p in run.iterdir()) == FILES
    info = json.loads((run / "run.json").read_text())
    expected = {"model": "gaussian-vae", "data": "binarized-digits", "steps": 30, "batch_size": 32, "seed": 0}
    assert info | expected == info
    assert len(json.loads((run / "history.json").read_text())["loss"]) == 30
    state = checkpoint.load(run / "checkpoint.pt")["model"]
    weights = load_file(run / "weights.safetensors")
    assert all(torch.equal(weights[name], state[name]) for name in state)


def test_train_ends_with_the_bound_on_valid(capsys):
    assert main(TRAIN) == 0
    out = capsys.readouterr().out
    assert "valid, 180 examples" in out
    assert "-ELBO" in out
    assert "a bound" in out


def test_equal_seeds_equal_runs(run, tmp_path):
    torch.manual_seed(5)
    assert main([*TRAIN, "--run", "again"]) == 0
    assert main([*TRAIN, "--run", "other", "--seed", "1"]) == 0
    assert results_of(run) == results_of(tmp_path / "again")
    assert all(a != b for a, b in zip(results_of(run), results_of(tmp_path / "other")))


def test_flags_and_schedule(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(runs, "fit", lambda *args, steps, lr, **_: seen.append((steps, lr)) or {"loss": [0.0] * steps})
    assert main([*TRAIN, "--run", "a"]) == 0
    assert main([*TRAIN, "--run", "b", "--lr", "0.5"]) == 0
    (steps, schedule), (_, constant) = seen
    assert (steps, constant) == (30, 0.5)
    recipe = CATALOGUE[0].recipe()
    assert schedule(0) == recipe["lr"](0)
    assert schedule(15) == pytest.approx(recipe["lr"](recipe["steps"] / 2))
    assert schedule(29) == pytest.approx(recipe["lr"](recipe["steps"] * 29 / 30))
    assert json.loads((tmp_path / "b/run.json").read_text())["lr"] == 0.5


def test_an_existing_run_is_refused_and_left_alone(run, capsys):
    before = results_of(run)
    status, line = failure(capsys, *TRAIN, "--seed", "3")
    assert status == 2
    assert "--resume" in line
    assert results_of(run) == before


@pytest.mark.parametrize("step", [4, 10, 17, 29])
def test_ctrl_c_leaves_a_whole_checkpoint_and_resume_goes_on_bit_for_bit(step, run, tmp_path, interrupt, capsys):
    end = interrupt(step)
    with pytest.raises(SystemExit) as stop:
        main([*TRAIN, "--run", "broken"])
    assert stop.value.code == 130
    out = capsys.readouterr().out
    assert f"interrupted after {step} of 30 steps" in out
    command = out.splitlines()[-1].removeprefix("go on with: gmcourse ").split()
    assert command == ["train", "gaussian-vae", *DATA, "--run", "broken", "--resume"]
    assert not (tmp_path / "broken/weights.safetensors").exists()
    if step >= 10:
        checkpoint.load("broken/checkpoint.pt")
    end()
    assert main(command) == 0
    assert results_of(tmp_path / "broken") == results_of(run)
    assert sorted(p.name for p in (tmp_path / "broken").iterdir()) == FILES


def test_resume_of_a_finished_run_changes_nothing(run):
    before = results_of(run)
    assert main(["train", "gaussian-vae", *DATA, "--resume"]) == 0
    assert results_of(run) == before


@pytest.mark.parametrize("flags", [("--seed", "3"), ("--steps", "31"), ("--lr", "0.1"), ("--batch-size", "33")])
def test_resume_with_other_settings_is_refused(run, capsys, flags):
    status, line = failure(capsys, "train", "gaussian-vae", *DATA, "--resume", *flags)
    assert status == 2
    assert flags[0][2:].replace("-", "_") in line
    assert "was started with" in line


def test_resume_of_another_data_set_is_refused(run, capsys):
    status, line = failure(capsys, "train", "gaussian-vae", "--data", "digits", "--run", str(run), "--resume")
    assert status == 2
    assert "binarized-digits" in line


def test_nothing_to_resume(capsys):
    status, line = failure(capsys, *TRAIN, "--resume")
    assert status == 1
    assert "no run.json" in line


def test_a_damaged_checkpoint_is_named(run, capsys):
    (run / "checkpoint.pt").write_bytes(b"damaged")
    status, line = failure(capsys, *TRAIN, "--resume")
    assert status == 2
    assert "truncated or altered" in line
    assert "checkpoint.pt.previous" in line


def test_a_loss_that_is_not_finite_is_one_line(interrupt, capsys):
    interrupt(3, FloatingPointError("loss is nan at step 3"))
    assert failure(capsys, *TRAIN) == (1, "gmcourse: loss is nan at step 3")


@pytest.mark.parametrize(
    "command, close",
    [
        (("train", "gausian-vae", *DATA), "gaussian-vae"),
        (("train", "gaussian-vae", "--data", "binarised-digits"), "binarized-digits"),
        (("train", "gaussian-vae", "--data", "minst"), "mnist"),
        (("data", "digit"), "digits"),
    ],
)
def test_a_misspelt_key_draws_close_matches(capsys, tmp_path, command, close):
    status, line = failure(capsys, *command)
    assert status == 2
    assert "did you mean" in line
    assert close in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["trian"], [], ["train", "gaussian-vae"], ["train", "gaussian-vae", "--data"]])
def test_a_misspelt_command_exits_with_two(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags, message",
    [
        (("--device", "cuda:99"), "device: got 'cuda:99'"),
        (("--device", "gpu"), "device: got 'gpu'"),
        (("--batch-size", "9999"), "batch_size: got 9999, expected 1 to 1257"),
        (("--steps", "-3"), "steps"),
        (("--lr", "-1"), "lr: got -1"),
    ],
)
def test_bad_flags_are_one_line(capsys, flags, message):
    status, line = failure(capsys, *TRAIN, *flags)
    assert status == 2
    assert message in line


def test_data_that_the_model_cannot_take(capsys):
    status, line = failure(capsys, "train", "gaussian-vae", "--data", "python-docs")
    assert status == 2
    assert "gaussian-vae cannot be trained on python-docs" in line


def test_data_that_is_not_to_be_had(capsys, monkeypatch):
    from gmcourse.data import DataUnavailable

    def unavailable(key):
        raise DataUnavailable("mnist: not to be had;\n'digits' needs no network")

    monkeypatch.setattr("gmcourse.data.load", unavailable)
    status, line = failure(capsys, "train", "gaussian-vae", "--data", "mnist")
    assert status == 1
    assert line == "gmcourse: mnist: not to be had; 'digits' needs no network"


def test_sample_writes_arrays(run, capsys):
    for name, flags in (("a", ()), ("b", ()), ("c", ("--seed", "1")), ("d", ("--mean",))):
        assert main(["sample", str(run), "--n", "7", "--out", f"{name}.npy", *flags]) == 0
    a, b, c, d = (np.load(f"{name}.npy") for name in "abcd")
    assert a.shape == (7, 1, 8, 8)
    assert (a == b).all()
    assert (a != c).any()
    assert set(np.unique(a)) <= {0.0, 1.0}
    assert len(np.unique(d)) > 2
    assert "7 samples of gaussian-vae on binarized-digits written to a.npy" in capsys.readouterr().out


def test_sample_writes_pictures(run, tmp_path):
    from PIL import Image

    assert main(["sample", str(run), "--n", "9"]) == 0
    picture = Image.open("samples.png")
    assert min(picture.size) > 100
    assert sorted(p.name for p in tmp_path.iterdir()) == ["runs", "samples.png"]


def test_sample_of_points(tmp_path):
    assert main(["train", "gaussian-vae", "--data", "ring-of-8", "--steps", "3"]) == 0
    assert main(["sample", "runs/gaussian-vae-ring-of-8", "--out", "points.png"]) == 0
    assert (tmp_path / "points.png").stat().st_size > 1000


def test_sample_of_rows_makes_no_picture(capsys, tmp_path):
    assert main(["train", "gaussian-vae", "--data", "wine", "--steps", "3"]) == 0
    capsys.readouterr()
    status, line = failure(capsys, "sample", "runs/gaussian-vae-wine")
    assert status == 2
    assert "(64, 13) make no picture; name an .npy" in line
    assert not (tmp_path / "samples.png").exists()


@pytest.mark.parametrize("flags", [("--n", "0"), ("--out", "samples.gif")])
def test_sample_refuses(run, capsys, flags):
    capsys.readouterr()
    status, line = failure(capsys, "sample", str(run), *flags)
    assert status == 2
    assert "out, n: got" in line


def test_evaluate_measures_and_keeps(run, capsys):
    capsys.readouterr()
    assert main(["evaluate", str(run), "--split", "test", "--k", "20"]) == 0
    first = capsys.readouterr().out
    assert "test, 360 of 360 examples" in first
    bound, weighted, *fidelity = first.splitlines()[1:]
    assert [line.split()[0] for line in fidelity] == ["Fréchet", "of", "precision", "recall"]
    assert bound.split()[0] == "-ELBO"
    assert "a bound" in bound
    assert "k=20" in weighted
    assert "tighter bound" in weighted
    assert all("±" in line and "bits/dim" in line for line in (bound, weighted))
    assert main(["evaluate", str(run), "--split", "test", "--k", "20"]) == 0
    assert capsys.readouterr().out == first
    one, two = json.loads((run / "run.json").read_text())["evaluations"]
    assert one == two
    elbo, nll, *_ = one["results"]
    assert elbo["nats"] > nll["nats"] > 0
    assert elbo["bits_per_dim"] == pytest.approx(elbo["nats"] / 64 / np.log(2))
    assert sorted(p.name for p in run.iterdir()) == FILES


def test_evaluate_takes_a_random_selection(run, capsys):
    capsys.readouterr()
    assert main(["evaluate", str(run), "--limit", "50", "--k", "2"]) == 0
    assert "valid, 50 of 180 examples" in capsys.readouterr().out


def test_evaluate_of_a_continuous_set_has_no_bits_and_names_the_entropy(capsys):
    assert main(["train", "gaussian-vae", "--data", "ring-of-8", "--steps", "3"]) == 0
    out = capsys.readouterr().out
    assert "bits/dim" not in out
    assert "entropy" in out
    assert "0.312" in out


@pytest.mark.parametrize("flags", [("--k", "0"), ("--limit", "0")])
def test_evaluate_refuses(run, capsys, flags):
    capsys.readouterr()
    status, line = failure(capsys, "evaluate", str(run), *flags)
    assert status == 2
    assert "k, limit: got" in line


@pytest.mark.parametrize("command", ["sample", "evaluate"])
def test_a_folder_without_a_finished_run(command, tmp_path, capsys, interrupt):
    status, line = failure(capsys, command, "nowhere")
    assert status == 1
    assert "no run.json in nowhere" in line
    interrupt(5)
    with pytest.raises(SystemExit):
        main(TRAIN)
    capsys.readouterr()
    status, line = failure(capsys, command, FOLDER)
    assert status == 1
    assert f"go on with: gmcourse train gaussian-vae --data binarized-digits --run {FOLDER} --resume" in line


def test_help_loads_nothing_heavy():
    code = "import sys, gmcourse.cli; print([m for m in ('torch', 'numpy', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_python_dash_m_lists_the_models_without_plots_or_notebooks():
    code = (
        "import sys, runpy; sys.argv = ['gmcourse', 'models']\n"
        "try: runpy.run_module('gmcourse', run_name='__main__')\n"
        "except SystemExit as stop: assert not stop.code\n"
        "print([m for m in ('matplotlib', 'sklearn', 'scipy.stats', 'IPython', 'ipywidgets') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "gaussian-vae" in out
    assert out.splitlines()[-1] == "[]"


def test_a_gan_is_trained_in_turns_and_measured_by_its_samples(tmp_path, capsys):
    assert main(("train", "gan", "--data", "ring-of-8", "--steps", "20", "--batch-size", "32")) == 0
    run = tmp_path / "runs/gan-ring-of-8"
    history = json.loads((run / "history.json").read_text())
    assert {name: len(values) for name, values in history.items()} == {"critic_loss": 20, "generator_loss": 20}
    assert main(("evaluate", str(run))) == 0
    said = capsys.readouterr().out
    assert "this model knows nothing of log p(x)" in said
    quality, found = (measured(run)[name] for name in ("quality", "modes"))
    assert 0 <= quality <= 1
    assert 0 <= found <= 8
    assert f"{quality:.3f}" in said


def test_an_interrupted_gan_goes_on_bit_for_bit(tmp_path, monkeypatch):
    command = ("train", "lsgan", "--data", "ring-of-8", "--steps", "30", "--batch-size", "32", "--run")
    assert main((*command, "whole")) == 0
    seen = []

    def stopping(self, real, loss=GAN.generator_loss):
        seen.append(1)
        if len(seen) == 17:
            raise KeyboardInterrupt
        return loss(self, real)

    with monkeypatch.context() as patch:
        patch.setattr(GAN, "generator_loss", stopping)
        with pytest.raises(SystemExit) as stop:
            main((*command, "part"))
    assert stop.value.code == 130
    assert main((*command, "part", "--resume")) == 0
    whole, part = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "part"))
    assert all(torch.equal(whole[name], part[name]) for name in whole)


def test_samples_of_images_are_measured_beside_data(tmp_path, capsys):
    assert main(("train", "dcgan", "--data", "digits", "--steps", "10", "--run", "dcgan")) == 0
    assert main(("evaluate", "dcgan", "--limit", "150")) == 0
    values = measured(tmp_path / "dcgan")
    assert values["Fréchet"] > 3 * values["  of train"] > 0
    assert 0 <= values["precision"] <= 1
    assert 0 <= values["recall"] <= 1
    assert "data against data" in capsys.readouterr().out


def test_nothing_is_sampled_where_nothing_is_measured(tmp_path, monkeypatch):
    assert main(("train", "gan", "--data", "two-moons", "--steps", "3", "--batch-size", "32", "--run", "gan")) == 0
    monkeypatch.setattr(GAN, "sample", lambda *_, **__: pytest.fail("sampled in vain"))
    assert main(("evaluate", "gan")) == 0
    assert measured(tmp_path / "gan") == {}
