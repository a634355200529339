"""The grammar against sentences counted and spelled by hand; splits that share no sentence."""

import math

import pytest
import torch

from gmcourse.data import load
from gmcourse.data.sentences import ALPHABET, FACTS, LENGTH, grammar, to_rows, to_text

SPLITS = ("train", "valid", "test")


@pytest.fixture(scope="module")
def data():
    return load("sentences")


def test_sentences_by_hand():
    said = {
        "the bird does pass the star in the valley today": [0, 0, 0, 0],
        "do two kites circle the hill in the wind today ?": [0, 1, 0, 1],
        "many sailors did paint the anchor in the bay yesterday": [1, 2, 1, 0],
        "will the cook burn the cake in the cellar tomorrow ?": [3, 0, 2, 1],
        "many farmers will guard the barn in the field tomorrow": [2, 2, 2, 0],
    }
    rows = to_rows(list(said))
    assert grammar().holds(rows).all()
    assert grammar().facts(rows).tolist() == list(said.values())
    assert [to_text(row) for row in rows] == list(said)
    expected = [math.log((0.3 if facts[3] else 0.7) / 1296) for facts in said.values()]
    assert grammar().log_prob(rows).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    "wrong",
    [
        "two bird do pass the star in the valley today",
        "the bird do pass the star in the valley today",
        "the bird did pass the star in the valley today",
        "the bird does pass the anchor in the valley today",
        "the bird does pass the star in the valley today ?",
        "does the bird pass the star in the valley today",
        "the bird does pass the star",
        "",
    ],
)
def test_what_is_no_sentence(wrong):
    row = to_rows([wrong])
    assert not grammar().holds(row)
    assert grammar().log_prob(row).tolist() == [-math.inf]
    assert grammar().facts(row).tolist() == [[-1] * 4]


def test_all_of_them():
    law = grammar()
    assert law.sentences.shape == (2_592, LENGTH)
    assert len(law.sentences.unique(dim=0)) == 2_592
    assert law.log_prob(law.sentences).exp().sum().item() == pytest.approx(1.0)
    assert law.entropy() == pytest.approx(math.log(1296) - 0.3 * math.log(0.3) - 0.7 * math.log(0.7))
    assert (law.sentences != 0).sum(1).unique().tolist() == [10, 11]
    assert len(ALPHABET) == len(set(ALPHABET)) == 65
    assert law.sentences.unique().tolist() == list(range(65))
    assert [int(law.facts(law.sentences)[:, i].max()) + 1 for i in range(4)] == list(FACTS.values())


def test_no_test_sentence_is_in_train(data):
    rows = {split: {tuple(row) for row in getattr(data, split).tolist()} for split in SPLITS}
    assert {split: len(own) for split, own in rows.items()} == {"train": 2_160, "valid": 216, "test": 216}
    assert len(set.union(*rows.values())) == 2_592


def test_entropies(data):
    assert data.entropy == pytest.approx(7.7779, abs=1e-4)
    for split, meanings in zip(SPLITS, (1_080, 108, 108), strict=True):
        rows = getattr(data, split)
        assert -data.density.log_prob(rows).mean().item() == pytest.approx(data.entropy)
        shares = rows.unique(dim=0, return_counts=True)[1] / len(rows)
        own = -float(shares @ shares.log())
        assert own == pytest.approx(data.entropy - math.log(1296 / meanings), abs=1e-4)
    assert data.train.unique().tolist() == list(range(65))


def test_draws_of_the_grammar():
    rng = torch.Generator().manual_seed(0)
    x = grammar().sample(20_000, rng=rng)
    assert grammar().holds(x).all()
    assert grammar().facts(x)[:, 3].float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert -grammar().log_prob(x).mean().item() == pytest.approx(grammar().entropy(), abs=0.02)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="sentences: got 'the whale'"):
        to_rows(["the whale"])
    with pytest.raises(ValueError, match="expected at most 12 words"):
        to_rows(["the " * 13])
    assert to_rows([]).shape == (0, 12)
