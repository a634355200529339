"""The records: unique, complete, and in agreement with the lessons."""

import re
from pathlib import Path

import pytest

from gmcourse.catalogue import CATALOGUE, find
from gmcourse.protocols import PROTOCOLS, Adversarial, Bounded, Density, ModelRecord, Trainable, Unnormalised

CHAPTERS = Path(__file__).parents[1] / "chapters"
FAMILIES = ("taxonomy", "autoregressive", "autoencoders", "vae", "gan", "flows", "scores")
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
    assert record.branch
    assert all(isinstance(part, str) and part for part in record.branch)
    assert record.density in (*KNOWS, "implicit", "none")
    assert set(record.claims) <= set(PROTOCOLS)
    assert re.fullmatch(r"\d{4}\.\d{4,5}|[a-z-]+/\d{7}|", record.arxiv)
    assert 1900 < record.year <= 2026
    assert record.name
    assert record.paper


@every_record
def test_arxiv_number_is_not_younger_than_the_paper(record):
    if re.match(r"\d{4}\.", record.arxiv):
        assert 2000 + int(record.arxiv[:2]) <= record.year


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
def test_the_recipe_is_complete(record):
    recipe = record.recipe()
    assert {"steps", "batch_size", "lr"} <= recipe.keys()
    if callable(recipe["lr"]):
        rates = [recipe["lr"](step) for step in range(recipe["steps"])]
        assert min(rates) > 0


def test_find():
    assert find("gaussian-vae").name == "Gaussian VAE"


@pytest.mark.parametrize("key", ["gausian-vae", "gaussian_vae", "Gaussian-VAE"])
def test_a_misspelt_key_draws_the_right_one(key):
    with pytest.raises(ValueError, match=f"key: got '{key}'.*did you mean gaussian-vae"):
        find(key)


def test_a_hopeless_key_draws_the_whole_list():
    with pytest.raises(ValueError, match="gaussian-vae"):
        find("zzz")
