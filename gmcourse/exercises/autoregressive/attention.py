"""Exercises of lesson 02.6, attention."""

import math

import torch

from gmcourse import nets
from gmcourse.data.number_words import count_bags
from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.autoregressive import attention, bags
from gmcourse.laws.broken import require_value
from gmcourse.nets.attention import appended, attention_weights, cached_attention

E1, E2 = 0.02, 0.5


def errors_on_its_own(answer: object) -> None:
    """The share p of wrong words no longer changes where p = (1 − p) e₁ + p e₂: e₁/(1 − e₂ + e₁) = 0.03846.

    A count of a million words has a standard error of 0.0003; e₁/(1 − e₂) = 0.04 is no answer.
    """
    slips = {
        "constant": E1,
        "direction": (E2, 1.0),
        "log-mean": ((E1 + E2) / 2, math.sqrt(E1 * E2)),
        "reduction": (E1 * (1 - E1) + E2 * E1, E1 + E1 * E2, E1 * E2),
        "spread": (E1 / (1 - E2), E1 / E2),
        "sign": 1 - E1 / (1 - E2 + E1),
        "dependence": (9.74 / 50, 9.74),
        "one-to-one": (3.846, 3.85, 3.8, 1.923, 1.92, 1.9),
        "randomness": tuple(k / 10_000 for k in (*range(330, 397), *range(404, 450))),
    }
    require_value("the share of words that are wrong in the long run", answer, E1 / (1 - E2 + E1), 0.0012, slips)


def _scaled(q, k, v, mask, by=1.0):
    return nets.attention(q * math.sqrt(q.shape[-1]) / by, k, v, mask)


def _masked_late(q, k, v, mask):
    return (attention_weights(q, k) * mask) @ v


def _masked_by_zero(q, k, v, mask):
    return (q @ k.transpose(1, 2) / math.sqrt(q.shape[-1]) * mask).softmax(-1) @ v


def _over_queries(q, k, v, mask):
    return (q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])).masked_fill(~mask, -1e9).softmax(1) @ v


def _finite_fill(q, k, v, mask):
    return (q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])).masked_fill(~mask, -100).softmax(-1) @ v


def _exponentials(q, k, v, mask):
    powers = (q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])).exp() * mask
    return powers / powers.sum(-1, keepdim=True) @ v


def _in_place(q, k, v, cache):
    """One list of keys and of values for all that goes on from it."""
    kept = cache or ([], [])
    kept[0].append(k)
    kept[1].append(v)
    return nets.attention(q, torch.cat(kept[0], 1), torch.cat(kept[1], 1)), kept


def _strict(q, k, v, cache):
    return (v if cache is None else nets.attention(q, *cache)), appended(cache, (k, v))


def _newest_first(q, k, v, cache):
    kept = (k, v) if cache is None else (torch.cat([cache[0], k], 1), torch.cat([v, cache[1]], 1))
    return nets.attention(q, *kept), kept


def _queries_kept(q, k, v, cache):
    kept = appended(cache, (q, v))
    return nets.attention(q, *kept), kept


def _aligned_to_the_top(q, k, v, cache):
    """is_causal=True of torch, with one query and many keys."""
    kept = appended(cache, (k, v))
    return torch.nn.functional.scaled_dot_product_attention(q, *kept, is_causal=True), kept


def running_elsewhere(seed: int) -> Variant:
    """e₁/(1 − e₂ + e₁) at other e₁ and e₂."""
    return first_sound(seed, _running, lesson=E1 / (1 - E2 + E1))


def _running(pick: Pick) -> Variant:
    first, again = pick([k / 200 for k in range(6, 21)]), pick([k / 100 for k in range(40, 75, 4)])
    share, odds, lost = first / (1 - again + first), first / (1 - again), (1 - first) ** 50
    slips = {
        "constant": first,
        "direction": (again, 1.0),
        "log-mean": ((first + again) / 2, math.sqrt(first * again)),
        "reduction": (first * (1 - first) + again * first, first + first * again, first * again),
        "spread": (odds, first / again),
        "sign": 1 - share,
        "dependence": tuple(by * (again + (first - again) * (1 - lost) / first / 50) for by in (1, 50)),
        "one-to-one": (100 * share, 50 * share),
        "randomness": tuple(share * (1 + k / 200) for k in (*range(-24, -2), *range(3, 25))),
    }
    values = ((slip[0] if isinstance(slip, tuple) else slip, cause) for cause, slip in slips.items())
    return Variant(
        f"Take a model of words that recovers: after a right word the next one is wrong with probability {first:g}, "
        f"after a wrong one with probability {again:g}, whatever came earlier. It reads its own words. What share of "
        "them is wrong in the long run, to within 1 %? Predict it, then draw a million words and count.",
        laws=(value_law("the share of wrong words in the long run", share, 0.012 * share, slips, 0.003 * share),),
        reference=share,
        wrong=tuple(value for value in values if value[1] != "randomness"),
        hints=(
            "Let p be the share of wrong words. How often is the next one wrong: after a right one, a wrong one?",
            f"p = (1 − p) · {first:g} + p · {again:g}. Solve for p.",
        ),
        causes={
            "direction": f"That is the share if it never came back. After a wrong word, {1 - again:.0%} are right.",
            "spread": "Near: that is the number of wrong words for each *right* one. Which share of all is that?",
        },
    )


