"""The records: unique, complete, and in agreement with the lessons."""

import re
from pathlib import Path

import pytest
import torch

from gmcourse.catalogue import CATALOGUE, find
from gmcourse.data import Dataset
from gmcourse.protocols import FAMILIES, PROTOCOLS, Adversarial, Bounded, Density, Trainable, Unnormalised
from gmcourse.record import BRANCHES, IMAGES, VECTORS, ModelRecord, Suits

CHAPTERS = Path(__file__).parents[1] / "chapters"
KNOWS = {"exact": Density, "bound": Bounded, "unnormalised": Unnormalised}

every_record = pytest.mark.parametrize("record", CATALOGUE, ids=lambda record: record.key)


def test_keys_and_names_are_unique():
    for field in ("key", "name"):
        values = [getattr(record, field) for record in CATALOGUE]
        assert len(values) == len(set(values))


@every_record
def test_fields(record: ModelRecord):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", record.key)
    assert record.family in FAMILIES
    assert record.branch in BRANCHES
    assert record.density in (*KNOWS, "implicit", "none")
    assert set(record.claims) <= set(PROTOCOLS)
    assert re.fullmatch(r"\d{4}\.\d{4,5}|[a-z-]+/\d{7}|", record.arxiv)
    assert 1900 < record.year <= 2026
    assert record.name


@every_record
def test_arxiv_number_is_not_younger_than_the_paper(record):
    if re.match(r"\d{4}\.", record.arxiv):
        assert 2000 + int(record.arxiv[:2]) <= record.year


@every_record
def test_its_paper_stands_in_the_bibliography(record):
    bibliography = (CHAPTERS / "references.bib").read_text("utf-8")
    entry = re.search(r"@\w+\{" + record.paper + r",(.*?)\n\}", bibliography, re.DOTALL)
    assert entry, record.paper
    assert re.search(r"year\s*=\s*.?" + str(record.year), entry[1])


@every_record
def test_density_agrees_with_the_claims(record):
    known = {kind for kind, protocol in KNOWS.items() if protocol in record.claims}
    assert known == ({record.density} if record.density in KNOWS else set())
    assert (Trainable in record.claims) != (Adversarial in record.claims)


@every_record
def test_its_lesson_is_a_pair_of_files(record):
    chapter, _ = record.lesson.split("/")
    assert chapter[3:] == record.family
    for suffix in (".md", ".ipynb"):
        assert (CHAPTERS / f"{record.lesson}{suffix}").is_file(), f"{record.lesson}{suffix} is missing"


@every_record
def test_its_repr_is_of_this_model_and_not_of_this_process(record):
    """Checkpoints know a model by it: an address in memory would refuse to go on in another process."""
    assert " at 0x" not in repr(record.build())


@every_record
def test_the_recipe_is_complete(record):
    recipe = record.recipe()
    assert {"steps", "batch_size", "lr"} <= recipe.keys()
    if callable(recipe["lr"]):
        rates = [recipe["lr"](step) for step in range(recipe["steps"])]
        assert min(rates) > 0


@pytest.mark.parametrize("key", ["gaussian-vae", "Gaussian-VAE"])
def test_find(key):
    assert find(key).name == "Gaussian VAE"


@pytest.mark.parametrize(
    ("key", "close"),
    [
        ("gausian-vae", "gaussian-vae"),
        ("gaussian_vae", "gaussian-vae"),
        ("VAE", "gaussian-vae"),
        ("nsf", "spline-coupling-flow, spline-autoregressive-flow"),
    ],
)
def test_a_misspelt_key_draws_the_right_one(key, close):
    with pytest.raises(ValueError, match=f"key: got '{key}'.*did you mean {close}"):
        find(key)


@pytest.mark.parametrize("key", ["zzzz", ""])
def test_a_hopeless_key_draws_the_whole_list(key):
    first, last = CATALOGUE[0].key, CATALOGUE[-1].key
    with pytest.raises(ValueError, match=f"key: got '{key}'.*the models are {first}, .*, {last}"):
        find(key)


def test_what_is_no_string_is_named():
    with pytest.raises(TypeError, match="key: got int"):
        find(3)


