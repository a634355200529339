"""Numbers in words, English → German: a translation whose every rule, and every alignment, is known."""

from collections.abc import Iterable, Sequence
from functools import cache, partial

import torch
from torch import Tensor

from gmcourse.data.dataset import Entry, shuffled, split_rows

Tagged = list[tuple[str, str]]  # each word, and what of the number it says: "tens", "thousand", …; "" says nothing

_UNITS = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_EINER = "ein zwei drei vier fünf sechs sieben acht neun".split()
_ZEHNER = "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn".split()
_ZIGER = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()

ENGLISH = (*_UNITS, *_TEENS, *_TENS, "hundred", "thousand")
GERMAN = (*_EINER, "eins", *_ZEHNER, *_ZIGER, "und", "hundert", "tausend")
ALPHABET = ("", *ENGLISH, *GERMAN)
"""The word of each code; code 0 is no word: the end of a row, and what fills it up."""

NUMBERS = range(1, 10_000)


def english(number: int) -> Tagged:
    """347: three hundred forty seven, each word with its tag. Raises ValueError outside 1..9999."""
    words, rest = _head(_required(number), _UNITS, "hundred", "thousand")
    if rest >= 20:
        return [*words, (_TENS[rest // 10 - 2], "tens"), *[(_UNITS[rest % 10 - 1], "units")] * (rest % 10 > 0)]
    return words + _below_twenty(rest, _UNITS, _TEENS)


def german(number: int) -> Tagged:
    """347: drei hundert sieben und vierzig: the last two digits change places; "eins" at the end, "ein" within.

    Raises ValueError outside 1..9999.
    """
    words, rest = _head(_required(number), _EINER, "hundert", "tausend")
    if rest >= 20:
        units = [(_EINER[rest % 10 - 1], "units"), ("und", "")] if rest % 10 else []
        return [*words, *units, (_ZIGER[rest // 10 - 2], "tens")]
    return words + _below_twenty(rest, ["eins", *_EINER[1:]], _ZEHNER)


def year_spellings(year: int) -> list[tuple[float, list[str]]]:
    """Three ways to say a year 1101..1999 whose last two digits are not 00, and how often each is said, by assumption.

    1984: neunzehn hundert vier und achtzig (0.4), ein tausend neun hundert vier und achtzig (0.3), and the same with
    "und" after hundert (0.3). Raises ValueError for other years.
    """
    if not 1101 <= year <= 1999 or year % 100 == 0:
        raise ValueError(f"year: got {year}, expected 1101 to 1999, the last two digits not 00")
    last = [word for word, _ in german(year % 100)]
    centuries, hundreds = _ZEHNER[year // 100 - 10], _EINER[year // 100 - 11]
    long = ["ein", "tausend", hundreds, "hundert"]
    return [(0.4, [centuries, "hundert", *last]), (0.3, [*long, *last]), (0.3, [*long, "und", *last])]


def alignment(number: int) -> list[int | None]:
    """For each German word the place of the English word that says the same; None for "und", which none says."""
    places = {tag: place for place, (_, tag) in enumerate(english(number))}
    return [places.get(tag) for _, tag in german(number)]


def to_rows(spelled: Iterable[Sequence[str]], length: int) -> Tensor:
    """Words → codes, (n, length) int64, filled up with 0. Raises ValueError for too many words, or an unknown one."""
    rows = []
    for words in spelled:
        if len(words) > length or not {*words} <= _CODE.keys():
            raise ValueError(f"words: got {' '.join(words)!r}, expected at most {length} of the alphabet")
        rows.append([*(_CODE[word] for word in words), *[0] * (length - len(words))])
    return torch.tensor(rows, dtype=torch.int64).view(-1, length)


def to_words(row: Tensor) -> str:
    """A row of codes as text, up to its end."""
    words = [ALPHABET[code] for code in row.tolist()]
    return " ".join(words[: words.index("")] if "" in words else words)


def count_bags(sentences: Iterable[Sequence[str]]) -> int:
    """How many of the sentences differ by more than the order of their words: the number of distinct multisets."""
    return len({tuple(sorted(words)) for words in sentences})


def number_of(row: Tensor) -> int:
    """The number that a German row says. Raises ValueError for a row that says none."""
    if (words := to_words(row)) not in _spoken():
        raise ValueError(f"row: got {words!r}, expected a number in German")
    return _spoken()[words]


def alignments(rows: Tensor) -> Tensor:
    """`alignment` of German rows, (n, T) → (n, T) int64; −1 where a word, or the end, has no counterpart."""
    known = [[-1 if place is None else place for place in alignment(number_of(row))] for row in rows]
    return torch.tensor([[*places, *[-1] * (rows.shape[1] - len(places))] for places in known]).view(rows.shape)


def number_words() -> dict:
    """The numbers 1 to 9,999 in German words, int64 codes (8,), with the same in English as labels, (6,).

    `alphabet[code]` is the word; code 0 fills a row up. 8,000 / 999 / 1,000 of a permutation with seed 0. Licence:
    CC0 1.0. Source: spelled by gmcourse.
    """
    split = partial(split_rows, order=shuffled(len(NUMBERS), seed=0), train=8_000, valid=999)
    said = {
        language: to_rows([[word for word, _ in spell(n)] for n in NUMBERS], length)
        for language, spell, length in (("german", german, 8), ("english", english, 6))
    }
    return {**split(said["german"]), "labels": split(said["english"]), "alphabet": ALPHABET}


_CODE = {word: code for code, word in enumerate(ALPHABET)}


@cache
def _spoken() -> dict[str, int]:
    return {" ".join(word for word, _ in german(number)): number for number in NUMBERS}


def _required(number: int) -> int:
    if number not in NUMBERS:
        raise ValueError(f"number: got {number}, expected 1 to 9999")
    return number


def _head(number: int, units: Sequence[str], hundred: str, thousand: str) -> tuple[Tagged, int]:
    """The words of the thousands and the hundreds, and what is left, 0..99."""
    words: Tagged = []
    for digit, word, tag in ((number // 1000, thousand, "thousand"), (number // 100 % 10, hundred, "hundred")):
        if digit:
            words += [(units[digit - 1], f"{tag}s"), (word, tag)]
    return words, number % 100


def _below_twenty(rest: int, units: Sequence[str], teens: Sequence[str]) -> Tagged:
    """0: no word; 1..9: a unit; 10..19: one word that says both digits."""
    if rest == 0:
        return []
    return [(teens[rest - 10], "tens")] if rest >= 10 else [(units[rest - 1], "units")]


ENTRIES = (
    Entry(
        "number-words",
        "Numbers in words, English and German",
        "embedded",
        number_words,
        "CC0 1.0",
        "spelled by gmcourse",
        (8,),
        torch.int64,
        (8_000, 999, 1_000),
    ),
)