EXERCISES = (
    Exercise(
        id="autoregressive.attention",
        stub='''def attention(q, k, v, mask):
    """The mean of the values, weighted by softmax(q·k/√d), (batch, n, e).

    q (batch, n, d), k (batch, m, d), v (batch, m, e). mask (n, m), bool, is True where
    a query may look; where it is False, the weight is 0. No row is all False.
    """
    raise NotImplementedError''',
        points=2,
        laws=(attention.looks_up_by_content,),
        reference=nets.attention,
        hints=(
            "A matrix of scores, (n, m), in which each *row* becomes weights that sum to 1. Where does the mask go?",
            "`scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])`, then `masked_fill(~mask, -math.inf)`, "
            "`softmax(-1)`, and `@ v`.",
        ),
        wrong=(
            (_scaled, "spread"),
            (lambda q, k, v, mask: _scaled(q, k, v, mask, by=q.shape[-1]), "spread"),
            (_over_queries, "reduction"),
            (_masked_late, "constant"),
            (_masked_by_zero, "log-mean"),
            (lambda q, k, v, mask: nets.attention(q, k, v), "dependence"),
            (lambda q, k, v, mask: nets.attention(q, k, v, ~mask), "not-finite"),
            (_exponentials, "not-finite"),
            (_finite_fill, "overflow"),
            (lambda q, k, v, mask: nets.attention(q, v, k, mask), "direction"),
        ),
        causes={
            "spread": "Take unit normals of d numbers: is the spread of your scores 1? d is a query's width.",
            "reduction": "Each query has weights of its own, one for each key. Over which axis do yours sum to 1?",
            "constant": "Add up the weights of one query, of those it may look at: is it 1? When was the mask applied?",
            "log-mean": "A score of 0 is no weight of 0: e⁰ = 1. Which score has the weight 0 after the softmax?",
            "dependence": "The first place may look at itself alone. What is its output then, and where is your mask?",
            "sign": "The mask is True where a query *may* look. Which scores are to vanish?",
            "direction": "Queries are compared with keys, and values are handed over. Which two did you exchange?",
            "one-to-one": "Weights are positive and sum to 1. Are yours the scores themselves, or only the largest?",
            "shape": "Each sequence of the batch has its own queries, keys and values. Which axis was lost?",
            "not-finite": "No softmax of nothing: is the mask inverted? e^300 is no number: take off the largest seen.",
            "overflow": "Right for small scores, wrong for large ones. Which score do you give to what is hidden?",
        },
    ),
    Exercise(
        id="autoregressive.causal_mask",
        stub='''def causal_mask(n):
    """(n, n), True where place i, the row, may look at place j, the column."""
    raise NotImplementedError''',
        points=1,
        laws=(attention.mask_looks_back,),
        reference=nets.causal_mask,
        hints=(
            "Place t reads the symbol before it and predicts its own: may it look at itself? And at what comes later?",
            "A triangle of True, with the diagonal: `torch.ones(n, n, dtype=torch.bool).tril()`.",
        ),
        wrong=(
            (lambda n: torch.ones(n, n).triu(), "direction"),
            (lambda n: torch.ones(n, n).tril(-1), "constant"),
            (lambda n: torch.ones(n, n).triu(1), "sign"),
            (lambda n: torch.ones(n, n), "dependence"),
            (lambda n: torch.eye(n), "reduction"),
            (lambda n: torch.ones(n, n).tril(1), "one-to-one"),
            (lambda n: torch.zeros(n, n).masked_fill(torch.ones(n, n).triu(1) > 0, -math.inf), "not-finite"),
        ),
        causes={
            "direction": "Row 0 is the first place. How many places may it look at, and how many in your mask?",
            "constant": "The first place has nothing before it. If it may not look at itself, what is its softmax of?",
            "sign": "True is where a place *may* look. Is place 0 in your mask one of those that place 3 may look at?",
            "dependence": "Row 0 is the first place. Does your mask hide from it what comes later?",
            "reduction": "A place may look at all the places before it, however far. What does your row 3 allow?",
            "one-to-one": "Exactly the places j ≤ i. What stands on the diagonal of your mask, above and below it?",
            "shape": "A row for each place that looks, a column for each that is looked at: (n, n).",
            "not-finite": "True and False are asked for, not what is to be added to the scores.",
            "container": "True and False are asked for, not what is to be added to the scores.",
        },
    ),
    Exercise(
        id="autoregressive.cached_attention",
        stub='''def cached_attention(q, k, v, cache):
    """What the newest place finds, (batch, 1, e), and the cache for the next place.

    q, k (batch, 1, d) and v (batch, 1, e) are of the newest place. It looks at itself
    and at all before it. cache is what you gave back for the place before, None for the
    first place. It stays as it is: two continuations may begin with it.
    """
    raise NotImplementedError''',
        points=2,
        laws=(attention.cache_is_the_past,),
        reference=cached_attention,
        hints=(
            "What does the newest place need of the earlier ones: their queries, their keys, their values?",
            "`torch.cat([cache[0], k], 1)` and likewise v, where there is a cache; then attention without any mask.",
        ),
        wrong=(
            (_in_place, "mutation"),
            (_strict, "constant"),
            (lambda q, k, v, cache: (nets.attention(q, k, v), (k, v)), "dependence"),
            (lambda q, k, v, cache: (cached_attention(q, k, v, cache)[0], (k, v)), "reduction"),
            (_queries_kept, "direction"),
            (_newest_first, "one-to-one"),
            (_aligned_to_the_top, "sign"),
            (lambda q, k, v, cache: cached_attention(q * math.sqrt(q.shape[-1]), k, v, cache), "spread"),
            (lambda q, k, v, cache: cached_attention(q, k, v, cache)[0], "container"),
        ),
        causes={
            "mutation": "Two continuations begin with one cache. What does the second find in it: did the first write?",
            "constant": "The newest place looks at itself, too. Are its key and value among those that it looks at?",
            "dependence": "That is the newest value, whatever came before. Where does the cache enter?",
            "reduction": "The cache grows by one place each time. How many places are in yours after five?",
            "direction": "A place is found by its key, and hands over its value. What did you keep in place of which?",
            "one-to-one": "Key and value of a place belong together. Do yours stand at the same number?",
            "sign": "That is the first value for ever. What does a triangle allow to one query, if there are t keys?",
            "spread": "The scores are divided by √d, where d is the width of a query. By what did you divide?",
            "log-mean": "That is the plain mean of the values, or their sum. Where do query and keys enter?",
            "container": "Two things are asked for: the output, and the cache for the next place.",
            "shape": "The output is (batch, 1, e), for each sequence its own. Along which axis do places follow?",
        },
    ),
    Exercise(
        id="autoregressive.count_bags",
        stub='''def count_bags(sentences):
    """How many of the sentences differ by more than the order of their words.

    sentences is a list of lists of words.
    """
    raise NotImplementedError''',
        points=1,
        laws=(bags.bags_are_counted,),
        reference=count_bags,
        hints=(
            "Two sentences are one bag if each word is in both equally often. Give each bag one name, and count names.",
            "`tuple(sorted(words))` is the same for all orders of the words; a `set` keeps one of each.",
        ),
        wrong=(
            (lambda sentences: len({frozenset(words) for words in sentences}), "spread"),
            (lambda sentences: len({tuple(words) for words in sentences}), "direction"),
            (len, "constant"),
            (lambda sentences: len({"".join(sorted("".join(words))) for words in sentences}), "one-to-one"),
            (lambda sentences: len({word for words in sentences for word in words}), "dependence"),
            (lambda sentences: len(sentences) - count_bags(sentences), "sign"),
        ),
        causes={
            "spread": "*Two two hundred* and *two hundred hundred* are two bags. How often is each word in them?",
            "direction": "*Three hundred five* and *five hundred three* are one bag. Are they in your count?",
            "constant": "Sentences of one bag are counted once. How many are there of *one two*, *two one*?",
            "one-to-one": "A bag holds words, not letters. Which two different bags have one name in your count?",
            "reduction": "Two sentences of equally many words need not be one bag. What do you compare?",
            "dependence": "Sentences are counted, not words.",
            "sign": "How many bags there *are* is asked for, not how many sentences are lost, or how many have a twin.",
            "mutation": "`words.sort()` changes the sentence itself, which is the caller's. `sorted(words)` does not.",
            "container": "One whole number is asked for.",
        },
    ),
    Exercise(
        id="autoregressive.free_running",
        stub="free_running = ...",
        points=1,
        laws=(errors_on_its_own,),
        reference=E1 / (1 - E2 + E1),
        hints=(
            "Let p be the share of wrong words. How often is the next one wrong: after a right one, after a wrong one?",
            "p = (1 − p) · 0.02 + p · 0.5. Solve for p.",
        ),
        wrong=(
            (0.02, "constant"),
            (0.5, "direction"),
            (0.26, "log-mean"),
            (0.0296, "reduction"),
            (0.04, "spread"),
            (0.9615, "sign"),
            (0.1948, "dependence"),
            (3.846, "one-to-one"),
        ),
        causes={
            "constant": "That is the share on the *true* past. Which word does it read after one of its own errors?",
            "direction": "That is the share if it never came back. After a wrong word, half of the words are right.",
            "log-mean": "The mean of the two holds if right and wrong words were equally many. Are they?",
            "reduction": "That is one step further. And the step after that? At which share does nothing change?",
            "spread": "Near: 0.04 is the number of wrong words for each *right* one. Which share of all words is that?",
            "sign": "That is the share of the right ones.",
            "dependence": "That is a model that never recovers, in 50 places. Here the word before alone matters.",
            "one-to-one": "A share is asked for, a number from 0 to 1.",
            "randomness": "Near. Is it measured, or rounded? Which share comes back exactly as it was?",
            "container": "One number is asked for, as `free_running = 0.1`.",
        },
        variant=running_elsewhere,
    ),
)