RECIPES = {  # steps, batch, first rate, and what else is given: without data
    "histogram": (1_000, 1_024, 5e-2, {}),
    "categorical": (1_000, 1_024, 5e-2, {}),
    "naive-bayes": (2_000, 64, 2e-2, {}),
    "fvsbn": (1_500, 64, 1e-2, {}),
    "nade": (1_500, 64, 1e-2, {}),
    "made": (1_500, 64, 2e-3, {}),
    "row-lstm": (600, 32, 5e-3, {}),
    "diagonal-bilstm": (600, 32, 5e-3, {}),
    "pixelcnn": (600, 32, 3e-3, {}),
    "gated-pixelcnn": (800, 32, 3e-3, {}),
    "pixelcnn-pp": (800, 32, 2e-3, {}),
    "lstm-language-model": (1_000, 32, 6e-3, {"clip": 64.0}),
    "transformer-language-model": (1_500, 32, 2e-3, {"clip": 100.0}),
    "sequence-to-sequence-translator": (800, 64, 2e-3, {}),
    "wavenet": (1_000, 10, 6e-3, {}),
    "deep-autoencoder": (2_500, 128, 2e-3, {}),
    "convolutional-autoencoder": (1_500, 128, 2e-3, {}),
    "l1-sparse-autoencoder": (1_000, 128, 5e-3, {}),
    "kl-sparse-autoencoder": (1_000, 128, 3e-2, {}),
    "k-sparse-autoencoder": (1_000, 128, 1e-2, {}),
    "denoising-autoencoder": (1_500, 128, 5e-3, {}),
    "contractive-autoencoder": (1_500, 128, 5e-3, {}),
    "generative-stochastic-network": (1_000, 100, 2e-3, {}),
    "gaussian-vae": (3_000, 64, 2e-3, {}),
    "cvae": (2_000, 64, 2e-3, {}),
    "vq-vae": (1_500, 64, 2e-3, {}),
    "video-vq-vae": (800, 32, 3e-3, {}),
    "vq-vae-2": (1_500, 64, 2e-3, {}),
    "jukebox": (1_500, 16, 3e-3, {}),
    "text-conditioned-codes": (1_500, 32, 3e-3, {}),
    "sentence-vae": (1_000, 64, 6e-3, {}),
    "iwae": (3_000, 64, 2e-3, {}),
    "beta-vae": (3_000, 64, 2e-3, {}),
    "gan": (4_000, 256, 1e-3, {"betas": (0.5, 0.999)}),
    "lsgan": (4_000, 256, 1e-3, {"betas": (0.5, 0.999)}),
    "r1-gan": (4_000, 256, 1e-3, {"betas": (0.0, 0.9)}),
    "wgan": (4_000, 256, 5e-4, {"betas": (0.0, 0.9), "critic_steps": 5}),
    "wgan-gp": (4_000, 256, 1e-3, {"betas": (0.0, 0.9), "critic_steps": 2}),
    "dcgan": (2_000, 64, 5e-4, {"betas": (0.5, 0.999)}),
    "stylegan": (1_950, 32, 7e-3, {"betas": (0.0, 0.99)}),
    "cgan": (3_000, 128, 1e-3, {"betas": (0.5, 0.999)}),
    "acgan": (3_000, 128, 1e-3, {"betas": (0.5, 0.999)}),
    "pix2pix": (2_000, 16, 1e-3, {"betas": (0.5, 0.999)}),
    "cyclegan": (1_000, 32, 2e-5, {"betas": (0.5, 0.999)}),
    "gain": (3_000, 128, 1e-3, {"betas": (0.9, 0.999)}),
    "planar-flow": (2_000, 256, 2e-2, {}),
    "radial-flow": (2_000, 256, 2e-2, {}),
    "nice": (1_500, 256, 3e-3, {}),
    "realnvp": (1_500, 256, 3e-3, {}),
    "spline-coupling-flow": (2_000, 256, 3e-3, {}),
    "spline-autoregressive-flow": (2_000, 256, 3e-3, {}),
    "maf": (3_000, 128, 3e-3, {}),
    "iaf": (1_000, 128, 3e-3, {}),
    "parallel-wavenet-student": (3_000, 128, 2e-3, {}),
    "cnf": (1_000, 128, 5e-3, {}),
    "residual-flow": (1_000, 256, 1e-2, {}),
    "flow-matching": (3_000, 512, 3e-3, {}),
    "glow": (3_000, 64, 2e-3, {}),
    "restricted-boltzmann-machine": (3_000, 64, 1e-2, {}),
    "sliced-score-matching": (1_500, 128, 2e-3, {}),
    "denoising-score-matching": (1_500, 128, 2e-3, {}),
    "ncsn": (1_200, 96, 2e-3, {}),
    "ddpm": (1_200, 96, 2e-3, {"clip": 1.0}),
    "ddim": (1_200, 96, 2e-3, {"clip": 1.0}),
    "score-sde": (3_000, 512, 3e-3, {}),
    "consistency-model": (1_200, 96, 2e-3, {"clip": 1.0}),
}
LARGE_RECIPES = {
    "gaussian-vae": (8_000, 128, 1e-3),
    "iwae": (4_000, 64, 1e-3),
    "beta-vae": (8_000, 128, 1e-3),
    "cvae": (8_000, 128, 1e-3),
    "dcgan": (10_000, 64, 2e-4),
    "stylegan": (6_000, 32, 5e-3),
    "ddpm": (12_000, 64, 2e-3),
    "ddim": (12_000, 64, 2e-3),
    "consistency-model": (12_000, 64, 2e-3),
}  # images of 256 pixels and more


