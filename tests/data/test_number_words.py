"""Numbers in words: rules against cases spelled by hand, the alignment, and what a bag of words can tell."""

import pytest
import torch

from gmcourse.data import load
from gmcourse.data.number_words import (
    ALPHABET,
    ENGLISH,
    GERMAN,
    NUMBERS,
    alignment,
    alignments,
    count_bags,
    english,
    german,
    number_of,
    to_rows,
    to_words,
    year_spellings,
)

BY_HAND = {
    1: ("one", "eins"),
    6: ("six", "sechs"),
    10: ("ten", "zehn"),
    11: ("eleven", "elf"),
    12: ("twelve", "zwölf"),
    16: ("sixteen", "sechzehn"),
    17: ("seventeen", "siebzehn"),
    20: ("twenty", "zwanzig"),
    21: ("twenty one", "ein und zwanzig"),
    30: ("thirty", "dreißig"),
    66: ("sixty six", "sechs und sechzig"),
    77: ("seventy seven", "sieben und siebzig"),
    100: ("one hundred", "ein hundert"),
    101: ("one hundred one", "ein hundert eins"),
    113: ("one hundred thirteen", "ein hundert dreizehn"),
    347: ("three hundred forty seven", "drei hundert sieben und vierzig"),
    1000: ("one thousand", "ein tausend"),
    1001: ("one thousand one", "ein tausend eins"),
    2500: ("two thousand five hundred", "zwei tausend fünf hundert"),
    9021: ("nine thousand twenty one", "neun tausend ein und zwanzig"),
    9999: ("nine thousand nine hundred ninety nine", "neun tausend neun hundert neun und neunzig"),
}


def words(tagged):
    return [word for word, _ in tagged]


@pytest.mark.parametrize("number", BY_HAND)
def test_spelling_by_hand(number):
    assert (" ".join(words(english(number))), " ".join(words(german(number)))) == BY_HAND[number]


def test_every_number_has_its_own_words_and_every_word_is_used():
    for spell, vocabulary, longest in ((english, ENGLISH, 6), (german, GERMAN, 7)):
        said = [words(spell(number)) for number in NUMBERS]
        assert len({" ".join(s) for s in said}) == 9_999
        assert {word for s in said for word in s} == set(vocabulary)
        assert max(map(len, said)) == longest
    assert (len(ENGLISH), len(GERMAN), len(set(ALPHABET))) == (29, 31, 61)


def test_distinct_bags_of_english_words():
    """Numbers that differ in the order of their words alone: 305 and 503."""
    assert count_bags(words(english(number)) for number in NUMBERS) == 3_591
    assert count_bags([["a", "b"], ["b", "a"], ["a", "b", "a"], ["a"]]) == 3


def test_alignment():
    assert alignment(347) == [0, 1, 3, None, 2]
    assert alignment(9021) == [0, 1, 3, None, 2]
    assert alignment(11) == [0]
    assert alignment(2500) == [0, 1, 2, 3]
    for number in NUMBERS:
        known = [place for place in alignment(number) if place is not None]
        assert sorted(known) == list(range(len(english(number))))


def test_rows_are_read_back():
    rows = to_rows([words(german(number)) for number in (347, 1, 9021)], 8)
    assert [number_of(row) for row in rows] == [347, 1, 9021]
    assert alignments(rows)[0].tolist() == [0, 1, 3, -1, 2, -1, -1, -1]
    assert alignments(rows)[1].tolist() == [0] + [-1] * 7
    assert alignments(rows[:0]).shape == (0, 8)
    with pytest.raises(ValueError, match="row: got 'eins eins', expected a number"):
        number_of(to_rows([["eins", "eins"]], 8)[0])


def test_the_data_set():
    data = load("number-words")
    assert data.alphabet == ALPHABET
    assert data.train.shape == (8_000, 8)
    assert data.labels["test"].shape == (1_000, 6)
    number = 1 + int(torch.randperm(9_999, generator=torch.Generator().manual_seed(0))[-1])
    assert to_words(data.test[-1]) == " ".join(words(german(number)))
    assert to_words(data.labels["test"][-1]) == " ".join(words(english(number)))
    pairs = torch.cat([torch.cat([getattr(data, s), data.labels[s]], 1) for s in ("train", "valid", "test")])
    assert len(pairs.unique(dim=0)) == 9_999


def test_years():
    assert [(p, " ".join(said)) for p, said in year_spellings(1984)] == [
        (0.4, "neunzehn hundert vier und achtzig"),
        (0.3, "ein tausend neun hundert vier und achtzig"),
        (0.3, "ein tausend neun hundert und vier und achtzig"),
    ]
    assert " ".join(year_spellings(1101)[2][1]) == "ein tausend ein hundert und eins"
    for year in (1100, 2001, 1900, 999):
        with pytest.raises(ValueError, match=f"year: got {year}"):
            year_spellings(year)


def test_bad_input_is_named():
    for spell in (english, german, alignment):
        for number in (0, 10_000, -3):
            with pytest.raises(ValueError, match=f"number: got {number}"):
                spell(number)
    with pytest.raises(ValueError, match="words: got 'one one', expected at most 1"):
        to_rows([["one", "one"]], 1)
    with pytest.raises(ValueError, match="words: got 'uno'"):
        to_rows([["uno"]], 3)
    assert to_rows([["one"], []], 3).tolist() == [[1, 0, 0], [0, 0, 0]]
