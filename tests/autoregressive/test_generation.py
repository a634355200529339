from functools import partial

import pytest
import torch
from torch import nn

from gmcourse.autoregressive.choosing import temperature, top_k
from gmcourse.autoregressive.discrete import choose, uniforms
from gmcourse.autoregressive.generation import generate

TABLE = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


class Chain(nn.Module):
    """A Markov chain on three symbols, row 3 the first draw; its state counts what it has read."""

    def begin(self, batch):
        return torch.zeros(batch, dtype=torch.int64)

    def step(self, symbol, state):
        if symbol is None:
            return TABLE[[3]].expand(len(state), -1), state
        return TABLE[symbol], state + 1


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def by_hand(n, length, prompt, transform):
    """Each text by itself, symbol by symbol."""
    u, texts = uniforms(n, length, TABLE, seeded()), []
    for i in range(n):
        text = list(prompt)
        for t in range(length):
            row = TABLE[text[-1] if text else 3]
            text.append(choose(transform(row[None]), u[i, t : t + 1]).item())
        texts.append(text)
    return torch.tensor(texts).view(n, -1)


@pytest.mark.parametrize("prompt", [(), (2,), (0, 1, 1)])
def test_texts_are_those_of_a_loop_by_hand(prompt):
    for transform in (lambda logits: logits, partial(temperature, t=0.4), partial(top_k, k=2)):
        given = torch.tensor(prompt, dtype=torch.int64) if prompt else None
        texts = generate(Chain(), 5, 7, prompt=given, choose=transform, rng=seeded())
        assert torch.equal(texts, by_hand(5, 7, prompt, transform))


def test_every_text_may_have_its_own_prompt():
    prompt = torch.tensor([[0, 1], [2, 2]])
    texts = generate(Chain(), 2, 3, prompt=prompt, rng=seeded())
    assert torch.equal(texts[:, :2], prompt)
    for i in range(2):
        assert torch.equal(texts[i], by_hand(2, 3, prompt[i].tolist(), lambda logits: logits)[i])


def test_nothing_new_and_nobody():
    assert generate(Chain(), 3, 0).shape == (3, 0)
    assert generate(Chain(), 2, 0, prompt=torch.tensor([1, 2])).tolist() == [[1, 2], [1, 2]]
    assert generate(Chain(), 0, 4).shape == (0, 4)


def test_what_the_model_is_told_reaches_its_beginning():
    class Told(Chain):
        def begin(self, batch, given):
            return given

        def step(self, symbol, state):
            return nn.functional.one_hot(state, 3).double() * 100, state

    assert generate(Told(), 3, 2, given=(torch.tensor([2, 0, 1]),)).tolist() == [[2, 2], [0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"length": -1}, "length: got -1"),
        ({"prompt": torch.zeros(3, 2, dtype=torch.int64)}, "prompt: got torch.int64 of shape"),
        ({"prompt": torch.zeros(2)}, "prompt: got torch.float32"),
    ],
)
def test_bad_requests_are_named(options, named):
    with pytest.raises(ValueError, match=named):
        generate(Chain(), 2, **({"length": 1} | options))
