"""`gmcourse sample`: arrays and pictures."""

import numpy as np
import pytest

from gmcourse.cli import main


def test_sample_writes_arrays(run, printed):
    for name, flags in (("a", ()), ("b", ()), ("c", ("--seed", "1")), ("d", ("--mean",))):
        out = printed("sample", str(run), "--n", "7", "--out", f"{name}.npy", *flags)
        assert f"7 samples of gaussian-vae on Binarised digits, 8×8 written to {name}.npy" in out
    a, b, c, d = (np.load(f"{name}.npy") for name in "abcd")
    assert a.shape == (7, 1, 8, 8)
    assert (a == b).all()
    assert (a != c).any()
    assert set(np.unique(a)) <= {0.0, 1.0}
    assert len(np.unique(d)) > 2


@pytest.mark.parametrize("flags", [(), ("--out", "samples.PNG")])
def test_sample_writes_pictures(run, tmp_path, flags):
    from PIL import Image

    assert main(["sample", str(run), "--n", "9", *flags]) == 0
    name = flags[1] if flags else "samples.png"
    assert min(Image.open(name).size) > 100
    assert sorted(p.name for p in tmp_path.iterdir()) == ["runs", name]


def test_sample_of_points(tmp_path):
    assert main(["train", "gaussian-vae", "--data", "ring-of-8", "--steps", "3"]) == 0
    assert main(["sample", "runs/gaussian-vae-ring-of-8", "--out", "points.png"]) == 0
    assert (tmp_path / "points.png").stat().st_size > 1000


def test_samples_of_rows_are_an_array_by_default(failure, tmp_path):
    assert main(["train", "gaussian-vae", "--data", "wine", "--steps", "3"]) == 0
    assert main(["sample", "runs/gaussian-vae-wine", "--n", "5"]) == 0
    assert np.load("samples.npy").shape == (5, 13)
    status, line = failure("sample", "runs/gaussian-vae-wine", "--out", "samples.png")
    assert status == 2
    assert "out: samples of shape (n, *(13,)) make no picture; name an .npy" in line
    assert not (tmp_path / "samples.png").exists()


def test_values_that_a_picture_clamps_are_said(printed):
    assert main(["train", "maf", "--data", "digits", "--steps", "2", "--run", "maf"]) == 0
    assert "of their values lie outside [0, 1], and are clamped in the picture" in printed("sample", "maf", "--n", "4")
    assert "clamped" not in printed("sample", "maf", "--n", "4", "--out", "s.npy")


@pytest.mark.parametrize(
    "flags, message",
    [
        (("--n", "0"), "n: got 0, expected at least one sample"),
        (("--out", "samples.gif"), "out: got samples.gif, expected a name in .png, .txt, .npy"),
        (("--seed", "99999999999999999999"), "seed: got 99999999999999999999"),
    ],
)
def test_sample_refuses(run, failure, flags, message):
    status, line = failure("sample", str(run), *flags)
    assert status == 2
    assert line.startswith(f"gmcourse: {message}")


def test_more_samples_than_memory_holds_are_one_line(run, failure, tmp_path):
    assert failure("sample", str(run), "--n", str(10**13))[0] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_a_mean_that_a_model_has_not(failure):
    assert main(["train", "nice", "--data", "wine", "--steps", "1", "--run", "r"]) == 0
    status, line = failure("sample", "r", "--mean")
    assert status == 2
    assert "leave --mean out" in line


def test_a_model_that_draws_no_samples_says_so(failure, tmp_path):
    assert main(["train", "deep-autoencoder", "--data", "wine", "--steps", "1", "--run", "r"]) == 0
    for flags in ((), ("--mean",)):
        status, line = failure("sample", "r", *flags)
        assert status == 2
        assert "run: r holds deep-autoencoder, which draws no samples" in line
    assert not list(tmp_path.glob("samples*"))
