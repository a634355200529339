"""The law of bags passes right answers and catches each planted bug."""

from collections import Counter

from gmcourse.data.number_words import count_bags
from gmcourse.laws.autoregressive import bags


def by_counts(sentences):
    return len({frozenset(Counter(words).items()) for words in sentences})


def sorting(sentences):
    for words in sentences:
        words.sort()
    return len({tuple(words) for words in sentences})


RIGHT = {bags.bags_are_counted: (count_bags, by_counts)}
BUGS = {
    bags.bags_are_counted: {
        "sets": (lambda sentences: len({frozenset(words) for words in sentences}), "spread"),
        "order kept": (lambda sentences: len({tuple(words) for words in sentences}), "direction"),
        "all": (len, "constant"),
        "lengths": (lambda sentences: len({len(words) for words in sentences}), "reduction"),
        "words": (lambda sentences: len({word for words in sentences for word in words}), "dependence"),
        "letters": (lambda sentences: len({"".join(sorted("".join(words))) for words in sentences}), "one-to-one"),
        "what is lost": (lambda sentences: len(sentences) - count_bags(sentences), "sign"),
        "the sentences sorted": (sorting, "mutation"),
        "the bags": (lambda sentences: {tuple(sorted(words)) for words in sentences}, "container"),
        "neighbours": (lambda sentences: 1 + sum(a != b for a, b in zip(sentences, sentences[1:])), "direction"),
        "sets and lengths": (lambda sentences: len({(len(s), frozenset(s)) for s in sentences}), "spread"),
    }
}
