"""What is left to guess of a sentence when words are dropped: exact, by every mask, where all sentences are known."""

from collections.abc import Iterator

import torch
from torch import Tensor

from gmcourse.probability import after_stop


def guesses_left(x: Tensor, p: Tensor, stop: int, told: Tensor | None = None) -> Tensor:
    """Σ over the masks with j of t words dropped of H(x_t | the words left, told), (T, T), nats: row t, column j.

    x: (N, T) int64, all sentences; p: (N,), their probabilities; told: (N,) int64, something that is known of each
    from the start, None for nothing. What follows the stop is not guessed. 2^T masks are gone through.
    """
    known = torch.zeros(len(x), dtype=torch.int64) if told is None else told.unique(return_inverse=True)[1]
    table, counts = p.new_zeros(2 * [x.shape[1]]), ~after_stop(x, stop)
    for t, dropped, group in _masks(x, known, 0, 0):
        if (rows := counts[:, t]).any():
            table[t, dropped] += _entropy(group[rows], x[rows, t], p[rows])
    return table


def dropped_nats(table: Tensor, keep: float) -> Tensor:
    """Σ_t Σ_j (1 − keep)^j keep^(t − j) · table[t, j], nats a sentence: the best loss when words are kept so."""
    t = torch.arange(len(table))[:, None]
    dropped = torch.arange(len(table))
    share = (1.0 - keep) ** dropped * keep ** (t - dropped).clamp(min=0)
    return (share * table)[dropped <= t].sum()


def _masks(x: Tensor, group: Tensor, t: int, dropped: int) -> Iterator[tuple[int, int, Tensor]]:
    """For every t and every choice of the t words before it: t, how many are dropped, and who looks alike, (N,)."""
    yield t, dropped, group
    if t + 1 < x.shape[1]:
        seen = (group * (int(x.max()) + 1) + x[:, t]).unique(return_inverse=True)[1]
        yield from _masks(x, seen, t + 1, dropped)
        yield from _masks(x, group, t + 1, dropped + 1)


def _entropy(group: Tensor, word: Tensor, p: Tensor) -> Tensor:
    """E[−ln p(word | group)], nats, of rows with probabilities p, which may add up to less than 1."""
    pair = (group * (int(word.max()) + 1) + word).unique(return_inverse=True)[1]
    joint, whole = (torch.bincount(of, weights=p) for of in (pair, group))
    return (p * (whole[group].log() - joint[pair].log())).sum()
