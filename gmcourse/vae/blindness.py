"""What is left to guess of a sentence when words are dropped: exact, by every mask, where all sentences are known."""

from collections.abc import Iterator

import torch
from torch import Tensor

from gmcourse.probability import after_stop


def guesses_left(x: Tensor, p: Tensor, stop: int, told: Tensor | None = None) -> Tensor:
    """Σ over the masks with j of t words dropped of H(x_t | the words left, told), (T, T), nats: row t, column j.

    x: (N, T) int64, all sentences; p: (N,), their probabilities; told: (N,) int64, something that is known of each
    from the start, None for nothing. What follows the stop is not guessed. 2^T masks are gone through.
    Equation: vae-worth.
    """
    known = torch.zeros(len(x), dtype=torch.int64) if told is None else _numbered(told)
    words = torch.stack([_numbered(column) for column in x.T])
    table, counts = p.new_zeros(2 * [len(words)]), ~after_stop(x, stop).T
    for t, dropped, group in _masks(words, known, 0, 0):
        if (rows := counts[t]).any():
            table[t, dropped] += _entropy(group[rows], words[t, rows], p[rows])
    return table


def dropped_nats(table: Tensor, keep: float) -> Tensor:
    """Σ_t Σ_j (1 − keep)^j keep^(t − j) · table[t, j], nats a sentence: the best loss when words are kept so."""
    t = torch.arange(len(table))[:, None]
    dropped = torch.arange(len(table))
    share = (1.0 - keep) ** dropped * keep ** (t - dropped).clamp(min=0)
    return (share * table)[dropped <= t].sum()


def _masks(words: Tensor, group: Tensor, t: int, dropped: int) -> Iterator[tuple[int, int, Tensor]]:
    """For every t and every choice of the t words before it: t, how many are dropped, and who looks alike, (N,)."""
    yield t, dropped, group
    if t + 1 < len(words):
        seen = _numbered(group * (int(words[t].max()) + 1) + words[t])
        yield from _masks(words, seen, t + 1, dropped)
        yield from _masks(words, group, t + 1, dropped + 1)


def _numbered(keys: Tensor) -> Tensor:
    """Equal keys get equal numbers 0, 1, …, without a gap; keys are 0 or more."""
    present = torch.zeros(int(keys.max()) + 1, dtype=torch.bool)
    present[keys] = True
    return (present.cumsum(0) - 1)[keys]


def _entropy(group: Tensor, word: Tensor, p: Tensor) -> Tensor:
    """E[−ln p(word | group)], nats, of rows with probabilities p, which may add up to less than 1."""
    pair = group * (int(word.max()) + 1) + word
    joint, whole = (torch.bincount(of, weights=p) for of in (pair, group))
    return (p * (whole[group].log() - joint[pair].log())).sum()
