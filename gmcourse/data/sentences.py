"""Sentences of a small grammar: their law, its entropy and what each sentence says are known exactly."""

import math
from functools import cache
from itertools import product

import torch
from torch import Generator, Tensor

from gmcourse.data.dataset import SPLITS, Entry, shuffled

TOPICS = (
    ("bird birds kite kites plane planes", "pass circle", "star hill tower", "valley wind"),
    ("sailor sailors captain captains diver divers", "paint lift", "anchor boat net", "bay harbour"),
    ("farmer farmers horse horses goat goats", "guard follow", "wagon fence barn", "field meadow"),
    ("cook cooks baker bakers waiter waiters", "taste burn", "soup bread cake", "kitchen cellar"),
)
"""Of each topic the nouns, one and many, then verbs, objects and places: no word stands in two topics."""

NUMBERS = ("the", "two", "many")
TENSES = ("today", "yesterday", "tomorrow")
QUESTIONS = 0.3
"""The share of questions, whatever is asked."""

FACTS = {"topic": 4, "number": 3, "tense": 3, "question": 2}
"""What each sentence says as a whole, and how many values that has: codes 0, 1, …"""

_OWN = [word for topic in TOPICS for words in topic for word in words.split()]
ALPHABET = ("", *NUMBERS, "do", "does", "did", "will", *TENSES, "in", *_OWN, "?")
"""The word of each code; code 0 is no word: the end of a sentence, and what fills the row up."""

LENGTH = 12
_CODE = {word: code for code, word in enumerate(ALPHABET)}


class Grammar:
    """p(x) = 1/1296 · (0.3 or 0.7): 1,296 meanings, equally likely, each said as a question with probability 0.3.

    A meaning is a topic, its noun, verb, object and place, a number and a tense, all independent and uniform. Whether
    a row belongs to it is decided by looking it up among all 2,592 sentences. x is (batch, 12) int64.
    """

    def __init__(self) -> None:
        rows, facts = zip(*_spoken(), strict=True)
        self.sentences, self._facts = torch.tensor(rows), torch.tensor(facts)
        self._place = {row: place for place, row in enumerate(rows)}
        shares = torch.tensor([1 - QUESTIONS, QUESTIONS], dtype=torch.float64) / (len(rows) // 2)
        self._log_prob = shares.log()[self._facts[:, -1]]

    def log_prob(self, x: Tensor) -> Tensor:
        """ln p(x), (batch,), nats, float64; −∞ for what is no sentence."""
        place = self._places(x)
        return torch.where(place < 0, -math.inf, self._log_prob[place])

    def holds(self, x: Tensor) -> Tensor:
        """Which rows are sentences of the grammar, (batch,) bool."""
        return self._places(x) >= 0

    def facts(self, x: Tensor) -> Tensor:
        """Topic, number, tense and question of each row, (batch, 4) int64; −1 for what is no sentence."""
        place = self._places(x)
        return self._facts[place].masked_fill((place < 0)[:, None], -1)

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """n sentences of the whole grammar, (n, 12) int64."""
        return self.sentences[torch.multinomial(self._log_prob.exp(), n, replacement=True, generator=rng)]

    def entropy(self) -> float:
        """ln 1296 + H(0.3) = 7.7779 nats."""
        return -float(self._log_prob.exp() @ self._log_prob)

    def _places(self, x: Tensor) -> Tensor:
        places = [self._place.get(tuple(row), -1) for row in x.tolist()]
        return torch.tensor(places, dtype=torch.int64, device=x.device)


@cache
def grammar() -> Grammar:
    """The grammar of `load("sentences")`."""
    return Grammar()


def to_rows(sentences: list[str]) -> Tensor:
    """Words joined by spaces → codes, (n, 12) int64, filled up with 0. ValueError for an unknown word, or too many."""
    rows = []
    for sentence in sentences:
        words = sentence.split()
        if len(words) > LENGTH or not {*words} <= _CODE.keys():
            raise ValueError(f"sentences: got {sentence!r}, expected at most {LENGTH} words of the alphabet")
        rows.append([*(_CODE[word] for word in words), *[0] * (LENGTH - len(words))])
    return torch.tensor(rows, dtype=torch.int64).view(-1, LENGTH)


def to_text(row: Tensor) -> str:
    """A row of codes as text, up to its end."""
    words = [ALPHABET[code] for code in row.tolist()]
    return " ".join(words[: words.index("")] if "" in words else words)


def sentences() -> dict:
    """Sentences of a grammar of four topics, int64 codes (12,); `alphabet[code]` is the word, code 0 fills a row up.

    64 words make 1,296 meanings, each said in two ways. The splits share no meaning, and so no sentence: 1,080 / 108 /
    108 meanings of a permutation with seed 0. A split holds each of its statements 7 times and each of its questions
    3 times, so that a row of it has the grammar's own shares. `density` is the whole grammar, and −ln p of it has the
    mean `entropy`, 7.7779 nats, over each split. A floor for every model is that over draws of `density` alone: a model
    that knows the split can have 7.5956 nats on train, and 5.29 on valid or on test. Licence: CC0 1.0. Source: written
    by gmcourse.
    """
    law = grammar()
    meanings = shuffled(len(law.sentences) // 2, seed=0).split([1_080, 108, 108])
    rows = {}
    for split, own in zip(SPLITS, meanings, strict=True):
        said = torch.cat([(2 * own).repeat(7), (2 * own + 1).repeat(3)])
        rows[split] = law.sentences[said[shuffled(len(said), seed=1)]]
    return {**rows, "alphabet": ALPHABET, "density": law, "entropy": law.entropy()}


def _spoken() -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """All sentences, each question after its statement: codes, and the four facts."""
    found = []
    for topic, (nouns, *others) in enumerate(TOPICS):
        what = product(*(words.split() for words in others))
        said = product(range(3), what, range(3), range(3))
        for noun, (verb, thing, place), number, tense in said:
            subject = f"{NUMBERS[number]} {nouns.split()[2 * noun + (number > 0)]}"
            helper = ("do" if number else "does", "did", "will")[tense]
            rest = f"{verb} the {thing} in the {place} {TENSES[tense]}"
            for question, words in enumerate((f"{subject} {helper} {rest}", f"{helper} {subject} {rest} ?")):
                found.append((tuple(to_rows([words])[0].tolist()), (topic, number, tense, question)))
    return found


ENTRIES = (
    Entry(
        "sentences",
        "Sentences of a small grammar",
        "embedded",
        sentences,
        "CC0 1.0",
        "written by gmcourse",
        (LENGTH,),
        torch.int64,
        (10_800, 1_080, 1_080),
    ),
)
