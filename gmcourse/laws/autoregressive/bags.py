"""A law of bags: how many sentences differ by more than the order of their words."""

from collections import Counter
from collections.abc import Callable

import torch

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_shape

Sentences = list[list[str]]

CASES: tuple[str, ...] = (
    "one two three; three one two; two two one; one two; two one",
    "two hundred two; two hundred; hundred two; hundred two two; two two hundred; hundred; two",
    "five hundred three; three hundred five; five hundred three; three hundred six; six three hundred; nine; nine",
    "seven; seven seven; seven seven seven; seven seven; seventy seven; seven seventy; seventy",
    "on e; no e; one; o ne; eno; e on",
    "two two hundred; hundred two hundred; two hundred two; hundred hundred two",
)
"""The sentences of each case; in the last but one, letters that go round make other words."""


def bags_are_counted(candidate: Callable[[Sentences], int], *, seed: int = 0) -> None:
    """candidate(sentences), each a list of words: the number of distinct bags.

    The oracle compares every sentence with those before it, and crosses out the words of one in the other.
    """
    cases = [[words.split() for words in case.split("; ")] for case in CASES]
    asked = [*cases, sum(cases, [])]
    law, answers = "how many sentences differ by more than the order of their words", []
    for case in asked:
        answers.append(require_shape(law, ask(candidate, sentences=case), ()).double())
    expected = torch.tensor([sum(not _seen(words, case[:place]) for place, words in enumerate(case)) for case in asked])
    slips = {
        cause: [torch.tensor([float(way(case)) for case in asked]).double() for way in ways]
        for cause, ways in _ways().items()
    }
    try:
        require_close(law, torch.stack(answers), expected.double(), 0.0, slips)
    except LawBroken as broken:
        place = next(k for k, answer in enumerate(answers) if answer != expected[k])
        told = "; ".join(map(" ".join, asked[place]))
        left = "direction" if answers[place] > expected[place] else "one-to-one"
        raise LawBroken(law, f"{answers[place]:g}", f"{expected[place]:g}", broken.cause or left, told) from None


def _seen(words: list[str], earlier: Sentences) -> bool:
    return any(_crossed_out(words, other) for other in earlier)


def _crossed_out(words: list[str], other: list[str]) -> bool:
    left = list(other)
    for word in words:
        if word not in left:
            return False
        left.remove(word)
    return not left


def _ways() -> dict[str, list[Callable[[Sentences], int]]]:
    """How the usual slips count."""
    return {
        "spread": [
            lambda case: len({frozenset(words) for words in case}),
            lambda case: len({(len(words), frozenset(words)) for words in case}),
        ],
        "direction": [lambda case: len({tuple(words) for words in case})],
        "constant": [len],
        "reduction": [
            lambda case: len({len(words) for words in case}),
            lambda case: len({(len(words), len({*words})) for words in case}),
            lambda case: len({sum(map(len, words)) for words in case}),
        ],
        "dependence": [
            lambda case: len({word for words in case for word in words}),
            lambda case: sum(len({*words}) for words in case),
        ],
        "one-to-one": [
            lambda case: len({"".join(sorted(words)) for words in case}),
            lambda case: len({"".join(sorted("".join(words))) for words in case}),
            lambda case: len({" ".join(sorted("".join(words))) for words in case}),
        ],
        "sign": [
            lambda case: len(case) - len({tuple(sorted(words)) for words in case}),
            lambda case: sum(n > 1 for n in Counter(tuple(sorted(words)) for words in case).values()),
            lambda case: sum(n == 1 for n in Counter(tuple(sorted(words)) for words in case).values()),
        ],
    }