def data_of(shape, rows=300, dtype=torch.float32, key="own"):
    """A data set of this shape, its values of 17 levels."""
    x = (torch.randint(0, 17, (rows, *shape), generator=torch.Generator().manual_seed(0)) / 16).to(dtype)
    return Dataset(key, key, x, x, x, None, tuple(shape), "none", "drawn")


def pinned(recipe):
    rest = {name: value for name, value in recipe.items() if name not in ("steps", "batch_size", "lr")}
    return recipe["steps"], recipe["batch_size"], recipe["lr"](0), rest


def test_recipes_are_pinned_in_one_table():
    assert {record.key: pinned(record.recipe()) for record in CATALOGUE} == RECIPES
    large, small = data_of((1, 16, 16)), data_of((1, 8, 8))
    for record in CATALOGUE:
        if record.suits(large.event_shape, torch.float32):
            expected = LARGE_RECIPES.get(record.key, RECIPES[record.key][:3])
            assert pinned(record.recipe(large))[:3] == (expected[0], min(expected[1], 300), expected[2]), record.key
            assert pinned(record.recipe(small))[:1] == RECIPES[record.key][:1], record.key


@every_record
def test_a_recipe_fits_few_rows_and_its_schedule_stretches(record):
    shape = record.example(1)[0].shape[1:]
    assert record.recipe(data_of(shape, rows=10))["batch_size"] == 10
    whole, short = record.recipe(), record.recipe(steps=100)
    assert short["steps"] == 100
    assert whole["lr"](0) == short["lr"](0)
    assert short["lr"](75) == pytest.approx(whole["lr"](whole["steps"] * 75 // 100))
    assert {name: short[name] for name in short if name not in ("steps", "lr")} == {
        name: whole[name] for name in whole if name not in ("steps", "lr")
    }


def test_splines_stand_on_a_box_that_holds_the_training_data():
    for key in ("spline-coupling-flow", "spline-autoregressive-flow"):
        data = data_of((3,))
        wide = Dataset("wide", "wide", *(20 * (data.train - 0.5),) * 3, None, (3,), "none", "drawn")
        assert find(key).build(data).bijections[0].transform.bound == 3.0
        assert find(key).build(wide).bijections[0].transform.bound == pytest.approx(11.0)


@every_record
def test_what_is_no_data_set_is_named(record):
    with pytest.raises(TypeError, match=r"data: got Tensor.*Dataset\.from_tensors"):
        record.build(torch.zeros(3, 2))


def test_suits():
    either = VECTORS | IMAGES
    assert str(either) == "vectors, images"
    for shape, dtype, answers in (
        ((3,), torch.float32, (True, False, True)),
        ((1, 8, 8), torch.float32, (False, True, True)),
        ((3, 8, 8), torch.float64, (False, True, True)),
        ((2, 8, 8), torch.float32, (False, False, False)),
        ((3,), torch.int64, (False, False, False)),
        ((1, 8, 8), torch.int64, (False, False, False)),
        ((0,), torch.float32, (False, False, False)),
        ((), torch.int64, (False, False, False)),
        ((1, 4, 8, 8), torch.float32, (False, False, False)),
    ):
        assert tuple(suits(shape, dtype) for suits in (VECTORS, IMAGES, either)) == answers
    assert Suits("all", lambda *_: True)((), torch.int8)
