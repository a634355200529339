"""`gmcourse evaluate`: what each number is, what it is held against, and what run.json keeps of it."""

import json

import numpy as np
import pytest
import torch

from gmcourse import runs
from gmcourse.cli import main
from gmcourse.data import load
from gmcourse.gan import GAN


def test_evaluate_measures_and_keeps(run, printed):
    first = printed("evaluate", str(run), "--split", "test", "--k", "20", "--limit", "100")
    assert "test, 100 of 360 examples" in first
    assert printed("evaluate", str(run), "--split", "test", "--k", "20", "--limit", "100") == first
    one, two = json.loads((run / "run.json").read_text())["evaluations"]
    assert one == two
    elbo, nll, pixels, frechet, precision, recall = one["results"]
    assert [row["quantity"] for row in (elbo, nll, pixels)] == ["-ELBO", "NLL, k=20", "independent pixels"]
    assert {row["measures"] for row in (elbo, nll, pixels)} == {"probability"}
    assert elbo["nats"] > nll["nats"] > 0
    assert all(row["bits_per_dim"] == pytest.approx(row["nats"] / 64 / np.log(2)) for row in (elbo, nll, pixels))
    assert [row["quantity"] for row in (frechet, precision, recall)] == ["Fréchet", "precision", "recall"]
    assert [row["n"] for row in (frechet, precision, recall)] == [100] * 3
    assert "a classifier of handwritten DIGITS" in first
    assert "never taught" not in first


def test_a_density_of_discrete_data_has_no_bits_and_a_warning(printed, measured, tmp_path):
    out = printed("train", "maf", "--data", "digits", "--steps", "2", "--run", "maf")
    assert "bits/dim  " not in out
    assert "density NLL" in out
    assert "Warning: 64 of 64 coordinates of Handwritten digits, 8×8 take few values" in out
    printed("evaluate", "maf", "--limit", "80")
    rows = measured(tmp_path / "maf")
    assert all("bits_per_dim" not in row for row in rows.values())
    assert rows["clamped"]["value"] > 0.1


def test_two_kinds_never_share_a_label(printed, measured, tmp_path):
    printed("train", "gaussian-vae", "--data", "digits", "--steps", "2", "--run", "density")
    printed("train", "glow", "--data", "digits", "--steps", "1", "--run", "probability")
    for name in ("density", "probability"):
        printed("evaluate", name, "--limit", "5", "--k", "2")
    of = {name: measured(tmp_path / name) for name in ("density", "probability")}
    labels = [{label for label, row in rows.items() if "nats" in row} for rows in of.values()]
    assert not labels[0] & labels[1]
    assert "bits_per_dim" in of["probability"]["-ELBO"]
    assert "bits_per_dim" not in of["density"]["density -ELBO"]


def test_a_density_is_held_against_one_gaussian(printed, measured, tmp_path):
    """Against torch's own multivariate normal with the covariance of train."""
    printed("train", "nice", "--data", "wine", "--steps", "1", "--run", "r")
    out = printed("evaluate", "r", "--split", "test")
    assert "Densities, differential: an NLL depends on the scale of x" in out
    assert "Warning" not in out
    wine = load("wine")
    train = wine.train.double()
    normal = torch.distributions.MultivariateNormal(train.mean(0), train.T.cov(correction=0))
    row = measured(tmp_path / "r")["one Gaussian"]
    assert row["nats"] == pytest.approx(-normal.log_prob(wine.test.double()).mean().item())
    assert row["train_nats"] != row["nats"]


def test_independent_pixels_reach_the_known_value(run, measured, printed):
    """25.34 nats with the counts of train and valid (see the data set's docstring); of train alone a little more."""
    printed("evaluate", str(run), "--split", "test", "--k", "1")
    digits = load("binarized-digits")
    ones = (digits.train.sum(0) + 1) / (len(digits.train) + 2)
    nll = -(digits.test * ones.log() + (1 - digits.test) * (1 - ones).log()).sum((1, 2, 3)).mean().item()
    assert measured(run)["independent pixels"]["nats"] == pytest.approx(nll, rel=1e-5)
    assert nll == pytest.approx(25.34, abs=0.1)


def test_the_true_density_stands_on_the_same_rows(printed, measured, tmp_path):
    out = printed("train", "nice", "--data", "two-moons", "--steps", "1", "--run", "r")
    assert "entropy" not in out
    assert "true density" in printed("evaluate", "r", "--limit", "300", "--seed", "1")
    rows, moons = measured(tmp_path / "r"), load("two-moons")
    model = runs.load_run(tmp_path / "r").model
    order = torch.randperm(1000, generator=torch.Generator().manual_seed(1))[:300]
    true = -moons.density.log_prob(moons.valid[order])
    with torch.no_grad():
        gap = -model.log_prob(moons.valid[order]) - true
    assert rows["true density"]["nats"] == pytest.approx(true.mean().item(), rel=1e-5)
    assert rows["above the truth"]["nats"] == pytest.approx(gap.mean().item(), rel=1e-4)
    assert rows["above the truth"]["error"] == pytest.approx(gap.std().item() / 300**0.5, rel=1e-4)
    assert "at most" not in rows["above the truth"]["meaning"]


def test_above_a_bound_is_at_most(printed, measured, tmp_path):
    printed("train", "gaussian-vae", "--data", "ring-of-8", "--steps", "2", "--run", "r")
    printed("evaluate", "r", "--limit", "50", "--k", "2")
    assert "at most" in measured(tmp_path / "r")["above the truth"]["meaning"]


