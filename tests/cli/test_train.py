"""`gmcourse train`: the run folder holds what it should; what is refused leaves nothing; Ctrl-C costs a few steps."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from gmcourse import checkpoint, runs
from gmcourse.catalogue import find
from gmcourse.cli import main
from gmcourse.data import load
from gmcourse.gan import GAN

DATA = ("--data", "binarized-digits")
TRAIN = ("train", "gaussian-vae", *DATA, "--steps", "30", "--batch-size", "32")
FOLDER = "runs/gaussian-vae-binarized-digits"
FILES = ["checkpoint.pt", "checkpoint.pt.previous", "history.json", "run.json", "weights.safetensors"]


def results_of(run):
    return [(run / name).read_bytes() for name in ("weights.safetensors", "history.json")]


def test_train_writes_the_run_folder(run):
    assert sorted(p.name for p in run.iterdir()) == FILES
    info = json.loads((run / "run.json").read_text())
    expected = {"model": "gaussian-vae", "data": "binarized-digits", "steps": 30, "batch_size": 32, "seed": 0}
    assert info | expected == info
    history = json.loads((run / "history.json").read_text())
    assert len(history["loss"]) == 30
    checkpoint.load(run / "checkpoint.pt")


def test_the_weights_that_were_best_on_valid_are_kept_and_said(printed, tmp_path):
    out = printed("train", "realnvp", "--data", "wine", "--steps", "60", "--lr", "0.01", "--run", "r")
    history = json.loads((tmp_path / "r/history.json").read_text())
    losses = history["valid_loss"]
    best = history["valid_step"][losses.index(min(losses))]
    assert best < 60
    assert f"kept: the weights of step {best} of 60, whose loss on valid was least" in out
    model, info, data = runs.load_run("r")
    assert info["best_step"] == best
    assert model.loss(data.valid).item() == pytest.approx(min(losses), rel=1e-5)


def test_train_ends_with_train_beside_valid_and_a_baseline(printed):
    out = printed(*TRAIN, "--steps", "31")
    assert "valid, 180 examples, beside as many of train:" in out
    bound, pixels = (next(line for line in out.splitlines() if f" {name} " in line) for name in ("-ELBO", "pixels"))
    assert bound.count("±") == pixels.count("±") == 2
    assert "a bound" in bound
    assert "independent pixels" in pixels


def test_equal_seeds_equal_runs(run, tmp_path):
    torch.manual_seed(5)
    assert main([*TRAIN, "--run", "again"]) == 0
    assert main([*TRAIN, "--run", "other", "--seed", "1"]) == 0
    assert results_of(run) == results_of(tmp_path / "again")
    assert all(a != b for a, b in zip(results_of(run), results_of(tmp_path / "other")))


def test_the_trial_before_training_changes_nothing(tmp_path):
    """What `gmcourse train` leaves is what `fit` leaves of the same model, though a loss was taken before."""
    from gmcourse.catalogue import find
    from gmcourse.training import fit

    assert main(("train", "glow", "--data", "digits", "--steps", "2", "--run", "r")) == 0
    digits, glow = load("digits"), find("glow")
    torch.manual_seed(0)
    model = glow.build(digits)
    recipe = glow.recipe(digits, steps=2)
    fit(model, (digits.train,), valid=(digits.valid,), every_valid=2 * 180 // recipe["batch_size"], **recipe)
    weights = load_file(tmp_path / "r/weights.safetensors")
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())


def test_flags_and_schedule(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(runs, "fit", lambda *args, steps, lr, **_: seen.append((steps, lr)) or {"loss": [0.0] * steps})
    assert main([*TRAIN, "--run", "a"]) == 0
    assert main([*TRAIN, "--run", "b", "--lr", "0.5"]) == 0
    (steps, schedule), (_, constant) = seen
    assert (steps, constant) == (30, 0.5)
    recipe = find("gaussian-vae").recipe()
    assert schedule(0) == recipe["lr"](0)
    assert schedule(15) == pytest.approx(recipe["lr"](recipe["steps"] / 2))
    assert schedule(29) == pytest.approx(recipe["lr"](recipe["steps"] * 29 / 30))
    assert json.loads((tmp_path / "b/run.json").read_text())["lr"] == 0.5


def test_an_existing_run_is_refused_and_left_alone(run, failure):
    before = results_of(run)
    status, line = failure(*TRAIN, "--seed", "3")
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
def test_resume_with_other_settings_is_refused(run, failure, flags):
    status, line = failure("train", "gaussian-vae", *DATA, "--resume", *flags)
    assert status == 2
    assert flags[0][2:].replace("-", "_") in line
    assert "was started with" in line


def test_resume_of_another_data_set_is_refused(run, failure):
    status, line = failure("train", "gaussian-vae", "--data", "digits", "--run", str(run), "--resume")
    assert status == 2
    assert "binarized-digits" in line


def test_nothing_to_resume(failure):
    status, line = failure(*TRAIN, "--resume")
    assert status == 1
    assert "no run.json" in line


def test_a_damaged_checkpoint_is_named(run, failure):
    (run / "checkpoint.pt").write_bytes(b"damaged")
    status, line = failure(*TRAIN, "--resume")
    assert status == 2
    assert "truncated or altered" in line
    assert "checkpoint.pt.previous" in line


REFUSED = [
    (("--device", "cuda:99"), "device: got 'cuda:99'"),
    (("--device", "gpu"), "device: got 'gpu', which this torch cannot use (it knows no such kind)"),
    (("--device", "meta"), "device: got 'meta', which this torch cannot use (it holds no values)"),
    (("--batch-size", "9999"), "batch_size: got 9999, expected 1 to 1257"),
    (("--batch-size", "0"), "batch_size: got 0, expected 1 to 1257"),
    (("--steps", "-3"), "steps: got -3, expected at least 1"),
    (("--steps", "0"), "steps: got 0, expected at least 1"),
    (("--lr", "-1"), "lr: got -1"),
    (("--lr", "nan"), "lr: got nan"),
    (("--lr", "inf"), "lr: got inf"),
    (("--seed", "99999999999999999999"), "seed: got 99999999999999999999, expected 0 to"),
    (("--seed", "-1"), "seed: got -1"),
]


@pytest.mark.parametrize("flags, message", REFUSED)
def test_what_is_refused_is_one_line_and_leaves_nothing(failure, tmp_path, flags, message):
    status, line = failure(*TRAIN, *flags)
    assert status == 2
    assert message in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "model, key",
    [
        ("gaussian-vae", "python-docs"),
        ("flow-matching", "python-docs"),
        ("glow", "wine"),
        ("maf", "bouncing-digits"),
        ("wgan-gp", "tones"),
        ("realnvp", "digits"),
    ],
)
def test_data_that_do_not_suit_are_one_line_that_says_what_does(failure, tmp_path, monkeypatch, model, key):
    monkeypatch.setattr("gmcourse.data.load", None)
    status, line = failure("train", model, "--data", key)
    assert status == 2
    assert line.startswith(f"gmcourse: data: {key} holds ")
    assert f"{model} is for " in line
    assert f"Models for {key}: " in line
    assert list(tmp_path.iterdir()) == []


def test_data_whose_loss_is_refused_leave_nothing(failure, tmp_path):
    np.save("levels.npy", np.random.default_rng(0).random((40, 1, 8, 8)).astype(np.float32))
    status, line = failure("train", "dcgan", "--data", "levels.npy", "--batch-size", "41")
    assert (status, "batch_size" in line) == (2, True)
    status, line = failure("train", "glow", "--data", "levels.npy")
    assert status == 2
    assert [path.name for path in tmp_path.iterdir()] == ["levels.npy"]


@pytest.mark.parametrize("step, left", [(3, False), (12, True)])
def test_a_run_that_fails_before_its_first_checkpoint_leaves_nothing(interrupt, failure, tmp_path, step, left):
    end = interrupt(step, FloatingPointError("loss is nan"))
    assert failure(*TRAIN) == (1, "gmcourse: loss is nan")
    assert (tmp_path / FOLDER / "run.json").exists() == left
    end()
    assert main((*TRAIN, "--resume") if left else TRAIN) == 0


def test_a_run_that_is_a_file(failure, tmp_path):
    (tmp_path / "file").write_text("")
    for resume in ((), ("--resume",)):
        assert failure(*TRAIN, "--run", "file", *resume) == (2, "gmcourse: run: file is a file, expected a folder")


def test_data_that_is_not_to_be_had(failure, monkeypatch, tmp_path):
    from gmcourse.data import DataUnavailable

    def unavailable(key):
        raise DataUnavailable("mnist: not to be had;\n'digits' needs no network")

    monkeypatch.setattr("gmcourse.data.load", unavailable)
    status, line = failure("train", "gaussian-vae", "--data", "mnist")
    assert status == 1
    assert line == "gmcourse: mnist: not to be had; 'digits' needs no network"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["trian"], [], ["train", "gaussian-vae"], ["train", "gaussian-vae", "--data"]])
def test_a_misspelt_command_exits_with_two(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_table_of_your_own_is_trained_on_and_evaluated(printed, tmp_path):
    rows = np.random.default_rng(0).normal(50, 9, (60, 3)) @ np.array([[1, 0.9, 0], [0, 1, 0], [0, 0, 1.0]])
    np.savetxt("mine.csv", rows, delimiter=",", header="a,b,c", comments="")
    assert "runs/realnvp-mine is complete" in printed("train", "realnvp", "--data", "mine.csv", "--steps", "5")
    info = json.loads((tmp_path / "runs/realnvp-mine/run.json").read_text())
    assert info["data"] == str(tmp_path / "mine.csv")
    out = printed("evaluate", "runs/realnvp-mine", "--split", "test")
    assert "realnvp on mine, test, 6 of 6 examples" in out
    assert "one Gaussian" in out


def test_a_gan_is_trained_in_turns_and_resumed_bit_for_bit(tmp_path, monkeypatch):
    command = ("train", "gan", "--data", "ring-of-8", "--steps", "20", "--batch-size", "32", "--run")
    assert main((*command, "whole")) == 0
    history = json.loads((tmp_path / "whole/history.json").read_text())
    assert {name: len(values) for name, values in history.items()} == {"critic_loss": 20, "generator_loss": 20}
    seen = []

    def stopping(self, real, loss=GAN.generator_loss):
        seen.append(1)
        if len(seen) == 18:  # the first is the trial's
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


def test_run_json_is_json(run):
    ran = subprocess.run([sys.executable, "-m", "json.tool", run / "run.json"], capture_output=True)
    assert ran.returncode == 0
