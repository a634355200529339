"""What is left to guess, against sentences counted by hand and against draws of masks."""

import math

import pytest
import torch

from gmcourse.vae.blindness import dropped_nats, guesses_left

# two copies of a coin, then the end; or one word alone
X = torch.tensor([[1, 1, 0, 0], [2, 2, 0, 0], [3, 0, 0, 0]])
P = torch.tensor([0.25, 0.25, 0.5], dtype=torch.float64)


def test_by_hand():
    """The second word is known from the first; where that is dropped, it is a coin of ln 2, or the end of row 3."""
    table = guesses_left(X, P, stop=0)
    assert dropped_nats(table, 1.0).item() == pytest.approx(1.5 * math.log(2))
    entropy_of_second = 1.5 * math.log(2)
    third = 0.0  # rows 1 and 2 end there in any case
    assert dropped_nats(table, 0.0).item() == pytest.approx(1.5 * math.log(2) + entropy_of_second + third)
    assert dropped_nats(table, 0.5).item() == pytest.approx(1.5 * math.log(2) + 0.5 * entropy_of_second)


def test_what_is_told_saves_its_entropy_when_no_word_is_dropped_and_more_when_some_are():
    told = torch.tensor([0, 1, 0])
    none, some = guesses_left(X, P, 0), guesses_left(X, P, 0, told)
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    saved = [(dropped_nats(none, keep) - dropped_nats(some, keep)).item() for keep in (1.0, 0.7, 0.3)]
    assert saved[0] == pytest.approx(entropy)
    assert saved[0] < saved[1] < saved[2]
    whole = guesses_left(X, P, 0, torch.arange(3))
    assert dropped_nats(whole, 0.3).item() == pytest.approx(0.0)


def test_against_masks_drawn_at_random():
    """By the definition: the best guess from what is left, word by word, over random masks."""
    rng, keep, total, n = torch.Generator().manual_seed(0), 0.6, 0.0, 3_000
    for _ in range(n):
        row = int(torch.multinomial(P, 1, generator=rng))
        seen = torch.rand(4, generator=rng) < keep
        for t in range(4):
            if t and X[row, t - 1] == 0:
                break
            same = [(X[i, :t] == X[row, :t])[seen[:t]].all() and (t == 0 or (X[i, :t] != 0).all()) for i in range(3)]
            mass = P[torch.tensor([bool(s) for s in same])].sum()
            hit = P[torch.tensor([bool(s) and X[i, t] == X[row, t] for i, s in enumerate(same)])].sum()
            total -= float((hit / mass).log())
    assert total / n == pytest.approx(dropped_nats(guesses_left(X, P, 0), keep).item(), abs=0.06)