def test_modes_stand_beside_those_of_the_data(printed, measured, tmp_path):
    assert main(("train", "gan", "--data", "ring-of-8", "--steps", "20", "--batch-size", "32", "--run", "gan")) == 0
    out = printed("evaluate", "gan")
    assert "this model knows nothing of log p(x): only its samples are measured" in out
    rows = measured(tmp_path / "gan")
    assert set(rows) == {"modes", "quality"}
    assert rows["modes"]["floor"] == 8
    assert rows["quality"]["floor"] > 0.97
    assert 0 <= rows["quality"]["value"] < 0.9


@pytest.mark.parametrize("key", ["wine", "two-moons"])
def test_a_gan_on_rows_is_measured_by_distances_with_a_floor(printed, measured, tmp_path, key):
    assert main(("train", "gan", "--data", key, "--steps", "3", "--batch-size", "32", "--run", "gan")) == 0
    printed("evaluate", "gan", "--limit", "400")
    rows = measured(tmp_path / "gan")
    assert set(rows) == {"MMD²", "sliced W₁"}
    for row in rows.values():
        assert row["value"] > 1.5 * row["floor"]
        assert row["n"] == (17 if key == "wine" else 400)


def test_samples_of_images_are_measured_beside_data(printed, measured, tmp_path):
    assert main(("train", "dcgan", "--data", "digits", "--steps", "2", "--run", "dcgan")) == 0
    printed("evaluate", "dcgan", "--limit", "120")
    rows = measured(tmp_path / "dcgan")
    assert rows["Fréchet"]["value"] > 3 * rows["Fréchet"]["floor"] > 0
    assert all(0 <= rows[name][side] <= 1 for name in ("precision", "recall") for side in ("value", "floor"))
    assert "see recall" in rows["precision"]["meaning"]


@pytest.mark.parametrize("n, taken", [(64, False), (65, True)])
def test_a_singular_covariance_gives_no_distance(run, printed, measured, n, taken):
    out = printed("evaluate", str(run), "--limit", str(n), "--k", "1")
    assert (measured(run)["Fréchet"]["value"] is not None) == taken
    assert ("not taken: it needs more than 64 images" in out) != taken


def test_features_of_digits_are_named_for_other_images(printed):
    pixels = np.random.default_rng(0).integers(0, 2, (60, 8, 8)).astype(np.uint8) * 255
    np.save("mine.npy", pixels)
    assert main(("train", "gaussian-vae", "--data", "mine.npy", "--steps", "1", "--batch-size", "8")) == 0
    assert "mine may hold others, of which these features were never taught" in printed(
        "evaluate", "runs/gaussian-vae-mine", "--k", "1"
    )


def test_nothing_is_sampled_where_nothing_is_measured(monkeypatch):
    from gmcourse.flows.flow import Flow

    assert main(("train", "nice", "--data", "wine", "--steps", "1", "--run", "r")) == 0
    monkeypatch.setattr(Flow, "sample", lambda *_, **__: pytest.fail("sampled in vain"))
    assert main(("evaluate", "r")) == 0


def test_samples_that_are_not_finite_are_said(monkeypatch, printed, measured, tmp_path):
    assert main(("train", "gan", "--data", "wine", "--steps", "1", "--batch-size", "8", "--run", "gan")) == 0
    monkeypatch.setattr(GAN, "sample", lambda self, n, rng: torch.full((n, 13), torch.nan))
    assert "not finite" in printed("evaluate", "gan")
    assert measured(tmp_path / "gan")["not finite"]["value"] == 1


@pytest.mark.parametrize("flags", [("--k", "0"), ("--limit", "0")])
def test_evaluate_refuses(run, failure, flags):
    status, line = failure("evaluate", str(run), *flags)
    assert status == 2
    assert "k, limit: got" in line


def test_one_example_has_no_error_and_run_json_stays_json(run, printed):
    printed("evaluate", str(run), "--limit", "1", "--k", "2")

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    info = json.loads((run / "run.json").read_text(), parse_constant=refuse)
    assert info["evaluations"][-1]["results"][0]["error"] is None


def test_what_an_autoencoder_loses_is_measured_beside_the_mean(printed, measured, tmp_path):
    out = printed("train", "deep-autoencoder", "--data", "wine", "--steps", "40", "--run", "r")
    assert "valid, 17 examples, beside as many of train:" in out
    assert "\n  squared error        train" in out
    said = printed("evaluate", "r", "--split", "test")
    assert "knows nothing of log p(x): only what it loses is measured, it has no samples" in said
    rows, wine, model = measured(tmp_path / "r"), load("wine"), runs.load_run(tmp_path / "r").model
    errors = model.errors(wine.test).detach().double()
    assert rows["reconstruction"]["value"] == pytest.approx(errors.mean().item(), rel=1e-5)
    assert rows["reconstruction"]["error"] == pytest.approx(errors.std().item() / len(errors) ** 0.5, rel=1e-5)
    blank = (wine.test - wine.train.mean(0)).square().sum(1).mean().item()
    assert rows["mean of train"]["value"] == pytest.approx(blank, rel=1e-5)
    assert rows["reconstruction"]["value"] < 0.9 * blank


def test_a_model_that_codes_and_draws_is_measured_by_its_samples(printed, measured, tmp_path):
    net = "generative-stochastic-network"
    printed("train", net, "--data", "binarized-digits", "--steps", "1", "--run", "r")
    assert "only its samples are measured" in printed("evaluate", "r", "--limit", "20")
    assert set(measured(tmp_path / "r")) == {"Fréchet", "precision", "recall"}
